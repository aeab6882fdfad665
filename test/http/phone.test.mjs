// phone.test.mjs — a phone number counts once a code sent to it came back: what is texted, to whom, how
// often, and what is told.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { MINUTE, DAY, HOUR, Server, until } from '../lib/server.mjs';
import { HttpSink } from '../lib/sms_sink.mjs';

const ENV = {
  SALLYPORT_SERVER_TRUSTED_PROXIES: '127.0.0.1',
  SALLYPORT_LIMITS_SMS_NETWORK_PER_HOUR: '10000',
  SALLYPORT_SMS_TEST_NUMBERS: '+15550100=246810',
};
const DONE = { success: true };
const NO_CODE = { error: 'Invalid or expired code', message: 'Invalid or expired code', code: 'INVALID_PHONE_CODE' };
let sink, s;

before(async () => {
  sink = await HttpSink.start();
  s = await Server.start({ env: { ...ENV, ...sink.env('http-get'), ...sink.env('mail') } });
});
after(async () => {
  await s.close();
  await sink.close();
});

let last = 0;
const freshNumber = () => `+39340${String(++last).padStart(4, '0')}111`; // each in a range of its own
const add = (u, phoneNumber, { on = s, ...options } = {}) => on.post('/auth/add-phone', { phoneNumber }, { token: u.accessToken, ...options });
const verify = (u, code, on = s) => on.post('/auth/add-phone/verify', { code }, { token: u.accessToken });
const phoneOf = async (u, on = s) => (await on.me(u.accessToken)).json.phoneNumber;
const hexOf = (u) => u.id.replaceAll('-', '').toUpperCase();
const eventsOf = async (u, on = s) => (await on.sql(`SELECT event || coalesce(' (' || detail || ')', '') FROM audit WHERE hex(user_uid) = '${hexOf(u)}' AND event LIKE 'phone.%' ORDER BY id`)).split('\n').filter(Boolean);
/* Another one for each n: the repeat that clients send by themselves is not counted again. */
const wrong = (code, n = 0) => [n, 500_000 + n].map((v) => String(v).padStart(6, '0')).find((v) => v !== code);
const quiet = (on = s) => until(async () => (await on.sql('SELECT count(*) FROM outbox')) === '0', 'the outbox to be empty');
const seen = []; // codes that were texted

async function codeFor(number, on = s) {
  const { message } = await sink.sms(number);
  const [code] = message.match(/\b\d{6}\b/);
  on.note(message);
  seen.push(code);
  return code;
}

async function asked(u, number = freshNumber(), on = s) {
  const r = await add(u, number, { on });
  assert.deepEqual([r.status, r.json], [200, DONE]);
  return { number, code: await codeFor(number, on) };
}

function noCode(r, what) {
  assert.deepEqual([r.status, r.json], [400, NO_CODE], what);
}

function refused(r, reason) {
  assert.deepEqual([r.status, r.json.code, r.json.fields], [400, 'VALIDATION_ERROR', [{ field: 'phoneNumber', reason }]], r.text);
}

/* ---- proving it ---- */

test('MF16 a number counts once its code came back, and the account\'s address hears of it', async () => {
  const u = await s.signedIn();
  const { number, code } = await asked(u);
  assert.equal(await phoneOf(u), undefined, 'pending numbers are nobody\'s');
  assert.equal(await s.sql(`SELECT count(*) FROM user WHERE phone = '${number}'`), '0');
  assert.equal(sink.to(u.email).filter((r) => /phone/i.test(r.json.subject)).length, 0, 'nothing has changed yet');

  const r = await verify(u, code);
  assert.deepEqual([r.status, r.json], [200, DONE]);
  assert.equal(await phoneOf(u), number);
  const mail = await until(() => sink.to(u.email).find((one) => one.json.subject === 'Your phone number has been updated'), 'the notice');
  for (const text of [mail.json.text, mail.json.html]) {
    assert.ok(!text.includes(number), 'the mail does not hand out the number');
    assert.match(text, /\+39 ••• 111/);
  }
  noCode(await verify(u, code), 'a code works once');
});

for (const kind of ['http-post', 'twilio'])
  test(`a code arrives through ${kind} too`, async (t) => {
    const one = await Server.start({ env: { ...ENV, ...sink.env(kind) } });
    t.after(() => one.close());
    const u = await one.signedIn();
    const { number, code } = await asked(u, freshNumber(), one);
    assert.equal((await verify(u, code, one)).status, 200);
    assert.equal(await phoneOf(u, one), number);
  });

