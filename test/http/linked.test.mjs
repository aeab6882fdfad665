// linked.test.mjs — accounts elsewhere that are linked to one here: asked for, proven, listed, unlinked.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { withTotp } from '../lib/authenticator.mjs';
import { codeIn, freshNumber } from '../lib/delivery.mjs';
import { LINKING, Mailed, refusal, RESET, VERIFY } from '../lib/mailed.mjs';
import { claimsOf, freshEmail, freshPassword, HOUR, MINUTE, Server } from '../lib/server.mjs';
import { HttpSink } from '../lib/sms_sink.mjs';

const LINKED = 'An account was linked to yours', UNLINKED = 'An account is no longer linked to yours';
const DONE = { success: true };
let m, s, gateway;

before(async () => {
  gateway = await HttpSink.start();
  m = await Mailed.start({ env: { ...gateway.env('http-post'), SALLYPORT_GUEST_ENABLED: 'true', SALLYPORT_GUEST_PER_HOUR: '1000000', SALLYPORT_LIMITS_RESEND: '0s' } });
  s = m.s;
});
after(async () => {
  await m.close();
  await gateway.close();
});

const request = (u, body, options = {}) => s.post('/auth/link-request', body, { token: u?.accessToken, ...options });
const verify = (token, more = {}, options = {}) => s.post('/auth/link-verify', { token, ...more }, options);
const list = async (u) => (await s.get('/auth/linked-accounts', { token: u.accessToken })).json.linkedAccounts;
const unlink = (u, provider, id, options = {}) => s.request('DELETE', `/auth/linked-accounts/${encodeURIComponent(provider)}/${encodeURIComponent(id)}`, { token: u.accessToken, ...options });
const rowId = (u) => s.sql(`SELECT id FROM user WHERE hex(uid) = '${u.id.replaceAll('-', '').toUpperCase()}'`);
const plant = async (u, provider, id, email = 'NULL') => s.sql(`INSERT INTO linked_account (provider, account_id, user_id, email, linked_ms) VALUES ('${provider}', '${id}', ${await rowId(u)}, ${email}, ${s.now})`);
const eventsOf = async (u) => (await s.sql(`SELECT event FROM audit WHERE hex(user_uid) = '${u.id.replaceAll('-', '').toUpperCase()}' ORDER BY id`)).split('\n');

async function guest() {
  const { json } = await s.request('POST', '/auth/guest', { strategy: 'bearer' });
  return { ...json, id: json.userId };
}

/* Asked for and read: the token that the address was mailed. */
async function asked(u, email = freshEmail('linked'), more = {}) {
  const r = await request(u, { email, ...more });
  assert.deepEqual([r.status, r.json], [200, DONE], r.text);
  return { email, token: await m.token(email, LINKING) };
}

async function linked(u, email) {
  const a = await asked(u, email);
  assert.deepEqual((await verify(a.token)).json, DONE);
  return a.email;
}

/* ---- linked ---- */

test('an address is linked once the mailed link came back, and the account\'s own address hears of it', async () => {
  const u = await s.signedIn();
  assert.deepEqual(await list(u), []);
  const { email, token } = await asked(u, `Ada-${freshEmail('x')}`);
  assert.deepEqual(await list(u), [], 'nothing before that');
  const r = await verify(token);
  assert.deepEqual([r.status, r.json], [200, DONE]);
  assert.deepEqual(await list(u), [{ provider: 'email', providerAccountId: email.toLowerCase(), email, linkedAt: new Date(s.now).toISOString() }]);
  const mail = await m.sink.mail(u.email, { subject: LINKED });
  assert.ok(mail.parsed.text.includes(email) && mail.parsed.text.includes(u.email));
  assert.deepEqual((await eventsOf(u)).slice(-2), ['account.link_sent', 'account.linked']);
  assert.equal((await s.me(u.accessToken)).json.email, u.email, 'the account\'s address stays');
});

