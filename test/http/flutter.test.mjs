// flutter.test.mjs — the Flutter package's native client, as it sends requests: the strategy with every one of
// them, the token too if it has one, one retry after a refresh on 401 and 403 — and all its calls that look
// after an account.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Authenticator } from '../lib/authenticator.mjs';
import { CHANGE, CHANGED, LINKING, MAGIC, Mailed, RESET, VERIFY } from '../lib/mailed.mjs';
import { freshEmail, freshPassword, MINUTE } from '../lib/server.mjs';

const EXEMPT = new Set(['login', 'logout', 'refresh', 'register', 'forgot-password', 'reset-password', 'verify-email']);
const NUMBER = '+391234567890';
let m, s;

before(async () => {
  m = await Mailed.start({ env: { SALLYPORT_TWOFACTOR_MAGIC_LINK: 'true', SALLYPORT_GUEST_ENABLED: 'true', SALLYPORT_SMS_TRANSPORT: 'log', SALLYPORT_SMS_TEST_NUMBERS: `${NUMBER}=123456`, SALLYPORT_SMS_COUNTRIES: 'any' } });
  s = m.s;
});
after(() => m.close());

/* The package has no lock either: what is in flight when the token expires refreshes by itself. */
class Client {
  requests = [];
  loggedOut = 0;

  /* One request and what the package does with the answer. Only what it reads is passed on. */
  async #send(method, path, body) {
    const headers = { 'Content-Type': 'application/json', 'X-Auth-Strategy': 'bearer', Accept: 'application/json' };
    if (this.access !== undefined) headers.Authorization = `Bearer ${this.access}`;
    const r = await s.request(method, `/auth${path}`, { headers, body: body === undefined ? undefined : JSON.stringify(body) });
    this.requests.push(`${method} ${path.split('?')[0]} ${r.status}`);
    return { status: r.status, body: r.json };
  }

  #keep({ accessToken, refreshToken }) {
    s.note(accessToken, refreshToken);
    this.access = accessToken ?? this.access;
    this.refreshToken = refreshToken ?? this.refreshToken;
  }

  #localLogout() {
    this.loggedOut++;
    this.access = this.refreshToken = undefined;
  }

  async call(method, path, body) {
    const r = await this.#send(method, path, body);
    const exempt = path.startsWith('/2fa/verify') || EXEMPT.has(path.split('?')[0].split('/').pop());
    this.#keep(r.body);
    if ((r.status !== 401 && r.status !== 403) || exempt) return r;
    if (r.body.code === 'SESSION_REVOKED' || this.refreshToken === undefined) {
      this.#localLogout();
      return r;
    }
    const fresh = await this.#send('POST', '/refresh', { refreshToken: this.refreshToken });
    if (fresh.status < 200 || fresh.status > 299) {
      this.#localLogout();
      return r;
    }
    this.#keep(fresh.body);
    return this.#send(method, path, body); // tokens in this answer are not looked for
  }

  /* Calls of which only success is asked: null, or the text to show. */
  async act(method, path, body) {
    const r = await this.call(method, path, body);
    return r.status >= 200 && r.status < 300 ? null : r.body.message ?? r.body.error;
  }

  login(email, password) {
    return this.call('POST', '/login', { email, password });
  }

  async checkSession() {
    const { status, body } = await this.call('GET', '/me');
    if (status !== 200) return null;
    for (const cast of ['sub', 'email']) assert.equal(typeof body[cast], 'string', cast);
    for (const optional of ['isEmailVerified', 'isTotpEnabled', 'hasPassword', 'isAdmin']) assert.ok([undefined, true, false].includes(body[optional]), optional);
    for (const optional of ['id', 'firstName', 'lastName', 'name', 'phoneNumber', 'role', 'loginProvider', 'lastLogin']) assert.ok(['undefined', 'string'].includes(typeof body[optional]), optional);
    return body;
  }

  async logout() {
    await this.call('POST', '/logout');
    this.#localLogout();
  }
}

