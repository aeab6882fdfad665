// proxy.test.mjs — the samples of contrib/ for reverse proxies, started as they stand there but for names and ports:
// the API and its pages behind them, and an application that only signed-in users reach.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import YAML from 'yaml';
import { send } from '../lib/http.mjs';
import { source } from '../lib/paths.mjs';
import { freshEmail, freshPassword, Server, until } from '../lib/server.mjs';

const has = (program) => process.env.PATH.split(':').concat('/usr/sbin').some((dir) => fs.existsSync(path.join(dir, program)));
const skipWithout = (program) => (has(program) ? false : `NOT TESTED: ${program} is not installed here`);

async function freePort() {
  const socket = net.createServer().listen(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise((done) => socket.close(done));
  return port;
}

/* Answers with the headers it was asked with. */
async function application(t) {
  const app = http.createServer((req, res) => res.setHeader('Content-Type', 'application/json').end(JSON.stringify(req.headers))).listen(0, '127.0.0.1');
  await once(app, 'listening');
  t.after(() => app.close());
  return app.address().port;
}

/* make(ports, home): the command. Returns what sends a request to a host behind the proxy. */
async function proxied(t, make) {
  const s = await Server.start({ env: { SALLYPORT_SERVER_TRUSTED_PROXIES: '127.0.0.1', SALLYPORT_SERVER_HOSTS: 'auth.example.com,app.example.com', SALLYPORT_SERVER_PUBLIC_URL: 'https://auth.example.com' } });
  t.after(() => s.close());
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-proxy-'));
  fs.chmodSync(home, 0o755);
  t.after(() => fs.rmSync(home, { recursive: true, force: true }));
  const port = await freePort();
  const [program, ...args] = make({ port, sallyport: s.target.port, app: await application(t) }, home);
  const proxy = spawn(program, args, { cwd: home, env: { ...process.env, HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home, PATH: `${process.env.PATH}:/usr/sbin` }, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const out of [proxy.stdout, proxy.stderr]) out.on('data', (part) => (said += part));
  t.after(async () => {
    if (proxy.exitCode === null) proxy.kill('SIGTERM');
    await until(() => proxy.exitCode !== null || proxy.signalCode !== null, `${program} to end`);
  });
  const ask = (host, method, where, { headers = {}, json } = {}) => {
    const body = json === undefined ? undefined : JSON.stringify(json);
    const all = { Host: host, ...(body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }), ...headers };
    return send({ host: '127.0.0.1', port }, method, where, { headers: all, body });
  };
  await until(async () => {
    assert.equal(proxy.exitCode, null, `${program} ended:\n${said}`);
    return ask('auth.example.com', 'GET', '/auth/ui/config').then((r) => r.status === 200, () => false);
  }, `${program} to serve:\n${said}`);
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

/* The sites of contrib/nginx.conf without TLS, inside a whole configuration. */
function nginx({ port, sallyport, app }, home) {
  const sample = source('contrib/nginx.conf');
  const shared = sample.slice(sample.indexOf('# /etc/nginx/sallyport-proxy.conf')).split('\n').filter((l) => l.startsWith('#\t')).map((l) => l.slice(2)).join('\n');
  assert.match(shared, /X-Forwarded-For/);
  fs.writeFileSync(path.join(home, 'sallyport-proxy.conf'), shared);
  const sites = sample.replaceAll(/listen 443 ssl;/g, `listen 127.0.0.1:${port};`).replaceAll(/^\s*ssl_certificate\S* .*$/gm, '')
    .replaceAll('127.0.0.1:3000', `127.0.0.1:${sallyport}`).replaceAll('127.0.0.1:8080', `127.0.0.1:${app}`).replaceAll('/etc/nginx/sallyport-proxy.conf', path.join(home, 'sallyport-proxy.conf'));
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((n) => `${n}_temp_path ${home}/${n};`).join('\n');
  fs.writeFileSync(path.join(home, 'nginx.conf'), `daemon off; master_process off;\npid ${home}/nginx.pid;\nerror_log stderr warn;\nevents {}\nhttp {\naccess_log off;\n${temp}\n${sites}\n}\n`);
  return ['nginx', '-p', home, '-c', path.join(home, 'nginx.conf')];
}

/* contrib/Caddyfile without TLS and without its door for administrators. */
function caddy({ port, sallyport, app }, home) {
  const sites = source('contrib/Caddyfile').replaceAll(/^(\S+\.example\.com) \{/gm, `http://$1:${port} {`).replaceAll('127.0.0.1:3000', `127.0.0.1:${sallyport}`).replaceAll('127.0.0.1:8080', `127.0.0.1:${app}`);
  fs.writeFileSync(path.join(home, 'Caddyfile'), `{\n\tadmin off\n\tauto_https off\n}\n${sites}`);
  return ['caddy', 'run', '--adapter', 'caddyfile', '--config', path.join(home, 'Caddyfile')];
}

/* contrib/traefik.yml as the file of the file provider. */
function traefik({ port, sallyport, app }, home) {
  fs.writeFileSync(path.join(home, 'dynamic.yml'), source('contrib/traefik.yml').replaceAll(/^\s*tls: \{\}$/gm, '').replaceAll('127.0.0.1:3000', `127.0.0.1:${sallyport}`).replaceAll('127.0.0.1:8080', `127.0.0.1:${app}`));
  return ['traefik', `--entryPoints.web.address=127.0.0.1:${port}`, `--providers.file.filename=${path.join(home, 'dynamic.yml')}`, '--global.checkNewVersion=false', '--global.sendAnonymousUsage=false'];
}

test('contrib/nginx.conf serves API and pages, and lets only signed-in users reach the application', { skip: skipWithout('nginx') }, async (t) => checkAll(await proxied(t, nginx)));
test('contrib/Caddyfile serves API and pages, and lets only signed-in users reach the application', { skip: skipWithout('caddy') }, async (t) => checkAll(await proxied(t, caddy)));
test('contrib/traefik.yml serves API and pages, and lets only signed-in users reach the application', { skip: skipWithout('traefik') }, async (t) => checkAll(await proxied(t, traefik)));

test('contrib/traefik.yml says what the other samples say', () => {
  const { http: { routers, middlewares, services } } = YAML.parse(source('contrib/traefik.yml'));
  assert.equal(routers.auth.rule, 'Host(`auth.example.com`) && (PathPrefix(`/auth/`) || Path(`/.well-known/jwks.json`))');
  assert.deepEqual(routers.app.middlewares, ['signed-in']);
  assert.deepEqual(middlewares['signed-in'].forwardAuth, { address: 'http://127.0.0.1:3000/auth/check', authResponseHeaders: ['X-Auth-User-Id', 'X-Auth-Email', 'X-Auth-Email-Verified', 'X-Auth-Role'] });
  assert.deepEqual(services.sallyport.loadBalancer.servers, [{ url: 'http://127.0.0.1:3000' }]);
});
