// edge.test.mjs — what reaches the server byte by byte: framing, methods, paths, headers, and that who
// may do what is a property of the route, whatever the request looks like.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { rawExchange } from '../lib/http.mjs';
import { examplePath, routes } from '../lib/routes.mjs';
import { MINUTE, Server, until } from '../lib/server.mjs';

let s, user, admin;

before(async () => {
  s = await Server.start({ env: { SALLYPORT_SERVER_HEAD_TIMEOUT: '2s', SALLYPORT_SERVER_BODY_TIMEOUT: '2s', SALLYPORT_STEPUP_ACCOUNT_DELETE: 'true', SALLYPORT_MAIL_TRANSPORT: 'file', SALLYPORT_SMS_TRANSPORT: 'log', SALLYPORT_SMS_COUNTRIES: 'any', SALLYPORT_MAIL_FROM: 'no-reply@sallyport.test' } });
  user = await s.signedIn();
  admin = await s.admin();
});
after(() => s.close());

const HEALTH = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';

/* Refused with this status, in the product's shape, connection closed, and what follows is not run. */
async function refusedRaw(bytes, what, statuses = [400], { follow = true } = {}) {
  const data = Buffer.concat([Buffer.from(bytes, 'latin1'), Buffer.from(follow ? HEALTH : '')]);
  const r = await s.raw(data);
  const shown = `${what}: ${r.bytes.toString('latin1').slice(0, 300)}`;
  assert.ok(r.closed, `connection stays open after ${shown}`);
  assert.equal(r.answers.length, 1, `answers to ${shown}`);
  assert.ok(statuses.includes(r.answers[0].status), `status of ${shown}`);
  assert.equal(r.answers[0].headers.connection?.toLowerCase(), 'close', `Connection of ${shown}`);
  assert.match(JSON.parse(r.answers[0].body).code, /^[A-Z_]+$/, shown);
}

const post = (headers, body = '') => `POST /auth/logout HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${headers}\r\n${body}`;

test('HT01 two lengths, or a length that is none, is 400 and the end of the connection', async () => {
  const cases = {
    'length and chunked': 'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n', 'chunked and length': 'Transfer-Encoding: chunked\r\nContent-Length: 2\r\n',
    'two equal': 'Content-Length: 2\r\nContent-Length: 2\r\n', 'two different': 'Content-Length: 2\r\nContent-Length: 3\r\n',
    'list of equal': 'Content-Length: 2, 2\r\n', 'list': 'Content-Length: 2, 3\r\n', 'list with blank': 'Content-Length: 2 ,\r\n', 'plus': 'Content-Length: +2\r\n',
    'minus': 'Content-Length: -2\r\n', 'hex': 'Content-Length: 0x2\r\n', 'decimal': 'Content-Length: 2.0\r\n', 'exponent': 'Content-Length: 2e0\r\n',
    'trailing letter': 'Content-Length: 2x\r\n', 'leading letter': 'Content-Length: x2\r\n', 'inner blank': 'Content-Length: 2 2\r\n', 'empty': 'Content-Length:\r\n',
    'blank': 'Content-Length: \r\n', 'quoted': 'Content-Length: "2"\r\n', 'over 2^63': 'Content-Length: 9223372036854775808\r\n', 'over 2^64': 'Content-Length: 18446744073709551618\r\n',
    'forty digits': `Content-Length: ${'9'.repeat(40)}\r\n`, 'semicolon': 'Content-Length: 2;\r\n', 'underscore': 'Content-Length: 1_0\r\n', 'full-width digit': 'Content-Length: \xef\xbc\x92\r\n',
    'vertical tab': 'Content-Length: \x0b2\r\n', 'other case twice': 'content-length: 2\r\nCONTENT-LENGTH: 2\r\n', 'NUL': 'Content-Length: 2\x00\r\n',
    'with chunked in another case': 'content-length: 2\r\ntransfer-encoding: CHUNKED\r\n',
  };
  for (const [name, headers] of Object.entries(cases)) await refusedRaw(post(headers, '{}'), name);
});

test('HT01 a length with leading zeros or blanks around is read as the number it is', async () => {
  const r = await s.raw(`${post('Content-Length:   002  \r\n', '{}')}${HEALTH}`, { answers: 2 });
  const statuses = r.answers.map((a) => a.status);
  assert.ok(JSON.stringify(statuses) === '[200,200]' || JSON.stringify(statuses) === '[400]', statuses.join());
});

