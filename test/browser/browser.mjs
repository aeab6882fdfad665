// browser.mjs - a browser in front of a server, as users have it: https, a name, real cookies. The server is the one
// of the HTTP tests, with mail and SMS sinks; a small proxy ends TLS. Every page is watched: what breaks the policy, throws,
// or comes from another origin fails the file at its end.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { URI } from 'otpauth';
import { chromium } from 'playwright-core';
import { codeIn, linkIn, mailCodeIn, startDelivering } from '../lib/delivery.mjs';
import { freshEmail, freshPassword, until } from '../lib/server.mjs';
import { makeCertificates } from '../lib/smtp_sink.mjs';

export const ORIGIN = 'https://auth.example.test', UI = `${ORIGIN}/auth/ui/`;
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const PATIENCE_MS = Number(process.env.PATIENCE_MS ?? 15_000);
/* What a browser says of answers that the pages expect: it is not for us to have it say nothing. */
const EXPECTED = /the server responded with a status of [45]\d\d/;

/* Ends TLS and hands on, byte for byte; keeps policy reports and what the browser loaded. */
class Front {
  static async start(target) {
    const f = new Front();
    f.home = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-front-'));
    f.target = target;
    f.agent = new http.Agent({ keepAlive: true });
    f.reports = [];
    f.requests = [];
    const { key, cert } = makeCertificates(f.home);
    f.server = https.createServer({ key, cert }, (req, res) => f.take(req, res));
    f.server.listen(0, '127.0.0.1');
    await once(f.server, 'listening');
    f.port = f.server.address().port;
    return f;
  }

  take(req, res) {
    if (req.url === '/csp-report') return this.report(req, res);
    if (req.url === '/favicon.ico') return res.writeHead(204).end();
    if (this.pages?.[req.url]) return res.writeHead(200, { 'Content-Type': 'text/html' }).end(this.pages[req.url]);
    this.requests.push({ method: req.method, url: req.url, headers: req.headers });
    const on = http.request({ ...this.target(), agent: this.agent, method: req.method, path: req.url, headers: req.headers }, (answer) => {
      res.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(res);
    });
    on.on('error', () => res.destroy());
    req.pipe(on);
  }

  async report(req, res) {
    let text = '';
    for await (const part of req) text += part;
    this.reports.push(text);
    res.writeHead(204).end();
  }

  async close() {
    this.agent.destroy();
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
    fs.rmSync(this.home, { recursive: true, force: true });
  }
}

const ENV = {
  SALLYPORT_SERVER_PUBLIC_URL: ORIGIN,
  SALLYPORT_SITE_URLS: ORIGIN,
  SALLYPORT_UI_CSP_REPORT_URL: `${ORIGIN}/csp-report`,
  SALLYPORT_NOTICE_NEW_SIGN_IN: 'false',
  SALLYPORT_SMS_COUNTRIES: 'any',
};

export class Site {
  static async start({ env = {}, ...options } = {}) {
    const site = new Site();
    Object.assign(site, { faults: [], contexts: [] });
    site.delivering = await startDelivering({ env: { ...ENV, ...env }, ...options });
    const { s, mail, sms } = site.delivering;
    Object.assign(site, { s, mail, sms });
    site.front = await Front.start(() => s.target);
    site.browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--disable-features=LocalNetworkAccessChecks', `--host-resolver-rules=MAP *.example.test:443 127.0.0.1:${site.front.port}`, ...(process.getuid() === 0 ? ['--no-sandbox'] : [])],
    });
    return site;
  }

  async close() {
    await this.browser.close();
    await this.front.close();
    await this.delivering.close();
    assert.deepEqual(this.faults, [], 'what the pages did wrong');
    assert.deepEqual(this.front.reports, [], 'WB08: reports of broken policy');
  }

  /* A browser of its own: new cookies, new storage. */
  async visitor(options = {}) {
    const context = await this.browser.newContext({ ignoreHTTPSErrors: true, locale: 'en-GB', reducedMotion: 'reduce', ...options });
    this.contexts.push(context);
    context.setDefaultTimeout(PATIENCE_MS);
    context.on('page', (page) => this.watch(page));
    await context.addInitScript(() => addEventListener('securitypolicyviolation', (e) => console.error(`POLICY ${e.violatedDirective} ${e.blockedURI}`)));
    return context;
  }

  watch(page) {
    page.on('pageerror', (e) => this.faults.push(`${page.url()}: ${e.stack}`));
    page.on('console', (m) => {
      if (m.type() === 'error' && !EXPECTED.test(m.text())) this.faults.push(`${page.url()}: ${m.text()}`);
    });
    page.on('request', (r) => { // WB10
      if (/^https?:/.test(r.url()) && new URL(r.url()).origin !== ORIGIN && !this.foreign?.test(r.url())) this.faults.push(`${page.url()} loads ${r.url()}`);
    });
  }

  /* A page in a browser of its own, open at a path below ui/ or at a whole address. */
  async open(at, options) {
    const page = await (await this.visitor(options)).newPage();
    await go(page, at);
    return page;
  }

  /* ---- users ---- */

  user(over) {
    const u = { email: freshEmail(), password: freshPassword(), ...over };
    this.s.note(u.password);
    return u;
  }

  async registered(over) {
    return this.s.register(over);
  }

  /* A page in a browser where a user has signed in with the form. */
  async signedIn(user, options) {
    const page = await this.open('login', options);
    await signIn(page, user);
    await at(page, 'account');
    return page;
  }

  /* ---- messages ---- */

  async linkTo(user, subject = /link|further/) {
    return linkIn(await this.mail.mail(user.email ?? user, { subject }));
  }

  async mailCode(user) {
    return mailCodeIn(await this.mail.mail(user.email, { subject: /sign-in/ }));
  }

  async smsCode(number) {
    return codeIn(await this.sms.sms(number));
  }

  /* What an authenticator app shows at the server's time. */
  codeOf(url, steps = 0) {
    return URI.parse(url).generate({ timestamp: this.s.now + steps * 30_000 });
  }
}

/* ---- what users do ---- */

/* The page's scripts have run when this returns. */
export async function go(page, where) {
  await page.goto(/^https?:/.test(where) ? where : UI + where);
}

/* Nothing is asked of the server any more. */
export const settled = (page) => page.waitForLoadState('networkidle');

/* By the names that users see or hear. */
export const shown = (text) => (typeof text === 'string' ? text.replaceAll(/\b(e)-(mail)/gi, '$1\u2011$2') : text); // no line ends within it
export const button = (page, name) => page.getByRole('button', { name: shown(name), exact: true });
export const field = (page, label) => page.getByLabel(shown(label), { exact: true }).filter({ visible: true });
export const press = (page, name) => button(page, name).click();
export const fill = (page, label, text) => field(page, label).fill(text);

export async function signIn(page, { email, password }) {
  await fill(page, 'E-mail address', email);
  await fill(page, 'Password', password);
  await press(page, 'Sign in');
}

/* The page has come to a path below ui/. */
export async function at(page, name) {
  await page.waitForURL((url) => url.pathname === `/auth/ui/${name}`);
}

/* The message of the page, when it says what is expected. */
export async function says(page, text) {
  await page.locator('.alert', { hasText: shown(text) }).first().waitFor();
}

/* A list may be shown anew after the message. */
export async function counts(locator, n) {
  await until(async () => (await locator.count()) === n, `${n} of them`, PATIENCE_MS);
}

export { assert, sleep, until };
