/* config.c — loading: from the defaults, the file, the environment and the command line to a value for every row. */
#include "app/config.h"

#include <ini.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/config_internal.h"
#include "base/duration.h"
#include "base/json_out.h"
#include "base/utf8.h"

#define FILE_MAX_BYTES ((size_t)256 * 1024)
#define LINE_MAX_BYTES 4096
#define ARENA_BYTES    ((size_t)512 * 1024)
#define SHOWN_MAX      60 /* bytes of a bad value that are shown */

/* ---- the report ---- */

/* Where a value came from, for the end of a problem: " (in FILE line 12)". */
static void say_where(const struct loading *l, const struct setting *s, struct origin o, struct buf *out)
{
	switch (o.from) {
	case ORIGIN_FILE: buf_printf(out, " (in %s line %d)", l->file, o.line); break;
	case ORIGIN_ENVIRONMENT:
		buf_lit(out, " (in ");
		setting_env_name(s, out);
		buf_lit(out, ")");
		break;
	case ORIGIN_DATA: buf_lit(out, " (in SALLYPORT_DATA)"); break;
	case ORIGIN_COMMAND_LINE: buf_lit(out, " (on the command line)"); break;
	case ORIGIN_DEV: buf_lit(out, " (from --dev)"); break;
	case ORIGIN_DEFAULT: /* nobody gave it */
	case ORIGIN_UNSET: break;
	}
}

static void lines_add(struct config_lines *to, str line)
{
	size_t room = sizeof(to->text) - 1 - to->used;

	to->n++;
	if (line.n + 1 > room)
		return;
	memcpy(to->text + to->used, line.p, line.n);
	to->used += line.n;
	to->text[to->used++] = '\n';
	to->text[to->used] = '\0';
}

void config_line_add(struct config_lines *to, const char *fmt, ...)
{
	char room[2048];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room, sizeof(room), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	lines_add(to, utf8_cut((str){ room, (size_t)n < sizeof(room) ? (size_t)n : sizeof(room) - 1 },
			       sizeof(room) - 2));
}

/* A value as it may be shown: on one line, quoted, cut. */
static const char *shown(str value, char *room, size_t size)
{
	struct buf b = { .p = room, .cap = size - 1 };
	str start = utf8_cut(value, SHOWN_MAX);

	buf_byte(&b, '"');
	for (size_t i = 0; i < start.n;) { /* json_escape also hides '<' and '&', which is not wanted here */
		size_t n = 0;
		while (i + n < start.n && strchr("<>&", start.p[i + n]) == NULL)
			n++;
		json_escape(&b, (str){ start.p + i, n });
		i += n;
		if (i < start.n && start.p[i] != '\0')
			buf_byte(&b, start.p[i++]);
		else if (i < start.n)
			json_escape(&b, (str){ start.p + i++, 1 });
	}
	buf_lit(&b, "\"");
	if (start.n < value.n)
		buf_lit(&b, "…");
	room[b.n] = '\0';
	return room;
}

size_t setting_index(const struct loading *l, const struct setting *s)
{
	const struct loaded_config *c = l->out;

	if (c->n_more > 0 && s >= c->more && s < c->more + c->n_more)
		return n_settings + (size_t)(s - c->more);
	return (size_t)(s - settings);
}

void problem_at(struct loading *l, const struct setting *s, const char *fmt, ...)
{
	char text[1024], where[512];
	struct buf b = { .p = where, .cap = sizeof(where) - 1 };
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say_where(l, s, l->out->origin[setting_index(l, s)], &b);
	where[b.n] = '\0';
	PROBLEM(l, "%s: %s%s", s->key, text, where);
	l->bad[setting_index(l, s)] = true;
}

void problem_not_allowed(struct loading *l, const struct setting *s, str value)
{
	char allowed[512], room[6 * SHOWN_MAX + 16];
	struct buf b = { .p = allowed, .cap = sizeof(allowed) - 1 };

	setting_allowed(s, &b);
	allowed[b.n] = '\0';
	problem_at(l, s, "%s is not %s", s->hush ? "the value" : shown(value, room, sizeof(room)),
		   allowed);
}

