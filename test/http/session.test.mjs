// session.test.mjs — what a user can do with sessions: sign out, list, end one; who may clean up.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { claimsOf, DAY, HOUR, MINUTE, Server, sidOf } from '../lib/server.mjs';

let s;

before(async () => (s = await Server.start({ env: { SALLYPORT_SESSION_MAX_PER_USER: '5' } })));
after(() => s.close());

const list = async (token) => (await s.get('/auth/sessions', { token })).json.sessions;
const end = (token, handle) => s.request('DELETE', `/auth/sessions/${handle}`, { token });

test('SE01 every sign-in makes a session of its own, and a refresh keeps it', async () => {
  const u = await s.signedIn();
  const again = await s.signIn(u);
  s.advance(2 * MINUTE);
  const refreshed = (await s.refresh(again.refreshToken)).json;

  assert.notEqual(sidOf(again.accessToken), sidOf(u.accessToken));
  assert.equal(sidOf(refreshed.accessToken), sidOf(again.accessToken));
});

test('SE01 nothing that a client sends becomes the session id', async () => {
  const u = await s.register();
  const wanted = '11111111-1111-4111-8111-111111111111';
  const r = await s.post('/auth/login', { email: u.email, password: u.password, sid: wanted, sessionHandle: wanted },
    { strategy: 'bearer', headers: { Cookie: `sid=${wanted}; accessToken=${wanted}` } });

  assert.equal(r.status, 200);
  assert.notEqual(sidOf(r.json.accessToken), wanted);
});

