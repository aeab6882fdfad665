// commands.test.mjs — every command of the tables: typed wrongly, with help, at the wrong place, as JSON; and what is
// made from the tables: the man page and completion for shells.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { commands, isOperators, isUsers, leastOf } from '../lib/commands.mjs';
import { ROOT, source } from '../lib/paths.mjs';
import { BUILD, run, SALLYPORT } from '../lib/server.mjs';

let all, home;

before(async () => {
  all = await commands();
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-commands-'));
});
after(() => fs.rmSync(home, { recursive: true }));

const type = (args, options) => run(SALLYPORT, args, { env: { HOME: home, XDG_CONFIG_HOME: '', XDG_DATA_HOME: '' }, ...options });

/* For each command, a few at a time. */
async function forEach(list, check) {
  const left = [...list];
  await Promise.all([1, 2, 3].map(async () => {
    for (let c = left.shift(); c !== undefined; c = left.shift()) await check(c);
  }));
}

/* Wrong usage is one line that says what is wrong and where help is. */
async function refused(args, pattern, help = '') {
  const r = await type(args), typed = args.join(' ');
  assert.equal(r.code, 2, `${typed}: ${r.stderr}${r.stdout}`);
  assert.equal(r.stdout, '', typed);
  assert.match(r.stderr, /^sallyport: [^\n]+\n$/, typed);
  assert.match(r.stderr, pattern, typed);
  assert.ok(r.stderr.endsWith(`; see \`sallyport${help === '' ? '' : ` ${help}`} --help\`\n`), `${typed}: ${r.stderr}`);
}

/* ---- typed wrongly ---- */

test('a command typed wrongly is refused with the nearest name', async () => {
  await refused([], /no command is given/);
  await refused(['--data', '/x'], /no command is given/);
  await refused(['xyzzy'], /there is no command "xyzzy";(?!.*nearest)/);
  const groups = [...new Set(all.map((c) => c.args[0]))];
  await forEach(groups.filter((g) => g.length > 3), (g) => refused([`${g}x`], new RegExp(`there is no command "${g}x"; the nearest is "${g}"`)));
  await forEach(all.filter((c) => c.args.length === 2), ({ args: [group, name] }) =>
    refused([group, `${name}x`], new RegExp(`there is no command "${name}x" of "${group}"; the nearest is "${name}"`), group));
  await forEach(groups, async (g) => {
    const names = all.filter((c) => c.args[0] === g && c.args.length === 2).map((c) => c.args[1]);
    if (names.length > 0 && !['2fa', 'sessions'].includes(g)) await refused([g], new RegExp(`must stand one of: ${names.join(', ')};`), g);
  });
});

test('an option typed wrongly is refused by every command with the nearest name', async () => {
  await forEach(all, async (c) => {
    await refused([...leastOf(c), '--hepl'], /there is no option "--hepl"; the nearest is "--help"/, c.command);
    await refused(['--hepl', ...leastOf(c)], /there is no option "--hepl"/, c.command);
    const [flag, valued] = [c.may.find((o) => o.value === null), [...c.must, ...c.may].find((o) => o.value !== null)];
    if (flag !== undefined) await refused([...leastOf(c), `--${flag.name}=1`], new RegExp(`--${flag.name} takes no value`), c.command);
    if (valued !== undefined) await refused([...leastOf(c), `--${valued.name}`], new RegExp(`the ${valued.value} of --${valued.name} is missing`), c.command);
    const foreign = c.options.includes('store') ? 'data' : 'store';
    await refused([...leastOf(c), `--${foreign}=x`], new RegExp(`"${c.command}" takes no --${foreign}`), c.command);
  });
});

test('names of options are not abbreviated', async () => {
  await refused(['user', 'create', '--emai', 'a@example.test'], /there is no option "--emai"; the nearest is "--email"/, 'user create');
  await refused(['whoami', '--js'], /there is no option "--js"/, 'whoami');
});

test('a word too few, one too many, and one that is no choice are refused by every command', async () => {
  await forEach(all, async (c) => {
    const needed = c.places.filter((p) => !p.optional);
    if (needed.length > 0) {
      const missing = needed.at(-1).choices?.join('|') ?? needed.at(-1).word;
      await refused(leastOf(c).slice(0, c.args.length + needed.length - 1), new RegExp(`${missing.replaceAll('|', '\\|')} is missing`), c.command);
    }
    for (const o of c.must) await refused(leastOf(c).filter((w) => w !== `--${o.name}`).slice(0, -1), new RegExp(`--${o.name} ${o.value} is missing`), c.command);
    if (!c.places.some((p) => p.repeats)) {
      const words = c.places.map((p) => p.choices?.[0] ?? 'x');
      const typed = [...c.args, ...words, 'more', ...c.must.flatMap((o) => [`--${o.name}`, 'x'])];
      const bare = c.args.length === 2 && ['list', 'status'].includes(c.args[1]) && isUsers(c);
      await refused(typed, /"more" is one word too many/, c.command);
      if (bare) await refused([c.args[0], 'more'], /there is no command "more" of/, c.args[0]);
    }
    const at = c.places.findIndex((p) => p.choices !== null);
    if (at >= 0) {
      const typed = leastOf(c);
      typed[c.args.length + at] = 'nonsense';
      await refused(typed, new RegExp(`"nonsense" is none of ${c.places[at].choices.join('\\|')}`), c.command);
    }
  });
});

