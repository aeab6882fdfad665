// oauth_native.test.mjs — apps: where they may be sent back to, the one-time token and its verifier, ID tokens of their own
// kits, the files that tie an app to a host.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, beforeEach, test } from 'node:test';
import { verify as verifyTotp, withTotp } from '../lib/authenticator.mjs';
import { sha256 } from '../lib/fake_provider.mjs';
import { ROOT, source } from '../lib/paths.mjs';
import { claimsOf, Server, sidOf } from '../lib/server.mjs';
import { APP, AUTH, person, SITE, Social } from '../lib/social.mjs';

let t;
before(async () => {
  t = await Social.start({
    env: {
      SALLYPORT_OAUTH_FAKE_TRUST_EMAIL: 'true', SALLYPORT_OAUTH_FAKE_CLIENT_ID: 'client-1, ios-1, android-1', SALLYPORT_OAUTH_FAKE_REDIRECT_URIS: 'com.example.second:/x',
      SALLYPORT_NATIVE_ANDROID_APPS: `com.example.app=${Array(32).fill('AB').join(':')}`, SALLYPORT_NATIVE_APPLE_APPS: 'TEAM123456.com.example.app',
      SALLYPORT_NATIVE_REDIRECT_URIS: `${APP}, myapp://auth, http://127.0.0.1/cb, ${AUTH}/app/signed-in`,
    },
  });
});
after(() => t.close());
beforeEach(() => {
  t.p.calm();
  t.p.now = () => t.s.now;
  t.p.person = person();
});

const error = (r) => r.end.searchParams.get('error');

test('OC10 an app, and nobody before it, holds tokens afterwards: challenge, provider, ott, exchange, /me', async () => {
  const r = await t.native({ state: 'abc-123._~' });
  assert.equal(`${r.end.protocol}${r.end.pathname}`, APP);
  assert.deepEqual([...r.end.searchParams.keys()], ['ott', 'state'], 'AP03 nothing else goes to an app');
  assert.equal(r.end.searchParams.get('state'), 'abc-123._~', 'AP08 its own state comes back as it was');
  assert.match(r.ott, /^[\w-]{43}$/);
  assert.equal(r.browser.cookies(AUTH)['__Host-accessToken'], undefined, 'OC10 the browser has no session');
  assert.equal(await t.count('session', `user_id = (SELECT id FROM user WHERE email = '${t.p.person.email}')`), 0, 'OC10 nobody has one yet');
  const got = await t.exchange(r.ott, r.app.verifier);
  assert.equal(got.status, 200, got.text);
  const me = await t.s.me(got.json.accessToken);
  assert.deepEqual([me.json.email, me.json.loginProvider], [t.p.person.email, 'fake']);
  assert.equal((await t.s.refresh(got.json.refreshToken)).status, 200);
});

test('AP03 to an app goes no token of any kind, whichever way it is registered', async () => {
  for (const redirectUri of [APP, 'myapp://auth', 'http://127.0.0.1:49152/cb', `${AUTH}/app/signed-in`, 'com.example.second:/x']) {
    const browser = t.browser();
    const r = await browser.go(`${AUTH}/auth/oauth/fake?${new URLSearchParams({ redirect_uri: redirectUri, code_challenge: t.app().challenge, code_challenge_method: 'S256' })}`, { stop: (u) => u.startsWith(redirectUri) });
    assert.ok(r.url.startsWith(`${redirectUri}?ott=`), `${redirectUri}: ${r.url}`);
    assert.doesNotMatch(r.url, /accessToken|refreshToken|tempToken|eyJ/);
    assert.ok(!browser.cookies(AUTH)['__Host-accessToken']);
  }
});

const TABLE = JSON.parse(source('test/data/redirect_uris.json'));
test('AP01 only registered addresses, byte for byte, and loopback with any port', async (tc) => {
  const mine = await Social.start({ env: { SALLYPORT_NATIVE_REDIRECT_URIS: TABLE.registered.join(',') } });
  tc.after(() => mine.close());
  const app = mine.app();
  assert.ok(TABLE.rows.length >= 60);
  for (const { uri, registered, why } of TABLE.rows.filter((r) => r.uri !== '')) {
    const r = await mine.s.get(`/auth/oauth/fake?redirect_uri=${encodeURIComponent(uri)}&code_challenge=${app.challenge}&code_challenge_method=S256`, { unchecked: true });
    if (registered) assert.equal(r.status, 302, `${uri}: ${r.text}`);
    else assert.equal(r.status, 400, `${JSON.stringify(uri)} (${why}) passes`);
  }
});

