/* template.c — one pass over a base: what stands for what is found where it is needed, and the
 * result is measured before it is written, so that it is made once and never larger than the arena.
 */
#include "domain/template.h"

#include <string.h>

#include "base/lang_tag.h"
#include "base/utf8.h"
#include "domain/template_texts.h"
#include "store/query.h"

#define ENTITY_MAX_BYTES 6
#define N_LANGS_TRIED	 5

/* ---- variables ---- */

static str entity_of(char ch)
{
	switch (ch) {
	case '&': return STR("&amp;");
	case '<': return STR("&lt;");
	case '>': return STR("&gt;");
	case '"': return STR("&quot;");
	case '\'': return STR("&#39;");
	default: return STR_NONE;
	}
}

static bool breaks_line(uint32_t point)
{
	return (point >= '\t' && point <= '\r') || point == 0x85 || point == 0x2028 ||
	       point == 0x2029;
}

static void put_point(struct buf *b, str character, uint32_t point, bool html)
{
	str entity = html ? entity_of(character.p[0]) : STR_NONE;

	if (breaks_line(point))
		buf_byte(b, ' ');
	else if (utf8_is_plain_point(point))
		buf_str(b, entity.n > 0 ? entity : character);
}

/* One line without controls and bidi controls, and for HTML without anything that is markup. */
static err_t clean(struct arena *mem, str raw, bool html, str *ret)
{
	struct buf b = { .cap = raw.n };

	if (html)
		REQUIRE(!__builtin_mul_overflow(raw.n, ENTITY_MAX_BYTES, &b.cap), ERR_NO_MEMORY);
	NEW(b.p, mem, char, b.cap + 1);
	while (raw.n > 0) {
		uint32_t point = 0;
		size_t n = utf8_next(raw, &point);

		if (n == 0)
			buf_byte(&b, '?');
		else
			put_point(&b, (str){ raw.p, n }, point, html);
		raw = str_skip(raw, n == 0 ? 1 : n);
	}
	REQUIRE(!b.overflow, ERR_BUG);
	*ret = buf_view(&b);
	return OK;
}

static err_t clean_all(struct arena *mem, const struct template_var *vars, size_t n, bool html,
		       struct template_var **ret)
{
	NEW(*ret, mem, struct template_var, n + 1);
	for (size_t i = 0; i < n; i++) {
		(*ret)[i].name = vars[i].name;
		TRY(clean(mem, vars[i].value, html, &(*ret)[i].value));
	}
	return OK;
}

/* ---- expansion ---- */

/* Names that stood for nothing, each once, as many as fit. */
struct unknown {
	str *names;
	size_t n;
};

struct expansion {
	const struct template_text *texts;
	size_t n_texts;
	const struct template_var *vars; /* cleaned */
	size_t n_vars;
	struct unknown *unknown; /* NULL: nobody asks */
	char *p;		 /* NULL while measuring */
	size_t n, max;
	bool overflow;
};

static void put(struct expansion *x, str s)
{
	if (x->overflow || s.n > x->max - x->n) {
		x->overflow = true;
		return;
	}
	if (x->p != NULL && s.n > 0)
		memcpy(x->p + x->n, s.p, s.n);
	x->n += s.n;
}

static void put_unknown(struct expansion *x, str name, str shown)
{
	struct unknown *u = x->unknown;

	put(x, STR("["));
	put(x, shown);
	put(x, STR("]"));
	if (u == NULL || u->n == TEMPLATE_UNKNOWN_MAX)
		return;
	for (size_t i = 0; i < u->n; i++) {
		if (str_eq_nocase(u->names[i], name))
			return;
	}
	u->names[u->n++] = name;
}

static void put_var(struct expansion *x, str name)
{
	for (size_t i = 0; i < x->n_vars; i++) {
		if (str_eq_nocase(x->vars[i].name, name)) {
			put(x, x->vars[i].value);
			return;
		}
	}
	put_unknown(x, name, name);
}

static bool in_name(char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
	       ch == '_' || ch == '.' || ch == '-';
}

static size_t skip_blanks(str s, size_t at)
{
	while (at < s.n && (s.p[at] == ' ' || s.p[at] == '\t'))
		at++;
	return at;
}

