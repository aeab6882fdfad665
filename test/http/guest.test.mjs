// guest.test.mjs — accounts without address and password: made, used, given an address in place, and merged. How they are swept: test/unit/test_guest.c.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createLocalJWKSet, createRemoteJWKSet, jwtVerify } from 'jose';
import { codeIn, freshNumber } from '../lib/delivery.mjs';
import { CHANGE, IN_USE, Mailed, refusal, RESET, VERIFY, WELCOME } from '../lib/mailed.mjs';
import { claimsOf, freshEmail, freshPassword, HOUR, MINUTE, Server } from '../lib/server.mjs';
import { HttpSink } from '../lib/sms_sink.mjs';

const ON = { SALLYPORT_GUEST_ENABLED: 'true', SALLYPORT_GUEST_PER_HOUR: '1000000', SALLYPORT_LIMITS_RESEND: '0s', SALLYPORT_PASSWORD_MAX_WAIT: '60s' };
let m, s, strict, gateway;

before(async () => {
  gateway = await HttpSink.start();
  m = await Mailed.start({ env: { ...ON, ...gateway.env('http-post'), SALLYPORT_VERIFICATION_MODE: 'lazy' } });
  strict = await Mailed.start({ sink: m.sink, env: { ...ON, SALLYPORT_VERIFICATION_MODE: 'strict' } });
  s = m.s;
});
after(async () => {
  await strict.close();
  await m.close();
  await gateway.close();
});

async function guest(on = s) {
  const r = await on.request('POST', '/auth/guest', { strategy: 'bearer' });
  assert.equal(r.status, 200, r.text);
  return { ...r.json, id: r.json.userId };
}

const register = (g, over = {}, on = s) => on.post('/auth/register', { email: freshEmail(), password: freshPassword(), ...over }, { token: g.accessToken });
const rowId = async (g, on = s) => on.sql(`SELECT id FROM user WHERE hex(uid) = '${g.id.replaceAll('-', '').toUpperCase()}'`);
const eventsOf = async (g, on = s) => (await on.sql(`SELECT event FROM audit WHERE hex(user_uid) = '${g.id.replaceAll('-', '').toUpperCase()}' ORDER BY id`)).split('\n');
const guests = (on = s) => on.sql('SELECT count(*) FROM user WHERE is_guest = 1');

/* ---- made ---- */

test('a guest is made in one call, signed in, and is somebody without address and password', async () => {
  const g = await guest();
  for (const name of ['accessToken', 'refreshToken', 'deviceToken']) assert.equal(typeof g[name], 'string', name);
  assert.equal(g.success, true);
  const claims = claimsOf(g.accessToken);
  assert.deepEqual([claims.sub, claims.amr, claims.email, claims.isEmailVerified], [g.userId, ['guest'], '', false]);
  const me = (await s.me(g.accessToken)).json;
  assert.deepEqual([me.sub, me.id, me.email, me.isGuest, me.hasPassword, me.isEmailVerified, me.isAdmin], [g.userId, g.userId, '', true, false, false, false]);
  assert.deepEqual(await eventsOf(g), ['guest.created', 'login.ok']);

  const fresh = await s.refresh(g.refreshToken);
  assert.deepEqual([fresh.status, claimsOf(fresh.json.accessToken).amr], [200, ['guest']]);
  assert.equal((await s.request('PATCH', '/auth/profile', { token: g.accessToken, json: { firstName: 'Ada' } })).status, 200);
  assert.equal((await s.get('/auth/sessions', { token: g.accessToken })).json.sessions.length, 1);
});

test('who is no guest has no isGuest', async () => {
  const u = await s.signedIn();
  assert.equal('isGuest' in (await s.me(u.accessToken)).json, false);
});

test('guests are off unless they are switched on', async (t) => {
  const off = await Server.start();
  t.after(() => off.close());
  assert.deepEqual(refusal(await off.request('POST', '/auth/guest', { strategy: 'bearer' })), [404, 'NOT_FOUND', 'Not found']);
  assert.equal(await off.sql('SELECT count(*) FROM user'), '0');
});

