// sms.test.mjs — signing in with a code by SMS, and the same as second factor: who is texted, what is answered,
// and what a code is bound to.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { codeIn, freshNumber, handleOf, startDelivering, SUBJECT, tokenIn, withPhone, withSecond, wrongCode } from '../lib/delivery.mjs';
import { claimsOf, DAY, freshEmail, HOUR, MINUTE, Server, until } from '../lib/server.mjs';

const DONE = { success: true };
const problem = (error, code) => ({ error, message: error, code });
const BAD = problem('Invalid or expired SMS code', 'INVALID_SMS_CODE'), NOBODY = problem('userId is required', 'VALIDATION_ERROR');
const NO_HANDLE = problem('tempToken is required for 2FA mode', 'TEMP_TOKEN_REQUIRED'), BAD_HANDLE = problem('Invalid or expired temp token', 'INVALID_TEMP_TOKEN');
const TEST_NUMBER = '+15550100', PROXIED = { SALLYPORT_SERVER_TRUSTED_PROXIES: '127.0.0.1', SALLYPORT_SMS_TEST_NUMBERS: `${TEST_NUMBER}=246810`, SALLYPORT_TWOFACTOR_MAGIC_LINK: 'true' };
let s, mail, sms, close;

before(async () => ({ s, mail, sms, close } = await startDelivering({ env: PROXIED })));
after(() => close());

const is = (r, status, body, what) => assert.deepEqual([r.status, r.json], [status, body], what);
const send = (json, options, on = s) => on.post('/auth/sms/send', json, options);

function verify(json, options, on = s) {
  on.note(json.tempToken);
  return on.post('/auth/sms/verify', json, { strategy: 'bearer', ...options });
}

function signedIn(r, amr = ['sms'], what = '') {
  assert.equal(r.status, 200, `${what} ${r.text}`);
  assert.deepEqual(Object.keys(r.json), ['success', 'accessToken', 'refreshToken', 'deviceToken']);
  assert.deepEqual(claimsOf(r.json.accessToken).amr, amr);
  return r.json;
}

const person = async (on = s, over) => withPhone(on, await on.register(over));
const quiet = (on = s) => until(async () => (await on.sql('SELECT count(*) FROM outbox WHERE dead = 0')) === '0', 'the outbox to be empty');
const textedTo = async (number, on = { s, sms }) => {
  await quiet(on.s);
  return on.sms.to(number).length;
};

async function code(u, json = { email: u.email }, on = { s, sms }) {
  is(await send(json, {}, on.s), 200, DONE);
  return codeIn(await on.sms.sms(u.number));
}

const secondCode = (u, tempToken) => code(u, { mode: '2fa', tempToken });
const eventsOf = async (u) => (await s.sql(`SELECT event || coalesce(' (' || detail || ')', '') FROM audit WHERE hex(user_uid) = upper('${u.id.replaceAll('-', '')}') ORDER BY id`)).split('\n');

/* ---- asked for ---- */

test('a code comes to the number, and signs in once', async () => {
  const u = await person(), digits = await code(u);
  const r = signedIn(await verify({ email: u.email, code: digits }));
  assert.equal((await s.me(r.accessToken)).json.phoneNumber, u.number);
  assert.equal((await s.refresh(r.refreshToken)).status, 200);
  is(await verify({ email: u.email, code: digits }), 401, BAD, 'used');
  assert.deepEqual((await eventsOf(u)).slice(0, 3), ['user.created', 'login.code_sent (sms)', 'login.ok (sms)']);
  assert.equal((await s.me(r.accessToken)).json.isEmailVerified, false, 'a number proves no address');
});

test('the message is the one that filters know', async () => {
  const u = await person();
  is(await send({ email: u.email }), 200, DONE);
  assert.match((await sms.sms(u.number)).message, /^Your verification code is: \d{6}$/);
});

