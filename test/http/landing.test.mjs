// landing.test.mjs — the page behind the links in mails, as far as it can be judged without a browser.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server } from '../lib/server.mjs';

const PAGES = ['/auth/reset-password', '/auth/change-email/confirm', '/auth/change-email/revert', '/auth/2fa/reset/cancel', '/auth/magic-link/verify', '/auth/link-verify'];
const TOKEN = 'token-of-a-mailed-link-0123456789';
const SCANNERS = ['Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2) SafeLinks', 'Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/120.0', 'Barracuda Sentinel (EE)', 'Slackbot-LinkExpanding 1.0', ''];
let s, page;

before(async () => {
  s = await Server.start();
  s.note(TOKEN);
  page = (await s.get(`${PAGES[0]}?token=${TOKEN}`)).text;
});
after(() => s.close());

const policyOf = (r) => Object.fromEntries(r.headers['content-security-policy'].split('; ').map((d) => [d.split(' ')[0], d.split(' ').slice(1).join(' ')]));
const nonceOf = (r) => policyOf(r)['script-src'].match(/^'nonce-([\w-]+)'$/)[1];
const script = () => page.match(/<script[^>]*>(.*)<\/script>/s)[1];

test('EL10 each page forbids framing, referrers, caches and everything it does not bring itself', async () => {
  for (const path of PAGES) {
    const r = await s.get(`${path}?token=${TOKEN}`, { headers: { Accept: 'text/html' } });
    assert.equal(r.status, 200);
    assert.equal(r.headers['content-type'], 'text/html; charset=utf-8');
    assert.equal(r.headers['cache-control'], 'no-store');
    assert.equal(r.headers['referrer-policy'], 'no-referrer');
    assert.equal(r.headers['x-frame-options'], 'DENY');
    assert.equal(r.headers['cross-origin-opener-policy'], 'same-origin');
    const nonce = `'nonce-${nonceOf(r)}'`;
    assert.deepEqual(policyOf(r), { 'default-src': "'none'", 'script-src': nonce, 'style-src': nonce, 'connect-src': "'self'", 'base-uri': "'none'", 'form-action': "'none'", 'frame-ancestors': "'none'", 'require-trusted-types-for': "'script'" });
  }
});

test('the nonce has 128 random bits, is new in every answer, and stands at the script and the style', async () => {
  const seen = new Set();
  for (let i = 0; i < 50; i++) {
    const r = await s.get(PAGES[i % PAGES.length]);
    assert.equal(Buffer.from(nonceOf(r), 'base64url').length, 16);
    assert.deepEqual([...r.text.matchAll(/<(script|style) nonce="([^"]*)">/g)].map((m) => [m[1], m[2]]), [['style', nonceOf(r)], ['script', nonceOf(r)]]);
    seen.add(nonceOf(r));
  }
  assert.equal(seen.size, 50);
});

test('without random bytes there is no page', async () => {
  s.control.set('RNG_LEFT', 0);
  const r = await s.get(PAGES[0]);
  s.control.calm();
  assert.deepEqual([r.status, r.json.code], [503, 'UNAVAILABLE']);
  assert.equal(r.headers['content-security-policy'], undefined);
});

test('EL10 the page brings all it needs: no address of anybody, nothing to load, less than 16 KiB', () => {
  assert.doesNotMatch(page, /https?:|["'(]\/\/|@import|url\(|<(link|img|iframe|object|embed|base|video|audio|svg)\b/i);
  assert.doesNotMatch(page, /\s(src|href|action|srcset|style|on[a-z]+)=/i, 'nothing that the policy would have to allow');
  assert.ok(Buffer.byteLength(page) < 16 * 1024);
});

test('EL10 the first thing the script does is to take the token out of the address bar', () => {
  const statements = script().split('\n').filter((l) => l !== '' && !l.startsWith('//'));
  assert.equal(statements[0], "'use strict';");
  assert.match(statements[1], /^const token = .*location\.search.*;$/);
  assert.equal(statements[2], "history.replaceState(null, '', location.pathname);");
});

test('EL02 the script sends only when the form is submitted, and submits no form', () => {
  assert.equal(script().match(/\bfetch\(/g).length, 1);
  assert.equal(script().match(/\bsend\(\)/g).length, 2, 'its definition and one call');
  assert.match(script(), /addEventListener\('submit', async \(event\) => \{[^}]*await send\(\);/);
  assert.doesNotMatch(script(), /\.click\(|\.submit\(|requestSubmit|sendBeacon|XMLHttpRequest|setTimeout|innerHTML|document\.write|eval\(/);
});

test('EL02 the page of a sign-in link has nothing to press: a browser cannot keep an app\'s tokens', () => {
  const texts = new Function(`return ${script().match(/^const texts = (\{.*?^\});$/ms)[1]}`)();
  const actions = Object.entries(texts.en).filter(([, t]) => Array.isArray(t));
  assert.deepEqual(actions.filter(([, t]) => t.length !== 4).map(([a, t]) => [a, t.length]), [['magic-link/verify', 2]]);
  assert.match(script(), /\$\('go'\)\.textContent = ''\] = t\[action\];/);
  assert.match(script(), /^\$\('go'\)\.hidden = !\$\('go'\)\.textContent;$/m);
});

test('what the link says is not in the page, whatever it says', async () => {
  const plain = await s.get(PAGES[0]);
  const r = await s.get(`${PAGES[0]}?token=%3Cscript%3Ealert(1)%3C/script%3E&x=${TOKEN}`);
  assert.equal(r.text.replaceAll(nonceOf(r), ''), plain.text.replaceAll(nonceOf(plain), ''));
});

test('EL01 scanners that follow the link with GET and HEAD change nothing in the store', async () => {
  const before_ = await s.metric('store_transactions_total');
  for (const path of PAGES)
    for (const agent of SCANNERS)
      for (const method of ['GET', 'HEAD']) {
        const r = await s.request(method, `${path}?token=${TOKEN}`, { headers: { 'User-Agent': agent } });
        assert.equal(r.status, 200);
      }
  assert.equal(await s.metric('store_transactions_total'), before_);
});

test('HEAD answers with the headers of GET and no body', async () => {
  for (const path of PAGES) {
    const get = await s.get(path), head = await s.request('HEAD', path);
    assert.deepEqual([head.status, head.body.length], [200, 0]);
    assert.deepEqual(Object.keys(head.headers).sort(), Object.keys(get.headers).sort());
    assert.equal(head.headers['content-length'], get.headers['content-length']);
  }
});

test('the page is found in any case and with a slash at its end, as other paths are', async () => {
  for (const path of ['/AUTH/Reset-Password', '/auth/change-email/confirm/']) assert.equal((await s.get(path)).headers['content-type'], 'text/html; charset=utf-8');
});

test('every language of the page has every text', () => {
  const source = script().match(/^const texts = (\{.*?^\});$/ms)[1];
  const texts = new Function(`return ${source}`)();
  assert.deepEqual(Object.keys(texts), ['en', 'it', 'de', 'fr', 'es']);
  const shape = (t) => Object.entries(t).map(([k, v]) => [k, Array.isArray(v) ? v.length : typeof v]);
  for (const [lang, t] of Object.entries(texts)) {
    assert.deepEqual(shape(t), shape(texts.en), lang);
    for (const text of Object.values(t).flat()) assert.ok(text.trim().length > 2, lang);
  }
});
