// oauth_trials.test.mjs — what providers send that is right, or nearly: over the rows of test/data/provider_trials.json.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { halfHash, jws, newKeys } from '../lib/fake_provider.mjs';
import { source } from '../lib/paths.mjs';
import { until } from '../lib/server.mjs';
import { AUTH, person, SITE, Social } from '../lib/social.mjs';

const T = JSON.parse(source('test/data/provider_trials.json'));
const plain = { headers: { Accept: 'application/json', 'Sec-Fetch-Mode': 'cors' } };
const code = (r) => (r.text?.startsWith('{') ? JSON.parse(r.text).code : new URL(r.url ?? r.headers.location).searchParams.get('error'));

let t;
before(async () => {
  t = await Social.start({ clock: 'frozen', env: { SALLYPORT_OAUTH_FAKE_TRUST_EMAIL: 'true' } });
});
after(() => t.close());
beforeEach(() => {
  t.p.calm();
  t.p.now = () => t.s.now;
  t.p.person = person();
  t.p.use('RS256');
  t.s.pass(31_000); // newer keys may be asked for again
});

/* The lines since then; the last of a refusal is written with its answer. */
const failures = (from = 0) => t.s.events('provider_failed').slice(from);

async function refused(want, what) {
  const seen = failures().length, users = await t.count('user'), { browser, callback } = await t.half(), r = await browser.ask(callback, plain);
  assert.equal(code(r), want, what ?? r.text);
  assert.equal(await t.count('user'), users);
  return (await until(() => failures(seen).length > 0 && failures(seen), 'the log to say why')).at(-1);
}

/* ---- ID tokens ---- */

for (const alg of T.algorithms)
  test(`OC03 an ID token in ${alg}, with the at_hash of that algorithm; another's is refused`, async () => {
    t.p.use(alg, { kid: `k-${alg}`, named: alg !== 'PS256' });
    assert.equal((await t.web()).url, `${SITE}/`);
    t.p.claims = (c) => ({ ...c, at_hash: halfHash(alg, 'another token') });
    assert.equal((await refused('OAUTH_ID_TOKEN_INVALID')).check, 'at_hash');
    t.p.claims = (c) => c;
    t.p.sign = (head, claims) => jws(alg, t.p.privateKey, head, claims).replace(/.{8}$/, 'AAAAAAAA');
    const line = await refused('OAUTH_ID_TOKEN_INVALID');
    assert.deepEqual([line.check, line.alg, line.provider, line.refused], ['signature', alg, 'fake', 'oauth_id_token']);
  });

for (const row of T.signatures)
  test(`OC03 JW02 a signature with ${row.why} is refused, and the log says so`, async () => {
    const keys = newKeys(row.key, row);
    t.p.use(row.key, { kid: 'odd', keys, named: false });
    if (row.named) t.p.jwks.keys[0].alg = row.named;
    const good = newKeys('RS256');
    t.p.jwks.keys.push({ ...good.publicKey.export({ format: 'jwk' }), kid: 'good' }); // the set is one in any case
    t.p.sign = (head, claims) => jws(row.signs, keys.privateKey, { ...head, alg: row.says }, claims);
    const line = await refused('OAUTH_ID_TOKEN_INVALID');
    assert.deepEqual([line.check, line.alg], [row.check, row.says]);
  });

for (const row of T.claims)
  test(`OC03 ${row.why}: ${row.check ? 'refused' : 'signed in'}`, async () => {
    const now = Math.floor(t.s.now / 1000);
    t.p.claims = (c) => ({ ...c, ...row.set, ...Object.fromEntries(Object.entries(row.times ?? {}).map(([k, v]) => [k, now + v])) });
    if (row.check) assert.equal((await refused('OAUTH_ID_TOKEN_INVALID')).check, row.check);
    else assert.equal((await t.web()).url, `${SITE}/`);
  });

test('OC03 keys that changed under their id, or without ids, are asked for once more, and no oftener', async (tc) => {
  const of = await Social.start();
  tc.after(() => of.close());
  const asked = () => of.p.count('/jwks');
  for (const kid of ['k1', null]) {
    of.p.newKey(kid);
    of.s.pass(31_000);
    assert.equal((await of.web()).url, `${SITE}/`);
    const before = asked();
    of.p.newKey(kid);
    of.s.pass(31_000);
    assert.equal((await of.web()).url, `${SITE}/`, `kid ${kid}`);
    assert.equal(asked(), before + 1);
    of.p.newKey(kid);
    for (let i = 0; i < 3; i++) assert.equal(code(await of.web()), 'OAUTH_ID_TOKEN_INVALID');
    assert.equal(asked(), before + 1, 'not within half a minute');
    of.s.pass(31_000);
    assert.equal((await of.web()).url, `${SITE}/`);
  }
});

