/* lang.c — the languages of the pages: those compiled in, those an operator has put into ui.lang_dir, and
 * which of them a request gets. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <unistd.h>

#include "base/lang_tag.h"
#include "base/log.h"
#include "base/utf8.h"
#include "web/ui_internal.h"

#define LANG_FILE_MAX ((size_t)128 * 1024)
#define LANG_TEXT_MAX ((size_t)600)
#define TAG_MIN 2
#define TAG_MAX 10

/* ---- tags ---- */

static bool tag_ok(str tag)
{
	if (tag.n < TAG_MIN || tag.n > TAG_MAX)
		return false;
	for (size_t i = 0; i < tag.n; i++) {
		char lower = (char)(tag.p[i] | 0x20);

		if (tag.p[i] != '-' && (lower < 'a' || lower > 'z'))
			return false;
	}
	return true;
}

static bool is_rtl(str tag)
{
	static const char *const rtl[] = { "ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi" };
	str primary = lang_primary(tag);

	for (size_t i = 0; i < sizeof(rtl) / sizeof(rtl[0]); i++) {
		if (str_eq_nocase(primary, str_of_cstr(rtl[i])))
			return true;
	}
	return false;
}

static struct ui_lang *find_exact(struct ui *ui, str tag)
{
	for (size_t i = 0; i < ui->n_langs; i++) {
		if (str_eq_nocase(ui->langs[i].tag, tag))
			return &ui->langs[i];
	}
	return NULL;
}

/* ---- texts ---- */

void html_escape(struct buf *out, str text)
{
	for (size_t i = 0; i < text.n; i++) {
		switch (text.p[i]) {
		case '&': buf_lit(out, "&amp;"); break;
		case '<': buf_lit(out, "&lt;"); break;
		case '>': buf_lit(out, "&gt;"); break;
		case '"': buf_lit(out, "&quot;"); break;
		case '\'': buf_lit(out, "&#39;"); break;
		default: buf_byte(out, text.p[i]);
		}
	}
}

/* The text itself when nothing in it has to be escaped. */
static err_t escaped(struct arena *mem, str text, str *ret)
{
	struct buf b = { .cap = text.n * 6 };
	bool special = false;

	for (size_t i = 0; i < text.n; i++)
		special = special || str_has_byte(STR("&<>\"'"), text.p[i]);
	*ret = text;
	if (!special)
		return OK;
	NEW(b.p, mem, char, b.cap);
	html_escape(&b, text);
	*ret = buf_view(&b);
	return OK;
}

static err_t make_lang(struct ui *ui, str tag, const str *texts, struct ui_lang *ret)
{
	str *html;

	NEW(html, &ui->mem, str, n_embedded_keys + 1);
	for (size_t i = 0; i < n_embedded_keys; i++)
		TRY(escaped(&ui->mem, texts[i], &html[i]));
	*ret = (struct ui_lang){ tag, is_rtl(tag), texts, html };
	return OK;
}

static err_t add_lang(struct ui *ui, str tag, const str *texts)
{
	TRY(make_lang(ui, tag, texts, &ui->langs[ui->n_langs]));
	ui->n_langs++;
	return OK;
}

/* ---- files ---- */

static void warn(str tag, const char *what, str key)
{
	log_event(LOG_WARN, "ui_language", LOG_STR("lang", tag), LOG_CSTR("problem", what), LOG_STR("key", key));
}

static bool key_index(str key, size_t *ret)
{
	for (size_t i = 0; i < n_embedded_keys; i++) {
		if (str_eq(embedded_keys[i], key)) {
			*ret = i;
			return true;
		}
	}
	return false;
}

/* One member of the file over what stands there already. */
static err_t take_text(struct ui *ui, str tag, const char *name, const json_t *value, str texts[])
{
	str key = str_of_cstr(name), text;
	size_t i;

	if (!key_index(key, &i)) {
		warn(tag, "no such text", key);
		return OK;
	}
	text = json_is_string(value) ? (str){ json_string_value(value), json_string_length(value) } : STR_NONE;
	if (text.n == 0 || text.n > LANG_TEXT_MAX || !utf8_is_plain_text(text)) {
		warn(tag, "not a text of 1 to 600 bytes without control characters", key);
		return OK;
	}
	return arena_copy(&ui->mem, text, &texts[i]);
}

