// oauth_faults.test.mjs — providers that are down, slow, or answer what they should not: a clear error within 5 s, and
// nobody else waits.
import assert from 'node:assert/strict';
import net from 'node:net';
import { once } from 'node:events';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../lib/server.mjs';
import { AUTH, person, SITE, Social } from '../lib/social.mjs';

const plain = { headers: { Accept: 'application/json', 'Sec-Fetch-Mode': 'cors' } };
const html = (res) => { res.writeHead(200, { 'Content-Type': 'text/html' }); res.end('<html>sign in</html>'); };
const huge = (res) => { res.writeHead(200, { 'Content-Type': 'application/json' }); res.end(`{"access_token":"${'x'.repeat(10_000_000)}"}`); };
const garbage = (res) => { res.writeHead(200, { 'Content-Type': 'application/json' }); res.end('\u0000\u0001{{{'); };
const deep = (res) => { res.writeHead(200, { 'Content-Type': 'application/json' }); res.end('['.repeat(30_000)); };
const typed = (type) => (res) => { res.writeHead(200, { 'Content-Type': type }); res.end('{"access_token":"a","id_token":"b","keys":[]}'); };
const hangs = () => {};
const drips = (res) => { res.writeHead(200, { 'Content-Type': 'application/json' }); const t = setInterval(() => res.write(' '), 200); res.on('close', () => clearInterval(t)); };
const breaks = (res) => res.destroy();
const busy = (res) => { res.writeHead(503, { 'Content-Type': 'application/json' }); res.end('{}'); };

const FAULTS = { html, huge, garbage, deep, 'a wrong content type': typed('text/plain'), 'no members': (res, n, json) => json({}), 'a list': (res, n, json) => json([]), hangs, drips, breaks, busy };
/* Which refusal each endpoint's faults come to; down: what counts against the provider. */
const DOWN = new Set(['huge', 'hangs', 'drips', 'breaks', 'busy']);
const CODES = { '/token': 'OAUTH_TOKEN_EXCHANGE_FAILED', '/userinfo': 'OAUTH_PROFILE_FAILED' };

let t;
before(async () => (t = await Social.start({ env: { SALLYPORT_OAUTH_FAKE_TRUST_EMAIL: 'true' } })));
after(() => t.close());
beforeEach(() => {
  t.p.calm();
  t.p.person = person();
});

async function refused(of) {
  const { browser, callback } = await of.half(), start = Date.now();
  const r = await browser.ask(callback, plain);
  return { status: r.status, ...JSON.parse(r.text), ms: Date.now() - start };
}

/* Five failures would open the breaker: a success in between is not enough, so each kind has a server of its own. */
for (const [path, code] of Object.entries(CODES))
  for (const [kind, answer] of Object.entries(FAULTS))
    test(`OC13 REL-12 ${path} answers ${kind}: a clear error within 5 s, the next sign-in works`, async (tc) => {
      const of = DOWN.has(kind) ? await Social.start() : t;
      if (of !== t) tc.after(() => of.close());
      of.p.inToken = false;
      of.p.answer[path] = answer;
      const r = await refused(of);
      assert.deepEqual([r.status, r.code], DOWN.has(kind) ? [503, 'OAUTH_PROVIDER_UNAVAILABLE'] : [401, code]);
      assert.ok(r.ms < 15_000, `${r.ms} ms`);
      of.p.calm();
      of.p.person = person();
      assert.equal((await of.web()).url, `${SITE}/`);
    });

for (const [path, kinds] of [['/jwks', ['html', 'huge', 'garbage', 'no members', 'hangs']], ['/.well-known/openid-configuration', ['html', 'huge', 'garbage', 'deep', 'no members', 'hangs']]])
  for (const kind of kinds)
    test(`OC13 REL-12 ${path} answers ${kind}: a clear error within 5 s, the next sign-in works`, async (tc) => {
      const of = await Social.start();
      tc.after(() => of.close());
      of.p.answer[path] = FAULTS[kind];
      const start = Date.now(), r = await of.web();
      assert.equal(r.end.searchParams.get('error'), 'OAUTH_PROVIDER_UNAVAILABLE');
      assert.ok(Date.now() - start < 15_000, `${Date.now() - start} ms`); // 4.5 s, and a busy machine
      of.p.calm();
      assert.equal((await of.web()).url, `${SITE}/`);
    });

