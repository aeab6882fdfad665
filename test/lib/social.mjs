// social.mjs — what the tests of sign-in through providers share: a server with a fake provider, browsers, an app.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { Browser } from './browser.mjs';
import { FakeProvider, sha256 } from './fake_provider.mjs';
import { Mailed } from './mailed.mjs';

export const AUTH = 'https://auth.example.test', SITE = 'https://app.example.test', APP = 'com.example.app:/signed-in';

export class Social {
  static async start({ env = {}, provider, ...options } = {}) {
    const t = new Social();
    t.p = provider ?? (await FakeProvider.start());
    t.mailed = await Mailed.start({
      clock: 'real',
      env: {
        SALLYPORT_OAUTH_ALLOW_PRIVATE: 'true', ...t.p.env(), SALLYPORT_SITE_URLS: `${SITE},https://other.example.test/base,myapp://auth`,
        SALLYPORT_NATIVE_REDIRECT_URIS: `${APP}, myapp://auth, http://127.0.0.1/cb, https://claimed.example.test/auth`, ...env,
      },
      ...options,
    });
    t.s = t.mailed.s;
    t.p.now = () => t.s.now;
    return t;
  }

  async close() {
    await this.mailed.close();
    this.p.close();
  }

  browser(headers) {
    return new Browser({ [AUTH]: this.s.target }, headers);
  }

  /* A sign-in for the site in a browser, to its end. */
  async web(query = '', { browser = this.browser(), provider = 'fake', ...options } = {}) {
    const r = await browser.go(`${AUTH}/auth/oauth/${provider}${query}`, options);
    return { ...r, browser, end: new URL(r.url) };
  }

  /* A browser that has been to the provider, and the address it is sent back to. */
  async half(query = '', { browser = this.browser(), provider = 'fake' } = {}) {
    const r = await browser.go(`${AUTH}/auth/oauth/${provider}${query}`, { stop: (url) => url.startsWith(`${AUTH}/auth/oauth/`) && url.includes('/callback') });
    return { browser, callback: r.url };
  }

  me(browser) {
    return browser.ask(`${AUTH}/auth/me`, { headers: { Accept: 'application/json', 'Sec-Fetch-Mode': 'cors' } });
  }

  async profile(browser) {
    const r = await this.me(browser);
    assert.equal(r.status, 200, r.text);
    return JSON.parse(r.text);
  }

  /* An app: { verifier, challenge }, and where its sign-in ends. */
  app() {
    const verifier = crypto.randomBytes(32).toString('base64url');
    this.s.note(verifier);
    return { verifier, challenge: sha256(verifier).toString('base64url') };
  }

  async native({ app = this.app(), redirectUri = APP, state = 'st-1', extra = {}, provider = 'fake', browser = this.browser() } = {}) {
    const q = new URLSearchParams({ redirect_uri: redirectUri, code_challenge: app.challenge, code_challenge_method: 'S256', state, ...extra });
    const r = await browser.go(`${AUTH}/auth/oauth/${provider}?${q}`);
    const end = new URL(r.url);
    return { ...r, app, browser, end, ott: end.searchParams.get('ott') };
  }

  exchange(ott, codeVerifier, options) {
    return this.s.post('/auth/oauth/exchange', { ott, codeVerifier }, { strategy: 'bearer', ...options });
  }

  count(table, where = '1') {
    return this.s.sql(`SELECT count(*) FROM ${table} WHERE ${where}`).then(Number);
  }
}

let people = 0;
/* Somebody new at the provider. */
export const person = (over = {}) => {
  people += 1;
  return { sub: `sub-${process.pid}-${people}`, email: `p${process.pid}-${people}@example.test`, email_verified: true, name: 'Ada Lovelace', ...over };
};