async function signedIn(over) {
  const u = await s.register(over), app = new Client();
  assert.equal((await app.login(u.email, u.password)).status, 200);
  app.requests.length = 0;
  return [app, u];
}

test('register, sign in, look, sign out', async () => {
  const app = new Client(), email = freshEmail(), password = freshPassword();
  const made = await app.call('POST', '/register', { email, password, firstName: 'Ada', lastName: 'Lovelace' });
  assert.deepEqual([made.status, typeof made.body.userId], [201, 'string']);
  assert.equal(await app.checkSession(), null, 'not signed in by that');
  await app.login(email, password);
  const me = await app.checkSession();
  assert.deepEqual([me.email, me.name, me.id], [email, 'Ada Lovelace', made.body.userId]);
  await app.logout();
  assert.deepEqual(app.requests, ['POST /register 201', 'GET /me 403', 'POST /login 200', 'GET /me 200', 'POST /logout 200']);
});

test('the strategy header with a token changes nothing about a call', async () => {
  const [app] = await signedIn();
  for (const [method, path, body] of [['GET', '/me'], ['PATCH', '/profile', { firstName: 'X' }], ['GET', '/sessions'], ['POST', '/send-verification-email'], ['GET', '/export']])
    assert.equal((await app.call(method, path, body)).status, 200, path);
  assert.ok(app.requests.every((r) => r.endsWith('200')));
});

test('an expired token is refreshed once, whichever call finds out', async () => {
  const calls = [['GET', '/me'], ['PATCH', '/profile', { firstName: 'X' }], ['GET', '/sessions'], ['POST', '/send-verification-email'], ['POST', '/add-phone', { phoneNumber: null }]];
  for (const [method, path, body] of calls) {
    const [app, u] = await signedIn();
    s.advance(16 * MINUTE);
    const r = await app.call(method, path, path === '/add-phone' ? { ...body, currentPassword: u.password } : body);
    assert.equal(r.status, 200, path);
    assert.deepEqual(app.requests, [`${method} ${path} 401`, 'POST /refresh 200', `${method} ${path} 200`]);
    assert.equal(app.loggedOut, 0);
  }
});

test('the address is proven: the mail is asked for without a body, the link is opened with an app\'s GET', async () => {
  const [app, u] = await signedIn();
  assert.equal(await app.act('POST', '/send-verification-email'), null);
  assert.equal(await app.act('GET', `/verify-email?token=${await m.token(u.email, VERIFY)}`), null);
  assert.equal((await app.checkSession()).isEmailVerified, true);
  assert.equal(await app.act('POST', '/send-verification-email'), 'Email is already verified');
  assert.equal(await app.act('GET', `/verify-email?token=${'0'.repeat(64)}`), 'Invalid verification token');
  assert.equal(app.loggedOut, 0);
});

test('a forgotten password is reset while the app still believes to be signed in', async () => {
  const [app, u] = await signedIn(), password = freshPassword();
  assert.equal(await app.act('POST', '/forgot-password', { email: u.email }), null);
  assert.equal(await app.act('POST', '/reset-password', { token: await m.token(u.email, RESET), password }), null);
  assert.equal(await app.checkSession(), null);
  assert.deepEqual(app.requests, ['POST /forgot-password 200', 'POST /reset-password 200', 'GET /me 401'], 'the revoked session is final: no refresh, no loop');
  assert.equal(app.loggedOut, 1);
  assert.equal((await app.login(u.email, password)).status, 200);
});

test('public calls work with an expired token in the header', async () => {
  const [app, u] = await signedIn(), password = freshPassword();
  s.advance(60 * MINUTE);
  assert.equal(await app.act('POST', '/register', { email: freshEmail(), password }), null);
  assert.equal(await app.act('POST', '/forgot-password', { email: u.email }), null);
  assert.equal(await app.act('POST', '/reset-password', { token: await m.token(u.email, RESET), password }), null);
  assert.equal((await app.login(u.email, password)).status, 200);
  assert.ok(app.requests.every((r) => / 20[01]$/.test(r)), app.requests.join());
});

