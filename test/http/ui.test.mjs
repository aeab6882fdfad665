// ui.test.mjs — the hosted pages as far as they can be judged without a browser: what is served, with which headers,
// in which language, and what settings make of it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { source } from '../lib/paths.mjs';
import { examplePath, routes } from '../lib/routes.mjs';
import { run, SALLYPORT, Server, until } from '../lib/server.mjs';

const PAGES = ['login', 'register', 'forgot-password', 'reset-password', '2fa', 'magic-link', 'magic-link/verify', 'verify-email', 'change-email/confirm',
  'change-email/revert', '2fa/keep', 'account-conflict', 'link-verify', 'account'];
const MAILED = ['reset-password', 'magic-link/verify', 'verify-email', 'change-email/confirm', 'change-email/revert', '2fa/keep', 'link-verify'];
const MOVED = [...MAILED, '2fa', 'account-conflict'];
const TOKEN = 'token-of-a-mailed-link-0123456789';
const SCANNERS = ['Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2) SafeLinks', 'Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/120.0', 'Barracuda Sentinel (EE)', 'Slackbot-LinkExpanding 1.0', ''];
const BROWSER = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'Sec-Fetch-Mode': 'navigate' };
const EVIL = 'red;}</style><script>';
const PNG = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(200_000, 7)]);
let s;

before(async () => {
  s = await Server.start({ env: { SALLYPORT_MAIL_TRANSPORT: 'log', SALLYPORT_CORS_ORIGINS: '' } });
  s.note(TOKEN);
});
after(() => s.close());

const ui = (name, options, server = s) => server.get(`/auth/ui/${name}`, options);
const policyOf = (r) => Object.fromEntries(r.headers['content-security-policy'].split('; ').map((d) => [d.split(' ')[0], d.split(' ').slice(1).join(' ')]));
const nonceOf = (r) => policyOf(r)['script-src'].match(/^'nonce-([\w-]+)' /)[1];
const configOf = (r) => JSON.parse(r.text.match(/window\.__AUTH_CONFIG__ = (.*?);<\/script>/s)[1]);
const filesOf = (html) => [...html.matchAll(/(?:src|href)="(\/auth\/ui\/[^"]+\?v=[^"]+)"/g)].map((m) => m[1]);

/* A server with other settings, for one test. */
async function served(t, env, options = {}) {
  const own = await Server.start({ ...options, env });
  t.after(() => own.close());
  return own;
}

/* ---- pages ---- */

