import { $, afterSignIn, api, el, goTo, lang, leaveIfSignedIn, legal, onSubmit, refuse, say, show, t, understands } from './page.js';
import { providers } from './providers.js';

understands('error_EMAIL_EXISTS', 'error_NOT_FOUND', 'error_EMAIL_NOT_VERIFIED',
  'error_field_PASSWORD_TOO_SHORT', 'error_field_PASSWORD_TOO_LONG', 'error_field_PASSWORD_COMPROMISED');

onSubmit($('register-form'), async ({ firstName, lastName, email, password }, form) => {
  const made = await api.register({ email, password, firstName: firstName || undefined, lastName: lastName || undefined, emailLang: lang });
  if (!made.success) return refuse(made, form);
  const result = await api.login(email, password);
  if (afterSignIn(result)) return;
  if (result.code !== 'EMAIL_NOT_VERIFIED') return goTo('login');
  show(form, false); // the mail that proves the address is on its way
  say('success', t('register_verify', { email }));
});

/* What holds for who signs up: sentences with a link in them. */
for (const [key, [href, name]] of [['register_terms', legal.terms], ['register_privacy', legal.privacy]]) {
  if (!href) continue;
  const [before, after] = t(key).split('{link}');
  $('agree').append(before, el('a', { href, target: '_blank', rel: 'noopener' }, name), after, ' ');
  show($('agree'));
}

show($('ways'), providers.length > 0);
leaveIfSignedIn();
