// magic_link.test.mjs — signing in with a mailed link or code, and the same as second factor: what is mailed to
// whom, what is answered, what becomes of an account whose address was never proven.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ERR } from '../lib/control.mjs';
import { freshNumber, handleOf, linkIn, mailCodeIn, startDelivering, SUBJECT, tokenIn, withPhone, withSecond, wrongCode } from '../lib/delivery.mjs';
import { claimsOf, freshEmail, MINUTE, Server, until } from '../lib/server.mjs';

const DONE = { success: true };
const problem = (error, code) => ({ error, message: error, code });
const BAD = problem('Invalid magic link token', 'INVALID_MAGIC_LINK'), LATE = problem('Magic link token has expired', 'MAGIC_LINK_EXPIRED');
const NO_HANDLE = problem('tempToken is required for 2FA mode', 'TEMP_TOKEN_REQUIRED'), BAD_HANDLE = problem('Invalid or expired temp token', 'INVALID_TEMP_TOKEN');
let s, mail, sms, close;

before(async () => ({ s, mail, sms, close } = await startDelivering({ env: { SALLYPORT_TWOFACTOR_MAGIC_LINK: 'true' } })));
after(() => close());

const is = (r, status, body, what) => assert.deepEqual([r.status, r.json], [status, body], what);
const send = (json, options, on = s) => on.post('/auth/magic-link/send', json, options);

function verify(json, options, on = s) {
  on.note(json.token, json.tempToken);
  return on.post('/auth/magic-link/verify', json, { strategy: 'bearer', ...options });
}

function signedIn(r, amr = ['email'], what = '') {
  assert.equal(r.status, 200, `${what} ${r.text}`);
  assert.deepEqual(Object.keys(r.json).filter((name) => name !== 'removed'), ['success', 'accessToken', 'refreshToken', 'deviceToken']);
  assert.deepEqual(claimsOf(r.json.accessToken).amr, amr);
  return r.json;
}

async function link(u, json = {}, on = { s, mail }) {
  is(await send({ email: u.email, ...json }, {}, on.s), 200, DONE);
  const token = tokenIn(await on.mail.mail(u.email, { subject: SUBJECT.magic }));
  on.s.note(token);
  return token;
}

async function code(u, json = {}) {
  is(await send({ email: u.email, type: 'code', ...json }), 200, DONE);
  return mailCodeIn(await mail.mail(u.email, { subject: SUBJECT.code }));
}

const second = { link: (u, tempToken) => link(u, { email: undefined, mode: '2fa', tempToken }), code: (u, tempToken) => code(u, { email: undefined, mode: '2fa', tempToken }) };
const proven = async (over) => {
  const u = await s.register(over);
  await s.sql(`UPDATE user SET email_verified = 1 WHERE email = '${u.email}'`);
  return u;
};
const quiet = (on = s) => until(async () => (await on.sql('SELECT count(*) FROM outbox WHERE dead = 0')) === '0', 'the outbox to be empty');
const mailsTo = (u, subject) => mail.mailsTo(u.email).filter((m) => m.parsed.subject === subject);
const eventsOf = async (u) => (await s.sql(`SELECT event || coalesce(' (' || detail || ')', '') FROM audit WHERE hex(user_uid) = upper('${u.id.replaceAll('-', '')}') ORDER BY id`)).split('\n');

/* ---- asked for ---- */

test('a link comes to the address, and its token signs in once', async () => {
  const u = await proven(), token = await link(u);
  const r = signedIn(await verify({ token }));
  const me = (await s.me(r.accessToken)).json;
  assert.deepEqual([me.email, me.id], [u.email, u.id]);
  assert.equal((await s.refresh(r.refreshToken)).status, 200);
  is(await verify({ token }), 401, BAD, 'used');
  assert.deepEqual(await eventsOf(u), ['user.created', 'login.link_sent (email)', 'login.ok (email)']);
  const login = await s.sql(`SELECT last_login_ms FROM user WHERE email = '${u.email}'`);
  assert.equal(Number(login), s.now);
});

