// smtp_sink.mjs — a real SMTP server on 127.0.0.1 that keeps what it is sent, and can be as bad as
// servers are: refuse, fall silent, answer by the drop, say no at any command, hang up before the answer.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { domainToASCII } from 'node:url';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { until } from './server.mjs';

const openssl = (dir, ...args) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'];

/* An authority of its own (ca.pem), and a certificate of it for 127.0.0.1 and localhost. */
export function makeCertificates(dir) {
  openssl(dir, 'req', '-x509', ...KEY, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Sallyport test authority');
  openssl(dir, 'req', '-x509', ...KEY, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-keyout', 'tls.key', '-out', 'tls.pem', '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost', '-addext', 'basicConstraints=critical,CA:FALSE');
  return { ca: path.join(dir, 'ca.pem'), key: fs.readFileSync(path.join(dir, 'tls.key')), cert: fs.readFileSync(path.join(dir, 'tls.pem')) };
}

/* "550 5.1.1 no such user" as the error that makes smtp-server say so */
const refusal = (reply) => Object.assign(new Error(reply.slice(4)), { responseCode: Number(reply.slice(0, 3)) });

/* smtp-server shows domains in their own letters; on the way they were ASCII. */
const asSent = (address) => address.replace(/[^@]*$/, (domain) => domainToASCII(domain) || domain);

export class SmtpSink {
  /* auth: { user, password } that must be given; starttls: is it offered?; secure: smtps. */
  static async start({ auth = null, starttls = true, secure = false } = {}) {
    const s = new SmtpSink();
    s.home = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-smtp-'));
    s.tls = makeCertificates(s.home);
    s.auth = auth;
    s.secure = secure;
    s.mails = [];
    s.commands = []; // "MAIL", "RCPT", … in the order of their arrival
    s.connections = 0;
    s.sockets = new Map();
    s.calm();
    s.smtp = new SMTPServer({
      key: s.tls.key,
      cert: s.tls.cert,
      secure,
      hideSTARTTLS: !starttls,
      hideENHANCEDSTATUSCODES: true, // replies are as the test words them
      authOptional: auth === null,
      allowInsecureAuth: true,
      disabledCommands: auth === null ? ['AUTH'] : [],
      disableReverseLookup: true,
      logger: false,
      closeTimeout: 100,
      onAuth: (given, session, done) => s.onAuth(given, done),
      onMailFrom: (address, session, done) => s.step('mail', address.address, done),
      onRcptTo: (address, session, done) => s.step('rcpt', asSent(address.address), done),
      onData: (stream, session, done) => s.onData(stream, session, done),
    });
    s.smtp.on('error', () => {}); // clients that hang up or dislike the certificate
    await s.listen();
    return s;
  }

  /* The settings that make a server use this one. */
  get env() {
    return {
      SALLYPORT_MAIL_TRANSPORT: 'smtp',
      SALLYPORT_MAIL_FROM: 'no-reply@sallyport.test',
      SALLYPORT_MAIL_SMTP_URL: `${this.secure ? 'smtps' : 'smtp'}://127.0.0.1:${this.port}`,
      SALLYPORT_MAIL_SMTP_TLS: 'required',
      SALLYPORT_MAIL_TLS_CA: this.tls.ca,
      ...(this.auth && { SALLYPORT_MAIL_SMTP_USER: this.auth.user, SALLYPORT_MAIL_SMTP_PASSWORD: this.auth.password }),
    };
  }

  /* ---- faults ---- */

  /* faults.mail, .rcpt, .data, .auth: a reply such as '550 5.1.1 no such user', 'silence', or a function of
   * the address (of the envelope for data) that returns one of them or null. cutAfterData: keep the mail and
   * hang up instead of answering. */
  calm() {
    this.mode = 'serve';
    this.faults = {};
    this.cutAfterData = false;
  }

  /* 'serve', 'blackhole' (accepts, never says anything), 'slow' (one byte a second); cuts what is open. */
  setMode(mode) {
    this.mode = mode;
    this.cut();
  }

  cut() {
    for (const socket of this.sockets.values()) socket.destroy();
  }

  /* From now on connections are refused, until listen(). */
  async refuse() {
    if (this.server === null) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.server = null;
    this.cut();
    await closed;
  }

  /* On the same port as before. */
  async listen() {
    this.server = net.createServer((socket) => this.accept(socket));
    this.server.listen(this.port ?? 0, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = this.server.address().port;
  }

  async close() {
    await this.refuse();
    clearTimeout(this.smtp._closeTimeout);
    fs.rmSync(this.home, { recursive: true, force: true });
  }

  /* ---- serving ---- */

  accept(socket) {
    const { remotePort } = socket;
    this.connections++;
    this.sockets.set(remotePort, socket);
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(remotePort));
    if (this.mode === 'serve') this.smtp.server.emit('connection', socket);
    else if (this.mode === 'slow') this.dribble(socket);
    else socket.resume();
  }

  dribble(socket) {
    const greeting = `220 ${'slow '.repeat(100)}\r\n`;
    let at = 0;
    const drop = setInterval(() => socket.write(greeting[at++ % greeting.length]), 1000);
    socket.resume();
    socket.on('close', () => clearInterval(drop));
  }

  step(name, about, done, value) {
    const fault = this.faults[name], reply = typeof fault === 'function' ? fault(about) : fault;
    this.commands.push(name.toUpperCase());
    if (reply === 'silence') return;
    if (reply) done(refusal(reply));
    else done(null, value);
  }

  onAuth(given, done) {
    const good = given.username === this.auth?.user && given.password === this.auth?.password;
    this.step('auth', given.username, (e) => {
      if (e) done(e);
      else if (good) done(null, { user: given.username });
      else done(refusal('535 5.7.8 authentication credentials invalid'));
    });
  }

  async onData(stream, session, done) {
    const parts = [];
    try {
      for await (const part of stream) parts.push(part);
    } catch {
      return; // the client has hung up within its mail
    }
    const envelope = { from: session.envelope.mailFrom.address, to: session.envelope.rcptTo.map((r) => asSent(r.address)) };
    const fault = this.faults.data;
    const refused = typeof fault === 'function' ? fault(envelope) : fault;
    if (!refused) await this.keep(Buffer.concat(parts), envelope, session);
    if (this.cutAfterData) this.sockets.get(session.remotePort)?.destroy();
    else this.step('data', envelope, done, '2.0.0 OK: message queued');
  }

  async keep(raw, envelope, session) {
    const parsed = await simpleParser(raw);
    const { secure, hostNameAppearsAs: ehlo, user } = session;
    this.mails.push({ envelope, raw: raw.toString('latin1'), parsed, messageId: parsed.messageId, at: Date.now(), secure: Boolean(secure), ehlo, user, taken: false });
  }

  /* ---- looking ---- */

  mailsTo(address) {
    return this.mails.filter((m) => m.envelope.to.includes(address));
  }

  /* The next mail to the address that was not taken yet. subject: text or pattern; after: received then or
   * later, in milliseconds. */
  async mail(to, { subject, after = 0 } = {}) {
    const fits = (m) => !m.taken && m.at >= after && (subject === undefined || (subject instanceof RegExp ? subject.test(m.parsed.subject) : m.parsed.subject === subject));
    const mail = await until(() => this.mailsTo(to).find(fits), `a mail to ${to}`);
    mail.taken = true;
    return mail;
  }
}
