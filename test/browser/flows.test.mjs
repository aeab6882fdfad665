// flows.test.mjs - what users do with the pages, from the first visit to the end of the account.
import { after, before, test } from 'node:test';
import { SUBJECT } from '../lib/delivery.mjs';
import { MINUTE } from '../lib/server.mjs';
import { assert, at, counts, field, fill, go, ORIGIN, press, says, settled, shown, signIn, Site, UI } from './browser.mjs';

let site;
before(async () => (site = await Site.start()));
after(() => site.close());

const section = (page, id) => page.locator(`section#${id}`);
const me = (page) => page.evaluate(() => fetch('/auth/me').then((r) => r.json()));

test('a visitor registers, is signed in, and finds the account', async () => {
  const user = site.user(), page = await site.open('login');
  await page.getByRole('link', { name: 'Create an account' }).click();
  await at(page, 'register');
  await fill(page, 'First name', 'Ada');
  await fill(page, 'Last name', 'Lovelace');
  await fill(page, 'E-mail address', user.email);
  await fill(page, 'Password', user.password);
  await press(page, 'Create account');
  await at(page, 'account');
  await page.locator('#account').waitFor();
  assert.match(await page.locator('#who').textContent(), new RegExp(`Ada Lovelace · ${user.email}`));
});

test('a password that is too easy is refused beside its field, and the rest stays', async () => {
  const user = site.user({ password: 'passw0rd' }), page = await site.open('register');
  await fill(page, 'E-mail address', user.email);
  await fill(page, 'Password', user.password);
  await press(page, 'Create account');
  await says(page, 'Please look at these once more');
  const password = field(page, 'Password');
  assert.equal(await password.getAttribute('aria-invalid'), 'true');
  const described = (await password.getAttribute('aria-describedby')).split(' ');
  assert.equal(await page.locator(`#${described.at(-1)}`).textContent(), 'The password is too easy to guess.');
  assert.equal(await field(page, 'E-mail address').inputValue(), user.email);
});

test('a taken address is told, in words', async () => {
  const user = await site.registered(), page = await site.open('register');
  await fill(page, 'E-mail address', user.email);
  await fill(page, 'Password', user.password);
  await press(page, 'Create account');
  await says(page, 'This address is in use already.');
});

test('WB02 after a sign-in no script can read the tokens, and they are in no page', async () => {
  const user = await site.registered(), page = await site.signedIn(user);
  const cookies = await page.context().cookies();
  const names = Object.fromEntries(cookies.map((c) => [c.name.replace(/^__(Host|Secure)-/, ''), c]));
  for (const name of ['accessToken', 'refreshToken']) assert.deepEqual([names[name].httpOnly, names[name].secure, names[name].sameSite], [true, true, 'Lax']);
  const seen = await page.evaluate(() => [document.cookie, document.documentElement.outerHTML, JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage })].join('\n'));
  for (const name of ['accessToken', 'refreshToken']) assert.ok(!seen.includes(names[name].value), name);
});

test('a wrong password says so, keeps the address, empties the password and takes the focus', async () => {
  const user = await site.registered(), page = await site.open('login');
  await signIn(page, { ...user, password: 'not this one at all' });
  await says(page, 'The e-mail address or the password is wrong.');
  assert.equal(await field(page, 'E-mail address').inputValue(), user.email);
  assert.equal(await field(page, 'Password').inputValue(), '');
  assert.ok(await page.evaluate(() => document.activeElement.classList.contains('alert-error')));
  assert.deepEqual((await page.context().cookies()).filter((c) => /Token/.test(c.name)), []);
});

test('an empty form is refused before anything is sent', async () => {
  const page = await site.open('login'), before_ = site.front.requests.length;
  await press(page, 'Sign in');
  await says(page, 'Please look at these once more');
  assert.equal(await page.locator('.alert li').count(), 2);
  await page.locator('.alert a').first().click();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'email');
  assert.ok(!site.front.requests.slice(before_).some((r) => r.url === '/auth/login'));
});

test('who is signed in goes on from the sign-in page, and comes back after signing out', async () => {
  const user = await site.registered(), page = await site.signedIn(user);
  await page.goto(`${UI}login`);
  await at(page, 'account');
  await press(page, 'Sign out');
  await at(page, 'login');
  assert.equal((await me(page)).code, 'NO_ACCESS_TOKEN');
  await page.goto(`${UI}account`);
  await at(page, 'login');
});

