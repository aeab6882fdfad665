/* data.js - taking along what is stored, and leaving. */
import { $, api, el, proven, refuse, t } from './page.js';

export async function takeAway() {
  const result = await api.exportData();
  if (!result.success) return refuse(result, $('export'));
  delete result.success;
  const url = URL.createObjectURL(new Blob([JSON.stringify(result, null, 2)], { type: 'application/json' }));
  el('a', { href: url, download: 'account.json' }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/* Asks "really?" and resolves with the answer. */
function really(title, text, yes) {
  const cancel = el('button', { type: 'button', class: 'secondary', autofocus: '' }, t('cancel_button'));
  const go = el('button', { type: 'button', class: 'danger' }, yes);
  const dialog = el('dialog', { 'aria-labelledby': 'really-title' },
    el('h2', { id: 'really-title' }, title), el('p', {}, text), el('div', { class: 'actions' }, cancel, go));
  document.body.append(dialog);
  return new Promise((resolve) => {
    cancel.addEventListener('click', () => dialog.close());
    go.addEventListener('click', () => dialog.close('yes'));
    dialog.addEventListener('close', () => { dialog.remove(); resolve(dialog.returnValue === 'yes'); });
    dialog.showModal();
  });
}

export async function leave() {
  if (!(await really(t('delete_title'), t('delete_text', { email: api.user.email }), t('delete_button')))) return;
  const result = await proven((proof) => api.deleteAccount(proof));
  if (result !== null && !result.success) refuse(result, $('delete'));
}
