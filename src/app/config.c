#include "app/config.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/config_grammar.h"
#include "app/config_table.h"
#include "base/base64url.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/json_out.h"
#include "base/utf8.h"
#include "oauth/provider.h"
#include "oauth/redirect.h"

#define FILE_MAX_BYTES   ((size_t)256 * 1024)
#define LINE_MAX_BYTES   4096
#define ARENA_BYTES      ((size_t)512 * 1024)
#define SECRET_FILE_MAX  ((size_t)4096)
#define SECRET_MIN_BYTES 32
#define SHOWN_MAX        60 /* bytes of a bad value that are shown */
#define ACCESS_TTL_WARN_MS (15 * MS_PER_MIN)

/* What config_load knows while it works. */
struct loading {
	struct loaded_config *out;
	const struct config_source *source;
	struct config_report *report;
	const char *file;
	bool file_is_private;    /* neither group nor others may read it */
	str value[ROWS_MAX];     /* as given, of the strongest source so far */
	bool bad[ROWS_MAX];      /* a problem was reported */
};

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

__attribute__((format(printf, 2, 3))) static void add_line(struct config_lines *to, const char *fmt, ...)
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

#define PROBLEM(l, ...) add_line(&(l)->report->problems, __VA_ARGS__)
#define WARNING(l, ...) add_line(&(l)->report->warnings, __VA_ARGS__)

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

static size_t index_of(const struct loading *l, const struct setting *s)
{
	const struct loaded_config *c = l->out;

	if (c->n_more > 0 && s >= c->more && s < c->more + c->n_more)
		return n_settings + (size_t)(s - c->more);
	return (size_t)(s - settings);
}

/* KEY: text (where). Marks the setting as bad. */
__attribute__((format(printf, 3, 4))) static void problem_at(struct loading *l, const struct setting *s,
							      const char *fmt, ...)
{
	char text[1024], where[512];
	struct buf b = { .p = where, .cap = sizeof(where) - 1 };
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say_where(l, s, l->out->origin[index_of(l, s)], &b);
	where[b.n] = '\0';
	PROBLEM(l, "%s: %s%s", s->key, text, where);
	l->bad[index_of(l, s)] = true;
}

static void problem_not_allowed(struct loading *l, const struct setting *s, str value)
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
	l->value[index_of(l, s)] = value;
	l->out->origin[index_of(l, s)] = o;
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

static const struct setting *setting_get(const char *key)
{
	for (size_t i = 0; i < n_settings; i++) {
		if (str_eq(str_of_cstr(key), str_of_cstr(settings[i].key)))
			return &settings[i];
	}
	abort(); /* a key misspelt in this file */
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many letters must be changed, added or removed to turn one into the other. */
#define DISTANCE_MAX ((size_t)64)
static size_t edit_distance(str a, str b)
{
	size_t row[DISTANCE_MAX + 1];

	if (a.n > DISTANCE_MAX)
		a.n = DISTANCE_MAX;
	if (b.n > DISTANCE_MAX)
		b.n = DISTANCE_MAX;
	for (size_t j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		size_t diagonal = row[0]; /* the row above, one column to the left */
		row[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			size_t changed = diagonal + (a.p[i - 1] != b.p[j - 1]);
			diagonal = row[j];
			row[j] = least(changed, least(row[j], row[j - 1]) + 1);
		}
	}
	return row[b.n];
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
		size_t d = edit_distance(name, other);
		/* a key without its section is nearest to the same key in one */
		if (!environment && str_cut(other, '.', &section, &tail) && !str_has_byte(name, '.'))
			d = least(d, edit_distance(name, tail));
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
	struct origin *before = &l->out->origin[index_of(l, s)];
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

/* Read at most `max` bytes of a regular file. Returns the reason when it cannot be, else NULL. */
static const char *read_file(const char *path, char *to, size_t max, size_t *ret_n, mode_t *ret_mode)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	const char *why = NULL;
	struct stat st;
	ssize_t got = 1;

	*ret_n = 0;
	if (fd < 0)
		return strerrordesc_np(errno);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		why = "it is not a regular file";
	else
		*ret_mode = st.st_mode;
	while (why == NULL && got > 0) {
		if (*ret_n == max) {
			why = "it is too large";
			break;
		}
		got = read(fd, to + *ret_n, max - *ret_n);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got < 0)
			why = strerrordesc_np(errno);
		else
			*ret_n += (size_t)got;
	}
	(void)close(fd);
	return why;
}

