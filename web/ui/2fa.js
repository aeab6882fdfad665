import { $, afterSignIn, api, el, features, goHome, goTo, handle, lang, moveTo, onClick, onSubmit, proven, query, refuse, say, show, t, understands } from './page.js';
import { answerOtherTabs } from './tabs.js';

understands('error_INVALID_TOTP_CODE', 'error_INVALID_ACCESS_TOKEN', 'error_2FA_NOT_SET_UP',
  'error_INVALID_TEMP_TOKEN', 'error_INVALID_SMS_CODE', 'error_INVALID_MAGIC_LINK', 'error_MAGIC_LINK_EXPIRED',
  'error_TOKEN_MISMATCH', 'error_PHONE_NOT_SET', 'error_EMAIL_NOT_VERIFIED');

/* The handle of the first factor: from the page before, or from a provider's redirect. */
const given = query.get('token') ?? query.get('tempToken');
if (given) handle.keep({ tempToken: given, available2faMethods: (query.get('methods') ?? '').split(',').filter(Boolean) });
const sign = handle.get();
const tempToken = sign?.token;

/* ---- verify ---- */

/* method: [the panel, the text of its button] */
const PANELS = {
  totp: ['totp-form', 'method_totp'],
  sms: ['sms-form', 'method_sms'],
  'magic-link': ['mail-form', 'method_magic_link'],
  recovery: ['recovery-form', 'method_recovery'],
};
const FORMS = ['totp-form', 'sms-form', 'sms-code-form', 'mail-form', 'mail-code-form', 'recovery-form'];
/* After these the sign-in begins again. */
const OVER = new Set(['INVALID_ACCESS_TOKEN', 'INVALID_TEMP_TOKEN', '2FA_NOT_SET_UP']);

function choose(method, methods) {
  $('message').replaceChildren();
  for (const id of FORMS) show($(id), false);
  const others = methods.filter((m) => m !== method);
  $('methods').replaceChildren(...others.map((m) => {
    const b = el('button', { type: 'button', class: 'secondary' }, t(PANELS[m][1]));
    b.addEventListener('click', () => choose(m, methods));
    return b;
  }));
  show($('ways'), others.length > 0);
  moveTo($(PANELS[method][0]));
}

function verified(result, form) {
  if (afterSignIn(result)) return;
  if (OVER.has(result.code)) {
    handle.drop();
    show($('verify'), false);
  }
  refuse(result, form);
}

async function sent(result, from, next, text) {
  if (!result.success) return verified(result, from);
  show(from, false);
  say('info', text);
  moveTo(next);
}

const remembered = (values) => (features.rememberDevice ? values.rememberDevice : undefined);
const sendSms = () => api.sendSms2fa(tempToken).then((r) => sent(r, $('sms-form'), $('sms-code-form'), t('sms_sent')));
const sendMail = () => api.sendMagicLink2fa(tempToken, 'both', lang).then((r) => sent(r, $('mail-form'), $('mail-code-form'), t('mail_sent')));

onSubmit($('totp-form'), async (v, form) => verified(await api.validate2fa(tempToken, v.code, remembered(v)), form));
onSubmit($('recovery-form'), async (v, form) => verified(await api.validateRecoveryCode(tempToken, v.code, remembered(v)), form));
onSubmit($('sms-form'), sendSms);
onSubmit($('mail-form'), sendMail);
onClick($('sms-again'), sendSms);
onClick($('mail-again'), sendMail);
onSubmit($('sms-code-form'), async (v, form) => verified(await api.validateSms(tempToken, v.code, remembered(v)), form));
onSubmit($('mail-code-form'), async (v, form) => verified(await api.validateMagicLink(tempToken, { code: v.code }, remembered(v)), form));

function startVerify() {
  if (!tempToken) return goTo('login');
  const methods = sign.methods.filter((m) => Object.hasOwn(PANELS, m));
  if (methods.length === 0) methods.push('totp');
  if (methods.includes('totp')) methods.push('recovery');
  choose(methods[0], methods);
  answerOtherTabs(() => handle.get()?.token ?? '');
  document.addEventListener('visibilitychange', async () => { // the mailed link was used in another tab
    if (!document.hidden && (await api.checkSession())) goHome();
  });
}

/* ---- setup: by a user who is signed in, or who must have a second factor to be ---- */

async function startSetup() {
  document.title = document.title.replace(t('two_fa_title'), t('two_fa_setup_title'));
  $('title').textContent = t('two_fa_setup_title');
  if (!tempToken && !(await api.checkSession())) return goTo('login');
  const made = await proven((proof) => api.setup2fa({ ...proof, tempToken }), { factorOnly: true });
  if (made === null) return goHome();
  if (!made.success) return refuse(made);
  $('qr').src = made.qrCode;
  $('secret').textContent = made.secret.match(/.{1,4}/g).join(' ');
  $('open-app').href = made.otpauthUrl;
  const { copy, showCodes } = await import('./codes.js');
  onClick($('copy-secret'), () => copy(made.secret));
  onSubmit($('setup-form'), async ({ code }, form) => {
    const result = await api.verify2faSetup(code, made.secret, tempToken);
    if (!result.success && !result.requiresTwoFactor) return refuse(result, form);
    $('message').replaceChildren();
    show($('setup'), false);
    if (result.recoveryCodes) await showCodes(result.recoveryCodes);
    if (!afterSignIn(result)) goHome();
  });
  show($('setup'));
  $('setup-code').focus();
}

if (query.get('mode') === 'setup' || query.get('requires2FASetup') === 'true') startSetup();
else startVerify();
