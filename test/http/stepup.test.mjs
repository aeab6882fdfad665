// stepup.test.mjs — sensitive actions ask again who is there: one mechanism, switched on by a column of the
// route table, so every route that has it is asked here in the same way.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { routes } from '../lib/routes.mjs';
import { freshEmail, freshPassword, MINUTE, Server, sidOf, until } from '../lib/server.mjs';
import { HttpSink } from '../lib/sms_sink.mjs';

const TEN_MINUTES = 10 * MINUTE;
const REAUTH = { error: 'Please sign in again, or send your current password', message: 'Please sign in again, or send your current password', code: 'REAUTH_REQUIRED' };
const WRONG = { error: 'Current password is incorrect', message: 'Current password is incorrect', code: 'CURRENT_PASSWORD_INCORRECT' };
const guarded = routes.filter((r) => !['NONE', 'FACTOR', 'REMOVAL'].includes(r.stepup)); // those: factor.test.mjs

let last = 0;
/* What each of them is asked for; a new route must be added here. */
const BODIES = {
  'POST /auth/change-email/request': () => ({ newEmail: freshEmail('new') }),
  'POST /auth/add-phone': () => ({ phoneNumber: `+39340${String(++last).padStart(4, '0')}222` }),
  'DELETE /auth/account': () => ({}),
  'POST /auth/oauth/{provider}/link': () => ({}),
  'DELETE /auth/linked-accounts/{provider}/{providerAccountId}': () => ({}),
};
const named = (route) => `${route.method} ${route.path}`;
const where = (route) => route.path.replace('/oauth/{provider}', '/oauth/github');
const GITHUB = { SALLYPORT_OAUTH_GITHUB_CLIENT_ID: 'id', SALLYPORT_OAUTH_GITHUB_CLIENT_SECRET: 'a secret of theirs' };

let sink, env, s;

before(async () => {
  sink = await HttpSink.start();
  env = { ...GITHUB, ...sink.env('http-get'), ...sink.env('mail'), SALLYPORT_STEPUP_ACCOUNT_DELETE: 'true', SALLYPORT_LIMITS_SMS_NETWORK_PER_HOUR: '10000', SALLYPORT_LIMITS_MAIL_NETWORK_PER_HOUR: '10000' };
  s = await Server.start({ env });
});
after(async () => {
  await s.close();
  await sink.close();
});

const ask = (route, u, more = {}, on = s) => on.request(route.method, where(route), { token: u.accessToken, json: { ...BODIES[named(route)](), ...more } });

/* Signed in longer ago than a sensitive action likes. */
async function longAgo(on = s, over = {}) {
  const u = await on.signedIn(over);
  on.advance(TEN_MINUTES + 1);
  assert.equal((await on.me(u.accessToken)).status, 200); // now its use is noted, and the next one is not
  return u;
}

/* Everything stored that a refused request could have touched. */
const state = (on = s) => on.sql(['user', 'session', 'onetime', 'attempt', 'place', 'audit'].map((t) => `SELECT * FROM ${t} ORDER BY 1;`).join('\n'));
const messages = async (on = s) => [await on.sql('SELECT count(*) FROM outbox'), sink.requests.length].join();
const hexOf = (u) => u.id.replaceAll('-', '').toUpperCase();
const eventsOf = async (u, like, on = s) => (await on.sql(`SELECT event || coalesce(' (' || detail || ')', '') FROM audit WHERE hex(user_uid) = '${hexOf(u)}' AND event LIKE '${like}' ORDER BY id`)).split('\n').filter(Boolean);

function refused(r, status, json, what) {
  assert.deepEqual([r.status, r.json], [status, json], what);
}

