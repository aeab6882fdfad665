// login.test.mjs — signing in with a password: what it answers, old hashes, load.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, test } from 'node:test';
import { ERR } from '../lib/control.mjs';
import { claimsOf, freshEmail, freshPassword, Server } from '../lib/server.mjs';

let s;

/* Made once with libxcrypt, cost 10. */
const BCRYPT = {
  'imported phrase 5': '$2b$10$hLkMac7WJCDilKKRozkTQu6oIM/0MyvTkfRTfcXGF5k38Wh1NDH9u',
  ['k9 '.repeat(24)]: '$2b$10$RXjHgfoQ2nc13JxMNIV0m.Xg95XMLG5OHw5NkoMf1EujHpBM5Zdka',
  'cafe\u0301 noir 77': '$2b$10$.1AZS2R15hn8zbmmTfq2r.NRFe.h1xY6Brt0T85cqQ78l0x4UZjHG',
};

before(async () => (s = await Server.start({ env: { TEST_HASH: 'real' } })));
after(() => s.close());

/* An account with a hash of another system, put into the store while the server is down. */
async function importUser(email, hash) {
  const uid = crypto.randomBytes(16).toString('hex');
  await s.sql(`INSERT INTO user (uid, email, email_key, password_hash, created_ms)
    VALUES (x'${uid}', '${email}', '${email}', ${hash === null ? 'NULL' : `'${hash}'`}, ${s.now})`);
  return email;
}

async function importUsers(rows) {
  await s.stop();
  for (const [email, hash] of rows) await importUser(email, hash);
  await s.launch();
}

const hashOf = (email) => s.sql(`SELECT password_hash FROM user WHERE email_key = '${email}'`);

test('signing in answers tokens in the body and sets no cookie', async () => {
  const u = await s.register();
  const r = await s.login(u.email, u.password);
  assert.equal(r.status, 200);
  assert.deepEqual(Object.keys(r.json), ['success', 'accessToken', 'refreshToken', 'deviceToken']);
  assert.equal(r.json.success, true);
  assert.equal(r.headers['set-cookie'], undefined);
});

test('the address is compared without case and surrounding blanks', async () => {
  const u = await s.register({ email: freshEmail('Mixed') });
  for (const email of [u.email, u.email.toUpperCase(), u.email.toLowerCase(), `  ${u.email} `])
    assert.equal((await s.login(email, u.password)).status, 200, email);
});

test('a wrong or missing password and an unknown address are the same 401', async () => {
  const u = await s.register();
  const expected = { error: 'Invalid credentials', message: 'Invalid credentials', code: 'INVALID_CREDENTIALS' };
  const bodies = [{ email: u.email, password: 'wrong-wrong-wrong' }, { email: u.email, password: '' }, { email: u.email },
    { email: freshEmail(), password: u.password }, { email: 'not an address', password: u.password }, { password: u.password }, {}];
  for (const body of bodies) {
    const r = await s.post('/auth/login', body, { strategy: 'bearer' });
    assert.equal(r.status, 401, JSON.stringify(body));
    assert.deepEqual(r.json, expected);
  }
});

test('a sign-in is noted in the record, in the claims and in the audit', async () => {
  const u = await s.register();
  s.advance(5000);
  const { accessToken } = await s.signIn(u);
  const c = claimsOf(accessToken);
  assert.equal(Date.parse((await s.me(accessToken)).json.lastLogin), s.now);
  assert.equal(c.auth_time, s.now / 1000);
  assert.deepEqual(c.amr, ['pwd']);
  await s.login(u.email, 'wrong-wrong-wrong');
  const events = await s.sql(`SELECT group_concat(event, ' ') FROM (SELECT event FROM audit WHERE hex(user_uid) = upper('${u.id.replaceAll('-', '')}') ORDER BY id)`);
  assert.equal(events, 'user.created login.ok login.failed');
});