test('HT02 Transfer-Encoding is exactly chunked, once, and HTTP/1.1', async () => {
  const chunks = '2\r\n{}\r\n0\r\n\r\n';
  const cases = {
    'gzip': 'gzip', 'gzip, chunked': 'gzip, chunked', 'chunked, gzip': 'chunked, gzip', 'chunked twice': 'chunked, chunked', 'identity': 'identity', 'chunked, identity': 'chunked, identity',
    'xchunked': 'xchunked', 'chunked;q=1': 'chunked;q=1', 'quoted': '"chunked"', 'empty': '', 'vertical tab': '\x0bchunked', 'chunk ed': 'chunk ed', 'comma': ',chunked', 'x, chunked': 'x, chunked', 'NUL': 'chunked\x00',
  };
  for (const [name, value] of Object.entries(cases)) await refusedRaw(post(`Transfer-Encoding: ${value}\r\n`, chunks), name);
  await refusedRaw(post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', chunks), 'two fields');
  await refusedRaw(post('Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n', chunks), 'two different fields');
  await refusedRaw('POST /auth/logout HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n' + chunks, 'HTTP/1.0');
});

test('HT02 chunks are strict: sizes, extensions, line ends', async () => {
  const chunked = (body) => post('Transfer-Encoding: chunked\r\n', body);
  const good = await s.raw(`${chunked('1;ext=1\r\n{\r\n1\r\n}\r\n0\r\nX-Trailer: dropped\r\n\r\n')}${HEALTH}`, { answers: 2 });
  assert.deepEqual(good.answers.map((a) => a.status), [200, 200]);
  const bad = {
    'no size': '\r\n{}\r\n0\r\n\r\n', 'letter': 'g\r\n{}\r\n0\r\n\r\n', 'minus': '-2\r\n{}\r\n0\r\n\r\n', 'plus': '+2\r\n{}\r\n0\r\n\r\n', '0x2': '0x2\r\n{}\r\n0\r\n\r\n', 'blank before': ' 2\r\n{}\r\n0\r\n\r\n',
    'seventeen digits': '00000000000000002\r\n{}\r\n0\r\n\r\n', '2^64': '10000000000000002\r\n{}\r\n0\r\n\r\n', 'bare LF after size': '2\n{}\r\n0\r\n\r\n', 'bare LF after data': '2\r\n{}\n0\r\n\r\n', 'data too long': '2\r\n{}}\r\n0\r\n\r\n', 'data too short': '3\r\n{}\r\n0\r\n\r\n', 'bare CR in extension': '2;a\rb\r\n{}\r\n0\r\n\r\n',
    'bare LF in extension': '2;a\nb\r\n{}\r\n0\r\n\r\n', 'long extension': `2;${'a'.repeat(300)}\r\n{}\r\n0\r\n\r\n`, 'bare LF at the end': '2\r\n{}\r\n0\r\n\n',
    'bad trailer': '2\r\n{}\r\n0\r\nbad trailer\r\n\r\n', 'NUL in size': '2\x00\r\n{}\r\n0\r\n\r\n', 'trailer with NUL': '2\r\n{}\r\n0\r\nA: \x00\r\n\r\n',
  };
  for (const [name, body] of Object.entries(bad)) await refusedRaw(chunked(body), name);
});

test('HT03 line ends, names and characters that no two readers agree about are 400', async () => {
  const get = (head) => `GET /healthz HTTP/1.1\r\n${head}\r\n`;
  const cases = {
    'bare LF': 'GET /healthz HTTP/1.1\nHost: x\n\n', 'bare LF after a field': get('Host: x\nA: b\r\n'), 'bare CR': get('Host: x\rA: b\r\n'), 'CR CR LF': get('Host: x\r\r\n'), 'obs-fold': get('Host: x\r\nA: b\r\n c\r\n'), 'tab fold': get('Host: x\r\n\tc\r\n'),
    'fold of the first': get(' Host: x\r\n'), 'blank before colon': get('Host : x\r\n'), 'tab before colon': get('Host\t: x\r\n'), 'blank in name': get('Host: x\r\nA B: c\r\n'), 'no colon': get('Host: x\r\nABC\r\n'),
    'empty name': get('Host: x\r\n: c\r\n'), 'NUL in name': get('Host: x\r\nA\x00B: c\r\n'), 'NUL in value': get('Host: x\r\nA: b\x00c\r\n'), 'control in value': get('Host: x\r\nA: b\x01c\r\n'), 'escape in value': get('Host: x\r\nA: \x1b[0m\r\n'), 'DEL in value': get('Host: x\r\nA: \x7f\r\n'),
    'parenthesis in name': get('Host: x\r\nA(b): c\r\n'), 'umlaut in name': get('Host: x\r\n\xc4: c\r\n'), 'at in name': get('Host: x\r\nA@: c\r\n'), 'brace in method': 'G{T /healthz HTTP/1.1\r\nHost: x\r\n\r\n', 'colon in method': 'GET: /healthz HTTP/1.1\r\nHost: x\r\n\r\n',
    'two blanks': 'GET  /healthz HTTP/1.1\r\nHost: x\r\n\r\n', 'tab': 'GET\t/healthz HTTP/1.1\r\nHost: x\r\n\r\n', 'blank before the method': ' GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n', 'blank at the end': 'GET /healthz HTTP/1.1 \r\nHost: x\r\n\r\n', 'no version': 'GET /healthz\r\nHost: x\r\n\r\n',
    'HTTP/2.0': 'GET /healthz HTTP/2.0\r\nHost: x\r\n\r\n', 'HTTP/1.2': 'GET /healthz HTTP/1.2\r\nHost: x\r\n\r\n', 'HTTP/1.10': 'GET /healthz HTTP/1.10\r\nHost: x\r\n\r\n', 'http/1.1': 'GET /healthz http/1.1\r\nHost: x\r\n\r\n', 'HTTP/01.1': 'GET /healthz HTTP/01.1\r\nHost: x\r\n\r\n', 'HTTP/0.9': 'GET /healthz HTTP/0.9\r\nHost: x\r\n\r\n',
    'h2 preface': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'TLS hello': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'long method': `${'A'.repeat(40)} /healthz HTTP/1.1\r\nHost: x\r\n\r\n`, 'empty method': ' /healthz HTTP/1.1\r\nHost: x\r\n\r\n',
  };
  for (const [name, bytes] of Object.entries(cases)) await refusedRaw(bytes, name);
});

test('HT04 exactly one Host', async () => {
  await refusedRaw('GET /healthz HTTP/1.1\r\n\r\n', 'none');
  await refusedRaw('GET /healthz HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', 'two equal');
  await refusedRaw('GET /healthz HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n', 'two different');
  await refusedRaw('GET http://a/healthz HTTP/1.1\r\nHost: b\r\n\r\n', 'absolute form that disagrees', [400, 421]);
});

test('HT04 what the client calls the server changes nothing that is said', async () => {
  const login = async (host) => {
    const body = JSON.stringify({ email: user.email, password: user.password });
    const r = await s.raw(`POST /auth/login HTTP/1.1\r\nHost: ${host}\r\nX-Forwarded-Host: ${host}\r\nContent-Type: application/json\r\nX-Auth-Strategy: bearer\r\nContent-Length: ${body.length}\r\n\r\n${body}`, { answers: 1 });
    return r.answers[0];
  };
  const r = await login('evil.example');
  assert.ok([200, 400, 421].includes(r.status));
  if (r.status === 200) assert.ok(!Buffer.from(JSON.parse(r.body).accessToken.split('.')[1], 'base64url').includes('evil.example'));
});

/* ---- paths ---- */

const rawRequest = (method, path, headers = '') => `${method} ${path} HTTP/1.1\r\nHost: x\r\n${headers}${['POST', 'PATCH'].includes(method) ? 'Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}' : '\r\n'}`;

/* Ways to write a path that some reader in front might take for the path itself. */
function disguises(path) {
  const tail = path.slice(1), [head, ...rest] = tail.split('/'), last = rest.join('/');
  const enc = (c) => `%${c.charCodeAt(0).toString(16)}`;
  return [`/${path}`, `//${tail}`, `/./${tail}`, `/x/../${tail}`, `/${head}//${last}`, `/${head}/./${last}`, `/${head}/x/../${last}`, `/${head};a=b/${last}`, `${path};x=1`, `${path}/.`, `${path}/..`, `${path}//`,
    `${path}%00`, `${path}%20`, `${path}%0a`, `${path}%0d%0a`, `${path}%2f`, `${path}%3f`, `${path}%23`, `${path}%5c`, `${path}%ff`, `${path}%c0%af`, `${path}%2e`, `/${head}%2f${last}`, `/${head}%5c${last}`, `/${head}\\${last}`,
    `/%2e/${tail}`, `/%2e%2e/${tail}`, `/x/%2e%2e/${tail}`, `/x/.%2e/${tail}`, `/${enc(tail[0])}${tail.slice(1)}`, `/${head}/${enc(last[0] ?? 'x')}${last.slice(1)}`, `/%252e%252e/${tail}`, `${path}.json`, `${path}.`, `${path}/x`, `${path}/index.html`,
    `${path}%`, `${path}%4`, `${path}%zz`, `${path}\x80`, `${path}\xe2\x80\xa8`, `${path}#`, `${path}#x`, `/${head}/${last}\t`, `${path}~`, `${path}*`, `/${head}%2F${last}`, `..${path}`, `.${path}`, tail, `\\${tail}`];
}

test('HT05 no spelling of a protected path gets past its authorisation', async () => {
  for (const route of routes.filter((r) => !['PUBLIC', 'SIGN_IN', 'SESSION', 'GUEST'].includes(r.auth))) {
    const path = examplePath(route);
    for (const spelling of [path, `${path}/`, path.toUpperCase(), `${path}?x=1`, `${path}?${path}`, ...disguises(path)]) {
      const r = await s.raw(rawRequest(route.method, spelling), { answers: 1 });
      const got = r.answers.map((a) => a.status);
      assert.equal(got.length, 1, `${route.method} ${JSON.stringify(spelling)}: ${r.bytes.toString('latin1').slice(0, 200)}`);
      assert.ok([400, 401, 403, 404, 405].includes(got[0]), `${route.method} ${JSON.stringify(spelling)} -> ${got}`);
    }
  }
});

test('HT05 with a token only the path itself, a trailing slash, other case and a query are the route', async () => {
  const auth = `Authorization: Bearer ${user.accessToken}\r\n`;
  for (const spelling of ['/auth/me', '/auth/me/', '/AUTH/ME', '/Auth/Me/', '/auth/me?x=1', '/auth/me/?a=b&c'])
    assert.equal((await s.raw(rawRequest('GET', spelling, auth), { answers: 1 })).answers[0].status, 200, spelling);
  for (const spelling of disguises('/auth/me')) {
    const [a] = (await s.raw(rawRequest('GET', spelling, auth), { answers: 1 })).answers;
    assert.ok([400, 404].includes(a.status), `${JSON.stringify(spelling)} -> ${a.status}`);
  }
});

test('HT05 the absolute form and the asterisk are no way around', async () => {
  for (const target of ['http://x/auth/me', 'https://x/auth/me', 'http://x:80/auth/me', '*', 'x:443', 'x/auth/me', '', '?', '#']) {
    const [a] = (await s.raw(rawRequest('GET', target), { answers: 1 })).answers;
    assert.ok([400, 403, 404].includes(a.status), `${target} -> ${a?.status}`);
  }
});

/* ---- authorisation ---- */

test('HT06 every route of the table answers nobody, users and administrators as its row says', async () => {
  const expected = {
    //        nobody               a bad token             a user                an administrator
    PUBLIC: [null, null, null, null],
    SIGN_IN: [null, null, null, null],
    SESSION: [null, null, null, null],
    MAYBE: ['NO_ACCESS_TOKEN', 'INVALID_ACCESS_TOKEN', null, null],
    GUEST: [null, null, null, null],
    USER: ['NO_ACCESS_TOKEN', 'INVALID_ACCESS_TOKEN', null, null],
    PROXY: ['INVALID_ACCESS_TOKEN', 'INVALID_ACCESS_TOKEN', null, null],
    BROWSER: ['INVALID_ACCESS_TOKEN', 'INVALID_ACCESS_TOKEN', null, null],
    SETUP: ['NO_ACCESS_TOKEN', 'INVALID_ACCESS_TOKEN', null, null],
    ADMIN: ['NO_ACCESS_TOKEN', 'INVALID_ACCESS_TOKEN', 'FORBIDDEN', null],
  };
  const refusals = ['NO_ACCESS_TOKEN', 'INVALID_ACCESS_TOKEN', 'FORBIDDEN'];
  for (const route of routes) {
    assert.ok(route.auth in expected, `${route.path}: AUTH_${route.auth} has no line here`);
    const outcome = [];
    const tokens = [undefined, 'junk', (await s.signIn(user)).accessToken, (await s.signIn(admin)).accessToken];
    s.advance(11 * MINUTE); // what asks again who is there does nothing
    for (const token of tokens) {
      const r = await s.request(route.method, examplePath(route), { token, json: route.body ? {} : undefined, strategy: 'bearer' });
      assert.ok(r.status < 500, r.text);
      const code = r.headers['content-type'].startsWith('application/json') ? r.json.code : undefined;
      outcome.push(refusals.includes(code) ? code : null);
    }
    const want = {
      '/auth/2fa/verify': Array(4).fill('INVALID_ACCESS_TOKEN'), // says so of a missing handle, whatever token comes along
      '/auth/link-request': [null, ...expected.MAYBE.slice(1)], // its own 401 comes after what is missing
    }[route.path] ?? expected[route.auth];
    assert.deepEqual(outcome, want, `${route.method} ${route.path}`);
  }
});

test('HT06 no write is a GET but the verification link of API clients and the way of a session to an application, and every write below the prefix is known to be public or guarded', () => {
  const publicWrites = routes.filter((r) => ['PUBLIC', 'SIGN_IN', 'SESSION', 'GUEST'].includes(r.auth) && r.method !== 'GET').map((r) => r.path).sort();
  assert.deepEqual(publicWrites, ['/auth/2fa/keep', '/auth/2fa/verify', '/auth/change-email/confirm', '/auth/change-email/revert', '/auth/claim', '/auth/forgot-password', '/auth/guest', '/auth/link-verify', '/auth/login', '/auth/logout', '/auth/magic-link/send', '/auth/magic-link/verify', '/auth/oauth/exchange', '/auth/oauth/{provider}/callback', '/auth/oauth/{provider}/token', '/auth/refresh', '/auth/register', '/auth/reset-password', '/auth/sms/send', '/auth/sms/verify', '/auth/verify-email']);
  const reads = routes.filter((r) => r.method === 'GET').map((r) => r.path).sort();
  assert.deepEqual(reads, ['/', '/.well-known/apple-app-site-association', '/.well-known/assetlinks.json', '/.well-known/jwks.json', '/auth/', '/auth/.well-known/jwks.json', '/auth/2fa', '/auth/2fa/keep', '/auth/account-conflict', '/auth/change-email/confirm', '/auth/change-email/revert', '/auth/check', '/auth/docs', '/auth/docs/{name}', '/auth/doctor', '/auth/export', '/auth/forward', '/auth/forward/done', '/auth/forward/sign-in', '/auth/link-verify', '/auth/linked-accounts', '/auth/magic-link/verify', '/auth/me', '/auth/oauth/{provider}', '/auth/oauth/{provider}/callback', '/auth/openapi.json', '/auth/reset-password', '/auth/sessions', '/auth/ui', '/auth/ui/config', '/auth/ui/{folder}/{name}', '/auth/ui/{name}', '/auth/verify-email', '/healthz', '/metrics', '/readyz']);
  for (const r of routes.filter((x) => x.method === 'GET')) assert.equal(r.body, null);
});

test('HT06 what Accept says changes no answer', async () => {
  for (const route of routes.filter((r) => !['PUBLIC', 'SIGN_IN', 'SESSION', 'GUEST'].includes(r.auth) && r.path !== '/auth/link-request'))
    for (const Accept of ['text/html', 'application/json', '*/*', 'garbage', '']) {
      const r = await s.request(route.method, examplePath(route), { headers: { Accept } });
      assert.ok([401, 403].includes(r.status), `${route.path} ${Accept}: ${r.status}`);
    }
});

/* ---- methods, routes, headers ---- */

test('an unknown route is 404 in JSON', async () => {
  for (const path of ['/', '/auth', '/auth/', '/auth/nope', '/me', '/authme', '/authx/me', '/auth/me/x', '/auth/sessions/', '/index.html', '/favicon.ico', '/docs', '/openapi.json', '/auth/docs', '/admin'].filter((p) => p !== '/auth/sessions/')) {
    const r = await s.get(path);
    assert.equal(r.status, 404, path);
    assert.deepEqual(r.json, { error: 'Not found', message: 'Not found', code: 'NOT_FOUND' });
  }
});

test('a known path with another method is 405 with Allow, also for methods nobody knows', async () => {
  const allow = { '/auth/login': 'POST', '/auth/me': 'GET, HEAD', '/auth/profile': 'PATCH', '/auth/sessions': 'GET, HEAD', '/healthz': 'GET, HEAD' };
  for (const [path, want] of Object.entries(allow)) {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'BREW'].filter((m) => !want.split(', ').includes(m))) {
      const [r] = (await s.raw(rawRequest(method, path), { answers: 1 })).answers;
      assert.equal(r.status, 405, `${method} ${path}`);
      assert.equal(r.headers.allow, want);
      assert.equal(JSON.parse(r.body).code, 'METHOD_NOT_ALLOWED');
    }
  }
  // DELETE and POST have rows of their own below /sessions.
  const r = await s.get('/auth/sessions/cleanup');
  assert.equal(r.status, 405);
  assert.deepEqual(r.headers.allow.split(', ').sort(), ['DELETE', 'POST']);
});