test('ID09 the mail names the address that is to be linked, and its page only shows a button', async () => {
  const u = await s.signedIn(), email = freshEmail('named');
  await request(u, { email });
  const { mail, url, token } = await m.link(email, LINKING);
  assert.ok(mail.parsed.text.includes(`${email} is to be linked`), mail.parsed.text);
  assert.match(url, /\/auth\/ui\/link-verify$/);
  for (let i = 0; i < 2; i++) {
    const page = await s.get(`/auth/ui/link-verify?token=${token}`, { headers: { Accept: 'text/html' } });
    assert.deepEqual([page.status, page.headers['content-type'], page.headers['referrer-policy']], [200, 'text/html; charset=utf-8', 'no-referrer']);
  }
  assert.deepEqual(await list(u), [], 'opening it links nothing');
  assert.equal((await verify(token)).status, 200);
});

test('the mail comes in the language asked for', async () => {
  const u = await s.signedIn(), email = freshEmail('lang');
  await request(u, { email, emailLang: 'de' });
  assert.equal((await m.sink.mail(email)).parsed.subject, 'Bestätigen Sie eine weitere Anmeldemethode');
});

test('other providers\' names are taken and link no more than the address', async () => {
  const u = await s.signedIn(), { email, token } = await asked(u, undefined, { provider: 'google' });
  assert.equal((await verify(token, { provider: 'google' })).status, 200);
  assert.deepEqual((await list(u)).map((x) => [x.provider, x.providerAccountId]), [['email', email]]);
});

test('the same address again is no error; a second token ends the first', async () => {
  const u = await s.signedIn(), email = await linked(u);
  assert.equal(await linked(u, email), email);
  assert.equal((await list(u)).length, 1);
  const a = await asked(u), b = await asked(u);
  assert.deepEqual(refusal(await verify(a.token)), [400, 'INVALID_LINK_TOKEN', 'Invalid account-link token']);
  assert.equal((await verify(b.token)).status, 200);
});

test('of fifty parallel uses of one link one links', async () => {
  const u = await s.signedIn(), { token } = await asked(u);
  const all = await Promise.all(Array.from({ length: 50 }, () => verify(token)));
  assert.equal(all.filter((r) => r.status === 200).length, 1);
  for (const r of all.filter((x) => x.status !== 200)) assert.deepEqual(refusal(r).slice(0, 2), [400, 'INVALID_LINK_TOKEN']);
  assert.equal((await list(u)).length, 1);
  assert.equal((await eventsOf(u)).filter((e) => e === 'account.linked').length, 1);
});

test('an address that is linked to somebody else, or is somebody\'s own, is refused, and the link stays where it is', async () => {
  const a = await s.signedIn(), b = await s.signedIn(), email = await linked(a);
  const { token } = await asked(b, email);
  assert.deepEqual(refusal(await verify(token)), [409, 'ACCOUNT_ALREADY_LINKED', 'That account is linked to somebody else']);
  assert.deepEqual([(await list(a)).length, await list(b)], [1, []]);
  const own = await asked(b, a.email);
  assert.equal((await verify(own.token)).status, 409);
  assert.deepEqual(await list(b), []);
});

test('of two who want one address at once one gets it', async () => {
  const a = await s.signedIn(), b = await s.signedIn(), email = freshEmail('both');
  const first = await asked(a, email), second = await asked(b, email);
  const all = await Promise.all([first, second].map((x) => verify(x.token)));
  assert.deepEqual(all.map((r) => r.status).sort(), [200, 409]);
  assert.equal((await list(a)).length + (await list(b)).length, 1);
});

test('one\'s own address may be linked', async () => {
  const u = await s.signedIn();
  await linked(u, u.email);
  assert.equal((await list(u))[0].email, u.email);
});

/* ---- refused ---- */

test('what is missing, malformed or long is refused by name', async () => {
  const u = await s.signedIn();
  for (const body of [{}, { email: '' }]) assert.deepEqual(refusal(await request(u, body)), [400, 'EMAIL_REQUIRED', 'email is required']);
  assert.deepEqual(refusal(await request(undefined, {})), [400, 'EMAIL_REQUIRED', 'email is required']);
  for (const [body, field, reason] of [[{ email: null }, 'email', 'TYPE'], [{ email: 7 }, 'email', 'TYPE'], [{ email: 'x' }, 'email', 'INVALID'], [{ email: `${'x'.repeat(1100)}@a.test` }, 'email', 'TOO_LONG'],
    [{ email: freshEmail(), provider: 'Google' }, 'provider', 'INVALID'], [{ email: freshEmail(), provider: '' }, 'provider', 'INVALID'], [{ email: freshEmail(), provider: 'a'.repeat(33) }, 'provider', 'INVALID'], [{ email: freshEmail(), provider: 'a'.repeat(65) }, 'provider', 'TOO_LONG'], [{ email: freshEmail(), provider: [] }, 'provider', 'TYPE']]) {
    const r = await request(u, body);
    assert.deepEqual([r.status, r.json.code, r.json.fields], [400, 'VALIDATION_ERROR', [{ field, reason }]], r.text);
  }
});

