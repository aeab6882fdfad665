/* cli_template.c — what an operator may store is checked here: known templates, sound text, bounded
 * sizes, and a warning for each name that would come out in brackets. */
#include "app/cli_template.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/lang_tag.h"
#include "base/utf8.h"
#include "domain/template.h"
#include "domain/template_texts.h"
#include "store/query.h"

#define BASE_MAX_BYTES ((size_t)64 * 1024)
#define TEXT_MAX_BYTES ((size_t)4096)
#define KEY_MAX_BYTES  64
#define LIST_MAX       200

/* ---- arguments ---- */

/* NULL, and said so, for an id that is not built in. */
static const struct template_builtin *known(const char *id)
{
	const struct template_builtin *b = template_builtin(str_of_cstr(id));

	if (b == NULL)
		(void)fail("no such template; `sallyport template list` shows them");
	return b;
}

/* Tags are the same in any case; stored in lower case, each is there once. */
static bool lang_arg(struct cli *cli, const char *arg, str *ret)
{
	str lang = lang_best(&cli->mem, str_of_cstr(arg));
	char *p;

	if (lang.n == 0 || (p = arena_new(&cli->mem, char, LANG_TAG_MAX)) == NULL) {
		(void)fail("a language is written like de, pt-BR or zh-Hant-TW");
		return false;
	}
	for (size_t i = 0; i < lang.n; i++) {
		char ch = lang.p[i];

		p[i] = ch >= 'A' && ch <= 'Z' ? (char)(ch + ('a' - 'A')) : ch;
	}
	*ret = str_of_bytes(p, lang.n);
	return true;
}

static bool key_arg(const char *arg, str *ret)
{
	*ret = str_of_cstr(arg);
	if (ret->n > 0 && ret->n <= KEY_MAX_BYTES &&
	    strspn(arg, "abcdefghijklmnopqrstuvwxyz0123456789_") == ret->n)
		return true;
	(void)fail("a key is 1 to 64 of a-z, 0-9 and _");
	return false;
}

/* UTF-8 without controls other than tabs and line ends. */
static bool is_sound(str s)
{
	if (!utf8_is_valid(s))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];

		if ((ch < ' ' && ch != '\t' && ch != '\n' && ch != '\r') || ch == 0x7f)
			return false;
	}
	return true;
}

/* ---- list, show, preview ---- */

static const struct template_list_row *listed(const struct template_list_row *rows, size_t n,
					      str id)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(rows[i].id, id))
			return &rows[i];
	}
	return NULL;
}

static bool has_own_bases(const struct template_builtin *b, bool has_html, bool has_text)
{
	return has_text && (has_html || b->html.n == 0);
}

struct listed {
	const struct template_builtin *b;
	const struct template_list_row *row; /* NULL: nothing is stored */
};

static bool is_stored(const struct listed *l)
{
	return l->row != NULL && has_own_bases(l->b, l->row->has_html, l->row->has_text);
}

static void put_listed(struct json_out *o, const void *of)
{
	const struct listed *l = of;

	out_str(o, STR("id"), l->b->id);
	out_str(o, STR("bases"), is_stored(l) ? STR("stored") : STR("built-in"));
	out_i64(o, STR("texts"), l->row != NULL ? l->row->texts : 0);
	out_str(o, STR("occasion"), l->b->occasion);
}

static void print_listed(const struct listed *l)
{
	(void)printf("%-24.*s%-10s", STR_ARG(l->b->id), is_stored(l) ? "stored" : "built-in");
	if (l->row != NULL && l->row->texts > 0)
		(void)printf("%3" PRId64 " texts", l->row->texts);
	else
		(void)printf("%9s", "");
	(void)printf("  %.*s\n", STR_ARG(l->b->occasion));
}

enum exit_code template_list_cmd(struct cli *cli, const struct args *a)
{
	struct template_list_row *rows;
	struct listed l;
	size_t n;
	err_t e;

	(void)a;
	e = q_template_list(cli->db, &cli->mem, STR(""), LIST_MAX, &rows, &n);
	for (size_t i = 0; e.code == ERR_OK && (l.b = template_builtin_at(i)) != NULL; i++) {
		l.row = listed(rows, n, l.b->id);
		if (cli->json)
			e = print_object(put_listed, &l);
		else
			print_listed(&l);
	}
	return e.code == ERR_OK ? EXIT_DONE : fail_err(cli, e);
}