test('OPTIONS lists the methods, CONNECT and TRACE do nothing', async () => {
  const r = await s.request('OPTIONS', '/auth/me');
  assert.equal(r.status, 204);
  assert.equal(r.headers.allow, 'GET, HEAD');
  assert.equal(r.headers['access-control-allow-origin'], undefined);
  for (const line of ['CONNECT x:443 HTTP/1.1', 'TRACE /auth/me HTTP/1.1', 'TRACK /auth/me HTTP/1.1']) {
    const [a] = (await s.raw(`${line}\r\nHost: x\r\nX-Canary: canary\r\n\r\n`, { answers: 1 })).answers;
    assert.ok([400, 404, 405, 501].includes(a.status), line);
    assert.ok(!a.body.includes('canary'));
  }
});

test('HEAD is answered like GET, without the body', async () => {
  for (const path of ['/healthz', '/.well-known/jwks.json', '/auth/me', '/nope']) {
    const get = await s.get(path), head = await s.request('HEAD', path);
    assert.equal(head.status, get.status);
    assert.equal(head.body.length, 0);
    assert.equal(head.headers['content-length'], get.headers['content-length']);
    assert.equal(head.headers['content-type'], get.headers['content-type']);
  }
});

test('every answer carries its own request id; one that a client sends is not taken', async () => {
  const ids = new Set();
  for (let i = 0; i < 50; i++) ids.add((await s.get('/healthz', { headers: { 'X-Request-Id': '00000000000000000000000000' } })).headers['x-request-id']);
  assert.equal(ids.size, 50);
  assert.ok(!ids.has('00000000000000000000000000'));
});

