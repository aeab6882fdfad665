/* Templates: what an expansion makes of its parts, which base and which text is taken, and that
 * every built-in message is whole in every language. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "domain/template_texts.h"
#include "store_fixture.h"

#define SIZEOF(a) (sizeof(a) / sizeof((a)[0]))
#define MEMORY	  ((size_t)4 * 1024 * 1024)

static struct arena mem;

static const struct template_text texts[] = {
	{ STR_INIT("hello"), STR_INIT("Hello {{name}}, <b>welcome</b>") },
	{ STR_INIT("plain"), STR_INIT("plain") },
	{ STR_INIT("nested"), STR_INIT("{{T.plain}}") },
	{ STR_INIT("plain"), STR_INIT("the second of a key is never taken") },
};

static str expanded(const char *base, bool html, const char *name_value)
{
	const struct template_var vars[] = {
		{ STR_INIT("name"), str_of_cstr(name_value) },
		{ STR_INIT("with.all-of_it9"), STR_INIT("x") },
	};
	str got;

	arena_reset(&mem);
	assert_int_equal(template_expand(&mem, str_of_cstr(base), html, texts, SIZEOF(texts), vars,
					 SIZEOF(vars), &got)
				 .code,
			 ERR_OK);
	return got;
}

static void check(str got, const char *want)
{
	if (!str_eq(got, str_of_cstr(want)))
		fail_msg("got <%.*s>, not <%s>", STR_ARG(got), want);
}

static bool contains(str s, str part)
{
	for (size_t i = 0; i + part.n <= s.n; i++) {
		if (str_starts(str_skip(s, i), part))
			return true;
	}
	return false;
}

/* ---- expansion ---- */

static void texts_and_variables_stand_where_they_are_named(void **state)
{
	(void)state;
	check(expanded("", false, "Ada"), "");
	check(expanded("no braces", false, "Ada"), "no braces");
	check(expanded("{{name}}", false, "Ada"), "Ada");
	check(expanded("a {{T.plain}} b {{name}} c", false, "Ada"), "a plain b Ada c");
	check(expanded("{{T.hello}}!", false, "Ada"), "Hello Ada, <b>welcome</b>!");
	check(expanded("{{with.all-of_it9}}", false, "Ada"), "x");
	check(expanded("{{name}}{{name}}", false, "Ada"), "AdaAda");
}

static void names_are_taken_in_any_case_and_with_blanks(void **state)
{
	(void)state;
	check(expanded("{{NAME}} {{Name}}", false, "Ada"), "Ada Ada");
	check(expanded("{{t.PLAIN}}", false, "Ada"), "plain");
	check(expanded("{{ name }}{{\tname}}{{ T.plain\t}}", false, "Ada"), "AdaAdaplain");
}

static void what_is_unknown_shows_in_brackets(void **state)
{
	(void)state;
	check(expanded("{{T.nothing}}", false, "Ada"), "[nothing]");
	check(expanded("{{Nobody}}", false, "Ada"), "[Nobody]");
	check(expanded("{{T.}}", false, "Ada"), "[T.]");
	check(expanded("{{T.nested}}", false, "Ada"), "[T.plain]");
}

static void braces_that_open_nothing_stay(void **state)
{
	static const char *const rows[] = {
		"{",	   "{{",	"}}",	      "{{}}",	   "{{ }}",	      "{{name",
		"{{name}", "{{na me}}", "{{na\nme}}", "{ {name}}", "{{n\303\244me}}", "{{name}{{",
		"{{{{{{"
	};

	(void)state;
	for (size_t i = 0; i < SIZEOF(rows); i++)
		check(expanded(rows[i], false, "Ada"), rows[i]);
	check(expanded("{{{name}}}", false, "Ada"), "{Ada}");
	check(expanded("{{{{name}}}}", false, "Ada"), "{{Ada}}");
	check(expanded("{{ {{name}}", false, "Ada"), "{{ Ada");
}

