// budgets.test.mjs — strangers use up nobody's messages, and make the server keep only so much: what stands in the table
// of docs/threat-model.md. Networks are chosen through X-Forwarded-For behind a trusted proxy.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { freshNumber, startDelivering, SUBJECT } from '../lib/delivery.mjs';
import { FakeProvider } from '../lib/fake_provider.mjs';
import { source } from '../lib/paths.mjs';
import { examplePath, routes } from '../lib/routes.mjs';
import { freshEmail, HOUR, MINUTE, until } from '../lib/server.mjs';

/* The budgets of messages as they are by default; all others so small that a test gets to their end. */
const SMALL = Object.fromEntries(['REGISTER_PER_HOUR', 'NETWORK_FREE', 'SIGN_INS_PER_HOUR', 'OAUTH_PER_10MIN', 'BAD_TOKENS'].map((name) => [`SALLYPORT_LIMITS_${name}`, '5']));
const DEFAULTS = { MAIL_PER_10MIN: '3', MAIL_PER_DAY: '10', MAIL_NETWORK_PER_HOUR: '20', SMS_PER_HOUR: '5', SMS_PER_DAY: '10', SMS_NETWORK_PER_HOUR: '10', SMS_RANGE_PER_HOUR: '20', SMS_TOTAL_PER_DAY: '1000', RESEND: '60s' };
const MESSAGES = Object.fromEntries(Object.entries(DEFAULTS).map(([name, value]) => [`SALLYPORT_LIMITS_${name}`, value]));
const PROXIED = { SALLYPORT_SERVER_TRUSTED_PROXIES: '127.0.0.1', SALLYPORT_SMS_COUNTRIES: 'any', SALLYPORT_SMS_REQUIRE_PROOF: 'false' };

let d, s, provider;

before(async () => {
  provider = await FakeProvider.start();
  d = await startDelivering({ env: { ...PROXIED, ...MESSAGES, ...provider.env(), SALLYPORT_OAUTH_ALLOW_PRIVATE: 'true', SALLYPORT_VERIFICATION_MODE: 'lazy' } });
  s = d.s;
});
after(async () => {
  await d.close();
  provider.close();
});

let lastNetwork = 0;
const freshNetwork = () => `198.18.${++lastNetwork >> 8}.${lastNetwork & 255}`;
const from = (ip = freshNetwork(), more = {}) => ({ headers: { 'X-Forwarded-For': ip }, strategy: 'bearer', ...more });
const settled = () => until(async () => (await s.sql('SELECT count(*) FROM outbox WHERE dead = 0')) === '0', 'the outbox to be empty');

async function mailsTo(email, subject) {
  await settled();
  return d.mail.mailsTo(email).filter((m) => m.parsed.subject === subject).length;
}

/* Wishes of strangers from ever new networks, until none is heard any more. */
async function exhaust(wish) {
  for (let i = 0; i < 12; i++) {
    assert.equal((await wish(from())).status, 200);
    s.advance(i % 3 === 2 ? 10 * MINUTE : 61_000);
  }
}

const forgot = (email, options, more) => s.post('/auth/forgot-password', { email, ...more }, options);
const magic = (email, options, more) => s.post('/auth/magic-link/send', { email, ...more }, options);
const again = (email, options, more) => s.post('/auth/send-verification-email', { email, ...more }, options);

test('BF04 strangers who use up one kind of mail take nothing from another', async () => {
  const u = await s.register();
  await exhaust((o) => magic(u.email, o));
  const before = await mailsTo(u.email, SUBJECT.magic);
  await magic(u.email, from());
  assert.equal(await mailsTo(u.email, SUBJECT.magic), before, 'that kind is at its end');
  await forgot(u.email, from());
  assert.equal(await mailsTo(u.email, SUBJECT.reset), 1, 'the reset is still sent');
});

test('BF04 a known device, or a live session, is sent what strangers have used up, from the same network too', async () => {
  for (const [wish, subject] of [[forgot, SUBJECT.reset], [magic, SUBJECT.magic], [again, SUBJECT.verify]]) {
    const u = await s.signedIn(), other = await s.signedIn(), ip = freshNetwork();
    await exhaust((o) => wish(u.email, o));
    for (let i = 0; i < 25; i++) await wish(freshEmail('nobody'), from(ip)); // the network's own is used up too
    const sent = () => mailsTo(u.email, subject);
    const before = await sent();
    await wish(u.email, from(ip));
    await wish(u.email, from(ip, { token: other.accessToken }), { deviceToken: other.deviceToken });
    assert.equal(await sent(), before, `${subject}: not to strangers, nor who holds another account`);
    await wish(u.email, from(ip), { deviceToken: u.deviceToken });
    assert.equal(await sent(), before + 1, `${subject}: the known device`);
    s.advance(61_000);
    const { accessToken } = (await s.refresh(u.refreshToken)).json;
    await wish(u.email, from(ip, { token: accessToken }));
    assert.equal(await sent(), before + 2, `${subject}: the live session`);
    for (let i = 0; i < 12; i++) {
      s.advance(61_000);
      await wish(u.email, from(ip), { deviceToken: u.deviceToken });
    }
    assert.ok(await sent() <= before + 10, `${subject}: known devices have a budget as well`);
  }
});

