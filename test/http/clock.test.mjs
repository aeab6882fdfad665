// clock.test.mjs — the time of day steps while the server runs and between its runs (REL-14).
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { DAY, MINUTE, Server, until } from '../lib/server.mjs';

const YEAR = 365 * DAY;
let s, user;

before(async () => (s = await Server.start()));
after(() => s.close());
beforeEach(async () => (user = await s.signedIn()));

const isClock = (r, what) => {
  assert.deepEqual([r.status, r.json.code], [503, 'CLOCK'], `${what}: ${r.text}`);
  assert.ok(Number(r.headers['retry-after']) >= 1, what);
};
const refused = async (u) => {
  isClock(await s.login(u.email, u.password), 'login');
  isClock(await s.refresh(u.refreshToken), 'refresh');
  isClock(await s.get('/readyz'), 'readyz');
};
const issued = async (u) => {
  const r = await s.refresh(u.refreshToken);
  assert.equal(r.status, 200, r.text);
  assert.equal((await s.get('/readyz')).status, 200);
  return { ...u, ...r.json, ...(await s.signIn(u)) };
};
/* Sets the clock to `at` without the server noticing a way there: it is not running. */
const setClock = (at) => s.advance(at - s.now);

test('REL-14 five minutes forward sign nobody out and tokens are issued', async () => {
  s.advance(5 * MINUTE);
  assert.equal((await s.me(user.accessToken)).status, 200);
  const later = await issued(user);
  assert.equal((await s.me(later.accessToken)).status, 200);
});

test('REL-14 one minute back is no reason to stop', async () => {
  s.advance(-MINUTE);
  const later = await issued(user);
  assert.equal((await s.me(later.accessToken)).status, 200);
  assert.equal((await s.me(user.accessToken)).status, 200);
  s.advance(MINUTE);
});

test('REL-14 ten minutes back: nothing is issued, live tokens go on, and all is well when the clock has caught up', async () => {
  s.advance(-10 * MINUTE);
  await refused(user);
  assert.equal((await s.me(user.accessToken)).status, 200);
  assert.equal((await s.get('/healthz')).status, 200);
  assert.equal((await s.login(user.email, 'a wrong password')).status, 503, 'nothing about the password');
  s.advance(10 * MINUTE);
  await issued(user);
  const [line, ...more] = s.events('clock_behind');
  assert.equal(line.level, 'error');
  assert.ok(Date.parse(line.seen) - Date.parse(line.now) >= 9 * MINUTE, line.text);
  assert.equal(more.length, 0, 'one line a minute, not one a request');
  assert.equal(s.events('fault').length, 0);
});

test('REL-14 sign-ins that the clock refused are not counted as guesses', async () => {
  s.advance(-10 * MINUTE);
  for (let i = 0; i < 12; i++) isClock(await s.login(user.email, user.password), 'login');
  s.advance(10 * MINUTE);
  await s.signIn(user);
});

test('REL-14 an access token that had expired is not accepted again when the clock is set back', async () => {
  s.advance(17 * MINUTE);
  assert.equal((await s.me(user.accessToken)).status, 401);
  for (const back of [1, 5, 16, 60].map((m) => m * MINUTE)) {
    s.advance(-back);
    const r = await s.me(user.accessToken);
    assert.deepEqual([r.status, r.json.code], [401, 'INVALID_ACCESS_TOKEN'], `${back / MINUTE} minutes back`);
    s.advance(back);
  }
  await issued(user);
});

test('REL-14 a session that had expired is not alive again when the clock is set back', async () => {
  s.advance(31 * DAY);
  assert.equal((await s.refresh(user.refreshToken)).json.code, 'INVALID_REFRESH_TOKEN');
  s.advance(-1.5 * MINUTE);
  assert.equal((await s.refresh(user.refreshToken)).json.code, 'INVALID_REFRESH_TOKEN');
  s.advance(1.5 * MINUTE);
});

test('REL-14 started in 1970 it says so and issues nothing; correcting the clock is enough', async () => {
  await s.stop();
  const right = s.now;
  setClock(0);
  await s.launch();
  assert.equal(s.events('clock_behind').length, 1);
  assert.match(s.events('clock_behind')[0].now, /^1970-01-01T/);
  await refused(user);
  assert.equal((await s.me(user.accessToken)).status, 200);
  setClock(right);
  await issued(user);
});

test('REL-14 the watermark survives kill -9', async () => {
  await s.restart();
  await s.kill();
  s.advance(-10 * MINUTE);
  await s.launch();
  await refused(user);
  s.advance(10 * MINUTE);
  await issued(user);
});

test('REL-14 after a year forward and back an operator says `clock reset` and all goes on', async () => {
  s.advance(YEAR);
  assert.equal((await s.get('/readyz')).status, 200);
  s.advance(-YEAR);
  await refused(user);
  await s.restart(); // a restart alone must not forget it
  await refused(user);
  s.control.set('CLOCK_FROZEN_MS', Math.floor(Date.now() / 1000) * 1000);
  s.control.set('CLOCK_SHIFT_MS', 0); // the command has the machine's clock
  const r = await s.cliOk(['clock', 'reset']);
  assert.match(r.stdout, /^the clock counts as right at \d{4}-/);
  await until(async () => (await s.get('/readyz')).status === 200, 'the server to notice');
  const fresh = await s.signedIn();
  assert.equal((await s.me(fresh.accessToken)).status, 200);
  assert.match((await s.cliOk(['audit', 'tail'])).stdout, /clock\.reset/);
});

test('clock takes `reset` and nothing else', async () => {
  for (const args of [['clock'], ['clock', 'set'], ['clock', 'reset', 'now']]) assert.equal((await s.cli(args)).code, 2, args.join(' '));
});
