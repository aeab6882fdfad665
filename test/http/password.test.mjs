// password.test.mjs — passwords forgotten, reset and changed: what is answered, what ends with the old
// password, and who can set one.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ERR } from '../lib/control.mjs';
import { codeIn, freshNumber, startDelivering, SUBJECT, tokenIn } from '../lib/delivery.mjs';
import { freshEmail, freshPassword, HOUR, MINUTE, Server } from '../lib/server.mjs';

const WRONG = 'wrong wrong wrong 0', WEAK = 'passwordpassword';
let s, mail, sms, close;

before(async () => ({ s, mail, sms, close } = await startDelivering()));
after(() => close());

const SUCCESS = { success: true };
const problem = (error, code, more = {}) => ({ error, message: error, code, ...more });
const forgot = (email, more = {}, options) => s.post('/auth/forgot-password', { email, ...more }, options);
const reset = (token, password, options) => s.post('/auth/reset-password', { token, password }, options);

function change(user, currentPassword, newPassword, options) {
  s.note(currentPassword, newPassword);
  return s.post('/auth/change-password', { currentPassword, newPassword }, { token: user.accessToken, ...options });
}

function is(r, status, body) {
  assert.deepEqual([r.status, r.json], [status, body]);
}

const ok = (r) => is(r, 200, SUCCESS);

/* on: another server than the file's, with its mail server. */
async function resetToken(email, on = { s, mail }) {
  ok(await on.s.post('/auth/forgot-password', { email }));
  const token = tokenIn(await on.mail.mail(email, { subject: SUBJECT.reset }));
  on.s.note(token);
  return token;
}

/* What was asked for before has been sent when this has come: messages leave in their order. */
async function settled() {
  const u = await s.register();
  await resetToken(u.email);
}

const hashOf = (email, on = s) => on.sql(`SELECT password_hash FROM user WHERE email = '${email}'`);
const withoutPassword = (email) => s.sql(`UPDATE user SET password_hash = NULL WHERE email = '${email}'`);
const eventsOf = (u) => s.sql(`SELECT group_concat(event || coalesce('/' || detail, ''), ' ') FROM (SELECT event, detail FROM audit WHERE hex(user_uid) = upper('${u.id.replaceAll('-', '')}') ORDER BY id)`);

/* ---- forgotten ---- */

test('a forgotten password is answered the same whether there is anything to do or not', async () => {
  const u = await s.register();
  for (const body of [{ email: u.email }, { email: freshEmail() }, { email: 'nonsense' }, { email: '' }, {}, { email: u.email, emailLang: null }, { email: u.email, emailLang: '??' }])
    ok(await s.post('/auth/forgot-password', body));
  ok(await s.request('POST', '/auth/forgot-password'));
  for (const email of [7, null]) {
    const odd = await s.post('/auth/forgot-password', { email });
    assert.deepEqual([odd.status, odd.json.code, odd.json.fields], [400, 'VALIDATION_ERROR', [{ field: 'email', reason: 'TYPE' }]]);
  }
});

test('the mail with the link is in the language asked for, and says where it was asked', async () => {
  const u = await s.register();
  ok(await forgot(u.email, { emailLang: 'it' }));
  const m = await mail.mail(u.email, { subject: /[Rr]eimposta/ });
  assert.match(m.parsed.text, /https:\/\/auth\.example\.test\/auth\/ui\/reset-password\?token=[0-9a-f]{64}/);
  assert.equal(await eventsOf(u), 'user.created password.reset_requested');
});

test('F-19 without a way to send mail, and while mail fails, a forgotten password is still 200', async (t) => {
  const none = await Server.start();
  t.after(() => none.close());
  const u = await none.register();
  ok(await none.post('/auth/forgot-password', { email: u.email }));
  assert.equal(await none.sql('SELECT (SELECT count(*) FROM onetime) + (SELECT count(*) FROM outbox)'), '0');

  const other = await s.register();
  mail.faults.rcpt = '451 4.3.0 try again';
  t.after(() => mail.calm());
  ok(await forgot(other.email));
});

test('a disabled account gets no mail, and its outstanding link is dead', async () => {
  const u = await s.register(), token = await resetToken(u.email);
  await s.cliOk(['user', 'disable', u.email]);
  ok(await forgot(u.email));
  await settled();
  assert.equal(mail.mailsTo(u.email).filter((m) => m.parsed.subject === SUBJECT.reset).length, 1);
  is(await reset(token, freshPassword()), 400, problem('Invalid reset token', 'INVALID_RESET_TOKEN'));
});

