// oauth.test.mjs — sign-in through a provider for web sites: the state, what is believed of the provider, where it ends.
import assert from 'node:assert/strict';
import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { after, before, beforeEach, test } from 'node:test';
import { withTotp, verify as verifyTotp } from '../lib/authenticator.mjs';
import { FakeProvider } from '../lib/fake_provider.mjs';
import { source } from '../lib/paths.mjs';
import { claimsOf, MINUTE } from '../lib/server.mjs';
import { AUTH, person, SITE, Social } from '../lib/social.mjs';

let t, other;
before(async () => {
  other = await FakeProvider.start();
  t = await Social.start({ env: { SALLYPORT_OAUTH_FAKE_TRUST_EMAIL: 'true', ...other.env('other') } });
});
after(async () => {
  await t.close();
  other.close();
});
beforeEach(() => {
  t.p.calm();
  t.p.now = () => t.s.now;
  t.p.person = person();
});

const json = (r) => JSON.parse(r.text);
const plain = { headers: { Accept: 'application/json', 'Sec-Fetch-Mode': 'cors' } };
const code = (r) => (r.text?.startsWith('{') ? json(r).code : new URL(r.url).searchParams.get('error'));
const stateOf = (url) => new URL(url).searchParams.get('state');

test('a site gets cookies, a new account and its own address back', async () => {
  const r = await t.web();
  assert.equal(r.url, `${SITE}/`);
  const me = await t.profile(r.browser);
  assert.deepEqual([me.email, me.loginProvider, me.isEmailVerified, me.firstName, me.lastName], [t.p.person.email, 'fake', true, 'Ada', 'Lovelace']);
  assert.deepEqual(claimsOf(r.browser.cookies(AUTH)['__Host-accessToken']).amr, ['fed']);
  const again = await t.profile((await t.web()).browser);
  assert.equal(again.sub, me.sub, 'the same account at the second time');
  assert.equal(await t.count('linked_account', `provider = 'fake' AND account_id = '${t.p.person.sub}'`), 1);
});

test('the redirect is 302 with Vary, a short text and no referrer', async () => {
  const { browser, callback } = await t.half();
  const r = await browser.ask(callback);
  assert.deepEqual([r.status, r.headers.vary, r.headers['referrer-policy'], r.headers['cache-control']], [302, 'Accept', 'no-referrer', 'no-store']);
  assert.ok(r.text.length < 100);
});

test('the state keeps its readable shape', async () => {
  const { callback } = await t.half('?return_path=%2Fwelcome');
  const state = JSON.parse(Buffer.from(stateOf(callback), 'base64url'));
  assert.deepEqual(Object.keys(state), ['n', 'o', 'p']);
  assert.match(state.n, /^[0-9a-f]{64}$/);
  assert.deepEqual([state.o, state.p], [SITE, '/welcome']);
});

test('a provider that is not configured is 404, in the words of the contract', async () => {
  for (const [name, text] of [['google', 'Google OAuth not configured'], ['github', 'GitHub OAuth not configured']])
    for (const path of [name, `${name}/callback`]) {
      const r = await t.s.get(`/auth/oauth/${path}`);
      assert.deepEqual([r.status, r.json.error], [404, text]);
    }
  assert.equal((await t.s.get('/auth/oauth/nobody')).status, 404);
});

test('OC01 a callback without this browser\'s state is refused, and nothing is exchanged', async () => {
  const { browser, callback } = await t.half(), before_ = t.p.count('/token');
  const foreign = t.browser(), url = new URL(callback);
  const variants = {
    missing: (u) => u.searchParams.delete('state'),
    empty: (u) => u.searchParams.set('state', ''),
    repeated: (u) => u.searchParams.append('state', stateOf(callback)),
    unknown: (u) => u.searchParams.set('state', Buffer.from('{"n":"00"}').toString('base64url')),
    cut: (u) => u.searchParams.set('state', stateOf(callback).slice(0, -1)),
  };
  for (const [name, change] of Object.entries(variants)) {
    const u = new URL(url);
    change(u);
    const r = await browser.ask(u.href, plain);
    assert.deepEqual([r.status, json(r).code], [400, 'OAUTH_STATE_INVALID'], name);
  }
  const r = await foreign.ask(callback, plain);
  assert.deepEqual([r.status, json(r).code], [400, 'OAUTH_STATE_INVALID'], 'another browser');
  const nav = await foreign.ask(callback);
  assert.deepEqual([nav.status, nav.headers.location], [302, `${SITE}/auth/ui/login?error=OAUTH_STATE_INVALID`], 'F-23 F-27');
  assert.equal(t.p.count('/token'), before_);
  assert.equal((await browser.go(callback)).url, `${SITE}/`, 'none of these used it up');
  const second = await browser.ask(callback, plain);
  assert.deepEqual([second.status, json(second).code], [400, 'OAUTH_STATE_INVALID'], 'a second use');
});

