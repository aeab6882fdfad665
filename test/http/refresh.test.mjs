// refresh.test.mjs — rotation of refresh tokens: honest clients with lost answers, retries and bursts
// stay signed in; a second holder of an old token ends the session.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { claimsOf, DAY, HOUR, MINUTE, Server as BearerServer, sidOf, until } from '../lib/server.mjs';
import { WebServer } from '../lib/web.mjs';

/* Everything here is run twice: with bearer tokens, and with cookies (R16, refresh_cookie.test.mjs). */
const inCookies = process.env.TEST_DELIVERY === 'cookie', Server = inCookies ? WebServer : BearerServer;
const SECOND = 1000;
let s;

before(async () => (s = await Server.start()));
after(() => s.close());

const generation = async (u) => Number(await s.sql(`SELECT cur_gen FROM session WHERE hex(sid) = '${sidOf(u.accessToken).replaceAll('-', '').toUpperCase()}'`));

async function rotated(refreshToken, options) {
  const r = await s.refresh(refreshToken, options);
  assert.equal(r.status, 200, r.text);
  return r.json;
}

async function refused(refreshToken, code, options) {
  const r = await s.refresh(refreshToken, options);
  const text = { SESSION_REVOKED: 'Session has been revoked', INVALID_REFRESH_TOKEN: 'Invalid or expired refresh token' }[code];
  assert.equal(r.status, 401, r.text);
  assert.deepEqual(r.json, { success: false, error: text, message: text, code });
  return r;
}

/* A session whose first token is old enough to rotate. */
async function session(over) {
  const u = await s.signedIn(over);
  s.advance(2 * MINUTE);
  return u;
}

test('a refresh hands out a new pair and says who for', async () => {
  const u = await session();
  const r = await s.refresh(u.refreshToken);

  assert.equal(r.status, 200);
  assert.deepEqual(Object.keys(r.json).sort(), ['accessToken', 'refreshToken', 'success']);
  assert.equal(r.json.success, true);
  assert.notEqual(r.json.refreshToken, u.refreshToken);
  assert.match(r.json.refreshToken, /^[A-Za-z0-9_-]+$/, 'may stand in a URL as it is');
  assert.equal(claimsOf(r.json.accessToken).sub, u.id);
  assert.equal((await s.me(r.json.accessToken)).status, 200);
});

test('R01 a hundred parallel refreshes of one token give one identical successor', async () => {
  const u = await session();
  const before = await generation(u);
  const answers = await Promise.all(Array.from({ length: 100 }, () => s.refresh(u.refreshToken)));
  const good = answers.filter((r) => r.status === 200);

  assert.ok(good.length >= 11, `${good.length} answered 200`);
  assert.equal(new Set(good.map((r) => r.json.refreshToken)).size, 1);
  for (const r of answers) assert.ok([200, 429].includes(r.status), r.text);
  assert.equal(await generation(u), before + 1);
  assert.equal((await s.me(good[0].json.accessToken)).status, 200, 'the session lives');
  s.advance(2 * MINUTE);
  await rotated(good[0].json.refreshToken);
});

test('R01 a burst that finds the fresh token does not spin the family', async () => {
  const u = await session();
  const first = await rotated(u.refreshToken);
  const before = await generation(u);
  for (let i = 0; i < 30; i++) assert.equal((await rotated(first.refreshToken)).refreshToken, first.refreshToken);
  assert.equal(await generation(u), before);
});

test('R02 an answer that never arrived is given again within a minute', async () => {
  const u = await session();
  const before = await s.metric('refresh_rotated_total');
  let cut;
  const lost = s.refresh(u.refreshToken, { agent: false, onRequest: (req) => (cut = req) }).then(() => 'arrived', () => 'lost');
  cut.on('response', () => {}); // its body is never read
  await until(async () => (await s.metric('refresh_rotated_total')) === before + 1, 'the rotation');
  cut.destroy();
  await lost;

  s.advance(SECOND);
  const retry = await rotated(u.refreshToken);
  s.advance(58 * SECOND);
  const late = await rotated(u.refreshToken);
  assert.equal(late.refreshToken, retry.refreshToken);
  assert.equal((await s.me(late.accessToken)).status, 200);
  assert.equal(await s.metric('refresh_rotated_total'), before + 1, 'one rotation in all');
});

test('R03 an answer that never arrived is made up for hours and days later', async () => {
  for (const wait of [61 * SECOND, 6 * HOUR, 6 * DAY]) {
    const u = await session();
    const lost = await rotated(u.refreshToken);
    s.advance(wait);
    const late = await rotated(u.refreshToken);

    assert.notEqual(late.refreshToken, lost.refreshToken);
    assert.equal((await s.me(late.accessToken)).status, 200);
    await refused(lost.refreshToken, 'SESSION_REVOKED'); // whoever holds the undelivered one stole it
    await refused(late.refreshToken, 'SESSION_REVOKED');
    assert.equal((await s.me(late.accessToken)).json.code, 'SESSION_REVOKED');
  }
});