/* ---- reset ---- */

test('F-36 a reset takes the new password under either name', async () => {
  const u = await s.register();
  for (const name of ['password', 'newPassword']) {
    const token = await resetToken(u.email), password = freshPassword();
    s.note(password);
    ok(await s.post('/auth/reset-password', { token, [name]: password }));
    assert.equal((await s.login(u.email, password)).status, 200, name);
  }
  const token = await resetToken(u.email), first = freshPassword();
  ok(await s.post('/auth/reset-password', { token, password: first, newPassword: WEAK }));
  assert.equal((await s.login(u.email, first)).status, 200, 'password comes before newPassword');
  const again = await resetToken(u.email), second = freshPassword();
  ok(await s.post('/auth/reset-password', { token: again, password: '', newPassword: second }));
  assert.equal((await s.login(u.email, second)).status, 200);
  assert.equal((await s.login(u.email, u.password)).status, 401);
});

test('F-35 a reset without a new password is refused, and the token lives on', async () => {
  const u = await s.register(), token = await resetToken(u.email), before = await hashOf(u.email);
  for (const body of [{ token }, { token, password: '' }, { token, newPassword: '' }, { token, password: '', newPassword: '' }])
    is(await s.post('/auth/reset-password', body), 400, problem('New password is required', 'VALIDATION_ERROR'));
  for (const password of [null, 12345678, ['a']])
    assert.deepEqual([(await reset(token, password)).status, await hashOf(u.email)], [400, before]);
  ok(await reset(token, freshPassword()));
});

test('the token of a reset is checked before the password', async () => {
  const u = await s.register(), invalid = problem('Invalid reset token', 'INVALID_RESET_TOKEN');
  const token = await resetToken(u.email);
  const bad = ['', 'x', token.slice(1), `${token}0`, token.toUpperCase(), ` ${token}`.slice(0, 64), 'f'.repeat(64), 'é'.repeat(32)];
  for (const t of bad) for (const password of [freshPassword(), '', WEAK]) is(await reset(t, password), 400, invalid);
  is(await s.post('/auth/reset-password', {}), 400, invalid);
  is(await s.post('/auth/reset-password', { password: freshPassword() }), 400, invalid);
  for (const t of [null, 7, 'f'.repeat(1025)]) {
    const r = await reset(t, freshPassword());
    assert.deepEqual([r.status, r.json.code, r.json.fields[0].field], [400, 'VALIDATION_ERROR', 'token']);
  }
  ok(await reset(token, freshPassword()));
});

test('a token for a reset works for an hour, once', async () => {
  const u = await s.register();
  const late = await resetToken(u.email);
  s.advance(HOUR);
  for (const password of [freshPassword(), '']) is(await reset(late, password), 400, problem('Reset token has expired', 'RESET_TOKEN_EXPIRED'));
  const token = await resetToken(u.email);
  s.advance(HOUR - 1);
  ok(await reset(token, freshPassword()));
  is(await reset(token, freshPassword()), 400, problem('Invalid reset token', 'INVALID_RESET_TOKEN'));
});

test('a reset proves the address, is noted, and its owner is told', async () => {
  const u = await s.signedIn();
  assert.equal((await s.me(u.accessToken)).json.isEmailVerified, false);
  const password = freshPassword();
  ok(await reset(await resetToken(u.email), password));
  const { accessToken } = await s.signIn({ email: u.email, password });
  assert.equal((await s.me(accessToken)).json.isEmailVerified, true);
  await mail.mail(u.email, { subject: SUBJECT.changed });
  assert.equal(await eventsOf(u), 'user.created login.ok/pwd password.reset_requested email.verified account.taken password.reset login.ok/pwd');
});

test('a reset that fails half-way changes nothing, and its token still works', async () => {
  const u = await s.register(), token = await resetToken(u.email), password = freshPassword();
  for (let n = 1; n < 60; n++) { // each store call fails once
    const old = await hashOf(u.email);
    s.control.set('STORE_FAIL_CODE', ERR.ERR_STORE);
    s.control.set('STORE_FAIL_AT', n);
    const r = await reset(token, password);
    s.control.calm();
    if (r.status === 200) return assert.ok(n > 5, `${n} calls`);
    assert.deepEqual([r.status, await hashOf(u.email)], [500, old]);
  }
  assert.fail('the reset never got through');
});

