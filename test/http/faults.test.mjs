// faults.test.mjs — the store, the random source and the process failing under the server: clean refusals,
// nothing half written, and afterwards everything as before.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { ERR } from '../lib/control.mjs';
import { freshEmail, freshPassword, MINUTE, run, Server, sidOf } from '../lib/server.mjs';

const CALLS_MAX = 40; // more store calls than any request makes
let s;

before(async () => (s = await Server.start()));
after(() => s.close());

/* Everything a request may change, except counters of attempts: those are kept on purpose. */
const facts = (where = s) => where.sql('SELECT * FROM user ORDER BY id; SELECT hex(sid), * FROM session ORDER BY id; SELECT id, event, hex(sid) FROM audit ORDER BY id;');

const ANSWER = { ERR_STORE: [500, 'INTERNAL'], ERR_BUSY: [503, 'BUSY'], ERR_STORE_FULL: [503, 'STORAGE_FULL'] };

/* Operations as [prepare, act, expected status]: prepare makes what act needs. */
const bearer = { strategy: 'bearer' };
const operations = {
  register: [async () => ({ email: freshEmail(), password: freshPassword() }), (u) => s.post('/auth/register', u), 201],
  login: [() => s.register(), (u) => s.login(u.email, u.password), 200],
  'wrong login': [() => s.register(), (u) => s.login(u.email, 'wrong wrong wrong'), 401],
  refresh: [async () => {
    const u = await s.signedIn();
    s.advance(2 * MINUTE);
    return u;
  }, (u) => s.refresh(u.refreshToken), 200],
  'repeated refresh': [async () => {
    const u = await s.signedIn();
    s.advance(2 * MINUTE);
    await s.refresh(u.refreshToken);
    return u;
  }, (u) => s.refresh(u.refreshToken), 200],
  'refresh with a reused token': [async () => {
    const u = await s.signedIn();
    s.advance(2 * MINUTE);
    await s.me((await s.refresh(u.refreshToken)).json.accessToken);
    s.advance(2 * MINUTE);
    return u;
  }, (u) => s.refresh(u.refreshToken), 401],
  logout: [() => s.signedIn(), (u) => s.request('POST', '/auth/logout', { token: u.accessToken }), 200],
  'logout by refresh token': [() => s.signedIn(), (u) => s.post('/auth/logout', { refreshToken: u.refreshToken }), 200],
  profile: [() => seen(), (u) => s.request('PATCH', '/auth/profile', { token: u.accessToken, json: { firstName: 'New' } }), 200],
  me: [() => seen(), (u) => s.me(u.accessToken), 200],
  check: [() => seen(), (u) => s.get('/auth/check', { token: u.accessToken }), 200],
  sessions: [() => seen(), (u) => s.get('/auth/sessions', { token: u.accessToken }), 200],
  'end a session': [async () => {
    const u = await seen();
    return { ...u, other: sidOf((await s.signIn(u)).accessToken) };
  }, (u) => s.request('DELETE', `/auth/sessions/${u.other}`, { token: u.accessToken }), 200],
};

/* A session whose generation is confirmed, so that the next request has only its own work to do. */
async function seen() {
  const u = await s.signedIn();
  await s.me(u.accessToken);
  return u;
}

async function failEach(name, code) {
  const [prepare, act, status] = operations[name];
  for (let n = 1; n <= CALLS_MAX; n++) {
    const u = await prepare(), before = await facts();
    s.control.set('STORE_FAIL_CODE', ERR[code]);
    s.control.set('STORE_FAIL_AT', n);
    const r = await act(u);
    const fired = s.control.get('STORE_FAIL_AT') === 0;
    s.control.calm();
    const what = `${name}, call ${n} fails with ${code}: ${r.status} ${r.text}`;
    if (!fired) {
      assert.equal(r.status, status, what);
      assert.ok(n > 1, `${name} never asks the store`);
      return n - 1;
    }
    assert.deepEqual([r.status, r.json.code], ANSWER[code], what);
    await s.logged(r);
    const lines = s.events('fault').filter((l) => l.request_id === r.headers['x-request-id']);
    assert.equal(lines.length, 1, what);
    assert.match(lines[0].at, /\.[ch]:\d+$/);
    assert.equal(await facts(), before, `${what}: something was written`);
    assert.equal((await act(u)).status, status, `${what}: the next request`);
    s.advance(901_000); // past the wait that counted attempts may have brought
  }
  return assert.fail(`${name} makes more than ${CALLS_MAX} calls`);
}

