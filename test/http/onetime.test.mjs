// onetime.test.mjs — tokens and codes that come by mail and SMS: each works at its own door, once, and
// nothing else does; how many wrong ones are looked at, and how many messages are sent.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { codeIn, freshNumber, handleOf, linkIn, mailCodeIn, startDelivering, SUBJECT, tokenIn, withPhone, withSecond } from '../lib/delivery.mjs';
import { BUILD, DAY, freshEmail, freshPassword, HOUR, MINUTE } from '../lib/server.mjs';
import { alikeInTime, median } from '../lib/timing.mjs';

const PROXIED = { SALLYPORT_SERVER_TRUSTED_PROXIES: '127.0.0.1', SALLYPORT_TWOFACTOR_MAGIC_LINK: 'true' };
let s, mail, sms, close;

before(async () => ({ s, mail, sms, close } = await startDelivering({ env: PROXIED })));
after(() => close());

let lastNetwork = 0;
const from = (ip = `198.18.${++lastNetwork >> 8}.${lastNetwork & 255}`) => ({ headers: { 'X-Forwarded-For': ip } });
const ok = (r) => assert.deepEqual([r.status, r.json], [200, { success: true }]);
const forgot = (email, options, on = s) => on.post('/auth/forgot-password', { email }, options);

/* Where a secret of each purpose is used: (secret, its owner) -> answer. */
const DOORS = {
  reset: (token, u, o) => s.post('/auth/reset-password', { token, password: freshPassword() }, o),
  verify: (token, u, o) => s.post('/auth/verify-email', { token }, { token: u.accessToken, ...o }),
  verifyByLink: (token, u, o) => s.get(`/auth/verify-email?token=${encodeURIComponent(token)}`, { token: u.accessToken, ...o }),
  emailChange: (token, u, o) => s.post('/auth/change-email/confirm', { token }, o),
  emailRevert: (token, u, o) => s.post('/auth/change-email/revert', { token }, o),
  phone: (code, u, o) => s.post('/auth/add-phone/verify', { code }, { token: u.accessToken, ...o }),
  magic: (token, u, o) => s.post('/auth/magic-link/verify', { token }, { strategy: 'bearer', ...o }),
  mailCode: (code, u, o) => s.post('/auth/magic-link/verify', { email: u.email, code }, { strategy: 'bearer', ...o }),
  smsCode: (code, u, o) => s.post('/auth/sms/verify', { email: u.email, code }, { strategy: 'bearer', ...o }),
  magicSecond: (token, u, o) => s.post('/auth/magic-link/verify', { mode: '2fa', tempToken: u.tempToken, token }, { strategy: 'bearer', ...o }),
  mailCodeSecond: (code, u, o) => s.post('/auth/magic-link/verify', { mode: '2fa', tempToken: u.tempToken, code }, { strategy: 'bearer', ...o }),
  smsCodeSecond: (code, u, o) => s.post('/auth/sms/verify', { mode: '2fa', tempToken: u.tempToken, code }, { strategy: 'bearer', ...o }),
};
const LINK_DOORS = ['reset', 'verify', 'verifyByLink', 'emailChange', 'emailRevert', 'magic'];

const REFUSAL = {
  reset: 'INVALID_RESET_TOKEN',
  verify: 'INVALID_VERIFICATION_TOKEN',
  verifyByLink: 'INVALID_VERIFICATION_TOKEN',
  emailChange: 'INVALID_EMAIL_CHANGE_TOKEN',
  emailRevert: 'INVALID_EMAIL_REVERT_TOKEN',
  phone: 'INVALID_PHONE_CODE',
  magic: 'INVALID_MAGIC_LINK',
  mailCode: 'INVALID_MAGIC_LINK',
  smsCode: 'INVALID_SMS_CODE',
  magicSecond: 'INVALID_MAGIC_LINK',
  mailCodeSecond: 'INVALID_MAGIC_LINK',
  smsCodeSecond: 'INVALID_SMS_CODE',
};
const statusOf = (door) => (/MAGIC|SMS/.test(REFUSAL[door]) ? 401 : 400);

