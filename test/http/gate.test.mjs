// gate.test.mjs — every way in asks for the second factor. The ways are read out of the sources, so that a new
// one without a row here does not pass.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { verify as verifyTotp, withTotp } from '../lib/authenticator.mjs';
import { addPhone, codeIn, freshNumber, mailCodeIn, proveAddress, startDelivering, SUBJECT, tokenIn, withSecond } from '../lib/delivery.mjs';
import { Browser } from '../lib/browser.mjs';
import { FakeProvider } from '../lib/fake_provider.mjs';
import { ROOT } from '../lib/paths.mjs';
import { routes } from '../lib/routes.mjs';
import { claimsOf, freshEmail } from '../lib/server.mjs';
import { AUTH, Social } from '../lib/social.mjs';

let s, mail, sms, close, provider;

const start = ({ env } = {}) => startDelivering({ env: { SALLYPORT_OAUTH_ALLOW_PRIVATE: 'true', SALLYPORT_NATIVE_REDIRECT_URIS: 'com.example.app:/x', ...provider.env(), ...env } });
before(async () => {
  provider = await FakeProvider.start();
  ({ s, mail, sms, close } = await start());
});
after(async () => {
  await close();
  provider.close();
});

const bearer = { strategy: 'bearer' };
const done = (r) => assert.deepEqual([r.status, r.json], [200, { success: true }]);

async function magic(u, json = {}) {
  done(await s.post('/auth/magic-link/send', { email: u.email, ...json }));
  return mail.mail(u.email, { subject: json.type === 'code' ? SUBJECT.code : SUBJECT.magic });
}

async function texted(u) {
  done(await s.post('/auth/sms/send', { email: u.email }));
  return codeIn(await sms.sms(u.number));
}

/* The token of a link to another address, asked for in a session that has ended since. */
async function linking(u) {
  const other = freshEmail('linked'), first = await s.login(u.email, u.password);
  const { accessToken } = first.json.accessToken ? first.json : (await verifyTotp(s, { tempToken: first.json.tempToken, totpCode: u.app.code() })).json;
  done(await s.post('/auth/link-request', { email: other }, { token: accessToken }));
  const token = tokenIn(await mail.mail(other));
  done(await s.post('/auth/logout', undefined, { token: accessToken }));
  s.advance(60_000); // past the code just used
  return token;
}

const APP = 'com.example.app:/x';
const asPerson = (u) => {
  provider.calm();
  provider.now = () => s.now;
  provider.person = { sub: `of ${u.email}` };
};

/* An app's sign-in at the provider, to the token that it fetches with: of whoever is signed in there. */
async function fetched(url) {
  const app = Social.prototype.app.call({ s }), r = await new Browser({ [AUTH]: s.target }).go(`${url}${url.includes('?') ? '&' : '?'}redirect_uri=${APP}&code_challenge=${app.challenge}&code_challenge_method=S256`);
  const ott = new URL(r.url).searchParams.get('ott');
  assert.ok(ott, r.url);
  return { ott, codeVerifier: app.verifier };
}

/* u, signed in, links an account at the provider. */
async function link(u) {
  asPerson(u);
  const begin = await s.post('/auth/oauth/fake/link', {}, { token: u.accessToken });
  assert.equal(begin.status, 200, begin.text);
  done(await s.post('/auth/oauth/link', await fetched(new URL(begin.json.url, AUTH).href), { token: u.accessToken }));
}

async function idToken(u) {
  asPerson(u);
  return { idToken: await provider.idToken({}, { nonce: 'n' }), nonce: 'n' };
}

/* The one-time token of an app: u.ott of a user who set the factor up while it was on its way. */
async function ott(u) {
  asPerson(u);
  return u.ott ?? fetched(`${AUTH}/auth/oauth/fake`);
}

/* First factors: what each route answers to somebody who has a second one. */
const FIRST = {
  'POST /auth/login': [(u) => s.login(u.email, u.password)],
  'POST /auth/magic-link/verify': [
    async (u) => s.post('/auth/magic-link/verify', { token: tokenIn(await magic(u)) }, bearer),
    async (u) => s.post('/auth/magic-link/verify', { email: u.email, code: mailCodeIn(await magic(u, { type: 'code' })) }, bearer),
    async (u) => s.post('/auth/magic-link/verify', { token: tokenIn(await magic(u)), mode: 'login', tempToken: 'x' }, bearer),
  ],
  'POST /auth/sms/verify': [
    async (u) => s.post('/auth/sms/verify', { email: u.email, code: await texted(u) }, bearer),
    async (u) => s.post('/auth/sms/verify', { userId: u.id, code: await texted(u), mode: 'login' }, bearer),
  ],
  'POST /auth/link-verify': [
    async (u) => s.post('/auth/link-verify', { token: await linking(u), loginAfterLinking: true }, bearer),
  ],
};

