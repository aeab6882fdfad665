// notice.test.mjs — what owners are told of, in which language and how safely; what nobody is told: who has
// an account; and the brake on guessing at many accounts at once.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, test } from 'node:test';
import { routes } from '../lib/routes.mjs';
import { DAY, freshEmail, freshPassword, MINUTE, Server, until } from '../lib/server.mjs';
import { HttpSink } from '../lib/sms_sink.mjs';
import { SmtpSink } from '../lib/smtp_sink.mjs';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';
const EDGE = 'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36 Edg/126.0';
const HOME = '203.0.113.7', AWAY = '198.51.100.9';
const NEW_SIGN_IN = 'New sign-in to your account', AFTER_FAILURES = 'Sign-in to your account after failed attempts';
const LOOSE = { SALLYPORT_SERVER_TRUSTED_PROXIES: '127.0.0.1', SALLYPORT_LIMITS_MAIL_NETWORK_PER_HOUR: '100000', SALLYPORT_LIMITS_SMS_NETWORK_PER_HOUR: '100000' };
let mails, texts, env, s;

before(async () => {
  mails = await SmtpSink.start();
  texts = await HttpSink.start();
  env = { ...LOOSE, ...mails.env, ...texts.env('http-post') };
  s = await Server.start({ env });
});
after(async () => {
  await s.close();
  await mails.close();
  await texts.close();
});

const quiet = (on = s) => until(async () => (await on.sql('SELECT count(*) FROM outbox WHERE dead = 0')) === '0', 'the outbox to be empty');
const at = (ip, agent = FIREFOX, more = {}) => ({ ...more, headers: { 'X-Forwarded-For': ip, 'User-Agent': agent } });
const signIn = async (u, ip, agent, more, on = s) => {
  const r = await on.login(u.email, u.password, at(ip, agent, more));
  assert.equal(r.status, 200, r.text);
  return { ...u, ...r.json };
};
/* Subjects of the mails to an address so far, without the greeting. */
async function told(email, on = s) {
  await quiet(on);
  return mails.mailsTo(email).map((m) => m.parsed.subject).filter((x) => !/^Welcome/.test(x));
}
const tokenIn = (mail, on = s) => {
  const [token] = mail.parsed.text.match(/\b[0-9a-f]{64}\b/);
  on.note(token);
  return token;
};

/* ---- signing in ---- */

test('BF19 a sign-in from a new place is told once, with the program and the coarse address', async () => {
  const u = await s.register();
  await signIn(u, HOME);
  assert.deepEqual(await told(u.email), [], 'the first of all is no news');
  await signIn(u, HOME);
  await signIn(u, '203.0.113.99', FIREFOX.replaceAll('128', '129'));
  assert.deepEqual(await told(u.email), [], 'the same program in the same network');

  s.advance(3 * MINUTE);
  await signIn(u, AWAY, EDGE);
  assert.deepEqual(await told(u.email), [NEW_SIGN_IN]);
  const { parsed } = await mails.mail(u.email, { subject: NEW_SIGN_IN });
  const when = new Date(s.now).toISOString().replace(/T(\d\d:\d\d).*/, ' $1 UTC');
  for (const part of ['Edge', '198.51.100.0', when, u.email]) {
    assert.ok(parsed.text.includes(part), `${part} in ${parsed.text}`);
    assert.ok(parsed.html.includes(part), part);
  }
  assert.ok(!parsed.text.includes(AWAY), 'not the whole address');

  await signIn(u, AWAY, EDGE);
  await signIn(u, HOME);
  assert.deepEqual(await told(u.email), [NEW_SIGN_IN], 'both are known now');
  await signIn(u, HOME, EDGE);
  assert.equal((await told(u.email)).length, 2, 'another program at home');
});

test('BF19 a known device is no news wherever it is, another account\'s token is not one', async () => {
  const u = await s.register(), other = await s.register();
  const { deviceToken } = await signIn(u, HOME);
  const foreign = (await signIn(other, HOME)).deviceToken;
  await signIn(u, AWAY, EDGE, { deviceToken });
  assert.deepEqual(await told(u.email), []);
  await signIn(u, '192.0.2.1', EDGE, { deviceToken: foreign });
  assert.deepEqual(await told(u.email), [NEW_SIGN_IN]);
});

