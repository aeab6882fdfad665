// factor.test.mjs — the second factor by authenticator app, and recovery codes: set up, asked for, counted,
// lost and switched off.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import zlib from 'node:zlib';
import { Authenticator, confirm, handleOf, setUp, verify, withTotp } from '../lib/authenticator.mjs';
import { Mailed, RESET, RESET_ASKED, VERIFY } from '../lib/mailed.mjs';
import { examplePath, routes } from '../lib/routes.mjs';
import { claimsOf, DAY, freshEmail, freshPassword, HOUR, MINUTE, Server } from '../lib/server.mjs';

const STEP = 30_000;
const FACTOR_CHANGED = 'Your second factor was changed', FACTOR_REMOVED = 'Your second factor was removed', RECOVERY_USED = 'A recovery code was used';
const WRONG = [401, 'INVALID_TOTP_CODE', 'Invalid TOTP code'];
const NO_HANDLE = [401, 'INVALID_ACCESS_TOKEN', 'Invalid or expired access token'];
const SETUP_WRONG = [400, 'INVALID_TOTP_CODE', 'Invalid TOTP code'];
const REAUTH = [403, 'REAUTH_REQUIRED', 'Please sign in again, or send your current password'];
const LIMITED = [429, 'RATE_LIMITED', 'Too many requests, please try again later.'];
const refusal = (r) => [r.status, r.json.code, r.json.error];
const refused = (r, want, what) => assert.deepEqual(refusal(r), want, what ?? r.text);
const hexOf = (u) => u.id.replaceAll('-', '').toUpperCase();

// Second factors as the defaults have them; budgets so wide that no test meets them.
const ENV = { SALLYPORT_PASSWORD_MAX_WAIT: '60s', SALLYPORT_LIMITS_ACCOUNT_FREE: '100', SALLYPORT_LIMITS_MAIL_PER_10MIN: '1000', SALLYPORT_LIMITS_MAIL_PER_DAY: '1000', SALLYPORT_LIMITS_RESEND: '0s' };
let m, s;

before(async () => {
  m = await Mailed.start({ env: ENV });
  s = m.s;
});
after(() => m.close());

const start = async (t, env, options) => {
  const one = await Server.start({ env: { ...ENV, ...env }, ...options });
  t.after(() => one.close());
  return one;
};
const armed = async (on = s, over) => withTotp(on, await on.signedIn(over));
const disable = (u, json = {}, on = s) => on.post('/auth/2fa/disable', json, { token: u.accessToken });
const newCodes = (u, json = {}, on = s) => on.post('/auth/2fa/recovery-codes', json, { token: u.accessToken });
const isOn = async (token, on = s) => (await on.me(token)).json.isTotpEnabled;
const eventsOf = async (u, like, on = s) => (await on.sql(`SELECT event || coalesce(' (' || detail || ')', '') FROM audit WHERE hex(user_uid) = '${hexOf(u)}' AND event LIKE '${like}' ORDER BY id`)).split('\n').filter(Boolean);
const signIn = async (u, json, on = s) => {
  const r = await verify(on, { tempToken: await handleOf(on, u), ...json });
  assert.equal(r.status, 200, r.text);
  return { ...u, ...r.json };
};
/* Signed in with the app, longer ago than a sensitive action likes. */
const stale = async (on = s) => {
  const u = await armed(on);
  on.advance(10 * MINUTE + 1);
  return u;
};

/* ---- set up ---- */

/* ISO 3309, as PNG has it; zlib.crc32 came with a Node.js younger than Debian's. */
function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/* The pixels of a 1-bit grayscale PNG as rows of 0 (dark) and 1; checks the container on the way. */
function pixelsOf(dataUrl) {
  const [, base64] = dataUrl.match(/^data:image\/png;base64,([A-Za-z0-9+/]+=*)$/);
  const png = Buffer.from(base64, 'base64');
  assert.equal(png.subarray(0, 8).toString('hex'), '89504e470d0a1a0a');
  const chunks = {};
  let at = 8;
  while (at < png.length) {
    const n = png.readUInt32BE(at), type = png.toString('latin1', at + 4, at + 8);
    assert.equal(png.readUInt32BE(at + 8 + n), crc32(png.subarray(at + 4, at + 8 + n)), type);
    chunks[type] = Buffer.concat([chunks[type] ?? Buffer.alloc(0), png.subarray(at + 8, at + 8 + n)]);
    at += 12 + n;
  }
  const width = chunks.IHDR.readUInt32BE(0), height = chunks.IHDR.readUInt32BE(4);
  assert.deepEqual([...chunks.IHDR.subarray(8)], [1, 0, 0, 0, 0], '1 bit, grayscale, not interlaced');
  assert.equal(chunks.IEND.length, 0);
  const line = 1 + Math.ceil(width / 8), raw = zlib.inflateSync(chunks.IDAT);
  assert.equal(raw.length, line * height);
  const rows = [];
  let above = Buffer.alloc(line - 1);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * line], row = Buffer.from(raw.subarray(y * line + 1, (y + 1) * line));
    for (let x = 0; x < row.length; x++) {
      const left = x > 0 ? row[x - 1] : 0, up = above[x], upLeft = x > 0 ? above[x - 1] : 0;
      const p = left + up - upLeft, [a, b, c] = [left, up, upLeft].map((v) => Math.abs(p - v));
      row[x] += [0, left, up, (left + up) >> 1, a <= b && a <= c ? left : b <= c ? up : upLeft][filter];
    }
    rows.push(Array.from({ length: width }, (_, x) => (row[x >> 3] >> (7 - (x & 7))) & 1));
    above = row;
  }
  return rows;
}

test('set up: a secret of 32 characters, the address for authenticator apps, and a picture of it', async (t) => {
  const one = await start(t, { SALLYPORT_TOTP_ISSUER: 'Übung & Co = 100%' });
  const u = await one.signedIn({ email: `ada+${freshEmail()}` });
  const r = await setUp(one, u.accessToken);
  assert.equal(r.status, 200, r.text);
  assert.deepEqual(Object.keys(r.json), ['secret', 'otpauthUrl', 'qrCode']);
  assert.match(r.json.secret, /^[A-Z2-7]{32}$/);
  const issuer = encodeURIComponent('Übung & Co = 100%');
  assert.equal(r.json.otpauthUrl, `otpauth://totp/${issuer}:${encodeURIComponent(u.email)}?secret=${r.json.secret}&issuer=${issuer}`);
  const { totp } = new Authenticator(one, r.json.otpauthUrl);
  assert.deepEqual([totp.label, totp.issuer, totp.secret.base32, totp.digits, totp.period, totp.algorithm], [u.email, 'Übung & Co = 100%', r.json.secret, 6, 30, 'SHA1']);

  const rows = pixelsOf(r.json.qrCode);
  assert.equal(rows.length, rows[0].length);
  assert.equal((rows.length / 4 - 8 - 17) % 4, 0, 'a size that QR codes have');
  rows.forEach((row, y) => row.forEach((v, x) => {
    assert.equal(v, rows[y & ~3][x & ~3], 'modules are four pixels');
    if (y < 16 || x < 16 || y >= rows.length - 16 || x >= rows.length - 16) assert.equal(v, 1, 'four modules around it are white');
  }));
  for (const [x, y] of [[4, 4], [rows.length / 4 - 11, 4], [4, rows.length / 4 - 11]])
    assert.equal(rows.slice(y * 4, (y + 7) * 4).filter((_, i) => i % 4 === 0).map((row) => Array.from({ length: 7 }, (_, i) => row[(x + i) * 4]).join('')).join(), '0000000,0111110,0100010,0100010,0100010,0111110,0000000', 'a finder pattern');
});

test('a picture of a usual address is 196 pixels wide, and the site\'s name stands in for the issuer', async () => {
  const u = await s.signedIn({ email: 'ada@example.com' });
  const { json } = await setUp(s, u.accessToken);
  assert.equal(json.otpauthUrl, `otpauth://totp/Sallyport:ada%40example.com?secret=${json.secret}&issuer=Sallyport`);
  assert.equal(pixelsOf(json.qrCode).length, 196);
});

