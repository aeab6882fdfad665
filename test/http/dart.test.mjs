// dart.test.mjs — the Dart client of clients/dart, which no tool-chain here can run: every file is parsed, every request of its
// AuthService is read out of the syntax tree and sent to a server, and every member of an answer that it reads must be there.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import YAML from 'yaml';
import { Authenticator } from '../lib/authenticator.mjs';
import { calledOn, classes, faults, headersOf, parametersOf, parse, reach, readsOf, requestsOf } from '../lib/dart.mjs';
import { mailCodeIn, SUBJECT } from '../lib/delivery.mjs';
import { sha256 } from '../lib/fake_provider.mjs';
import { CHANGE, CHANGED, LINKING, MAGIC, RESET, VERIFY } from '../lib/mailed.mjs';
import { ROOT, source } from '../lib/paths.mjs';
import { freshEmail, freshPassword, MINUTE } from '../lib/server.mjs';
import { AUTH, person, Social } from '../lib/social.mjs';

const HOME = 'clients/dart', FILE = `${HOME}/lib/auth_service.dart`, NUMBER = '+391234567890', APP = 'myapp://auth';
const below = (dir) => fs.readdirSync(path.join(ROOT, dir), { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? below(`${dir}/${e.name}`) : [`${dir}/${e.name}`]));
// clients/dart/ffi is another package: dart_ffi.test.mjs.
const dartFiles = below(HOME).filter((f) => f.endsWith('.dart') && !f.startsWith(`${HOME}/ffi/`));

const text = source(FILE), all = classes(parse(text)), service = all.find((c) => c.name === 'AuthService');
// MemoryAuthStorage reads its own map.
const reads = new Map(all.filter((c) => c.name !== 'MemoryAuthStorage').map((c) => [c, readsOf(c)])), requests = requestsOf(service), made = reach(service, requests), headers = headersOf(service);

let t, s;
before(async () => {
  const wide = ['MAIL_PER_10MIN', 'MAIL_PER_DAY', 'SMS_PER_HOUR', 'SMS_PER_DAY', 'SMS_NETWORK_PER_HOUR', 'SMS_RANGE_PER_HOUR', 'SMS_TOTAL_PER_DAY'].map((name) => [`SALLYPORT_LIMITS_${name}`, '1000000']);
  t = await Social.start({
    env: {
      SALLYPORT_TWOFACTOR_MAGIC_LINK: 'true',
      ...Object.fromEntries(wide), SALLYPORT_LIMITS_RESEND: '0s', SALLYPORT_SITE_URLS: APP, SALLYPORT_SITE_APP_LINKS: 'short', SALLYPORT_NATIVE_REDIRECT_URIS: APP, SALLYPORT_GUEST_ENABLED: 'true',
      SALLYPORT_TWOFACTOR_REMEMBER: 'true', SALLYPORT_SMS_TRANSPORT: 'log', SALLYPORT_SMS_TEST_NUMBERS: `${NUMBER}=123456`, SALLYPORT_SMS_COUNTRIES: 'any',
      SALLYPORT_LIMITS_BRAKE: 'challenge', SALLYPORT_LIMITS_BRAKE_FAILURES_PER_S: '1',
    },
  });
  s = t.s;
});
after(() => t.close());

/* ---- the files ---- */

test('every Dart file parses', () => {
  assert.ok(dartFiles.length >= 5, dartFiles.join());
  for (const file of dartFiles) assert.deepEqual(faults(parse(source(file))), [], file);
});

test('a file that is not Dart would be noticed', () => {
  for (const broken of ['class A { void f( { int x = ; } }', 'void f() { g(1, 2 }', 'void f() { return 1 }', 'class A {', "final x = 'abc;"]) assert.notDeepEqual(faults(parse(broken)), [], broken);
  assert.deepEqual(faults(parse(text.replace('required String email,', 'required String email'))).length > 0, true, 'a comma less in the real file');
});

test('a request that cannot be read would be noticed', () => {
  const read = (body) => () => requestsOf(classes(parse(`class AuthService { Future<void> f() async { ${body} } }`)).find((c) => c.name === 'AuthService'));
  for (const body of ["await _call(method, '/auth/me', auth: _Auth.none);", "await _call('GET', '/auth/' + name, auth: _Auth.none);", "await _call('GET', '/auth/$name', auth: _Auth.none);", "await _call('GET', '/auth/me', auth: kind);", "await _call('POST', '/auth/me', auth: _Auth.none, body: made);",
    "await _call('POST', '/auth/me', auth: _Auth.none, body: {name: 1});", 'final g = _call; await g();', "await _call('POST', '/auth/me', auth: _Auth.none, body: {for (final k in ks) k: 1});", "await _send('GET', '/auth/me', token, null);"])
    assert.throws(read(body), body);
  assert.deepEqual(read("await _call('GET', '/auth/me', auth: _Auth.token);")(), [{ fn: 'f', method: 'GET', path: '/auth/me', auth: ['token'], query: null, body: null }]);
});