static void print_texts(const struct template_builtin *b, const struct template_text_row *rows,
			size_t n)
{
	struct template_text english[TEMPLATE_BUILTIN_TEXTS_MAX];
	size_t n_english = template_builtin_texts(b, STR("en"), english);

	(void)printf("languages built in:");
	for (size_t i = 0; template_builtin_lang(i).n > 0; i++)
		(void)printf(" %.*s", STR_ARG(template_builtin_lang(i)));
	(void)printf("\n\nbuilt-in texts (en):\n");
	for (size_t i = 0; i < n_english; i++)
		(void)printf("  %-10.*s%.*s\n", STR_ARG(english[i].key), STR_ARG(english[i].value));
	(void)printf("\nstored texts:%s\n", n == 0 ? " none" : "");
	for (size_t i = 0; i < n; i++)
		(void)printf("  %-10.*s%-10.*s%.*s\n", STR_ARG(rows[i].lang), STR_ARG(rows[i].key),
			     STR_ARG(rows[i].value));
}

static void print_bases(const struct template_builtin *b, const struct template_row *row)
{
	bool own = has_own_bases(b, row->base_html.n > 0, row->base_text.n > 0);
	str text = own ? row->base_text : b->text, html = own ? row->base_html : b->html;

	(void)printf("\n---- text base, %s ----\n%.*s\n", own ? "stored" : "built in",
		     STR_ARG(text));
	if (b->html.n > 0)
		(void)printf("---- HTML base, %s ----\n%.*s\n", own ? "stored" : "built in",
			     STR_ARG(html));
	if (!own && row->base_html.n + row->base_text.n > 0)
		(void)printf("One stored base waits for the other: bases count as a pair.\n");
}

struct shown {
	const struct template_builtin *b;
	struct template_row row;
	struct template_text_row *texts;
	size_t n_texts;
};

static void put_text_row(struct json_out *o, str lang, str key, str value)
{
	out_obj(o);
	out_str(o, STR("lang"), lang);
	out_str(o, STR("key"), key);
	out_str(o, STR("value"), value);
	out_end_obj(o);
}

static void put_shown(struct json_out *o, const void *of)
{
	const struct shown *s = of;
	struct template_text english[TEMPLATE_BUILTIN_TEXTS_MAX];
	size_t n_english = template_builtin_texts(s->b, STR("en"), english);
	bool own = has_own_bases(s->b, s->row.base_html.n > 0, s->row.base_text.n > 0);
	str html = own ? s->row.base_html : s->b->html;

	out_str(o, STR("id"), s->b->id);
	out_str(o, STR("occasion"), s->b->occasion);
	out_key(o, STR("variables"));
	out_arr(o);
	for (size_t i = 0; i < s->b->n_vars; i++)
		out_value_str(o, s->b->vars[i].name);
	out_end_arr(o);
	out_key(o, STR("builtinTexts"));
	out_arr(o);
	for (size_t i = 0; i < n_english; i++)
		put_text_row(o, STR("en"), english[i].key, english[i].value);
	out_end_arr(o);
	out_key(o, STR("storedTexts"));
	out_arr(o);
	for (size_t i = 0; i < s->n_texts; i++)
		put_text_row(o, s->texts[i].lang, s->texts[i].key, s->texts[i].value);
	out_end_arr(o);
	out_str(o, STR("bases"), own ? STR("stored") : STR("built-in"));
	out_str(o, STR("text"), own ? s->row.base_text : s->b->text);
	json_text(o, STR("html"), html.n > 0 ? html : STR_NONE);
}

enum exit_code template_show_cmd(struct cli *cli, const struct args *a)
{
	struct shown s = { .b = known(a->word[0]) };
	const struct template_builtin *b = s.b;
	bool found;
	err_t e;

	if (b == NULL)
		return EXIT_REFUSED;
	e = q_template_find(cli->db, &cli->mem, b->id, b->id, &s.row, &found);
	if (e.code == ERR_OK)
		e = q_template_texts(cli->db, &cli->mem, b->id, &s.texts, &s.n_texts);
	if (e.code != ERR_OK)
		return fail_err(cli, e);
	if (cli->json)
		return result(cli, NULL, put_shown, &s);
	(void)printf("%.*s: %.*s\n\nvariables:", STR_ARG(b->id), STR_ARG(b->occasion));
	for (size_t i = 0; i < b->n_vars; i++)
		(void)printf(" %.*s", STR_ARG(b->vars[i].name));
	(void)printf("\n");
	print_texts(b, s.texts, s.n_texts);
	print_bases(b, &s.row);
	return EXIT_DONE;
}

