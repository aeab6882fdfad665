import { $, afterSignIn, api, lang, leaveIfSignedIn, moveTo, offerAccount, onClick, onSubmit, query, refuse, say, show, t, textOf, understands } from './page.js';
import './providers.js';

understands('error_INVALID_CREDENTIALS', 'error_EMAIL_NOT_VERIFIED', 'error_EMAIL_VERIFICATION_REQUIRED',
  'error_INVALID_SMS_CODE', 'error_CHALLENGE_REQUIRED', 'error_EMAIL_ALREADY_VERIFIED', 'error_OAUTH_ACCESS_DENIED',
  'error_OAUTH_TOKEN_EXCHANGE_FAILED', 'error_OAUTH_PROFILE_FAILED');

const signIn = (result, form) => afterSignIn(result) || refuse(result, form);

onSubmit($('password-form'), async ({ email, password }, form) => {
  const result = await api.login(email, password);
  if (afterSignIn(result)) return;
  form.elements.password.value = '';
  show($('resend-form'), /^EMAIL_(NOT_VERIFIED|VERIFICATION_REQUIRED)$/.test(result.code));
  refuse(result, form);
});

/* An address that has to be proven first: the mail again. */
onSubmit($('resend-form'), async () => {
  const email = $('email').value.trim();
  const result = await api.resendVerificationEmail(lang, email);
  if (!result.success) return refuse(result);
  show($('resend-form'), false);
  say('success', t('verify_email_sent'));
});

/* ---- by text message ---- */

onClick($('by-sms'), () => {
  show($('password-form'), false);
  show($('ways'), false);
  $('sms-email').value = $('email').value;
  moveTo($('sms-form'));
});
onSubmit($('sms-form'), async ({ email }, form) => {
  const result = await api.sendSmsLogin(email);
  if (!result.success) return refuse(result, form);
  show(form, false);
  say('info', t('sms_sent'));
  moveTo($('sms-code-form'));
});
onSubmit($('sms-code-form'), async ({ code }, form) => signIn(await api.verifySmsLogin($('sms-email').value.trim(), code), form));

show($('ways'), [...$('ways').querySelectorAll('a, button')].some((way) => !way.hidden));

/* Sent here by a provider's refusal. */
const failed = query.get('error');
if (failed) {
  say('error', textOf(failed) || t('error_provider'));
  offerAccount();
} else {
  leaveIfSignedIn();
}