for (const name of Object.keys(operations))
  test(`HT15 LG05 ${name}: whichever store call fails, the answer is clean and nothing is half written`, async (t) => {
    t.diagnostic(`${name}: ${await failEach(name, 'ERR_STORE')} store calls`);
  });

for (const [code, name] of [['ERR_BUSY', 'refresh'], ['ERR_STORE_FULL', 'refresh'], ['ERR_BUSY', 'login'], ['ERR_STORE_FULL', 'profile'], ['ERR_BUSY', 'me']])
  test(`R15 ${name} with ${code} is 503 with Retry-After, never 401`, () => failEach(name, code));

test('a use of a session that cannot be noted does not refuse the reader', async () => {
  for (let n = 1; ; n++) {
    const u = await s.signedIn(); // its first use is noted
    s.control.set('STORE_FAIL_CODE', ERR.ERR_STORE_FULL);
    s.control.set('STORE_FAIL_AT', n);
    const r = await s.me(u.accessToken);
    const fired = s.control.get('STORE_FAIL_AT') === 0;
    s.control.calm();
    if (!fired) {
      assert.ok(n > 3, 'noting takes several calls');
      return;
    }
    await s.logged(r);
    const noted = s.events('session_not_noted').some((l) => l.request_id === r.headers['x-request-id']);
    assert.ok(r.status === 200 ? noted : r.status === 503 && r.json.code === 'STORAGE_FULL', `${n}: ${r.status} ${r.text}`);
    assert.equal((await s.me(u.accessToken)).status, 200);
  }
});

/* ---- memory ---- */

/* What is to be refused is refused or not answered at all, and what is answered is whole. Work that was on disk when its
 * answer could not be made is done: the client sees a connection that ended. */
async function failHeap(name) {
  const [prepare, act, status] = operations[name], seldom = { refused: 0, lost: 0 };
  for (let n = 1; ; n++) {
    const u = await prepare();
    s.control.set('HEAP_FAIL_AT', n);
    const r = await act(u).catch(() => null);
    const fired = s.control.get('HEAP_FAIL_AT') === 0;
    s.control.calm();
    const what = `${name}, piece ${n} of the heap: ${r?.status} ${r?.text}`;
    if (r === null) seldom.lost++;
    else if (r.status !== status) {
      assert.ok(r.status === 503 && r.json.code === 'OUT_OF_MEMORY', what);
      for (const token of ['accessToken', 'refreshToken', 'deviceToken', 'userId']) assert.equal(r.json[token], undefined, what);
      seldom.refused++;
    }
    assert.equal(s.exit, null, what);
    assert.equal((await s.get('/healthz')).status, 200, `after ${what}`);
    s.advance(901_000); // past the wait that counted attempts may have brought
    if (!fired) return seldom;
    assert.ok(n < 400, what);
  }
}

test('HT15 whichever piece of memory is not there, nobody gets more than without that', async (t) => {
  const seldom = {};
  for (const name of ['login', 'wrong login', 'refresh', 'refresh with a reused token', 'me']) seldom[name] = await failHeap(name);
  t.diagnostic(JSON.stringify(seldom));
  assert.ok(Object.values(seldom).some((one) => one.refused + one.lost > 0), 'no failure was ever met');
});

/* ---- randomness ---- */

