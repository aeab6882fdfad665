/* Text of strangers: the UTF-8 decoder, JSON escaping, base64url, durations and sizes. */
#include <stdint.h>

#include "base/base64url.h"
#include "base/duration.h"
#include "base/json_out.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROOM ((size_t)64 * 1024)

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* Decoding point by point, validity and plainness agree, and points are counted alike. */
static void check_decoder(str s)
{
	bool valid = true, plain = true;
	size_t points = 0;
	uint32_t point;

	for (str rest = s; rest.n > 0 && valid; points++) {
		size_t n = utf8_next(rest, &point);
		valid = n > 0;
		must(n <= rest.n && n <= 4 && (n == 0 || point <= 0x10FFFF));
		plain = plain && valid && utf8_is_plain_point(point);
		rest = str_skip(rest, n);
	}
	must(valid == utf8_is_valid(s));
	must((valid && plain) == utf8_is_plain_text(s));
	must(!valid || points == utf8_points(s));
}

static void check_cut(str s)
{
	bool valid = utf8_is_valid(s);

	for (size_t max = 0; max < s.n && max < 16; max++) {
		str head = utf8_cut(s, max);
		must(head.n <= max && (!valid || (utf8_is_valid(head) && head.n + 3 >= max)));
	}
}

static void check_escape(str s, char *room)
{
	struct buf b = { .p = room, .cap = ROOM };

	json_escape(&b, s);
	must(!b.overflow && b.n <= 6 * s.n); /* the input is at most an eighth of the room */
	must(utf8_is_valid(buf_view(&b)) && !str_has_byte(buf_view(&b), '\n') &&
	     !str_has_byte(buf_view(&b), '<') && !str_has_byte(buf_view(&b), '\0'));
}

/* What decodes is the one text for its bytes. */
static void check_base64url(str s, char *room)
{
	struct buf b = { .p = room + ROOM / 2, .cap = ROOM / 2 };
	size_t n = 0;

	if (!base64url_decode(s, room, ROOM / 2, &n))
		return;
	must(n <= s.n * 3 / 4);
	base64url_encode(&b, str_of_bytes(room, n));
	must(!b.overflow && str_eq(buf_view(&b), s));
}

static void check_numbers(str s, char *room)
{
	struct buf b = { .p = room, .cap = ROOM };
	int64_t v = -1, back = -1;

	if (duration_parse(s, &v)) {
		must(v >= 0);
		duration_format(&b, v);
		must(duration_parse(buf_view(&b), &back) && back == v);
	}
	b.n = 0;
	if (size_parse(s, &v)) {
		must(v >= 0);
		size_format(&b, v);
		must(size_parse(buf_view(&b), &back) && back == v);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char room[ROOM];
	str s = str_of_bytes(data, size);

	if (size > ROOM / 8)
		return 0;
	check_decoder(s);
	check_cut(s);
	check_escape(s, room);
	check_base64url(s, room);
	check_numbers(s, room);
	return 0;
}