static void variables_are_never_looked_into(void **state)
{
	(void)state;
	check(expanded("{{name}}", false, "{{T.plain}} {{name}}"), "{{T.plain}} {{name}}");
	check(expanded("{{T.hello}}", true, "{{T.plain}}"), "Hello {{T.plain}}, <b>welcome</b>");
	/* What two pieces make together is looked into just as little. */
	check(expanded("{{{name}}", false, "{name}}"), "{{name}}");
	check(expanded("{{name}}T.plain}}", false, "{{"), "{{T.plain}}");
}

static void variables_are_escaped_in_html_texts_are_not(void **state)
{
	(void)state;
	check(expanded("<p>{{name}}</p>", true, "<a href=\"x\">'&'</a>"),
	      "<p>&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;</p>");
	check(expanded("{{T.hello}}", true, "<i>"), "Hello &lt;i&gt;, <b>welcome</b>");
	check(expanded("<a title=\"{{name}}\">", true, "\" onclick=\"x"),
	      "<a title=\"&quot; onclick=&quot;x\">");
	check(expanded("{{name}}", true, "&amp;"), "&amp;amp;");
	check(expanded("{{name}}", false, "a & b < c"), "a & b < c");
}

static void variables_are_one_line_without_controls(void **state)
{
	(void)state;
	check(expanded("{{name}}", false, "a\nb\rc\td\ve"), "a b c d e");
	check(expanded("{{name}}", false, "a\302\205b\342\200\250c\342\200\251d"), "a b c d");
	check(expanded("{{name}}", false, "a\001\033[31m\177b\302\233c"), "a[31mbc");
	check(expanded("{{name}}", false, "a\342\200\256b\342\201\246c\330\234d"), "abcd");
	check(expanded("{{name}}", true, "a\342\200\256b\nc"), "ab c");
	check(expanded("{{name}}", false, "gr\303\274n \360\237\230\200"),
	      "gr\303\274n \360\237\230\200");
	check(expanded("{{name}}", false, "\377\303"), "??");
}

static void a_result_is_bounded(void **state)
{
	const struct template_var var = { STR("v"), { calloc(1, 4096), 4096 } };
	char small_bytes[512];
	struct arena small;
	char base[256];
	str got, many = { base, sizeof(base) - 1 };

	(void)state;
	for (size_t i = 0; i < many.n; i++)
		base[i] = "{{v}}"[i % 5];
	memset((char *)(uintptr_t)var.value.p, 'x', 4096);
	arena_reset(&mem);
	assert_int_equal(template_expand(&mem, many, false, NULL, 0, &var, 1, &got).code,
			 ERR_NO_MEMORY);
	many.n = 5 * (TEMPLATE_RESULT_MAX / 4096);
	assert_int_equal(template_expand(&mem, many, false, NULL, 0, &var, 1, &got).code, ERR_OK);
	assert_int_equal(got.n, TEMPLATE_RESULT_MAX);
	arena_init_fixed(&small, small_bytes, sizeof(small_bytes));
	assert_int_equal(template_expand(&small, many, false, NULL, 0, &var, 1, &got).code,
			 ERR_NO_MEMORY);
	free((void *)(uintptr_t)var.value.p);
}

/* ---- which base and which text: with a real store ---- */

struct world {
	struct store_fixture f;
	struct config cfg;
	struct ctx c;
};

static void open_world(struct world *w)
{
	*w = (struct world){ 0 };
	fixture_init_in_memory(&w->f);
	fixture_reopen(&w->f);
	arena_reset(&mem);
	w->cfg.mail.default_lang = STR("en");
	w->c = (struct ctx){ .mem = &mem, .db = w->f.db, .cfg = &w->cfg };
}

static void close_world(struct world *w)
{
	fixture_clear(&w->f);
}

static void store_bases(struct world *w, const char *id, const char *html, const char *text)
{
	TX tx = { 0 };

	assert_int_equal(tx_begin(&tx, w->f.db).code, ERR_OK);
	assert_int_equal(
		q_template_put(w->f.db, str_of_cstr(id), str_of_cstr(html), str_of_cstr(text)).code,
		ERR_OK);
	assert_int_equal(tx_commit(&tx).code, ERR_OK);
}

