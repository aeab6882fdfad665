#include "http/path.h"

#include "base/utf8.h"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte of the escape at s.p[at] ('%'), or -1. */
static int escape_at(str s, size_t at)
{
	int high, low;

	if (s.n - at < 3)
		return -1;
	high = hex_value(s.p[at + 1]);
	low = hex_value(s.p[at + 2]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static bool printable_ascii(char c)
{
	return c > 0x20 && c < 0x7f;
}

/* What an escape may stand for. A separator or a dot would make the path mean something else to
 * whoever decodes first and looks later. */
static bool harmless(int byte)
{
	return byte >= 0x20 && byte != 0x7f && byte != '/' && byte != '\\' && byte != '.';
}

/* `decoded` has room for path.n bytes. */
static err_t check_bytes(str path, char *decoded, size_t *ret_n)
{
	size_t n = 0;

	for (size_t i = 0; i < path.n; i++) {
		char c = path.p[i];
		int byte = (unsigned char)c;

		REQUIRE(printable_ascii(c) && c != '\\' && c != ';' && c != '#', ERR_BAD_REQUEST);
		if (c == '%') {
			byte = escape_at(path, i);
			REQUIRE(harmless(byte), ERR_BAD_REQUEST);
			i += 2;
		}
		decoded[n++] = (char)byte;
	}
	*ret_n = n;
	return OK;
}

static err_t check_segments(str path)
{
	str head, rest = str_skip(path, 1);
	bool more = true;

	while (more) {
		more = str_cut(rest, '/', &head, &rest);
		REQUIRE(!more || head.n > 0, ERR_BAD_REQUEST); /* "//" */
		REQUIRE(!str_eq(head, STR(".")) && !str_eq(head, STR("..")), ERR_BAD_REQUEST);
	}
	return OK;
}

err_t path_check(str target, str *ret_path, str *ret_query)
{
	char decoded[PATH_MAX_BYTES];
	str path, query;
	size_t n = 0;

	(void)str_cut(target, '?', &path, &query);
	REQUIRE(path.n <= PATH_MAX_BYTES, ERR_URI_TOO_LONG);
	REQUIRE(path.n > 0 && path.p[0] == '/', ERR_BAD_REQUEST);
	TRY(check_bytes(path, decoded, &n));
	TRY(check_segments(path));
	REQUIRE(utf8_is_plain_text((str){ decoded, n }), ERR_BAD_REQUEST);
	for (size_t i = 0; i < query.n; i++)
		REQUIRE(printable_ascii(query.p[i]) && query.p[i] != '#', ERR_BAD_REQUEST);
	*ret_path = path;
	*ret_query = query;
	return OK;
}

err_t path_decode(struct arena *mem, str segment, str *ret)
{
	size_t n = 0;
	char *out;

	NEW(out, mem, char, segment.n + 1);
	for (size_t i = 0; i < segment.n; i++) {
		int byte = (unsigned char)segment.p[i];

		if (byte == '%') {
			byte = escape_at(segment, i);
			REQUIRE(byte >= 0, ERR_BUG); /* path_check() has been here */
			i += 2;
		}
		out[n++] = (char)byte;
	}
	*ret = (str){ out, n };
	return OK;
}

/* Takes one decoded byte off the front of a form-encoded text; -1 for a bad escape or NUL. */
static int form_next(str *s)
{
	int byte = (unsigned char)s->p[0];
	size_t used = 1;

	if (byte == '%') {
		byte = escape_at(*s, 0);
		used = 3;
	} else if (byte == '+') {
		byte = ' ';
	}
	if (byte <= 0)
		return -1;
	*s = str_skip(*s, used);
	return byte;
}

static err_t form_name_is(str encoded, str key, bool *ret)
{
	bool same = true;
	size_t n = 0;

	for (; encoded.n > 0; n++) {
		int byte = form_next(&encoded);

		REQUIRE(byte > 0, ERR_INPUT);
		same = same && n < key.n && (unsigned char)key.p[n] == byte;
	}
	*ret = same && n == key.n;
	return OK;
}

static err_t form_decode(struct arena *mem, str encoded, str *ret)
{
	size_t n = 0;
	char *out;

	NEW(out, mem, char, encoded.n + 1);
	while (encoded.n > 0) {
		int byte = form_next(&encoded);

		REQUIRE(byte > 0, ERR_INPUT);
		out[n++] = (char)byte;
	}
	REQUIRE(utf8_is_valid((str){ out, n }), ERR_INPUT);
	*ret = (str){ out, n };
	return OK;
}

err_t query_get(struct arena *mem, str query, str key, str *ret)
{
	str pair, name, value, rest = query, found = STR_NONE;
	bool more = query.n > 0, same = false;

	while (more) {
		more = str_cut(rest, '&', &pair, &rest);
		(void)str_cut(pair, '=', &name, &value);
		TRY(form_name_is(name, key, &same));
		if (!same || pair.n == 0)
			continue;
		REQUIRE(found.p == NULL, ERR_INPUT); /* HT07: which of the two was meant? */
		TRY(form_decode(mem, value, &found));
	}
	*ret = found;
	return OK;
}