test('a network gets guest.per_hour guests, other networks their own, and more when the hour is over', async (t) => {
  const one = await Server.start({ env: { ...ON, SALLYPORT_GUEST_PER_HOUR: '3', SALLYPORT_SERVER_TRUSTED_PROXIES: '127.0.0.1' } });
  t.after(() => one.close());
  const from = (ip) => one.request('POST', '/auth/guest', { strategy: 'bearer', headers: { 'X-Forwarded-For': ip } });
  const many = await Promise.all(Array.from({ length: 20 }, () => from('203.0.113.7')));
  assert.equal(many.filter((r) => r.status === 200).length, 3);
  for (const r of many.filter((x) => x.status !== 200)) assert.deepEqual([r.status, r.json.code, Number(r.headers['retry-after']) <= 3600], [429, 'RATE_LIMITED', true]);
  assert.equal(await guests(one), '3');
  assert.equal((await from('203.0.113.8')).status, 200);
  one.advance(HOUR);
  assert.equal((await from('203.0.113.7')).status, 200);
});

test('no look-up by address finds a guest, whatever is sent as one', async () => {
  const g = await guest(), key = await s.sql(`SELECT email_key FROM user WHERE id = ${await rowId(g)}`);
  assert.equal(key, `guest:${g.id}`);
  for (const email of [key, key.toUpperCase(), '', 'guest', g.id]) {
    const login = await s.post('/auth/login', { email, password: freshPassword() }, { strategy: 'bearer' });
    assert.deepEqual([login.status, login.json.code], [401, 'INVALID_CREDENTIALS'], email);
    assert.equal((await s.post('/auth/forgot-password', { email })).status, 200);
    if (email !== '') assert.equal((await s.post('/auth/send-verification-email', { email })).status, 200);
    assert.equal((await s.post('/auth/register', { email, password: freshPassword() })).status, 400);
  }
  assert.equal(await s.sql(`SELECT count(*) FROM onetime WHERE user_id = ${await rowId(g)}`), '0');
  assert.deepEqual([...new Set(await eventsOf(g))], ['guest.created', 'login.ok']);
  assert.deepEqual(refusal(await s.post('/auth/send-verification-email', {}, { token: g.accessToken })), [400, 'EMAIL_REQUIRED', 'email is required']);
});

test('nobody is asked for a second factor as a guest', async (t) => {
  const one = await Server.start({ env: { ...ON, SALLYPORT_TWOFACTOR_REQUIRED: 'true' } });
  t.after(() => one.close());
  const g = await guest(one);
  assert.equal((await one.me(g.accessToken)).status, 200);
  assert.equal((await one.refresh(g.refreshToken)).status, 200);
});

test('a guest adds a phone number while the sign-in is recent; its age alone counts', async () => {
  const g = await guest(), phoneNumber = freshNumber();
  assert.equal((await s.post('/auth/add-phone', { phoneNumber }, { token: g.accessToken })).status, 200);
  assert.equal((await s.post('/auth/add-phone/verify', { code: codeIn(await gateway.sms(phoneNumber)) }, { token: g.accessToken })).status, 200);
  assert.equal((await s.me(g.accessToken)).json.phoneNumber, phoneNumber);
  s.advance(11 * MINUTE);
  assert.deepEqual(refusal(await s.post('/auth/add-phone', { phoneNumber: null }, { token: g.accessToken })).slice(0, 2), [403, 'REAUTH_REQUIRED']);
});

test('a guest exports what there is of him and deletes it', async () => {
  const g = await guest();
  const x = (await s.get('/auth/export', { token: g.accessToken })).json;
  assert.deepEqual([x.user.id, x.user.email, x.user.isGuest, x.linkedAccounts, x.sessions.length], [g.id, '', true, [], 1]);
  assert.deepEqual((await s.request('DELETE', '/auth/account', { token: g.accessToken })).json, { success: true });
  assert.equal((await s.me(g.accessToken)).status, 401);
  assert.equal(await rowId(g), '');
});

