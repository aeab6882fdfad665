// csrf.test.mjs — what cookies authorise, and what signs a browser in, must come from a page of ours.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { freshEmail, freshPassword, MINUTE, Server } from '../lib/server.mjs';
import { examplePath, routes } from '../lib/routes.mjs';
import { Browser, setCookies } from '../lib/web.mjs';

const LISTED = 'https://app.example.test';
let s;

before(async () => (s = await Server.start({ env: { SALLYPORT_CORS_ORIGINS: LISTED, SALLYPORT_GUEST_ENABLED: 'true' } })));
after(() => s.close());

const code = (r) => [r.status, r.json.code];
const INVALID = [403, 'CSRF_INVALID'];
const rename = (b, headers, csrf) => b.request('PATCH', '/auth/profile', { json: { firstName: 'Eve' }, headers, csrf });
const nameOf = async (b) => (await b.request('GET', '/auth/me')).json.firstName;

test('WB03 the first answer to a browser brings a value, and only if it has none that is good', async () => {
  const b = new Browser(s), first = await b.request('GET', '/auth/me');
  assert.deepEqual(setCookies(first).map((c) => c.name), ['__Host-csrf-token']);
  assert.match(b.get('csrf-token'), /^[A-Za-z0-9_-]{86}$/, 'percent-decoding changes nothing of it');
  assert.deepEqual(setCookies(await b.request('GET', '/auth/me')), []);
  b.jar.set('__Host-csrf-token', { value: 'junk', path: '/' });
  assert.equal(setCookies(await b.request('GET', '/auth/me')).length, 1);
  assert.equal((await s.get('/auth/.well-known/jwks.json')).headers['set-cookie'], undefined);
  assert.equal((await s.get('/healthz')).headers['set-cookie'], undefined);
  assert.equal((await s.get('/auth/me', { strategy: 'bearer' })).headers['set-cookie'], undefined);
});

test('WB03 a write that a cookie authorises needs the value in the header: missing, wrong, forged, of somebody else', async () => {
  const b = await Browser.signedIn(s), other = await Browser.signedIn(s), mine = b.get('csrf-token');
  const flipped = mine.slice(0, 10) + (mine[10] === 'A' ? 'B' : 'A') + mine.slice(11);
  for (const csrf of [false, 'x', '', flipped, `${mine}A`, mine.slice(1), other.get('csrf-token')]) assert.deepEqual(code(await rename(b, {}, csrf || false)), INVALID, String(csrf));
  assert.equal(await nameOf(b), undefined, 'nothing changed');
  assert.equal((await rename(b)).status, 200);
});

test('WB03 a value planted from a neighbouring host is of another session: refused, cookie and header alike', async () => {
  const b = await Browser.signedIn(s), other = await Browser.signedIn(s), nobody = new Browser(s);
  await nobody.request('GET', '/auth/me');
  for (const planted of [other.get('csrf-token'), nobody.get('csrf-token')]) {
    const Cookie = `__Host-csrf-token=${planted}; __Host-accessToken=${b.get('accessToken')}; __Host-refreshToken=${b.get('refreshToken')}`;
    assert.deepEqual(code(await rename(b, { Cookie }, planted)), INVALID);
    for (const path of ['/auth/refresh', '/auth/logout']) assert.deepEqual(code(await s.post(path, undefined, { headers: { Cookie, 'X-CSRF-Token': planted } })), INVALID, path);
  }
  assert.equal((await b.request('GET', '/auth/me')).status, 200, 'still signed in');
});