test('the longest address and issuer still make a picture', async (t) => {
  const one = await start(t, { SALLYPORT_TOTP_ISSUER: '界'.repeat(64) });
  const u = await one.signedIn({ email: `${'a+'.repeat(30)}@${'b.'.repeat(90)}example` });
  const r = await setUp(one, u.accessToken);
  assert.equal(r.status, 200, r.text);
  assert.ok(pixelsOf(r.json.qrCode).length > 300);
  assert.equal(r.json.otpauthUrl.length, 'otpauth://totp/:?secret=&issuer='.length + 2 * 64 * 9 + 32 + encodeURIComponent(u.email).length);
});

test('set up and proven: sign-ins ask for the code from then on, and clients see that it is on', async () => {
  const u = await s.signedIn(), elsewhere = await s.signIn(u);
  const { json: made } = await setUp(s, u.accessToken);
  assert.equal(await isOn(u.accessToken), false, 'not before it is proven');
  assert.equal((await s.login(u.email, u.password)).json.requiresTwoFactor, undefined);

  const app = new Authenticator(s, made.otpauthUrl);
  const done = await confirm(s, u.accessToken, { token: app.code(), secret: made.secret.toLowerCase() });
  assert.equal(done.status, 200, done.text);
  assert.deepEqual(Object.keys(done.json), ['success', 'recoveryCodes']);
  assert.equal(done.json.success, true);
  assert.equal(done.json.recoveryCodes.length, 10);
  assert.equal(new Set(done.json.recoveryCodes.map((c) => c.slice(0, 2))).size, 10);
  for (const code of done.json.recoveryCodes) assert.match(code, /^[A-Z2-7]{2}-[A-Z2-7]{5}-[A-Z2-7]{5}$/);

  assert.equal(await isOn(u.accessToken), true);
  assert.equal((await s.me(elsewhere.accessToken)).json.code, 'SESSION_REVOKED', 'other sessions end (F-11)');
  assert.equal(claimsOf(u.accessToken).isTotpEnabled, false);
  assert.equal(claimsOf((await s.refresh(u.refreshToken)).json.accessToken).isTotpEnabled, true, 'the next token says so');
  await m.sink.mail(u.email, { subject: FACTOR_CHANGED });
  assert.deepEqual(await eventsOf(u, 'factor.%'), ['factor.set (totp)']);
  assert.deepEqual(await eventsOf(u, 'recovery.%'), ['recovery.made']);

  s.advance(STEP);
  const r = await s.login(u.email, u.password);
  assert.deepEqual([r.status, r.json.requiresTwoFactor, r.json.available2faMethods, r.json.accessToken], [200, true, ['totp'], undefined]);
  const tokens = await verify(s, { tempToken: r.json.tempToken, totpCode: app.code() });
  assert.equal(tokens.status, 200, tokens.text);
  assert.deepEqual(Object.keys(tokens.json), ['success', 'accessToken', 'refreshToken', 'deviceToken']);
  assert.deepEqual(claimsOf(tokens.json.accessToken).amr, ['pwd', 'otp', 'mfa']);
  const me = await s.me(tokens.json.accessToken);
  assert.equal(me.status, 200);
  assert.equal(Date.parse(me.json.lastLogin), s.now);
});

