// doctor.test.mjs — `sallyport doctor`: what is wrong with a set-up, found in real ones that are; and what `serve` says
// of it by itself.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { doctorWord } from '../lib/doctor.mjs';
import { source } from '../lib/paths.mjs';
import { application, skipWithout, startProxy } from '../lib/proxies.mjs';
import { run, SALLYPORT, Server, until } from '../lib/server.mjs';
import { SmtpSink } from '../lib/smtp_sink.mjs';

const PUBLIC = { SALLYPORT_SERVER_TRUSTED_PROXIES: '127.0.0.1', SALLYPORT_SERVER_OPS_LISTEN: 'none', SALLYPORT_FORWARD_HOSTS: '127.0.0.2' };
let s, clock;

before(async () => {
  s = await Server.start({ env: PUBLIC, clock: 'real' });
  // Whether something keeps this machine's clock right is this machine's business.
  clock = (await doctor()).of('clock').every((l) => l.level === 'ok');
});
after(() => s.close());

/* The command at the server's directory: { code, lines, of(check), worst(check) }. */
async function doctor(env = {}, server = s) {
  const r = await server.cli(['doctor', '--json'], { env: { SALLYPORT_SERVER_PUBLIC_URL: `http://127.0.0.1:${server.target.port}`, ...env } });
  const lines = r.stdout.trim().split('\n').map((l) => JSON.parse(l));
  const of = (check) => lines.filter((l) => l.check === check);
  const worst = (check) => ['fail', 'warn', 'ok'].find((level) => of(check).some((l) => l.level === level));
  return { code: r.code, lines, of, worst, text: r.stdout, stderr: r.stderr };
}

const says = (d, check, level, what) => assert.ok(d.of(check).some((l) => l.level === level && what.test(l.what)), `${check} ${level} ${what}:\n${d.text}`);

/* A proxy that does to headers what `headers` says. */
async function proxy(t, headers) {
  const p = http.createServer((req, res) => {
    const on = http.request({ ...s.target, method: req.method, path: req.url, headers: headers({ ...req.headers }) }, (r) => { res.writeHead(r.statusCode, r.headers); r.pipe(res); });
    on.on('error', () => res.destroy());
    req.pipe(on);
  }).listen(0, '127.0.0.1');
  await once(p, 'listening');
  t.after(() => { p.close(); p.closeAllConnections(); });
  return `http://127.0.0.1:${p.address().port}`;
}