test('what a command finds wrong by itself is told in the same form', async () => {
  await refused(['calibrate', 'soon'], /MILLISECONDS is a number/, 'calibrate');
  await refused(['print-config', '--origin', '--help-settings'], /one or the other/, 'print-config');
  await refused(['help', 'user', 'creat'], /the nearest is "create"/, 'user');
});

test('what was typed is repeated without what would command a terminal, and cut', async () => {
  const r = await type([`\u001b[31m${'x'.repeat(500)}`]);
  assert.ok(!r.stderr.includes('\u001b'));
  assert.ok(r.stderr.length < 200, r.stderr);
});

/* ---- help, version ---- */

test('every command explains itself and each option it takes', async () => {
  await forEach(all, async (c) => {
    for (const args of [[...c.args, '--help'], ['-h', ...c.args], ['help', ...c.args], [...leastOf(c), '--help']]) {
      const r = await type(args);
      assert.deepEqual([r.code, r.stderr], [0, ''], args.join(' '));
      assert.ok(r.stdout.startsWith(`usage: sallyport ${c.command}`), r.stdout);
      assert.ok(r.stdout.includes(c.help));
      for (const o of c.options) assert.match(r.stdout, new RegExp(`^  (-h, )?--${o}\\b`, 'm'), `${c.command} --${o}`);
    }
    assert.ok(c.help.length > 0 && c.help.length < 100 && !c.help.endsWith('.'), c.help);
  });
});

test('a group and the whole explain all that is in them', async () => {
  const whole = (await type(['--help'])).stdout;
  for (const c of all) {
    assert.ok(whole.includes(`sallyport ${c.command}`), c.command);
    const group = await type([c.args[0], '--help']);
    assert.deepEqual([group.code, group.stderr], [0, ''], c.args[0]);
    assert.ok(group.stdout.includes(`sallyport ${c.command}`), c.command);
  }
  for (const line of whole.split('\n')) assert.ok(line.length <= 100, line);
});

test('--version and version say the same', async () => {
  const { stdout } = await type(['--version']);
  assert.match(stdout, /^sallyport \d+\.\d+\.\d+\n$/);
  assert.equal((await type(['version'])).stdout, stdout);
  assert.equal(`sallyport ${JSON.parse((await type(['version', '--json'])).stdout).version}\n`, stdout);
});

test('a result that cannot be written is no success', async () => {
  const r = spawnSync('sh', ['-c', `'${SALLYPORT}' help > /dev/full`]);
  assert.equal(r.status, 1);
  assert.match(String(r.stderr), /cannot write/);
});

/* ---- at the wrong place ---- */

const WITHOUT_STORE = ['check-config', 'print-config', 'mail test', 'oauth test', 'calibrate', // they look at settings only
  'doctor']; // and this says of everything else that it is not there
const MAKES = ['user create'];
const withoutMeasuring = (c) => (c.command === 'calibrate' ? ['calibrate', '0'] : leastOf(c));

test('no operator\'s command makes a store where there is none, and each says so', async () => {
  const listed = all.filter(isOperators).map((c) => c.command);
  for (const name of [...WITHOUT_STORE, ...MAKES]) assert.ok(listed.includes(name), name);
  await forEach(all.filter(isOperators), async (c) => {
    const dir = path.join(home, `none-${c.command.replace(' ', '-')}`);
    if (MAKES.includes(c.command)) return;
    const least = withoutMeasuring(c);
    const r = await type([...least, '--data', dir]);
    assert.equal(fs.existsSync(dir), false, `${c.command} has made ${dir}`);
    if (WITHOUT_STORE.includes(c.command)) return;
    assert.equal(r.code, 4, `${c.command}: ${r.stderr}`);
    assert.equal(r.stdout, '', c.command);
    assert.ok(r.stderr.startsWith(`sallyport: store: ${dir}/sallyport.db does not exist`), r.stderr);
    assert.equal(r.stderr.trim().split('\n').length, 1, r.stderr);
  });
});

