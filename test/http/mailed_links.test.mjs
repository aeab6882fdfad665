// mailed_links.test.mjs — every link of every mail, in every language, is opened as its reader would: it leads to a page
// that exists, or to what a site says that it has itself. And where a browser comes that was only told our name.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { withTotp } from '../lib/authenticator.mjs';
import { startDelivering } from '../lib/delivery.mjs';
import { source } from '../lib/paths.mjs';
import { freshEmail, Server, until } from '../lib/server.mjs';

const BROWSER = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'Sec-Fetch-Mode': 'navigate' };
const LANGS = ['en', 'it', 'de', 'fr', 'es'];
const HERE = 'https://auth.example.test', SITE = 'https://web.example.test', APP = 'com.example.app://auth';

/* The messages that have a link, as the table of templates says. */
const ALL = [...source('src/domain/template_texts.c').matchAll(/\{ TEMPLATE\("([\w-]+)",[^}]*?\),\s*BASES_(?:BUTTON|EITHER)\b/g)].map((m) => m[1]);

/* ---- a world: settings, and whoever writes to everybody in it ---- */

class World {
  static async start(env, options = {}) {
    const w = new World();
    Object.assign(w, { seen: new Set(), links: [], from: {} });
    w.all = await startDelivering({ env, ...options });
    Object.assign(w, { s: w.all.s, mail: w.all.mail });
    return w;
  }

  post(path, json, token) {
    return this.s.post(`/auth/${path}`, json, { strategy: 'bearer', token, headers: this.from });
  }

  async done(path, json, token) {
    const r = await this.post(path, json, token);
    assert.ok(r.status < 300, `${path}: ${r.text}`);
    return r;
  }

  /* The next mail to the address, which is that message; its links are noted, its token given back. */
  async next(to, id) {
    const { parsed } = await this.mail.mail(to);
    this.seen.add(`${id} ${parsed.html.match(/<html lang="(\w+)"/)[1]}`);
    const urls = new Set([...parsed.text.matchAll(/^\S+:\/\/\S+$/gm)].map((m) => m[0]));
    const buttons = [...parsed.html.matchAll(/href="([^"]+)"/g)].map((m) => m[1].replaceAll('&amp;', '&'));
    assert.deepEqual([...new Set(buttons)], [...urls], `${id}: the same links in both, ${parsed.subject}`);
    this.links.push(...[...urls].map((url) => ({ id, url })));
    return [...urls][0].match(/token=(\w+)/)?.[1];
  }

  /* One account's life, with every mail of its owner. */
  async live(lang, strict) {
    const { s } = this, old = freshEmail('old'), fresh = freshEmail('new'), further = freshEmail('further'), password = 'several words in a row';
    this.last = old;
    const user = { email: old, password, emailLang: lang };
    await this.done('register', user);
    if (strict) {
      await this.done('verify-email', { token: await this.next(old, 'verify-email') });
      await this.next(old, 'welcome');
      await this.done('register', user);
      await this.next(old, 'account-exists');
    } else {
      await this.next(old, 'welcome');
    }
    const { accessToken } = await s.signIn(user, { headers: this.from });
    if (!strict) {
      await this.done('send-verification-email', { emailLang: lang }, accessToken);
      await this.next(old, 'verify-email');
    }
    await this.done('link-request', { email: further, emailLang: lang }, accessToken);
    await this.next(further, 'link-account');
    await this.done('forgot-password', { email: old, emailLang: lang });
    await this.next(old, 'password-reset');
    for (const [type, id] of [['link', 'magic-link'], ['both', 'magic-link-code']]) {
      await this.done('magic-link/send', { email: old, type, emailLang: lang });
      await this.next(old, id);
    }
    await this.done('change-email/request', { newEmail: fresh, emailLang: lang }, accessToken);
    await this.done('change-email/confirm', { token: await this.next(fresh, 'change-email') });
    await this.done('change-email/revert', { token: await this.next(old, 'email-changed') });
    await this.next(old, 'email-reverted');
  }

