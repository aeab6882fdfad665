// race.test.mjs — what was read before slow work is compared again in the transaction that acts: each request that takes
// long (a hash, a provider, a mail that is clicked), held before its last transaction while another request is answered.
// test/data/races.json says what comes of each pair.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Authenticator, confirm, handleOf, setUp, verify, withTotp } from '../lib/authenticator.mjs';
import { source } from '../lib/paths.mjs';
import { CHANGE, LINKING, RESET } from '../lib/mailed.mjs';
import { freshEmail, freshPassword, until } from '../lib/server.mjs';
import { AUTH, person, SITE, Social } from '../lib/social.mjs';

const { comment, ...TABLE } = JSON.parse(source('test/data/races.json'));
const fetched = { Accept: 'application/json', 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Site': 'same-origin' };
let t, s;
before(async () => {
  t = await Social.start({ env: { SALLYPORT_GUEST_ENABLED: 'true', SALLYPORT_GUEST_PER_HOUR: '1000000', SALLYPORT_LIMITS_RESEND: '0s' } });
  s = t.s;
});
after(() => t.close());

const said = (r) => (r.status < 300 ? '200' : `${r.status} ${r.json.code}`);
const landed = (r) => {
  const end = new URL(r.url);
  return end.searchParams.get('error') ?? (end.origin === SITE ? 'signed in' : r.url);
};

/* ---- accounts: { id, email, password, accessToken … }, and an older session of theirs that the others act from ---- */

async function account() {
  const u = await s.signedIn();
  return { ...u, other: await s.signIn(u) };
}

async function withApp() {
  const u = await withTotp(s, await s.signedIn()), r = await verify(s, { tempToken: await handleOf(s, u), totpCode: u.app.code() });
  assert.equal(r.status, 200, r.text);
  return { ...u, other: r.json };
}

async function guest() {
  const { accessToken, userId: id } = (await s.post('/auth/guest', undefined, { strategy: 'bearer' })).json;
  return { id, accessToken };
}

async function atProvider() {
  t.p.person = person();
  const { browser } = await t.web(), me = await t.profile(browser);
  return { id: me.sub, email: me.email, person: t.p.person, browser, csrf: browser.cookies(AUTH)['__Host-csrf-token'] };
}

/* ---- what takes long: an account, and the request ---- */

const SLOW = {
  'sign-in': { who: account, ask: async (u) => said(await s.login(u.email, u.password)) },
  'change-password': { who: account, ask: async (u) => said(await s.post('/auth/change-password', { currentPassword: u.password, newPassword: freshPassword() }, { token: u.accessToken })) },
  'step-up': {
    who: async () => {
      const u = await account();
      await s.sql(`UPDATE session SET auth_ms = 1`); // so that it is asked for
      return u;
    },
    ask: async (u) => said(await s.post('/auth/add-phone', { phoneNumber: null, currentPassword: u.password }, { token: u.accessToken })),
  },
  'new-codes': { who: withApp, ask: async (u) => said(await s.post('/auth/2fa/recovery-codes', {}, { token: u.accessToken })) },
  '2fa-set-up': {
    who: account,
    ready: async (u) => {
      const r = await setUp(s, u.accessToken);
      assert.equal(r.status, 200, r.text);
      s.note(r.json.secret);
      return new Authenticator(s, r.json.otpauthUrl).code();
    },
    ask: async (u, code) => said(await confirm(s, u.accessToken, { token: code })),
  },
  '2fa-disable': { who: withApp, ask: async (u) => said(await s.post('/auth/2fa/disable', { recoveryCode: u.codes[0] }, { token: u.accessToken })) },
  '2fa-verify': {
    who: withApp,
    ready: async (u) => ({ handle: await handleOf(s, u) }),
    ask: async (u, { handle }) => said(await s.post('/auth/2fa/verify', { tempToken: handle, totpCode: u.codes[0] }, { strategy: 'bearer' })),
  },
  callback: {
    who: atProvider,
    ready: async (u) => {
      t.p.person = u.person;
      return t.half();
    },
    ask: async (u, { browser, callback }) => landed(await browser.go(callback)),
  },
  'callback-link': {
    who: atProvider,
    ready: async (u) => {
      const r = await u.browser.ask(`${AUTH}/auth/oauth/fake/link`, { method: 'POST', body: '{}', type: 'application/json', headers: { ...fetched, 'X-CSRF-Token': u.csrf } });
      t.p.person = person();
      return u.browser.go(JSON.parse(r.text).url, { stop: (url) => url.startsWith(`${AUTH}/auth/oauth/`) && url.includes('/callback') });
    },
    ask: async (u, { url }) => landed(await u.browser.go(url)),
  },
  'guest-upgrade': { who: guest, ask: async (u) => said(await s.post('/auth/register', { email: freshEmail(), password: freshPassword() }, { token: u.accessToken })) },
  'link-verify': {
    who: account,
    ready: async (u) => {
      const to = freshEmail();
      assert.equal((await s.post('/auth/link-request', { email: to }, { token: u.other.accessToken })).status, 200);
      return { token: await t.mailed.token(to, LINKING) };
    },
    ask: async (u, { token }) => said(await s.post('/auth/link-verify', { token, loginAfterLinking: true }, { strategy: 'bearer' })),
  },
};

/* ---- what comes between: made ready before, done at once ---- */

const idOf = (u) => `(SELECT id FROM user WHERE hex(uid) = upper(replace('${u.id}', '-', '')))`;
const sessionsOf = (u) => t.count('session', `user_id = ${idOf(u)}`);
const OTHER = {
  'set-password': { run: (u) => s.cliOk(['user', 'set-password', u.id, '--password-stdin'], { input: `${freshPassword()}\n` }) },
  reset: {
    ready: async (u) => {
      await s.post('/auth/forgot-password', { email: u.email });
      return t.mailed.token(u.email, RESET);
    },
    run: async (u, token) => (await s.post('/auth/reset-password', { token, password: freshPassword() })).status,
  },
  disable: { run: (u) => s.cliOk(['user', 'disable', u.id]) },
  delete: { run: (u) => s.cliOk(['user', 'delete', u.id]) },
  'sign-out-everywhere': { run: async (u) => void (await s.sql(`DELETE FROM session WHERE user_id = ${idOf(u)}`)) },
  'change-address': {
    keeps: true, // the session that asked for it
    ready: async (u) => {
      const newEmail = freshEmail(), r = await s.post('/auth/change-email/request', { newEmail, currentPassword: u.password }, { token: u.other.accessToken });
      assert.equal(r.status, 200, r.text);
      return t.mailed.token(newEmail, CHANGE);
    },
    run: async (u, token) => (await s.post('/auth/change-email/confirm', { token })).status,
  },
};

/* Made ready, both: the account, the other's token, what the request needs. */
async function begun(slow, other) {
  const u = await slow.who(), o = other.ready ? await other.ready(u) : undefined, own = slow.ready ? await slow.ready(u) : undefined;
  return { u, o, own };
}

/* The request, and after it the other, as on any day: who was let in is out then. How many transactions the request begins. */
async function inTurn(name, kind) {
  const { u, o, own } = await begun(SLOW[name], OTHER[kind]), first = s.control.get('BEGINS');
  const came = await SLOW[name].ask(u, own), n = s.control.get('BEGINS') - first, did = (await OTHER[kind].run(u, o)) ?? 200;
  assert.match(came, /^200$|^signed in$/, name);
  if (did.code === 0 || (did === 200 && !OTHER[kind].keeps)) assert.equal(await sessionsOf(u), 0, `${name}, and then ${kind}`);
  return n;
}

/* The other while the request is held before its last transaction. */
async function between(name, kind, n) {
  const { u, o, own } = await begun(SLOW[name], OTHER[kind]);
  s.control.set('HOLD_AT', n);
  const asked = SLOW[name].ask(u, own);
  await until(() => s.control.get('HELD') === 1, `${name} to be held`);
  const did = await OTHER[kind].run(u, o).finally(() => s.control.set('HELD', 0));
  assert.ok(did === undefined || did.code === 0 || did === 200, `${kind} while ${name} is held: ${did}`);
  const came = await asked;
  if (!OTHER[kind].keeps && !/^200$|^signed in$/.test(came)) assert.equal(await sessionsOf(u), 0, `${name}, and meanwhile ${kind}`);
  return came;
}

for (const [name, row] of Object.entries(TABLE)) {
  test(`what was read before slow work is compared again: ${name}`, async () => {
    for (const [kind, wanted] of Object.entries(row))
      if (wanted !== null) assert.equal(await between(name, kind, await inTurn(name, kind)), wanted, `${name}, and meanwhile ${kind}`);
  });
}