test('SE02 session ids are random, never repeated and not derived from user or time', async () => {
  const u = await s.register();
  const sids = [];
  for (let i = 0; i < 32; i++) sids.push(sidOf((await s.signIn(u)).accessToken)); // the clock stands still

  assert.equal(new Set(sids).size, sids.length);
  for (const sid of sids) {
    assert.match(sid, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.notEqual(sid, u.id);
  }
  // Each of the 128 bits takes both values: a counter, a timestamp or a version would leave some fixed.
  const bits = sids.map((x) => BigInt(`0x${x.replaceAll('-', '')}`));
  for (let bit = 0n; bit < 128n; bit++) {
    const ones = bits.filter((b) => (b >> bit) & 1n).length;
    assert.ok(ones > 0 && ones < bits.length, `bit ${bit} never changes`);
  }
});

test('SE03 the list tells what each session is, and which one is asking', async () => {
  const u = await s.register();
  const phone = await s.signIn(u, { headers: { 'User-Agent': 'PhoneApp/1.0' } });
  s.advance(5 * MINUTE);
  const desk = await s.signIn(u, { headers: { 'User-Agent': 'DeskApp/2.0' } });
  const sessions = await list(desk.accessToken);

  assert.equal(sessions.length, 2);
  const [first, second] = sessions;
  assert.deepEqual(Object.keys(first).sort(), ['createdAt', 'expiresAt', 'handle', 'ipAddress', 'isCurrent',
    'lastActive', 'lastActiveAt', 'sessionHandle', 'userAgent', 'userId']);
  assert.equal(first.sessionHandle, sidOf(desk.accessToken), 'last active first');
  assert.equal(first.handle, first.sessionHandle);
  assert.equal(first.userId, u.id);
  assert.equal(first.isCurrent, true);
  assert.equal(first.userAgent, 'DeskApp/2.0');
  assert.equal(first.ipAddress, '127.0.0.0', 'coarse');
  assert.equal(first.lastActive, first.lastActiveAt);
  assert.equal(Date.parse(first.createdAt), s.now);
  assert.equal(Date.parse(first.expiresAt), s.now + 30 * DAY);
  assert.equal(second.sessionHandle, sidOf(phone.accessToken));
  assert.equal(second.isCurrent, false);
  assert.equal(second.userAgent, 'PhoneApp/1.0');
  assert.equal(Date.parse(second.createdAt), s.now - 5 * MINUTE);
});

test('SE03 a handle from the list opens nothing', async () => {
  const u = await s.signedIn();
  const [{ handle }] = await list(u.accessToken);

  assert.equal((await s.me(handle)).status, 401);
  const r = await s.refresh(handle);
  assert.equal(r.status, 401);
  assert.equal(r.json.code, 'INVALID_REFRESH_TOKEN');
});

test('SE03 ending one session signs out that device only, at once', async () => {
  const u = await s.register();
  const a = await s.signIn(u), b = await s.signIn(u);
  const r = await end(a.accessToken, sidOf(b.accessToken));

  assert.equal(r.status, 200);
  assert.deepEqual(r.json, { success: true });
  const dead = await s.me(b.accessToken);
  assert.equal(dead.status, 401);
  assert.deepEqual(dead.json, { error: 'Session has been revoked', message: 'Session has been revoked', code: 'SESSION_REVOKED' });
  assert.equal((await s.refresh(b.refreshToken)).json.code, 'SESSION_REVOKED');
  assert.equal((await s.me(a.accessToken)).status, 200);
  assert.equal((await list(a.accessToken)).length, 1);
  assert.equal((await end(a.accessToken, sidOf(b.accessToken))).status, 404, 'it is gone');
});

test("SE04 somebody else's handle is answered exactly like an unknown one", async () => {
  const owner = await s.signedIn(), other = await s.signedIn();
  const foreign = await end(other.accessToken, sidOf(owner.accessToken));
  const unknown = await end(other.accessToken, '00000000-0000-4000-8000-000000000000');
  const malformed = await end(other.accessToken, 'not-a-handle');

  assert.equal(foreign.status, 404);
  assert.deepEqual(foreign.json, { error: 'Session not found', message: 'Session not found', code: 'SESSION_NOT_FOUND' });
  assert.equal(foreign.shape, unknown.shape);
  assert.equal(foreign.shape, malformed.shape);
  assert.equal((await s.me(owner.accessToken)).status, 200);
});

test('SE05 cleanup needs an administrator', async () => {
  const user = await s.signedIn(), admin = await s.admin();
  const cleanup = (options) => s.request('POST', '/auth/sessions/cleanup', options);
  const nobody = await cleanup({});
  const bad = await cleanup({ token: 'junk' });
  const plain = await cleanup({ token: user.accessToken });
  const allowed = await cleanup({ token: admin.accessToken });

  assert.deepEqual([nobody.status, nobody.json.code], [403, 'NO_ACCESS_TOKEN']);
  assert.deepEqual([bad.status, bad.json.code], [401, 'INVALID_ACCESS_TOKEN']);
  assert.deepEqual([plain.status, plain.json], [403, { error: 'Forbidden', message: 'Forbidden', code: 'FORBIDDEN' }]);
  assert.equal(allowed.status, 200);
  assert.equal(allowed.json.success, true);
  assert.ok(Number.isInteger(allowed.json.deleted));
});

test('SE05 cleanup removes what has expired and nothing else', async (t) => {
  const s = await Server.start(); // of its own: the background sweep of an older one might be faster
  t.after(() => s.close());
  const old = await s.register();
  for (let i = 0; i < 3; i++) await s.signIn(old);
  s.advance(31 * DAY);
  const admin = await s.admin(), live = await s.signedIn();
  const r = await s.request('POST', '/auth/sessions/cleanup', { token: admin.accessToken });

  assert.equal(r.json.deleted, 3);
  assert.equal((await s.me(live.accessToken)).status, 200);
  assert.equal(await s.sql('SELECT count(*) FROM session'), '2');
});

test('SE06 beyond session.max_per_user the session idle for longest ends', async () => {
  const u = await s.register();
  const all = [];
  for (let i = 0; i < 6; i++) {
    all.push(await s.signIn(u));
    s.advance(1000);
  }

  assert.equal((await s.me(all[0].accessToken)).json.code, 'SESSION_REVOKED');
  for (const t of all.slice(1)) assert.equal((await s.me(t.accessToken)).status, 200);
  assert.equal((await list(all[5].accessToken)).length, 5);
});

test('SE09 reading writes at most once a minute and session', async () => {
  const u = await s.signedIn();
  await s.me(u.accessToken); // the first sight confirms the generation
  const before = await s.metric('store_transactions_total');
  for (let i = 0; i < 20; i++) await s.me(u.accessToken);
  assert.equal(await s.metric('store_transactions_total'), before);

  s.advance(MINUTE);
  await s.me(u.accessToken);
  await s.me(u.accessToken);
  assert.equal(await s.metric('store_transactions_total'), before + 1);
  assert.equal(Date.parse((await list(u.accessToken))[0].lastActive), s.now);
});

test('JW08 signing out with only the Authorization header ends the session at once', async () => {
  const u = await s.signedIn();
  const r = await s.request('POST', '/auth/logout', { token: u.accessToken });

  assert.equal(r.status, 200);
  assert.deepEqual(r.json, { success: true });
  assert.equal((await s.me(u.accessToken)).json.code, 'SESSION_REVOKED');
  const refused = await s.refresh(u.refreshToken);
  assert.equal(refused.status, 401);
  assert.deepEqual(refused.json, { success: false, error: 'Session has been revoked', message: 'Session has been revoked', code: 'SESSION_REVOKED' });
});

test('JW08 signing out works with an access token that has expired', async () => {
  const u = await s.signedIn();
  s.advance(HOUR);
  assert.equal((await s.me(u.accessToken)).status, 401);
  assert.equal((await s.request('POST', '/auth/logout', { token: u.accessToken })).status, 200);
  assert.equal((await s.refresh(u.refreshToken)).json.code, 'SESSION_REVOKED');
});

test('JW08 signing out works with only a refresh token in the body', async () => {
  const u = await s.signedIn();
  assert.equal((await s.post('/auth/logout', { refreshToken: u.refreshToken })).status, 200);
  assert.equal((await s.me(u.accessToken)).json.code, 'SESSION_REVOKED');
});

test('JW08 signing out again, or as nobody, says the same', async () => {
  const u = await s.signedIn();
  const first = await s.request('POST', '/auth/logout', { token: u.accessToken });
  const second = await s.request('POST', '/auth/logout', { token: u.accessToken });
  const nobody = await s.request('POST', '/auth/logout');
  const junk = await s.request('POST', '/auth/logout', { token: 'null' });
  const empty = await s.request('POST', '/auth/logout', { headers: { 'Content-Type': 'application/json', 'Content-Length': '0' } });
  const junkBody = await s.post('/auth/logout', { refreshToken: 'x'.repeat(99) });

  for (const r of [second, nobody, junk, empty, junkBody]) assert.equal(r.shape, first.shape);
});

test("JW08 a forged or foreign-key token ends nobody's session", async () => {
  const u = await s.signedIn();
  const [h, c, sig] = u.accessToken.split('.');
  const forged = `${h}.${c}.${Buffer.from(sig, 'base64url').map((b) => b ^ 1).toString('base64url')}`;
  assert.equal((await s.request('POST', '/auth/logout', { token: forged })).status, 200);
  assert.equal((await s.me(u.accessToken)).status, 200);
});

test('JW08 the access token decides when it and the refresh token name different sessions', async () => {
  const u = await s.register();
  const a = await s.signIn(u), b = await s.signIn(u);
  await s.post('/auth/logout', { refreshToken: b.refreshToken }, { token: a.accessToken });
  assert.equal((await s.me(a.accessToken)).status, 401);
  assert.equal((await s.me(b.accessToken)).status, 200);
});

test('an expired session is neither listed nor honoured', async () => {
  const u = await s.register();
  await s.signIn(u);
  s.advance(20 * DAY);
  const young = await s.signIn(u);
  s.advance(11 * DAY);
  const fresh = (await s.refresh(young.refreshToken)).json;

  assert.deepEqual((await list(fresh.accessToken)).map((x) => x.handle), [sidOf(young.accessToken)]);
});

test('the handle in the URL, in the list and in the token are one', async () => {
  const u = await s.signedIn();
  const { sid, sub } = claimsOf(u.accessToken);
  const [only] = await list(u.accessToken);
  assert.equal(only.sessionHandle, sid);
  assert.equal(sub, u.id);
  assert.equal((await end(u.accessToken, only.handle)).status, 200, 'one may end the current one too');
  assert.equal((await s.me(u.accessToken)).status, 401);
});