test('BF19 a sign-in after five failures is told with their number, even at home', async () => {
  const u = await s.register();
  await signIn(u, HOME);
  for (let i = 0; i < 4; i++) await s.login(u.email, `wrong wrong ${i}`, at(AWAY));
  await signIn(u, HOME);
  assert.deepEqual(await told(u.email), [], 'four are a forgetful owner');
  for (let i = 0; i < 5; i++) assert.equal((await s.login(u.email, `wrong wrong ${i}`, at(AWAY))).status, 401);
  s.advance(1000);
  assert.equal((await s.login(u.email, 'wrong wrong 5', at(AWAY))).status, 401);
  s.advance(2000);
  await signIn(u, AWAY);
  assert.deepEqual(await told(u.email), [AFTER_FAILURES], 'one mail, not two');
  const { parsed } = await mails.mail(u.email, { subject: AFTER_FAILURES });
  assert.match(parsed.text, /Failed attempts before that: 6\./);
});

test('BF19 nothing is told of sign-ins that fail, nor with notice.new_sign_in off', async (t) => {
  const u = await s.register();
  await signIn(u, HOME);
  await s.login(u.email, 'wrong wrong 1', at(AWAY, EDGE));
  assert.deepEqual(await told(u.email), []);
  const off = await Server.start({ env: { ...env, SALLYPORT_NOTICE_NEW_SIGN_IN: 'false' } });
  t.after(() => off.close());
  const v = await off.register();
  await signIn(v, HOME, FIREFOX, {}, off);
  await signIn(v, AWAY, EDGE, {}, off);
  for (let i = 0; i < 5; i++) await off.login(v.email, `wrong wrong ${i}`, at(AWAY));
  off.advance(1000);
  await signIn(v, '192.0.2.77', EDGE, {}, off);
  assert.deepEqual(await told(v.email, off), []);
});