test('R04 a generation older than the parent ends the family', async () => {
  const r1 = (await session()).refreshToken;
  const r2 = (await rotated(r1)).refreshToken;
  s.advance(2 * MINUTE);
  const r3 = await rotated(r2);
  s.advance(2 * MINUTE);

  await refused(r1, 'SESSION_REVOKED');
  await refused(r3.refreshToken, 'SESSION_REVOKED');
  assert.equal((await s.me(r3.accessToken)).status, 401);
});

test('R04 a late packet of the generation before the parent is refused without ending anything', async (t) => {
  const quick = await Server.start({ env: { SALLYPORT_TOKEN_REFRESH_WINDOW: '10s' } });
  t.after(() => quick.close());
  const u = await quick.signedIn();
  const refresh = async (token) => (await quick.refresh(token)).json;

  quick.advance(MINUTE);
  const r2 = await refresh(u.refreshToken);
  quick.advance(15 * SECOND);
  const r3 = await refresh(r2.refreshToken);
  quick.advance(15 * SECOND); // the first one was rotated 30 s ago
  assert.equal((await refresh(u.refreshToken)).code, 'INVALID_REFRESH_TOKEN');
  assert.equal((await quick.me(r3.accessToken)).status, 200);
  const r4 = await refresh(r3.refreshToken);
  assert.equal(r4.success, true, 'the third is still good');
  quick.advance(5 * MINUTE);
  assert.equal((await refresh(u.refreshToken)).code, 'SESSION_REVOKED', 'much later it is theft');
  assert.equal((await refresh(r4.refreshToken)).code, 'SESSION_REVOKED');
});

test('R05 once the successor was used the parent lives for the window only', async () => {
  const u = await session();
  const next = await rotated(u.refreshToken);
  assert.equal((await s.me(next.accessToken)).status, 200);

  s.advance(5 * SECOND);
  assert.equal((await rotated(u.refreshToken)).refreshToken, next.refreshToken);
  s.advance(56 * SECOND);
  await refused(u.refreshToken, 'SESSION_REVOKED');
  await refused(next.refreshToken, 'SESSION_REVOKED');
  assert.equal((await s.me(next.accessToken)).status, 401);
});

/* The rules of rotation once more, as a model: gen → what the server must do at `now`. */
function decide(m, gen, now) {
  if (gen === m.cur) {
    if (now - m.rotated <= 60 * SECOND) return 'same';
    Object.assign(m, { older: m.parent, olderAt: m.rotated, parent: m.cur, cur: m.cur + 1, rotated: now, confirmed: false, replays: 0 });
    return 'new';
  }
  if (gen === m.parent) {
    if (now - m.rotated <= 60 * SECOND) return ++m.replays <= 10 ? 'same' : 'later';
    if (m.confirmed) return 'reuse';
    Object.assign(m, { cur: m.cur + 1, rotated: now, confirmed: false, replays: 0 });
    return 'new';
  }
  if (gen === m.older && now - m.olderAt <= 60 * SECOND) return 'late';
  return 'reuse';
}

test('R06 random schedules over HTTP go as the rules say', async () => {
  let seed = Number(process.env.TEST_SEED ?? 20_24) >>> 0;
  const random = (n) => ((seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) >>> 8) % n;

  for (let family = 0; family < 12; family++) {
    const u = await s.signedIn();
    const tokens = { 1: u.refreshToken }, access = { 1: u.accessToken };
    const m = { cur: 1, parent: 0, older: 0, olderAt: 0, rotated: s.now, confirmed: false, replays: 0 };
    for (let step = 0, dead = false; step < 25 && !dead; step++) {
      s.advance([0, 3, 20, 45, 61, 300][random(6)] * SECOND);
      if (random(4) === 0 && access[m.cur] !== undefined) {
        const r = await s.me(access[m.cur]);
        if (r.status === 200) m.confirmed = true; // an expired one says nothing
        continue;
      }
      const known = Object.keys(tokens).map(Number);
      const gen = known[Math.max(0, known.length - 1 - [0, 0, 0, 0, 1, 1, 1, 2][random(8)])];
      const want = decide(m, gen, s.now);
      const r = await s.refresh(tokens[gen]);
      const what = `family ${family} step ${step}: generation ${gen} of ${m.cur}, wanted ${want}, got ${r.status} ${r.text}`;
      if (want === 'same' || want === 'new') {
        assert.equal(r.status, 200, what);
        if (want === 'same' && m.cur in tokens) assert.equal(r.json.refreshToken, tokens[m.cur], what);
        tokens[m.cur] = r.json.refreshToken;
        access[m.cur] = r.json.accessToken;
      } else if (want === 'later') {
        assert.equal(r.status, 429, what);
      } else {
        assert.equal(r.json.code, want === 'late' ? 'INVALID_REFRESH_TOKEN' : 'SESSION_REVOKED', what);
        dead = want === 'reuse';
      }
    }
  }
});

