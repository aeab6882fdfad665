/* Return paths: what is let pass stays on its origin for whoever decodes it once, twice or more often; and
 * colours: what is read is written in a form that is read as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/color.h"
#include "base/return_path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static int hex(char c)
{
	const char *digits = "0123456789abcdef", *at = c == '\0' ? NULL : strchr(digits, c | 0x20);

	return at == NULL ? -1 : (int)(at - digits);
}

/* As a lenient reader would: escapes that are none stay as they are. */
static size_t decode(const char *from, size_t n, char *to)
{
	size_t out = 0;

	for (size_t i = 0; i < n; i++) {
		if (from[i] == '%' && n - i > 2 && hex(from[i + 1]) >= 0 && hex(from[i + 2]) >= 0) {
			to[out++] = (char)(hex(from[i + 1]) << 4 | hex(from[i + 2]));
			i += 2;
		} else {
			to[out++] = from[i];
		}
	}
	return out;
}

static bool stays_here(const char *p, size_t n)
{
	size_t path = 0, start = 1;

	while (path < n && p[path] != '?' && p[path] != '#')
		path++;
	for (size_t i = 0; i < path; i++) {
		if ((unsigned char)p[i] < 0x21 || p[i] == 0x7f || p[i] == '\\' || (i > 0 && p[i] == '/' && p[i - 1] == '/'))
			return false;
	}
	for (size_t i = 1; i <= path; i++) {
		if (i < path && p[i] != '/')
			continue;
		if ((i - start == 1 && p[start] == '.') || (i - start == 2 && p[start] == '.' && p[start + 1] == '.'))
			return false;
		start = i + 1;
	}
	return path > 0 && p[0] == '/';
}

static void check_path(str value)
{
	char a[RETURN_PATH_MAX], b[RETURN_PATH_MAX];
	size_t n = value.n;

	if (!return_path_ok(value))
		return;
	must(n <= sizeof(a));
	memcpy(a, value.p, n);
	for (int rounds = 0; rounds < 6; rounds++) {
		must(stays_here(a, n));
		n = decode(a, n, b);
		memcpy(a, b, n);
	}
}

static void check_color(str value)
{
	char text[16];
	struct buf b = BUF_OF(text);
	struct color c, again;

	if (!color_parse(value, &c))
		return;
	color_write(c, &b);
	must(!b.overflow && (b.n == 7 || b.n == 9));
	must(color_parse(buf_view(&b), &again) && memcmp(&c, &again, sizeof(c)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_path(str_of_bytes(data, size));
	check_color(str_of_bytes(data, size));
	return 0;
}