test('every page is served, in any case and with a slash at its end; the start page is the sign-in page', async () => {
  for (const name of PAGES)
    for (const as of [name, name.toUpperCase(), `${name}/`]) {
      const r = await ui(as);
      assert.deepEqual([r.status, r.headers['content-type'], r.headers['cache-control']], [200, 'text/html; charset=utf-8', 'no-store'], as);
    }
  const login = (await ui('login')).text.replaceAll(/nonce="[^"]*"/g, '');
  for (const start of ['/auth/ui', '/auth/ui/']) assert.equal((await s.get(start)).text.replaceAll(/nonce="[^"]*"/g, ''), login);
});

test('WB08 EL10 each page forbids framing, referrers, caches, and everything it does not bring itself', async () => {
  for (const name of PAGES) {
    const r = await ui(`${name}?token=${TOKEN}`, { headers: BROWSER });
    assert.deepEqual(policyOf(r), {
      'default-src': "'none'", 'script-src': `'nonce-${nonceOf(r)}' 'strict-dynamic'`, 'style-src': "'self'", 'img-src': "'self' data:", 'connect-src': "'self'", 'base-uri': "'none'",
      'form-action': "'self'", 'frame-ancestors': "'none'", 'object-src': "'none'", 'require-trusted-types-for': "'script'", 'trusted-types': "'none'",
    });
    const expected = { 'x-frame-options': 'DENY', 'cross-origin-opener-policy': 'same-origin', 'referrer-policy': 'no-referrer', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
    for (const [k, v] of Object.entries(expected)) assert.equal(r.headers[k], v, `${name}: ${k}`);
    assert.match(r.headers['permissions-policy'], /\bcamera=\(\), .*\bmicrophone=\(\)/);
  }
});

test('WB08 no page has a script without the nonce, a handler or a style in its markup', async () => {
  for (const name of PAGES) {
    const r = await ui(name), markup = r.text.replaceAll(/<script[^>]*>.*?<\/script>/gs, (all) => all.slice(0, all.indexOf('>') + 1));
    for (const [tag] of r.text.matchAll(/<script\b[^>]*>/g)) assert.ok(tag.includes(`nonce="${nonceOf(r)}"`), `${name}: ${tag}`);
    assert.doesNotMatch(markup, /<[^>]*\s(on\w+|style)=|<style|<base\b|javascript:/i, name);
    assert.doesNotMatch(r.text, /\{\{/, `${name}: a mark was left`);
  }
});

test('WB08 the nonce has 128 random bits and is new in every answer; without random bytes there is no page', async () => {
  const seen = new Set();
  for (let i = 0; i < 40; i++) seen.add(nonceOf(await ui(PAGES[i % PAGES.length])));
  assert.equal(seen.size, 40);
  for (const nonce of seen) assert.equal(Buffer.from(nonce, 'base64url').length, 16);
  s.control.set('RNG_LEFT', 0);
  const r = await ui('login');
  s.control.calm();
  assert.deepEqual([r.status, r.json.code, r.headers['content-security-policy']], [503, 'UNAVAILABLE', undefined]);
});

test('WB08 pages of the same origin may frame the pages when a setting says so, and reports go where one says', async (t) => {
  const own = await served(t, { SALLYPORT_UI_FRAME_ANCESTORS: 'self', SALLYPORT_UI_CSP_REPORT_URL: '/csp-reports' });
  const r = await ui('login', {}, own);
  assert.equal(policyOf(r)['frame-ancestors'], "'self'");
  assert.equal(r.headers['x-frame-options'], 'SAMEORIGIN');
  assert.equal(policyOf(r)['report-uri'], '/csp-reports');
});

test('WB10 EL10 the pages and all they load name no other origin', async () => {
  const seen = new Set();
  for (const name of PAGES) {
    const r = await ui(name);
    assert.doesNotMatch(r.text, /https?:\/\/|["'(=]\/\/|@import/i, name);
    filesOf(r.text).forEach((f) => seen.add(f));
  }
  for (const file of [...seen, '/auth/ui/auth.js', '/auth/ui/theme.css']) {
    const text = (await s.get(file)).text.replaceAll(' xmlns="http://www.w3.org/2000/svg"', '').replaceAll(/\/\*.*?\*\/|^\s*\/\/.*$/gms, '');
    assert.doesNotMatch(text, /https?:\/\/\w|["'(=]\/\/\w|@import/i, file);
  }
  assert.ok(seen.size >= 5);
});

test('EL10 nothing is loaded before the script that takes the token out of the address bar', async () => {
  for (const name of MAILED) {
    const { text } = await ui(name);
    const first = text.match(/<script\b[^>]*>(.*?)<\/script>/s), before_ = text.slice(0, first.index);
    assert.match(first[1], /history\.replaceState\(/, name);
    assert.doesNotMatch(before_, /<(link|img|script|iframe|object|video|audio)\b/i, name);
  }
});

test('a page is at most 60 KB with all it loads at first', async () => {
  for (const name of PAGES) {
    const html = (await ui(name)).text, all = new Set(filesOf(html));
    let bytes = Buffer.byteLength(html);
    for (const file of all) {
      const { body, text } = await s.get(file);
      bytes += body.length;
      if (/\.js\?/.test(file)) for (const [, to] of text.matchAll(/(?:from|import) '(\.\/[\w.]+)'/g)) all.add(`/auth/ui/${to.slice(2)}`);
    }
    assert.ok(bytes <= 60_000, `${name}: ${bytes} bytes`);
  }
});

test('what a link says is not in its page, whatever it says', async () => {
  const bare = (r) => r.text.replaceAll(nonceOf(r), '');
  for (const name of MAILED) assert.equal(bare(await ui(`${name}?token=%3Cscript%3Ealert(1)%3C/script%3E&x=${TOKEN}`)), bare(await ui(name)), name);
});

test('HEAD answers with the headers of GET and no body', async () => {
  for (const name of [...PAGES, 'auth.js', 'theme.css', 'config']) {
    const get = await ui(name), head = await s.request('HEAD', `/auth/ui/${name}`);
    assert.deepEqual([head.status, head.body.length], [200, 0]);
    assert.deepEqual(Object.keys(head.headers).sort(), Object.keys(get.headers).sort());
    assert.equal(head.headers['content-length'], get.headers['content-length']);
  }
});

/* ---- what is not served ---- */

test('HT17 only names of the table are served: no traversal, no file of the disk, no template', async () => {
  const names = ['nope', 'login.html', 'index.html', 'i18n/en.json', 'assets', 'assets/', 'assets/nope', 'assets/logo', 'assets/theme.css', 'login/login', 'change-email', 'docs', 'openapi.json', 'admin', 'passwd'];
  for (const name of names) {
    const r = await ui(name, { headers: BROWSER });
    assert.deepEqual([r.status, r.json.code], [404, 'NOT_FOUND'], name);
  }
  const up = ['../', '..%2f', '%2e%2e/', '%2e%2e%2f', '..%5c', '..\\', '.%2e/', '%252e%252e%252f', '..%c0%af', '..;/', './', '//', '/', '%00', '%2fetc%2fpasswd', 'C:%5c', '....//', '..%00/'];
  for (const hop of up)
    for (const target of [`/auth/ui/${hop.repeat(8)}etc/passwd`, `/auth/ui/${hop}login.html`, `/auth/ui/assets/${hop}auth.js`, `/auth/ui/login${hop}`, `/auth/ui/auth.js${hop}`]) {
      const { answers: [r] } = await s.raw(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, { answers: 1 });
      if (target === '/auth/ui/login/' || target === '/auth/ui/auth.js/') continue; // the same path
      assert.ok([400, 404].includes(r.status), `${target}: ${r.status}`);
      assert.doesNotMatch(r.body, /root:|<html/);
    }
});

test('HT17 a directory of languages is left neither by its names nor by symbolic links', async (t) => {
  const home = fs.mkdtempSync('/tmp/sallyport-lang-');
  t.after(() => fs.rmSync(home, { recursive: true }));
  fs.writeFileSync(path.join(home, 'secret'), JSON.stringify({ login_title: 'SECRET' }));
  fs.mkdirSync(path.join(home, 'lang'));
  fs.symlinkSync('../secret', path.join(home, 'lang', 'nl.json'));
  const own = await served(t, { SALLYPORT_UI_LANG_DIR: path.join(home, 'lang') });
  for (const lang of ['nl', '../secret', '..%2fsecret', '/etc/passwd', 'nl.json']) {
    const r = await ui(`login?lang=${lang}`, {}, own);
    assert.equal(r.status, 200);
    assert.equal(configOf(r).lang, 'en');
    assert.doesNotMatch(r.text, /SECRET/);
  }
});

test('a page that is switched off is not there: registration, headless, all of them', async (t) => {
  const closed = await served(t, { SALLYPORT_REGISTRATION_ENABLED: 'false' });
  assert.equal((await ui('register', {}, closed)).status, 404);
  assert.equal((await ui('login', {}, closed)).status, 200);
  assert.equal((await ui('config', {}, closed)).json.features.register, false);

  const headless = await served(t, { SALLYPORT_UI_HEADLESS: 'true' });
  for (const name of PAGES) assert.deepEqual((await ui(name, {}, headless)).json.code, 'NOT_FOUND', name);
  assert.equal((await headless.get('/auth/ui')).status, 404);
  assert.equal((await ui('config', {}, headless)).json.headless, true);
  for (const name of ['auth.js', 'assets/auth.js', 'base.css', 'theme.css']) assert.equal((await ui(name, {}, headless)).status, 200, name);

  const off = await served(t, { SALLYPORT_UI_ENABLED: 'false' });
  for (const name of [...PAGES, 'config', 'auth.js', 'theme.css']) assert.equal((await ui(name, {}, off)).status, 404, name);
});

/* ---- the way there ---- */

test('EL01 browsers that open a link without /ui/ are led to its page, with its query, and nothing is used up', async () => {
  const before_ = await s.metric('store_transactions_total');
  for (const name of MOVED)
    for (const query of [`?token=${TOKEN}`, '', '?tempToken=a%2Fb&methods=totp%2Csms&x=%0d%0a'.replace('%0d%0a', '1')])
      for (const method of ['GET', 'HEAD']) {
        const r = await s.request(method, `/auth/${name}${query}`, { headers: BROWSER });
        assert.deepEqual([r.status, r.headers.location, r.headers.vary, r.headers['cache-control']], [302, `/auth/ui/${name}${query}`, 'Accept', 'no-store'], name);
      }
  assert.equal(await s.metric('store_transactions_total'), before_);
  assert.equal((await s.get('/AUTH/Reset-Password/?a=b', { headers: BROWSER })).headers.location, '/auth/ui/reset-password?a=b');
});

test('EL01 scanners that open mailed links twenty times with GET and HEAD change nothing; then a POST does', async () => {
  const u = await s.register();
  await s.post('/auth/forgot-password', { email: u.email });
  const link = await until(() => [...s.stdout.matchAll(/https:\/\/auth\.example\.test(\/auth\/ui\/reset-password\?token=([0-9a-f]{64}))/g)].at(-1), 'the link');
  s.secrets.delete(link[2]);
  await until(async () => (await s.sql('SELECT count(*) FROM outbox')) === '0', 'the mail to be struck off');
  const count = await s.metric('store_transactions_total');
  for (const agent of SCANNERS)
    for (const method of ['GET', 'HEAD'])
      for (const where of [link[1], link[1].replace('/ui/', '/')]) assert.ok((await s.request(method, where, { headers: { 'User-Agent': agent } })).status < 303);
  assert.equal(await s.metric('store_transactions_total'), count);
  assert.equal((await s.post('/auth/reset-password', { token: link[2], password: 'quite another pass 7' })).status, 200);
});

test('EL03 GET /verify-email of programs answers JSON as ever, with and without pages', async (t) => {
  const off = await served(t, { SALLYPORT_UI_ENABLED: 'false' });
  for (const server of [s, off])
    for (const headers of [{}, { Accept: '*/*' }, { Accept: 'application/json' }, { 'User-Agent': 'Dart/3.5 (dart:io)', 'Content-Type': 'application/json' }]) {
      const r = await server.get(`/auth/verify-email?token=${'0'.repeat(64)}`, { headers });
      assert.deepEqual([r.status, r.json.code], [400, 'INVALID_VERIFICATION_TOKEN'], JSON.stringify(headers));
    }
});

test('without pages the links lead on to the application, or nowhere', async (t) => {
  const env = { SALLYPORT_UI_HEADLESS: 'true' };
  const own = await served(t, env);
  for (const name of MOVED) assert.equal((await own.get(`/auth/${name}?token=${TOKEN}`, { headers: BROWSER })).status, 404, name);
  own.env.SALLYPORT_SITE_APP_URL = 'https://app.example.test/start';
  await own.restart();
  for (const name of MOVED) {
    const r = await own.get(`/auth/${name}?token=${TOKEN}`, { headers: BROWSER });
    assert.deepEqual([r.status, r.headers.location], [302, `https://app.example.test/start/${name}?token=${TOKEN}`], name);
  }
});

test('HT16 a redirect says nothing but what the query said, in one line', async () => {
  for (const query of ['a=%0d%0aSet-Cookie:%20x=1', 'a=%00', `a=${'b'.repeat(1500)}`, 'a="><script>', "a='b'"]) {
    const { answers: [r] } = await s.raw(`GET /auth/2fa?${query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, { answers: 1 });
    assert.ok(r.status === 302 || r.status === 400, `${query}: ${r.status}`);
    assert.doesNotMatch(r.headers['set-cookie'] ?? '', /x=1/);
    if (r.status === 302) assert.match(r.headers.location, /^\/auth\/ui\/2fa\?a=[!-~]*$/);
  }
});

/* ---- files ---- */

test('files are told apart by what is in them: for ever by their hash, asked again otherwise', async () => {
  const files = filesOf((await ui('login')).text);
  assert.ok(files.length >= 4, files.join());
  for (const file of files) {
    const r = await s.get(file), bare = await s.get(file.split('?')[0]);
    assert.equal(r.status, 200, file);
    assert.equal(r.headers['cache-control'], 'public, max-age=31536000, immutable', file);
    assert.equal(bare.headers['cache-control'], 'public, max-age=0');
    assert.equal((await s.get(`${file.split('?')[0]}?v=0000000000000000`)).headers['cache-control'], 'public, max-age=0');
    assert.match(r.headers.etag, /^"[0-9a-f]{16}"$/);
    assert.equal(r.headers.etag, bare.headers.etag);
    assert.equal(file.split('?v=')[1], r.headers.etag.slice(1, -1));
    for (const known of [r.headers.etag, `W/${r.headers.etag}`, `"x", ${r.headers.etag}`, '*']) {
      const again = await s.get(file, { headers: { 'If-None-Match': known } });
      assert.deepEqual([again.status, again.body.length, again.headers.etag], [304, 0, r.headers.etag], known);
    }
    for (const other of ['"x"', r.headers.etag.slice(0, -1), '']) assert.equal((await s.get(file, { headers: { 'If-None-Match': other } })).status, 200);
  }
});

test('types of files say what they are', async () => {
  const types = { 'auth.js': 'text/javascript; charset=utf-8', 'assets/auth.js': 'text/javascript; charset=utf-8', 'base.css': 'text/css; charset=utf-8', 'theme.css': 'text/css; charset=utf-8', 'ui-i18n-keys.json': 'application/json; charset=utf-8' };
  for (const [name, type] of Object.entries(types)) assert.equal((await ui(name)).headers['content-type'], type, name);
  assert.equal((await ui('auth.js')).text, (await ui('assets/auth.js')).text);
});

test('the list of texts names every page, and only texts there are', async () => {
  const keys = (await ui('ui-i18n-keys.json')).json, all = (await ui('config')).json.translations;
  assert.deepEqual(Object.keys(keys).sort(), [...PAGES, 'web-view'].sort());
  for (const [page, list] of Object.entries(keys)) {
    assert.ok(list.length > 3, page);
    for (const key of list) assert.ok(key in all, `${page}: ${key}`);
    assert.deepEqual(Object.keys((await ui(`config?page=${page}`)).json.translations), list, page);
    if (page !== 'web-view') assert.deepEqual(Object.keys(configOf(await ui(page)).translations), list, page); // shown where a sign-in starts
  }
});

test('the five languages have the same texts, and no text is empty', () => {
  const texts = Object.fromEntries(['en', 'it', 'de', 'fr', 'es'].map((l) => [l, JSON.parse(source(`web/ui/i18n/${l}.json`))]));
  for (const [lang, t] of Object.entries(texts)) {
    assert.deepEqual(Object.keys(t).sort(), Object.keys(texts.en).sort(), lang);
    const holes = (text) => [...text.matchAll(/\{\w+\}/g)].map((m) => m[0]).sort();
    for (const key of Object.keys(t)) assert.deepEqual(holes(t[key]), holes(texts.en[key]), `${lang}: ${key}`);
  }
});

/* ---- languages ---- */

test('the query chooses the language, then the browser, then the setting', async (t) => {
  const langOf = (r) => [r.text.match(/<html lang="([\w-]+)" dir="(\w+)"/).slice(1).join(), configOf(r).lang];
  const rows = [['login', {}, 'en'], ['login?lang=it', { 'Accept-Language': 'de' }, 'it'], ['login', { 'Accept-Language': 'nl, fr-CH;q=0.8, de;q=0.9' }, 'de'], ['login?lang=nl', { 'Accept-Language': 'es-MX' }, 'es'],
    ['login?lang=%3Cscript%3E', {}, 'en'], ['login?lang=', {}, 'en'], ['login?lang=de%00', {}, 'en'], ['login?lang=de_DE', {}, 'de'], ['login?lang=it_IT.UTF-8', {}, 'it'], ['login?lang=de-DE-1996', {}, 'de'], ['login?lang=nl,fr;q=0.5', {}, 'fr']];
  for (const [page, headers, lang] of rows) {
    const r = await ui(page, { headers });
    assert.deepEqual(langOf(r), [`${lang},ltr`, lang], page);
  }
  assert.equal((await ui('login?lang=de&lang=it')).status, 400);

  const lang = fs.mkdtempSync('/tmp/sallyport-lang-');
  t.after(() => fs.rmSync(lang, { recursive: true }));
  fs.writeFileSync(path.join(lang, 'ar.json'), JSON.stringify({ login_title: 'دخول <b>', nonsense: 'x' }));
  const own = await served(t, { SALLYPORT_MAIL_DEFAULT_LANG: 'fr', SALLYPORT_UI_LANG_DIR: lang });
  assert.deepEqual(langOf(await ui('login', {}, own)), ['fr,ltr', 'fr']);
  const ar = await ui('login?lang=ar', {}, own);
  assert.deepEqual(langOf(ar), ['ar,rtl', 'ar']);
  assert.match(ar.text, /<title>دخول &lt;b&gt;/);
  assert.equal((await ui('config?lang=ar', {}, own)).json.translations.login_title, 'دخول <b>');
  assert.ok(own.events('ui_language').some((l) => l.lang === 'ar' && l.key === 'nonsense'));
});

test('a language that is added is there after a reload', async (t) => {
  const own = await served(t, {});
  assert.equal((await ui('config?lang=nl', {}, own)).json.lang, 'en');
  fs.mkdirSync(path.join(own.dataDir, 'lang'));
  fs.writeFileSync(path.join(own.dataDir, 'lang', 'nl.json'), JSON.stringify({ login_title: 'Inloggen' }));
  own.child.kill('SIGHUP');
  await until(() => own.events('reloaded').length > 0, 'the reload');
  assert.equal((await ui('config?lang=nl', {}, own)).json.translations.login_title, 'Inloggen');
});

/* ---- configuration ---- */

test('ui/config answers nested and flat, without what is not set, and may be kept for a minute', async () => {
  const r = await ui('config'), { translations, ...rest } = r.json;
  assert.deepEqual([r.headers['cache-control'], r.headers.vary], ['public, max-age=60', 'Accept-Language']);
  assert.ok(Object.keys(translations).length > 100);
  assert.deepEqual(rest, {
    apiPrefix: '/auth', features: { register: true, magicLink: true, sms: false, google: false, github: false, forgotPassword: true, verifyEmail: false, twoFactor: true, rememberDevice: false, oauthProviders: [], oauthLabels: {}, oauthMarks: {}, askNames: true },
    ui: { primaryColor: '#2f5bd8', secondaryColor: '#57606a', siteName: 'Sallyport' }, lang: 'en', languages: ['en', 'it', 'de', 'fr', 'es'],
    registrationEnabled: true, magicLinkEnabled: true, smsEnabled: false, totpEnabled: true, googleEnabled: false, githubEnabled: false, availableProviders: [], headless: false,
  });
});

test('features are what the settings allow', async (t) => {
  const own = await served(t, { SALLYPORT_MAIL_TRANSPORT: 'none', SALLYPORT_SMS_TRANSPORT: 'log', SALLYPORT_SMS_COUNTRIES: 'any', SALLYPORT_REGISTRATION_ENABLED: 'false' });
  const { features } = (await ui('config', {}, own)).json;
  assert.deepEqual([features.register, features.magicLink, features.sms, features.forgotPassword, features.verifyEmail], [false, false, true, false, false]);
});

test('what an operator sets is in the configuration and in the pages', async (t) => {
  const home = fs.mkdtempSync('/tmp/sallyport-theme-');
  t.after(() => fs.rmSync(home, { recursive: true }));
  fs.writeFileSync(path.join(home, 'logo'), PNG);
  fs.writeFileSync(path.join(home, 'own.css'), '.logo { border: 1px solid }');
  const own = await served(t, {
    SALLYPORT_UI_PRIMARY_COLOR: 'gold', SALLYPORT_UI_LOGO_FILE: path.join(home, 'logo'), SALLYPORT_UI_CSS_FILE: path.join(home, 'own.css'), SALLYPORT_UI_HOME_URL: 'https://app.example.test/?a=1&b=2',
    SALLYPORT_UI_LOGIN_URL: '/sign-in', SALLYPORT_UI_BG_IMAGE: 'https://cdn.example.test/bg.jpg', SALLYPORT_UI_CARD_BG: '#000',
  });
  const config = (await ui('config', {}, own)).json;
  assert.deepEqual([config.homeUrl, config.loginUrl, config.ui.primaryColor, config.ui.logoUrl, config.ui.bgImage], ['https://app.example.test/?a=1&b=2', '/sign-in', 'gold', '/auth/ui/assets/logo', 'https://cdn.example.test/bg.jpg']);
  const page = await ui('login', {}, own), logo = page.text.match(/<img class="logo" alt="" src="([^"]+)">/)[1];
  assert.match(page.text, /data-home="https:\/\/app\.example\.test\/\?a=1&amp;b=2"/);
  assert.equal(policyOf(page)['img-src'], "'self' data: https://cdn.example.test");
  const picture = await own.get(logo);
  assert.deepEqual([picture.headers['content-type'], picture.headers['cache-control'], picture.body.equals(PNG)], ['image/png', 'public, max-age=31536000, immutable', true]);
  const css = await own.get(page.text.match(/<link rel="stylesheet" href="(\/auth\/ui\/assets\/custom\.css\?v=\w+)">/)[1]);
  assert.equal(css.text, '.logo { border: 1px solid }');
  assert.equal((await ui('theme.css', {}, own)).text,
    ':root{--card-bg:#000000;color-scheme:dark;--text-color:#eceff3;--text-muted:#a7b0bc;--border-color:#727c89;--primary-color:#ffd700;--primary-color-hover:#ffde2e;--primary-contrast:#000000;--input-focus:#ffd700;--bg-image:url("https://cdn.example.test/bg.jpg");}\n');
});

test('a picture is sent whole while settings are reloaded again and again', async (t) => {
  const home = fs.mkdtempSync('/tmp/sallyport-theme-');
  t.after(() => fs.rmSync(home, { recursive: true }));
  fs.writeFileSync(path.join(home, 'logo'), PNG);
  const own = await served(t, { SALLYPORT_UI_LOGO_FILE: path.join(home, 'logo') });
  for (let i = 0; i < 20; i++) {
    const answers = Promise.all(Array.from({ length: 8 }, () => ui('assets/logo', {}, own)));
    own.child.kill('SIGHUP');
    for (const r of await answers) assert.ok(r.status === 200 && r.body.equals(PNG));
  }
  await until(() => own.events('reloaded').length > 0, 'a reload');
});

test('a reload whose files are bad keeps what was there, and says so', async (t) => {
  const home = fs.mkdtempSync('/tmp/sallyport-theme-');
  t.after(() => fs.rmSync(home, { recursive: true }));
  fs.writeFileSync(path.join(home, 'logo'), PNG);
  const own = await served(t, { SALLYPORT_UI_LOGO_FILE: path.join(home, 'logo') });
  fs.writeFileSync(path.join(home, 'logo'), '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
  own.child.kill('SIGHUP');
  const line = await until(() => own.events('reload_refused')[0], 'the refusal');
  assert.match(line.why, /^ui\.logo_file: .* is no PNG, JPEG or WebP$/);
  assert.ok((await ui('assets/logo', {}, own)).body.equals(PNG));
});

test('WB13 branding is checked by grammar before anything starts', async () => {
  const rows = [
    ['PRIMARY_COLOR', EVIL], ['SECONDARY_COLOR', EVIL], ['BG_COLOR', 'url(//evil.test)'], ['CARD_BG', 'expression(1)'], ['PRIMARY_COLOR', 'rgb(1,2,3);x:y'], ['LOGO_URL', EVIL],
    ['LOGO_URL', 'javascript:alert(1)'], ['LOGO_URL', '//evil.test/x.png'], ['LOGO_URL', 'http://evil.test/x.png'], ['LOGO_URL', '/x".png'], ['BG_IMAGE', '/x");}'], ['BG_IMAGE', "/x'"], ['BG_IMAGE', 'data:image/png,x'],
    ['HOME_URL', 'javascript:alert(1)'], ['HOME_URL', '//evil.test'], ['HOME_URL', '/\\evil.test'], ['HOME_URL', 'https://user:pw@app.example.test/'], ['LOGIN_URL', '/%2f%2fevil'], ['REGISTER_URL', 'vbscript:x'],
    ['CSP_REPORT_URL', "/x; script-src 'unsafe-inline'"], ['CSP_REPORT_URL', '/x,default-src *'], ['FRAME_ANCESTORS', '*'], ['SITE_NAME', ''],
  ];
  for (const [name, value] of rows) {
    const r = await run(SALLYPORT, ['check-config'], { env: { [`SALLYPORT_UI_${name}`]: value } });
    assert.equal(r.code, 3, `${name} ${value}`);
    assert.match(r.stderr, new RegExp(`ui\\.${name.toLowerCase()}: `), `${name} ${value}`);
  }
  for (const [name, value] of [['PRIMARY_COLOR', 'hsl(224 69% 52% / 50%)'], ['LOGO_URL', '/logo.png?x=1'], ['LOGO_URL', 'https://cdn.example.test/logo.png'], ['HOME_URL', '/app#/inbox'], ['HOME_URL', 'http://127.0.0.1:4200/']])
    assert.equal((await run(SALLYPORT, ['check-config'], { env: { [`SALLYPORT_UI_${name}`]: value } })).code, 0, `${name} ${value}`);
});

test('check-config looks into the files that the settings name', async () => {
  const r = await run(SALLYPORT, ['check-config'], { env: { SALLYPORT_UI_LOGO_FILE: '/nonexistent/logo.png' } });
  assert.equal(r.code, 3);
  assert.match(r.stderr, /ui\.logo_file: \/nonexistent\/logo\.png cannot be read/);
});

test('WB13 WB15 a name of the site that looks like markup is text everywhere', async (t) => {
  const name = '</title></script><script>alert(1)</script>"\'&$&{{7*7}}\u00e9';
  const own = await served(t, { SALLYPORT_UI_SITE_NAME: name });
  for (const page of PAGES) {
    const { text } = await ui(page, {}, own);
    assert.ok(text.includes('&lt;/title&gt;&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;$&amp;{{7*7}}\u00e9'), page);
    assert.doesNotMatch(text, /<script>alert/);
  }
  assert.equal(configOf(await ui('login', {}, own)).ui.siteName, name);
  const r = await ui('config', {}, own);
  assert.equal(r.json.ui.siteName, name);
  assert.doesNotMatch(r.text, /[<>&\u2028\u2029]/);
  assert.equal(r.headers['content-type'], 'application/json; charset=utf-8');
});

test('WB15 the configuration inside a page cannot end its script', async () => {
  for (const name of PAGES) {
    const r = await ui(`${name}?lang=${encodeURIComponent('</script><script>alert(1)//')}&redirect=${encodeURIComponent('/</script><script>alert(1)//')}`);
    const inside = r.text.match(/window\.__AUTH_CONFIG__ = (.*?);<\/script>/s)[1];
    assert.doesNotMatch(inside, /[<>&\u2028\u2029]/);
    assert.doesNotMatch(r.text, /alert\(1\)\/\/<|<script>alert/);
    assert.equal('headless' in JSON.parse(inside), false);
  }
});

test('WB14 OC08 the way back is a path of this origin or nothing, by the one table', async () => {
  const { good, bad } = JSON.parse(source('test/data/return_paths.json'));
  for (const value of good) assert.equal(configOf(await ui(`login?redirect=${encodeURIComponent(value)}`)).returnTo, value);
  for (const value of bad.filter((v) => v.isWellFormed?.() ?? true)) {
    const r = await ui(`login?redirect=${encodeURIComponent(value)}`);
    if (r.status === 400) continue; // what no path and no query may hold
    assert.equal('returnTo' in configOf(r), false, value);
  }
  assert.equal('returnTo' in configOf(await ui('login?redirect=/a&redirect=/b')), false);
  assert.equal('returnTo' in configOf(await ui(`login?redirect=/${'a'.repeat(2100)}`, { unchecked: true }).catch(() => ui('login'))), false);
});

/* ---- all routes ---- */

test('WB07 every answer of every route forbids sniffing, referrers, foreign use and caches', async (t) => {
  const own = await served(t, { SALLYPORT_DOCS_ENABLED: 'true', SALLYPORT_SERVER_TRUSTED_PROXIES: '127.0.0.1' });
  const tls = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '203.0.113.9' };
  const cached = (path_) => /jwks\.json$|openapi\.json$|\/ui\/config$|\.(js|css)$/.test(path_);
  const check = (r, where, secure) => {
    assert.equal(r.headers['x-content-type-options'], 'nosniff', where);
    assert.equal(r.headers['referrer-policy'], 'no-referrer', where);
    assert.equal(r.headers['cross-origin-resource-policy'], /jwks\.json$|auth\.js$/.test(where) && r.status === 200 ? 'cross-origin' : 'same-origin', where);
    if (!(cached(where) && r.status < 400)) assert.equal(r.headers['cache-control'], 'no-store', where);
    assert.equal(r.headers['strict-transport-security'], secure ? 'max-age=31536000; includeSubDomains' : undefined, where);
    if (r.headers['content-type']?.startsWith('application/json')) assert.equal(r.headers['content-type'], 'application/json; charset=utf-8', where);
  };
  const paths = routes.flatMap((r) => [r.method, 'PUT', 'OPTIONS', 'HEAD'].map((m) => [m, examplePath(r)]));
  paths.push(...PAGES.map((p) => ['GET', `/auth/ui/${p}`]), ['GET', '/auth/ui/auth.js'], ['GET', '/auth/ui/base.css'], ['GET', '/auth/docs/viewer.js'], ['GET', '/nope'], ['GET', '/auth/nope'], ['GET', '/'], ['BREW', '/auth/me']);
  for (const [method, where] of paths) {
    check(await own.request(method, where, { unchecked: true }), where, false);
    check(await own.request(method, where, { headers: tls, json: method === 'GET' || method === 'HEAD' ? undefined : {}, token: 'junk', unchecked: true }), where, true);
  }
  for (const raw of ['GET /auth/%2e%2e HTTP/1.1\r\nHost: x\r\n\r\n', 'POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n', 'GARBAGE\r\n\r\n']) {
    const { answers: [r] } = await own.raw(raw, { answers: 1 });
    check(r, raw.slice(0, 20), false);
  }
});

test('WB12 what Accept says changes nobody\'s rights, on any route', async (t) => {
  const own = await served(t, { SALLYPORT_DOCS_ENABLED: 'true', SALLYPORT_LIMITS_BAD_TOKENS: '1000000' });
  const user = await own.signedIn();
  for (const route of routes) {
    const where = examplePath(route), json = route.body ? {} : undefined;
    if (/oauth/.test(where) && route.method === 'GET') continue; // a browser is taken to a page that says what is wrong
    if (route.handler === 'api_ui_front') continue; // nothing but the way to the pages, in mailed_links.test.mjs
    if (/logout|DELETE|guest/.test(`${route.method} ${where}`)) continue; // tried without a credential below
    for (const token of [undefined, 'junk', user.accessToken]) {
      const seen = new Set();
      for (const Accept of ['application/json', 'text/html', '*/*', 'garbage', undefined]) {
        if (where === '/auth/verify-email' && route.method === 'GET' && Accept === 'text/html') continue; // EL01: public either way
        const r = await own.request(route.method, where, { token, json, headers: Accept === undefined ? {} : { Accept }, strategy: 'bearer' });
        seen.add(`${r.status} ${r.status >= 400 ? r.json.code : ''}`);
      }
      assert.equal(seen.size, 1, `${route.method} ${where}: ${[...seen]}`);
    }
  }
  for (const route of routes.filter((r) => r.auth !== 'PUBLIC' && r.method === 'DELETE'))
    for (const Accept of ['application/json', 'text/html', '*/*', 'garbage', ''])
      assert.equal((await own.request(route.method, examplePath(route), { headers: { Accept } })).json.code, 'NO_ACCESS_TOKEN', route.path);
});
