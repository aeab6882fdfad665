// body.test.mjs — JSON bodies: what is one, what is none, and that no route is more lenient than another.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import zlib from 'node:zlib';
import { routes } from '../lib/routes.mjs';
import { freshEmail, freshPassword, MINUTE, Server } from '../lib/server.mjs';

const DELIVERY = {
  SALLYPORT_MAIL_TRANSPORT: 'file', SALLYPORT_SMS_TRANSPORT: 'log', SALLYPORT_SMS_COUNTRIES: 'any', SALLYPORT_MAIL_FROM: 'no-reply@sallyport.test', SALLYPORT_STEPUP_ACCOUNT_DELETE: 'true',
  SALLYPORT_LIMITS_BAD_TOKENS: '1000000', SALLYPORT_LIMITS_MAIL_NETWORK_PER_HOUR: '1000000',
};
let s, user;

before(async () => {
  s = await Server.start({ env: DELIVERY });
  user = await s.signedIn();
  s.advance(11 * MINUTE); // what asks again who is there reads its body and does nothing
});
after(() => s.close());

const bodyRoutes = routes.filter((r) => r.body !== null);

/* The text members of each shape, as src/api declares them. A new shape needs a line here. */
const MEMBERS = {
  user_register_shape: ['email', 'password', 'firstName', 'lastName', 'emailLang'],
  session_login_shape: ['email', 'password', 'deviceToken', 'challengeAnswer'],
  session_refresh_shape: ['refreshToken'],
  user_profile_shape: ['firstName', 'lastName'],
  password_forgot_shape: ['email', 'emailLang'],
  password_reset_shape: ['token', 'password', 'newPassword'],
  password_change_shape: ['currentPassword', 'newPassword'],
  verification_send_shape: ['email', 'emailLang'],
  token_shape: ['token'],
  email_change_request_shape: ['currentPassword', 'totpCode', 'recoveryCode', 'newEmail', 'emailLang'],
  verification_confirm_shape: ['token', 'deviceToken'],
  email_change_confirm_shape: ['token', 'deviceToken'],
  phone_change_shape: ['currentPassword', 'totpCode', 'recoveryCode', 'phoneNumber'],
  phone_verify_shape: ['code'],
  account_delete_shape: ['currentPassword', 'totpCode', 'recoveryCode'],
  link_request_shape: ['currentPassword', 'totpCode', 'recoveryCode', 'email', 'provider', 'emailLang'],
  link_verify_shape: ['token'],
  claim_shape: ['token', 'tempToken'],
  linked_unlink_shape: ['currentPassword', 'totpCode', 'recoveryCode'],
  magic_send_shape: ['email', 'emailLang', 'mode', 'tempToken', 'type'],
  magic_verify_shape: ['token', 'email', 'code', 'mode', 'tempToken', 'deviceToken', 'trustToken'],
  sms_send_shape: ['email', 'userId', 'mode', 'tempToken'],
  sms_verify_shape: ['email', 'userId', 'code', 'mode', 'tempToken', 'deviceToken', 'trustToken'],
  factor_set_up_shape: ['currentPassword', 'totpCode', 'recoveryCode', 'tempToken'],
  factor_confirm_shape: ['token', 'secret', 'tempToken'],
  factor_verify_shape: ['tempToken', 'totpCode', 'recoveryCode'],
  factor_proof_shape: ['currentPassword', 'totpCode', 'recoveryCode'],
  oauth_exchange_shape: ['ott', 'codeVerifier'],
  oauth_token_shape: ['idToken', 'nonce'],
  oauth_link_shape: ['currentPassword', 'totpCode', 'recoveryCode'],
};
const NULL_OK = ['firstName', 'lastName', 'deviceToken', 'challengeAnswer', 'refreshToken', 'emailLang', 'phoneNumber', 'totpCode', 'recoveryCode', 'tempToken', 'secret', 'provider', 'codeVerifier', 'nonce'];
/* Of these a client sends some members and may leave the others null. */
const ALL_NULL_OK = ['claim_shape', 'magic_send_shape', 'magic_verify_shape', 'sms_send_shape', 'sms_verify_shape'];
const SECRET = ['password', 'newPassword', 'currentPassword'];

