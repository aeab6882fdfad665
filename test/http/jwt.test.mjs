// jwt.test.mjs — access tokens: what is in them, what is accepted, and above all what is not.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import * as jose from 'jose';
import { b64, makeToken, serverKey, signature } from '../lib/jwt.mjs';
import { ROOT } from '../lib/paths.mjs';
import { run, claimsOf, headerOf, MINUTE, SALLYPORT_TEST, Server } from '../lib/server.mjs';

const ISSUER = 'https://auth.example.test';
let s, u, header, claims, key;

before(async () => {
  s = await Server.start();
  u = await s.signedIn();
  header = headerOf(u.accessToken);
  claims = claimsOf(u.accessToken);
  key = serverKey(s.dataDir);
});
after(() => s.close());

/* Claims that are good right now. */
const current = (over) => ({ ...claims, iat: s.now / 1000, exp: s.now / 1000 + 900, jti: crypto.randomUUID(), ...over });
const genuine = (over, headerOver) => makeToken({ ...header, ...headerOver }, current(over), key);

async function accepted(token, what) {
  const r = await s.me(token);
  assert.equal(r.status, 200, `${what}: ${r.text}`);
}

async function refused(token, what, server = s) {
  // Twice: a token that was refused must not have got into the cache of verified ones.
  for (let i = 0; i < 2; i++) {
    const r = await server.me(token);
    assert.equal(r.status, 401, `${what}: ${r.status} ${r.text}`);
    assert.deepEqual(r.json, { error: 'Invalid or expired access token', message: 'Invalid or expired access token', code: 'INVALID_ACCESS_TOKEN' });
    assert.equal(r.headers['www-authenticate'], 'Bearer error="invalid_token"');
  }
}

test('the tokens made here are good when nothing is wrong with them', async () => {
  await accepted(genuine(), 'a copy of a genuine token with another jti');
});

test('JW17 the claims are the documented ones and no more', async () => {
  assert.deepEqual(header, { alg: 'ES256', typ: 'at+jwt', kid: header.kid });
  assert.deepEqual(Object.keys(claims).sort(), ['amr', 'aud', 'auth_time', 'email', 'exp', 'gen', 'iat', 'isEmailVerified',
    'isTotpEnabled', 'iss', 'jti', 'loginProvider', 'role', 'sid', 'sub', 'token_use']);
  assert.equal(claims.iss, ISSUER);
  assert.equal(claims.aud, ISSUER);
  assert.equal(claims.sub, u.id);
  assert.equal(claims.email, u.email);
  assert.equal(claims.exp - claims.iat, 900);
  assert.equal(claims.token_use, 'access');
  assert.ok(Buffer.from(claims.jti, 'base64url').length >= 16);
});

test('JW01 unsigned tokens and tokens signed with what is public are refused', async () => {
  const pub = crypto.createPublicKey(key), pem = pub.export({ type: 'spki', format: 'pem' });
  const jwk = pub.export({ format: 'jwk' });
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '', 'null'])
    for (const sig of ['', u.accessToken.split('.')[2], 'AA']) await refused(`${b64(JSON.stringify({ ...header, alg }))}.${b64(JSON.stringify(current()))}.${sig}`, `alg ${alg}`);
  const secrets = { 'PEM': pem, 'PEM without newline': pem.trim(), 'DER': pub.export({ type: 'spki', format: 'der' }), 'JWK text': JSON.stringify(jwk),
    'JWK x': jwk.x, 'raw point': Buffer.concat([Buffer.from([4]), Buffer.from(jwk.x, 'base64url'), Buffer.from(jwk.y, 'base64url')]), 'kid': header.kid, 'empty': '' };
  for (const [name, secret] of Object.entries(secrets)) {
    await refused(makeToken({ ...header, alg: 'HS256' }, current(), secret, 'HS256'), `HS256 with ${name}`);
    await refused(makeToken(header, current(), secret, 'HS256'), `HS256 with ${name}, called ES256`);
  }
});

test('JW01 the header does not choose the algorithm', async () => {
  for (const alg of ['HS256', 'HS384', 'RS256', 'PS256', 'ES384', 'ES512', 'ES256K', 'EdDSA', 'es256', 'ES256 ', 'ES256\u0000', 256, null, ['ES256'], { alg: 'ES256' }])
    await refused(makeToken({ ...header, alg }, current(), key), `alg ${JSON.stringify(alg)}`);
  const { alg: _, ...without } = header;
  await refused(makeToken(without, current(), key), 'no alg');
});