/* Asks for a secret of the purpose and takes it out of its message. */
const ASK = {
  async reset(u) {
    ok(await forgot(u.email));
    return tokenIn(await mail.mail(u.email, { subject: SUBJECT.reset }));
  },
  async verify(u) {
    ok(await s.post('/auth/send-verification-email', {}, { token: u.accessToken }));
    return tokenIn(await mail.mail(u.email, { subject: SUBJECT.verify }));
  },
  async emailChange(u) {
    const newEmail = freshEmail('new');
    ok(await s.post('/auth/change-email/request', { newEmail }, { token: u.accessToken }));
    return tokenIn(await mail.mail(newEmail, { subject: SUBJECT.emailChange }));
  },
  async emailRevert(u) {
    const { email } = (await s.me(u.accessToken)).json;
    ok(await DOORS.emailChange(await ASK.emailChange(u)));
    return tokenIn(await mail.mail(email, { subject: SUBJECT.emailChanged }));
  },
  async phone(u) {
    const phoneNumber = freshNumber();
    ok(await s.post('/auth/add-phone', { phoneNumber }, { token: u.accessToken }));
    return codeIn(await sms.sms(phoneNumber));
  },
  async magic(u, more = { email: u.email }) {
    ok(await s.post('/auth/magic-link/send', more));
    return tokenIn(await mail.mail(u.email, { subject: SUBJECT.magic }));
  },
  async mailCode(u, more = { email: u.email }) {
    ok(await s.post('/auth/magic-link/send', { type: 'code', ...more }));
    return mailCodeIn(await mail.mail(u.email, { subject: SUBJECT.code }));
  },
  async smsCode(u, more = { email: u.email }) {
    ok(await s.post('/auth/sms/send', more));
    return codeIn(await sms.sms(u.number));
  },
  magicSecond: (u) => ASK.magic(u, { mode: '2fa', tempToken: u.tempToken }),
  mailCodeSecond: (u) => ASK.mailCode(u, { mode: '2fa', tempToken: u.tempToken }),
  smsCodeSecond: (u) => ASK.smsCode(u, { mode: '2fa', tempToken: u.tempToken }),
};

/* Signed in, with a number, and between the factors of another sign-in: whatever can be asked for can be. */
async function somebody() {
  const u = await withSecond(s, await withPhone(s, await s.signedIn()));
  return { ...u, tempToken: await handleOf(s, u) };
}
const PURPOSES = Object.keys(ASK);

async function ask(u, purpose) {
  const secret = await ASK[purpose](u);
  s.note(secret);
  return secret;
}

function refused(door, r) {
  assert.deepEqual([r.status, r.json.code], [statusOf(door), REFUSAL[door]], door);
}

/* What it says on success differs. */
const worked = (r) => assert.deepEqual([r.status, r.json.success || r.json.requiresTwoFactor], [200, true], r.text);

/* What has been asked for up to now has been sent when this returns: messages leave in their order. */
async function settled(on = { s, mail }) {
  const u = await on.s.register();
  ok(await forgot(u.email, from(), on.s));
  await on.mail.mail(u.email, { subject: SUBJECT.reset });
}

/* ---- one purpose, one use ---- */

test('EL05 a secret of one purpose is unknown at every other door, and lives on', async () => {
  for (const purpose of PURPOSES) {
    const u = await somebody(), secret = await ask(u, purpose);
    const others = Object.keys(DOORS).filter((door) => door !== purpose && !(purpose === 'verify' && door === 'verifyByLink'))
      .filter((door) => !(purpose === 'emailRevert' && door.endsWith('Second'))); // the change has ended the handle
    for (const door of others) refused(door, await DOORS[door](secret, u));
    assert.equal((await s.me(secret)).status, 401);
    assert.equal((await s.refresh(secret)).status, 401);
    worked(await DOORS[purpose](secret, u));
    const again = await DOORS[purpose](secret, u);
    if (purpose.endsWith('Second')) assert.equal(again.json.code, 'INVALID_TEMP_TOKEN', 'the handle ended with it');
    else refused(purpose, again);
  }
});

