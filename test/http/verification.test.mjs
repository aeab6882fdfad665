// verification.test.mjs — proving an e-mail address: links, the three modes, and who may open a link without
// consuming it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Mailed, RESET, VERIFY, WELCOME, refusal } from '../lib/mailed.mjs';
import { DAY, freshEmail, freshPassword, HOUR, MINUTE } from '../lib/server.mjs';

const GRACE = 3 * DAY;
const NOT_VERIFIED = [403, 'EMAIL_NOT_VERIFIED', 'Email address is not verified'];
const UNKNOWN = [400, 'INVALID_VERIFICATION_TOKEN', 'Invalid verification token'];
let none, lazy, strict;

before(async () => {
  none = await Mailed.start();
  const start = (mode) => Mailed.start({ sink: none.sink, env: { SALLYPORT_VERIFICATION_MODE: mode, SALLYPORT_VERIFICATION_GRACE: '3d' } });
  [lazy, strict] = [await start('lazy'), await start('strict')];
});
after(async () => {
  await strict.close();
  await lazy.close();
  await none.close();
});

const send = (m, body, options) => m.s.post('/auth/send-verification-email', body, options);
const confirm = (m, token) => m.s.post('/auth/verify-email', { token });
const isVerified = (m, email) => m.s.sql(`SELECT email_verified FROM user WHERE email_key = '${email.toLowerCase()}'`).then((v) => v === '1');

/* A new account and the link it was mailed. */
async function pending(m, over) {
  const u = await m.s.register(over);
  return { ...u, token: await m.token(u.email, VERIFY) };
}

/* ---- strict ---- */

test('strict: sign up, be refused, ask for the mail again, verify, sign in', async () => {
  const u = await strict.s.register();
  const first = await strict.link(u.email, VERIFY);
  assert.equal(first.url, 'https://auth.example.test/auth/ui/verify-email');
  assert.deepEqual(refusal(await strict.s.login(u.email, u.password)), NOT_VERIFIED);
  strict.s.advance(61_000);
  const r = await send(strict, { email: u.email });
  assert.deepEqual([r.status, r.json], [200, { success: true }]);
  const again = await strict.token(u.email, VERIFY);
  assert.deepEqual(refusal(await confirm(strict, first.token)), UNKNOWN, 'the newer link ends the older one');
  const done = await confirm(strict, again);
  assert.deepEqual([done.status, done.json], [200, { success: true }]);
  const { accessToken } = await strict.s.signIn(u);
  assert.equal((await strict.s.me(accessToken)).json.isEmailVerified, true);
});

test('strict: a refused sign-in mails the link again, at most once a minute', async () => {
  const u = await strict.s.register();
  for (let i = 0; i < 3; i++) assert.deepEqual(refusal(await strict.s.login(u.email, u.password)), NOT_VERIFIED);
  assert.deepEqual(await strict.subjects(u.email), [VERIFY]);
  strict.s.advance(61_000);
  for (let i = 0; i < 3; i++) await strict.s.login(u.email, u.password);
  assert.deepEqual(await strict.subjects(u.email), [VERIFY, VERIFY]);
  await strict.token(u.email, VERIFY);
  assert.equal((await confirm(strict, await strict.token(u.email, VERIFY))).status, 200);
});

test('strict: who has the wrong password learns nothing about the address, and no mail is sent', async () => {
  const u = await strict.s.register();
  strict.s.advance(61_000);
  const wrong = await strict.s.login(u.email, 'wrong-wrong-wrong'), unknown = await strict.s.login(freshEmail(), 'wrong-wrong-wrong');
  assert.equal(wrong.status, 401);
  assert.equal(wrong.shape, unknown.shape);
  assert.deepEqual(await strict.subjects(u.email), [VERIFY]);
});

