// email_change.test.mjs — another address for an account: asked for, confirmed from the new one, undone from
// the old one, and what becomes of sessions and of other people's addresses.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CHANGE, CHANGED, IN_USE, Mailed, RESET, REVERTED, VERIFY, WELCOME, refusal } from '../lib/mailed.mjs';
import { DAY, freshEmail, freshPassword, HOUR, MINUTE } from '../lib/server.mjs';

const UNKNOWN = [400, 'INVALID_EMAIL_CHANGE_TOKEN', 'Invalid email-change token'];
const REVERT_UNKNOWN = [400, 'INVALID_EMAIL_REVERT_TOKEN', 'Invalid email-revert token'];
const TAKEN = [409, 'EMAIL_EXISTS', 'Email address is already in use'];
const NUMBER = '+391234567890';
let m, strict;

before(async () => {
  m = await Mailed.start({ env: { SALLYPORT_SMS_TRANSPORT: 'log', SALLYPORT_SMS_REQUIRE_PROOF: 'false', SALLYPORT_SMS_COUNTRIES: 'any' } });
  strict = await Mailed.start({ sink: m.sink, env: { SALLYPORT_VERIFICATION_MODE: 'strict' } });
});
after(async () => {
  await strict.close();
  await m.close();
});

const ask = (u, newEmail, more = {}, on = m) => on.s.post('/auth/change-email/request', { newEmail, ...more }, { token: u.accessToken });
const confirm = (token, on = m) => on.s.post('/auth/change-email/confirm', { token });
const revert = (token, on = m) => on.s.post('/auth/change-email/revert', { token });
const addressOf = async (u, on = m) => (await on.s.me(u.accessToken)).json.email;

/* Asks for it, and returns the token that was mailed to the new address. */
async function asked(u, newEmail, on = m) {
  const r = await ask(u, newEmail, {}, on);
  assert.deepEqual([r.status, r.json], [200, { success: true }]);
  return on.token(newEmail, CHANGE);
}

/* Changes it; the token for the way back. */
async function changed(u, newEmail, on = m) {
  const old = await addressOf(u, on);
  const r = await confirm(await asked(u, newEmail, on), on);
  assert.deepEqual([r.status, r.json], [200, { success: true }]);
  return on.token(old, CHANGED);
}

/* ---- one's own address, spelt otherwise ---- */

test('the spelling of one\'s own address is changed by the same mail, and nothing ends', async () => {
  for (const on of [m, strict]) {
    const user = on === m ? await m.s.register() : await strict.verified();
    const u = { ...user, ...(await on.s.signIn(user)) }, other = await on.s.signIn(user);
    const to = u.email.replace(/^./, (c) => c.toUpperCase()).replace('example.test', 'Example.TEST');
    assert.notEqual(to, u.email);
    assert.deepEqual(refusal(await ask(u, u.email, {}, on)), TAKEN, 'as it stands there is nothing to do');
    assert.equal((await ask(u, to, {}, on)).status, 200);
    const mailbox = to.toLowerCase().replace('u', 'U'); // the sink writes domains in lower case
    const token = await on.token(mailbox, CHANGE);
    assert.equal(await addressOf(u, on), u.email, 'nothing before the mail came back');
    assert.equal((await confirm(token, on)).status, 200);
    const me = (await on.s.me(u.accessToken)).json;
    assert.deepEqual([me.email, me.isEmailVerified, me.id], [to, true, u.id]);
    assert.equal((await on.s.me(other.accessToken)).status, 200, 'no session ends');
    assert.equal((await on.s.login(u.email, u.password)).status, 200, 'it is the same address to a sign-in');
    assert.deepEqual((await on.subjects(mailbox)).filter((s) => s === CHANGED), [], 'there is no way back to the same mailbox');
    assert.equal(await on.s.sql(`SELECT count(*) FROM user WHERE email_key = '${u.email.toLowerCase()}'`), '1');
  }
});

/* ---- asking and confirming ---- */