test('EL05 tokens of sessions and devices are no secrets of any purpose', async () => {
  const u = await somebody();
  for (const purpose of PURPOSES) if (purpose !== 'emailRevert') await ask(u, purpose);
  for (const value of [u.accessToken, u.refreshToken, u.deviceToken, u.id])
    for (const door of Object.keys(DOORS)) {
      const r = await DOORS[door](value, u);
      assert.ok([400, 401].includes(r.status) && [REFUSAL[door], 'VALIDATION_ERROR', 'INVALID_TEMP_TOKEN'].includes(r.json.code), `${door} ${r.text}`); // a handle ends after five
    }
  assert.equal((await s.me(u.accessToken)).status, 200);
});

test('EL05 a code is good for the account that asked for it', async () => {
  const u = await s.signedIn(), other = await s.signedIn();
  const code = await ask(u, 'phone'), others = await ask(other, 'phone');
  if (code !== others) refused('phone', await DOORS.phone(code, other));
  ok(await DOORS.phone(code, u));
});

test('EL06 a new secret of a purpose ends the older ones', async () => {
  for (const purpose of PURPOSES) {
    if (purpose === 'emailRevert') continue; // a second change must not end the way back from the first
    const u = await somebody(), first = await ask(u, purpose), second = await ask(u, purpose);
    if (first === second) continue; // codes may repeat
    refused(purpose, await DOORS[purpose](first, u));
    worked(await DOORS[purpose](second, u));
  }
});

test('EL06 a reset and a change of address end the secrets of all purposes', async () => {
  for (const last of ['reset', 'emailChange']) {
    const u = await withPhone(s, await s.signedIn()), secrets = {};
    for (const purpose of ['reset', 'verify', 'emailChange', 'phone', 'magic', 'smsCode']) secrets[purpose] = await ask(u, purpose);
    ok(await s.post(last === 'reset' ? '/auth/reset-password' : '/auth/change-email/confirm', { token: secrets[last], password: u.password }, { token: u.accessToken }));
    if (last === 'reset') Object.assign(u, await s.signIn(u));
    for (const [purpose, secret] of Object.entries(secrets)) refused(purpose, await DOORS[purpose](secret, u));
  }
});

test('EL07 of fifty uses of a secret at once one wins', async () => {
  for (const purpose of PURPOSES) {
    const u = await somebody(), secret = await ask(u, purpose);
    const answers = await Promise.all(Array.from({ length: 50 }, () => DOORS[purpose](secret, u)));
    assert.equal(answers.filter((r) => r.status === 200).length, 1, purpose);
    for (const r of answers) if (r.status !== 200 && r.json.code !== 'INVALID_TEMP_TOKEN') refused(purpose, r);
  }
});

/* ---- what the store knows ---- */

/* Every value of the tables, in the forms in which somebody could send it. */
async function storedValues(on, tables) {
  const values = new Set();
  for (const table of tables) {
    const columns = (await on.sql(`SELECT name FROM pragma_table_info('${table}')`)).split('\n');
    for (const column of columns) {
      const hex = await on.sql(`SELECT DISTINCT hex(CAST("${column}" AS BLOB)) FROM "${table}" WHERE "${column}" IS NOT NULL`);
      for (const one of hex.split('\n').filter((h) => h !== '')) {
        const bytes = Buffer.from(one, 'hex'), text = bytes.toString('utf8');
        values.add(one.toLowerCase()).add(one).add(bytes.toString('base64url'));
        if (Buffer.from(text).equals(bytes) && !/[\0-\x1f]/.test(text)) values.add(text);
      }
    }
  }
  return [...values].filter((v) => v.length <= 1024);
}

