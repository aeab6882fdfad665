/* confirm.js - what a mailed link means is done when its button is pressed, and never before: scanners of mail open
 * every link, and run its scripts. */
import { $, afterSignIn, api, onSubmit, query, refuse, say, show, t, understands } from './page.js';

understands('error_INVALID_VERIFICATION_TOKEN', 'error_VERIFICATION_TOKEN_EXPIRED', 'error_TOKEN_REQUIRED',
  'error_INVALID_EMAIL_CHANGE_TOKEN', 'error_EMAIL_CHANGE_TOKEN_EXPIRED', 'error_EMAIL_EXISTS',
  'error_INVALID_EMAIL_REVERT_TOKEN', 'error_EMAIL_REVERT_TOKEN_EXPIRED', 'error_INVALID_2FA_RESET_TOKEN',
  'error_2FA_RESET_TOKEN_EXPIRED', 'error_INVALID_LINK_TOKEN', 'error_LINK_TOKEN_EXPIRED', 'error_INVALID_STATE',
  'error_ACCOUNT_ALREADY_LINKED', 'error_EMAIL_NOT_VERIFIED');

/* page: [what it does, what it says then] */
const ACTIONS = {
  'verify-email': [api.verifyEmail, 'verify_email_done'],
  'change-email-confirm': [api.confirmEmailChange, 'change_email_confirm_done'],
  'change-email-revert': [api.revertEmailChange, 'change_email_revert_done'],
  '2fa-keep': [api.keepSecondFactor, '2fa_keep_done'],
  'link-verify': [api.verifyConflictLinkingToken, 'link_verify_done'],
};
const { page } = document.body.dataset;
const [send, done] = ACTIONS[page];
const token = query.get('token'), form = $('confirm-form');

onSubmit(form, async () => {
  const result = await send(token);
  if (page === 'link-verify' && afterSignIn(result)) return;
  if (!result.success) return refuse(result, form);
  show(form, false);
  show($('done'));
  say('success', t(done));
});

if (token) show(form);
else say('error', t('error_link_incomplete'));