test('EL16 the new address confirms, the old one is told with a way back, and other sessions end', async () => {
  const u = await m.s.signedIn(), other = await m.s.signIn(u), to = freshEmail('new');
  await ask(u, to);
  const link = await m.link(to, CHANGE);
  assert.equal(link.url, 'https://auth.example.test/auth/ui/change-email/confirm');
  assert.ok(link.mail.parsed.text.includes(u.email) && link.mail.parsed.text.includes(to));
  assert.equal(await addressOf(u), u.email, 'nothing has changed yet');
  assert.equal((await confirm(link.token)).status, 200);

  const me = (await m.s.me(u.accessToken)).json;
  assert.deepEqual([me.email, me.isEmailVerified, me.id], [to, true, u.id], 'the asking session stays');
  assert.equal((await m.s.me(other.accessToken)).json.code, 'SESSION_REVOKED');
  assert.equal((await m.s.refresh(other.refreshToken)).json.code, 'SESSION_REVOKED');
  assert.equal((await m.s.refresh(u.refreshToken)).status, 200);
  const back = await m.link(u.email, CHANGED);
  assert.equal(back.url, 'https://auth.example.test/auth/ui/change-email/revert');
  assert.ok(back.mail.parsed.text.includes(to) && back.mail.parsed.text.includes('72'));
  assert.equal((await m.s.login(u.email, u.password)).status, 401);
  await m.s.signIn({ ...u, email: to });
  assert.deepEqual(await m.subjects(to), [CHANGE]);
});

test('a link works once, for an hour, and a newer one ends it', async () => {
  const u = await m.s.signedIn(), [a, b, c] = [freshEmail('a'), freshEmail('b'), freshEmail('c')];
  const first = await asked(u, a), second = await asked(u, b);
  assert.deepEqual(refusal(await confirm(first)), UNKNOWN);
  assert.equal((await confirm(second)).status, 200);
  assert.deepEqual(refusal(await confirm(second)), UNKNOWN);
  const third = await asked(u, c);
  m.s.advance(HOUR);
  for (let i = 0; i < 2; i++) assert.deepEqual(refusal(await confirm(third)), [400, 'EMAIL_CHANGE_TOKEN_EXPIRED', 'Email-change token has expired']);
  assert.deepEqual(await m.s.sql(`SELECT email FROM user WHERE email_key = '${b}'`), b);
});

test('of fifty confirmations at once one wins', async () => {
  const u = await m.s.signedIn(), to = freshEmail('new'), token = await asked(u, to);
  const answers = await Promise.all(Array.from({ length: 50 }, () => confirm(token)));
  assert.equal(answers.filter((r) => r.status === 200).length, 1);
  for (const r of answers.filter((one) => one.status !== 200)) assert.deepEqual(refusal(r), UNKNOWN);
  assert.deepEqual(await m.subjects(u.email), [WELCOME, CHANGED]);
});

test('EL16 of two users who confirm the same address at once one gets it, the other is told 409', async () => {
  for (let round = 0; round < 5; round++) {
    const [a, b] = [await m.s.signedIn(), await m.s.signedIn()], to = freshEmail('both');
    const first = await asked(a, to);
    m.s.advance(61_000);
    const second = await asked(b, to.replace('both', 'BOTH'));
    const answers = await Promise.all([confirm(first), confirm(second)]);
    assert.deepEqual(answers.map((r) => r.status).sort(), [200, 409]);
    assert.deepEqual(refusal(answers.find((r) => r.status === 409)), TAKEN);
    const won = answers[0].status === 200;
    assert.equal(await m.s.sql(`SELECT count(*) FROM user WHERE email_key = '${to}'`), '1');
    assert.deepEqual([(await addressOf(a)).toLowerCase(), (await addressOf(b)).toLowerCase()], won ? [to, b.email] : [a.email, to]);
  }
});

test('EL16 an address that was registered between request and confirmation is 409', async () => {
  const u = await m.s.signedIn(), to = freshEmail('new'), token = await asked(u, to);
  await m.s.register({ email: to });
  assert.deepEqual(refusal(await confirm(token)), TAKEN);
  assert.equal(await addressOf(u), u.email);
});

test('a taken address and one\'s own are 409, however they are written', async () => {
  const u = await m.s.signedIn(), other = await m.s.register();
  for (const email of [other.email, other.email.toUpperCase(), ` ${other.email} `, u.email, ` ${u.email}\n`]) assert.deepEqual(refusal(await ask(u, email)), TAKEN, email);
  assert.deepEqual(await m.subjects(other.email), [WELCOME]);
});

