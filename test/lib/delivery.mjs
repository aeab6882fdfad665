// delivery.mjs — a server with a mail server and an SMS gateway of its own, and what stands in their messages.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { Server } from './server.mjs';
import { HttpSink } from './sms_sink.mjs';
import { SmtpSink } from './smtp_sink.mjs';

/* Budgets so wide that only the test which narrows one meets it. */
const WIDE = Object.fromEntries(['MAIL_PER_10MIN', 'MAIL_PER_DAY', 'MAIL_NETWORK_PER_HOUR', 'SMS_PER_HOUR', 'SMS_PER_DAY', 'SMS_NETWORK_PER_HOUR', 'SMS_RANGE_PER_HOUR', 'SMS_TOTAL_PER_DAY', 'BAD_TOKENS']
  .map((name) => [`SALLYPORT_LIMITS_${name}`, '1000000']));

export const SUBJECT = {
  reset: 'Reset your password',
  changed: 'Your password has been changed',
  verify: 'Verify your email address',
  emailChange: 'Confirm your new email address',
  emailChanged: 'Your email address has been updated',
  emailReverted: 'Your email address has been restored',
  magic: 'Your magic sign-in link',
  code: 'Your sign-in code',
};

/* { s, mail, sms, close() } */
export async function startDelivering({ env = {}, ...options } = {}) {
  const mail = await SmtpSink.start(), sms = await HttpSink.start();
  const s = await Server.start({ env: { ...mail.env, ...sms.env('http-post'), ...WIDE, SALLYPORT_LIMITS_RESEND: '0s', SALLYPORT_PASSWORD_MAX_WAIT: '60s', ...env }, ...options }).catch(async (e) => {
    await Promise.all([mail.close(), sms.close()]); // what listens keeps the file from ending
    throw e;
  });
  const close = async () => {
    try {
      await s.close();
    } finally {
      await mail.close();
      await sms.close();
    }
  };
  return { s, mail, sms, close };
}

export const freshNumber = () => `+39333${crypto.randomInt(1e6, 1e7)}`;

/* The link of a mail, and its token. */
export function linkIn(mail) {
  const link = mail.parsed.text.match(/\S+\?token=[0-9a-f]{64}(?![0-9a-f])/)?.[0];
  assert.ok(link, `a link in\n${mail.parsed.text}`);
  return link;
}

export const tokenIn = (mail) => linkIn(mail).slice(-64);

export function codeIn(sms) {
  const code = sms.message.match(/(?<!\d)\d{6}(?!\d)/)?.[0];
  assert.ok(code, `a code in ${sms.message}`);
  return code;
}

/* The code of a mail stands on a line of its own. */
export function mailCodeIn(mail) {
  const code = mail.parsed.text.match(/^\d{6}$/m)?.[0];
  assert.ok(code, `a code in\n${mail.parsed.text}`);
  return code;
}

/* Another code than that one. */
export const wrongCode = (code, i = 0) => String((Number(code) + 1 + i) % 1e6).padStart(6, '0');

const isDone = (r) => assert.deepEqual([r.status, r.json.success], [200, true], r.text);

/* Signed in (u.accessToken): gives the account a number as its owner does. */
export async function addPhone({ s, sms }, u, number = freshNumber()) {
  isDone(await s.post('/auth/add-phone', { phoneNumber: number }, { token: u.accessToken }));
  isDone(await s.post('/auth/add-phone/verify', { code: codeIn(await sms.sms(number)) }, { token: u.accessToken }));
  return { ...u, number };
}

/* The token of a sign-in link that is asked for now. */
export async function magicToken({ s, mail }, u, json = {}) {
  isDone(await s.post('/auth/magic-link/send', { email: u.email, ...json }));
  const token = tokenIn(await mail.mail(u.email, { subject: SUBJECT.magic }));
  s.note(token);
  return token;
}

/* Proves the address in full as its owner does: by a sign-in link on a device that the account knows (u.deviceToken, or
 * where it is signed in). Signs in by it. */
export async function proveAddress(world, u) {
  const r = await world.s.post('/auth/magic-link/verify', { token: await magicToken(world, u), deviceToken: u.deviceToken }, { strategy: 'bearer', token: u.accessToken });
  assert.deepEqual([r.status, r.json.removed], [200, undefined], r.text);
  return { ...u, ...r.json };
}

/* Gives the account a number that counts as proven. */
export async function withPhone(s, u, number = freshNumber()) {
  await s.sql(`UPDATE user SET phone = '${number}' WHERE email = '${u.email}'`);
  return { ...u, number };
}

/* Must have a second factor; has the mail, and the number if there is one. */
export async function withSecond(s, u) {
  await s.sql(`UPDATE user SET require_2fa = 1 WHERE email = '${u.email}'`);
  return u;
}

/* The handle between the factors, after the password. */
export async function handleOf(s, u) {
  const r = await s.login(u.email, u.password);
  assert.deepEqual([r.status, r.json.requiresTwoFactor, r.json.accessToken], [200, true, undefined], r.text);
  s.note(r.json.tempToken);
  return r.json.tempToken;
}