test('R07 kill -9 and a restart forget nothing', async () => {
  const u = await session();
  const next = await rotated(u.refreshToken);
  await s.me(next.accessToken);
  await s.kill();
  await s.restart();

  assert.equal((await s.me(next.accessToken)).status, 200);
  s.advance(10 * SECOND);
  assert.equal((await rotated(u.refreshToken)).refreshToken, next.refreshToken, 'the window is remembered too');
  s.advance(51 * SECOND);
  await refused(u.refreshToken, 'SESSION_REVOKED');
});

test('R08 a session not used for token.refresh_ttl is over', async () => {
  const u = await session();
  const next = await rotated(u.refreshToken);
  s.advance(30 * DAY - SECOND);
  const last = await rotated(next.refreshToken);
  s.advance(30 * DAY);
  await refused(last.refreshToken, 'INVALID_REFRESH_TOKEN');
});

test('R08 use does not carry a session past token.refresh_max_ttl', async () => {
  const born = s.now;
  let u = await session();
  for (let day = 10; day < 90; day += 10) {
    s.advance(10 * DAY);
    u = await rotated(u.refreshToken);
  }
  const [listed] = (await s.get('/auth/sessions', { token: u.accessToken })).json.sessions;
  assert.equal(Date.parse(listed.expiresAt), born + 90 * DAY);
  s.advance(10 * DAY);
  await refused(u.refreshToken, 'INVALID_REFRESH_TOKEN');
});

test('R09 reuse and sign-out end one device and leave the other alone', async () => {
  const u = await s.register();
  const a = await s.signIn(u), b = await s.signIn(u), c = await s.signIn(u);
  s.advance(2 * MINUTE);
  const a2 = await rotated(a.refreshToken);
  await s.me(a2.accessToken);
  s.advance(2 * MINUTE);

  await refused(a.refreshToken, 'SESSION_REVOKED');
  await s.request('POST', '/auth/logout', { token: c.accessToken });
  assert.equal((await s.me(b.accessToken)).status, 200);
  await rotated(b.refreshToken);
});

test('R10 no token for a disabled or deleted account, nor after a new password', async () => {
  const acts = [
    ['disable', (u) => s.cliOk(['user', 'disable', u.email])],
    ['delete', (u) => s.cliOk(['user', 'delete', u.email])],
    ['set-password', (u) => s.cliOk(['user', 'set-password', u.email, '--password-stdin'], { input: 'quite another phrase 7\n' })],
  ];
  for (const [name, act] of acts) {
    const u = await session();
    await act(u);
    const r = await refused(u.refreshToken, 'SESSION_REVOKED');
    assert.equal(r.json.accessToken, undefined, name);
    assert.equal((await s.me(u.accessToken)).status, 401, name);
  }
});

test('R11 a refresh token is no access token, nor the other way round', async () => {
  const u = await session();
  const asAccess = await s.me(u.refreshToken);
  assert.deepEqual([asAccess.status, asAccess.json.code], [401, 'INVALID_ACCESS_TOKEN']);
  await refused(u.accessToken, 'INVALID_REFRESH_TOKEN');
  await refused(u.deviceToken, 'INVALID_REFRESH_TOKEN');
  assert.equal((await s.me(u.deviceToken)).status, 401);
  await rotated(u.refreshToken);
});

test('R14 repeats, re-issues, stragglers and reuse are counted', async () => {
  const names = ['rotated', 'repeated', 'reissued', 'straggler', 'reuse'].map((n) => `refresh_${n}_total`);
  const read = () => Promise.all(names.map((n) => s.metric(n)));
  const u = await session();
  const before = await read();
  await rotated(u.refreshToken);          // rotated
  await rotated(u.refreshToken);          // repeated
  s.advance(2 * MINUTE);
  const r = await rotated(u.refreshToken); // reissued
  await s.me(r.accessToken);
  s.advance(2 * MINUTE);
  await refused(u.refreshToken, 'SESSION_REVOKED'); // reuse
  const grown = (await read()).map((n, i) => n - before[i]);
  assert.deepEqual(grown, [1, 1, 1, 0, 1]);
});

