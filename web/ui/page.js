/* page.js - what the pages share: texts, messages, forms, and where a sign-in leads. Text only ever gets into the
 * page as text. */
export const api = window.AwesomeNodeAuth;
export const query = window.__AUTH_QUERY__; // as the page was asked for; secrets have left the address bar
export const features = api.config.features ?? {};
export const lang = document.documentElement.lang;
export const $ = (id) => document.getElementById(id);

export const { base, home } = document.body.dataset;
const texts = api.config.translations ?? {};

export function t(key, values = {}) {
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}

/* An element: el('p', { class: 'note' }, 'text', anotherElement) */
export function el(name, attributes = {}, ...content) {
  const e = document.createElement(name);
  for (const [k, v] of Object.entries(attributes)) if (v !== undefined) e.setAttribute(k, v);
  e.append(...content);
  return e;
}

export function show(element, visible = true) { element.hidden = !visible; }

/* ---- where to ---- */

/* Another page of ours, with the language and the way back that this one was given. */
export function pageUrl(name) {
  const url = new URL(base + name, location.href);
  if (query.get('lang')) url.searchParams.set('lang', query.get('lang'));
  if (wayBack) url.searchParams.set('redirect', wayBack);
  return url.pathname + url.search + url.hash;
}

/* What the page was asked for with as `redirect`, if the server found it to be a path of this origin. */
export const wayBack = api.config.returnTo ?? '';
export const goTo = (name) => location.assign(pageUrl(name));
export const goHome = () => location.replace(wayBack || (home.startsWith(base) ? pageUrl(home.slice(base.length)) : home));

/* Who is signed in has nothing to do at a page for signing in. */
export async function leaveIfSignedIn() {
  if (await api.checkSession().catch(() => false)) goHome();
}

/* At any other page it is offered to go back instead of to sign in. */
export async function offerAccount() {
  if (!(await api.checkSession().catch(() => false))) return;
  const footer = document.querySelector('main > .footer-links') ?? document.querySelector('main').appendChild(el('div', { class: 'footer-links' }));
  footer.replaceChildren(el('p', {}, el('a', { href: pageUrl('account') }, t('back_to_account_link'))));
  show(footer);
}

/* ---- the handle between two factors: of this tab, until it is used ---- */

const HANDLE = 'sallyport-handle';
export const handle = {
  keep(result) { sessionStorage.setItem(HANDLE, JSON.stringify({ token: result.tempToken, methods: result.available2faMethods ?? [] })); },
  get() { try { return JSON.parse(sessionStorage.getItem(HANDLE)); } catch { return null; } },
  drop() { sessionStorage.removeItem(HANDLE); },
};

/* What comes after any sign-in; false: it was refused. */
export function afterSignIn(result) {
  if (result.requires2FASetup || result.requiresTwoFactor) {
    handle.keep(result);
    goTo(result.requires2FASetup ? '2fa?mode=setup' : '2fa');
    return true;
  }
  if (!result.success) return false;
  handle.drop();
  goHome();
  return true;
}

/* ---- messages ---- */

/* The refusals that a page has words for; of others it shows the server's. Named in full, so that the server finds
 * which texts a page needs. */
const known = new Set();
export function understands(...keys) { for (const key of keys) known.add(key); }
export const textOf = (code) => (known.has(`error_${code}`) ? t(`error_${code}`) : '');

understands('error_RATE_LIMITED', 'error_field_REQUIRED', 'error_field_INVALID', 'error_field_TOO_LONG');

const placeOf = (near) => near?.closest('section, dialog')?.querySelector('.message') ?? $('message');

export function clear(near) {
  placeOf(near).replaceChildren();
  const within = near ?? document;
  for (const e of within.querySelectorAll('.field-error')) e.remove();
  for (const e of within.querySelectorAll('[aria-invalid]')) {
    e.removeAttribute('aria-invalid');
    describe(e);
  }
}

