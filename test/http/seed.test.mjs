// seed.test.mjs — the request sequences of a native app's AuthService, as such apps send them: tokens are
// asked for with X-Auth-Strategy, spent with Authorization, and a 401 is retried once after a refresh.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { MINUTE, Server } from '../lib/server.mjs';

let s;

before(async () => (s = await Server.start()));
after(() => s.close());

/* The service in question, with nothing added: no lock, no timing, one retry on 401. */
class AuthService {
  storage = {};
  requests = [];

  async #send(method, path, headers, body) {
    const r = await s.request(method, path, { headers, body });
    this.requests.push(`${method} ${path} ${r.status}`);
    return { status: r.status, body: JSON.parse(r.text) }; // every answer must be a JSON object
  }

  #bearerHeaders = { 'Content-Type': 'application/json', 'X-Auth-Strategy': 'bearer' };

  #authHeaders() {
    return { 'Content-Type': 'application/json', Authorization: `Bearer ${this.storage.accessToken ?? null}` };
  }

  #save({ accessToken, refreshToken }) {
    s.note(accessToken, refreshToken);
    this.storage = { accessToken, refreshToken };
  }

  async login(email, password) {
    const { status, body } = await this.#send('POST', '/auth/login', this.#bearerHeaders, JSON.stringify({ email, password }));
    if (status === 200 && body.accessToken != null) this.#save(body);
    return body;
  }

  async refreshTokens() {
    if (this.storage.refreshToken == null) return false;
    const { status, body } = await this.#send('POST', '/auth/refresh', this.#bearerHeaders, JSON.stringify({ refreshToken: this.storage.refreshToken }));
    if (status === 200) this.#save(body);
    return status === 200;
  }

  async logout() {
    const answer = await this.#send('POST', '/auth/logout', this.#authHeaders());
    this.storage = {};
    return answer;
  }

  async #authed(method, path, body) {
    const first = await this.#send(method, path, this.#authHeaders(), body);
    if (first.status === 401 && (await this.refreshTokens())) return this.#send(method, path, this.#authHeaders(), body);
    return first;
  }

  async getProfile() {
    return (await this.#authed('GET', '/auth/me')).body;
  }

  patchProfile(fields) {
    return this.#authed('PATCH', '/auth/profile', JSON.stringify(fields));
  }
}

test('login, profile, logout', async () => {
  const u = await s.register(), app = new AuthService();
  const body = await app.login(u.email, u.password);
  assert.equal(typeof body.accessToken, 'string');
  assert.equal(typeof body.refreshToken, 'string');
  const me = await app.getProfile();
  assert.deepEqual([me.sub, me.email, typeof me.isEmailVerified, me.loginProvider], [u.id, u.email, 'boolean', 'local']);
  assert.deepEqual((await app.logout()).body, { success: true });
  assert.deepEqual(app.requests, ['POST /auth/login 200', 'GET /auth/me 200', 'POST /auth/logout 200']);
});

test('a failed login shows a text', async () => {
  const u = await s.register(), app = new AuthService();
  const body = await app.login(u.email, 'not the password');
  assert.equal(body.error, 'Invalid credentials');
  assert.equal(body.message, body.error);
  assert.equal(body.accessToken, undefined);
  assert.equal(body.requiresTwoFactor, undefined);
});

test('JW07 an expired token is 401, the refresh succeeds, the repeated call is 200', async () => {
  const u = await s.register(), app = new AuthService();
  await app.login(u.email, u.password);
  s.advance(16 * MINUTE);
  app.requests.length = 0;
  assert.equal((await app.getProfile()).email, u.email);
  assert.deepEqual(app.requests, ['GET /auth/me 401', 'POST /auth/refresh 200', 'GET /auth/me 200']);
  s.advance(16 * MINUTE);
  app.requests.length = 0;
  assert.equal((await app.patchProfile({ firstName: 'Ada' })).status, 200);
  assert.deepEqual(app.requests, ['PATCH /auth/profile 401', 'POST /auth/refresh 200', 'PATCH /auth/profile 200']);
});

test('R01 several calls at once after the token expired all come through', async () => {
  const u = await s.register(), app = new AuthService();
  await app.login(u.email, u.password);
  for (let round = 0; round < 3; round++) {
    s.advance(16 * MINUTE);
    const all = await Promise.all(Array.from({ length: 6 }, () => app.getProfile()));
    for (const me of all) assert.equal(me.email, u.email);
  }
});

test('R09 two devices live side by side', async () => {
  const u = await s.register(), phone = new AuthService(), tablet = new AuthService();
  await phone.login(u.email, u.password);
  await tablet.login(u.email, u.password);
  for (let round = 0; round < 3; round++) {
    s.advance(16 * MINUTE);
    assert.equal((await phone.getProfile()).email, u.email);
    assert.equal((await tablet.getProfile()).email, u.email);
  }
  await phone.logout();
  s.advance(16 * MINUTE);
  assert.equal((await tablet.getProfile()).email, u.email);
});

test('JW08 signing out with only an Authorization header ends that session at once', async () => {
  const u = await s.register(), app = new AuthService();
  await app.login(u.email, u.password);
  const stolen = { ...app.storage };
  await app.logout();
  assert.equal((await s.me(stolen.accessToken)).status, 401);
  assert.equal((await s.refresh(stolen.refreshToken)).json.code, 'SESSION_REVOKED');
});

test('JW08 signing out works when the access token has long expired', async () => {
  const u = await s.register(), app = new AuthService();
  await app.login(u.email, u.password);
  const { refreshToken } = app.storage;
  s.advance(60 * MINUTE);
  assert.equal((await app.logout()).status, 200);
  assert.equal((await s.refresh(refreshToken)).json.code, 'SESSION_REVOKED');
});

test('signed out, every call is refused in JSON and nothing loops', async () => {
  const app = new AuthService();
  const body = await app.getProfile(); // sends "Bearer null"
  assert.equal(body.error, 'Invalid or expired access token');
  assert.deepEqual(app.requests, ['GET /auth/me 401']);
  assert.equal((await app.logout()).status, 200);
});

test('a revoked session ends in one refused refresh, not in a loop', async () => {
  const u = await s.register(), app = new AuthService();
  await app.login(u.email, u.password);
  await s.cliOk(['user', 'disable', u.email]);
  app.requests.length = 0;
  assert.equal((await app.getProfile()).code, 'SESSION_REVOKED');
  assert.deepEqual(app.requests, ['GET /auth/me 401', 'POST /auth/refresh 401']);
});

test('an app that was away for weeks is still signed in', async () => {
  const u = await s.register(), app = new AuthService();
  await app.login(u.email, u.password);
  s.advance(29 * 24 * 60 * MINUTE);
  assert.equal((await app.getProfile()).email, u.email);
});

test('paths of features that are not there yet answer JSON, so that an app can show it', async () => {
  const u = await s.signedIn();
  for (const [method, path] of [['POST', '/auth/2fa/verify'], ['POST', '/auth/magic-link/send'], ['POST', '/auth/sms/send'], ['GET', '/auth/linked-accounts'], ['POST', '/auth/forgot-password'], ['DELETE', '/auth/account'], ['GET', '/auth/verify-email?token=x']]) {
    const r = await s.request(method, path, { token: u.accessToken, json: method === 'POST' ? {} : undefined });
    assert.deepEqual([r.status, r.json.code, r.json.error], [404, 'NOT_FOUND', 'Not found'], path);
  }
});
