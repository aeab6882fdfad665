// mail_transport.test.mjs — one mail by each transport of the settings, sent by `sallyport mail test`: what
// arrives, and what is said about servers that take none.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { once } from 'node:events';
import { after, before, beforeEach, test } from 'node:test';
import { freshEmail, run, SALLYPORT } from '../lib/server.mjs';
import { makeCertificates, SmtpSink } from '../lib/smtp_sink.mjs';

let sink, home;

before(async () => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-mail-'));
  sink = await SmtpSink.start();
});
beforeEach(() => sink.calm());
after(async () => {
  await sink.close();
  fs.rmSync(home, { recursive: true, force: true });
});

const BASE = { SALLYPORT_SERVER_PUBLIC_URL: 'https://auth.example.test', SALLYPORT_MAIL_TIMEOUT: '2s' };
const send = (env, to = freshEmail()) => run(SALLYPORT, ['mail', 'test', to, '--data', path.join(home, 'data')], { env: { ...BASE, ...env } });

async function sent(env, to = freshEmail()) {
  const r = await send(env, to);
  assert.equal(r.code, 0, r.stdout + r.stderr);
  assert.match(r.stdout, /^sent: .*\n$/);
  return { ...r, to };
}

async function notSent(line, env = sink.env, to = freshEmail()) {
  const started = Date.now(), r = await send(env, to);
  assert.equal(r.code, 1, r.stdout + r.stderr);
  assert.match(r.stdout, /^not sent: .*\n$/);
  if (line instanceof RegExp) assert.match(r.stdout, line);
  else assert.equal(r.stdout, `not sent: ${line}\n`);
  return { ...r, took: Date.now() - started };
}

async function withSink(t, options) {
  const other = await SmtpSink.start(options);
  t.after(() => other.close());
  return other;
}

/* ---- what arrives ---- */

test('a mail goes out over STARTTLS and is read as it was meant', async () => {
  const to = freshEmail();
  const r = await sent({ ...sink.env, SALLYPORT_UI_SITE_NAME: 'Caffè “Göttin” 咖啡' }, to);
  assert.equal(r.stdout, 'sent: 250 2.0.0 OK: message queued\n');
  const { parsed, envelope, secure, ehlo, raw } = await sink.mail(to);
  assert.deepEqual([envelope.from, envelope.to, secure, ehlo], ['no-reply@sallyport.test', [to], true, 'auth.example.test']);
  assert.equal(parsed.subject, 'Test mail from Caffè “Göttin” 咖啡');
  assert.deepEqual(parsed.from.value, [{ address: 'no-reply@sallyport.test', name: 'Caffè “Göttin” 咖啡' }]);
  assert.deepEqual(parsed.to.value.map((v) => v.address), [to]);
  assert.match(parsed.text, /^This is a test mail from Caffè “Göttin” 咖啡\./);
  assert.match(parsed.messageId, /^<[0-9a-f]{32}@sallyport\.test>$/);
  assert.ok(Math.abs(parsed.date - Date.now()) < 60_000);
  assert.equal(parsed.headers.get('auto-submitted'), 'auto-generated');
  for (const line of raw.split('\r\n')) assert.match(line, /^[\t\x20-\x7e]{0,78}$/);
});

test('the name at EHLO is a full one, or an address as a literal', async () => {
  const said = async (env) => (await sink.mail((await sent({ ...sink.env, ...env })).to)).ehlo;
  assert.equal(await said({ SALLYPORT_SERVER_PUBLIC_URL: 'https://192.168.7.20:3000' }), '[192.168.7.20]');
  assert.equal(await said({ SALLYPORT_SERVER_PUBLIC_URL: 'https://[2001:db8::7]' }), '[ipv6:2001:db8::7]'); // the sink makes it small
  assert.equal(await said({ SALLYPORT_SERVER_PUBLIC_URL: 'https://auth:3000' }), 'sallyport.test', 'the domain of mail.from');
  assert.equal(await said({ SALLYPORT_MAIL_EHLO_NAME: 'mx.example.org' }), 'mx.example.org');
});

test('every mail has an id of its own, and mail.from_name goes before the name of the site', async () => {
  const env = { ...sink.env, SALLYPORT_MAIL_FROM_NAME: 'The "Desk", at night' };
  const first = await sink.mail((await sent(env)).to), second = await sink.mail((await sent(env)).to);
  assert.notEqual(first.messageId, second.messageId);
  assert.equal(first.parsed.from.value[0].name, 'The "Desk", at night');
});

test('a domain of other letters is sent to in its ASCII form', async () => {
  await sent(sink.env, 'Ada.B@bücher.example');
  assert.ok((await sink.mail('Ada.B@xn--bcher-kva.example')).raw.includes('\r\nTo: <Ada.B@xn--bcher-kva.example>\r\n'));
});