static void give(struct loading *l, const struct setting *s, str value, struct origin o)
{
	l->value[setting_index(l, s)] = value;
	l->out->origin[setting_index(l, s)] = o;
}

/* ---- sections [oauth.NAME] ---- */

static bool provider_name_fits(str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '-')
			return false;
	}
	/* these are ways to sign in of our own */
	return name.n > 0 && name.n <= 32 && !str_eq(name, STR("email")) && !str_eq(name, STR("local"));
}

static const struct setting *provider_key(str key)
{
	for (size_t i = 0; i < n_provider_settings; i++) {
		if (str_eq(key, str_of_cstr(provider_settings_table[i].key)))
			return &provider_settings_table[i];
	}
	return NULL;
}

/* A row of the section becomes a row of the configuration: with its whole key, at its place. */
static err_t add_row(struct loading *l, str name, size_t nth, const struct setting *of)
{
	struct setting *row = &l->out->more[l->out->n_more];
	str key;

	TRY(arena_printf(&l->out->mem, &key, "oauth.%.*s.%s", STR_ARG(name), of->key));
	*row = *of;
	row->key = key.p;
	row->offset += offsetof(struct config, oauth.provider) + nth * sizeof(struct oauth_settings);
	l->out->n_more++;
	give(l, row, str_of_cstr(row->def), (struct origin){ ORIGIN_DEFAULT, 0 });
	return OK;
}

static err_t add_provider(struct loading *l, str name)
{
	struct config *cfg = &l->out->cfg;
	size_t nth = cfg->oauth.n;

	REQUIRE(nth < OAUTH_PROVIDERS_MAX, ERR_CONFIG);
	if (l->out->more == NULL)
		NEW(l->out->more, &l->out->mem, struct setting, (size_t)OAUTH_PROVIDERS_MAX * PROVIDER_KEYS_MAX);
	TRY(arena_copy(&l->out->mem, name, &cfg->oauth.provider[nth].name));
	cfg->oauth.n++;
	for (size_t i = 0; i < n_provider_settings; i++)
		TRY(add_row(l, name, nth, &provider_settings_table[i]));
	return OK;
}

/* ---- which setting is meant ---- */

static const struct setting *setting_in(const struct loading *l, str key)
{
	for (size_t i = 0; i < rows_n(l->out); i++) {
		if (str_eq(key, str_of_cstr(row_at(l->out, i)->key)))
			return row_at(l->out, i);
	}
	return NULL;
}

/* "oauth.NAME.KEY" makes the provider when it is its first. NULL: there is no such setting. */
static const struct setting *setting_find(struct loading *l, str key)
{
	const struct setting *s = setting_in(l, key);
	str rest, name, tail;

	if (s != NULL || !str_starts(key, STR("oauth.")))
		return s;
	rest = str_skip(key, STR("oauth.").n);
	if (!str_cut(rest, '.', &name, &tail) || provider_key(tail) == NULL || !provider_name_fits(name) ||
	    add_provider(l, name).code != ERR_OK)
		return NULL;
	return setting_in(l, key);
}

const struct setting *setting_get(const char *key)
{
	for (size_t i = 0; i < n_settings; i++) {
		if (str_eq(str_of_cstr(key), str_of_cstr(settings[i].key)))
			return &settings[i];
	}
	abort();
}

/* The name by which a source would call the setting. */
static str name_in(const struct setting *s, bool environment, struct buf *room)
{
	room->n = 0;
	if (environment)
		setting_env_name(s, room);
	else
		buf_str(room, str_of_cstr(s->key));
	return buf_view(room);
}

