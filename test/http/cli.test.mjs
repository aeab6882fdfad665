// cli.test.mjs — the sub-commands beside a running server: what they do there, and how they end.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { withTotp } from '../lib/authenticator.mjs';
import { commands, isOperators } from '../lib/commands.mjs';
import { source } from '../lib/paths.mjs';
import { freshEmail, freshPassword, headerOf, HOUR, run, SALLYPORT, SALLYPORT_TEST, Server, until } from '../lib/server.mjs';

let s;

before(async () => (s = await Server.start({ env: { TEST_HASH: 'real' } })));
after(() => s.close());

const create = (email, password, more = []) => s.cli(['user', 'create', '--email', email, '--password-stdin', ...more], { input: `${password}\n` });

test('user create makes an account that can sign in at once', async () => {
  const email = freshEmail(), password = freshPassword();
  const r = await create(email, password, ['--first-name', 'Ada', '--last-name', 'Byron']);
  assert.equal(r.code, 0, r.stderr);
  const { accessToken } = await s.signIn({ email, password });
  const me = (await s.me(accessToken)).json;
  assert.deepEqual([me.id, me.name, me.isAdmin, me.isEmailVerified], [r.stdout.trim(), 'Ada Byron', false, true]);
});

test('user create --admin makes the first administrator, with no default password', async () => {
  const { accessToken } = await s.admin();
  assert.equal((await s.me(accessToken)).json.isAdmin, true);
});

test('user create refuses what registration refuses', async () => {
  const taken = await s.register();
  const again = await create(taken.email.toUpperCase(), freshPassword());
  assert.deepEqual([again.code, again.stdout], [1, '']);
  assert.match(again.stderr, /already registered/);
  for (const [email, password, pattern] of [['nonsense', freshPassword(), /email: INVALID/], [freshEmail(), 'short', /PASSWORD_TOO_SHORT/], [freshEmail(), 'passwordpassword', /PASSWORD_COMPROMISED/], [freshEmail(), '', /password/]]) {
    const r = await create(email, password);
    assert.equal(r.code, 1, r.stderr);
    assert.match(r.stderr, pattern);
  }
});

test('user show and list tell what there is, and no secret', async () => {
  const u = await s.register();
  const byEmail = await s.cliOk(['user', 'show', u.email.toUpperCase()]), byId = await s.cliOk(['user', 'show', u.id]);
  assert.equal(byEmail.stdout, byId.stdout);
  for (const [name, value] of [['id', u.id], ['address', `${u.email} (not proven)`], ['state', 'enabled'], ['last sign-in', 'never'], ['password', 'set'], ['second factor', 'no authenticator app'], ['wrong passwords', '0'], ['wrong codes', '0'], ['phone', 'none'], ['providers', 'none'], ['sessions', 'none']])
    assert.ok(byId.stdout.includes(`\n${name.padEnd(18)}${value}\n`) || byId.stdout.startsWith(`${name.padEnd(18)}${value}\n`), `${name}: ${byId.stdout}`);
  const all = (await s.cliOk(['user', 'list'])).stdout;
  assert.match(all, new RegExp(`^${u.id}  ${u.email}  created \\d{4}-.*last sign-in never$`, 'm'));
  assert.equal(all.trim().split('\n').length, Number(await s.sql('SELECT count(*) FROM user')));
  assert.ok(!`${all}${byId.stdout}`.includes('argon2'));
});