test('the mail names site, account and validity, in the language asked for; its link leads to the site', async () => {
  const u = await proven();
  is(await send({ email: u.email, emailLang: 'it' }), 200, DONE);
  const m = await mail.mail(u.email, { subject: 'Il tuo link di accesso' });
  assert.match(m.parsed.text, /15 minuti/);
  assert.match(linkIn(m), /^https:\/\/auth\.example\.test\/auth\/ui\/magic-link\/verify\?token=[0-9a-f]{64}$/);
  for (const part of [linkIn(m), u.email]) assert.ok(m.parsed.html.includes(part), part);
  is(await send({ email: u.email, emailLang: '??' }), 200, DONE);
  await mail.mail(u.email, { subject: SUBJECT.magic });
});

test('M6 with short app links it is the path that apps expect', async (t) => {
  const app = await startDelivering({ env: { SALLYPORT_SITE_URLS: 'myapp://auth,https://web.example.test', SALLYPORT_SITE_APP_LINKS: 'short' } });
  t.after(() => app.close());
  const u = await app.s.register(), got = async (headers) => {
    is(await send({ email: u.email }, { headers }, app.s), 200, DONE);
    return linkIn(await app.mail.mail(u.email, { subject: SUBJECT.magic })).slice(0, -64);
  };
  assert.equal(await got({}), 'myapp://auth/magic-link?token=');
  assert.equal(await got({ Origin: 'https://web.example.test' }), 'https://web.example.test/auth/ui/magic-link/verify?token=');
  app.s.env.SALLYPORT_SITE_APP_LINKS = 'full';
  await app.s.restart();
  assert.equal(await got({}), 'myapp://auth/auth/magic-link/verify?token=');
});

test('a code comes alone or beside the link, and of the two one works', async () => {
  const u = await proven();
  const alone = await code(u);
  signedIn(await verify({ email: u.email, code: alone }));
  is(await verify({ email: u.email, code: alone }), 401, BAD, 'used');

  for (const first of ['link', 'code']) {
    is(await send({ email: u.email, type: 'both' }), 200, DONE);
    const m = await mail.mail(u.email, { subject: SUBJECT.magic });
    const ways = { link: { token: tokenIn(m) }, code: { email: u.email, code: mailCodeIn(m) } };
    assert.match(m.parsed.text, /15 minutes[^]*10 minutes/);
    assert.ok(m.parsed.html.includes(ways.code.code));
    signedIn(await verify(ways[first]), ['email'], first);
    for (const way of Object.values(ways)) is(await verify(way), 401, BAD);
  }
  is(await send({ email: u.email, type: 'what' }), 200, DONE);
  tokenIn(await mail.mail(u.email, { subject: SUBJECT.magic }));
});

test('an address is asked for, and 500 comes before everything when there is no mail', async (t) => {
  for (const json of [{}, { email: '' }, { email: null }, { mode: 'login' }, { mode: 'other', tempToken: 'x' }, { type: 'code' }]) is(await send(json), 400, problem('email is required', 'EMAIL_REQUIRED'), JSON.stringify(json));
  is(await s.request('POST', '/auth/magic-link/send'), 400, problem('email is required', 'EMAIL_REQUIRED'));
  for (const json of [{ mode: '2fa' }, { mode: '2fa', tempToken: '' }, { mode: '2fa', tempToken: null, email: 'a@example.test' }]) is(await send(json), 400, NO_HANDLE);
  for (const tempToken of ['x', 'f'.repeat(64)]) is(await send({ mode: '2fa', tempToken }), 401, BAD_HANDLE);
  for (const [json, field, reason] of [[{ email: 7 }, 'email', 'TYPE'], [{ email: 'x'.repeat(1025) }, 'email', 'TOO_LONG'], [{ email: 'a@example.test', mode: [] }, 'mode', 'TYPE'], [{ mode: '2fa', tempToken: 7 }, 'tempToken', 'TYPE'], [{ email: 'a@example.test', type: 7 }, 'type', 'TYPE']]) {
    const r = await send(json);
    assert.deepEqual([r.status, r.json.code, r.json.fields], [400, 'VALIDATION_ERROR', [{ field, reason }]]);
  }

  const none = await Server.start();
  t.after(() => none.close());
  for (const json of [{}, { email: freshEmail() }, { mode: '2fa' }, { mode: '2fa', tempToken: 'x' }]) is(await send(json, {}, none), 500, problem('Email not configured', 'EMAIL_NOT_CONFIGURED'));
});