test('every row of the table tells something, with a level and what to do unless all is well', async () => {
  const names = [...source('src/app/doctor.c').matchAll(/^\t\{ "(\w+)", (?:settings_|NULL)/gm)].map((m) => m[1]);
  const d = await doctor();
  assert.ok(names.length >= 11);
  assert.deepEqual([...new Set(d.lines.map((l) => l.check))], ['settings', ...names]);
  for (const l of d.lines) {
    assert.deepEqual(Object.keys(l), ['check', 'level', 'what', 'toDo']);
    assert.match(l.level, /^(ok|warn|fail)$/);
    if (l.level === 'ok') assert.equal(l.toDo, null);
    else if (l.check !== 'settings') assert.ok(l.toDo.length > 5, l.what);
  }
  for (const check of ['settings', 'public_url', 'files', 'disk', 'store', 'keys', 'outbox', 'sms', 'providers']) assert.equal(d.worst(check), 'ok', d.text);
  assert.equal(d.worst('mail'), 'warn');
});

test('the exit status is the worst: 0, 7 with warnings, 1 with a failure, 3 for settings that are no good', async (t) => {
  const sink = await SmtpSink.start({ starttls: false });
  t.after(() => sink.close());
  const at = await proxy(t, (h) => ({ ...h, 'x-forwarded-for': '198.51.100.7' }));
  const well = { SALLYPORT_MAIL_TRANSPORT: 'smtp', SALLYPORT_MAIL_SMTP_URL: `smtp://127.0.0.1:${sink.port}`, SALLYPORT_MAIL_SMTP_TLS: 'off', SALLYPORT_MAIL_FROM: 'a@example.test', SALLYPORT_SERVER_PUBLIC_URL: at, SALLYPORT_FORWARD_HOSTS: '' };
  const good = await doctor(well);
  assert.deepEqual(good.lines.filter((l) => l.level !== 'ok' && l.check !== 'clock'), []);
  assert.equal(good.code, clock ? 0 : 7);
  assert.equal((await doctor({ ...well, SALLYPORT_MAIL_TRANSPORT: 'none' })).code, 7);
  assert.equal((await doctor({ ...well, SALLYPORT_MAIL_SMTP_URL: 'smtp://127.0.0.1:1' })).code, 1);
  const bad = await doctor({ SALLYPORT_SERVER_WORKERS: 'many' });
  assert.equal(bad.code, 3);
  assert.deepEqual(bad.lines.map((l) => [l.check, l.level]), [['settings', 'fail']]);
  assert.match(bad.lines[0].what, /server\.workers/);
});

test('for people: a line for each finding, and below it what to do', async () => {
  const r = await s.cli(['doctor']);
  assert.match(r.stdout, /^ok {4}store {9}it opens, and takes a write$/m);
  assert.match(r.stdout, /^warn {2}mail {10}mail\.transport is none[^\n]*\n {17}-> set mail\.transport/m);
});

test('mail: the server is asked in, and nothing is sent', async (t) => {
  const sink = await SmtpSink.start({ starttls: false });
  t.after(() => sink.close());
  const env = { SALLYPORT_MAIL_TRANSPORT: 'smtp', SALLYPORT_MAIL_SMTP_URL: `smtp://127.0.0.1:${sink.port}`, SALLYPORT_MAIL_SMTP_TLS: 'off', SALLYPORT_MAIL_FROM: 'a@example.test' };
  says(await doctor(env), 'mail', 'ok', /lets us in/);
  assert.equal(sink.connections, 1);
  assert.deepEqual([sink.mails, sink.commands.filter((c) => c !== 'NOOP')], [[], []]);
  const closed = await SmtpSink.start({ starttls: false, auth: { user: 'ada', password: 'right' } });
  t.after(() => closed.close());
  const as = (password) => doctor({ ...env, SALLYPORT_MAIL_SMTP_URL: `smtp://127.0.0.1:${closed.port}`, SALLYPORT_MAIL_SMTP_USER: 'ada', SALLYPORT_MAIL_SMTP_PASSWORD: password });
  says(await as('right'), 'mail', 'ok', /lets us in/);
  const wrong = await as('a wrong password');
  says(wrong, 'mail', 'fail', /535/);
  assert.ok(!wrong.text.includes('a wrong password'));
  says(await doctor({ ...env, SALLYPORT_MAIL_SMTP_URL: 'smtp://127.0.0.1:1' }), 'mail', 'fail', /refused/i);
  says(await doctor({ SALLYPORT_MAIL_TRANSPORT: 'http', SALLYPORT_MAIL_HTTP_URL: 'http://127.0.0.1:1/send', SALLYPORT_MAIL_FROM: 'a@example.test' }), 'mail', 'fail', /does not answer/);
});

test('SMS: the gateway is reached without a message', async (t) => {
  const asked = [];
  const gateway = http.createServer((req, res) => { asked.push(req.method); res.writeHead(405).end(); }).listen(0, '127.0.0.1');
  await once(gateway, 'listening');
  t.after(() => { gateway.close(); gateway.closeAllConnections(); });
  const at = (port) => doctor({ SALLYPORT_SMS_TRANSPORT: 'http-post', SALLYPORT_SMS_URL: `http://127.0.0.1:${port}/send`, SALLYPORT_SMS_COUNTRIES: '+39' });
  says(await at(gateway.address().port), 'sms', 'ok', /answers/);
  assert.deepEqual(asked, ['OPTIONS']);
  says(await at(1), 'sms', 'fail', /does not answer/);
});

test('identity providers are asked as `oauth test` asks them', async () => {
  const d = await doctor({ SALLYPORT_OAUTH_ALLOW_PRIVATE: 'true', SALLYPORT_OAUTH_MINE_ISSUER: 'http://127.0.0.1:1', SALLYPORT_OAUTH_MINE_CLIENT_ID: 'x', SALLYPORT_OAUTH_MINE_CLIENT_SECRET: 'y' });
  says(d, 'providers', 'fail', /discovery document/);
});

test('a directory without a store, a store that is held, keys that are gone: each says so, and the rest is looked at', async (t) => {
  const empty = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-doctor-'));
  t.after(() => fs.rmSync(empty, { recursive: true, force: true }));
  const r = await run(SALLYPORT, ['doctor', '--json', '--data', empty], { env: { SALLYPORT_SERVER_PUBLIC_URL: 'http://127.0.0.1:1' } });
  assert.equal(r.code, 1);
  assert.match(r.stdout, /"check":"store","level":"fail","what":"[^"]*does not exist/);
  assert.deepEqual(fs.readdirSync(empty), [], 'nothing is made');

  const own = await Server.start({ env: PUBLIC });
  t.after(() => own.close());
  await own.register();
  fs.renameSync(path.join(own.dataDir, 'keys'), path.join(own.dataDir, 'kept'));
  const lost = await doctor({}, own);
  assert.deepEqual([lost.worst('store'), lost.worst('keys'), lost.worst('proxy')], ['ok', 'fail', 'warn']);
  fs.renameSync(path.join(own.dataDir, 'kept'), path.join(own.dataDir, 'keys'));
  fs.chmodSync(own.dataDir, 0o772);
  says(await doctor({}, own), 'files', 'fail', /changed by others/);
  fs.chmodSync(own.dataDir, 0o700);
  await own.sql("UPDATE meta SET value = value + 86400000 WHERE key LIKE '%seen%'");
  says(await doctor({}, own), 'clock', 'fail', /behind what the store has seen/);
});