static void put_rendered(struct json_out *o, const void *of)
{
	const struct rendered *r = of;

	out_str(o, STR("subject"), r->subject);
	out_str(o, STR("text"), r->text);
	json_text(o, STR("html"), r->html.n > 0 ? r->html : STR_NONE);
}

enum exit_code template_preview_cmd(struct cli *cli, const struct args *a)
{
	const struct template_builtin *b;
	struct rendered r;
	str lang = STR_NONE;
	err_t e;

	b = known(a->word[0]);
	if (b == NULL || (a->n_words == 2 && !lang_arg(cli, a->word[1], &lang)))
		return EXIT_REFUSED;
	e = template_render(&cli->c, b->id, lang, b->vars, b->n_vars, &r);
	if (e.code != ERR_OK)
		return fail_err(cli, e);
	if (cli->json)
		return result(cli, NULL, put_rendered, &r);
	(void)printf("Subject: %.*s\n\n---- text ----\n%.*s\n", STR_ARG(r.subject),
		     STR_ARG(r.text));
	if (r.html.n > 0)
		(void)printf("---- HTML ----\n%.*s\n", STR_ARG(r.html));
	return EXIT_DONE;
}

/* ---- set, translate ---- */

static void put_id(struct json_out *o, const void *of)
{
	out_str(o, STR("id"), ((const struct template_builtin *)of)->id);
}

/* Says what would come out in brackets; false, and said so, when it does not render at all. */
static bool check(struct cli *cli, str id, enum template_part part, str body)
{
	str unknown[TEMPLATE_UNKNOWN_MAX];
	size_t n;
	err_t e = template_check(&cli->c, id, part, body, unknown, &n);

	if (e.code == ERR_NO_MEMORY)
		(void)fail("it does not render: the result would be too large");
	else if (e.code != ERR_OK)
		(void)fail_err(cli, e);
	if (e.code != ERR_OK)
		return false;
	for (size_t i = 0; i < n; i++)
		(void)fprintf(stderr, "sallyport: warning: unknown: {{%.*s}}\n",
			      STR_ARG(unknown[i]));
	return true;
}

/* A row of the template as it is stored, or an empty one. */
static err_t stored(struct cli *cli, str id, struct template_row *ret)
{
	bool found;

	*ret = (struct template_row){ .id = id };
	TRY(q_template_find(cli->db, &cli->mem, id, id, ret, &found));
	if (ret->base_html.n == 0)
		ret->base_html = STR("");
	if (ret->base_text.n == 0)
		ret->base_text = STR("");
	return OK;
}

static err_t put_base(struct cli *cli, const struct template_builtin *b, bool html, str base,
		      bool *ret_own)
{
	struct template_row row;
	TX tx = { 0 };

	TRY(tx_begin(&tx, cli->db));
	TRY(stored(cli, b->id, &row));
	*(html ? &row.base_html : &row.base_text) = base;
	TRY(q_template_put(cli->db, b->id, row.base_html, row.base_text));
	*ret_own = has_own_bases(b, row.base_html.n > 0, row.base_text.n > 0);
	return tx_commit(&tx);
}

static bool read_base(struct cli *cli, const char *file, str *ret)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	char *p = arena_new(&cli->mem, char, BASE_MAX_BYTES + 1);
	size_t n = 0;
	ssize_t got = 0;

	if (fd < 0 || p == NULL) {
		(void)fprintf(stderr, "sallyport: %s: %s\n", file, strerror(errno));
		return false;
	}
	while (n <= BASE_MAX_BYTES && (got = read(fd, p + n, BASE_MAX_BYTES + 1 - n)) > 0)
		n += (size_t)got;
	(void)close(fd);
	*ret = str_of_bytes(p, n);
	if (got < 0 || n == 0)
		(void)fail("the file cannot be read, or it is empty");
	else if (n > BASE_MAX_BYTES)
		(void)fail("a base is at most 64 KiB");
	else if (!is_sound(*ret))
		(void)fail("a base is UTF-8 without control characters");
	else
		return true;
	return false;
}