test('strict: turned away twenty times with the right password, a user is not locked out', async () => {
  const u = await pending(strict);
  for (let i = 0; i < 20; i++) assert.deepEqual(refusal(await strict.s.login(u.email, u.password)), NOT_VERIFIED);
  assert.equal((await confirm(strict, u.token)).status, 200);
  await strict.s.signIn(u);
});

test('strict: a password reset proves the address as well', async () => {
  const u = await pending(strict);
  await strict.s.post('/auth/forgot-password', { email: u.email });
  const password = freshPassword();
  assert.equal((await strict.s.post('/auth/reset-password', { token: await strict.token(u.email, RESET), password })).status, 200);
  await strict.s.signIn({ ...u, password });
  assert.deepEqual(refusal(await confirm(strict, u.token)), UNKNOWN, 'the link of before is gone');
});

/* ---- POST /send-verification-email ---- */

test('asking for the mail by address answers the same whoever has it', async () => {
  const unproven = await strict.s.register(), proven = await strict.verified(), off = await strict.s.register();
  await strict.s.cliOk(['user', 'disable', off.email]);
  strict.s.advance(61_000);
  const bodies = [unproven.email, proven.email, off.email, freshEmail(), 'not an address', 'a@b', 'x'.repeat(1000), '\u017f@example.test'].map((email) => ({ email }));
  const shapes = new Set();
  for (const body of bodies) shapes.add((await send(strict, body)).shape);
  assert.equal(shapes.size, 1);
  assert.deepEqual(await strict.subjects(unproven.email), [VERIFY, VERIFY]);
  assert.deepEqual(await strict.subjects(proven.email), [VERIFY, WELCOME]);
  assert.deepEqual(await strict.subjects(off.email), [VERIFY]);
});

test('asking for the mail without a token and without an address is refused like any call without a token', async () => {
  for (const body of [undefined, {}, { email: '' }])
    assert.deepEqual(refusal(await send(strict, body)), [403, 'NO_ACCESS_TOKEN', 'No access token provided'], JSON.stringify(body));
  assert.deepEqual(refusal(await send(strict, { email: freshEmail() }, { token: 'x.y.z' })), [401, 'INVALID_ACCESS_TOKEN', 'Invalid or expired access token']);
});

test('a body that is not what it should be is told, and sends nothing', async () => {
  const u = await strict.s.register();
  strict.s.advance(61_000);
  for (const [body, field, reason] of [[{ email: null }, 'email', 'TYPE'], [{ email: 7 }, 'email', 'TYPE'], [{ email: [u.email] }, 'email', 'TYPE'], [{ email: { $ne: null } }, 'email', 'TYPE'],
    [{ email: u.email, emailLang: 7 }, 'emailLang', 'TYPE'], [{ email: 'x'.repeat(1025) }, 'email', 'TOO_LONG']]) {
    const r = await send(strict, body);
    assert.deepEqual([r.status, r.json.code, r.json.fields], [400, 'VALIDATION_ERROR', [{ field, reason }]], JSON.stringify(body));
  }
  assert.deepEqual(await strict.subjects(u.email), [VERIFY]);
});

test('signed in, one asks for oneself: with or without a body, whatever address it names', async () => {
  const u = await lazy.s.signedIn(), other = await lazy.s.register();
  lazy.s.advance(61_000);
  assert.deepEqual((await lazy.s.request('POST', '/auth/send-verification-email', { token: u.accessToken })).json, { success: true });
  lazy.s.advance(61_000);
  assert.equal((await send(lazy, { email: other.email }, { token: u.accessToken })).status, 200);
  assert.deepEqual(await lazy.subjects(u.email), [VERIFY, VERIFY, VERIFY]);
  assert.deepEqual(await lazy.subjects(other.email), [VERIFY]);
});

test('signed in, more asking than the budget allows is 200 and sends nothing', async () => {
  const u = await none.s.signedIn();
  for (let i = 0; i < 5; i++) assert.equal((await send(none, {}, { token: u.accessToken })).status, 200);
  assert.deepEqual(await none.subjects(u.email), [WELCOME, VERIFY]);
});

