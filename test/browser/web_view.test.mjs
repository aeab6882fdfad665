// web_view.test.mjs - what a person sees whose app has opened the sign-in in a window of its own, and how he gets on or back.
import crypto from 'node:crypto';
import { after, before, test } from 'node:test';
import { source } from '../lib/paths.mjs';
import { assert, button, ORIGIN, says, Site } from './browser.mjs';

const AXE = source('test/node_modules/axe-core/axe.min.js'), PROVIDER = 'https://id.example.test', BACK = `${ORIGIN}/app/signed-in`;
const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148';
const ANDROID = 'Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/X; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/120.0.0.0 Mobile Safari/537.36';
const challenge = crypto.createHash('sha256').update('v').digest('base64url');
const START = `/auth/oauth/own?${new URLSearchParams({ redirect_uri: BACK, code_challenge: challenge, code_challenge_method: 'S256', state: 's-1' })}`;

let site;
before(async () => {
  site = await Site.start({
    env: {
      SALLYPORT_NATIVE_REDIRECT_URIS: BACK, SALLYPORT_OAUTH_OWN_CLIENT_ID: 'c', SALLYPORT_OAUTH_OWN_CLIENT_SECRET: 'a secret of the two',
      SALLYPORT_OAUTH_OWN_AUTHORIZE_URL: `${PROVIDER}/authorize`, SALLYPORT_OAUTH_OWN_TOKEN_URL: `${PROVIDER}/token`, SALLYPORT_OAUTH_OWN_USERINFO_URL: `${PROVIDER}/me`,
    },
  });
  site.foreign = new RegExp(`^${PROVIDER}/`);
});
after(() => site.close());

/* A window of an app, at the start of a sign-in. */
async function opened(userAgent, { standalone = false, ...options } = {}) {
  const context = await site.visitor({ userAgent, ...options }), page = await context.newPage();
  if (standalone) await context.addInitScript(() => Object.defineProperty(navigator, 'standalone', { value: true }));
  await context.route(`${PROVIDER}/**`, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>Provider</title>' }));
  await context.route(`${BACK}**`, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>App</title>' }));
  await page.goto(`${ORIGIN}${START}`);
  return page;
}

test('AP07 the page leads to the system\'s browser, back to the app, or on all the same; axe finds nothing', async () => {
  const page = await opened(ANDROID, { viewport: { width: 390, height: 780 } });
  await page.getByRole('heading', { name: 'Please sign in with your browser' }).waitFor();
  const here = new URL(`${ORIGIN}${START}`);
  assert.equal(await page.locator('#open').getAttribute('href'), `intent://${here.host}${here.pathname}${here.search}#Intent;scheme=https;action=android.intent.action.VIEW;category=android.intent.category.BROWSABLE;end`);
  await page.evaluate(AXE);
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await page.evaluate(async () => (await globalThis.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'] })).violations.map((v) => v.id)), [], colorScheme);
  }
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await button(page, 'Copy the address').click();
  await says(page, 'Copied.');
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `${ORIGIN}${START}`);
  await page.getByRole('link', { name: 'Back to the app' }).click();
  await page.waitForURL(`${BACK}?error=WEB_VIEW&state=s-1`);
  const again = await opened(IPHONE);
  assert.equal(await again.locator('#open').getAttribute('href'), `x-safari-${ORIGIN}${START}`);
  await again.getByRole('link', { name: 'Continue here all the same' }).click();
  await again.waitForURL(`${PROVIDER}/authorize**`);
});

test('a web app on the home screen of an iPhone is no web view: it goes on by itself', async () => {
  const page = await opened(IPHONE, { standalone: true });
  await page.waitForURL(`${PROVIDER}/authorize**`);
});
