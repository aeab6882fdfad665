// cookie.test.mjs — browsers: what is set, under which names, what is read back, and what is cleared.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { claimsOf, DAY, MINUTE, Server, freshPassword } from '../lib/server.mjs';
import { Browser, setCookies } from '../lib/web.mjs';

const DOMAIN = { SALLYPORT_COOKIE_DOMAIN: 'example.test' };
let s, user;

before(async () => {
  s = await Server.start();
  user = await s.register();
});
after(() => s.close());

const start = async (t, env) => {
  const one = await Server.start({ env });
  t.after(() => one.close());
  return one;
};
const byName = (r) => Object.fromEntries(setCookies(r).map((c) => [c.name, c]));
const code = (r) => [r.status, r.json.code];

test('WB01 a sign-in sets each cookie once, with the attributes of the table', async () => {
  const r = await new Browser(s).signIn(user), got = setCookies(r);
  assert.deepEqual(r.json, { success: true });
  assert.deepEqual(got.map((c) => c.name), ['__Host-accessToken', '__Host-refreshToken', '__Host-csrf-token', '__Host-deviceToken']);
  for (const { name, attributes, line } of got) {
    assert.equal(attributes.path, '/', line);
    assert.equal(attributes.domain, undefined, line);
    assert.equal(attributes.secure, true, line);
    assert.equal(attributes.samesite, 'Lax', line);
    assert.equal(attributes.httponly, name === '__Host-csrf-token' ? undefined : true, line);
    assert.ok(Math.abs(Date.parse(attributes.expires) - s.now - 1000 * Number(attributes['max-age'])) <= 1000, line);
  }
  const life = Object.fromEntries(got.map((c) => [c.name, Number(c.attributes['max-age'])]));
  assert.deepEqual([life['__Host-accessToken'], life['__Host-refreshToken'], life['__Host-csrf-token']], [15 * 60, 7 * 86400, 7 * 86400], 'as long as the tokens live');
});

test('WB01 with a domain or a path the names say less, and the refresh token goes to one path only', async (t) => {
  for (const [env, domain, path] of [[DOMAIN, 'example.test', '/'], [{ SALLYPORT_COOKIE_PATH: '/auth' }, undefined, '/auth'], [{ ...DOMAIN, SALLYPORT_COOKIE_SAME_SITE: 'strict' }, 'example.test', '/']]) {
    const one = await start(t, env), b = new Browser(one, { prefix: '__Secure-' });
    const got = byName(await b.signIn(await one.register()));
    assert.deepEqual(Object.keys(got), ['__Secure-accessToken', '__Secure-refreshToken', '__Secure-csrf-token', '__Secure-deviceToken']);
    for (const [name, { attributes }] of Object.entries(got)) {
      assert.equal(attributes.domain, domain);
      assert.equal(attributes.path, name === '__Secure-refreshToken' ? '/auth/refresh' : path);
      assert.equal(attributes.samesite, env.SALLYPORT_COOKIE_SAME_SITE ? 'Strict' : 'Lax');
    }
    assert.equal((await b.request('GET', '/auth/me')).status, 200);
    assert.equal((await b.post('/auth/refresh')).status, 200, 'its cookie comes here');
  }
});

test('WB01 cookies without Secure are for the own machine only: off loopback the server does not start', async (t) => {
  const one = await start(t, { SALLYPORT_COOKIE_SECURE: 'false' }), b = new Browser(one, { prefix: '' });
  const got = byName(await b.signIn(await one.register()));
  assert.deepEqual(Object.keys(got), ['accessToken', 'refreshToken', 'csrf-token', 'deviceToken']);
  for (const { line } of Object.values(got)) assert.doesNotMatch(line, /Secure|Domain/);
  assert.equal(got.refreshToken.attributes.path, '/auth/refresh');
  const open = await s.cli(['check-config'], { env: { SALLYPORT_COOKIE_SECURE: 'false', SALLYPORT_SERVER_LISTEN: '0.0.0.0:1', SALLYPORT_SERVER_OPS_LISTEN: 'none' } });
  assert.notEqual(open.code, 0);
  assert.match(open.stderr, /cookie\.secure: false is allowed only when every listener is on loopback/);
});

test('WB01 no cookie is longer than what every browser takes, however long the address', async () => {
  const long = await s.register({ email: `${'a'.repeat(60)}@${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.test`, firstName: '\u{1F600}'.repeat(100), lastName: '\u{1F600}'.repeat(100) });
  for (const c of setCookies(await new Browser(s).signIn(long))) assert.ok(Buffer.byteLength(c.line) <= 4096, `${c.name}: ${c.line.length}`);
});