test('who is verified is told so', async () => {
  const u = await strict.verified();
  assert.deepEqual(refusal(await send(strict, {}, { token: u.accessToken })), [400, 'EMAIL_ALREADY_VERIFIED', 'Email is already verified']);
});

test('without a mail transport the signed-in caller is told, and nobody else', async (t) => {
  const m = await Mailed.start({ sink: none.sink, env: { SALLYPORT_MAIL_TRANSPORT: 'none' } });
  t.after(() => m.close());
  const u = await m.s.signedIn();
  assert.deepEqual(refusal(await send(m, {}, { token: u.accessToken })), [500, 'EMAIL_NOT_CONFIGURED', 'Email not configured']);
  assert.equal((await send(m, { email: u.email })).status, 200);
});

/* ---- /verify-email ---- */

test('a link works once, for a day, and for nothing else', async () => {
  const a = await pending(strict), b = await pending(strict);
  assert.equal((await confirm(strict, a.token)).status, 200);
  assert.deepEqual(refusal(await confirm(strict, a.token)), UNKNOWN);
  strict.s.advance(DAY - 1);
  assert.equal((await strict.s.get(`/auth/verify-email?token=${b.token}`)).status, 200, 'in its last moment');
  const c = await pending(strict);
  strict.s.advance(DAY);
  for (let i = 0; i < 2; i++) assert.deepEqual(refusal(await confirm(strict, c.token)), [400, 'VERIFICATION_TOKEN_EXPIRED', 'Verification token has expired']);
  assert.equal(await isVerified(strict, c.email), false);
});

test('a token of another purpose is unknown here, and stays good where it belongs', async () => {
  const u = await pending(strict);
  await strict.s.post('/auth/forgot-password', { email: u.email });
  const reset = await strict.token(u.email, RESET), password = freshPassword();
  assert.deepEqual(refusal(await confirm(strict, reset)), UNKNOWN);
  for (const path of ['/auth/change-email/confirm', '/auth/change-email/revert'])
    assert.equal((await strict.s.post(path, { token: u.token })).status, 400);
  assert.deepEqual(refusal(await strict.s.post('/auth/reset-password', { token: u.token, password })), [400, 'INVALID_RESET_TOKEN', 'Invalid reset token']);
  assert.equal((await confirm(strict, u.token)).status, 200);
  assert.equal((await strict.s.post('/auth/reset-password', { token: reset, password })).status, 200);
});

test('what is no token is refused by POST and by GET alike', async () => {
  const REQUIRED = [400, 'TOKEN_REQUIRED', 'Token is required'];
  for (const body of [undefined, {}, { token: '' }]) assert.deepEqual(refusal(await strict.s.post('/auth/verify-email', body)), REQUIRED, JSON.stringify(body));
  for (const token of [null, 7, {}, [], true]) {
    const r = await confirm(strict, token);
    assert.deepEqual([r.status, r.json.code, r.json.fields], [400, 'VALIDATION_ERROR', [{ field: 'token', reason: 'TYPE' }]]);
  }
  for (const token of ['x', '0'.repeat(63), '0'.repeat(64), '0'.repeat(65), 'x'.repeat(1024)])
    assert.deepEqual(refusal(await confirm(strict, token)), UNKNOWN, token);
  for (const [token, reason] of [['x'.repeat(1025), 'TOO_LONG'], ['x\u0000y', 'INVALID']]) assert.deepEqual((await confirm(strict, token)).json.fields, [{ field: 'token', reason }]);
  for (const query of ['', '?', '?token', '?token=', '?tok=x', '?TOKEN=x']) assert.deepEqual(refusal(await strict.s.get(`/auth/verify-email${query}`)), REQUIRED, query);
  for (const query of ['?token=x', `?token=${'0'.repeat(64)}`, '?token=%00', '?a=b&token=x']) assert.deepEqual(refusal(await strict.s.get(`/auth/verify-email${query}`)), UNKNOWN, query);
});