static err_t load_file(struct loading *l)
{
	char *text = malloc(FILE_MAX_BYTES);
	const char *why;
	mode_t mode = 0;
	err_t e = OK;
	size_t n;

	REQUIRE(text != NULL, ERR_NO_MEMORY);
	why = read_file(l->file, text, FILE_MAX_BYTES, &n, &mode);
	l->file_is_private = (mode & (S_IRWXG | S_IRWXO)) == 0;
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
		if (l->out->origin[index_of(l, s)].from == ORIGIN_ENVIRONMENT)
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

static void load_environment(struct loading *l)
{
	for (char *const *at = l->source->environ; at != NULL && *at != NULL; at++) {
		str name, value;
		if (str_cut(str_of_cstr(*at), '=', &name, &value) && str_starts(name, STR("SALLYPORT_")))
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

/* ---- secrets ---- */

/* A value that could be guessed: text from an example, or bytes that follow from each other. */
static bool secret_is_weak(struct secret s)
{
	static const char *const words[] = { "changeme", "change-me", "change_me", "example", "password",
					     "sallyport" };
	bool seen[256] = { false };
	size_t distinct = 0;

	for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++) {
		str word = str_of_cstr(words[w]);
		for (size_t i = 0; i + word.n <= s.n; i++) {
			if (str_eq_nocase((str){ secret_str(s).p + i, word.n }, word))
				return true;
		}
	}
	/* one repeated byte, or a count up or down: all steps alike */
	for (size_t i = 2; i < s.n; i++) {
		if ((uint8_t)(s.p[i] - s.p[i - 1]) != (uint8_t)(s.p[1] - s.p[0]))
			break;
		if (i == s.n - 1)
			return true;
	}
	/* a pattern repeated */
	for (size_t period = 1; period <= s.n / 2; period++) {
		if (memcmp(s.p, s.p + period, s.n - period) == 0)
			return true;
	}
	for (size_t i = 0; i < s.n; i++) {
		distinct += !seen[s.p[i]];
		seen[s.p[i]] = true;
	}
	explicit_bzero(seen, sizeof(seen));
	return distinct < 8; /* 32 random bytes have fewer once in 10^30 */
}

/* base64url of enough bytes, or else the bytes as they stand. */
static err_t decode_secret(struct arena *mem, str text, struct secret *ret)
{
	uint8_t *p;
	size_t n;

	NEW(p, mem, uint8_t, text.n + 1);
	if (base64url_decode(text, p, text.n, &n) && n >= SECRET_MIN_BYTES) {
		*ret = (struct secret){ p, n };
		return OK;
	}
	memcpy(p, text.p, text.n);
	*ret = (struct secret){ p, text.n };
	return OK;
}

/* A newline at the end of a text file is not part of the secret; at the end of random bytes it is. */
static str without_newline(str text)
{
	str line = text;

	if (str_ends(line, STR("\n")))
		line.n--;
	if (str_ends(line, STR("\r")))
		line.n--;
	return utf8_is_plain_text(line) ? line : text;
}

static err_t secret_from_file(struct loading *l, const struct setting *s, str path, str *ret)
{
	char room[SECRET_FILE_MAX];
	const char *why;
	mode_t mode = 0;
	char *name;
	size_t n;
	err_t e = OK;

	TRY(str_to_cstr(&l->out->mem, path, &name));
	why = read_file(name, room, sizeof(room), &n, &mode);
	if (why != NULL)
		problem_at(l, s, "the file %s cannot be read: %s", name, why);
	else if ((mode & (S_IRWXG | S_IRWXO)) != 0)
		problem_at(l, s, "the file %s may be used by group or others (mode %04o); allow the owner "
				 "only: chmod 600",
			   name, (unsigned)mode & 07777);
	else
		e = arena_copy(&l->out->mem, without_newline((str){ room, n }), ret);
	explicit_bzero(room, sizeof(room));
	return e;
}

/* A secret that stands in the settings themselves. */
static void check_inline_secret(struct loading *l, const struct setting *s, str value)
{
	struct origin o = l->out->origin[index_of(l, s)];

	if (str_eq(value, STR("***"))) {
		problem_at(l, s, "*** stands for a secret that was not printed; give the secret itself");
		return;
	}
	if (o.from == ORIGIN_FILE && !l->file_is_private)
		problem_at(l, s, "stands in a file that group or others may use; allow the owner only "
				 "(chmod 600), or use file:/path");
	if (o.from == ORIGIN_ENVIRONMENT)
		WARNING(l, "%s: is given in the environment, where it is easily seen; file:/path is safer",
			s->key);
}

static err_t take_secret(struct loading *l, const struct setting *s, str text, struct secret *to)
{
	struct secret got;

	TRY(decode_secret(&l->out->mem, text, &got));
	if (got.n < SECRET_MIN_BYTES)
		problem_at(l, s, "has %zu bytes; at least %d random bytes are needed", got.n,
			   SECRET_MIN_BYTES);
	else if (secret_is_weak(got))
		problem_at(l, s, "can be guessed (it repeats, counts, or comes from an example); at least "
				 "%d random bytes are needed",
			   SECRET_MIN_BYTES);
	*to = got;
	return OK;
}

/* Another service has chosen it, so nothing is asked of its strength. */
static err_t take_password(struct loading *l, const struct setting *s, str text, struct secret *to)
{
	uint8_t *p;

	if (text.n == 0 || text.n > SETTING_TEXT_MAX || !utf8_is_plain_text(text)) {
		problem_at(l, s, "the file must hold one line of plain UTF-8 text, 1 to %zu bytes",
			   SETTING_TEXT_MAX);
		return OK;
	}
	NEW(p, &l->out->mem, uint8_t, text.n);
	memcpy(p, text.p, text.n);
	*to = (struct secret){ p, text.n };
	return OK;
}

static err_t take_pem(struct loading *l, const struct setting *s, str text, struct secret *to)
{
	uint8_t *p;

	if (!str_starts(text, STR("-----BEGIN PRIVATE KEY-----"))) {
		problem_at(l, s, "the file holds no private key in PEM");
		return OK;
	}
	NEW(p, &l->out->mem, uint8_t, text.n);
	memcpy(p, text.p, text.n);
	*to = (struct secret){ p, text.n };
	return OK;
}

static err_t set_secret(struct loading *l, const struct setting *s, str value, struct secret *to)
{
	str text = value;

	if (value.n == 0)
		return OK;
	if (s->kind == SETTING_PEM && !str_starts(value, STR("file:/"))) {
		problem_not_allowed(l, s, STR("the value"));
		return OK;
	}
	if (str_starts(value, STR("file:/")))
		TRY(secret_from_file(l, s, str_skip(value, STR("file:").n), &text));
	else if (str_starts(value, STR("file:")))
		problem_at(l, s, "after file: an absolute path must follow");
	else
		check_inline_secret(l, s, value);
	if (l->bad[index_of(l, s)])
		return OK;
	if (s->kind == SETTING_PASSWORD)
		return take_password(l, s, text, to);
	if (s->kind == SETTING_PEM)
		return take_pem(l, s, text, to);
	return take_secret(l, s, text, to);
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
	str value = str_trim(l->value[index_of(l, s)]);
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
	case SETTING_PEM: return set_secret(l, s, value, to);
	case SETTING_UNSET: FAIL(ERR_BUG);
	}
	return OK;
}

/* ---- what follows from several values ---- */

static bool good(const struct loading *l, const char *key)
{
	return !l->bad[index_of(l, setting_get(key))];
}

/* {data_dir} in store.url, which the check lets stand once; no slash at the end of the directory. */
static err_t finish_store(struct loading *l, struct config *cfg)
{
	str head, tail;

	while (cfg->server.data_dir.n > 1 && str_ends(cfg->server.data_dir, STR("/")))
		cfg->server.data_dir.n--;
	if (!good(l, "store.url") || !str_cut(cfg->store.url, '{', &head, &tail))
		return OK;
	TRY(arena_printf(&l->out->mem, &cfg->store.url, "%.*s%.*s%.*s", STR_ARG(head),
			 STR_ARG(cfg->server.data_dir), STR_ARG(str_skip(tail, STR("data_dir}").n))));
	if (cfg->store.url.n > SETTING_TEXT_MAX)
		problem_at(l, setting_get("store.url"), "is longer than %zu bytes with server.data_dir in it",
			   SETTING_TEXT_MAX);
	return OK;
}

static err_t finish_public_url(struct loading *l, struct config *cfg)
{
	if (cfg->server.public_url.n > 0 || !good(l, "server.public_url") || !good(l, "server.listen"))
		return OK;
	if (!listen_is_tcp(cfg->server.listen)) {
		problem_at(l, setting_get("server.public_url"),
			   "must be given, because server.listen (%.*s) has no name that clients could use",
			   STR_ARG(cfg->server.listen));
		return OK;
	}
	return arena_printf(&l->out->mem, &cfg->server.public_url, "http%s://%.*s",
			    cfg->server.tls_cert.n > 0 ? "s" : "", STR_ARG(cfg->server.listen));
}

/* A lone address becomes the network of that one address, so that readers know one form. */
static err_t finish_proxies(struct loading *l, struct config *cfg)
{
	struct str_list *list = &cfg->server.trusted_proxies;
	str *items;

	NEW(items, &l->out->mem, str, list->n);
	for (size_t i = 0; i < list->n; i++) {
		items[i] = list->items[i];
		if (!str_eq(items[i], STR("unix")) && !str_has_byte(items[i], '/'))
			TRY(arena_printf(&l->out->mem, &items[i], "%.*s/%s", STR_ARG(list->items[i]),
					 str_has_byte(items[i], ':') ? "128" : "32"));
	}
	list->items = items;
	return OK;
}

static err_t finish_site(struct loading *l, struct config *cfg)
{
	str *items;

	if (cfg->site.urls.n > 0 || cfg->server.public_url.n == 0)
		return OK;
	NEW(items, &l->out->mem, str, 1);
	items[0] = cfg->server.public_url;
	cfg->site.urls = (struct str_list){ items, 1 };
	return OK;
}

static err_t finish_lang_dir(struct loading *l, struct config *cfg)
{
	return cfg->ui.lang_dir.n > 0 ? OK : arena_printf(&l->out->mem, &cfg->ui.lang_dir, "%.*s/lang",
							  STR_ARG(cfg->server.data_dir));
}

static err_t finish_mail_dir(struct loading *l, struct config *cfg)
{
	if (cfg->mail.dir.n == 0)
		TRY(arena_printf(&l->out->mem, &cfg->mail.dir, "%.*s/mail",
				 STR_ARG(cfg->server.data_dir)));
	if (cfg->mail.dir.n > SETTING_TEXT_MAX)
		problem_at(l, setting_get("mail.dir"), "is longer than %zu bytes with server.data_dir in it",
			   SETTING_TEXT_MAX);
	return OK;
}

static void check_tls(struct loading *l, const struct config *cfg)
{
	if ((cfg->server.tls_cert.n == 0) == (cfg->server.tls_key.n == 0))
		return;
	if (cfg->server.tls_cert.n == 0)
		problem_at(l, setting_get("server.tls_cert"), "must be given, because server.tls_key is");
	else
		problem_at(l, setting_get("server.tls_key"), "must be given, because server.tls_cert is");
}

static bool is_open(const struct loading *l, const char *key, str address)
{
	return good(l, key) && listen_reach(address) == REACH_ANY;
}

/* Can other machines connect? */
static bool is_exposed(const struct loading *l, const struct config *cfg)
{
	return is_open(l, "server.listen", cfg->server.listen) ||
	       is_open(l, "server.ops_listen", cfg->server.ops_listen);
}

static void check_listeners(struct loading *l, const struct config *cfg)
{
	const struct setting *listen = setting_get("server.listen");
	const struct setting *ops = setting_get("server.ops_listen");
	bool listen_open = is_open(l, "server.listen", cfg->server.listen);
	bool ops_open = is_open(l, "server.ops_listen", cfg->server.ops_listen);

	if (cfg->dev && listen_open)
		problem_at(l, listen, "%.*s is not on this machine only, as --dev demands: use 127.0.0.1, "
				      "[::1], localhost or unix:/path",
			   STR_ARG(cfg->server.listen));
	if (cfg->dev && ops_open)
		problem_at(l, ops, "%.*s is not on this machine only, as --dev demands: use same, none, "
				   "127.0.0.1, [::1], localhost or unix:/path",
			   STR_ARG(cfg->server.ops_listen));
	if (good(l, "limits.enabled") && !cfg->limits.enabled && (listen_open || ops_open))
		problem_at(l, setting_get("limits.enabled"),
			   "false is allowed only when every listener is on loopback or a Unix socket "
			   "(%s is %.*s)",
			   listen_open ? listen->key : ops->key,
			   STR_ARG(listen_open ? cfg->server.listen : cfg->server.ops_listen));
	if (good(l, "server.listen") && str_eq(cfg->server.listen, cfg->server.ops_listen))
		problem_at(l, ops, "is the address of server.listen; write same for one listener");
}

/* `low` must not be above `high`. */
static void check_order(struct loading *l, const char *low_key, int64_t low, const char *high_key,
			int64_t high)
{
	if (good(l, low_key) && good(l, high_key) && low > high)
		problem_at(l, setting_get(high_key), "must not be less than %s", low_key);
}

static void check_orders(struct loading *l, const struct config *cfg)
{
	check_order(l, "token.refresh_ttl", cfg->token.refresh_ttl_ms, "token.refresh_max_ttl",
		    cfg->token.refresh_max_ttl_ms);
	check_order(l, "password.argon2_memory", cfg->password.argon2_memory, "password.memory_budget",
		    cfg->password.memory_budget);
	check_order(l, "limits.account_free", cfg->limits.account_free, "limits.account_max",
		    cfg->limits.account_max);
}

/* ---- web clients ---- */

static bool is_default(const struct loading *l, const char *key)
{
	return l->out->origin[index_of(l, setting_get(key))].from == ORIGIN_DEFAULT;
}

/* One setting for both kinds of sessions, unless browsers have their own. */
static void finish_web_lives(struct loading *l, struct config *cfg)
{
	if (is_default(l, "token.web_refresh_ttl") && !is_default(l, "token.refresh_ttl"))
		cfg->token.web_refresh_ttl_ms = cfg->token.refresh_ttl_ms;
	if (is_default(l, "token.web_refresh_max_ttl") &&
	    (!is_default(l, "token.refresh_max_ttl") ||
	     cfg->token.web_refresh_max_ttl_ms < cfg->token.web_refresh_ttl_ms))
		cfg->token.web_refresh_max_ttl_ms = cfg->token.refresh_max_ttl_ms;
	if (!is_default(l, "token.web_refresh_ttl") || !is_default(l, "token.web_refresh_max_ttl"))
		check_order(l, "token.web_refresh_ttl", cfg->token.web_refresh_ttl_ms,
			    "token.web_refresh_max_ttl", cfg->token.web_refresh_max_ttl_ms);
}

static bool is_host_of(str host, str domain)
{
	return str_eq(host, domain) ||
	       (host.n > domain.n && str_ends(host, domain) && host.p[host.n - domain.n - 1] == '.');
}

static void check_cookies(struct loading *l, const struct config *cfg)
{
	const struct setting *secure = setting_get("cookie.secure");
	str url = cfg->server.public_url, domain = cfg->cookie.domain;

	if (good(l, secure->key) && !cfg->cookie.secure && is_exposed(l, cfg))
		problem_at(l, secure, "false is allowed only when every listener is on loopback or a Unix socket");
	if (good(l, "cookie.same_site") && cfg->cookie.same_site == SAME_SITE_NONE && !cfg->cookie.secure)
		problem_at(l, setting_get("cookie.same_site"),
			   "none needs cookie.secure: browsers ignore such cookies otherwise");
	if (domain.n > 0 && url.n > 0 && good(l, "server.public_url") && !is_host_of(url_host(url), domain))
		problem_at(l, setting_get("cookie.domain"),
			   "browsers take it only from hosts of that domain, and server.public_url is %.*s",
			   STR_ARG(url));
}

/* ---- mail and SMS ---- */

static void need(struct loading *l, const char *key, bool given, const char *because)
{
	if (!given && good(l, key))
		problem_at(l, setting_get(key), "must be given, because %s", because);
}

/* No password goes where everybody on the way can read it, and no mail either unless told so. */
static void check_smtp_tls(struct loading *l, const struct config *cfg)
{
	const struct setting *tls = setting_get("mail.smtp_tls");

	if (cfg->mail.smtp_url.n == 0 || !good(l, "mail.smtp_url") || !good(l, "mail.smtp_tls"))
		return;
	if (cfg->mail.smtp_tls == MAIL_TLS_OFF &&
	    str_eq(url_scheme(cfg->mail.smtp_url), STR("smtps")))
		problem_at(l, tls, "off contradicts smtps:// in mail.smtp_url");
	if (cfg->mail.smtp_tls == MAIL_TLS_REQUIRED || host_is_loopback(url_host(cfg->mail.smtp_url)))
		return;
	if (cfg->mail.smtp_tls == MAIL_TLS_OFF)
		problem_at(l, tls, "off is allowed only when the server of mail.smtp_url is on loopback");
	else if (cfg->mail.smtp_user.n > 0 || cfg->mail.smtp_password.n > 0)
		problem_at(l, tls, "opportunistic could show the password of mail.smtp_user to others; with a "
				   "password it must be required");
}

static void check_smtp(struct loading *l, const struct config *cfg)
{
	bool user = cfg->mail.smtp_user.n > 0, password = cfg->mail.smtp_password.n > 0;

	if (cfg->mail.transport == MAIL_SMTP)
		need(l, "mail.smtp_url", cfg->mail.smtp_url.n > 0, "mail.transport is smtp");
	if (user && good(l, "mail.smtp_user"))
		need(l, "mail.smtp_password", password, "mail.smtp_user is");
	if (password && good(l, "mail.smtp_password"))
		need(l, "mail.smtp_user", user, "mail.smtp_password is");
	check_smtp_tls(l, cfg);
}

/* Before server.public_url is made up from the listener. */
static void check_mail(struct loading *l, const struct config *cfg)
{
	const struct setting *transport = setting_get("mail.transport");
	bool out = cfg->mail.transport == MAIL_SMTP || cfg->mail.transport == MAIL_HTTP;

	check_smtp(l, cfg);
	if (cfg->mail.transport == MAIL_HTTP)
		need(l, "mail.http_url", cfg->mail.http_url.n > 0, "mail.transport is http");
	if (out || cfg->mail.transport == MAIL_FILE)
		need(l, "mail.from", cfg->mail.from.n > 0, "mails need a sender");
	if (out && !cfg->dev && cfg->site.urls.n == 0 && cfg->server.public_url.n == 0)
		problem_at(l, transport, "links in mails need site.urls or server.public_url");
	if (cfg->mail.transport == MAIL_LOG && !cfg->dev && is_exposed(l, cfg))
		problem_at(l, transport, "log shows links that sign in; it is allowed only when every "
					 "listener is on loopback or a Unix socket");
	if (cfg->mail.transport == MAIL_NONE && (cfg->verification.mode == VERIFICATION_LAZY ||
						 cfg->verification.mode == VERIFICATION_STRICT))
		problem_at(l, setting_get("verification.mode"),
			   "addresses can be proven by mail only; set mail.transport");
}

static void check_twilio(struct loading *l, const struct config *cfg)
{
	static const char because[] = "sms.transport is twilio";

	need(l, "sms.user", cfg->sms.user.n > 0, because);
	need(l, "sms.password", cfg->sms.password.n > 0, because);
	need(l, "sms.from", cfg->sms.from.n > 0, because);
}

static void check_sms(struct loading *l, const struct config *cfg)
{
	bool gateway = cfg->sms.transport == SMS_HTTP_GET || cfg->sms.transport == SMS_HTTP_POST;

	if (gateway)
		need(l, "sms.url", cfg->sms.url.n > 0, "sms.transport is a gateway");
	if (cfg->sms.transport == SMS_TWILIO)
		check_twilio(l, cfg);
	if ((gateway || cfg->sms.transport == SMS_TWILIO) && cfg->sms.countries.n == 0)
		problem_at(l, setting_get("sms.countries"),
			   "list the countries you text, like +39, +41: messages to all others cost money "
			   "and are refused");
	if (cfg->sms.transport == SMS_LOG && !cfg->dev && is_exposed(l, cfg))
		problem_at(l, setting_get("sms.transport"),
			   "log shows codes that sign in; it is allowed only when every listener is on "
			   "loopback or a Unix socket");
}

/* ---- identity providers ---- */

static void check_app_targets(struct loading *l, const char *key, const struct str_list *uris)
{
	for (size_t i = 0; i < uris->n; i++) {
		if (redirect_is_short(uris->items[i]))
			WARNING(l, "%s: %.*s can be claimed by any app: use a scheme with a dot, like "
				   "com.example.app",
				key, STR_ARG(uris->items[i]));
	}
}

static bool is_plain_http(str url)
{
	return str_starts(url, STR("http://"));
}

static void check_apple(struct loading *l, const struct oauth_settings *p)
{
	if (p->team_id.n == 0 || p->key_id.n == 0 || p->private_key.n == 0)
		PROBLEM(l, "oauth.%.*s: Apple needs team_id, key_id and private_key", STR_ARG(p->name));
}

static void check_provider_urls(struct loading *l, const struct config *cfg, const struct oauth_settings *p)
{
	const str urls[] = { p->issuer, p->authorize_url, p->token_url, p->userinfo_url, p->jwks_url, p->revoke_url, p->emails_url };

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		if (is_plain_http(urls[i]) && !cfg->oauth.allow_private)
			PROBLEM(l, "oauth.%.*s: %.*s is not https, which takes oauth.allow_private", STR_ARG(p->name),
				STR_ARG(urls[i]));
	}
}

