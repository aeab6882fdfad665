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
};

/* { s, mail, sms, close() } */
export async function startDelivering({ env = {}, ...options } = {}) {
  const mail = await SmtpSink.start(), sms = await HttpSink.start();
  const s = await Server.start({ env: { ...mail.env, ...sms.env('http-post'), ...WIDE, SALLYPORT_LIMITS_RESEND: '0s', SALLYPORT_PASSWORD_MAX_WAIT: '60s', ...env }, ...options });
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
