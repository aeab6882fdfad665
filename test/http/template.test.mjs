// template.test.mjs — the template sub-commands: what they store beside a running server, what they
// refuse, and what a preview then shows.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { Mailed } from '../lib/mailed.mjs';
import { Server } from '../lib/server.mjs';

let s;

before(async () => (s = await Server.start()));
after(() => s.close());
beforeEach(() => s.sql('DELETE FROM template_text; DELETE FROM template;'));

const template = (...args) => s.cli(['template', ...args]);
const ok = (...args) => s.cliOk(['template', ...args]);
const preview = async (...args) => (await ok('preview', ...args)).stdout;

function file(bytes) {
  const name = path.join(s.home, `base-${Math.random()}`);
  fs.writeFileSync(name, bytes);
  return name;
}

async function refused(pattern, ...args) {
  const r = await template(...args);
  assert.deepEqual([r.code, r.stdout], [1, ''], `${args}: ${r.stderr}`);
  assert.match(r.stderr, pattern);
}

test('list shows every message, and what is stored for it', async () => {
  const fresh = (await ok('list')).stdout;
  for (const id of ['password-reset', 'verify-email', 'change-email', 'email-changed', 'welcome', 'sms-code', 'new-sign-in', 'session-reuse']) assert.match(fresh, new RegExp(`^${id} +built-in `, 'm'));
  await ok('translate', 'welcome', 'pt', 'subject', 'Bem-vindo');
  await ok('set', 'verify-email', 'html', file('<p>{{link}}</p>'));
  assert.match((await ok('list')).stdout, /^verify-email +built-in /m);
  await ok('set', 'verify-email', 'text', file('{{link}}'));
  const stored = (await ok('list')).stdout;
  assert.match(stored, /^verify-email +stored /m);
  assert.match(stored, /^welcome +built-in +1 texts/m);
});

test('show tells variables, texts to translate, stored texts and bases', async () => {
  await ok('translate', 'password-reset', 'pt', 'button', 'Nova senha');
  const { stdout } = await ok('show', 'password-reset');
  assert.match(stdout, /^variables: siteName email link token$/m);
  assert.match(stdout, /^ {2}subject +Reset your password$/m);
  assert.match(stdout, /^ {2}pt +button +Nova senha$/m);
  assert.match(stdout, /text base, built in/);
  assert.match(stdout, /HTML base, built in[^]*<!DOCTYPE html>/);
  await ok('set', 'password-reset', 'text', file('MY TEXT'));
  assert.match((await ok('show', 'password-reset')).stdout, /waits for the other/);
});

test('preview shows subject, text and HTML in the language asked for', async () => {
  const german = await preview('password-reset', 'de');
  assert.match(german, /^Subject: Setzen Sie Ihr Passwort zurück$/m);
  assert.match(german, /1 Stunde/);
  assert.match(german, /href="https:\/\/example\.com\/[^"]+"/);
  assert.match(await preview('password-reset'), /^Subject: Reset your password$/m);
  assert.equal(await preview('sms-code', 'en'), 'Subject: Your verification code\n\n---- text ----\nYour verification code is: 123456\n');
});

test('F-38 a language that is only stored can be chosen, text by text, until it is removed', async () => {
  await ok('translate', 'welcome', 'pt-BR', 'subject', 'Bem-vindo a {{siteName}}!');
  assert.match(await preview('welcome', 'pt-br'), /^Subject: Bem-vindo a Example!$/m);
  await ok('translate', 'welcome', 'PT-br', 'subject', 'Olá {{EMAIL}}');
  assert.match(await preview('welcome', 'pt-BR'), /^Subject: Olá ada@example\.com$/m);
  await ok('untranslate', 'welcome', 'pt-BR', 'subject');
  assert.match(await preview('welcome', 'pt-BR'), /^Subject: Welcome!/m);
  await refused(/no such text/, 'untranslate', 'welcome', 'pt-BR', 'subject');
  assert.equal(await s.sql('SELECT count(*) FROM template'), '0');
});

test('EL19 stored bases are used as a pair, and variables in them are escaped', async () => {
  const first = await ok('set', 'welcome', 'html', file('<b>{{T.button}}</b> {{loginUrl}}'));
  assert.match(first.stdout, /until the other is set/);
  assert.match(await preview('welcome'), /<!DOCTYPE html>/);
  const second = await ok('set', 'welcome', 'text', file('{{T.button}} at {{loginUrl}}\n'));
  assert.equal(second.stdout, 'stored\n');
  const shown = await preview('welcome', 'fr');
  assert.match(shown, /^Se connecter at https:\/\/example\.com\/auth\/login$/m);
  assert.match(shown, /<b>Se connecter<\/b> https:/);
  await ok('remove', 'welcome');
  assert.match(await preview('welcome'), /<!DOCTYPE html>/);
  await refused(/nothing is stored/, 'remove', 'welcome');
});

