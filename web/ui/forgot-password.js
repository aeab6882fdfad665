import { $, api, lang, onSubmit, refuse, say, show, t, understands } from './page.js';

understands('error_EMAIL_NOT_CONFIGURED');

onSubmit($('forgot-form'), async ({ email }, form) => {
  const result = await api.forgotPassword(email, lang);
  if (!result.success) return refuse(result, form);
  show(form, false);
  show($('remember'), false);
  show($('done'));
  say('success', t('forgot_password_success'));
});