const sign = (idToken, nonce, more = {}) => t.s.post('/auth/oauth/fake/token', { idToken, nonce, ...more }, { strategy: 'bearer' });

/* The order of P-256: (r, s) and (r, n - s) are both signatures of the same bytes. */
const ORDER = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
const otherForm = (token) => {
  const [h, c, s] = token.split('.'), raw = Buffer.from(s, 'base64url');
  const flipped = (ORDER - BigInt(`0x${raw.subarray(32).toString('hex')}`)).toString(16).padStart(64, '0');
  return `${h}.${c}.${Buffer.concat([raw.subarray(0, 32), Buffer.from(flipped, 'hex')]).toString('base64url')}`;
};

test('OC03 an ID token is good once, whatever form its signature has, and as long as it lives', async () => {
  t.p.use('ES256');
  for (const first of [(x) => x, otherForm]) {
    const idToken = await t.p.idToken({ jti: crypto.randomUUID() }, { nonce: 'n' });
    assert.equal((await sign(first(idToken), 'n')).status, 200);
    for (const again of [idToken, otherForm(idToken)]) assert.equal((await sign(again, 'n')).json.code, 'OAUTH_ID_TOKEN_INVALID');
  }
  t.s.pass(31_000);
  t.p.use('PS256'); // each signature has a salt of its own
  const claims = { iss: t.p.issuer, aud: 'client-1', sub: t.p.person.sub, iat: Math.floor(t.s.now / 1000), exp: Math.floor(t.s.now / 1000) + 9 * 86_400, nonce: 'n' };
  const salted = () => jws('PS256', t.p.privateKey, { alg: 'PS256', kid: 'k1' }, claims);
  assert.equal((await sign(salted(), 'n')).status, 200);
  assert.equal((await sign(salted(), 'n')).status, 401);
  const left = Number(await t.s.sql('SELECT max(expires_ms) FROM oauth_used')) - t.s.now;
  assert.ok(left > 8 * 86_400_000, `a token of nine days is remembered for ${left} ms`);
});

test('JW06 tokens and answers of very many values are refused, and cost no memory: 401, not 503', async () => {
  const many = `[${'[],'.repeat(2500)}[]]`, nested = `${'{"a":'.repeat(1900)}1${'}'.repeat(1900)}`, b64 = (x) => Buffer.from(x).toString('base64url');
  for (const header of [many, nested, `{"alg":"RS256","kid":"k1","x":${many}}`, `{"alg":"RS256","kid":"k1","x":${nested}}`]) {
    const r = await sign(`${b64(header)}.${b64('{}')}.AAAA`, 'n');
    assert.deepEqual([r.status, r.json.code], [401, 'OAUTH_ID_TOKEN_INVALID']);
  }
  const some = `[${'{},'.repeat(300)}{}]`; // as many as may be, of the largest
  assert.equal((await sign(`${b64(`{"alg":"RS256","kid":"k1","x":${some}}`)}.${b64('{}')}.AAAA`, 'n')).status, 401);
  for (const groups of [JSON.parse(some), Array.from({ length: 1400 }, (_, i) => `g${i}`)]) {
    t.p.claims = (c) => ({ ...c, groups });
    assert.equal((await t.web()).url, `${SITE}/`, 'many values are taken');
  }
  t.p.claims = (c) => ({ ...c, groups: Array.from({ length: 3000 }, () => []) });
  assert.equal((await refused('OAUTH_ID_TOKEN_INVALID')).check, 'claims');
  t.p.claims = (c) => c;
  t.p.inToken = false;
  for (const body of [`{"sub":"x","a":${many}}`, nested, many]) {
    t.p.answer['/userinfo'] = (res) => { res.writeHead(200, { 'Content-Type': 'application/json' }); res.end(body); };
    const { browser, callback } = await t.half();
    assert.equal(code(await browser.ask(callback, plain)), 'OAUTH_PROFILE_FAILED');
  }
  assert.equal(t.s.events('fault').length, 0);
});

/* ---- what is believed ---- */