test('AP02 what cannot be registered stops the server, schemes without a dot are warned of', async () => {
  for (const uri of TABLE.may_not_register.filter((u) => !u.includes(','))) {
    const r = await t.s.cli(['check-config'], { env: { SALLYPORT_NATIVE_REDIRECT_URIS: uri } });
    assert.equal(r.code, 3, uri);
    assert.match(r.stderr, /native\.redirect_uris/);
  }
  const r = await t.s.cli(['check-config'], { env: { SALLYPORT_NATIVE_REDIRECT_URIS: TABLE.may_register.join(',') } });
  assert.equal(r.code, 0, r.stderr);
  assert.match(r.stdout + r.stderr, /myapp:\/\/auth can be claimed by any app/);
});

test('AP04 the eight ways of challenge and verifier', async () => {
  const app = t.app(), other = t.app();
  const begun = async (params) => t.web(`?${new URLSearchParams({ redirect_uri: APP, state: 's', ...params })}`);
  const s256 = { code_challenge: app.challenge, code_challenge_method: 'S256' };

  assert.equal(error(await begun({})), 'PKCE_REQUIRED', 'no challenge');
  assert.equal(error(await begun({ code_challenge: app.challenge })), 'PKCE_REQUIRED', 'no method');
  assert.equal(error(await begun({ code_challenge: app.verifier, code_challenge_method: 'plain' })), 'PKCE_REQUIRED', 'plain');
  assert.equal(error(await begun({ code_challenge: 'short', code_challenge_method: 'S256' })), 'PKCE_REQUIRED', 'no challenge by its form');
  for (const [what, verifier] of [['another verifier', other.verifier], ['no verifier', undefined], ['an empty verifier', ''], ['the challenge for a verifier', app.challenge]]) {
    const { end } = await begun(s256), r = await t.exchange(end.searchParams.get('ott'), verifier);
    assert.deepEqual([r.status, r.json.code], [401, 'INVALID_OTT'], what);
    assert.equal((await t.exchange(end.searchParams.get('ott'), app.verifier)).status, 401, `${what}: and it is used up`);
  }
  const { end } = await begun(s256);
  assert.equal((await t.exchange(end.searchParams.get('ott'), app.verifier)).status, 200);
});

test('AP04 without PKCE, where that is allowed: a token without verifier, and none with one', async (tc) => {
  const mine = await Social.start({ env: { SALLYPORT_OAUTH_NATIVE_WITHOUT_PKCE: 'true', SALLYPORT_SITE_URLS: 'myapp://auth' } });
  tc.after(() => mine.close());
  const ott = async () => (await mine.web()).end.searchParams.get('ott');
  assert.equal((await mine.exchange(await ott())).status, 200);
  const r = await mine.exchange(await ott(), mine.app().verifier);
  assert.deepEqual([r.status, r.json.fields], [400, [{ field: 'codeVerifier', reason: 'NOT_EXPECTED' }]]);
});

test('AP05 a second use is refused and ends the session of the first', async () => {
  const { ott, app } = await t.native(), first = await t.exchange(ott, app.verifier);
  assert.equal((await t.s.me(first.json.accessToken)).status, 200);
  const second = await t.exchange(ott, app.verifier);
  assert.deepEqual([second.status, second.json.code, second.json.error], [401, 'INVALID_OTT', 'Invalid or expired one-time token']);
  assert.deepEqual([(await t.s.me(first.json.accessToken)).json.code, (await t.s.refresh(first.json.refreshToken)).json.code], ['SESSION_REVOKED', 'SESSION_REVOKED']);
  assert.equal(await t.count('audit', "event = 'oauth.token_reused'"), 1);
});

test('AP05 of many uses at once one gets tokens at most', async () => {
  const { ott, app } = await t.native();
  const all = await Promise.all(Array.from({ length: 8 }, () => t.exchange(ott, app.verifier)));
  assert.ok(all.filter((r) => r.status === 200).length <= 1);
  assert.equal(all.filter((r) => r.status === 401).length >= 7, true);
});