static void store_text(struct world *w, const char *id, const char *lang, const char *key,
		       const char *value)
{
	TX tx = { 0 };

	assert_int_equal(tx_begin(&tx, w->f.db).code, ERR_OK);
	assert_int_equal(q_template_text_put(w->f.db, str_of_cstr(id), str_of_cstr(lang),
					     str_of_cstr(key), str_of_cstr(value))
				 .code,
			 ERR_OK);
	assert_int_equal(tx_commit(&tx).code, ERR_OK);
}

static struct rendered rendered(struct world *w, const char *id, const char *lang)
{
	const struct template_builtin *b = template_builtin(str_of_cstr(id));
	struct rendered r;
	err_t e = template_render(&w->c, str_of_cstr(id), str_of_cstr(lang),
				  b == NULL ? NULL : b->vars, b == NULL ? 0 : b->n_vars, &r);

	if (e.code != ERR_OK)
		fail_msg("%s in %s: %s", id, lang == NULL ? "no language" : lang, err_name(e.code));
	return r;
}

static void a_language_falls_back_to_its_primary_the_default_and_english(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	check(rendered(&w, "verify-email", "it").subject, "Verifica il tuo indirizzo email");
	check(rendered(&w, "verify-email", "it-CH").subject, "Verifica il tuo indirizzo email");
	check(rendered(&w, "verify-email", "IT").subject, "Verifica il tuo indirizzo email");
	check(rendered(&w, "verify-email", "xx").subject, "Verify your email address");
	check(rendered(&w, "verify-email", NULL).subject, "Verify your email address");
	w.cfg.mail.default_lang = STR("it");
	check(rendered(&w, "verify-email", "xx").subject, "Verifica il tuo indirizzo email");
	check(rendered(&w, "verify-email", NULL).subject, "Verifica il tuo indirizzo email");
	check(rendered(&w, "verify-email", "en").subject, "Verify your email address");
	w.cfg.mail.default_lang = STR("yy");
	check(rendered(&w, "verify-email", "xx").subject, "Verify your email address");
	close_world(&w);
}

static void stored_texts_win_key_by_key_in_any_language(void **state)
{
	struct world w;
	struct rendered r;

	(void)state;
	open_world(&w);
	store_bases(&w, "welcome", "", "");
	store_text(&w, "welcome", "pt", "subject", "Bem-vindo a {{siteName}}");
	store_text(&w, "welcome", "pt-br", "button", "Entrar");
	store_text(&w, "welcome", "en", "subject", "Hi {{EMAIL}}");
	r = rendered(&w, "welcome", "pt-BR");
	check(r.subject, "Bem-vindo a Example");
	assert_true(contains(r.text, STR("Entrar\nhttps://")));
	assert_true(contains(r.text, STR("is ready.")));
	check(rendered(&w, "welcome", "pt").subject, "Bem-vindo a Example");
	assert_true(contains(rendered(&w, "welcome", "pt").text, STR("Sign in\nhttps://")));
	check(rendered(&w, "welcome", "en").subject, "Hi ada@example.com");
	check(rendered(&w, "welcome", "xx").subject, "Hi ada@example.com");
	/* A built-in text of the language wanted is nearer than a stored one of another. */
	check(rendered(&w, "welcome", "de").subject, "Willkommen! Ihr Konto wurde angelegt");
	close_world(&w);
}

static void stored_bases_count_only_as_a_pair(void **state)
{
	struct world w;
	struct rendered r;

	(void)state;
	open_world(&w);
	store_bases(&w, "welcome", "<i>{{T.button}}</i>", "");
	assert_true(contains(rendered(&w, "welcome", "en").html, STR("<!DOCTYPE html>")));
	store_bases(&w, "welcome", "", "only text");
	assert_true(contains(rendered(&w, "welcome", "en").text, STR("Sign in")));
	store_bases(&w, "welcome", "<i>{{T.button}}</i>", "{{T.button}}: {{loginUrl}}");
	r = rendered(&w, "welcome", "en");
	check(r.html, "<i>Sign in</i>");
	check(r.text, "Sign in: https://example.com/auth/login");
	check(r.subject, "Welcome! Your account has been created");
	close_world(&w);
}