test('the command line shows guests and takes care of them', async () => {
  const g = await guest();
  assert.match((await s.cliOk(['user', 'show', g.id])).stdout, /^address +none: a guest$/m);
  assert.match((await s.cliOk(['user', 'list'])).stdout, new RegExp(`^${g.id}  guest  created `, 'm'));
  assert.notEqual((await s.cli(['user', 'send-reset', g.id])).code, 0, 'where should the link go?');
  await s.cliOk(['user', 'disable', g.id]);
  assert.equal((await s.me(g.accessToken)).status, 401);
  await s.cliOk(['user', 'enable', g.id]);
  await s.cliOk(['user', 'delete', g.id]);
  assert.equal(await rowId(g), '');
});

/* ---- given an address ---- */

test('a guest registers in place: the id stays, the session goes on, the address is to be proven', async () => {
  const g = await guest(), email = freshEmail(), password = freshPassword();
  await s.request('PATCH', '/auth/profile', { token: g.accessToken, json: { firstName: 'Ada', lastName: 'L' } });
  const r = await register(g, { email, password, lastName: 'Lovelace' });
  assert.deepEqual([r.status, r.json], [201, { success: true, userId: g.id }]);
  const me = (await s.me(g.accessToken)).json;
  assert.deepEqual([me.sub, me.email, me.isGuest, me.hasPassword, me.isEmailVerified, me.firstName, me.lastName], [g.id, email, undefined, true, false, 'Ada', 'Lovelace']);
  const fresh = (await s.refresh(g.refreshToken)).json;
  assert.deepEqual([claimsOf(fresh.accessToken).sub, claimsOf(fresh.accessToken).email], [g.id, email]);
  assert.equal(claimsOf((await s.signIn({ email, password })).accessToken).sub, g.id);
  assert.equal((await s.post('/auth/verify-email', { token: await m.token(email, VERIFY) })).status, 200);
  assert.equal((await s.me(fresh.accessToken)).json.isEmailVerified, true);
  assert.deepEqual((await eventsOf(g)).filter((e) => /^guest/.test(e)), ['guest.created', 'guest.upgraded']);
  assert.equal(await s.sql(`SELECT verify_by_ms > 0 FROM user WHERE id = ${await rowId(g)}`), '1', 'lazy: like any new account');
});

test('with no proof asked a guest who registers is welcomed like anybody', async (t) => {
  const plain = await Mailed.start({ sink: m.sink, env: ON });
  t.after(() => plain.close());
  const g = await guest(plain.s), email = freshEmail();
  assert.equal((await register(g, { email }, plain.s)).status, 201);
  assert.deepEqual(await plain.subjects(email), [WELCOME]);
});

test('what would be refused of anybody is refused of a guest, who stays one', async () => {
  const g = await guest();
  for (const [body, code] of [[{ email: 'x' }, 'VALIDATION_ERROR'], [{ password: 'short' }, 'VALIDATION_ERROR'], [{ email: '' }, 'VALIDATION_ERROR'], [{ firstName: 'x'.repeat(101) }, 'VALIDATION_ERROR'], [{ isAdmin: true }, 'VALIDATION_ERROR']]) {
    const r = await register(g, body);
    assert.deepEqual([r.status, r.json.code, r.json.mergeToken], [400, code, undefined], JSON.stringify(body));
  }
  assert.equal((await s.me(g.accessToken)).json.isGuest, true);
});

test('a guest\'s token must be good: an expired one is refreshed first, so that nobody becomes a second account', async () => {
  const g = await guest(), had = await s.sql('SELECT count(*) FROM user');
  s.advance(16 * MINUTE);
  assert.deepEqual(refusal(await register(g)).slice(0, 2), [401, 'INVALID_ACCESS_TOKEN']);
  const fresh = (await s.refresh(g.refreshToken)).json;
  assert.equal((await register({ ...g, ...fresh })).json.userId, g.id);
  assert.equal(await s.sql('SELECT count(*) FROM user'), had);
});