test('F-65 it is asked for and given back by id, by address, or by an address where the id belongs', async () => {
  const u = await person();
  for (const asked of [{ email: u.email }, { userId: u.id }, { userId: u.email }, { email: u.email.toUpperCase(), userId: 'nonsense' }])
    for (const given of [{ email: u.email }, { userId: u.id }, { userId: u.email.toUpperCase() }, { email: u.email, userId: freshEmail() }])
      signedIn(await verify({ ...given, code: await code(u, asked) }), ['sms'], JSON.stringify([asked, given]));
  const other = await person(), digits = await code(u);
  is(await verify({ email: other.email, userId: u.id, code: digits }), 401, BAD, 'the address comes first');
});

test('what is missing is said in the order of the contract', async (t) => {
  const neither = problem('userId or email is required', 'VALIDATION_ERROR');
  for (const json of [{}, { email: '' }, { userId: '' }, { email: null, userId: null }, { mode: 'login', tempToken: 'x' }, { mode: 'odd' }]) is(await send(json), 400, neither, JSON.stringify(json));
  is(await s.request('POST', '/auth/sms/send'), 400, neither);
  for (const json of [{ mode: '2fa' }, { mode: '2fa', tempToken: '' }, { mode: '2fa', email: freshEmail() }]) is(await send(json), 400, NO_HANDLE);
  is(await send({ mode: '2fa', tempToken: 'f'.repeat(64) }), 401, BAD_HANDLE);
  for (const [json, field, reason] of [[{ email: 7 }, 'email', 'TYPE'], [{ userId: {} }, 'userId', 'TYPE'], [{ userId: 'x'.repeat(1025) }, 'userId', 'TOO_LONG'], [{ mode: '2fa', tempToken: [] }, 'tempToken', 'TYPE']]) {
    const r = await send(json);
    assert.deepEqual([r.status, r.json.code, r.json.fields], [400, 'VALIDATION_ERROR', [{ field, reason }]]);
  }
  const none = await Server.start();
  t.after(() => none.close());
  for (const json of [{}, { email: freshEmail() }, { mode: '2fa' }, { mode: '2fa', tempToken: 'x' }]) is(await send(json, {}, none), 500, problem('SMS is not configured', 'SMS_NOT_CONFIGURED'));
});

test('BF11 F-19 F-20 whoever is asked for, the answer is the same bytes', async () => {
  const known = await person(), bare = await s.register(), disabled = await person();
  await s.cliOk(['user', 'disable', disabled.email]);
  const shapes = new Set();
  for (const json of [{ email: known.email }, { userId: known.id }, { email: bare.email }, { userId: bare.id }, { email: disabled.email }, { email: freshEmail('nobody') }, { userId: '00000000-0000-4000-8000-000000000000' }, { userId: '1' }, { email: 'no address' }, { email: 'x'.repeat(1024) }])
    shapes.add((await send(json)).shape);
  assert.equal(shapes.size, 1, [...shapes].join('\n---\n'));
  assert.equal(await textedTo(disabled.number), 0);
  assert.equal(await textedTo(known.number), 2);
});

test('F-20 a number and a network are texted so often and no more, by id or by address', async (t) => {
  const tight = await startDelivering({ env: { ...PROXIED, SALLYPORT_LIMITS_RESEND: '60s', SALLYPORT_LIMITS_SMS_PER_HOUR: '4', SALLYPORT_LIMITS_SMS_NETWORK_PER_HOUR: '6' } });
  t.after(() => tight.close());
  const u = await person(tight.s), from = (i) => ({ headers: { 'X-Forwarded-For': `198.51.100.${i}` } });
  for (let i = 0; i < 2; i++) is(await send({ userId: u.id }, from(i), tight.s), 200, DONE);
  assert.equal(await textedTo(u.number, tight), 1, 'not twice within a minute');
  for (let i = 0; i < 8; i++) {
    tight.s.advance(61_000);
    is(await send(i % 2 ? { userId: u.id } : { email: u.email }, from(i), tight.s), 200, DONE);
  }
  assert.equal(await textedTo(u.number, tight), 4, 'four in an hour');
  tight.s.advance(DAY);
  const many = [];
  for (let i = 0; i < 9; i++) {
    many.push(await person(tight.s));
    if (i < 3) is(await send({ email: freshEmail('nobody') }, from(99), tight.s), 200, DONE);
    is(await send({ userId: many.at(-1).id }, from(99), tight.s), 200, DONE);
  }
  const texted = await Promise.all(many.map((v) => textedTo(v.number, tight)));
  assert.equal(texted.filter((n) => n > 0).length, 3, 'six of a network, and asking for nobody counts');
});

