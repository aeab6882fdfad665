// look.test.mjs - every page in every dress: read by axe, narrow, dark, in other languages, by keyboard, and with hostile text in it.
import { after, before, test } from 'node:test';
import { source } from '../lib/paths.mjs';
import { assert, at, fill, go, ORIGIN, press, says, settled, signIn, Site } from './browser.mjs';

const AXE = source('test/node_modules/axe-core/axe.min.js');
const TOKEN = `token=${'a'.repeat(64)}`, LANGS = ['en', 'it', 'de', 'fr', 'es'];
/* Every page in every state that is there when it is opened. */
const OUTSIDE = ['login', 'login?error=access_denied', 'register', 'forgot-password', `reset-password?${TOKEN}`, 'reset-password', '2fa?tempToken=x&methods=totp,sms,magic-link', '2fa?tempToken=x&methods=sms', 'magic-link',
  `magic-link/verify?${TOKEN}`, `verify-email?${TOKEN}`, 'verify-email', `change-email/confirm?${TOKEN}`, `change-email/revert?${TOKEN}`, `2fa/keep?${TOKEN}`, 'account-conflict?provider=google&email=ada@example.test', `link-verify?${TOKEN}`];
const INSIDE = ['account', '2fa?mode=setup'];
const KIB = 1024, PAGE_MAX = 60 * KIB;

let site, user;
before(async () => {
  site = await Site.start();
  user = await site.registered({ firstName: 'Ada', lastName: 'Lovelace' });
});
after(() => site.close());

const withLang = (page, lang) => `${page}${page.includes('?') ? '&' : '?'}lang=${lang}`;

/* One page object for all that look from outside, one for all from inside; each: (page, name). */
async function eachPage(options, look, lang = 'en') {
  const outside = await (await site.visitor(options)).newPage();
  for (const name of OUTSIDE) {
    await go(outside, withLang(name, lang));
    await look(outside, name);
  }
  await outside.context().close();
  const inside = await site.signedIn(user, options);
  for (const name of INSIDE) {
    await go(inside, withLang(name, lang));
    await inside.locator(name === 'account' ? '#session-list li' : '#qr[src]').first().waitFor();
    await look(inside, name);
  }
  await inside.context().close();
}

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