test('user show tells the whole state of an account: factors, phone, providers, sessions, lock', async () => {
  const u = await withTotp(s, await s.signedIn({ firstName: 'Ada', lastName: 'By\u00f6ron' }));
  await s.sql(`UPDATE user SET phone = '+390612345678', email_verified = 1, require_2fa = 1 WHERE email = '${u.email}';
    INSERT INTO linked_account (provider, account_id, user_id, email, linked_ms) SELECT 'google', 'g-1', id, 'ada@gmail.example', 5 FROM user WHERE email = '${u.email}';`);
  const other = (await s.login(u.email, u.password)).json; // waits for the second factor, and opens nothing
  assert.ok(other.tempToken, JSON.stringify(other));
  for (let i = 0; i < 6; i++) assert.notEqual((await s.login(u.email, 'wrong')).status, 200);
  for (let i = 0; i < 2; i++) assert.equal((await s.post('/auth/2fa/verify', { tempToken: other.tempToken, totpCode: u.app.wrong(i) }, { strategy: 'bearer' })).status, 401);
  await s.cliOk(['user', 'disable', u.id]);
  await s.cliOk(['user', 'set-admin', u.id, 'on']);
  const shown = JSON.parse((await s.cliOk(['user', 'show', u.id, '--json'])).stdout);
  assert.deepEqual({ ...shown, createdAt: 0, lastLoginAt: 0, disabledAt: 0, lock: 0 }, {
    id: u.id, email: u.email, emailVerified: true, firstName: 'Ada', lastName: 'By\u00f6ron', phone: '+390612345678', lang: null, role: null,
    isGuest: false, isAdmin: true, disabledAt: 0, createdAt: 0, lastLoginAt: 0, verifyBy: null, hasPassword: true, hasTotp: true, requires2FA: true, factorResetAt: null,
    recoveryCodesLeft: u.codes.length, lock: 0, providers: [{ provider: 'google', accountId: 'g-1', email: 'ada@gmail.example', name: null, linkedAt: '1970-01-01T00:00:00.005Z' }], sessions: [],
  });
  for (const t of [shown.createdAt, shown.lastLoginAt, shown.disabledAt]) assert.match(t, /^\d{4}-.*Z$/);
  assert.ok(shown.lock.passwords.failures >= 5, JSON.stringify(shown.lock));
  assert.deepEqual([shown.lock.passwords.closed, shown.lock.codes], [false, { failures: 2, until: null, closed: false }]);
  const text = (await s.cliOk(['user', 'show', u.id])).stdout;
  for (const pattern of [/\(proven\)/, /name +Ada By\u00f6ron/, /\+390612345678/, /administrator, disabled since \d{4}/, /authenticator app, \d+ recovery codes left, required/, /wrong passwords +[5-9]/, /wrong codes +2$/m, / google {2}g-1 {2}ada@gmail\.example/]) assert.match(text, pattern);
  await s.cliOk(['user', 'enable', u.id]);
  assert.equal(JSON.parse((await s.cliOk(['user', 'show', u.id, '--json'])).stdout).lock.passwords.failures, 0);
});

