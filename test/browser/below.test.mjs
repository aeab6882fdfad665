// below.test.mjs - what stands around the pages: languages, terms and privacy, names that need not be given, the way back to
// the account.
import { after, before, test } from 'node:test';
import { assert, at, field, fill, go, press, settled, Site } from './browser.mjs';

const TERMS = '/terms.html', PRIVACY = 'https://example.test/privacy';
let site, bare;
before(async () => {
  site = await Site.start({ env: { SALLYPORT_UI_TERMS_URL: TERMS, SALLYPORT_UI_PRIVACY_URL: PRIVACY } });
  bare = await Site.start({ env: { SALLYPORT_UI_ASK_NAMES: 'false' } });
});
after(async () => {
  await site.close();
  await bare.close();
});

const language = (page) => page.getByRole('navigation', { name: /Language|Sprache/ });

test('a language is chosen below every page, and stays: through the form, the account, and with what a mailed link brought', async () => {
  const user = await site.registered(), page = await site.open('login?redirect=%2Fauth%2Fui%2Faccount%3Flang%3Dit');
  assert.deepEqual(await language(page).getByRole('link').allTextContents(), ['English', 'Italiano', 'Deutsch', 'Français', 'Español']);
  assert.equal(await language(page).locator('[aria-current]').textContent(), 'English');
  await language(page).getByRole('link', { name: 'Deutsch' }).click();
  await page.getByRole('heading', { name: 'Anmelden' }).waitFor();
  assert.deepEqual(Object.fromEntries(new URL(page.url()).searchParams), { redirect: '/auth/ui/account?lang=it', lang: 'de' }, 'the way back is kept');
  await page.goto('about:blank');
  await go(page, 'login?lang=de');
  await fill(page, 'E-Mail-Adresse', user.email);
  await fill(page, 'Passwort', user.password);
  await press(page, 'Anmelden');
  await page.getByRole('heading', { name: 'Ihr Konto' }).waitFor();
  await site.s.post('/auth/forgot-password', { email: user.email });
  const other = await site.open(await site.linkTo(user, 'Reset your password'));
  await language(other).getByRole('link', { name: 'Deutsch' }).click();
  await other.getByRole('heading', { name: 'Neues Passwort wählen' }).waitFor();
  assert.equal(new URL(other.url()).search, '?lang=de', 'EL10 the token has left the address bar again');
  await other.locator('#password').fill('mehrere Wörter am Stück');
  await other.locator('#confirm').fill('mehrere Wörter am Stück');
  await other.locator('[type=submit]').click();
  await other.locator('#done').waitFor();
});

test('terms and privacy are linked below every page, and told to who signs up; without settings there is nothing of it', async () => {
  const page = await site.open('register');
  for (const [name, href] of [['Terms of use', TERMS], ['Privacy policy', PRIVACY]]) {
    assert.deepEqual(await page.getByRole('link', { name }).evaluateAll((all) => all.map((a) => a.getAttribute('href'))), [href, href], name);
    await go(page, 'forgot-password');
    assert.equal(await page.locator('footer').getByRole('link', { name }).getAttribute('href'), href);
    await go(page, 'register');
  }
  assert.match(await page.locator('#agree').textContent(), /^By creating an account you accept what stands here: Terms of use\. How your data is used stands here: Privacy policy\. $/);
  const plain = await bare.open('register');
  assert.equal(await plain.locator('#agree').isVisible(), false);
  assert.equal(await plain.locator('footer p').count(), 0);
});

test('names may be left out, need not be asked for, and can be removed', async () => {
  const page = await site.open('register');
  assert.equal(await field(page, 'First name').getAttribute('required'), null);
  await page.getByText('You may leave the names out.').waitFor();
  const plain = await bare.open('register');
  assert.equal(await field(plain, 'First name').count(), 0);
  const nobody = bare.user();
  await fill(plain, 'E-mail address', nobody.email);
  await fill(plain, 'Password', nobody.password);
  await press(plain, 'Create account');
  await at(plain, 'account');
  await plain.locator('#session-list li').first().waitFor();
  assert.equal(await plain.locator('#names').isVisible(), false);
  const named = await bare.signedIn(await bare.registered({ firstName: 'Ada', lastName: 'Lovelace' }));
  await fill(named, 'First name', '');
  await fill(named, 'Last name', '');
  await press(named, 'Save');
  await named.locator('#names').waitFor({ state: 'hidden' });
  assert.equal((await named.evaluate(() => fetch('/auth/me').then((r) => r.json()))).name, undefined);
});

test('who is signed in is led back to the account, who is not to the sign-in; loading the page of a link sends nothing', async () => {
  const page = await site.signedIn(await site.registered());
  for (const name of ['forgot-password', '2fa?mode=setup', 'account-conflict?provider=google', 'login?error=access_denied']) {
    await go(page, name);
    await page.getByRole('link', { name: 'Back to your account' }).waitFor().catch((e) => assert.fail(`${name}: ${e.message}`));
  }
  await page.getByRole('link', { name: 'Back to your account' }).click();
  await at(page, 'account');
  const nobody = await site.open('forgot-password');
  await settled(nobody);
  assert.equal(await nobody.getByRole('link', { name: 'Back to your account' }).count(), 0);
  await nobody.getByRole('link', { name: 'Sign in' }).waitFor();
});

test('the account is in four groups, each a heading that a link at the top leads to', async () => {
  const page = await site.signedIn(await site.registered());
  const names = ['Profile', 'Security', 'Devices', 'Your data'];
  assert.deepEqual(await page.getByRole('heading', { level: 2 }).allTextContents(), names);
  assert.deepEqual(await page.getByRole('navigation', { name: 'Your account' }).getByRole('link').allTextContents(), names);
  for (const name of names) {
    const target = await page.getByRole('navigation', { name: 'Your account' }).getByRole('link', { name }).getAttribute('href');
    assert.equal(await page.locator(target).getByRole('heading', { level: 2 }).textContent(), name);
  }
});

test('every page has the icon, which is small and of this server', async () => {
  const page = await site.open('login'), href = await page.locator('link[rel=icon]').getAttribute('href');
  assert.match(href, /^\/auth\/ui\/favicon\.svg\?v=/);
  const r = await site.s.get(href);
  assert.deepEqual([r.status, r.headers['content-type']], [200, 'image/svg+xml']);
  assert.ok(r.body.length < 600);
});