test('F-20 asking for nobody uses up no budget of the house', async (t) => {
  const tight = await startDelivering({ env: { ...PROXIED, SALLYPORT_LIMITS_SMS_TOTAL_PER_DAY: '3' } });
  t.after(() => tight.close());
  for (let i = 0; i < 10; i++) is(await send({ email: freshEmail('nobody') }, {}, tight.s), 200, DONE);
  const u = await person(tight.s);
  await code(u, { email: u.email }, tight);
});

test('MF16 only a proven number is texted', async () => {
  const u = await s.signedIn(), pending = freshNumber();
  assert.equal((await s.post('/auth/add-phone', { phoneNumber: pending }, { token: u.accessToken })).status, 200);
  const proof = codeIn(await sms.sms(pending));
  is(await send({ email: u.email }), 200, DONE);
  assert.equal(await textedTo(pending), 1, 'but the code that proves it');
  is(await verify({ email: u.email, code: proof }), 401, BAD, 'which signs nobody in');
  assert.equal((await s.post('/auth/add-phone/verify', { code: proof }, { token: u.accessToken })).status, 200);
  signedIn(await verify({ email: u.email, code: await code({ ...u, number: pending }) }));
});

test('MF17 a country that was struck off is texted no more', async (t) => {
  const one = await startDelivering({ env: { SALLYPORT_SMS_COUNTRIES: '+39' } });
  t.after(() => one.close());
  const u = await withPhone(one.s, await one.s.register(), '+447700900123'), v = await person(one.s);
  for (const who of [u, v]) is(await send({ email: who.email }, {}, one.s), 200, DONE);
  codeIn(await one.sms.sms(v.number));
  assert.equal(await textedTo(u.number, one), 0);
});

test('a test number has its fixed code and is never texted; an administrator with one is not signed in', async () => {
  const u = await withPhone(s, await s.register(), TEST_NUMBER);
  is(await verify({ email: u.email, code: '246810' }), 401, BAD, 'not before it was asked for');
  is(await send({ email: u.email }), 200, DONE);
  signedIn(await verify({ email: u.email, code: '246810' }));
  const admin = await withPhone(s, await s.admin(), TEST_NUMBER);
  is(await send({ email: admin.email }), 200, DONE);
  is(await verify({ email: admin.email, code: '246810' }), 401, BAD);
  await withSecond(s, admin);
  const tempToken = await handleOf(s, admin);
  is(await send({ mode: '2fa', tempToken }), 200, DONE);
  is(await verify({ mode: '2fa', tempToken, code: '246810' }), 401, BAD);
  assert.equal(await textedTo(TEST_NUMBER), 0);
});

/* ---- given back ---- */