/* kind: error, success, info. Takes the focus, so that it is read and seen. wrong: [[input, text], ...] */
export function say(kind, text, { near, wrong = [], as } = {}) {
  const box = el('div', { class: `alert alert-${kind}`, role: kind === 'error' ? 'alert' : 'status', tabindex: '-1' });
  box.append(el('strong', { lang: as }, text));
  if (wrong.length > 0) {
    box.append(el('ul', {}, ...wrong.map(([input, why]) => {
      const link = el('a', { href: `#${input.id}` }, `${labelOf(input)}: ${why}`);
      link.addEventListener('click', (event) => { event.preventDefault(); input.focus(); });
      return el('li', {}, link);
    })));
  }
  placeOf(near).replaceChildren(box);
  box.focus();
}

const labelOf = (input) => input.labels[0]?.textContent ?? input.name;

function describe(input, errorId) {
  const ids = [input.dataset.hint, errorId].filter(Boolean).join(' ');
  if (ids) input.setAttribute('aria-describedby', ids);
  else input.removeAttribute('aria-describedby');
}

function mark(input, why) {
  const id = `${input.id}-error`;
  const place = input.closest('.password') ?? input;
  place.after(el('p', { class: 'field-error', id }, why));
  input.setAttribute('aria-invalid', 'true');
  describe(input, id);
}

function sayWrong(form, wrong) {
  for (const [input, why] of wrong) mark(input, why);
  say('error', t('error_summary'), { near: form, wrong });
}

function whenFree(seconds) {
  const in_ = new Intl.RelativeTimeFormat(lang, { numeric: 'always' });
  return seconds < 90 ? in_.format(seconds, 'second') : in_.format(Math.ceil(seconds / 60), 'minute');
}

/* Shows why a request was refused; beside the fields where the answer names fields of the form. */
export function refuse(result, form) {
  const why = (reason) => textOf(`field_${reason}`) || (result.code === 'VALIDATION_ERROR' ? textOf('field_INVALID') : '');
  const wrong = (result.fields ?? []).map(({ field, reason }) => [form?.elements[field], why(reason)]).filter(([input, text]) => input && text);
  if (wrong.length > 0) return sayWrong(form, wrong);
  if (result.code === 'RATE_LIMITED' && result.retryAfter) return say('error', t('error_wait', { when: whenFree(result.retryAfter) }), { near: form });
  const text = textOf(result.code);
  if (text) say('error', text, { near: form });
  else say('error', result.error ?? t('error_failed'), { near: form, as: 'en' });
  const code = form?.elements?.code;
  if (code && !form.closest('[hidden]')) code.select(); // what was wrong is typed over
}

/* A request that may ask again who is there (proof.js): request(proof) is sent without proof, and once more with it.
 * null: the user gave up. factorOnly: a password does not do where there is an app. */
export async function proven(request, { factorOnly = false } = {}) {
  const first = await request({});
  if (first.code !== 'REAUTH_REQUIRED') return first;
  return (await import('./proof.js')).ask(request, factorOnly);
}

/* ---- forms ---- */

/* A code as it was meant: people paste blanks, dashes, line ends and digits of full width or another script. The server
 * reads it likewise. */
const plainCode = (text) => text.normalize('NFKC').replace(/[\p{Z}\p{C}\p{Pd}\u2212]/gu, '');

function faultOf(input) {
  const v = input.validity, value = input.value;
  if (v.valueMissing || (input.required && value.trim() === '')) return t('error_required');
  if (v.typeMismatch) return t('error_email');
  if (input.dataset.same && value !== $(input.dataset.same).value) return t('error_same');
  if (input.classList.contains('code') && value !== '' && !isWhole(input)) return t('error_code');
  return '';
}

const codeOf = (input) => plainCode(input.value);
const isWhole = (input) => /^\p{Nd}{6}$/u.test(codeOf(input));

function valueOf(input) {
  if (input.type === 'checkbox') return input.checked;
  if (input.classList.contains('code')) return codeOf(input);
  return input.dataset.secret === undefined ? input.value.trim() : input.value;
}

