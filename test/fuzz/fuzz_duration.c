/* Durations and sizes against a slow reading of the same grammar, with arithmetic by hand on
 * decimal digits: no overflow to forget about. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DIGITS 160

/* A whole number as decimal digits, least significant first. */
struct number {
	int digit[DIGITS];
};

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void times_plus(struct number *n, int64_t factor, int64_t add)
{
	int64_t carry = add;

	for (size_t i = 0; i < DIGITS; i++) {
		carry += n->digit[i] * factor;
		n->digit[i] = (int)(carry % 10);
		carry /= 10;
	}
	must(carry == 0);
}

/* Drop the last `places` digits: division by a power of ten, rounded down. */
static void shift(struct number *n, size_t places)
{
	for (size_t i = 0; i < DIGITS; i++)
		n->digit[i] = i + places < DIGITS ? n->digit[i + places] : 0;
}

/* False when it does not fit below max. */
static bool to_i64(const struct number *n, int64_t max, int64_t *ret)
{
	int64_t v = 0;

	for (size_t i = DIGITS; i > 0; i--) {
		int digit = n->digit[i - 1];

		if (v > (max - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*ret = v;
	return true;
}

static char folded(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_word(str s, const char *word)
{
	size_t i = 0;

	while (i < s.n && word[i] != '\0' && folded(s.p[i]) == folded(word[i]))
		i++;
	return i == s.n && word[i] == '\0';
}

static bool is_one_of(str s, const char *const *words)
{
	for (; *words != NULL; words++) {
		if (is_word(s, *words))
			return true;
	}
	return false;
}

/* 0 for a word that is no unit */
static int64_t duration_factor(str s)
{
	static const char *const ms[] = { "", "ms", "msec", "msecs", "millisecond", "milliseconds",
					  0 };
	static const char *const second[] = { "s", "sec", "secs", "second", "seconds", 0 };
	static const char *const minute[] = { "m", "min", "mins", "minute", "minutes", 0 };
	static const char *const hour[] = { "h", "hr", "hrs", "hour", "hours", 0 };
	static const char *const day[] = { "d", "day", "days", 0 };
	static const char *const week[] = { "w", "week", "weeks", 0 };
	static const char *const year[] = { "y", "yr", "yrs", "year", "years", 0 };

	return is_one_of(s, ms)	      ? 1
	       : is_one_of(s, second) ? 1000
	       : is_one_of(s, minute) ? 60000
	       : is_one_of(s, hour)   ? 3600000
	       : is_one_of(s, day)    ? 86400000
	       : is_one_of(s, week)   ? 604800000
	       : is_one_of(s, year)   ? 31557600000
				      : 0;
}

static int64_t size_factor(str s)
{
	static const char *const b[] = { "", "b", 0 }, *const k[] = { "k", "kib", 0 };
	static const char *const m[] = { "m", "mib", 0 }, *const g[] = { "g", "gib", 0 };

	return is_one_of(s, b)	 ? 1
	       : is_one_of(s, k) ? 1024
	       : is_one_of(s, m) ? 1048576
	       : is_one_of(s, g) ? 1073741824
				 : 0;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The digits of s as one whole number; *ret_places of them stand after the point. */
static bool read_number(str s, size_t *at, struct number *n, size_t *ret_places)
{
	size_t digits = 0, places = 0;
	bool point = false;

	for (; *at < s.n && (is_digit(s.p[*at]) || (s.p[*at] == '.' && !point)); ++*at) {
		if (s.p[*at] == '.') {
			point = true;
			continue;
		}
		times_plus(n, 10, s.p[*at] - '0');
		digits++;
		places += point;
	}
	*ret_places = places;
	return digits > 0 && (!point || places > 0);
}

static bool reference(str s, int64_t (*factor_of)(str), int64_t max, int64_t *ret)
{
	struct number n = { { 0 } };
	size_t at = 0, places;
	int64_t factor;

	if (s.n > 100 || !read_number(s, &at, &n, &places))
		return false;
	while (at < s.n && blank(s.p[at]))
		at++;
	/* blanks behind the unit are taken too, as a settings file may have them */
	while (s.n > at && blank(s.p[s.n - 1]))
		s.n--;
	factor = factor_of(str_skip(s, at));
	if (factor == 0)
		return false;
	times_plus(&n, factor, 0);
	shift(&n, places);
	return to_i64(&n, max, ret);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str text = str_of_bytes(data, size);
	int64_t got = -1, want = -1;
	bool good;

	good = duration_parse(text, &got);
	must(good == reference(text, duration_factor, INT64_C(1000) * 31557600000, &want));
	must(got == want);
	got = want = -1;
	good = size_parse(text, &got);
	must(good == reference(text, size_factor, INT64_MAX, &want));
	must(got == want);
	return 0;
}