test('a link token that is none, used, expired, or made for something else is refused', async () => {
  const u = await s.signedIn();
  for (const body of [{}, { token: '' }]) assert.deepEqual(refusal(await s.post('/auth/link-verify', body)), [400, 'TOKEN_REQUIRED', 'token is required']);
  for (const token of ['x', 'f'.repeat(64), 'f'.repeat(65)]) assert.deepEqual(refusal(await verify(token)), [400, 'INVALID_LINK_TOKEN', 'Invalid account-link token']);
  for (const [body, reason] of [[{ token: null }, 'TYPE'], [{ token: 7 }, 'TYPE'], [{ token: 'x'.repeat(1025) }, 'TOO_LONG']])
    assert.deepEqual((await s.post('/auth/link-verify', body)).json.fields, [{ field: 'token', reason }]);
  await s.post('/auth/send-verification-email', {}, { token: u.accessToken });
  assert.equal((await verify(await m.token(u.email, VERIFY))).json.code, 'INVALID_LINK_TOKEN');
  const { token } = await asked(u);
  assert.equal((await s.post('/auth/verify-email', { token })).json.code, 'INVALID_VERIFICATION_TOKEN');
  assert.equal((await s.post('/auth/reset-password', { token, password: freshPassword() })).json.code, 'INVALID_RESET_TOKEN');
  s.advance(HOUR);
  assert.deepEqual(refusal(await verify(token)), [400, 'LINK_TOKEN_EXPIRED', 'Account-link token has expired']);
  assert.equal(await s.sql(`SELECT count(*) FROM linked_account WHERE user_id = ${await rowId(u)}`), '0');
});

test('a link that names no address links nothing', async () => {
  const u = await s.signedIn(), { token } = await asked(u);
  await s.sql(`UPDATE onetime SET address = '' WHERE user_id = ${await rowId(u)} AND purpose = 14`);
  assert.deepEqual(refusal(await verify(token)), [400, 'INVALID_STATE', 'No pending email found for this link token']);
});

test('loginAfterLinking is true or false and nothing that only looks like it', async () => {
  const u = await s.signedIn(), { token } = await asked(u);
  for (const loginAfterLinking of ['true', 'false', 1, 0, null, [], {}, '']) {
    const r = await verify(token, { loginAfterLinking }, { strategy: 'bearer' });
    assert.deepEqual([r.status, r.json.code, r.json.fields], [400, 'VALIDATION_ERROR', [{ field: 'loginAfterLinking', reason: 'TYPE' }]], JSON.stringify(loginAfterLinking));
  }
  assert.deepEqual((await verify(token, { loginAfterLinking: false })).json, DONE);
});

test('without mail there is nothing to link by', async (t) => {
  const one = await Server.start();
  t.after(() => one.close());
  const u = await one.signedIn();
  assert.deepEqual(refusal(await one.post('/auth/link-request', { email: freshEmail() }, { token: u.accessToken })), [500, 'EMAIL_NOT_CONFIGURED', 'Email not configured']);
});

test('BF15 without a sign-in every request to link is refused alike, whoever the address belongs to', async () => {
  const u = await s.signedIn(), shapes = new Set();
  for (const body of [{ email: u.email }, { email: freshEmail() }, { email: u.email, provider: 'google' }, { email: 'no address' }, { email: u.email, provider: 'No Name' }]) {
    const r = await request(undefined, body);
    assert.deepEqual(refusal(r), [401, 'UNAUTHORIZED', 'Authentication required or no pending link found']);
    shapes.add(r.shape);
  }
  assert.equal(shapes.size, 1);
  assert.deepEqual(refusal(await request({ accessToken: 'junk' }, { email: u.email })).slice(0, 2), [401, 'INVALID_ACCESS_TOKEN']);
  assert.equal(await s.sql(`SELECT count(*) FROM onetime WHERE user_id = ${await rowId(u)}`), '0');
});

