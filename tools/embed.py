#!/usr/bin/env python3
"""Turns web/ and docs/openapi.yaml into C: src/web/embedded.h says what comes out.

    embed.py --web DIR --openapi FILE --source X.c --depfile X.d

Templates (*.html) are cut at their marks, so that serving one is a sequence of copies. A mark that
is not known, a text that is not in en.json, or a language that does not have just the same texts
ends the build here, with the place.
"""
import argparse
import datetime
import hashlib
import json
import os
import re
import sys

import yaml

# Page → its template below web/ui. What is not in this table is not served.
PAGES = {
    'login': 'login', 'register': 'register', 'forgot-password': 'forgot-password',
    'reset-password': 'reset-password', '2fa': '2fa', 'magic-link': 'magic-link',
    'magic-link/verify': 'magic-link', 'verify-email': 'confirm',
    'change-email/confirm': 'confirm', 'change-email/revert': 'confirm', '2fa/keep': 'confirm',
    'account-conflict': 'account-conflict', 'link-verify': 'confirm', 'account': 'account', 'web-view': 'web-view',
}
SHARED = 'confirm'  # the template of several pages: $page and $key in it are the page's name
LANGS = ['en', 'it', 'de', 'fr', 'es']
MARKS = ['nonce', 'lang', 'dir', 'base', 'prefix', 'site_name', 'home', 'config', 'logo', 'custom_css']
TYPES = {
    '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8',
    '.json': 'application/json; charset=utf-8', '.svg': 'image/svg+xml', '.png': 'image/png',
}
MARK = re.compile(r'\{\{(.*?)\}\}', re.S)
# The first line of a template that shell.html stands around.
FRONT = re.compile(r'<!-- title: ([\w$]+); script: ([\w.-]+) -->\n')
BREAKS = re.compile(r'\be-mail', re.I)
NUMBERS = 24  # bytes on a line
# The row behind the last of each kind of table.
LAST = {'embedded_part': '{ .mark = MARK_NONE }', 'embedded_key': '{ 0 }', 'str': '{ NULL, 0 }',
        'embedded_page': '{ .n_parts = 0 }', 'embedded_asset': '{ .type = NULL }', 'embedded_lang': '{ .texts = NULL }'}


def fail(text):
    sys.exit(f'embed.py: {text}')