test('WB02 R12 what a cookie brought never comes back in a body, whatever X-Auth-Strategy says', async () => {
  const b = await Browser.signedIn(s);
  s.advance(2 * MINUTE);
  const before = b.get('refreshToken'), r = await b.post('/auth/refresh', undefined, { strategy: 'bearer' });
  assert.equal(r.status, 200);
  assert.deepEqual(r.json, { success: true });
  assert.notEqual(b.get('refreshToken'), before, 'it was rotated');
  for (const value of ['accessToken', 'refreshToken'].map((n) => b.get(n))) assert.ok(!r.text.includes(value));
  const again = await b.post('/auth/refresh', { refreshToken: b.get('refreshToken') }, { strategy: 'bearer' });
  assert.deepEqual(again.json, { success: true }, 'nor when the body says the same');
});

test('R13 a token in the cookie and another in the body are 400, and both stay good', async () => {
  const b = await Browser.signedIn(s), other = await s.signedIn();
  s.advance(2 * MINUTE);
  for (const path of ['/auth/refresh', '/auth/logout']) assert.deepEqual(code(await b.post(path, { refreshToken: other.refreshToken })), [400, 'AMBIGUOUS_TOKENS'], path);
  assert.equal((await s.refresh(other.refreshToken)).status, 200);
  assert.equal((await b.post('/auth/refresh')).status, 200);
});

test('R16 a session in cookies lives 7 days without use and 30 in all, with bearer tokens 30 and 90', async () => {
  const b = await Browser.signedIn(s), app = await s.signedIn();
  s.advance(7 * DAY - MINUTE);
  assert.equal((await b.post('/auth/refresh')).status, 200);
  s.advance(7 * DAY + MINUTE);
  assert.deepEqual(code(await b.post('/auth/refresh')), [401, 'INVALID_REFRESH_TOKEN']);
  const next = await s.refresh(app.refreshToken);
  assert.equal(next.status, 200);
  await b.signIn(b.user);
  for (let i = 0; i < 4; i++) {
    s.advance(6 * DAY);
    assert.equal((await b.post('/auth/refresh')).status, 200);
  }
  s.advance(5.9 * DAY);
  const last = await b.post('/auth/refresh');
  assert.equal(last.status, 200);
  assert.ok(Number(byName(last)['__Host-refreshToken'].attributes['max-age']) < 86400 / 4, 'the cookie ends with the session');
  s.advance(DAY);
  assert.deepEqual(code(await b.post('/auth/refresh')), [401, 'INVALID_REFRESH_TOKEN']);
});

test('every way of asking for tokens without the header answers with cookies', async () => {
  for (const strategy of [undefined, 'Bearer', 'cookie', 'bearer, bearer']) {
    const r = await s.post('/auth/login', { email: user.email, password: user.password }, { strategy });
    assert.deepEqual([r.status, r.json, setCookies(r).length], [200, { success: true }, 4], String(strategy));
  }
  const r = await s.login(user.email, user.password);
  assert.equal(r.headers['set-cookie'], undefined, 'and with it, none');
});

test('a cookie signs in as a header does; a header counts alone; a bad cookie is 403, no credential too', async () => {
  const b = await Browser.signedIn(s), app = await s.signedIn();
  assert.equal((await b.request('GET', '/auth/me')).json.id, b.user.id);
  assert.equal((await b.request('GET', '/auth/me', { token: app.accessToken })).json.id, app.id);
  assert.deepEqual(code(await b.request('GET', '/auth/me', { token: 'junk' })), [401, 'INVALID_ACCESS_TOKEN']);
  for (const value of ['junk', '', `${b.get('accessToken')}x`, app.refreshToken]) {
    const r = await s.get('/auth/me', { headers: { Cookie: `__Host-accessToken=${value}` } });
    assert.deepEqual(code(r), value === '' ? [403, 'NO_ACCESS_TOKEN'] : [403, 'INVALID_ACCESS_TOKEN'], value);
    assert.equal(r.headers['www-authenticate'], undefined);
  }
  assert.deepEqual(code(await s.get('/auth/check', { headers: { Cookie: '__Host-accessToken=junk' } })), [401, 'INVALID_ACCESS_TOKEN'], 'as proxies expect');
  assert.equal((await s.get('/auth/check', { headers: { Cookie: `__Host-accessToken=${b.get('accessToken')}` } })).headers['x-auth-user-id'], b.user.id);
});