test('what is no address is refused before anything is sent', async () => {
  const u = await m.s.signedIn();
  for (const [newEmail, reason] of [[undefined, 'INVALID'], ['', 'INVALID'], ['x', 'INVALID'], ['a@b', 'INVALID'], [7, 'TYPE'], [null, 'TYPE'], [{}, 'TYPE'], ['x'.repeat(1025), 'TOO_LONG']]) {
    const r = await ask(u, newEmail);
    assert.deepEqual([r.status, r.json.code, r.json.fields], [400, 'VALIDATION_ERROR', [{ field: 'newEmail', reason }]], JSON.stringify(newEmail));
  }
  assert.equal((await m.s.request('POST', '/auth/change-email/request', { token: u.accessToken })).status, 400);
});

test('what is no token is refused', async () => {
  for (const [path, unknown] of [['confirm', UNKNOWN], ['revert', REVERT_UNKNOWN]]) {
    const post = (body) => m.s.post(`/auth/change-email/${path}`, body);
    for (const body of [undefined, {}, { token: '' }, { token: 'x' }, { token: '0'.repeat(64) }, { token: 'x'.repeat(1024) }]) assert.deepEqual(refusal(await post(body)), unknown, JSON.stringify(body));
    for (const token of [null, 7, {}, []]) assert.deepEqual((await post({ token })).json.fields, [{ field: 'token', reason: 'TYPE' }]);
    assert.deepEqual((await post({ token: 'x'.repeat(1025) })).json.fields, [{ field: 'token', reason: 'TOO_LONG' }]);
  }
});

test('tokens of other purposes change nothing and stay good', async () => {
  const u = await m.s.signedIn(), to = freshEmail('new');
  await m.s.post('/auth/send-verification-email', {}, { token: u.accessToken });
  await m.s.post('/auth/forgot-password', { email: u.email });
  const verify = await m.token(u.email, VERIFY), reset = await m.token(u.email, RESET), change = await asked(u, to);
  for (const token of [verify, reset]) assert.deepEqual(refusal(await confirm(token)), UNKNOWN);
  for (const token of [verify, reset, change]) assert.deepEqual(refusal(await revert(token)), REVERT_UNKNOWN);
  assert.equal((await m.s.post('/auth/verify-email', { token: change })).status, 400);
  assert.equal((await m.s.post('/auth/reset-password', { token: change, password: freshPassword() })).status, 400);
  assert.equal((await confirm(change)).status, 200);
});

test('without a token of a session nothing is sent', async () => {
  const to = freshEmail();
  assert.deepEqual(refusal(await m.s.post('/auth/change-email/request', { newEmail: to })), [403, 'NO_ACCESS_TOKEN', 'No access token provided']);
  assert.deepEqual(refusal(await m.s.post('/auth/change-email/request', { newEmail: to }, { token: 'x.y.z' })), [401, 'INVALID_ACCESS_TOKEN', 'Invalid or expired access token']);
  assert.deepEqual(await m.subjects(to), []);
});

test('an account without a password is told to set one first', async () => {
  const u = await m.s.signedIn();
  await m.s.sql(`UPDATE user SET password_hash = NULL WHERE email_key = '${u.email}'`);
  const r = await ask(u, freshEmail());
  assert.deepEqual(refusal(r), [403, 'PASSWORD_REQUIRED', 'You must set a password before you can change your email address.']);
});

test('without a mail transport the caller is told', async (t) => {
  const off = await Mailed.start({ sink: m.sink, env: { SALLYPORT_MAIL_TRANSPORT: 'none' } });
  t.after(() => off.close());
  assert.deepEqual(refusal(await ask(await off.s.signedIn(), freshEmail(), {}, off)), [500, 'EMAIL_NOT_CONFIGURED', 'Email not configured']);
});

test('one address is mailed at most once a minute, whoever asks', async () => {
  const [a, b] = [await m.s.signedIn(), await m.s.signedIn()], to = freshEmail('new');
  for (const u of [a, a, b]) assert.equal((await ask(u, to)).status, 200);
  assert.deepEqual(await m.subjects(to), [CHANGE]);
});

