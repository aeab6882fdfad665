// check.test.mjs — GET /auth/check, what a reverse proxy asks before it lets a request through.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { MINUTE, Server } from '../lib/server.mjs';

let s;

before(async () => (s = await Server.start()));
after(() => s.close());

const uidOf = (u) => `hex(uid) = upper('${u.id.replaceAll('-', '')}')`;
const prove = (u) => s.sql(`UPDATE user SET email_verified = 1 WHERE ${uidOf(u)}`);
const check = (token, options) => s.get('/auth/check', { token, ...options });

test('a live token is 200 with the headers the proxy copies', async () => {
  const u = await s.signedIn();
  await prove(u);
  const r = await check(u.accessToken);
  assert.equal(r.status, 200);
  assert.deepEqual(r.json, { success: true });
  assert.equal(r.headers['x-auth-user-id'], u.id);
  assert.equal(r.headers['x-auth-email'], u.email);
  assert.equal(r.headers['x-auth-email-verified'], 'true');
  assert.equal(r.headers['x-auth-role'], undefined);
});

test('an address that nobody has proven is not named, unless it is wanted and said to be', async (t) => {
  const u = await s.signedIn();
  const r = await check(u.accessToken);
  assert.deepEqual([r.status, r.headers['x-auth-user-id'], r.headers['x-auth-email'], r.headers['x-auth-email-verified']], [200, u.id, undefined, undefined]);
  const open = await Server.start({ env: { SALLYPORT_FORWARD_UNPROVEN_EMAIL: 'true' } });
  t.after(() => open.close());
  const v = await open.signedIn(), named = await open.get('/auth/check', { token: v.accessToken });
  assert.deepEqual([named.headers['x-auth-email'], named.headers['x-auth-email-verified']], [v.email, 'false']);
});

test('a guest is let through without an address', async (t) => {
  const own = await Server.start({ env: { SALLYPORT_GUEST_ENABLED: 'true', SALLYPORT_FORWARD_UNPROVEN_EMAIL: 'true' } });
  t.after(() => own.close());
  const { json } = await own.post('/auth/guest', undefined, { strategy: 'bearer' });
  const r = await own.get('/auth/check', { token: json.accessToken });
  assert.deepEqual([r.status, r.headers['x-auth-email'], r.headers['x-auth-email-verified']], [200, undefined, undefined]);
  assert.match(r.headers['x-auth-user-id'], /^[0-9a-f-]{36}$/);
});

test('an international address goes out in ASCII, the role when there is one', async () => {
  const u = await s.signedIn({ email: `Jürgen.${Date.now()}@bücher.example`.replace('ü', 'u') });
  await prove(u);
  await s.sql(`UPDATE user SET role = 'clerk' WHERE ${uidOf(u)}`);
  const r = await check(u.accessToken);
  assert.match(r.headers['x-auth-email'], /^jurgen\.\d+@xn--bcher-kva\.example$/);
  assert.equal(r.headers['x-auth-role'], 'clerk');
});

test('a role of any characters is visible ASCII in its header', async () => {
  const u = await s.signedIn();
  for (const [role, header] of [['Bücher-Chef', 'B%C3%BCcher-Chef'], ['100% clerk', '100%25%20clerk'], ['a\r\nX-Auth-Email: root@example.test', 'a%0D%0AX-Auth-Email:%20root@example.test'], ['\u{1F511}', '%F0%9F%94%91']]) {
    await s.sql(`UPDATE user SET role = cast(x'${Buffer.from(role).toString('hex')}' AS text) WHERE ${uidOf(u)}`);
    await sleep(20); // what another process has written is seen after 10 ms
    const r = await check(u.accessToken);
    assert.deepEqual([r.status, r.headers['x-auth-role'], r.headers['x-auth-email']], [200, header, undefined], role);
    assert.equal(decodeURIComponent(header), role);
  }
});

test('no token, a bad one and an expired one are 401: what proxies expect', async () => {
  const u = await s.signedIn();
  const none = await check(undefined), junk = await check('junk');
  s.advance(16 * MINUTE);
  const expired = await check(u.accessToken);
  for (const r of [none, junk, expired]) {
    assert.deepEqual([r.status, r.json.code], [401, 'INVALID_ACCESS_TOKEN']);
    assert.equal(r.headers['www-authenticate'], 'Bearer error="invalid_token"');
    assert.equal(r.headers['x-auth-user-id'], undefined);
  }
});

test('an ended session is 401 at once', async () => {
  const u = await s.signedIn();
  assert.equal((await check(u.accessToken)).status, 200);
  await s.request('POST', '/auth/logout', { token: u.accessToken });
  const r = await check(u.accessToken);
  assert.deepEqual([r.status, r.json.code], [401, 'SESSION_REVOKED']);
});

test('headers a client sends itself are not echoed', async () => {
  const u = await s.signedIn();
  await prove(u);
  const r = await check(u.accessToken, { headers: { 'X-Auth-User-Id': 'root', 'X-Auth-Email': 'root@example.test', 'X-Auth-Role': 'admin', 'X-Original-URI': '/admin' } });
  assert.equal(r.headers['x-auth-user-id'], u.id);
  assert.equal(r.headers['x-auth-email'], u.email);
  assert.equal(r.headers['x-auth-role'], undefined);
});

test('HEAD answers the same without a body', async () => {
  const u = await s.signedIn();
  const r = await s.request('HEAD', '/auth/check', { token: u.accessToken });
  assert.equal(r.status, 200);
  assert.equal(r.headers['x-auth-user-id'], u.id);
  assert.equal(r.body.length, 0);
});

test('it counts as use of the session', async () => {
  const u = await s.signedIn();
  s.advance(2 * MINUTE);
  await check(u.accessToken);
  const { sessions } = (await s.get('/auth/sessions', { token: u.accessToken })).json;
  assert.equal(Date.parse(sessions[0].lastActive), s.now);
});