static void an_sms_needs_no_html(void **state)
{
	struct world w;
	struct rendered r;

	(void)state;
	open_world(&w);
	r = rendered(&w, "sms-code", "en");
	check(r.text, "Your verification code is: 123456");
	assert_int_equal(r.html.n, 0);
	store_bases(&w, "sms-code", "", "{{code}}");
	r = rendered(&w, "sms-code", "en");
	check(r.text, "123456");
	assert_int_equal(r.html.n, 0);
	close_world(&w);
}

static void change_email_falls_back_to_a_stored_verify_email(void **state)
{
	static const char *const ids[] = { "change-email", "link-account" };
	struct world w;

	(void)state;
	open_world(&w);
	for (size_t i = 0; i < SIZEOF(ids); i++)
		assert_true(contains(rendered(&w, ids[i], "en").text, STR("1 hour")));
	/* Texts alone are of the verification, which is valid for longer: they do not stand in. */
	store_bases(&w, "verify-email", "", "");
	store_text(&w, "verify-email", "en", "subject", "Prove it");
	for (size_t i = 0; i < SIZEOF(ids); i++)
		assert_false(str_eq(rendered(&w, ids[i], "en").subject, STR("Prove it")));
	store_bases(&w, "verify-email", "<i>{{link}}</i>", "own {{T.button}}");
	for (size_t i = 0; i < SIZEOF(ids); i++) {
		check(rendered(&w, ids[i], "en").subject, "Prove it");
		check(rendered(&w, ids[i], "en").text, "own Verify address");
	}
	store_bases(&w, "change-email", "<b>{{link}}</b>", "mine {{newEmail}}");
	check(rendered(&w, "change-email", "en").text, "mine ada.byron@example.com");
	check(rendered(&w, "change-email", "en").subject, "Confirm your new email address");
	check(rendered(&w, "link-account", "en").text, "own Verify address");
	check(rendered(&w, "verify-email", "en").text, "own Verify address");
	check(rendered(&w, "password-reset", "en").subject, "Reset your password");
	close_world(&w);
}

static void a_template_that_is_only_stored_renders_too(void **state)
{
	struct rendered r;
	struct world w;

	(void)state;
	open_world(&w);
	assert_int_equal(template_render(&w.c, STR("newsletter"), STR("en"), NULL, 0, &r).code,
			 ERR_NOT_FOUND);
	store_bases(&w, "newsletter", "", "half");
	assert_int_equal(template_render(&w.c, STR("newsletter"), STR("en"), NULL, 0, &r).code,
			 ERR_NOT_FOUND);
	store_bases(&w, "newsletter", "<p>", "whole");
	store_text(&w, "newsletter", "fr", "subject", "Nouvelles");
	r = rendered(&w, "newsletter", "fr");
	check(r.text, "whole");
	check(r.html, "<p>");
	check(r.subject, "Nouvelles");
	check(rendered(&w, "newsletter", "de").subject, "[subject]");
	close_world(&w);
}

static void a_subject_is_one_line_and_not_html(void **state)
{
	const struct template_var vars[] = { { STR_INIT("siteName"),
					       STR_INIT("A & B\r\nBcc: x") } };
	struct rendered r;
	struct world w;

	(void)state;
	open_world(&w);
	store_bases(&w, "welcome", "", "");
	store_text(&w, "welcome", "en", "subject", "Hi\r\nX: {{siteName}}");
	assert_int_equal(template_render(&w.c, STR("welcome"), STR("en"), vars, 1, &r).code,
			 ERR_OK);
	assert_false(str_has_byte(r.subject, '\n') || str_has_byte(r.subject, '\r'));
	check(r.subject, "Hi  X: A & B  Bcc: x");
	close_world(&w);
}