test('EL18 an address that would say more than an address is refused, and nothing is sent', async () => {
  const before = sink.connections;
  for (const evil of ['a@b.test\r\nRCPT TO:<c@d.test>', 'a@b.test>\r\nDATA', 'a@b.test, c@d.test', '"a\r\nBcc: c@d.test"@b.test', 'a@b.test\r\nBcc: c@d.test', '<a@b.test>', 'nonsense', '']) {
    const r = await send(sink.env, evil);
    assert.deepEqual([r.code, r.stdout], [1, ''], JSON.stringify(evil));
    assert.match(r.stderr, /no mail address/);
  }
  assert.equal(sink.connections, before);
});

test('EL18 a name of many lines adds no header and no recipient', async () => {
  const to = freshEmail();
  for (const name of ['x\r\nBcc: a@b.test', 'x\nBcc: a@b.test', 'x\r\n\r\n<p>y', '=?utf-8?q?x=0D=0ABcc:_a@b.test?=', 'x" <a@b.test>, "y', 'x\u0085Bcc: a@b.test\u2028\u202e']) {
    const r = await send({ ...sink.env, SALLYPORT_UI_SITE_NAME: name }, to);
    if (r.code === 3) continue; // the settings take no such name at all
    assert.equal(r.code, 0, r.stdout + r.stderr);
    const { parsed, envelope } = await sink.mail(to);
    assert.deepEqual(envelope.to, [to]);
    assert.deepEqual([parsed.bcc, parsed.cc, parsed.from.value.length, parsed.html], [undefined, undefined, 1, false]);
    assert.deepEqual([...parsed.headers.keys()].sort(), ['auto-submitted', 'content-transfer-encoding', 'content-type', 'date', 'from', 'message-id', 'mime-version', 'subject', 'to']);
  }
});

/* ---- TLS and sign-in ---- */

test('smtps speaks TLS from the start', async (t) => {
  const other = await withSink(t, { secure: true });
  const { to } = await sent(other.env);
  assert.equal((await other.mail(to)).secure, true);
});

test('a certificate of an unknown authority is refused before anything is said', async (t) => {
  const dir = fs.mkdtempSync(path.join(home, 'other-'));
  const { stdout } = await notSent(/^not sent: TLS: .*certificate/i, { ...sink.env, SALLYPORT_MAIL_TLS_CA: makeCertificates(dir).ca });
  assert.ok(!stdout.includes('MAIL'));
  const implicit = await withSink(t, { secure: true, auth: { user: 'u', password: 'not to be seen' } });
  await notSent(/^not sent: TLS: /, { ...implicit.env, SALLYPORT_MAIL_TLS_CA: sink.tls.ca });
  assert.deepEqual([implicit.commands, implicit.mails], [[], []]);
});

test('a server without STARTTLS gets no mail unless the settings allow it', async (t) => {
  const open = await withSink(t, { starttls: false });
  await notSent(/^not sent: TLS: .*STARTTLS/, open.env);
  assert.deepEqual(open.commands, []);
  for (const tls of ['opportunistic', 'off']) {
    const { to } = await sent({ ...open.env, SALLYPORT_MAIL_SMTP_TLS: tls });
    assert.equal((await open.mail(to)).secure, false);
  }
});

test('opportunistic TLS is used where it is offered', async () => {
  const { to } = await sent({ ...sink.env, SALLYPORT_MAIL_SMTP_TLS: 'opportunistic' });
  assert.equal((await sink.mail(to)).secure, true);
});

test('user and password sign in; a wrong password is said without being shown', async (t) => {
  const password = 'correct horse £ "battery"';
  const locked = await withSink(t, { auth: { user: 'sallyport', password } });
  const { to } = await sent(locked.env);
  assert.equal((await locked.mail(to)).user, 'sallyport');
  const wrong = 'wrong but secret', r = await notSent('AUTH: 535 5.7.8', { ...locked.env, SALLYPORT_MAIL_SMTP_PASSWORD: wrong });
  for (const form of [wrong, Buffer.from(wrong).toString('base64'), Buffer.from(`\0sallyport\0${wrong}`).toString('base64')])
    assert.ok(!(r.stdout + r.stderr).includes(form));
  const none = { ...locked.env };
  delete none.SALLYPORT_MAIL_SMTP_USER;
  delete none.SALLYPORT_MAIL_SMTP_PASSWORD;
  await notSent(/^not sent: MAIL: 530/, none);
});

/* ---- servers that take none ---- */

test('a refusal is told with the command it answers', async () => {
  for (const [fault, reply, line] of [
    ['mail', '451 4.3.0 try later', 'MAIL: 451 4.3.0 try later'],
    ['mail', '550 5.7.1 sender refused', 'MAIL: 550 5.7.1 sender refused'],
    ['rcpt', '450 4.2.0 greylisted', 'RCPT: 450 4.2.0 greylisted'],
    ['rcpt', '550 5.1.1 no such user', 'RCPT: 550 5.1.1 no such user'],
    ['rcpt', '421 4.3.2 closing', 'RCPT: 421 4.3.2 closing'],
    ['data', '451 4.3.0 try later', 'end of data: 451 4.3.0 try later'],
    ['data', '552 5.3.4 too big', 'end of data: 552 5.3.4 too big'],
  ]) {
    sink.faults = { [fault]: reply };
    await notSent(line);
  }
});