test('no operator\'s command makes a store of an empty file or in an empty directory', async () => {
  const empty = path.join(home, 'empty'), file = path.join(home, 'empty-file');
  for (const dir of [empty, file]) fs.mkdirSync(dir, { mode: 0o700 });
  fs.writeFileSync(path.join(file, 'sallyport.db'), '', { mode: 0o600 });
  await forEach(all.filter((c) => isOperators(c) && !MAKES.includes(c.command) && !WITHOUT_STORE.includes(c.command)), async (c) => {
    for (const dir of [empty, file]) assert.equal((await type([...leastOf(c), '--data', dir])).code, 4, c.command);
  });
  assert.deepEqual(fs.readdirSync(empty), []);
  assert.deepEqual(fs.readdirSync(file), ['sallyport.db']);
  assert.equal(fs.statSync(path.join(file, 'sallyport.db')).size, 0);
});

test('no command but serve and user create makes a key, but for keys rotate, which says so', async () => {
  const dir = path.join(home, 'keyless');
  const made = await type(['user', 'create', '--email', 'ada@example.test', '--password-stdin', '--data', dir], { input: 'correct horse battery staple\n' });
  assert.equal(made.code, 0, made.stderr);
  fs.rmSync(path.join(dir, 'keys'), { recursive: true });
  await forEach(all.filter((c) => isOperators(c) && c.command !== 'keys rotate' && c.command !== 'backup'), async (c) => {
    const least = withoutMeasuring(c);
    const r = await type([...least, '--data', dir], { input: 'correct horse battery staple\n' });
    assert.notEqual(r.code, 6, `${c.command}: ${r.stderr}`);
    assert.equal(fs.existsSync(path.join(dir, 'keys')), false, `${c.command} has made keys`);
  });
  assert.equal((await type(['keys', 'list', '--data', dir])).code, 4);
  assert.equal((await type(['keys', 'rotate', '--data', dir])).code, 0);
  assert.equal((await type(['keys', 'list', '--data', dir])).code, 0);
});

/* ---- the man page ---- */

/* "USER on|off" and the options as the page writes them. */
const macro = (p) => (p.choices !== null ? `Cm ${p.choices.join(' | ')}` : `Ar ${p.word.replace(/[[\]]/g, '').replace('...', ' ...').toLowerCase()}`);
const optionMacro = (o) => `Fl -${o.name}${o.value === null ? '' : ` Ar ${o.value.toLowerCase()}`}`;

function synopsisOf(c) {
  return [
    '.Nm', `.Cm ${c.command}`,
    ...c.must.map((o) => `.${optionMacro(o)}`),
    ...c.places.map((p) => (p.optional ? `.Op ${macro(p)}` : `.${macro(p)}`)),
    ...c.may.map((o) => `.Op ${optionMacro(o)}`),
  ].join('\n');
}

test('the man page is whole: its synopsis is the tables, and each command and option is described', () => {
  const page = source('docs/sallyport.1');
  const section = (name) => page.slice(page.indexOf(`.Sh ${name}\n`)).split(/\n\.Sh /)[0];
  const synopsis = section('SYNOPSIS').replace('.Sh SYNOPSIS\n', ''), text = section('DESCRIPTION');
  assert.equal(synopsis.replace('.Pp\n', ''), all.map(synopsisOf).join('\n'));
  for (const c of all) {
    const item = text.split('\n.It Cm ').find((t) => t.startsWith(`${c.command}\n`) || t.startsWith(`${c.command} `));
    assert.ok(item !== undefined, `no item for ${c.command}`);
    for (const o of [...c.must, ...c.may]) assert.match(item, new RegExp(`Fl -${o.name}\\b`), `${c.command} --${o.name}`);
  }
  for (const o of new Set(all.flatMap((c) => c.common.map((x) => x.name)))) assert.match(text, new RegExp(`\\.It Fl -${o}\\b`), o);
});