test('codes that are none: missing, empty, long, of another type, for nobody', async () => {
  const u = await person(), digits = await code(u);
  for (const json of [{ code: digits }, { userId: '', code: digits }, { email: '', code: digits }, {}, { mode: 'odd', code: digits }]) is(await verify(json), 400, NOBODY, JSON.stringify(json));
  for (const json of [{ email: u.email }, { email: u.email, code: '' }, { email: u.email, code: null }, { email: u.email, code: '١٢٣٤٥٦' }]) is(await verify(json), 401, BAD, JSON.stringify(json));
  for (const who of [{ email: freshEmail('nobody') }, { userId: '00000000-0000-4000-8000-000000000000' }, { userId: 'x' }, { email: 'no address' }]) is(await verify({ ...who, code: digits }), 401, BAD);
  for (const [json, field] of [[{ email: u.email, code: 123456 }, 'code'], [{ email: u.email, code: '1'.repeat(129) }, 'code'], [{ email: [], code: digits }, 'email'], [{ userId: 7, code: digits }, 'userId']]) {
    const r = await verify(json);
    assert.deepEqual([r.status, r.json.code, r.json.fields[0].field], [400, 'VALIDATION_ERROR', field]);
  }
  signedIn(await verify({ email: u.email, code: digits }));
});

test('a code ends with its time, and with a newer one', async () => {
  const u = await person(), first = await code(u), newer = await code(u);
  if (first !== newer) is(await verify({ email: u.email, code: first }), 401, BAD);
  s.advance(5 * MINUTE);
  is(await verify({ email: u.email, code: newer }), 401, BAD);
  const last = await code(u);
  s.advance(5 * MINUTE - 1);
  signedIn(await verify({ email: u.email, code: last }));
});

test('a code is looked at five times, the identical repeat of a client not counted', async () => {
  const u = await person();
  let right = await code(u);
  for (let i = 0; i < 5; i++) is(await verify({ email: u.email, code: wrongCode(right, i) }), 401, BAD);
  is(await verify({ email: u.email, code: right }), 401, BAD);
  right = await code(u);
  for (let i = 0; i < 4; i++) for (let k = 0; k < 2; k++) is(await verify({ userId: u.id, code: wrongCode(right, i) }), 401, BAD);
  signedIn(await verify({ userId: u.id, code: right }));
});

test('BF11 a code for nobody is refused like a wrong one, after as much that is written', async () => {
  const u = await person(), right = await code(u);
  const others = [{ email: freshEmail('nobody') }, { userId: '00000000-0000-4000-8000-000000000000' }, { email: (await person()).email }, { email: (await s.register()).email }];
  const writes = async (json) => {
    const had = await s.metric('store_transactions_total'), r = await verify({ ...json, code: wrongCode(right) });
    is(r, 401, BAD);
    return [r.shape, (await s.metric('store_transactions_total')) - had];
  };
  await quiet(); // the sender writes too
  const known = await writes({ email: u.email });
  for (const json of others) assert.deepEqual(await writes(json), known);
});

test('EL07 of fifty right codes at once one signs in', async () => {
  const u = await person(), body = { email: u.email, code: await code(u) };
  const answers = await Promise.all(Array.from({ length: 50 }, () => verify(body)));
  assert.equal(answers.filter((r) => r.status === 200).length, 1);
  for (const r of answers) if (r.status !== 200) is(r, 401, BAD);
});

test('MF14 a code ends when the number changes or goes, also when it comes back', async () => {
  const u = { ...(await s.signedIn()), number: freshNumber() }, prove = async (phoneNumber) => {
    assert.equal((await s.post('/auth/add-phone', { phoneNumber }, { token: u.accessToken })).status, 200);
    assert.equal((await s.post('/auth/add-phone/verify', { code: codeIn(await sms.sms(phoneNumber)) }, { token: u.accessToken })).status, 200);
  };
  await prove(u.number);
  const old = await code(u);
  await prove(freshNumber());
  is(await verify({ email: u.email, code: old }), 401, BAD, 'another number');
  await prove(u.number);
  is(await verify({ email: u.email, code: old }), 401, BAD, 'the same again');

  const digits = await code(u);
  await s.sql(`UPDATE user SET phone = '${freshNumber()}' WHERE email = '${u.email}'`);
  is(await verify({ email: u.email, code: digits }), 401, BAD, 'changed by an operator');
  await s.sql(`UPDATE user SET phone = '${u.number}' WHERE email = '${u.email}'`);
  const last = await code(u);
  assert.equal((await s.post('/auth/add-phone', { phoneNumber: null }, { token: u.accessToken })).status, 200);
  is(await verify({ email: u.email, code: last }), 401, BAD, 'removed');
});

