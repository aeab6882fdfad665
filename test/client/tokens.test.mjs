// tokens.test.mjs — what becomes of the tokens when threads, processes, networks, clocks and disks do what they do.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { said } from '../lib/capp.mjs';
import { World } from '../lib/capp_world.mjs';
import { DAY, MINUTE } from '../lib/server.mjs';

const HOUR_S = 3600;
const w = await World.start(), { s, proxy } = w;
let home;
before(() => (home = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-tokens-'))));
after(async () => {
  await w.close();
  fs.rmSync(home, { recursive: true });
});
w.calmed();

let stores = 0;
const fileStore = () => `file:${home}/tokens-${++stores}`;
const json = (status, code, headers = {}) => ({ status, headers: { 'Content-Type': 'application/json; charset=utf-8', ...headers }, body: JSON.stringify({ error: code, message: code, code }) });
const page = (status, headers = {}) => ({ status, headers: { 'Content-Type': 'text/html', ...headers }, body: '<html><h1>Some proxy</h1></html>' });
const on = (end, fate) => (proxy.rule = (r) => (r.path.endsWith(end) ? fate : undefined));
const refreshes = () => proxy.log('/refresh');
const wellFor = async (app, user) => assert.equal((await app.ok('get_profile')).profile.id, user.id);

/* How often the session's token was rotated. */
const generation = async (user) => Number(await s.sql(`SELECT max(cur_gen) FROM session WHERE user_id = (SELECT id FROM user WHERE email = '${user.email}')`));

/* Two apps over one file, of which the first has signed in. */
async function two(options) {
  const store = fileStore(), { app, user } = await w.signedIn({ store });
  const other = await w.app({ store, ...options });
  assert.equal(await other.value('is_signed_in'), '1');
  return { apps: [app, other], app, other, user, store };
}

/* ---- one refresh at a time ---- */

test('R01 8 threads of 2 processes meet an expired token: one rotation, and all succeed', async () => {
  const { apps, user } = await two();
  for (let round = 0; round < 3; round++) {
    s.advance(16 * MINUTE);
    proxy.requests.length = 0;
    const before_ = await generation(user), all = (await Promise.all(apps.map((app) => app.threads(8, 'get_profile')))).flat();
    assert.equal(all.length, 16);
    for (const r of all) assert.deepEqual([...said(r), r.profile?.id], ['SP_OK', 200, '', user.id]);
    assert.deepEqual([refreshes(), (await generation(user)) - before_], [['POST /auth/refresh 200'], 1]);
    assert.equal(apps.flatMap((app) => app.states()).join(), 'REFRESHED', 'it is told where it was done');
  }
});

test('R01 the same when the app\'s own clock says that the token is over: nobody is sent to be refused', async () => {
  const { user, store } = await two(), apps = await Promise.all([1, 2].map(() => w.app({ store, shift: 15 * 60 })));
  s.advance(15 * MINUTE);
  proxy.requests.length = 0;
  const all = (await Promise.all(apps.map((app) => app.threads(8, 'get_profile')))).flat();
  for (const r of all) assert.deepEqual(said(r), ['SP_OK', 200, '']);
  assert.deepEqual([refreshes(), proxy.log('/me').filter((line) => !line.endsWith('200')), await generation(user)], [['POST /auth/refresh 200'], [], 2]);
});

test('R01 while one process refreshes, the other waits and takes what it got', async () => {
  const { app, other, user } = await two();
  s.advance(16 * MINUTE);
  on('/refresh', { delay: 400 });
  const first = app.call('get_profile');
  await sleep(100);
  assert.deepEqual([(await other.call('get_profile')).error, (await first).error], ['SP_OK', 'SP_OK']);
  assert.deepEqual([refreshes().length, await generation(user)], [1, 2]);
});

test('access_token: good for as long as is asked, and not refreshed for less', async () => {
  const { app } = await w.signedIn(), token = async (seconds) => (await app.ok('access_token', seconds)).access_token;
  const one = await token(600);
  assert.equal(await token(0), one);
  assert.deepEqual(refreshes(), []);
  const two_ = await token(24 * HOUR_S);
  assert.notEqual(two_, one, 'more than any token has: a new one is the best there is');
  assert.equal((await s.me(two_)).status, 200);
});

/* ---- lost answers ---- */

test('R02 the answer of a refresh is lost: asked for again, still signed in', async () => {
  for (const lost of [{ cut: true }, { cutAt: 40 }]) {
    const { app, user } = await w.signedIn();
    s.advance(16 * MINUTE);
    let times = 1;
    proxy.rule = (r) => (r.path.endsWith('/refresh') && times-- > 0 ? lost : undefined);
    await wellFor(app, user);
    assert.ok(refreshes().length === 2, JSON.stringify(refreshes()));
    s.advance(16 * MINUTE);
    await wellFor(app, user);
  }
});

test('R02 every answer is lost: no answer is said, the tokens are kept, and later it works', async () => {
  const { app, user } = await w.signedIn();
  s.advance(16 * MINUTE);
  on('/refresh', { cut: true });
  for (let i = 0; i < 2; i++) assert.equal((await app.call('get_profile')).error, 'SP_NETWORK');
  assert.equal(await app.value('is_signed_in'), '1');
  proxy.rule = () => undefined;
  await wellFor(app, user);
  assert.deepEqual(app.states(), ['REFRESHED']);
});

test('R02 the app is killed in the middle of refreshes, 20 times: still signed in', async () => {
  const { app, user, store } = await two();
  await app.close();
  for (let i = 0; i < 20; i++) {
    const one = await w.app({ store });
    s.advance(16 * MINUTE);
    const asked = new Promise((resolve) => {
      proxy.rule = (r) => {
        if (!r.path.endsWith('/refresh')) return undefined;
        setImmediate(resolve);
        return i % 3 === 0 ? { hang: true } : i % 3 === 1 ? { cut: true } : undefined;
      };
    });
    one.call('get_profile').catch(() => {});
    await asked;
    if (i % 3 === 2) await sleep(i / 2); // about when the answer is written to the file
    await one.kill();
  }
  proxy.rule = () => undefined;
  await wellFor(await w.app({ store }), user);
});

/* ---- servers and proxies that have no time ---- */

test('the server is down: calls say so, the tokens are kept, and it goes on when the server is back', async () => {
  const { app, user } = await w.signedIn();
  await s.stop();
  s.advance(16 * MINUTE);
  assert.deepEqual(said(await app.call('get_profile')), ['SP_NETWORK', 0, '']);
  await proxy.refuse();
  for (const name of ['get_profile', 'refresh']) assert.deepEqual(said(await app.call(name)), ['SP_NETWORK', 0, ''], name);
  assert.deepEqual([await app.value('is_signed_in'), app.states()], ['1', []]);
  await s.launch();
  proxy.target = s.target;
  await proxy.listen();
  await wellFor(app, user);
});

test('503 and 429 keep the tokens, and say when to come again', async () => {
  const { app, user } = await w.signedIn();
  for (const [end, fate] of [['/me', json(503, 'OVERLOADED', { 'Retry-After': '7' })], ['/me', json(429, 'RATE_LIMITED', { 'Retry-After': '7' })], ['/me', page(503, { 'Retry-After': '7' })],
    ['/refresh', json(503, 'STOPPING', { 'Retry-After': '7' })], ['/refresh', json(429, 'RATE_LIMITED', { 'Retry-After': '7' })]]) {
    on(end, fate);
    if (end === '/refresh') s.advance(16 * MINUTE);
    const r = await app.call('get_profile');
    assert.deepEqual([r.error, r.status, r.retry_after], ['SP_LATER', fate.status, 7], `${end} ${fate.status}`);
  }
  assert.deepEqual(app.states(), []);
  proxy.rule = () => undefined;
  await wellFor(app, user);
});

test('pages of proxies, empty and wrong answers keep the tokens', async () => {
  const { app, user } = await w.signedIn();
  const answers = [[page(401), 'SP_PROTOCOL'], [page(403), 'SP_PROTOCOL'], [page(502), 'SP_SERVER'], [page(504), 'SP_SERVER'], [page(200), 'SP_PROTOCOL'], [page(302, { Location: 'http://127.0.0.1:1/portal' }), 'SP_PROTOCOL'],
    [{ status: 200, headers: { 'Content-Type': 'application/json' }, body: '{}' }, 'SP_PROTOCOL'], [{ status: 200, body: '' }, 'SP_PROTOCOL'], [{ status: 200, body: '[1' }, 'SP_PROTOCOL'],
    [{ status: 200, headers: { 'Content-Type': 'application/json' }, body: '{"accessToken":"","refreshToken":7}' }, 'SP_PROTOCOL'],
    [{ status: 200, headers: { 'Content-Type': 'application/json' }, body: `{"x":"${'x'.repeat(1 << 21)}"}` }, 'SP_PROTOCOL']];
  for (const end of ['/me', '/refresh']) {
    for (const [fate, error] of answers) {
      on(end, fate);
      const r = await app.call(end === '/me' ? 'get_profile' : 'refresh');
      assert.equal(r.error, error, `${end} ${fate.status} ${fate.body.slice(0, 60)}: ${JSON.stringify(said(r))}`);
      assert.equal(await app.value('is_signed_in'), '1', `${end} ${fate.status}`);
    }
  }
  assert.deepEqual(app.states(), []);
  proxy.rule = () => undefined;
  await wellFor(app, user);
});

/* ---- the end of a session ---- */

test('JW08 a session that was ended elsewhere: the reason is told, the store is cleared, also for the other process', async () => {
  const { app, other, user } = await two(), far = await w.app();
  await far.ok('login', user.email, user.password);
  const { sessions } = await far.ok('get_sessions');
  assert.equal(sessions.length, 2);
  await far.ok('revoke_session', sessions.find((one) => !one.is_current).handle);
  const r = await app.call('get_profile');
  assert.deepEqual([...said(r), app.states()], ['SP_SIGNED_OUT', 401, 'SESSION_REVOKED', ['SIGNED_OUT SESSION_REVOKED']]);
  proxy.requests.length = 0;
  assert.deepEqual([await app.value('is_signed_in'), await other.value('is_signed_in')], ['0', '0']);
  for (const one of [app, other]) assert.equal((await one.call('get_profile')).error, 'SP_SIGNED_OUT');
  assert.deepEqual([proxy.log(), other.states()], [[], []]);
  await wellFor(far, user);
});

test('INVALID_REFRESH_TOKEN ends the session with that reason', async () => {
  const { app } = await w.signedIn();
  s.advance(400 * DAY);
  const r = await app.call('get_profile');
  assert.deepEqual([r.error, r.status, app.states(), await app.value('is_signed_in')], ['SP_SIGNED_OUT', 401, [`SIGNED_OUT ${r.code}`], '0']);
  const second = await w.signedIn();
  on('/refresh', json(401, 'INVALID_REFRESH_TOKEN'));
  assert.deepEqual([...said(await second.app.call('refresh')), second.app.states()], ['SP_SIGNED_OUT', 401, 'INVALID_REFRESH_TOKEN', ['SIGNED_OUT INVALID_REFRESH_TOKEN']]);
});

test('a sign-in of another process is not thrown away by the late end of the session before', async () => {
  const { app, other, user } = await two(), next = await s.register();
  await s.cliOk(['user', 'disable', user.email]);
  let arrived, go;
  const held = new Promise((resolve) => (arrived = resolve)), released = new Promise((resolve) => (go = resolve));
  proxy.rule = async (r) => {
    if (!r.path.endsWith('/me')) return undefined;
    arrived();
    await released;
    return undefined;
  };
  const late = app.call('get_profile');
  await held;
  await other.ok('login', next.email, next.password);
  go();
  const r = await late;
  assert.deepEqual([r.error, r.code, app.states()], ['SP_SIGNED_OUT', 'SESSION_REVOKED', []]);
  proxy.rule = () => undefined;
  for (const one of [app, other]) await wellFor(one, next);
});

test('a late 401 of a token that another process has replaced meanwhile costs no second refresh', async () => {
  const { app, other, user } = await two();
  s.advance(16 * MINUTE);
  let go;
  const released = new Promise((resolve) => (go = resolve));
  let first = true;
  proxy.rule = (r) => {
    if (!r.path.endsWith('/me') || !first) return undefined;
    first = false;
    return released;
  };
  const late = app.call('get_profile');
  while (proxy.requests.length === 0) await sleep(2);
  await wellFor(other, user);
  go();
  assert.equal((await late).error, 'SP_OK');
  assert.deepEqual([refreshes(), await generation(user)], [['POST /auth/refresh 200'], 2]);
});

/* ---- clocks ---- */

test('a clock that is hours wrong costs nothing, in both directions', async () => {
  for (const shift of [5 * HOUR_S, -5 * HOUR_S]) {
    const { app, user } = await w.signedIn({ shift });
    for (let i = 0; i < 3; i++) await wellFor(app, user);
    assert.deepEqual(proxy.log(), Array(3).fill('GET /auth/me 200'), `${shift}`);
    s.advance(16 * MINUTE);
    await wellFor(app, user);
  }
});

test('a clock that is put right while somebody is signed in costs one refresh at most', async () => {
  for (const [then, now] of [[5 * HOUR_S, 0], [0, 5 * HOUR_S]]) {
    const store = fileStore(), { app, user } = await w.signedIn({ store, shift: then });
    await app.close();
    const later = await w.app({ store, shift: now });
    for (let i = 0; i < 3; i++) await wellFor(later, user);
    assert.ok(refreshes().length <= 1, `${then} → ${now}: ${proxy.log()}`);
  }
});

/* ---- stores that fail ---- */

test('tokens that cannot be stored are not used: SP_STORE, and the old ones still work later', async () => {
  const { app, user } = await w.signedIn({ store: 'own' });
  const { access_token: old } = await app.ok('access_token', 0);
  await app.value('fail', 'save');
  assert.equal((await app.call('refresh')).error, 'SP_STORE');
  assert.equal((await app.ok('access_token', 0)).access_token, old);
  s.advance(16 * MINUTE);
  assert.equal((await app.call('get_profile')).error, 'SP_STORE');
  assert.deepEqual(app.states(), []);
  const stranger = await s.register();
  assert.equal((await app.call('login', stranger.email, stranger.password)).error, 'SP_STORE');
  await app.value('fail', '');
  await wellFor(app, user);
  assert.deepEqual(app.states(), ['REFRESHED']);
  await app.value('fail', 'load');
  assert.deepEqual([(await app.call('get_profile')).error, await app.value('is_signed_in')], ['SP_STORE', '-1']);
  await app.value('fail', 'erase');
  assert.equal((await app.call('logout')).error, 'SP_STORE');
  await app.value('fail', '');
  await app.ok('logout');
  assert.equal(await app.value('is_signed_in'), '0');
});

test('a disk that takes nothing more: SP_STORE, and the file is as it was', async () => {
  const store = fileStore(), { app, user } = await w.signedIn({ store, ignoring: 'XFSZ' }), file = store.slice('file:'.length);
  const limit = (bytes) => execFileSync('prlimit', [`--pid=${app.child.pid}`, `--fsize=${bytes}:unlimited`]);
  s.advance(16 * MINUTE);
  const before_ = fs.readFileSync(file);
  limit(10);
  assert.equal((await app.call('get_profile')).error, 'SP_STORE');
  assert.deepEqual(fs.readFileSync(file), before_);
  assert.deepEqual(fs.readdirSync(home).filter((name) => name.startsWith(path.basename(file)) && !name.endsWith('.lock')), [path.basename(file)], 'nothing half written is left');
  const other = await w.app({ store });
  await wellFor(other, user);
  limit('unlimited');
  await wellFor(app, user);
});

test('the file: 0600, nothing readable in it, and closed to another passphrase', async () => {
  const store = fileStore(), { app, user } = await w.signedIn({ store }), file = store.slice('file:'.length);
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  const bytes = fs.readFileSync(file, 'latin1'), { access_token: token } = await app.ok('access_token', 0);
  for (const text of [token, token.split('.')[1], 'accessToken', user.email]) assert.ok(!bytes.includes(text));
  const wrong = await w.app({ store, passphrase: 'wrong horse' });
  assert.deepEqual([wrong.failed.call, wrong.failed.error], ['store', 'SP_REFUSED']);
  const elsewhere = await w.app({ store: `file:${home}/no/such/folder` });
  assert.equal(elsewhere.failed.error, 'SP_STORE');
});

test('accounts of one store do not see each other', async () => {
  const store = fileStore(), { app, user } = await w.signedIn({ store }), other = await w.app({ store, account: 'second / "zwei"' });
  assert.equal(await other.value('is_signed_in'), '0');
  const second = await s.register();
  await other.ok('login', second.email, second.password);
  await wellFor(app, user);
  await wellFor(other, second);
  await app.ok('logout');
  await wellFor(other, second);
});

/* ---- ending what runs ---- */

test('cancel ends a request that hangs; resume lets the next ones go', async () => {
  const { app, user } = await w.signedIn();
  on('/me', { hang: true });
  const hanging = Array.from({ length: 4 }, () => app.call('get_profile')), begun = Date.now();
  while (proxy.log('/me').length < 4) await sleep(5);
  await app.value('client_cancel');
  for (const r of await Promise.all(hanging)) assert.deepEqual(said(r), ['SP_CANCELLED', 0, '']);
  assert.ok(Date.now() - begun < 20_000);
  assert.equal((await app.call('get_profile')).error, 'SP_CANCELLED');
  proxy.rule = () => undefined;
  await app.value('client_resume');
  await wellFor(app, user);
});

test('cancel ends the wait for a browser', async () => {
  const app = await w.app(), waiting = app.call('oauth_login', 'fake', 60, '');
  await app.event('open');
  await app.value('client_cancel');
  assert.equal((await waiting).error, 'SP_CANCELLED');
});

test('a request that hangs ends with its time, and keeps the tokens', async () => {
  const { app, user } = await w.signedIn({ timeout_ms: 300 });
  on('', { hang: true });
  for (const name of ['get_profile', 'refresh']) assert.deepEqual(said(await app.call(name)), ['SP_TIMEOUT', 0, ''], name);
  proxy.rule = () => undefined;
  await wellFor(app, user);
});

test('REL-13 a name server that says nothing holds nobody beyond his time', async () => {
  const app = await w.app({ server: 'https://auth.silent.test', connect_timeout_ms: 300 }), begun = Date.now();
  assert.equal((await app.call('login', 'ada@example.test', 'a password of hers')).error, 'SP_TIMEOUT');
  await app.close();
  assert.ok(Date.now() - begun < 40_000, `${Date.now() - begun} ms`); // it says nothing for 60 s
  const failing = await w.app({ server: 'https://auth.failing.test' });
  assert.equal((await failing.call('login', 'ada@example.test', 'a password of hers')).error, 'SP_NETWORK');
});

test('a client that is freed while calls run ends them first', async () => {
  const { app } = await w.signedIn();
  on('/me', { hang: true });
  const calls = Array.from({ length: 6 }, () => app.call('get_profile')), started = await Promise.all(Array.from({ length: 6 }, () => app.start('get_profile')));
  while (proxy.log('/me').length < 10) await sleep(5); // four of those that were started run
  assert.equal(await app.value('client_free'), 'SP_OK');
  for (const r of await Promise.all([...calls, ...started.map((one) => one.done)])) assert.equal(r.error, 'SP_CANCELLED');
});

test('a client cannot be freed from its own callback, and can be used there', async () => {
  const { app } = await w.signedIn({ frees_in_callback: 1 });
  await app.ok('refresh');
  const { state, reason, context, signed_in: signedIn, freed } = await app.event('state');
  assert.deepEqual({ state, reason, context, signedIn, freed }, { state: 'REFRESHED', reason: '', context: 'the app\'s', signedIn: 'yes', freed: 'SP_INVALID' });
  await app.ok('logout');
  assert.equal((await app.event('state')).signed_in, 'no');
});
