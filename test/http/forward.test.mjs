// forward.test.mjs — browsers of protected applications on hosts of their own: sent to sign in, brought back with a
// ticket, known there by a pass. What a proxy does is done here by hand; proxy.test.mjs and the browser suite have real ones.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Browser } from '../lib/browser.mjs';
import { source } from '../lib/paths.mjs';
import { HOUR, MINUTE, Server } from '../lib/server.mjs';
import { setCookies } from '../lib/web.mjs';

const AUTH = 'https://auth.example.test', APP = 'https://app.example.test', WIKI = 'https://wiki.example.org:8443';
const PROXIED = { SALLYPORT_SERVER_TRUSTED_PROXIES: '127.0.0.1', SALLYPORT_FORWARD_HOSTS: 'app.example.test,wiki.example.org:8443' };
const table = JSON.parse(source('test/data/forward_targets.json'));

let s;

before(async () => (s = await Server.start({ env: PROXIED })));
after(() => s.close());

/* A browser, and what the proxy of each host does with its requests. */
class Web extends Browser {
  constructor(server, host) {
    super({ [AUTH]: server.target, [APP]: server.target, [WIKI]: server.target });
    this.server = server;
  }

  /* What the proxy at an application asks about a request. */
  question(address, { method = 'GET', headers = {}, how = 'forward' } = {}) {
    const url = new URL(address);
    return super.ask(`${url.origin}/auth/${how}`, { headers: { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': url.host, 'X-Forwarded-Uri': url.pathname + url.search, 'X-Forwarded-Method': method, ...headers } });
  }

  /* Opens a page and follows where it is sent, until the application lets it in or an answer is no redirect. */
  async open(address) {
    for (let hops = 0; hops < 12; hops++) {
      const url = new URL(address), inside = [APP, WIKI].includes(url.origin) && url.pathname !== '/auth/forward/done';
      const r = inside ? await this.question(address) : await super.ask(address, { headers: { 'X-Forwarded-Host': url.host, 'X-Forwarded-Proto': 'https' } });
      this.visited.push(`${r.status} ${url.origin}${url.pathname}`);
      if (r.status !== 302) return { ...r, address, inside };
      address = new URL(r.headers.location, address).href;
    }
    throw new Error(`round and round: ${this.visited.join('\n')}`);
  }

  async signIn(user) {
    const start = await super.ask(`${AUTH}/auth/ui/login`), csrf = this.cookies(AUTH)['__Host-csrf-token'];
    assert.equal(start.status, 200);
    const r = await super.ask(`${AUTH}/auth/login`, { method: 'POST', body: JSON.stringify({ email: user.email, password: user.password }), type: 'application/json', headers: { 'X-CSRF-Token': csrf, Origin: AUTH, 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'cors', Accept: 'application/json' } });
    assert.equal(r.status, 200, r.text);
  }

  forget(origin, name) {
    this.jar = this.jar.filter((c) => c.origin !== origin || (name && !c.name.endsWith(name)));
  }
}

/* Somebody who is signed in at this server, and his browser. */
async function someone(server = s) {
  const user = await server.register(), web = new Web(server);
  await web.signIn(user);
  return { user, web };
}

const queryOf = (r) => new URL(r.headers.location).searchParams;

test('a browser without a session is sent to the sign-in page and brought back to where it was', async () => {
  const user = await s.register(), web = new Web(s), there = `${APP}/inside?x=1&y=%C3%A4`;
  const page = await web.open(there);
  assert.equal(page.status, 200);
  const at = new URL(page.address);
  assert.equal(at.origin + at.pathname, `${AUTH}/auth/ui/login`);
  const back = at.searchParams.get('redirect');
  assert.match(back, /^\/auth\/forward\/sign-in\?to=/);
  assert.ok(page.text.includes(JSON.stringify(back).slice(1, -1).replaceAll('&', '\\u0026')) || page.text.includes(back.replaceAll('&', '&amp;')) || page.text.includes(back), 'the page knows the way back');
  await web.signIn(user);
  const inside = await web.open(AUTH + back);
  assert.deepEqual([inside.status, inside.address, inside.headers['x-auth-user-id']], [200, there, user.id]);
});

test('who is signed in already passes without a page, and sees each host for himself', async () => {
  const { user, web } = await someone();
  for (const there of [`${APP}/a?b=c`, `${WIKI}/Start`]) {
    const r = await web.open(there);
    assert.deepEqual([r.status, r.address, r.headers['x-auth-user-id']], [200, there, user.id]);
  }
  assert.ok(!web.visited.some((v) => v.includes('/auth/ui/')));
  const [pass] = web.jar.filter((c) => c.origin === APP && c.name === '__Host-forward');
  assert.match(pass.line, /; Max-Age=3600; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Lax$/);
  assert.deepEqual(web.jar.filter((c) => c.origin === APP).map((c) => c.name).sort(), ['__Host-forward', '__Host-forward-browser'], 'no token and nothing else of this server is at the host of an application');
});

test('scripts, programs and forms get 401, from both endpoints; nobody else is redirected', async () => {
  const web = new Web(s), there = `${APP}/api`;
  const rows = [
    ['a script', { headers: { 'Sec-Fetch-Mode': 'cors' } }], ['a script that wants HTML', { headers: { 'Sec-Fetch-Mode': 'same-origin', Accept: 'text/html' } }],
    ['an old script', { headers: { 'Sec-Fetch-Mode': undefined, 'X-Requested-With': 'XMLHttpRequest' } }], ['a program', { headers: { 'Sec-Fetch-Mode': undefined, Accept: '*/*' } }],
    ['a program with a token', { headers: { Authorization: 'Bearer junk' } }], ['another scheme', { headers: { Authorization: 'Basic eDp5' } }],
    ['a picture', { headers: { 'Sec-Fetch-Mode': 'no-cors' } }], ['a form', { method: 'POST' }], ['a method', { method: 'DELETE' }],
    ['a host that is not listed', { headers: { 'X-Forwarded-Host': 'evil.test' } }], ['a host beside it', { headers: { 'X-Forwarded-Host': 'app.example.test.evil.test' } }],
    ['two hosts', { headers: { 'X-Forwarded-Host': 'app.example.test, evil.test' } }], ['hosts that disagree', { headers: { 'X-Original-URL': `${WIKI}/api` } }],
    ['targets that disagree', { headers: { 'X-Original-URL': `${APP}/other` } }],
  ];
  for (const [what, how] of rows) {
    const headers = Object.fromEntries(Object.entries(how.headers ?? {}).filter(([, v]) => v !== undefined));
    if (how.headers && 'Sec-Fetch-Mode' in how.headers && how.headers['Sec-Fetch-Mode'] === undefined) headers['Sec-Fetch-Mode'] = '';
    const r = await web.question(there, { ...how, headers });
    assert.deepEqual([r.status, JSON.parse(r.text).code, r.headers.location, r.headers['set-cookie']], [401, 'INVALID_ACCESS_TOKEN', undefined, undefined], what);
  }
  const check = await web.question(there, { how: 'check' });
  assert.deepEqual([check.status, check.headers.location], [401, undefined], '/auth/check never redirects: nginx takes that for an error');
});

test('what a proxy says in either way is read: X-Forwarded-… or X-Original-URL', async () => {
  const web = new Web(s), ask = (headers) => web.ask(`${AUTH}/auth/forward`, { headers });
  const rows = [
    [{ 'X-Forwarded-Host': 'app.example.test', 'X-Forwarded-Uri': '/a?b' }, `${APP}/a?b`],
    [{ 'X-Original-URL': `${APP}/a?b` }, `${APP}/a?b`],
    [{ 'X-Original-URL': `${APP}/a?b`, 'X-Forwarded-Host': 'APP.example.test', 'X-Forwarded-Uri': '/a?b', 'X-Forwarded-Method': 'GET' }, `${APP}/a?b`],
    [{ 'X-Forwarded-Host': 'wiki.example.org:8443', 'X-Forwarded-Uri': '/x' }, `${WIKI}/x`],
    [{ 'X-Forwarded-Host': 'app.example.test' }, `${APP}/`],
    [{ 'X-Forwarded-Host': 'app.example.test', 'X-Forwarded-Uri': 'https://evil.test/' }, `${APP}/`],
    [{ 'X-Forwarded-Host': 'app.example.test', 'X-Forwarded-Uri': '/\\evil.test' }, `${APP}/`],
    [{ 'X-Forwarded-Host': 'app.example.test', 'X-Forwarded-Uri': `/${'x'.repeat(2048)}` }, `${APP}/`],
    [{ 'X-Original-URL': `${APP}/a`, 'X-Original-Method': 'POST' }, null],
    [{ 'X-Original-URL': 'https://evil.test/a' }, null],
  ];
  for (const [headers, to] of rows) {
    const r = await ask(headers);
    assert.equal(r.status === 302 ? queryOf(r).get('to') : null, to, JSON.stringify(headers).slice(0, 90));
  }
});

test('without a trusted proxy nothing that is forwarded is believed', async (t) => {
  const open = await Server.start({ env: { SALLYPORT_FORWARD_HOSTS: PROXIED.SALLYPORT_FORWARD_HOSTS } });
  t.after(() => open.close());
  const web = new Web(open);
  assert.equal(queryOf(await web.ask(`${APP}/auth/forward`, { headers: { 'X-Forwarded-Host': 'wiki.example.org:8443', 'X-Forwarded-Uri': '/x' } })).get('to'), `${APP}/`, 'the host that was asked');
});

test('OC08 no address but those of listed hosts is returned to, however it is written', async () => {
  const { web } = await someone();
  const go = (to) => web.ask(`${AUTH}/auth/forward/sign-in?to=${encodeURIComponent(to)}&browser=${'A'.repeat(43)}`);
  for (const to of table.bad) {
    const r = await go(to);
    assert.deepEqual([r.status, r.headers.location], [400, undefined], JSON.stringify(to));
  }
  for (const [to, host, path] of table.good) {
    const r = await go(to), at = new URL(r.headers.location);
    assert.equal(at.origin, `https://${host}`, to);
    assert.equal(host === 'auth.example.test' ? r.headers.location : at.searchParams.get('to'), host === 'auth.example.test' ? to : path, to);
  }
  // At the application's host too: what comes back is a place of that host.
  for (const to of [...table.bad, ...table.good.map(([, , path]) => path)]) {
    const state = await web.question(`${APP}/x`);
    assert.equal(state.status, 302);
    const r = await web.ask(`${APP}/auth/forward/done?ticket=x&to=${encodeURIComponent(to)}`, { headers: { 'X-Forwarded-Host': 'app.example.test' } });
    if (r.status === 400) continue; // not UTF-8, or a NUL
    assert.ok(r.headers.location.startsWith(`${APP}/`), `${JSON.stringify(to)}: ${r.headers.location}`);
    assert.equal(new URL(r.headers.location).origin, APP);
  }
});

test('a ticket is good once, for one minute, at its host, in the browser that came from there', async () => {
  const { web } = await someone();
  const ticketFor = async (there = `${APP}/x`) => {
    web.forget(APP, 'Host-forward'); // the pass
    return (await web.ask((await web.question(there)).headers.location)).headers.location;
  };
  const use = (address, by = web) => by.ask(address, { headers: { 'X-Forwarded-Host': new URL(address).host } });
  const got = (r) => setCookies(r).some((c) => c.name === '__Host-forward');

  const first = await ticketFor();
  const other = await someone();
  assert.deepEqual([(await use(first, other.web)).status, got(await use(first, other.web))], [400, false], 'a browser that did not come from there');
  await other.web.question(`${APP}/x`);
  assert.equal(got(await use(first, other.web)), false, 'another browser that did');
  assert.equal(got(await use(first.replace(APP, WIKI))), false, 'another host');
  assert.ok(got(await use(first)));
  const again = await use(first);
  assert.deepEqual([again.status, again.headers.location, got(again)], [302, `${APP}/x`, false], 'a second time: the page decides');
  const late = await ticketFor();
  s.advance(61_000);
  assert.equal(got(await use(late)), false);
  for (const junk of ['', 'x', '0'.repeat(64), `${'0'.repeat(63)}g`]) assert.equal(got(await use(`${APP}/auth/forward/done?ticket=${junk}&to=/x`)), false);
  // Two pages opened at once both arrive.
  const [one, two] = [await ticketFor(`${APP}/1`), await ticketFor(`${APP}/2`)];
  assert.deepEqual([got(await use(two)), got(await use(one))], [true, true]);
});

test('tickets do not pile up: at most 16 of an account', async () => {
  const { user, web } = await someone();
  const { headers: { location } } = await web.question(`${APP}/x`);
  let last;
  for (let i = 0; i < 20; i++) last = await web.ask(location);
  assert.equal(await s.sql(`SELECT count(*) FROM onetime WHERE purpose = 20 AND user_id = (SELECT id FROM user WHERE email = '${user.email}')`), '16');
  const r = await web.ask(last.headers.location, { headers: { 'X-Forwarded-Host': 'app.example.test' } });
  assert.ok(setCookies(r).some((c) => c.name === '__Host-forward'), 'the newest lives');
});

test('a pass is good at its host only, and nowhere as an access token', async () => {
  const { user, web } = await someone();
  await web.open(`${APP}/x`);
  const pass = web.cookies(APP)['__Host-forward'];
  const ask = (path, headers) => s.get(path, { headers: { 'X-Forwarded-Host': 'app.example.test', ...headers } });
  assert.equal((await ask('/auth/check', { Cookie: `__Host-forward=${pass}` })).headers['x-auth-user-id'], user.id);
  assert.equal((await ask('/auth/check', { Cookie: `__Host-forward=${pass}`, 'X-Forwarded-Host': 'wiki.example.org:8443' })).status, 401);
  assert.equal((await ask('/auth/check', { Cookie: `__Host-forward=${pass}`, 'X-Forwarded-Host': 'auth.example.test' })).status, 401);
  assert.equal((await ask('/auth/check', { Cookie: `__Host-accessToken=${pass}` })).status, 401);
  for (let i = 0; i < pass.length; i += 9) {
    const bent = pass.slice(0, i) + (pass[i] === 'A' ? 'B' : 'A') + pass.slice(i + 1);
    assert.equal((await ask('/auth/check', { Cookie: `__Host-forward=${bent}` })).status, 401, `character ${i}`);
  }
  for (const path of ['/auth/me', '/auth/sessions', '/auth/export']) {
    assert.equal((await ask(path, { Cookie: `__Host-forward=${pass}` })).status, 403, path);
    assert.equal((await ask(path, { Authorization: `Bearer ${pass}` })).status, 401, path);
  }
  const junk = await ask('/auth/check', { Cookie: `__Host-forward=junk; __Host-accessToken=${web.cookies(AUTH)['__Host-accessToken']}` });
  assert.equal(junk.headers['x-auth-user-id'], user.id, 'a bad pass beside a good access cookie');
});

test('signing out, disabling and setting a password end it at the next check, whatever session.check_on says', async (t) => {
  const lax = await Server.start({ env: { ...PROXIED, SALLYPORT_SESSION_CHECK_ON: 'none' } });
  t.after(() => lax.close());
  for (const server of [s, lax]) {
    const { user, web } = await someone(server);
    assert.equal((await web.open(`${APP}/x`)).status, 200);
    const out = await web.ask(`${AUTH}/auth/logout`, { method: 'POST', body: '{}', type: 'application/json', headers: { 'X-CSRF-Token': web.cookies(AUTH)['__Host-csrf-token'], Origin: AUTH, 'Sec-Fetch-Site': 'same-origin' } });
    assert.equal(out.status, 200, out.text);
    assert.deepEqual([(await web.question(`${APP}/x`, { how: 'check' })).status, (await web.question(`${APP}/x`)).status], [401, 302]);
    assert.equal(new URL((await web.open(`${APP}/x`)).address).pathname, '/auth/ui/login', 'asked for a password');
    await web.signIn(user);
    assert.equal((await web.open(`${APP}/x`)).address, `${APP}/x`);
    await server.cliOk(['user', 'disable', user.email]);
    await sleep(20); // what another process has written is seen after 10 ms
    assert.equal((await web.question(`${APP}/x`, { how: 'check' })).status, 401);
  }
});

test('an expired pass and an expired access token are renewed without a question, while the session lives', async () => {
  const { user, web } = await someone();
  await web.open(`${APP}/x`);
  s.advance(HOUR + MINUTE);
  assert.equal((await web.question(`${APP}/x`, { how: 'check' })).status, 401, 'the pass is over');
  const before = web.cookies(AUTH)['__Host-refreshToken'];
  web.visited = [];
  const r = await web.open(`${APP}/y`);
  assert.deepEqual([r.status, r.address, r.headers['x-auth-user-id']], [200, `${APP}/y`, user.id]);
  assert.ok(!web.visited.some((v) => v.includes('/auth/ui/')), 'no page was shown');
  assert.notEqual(web.cookies(AUTH)['__Host-refreshToken'], before, 'the session was refreshed');
  s.advance(8 * 24 * HOUR);
  assert.equal(new URL((await web.open(`${APP}/y`)).address).pathname, '/auth/ui/login', 'a session that is over is not');
});

test('using an application keeps the session in use', async () => {
  const { web } = await someone();
  await web.open(`${APP}/x`);
  s.advance(2 * MINUTE);
  await web.question(`${APP}/x`);
  const { sessions } = JSON.parse((await web.ask(`${AUTH}/auth/sessions`, { headers: { Accept: 'application/json' } })).text);
  assert.equal(Date.parse(sessions[0].lastActive), s.now);
});

test('hosts that share cookie.domain need no ticket', async (t) => {
  const shared = await Server.start({ env: { ...PROXIED, SALLYPORT_COOKIE_DOMAIN: 'example.test' } });
  t.after(() => shared.close());
  const { accessToken } = await shared.signedIn();
  const go = (to) => shared.get(`/auth/forward/sign-in?to=${encodeURIComponent(to)}&browser=${'A'.repeat(43)}`, { headers: { Cookie: `__Secure-accessToken=${accessToken}` } });
  assert.equal((await go(`${APP}/x?y`)).headers.location, `${APP}/x?y`);
  assert.match((await go(`${WIKI}/x`)).headers.location, /^https:\/\/wiki\.example\.org:8443\/auth\/forward\/done\?ticket=/);
  const asked = await shared.get('/auth/forward', { headers: { 'X-Forwarded-Host': 'app.example.test', 'X-Forwarded-Uri': '/x', Accept: 'text/html', 'X-Forwarded-Proto': 'https' } });
  assert.deepEqual([queryOf(asked).get('browser'), asked.headers['set-cookie']], [null, undefined]);
  assert.equal((await shared.get('/auth/forward', { headers: { 'X-Forwarded-Host': 'app.example.test', Cookie: `__Secure-accessToken=${accessToken}` } })).status, 200);
});

test('without hosted pages the sign-in page of the site is told where to lead', async (t) => {
  const headless = await Server.start({ env: { ...PROXIED, SALLYPORT_UI_HEADLESS: 'true', SALLYPORT_SITE_URLS: 'https://www.example.test' } });
  t.after(() => headless.close());
  const r = await headless.get(`/auth/forward/sign-in?to=${encodeURIComponent(`${APP}/x`)}&browser=${'A'.repeat(43)}`);
  const at = new URL(r.headers.location), back = new URL(at.searchParams.get('redirect'));
  assert.deepEqual([at.origin + at.pathname, back.origin + back.pathname, back.searchParams.get('to')], ['https://www.example.test/login', `${AUTH}/auth/forward/sign-in`, `${APP}/x`]);
});

test('with server.hosts, the hosts of applications answer proxies and arrivals, and nothing else', async (t) => {
  const strict = await Server.start({ env: { ...PROXIED, SALLYPORT_SERVER_HOSTS: 'auth.example.test' } });
  t.after(() => strict.close());
  const at = async (path) => (await strict.get(path, { headers: { Host: 'app.example.test' } })).status;
  assert.deepEqual([await at('/auth/check'), await at('/auth/forward'), await at('/auth/forward/done'), await at('/auth/forward/sign-in'), await at('/auth/ui/login'), await at('/auth/me')], [401, 401, 400, 421, 421, 421]);
});
