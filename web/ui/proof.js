/* proof.js - some requests ask again who is there: a dialog takes the password or a code, and the request is sent
 * once more with it. */
import { api, clear, el, onSubmit, pageUrl, refuse, t, understands } from './page.js';

understands('error_CURRENT_PASSWORD_INCORRECT', 'error_INVALID_TOTP_CODE', 'error_REAUTH_REQUIRED');

const WRONG = new Set(['CURRENT_PASSWORD_INCORRECT', 'INVALID_TOTP_CODE', 'REAUTH_REQUIRED', 'RATE_LIMITED', 'VALIDATION_ERROR']);

function field(id, label, attributes) {
  return el('div', { class: 'form-group' }, el('label', { for: id }, label), el('input', { id, name: id, ...attributes }));
}

function build(factorOnly) {
  const user = api.user ?? {};
  const form = el('form', { method: 'post', novalidate: '' });
  const heading = el('h2', { id: 'proof-title' }, t('proof_title'));
  form.append(heading, el('div', { class: 'message' }));
  const password = user.hasPassword !== false && !(factorOnly && user.isTotpEnabled);
  if (password) {
    form.append(el('p', { class: 'note' }, t(user.isTotpEnabled ? 'proof_either' : 'proof_password')),
      el('input', { class: 'hidden', type: 'email', name: 'username', autocomplete: 'username', readonly: '', tabindex: '-1', 'aria-hidden': 'true', value: user.email ?? '' }),
      field('proof-password', t('current_password_label'), { type: 'password', autocomplete: 'current-password', 'data-secret': '', maxlength: '1024' }));
  }
  if (user.isTotpEnabled) {
    if (!password) form.append(el('p', { class: 'note' }, t('proof_factor')));
    form.append(field('proof-code', t('proof_code_label'), { autocomplete: 'one-time-code', autocapitalize: 'none', spellcheck: 'false', maxlength: '64' }));
  }
  if (!password && !user.isTotpEnabled) form.append(el('p', {}, t('proof_sign_in')));
  const cancel = el('button', { type: 'button', class: 'secondary' }, t('cancel_button'));
  const go = el('button', { type: 'submit' }, t('continue_button'));
  form.append(el('div', { class: 'actions' }, cancel, go));
  const dialog = el('dialog', { 'aria-labelledby': 'proof-title' }, form);
  cancel.addEventListener('click', () => dialog.close());
  return { dialog, form, possible: password || user.isTotpEnabled };
}

/* Nothing to ask for here: sign in again, and come back. */
async function signInAgain() {
  const to = new URL(pageUrl('login'), location.href);
  to.searchParams.set('redirect', location.pathname + location.search);
  await api.logout().catch(() => {});
  location.assign(to);
}

/* The answer to the request with a proof; null: the user gave up. */
export function ask(request, factorOnly) {
  const { dialog, form, possible } = build(factorOnly);
  document.body.append(dialog);
  const before = document.activeElement;
  return new Promise((resolve) => {
    let answer = null;
    dialog.addEventListener('close', () => { dialog.remove(); before?.focus?.(); resolve(answer); });
    onSubmit(form, async (values) => {
      if (!possible) return signInAgain();
      const password = values['proof-password'], code = values['proof-code'];
      if (!password && !code) return refuse({ code: 'REAUTH_REQUIRED' }, form);
      const result = await request(password ? { currentPassword: password } : { totpCode: code });
      clear(form);
      if (WRONG.has(result.code) && !result.fields) return refuse(result, form);
      answer = result;
      dialog.close();
    });
    dialog.showModal();
  });
}