/* The length of the "{{ name }}" at the start of `s`; 0: there is none. */
static size_t placeholder(str s, str *ret_name)
{
	size_t start, end;

	if (!str_starts(s, STR("{{")))
		return 0;
	start = end = skip_blanks(s, 2);
	while (end < s.n && in_name(s.p[end]))
		end++;
	*ret_name = (str){ s.p + start, end - start };
	end = skip_blanks(s, end);
	return ret_name->n > 0 && str_starts(str_skip(s, end), STR("}}")) ? end + 2 : 0;
}

/* Puts what stands before the next placeholder; false when there is no further one. */
static bool next_name(struct expansion *x, str *rest, str *ret_name)
{
	while (rest->n > 0 && !x->overflow) {
		const char *brace = memchr(rest->p, '{', rest->n);
		size_t before = brace == NULL ? rest->n : (size_t)(brace - rest->p);
		size_t n;

		put(x, (str){ rest->p, before });
		*rest = str_skip(*rest, before);
		n = placeholder(*rest, ret_name);
		if (n == 0) /* a brace that opens nothing */
			put(x, (str){ rest->p, rest->n > 0 ? 1 : 0 });
		*rest = str_skip(*rest, n == 0 ? 1 : n);
		if (n > 0)
			return true;
	}
	return false;
}

static void put_text(struct expansion *x, str name, str key)
{
	for (size_t i = 0; i < x->n_texts; i++) {
		str rest = x->texts[i].value, inner;

		if (!str_eq_nocase(x->texts[i].key, key))
			continue;
		while (next_name(x, &rest, &inner))
			put_var(x, inner);
		return;
	}
	put_unknown(x, name, key);
}

static void put_base(struct expansion *x, str base)
{
	str name;

	while (next_name(x, &base, &name)) {
		if (name.n > 2 && str_eq_nocase((str){ name.p, 2 }, STR("T.")))
			put_text(x, name, str_skip(name, 2));
		else
			put_var(x, name);
	}
}

/* `x` says what there is; *ret is in the arena. */
static err_t run(struct arena *mem, struct expansion *x, str base, str *ret)
{
	x->max = TEMPLATE_RESULT_MAX;
	put_base(x, base);
	REQUIRE(!x->overflow, ERR_NO_MEMORY);
	x->max = x->n;
	x->n = 0;
	NEW(x->p, mem, char, x->max + 1);
	put_base(x, base);
	*ret = (str){ x->p, x->n };
	return OK;
}

err_t template_expand(struct arena *mem, str base, bool html, const struct template_text *texts,
		      size_t n_texts, const struct template_var *vars, size_t n_vars, str *ret)
{
	struct expansion x = { .texts = texts, .n_texts = n_texts, .n_vars = n_vars };
	struct template_var *cleaned;

	TRY(clean_all(mem, vars, n_vars, html, &cleaned));
	x.vars = cleaned;
	return run(mem, &x, base, ret);
}

/* ---- which bases and texts ---- */

struct material {
	str html, text;
	const struct template_builtin *builtin; /* NULL: not built in */
	const struct template_text_row *rows;
	size_t n_rows;
	struct template_text *texts; /* the first of a key counts */
	size_t n_texts;
};

/* Whose stored bases stand in for those of `id` when it has none: itself, or the template that was
 * once used for all three. */
static str stand_in(str id)
{
	if (str_eq(id, STR("change-email")) || str_eq(id, STR("link-account")))
		return STR("verify-email");
	return id;
}

/* A text alone is a pair where there is no HTML, in an SMS. */
static bool is_pair(const struct template_builtin *builtin, const struct template_row *row)
{
	return row->base_text.n > 0 &&
	       (row->base_html.n > 0 || (builtin != NULL && builtin->html.n == 0));
}

static err_t find(struct ctx *c, str id, struct material *ret)
{
	struct template_row row = { 0 };
	struct template_text_row *rows = NULL;
	bool found;

	*ret = (struct material){ 0 };
	TRY(q_template_find(c->db, c->mem, id, stand_in(id), &row, &found));
	if (found) {
		id = row.id;
		TRY(q_template_texts(c->db, c->mem, id, &rows, &ret->n_rows));
		ret->rows = rows;
	}
	ret->builtin = template_builtin(id);
	if (is_pair(ret->builtin, &row)) {
		ret->html = row.base_html;
		ret->text = row.base_text;
		return OK;
	}
	REQUIRE(ret->builtin != NULL, ERR_NOT_FOUND);
	ret->html = ret->builtin->html;
	ret->text = ret->builtin->text;
	return OK;
}