test('the way of clients: nobody there, somebody else, no proxy', async (t) => {
  says(await doctor({ SALLYPORT_SERVER_PUBLIC_URL: 'http://127.0.0.1:1' }), 'proxy', 'fail', /does not answer/);
  const other = await application();
  t.after(() => other.close());
  says(await doctor({ SALLYPORT_SERVER_PUBLIC_URL: `http://127.0.0.1:${other.address().port}` }), 'proxy', 'fail', /is not this server/);
  const plain = await Server.start({ env: { SALLYPORT_SERVER_OPS_LISTEN: 'none' } });
  t.after(() => plain.close());
  says(await doctor({}, plain), 'proxy', 'ok', /without a proxy/);
  assert.deepEqual((await doctor({}, plain)).of('proxy').filter((l) => l.level === 'fail'), []);
});

test('the way of clients: what a proxy forgets or lets through', async (t) => {
  const at = async (headers, env = {}, server = s) => doctor({ SALLYPORT_SERVER_PUBLIC_URL: await proxy(t, headers), ...env }, server);
  const set = (h) => ({ ...h, 'x-forwarded-for': '198.51.100.7' });
  says(await at((h) => h), 'proxy', 'fail', /lets clients choose their address/);
  says(await at((h) => { delete h['x-forwarded-for']; return h; }), 'proxy', 'fail', /does not say who its clients are/);
  const good = await at(set);
  assert.equal(good.of('proxy').some((l) => l.level === 'fail'), false, good.text);
  says(good, 'proxy', 'ok', /behind a proxy/);
  says(await at((h) => ({ ...set(h), host: 'inside.example' })), 'proxy', 'warn', /asked for as inside\.example/);
});

test('the way of clients: a proxy that is not trusted, and metrics for everybody', async (t) => {
  const own = await Server.start({ env: { SALLYPORT_SERVER_OPS_LISTEN: 'same' }, clock: 'real' });
  t.after(() => own.close());
  const p = http.createServer((req, res) => http.request({ ...own.target, path: req.url, headers: { ...req.headers, 'x-forwarded-for': `${req.headers['x-forwarded-for']}, 127.0.0.1` } }, (r) => { res.writeHead(r.statusCode, r.headers); r.pipe(res); }).end()).listen(0, '127.0.0.1');
  await once(p, 'listening');
  t.after(() => { p.close(); p.closeAllConnections(); });
  const d = await doctor({ SALLYPORT_SERVER_PUBLIC_URL: `http://127.0.0.1:${p.address().port}` }, own);
  says(d, 'proxy', 'fail', /a proxy at 127\.0\.0\.1 .* is not believed/);
  says(d, 'proxy', 'warn', /metrics/);
  await until(() => own.events('proxy_not_trusted').length === 1, 'the server to say so itself');
});