test('a server that is not there is told as such', async (t) => {
  const gone = await withSink(t);
  await gone.refuse();
  await notSent('connect: Connection refused', gone.env);
  await gone.listen();
  await sent(gone.env);
});

test('a server that falls silent is waited for until mail.timeout, and no longer', async () => {
  for (const [fault, line] of [['mail', 'timeout after MAIL'], ['rcpt', 'timeout after RCPT'], ['data', 'timeout after end of data']]) {
    sink.calm();
    sink.faults = { [fault]: 'silence' };
    const { took } = await notSent(line);
    assert.ok(took >= 1900 && took < 10_000, `${took} ms`);
  }
  for (const mode of ['blackhole', 'slow']) {
    sink.setMode(mode);
    const { took } = await notSent('timeout after connect');
    assert.ok(took >= 1900 && took < 10_000, `${took} ms`);
  }
});

test('a server that hangs up before its answer has perhaps taken the mail', async () => {
  const to = freshEmail();
  sink.cutAfterData = true;
  await notSent(/^not sent: end of data: /, sink.env, to);
  assert.equal(sink.mailsTo(to).length, 1);
});

/* ---- the other transports ---- */

test('an HTTP mailer gets the mail as JSON with its key', async (t) => {
  const got = [];
  const mailer = http.createServer(async (req, res) => {
    let body = '';
    for await (const part of req) body += part;
    got.push({ method: req.method, url: req.url, key: req.headers['x-api-key'], type: req.headers['content-type'], body: JSON.parse(body) });
    res.writeHead(got.length > 1 ? 401 : 202).end();
  });
  mailer.listen(0, '127.0.0.1');
  await once(mailer, 'listening');
  t.after(() => mailer.close());
  const env = {
    SALLYPORT_MAIL_TRANSPORT: 'http', SALLYPORT_MAIL_FROM: 'no-reply@sallyport.test', SALLYPORT_MAIL_HTTP_URL: `http://127.0.0.1:${mailer.address().port}/send`,
    SALLYPORT_MAIL_HTTP_KEY: 'key of the mailer', SALLYPORT_MAIL_HTTP_PROVIDER: 'house', SALLYPORT_UI_SITE_NAME: 'Caffè',
  };
  const { to } = await sent(env);
  const [{ body, ...rest }] = got;
  assert.deepEqual(rest, { method: 'POST', url: '/send', key: 'key of the mailer', type: 'application/json' });
  assert.match(body.text, /^This is a test mail from Caffè\./);
  assert.deepEqual({ ...body, text: '' }, { to, subject: 'Test mail from Caffè', html: '', text: '', from: 'no-reply@sallyport.test', fromName: 'Caffè', provider: 'house' });
  const { stdout } = await notSent(/^not sent: .*401/, env);
  assert.ok(!stdout.includes('key of the mailer'));
});

test('the transport file leaves one whole message per mail, for its owner only', async () => {
  const dir = path.join(home, 'mails');
  const env = { SALLYPORT_MAIL_TRANSPORT: 'file', SALLYPORT_MAIL_FROM: 'no-reply@sallyport.test', SALLYPORT_MAIL_DIR: dir };
  const first = await sent(env), second = await sent(env);
  const names = fs.readdirSync(dir);
  assert.equal(names.length, 2);
  assert.ok(names.every((n) => /^[0-9a-f]{32}\.eml$/.test(n)), names.join());
  assert.equal(fs.statSync(dir).mode & 0o777, 0o700);
  assert.equal(fs.statSync(path.join(dir, names[0])).mode & 0o777, 0o600);
  const raw = names.map((n) => fs.readFileSync(path.join(dir, n), 'latin1'));
  for (const { to } of [first, second]) assert.equal(raw.filter((r) => r.includes(`\r\nTo: <${to}>\r\n`)).length, 1);
  fs.writeFileSync(path.join(home, 'a file'), '');
  await notSent('mail.dir: Not a directory', { ...env, SALLYPORT_MAIL_DIR: path.join(home, 'a file') });
});

test('the transport log prints the mail', async () => {
  const to = freshEmail(), r = await send({ SALLYPORT_MAIL_TRANSPORT: 'log' }, to);
  assert.equal(r.code, 0, r.stderr);
  assert.match(r.stdout, new RegExp(`^--- mail to ${to}\nSubject: Test mail from .*\n\nThis is a test mail from [^]*\n---\nsent: written to standard output\n$`));
});

test('without a transport the command says so', async () => {
  await notSent('no transport', {});
});

test('mail test wants one address', async () => {
  for (const args of [[], ['a@b.test', 'c@d.test']]) assert.equal((await run(SALLYPORT, ['mail', 'test', ...args], { env: BASE })).code, 2);
});