async function send(route, body, headers = {}) {
  return s.request(route.method, route.path, {
    body, strategy: 'bearer', token: ['PUBLIC', 'SIGN_IN', 'SESSION'].includes(route.auth) ? undefined : user.accessToken,
    headers: { 'Content-Type': 'application/json', ...headers },
  });
}

async function eachRoute(bodies, check) {
  for (const route of bodyRoutes) for (const [name, body] of Object.entries(bodies)) check(await send(route, body), `${route.path}: ${name}`, route);
}

function badJson(r, what) {
  assert.equal(r.status, 400, `${what}: ${r.status} ${r.text}`);
  assert.deepEqual([r.json.error, r.json.message, r.json.code], ['Invalid JSON body', 'Invalid JSON body', 'INVALID_JSON'], what);
}

/* Taken as JSON: whatever the route then says about the fields. */
function goodJson(r, what) {
  assert.ok(r.status < 500, what);
  if (r.status >= 400) assert.ok(!['INVALID_JSON', 'UNSUPPORTED_MEDIA_TYPE', 'BAD_REQUEST'].includes(r.json.code), `${what}: ${r.text}`);
}

test('every shape of the table is known here', () => {
  assert.deepEqual([...new Set(bodyRoutes.map((r) => r.body))].sort(), Object.keys(MEMBERS).sort());
});

test('HT07 a member given twice is refused, at any depth and however it is spelt', async () => {
  await eachRoute({
    'equal': '{"a":1,"a":1}', 'different': '{"email":"a@example.test","email":"b@example.test"}', 'escaped': '{"a":1,"\\u0061":2}', 'nested': '{"x":{"a":1,"a":2}}', 'in an array': '{"x":[{"a":1,"a":2}]}',
    'refresh token': '{"refreshToken":"a","refreshToken":"b"}', 'password': '{"password":"aaaaaaaa","password":"bbbbbbbb"}', 'far apart': `{"a":1,${Array.from({ length: 50 }, (_, i) => `"m${i}":0`).join()},"a":1}`,
  }, badJson);
});

test('HT08 what is not strict JSON with one object on top is refused', async () => {
  await eachRoute({
    'blank': ' ', 'null': 'null', 'true': 'true', 'number': '1', 'string': '"{}"', 'array': '[]', 'array of object': '[{}]', 'open': '{', 'close': '}', 'unclosed string': '{"a":"b', 'unclosed member': '{"a":', 'no value': '{"a"}', 'no name': '{:1}',
    'trailing comma': '{"a":1,}', 'leading comma': '{,"a":1}', 'double comma': '{"a":1,,"b":2}', 'no comma': '{"a":1 "b":2}', 'double colon': '{"a"::1}', 'no colon': '{"a" 1}', 'single quotes': "{'a':1}", 'bare name': '{a:1}', 'number as name': '{1:1}',
    'trailing text': '{}x', 'trailing object': '{}{}', 'trailing NUL': '{}\u0000', 'trailing comma after': '{},', 'comment': '{/* */}', 'line comment': '{}//', 'hash': '{}#', 'two BOMs': '\ufeff\ufeff{}', 'BOM only': '\ufeff', 'BOM behind': '{}\ufeff', 'cut BOM': Buffer.from('efbb7b7d', 'hex'), 'UTF-16': Buffer.from('{"a":1}', 'utf16le'), 'UTF-16 BOM': Buffer.from('\ufeff{}', 'utf16le'),
    'leading zero': '{"a":01}', 'minus zero one': '{"a":-01}', 'plus': '{"a":+1}', 'dot one': '{"a":.1}', 'one dot': '{"a":1.}', 'hex': '{"a":0x1}', 'NaN': '{"a":NaN}', 'Infinity': '{"a":Infinity}', '-Infinity': '{"a":-Infinity}', 'bare minus': '{"a":-}', 'exponent without digits': '{"a":1e}', 'e+': '{"a":1e+}', '1.e1': '{"a":1.e1}', '1 000': '{"a":1 000}', '1_000': '{"a":1_000}',
    'True': '{"a":True}', 'nul': '{"a":nul}', 'undefined': '{"a":undefined}', 'tab in a string': '{"a":"\t"}', 'newline in a string': '{"a":"\n"}', 'NUL in a string': '{"a":"\u0000"}', 'escape x': '{"a":"\\x41"}', 'escape a': '{"a":"\\a"}', "escape '": '{"a":"\\\'"}', 'short \\u': '{"a":"\\u00"}', 'bad \\u': '{"a":"\\u00gg"}', 'backslash at the end': '{"a":"\\"}',
    'form feed': '\f{}', 'vertical tab': '{\v}', 'no-break space': '\u00a0{}', 'mismatched': '{"a":[1}', 'mismatched 2': '{"a":{]}', 'extra close': '{}}', 'form': 'a=1&b=2', 'XML': '<a/>',
  }, badJson);
});