for (const program of ['nginx', 'caddy'])
  test(`the sample for ${program} passes`, { skip: skipWithout(program) }, async (t) => {
    const app = await application();
    t.after(() => app.close());
    // Both sites by numbers, as these names lead nowhere.
    const p = await startProxy(program, { sallyport: s.target.port, app: app.address().port, names: { 'auth.example.com': '127.0.0.1', 'app.example.com': '127.0.0.2' } },
      (port) => new Promise((resolve, reject) => http.get({ host: '127.0.0.1', port, path: '/auth/ui/config' }, (r) => resolve(r.resume().statusCode === 200)).on('error', reject)));
    t.after(() => p.close());
    const d = await doctor({ SALLYPORT_SERVER_PUBLIC_URL: `http://127.0.0.1:${p.port}` });
    says(d, 'proxy', 'ok', /behind a proxy that says who its clients are/);
    assert.deepEqual(d.of('proxy').map((l) => l.level), ['ok']);
  });

test('applications: is the way back to them there?', async (t) => {
  const at = await proxy(t, (h) => ({ ...h, 'x-forwarded-host': '127.0.0.2' })), lost = await proxy(t, (h) => h);
  const d = await doctor({ SALLYPORT_FORWARD_HOSTS: [at, lost].map((url) => new URL(url).host).join(',') });
  assert.deepEqual(d.of('applications').map((l) => l.level), ['ok', 'fail'], d.text);
});

test('what the server sees is told to nobody else', async () => {
  assert.deepEqual([(await s.get('/auth/doctor')).status, (await s.get('/auth/doctor', { headers: { 'X-Sallyport-Doctor': `${Date.now()}.${'A'.repeat(43)}` } })).status], [404, 404]);
  const ask = async (word) => (await s.get('/auth/doctor', { headers: { 'X-Sallyport-Doctor': word } })).status;
  const word = doctorWord(s), late = doctorWord(s, s.now - 61_000), early = doctorWord(s, s.now + 61_000 + 5_000);
  assert.deepEqual([await ask(word), await ask(late), await ask(early), await ask(word.slice(0, -1)), await ask(`${word}A`), await ask(`0${word}`), await ask('x'), await ask('.')], [200, 404, 404, 404, 404, 404, 404, 404]);
});

test('serve says once what will hurt: no public_url, no mail, https without a proxy; and nothing with --dev', async (t) => {
  const setup = (server) => server.events('setup').map((l) => l.check);
  assert.deepEqual(setup(s), ['mail']);
  for (const l of s.events('setup')) assert.deepEqual([l.level, l.what.length > 10, l.to_do.length > 10], ['warn', true, true]);
  const bare = await Server.start({ env: { SALLYPORT_SERVER_PUBLIC_URL: '' } });
  t.after(() => bare.close());
  assert.deepEqual(setup(bare), ['public_url', 'mail']);
  const alone = await Server.start();
  t.after(() => alone.close());
  assert.deepEqual(setup(alone), ['mail', 'proxy']);
  const unasked = await Server.start({ env: { SALLYPORT_FORWARD_HOSTS: 'app.example.test' } });
  t.after(() => unasked.close());
  assert.deepEqual(setup(unasked), ['mail', 'proxy', 'applications']);
  const dev = await Server.start({ args: ['--dev'], env: { SALLYPORT_SERVER_PUBLIC_URL: '', SALLYPORT_LOG_FORMAT: 'json' } });
  t.after(() => dev.close());
  assert.deepEqual(setup(dev), []);
});

test('X-Forwarded-For from nobody who is trusted is said once', async (t) => {
  const alone = await Server.start();
  t.after(() => alone.close());
  await alone.get('/healthz');
  assert.equal(alone.events('proxy_not_trusted').length, 0);
  for (let i = 0; i < 3; i++) await alone.logged(await alone.get('/healthz', { headers: { 'X-Forwarded-For': '198.51.100.7' } }));
  assert.deepEqual(alone.events('proxy_not_trusted').map((l) => [l.level, l.peer]), [['warn', '127.0.0.1']]);
  await s.logged(await s.get('/healthz', { headers: { 'X-Forwarded-For': '198.51.100.7' } }));
  assert.equal(s.events('proxy_not_trusted').length, 0, 'not where a proxy is trusted');
});
