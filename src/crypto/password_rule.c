#include <math.h>
#include <string.h>
#include <uninorm.h>
#include <zxcvbn.h>

#include "base/utf8.h"
#include "crypto/password.h"

#define NFC_GROWTH	  3 /* UAX #15: NFC of UTF-8 is never longer than this many times */
#define JUDGED_POINTS_MAX 100
#define CONTEXT_WORDS_MAX 64
#define CONTEXT_WORD_MIN  3
#define CONTEXT_BYTES_MAX 254

err_t password_normalise(struct arena *mem, struct secret raw, struct secret *ret)
{
	size_t n = raw.n * NFC_GROWTH + 1;
	uint8_t *room, *out;

	REQUIRE(raw.n <= PASSWORD_MAX_BYTES && utf8_is_valid(secret_str(raw)), ERR_INPUT);
	NEW(room, mem, uint8_t, n);
	if (raw.n == 0) {
		*ret = (struct secret){ room, 0 };
		return OK;
	}
	out = u8_normalize(UNINORM_NFC, raw.p, raw.n, room, &n);
	REQUIRE(out != NULL, ERR_NO_MEMORY);
	if (out != room) {
		/* The library answers in memory of its own when the room was not to its liking. */
		bool fits = n <= raw.n * NFC_GROWTH;

		if (fits)
			memcpy(room, out, n);
		explicit_bzero(out, n);
		free(out);
		REQUIRE(fits, ERR_BUG);
	}
	*ret = (struct secret){ room, n };
	return OK;
}

/* The words an attacker who knows the user would try first, for zxcvbn's extra dictionary. */
struct words {
	const char *item[CONTEXT_WORDS_MAX + 1]; /* NULL ends the list */
	size_t n;
	struct arena *mem;
};

static err_t words_add(struct words *w, str s)
{
	char *copy;

	if (s.n < CONTEXT_WORD_MIN || s.n > CONTEXT_BYTES_MAX || w->n == CONTEXT_WORDS_MAX)
		return OK;
	NEW(copy, w->mem, char, s.n + 1);
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		copy[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
	}
	w->item[w->n++] = copy;
	return OK;
}

static bool is_word_byte(char c)
{
	/* bytes of other scripts count as letters */
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (unsigned char)c >= 0x80;
}

/* The whole, the part before '@', and each run of letters and digits. */
static err_t words_add_parts(struct words *w, str s)
{
	str local, domain;
	size_t start = 0;

	if (s.p == NULL || str_has_byte(s, '\0'))
		return OK;
	TRY(words_add(w, s));
	if (str_cut(s, '@', &local, &domain)) {
		TRY(words_add(w, local));
		TRY(words_add(w, domain));
	}
	for (size_t i = 0; i <= s.n; i++) {
		if (i < s.n && is_word_byte(s.p[i]))
			continue;
		TRY(words_add(w, (str){ s.p + start, i - start }));
		start = i + 1;
	}
	return OK;
}

/* The first code points, as the C string zxcvbn wants. A NUL inside stands for itself elsewhere;
 * here it becomes a rare byte, which changes no score. */
static err_t judged_text(struct arena *mem, struct secret password, struct secret *ret)
{
	str rest = secret_str(password);
	uint8_t *copy;
	size_t n = 0;

	for (int i = 0; i < JUDGED_POINTS_MAX && n < password.n; i++) {
		uint32_t point;
		n += utf8_next(str_skip(rest, n), &point);
	}
	NEW(copy, mem, uint8_t, n + 1);
	for (size_t i = 0; i < n; i++)
		copy[i] = password.p[i] == 0 ? 1 : password.p[i];
	*ret = (struct secret){ copy, n };
	return OK;
}

/* zxcvbn's five classes: fewer guesses than 10^3, 10^6, 10^8, 10^10, and more. */
static int64_t score_of_bits(double bits)
{
	static const double limit[] = { 3, 6, 8, 10 };
	int64_t score = 0;

	while (score < 4 && bits >= limit[score] * log2(10))
		score++;
	return score;
}

static bool is_context_word(const struct words *w, struct secret text)
{
	for (size_t i = 0; i < w->n; i++) {
		if (str_eq_nocase(str_of_cstr(w->item[i]), secret_str(text)))
			return true;
	}
	return false;
}

static err_t is_strong(struct arena *mem, struct secret password, int64_t min_score,
		       const str *context, size_t n_context, bool *ret)
{
	struct words w = { .mem = mem };
	WIPED struct secret text = { 0 };

	for (size_t i = 0; i < n_context; i++)
		TRY(words_add_parts(&w, context[i]));
	TRY(judged_text(mem, password, &text));
	*ret = !is_context_word(&w, text) &&
	       score_of_bits(ZxcvbnMatch((const char *)text.p, w.item, NULL)) >= min_score;
	return OK;
}

enum password_verdict password_judge(struct arena *mem, struct secret raw, int64_t min_length,
				     int64_t min_score, const str *context, size_t n_context)
{
	struct secret password = { 0 };
	bool strong = false;
	size_t points;

	if (raw.n > PASSWORD_MAX_BYTES)
		return PASSWORD_TOO_LONG;
	if (!utf8_is_valid(secret_str(raw)))
		return PASSWORD_NOT_TEXT;
	/* Without memory to look closer the password is not accepted. */
	if (password_normalise(mem, raw, &password).code != ERR_OK)
		return PASSWORD_TOO_WEAK;
	points = utf8_points(secret_str(password));
	if ((int64_t)points < min_length)
		return PASSWORD_TOO_SHORT;
	if (points > PASSWORD_MAX_POINTS)
		return PASSWORD_TOO_LONG;
	if (min_score > 0 &&
	    (is_strong(mem, password, min_score, context, n_context, &strong).code != ERR_OK ||
	     !strong))
		return PASSWORD_TOO_WEAK;
	return PASSWORD_OK;
}
