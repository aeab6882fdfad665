import { $, api, el, features, lang, onClick, onSubmit, pageUrl, proven, query, refuse, say, show, t, textOf, understands } from './page.js';
import { labelOf, mark, providers, startUrl } from './providers.js';

understands('error_EMAIL_EXISTS', 'error_EMAIL_NOT_CONFIGURED', 'error_EMAIL_ALREADY_VERIFIED',
  'error_PASSWORD_REQUIRED', 'error_CURRENT_PASSWORD_INCORRECT', 'error_2FA_REQUIRED',
  'error_SESSION_NOT_FOUND', 'error_LAST_LOGIN_METHOD', 'error_ACCOUNT_ALREADY_LINKED',
  'error_OAUTH_ACCESS_DENIED', 'error_OAUTH_TOKEN_EXCHANGE_FAILED', 'error_OAUTH_PROFILE_FAILED',
  'error_field_PASSWORD_TOO_SHORT', 'error_field_PASSWORD_TOO_LONG', 'error_field_PASSWORD_COMPROMISED');

const time = new Intl.DateTimeFormat(lang, { dateStyle: 'medium', timeStyle: 'short' });
const at = (iso) => time.format(new Date(iso));

const badge = (text, kind = '') => el('span', { class: `badge ${kind}` }, text);
const small = (text, kind, label, work) => {
  const b = el('button', { type: 'button', class: `${kind} small`, 'aria-label': label }, text);
  onClick(b, work);
  return b;
};

/* Runs a request that may ask again who is there; what it answers is shown in the section of `near`. */
async function change(near, request, done, options) {
  const result = await proven(request, options);
  if (result === null) return false;
  if (!result.success) {
    refuse(result, near);
    return false;
  }
  await showUser();
  if (done) say('success', done, { near });
  return true;
}

/* A form that did its work is empty again, and out of the way. */
function fold(form) {
  const around = form.closest('details');
  for (const f of around.querySelectorAll('form')) f.reset();
  around.open = false;
  $('password-user').value = api.user.email; // no reset of what password managers read
}

/* ---- who ---- */

async function showUser() {
  if (!(await api.guardPage())) return false;
  const u = api.user;
  $('who').textContent = [u.name, u.email].filter(Boolean).join(' · ');
  $('first-name').value = u.firstName ?? '';
  $('last-name').value = u.lastName ?? '';
  show($('names'), Boolean(features.askNames || u.name)); // what was given can be removed
  $('address-now').replaceChildren(u.email, ' ', u.isEmailVerified ? badge(t('verified'), 'good') : badge(t('not_verified'), 'bad'));
  show($('unverified'), !u.isEmailVerified && features.forgotPassword); // which says that mail can be sent
  $('password-user').value = u.email;
  show($('current-part'), u.hasPassword);
  $('current-password').required = u.hasPassword;
  $('phone-now').textContent = u.phoneNumber ?? t('phone_none');
  show($('phone-there'), Boolean(u.phoneNumber));
  $('factor-now').replaceChildren(u.isTotpEnabled ? badge(t('on'), 'good') : badge(t('off')));
  $('factor-setup').textContent = t(u.isTotpEnabled ? 'two_fa_replace_button' : 'two_fa_setup_button');
  show($('factor-codes'), u.isTotpEnabled);
  show($('factor-off'), u.isTotpEnabled);
  return true;
}

onClick($('logout'), () => api.logout());

onSubmit($('profile-form'), ({ firstName, lastName }, form) =>
  change(form, () => api.updateProfile({ firstName: firstName || null, lastName: lastName || null }), t('saved')));

/* ---- address ---- */

onClick($('verify-address'), async () => {
  const result = await api.resendVerificationEmail(lang);
  if (!result.success) return refuse(result, $('address-form'));
  say('success', t('verify_email_sent'), { near: $('address-form') });
});
onSubmit($('address-form'), async ({ newEmail }, form) => {
  if (await change(form, (proof) => api.requestEmailChange(newEmail, { emailLang: lang, ...proof }), t('change_email_sent', { email: newEmail }))) fold(form);
});

/* ---- password ---- */

onSubmit($('password-form'), async ({ currentPassword, newPassword }, form) => {
  const had = api.user.hasPassword;
  const done = await change(form, () => (had ? api.changePassword(currentPassword, newPassword) : api.setPassword(newPassword)), t('password_changed'));
  if (!done) return;
  fold(form);
  await showSessions();
});

if (features.sms) (await import('./phone.js')).start(change, fold);

/* ---- second factor ---- */