test('other tokens do not matter to a registration: somebody\'s, an expired one, none at all', async () => {
  const u = await s.signedIn(), gone = await guest(), expired = { ...u };
  await s.request('DELETE', '/auth/account', { token: gone.accessToken });
  for (const token of [u.accessToken, 'junk', '', 'null', gone.accessToken]) {
    const r = await register({ accessToken: token });
    assert.equal(r.status, 201, token);
    assert.notEqual(r.json.userId, u.id);
  }
  s.advance(16 * MINUTE);
  assert.equal((await register(expired)).status, 201);
  assert.equal((await s.refresh(u.refreshToken)).status, 200);
});

test('a merge token tells the app\'s backend whose things to move, and opens nothing', async () => {
  const other = await s.register(), g = await guest();
  const r = await register(g, { email: other.email.toUpperCase() });
  assert.deepEqual(refusal(r), [409, 'EMAIL_EXISTS', 'Email already registered']);
  assert.deepEqual(Object.keys(r.json), ['error', 'message', 'code', 'mergeToken']);
  const keys = createRemoteJWKSet(new URL(`http://${s.target.host}:${s.target.port}/.well-known/jwks.json`));
  const want = { issuer: 'https://auth.example.test', audience: 'https://auth.example.test', typ: 'merge+jwt', algorithms: ['ES256'], currentDate: new Date(s.now) };
  const { payload } = await jwtVerify(r.json.mergeToken, keys, want);
  assert.deepEqual(Object.keys(payload), ['iss', 'aud', 'sub', 'jti', 'iat', 'exp', 'token_use']);
  assert.deepEqual([payload.sub, payload.token_use, payload.exp - payload.iat], [g.id, 'merge', 600]);
  assert.notEqual(claimsOf((await register(g, { email: other.email })).json.mergeToken).jti, payload.jti);
  await assert.rejects(jwtVerify(r.json.mergeToken, keys, { ...want, currentDate: new Date(s.now + 10 * MINUTE) }), { code: 'ERR_JWT_EXPIRED' });

  assert.deepEqual(refusal(await s.me(r.json.mergeToken)).slice(0, 2), [401, 'INVALID_ACCESS_TOKEN']);
  assert.equal((await s.refresh(r.json.mergeToken)).status, 401);
  assert.equal((await s.request('POST', '/auth/logout', { token: r.json.mergeToken })).status, 200);
  const me = (await s.me(g.accessToken)).json;
  assert.deepEqual([me.isGuest, me.email, me.hasPassword], [true, '', false], 'nothing changed, and nothing ended');
  assert.equal((await s.signIn(other)).accessToken.length > 0, true);
});

test('merge tokens are signed with the algorithm of the others', async (t) => {
  for (const alg of ['RS256', 'EdDSA']) {
    const one = await Server.start({ env: { ...ON, SALLYPORT_TOKEN_ALGORITHM: alg } });
    t.after(() => one.close());
    const other = await one.register();
    const { mergeToken } = (await register(await guest(one), { email: other.email }, one)).json;
    const { protectedHeader } = await jwtVerify(mergeToken, createLocalJWKSet((await one.get('/.well-known/jwks.json')).json), { currentDate: new Date(one.now) });
    assert.deepEqual([protectedHeader.alg, protectedHeader.typ], [alg, 'merge+jwt']);
  }
});

test('who is no guest gets no merge token', async () => {
  const other = await s.register(), u = await s.signedIn();
  for (const token of [undefined, u.accessToken]) {
    const r = await s.post('/auth/register', { email: other.email, password: freshPassword() }, { token });
    assert.deepEqual([r.status, Object.keys(r.json)], [409, ['error', 'message', 'code']]);
  }
});

