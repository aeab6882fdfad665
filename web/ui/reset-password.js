import { $, api, onSubmit, query, refuse, say, show, t, understands } from './page.js';

understands('error_INVALID_RESET_TOKEN', 'error_RESET_TOKEN_EXPIRED', 'error_field_PASSWORD_TOO_SHORT',
  'error_field_PASSWORD_TOO_LONG', 'error_field_PASSWORD_COMPROMISED');

const token = query.get('token'), form = $('reset-form');

onSubmit(form, async ({ password }) => {
  const result = await api.resetPassword(token, password);
  if (!result.success) return refuse(result, form);
  form.reset();
  show(form, false);
  show($('done'));
  say('success', t('reset_password_success'));
});

if (!token) {
  show(form, false);
  say('error', t('error_link_incomplete'));
}