test('BF11 F-19 known, unknown, disabled and malformed addresses are answered in the same bytes', async () => {
  const known = await s.register(), disabled = await s.register();
  await s.cliOk(['user', 'disable', disabled.email]);
  const shapes = new Set();
  for (const type of ['link', 'code', 'both'])
    for (const email of [known.email, freshEmail('nobody'), disabled.email, 'no address', 'x'.repeat(1024)]) shapes.add((await send({ email, type })).shape);
  assert.equal(shapes.size, 1);
  await quiet();
  assert.equal(mail.mailsTo(disabled.email).filter((m) => [SUBJECT.magic, SUBJECT.code].includes(m.parsed.subject)).length, 0, 'the disabled one is told nothing');
});

test('EL14 an unknown address makes no account and no secret', async () => {
  const count = () => s.sql('SELECT (SELECT count(*) FROM user), (SELECT count(*) FROM onetime)');
  const before_ = await count(), email = freshEmail('nobody');
  for (const type of ['link', 'code', 'both']) is(await send({ email, type }), 200, DONE);
  is(await verify({ email, code: '000000' }), 401, BAD);
  await quiet();
  assert.deepEqual([await count(), mail.mailsTo(email).length], [before_, 0]);
  await s.register({ email });
});

test('EL13 the mail goes to the stored address, however it was typed', async () => {
  const u = await proven({ email: freshEmail('Kiss') });
  for (const email of [u.email.toUpperCase(), ` ${u.email} `]) {
    is(await send({ email }), 200, DONE);
    assert.deepEqual((await mail.mail(u.email, { subject: SUBJECT.magic })).envelope.to, [u.email]);
  }
  is(await send({ email: u.email.replace('Kiss', '\u212aiss') }), 200, DONE);
  await quiet();
  assert.equal(mailsTo(u, SUBJECT.magic).length, 2);
});

test('mails are bounded for a recipient and a network, known or not, and the answer does not tell', async (t) => {
  const tight = await startDelivering({ env: { SALLYPORT_LIMITS_RESEND: '60s', SALLYPORT_LIMITS_MAIL_PER_10MIN: '3', SALLYPORT_LIMITS_MAIL_NETWORK_PER_HOUR: '8' } });
  t.after(() => tight.close());
  const u = await tight.s.register(), counters = [];
  const sent = async () => {
    await quiet(tight.s);
    return tight.mail.mailsTo(u.email).filter((m) => m.parsed.subject === SUBJECT.magic).length;
  };
  for (const email of [u.email, freshEmail('nobody')]) {
    await tight.s.sql('DELETE FROM attempt');
    for (let i = 0; i < 2; i++) is(await send({ email }, {}, tight.s), 200, DONE);
    for (let i = 0; i < 8; i++) {
      await quiet(tight.s);
      tight.s.advance(61_000);
      is(await send({ email }, {}, tight.s), 200, DONE);
    }
    counters.push(await tight.s.sql('SELECT scope, failures, blocked_ms FROM attempt ORDER BY scope'));
  }
  assert.equal(counters[0], counters[1]);
  assert.equal(await sent(), 3);
});

/* ---- given back ---- */

test('tokens that are none are 401, of the wrong type 400', async () => {
  const u = await proven(), token = await link(u);
  for (const json of [{}, { token: '' }, { token: null }, { token: 'x' }, { token: token.slice(1) }, { token: `${token}0` }, { token: token.toUpperCase() }, { token: 'f'.repeat(64) }, { code: '123456' }, { email: u.email }, { email: u.email, code: '' }, { mode: 'odd', token: 'x' }])
    is(await verify(json), 401, BAD, JSON.stringify(json));
  for (const [json, field] of [[{ token: 7 }, 'token'], [{ token: 'x'.repeat(1025) }, 'token'], [{ email: u.email, code: 123456 }, 'code'], [{ email: u.email, code: '1'.repeat(129) }, 'code'], [{ token, mode: {} }, 'mode'], [{ token, tempToken: [] }, 'tempToken']]) {
    const r = await verify(json);
    assert.deepEqual([r.status, r.json.code, r.json.fields[0].field], [400, 'VALIDATION_ERROR', field]);
  }
  signedIn(await verify({ token }));
});