test('emailLang chooses the language of the link, the user\'s own that of the notice', async () => {
  const u = await m.s.signedIn({ emailLang: 'fr' }), to = freshEmail('new');
  await ask(u, to, { emailLang: 'de' });
  const token = await m.token(to, 'Bestätigen Sie Ihre neue E-Mail-Adresse');
  assert.equal((await confirm(token)).status, 200);
  await m.sink.mail(u.email, { subject: 'Votre adresse e-mail a été modifiée' });
  const next = freshEmail('next');
  await ask(u, next);
  await m.sink.mail(next, { subject: 'Confirmez votre nouvelle adresse e-mail' });
});

test('a link is shown to browsers and consumed by nobody but a POST', async () => {
  const u = await m.s.signedIn(), to = freshEmail('new'), token = await asked(u, to);
  for (const method of ['GET', 'HEAD'])
    for (const headers of [{}, { Accept: 'text/html' }, { Accept: 'application/json' }]) {
      assert.equal((await m.s.request(method, `/auth/change-email/confirm?token=${token}`, { headers })).status, 302);
      assert.equal((await m.s.request(method, `/auth/ui/change-email/confirm?token=${token}`, { headers })).status, 200);
    }
  assert.equal(await addressOf(u), u.email);
  assert.equal((await confirm(token)).status, 200);
});

test('EL16 a mail server that is down refuses nobody, and a change is told when it is back', async (t) => {
  const own = await Mailed.start();
  t.after(() => own.close());
  const u = await own.s.signedIn(), to = freshEmail('new'), token = await asked(u, to, own);
  await own.sink.refuse();
  assert.equal((await confirm(token, own)).status, 200);
  await own.sink.listen();
  assert.equal((await revert(await own.lateToken(u.email, CHANGED), own)).status, 200);
});

/* ---- who asks: step-up ---- */

test('EL16 a session older than ten minutes is asked for the password, and proves itself with it', async () => {
  const u = await m.s.signedIn();
  m.s.advance(10 * MINUTE);
  await asked(u, freshEmail('in-time'));
  m.s.advance(1);
  const to = freshEmail('new');
  assert.deepEqual(refusal(await ask(u, to)), [403, 'REAUTH_REQUIRED', 'Please sign in again, or send your current password']);
  assert.deepEqual(refusal(await ask(u, to, { currentPassword: '' })), [403, 'REAUTH_REQUIRED', 'Please sign in again, or send your current password']);
  assert.deepEqual(refusal(await ask(u, to, { currentPassword: 'wrong-wrong-wrong' })), [401, 'CURRENT_PASSWORD_INCORRECT', 'Current password is incorrect']);
  assert.deepEqual(await m.subjects(to), []);
  const { accessToken } = (await m.s.refresh(u.refreshToken)).json;
  assert.equal((await ask({ accessToken }, to)).json.code, 'REAUTH_REQUIRED', 'a refresh is no sign-in');
  assert.equal((await ask(u, to, { currentPassword: u.password })).status, 200);
  assert.equal((await confirm(await m.token(to, CHANGE))).status, 200);
  await asked(u, freshEmail('again'));
});

test('EL16 the proof counts for the session that gave it, and for no other', async () => {
  const u = await m.s.signedIn(), other = await m.s.signIn(u);
  m.s.advance(11 * MINUTE);
  assert.equal((await ask(u, freshEmail(), { currentPassword: u.password })).status, 200);
  assert.equal((await ask(other, freshEmail())).json.code, 'REAUTH_REQUIRED');
  await asked(u, freshEmail('new'));
});

test('EL16 passwords guessed here count like those guessed at the door', async () => {
  const u = await m.s.signedIn();
  m.s.advance(11 * MINUTE);
  let r;
  for (let i = 0; i < 6; i++) r = await ask(u, freshEmail(), { currentPassword: `wrong-wrong-${i}` });
  assert.equal(r.status, 429);
  assert.equal((await ask(u, freshEmail(), { currentPassword: u.password })).status, 429);
  assert.equal((await m.s.login(u.email, u.password)).status, 429);
});

