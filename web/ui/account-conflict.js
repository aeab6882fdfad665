import { $, api, onSubmit, query, refuse, say, show, t, understands } from './page.js';

understands('error_UNAUTHORIZED', 'error_USER_NOT_FOUND', 'error_ACCOUNT_ALREADY_LINKED',
  'error_EMAIL_NOT_CONFIGURED');

const form = $('conflict-form'), email = query.get('email') ?? '';
form.elements.email.value = email;
form.elements.email.readOnly = email !== '';

/* Whose account it is stays out of the history. */
const kept = new URL(location.href);
kept.searchParams.delete('email');
history.replaceState(null, '', kept);

onSubmit(form, async (values) => {
  const result = await api.requestLinkingEmail(values.email, query.get('provider') ?? undefined);
  if (!result.success) return refuse(result, form);
  show(form, false);
  say('success', t('link_mail_sent', { email: values.email }));
});