test('a token given twice is a bad request and consumes nothing', async () => {
  const u = await pending(strict);
  for (const query of [`token=${u.token}&token=${u.token}`, `token=${u.token}&token=`, `token=x&a=b&token=${u.token}`])
    assert.deepEqual(refusal(await strict.s.get(`/auth/verify-email?${query}`)), [400, 'BAD_REQUEST', 'Bad request']);
  assert.equal((await confirm(strict, u.token)).status, 200);
});

test('of fifty uses at once one wins, and one welcome is sent', async () => {
  const u = await pending(strict);
  const get = () => strict.s.get(`/auth/verify-email?token=${u.token}`);
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => (i % 2 ? get() : confirm(strict, u.token))));
  assert.equal(answers.filter((r) => r.status === 200).length, 1);
  for (const r of answers.filter((one) => one.status !== 200)) assert.deepEqual(refusal(r), UNKNOWN);
  assert.deepEqual(await strict.subjects(u.email), [VERIFY, WELCOME]);
});

test('the link of a disabled or deleted account is unknown', async () => {
  const off = await pending(strict), gone = await pending(strict);
  await strict.s.cliOk(['user', 'disable', off.email]);
  await strict.s.cliOk(['user', 'delete', gone.email]);
  assert.deepEqual(refusal(await confirm(strict, off.token)), UNKNOWN);
  assert.deepEqual(refusal(await confirm(strict, gone.token)), UNKNOWN);
  assert.equal(await isVerified(strict, off.email), false);
});

test('wrong tokens from one network are limited, and then a right one waits too', async (t) => {
  const m = await Mailed.start({ sink: none.sink, env: { SALLYPORT_VERIFICATION_MODE: 'strict', SALLYPORT_LIMITS_BAD_TOKENS: '5' } });
  t.after(() => m.close());
  const u = await pending(m);
  for (let i = 0; i < 5; i++) assert.deepEqual(refusal(await confirm(m, `${i}`.repeat(64))), UNKNOWN);
  for (const r of [await confirm(m, u.token), await m.s.get(`/auth/verify-email?token=${u.token}`)])
    assert.deepEqual(refusal(r), [429, 'RATE_LIMITED', 'Too many requests, please try again later.']);
  m.s.advance(HOUR + MINUTE);
  assert.equal((await confirm(m, u.token)).status, 200);
});

/* ---- who opens the link ---- */