static err_t take_texts(struct ui *ui, str tag, json_t *tree)
{
	struct ui_lang *known = find_exact(ui, tag);
	const str *under = known != NULL ? known->texts : ui->langs[0].texts;
	const char *name;
	json_t *value;
	str *texts;

	NEW(texts, &ui->mem, str, n_embedded_keys + 1);
	for (size_t i = 0; i < n_embedded_keys; i++)
		texts[i] = under[i];
	json_object_foreach(tree, name, value)
		TRY(take_text(ui, tag, name, value, texts));
	return known != NULL ? make_lang(ui, known->tag, texts, known) : add_lang(ui, tag, texts);
}

/* Flat, so that no nesting has to be parsed. */
static bool is_flat(str text)
{
	size_t open = 0;

	for (size_t i = 0; i < text.n; i++)
		open += text.p[i] == '{' || text.p[i] == '[';
	return open < 512; /* '{' also stands in texts */
}

static err_t take_file(struct ui_load *l, int dir_fd, str file, str tag)
{
	json_t *tree = NULL;
	str text;
	err_t e = file_read(&l->ui->mem, dir_fd, file, true, LANG_FILE_MAX, &text);

	if (e.code == ERR_NO_MEMORY)
		return e;
	if (e.code == ERR_OK && utf8_is_valid(text) && is_flat(text))
		tree = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	e = OK;
	if (json_is_object(tree))
		e = take_texts(l->ui, tag, tree);
	else
		warn(tag, "not a plain file of at most 128 KiB with one JSON object", STR(""));
	json_decref(tree);
	return e;
}

static err_t take_entry(struct ui_load *l, int dir_fd, const char *entry)
{
	str file = str_of_cstr(entry), tag = file;

	if (!str_ends(file, STR(".json")))
		return OK;
	tag.n -= STR(".json").n;
	if (!tag_ok(tag) || l->ui->n_langs == UI_LANGS_MAX) {
		warn(tag, "not a language tag of 2 to 10 letters, or too many languages", STR(""));
		return OK;
	}
	TRY(arena_copy(&l->ui->mem, tag, &tag));
	return take_file(l, dir_fd, file, tag);
}

static err_t take_dir(struct ui_load *l, DIR *dir)
{
	const struct dirent *d;
	err_t e = OK;

	while (e.code == ERR_OK && (d = readdir(dir)) != NULL) // NOLINT(concurrency-mt-unsafe): our own stream
		e = take_entry(l, dirfd(dir), d->d_name);
	return e;
}

err_t langs_load(struct ui_load *l)
{
	char *path;
	DIR *dir;
	err_t e;

	for (size_t i = 0; i < N_EMBEDDED_LANGS; i++)
		TRY(add_lang(l->ui, embedded_langs[i].tag, embedded_langs[i].texts));
	TRY(str_to_cstr(&l->ui->mem, l->cfg->ui.lang_dir, &path));
	dir = opendir(path);
	if (dir == NULL && errno == ENOENT)
		return OK;
	if (dir == NULL) {
		(void)snprintf(l->why, l->why_max, "ui.lang_dir: %s cannot be read", path);
		FAIL(ERR_CONFIG);
	}
	e = take_dir(l, dir);
	(void)closedir(dir);
	return e;
}

/* ---- choosing ---- */

static const struct ui_lang *find(const struct ui *ui, str tag)
{
	const struct ui_lang *found = NULL;

	for (size_t i = 0; i < ui->n_langs; i++) {
		if (str_eq_nocase(ui->langs[i].tag, tag))
			return &ui->langs[i];
		if (found == NULL && str_eq_nocase(ui->langs[i].tag, lang_primary(tag)))
			found = &ui->langs[i];
	}
	return found;
}

/* The best of a list that there are pages in. */
static const struct ui_lang *best_of(const struct ui *ui, str list)
{
	struct lang_tag tags[LANG_TAGS_MAX];
	size_t n = lang_tags(list, tags);

	for (size_t i = 0; i < n; i++) {
		const struct ui_lang *found = find(ui, lang_tag_str(&tags[i]));

		if (found != NULL)
			return found;
	}
	return NULL;
}

const struct ui_lang *ui_lang_choose(const struct ui *ui, const struct config *cfg, str wanted, str accept)
{
	const str lists[] = { wanted, accept, cfg->mail.default_lang };

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const struct ui_lang *found = best_of(ui, lists[i]);

		if (found != NULL)
			return found;
	}
	return find(ui, STR("en"));
}