test('the table guards what it should, and every guarded route is asked below', () => {
  const column = Object.fromEntries(guarded.map((r) => [named(r), r.stepup]));
  assert.equal(column['POST /auth/change-email/request'], 'NO_GUEST');
  assert.equal(column['DELETE /auth/linked-accounts/{provider}/{providerAccountId}'], 'FRESH');
  assert.equal(column['POST /auth/add-phone'], 'FRESH');
  assert.equal(column['DELETE /auth/account'], 'SETTING');
  assert.equal(column['POST /auth/oauth/{provider}/link'], 'FRESH');
  for (const route of guarded) assert.ok(named(route) in BODIES, `${named(route)} has no body in this test`);
});

for (const route of guarded) {
  test(`${named(route)} refuses a sign-in of more than ten minutes ago, and nothing else happens`, async () => {
    const u = await longAgo();
    await until(async () => (await s.sql('SELECT count(*) FROM outbox')) === '0', 'the outbox to be empty');
    const had = [await state(), await messages()];
    for (const proof of [{}, { currentPassword: '' }, { password: u.password }, { newPassword: u.password }])
      refused(await ask(route, u, proof), 403, REAUTH, JSON.stringify(Object.keys(proof)));
    assert.deepEqual([await state(), await messages()], had);
  });

  test(`${named(route)} is open for ten minutes after signing in`, async () => {
    const u = await s.signedIn();
    s.advance(TEN_MINUTES);
    assert.equal((await ask(route, u)).status, 200);
  });

  test(`${named(route)} takes the current password instead`, async () => {
    const u = await longAgo();
    const r = await ask(route, u, { currentPassword: u.password });
    assert.equal(r.status, 200, r.text);
    assert.deepEqual(await eventsOf(u, 'stepup.%'), ['stepup.ok (password)']);
  });

  test(`${named(route)} refuses a wrong password, and it counts`, async () => {
    const u = await longAgo();
    refused(await ask(route, u, { currentPassword: 'wrong wrong 1' }), 401, WRONG);
    for (const bad of [null, 7, {}, [], true, 'x'.repeat(5000)]) {
      const r = await ask(route, u, { currentPassword: bad });
      assert.deepEqual([r.status, r.json.code, r.json.fields[0].field], [400, 'VALIDATION_ERROR', 'currentPassword']);
    }
    assert.deepEqual(await eventsOf(u, 'stepup.%'), ['stepup.failed (password)']);
    assert.equal((await s.me(u.accessToken)).status, 200, 'the session goes on');
    for (let i = 2; i <= 5; i++) refused(await ask(route, u, { currentPassword: `wrong wrong ${i}` }), 401, WRONG);
    const closed = await ask(route, u, { currentPassword: u.password });
    assert.deepEqual([closed.status, closed.json.code], [429, 'RATE_LIMITED']);
    assert.equal((await s.login(u.email, u.password)).status, 429, 'BF02: one budget for every door');
    refused(await ask(route, u), 403, REAUTH);
  });

  test(`${named(route)} without a session asks for that first`, async () => {
    const r = await s.request(route.method, where(route), { json: { currentPassword: 'whatever it is' } });
    assert.deepEqual([r.status, r.json.code], [403, 'NO_ACCESS_TOKEN']);
  });
}

test('BF02 wrong passwords at all doors together close all of them', async () => {
  const u = await longAgo();
  const [mail, phone] = guarded;
  assert.equal((await ask(mail, u, { currentPassword: 'wrong wrong 1' })).status, 401);
  assert.equal((await ask(phone, u, { currentPassword: 'wrong wrong 2' })).status, 401);
  assert.equal((await s.login(u.email, 'wrong wrong 3')).status, 401);
  assert.equal((await s.post('/auth/change-password', { currentPassword: 'wrong wrong 4', newPassword: freshPassword() }, { token: u.accessToken })).status, 401);
  assert.equal((await ask(guarded.at(-1), u, { currentPassword: 'wrong wrong 5' })).status, 401);
  for (const r of [await ask(mail, u, { currentPassword: u.password }), await s.login(u.email, u.password),
    await s.post('/auth/change-password', { currentPassword: u.password, newPassword: freshPassword() }, { token: u.accessToken })])
    assert.deepEqual([r.status, r.json.code], [429, 'RATE_LIMITED']);
});