test('F-53 F-55 only the configured name is read, and cookies that are none disturb nobody', async () => {
  const token = (await Browser.signedIn(s)).get('accessToken');
  for (const name of ['accessToken', '__Secure-accessToken', '__host-accessToken', '__Host-accesstoken', '__Host-accessToken2', 'x__Host-accessToken'])
    assert.deepEqual(code(await s.get('/auth/me', { headers: { Cookie: `${name}=${token}` } })), [403, 'NO_ACCESS_TOKEN'], name);
  for (const cookie of [`a=%; __Host-accessToken=${token}`, `;;;__Host-accessToken=${token}`, `x; y=; =z;__Host-accessToken=${token};`, `b="c;d"; __Host-accessToken = ${token} `, `__Host-accessToken=${token}; __Host-accessToken=junk`])
    assert.equal((await s.get('/auth/me', { headers: { Cookie: cookie } })).status, 200, cookie);
});

test('SE10 signing out ends the session, clears every name it may have and asks to drop what the browser keeps', async (t) => {
  const b = await Browser.signedIn(s), access = b.get('accessToken'), refresh = b.get('refreshToken');
  const r = await b.post('/auth/logout');
  assert.deepEqual(r.json, { success: true });
  const names = ['accessToken', 'refreshToken', 'csrf-token'].flatMap((n) => [n, `__Secure-${n}`, `__Host-${n}`]);
  assert.deepEqual(setCookies(r).map((c) => c.name), names);
  for (const { name, value, attributes, line } of setCookies(r)) {
    assert.equal(value, '', line);
    assert.equal(attributes.expires, 'Thu, 01 Jan 1970 00:00:00 GMT', line);
    assert.equal(attributes.path, name === 'refreshToken' || name === '__Secure-refreshToken' ? '/auth/refresh' : '/', line);
    if (name.startsWith('__')) assert.equal(attributes.secure, true, line);
  }
  assert.equal(r.headers['clear-site-data'], '"storage"');
  assert.deepEqual(code(await s.me(access)), [401, 'SESSION_REVOKED']);
  assert.deepEqual(code(await s.refresh(refresh)), [401, 'SESSION_REVOKED']);
  for (const [what, header] of [['all', '"cookies", "storage"'], ['none', undefined]]) {
    const other = await start(t, { SALLYPORT_COOKIE_CLEAR_SITE_DATA: what });
    assert.equal((await (await Browser.signedIn(other)).post('/auth/logout')).headers['clear-site-data'], header);
  }
  const app = await s.signedIn(), out = await s.post('/auth/logout', {}, { token: app.accessToken, strategy: 'bearer' });
  assert.deepEqual([out.headers['set-cookie'], out.headers['clear-site-data']], [undefined, undefined], 'an app has nothing to clear');
});

test('the session is found by the refresh cookie when the access cookie is gone, and nobody is signed out twice', async () => {
  const b = await Browser.signedIn(s), access = b.get('accessToken');
  b.jar.delete('__Host-accessToken');
  assert.equal((await b.post('/auth/logout')).status, 200);
  assert.deepEqual(code(await s.me(access)), [401, 'SESSION_REVOKED']);
  assert.equal((await b.post('/auth/logout')).status, 403, 'a browser without a value gets one first');
  assert.equal((await b.post('/auth/logout')).status, 200);
});

test('deleting the account clears the cookies, of the device too', async () => {
  const b = await Browser.signedIn(s), r = await b.request('DELETE', '/auth/account', { json: {} });
  assert.equal(r.status, 200, r.text);
  assert.equal(setCookies(r).filter((c) => c.value === '').length, 15);
  assert.equal(b.jar.size, 0);
});

test('BF05 the device is known by its cookie after signing out', async () => {
  const b = await Browser.signedIn(s), device = b.get('deviceToken');
  await b.post('/auth/logout');
  assert.equal(b.get('deviceToken'), device);
  const signIn = async (who, password) => who.post('/auth/login', { email: b.user.email, password });
  for (let i = 0; i < 12; i++) await s.login(b.user.email, freshPassword());
  await b.request('GET', '/auth/me');
  assert.equal((await s.login(b.user.email, b.user.password)).status, 429, 'strangers have used up their tries');
  assert.equal((await signIn(b, b.user.password)).status, 200);
});

test('a guest in a browser becomes an account in place', async (t) => {
  const one = await start(t, { SALLYPORT_GUEST_ENABLED: 'true' }), b = new Browser(one);
  await b.request('GET', '/auth/me');
  const made = await b.post('/auth/guest');
  assert.deepEqual([made.status, Object.keys(made.json)], [200, ['success', 'userId']]);
  assert.equal(claimsOf(b.get('accessToken')).sub, made.json.userId);
  const who = { email: 'guest@example.test', password: freshPassword() }, up = await b.post('/auth/register', who);
  assert.deepEqual([up.status, up.json.userId], [201, made.json.userId]);
  assert.equal((await b.request('GET', '/auth/me')).json.email, who.email);
});
