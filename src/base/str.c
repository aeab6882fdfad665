#include "base/str.h"

#include <string.h>

str str_of_cstr(const char *s)
{
	return s == NULL ? STR_NONE : (str){ s, strlen(s) };
}

bool str_eq(str a, str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool str_eq_nocase(str a, str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	}
	return true;
}

bool str_starts(str s, str prefix)
{
	return s.n >= prefix.n && str_eq((str){ s.p, prefix.n }, prefix);
}

bool str_ends(str s, str suffix)
{
	return s.n >= suffix.n && str_eq(str_skip(s, s.n - suffix.n), suffix);
}

bool str_has_byte(str s, char c)
{
	return s.n > 0 && memchr(s.p, c, s.n) != NULL;
}

bool str_has(str s, str part)
{
	return part.n == 0 || (s.p != NULL && memmem(s.p, s.n, part.p, part.n) != NULL);
}

bool str_cut(str s, char c, str *ret_head, str *ret_tail)
{
	const char *at = s.n == 0 ? NULL : memchr(s.p, c, s.n);

	if (at == NULL) {
		*ret_head = s;
		*ret_tail = STR_NONE;
		return false;
	}
	*ret_head = (str){ s.p, (size_t)(at - s.p) };
	*ret_tail = (str){ at + 1, s.n - ret_head->n - 1 };
	return true;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

str str_trim(str s)
{
	while (s.n > 0 && blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

str str_skip(str s, size_t n)
{
	return n >= s.n ? (str){ s.p, 0 } : (str){ s.p + n, s.n - n };
}

bool str_to_u64(str s, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.n == 0 || s.n > 20)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		if (__builtin_mul_overflow(v, 10U, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			return false;
	}
	if (v > max)
		return false;
	*ret = v;
	return true;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

#define DISTANCE_MAX ((size_t)64)
/* A fuzzer that follows these loops sees nothing else of a settings file whose names are all unknown. */
#ifdef __clang__
__attribute__((no_sanitize("coverage")))
#endif
size_t str_distance(str a, str b)
{
	size_t row[DISTANCE_MAX + 1];

	a.n = least(a.n, DISTANCE_MAX);
	b.n = least(b.n, DISTANCE_MAX);
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