test('EL11 a reset signs nobody in', async () => {
  const u = await s.register(), password = freshPassword();
  const r = await reset(await resetToken(u.email), password, { strategy: 'bearer' });
  ok(r);
  assert.equal(r.headers['set-cookie'], undefined);
  assert.equal(await s.sql(`SELECT count(*) FROM session s JOIN user u ON u.id = s.user_id WHERE u.email = '${u.email}'`), '0');
  assert.equal((await s.login(u.email, u.password)).status, 401);
  await s.signIn({ email: u.email, password });
});

/* ---- changed ---- */

test('a change takes the current password and keeps the session that asks', async () => {
  const u = await s.signedIn(), password = freshPassword();
  ok(await change(u, u.password, password));
  assert.equal((await s.me(u.accessToken)).status, 200);
  assert.equal((await s.refresh(u.refreshToken)).status, 200);
  assert.equal((await s.login(u.email, u.password)).status, 401);
  await s.signIn({ email: u.email, password });
  await mail.mail(u.email, { subject: SUBJECT.changed });
  assert.match(await eventsOf(u), /password\.changed/);
});

test('a change asks for a caller', async () => {
  const body = { currentPassword: WRONG, newPassword: freshPassword() };
  is(await s.post('/auth/change-password', body), 403, problem('No access token provided', 'NO_ACCESS_TOKEN'));
  is(await s.post('/auth/change-password', body, { token: 'nonsense' }), 401, problem('Invalid or expired access token', 'INVALID_ACCESS_TOKEN'));
});

test('a wrong or missing current password is 401, a missing new one 400', async () => {
  const u = await s.signedIn(), next = freshPassword(), before = await hashOf(u.email);
  const incorrect = problem('Current password is incorrect', 'CURRENT_PASSWORD_INCORRECT'), required = problem('New password is required', 'VALIDATION_ERROR');
  const post = (body) => s.post('/auth/change-password', body, { token: u.accessToken });
  for (const current of [WRONG, '', u.password.toUpperCase(), ` ${u.password}`]) is(await change(u, current, next), 401, incorrect);
  is(await post({ newPassword: next }), 401, incorrect);
  for (const body of [{}, { currentPassword: u.password }, { currentPassword: u.password, newPassword: '' }, { currentPassword: '', newPassword: '' }]) is(await post(body), 400, required);
  for (const body of [{ currentPassword: 7, newPassword: next }, { currentPassword: u.password, newPassword: 7 }, { currentPassword: u.password, newPassword: null }, { currentPassword: 'x'.repeat(1025), newPassword: next }]) {
    const r = await post(body);
    assert.deepEqual([r.status, r.json.code], [400, 'VALIDATION_ERROR'], JSON.stringify(body));
  }
  assert.equal(await hashOf(u.email), before);
});

test('of fifty changes at once one wins', async () => {
  const u = await s.signedIn(), tried = Array.from({ length: 50 }, freshPassword);
  const answers = await Promise.all(tried.map((password) => change(u, u.password, password)));
  const won = tried.filter((_, i) => answers[i].status === 200);
  assert.equal(won.length, 1);
  for (const r of answers) assert.ok([200, 401, 429].includes(r.status), r.text);
  s.advance(MINUTE);
  await s.signIn({ email: u.email, password: won[0] });
});

test('a new password that is refused does not count as a guess at the current one', async () => {
  const u = await s.signedIn();
  for (let i = 0; i < 12; i++) {
    assert.equal((await change(u, u.password, i % 2 ? WEAK : 'short')).status, 400);
    s.advance(5001); // no repeat that would not be counted anyway
  }
  ok(await change(u, u.password, freshPassword()));
});

/* ---- the rule for new passwords, at every door ---- */

/* Doors to a new password: each returns what was answered. */
const DOORS = {
  register: async (password) => s.post('/auth/register', { email: freshEmail(), password }),
  change: async (password) => {
    const u = await s.signedIn();
    return change(u, u.password, password);
  },
  reset: async (password) => reset(await resetToken((await s.register()).email), password),
};

async function refusedEverywhere(password, reason) {
  for (const [door, set] of Object.entries(DOORS)) {
    const r = await set(password);
    assert.deepEqual([r.status, r.json.code, r.json.fields?.[0].reason], [400, 'VALIDATION_ERROR', reason], door);
  }
}

