// cli.test.mjs — login, whoami, token, logout, 2fa and sessions, typed by somebody with an account.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Authenticator, withTotp } from '../lib/authenticator.mjs';
import { Mailed } from '../lib/mailed.mjs';
import { claimsOf, freshEmail, freshPassword, MINUTE, run, SALLYPORT, until } from '../lib/server.mjs';

let m, s, folder, url;

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-cli-'));
  m = await Mailed.start({ env: { SALLYPORT_TWOFACTOR_REQUIRED: 'false' } });
  s = m.s;
  url = `http://127.0.0.1:${s.target.port}`;
});
after(async () => {
  await m.close();
  fs.rmSync(folder, { recursive: true });
});

/* Somebody's home: tokens in a file there, a passphrase in the environment. */
function home(name = freshEmail().split('@')[0]) {
  const dir = path.join(folder, name);
  fs.mkdirSync(dir);
  const env = { HOME: dir, XDG_CONFIG_HOME: '', XDG_DATA_HOME: '', SALLYPORT_CLIENT_STORE: 'file', SALLYPORT_CLIENT_PASSPHRASE: 'open sesame' };
  return { dir, env, type: (args, input = '', more = {}) => run(SALLYPORT, args, { env: { ...env, ...more }, input }) };
}

async function signedIn() {
  const user = await s.register(), h = home();
  const r = await h.type(['login', url, '--email', user.email, '--password-stdin'], `${user.password}\n`);
  assert.equal(r.code, 0, r.stderr);
  return { ...h, user };
}

test('login with a password remembers the server; whoami, token and logout need no options', async () => {
  const user = await s.register(), h = home();
  const r = await h.type(['login', url, '--email', user.email], `${user.password}\n`);
  assert.deepEqual([r.code, r.stdout], [0, `${user.email}\n`], r.stderr);
  assert.equal((await h.type(['whoami'], '', { SALLYPORT_CLIENT_STORE: '' })).stdout, `${user.email}\n`);
  const me = JSON.parse((await h.type(['whoami', '--json'])).stdout);
  assert.equal(me.email, user.email);

  const token = (await h.type(['token'])).stdout.trim();
  assert.equal((await s.me(token)).json.email, user.email);
  assert.equal(JSON.parse((await h.type(['token', '--json'])).stdout).accessToken, token);

  assert.equal((await h.type(['logout'])).code, 0);
  assert.equal((await s.me(token)).status, 401, 'the server has ended the session');
  for (const args of [['whoami'], ['token'], ['sessions'], ['2fa']]) {
    const out = await h.type(args);
    assert.deepEqual([out.code, out.stdout], [3, ''], args.join(' '));
    assert.match(out.stderr, /not signed in/);
  }
  assert.deepEqual(JSON.parse((await h.type(['token', '--json'])).stdout), { error: 'SP_SIGNED_OUT', status: 0, code: '', message: 'not signed in' });
});

test('what is kept is readable for nobody else, and the tokens for nobody without the passphrase', async () => {
  const h = await signedIn();
  const kept = walk(h.dir);
  assert.ok(kept.some((f) => f.endsWith('.tokens')) && kept.some((f) => f.endsWith('.client')), kept.join());
  const token = (await h.type(['token'])).stdout.trim();
  for (const f of kept) {
    assert.equal(fs.statSync(f).mode & 0o077, 0, f);
    assert.ok(!fs.readFileSync(f).includes(token.slice(0, 40)), f);
  }
  const r = await h.type(['whoami'], '', { SALLYPORT_CLIENT_PASSPHRASE: 'open barley' });
  assert.deepEqual([r.code, r.stdout], [5, '']);
  assert.match(r.stderr, /not its passphrase/);
});

/* Node 18 has no recursive readdir. */
function walk(dir) {
  return fs.readdirSync(dir, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? walk(path.join(dir, e.name)) : [path.join(dir, e.name)]));
}

test('login --register makes the account first', async () => {
  const h = home(), email = freshEmail();
  const r = await h.type(['login', url, '--email', email, '--register', '--password-stdin'], `${freshPassword()}\n`);
  assert.deepEqual([r.code, r.stdout], [0, `${email}\n`], r.stderr);
  const weak = await home().type(['login', url, '--email', freshEmail(), '--register', '--password-stdin'], 'short\n');
  assert.equal(weak.code, 1);
  assert.match(weak.stderr, /PASSWORD_TOO_SHORT/);
});

