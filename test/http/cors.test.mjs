// cors.test.mjs — which pages of other origins may call.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server } from '../lib/server.mjs';
import { Browser } from '../lib/web.mjs';
import { examplePath, routes } from '../lib/routes.mjs';

const APP = 'https://app.example.test', OTHER = 'capacitor://localhost';
let s;

before(async () => (s = await Server.start({ env: { SALLYPORT_CORS_ORIGINS: `${APP},${OTHER}` } })));
after(() => s.close());

const OURS = 'Content-Type,Authorization,X-CSRF-Token,X-Api-Key,X-Auth-Strategy,Accept';
const TRACING = ['traceparent', 'tracestate', 'baggage', 'sentry-trace', 'b3', 'x-b3-traceid', 'x-b3-spanid', 'x-b3-parentspanid', 'x-b3-sampled', 'x-b3-flags', 'x-request-id', 'x-correlation-id', 'x-requested-with'];
const cors = (r) => Object.fromEntries(Object.entries(r.headers).filter(([k]) => k.startsWith('access-control-')));
const ALLOWED = (origin) => ({ 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true', 'access-control-expose-headers': 'Retry-After, WWW-Authenticate, X-CSRF-Token, X-Request-Id' });

test('WB05 a listed origin is allowed by name, on every route and every answer', async () => {
  for (const route of routes.filter((r) => r.place === 'PREFIX' && r.handler !== 'api_jwks'))
    for (const origin of [APP, OTHER]) {
      const r = await s.request(route.method, examplePath(route), { headers: { Origin: origin }, json: route.body ? {} : undefined });
      assert.deepEqual(cors(r), ALLOWED(origin), `${route.path} -> ${r.status}`);
      assert.match(r.headers.vary, /\bOrigin\b/);
    }
  assert.deepEqual(cors(await s.get('/auth/nope', { headers: { Origin: APP } })), ALLOWED(APP));
});

test('WB05 nobody else is: a longer name, the http twin, a port, a path, null, another case, nothing', async () => {
  for (const origin of [`${APP}.evil`, 'https://xapp.example.test', 'http://app.example.test', `${APP}:8443`, `${APP}/`, 'null', 'https://APP.example.test', '*', 'https://auth.example.test', undefined]) {
    const r = await s.get('/auth/me', { headers: origin === undefined ? {} : { Origin: origin } });
    assert.deepEqual(cors(r), {}, String(origin));
    assert.match(r.headers.vary, /\bOrigin\b/, 'caches keep them apart');
  }
});

test('WB06 the question before a call is answered at once, for any path, with every header that clients send', async () => {
  for (const path of ['/auth/login', '/auth/me', '/auth/no/such/path', '/AUTH/login']) {
    const r = await s.request('OPTIONS', path, { headers: { Origin: APP, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'x-auth-strategy' } });
    assert.equal(r.status, 204, path);
    assert.deepEqual(cors(r), { ...ALLOWED(APP), 'access-control-allow-methods': 'GET,POST,PUT,PATCH,DELETE,OPTIONS',
      'access-control-allow-headers': `${OURS},${TRACING.join()}`, 'access-control-max-age': '600' });
    const no = await s.request('OPTIONS', path, { headers: { Origin: 'https://evil.test' } });
    assert.deepEqual([no.status, cors(no)], [204, {}]);
  }
});

test('WB03 a page of a listed origin, which cannot read our cookie, is told the value; nobody else is', async () => {
  const b = await Browser.signedIn(s), headers = { Origin: APP, 'Sec-Fetch-Site': 'cross-site' };
  const told = await b.request('GET', '/auth/me', { headers });
  assert.equal(told.headers['x-csrf-token'], b.get('csrf-token'));
  assert.equal((await b.request('PATCH', '/auth/profile', { json: { firstName: 'x' }, headers, csrf: told.headers['x-csrf-token'] })).status, 200);
  b.jar.delete('__Host-csrf-token');
  assert.equal((await b.request('GET', '/auth/me', { headers })).headers['x-csrf-token'], b.get('csrf-token'));
  for (const origin of ['https://evil.test', 'https://auth.example.test', 'null']) assert.equal((await b.request('GET', '/auth/me', { headers: { ...headers, Origin: origin } })).headers['x-csrf-token'], undefined);
});

test('WB05 keys are for everybody, without credentials', async () => {
  for (const path of ['/.well-known/jwks.json', '/auth/.well-known/jwks.json']) assert.deepEqual(cors(await s.get(path, { headers: { Origin: APP } })), { 'access-control-allow-origin': '*' });
});

test('without a list no answer speaks of other origins', async (t) => {
  const none = await Server.start();
  t.after(() => none.close());
  for (const method of ['GET', 'OPTIONS']) {
    const r = await none.request(method, '/auth/me', { headers: { Origin: APP } });
    assert.deepEqual([cors(r), r.headers.vary], [{}, undefined]);
  }
});

test('WB06 other headers can be listed, and names only', async (t) => {
  const own = await Server.start({ env: { SALLYPORT_CORS_ORIGINS: APP, SALLYPORT_CORS_HEADERS: 'X-My-App, x-trace' } });
  t.after(() => own.close());
  const r = await own.request('OPTIONS', '/auth/login', { headers: { Origin: APP, 'Access-Control-Request-Method': 'POST' } });
  assert.equal(r.headers['access-control-allow-headers'], `${OURS},X-My-App,x-trace`);
  for (const bad of ['*', 'x y', 'x:y', 'x\r\ny', 'x(y)', 'x'.repeat(65)]) assert.equal((await own.cli(['check-config'], { env: { SALLYPORT_CORS_HEADERS: bad } })).code, 3, bad);
});

test('WB05 what is refused before there is a handler is told to pages of listed origins too, and to no other', async (t) => {
  const small = await Server.start({ env: { SALLYPORT_CORS_ORIGINS: APP, SALLYPORT_SERVER_WORKERS: '1', SALLYPORT_SERVER_QUEUE_MAX: '1' } });
  t.after(() => small.close());
  const head = (origin, more = '') => `POST /auth/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Auth-Strategy: bearer\r\nOrigin: ${origin}\r\nContent-Type: application/json\r\n${more}`;
  const raw = async (bytes) => (await small.raw(bytes)).answers[0];
  const early = {
    413: (o) => raw(head(o, 'Content-Length: 10000000\r\n\r\n')), 431: (o) => raw(head(o, `X-Long: ${'x'.repeat(9000)}\r\n\r\n`)), 400: (o) => raw(head(o, 'Bad Name: x\r\n\r\n')), 417: (o) => raw(head(o, 'Expect: x\r\nContent-Length: 2\r\n\r\n{}')),
    415: (o) => raw(head(o, 'Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}')), 404: (o) => raw(`GET /auth/nope HTTP/1.1\r\nHost: x\r\nConnection: close\r\nOrigin: ${o}\r\n\r\n`),
  };
  for (const [status, ask] of Object.entries(early)) {
    const told = await ask(APP), other = await ask('https://evil.test');
    assert.deepEqual([told.status, cors(told)], [Number(status), ALLOWED(APP)]);
    assert.deepEqual([other.status, cors(other)], [Number(status), {}]);
    assert.match(other.headers.vary, /Origin/);
  }
  const { refreshToken } = await small.signedIn();
  small.control.set('STORE_STALL_MS', 300);
  const many = await Promise.all(Array.from({ length: 12 }, () => small.refresh(refreshToken, { headers: { Origin: APP } })));
  small.control.calm();
  const full = many.filter((r) => r.status === 503);
  assert.ok(full.length > 0, 'a queue was full');
  for (const r of full) assert.deepEqual(cors(r), ALLOWED(APP));
});

test('the settings take origins only', async () => {
  for (const bad of ['*', 'null', 'https://app.example.test/', 'https://app.example.test/x', 'app.example.test', 'HTTPS://app.example.test', 'https://*.example.test', 'javascript://x', 'https://a@b.test'])
    assert.notEqual((await s.cli(['check-config'], { env: { SALLYPORT_CORS_ORIGINS: bad } })).code, 0, bad);
});
