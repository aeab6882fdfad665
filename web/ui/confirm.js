/* confirm.js - what a mailed link means is done when its button is pressed, and never before: scanners of mail open
 * every link, and run its scripts. */
import { $, afterSignIn, api, onSubmit, query, refuse, say, show, t } from './page.js';

/* page: [what it does, what it says then] */
const ACTIONS = {
  'verify-email': [api.verifyEmail, 'verify_email_done'],
  'change-email-confirm': [api.confirmEmailChange, 'change_email_confirm_done'],
  'change-email-revert': [api.revertEmailChange, 'change_email_revert_done'],
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