test('OC13 a provider that is down: the login page says so at once after a few failures, others go on', async (tc) => {
  const of = await Social.start();
  tc.after(() => of.close());
  const user = await of.s.register();
  const rests = () => of.s.metric('breaker_open_provider{provider="fake"}'), failures = () => of.s.sql("SELECT count(*) FROM audit WHERE event = 'oauth.failed'");
  assert.equal(await rests(), 0);
  of.p.answer['/token'] = breaks;
  for (let i = 0; i < 5; i++) assert.equal((await of.web()).end.searchParams.get('error'), 'OAUTH_PROVIDER_UNAVAILABLE');
  const asked = of.p.count('/token'), { browser, callback } = await of.half();
  const r = await refused(of);
  assert.deepEqual([r.code, of.p.count('/token')], ['OAUTH_PROVIDER_UNAVAILABLE', asked], 'the breaker is open: nobody is asked');
  assert.deepEqual([await rests(), await failures()], [1, '6'], 'and it is on record');
  for (const code of ['OAUTH_PROVIDER_UNAVAILABLE', 'OAUTH_STATE_INVALID']) assert.equal(JSON.parse((await browser.ask(callback, plain)).text).code, code, 'a state is used up in any case');
  assert.ok(r.ms < 3000, `${r.ms} ms`);
  assert.equal((await of.s.login(user.email, user.password)).status, 200);
  await until(() => of.s.events('provider_down').length === 1, 'the log to say so');
  of.p.calm();
  await until(async () => {
    const isUp = (await of.web()).url === `${SITE}/`;
    assert.equal(await rests(), isUp ? 0 : 1);
    return isUp;
  }, 'the breaker to close');
});

test('REL-12 keys are kept: a provider whose directory is down still signs people in', async (tc) => {
  const of = await Social.start();
  tc.after(() => of.close());
  assert.equal((await of.web()).url, `${SITE}/`);
  of.p.answer['/jwks'] = of.p.answer['/.well-known/openid-configuration'] = breaks;
  assert.equal((await of.web()).url, `${SITE}/`);
});

test('OC13 REL-12 a black hole: sign-ins by password do not wait, and its own requests end in a clear error', async (tc) => {
  const hole = net.createServer(() => {}).listen(0, '127.0.0.1');
  await once(hole, 'listening');
  tc.after(() => hole.close());
  const of = await Social.start({ env: { SALLYPORT_OAUTH_HOLE_ISSUER: `http://127.0.0.1:${hole.address().port}`, SALLYPORT_OAUTH_HOLE_CLIENT_ID: 'x', SALLYPORT_OAUTH_WORKERS: '2' } });
  tc.after(() => of.close());
  const user = await of.s.register();
  let pending = 60;
  const hanging = Array.from({ length: pending }, () => of.s.get('/auth/oauth/hole').finally(() => pending--));
  await sleep(100);
  for (let i = 0; i < 3; i++) assert.equal((await of.s.login(user.email, user.password)).status, 200);
  assert.ok(pending > 0, 'signed in while they hang');
  const answers = await Promise.all(hanging), codes = answers.map((r) => r.json.code);
  assert.ok(answers.every((r) => r.status === 503), codes.join());
  assert.ok(codes.every((c) => ['OVERLOADED', 'OAUTH_PROVIDER_UNAVAILABLE'].includes(c)), codes.join());
});