const CHROME = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36';
const PAGES = [
  ['GET', { 'User-Agent': CHROME, Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document', 'Sec-Fetch-Site': 'cross-site' }],
  ['GET', { 'User-Agent': CHROME.replace('Chrome', 'HeadlessChrome'), Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate' }],
  ['GET', { 'User-Agent': 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.6 Safari/605.1.15', Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' }],
  ['GET', { 'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0', Accept: 'text/html,application/xhtml+xml', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-User': '?1' }],
  ['GET', { 'User-Agent': 'Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; WOW64; Trident/6.0; SafeLinks)', Accept: 'text/html, */*' }],
  ['GET', { 'User-Agent': 'Barracuda Sentinel (EE)', Accept: 'text/html' }],
  ['GET', { 'User-Agent': 'Slackbot-LinkExpanding 1.0 (+https://api.slack.example/robots)', Accept: 'application/xhtml+xml;q=0.9 , TEXT/HTML ; q=0.8' }],
  ['GET', { 'User-Agent': 'facebookexternalhit/1.1', Accept: '*/*', 'Sec-Fetch-Mode': 'navigate' }],
  ['GET', { 'User-Agent': 'Proofpoint URL Defense', Accept: 'application/json, text/html;q=0.1' }],
  ['GET', { Accept: 'text/html;charset=utf-8' }],
  ['GET', { 'Sec-Fetch-Mode': 'navigate' }],
  ['GET', { 'Sec-Fetch-Mode': 'Navigate', Accept: 'application/json' }],
  ['HEAD', {}],
  ['HEAD', { Accept: '*/*' }],
  ['HEAD', { Accept: 'application/json' }],
  ['HEAD', { 'User-Agent': 'Mimecast-URL-Protect/1.0' }],
  ['HEAD', { 'User-Agent': 'curl/8.9.1', Accept: '*/*' }],
  ['HEAD', { 'User-Agent': 'Dart/3.5 (dart:io)', 'Content-Type': 'application/json' }],
  ['HEAD', { 'User-Agent': CHROME, Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate' }],
  ['HEAD', { 'User-Agent': 'Microsoft Office Existence Discovery' }],
];
const PROGRAMS = [
  ['Dart', { 'User-Agent': 'Dart/3.5 (dart:io)', 'Accept-Encoding': 'gzip', 'Content-Type': 'application/json' }],
  ['curl', { 'User-Agent': 'curl/8.9.1', Accept: '*/*' }],
  ['one without any header', {}],
  ['fetch of a page', { 'User-Agent': CHROME, Accept: 'application/json', 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty', 'Sec-Fetch-Site': 'same-origin' }],
  ['Angular', { 'User-Agent': CHROME, Accept: 'application/json, text/plain, */*', 'Sec-Fetch-Mode': 'cors' }],
  ['one that accepts nothing', { Accept: '' }],
  ['one that only speaks of HTML', { Accept: 'application/json;profile="text/html"', 'User-Agent': 'text/html' }],
];

test('EL01 browsers and mail scanners that open a link twenty times consume nothing; the user then does', async () => {
  const u = await pending(strict);
  assert.equal(PAGES.length, 20);
  for (const [method, headers] of PAGES) {
    const r = await strict.s.request(method, `/auth/verify-email?token=${u.token}`, { headers });
    assert.deepEqual([r.status, r.headers.location, r.headers.vary], [302, `/auth/ui/verify-email?token=${u.token}`, 'Accept'], JSON.stringify(headers));
    assert.equal((await strict.s.request(method, r.headers.location, { headers })).headers['content-type'], 'text/html; charset=utf-8');
    assert.equal(await isVerified(strict, u.email), false, JSON.stringify(headers));
  }
  assert.equal((await confirm(strict, u.token)).status, 200);
});

test('EL01 the page says nothing about the token, and never stores it', async () => {
  const u = await pending(strict), gone = '0'.repeat(64), headers = { Accept: 'text/html' };
  const nonceless = (r) => r.text.replaceAll(/nonce="[^"]*"/g, '');
  const pages = [];
  for (const query of [`?token=${u.token}`, `?token=${gone}`, '', `?token=${gone}&token=${gone}`]) pages.push(nonceless(await strict.s.get(`/auth/ui/verify-email${query}`, { headers })));
  assert.equal(new Set(pages).size, 1);
  assert.ok(!pages[0].includes(u.token));
});

test('EL03 programs that ask for JSON, or do not say, verify with a GET as ever', async () => {
  for (const [name, headers] of PROGRAMS) {
    const u = await pending(strict);
    const r = await strict.s.get(`/auth/verify-email?token=${u.token}`, { headers });
    assert.deepEqual([r.status, r.text, r.headers['content-type']], [200, '{"success":true}', 'application/json; charset=utf-8'], name);
    assert.equal(await isVerified(strict, u.email), true, name);
    assert.deepEqual(refusal(await strict.s.get(`/auth/verify-email?token=${u.token}`, { headers })), UNKNOWN, name);
  }
});

/* ---- lazy and none ---- */

test('lazy: an account works unproven until its grace is over, is then refused, and works again when proven', async () => {
  const u = await lazy.s.register();
  const { accessToken } = await lazy.s.signIn(u);
  assert.equal((await lazy.s.me(accessToken)).json.isEmailVerified, false);
  lazy.s.advance(GRACE);
  await lazy.s.signIn(u);
  lazy.s.advance(1);
  assert.deepEqual(refusal(await lazy.s.login(u.email, u.password)), [403, 'EMAIL_VERIFICATION_REQUIRED', 'Email verification required']);
  await lazy.token(u.email, VERIFY);
  assert.equal((await confirm(lazy, await lazy.token(u.email, VERIFY))).status, 200, 'the refused sign-in mailed a new link');
  await lazy.s.signIn(u);
});

test('lazy: accounts from before, and those an operator made, have no deadline', async (t) => {
  const m = await Mailed.start({ sink: none.sink });
  t.after(() => m.close());
  const old = await m.s.register(), password = freshPassword(), email = freshEmail();
  m.s.env.SALLYPORT_VERIFICATION_MODE = 'lazy';
  m.s.env.SALLYPORT_VERIFICATION_GRACE = '1h';
  await m.s.restart();
  await m.s.cliOk(['user', 'create', '--email', email, '--password-stdin'], { input: `${password}\n` });
  const fresh = await m.s.register();
  m.s.advance(400 * DAY);
  await m.s.signIn(old);
  await m.s.signIn({ email, password });
  assert.equal((await m.s.login(fresh.email, fresh.password)).json.code, 'EMAIL_VERIFICATION_REQUIRED');
});

test('none: an unproven address never matters, and can be proven all the same', async () => {
  const u = await none.s.register();
  assert.deepEqual(await none.subjects(u.email), [WELCOME]); // sent before it is too old to be
  none.s.advance(400 * DAY);
  const { accessToken } = await none.s.signIn(u);
  assert.equal((await send(none, {}, { token: accessToken })).status, 200);
  assert.equal((await confirm(none, await none.token(u.email, VERIFY))).status, 200);
  assert.equal((await none.s.me(accessToken)).json.isEmailVerified, true);
  assert.deepEqual(await none.subjects(u.email), [WELCOME, VERIFY], 'no second welcome');
});

test('the welcome comes at sign-up when no proof is asked, else with the first proof', async () => {
  const a = await none.s.register(), b = await pending(lazy), c = await pending(strict);
  assert.deepEqual(await none.subjects(a.email), [WELCOME]);
  for (const [m, u] of [[lazy, b], [strict, c]]) {
    assert.deepEqual(await m.subjects(u.email), [VERIFY]);
    assert.equal((await confirm(m, u.token)).status, 200);
    assert.deepEqual(await m.subjects(u.email), [VERIFY, WELCOME]);
  }
  const mail = await none.sink.mail(a.email, { subject: WELCOME });
  assert.match(mail.parsed.text, /https:\/\/auth\.example\.test\/auth\/ui\/login\b/);
  assert.ok(!mail.raw.includes(a.password));
});

test('a mail server that is down refuses nobody: the mail follows', async (t) => {
  const m = await Mailed.start({ env: { SALLYPORT_VERIFICATION_MODE: 'strict' } });
  t.after(() => m.close());
  await m.sink.refuse();
  const u = await m.s.register();
  assert.equal((await send(m, { email: u.email })).status, 200);
  await m.sink.listen();
  assert.equal((await confirm(m, await m.lateToken(u.email, VERIFY))).status, 200);
});

/* ---- languages ---- */

const SUBJECTS = {
  en: VERIFY, it: 'Verifica il tuo indirizzo email', de: 'Bestätigen Sie Ihre E-Mail-Adresse',
  fr: 'Confirmez votre adresse e-mail', es: 'Confirme su dirección de correo electrónico',
};

test('emailLang chooses the language of the mail; one that is unknown or nonsense falls back', async () => {
  const rows = [...Object.entries(SUBJECTS), ['de-AT', SUBJECTS.de], ['IT', SUBJECTS.it], ['xx', VERIFY], ['', VERIFY], [null, VERIFY], [undefined, VERIFY],
    ['../../etc', VERIFY], ["de' OR 1=1", VERIFY], ['x'.repeat(64), VERIFY]];
  for (const [emailLang, subject] of rows) {
    const u = await strict.s.register({ emailLang });
    assert.equal((await strict.sink.mail(u.email)).parsed.subject, subject, JSON.stringify(emailLang));
    strict.s.advance(61_000);
    await send(strict, { email: u.email, emailLang: 'fr' });
    assert.equal((await strict.sink.mail(u.email)).parsed.subject, SUBJECTS.fr);
  }
});

test('EL18 an emailLang with control characters is refused', async () => {
  for (const emailLang of ['d\u0000e', 'de\r\nBcc: a@b.test', 'de\n']) {
    const r = await strict.s.post('/auth/register', { email: freshEmail(), password: freshPassword(), emailLang });
    assert.deepEqual([r.status, r.json.fields], [400, [{ field: 'emailLang', reason: 'INVALID' }]]);
  }
});

test('the language of the registration is that of all later mails to the user', async () => {
  const u = await strict.s.register({ emailLang: 'de' });
  assert.equal((await confirm(strict, await strict.token(u.email, SUBJECTS.de))).status, 200);
  await strict.sink.mail(u.email, { subject: 'Willkommen! Ihr Konto wurde angelegt' });
  await strict.s.post('/auth/forgot-password', { email: u.email });
  await strict.sink.mail(u.email, { subject: 'Setzen Sie Ihr Passwort zurück' });
});

test('asked for by somebody who is not signed in, a language is that of one mail only', async () => {
  const u = await strict.s.register({ emailLang: 'de' });
  strict.s.advance(61_000);
  await send(strict, { email: u.email, emailLang: 'it' });
  await strict.sink.mail(u.email, { subject: SUBJECTS.it });
  strict.s.advance(61_000);
  await strict.s.login(u.email, u.password);
  await strict.sink.mail(u.email, { subject: SUBJECTS.de });
});

test('mail.default_lang is for users who never chose, and for languages nobody knows', async (t) => {
  const m = await Mailed.start({ sink: none.sink, env: { SALLYPORT_VERIFICATION_MODE: 'strict', SALLYPORT_MAIL_DEFAULT_LANG: 'it' } });
  t.after(() => m.close());
  for (const [emailLang, subject] of [[undefined, SUBJECTS.it], ['xx', SUBJECTS.it], ['en', SUBJECTS.en], ['fr', SUBJECTS.fr]]) {
    const u = await m.s.register({ emailLang });
    assert.equal((await m.sink.mail(u.email)).parsed.subject, subject, emailLang);
  }
});

test('the link leads to the site that asked, and only to one that is listed', async (t) => {
  const m = await Mailed.start({ sink: none.sink, env: { SALLYPORT_VERIFICATION_MODE: 'strict', SALLYPORT_SITE_URLS: 'https://app.example.test,https://other.example.test,myapp://auth', SALLYPORT_SITE_APP_LINKS: 'short' } });
  t.after(() => m.close());
  const rows = [[{}, 'https://app.example.test/auth/ui'], [{ Origin: 'https://other.example.test' }, 'https://other.example.test/auth/ui'],
    [{ Referer: 'https://other.example.test/sign/up?x=1' }, 'https://other.example.test/auth/ui'], [{ Origin: 'myapp://auth' }, 'myapp://auth'],
    [{ Origin: 'https://evil.test' }, 'https://app.example.test/auth/ui'], [{ Origin: 'https://other.example.test.evil.test' }, 'https://app.example.test/auth/ui']];
  for (const [headers, site] of rows) {
    const email = freshEmail();
    assert.equal((await m.s.post('/auth/register', { email, password: freshPassword() }, { headers, strategy: 'bearer' })).status, 201);
    assert.equal((await m.link(email, VERIFY)).url, `${site}/verify-email`, JSON.stringify(headers));
  }
});