test('a wrong password is refused with 1 and leaves nobody signed in', async () => {
  const user = await s.register(), h = home();
  const r = await h.type(['login', url, '--email', user.email], 'wrong\n');
  assert.deepEqual([r.code, r.stdout], [1, '']);
  assert.match(r.stderr, /Invalid credentials \(INVALID_CREDENTIALS\)/);
  assert.equal((await h.type(['whoami'], '', { SALLYPORT_CLIENT_SERVER: url })).code, 3);
});

test('login asks for the second factor: a code of the app, or a recovery code', async () => {
  const fresh = await s.register();
  const user = await withTotp(s, { ...fresh, ...(await s.signIn(fresh)) });
  const h = home(), args = ['login', url, '--email', user.email];
  const byApp = await h.type(args, `${user.password}\n1\n${user.app.code()}\n`);
  assert.deepEqual([byApp.code, byApp.stdout], [0, `${user.email}\n`], byApp.stderr);
  s.advance(MINUTE);
  const which = byApp.stderr.match(/(\d) {2}a recovery code/)[1];
  const byPaper = await home().type(args, `${user.password}\n${which}\n${user.codes[0]}\n`);
  assert.equal(byPaper.code, 0, byPaper.stderr);
  s.advance(MINUTE);
  const corrected = await home().type(args, `${user.password}\n1\n${user.app.wrong()}\n${user.app.code()}\n`);
  assert.notEqual(corrected.code, 2, corrected.stderr);
  assert.match(corrected.stderr, /Invalid TOTP code/);
});

test('2fa setup shows the secret, takes the first code and shows the recovery codes; disable and recovery-codes', async () => {
  const h = await signedIn();
  assert.equal((await h.type(['2fa'])).stdout, 'off\n');
  const p = typing(h, ['2fa', 'setup']);
  const app = new Authenticator(s, (await p.said(/otpauth:\/\/\S+/))[0]);
  p.write(`${app.code()}\n`);
  const done = await p.end();
  assert.equal(done.code, 0, done.stderr);
  assert.equal(done.stderr.split(/shown again:/)[1].trim().split('\n').length, 10);
  assert.equal((await h.type(['2fa', 'status'])).stdout, 'on\n');
  s.advance(MINUTE);
  const codes = await h.type(['2fa', 'recovery-codes'], `${app.code()}\n`);
  assert.equal(codes.stdout.trim().split('\n').length, 10, codes.stderr);
  s.advance(MINUTE);
  assert.equal((await h.type(['2fa', 'disable'], `${app.code()}\n`)).code, 0);
  assert.equal((await h.type(['2fa', 'status', '--json'])).stdout, '{"isTotpEnabled":false}\n');
});

/* A command that is answered while it runs. */
function typing(h, args) {
  const child = spawn(SALLYPORT, args, { timeout: 60_000, env: { ...process.env, ...h.env } });
  const out = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].on('data', (data) => (out[name] += data));
  const ended = new Promise((resolve) => child.on('close', (code) => resolve({ code, ...out })));
  return {
    said: (pattern) => until(() => out.stderr.match(pattern), `${args.join(' ')} to say ${pattern}`),
    write: (text) => child.stdin.write(text),
    end: () => (child.stdin.end(), ended),
  };
}

test('login --code signs in with the code of a mail', async () => {
  const user = await s.register(), h = home();
  const p = typing(h, ['login', url, '--email', user.email, '--code']);
  await p.said(/on its way/);
  const mail = await m.sink.mail(user.email, { subject: 'Your sign-in code' });
  p.write(`${mail.parsed.text.match(/\b\d{6}\b/)[0]}\n`);
  const r = await p.end();
  assert.deepEqual([r.code, r.stdout], [0, `${user.email}\n`], r.stderr);
});

