// takeover.test.mjs — what mail does to an account that may have been made by somebody else than who reads its mail: the
// table of test/data/takeover_matrix.json walked cell by cell, and claims from the first mail to the last.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { verify as verifyTotp, withTotp } from '../lib/authenticator.mjs';
import { addPhone, mailCodeIn, SUBJECT } from '../lib/delivery.mjs';
import { LINKING, MAGIC, RESET, VERIFY } from '../lib/mailed.mjs';
import { ROOT } from '../lib/paths.mjs';
import { DAY, freshEmail, freshPassword, HOUR, Server } from '../lib/server.mjs';
import { AUTH, person, Social } from '../lib/social.mjs';

const NUMBER = '+391234567890';
const TABLE = JSON.parse(fs.readFileSync(path.join(ROOT, 'test/data/takeover_matrix.json'), 'utf8'));
const ENV = {
  SALLYPORT_SMS_TRANSPORT: 'log', SALLYPORT_SMS_TEST_NUMBERS: `${NUMBER}=123456`, SALLYPORT_SMS_COUNTRIES: 'any', SALLYPORT_OAUTH_FAKE_TRUST_EMAIL: 'true',
  SALLYPORT_LIMITS_RESEND: '0s', SALLYPORT_LIMITS_MAIL_PER_10MIN: '10000', SALLYPORT_LIMITS_MAIL_PER_DAY: '10000', SALLYPORT_LIMITS_ACCOUNT_FREE: '100',
};
let w, remembering;

before(async () => {
  w = await Social.start({ env: ENV, clock: 'frozen' });
  remembering = await Social.start({ env: { ...ENV, SALLYPORT_TWOFACTOR_REMEMBER: 'true' }, clock: 'frozen' });
});
after(async () => {
  await w.close();
  await remembering.close();
});

const bearer = { strategy: 'bearer' };
const done = (r) => assert.equal(r.json.success, true, r.text);

/* ---- accounts, as their holder makes them ---- */

/* Signs the holder in, past his factor: { accessToken, deviceToken, trustToken }. */
async function enter(on, u) {
  const first = await on.s.login(u.email, u.password, { deviceToken: u.deviceToken });
  if (first.json.accessToken) return first.json;
  on.s.advance(30_000);
  const { tempToken } = first.json;
  const second = u.app ? await verifyTotp(on.s, { tempToken, totpCode: u.app.code(), rememberDevice: true }) : await bySms(on, tempToken);
  assert.ok(second.json.accessToken, second.text);
  return second.json;
}

async function bySms(on, tempToken) {
  done(await on.s.post('/auth/sms/send', { mode: '2fa', tempToken }));
  return on.s.post('/auth/sms/verify', { mode: '2fa', tempToken, code: '123456' }, bearer);
}

const MAKE = {
  none: async (on, u) => u,
  app: (on, u) => withTotp(on.s, u),
  'remembered device': (on, u) => withTotp(on.s, u),
  sms: async (on, u) => {
    await on.s.sql(`UPDATE user SET phone = NULL WHERE phone = '${NUMBER}'`);
    const v = await addPhone({ s: on.s, sms: { sms: async () => ({ message: '123456' }) } }, u, NUMBER);
    await on.s.cliOk(['user', 'require-2fa', u.email, 'on']);
    return v;
  },
};

/* With a linked address, a password, and the factor; where nothing of that goes, one account serves for all cells. */
const made = new Map();
async function account(on, factor) {
  if (made.has(factor)) return made.get(factor);
  const u = await on.s.signedIn(), other = freshEmail('linked');
  done(await on.s.post('/auth/link-request', { email: other }, { token: u.accessToken }));
  done(await on.s.post('/auth/link-verify', { token: await on.mailed.token(other, LINKING) }));
  const v = await MAKE[factor](on, u);
  if (factor !== 'none') made.set(factor, v);
  return v;
}