static const struct setting *nearest(str name, bool environment)
{
	size_t best = SIZE_MAX;
	const struct setting *found = NULL;
	char text[128];
	struct buf room = BUF_OF(text);

	for (size_t i = 0; i < n_settings; i++) {
		str other = name_in(&settings[i], environment, &room), section, tail;
		size_t d = str_distance(name, other);
		/* a key without its section is nearest to the same key in one */
		if (!environment && str_cut(other, '.', &section, &tail) && !str_has_byte(name, '.'))
			d = str_distance(name, tail) < d ? str_distance(name, tail) : d;
		if (d < best) {
			best = d;
			found = &settings[i];
		}
	}
	return found;
}

static void problem_unknown(struct loading *l, str name, bool environment, int line)
{
	char room[6 * SHOWN_MAX + 16], other[128], where[512] = "";
	struct buf b = { .p = other, .cap = sizeof(other) - 1 };

	(void)name_in(nearest(name, environment), environment, &b);
	other[b.n] = '\0';
	if (line > 0)
		(void)snprintf(where, sizeof(where), " (in %s line %d)", l->file, line);
	else if (environment)
		(void)snprintf(where, sizeof(where), " (in the environment)");
	PROBLEM(l, "%s: there is no such setting; the nearest is %s%s",
		shown(name, room, sizeof(room)), other, where);
}

/* ---- the file ---- */

/* inih calls back for each line it wants and for each value it found. */
struct ini_input {
	struct loading *l;
	str rest;
	int line;
	bool out_of_memory;
};

static bool line_is_fit(struct ini_input *in, str line, size_t max)
{
	struct loading *l = in->l;
	str text = str_trim(line);

	if (line.n + 2 > max) /* the newline and the NUL */
		PROBLEM(l, "%s line %d: is longer than %zu bytes", l->file, in->line, max - 2);
	else if (str_has_byte(line, '\0') || !utf8_is_valid(line))
		PROBLEM(l, "%s line %d: is not UTF-8 text", l->file, in->line);
	else if (str_starts(text, STR("[")) && !str_ends(text, STR("]")))
		PROBLEM(l, "%s line %d: a section is [name] alone on its line", l->file, in->line);
	else
		return true;
	return false;
}

static char *next_line(char *to, int size, void *input)
{
	struct ini_input *in = input;
	size_t max = size < 0 ? 0 : (size_t)size;
	str line, rest;

	if (in->rest.n == 0 || max < 2) {
		explicit_bzero(to, max); /* it may have held a secret */
		return NULL;
	}
	(void)str_cut(in->rest, '\n', &line, &rest);
	in->rest = rest;
	in->line++;
	if (str_ends(line, STR("\r")))
		line.n--;
	if (!line_is_fit(in, line, max))
		line.n = 0;
	if (line.n > 0)
		memcpy(to, line.p, line.n);
	to[line.n] = '\n';
	to[line.n + 1] = '\0';
	return to;
}

static void take_line(struct ini_input *in, const struct setting *s, const char *value)
{
	struct loading *l = in->l;
	struct origin *before = &l->out->origin[setting_index(l, s)];
	str copy;

	if (before->from == ORIGIN_FILE) {
		PROBLEM(l, "%s: is given twice (in %s lines %d and %d)", s->key, l->file, before->line,
			in->line);
		return;
	}
	if (arena_copy(&l->out->mem, str_of_cstr(value), &copy).code != ERR_OK)
		in->out_of_memory = true;
	else
		give(l, s, copy, (struct origin){ ORIGIN_FILE, in->line });
}

static int take_value(void *input, const char *section, const char *name, const char *value)
{
	struct ini_input *in = input;
	const struct setting *s;
	char key[256];
	int n;

	n = snprintf(key, sizeof(key), "%s%s%s", section, section[0] == '\0' ? "" : ".", name);
	if (n < 0 || (size_t)n >= sizeof(key))
		n = (int)sizeof(key) - 1;
	s = setting_find(in->l, (str){ key, (size_t)n });
	if (value == NULL)
		PROBLEM(in->l, "%s line %d: is neither [section] nor key = value", in->l->file, in->line);
	else if (s == NULL)
		problem_unknown(in->l, (str){ key, (size_t)n }, false, in->line);
	else
		take_line(in, s, value);
	return 1;
}

