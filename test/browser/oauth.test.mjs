// oauth.test.mjs - sign-in through a provider, from the button of the sign-in page to the account and back.
import { after, before, test } from 'node:test';
import crypto from 'node:crypto';
import { startOidcProvider } from '../lib/oidc_provider.mjs';
import { assert, at, button, field, fill, go, ORIGIN, press, says, settled, Site } from './browser.mjs';

let op, site;
before(async () => {
  op = await startOidcProvider({ alg: 'RS256', redirectUri: `${ORIGIN}/auth/oauth/oidc/callback` });
  site = await Site.start({
    clock: 'real',
    env: {
      SALLYPORT_OAUTH_ALLOW_PRIVATE: 'true', SALLYPORT_OAUTH_OIDC_LABEL: 'Example & Sons', SALLYPORT_OAUTH_OIDC_ISSUER: op.issuer,
      SALLYPORT_OAUTH_OIDC_CLIENT_ID: 'sallyport', SALLYPORT_OAUTH_OIDC_CLIENT_SECRET: 'a secret between the two of us',
      SALLYPORT_OAUTH_OIDC_TRUST_EMAIL: 'true', SALLYPORT_OAUTH_OIDC_TOKEN_AUTH: 'basic', SALLYPORT_TWOFACTOR_MAGIC_LINK: 'false',
    },
  });
  site.foreign = new RegExp(`^${op.issuer}/`);
});
after(async () => {
  await site.close();
  op.close();
});

/* Somebody new at the provider: the address. */
function someone({ proven = true, refuses = null } = {}) {
  Object.assign(op, { who: `ada-${crypto.randomBytes(4).toString('hex')}`, proven, refuses });
  return `${op.who}@example.test`;
}

const me = (page) => page.evaluate(() => fetch('/auth/me').then((r) => r.json()));
const toProvider = (page) => page.getByRole('link', { name: 'Continue with Example & Sons', exact: true }).click();
const sessionCookies = async (page) => (await page.context().cookies(ORIGIN)).filter((c) => /(access|refresh)Token$/.test(c.name));

/* Was at the provider, and is back at a page below ui/. */
async function through(page, name) {
  const gone = page.waitForRequest((r) => r.url().startsWith(`${op.issuer}/`) && r.isNavigationRequest());
  await toProvider(page);
  await gone;
  await at(page, name);
}

test('the button leads through the provider to the account, signed in', async () => {
  const email = someone(), page = await site.open('login');
  await through(page, 'account');
  await page.locator('#account').waitFor();
  assert.match(await page.locator('#who').textContent(), new RegExp(`Ada Lovelace · ${email}`));
  const profile = await me(page);
  assert.deepEqual([profile.email, profile.isEmailVerified, profile.loginProvider], [email, true, 'oidc']);
  for (const c of await sessionCookies(page)) assert.deepEqual([c.httpOnly, c.secure], [true, true]);
  assert.equal((await sessionCookies(page)).length, 2);
});

test('the way back that the sign-in page was given is kept through the provider', async () => {
  const email = someone(), page = await site.open('login?redirect=%2Fauth%2Fui%2Fforgot-password%3Flang%3Dde');
  await through(page, 'forgot-password');
  assert.equal(new URL(page.url()).search, '?lang=de');
  assert.equal((await me(page)).email, email);
});

/* Signed in through the provider for the first time, with an app set up; signed out again. */
async function withApp() {
  const email = someone(), page = await site.open('login');
  await through(page, 'account');
  await page.getByRole('link', { name: 'Set up' }).click();
  await page.locator('#qr').waitFor();
  const url = await page.locator('#open-app').getAttribute('href');
  await fill(page, 'Code', site.codeOf(url));
  await press(page, 'I have saved them');
  await at(page, 'account');
  await page.context().close();
  site.s.advance(30_000);
  return { email, url };
}

test('MF01 with an app set up, the code is asked for after the provider; before it nobody is signed in', async () => {
  const { email, url } = await withApp();
  const page = await site.open('login?lang=en&redirect=%2Fauth%2Fui%2Fforgot-password');
  await through(page, '2fa');
  await field(page, 'Code').waitFor();
  assert.deepEqual(await sessionCookies(page), []);
  assert.doesNotMatch(page.url(), /[0-9a-f]{64}/, 'the handle has left the address bar');
  await fill(page, 'Code', site.codeOf(url));
  await at(page, 'forgot-password');
  assert.equal((await me(page)).email, email);
});

test('who must have a second factor and has none sets one up after the provider', async () => {
  const email = someone(), first = await site.open('login');
  await through(first, 'account');
  await site.s.sql(`UPDATE user SET require_2fa = 1 WHERE email = '${email}'`);
  const page = await site.open('login');
  await through(page, '2fa');
  await page.locator('#qr').waitFor();
  await fill(page, 'Code', site.codeOf(await page.locator('#open-app').getAttribute('href')));
  await press(page, 'I have saved them');
  await at(page, 'account');
  assert.equal((await me(page)).email, email);
});

for (const proven of [true, false])
  test(`ID06 the address has an account already, ${proven ? 'proven' : 'not proven'} by the provider: a page that asks, with no address in its URL`, async () => {
    const email = someone({ proven }), page = await site.open('login');
    await site.registered({ email });
    await through(page, 'account-conflict');
    await settled(page);
    assert.equal(new URL(page.url()).search, '?provider=oidc&code=OAUTH_ACCOUNT_CONFLICT');
    const address = field(page, 'E-mail address');
    assert.deepEqual([await address.inputValue(), await address.isEditable()], [proven ? email : '', !proven]);
    assert.deepEqual(await sessionCookies(page), []);
  });

test('F-27 who says no at the provider is back at the sign-in page, told so, and nobody is signed in', async () => {
  someone({ refuses: 'access_denied' });
  const page = await site.open('login');
  await toProvider(page);
  await says(page, 'You did not allow that provider to sign you in here.');
  assert.equal(new URL(page.url()).pathname, '/auth/ui/login');
  assert.deepEqual(await sessionCookies(page), []);
  someone();
  await go(page, 'login');
  await through(page, 'account');
});

test('the page for signing up has the providers too, with their marks, and they lead to the account', async () => {
  const email = someone(), page = await site.open('register');
  assert.equal(await page.locator('#providers .mark').count(), 1);
  const mark = await page.locator('.mark').evaluate((e) => [getComputedStyle(e).maskImage, e.getAttribute('aria-hidden')]);
  assert.match(mark[0], /\/auth\/ui\/marks\/key\.svg/);
  assert.equal(mark[1], 'true');
  await through(page, 'account');
  assert.equal((await me(page)).email, email);
});

test('an account at a provider is connected from the account page, and back there it says so; what fails is said there too', async () => {
  const user = await site.registered(), page = await site.signedIn(user);
  someone({ refuses: 'access_denied' });
  await button(page, 'Connect Example & Sons').click();
  await says(page, 'You did not allow that provider');
  assert.equal(new URL(page.url()).pathname, '/auth/ui/account');
  someone();
  await button(page, 'Connect Example & Sons').click();
  await says(page, 'Example & Sons is connected');
  const linked = page.locator('#linked-list li');
  assert.match(await linked.first().textContent(), /Example & Sons/);
  assert.equal(await button(page, 'Connect Example & Sons').count(), 0);
  await linked.first().getByRole('button', { name: /^Unlink/ }).click();
  await says(page, 'It is no longer linked.');
  await button(page, 'Connect Example & Sons').waitFor();
});