test('of fifty parallel registrations of one guest one is made', async () => {
  const g = await guest(), email = freshEmail();
  const all = await Promise.all(Array.from({ length: 50 }, () => register(g, { email })));
  assert.equal(all.filter((r) => r.status === 201).length, 1);
  for (const r of all.filter((x) => x.status !== 201)) assert.deepEqual([r.status, r.json.code, r.json.mergeToken], [409, 'EMAIL_EXISTS', undefined], 'the address it meets is its own');
  assert.equal(await s.sql(`SELECT count(*) FROM user WHERE email_key = '${email}'`), '1');
  assert.equal((await s.me(g.accessToken)).json.email, email);
});

test('of fifty guests who want one address at once one gets it', async () => {
  const email = freshEmail(), many = [];
  for (let i = 0; i < 50; i++) many.push(await guest());
  const all = await Promise.all(many.map((g) => register(g, { email })));
  assert.equal(all.filter((r) => r.status === 201).length, 1);
  for (const [i, r] of all.entries())
    if (r.status !== 201) assert.deepEqual([r.status, claimsOf(r.json.mergeToken).sub], [409, many[i].id]);
  const states = await Promise.all(many.map(async (g) => (await s.me(g.accessToken)).json.isGuest ?? false));
  assert.equal(states.filter((x) => x === false).length, 1);
});

test('registering ends what else a guest had pending, and his other sessions', async () => {
  const g = await guest(), to = freshEmail('pending');
  await s.post('/auth/change-email/request', { newEmail: to }, { token: g.accessToken });
  const { token } = await m.link(to, CHANGE);
  await s.sql(`INSERT INTO session (id, sid, user_id, cur_gen, cur_nonce, rotated_ms, auth_ms, amr, created_ms, idle_expires_ms, abs_expires_ms, sweep_day, last_active_ms) SELECT abs(random()), randomblob(16), user_id, cur_gen, cur_nonce, rotated_ms, auth_ms, amr, created_ms, idle_expires_ms, abs_expires_ms, sweep_day, last_active_ms FROM session WHERE user_id = ${await rowId(g)}`);
  assert.equal((await register(g)).status, 201);
  assert.deepEqual(refusal(await s.post('/auth/change-email/confirm', { token })).slice(0, 2), [400, 'INVALID_EMAIL_CHANGE_TOKEN']);
  assert.equal(await s.sql(`SELECT count(*) FROM session WHERE user_id = ${await rowId(g)}`), '1');
  assert.equal((await s.me(g.accessToken)).status, 200);
});

/* ---- in strict mode ---- */

test('in strict mode a guest learns nothing by registering: taken or free, answer and profile are the same', async () => {
  const other = await strict.s.register(), seen = [];
  for (const email of [other.email, freshEmail()]) {
    const g = await guest(strict.s);
    const r = await register(g, { email, firstName: 'Ada' }, strict.s);
    assert.deepEqual([r.status, r.json], [201, { success: true, userId: g.id }]);
    const me = (await strict.s.me(g.accessToken)).json, x = (await strict.s.get('/auth/export', { token: g.accessToken })).json;
    const plain = JSON.stringify([me, { ...x, sessions: null, events: x.events.map((e) => [e.event, e.detail]) }]);
    seen.push(plain.replaceAll(g.id, 'ID').replaceAll(email, 'ADDRESS'));
  }
  assert.equal(seen[0], seen[1]);
  assert.match(seen[0], /"isGuest":true/);
  assert.ok((await strict.subjects(other.email)).includes(IN_USE), 'the owner hears of it');
});

test('in strict mode a guest becomes somebody when the address is proven, with the password and names he gave', async () => {
  const g = await guest(strict.s), email = freshEmail(), password = freshPassword();
  assert.equal((await register(g, { email, password, firstName: 'Ada' }, strict.s)).status, 201);
  assert.equal((await strict.s.login(email, password)).status, 401, 'not yet');
  assert.equal((await strict.s.post('/auth/change-email/confirm', { token: await strict.token(email, CHANGE) })).status, 200);
  const me = (await strict.s.me(g.accessToken)).json;
  assert.deepEqual([me.sub, me.email, me.isGuest, me.isEmailVerified, me.firstName, me.hasPassword], [g.id, email, undefined, true, 'Ada', true]);
  assert.equal(claimsOf((await strict.s.signIn({ email, password })).accessToken).sub, g.id);
});

