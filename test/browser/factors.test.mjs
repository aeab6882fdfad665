// factors.test.mjs - second factors in the browser: setting an app up from its picture, and every way to answer.
import { after, before, test } from 'node:test';
import { withPhone } from '../lib/delivery.mjs';
import { assert, at, counts, field, fill, go, press, says, signIn, Site, UI } from './browser.mjs';

let site;
before(async () => (site = await Site.start({ env: { SALLYPORT_TWOFACTOR_REMEMBER: 'true', SALLYPORT_TWOFACTOR_MAGIC_LINK: 'true' } })));
after(() => site.close());

/* Sets an app up at the open page, as a user would; what it was given, and the recovery codes shown. */
async function setUpAt(page) {
  await page.locator('#qr').waitFor();
  const url = await page.locator('#open-app').getAttribute('href');
  assert.match(await page.locator('#qr').getAttribute('src'), /^data:image\/png;base64,/);
  assert.equal((await page.locator('#secret').textContent()).replaceAll(' ', ''), new URL(url).searchParams.get('secret'));
  await fill(page, 'Code', site.codeOf(url));
  const codes = page.locator('.codes li');
  await codes.first().waitFor();
  site.s.advance(30_000);
  return { url, codes: await codes.allTextContents() };
}

/* A user with an app, signed out again. */
async function withApp() {
  const user = await site.registered(), page = await site.signedIn(user);
  await page.getByRole('link', { name: 'Set up' }).click();
  const app = await setUpAt(page);
  await press(page, 'I have saved them');
  await at(page, 'account');
  await page.context().close();
  return { ...user, ...app };
}

/* Who must have a second factor and has only mail, and perhaps a phone. */
async function demanded({ phone = false } = {}) {
  const user = await site.registered();
  await site.s.sql(`UPDATE user SET require_2fa = 1 WHERE email = '${user.email}'`);
  return phone ? withPhone(site.s, user) : user;
}

/* The page after the password. */
async function half(user, options) {
  const page = await site.open('login', options);
  await signIn(page, user);
  await at(page, '2fa');
  return page;
}

test('an app is set up from the account page, with recovery codes that are shown once', async () => {
  const user = await site.registered(), page = await site.signedIn(user);
  await page.getByRole('link', { name: 'Set up' }).click();
  const { codes } = await setUpAt(page);
  assert.equal(new Set(codes).size, 10);
  const [download] = await Promise.all([page.waitForEvent('download'), press(page, 'Save as a file')]);
  assert.equal(download.suggestedFilename(), 'recovery-codes.txt');
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'BUTTON');
  await press(page, 'I have saved them');
  await at(page, 'account');
  await page.locator('#factor-now', { hasText: 'on' }).waitFor();
  assert.ok(!(await page.content()).includes(codes[0]));
});

test('the code of the app signs in; a wrong one is told and leaves room for the next', async () => {
  const user = await withApp(), page = await half(user);
  await page.waitForFunction(() => document.activeElement.id === 'totp');
  await fill(page, 'Code', String((Number(site.codeOf(user.url)) + 1) % 1e6).padStart(6, '0'));
  await says(page, 'This code is wrong, or was used already.');
  assert.deepEqual(await page.evaluate(() => [document.activeElement.id, getSelection().toString().length]), ['totp', 6], 'it is selected, to be typed over');
  await page.keyboard.type(site.codeOf(user.url)); // and six digits are sent by themselves
  await at(page, 'account');
});

test('five wrong codes end the sign-in, and the page says how it goes on', async () => {
  const user = await withApp(), page = await half(user);
  for (let i = 1; i <= 5; i++) {
    await fill(page, 'Code', String((Number(site.codeOf(user.url)) + 7 * i) % 1e6).padStart(6, '0'));
    await page.locator('.alert-error').waitFor();
    if (await page.getByText('Please sign in from the beginning.').isVisible()) break;
    await page.evaluate(() => document.querySelector('.alert').remove());
  }
  if (await field(page, 'Code').isVisible()) {
    await fill(page, 'Code', site.codeOf(user.url));
  }
  await says(page, 'Please sign in from the beginning.');
  await counts(field(page, 'Code'), 0);
  await page.getByRole('link', { name: 'Back to sign-in' }).click();
  await at(page, 'login');
});

test('a recovery code signs in', async () => {
  const user = await withApp(), page = await half(user);
  await press(page, 'Use a recovery code');
  await fill(page, 'Recovery code', ` ${user.codes[3].toLowerCase()} `);
  await press(page, 'Confirm');
  await at(page, 'account');
});