static void check_provider(struct loading *l, const struct config *cfg, const struct oauth_settings *p)
{
	const struct preset *preset = preset_of(p);
	bool apple = preset != NULL && preset->base.auth == CLIENT_AUTH_APPLE;

	if (preset == NULL && p->issuer.n == 0 &&
	    (p->authorize_url.n == 0 || p->token_url.n == 0 || p->userinfo_url.n == 0))
		PROBLEM(l, "oauth.%.*s: needs preset, or issuer, or authorize_url, token_url and userinfo_url",
			STR_ARG(p->name));
	if (p->client_id.n == 0)
		PROBLEM(l, "oauth.%.*s: client_id must be given", STR_ARG(p->name));
	if (apple)
		check_apple(l, p);
	if (preset != NULL && str_eq(str_of_cstr(preset->name), STR("microsoft")) && p->issuer.n == 0 && p->tenants.n == 0)
		PROBLEM(l, "oauth.%.*s: list the directories in tenants; private accounts are "
			   "9188040d-6c67-4c5b-b112-36a304b66dad",
			STR_ARG(p->name));
	check_provider_urls(l, cfg, p);
	check_app_targets(l, "oauth.NAME.redirect_uris", &p->redirect_uris);
}

static void check_oauth(struct loading *l, const struct config *cfg)
{
	if (good(l, "oauth.allow_private") && cfg->oauth.allow_private && is_exposed(l, cfg))
		problem_at(l, setting_get("oauth.allow_private"),
			   "true is allowed only when every listener is on loopback or a Unix socket");
	check_app_targets(l, "native.redirect_uris", &cfg->native.redirect_uris);
	for (size_t i = 0; i < cfg->oauth.n; i++)
		check_provider(l, cfg, &cfg->oauth.provider[i]);
	if (cfg->oauth.native_without_pkce)
		WARNING(l, "oauth.native_without_pkce: whoever else claims the scheme of an app can sign in as its "
			   "users");
}

