// mailed.mjs — a server whose mail goes to a sink, and what tests do with the mails.
import assert from 'node:assert/strict';
import { MINUTE, Server, until } from './server.mjs';
import { SmtpSink } from './smtp_sink.mjs';

const LINK = /(\S+)\?token=([0-9a-f]{64})\b/;

export class Mailed {
  /* env: settings on top of ones that let a file send many mails; sink: one to share. */
  static async start({ env = {}, sink, ...options } = {}) {
    const m = new Mailed();
    m.ownSink = sink === undefined;
    m.sink = sink ?? (await SmtpSink.start());
    const many = { SALLYPORT_LIMITS_MAIL_NETWORK_PER_HOUR: '1000000', SALLYPORT_LIMITS_BAD_TOKENS: '1000000', SALLYPORT_NOTICE_NEW_SIGN_IN: 'false' };
    m.s = await Server.start({ env: { ...m.sink.env, ...many, ...env }, ...options });
    return m;
  }

  async close() {
    await this.s.close();
    if (this.ownSink) await this.sink.close();
  }

  /* The link of the next mail to the address: { url, token, mail }. */
  async link(to, subject) {
    const mail = await this.sink.mail(to, { subject });
    const [, url, token] = mail.parsed.text.match(LINK) ?? assert.fail(`no link in ${mail.parsed.text}`);
    this.s.note(token);
    return { url, token, mail };
  }

  /* The token of a mail that a server which was down has put off: time goes on until it is there, as a try may have
   * been under way when the clock was moved. */
  async lateToken(to, subject) {
    const timer = setInterval(() => this.s.advance(16 * MINUTE), 500);
    try {
      return await this.token(to, subject);
    } finally {
      clearInterval(timer);
    }
  }

  async token(to, subject) {
    return (await this.link(to, subject)).token;
  }

  /* Subjects of all mails to the address so far, once nothing waits to be sent. */
  async subjects(to) {
    await until(async () => (await this.s.sql('SELECT count(*) FROM outbox WHERE dead = 0')) === '0', 'the outbox to be empty');
    return this.sink.mailsTo(to).map((mail) => mail.parsed.subject);
  }

  /* A new account with a proven address, signed in. For modes other than none. */
  async verified(over) {
    const user = await this.s.register(over);
    const r = await this.s.post('/auth/verify-email', { token: await this.token(user.email, VERIFY) });
    assert.equal(r.status, 200, r.text);
    return { ...user, ...(await this.s.signIn(user)) };
  }
}

export const VERIFY = 'Verify your email address', WELCOME = 'Welcome! Your account has been created';
export const RESET = 'Reset your password', CHANGE = 'Confirm your new email address', CHANGED = 'Your email address has been updated';
export const RESET_ASKED = 'Your second factor is to be removed';
export const MAGIC = 'Your magic sign-in link', LINKING = 'Confirm a further way to sign in';
export const REVERTED = 'Your email address has been restored', EXISTS = 'You already have an account', IN_USE = 'Your email address is already in use';

/* What an answer refuses with, as a whole: [status, code, text]. */
export const refusal = (r) => [r.status, r.json.code, r.json.error];
