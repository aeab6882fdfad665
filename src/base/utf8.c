#include "base/utf8.h"

#include <string.h>

/* Length and smallest code point announced by a lead byte; length 0 for a byte that leads nothing. */
static size_t lead_length(unsigned char lead, uint32_t *ret_bits, uint32_t *ret_min)
{
	if (lead >= 0xC2 && lead <= 0xDF) {
		*ret_bits = lead & 0x1FU;
		*ret_min = 0x80;
		return 2;
	}
	if (lead >= 0xE0 && lead <= 0xEF) {
		*ret_bits = lead & 0x0FU;
		*ret_min = 0x800;
		return 3;
	}
	if (lead >= 0xF0 && lead <= 0xF4) {
		*ret_bits = lead & 0x07U;
		*ret_min = 0x10000;
		return 4;
	}
	return 0;
}

size_t utf8_next(str s, uint32_t *ret_point)
{
	uint32_t point = 0, min = 0;
	size_t length;

	if (s.n == 0)
		return 0;
	if ((unsigned char)s.p[0] < 0x80) {
		*ret_point = (unsigned char)s.p[0];
		return 1;
	}
	length = lead_length((unsigned char)s.p[0], &point, &min);
	if (length == 0 || length > s.n)
		return 0;
	for (size_t i = 1; i < length; i++) {
		unsigned char next = (unsigned char)s.p[i];
		if ((next & 0xC0U) != 0x80)
			return 0;
		point = point << 6 | (next & 0x3FU);
	}
	/* RFC 3629 §3: no overlong forms, no surrogates, nothing above U+10FFFF */
	if (point < min || (point >= 0xD800 && point <= 0xDFFF) || point > 0x10FFFF)
		return 0;
	*ret_point = point;
	return length;
}

/* How many bytes at the start are ASCII, eight at a time: most text is nothing else. */
static size_t ascii_run(str s)
{
	size_t n = 0;
	uint64_t eight;

	while (s.n - n >= sizeof(eight)) {
		memcpy(&eight, s.p + n, sizeof(eight));
		if ((eight & 0x8080808080808080U) != 0)
			break;
		n += sizeof(eight);
	}
	while (n < s.n && (unsigned char)s.p[n] < 0x80)
		n++;
	return n;
}

bool utf8_is_valid(str s)
{
	uint32_t point;

	for (;;) {
		s = str_skip(s, ascii_run(s));
		if (s.n == 0)
			return true;
		size_t length = utf8_next(s, &point);
		if (length == 0)
			return false;
		s = str_skip(s, length);
	}
}

size_t utf8_points(str s)
{
	size_t points = 0;

	for (size_t i = 0; i < s.n; i++)
		points += ((unsigned char)s.p[i] & 0xC0U) != 0x80;
	return points;
}

static bool within(uint32_t point, uint32_t first, uint32_t last)
{
	return point >= first && point <= last;
}

bool utf8_is_plain_point(uint32_t point)
{
	if (point < 0x20 || within(point, 0x7F, 0x9F)) /* C0, DEL, C1 */
		return false;
	if ((point & 0xFFFE) == 0xFFFE || within(point, 0xFDD0, 0xFDEF)) /* noncharacters */
		return false;
	if (point == 0x061C || within(point, 0x200E, 0x200F) || within(point, 0x202A, 0x202E) ||
	    within(point, 0x2066, 0x2069)) /* bidi controls: text that shows other than it is */
		return false;
	return point != 0x2028 && point != 0x2029; /* line breaks in JavaScript and some viewers */
}

bool utf8_is_plain_text(str s)
{
	uint32_t point;

	while (s.n > 0) {
		size_t length = utf8_next(s, &point);
		if (length == 0 || !utf8_is_plain_point(point))
			return false;
		s = str_skip(s, length);
	}
	return true;
}

str utf8_cut(str s, size_t max)
{
	if (s.n <= max)
		return s;
	/* a character that does not fit whole is left out: at most three bytes to step back over */
	for (size_t back = 0; back < 4 && max > 0 && ((unsigned char)s.p[max] & 0xC0U) == 0x80; back++)
		max--;
	return (str){ s.p, max };
}