test('over the budgets of mails nothing is sent, and the answer is the same', async (t) => {
  const one = await Mailed.start({ sink: m.sink, env: { SALLYPORT_LIMITS_MAIL_PER_10MIN: '2', SALLYPORT_LIMITS_RESEND: '0s' } });
  t.after(() => one.close());
  const u = await one.s.signedIn(), email = freshEmail('flood');
  for (let i = 0; i < 5; i++) assert.deepEqual((await one.s.post('/auth/link-request', { email }, { token: u.accessToken })).json, DONE);
  assert.deepEqual(await one.subjects(email), [LINKING, LINKING]);
});

/* ---- who is there ---- */

test('ID08 linking needs a sign-in not older than ten minutes, or the password again', async () => {
  const u = await s.signedIn();
  s.advance(10 * MINUTE + 1);
  assert.deepEqual(refusal(await request(u, { email: freshEmail() })).slice(0, 2), [403, 'REAUTH_REQUIRED']);
  assert.deepEqual(refusal(await request(u, { email: freshEmail(), currentPassword: 'wrong wrong wrong' })).slice(0, 2), [401, 'CURRENT_PASSWORD_INCORRECT']);
  assert.equal(await s.sql(`SELECT count(*) FROM onetime WHERE user_id = ${await rowId(u)}`), '0');
  await asked({ ...u }, freshEmail(), { currentPassword: u.password });
});

test('ID08 a link is bound to the account that asked: whoever else is signed in where it is opened', async () => {
  const a = await s.signedIn(), b = await s.signedIn(), { token } = await asked(a);
  assert.equal((await verify(token, {}, { token: b.accessToken })).status, 200);
  assert.deepEqual([(await list(a)).length, await list(b)], [1, []]);
});

test('ID08 a link asked for before the password changed links nothing after', async () => {
  const u = await s.signedIn(), { token } = await asked(u);
  await s.post('/auth/change-password', { currentPassword: u.password, newPassword: freshPassword() }, { token: u.accessToken });
  assert.equal((await verify(token)).json.code, 'INVALID_LINK_TOKEN');
});

/* ---- and signing in ---- */

test('ID10 loginAfterLinking signs in as whoever asked', async () => {
  const u = await s.signedIn(), { token } = await asked(u);
  const r = await verify(token, { loginAfterLinking: true }, { strategy: 'bearer' });
  assert.equal(r.status, 200);
  const c = claimsOf(r.json.accessToken);
  assert.deepEqual([r.json.success, c.sub, c.amr, typeof r.json.refreshToken], [true, u.id, ['fed'], 'string']);
  assert.equal((await list({ accessToken: r.json.accessToken })).length, 1);
});

test('MF03 ID10 who has a second factor is asked for it after a link too', async () => {
  const u = await m.s.signedIn();
  await s.sql(`UPDATE user SET totp = randomblob(48), require_2fa = 1 WHERE id = ${await rowId(u)}`);
  const { token } = await asked(u);
  const r = await verify(token, { loginAfterLinking: true }, { strategy: 'bearer' });
  assert.deepEqual([r.status, r.json.requiresTwoFactor, r.json.accessToken, r.json.available2faMethods], [200, true, undefined, ['totp']]);
  assert.equal((await list(u)).length, 1, 'linked it is');
});

test('MF03 mail to a linked address is no second factor of the account\'s own mail', async () => {
  const u = await s.signedIn();
  await s.sql(`UPDATE user SET require_2fa = 1 WHERE id = ${await rowId(u)}`);
  const { token } = await asked(u);
  const r = await verify(token, { loginAfterLinking: true }, { strategy: 'bearer' });
  assert.deepEqual([r.json.requires2FASetup, r.json.available2faMethods], [true, []], 'with the default settings no mail is');
});

test('ID10 an account whose address must be proven first is not opened by a link', async (t) => {
  const strict = await Mailed.start({ sink: m.sink, env: { SALLYPORT_VERIFICATION_MODE: 'strict' } });
  t.after(() => strict.close());
  const u = await strict.verified(), email = freshEmail('linked');
  await strict.s.post('/auth/link-request', { email }, { token: u.accessToken });
  const token = await strict.token(email, LINKING);
  await strict.s.sql('UPDATE user SET email_verified = 0');
  const r = await strict.s.post('/auth/link-verify', { token, loginAfterLinking: true }, { strategy: 'bearer' });
  assert.deepEqual(refusal(r), [403, 'EMAIL_NOT_VERIFIED', 'Email address is not verified']);
  assert.equal(await strict.s.sql('SELECT count(*) FROM linked_account'), '0', 'a refusal changes nothing');
  assert.deepEqual((await strict.s.post('/auth/link-verify', { token })).json, DONE);
});