async function takenEverywhere(password) {
  for (const [door, set] of Object.entries(DOORS)) assert.ok((await set(password)).json.success, door);
}

const distinct = (n, from) => Array.from({ length: n }, (_, i) => String.fromCodePoint(from + (i * 7) % 79)).join('');

test('PW05 length is counted in code points, from 8 to 256, at every door', async () => {
  await refusedEverywhere('k9 vXq!', 'PASSWORD_TOO_SHORT');
  await refusedEverywhere(distinct(7, 0x1f600), 'PASSWORD_TOO_SHORT'); // 28 bytes
  await takenEverywhere('k9 vXq!z');
  await takenEverywhere(distinct(64, 0x1f600));
  await takenEverywhere(distinct(256, 0x1f600)); // 1024 bytes
  await refusedEverywhere(distinct(257, 0x41), 'PASSWORD_TOO_LONG');
  await refusedEverywhere(distinct(257, 0x1f600), 'TOO_LONG'); // beyond what any body may hold
});

test('PW05 with a minimum of 15 a password of 14 is too short', async (t) => {
  const strict = await startDelivering({ env: { SALLYPORT_PASSWORD_MIN_LENGTH: '15' } });
  t.after(() => strict.close());
  const fifteen = 'vQ4 kd9!mZ2 xw7', fourteen = fifteen.slice(1);
  const u = await strict.s.signedIn({ password: fifteen }), token = await resetToken(u.email, strict);
  const short = (field) => problem('The password is too short', 'VALIDATION_ERROR', { fields: [{ field, reason: 'PASSWORD_TOO_SHORT' }] });
  is(await strict.s.post('/auth/change-password', { currentPassword: fifteen, newPassword: fourteen }, { token: u.accessToken }), 400, short('newPassword'));
  is(await strict.s.post('/auth/reset-password', { token, password: fourteen }), 400, short('password'));
  ok(await strict.s.post('/auth/reset-password', { token, password: fifteen }));
});

test('PW05 ten megabytes of password are 413, before they are read', async () => {
  const u = await s.signedIn(), body = Buffer.alloc(10_000_000, 'x');
  for (const path of ['change-password', 'reset-password']) {
    const started = performance.now();
    const r = await s.raw(`POST /auth/${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer ${u.accessToken}\r\nContent-Length: ${body.length}\r\n\r\n`);
    assert.deepEqual([r.answers[0].status, r.closed], [413, true], path);
    assert.ok(performance.now() - started < 10_000);
  }
});

test('PW06 no kind of character is asked for', async () => {
  await takenEverywhere('qmvzkwrtyhplxsd');
  await takenEverywhere('7391 5028 4617 9');
});

test('PW07 what is easily guessed is refused at every door', async () => {
  await refusedEverywhere(WEAK, 'PASSWORD_COMPROMISED');
  await refusedEverywhere('aaaaaaaaaaaaaaaa', 'PASSWORD_COMPROMISED');
});

test('PW07 the address of the account is no password, and a refused one does not consume the token', async () => {
  const u = await s.signedIn(), token = await resetToken(u.email), password = freshPassword();
  const compromised = (field) => problem('The password is too easy to guess', 'VALIDATION_ERROR', { fields: [{ field, reason: 'PASSWORD_COMPROMISED' }] });
  for (const weak of [WEAK, u.email, u.email.toUpperCase()]) {
    is(await reset(token, weak), 400, compromised('password'));
    is(await change(u, u.password, weak), 400, compromised('newPassword'));
  }
  assert.equal((await s.me(u.accessToken)).status, 200, 'nor ends a session');
  ok(await reset(token, password));
  await s.signIn({ email: u.email, password });
});

test('PW08 a changed or reset password is used exactly as sent, and in any Unicode form', async () => {
  const blanks = '  Two blanks before, two after 7  ', nfc = 'Cr\u00e8me br\u00fbl\u00e9e n\u00b0 71', nfd = nfc.normalize('NFD');
  const u = await s.signedIn();
  let current = u.password;
  const setters = [(p) => change(u, current, p), async (p) => reset(await resetToken(u.email), p)];
  for (const set of setters) {
    ok(await set(blanks));
    current = blanks;
    for (const near of [blanks.trim(), blanks.slice(1), blanks.slice(0, -1), blanks.toLowerCase()]) assert.equal((await s.login(u.email, near)).status, 401);
    Object.assign(u, await s.signIn({ email: u.email, password: blanks }));
    ok(await set(nfd));
    current = nfc; // good for the change that follows
    for (const form of [nfc, nfd]) Object.assign(u, await s.signIn({ email: u.email, password: form }));
  }
});

