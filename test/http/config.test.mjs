// config.test.mjs — settings: what is refused before anything starts, what is shown, what a reload does.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { run, SALLYPORT, Server, until } from '../lib/server.mjs';

let dir;

before(() => (dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-config-'))));
after(() => fs.rmSync(dir, { recursive: true, force: true }));

const sallyport = (args, env = {}) => run(SALLYPORT, args, { env });
const check = (env, args = []) => sallyport(['check-config', ...args], env);

function write(name, text) {
  const file = path.join(dir, name);
  fs.writeFileSync(file, text, { mode: 0o600 });
  return file;
}

async function refused(env, pattern, args = []) {
  const r = await check(env, args);
  assert.equal(r.code, 3, `${JSON.stringify(env)} ${r.stdout}${r.stderr}`);
  assert.match(r.stderr, pattern);
  // What check-config refuses does not start either.
  const data = path.join(dir, 'never-made');
  const serve = await sallyport(['serve', '--data', data, ...args], { SALLYPORT_SERVER_LISTEN: '127.0.0.1:0', SALLYPORT_SERVER_OPS_LISTEN: 'none', ...env });
  assert.equal(serve.code, 3, serve.stderr);
  assert.ok(!fs.existsSync(data), 'nothing was made');
}

test('the defaults are a valid configuration', async () => {
  const r = await check({});
  assert.equal(r.code, 0, r.stderr);
  assert.match(r.stdout, /valid/);
});

test('PW02 password hashing below the floor does not start', async () => {
  for (const memory of ['18MiB', '1024', '1MiB', '0', '-19MiB']) await refused({ SALLYPORT_PASSWORD_ARGON2_MEMORY: memory }, /password\.argon2_memory/);
  for (const n of ['0', '1', '-1']) await refused({ SALLYPORT_PASSWORD_ARGON2_ITERATIONS: n }, /password\.argon2_iterations/);
  await refused({ SALLYPORT_PASSWORD_MIN_LENGTH: '7' }, /password\.min_length/);
  assert.equal((await check({ SALLYPORT_PASSWORD_ARGON2_MEMORY: '19MiB', SALLYPORT_PASSWORD_ARGON2_ITERATIONS: '2' })).code, 0);
});

test('values outside their range are refused by name, and all at once', async () => {
  const bad = {
    SALLYPORT_SERVER_LISTEN: ['x', '127.0.0.1', '127.0.0.1:99999', ':3000', 'example.test:80', 'unix:relative', ''],
    SALLYPORT_SERVER_PUBLIC_URL: ['auth.example.test', 'ftp://x', 'https://auth.example.test/', 'https://', 'https://a b'],
    SALLYPORT_SERVER_TRUSTED_PROXIES: ['0.0.0.0/0', '::/0', '10.0.0.0/33', 'proxy.example.test', '*'],
    SALLYPORT_SERVER_API_PREFIX: ['auth', '/auth/', '/', '/a b', '/../x'],
    SALLYPORT_TOKEN_ALGORITHM: ['none', 'es256', 'HS512', ''],
    SALLYPORT_TOKEN_ACCESS_TTL: ['0', '0s', '2h', '-5m', 'soon', '15 fortnights'],
    SALLYPORT_TOKEN_REFRESH_WINDOW: ['61s', '-1s', 'x'],
    SALLYPORT_SESSION_CHECK_ON: ['always', 'ALLCALLS'],
    SALLYPORT_LIMITS_ACCOUNT_MAX: ['101', '0'],
    SALLYPORT_LIMITS_ENABLED: ['yes', '1', 'TRUE'],
    SALLYPORT_STORE_URL: ['mysql://x', '', 'sqlite:'],
    SALLYPORT_LOG_LEVEL: ['verbose'],
    SALLYPORT_SERVER_WORKERS: ['0', 'x', '1e3', '99999999999999999999'],
    SALLYPORT_SERVER_MAX_BODY: ['0', '2MiB', '64XB'],
  };
  for (const [name, values] of Object.entries(bad)) {
    const key = name.replace('SALLYPORT_', '').toLowerCase().replace('_', '.');
    for (const value of values) {
      const r = await check({ [name]: value });
      assert.equal(r.code, 3, `${name}=${value}: ${r.stdout}`);
      assert.ok(r.stderr.includes(key), `${name}=${value}: ${r.stderr}`);
    }
  }
  const all = await check(Object.fromEntries(Object.entries(bad).map(([name, values]) => [name, values[0]])));
  for (const name of Object.keys(bad)) assert.ok(all.stderr.includes(name.replace('SALLYPORT_', '').toLowerCase().replace('_', '.')), `${name} is not in:\n${all.stderr}`);
  await refused({ SALLYPORT_TOKEN_ALGORITHM: 'none' }, /token\.algorithm/);
});

test('settings that contradict each other are refused', async () => {
  await refused({ SALLYPORT_LIMITS_ENABLED: 'false', SALLYPORT_SERVER_LISTEN: '0.0.0.0:3000', SALLYPORT_SERVER_PUBLIC_URL: 'https://a.example' }, /limits\.enabled/);
  await refused({ SALLYPORT_TOKEN_REFRESH_TTL: '30d', SALLYPORT_TOKEN_REFRESH_MAX_TTL: '7d' }, /token\.refresh_max_ttl/);
  await refused({ SALLYPORT_SERVER_TLS_CERT: '/x' }, /server\.tls_key/);
  await refused({ SALLYPORT_PASSWORD_MEMORY_BUDGET: '19MiB', SALLYPORT_PASSWORD_ARGON2_MEMORY: '64MiB' }, /password\.memory_budget/);
  const dev = await run(SALLYPORT, ['serve', '--dev', '--data', path.join(dir, 'x'), '--listen', '0.0.0.0:0']);
  assert.equal(dev.code, 3);
  assert.match(dev.stderr, /--dev/);
});

const SMTP = { SALLYPORT_MAIL_TRANSPORT: 'smtp', SALLYPORT_MAIL_FROM: 'no-reply@a.example', SALLYPORT_MAIL_SMTP_URL: 'smtp://mail.a.example:587' };
const SITE = { SALLYPORT_SITE_URLS: 'https://a.example' };

test('EL09 mails do not start without a site that their links lead to', async () => {
  await refused(SMTP, /mail\.transport: links in mails need site\.urls or server\.public_url/);
  await refused({ ...SMTP, SALLYPORT_SITE_URLS: '', SALLYPORT_SERVER_PUBLIC_URL: '' }, /links in mails need site\.urls/);
  await refused({ SALLYPORT_MAIL_TRANSPORT: 'http', SALLYPORT_MAIL_FROM: 'no-reply@a.example', SALLYPORT_MAIL_HTTP_URL: 'https://mail.a.example/send' }, /links in mails need site\.urls/);
  for (const site of ['javascript://a', 'intent://a', '*', 'https://a.example/', 'https://u:p@a.example']) await refused({ ...SMTP, SALLYPORT_SITE_URLS: `https://a.example,${site}` }, /site\.urls/);
  assert.equal((await check({ ...SMTP, ...SITE })).code, 0);
  assert.equal((await check({ ...SMTP, SALLYPORT_SERVER_PUBLIC_URL: 'https://a.example' })).code, 0);
});

test('mail and SMS that cannot work do not start', async () => {
  await refused({ ...SITE, SALLYPORT_MAIL_TRANSPORT: 'smtp' }, /mail\.smtp_url.*\n.*mail\.from/);
  await refused({ SALLYPORT_VERIFICATION_MODE: 'strict' }, /verification\.mode/);
  await refused({ SALLYPORT_SMS_TRANSPORT: 'http-post', SALLYPORT_SMS_URL: 'https://a.example' }, /sms\.countries: list the countries you text/);
  await refused({ SALLYPORT_SMS_TRANSPORT: 'twilio', SALLYPORT_SMS_COUNTRIES: '+39' }, /sms\.user[^]*sms\.password[^]*sms\.from/);
});

test('neither passwords nor codes go where others can read them', async () => {
  const open = { SALLYPORT_SERVER_LISTEN: '0.0.0.0:0', SALLYPORT_SERVER_PUBLIC_URL: 'https://a.example' };
  await refused({ ...SMTP, ...SITE, SALLYPORT_MAIL_SMTP_TLS: 'off' }, /mail\.smtp_tls/);
  await refused({ ...SMTP, ...SITE, SALLYPORT_MAIL_SMTP_TLS: 'opportunistic', SALLYPORT_MAIL_SMTP_USER: 'u', SALLYPORT_MAIL_SMTP_PASSWORD: 'p' }, /mail\.smtp_tls/);
  await refused({ ...open, SALLYPORT_MAIL_TRANSPORT: 'log' }, /mail\.transport/);
  await refused({ ...open, SALLYPORT_SMS_TRANSPORT: 'log' }, /sms\.transport/);
  const warned = await check({ ...open, SALLYPORT_SMS_TEST_NUMBERS: '+15550100=123456' });
  assert.equal(warned.code, 0);
  assert.match(warned.stderr + warned.stdout, /warning: sms\.test_numbers: anyone who knows the number/);
});

test('LG01 the passwords of mail servers and gateways are never printed', async () => {
  const password = 'correct-horse-7f3a';
  const env = { SALLYPORT_MAIL_SMTP_USER: 'u', SALLYPORT_MAIL_SMTP_PASSWORD: password, SALLYPORT_MAIL_HTTP_KEY: password, SALLYPORT_SMS_PASSWORD: password, SALLYPORT_SMS_KEY: password };
  const shown = await sallyport(['print-config', '--origin'], env);
  assert.equal(shown.code, 0, shown.stderr);
  assert.equal(shown.stdout.split('= ***\n').length, 5);
  const bad = await check({ ...env, SALLYPORT_MAIL_SMTP_URL: `smtp://u:${password}@mail.a.example`, SALLYPORT_SMS_URL: `http://a.example/?p=${password}` });
  assert.equal(bad.code, 3);
  for (const r of [shown, bad]) assert.ok(!(r.stdout + r.stderr).includes(password));
});

test('a misspelt name is refused with the nearest one', async () => {
  await refused({ SALLYPORT_TOKEN_ALGORITM: 'ES256' }, /SALLYPORT_TOKEN_ALGORITHM/);
  await refused({}, /token\.algorithm.*line 2/, ['--config', write('misspelt.ini', '[token]\nalgoritm = ES256\n')]);
});

test('broken files are refused with the line', async () => {
  const bad = { 'no equals': ['[token]\nalgorithm\n', /line 2/], 'no section': ['[token\nalgorithm = ES256\n', /line 1/], 'twice': ['[token]\nalgorithm = ES256\nalgorithm = RS256\n', /twice/], 'outside': ['algorithm = ES256\n', /algorithm/], 'not UTF-8': [Buffer.from([0x5b, 0xff, 0x5d, 0x0a]), /UTF-8/] };
  for (const [name, [text, pattern]] of Object.entries(bad)) await refused({}, pattern, ['--config', write(`${name}.ini`, text)]);
  await refused({}, /absent\.ini/, ['--config', path.join(dir, 'absent.ini')]);
});

test('file, environment and command line win in that order, and print-config --origin says so', async () => {
  const file = write('origin.ini', '[token]\nalgorithm = RS256\naccess_ttl = 5m\n\n[server]\nlisten = 127.0.0.1:4001\n');
  const r = await sallyport(['print-config', '--origin', '--config', file, '--listen', '127.0.0.1:4003'], { SALLYPORT_TOKEN_ALGORITHM: 'EdDSA', SALLYPORT_SERVER_LISTEN: '127.0.0.1:4002' });
  assert.equal(r.code, 0, r.stderr);
  const origin = (key) => r.stdout.split('\n').slice(0, r.stdout.split('\n').findIndex((l) => l.startsWith(`${key} `) || l.startsWith(`${key}=`)) + 1).slice(-2).join('\n');
  assert.match(origin('listen'), /command line[^]*127\.0\.0\.1:4003/i);
  assert.match(origin('algorithm'), /environment|SALLYPORT_TOKEN_ALGORITHM[^]*EdDSA/i);
  assert.match(origin('access_ttl'), /origin\.ini[^]*5m/);
  assert.match(origin('refresh_ttl'), /default[^]*30d/i);
});

test('print-config can be read back, and hides secrets', async () => {
  const pepper = 'Yq0bVdXJmO3kzs7rT8uW2nE5pL9cF1hA4gD6jK0xZvM';
  const env = { SALLYPORT_PASSWORD_PEPPER: pepper, SALLYPORT_UI_SITE_NAME: 'A = "b"; c # d', SALLYPORT_SERVER_TRUSTED_PROXIES: '10.0.0.0/8,192.0.2.1' };
  const first = await sallyport(['print-config'], env);
  assert.equal(first.code, 0, first.stderr);
  assert.ok(!first.stdout.includes(pepper) && !first.stderr.includes(pepper));
  const file = write('back.ini', first.stdout.replace('***', pepper));
  const second = await sallyport(['print-config', '--config', file]);
  assert.equal(second.code, 0, second.stderr);
  assert.equal(second.stdout, first.stdout);
});

test('a secret comes from a file that only its owner can read', async () => {
  const file = write('pepper', 'Yq0bVdXJmO3kzs7rT8uW2nE5pL9cF1hA4gD6jK0xZvM\n');
  assert.equal((await check({ SALLYPORT_PASSWORD_PEPPER: `file:${file}` })).code, 0);
  fs.chmodSync(file, 0o644);
  await refused({ SALLYPORT_PASSWORD_PEPPER: `file:${file}` }, /password\.pepper/);
  await refused({ SALLYPORT_PASSWORD_PEPPER: `file:${path.join(dir, 'absent')}` }, /password\.pepper/);
});

test('--help-settings names every setting with its default', async () => {
  const r = await sallyport(['print-config', '--help-settings']);
  assert.equal(r.code, 0);
  for (const key of ['server.listen', 'token.algorithm', 'password.argon2_memory', 'limits.account_max', 'log.level']) assert.ok(r.stdout.includes(key), key);
});

const serverFile = (more = '') => `[server]\npublic_url = https://auth.example.test\nops_listen = same\n[registration]\nenabled = true\n${more}`;

/* A server whose settings stand in a file, not in the environment. */
async function withFile(t, text) {
  const file = write(`live-${Math.random()}.ini`, text);
  const s = await Server.start({ args: ['--config', file], env: { SALLYPORT_SERVER_OPS_LISTEN: undefined, SALLYPORT_SERVER_PUBLIC_URL: undefined } });
  t.after(() => s.close());
  return { s, file };
}

test('SIGHUP takes the new settings without losing a request or a session', async (t) => {
  const { s, file } = await withFile(t, serverFile());
  const u = await s.signedIn();
  let running = true, answered = 0;
  const traffic = (async () => {
    for (; running; answered++) assert.equal((await s.me(u.accessToken)).status, 200);
  })();
  const flows = async (what) => {
    const before = answered;
    await Promise.race([until(() => answered > before + 1, what), traffic]); // one that fails says why
  };
  await flows('traffic before the reload'); // a reload may be faster than the first request
  fs.writeFileSync(file, serverFile().replace('enabled = true', 'enabled = false'));
  s.child.kill('SIGHUP');
  await until(() => s.events('reloaded').length === 1, 'the reload');
  await until(async () => (await s.post('/auth/register', { email: 'a@example.test', password: 'some long phrase 1' })).status === 404, 'registration to be off');
  await flows('traffic after the reload');
  running = false;
  await traffic;
  assert.equal((await s.me(u.accessToken)).status, 200);
});

test('a broken file at SIGHUP leaves everything as it was, and says so', async (t) => {
  const { s, file } = await withFile(t, serverFile());
  const u = await s.signedIn();
  for (const text of ['[server\n', serverFile('[token]\nalgorithm = none\n'), serverFile('[tokn]\nx = 1\n')]) {
    const before = s.events('reload_refused').length;
    fs.writeFileSync(file, text);
    s.child.kill('SIGHUP');
    await until(() => s.events('reload_refused').length === before + 1, 'the refusal');
  }
  fs.rmSync(file);
  const before = s.events('reload_refused').length;
  s.child.kill('SIGHUP');
  await until(() => s.events('reload_refused').length === before + 1, 'the refusal of an absent file');
  assert.equal(s.events('reloaded').length, 0);
  assert.ok(s.lines.some((l) => l.level === 'error' && l.text.includes('token.algorithm')), 'the log names what is wrong');
  assert.equal((await s.me(u.accessToken)).status, 200);
  await s.register();
  fs.writeFileSync(file, serverFile()); // for the end of the test
});

test('a setting that takes a restart is kept at SIGHUP, with a warning', async (t) => {
  const { s, file } = await withFile(t, serverFile());
  fs.writeFileSync(file, serverFile().replace('ops_listen = same', 'ops_listen = none'));
  s.child.kill('SIGHUP');
  await until(() => s.events('reloaded').length === 1, 'the reload');
  assert.ok(s.lines.some((l) => l.level === 'warn' && l.text.includes('server.ops_listen')));
  assert.equal((await s.get('/metrics')).status, 200);
});

test('SIGHUP changes the level of the log', async (t) => {
  const { s, file } = await withFile(t, serverFile());
  await s.logged(await s.get('/healthz'));
  fs.writeFileSync(file, serverFile('[log]\nlevel = error\n'));
  s.child.kill('SIGHUP');
  await until(async () => {
    const before = s.events('request').length;
    await s.get('/healthz');
    await new Promise((resolve) => setTimeout(resolve, 100));
    return s.events('request').length === before;
  }, 'the log to fall silent');
});