test('ID07 whoever is reached at the never proven address of an account gets it without what was planted there', async () => {
  const victim = freshEmail('victim'), planted = await s.signedIn({ email: victim }), phoneNumber = freshNumber();
  await s.post('/auth/add-phone', { phoneNumber }, { token: planted.accessToken });
  await s.post('/auth/add-phone/verify', { code: codeIn(await gateway.sms(phoneNumber)) }, { token: planted.accessToken });
  await linked(planted, freshEmail('attacker'));
  const { token } = await asked(planted, victim);
  const r = await verify(token, { loginAfterLinking: true }, { strategy: 'bearer' });
  assert.deepEqual([r.status, claimsOf(r.json.accessToken).amr], [200, ['email']], r.text);
  assert.equal((await s.me(planted.accessToken)).json.code, 'SESSION_REVOKED');
  assert.equal((await s.login(victim, planted.password)).status, 401);
  const me = (await s.me(r.json.accessToken)).json;
  assert.deepEqual([me.sub, me.isEmailVerified, me.hasPassword, me.phoneNumber, me.isTotpEnabled], [planted.id, true, false, undefined, false]);
  assert.deepEqual((await list(r.json)).map((x) => x.email), [victim]);
  assert.deepEqual(r.json.removed, ['password', 'phoneNumber', 'linkedAccounts', 'sessions']);
});

test('ID07 EL15 MF19 a reset through an address that was never proven removes planted links, unless a second factor stands there; a proven one keeps them', async () => {
  for (const [proven, app] of [[false, false], [false, true], [true, false], [true, true]]) {
    const u = await s.signedIn(), password = freshPassword();
    await linked(u);
    await s.sql(`UPDATE user SET email_verified = ${Number(proven)} WHERE id = ${await rowId(u)}`);
    if (app) await withTotp(s, u);
    await s.post('/auth/forgot-password', { email: u.email });
    assert.equal((await s.post('/auth/reset-password', { token: await m.token(u.email, RESET), password })).status, 200);
    const kept = await s.sql(`SELECT (SELECT count(*) FROM linked_account WHERE user_id = user.id), (SELECT count(*) FROM recovery WHERE user_id = user.id), totp IS NOT NULL FROM user WHERE id = ${await rowId(u)}`);
    assert.equal(kept, `${Number(proven || app)}|${app ? 10 : 0}|${Number(app)}`);
  }
});

test('ID07 linking without signing in takes nothing from anybody', async () => {
  const u = await s.signedIn();
  await linked(u, u.email);
  const me = (await s.me(u.accessToken)).json;
  assert.deepEqual([me.hasPassword, me.isEmailVerified], [true, false]);
});

/* ---- unlinked ---- */

test('ID11 unlinking removes one\'s own, tells the account\'s address, and asks who is there', async () => {
  const u = await s.signedIn(), email = await linked(u), other = await linked(u);
  s.advance(11 * MINUTE);
  assert.deepEqual(refusal(await unlink(u, 'email', email)).slice(0, 2), [403, 'REAUTH_REQUIRED']);
  assert.equal((await list(u)).length, 2);
  assert.deepEqual((await unlink(u, 'email', email, { json: { currentPassword: u.password } })).json, DONE);
  assert.deepEqual((await list(u)).map((x) => x.email), [other]);
  assert.ok((await m.sink.mail(u.email, { subject: UNLINKED })).parsed.text.includes(email));
  assert.equal((await eventsOf(u)).at(-1), 'account.unlinked');
});

test('ID11 nobody unlinks another\'s, and the answer is that for one that is not there', async () => {
  const a = await s.signedIn(), b = await s.signedIn(), email = await linked(a);
  const foreign = await unlink(b, 'email', email), unknown = await unlink(b, 'email', freshEmail());
  assert.deepEqual([foreign.status, foreign.json], [200, DONE]);
  assert.equal(foreign.shape, unknown.shape);
  assert.deepEqual((await list(a)).map((x) => x.email), [email], 'it is still there');
  assert.ok(!(await eventsOf(b)).includes('account.unlinked'));
});