test('PW09 a NUL is part of a new password, never its end', async () => {
  const password = 'abc def\u0000 ghi jkl 7', u = await s.signedIn();
  const setters = [() => change(u, u.password, password), async () => reset(await resetToken(u.email), password)];
  for (const set of setters) {
    ok(await set());
    for (const near of ['abc def', 'abc def ghi jkl 7', 'abc def\u0000 ghi jkl 8']) assert.equal((await s.login(u.email, near)).status, 401);
    await s.signIn({ email: u.email, password });
  }
  await refusedEverywhere('abc\u0000', 'PASSWORD_TOO_SHORT');
});

/* ---- who may ---- */

test('PW10 an old session needs the current password', async () => {
  const u = await s.signedIn();
  s.advance(10 * MINUTE + 1);
  for (const current of ['', undefined]) {
    const r = await change(u, current, freshPassword());
    assert.deepEqual([r.status, r.json.code], [403, 'REAUTH_REQUIRED']);
  }
  ok(await change(u, u.password, freshPassword()));
});

test('PW10 an account without a password sets its first one within ten minutes of signing in', async () => {
  const u = await s.signedIn(), old = await s.signedIn(), password = freshPassword();
  await withoutPassword(u.email);
  await withoutPassword(old.email);
  is(await change(u, '', ''), 400, problem('New password is required', 'VALIDATION_ERROR'));
  s.advance(10 * MINUTE);
  ok(await change(u, 'whatever it was', password));
  await s.signIn({ email: u.email, password });
  s.advance(1);
  for (const current of ['', undefined, old.password])
    is(await change(old, current, password), 403, problem('Please sign in again, or send your current password', 'REAUTH_REQUIRED'));
  assert.equal(await hashOf(old.email), '');
});

/* An account with all that a change of password ends. */
async function outstanding() {
  const u = await s.signedIn(), other = await s.signIn(u), newEmail = freshEmail(), number = freshNumber();
  ok(await s.post('/auth/send-verification-email', {}, { token: u.accessToken }));
  ok(await s.post('/auth/change-email/request', { newEmail }, { token: u.accessToken }));
  ok(await s.post('/auth/add-phone', { phoneNumber: number }, { token: u.accessToken }));
  return { ...u, other, newEmail,
    reset: await resetToken(u.email),
    verify: tokenIn(await mail.mail(u.email, { subject: SUBJECT.verify })),
    emailChange: tokenIn(await mail.mail(newEmail)),
    code: codeIn(await sms.sms(number)) };
}

/* now: { password, accessToken } of the owner afterwards. */
async function allDead(u, now) {
  assert.equal((await s.me(u.other.accessToken)).json.code, 'SESSION_REVOKED');
  assert.equal((await s.refresh(u.other.refreshToken)).status, 401);
  assert.equal((await reset(u.reset, freshPassword())).json.code, 'INVALID_RESET_TOKEN');
  assert.equal((await s.post('/auth/verify-email', { token: u.verify })).json.code, 'INVALID_VERIFICATION_TOKEN');
  assert.equal((await s.post('/auth/change-email/confirm', { token: u.emailChange })).json.code, 'INVALID_EMAIL_CHANGE_TOKEN');
  assert.equal((await s.post('/auth/add-phone/verify', { code: u.code }, { token: now.accessToken })).json.code, 'INVALID_PHONE_CODE');
  assert.equal((await s.me(now.accessToken)).json.email, u.email);
  await mail.mail(u.email, { subject: SUBJECT.changed });

  const { deviceToken } = await s.signIn(now);
  for (let i = 0; i < 5; i++) assert.equal((await s.login(u.email, `${WRONG}${i}`)).status, 401);
  for (const old of [u.deviceToken, u.other.deviceToken]) assert.equal((await s.login(u.email, now.password, { deviceToken: old })).status, 429);
  assert.equal((await s.login(u.email, now.password, { deviceToken })).status, 200, 'a device known since then');
}

