/* config_secret.c — the value of a secret among the settings: from where it may be read, and whether it is good
 * enough. */
#include <string.h>
#include <sys/stat.h>

#include "app/config_internal.h"
#include "base/base64url.h"
#include "base/utf8.h"

#define SECRET_FILE_MAX  ((size_t)4096)
#define SECRET_MIN_BYTES 32

/* A value that could be guessed: text from an example, or bytes that follow from each other. */
static bool secret_is_weak(struct secret s)
{
	static const char *const words[] = { "changeme", "change-me", "change_me", "example", "password",
					     "sallyport" };
	WIPED_ARRAY(bool, seen, 256);
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
	WIPED_ARRAY(char, room, SECRET_FILE_MAX);
	const char *why;
	struct stat st = { 0 };
	char *name;
	size_t n;
	err_t e = OK;

	TRY(str_to_cstr(&l->out->mem, path, &name));
	why = config_read_file(name, room, sizeof(room), &n, &st);
	if (why != NULL)
		problem_at(l, s, "the file %s cannot be read: %s", name, why);
	else if (!config_mode_is_private(&st))
		problem_not_private(l, s, name, &st);
	else
		e = arena_copy(&l->out->mem, without_newline((str){ room, n }), ret);
	return e;
}

/* A secret that stands in the settings themselves. */
static void check_inline_secret(struct loading *l, const struct setting *s, str value)
{
	struct origin o = l->out->origin[setting_index(l, s)];

	if (str_eq(value, STR("***"))) {
		problem_at(l, s, "*** stands for a secret that was not printed; give the secret itself");
		return;
	}
	if (o.from == ORIGIN_FILE && !l->file_is_private)
		problem_at(l, s, "stands in a file that others may use; " PRIVATE_HINT "; or use file:/path");
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

err_t config_set_secret(struct loading *l, const struct setting *s, str value, struct secret *to)
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
	if (l->bad[setting_index(l, s)])
		return OK;
	if (s->kind == SETTING_PASSWORD)
		return take_password(l, s, text, to);
	if (s->kind == SETTING_PEM)
		return take_pem(l, s, text, to);
	return take_secret(l, s, text, to);
}