def read(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


def hash_of(data):
    return hashlib.sha256(data).hexdigest()[:16]


def unindented(path, text):
    """What no reader of the page sees is not sent."""
    if re.search(r'<(pre|textarea)\b', text):
        fail(f'{path}: blanks count in <pre> and <textarea>')
    return re.sub(r'\n\s+', '\n', text)


def squeezed(css):
    """A style sheet without the blanks that only its readers need; those within texts count."""
    parts = re.split(r'("[^"]*")', css)
    return ''.join(p if p.startswith('"') else re.sub(r'([{,;]) +| +([{}])|(:) +', r'\1\2\3', p) for p in parts)


def without_comments(text):
    """A script without indentation and without comments at the ends of lines or with lines of their own, except
    those that begin with /*!. A script with a text over several lines stays as it is."""
    if any(line.count('`') % 2 for line in text.split('\n')):
        return text
    text = re.sub(r'^[ \t]*/\*(?!!)(?:[^*]|\*(?!/))*\*/[ \t]*$', '', text, flags=re.M)
    text = re.sub(r'^[ \t]*//.*$', '', text, flags=re.M)
    text = re.sub(r'''[ \t]+// [^'"`\n]*$''', '', text, flags=re.M)  # no text ends behind it, so it is in none
    return re.sub(r'\n\s+', '\n', text).lstrip('\n')


class Web:
    """The files of one folder: its assets, templates and texts."""

    def __init__(self, root):
        self.root, self.seen, self.assets, self.templates = root, [], {}, {}
        for folder, folders, files in os.walk(root):
            folders[:] = sorted(d for d in folders if d != 'i18n')
            self.seen.append(folder)
            for name in sorted(files):
                self.take(os.path.join(folder, name))
        self.texts = {lang: self.texts_of(lang) for lang in LANGS}
        self.keys = sorted(self.texts['en'])
        self.check_languages()

    def take(self, path):
        name = os.path.relpath(path, self.root).replace(os.sep, '/')
        stem, suffix = os.path.splitext(name)
        self.seen.append(path)
        if suffix == '.html':
            self.templates[stem] = unindented(path, read(path))
        elif suffix == '.css':
            self.assets[name] = squeezed(re.sub(r'/\*.*?\*/\n?', '', unindented(path, read(path)), flags=re.S)).encode()
        elif suffix == '.js':
            self.assets[name] = without_comments(read(path)).encode()
        elif suffix in TYPES:
            with open(path, 'rb') as f:
                self.assets[name] = f.read()

    def texts_of(self, lang):
        path = os.path.join(self.root, 'i18n', lang + '.json')
        if not os.path.exists(path):
            return {}
        self.seen.append(path)
        texts = json.loads(read(path), object_pairs_hook=lambda pairs: self.once(path, pairs))
        for key, text in texts.items():
            if not re.fullmatch(r'[A-Za-z0-9_]+', key) or not isinstance(text, str) or not text.strip():
                fail(f'{path}: {key!r} is not a name with a text')
            if BREAKS.search(text):
                fail(f'{path}: {key}: a line may end within e-mail; its hyphen is U+2011')
        return texts

    @staticmethod
    def once(path, pairs):
        names = [name for name, _ in pairs]
        for name in names:
            if names.count(name) > 1:
                fail(f'{path}: {name} stands there twice')
        return dict(pairs)

    def check_languages(self):
        for lang, texts in self.texts.items():
            for key in set(self.keys) ^ set(texts):
                fail(f'{lang}.json: {key} {"is missing" if key in self.keys else "is not in en.json"}')

    # ---- which texts a page needs ----

    def scripts_of(self, names):
        """The modules and what they import, by name."""
        found, waiting = [], list(names)
        while waiting:
            name = waiting.pop()
            if name in found or name not in self.assets:
                continue
            found.append(name)
            text = self.assets[name].decode()
            for target in re.findall(r'''(?:from|import)\s*\(?\s*['"](\./[\w./-]+)['"]''', text):
                waiting.append(os.path.normpath(os.path.join(os.path.dirname(name), target)))
        return found

    def page(self, name):
        """A page's whole template, and how many lines of it come before its own; None: there is none."""
        template = PAGES[name]
        if template not in self.templates:
            return None
        text, page = self.templates[template], (name if template == SHARED else template).replace('/', '-')
        front = FRONT.match(text)
        if not front:
            return text, 0
        shell, content = self.templates['shell'], text[front.end():]
        head, tail = shell.split('$content')
        head = head.replace('$title', front[1]).replace('$script', front[2])
        key = page.replace('-', '_')
        whole = (head + content + tail).replace('$page', page).replace('$key', key)
        return whole, head.count('\n') - 1

    def keys_of(self, text):
        """Those of its marks and data-i18n, and the strings of its scripts that are the name of a text."""
        names = set(re.findall(r'\{\{t\.(\w+)\}\}', text)) | set(re.findall(r'data-i18n="(\w+)"', text))
        for script in self.scripts_of(re.findall(r'\{\{asset\.([\w./-]+\.js)\}\}', text)):
            names |= set(re.findall(r"""['"`]([A-Za-z0-9_]+)['"`]""", self.assets[script].decode()))
        return sorted(names & set(self.keys))


class Source:
    """The C text. Equal bytes are written once."""

    def __init__(self):
        self.head, self.arrays = [], {}

    def bytes(self, data):
        if data not in self.arrays:
            self.arrays[data] = f'b{len(self.arrays)}'
            lines = [','.join(map(str, data[k:k + NUMBERS])) for k in range(0, len(data), NUMBERS)]
            self.head.append(f'static const unsigned char {self.arrays[data]}[] = {{\n\t'
                             + ',\n\t'.join(lines) + '\n};\n')
        return self.arrays[data]

    def str(self, data):
        if isinstance(data, str):
            data = data.encode()
        if data == b'':
            return '{ NULL, 0 }'
        return f'{{ (const char *){self.bytes(data)}, sizeof({self.bytes(data)}) }}'

    def table(self, head, rows):
        """One row more than there are, so that none is empty."""
        last = LAST[re.search(r'(\w+) \w+\[', head).group(1)]
        self.head.append(f'{head} = {{\n' + ''.join(f'\t{r},\n' for r in rows) + f'\t{last},\n}};\n')


def parts_of(web, name, text, before=0):
    """[text, mark, index] of a template; an asset's address is the base with its hash. before: lines of the shell."""
    parts, at, head = [], 0, ''
    for m in MARK.finditer(text):
        head += text[at:m.start()]
        at, mark = m.end(), m.group(1)
        line = text.count('\n', 0, m.start()) + 1 - before
        where = (f'{name}.html:{line}' if line > 0 else 'shell.html') + f': {m.group(0)}'
        if mark.startswith('asset.'):
            asset = mark[len('asset.'):]
            if asset == 'theme.css':
                parts.append([head, 'MARK_THEME', 0])
                head = ''
                continue
            if asset not in web.assets:
                fail(f'{where}: no such file')
            parts.append([head, 'MARK_BASE', 0])
            head = f'{asset}?v={hash_of(web.assets[asset])}'
        elif mark.startswith('t.'):
            if mark[2:] not in web.keys:
                fail(f'{where}: no such text in en.json')
            parts.append([head, 'MARK_TEXT', web.keys.index(mark[2:])])
            head = ''
        elif mark in MARKS:
            parts.append([head, f'MARK_{mark.upper()}', 0])
            head = ''
        else:
            fail(f'{where}: no such mark')
    parts.append([head + text[at:], 'MARK_NONE', 0])
    return parts


def write_page(out, i, name, parts, keys):
    out.table(f'static const struct embedded_part parts_{i}[]',
              [f'{{ {out.str(text)}, {mark}, {index} }}' for text, mark, index in parts])
    out.table(f'static const struct embedded_key keys_{i}[]', [f'{{ {k} }}' for k in keys])
    return f'{{ {out.str(name)}, parts_{i}, {len(parts)}, keys_{i}, {len(keys)} }}'


def plain(node):
    """YAML 1.1 takes some texts for dates and words for truth values; the document means texts."""
    if isinstance(node, dict):
        return {str(k): plain(v) for k, v in node.items()}
    if isinstance(node, list):
        return [plain(v) for v in node]
    return str(node) if isinstance(node, datetime.date) else node


def openapi_parts(path):
    """The document as JSON, cut where the prefix of the API stands in its paths."""
    doc = plain(yaml.load(read(path), Loader=getattr(yaml, 'CSafeLoader', yaml.SafeLoader)))
    doc['paths'] = {re.sub('^/auth(?=/|$)', '{{prefix}}', p): item for p, item in doc['paths'].items()}
    pieces = json.dumps(doc, ensure_ascii=False, separators=(',', ':')).split('{{prefix}}')
    return [[p, 'MARK_PREFIX', 0] for p in pieces[:-1]] + [[pieces[-1], 'MARK_NONE', 0]]


def write(out, ui, docs, openapi):
    pages = []
    for name, template in PAGES.items():
        page = ui.page(name)
        if page:
            pages.append((name, parts_of(ui, template, *page), ui.keys_of(page[0])))
    ui.assets['ui-i18n-keys.json'] = json.dumps({n: k for n, _, k in pages}, separators=(',', ':')).encode()
    rows = [write_page(out, i, n, p, [ui.keys.index(k) for k in keys]) for i, (n, p, keys) in enumerate(pages)]
    out.table('const struct embedded_page embedded_pages[]', rows)
    out.head.append(f'const size_t n_embedded_pages = {len(rows)};\n')

    rows = [write_page(out, 'docs', 'docs', parts_of(docs, 'docs', docs.templates['docs']), []),
            write_page(out, 'openapi', 'openapi.json', openapi, [])]
    out.table('const struct embedded_page embedded_docs[]', rows)

    for web, table in ((ui, 'embedded_assets'), (docs, 'embedded_docs_assets')):
        out.table(f'const struct embedded_asset {table}[]', [
            f'{{ {out.str(n)}, "{TYPES[os.path.splitext(n)[1]]}", {out.str(hash_of(data))}, {out.str(data)} }}'
            for n, data in sorted(web.assets.items()) if data != b''])
        out.head.append(f'const size_t n_{table} = {sum(d != b"" for d in web.assets.values())};\n')

    out.table('const str embedded_keys[]', [out.str(k) for k in ui.keys])
    out.head.append(f'const size_t n_embedded_keys = {len(ui.keys)};\n')
    for lang in LANGS:
        out.table(f'static const str texts_{lang}[]', [out.str(ui.texts[lang][k]) for k in ui.keys])
    out.table('const struct embedded_lang embedded_langs[N_EMBEDDED_LANGS + 1]',
              [f'{{ {out.str(lang)}, texts_{lang} }}' for lang in LANGS])


def main():
    args = argparse.ArgumentParser()
    for name in ('--web', '--openapi', '--source', '--depfile'):
        args.add_argument(name, required=True)
    a = args.parse_args()
    out, ui, docs = Source(), Web(os.path.join(a.web, 'ui')), Web(os.path.join(a.web, 'docs'))
    write(out, ui, docs, openapi_parts(a.openapi))
    with open(a.source, 'w', encoding='ascii') as f:
        f.write('/* Made by tools/embed.py. */\n#include "web/embedded.h"\n\n' + '\n'.join(out.head))
    with open(a.depfile, 'w', encoding='utf-8') as f:
        f.write(a.source + ': ' + ' '.join(p.replace(' ', '\\ ') for p in ui.seen + docs.seen) + '\n')


if __name__ == '__main__':
    main()