test('a disabled account is not signed in, and EL06 a reset ends a code', async () => {
  const u = await person(), digits = await code(u), v = await person(), forV = await code(v);
  await s.cliOk(['user', 'disable', u.email]);
  is(await verify({ email: u.email, code: digits }), 401, BAD);
  assert.equal((await s.post('/auth/forgot-password', { email: v.email })).status, 200);
  assert.equal((await s.post('/auth/reset-password', { token: tokenIn(await mail.mail(v.email, { subject: SUBJECT.reset })), password: v.password })).status, 200);
  is(await verify({ email: v.email, code: forV }), 401, BAD);
});

test('a sign-in by SMS needs a proven address where a password does', async (t) => {
  for (const [mode, refusal] of [['strict', problem('Email address is not verified', 'EMAIL_NOT_VERIFIED')], ['lazy', problem('Email verification required', 'EMAIL_VERIFICATION_REQUIRED')]]) {
    const one = await startDelivering({ env: { SALLYPORT_VERIFICATION_MODE: mode } });
    t.after(() => one.close());
    const u = await person(one.s);
    if (mode === 'lazy') {
      signedIn(await verify({ email: u.email, code: await code(u, { email: u.email }, one) }, {}, one.s), ['sms'], 'within the grace');
      one.s.advance(8 * DAY);
    }
    await one.mail.mail(u.email, { subject: SUBJECT.verify });
    const digits = await code(u, { email: u.email }, one);
    is(await verify({ email: u.email, code: wrongCode(digits) }, {}, one.s), 401, BAD, 'told to who has the code only');
    is(await verify({ email: u.email, code: digits }, {}, one.s), 403, refusal);
    const token = tokenIn(await one.mail.mail(u.email, { subject: SUBJECT.verify }));
    assert.equal((await one.s.post('/auth/verify-email', { token })).status, 200);
    is(await verify({ email: u.email, code: digits }, {}, one.s), 401, BAD, 'it has served');
    signedIn(await verify({ email: u.email, code: await code(u, { email: u.email }, one) }, {}, one.s));
  }
});

/* ---- as second factor ---- */

test('a texted code is the second factor after a password', async () => {
  const u = await withSecond(s, await person()), asked = await s.login(u.email, u.password), { tempToken } = asked.json;
  assert.deepEqual(asked.json.available2faMethods, ['sms', 'magic-link']);
  const digits = await secondCode(u, tempToken);
  signedIn(await verify({ mode: '2fa', tempToken, code: digits }), ['pwd', 'sms', 'mfa']);
  is(await verify({ mode: '2fa', tempToken, code: digits }), 401, BAD_HANDLE);
  assert.deepEqual((await eventsOf(u)).slice(1), ['factor.asked (pwd)', 'login.code_sent (sms, second factor)', 'login.ok (pwd sms mfa)']);
});

test('2fa mode keeps its own refusals: no handle, a dead one, no number', async () => {
  const u = await withSecond(s, await s.register()), tempToken = await handleOf(s, u);
  is(await send({ mode: '2fa', tempToken }), 400, problem('User does not have a phone number configured', 'PHONE_NOT_SET'));
  is(await verify({ mode: '2fa', tempToken, code: '123456' }), 401, BAD_HANDLE, 'SMS is no factor there');
  for (const json of [{ mode: '2fa', code: '123456' }, { mode: '2fa', tempToken: '', email: u.email }]) is(await verify(json), 400, NO_HANDLE);
  is(await verify({ mode: '2fa', tempToken: 'f'.repeat(64), code: '123456' }), 401, BAD_HANDLE);
  const v = await withSecond(s, await person()), ofV = await handleOf(s, v), digits = await secondCode(v, ofV);
  for (const one of [undefined, '']) is(await verify({ mode: '2fa', tempToken: ofV, code: one }), 401, BAD);
  s.advance(5 * MINUTE);
  is(await verify({ mode: '2fa', tempToken: ofV, code: digits }), 401, BAD_HANDLE);
  is(await send({ mode: '2fa', tempToken: ofV }), 401, BAD_HANDLE);
});