test('HT08 unusual but lawful JSON is taken', async () => {
  await eachRoute({
    'blanks': ' \t\r\n{ \t\r\n} \t\r\n', 'empty name': '{"":0}', 'escapes': '{"a":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041"}', 'pair': '{"a":"\\ud83e\\udd8a"}', 'emoji': '{"a":"🦊"}', 'numbers': '{"a":[0,-0,1.5,1e3,1E-3,1e+3,-1]}', 'numbers that no machine word holds': '{"a":[1e999,-1E400,123456789012345678901234567890,0.1234567890123456789e-999,-9223372036854775809,18446744073709551616]}', 'BOM': '\ufeff{}', 'BOM and blanks': '\ufeff \n{"a":1} ', 'literals': '{"a":[true,false,null]}',
    'nested': `${'{"a":'.repeat(15)}{}${'}'.repeat(15)}`, 'many members': `{${Array.from({ length: 400 }, (_, i) => `"m${i}":0`).join()}}`, 'NUL escape in an unknown member': '{"a":"\\u0000"}', 'U+2028': '{"a":"\u2028"}', 'long string': `{"a":"${'x'.repeat(30_000)}"}`, 'brackets in a string': `{"a":"${'{['.repeat(100)}"}`, 'escaped quote before brackets': `{"a":"\\"${'[{'.repeat(100)}"}`, 'commas in a string': `{"a":"${','.repeat(2000)}"}`,
  }, goodJson);
});