test('WB03 another site and a neighbouring host are refused by what the browser says of them', async () => {
  const b = await Browser.signedIn(s);
  for (const headers of [{ 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.test' }, { 'Sec-Fetch-Site': 'same-site', Origin: 'https://neighbour.example.test' }, { 'Sec-Fetch-Site': 'cross-site', Origin: undefined },
    { 'Sec-Fetch-Site': 'cross-site', Origin: 'null' }, { 'Sec-Fetch-Site': undefined, Origin: 'https://evil.test' }, { 'Sec-Fetch-Site': undefined, Origin: 'http://auth.example.test' }, { 'Sec-Fetch-Site': undefined, Origin: 'null' },
    { 'Sec-Fetch-Site': 'Same-Origin', Origin: 'https://evil.test' }, { 'Sec-Fetch-Site': '', Origin: 'https://evil.test' }])
    assert.deepEqual(code(await rename(b, headers)), INVALID, JSON.stringify(headers));
  assert.equal(await nameOf(b), undefined);
  for (const headers of [{}, { 'Sec-Fetch-Site': 'none', Origin: undefined }, { 'Sec-Fetch-Site': 'cross-site', Origin: LISTED }, { 'Sec-Fetch-Site': undefined }, { 'Sec-Fetch-Site': undefined, Origin: undefined }])
    assert.equal((await rename(b, headers)).status, 200, JSON.stringify(headers));
});

test('WB03 signing in, up and out, refreshing and linking are guarded too', async () => {
  const b = new Browser(s), user = await s.register();
  const tries = [['/auth/login', { email: user.email, password: user.password }], ['/auth/register', { email: freshEmail(), password: freshPassword() }], ['/auth/guest', undefined], ['/auth/refresh', {}], ['/auth/logout', {}],
    ['/auth/2fa/verify', { tempToken: 'x', totpCode: '1' }], ['/auth/magic-link/verify', { token: 'x' }], ['/auth/sms/verify', { email: user.email, code: '1' }], ['/auth/link-verify', { token: 'x', loginAfterLinking: true }]];
  const users = await s.sql('SELECT count(*) FROM user');
  for (const [path, json] of tries) {
    const r = await b.post(path, json, { csrf: false, headers: { Cookie: undefined } });
    assert.deepEqual(code(r), INVALID, path);
    assert.deepEqual(setCookies(r).map((c) => c.name), ['__Host-csrf-token'], 'with a value for the next try');
    const cross = await b.post(path, json, { headers: { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.test' } });
    assert.deepEqual(code(cross), INVALID, path);
  }
  assert.equal(await s.sql('SELECT count(*) FROM user'), users);
  assert.equal((await b.post(...tries[0])).status, 200);
  const r = await b.post('/auth/link-request', { email: freshEmail() }, { csrf: false });
  assert.deepEqual([r.status, r.json.error, r.json.code], [403, 'CSRF validation failed', 'CSRF_INVALID']);
  assert.deepEqual(code(await s.post('/auth/link-request', {}, { token: (await s.signedIn()).accessToken })), [400, 'EMAIL_REQUIRED'], 'F-34 a header is no cookie');
});

test('WB03 every write of the table is refused with cookies and without the value, before anything else is looked at', async () => {
  const b = await Browser.signedIn(s);
  for (const route of routes.filter((r) => r.place === 'PREFIX' && r.method !== 'GET' && !['PUBLIC', 'MAYBE'].includes(r.auth))) {
    const r = await b.request(route.method, examplePath(route), { json: route.body ? {} : undefined, csrf: false });
    assert.deepEqual(code(r), INVALID, `${route.method} ${route.path}`);
  }
  for (const path of ['/auth/send-verification-email', '/auth/link-request']) assert.deepEqual(code(await b.post(path, {}, { csrf: false })), INVALID, path);
  assert.equal((await b.request('GET', '/auth/me')).status, 200);
});

test('WB03 a form of another site, of any type a form can have, does nothing', async () => {
  const b = await Browser.signedIn(s), headers = { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.test' };
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])
    for (const path of ['/auth/profile', '/auth/change-password', '/auth/logout', '/auth/login'])
      assert.ok([403, 405].includes((await b.request('POST', path, { body: '{"a":"b"}', csrf: false, headers: { ...headers, 'Content-Type': type } })).status), `${path} ${type}`);
  const r = await b.request('PATCH', '/auth/profile', { body: '{"firstName":"Eve"}', headers: { 'Content-Type': 'text/plain' } });
  assert.deepEqual(code(r), [415, 'UNSUPPORTED_MEDIA_TYPE'], 'nor with the value');
  assert.equal(await nameOf(b), undefined);
});

test('WB04 a header beside cookies: a bad one is not saved by them, a good one counts alone', async () => {
  const b = await Browser.signedIn(s), app = await s.signedIn();
  assert.deepEqual(code(await b.request('PATCH', '/auth/profile', { json: { firstName: 'Eve' }, token: 'junk', csrf: false })), [401, 'INVALID_ACCESS_TOKEN']);
  assert.equal(await nameOf(b), undefined);
  assert.equal((await b.request('PATCH', '/auth/profile', { json: { firstName: 'App' }, token: app.accessToken, csrf: false })).status, 200);
  assert.equal(await nameOf(b), undefined);
  assert.equal((await s.me(app.accessToken)).json.firstName, 'App');
  for (const path of ['/auth/refresh', '/auth/logout']) assert.deepEqual(code(await b.post(path, undefined, { token: 'junk', csrf: false })), INVALID, path);
  assert.equal((await b.request('GET', '/auth/me')).status, 200);
});

test('programs that no browser marks need nothing until a cookie authorises them', async () => {
  const user = await s.register(), r = await s.post('/auth/login', { email: user.email, password: user.password });
  assert.equal(r.status, 200);
  const Cookie = setCookies(r).map((c) => `${c.name}=${c.value}`).join('; ');
  assert.deepEqual(code(await s.request('PATCH', '/auth/profile', { json: { firstName: 'x' }, headers: { Cookie } })), INVALID);
  const csrf = setCookies(r).find((c) => c.name === '__Host-csrf-token').value;
  assert.equal((await s.request('PATCH', '/auth/profile', { json: { firstName: 'x' }, headers: { Cookie, 'X-CSRF-Token': csrf } })).status, 200);
  assert.equal((await s.post('/auth/forgot-password', { email: user.email }, { headers: { Origin: 'https://evil.test' } })).status, 200, 'what no cookie has a part in is as it was');
});

test('a browser that signs in with bearer tokens needs no value', async () => {
  const user = await s.register(), headers = { 'Sec-Fetch-Site': 'cross-site', Origin: LISTED };
  const r = await s.login(user.email, user.password, { headers });
  assert.equal(typeof r.json.accessToken, 'string');
  assert.equal((await s.refresh(r.json.refreshToken, { headers })).status, 200);
  assert.equal((await s.request('PATCH', '/auth/profile', { json: { firstName: 'x' }, token: r.json.accessToken, headers })).status, 200);
});

test('the value outlives the access cookie: after a quarter of an hour the page refreshes and goes on', async () => {
  const b = await Browser.signedIn(s);
  s.advance(16 * MINUTE);
  b.jar.delete('__Host-accessToken'); // as the browser does
  assert.deepEqual(code(await b.request('GET', '/auth/me')), [403, 'NO_ACCESS_TOKEN']);
  assert.equal((await b.post('/auth/refresh')).status, 200);
  assert.equal((await rename(b)).status, 200);
});

test('a value of a session that is over is good for signing in again', async () => {
  const b = await Browser.signedIn(s);
  for (const name of ['accessToken', 'refreshToken']) b.jar.delete(`__Host-${name}`);
  assert.equal((await b.post('/auth/login', { email: b.user.email, password: b.user.password })).status, 200);
});

test('who lost the value gets one of his session with the refusal', async () => {
  const b = await Browser.signedIn(s);
  b.jar.delete('__Host-csrf-token');
  assert.deepEqual(code(await rename(b)), INVALID);
  assert.equal((await rename(b)).status, 200);
  b.jar.delete('__Host-csrf-token');
  b.jar.delete('__Host-accessToken');
  assert.deepEqual(code(await b.post('/auth/refresh')), INVALID);
  assert.equal((await b.post('/auth/refresh')).status, 200);
});

test('switched off, only the marks of SameSite are left', async (t) => {
  const off = await Server.start({ env: { SALLYPORT_CSRF_ENABLED: 'false' } });
  t.after(() => off.close());
  const b = new Browser(off);
  b.user = await off.register();
  const r = await b.post('/auth/login', { email: b.user.email, password: b.user.password });
  assert.deepEqual(setCookies(r).map((c) => c.name), ['__Host-accessToken', '__Host-refreshToken', '__Host-deviceToken']);
  assert.equal((await rename(b)).status, 200);
});