test('OC01 a state is good for ten minutes', async () => {
  const { browser, callback } = await t.half();
  t.s.advance(10 * MINUTE + 1000);
  assert.equal(code(await browser.go(callback)), 'OAUTH_STATE_INVALID');
});

test('OC01 the cookie is __Host-, HttpOnly, Secure and Lax; state and cookie have 256 bits', async () => {
  const { browser } = await t.half();
  const [cookie] = browser.jar.filter((c) => c.name === '__Host-oauth');
  assert.match(cookie.value, /^[0-9a-f]{64}$/);
  assert.match(cookie.line, /; Path=\/;.*; HttpOnly; Secure; SameSite=Lax$/);
  assert.doesNotMatch(cookie.line, /Domain/);
});

test('two sign-ins in one browser do not disturb each other', async () => {
  const one = await t.half(), two = await t.half('?return_path=/two', { browser: one.browser });
  assert.equal((await one.browser.go(one.callback)).url, `${SITE}/`);
  assert.equal((await one.browser.go(two.callback)).url, `${SITE}/two`);
});

test('OC02 PKCE and a nonce go to the provider, and the verifier to its token endpoint', async () => {
  await t.web();
  const q = t.p.last('/authorize').url.searchParams, form = new URLSearchParams(t.p.last('/token').body);
  assert.equal(q.get('code_challenge_method'), 'S256');
  assert.match(q.get('code_challenge'), /^[\w-]{43}$/);
  assert.match(q.get('nonce'), /^[\w-]{43}$/);
  assert.match(form.get('code_verifier'), /^[\w-]{43}$/);
});

test('OC11 no more is asked of a provider than who it is', async () => {
  await t.web();
  const q = t.p.last('/authorize').url.searchParams;
  assert.deepEqual([...q.keys()], ['client_id', 'redirect_uri', 'response_type', 'scope', 'state', 'nonce', 'code_challenge', 'code_challenge_method']);
  assert.equal(q.get('scope'), 'openid email profile');
  assert.equal(await t.count('oauth_grant'), 0);
});

const now = () => Math.floor(t.s.now / 1000);
const WRONG = {
  'OC02 no nonce': (c) => { delete c.nonce; return c; },
  'OC02 another nonce': (c) => ({ ...c, nonce: 'x' }),
  'OC03 another issuer': (c) => ({ ...c, iss: `${c.iss}/` }),
  'OC03 no issuer': (c) => { delete c.iss; return c; },
  'OC03 another audience': (c) => ({ ...c, aud: 'client-2' }),
  'OC03 no audience': (c) => { delete c.aud; return c; },
  'OC03 several audiences without azp': (c) => ({ ...c, aud: ['client-1', 'client-2'] }),
  'OC03 several audiences and an azp of somebody else': (c) => ({ ...c, aud: ['client-1', 'client-2'], azp: 'client-2' }),
  'OC03 an azp of somebody else': (c) => ({ ...c, azp: 'client-2' }),
  'OC03 expired': (c) => ({ ...c, exp: now() - 60 }),
  'OC03 no exp': (c) => { delete c.exp; return c; },
  'OC03 exp as text': (c) => ({ ...c, exp: String(c.exp) }),
  'OC03 issued in the future': (c) => ({ ...c, iat: now() + 3600 }),
  'OC03 not before the future': (c) => ({ ...c, nbf: now() + 3600 }),
  'OC03 at_hash of another token': (c) => ({ ...c, at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }),
  'ID05 no subject': (c) => { delete c.sub; return c; },
  'ID05 an empty subject': (c) => ({ ...c, sub: '' }),
  'ID05 a subject that is null': (c) => ({ ...c, sub: null }),
  'ID05 a subject that is 0': (c) => ({ ...c, sub: 0 }),
};
for (const [name, claims] of Object.entries(WRONG))
  test(`${name}: refused, no account is made`, async () => {
    t.p.claims = claims;
    const { browser, callback } = await t.half(), users = await t.count('user');
    const r = await browser.ask(callback, plain);
    assert.deepEqual([r.status, json(r).code], [401, 'OAUTH_ID_TOKEN_INVALID'], r.text);
    assert.equal(await t.count('user'), users);
    assert.equal(browser.cookies(AUTH)['__Host-accessToken'], undefined);
  });

