// seed.test.mjs — what the seed's AuthService does, done with libsallyport; each test names the seed's functions.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { said } from '../lib/capp.mjs';
import { NUMBER, SMS_CODE, World } from '../lib/capp_world.mjs';
import { CHANGE, CHANGED, LINKING, MAGIC, RESET, VERIFY } from '../lib/mailed.mjs';
import { freshEmail, freshPassword, MINUTE, until } from '../lib/server.mjs';
import { APP } from '../lib/social.mjs';

const w = await World.start(), { s, m, proxy } = w;
after(() => w.close());
w.calmed();

const profileOf = async (app) => (await app.ok('get_profile')).profile;

test('login: stores the tokens and says so; a wrong password is a text to show', async () => {
  const user = await s.register(), app = await w.app();
  assert.equal(await app.value('is_signed_in'), '0');
  const no = await app.call('login', user.email, 'not the password');
  assert.deepEqual([...said(no), no.message, no.challenge], ['SP_REFUSED', 401, 'INVALID_CREDENTIALS', 'Invalid credentials', undefined]);
  assert.equal(await app.value('is_signed_in'), '0');
  assert.deepEqual(app.states(), []);
  const yes = await app.ok('login', user.email, user.password);
  assert.deepEqual([yes.status, yes.code, yes.access_token], [200, '', null]);
  assert.equal(await app.value('is_signed_in'), '1');
  assert.deepEqual(app.states(), ['SIGNED_IN']);
  assert.equal(proxy.requests.at(-1).headers['x-auth-strategy'], 'bearer');
  assert.equal(proxy.requests.at(-1).headers.authorization, undefined);
});

test('register: makes an account and signs nobody in', async () => {
  const app = await w.app(), email = freshEmail(), password = freshPassword();
  const made = await app.ok('register', email, password, 'Ada', 'Lovelace');
  assert.deepEqual([made.status, typeof made.user_id], [201, 'string']);
  assert.equal(await app.value('is_signed_in'), '0');
  await app.ok('login', email, password);
  const me = await profileOf(app);
  assert.deepEqual([me.id, me.first_name, me.last_name, me.name], [made.user_id, 'Ada', 'Lovelace', 'Ada Lovelace']);
});

test('accessToken, refreshTokens: other tokens each time, and nothing is sent without a session', async () => {
  const { app } = await w.signedIn();
  const one = (await app.ok('access_token', 0)).access_token, kept = (await app.ok('access_token', 0)).access_token;
  assert.equal(one, kept);
  assert.deepEqual(proxy.log(), [], 'a good token is not asked for again');
  await app.ok('refresh');
  const two = (await app.ok('access_token', 60)).access_token;
  assert.notEqual(one, two);
  assert.equal((await s.me(two)).status, 200);
  assert.deepEqual(proxy.log(), ['POST /auth/refresh 200']);
  assert.deepEqual(app.states(), ['REFRESHED']);
  await app.ok('logout');
  proxy.requests.length = 0;
  for (const name of ['refresh', 'get_profile']) assert.equal((await app.call(name)).error, 'SP_SIGNED_OUT', name);
  assert.equal((await app.call('access_token', 0)).error, 'SP_SIGNED_OUT');
  assert.deepEqual(proxy.log(), []);
});

test('logout: the session ends at the server too, and here also when the server cannot be told', async () => {
  const { app, user } = await w.signedIn(), { access_token: token } = await app.ok('access_token', 0);
  await app.ok('logout');
  assert.deepEqual([app.states(), await app.value('is_signed_in'), (await s.me(token)).json.code], [['SIGNED_OUT LOGOUT'], '0', 'SESSION_REVOKED']);
  await app.ok('login', user.email, user.password);
  app.states();
  proxy.rule = () => ({ status: 502, headers: { 'Content-Type': 'text/html' }, body: '<h1>Bad gateway</h1>' });
  assert.equal((await app.call('logout')).error, 'SP_OK');
  assert.deepEqual([app.states(), await app.value('is_signed_in')], [['SIGNED_OUT LOGOUT'], '0']);
});

test('logout: of a session whose access token ran out long ago ends it at the server', async () => {
  const { app, user } = await w.signedIn(), witness = await s.signIn(user);
  s.advance(60 * MINUTE);
  await app.ok('logout');
  const { accessToken } = (await s.refresh(witness.refreshToken)).json;
  assert.equal((await s.get('/auth/sessions', { token: accessToken })).json.sessions.length, 1);
});