test('every command that a page of the guide shows is one, with options that it takes', () => {
  const pages = ['README.md', ...fs.readdirSync(path.join(ROOT, 'docs/guide')).map((f) => `docs/guide/${f}`)];
  let seen = 0;
  for (const page of pages) {
    const text = source(page).replace(/\\\n\s*/g, '');
    for (const [, typed] of text.matchAll(/(?:^ {4,}(?:sudo -u sallyport |\$ )?|`)sallyport ((?:[a-z0-9-]+)(?: [^\n`|>#)&]*)?)/gm)) {
      const [group, name] = typed.split(/\s+/);
      const c = all.find((x) => x.args[0] === group && (x.args.length === 1 || x.args[1] === name)) ?? all.find((x) => x.args[0] === group && isUsers(x));
      if (['user', 'template', 'outbox'].includes(typed.trim()) || group === 'COMMAND') continue; // of the group as a whole
      assert.ok(c !== undefined, `${page}: sallyport ${typed}`);
      for (const [, option] of typed.matchAll(/(?<![\w-])--([a-z0-9-]+)/g)) assert.ok(c.options.includes(option), `${page}: sallyport ${typed}`);
      seen++;
    }
  }
  assert.ok(seen > 80, `${seen}`);
});

/* ---- completion ---- */

const COMPLETED = [
  // what stands on the line, and what is offered for the word that begins there; others may be offered too
  { typed: ['us'], offers: ['user'], not: ['verify'] },
  { typed: ['--data', 'x', 'ver'], offers: ['verify'] },
  { typed: ['user', 'set-'], offers: ['set-admin', 'set-password'], not: ['list'] },
  { typed: ['user', 'set-admin', 'ada@example.test', ''], offers: ['on', 'off'] },
  { typed: ['user', '--json', 'set-admin', 'ada@example.test', 'of'], offers: ['off'], not: ['on'] },
  { typed: ['user', 'create', '--em'], offers: ['--email'], not: ['--search'] },
  { typed: ['user', 'list', '--s'], offers: ['--search'], not: ['--store'] },
  { typed: ['completion', ''], offers: ['bash', 'zsh', 'fish'] },
  { typed: ['sessions', ''], offers: ['list', 'revoke'] },
  { typed: ['whoami', '--s'], offers: ['--server', '--store'], not: ['--search'] },
  { typed: ['template', 'set', 'welcome', ''], offers: ['html', 'text'] },
  { typed: ['backup', 'a-fi'], offers: ['a-file.db'] },
];

const quoted = (word) => `'${word.replaceAll("'", "'\\''")}'`;

/* Each prints what its shell would offer, a word a line. */
const SHELLS = {
  bash: (typed) => ['bash', ['--norc', '-c', `. ./script; COMP_WORDS=(sallyport ${typed.map(quoted).join(' ')}); COMP_CWORD=${typed.length}; _sallyport; printf '%s\\n' "\${COMPREPLY[@]}"`]],
  zsh: (typed) => ['zsh', ['-f', '-c', `compdef() { :; }; compadd() { shift; for w in "$@"; do [[ $w == "$words[CURRENT]"* ]] && print -r -- "$w"; done; }
    _describe() { for w in "\${(@P)@[-1]}"; do [[ $w == "$words[CURRENT]"* ]] && print -r -- "\${w%%:*}"; done; }; _files() { print -rl -- "$words[CURRENT]"*; }
    . ./script; words=(sallyport ${typed.map(quoted).join(' ')}); CURRENT=${typed.length + 1}; _sallyport`]],
  fish: (typed) => ['fish', ['--no-config', '-c', `source ./script; complete -C ${quoted(['sallyport', ...typed].join(' '))} | string replace -r '\\t.*' ''`]],
};

for (const [shell, line] of Object.entries(SHELLS)) {
  test(`${shell} completes commands, their words and their options`, async () => {
    const dir = path.join(home, shell);
    fs.mkdirSync(dir);
    const script = (await type(['completion', shell])).stdout;
    fs.writeFileSync(path.join(dir, 'script'), script);
    fs.writeFileSync(path.join(dir, 'a-file.db'), '');
    for (const c of all) for (const name of c.args) assert.ok(script.includes(name), name);
    for (const { typed, offers, not = [] } of COMPLETED) {
      const [program, args] = line(typed);
      const r = spawnSync(program, args, { cwd: dir, encoding: 'utf8', env: { ...process.env, HOME: home }, timeout: 30_000 });
      assert.equal(r.error, undefined, `${shell} must be there`);
      const offered = r.stdout.split('\n').map((w) => w.trim());
      for (const word of offers) assert.ok(offered.includes(word), `${typed.join(' ')}: ${word} is not among ${offered} ${r.stderr}`);
      for (const word of not) assert.ok(!offered.includes(word), `${typed.join(' ')}: ${word} is among ${offered}`);
      assert.equal(r.stderr, '', typed.join(' '));
    }
  });
}

test('what is installed is what the program prints', async () => {
  const made = { bash: 'sallyport', zsh: '_sallyport', fish: 'sallyport.fish' };
  const folder = path.join(BUILD, 'contrib/completion');
  const options = JSON.parse(fs.readFileSync(path.join(BUILD, 'meson-info/intro-buildoptions.json'), 'utf8'));
  const isWatched = options.find((o) => o.name === 'b_sanitize').value !== 'none'; // such a build is not installed
  assert.equal(fs.existsSync(folder), !isWatched);
  if (isWatched) return;
  for (const [shell, file] of Object.entries(made))
    assert.equal(fs.readFileSync(path.join(folder, file), 'utf8'), (await type(['completion', shell])).stdout, shell);
});