test('user show lists the sessions, and control characters of a client command no terminal', async () => {
  const u = await s.register();
  await s.login(u.email, u.password);
  await s.sql(`UPDATE session SET user_agent = 'ph' || char(27) || '[31mone' WHERE user_id = (SELECT id FROM user WHERE email = '${u.email}')`);
  const text = (await s.cliOk(['user', 'show', u.id])).stdout;
  assert.match(text, /^sessions\n {2}[0-9a-f-]{36} {2}last used \d{4}-.* {2}127\.0\.0\.0 {2}ph\?\[31mone$/m);
  const [session] = JSON.parse((await s.cliOk(['user', 'show', u.id, '--json'])).stdout).sessions;
  assert.deepEqual(Object.keys(session), ['handle', 'createdAt', 'lastActiveAt', 'expiresAt', 'ip', 'userAgent']);
  assert.equal(session.userAgent, 'ph\u001b[31mone');
});

test('user list finds by address and name, and stops where it is told', async (t) => {
  const own = await Server.start();
  t.after(() => own.close());
  for (const [email, first, last] of [['ada@one.example', 'Ada', 'Byron'], ['grace@two.example', 'Grace', 'Hopper'], ['x@b%ron.example', null, null]])
    await own.sql(`INSERT INTO user (uid, email, email_key, first_name, last_name, created_ms) VALUES (randomblob(16), '${email}', '${email}', ${first ? `'${first}'` : 'NULL'}, ${last ? `'${last}'` : 'NULL'}, 1)`);
  const found = async (...args) => (await own.cliOk(['user', 'list', '--json', ...args])).stdout.split('\n').filter((l) => l !== '').map((l) => JSON.parse(l).email.split('@')[0]);
  assert.deepEqual(await found(), ['ada', 'grace', 'x']);
  assert.deepEqual(await found('--search', 'BYRON'), ['ada']);
  assert.deepEqual(await found('--search', 'grace hop'), ['grace']);
  assert.deepEqual(await found('--search', 'two.EXAMPLE'), ['grace']);
  assert.deepEqual(await found('--search', '%'), ['x'], 'nothing in it is a pattern');
  assert.deepEqual(await found('--search', 'nobody'), []);
  assert.deepEqual(await found('--limit', '2'), ['ada', 'grace']);
  assert.deepEqual(await found('--limit', '1', '--search', 'e'), ['ada']);
  for (const bad of ['0', '-1', 'x', '']) {
    const r = await own.cli(['user', 'list', '--limit', bad]);
    assert.equal(r.code, 2, bad);
    assert.match(r.stderr, /--limit NUMBER is a number from 1; see/);
  }
  assert.equal((await own.cli(['user', 'list', '--search', ''])).code, 2);
});

test('user set-admin makes and unmakes an administrator, ends all sessions, and is on record', async () => {
  const u = await s.signedIn();
  await s.cliOk(['user', 'set-admin', u.email, 'on']);
  assert.equal((await s.me(u.accessToken)).status, 401, 'no session goes on with powers that it was not opened for');
  const admin = await s.signIn(u);
  assert.equal((await s.me(admin.accessToken)).json.isAdmin, true);
  await s.cliOk(['user', 'set-admin', u.email, 'on']);
  assert.equal((await s.me(admin.accessToken)).status, 200, 'it was so already: nothing is done');
  await s.cliOk(['user', 'set-admin', u.email, 'off']);
  assert.equal((await s.me(admin.accessToken)).status, 401);
  assert.equal((await s.refresh(admin.refreshToken)).status, 401);
  assert.equal((await s.me((await s.signIn(u)).accessToken)).json.isAdmin, false);
  assert.equal(await s.sql(`SELECT group_concat(detail, ' ') FROM audit WHERE event = 'user.admin_set' AND user_uid = (SELECT uid FROM user WHERE email = '${u.email}')`), 'on off');
});

test('user set-admin leaves no half-done sign-in of before, and takes no guest', async () => {
  const u = await withTotp(s, await s.signedIn());
  const { tempToken } = (await s.login(u.email, u.password)).json;
  await s.cliOk(['user', 'set-admin', u.id, 'on']);
  const r = await s.post('/auth/2fa/verify', { tempToken, totpCode: u.app.code() }, { strategy: 'bearer' });
  assert.equal(r.status, 401, r.text);
  await s.sql(`INSERT INTO user (uid, email, email_key, is_guest, created_ms, seen_ms) VALUES (x'00112233445546778899aabbccddeeff', '', 'guest-of-cli', 1, 1, 1)`);
  const guest = '00112233-4455-4677-8899-aabbccddeeff';
  assert.equal((await s.cli(['user', 'set-admin', guest, 'on'])).code, 1);
  assert.equal(JSON.parse((await s.cliOk(['user', 'show', guest, '--json'])).stdout).isAdmin, false);
});

/* What each command gives as JSON: its members in order. `lines`: one object for each thing. */
const SHAPES = {
  'user create': ['id'], 'user disable': ['id'], 'user enable': ['id'], 'user delete': ['id'], 'user set-password': ['id'], 'user send-reset': ['id'], 'user set-admin': ['id'], 'user require-2fa': ['id'],
  'user list': ['id', 'email', 'emailVerified', 'firstName', 'lastName', 'phone', 'lang', 'role', 'isGuest', 'isAdmin', 'disabledAt', 'createdAt', 'lastLoginAt', 'verifyBy', 'hasPassword', 'hasTotp', 'requires2FA', 'factorResetAt'],
  'user show': ['id', 'email', 'emailVerified', 'firstName', 'lastName', 'phone', 'lang', 'role', 'isGuest', 'isAdmin', 'disabledAt', 'createdAt', 'lastLoginAt', 'verifyBy', 'hasPassword', 'hasTotp', 'requires2FA', 'factorResetAt', 'recoveryCodesLeft', 'lock', 'providers', 'sessions'],
  'user reset-2fa': ['dueAt'],
  'check-config': ['valid', 'problems', 'warnings'], 'print-config': ['key', 'value', 'origin'],
  'keys list': ['kid', 'state', 'activeFrom', 'retiresAt', 'file'], 'keys rotate': ['atOnce'], 'clock reset': ['now'],
  'audit tail': ['at', 'event', 'userId', 'session', 'ip', 'requestId', 'detail'],
  'mail test': ['sent', 'detail'], 'oauth test': ['ok', 'what', 'detail'],
  'outbox list': ['id', 'channel', 'template', 'recipient', 'dead', 'attempts', 'createdAt', 'nextAt', 'problem'], 'outbox retry': ['count'], 'outbox drop': ['count'],
  backup: ['file'], doctor: ['check', 'level', 'what', 'toDo'], verify: ['whole', 'problem'],
  'template list': ['id', 'bases', 'texts', 'occasion'], 'template show': ['id', 'occasion', 'variables', 'builtinTexts', 'storedTexts', 'bases', 'text', 'html'],
  'template set': ['id'], 'template translate': ['id'], 'template untranslate': ['id'], 'template remove': ['id'], 'template preview': ['subject', 'text', 'html'],
  calibrate: ['measured', 'strongest'],
};

test('every operator\'s command gives JSON of a known shape, which the man page tells', async (t) => {
  const own = await Server.start({ env: { SALLYPORT_MAIL_TRANSPORT: 'file', SALLYPORT_MAIL_FROM: 'no-reply@example.test', SALLYPORT_OUTBOX_MAX_AGE: '1h', SALLYPORT_OAUTH_GOOGLE_CLIENT_ID: 'x', SALLYPORT_OAUTH_GOOGLE_CLIENT_SECRET: 'y-of-the-client' } });
  t.after(() => own.close());
  const u = await own.register(), password = freshPassword(), base = path.join(own.home, 'base.txt');
  await own.stop(); // nobody takes messages away
  fs.writeFileSync(base, '{{subject}}');
  const typed = {
    'user create': [['--email', freshEmail(), '--password-stdin'], `${password}\n`], 'user set-password': [[u.id, '--password-stdin'], `${password}\n`],
    'user show': [[u.id]], 'user send-reset': [[u.id]], 'user set-admin': [[u.id, 'off']], 'user require-2fa': [[u.id, 'on']], 'user reset-2fa': [[u.id]],
    'user disable': [[u.id]], 'user enable': [[u.id]], 'user delete': [[u.id]],
    'mail test': [['a@example.test']], 'oauth test': [['google']], 'outbox retry': [['--dead']], 'outbox drop': [['--dead']], backup: [[path.join(own.home, 'b.db')]],
    'template show': [['welcome']], 'template set': [['welcome', 'text', base]], 'template translate': [['welcome', 'en', 'subject', 'Hello']], 'template untranslate': [['welcome', 'en', 'subject']], 'template preview': [['welcome']], 'template remove': [['welcome']],
    calibrate: [['10']],
  };
  const last = ['template untranslate', 'template remove', 'user disable', 'user enable', 'user delete'];
  const list = (await commands()).filter(isOperators).map((c) => c.command).sort((a, b) => last.indexOf(a) - last.indexOf(b));
  assert.deepEqual(list.toSorted(), Object.keys(SHAPES).toSorted());
  const told = source('docs/sallyport.1').split('.Sh RESULTS AS JSON')[1].split('\n.Sh ')[0].split('\n.It ').slice(1);
  for (const command of list) {
    const [more = [], input = ''] = typed[command] ?? [];
    const r = await own.cli([...command.split(' '), ...more, '--json'], { input });
    if (!['oauth test', 'doctor'].includes(command)) assert.equal(r.code, 0, `${command}: ${r.stderr}`); // nobody answers for google here
    const lines = r.stdout.split('\n');
    assert.equal(lines.pop(), '', command);
    assert.ok(lines.length > 0, command);
    for (const line of lines) assert.deepEqual(Object.keys(JSON.parse(line)), SHAPES[command], command);
    const item = told.find((i) => new RegExp(`Cm ${command}( ,|\n)`).test(`${i}\n`));
    assert.ok(item !== undefined, `${command} is not told`);
    const members = command === 'user show' ? SHAPES[command].slice(SHAPES['user list'].length) : SHAPES[command];
    for (const m of members) assert.match(item, new RegExp(`\\b${m}\\b`), `${command}: ${m}`);
  }
});

test('user list pages through any number', async (t) => {
  const many = await Server.start();
  t.after(() => many.close());
  await many.sql(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 650)
    INSERT INTO user (uid, email, email_key, created_ms) SELECT randomblob(16), 'u' || i || '@example.test', 'u' || i || '@example.test', 1 FROM n;`);
  const lines = (await many.cliOk(['user', 'list'])).stdout.trim().split('\n');
  assert.equal(lines.length, 650);
  assert.equal(new Set(lines).size, 650);

  // More than a pipe holds, and nobody reads for a while: who waits at the terminal is told how far it is.
  const command = `'${SALLYPORT}' user list --data '${many.dataDir}' | (sleep 2; cat > '${path.join(many.home, 'list')}')`;
  const { stdout: shown } = await run('script', ['-qec', command, '/dev/null'], { env: many.env });
  assert.match(shown, /\r\x1b\[Kuser list: \d+ accounts, 1 s/);
  assert.ok(shown.endsWith('\r\x1b[K'), JSON.stringify(shown));
  assert.deepEqual(fs.readFileSync(path.join(many.home, 'list'), 'utf8').trim().split('\n'), lines);
});

test('user disable ends sessions and sign-in, enable opens it again', async () => {
  const u = await s.signedIn();
  await s.cliOk(['user', 'disable', u.email]);
  assert.match((await s.cliOk(['user', 'show', u.id])).stdout, /disabled/);
  assert.equal((await s.me(u.accessToken)).status, 401);
  assert.equal((await s.login(u.email, u.password)).status, 401);
  await s.cliOk(['user', 'enable', u.id]);
  await s.signIn(u);
  assert.equal((await s.me(u.accessToken)).status, 401, 'the ended session stays ended');
});

test('user delete removes everything of the account, and the address is free again', async () => {
  const u = await s.signedIn();
  await s.cliOk(['user', 'delete', u.email]);
  assert.equal((await s.me(u.accessToken)).status, 401);
  assert.equal((await s.login(u.email, u.password)).status, 401);
  assert.equal(await s.sql(`SELECT count(*) FROM session WHERE user_id NOT IN (SELECT id FROM user)`), '0');
  const again = await s.signedIn({ email: u.email });
  assert.notEqual(again.id, u.id);
  assert.equal((await s.me(u.accessToken)).status, 401, 'old tokens do not reach the new account');
});

test('user set-password replaces the password and ends all sessions', async () => {
  const u = await s.signedIn(), password = freshPassword();
  await s.cliOk(['user', 'set-password', u.id, '--password-stdin'], { input: `${password}\n` });
  assert.equal((await s.login(u.email, u.password)).status, 401);
  assert.equal((await s.me(u.accessToken)).status, 401);
  await s.signIn({ email: u.email, password });
});

test('an unknown account is refused by every command', async () => {
  for (const args of [['show'], ['disable'], ['enable'], ['delete']])
    for (const who of ['nobody@example.test', '00000000-0000-4000-8000-000000000000', 'x', '']) {
      const r = await s.cli(['user', ...args, who]);
      assert.equal(r.code, 1, `${args} ${who}: ${r.stderr}`);
      assert.match(r.stderr, /no such user/);
    }
});

test('SC02 keys rotate publishes a key first, signs with it an hour later, and keeps the old tokens good', async () => {
  const u = await s.signedIn();
  const kids = async () => (await s.get('/.well-known/jwks.json')).json.keys.map((k) => k.kid);
  const before = await kids();
  await s.cliOk(['keys', 'rotate']);
  await until(async () => (await kids()).length === before.length + 1, 'the running server to notice');
  const added = (await kids()).find((kid) => !before.includes(kid));
  assert.equal(headerOf((await s.signIn(u)).accessToken).kid, headerOf(u.accessToken).kid, 'not yet');
  assert.match((await s.cliOk(['keys', 'list'])).stdout, new RegExp(`${added}  published`));
  s.advance(Date.now() - s.now + HOUR + 10_000); // the command has its own clock
  const later = await s.signIn(u);
  assert.equal(headerOf(later.accessToken).kid, added);
  assert.equal((await s.me(later.accessToken)).status, 200);
  assert.ok((await kids()).includes(before[0]), 'the old key is still published');
});

test('SC02 keys rotate --now signs with the new key at once, tokens of the old one stay good', async (t) => {
  const own = await Server.start({ clock: 'real' });
  t.after(() => own.close());
  const u = await own.signedIn();
  await own.cliOk(['keys', 'rotate', '--now']);
  own.child.kill('SIGHUP'); // it would notice by itself within seconds, as the test above shows
  await until(() => own.events('reloaded').length > 0, 'the reload');
  assert.notEqual(headerOf((await own.signIn(u)).accessToken).kid, headerOf(u.accessToken).kid);
  assert.equal((await own.me(u.accessToken)).status, 200);
  assert.equal((await own.refresh(u.refreshToken)).status, 200);
  const list = (await own.cliOk(['keys', 'list'])).stdout.trim().split('\n');
  assert.equal(list.length, 2);
  assert.match(list[0], /verifying/);
  assert.match(list[1], /signing/);
  assert.equal(await own.sql("SELECT count(*) FROM audit WHERE event = 'keys.rotated'"), '1');
});

test('SC02 rotation under load fails no verification', async (t) => {
  const own = await Server.start({ clock: 'real' });
  t.after(() => own.close());
  const u = await own.signedIn();
  let running = true, n = 0;
  const load = Array.from({ length: 4 }, async () => {
    while (running) {
      assert.equal((await own.me(u.accessToken)).status, 200);
      n++;
    }
  });
  for (let i = 1; i <= 3; i++) {
    await own.cliOk(['keys', 'rotate', '--now']);
    own.child.kill('SIGHUP');
    await until(() => own.events('reloaded').length >= i, 'the reload');
  }
  running = false;
  await Promise.all(load);
  assert.ok(n > 10);
});

test('backup beside a running server can be restored', async (t) => {
  const u = await s.signedIn();
  const file = path.join(s.home, 'backup.db');
  let running = true;
  const writing = (async () => {
    while (running) await s.request('PATCH', '/auth/profile', { token: u.accessToken, json: { firstName: 'Busy' } });
  })();
  const r = await s.cliOk(['backup', file]);
  running = false;
  await writing;
  assert.match(r.stdout, /keys/, 'it says what it does not hold');
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  assert.equal((await run('sqlite3', [file, 'PRAGMA integrity_check'])).stdout.trim(), 'ok');
  const again = await s.cli(['backup', file]);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /exist/);

  const restored = new Server();
  Object.assign(restored, { home: fs.mkdtempSync(path.join(s.home, 'restore-')), real: true, args: [], env: { ...s.env }, secrets: new Set(), stderr: '' });
  restored.dataDir = path.join(restored.home, 'data');
  fs.mkdirSync(restored.dataDir, { mode: 0o700 });
  fs.copyFileSync(file, path.join(restored.dataDir, 'sallyport.db'));
  fs.cpSync(path.join(s.dataDir, 'keys'), path.join(restored.dataDir, 'keys'), { recursive: true });
  await restored.launch();
  t.after(() => restored.close());
  assert.equal((await restored.login(u.email, u.password)).status, 200);
});

test('backup refuses a place it cannot write', async () => {
  const r = await s.cli(['backup', path.join(s.home, 'no/such/directory/backup.db')]);
  assert.equal(r.code, 1);
  assert.notEqual(r.stderr.trim(), '');
});

test('audit tail shows the last events, and follows', async () => {
  const u = await s.signedIn();
  const shown = (await s.cliOk(['audit', 'tail'])).stdout;
  assert.match(shown, new RegExp(`login\\.ok +user=${u.id} `));
  assert.ok(shown.trim().split('\n').length <= 50);
  assert.ok(!shown.includes(u.email) && !shown.includes(u.accessToken));

  const child = spawn(SALLYPORT, ['audit', 'tail', '--follow', '--data', s.dataDir], { env: { ...process.env, ...s.env }, stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (part) => (out += part));
  try {
    await until(() => out.includes(u.id), 'the past');
    const v = await s.signedIn();
    await until(() => new RegExp(`login\\.ok +user=${v.id} `).test(out), 'what happened since');
  } finally {
    child.kill();
  }
});

test('a second server on the same data is refused, and the first goes on', async () => {
  for (const program of [SALLYPORT, SALLYPORT_TEST]) {
    const r = await run(program, ['serve', '--data', s.dataDir, '--listen', '127.0.0.1:0'], { env: { ...s.env, TEST_CONTROL: path.join(s.home, 'control') } });
    assert.equal(r.code, 4, r.stderr);
    assert.match(r.stderr, /another server|in use|already|running/i);
  }
  assert.equal((await s.get('/readyz')).status, 200);
});

test('an address in use is refused with exit code 5', async () => {
  const r = await run(SALLYPORT, ['serve', '--data', path.join(s.home, 'other'), '--listen', `127.0.0.1:${s.target.port}`], { env: s.env });
  assert.equal(r.code, 5, r.stderr);
  assert.match(r.stderr, /address already in use/i);
});

test('exit codes: 0 done, 1 refused, 2 usage, 3 settings, 4 store', async () => {
  const codes = async (args, env) => (await s.cli(args, { env })).code;
  assert.equal((await run(SALLYPORT, ['version'])).code, 0);
  assert.equal(await codes(['--help']), 0);
  for (const args of [[], ['nonsense'], ['user'], ['user', 'nonsense'], ['user', 'show'], ['user', 'create'], ['user', 'create', '--nonsense'], ['user', 'list', 'x'], ['keys', 'rotate', '--soon'], ['backup'], ['serve', 'x'], ['version', 'x'], ['audit', 'tail', 'x'], ['check-config', 'x'], ['outbox', 'retry'], ['outbox', 'retry', '1', '--dead'], ['outbox', 'drop', 'x']])
    assert.equal(await codes(args), 2, args.join(' '));
  assert.equal(await codes(['user', 'list'], { SALLYPORT_TOKEN_ALGORITHM: 'x' }), 3);
  const bad = path.join(s.home, 'not-a-store');
  fs.mkdirSync(bad, { recursive: true, mode: 0o700 });
  fs.writeFileSync(path.join(bad, 'sallyport.db'), 'this is no database, but it is long enough to be looked at\n'.repeat(100), { mode: 0o600 });
  const r = await run(SALLYPORT, ['user', 'list', '--data', bad], { env: s.env });
  assert.equal(r.code, 4, r.stderr);
  assert.notEqual(r.stderr.trim(), '');
});

test('a store from the future or open to others is refused', async (t) => {
  const own = await Server.start();
  t.after(() => own.close());
  await own.stop();
  const serve = () => run(SALLYPORT, ['serve', '--data', own.dataDir, '--listen', '127.0.0.1:0'], { env: own.env });
  const version = await own.sql('PRAGMA user_version');
  await own.sql('PRAGMA user_version = 999');
  const newer = await serve();
  assert.equal(newer.code, 4, newer.stderr);
  assert.match(newer.stderr, /newer/);
  await own.sql(`PRAGMA user_version = ${version}`);
  fs.chmodSync(own.database, 0o644);
  const open = await serve();
  assert.equal(open.code, 4, open.stderr);
  fs.chmodSync(own.database, 0o600);
  await own.launch();
});

test('help names every command, version says one line', async () => {
  const help = (await run(SALLYPORT, ['--help'])).stdout;
  for (const command of ['serve', 'user create', 'user show', 'user list', 'user disable', 'user enable', 'user delete', 'user set-password', 'user send-reset', 'check-config', 'print-config', 'keys list', 'keys rotate', 'audit tail', 'backup', 'calibrate', 'version'])
    assert.ok(help.includes(`sallyport ${command}`), command);
  assert.match((await run(SALLYPORT, ['version'])).stdout, /^sallyport \d+\.\d+\.\d+\n$/);
});

test('calibrate proposes settings that are valid', async () => {
  const r = await run(SALLYPORT, ['calibrate', '25'], { env: s.env });
  assert.equal(r.code, 0, r.stderr);
  const memory = r.stdout.match(/argon2_memory = (\S+)/)?.[1], iterations = r.stdout.match(/argon2_iterations = (\d+)/)?.[1];
  if (memory === undefined) assert.match(r.stdout, /keep the defaults/); // a slow machine
  else assert.equal((await run(SALLYPORT, ['check-config'], { env: { SALLYPORT_PASSWORD_ARGON2_MEMORY: memory, SALLYPORT_PASSWORD_ARGON2_ITERATIONS: iterations } })).code, 0);
});

test('serve --dev starts from nothing, and what it prints works', async (t) => {
  const dev = await Server.start({ real: true, args: ['--dev'], env: { SALLYPORT_SERVER_OPS_LISTEN: undefined, SALLYPORT_SERVER_PUBLIC_URL: undefined, SALLYPORT_LOG_FORMAT: 'json' } });
  t.after(() => dev.close());
  await until(() => dev.stdout.includes('Stop with Ctrl-C'), 'the greeting');
  assert.ok(dev.stdout.includes(`http://127.0.0.1:${dev.target.port}/auth/register`));
  const script = dev.stdout.split('\n').filter((l) => /^ {2}/.test(l)).join('\n');
  const r = await run('sh', ['-eu'], { input: script });
  assert.equal(r.code, 0, r.stderr);
  assert.match(r.stdout, /"email":"ada@example\.test"/);
});