/* ---- what is allowed and yet worth a word ---- */

static void warn_site(struct loading *l, const struct config *cfg, str url)
{
	str scheme = url_scheme(url);
	bool web = str_eq(scheme, STR("http")) || str_eq(scheme, STR("https"));

	/* server.public_url has its own warning */
	if (str_eq(scheme, STR("http")) && !host_is_loopback(url_host(url)) &&
	    !str_eq(url, cfg->server.public_url))
		WARNING(l, "site.urls: %.*s is not https: links in mails can be read and changed on the way",
			STR_ARG(url));
	if (!web && !str_has_byte(scheme, '.'))
		WARNING(l, "site.urls: %.*s can be claimed by any app: use a scheme with a dot, like "
			   "com.example.app",
			STR_ARG(url));
}

static void warn_delivery(struct loading *l, const struct config *cfg)
{
	for (size_t i = 0; i < cfg->site.urls.n && good(l, "site.urls"); i++)
		warn_site(l, cfg, cfg->site.urls.items[i]);
	if (cfg->mail.transport == MAIL_FILE && !cfg->dev)
		WARNING(l, "mail.transport: file sends nothing; whoever can read mail.dir can use the links "
			   "in the mails");
	if (cfg->sms.transport == SMS_HTTP_GET)
		WARNING(l, "sms.transport: http-get puts credentials and codes into URLs, which gateways and "
			   "proxies write to their logs; prefer http-post");
	if (cfg->sms.test_numbers.n > 0 && is_exposed(l, cfg))
		WARNING(l, "sms.test_numbers: anyone who knows the number can sign in to the account that "
			   "holds it");
}