test('OC03 several audiences with our azp pass', async () => {
  t.p.claims = (c) => ({ ...c, aud: ['client-1', 'client-2'], azp: 'client-1' });
  assert.equal((await t.web()).url, `${SITE}/`);
});

const SIGNED = {
  'by another key under the same kid': async (head, claims) => new SignJWT(claims).setProtectedHeader(head).sign((await generateKeyPair('RS256')).privateKey),
  'with alg none': async (head, claims) => new UnsecuredJWT(claims).encode(),
  'with HS256 under the public key': async (head, claims) => new SignJWT(claims).setProtectedHeader({ ...head, alg: 'HS256' }).sign(new TextEncoder().encode(JSON.stringify(t.p.jwks.keys[0]))),
  'with RS512': async (head, claims) => new SignJWT(claims).setProtectedHeader({ ...head, alg: 'RS512' }).sign(t.p.privateKey),
  'with a critical extension': async (head, claims) => new SignJWT(claims).setProtectedHeader({ ...head, crit: ['b64'], b64: true }).sign(t.p.privateKey),
  'with a key that nobody published': async (head, claims) => new SignJWT(claims).setProtectedHeader({ ...head, kid: 'nobody' }).sign(t.p.privateKey),
  'and then changed': async (head, claims) => {
    const [h, , sig] = (await new SignJWT(claims).setProtectedHeader(head).sign(t.p.privateKey)).split('.');
    return [h, Buffer.from(JSON.stringify({ ...claims, sub: 'admin' })).toString('base64url'), sig].join('.');
  },
  'not at all: garbage': async () => 'a.b.c',
  'not at all: two parts': async () => 'e30.e30',
};
for (const [name, sign] of Object.entries(SIGNED))
  test(`OC03 an ID token signed ${name} is refused`, async () => {
    t.p.sign = sign;
    const { browser, callback } = await t.half();
    const r = await browser.ask(callback, plain);
    assert.deepEqual([r.status, json(r).code], [401, 'OAUTH_ID_TOKEN_INVALID'], r.text);
  });

test('OC03 no ID token at all is refused', async () => {
  t.p.extra.token = { id_token: undefined };
  const { browser, callback } = await t.half();
  assert.equal(json(await browser.ask(callback, plain)).code, 'OAUTH_ID_TOKEN_INVALID');
});

test('keys that changed are asked for once more, and not again and again for a key that nobody knows', async (tc) => {
  const mine = await Social.start();
  tc.after(() => mine.close());
  assert.equal((await mine.web()).url, `${SITE}/`);
  assert.equal((await mine.web()).url, `${SITE}/`);
  assert.deepEqual([mine.p.count('/jwks'), mine.p.count('/.well-known/openid-configuration')], [1, 1], 'both are kept');
  await mine.p.newKey('k2');
  assert.equal((await mine.web()).url, `${SITE}/`);
  assert.equal(mine.p.count('/jwks'), 2);
  mine.p.header = (h) => ({ ...h, kid: 'nobody' });
  for (let i = 0; i < 3; i++) assert.equal(code(await mine.web()), 'OAUTH_ID_TOKEN_INVALID');
  assert.equal(mine.p.count('/jwks'), 2);
});

test('OC04 a code of one provider is not taken to another; a foreign iss is refused', async () => {
  const { browser, callback } = await t.half(), before_ = [t.p.count('/token'), other.count('/token')];
  const r = await browser.ask(callback.replace('/fake/', '/other/'), plain);
  assert.deepEqual([r.status, json(r).code], [400, 'OAUTH_STATE_INVALID']);
  t.p.extra.callback = { iss: other.issuer };
  const second = await t.half();
  const wrong = await second.browser.ask(second.callback, plain);
  assert.deepEqual([wrong.status, json(wrong).code], [400, 'OAUTH_STATE_INVALID']);
  assert.deepEqual([t.p.count('/token'), other.count('/token')], before_);
  t.p.extra.callback = { iss: t.p.issuer };
  assert.equal((await t.web()).url, `${SITE}/`);
});