  /* An administrator whose app is to be removed, once per language. */
  async resets() {
    const { s } = this, admin = await withTotp(s, await s.admin());
    await until(() => this.mail.mailsTo(admin.email).length === 1, 'the mail about the app');
    await this.mail.mail(admin.email);
    for (const lang of LANGS) {
      await s.sql(`UPDATE user SET lang = '${lang}' WHERE email = '${admin.email}'`);
      await s.cliOk(['user', 'reset-2fa', admin.email]);
      await this.done('forgot-password', { email: this.last }); // another mail, which wakes the sender
      await this.done('2fa/keep', { token: await this.next(admin.email, 'factor-reset-asked') });
    }
  }

  async close() {
    await this.all.close();
  }
}

/* Everything that a world's mails can be, in all languages. */
async function walked(t, env, { strict = true, resets = false, from = {}, ...options } = {}) {
  const w = await World.start({ ...(strict && { SALLYPORT_VERIFICATION_MODE: 'strict' }), ...env }, options);
  t.after(() => w.close());
  w.from = from;
  for (const lang of LANGS) await w.live(lang, strict);
  if (resets) await w.resets();
  const missing = new Set([...(strict ? [] : ['account-exists']), ...(resets ? [] : ['factor-reset-asked'])]);
  const want = ALL.filter((id) => !missing.has(id)).flatMap((id) => LANGS.map((lang) => `${id} ${lang}`));
  assert.deepEqual([...w.seen].sort(), want.sort(), 'every message with a link was sent in every language');
  return w;
}

/* Opens a link at this server, as a browser. */
async function opens(s, url, base) {
  assert.ok(url.startsWith(`${base}/auth/ui/`), url);
  const page = url.slice(`${base}/auth/ui/`.length).split('?')[0], r = await s.get(url.slice(base.length), { headers: BROWSER });
  assert.deepEqual([r.status, r.headers['content-type']], [200, 'text/html; charset=utf-8'], url);
  const shown = r.text.match(/<body data-page="([\w-]+)"/)[1];
  assert.equal(shown, page === 'magic-link/verify' ? 'magic-link' : page.replace('/', '-'), url);
}

test('every link of every mail in every language leads to a page that exists, in default settings', async (t) => {
  const w = await walked(t, {}, { strict: false, resets: true });
  for (const { url } of w.links) await opens(w.s, url, HERE);
});

test('every link of every mail leads to a page that exists: addresses that must be proven, --dev, a site that has no pages of its own', async (t) => {
  const dev = { SALLYPORT_SERVER_PUBLIC_URL: undefined, SALLYPORT_SERVER_OPS_LISTEN: undefined, SALLYPORT_LOG_FORMAT: 'json' };
  const worlds = [
    [{}],
    [dev, { args: ['--dev'] }],
    [{ SALLYPORT_SITE_URLS: `${HERE},${SITE}` }, { from: { Referer: `${HERE}/` } }],
    [{ SALLYPORT_SITE_URLS: SITE, SALLYPORT_SITE_OWN_PAGES: 'false', SALLYPORT_CORS_ORIGINS: SITE }, { from: { Origin: SITE } }],
    [{ SALLYPORT_SITE_URLS: APP, SALLYPORT_SITE_OWN_PAGES: 'false', SALLYPORT_SITE_APP_LINKS: 'short' }],
  ];
  for (const [env, options] of worlds) {
    const w = await walked(t, env, options);
    for (const { url } of w.links) await opens(w.s, url, env === dev ? 'http://127.0.0.1:0' : HERE);
  }
});

/* Of a site with pages of its own: where its mails lead. */
function own(base, below) {
  return {
    'account-exists': `${base}/login`, welcome: `${base}/login`, 'change-email': `${below}/change-email/confirm`, 'email-changed': `${below}/change-email/revert`,
    'email-reverted': `${below}/reset-password`, 'link-account': `${below}/link-verify`, 'magic-link': `${below}/magic-link/verify`, 'magic-link-code': `${below}/magic-link/verify`,
    'password-reset': `${below}/reset-password`, 'verify-email': `${below}/verify-email`,
  };
}

