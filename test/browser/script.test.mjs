// script.test.mjs - auth.js in a page of an app: what it sends where, when it refreshes, and what it leaves alone.
import { after, before, test } from 'node:test';
import { source } from '../lib/paths.mjs';
import { MINUTE } from '../lib/server.mjs';
import { assert, ORIGIN, Site } from './browser.mjs';

const APP = 'https://app.example.test', OTHER = 'https://other.example.test';
let site;
before(async () => {
  site = await Site.start({ env: { SALLYPORT_CORS_ORIGINS: APP, SALLYPORT_TWOFACTOR_MAGIC_LINK: 'true' } });
  site.foreign = /^https:\/\/(app|other)\.example\.test\//;
});
after(() => site.close());

/* A page of an app with the script, and nothing else. Answers for other origins are the test's. */
async function app({ origin = ORIGIN, user, options } = {}) {
  const context = await site.visitor(), page = await context.newPage(), sent = [];
  await context.route((url) => url.pathname === '/app.html', (route) => route.fulfill({ contentType: 'text/html', body: `<!doctype html><title>App</title><script src="${origin === ORIGIN ? '/auth/ui/auth.js' : '/own/auth.js'}"></script>` }));
  await context.route(`${APP}/own/auth.js`, (route) => route.fulfill({ contentType: 'text/javascript', body: source('web/ui/auth.js') }));
  await context.route(`${OTHER}/**`, (route) => {
    sent.push(route.request().headers());
    return route.fulfill({ status: 401, headers: { 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Headers': '*' }, json: { code: 'INVALID_ACCESS_TOKEN' } });
  });
  await page.goto(`${origin}/app.html`);
  await page.evaluate((o) => AwesomeNodeAuth.init(o), options);
  if (user) assert.equal((await page.evaluate(([e, p]) => AwesomeNodeAuth.login(e, p), [user.email, user.password])).success, true);
  return { page, sent, from: site.front.requests.length };
}

const since = ({ from }) => site.front.requests.slice(from).map((r) => `${r.method} ${r.url}`);

test('one tag: the prefix comes from where the script is, and a sign-in takes one call', async () => {
  const user = await site.registered(), { page } = await app();
  const got = await page.evaluate(async ({ email, password }) => {
    const seen = [];
    AwesomeNodeAuth.on('login', (e) => seen.push(e.detail.user.email));
    const wrong = await AwesomeNodeAuth.login(email, 'surely another one');
    const right = await AwesomeNodeAuth.login(email, password);
    return { prefix: AwesomeNodeAuth.config.apiPrefix, wrong, right, seen, user: AwesomeNodeAuth.user.email, there: await AwesomeNodeAuth.checkSession(), same: AuthService === AwesomeNodeAuth };
  }, user);
  assert.equal(got.prefix, '/auth');
  assert.deepEqual([got.wrong.success, got.wrong.code, got.wrong.status, got.wrong.error], [false, 'INVALID_CREDENTIALS', 401, 'Invalid credentials']);
  assert.deepEqual([got.right.success, got.right.requiresTwoFactor, got.right.requires2fa], [true, false, false]);
  assert.deepEqual([got.seen, got.user, got.there, got.same], [[user.email], user.email, true, true]);
});

test('M24 a second factor is told by both names, and is no success', async () => {
  const user = await site.registered();
  await site.s.sql(`UPDATE user SET require_2fa = 1 WHERE email = '${user.email}'`);
  const { page } = await app(), got = await page.evaluate(({ email, password }) => AwesomeNodeAuth.login(email, password), user);
  assert.deepEqual([got.success, got.requiresTwoFactor, got.requires2fa, typeof got.tempToken, got.available2faMethods], [false, true, true, 'string', ['magic-link']]);
});

test('M17 after the access token ended /me is refreshed once, without anybody being sent away', async () => {
  const user = await site.registered(), a = await app({ user });
  site.s.advance(16 * MINUTE);
  a.from = site.front.requests.length;
  assert.equal(await a.page.evaluate(() => AwesomeNodeAuth.checkSession()), true);
  assert.deepEqual(since(a), ['GET /auth/me', 'POST /auth/refresh', 'GET /auth/me']);
});

test('an anonymous visitor is told so, stays where he is, and is asked for nothing', async () => {
  const a = await app();
  assert.equal(await a.page.evaluate(() => AwesomeNodeAuth.checkSession()), false);
  assert.deepEqual(since(a), ['GET /auth/me', 'POST /auth/refresh']);
  assert.equal(a.page.url(), `${ORIGIN}/app.html`);
});

test('M16 a session that was ended elsewhere is over: the hook is called once, and nothing is sent again', async () => {
  const user = await site.registered(), a = await app({ user });
  await site.s.sql(`DELETE FROM session WHERE user_id = (SELECT id FROM user WHERE email = '${user.email}')`);
  a.from = site.front.requests.length;
  const calls = await a.page.evaluate(async () => {
    let n = 0;
    AwesomeNodeAuth.config.onSessionExpired = () => n++;
    const answer = await AwesomeNodeAuth.updateProfile({ firstName: 'x' });
    return [n, answer.success];
  });
  assert.deepEqual(calls, [1, false]);
  assert.equal(since(a).filter((r) => r === 'PATCH /auth/profile').length, 1);
});

test('ten requests at once after the token ended: one refresh, ten answers', async () => {
  const user = await site.registered(), a = await app({ user });
  site.s.advance(16 * MINUTE);
  a.from = site.front.requests.length;
  const statuses = await a.page.evaluate(() => Promise.all(Array.from({ length: 10 }, () => fetch('/auth/me').then((r) => r.status))));
  assert.deepEqual(statuses, Array(10).fill(200));
  assert.equal(since(a).filter((r) => r === 'POST /auth/refresh').length, 1);
});

test('F-63 a refusal that is not about the session is answered once, without a refresh', async () => {
  const user = await site.registered(), a = await app({ user });
  const got = await a.page.evaluate(async () => [await AwesomeNodeAuth.changePassword('surely another one', 'and yet another one here'), await AwesomeNodeAuth.validate2fa('no such handle', '123456'), await AwesomeNodeAuth.revokeSession('a?b')]);
  assert.deepEqual(got.map((r) => r.code), ['CURRENT_PASSWORD_INCORRECT', 'INVALID_ACCESS_TOKEN', 'SESSION_NOT_FOUND']);
  assert.deepEqual(since(a), ['POST /auth/change-password', 'POST /auth/2fa/verify', 'DELETE /auth/sessions/a%3Fb']);
});

test('F-63 another origin gets neither cookies nor the CSRF token, and no refresh for its refusals', async () => {
  const user = await site.registered(), a = await app({ user });
  const status = await a.page.evaluate((other) => fetch(`${other}/auth/me`, { method: 'POST', headers: { 'X-Mine': '1' } }).then((r) => r.status), OTHER);
  assert.equal(status, 401);
  assert.deepEqual(a.sent.map((h) => ['cookie' in h, 'x-csrf-token' in h, h['x-mine']]), [[false, false, '1']]);
  assert.deepEqual(since(a), []);
});

test('F-64 a Request keeps its headers, method and body, also when it is sent again', async () => {
  const user = await site.registered(), a = await app({ user });
  site.s.advance(16 * MINUTE);
  a.from = site.front.requests.length;
  const status = await a.page.evaluate(() => fetch(new Request('/auth/profile', { method: 'PATCH', headers: { 'Content-Type': 'application/json', 'X-Mine': 'kept' }, body: '{"firstName":"Ada"}' })).then((r) => r.status));
  assert.equal(status, 200);
  const sent = site.front.requests.slice(a.from).filter((r) => r.url === '/auth/profile');
  assert.deepEqual(sent.map((r) => [r.method, r.headers['x-mine']]), [['PATCH', 'kept'], ['PATCH', 'kept']]);
  assert.equal((await a.page.evaluate(() => fetch('/auth/me').then((r) => r.json()))).firstName, 'Ada');
});

test('F-64 an app\'s own path that looks like one of ours is not taken for it', async () => {
  const a = await app();
  await a.page.context().route('**/shop/auth/login-history', (route) => route.fulfill({ status: 403, json: { code: 'FORBIDDEN' } }));
  assert.equal(await a.page.evaluate(() => fetch('/shop/auth/login-history').then((r) => r.status)), 403);
  assert.deepEqual(since(a), []);
});

test('a CSRF cookie that went stale is read again, and the request sent once more', async () => {
  const user = await site.registered(), a = await app({ user });
  await a.page.evaluate(() => { document.cookie = '__Host-csrf-token=0000; Secure; Path=/'; });
  const got = await a.page.evaluate(() => AwesomeNodeAuth.updateProfile({ firstName: 'Grace' }));
  assert.equal(got.success, true, got.error);
  assert.deepEqual(since(a), ['PATCH /auth/profile', 'PATCH /auth/profile']);
});

test('a server that is away ends no session', async () => {
  const user = await site.registered(), a = await app({ user });
  site.s.advance(16 * MINUTE);
  await a.page.context().route('**/auth/refresh', (route) => route.fulfill({ status: 503, json: { code: 'BUSY' } }));
  const got = await a.page.evaluate(async () => {
    let over = 0;
    AwesomeNodeAuth.config.onSessionExpired = () => over++;
    const answer = await AwesomeNodeAuth.getActiveSessions();
    return [answer.success, over];
  });
  assert.deepEqual(got, [false, 0]);
  await a.page.context().unroute('**/auth/refresh');
  assert.equal((await a.page.evaluate(() => AwesomeNodeAuth.getActiveSessions())).success, true);
});

test('M37 on another origin the absolute prefix stays, and cookies go along', async () => {
  const user = await site.registered(), { page } = await app({ origin: APP, options: { apiPrefix: `${ORIGIN}/auth`, headless: true } });
  const got = await page.evaluate(async ({ email, password }) => {
    return [AwesomeNodeAuth.config.apiPrefix, (await AwesomeNodeAuth.login(email, password)).success, await AwesomeNodeAuth.checkSession()];
  }, user);
  assert.equal(got[0], `${ORIGIN}/auth`);
  assert.deepEqual(got.slice(1), [true, true]);
});

test('who is signed in is known without asking; any path below the prefix can be called, with CSRF and a refresh', async () => {
  const user = await site.registered(), a = await app({ user });
  assert.deepEqual(await a.page.evaluate(() => [Sallyport === AwesomeNodeAuth, Sallyport.isAuthenticated(), Sallyport.user.role, Sallyport.user.roles]), [true, true, '', []]);
  site.s.advance(16 * MINUTE);
  a.from = site.front.requests.length;
  const got = await a.page.evaluate(async () => [await Sallyport.apiCall('/profile', 'patch', { firstName: 'Ada' }), (await Sallyport.apiCall('me')).firstName, await Sallyport.apiCall('//nope', 'POST', {})]);
  assert.deepEqual(got.slice(0, 2), [{ success: true }, 'Ada']);
  assert.deepEqual([got[2].success, got[2].status, got[2].code], [false, 404, 'NOT_FOUND']);
  assert.deepEqual(since(a), ['PATCH /auth/profile', 'POST /auth/refresh', 'PATCH /auth/profile', 'GET /auth/me', 'POST /auth/nope']);
  await a.page.evaluate(() => { Sallyport.config.headless = true; return Sallyport.logout(); });
  assert.deepEqual(await a.page.evaluate(() => [Sallyport.isAuthenticated(), Sallyport.user]), [false, null]);
});

test('a page that needs a role: who has it not is told, who is nobody is led to sign in', async () => {
  const user = await site.registered(), a = await app({ user });
  assert.equal(await a.page.evaluate(() => AwesomeNodeAuth.guardRole('admin')), false);
  assert.equal(await a.page.evaluate(() => AwesomeNodeAuth.guardPage()), true);
  await site.s.sql(`UPDATE user SET is_admin = 1 WHERE email = '${user.email}'`);
  assert.equal(await a.page.evaluate(() => AwesomeNodeAuth.guardRole('admin')), true, 'of administrators');
  const nobody = await app();
  await nobody.page.evaluate(() => { AwesomeNodeAuth.guardPage(); });
  await nobody.page.waitForURL(`${ORIGIN}/auth/ui/login`);
});

test('it answers a proof of work by itself', async () => {
  const a = await app();
  let asked = 0;
  await a.page.context().route('**/auth/login', async (route) => {
    const body = route.request().postDataJSON();
    if (asked++ === 0) return route.fulfill({ status: 429, json: { error: 'x', code: 'CHALLENGE_REQUIRED', challenge: { algorithm: 'sha256', challenge: 'abc', bits: 12 } } });
    return route.fulfill({ status: 401, json: { error: body.challengeAnswer, code: 'INVALID_CREDENTIALS' } });
  });
  const { error } = await a.page.evaluate(() => AwesomeNodeAuth.login('a@example.test', 'b'));
  const { createHash } = await import('node:crypto');
  assert.match(error, /^abc\./);
  assert.equal(createHash('sha256').update(error).digest().readUInt32BE(0) >>> 20, 0);
});