test('a link is good for fifteen minutes, a code for ten', async () => {
  const u = await proven(), token = await link(u), digits = await (async () => {
    is(await send({ email: u.email, type: 'both' }), 200, DONE);
    const m = await mail.mail(u.email, { subject: SUBJECT.magic });
    return { token: tokenIn(m), code: mailCodeIn(m) };
  })();
  is(await verify({ token }), 401, BAD, 'EL06 a newer one was asked for');
  s.advance(10 * MINUTE);
  is(await verify({ email: u.email, code: digits.code }), 401, BAD);
  s.advance(5 * MINUTE);
  is(await verify({ token: digits.token }), 401, LATE);
  const late = await link(u);
  s.advance(15 * MINUTE - 1);
  signedIn(await verify({ token: late }));
  const code_ = await code(u);
  s.advance(10 * MINUTE - 1);
  signedIn(await verify({ email: u.email, code: code_ }));
});

test('EL06 the newest of all works, in whichever form the others came', async () => {
  const u = await proven(), first = await link(u), second_ = await code(u), third = await link(u);
  is(await verify({ token: first }), 401, BAD);
  is(await verify({ email: u.email, code: second_ }), 401, BAD);
  signedIn(await verify({ token: third }));
});

test('EL07 of fifty uses of a link or a code at once one signs in', async () => {
  const u = await proven();
  for (const json of [{ token: await link(u) }, null]) {
    const body = json ?? { email: u.email, code: await code(u) };
    const answers = await Promise.all(Array.from({ length: 50 }, () => verify(body)));
    assert.equal(answers.filter((r) => r.status === 200).length, 1);
    for (const r of answers) if (r.status !== 200) is(r, 401, BAD);
  }
});

test('a code is looked at five times, the identical repeat of a client not counted', async () => {
  const u = await proven();
  let right = await code(u);
  for (let i = 0; i < 5; i++) is(await verify({ email: u.email, code: wrongCode(right, i) }), 401, BAD);
  is(await verify({ email: u.email, code: right }), 401, BAD, 'used up');
  right = await code(u);
  for (let i = 0; i < 4; i++) for (let k = 0; k < 2; k++) is(await verify({ email: u.email, code: wrongCode(right, i) }), 401, BAD);
  signedIn(await verify({ email: u.email.toUpperCase(), code: right }));
  assert.equal((await eventsOf(u)).filter((e) => e === 'login.failed (email)').length, 14);
});

test('BF11 a code for nobody is refused like a wrong one, after as much that is written', async () => {
  const u = await proven(), right = await code(u), others = [freshEmail('nobody'), 'no address', (await proven()).email];
  const writes = async (email) => {
    const had = await s.metric('store_transactions_total'), r = await verify({ email, code: wrongCode(right) });
    is(r, 401, BAD);
    return [r.shape, (await s.metric('store_transactions_total')) - had];
  };
  await quiet(); // the sender writes too
  const known = await writes(u.email);
  for (const email of others) assert.deepEqual(await writes(email), known, email);
});

test('BF16 wrong codes count against a network as wrong links do', async (t) => {
  const tight = await startDelivering({ env: { SALLYPORT_LIMITS_BAD_TOKENS: '6' } });
  t.after(() => tight.close());
  const u = await tight.s.register();
  is(await send({ email: u.email, type: 'code' }, {}, tight.s), 200, DONE);
  const right = mailCodeIn(await tight.mail.mail(u.email, { subject: SUBJECT.code }));
  for (const email of [u.email, freshEmail('nobody')]) { // the count must not tell them apart
    for (let i = 0; i < 6; i++) is(await verify({ email, code: wrongCode(right, i) }, {}, tight.s), 401, BAD);
    const r = await verify({ email, code: wrongCode(right, 7) }, {}, tight.s);
    assert.deepEqual([r.status, r.json.code], [429, 'RATE_LIMITED'], r.text);
    assert.equal((await verify({ token: 'f'.repeat(64) }, {}, tight.s)).status, 429);
    tight.s.advance(10 * MINUTE);
  }
});

