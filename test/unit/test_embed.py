"""What tools/embed.py makes of the pages, and what ends the build."""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

TOOL = os.path.join(os.path.dirname(__file__), "..", "..", "tools", "embed.py")
LANGS = ["en", "it", "de", "fr", "es"]


class Tool(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.TemporaryDirectory()
        self.addCleanup(self.home.cleanup)
        self.put("ui/login.html", '<title>{{t.title}}</title>\n  <script nonce="{{nonce}}" src="{{asset.login.js}}"></script>\n')
        self.put("ui/login.js", "/* note */\nimport './page.js';\n  // more\n  t('from_script');\n")
        self.put("ui/page.js", "t(`from_import`); t('no_text'); t(key);\n")
        self.put("ui/base.css", "/* note */\na {\n  color: red }\n")
        for lang in LANGS:
            self.texts(lang, title="T", from_script="S", from_import="I", unused="U")
        self.put("docs/docs.html", "{{prefix}}")
        self.put("openapi.yaml", "paths:\n  /auth/me: {get: {x-date: 2026-01-01}}\n  /authors: {}\n")

    def put(self, name, text):
        path = os.path.join(self.home.name, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    def texts(self, lang, **texts):
        self.put(f"ui/i18n/{lang}.json", json.dumps(texts))

    def run_tool(self):
        at = lambda name: os.path.join(self.home.name, name)
        return subprocess.run([sys.executable, TOOL, "--web", self.home.name, "--openapi", at("openapi.yaml"), "--source", at("o.c"),
                               "--depfile", at("o.d")], capture_output=True, text=True, check=False)

    def made(self):
        r = self.run_tool()
        self.assertEqual(r.returncode, 0, r.stderr)
        with open(os.path.join(self.home.name, "o.c"), encoding="ascii") as f:
            source = f.read()
        texts = {name: bytes(map(int, numbers.split(","))).decode()
                 for name, numbers in re.findall(r"char (b\d+)\[\] = \{\n(.*?)\n\};", source, re.S)}
        return source, list(texts.values())

    def refused(self, text):
        r = self.run_tool()
        self.assertNotEqual(r.returncode, 0)
        self.assertIn(text, r.stderr)

    def test_a_page_is_cut_at_its_marks(self):
        _, texts = self.made()
        self.assertIn("<title>", texts)
        self.assertTrue(any(re.fullmatch(r'login\.js\?v=[0-9a-f]{16}"></script>\n', t) for t in texts), texts)
        self.assertFalse(any("{{" in t for t in texts))

    def test_a_page_has_the_texts_of_its_marks_and_of_its_scripts_with_what_they_import(self):
        _, texts = self.made()
        self.assertIn('{"login":["from_import","from_script","title"]}', texts)

    def test_comments_and_indentation_are_not_sent(self):
        _, texts = self.made()
        self.assertIn("import './page.js';\nt('from_script');\n", texts)
        self.assertIn("a{\ncolor:red}\n", texts)

    def test_a_script_with_a_text_over_several_lines_stays_as_it_is(self):
        self.put("ui/page.js", "x = `a\n  // b\n`;\n")
        self.assertIn("x = `a\n  // b\n`;\n", self.made()[1])

    def test_the_description_is_cut_at_the_prefix_and_dates_stay_texts(self):
        _, texts = self.made()
        self.assertIn('{"paths":{"', texts)
        self.assertIn('/me":{"get":{"x-date":"2026-01-01"}},"/authors":{}}}', texts)

    def test_only_pages_of_the_table_are_served(self):
        self.put("ui/extra.html", "{{nonsense}}")
        self.assertNotIn("extra", self.made()[1])

    def test_the_shell_stands_around_a_page_and_is_none(self):
        self.put("ui/shell.html", '<title>{{t.$title}}</title>\n<script src="{{asset.$script}}"></script>\n<body id="$page">\n$content</body>\n')
        self.put("ui/login.html", "<!-- title: title; script: login.js -->\n<p>{{t.unused}}</p>\n")
        self.put("ui/confirm.html", "<!-- title: $key_title; script: login.js -->\n<p>{{t.$key_title}}</p>\n")
        self.refused("{{t.verify_email_title}}: no such text in en.json")
        for lang in LANGS:
            names = ["verify_email", "change_email_confirm", "change_email_revert", "2fa_keep", "link_verify"]
            self.texts(lang, title="T", from_script="S", from_import="I", unused="U", **{name + "_title": name for name in names})
        texts = "".join(self.made()[1])
        for text in ['<body id="login">', '<body id="change-email-confirm">', '<body id="2fa-keep">', "<title>", "</body>"]:
            self.assertIn(text, texts)
        self.assertNotIn("$", texts)
        self.put("ui/login.html", "<!-- title: title; script: login.js -->\n<p>\n{{nonse}}</p>\n")
        self.refused("login.html:3: {{nonse}}: no such mark")
        self.put("ui/login.html", "<!-- title: nope; script: login.js -->\n<p></p>\n")
        self.refused("shell.html: {{t.nope}}: no such text in en.json")

    def test_what_ends_the_build(self):
        for text, why in [("x\n{{nonse}}", "login.html:2: {{nonse}}: no such mark"), ("{{t.nope}}", "{{t.nope}}: no such text in en.json"),
                          ("{{asset.nope.js}}", "{{asset.nope.js}}: no such file"), ("<pre> </pre>", "blanks count"), ("{{ nonce }}", "no such mark")]:
            self.put("ui/login.html", text)
            self.refused(why)

    def test_languages_that_differ_end_the_build(self):
        self.texts("de", title="T", from_script="S", from_import="I")
        self.refused("de.json: unused is missing")
        self.texts("de", title="T", from_script="S", from_import="I", unused="U", extra="E")
        self.refused("de.json: extra is not in en.json")
        self.texts("de", title="T", from_script="S", from_import="I", unused=" ")
        self.refused("'unused' is not a name with a text")
        self.put("ui/i18n/de.json", '{"title": "a", "title": "b"}')
        self.refused("title stands there twice")

    def test_whatever_was_read_is_in_the_depfile(self):
        self.made()
        with open(os.path.join(self.home.name, "o.d"), encoding="utf-8") as f:
            line = f.read()
        for name in ["ui/login.html", "ui/page.js", "ui/i18n/fr.json", "docs/docs.html"]:
            self.assertIn(os.path.join(self.home.name, name), line)


if __name__ == "__main__":
    unittest.main()