test('clearTokens: gone here, and the server is not told', async () => {
  const { app } = await w.signedIn(), { access_token: token } = await app.ok('access_token', 0);
  await app.ok('clear_tokens');
  assert.deepEqual([app.states(), await app.value('is_signed_in'), proxy.log()], [['SIGNED_OUT CLEARED'], '0', []]);
  assert.equal((await s.me(token)).status, 200);
});

test('_authedRequest: an expired token is refreshed once and the call repeated once', async () => {
  const { app } = await w.signedIn();
  for (let round = 0; round < 2; round++) {
    s.advance(16 * MINUTE);
    proxy.requests.length = 0;
    await app.ok('update_profile', `Ada ${round}`, null);
    assert.deepEqual(proxy.log().filter((line) => !line.endsWith('401')), ['POST /auth/refresh 200', 'PATCH /auth/profile 200']);
    assert.ok(proxy.requests.length <= 3);
    assert.deepEqual(app.states(), ['REFRESHED']);
  }
  proxy.rule = (r) => (r.path === '/auth/me' ? { status: 401, headers: { 'Content-Type': 'application/json', 'WWW-Authenticate': 'Bearer error="invalid_token"' }, body: '{"error":"no","message":"no","code":"INVALID_ACCESS_TOKEN"}' } : undefined);
  proxy.requests.length = 0;
  const r = await app.call('get_profile');
  assert.deepEqual([r.status, r.code], [401, 'INVALID_ACCESS_TOKEN']);
  assert.deepEqual(proxy.log(), ['GET /auth/me 401', 'POST /auth/refresh 200', 'GET /auth/me 401']);
  assert.equal(await app.value('is_signed_in'), '1');
});

test('_authedRequest: a 401 that means something else costs no session', async () => {
  const { app } = await w.signedIn();
  const no = await app.call('change_password', 'not the password', freshPassword());
  assert.deepEqual([...said(no), no.message], ['SP_REFUSED', 401, 'CURRENT_PASSWORD_INCORRECT', 'Current password is incorrect']);
  assert.deepEqual([await app.value('is_signed_in'), app.states().includes('SIGNED_OUT')], ['1', false]);
});

test('getProfile: every member', async () => {
  const user = await s.register({ firstName: 'Zoë "Z"', lastName: 'O\'Brien \\ 李😀' }), app = await w.app();
  await app.ok('login', user.email, user.password);
  await s.sql(`UPDATE user SET phone = '${NUMBER}' WHERE email = '${user.email}'`);
  const { last_login, ...me } = await profileOf(app);
  assert.deepEqual(me, {
    id: user.id, email: user.email, first_name: 'Zoë "Z"', last_name: 'O\'Brien \\ 李😀', name: 'Zoë "Z" O\'Brien \\ 李😀', phone_number: NUMBER, role: null,
    login_provider: 'local', is_email_verified: 0, is_totp_enabled: 0, has_password: 1, is_admin: 0, is_guest: 0,
  });
  assert.ok(Math.abs(new Date(last_login) - s.now) < 60_000, last_login);
});

test('login, verifyTotp: the methods to show, a wrong code, then signed in', async () => {
  const { app, user } = await w.signedIn(), { authenticator } = await w.withTotp(app);
  await app.ok('logout');
  app.states();
  const r = await app.call('login', user.email, user.password);
  assert.deepEqual([r.error, r.status, r.challenge.methods], ['SP_SECOND_FACTOR', 200, ['totp']]);
  assert.equal(await app.value('is_signed_in'), '0');
  const no = await app.call('verify_totp', r.challenge.temp_token, authenticator.wrong());
  assert.deepEqual([...said(no), no.message], ['SP_REFUSED', 401, 'INVALID_TOTP_CODE', 'Invalid TOTP code']);
  assert.deepEqual(app.states(), []);
  await app.ok('verify_totp', r.challenge.temp_token, authenticator.code());
  assert.deepEqual(app.states(), ['SIGNED_IN']);
  assert.equal((await profileOf(app)).is_totp_enabled, 1);
  assert.equal((await app.call('verify_totp', r.challenge.temp_token, authenticator.code(1))).error, 'SP_REFUSED', 'a handle is used once');
  assert.equal(await app.value('is_signed_in'), '1', 'and costs no session');
});

