// sms_sink.mjs — an SMS gateway and HTTP mailer on loopback: records what it is sent, and can be as
// unpleasant as real ones.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { until } from './server.mjs';

/* What it does with a request; changed at any time with `become`. */
const MODES = ['ok', 'error-body', '500', '429', 'slow', 'blackhole', 'refuse'];
const SLOW_MS = 1000;

export class HttpSink {
  user = 'sink-user';
  password = 'sink-password-p&ss';
  key = 'sink-key-0123456789';
  from = 'Sallyport';
  requests = []; // in the order of their arrival
  mode = 'ok';

  static async start() {
    const s = new HttpSink();
    s.server = http.createServer((req, res) => s.take(req, res));
    await s.listen(0);
    s.port = s.server.address().port;
    return s;
  }

  async listen(port) {
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  /* 'refuse' closes the port, any other mode opens it again. Requests that are left without an answer
   * stay so. */
  async become(mode) {
    assert.ok(MODES.includes(mode), mode);
    this.mode = mode;
    if (mode === 'refuse' && this.server.listening) await this.stopListening();
    else if (mode !== 'refuse' && !this.server.listening) await this.listen(this.port);
  }

  async stopListening() {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  async close() {
    if (this.server.listening) await this.stopListening();
  }

  /* ---- requests ---- */

  async take(req, res) {
    const parts = [];
    try {
      for await (const part of req) parts.push(part);
    } catch {
      return; // a sender that gave up
    }
    const r = this.record(req, Buffer.concat(parts).toString('utf8'));
    if (r.mode === 'slow') setTimeout(() => this.answer(r, res), SLOW_MS);
    else this.answer(r, res);
  }

  record(req, body) {
    const at = new URL(req.url, this.url);
    const type = req.headers['content-type'] ?? '';
    const form = type.startsWith('application/x-www-form-urlencoded') ? Object.fromEntries(new URLSearchParams(body)) : {};
    const query = Object.fromEntries(at.searchParams);
    const r = {
      method: req.method, url: req.url, path: at.pathname, query, headers: req.headers, form, body,
      json: type.startsWith('application/json') ? JSON.parse(body) : null,
      phone: query.phone ?? form.to ?? form.To,
      message: query.message ?? form.message ?? form.Body,
      mode: this.mode,
      accepted: false, // was told that it is sent
      taken: false, // by sms() or mail()
    };
    this.requests.push(r);
    return r;
  }

  answer(r, res) {
    const say = (status, body, headers = {}) => res.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));
    switch (r.mode) {
      case 'error-body': return say(200, { status: 'error', message: 'no credit left' });
      case '500': return say(500, { message: 'out of order' });
      case '429': return say(429, { message: 'slower' }, { 'Retry-After': '1' });
      case 'blackhole': case 'refuse': return undefined;
    }
    r.accepted = true;
    return say(r.path.startsWith('/2010-04-01/') ? 201 : 200, { status: 'queued', error_code: null });
  }

  /* ---- what tests ask ---- */

  /* All that came for a number or an address, accepted or not. */
  to(recipient) {
    return this.requests.filter((r) => r.phone === recipient || r.json?.to === recipient);
  }

  async next(recipient, accepted, what) {
    const r = await until(() => this.to(recipient).find((one) => !one.taken && (one.accepted || !accepted)), `${what} to ${recipient}`);
    r.taken = true;
    return r;
  }

  /* The next SMS to the number that nobody has taken yet; an attempt that failed is none. */
  sms(number) {
    return this.next(number, true, 'an SMS');
  }

  /* The next mail as {to, subject, html, text, from…}. */
  async mail(address) {
    return (await this.next(address, true, 'a mail')).json;
  }

  /* The next attempt, however it ended. */
  attempt(recipient) {
    return this.next(recipient, false, 'an attempt');
  }

  /* Settings that lead here. kind: 'http-get', 'http-post', 'twilio' or 'mail'. */
  env(kind) {
    if (kind === 'mail') {
      return {
        SALLYPORT_MAIL_TRANSPORT: 'http',
        SALLYPORT_MAIL_HTTP_URL: `${this.url}/mail`,
        SALLYPORT_MAIL_HTTP_KEY: this.key,
        SALLYPORT_MAIL_FROM: 'no-reply@example.test',
      };
    }
    return {
      SALLYPORT_SMS_TRANSPORT: kind,
      SALLYPORT_SMS_URL: kind === 'twilio' ? this.url : `${this.url}/sms`,
      SALLYPORT_SMS_USER: this.user,
      SALLYPORT_SMS_PASSWORD: this.password,
      SALLYPORT_SMS_KEY: this.key,
      SALLYPORT_SMS_FROM: this.from,
      SALLYPORT_SMS_COUNTRIES: 'any',
    };
  }
}