test('a code is good for its address only, and a disabled account\'s for nothing', async () => {
  const a = await proven(), b = await proven(), forA = await code(a);
  const forB = await code(b);
  if (forA !== forB) is(await verify({ email: b.email, code: forA }), 401, BAD);
  signedIn(await verify({ email: a.email, code: forA }));
  const token = await link(a), digits = await code(b);
  await s.cliOk(['user', 'disable', a.email]);
  await s.cliOk(['user', 'disable', b.email]);
  is(await verify({ token }), 401, BAD);
  is(await verify({ email: b.email, code: digits }), 401, BAD);
});

test('EL06 a changed password and a changed address end what was mailed before', async () => {
  const u = { ...(await proven()) }, other = freshEmail('new');
  Object.assign(u, await s.signIn(u));
  const before_ = await link(u);
  assert.equal((await s.post('/auth/change-password', { currentPassword: u.password, newPassword: 'quite another phrase 7' }, { token: u.accessToken })).status, 200);
  is(await verify({ token: before_ }), 401, BAD);
  const old = await link(u);
  assert.equal((await s.post('/auth/change-email/request', { newEmail: other }, { token: u.accessToken })).status, 200);
  assert.equal((await s.post('/auth/change-email/confirm', { token: tokenIn(await mail.mail(other, { subject: SUBJECT.emailChange })) })).status, 200);
  is(await verify({ token: old }), 401, BAD);
});