test('a forgotten password: the mailed link leads to a new one, and signs the other browser out', async () => {
  const user = await site.registered(), other = await site.signedIn(user), page = await site.open('login');
  await page.getByRole('link', { name: 'Forgot your password?' }).click();
  await at(page, 'forgot-password');
  await fill(page, 'E-mail address', user.email);
  await press(page, 'Send link');
  await says(page, 'a message is on its way');
  await go(page, await site.linkTo(user, SUBJECT.reset));
  const next = site.user().password;
  await fill(page, 'New password', next);
  await fill(page, 'New password, once more', `${next}x`);
  await press(page, 'Save password');
  await says(page, 'Please look at these once more');
  assert.match(await page.locator('#confirm-error').textContent(), /not the same/);
  await fill(page, 'New password, once more', next);
  await press(page, 'Save password');
  await says(page, 'Your password has been changed.');
  await page.getByRole('link', { name: 'Continue to sign-in' }).click();
  await at(page, 'login');
  await signIn(page, { ...user, password: next });
  await at(page, 'account');
  await other.reload();
  await at(other, 'login');
});

test('a link in an e-mail signs in, when its button is pressed', async () => {
  const user = await site.registered(), page = await site.open('login');
  await page.getByRole('link', { name: shown('Sign in by e-mail') }).click();
  await at(page, 'magic-link');
  await fill(page, 'E-mail address', user.email);
  await press(page, 'Send e-mail');
  await says(page, `If there is an account for ${user.email}`);
  await go(page, await site.linkTo(user));
  await press(page, 'Sign in');
  await at(page, 'account');
  assert.equal((await me(page)).email, user.email);
});

test('the code of that e-mail signs in too', async () => {
  const user = await site.registered(), page = await site.open('magic-link');
  await fill(page, 'E-mail address', user.email);
  await press(page, 'Send e-mail');
  await says(page, 'a message is on its way');
  const code = await site.mailCode(user);
  await fill(page, 'Code', `${code.slice(0, 3)} ${code.slice(3)}`);
  await at(page, 'account');
});

test('a code by text message signs in', async () => {
  const user = await site.registered(), number = '+393331112233';
  await site.s.sql(`UPDATE user SET phone = '${number}' WHERE email = '${user.email}'`);
  const page = await site.open('login');
  await press(page, 'Sign in by text message');
  await fill(page, 'E-mail address', user.email);
  await press(page, 'Send code');
  await says(page, 'a code is on its way');
  await fill(page, 'Code', await site.smsCode(number));
  await at(page, 'account');
});

test('the account: address confirmed by link, then changed by link; the old address can take it back', async () => {
  const user = await site.registered(), page = await site.signedIn(user);
  await section(page, 'address').getByRole('button', { name: 'Send the confirmation again' }).click();
  await says(page, 'A message is on its way.');
  await go(page, await site.linkTo(user, SUBJECT.verify));
  await press(page, 'Confirm');
  await says(page, 'Your address is confirmed.');
  await page.getByRole('link', { name: 'Continue' }).click();
  await at(page, 'account');
  await page.locator('#account').waitFor();
  assert.match(await page.locator('#address-now').textContent(), /confirmed/);

  const next = site.user().email;
  await section(page, 'address').getByText('Change', { exact: true }).click();
  await fill(page, 'New address', next);
  await press(page, 'Change address');
  await says(page, `We have sent a message to ${next}.`);
  await go(page, await site.linkTo(next, SUBJECT.emailChange));
  await press(page, 'Confirm');
  await says(page, 'Your new address is in use.');
  assert.equal((await me(page)).email, next);

  await go(page, await site.linkTo(user, SUBJECT.emailChanged));
  await press(page, 'Bring it back');
  await says(page, 'Your old address is back.');
  await page.goto(`${UI}account`);
  await at(page, 'login');
});