static void add_row(struct material *m, const struct template_text_row *row)
{
	m->texts[m->n_texts++] = (struct template_text){ row->key, row->value };
}

static void add_lang(struct material *m, str lang)
{
	for (size_t i = 0; i < m->n_rows; i++) {
		if (str_eq_nocase(m->rows[i].lang, lang))
			add_row(m, &m->rows[i]);
	}
	if (m->builtin != NULL)
		m->n_texts += template_builtin_texts(m->builtin, lang, m->texts + m->n_texts);
}

/* All that may be used, in the order in which it is preferred. */
static err_t choose_texts(struct ctx *c, str lang, struct material *m)
{
	str wanted = lang_best(c->mem, lang), other = lang_best(c->mem, c->cfg->mail.default_lang);
	str langs[N_LANGS_TRIED] = { wanted, lang_primary(wanted), other, lang_primary(other), STR("en") };

	NEW(m->texts, c->mem, struct template_text,
	    N_LANGS_TRIED * (m->n_rows + TEMPLATE_BUILTIN_TEXTS_MAX));
	for (size_t i = 0; i < N_LANGS_TRIED; i++)
		add_lang(m, langs[i]);
	return OK;
}

err_t template_render(struct ctx *c, str id, str lang, const struct template_var *vars, size_t n,
		      struct rendered *ret)
{
	struct material m;
	str subject;

	*ret = (struct rendered){ 0 };
	TRY(find(c, id, &m));
	TRY(choose_texts(c, lang, &m));
	TRY(template_expand(c->mem, STR("{{T.subject}}"), false, m.texts, m.n_texts, vars, n,
			    &subject));
	/* Once more as a whole: a header is one line, whatever the translated text holds. */
	TRY(clean(c->mem, subject, false, &ret->subject));
	TRY(template_expand(c->mem, m.text, false, m.texts, m.n_texts, vars, n, &ret->text));
	if (m.html.n == 0)
		return OK;
	return template_expand(c->mem, m.html, true, m.texts, m.n_texts, vars, n, &ret->html);
}

err_t template_word(struct ctx *c, str id, str lang, str key, str *ret)
{
	struct material m;

	TRY(find(c, id, &m));
	TRY(choose_texts(c, lang, &m));
	for (size_t i = 0; i < m.n_texts; i++) {
		if (str_eq(m.texts[i].key, key)) {
			*ret = m.texts[i].value;
			return OK;
		}
	}
	FAIL(ERR_NOT_FOUND);
}

/* ---- for operators ---- */

static err_t texts_of_any_language(struct ctx *c, struct material *m)
{
	NEW(m->texts, c->mem, struct template_text, m->n_rows + TEMPLATE_BUILTIN_TEXTS_MAX);
	for (size_t i = 0; i < m->n_rows; i++)
		add_row(m, &m->rows[i]);
	m->n_texts += template_builtin_texts(m->builtin, STR("en"), m->texts + m->n_texts);
	return OK;
}

err_t template_check(struct ctx *c, str id, enum template_part part, str body,
		     str ret[TEMPLATE_UNKNOWN_MAX], size_t *ret_n)
{
	struct material m = { .builtin = template_builtin(id) };
	const struct template_text translated = { STR("text"), body };
	struct unknown unknown = { .names = ret };
	struct expansion x = { .unknown = &unknown };
	struct template_text_row *rows;
	struct template_var *cleaned;
	str result;

	*ret_n = 0;
	REQUIRE(m.builtin != NULL, ERR_NOT_FOUND);
	TRY(q_template_texts(c->db, c->mem, id, &rows, &m.n_rows));
	m.rows = rows;
	TRY(texts_of_any_language(c, &m));
	TRY(clean_all(c->mem, m.builtin->vars, m.builtin->n_vars, part == TEMPLATE_HTML, &cleaned));
	x.vars = cleaned;
	x.n_vars = m.builtin->n_vars;
	x.texts = part == TEMPLATE_TRANSLATION ? &translated : m.texts;
	x.n_texts = part == TEMPLATE_TRANSLATION ? 1 : m.n_texts;
	TRY(run(c->mem, &x, part == TEMPLATE_TRANSLATION ? STR("{{T.text}}") : body, &result));
	*ret_n = unknown.n;
	return OK;
}