test('PW11 a change ends the other sessions, all outstanding tokens and the known devices', async () => {
  const u = await outstanding(), password = freshPassword();
  ok(await change(u, u.password, password));
  await allDead(u, { email: u.email, password, accessToken: u.accessToken });
});

test('PW11 F-11 a reset ends all sessions, all outstanding tokens and the known devices', async () => {
  const u = await outstanding(), password = freshPassword();
  ok(await reset(u.reset, password));
  assert.equal((await s.me(u.accessToken)).json.code, 'SESSION_REVOKED');
  assert.equal((await s.refresh(u.refreshToken)).status, 401);
  await allDead(u, { email: u.email, password, ...(await s.signIn({ email: u.email, password })) });
});

test('PW12 no door lets an administrator set the password of somebody else', async () => {
  const admin = await s.admin(), victim = await s.signedIn();
  const row = () => s.sql(`SELECT * FROM user WHERE email = '${victim.email}'`);
  const before = await row(), password = freshPassword(), token = await resetToken(admin.email);
  const named = { email: victim.email, userId: victim.id, user: victim.id, username: victim.email };
  const own = freshPassword();
  for (const [method, path, body] of [
    ['POST', '/auth/change-password', { ...named, currentPassword: victim.password, newPassword: password }],
    ['POST', '/auth/change-password', { ...named, newPassword: password }],
    ['POST', '/auth/change-password', { ...named, currentPassword: admin.password, newPassword: own }],
    ['POST', '/auth/reset-password', { ...named, password }],
    ['POST', '/auth/reset-password', { ...named, token, password }],
    ['PATCH', '/auth/profile', { ...named, password, newPassword: password }],
    ['PATCH', '/auth/profile', { id: victim.id, password }],
    ['POST', '/auth/register', { ...named, password }],
    ['POST', '/auth/register', { ...named, id: victim.id, password }],
    ['POST', '/auth/forgot-password', { ...named, password, newPassword: password }]]) {
    await s.request(method, path, { json: body, token: admin.accessToken });
    assert.equal(await row(), before, `${path} ${Object.keys(body)}`);
  }
  assert.equal((await s.login(victim.email, password)).status, 401);
  assert.equal((await s.me(victim.accessToken)).status, 200);
  await s.signIn(victim);
});