test('set and translate warn about names that would come out in brackets', async () => {
  const r = await ok('set', 'welcome', 'text', file('{{T.body}} {{T.boddy}} {{link}} {{LoginURL}}'));
  assert.match(r.stderr, /unknown: \{\{T\.boddy\}\}/);
  assert.match(r.stderr, /unknown: \{\{link\}\}/);
  assert.doesNotMatch(r.stderr, /LoginURL|T\.body\b/i);
  assert.match((await ok('translate', 'welcome', 'pt', 'body', 'Olá {{nome}}')).stderr, /unknown: \{\{nome\}\}/);
  assert.equal((await ok('translate', 'welcome', 'pt', 'boddy', 'Olá {{email}}')).stderr, '');
});

test('set refuses a base that is too large, empty, not UTF-8, or does not render', async () => {
  await refused(/64 KiB/, 'set', 'welcome', 'text', file('x'.repeat(64 * 1024 + 1)));
  await ok('set', 'welcome', 'text', file('x'.repeat(64 * 1024)));
  await refused(/UTF-8/, 'set', 'welcome', 'text', file(Buffer.from([0x61, 0xff])));
  await refused(/control/, 'set', 'welcome', 'text', file('a\0b'));
  await refused(/empty/, 'set', 'welcome', 'text', file(''));
  await refused(/too large/, 'set', 'welcome', 'html', file('{{T.note}}'.repeat(6000)));
  await refused(/No such file/, 'set', 'welcome', 'html', path.join(s.home, 'nothing'));
  await refused(/no HTML/, 'set', 'sms-code', 'html', file('<p>'));
  assert.equal(await s.sql('SELECT length(base_html), length(base_text) FROM template'), '0|65536');
});

test('unknown templates, languages, keys and texts are refused', async () => {
  await refused(/no such template/, 'show', 'nothing');
  await refused(/no such template/, 'preview', 'nothing');
  await refused(/no such template/, 'set', 'nothing', 'text', file('x'));
  await refused(/no such template/, 'remove', 'nothing');
  for (const lang of ['', 'd', 'deutsch', 'abcdefghijk', 'd3']) await refused(/a language is/, 'translate', 'welcome', lang, 'body', 'x');
  await refused(/a language is/, 'preview', 'welcome', 'x!');
  for (const key of ['', 'Body', 'a-b', 'x'.repeat(65)]) await refused(/a key is/, 'translate', 'welcome', 'pt', key, 'x');
  await refused(/1 to 4096/, 'translate', 'welcome', 'pt', 'body', 'x'.repeat(4097));
  await refused(/1 to 4096/, 'translate', 'welcome', 'pt', 'body', '');
  await refused(/one line/, 'translate', 'welcome', 'pt', 'subject', 'a\nb');
  await refused(/control/, 'translate', 'welcome', 'pt', 'body', 'a\x1b[31mb');
  assert.equal(await s.sql('SELECT count(*) FROM template'), '0');
  await ok('translate', 'welcome', 'pt', 'x'.repeat(64), 'x'.repeat(4096));
  await ok('translate', 'welcome', 'pt', 'body', 'two\nlines');
});

test('wrong usage ends with 2', async () => {
  for (const args of [[], ['nothing'], ['list', 'x'], ['show'], ['set', 'welcome', 'html'], ['set', 'welcome', 'mail', file('x')], ['translate', 'welcome', 'de', 'body'], ['preview'], ['untranslate', 'welcome', 'de'], ['remove']]) assert.equal((await template(...args)).code, 2, args.join(' '));
});

test('a mail is in the language that a platform names in its own way, and so it is kept', async (t) => {
  const m = await Mailed.start({ env: { SALLYPORT_MAIL_DEFAULT_LANG: 'es_ES' } });
  t.after(() => m.close());
  const german = 'Willkommen! Ihr Konto wurde angelegt', rows = { 'de_DE': 'de-DE', 'de-DE-1996': 'de-DE', 'de_AT.UTF-8@euro': 'de-AT', 'fr;q=0.2, de': 'de', 'de:en': 'de' };
  for (const [emailLang, kept] of Object.entries(rows)) {
    const u = await m.s.register({ emailLang });
    await m.sink.mail(u.email, { subject: german });
    assert.equal(await m.s.sql(`SELECT lang FROM user WHERE email = '${u.email}'`), kept);
  }
  for (const emailLang of ['C', 'POSIX', '*', 'xx_XX']) assert.match((await m.sink.mail((await m.s.register({ emailLang })).email)).parsed.subject, /^¡/, 'mail.default_lang');
});