enum exit_code template_set_cmd(struct cli *cli, const struct args *a)
{
	const struct template_builtin *b;
	bool html, own = false;
	str base;
	err_t e;

	html = str_eq(str_of_cstr(a->word[1]), STR("html"));
	b = known(a->word[0]);
	if (b == NULL)
		return EXIT_REFUSED;
	if (html && b->html.n == 0)
		return fail("an SMS has no HTML");
	if (!read_base(cli, a->word[2], &base) ||
	    !check(cli, b->id, html ? TEMPLATE_HTML : TEMPLATE_TEXT, base))
		return EXIT_REFUSED;
	e = put_base(cli, b, html, base, &own);
	if (e.code != ERR_OK)
		return fail_err(cli, e);
	return result(cli, own ? "stored" : "stored; the built-in bases stay in use until the other is set too", put_id,
		      b);
}

static err_t put_text(struct cli *cli, str id, str lang, str key, str value)
{
	struct template_row row;
	TX tx = { 0 };

	TRY(tx_begin(&tx, cli->db));
	TRY(stored(cli, id, &row));
	TRY(q_template_put(cli->db, id, row.base_html, row.base_text));
	TRY(q_template_text_put(cli->db, id, lang, key, value));
	return tx_commit(&tx);
}

static bool text_arg(const char *arg, str key, str *ret)
{
	*ret = str_of_cstr(arg);
	if (ret->n == 0 || ret->n > TEXT_MAX_BYTES)
		(void)fail("a text has 1 to 4096 bytes");
	else if (!is_sound(*ret))
		(void)fail("a text is UTF-8 without control characters");
	else if (str_eq(key, STR("subject")) && !utf8_is_plain_text(*ret))
		(void)fail("a subject is one line of plain text");
	else
		return true;
	return false;
}

enum exit_code template_translate_cmd(struct cli *cli, const struct args *a)
{
	const struct template_builtin *b;
	str lang, key, value;
	err_t e;

	b = known(a->word[0]);
	if (b == NULL || !lang_arg(cli, a->word[1], &lang) || !key_arg(a->word[2], &key) ||
	    !text_arg(a->word[3], key, &value) || !check(cli, b->id, TEMPLATE_TRANSLATION, value))
		return EXIT_REFUSED;
	e = put_text(cli, b->id, lang, key, value);
	return e.code == ERR_OK ? result(cli, NULL, put_id, b) : fail_err(cli, e);
}

/* ---- untranslate, remove ---- */

static err_t drop_text(struct cli *cli, str id, str lang, str key, int64_t *ret_n)
{
	int64_t pruned;
	TX tx = { 0 };

	TRY(tx_begin(&tx, cli->db));
	TRY(q_template_text_delete(cli->db, id, lang, key, ret_n));
	TRY(q_template_prune(cli->db, id, &pruned));
	return tx_commit(&tx);
}

enum exit_code template_untranslate_cmd(struct cli *cli, const struct args *a)
{
	const struct template_builtin *b;
	int64_t n = 0;
	str lang, key;
	err_t e;

	b = known(a->word[0]);
	if (b == NULL || !lang_arg(cli, a->word[1], &lang) || !key_arg(a->word[2], &key))
		return EXIT_REFUSED;
	e = drop_text(cli, b->id, lang, key, &n);
	if (e.code != ERR_OK)
		return fail_err(cli, e);
	return n > 0 ? result(cli, NULL, put_id, b) : fail("no such text is stored");
}

static err_t drop(struct cli *cli, str id, int64_t *ret_n)
{
	TX tx = { 0 };

	TRY(tx_begin(&tx, cli->db));
	TRY(q_template_delete(cli->db, id, ret_n));
	return tx_commit(&tx);
}

enum exit_code template_remove_cmd(struct cli *cli, const struct args *a)
{
	const struct template_builtin *b;
	int64_t n = 0;
	err_t e;

	b = known(a->word[0]);
	if (b == NULL)
		return EXIT_REFUSED;
	e = drop(cli, b->id, &n);
	if (e.code != ERR_OK)
		return fail_err(cli, e);
	return n > 0 ? result(cli, NULL, put_id, b) : fail("nothing is stored for it");
}
