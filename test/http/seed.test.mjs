// seed.test.mjs — the request sequences of a native app's AuthService, as such apps send them: tokens are
// asked for with X-Auth-Strategy, spent with Authorization, and a 401 is retried once after a refresh.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { withTotp } from '../lib/authenticator.mjs';
import { CHANGE, CHANGED, LINKING, MAGIC, Mailed, RESET, VERIFY, WELCOME } from '../lib/mailed.mjs';
import { freshEmail, freshPassword, MINUTE } from '../lib/server.mjs';

const NUMBER = '+391234567890';
let m, s;

before(async () => {
  m = await Mailed.start({ env: { SALLYPORT_TWOFACTOR_MAGIC_LINK: 'true', SALLYPORT_SITE_URLS: 'myapp://auth', SALLYPORT_SITE_APP_LINKS: 'short', SALLYPORT_SMS_TRANSPORT: 'log', SALLYPORT_SMS_TEST_NUMBERS: `${NUMBER}=123456`, SALLYPORT_SMS_COUNTRIES: 'any' } });
  s = m.s;
});
after(() => m.close());

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

  async verifyTotp(tempToken, totpCode) {
    const { status, body } = await this.#send('POST', '/auth/2fa/verify', this.#bearerHeaders, JSON.stringify({ tempToken, totpCode }));
    if (status === 200 && body.accessToken != null) this.#save(body);
    return body;
  }

  async getProfile() {
    return (await this.#authed('GET', '/auth/me')).body;
  }

  async register(email, password) {
    const { status, body } = await this.#send('POST', '/auth/register', this.#bearerHeaders, JSON.stringify({ email, password }));
    if ((status === 200 || status === 201) && body.accessToken != null && body.refreshToken != null) this.#save(body);
    return body;
  }

  /* Sent with neither the strategy nor a token: the JSON header alone. */
  #open(method, path, body) {
    return this.#send(method, path, { 'Content-Type': 'application/json' }, body);
  }

  async forgotPassword(email) {
    await this.#open('POST', '/auth/forgot-password', JSON.stringify({ email }));
  }

  async resetPassword(token, newPassword) {
    await this.#open('POST', '/auth/reset-password', JSON.stringify({ token, newPassword }));
  }

  async changePassword(currentPassword, newPassword) {
    return (await this.#authed('POST', '/auth/change-password', JSON.stringify({ currentPassword, newPassword }))).body;
  }

  async sendVerificationEmail() {
    await this.#authed('POST', '/auth/send-verification-email');
  }

  async verifyEmail(token) {
    return (await this.#open('GET', `/auth/verify-email?token=${encodeURIComponent(token)}`)).body;
  }

  async changeEmailRequest(newEmail) {
    return (await this.#authed('POST', '/auth/change-email/request', JSON.stringify({ newEmail }))).body;
  }

  async changeEmailConfirm(token) {
    return (await this.#open('POST', '/auth/change-email/confirm', JSON.stringify({ token }))).body;
  }

  async sendMagicLink(email) {
    await this.#open('POST', '/auth/magic-link/send', JSON.stringify({ email }));
  }

  async verifyMagicLink(token) {
    return this.#signIn('/auth/magic-link/verify', { token });
  }

  async sendSms2fa(tempToken) {
    await this.#open('POST', '/auth/sms/send', JSON.stringify({ tempToken, mode: '2fa' }));
  }

  async verifySms2fa(tempToken, code) {
    return this.#signIn('/auth/sms/verify', { tempToken, code, mode: '2fa' });
  }

  async #signIn(path, json) {
    const { status, body } = await this.#send('POST', path, this.#bearerHeaders, JSON.stringify(json));
    if (status === 200 && body.accessToken != null) this.#save(body);
    return body;
  }

  async getLinkedAccounts() {
    const { body } = await this.#authed('GET', '/auth/linked-accounts');
    return (body.linkedAccounts ?? []).map((a) => ({ provider: a.provider, providerAccountId: a.providerAccountId }));
  }

  async linkRequest(email, provider) {
    return (await this.#authed('POST', '/auth/link-request', JSON.stringify({ email, provider }))).body;
  }

  async linkVerify(token) {
    return (await this.#open('POST', '/auth/link-verify', JSON.stringify({ token }))).body;
  }

  async unlinkAccount(provider, id) {
    return (await this.#authed('DELETE', `/auth/linked-accounts/${encodeURIComponent(provider)}/${encodeURIComponent(id)}`)).body;
  }

  async deleteAccount() {
    await this.#authed('DELETE', '/auth/account');
    this.storage = {};
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

/* ---- looking after the account ---- */

/* What the app is opened with: "myapp://auth/verify-email?token=…". */
async function deepLink(to, subject, path) {
  const link = await m.link(to, subject);
  assert.equal(link.url, `myapp://auth/${path}`);
  return link.token;
}

test('register, sign in, prove the address from the mail, and see it in the profile', async () => {
  const email = freshEmail(), password = freshPassword(), app = new AuthService();
  const made = await app.register(email, password);
  assert.deepEqual([made.success, made.accessToken], [true, undefined]);
  await app.login(email, password);
  assert.equal((await app.getProfile()).isEmailVerified, false);
  await app.sendVerificationEmail();
  assert.deepEqual(await app.verifyEmail(await deepLink(email, VERIFY, 'verify-email')), { success: true });
  assert.equal((await app.getProfile()).isEmailVerified, true);
  assert.deepEqual(app.requests, ['POST /auth/register 201', 'POST /auth/login 200', 'GET /auth/me 200', 'POST /auth/send-verification-email 200',
    app.requests[4], 'GET /auth/me 200']);
  assert.match(app.requests[4], /^GET \/auth\/verify-email\?token=[0-9a-f]{64} 200$/);
});

test('a forgotten password is reset with the member the app calls newPassword', async () => {
  const u = await s.register(), app = new AuthService(), password = freshPassword();
  await app.forgotPassword(u.email);
  await app.resetPassword(await deepLink(u.email, RESET, 'reset-password'), password);
  assert.deepEqual(app.requests, ['POST /auth/forgot-password 200', 'POST /auth/reset-password 200']);
  assert.equal((await app.login(u.email, u.password)).error, 'Invalid credentials');
  assert.equal(typeof (await app.login(u.email, password)).accessToken, 'string');
});

test('a changed password keeps the app signed in, also when its token expired before', async () => {
  const u = await s.register(), app = new AuthService(), newPassword = freshPassword();
  await app.login(u.email, u.password);
  s.advance(16 * MINUTE);
  app.requests.length = 0;
  assert.deepEqual(await app.changePassword(u.password, newPassword), { success: true });
  assert.deepEqual(app.requests, ['POST /auth/change-password 401', 'POST /auth/refresh 200', 'POST /auth/change-password 200']);
  assert.equal((await app.getProfile()).email, u.email);
});

test('a wrong current password shows its text, and the one retry after the 401 is not held against the user', async () => {
  const u = await s.register(), app = new AuthService();
  await app.login(u.email, u.password);
  for (let i = 0; i < 4; i++) assert.equal((await app.changePassword(`wrong-wrong-${i}`, freshPassword())).error, 'Current password is incorrect');
  assert.deepEqual(await app.changePassword(u.password, freshPassword()), { success: true }, 'four mistakes, eight requests');
});

test('another address is asked for, confirmed from the mail, and the app stays signed in', async () => {
  const u = await s.register(), app = new AuthService(), to = freshEmail('new');
  await app.login(u.email, u.password);
  assert.deepEqual(await app.changeEmailRequest(to), { success: true });
  assert.deepEqual(await app.changeEmailConfirm(await deepLink(to, CHANGE, 'change-email/confirm')), { success: true });
  assert.equal((await app.getProfile()).email, to);
  await deepLink(u.email, CHANGED, 'change-email/revert');
  s.advance(16 * MINUTE);
  assert.equal((await app.getProfile()).email, to);
});

test('what is refused comes as a text the app can show', async () => {
  const u = await s.register(), other = await s.register(), app = new AuthService();
  await app.login(u.email, u.password);
  assert.equal((await app.changeEmailRequest(other.email)).error, 'Email address is already in use');
  assert.equal((await app.changeEmailRequest('no address')).error, 'Validation failed');
  assert.equal((await app.changeEmailConfirm('0'.repeat(64))).error, 'Invalid email-change token');
  assert.equal((await app.verifyEmail('a token & more')).error, 'Invalid verification token');
  s.advance(16 * MINUTE);
  assert.equal((await app.changeEmailRequest(freshEmail())).error, 'Please sign in again, or send your current password');
});

test('another address is linked from the mail, listed and unlinked', async () => {
  const u = await s.register(), app = new AuthService(), to = freshEmail('linked');
  await app.login(u.email, u.password);
  assert.deepEqual(await app.getLinkedAccounts(), []);
  assert.deepEqual(await app.linkRequest(to, 'email'), { success: true });
  assert.deepEqual(await app.linkVerify(await deepLink(to, LINKING, 'link-verify')), { success: true });
  assert.deepEqual(await app.getLinkedAccounts(), [{ provider: 'email', providerAccountId: to }]);
  assert.deepEqual(await app.unlinkAccount('email', to), { success: true });
  assert.deepEqual(await app.getLinkedAccounts(), []);
  assert.equal((await app.linkVerify('0'.repeat(64))).error, 'Invalid account-link token');
  assert.equal((await app.linkRequest('', 'email')).error, 'email is required');
});

test('a deleted account is gone, and its token with it', async () => {
  const u = await s.register(), app = new AuthService();
  await app.login(u.email, u.password);
  const { accessToken, refreshToken } = app.storage;
  await app.deleteAccount();
  assert.deepEqual(app.requests, ['POST /auth/login 200', 'DELETE /auth/account 200']);
  assert.equal((await s.me(accessToken)).status, 401);
  assert.equal((await s.refresh(refreshToken)).status, 401);
  assert.equal((await app.login(u.email, u.password)).error, 'Invalid credentials');
});

test('signed out, what needs a session is refused in JSON and nothing is sent', async () => {
  const u = await s.register(), app = new AuthService(), to = freshEmail();
  await app.sendVerificationEmail();
  assert.equal((await app.changePassword('', freshPassword())).error, 'Invalid or expired access token');
  assert.equal((await app.changeEmailRequest(to)).error, 'Invalid or expired access token');
  await app.deleteAccount();
  assert.ok(app.requests.every((r) => r.endsWith(' 401')), app.requests.join());
  assert.deepEqual([await m.subjects(u.email), await m.subjects(to)], [[WELCOME], []]);
});

/* ---- without a password ---- */

test('a magic link opens the app and signs in; what is refused comes as a text', async () => {
  const u = await s.register(), app = new AuthService();
  await app.sendMagicLink(u.email);
  const token = await deepLink(u.email, MAGIC, 'magic-link');
  assert.equal(typeof (await app.verifyMagicLink(token)).accessToken, 'string');
  assert.equal((await app.getProfile()).email, u.email);
  s.advance(16 * MINUTE);
  assert.equal((await app.getProfile()).email, u.email);
  assert.equal((await app.verifyMagicLink(token)).error, 'Invalid magic link token');
  await app.sendMagicLink(freshEmail('nobody'));
  assert.equal(app.requests.at(-1), 'POST /auth/magic-link/send 200');
  await app.sendMagicLink('');
  assert.equal(app.requests.at(-1), 'POST /auth/magic-link/send 400');
});

test('a second factor by SMS follows the password', async () => {
  const u = await s.register(), app = new AuthService();
  await s.sql(`UPDATE user SET phone = '${NUMBER}', require_2fa = 1 WHERE email = '${u.email}'`);
  const asked = await app.login(u.email, u.password);
  assert.deepEqual([asked.requiresTwoFactor, asked.accessToken, asked.available2faMethods], [true, undefined, ['sms', 'magic-link']]);
  s.note(asked.tempToken);
  await app.sendSms2fa(asked.tempToken);
  assert.equal((await app.verifySms2fa(asked.tempToken, '000000')).error, 'Invalid or expired SMS code');
  assert.equal(typeof (await app.verifySms2fa(asked.tempToken, '123456')).accessToken, 'string');
  assert.equal((await app.getProfile()).email, u.email);
  assert.deepEqual(app.requests, ['POST /auth/login 200', 'POST /auth/sms/send 200', 'POST /auth/sms/verify 401', 'POST /auth/sms/verify 200', 'GET /auth/me 200']);
  assert.equal((await app.verifySms2fa(asked.tempToken, '123456')).error, 'Invalid or expired temp token');
});

test('a magic link asks for the second factor of who has one', async () => {
  const u = await s.register(), app = new AuthService();
  await s.sql(`UPDATE user SET email_verified = 1, phone = '${NUMBER}', require_2fa = 1 WHERE email = '${u.email}'`);
  await app.sendMagicLink(u.email);
  const asked = await app.verifyMagicLink(await deepLink(u.email, MAGIC, 'magic-link'));
  assert.deepEqual([asked.requiresTwoFactor, asked.available2faMethods], [true, ['sms']]);
  s.note(asked.tempToken);
  await app.sendSms2fa(asked.tempToken);
  assert.equal(typeof (await app.verifySms2fa(asked.tempToken, '123456')).accessToken, 'string');
});

test('sign-in with a second factor: the login screen gets a list of methods, a wrong code a text, the right one the dashboard', async () => {
  const { app: authenticator, ...u } = await withTotp(s, await s.signedIn());
  const app = new AuthService(), result = await app.login(u.email, u.password);
  assert.deepEqual([result.accessToken, result.requiresTwoFactor, typeof result.tempToken], [undefined, true, 'string']);
  assert.equal(result.available2faMethods[0], 'totp');
  assert.equal(app.storage.accessToken, undefined);
  assert.equal((await app.getProfile()).error, 'Invalid or expired access token', 'nothing is open yet');

  assert.equal((await app.verifyTotp(result.tempToken, authenticator.wrong())).error, 'Invalid TOTP code');
  assert.equal(app.storage.accessToken, undefined);
  assert.equal(typeof (await app.verifyTotp(result.tempToken, authenticator.code())).accessToken, 'string');
  const me = await app.getProfile();
  assert.deepEqual([me.email, me.isTotpEnabled], [u.email, true]);
  assert.equal(await app.refreshTokens(), true);
  assert.equal((await app.verifyTotp(result.tempToken, authenticator.code(1))).error, 'Invalid or expired access token', 'a handle is used once');
});

test('a second factor that is demanded and not there: the login screen casts the list it gets and shows a text', async () => {
  const u = await s.register(), app = new AuthService();
  await s.cliOk(['user', 'require-2fa', u.email, 'on']);
  const result = await app.login(u.email, u.password);
  assert.equal(typeof result.tempToken, 'string');
  assert.ok(Array.isArray(result.available2faMethods));
  assert.equal(app.storage.accessToken, undefined);
});

test('providers that are not set up answer JSON, so that an app can show it', async () => {
  for (const path of ['/auth/oauth/google', '/auth/oauth/google/callback']) {
    const r = await s.get(path);
    assert.deepEqual([r.status, r.json.code, r.json.error], [404, 'OAUTH_NOT_CONFIGURED', 'Google OAuth not configured'], path);
  }
});