test('the password counts for that session, for ten minutes, at every route', async () => {
  const u = await longAgo(), [first, second] = guarded;
  const elsewhere = { ...u, ...(await s.signIn(u)) };
  assert.notEqual(sidOf(u.accessToken), sidOf(elsewhere.accessToken));
  s.advance(TEN_MINUTES - MINUTE);
  const { accessToken } = (await s.refresh(u.refreshToken)).json;
  const here = { ...u, accessToken };
  refused(await ask(first, here), 403, REAUTH, 'refreshing is no signing in');
  assert.equal((await ask(first, here, { currentPassword: u.password })).status, 200);
  assert.equal((await ask(second, here)).status, 200);
  assert.equal((await ask(first, here)).status, 200);
  assert.deepEqual(await eventsOf(u, 'stepup.%'), ['stepup.ok (password)'], 'once');

  s.advance(MINUTE + 1);
  refused(await ask(first, elsewhere), 403, REAUTH, 'the other session gained nothing');
  s.advance(TEN_MINUTES - MINUTE);
  refused(await ask(first, here), 403, REAUTH, 'and it is over after ten minutes');
});

test('a right password gives back the attempt it took', async () => {
  const u = await longAgo(), [first] = guarded;
  for (let i = 0; i < 4; i++) refused(await ask(first, u, { currentPassword: `wrong wrong ${i}` }), 401, WRONG);
  assert.equal((await ask(first, u, { currentPassword: u.password })).status, 200);
  for (let i = 0; i < 4; i++) assert.equal((await s.login(u.email, `wrong wrong ${i}`)).status, 401, 'the count began anew');
  assert.equal((await s.login(u.email, u.password)).status, 200);
});

test('an account without a password has to sign in again', async () => {
  const u = await s.signedIn();
  await s.stop();
  await s.sql(`UPDATE user SET password_hash = NULL WHERE hex(uid) = '${hexOf(u)}'`);
  await s.launch();
  s.advance(TEN_MINUTES + 1);
  for (const route of guarded)
    for (const proof of [{}, { currentPassword: u.password }, { currentPassword: '' }]) refused(await ask(route, u, proof), 403, REAUTH, named(route));
  assert.deepEqual(await eventsOf(u, 'stepup.%'), []);
});

test('a session that ended meanwhile proves nothing', async () => {
  const u = await longAgo();
  await s.post('/auth/logout', {}, { token: u.accessToken });
  for (const route of guarded) {
    const r = await ask(route, u, { currentPassword: u.password });
    assert.deepEqual([r.status, r.json.code], [401, 'SESSION_REVOKED']);
  }
});

test('stepup.max_age is how long, and 0 never asks', async (t) => {
  for (const [max, wait, status] of [['2m', 2 * MINUTE + 1, 403], ['2m', 2 * MINUTE, 200], ['0', 14 * MINUTE, 200]]) {
    const one = await Server.start({ env: { ...env, SALLYPORT_STEPUP_MAX_AGE: max } });
    t.after(() => one.close());
    for (const route of guarded) {
      const u = await one.signedIn();
      one.advance(wait);
      assert.equal((await ask(route, u, {}, one)).status, status, `${max} ${named(route)}`);
    }
  }
});

test('stepup.account_delete says whether deleting the account asks, and does so by default not', async (t) => {
  const one = await Server.start({ env: { ...env, SALLYPORT_STEPUP_ACCOUNT_DELETE: undefined } });
  t.after(() => one.close());
  const u = await longAgo(one);
  for (const route of guarded.filter((r) => r.stepup === 'FRESH')) refused(await ask(route, u, {}, one), 403, REAUTH);
  assert.equal((await one.request('DELETE', '/auth/account', { token: u.accessToken })).status, 200);
});