test('PW03 a bcrypt import signs in and is argon2id from then on', async () => {
  const password = 'imported phrase 5';
  const email = freshEmail('bcrypt');
  await importUsers([[email, BCRYPT[password]]]);
  assert.equal((await s.login(email, 'imported phrase 6')).status, 401);
  assert.match(await hashOf(email), /^\$2b\$10\$/, 'a wrong password changes nothing');

  assert.equal((await s.login(email, password)).status, 200);
  assert.match(await hashOf(email), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.equal((await s.login(email, password)).status, 200);
});

test('PW03 a hash that cannot be renewed does not fail the sign-in, nor is anything half written', async () => {
  const password = 'imported phrase 5', email = freshEmail('norehash');
  await importUsers([[email, BCRYPT[password]]]);
  for (let n = 1; n < 40; n++) { // each store call of the sign-in fails once
    s.control.set('STORE_FAIL_CODE', ERR.ERR_STORE);
    s.control.set('STORE_FAIL_AT', n);
    const r = await s.login(email, password);
    const left = s.control.get('STORE_FAIL_AT');
    s.control.calm();
    assert.match(await hashOf(email), /^\$2b\$10\$|^\$argon2id\$/);
    if (left > 0) { // fewer calls than n: nothing failed
      assert.equal(r.status, 200);
      assert.match(await hashOf(email), /^\$argon2id\$/);
      return;
    }
    assert.equal(r.status, 500, r.text);
    assert.match(await hashOf(email), /^\$2b\$10\$/);
    s.advance(1000_000); // past the waits of the failures just counted
  }
  assert.fail('the sign-in never got through');
});

test('PW04 bcrypt is checked on exactly the bytes it covers, new passwords in full', async () => {
  const head = 'k9 '.repeat(24); // 72 bytes
  const email = freshEmail('long');
  await importUsers([[email, BCRYPT[head]]]);
  // What the old system accepted goes on: it never looked past byte 72.
  assert.equal((await s.login(email, `${head}tail one`)).status, 200);
  // Its word is good for 72 bytes: whatever came behind them must not become what the owner has to know.
  assert.match(await hashOf(email), /^\$2b\$/);
  assert.equal((await s.login(email, `${head}tail two`)).status, 200);
  const { accessToken } = await s.signIn({ email, password: head }), newPassword = `${head}chosen anew`;
  assert.equal((await s.post('/auth/change-password', { currentPassword: head, newPassword }, { token: accessToken })).status, 200);
  assert.equal((await s.login(email, `${head}chosen aneW`)).status, 401, 'new passwords are seen whole');
  assert.equal((await s.login(email, newPassword)).status, 200);
});

test('PW04 passwords that differ at byte 90 belong to different users', async () => {
  const common = Array.from({ length: 90 }, (_, i) => String.fromCharCode(97 + (i * 7) % 26)).join('');
  const a = await s.register({ password: `${common}first000` }), b = await s.register({ password: `${common}second00` });
  assert.equal((await s.login(a.email, b.password)).status, 401);
  assert.equal((await s.login(b.email, a.password)).status, 401);
  await s.signIn(a);
  await s.signIn(b);
});

test('PW08 an import that was made of decomposed letters still signs in', async () => {
  const nfd = 'cafe\u0301 noir 77', email = freshEmail('nfd');
  await importUsers([[email, BCRYPT[nfd]]]);
  assert.equal((await s.login(email, nfd)).status, 200);
  assert.equal((await s.login(email, nfd.normalize('NFC'))).status, 200, 'after the new hash both forms do');
});

test('an account without a password, or with a hash nobody knows, lets nobody in', async () => {
  const none = freshEmail('none'), odd = freshEmail('odd'), empty = freshEmail('empty');
  await importUsers([[none, null], [odd, '$9$unknown$scheme'], [empty, '']]);
  const reference = await s.login(freshEmail(), 'whatever it may be');
  for (const email of [none, odd, empty])
    for (const password of ['', 'whatever it may be', '$9$unknown$scheme']) {
      const r = await s.login(email, password);
      assert.equal(r.shape, reference.shape, `${email} ${password}`);
    }
});

test('PW13 five hundred parallel sign-ins: all are answered, and health checks stay quick', async (t) => {
  const storm = await Server.start();
  t.after(() => storm.close());
  const u = await storm.register();
  await storm.stop();
  const hash = await storm.sql(`SELECT password_hash FROM user WHERE email_key = '${u.email}'`);
  await storm.sql('BEGIN;' + Array.from({ length: 500 }, (_, i) => `INSERT INTO user (uid, email, email_key, password_hash, created_ms)
    VALUES (randomblob(16), 'storm${i}@example.test', 'storm${i}@example.test', '${hash}', 1);`).join('') + 'COMMIT;');
  await storm.launch();

  let running = true;
  const health = [];
  const probing = (async () => {
    while (running) {
      const start = process.hrtime.bigint();
      assert.equal((await storm.get('/healthz')).status, 200);
      health.push(Number(process.hrtime.bigint() - start) / 1e6);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  const start = process.hrtime.bigint();
  const answers = await Promise.all(Array.from({ length: 500 }, (_, i) => storm.login(`storm${i}@example.test`, u.password)));
  const ms = Number(process.hrtime.bigint() - start) / 1e6;
  running = false;
  await probing;

  const count = {};
  for (const r of answers) count[r.status] = (count[r.status] ?? 0) + 1; // 429 and 503 carry Retry-After: checkAnswer
  health.sort((a, b) => a - b);
  const p99 = health[Math.floor(health.length * 0.99)];
  t.diagnostic(`answers ${JSON.stringify(count)} in ${ms.toFixed(0)} ms; /healthz p50 ${health[health.length >> 1].toFixed(1)} ms, p99 ${p99.toFixed(1)} ms of ${health.length}`);
  assert.deepEqual(Object.keys(count).filter((k) => !['200', '429', '503'].includes(k)), []);
  assert.ok(count[200] >= 20, 'some got in');
  assert.ok(p99 < 1000, `p99 of /healthz ${p99} ms`);
  assert.equal((await storm.login('storm0@example.test', u.password)).status, 200, 'afterwards all is as before');
});
