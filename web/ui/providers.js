/* providers.js - other providers, as buttons with their marks. */
import { $, api, base, el, features, pageUrl, t } from './page.js';

export const providers = features.oauthProviders ?? [];
export const labelOf = (name) => features.oauthLabels?.[name] ?? name;
export function mark(name) {
  const e = el('span', { class: 'mark', 'aria-hidden': 'true' });
  e.style.maskImage = `url("${base}marks/${features.oauthMarks?.[name] ?? 'key'}.svg")`;
  return e;
}

/* Where a sign-in begins, or with a ticket the linking of an account; it ends at that page of ours. */
export function startUrl(name, page, ticket) {
  const to = new URL(`${api.config.apiPrefix}/oauth/${encodeURIComponent(name)}`, location.href);
  if (ticket) to.searchParams.set('ticket', ticket);
  to.searchParams.set('return_path', pageUrl(page));
  return to.href;
}

/* Ways in, which lead over the sign-in page: it knows where a sign-in leads. */
for (const name of $('providers') ? providers : [])
  $('providers').append(el('a', { class: 'button btn-social', href: startUrl(name, 'login') }, mark(name), t('continue_with', { provider: labelOf(name) })));