test('ID11 the last way in stays', async () => {
  const g = await guest(), email = await linked(g);
  assert.deepEqual(refusal(await unlink(g, 'email', email)), [409, 'LAST_LOGIN_METHOD', 'Cannot unlink the last sign-in method']);
  assert.equal((await list(g)).length, 1);
  const second = await linked(g);
  assert.equal((await unlink(g, 'email', second)).status, 200);
  assert.equal((await unlink(g, 'email', email)).status, 409);
});

test('ID11 a password, a proven number or a proven address is a way in, each of them', async () => {
  for (const way of ["password_hash = 'x'", "phone = '+393331234567'", 'email_verified = 1']) {
    const u = await s.signedIn();
    await s.sql(`UPDATE user SET password_hash = NULL WHERE id = ${await rowId(u)}`);
    await plant(u, 'google', u.id);
    assert.equal((await unlink(u, 'google', u.id)).status, 409, 'none of them');
    await s.sql(`UPDATE user SET ${way} WHERE id = ${await rowId(u)}`);
    assert.equal((await unlink(u, 'google', u.id)).status, 200, way);
  }
});

test('ID11 of two ways unlinked at once one stays', async () => {
  const g = await guest(), ids = [await linked(g), await linked(g)];
  const all = await Promise.all(ids.map((id) => unlink(g, 'email', id)));
  assert.deepEqual(all.map((r) => r.status).sort(), [200, 409]);
  assert.equal((await list(g)).length, 1);
});

test('segments are decoded once, and what would be another path is refused', async () => {
  const u = await s.signedIn();
  for (const id of ['a b', 'a+b', 'a%40b', '100%', 'é', 'a@b']) {
    await plant(u, 'idp', id);
    assert.equal((await unlink(u, 'idp', id)).status, 200, id);
    assert.equal(await s.sql(`SELECT count(*) FROM linked_account WHERE user_id = ${await rowId(u)}`), '0', id);
  }
  for (const raw of ['a%2Fb', 'a%', 'a%zz', '%00', '%2e%2e']) assert.equal((await s.request('DELETE', `/auth/linked-accounts/idp/${raw}`, { token: u.accessToken })).status, 400, raw);
  assert.equal((await s.request('DELETE', '/auth/linked-accounts/idp', { token: u.accessToken })).status, 404);
});

test('who may: nobody without a token', async () => {
  for (const [method, path] of [['GET', '/auth/linked-accounts'], ['DELETE', '/auth/linked-accounts/email/x']]) {
    assert.deepEqual(refusal(await s.request(method, path)), [403, 'NO_ACCESS_TOKEN', 'No access token provided']);
    assert.deepEqual(refusal(await s.request(method, path, { token: 'junk' })).slice(0, 2), [401, 'INVALID_ACCESS_TOKEN']);
  }
});

/* ---- the whole of an account ---- */

test('ID16 an export lists linked accounts, and a deleted account leaves none', async () => {
  const u = await s.signedIn(), email = await linked(u);
  const { token } = await asked(u);
  const x = (await s.get('/auth/export', { token: u.accessToken })).json;
  assert.deepEqual(x.linkedAccounts.map((l) => [l.provider, l.providerAccountId]), [['email', email]]);
  assert.deepEqual(x.pending.map((p) => p.kind), ['accountLink']);
  await s.request('DELETE', '/auth/account', { token: u.accessToken });
  assert.equal(await s.sql(`SELECT count(*) FROM linked_account WHERE account_id = '${email}'`), '0');
  assert.equal((await verify(token)).json.code, 'INVALID_LINK_TOKEN');
  const v = await s.signedIn();
  await linked(v, email);
});

test('a guest links an address and stays a guest', async () => {
  const g = await guest(), email = await linked(g);
  const me = (await s.me(g.accessToken)).json;
  assert.deepEqual([me.isGuest, me.email, (await list(g))[0].email], [true, '', email]);
  const { token } = await asked(g, email);
  const r = await verify(token, { loginAfterLinking: true }, { strategy: 'bearer' });
  assert.equal(claimsOf(r.json.accessToken).sub, g.id);
});
