// proxy.test.mjs — the samples of contrib/ for reverse proxies, started as they stand there but for names and ports:
// the API and its pages behind them, and an application that only signed-in users reach.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import YAML from 'yaml';
import { send } from '../lib/http.mjs';
import { source } from '../lib/paths.mjs';
import { application, skipWithout, startProxy } from '../lib/proxies.mjs';
import { freshEmail, freshPassword, Server } from '../lib/server.mjs';

/* Returns what sends a request to a host behind the proxy. */
async function proxied(t, program) {
  const s = await Server.start({ env: { SALLYPORT_SERVER_TRUSTED_PROXIES: '127.0.0.1', SALLYPORT_SERVER_HOSTS: 'auth.example.com', SALLYPORT_FORWARD_HOSTS: 'app.example.com', SALLYPORT_SERVER_PUBLIC_URL: 'https://auth.example.com' } });
  t.after(() => s.close());
  const app = await application();
  t.after(() => app.close());
  const ask = (host, method, where, { headers = {}, json } = {}, at = proxy.port) => {
    const body = json === undefined ? undefined : JSON.stringify(json);
    const all = { Host: host, ...(body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }), ...headers };
    return send({ host: '127.0.0.1', port: at }, method, where, { headers: all, body });
  };
  const proxy = await startProxy(program, { sallyport: s.target.port, app: app.address().port }, async (port) => (await ask('auth.example.com', 'GET', '/auth/ui/config', {}, port)).status === 200);
  t.after(() => proxy.close());
  return { s, ask };
}