/* work(values, form) for each submission that is filled in rightly; one at a time. */
export function onSubmit(form, work) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const button = event.submitter ?? form.querySelector('[type=submit]');
    if (button.getAttribute('aria-busy') === 'true') return;
    clear(form);
    const inputs = [...form.querySelectorAll('input[name]')];
    const wrong = inputs.map((i) => [i, faultOf(i)]).filter(([, why]) => why !== '');
    if (wrong.length > 0) return sayWrong(form, wrong);
    await whileBusy(button, () => work(Object.fromEntries(inputs.map((i) => [i.name, valueOf(i)])), form));
  });
}

export function onClick(button, work) {
  button.addEventListener('click', async () => {
    if (button.getAttribute('aria-busy') === 'true') return;
    clear(button);
    await whileBusy(button, work);
  });
}

async function whileBusy(button, work) {
  button.setAttribute('aria-busy', 'true');
  try {
    await work();
  } catch (e) {
    if (!(e instanceof TypeError)) throw e;
    say('error', t('error_network'), { near: button });
  } finally {
    button.removeAttribute('aria-busy');
  }
}

/* The next thing to look at, after another went away. */
export function moveTo(element) {
  show(element);
  (element.querySelector('input:not([type=hidden], [type=checkbox], [readonly])') ?? element.querySelector('button, a'))?.focus();
}

function toggle(button) {
  const input = $(button.getAttribute('aria-controls'));
  const set = (visible) => {
    input.type = visible ? 'text' : 'password';
    button.textContent = t(visible ? 'hide' : 'show');
    button.setAttribute('aria-label', t(visible ? 'hide_password' : 'show_password'));
  };
  button.addEventListener('click', () => set(input.type === 'password'));
  input.form.addEventListener('submit', () => set(false));
}

/* Six digits are sent by themselves, and who is about to type them is told so. */
function sendWhenWhole(input) {
  const id = input.dataset.hint ?? `${input.id}-hint`;
  if (!input.dataset.hint) {
    input.after(el('p', { class: 'hint', id }));
    input.dataset.hint = id;
    describe(input);
  }
  $(id).append(' ', t('code_hint'));
  input.addEventListener('input', () => { if (isWhole(input)) input.form.requestSubmit(); });
}

/* ---- below every page: languages, terms, privacy ---- */

/* The same page in another language, with what it was asked for, which has left the address bar. */
function speak(tag) {
  const to = new URL(location.href);
  for (const [name, value] of query) to.searchParams.set(name, value);
  to.searchParams.set('lang', tag);
  location.replace(to);
}

const nameOf = (tag) => {
  const name = new Intl.DisplayNames([tag], { type: 'language' }).of(tag);
  return name.charAt(0).toLocaleUpperCase(tag) + name.slice(1);
};

function languages() {
  const links = (api.config.languages ?? []).map((tag) => {
    const link = el('a', { href: `?lang=${tag}`, lang: tag, hreflang: tag, 'aria-current': tag === lang ? 'true' : undefined }, nameOf(tag));
    link.addEventListener('click', (event) => { event.preventDefault(); speak(tag); });
    return link;
  });
  return links.length > 1 ? el('nav', { 'aria-label': t('language_label') }, ...links) : '';
}

/* [address, name] of the texts that the operator refers to. */
export const legal = { terms: [api.config.termsUrl, t('terms_link')], privacy: [api.config.privacyUrl, t('privacy_link')] };
const given = Object.values(legal).filter(([href]) => href).map(([href, name]) => el('a', { href }, name));
const foot = el('footer', { class: 'foot' }, languages(), given.length > 0 ? el('p', {}, ...given) : '');
if (foot.childElementCount > 0) document.body.append(foot);

/* Not behind a mailed link: loading that sends nothing. */
if (!['login', 'register', 'account', 'web-view'].includes(document.body.dataset.page) && !query.has('token')) offerAccount();
for (const input of document.querySelectorAll('input.code')) sendWhenWhole(input);
for (const button of document.querySelectorAll('.password button')) toggle(button);
for (const link of document.querySelectorAll('a[data-page]')) link.href = pageUrl(link.dataset.page);
for (const part of document.querySelectorAll('[data-feature]')) show(part, Boolean(features[part.dataset.feature]));