static void warn(struct loading *l, const struct config *cfg)
{
	str url = cfg->server.public_url;

	if (good(l, "server.public_url") && str_starts(url, STR("http://")) &&
	    !host_is_loopback(url_host(url)))
		WARNING(l, "server.public_url: %.*s is not https: passwords and tokens travel unprotected "
			   "between clients and this server",
			STR_ARG(url));
	if (good(l, "token.access_ttl") && cfg->token.access_ttl_ms > ACCESS_TTL_WARN_MS)
		WARNING(l, "token.access_ttl: is more than 15m: other services accept a token of a session "
			   "that has ended for so long");
}

static err_t finish(struct loading *l)
{
	struct config *cfg = &l->out->cfg;

	check_tls(l, cfg);
	check_listeners(l, cfg);
	finish_web_lives(l, cfg);
	check_orders(l, cfg);
	check_cookies(l, cfg);
	check_mail(l, cfg);
	check_sms(l, cfg);
	check_oauth(l, cfg);
	TRY(finish_store(l, cfg));
	TRY(finish_public_url(l, cfg));
	TRY(finish_site(l, cfg));
	TRY(finish_mail_dir(l, cfg));
	TRY(finish_lang_dir(l, cfg));
	TRY(finish_proxies(l, cfg));
	warn(l, cfg);
	warn_delivery(l, cfg);
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
	return finish(l);
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
