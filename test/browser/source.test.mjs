// source.test.mjs - what can be said of the pages by reading them: no browser.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ROOT, source } from '../lib/paths.mjs';

const UI = path.join(ROOT, 'web/ui'), files = fs.readdirSync(UI);
const scripts = files.filter((f) => f.endsWith('.js')), pages = files.filter((f) => f.endsWith('.html'));
const read = (f) => source(`web/ui/${f}`);
const LANGS = ['en', 'it', 'de', 'fr', 'es'], texts = Object.fromEntries(LANGS.map((l) => [l, JSON.parse(read(`i18n/${l}.json`))]));

/* What a page says to the shell around it; confirm.html stands for several pages. */
const FRONT = /^<!-- title: ([\w$]+); script: ([\w.-]+) -->\n/;
const CONFIRMED = ['verify_email', 'change_email_confirm', 'change_email_revert', '2fa_keep', 'link_verify'];

/* The keys of the contract, by which customers translate. */
const CONTRACT = `site_name login_title email_label email_placeholder password_label password_placeholder login_button social_divider forgot_password_link no_account_text signup_link
  register_title two_fa_title two_fa_code_label two_fa_code_placeholder two_fa_setup_instruction verify_code_button forgot_password_title forgot_password_instruction send_reset_link_button
  forgot_password_success return_to_login_link remember_password_text login_link reset_password_title new_password_label new_password_placeholder confirm_password_label
  confirm_password_placeholder save_password_button reset_password_success proceed_to_login_link verify_email_title verify_email_loading go_to_login_link magic_link_title
  magic_link_instruction send_magic_link_button account_linking_title account_linking_instruction send_verification_email_button account_linking_loading`.split(/\s+/);