async function violations(page, run = { runOnly: RULES }) {
  await page.evaluate(AXE);
  const { violations: found } = await page.evaluate((options) => globalThis.axe.run(options), run);
  return found.map((v) => `${v.impact} ${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
}

test('axe finds nothing on any page, and by night nothing that cannot be read', async () => {
  await eachPage({}, async (page, name) => {
    assert.deepEqual(await violations(page), [], name);
    await page.emulateMedia({ colorScheme: 'dark' });
    assert.deepEqual(await violations(page, { runOnly: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] } }), [], `${name} by night`);
    await page.emulateMedia({ colorScheme: 'light' });
  });
});

test('axe finds nothing where something is open: errors, dialogs, forms of the account, recovery codes', async () => {
  const page = await site.open('login');
  await press(page, 'Sign in');
  await says(page, 'Please look at these once more');
  assert.deepEqual(await violations(page), [], 'errors');
  await press(page, 'Sign in by text message');
  assert.deepEqual(await violations(page), [], 'sms');
  const inside = await site.signedIn(user);
  for (const summary of await inside.locator('summary').all()) await summary.click();
  assert.deepEqual(await violations(inside), [], 'forms');
  await press(inside, 'Delete account');
  await inside.getByRole('dialog').waitFor();
  assert.deepEqual(await violations(inside), [], 'dialog');
});

/* What hangs out: of the window, or of an element that would have to cut or cover it. */
const hangsOut = () => {
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  const cut = [...document.querySelectorAll('main *')].filter((e) => e.checkVisibility() && !['INPUT', 'IMG'].includes(e.tagName) && e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1);
  return [...(wide > 0 ? [`the page by ${wide}`] : []), ...cut.map((e) => `${e.tagName} ${e.id} ${e.textContent.trim().slice(0, 40)}`)];
};

for (const lang of ['de', 'fr']) { // the longest texts
  test(`nothing hangs out at 320 pixels, which is 640 at 200 %, in ${lang}, in either direction; the page says its language`, async () => {
    await eachPage({ viewport: { width: 320, height: 640 } }, async (page, name) => {
      assert.deepEqual(await page.evaluate(hangsOut), [], name);
      assert.equal(await page.evaluate(() => document.documentElement.lang), lang, name);
      assert.doesNotMatch(await page.locator('body').innerText(), /\{|\}|[a-z]+_[a-z]+_/, `${name}: a mark or the name of a text`);
      await page.evaluate(() => { document.documentElement.dir = 'rtl'; });
      assert.deepEqual(await page.evaluate(hangsOut), [], `${name} from right to left`);
    }, lang);
  });
}

test('the language is that of the browser, where there is it', async () => {
  const page = await site.open('login', { locale: 'de-AT' });
  assert.equal(await page.title(), 'Anmelden – Sallyport');
  await press(page, 'Anmelden');
  await says(page, 'Bitte sehen Sie sich das noch einmal an:');
  await fill(page, 'E-Mail-Adresse', 'a@example.test');
  await fill(page, 'Passwort', 'nicht dieses hier');
  await press(page, 'Anmelden');
  await says(page, 'Die E-Mail-Adresse oder das Passwort stimmt nicht.');
});

test('by night it is dark, and everything can still be told from its ground', async () => {
  const page = await site.open('login', { colorScheme: 'dark' });
  const luminance = await page.evaluate(() => getComputedStyle(document.querySelector('.auth-container')).backgroundColor.match(/\d+/g).slice(0, 3).reduce((a, b) => a + Number(b), 0));
  assert.ok(luminance < 3 * 48, `${luminance}`);
});

/* Bytes of all that a page was made of, with what it loaded later. */
async function weighed(page, bodies, name, wait) {
  bodies.length = 0;
  await go(page, name);
  if (wait) await settled(page);
  return (await Promise.all(bodies)).reduce((a, b) => a + b, 0);
}

test('each page weighs at most 60 KiB, all together; WB10 and none of it comes from another origin', async () => {
  const page = await (await site.visitor()).newPage(), bodies = [], loaded = new Set();
  page.on('request', (r) => loaded.add(new URL(r.url()).origin));
  page.on('response', (r) => {
    if (!/\/ui\/(?!favicon)/.test(r.url()) || r.status() !== 200) return;
    const length = r.body().then((b) => b.length, (e) => assert.fail(`${r.url()}: ${e.message}`));
    length.catch(() => {}); // of a page that was left before it was weighed
    bodies.push(length);
  });
  for (const name of OUTSIDE) {
    const bytes = await weighed(page, bodies, name, false);
    assert.ok(bytes > 20 * KIB && bytes <= PAGE_MAX, `${name}: ${bytes}`);
  }
  await go(page, 'login');
  await signIn(page, user);
  await at(page, 'account');
  await settled(page); // nothing of it comes later
  for (const lang of LANGS) {
    const bytes = await weighed(page, bodies, withLang('account', lang), true);
    assert.ok(bytes > 40 * KIB && bytes <= PAGE_MAX, `account in ${lang}: ${bytes}`);
  }
  const setup = await weighed(page, bodies, '2fa?mode=setup&lang=fr', true);
  assert.ok(setup <= PAGE_MAX, `2fa: ${setup}`);
  assert.deepEqual([...loaded], [ORIGIN]);
});

test('everything by keyboard: sign in, change the name, open a form, leave a dialog, sign out', async () => {
  const page = await site.open('login'), keys = (...all) => all.reduce((p, k) => p.then(() => page.keyboard.press(k)), Promise.resolve());
  const focused = () => page.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.id);
  await page.keyboard.type(user.email);
  await keys('Tab');
  assert.equal(await focused(), 'password');
  await page.keyboard.type(user.password);
  await keys('Enter');
  await at(page, 'account');
  await page.locator('#session-list li').first().waitFor();
  const reach = async (name) => {
    for (let i = 0; i < 60; i++) {
      await keys('Tab');
      if ((await focused()) === name) return;
    }
    assert.fail(`the keyboard does not get to ${name}`);
  };
  const visible = () => page.evaluate(() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2; });
  await reach('first-name');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('Augusta');
  await keys('Enter');
  await says(page, 'Saved.');
  await reach('Change');
  assert.ok(await visible(), 'the focus can be seen');
  await keys('Enter', 'Tab');
  assert.equal(await focused(), 'new-email');
  await reach('Delete account');
  await keys('Enter');
  await page.getByRole('dialog').waitFor();
  assert.equal(await focused(), 'Cancel', 'the harmless answer is the first');
  await keys('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.locator('.topbar').click({ position: { x: 1, y: 1 } });
  await reach('Sign out');
  await keys('Enter');
  await at(page, 'login');
});

test('PW15 password fields: their kind, their autocomplete, a toggle, and nothing against pasting', async () => {
  const wanted = { login: ['current-password'], register: ['new-password'], [`reset-password?${TOKEN}`]: ['new-password', 'new-password'] };
  const context = await site.visitor({ permissions: ['clipboard-read', 'clipboard-write'] }), page = await context.newPage();
  for (const [name, kinds] of Object.entries(wanted)) {
    await go(page, name);
    const inputs = page.locator('input[type=password]');
    assert.deepEqual(await inputs.evaluateAll((all) => all.map((i) => i.autocomplete)), kinds, name);
    for (const input of await inputs.all()) {
      const form = await input.evaluate((i) => [i.form.method, i.form.querySelectorAll('[autocomplete=username]').length]);
      assert.deepEqual(form, ['post', 1], `${name}: a real form, with the name beside the password`);
      await page.evaluate(() => navigator.clipboard.writeText('pasted pass phrase'));
      await input.focus();
      await page.keyboard.press('Control+V');
      assert.equal(await input.inputValue(), 'pasted pass phrase');
    }
    const id = await inputs.first().getAttribute('id'), toggle = page.locator(`button[aria-controls=${id}]`);
    assert.equal(await toggle.getAttribute('aria-label'), 'Show password');
    await toggle.click();
    assert.equal(await page.locator(`#${id}`).getAttribute('type'), 'text');
    assert.equal(await toggle.getAttribute('aria-label'), 'Hide password');
    await toggle.click();
    assert.equal(await page.locator(`#${id}`).getAttribute('type'), 'password');
  }
  const inside = await site.signedIn(user);
  assert.deepEqual(await inside.locator('#password-form input').evaluateAll((all) => all.map((i) => i.autocomplete)), ['username', 'current-password', 'new-password']);
});