test('a device that shall be remembered is not asked again', async () => {
  const user = await withApp(), page = await site.open('login');
  await signIn(page, user);
  await at(page, '2fa');
  await page.getByRole('checkbox', { name: 'Do not ask again on this device' }).filter({ visible: true }).check();
  await fill(page, 'Code', site.codeOf(user.url));
  await at(page, 'account');
  await press(page, 'Sign out');
  await at(page, 'login');
  await signIn(page, user);
  await at(page, 'account');
});

test('a text message is the second factor', async () => {
  const user = await demanded({ phone: true }), page = await half(user);
  await press(page, 'Send code');
  await says(page, 'a code is on its way');
  await fill(page, 'Code', await site.smsCode(user.number));
  await at(page, 'account');
});

test('a code by mail is the second factor', async () => {
  const user = await demanded(), page = await half(user);
  await press(page, 'Send e-mail');
  await says(page, 'A message is on its way.');
  await fill(page, 'Code', await site.mailCode(user));
  await at(page, 'account');
});

test('the link of that mail, opened in another tab, signs in there, and the first tab follows', async () => {
  const user = await demanded(), page = await half(user);
  await press(page, 'Send e-mail');
  await says(page, 'A message is on its way.');
  const tab = await page.context().newPage();
  await go(tab, await site.linkTo(user));
  await press(tab, 'Sign in');
  await at(tab, 'account');
  await page.bringToFront();
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange'))); // headless tabs are always in front
  await at(page, 'account');
});

test('the same link in another browser signs nobody in, and says why', async () => {
  const user = await demanded(), page = await half(user);
  await press(page, 'Send e-mail');
  await says(page, 'A message is on its way.');
  const other = await site.open(await site.linkTo(user));
  await press(other, 'Sign in');
  await other.locator('.alert-error').waitFor();
  assert.deepEqual((await other.context().cookies()).filter((c) => /accessToken/.test(c.name)), []);
});

test('who must have a second factor and has none is led to set one up, and is then signed in', async () => {
  const own = await Site.start({ env: { SALLYPORT_TWOFACTOR_REQUIRED: 'true', SALLYPORT_TWOFACTOR_MAGIC_LINK: 'false' } });
  try {
    const user = await own.registered(), page = await own.open('login');
    await signIn(page, user);
    await at(page, '2fa');
    await page.locator('#qr').waitFor();
    await fill(page, 'Code', own.codeOf(await page.locator('#open-app').getAttribute('href')));
    await page.locator('.codes li').first().waitFor();
    await press(page, 'I have saved them');
    await at(page, 'account');
  } finally {
    await own.close();
  }
});

test('a provider\'s redirect is understood: tempToken and methods, which leave the address bar', async () => {
  const user = await withApp(), asked = await site.s.login(user.email, user.password);
  const page = await site.open(`2fa?tempToken=${asked.json.tempToken}&methods=totp`);
  assert.equal(await page.evaluate(() => location.search), '?methods=totp');
  await page.reload();
  await fill(page, 'Code', site.codeOf(user.url));
  await at(page, 'account');
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});

test('without a sign-in that waits the page leads to its beginning', async () => {
  const page = await site.open('2fa');
  await at(page, 'login');
});

test('MF19 new recovery codes and switching off ask for a code of the app, and no password', async () => {
  const user = await withApp(), page = await half(user);
  await fill(page, 'Code', site.codeOf(user.url));
  await at(page, 'account');
  site.s.advance(11 * 60_000);
  await press(page, 'New recovery codes');
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Code', { exact: true }).fill(site.codeOf(user.url));
  assert.equal(await dialog.getByLabel('Current password').count(), 0);
  await dialog.getByRole('button', { name: 'Continue' }).click();
  await page.locator('.codes li').first().waitFor();
  assert.notDeepEqual(await page.locator('.codes li').allTextContents(), user.codes);
  await press(page, 'I have saved them');
  site.s.advance(11 * 60_000);
  await press(page, 'Switch off');
  assert.equal(await dialog.getByLabel('Current password').count(), 0);
  await dialog.getByLabel('Code', { exact: true }).fill(site.codeOf(user.url));
  await dialog.getByRole('button', { name: 'Continue' }).click();
  await says(page, 'Two-step sign-in is off.');
  await page.goto(`${UI}account`);
  await page.locator('#factor-now', { hasText: 'off' }).waitFor();
});
