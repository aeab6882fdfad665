// proxies.mjs — the samples of contrib/ for reverse proxies as commands that can be run: as they stand there but for
// names, ports and certificates.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { source } from './paths.mjs';
import { until } from './server.mjs';

const has = (program) => process.env.PATH.split(':').concat('/usr/sbin').some((dir) => fs.existsSync(path.join(dir, program)));
export const skipWithout = (program) => (has(program) ? false : `NOT TESTED: ${program} is not installed here`);

async function freePort() {
  const socket = net.createServer().listen(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise((done) => socket.close(done));
  return port;
}

const moved = (text, { sallyport, app, names = {} }) => Object.entries(names).reduce((all, [from, to]) => all.replaceAll(from, to),
  text.replaceAll('127.0.0.1:3000', `127.0.0.1:${sallyport}`).replaceAll('127.0.0.1:8080', `127.0.0.1:${app}`));

/* The sites of contrib/nginx.conf inside a whole configuration. */
function nginx(o, home) {
  const sample = source('contrib/nginx.conf');
  const shared = sample.slice(sample.indexOf('# /etc/nginx/sallyport-proxy.conf')).split('\n').filter((l) => l.startsWith('#\t')).map((l) => l.slice(2)).join('\n');
  assert.match(shared, /X-Forwarded-For/);
  fs.writeFileSync(path.join(home, 'sallyport-proxy.conf'), shared);
  const plain = moved(sample, o).replaceAll('/etc/nginx/sallyport-proxy.conf', path.join(home, 'sallyport-proxy.conf'));
  const sites = o.tls
    ? plain.replaceAll('listen 443 ssl;', `listen 127.0.0.1:${o.port} ssl;`).replaceAll(/(ssl_certificate) .*$/gm, `$1 ${home}/tls.pem;`).replaceAll(/(ssl_certificate_key) .*$/gm, `$1 ${home}/tls.key;`)
    : plain.replaceAll('listen 443 ssl;', `listen 127.0.0.1:${o.port};`).replaceAll(/^\s*ssl_certificate\S* .*$/gm, '');
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((n) => `${n}_temp_path ${home}/${n};`).join('\n');
  fs.writeFileSync(path.join(home, 'nginx.conf'), `daemon off; master_process off;\npid ${home}/nginx.pid;\nerror_log stderr warn;\nevents {}\nhttp {\naccess_log off;\n${temp}\n${sites}\n}\n`);
  return ['nginx', '-p', home, '-c', path.join(home, 'nginx.conf')];
}

/* contrib/Caddyfile without its door for administrators, and without certificates from elsewhere. */
function caddy(o, home) {
  const scheme = o.tls ? 'https' : 'http', tls = o.tls ? `\n\ttls ${home}/tls.pem ${home}/tls.key` : '';
  const sites = moved(source('contrib/Caddyfile').replaceAll(/^(\S+\.example\.com) \{/gm, `${scheme}://$1:${o.port} {${tls}`), o);
  fs.writeFileSync(path.join(home, 'Caddyfile'), `{\n\tadmin off\n\tauto_https off\n}\n${sites}`);
  return ['caddy', 'run', '--adapter', 'caddyfile', '--config', path.join(home, 'Caddyfile')];
}

/* contrib/traefik.yml as the file of the file provider. */
function traefik(o, home) {
  fs.writeFileSync(path.join(home, 'dynamic.yml'), moved(source('contrib/traefik.yml').replaceAll(/^\s*tls: \{\}$/gm, ''), o));
  return ['traefik', `--entryPoints.web.address=127.0.0.1:${o.port}`, `--providers.file.filename=${path.join(home, 'dynamic.yml')}`, '--global.checkNewVersion=false', '--global.sendAnonymousUsage=false'];
}

const commands = { nginx, caddy, traefik };

/* An application that says what it was asked with: as JSON, or to browsers as a page. */
export async function application() {
  const app = http.createServer((req, res) => {
    const seen = JSON.stringify({ url: req.url, method: req.method, ...req.headers });
    if (/text\/html/.test(req.headers.accept ?? '')) res.setHeader('Content-Type', 'text/html').end(`<!doctype html><title>Inside</title><link rel="icon" href="data:,"><pre>${seen.replaceAll('<', '&lt;')}</pre>`);
    else res.setHeader('Content-Type', 'application/json').end(seen);
  }).listen(0, '127.0.0.1');
  await once(app, 'listening');
  return app;
}

/* A proxy that runs. o: { sallyport, app: their ports, names: what is called otherwise than in the sample,
 * tls: (home) => …, which puts tls.pem and tls.key there }. serves(port): does it? */
export async function startProxy(program, o, serves) {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-proxy-'));
  fs.chmodSync(home, 0o755);
  o.tls?.(home);
  const port = await freePort(), [command, ...args] = commands[program]({ ...o, port }, home);
  const proxy = spawn(command, args, { cwd: home, env: { ...process.env, HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home, PATH: `${process.env.PATH}:/usr/sbin` }, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const out of [proxy.stdout, proxy.stderr]) out.on('data', (part) => (said += part));
  const close = async () => {
    if (proxy.exitCode === null) proxy.kill('SIGTERM');
    await until(() => proxy.exitCode !== null || proxy.signalCode !== null, `${program} to end`);
    fs.rmSync(home, { recursive: true, force: true });
  };
  await until(async () => {
    assert.equal(proxy.exitCode, null, `${program} ended:\n${said}`);
    return serves(port).catch(() => false);
  }, `${program} to serve:\n${said}`).catch(async (e) => {
    await close();
    throw e;
  });
  return { port, close };
}