test('sendSms2fa, verifySms2fa: a second factor by SMS', async () => {
  const user = await s.register(), app = await w.app();
  await s.sql(`UPDATE user SET phone = '${NUMBER}', require_2fa = 1 WHERE email = '${user.email}'`);
  const { challenge } = await app.call('login', user.email, user.password);
  assert.deepEqual(challenge.methods, ['sms', 'magic-link']);
  await app.ok('send_sms_2fa', challenge.temp_token);
  const no = await app.call('verify_sms_2fa', challenge.temp_token, '000000');
  assert.deepEqual([...said(no), no.message], ['SP_REFUSED', 401, 'INVALID_SMS_CODE', 'Invalid or expired SMS code']);
  await app.ok('verify_sms_2fa', challenge.temp_token, SMS_CODE);
  assert.equal((await profileOf(app)).email, user.email);
});

test('sendMagicLink, verifyMagicLink: a link signs in, once', async () => {
  const user = await s.register(), app = await w.app();
  await app.ok('send_magic_link', user.email, null);
  const { url, token } = await m.link(user.email, MAGIC);
  assert.equal(url, 'myapp://auth/magic-link');
  await app.ok('verify_magic_link', token);
  assert.deepEqual([app.states(), (await profileOf(app)).email], [['SIGNED_IN'], user.email]);
  const no = await app.call('verify_magic_link', token);
  assert.deepEqual([...said(no), no.message], ['SP_REFUSED', 401, 'INVALID_MAGIC_LINK', 'Invalid magic link token']);
  await app.ok('send_magic_link', freshEmail('nobody'), null);
  assert.equal((await app.call('send_magic_link', '', null)).error, 'SP_REFUSED');
});

test('verifyMagicLink: asks for the second factor of who has one', async () => {
  const user = await s.register(), app = await w.app();
  await s.sql(`UPDATE user SET email_verified = 1, phone = '${NUMBER}', require_2fa = 1 WHERE email = '${user.email}'`);
  await app.ok('send_magic_link', user.email, 'link');
  const r = await app.call('verify_magic_link', await m.token(user.email, MAGIC));
  assert.deepEqual([r.error, r.challenge.methods], ['SP_SECOND_FACTOR', ['sms']]);
  await app.ok('send_sms_2fa', r.challenge.temp_token);
  await app.ok('verify_sms_2fa', r.challenge.temp_token, SMS_CODE);
});

test('forgotPassword, resetPassword: the old password is void, every session ends', async () => {
  const { app, user } = await w.signedIn(), password = freshPassword();
  await app.ok('forgot_password', user.email);
  await app.ok('forgot_password', freshEmail('nobody'));
  const { url, token } = await m.link(user.email, RESET);
  assert.equal(url, 'myapp://auth/reset-password');
  const weak = await app.call('reset_password', token, 'short');
  assert.deepEqual([weak.error, weak.code, weak.fields.map((f) => f.field).includes('password') || weak.fields.length > 0], ['SP_REFUSED', 'VALIDATION_ERROR', true]);
  await app.ok('reset_password', token, password);
  assert.equal((await app.call('login', user.email, user.password)).code, 'INVALID_CREDENTIALS');
  await app.ok('login', user.email, password);
});

test('changePassword: this session goes on, the others end', async () => {
  const { app, user } = await w.signedIn(), other = await w.app(), password = freshPassword();
  await other.ok('login', user.email, user.password);
  other.states();
  s.advance(16 * MINUTE);
  await app.ok('change_password', user.password, password);
  assert.equal((await profileOf(app)).email, user.email);
  const r = await other.call('get_profile');
  assert.deepEqual([r.error, r.code, other.states()], ['SP_SIGNED_OUT', 'SESSION_REVOKED', ['SIGNED_OUT SESSION_REVOKED']]);
  await other.ok('login', user.email, password);
});

test('sendVerificationEmail, verifyEmail: the address is proven', async () => {
  const { app, user } = await w.signedIn();
  await app.ok('send_verification_email', null);
  const { url, token } = await m.link(user.email, VERIFY);
  assert.equal(url, 'myapp://auth/verify-email');
  assert.equal((await app.call('verify_email', 'a token & more')).code, 'INVALID_VERIFICATION_TOKEN');
  await app.ok('verify_email', token);
  assert.equal((await profileOf(app)).is_email_verified, 1);
  assert.equal((await app.call('send_verification_email', null)).code, 'EMAIL_ALREADY_VERIFIED');
  assert.equal(await app.value('is_signed_in'), '1');
});