test('MF02 an access token is no handle', async () => {
  const u = await withPhone(s, await s.signedIn());
  is(await send({ mode: '2fa', tempToken: u.accessToken }), 401, BAD_HANDLE);
  is(await verify({ mode: '2fa', tempToken: u.accessToken, code: '123456' }), 401, BAD_HANDLE);
});

test('MF04 who signed in by SMS is not offered SMS again, and cannot force it', async () => {
  const u = await withSecond(s, await person());
  const r = await verify({ email: u.email, code: await code(u) });
  assert.deepEqual([r.status, r.json.requiresTwoFactor, r.json.available2faMethods, r.json.accessToken], [200, true, ['magic-link'], undefined]);
  const { tempToken } = r.json;
  is(await send({ mode: '2fa', tempToken }), 401, BAD_HANDLE);
  const digits = await secondCode(u, await handleOf(s, u));
  is(await verify({ mode: '2fa', tempToken, code: digits }), 401, BAD_HANDLE);
});

test('MF14 a code of one sign-in, one kind or one number is of no use to another', async () => {
  const u = await withSecond(s, await person()), one = await handleOf(s, u), other = await handleOf(s, u);
  const login = await code(u), digits = await secondCode(u, one);
  is(await verify({ mode: '2fa', tempToken: other, code: digits }), 401, BAD, 'of another handle');
  if (login !== digits) {
    is(await verify({ email: u.email, code: digits }), 401, BAD, 'of the second factor');
    is(await verify({ mode: '2fa', tempToken: one, code: login }), 401, BAD, 'of the first');
  }
  await s.sql(`UPDATE user SET phone = '${freshNumber()}' WHERE email = '${u.email}'`);
  is(await verify({ mode: '2fa', tempToken: one, code: digits }), 401, BAD, 'of the number before');
});

test('MF08 five wrong codes end the handle, the identical repeat of a client not counted', async () => {
  const u = await withSecond(s, await person());
  let tempToken = await handleOf(s, u), right = await secondCode(u, tempToken);
  for (let i = 0; i < 4; i++) for (let k = 0; k < 2; k++) is(await verify({ mode: '2fa', tempToken, code: wrongCode(right, i) }), 401, BAD);
  signedIn(await verify({ mode: '2fa', tempToken, code: right }), ['pwd', 'sms', 'mfa']);
  tempToken = await handleOf(s, u);
  right = await secondCode(u, tempToken);
  for (let i = 0; i < 5; i++) is(await verify({ mode: '2fa', tempToken, code: wrongCode(right, i) }), 401, BAD);
  is(await verify({ mode: '2fa', tempToken, code: right }), 401, BAD_HANDLE);
  is(await send({ mode: '2fa', tempToken }), 401, BAD_HANDLE);
});

test('MF08 asking for code after code buys no more than five tries of a handle', async () => {
  const u = await withSecond(s, await person()), tempToken = await handleOf(s, u);
  let right;
  for (let i = 0; i < 5; i++) {
    right = await secondCode(u, tempToken);
    is(await verify({ mode: '2fa', tempToken, code: wrongCode(right, i) }), 401, BAD);
  }
  is(await verify({ mode: '2fa', tempToken, code: right }), 401, BAD_HANDLE);
});