/* resolver.c: no answer for 60 s, and a failure at once. */
for (const zone of ['silent', 'failing'])
  test(`REL-13 a name server that is ${zone}: sign-ins by password do not wait, a provider's end within its time, mail stays in the outbox`, async (tc) => {
    const of = await Social.start({ env: { SALLYPORT_OAUTH_LOST_ISSUER: `https://provider.${zone}.test`, SALLYPORT_OAUTH_LOST_CLIENT_ID: 'x', SALLYPORT_MAIL_SMTP_URL: `smtp://mail.${zone}.test`, SALLYPORT_SERVER_SHUTDOWN_TIMEOUT: '1s' } });
    tc.after(() => of.close());
    let pending = 6;
    const begun = Date.now(), lost = Array.from({ length: pending }, () => of.s.get('/auth/oauth/lost').finally(() => pending--)), user = await of.s.register();
    for (let i = 0; i < 3; i++) assert.equal((await of.s.login(user.email, user.password)).status, 200);
    if (zone === 'silent') assert.ok(pending > 0, 'signed in while they wait');
    assert.equal((await of.web()).url, `${SITE}/`);
    assert.ok((await Promise.all(lost)).every((r) => r.json.code === 'OAUTH_PROVIDER_UNAVAILABLE'));
    await until(async () => (await of.s.cliOk(['outbox', 'list'])).stdout.includes(user.email), 'the mail to wait');
    const stopping = Date.now();
    await of.s.stop();
    assert.ok(Date.now() - begun < 50_000, `${stopping - begun} ms, ${Date.now() - stopping} ms`);
  });

test('one provider that hangs leaves threads for the others', async (tc) => {
  const hole = net.createServer(() => {}).listen(0, '127.0.0.1');
  await once(hole, 'listening');
  tc.after(() => hole.close());
  const of = await Social.start({ env: { SALLYPORT_OAUTH_HOLE_ISSUER: `http://127.0.0.1:${hole.address().port}`, SALLYPORT_OAUTH_HOLE_CLIENT_ID: 'x' } });
  tc.after(() => of.close());
  let pending = 6;
  const hanging = Array.from({ length: pending }, () => of.s.get('/auth/oauth/hole').finally(() => pending--));
  await sleep(100);
  assert.equal((await of.web()).url, `${SITE}/`);
  assert.ok(pending > 0, 'signed in while they hang');
  assert.ok((await Promise.all(hanging)).every((r) => r.json.code === 'OAUTH_PROVIDER_UNAVAILABLE'));
});

test('providers on this machine are not asked unless the settings allow it, and are never named in an answer', async (tc) => {
  const r = await t.s.cli(['check-config'], { env: { SALLYPORT_OAUTH_ALLOW_PRIVATE: 'false' } });
  assert.equal(r.code, 3);
  assert.match(r.stderr, /is not https, which takes oauth\.allow_private/);
  const of = await Social.start({ env: { SALLYPORT_OAUTH_ALLOW_PRIVATE: 'false', SALLYPORT_OAUTH_FAKE_ISSUER: 'https://127.0.0.1:1/x' } });
  tc.after(() => of.close());
  const answer = await of.s.get('/auth/oauth/fake');
  assert.deepEqual([answer.status, answer.json.code], [503, 'OAUTH_PROVIDER_UNAVAILABLE']);
  const line = await until(() => of.s.events('provider_failed')[0], 'the log to say why');
  assert.equal(line.problem, 'the host has no public address');
});

test('a server that stops does not wait for a provider longer than for anything', async (tc) => {
  const of = await Social.start({ env: { SALLYPORT_SERVER_SHUTDOWN_TIMEOUT: '1s' } });
  tc.after(() => of.close());
  of.p.answer['/token'] = hangs;
  const { browser, callback } = await of.half();
  const waiting = browser.ask(callback, plain).catch(() => null);
  await until(() => of.p.count('/token') === 1, 'the exchange to be under way');
  const start = Date.now();
  await of.s.stop();
  assert.ok(Date.now() - start < 15_000); // 1 s, and a busy machine
  await waiting;
});