test('changeEmailRequest, changeEmailConfirm: another address, and the old one takes it back', async () => {
  const { app, user } = await w.signedIn(), to = freshEmail('new');
  await app.ok('change_email_request', to, null, null);
  const { url, token } = await m.link(to, CHANGE);
  assert.equal(url, 'myapp://auth/change-email/confirm');
  await app.ok('change_email_confirm', token);
  assert.equal((await profileOf(app)).email, to);
  assert.equal((await app.call('change_email_confirm', token)).code, 'INVALID_EMAIL_CHANGE_TOKEN');
  const back = await m.link(user.email, CHANGED);
  assert.equal(back.url, 'myapp://auth/change-email/revert');
  await app.ok('change_email_revert', back.token);
  await app.ok('send_magic_link', user.email, null);
  await app.ok('verify_magic_link', await m.token(user.email, MAGIC));
  assert.equal((await profileOf(app)).id, user.id);
  assert.equal((await app.call('change_email_revert', back.token)).code, 'INVALID_EMAIL_REVERT_TOKEN');
});

test('getLinkedAccounts, linkRequest, linkVerify, unlinkAccount: a further address', async () => {
  const { app, user } = await w.signedIn(), to = freshEmail('with+plus');
  assert.deepEqual((await app.ok('get_linked_accounts')).accounts, []);
  await app.ok('link_request', to, null, null);
  const { url, token } = await m.link(to, LINKING);
  assert.equal(url, 'myapp://auth/link-verify');
  await app.ok('link_verify', token, 0);
  const [account, ...rest] = (await app.ok('get_linked_accounts')).accounts;
  assert.deepEqual([account.provider, account.provider_account_id, rest.length], ['email', to, 0]);
  assert.match(account.linked_at, /^\d{4}-\d\d-\d\dT.*Z$/);
  assert.equal((await app.call('link_verify', token, 0)).error, 'SP_REFUSED');
  await app.call('unlink_account', 'email', 'a/b?c#d%2F ä', null);
  assert.equal(proxy.requests.at(-1).path, '/auth/linked-accounts/email/a%2Fb%3Fc%23d%252F%20%C3%A4');
  await app.ok('unlink_account', 'email', to, null);
  assert.deepEqual((await app.ok('get_linked_accounts')).accounts, []);

  await app.ok('link_request', to, 'email', user.password);
  const fresh = await w.app();
  await fresh.ok('link_verify', await m.token(to, LINKING), 1);
  assert.deepEqual([fresh.states(), (await profileOf(fresh)).id], [['SIGNED_IN'], user.id]);
});

test('deleteAccount: gone for good, and signed out', async () => {
  const { app, user } = await w.signedIn();
  await app.ok('delete_account', null, null);
  assert.deepEqual([app.states(), await app.value('is_signed_in')], [['SIGNED_OUT ACCOUNT_DELETED'], '0']);
  assert.equal((await app.call('login', user.email, user.password)).code, 'INVALID_CREDENTIALS');
});

/* ---- loginWithOAuth ---- */

/* Calls oauth_login or oauth_link, plays the browser with `browse`, and gives { result, opened, end }. */
async function withBrowser(app, call, browse = (url) => w.browse(url)) {
  const result = app.call(...call), { url } = await Promise.race([app.event('open'), result.then((r) => assert.fail(JSON.stringify(r)))]);
  const end = await browse(url);
  return { result: await result, opened: new URL(url), end };
}

test('loginWithOAuth: the system\'s browser and a loopback address, with PKCE', async () => {
  const app = await w.app();
  const { result, opened, end } = await withBrowser(app, ['oauth_login', 'fake', 0, '']);
  assert.equal(result.error, 'SP_OK', JSON.stringify(result));
  const q = opened.searchParams;
  assert.match(q.get('redirect_uri'), /^http:\/\/127\.0\.0\.1:\d+\/callback$/);
  assert.match(q.get('code_challenge'), /^[\w-]{43}$/);
  assert.equal(q.get('code_challenge_method'), 'S256');
  assert.match(q.get('state'), /^[\w-]{22,}$/);
  assert.equal(end.status, 200);
  assert.match(end.headers['content-type'], /^text\/html/);
  assert.match(end.headers['cache-control'], /no-store/);
  assert.doesNotMatch(end.text, new RegExp(new URL(end.url).searchParams.get('ott')));
  const me = await profileOf(app);
  assert.deepEqual([me.email, me.login_provider, me.has_password, app.states()], [w.p.person.email, 'fake', 0, ['SIGNED_IN']]);
  const again = await withBrowser(app, ['oauth_login', 'fake', 0, '']);
  for (const name of ['code_challenge', 'state']) assert.notEqual(again.opened.searchParams.get(name), q.get(name), `a new ${name} each time`);
});