test('EL19 what a client calls itself cannot become part of the mail', async () => {
  const u = await s.register();
  await signIn(u, HOME);
  const names = ['<a href=//evil.test>click</a>', '{{email}} {{T.title}}/1', '莉'.repeat(30), 'a\tb\tc/2', '"><img src=x onerror=1>/1', 'x'.repeat(4000), '/', '&amp;/1'];
  for (const [i, name] of names.entries()) {
    await signIn(u, `198.51.${i}.1`, Buffer.from(name).toString('latin1'));
    await quiet();
    const { parsed, raw } = await mails.mail(u.email, { subject: NEW_SIGN_IN });
    assert.ok(!/<a href=\/\/|<img|href="\/\/evil/.test(parsed.html), name);
    const line = parsed.text.split('\n').filter((l) => l.startsWith('Device:'));
    assert.equal(line.length, 1, name);
    assert.ok(line[0].length <= 60, line[0]);
    assert.ok(!line[0].includes('\ufffd'), line[0]);
    assert.equal(raw.split('\r\n\r\n')[0].match(/^Subject:/gim).length, 1);
    if (i === 0) {
      assert.equal(line[0].trim(), 'Device: <a href=');
      assert.ok(parsed.html.includes('&lt;a href='), 'escaped');
    }
    if (i === 1) assert.ok(line[0].includes('{{email}} {{T.title}}'), 'not looked into again');
  }
});

test('EL19 an address with characters of HTML appears escaped', async () => {
  const u = await s.register({ email: `o'brien&co-${crypto.randomBytes(4).toString('hex')}@example.test` });
  await signIn(u, HOME);
  await signIn(u, AWAY);
  await quiet();
  const { parsed } = await mails.mail(u.email, { subject: NEW_SIGN_IN });
  assert.ok(parsed.text.includes(u.email));
  assert.ok(!parsed.html.includes(u.email) && /o&#(39|x27);brien&amp;co-/.test(parsed.html), 'escaped in HTML');
});

/* ---- known devices ---- */

test('BF05 a changed and a reset password make the server forget the known devices', async () => {
  const change = async (u) => {
    const password = freshPassword();
    assert.equal((await s.post('/auth/change-password', { currentPassword: u.password, newPassword: password }, { token: u.accessToken })).status, 200);
    return password;
  };
  const reset = async (u) => {
    const password = freshPassword();
    await s.post('/auth/forgot-password', { email: u.email });
    assert.equal((await s.post('/auth/reset-password', { token: tokenIn(await mails.mail(u.email, { subject: 'Reset your password' })), newPassword: password })).status, 200);
    return password;
  };
  for (const act of [null, change, reset]) {
    const u = await signIn(await s.register(), HOME);
    const password = act === null ? u.password : await act(u);
    for (let i = 0; i < 5; i++) assert.equal((await s.login(u.email, `wrong wrong ${i}`, at(AWAY))).status, 401);
    const r = await s.login(u.email, password, at(HOME, FIREFOX, { deviceToken: u.deviceToken }));
    assert.equal(r.status, act === null ? 200 : 429, act?.name);
  }
});

/* ---- languages ---- */

const SUBJECTS = {
  en: ['Your password has been changed', 'Your phone number has been updated', 'One of your sessions was ended', 'Your email address has been updated'],
  it: ['La tua password è stata cambiata', 'Il tuo numero di telefono è stato aggiornato', 'Una delle tue sessioni è stata chiusa', 'Il tuo indirizzo email è stato aggiornato'],
  de: ['Ihr Passwort wurde geändert', 'Ihre Telefonnummer wurde geändert', 'Eine Ihrer Sitzungen wurde beendet', 'Ihre E-Mail-Adresse wurde geändert'],
  fr: ['Votre mot de passe a été modifié', 'Votre numéro de téléphone a été modifié', 'Une de vos sessions a été fermée', 'Votre adresse e-mail a été modifiée'],
  es: ['Su contraseña ha cambiado', 'Su número de teléfono ha cambiado', 'Se ha cerrado una de sus sesiones', 'Su dirección de correo electrónico ha cambiado'],
};
let last = 0;

for (const [lang, [passwordChanged, phoneChanged, sessionReuse, emailChanged]] of Object.entries(SUBJECTS))
  test(`changes of password, number and address and a copied token are told in the owner's language: ${lang}`, async () => {
    const u = await s.signedIn({ emailLang: lang }), number = `+39340${String(++last).padStart(4, '0')}444`, newEmail = freshEmail('new');
    const stolen = u.refreshToken;
    s.advance(2 * MINUTE);
    const fresh = (await s.refresh(stolen)).json;
    await s.me(fresh.accessToken);
    s.advance(2 * MINUTE);
    assert.equal((await s.refresh(stolen)).json.code, 'SESSION_REVOKED');
    const { accessToken: token } = await s.signIn(u);

    assert.equal((await s.post('/auth/change-password', { currentPassword: u.password, newPassword: freshPassword() }, { token })).status, 200);
    await s.post('/auth/add-phone', { phoneNumber: number }, { token });
    const { message } = await texts.sms(number);
    s.note(message);
    assert.equal((await s.post('/auth/add-phone/verify', { code: message.match(/\b\d{6}\b/)[0] }, { token })).status, 200);
    await s.post('/auth/change-email/request', { newEmail }, { token });
    await quiet();
    const link = mails.mailsTo(newEmail)[0];
    assert.equal((await s.post('/auth/change-email/confirm', { token: tokenIn(link) })).status, 200);
    await quiet();
    const subjects = mails.mailsTo(u.email).map((m) => m.parsed.subject);
    for (const subject of [passwordChanged, phoneChanged, sessionReuse, emailChanged]) assert.equal(subjects.filter((x) => x === subject).length, 1, `${subject} in ${subjects}`);
    const notice = await mails.mail(u.email, { subject: emailChanged });
    tokenIn(notice);
    assert.ok(notice.parsed.text.includes(newEmail), 'the old address hears of the new one');
    assert.deepEqual(mails.mailsTo(newEmail).map((m) => m.parsed.subject).filter((x) => SUBJECTS[lang].includes(x)), [], 'the new one does not');
    for (const m of mails.mailsTo(u.email)) assert.match(m.parsed.html, new RegExp(`<html lang="${lang}"`));
  });

/* ---- who has an account ---- */

test('BF15 in strict mode no public endpoint answers differently for a known and an unknown address', async (t) => {
  const strict = await Server.start({ env: { ...env, SALLYPORT_VERIFICATION_MODE: 'strict', SALLYPORT_LIMITS_BAD_TOKENS: '100000', SALLYPORT_LIMITS_ACCOUNT_FREE: '100' } });
  t.after(() => strict.close());
  const proven = await strict.register(), unproven = await strict.register(), disabled = await strict.register();
  await quiet(strict);
  for (const u of [proven, disabled]) assert.equal((await strict.post('/auth/verify-email', { token: tokenIn(mails.mailsTo(u.email)[0], strict) })).status, 200);
  await strict.cliOk(['user', 'disable', disabled.email]);
  strict.advance(61_000);

  const asked = routes.filter((r) => ['PUBLIC', 'SIGN_IN', 'SESSION', 'MAYBE', 'GUEST'].includes(r.auth) && r.place !== 'OPS' && !/healthz|readyz/.test(r.pattern));
  for (const name of ['register', 'login', 'forgot-password', 'send-verification-email']) assert.ok(asked.some((r) => r.path === `/auth/${name}`), name);
  const general = (r, email) => r.shape.replaceAll(email, 'ADDRESS').replaceAll(encodeURIComponent(email), 'ADDRESS').replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID').replace(/(nonce[-=]"?)[\w-]+/g, '$1N').replace(/(?<="deviceToken":"A)[\w-]{86}(?=")/, 'D');
  for (const route of asked)
    for (const password of ['wrong wrong wrong 0', undefined, '']) {
      const say = async (email) => {
        const json = { email, newEmail: email, phoneNumber: email, address: email, token: email, refreshToken: email, password, newPassword: password };
        return general(await strict.request(route.method, `${route.path}?email=${encodeURIComponent(email)}&token=${encodeURIComponent(email)}`, { strategy: 'bearer', json: route.body ? json : undefined, headers: { 'X-Forwarded-For': HOME } }), email);
      };
      const reference = await say(freshEmail('nobody'));
      for (const u of [proven, unproven, disabled]) assert.equal(await say(u.email), reference, `${route.method} ${route.path}`);
      assert.equal(await say(proven.email.toUpperCase()), reference, `${route.method} ${route.path}, in capitals`);
    }
});

test('BF15 nor does a change of address, in strict mode', async (t) => {
  const strict = await Server.start({ env: { ...env, SALLYPORT_VERIFICATION_MODE: 'strict' } });
  t.after(() => strict.close());
  const a = await strict.register(), b = await strict.register();
  await quiet(strict);
  await strict.post('/auth/verify-email', { token: tokenIn(mails.mailsTo(a.email)[0], strict) });
  const { accessToken: token } = await strict.signIn(a);
  const known = await strict.post('/auth/change-email/request', { newEmail: b.email }, { token }), unknown = await strict.post('/auth/change-email/request', { newEmail: freshEmail() }, { token });
  assert.equal(known.shape, unknown.shape);
  assert.equal(known.status, 200);
});

/* ---- the brake ---- */

const BRAKE = { ...LOOSE, SALLYPORT_LIMITS_BRAKE_FAILURES_PER_S: '1', SALLYPORT_PASSWORD_MAX_WAIT: '60s' }; // more than 60 in a minute
const brakes = (on) => on.events('login_brake').map((l) => [l.level, l.state]);
const fail = async (on, n) => {
  for (const r of await Promise.all(Array.from({ length: n }, () => on.login(freshEmail('many'), 'wrong wrong 1')))) assert.equal(r.status, 401, r.text);
};

function solve({ algorithm, challenge, bits }) {
  assert.equal(algorithm, 'sha256');
  for (let nonce = 0; ; nonce++) {
    const answer = `${challenge}.${nonce}`;
    if (crypto.createHash('sha256').update(answer).digest().readUInt32BE() >>> (32 - bits) === 0) return answer;
  }
}

test('BF17 while most sign-ins fail, unknown devices must do some work and known ones need not', async (t) => {
  const one = await Server.start({ env: { ...BRAKE, SALLYPORT_LIMITS_BRAKE: 'challenge' } });
  t.after(() => one.close());
  const u = await one.register(), v = await one.register();
  const { deviceToken } = (await one.login(u.email, u.password)).json;
  const login = (who, challengeAnswer, more = {}) => one.post('/auth/login', { email: who.email, password: who.password, challengeAnswer, ...more }, { strategy: 'bearer' });
  const challenged = (r, what) => {
    assert.deepEqual([r.status, r.json.code, r.headers['retry-after']], [429, 'CHALLENGE_REQUIRED', '1'], `${what} ${r.text}`);
    assert.deepEqual(Object.keys(r.json), ['error', 'message', 'code', 'challenge']);
    assert.deepEqual([r.json.challenge.algorithm, r.json.challenge.bits], ['sha256', 18]);
    return r.json.challenge;
  };
  await fail(one, 60);
  assert.equal(await one.metric('login_brake'), 0, 'sixty are not more than one a second');
  assert.equal((await login(u)).status, 200);
  await fail(one, 1);
  assert.equal(await one.metric('login_brake'), 1);

  const failed = await one.metric('login_failed_total');
  const mine = challenged(await login(u), 'right password');
  challenged(await login(u, null, { password: 'wrong wrong 2' }), 'wrong password');
  challenged(await login({ email: freshEmail(), password: 'x' }), 'unknown address');
  challenged(await login(u, undefined, { deviceToken: 'junk' }), 'no device');
  const answer = solve(mine);
  const unsolved = Array.from({ length: 100 }, (_, i) => `${mine.challenge}.x${i}`).find((a) => crypto.createHash('sha256').update(a).digest()[0] !== 0);
  for (const bad of ['', 'x', '.', mine.challenge, `${mine.challenge}.`, unsolved, answer.replace(/^.{30}./, (x) => x.slice(0, 30) + (x[30] === 'A' ? 'B' : 'A')), answer.replace('.', ''), `${answer}0`]) challenged(await login(u, bad), bad);
  challenged(await login(v, answer), 'a challenge is for one account');
  assert.equal(await one.metric('login_failed_total'), failed, 'none of these was looked at');

  assert.equal((await login(u, answer, { password: 'wrong wrong 3' })).status, 401, 'the work is no password');
  assert.equal((await login(u, answer)).status, 200);
  assert.equal((await login({ ...u, email: u.email.toUpperCase() }, answer)).status, 200, 'the account, not its spelling');
  assert.equal((await login(u, undefined, { deviceToken })).status, 200, 'a known device passes');
  const r = await login(u, 7);
  assert.deepEqual([r.status, r.json.code], [400, 'VALIDATION_ERROR']);
  assert.deepEqual(brakes(one), [['warn', 'on']], 'told once');

  one.advance(MINUTE);
  assert.equal((await login(v)).status, 200, 'over after a quiet minute');
  assert.equal(await one.metric('login_brake'), 0);
  assert.deepEqual(brakes(one), [['warn', 'on'], ['warn', 'off']]);

  one.advance(MINUTE + 1);
  await fail(one, 61);
  const late = challenged(await login(v), 'again on');
  challenged(await login(u, answer), 'a challenge of more than two minutes ago');
  const inTime = solve(late);
  one.advance(MINUTE - 1000);
  assert.equal((await login(v, inTime)).status, 200);
});

test('BF17 by default the brake only tells, and only when most fail', async (t) => {
  const one = await Server.start({ env: BRAKE });
  t.after(() => one.close());
  const u = await one.register();
  for (let i = 0; i < 62; i++) assert.equal((await one.login(u.email, u.password)).status, 200);
  await fail(one, 62);
  assert.equal(await one.metric('login_brake'), 0, 'half are not most');
  await fail(one, 1);
  assert.equal(await one.metric('login_brake'), 1);
  assert.equal((await one.login(u.email, u.password)).status, 200, 'nobody is asked for anything');
  one.advance(DAY);
  assert.equal(await one.metric('login_brake'), 0);
  await until(() => brakes(one).length === 2, 'both lines');
  assert.deepEqual(brakes(one), [['warn', 'on'], ['warn', 'off']]);
});

test('BF17 limits.brake = off counts nothing that anybody sees', async (t) => {
  const one = await Server.start({ env: { ...BRAKE, SALLYPORT_LIMITS_BRAKE: 'off' } });
  t.after(() => one.close());
  await fail(one, 61);
  assert.equal(await one.metric('login_brake'), 0);
  assert.deepEqual(brakes(one), []);
});
