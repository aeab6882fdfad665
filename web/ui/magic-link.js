/* magic-link.js - asks for a mail to sign in with; behind the mailed link it signs in, when the button is pressed. */
import { $, afterSignIn, api, goHome, lang, leaveIfSignedIn, moveTo, onSubmit, query, refuse, say, show, t, understands } from './page.js';
import { askOtherTabs } from './tabs.js';

understands('error_INVALID_MAGIC_LINK', 'error_MAGIC_LINK_EXPIRED', 'error_TOKEN_MISMATCH',
  'error_EMAIL_NOT_CONFIGURED', 'error_EMAIL_NOT_VERIFIED');

const token = query.get('token');
let address = '';

onSubmit($('link-form'), async (_, form) => {
  // Asked for as second factor: the tab that waits for it has the other half.
  const waiting = await askOtherTabs();
  let result = waiting ? await api.validateMagicLink(waiting, { token }) : await api.verifyMagicLink(token);
  if (waiting && result.code === 'INVALID_MAGIC_LINK') result = await api.verifyMagicLink(token);
  if (!afterSignIn(result)) refuse(result, form);
});

onSubmit($('send-form'), async ({ email }, form) => {
  const result = await api.sendMagicLink(email, 'both', lang);
  if (!result.success) return refuse(result, form);
  address = email;
  show(form, false);
  say('info', t('magic_link_sent', { email }));
  moveTo($('code-form'));
});

onSubmit($('code-form'), async ({ code }, form) => {
  const result = await api.verifyMagicCode(address, code);
  if (!afterSignIn(result)) refuse(result, form);
});

/* The link was opened in another tab of this browser. */
document.addEventListener('visibilitychange', async () => {
  if (!document.hidden && address && (await api.checkSession())) goHome();
});

show($(token ? 'link-form' : 'send-form'));
if (!token) leaveIfSignedIn();