test('JW01 the key is the one that kid names among ours', async () => {
  const foreign = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  await refused(makeToken(header, current(), foreign), 'foreign key under our kid');
  for (const kid of ['', 'x', `${header.kid} `, header.kid.slice(1), `${header.kid}\u0000`, '../../../../dev/null', '/dev/null', "' OR '1'='1", 'x'.repeat(2000), 0, null, [header.kid], { kid: header.kid }]) {
    await refused(makeToken({ ...header, kid }, current(), key), `kid ${JSON.stringify(kid).slice(0, 40)}`);
    await refused(makeToken({ ...header, kid }, current(), foreign), 'foreign key');
  }
  const { kid: _, ...without } = header;
  await refused(makeToken(without, current(), key), 'no kid');
});

test('JW01 signatures of zero, of another form or of another length are refused', async () => {
  const [h, c] = genuine().split('.');
  const input = Buffer.from(`${h}.${c}`), good = signature('ES256', key, input);
  const der = crypto.sign('sha256', input, key);
  const n = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');
  const bad = { 'r=s=0': Buffer.alloc(64), 'r=0': Buffer.concat([Buffer.alloc(32), good.subarray(32)]), 's=0': Buffer.concat([good.subarray(0, 32), Buffer.alloc(32)]),
    'r=s=n': Buffer.concat([n, n]), 'all ones': Buffer.alloc(64, 255), 'DER': der, 'short': good.subarray(0, 63), 'long': Buffer.concat([good, Buffer.from([0])]),
    'doubled': Buffer.concat([good, good]), 'one byte': Buffer.from([1]), 'swapped': Buffer.concat([good.subarray(32), good.subarray(0, 32)]) };
  for (const [name, sig] of Object.entries(bad)) await refused(`${h}.${c}.${b64(sig)}`, name);
  await accepted(`${h}.${c}.${b64(good)}`, 'the good one');
});

test('JW01 RS256: PS256 and HMAC with the public key are refused', async (t) => {
  const rsa = await Server.start({ env: { SALLYPORT_TOKEN_ALGORITHM: 'RS256' } });
  t.after(() => rsa.close());
  const user = await rsa.signedIn(), own = serverKey(rsa.dataDir);
  const h = headerOf(user.accessToken), c = claimsOf(user.accessToken);
  assert.equal(h.alg, 'RS256');
  assert.equal((await rsa.me(makeToken(h, { ...c, jti: 'again' }, own, 'RS256'))).status, 200);
  const pub = crypto.createPublicKey(own);
  await refused(makeToken(h, c, own, 'PS256'), 'PS256 called RS256', rsa);
  await refused(makeToken({ ...h, alg: 'PS256' }, c, own, 'PS256'), 'PS256', rsa);
  for (const secret of [pub.export({ type: 'spki', format: 'pem' }), pub.export({ type: 'spki', format: 'der' }), pub.export({ type: 'pkcs1', format: 'pem' }), ''])
    await refused(makeToken({ ...h, alg: 'HS256' }, c, secret, 'HS256'), 'HS256', rsa);
});

test('JW02 keys that a token brings along or points at are ignored', async () => {
  const mine = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = mine.publicKey.export({ format: 'jwk' });
  const thumb = await jose.calculateJwkThumbprint(jwk);
  const extras = { jwk, jku: 'https://evil.example/jwks.json', x5u: 'https://evil.example/cert.pem', x5c: ['MIIB'], x5t: 'AAAA' };
  for (const kid of [thumb, header.kid]) await refused(makeToken({ ...header, kid, ...extras }, current(), mine.privateKey), 'own key brought along');
  await accepted(makeToken({ ...header, ...extras }, current(), key), 'genuine beside ignored members');
});