static err_t parse_ini(struct loading *l, str text)
{
	struct ini_input in = { .l = l, .rest = text };

	ini_use_stack = false;
	ini_initial_alloc = ini_max_line = LINE_MAX_BYTES;
	ini_allow_realloc = false;
	ini_allow_multiline = false;       /* a continued line would silently replace the value */
	ini_allow_inline_comments = false; /* every byte of a value counts */
	ini_allow_no_value = true;         /* seen here and refused with its line */
	ini_stop_on_first_error = false;
	REQUIRE(ini_parse_stream(next_line, &in, take_value, &in) == 0 && !in.out_of_memory,
		ERR_NO_MEMORY);
	return OK;
}

static err_t load_file(struct loading *l)
{
	char *text = malloc(FILE_MAX_BYTES);
	const char *why;
	struct stat st = { 0 };
	err_t e = OK;
	size_t n;

	REQUIRE(text != NULL, ERR_NO_MEMORY);
	why = config_read_file(l->file, text, FILE_MAX_BYTES, &n, &st);
	l->file_is_private = config_mode_is_private(&st);
	if (why != NULL)
		PROBLEM(l, "%s: cannot be read: %s", l->file, why);
	else
		e = parse_ini(l, (str){ text, n });
	explicit_bzero(text, n);
	free(text);
	return e;
}

/* ---- the environment and the command line ---- */

/* A provider that only the environment knows. Of the keys whose name ends the variable's the longest is meant:
 * TOKEN_URL is no URL of TOKEN. */
static const struct setting *provider_variable(struct loading *l, str variable)
{
	char text[160];
	struct buf b = BUF_OF(text);
	const struct setting *best = NULL;
	str rest, name = STR_NONE;

	if (!str_starts(variable, STR("SALLYPORT_OAUTH_")))
		return NULL;
	rest = str_skip(variable, STR("SALLYPORT_OAUTH_").n);
	for (size_t i = 0; i < n_provider_settings; i++) {
		str key = str_of_cstr(provider_settings_table[i].key);

		if (rest.n > key.n + 1 && str_eq_nocase(str_skip(rest, rest.n - key.n), key) &&
		    rest.p[rest.n - key.n - 1] == '_' && (best == NULL || key.n > str_of_cstr(best->key).n)) {
			best = &provider_settings_table[i];
			name = (str){ rest.p, rest.n - key.n - 1 };
		}
	}
	if (best == NULL)
		return NULL;
	buf_lit(&b, "oauth.");
	for (size_t i = 0; i < name.n; i++)
		buf_byte(&b, (char)(name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] + ('a' - 'A') : name.p[i]));
	buf_printf(&b, ".%s", best->key);
	return b.overflow ? NULL : setting_find(l, buf_view(&b));
}

static void load_variable(struct loading *l, str name, str value)
{
	const struct setting *s;
	char text[160];
	struct buf room = BUF_OF(text);

	if (str_eq(name, STR("SALLYPORT_CONFIG")))
		return; /* see config_file */
	if (str_eq(name, STR("SALLYPORT_DATA"))) {
		s = setting_get("server.data_dir");
		if (l->out->origin[setting_index(l, s)].from == ORIGIN_ENVIRONMENT)
			PROBLEM(l, "SALLYPORT_DATA: is the same as SALLYPORT_SERVER_DATA_DIR; set one of "
				   "them");
		give(l, s, value, (struct origin){ ORIGIN_DATA, 0 });
		return;
	}
	for (size_t i = 0; i < rows_n(l->out); i++) {
		if (!str_eq(name, name_in(row_at(l->out, i), true, &room)))
			continue;
		if (l->out->origin[i].from == ORIGIN_DATA)
			PROBLEM(l, "SALLYPORT_DATA: is the same as SALLYPORT_SERVER_DATA_DIR; set one of "
				   "them");
		give(l, row_at(l->out, i), value, (struct origin){ ORIGIN_ENVIRONMENT, 0 });
		return;
	}
	s = provider_variable(l, name);
	if (s == NULL)
		problem_unknown(l, name, true, 0);
	else
		give(l, s, value, (struct origin){ ORIGIN_ENVIRONMENT, 0 });
}