/* ---- what ends a pending change ---- */

test('EL17 a pending change dies with a change of the password', async () => {
  const u = await m.s.signedIn(), token = await asked(u, freshEmail('new')), newPassword = freshPassword();
  assert.equal((await m.s.post('/auth/change-password', { currentPassword: u.password, newPassword }, { token: u.accessToken })).status, 200);
  assert.deepEqual(refusal(await confirm(token)), UNKNOWN);
});

test('EL17 a pending change dies with a reset of the password, by mail or by an operator', async () => {
  for (const how of ['mail', 'operator']) {
    const u = await m.s.signedIn(), token = await asked(u, freshEmail('new')), password = freshPassword();
    if (how === 'mail') {
      await m.s.post('/auth/forgot-password', { email: u.email });
      assert.equal((await m.s.post('/auth/reset-password', { token: await m.token(u.email, RESET), password })).status, 200);
    } else {
      await m.s.cliOk(['user', 'set-password', u.email, '--password-stdin'], { input: `${password}\n` });
    }
    assert.deepEqual(refusal(await confirm(token)), UNKNOWN, how);
    await m.s.signIn({ ...u, password });
  }
});

test('EL17 a pending change dies when the present address is verified', async () => {
  const u = await m.s.signedIn(), token = await asked(u, freshEmail('new'));
  await m.s.post('/auth/send-verification-email', {}, { token: u.accessToken });
  assert.equal((await m.s.post('/auth/verify-email', { token: await m.token(u.email, VERIFY) })).status, 200);
  assert.deepEqual(refusal(await confirm(token)), UNKNOWN);
});

test('EL17 a pending change dies when an earlier one is undone', async () => {
  const u = await m.s.signedIn(), back = await changed(u, freshEmail('new')), token = await asked(u, freshEmail('next'));
  assert.equal((await revert(back)).status, 200);
  assert.deepEqual(refusal(await confirm(token)), UNKNOWN);
});

test('EL17 a pending change dies with the account, or sleeps while it is disabled', async () => {
  const u = await m.s.signedIn(), token = await asked(u, freshEmail('new')), off = await m.s.signedIn(), to = freshEmail('off'), asleep = await asked(off, to);
  await m.s.cliOk(['user', 'delete', u.email]);
  await m.s.cliOk(['user', 'disable', off.email]);
  for (const one of [token, asleep]) assert.deepEqual(refusal(await confirm(one)), UNKNOWN);
});

test('EL17 a confirmed change ends the links to the old address', async () => {
  const u = await m.s.signedIn();
  await m.s.post('/auth/forgot-password', { email: u.email });
  await m.s.post('/auth/send-verification-email', {}, { token: u.accessToken });
  const reset = await m.token(u.email, RESET), verify = await m.token(u.email, VERIFY);
  await changed(u, freshEmail('new'));
  assert.equal((await m.s.post('/auth/reset-password', { token: reset, password: freshPassword() })).json.code, 'INVALID_RESET_TOKEN');
  assert.equal((await m.s.post('/auth/verify-email', { token: verify })).json.code, 'INVALID_VERIFICATION_TOKEN');
});

/* ---- the way back ---- */

test('EL16 the owner takes the account back: address, sessions, password and phone number of the intruder are gone', async () => {
  const u = await m.s.signedIn(), back = await changed(u, freshEmail('intruder'));
  assert.equal((await m.s.post('/auth/add-phone', { phoneNumber: NUMBER }, { token: u.accessToken })).status, 200);
  const r = await revert(back);
  assert.deepEqual([r.status, r.json], [200, { success: true }]);
  assert.equal((await m.s.me(u.accessToken)).json.code, 'SESSION_REVOKED');
  assert.equal((await m.s.refresh(u.refreshToken)).json.code, 'SESSION_REVOKED');
  assert.equal((await m.s.login(u.email, u.password)).status, 401, 'the password may be known to somebody else');
  const password = freshPassword(), link = await m.link(u.email, REVERTED);
  assert.equal(link.url, 'https://auth.example.test/auth/ui/reset-password');
  assert.equal((await m.s.post('/auth/reset-password', { token: link.token, password })).status, 200);
  const me = (await m.s.me((await m.s.signIn({ ...u, password })).accessToken)).json;
  assert.deepEqual([me.email, me.id, me.phoneNumber, me.isEmailVerified], [u.email, u.id, undefined, true]);
  assert.deepEqual(refusal(await revert(back)), REVERT_UNKNOWN);
});