test('a changed password keeps this session and ends the others', async () => {
  const [app, u] = await signedIn(), other = new Client(), newPassword = freshPassword();
  await other.login(u.email, u.password);
  assert.equal(await app.act('POST', '/change-password', { currentPassword: u.password, newPassword }), null);
  assert.notEqual(await app.checkSession(), null);
  assert.equal(await other.checkSession(), null);
  assert.equal(other.loggedOut, 1);
});

test('a wrong current password costs a refresh and a second try, shows its text and signs nobody out', async () => {
  const [app, u] = await signedIn();
  assert.equal(await app.act('POST', '/change-password', { currentPassword: 'wrong-wrong-wrong', newPassword: freshPassword() }), 'Current password is incorrect');
  assert.deepEqual(app.requests, ['POST /change-password 401', 'POST /refresh 200', 'POST /change-password 401']);
  assert.equal(app.loggedOut, 0);
  assert.equal((await app.checkSession()).email, u.email);
});

test('another address is asked for and confirmed in the app, which stays signed in', async () => {
  const [app, u] = await signedIn(), to = freshEmail('new');
  assert.equal(await app.act('POST', '/change-email/request', { newEmail: to }), null);
  assert.equal(await app.act('POST', '/change-email/confirm', { token: await m.token(to, CHANGE) }), null);
  assert.equal((await app.checkSession()).email, to);
  await m.token(u.email, CHANGED);
  s.advance(16 * MINUTE);
  assert.equal((await app.checkSession()).email, to);
  assert.equal(app.loggedOut, 0);
});

test('asked who is there, the app refreshes in vain, shows the text, and succeeds with the password', async () => {
  const [app, u] = await signedIn(), to = freshEmail('new');
  s.advance(11 * MINUTE);
  assert.equal(await app.act('POST', '/change-email/request', { newEmail: to }), 'Please sign in again, or send your current password');
  assert.deepEqual(app.requests, ['POST /change-email/request 403', 'POST /refresh 200', 'POST /change-email/request 403']);
  assert.equal(await app.act('POST', '/change-email/request', { newEmail: to, currentPassword: u.password }), null);
  assert.equal(app.loggedOut, 0);
});

test('an address is linked in the app; the package reads no list from the object, and unlinks with the raw address', async () => {
  const [app] = await signedIn(), to = freshEmail('linked');
  assert.equal(await app.act('POST', '/link-request', { email: to, provider: 'email' }), null);
  assert.equal(await app.act('POST', '/link-verify', { token: await m.token(to, LINKING), provider: 'email' }), null);
  assert.deepEqual((await app.call('GET', '/linked-accounts')).body.linkedAccounts.map((a) => a.providerAccountId), [to]);
  assert.equal(await app.act('DELETE', `/linked-accounts/email/${to}`), null);
  assert.deepEqual((await app.call('GET', '/linked-accounts')).body.linkedAccounts, []);
  assert.equal(app.loggedOut, 0);
});

test('a conflict link signs the app in: its tokens are kept like those of any answer', async () => {
  const [app, u] = await signedIn(), to = freshEmail('linked'), fresh = new Client();
  await app.act('POST', '/link-request', { email: to });
  assert.equal(await fresh.act('POST', '/link-verify', { token: await m.token(to, LINKING), loginAfterLinking: true }), null);
  assert.equal((await fresh.checkSession()).email, u.email);
});

