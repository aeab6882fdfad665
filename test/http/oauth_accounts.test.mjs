// oauth_accounts.test.mjs — from a person at a provider to an account here: found, made, linked, or in conflict with one
// that is there. What others may not gain by it.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { withTotp } from '../lib/authenticator.mjs';
import { FakeProvider } from '../lib/fake_provider.mjs';
import { LINKING } from '../lib/mailed.mjs';
import { freshEmail, freshPassword } from '../lib/server.mjs';
import { AUTH, person, SITE, Social } from '../lib/social.mjs';

let t, plainOne;
before(async () => {
  const p = await FakeProvider.start();
  t = await Social.start({ env: { SALLYPORT_OAUTH_FAKE_TRUST_EMAIL: 'true' } });
  plainOne = await Social.start({ provider: p, env: { ...p.plainEnv('plain', { TRUST_EMAIL: 'true' }), ...p.plainEnv('hub', { PRESET: 'github', EMAILS_URL: `${p.issuer}/user/emails` }) } });
});
after(async () => {
  await t.close();
  await plainOne.close();
});
const calm = (of) => {
  of.p.calm();
  of.p.now = () => of.s.now;
  of.p.person = person();
};
beforeEach(() => calm(t));
/* A server with plain OAuth providers: "plain" by URLs, "hub" like GitHub. */
const onPlain = () => {
  calm(plainOne);
  return plainOne;
};