test('another number replaces the old one only when it is proven', async () => {
  const u = await s.signedIn();
  const a = await asked(u);
  await verify(u, a.code);
  const b = await asked(u);
  assert.equal(await phoneOf(u), a.number);
  await verify(u, b.code);
  assert.equal(await phoneOf(u), b.number);
});

test('null removes the number and ends a pending one; a member left out is a mistake', async () => {
  const u = await s.signedIn();
  const a = await asked(u);
  await verify(u, a.code);
  const b = await asked(u);
  for (const body of [{}, { phone: '+393331234567' }]) refused(await s.post('/auth/add-phone', body, { token: u.accessToken }), 'REQUIRED');
  refused(await s.request('POST', '/auth/add-phone', { token: u.accessToken }), 'REQUIRED');
  assert.equal(await phoneOf(u), a.number);

  assert.deepEqual((await add(u, null)).json, DONE);
  assert.equal(await phoneOf(u), undefined);
  noCode(await verify(u, b.code), 'the pending one is gone too');
  assert.equal((await add(u, null)).status, 200, 'removing nothing is no error');
  assert.deepEqual(await eventsOf(u), ['phone.code_sent', 'phone.changed', 'phone.code_sent', 'phone.removed', 'phone.removed']);
  await quiet();
  assert.equal(sink.to(u.email).filter((r) => /phone/i.test(r.json.subject)).length, 2, 'set and removed: one mail each');
});

test('a wrong code is refused, and after five of them the right one too', async () => {
  const u = await s.signedIn();
  const { code } = await asked(u);
  for (let i = 0; i < 5; i++) noCode(await verify(u, wrong(code, i)), `try ${i + 1}`);
  noCode(await verify(u, code), 'used up');
  assert.equal(await phoneOf(u), undefined);
  s.advance(61_000);
  const again = await asked(u);
  for (let i = 0; i < 4; i++) noCode(await verify(u, wrong(again.code, i)));
  assert.equal((await verify(u, again.code)).status, 200, 'the fifth try of a new code may be the right one');
});

test('a code ends with its time', async () => {
  const u = await s.signedIn();
  const a = await asked(u);
  s.advance(5 * MINUTE);
  noCode(await verify(u, a.code), 'five minutes');
  const b = await asked(u);
  s.advance(5 * MINUTE - 1);
  assert.equal((await verify(u, b.code)).status, 200);
});

test('only the newest code works, for the number it went to', async () => {
  const u = await s.signedIn();
  const a = await asked(u);
  s.advance(61_000);
  const again = await asked(u, a.number);
  if (a.code !== again.code) noCode(await verify(u, a.code));
  const b = await asked(u);
  if (again.code !== b.code) noCode(await verify(u, again.code));
  assert.equal((await verify(u, b.code)).status, 200);
  assert.equal(await phoneOf(u), b.number);
});

test('of fifty parallel right codes one is taken', async () => {
  const u = await s.signedIn();
  const { code, number } = await asked(u);
  const answers = await Promise.all(Array.from({ length: 50 }, () => verify(u, code)));
  assert.equal(answers.filter((r) => r.status === 200).length, 1);
  for (const r of answers) if (r.status !== 200) noCode(r);
  assert.equal(await phoneOf(u), number);
  assert.equal((await eventsOf(u)).filter((e) => e === 'phone.changed').length, 1);
});

test('a code is of use to its owner only', async () => {
  const a = await s.signedIn(), b = await s.signedIn();
  const { code, number } = await asked(a);
  noCode(await verify(b, code), 'nothing is pending there');
  const own = await asked(b);
  if (own.code !== code) noCode(await verify(b, code), 'another one is');
  assert.equal((await verify(a, code)).status, 200);
  assert.equal(await phoneOf(a), number);
  assert.equal(await phoneOf(b), undefined);
});

test('codes that are none: missing, empty, long, of another type, and no session at all', async () => {
  const u = await s.signedIn();
  noCode(await verify(u, '123456'), 'nothing pending');
  await asked(u);
  for (const code of [undefined, '']) noCode(await verify(u, code), String(code));
  noCode(await verify(u, '١٢٣٤٥٦'), 'digits of another script are digits, but not the right ones');
  for (const code of [null, 123456, {}, [], true, 'x'.repeat(129)]) {
    const r = await verify(u, code);
    assert.deepEqual([r.status, r.json.code, r.json.fields[0].field], [400, 'VALIDATION_ERROR', 'code'], JSON.stringify(code));
  }
  for (const path of ['/auth/add-phone', '/auth/add-phone/verify']) {
    const r = await s.post(path, { phoneNumber: freshNumber(), code: '123456' });
    assert.deepEqual([r.status, r.json.code], [403, 'NO_ACCESS_TOKEN']);
  }
});

/* ---- which numbers ---- */