test('a guest of the app registers and is the same person after', async () => {
  const app = new Client(), email = freshEmail();
  const made = await app.call('POST', '/guest');
  assert.equal(made.status, 200);
  const me = await app.checkSession();
  assert.deepEqual([me.sub, me.email], [made.body.userId, '']);
  assert.equal(await app.act('POST', '/register', { email, password: freshPassword(), firstName: 'Ada', lastName: '' }), null);
  assert.deepEqual([(await app.checkSession()).sub, (await app.checkSession()).email], [made.body.userId, email]);
});

test('a phone number is added with its code, and removed with null', async () => {
  const [app] = await signedIn();
  assert.equal(await app.act('POST', '/add-phone', { phoneNumber: NUMBER }), null);
  assert.equal((await app.checkSession()).phoneNumber, undefined);
  assert.equal(await app.act('POST', '/add-phone/verify', { code: '123456' }), null);
  assert.equal((await app.checkSession()).phoneNumber, NUMBER);
  assert.equal(await app.act('POST', '/add-phone', { phoneNumber: null }), null);
  assert.equal((await app.checkSession()).phoneNumber, undefined);
});

test('a magic link signs in, without a mode', async () => {
  const u = await s.register(), app = new Client();
  assert.equal(await app.act('POST', '/magic-link/send', { email: u.email }), null);
  const token = await m.token(u.email, MAGIC);
  assert.equal((await app.call('POST', '/magic-link/verify', { token })).status, 200);
  assert.equal((await app.checkSession()).email, u.email);
  const other = new Client();
  assert.equal(await other.act('POST', '/magic-link/verify', { token }), 'Invalid magic link token');
  assert.deepEqual(other.requests, ['POST /magic-link/verify 401'], 'no session, so no refresh');
});

test('a code by SMS signs in: asked for by address, given back where the id belongs', async () => {
  const u = await s.register(), app = new Client();
  await s.sql(`UPDATE user SET phone = '${NUMBER}' WHERE email = '${u.email}'`);
  assert.equal(await app.act('POST', '/sms/send', { email: u.email, mode: 'login' }), null);
  assert.equal(await app.act('POST', '/sms/verify', { userId: u.email, code: '000000', mode: 'login' }), 'Invalid or expired SMS code');
  assert.equal((await app.call('POST', '/sms/verify', { userId: u.email, code: '123456', mode: 'login' })).status, 200);
  assert.equal((await app.checkSession()).phoneNumber, NUMBER);
});

test('a wrong code of somebody signed in costs a refresh and a repeat, of which one counts', async () => {
  const [app, u] = await signedIn();
  await s.sql(`UPDATE user SET phone = '${NUMBER}' WHERE email = '${u.email}'`);
  await app.act('POST', '/sms/send', { email: u.email });
  for (let i = 0; i < 4; i++) assert.equal(await app.act('POST', '/sms/verify', { userId: u.id, code: `00000${i}` }), 'Invalid or expired SMS code');
  assert.deepEqual(app.requests.slice(1, 4), ['POST /sms/verify 401', 'POST /refresh 200', 'POST /sms/verify 401']);
  assert.equal((await app.call('POST', '/sms/verify', { userId: u.id, code: '123456' })).status, 200, 'four mistakes, eight requests');
});

test('a second factor comes by SMS or by mail, as the package asks for it', async () => {
  const u = await s.register();
  await s.sql(`UPDATE user SET phone = '${NUMBER}', require_2fa = 1 WHERE email = '${u.email}'`);
  const ways = {
    sms: async (app, tempToken) => {
      assert.equal(await app.act('POST', '/sms/send', { tempToken, mode: '2fa' }), null);
      return app.call('POST', '/sms/verify', { tempToken, code: '123456', mode: '2fa' });
    },
    'magic-link': async (app, tempToken) => {
      assert.equal(await app.act('POST', '/magic-link/send', { tempToken, mode: '2fa' }), null);
      return app.call('POST', '/magic-link/verify', { token: await m.token(u.email, MAGIC), tempToken, mode: '2fa' });
    },
  };
  for (const [name, way] of Object.entries(ways)) {
    const app = new Client(), { body } = await app.login(u.email, u.password);
    s.note(body.tempToken);
    assert.deepEqual([body.requiresTwoFactor, typeof body.tempToken, body.available2faMethods], [true, 'string', ['sms', 'magic-link']]);
    assert.equal((await way(app, body.tempToken)).status, 200, name);
    assert.equal((await app.checkSession()).email, u.email, name);
  }
});

