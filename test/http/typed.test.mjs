// typed.test.mjs — codes, addresses, numbers and names as people type and paste them: test/data/typed.json.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { confirm, handleOf, setUp, verify, withTotp, Authenticator } from '../lib/authenticator.mjs';
import { codeIn, freshNumber, mailCodeIn, startDelivering, SUBJECT } from '../lib/delivery.mjs';
import { source } from '../lib/paths.mjs';
import { freshEmail, freshPassword, until } from '../lib/server.mjs';

const DATA = JSON.parse(source('test/data/typed.json'));
const bearer = { strategy: 'bearer' };
let d, s;

before(async () => {
  d = await startDelivering({ env: { SALLYPORT_SMS_COUNTRIES: 'any', SALLYPORT_LIMITS_ACCOUNT_FREE: '100' } });
  s = d.s;
});
after(() => d.close());

const show = (text) => JSON.stringify(text).replace(/[^ -~]/g, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
const half = (code) => [code.slice(0, code.length / 2), code.slice(code.length / 2)];
const fill = (pattern, ...parts) => parts.reduce((text, part) => text.replace('%s', part), pattern);
const inDigits = (code, zero) => code.replace(/\d/g, (digit) => String.fromCodePoint(zero.codePointAt(0) + Number(digit)));
/* All ways to write a code. */
const written = (code) => [...DATA.codes.map((pattern) => fill(pattern, ...half(code))), ...DATA.zeros.map((zero) => inDigits(code, zero)), inDigits(half(code).join(' '), '\uff10')];

test('an app\'s code is taken however it is written', async () => {
  const u = await withTotp(s, await s.signedIn());
  for (let i = 0; i < written('123456').length; i++) {
    const tempToken = await handleOf(s, u), totpCode = written(u.app.code())[i];
    const r = await verify(s, { tempToken, totpCode });
    assert.equal(r.status, 200, `${show(totpCode)}: ${r.text}`);
    s.advance(30_000);
  }
});

test('codes of mails, messages, numbers, recovery and of setting up, too', async () => {
  const u = await s.signedIn(), phoneNumber = freshNumber(), as = { token: u.accessToken };
  const odd = (code) => `\ufeff\u202d${inDigits(half(code)[0], '\u0660')}\u00a0\u2013 ${half(code)[1]}\r\n`;
  let r = await setUp(s, u.accessToken);
  r = await confirm(s, u.accessToken, { token: odd(new Authenticator(s, r.json.otpauthUrl).code()), secret: r.json.secret });
  assert.equal(r.status, 200, r.text);
  const wide = (code) => ` ${[...code.toLowerCase()].map((c) => (c === '-' ? '\u2011' : String.fromCodePoint(c.codePointAt(0) + 0xfee0))).join('')}\n`;
  for (const [i, name] of ['totpCode', 'recoveryCode'].entries()) {
    const done = await verify(s, { tempToken: await handleOf(s, u), [name]: wide(r.json.recoveryCodes[i]) });
    assert.equal(done.status, 200, done.text);
  }
  const v = await s.signedIn();
  as.token = v.accessToken;
  assert.equal((await s.post('/auth/add-phone', { phoneNumber }, as)).status, 200);
  await until(() => d.sms.to(phoneNumber).length === 1, 'a message');
  r = await s.post('/auth/add-phone/verify', { code: odd(codeIn(d.sms.to(phoneNumber)[0])) }, as);
  assert.equal(r.status, 200, r.text);
  await s.post('/auth/sms/send', { email: v.email });
  await until(() => d.sms.to(phoneNumber).length === 2, 'a message');
  r = await s.post('/auth/sms/verify', { email: v.email, code: odd(codeIn(d.sms.to(phoneNumber)[1])) }, bearer);
  assert.equal(r.status, 200, r.text);
  await s.post('/auth/magic-link/send', { email: v.email, type: 'code' });
  r = await s.post('/auth/magic-link/verify', { email: v.email, code: odd(mailCodeIn(await d.mail.mail(v.email, { subject: SUBJECT.code }))) }, bearer);
  assert.equal(r.status, 200, r.text);
});

const WRONG = { '/auth/2fa/verify': 'INVALID_TOTP_CODE', '/auth/magic-link/verify': 'INVALID_MAGIC_LINK', '/auth/sms/verify': 'INVALID_SMS_CODE' };

test('what cannot be a code is told to be none, whoever it is about', async () => {
  const u = await withTotp(s, await s.signedIn());
  for (const code of DATA.notCodes) {
    const tempToken = await handleOf(s, u);
    for (const [path, json] of [['/auth/2fa/verify', { tempToken, totpCode: code }], ['/auth/2fa/verify', { tempToken, recoveryCode: code }],
      ['/auth/magic-link/verify', { email: u.email, code }], ['/auth/sms/verify', { email: u.email, code }], ['/auth/sms/verify', { email: freshEmail(), code }]]) {
      const r = await s.post(path, json, bearer), field = Object.keys(json).at(-1);
      assert.deepEqual([r.status, r.json.code, r.json.fields], [401, WRONG[path], [{ field, reason: 'NOT_A_CODE' }]], `${path} ${show(code)}: ${r.text}`);
    }
  }
  const r = await verify(s, { tempToken: await handleOf(s, u), totpCode: u.app.wrong() });
  assert.deepEqual([r.status, r.json.fields], [401, undefined], 'one that can be a code is only wrong');
});

test('an address is the same with what nobody sees around it, and is stored and mailed to without', async () => {
  for (const [pattern, what] of DATA.addresses) {
    const email = freshEmail('Typed'), password = freshPassword(), pasted = fill(pattern, email);
    const r = await s.post('/auth/register', { email: pasted, password });
    assert.equal(r.status, 201, `${what}: ${r.text}`);
    assert.equal(await s.sql(`SELECT count(*) FROM user WHERE email = '${email}' AND email_key = '${email.toLowerCase()}'`), '1', what);
    await d.mail.mail(email);
    assert.equal((await s.post('/auth/register', { email, password })).status, 409, what);
    assert.equal((await s.login(pasted, password)).status, 200, what);
    assert.equal((await s.login(fill(pattern, email.toUpperCase()), password)).status, 200, what);
  }
  for (const pattern of DATA.notAddresses) assert.equal((await s.post('/auth/register', { email: fill(pattern, freshEmail()), password: freshPassword() })).status, 400, show(pattern));
});

test('a number is taken as it was copied', async () => {
  const u = await s.signedIn(), as = { token: u.accessToken };
  for (const [pasted, number] of DATA.numbers) {
    const r = await s.post('/auth/add-phone', { phoneNumber: pasted }, as);
    assert.equal(r.status, 200, `${show(pasted)}: ${r.text}`);
    await until(() => d.sms.to(number).length === 1, `a message to ${number}`);
  }
  for (const pasted of DATA.notNumbers) assert.equal((await s.post('/auth/add-phone', { phoneNumber: pasted }, as)).status, 400, show(pasted));
});

test('names are stored without directional marks and blanks around them', async () => {
  const u = await s.signedIn(), as = { token: u.accessToken };
  for (const [pasted, name] of DATA.names) {
    const r = await s.request('PATCH', '/auth/profile', { json: { firstName: pasted }, ...as });
    assert.equal(r.status, 200, `${show(pasted)}: ${r.text}`);
    assert.equal((await s.me(u.accessToken)).json.firstName ?? null, name, show(pasted));
  }
  for (const pasted of DATA.notNames) assert.equal((await s.request('PATCH', '/auth/profile', { json: { firstName: pasted }, ...as })).status, 400, show(pasted));
});