test('sessions lists where the account is signed in, and ends others', async () => {
  const h = await signedIn();
  const other = await s.signIn(h.user);
  const list = (await h.type(['sessions'])).stdout.trim().split('\n');
  assert.equal(list.length, 2);
  assert.match(list.find((l) => l.startsWith('*')), /sallyport-cli/);
  assert.equal(JSON.parse((await h.type(['sessions', 'list', '--json'])).stdout).sessions.length, 2);
  const ended = await h.type(['sessions', 'revoke', claimsOf(other.accessToken).sid]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal((await s.me(other.accessToken)).status, 401);
  await s.signIn(h.user);
  await s.signIn(h.user);
  assert.equal((await h.type(['sessions', 'revoke', '--others'])).stdout, '2 ended\n');
  assert.equal((await h.type(['sessions', 'revoke', 'no-such-session'])).code, 1);
  assert.equal((await h.type(['whoami'])).code, 0, 'its own session goes on');
});

test('token takes a new one when the old one is about to end', async () => {
  const h = await signedIn();
  const first = (await h.type(['token'])).stdout.trim();
  const life = claimsOf(first).exp - claimsOf(first).iat;
  const second = (await h.type(['token', '--min-validity', String(life)])).stdout.trim();
  assert.notEqual(second, first);
  assert.equal((await s.me(second)).status, 200);
  for (const bad of ['-1', 'soon', '']) assert.equal((await h.type(['token', '--min-validity', bad])).code, 2, bad);
});

test('accounts of one home are kept apart', async () => {
  const h = await signedIn(), second = await s.register();
  const r = await h.type(['login', url, '--account', 'work', '--email', second.email], `${second.password}\n`);
  assert.equal(r.code, 0, r.stderr);
  assert.equal((await h.type(['whoami'])).stdout, `${h.user.email}\n`);
  assert.equal((await h.type(['whoami', '--account', 'work'])).stdout, `${second.email}\n`);
  assert.equal((await h.type(['whoami', '--account', '../work'])).code, 2);
});

test('usage, a server that is none, and one that does not answer end as said', async () => {
  const h = home();
  assert.equal((await h.type(['whoami'])).code, 2, 'no server was ever named');
  for (const args of [['login', 'ftp://x'], ['login', 'http://auth.example.test'], ['whoami', '--no-such'], ['2fa', 'nonsense'], ['sessions', 'revoke'], ['whoami', 'now']]) {
    assert.equal((await h.type(args, '', { SALLYPORT_CLIENT_SERVER: url })).code, 2, args.join(' '));
  }
  const down = await h.type(['login', 'http://127.0.0.1:1', '--email', 'a@example.test'], 'x\n');
  assert.equal(down.code, 4, down.stderr);
  const odd = await h.type(['whoami', '--server', url, '--store', 'cupboard']);
  assert.equal(odd.code, 2);
  assert.match(odd.stderr, /no store of kind cupboard/);
  assert.match((await h.type(['whoami', '--help'])).stdout, /usage: sallyport whoami/);
  const both = await h.type(['login', url, '--code', '--browser', 'google']);
  assert.deepEqual([both.code, both.stderr], [2, 'sallyport: of --code, --browser and --register only one can be meant; see `sallyport login --help`\n']);
  assert.equal((await h.type(['sessions', 'revoke', 'x', '--others'], '', { SALLYPORT_CLIENT_SERVER: url })).code, 2);
  assert.match((await run(SALLYPORT, ['help'])).stdout, /sallyport login/);
});

test('a typed password is not shown', async () => {
  const user = await s.register(), h = home();
  const command = `${SALLYPORT} login ${url} --email ${user.email}`;
  const child = spawn('script', ['-qec', command, '/dev/null'], { timeout: 60_000, env: { ...process.env, ...h.env } });
  let shown = '';
  child.stdout.on('data', (data) => (shown += data));
  const ended = new Promise((resolve) => child.on('close', resolve));
  await until(() => /Password: /.test(shown), 'the question');
  child.stdin.write(`${user.password}\n`);
  assert.equal(await ended, 0, shown);
  assert.ok(!shown.includes(user.password), shown);
  assert.match(shown, new RegExp(user.email));
});

test('Ctrl-C at a hidden question leaves a terminal that shows what is typed', async () => {
  const h = home();
  const command = `sh -c '${SALLYPORT} login ${url} --email a@example.test; echo ended $?; stty -a'`;
  const child = spawn('script', ['-qec', command, '/dev/null'], { timeout: 60_000, env: { ...process.env, ...h.env } });
  let shown = '';
  child.stdout.on('data', (data) => (shown += data));
  const ended = new Promise((resolve) => child.on('close', resolve));
  await until(() => /Password: /.test(shown), 'the question');
  child.stdin.write('half a pass\x03');
  await ended;
  assert.match(shown, /ended 2/);
  assert.match(shown, / echo /);
  assert.doesNotMatch(shown, /-echo /);
  assert.ok(!shown.includes('half a pass'), shown);
});