test('answers of every kind say no-store, nosniff and their type', async () => {
  // checkAnswer() looks at each of these; here is one of every status.
  const { accessToken } = await s.signIn(user);
  const seen = [await s.get('/healthz'), await s.get('/nope'), await s.get('/auth/me'), await s.me('junk'), await s.me(accessToken), await s.request('PUT', '/auth/login'),
    await s.post('/auth/login', {}, { strategy: 'bearer' }), await s.post('/auth/register', {}), await s.request('POST', '/auth/login', { body: 'x', headers: { 'Content-Type': 'text/plain' } })];
  assert.deepEqual(seen.map((r) => r.status), [200, 404, 403, 401, 200, 405, 401, 400, 415]);
  for (const r of seen) {
    assert.equal(r.headers['cache-control'], 'no-store');
    assert.equal(r.headers['content-type'], 'application/json; charset=utf-8');
    assert.ok(r.headers['referrer-policy']);
    assert.ok(r.headers['cross-origin-resource-policy']);
  }
});

test('security-relevant headers may come once only', async () => {
  for (const pair of ['Authorization: Bearer a\r\nAuthorization: Bearer b\r\n', 'Authorization: Bearer a\r\nauthorization: Bearer a\r\n', 'X-Auth-Strategy: bearer\r\nX-Auth-Strategy: cookie\r\n'])
    await refusedRaw(`GET /auth/me HTTP/1.1\r\nHost: x\r\n${pair}\r\n`, pair);
  await refusedRaw(`POST /auth/logout HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}`, 'Content-Type');
});