test('BF04 the same for text messages', async () => {
  const u = await s.signedIn(), phoneNumber = freshNumber();
  assert.equal((await s.post('/auth/add-phone', { phoneNumber }, from(undefined, { token: u.accessToken }))).status, 200);
  const sms = (o, more) => s.post('/auth/sms/send', { email: u.email, ...more }, o);
  await exhaust((o) => sms(o));
  const sent = async () => (await settled(), d.sms.to(phoneNumber).length);
  const before = await sent();
  await sms(from());
  assert.equal(await sent(), before);
  await sms(from(), { deviceToken: u.deviceToken });
  assert.equal(await sent(), before + 1);
});

test('a network over its limit of mails writes one row an hour, whatever it asks for', async () => {
  const rows = () => s.sql('SELECT (SELECT count(*) FROM audit) + (SELECT count(*) FROM attempt)').then(Number);
  for (const path of ['/auth/forgot-password', '/auth/magic-link/send', '/auth/send-verification-email']) {
    const ip = freshNetwork(), ask = (email = freshEmail('nobody')) => s.post(path, { email }, from(ip));
    for (let i = 0; i < 21; i++) assert.equal((await ask()).status, 200);
    const before = await rows(), reference = (await ask()).shape;
    const u = await s.register();
    const known = await rows();
    for (let i = 0; i < 60; i++) assert.equal((await ask(i % 2 ? u.email : undefined)).shape, reference, 'the answer does not tell');
    assert.equal(await rows(), known, `${path}: nothing was written`);
    assert.ok(known >= before);
    assert.equal(await s.sql(`SELECT count(*) FROM audit WHERE detail = 'limited' AND ip = '${ip.replace(/\d+$/, '0')}' AND at_ms >= ${s.now - 1000}`), '1');
    s.advance(HOUR + 1000);
    await ask(freshEmail('nobody'));
    assert.equal(await rows(), known + 4, 'the next hour is heard again'); // audit, and three budgets of the recipient
  }
});

/* ---- what one network can make the server keep ---- */