test('OC04 where the provider promises iss, an answer without it is refused', async (tc) => {
  const p = await FakeProvider.start();
  p.extra.metadata = { authorization_response_iss_parameter_supported: true };
  const mine = await Social.start({ provider: p });
  tc.after(() => mine.close());
  assert.equal(code(await mine.web()), 'OAUTH_STATE_INVALID');
  p.extra.callback = { iss: p.issuer };
  assert.equal((await mine.web()).url, `${SITE}/`);
});

test('OC04 a discovery document of another issuer is none', async (tc) => {
  const p = await FakeProvider.start();
  p.extra.metadata = { issuer: 'https://accounts.example.test' };
  const mine = await Social.start({ provider: p });
  tc.after(() => mine.close());
  const r = await mine.browser().ask(`${AUTH}/auth/oauth/fake`, plain);
  assert.deepEqual([r.status, json(r).code], [503, 'OAUTH_PROVIDER_UNAVAILABLE']);
  assert.match(json(r).error, /^fake does not answer right now/);
});

test('OC06 a redirect of the token endpoint is not followed, and a provider\'s text goes nowhere', async () => {
  t.p.answer['/token'] = (res) => {
    res.writeHead(302, { Location: `${t.p.issuer}/elsewhere` });
    res.end();
  };
  let { browser, callback } = await t.half();
  assert.equal(json(await browser.ask(callback, plain)).code, 'OAUTH_TOKEN_EXCHANGE_FAILED');
  assert.equal(t.p.count('/elsewhere'), 0);
  delete t.p.answer['/token'];
  ({ browser, callback } = await t.half());
  const u = new URL(callback);
  u.searchParams.set('code', 'wrong');
  const r = await browser.ask(u.href, plain);
  assert.deepEqual([r.status, json(r).error], [401, 'fake token exchange failed']);
  assert.doesNotMatch(r.text, /PROVIDER TEXT/);
  const form = new URLSearchParams(t.p.last('/token').body);
  assert.deepEqual([form.get('client_id'), form.get('client_secret'), form.get('grant_type'), form.get('redirect_uri')],
    ['client-1', 'a secret of the provider', 'authorization_code', `${AUTH}/auth/oauth/fake/callback`]);
});

test('OC07 a profile of somebody else is refused', async () => {
  t.p.inToken = false;
  t.p.answer['/userinfo'] = (res, normal, send) => send({ ...t.p.person, sub: 'somebody-else' });
  const { browser, callback } = await t.half();
  const r = await browser.ask(callback, plain);
  assert.deepEqual([r.status, json(r).code, json(r).error], [401, 'OAUTH_PROFILE_FAILED', 'Failed to get fake user profile']);
  delete t.p.answer['/userinfo'];
  assert.equal((await t.profile((await t.web()).browser)).email, t.p.person.email, 'the address came from the profile');
});

const PATHS = JSON.parse(source('test/data/return_paths.json'));
/* Without a slash in front one is put there; so "evil.example" is a page of the site. */
test('OC08 a return path that is more than a path counts as none', async () => {
  for (const path of [...PATHS.bad, '/x'.repeat(300)]) {
    const r = await t.s.get(`/auth/oauth/fake?return_path=${encodeURIComponent(path)}`, { unchecked: true });
    const state = JSON.parse(Buffer.from(stateOf(r.headers.location), 'base64url'));
    assert.equal(state.o, SITE);
    assert.ok(state.p === undefined || (/^[^/\\\s]/.test(path) && state.p === `/${path}`), JSON.stringify(path));
    assert.equal(new URL(`${state.o}${state.p ?? ''}`).origin, SITE, JSON.stringify(path));
  }
  for (const path of ['/', '/welcome', '/a/b?c=d&e=f', 'welcome', '/app#top']) {
    const r = await t.web(`?return_path=${encodeURIComponent(path)}`);
    assert.equal(r.url, new URL(path, `${SITE}/`).href, path);
  }
});