async function failRandomness(name, { written }) {
  const [prepare, act, status] = operations[name];
  for (let left = 0; left <= CALLS_MAX; left++) {
    const u = await prepare(), before = await facts();
    s.control.set('RNG_LEFT', left);
    const r = await act(u);
    s.control.calm();
    if (r.status === status) {
      assert.ok(left > 0, `${name} uses no randomness`);
      return;
    }
    assert.deepEqual([r.status, r.json.code], [503, 'UNAVAILABLE'], r.text);
    for (const token of ['accessToken', 'refreshToken', 'deviceToken', 'userId']) assert.equal(r.json[token], undefined);
    if (!written) assert.equal(await facts(), before, 'something was written');
    assert.equal((await act(u)).status, status, 'the next request');
    s.advance(901_000);
  }
  assert.fail(`${name} never succeeded`);
}

test('REL-15 without randomness no account is made', () => failRandomness('register', { written: false }));
test('REL-15 without randomness no session is made', () => failRandomness('login', { written: false }));
// A rotation may be on disk when the access token beside it cannot be made: the client repeats, as
// after a lost answer.
test('HT15 REL-15 without randomness what is to be refused is refused', async () => {
  for (const name of ['wrong login', 'refresh with a reused token']) {
    const [prepare, act, status] = operations[name];
    for (let left = 0; left <= 4; left++) {
      const u = await prepare();
      s.control.set('RNG_LEFT', left);
      const r = await act(u);
      s.control.calm();
      assert.ok(r.status === status || (r.status === 503 && r.json.code === 'UNAVAILABLE'), `${name}, ${left}: ${r.status} ${r.text}`);
      for (const token of ['accessToken', 'refreshToken', 'deviceToken']) assert.equal(r.json[token], undefined);
      s.advance(901_000);
    }
  }
});
test('REL-15 without randomness no token is made, and the retry finds its session', () => failRandomness('refresh', { written: true }));

/* ---- a store that does not answer ---- */

test('R15 while another process holds the store, writes are 503 BUSY and reads go on', async () => {
  const u = await seen(), v = await s.signedIn();
  s.advance(2 * MINUTE);
  await s.me(u.accessToken);
  const other = spawn('sqlite3', ['-batch', s.database], { stdio: ['pipe', 'pipe', 'inherit'] });
  other.stdin.write(".timeout 10000\nBEGIN IMMEDIATE;\nSELECT 'held';\n");
  await once(other.stdout, 'data');
  const writes = [s.refresh(v.refreshToken), s.login(u.email, u.password), s.post('/auth/register', { email: freshEmail(), password: freshPassword() }),
    s.request('PATCH', '/auth/profile', { token: u.accessToken, json: { firstName: 'X' } }), s.request('POST', '/auth/logout', { token: v.accessToken }), s.get('/readyz')];
  const reads = await Promise.all([s.me(u.accessToken), s.get('/auth/sessions', { token: u.accessToken }), s.get('/healthz'), s.get('/.well-known/jwks.json')]);
  const answers = await Promise.all(writes);
  other.stdin.end('ROLLBACK;\n');
  await once(other, 'close');

  for (const r of reads) assert.equal(r.status, 200, r.text);
  for (const r of answers) assert.deepEqual([r.status, r.json.code], [503, 'BUSY'], r.text);
  assert.equal((await s.refresh(v.refreshToken)).status, 200, 'and the token is still good');
});

test('R15 a store that stalls delays refreshes and signs nobody out', async () => {
  const users = [];
  for (let i = 0; i < 4; i++) users.push(await s.signedIn());
  s.advance(2 * MINUTE);
  s.control.set('STORE_STALL_MS', 500);
  const start = Date.now();
  const answers = await Promise.all([...users.map((u) => s.refresh(u.refreshToken)), s.get('/healthz').then((r) => [r, Date.now() - start])]);
  s.control.calm();
  const [health, ms] = answers.pop();
  for (const r of answers) assert.ok(r.status === 200 || r.status === 503, r.text);
  assert.ok(health.status === 200 && ms < 400, `${ms} ms`);
  for (const u of users) assert.equal((await s.refresh(u.refreshToken)).status, 200);
});