/* What container platforms add for a service called "sallyport": no setting, and not the operator's doing. There is no
 * section [port] or [service] that it could hide. */
static bool is_of_platform(str name)
{
	return str_eq(name, STR("SALLYPORT_PORT")) || str_starts(name, STR("SALLYPORT_PORT_")) ||
	       str_starts(name, STR("SALLYPORT_SERVICE_"));
}

static void load_environment(struct loading *l)
{
	for (char *const *at = l->source->environ; at != NULL && *at != NULL; at++) {
		str name, value;
		if (str_cut(str_of_cstr(*at), '=', &name, &value) && str_starts(name, STR("SALLYPORT_")) &&
		    !str_starts(name, STR("SALLYPORT_CLIENT_")) && /* what `sallyport login` reads */
		    !is_of_platform(name))
			load_variable(l, name, value);
	}
}

static void load_command_line(struct loading *l)
{
	for (size_t i = 0; i < l->source->n_overrides; i++) {
		str key = str_of_cstr(l->source->overrides[i].key);
		const struct setting *s = setting_find(l, key);
		if (s == NULL)
			problem_unknown(l, key, false, 0);
		else
			give(l, s, str_of_cstr(l->source->overrides[i].value),
			     (struct origin){ ORIGIN_COMMAND_LINE, 0 });
	}
}

static void load_defaults(struct loading *l)
{
	for (size_t i = 0; i < n_settings; i++) {
		bool dev = l->source->dev && settings[i].dev != NULL;
		give(l, &settings[i], str_of_cstr(dev ? settings[i].dev : settings[i].def),
		     (struct origin){ dev ? ORIGIN_DEV : ORIGIN_DEFAULT, 0 });
	}
}

/* The file that is to be read: --config, or SALLYPORT_CONFIG unless empty, or none. */
static const char *config_file(const struct config_source *source)
{
	const str name = STR("SALLYPORT_CONFIG=");

	if (source->file != NULL)
		return source->file;
	for (char *const *at = source->environ; at != NULL && *at != NULL; at++) {
		if (str_starts(str_of_cstr(*at), name) && (*at)[name.n] != '\0')
			return *at + name.n;
	}
	return NULL;
}

/* ---- one value ---- */

static err_t set_text(struct loading *l, const struct setting *s, str value, str *to)
{
	if (!s->check(value))
		problem_not_allowed(l, s, value);
	return arena_copy(&l->out->mem, value, to);
}

static err_t set_list(struct loading *l, const struct setting *s, str value, struct str_list *to)
{
	str rest = value, item, *items;
	size_t n_max = 1, n = 0;

	for (size_t i = 0; i < value.n; i++)
		n_max += value.p[i] == ',';
	NEW(items, &l->out->mem, str, n_max);
	while (rest.n > 0) {
		(void)str_cut(rest, ',', &item, &rest);
		item = str_trim(item);
		if (item.n == 0)
			continue;
		if (!s->check(item))
			problem_not_allowed(l, s, item);
		TRY(arena_copy(&l->out->mem, item, &items[n++]));
	}
	*to = (struct str_list){ items, n };
	return OK;
}

/* The place of the value in the row's words, from 1; 0 for none. */
static unsigned word_number(const struct setting *s, str value)
{
	for (unsigned i = 0; s->words[i] != NULL; i++) {
		if (str_eq(value, str_of_cstr(s->words[i])))
			return i + 1;
	}
	return 0;
}