test('loginWithOAuth: another loopback path of the app\'s', async () => {
  const app = await w.app({ loopback_path: '/cb' });
  const { result, opened } = await withBrowser(app, ['oauth_login', 'fake', 0, '']);
  assert.equal(result.error, 'SP_OK');
  assert.match(opened.searchParams.get('redirect_uri'), /:\d+\/cb$/);
});

test('loginWithOAuth: strangers at the loopback address change nothing', async () => {
  const app = await w.app();
  const { result } = await withBrowser(app, ['oauth_login', 'fake', 0, ''], async (url) => {
    const back = new URL(new URL(url).searchParams.get('redirect_uri')), browser = w.social.browser();
    const ask = async (at, options) => (await browser.ask(`${back.origin}${at}`, options)).status;
    assert.equal(await ask('/favicon.ico'), 404);
    assert.ok((await ask('/callback?ott=stolen&state=foreign')) >= 400, 'another state');
    assert.ok((await ask('/callback?ott=stolen')) >= 400, 'no state');
    assert.ok((await ask(`/callback?error=OAUTH_ACCESS_DENIED&state=foreign`)) >= 400, 'a refusal of somebody else');
    assert.ok((await ask(`/callback?ott=x&state=${new URL(url).searchParams.get('state')}`, { method: 'POST', body: 'x' })) >= 400, 'no GET');
    return w.browse(url);
  });
  assert.equal(result.error, 'SP_OK', JSON.stringify(result));
});

test('loginWithOAuth: a second factor is asked for afterwards', async () => {
  const app = await w.app();
  await withBrowser(app, ['oauth_login', 'fake', 0, '']);
  const { authenticator } = await w.withTotp(app);
  await app.ok('logout');
  app.states();
  const { result } = await withBrowser(app, ['oauth_login', 'fake', 0, '']);
  assert.deepEqual([result.error, result.challenge.methods], ['SP_SECOND_FACTOR', ['totp']]);
  assert.equal(await app.value('is_signed_in'), '0');
  await app.ok('verify_totp', result.challenge.temp_token, authenticator.code());
  assert.equal((await profileOf(app)).email, w.p.person.email);
});

test('loginWithOAuth: a refusal at the provider comes back with its code', async () => {
  const app = await w.app();
  w.p.deny = 'access_denied';
  const { result } = await withBrowser(app, ['oauth_login', 'fake', 0, '']);
  assert.deepEqual([result.error, result.code, app.states()], ['SP_REFUSED', 'OAUTH_ACCESS_DENIED', []]);
});

test('loginWithOAuth: a provider that the server does not know is said at once', async () => {
  const app = await w.app(), { result } = await withBrowser(app, ['oauth_login', 'nobody', 0, '']);
  assert.deepEqual([result.error, result.code, app.states()], ['SP_REFUSED', 'OAUTH_NOT_CONFIGURED', []]);
});

test('loginWithOAuth: a browser that cannot be opened, and a user who does not come back', async () => {
  const app = await w.app();
  assert.equal((await app.call('oauth_login', 'fake', 0, 'fails')).error, 'SP_UNAVAILABLE');
  const started = Date.now();
  assert.equal((await app.call('oauth_login', 'fake', 1, '')).error, 'SP_TIMEOUT');
  assert.ok(Date.now() - started < 20_000);
});

test('loginWithOAuth: xdg-open is found by itself', async (t) => {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-open-')), told = path.join(home, 'url');
  t.after(() => fs.rmSync(home, { recursive: true }));
  fs.writeFileSync(path.join(home, 'xdg-open'), `#!/bin/sh\nprintf %s "$1" > ${told}.new && mv ${told}.new ${told}\n`, { mode: 0o755 });
  const app = await w.app({ env: { PATH: `${home}:${process.env.PATH}` } });
  for (const how of ['desktop', 'given']) {
    const result = app.call('oauth_login', 'fake', 20, how);
    await until(() => fs.existsSync(told), 'the browser to be opened');
    await w.browse(fs.readFileSync(told, 'utf8'));
    assert.equal((await result).error, 'SP_OK');
    fs.rmSync(told);
  }
  const without = await w.app({ env: { PATH: home + 'x' } });
  assert.equal((await without.call('oauth_login', 'fake', 20, 'desktop')).error, 'SP_UNAVAILABLE');
});