/* ---- the process ends in the middle ---- */

test('REL-01 what was acknowledged before kill -9 is there after it', async (t) => {
  const own = await Server.start({ clock: 'real' });
  t.after(() => own.close());
  const journal = { users: [], ended: [], named: undefined, tried: undefined };
  const steady = await own.signedIn();
  for (let round = 0; round < 6; round++) {
    let running = true;
    const attempt = async (work) => {
      while (running) await work().catch(() => (running = false)); // the connection is gone
    };
    const load = [
      attempt(async () => {
        const u = { email: freshEmail(), password: freshPassword() };
        if ((await own.post('/auth/register', u)).status === 201) journal.users.push(u.email);
      }),
      attempt(async () => {
        const t2 = await own.signIn(steady);
        if ((await own.request('POST', '/auth/logout', { token: t2.accessToken })).status === 200) journal.ended.push(sidOf(t2.accessToken));
      }),
      attempt(async () => {
        const firstName = (journal.tried = `Name ${Math.random()}`);
        const r = await own.request('PATCH', '/auth/profile', { token: steady.accessToken, json: { firstName } });
        if (r.status === 200) journal.named = firstName;
      }),
    ];
    await new Promise((resolve) => setTimeout(resolve, 60 + 40 * round));
    await own.kill();
    running = false;
    await Promise.all(load);
    assert.equal(await own.sql('PRAGMA integrity_check'), 'ok');
    await own.launch();
    const there = new Set((await own.sql('SELECT email FROM user')).split('\n'));
    for (const email of journal.users) assert.ok(there.has(email), `${email} was acknowledged`);
    const live = await own.sql('SELECT lower(hex(sid)) FROM session');
    for (const sid of journal.ended) assert.ok(!live.includes(sid.replaceAll('-', '')), 'an ended session is alive again');
    const counts = await own.sql("SELECT (SELECT count(*) FROM user) = (SELECT count(*) FROM audit WHERE event = 'user.created')");
    assert.equal(counts, '1', 'each account with its audit row, and no row without its account');
    const me = await own.me(steady.accessToken);
    assert.equal(me.status, 200);
    assert.ok([journal.named, journal.tried].includes(me.json.firstName), 'the last name that was acknowledged, or the one on its way');
  }
  t.diagnostic(`${journal.users.length} registrations and ${journal.ended.length} sign-outs acknowledged over 6 kills`);
  assert.ok(journal.users.length > 0 && journal.ended.length > 0);
});

test('clients that leave at any moment leave nothing behind', async () => {
  const u = await s.signedIn();
  const open = await s.metric('connections_open');
  for (let i = 0; i < 40; i++) {
    const path = ['/auth/me', '/auth/login', '/auth/sessions', '/auth/refresh'][i % 4];
    const method = i % 2 === 0 ? 'GET' : 'POST';
    await s.request(method, path, {
      ...bearer, token: method === 'GET' ? u.accessToken : undefined, json: method === 'POST' ? { email: u.email, password: 'left before the answer', refreshToken: u.refreshToken } : undefined,
      agent: false, onRequest: (req) => setTimeout(() => req.destroy(), i % 8),
    }).catch(() => {});
  }
  assert.equal((await s.me(u.accessToken)).status, 200);
  for (let end = Date.now() + 20_000; ; ) {
    if ((await s.metric('connections_open')) <= open) break;
    assert.ok(Date.now() < end, 'connections stay open');
  }
});

test('the store is sound after all that', async () => {
  await s.stop();
  assert.equal((await run('sqlite3', [s.database, 'PRAGMA integrity_check; PRAGMA foreign_key_check;'])).stdout.trim(), 'ok');
  await s.launch();
});