test('a head beyond its limits is 431, a target beyond its limits 414', async () => {
  await refusedRaw(`GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(20_000)}\r\n\r\n`, 'long field', [431]);
  await refusedRaw(`GET /healthz HTTP/1.1\r\nHost: x\r\n${Array.from({ length: 100 }, (_, i) => `X-${i}: a\r\n`).join('')}\r\n`, 'many fields', [431]);
  await refusedRaw(`GET /${'a'.repeat(7000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 'long target', [414]);
  await refusedRaw(`GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 'very long target', [414, 431]);
  const r = await s.get(`/${'a'.repeat(3000)}`);
  assert.deepEqual([r.status, r.json.code], [414, 'URI_TOO_LONG']);
});

test('HT12 sizes at the edges of integers are counted right', async () => {
  for (const n of [2n ** 31n - 1n, 2n ** 31n, 2n ** 31n + 1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 32n + 1n, 2n ** 32n + 2n, 2n ** 53n, 10n ** 17n]) {
    await refusedRaw(post(`Content-Length: ${n}\r\n`), `Content-Length ${n}`, [413], { follow: false });
  }
  // The size line of a chunk promises that much; what counts is what comes.
  for (const size of ['7fffffff', 'ffffffff', '100000000', '7fffffffffffffff', '8000000000000000', 'ffffffffffffffff', 'fffffffffffffffe'])
    await refusedRaw(post('Transfer-Encoding: chunked\r\n', `1\r\n{\r\n${size}\r\n${'x'.repeat(70_000)}`), `chunk ${size}`, [413], { follow: false });
  for (const n of [2n ** 63n - 1n, 2n ** 63n, 2n ** 63n + 1n, 2n ** 64n - 1n, 2n ** 64n, 2n ** 64n + 2n]) await refusedRaw(post(`Content-Length: ${n}\r\n`, '{}'), `Content-Length ${n}`, [400, 413]);
  const ok = await s.raw(`${post('Content-Length: 0\r\n')}${post('Content-Length: 2\r\n', '{}')}${HEALTH}`, { answers: 3 });
  assert.deepEqual(ok.answers.map((a) => a.status), [200, 200, 200]);
});

