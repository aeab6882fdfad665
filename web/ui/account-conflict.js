import { $, api, onSubmit, query, refuse, say, show, t } from './page.js';

const form = $('conflict-form'), email = query.get('email') ?? '';
form.elements.email.value = email;
form.elements.email.readOnly = email !== '';

onSubmit(form, async (values) => {
  const result = await api.requestLinkingEmail(values.email, query.get('provider') ?? undefined);
  if (!result.success) return refuse(result, form);
  show(form, false);
  say('success', t('link_mail_sent', { email: values.email }));
});
