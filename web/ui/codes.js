/* codes.js - recovery codes, shown once, to copy or to save. */
import { $, el, say, show, t } from './page.js';

export async function copy(text, near) {
  try {
    await navigator.clipboard.writeText(text);
    say('success', t('copied'), { near });
  } catch {
    say('error', t('copy_failed'), { near });
  }
}

function save(text) {
  const url = URL.createObjectURL(new Blob([`${text}\n`], { type: 'text/plain' }));
  el('a', { href: url, download: 'recovery-codes.txt' }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function button(text, work, kind = 'secondary small') {
  const b = el('button', { type: 'button', class: kind }, text);
  b.addEventListener('click', work);
  return b;
}

/* Resolves when the user has seen them. */
export function showCodes(codes) {
  const box = $('recovery-codes'), text = codes.join('\n');
  return new Promise((resolve) => {
    const heading = el('h2', { tabindex: '-1' }, t('recovery_title'));
    box.replaceChildren(heading, el('p', { class: 'note' }, t('recovery_note')),
      el('ul', { class: 'codes' }, ...codes.map((c) => el('li', {}, c))),
      el('div', { class: 'actions form-group' }, button(t('copy_button'), () => copy(text, box)), button(t('save_file_button'), () => save(text))),
      button(t('recovery_done_button'), () => { box.replaceChildren(); show(box, false); resolve(); }, ''));
    show(box);
    heading.focus();
  });
}
