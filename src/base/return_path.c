#include "base/return_path.h"

#include <string.h>

#include "base/utf8.h"

#define ROUNDS_MAX 4

static bool all_visible(str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '!' || s.p[i] > '~' || s.p[i] == '\\')
			return false;
	}
	return true;
}

static bool is_dots(str segment)
{
	return str_eq(segment, STR(".")) || str_eq(segment, STR(".."));
}

static bool path_ok(str path)
{
	str segment, rest;

	if (!str_starts(path, STR("/")) || !all_visible(path))
		return false;
	rest = str_skip(path, 1);
	while (str_cut(rest, '/', &segment, &rest)) {
		if (segment.n == 0 || is_dots(segment))
			return false;
	}
	return !is_dots(segment);
}

static str before_query(str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] != '?' && s.p[n] != '#')
		n++;
	return (str){ s.p, n };
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One round of percent-decoding in place; false for a bad escape or bad UTF-8. */
static bool decode(char *text, size_t *n)
{
	size_t to = 0;

	for (size_t i = 0; i < *n; i++, to++) {
		int high, low;

		text[to] = text[i];
		if (text[i] != '%')
			continue;
		if (*n - i < 3 || (high = hex_digit(text[i + 1])) < 0 || (low = hex_digit(text[i + 2])) < 0)
			return false;
		text[to] = (char)(high << 4 | low);
		i += 2;
	}
	*n = to;
	return utf8_is_valid((str){ text, to });
}

/* Letters of other scripts do no harm in a path. */
static void hide_non_ascii(char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)text[i] >= 0x80)
			text[i] = 'x';
	}
}

bool return_path_ok(str value)
{
	char text[RETURN_PATH_MAX];
	str path = before_query(value);

	if (value.n == 0 || value.n > sizeof(text) || !all_visible(value))
		return false;
	for (int rounds = 0;; rounds++) {
		size_t n = path.n;

		if (!path_ok(path))
			return false;
		if (!str_has_byte(path, '%'))
			return true;
		if (rounds == ROUNDS_MAX)
			return false;
		memmove(text, path.p, n);
		if (!decode(text, &n))
			return false;
		hide_non_ascii(text, n);
		path = before_query((str){ text, n });
	}
}