test('a site of the list and an app have pages of their own: links lead to them as ever', async (t) => {
  const short = own(APP, APP);
  for (const id of ['magic-link', 'magic-link-code']) short[id] = `${APP}/magic-link`;
  const worlds = [
    [{ SALLYPORT_SITE_URLS: SITE }, {}, own(SITE, `${SITE}/auth/ui`)],
    [{ SALLYPORT_SITE_URLS: `${HERE},${SITE}`, SALLYPORT_CORS_ORIGINS: SITE }, { from: { Origin: SITE } }, own(SITE, `${SITE}/auth/ui`)],
    [{ SALLYPORT_SITE_OWN_PAGES: 'true' }, {}, own(HERE, `${HERE}/auth/ui`)],
    [{ SALLYPORT_UI_ENABLED: 'false' }, {}, own(HERE, `${HERE}/auth`)],
    [{ SALLYPORT_SITE_URLS: APP }, {}, own(APP, `${APP}/auth`)],
    [{ SALLYPORT_SITE_URLS: APP, SALLYPORT_SITE_APP_LINKS: 'short' }, {}, short],
  ];
  for (const [env, options, want] of worlds) {
    const w = await World.start({ SALLYPORT_VERIFICATION_MODE: 'strict', ...env });
    t.after(() => w.close());
    w.from = options.from ?? {};
    await w.live('en', true);
    const got = Object.fromEntries(w.links.map(({ id, url }) => [id, url.replace(/\?token=\w{64}$/, '')]));
    assert.deepEqual(got, want, JSON.stringify(env));
  }
});

/* ---- the bare name ---- */

async function served(t, env, options = {}) {
  const s = await Server.start({ ...options, env });
  t.after(() => s.close());
  return s;
}

/* One that nothing listens at. */
async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

const FRONTS = ['/', '/auth', '/auth/'];
const PROGRAMS = [{}, { Accept: 'application/json' }, { Accept: '*/*' }, { Accept: 'application/json, text/plain, */*', 'Sec-Fetch-Mode': 'cors' }];

async function leads(s, headers, to) {
  for (const method of ['GET', 'HEAD'])
    for (const front of FRONTS) {
      const r = await s.request(method, front, { headers });
      const got = r.status === 302 ? [302, r.headers.location, r.headers.vary] : [r.status, method === 'HEAD' ? 'NOT_FOUND' : r.json.code];
      assert.deepEqual(got, to === null ? [404, 'NOT_FOUND'] : [302, to, 'Accept'], `${method} ${front}`);
    }
}

test('a browser that comes to the bare name is led to the pages; programs get the answer they always got', async (t) => {
  const s = await served(t, {});
  await leads(s, BROWSER, '/auth/ui/login');
  for (const headers of PROGRAMS) await leads(s, headers, null);
  assert.equal((await s.get('/auth/ui/login', { headers: BROWSER })).status, 200);
  const moved = await served(t, { SALLYPORT_SERVER_API_PREFIX: '/id/v1' });
  for (const front of ['/', '/id/v1', '/id/v1/']) assert.equal((await moved.get(front, { headers: BROWSER })).headers.location, '/id/v1/ui/login');
  assert.equal((await moved.get('/auth', { headers: BROWSER })).status, 404);
});

test('without hosted pages the bare name leads nowhere; with --dev there is the description of the API', async (t) => {
  await leads(await served(t, { SALLYPORT_UI_HEADLESS: 'true' }), BROWSER, null);
  await leads(await served(t, { SALLYPORT_UI_ENABLED: 'false', SALLYPORT_DOCS_ENABLED: 'true' }), BROWSER, null);
  const dev = { SALLYPORT_SERVER_PUBLIC_URL: undefined, SALLYPORT_SERVER_OPS_LISTEN: undefined, SALLYPORT_LOG_FORMAT: 'json' };
  await leads(await served(t, dev, { args: ['--dev'] }), BROWSER, '/auth/ui/login');
  await leads(await served(t, { ...dev, SALLYPORT_UI_ENABLED: 'false' }, { args: ['--dev'] }), BROWSER, '/auth/docs');
});

test('the operator\'s own address leads nobody to pages that it does not serve', async (t) => {
  const port = await freePort();
  await served(t, { SALLYPORT_SERVER_OPS_LISTEN: `127.0.0.1:${port}` });
  for (const front of ['/', '/healthz']) {
    const r = await fetch(`http://127.0.0.1:${port}${front}`, { headers: { Accept: 'text/html' }, redirect: 'manual' });
    assert.equal(r.status, front === '/' ? 404 : 200);
  }
});