test('the account: name, password and phone number', async () => {
  const user = await site.registered(), page = await site.signedIn(user), next = site.user().password;
  await fill(page, 'First name', 'Grace');
  await press(page, 'Save');
  await says(page, 'Saved.');
  assert.equal((await me(page)).firstName, 'Grace');

  const password = section(page, 'password-section');
  await password.getByText('Change', { exact: true }).click();
  await password.getByLabel('Current password', { exact: true }).fill('surely another one');
  await password.getByLabel('New password', { exact: true }).fill(next);
  await press(page, 'Save password');
  await says(page, 'The current password is wrong.');
  await password.getByLabel('Current password', { exact: true }).fill(user.password);
  await press(page, 'Save password');
  await says(page, 'Your password has been changed.');

  await section(page, 'phone').getByText('Add or change number').click();
  await fill(page, 'Number with country code', '+39 333 444 5566');
  await press(page, 'Send code');
  await says(page, 'a code is on its way');
  await fill(page, 'Code', await site.smsCode('+393334445566'));
  await says(page, 'Your number is confirmed.');
  assert.equal((await me(page)).phoneNumber, '+393334445566');
  await press(page, 'Remove number');
  await says(page, 'Your number has been removed.');
});

test('sessions: each browser sees both, and one signs the other out', async () => {
  const user = await site.registered(), one = await site.signedIn(user), two = await site.signedIn(user);
  const rows = section(two, 'sessions').locator('li');
  await counts(rows, 2);
  assert.match(await rows.first().textContent(), /Chrome · Linux this device/);
  assert.equal(await rows.first().getByRole('button').count(), 0);
  await rows.last().getByRole('button').click();
  await says(two, 'That device has been signed out.');
  await counts(rows, 1);
  await one.reload();
  await at(one, 'login');
  assert.equal((await me(two)).email, user.email);
});

test('linking: the mailed link links the address and signs in; unlinking takes it away', async () => {
  const user = await site.registered(), page = await site.signedIn(user), further = site.user().email;
  const linked = section(page, 'linked');
  await linked.getByText('Link another address').click();
  await fill(page, 'Address to link', further);
  await press(page, 'Send e-mail');
  await says(page, `We have sent a message to ${further}.`);
  await go(page, await site.linkTo(further));
  await press(page, 'Link and sign in');
  await at(page, 'account');
  await linked.locator('li', { hasText: further }).waitFor();
  await linked.getByRole('button', { name: `Unlink: ${further}` }).click();
  await says(page, 'It is no longer linked.');
  await counts(linked.locator('li'), 0);
});

test('after a while the server asks again who is there, a wrong password stays in the dialog, and the right one goes on', async () => {
  const user = await site.registered(), page = await site.signedIn(user), next = site.user().email;
  site.s.advance(11 * MINUTE);
  await section(page, 'address').getByText('Change', { exact: true }).click();
  await fill(page, 'New address', next);
  await press(page, 'Change address');
  const dialog = page.getByRole('dialog', { name: 'Please confirm that it is you' });
  await dialog.waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.autocomplete), 'current-password');
  await dialog.getByLabel('Current password', { exact: true }).fill('surely another one');
  await dialog.getByRole('button', { name: 'Continue' }).click();
  await dialog.getByText('The current password is wrong.').waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await press(page, 'Change address');
  await dialog.getByLabel('Current password', { exact: true }).fill(user.password);
  await dialog.getByRole('button', { name: 'Continue' }).click();
  await says(page, `We have sent a message to ${next}.`);
});

test('a page opened after the access token ended refreshes and goes on', async () => {
  const user = await site.registered(), page = await site.signedIn(user);
  await section(page, 'sessions').locator('li').waitFor();
  await settled(page);
  site.s.advance(16 * MINUTE);
  const from = site.front.requests.length;
  await page.reload();
  await page.locator('#account').waitFor();
  assert.match(await page.locator('#who').textContent(), new RegExp(user.email));
  assert.equal(site.front.requests.slice(from).filter((r) => r.url === '/auth/refresh').length, 1);
});

test('two tabs refresh at once: one request, and both stay signed in', async () => {
  const user = await site.registered(), one = await site.signedIn(user), two = await one.context().newPage();
  await go(two, 'account');
  await Promise.all([settled(one), settled(two)]);
  for (let round = 0; round < 3; round++) {
    site.s.advance(16 * MINUTE);
    await Promise.all([one.reload(), two.reload()]);
    await Promise.all([one, two].map((page) => page.locator('#account').waitFor()));
    await Promise.all([settled(one), settled(two)]);
  }
  for (const page of [one, two]) assert.equal((await me(page)).email, user.email);
});

