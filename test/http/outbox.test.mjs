// outbox.test.mjs — mails behind the requests that cause them: nobody waits for a provider, nothing is lost
// while it is away, and an operator sees and decides what becomes of the rest.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { freshEmail, freshPassword, Server, until } from '../lib/server.mjs';
import { SmtpSink } from '../lib/smtp_sink.mjs';

let s, sink;

before(async () => {
  sink = await SmtpSink.start();
  s = await Server.start({ env: sink.env, clock: 'real' });
});
after(async () => {
  await s?.close();
  await sink?.close();
});

const list = async (...args) => (await s.cliOk(['outbox', 'list', ...args])).stdout.split('\n').filter(Boolean);

async function comeBack() {
  sink.calm();
  if (sink.server === null) await sink.listen();
  await until(async () => (await list()).length === 0, 'the outbox to be empty', 90_000);
  await until(async () => (await s.metric('outbox_waiting_mail')) === 0, 'the gauge');
}
afterEach(comeBack);

const lineOf = (email) => until(async () => (await list()).find((l) => l.includes(email)), `${email} in the list`);
const stateOf = (email, what) => until(async () => (await list()).find((l) => l.includes(email) && l.includes(what)), `${email} to be ${what}`);

test('a mail leaves as soon as its request is over', async () => {
  const sent = await s.metric('mail_sent_total'), took = [];
  for (let i = 0; i < 4; i++) {
    const u = await s.register(), began = Date.now();
    await sink.mail(u.email);
    took.push(Date.now() - began);
  }
  // Each follows a mail that has just left; a sender that is not woken looks two seconds after that one.
  assert.ok(Math.min(...took.slice(1)) < 1000, `the sender was not woken: ${took} ms`);
  await until(async () => (await s.metric('mail_sent_total')) === sent + 4, 'the counter');
  assert.deepEqual(await list(), []);
});

test('LG01 the log tells of a mail by its id, and names neither recipient nor what it says', async () => {
  const u = await s.register();
  const mail = await sink.mail(u.email);
  const id = mail.messageId.match(/^<([0-9a-f]{32})@auth\.example\.test>$/)[1];
  const line = await until(() => s.events('mail_sent').find((l) => l.id === id), 'the log line');
  assert.deepEqual(Object.keys(line).filter((k) => !['ts', 'level', 'event', 'text', 'template'].includes(k)), ['id', 'attempts', 'problem']);
  assert.equal(line.attempts, 1);
  assert.ok(!s.stderr.includes(u.email));
});

test('REL-11 no request waits for a provider that swallows connections, and its mail arrives later', async () => {
  await s.register(); // the first hash is the slowest
  const usual = [];
  for (let i = 0; i < 5; i++) usual.push((await timed(() => s.register())).ms);
  sink.setMode('blackhole');
  const users = [], slow = [];
  for (let i = 0; i < 8; i++) {
    const { ms, value } = await timed(() => s.register());
    users.push(value);
    slow.push(ms);
  }
  assert.ok(Math.min(...slow) < 2 * Math.max(...usual) + 50, `${slow} ms instead of ${usual}`);
  sink.setMode('serve');
  for (const u of users) await sink.mail(u.email);
});

async function timed(call) {
  const began = performance.now(), value = await call();
  return { ms: performance.now() - began, value };
}

test('REL-11 mails queued while the provider refuses connections are sent when it is back, each once', async () => {
  await sink.refuse();
  const users = [];
  for (let i = 0; i < 8; i++) users.push(await s.register());
  await until(async () => (await s.metric('breaker_open_mail')) === 1, 'the breaker to open');
  await until(async () => (await s.metric('outbox_waiting_mail')) === 8, 'the depth to be told');
  assert.equal(s.events('breaker_opened').length, s.events('breaker_closed').length + 1);
  await sink.listen();
  for (const u of users) await sink.mail(u.email);
  await comeBack();
  for (const u of users) assert.equal(sink.mailsTo(u.email).length, 1);
  assert.equal(await s.metric('breaker_open_mail'), 0);
  assert.equal(await s.metric('mail_dead_total'), 0);
});

test('a mail refused for good is kept for an operator, who sends it again or drops it', async () => {
  sink.faults.rcpt = (to) => `550 5.1.1 <${to}>: no such user`;
  const one = await s.register(), other = await s.register();
  const line = await stateOf(one.email, 'dead');
  await stateOf(other.email, 'dead');
  assert.match(line, /^\d+ {2}mail {2}\S+ {2}\S+ {2}dead {2}attempts 1 {2}RCPT: 550/);
  assert.equal((await list('--dead')).length, 2);
  assert.ok(!s.events('mail_dead').some((l) => l.text.includes(one.email)), 'LG01: the answer repeats the recipient');
  await until(async () => (await s.metric('outbox_dead_mail')) === 2, 'the gauge');
  sink.calm();
  const again = await s.cliOk(['outbox', 'retry', line.split(' ')[0]]);
  assert.equal(again.stdout, '1 to be sent again\n');
  await sink.mail(one.email);
  assert.equal((await s.cliOk(['outbox', 'drop', '--dead'])).stdout, '1 dropped\n');
  assert.deepEqual(await list(), []);
  assert.equal(sink.mailsTo(other.email).length, 0);
});

test('what a waiting message says is shown by no command', async () => {
  sink.faults.mail = '451 4.3.0 later';
  const u = await s.register();
  const line = await stateOf(u.email, '451 4.3.0 later');
  assert.match(line, /waiting {2}attempts \d+ {2}next \d{4}-/);
  assert.ok(!line.includes('http'));
});

test('the outbox commands refuse what is no message', async () => {
  for (const command of ['retry', 'drop']) {
    assert.equal((await s.cli(['outbox', command, '4711'])).code, 1);
    for (const args of [[], ['0'], ['-1'], ['x'], ['1', '2'], ['--all']]) assert.equal((await s.cli(['outbox', command, ...args])).code, 2, `${command} ${args}`);
  }
  assert.equal((await s.cli(['outbox', 'list', 'dead'])).code, 2);
});

test('ID16 mails that wait for an account go with it', async () => {
  await sink.refuse();
  const u = await s.register();
  await lineOf(u.email);
  await s.cliOk(['user', 'delete', u.email]);
  assert.ok(!(await list()).some((l) => l.includes('welcome') && l.includes(u.email)));
});

test('without a transport nothing is queued', async () => {
  const silent = await Server.start();
  try {
    await silent.register({ email: freshEmail(), password: freshPassword() });
    assert.equal(await silent.sql('SELECT count(*) FROM outbox'), '0');
    assert.equal(await silent.metric('outbox_waiting_mail'), 0);
  } finally {
    await silent.close();
  }
});

test('a stop lets nobody wait for a provider that is silent, and the mail is sent by the next start', async () => {
  const own = await SmtpSink.start();
  const t = await Server.start({ env: { ...own.env, SALLYPORT_SERVER_SHUTDOWN_TIMEOUT: '2s' }, clock: 'real' });
  try {
    own.faults.data = 'silence';
    const u = await t.register();
    await until(() => own.commands.includes('DATA'), 'the mail to be under way');
    const began = Date.now();
    await t.stop();
    assert.ok(Date.now() - began < 5000, `the stop took ${Date.now() - began} ms`);
    own.calm();
    own.mails.length = 0;
    await t.launch();
    await own.mail(u.email);
    assert.equal(t.events('outbox_leases_released').length, 1);
  } finally {
    await t.close();
    await own.close();
  }
});