static void rendering_out_of_memory_is_a_fault_and_nothing_else(void **state)
{
	const struct template_builtin *b = template_builtin(STR("password-reset"));
	struct rendered r;
	struct world w;
	err_t e = { ERR_NO_MEMORY };

	(void)state;
	open_world(&w);
	store_bases(&w, "password-reset", "<p>{{link}}</p>", "{{T.body}}");
	for (size_t n = 1; n < 1000 && e.code != ERR_OK; n++) {
		arena_reset(&mem);
		mem.fail_at = n;
		e = template_render(&w.c, b->id, STR("de"), b->vars, b->n_vars, &r);
		assert_true(e.code == ERR_OK || e.code == ERR_NO_MEMORY);
	}
	assert_int_equal(e.code, ERR_OK);
	close_world(&w);
}

static void checking_names_what_is_unknown_once(void **state)
{
	str unknown[TEMPLATE_UNKNOWN_MAX];
	struct world w;
	size_t n;

	(void)state;
	open_world(&w);
	assert_int_equal(
		template_check(&w.c, STR("nothing"), TEMPLATE_TEXT, STR(""), unknown, &n).code,
		ERR_NOT_FOUND);
	assert_int_equal(
		template_check(&w.c, STR("welcome"), TEMPLATE_TEXT,
			       STR("{{T.body}} {{loginUrl}} {{link}} {{T.extra}} {{LINK}}"),
			       unknown, &n)
			.code,
		ERR_OK);
	assert_int_equal(n, 2);
	check(unknown[0], "link");
	check(unknown[1], "T.extra");
	store_bases(&w, "welcome", "", "");
	store_text(&w, "welcome", "pt", "extra", "Mais: {{mail}}");
	assert_int_equal(
		template_check(&w.c, STR("welcome"), TEMPLATE_HTML, STR("{{T.extra}}"), unknown, &n)
			.code,
		ERR_OK);
	assert_int_equal(n, 1);
	check(unknown[0], "mail");
	assert_int_equal(template_check(&w.c, STR("welcome"), TEMPLATE_TRANSLATION,
					STR("{{T.extra}} {{email}}"), unknown, &n)
				 .code,
			 ERR_OK);
	assert_int_equal(n, 1);
	check(unknown[0], "T.extra");
	close_world(&w);
}

/* ---- the built-in ones ---- */

static str value_of(const struct template_builtin *b, const char *name)
{
	for (size_t i = 0; i < b->n_vars; i++) {
		if (str_eq(b->vars[i].name, str_of_cstr(name)))
			return b->vars[i].value;
	}
	return STR_NONE;
}

static void check_link(const struct rendered *r, str link)
{
	char buf[512];
	str href, shown;

	(void)snprintf(buf, sizeof(buf), "href=\"%.*s\"", STR_ARG(link));
	href = str_of_cstr(buf);
	assert_true(contains(r->html, href));
	assert_true(contains(r->text, link));
	(void)snprintf(buf, sizeof(buf), ">%.*s</a>", STR_ARG(link));
	shown = str_of_cstr(buf);
	assert_true(contains(r->html, shown));
}

static void check_whole(struct world *w, const struct template_builtin *b, const char *lang)
{
	static const char *const shown[] = { "code",   "newEmail", "newPhone", "when",
					     "device", "place",	   "failures" };
	struct rendered r = rendered(w, b->id.p, lang);
	str link = value_of(b, "link").n > 0 ? value_of(b, "link") : value_of(b, "loginUrl");

	if (str_has_byte(r.subject, '[') || str_has_byte(r.text, '[') ||
	    str_has_byte(r.html, '[') || str_has_byte(r.text, '{') || str_has_byte(r.html, '{') ||
	    r.subject.n == 0)
		fail_msg("%s in %s: something is missing", b->id.p, lang);
	if (link.n > 0)
		check_link(&r, link);
	for (size_t i = 0; i < SIZEOF(shown); i++) {
		str value = value_of(b, shown[i]);

		if (value.n > 0 &&
		    (!contains(r.text, value) || (r.html.n > 0 && !contains(r.html, value))))
			fail_msg("%s in %s: no %s", b->id.p, lang, shown[i]);
	}
	assert_true(r.html.n > 0 || str_starts(b->id, STR("sms-")));
	arena_reset(&mem);
}