for (const { said, proven } of T.verified)
  test(`ID06 email_verified ${JSON.stringify(said)}, of an ID token and of a plain profile: ${proven ? 'proven' : 'not proven'}`, async () => {
    t.p.person = person({ email_verified: said });
    assert.equal((await t.profile((await t.web()).browser)).isEmailVerified, proven);
    t.p.inToken = false;
    t.p.person = person({ email_verified: said });
    assert.equal((await t.profile((await t.web()).browser)).isEmailVerified, proven, 'of the profile');
  });

for (const row of T.names)
  test(`names: ${row.why}`, async () => {
    t.p.claims = (c) => { const { name, ...rest } = c; return { ...rest, ...row.set }; };
    const me = await t.profile((await t.web()).browser);
    assert.deepEqual([me.firstName ?? null, me.lastName ?? null], [row.first, row.last]);
  });

test('names of an app\'s own kit come beside the token, where that has none; of Apple too', async () => {
  t.p.claims = (c) => { const { name, ...rest } = c; return rest; };
  const mine = async (more) => {
    t.p.person = person();
    const r = await sign(await t.p.idToken({}, { nonce: 'n' }), 'n', more);
    assert.equal(r.status, 200, r.text);
    const me = (await t.s.me(r.json.accessToken)).json;
    return [me.firstName ?? null, me.lastName ?? null];
  };
  assert.deepEqual(await mine({ firstName: 'Mary Ann', lastName: 'O\'Neil-Smith' }), ['Mary Ann', 'O\'Neil-Smith']);
  assert.deepEqual(await mine({ firstName: 'Teller', lastName: null }), ['Teller', null]);
  assert.deepEqual(await mine({}), [null, null]);
  t.p.claims = (c) => c;
  assert.deepEqual(await mine({ firstName: 'Mallory', lastName: 'M' }), ['Ada', 'Lovelace'], 'what is signed counts');
});

test('a profile that comes as a signed JWT is checked with the provider\'s keys', async () => {
  t.p.inToken = false;
  const signed = (over = {}, keys = t.p.privateKey) => (head, claims) => jws(t.p.alg, keys, head, { ...claims, ...over });
  t.p.signsProfiles = signed();
  let me = await t.profile((await t.web()).browser);
  assert.deepEqual([me.email, me.isEmailVerified, me.firstName], [t.p.person.email, true, 'Ada']);
  t.p.use('ES384');
  t.s.pass(31_000);
  t.p.person = person();
  t.p.signsProfiles = signed();
  me = await t.profile((await t.web()).browser);
  assert.equal(me.email, t.p.person.email);
  const now = Math.floor(t.s.now / 1000), wrong = {
    signature: signed({}, newKeys('ES384').privateKey),
    iss: signed({ iss: 'https://elsewhere.example.test' }),
    aud: signed({ aud: 'client-2' }),
    exp: signed({ exp: now - 61 }),
    nbf: signed({ nbf: now + 61 }),
    sub: signed({ sub: 'somebody else' }),
    alg: (head, claims) => jws('ES384', t.p.privateKey, { ...head, alg: 'none' }, claims),
    form: () => 'no.token',
  };
  for (const [check, sign_] of Object.entries(wrong)) {
    t.p.person = person();
    t.p.signsProfiles = sign_;
    assert.equal((await refused('OAUTH_PROFILE_FAILED', check)).check, check);
  }
});

/* ---- why it said no ---- */

for (const row of T.refusals)
  test(`a provider's ${row.error} is ${row.code}, and its words are in one line of the log and nowhere else`, async () => {
    const seen = failures().length;
    t.p.deny = row.error;
    t.p.denyText = row.description;
    const { browser, callback } = await t.half(), r = await browser.ask(callback, plain);
    assert.equal(code(r), row.code);
    if (row.description) assert.ok(!r.text.includes(row.description.slice(0, 9)), 'not on the wire');
    const lines = await until(() => failures(seen).length > 0 && failures(seen), 'the log to say why');
    assert.deepEqual([lines.length, lines[0].error, lines[0].error_description ?? null], [1, row.error, row.logged]);
    assert.equal(lines[0].request_id, r.headers['x-request-id']);
    const again = await browser.ask(callback, plain);
    assert.deepEqual([code(again), failures(seen).length], ['OAUTH_STATE_INVALID', 1], 'what nobody asked for is not repeated');
  });

