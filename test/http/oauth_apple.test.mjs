// oauth_apple.test.mjs — what is Apple's own: a signed secret, an answer that is posted, "true" for true, a token that goes
// back when the account goes; and `sallyport oauth test`.
import assert from 'node:assert/strict';
import { exportPKCS8, generateKeyPair, jwtVerify } from 'jose';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { FakeProvider } from '../lib/fake_provider.mjs';
import { until } from '../lib/server.mjs';
import { AUTH, person, SITE, Social } from '../lib/social.mjs';

let t, keys, home;
before(async () => {
  const p = await FakeProvider.start();
  keys = await generateKeyPair('ES256', { extractable: true });
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-apple-'));
  fs.writeFileSync(path.join(home, 'key.p8'), await exportPKCS8(keys.privateKey), { mode: 0o600 });
  t = await Social.start({
    provider: p,
    env: p.env('apple', { PRESET: 'apple', CLIENT_ID: 'com.example.web, com.example.app', CLIENT_SECRET: '', TEAM_ID: 'TEAM123456', KEY_ID: 'KEY1234567', PRIVATE_KEY: `file:${home}/key.p8` }),
  });
});
after(async () => {
  await t.close();
  fs.rmSync(home, { recursive: true });
});
beforeEach(() => {
  t.p.calm();
  t.p.now = () => t.s.now;
  t.p.person = person({ email_verified: 'true' });
  t.p.claims = (c) => ({ ...c, aud: 'com.example.web' });
  t.p.extra.token = { refresh_token: 'r.apple.0001' };
});

/* As a browser at Apple's page: posts the answer. */
async function signIn(over = {}) {
  const { browser, callback } = await t.half('', { provider: 'apple' }), u = new URL(callback);
  const form = new URLSearchParams({ state: u.searchParams.get('state'), code: u.searchParams.get('code'), ...over });
  const r = await browser.go(`${AUTH}/auth/oauth/apple/callback`, { method: 'POST', body: form.toString(), crossSite: true });
  return { browser, ...r };
}

test('the secret is a JWT of the team, for this client, signed with the key and good for minutes', async () => {
  const r = await signIn({ user: '{"name":{"firstName":"Grace","lastName":"Hopper"},"email":"other@example.test"}' });
  assert.equal(r.url, `${SITE}/`);
  const me = await t.profile(r.browser), form = new URLSearchParams(t.p.last('/token').body), q = t.p.last('/authorize').url.searchParams;
  assert.deepEqual([me.email, me.firstName, me.isEmailVerified], [t.p.person.email, 'Ada', true], 'the signed claims count, "true" is true');
  assert.deepEqual([q.get('response_mode'), q.get('scope'), q.get('code_challenge')], ['form_post', 'name email', null]);
  const { payload, protectedHeader } = await jwtVerify(form.get('client_secret'), keys.publicKey, { audience: t.p.issuer, issuer: 'TEAM123456', subject: 'com.example.web' });
  assert.deepEqual([protectedHeader.kid, protectedHeader.alg, payload.exp - payload.iat], ['KEY1234567', 'ES256', 300]);
});

test('a name that is posted is taken where the ID token has none, and nothing else of it', async () => {
  t.p.claims = (c) => ({ ...c, aud: 'com.example.web', name: undefined });
  const r = await signIn({ user: '{"name":{"firstName":"Grace","lastName":"Hopper"},"email":"other@example.test"}' });
  const me = await t.profile(r.browser);
  assert.deepEqual([me.firstName, me.lastName, me.email], ['Grace', 'Hopper', t.p.person.email]);
  t.p.person = person({ email_verified: 'true' });
  assert.equal((await signIn({ user: '{{{' })).url, `${SITE}/`, 'and garbage there is none');
});

test('OC11 the refresh token is kept sealed, and given back when the account is deleted, however often it takes', async () => {
  const r = await signIn(), dump = await t.s.sql('SELECT hex(sealed) FROM oauth_grant');
  assert.ok(dump.length > 0 && !Buffer.from(dump.split('\n')[0], 'hex').includes('r.apple.0001'), 'sealed');
  t.p.answer['/revoke'] = (res) => { res.writeHead(503); res.end(); };
  const gone = await r.browser.ask(`${AUTH}/auth/account`, { method: 'DELETE', headers: { Accept: 'application/json', 'Sec-Fetch-Site': 'same-origin', 'X-CSRF-Token': r.browser.cookies(AUTH)['__Host-csrf-token'] } });
  assert.equal(gone.status, 200, gone.text);
  await until(() => t.p.count('/revoke') >= 1, 'the first try');
  assert.equal(await t.count('oauth_revoke'), 1, 'it is not lost');
  delete t.p.answer['/revoke'];
  await t.s.kill();
  await t.s.launch();
  t.s.advance(60_000);
  await until(async () => (await t.count('oauth_revoke')) === 0, 'the token to be given back');
  const form = new URLSearchParams(t.p.last('/revoke').body);
  assert.deepEqual([form.get('token'), form.get('token_type_hint'), form.get('client_id')], ['r.apple.0001', 'refresh_token', 'com.example.web']);
  await jwtVerify(form.get('client_secret'), keys.publicKey, { issuer: 'TEAM123456' });
  assert.equal(await t.count('audit', "event = 'oauth.grant_revoked' AND detail = 'apple'"), 1);
});

test('an app\'s ID token, with the hash of the nonce, as Apple\'s kit makes it', async () => {
  const crypto = await import('node:crypto');
  t.p.claims = (c) => c;
  const idToken = await t.p.idToken({}, { aud: 'com.example.app', nonce: crypto.createHash('sha256').update('raw').digest('hex') });
  const r = await t.s.post('/auth/oauth/apple/token', { idToken, nonce: 'raw' }, { strategy: 'bearer' });
  assert.equal(r.status, 200, r.text);
});

test('`sallyport oauth test` says what is wrong', async () => {
  const good = await t.s.cli(['oauth', 'test', 'fake']);
  assert.equal(good.code, 0, good.stdout + good.stderr);
  assert.match(good.stdout, /register {3}https:\/\/auth\.example\.test\/auth\/oauth\/fake\/callback/);
  assert.match(good.stdout, /ok {5}the discovery document/);
  t.p.answer['/token'] = (res, n, json) => json({ error: 'invalid_client' }, 401);
  const secret = await t.s.cli(['oauth', 'test', 'fake']);
  assert.deepEqual([secret.code, /WRONG {2}the provider does not know this client_id/.test(secret.stdout)], [1, true], secret.stdout);
  t.p.extra.metadata = { issuer: 'https://elsewhere.example.test' };
  const issuer = await t.s.cli(['oauth', 'test', 'fake']);
  assert.deepEqual([issuer.code, /WRONG {2}the issuer has no discovery document/.test(issuer.stdout)], [1, true], issuer.stdout);
  assert.equal((await t.s.cli(['oauth', 'test', 'nobody'])).code, 1);
  assert.equal((await t.s.cli(['oauth', 'test'])).code, 2);
});

test('what Apple needs is asked for when the settings are read', async () => {
  const r = await t.s.cli(['check-config'], { env: { SALLYPORT_OAUTH_APPLE_TEAM_ID: '' } });
  assert.equal(r.code, 3);
  assert.match(r.stderr, /oauth\.apple: Apple needs team_id, key_id and private_key/);
});