/* As the cell wants it, with a session of its holder's; what proven means is magic_link.test.mjs'. */
async function ready(on, factor, proven) {
  const u = await account(on, factor);
  await on.s.sql(`UPDATE user SET email_verified = ${Number(proven)}, mailbox_only = 0, password_by_mail = 0, claim_ms = 0 WHERE email = '${u.email}'; DELETE FROM linked_account WHERE account_id = '${u.email}'`);
  return { ...u, ...(await enter(on, u)) };
}

/* ---- the ways mail comes back ---- */

/* What a known device sends along, in a request that is not the holder's session. */
const along = (u, known) => (known ? { deviceToken: u.deviceToken, ...(u.trustToken ? { trustToken: u.trustToken } : {}) } : {});

async function byProvider(on, u, known) {
  on.p.calm();
  on.p.now = () => on.s.now;
  on.p.person = person({ email: u.email });
  const browser = on.browser();
  const post = (path, json) => browser.ask(`${AUTH}${path}`, { method: 'POST', type: 'application/json', body: JSON.stringify(json), headers: { Accept: 'application/json', 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Site': 'same-origin', 'X-CSRF-Token': browser.cookies(AUTH)['__Host-csrf-token'] ?? '' } });
  await on.web('', { browser });
  await post('/auth/link-request', { email: u.email });
  const r = await post('/auth/link-verify', { token: await on.mailed.token(u.email, LINKING), loginAfterLinking: true, ...(known ? { deviceToken: u.deviceToken } : {}) });
  await on.s.sql("DELETE FROM linked_account WHERE provider = 'fake'");
  const signedIn = browser.cookies(AUTH)['__Host-accessToken'] !== undefined;
  return { status: r.status, text: r.text, json: { ...JSON.parse(r.text), ...(signedIn ? { accessToken: 'in a cookie' } : {}) } };
}

const WAYS = {
  'magic link': async (on, u, known) => {
    done(await on.s.post('/auth/magic-link/send', { email: u.email }));
    return on.s.post('/auth/magic-link/verify', { token: await on.mailed.token(u.email, MAGIC), ...along(u, known) }, bearer);
  },
  code: async (on, u, known) => {
    done(await on.s.post('/auth/magic-link/send', { email: u.email, type: 'code' }));
    return on.s.post('/auth/magic-link/verify', { email: u.email, code: mailCodeIn(await on.mailed.sink.mail(u.email, { subject: SUBJECT.code })), ...along(u, known) }, bearer);
  },
  reset: async (on, u, known) => {
    done(await on.s.post('/auth/forgot-password', { email: u.email }));
    return on.s.post('/auth/reset-password', { token: await on.mailed.token(u.email, RESET), password: u.password, ...along(u, known) });
  },
  'verify link': async (on, u, known) => {
    const asked = await on.s.post('/auth/send-verification-email', {}, { token: u.accessToken });
    if (asked.json.code === 'EMAIL_ALREADY_VERIFIED') return null;
    done(asked);
    return on.s.post('/auth/verify-email', { token: await on.mailed.token(u.email, VERIFY), ...along(u, known) });
  },
  'link-verify': async (on, u, known) => {
    done(await on.s.post('/auth/link-request', { email: u.email }, { token: u.accessToken }));
    return on.s.post('/auth/link-verify', { token: await on.mailed.token(u.email, LINKING), loginAfterLinking: true, ...along(u, known) }, bearer);
  },
  provider: byProvider,
};

/* Templates of what the address hears of it, beside the mails that were asked for. */
const NEWS = { 'What was in your account before is gone': 'account-cleared', 'Your password has been changed': 'password-changed', 'An account was linked to yours': 'account-linked' };

function told(mails) {
  return mails.map((m) => NEWS[m] ?? m).filter((m) => ![MAGIC, RESET, VERIFY, LINKING, SUBJECT.code].includes(m)).sort();
}

const opens = (r) => (r.json.accessToken ? 'tokens' : r.json.requiresTwoFactor ? 'handle' : r.status === 200 ? 'nothing' : r.json.code);

/* What is seen in one cell. */
async function look(factor, way, sender, proven) {
  const on = factor === 'remembered device' ? remembering : w, u = await ready(on, factor, proven);
  const before_ = (await on.mailed.subjects(u.email)).length;
  const factors = () => on.s.sql(`SELECT totp IS NOT NULL, phone, (SELECT count(*) FROM recovery WHERE user_id = user.id) FROM user WHERE email = '${u.email}'`), had = await factors();
  const r = await WAYS[way](on, u, sender === 'known device');
  if (r === null) return null;
  on.s.note(r.json.tempToken);
  const news = (await on.mailed.subjects(u.email)).slice(before_);
  if (factor !== 'none') assert.equal(await factors(), had, `MF19 mail alone never removes a factor: ${factor}, ${way}, ${sender}`);
  const full = await on.s.sql(`SELECT email_verified, mailbox_only FROM user WHERE email = '${u.email}'`);
  return { opens: opens(r), ...(r.json.available2faMethods ? { asks: r.json.available2faMethods } : {}), removed: r.json.removed ?? [], told: told(news), proven: { '0|0': 'no', '1|1': 'that somebody reads the mail', '1|0': 'in full' }[full] };
}

for (const factor of Object.keys(MAKE))
  for (const way of Object.keys(WAYS))
    test(`MF19 MF22 EL15 ID12 mail and an account: ${factor}, ${way}`, async () => {
      const seen = {};
      for (const sender of ['known device', 'stranger'])
        for (const proven of [false, true]) (seen[sender] ??= {})[proven ? 'proven' : 'never proven'] = await look(factor, way, sender, proven);
      if (process.env.TAKEOVER_SEEN) fs.appendFileSync(process.env.TAKEOVER_SEEN, `${JSON.stringify([factor, way, seen])}\n`);
      assert.deepEqual(seen, TABLE.cells[factor][way]);
    });

/* ---- claims ---- */

const claim = (json) => w.s.post('/auth/claim', json);
async function mailedSignIn(u, json = {}) {
  done(await w.s.post('/auth/magic-link/send', { email: u.email }));
  return w.s.post('/auth/magic-link/verify', { token: await w.mailed.token(u.email, MAGIC), ...json }, bearer);
}
const armed = async () => withTotp(w.s, await w.s.signedIn());

test('MF22 who reads the mail claims an account that somebody else armed, waits, and gets it empty; the holder is told at once', async () => {
  const u = await armed(), first = await mailedSignIn(u), asked = await claim({ tempToken: first.json.tempToken });
  assert.deepEqual([asked.status, Date.parse(asked.json.opensAt) - w.s.now], [200, 3 * DAY], asked.text);
  assert.equal((await claim({ tempToken: first.json.tempToken })).json.opensAt, asked.json.opensAt, 'asking again changes nothing');
  assert.equal((await w.s.me(u.accessToken)).json.claimOpensAt, asked.json.opensAt);
  assert.equal((await w.mailed.subjects(u.email)).filter((x) => x === 'Your account was claimed').length, 1);
  w.s.advance(3 * DAY - HOUR);
  assert.equal((await mailedSignIn(u)).json.requiresTwoFactor, true, 'not before');
  w.s.advance(HOUR);
  const r = await mailedSignIn(u);
  assert.deepEqual([r.status, r.json.removed], [200, ['password', 'secondFactor', 'sessions']], r.text);
  const me = (await w.s.me(r.json.accessToken)).json;
  assert.deepEqual([me.isTotpEnabled, me.hasPassword, me.isEmailVerified, me.claimOpensAt], [false, false, true, undefined]);
  assert.equal((await w.s.me(u.accessToken)).status, 401);
});

test('MF19 MF22 a sign-in with the second factor calls a claim off; of a proven address there is none: the mailbox thief gets nothing', async () => {
  const u = await armed(), token = async () => {
    done(await w.s.post('/auth/magic-link/send', { email: u.email }));
    return w.mailed.token(u.email, MAGIC);
  };
  assert.equal((await claim({ token: await token() })).status, 200);
  await enter(w, u);
  assert.ok((await w.mailed.subjects(u.email)).includes('The claim to your account was called off'));
  w.s.advance(4 * DAY);
  assert.equal((await mailedSignIn(u)).json.requiresTwoFactor, true);
  w.s.advance(30_000);
  const passed = await mailedSignIn(u), full = await verifyTotp(w.s, { tempToken: passed.json.tempToken, totpCode: u.app.code() });
  assert.equal((await w.s.me(full.json.accessToken)).json.isEmailVerified, true, 'mail and factor: proven, and nothing removed');
  const kept = await token(), no = await claim({ token: kept });
  assert.deepEqual([no.status, no.json.code], [409, 'CLAIM_REFUSED']);
  assert.equal((await w.s.post('/auth/magic-link/verify', { token: kept }, bearer)).json.requiresTwoFactor, true, 'a refused claim uses nothing up');
  for (const json of [{}, { token: 'f'.repeat(64) }, { tempToken: 'f'.repeat(64) }]) assert.ok([400, 401].includes((await claim(json)).status));
});

test('MF19 with the default settings a mailbox alone does not get past an app: reset, sign-in, every second factor, switching off', async () => {
  const u = await armed(), password = freshPassword();
  done(await w.s.post('/auth/forgot-password', { email: u.email }));
  done(await w.s.post('/auth/reset-password', { token: await w.mailed.token(u.email, RESET), password }));
  const { tempToken, available2faMethods } = (await w.s.login(u.email, password)).json;
  assert.deepEqual(available2faMethods, ['totp']);
  assert.equal((await w.s.post('/auth/magic-link/send', { mode: '2fa', tempToken })).status, 401);
  assert.equal((await claim({ tempToken })).json.code, 'CLAIM_REFUSED', 'a password is no mail');
  assert.equal((await w.s.post('/auth/2fa/disable', { currentPassword: password }, { token: tempToken })).status, 401);
});

test('EL15 in strict mode who registers and opens a sign-in link on the same device keeps the password just chosen', async (t) => {
  const strict = await Social.start({ env: { ...ENV, SALLYPORT_VERIFICATION_MODE: 'strict' }, clock: 'frozen' });
  t.after(() => strict.close());
  const u = await strict.s.register();
  done(await strict.s.post('/auth/magic-link/send', { email: u.email }));
  const r = await strict.s.post('/auth/magic-link/verify', { token: await strict.mailed.token(u.email, MAGIC), deviceToken: u.deviceToken }, bearer);
  assert.deepEqual([r.status, r.json.removed], [200, undefined], r.text);
  assert.equal((await strict.s.login(u.email, u.password)).status, 200);
});

test('MF20 a guest who becomes an account passes the gate: where a second factor is demanded his session ends, and the password leads to setting one up', async (t) => {
  const s = await Server.start({ env: { SALLYPORT_GUEST_ENABLED: 'true', SALLYPORT_TWOFACTOR_REQUIRED: 'true' } });
  t.after(() => s.close());
  const guest = (await s.post('/auth/guest', undefined, bearer)).json;
  const r = await s.post('/auth/register', { email: freshEmail('guest'), password: freshPassword() }, { token: guest.accessToken, ...bearer });
  assert.deepEqual([r.status, r.json.userId, r.json.requires2FASetup, r.json.accessToken], [201, guest.userId, true, undefined], r.text);
  s.note(r.json.tempToken);
  assert.equal((await s.me(guest.accessToken)).json.code, 'SESSION_REVOKED');
  assert.equal((await s.refresh(guest.refreshToken)).status, 401);
  const made_ = await s.post('/auth/2fa/setup', { tempToken: r.json.tempToken });
  assert.equal(made_.status, 200, made_.text);
});