test('the words of an answer that was posted are passed on, cut', async () => {
  t.p.deny = 'invalid_scope';
  const seen = failures().length, { browser, callback } = await t.half(), u = new URL(callback);
  const form = new URLSearchParams({ state: u.searchParams.get('state'), error: 'invalid_scope', error_description: 'ü '.repeat(4000) });
  const r = await browser.go(`${AUTH}/auth/oauth/fake/callback`, { method: 'POST', body: form.toString(), crossSite: true });
  assert.equal(code(r), 'OAUTH_TOKEN_EXCHANGE_FAILED');
  const [line] = await until(() => failures(seen).length > 0 && failures(seen), 'the log to say why');
  assert.match(line.error_description, /^(ü ){80,}ü?$/);
});

for (const row of T.answers)
  test(`a token endpoint's ${row.status} ${JSON.stringify(row.body)} is ${row.code}`, async () => {
    t.p.answer['/token'] = (res, normal, json) => json(row.body, row.status);
    const line = await refused(row.code);
    assert.deepEqual([line.error, line.error_description ?? null, line.status ?? 200, line.url ?? `${t.p.issuer}/token`], [row.error, row.logged, row.status, `${t.p.issuer}/token`]);
  });

test('`sallyport oauth test` says the algorithms, the provider\'s words, and what is wrong with an ID token', async () => {
  t.p.extra.metadata = { id_token_signing_alg_values_supported: ['RS256', 'ES384'] };
  const run = (...args) => t.s.cli(['oauth', 'test', 'fake', ...args]);
  let r = await run();
  assert.match(r.stdout, /ok {5}it signs ID tokens with an algorithm that is taken: RS256 ES384\n/);
  assert.match(r.stdout, /note {3}it says: invalid_grant: PROVIDER TEXT \(status 400 of http:\S+\/token\)\n/);
  t.p.extra.metadata = { id_token_signing_alg_values_supported: ['HS256', 'ES256K'] };
  r = await run();
  assert.deepEqual([r.code, /WRONG {2}it signs ID tokens with none that is taken: HS256 ES256K\n/.test(r.stdout)], [1, true], r.stdout);
  t.p.extra.metadata = {};
  t.p.now = Date.now; // the command has the machine's clock
  const file = path.join(t.s.home, 'token');
  const about = async (token) => {
    fs.writeFileSync(file, `${token}\n`);
    return run(file);
  };
  r = await about(await t.p.idToken({}, { nonce: 'n' }));
  assert.deepEqual([r.code, /ok {5}the ID token would be taken/.test(r.stdout)], [0, true], r.stdout + r.stderr);
  r = await about(await t.p.idToken({ exp: 1 }, { nonce: 'n' }));
  assert.deepEqual([r.code, /note {3}the check that failed: exp, algorithm RS256\n/.test(r.stdout)], [1, true], r.stdout);
  r = await about(jws('RS512', newKeys('RS512').privateKey, { alg: 'RS512', kid: 'k1' }, {}));
  assert.match(r.stdout, /note {3}the check that failed: kid, algorithm RS512\n/);
  assert.equal((await run(path.join(t.s.home, 'none'))).code, 1);
});

/* ---- who we are ---- */

for (const row of T.clients)
  test(`a client's id and secret are encoded as in a form: ${row.id}`, async (tc) => {
    const of = await Social.start({ env: t.p.plainEnv('basic', { CLIENT_ID: row.id, CLIENT_SECRET: row.secret, TOKEN_AUTH: 'basic' }) });
    tc.after(() => of.close());
    t.p.extra.user = { email: person().email };
    assert.equal((await of.web('', { provider: 'basic' })).url, `${SITE}/`);
    assert.equal(t.p.last('/token').headers.authorization, `Basic ${Buffer.from(row.header).toString('base64')}`);
  });

test('the members of a name in a profile of one\'s own are settings', async (tc) => {
  const of = await Social.start({ env: t.p.plainEnv('own', { GIVEN_NAME_FIELD: 'person.first', FAMILY_NAME_FIELD: 'person.last', EMAIL_FIELD: 'mail', EMAIL_VERIFIED_FIELD: 'mail_ok', TRUST_EMAIL: 'true' }) });
  tc.after(() => of.close());
  t.p.extra.user = { name: undefined, mail: person().email, mail_ok: 'true', person: { first: 'Mary Ann', last: 'Smith' } };
  const me = await of.profile((await of.web('', { provider: 'own' })).browser);
  assert.deepEqual([me.firstName, me.lastName, me.isEmailVerified], ['Mary Ann', 'Smith', true]);
});