static bool number_parse(const struct setting *s, str value, int64_t *ret)
{
	uint64_t u;

	if (s->kind == SETTING_DURATION)
		return duration_parse(value, ret);
	if (s->kind == SETTING_SIZE)
		return size_parse(value, ret);
	if (!str_to_u64(value, INT64_MAX, &u))
		return false;
	*ret = (int64_t)u;
	return true;
}

static void set_number(struct loading *l, const struct setting *s, str value, int64_t *to)
{
	int64_t v = 0;

	if (!number_parse(s, value, &v) || v < s->min || v > s->max)
		problem_not_allowed(l, s, value);
	else
		*to = v;
}

static void set_word(struct loading *l, const struct setting *s, str value, void *to)
{
	unsigned number = word_number(s, value);

	if (number == 0)
		problem_not_allowed(l, s, value);
	else if (s->kind == SETTING_ENUM)
		*(unsigned *)to = number;
	else
		*(str *)to = str_of_cstr(s->words[number - 1]);
}

static void set_bool(struct loading *l, const struct setting *s, str value, bool *to)
{
	*to = str_eq(value, STR("true"));
	if (!*to && !str_eq(value, STR("false")))
		problem_not_allowed(l, s, value);
}

static err_t set_value(struct loading *l, const struct setting *s)
{
	str value = str_trim(l->value[setting_index(l, s)]);
	void *to = setting_member(s, &l->out->cfg);

	if (value.n > SETTING_TEXT_MAX) {
		problem_at(l, s, "is longer than %zu bytes", SETTING_TEXT_MAX);
		return OK;
	}
	if (!utf8_is_plain_text(value)) {
		problem_at(l, s, "is not plain UTF-8 text");
		return OK;
	}
	switch (s->kind) {
	case SETTING_TEXT: return set_text(l, s, value, to);
	case SETTING_LIST: return set_list(l, s, value, to);
	case SETTING_WORD:
	case SETTING_ENUM: set_word(l, s, value, to); break;
	case SETTING_BOOL: set_bool(l, s, value, to); break;
	case SETTING_INT:
	case SETTING_SIZE:
	case SETTING_DURATION: set_number(l, s, value, to); break;
	case SETTING_SECRET:
	case SETTING_PASSWORD:
	case SETTING_PEM: return config_set_secret(l, s, value, to);
	case SETTING_UNSET: FAIL(ERR_BUG);
	}
	return OK;
}

/* ---- loading ---- */

static err_t load_all(struct loading *l)
{
	l->out->cfg.dev = l->source->dev;
	load_defaults(l);
	l->file = config_file(l->source);
	if (l->file != NULL) {
		TRY(arena_copy(&l->out->mem, str_of_cstr(l->file), &l->out->file));
		TRY(load_file(l));
	}
	load_environment(l);
	load_command_line(l);
	for (size_t i = 0; i < rows_n(l->out); i++)
		TRY(set_value(l, row_at(l->out, i)));
	return config_finish(l);
}

err_t config_load(const struct config_source *source, struct config **ret, struct config_report *report)
{
	struct loading l = { .source = source, .report = report };
	err_t e;

	l.out = calloc(1, sizeof(*l.out));
	REQUIRE(l.out != NULL, ERR_NO_MEMORY);
	e = arena_init(&l.out->mem, ARENA_BYTES);
	if (e.code == ERR_OK)
		e = load_all(&l);
	if (e.code != ERR_OK)
		PROBLEM(&l, "the settings do not fit into memory");
	if (e.code == ERR_OK && report->problems.n > 0)
		e = err_raise(ERR_CONFIG, __FILE__, __LINE__);
	if (e.code != ERR_OK) {
		config_free(&l.out->cfg);
		return e;
	}
	*ret = &l.out->cfg;
	return OK;
}

void config_free(struct config *cfg)
{
	struct loaded_config *l = (struct loaded_config *)cfg;

	if (l == NULL)
		return;
	arena_clear(&l->mem);
	free(l);
}