test('loginWithOAuth: links the account at the provider to the one that is signed in', async () => {
  const { app, user } = await w.signedIn();
  const { result } = await withBrowser(app, ['oauth_link', 'fake', null, 0, '']);
  assert.equal(result.error, 'SP_OK', JSON.stringify(result));
  const [account] = (await app.ok('get_linked_accounts')).accounts;
  assert.deepEqual([account.provider, account.provider_account_id, account.email], ['fake', w.p.person.sub, w.p.person.email]);
  assert.deepEqual(app.states(), [], 'nobody signed in by that');
  const other = await w.app();
  await withBrowser(other, ['oauth_login', 'fake', 0, '']);
  assert.equal((await profileOf(other)).id, user.id);
});

test('loginWithOAuth: an app with a scheme of its own goes on with the address it is opened with', async () => {
  const app = await w.app(), { url } = await app.ok('oauth_begin', 'fake', APP);
  const end = await w.browse(url);
  assert.match(end.url, /^com\.example\.app:\/signed-in\?ott=[\w-]+&state=[\w-]+$/);
  const foreign = await app.call('oauth_continue', end.url.replace(/state=./, 'state=~'));
  assert.deepEqual([foreign.error, foreign.code], ['SP_INVALID', 'STATE_MISMATCH']);
  await app.ok('oauth_continue', end.url);
  assert.equal((await profileOf(app)).email, w.p.person.email);
  const second = await app.call('oauth_continue', end.url);
  assert.deepEqual([second.error, second.code], ['SP_INVALID', 'STATE_MISMATCH'], 'once');
  assert.equal(await app.value('is_signed_in'), '1');
});

test('loginWithOAuth: with a scheme: refused, second factor, the newest of two, linked', async () => {
  const app = await w.app(), through = async (call) => (await w.browse((await app.ok(...call)).url)).url;
  w.p.deny = 'access_denied';
  const no = await app.call('oauth_continue', await through(['oauth_begin', 'fake', APP]));
  assert.deepEqual([no.error, no.code], ['SP_REFUSED', 'OAUTH_ACCESS_DENIED']);
  w.p.deny = null;
  const older = await through(['oauth_begin', 'fake', APP]), newer = await through(['oauth_begin', 'fake', APP]);
  assert.equal((await app.call('oauth_continue', older)).code, 'STATE_MISMATCH');
  await app.ok('oauth_continue', newer);
  const { authenticator } = await w.withTotp(app);
  const asked = await app.call('open_link', await through(['oauth_begin', 'fake', 'myapp://auth']));
  assert.equal(asked.error, 'SP_SECOND_FACTOR', JSON.stringify(asked));
  await app.ok('verify_totp', asked.challenge.temp_token, authenticator.code());

  const linking = await w.signedIn();
  w.p.person = { ...w.p.person, sub: `${w.p.person.sub}-b`, email: freshEmail() };
  const { url } = await linking.app.ok('oauth_link_begin', 'fake', APP, linking.user.password);
  await linking.app.ok('oauth_continue', (await w.browse(url)).url);
  assert.equal((await linking.app.ok('get_linked_accounts')).accounts[0].provider_account_id, w.p.person.sub);
});

test('loginWithOAuth: the app was ended while the user was at the provider; ten minutes, not more', async (t) => {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-app-')), store = `file:${home}/tokens`;
  t.after(() => fs.rmSync(home, { recursive: true }));
  const first = await w.app({ store }), { url } = await first.ok('oauth_begin', 'fake', APP);
  await first.kill();
  const end = await w.browse(url), second = await w.app({ store });
  await second.ok('oauth_continue', end.url);
  assert.equal((await profileOf(second)).email, w.p.person.email);
  const late = await w.browse((await second.ok('oauth_begin', 'fake', APP)).url), third = await w.app({ store, shift: 601 });
  assert.equal((await third.call('oauth_continue', late.url)).code, 'STATE_MISMATCH');
});

test('loginWithOAuth: a provider that is not there, an address that is not registered', async () => {
  const app = await w.app();
  const nobody = await w.browse((await app.ok('oauth_begin', 'google', APP)).url);
  assert.ok(nobody.url.startsWith(`${APP}?error=OAUTH_NOT_CONFIGURED&state=`), nobody.url);
  assert.equal((await app.call('oauth_continue', nobody.url)).code, 'OAUTH_NOT_CONFIGURED');
  assert.equal((await w.browse((await app.ok('oauth_begin', 'fake', 'com.example.other:/x')).url)).url, 'myapp://auth?error=INVALID_REDIRECT_URI');
});