test('HT08 depth, number of values and length of numbers are bounded', async () => {
  await eachRoute({
    'depth 17': `${'{"a":'.repeat(16)}{}${'}'.repeat(16)}`, 'depth 17 of arrays': `{"a":${'['.repeat(16)}${']'.repeat(16)}}`, 'depth 20,000': `{"a":${'['.repeat(20_000)}`, 'depth 20,000 closed': `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, 'objects all the way': '{"a":'.repeat(10_000),
    '1,001 values': `{"a":[${Array(1001).fill(0).join()}]}`, '20,000 values': `{"a":[${Array(20_000).fill(0).join()}]}`, '1,001 members': `{${Array.from({ length: 1001 }, (_, i) => `"m${i}":0`).join()}}`,
    '65 digits': `{"a":${'1'.repeat(65)}}`, '30,000 digits': `{"a":${'1'.repeat(30_000)}}`, 'long fraction': `{"a":0.${'1'.repeat(65)}}`, 'long exponent': `{"a":1e${'1'.repeat(65)}}`,
  }, badJson);
});

test('a body under a coding that nobody here decodes is 415; identity is none', async () => {
  const body = JSON.stringify({ email: freshEmail(), password: freshPassword() }), zipped = zlib.gzipSync(body);
  const ask = (coding, bytes) => s.request('POST', '/auth/login', { body: bytes, strategy: 'bearer', headers: { 'Content-Type': 'application/json', 'Content-Encoding': coding } });
  for (const coding of ['gzip', 'GZIP', 'deflate', 'br', 'zstd', 'gzip, identity', 'x']) assert.deepEqual([(await ask(coding, zipped)).status, (await ask(coding, body)).json.code], [415, 'UNSUPPORTED_MEDIA_TYPE'], coding);
  for (const coding of ['identity', 'Identity', '']) assert.equal((await ask(coding, body)).json.code, 'INVALID_CREDENTIALS', coding);
});

test('HT09 another type where a text is wanted is refused by name, never coerced', async () => {
  for (const route of bodyRoutes) {
    for (const member of MEMBERS[route.body]) {
      for (const value of [{}, [], true, false, 0, 1, -1.5, ['a'], { a: 'b' }, { toString: 'x' }, [null], null]) {
        if (value === null && (NULL_OK.includes(member) || ALL_NULL_OK.includes(route.body))) continue;
        const r = await send(route, JSON.stringify({ email: freshEmail(), password: freshPassword(), [member]: value }));
        const what = `${route.path} ${member}: ${JSON.stringify(value)} -> ${r.status} ${r.text}`;
        assert.equal(r.status, 400, what);
        assert.equal(r.json.code, 'VALIDATION_ERROR', what);
        assert.deepEqual(r.json.fields, [{ field: member, reason: 'TYPE' }], what);
      }
    }
  }
});

test('HT09 a token of null or of nothing matches nobody', async () => {
  for (const body of ['{"refreshToken":null}', '{"refreshToken":""}', '{}']) {
    const r = await s.request('POST', '/auth/refresh', { body, strategy: 'bearer', headers: { 'Content-Type': 'application/json' } });
    assert.deepEqual([r.status, r.json.code], [401, 'NO_REFRESH_TOKEN']);
  }
  await s.request('POST', '/auth/logout', { body: '{"refreshToken":null}', headers: { 'Content-Type': 'application/json' } });
  assert.equal((await s.me(user.accessToken)).status, 200);
});

test('HT10 NUL inside an identifier, a name or a token is refused', async () => {
  for (const route of bodyRoutes) {
    for (const member of MEMBERS[route.body].filter((m) => !SECRET.includes(m))) {
      for (const value of [`${user.email}\u0000@evil.example`, `\u0000${user.email}`, `a\u0000`, '\u0000']) {
        const r = await send(route, JSON.stringify({ email: freshEmail(), password: freshPassword(), [member]: value }));
        assert.deepEqual([r.status, r.json.code, r.json.fields?.[0].field], [400, 'VALIDATION_ERROR', member], `${route.path} ${member}: ${r.text}`);
      }
    }
  }
  const taken = await s.post('/auth/login', { email: `${user.email}\u0000@evil.example`, password: user.password }, { strategy: 'bearer' });
  assert.equal(taken.status, 400);
});

/* Rows of the classic stress test for UTF-8 decoders: each is not UTF-8. */
const NOT_UTF8 = {
  'lone continuation': [0x80], 'last continuation': [0xbf], 'two continuations': [0x80, 0xbf], 'lone start of 2': [0xc3], 'lone start of 3': [0xe2], 'lone start of 4': [0xf0], 'cut 3': [0xe2, 0x82], 'cut 4': [0xf0, 0x9f, 0xa6],
  'fe': [0xfe], 'ff': [0xff], 'fe fe ff ff': [0xfe, 0xfe, 0xff, 0xff], 'overlong slash 2': [0xc0, 0xaf], 'overlong slash 3': [0xe0, 0x80, 0xaf], 'overlong slash 4': [0xf0, 0x80, 0x80, 0xaf], 'overlong slash 5': [0xf8, 0x80, 0x80, 0x80, 0xaf], 'overlong slash 6': [0xfc, 0x80, 0x80, 0x80, 0x80, 0xaf],
  'highest overlong 2': [0xc1, 0xbf], 'highest overlong 3': [0xe0, 0x9f, 0xbf], 'highest overlong 4': [0xf0, 0x8f, 0xbf, 0xbf], 'overlong NUL': [0xc0, 0x80], 'overlong NUL 3': [0xe0, 0x80, 0x80], 'overlong quote': [0xc0, 0xa2],
  'surrogate d800': [0xed, 0xa0, 0x80], 'surrogate db7f': [0xed, 0xad, 0xbf], 'surrogate dfff': [0xed, 0xbf, 0xbf], 'surrogate pair': [0xed, 0xa0, 0xbd, 0xed, 0xb0, 0x80], 'above 10ffff': [0xf4, 0x90, 0x80, 0x80], 'f5': [0xf5, 0x80, 0x80, 0x80], 'five bytes': [0xf8, 0x88, 0x80, 0x80, 0x80], 'latin-1': [0xe9],
};

test('HT11 bytes that are not UTF-8 are refused in every member, known or not', async () => {
  for (const route of bodyRoutes)
    for (const member of [...MEMBERS[route.body], 'unknown'])
      for (const [name, bytes] of Object.entries(NOT_UTF8)) {
        const body = Buffer.concat([Buffer.from(`{"${member}":"a`), Buffer.from(bytes), Buffer.from('b"}')]);
        badJson(await send(route, body), `${route.path} ${member}: ${name}`);
      }
  await eachRoute(Object.fromEntries(Object.entries(NOT_UTF8).map(([name, bytes]) => [`${name} as a name`, Buffer.concat([Buffer.from('{"'), Buffer.from(bytes), Buffer.from('":0}')])])), badJson);
});

test('HT11 lone surrogates in escapes are refused', async () => {
  await eachRoute({
    'high': '{"a":"\\ud800"}', 'high end': '{"a":"\\udbff"}', 'low': '{"a":"\\udc00"}', 'low end': '{"a":"\\udfff"}', 'two high': '{"a":"\\ud800\\ud800"}', 'reversed': '{"a":"\\udc00\\ud800"}', 'high and letter': '{"a":"\\ud800x"}', 'high and escape': '{"a":"\\ud800\\n"}', 'as a name': '{"\\ud800":1}', 'in a password': '{"password":"\\ud83e abcdefgh"}',
  }, badJson);
});

test('HT11 noncharacters, controls and bidi overrides are refused in names and addresses, not in passwords', async () => {
  const register = bodyRoutes.find((r) => r.path === '/auth/register');
  const odd = ['\ufffe', '\uffff', '\ufdd0', '\u{1fffe}', '\u{10ffff}', '\u0001', '\u0008', '\u001f', '\u007f', '\u0080', '\u009f', '\u202a', '\u202e', '\u2066', '\u2069', '\u200e', '\u200f', '\u061c', '\r\n', '\t'];
  for (const c of odd) {
    for (const member of ['\u200e', '\u200f', '\u061c'].includes(c) ? ['email'] : ['firstName', 'email']) { // keyboards put marks into names
      const r = await send(register, JSON.stringify({ email: freshEmail(), password: freshPassword(), [member]: `a${c}b@example.test` }));
      assert.deepEqual([r.status, r.json.code, r.json.fields?.map((f) => f.field)], [400, 'VALIDATION_ERROR', [member]], `U+${c.codePointAt(0).toString(16)} in ${member}: ${r.text}`);
    }
  }
  const u = await s.signedIn({ password: `pass\u202eword \ufffe ${freshPassword()}` });
  assert.equal((await s.me(u.accessToken)).status, 200);
});

test('no body, an empty one and {} are the same', async () => {
  for (const route of bodyRoutes) {
    const shapes = [await s.request(route.method, route.path, { strategy: 'bearer', token: ['PUBLIC', 'SIGN_IN', 'SESSION'].includes(route.auth) ? undefined : user.accessToken }), await send(route, ''), await send(route, '{}')].map((r) => r.shape);
    assert.equal(shapes[1], shapes[0], route.path);
    assert.equal(shapes[2], shapes[0], route.path);
  }
});

test('unknown members are ignored', async () => {
  await eachRoute({ 'unknown': '{"unknown":{"deep":[1,2,3]},"__proto__":{"isAdmin":true},"constructor":1}' }, goodJson);
});

test('the type must be application/json, parameters and case aside', async () => {
  const route = bodyRoutes.find((r) => r.path === '/auth/logout');
  for (const type of ['application/json', 'application/json; charset=utf-8', 'APPLICATION/JSON', 'application/json;charset=UTF-8', 'application/json ; x=y'])
    assert.equal((await send(route, '{}', { 'Content-Type': type })).status, 200, type);
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonx', 'application/json+x', 'text/json', 'application/problem+json', 'json', '*/*', ''])
    for (const r of bodyRoutes) {
      const answer = await send(r, '{}', { 'Content-Type': type });
      assert.deepEqual([answer.status, answer.json.code], [415, 'UNSUPPORTED_MEDIA_TYPE'], `${r.path} ${type}`);
    }
  const none = await s.request('POST', '/auth/login', { body: '{}' });
  assert.equal(none.status, 415);
});

test('64 KiB are taken, one byte more is 413', async () => {
  const pad = (n) => `{"pad":"${'x'.repeat(n - 10)}"}`;
  for (const route of bodyRoutes) {
    goodJson(await send(route, pad(65536)), `${route.path} at the limit`);
    const r = await send(route, pad(65537)).catch((e) => e);
    if (r instanceof Error) assert.match(r.code, /EPIPE|ECONNRESET/); // closed while we were sending
    else assert.deepEqual([r.status, r.json.code], [413, 'PAYLOAD_TOO_LARGE'], route.path);
  }
});

test('20 MB, announced or in chunks, are refused at once and not read to their end', async () => {
  const big = Buffer.alloc(20_000_000, 'x'), chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65536, 'x'), Buffer.from('\r\n')]);
  const chunks = Buffer.concat([...Array(305).fill(chunk), Buffer.from('0\r\n\r\n')]);
  for (const route of bodyRoutes) {
    const auth = route.auth === 'PUBLIC' ? '' : `Authorization: Bearer ${user.accessToken}\r\n`;
    const head = `${route.method} ${route.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${auth}`;
    const announced = await s.raw(`${head}Content-Length: ${big.length}\r\n\r\n`);
    assert.equal(announced.answers[0]?.status, 413, route.path);
    assert.ok(announced.closed, 'closed before a byte of the body was sent');
    assert.equal(JSON.parse(announced.answers[0].body).code, 'PAYLOAD_TOO_LARGE');

    const sent = await s.raw([`${head}Content-Length: ${big.length}\r\n\r\n`, big]);
    assert.ok(sent.closed);
    if (!sent.reset) assert.equal(sent.answers[0]?.status, 413);

    const chunked = await s.raw([`${head}Transfer-Encoding: chunked\r\n\r\n`, chunks]);
    assert.ok(chunked.closed);
    assert.ok(chunked.answers.every((a) => a.status === 413));
  }
  assert.equal((await s.get('/healthz')).status, 200);
});

test('a chunked body is a body like any other', async () => {
  const u = await s.register();
  const body = JSON.stringify({ email: u.email, password: u.password });
  const r = await s.request('POST', '/auth/login', { body, strategy: 'bearer', headers: { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' } });
  assert.equal(r.status, 200);
});

test('values are never echoed in a refusal', async () => {
  const canary = 'canary-value-in-the-body';
  for (const route of bodyRoutes)
    for (const body of [`{"${canary}`, `{"email":["${canary}"],"firstName":["${canary}"],"refreshToken":["${canary}"]}`, JSON.stringify({ email: canary, password: 'short', firstName: `${canary}\n` })]) {
      const r = await send(route, body);
      assert.ok(!r.text.includes(canary), r.text);
    }
});