test('a token is good for 60 s, and of the app that asked', async () => {
  const one = await t.native(), two = await t.native({ browser: one.browser });
  t.s.advance(59_000);
  assert.equal((await t.exchange(one.ott, one.app.verifier)).status, 200);
  t.s.advance(2_000);
  assert.equal((await t.exchange(two.ott, two.app.verifier)).json.code, 'INVALID_OTT');
  for (const wrong of ['', 'x', 'A'.repeat(43)]) assert.equal((await t.exchange(wrong, one.app.verifier)).status, 401);
});

test('AP06 a claimed https address, and the files that tie the app to the host', async () => {
  const links = await t.s.get('/.well-known/assetlinks.json');
  assert.deepEqual(links.json, [{ relation: ['delegate_permission/common.handle_all_urls', 'delegate_permission/common.get_login_creds'], target: { namespace: 'android_app', package_name: 'com.example.app', sha256_cert_fingerprints: [Array(32).fill('AB').join(':')] } }]);
  const apple = await t.s.get('/.well-known/apple-app-site-association');
  assert.deepEqual(apple.json, { applinks: { details: [{ appIDs: ['TEAM123456.com.example.app'], components: [{ '/': '/app/signed-in' }] }] }, webcredentials: { apps: ['TEAM123456.com.example.app'] } });
  assert.equal(apple.headers['content-type'], 'application/json; charset=utf-8');
});