static void every_built_in_message_is_whole_in_every_language(void **state)
{
	const struct template_builtin *b;
	struct world w;

	(void)state;
	open_world(&w);
	for (size_t i = 0; (b = template_builtin_at(i)) != NULL; i++) {
		for (size_t k = 0; template_builtin_lang(k).n > 0; k++)
			check_whole(&w, b, template_builtin_lang(k).p);
	}
	close_world(&w);
}

static void built_in_texts_are_five_of_their_own_and_fit_the_markup(void **state)
{
	const struct template_builtin *b;

	(void)state;
	for (size_t i = 0; (b = template_builtin_at(i)) != NULL; i++) {
		assert_true(b->html.n <= 4096 && b->n_texts + 6 <= TEMPLATE_BUILTIN_TEXTS_MAX);
		for (size_t k = 0; k < b->n_texts; k++) {
			const struct template_builtin_text *t = &b->texts[k];

			for (size_t l = 0; l < N_TEMPLATE_LANGS; l++) {
				assert_true(t->value[l].n > 0);
				assert_false(str_has_byte(t->value[l], '<') ||
					     str_has_byte(t->value[l], '&'));
				for (size_t m = 0; m < l; m++)
					assert_false(str_eq(t->value[l], t->value[m]));
			}
		}
	}
}

static void html_asks_for_nothing_from_elsewhere(void **state)
{
	static const char *const rows[] = { "<img", "<link",   "<script", "src=",
					    "url(", "@import", "http://", "https://" };
	const struct template_builtin *b;

	(void)state;
	for (size_t i = 0; (b = template_builtin_at(i)) != NULL; i++) {
		for (size_t k = 0; k < SIZEOF(rows); k++)
			assert_false(contains(b->html, str_of_cstr(rows[k])));
	}
}

static void subjects_that_others_look_for_are_exact(void **state)
{
	static const char *const rows[][3] = {
		{ "password-reset", "Reset your password", "Reimposta la tua password" },
		{ "verify-email", "Verify your email address", "Verifica il tuo indirizzo email" },
		{ "welcome", "Welcome! Your account has been created",
		  "Benvenuto! Il tuo account \303\250 stato creato" },
		{ "email-changed", "Your email address has been updated",
		  "Il tuo indirizzo email \303\250 stato aggiornato" },
		{ "magic-link", "Your magic sign-in link", "Il tuo link di accesso" },
		{ "magic-link-code", "Your magic sign-in link", "Il tuo link di accesso" },
	};
	struct world w;

	(void)state;
	open_world(&w);
	for (size_t i = 0; i < SIZEOF(rows); i++) {
		check(rendered(&w, rows[i][0], "en").subject, rows[i][1]);
		check(rendered(&w, rows[i][0], "it").subject, rows[i][2]);
	}
	close_world(&w);
}

static void links_say_how_long_they_are_valid(void **state)
{
	static const char *const rows[][2] = {
		{ "password-reset", "1 hour" },	 { "verify-email", "24 hours" },
		{ "change-email", "1 hour" },	 { "link-account", "1 hour" },
		{ "email-changed", "72 hours" }, { "email-reverted", "1 hour" },
		{ "magic-link", "15 minutes" },	 { "magic-link-code", "15 minutes" },
		{ "sign-in-code", "10 minutes" }, { "magic-link-code", "10 minutes" },
	};
	struct world w;

	(void)state;
	open_world(&w);
	for (size_t i = 0; i < SIZEOF(rows); i++) {
		struct rendered r = rendered(&w, rows[i][0], "en");
		str number, rest;

		assert_true(contains(r.text, str_of_cstr(rows[i][1])));
		assert_true(contains(r.html, str_of_cstr(rows[i][1])));
		assert_true(str_cut(str_of_cstr(rows[i][1]), ' ', &number, &rest));
		for (size_t k = 1; template_builtin_lang(k).n > 0; k++)
			assert_true(contains(
				rendered(&w, rows[i][0], template_builtin_lang(k).p).text, number));
	}
	close_world(&w);
}