test('EL01 EL02 a browser that opens the link gets a page, and the link is still good', async () => {
  const u = await proven(), token = await link(u);
  const r = await s.get(`/auth/magic-link/verify?token=${token}`, { headers: { Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate' } });
  assert.deepEqual([r.status, r.headers.location], [302, `/auth/ui/magic-link/verify?token=${token}`]);
  for (let i = 0; i < 20; i++) for (const path of ['/auth', '/auth/ui']) await s.request(i % 2 ? 'HEAD' : 'GET', `${path}/magic-link/verify?token=${token}`, { headers: { 'User-Agent': 'SafeLinks' } });
  signedIn(await verify({ token }));
});

/* ---- addresses never proven ---- */

test('a sign-in by mail proves the address, and verification.mode is no obstacle', async (t) => {
  for (const mode of ['none', 'lazy', 'strict']) {
    const one = await startDelivering({ env: { SALLYPORT_VERIFICATION_MODE: mode } });
    t.after(() => one.close());
    const u = await one.s.register(), r = signedIn(await verify({ token: await link(u, {}, one) }, {}, one.s));
    assert.equal(claimsOf(r.accessToken).isEmailVerified, true);
    assert.equal((await one.s.me(r.accessToken)).json.isEmailVerified, true);
  }
});

/* What somebody who does not own the address can put into an account of it. */
async function planted() {
  const u = await withPhone(s, await s.signedIn());
  const id = await s.sql(`SELECT id FROM user WHERE email = '${u.email}'`), newEmail = freshEmail('pending');
  await s.sql(`UPDATE user SET totp_pending = x'02', totp_pending_ms = 1 WHERE id = ${id}; INSERT INTO linked_account (provider, account_id, user_id, linked_ms) VALUES ('evil', '${id}', ${id}, 1);`);
  assert.equal((await s.post('/auth/change-email/request', { newEmail }, { token: u.accessToken })).status, 200);
  u.pending = tokenIn(await mail.mail(newEmail, { subject: SUBJECT.emailChange }));
  return { ...u, row: id };
}

const left = (id) => s.sql(`SELECT password_hash IS NULL, phone, totp, totp_pending, (SELECT count(*) FROM recovery WHERE user_id = user.id), (SELECT count(*) FROM linked_account WHERE user_id = user.id), (SELECT count(*) FROM onetime WHERE user_id = user.id), (SELECT count(*) FROM session WHERE user_id = user.id), email_verified FROM user WHERE id = ${id}`);

for (const way of ['link', 'code'])
  test(`EL15 the first sign-in by a mailed ${way} wipes what was planted in an account never proven`, async () => {
    const u = await planted();
    const r = signedIn(await verify(way === 'link' ? { token: await link(u) } : { email: u.email, code: await code(u) }));
    assert.equal(await left(u.row), '1||||0|0|0|1|1');
    assert.equal((await s.me(u.accessToken)).status, 401);
    assert.equal((await s.refresh(u.refreshToken)).json.code, 'SESSION_REVOKED');
    assert.equal((await s.login(u.email, u.password)).status, 401);
    assert.equal((await s.post('/auth/change-email/confirm', { token: u.pending })).status, 400);
    assert.deepEqual((await s.me(r.accessToken)).json.hasPassword, false);
    assert.deepEqual(r.removed, ['password', 'phoneNumber', 'linkedAccounts', 'sessions'], 'and it says so');

    const again = signedIn(await verify({ token: await link(u) }));
    assert.equal((await s.me(r.accessToken)).status, 200, 'from then on nothing is wiped');
    assert.equal((await s.me(again.accessToken)).status, 200);
  });

test('EL15 a reset wipes the same, and neither wipes an account that was proven', async () => {
  const u = await planted(), password = 'quite another phrase 7';
  assert.equal((await s.post('/auth/forgot-password', { email: u.email })).status, 200);
  assert.equal((await s.post('/auth/reset-password', { token: tokenIn(await mail.mail(u.email, { subject: SUBJECT.reset })), password })).status, 200);
  assert.equal(await left(u.row), '0||||0|0|0|0|1');
  const v = await withPhone(s, await proven());
  signedIn(await verify({ token: await link(v) }));
  assert.equal(await s.sql(`SELECT phone, password_hash IS NOT NULL FROM user WHERE email = '${v.email}'`), `${v.number}|1`);
});

/* ---- as second factor ---- */

for (const way of ['link', 'code'])
  test(`a mailed ${way} is the second factor after a password`, async () => {
    const u = await withSecond(s, await proven()), tempToken = await handleOf(s, u);
    const secret = await second[way](u, tempToken), body = { mode: '2fa', tempToken, [way === 'link' ? 'token' : 'code']: secret };
    const r = signedIn(await verify(body), ['pwd', 'email', 'mfa']);
    assert.equal((await s.me(r.accessToken)).json.email, u.email);
    assert.equal((await verify(body)).status, 401);
    assert.deepEqual((await eventsOf(u)).slice(1), ['factor.asked (pwd)', 'login.link_sent (email, second factor)', 'login.ok (pwd email mfa)']);
  });

test('2fa mode asks for a live handle before anything else', async () => {
  const u = await withSecond(s, await proven()), tempToken = await handleOf(s, u), token = await second.link(u, tempToken);
  for (const rest of [{ token }, { code: '123456' }, {}]) {
    is(await verify({ mode: '2fa', ...rest }), 400, NO_HANDLE);
    is(await verify({ mode: '2fa', tempToken: '', ...rest }), 400, NO_HANDLE);
    is(await verify({ mode: '2fa', tempToken: 'f'.repeat(64), ...rest }), 401, BAD_HANDLE);
  }
  for (const bad of [undefined, '', 'x', 'f'.repeat(64)]) is(await verify({ mode: '2fa', tempToken, token: bad }), 401, BAD);
  s.advance(5 * MINUTE);
  is(await verify({ mode: '2fa', tempToken, token }), 401, BAD_HANDLE);
  is(await send({ mode: '2fa', tempToken }), 401, BAD_HANDLE);
});

test('F-04 MF14 a link or code of the second factor is no first factor, and the other way round', async () => {
  const u = await withSecond(s, await proven()), tempToken = await handleOf(s, u);
  const first = await link(u), forSecond = await second.link(u, tempToken);
  is(await verify({ token: forSecond }), 401, BAD);
  is(await verify({ token: forSecond, mode: 'login', tempToken }), 401, BAD);
  is(await verify({ mode: '2fa', tempToken, token: first }), 401, BAD);
  const firstCode = await code(u), secondCode = await second.code(u, tempToken);
  if (firstCode !== secondCode) {
    is(await verify({ email: u.email, code: secondCode }), 401, BAD);
    is(await verify({ mode: '2fa', tempToken, code: firstCode }), 401, BAD);
  }
  signedIn(await verify({ mode: '2fa', tempToken, code: secondCode }), ['pwd', 'email', 'mfa']);
  is(await verify({ mode: '2fa', tempToken, token: forSecond }), 401, BAD_HANDLE, 'a handle ends with its use');
});

test('F-47 a link of another handle is a mismatch and lives on', async () => {
  const a = await withSecond(s, await proven()), b = await withSecond(s, await proven());
  const ofA = await handleOf(s, a), ofB = await handleOf(s, b), token = await second.link(a, ofA);
  const mismatch = problem('Token mismatch', 'TOKEN_MISMATCH');
  is(await verify({ mode: '2fa', tempToken: ofB, token }), 401, mismatch, 'of another user');
  is(await verify({ mode: '2fa', tempToken: await handleOf(s, a), token }), 401, mismatch, 'of another sign-in of the same user');
  signedIn(await verify({ mode: '2fa', tempToken: ofA, token }), ['pwd', 'email', 'mfa']);
  const digits = await second.code(b, ofB);
  is(await verify({ mode: '2fa', tempToken: await handleOf(s, b), code: digits }), 401, BAD, 'nor does a code of another sign-in');
});

test('MF04 who signed in by mail is not offered mail again, and cannot force it', async () => {
  const u = await withSecond(s, await withPhone(s, await proven()));
  const r = await verify({ token: await link(u) });
  assert.deepEqual([r.status, r.json.requiresTwoFactor, r.json.available2faMethods, r.json.accessToken], [200, true, ['sms'], undefined]);
  const { tempToken } = r.json;
  s.note(tempToken);
  is(await send({ mode: '2fa', tempToken }), 401, BAD_HANDLE);
  is(await verify({ mode: '2fa', tempToken, token: await second.link(u, await handleOf(s, u)) }), 401, problem('Token mismatch', 'TOKEN_MISMATCH'));
  is(await verify({ mode: '2fa', tempToken, code: '123456' }), 401, BAD_HANDLE);
});

test('MF04 a mailed link is one factor: who must have two and has no other sets one up', async () => {
  const u = await withSecond(s, await proven()), r = await verify({ token: await link(u) });
  assert.deepEqual([r.status, r.json.code, r.json.requires2FASetup, r.json.accessToken], [403, '2FA_SETUP_REQUIRED', true, undefined]);
});

test('MF05 mail is offered as second factor only while the setting is on, and never to administrators', async (t) => {
  const off = await startDelivering({ env: { SALLYPORT_TWOFACTOR_MAGIC_LINK: 'false' } });
  t.after(() => off.close());
  const u = await withSecond(off.s, await withPhone(off.s, await off.s.register()));
  const r = await off.s.login(u.email, u.password);
  assert.deepEqual(r.json.available2faMethods, ['sms']);
  is(await send({ mode: '2fa', tempToken: r.json.tempToken }, {}, off.s), 401, BAD_HANDLE);
  off.s.note(r.json.tempToken);

  const admin = await s.admin(), number = freshNumber();
  await s.sql(`UPDATE user SET phone = '${number}', require_2fa = 1 WHERE email = '${admin.email}'`);
  const asked = await s.login(admin.email, admin.password);
  assert.deepEqual(asked.json.available2faMethods, ['sms']);
  is(await send({ mode: '2fa', tempToken: asked.json.tempToken }), 401, BAD_HANDLE);
});

test('MF05 a link that was mailed before the setting changed is refused afterwards', async (t) => {
  const one = await startDelivering({ env: { SALLYPORT_TWOFACTOR_MAGIC_LINK: 'true' } });
  t.after(() => one.close());
  const u = await withSecond(one.s, await withPhone(one.s, await one.s.register())), tempToken = await handleOf(one.s, u);
  const token = await link(u, { email: undefined, mode: '2fa', tempToken }, one);
  one.s.env.SALLYPORT_TWOFACTOR_MAGIC_LINK = 'false';
  await one.s.restart();
  is(await verify({ mode: '2fa', tempToken, token }, {}, one.s), 401, BAD_HANDLE);
});

test('MF08 five wrong codes end the handle, the identical repeat of a client not counted', async () => {
  const u = await withSecond(s, await proven());
  let tempToken = await handleOf(s, u), right = await second.code(u, tempToken);
  for (let i = 0; i < 4; i++) for (let k = 0; k < 2; k++) is(await verify({ mode: '2fa', tempToken, code: wrongCode(right, i) }), 401, BAD);
  signedIn(await verify({ mode: '2fa', tempToken, code: right }), ['pwd', 'email', 'mfa']);
  tempToken = await handleOf(s, u);
  right = await second.code(u, tempToken);
  for (let i = 0; i < 5; i++) is(await verify({ mode: '2fa', tempToken, code: wrongCode(right, i) }), 401, BAD);
  is(await verify({ mode: '2fa', tempToken, code: right }), 401, BAD_HANDLE);
  is(await send({ mode: '2fa', tempToken, type: 'code' }), 401, BAD_HANDLE);
  assert.equal((await eventsOf(u)).filter((e) => e === 'factor.failed (email)').length, 13);
});

test('EL07 of fifty second factors at once one signs in', async () => {
  const u = await withSecond(s, await proven());
  for (const way of ['link', 'code']) {
    const tempToken = await handleOf(s, u), secret = await second[way](u, tempToken);
    const body = { mode: '2fa', tempToken, [way === 'link' ? 'token' : 'code']: secret };
    const answers = await Promise.all(Array.from({ length: 50 }, () => verify(body)));
    assert.equal(answers.filter((r) => r.status === 200).length, 1, way);
    for (const r of answers) if (r.status !== 200) assert.ok(r.status === 401 && ['INVALID_MAGIC_LINK', 'INVALID_TEMP_TOKEN'].includes(r.json.code), r.text);
  }
});

test('a second factor is not mailed to a disabled account, nor after its deletion', async () => {
  const a = await withSecond(s, await proven()), b = await withSecond(s, await proven());
  const ofA = await handleOf(s, a), ofB = await handleOf(s, b), token = await second.link(a, ofA);
  await s.cliOk(['user', 'disable', a.email]);
  await s.sql(`DELETE FROM user WHERE email = '${b.email}'`);
  is(await send({ mode: '2fa', tempToken: ofA }), 401, BAD_HANDLE);
  is(await verify({ mode: '2fa', tempToken: ofA, token }), 401, BAD_HANDLE);
  assert.equal((await send({ mode: '2fa', tempToken: ofB })).status, 401);
});

test('a sign-in by mail that fails half-way changes nothing, and its link still works', async () => {
  const u = await s.signedIn(), token = await link(u);
  for (let n = 1; n < 80; n++) { // each store call fails once
    s.control.set('STORE_FAIL_CODE', ERR.ERR_STORE);
    s.control.set('STORE_FAIL_AT', n);
    const r = await verify({ token });
    s.control.calm();
    if (r.status === 200) return assert.ok(n > 8, `${n} calls`);
    assert.equal((await s.me(u.accessToken)).status, 200, `after ${n} calls`);
  }
  assert.fail('it never got through');
});

test('MF15 links and codes stand in no answer, no log line and no audit row', async () => {
  const u = await proven(), secrets = [];
  is(await send({ email: u.email, type: 'both' }), 200, DONE);
  const m = await mail.mail(u.email, { subject: SUBJECT.magic });
  secrets.push(tokenIn(m), mailCodeIn(m));
  signedIn(await verify({ email: u.email, code: secrets[1] }));
  await withSecond(s, u);
  const tempToken = await handleOf(s, u);
  secrets.push(await second.link(u, tempToken), await second.code(u, tempToken));
  const r = signedIn(await verify({ mode: '2fa', tempToken, code: secrets[3] }), ['pwd', 'email', 'mfa']);
  const log = s.lines.map((l) => l.text.replace(/":-?\d+/g, '":0').replace(/"(request_id|ts)":"[^"]*"/g, '')).join('\n');
  const audit = await s.sql("SELECT event || ' ' || coalesce(detail, '') || ' ' || coalesce(ip, '') FROM audit");
  const exported = (await s.get('/auth/export', { token: r.accessToken })).text.replace(/"(exportedAt|createdAt|expiresAt|lastLogin|lastActiveAt|lastActive|at|id|userId|sessionHandle|handle|email|address)":"[^"]*"/g, '');
  for (const secret of secrets) for (const text of [log, audit, exported]) assert.ok(!text.includes(secret), `${secret} in ${text.slice(0, 300)}`);
});