const TABLE = source('docs/threat-model.md').split('\n').filter((line) => /^\| `(GET|POST)/.test(line)).map((line) => {
  const [requests, budget, rows, day] = line.split('|').slice(1).map((cell) => cell.trim());
  return { requests: [...requests.matchAll(/`((?:GET|POST) \S+)`/g)].map((m) => m[1]), budget, rows: Number(rows), day: Number(day.replaceAll(',', '')) };
});
const PUBLIC = new Set(['PUBLIC', 'SIGN_IN', 'SESSION', 'MAYBE', 'GUEST', 'SETUP', 'BROWSER']);
const nameOf = (route) => `${route.method} ${route.place === 'PREFIX' ? '{prefix}' : ''}${route.pattern}`;

test('every public request stands in the table of what a network can make the server keep', () => {
  assert.deepEqual(TABLE.flatMap((row) => row.requests).sort(), routes.filter((r) => PUBLIC.has(r.auth)).map(nameOf).sort());
  const window = { 'an hour': 24, 'in ten minutes': 144 };
  for (const row of TABLE) {
    const m = row.budget.match(/(\d+) (an hour|in ten minutes)/);
    if (m !== null) assert.equal(row.day, Number(m[1]) * window[m[2]] * row.rows, row.requests.join());
    else assert.equal(row.day === 0, row.rows === 0, row.requests.join());
  }
});

const TABLES = ['user', 'session', 'attempt', 'audit', 'onetime', 'outbox', 'place', 'recovery', 'linked_account', 'pending_link', 'oauth_flow', 'oauth_ott', 'oauth_used', 'oauth_grant', 'oauth_revoke'];

/* Requests of a stranger that make the server write as much as any: the i-th. Others send junk. */
const GARBAGE = { token: '0'.repeat(64), tempToken: '0'.repeat(64), refreshToken: 'x.y', code: '123456', totpCode: '123456', ott: 'x', codeVerifier: 'x', idToken: 'a.b.c', nonce: 'n', password: 'a good phrase 7', secret: 'A' };
const worst = (known) => ({
  'POST {prefix}/register': () => ({ email: freshEmail(), password: 'a good phrase 7' }),
  'POST {prefix}/login': (i) => (i % 2 === 0 ? { email: known.email, password: known.password } : { email: freshEmail('nobody'), password: 'x' }),
  'POST {prefix}/forgot-password': (i) => ({ email: i % 2 ? known.email : freshEmail('nobody') }),
  'POST {prefix}/send-verification-email': () => ({ email: freshEmail('nobody') }),
  'POST {prefix}/magic-link/send': (i) => ({ email: i % 2 ? known.email : freshEmail('nobody'), type: 'both' }),
  'POST {prefix}/sms/send': (i) => ({ email: i % 2 ? known.email : freshEmail('nobody') }),
  'POST {prefix}/magic-link/verify': () => ({ email: freshEmail('nobody'), code: '123456' }),
  'POST {prefix}/sms/verify': () => ({ email: freshEmail('nobody'), code: '123456' }),
  'POST {prefix}/guest': () => undefined,
  'GET {prefix}/oauth/{provider}': () => undefined,
});

test('a network at the end of its budgets makes the server keep nothing more, by whatever public request', async (t) => {
  const own = await startDelivering({ env: { ...PROXIED, ...MESSAGES, ...provider.env(), ...SMALL, SALLYPORT_GUEST_ENABLED: 'true', SALLYPORT_GUEST_PER_HOUR: '5',
    SALLYPORT_OAUTH_ALLOW_PRIVATE: 'true', SALLYPORT_VERIFICATION_MODE: 'lazy', SALLYPORT_LIMITS_ACCOUNT_FREE: '100' } });
  t.after(() => own.close());
  const known = await own.s.register();
  const count = async () => Object.fromEntries((await own.s.sql(TABLES.map((name) => `SELECT '${name}', count(*) FROM ${name}`).join(' UNION ALL '))).split('\n').map((l) => l.split('|')).map(([k, v]) => [k, Number(v)]));
  /* Rows that came; those that left (a mail that was sent) do not make up for others. */
  const grown = (a, b) => TABLES.reduce((sum, name) => sum + Math.max(0, b[name] - a[name]), 0);
  for (const route of routes.filter((r) => PUBLIC.has(r.auth))) {
    const row = TABLE.find((r) => r.requests.includes(nameOf(route))), ip = freshNetwork();
    const path = examplePath(route).replace(/(oauth\/)[0-9a-f-]{36}/, '$1fake');
    const body = worst(known)[nameOf(route)] ?? (() => GARBAGE);
    const send = (i) => own.s.request(route.method, path, { ...from(ip), ...(route.method === 'GET' ? {} : { json: body(i) }) });
    const budget = { 'limits.mail_network_per_hour': 20, 'limits.sms_network_per_hour': 10 }[row.budget.match(/`([^`]+)`/)?.[1]] ?? 7; // five, the one that is refused, and one more
    const first = await count();
    for (let i = 0; i < 24; i++) await send(i);
    const then = await count();
    assert.ok(grown(first, then) <= budget * row.rows + 3, `${nameOf(route)}: ${grown(first, then)} rows of ${budget} times ${row.rows}`);
    for (let i = 0; i < 12; i++) await send(i);
    assert.equal(grown(then, await count()), 0, `${nameOf(route)}: rows after the end of the budget`);
    if (nameOf(route) in worst(known)) assert.ok(grown(first, then) > 0, `${nameOf(route)} wrote something, so this shows something`);
  }
});

test('a provider sign-in that a network may not begin any more is told so, and others begin theirs', async (t) => {
  const own = await startDelivering({ env: { ...PROXIED, ...provider.env(), SALLYPORT_OAUTH_ALLOW_PRIVATE: 'true', SALLYPORT_LIMITS_OAUTH_PER_10MIN: '3' } });
  t.after(() => own.close());
  const ip = freshNetwork();
  const start = (at) => own.s.get('/auth/oauth/fake', { headers: { 'X-Forwarded-For': at, Accept: 'text/html' } });
  for (let i = 0; i < 3; i++) assert.match((await start(ip)).headers.location, /^http:\/\/127/);
  const r = await start(ip);
  assert.match(r.headers.location, /error=RATE_LIMITED/);
  assert.equal(await own.s.sql('SELECT count(*) FROM oauth_flow'), '3');
  assert.match((await start(freshNetwork())).headers.location, /^http:\/\/127/);
  own.s.advance(10 * MINUTE);
  assert.match((await start(ip)).headers.location, /^http:\/\/127/);
});

test('sign-ins of a network have a budget, known devices one of their own', async (t) => {
  const own = await startDelivering({ env: { ...PROXIED, SALLYPORT_LIMITS_SIGN_INS_PER_HOUR: '3' } });
  t.after(() => own.close());
  const u = await own.s.register(), ip = freshNetwork();
  const login = (more = {}) => own.s.login(u.email, u.password, { ...from(ip), ...more });
  const { deviceToken } = (await login()).json;
  for (let i = 0; i < 2; i++) assert.equal((await login()).status, 200);
  const refused = await login();
  assert.deepEqual([refused.status, refused.json.code, refused.headers['retry-after']], [429, 'RATE_LIMITED', '3600']);
  assert.equal((await login({ deviceToken })).status, 200);
  assert.equal((await own.s.login(u.email, u.password, from())).status, 200, 'another network');
});