test('R15 a locked store is 503 with Retry-After, never 401, and the token stays good', async () => {
  const u = await session();
  const other = spawn('sqlite3', ['-batch', s.database], { stdio: ['pipe', 'pipe', 'inherit'] });
  other.stdin.write('.timeout 10000\nBEGIN IMMEDIATE;\nSELECT \'held\';\n');
  await once(other.stdout, 'data');
  const r = await s.refresh(u.refreshToken);
  other.stdin.end('ROLLBACK;\n');
  await once(other, 'close');

  assert.equal(r.status, 503);
  assert.equal(r.json.code, 'BUSY');
  assert.equal(r.json.success, false);
  await rotated(u.refreshToken);
});

test('R15 a full queue is 503, never 401', async (t) => {
  const small = await Server.start({ env: { SALLYPORT_SERVER_WORKERS: '1', SALLYPORT_SERVER_QUEUE_MAX: '1' } });
  t.after(() => small.close());
  const u = await small.signedIn();
  small.advance(2 * MINUTE);
  small.control.set('STORE_STALL_MS', 300);
  const answers = await Promise.all(Array.from({ length: 20 }, () => small.refresh(u.refreshToken)));
  small.control.calm();

  const statuses = new Set(answers.map((r) => r.status));
  assert.ok(statuses.has(503) && statuses.has(200), [...statuses].join());
  for (const r of answers) assert.ok(r.status === 200 || r.json.code === 'OVERLOADED', r.text);
  assert.equal((await small.refresh(u.refreshToken)).status, 200);
});

test('R15 more than ten repeats of the parent are asked to wait, and nothing ends', async () => {
  const u = await session();
  const next = await rotated(u.refreshToken);
  for (let i = 0; i < 10; i++) await rotated(u.refreshToken);
  const r = await s.refresh(u.refreshToken);
  assert.equal(r.status, 429);
  assert.equal(r.json.code, 'RATE_LIMITED');
  assert.equal(r.json.success, false);
  assert.equal((await rotated(next.refreshToken)).refreshToken, next.refreshToken);
});

test('another product presenting the parent is a second holder', async () => {
  const u = await s.register();
  const a = await s.signIn(u, { headers: { 'User-Agent': 'PhoneApp/1.0' } });
  s.advance(2 * MINUTE);
  const next = await rotated(a.refreshToken, { headers: { 'User-Agent': 'PhoneApp/1.1' } });
  assert.equal((await rotated(a.refreshToken, { headers: { 'User-Agent': 'PhoneApp/1.2' } })).refreshToken, next.refreshToken);
  await refused(a.refreshToken, 'SESSION_REVOKED', { headers: { 'User-Agent': 'curl/8' } });
});

test('a store put back from an older copy does not sign the client out as a thief', async () => {
  const u = await session();
  const sid = sidOf(u.accessToken).replaceAll('-', '');
  await s.stop();
  const row = await s.sql(`SELECT hex(cur_nonce) FROM session WHERE sid = x'${sid}'`);
  await s.launch();
  const next = await rotated(u.refreshToken);
  await s.stop();
  await s.sql(`UPDATE session SET cur_gen = 1, cur_nonce = x'${row}', parent_gen = 0 WHERE sid = x'${sid}'`);
  await s.launch();
  const ahead = await s.metric('refresh_ahead_total');

  await refused(next.refreshToken, 'INVALID_REFRESH_TOKEN');
  assert.equal(await s.metric('refresh_ahead_total'), ahead + 1);
  assert.equal(await s.sql(`SELECT count(*) FROM audit WHERE event = 'session.ahead_of_store' AND sid = x'${sid}'`), '1');
  await rotated(u.refreshToken);
});

test('no token, null and the empty string are answered alike', async () => {
  for (const body of [{}, { refreshToken: null }, { refreshToken: '' }]) {
    const r = await s.post('/auth/refresh', body, { strategy: 'bearer' });
    assert.equal(r.status, 401);
    assert.deepEqual(r.json, { success: false, error: 'No refresh token provided', message: 'No refresh token provided', code: 'NO_REFRESH_TOKEN' });
  }
  const r = await s.request('POST', '/auth/refresh', { strategy: 'bearer' });
  assert.equal(r.json.code, 'NO_REFRESH_TOKEN');
});

test('a token changed in any single character is refused', async () => {
  const u = await session();
  for (let i = 0; i < u.refreshToken.length; i++) {
    const c = u.refreshToken[i] === 'A' ? 'B' : 'A';
    await refused(u.refreshToken.slice(0, i) + c + u.refreshToken.slice(i + 1), 'INVALID_REFRESH_TOKEN');
  }
  for (const bad of [`${u.refreshToken}=`, `${u.refreshToken}A`, u.refreshToken.slice(0, -1), ` ${u.refreshToken}`, 'x'])
    await refused(bad, 'INVALID_REFRESH_TOKEN');
  await rotated(u.refreshToken);
});
