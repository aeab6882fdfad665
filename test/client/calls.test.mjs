// calls.test.mjs — every call of sallyport.h that the seed does not have, and what each answers when it is refused.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Authenticator } from '../lib/authenticator.mjs';
import { CApp, said } from '../lib/capp.mjs';
import { NUMBER, SMS_CODE, World } from '../lib/capp_world.mjs';
import { mailCodeIn, SUBJECT, wrongCode } from '../lib/delivery.mjs';
import { CHANGE, CHANGED, LINKING, MAGIC, RESET, RESET_ASKED, VERIFY } from '../lib/mailed.mjs';
import { ROOT, source } from '../lib/paths.mjs';
import { freshEmail, freshPassword, MINUTE, Server } from '../lib/server.mjs';
import { makeCertificates } from '../lib/smtp_sink.mjs';

const w = await World.start(), { s, m, p, proxy } = w;
let home;
before(() => (home = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-calls-'))));
after(async () => {
  await w.close();
  fs.rmSync(home, { recursive: true });
});
w.calmed();

const profileOf = async (app) => (await app.ok('get_profile')).profile;
const HEADER = source('clients/c/include/sallyport.h'), DRIVER = source('clients/c/test/driver.c');

/* { name: [its parameters] } of the functions that give a result. */
const functions = Object.fromEntries([...HEADER.matchAll(/^SP_API ([\w ]+[ *])sp_(\w+)\(([^)]*)\);/gms)].map(([, type, name, list]) => [name, { type: type.trim(), list: list.split(',').map((one) => one.trim().replace(/\s+/g, ' ')) }]));
const calls = Object.entries(functions).filter(([, f]) => f.type === 'sp_result *').map(([name]) => name);

test('every function of the header is called by the driver, and every call by a test', () => {
  assert.ok(calls.length >= 50, `${calls.length}`);
  assert.equal(Object.keys(functions).length, [...HEADER.matchAll(/^SP_API /gm)].length);
  const tests = ['seed', 'calls', 'tokens'].map((name) => fs.readFileSync(path.join(ROOT, 'test', 'client', `${name}.test.mjs`), 'utf8')).join('');
  for (const name of Object.keys(functions)) {
    assert.match(DRIVER, new RegExp(`\\bsp_${name}\\b|CALL\\(\\d, ${name}\\)`), name);
    if (calls.includes(name)) assert.ok(tests.includes(`'${name}'`), `no test calls ${name}`);
  }
});

/* ---- arguments ---- */

/* Which parameters may be NULL, as the header says. */
const MAY_BE_NULL = {
  register: ['first_name', 'last_name'], update_profile: ['first_name', 'last_name'], delete_account: ['password', 'code'], send_magic_link_2fa: ['type'], setup_2fa: ['temp_token', 'password', 'code'],
  verify_setup_2fa: ['temp_token'], disable_2fa: ['password', 'code'], new_recovery_codes: ['password', 'code'], send_magic_link: ['type'], send_verification_email: ['email'],
  change_email_request: ['password', 'code'], add_phone: ['phone_number', 'password', 'code'], link_request: ['provider', 'password'], unlink_account: ['password'], oauth_link_begin: ['password'], oauth_token: ['nonce'],
};

test('NULL where a string must be is SP_INVALID, and nothing is sent', async () => {
  const { app } = await w.signedIn();
  let n = 0;
  for (const name of calls.filter((one) => !['oauth_login', 'oauth_link'].includes(one))) {
    const params = functions[name].list.slice(1).map((one) => one.match(/(\w+)$/)[1]);
    const full = params.map((param) => (['min_validity', 'sign_in'].includes(param) ? 0 : 'x'));
    for (const [i, param] of params.entries()) {
      if (full[i] === 0 || MAY_BE_NULL[name]?.includes(param)) continue;
      const r = await app.call(name, ...full.map((value, k) => (k === i ? null : value)));
      assert.deepEqual([...said(r).slice(0, 2), typeof r.message], ['SP_INVALID', 0, 'string'], `${name}(${param} = NULL)`);
      n++;
    }
  }
  assert.ok(n >= 45, `${n}`);
  for (const how of ['', 'fails']) {
    assert.equal((await app.call('oauth_login', null, 1, how)).error, 'SP_INVALID');
    assert.equal((await app.call('oauth_link', null, null, 1, how)).error, 'SP_INVALID');
  }
  assert.deepEqual([proxy.log(), app.events], [[], []]);
});

test('strings that are too long are refused, and the next call is as good as ever', async () => {
  const app = await CApp.start(s.target), user = await s.register(), long = 'x'.repeat(300_000);
  await app.ok('login', user.email, user.password);
  for (const call of [['login', long, user.password], ['login', user.email, long], ['verify_totp', long, '123456'], ['update_profile', long, null], ['revoke_session', long], ['unlink_account', 'email', long, null], ['verify_magic_link', long]]) {
    const r = await app.call(...call);
    assert.ok(['SP_REFUSED', 'SP_INVALID'].includes(r.error), `${call[0]}: ${JSON.stringify(said(r))}`);
  }
  assert.equal((await profileOf(app)).id, user.id);
  await app.close();
});

test('a client that cannot be is SP_INVALID, before any request', async () => {
  const bad = ['', 'auth.example.com', 'ftp://auth.example.com', 'http://auth.example.com', 'http://10.0.0.1:3000', 'http://127.0.0.1.example.com', 'https://', 'https://a b', 'https://user:password@auth.example.com', 'https://auth.example.com/path',
    'https://auth.example.com?x', 'https://auth.example.com#x', 'https://auth.example.com:65536', 'https://auth.example.com:99999999999999999999', 'https://auth.example.com:0', 'https://auth.example.com:x'];
  for (const server of bad) assert.deepEqual((await CApp.start(w.proxy, { server })).failed, { event: 'failed', call: 'client_new', error: 'SP_INVALID' }, server);
  for (const server of ['https://auth.example.com', 'https://auth.example.com/', 'http://localhost:3000', 'http://127.0.0.1:3000', 'http://[::1]:3000']) assert.equal((await w.app({ server })).failed, null, server);
  assert.equal((await w.app({ account: 'ä'.repeat(64) })).failed, null);
  assert.equal((await CApp.start(w.proxy, { account: 'ä'.repeat(65) })).failed?.error, 'SP_INVALID');
  const owned = await CApp.start(w.proxy, { server: 'none', store: 'own' });
  assert.deepEqual(owned.events.map((e) => e.event), ['closed', 'failed'], 'the store is closed in any case');
  await owned.close();
});

test('version, names of errors, and a program that was built before a member was there', async () => {
  const app = await w.app({ size: 'old' });
  assert.match(await app.value('version'), /^\d+\.\d+\.\d+$/);
  const names = [...HEADER.matchAll(/^\t(SP_\w+) = (\d+),?/gm)].filter(([, name]) => !name.startsWith('SP_STATE_'));
  assert.ok(names.length >= 16);
  for (const [, name, value] of names) assert.equal(await app.value('error_name', value), name);
  for (const value of [-1, 16, 4711]) assert.equal(typeof (await app.value('error_name', value)), 'string');
  const user = await s.register();
  await app.ok('login', user.email, user.password);
  assert.deepEqual(app.events, [], 'on_state is beyond its size');
});

/* ---- accounts ---- */

test('register: every complaint with its field; an address that is taken', async () => {
  const app = await w.app(), user = await s.register();
  const r = await app.call('register', 'no address', 'short', 'a\nb', null);
  assert.deepEqual([...said(r), r.message], ['SP_REFUSED', 400, 'VALIDATION_ERROR', 'Validation failed']);
  assert.deepEqual(r.fields, JSON.parse(r.body).fields);
  assert.ok(r.fields.length >= 1 && r.fields.every((one) => one.field !== '' && /^[A-Z_]+$/.test(one.reason)), r.body);
  const taken = await app.call('register', user.email, freshPassword(), null, null);
  assert.deepEqual([...said(taken), taken.merge_token], ['SP_REFUSED', 409, 'EMAIL_EXISTS', null]);
});

test('guest: signed in without an address, becomes an account in place; a merge token when the address has one', async () => {
  const app = await w.app(), { user_id: id } = await app.ok('guest'), taken = await s.register();
  assert.deepEqual([app.states(), (await profileOf(app)).is_guest, (await profileOf(app)).email], [['SIGNED_IN'], 1, '']);
  const no = await app.call('register', taken.email, freshPassword(), null, null);
  assert.deepEqual(said(no), ['SP_REFUSED', 409, 'EMAIL_EXISTS']);
  assert.equal(no.merge_token, JSON.parse(no.body).mergeToken);
  assert.match(no.merge_token, /^eyJ/);
  s.advance(16 * MINUTE);
  const email = freshEmail(), made = await app.ok('register', email, freshPassword(), 'Ada', null);
  assert.equal(made.user_id, id);
  const me = await profileOf(app);
  assert.deepEqual([me.id, me.email, me.is_guest], [id, email, 0]);
});

test('update_profile: NULL stays, "" is removed; quotes, backslashes and every plane of Unicode come back as they went', async () => {
  const { app } = await w.signedIn();
  for (const name of ['Zoë "Z" \\ Ünï', 'O\'Neil <b>&amp;', '李小龍', '👩‍🚀 Sally', '{"a":[1]}', '\\u0041\\n', 'a/b%2F?c=d&e#f']) {
    await app.ok('update_profile', name, `${name}2`);
    const me = await profileOf(app);
    assert.deepEqual([me.first_name, me.last_name], [name, `${name}2`]);
  }
  await app.ok('update_profile', null, 'Last');
  assert.deepEqual([(await profileOf(app)).first_name, (await profileOf(app)).last_name], ['a/b%2F?c=d&e#f', 'Last']);
  await app.ok('update_profile', '', null);
  assert.deepEqual([(await profileOf(app)).first_name, (await profileOf(app)).last_name], [null, 'Last']);
  const broken = await app.call('update_profile', 'x'.repeat(1000), null);
  assert.deepEqual([broken.code, broken.fields.map((one) => one.field)], ['VALIDATION_ERROR', ['firstName']]);
});

test('login: an address and a password of other letters', async () => {
  const app = await w.app(), password = 'Pässwörter "sind" \\ lang 密码 😀', email = freshEmail('with+plus');
  await app.ok('register', email, password, 'Ä', null);
  await app.ok('login', email, password);
  assert.equal((await profileOf(app)).email, email);
});

test('export: everything, as it came', async () => {
  const { app, user } = await w.signedIn(), { body } = await app.ok('export');
  assert.ok(JSON.stringify(JSON.parse(body)).includes(user.email));
});

test('get_sessions, revoke_session: the list, another one, the own one', async () => {
  const { app, user } = await w.signedIn({ user_agent: 'Notes/7 "ü" (Linux)' }), other = await w.app();
  await other.ok('login', user.email, user.password);
  const { sessions } = await app.ok('get_sessions');
  assert.equal(sessions.length, 2);
  const [mine, theirs] = [1, 0].map((is) => sessions.find((one) => one.is_current === is));
  for (const one of sessions) for (const at of ['created_at', 'expires_at', 'last_active_at']) assert.match(one[at], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/, at);
  assert.match(mine.user_agent, /Notes/);
  assert.match(theirs.user_agent, /libsallyport/);
  assert.match(mine.ip_address, /^127\.0\.0\./);
  assert.equal((await app.call('revoke_session', '00000000-0000-4000-8000-000000000000')).code, 'SESSION_NOT_FOUND');
  assert.equal((await app.call('revoke_session', '../account')).error, 'SP_REFUSED');
  await app.ok('revoke_session', theirs.handle);
  assert.equal((await other.call('get_profile')).error, 'SP_SIGNED_OUT');
  await app.ok('revoke_session', mine.handle);
  assert.deepEqual([(await app.call('get_profile')).error, app.states()], ['SP_SIGNED_OUT', ['SIGNED_OUT SESSION_REVOKED']]);
});

/* ---- asked again ---- */

test('SP_REAUTH: the same call once more with the password, a code of the app, or a recovery code', async () => {
  const { app, user } = await w.signedIn(), reauth = async (...call) => {
    s.advance(11 * MINUTE);
    const r = await app.call(...call);
    assert.deepEqual(said(r), ['SP_REAUTH', 403, 'REAUTH_REQUIRED'], call[0]);
  };
  await reauth('setup_2fa', null, null, null);
  const no = await app.call('setup_2fa', null, 'not the password', null);
  assert.deepEqual([...said(no), no.totp], ['SP_REFUSED', 401, 'CURRENT_PASSWORD_INCORRECT', undefined]);
  const { totp } = await app.ok('setup_2fa', null, user.password, null);
  assert.match(totp.secret, /^[A-Z2-7]{32,}$/);
  assert.match(totp.otpauth_url, /^otpauth:\/\/totp\//);
  assert.match(totp.qr_code, /^data:image\/png;base64,/);
  const wrong = await app.call('verify_setup_2fa', null, '000000');
  assert.deepEqual([...said(wrong), wrong.recovery_codes], ['SP_REFUSED', 400, 'INVALID_TOTP_CODE', null]);
  const { authenticator, codes } = await w.withTotp(app);
  assert.equal(new Set(codes).size, 10);

  const to = freshEmail();
  await reauth('change_email_request', to, null, null);
  await app.ok('change_email_request', to, user.password, null);
  await reauth('new_recovery_codes', null, null);
  const { recovery_codes: fresh } = await app.ok('new_recovery_codes', null, authenticator.code());
  assert.equal(fresh.length, 10);
  assert.ok(fresh.every((code) => !codes.includes(code)));
  await reauth('add_phone', NUMBER, null, null);
  await app.ok('add_phone', NUMBER, null, fresh[0]);
  const bad = await app.call('verify_phone', '000000');
  assert.deepEqual(said(bad), ['SP_REFUSED', 400, 'INVALID_PHONE_CODE']);
  await app.ok('verify_phone', SMS_CODE);
  assert.equal((await profileOf(app)).phone_number, NUMBER);
  await app.ok('add_phone', null, null, null);
  assert.equal((await profileOf(app)).phone_number, null);
  await reauth('link_request', to, null, null);
  await app.ok('link_request', to, null, user.password);
  await reauth('oauth_link_begin', 'fake', 'myapp://auth', null);
  await app.ok('oauth_link_begin', 'fake', 'myapp://auth', user.password);
  await reauth('disable_2fa', null, null);
  assert.equal((await app.call('disable_2fa', null, authenticator.wrong())).error, 'SP_REFUSED');
  await app.ok('disable_2fa', null, authenticator.code());
  assert.equal((await profileOf(app)).is_totp_enabled, 0);
});

test('delete_account: with the proof that the server may ask for', async (t) => {
  const strict = await Server.start({ env: { SALLYPORT_STEPUP_ACCOUNT_DELETE: 'true' } });
  t.after(() => strict.close());
  const app = await CApp.start(strict.target), user = await strict.register();
  await app.ok('login', user.email, user.password);
  strict.advance(11 * MINUTE);
  assert.equal((await app.call('delete_account', null, null)).error, 'SP_REAUTH');
  assert.equal((await app.call('delete_account', 'not the password', null)).code, 'CURRENT_PASSWORD_INCORRECT');
  assert.equal(await app.value('is_signed_in'), '1');
  await app.ok('delete_account', user.password, null);
  await app.close();
});

/* ---- second factors ---- */

test('verify_recovery_code: signs in once with each', async () => {
  const { app, user } = await w.signedIn(), { codes } = await w.withTotp(app);
  await app.ok('logout');
  assert.equal((await app.call('verify_recovery_code', await w.handle(app, user), 'K7-AAAAA-AAAAA')).error, 'SP_REFUSED');
  await app.ok('verify_recovery_code', await w.handle(app, user), codes[3].toLowerCase());
  await app.ok('logout');
  assert.deepEqual(said(await app.call('verify_recovery_code', await w.handle(app, user), codes[3])), ['SP_REFUSED', 401, 'INVALID_TOTP_CODE']);
});

test('a second factor that is demanded is set up before the sign-in goes on', async () => {
  const strict = await World.start({ env: { SALLYPORT_TWOFACTOR_REQUIRED: 'true', SALLYPORT_TWOFACTOR_MAGIC_LINK: 'false' } });
  try {
    const one = await strict.app(), owner = await strict.s.register(), r = await one.call('login', owner.email, owner.password);
    assert.deepEqual([...said(r), await one.value('is_signed_in')], ['SP_SETUP_REQUIRED', 403, '2FA_SETUP_REQUIRED', '0']);
    const temp = r.challenge.temp_token, { totp } = await one.ok('setup_2fa', temp, null, null);
    assert.equal((await one.call('verify_setup_2fa', temp, '000000')).code, 'INVALID_TOTP_CODE');
    const authenticator = new Authenticator(strict.s, totp.otpauth_url);
    const done = await one.ok('verify_setup_2fa', temp, authenticator.code());
    assert.deepEqual([done.recovery_codes.length, one.states(), (await profileOf(one)).is_totp_enabled], [10, ['SIGNED_IN'], 1]);
    const no = await one.call('disable_2fa', null, authenticator.code(1));
    assert.deepEqual(said(no), ['SP_REFUSED', 403, '2FA_REQUIRED']);
  } finally {
    await strict.close();
  }
});

test('send_magic_link_2fa, verify_magic_link_2fa, verify_email_code_2fa: the second factor by mail', async () => {
  const { app, user } = await w.signedIn();
  await s.sql(`UPDATE user SET email_verified = 1, require_2fa = 1 WHERE email = '${user.email}'`);
  await app.ok('logout');
  const one = await w.handle(app, user);
  await app.ok('send_magic_link_2fa', one, null);
  const token = await m.token(user.email, MAGIC), foreign = await app.call('verify_magic_link_2fa', await w.handle(app, user), token);
  assert.deepEqual(said(foreign), ['SP_REFUSED', 401, 'TOKEN_MISMATCH'], 'sent for another sign-in');
  await app.ok('verify_magic_link_2fa', one, token);
  await app.ok('logout');
  const two = await w.handle(app, user);
  await app.ok('send_magic_link_2fa', two, 'code');
  const code = mailCodeIn(await m.sink.mail(user.email, { subject: SUBJECT.code }));
  assert.equal((await app.call('verify_email_code_2fa', two, wrongCode(code))).error, 'SP_REFUSED');
  await app.ok('verify_email_code_2fa', two, code);
  assert.equal((await profileOf(app)).id, user.id);
  assert.equal((await app.call('send_magic_link_2fa', two, 'code')).code, 'INVALID_TEMP_TOKEN');
  assert.equal((await app.call('send_sms_2fa', two)).error, 'SP_REFUSED');
});

test('remember_device: the second factor is not asked for again on this device, and on others it is', async () => {
  const store = `file:${home}/remembered`, { app, user } = await w.signedIn({ store }), { authenticator } = await w.withTotp(app);
  await app.ok('logout');
  await app.ok('verify_totp', await w.handle(app, user), authenticator.code());
  await app.ok('logout');
  s.advance(30_000);
  const temp = await w.handle(app, user);
  await app.value('remember_device', 1);
  await app.ok('verify_totp', temp, authenticator.code());
  await app.ok('logout');
  await app.ok('login', user.email, user.password);
  await app.ok('logout');
  await (await w.app({ store })).ok('login', user.email, user.password);
  await w.handle(await w.app(), user);
});

/* ---- without a password ---- */

test('verify_email_code, send_sms, verify_sms: codes instead of a password', async () => {
  const user = await s.register(), app = await w.app();
  await s.sql(`UPDATE user SET email_verified = 1, phone = '${NUMBER}' WHERE email = '${user.email}'`);
  for (const type of ['code', 'both']) {
    await app.ok('send_magic_link', user.email, type);
    const code = mailCodeIn(await m.sink.mail(user.email, { subject: type === 'code' ? SUBJECT.code : MAGIC }));
    assert.deepEqual(said(await app.call('verify_email_code', user.email, wrongCode(code))).slice(0, 2), ['SP_REFUSED', 401]);
    await app.ok('verify_email_code', user.email, code);
    assert.equal((await profileOf(app)).id, user.id);
    await app.ok('logout');
  }
  await app.ok('send_sms', user.email);
  assert.deepEqual(said(await app.call('verify_sms', user.email, '000000')), ['SP_REFUSED', 401, 'INVALID_SMS_CODE']);
  await app.ok('verify_sms', user.email, SMS_CODE);
  assert.equal((await profileOf(app)).id, user.id);
});

test('language: mails that calls cause are in it', async () => {
  const app = await w.app({ language: 'de' }), user = await s.register();
  await app.ok('send_magic_link', user.email, null);
  await m.sink.mail(user.email, { subject: 'Ihr Anmeldelink' });
  const email = freshEmail();
  await app.ok('register', email, freshPassword(), null, null);
  await app.ok('forgot_password', email);
  await m.sink.mail(email, { subject: /Passwort/ });
});

test('oauth_token: an ID token of the provider\'s own kit', async () => {
  const app = await w.app();
  await app.ok('oauth_token', 'fake', await p.idToken({}, { nonce: 'n-1' }), 'n-1');
  const me = await profileOf(app);
  assert.deepEqual([me.email, me.login_provider], [p.person.email, 'fake']);
  assert.deepEqual(said(await app.call('oauth_token', 'fake', 'x.y.z', 'n')), ['SP_REFUSED', 401, 'OAUTH_ID_TOKEN_INVALID']);
  assert.equal((await app.call('oauth_token', 'fake', await p.idToken(), null)).error, 'SP_REFUSED');
  assert.equal(await app.value('is_signed_in'), '1', 'and none of it costs the session');
  await w.withTotp(app);
  assert.equal((await app.call('oauth_token', 'fake', await p.idToken({}, { nonce: 'n-2' }), 'n-2')).error, 'SP_SECOND_FACTOR');
});

/* ---- links of mails ---- */

test('open_link: each link of a mail, as a scheme, below the prefix, and as a hosted page', async () => {
  const { app, user } = await w.signedIn(), shapes = [(end, token) => `myapp://auth/${end}?token=${token}`, (end, token) => `https://app.example.test/auth/${end}?token=${token}`, (end, token) => `https://app.example.test/auth/ui/${end}?token=${token}&x=1#top`];
  for (const [i, shape] of shapes.entries()) {
    const to = freshEmail('next'), further = freshEmail('further');
    if (i === 0) {
      await app.ok('send_verification_email', null);
      await app.ok('open_link', shape('verify-email', await m.token(user.email, VERIFY)));
      assert.equal((await profileOf(app)).is_email_verified, 1);
    }
    await app.ok('link_request', further, null, null);
    await app.ok('open_link', shape('link-verify', await m.token(further, LINKING)));
    const from = (await profileOf(app)).email;
    await app.ok('change_email_request', to, null, null);
    await app.ok('open_link', shape('change-email/confirm', await m.token(to, CHANGE)));
    assert.equal((await profileOf(app)).email, to);
    if (i !== 2) continue;
    const token = await m.token(from, CHANGED), r = await app.call('open_link', shape('change-email/revert', token));
    assert.deepEqual([r.error, r.code, r.link_token], ['SP_INVALID', 'CONFIRM_EMAIL_REVERT', token]);
    await app.ok('change_email_revert', r.link_token);
  }
  for (const end of ['magic-link', 'magic-link/verify']) {
    const visitor = await s.register(), phone = await w.app();
    await phone.ok('send_magic_link', visitor.email, null);
    await phone.ok('open_link', `myapp://auth/${end}?token=${await m.token(visitor.email, MAGIC)}`);
    assert.equal((await profileOf(phone)).email, visitor.email);
    await phone.ok('forgot_password', visitor.email);
    const { url, token } = await m.link(visitor.email, RESET), r = await phone.call('open_link', `${url}?token=${token}`);
    assert.deepEqual([r.error, r.code, r.link_token], ['SP_INVALID', 'PASSWORD_NEEDED', token]);
    await phone.ok('reset_password', token, freshPassword());
  }
});

test('open_link: who is signed in does not find himself in another account', async () => {
  const { app, user } = await w.signedIn(), other = await s.register();
  await (await w.app()).ok('send_magic_link', other.email, null);
  const token = await m.token(other.email, MAGIC), r = await app.call('open_link', `myapp://auth/magic-link?token=${token}`);
  assert.deepEqual([r.error, r.code, r.link_token, proxy.log('/magic-link/verify')], ['SP_INVALID', 'CONFIRM_SIGN_IN', token, []]);
  assert.equal((await profileOf(app)).email, user.email);
  await app.ok('verify_magic_link', r.link_token);
  assert.equal((await profileOf(app)).email, other.email);
});

test('open_link, keep_2fa: an administrator keeps his authenticator app', async () => {
  const app = await w.app(), admin = await s.admin();
  await app.ok('login', admin.email, admin.password);
  await w.withTotp(app);
  await s.cliOk(['user', 'reset-2fa', admin.email]);
  const token = await m.token(admin.email, RESET_ASKED), r = await app.call('open_link', `myapp://auth/2fa/keep?token=${token}`);
  assert.deepEqual([r.error, r.code, r.link_token, proxy.log('/2fa/keep')], ['SP_INVALID', 'CONFIRM_KEEP_2FA', token, []]);
  await app.ok('keep_2fa', r.link_token);
  assert.equal((await app.call('keep_2fa', r.link_token)).code, 'INVALID_2FA_RESET_TOKEN');
  assert.equal((await profileOf(app)).is_totp_enabled, 1);
});

test('open_link: what is no link of ours is SP_INVALID, and nothing is sent', async () => {
  const { app } = await w.signedIn();
  for (const url of ['', 'x', 'myapp://auth', 'myapp://auth/verify-email', 'myapp://auth/other?token=x', 'https://app.example.test/auth/2fa/keep2?token=x', 'myapp://auth?error=OAUTH_ACCESS_DENIED&state=foreign'])
    assert.equal((await app.call('open_link', url)).error, 'SP_INVALID', url);
  assert.deepEqual(proxy.log(), []);
});

/* ---- without waiting ---- */

test('start: a result on another thread, and nothing for what cannot be', async () => {
  const { app, user } = await w.signedIn();
  const { started, done } = await app.start('get_profile');
  assert.deepEqual([started, (await done).profile.id], ['SP_OK', user.id]);
  assert.equal((await (await app.start('login', user.email, 'wrong wrong 1')).done).code, 'INVALID_CREDENTIALS');
  const numbers = await app.start('access_token', '60');
  assert.match((await numbers.done).access_token, /^eyJ/);
  const null_ = await app.start('update_profile', null, 'Later');
  assert.equal((await null_.done).error, 'SP_OK');
  for (const bad of [['nothing'], ['login', 'one'], ['login', 'one', 'two', 'three'], ['get_profile', 'x'], [''], ['sp_login', 'a', 'b'], ['client_free']]) assert.equal((await app.start(...bad)).started, 'SP_INVALID', bad.join());
});

test('start: four run at once, 64 wait, the next is SP_LATER; each is done once', async () => {
  const { app } = await w.signedIn();
  let go;
  const released = new Promise((resolve) => (go = resolve));
  proxy.rule = () => released;
  const first = await Promise.all(Array.from({ length: 4 }, () => app.start('get_profile')));
  while (proxy.log().length < 4) await new Promise((resolve) => setTimeout(resolve, 5));
  const rest = await Promise.all(Array.from({ length: 65 }, () => app.start('get_profile')));
  assert.deepEqual([rest.filter((one) => one.started === 'SP_OK').length, rest.filter((one) => one.started === 'SP_LATER').length], [64, 1]);
  assert.equal(proxy.log().length, 4);
  go();
  for (const one of [...first, ...rest].filter((o) => o.started === 'SP_OK')) assert.equal((await one.done).error, 'SP_OK');
  assert.equal(proxy.log().length, 68);
});

test('start: oauth_login with the browser that the library finds', async () => {
  const app = await w.app({ env: { PATH: '/nowhere' } }), { started, done } = await app.start('oauth_login', 'fake', '1');
  assert.deepEqual([started, (await done).error], ['SP_OK', 'SP_UNAVAILABLE']);
});

/* ---- servers of other kinds ---- */

test('login: solves the proof of work of a server under attack; a known device need not', async (t) => {
  const one = await Server.start({ env: { SALLYPORT_LIMITS_BRAKE: 'challenge', SALLYPORT_LIMITS_BRAKE_FAILURES_PER_S: '1' } });
  t.after(() => one.close());
  const user = await one.register(), known = await CApp.start(one.target), app = await CApp.start(one.target);
  await known.ok('login', user.email, user.password);
  for (const r of await Promise.all(Array.from({ length: 61 }, () => one.login(freshEmail('many'), 'wrong wrong 1')))) assert.equal(r.status, 401);
  assert.equal((await one.login(user.email, user.password)).json.code, 'CHALLENGE_REQUIRED');
  await app.ok('login', user.email, user.password);
  await known.ok('logout');
  await known.ok('login', user.email, user.password);
  await app.close();
  await known.close();
});

test('a server with another prefix, over TLS, with an authority of its own', async (t) => {
  const { ca } = makeCertificates(home);
  const one = await Server.start({ env: { SALLYPORT_SERVER_API_PREFIX: '/api/v1/auth', SALLYPORT_SERVER_TLS_CERT: path.join(home, 'tls.pem'), SALLYPORT_SERVER_TLS_KEY: path.join(home, 'tls.key') } });
  t.after(() => one.close());
  const at = { server: `https://127.0.0.1:${one.target.port}`, prefix: '/api/v1/auth' }, app = await CApp.start(one.target, { ...at, ca_file: ca }), stranger = await CApp.start(one.target, at);
  const email = freshEmail(), password = freshPassword();
  assert.deepEqual(said(await stranger.call('register', email, password, null, null)), ['SP_NETWORK', 0, '']);
  await app.ok('register', email, password, null, null);
  await app.ok('login', email, password);
  assert.equal((await profileOf(app)).email, email);
  await app.close();
  await stranger.close();
});

test('keyring and Secret Service: two apps share what they keep, or it is said that there is none', async () => {
  for (const store of ['keyring', 'secret']) {
    const account = freshEmail(store), app = await CApp.start(w.proxy, { store, account });
    if (app.failed !== null) {
      assert.deepEqual(app.failed, { event: 'failed', call: 'store', error: 'SP_UNAVAILABLE' }, store);
      continue;
    }
    const user = await s.register(), other = await CApp.start(w.proxy, { store, account });
    await app.ok('login', user.email, user.password);
    assert.equal((await profileOf(other)).id, user.id);
    await other.ok('logout');
    assert.equal(await app.value('is_signed_in'), '0');
    await app.close();
    await other.close();
  }
});

test('a store of the app\'s own is used, and closed with the client', async () => {
  const { app } = await w.signedIn({ store: 'own' });
  assert.notEqual(await app.value('records'), '0');
  await app.ok('logout');
  await app.close();
  assert.equal(app.events.filter((e) => e.event === 'closed').length, 1);
});