test('EL16 a second change does not end the way back from the first', async () => {
  const u = await m.s.signedIn(), first = freshEmail('first'), second = freshEmail('second');
  const back = await changed(u, first), newer = await changed(u, second);
  assert.equal((await revert(back)).status, 200);
  assert.equal(await m.s.sql(`SELECT email FROM user WHERE email_key IN ('${u.email}', '${first}', '${second}')`), u.email);
  assert.deepEqual(refusal(await revert(newer)), REVERT_UNKNOWN, 'nor does the intruder get one of his own');
});

test('EL16 a way back outlives a change of the password by the intruder', async () => {
  const u = await m.s.signedIn(), back = await changed(u, freshEmail('intruder')), newPassword = freshPassword();
  assert.equal((await m.s.post('/auth/change-password', { currentPassword: u.password, newPassword }, { token: u.accessToken })).status, 200);
  assert.equal((await revert(back)).status, 200);
  assert.equal((await m.s.login(u.email, newPassword)).status, 401);
});

test('EL16 the way back is open for 72 hours', async () => {
  const a = await m.s.signedIn(), b = await m.s.signedIn();
  const late = await changed(a, freshEmail('a'));
  m.s.advance(1);
  const inTime = await changed(b, freshEmail('b'));
  m.s.advance(3 * DAY - 1);
  assert.deepEqual(refusal(await revert(late)), [400, 'EMAIL_REVERT_TOKEN_EXPIRED', 'Email-revert token has expired']);
  assert.equal((await revert(inTime)).status, 200);
});

test('EL16 of fifty ways back at once one is gone', async () => {
  const u = await m.s.signedIn(), back = await changed(u, freshEmail('intruder'));
  const answers = await Promise.all(Array.from({ length: 50 }, () => revert(back)));
  assert.equal(answers.filter((r) => r.status === 200).length, 1);
  for (const r of answers.filter((one) => one.status !== 200)) assert.deepEqual(refusal(r), REVERT_UNKNOWN);
  assert.deepEqual(await m.subjects(u.email), [WELCOME, CHANGED, REVERTED]);
});

test('an old address that somebody else has registered meanwhile is not taken from him', async () => {
  const u = await m.s.signedIn(), back = await changed(u, freshEmail('new'));
  const other = await m.s.register({ email: u.email });
  assert.deepEqual(refusal(await revert(back)), TAKEN);
  await m.s.signIn(other);
});

test('EL16 a proven address is kept for its owner while the way back is open, so that nobody can close it', async () => {
  const u = await m.s.signedIn();
  await m.s.sql(`UPDATE user SET email_verified = 1 WHERE email = '${u.email}'`);
  const intruder = await m.s.signedIn(), back = await changed(u, freshEmail('intruder'));
  const sameAddress = { email: u.email.toUpperCase(), password: freshPassword() };
  assert.deepEqual(refusal(await m.s.post('/auth/register', sameAddress)), [409, 'EMAIL_EXISTS', 'Email already registered']);
  const token = await asked(intruder, u.email);
  assert.deepEqual(refusal(await confirm(token)), TAKEN);
  assert.equal((await revert(back)).status, 200);

  const other = await m.s.signedIn();
  await m.s.sql(`UPDATE user SET email_verified = 1 WHERE email = '${other.email}'`);
  await changed(other, freshEmail('new'));
  m.s.advance(3 * DAY + MINUTE);
  await m.s.register({ email: other.email }); // free again
});

/* ---- strict: other people's addresses ---- */