test('one\'s own data can be downloaded', async () => {
  const user = await site.registered(), page = await site.signedIn(user);
  const [download] = await Promise.all([page.waitForEvent('download'), press(page, 'Download my data')]);
  assert.equal(download.suggestedFilename(), 'account.json');
  const stream = await download.createReadStream();
  let text = '';
  for await (const part of stream) text += part;
  assert.equal(JSON.parse(text).user.email, user.email);
});

test('the account is deleted only after the question is answered', async () => {
  const user = await site.registered(), page = await site.signedIn(user);
  await press(page, 'Delete account');
  const dialog = page.getByRole('dialog', { name: 'Delete your account?' });
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  assert.equal((await me(page)).email, user.email);
  await press(page, 'Delete account');
  await dialog.getByRole('button', { name: 'Delete account' }).click();
  await at(page, 'login');
  await signIn(page, user);
  await says(page, 'The e-mail address or the password is wrong.');
});

/* name: [what asks for it, with whom it leads to, how the token is used after all] */
const MAILED = {
  'reset-password': [(u) => ['/auth/forgot-password', { email: u.email }, u.email, SUBJECT.reset], (token) => ['/auth/reset-password', { token, password: site.user().password }]],
  'verify-email': [(u) => ['/auth/send-verification-email', {}, u.email, SUBJECT.verify], (token) => ['/auth/verify-email', { token }]],
  'magic-link/verify': [(u) => ['/auth/magic-link/send', { email: u.email }, u.email, SUBJECT.magic], (token) => ['/auth/magic-link/verify', { token }]],
  'change-email/confirm': [(u) => ['/auth/change-email/request', { newEmail: `n-${u.email}` }, `n-${u.email}`, SUBJECT.emailChange], (token) => ['/auth/change-email/confirm', { token }]],
  'link-verify': [(u) => ['/auth/link-request', { email: `l-${u.email}` }, `l-${u.email}`, undefined], (token) => ['/auth/link-verify', { token }]],
};
for (const [name, [ask, use]] of Object.entries(MAILED)) {
  test(`EL10 EL02 loading the mailed link to ${name} takes its token out of the address bar and uses nothing up`, async () => {
    const user = await site.s.signedIn(), [path, json, to, subject] = ask(user);
    const asked = await site.s.post(path, json, { token: user.accessToken });
    assert.equal(asked.status, 200, asked.text);
    const link = await site.linkTo(to, subject), token = link.slice(-64), from = site.front.requests.length;
    assert.equal(link, `${UI}${name}?token=${token}`);
    const page = await site.open(link);
    assert.equal(await page.evaluate(() => location.search), '');
    assert.ok(!(await page.content()).includes(token));
    for (const key of ['Tab', 'ArrowDown', 'End', 'PageDown']) await page.keyboard.press(key);
    await page.mouse.click(5, 5);
    await settled(page);
    const sent = site.front.requests.slice(from);
    assert.deepEqual(sent.filter((r) => !['GET', 'HEAD'].includes(r.method)).map((r) => r.url), [], 'EL02');
    for (const r of sent.slice(1)) assert.ok(!`${r.url} ${JSON.stringify(r.headers)}`.includes(token), 'nothing else is told the token');
    const [where, body] = use(token), used = await site.s.post(where, body, { strategy: 'bearer' });
    assert.equal(used.status, 200, used.text);
  });
}

test('WB14 a way back is followed within this origin only', async () => {
  const user = await site.registered();
  const page = await site.open('login');
  for (const [wanted, path] of [['/auth/ui/forgot-password?lang=en', '/auth/ui/forgot-password'], ...['//evil.example.test/', '/\\evil.example.test', '/%2f%2fevil.example.test',
    '/..//evil.example.test', '/\t/evil.example.test', 'https://evil.example.test/', 'javascript:alert(1)'].map((bad) => [bad, '/auth/ui/account'])]) {
    await page.context().clearCookies();
    await go(page, `login?redirect=${encodeURIComponent(wanted)}`);
    await signIn(page, user);
    await page.waitForURL((url) => url.pathname !== '/auth/ui/login');
    assert.ok(page.url().startsWith(`${ORIGIN}${path}`), `${wanted} led to ${page.url()}`);
  }
});

test('the links of pages keep language and way back', async () => {
  const page = await site.open('login?lang=de&redirect=%2Fauth%2Fui%2Faccount');
  const href = await page.locator('a[data-page=register]').getAttribute('href');
  assert.equal(href, '/auth/ui/register?lang=de&redirect=%2Fauth%2Fui%2Faccount');
});