test('MF09 handle after handle, an account\'s codes are looked at thirty-three times a day', async () => {
  const u = await withSecond(s, await person());
  let looked = 0, r;
  for (let i = 0; i < 48; i++) {
    const tempToken = await handleOf(s, u), right = await secondCode(u, tempToken);
    r = await verify({ mode: '2fa', tempToken, code: wrongCode(right, i) });
    if (r.status === 401) looked++;
    s.advance(15 * MINUTE); // longer than any wait
  }
  assert.deepEqual([looked, r.status, r.json.code], [33, 429, 'RATE_LIMITED']);
  assert.equal(r.headers['retry-after'], `${(24 * 60 - 47 * 15) * 60}`, 'until the day is over');
});

test('MF08 handle after handle, wrong codes make wait, and the right one gets in after the wait', async () => {
  const u = await withSecond(s, await person());
  const guess = async (i) => {
    const tempToken = await handleOf(s, u), right = await secondCode(u, tempToken);
    return verify({ mode: '2fa', tempToken, code: wrongCode(right, i) });
  };
  for (let i = 0; i < 5; i++) is(await guess(i), 401, BAD);
  for (const seconds of [1, 2, 4]) {
    const tempToken = await handleOf(s, u), right = await secondCode(u, tempToken);
    const r = await verify({ mode: '2fa', tempToken, code: right });
    assert.deepEqual([r.status, r.json.code, r.headers['retry-after']], [429, 'RATE_LIMITED', `${seconds}`]);
    s.advance(seconds * 1000);
    if (seconds < 4) is(await guess(seconds), 401, BAD);
    else signedIn(await verify({ mode: '2fa', tempToken, code: right }), ['pwd', 'sms', 'mfa']);
  }
  for (let i = 0; i < 5; i++) is(await guess(i), 401, BAD, 'the right code ended the waits');
});

test('EL07 of fifty right second factors at once one signs in', async () => {
  const u = await withSecond(s, await person()), tempToken = await handleOf(s, u), digits = await secondCode(u, tempToken);
  const answers = await Promise.all(Array.from({ length: 50 }, () => verify({ mode: '2fa', tempToken, code: digits })));
  assert.equal(answers.filter((r) => r.status === 200).length, 1);
  for (const r of answers) if (r.status !== 200) assert.ok(r.status === 401 && ['INVALID_SMS_CODE', 'INVALID_TEMP_TOKEN'].includes(r.json.code), r.text);
});

/* ---- what nobody may see ---- */

test('MF13 without random bytes there is no code, and nobody is texted', async () => {
  const u = await person();
  s.control.set('RNG_LEFT', 0);
  const r = await send({ email: u.email });
  s.control.calm();
  assert.ok(r.status >= 500, r.text);
  assert.equal(await s.sql(`SELECT count(*) FROM onetime JOIN user ON user.id = user_id WHERE email = '${u.email}'`), '0');
  assert.equal(await textedTo(u.number), 0);
});

test('MF15 codes stand in no answer, no log line, no audit row and no export', async () => {
  const u = await person(), digits = [await code(u)];
  const r = signedIn(await verify({ email: u.email, code: digits[0] }));
  await withSecond(s, u);
  const tempToken = await handleOf(s, u);
  digits.push(await secondCode(u, tempToken));
  const exported = (await s.get('/auth/export', { token: r.accessToken })).text.replace(/"(exportedAt|createdAt|expiresAt|lastLogin|lastActiveAt|lastActive|at|id|userId|sessionHandle|handle|email|address|phoneNumber)":"[^"]*"/g, '');
  signedIn(await verify({ mode: '2fa', tempToken, code: digits[1] }), ['pwd', 'sms', 'mfa']);
  const log = s.lines.map((l) => l.text.replace(/":-?\d+/g, '":0').replace(/"(request_id|ts)":"[^"]*"/g, '')).join('\n');
  const audit = await s.sql("SELECT event || ' ' || coalesce(detail, '') || ' ' || coalesce(ip, '') FROM audit");
  for (const one of digits) for (const text of [log, audit, exported]) assert.ok(!text.includes(one), `${one} in ${text.slice(0, 300)}`);
});