test('WB09 no script makes markup or code of text', () => {
  for (const f of scripts)
    assert.doesNotMatch(read(f), /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|srcdoc|\beval\(|new Function|setTimeout\(\s*['"`]|javascript:/, f);
});

test('WB09 no page has inline styles, handlers or scripts without a nonce', () => {
  for (const f of pages) {
    assert.doesNotMatch(read(f), /\s(style|on[a-z]+)=/i, f);
    assert.doesNotMatch(read(f), /<script(?! nonce="\{\{nonce\}\}")|<style|<base|<iframe|<object/i, f);
  }
});

test('WB10 no file names another origin', () => {
  for (const f of [...scripts, ...pages, 'base.css']) assert.doesNotMatch(read(f), /https?:\/\/|["'(]\/\/\w|@import/, f);
  assert.doesNotMatch(read('base.css'), /url\(/);
});

test('EL10 the first script of every page takes secrets out of the address bar, before anything is loaded', () => {
  const shell = read('shell.html');
  assert.match(shell.match(/<script nonce="\{\{nonce\}\}">\n(.*?)<\/script>/s)[1], /'token', 'tempToken'.*replaceState/s);
  assert.ok(shell.indexOf('replaceState') < shell.search(/<link|src=/));
  for (const f of pages.filter((x) => x !== 'shell.html')) { // which stands around all of them
    assert.match(read(f), FRONT, f);
    assert.doesNotMatch(read(f), /<script|<link|<html|<body/, f);
  }
});

test('each known provider has a mark of its own, small and of lines only', () => {
  const known = [...source('src/oauth/provider.c').match(/presets\[\] = \{(.*?)^\};/ms)[1].matchAll(/^\t\{ "(\w+)",$/gm)].map((m) => m[1]);
  assert.ok(known.length >= 11);
  for (const name of [...known, 'key']) {
    const svg = read(`marks/${name}.svg`);
    assert.ok(svg.length < 800, name);
    assert.doesNotMatch(svg, /<(script|image|style|use|a|foreignObject)\b|href|\son\w+=/, name);
  }
});

test('no line ends within e-mail, in any text of any language', () => {
  for (const lang of ['en', 'it', 'de', 'fr', 'es']) for (const [key, text] of Object.entries(JSON.parse(read(`i18n/${lang}.json`)))) assert.doesNotMatch(text, /\be-mail/i, `${lang} ${key}`);
});

test('EL02 no script submits or presses anything by itself', () => {
  const typed = /input\.addEventListener\('input', \(\) => \{ if \(isWhole\(input\)\) input\.form\.requestSubmit\(\); \}\);/; // six digits that somebody types
  assert.match(read('page.js'), typed);
  for (const f of scripts) assert.doesNotMatch(read(f).replace(typed, ''), /\.submit\(|requestSubmit|sendBeacon|XMLHttpRequest/, f);
  assert.doesNotMatch(read('confirm.js'), /\.click\(|setTimeout/);
  assert.equal(read('confirm.js').match(/await send\(/g).length, 1);
});

test('every language has every text, with the same places to fill in, and those of the contract', () => {
  const names = (t) => (t.match(/\{\w+\}/g) ?? []).sort();
  for (const lang of LANGS) {
    assert.deepEqual(Object.keys(texts[lang]), Object.keys(texts.en), lang);
    for (const [key, text] of Object.entries(texts[lang])) {
      assert.ok(text.trim() === text && text.length > 0, `${lang} ${key}`);
      assert.deepEqual(names(text), names(texts.en[key]), `${lang} ${key}`);
    }
  }
  assert.deepEqual(CONTRACT.filter((key) => !(key in texts.en)), []);
});

test('every text that a page or script names is there, and none is there for nothing', () => {
  const named = new Set(['site_name', ...CONTRACT]);
  const name = (key) => (key.startsWith('$key_') ? CONFIRMED.map((page) => key.replace('$key', page)) : [key]).forEach((k) => named.add(k));
  for (const f of pages) for (const [, key] of read(f).matchAll(/\{\{t\.([\w$]+)\}\}/g)) if (key !== '$title') name(key);
  for (const f of pages.filter((x) => x !== 'shell.html')) name(read(f).match(FRONT)[1]);
  for (const f of scripts) for (const [, key] of read(f).matchAll(/'(\w+)'/g)) if (key in texts.en) named.add(key);
  assert.deepEqual([...named].filter((key) => !(key in texts.en)), []);
  assert.deepEqual(Object.keys(texts.en).filter((key) => !named.has(key)), []);
  for (const f of scripts) for (const [, key] of read(f).matchAll(/\bt\('(\w+)'/g)) assert.ok(key in texts.en, `${f}: ${key}`);
});

/* The package as it is published, unpacked. */
let home;
before(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-npm-'));
  execFileSync('npm', ['pack', '--silent', '--offline', '--pack-destination', home], { cwd: path.join(ROOT, 'clients/js') });
  execFileSync('tar', ['xzf', fs.readdirSync(home).find((f) => f.endsWith('.tgz'))], { cwd: home });
});
after(() => fs.rmSync(home, { recursive: true, force: true }));
const packed = (f) => path.join(home, 'package', f);

test('the client of clients/js is the one of the pages, and works as a module where there is no page', async () => {
  assert.deepEqual(fs.readdirSync(packed('.')).sort(), ['README.md', 'auth.d.ts', 'auth.js', 'auth.mjs', 'package.json']);
  assert.equal(fs.readFileSync(packed('auth.js'), 'utf8'), read('auth.js'));
  const { AwesomeNodeAuth, AuthService, Sallyport, default: auth } = await import(pathToFileURL(packed('auth.mjs')));
  for (const name of [AuthService, Sallyport, auth, globalThis.Sallyport]) assert.equal(name, AwesomeNodeAuth);
  assert.equal(typeof AwesomeNodeAuth.login, 'function');
});

test('auth.d.ts describes what auth.js has, no more and no less', async () => {
  const { AwesomeNodeAuth } = await import(pathToFileURL(packed('auth.mjs')));
  const described = source('clients/js/auth.d.ts').match(/export interface Auth \{(.*?)^\}/ms)[1];
  const names = [...described.matchAll(/^ {2}(?:readonly )?(\w+)[(:<]/gm)].map((m) => m[1]);
  assert.deepEqual([...new Set(names)].sort(), Object.keys(AwesomeNodeAuth).sort());
});