test('OC08 where it ends was chosen at the start: a changed state is unknown', async () => {
  const { browser, callback } = await t.half();
  for (const o of ['https://evil.test', 'myapp://auth']) {
    const u = new URL(callback), state = JSON.parse(Buffer.from(stateOf(callback), 'base64url'));
    u.searchParams.set('state', Buffer.from(JSON.stringify({ ...state, o })).toString('base64url'));
    const r = await browser.ask(u.href, plain);
    assert.deepEqual([r.status, json(r).code], [400, 'OAUTH_STATE_INVALID']);
  }
});

test('OC08 a site is chosen by redirect_uri, Origin or Referer among those listed, and its path is not doubled', async () => {
  const base = 'https://other.example.test/base';
  assert.equal((await t.web(`?redirect_uri=${encodeURIComponent(base)}`)).url, base);
  assert.equal((await t.web(`?redirect_uri=${encodeURIComponent(base)}&return_path=/x`)).url, `${base}/x`);
  assert.equal((await t.web(`?redirect_uri=${encodeURIComponent(base)}&return_path=/base/x`)).url, `${base}/x`);
  assert.equal((await t.web('', { browser: t.browser({ Referer: 'https://evil.test/' }) })).url, `${SITE}/`);
  for (const uri of ['https://evil.test', 'https://app.example.test/', 'https://app.example.test.evil.test'])
    assert.equal((await t.s.get(`/auth/oauth/fake?redirect_uri=${encodeURIComponent(uri)}`)).json.code, 'INVALID_REDIRECT_URI', uri);
});

test('OC09 a second factor is asked for: no cookie of a session, an opaque handle in the address', async () => {
  const first = await t.web(), me = await t.profile(first.browser);
  const u = await withTotp(t.s, { email: me.email, id: me.sub, accessToken: first.browser.cookies(AUTH)['__Host-accessToken'] });
  await t.s.sql('DELETE FROM session');
  const r = await t.web('?return_path=/deep');
  assert.equal(`${r.end.origin}${r.end.pathname}`, `${SITE}/deep/auth/2fa`);
  assert.deepEqual([...r.end.searchParams.keys()], ['tempToken', 'methods']);
  assert.equal(r.end.searchParams.get('methods'), 'totp');
  assert.match(r.end.searchParams.get('tempToken'), /^[0-9a-f]{64}$/);
  assert.equal(r.browser.cookies(AUTH)['__Host-accessToken'], undefined);
  t.s.advance(MINUTE);
  const done = await verifyTotp(t.s, { tempToken: r.end.searchParams.get('tempToken'), totpCode: u.app.code() });
  assert.deepEqual(claimsOf(done.json.accessToken).amr, ['fed', 'otp', 'mfa']);
});

test('F-27 who says no at the provider is back at the site', async () => {
  t.p.deny = 'access_denied';
  const r = await t.web();
  assert.deepEqual([r.end.origin, r.end.searchParams.get('error')], [SITE, 'OAUTH_ACCESS_DENIED']);
  t.p.deny = 'server_error';
  assert.equal(code(await t.web()), 'OAUTH_PROVIDER_UNAVAILABLE');
});

test('OC12 an answer that is posted becomes a GET: 303, with the cookie that only that one brings', async () => {
  const { browser, callback } = await t.half(), u = new URL(callback);
  const form = new URLSearchParams({ state: u.searchParams.get('state'), code: u.searchParams.get('code'), user: '{"name":{"firstName":"Grace","lastName":"Hopper"}}' });
  const r = await browser.ask(`${AUTH}/auth/oauth/fake/callback`, { method: 'POST', body: form.toString(), crossSite: true });
  assert.equal(r.status, 303);
  const back = new URL(r.headers.location);
  assert.equal(`${back.origin}${back.pathname}`, `${AUTH}/auth/oauth/fake/callback`);
  assert.deepEqual(['given_name', 'family_name'].map((n) => back.searchParams.get(n)), ['Grace', 'Hopper']);
  assert.equal((await browser.go(back.href)).url, `${SITE}/`);
});

test('a disabled account is not let in', async () => {
  const me = await t.profile((await t.web()).browser);
  await t.s.cliOk(['user', 'disable', me.sub]);
  assert.equal(code(await t.web()), 'INVALID_CREDENTIALS');
});