test('native.mailed_links: apps of Apple may claim each link that mails have', async (tc) => {
  const paths = new Set(fs.readdirSync(`${ROOT}/src/domain`).filter((f) => f.endsWith('.c')).flatMap((f) => [...source(`src/domain/${f}`).matchAll(/\.path = STR\("([^"]+)"\)/g)].map((m) => m[1])));
  for (const [env, below] of [[{}, '/auth/ui/'], [{ SALLYPORT_UI_HEADLESS: 'true' }, '/auth/']]) {
    const of = await Server.start({ env: { SALLYPORT_NATIVE_APPLE_APPS: 'TEAM123456.com.example.app', SALLYPORT_NATIVE_MAILED_LINKS: 'true', ...env } });
    tc.after(() => of.close());
    const [{ components }] = (await of.get('/.well-known/apple-app-site-association')).json.applinks.details;
    assert.deepEqual(components.map((c) => c['/']).sort(), [...paths].map((p) => below + p).sort());
  }
  const elsewhere = await Server.start({ env: { SALLYPORT_NATIVE_APPLE_APPS: 'TEAM123456.com.example.app', SALLYPORT_NATIVE_MAILED_LINKS: 'true', SALLYPORT_SITE_URLS: SITE } });
  tc.after(() => elsewhere.close());
  assert.deepEqual((await elsewhere.get('/.well-known/apple-app-site-association')).json.applinks.details[0].components, []);
});

test('AP08 a state that is more than 512 URL-safe characters is refused, and nobody is redirected', async () => {
  const { challenge } = t.app(), q = { redirect_uri: APP, code_challenge: challenge, code_challenge_method: 'S256' };
  for (const state of ['a\r\nb', 'a b', 'a&b', 'a=b', 'ä', 'a"b', 'x'.repeat(513)]) {
    const r = await t.s.get(`/auth/oauth/fake?${new URLSearchParams({ ...q, state })}`);
    assert.deepEqual([r.status, r.json.code], [400, 'VALIDATION_ERROR'], JSON.stringify(state.slice(0, 20)));
  }
  assert.equal((await t.native({ state: 'x'.repeat(512) })).end.searchParams.get('state'), 'x'.repeat(512));
});

test('an app that asks for a provider that is not configured learns it at its address, and nobody else is sent there', async () => {
  for (const provider of ['nobody', 'google']) {
    assert.equal((await t.native({ provider, state: 'mine' })).url, `${APP}?error=OAUTH_NOT_CONFIGURED&state=mine`);
    const strange = await t.s.get(`/auth/oauth/${provider}?redirect_uri=${encodeURIComponent('com.evil:/x')}&state=mine`);
    assert.deepEqual([strange.status, strange.json.code, strange.headers.location], [404, 'OAUTH_NOT_CONFIGURED', undefined]);
    const bad = await t.s.get(`/auth/oauth/${provider}?redirect_uri=${encodeURIComponent(APP)}&state=a%0Ab`);
    assert.deepEqual([bad.status, bad.headers.location], [400, undefined]);
  }
});

test('every failure after an app\'s start returns to the app, with its state', async () => {
  const cases = {
    OAUTH_ACCESS_DENIED: () => (t.p.deny = 'access_denied'),
    OAUTH_TOKEN_EXCHANGE_FAILED: () => (t.p.answer['/token'] = (res, n, json) => json({ error: 'invalid_client' }, 401)),
    OAUTH_ID_TOKEN_INVALID: () => (t.p.claims = (c) => ({ ...c, aud: 'x' })),
    OAUTH_EMAIL_REQUIRED: () => (t.p.person = { sub: 'no-address' }),
    OAUTH_PROFILE_FAILED: () => ((t.p.inToken = false), (t.p.answer['/userinfo'] = (res, n, json) => json({}))),
  };
  for (const [code, arrange] of Object.entries(cases)) {
    t.p.calm();
    t.p.now = () => t.s.now;
    arrange();
    const r = await t.native({ state: 'mine' });
    assert.equal(r.url, `${APP}?error=${code}&state=mine`);
  }
  t.p.calm();
  t.p.person = person();
  const { browser, callback } = await t.half(`?${new URLSearchParams({ redirect_uri: APP, code_challenge: t.app().challenge, code_challenge_method: 'S256', state: 'late' })}`);
  t.s.advance(11 * 60_000);
  assert.equal((await browser.go(callback)).url, `${APP}?error=OAUTH_STATE_INVALID&state=late`);
});

test('an app whose user has a second factor is sent to it: the seed\'s address, the app\'s state', async () => {
  const one = await t.native(), { accessToken } = (await t.exchange(one.ott, one.app.verifier)).json, me = (await t.s.me(accessToken)).json;
  const u = await withTotp(t.s, { email: me.email, id: me.sub, accessToken });
  const r = await t.native({ state: 'abc' });
  assert.match(r.url, /^com\.example\.app:\/signed-in\/auth\/2fa\?tempToken=[0-9a-f]{64}&methods=totp&state=abc$/);
  t.s.advance(60_000);
  const done = await verifyTotp(t.s, { tempToken: r.end.searchParams.get('tempToken'), totpCode: u.app.code() });
  assert.deepEqual(claimsOf(done.json.accessToken).amr, ['fed', 'otp', 'mfa']);
});

test('the seed\'s flow without PKCE: a second factor is met, tokens are not handed out, and it says what is missing', async (tc) => {
  const mine = await Social.start({ env: { SALLYPORT_SITE_URLS: 'myapp://auth', SALLYPORT_OAUTH_FAKE_TRUST_EMAIL: 'true' } });
  tc.after(() => mine.close());
  const nobody = await mine.web();
  assert.equal(nobody.url, 'myapp://auth?error=PKCE_REQUIRED');
  assert.equal(await mine.count('user'), 0, 'and nobody was made');
  const app = mine.app(), q = new URLSearchParams({ code_challenge: app.challenge, code_challenge_method: 'S256' });
  const known = await mine.web(`?${q}`), { accessToken } = (await mine.exchange(known.end.searchParams.get('ott'), app.verifier)).json;
  assert.equal((await mine.web()).url, 'myapp://auth?error=PKCE_REQUIRED');
  const me = (await mine.s.me(accessToken)).json;
  await withTotp(mine.s, { email: me.email, id: me.sub, accessToken });
  assert.match((await mine.web()).url, /^myapp:\/\/auth\/auth\/2fa\?tempToken=[0-9a-f]{64}&methods=totp$/);
});

test('a site that brings a challenge is answered like an app', async () => {
  const app = t.app(), r = await t.web(`?${new URLSearchParams({ code_challenge: app.challenge, code_challenge_method: 'S256' })}`);
  assert.equal(r.end.origin, SITE);
  assert.equal((await t.exchange(r.end.searchParams.get('ott'), app.verifier)).status, 200);
});

const WEB_VIEWS = ['Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/X; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/120.0.0.0 Mobile Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148'];
const starts = (over = {}) => `/auth/oauth/fake?${new URLSearchParams({ redirect_uri: APP, code_challenge: t.app().challenge, code_challenge_method: 'S256', state: 'of-the-app', ...over })}`;
const backIn = (r) => JSON.parse(r.text.match(/window\.__AUTH_CONFIG__ = (.*?);<\/script>/s)[1]).returnTo;

test('AP07 an app that opens a window of its own is told to use the browser; browsers are not', async () => {
  for (const agent of WEB_VIEWS) {
    const r = await t.s.get(starts(), { headers: { 'User-Agent': agent } });
    assert.deepEqual([r.status, r.headers['content-type']], [200, 'text/html; charset=utf-8'], agent);
    assert.match(r.text, /with your browser/);
    assert.match(r.headers['content-security-policy'], /^default-src 'none'; script-src 'nonce-/);
    assert.equal(backIn(r), `${APP}?error=WEB_VIEW&state=of-the-app`);
    assert.equal((await t.s.get(starts({ web_view: 'known' }), { headers: { 'User-Agent': agent } })).status, 302, 'who knows goes on');
  }
  for (const agent of ['Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0'])
    assert.equal((await t.s.get(starts(), { headers: { 'User-Agent': agent } })).status, 302, agent);
});

test('AP07 AP01 the page is in the reader\'s language, leads back to registered addresses only, and has none of its own', async () => {
  const agent = { 'User-Agent': WEB_VIEWS[1] };
  for (const [lang, words] of [['it', 'con il tuo browser'], ['de', 'mit Ihrem Browser'], ['fr', 'avec votre navigateur'], ['es', 'con su navegador']])
    for (const r of [await t.s.get(starts(), { headers: { ...agent, 'Accept-Language': lang } }), await t.s.get(starts({ lang }), { headers: agent })]) assert.ok(r.text.includes(words) && r.text.includes(`<html lang="${lang}"`), lang);
  for (const [over, code] of [[{ redirect_uri: 'https://evil.example/cb' }, 'INVALID_REDIRECT_URI'], [{ state: 'not url safe' }, 'VALIDATION_ERROR']]) {
    const r = await t.s.get(starts(over), { headers: agent });
    assert.deepEqual([r.status, r.json?.code], [400, code], JSON.stringify(over));
  }
  assert.equal((await t.s.get('/auth/ui/web-view', { headers: agent })).status, 404);
});

test('AP07 without our pages the app is told at its address', async (tc) => {
  const off = await Social.start({ env: { SALLYPORT_UI_ENABLED: 'false' } });
  tc.after(() => off.close());
  const r = await off.s.get(starts(), { headers: { 'User-Agent': WEB_VIEWS[0] } });
  assert.deepEqual([r.status, r.headers.location], [302, `${APP}?error=WEB_VIEW&state=of-the-app`]);
});

/* ---- ID tokens ---- */

const sign = (json, options) => t.s.post('/auth/oauth/fake/token', json, { strategy: 'bearer', ...options });

test('an ID token of an app\'s own kit signs in: for each of our clients, with the nonce or its hash', async () => {
  for (const aud of ['client-1', 'ios-1', 'android-1']) {
    const r = await sign({ idToken: await t.p.idToken({}, { aud, nonce: 'n-1' }), nonce: 'n-1' });
    assert.equal(r.status, 200, r.text);
    assert.equal((await t.s.me(r.json.accessToken)).json.email, t.p.person.email);
  }
  const hashed = sha256('n-2').toString('hex');
  assert.equal((await sign({ idToken: await t.p.idToken({}, { aud: 'ios-1', nonce: hashed }), nonce: 'n-2' })).status, 200);
});

test('OC05 an ID token of a foreign issuer is refused', async () => {
  const r = await sign({ idToken: await t.p.idToken({ iss: 'https://accounts.google.com' }, { nonce: 'n' }), nonce: 'n' });
  assert.deepEqual([r.status, r.json.code, r.json.error], [401, 'OAUTH_ID_TOKEN_INVALID', 'Invalid fake ID token']);
});

test('OC02 OC03 an ID token without nonce, of another nonce, for somebody else, or over is refused', async () => {
  const refused = async (what, json, status = 401) => assert.equal((await sign(json)).status, status, what);
  await refused('no nonce in it', { idToken: await t.p.idToken(), nonce: 'n' });
  await refused('another nonce', { idToken: await t.p.idToken({}, { nonce: 'm' }), nonce: 'n' });
  await refused('nonce not sent', { idToken: await t.p.idToken({}, { nonce: 'n' }) }, 400);
  await refused('no token', { nonce: 'n' }, 400);
  await refused('another client', { idToken: await t.p.idToken({}, { aud: 'client-2', nonce: 'n' }), nonce: 'n' });
  await refused('over', { idToken: await t.p.idToken({ exp: Math.floor(t.s.now / 1000) - 60 }, { nonce: 'n' }), nonce: 'n' });
  await refused('garbage', { idToken: 'x.y.z', nonce: 'n' });
  const idToken = await t.p.idToken({}, { nonce: 'n' });
  assert.equal((await sign({ idToken, nonce: 'n' })).status, 200);
  await refused('a second time', { idToken, nonce: 'n' });
});

test('a second factor is asked for after an ID token too', async () => {
  const first = await sign({ idToken: await t.p.idToken({}, { nonce: 'a' }), nonce: 'a' }), me = (await t.s.me(first.json.accessToken)).json;
  await withTotp(t.s, { email: me.email, id: me.sub, accessToken: first.json.accessToken });
  const r = await sign({ idToken: await t.p.idToken({}, { nonce: 'b' }), nonce: 'b' });
  assert.deepEqual(Object.keys(r.json), ['requiresTwoFactor', 'tempToken', 'available2faMethods']);
});

test('ID15 answers hold listed members only', async () => {
  const { ott, app } = await t.native(), TOKENS = ['success', 'accessToken', 'refreshToken', 'deviceToken'];
  const got = await t.exchange(ott, app.verifier);
  assert.deepEqual(Object.keys(got.json), TOKENS);
  assert.deepEqual(Object.keys((await sign({ idToken: await t.p.idToken({}, { nonce: 'n' }), nonce: 'n' })).json), TOKENS);
  assert.deepEqual(Object.keys((await t.s.post('/auth/oauth/fake/link', {}, { token: got.json.accessToken })).json), ['success', 'ticket', 'url']);
});

/* ---- linking ---- */

test('an app links with a ticket of its session; whoever else goes there links nothing', async () => {
  const u = await t.s.signedIn(), before_ = await t.s.get('/auth/linked-accounts', { token: u.accessToken });
  assert.deepEqual(before_.json.linkedAccounts, []);
  const begin = await t.s.post('/auth/oauth/fake/link', {}, { token: u.accessToken });
  assert.equal(begin.status, 200, begin.text);
  t.s.note(begin.json.ticket);
  const app = t.app(), q = new URLSearchParams({ redirect_uri: APP, code_challenge: app.challenge, code_challenge_method: 'S256', state: 's' });
  const r = await t.browser().go(`${begin.json.url}&${q}`), ott = new URL(r.url).searchParams.get('ott');
  assert.equal((await t.exchange(ott, app.verifier)).json.code, 'INVALID_OTT', 'it signs nobody in');

  const second = await t.s.post('/auth/oauth/fake/link', {}, { token: u.accessToken }), app2 = t.app();
  q.set('code_challenge', app2.challenge);
  const end = new URL((await t.browser().go(`${second.json.url}&${q}`)).url).searchParams.get('ott');
  const done = await t.s.post('/auth/oauth/link', { ott: end, codeVerifier: app2.verifier }, { token: u.accessToken });
  assert.deepEqual(done.json, { success: true });
  const { linkedAccounts } = (await t.s.get('/auth/linked-accounts', { token: u.accessToken })).json;
  assert.deepEqual(linkedAccounts.map((l) => [l.provider, l.providerAccountId, l.email]), [['fake', t.p.person.sub, t.p.person.email]], 'F-28 the profile\'s id and address');
  const signed = await t.native();
  assert.equal(claimsOf((await t.exchange(signed.ott, signed.app.verifier)).json.accessToken).sub, u.id, 'F-28 and it signs in to that account');
});

test('ID08 the result of a link is of the session that asked, and of nobody else', async () => {
  const u = await t.s.signedIn(), attacker = await t.s.signedIn();
  const begin = await t.s.post('/auth/oauth/fake/link', {}, { token: u.accessToken }), app = t.app();
  const q = new URLSearchParams({ redirect_uri: APP, code_challenge: app.challenge, code_challenge_method: 'S256' });
  const ott = new URL((await t.browser().go(`${begin.json.url}&${q}`)).url).searchParams.get('ott');
  assert.equal((await t.s.post('/auth/oauth/link', { ott, codeVerifier: app.verifier }, { token: attacker.accessToken })).json.code, 'INVALID_OTT');
  assert.equal(await t.count('linked_account', `account_id = '${t.p.person.sub}'`), 0);
  const reused = await t.s.get(`${new URL(begin.json.url).pathname}${new URL(begin.json.url).search}&${q}`);
  assert.ok(new URL(reused.headers.location).searchParams.get('error') === 'INVALID_LINK_TOKEN', 'a ticket works once');
  assert.notEqual(sidOf(u.accessToken), sidOf(attacker.accessToken));
});