test('a guest with a password, in strict mode, proves with it who he is, on a budget of his own', async () => {
  const g = await guest(strict.s), password = freshPassword();
  await register(g, { password }, strict.s);
  strict.s.advance(11 * MINUTE);
  const change = (currentPassword) => strict.s.post('/auth/change-password', { currentPassword, newPassword: freshPassword() }, { token: g.accessToken });
  assert.equal((await change('wrong wrong wrong')).status, 401);
  assert.equal((await change(password)).status, 200);
});

/* ---- through a proven address ---- */

test('a guest proves an address and is a guest no more: no password asked, no way back as there is no old address', async () => {
  const g = await guest(), email = freshEmail();
  s.advance(11 * MINUTE);
  const r = await s.post('/auth/change-email/request', { newEmail: email }, { token: g.accessToken });
  assert.deepEqual([r.status, r.json], [200, { success: true }], 'nor a recent sign-in: he has none to repeat');
  assert.equal((await s.me(g.accessToken)).json.isGuest, true);
  assert.equal((await s.post('/auth/change-email/confirm', { token: await m.token(email, CHANGE) })).status, 200);
  const me = (await s.me(g.accessToken)).json;
  assert.deepEqual([me.sub, me.email, me.isGuest, me.isEmailVerified, me.hasPassword], [g.id, email, undefined, true, false]);
  assert.equal(await s.sql(`SELECT count(*) FROM onetime WHERE user_id = ${await rowId(g)}`), '0');
  assert.equal((await eventsOf(g)).at(-1), 'guest.upgraded');
  await s.post('/auth/forgot-password', { email });
  const password = freshPassword();
  assert.equal((await s.post('/auth/reset-password', { token: await m.token(email, RESET), password })).status, 200);
  assert.equal(claimsOf((await s.signIn({ email, password })).accessToken).sub, g.id);
});

test('once he is somebody, the password and the recent sign-in are asked of him like of anybody', async () => {
  const g = await guest(), email = freshEmail();
  await s.post('/auth/change-email/request', { newEmail: email }, { token: g.accessToken });
  await s.post('/auth/change-email/confirm', { token: await m.token(email, CHANGE) });
  const again = () => s.post('/auth/change-email/request', { newEmail: freshEmail() }, { token: g.accessToken });
  assert.deepEqual(refusal(await again()).slice(0, 2), [403, 'PASSWORD_REQUIRED']);
  s.advance(11 * MINUTE);
  assert.deepEqual(refusal(await again()).slice(0, 2), [403, 'REAUTH_REQUIRED']);
});

test('ID07 a guest who took somebody\'s address loses all of it to whoever proves the address', async () => {
  const victim = freshEmail('victim'), g = await guest(), planted = freshPassword(), password = freshPassword(), phoneNumber = freshNumber();
  await s.post('/auth/add-phone', { phoneNumber }, { token: g.accessToken });
  await s.post('/auth/add-phone/verify', { code: codeIn(await gateway.sms(phoneNumber)) }, { token: g.accessToken });
  assert.equal((await register(g, { email: victim, password: planted })).status, 201);
  await s.post('/auth/forgot-password', { email: victim });
  assert.equal((await s.post('/auth/reset-password', { token: await m.token(victim, RESET), password })).status, 200);
  assert.equal((await s.me(g.accessToken)).json.code, 'SESSION_REVOKED');
  assert.equal((await s.login(victim, planted)).status, 401);
  assert.equal((await s.me((await s.signIn({ email: victim, password })).accessToken)).json.phoneNumber, undefined);
});