test('requests sent ahead are answered in order; after a refused one nothing is run', async () => {
  const r = await s.raw(HEALTH.repeat(5), { answers: 5 });
  assert.deepEqual(r.answers.map((a) => a.status), [200, 200, 200, 200, 200]);
  const u = await s.signedIn();
  await s.raw(`${HEALTH}GET /healthz HTTP/1.1\r\nHost : x\r\n\r\nPOST /auth/logout HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${u.accessToken}\r\nContent-Length: 0\r\n\r\n`);
  assert.equal((await s.me(u.accessToken)).status, 200, 'the sign-out behind the bad head was not run');
});

test('a request may come one byte at a time', async () => {
  const bytes = Buffer.from(post('Content-Length: 2\r\n', '{}'));
  const socket = net.connect(s.target.port, s.target.host).setNoDelay();
  let got = '';
  socket.on('data', (d) => (got += d));
  for (const b of bytes) {
    socket.write(Buffer.from([b]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => got.includes('\r\n\r\n'), 'the answer');
  assert.match(got, /^HTTP\/1\.1 200 /);
  socket.destroy();
});

test('Expect: 100-continue is honoured, other expectations are 417', async () => {
  const r = await s.raw(`${post('Expect: 100-continue\r\nContent-Length: 2\r\n', '{}')}`, { answers: 1 });
  assert.deepEqual(r.answers.map((a) => a.status).filter((x) => x !== 100), [200]);
  const [bad] = (await s.raw(post('Expect: the-unexpected\r\nContent-Length: 2\r\n', '{}'), { answers: 1 })).answers;
  assert.equal(bad.status, 417);
});

test('Upgrade is not followed', async () => {
  for (const headers of ['Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n', 'Connection: Upgrade\r\nUpgrade: websocket\r\n']) {
    const [a] = (await s.raw(`GET /auth/me HTTP/1.1\r\nHost: x\r\n${headers}\r\n`, { answers: 1 })).answers;
    assert.ok([400, 403].includes(a.status), `${a.status}`);
  }
});

test('who is too slow with a head or a body is cut off', async () => {
  const start = Date.now();
  const [head, body] = await Promise.all([s.raw('GET /healthz HTTP/1.1\r\nHos', { patience: 30_000 }), s.raw(post('Content-Length: 20\r\n', '{'), { patience: 30_000 })]);
  assert.ok(head.closed && body.closed);
  assert.ok(Date.now() - start >= 1500, 'not before its time');
  for (const r of [head, body]) if (r.answers.length > 0) assert.equal(r.answers[0].status, 408);
});

test('connections of one address are capped, and the server lives on', async (t) => {
  const small = await Server.start({ env: { SALLYPORT_SERVER_MAX_CONNECTIONS_PER_IP: '8' } });
  t.after(() => small.close());
  const sockets = await Promise.all(Array.from({ length: 20 }, () => new Promise((resolve) => {
    const socket = net.connect(small.target.port, small.target.host);
    const end = { open: true };
    socket.on('close', () => (end.open = false)).on('error', () => {}).on('data', () => {});
    socket.on('connect', () => resolve({ socket, end }));
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
  })));
  await until(() => sockets.filter((x) => x.end.open).length <= 8, 'the surplus to be closed');
  for (const { socket } of sockets) socket.destroy();
  await until(() => small.get('/healthz').then((r) => r.status === 200, () => false), 'room again');
});

/* So many connections to `of` that have sent something while it slept, and so are all ready at once. */
async function readyAtOnce(of, n, bytes) {
  const all = await Promise.all(Array.from({ length: n }, () => new Promise((resolve, reject) => {
    const c = net.connect(of.target.port, of.target.host, () => resolve(c)).on('error', reject);
  })));
  await until(async () => (await of.metric('connections_open')) > n, 'all connections to be there'); // and the one that asks
  process.kill(of.child.pid, 'SIGSTOP');
  const answers = all.map((c) => new Promise((resolve) => c.once('data', resolve).once('close', resolve)));
  await Promise.all(all.map((c) => new Promise((sent) => c.write(bytes, sent))));
  const from = Date.now();
  process.kill(of.child.pid, 'SIGCONT');
  await Promise.all(answers);
  for (const c of all) c.destroy();
  return Date.now() - from;
}

test('however many connections are ready at once, none of them waits for another event', async (t) => {
  const one = await Server.start({ env: { SALLYPORT_SERVER_IO_THREADS: '1' } });
  t.after(() => one.close());
  // The loop takes 128 events at a time. An array just full made it wait: ten seconds, or for ever.
  for (const n of [127, 128, 129, 256]) {
    const took = await readyAtOnce(one, n, HEALTH);
    assert.ok(took < 5000, `${n} connections: ${took} ms`);
  }
});

test('who sent part of a request and closed frees the place at once', async (t) => {
  const slow = await Server.start({ env: { SALLYPORT_SERVER_HEAD_TIMEOUT: '60s', SALLYPORT_SERVER_BODY_TIMEOUT: '60s' } });
  t.after(() => slow.close());
  const parts = ['P', 'POST /auth/login HTTP/1.1\r\nHost: x\r\n', post('Content-Length: 100\r\n', '{"a'), post('Transfer-Encoding: chunked\r\n', '5\r\n{"a')];
  for (const part of [...parts, HEALTH, HEALTH + parts[1]]) {
    for (let i = 0; i < 5; i++) {
      const c = net.connect(slow.target.port, slow.target.host);
      c.on('error', () => {}).on('data', () => {});
      c.end(part); // bytes and end in one go
    }
    await until(async () => (await slow.metric('connections_open')) === 1, `the places of those who sent ${JSON.stringify(part)}`, 15_000);
  }
});

test('a trusted proxy may keep an idle connection for longer than other clients', async (t) => {
  const start = (trusted) => Server.start({ env: { SALLYPORT_SERVER_IDLE_TIMEOUT: '500ms', SALLYPORT_SERVER_PROXY_IDLE_TIMEOUT: '5m', ...(trusted ? { SALLYPORT_SERVER_TRUSTED_PROXIES: '127.0.0.1' } : {}) } });
  const servers = { client: await start(false), proxy: await start(true) };
  t.after(() => Promise.all(Object.values(servers).map((x) => x.close())));
  const idle = Object.fromEntries(Object.entries(servers).map(([name, x]) => [name, net.connect(x.target.port, x.target.host)]));
  for (const c of Object.values(idle)) await new Promise((resolve) => c.once('data', resolve).write(HEALTH));
  await new Promise((resolve) => idle.client.once('close', resolve));
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const again = new Promise((resolve) => idle.proxy.once('data', resolve).once('close', () => resolve('')));
  idle.proxy.write(HEALTH);
  assert.match(String(await again), /^HTTP\/1\.1 200 /);
  idle.proxy.destroy();
});

test('random bytes never bring it down', async () => {
  let seed = 7;
  const random = (n) => ((seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 8) % n;
  const starts = ['', 'GET ', 'POST /auth/login HTTP/1.1\r\n', HEALTH.slice(0, -2), post('Transfer-Encoding: chunked\r\n')];
  const all = Array.from({ length: 60 }, (_, i) => rawExchange(s.target, Buffer.concat([Buffer.from(starts[i % starts.length]), Buffer.from(Array.from({ length: 200 }, () => random(256)))]), { halfClose: true }));
  for (const r of await Promise.all(all)) for (const a of r.answers) assert.ok(a.status < 500, `${a.status}`);
  assert.equal((await s.get('/healthz')).status, 200);
});

test('HT04 with server.hosts set the API answers for those names only', async () => {
  const named = await Server.start({ env: { SALLYPORT_SERVER_HOSTS: 'auth.example.test,localhost' } });
  try {
    const rows = [
      ['/auth/me', 'auth.example.test', 403], ['/auth/me', 'AUTH.example.test:443', 403],
      ['/auth/me', 'evil.test', 421], ['/auth/me', 'auth.example.test.evil.test', 421],
      ['/healthz', '10.0.0.7', 200],
    ];
    for (const [path, host, status] of rows) {
      const r = await named.raw(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      assert.equal(r.answers[0].status, status, `${path} at ${host}`);
      if (status === 421) assert.equal(JSON.parse(r.answers[0].body).code, 'MISDIRECTED');
    }
  } finally {
    await named.close();
  }
});