const setup = new URL(pageUrl('2fa?mode=setup'), location.href);
setup.searchParams.set('redirect', location.pathname);
$('factor-setup').href = setup.href;
onClick($('factor-off'), () => change($('factor-now'), (proof) => api.disable2fa(proof), t('two_fa_disabled'), { factorOnly: true }));
onClick($('factor-codes'), async () => {
  const result = await proven((proof) => api.newRecoveryCodes(proof), { factorOnly: true });
  if (result === null) return;
  if (!result.success) return refuse(result, $('factor-now'));
  await (await import('./codes.js')).showCodes(result.recoveryCodes);
  $('factor-title').focus();
});

/* ---- sessions ---- */

/* "Firefox · Linux" from what browsers call themselves, or the beginning of that */
function device(agent) {
  if (!agent) return t('unknown_device');
  const browser = [['Edg', 'Edge'], ['OPR', 'Opera'], ['Firefox', 'Firefox'], ['Chrome', 'Chrome'], ['Safari', 'Safari'], ['Dart', 'Dart']].find(([mark]) => agent.includes(`${mark}/`));
  const system = [['iPhone', 'iPhone'], ['iPad', 'iPad'], ['Android', 'Android'], ['Windows', 'Windows'], ['Mac OS X', 'macOS'], ['CrOS', 'ChromeOS'], ['Linux', 'Linux']].find(([mark]) => agent.includes(mark));
  const both = [browser?.[1], system?.[1]].filter(Boolean).join(' · ');
  return both || agent.slice(0, 60);
}

async function endSession(s) {
  const result = await api.revokeSession(s.handle);
  if (!result.success) return refuse(result, $('session-list'));
  await showSessions();
  say('success', t('session_ended'), { near: $('session-list') });
}

async function showSessions() {
  const result = await api.getActiveSessions();
  if (!result.success) return refuse(result, $('session-list'));
  const all = result.sessions.sort((a, b) => b.isCurrent - a.isCurrent || b.lastActive.localeCompare(a.lastActive));
  $('session-list').replaceChildren(...all.map((s) => {
    const name = device(s.userAgent);
    return el('li', {}, el('div', { class: 'what' }, name, ' ', s.isCurrent ? badge(t('this_device'), 'good') : '',
      el('span', {}, [s.ipAddress, t('last_active', { time: at(s.lastActive) })].filter(Boolean).join(' · '))),
    s.isCurrent ? '' : small(t('session_end_button'), 'secondary', `${t('session_end_button')}: ${name}`, () => endSession(s)));
  }));
  show($('sessions-end'), all.length > 2);
}

onClick($('sessions-end'), async () => {
  const { sessions = [] } = await api.getActiveSessions();
  for (const s of sessions.filter((other) => !other.isCurrent)) await api.revokeSession(s.handle);
  await showSessions();
  say('success', t('sessions_ended'), { near: $('session-list') });
});

/* ---- linked accounts ---- */

async function unlink(a) {
  if (await change($('linked-list'), (proof) => api.unlinkAccount(a.provider, a.providerAccountId, proof), t('unlinked'))) await showLinked();
}

async function showLinked() {
  const result = await api.getLinkedAccounts();
  if (!result.success) return refuse(result, $('linked-list'));
  const list = result.linkedAccounts.map((a) => {
    const name = a.email ?? a.name ?? a.providerAccountId;
    return el('li', {}, el('div', { class: 'what' }, name, el('span', {}, `${labelOf(a.provider)} · ${at(a.linkedAt)}`)),
      small(t('unlink_button'), 'secondary', `${t('unlink_button')}: ${name}`, () => unlink(a)));
  });
  $('linked-list').replaceChildren(...list);
  const free = providers.filter((name) => !result.linkedAccounts.some((a) => a.provider === name));
  $('connect').replaceChildren(...free.map((name) => {
    const b = el('button', { type: 'button', class: 'secondary small' }, mark(name), t('connect_button', { provider: labelOf(name) }));
    onClick(b, () => connect(name, b));
    return b;
  }));
  show($('connect'), free.length > 0);
}

/* To the provider, and back to this page. */
async function connect(name, near) {
  const result = await proven((proof) => api.connectProvider(name, proof));
  if (result === null) return;
  if (!result.success) return refuse(result, near);
  location.assign(startUrl(name, 'account', result.ticket));
}
onSubmit($('linked-form'), async ({ email }, form) => {
  if (await change(form, (proof) => api.requestLinkingEmail(email, 'email', { emailLang: lang, ...proof }), t('link_mail_sent', { email }))) fold(form);
});

/* ---- everything: seldom, so its script comes when it is asked for ---- */

onClick($('export'), async () => (await import('./data.js')).takeAway());
onClick($('delete'), async () => (await import('./data.js')).leave());

if (await showUser()) {
  show($('account'));
  await Promise.all([showSessions(), showLinked()]);
  const connected = query.get('linked'), failed = query.get('error');
  if (connected) say('success', t('connected', { provider: labelOf(connected) }), { near: $('linked-list') });
  else if (failed) say('error', textOf(failed) || t('error_provider'), { near: $('linked-list') });
}