test('TOTP is set up, asked for and switched off', async () => {
  const [app, u] = await signedIn(), { body: made } = await app.call('POST', '/2fa/setup');
  for (const cast of ['secret', 'qrCode']) assert.equal(typeof made[cast], 'string', cast);
  const authenticator = new Authenticator(s, made.otpauthUrl);
  assert.equal(await app.act('POST', '/2fa/verify-setup', { token: authenticator.wrong(), secret: made.secret }), 'Invalid TOTP code');
  assert.equal(await app.act('POST', '/2fa/verify-setup', { token: authenticator.code(), secret: made.secret }), null);
  assert.equal((await app.checkSession()).isTotpEnabled, true);
  await app.logout();

  s.advance(30_000);
  const { status, body } = await app.login(u.email, u.password);
  assert.deepEqual([status, body.requiresTwoFactor, body.available2faMethods.includes('totp')], [200, true, true]);
  for (let i = 0; i < 4; i++) assert.equal(await app.act('POST', '/2fa/verify', { tempToken: body.tempToken, totpCode: authenticator.wrong(i) }), 'Invalid TOTP code');
  assert.equal(app.loggedOut, 1, 'a mistyped code signs nobody out');
  assert.equal(await app.act('POST', '/2fa/verify', { tempToken: body.tempToken, totpCode: authenticator.code() }), null);
  assert.equal((await app.checkSession()).email, u.email);
  assert.equal(await app.act('POST', '/2fa/disable'), null);
  assert.equal((await app.checkSession()).isTotpEnabled, false);
});

test('sessions are listed as the package casts them, and one is ended', async () => {
  const [app, u] = await signedIn(), other = new Client();
  await other.login(u.email, u.password);
  const { sessions } = (await app.call('GET', '/sessions')).body;
  assert.equal(sessions.length, 2);
  for (const one of sessions) {
    assert.equal(typeof one.handle, 'string');
    assert.equal(typeof one.isCurrent, 'boolean');
    for (const optional of ['userAgent', 'ipAddress', 'createdAt', 'lastActiveAt']) assert.ok(['undefined', 'string'].includes(typeof one[optional]), optional);
  }
  assert.equal(await app.act('DELETE', `/sessions/${sessions.find((one) => !one.isCurrent).handle}`), null);
  assert.equal(await other.checkSession(), null);
  assert.equal(other.loggedOut, 1);
});

test('a deleted account is gone; the app is signed out at its next call', async () => {
  const [app, u] = await signedIn();
  assert.equal(await app.act('DELETE', '/account'), null);
  assert.equal(await app.checkSession(), null);
  assert.equal(app.loggedOut, 1);
  assert.equal((await app.login(u.email, u.password)).body.message, 'Invalid credentials');
});

test('never signed in, every call is refused in JSON with a text, and no refresh is tried', async () => {
  const app = new Client();
  for (const [method, path, body] of [['GET', '/me'], ['PATCH', '/profile', {}], ['POST', '/add-phone', { phoneNumber: NUMBER }], ['POST', '/change-password', { currentPassword: '', newPassword: 'x' }],
    ['POST', '/send-verification-email'], ['POST', '/change-email/request', { newEmail: freshEmail() }], ['DELETE', '/account'], ['GET', '/sessions'], ['GET', '/export']])
    assert.equal(await app.act(method, path, body), 'No access token provided', path);
  assert.ok(app.requests.every((r) => r.endsWith(' 403')));
});