static void stored_rows_come_and_go(void **state)
{
	struct template_list_row *rows;
	struct template_row row;
	struct world w;
	int64_t changed;
	bool found;
	size_t n;

	(void)state;
	open_world(&w);
	store_bases(&w, "b", "", "");
	store_bases(&w, "a", "<p>", "t");
	store_text(&w, "b", "de", "body", "x");
	store_text(&w, "b", "de", "body", "y");
	assert_int_equal(q_template_list(w.f.db, &mem, STR(""), 10, &rows, &n).code, ERR_OK);
	assert_int_equal(n, 2);
	check(rows[0].id, "a");
	assert_true(rows[0].has_html && rows[0].has_text && rows[0].texts == 0);
	assert_true(!rows[1].has_html && !rows[1].has_text && rows[1].texts == 1);
	assert_int_equal(q_template_list(w.f.db, &mem, STR("a"), 10, &rows, &n).code, ERR_OK);
	assert_int_equal(n, 1);

	TX tx = { 0 };
	assert_int_equal(tx_begin(&tx, w.f.db).code, ERR_OK);
	assert_int_equal(q_template_text_put(w.f.db, STR("c"), STR("de"), STR("k"), STR("v")).code,
			 ERR_NOT_FOUND);
	assert_int_equal(q_template_prune(w.f.db, STR("a"), &changed).code, ERR_OK);
	assert_int_equal(changed, 0);
	assert_int_equal(q_template_prune(w.f.db, STR("b"), &changed).code, ERR_OK);
	assert_int_equal(changed, 0);
	assert_int_equal(
		q_template_text_delete(w.f.db, STR("b"), STR("de"), STR("body"), &changed).code,
		ERR_OK);
	assert_int_equal(changed, 1);
	assert_int_equal(q_template_prune(w.f.db, STR("b"), &changed).code, ERR_OK);
	assert_int_equal(changed, 1);
	assert_int_equal(q_template_delete(w.f.db, STR("a"), &changed).code, ERR_OK);
	assert_int_equal(changed, 1);
	assert_int_equal(q_template_find(w.f.db, &mem, STR("a"), STR("a"), &row, &found).code,
			 ERR_OK);
	assert_false(found);
	assert_int_equal(tx_commit(&tx).code, ERR_OK);
	close_world(&w);
}

#define NAMED(id, name)                                                                            \
	{                                                                                          \
		id " " #name, name, NULL, NULL, NULL                                               \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_and_variables_stand_where_they_are_named),
		NAMED("M26", names_are_taken_in_any_case_and_with_blanks),
		cmocka_unit_test(what_is_unknown_shows_in_brackets),
		cmocka_unit_test(braces_that_open_nothing_stay),
		NAMED("EL19", variables_are_never_looked_into),
		NAMED("EL19", variables_are_escaped_in_html_texts_are_not),
		NAMED("EL19", variables_are_one_line_without_controls),
		cmocka_unit_test(a_result_is_bounded),
		cmocka_unit_test(a_language_falls_back_to_its_primary_the_default_and_english),
		NAMED("F-38", stored_texts_win_key_by_key_in_any_language),
		cmocka_unit_test(stored_bases_count_only_as_a_pair),
		cmocka_unit_test(an_sms_needs_no_html),
		NAMED("F-38", change_email_falls_back_to_a_stored_verify_email),
		cmocka_unit_test(a_template_that_is_only_stored_renders_too),
		NAMED("EL19", a_subject_is_one_line_and_not_html),
		cmocka_unit_test(rendering_out_of_memory_is_a_fault_and_nothing_else),
		cmocka_unit_test(checking_names_what_is_unknown_once),
		cmocka_unit_test(every_built_in_message_is_whole_in_every_language),
		cmocka_unit_test(built_in_texts_are_five_of_their_own_and_fit_the_markup),
		cmocka_unit_test(html_asks_for_nothing_from_elsewhere),
		cmocka_unit_test(subjects_that_others_look_for_are_exact),
		cmocka_unit_test(links_say_how_long_they_are_valid),
		cmocka_unit_test(stored_rows_come_and_go),
	};
	int failed;

	if (arena_init(&mem, MEMORY).code != ERR_OK)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_clear(&mem);
	return failed;
}