const HOSTILE = ['<script>window.pwned = 1</script>', '"><img src=x onerror="window.pwned = 1">', '{{7*7}}${7*7}', '\u05d0\u05d1 ab \u0627\u0644', 'a\u200bb\u200dc', '\u202egnp.exe', "'; alert(1) //", '&lt;b&gt;'];

test('hostile text in every field that a user can fill shows as text, and runs nowhere', async () => {
  const hostile = await site.registered(), page = await site.signedIn(hostile);
  let shown = 0;
  for (const text of HOSTILE) {
    const signed = await site.s.login(hostile.email, hostile.password, { headers: { 'User-Agent': text.replace(/[^ -~]/g, '') || 'x' } });
    const set = await site.s.request('PATCH', '/auth/profile', { json: { firstName: text, lastName: text }, token: signed.json.accessToken });
    if (set.status !== 200) { // what the server does not keep, it refuses whole
      assert.equal(set.json.code, 'VALIDATION_ERROR', set.text);
      continue;
    }
    shown++;
    await go(page, 'account');
    await page.locator('#session-list li').first().waitFor();
    const kept = text.replaceAll(/[\u202a-\u202e\u2066-\u2069]/g, ''); // marks of direction are no part of a name
    assert.equal(await page.locator('#first-name').inputValue(), kept);
    assert.ok((await page.locator('#who').textContent()).includes(kept), text);
  }
  assert.ok(shown >= 5, `${shown} were kept`);
  const agents = await page.locator('#session-list .what').allTextContents();
  for (const agent of [HOSTILE[0], HOSTILE[1], HOSTILE[2]]) assert.ok(agents.some((a) => a.includes(agent)), agent);
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  assert.equal(await page.locator('main script, main img[src=x]').count(), 0);
});

test('hostile text in addresses of pages shows as text', async () => {
  const page = await (await site.visitor()).newPage();
  for (const [name, show] of [['account-conflict?provider=x&email=', '#email'], ['login?error=', 'body'], ['login?lang=', 'body'], ['2fa?tempToken=x&methods=', 'body'], ['login?redirect=', 'body']]) {
    for (const text of HOSTILE.slice(0, 3)) {
      await go(page, name + encodeURIComponent(text));
      if (show === '#email') assert.equal(await page.locator('#email').inputValue(), text.trim());
      assert.equal(await page.evaluate(() => window.pwned), undefined);
      assert.equal(await page.locator('img[src=x]').count(), 0);
    }
  }
});

test('WB13 a site name of marks and tags is a name', async () => {
  const name = '<b>{{7*7}}</b> & "Co"', own = await Site.start({ env: { SALLYPORT_UI_SITE_NAME: name } });
  try {
    const page = await own.open('login');
    assert.equal(await page.locator('.site-name').textContent(), name);
    assert.equal(await page.title(), `Sign in – ${name}`);
    assert.equal(await page.locator('b').count(), 0);
  } finally {
    await own.close();
  }
});

test('WB08 the policy lets only our scripts run, and the pages need no more', async () => {
  for (const name of [...OUTSIDE, 'account']) {
    const r = await site.s.get(`/auth/ui/${name}`), policy = r.headers['content-security-policy'];
    const nonce = policy.match(/'nonce-([^']+)'/)[1];
    assert.doesNotMatch(policy, /unsafe|\*|https?:\/\/(?!auth\.example\.test\/csp-report)/, name);
    for (const directive of ["default-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"]) assert.ok(policy.includes(directive), `${name}: ${directive}`);
    assert.deepEqual([...r.text.matchAll(/<script(?![^>]* nonce="([^"]*)")/g)], [], name);
    for (const [, got] of r.text.matchAll(/<script[^>]* nonce="([^"]*)"/g)) assert.equal(got, nonce, name);
    assert.doesNotMatch(r.text, /\s(style|on[a-z]+)="/, name);
  }
});

test('without scripts a page says what it needs, and no form puts a password into an address', async () => {
  const page = await site.open('login', { javaScriptEnabled: false });
  assert.match(await page.locator('noscript').textContent(), /needs JavaScript/);
  assert.deepEqual(await page.locator('form').evaluateAll((all) => [...new Set(all.map((f) => f.method))]), ['post']);
});