test('MF17 numbers are taken as people write them, and stored in one form', async () => {
  const forms = ['+39 340 999-00NN', '+39(340)99900NN', '0039 340 99900NN', ' +39.340.999.00NN ', '+39/340/99900NN'];
  for (const [i, form] of forms.entries()) {
    const u = await s.signedIn(), n = String(20 + i);
    assert.equal((await add(u, form.replace('NN', n))).status, 200, form);
    await verify(u, await codeFor(`+393409990 0${n}`.replace(' ', '')));
    assert.equal(await phoneOf(u), `+3934099900${n}`);
  }
});

test('MF17 what is no number is refused and nothing is sent', async () => {
  const u = await s.signedIn(), had = sink.requests.filter((r) => r.phone).length;
  for (const bad of ['', ' ', '340 1234567', '+39', '+0393401234567', '+39 340 abc 4567', '+39340123456789012', '+39 (0) 340 1234567', '++393401234567', '+393401234①', '+393401234567x', "'; --"])
    refused(await add(u, bad), 'INVALID');
  refused(await add(u, `+39${'1'.repeat(300)}`), 'TOO_LONG');
  for (const bad of [7, {}, [], true]) refused(await add(u, bad), 'TYPE');
  await quiet();
  assert.equal(sink.requests.filter((r) => r.phone).length, had);
  assert.deepEqual(await eventsOf(u), []);
});

test('MF17 premium ranges are never texted, other countries only when they are listed', async (t) => {
  const u = await s.signedIn();
  for (const bad of ['+97912345678', '+88212345678', '+870123456789']) refused(await add(u, bad), 'COUNTRY');
  const italy = await Server.start({ env: { ...ENV, ...sink.env('http-get'), SALLYPORT_SMS_COUNTRIES: '+39,+41', SALLYPORT_SMS_BLOCKED: '+39899' } });
  t.after(() => italy.close());
  const v = await italy.signedIn();
  const on = { on: italy };
  for (const bad of ['+447700900123', '+12025550123', '+39899123456']) refused(await add(v, bad, on), 'COUNTRY');
  assert.equal((await add(v, '+41791234567', on)).status, 200);
  await codeFor('+41791234567', italy);
});

test('MF17 of a hundred numbers of one range, asked for from a hundred networks, twenty are texted', async () => {
  const u = await s.signedIn();
  const numbers = Array.from({ length: 100 }, (_, i) => `+3934777700${String(i).padStart(3, '0')}`);
  for (const [i, number] of numbers.entries())
    assert.deepEqual((await add(u, number, { headers: { 'X-Forwarded-For': `198.51.${i}.7` } })).json, DONE, 'the answer does not tell');
  await quiet();
  assert.equal(numbers.filter((n) => sink.to(n).length > 0).length, 20);
  const events = await eventsOf(u);
  assert.equal(events.filter((e) => e === 'phone.code_sent').length, 20);
  assert.equal(events.filter((e) => e === 'phone.code_sent (limited)').length, 1, 'once in the window');
  s.advance(HOUR + 1000);
  const v = await s.signedIn();
  await asked(v, numbers[99]);
});

test('MF17 one number, one network: each has a budget', async (t) => {
  const one = await Server.start({ env: { ...ENV, ...sink.env('http-get'), SALLYPORT_LIMITS_SMS_NETWORK_PER_HOUR: '10' } });
  t.after(() => one.close());
  const u = await one.signedIn(), number = freshNumber();
  await add(u, number, { on: one, headers: { 'X-Forwarded-For': '203.0.113.1' } });
  await add(u, number, { on: one, headers: { 'X-Forwarded-For': '203.0.113.1' } });
  await quiet(one);
  assert.equal(sink.to(number).length, 1, 'not twice within a minute');
  for (let i = 0; i < 7; i++) {
    one.advance(61_000);
    await add(u, number, { on: one, headers: { 'X-Forwarded-For': `203.0.114.${i}` } });
  }
  await quiet(one);
  assert.equal(sink.to(number).length, 5, 'five in an hour');

  const v = await one.signedIn(), many = Array.from({ length: 14 }, freshNumber);
  for (const n of many) await add(v, n, { on: one, headers: { 'X-Forwarded-For': '203.0.115.1' } });
  await quiet(one);
  assert.equal(many.filter((n) => sink.to(n).length > 0).length, 10, 'ten of a network');
});