test('PW12 an operator starts a reset without seeing the link', async (t) => {
  const own = await startDelivering({ clock: 'real' }); // as the command line has
  t.after(() => own.close());
  const u = await own.s.register();
  for (const name of [u.email.toUpperCase(), u.id]) {
    const r = await own.s.cliOk(['user', 'send-reset', name]);
    const token = tokenIn(await own.mail.mail(u.email, { subject: SUBJECT.reset })), password = freshPassword();
    own.s.note(token);
    assert.doesNotMatch(r.stdout + r.stderr, /[0-9a-f]{16}|:\/\//);
    ok(await own.s.post('/auth/reset-password', { token, password }));
    await own.s.signIn({ email: u.email, password });
  }
  const refused = async (name, why, env) => {
    const r = await own.s.cli(['user', 'send-reset', name], { env });
    assert.deepEqual([r.code, r.stdout], [1, '']);
    assert.match(r.stderr, why);
  };
  await refused('nobody@example.test', /no such user/);
  await refused(u.email, /no mail can be sent/, { SALLYPORT_MAIL_TRANSPORT: 'none' });
  await own.s.cliOk(['user', 'disable', u.email]);
  await refused(u.email, /disabled/);
  assert.equal((await own.s.cli(['user', 'send-reset'])).code, 2);
});

/* ---- guessing ---- */

test('BF02 wrong current passwords use up the budget of signing in', async () => {
  const u = await s.signedIn();
  for (let i = 0; i < 5; i++) assert.equal((await change(u, `${WRONG}${i}`, freshPassword())).status, 401);
  const r = await s.login(u.email, u.password);
  assert.deepEqual([r.status, r.json.code, r.headers['retry-after']], [429, 'RATE_LIMITED', '1']);
  assert.equal((await change(u, u.password, freshPassword())).status, 429);
  s.advance(1000);
  ok(await change(u, u.password, freshPassword()));
});

test('BF02 the one repeat that clients send by themselves after a 401 does not count', async () => {
  const u = await s.signedIn(), guess = (i) => change(u, `${WRONG}${i}`, freshPassword());
  for (const i of [0, 0, 1, 1, 2, 2, 3, 3]) assert.equal((await guess(i)).status, 401);
  assert.equal((await guess(4)).status, 401, 'the fifth');
  assert.equal((await guess(4)).status, 429);

  const again = await s.signedIn();
  for (const i of [0, 0, 0, 0, 1, 0]) await change(again, `${WRONG}${i}`, freshPassword()); // counted: 1st, 3rd, 5th, 6th
  assert.equal((await change(again, WRONG, freshPassword())).status, 401);
  assert.equal((await change(again, WRONG, freshPassword())).status, 429);
});

test('BF02 five seconds later the same guess is one more', async () => {
  const u = await s.signedIn();
  for (let i = 0; i < 5; i++) {
    assert.equal((await change(u, WRONG, freshPassword())).status, 401);
    if (i < 4) s.advance(5001);
  }
  assert.equal((await s.login(u.email, u.password)).status, 429);
});

test('BF04 a thousand failures close an account, and still its owner gets the mail and comes in', async (t) => {
  const tight = await startDelivering({ env: { SALLYPORT_LIMITS_ACCOUNT_FREE: '10', SALLYPORT_LIMITS_ACCOUNT_MAX: '10' } });
  t.after(() => tight.close());
  const u = await tight.s.signedIn(), password = freshPassword();
  for (let i = 0; i < 1000; i += 20) await Promise.all(Array.from({ length: 20 }, () => tight.s.login(u.email, WRONG)));
  assert.equal((await tight.s.login(u.email, u.password)).headers['retry-after'], '900');
  assert.equal((await tight.s.login(u.email, u.password, { deviceToken: u.deviceToken })).status, 200, 'a known device');
  for (let i = 0; i < 20; i++) await tight.s.login(u.email, WRONG);
  ok(await tight.s.post('/auth/reset-password', { token: await resetToken(u.email, tight), password }));
  await tight.s.signIn({ email: u.email, password });
});

/* ---- accounts made by somebody else ---- */

test('EL15 a reset by mail takes an account back from whoever registered the address', async () => {
  const attacker = await s.signedIn({ firstName: 'Mallory' }), number = freshNumber(), stolen = freshEmail('attacker');
  ok(await s.post('/auth/add-phone', { phoneNumber: number }, { token: attacker.accessToken }));
  ok(await s.post('/auth/add-phone/verify', { code: codeIn(await sms.sms(number)) }, { token: attacker.accessToken }));
  assert.equal((await s.me(attacker.accessToken)).json.phoneNumber, number);
  ok(await s.post('/auth/change-email/request', { newEmail: stolen }, { token: attacker.accessToken }));
  const pending = tokenIn(await mail.mail(stolen)), planned = freshNumber();
  ok(await s.post('/auth/add-phone', { phoneNumber: planned }, { token: attacker.accessToken }));
  const code = codeIn(await sms.sms(planned));

  const password = freshPassword();
  const done = await reset(await resetToken(attacker.email), password);
  assert.deepEqual([done.status, done.json], [200, { success: true, removed: ['phoneNumber'] }]);
  assert.equal((await s.login(attacker.email, attacker.password)).status, 401);
  assert.equal((await s.me(attacker.accessToken)).status, 401);
  assert.equal((await s.refresh(attacker.refreshToken)).status, 401);
  assert.equal((await s.post('/auth/change-email/confirm', { token: pending })).status, 400);
  const owner = await s.signIn({ email: attacker.email, password });
  assert.equal((await s.post('/auth/add-phone/verify', { code }, { token: owner.accessToken })).status, 400);
  const me = (await s.me(owner.accessToken)).json;
  assert.deepEqual([me.email, me.isEmailVerified, me.phoneNumber ?? null], [attacker.email, true, null]);
});

test('EL15 a reset leaves the number of an account whose address was proven before', async () => {
  const u = await s.signedIn(), number = freshNumber(), password = freshPassword();
  ok(await reset(await resetToken(u.email), u.password)); // proves it
  Object.assign(u, await s.signIn(u));
  ok(await s.post('/auth/add-phone', { phoneNumber: number }, { token: u.accessToken }));
  ok(await s.post('/auth/add-phone/verify', { code: codeIn(await sms.sms(number)) }, { token: u.accessToken }));
  ok(await reset(await resetToken(u.email), password));
  assert.equal((await s.me((await s.signIn({ email: u.email, password })).accessToken)).json.phoneNumber, number);
});