/* A body whose values are not noted as secrets: most are none, and may stand in the log. */
const asIs = (body) => ({ body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' }, strategy: 'bearer' });

const inBatches = async (values, size, act) => {
  for (let i = 0; i < values.length; i += size) await Promise.all(values.slice(i, i + size).map(act));
};

test('EL04 no value of the store is good at any door', async (t) => {
  const own = await startDelivering();
  t.after(() => own.close());
  await own.mail.refuse(); // so that messages stay in the outbox
  const u = await own.s.signedIn(), at = { token: u.accessToken };
  ok(await forgot(u.email, {}, own.s));
  ok(await own.s.post('/auth/send-verification-email', {}, at));
  ok(await own.s.post('/auth/change-email/request', { newEmail: freshEmail('new') }, at));
  ok(await own.s.post('/auth/add-phone', { phoneNumber: freshNumber() }, at));
  const kept = () => own.s.sql(`SELECT hex(hash), purpose FROM onetime; SELECT * FROM user; SELECT hex(sid), cur_gen FROM session;`);
  const before = await kept(), values = await storedValues(own.s, ['onetime', 'outbox', 'user', 'session', 'attempt', 'place']);
  assert.ok(values.length > 200, `${values.length} values`);
  assert.equal(await own.s.sql('SELECT count(*) FROM onetime'), '4'); // not by lines of `before`: a uid is bytes

  for (const [path_, name] of [['reset-password', 'token'], ['verify-email', 'token'], ['change-email/confirm', 'token'], ['change-email/revert', 'token'], ['refresh', 'refreshToken']])
    await inBatches(values, 32, async (value) => {
      const r = await own.s.request('POST', `/auth/${path_}`, asIs({ [name]: value, password: freshPassword() }));
      assert.ok([400, 401].includes(r.status), `${r.status} of ${path_} for ${value}`);
    });
  const codes = values.filter((v) => v.length <= 64);
  for (let i = 0; i < codes.length; i += 5) { // five tries a code has
    await own.s.sql('UPDATE onetime SET tries = 0');
    for (const code of codes.slice(i, i + 5)) refused('phone', await own.s.post('/auth/add-phone/verify', { code }, at));
  }
  assert.equal(await kept(), before);
});

/* ---- links ---- */

const EVIL = 'evil.test';
const FORGED = [{ Host: EVIL }, { 'X-Forwarded-Host': EVIL }, { 'X-Forwarded-Server': EVIL }, { 'X-Forwarded-Proto': 'gopher' }, { 'X-Original-URL': `https://${EVIL}/` },
  { Forwarded: `host=${EVIL};proto=https` }, { Origin: `https://${EVIL}` }, { Origin: 'null' }, { Referer: `https://${EVIL}/reset` }, { Origin: `https://b.example.test.${EVIL}` },
  { Origin: 'https://b.example.test:444' }, { Origin: 'http://b.example.test' }, { Referer: `https://b.example.test@${EVIL}/` }, { Referer: `https://${EVIL}/?https://b.example.test` },
  { Host: EVIL, 'X-Forwarded-Host': EVIL, Forwarded: `host=${EVIL}`, Origin: `https://${EVIL}`, Referer: `https://${EVIL}/` }];

async function linkFor(on, headers) {
  const u = await on.s.register();
  ok(await forgot(u.email, { headers }, on.s));
  const m = await on.mail.mail(u.email, { subject: SUBJECT.reset });
  assert.ok(!m.raw.includes(EVIL), JSON.stringify(headers));
  return linkIn(m).slice(0, -64);
}

test('EL08 no header chooses where a link leads, but to a site of the list', async (t) => {
  for (const headers of FORGED) assert.equal(await linkFor({ s, mail }, headers), 'https://auth.example.test/auth/ui/reset-password?token=');

  const sites = await startDelivering({ env: { SALLYPORT_SITE_URLS: 'https://a.example.test,https://b.example.test,myapp://auth' } });
  t.after(() => sites.close());
  for (const headers of FORGED) assert.equal(await linkFor(sites, headers), 'https://a.example.test/auth/ui/reset-password?token=', JSON.stringify(headers));
  const b = 'https://b.example.test/auth/ui/reset-password?token=';
  assert.equal(await linkFor(sites, { Origin: 'https://b.example.test' }), b);
  assert.equal(await linkFor(sites, { Referer: 'https://b.example.test/some/page?x=1' }), b);
  assert.equal(await linkFor(sites, { Origin: `https://${EVIL}`, Referer: 'https://b.example.test/' }), b);
  assert.equal(await linkFor(sites, { Origin: 'myapp://auth' }), 'myapp://auth/auth/reset-password?token=');
  sites.s.env.SALLYPORT_SITE_APP_LINKS = 'short';
  await sites.s.restart();
  assert.equal(await linkFor(sites, { Origin: 'myapp://auth' }), 'myapp://auth/reset-password?token=');
  assert.equal(await linkFor(sites, { Origin: 'https://b.example.test' }), b);
});

/* ---- whom mails reach ---- */

test('EL13 a mail goes to the address that is stored, not to the one that was sent', async () => {
  const n = crypto.randomBytes(4).toString('hex'), stored = `Kiss.${n}@mail.example.test`;
  await s.register({ email: stored });
  const same = [stored.toLowerCase(), stored.toUpperCase(), ` ${stored} `, stored.replace('mail', 'ＭＡＩＬ'), stored.replace('example', 'ｅxample')];
  const other = ['\u212aiss', 'Ki\u017fs', 'K\u0131ss', 'Ki\u00df', '"Kiss"'].map((k) => stored.replace('Kiss', k)).concat(`${stored}.`, `${stored},x@${EVIL}`, `x@${EVIL},${stored}`);
  for (const email of [...same, ...other]) {
    ok(await forgot(email));
    ok(await s.post('/auth/send-verification-email', { email }));
  }
  for (const email of [`${stored}\r\nBcc: x@${EVIL}`, `${stored}\u0000@${EVIL}`]) assert.equal((await forgot(email)).status, 400);
  await settled();
  const about = mail.mails.filter((m) => m.raw.includes(n));
  for (const m of about) assert.deepEqual(m.envelope.to, [stored]);
  const resets = about.filter((m) => m.parsed.subject === SUBJECT.reset).length;
  assert.ok(resets >= 3 && resets <= same.length, `${resets} mails`);
});

test('EL14 a mail for an unknown address makes no account', async () => {
  const count = () => s.sql('SELECT (SELECT count(*) FROM user), (SELECT count(*) FROM onetime), (SELECT count(*) FROM outbox)');
  await settled();
  await s.sql('DELETE FROM outbox');
  const before = await count(), email = freshEmail('nobody');
  for (let i = 0; i < 3; i++) {
    ok(await forgot(email));
    ok(await s.post('/auth/send-verification-email', { email }));
  }
  assert.equal(await count(), before);
  assert.equal((await s.register({ email })).email, email);
});

/* ---- nobody learns who has an account ---- */

async function identities(on = s) {
  const known = await on.register(), disabled = await on.register();
  await on.sql(`UPDATE user SET disabled_ms = 1 WHERE email = '${disabled.email}'`);
  return [known.email, freshEmail('nobody'), disabled.email, 'not an address', `${'x'.repeat(300)}@example.test`, 'x'.repeat(1024)];
}

test('BF11 known, unknown, disabled and malformed addresses are answered in the same bytes', async () => {
  const emails = await identities();
  for (const path_ of ['forgot-password', 'send-verification-email', 'magic-link/send', 'sms/send']) {
    const shapes = new Set();
    for (let i = 0; i < 2; i++) for (const email of emails) shapes.add((await s.post(`/auth/${path_}`, { email })).shape);
    assert.equal(shapes.size, 1, [...shapes].join('\n---\n'));
  }
});

test('BF14 an unknown address is counted exactly as a known one, and answered the same over the limit', async (t) => {
  const tight = await startDelivering({ env: { ...PROXIED, SALLYPORT_LIMITS_MAIL_PER_10MIN: '3', SALLYPORT_LIMITS_MAIL_NETWORK_PER_HOUR: '5' } });
  t.after(() => tight.close());
  const counters = [], shapes = new Set();
  for (const email of (await identities(tight.s)).slice(0, 4)) {
    await tight.s.sql('DELETE FROM attempt');
    const network = from();
    for (let i = 0; i < 7; i++) shapes.add((await forgot(email, network, tight.s)).shape);
    counters.push(await tight.s.sql('SELECT scope, failures, blocked_ms FROM attempt ORDER BY scope'));
  }
  assert.equal(new Set(counters).size, 1, counters.join('\n--\n'));
  assert.equal(shapes.size, 1);
});

const option = (name) => JSON.parse(fs.readFileSync(path.join(BUILD, 'meson-info', 'intro-buildoptions.json'))).find((o) => o.name === name)?.value;
const isRelease = () => option('buildtype') === 'release' && [undefined, 'none'].includes(option('b_sanitize'));

/* Milliseconds for each kind, in turns, so that what else the machine does meets them alike. */
async function measure(on, kinds, rounds) {
  const times = kinds.map(() => []);
  for (let i = 0; i < rounds; i++)
    for (let k = 0; k < kinds.length; k++) {
      const at = (i + k) % kinds.length, started = performance.now();
      await forgot(kinds[at], {}, on);
      times[at].push(performance.now() - started);
    }
  return { known: times[0], unknown: times[1] };
}

test('BF11 a forgotten password takes as long for nobody as for somebody', async (t) => {
  const own = await startDelivering();
  t.after(() => own.close());
  await own.mail.refuse(); // the sender's work is not what is measured
  const kinds = (await identities(own.s)).slice(0, 2);
  await measure(own.s, kinds, 20);
  const gap = ({ known, unknown }) => Math.abs(median(known) - median(unknown));
  await alikeInTime(t, () => measure(own.s, kinds, 150), (times) => (isRelease() && gap(times) >= 1 ? 'known' : undefined));
});

/* ---- wrong tokens ---- */

test('BF16 after twenty wrong tokens a network is refused at every door, and forgiven ten minutes later', async (t) => {
  const tight = await startDelivering({ env: { ...PROXIED, SALLYPORT_LIMITS_BAD_TOKENS: '20' } });
  t.after(() => tight.close());
  const wide = s;
  s = tight.s; // the doors lead there
  t.after(() => (s = wide));
  const u = await s.signedIn(), bad = from(), hex = () => crypto.randomBytes(32).toString('hex');
  ok(await forgot(u.email, from()));
  const token = tokenIn(await tight.mail.mail(u.email, { subject: SUBJECT.reset }));

  for (let i = 0; i < 20; i++) {
    const door = LINK_DOORS[i % LINK_DOORS.length];
    refused(door, await DOORS[door](i % 3 ? hex() : 'short', u, bad));
  }
  s.advance(MINUTE);
  for (const door of LINK_DOORS) for (const value of [hex(), 'short', token]) {
    const r = await DOORS[door](value, u, bad);
    assert.deepEqual([r.status, r.json.code, r.headers['retry-after']], [429, 'RATE_LIMITED', '540'], door);
  }
  assert.equal((await s.login(u.email, u.password, bad)).status, 200, 'other doors stay open');
  refused('verify', await DOORS.verify(hex(), u, from()));
  s.advance(9 * MINUTE - 1);
  assert.equal((await DOORS.reset(token, u, bad)).headers['retry-after'], '1');
  s.advance(1);
  refused('reset', await DOORS.reset(hex(), u, bad));
  ok(await DOORS.reset(token, u, bad));
});

test('BF16 an IPv6 network counts as one, and right or expired tokens do not count', async (t) => {
  const tight = await startDelivering({ env: { ...PROXIED, SALLYPORT_LIMITS_BAD_TOKENS: '3' } });
  t.after(() => tight.close());
  const verify = (token, ip) => tight.s.post('/auth/verify-email', { token }, from(ip));
  for (let i = 1; i <= 3; i++) assert.equal((await verify('x', `2001:db8:1:2::${i}`)).status, 400);
  assert.equal((await verify('x', '2001:db8:1:2:ffff::9')).status, 429);
  assert.equal((await verify('x', '2001:db8:1:3::1')).status, 400);

  const u = await tight.s.signedIn(), ip = '203.0.113.9';
  ok(await tight.s.post('/auth/send-verification-email', {}, { token: u.accessToken }));
  const token = tokenIn(await tight.mail.mail(u.email, { subject: SUBJECT.verify }));
  tight.s.advance(DAY);
  for (let i = 0; i < 5; i++) assert.equal((await verify(token, ip)).json.code, 'VERIFICATION_TOKEN_EXPIRED');
});

/* ---- too many mails ---- */

const LIMITED = { SALLYPORT_LIMITS_RESEND: '60s', SALLYPORT_LIMITS_MAIL_PER_10MIN: '3', SALLYPORT_LIMITS_MAIL_PER_DAY: '10', SALLYPORT_LIMITS_MAIL_NETWORK_PER_HOUR: '20' };

async function startLimited(t) {
  const own = await startDelivering({ env: { ...PROXIED, ...LIMITED } });
  t.after(() => own.close());
  own.resetsTo = async (email) => {
    await settled(own);
    return own.mail.mailsTo(email).filter((m) => m.parsed.subject === SUBJECT.reset).length;
  };
  return own;
}

test('BF18 twenty wishes are three mails in ten minutes and ten a day, and all are answered alike', async (t) => {
  const own = await startLimited(t), u = await own.s.register();
  const limited = () => own.s.sql(`SELECT count(*) FROM audit WHERE event = 'password.reset_requested' AND detail = 'limited'`);
  for (let i = 0; i < 20; i++) {
    ok(await forgot(u.email, from(), own.s));
    own.s.advance(29_000); // 9:40 in all
  }
  assert.equal(await own.resetsTo(u.email), 3);
  assert.equal(await limited(), '8', 'that something was not sent is in the audit record, once for each budget and window');

  for (let i = 1; i <= 12; i++) {
    own.s.advance(10 * MINUTE);
    ok(await forgot(u.email, from(), own.s));
    assert.equal(await own.resetsTo(u.email), Math.min(3 + i, 10)); // asked each time: a mail that waits for long is not sent
  }
  own.s.advance(DAY);
  ok(await forgot(u.email, from(), own.s));
  assert.equal(await own.resetsTo(u.email), 11);
});

test('BF18 the same mail is not sent twice within a minute', async (t) => {
  const own = await startLimited(t), u = await own.s.register();
  for (const [ms, mails] of [[0, 1], [59_999, 1], [1, 2]]) {
    own.s.advance(ms);
    ok(await forgot(u.email.toUpperCase(), from(), own.s));
    assert.equal(await own.resetsTo(u.email), mails);
  }
});

test('BF18 a network at the end of its hour sends nothing and uses up nobody\'s budget', async (t) => {
  const own = await startLimited(t), u = await own.s.register(), network = from();
  for (let i = 0; i < 20; i++) ok(await forgot(freshEmail('nobody'), network, own.s));
  for (let i = 0; i < 20; i++) ok(await forgot(u.email, network, own.s));
  assert.equal(await own.resetsTo(u.email), 0);
  for (let i = 1; i <= 3; i++) {
    ok(await forgot(u.email, from(), own.s));
    assert.equal(await own.resetsTo(u.email), i);
    own.s.advance(MINUTE);
  }
  own.s.advance(HOUR);
  ok(await forgot(u.email, network, own.s));
  assert.equal(await own.resetsTo(u.email), 4);
});

/* ---- no way in without the mail ---- */

/* Mulberry32: the same walk for the same seed. */
function randomOf(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const STEPS = 3000;
const FIELDS = ['email', 'newEmail', 'token', 'code', 'password', 'newPassword', 'currentPassword', 'refreshToken', 'deviceToken', 'phoneNumber', 'userId', 'firstName', 'emailLang'];
const ROUTES = [['POST', 'register'], ['POST', 'login'], ['POST', 'refresh'], ['POST', 'logout'], ['GET', 'me'], ['PATCH', 'profile'], ['GET', 'sessions'], ['POST', 'sessions/cleanup'], ['DELETE', 'sessions/:id'],
  ['POST', 'forgot-password'], ['POST', 'reset-password'], ['POST', 'change-password'], ['POST', 'send-verification-email'], ['GET', 'verify-email'], ['POST', 'verify-email'], ['POST', 'change-email/request'],
  ['POST', 'change-email/confirm'], ['POST', 'change-email/revert'], ['POST', 'add-phone'], ['POST', 'add-phone/verify'], ['GET', 'export'], ['GET', 'check']];

test('EL12 no walk through the doors without the mails sets a password or signs in', async (t) => {
  const own = await startDelivering({ env: { ...LIMITED, SALLYPORT_LIMITS_BAD_TOKENS: '1000000' } });
  t.after(() => own.close());
  const seed = Number(process.env.SEED ?? crypto.randomInt(2 ** 31)), random = randomOf(seed);
  const pick = (list) => list[Math.floor(random() * list.length)];
  t.diagnostic(`SEED=${seed}`);

  const victim = await own.s.signedIn(), thief = await own.s.signedIn();
  const row = () => own.s.sql(`SELECT hex(uid), email, email_key, password_hash, phone, email_verified, device_epoch FROM user WHERE email_key = '${victim.email}';
    SELECT hex(sid) FROM session s JOIN user u ON u.id = s.user_id WHERE u.email_key = '${victim.email}'`);
  const before = await row();
  const stored = await storedValues(own.s, ['user', 'session', 'onetime', 'attempt', 'place']); // a stolen copy
  const hex = () => Array.from({ length: 64 }, () => Math.floor(random() * 16).toString(16)).join('');
  const VALUES = [() => victim.email, () => victim.email.toUpperCase(), () => victim.id, () => thief.email, () => thief.id, () => thief.password, () => thief.accessToken, () => thief.refreshToken,
    () => thief.deviceToken, () => pick(stored), hex, () => String(Math.floor(random() * 1e6)).padStart(6, '0'), () => '', () => null, () => true, () => 'a new phrase 7 for me', () => '+393331234567'];

  async function step() {
    const [method, name] = pick(ROUTES), value = () => pick(VALUES)();
    const body = Object.fromEntries(FIELDS.filter(() => random() < 0.5).map((f) => [f, value()]));
    if (random() < 0.4) body.email = victim.email;
    const query = name === 'verify-email' && method === 'GET' ? `?token=${encodeURIComponent(value())}` : '';
    const r = await own.s.request(method, `/auth/${name.replace(':id', encodeURIComponent(value() || 'x'))}${query}`, {
      ...(method === 'GET' ? {} : asIs(body)),
      token: pick([undefined, thief.accessToken, thief.accessToken, thief.refreshToken, hex()]),
    });
    assert.ok(r.status < 500, `SEED=${seed} ${name}: ${r.text}`);
    if (!r.text.includes('accessToken')) return;
    assert.equal((await own.s.me(r.json.accessToken)).json.email, thief.email, `SEED=${seed} ${name}`);
    Object.assign(thief, { accessToken: r.json.accessToken, refreshToken: r.json.refreshToken });
  }

  for (let i = 0; i < STEPS; i++) {
    if (random() < 0.01) own.s.advance(Math.floor(random() * 30 * MINUTE));
    if (i % 250 === 0) { // he is let in at his own door, whatever he has done to his account
      own.s.advance(16 * MINUTE);
      await own.s.cliOk(['user', 'set-password', thief.id, '--password-stdin'], { input: `${thief.password}\n` });
      const r = await own.s.login(thief.email, thief.password);
      assert.equal(r.status, 200, r.text);
      Object.assign(thief, r.json);
    }
    await step();
  }
  assert.equal(await row(), before, `SEED=${seed}`);
  own.s.advance(DAY);
  assert.equal((await own.s.login(victim.email, victim.password)).status, 200);
});
