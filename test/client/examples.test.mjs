// examples.test.mjs — the examples of libsallyport as their readers would run them: real programs against a real server, answers
// on their standard input, a browser that their xdg-open starts.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { Authenticator, withTotp } from '../lib/authenticator.mjs';
import { mailCodeIn, SUBJECT } from '../lib/delivery.mjs';
import { ROOT } from '../lib/paths.mjs';
import { BUILD, freshEmail, freshPassword, run, until } from '../lib/server.mjs';
import { AUTH, person, Social } from '../lib/social.mjs';

const program = (name) => path.join(BUILD, 'clients/c/examples', name);
/* No Secret Service but one that a test starts. */
const NO_BUS = { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent' };
let t, s, home;

before(async () => {
  t = await Social.start({
    env: {
      SALLYPORT_TWOFACTOR_MAGIC_LINK: 'true',
      SALLYPORT_NATIVE_REDIRECT_URIS: 'http://127.0.0.1/callback', SALLYPORT_OAUTH_FAKE_TRUST_EMAIL: 'true', SALLYPORT_LIMITS_RESEND: '0s',
      SALLYPORT_LIMITS_ACCOUNT_FREE: '100',
    },
  });
  s = t.s;
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-examples-'));
  makeBrowser();
});
after(async () => {
  fs.rmSync(home, { recursive: true, force: true });
  await t.close();
});
beforeEach(() => {
  t.p.calm();
  t.p.now = () => s.now;
  t.p.person = person();
  fs.rmSync(path.join(home, 'opened'), { force: true });
});

const server = (on = s) => `http://127.0.0.1:${on.target.port}`;

/* An xdg-open that notes what it was handed, and follows redirects with cookies to their end, as a browser does. */
function makeBrowser() {
  fs.mkdirSync(path.join(home, 'bin'));
  fs.writeFileSync(path.join(home, 'browser.mjs'), `
    import { Browser } from ${JSON.stringify(path.join(ROOT, 'test/lib/browser.mjs'))};
    const browser = new Browser({ '${AUTH}': ${JSON.stringify(s.target)} });
    await browser.go(process.argv[2].replace('${server()}', '${AUTH}'));
  `);
  fs.writeFileSync(path.join(home, 'bin/xdg-open'), `#!/bin/sh
    ls -l /proc/$$/fd >'${home}/descriptors'
    printf '%s\\n' "$1" >>'${home}/opened'
    exec '${process.execPath}' '${home}/browser.mjs' "$1"
  `, { mode: 0o755 });
}

const opened = () => (fs.existsSync(path.join(home, 'opened')) ? fs.readFileSync(path.join(home, 'opened'), 'utf8').trim().split('\n') : []);
const withBrowser = () => ({ ...NO_BUS, PATH: `${home}/bin:${process.env.PATH}` });

/* A program that is talked to line by line. */
class Prompt {
  constructor(name, args) {
    this.seen = '';
    this.errors = '';
    this.child = spawn(program(name), args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stdout.setEncoding('utf8').on('data', (part) => (this.seen += part));
    this.child.stderr.setEncoding('utf8').on('data', (part) => (this.errors += part));
    this.child.stdin.on('error', () => {});
    this.exited = once(this.child, 'close').then(([code]) => (this.code = code));
  }

  /* Waits for the question, and answers. */
  async answer(question, text) {
    await until(() => this.seen.includes(`${question}: `) || this.code !== undefined, `${question} in ${this.seen}`);
    assert.ok(this.seen.includes(`${question}: `), `ended without asking ${question}: ${this.seen}${this.errors}`);
    this.before = this.seen.slice(0, this.seen.indexOf(`${question}: `));
    this.seen = this.seen.slice(this.seen.indexOf(`${question}: `) + question.length + 2);
    this.child.stdin.write(`${typeof text === 'function' ? await text(this.before) : text}\n`);
  }

  async end() {
    this.child.stdin.end();
    await this.exited;
    return { code: this.code, stdout: this.seen, stderr: this.errors };
  }
}

/* ---- login.c ---- */

const login = (user, password = user.password, env) => run(program('login'), [server(), user.email], { input: `${password}\n`, env });

test('login.c signs in, says who it is, and signs out', async () => {
  const user = await s.register(), r = await login(user);
  assert.deepEqual([r.code, r.stdout, r.stderr], [0, `signed in as ${user.email}\n`, '']);
  assert.equal(await s.sql(`SELECT count(*) FROM session JOIN user ON user.id = user_id WHERE email = '${user.email}'`), '0', 'no session is left');
});

test('login.c with a wrong password says so, and with no server', async () => {
  const user = await s.register(), r = await login(user, `${user.password}x`);
  assert.deepEqual([r.code, r.stdout, r.stderr], [1, '', 'sign-in: Invalid credentials (SP_REFUSED)\n']);
  const none = await run(program('login'), ['http://127.0.0.1:9', user.email], { input: 'x\n' });
  assert.equal(none.code, 1);
  assert.match(none.stderr, /^sign-in: .*\(SP_NETWORK\)\n$/);
  assert.equal((await run(program('login'), ['http://auth.example.test', user.email], { input: 'x\n' })).code, 2, 'no http:// beyond this machine');
});

test('a password for a server on this machine goes to no proxy of the environment', async (tc) => {
  let visits = 0;
  const proxy = net.createServer((socket) => {
    visits += 1;
    socket.destroy();
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  tc.after(() => proxy.close());
  const url = `http://127.0.0.1:${proxy.address().port}`, user = await s.register();
  const r = await login(user, user.password, { http_proxy: url, HTTP_PROXY: url, all_proxy: url, ALL_PROXY: url, no_proxy: '', NO_PROXY: '' });
  assert.deepEqual([visits, r.code, r.stderr], [0, 0, '']);
});

/* ---- two_factor.c ---- */

let files = 0;
const newFile = () => path.join(home, `tokens-${(files += 1)}`);
const SECRET = 'a passphrase of tests';

async function secondFactor(user, file = newFile(), on = s) {
  const p = new Prompt('two_factor', [server(on), user.email, file]);
  p.file = file;
  await p.answer('Passphrase of the file', SECRET);
  await p.answer('Password', user.password);
  return p;
}

test('two_factor.c without a second factor, and again from its file; another passphrase opens nothing', async () => {
  const user = await s.register(), p = await secondFactor(user), r = await p.end();
  assert.deepEqual([r.code, r.stdout, r.stderr], [0, `Signed in as ${user.email}\n`, '']);
  assert.equal(fs.statSync(p.file).mode & 0o777, 0o600);
  const args = [server(), user.email, p.file];
  const again = await run(program('two_factor'), args, { input: `${SECRET}\n` });
  assert.deepEqual([again.code, again.stdout], [0, `Passphrase of the file: Signed in as ${user.email}\n`], 'no password is asked for');
  const wrong = await run(program('two_factor'), args, { input: 'another\n' });
  assert.deepEqual([wrong.code, wrong.stderr], [2, `${p.file}: wrong passphrase\n`]);
});

test('MF06 two_factor.c with a code of the app, after a wrong one', async () => {
  const user = await withTotp(s, await s.signedIn()), p = await secondFactor(user);
  await p.answer('Method', (seen) => {
    assert.match(seen, /one of: totp recovery\n/);
    return 'totp';
  });
  await p.answer('Code', user.app.wrong());
  await p.answer('Code', user.app.code());
  const r = await p.end();
  assert.match(p.before, /^Invalid TOTP code\n/);
  assert.deepEqual([r.code, r.stdout, r.stderr], [0, `Signed in as ${user.email}\n`, '']);
});

test('two_factor.c with a recovery code, which is good once', async () => {
  const user = await withTotp(s, await s.signedIn());
  const first = await secondFactor(user);
  await first.answer('Method', 'recovery');
  await first.answer('Code', user.codes[0]);
  assert.equal((await first.end()).code, 0);
  const second = await secondFactor(user);
  await second.answer('Method', 'recovery');
  await second.answer('Code', user.codes[0]);
  const r = await second.end();
  assert.deepEqual([r.code, r.stderr], [1, 'sign-in: no more input\n']);
  assert.doesNotMatch(r.stdout, /Signed in/);
});

test('two_factor.c with a code by mail', async () => {
  const user = await s.register();
  await s.sql(`UPDATE user SET require_2fa = 1 WHERE email = '${user.email}'`);
  const p = await secondFactor(user);
  await p.answer('Method', 'magic-link');
  await p.answer('Code', async () => {
    const code = mailCodeIn(await t.mailed.sink.mail(user.email, { subject: SUBJECT.code }));
    s.note(code);
    return code;
  });
  const r = await p.end();
  assert.deepEqual([r.code, r.stdout, r.stderr], [0, `Signed in as ${user.email}\n`, '']);
});

test('two_factor.c with a code by SMS', async (tc) => {
  const NUMBER = '+391234567890', mine = await Social.start({ env: { SALLYPORT_SMS_TRANSPORT: 'log', SALLYPORT_SMS_TEST_NUMBERS: `${NUMBER}=123456`, SALLYPORT_SMS_COUNTRIES: 'any' } });
  tc.after(() => mine.close());
  let user = await mine.s.signedIn();
  assert.equal((await mine.s.post('/auth/add-phone', { phoneNumber: NUMBER }, { token: user.accessToken })).status, 200);
  assert.equal((await mine.s.post('/auth/add-phone/verify', { code: '123456' }, { token: user.accessToken })).status, 200);
  user = await withTotp(mine.s, user);
  const p = await secondFactor(user, newFile(), mine.s);
  await p.answer('Method', 'sms');
  await p.answer('Code', '123456');
  const r = await p.end();
  assert.deepEqual([r.code, r.stdout, r.stderr], [0, `Signed in as ${user.email}\n`, '']);
});

test('two_factor.c sets a second factor up where the server demands one, and shows recovery codes', async (tc) => {
  const mine = await Social.start({ env: { SALLYPORT_TWOFACTOR_REQUIRED: 'true', SALLYPORT_TWOFACTOR_MAGIC_LINK: 'false' } });
  tc.after(() => mine.close());
  const user = { email: freshEmail(), password: freshPassword() };
  await mine.s.register(user);
  const p = await secondFactor(user, newFile(), mine.s);
  await p.answer('Code', (seen) => {
    const url = seen.match(/^Add this to your authenticator app: (otpauth:\S+)$/m)[1];
    user.app = new Authenticator(mine.s, url);
    return user.app.code();
  });
  const r = await p.end(), codes = [...r.stdout.matchAll(/^Recovery code: (\S+)$/gm)];
  assert.equal(r.code, 0, r.stderr);
  assert.equal(codes.length, 10);
  assert.match(r.stdout, new RegExp(`^Signed in as ${user.email}$`, 'm'));
});

/* ---- oauth.c ---- */

const oauth = (what, env = withBrowser()) => run(program('oauth'), [server(), what], { env });
/* Where there is a keyring it stays signed in: out again. */
const signedOut = async (r) => {
  assert.match(r.stdout, /^the session is kept in (the kernel's keyring|memory)$/m, 'no Secret Service here');
  assert.equal((await oauth('--sign-out')).code, 0);
};

test('AP04 oauth.c signs in through the browser and a port of its own', async () => {
  const r = await oauth('fake');
  assert.deepEqual([r.code, r.stderr], [0, '']);
  assert.match(r.stdout, new RegExp(`^state: signed in\n${t.p.person.email}, through fake$`, 'm'));
  const [url, ...more] = opened().map((u) => new URL(u));
  assert.deepEqual([more.length, url.origin, url.pathname], [0, server(), '/auth/oauth/fake']);
  assert.match(url.searchParams.get('redirect_uri'), /^http:\/\/127\.0\.0\.1:\d+\/callback$/);
  assert.deepEqual([url.searchParams.get('code_challenge_method'), url.searchParams.get('code_challenge').length], ['S256', 43]);
  assert.doesNotMatch(fs.readFileSync(path.join(home, 'descriptors'), 'utf8'), /socket:/, 'the browser gets no connection of ours');
  await signedOut(r);
});

test('oauth.c: what the provider refuses is said', async () => {
  t.p.deny = 'access_denied';
  const r = await oauth('fake');
  assert.equal(r.code, 1);
  assert.match(r.stderr, /^sign-in: \S+ .*\(SP_REFUSED\)\n$/);
  assert.doesNotMatch(r.stdout, /state:/);
  await signedOut(r);
});

test('oauth.c without a browser ends at once', async () => {
  const empty = fs.mkdtempSync(path.join(home, 'empty-')), r = await oauth('fake', { ...NO_BUS, PATH: empty });
  assert.equal(r.code, 1);
  assert.match(r.stderr, /the browser cannot be opened \(SP_UNAVAILABLE\)/);
  await signedOut(r);
});

test('oauth.c stays signed in in the Secret Service, and signs out', async () => {
  const script = '"$1" "$2" fake && "$1" "$2" fake && "$1" "$2" --sign-out && "$1" "$2" --sign-out';
  const leaks = path.join(home, 'leaks'); // GLib keeps what it makes once, libsecret some bytes for each record
  fs.writeFileSync(leaks, ['glib-2.0', 'gobject-2.0', 'gio-2.0', 'secret-1'].map((name) => `leak:lib${name}.so\n`).join(''));
  const env = { PATH: withBrowser().PATH, LSAN_OPTIONS: `suppressions=${leaks}:print_suppressions=0` };
  const r = await run(path.join(ROOT, 'clients/c/test/with_secret_service.sh'), ['sh', '-c', script, 'sh', program('oauth'), server()], { env });
  assert.equal(r.code, 0, r.stderr);
  const kept = 'the session is kept in the Secret Service\n', who = `${t.p.person.email}, through fake\n`;
  assert.equal(r.stdout, `${kept}state: signed in\n${who}${kept}${who}${kept}state: signed out because of LOGOUT\n${kept}`);
  assert.equal(opened().length, 1, 'the browser was asked once');
});