test('there is no request beside those that were read', () => {
  const code = text.replace(/^\s*\/\/.*$/gm, ''), count = (re) => [...code.matchAll(re)].length;
  assert.equal(count(/\b_call\(/g), 1 + requests.filter((r) => r.fn !== '_refreshNow' && r.query === null).length, 'the calls of _call');
  assert.deepEqual([...code.matchAll(/\b_http\b\s*(;|= \w+|\.\w+)/g)].map((m) => m[0].replace(/\s+/g, '')).sort(), ['_http.send', '_http;', '_http=client'], 'one use of the client');
  assert.deepEqual([...new Set([...code.matchAll(/\bhttp\.(\w+)/g)].map((m) => m[1]))].sort(), ['Client', 'Request', 'Response', 'dart'], 'nothing else of the package');
  assert.equal(count(/\bFlutterWebAuth2\./g), 1);
  assert.equal(count(/\b_browse\(/g), 3, 'declared, for a sign-in, for a link');
  assert.doesNotMatch(code, /dart:io|HttpClient|MultipartRequest|WebSocket/);
  assert.doesNotMatch(code, /Bearer null/);
  assert.equal(count(/'Bearer \$token'/g), 1);
  assert.match(code, /if \(token != null\) request\.headers\['Authorization'\]/, 'a missing token is not sent');
  assert.deepEqual(headers, { Accept: 'application/json', 'X-Auth-Strategy': 'bearer', Authorization: 'Bearer $token', 'Content-Type': 'application/json' });
});

test('all of the public part is documented', () => {
  const said = (node) => ['documentation_comment', 'comment', 'annotation', 'marker_annotation'].includes(node.prev()?.kind());
  const all = dartFiles.filter((f) => f.startsWith(`${HOME}/lib/`)).flatMap((f) => classes(parse(source(f))));
  const silent = all.filter((c) => !c.name.startsWith('_') && !said(c.node)).map((c) => c.name);
  for (const c of all.filter((x) => !x.name.startsWith('_')))
    for (const m of c.members.filter((x) => !/(^|\.)_/.test(x.name) && !/\b_\w+ =|\b_\w+$|^\w+\._\(/.test(x.signature.text()))) if (!said(m.signature)) silent.push(`${c.name}.${m.name}`);
  assert.deepEqual(silent, []);
});

test('texts of refusals are those of the hosted pages', () => {
  const made = spawnSync('python3', [path.join(ROOT, 'tools/dart-texts.py'), path.join(ROOT, 'web/ui/i18n')], { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  assert.equal(source(`${HOME}/lib/src/texts.dart`), made.stdout, `tools/dart-texts.py web/ui/i18n > ${HOME}/lib/src/texts.dart`);
});

test('a client for an app\'s own services sends the token to the servers that were named, over a safe way, and nowhere else', () => {
  const code = source(`${HOME}/lib/auth_client.dart`).replace(/^\s*\/\/.*$/gm, ''), client = classes(parse(code)).find((c) => c.name === 'AuthClient');
  assert.equal(client.base, 'http');
  for (const { member } of calledOn(parse(code), /^_auth$/)) assert.ok(service.members.some((m) => m.name === member && m.body), `AuthService.${member}`);
  assert.equal([...code.matchAll(/'Bearer \$token'/g)].length, 1);
  assert.match(code, /if \(!_carries\(request\)\) return _inner\.send\(request\);/);
  assert.match(code, /followRedirects = false/);
});

/* ---- the seed's functions ---- */

const SEED = {
  register: 'POST /auth/register', login: 'POST /auth/login', refreshTokens: 'POST /auth/refresh', logout: 'POST /auth/logout', getProfile: 'GET /auth/me', verifyTotp: 'POST /auth/2fa/verify',
  sendSms2fa: 'POST /auth/sms/send', verifySms2fa: 'POST /auth/sms/verify', sendMagicLink: 'POST /auth/magic-link/send', verifyMagicLink: 'POST /auth/magic-link/verify', loginWithOAuth: 'GET /auth/oauth/{provider}',
  forgotPassword: 'POST /auth/forgot-password', resetPassword: 'POST /auth/reset-password', changePassword: 'POST /auth/change-password', sendVerificationEmail: 'POST /auth/send-verification-email',
  verifyEmail: 'GET /auth/verify-email', changeEmailRequest: 'POST /auth/change-email/request', changeEmailConfirm: 'POST /auth/change-email/confirm', getLinkedAccounts: 'GET /auth/linked-accounts', linkRequest: 'POST /auth/link-request',
  linkVerify: 'POST /auth/link-verify', unlinkAccount: 'DELETE /auth/linked-accounts/{provider}/{providerAccountId}', deleteAccount: 'DELETE /auth/account', accessToken: null, refreshToken: null, clearTokens: null,
};
for (const [name, wanted] of Object.entries(SEED)) {
  test(`${name} is there${wanted ? ` and sends ${wanted}` : ''}`, () => {
    assert.ok(service.members.some((m) => m.name === name && m.body), name);
    if (wanted) assert.ok(made(name).some((r) => `${r.method} ${r.path.split('?')[0]}` === wanted), JSON.stringify(made(name)));
  });
}

test('AuthService.instance, and results that are maps as before', () => {
  assert.ok(service.members.some((m) => m.name === 'instance' && m.returns === 'AuthService'));
  const base = (name) => all.find((c) => c.name === name)?.base ?? name;
  for (const name of ['login', 'verifyTotp', 'getProfile', 'changePassword']) {
    let type = service.members.find((m) => m.name === name).returns.match(/^Future<(\w+)>$/)[1];
    while (base(type) !== type) type = base(type);
    assert.equal(type, 'UnmodifiableMapView', name);
  }
});

/* ---- sending them ---- */

const played = new Map(requests.map((r) => [r, { keys: new Set(), auth: new Set(), answers: [] }]));

/* The request that the function makes, with these values: a value it has no place for, or a place without a value, is an error. */
async function play(fn, values = {}, { token, refused, nth = 0 } = {}) {
  const r = requests.filter((x) => x.fn === fn)[nth] ?? assert.fail(`no request ${nth} of ${fn}`), left = new Set(Object.keys(values)), log = played.get(r);
  const take = (name) => (left.delete(name), name in values ? values[name] : assert.fail(`${fn}: no value for ${name}`));
  const target = r.path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(take(name)));
  const body = r.body === null ? null : {};
  for (const [key, { optional, value }] of Object.entries(r.body ?? {})) {
    if (optional && !(key in values)) continue;
    log.keys.add(key);
    body[key] = take(key);
    if (value !== undefined) assert.equal(body[key], value, `${fn}: ${key}`);
  }
  assert.deepEqual([...left], [], `${fn}: the Dart code does not send these`);
  assert.ok(r.auth.includes(token === undefined ? 'none' : 'token') || r.auth.includes('optional'), `${fn}: ${r.auth}`);
  log.auth.add(token === undefined ? 'none' : 'token');
  const all_ = { ...headers, 'User-Agent': 'Dart/3.5 (dart:io)' };
  if (token === undefined) delete all_.Authorization;
  else all_.Authorization = headers.Authorization.replace('$token', token);
  if (body === null) delete all_['Content-Type'];
  s.note(token);
  const answer = await s.request(r.method, target, { headers: all_, body: body === null ? undefined : JSON.stringify(body) });
  assert.ok(answer.status !== 405 && answer.json.code !== 'NOT_FOUND', `${r.method} ${target}: ${answer.text}`);
  if (refused) assert.equal(answer.json.code, refused, `${fn}: ${answer.text}`);
  else assert.ok(answer.status < 300 && answer.json.error === undefined, `${fn}: ${answer.status} ${answer.text}`);
  log.answers.push(answer);
  s.note(answer.json.tempToken, answer.json.trustToken, answer.json.secret, ...(answer.json.recoveryCodes ?? []));
  return answer.json;
}

const tokens = (json) => (assert.deepEqual([json.success, typeof json.accessToken, typeof json.refreshToken], [true, 'string', 'string']), json);
const login = (u, more = {}) => play('_login', { email: u.email, password: u.password, ...more });

async function account() {
  const u = { email: freshEmail(), password: freshPassword() };
  await play('register', { ...u, firstName: 'Ada', lastName: 'Lovelace', emailLang: 'en' });
  return { ...u, ...tokens(await login(u)) };
}

test('register, login, getProfile, refreshTokens, logout', async () => {
  const u = await account();
  const me = await play('getProfile', {}, { token: u.accessToken });
  assert.equal(me.email, u.email);
  await play('updateProfile', { firstName: 'Augusta', lastName: null }, { token: u.accessToken });
  s.advance(2 * MINUTE);
  const fresh = tokens(await play('_refreshNow', { refreshToken: u.refreshToken }));
  await play('getProfile', {}, { token: fresh.accessToken });
  tokens(await login(u, { deviceToken: u.deviceToken }));
  await play('_login', { email: u.email, password: 'not the password' }, { refused: 'INVALID_CREDENTIALS' });
  await play('logout', { refreshToken: fresh.refreshToken }, { token: fresh.accessToken });
  await play('getProfile', {}, { token: fresh.accessToken, refused: 'SESSION_REVOKED' });
  await play('_refreshNow', { refreshToken: fresh.refreshToken }, { refused: 'SESSION_REVOKED' });
  await play('register', { email: 'x', password: 'y' }, { refused: 'VALIDATION_ERROR' });
});

test('refreshTokens: what the Dart code takes for the end of a session is what the server says then', async () => {
  const last = text.match(/_final = \{([^}]*)\}/)[1].match(/\w+/g);
  assert.deepEqual(last, ['SESSION_REVOKED', 'INVALID_REFRESH_TOKEN']);
  await play('_refreshNow', { refreshToken: 'no token' }, { refused: last[1] });
  const u = await account();
  s.advance(16 * MINUTE);
  await play('getProfile', {}, { token: u.accessToken, refused: text.match(/_refusedToken[^;]*'(\w+)'/)[1] });
  tokens(await play('_refreshNow', { refreshToken: u.refreshToken }));
});

test('forgotPassword, resetPassword, changePassword', async () => {
  const u = await account(), password = freshPassword();
  await play('forgotPassword', { email: u.email, emailLang: 'en' });
  await play('resetPassword', { token: await t.mailed.token(u.email, RESET), newPassword: password });
  const { accessToken } = tokens(await login({ ...u, password }));
  await play('changePassword', { currentPassword: 'wrong wrong', newPassword: u.password }, { token: accessToken, refused: 'CURRENT_PASSWORD_INCORRECT' });
  await play('changePassword', { currentPassword: password, newPassword: u.password }, { token: accessToken });
  tokens(await login(u));
});

test('sendVerificationEmail, verifyEmail, changeEmailRequest, changeEmailConfirm', async () => {
  const u = await account(), to = freshEmail('new');
  await play('sendVerificationEmail', { emailLang: 'en' }, { token: u.accessToken });
  await t.mailed.token(u.email, VERIFY);
  await play('sendVerificationEmail', { email: u.email });
  await play('verifyEmail', { token: await t.mailed.token(u.email, VERIFY) });
  assert.equal((await play('getProfile', {}, { token: u.accessToken })).isEmailVerified, true);
  s.advance(11 * MINUTE);
  await play('changeEmailRequest', { newEmail: to }, { token: u.accessToken, refused: 'REAUTH_REQUIRED' });
  await play('changeEmailRequest', { newEmail: to, emailLang: 'en', currentPassword: u.password }, { token: u.accessToken });
  await play('changeEmailConfirm', { token: await t.mailed.token(to, CHANGE) });
  await play('changeEmailRevert', { token: await t.mailed.token(u.email, CHANGED) });
});

test('sendMagicLink, verifyMagicLink, and the code in its place', async () => {
  const u = await account();
  await play('sendMagicLink', { email: u.email, type: 'link', emailLang: 'en' });
  const { url, token } = await t.mailed.link(u.email, MAGIC);
  assert.equal(url, `${APP}/magic-link`);
  const first = tokens(await play('verifyMagicLink', { token, deviceToken: 'x', trustToken: 'x' }));
  await play('sendMagicLink', { email: u.email, type: 'code' });
  const code = mailCodeIn(await t.mailed.sink.mail(u.email, { subject: SUBJECT.code }));
  tokens(await play('verifyEmailCode', { email: u.email, code, deviceToken: first.deviceToken, trustToken: 'x' }));
  await play('verifyMagicLink', { token }, { refused: 'INVALID_MAGIC_LINK' });
});

test('sendSms2fa, verifySms2fa, and sign-in by SMS', async () => {
  const u = await account();
  await play('addPhone', { phoneNumber: NUMBER, currentPassword: u.password }, { token: u.accessToken });
  await play('verifyPhone', { code: '123456' }, { token: u.accessToken });
  assert.equal((await play('getProfile', {}, { token: u.accessToken })).phoneNumber, NUMBER);
  await play('sendSmsCode', { email: u.email });
  const first = tokens(await play('verifySmsCode', { email: u.email, code: '123456', deviceToken: 'x', trustToken: 'x' }));
  await s.sql(`UPDATE user SET require_2fa = 1 WHERE email = '${u.email}'`);
  const asked = await login(u);
  assert.deepEqual([asked.requiresTwoFactor, asked.available2faMethods], [true, ['sms', 'magic-link']]);
  await play('sendSms2fa', { tempToken: asked.tempToken, mode: '2fa' });
  await play('verifySms2fa', { tempToken: asked.tempToken, code: '000000', mode: '2fa' }, { refused: 'INVALID_SMS_CODE' });
  const { trustToken } = tokens(await play('verifySms2fa', { tempToken: asked.tempToken, code: '123456', mode: '2fa', rememberDevice: true }));
  tokens(await login(u, { deviceToken: first.deviceToken, trustToken }));
  await play('addPhone', { phoneNumber: null, currentPassword: u.password }, { token: u.accessToken });
});

test('the second factor by mail: link and code', async () => {
  const u = await account();
  await s.sql(`UPDATE user SET require_2fa = 1, email_verified = 1 WHERE email = '${u.email}'`);
  const one = await login(u);
  await play('sendMagicLink2fa', { tempToken: one.tempToken, mode: '2fa', type: 'link', emailLang: 'en' });
  tokens(await play('verifyMagicLink2fa', { tempToken: one.tempToken, mode: '2fa', token: await t.mailed.token(u.email, MAGIC), rememberDevice: true }));
  const two = await login(u);
  await play('sendMagicLink2fa', { tempToken: two.tempToken, mode: '2fa', type: 'code' });
  tokens(await play('verifyEmailCode2fa', { tempToken: two.tempToken, mode: '2fa', code: mailCodeIn(await t.mailed.sink.mail(u.email, { subject: SUBJECT.code })), rememberDevice: true }));
});

async function armed(u) {
  const begun = await play('setup2fa', {}, { token: u.accessToken }), app = new Authenticator(s, begun.otpauthUrl);
  assert.match(begun.qrCode, /^data:image\/png;base64,/);
  const { recoveryCodes } = await play('verifySetup', { token: app.code(), secret: begun.secret }, { token: u.accessToken });
  s.advance(30_000);
  return { ...u, app, recoveryCodes };
}

test('verifyTotp, a recovery code instead, and a device that is not asked again', async () => {
  const u = await armed(await account()), one = await login(u);
  assert.equal(one.available2faMethods[0], 'totp');
  await play('verifyTotp', { tempToken: one.tempToken, totpCode: u.app.wrong() }, { refused: 'INVALID_TOTP_CODE' });
  const { trustToken } = tokens(await play('verifyTotp', { tempToken: one.tempToken, totpCode: u.app.code(), rememberDevice: true }));
  tokens(await login(u, { trustToken }));
  const two = await login(u);
  tokens(await play('verifyRecoveryCode', { tempToken: two.tempToken, recoveryCode: u.recoveryCodes[0] }));
  const { accessToken: token } = await signedInLongAgo(u);
  await play('disable2fa', {}, { token, refused: 'REAUTH_REQUIRED' });
  await play('disable2fa', { totpCode: u.app.code() }, { token });
  assert.equal((await play('getProfile', {}, { token })).isTotpEnabled, false);
});

async function signedInLongAgo(u) {
  s.advance(31_000); // the code of this step may be used
  const { tempToken } = await login(u), r = tokens(await play('verifyTotp', { tempToken, totpCode: u.app.code() }));
  s.advance(11 * MINUTE);
  return r;
}

/* An administrator whose app is to be removed; the mail comes while other tests run. */
async function removal() {
  const u = await armed(await account());
  await s.sql(`UPDATE user SET is_admin = 1 WHERE email = '${u.email}'`);
  await s.cliOk(['user', 'reset-2fa', u.email]);
  return u.email;
}
let toBeRemoved;

test('what asks again takes a code, a recovery code, a password', async () => {
  toBeRemoved = await removal();
  let u = await armed(await account());
  const asking = {
    addPhone: () => ({ phoneNumber: null }), changeEmailRequest: () => ({ newEmail: freshEmail() }), linkRequest: () => ({ email: freshEmail(), provider: 'email' }),
    unlinkAccount: () => ({ provider: 'email', providerAccountId: 'nobody@example.test' }), linkOAuth: () => ({ provider: 'fake' }), setup2fa: () => ({}), newRecoveryCodes: () => ({}),
  };
  for (const [fn, values] of Object.entries(asking)) {
    const { accessToken: token } = await signedInLongAgo(u);
    await play(fn, values(), { token, refused: 'REAUTH_REQUIRED' });
    if (['setup2fa', 'newRecoveryCodes'].includes(fn)) await play(fn, { ...values(), currentPassword: u.password }, { token, refused: 'REAUTH_REQUIRED' });
    const got = await play(fn, { ...values(), totpCode: u.app.code() }, { token });
    if (got.recoveryCodes) u = { ...u, recoveryCodes: got.recoveryCodes };
    await play(fn, { ...values(), recoveryCode: u.recoveryCodes.shift(), currentPassword: u.password }, { token });
  }
  for (const fn of ['disable2fa', 'deleteAccount']) {
    const one = await armed(await account()), two = await armed(await account());
    await play(fn, { totpCode: one.app.code() }, { token: one.accessToken });
    await play(fn, { recoveryCode: two.recoveryCodes[0], currentPassword: two.password }, { token: two.accessToken });
  }
});

/* Somebody who must have a second factor and for whom mail is none. */
const demand = (email) => s.sql(`UPDATE user SET require_2fa = 1, is_admin = 1 WHERE email = '${email}'`);

test('a second factor that is demanded is set up with the handle, which then signs in', async () => {
  const u = await account();
  await demand(u.email);
  const asked = await login2(u, '2FA_SETUP_REQUIRED');
  assert.deepEqual([asked.requires2FASetup, asked.available2faMethods], [true, []]);
  const begun = await play('setup2fa', { tempToken: asked.tempToken }, { nth: 1 });
  const done = tokens(await play('verifySetup', { token: new Authenticator(s, begun.otpauthUrl).code(), secret: begun.secret, tempToken: asked.tempToken }));
  assert.equal(done.recoveryCodes.length, 10);
});
const login2 = (u, refused) => play('_login', { email: u.email, password: u.password }, { refused });

test('the removal of an app is called off from the mail', async () => {
  await play('keep2fa', { token: await t.mailed.token(toBeRemoved, 'Your second factor is to be removed') });
});

test('a guest becomes an account', async () => {
  const g = tokens(await play('guest'));
  assert.deepEqual([(await play('getProfile', {}, { token: g.accessToken })).isGuest, typeof g.userId], [true, 'string']);
  const u = await account();
  assert.equal(typeof (await play('register', { email: u.email, password: freshPassword() }, { token: g.accessToken, refused: 'EMAIL_EXISTS' })).mergeToken, 'string');
  assert.equal((await play('register', { email: freshEmail(), password: freshPassword() }, { token: g.accessToken })).userId, g.userId);
});

test('sessions: listed and ended; what the sign-in screen offers; the export', async () => {
  const u = await account(), other = tokens(await login(u));
  const { sessions } = await play('getSessions', {}, { token: u.accessToken });
  assert.deepEqual(sessions.map((x) => x.isCurrent).sort(), [false, true]);
  await play('revokeSession', { handle: sessions.find((x) => !x.isCurrent).handle }, { token: u.accessToken });
  await play('getProfile', {}, { token: other.accessToken, refused: 'SESSION_REVOKED' });
  const offers = await play('getOffers');
  assert.deepEqual([offers.registrationEnabled, offers.smsEnabled, offers.availableProviders], [true, true, ['fake']]);
  assert.equal((await play('exportAccount', {}, { token: u.accessToken })).user.email, u.email);
});

test('getLinkedAccounts, linkRequest, linkVerify, unlinkAccount, deleteAccount', async () => {
  const u = await account(), to = freshEmail('linked');
  await play('linkRequest', { email: to, provider: 'email', emailLang: 'en' }, { token: u.accessToken });
  await play('linkVerify', { token: await t.mailed.token(to, LINKING) });
  const { linkedAccounts } = await play('getLinkedAccounts', {}, { token: u.accessToken });
  assert.deepEqual(linkedAccounts.map((x) => [x.provider, x.providerAccountId]), [['email', to]]);
  await play('unlinkAccount', { provider: 'email', providerAccountId: to, currentPassword: u.password }, { token: u.accessToken });
  await play('linkRequest', { email: to, provider: 'email' }, { token: u.accessToken });
  tokens(await play('linkVerify', { token: await t.mailed.token(to, LINKING), loginAfterLinking: true }));
  await play('linkRequest', { email: to, provider: 'email' }, { refused: 'UNAUTHORIZED' });
  await play('deleteAccount', {}, { token: u.accessToken });
  await play('getProfile', {}, { token: u.accessToken, refused: 'SESSION_REVOKED' });
});

/* ---- providers ---- */

/* What the Dart code reads of the address that the browser ends at. */
const readAtEnd = new Set(reads.get(service).filter((x) => x.receiver === 'query').map((x) => x.key)), metAtEnd = new Set();

/* A browser that goes to a start address with what the Dart code adds to it: { query, verifier }. */
async function browse(start) {
  const begin = requests.find((r) => r.fn === 'loginWithOAuth'), { verifier, challenge } = t.app(), state = crypto.randomBytes(16).toString('base64url');
  const known = { redirect_uri: APP, code_challenge: challenge, code_challenge_method: begin.query.code_challenge_method.value, state };
  assert.deepEqual(Object.keys(begin.query).sort(), Object.keys(known).sort());
  const url = start ?? `${AUTH}${begin.path.replace('{provider}', 'fake')}`;
  const r = await t.browser().go(`${url}${url.includes('?') ? '&' : '?'}${new URLSearchParams(known)}`), query = new URL(r.url).searchParams;
  assert.ok(r.url.startsWith(APP), r.url);
  assert.equal(query.get('state'), state, 'AP08');
  played.get(begin).answers.push({ json: {}, status: 302 });
  played.get(begin).auth.add('browser');
  for (const key of query.keys()) metAtEnd.add(key);
  return { url: r.url, query, verifier };
}
const exchange = (r, options) => play('finishOAuth', { ott: r.query.get('ott'), codeVerifier: r.verifier }, { nth: 1, ...options });

test('AP04 loginWithOAuth: challenge, provider, ott, exchange, /me', async () => {
  t.p.person = person();
  const r = await browse(), got = tokens(await exchange(r));
  assert.deepEqual([(await play('getProfile', {}, { token: got.accessToken })).email, (await play('getProfile', {}, { token: got.accessToken })).loginProvider], [t.p.person.email, 'fake']);
  await exchange(r, { refused: 'INVALID_OTT' });
  t.p.deny = 'access_denied';
  assert.equal((await browse()).query.get('error'), 'OAUTH_ACCESS_DENIED');
  t.p.deny = null;
});

test('loginWithOAuth: the second factor, and the one that is demanded, are met in the address', async () => {
  t.p.person = person();
  const first = tokens(await exchange(await browse())), u = await armed({ ...first, email: t.p.person.email });
  const asked = await browse();
  assert.match(asked.url, /^myapp:\/\/auth\/auth\/2fa\?/);
  assert.equal(asked.query.get('methods'), 'totp');
  tokens(await play('verifyTotp', { tempToken: asked.query.get('tempToken'), totpCode: u.app.code() }));
  t.p.person = person();
  tokens(await exchange(await browse()));
  await demand(t.p.person.email);
  const must = await browse();
  assert.deepEqual([must.query.get('requires2FASetup'), must.query.get('methods')], ['true', '']);
  await play('setup2fa', { tempToken: must.query.get('tempToken') }, { nth: 1 });
});

test('ID08 linking an account at a provider, and signing in with an ID token', async () => {
  t.p.person = person();
  const u = await account(), { url } = await play('linkOAuth', { provider: 'fake', currentPassword: u.password }, { token: u.accessToken });
  const r = await browse(url);
  await play('finishOAuth', { ott: r.query.get('ott'), codeVerifier: r.verifier }, { token: u.accessToken });
  const { linkedAccounts } = await play('getLinkedAccounts', {}, { token: u.accessToken });
  assert.deepEqual(linkedAccounts.map((x) => x.providerAccountId), [t.p.person.sub]);
  const got = tokens(await play('loginWithIdToken', { provider: 'fake', idToken: await t.p.idToken({}, { nonce: 'n-1' }), nonce: 'n-1', firstName: 'Mary Ann', lastName: 'Smith' }));
  assert.equal((await play('getProfile', {}, { token: got.accessToken })).email, u.email);
});

test('all that is read of such an address was there', () => {
  const known = new Set([...metAtEnd, 'token']); // token: of the links in mails, below
  assert.deepEqual([...readAtEnd].filter((key) => !known.has(key)), []);
});

test('links of mails are the ones that the Dart code knows, with and without the doubled prefix', async () => {
  const known = [...text.match(/_paths = \{([^}]*)\}/)[1].matchAll(/'([^']+)': AuthLinkKind\.(\w+)/g)].map((m) => [m[1], m[2]]);
  const kind = (url) => known.find(([end]) => new URL(url).pathname.endsWith(end))?.[1] ?? 'unknown';
  const expect = { 'verify-email': 'verifyEmail', 'change-email/confirm': 'changeEmailConfirm', 'change-email/revert': 'changeEmailRevert', 'magic-link': 'magicLink', 'magic-link/verify': 'magicLink', 'link-verify': 'linkVerify', 'reset-password': 'resetPassword', '2fa/keep': 'keepTwoFactor', '2fa': 'oauth' };
  for (const [end, what] of Object.entries(expect)) for (const site of ['myapp://auth/', 'myapp://auth/auth/', 'com.example.app:/auth/', 'https://app.example.test/auth/ui/']) assert.equal(kind(`${site}${end}?token=x`), what, `${site}${end}`);
  const sent = new Set(t.mailed.sink.mails.flatMap((mail) => [...mail.parsed.text.matchAll(/(\S+)\?token=/g)].map((m) => m[1])));
  assert.ok(sent.size >= 6, [...sent].join());
  for (const url of sent) assert.notEqual(kind(url), 'unknown', url);
});

/* ---- last, as it slows down the sign-ins of everybody: the work that unknown devices do while accounts are tried out ---- */

test('BF17 login: the proof of work', async () => {
  const u = await account();
  const fail = await Promise.all(Array.from({ length: 80 }, () => s.login(freshEmail('many'), 'wrong wrong 1')));
  assert.ok(fail.every((r) => [401, 429].includes(r.status)));
  const { challenge } = await login2(u, 'CHALLENGE_REQUIRED');
  const solver = text.slice(text.indexOf('String _solve(')), its = [...solver.matchAll(/challenge\['(\w+)'\]/g)].map((m) => m[1]);
  assert.deepEqual(its, ['challenge', 'bits']);
  assert.match(solver, /'\$text\.\$\{n\.toRadixString\(16\)\}'/);
  for (const key of its) assert.ok(key in challenge, key);
  for (let n = 0; ; n++) {
    const challengeAnswer = `${challenge[its[0]]}.${n.toString(16)}`;
    if (sha256(challengeAnswer).readUInt32BE() >>> (32 - challenge[its[1]]) !== 0) continue;
    tokens(await login(u, { challengeAnswer }));
    break;
  }
});

/* ---- what all of that has shown ---- */

const doc = YAML.parse(source('docs/openapi.yaml'));
const resolve = (node) => (node?.$ref === undefined ? node : resolve(node.$ref.replace(/^#\//, '').split('/').reduce((o, k) => o[k], doc)));
/* Names of the members that a schema describes; of, of: those of the entries of a list. */
function members(schema, of) {
  const x = resolve(schema);
  if (x === undefined || x === null || typeof x !== 'object') return [];
  const parts = ['allOf', 'oneOf', 'anyOf'].flatMap((k) => x[k] ?? []).flatMap((y) => members(y, of));
  if (of !== undefined) return [...parts, ...(x.properties?.[of] ? members(resolve(x.properties[of]).items) : [])];
  return [...parts, ...Object.keys(x.properties ?? {})];
}
const operation = (r) => {
  const wanted = r.path.split('?')[0];
  return doc.paths[wanted]?.[r.method.toLowerCase()] ?? doc.paths[Object.keys(doc.paths).find((p) => p.replace(/\{\w+\}/g, '{}') === wanted.replace(/\{\w+\}/g, '{}'))]?.[r.method.toLowerCase()];
};
const memo = (make, kept = new Map()) => (...key) => kept.get(key.join('\n')) ?? kept.set(key.join('\n'), make(...key)).get(key.join('\n'));
const schemas = memo((at, of) => new Set(Object.values(operation(requests[at]).responses).flatMap((a) => Object.values(resolve(a).content ?? {}).flatMap((c) => members(c.schema, of)))));
const described = (r, of) => schemas(requests.indexOf(r), of);
const met = (r) => new Set(played.get(r).answers.flatMap((a) => Object.keys(a.json)));

test('every request was sent and did what it is for, with every member of its body and each kind of authorisation', () => {
  for (const [r, log] of played) {
    const what = `${r.fn}: ${r.method} ${r.path}`;
    assert.ok(log.answers.some((a) => a.status < 400), what);
    assert.deepEqual(Object.keys(r.body ?? {}).filter((k) => !log.keys.has(k)), [], what);
    if (r.auth.includes('optional')) continue;
    assert.deepEqual(r.auth.filter((a) => !log.auth.has(a)), [], what);
  }
});

test('every request is described, with every member and parameter', () => {
  for (const r of requests) {
    const what = `${r.fn}: ${r.method} ${r.path}`, op = operation(r);
    assert.ok(op, what);
    const known = members(resolve(op.requestBody)?.content['application/json'].schema);
    assert.deepEqual(Object.keys(r.body ?? {}).filter((k) => !known.includes(k)), [], what);
    const parameters = (op.parameters ?? []).map(resolve).filter((p) => p.in === 'query').map((p) => p.name);
    const query = [...Object.keys(r.query ?? {}), ...[...(r.path.split('?')[1] ?? '').matchAll(/(\w+)=/g)].map((m) => m[1])];
    assert.deepEqual(query.filter((k) => !parameters.includes(k)), [], what);
  }
});

test('every member of an answer that is read was there, and is described', () => {
  const chain = (name) => { const c = all.find((x) => x.name === name); return c ? [c, ...chain(c.base)] : []; };
  let checked = 0;
  for (const f of service.members.filter((m) => m.body)) {
    const own = made(f.name).filter((r) => r.query === null), sent = f.name === '_keep' ? requests.filter((r) => r.query === null) : own;
    for (const read of reads.get(service).filter((x) => x.fn === f.name && x.receiver === 'answer')) {
      assert.ok(sent.some((r) => met(r).has(read.key) && described(r).has(read.key)), `${f.name} reads ${read.key}`);
      checked++;
    }
  }
  const returning = (name) => service.members.filter((m) => m.body && new RegExp(`^Future<${name}>$`).test(m.returns)).flatMap((m) => made(m.name)).filter((r) => r.query === null);
  for (const c of all.filter((x) => /Result|TotpSetup|RecoveryCodes|UserProfile|AuthOffers/.test(x.name))) {
    const sent = returning(c.name), lines = chain(c.name);
    assert.ok(sent.length > 0, c.name);
    for (const read of lines.flatMap((x) => reads.get(x)).filter((x) => x.receiver === 'this')) {
      // What a sign-in may answer with is not met at every one of them: a guest is asked for no second factor.
      const among = c.name !== 'AuthResult' && reads.get(c).some((x) => x.key === read.key) ? sent : requests.filter((r) => r.query === null);
      assert.ok(among.some((r) => met(r).has(read.key) && described(r).has(read.key)), `${c.name} reads ${read.key}`);
      checked++;
    }
  }
  for (const [name, list] of [['AuthSession', 'sessions'], ['LinkedAccount', 'linkedAccounts']]) {
    const sent = requests.filter((r) => met(r).has(list) && r.method === 'GET' && r.path.endsWith(list === 'sessions' ? 'sessions' : 'linked-accounts')), entries = sent.flatMap((r) => played.get(r).answers.flatMap((a) => a.json[list] ?? []));
    assert.ok(sent.length === 1 && entries.length > 0, name);
    for (const read of reads.get(all.find((x) => x.name === name))) {
      assert.ok(described(sent[0], list).has(read.key), `${name} reads ${read.key}`);
      assert.ok(read.needed ? entries.every((e) => e[read.key] !== undefined) : entries.some((e) => e[read.key] !== undefined), `${name} reads ${read.key}`);
      checked++;
    }
  }
  assert.ok(checked > 60, `${checked} reads`);
});

test('answers are read by nobody else', () => {
  const receivers = new Set([...reads.values()].flat().map((x) => x.receiver));
  assert.deepEqual([...receivers].sort(), ['answer', 'claims', 'headers', 'pending', 'query', 'this']);
});

/* ---- the example and the Dart tests ---- */

test('what the example and the tests call is there, with these arguments and with every one that is needed', () => {
  const users = dartFiles.filter((f) => f !== FILE), results = new Set(all.flatMap((c) => c.members.map((m) => m.name)));
  let seen = 0;
  for (const file of users) {
    const root = parse(source(file));
    for (const { member, named, line } of calledOn(root, /^(auth|service)$/)) {
      const at = `${file}:${line} ${member}`, m = service.members.find((x) => x.name === member && !member.startsWith('_'));
      assert.ok(m, at);
      seen++;
      if (named === null) continue;
      const { names, required } = parametersOf(m.signature);
      assert.deepEqual(named.filter((n) => !names.includes(n)), [], at);
      assert.deepEqual(required.filter((n) => !named.includes(n)), [], at);
    }
    for (const { member, line } of calledOn(root, /^(result|profile|setup|codes|offers|session|account|sessions|accounts)$/)) assert.ok(results.has(member) || ['map', 'isEmpty', 'length', 'first', 'single'].includes(member), `${file}:${line} ${member}`);
  }
  assert.ok(seen > 60, `${seen} calls`);
  const called = new Set(users.filter((f) => f.includes('/example/')).flatMap((f) => calledOn(parse(source(f)), /^auth$/).map((x) => x.member)));
  for (const name of Object.keys(SEED).filter((n) => !['accessToken', 'refreshToken', 'clearTokens', 'refreshTokens'].includes(n) && !['verifyEmail', 'changeEmailConfirm', 'linkVerify', 'verifyMagicLink'].includes(n))) assert.ok(called.has(name), `the example does not show ${name}`);
});