const fetched = { Accept: 'application/json', 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Site': 'same-origin' };
const post = (browser, path, json) => browser.ask(`${AUTH}${path}`, { method: 'POST', type: 'application/json', body: JSON.stringify(json), headers: { ...fetched, 'X-CSRF-Token': browser.cookies(AUTH)['__Host-csrf-token'] ?? '' } });
const verify = (of, u) => of.s.sql(`UPDATE user SET email_verified = 1 WHERE email = '${u.email}'`);
const conflict = (r) => r.end.pathname === '/auth/ui/account-conflict';
const linksOf = (of, u) => of.s.sql(`SELECT provider || ':' || account_id FROM linked_account JOIN user ON user.id = user_id WHERE user.email = '${u.email}' ORDER BY 1`);

/* ---- ID05 ---- */

for (const [what, answer] of [['{}', {}], ['{"id":null}', { id: null }], ['{"id":0}', { id: 0 }], ['{"id":{}}', { id: {} }], ['{"id":""}', { id: '' }], ['{"id":-1}', { id: -1 }], ['an error with 200', { id: 1, error: 'x' }], ['"ok": false', { id: 1, ok: false }], ['a list', [{ id: 1 }]]])
  test(`ID05 a profile of ${what} is nobody: no account is made`, async () => {
    const mine = onPlain();
    mine.p.answer['/user'] = (res, normal, json) => json(answer);
    const { browser, callback } = await mine.half('', { provider: 'plain' }), users = await mine.count('user');
    const r = await browser.ask(callback, { headers: { Accept: 'application/json', 'Sec-Fetch-Mode': 'cors' } });
    assert.deepEqual([r.status, JSON.parse(r.text).code], [401, 'OAUTH_PROFILE_FAILED']);
    assert.equal(await mine.count('user'), users);
  });

test('a plain OAuth provider of URLs: the profile is where the settings say', async () => {
  const mine = onPlain(), email = freshEmail('plain');
  mine.p.extra.user = { id: 'abc', email, email_verified: true, name: 'Grace Hopper' };
  const me = await mine.profile((await mine.web('', { provider: 'plain' })).browser);
  assert.deepEqual([me.email, me.firstName, me.lastName, me.loginProvider, me.isEmailVerified], [email, 'Grace', 'Hopper', 'plain', true]);
  const q = mine.p.last('/authorize').url.searchParams;
  assert.deepEqual([q.get('nonce'), q.get('response_type'), q.get('scope')], [null, 'code', 'email']);
});

test('GitHub: a JSON request, the word token, and only its proven primary address (F-32)', async () => {
  const mine = onPlain(), email = freshEmail('hub');
  mine.p.extra.user = { id: 99, email: 'public@example.test', name: null };
  mine.p.extra.emails = [{ email: 'second@example.test', primary: false, verified: true }, { email, primary: true, verified: true }];
  const me = await mine.profile((await mine.web('', { provider: 'hub' })).browser);
  assert.deepEqual([me.email, me.isEmailVerified], [email, true]);
  assert.match(mine.p.last('/token').headers['content-type'], /^application\/json/);
  assert.match(mine.p.last('/user').headers.authorization, /^token \w+$/);
  mine.p.extra.user = { id: 100 };
  mine.p.extra.emails = [{ email: freshEmail('unproven'), primary: true, verified: false }];
  assert.equal((await mine.web('', { provider: 'hub' })).end.searchParams.get('error'), 'OAUTH_EMAIL_REQUIRED');
});

/* ---- ID06 ---- */

for (const auto of ['none', 'verified'])
  test(`ID06 an address links by itself only where both sides have proven it and the settings say so: auto_link = ${auto}`, async (tc) => {
    const mine = await Social.start({ env: { SALLYPORT_OAUTH_AUTO_LINK: auto, SALLYPORT_OAUTH_FAKE_TRUST_EMAIL: 'true' } });
    tc.after(() => mine.close());
    for (const here of [false, true])
      for (const there of [false, true, 'true', 'false', 'yes', 1, '1']) {
        calm(mine);
        const u = await mine.s.register();
        if (here) await verify(mine, u);
        mine.p.person = person({ email: u.email, email_verified: there });
        const r = await mine.web(), linked = await linksOf(mine, u), want = auto === 'verified' && here && (there === true || there === 'true');
        assert.equal(linked, want ? `fake:${mine.p.person.sub}` : '', `${here} ${there}`);
        assert.equal(r.browser.cookies(AUTH)['__Host-accessToken'] !== undefined, want);
      }
  });

test('ID06 a provider that is not trusted proves no address, whatever it says', async (tc) => {
  const mine = await Social.start({ env: { SALLYPORT_OAUTH_AUTO_LINK: 'verified' } });
  tc.after(() => mine.close());
  const u = await mine.s.register();
  await verify(mine, u);
  mine.p.person = person({ email: u.email });
  const r = await mine.web();
  assert.ok(conflict(r));
  assert.equal(r.end.searchParams.get('email'), null);
  calm(mine);
  assert.equal((await mine.profile((await mine.web()).browser)).isEmailVerified, false);
});

test('ID06 with a second factor an automatic link asks for it', async (tc) => {
  const mine = await Social.start({ env: { SALLYPORT_OAUTH_AUTO_LINK: 'verified', SALLYPORT_OAUTH_FAKE_TRUST_EMAIL: 'true' } });
  tc.after(() => mine.close());
  const u = await mine.s.signedIn();
  await verify(mine, u);
  await withTotp(mine.s, u);
  mine.p.person = person({ email: u.email });
  assert.equal((await mine.web()).end.pathname, '/auth/2fa');
});

/* ---- conflicts ---- */

test('ID06 ID09 a proven address that has an account: a page that asks, a mail that names what is to be linked, the same browser', async () => {
  const u = await t.s.register();
  await verify(t, u);
  t.p.person = person({ email: u.email });
  const r = await t.web();
  assert.equal(`${r.end.origin}${r.end.pathname}${r.end.search}`, `${SITE}/auth/ui/account-conflict?provider=fake&code=OAUTH_ACCOUNT_CONFLICT&email=${encodeURIComponent(u.email)}`);
  assert.equal(r.browser.cookies(AUTH)['__Host-accessToken'], undefined);
  const asked = await post(r.browser, '/auth/link-request', { email: u.email, provider: 'fake' });
  assert.deepEqual([asked.status, JSON.parse(asked.text)], [200, { success: true }], asked.text);
  const { token, mail } = await t.mailed.link(u.email, LINKING);
  assert.match(mail.parsed.text, new RegExp(`fake: ${u.email}`));

  const elsewhere = await post(t.browser(), '/auth/link-verify', { token, loginAfterLinking: true });
  const bearer = await t.s.post('/auth/link-verify', { token, loginAfterLinking: true }, { strategy: 'bearer' });
  assert.equal(bearer.json.code, 'UNAUTHORIZED', 'the click alone, anywhere else, links nothing');
  assert.notEqual(elsewhere.status, 200);
  assert.equal(await linksOf(t, u), '');

  const done = await post(r.browser, '/auth/link-verify', { token, loginAfterLinking: true });
  assert.equal(done.status, 200, done.text);
  assert.equal(await linksOf(t, u), `fake:${t.p.person.sub}`);
  assert.equal((await t.profile(r.browser)).email, u.email);
  assert.equal((await t.profile((await t.web()).browser)).email, u.email, 'F-28 the next sign-in is no conflict');
});

test('ID10 link-verify asks for the second factor like every way in', async () => {
  const u = await t.s.signedIn();
  await verify(t, u);
  await withTotp(t.s, u);
  t.p.person = person({ email: u.email });
  const { browser } = await t.web();
  await post(browser, '/auth/link-request', { email: u.email });
  const r = await post(browser, '/auth/link-verify', { token: await t.mailed.token(u.email, LINKING), loginAfterLinking: true });
  assert.deepEqual(Object.keys(JSON.parse(r.text)), ['requiresTwoFactor', 'tempToken', 'available2faMethods']);
  assert.equal(browser.cookies(AUTH)['__Host-accessToken'], undefined);
});

test('ID09 what waits is of the browser that met it: no address, and no other browser, asks for the mail', async () => {
  const u = await t.s.register();
  await verify(t, u);
  t.p.person = person({ email: u.email });
  const { browser } = await t.web(), foreign = await post(t.browser(), '/auth/link-request', { email: u.email, provider: 'fake' });
  assert.equal(JSON.parse(foreign.text).code, 'UNAUTHORIZED');
  const other = await post(browser, '/auth/link-request', { email: freshEmail() });
  assert.equal(JSON.parse(other.text).code, 'UNAUTHORIZED', 'another address');
  assert.deepEqual(await t.mailed.subjects(u.email), ['Welcome! Your account has been created']);
});

test('BF15 an address that the provider has not proven: a page that names nobody, whoever has an account', async () => {
  const u = await t.s.register();
  t.p.person = person({ email: u.email, email_verified: false });
  const { callback, browser } = await t.half(), r = await browser.ask(callback);
  assert.equal(r.headers.location, `${SITE}/auth/ui/account-conflict?provider=fake&code=OAUTH_ACCOUNT_CONFLICT`);
  assert.doesNotMatch(r.headers.location + r.text, /@|%40/);
  assert.equal(browser.cookies(AUTH)['__Host-oauth-pending'], undefined);
});

test('BF15 with strict verification a taken and a free address that is not proven are answered alike', async (tc) => {
  const mine = await Social.start({ env: { SALLYPORT_VERIFICATION_MODE: 'strict', SALLYPORT_OAUTH_FAKE_TRUST_EMAIL: 'true' } });
  tc.after(() => mine.close());
  const u = await mine.s.register(), ends = [];
  for (const email of [u.email, freshEmail()]) {
    mine.p.person = person({ email, email_verified: false });
    ends.push((await mine.web()).url);
  }
  assert.deepEqual(ends, Array(2).fill(`${SITE}/auth/ui/login?error=OAUTH_EMAIL_REQUIRED`));
});

/* ---- ID07, ID12: pre-hijacking ---- */

async function linkByMail(of, u) {
  const { browser } = await of.web();
  const asked = await post(browser, '/auth/link-request', { email: u.email });
  assert.equal(asked.status, 200, asked.text);
  const r = await post(browser, '/auth/link-verify', { token: await of.mailed.token(u.email, LINKING), loginAfterLinking: true });
  assert.equal(r.status, 200, r.text);
  return browser;
}

test('ID07 ID12 classic-federated merge, unexpired session: what was planted in an unproven account goes when its owner comes through a provider', async () => {
  const attacker = await t.s.signedIn();
  t.p.person = person({ email: attacker.email });
  const owner = await linkByMail(t, attacker);
  assert.equal((await t.profile(owner)).isEmailVerified, true);
  assert.equal((await t.s.login(attacker.email, attacker.password)).status, 401, 'the password');
  assert.equal((await t.s.me(attacker.accessToken)).json.code, 'SESSION_REVOKED', 'the session');
  assert.equal((await t.s.refresh(attacker.refreshToken)).status, 401);
});

test('ID12 trojan identifier: a provider account planted in an unproven account signs nobody in after its owner came', async () => {
  const attacker = await t.s.signedIn(), planted = person();
  t.p.person = planted;
  const begin = await t.s.post('/auth/oauth/fake/link', {}, { token: attacker.accessToken }), app = t.app();
  const ott = new URL((await t.browser().go(`${begin.json.url}&${new URLSearchParams({ redirect_uri: 'com.example.app:/signed-in', code_challenge: app.challenge, code_challenge_method: 'S256' })}`)).url).searchParams.get('ott');
  assert.equal((await t.s.post('/auth/oauth/link', { ott, codeVerifier: app.verifier }, { token: attacker.accessToken })).status, 200);
  t.p.person = person({ email: attacker.email });
  const owner = await linkByMail(t, attacker), me = await t.profile(owner);
  t.p.person = planted;
  const r = await t.web();
  assert.notEqual((await t.profile(r.browser)).sub, me.sub, 'the planted one gets an account of its own');
});

test('ID12 unexpired e-mail change: one begun by who planted the account does not work afterwards', async () => {
  const attacker = await t.s.signedIn(), elsewhere = freshEmail('elsewhere');
  assert.equal((await t.s.post('/auth/change-email/request', { newEmail: elsewhere }, { token: attacker.accessToken })).status, 200);
  const token = await t.mailed.token(elsewhere, 'Confirm your new email address');
  t.p.person = person({ email: attacker.email });
  await linkByMail(t, attacker);
  assert.equal((await t.s.post('/auth/change-email/confirm', { token })).status, 400);
});

test('ID12 non-verifying provider: an account made with an address it did not prove is not proven, and its owner gets it clean', async (tc) => {
  const mine = await Social.start();
  tc.after(() => mine.close());
  const victim = freshEmail('victim');
  mine.p.person = person({ email: victim, email_verified: false });
  const attacker = await mine.web();
  assert.equal((await mine.profile(attacker.browser)).isEmailVerified, false);
  await mine.s.post('/auth/forgot-password', { email: victim });
  const password = freshPassword();
  assert.equal((await mine.s.post('/auth/reset-password', { token: await mine.mailed.token(victim, 'Reset your password'), password })).status, 200);
  assert.equal(JSON.parse((await mine.me(attacker.browser)).text).code, 'SESSION_REVOKED');
  assert.equal(await linksOf(mine, { email: victim }), '');
  assert.equal((await mine.s.login(victim, password)).status, 200);
});

/* ---- ID08, ID11 ---- */

async function signedInBrowser(of) {
  of.p.person = person();
  const r = await of.web();
  return { browser: r.browser, me: await of.profile(r.browser), first: of.p.person };
}

const ticketOf = async (browser) => JSON.parse((await post(browser, '/auth/oauth/fake/link', {})).text);

test('ID08 a signed-in browser links a second account at the provider, and is back at its site', async () => {
  const { browser, me, first } = await signedInBrowser(t);
  const { url } = await ticketOf(browser);
  t.p.person = person();
  const r = await browser.go(`${url}&return_path=/settings`);
  assert.equal(r.url, `${SITE}/settings?linked=fake`);
  assert.equal(await linksOf(t, me), [first.sub, t.p.person.sub].map((s) => `fake:${s}`).sort().join('\n'));
});

test('ID08 the callback address of somebody else\'s linking, opened in another browser: nothing is linked', async () => {
  const attacker = await signedInBrowser(t), victim = await signedInBrowser(t);
  const { url } = await ticketOf(attacker.browser);
  t.p.person = person();
  const half = await attacker.browser.go(url, { stop: (u) => u.includes('/callback') });
  const r = await victim.browser.ask(half.url, { headers: fetched });
  assert.deepEqual([r.status, JSON.parse(r.text).code], [400, 'OAUTH_STATE_INVALID']);
  assert.equal(await t.count('linked_account', `account_id = '${t.p.person.sub}'`), 0);

  const other = await ticketOf(attacker.browser);
  const whole = await victim.browser.go(other.url);
  assert.equal(new URL(whole.url).searchParams.get('error'), 'OAUTH_STATE_INVALID', 'nor by sending a victim through it from the start');
  assert.equal(await t.count('linked_account', `account_id = '${t.p.person.sub}'`), 0);
});

test('ID08 linking asks for a sign-in that is not older than ten minutes', async () => {
  const u = await t.s.signedIn();
  t.s.advance(11 * 60_000);
  const fresh = (await t.s.refresh(u.refreshToken)).json.accessToken;
  assert.equal((await t.s.post('/auth/oauth/fake/link', {}, { token: fresh })).json.code, 'REAUTH_REQUIRED');
  assert.equal((await t.s.post('/auth/oauth/fake/link', { currentPassword: u.password }, { token: fresh })).status, 200);
});

test('F-31 an account at a provider that is linked to somebody is not linked to another', async () => {
  const one = await signedInBrowser(t), taken = t.p.person, two = await signedInBrowser(t);
  const { url } = await ticketOf(two.browser);
  t.p.person = taken;
  assert.equal(new URL((await two.browser.go(url)).url).searchParams.get('error'), 'ACCOUNT_ALREADY_LINKED');
  assert.equal(await linksOf(t, one.me), `fake:${taken.sub}`);
});

test('ID11 unlinking: only one\'s own, never the last way in, and a mail tells', async (tc) => {
  const mine = await Social.start({ env: { SALLYPORT_OAUTH_FAKE_TRUST_EMAIL: 'false' } });
  tc.after(() => mine.close());
  const { browser, me, first } = await signedInBrowser(mine), foreign = await mine.s.signedIn();
  const at = (sub) => `/auth/linked-accounts/fake/${sub}`;
  await mine.s.request('DELETE', at(first.sub), { token: foreign.accessToken });
  assert.equal(await linksOf(mine, me), `fake:${first.sub}`, 'somebody else\'s stays');
  const remove = (sub) => browser.ask(`${AUTH}${at(sub)}`, { method: 'DELETE', headers: { ...fetched, 'X-CSRF-Token': browser.cookies(AUTH)['__Host-csrf-token'] } });
  const last = await remove(first.sub);
  assert.deepEqual([last.status, JSON.parse(last.text).code], [409, 'LAST_LOGIN_METHOD']);
  const { url } = await ticketOf(browser);
  mine.p.person = person();
  await browser.go(url);
  assert.equal((await remove(first.sub)).status, 200);
  assert.equal(await linksOf(mine, me), `fake:${mine.p.person.sub}`);
  assert.ok((await mine.mailed.subjects(me.email)).some((s) => /no longer|unlinked|removed/i.test(s)), (await mine.mailed.subjects(me.email)).join());
});

test('nobody signs up through a provider where signing up is off; who has an account signs in', async (tc) => {
  const mine = await Social.start({ env: { SALLYPORT_OAUTH_FAKE_TRUST_EMAIL: 'true' } });
  tc.after(() => mine.close());
  const known = await signedInBrowser(mine), who = mine.p.person;
  mine.s.env.SALLYPORT_REGISTRATION_ENABLED = 'false';
  await mine.s.restart();
  mine.p.person = who;
  assert.equal((await mine.profile((await mine.web()).browser)).sub, known.me.sub);
  mine.p.person = person();
  assert.equal((await mine.web()).end.searchParams.get('error'), 'NOT_FOUND');
});