test('MF17 the budget of a day over all numbers ends with one warning and one event', async (t) => {
  const one = await Server.start({ env: { ...ENV, ...sink.env('http-get'), SALLYPORT_LIMITS_SMS_TOTAL_PER_DAY: '5' } });
  t.after(() => one.close());
  const texted = async () => {
    const u = await one.signedIn(), numbers = Array.from({ length: 8 }, freshNumber);
    for (const n of numbers) assert.equal((await add(u, n, { on: one })).status, 200);
    await quiet(one);
    return numbers.filter((n) => sink.to(n).length > 0).length;
  };
  assert.equal(await texted(), 5);
  assert.equal(await texted(), 0);
  await until(() => one.events('sms_budget_used_up').length > 0, 'the warning');
  assert.deepEqual(one.events('sms_budget_used_up').map((l) => [l.level, l.messages]), [['warn', 5]]);
  assert.equal(await one.sql("SELECT count(*) FROM audit WHERE event = 'sms.budget_used_up'"), '1');
  one.advance(DAY);
  assert.equal(await texted(), 5, 'the next day');
  assert.equal(await one.sql("SELECT count(*) FROM audit WHERE event = 'sms.budget_used_up'"), '2');
});

/* ---- settings ---- */

test('without SMS a number cannot be added, the log says why once, and removing goes on', async (t) => {
  const none = await Server.start();
  t.after(() => none.close());
  const u = await none.signedIn();
  const r = await add(u, freshNumber(), { on: none });
  assert.deepEqual([r.status, r.json], [500, { error: 'SMS is not configured', message: 'SMS is not configured', code: 'SMS_NOT_CONFIGURED' }], r.text);
  await none.logged(r);
  assert.deepEqual(none.lines.filter((l) => l.request_id === r.headers['x-request-id']).map((l) => l.event), ['sms_not_configured', 'request']);
  assert.equal((await add(u, null, { on: none })).status, 200);
  assert.deepEqual(await eventsOf(u, none), ['phone.removed']);
});

test('with sms.require_proof off a number counts at once, and is still looked at', async (t) => {
  const lax = await Server.start({ env: { SALLYPORT_SMS_REQUIRE_PROOF: 'false', SALLYPORT_SMS_COUNTRIES: '+39' } });
  t.after(() => lax.close());
  const u = await lax.signedIn(), number = freshNumber();
  assert.deepEqual((await add(u, number, { on: lax })).json, DONE);
  assert.equal(await phoneOf(u, lax), number);
  refused(await add(u, '+447700900123', { on: lax }), 'COUNTRY');
  refused(await add(u, 'x1', { on: lax }), 'INVALID');
  assert.equal(await phoneOf(u, lax), number);
  assert.deepEqual(await eventsOf(u, lax), ['phone.changed']);
});

test('a test number has its fixed code, is never texted, and is not for administrators', async () => {
  const u = await s.signedIn(), admin = await s.admin();
  assert.deepEqual((await add(u, '+1 555 0100')).json, DONE);
  noCode(await verify(u, '246811'));
  assert.equal((await verify(u, '246810')).status, 200);
  assert.equal(await phoneOf(u), '+15550100');
  refused(await add(admin, '+15550100'), 'TEST_NUMBER');
  noCode(await verify(admin, '246810'));
  await quiet();
  assert.equal(sink.to('+15550100').length, 0);
});

/* ---- what nobody may see ---- */

test('MF15 codes stand in no answer, no log line, no audit row and no export', async () => {
  const u = await s.signedIn();
  const r = await add(u, freshNumber());
  assert.deepEqual(r.json, DONE);
  const pending = (await s.get('/auth/export', { token: u.accessToken })).json.pending;
  assert.deepEqual(pending.map((p) => [p.kind, Object.keys(p)]), [['phoneNumber', ['kind', 'address', 'createdAt', 'expiresAt']]]);
  const { message } = await sink.sms(pending[0].address);
  seen.push(message.match(/\b\d{6}\b/)[0]);
  await verify(u, seen.at(-1));

  const log = s.lines.map((l) => l.text.replace(/":-?\d+/g, '":0').replace(/"(request_id|ts)":"[^"]*"/g, '')).join('\n');
  const audit = await s.sql("SELECT event || ' ' || coalesce(detail, '') || ' ' || coalesce(ip, '') FROM audit");
  const me = (await s.get('/auth/export', { token: u.accessToken })).text.replace(/"(exportedAt|createdAt|at|id|userId|sessionHandle|handle)":"[^"]*"/g, '').replace(/\+\d+/g, '');
  assert.ok(seen.length > 20);
  for (const code of seen) for (const text of [log, audit, me]) assert.ok(!text.includes(code), `${code} in ${text.slice(0, 200)}`);
  const stored = await s.sql("SELECT coalesce(group_concat(quote(hash) || address), '') FROM onetime");
  for (const code of seen) assert.ok(!stored.includes(`'${code}'`));
});
