// forward.test.mjs - an application behind the samples for nginx and Caddy, in a browser: off to sign in and back to the
// page that was asked for, on another name of the same domain and on another domain.
import https from 'node:https';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { application, skipWithout, startProxy } from '../lib/proxies.mjs';
import { HOUR, MINUTE, Server } from '../lib/server.mjs';
import { makeCertificates } from '../lib/smtp_sink.mjs';
import { assert, press, signIn } from './browser.mjs';

const AUTH = 'auth.sallyport.test';
const serves = (port) => new Promise((resolve, reject) => {
  https.get({ host: '127.0.0.1', port, path: '/auth/ui/config', servername: AUTH, headers: { Host: AUTH }, rejectUnauthorized: false }, (r) => resolve(r.resume().statusCode === 200)).on('error', reject);
});

async function world(t, program, appHost) {
  const s = await Server.start({ env: { SALLYPORT_SERVER_PUBLIC_URL: `https://${AUTH}`, SALLYPORT_SERVER_TRUSTED_PROXIES: '127.0.0.1', SALLYPORT_FORWARD_HOSTS: appHost, SALLYPORT_MAIL_TRANSPORT: 'none' } });
  t.after(() => s.close());
  const app = await application();
  t.after(() => app.close());
  const proxy = await startProxy(program, { sallyport: s.target.port, app: app.address().port, names: { 'app.example.com': appHost, 'auth.example.com': AUTH }, tls: makeCertificates }, serves);
  t.after(() => proxy.close());
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--disable-features=LocalNetworkAccessChecks', `--host-resolver-rules=MAP *.test:443 127.0.0.1:${proxy.port}`, ...(process.getuid() === 0 ? ['--no-sandbox'] : [])],
  });
  t.after(() => browser.close());
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'en-GB' });
  context.setDefaultTimeout(Number(process.env.PATIENCE_MS ?? 15_000));
  return { s, context, page: await context.newPage(), inside: `https://${appHost}/notes/1?tab=2&q=a%20b` };
}

const seen = async (page) => JSON.parse(await page.locator('pre').textContent());
const shown = (page, pathname) => page.waitForURL((url) => url.host === AUTH && url.pathname === pathname);
/* What a script of the application gets. */
const script = (page) => page.evaluate(async () => { const r = await fetch('/api', { headers: { 'X-Auth-User-Id': 'root', 'X-Auth-Role': 'admin' } }); return [r.status, r.redirected, (await r.json().catch(() => ({})))['x-auth-role'] ?? null]; });

async function story(t, program, appHost) {
  const { s, context, page, inside } = await world(t, program, appHost);
  const user = await s.register();

  await page.goto(inside);
  await shown(page, '/auth/ui/login');
  await signIn(page, user);
  await page.waitForURL(inside);
  assert.equal((await seen(page))['x-auth-user-id'], user.id);
  assert.equal((await seen(page)).url, '/notes/1?tab=2&q=a%20b');
  assert.deepEqual(await script(page), [200, false, null], 'a script is let through, and what it claims is not');
  const names = (await context.cookies(`https://${appHost}`)).map((c) => c.name).sort();
  assert.deepEqual(names, ['__Host-forward', '__Host-forward-browser'], 'no token at the host of the application');

  // The pass and the access token are over; the session is not. Nobody is asked for anything.
  s.advance(HOUR + MINUTE);
  assert.deepEqual((await script(page)).slice(0, 2), [401, false], 'a script is told, and not redirected');
  const visited = [];
  page.on('framenavigated', (f) => visited.push(f.url()));
  await page.goto(`${inside}&again=1`);
  assert.equal((await seen(page)).url, '/notes/1?tab=2&q=a%20b&again=1');
  assert.deepEqual(visited, [`${inside}&again=1`], 'no page in between');

  // Signing out at the other host ends it here at the next request.
  const account = await context.newPage();
  await account.goto(`https://${AUTH}/auth/ui/account`);
  await press(account, 'Sign out');
  await shown(account, '/auth/ui/login');
  assert.equal((await script(page))[0], 401);
  await page.reload();
  await shown(page, '/auth/ui/login');
  await signIn(page, user);
  await page.waitForURL(`${inside}&again=1`);

  // Two pages at once, in a browser that has no pass.
  await context.clearCookies({ domain: appHost });
  const [one, two] = [await context.newPage(), await context.newPage()];
  await Promise.all([one.goto(`https://${appHost}/one`), two.goto(`https://${appHost}/two`)]);
  assert.deepEqual([(await seen(one)).url, (await seen(two)).url], ['/one', '/two']);
}

test('contrib/nginx.conf in a browser: to sign in and back, on two names of a domain', { skip: skipWithout('nginx') }, (t) => story(t, 'nginx', 'app.sallyport.test'));
test('contrib/Caddyfile in a browser: to sign in and back, on two domains', { skip: skipWithout('caddy') }, (t) => story(t, 'caddy', 'app.elsewhere.test'));