test('MF10 the seed is the server\'s: one that the client brings is refused, as is a code with nothing pending', async () => {
  const u = await s.signedIn();
  refused(await confirm(s, u.accessToken, { token: '123456', secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ' }), SETUP_WRONG, 'nothing pending');
  const { json: made } = await setUp(s, u.accessToken);
  const own = new Authenticator(s, 'otpauth://totp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'), app = new Authenticator(s, made.otpauthUrl);
  refused(await confirm(s, u.accessToken, { token: own.code(), secret: own.totp.secret.base32 }), SETUP_WRONG, 'a secret of one\'s own and its code');
  for (const secret of ['GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', `${made.secret}=`, ` ${made.secret}`, made.secret.slice(0, 31), `${made.secret}A`, '0'])
    refused(await confirm(s, u.accessToken, { token: app.code(), secret }), SETUP_WRONG, secret);
  assert.equal(await isOn(u.accessToken), false);
  assert.equal((await confirm(s, u.accessToken, { token: app.code() })).status, 200, 'it need not be sent');
});

test('what is no code is wrong at set-up, and other types are named', async () => {
  const u = await s.signedIn();
  await setUp(s, u.accessToken);
  for (const token of [undefined, '', '12345', '1234567', 'abcdef', '12345x', '-12345', '12 345'])
    refused(await confirm(s, u.accessToken, { token }), SETUP_WRONG, String(token));
  for (const token of [null, 123456, {}, [], true, '1'.repeat(129)]) assert.equal((await confirm(s, u.accessToken, { token })).json.code, 'VALIDATION_ERROR');
  for (const [json, token, want] of [[{}, undefined, [403, 'NO_ACCESS_TOKEN']], [{}, 'junk', [401, 'INVALID_ACCESS_TOKEN']], [{ tempToken: 'f'.repeat(64) }, undefined, [401, 'INVALID_ACCESS_TOKEN']], [{}, 'f'.repeat(64), [401, 'INVALID_ACCESS_TOKEN']]])
    for (const path of ['/auth/2fa/setup', '/auth/2fa/verify-setup'])
      assert.deepEqual(refusal(await s.post(path, json, { token, strategy: 'bearer' })).slice(0, 2), want, path);
});

test('a pending seed is good for ten minutes, and a newer one replaces it', async () => {
  const u = await s.signedIn();
  const first = new Authenticator(s, (await setUp(s, u.accessToken)).json.otpauthUrl), second = new Authenticator(s, (await setUp(s, u.accessToken)).json.otpauthUrl);
  refused(await confirm(s, u.accessToken, { token: first.code() }), SETUP_WRONG);
  s.advance(10 * MINUTE);
  refused(await confirm(s, u.accessToken, { token: second.code() }), SETUP_WRONG);
});

test('50 parallel proofs of one pending seed: one counts, and one set of recovery codes', async () => {
  const u = await s.signedIn();
  const app = new Authenticator(s, (await setUp(s, u.accessToken)).json.otpauthUrl);
  const all = await Promise.all(Array.from({ length: 50 }, () => confirm(s, u.accessToken, { token: app.code() })));
  assert.equal(all.filter((r) => r.status === 200).length, 1);
  for (const r of all) assert.ok([200, 400, 429].includes(r.status), r.text);
  assert.equal(await s.sql(`SELECT count(*) FROM recovery r JOIN user u ON u.id = r.user_id WHERE hex(u.uid) = '${hexOf(u)}'`), '10');
});

/* ---- asked for ---- */

test('MF01 the handle between two factors opens nothing: every route of the table refuses it', async () => {
  const u = await armed(), handle = await handleOf(s, u);
  for (const route of routes.filter((r) => !['PUBLIC', 'SIGN_IN', 'SESSION', 'GUEST'].includes(r.auth)))
    for (const json of [undefined, {}, { currentPassword: u.password }]) {
      const r = await s.request(route.method, examplePath(route), { token: handle, json: route.body ? json : undefined, strategy: 'bearer' });
      refused(r, NO_HANDLE, `${route.method} ${route.path}`);
    }
  for (const path of ['/auth/2fa/setup', '/auth/2fa/verify-setup']) refused(await s.post(path, { tempToken: handle }, { strategy: 'bearer' }), NO_HANDLE, path);
  refused(await s.refresh(handle), [401, 'INVALID_REFRESH_TOKEN', 'Invalid or expired refresh token']);
  assert.equal((await verify(s, { tempToken: handle, totpCode: u.app.code() })).status, 200, 'and was good all the time');
});

test('MF02 nothing but a live handle is taken for one', async () => {
  const u = await armed(), tokens = await signIn(u, { totpCode: u.app.code() });
  s.advance(STEP);
  for (const tempToken of [undefined, null, '', 'junk', tokens.accessToken, tokens.refreshToken, tokens.deviceToken, 'f'.repeat(64), (await handleOf(s, u)).toUpperCase()])
    refused(await verify(s, { tempToken, totpCode: u.app.code() }), NO_HANDLE, String(tempToken));
  const old = await handleOf(s, u);
  s.advance(5 * MINUTE);
  refused(await verify(s, { tempToken: old, totpCode: u.app.code() }), NO_HANDLE, 'five minutes old');
  const used = await handleOf(s, u);
  assert.equal((await verify(s, { tempToken: used, totpCode: u.app.code() })).status, 200);
  s.advance(STEP);
  refused(await verify(s, { tempToken: used, totpCode: u.app.code() }), NO_HANDLE, 'used');
});

test('what is no code is a wrong one', async () => {
  const u = await armed();
  for (const totpCode of [undefined, null, '', '12345', '1234567', 'abcdef', `${u.app.code()}0`, '12345x'])
    refused(await verify(s, { tempToken: await handleOf(s, u), totpCode }), WRONG, String(totpCode));
  for (const totpCode of [123456, {}, [], true, '1'.repeat(129)]) assert.equal((await verify(s, { tempToken: await handleOf(s, u), totpCode })).json.code, 'VALIDATION_ERROR');
  assert.deepEqual((await eventsOf(u, 'factor.failed')).length, 8);
});

test('an account whose app is gone meanwhile has no second factor to ask for', async () => {
  const u = await armed(), tempToken = await handleOf(s, u);
  await disable(u);
  refused(await verify(s, { tempToken, totpCode: u.app.code() }), [400, '2FA_NOT_SET_UP', 'User not found or 2FA not set up']);
});

test('MF06 a code works once, and none of an earlier step after it', async () => {
  const u = await armed();
  const at = async (steps, want) => {
    const r = await verify(s, { tempToken: await handleOf(s, u), totpCode: u.app.code(steps) });
    assert.equal(r.status, want, `${steps}: ${r.text}`);
    if (want !== 200) refused(r, WRONG);
  };
  s.advance(STEP);
  await at(-2, 401);
  await at(2, 401);
  await at(-1, 200);
  await at(-1, 401);
  await at(0, 200);
  await at(0, 401);
  await at(-1, 401);
  await at(1, 200);
  await at(1, 401);
  await at(0, 401);
  s.advance(STEP);
  await at(0, 401); // what was one step ahead
  await at(1, 200);
});

test('MF06 the code that proved the app at set-up is used up too', async () => {
  const u = await s.signedIn();
  const app = new Authenticator(s, (await setUp(s, u.accessToken)).json.otpauthUrl), code = app.code();
  assert.equal((await confirm(s, u.accessToken, { token: code })).status, 200);
  refused(await verify(s, { tempToken: await handleOf(s, u), totpCode: code }), WRONG);
});

test('MF07 50 parallel verifies of one valid code: exactly one success, with one handle and with fifty', async () => {
  const u = await armed();
  for (const many of [false, true]) {
    s.advance(STEP);
    const handles = [];
    for (let i = 0; i < (many ? 50 : 1); i++) handles.push(await handleOf(s, u));
    const all = await Promise.all(Array.from({ length: 50 }, (_, i) => verify(s, { tempToken: handles[i % handles.length], totpCode: u.app.code() })));
    assert.equal(all.filter((r) => r.status === 200).length, 1, many ? 'fifty' : 'one');
    for (const r of all) assert.ok([200, 401, 429].includes(r.status), r.text);
    s.advance(DAY);
  }
});

test('MF08 five wrong codes burn the handle: the right one is refused then', async () => {
  const u = await armed(), tempToken = await handleOf(s, u);
  for (let i = 0; i < 5; i++) refused(await verify(s, { tempToken, totpCode: u.app.wrong(i) }), WRONG, `try ${i + 1}`);
  for (let i = 0; i < 3; i++) refused(await verify(s, { tempToken, totpCode: u.app.code() }), NO_HANDLE);
  assert.equal((await verify(s, { tempToken: await handleOf(s, u), totpCode: u.app.code() })).status, 200);
});

test('MF08 the identical repeat that clients send by themselves after a 401 is no second try', async () => {
  const u = await armed(), tempToken = await handleOf(s, u);
  for (let i = 0; i < 4; i++) for (let k = 0; k < 2; k++) refused(await verify(s, { tempToken, totpCode: u.app.wrong(i) }), WRONG);
  assert.equal((await verify(s, { tempToken, totpCode: u.app.code() })).status, 200);
});

test('MF09 at most 33 codes are looked at in a day, over all handles and all doors', async () => {
  const u = await armed(), started = s.now;
  let looked = 0, n = 0;
  while (s.now - started < 20 * HOUR) {
    const tempToken = await handleOf(s, u);
    for (let i = 0; i < 4; i++) {
      const r = await verify(s, { tempToken, totpCode: u.app.wrong(n++ % 900) });
      assert.ok([401, 429].includes(r.status), r.text);
      if (r.status === 401) looked++;
      else assert.ok(Number(r.headers['retry-after']) > 0);
    }
    s.advance(30 * MINUTE);
  }
  assert.equal(looked, 33);
  refused(await verify(s, { tempToken: await handleOf(s, u), totpCode: u.app.code() }), LIMITED, 'not even the right one');
  const { accessToken } = (await s.refresh(u.refreshToken)).json;
  refused(await s.post('/auth/2fa/disable', { totpCode: u.app.code() }, { token: accessToken }), LIMITED, 'nor at another door');
  refused(await verify(s, { tempToken: await handleOf(s, u), recoveryCode: u.codes[0] }), LIMITED, 'nor a recovery code');
  s.advance(5 * HOUR);
  assert.equal((await verify(s, { tempToken: await handleOf(s, u), totpCode: u.app.code() })).status, 200);
});

test('MF08 MF09 wrong codes at set-up, at switching off and when asked again who is there count too', async () => {
  const u = await stale();
  await s.post('/auth/2fa/setup', {}, { token: u.accessToken });
  for (let i = 0; i < 11; i++) {
    refused(await disable(u, { totpCode: u.app.wrong(i) }), WRONG);
    refused(await s.post('/auth/change-email/request', { newEmail: freshEmail(), totpCode: u.app.wrong(i) }, { token: u.accessToken }), WRONG);
    refused(await newCodes(u, { recoveryCode: 'AA-AAAAA-AAAAA' }), WRONG);
  }
  for (const r of [await disable(u, { totpCode: u.app.code() }), await newCodes(u, { totpCode: u.app.code() }), await setUp(s, u.accessToken, { totpCode: u.app.code() })]) refused(r, LIMITED);

  const v = await s.signedIn();
  const app = new Authenticator(s, (await setUp(s, v.accessToken)).json.otpauthUrl);
  for (let i = 0; i < 33; i++) refused(await confirm(s, v.accessToken, { token: app.wrong(i) }), SETUP_WRONG);
  refused(await confirm(s, v.accessToken, { token: app.code() }), LIMITED);
});

/* Limits as they are shipped. */
const limited = async (t) => {
  const one = await Mailed.start({ env: { ...ENV, SALLYPORT_LIMITS_ACCOUNT_FREE: undefined }, sink: m.sink });
  t.after(() => one.close());
  return one.s;
};
const waits = (r, seconds, what) => assert.deepEqual([...refusal(r), r.headers['retry-after']], [...LIMITED, `${seconds}`], what);
/* A wrong code under a handle of its own. */
const guess = async (on, u, n, deviceToken) => verify(on, { tempToken: await handleOf(on, u, { deviceToken }), totpCode: u.app.wrong(n) });

test('MF08 handle after handle, wrong codes make wait as wrong passwords do, and the right one gets in after the wait', async (t) => {
  const one = await limited(t), u = await armed(one);
  for (let i = 0; i < 5; i++) refused(await guess(one, u, i), WRONG, `${i + 1} is free`);
  let n = 5;
  for (const seconds of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]) {
    const tempToken = await handleOf(one, u);
    waits(await verify(one, { tempToken, totpCode: u.app.wrong(n) }), seconds);
    waits(await verify(one, { tempToken, totpCode: u.app.code() }), seconds, 'the right one too');
    one.advance(seconds * 1000 - 1);
    waits(await verify(one, { tempToken: await handleOf(one, u), totpCode: u.app.code() }), 1, 'a moment before');
    one.advance(1);
    refused(await guess(one, u, n++), WRONG, `after ${seconds} s`);
  }
  await one.restart(); // what was counted is in the store
  const r = await verify(one, { tempToken: await handleOf(one, u), totpCode: u.app.code() });
  waits(r, 900);
  one.advance(900_000);
  await signIn(u, { totpCode: u.app.code() }, one);
  for (let i = 0; i < 5; i++) refused(await guess(one, u, i), WRONG, 'the right code ended the waits');
  waits(await guess(one, u, 5), 1);
});

test('MF08 a try that has to wait costs the handle nothing', async (t) => {
  const one = await limited(t), u = await armed(one);
  for (let i = 0; i < 5; i++) await guess(one, u, i);
  const tempToken = await handleOf(one, u);
  for (let i = 0; i < 10; i++) waits(await verify(one, { tempToken, totpCode: u.app.wrong(i) }), 1);
  one.advance(1000);
  assert.equal((await verify(one, { tempToken, totpCode: u.app.code() })).status, 200);
});

test('MF08 of two hundred wrong codes at once, under forty handles, five are looked at', async (t) => {
  const one = await limited(t), u = await armed(one);
  const handles = [];
  for (let i = 0; i < 40; i++) handles.push(await handleOf(one, u));
  const all = await Promise.all(handles.flatMap((tempToken, i) => [0, 1, 2, 3, 4].map((k) => verify(one, { tempToken, totpCode: u.app.wrong(5 * i + k) }))));
  assert.equal(all.filter((r) => r.status === 401).length, 5);
  for (const r of all) if (r.status !== 401) waits(r, 1);
});

test('MF08 wrong codes from elsewhere stop no known device, which has ten tries of its own', async (t) => {
  const one = await limited(t), u = await armed(one);
  const { deviceToken } = await signIn(u, { totpCode: u.app.code() }, one), stranger = await armed(one);
  const { deviceToken: other } = await signIn(stranger, { totpCode: stranger.app.code() }, one);
  for (let i = 0; i < 5; i++) refused(await guess(one, u, i), WRONG);
  waits(await guess(one, u, 5), 1);
  waits(await guess(one, u, 5, other), 1, 'a device of somebody else');
  for (let i = 0; i < 9; i++) refused(await guess(one, u, i, deviceToken), WRONG, `the device's ${i + 1}`);
  one.advance(STEP);
  for (let i = 0; i < 2; i++) await guess(one, u, i); // somebody elsewhere goes on
  waits(await guess(one, u, 3), 2);
  assert.equal((await verify(one, { tempToken: await handleOf(one, u, { deviceToken }), totpCode: u.app.code() })).status, 200);
  waits(await guess(one, u, 4), 2, 'whose waits the owner does not end');
  for (let i = 0; i < 10; i++) refused(await guess(one, u, i, deviceToken), WRONG, 'ten again');
  waits(await guess(one, u, 11, deviceToken), 2, 'then it is like any other');
});

test('MF08 the identical repeat counts for the account once', async (t) => {
  const one = await limited(t), u = await armed(one);
  for (let i = 0; i < 4; i++) {
    const tempToken = await handleOf(one, u);
    for (let k = 0; k < 2; k++) refused(await verify(one, { tempToken, totpCode: u.app.wrong(i) }), WRONG);
  }
  refused(await guess(one, u, 4), WRONG, 'the fifth');
  waits(await guess(one, u, 5), 1);
});

/* Every door that looks at a code of the app of somebody signed in: sends one. */
const DOORS = {
  'signing in': async (on, u, totpCode) => verify(on, { tempToken: await handleOf(on, u), totpCode }),
  'switching off': (on, u, totpCode) => disable(u, { totpCode }, on),
  'new recovery codes': (on, u, totpCode) => newCodes(u, { totpCode }, on),
  'asked again who is there': (on, u, totpCode) => on.post('/auth/change-email/request', { newEmail: freshEmail(), totpCode }, { token: u.accessToken }),
  'setting up another': (on, u, totpCode) => setUp(on, u.accessToken, { totpCode }),
};
for (const [door, send] of Object.entries(DOORS))
  test(`MF08 wrong codes at one door (${door}) make wait at all of them`, async (t) => {
    const one = await limited(t), u = await stale(one);
    for (let i = 0; i < 5; i++) refused(await send(one, u, u.app.wrong(i)), WRONG);
    for (const [other, knock] of Object.entries(DOORS)) waits(await knock(one, u, u.app.code()), 1, other);
    one.advance(1000);
    refused(await send(one, u, u.app.wrong(6)), WRONG);
    for (const [other, knock] of Object.entries(DOORS)) waits(await knock(one, u, u.app.code()), 2, other);
    one.advance(2000);
    assert.equal((await send(one, u, u.app.code())).status, 200, 'the right one, after the wait');
  });

test('MF08 wrong codes when an app is proven make wait too', async (t) => {
  const one = await limited(t), u = await one.signedIn();
  const app = new Authenticator(one, (await setUp(one, u.accessToken)).json.otpauthUrl);
  for (let i = 0; i < 5; i++) refused(await confirm(one, u.accessToken, { token: app.wrong(i) }), SETUP_WRONG);
  waits(await confirm(one, u.accessToken, { token: app.code() }), 1);
  one.advance(1000);
  refused(await confirm(one, u.accessToken, { token: app.wrong(6) }), SETUP_WRONG);
  waits(await confirm(one, u.accessToken, { token: app.code() }), 2);
  one.advance(2000);
  const done = await confirm(one, u.accessToken, { token: app.code() });
  assert.equal(done.status, 200, done.text);
  for (let i = 0; i < 5; i++) refused(await guess(one, { ...u, app }, i), WRONG, 'the right one ended the waits');
});

test('MF08 wrong recovery codes count with the others', async (t) => {
  const one = await limited(t), u = await armed(one);
  for (let i = 0; i < 5; i++) refused(await verify(one, { tempToken: await handleOf(one, u), recoveryCode: `AA-AAAAA-AAAA${'ABCDE'[i]}` }), WRONG);
  waits(await verify(one, { tempToken: await handleOf(one, u), recoveryCode: u.codes[0] }), 1);
  one.advance(1000);
  await signIn(u, { recoveryCode: u.codes[0] }, one);
  assert.equal(await one.sql(`SELECT count(*) FROM attempt WHERE penalties > 0`), '0');
});

test('right codes give back what they took', async () => {
  const u = await armed();
  for (let i = 0; i < 40; i++) {
    s.advance(STEP);
    await signIn(u, { totpCode: u.app.code() });
  }
});

test('MF21 a clock that steps back opens no used code again', async (t) => {
  const one = await start(t);
  const u = await armed(one);
  one.advance(20 * STEP);
  const code = u.app.code();
  await signIn(u, { totpCode: code }, one);
  one.advance(-MINUTE); // within what the clock's guard takes
  for (const steps of [-1, 0, 1]) refused(await verify(one, { tempToken: await handleOf(one, u), totpCode: u.app.code(steps) }), WRONG, `${steps}`);
  const tempToken = await handleOf(one, u);
  one.advance(-9 * MINUTE);
  for (const steps of [-1, 0, 1]) assert.equal((await verify(one, { tempToken, totpCode: u.app.code(steps) })).json.code, 'CLOCK');
  one.advance(10 * MINUTE);
  refused(await verify(one, { tempToken: await handleOf(one, u), totpCode: code }), WRONG);
  one.advance(STEP);
  await signIn(u, { totpCode: u.app.code() }, one);
});

/* ---- recovery codes ---- */

test('MF18 a recovery code works once, in either member, in any case, with or without dashes, and its owner hears of it', async () => {
  const u = await armed();
  const forms = [(c) => c, (c) => c.toLowerCase(), (c) => c.replaceAll('-', ''), (c) => c.replaceAll('-', ' ')];
  for (const [i, form] of forms.entries()) {
    const json = i % 2 ? { totpCode: form(u.codes[i]) } : { recoveryCode: form(u.codes[i]) };
    const r = await verify(s, { tempToken: await handleOf(s, u), ...json });
    assert.equal(r.status, 200, r.text);
    assert.deepEqual(claimsOf(r.json.accessToken).amr, ['pwd', 'recovery', 'mfa']);
    refused(await verify(s, { tempToken: await handleOf(s, u), ...json }), WRONG, 'used');
    const mail = await m.sink.mail(u.email, { subject: RECOVERY_USED });
    assert.match(mail.parsed.text, new RegExp(`Codes left: ${9 - i}\\.`));
    assert.ok(!mail.parsed.text.includes(u.codes[i]));
  }
  assert.deepEqual(await eventsOf(u, 'recovery.%'), ['recovery.made', 'recovery.used (9)', 'recovery.used (8)', 'recovery.used (7)', 'recovery.used (6)']);
  const v = await armed();
  refused(await verify(s, { tempToken: await handleOf(s, v), recoveryCode: u.codes[9] }), WRONG, 'somebody else\'s');
  refused(await verify(s, { tempToken: await handleOf(s, v), recoveryCode: v.codes[0].slice(0, 3) + v.codes[1].slice(3) }), WRONG, 'halves of two');
});

test('MF18 50 parallel uses of one recovery code: one success', async () => {
  const u = await armed(), handles = [];
  for (let i = 0; i < 25; i++) handles.push(await handleOf(s, u));
  const all = await Promise.all(Array.from({ length: 50 }, (_, i) => verify(s, { tempToken: handles[i % 25], recoveryCode: u.codes[0] })));
  assert.equal(all.filter((r) => r.status === 200).length, 1);
  for (const r of all) assert.ok([200, 401, 429].includes(r.status), r.text);
});

test('MF18 new codes kill the old ones; they are stored hashed', async () => {
  const u = await armed();
  const r = await newCodes(u);
  assert.equal(r.status, 200, r.text);
  assert.deepEqual(Object.keys(r.json), ['recoveryCodes']);
  assert.equal(r.json.recoveryCodes.length, 10);
  refused(await verify(s, { tempToken: await handleOf(s, u), recoveryCode: u.codes[3] }), WRONG);
  await signIn(u, { recoveryCode: r.json.recoveryCodes[3] });
  const stored = (await s.sql(`SELECT hash FROM recovery r JOIN user u ON u.id = r.user_id WHERE hex(u.uid) = '${hexOf(u)}'`)).split('\n');
  assert.equal(stored.length, 9);
  for (const hash of stored) assert.match(hash, /^\$argon2id\$/);
  await m.sink.mail(u.email, { subject: FACTOR_CHANGED });
  await m.sink.mail(u.email, { subject: FACTOR_CHANGED });
  const plain = await s.signedIn();
  refused(await newCodes(plain), [400, '2FA_NOT_SET_UP', 'User not found or 2FA not set up']);
});

/* ---- changed and switched off ---- */

test('MF11 with only an old session nothing about the factor can be changed', async () => {
  const u = await stale();
  for (const json of [{}, { totpCode: '' }, { currentPassword: '' }])
    for (const r of [await disable(u, json), await newCodes(u, json), await setUp(s, u.accessToken, json)]) refused(r, REAUTH);
  for (const r of [await newCodes(u, { currentPassword: u.password }), await setUp(s, u.accessToken, { currentPassword: u.password })]) refused(r, REAUTH, 'a password is no second factor');
  assert.equal(await isOn(u.accessToken), true);
  await signIn(u, { totpCode: u.app.code() });
});

test('MF11 a fresh sign-in on a remembered device is not enough either', async (t) => {
  const one = await start(t, { SALLYPORT_TWOFACTOR_REMEMBER: 'true' });
  const u = await armed(one);
  const { trustToken } = await signIn(u, { totpCode: u.app.code(), rememberDevice: true }, one);
  one.advance(11 * MINUTE);
  const r = await one.post('/auth/login', { email: u.email, password: u.password, trustToken }, { strategy: 'bearer' });
  assert.deepEqual(claimsOf(r.json.accessToken).amr, ['pwd']);
  for (const one_ of [await disable(r.json, {}, one), await newCodes(r.json, {}, one), await setUp(one, r.json.accessToken)]) refused(one_, REAUTH);
  assert.equal((await newCodes(r.json, { totpCode: u.app.code() }, one)).status, 200);
  assert.equal((await disable(r.json, {}, one)).status, 200, 'what was proven counts for the session');
});

test('MF11 replacing the app needs a code of the old one, which stays good until the new one is proven', async () => {
  const u = await stale();
  const made = await setUp(s, u.accessToken, { totpCode: u.app.code() });
  assert.equal(made.status, 200, made.text);
  const app = new Authenticator(s, made.json.otpauthUrl);
  s.advance(STEP);
  refused(await verify(s, { tempToken: await handleOf(s, u), totpCode: app.code() }), WRONG, 'not proven yet');
  await signIn(u, { totpCode: u.app.code() });
  const done = await confirm(s, u.accessToken, { token: app.code() });
  assert.equal(done.status, 200, done.text);
  s.advance(STEP);
  refused(await verify(s, { tempToken: await handleOf(s, u), totpCode: u.app.code() }), WRONG, 'the old app');
  refused(await verify(s, { tempToken: await handleOf(s, u), recoveryCode: u.codes[5] }), WRONG, 'an old recovery code');
  await signIn(u, { totpCode: app.code() });
});

test('MF19 switching off takes a recent sign-in with the app, a code of it or a recovery code; a password is not enough', async () => {
  const fresh = await armed();
  const r = await disable(fresh);
  assert.deepEqual([r.status, r.json], [200, { success: true }]);
  assert.equal(await isOn(fresh.accessToken), false);
  assert.equal((await s.login(fresh.email, fresh.password)).json.requiresTwoFactor, undefined);
  await m.sink.mail(fresh.email, { subject: FACTOR_REMOVED });
  assert.deepEqual(await eventsOf(fresh, 'factor.removed'), ['factor.removed (totp)']);
  assert.equal(await s.sql(`SELECT count(*) FROM recovery r JOIN user u ON u.id = r.user_id WHERE hex(u.uid) = '${hexOf(fresh)}'`), '0');
  assert.deepEqual((await disable(fresh)).json, { success: true }, 'off already');

  for (const proof of [(u) => ({ totpCode: u.app.code() }), (u) => ({ totpCode: u.codes[0] }), (u) => ({ recoveryCode: u.codes[1] })]) {
    const u = await stale();
    const done = await disable(u, proof(u));
    assert.equal(done.status, 200, done.text);
    assert.equal(await isOn(u.accessToken), false);
  }
  const u = await stale();
  for (const currentPassword of [u.password, 'wrong wrong 1']) for (const ask of [disable, newCodes]) refused(await ask(u, { currentPassword }), REAUTH);
  assert.equal(await isOn(u.accessToken), true);
});

test('without an app, setting one up asks for a recent sign-in or the password', async () => {
  const u = await s.signedIn();
  s.advance(10 * MINUTE + 1);
  refused(await setUp(s, u.accessToken), REAUTH);
  assert.equal((await setUp(s, u.accessToken, { currentPassword: u.password })).status, 200);
});

test('a code or a recovery code is proof wherever it is asked again who is there, once', async () => {
  const u = await stale(), code = u.app.code();
  let { accessToken } = u;
  const ask = (json) => s.post('/auth/change-email/request', { newEmail: freshEmail(), ...json }, { token: accessToken });
  refused(await ask({}), REAUTH);
  refused(await ask({ totpCode: u.app.wrong() }), WRONG);
  assert.equal((await ask({ totpCode: code })).status, 200);
  assert.equal((await ask({})).status, 200, 'and counts for the session');
  refused(await verify(s, { tempToken: await handleOf(s, u), totpCode: code }), WRONG, 'used up there');
  s.advance(10 * MINUTE + 1);
  const tokens = (await s.refresh(u.refreshToken)).json;
  ({ accessToken } = tokens);
  assert.equal((await ask({ recoveryCode: u.codes[0] })).status, 200);
  s.advance(10 * MINUTE + 1);
  refused(await ask({ totpCode: u.codes[0] }), WRONG);
  const plain = await s.signedIn();
  s.advance(10 * MINUTE + 1);
  refused(await s.post('/auth/change-email/request', { newEmail: freshEmail(), totpCode: '123456' }, { token: plain.accessToken }), REAUTH, 'there is no app');
});

/* ---- demanded ---- */

for (const how of ['of an account', 'of everybody'])
  test(`MF20 a second factor demanded ${how}: the sign-in leads to setting one up, and nowhere else`, async (t) => {
    const one = await start(t, how === 'of everybody' ? { SALLYPORT_TWOFACTOR_REQUIRED: 'true' } : {});
    const u = await one.register();
    if (how === 'of an account') await one.cliOk(['user', 'require-2fa', u.email, 'on']);
    const r = await one.login(u.email, u.password);
    assert.deepEqual([r.status, r.json.code, r.json.requires2FASetup, r.json.available2faMethods], [403, '2FA_SETUP_REQUIRED', true, []]);
    const handle = r.json.tempToken;
    for (const route of routes.filter((x) => !['PUBLIC', 'SIGN_IN', 'SESSION', 'GUEST', 'SETUP'].includes(x.auth))) {
      const no = await one.request(route.method, examplePath(route), { token: handle, json: route.body ? {} : undefined, strategy: 'bearer' });
      refused(no, NO_HANDLE, `${route.method} ${route.path}`);
    }
    refused(await verify(one, { tempToken: handle, totpCode: '123456' }), NO_HANDLE);

    const second = (await one.login(u.email, u.password)).json.tempToken;
    const made = await setUp(one, handle);
    assert.equal(made.status, 200, made.text);
    const inBody = await one.post('/auth/2fa/setup', { tempToken: handle });
    assert.equal(inBody.status, 200, inBody.text);
    const app = new Authenticator(one, inBody.json.otpauthUrl);
    refused(await one.post('/auth/2fa/verify-setup', { tempToken: handle, token: app.wrong() }, { strategy: 'bearer' }), SETUP_WRONG);
    const done = await one.post('/auth/2fa/verify-setup', { tempToken: handle, token: app.code(), secret: inBody.json.secret }, { strategy: 'bearer' });
    assert.equal(done.status, 200, done.text);
    assert.deepEqual(Object.keys(done.json), ['success', 'accessToken', 'refreshToken', 'deviceToken', 'recoveryCodes']);
    const claims = claimsOf(done.json.accessToken);
    assert.deepEqual([claims.amr, claims.isTotpEnabled], [['pwd', 'otp', 'mfa'], true]);
    assert.equal((await one.me(done.json.accessToken)).json.isTotpEnabled, true);

    one.advance(STEP);
    for (const token of [handle, second])
      for (const no of [await setUp(one, token), await one.post('/auth/2fa/verify-setup', { tempToken: token, token: app.code() }, { strategy: 'bearer' })]) refused(no, NO_HANDLE, 'handles of before');
    const no = await disable(done.json, {}, one);
    refused(no, [403, '2FA_REQUIRED', `Cannot disable 2FA: required ${how === 'of everybody' ? 'by system policy' : 'for your account'}`]);
    await signIn(u, { totpCode: app.code() }, one);
    if (how === 'of an account') {
      await one.cliOk(['user', 'require-2fa', u.email, 'off']);
      assert.equal((await disable(done.json, {}, one)).status, 200);
      assert.deepEqual(await eventsOf(u, 'factor.required', one), ['factor.required (on)', 'factor.required (off)']);
    }
  });

test('MF20 a handle for setting up does not replace an app that was set up meanwhile', async (t) => {
  const one = await start(t);
  const u = await one.signedIn();
  await one.cliOk(['user', 'require-2fa', u.id, 'on']);
  const early = (await one.login(u.email, u.password)).json.tempToken;
  const made = await setUp(one, u.accessToken);
  const app = new Authenticator(one, made.json.otpauthUrl);
  assert.equal((await confirm(one, u.accessToken, { token: app.code() })).status, 200);
  one.advance(STEP);
  refused(await setUp(one, early), NO_HANDLE);
  refused(await confirm(one, early, { token: app.code() }), NO_HANDLE);
  await signIn(u, { totpCode: app.code() }, one);
});

test('require-2fa and reset-2fa say what they want', async () => {
  const u = await s.register();
  for (const args of [['require-2fa'], ['require-2fa', u.email], ['require-2fa', u.email, 'maybe'], ['reset-2fa'], ['reset-2fa', u.email, 'now']])
    assert.equal((await s.cli(['user', ...args])).code, 2, args.join(' '));
  for (const args of [['require-2fa', 'nobody@example.test', 'on'], ['reset-2fa', 'nobody@example.test']])
    assert.equal((await s.cli(['user', ...args])).code, 1, args.join(' '));
});

/* ---- remembered devices ---- */

const trusting = (on, u, trustToken) => on.post('/auth/login', { email: u.email, password: u.password, trustToken }, { strategy: 'bearer' });

test('a remembered device is spared the code, until the password changes or the app does', async (t) => {
  const one = await start(t, { SALLYPORT_TWOFACTOR_REMEMBER: 'true', SALLYPORT_TWOFACTOR_REMEMBER_TTL: '1d' });
  const u = await armed(one);
  assert.equal((await signIn(u, { totpCode: u.app.code() }, one)).trustToken, undefined, 'only when asked');
  const remembered = async (app = u.app) => {
    one.advance(STEP);
    const { trustToken } = await signIn(u, { totpCode: app.code(), rememberDevice: true }, one);
    assert.equal(typeof trustToken, 'string');
    return trustToken;
  };
  const trust = await remembered();
  const r = await trusting(one, u, trust);
  assert.ok(r.json.accessToken, r.text);
  for (const other of ['', 'junk', r.json.deviceToken, `${trust}x`]) assert.equal((await trusting(one, u, other)).json.requiresTwoFactor, true, other);
  assert.equal((await trusting(one, await armed(one), trust)).json.requiresTwoFactor, true, 'of another account');

  const password = freshPassword();
  const changed = await one.post('/auth/change-password', { currentPassword: u.password, newPassword: password }, { token: r.json.accessToken });
  assert.equal(changed.status, 200, changed.text);
  u.password = password;
  assert.equal((await trusting(one, u, trust)).json.requiresTwoFactor, true, 'the password changed');

  const again = await remembered();
  one.advance(STEP);
  const session = await signIn(u, { totpCode: u.app.code() }, one);
  const app = new Authenticator(one, (await setUp(one, session.accessToken)).json.otpauthUrl);
  assert.equal((await confirm(one, session.accessToken, { token: app.code() })).status, 200);
  assert.equal((await trusting(one, u, again)).json.requiresTwoFactor, true, 'the app changed');

  const last = await remembered(app);
  one.advance(DAY + MINUTE);
  assert.equal((await trusting(one, u, last)).json.requiresTwoFactor, true, 'a day is over');
});

test('devices are not remembered unless the operator says so, and never an administrator\'s', async (t) => {
  const u = await armed();
  assert.equal((await signIn(u, { totpCode: u.app.code(), rememberDevice: true })).trustToken, undefined);
  const one = await start(t, { SALLYPORT_TWOFACTOR_REMEMBER: 'true' });
  const admin = await withTotp(one, await one.admin());
  assert.equal((await signIn(admin, { totpCode: admin.app.code(), rememberDevice: true }, one)).trustToken, undefined);
  for (const rememberDevice of ['true', 1, null, {}]) assert.equal((await verify(one, { tempToken: 'x', totpCode: '1', rememberDevice })).json.code, 'VALIDATION_ERROR');
});

/* ---- kept, lost, planted ---- */

test('MF12 the seed stands nowhere: not in the store, the log, an answer or an export', async (t) => {
  const one = await start(t);
  const u = await armed(one), raw = Buffer.from(u.app.totp.secret.bytes);
  const session = await signIn(u, { totpCode: u.app.code() }, one);
  const pending = (await setUp(one, session.accessToken)).json.secret;
  const answers = [await one.me(session.accessToken), await one.get('/auth/export', { token: session.accessToken }), await one.get('/auth/sessions', { token: session.accessToken }), await one.cliOk(['user', 'show', u.email]).then((r) => ({ text: r.stdout }))];
  for (const secret of [u.secret, pending, ...u.codes, ...u.codes.map((c) => c.replaceAll('-', ''))])
    for (const r of answers) assert.ok(!r.text.includes(secret));
  assert.ok(!/totp_?secret|recovery|hash/i.test(answers[1].text.replaceAll('recovery.made', '')), 'the export');
  await one.stop();
  const files = fs.readdirSync(one.dataDir).filter((f) => f.startsWith('sallyport.db')).map((f) => fs.readFileSync(`${one.dataDir}/${f}`));
  for (const file of files)
    for (const secret of [u.secret, pending, raw, raw.toString('hex'), raw.toString('base64'), ...u.codes, ...u.codes.map((c) => c.replaceAll('-', '')), ...u.codes.map((c) => c.slice(3).replaceAll('-', ''))])
      assert.ok(!file.includes(secret), 'in the store');
  for (const secret of [u.secret, pending, ...u.codes]) assert.ok(!one.stderr.includes(secret) && !one.stdout.includes(secret), 'in the log');
  await one.launch();
});

test('MF12 a sealed seed moved to another account does not open there', async (t) => {
  const one = await start(t);
  const a = await armed(one), b = await armed(one);
  await one.stop();
  await one.sql(`UPDATE user SET totp = (SELECT totp FROM user WHERE hex(uid) = '${hexOf(a)}') WHERE hex(uid) = '${hexOf(b)}'`);
  await one.launch();
  const r = await verify(one, { tempToken: await handleOf(one, b), totpCode: a.app.code() });
  assert.equal(r.status, 503);
  await signIn(a, { totpCode: a.app.code() }, one);
});

test('EL11 MF19 a reset of the password keeps the second factor: a mailbox alone does not get in', async () => {
  const u = await armed(), password = freshPassword();
  await s.sql(`UPDATE user SET email_verified = 1 WHERE hex(uid) = '${hexOf(u)}'`);
  await s.post('/auth/forgot-password', { email: u.email });
  const r = await s.post('/auth/reset-password', { token: await m.token(u.email, RESET), password });
  assert.deepEqual([r.status, r.json], [200, { success: true }], 'signs nobody in');
  u.password = password;
  const asked = await s.login(u.email, password);
  assert.deepEqual([asked.json.requiresTwoFactor, asked.json.available2faMethods, asked.json.accessToken], [true, ['totp'], undefined]);
  await signIn(u, { recoveryCode: u.codes[0] });
});

test('MF19 a recovery code is the way back for who lost the app: it signs in and lets another be set up', async () => {
  const u = await armed();
  const session = await signIn(u, { recoveryCode: u.codes[2] });
  const made = await setUp(s, session.accessToken);
  assert.equal(made.status, 200, made.text);
  const app = new Authenticator(s, made.json.otpauthUrl);
  assert.equal((await confirm(s, session.accessToken, { token: app.code() })).status, 200);
});

test('MF19 an operator\'s reset removes app and codes, ends sessions, is on record and tells the owner', async (t) => {
  const one = await Mailed.start({ env: ENV }); // the command has the machine's clock: no days lie between them
  t.after(() => one.close());
  const u = await armed(one.s);
  await one.s.cliOk(['user', 'reset-2fa', u.email]);
  assert.equal((await one.s.me(u.accessToken)).json.code, 'SESSION_REVOKED');
  assert.ok((await one.s.login(u.email, u.password)).json.accessToken);
  assert.deepEqual(await eventsOf(u, 'factor.removed', one.s), ['factor.removed (by an operator)']);
  assert.equal(await one.s.sql('SELECT count(*) FROM recovery'), '0');
  await one.sink.mail(u.email, { subject: FACTOR_REMOVED });
});

const callOff = (on, token) => on.post('/auth/2fa/keep', { token });
const BAD_CANCEL = [400, 'INVALID_2FA_RESET_TOKEN', 'Invalid 2FA-reset token'];
/* A house with an administrator who has an app, and who has just been the subject of an operator's reset. */
async function asked(t, env) {
  const one = await Mailed.start({ env: { ...ENV, ...env } });
  t.after(() => one.close());
  const u = await withTotp(one.s, await one.s.admin());
  const { stdout } = await one.s.cliOk(['user', 'reset-2fa', u.email]);
  const due = Number(await one.s.sql(`SELECT factor_reset_ms FROM user WHERE hex(uid) = '${hexOf(u)}'`));
  return { one, u, stdout, due };
}

test('MF19 an administrator\'s reset waits for a day: he is told, it is on record and shown, and nothing has changed', async (t) => {
  const before = Date.now(), { one, u, stdout, due } = await asked(t);
  assert.ok(due >= before + DAY && due <= Date.now() + DAY);
  assert.ok(stdout.includes(new Date(due).toISOString().slice(0, 16)), stdout);
  assert.match((await one.s.cliOk(['user', 'show', u.email])).stdout, /second factor .*, is reset 20/);
  assert.deepEqual(await eventsOf(u, 'factor.re%', one.s), ['factor.reset_asked (by an operator)']);
  const mail = await one.sink.mail(u.email, { subject: RESET_ASKED });
  assert.ok(mail.parsed.text.includes(`${new Date(due).toISOString().slice(0, 16).replace('T', ' ')} UTC`), mail.parsed.text);
  assert.equal((await one.s.me(u.accessToken)).status, 200);
  refused(await verify(one.s, { tempToken: await handleOf(one.s, u), totpCode: u.app.wrong() }), WRONG, 'the app is asked for');
  await signIn(u, { totpCode: u.app.code() }, one.s);
  await one.s.cliOk(['user', 'reset-2fa', u.email]);
  assert.equal(await one.s.sql(`SELECT factor_reset_ms FROM user WHERE hex(uid) = '${hexOf(u)}'`), `${due}`, 'asked again: the time runs from the first asking');
  assert.deepEqual(await one.subjects(u.email), [FACTOR_CHANGED, RESET_ASKED]);
});

test('MF19 the mailed link calls the reset off, once and by the button only; it is good for nothing else', async (t) => {
  const { one, u } = await asked(t), { url, token } = await one.link(u.email, RESET_ASKED);
  assert.equal(new URL(url).pathname, '/auth/ui/2fa/keep');
  const page = await one.s.get(`/auth/ui/2fa/keep?token=${token}`, { headers: { Accept: 'text/html' } });
  assert.deepEqual([page.status, page.headers['content-type']], [200, 'text/html; charset=utf-8']);
  for (const [path, json] of [['reset-password', { password: freshPassword() }], ['verify-email'], ['change-email/confirm'], ['change-email/revert'], ['link-verify'], ['magic-link/verify'], ['2fa/verify', { totpCode: u.app.code() }]])
    assert.ok((await one.s.post(`/auth/${path}`, { token, tempToken: token, ...json }, { strategy: 'bearer' })).status >= 400, path);
  await one.s.post('/auth/forgot-password', { email: u.email });
  refused(await callOff(one.s, await one.token(u.email, RESET)), BAD_CANCEL, 'nor is another link good for this');
  refused(await callOff(one.s, '0'.repeat(64)), BAD_CANCEL);
  const answers = await Promise.all(Array.from({ length: 10 }, () => callOff(one.s, token)));
  assert.equal(answers.filter((r) => r.status === 200).length, 1);
  for (const r of answers) if (r.status !== 200) refused(r, BAD_CANCEL);
  assert.deepEqual(await eventsOf(u, 'factor.re%', one.s), ['factor.reset_asked (by an operator)', 'factor.reset_cancelled (by its owner)']);
  assert.doesNotMatch((await one.s.cliOk(['user', 'show', u.email])).stdout, /is reset/);
  await signIn(u, { totpCode: u.app.code() }, one.s);
});

test('MF19 an operator calls the reset off too, and the mailed link is worthless then', async (t) => {
  const { one, u } = await asked(t), token = await one.token(u.email, RESET_ASKED);
  for (let i = 0; i < 2; i++) await one.s.cliOk(['user', 'reset-2fa', u.email, '--cancel']);
  assert.deepEqual(await eventsOf(u, 'factor.reset%', one.s), ['factor.reset_asked (by an operator)', 'factor.reset_cancelled (by an operator)']);
  refused(await callOff(one.s, token), BAD_CANCEL);
  assert.equal((await one.s.cli(['user', 'reset-2fa', u.email, '--maybe'])).code, 2);
});

test('MF19 a new app, or none any more: there is nothing left to reset', async (t) => {
  const { one, u } = await asked(t), token = await one.token(u.email, RESET_ASKED);
  const app = new Authenticator(one.s, (await setUp(one.s, u.accessToken)).json.otpauthUrl);
  assert.equal((await confirm(one.s, u.accessToken, { token: app.code() })).status, 200);
  refused(await callOff(one.s, token), BAD_CANCEL);
  assert.equal(await one.s.sql('SELECT count(*) FROM user WHERE factor_reset_ms > 0'), '0');
  one.s.advance(STEP);
  await one.s.cliOk(['user', 'reset-2fa', u.email]);
  assert.equal((await disable(u, { totpCode: app.code() }, one.s)).status, 200);
  assert.equal(await one.s.sql('SELECT count(*) FROM user WHERE factor_reset_ms > 0'), '0');
});

test('MF19 a mailbox alone cannot both reset an administrator\'s password and drop the app', async (t) => {
  const { one, u } = await asked(t), password = freshPassword(), { s: on } = one;
  const cancel = await one.token(u.email, RESET_ASKED);
  await on.post('/auth/forgot-password', { email: u.email });
  assert.equal((await on.post('/auth/reset-password', { token: await one.token(u.email, RESET), password })).status, 200);
  const r = await on.login(u.email, password);
  assert.deepEqual([r.json.requiresTwoFactor, r.json.available2faMethods, r.json.accessToken], [true, ['totp'], undefined]);
  const { tempToken } = r.json;
  refused(await on.post('/auth/2fa/disable', { currentPassword: password }, { token: tempToken }), NO_HANDLE);
  refused(await setUp(on, tempToken, { currentPassword: password }), NO_HANDLE);
  await on.post('/auth/magic-link/send', { email: u.email });
  const magic = await on.post('/auth/magic-link/verify', { token: await one.token(u.email, 'Your magic sign-in link') }, { strategy: 'bearer' });
  assert.deepEqual([magic.json.requiresTwoFactor, magic.json.accessToken], [true, undefined], magic.text);
  assert.ok((await on.post('/auth/magic-link/send', { mode: '2fa', tempToken })).status >= 400, 'mail is no second factor of an administrator');
  assert.equal((await callOff(on, cancel)).status, 200, 'the way to say no outlives a new password');
  await signIn({ ...u, password }, { totpCode: u.app.code() }, on);
});

test('MF19 without a delay an administrator\'s reset is done at once', async (t) => {
  const { one, u, due } = await asked(t, { SALLYPORT_TWOFACTOR_ADMIN_RESET_DELAY: '0s' });
  assert.equal(due, 0);
  assert.equal((await one.s.me(u.accessToken)).json.code, 'SESSION_REVOKED');
  assert.ok((await one.s.login(u.email, u.password)).json.accessToken);
  assert.deepEqual(await one.subjects(u.email), [FACTOR_CHANGED, FACTOR_REMOVED]);
});

for (const mode of ['lazy', 'strict'])
  test(`MF22 where addresses are proven (${mode}), nobody arms a factor on one that is not`, async (t) => {
    const one = await Mailed.start({ env: { ...ENV, SALLYPORT_VERIFICATION_MODE: mode } });
    t.after(() => one.close());
    if (mode === 'lazy') {
      const planted = await one.s.signedIn();
      refused(await setUp(one.s, planted.accessToken), [403, 'EMAIL_NOT_VERIFIED', 'Email address is not verified']);
      refused(await confirm(one.s, planted.accessToken, { token: '123456' }), [403, 'EMAIL_NOT_VERIFIED', 'Email address is not verified']);
      await one.s.cliOk(['user', 'require-2fa', planted.email, 'on']);
      const { tempToken } = (await one.s.login(planted.email, planted.password)).json;
      refused(await setUp(one.s, tempToken), [403, 'EMAIL_NOT_VERIFIED', 'Email address is not verified']);
      await one.s.post('/auth/verify-email', { token: await one.token(planted.email, VERIFY) });
      assert.equal((await setUp(one.s, tempToken)).status, 200);
    }
    const proven = await one.verified();
    assert.equal((await setUp(one.s, proven.accessToken)).status, 200);
  });

for (const age of ['just set up', 'two days old'])
  test(`MF19 a change of address that is undone: a factor ${age} stays, ${age === 'just set up' ? 'and whoever reads the old mail may claim the account' : 'and nobody may claim the account'}`, async () => {
    const u = { ...(await armed()) };
    await s.sql(`UPDATE user SET email_verified = 1 WHERE hex(uid) = '${hexOf(u)}'`);
    if (age !== 'just set up') s.advance(2 * DAY);
    const session = await signIn(u, { totpCode: u.app.code() }), newEmail = freshEmail('elsewhere');
    assert.equal((await s.post('/auth/change-email/request', { newEmail }, { token: session.accessToken })).status, 200);
    assert.equal((await s.post('/auth/change-email/confirm', { token: await m.token(newEmail) })).status, 200);
    assert.equal((await s.post('/auth/change-email/revert', { token: await m.token(u.email, 'Your email address has been updated') })).status, 200);
    const password = freshPassword();
    assert.equal((await s.post('/auth/reset-password', { token: await m.token(u.email, 'Your email address has been restored'), password })).status, 200);
    const r = await s.login(u.email, password);
    assert.equal(r.json.requiresTwoFactor, true, r.text);
    await s.post('/auth/magic-link/send', { email: u.email });
    const claim = await s.post('/auth/claim', { token: await m.token(u.email, 'Your magic sign-in link') });
    assert.equal(claim.json.code, age === 'just set up' ? undefined : 'CLAIM_REFUSED', claim.text);
  });

test('a disabled account gets no further than the first factor', async () => {
  const u = await armed(), tempToken = await handleOf(s, u);
  await s.cliOk(['user', 'disable', u.email]);
  const r = await verify(s, { tempToken, totpCode: u.app.code() });
  refused(r, [400, '2FA_NOT_SET_UP', 'User not found or 2FA not set up']);
});