test('BF13 strict: a taken address is answered like a free one, and its owner is told', async () => {
  const u = await strict.verified(), v = await strict.verified(), owner = await strict.verified(), free = freshEmail('free');
  const taken = await ask(u, owner.email, {}, strict), untaken = await ask(v, free, {}, strict);
  assert.equal(taken.status, 200);
  assert.equal(taken.shape, untaken.shape);
  assert.deepEqual((await strict.subjects(owner.email)).slice(2), [IN_USE]);
  const mail = await strict.sink.mail(owner.email, { subject: IN_USE });
  assert.ok(!/token=/.test(mail.parsed.text) && !mail.parsed.text.includes(u.email), 'no link, and not who it was');
  assert.deepEqual((await strict.subjects(u.email)).slice(2), [], 'and the requester hears nothing');
  assert.deepEqual([await addressOf(u, strict), await addressOf(owner, strict)], [u.email, owner.email]);
  await strict.s.signIn(owner);
  assert.deepEqual(refusal(await ask(u, u.email, {}, strict)), TAKEN, 'one\'s own address is no secret');
});

test('BF13 strict: nothing that the requester can look at later tells a taken address from a free one', async () => {
  const owner = await strict.verified(), seen = [];
  for (const address of [owner.email, freshEmail('free')]) {
    const u = await strict.verified(), earlier = await asked(u, freshEmail('earlier'), strict);
    await ask(u, address, {}, strict);
    const { pending, events } = (await strict.s.get('/auth/export', { token: u.accessToken })).json;
    assert.deepEqual(pending.map((p) => [p.kind, p.address]), [['emailChange', address]]);
    seen.push({ events: events.map((e) => [e.event, e.detail]), earlier: refusal(await confirm(earlier, strict)) });
  }
  assert.deepEqual(seen[0], seen[1]);
});

test('BF13 strict: the owner is not flooded, and an address taken meanwhile is told only to who proved it', async () => {
  const owner = await strict.verified();
  for (let i = 0; i < 5; i++) assert.equal((await ask(await strict.verified(), owner.email, {}, strict)).status, 200);
  assert.deepEqual((await strict.subjects(owner.email)).slice(2), [IN_USE]);
  const u = await strict.verified(), to = freshEmail('new'), token = await asked(u, to, strict);
  assert.equal((await strict.s.post('/auth/register', { email: to, password: freshPassword() })).status, 201);
  assert.deepEqual(refusal(await confirm(token, strict)), TAKEN);
});

/* ---- pre-hijacking: whoever registers another's address must be out when its owner takes it over. Merging with
 * a social sign-in, and providers that do not verify, come with social sign-in and are shown there. ---- */

/* The attacker has registered the victim's address; the victim takes the account over by mail. */
async function recover(victim, password) {
  await m.s.post('/auth/forgot-password', { email: victim });
  assert.equal((await m.s.post('/auth/reset-password', { token: await m.token(victim, RESET), password })).status, 200);
  return m.s.signIn({ email: victim, password });
}

test('ID12 unexpired session: the attacker\'s sessions end when the victim recovers the account', async () => {
  const attacker = await m.s.signedIn(), kept = await m.s.signIn(attacker);
  await recover(attacker.email, freshPassword());
  for (const one of [attacker, kept]) {
    assert.equal((await m.s.me(one.accessToken)).json.code, 'SESSION_REVOKED');
    assert.equal((await m.s.refresh(one.refreshToken)).json.code, 'SESSION_REVOKED');
  }
  assert.equal((await m.s.login(attacker.email, attacker.password)).status, 401);
});

test('ID12 trojan identifier: the attacker\'s phone number is gone when the victim recovers the account', async () => {
  const attacker = await m.s.signedIn();
  assert.equal((await m.s.post('/auth/add-phone', { phoneNumber: NUMBER }, { token: attacker.accessToken })).status, 200);
  assert.equal((await m.s.me(attacker.accessToken)).json.phoneNumber, NUMBER);
  const victim = await recover(attacker.email, freshPassword());
  assert.equal((await m.s.me(victim.accessToken)).json.phoneNumber, undefined);
});

test('ID12 unexpired e-mail change: the attacker\'s confirmation is refused after the victim recovered the account', async () => {
  const attacker = await m.s.signedIn(), token = await asked(attacker, freshEmail('attacker'));
  const victim = await recover(attacker.email, freshPassword());
  assert.deepEqual(refusal(await confirm(token)), UNKNOWN);
  assert.equal(await addressOf(victim), attacker.email);
});