test('JW02 crit, b64 and doubled names are refused even when the signature is genuine', async () => {
  for (const over of [{ crit: ['exp'] }, { crit: [] }, { crit: null }, { b64: false }, { b64: true }, { b64: false, crit: ['b64'] }])
    await refused(genuine({}, over), JSON.stringify(over));
  const h = JSON.stringify(header), c = JSON.stringify(current());
  await refused(makeToken(`${h.slice(0, -1)},"alg":"ES256"}`, c, key), 'alg twice');
  await refused(makeToken(`${h.slice(0, -1)},"kid":"x"}`, c, key), 'kid twice');
  await refused(makeToken(h, `${c.slice(0, -1)},"sub":${JSON.stringify(u.id)}}`, key), 'sub twice');
  await refused(makeToken(h, `${c.slice(0, -1)},"exp":${claims.exp}}`, key), 'exp twice');
  await refused(makeToken(h, `${c.slice(0, -1)},"other":{"a":1,"a":2}}`, key), 'twice at depth');
});

test('JW03 no secret is compared with a comparison that stops early', () => {
  // Library comparisons in the folders that handle secrets; each use must be on this list with its reason.
  const allowed = {
    'src/domain/attempt.c': ['v4_mapped'], // an address
    'src/domain/audit.c': ['v4_mapped'],
    'src/domain/token.c': ['SHA256_BYTES'], // a token's hash as the key of a table: nobody can aim at a part of it
  };
  for (const dir of ['src/crypto', 'src/domain', 'src/api']) {
    for (const name of fs.readdirSync(path.join(ROOT, dir)).filter((n) => n.endsWith('.c'))) {
      const file = `${dir}/${name}`;
      for (const line of fs.readFileSync(path.join(ROOT, file), 'utf8').split('\n')) {
        if (!/\b(memcmp|strcmp|strncmp|strcasecmp|bcmp)\s*\(/.test(line)) continue;
        assert.ok((allowed[file] ?? []).some((reason) => line.includes(reason)), `${file}: ${line.trim()}`);
      }
    }
  }
});

test('JW03 a MAC is refused whichever of its bytes is wrong', async (t) => {
  const hs = await Server.start({ env: { SALLYPORT_TOKEN_ALGORITHM: 'HS256' } });
  t.after(() => hs.close());
  const user = await hs.signedIn();
  const [h, c, sig] = user.accessToken.split('.');
  const good = Buffer.from(sig, 'base64url');
  assert.equal(good.length, 32);
  for (let i = 0; i < 32; i++) {
    const bad = Buffer.from(good);
    bad[i] ^= 1;
    assert.equal((await hs.me(`${h}.${c}.${b64(bad)}`)).status, 401, `byte ${i}`);
    assert.equal((await hs.me(`${h}.${c}.${b64(good.subarray(0, i))}`)).status, 401, `${i} bytes`);
  }
  assert.equal((await hs.me(user.accessToken)).status, 200);
});

test('JW04 exp is required, an integer, and ends the token to the second', async () => {
  const c = JSON.stringify(current({ exp: 'EXP' }));
  for (const exp of ['1e400', '1e10', '9999999999.0', '9999999999.5', '"9999999999"', '-1', '-9999999999', '0', 'null', 'true', '[9999999999]', '{}', '9007199254740993', '18446744073709551616',
    '99999999999999999999999', 'NaN', 'Infinity', '0x2540BE3FF', '09999999999', '1'])
    await refused(makeToken(header, c.replace('"EXP"', exp), key), `exp ${exp}`);
  await refused(makeToken(header, c.replace(',"exp":"EXP"', ''), key), 'no exp');

  const token = genuine({ exp: s.now / 1000 + 30 });
  s.advance(29_000);
  await accepted(token, 'one second left');
  s.advance(1000);
  await refused(token, 'at exp'); // and it was in the cache
});

test('JW04 tokens from the future are refused beyond a minute of skew', async () => {
  const now = s.now / 1000;
  await accepted(genuine({ iat: now + 60, exp: now + 900 }), 'iat within the skew');
  await refused(genuine({ iat: now + 61, exp: now + 900 }), 'iat beyond it');
  await accepted(genuine({ nbf: now + 60 }), 'nbf within the skew');
  await refused(genuine({ nbf: now + 61 }), 'nbf beyond it');
  for (const bad of ['1', -1, 1.5, null, true, 2 ** 60]) {
    await refused(genuine({ nbf: bad }), `nbf ${JSON.stringify(bad)}`);
    await refused(genuine({ iat: bad }), `iat ${JSON.stringify(bad)}`);
  }
  const { iat: _, ...without } = current();
  await refused(makeToken(header, without, key), 'no iat');
});

test('JW05 issuer, audience, type and use are checked on genuine signatures too', async () => {
  for (const iss of ['https://other.example', `${ISSUER}/`, ISSUER.toUpperCase(), '', null, [ISSUER], { ISSUER }]) await refused(genuine({ iss }), `iss ${JSON.stringify(iss)}`);
  for (const aud of ['https://other.example', '', null, [], ['https://other.example'], [[ISSUER]], { 0: ISSUER }, `${ISSUER} x`, [ISSUER, 7]]) await refused(genuine({ aud }), `aud ${JSON.stringify(aud)}`);
  await accepted(genuine({ aud: ['https://other.example', ISSUER] }), 'one of several audiences');
  for (const typ of ['JWT', 'jwt', 'id+jwt', 'AT+JWT', 'application/at+jwt', '', null, 1]) await refused(genuine({}, { typ }), `typ ${JSON.stringify(typ)}`);
  for (const token_use of ['refresh', 'id', '2fa', '2fa_setup', 'Access', '', null, ['access']]) await refused(genuine({ token_use }), `token_use ${JSON.stringify(token_use)}`);
  for (const name of ['iss', 'aud', 'token_use', 'sub', 'sid', 'jti']) {
    const { [name]: _, ...without } = current();
    await refused(makeToken(header, without, key), `no ${name}`);
  }
});

test('JW05 a token of another deployment with the same keys is refused', async (t) => {
  const twin = await Server.start();
  t.after(() => twin.close());
  const user = await twin.signedIn();
  await twin.stop();
  twin.env.SALLYPORT_SERVER_PUBLIC_URL = 'https://other.example.test';
  await twin.launch();
  await refused(user.accessToken, 'issuer of before', twin);
  const fresh = await twin.signIn(user);
  assert.equal((await twin.me(fresh.accessToken)).status, 200);
});

test("JW05 sub and sid must belong together, and to somebody", async () => {
  const other = await s.signedIn();
  await refused(genuine({ sub: other.id }), "another's sub");
  await refused(genuine({ sid: claimsOf(other.accessToken).sid }), "another's session");
  const gone = await s.me(genuine({ sid: crypto.randomUUID() }));
  assert.deepEqual([gone.status, gone.json.code], [401, 'SESSION_REVOKED']);
  for (const sub of ['', 'x', u.id.toUpperCase(), u.id.replaceAll('-', ''), `${u.id}\u0000`, 1, null, [u.id], { id: u.id }]) {
    await refused(genuine({ sub }), `sub ${JSON.stringify(sub)}`);
    await refused(genuine({ sid: sub === 1 ? 1 : `x${sub}` }), 'sid');
  }
});

test('JW06 three strict base64url parts of strict JSON, at most 8 KiB', async () => {
  const [h, c, sig] = genuine().split('.');
  const bad = { empty: '.', two: `${h}.${c}`, four: `${h}.${c}.${sig}.`, five: `${h}.${c}.${sig}.${sig}.${sig}`, 'empty head': `.${c}.${sig}`, 'empty claims': `${h}..${sig}`,
    'empty signature': `${h}.${c}.`, padded: `${h}.${c}.${sig}==`, 'padded head': `${h}=.${c}.${sig}`, star: `${h}.${c}.${sig.slice(0, -1)}*`,
    'standard alphabet': `${h}.${c}.+/${sig.slice(2)}`, 'blank inside': `${h}.${c}. ${sig}`, 'length 1 mod 4': `${h}.${c}.${sig}A`, junk: 'null', dots: '...' };
  for (const [name, token] of Object.entries(bad)) await refused(token, name);
  // 86 characters carry 516 bits for 512: the last 4 must be zero.
  const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  await refused(`${h}.${c}.${sig.slice(0, -1)}${last[last.indexOf(sig.at(-1)) | 1]}`, 'bits left over at the end');

  for (const text of ['null', '[]', '"x"', '1', '{}', '', '{', `${JSON.stringify(current())}x`, `\ufeff${JSON.stringify(current())}`, JSON.stringify(current()).replaceAll('"', "'"), `[${JSON.stringify(current())}]`])
    await refused(makeToken(header, text, key), `claims ${text.slice(0, 20)}`);
  for (const text of ['null', '[]', '"x"', '{}', `${JSON.stringify(header)} x`, `\ufeff${JSON.stringify(header)}`]) await refused(makeToken(text, current(), key), `header ${text.slice(0, 20)}`);
  await accepted(genuine({ pad: 'x'.repeat(4000) }), 'long, but within 8 KiB');
});

test('JW06 a head of very many values is refused, and costs no memory: 401, not 503', async () => {
  const b64 = (text) => Buffer.from(text).toString('base64url'), nested = `${'{"":'.repeat(1100)}1${'}'.repeat(1100)}`;
  for (const head of [nested, `[${'{},'.repeat(1900)}{}]`, `{"alg":"ES256","typ":"at+jwt","x":[${'{},'.repeat(1900)}{}]}`, `{"alg":"ES256","typ":"at+jwt","x":${nested}}`]) {
    const r = await s.me(`${b64(head)}.${b64('{}')}.AAAA`);
    assert.deepEqual([r.status, r.json.code], [401, 'INVALID_ACCESS_TOKEN']);
  }
});

test('JW06 a token over 8 KiB is refused whatever it says', async () => {
  const r = await s.request('GET', '/auth/me', { token: genuine({ pad: 'x'.repeat(6500) }) });
  assert.ok([401, 431].includes(r.status), r.text);
});

test('JW07 no token is 403, a bad one 401 with WWW-Authenticate', async () => {
  const auth = (Authorization) => s.get('/auth/me', { headers: { Authorization } });
  for (const value of ['Bearer junk', 'Bearer null', 'Bearer undefined', 'bearer junk', 'BEARER junk', 'Bearer', 'Bearer ', 'Bearer   ']) {
    const r = await auth(value);
    assert.equal(r.status, 401, value);
    assert.equal(r.headers['www-authenticate'], 'Bearer error="invalid_token"', value);
  }
  for (const r of [await s.get('/auth/me'), await auth('Basic dTpw'), await auth('Token x'), await auth(u.accessToken)]) {
    assert.equal(r.status, 403);
    assert.deepEqual(r.json, { error: 'No access token provided', message: 'No access token provided', code: 'NO_ACCESS_TOKEN' });
    assert.equal(r.headers['www-authenticate'], undefined);
  }
  const fresh = await s.signIn(u);
  for (const scheme of ['Bearer', 'bearer', 'BEARER']) assert.equal((await auth(`${scheme} ${fresh.accessToken}`)).status, 200, scheme);
});

test('JW07 an expired token is 401 and a refresh makes it good again', async () => {
  const t = await s.signIn(u);
  s.advance(15 * MINUTE);
  await refused(t.accessToken, 'expired');
  const r = await s.refresh(t.refreshToken);
  assert.equal((await s.me(r.json.accessToken)).status, 200);
});

test('JW09 disabling an account on the command line shows at its next call', async () => {
  const victim = await s.signedIn();
  await s.me(victim.accessToken);
  await s.me(victim.accessToken); // its token is in the cache of verified ones now
  await s.cliOk(['user', 'disable', victim.email]);
  const r = await s.me(victim.accessToken);
  assert.deepEqual([r.status, r.json.code], [401, 'SESSION_REVOKED']);
  assert.equal((await s.get('/auth/sessions', { token: victim.accessToken })).status, 401);
});

test('JW09 rights are read from the store at each call, not from the token', async () => {
  const admin = await s.admin();
  const cleanup = () => s.request('POST', '/auth/sessions/cleanup', { token: admin.accessToken });
  assert.equal((await cleanup()).status, 200);
  await s.sql(`UPDATE user SET is_admin = 0, role = 'clerk' WHERE email_key = '${admin.email}'`);
  assert.deepEqual([(await cleanup()).status, (await s.me(admin.accessToken)).json.isAdmin, (await s.me(admin.accessToken)).json.role], [403, false, 'clerk']);
  const forged = makeToken(header, { ...current(), isAdmin: true, is_admin: true, role: 'admin', isRoot: true }, key);
  assert.equal((await s.request('POST', '/auth/sessions/cleanup', { token: forged })).status, 403);
});

test('JW11 the key set holds public members only, and verifies tokens with an ordinary library', async (t) => {
  const isPrivate = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'oth'];
  const expected = { ES256: ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'], RS256: ['alg', 'e', 'kid', 'kty', 'n', 'use'], EdDSA: ['alg', 'crv', 'kid', 'kty', 'use', 'x'] };
  for (const [alg, members] of Object.entries(expected)) {
    const server = alg === 'ES256' ? s : await Server.start({ env: { SALLYPORT_TOKEN_ALGORITHM: alg } });
    if (server !== s) t.after(() => server.close());
    const user = await server.signedIn();
    const r = await server.get('/.well-known/jwks.json'), below = await server.get('/auth/.well-known/jwks.json');
    assert.equal(r.status, 200);
    assert.equal(below.text, r.text);
    assert.equal(r.headers['cache-control'], 'public, max-age=3600');
    assert.equal(r.headers['access-control-allow-origin'], '*');
    const [jwk] = r.json.keys;
    assert.deepEqual(Object.keys(jwk).sort(), members);
    for (const k of r.json.keys) for (const name of isPrivate) assert.equal(k[name], undefined);
    assert.equal(jwk.kid, await jose.calculateJwkThumbprint(jwk), 'kid is the RFC 7638 thumbprint');
    const { payload, protectedHeader } = await jose.jwtVerify(user.accessToken, jose.createLocalJWKSet(r.json),
      { issuer: ISSUER, audience: ISSUER, typ: 'at+jwt', algorithms: [alg], currentDate: new Date(server.now), requiredClaims: ['exp', 'jti', 'sub'] });
    assert.equal(payload.sub, user.id);
    assert.equal(protectedHeader.kid, jwk.kid);
  }
});

test('JW11 with HS256 there is nothing public to show', async (t) => {
  const hs = await Server.start({ env: { SALLYPORT_TOKEN_ALGORITHM: 'HS256' } });
  t.after(() => hs.close());
  const user = await hs.signedIn();
  assert.deepEqual((await hs.get('/.well-known/jwks.json')).json, { keys: [] });
  assert.equal((await hs.me(user.accessToken)).status, 200);
  const master = Buffer.from(fs.readFileSync(path.join(hs.dataDir, 'keys/master.key'), 'utf8').trim(), 'base64url');
  for (const secret of [master, '', master.toString('base64url')])
    await refused(makeToken(headerOf(user.accessToken), claimsOf(user.accessToken), secret, 'HS256'), 'JW15: the root of other keys signs no token', hs);
});

test('JW13 keys are made once, kept private, and tokens outlive a restart', async (t) => {
  const own = await Server.start();
  t.after(() => own.close());
  const user = await own.signedIn();
  const dir = path.join(own.dataDir, 'keys');
  const snapshot = () => Object.fromEntries(fs.readdirSync(dir).filter((n) => !n.startsWith('.')).map((n) => [n, fs.readFileSync(path.join(dir, n), 'utf8')]));
  const before = snapshot();
  assert.equal(fs.statSync(dir).mode & 0o777, 0o700);
  for (const name of Object.keys(before)) assert.equal(fs.statSync(path.join(dir, name)).mode & 0o777, 0o600, name);
  await own.restart();
  assert.deepEqual(snapshot(), before);
  assert.equal((await own.me(user.accessToken)).status, 200);
  own.advance(2 * MINUTE);
  assert.equal((await own.refresh(user.refreshToken)).status, 200);
});

/* A server that must not start on this data directory. */
async function refusesToStart(server, pattern) {
  const r = await run(SALLYPORT_TEST, ['serve', '--data', server.dataDir, '--listen', '127.0.0.1:0'], { env: { ...server.env, TEST_CONTROL: path.join(server.home, 'control') } });
  assert.equal(r.code, 4, r.stderr);
  assert.match(r.stderr, pattern);
  return r;
}

test('JW13 accounts without their keys, or keys that others can read, do not start', async (t) => {
  const own = await Server.start();
  t.after(() => own.close());
  await own.register();
  await own.stop();
  const dir = path.join(own.dataDir, 'keys'), aside = `${dir}.aside`;
  fs.renameSync(dir, aside);
  await refusesToStart(own, /keys/);
  assert.ok(!fs.existsSync(path.join(dir, 'master.key')), 'no new keys were made in silence');
  fs.rmSync(dir, { recursive: true, force: true });
  fs.renameSync(aside, dir);
  const signing = fs.readdirSync(dir).find((n) => n.startsWith('jwt-'));
  for (const name of ['master.key', signing, '.']) {
    const file = path.join(dir, name), mode = fs.statSync(file).mode & 0o777;
    fs.chmodSync(file, mode | 0o044);
    await refusesToStart(own, /group|others|permission|mode/i);
    fs.chmodSync(file, mode);
  }
  await own.launch();
});

test('JW14 a key or pepper that could be guessed does not start', async (t) => {
  const own = await Server.start();
  t.after(() => own.close());
  await own.stop();
  const master = path.join(own.dataDir, 'keys/master.key'), good = fs.readFileSync(master);
  const weak = [Buffer.alloc(32), Buffer.alloc(32, 7), Buffer.from(Array.from({ length: 32 }, (_, i) => i)), Buffer.from('change-me-change-me-change-me-32b'.slice(0, 32)),
    Buffer.from('0123456789abcdef0123456789abcdef'), crypto.randomBytes(16), crypto.randomBytes(31), crypto.randomBytes(33), Buffer.alloc(0)];
  for (const bytes of weak) {
    fs.writeFileSync(master, `${bytes.toString('base64url')}\n`);
    const r = await refusesToStart(own, /master\.key/);
    if (bytes.length > 0) assert.ok(!r.stderr.includes(bytes.toString('base64url')), 'it is not printed');
  }
  fs.writeFileSync(master, good);
  for (const pepper of ['short', 'a'.repeat(40), 'changeme-changeme-changeme-changeme-1', 'sallyport-example-pepper-0123456789abcdef']) {
    const r = await own.cli(['check-config'], { env: { SALLYPORT_PASSWORD_PEPPER: pepper } });
    assert.equal(r.code, 3, `${pepper}: ${r.stdout}${r.stderr}`);
    assert.match(r.stderr, /password\.pepper/);
    assert.ok(!r.stderr.includes(pepper));
  }
});

test('JW15 what one key has tagged means nothing to another', async () => {
  const t = await s.signIn(u);
  const device = Buffer.from(t.deviceToken, 'base64url'), refresh = Buffer.from(t.refreshToken, 'base64url');
  const transplanted = Buffer.concat([refresh.subarray(0, refresh.length - 32), device.subarray(device.length - 32)]);
  const padded = Buffer.concat([device, Buffer.alloc(Math.max(0, refresh.length - device.length))]).subarray(0, refresh.length);
  for (const token of [transplanted, padded, Buffer.concat([device.subarray(0, device.length - 32), refresh.subarray(refresh.length - 32)])]) {
    const r = await s.refresh(b64(token));
    assert.equal(r.json.code, 'INVALID_REFRESH_TOKEN');
  }
  // A refresh tag made with the master key itself, or under another label, is none.
  const master = Buffer.from(fs.readFileSync(path.join(s.dataDir, 'keys/master.key'), 'utf8').trim(), 'base64url');
  for (const k of [master, ...['device', 'attempt', 'csrf', 'cursor', 'storage'].map((label) => crypto.hkdfSync('sha256', master, '', `sallyport/v1/${label}`, 32))]) {
    const body = refresh.subarray(0, refresh.length - 32);
    for (const message of [body, Buffer.concat([Buffer.from('rt'), body])])
      assert.equal((await s.refresh(b64(Buffer.concat([body, crypto.createHmac('sha256', Buffer.from(k)).update(message).digest()])))).status, 401);
  }
});

test('JW15 nothing that a client sends is signed for it', async () => {
  const marker = `m${crypto.randomBytes(6).toString('hex')}`;
  const user = await s.register({ firstName: marker });
  const r = await s.post('/auth/login', { email: user.email, password: user.password, aud: marker, scope: marker, role: marker, nonce: marker, state: marker },
    { strategy: 'bearer', headers: { 'User-Agent': marker, Origin: `https://${marker}.example`, 'X-Tenant-Id': marker } });
  assert.ok(!JSON.stringify(claimsOf(r.json.accessToken)).includes(marker));
});

test('JW16 a token in the URL is no token', async () => {
  const t = await s.signIn(u);
  for (const query of [`access_token=${t.accessToken}`, `token=${t.accessToken}`]) {
    const r = await s.get(`/auth/me?${query}`);
    assert.deepEqual([r.status, r.json.code], [403, 'NO_ACCESS_TOKEN']);
  }
});