async function checkAll({ s, ask }) {
  const auth = (method, where, options) => ask('auth.example.com', method, where, options);
  const page = await auth('GET', '/auth/ui/login', { headers: { Accept: 'text/html' } });
  assert.equal(page.status, 200);
  assert.match(page.headers['content-security-policy'], /script-src 'nonce-/);
  for (const [, file] of page.text.matchAll(/(?:src|href)="(\/auth\/ui\/[^"]+\?v=[^"]+)"/g)) {
    const r = await auth('GET', file);
    assert.deepEqual([r.status, r.headers['cache-control']], [200, 'public, max-age=31536000, immutable'], file);
    assert.equal((await auth('GET', file, { headers: { 'If-None-Match': r.headers.etag } })).status, 304, file);
  }
  const moved = await auth('GET', '/auth/reset-password?token=x', { headers: { Accept: 'text/html' } });
  assert.deepEqual([moved.status, moved.headers.location], [302, '/auth/ui/reset-password?token=x']);

  const user = { email: freshEmail(), password: freshPassword() };
  assert.equal((await auth('POST', '/auth/register', { json: user })).status, 201);
  const login = await auth('POST', '/auth/login', { json: user, headers: { 'X-Auth-Strategy': 'bearer', 'X-Forwarded-For': '203.0.113.66', 'User-Agent': 'Dart/3.5 (dart:io)' } });
  assert.equal(login.status, 200, login.text);
  s.note(user.password, login.json.accessToken);
  assert.equal((await s.logged(login)).ip, '127.0.0.1', 'the client of the proxy, not what it claims');
  assert.equal((await auth('GET', '/.well-known/jwks.json')).status, 200);
  for (const where of ['/metrics', '/readyz', '/healthz', '/', '/nope']) assert.equal((await auth('GET', where)).status, 404, where);

  const app = (headers) => ask('app.example.com', 'GET', '/inside?x=1', { headers });
  const claims = { 'X-Auth-User-Id': 'me', 'X-Auth-Email': 'admin@example.test', 'X-Auth-Email-Verified': 'true', 'X-Auth-Role': 'admin' };
  for (const [name, value] of Object.entries(claims)) for (const spelt of [name.replaceAll('-', '_'), name.replace('-', '_'), name.replace('th-', 'th_')]) claims[spelt] = value; // the same to many applications
  assert.equal((await app(claims)).status, 401);
  assert.equal((await app({ ...claims, Authorization: 'Bearer junk' })).status, 401);
  const browser = { Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate' };
  const sent = await app({ ...claims, ...browser }), start = new URL(sent.headers.location);
  assert.deepEqual([sent.status, start.origin + start.pathname, start.searchParams.get('to')], [302, 'https://auth.example.com/auth/forward/sign-in', 'https://app.example.com/inside?x=1']);
  assert.match(sent.headers['set-cookie'][0], /^__Host-forward-browser=[\w-]{43};/);
  const claimed = await app({ ...browser, 'X-Forwarded-Host': 'evil.test', 'X-Forwarded-Uri': '/evil', 'X-Forwarded-Method': 'POST', 'X-Original-Method': 'POST' });
  assert.deepEqual([claimed.status, new URL(claimed.headers.location).searchParams.get('to')], [302, 'https://app.example.com/inside?x=1'], 'a client says nothing of where it is');
  for (const [what, headers] of [['a script', { Accept: 'application/json', 'Sec-Fetch-Mode': 'cors' }], ['a program', {}]])
    assert.deepEqual([(await app(headers)).status, (await app(headers)).json.code], [401, 'INVALID_ACCESS_TOKEN'], what);
  assert.equal((await ask('app.example.com', 'POST', '/inside', { headers: browser, json: {} })).status, 401, 'a form');
  const done = await ask('app.example.com', 'GET', '/auth/forward/done?ticket=x&to=/inside', { headers: browser });
  assert.deepEqual([done.status, done.json.code], [400, 'COOKIE_MISSING'], 'arrivals reach this server');

  const told = async () => {
    const inside = await app({ ...claims, Authorization: `Bearer ${login.json.accessToken}` });
    assert.equal(inside.status, 200, inside.text);
    assert.match(inside.json['x-auth-user-id'], /^[0-9a-f-]{36}$/);
    assert.deepEqual(Object.keys(inside.json).filter((name) => /^x[-_]auth/i.test(name) && name.includes('_')), [], 'a spelling with underscores got through');
    return ['email', 'email-verified', 'role'].map((name) => inside.json[`x-auth-${name}`] ?? '');
  };
  assert.deepEqual(await told(), ['', '', ''], 'what the answer does not have, no client can claim');
  await s.sql(`UPDATE user SET email_verified = 1, role = 'clerk' WHERE email = '${user.email}'`);
  await sleep(20); // what another process has written is seen after 10 ms
  assert.deepEqual(await told(), [user.email, 'true', 'clerk']);
}

for (const [program, file] of [['nginx', 'nginx.conf'], ['caddy', 'Caddyfile'], ['traefik', 'traefik.yml']])
  test(`contrib/${file} serves API and pages, and lets only signed-in users reach the application`, { skip: skipWithout(program) }, async (t) => checkAll(await proxied(t, program)));

test('contrib/traefik.yml says what the other samples say', () => {
  const { http: { routers, middlewares, services } } = YAML.parse(source('contrib/traefik.yml'));
  assert.equal(routers.auth.rule, 'Host(`auth.example.com`) && (PathPrefix(`/auth/`) || Path(`/.well-known/jwks.json`))');
  assert.deepEqual(routers.app.middlewares, ['signed-in']);
  assert.deepEqual([routers.arrivals.rule, routers.arrivals.service, routers.arrivals.middlewares], ['Host(`app.example.com`) && Path(`/auth/forward/done`)', 'sallyport', undefined]);
  assert.deepEqual(middlewares['signed-in'].forwardAuth, { address: 'http://127.0.0.1:3000/auth/forward', authResponseHeaders: ['X-Auth-User-Id', 'X-Auth-Email', 'X-Auth-Email-Verified', 'X-Auth-Role'] });
  assert.deepEqual(services.sallyport.loadBalancer.servers, [{ url: 'http://127.0.0.1:3000' }]);
});