FIRST['POST /auth/oauth/{provider}/token'] = [async (u) => s.post('/auth/oauth/fake/token', await idToken(u), bearer)];
FIRST['POST /auth/oauth/exchange'] = [async (u) => s.post('/auth/oauth/exchange', await ott(u), bearer)];

/* First factors that are answered by a redirect. */
const REDIRECTING = ['GET /auth/oauth/{provider}/callback'];

/* Routes that hand out tokens and are no first factor, and why they ask for no second one. */
const NOT_FIRST = {
  'POST /auth/2fa/verify': 'is a second factor',
  'POST /auth/2fa/verify-setup': 'is the second factor, set up after the first',
  'POST /auth/guest': 'makes an account that has nothing to prove',
  'POST /auth/refresh': 'goes on with a session that was signed in',
  'GET /auth/forward/sign-in': 'does the same, for a browser on its way to an application',
};

/* Handlers whose answer may hold tokens. */
function issuers() {
  const found = new Set();
  for (const file of fs.readdirSync(path.join(ROOT, 'src/api')).filter((f) => f.endsWith('.c'))) {
    const text = fs.readFileSync(path.join(ROOT, 'src/api', file), 'utf8');
    for (const [, name, body] of text.matchAll(/^(?:static )?(?:err_t|void) (\w+)\([^{;]*\)\n\{\n(.*?)^\}/gms))
      if (/\b(reply_signed_in|out_tokens|set_token_cookies|land)\(/.test(body)) found.add(name);
  }
  return found;
}

test('MF03 every route that can hand out tokens has a row here', () => {
  const handlers = issuers();
  assert.ok(handlers.has('api_session_login') && handlers.has('reply_signed_in'), [...handlers].join());
  const issuing = routes.filter((r) => handlers.has(r.handler)).map((r) => `${r.method} ${r.path}`);
  const indirect = [...handlers].filter((h) => !h.startsWith('api_') && !['reply_signed_in', 'out_tokens', 'land'].includes(h));
  assert.deepEqual(indirect, [], 'a helper that hands out tokens hides its routes from this test');
  assert.deepEqual(issuing.sort(), [...Object.keys(FIRST), ...Object.keys(NOT_FIRST), ...REDIRECTING].sort());
});

test('MF03 nothing but the gate makes a session', () => {
  const calls = fs.readdirSync(path.join(ROOT, 'src'), { recursive: true }).filter((f) => f.endsWith('.c'))
    .filter((f) => /\bsession_issue\(/.test(fs.readFileSync(path.join(ROOT, 'src', f), 'utf8'))).sort();
  assert.deepEqual(calls, ['domain/gate.c', 'domain/session.c']);
});

/* All that the product lets its owner set up, and nothing else: address and number proven, an account elsewhere linked. */
async function owner() {
  const u = await addPhone({ s, sms }, await proveAddress({ s, mail }, await s.signedIn()));
  await link(u);
  return u;
}

/* The same with an app, signed in nowhere. */
async function somebody({ early } = {}) {
  const u = await owner(), ahead = early ? { ott: await ott(u) } : {}, armed = await withTotp(s, u);
  done(await s.post('/auth/logout', undefined, { token: armed.accessToken, strategy: 'bearer' }));
  return { ...armed, ...ahead };
}

const AMR = { 'POST /auth/login': 'pwd', 'POST /auth/magic-link/verify': 'email', 'POST /auth/sms/verify': 'sms', 'POST /auth/link-verify': 'fed', 'POST /auth/oauth/{provider}/token': 'fed', 'POST /auth/oauth/exchange': 'fed' };
const METHODS = { 'POST /auth/login': ['totp', 'sms'], 'POST /auth/magic-link/verify': ['totp', 'sms'], 'POST /auth/sms/verify': ['totp'],
  'POST /auth/link-verify': ['totp', 'sms'], 'POST /auth/oauth/{provider}/token': ['totp', 'sms'], 'POST /auth/oauth/exchange': ['totp', 'sms'] };

test('MF03 GET /auth/oauth/{provider}/callback asks for a second factor and sets no cookie of a session', async () => {
  const u = await somebody(), browser = new Browser({ [AUTH]: s.target });
  asPerson(u);
  const r = await browser.go(`${AUTH}/auth/oauth/fake`, { stop: (url) => url.includes('/auth/2fa') }), end = new URL(r.url);
  assert.equal(end.pathname, '/auth/2fa');
  s.note(end.searchParams.get('tempToken'));
  assert.deepEqual(Object.keys(browser.cookies(AUTH)).filter((n) => /Token/.test(n)), []);
  const last = await verifyTotp(s, { tempToken: end.searchParams.get('tempToken'), totpCode: u.app.code() });
  assert.deepEqual(claimsOf(last.json.accessToken).amr, ['fed', 'otp', 'mfa']);
});

for (const [route, ways] of Object.entries(FIRST))
  for (const [i, way] of ways.entries())
    test(`MF03 MF04 ${route} (${i + 1}) asks for a second factor that is not the first again, and gives no token`, async () => {
      const u = await somebody({ early: route.includes('exchange') }), r = await way(u);
      assert.equal(r.status, 200, r.text);
      assert.deepEqual(Object.keys(r.json), ['requiresTwoFactor', 'tempToken', 'available2faMethods']);
      assert.deepEqual([r.json.requiresTwoFactor, r.json.available2faMethods], [true, METHODS[route]]);
      assert.equal(r.headers['set-cookie'], undefined);
      assert.equal(await s.sql(`SELECT count(*) FROM session JOIN user ON user.id = user_id WHERE email = '${u.email}'`), '0');
      s.note(r.json.tempToken);

      assert.equal((await s.me(r.json.tempToken)).status, 401, 'MF01 the handle is no access token');
      assert.equal((await s.refresh(r.json.tempToken)).status, 401);
      const last = await verifyTotp(s, { tempToken: r.json.tempToken, totpCode: u.app.code() });
      assert.deepEqual(claimsOf(last.json.accessToken).amr, [AMR[route], 'otp', 'mfa']);
    });

test('MF03 MF20 every way in leads to setting a factor up when one must be and none is there, and that handle does nothing else', async (t) => {
  const strict = await start(), mine = { s, mail, sms };
  ({ s, mail, sms } = strict);
  t.after(async () => {
    ({ s, mail, sms } = mine);
    await strict.close();
  });
  const u = await owner(), early = { link: await linking(u), ott: await ott(u) };
  s.env.SALLYPORT_TWOFACTOR_REQUIRED = 'true';
  s.env.SALLYPORT_SMS_TRANSPORT = 'none'; // so that the number is no second factor
  const bySms = FIRST['POST /auth/sms/verify'][0];
  await s.restart();
  const ways = { ...FIRST, 'POST /auth/link-verify': [() => s.post('/auth/link-verify', { token: early.link, loginAfterLinking: true }, bearer)], 'POST /auth/oauth/exchange': [() => s.post('/auth/oauth/exchange', early.ott, bearer)], 'POST /auth/sms/verify': [] };
  const look = async (route, way) => {
    const r = await way(u);
    assert.deepEqual([r.status, r.json.code, r.json.requires2FASetup, r.json.accessToken], [403, '2FA_SETUP_REQUIRED', true, undefined], `${route} ${r.text}`);
    s.note(r.json.tempToken);
    for (const other of routes.filter((x) => ['USER', 'ADMIN', 'MAYBE', 'PROXY'].includes(x.auth))) {
      const no = await s.request(other.method, other.path.replace(/\{\w+\}/g, '00000000-0000-4000-8000-000000000000'), { token: r.json.tempToken, json: other.body ? {} : undefined });
      assert.deepEqual([no.status, no.json.code], [401, 'INVALID_ACCESS_TOKEN'], other.path);
    }
    for (const [path, json] of [['magic-link/send', { mode: '2fa' }], ['sms/send', { mode: '2fa' }], ['2fa/verify', { totpCode: '123456' }]]) {
      const no = await s.post(`/auth/${path}`, { ...json, tempToken: r.json.tempToken });
      assert.ok(no.status === 401 || no.json.code === 'SMS_NOT_CONFIGURED', `${path} ${no.text}`);
    }
  };
  for (const [route, [way]] of Object.entries(ways)) if (way) await look(route, way);
  delete s.env.SALLYPORT_SMS_TRANSPORT;
  Object.assign(s.env, sms.env('http-post'));
  await s.restart();
  await look('POST /auth/sms/verify', bySms);
});

test('MF05 what was proven stands in the token: amr', async () => {
  const plain = await owner(), amr = [];
  for (const [way] of Object.values(FIRST)) amr.push(claimsOf((await way(plain)).json.accessToken).amr);
  assert.deepEqual(amr, [['pwd'], ['email'], ['sms'], ['fed'], ['fed'], ['fed']]);
});

test('MF05 with the default settings mail is no second factor; where the operator lets it be, the token says so', async (t) => {
  const u = await s.register();
  await withSecond(s, u);
  const none = await s.login(u.email, u.password);
  assert.deepEqual([none.status, none.json.available2faMethods], [403, []], 'nothing but setting one up');
  assert.equal((await s.post('/auth/magic-link/send', { mode: '2fa', tempToken: none.json.tempToken })).status, 401);
  const let_ = await start({ env: { SALLYPORT_TWOFACTOR_MAGIC_LINK: 'true' } });
  t.after(() => let_.close());
  const v = await withSecond(let_.s, await let_.s.register()), { tempToken, available2faMethods } = (await let_.s.login(v.email, v.password)).json;
  assert.deepEqual(available2faMethods, ['magic-link']);
  done(await let_.s.post('/auth/magic-link/send', { mode: '2fa', tempToken }));
  const r = await let_.s.post('/auth/magic-link/verify', { mode: '2fa', tempToken, token: tokenIn(await let_.mail.mail(v.email, { subject: SUBJECT.magic })) }, bearer);
  assert.deepEqual(claimsOf(r.json.accessToken).amr, ['pwd', 'email', 'mfa']);
  const admin = await let_.s.admin();
  await withSecond(let_.s, admin);
  assert.deepEqual((await let_.s.login(admin.email, admin.password)).json.available2faMethods, [], 'never for administrators');
});

test('MF01 a handle opens nothing but second factors', async () => {
  const u = await somebody(), { tempToken } = (await s.login(u.email, u.password)).json;
  s.note(tempToken);
  for (const route of routes.filter((r) => !['PUBLIC', 'SIGN_IN', 'SESSION', 'GUEST'].includes(r.auth))) {
    const r = await s.request(route.method, route.path.replace(/\{\w+\}/g, '00000000-0000-4000-8000-000000000000'), { token: tempToken, json: route.body ? { phoneNumber: freshNumber() } : undefined });
    assert.deepEqual([r.status, r.json.code], [401, 'INVALID_ACCESS_TOKEN'], route.path);
  }
});

test('a device is spared the second factor by the token of an earlier one, whichever the first factor', async (t) => {
  const kind = await startDelivering({ env: { SALLYPORT_TWOFACTOR_REMEMBER: 'true' } });
  t.after(() => kind.close());
  const on = kind.s, u = await withSecond(on, await addPhone(kind, await proveAddress(kind, await on.signedIn())));
  const sms_ = async (json) => {
    done(await on.post('/auth/sms/send', json));
    return codeIn(await kind.sms.sms(u.number));
  };
  const { tempToken } = (await on.login(u.email, u.password)).json;
  const r = await on.post('/auth/sms/verify', { mode: '2fa', tempToken, code: await sms_({ mode: '2fa', tempToken }), rememberDevice: true }, bearer);
  const { trustToken } = r.json;
  assert.equal(typeof trustToken, 'string', r.text);
  on.note(trustToken);
  assert.equal(typeof (await on.post('/auth/sms/verify', { email: u.email, code: await sms_({ email: u.email }), trustToken }, bearer)).json.accessToken, 'string');
  const magicTo = async () => {
    done(await on.post('/auth/magic-link/send', { email: u.email }));
    return tokenIn(await kind.mail.mail(u.email, { subject: SUBJECT.magic }));
  };
  assert.equal(typeof (await on.post('/auth/magic-link/verify', { token: await magicTo(), trustToken }, bearer)).json.accessToken, 'string');
  assert.equal((await on.post('/auth/magic-link/verify', { token: await magicTo(), trustToken: `${trustToken}x` }, bearer)).json.requiresTwoFactor, true);
});
