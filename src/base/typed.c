#include "base/typed.h"

#include <unictype.h>

#include "base/buf.h"
#include "base/utf8.h"

#define FULL_WIDTH_FIRST 0xFF01
#define FULL_WIDTH_LAST	 0xFF5E
#define MINUS_SIGN	 0x2212
#define BRAILLE_BLANK	 0x2800

static bool is_line_end(uint32_t c)
{
	return (c >= '\t' && c <= '\r') || c == 0x85;
}

static bool is_blank(uint32_t c)
{
	return is_line_end(c) || c == BRAILLE_BLANK ||
	       uc_is_general_category(c, UC_CATEGORY_Z);
}

/* Format characters, and the letters and marks that show nothing: fillers, variation selectors, joiners. */
static bool is_invisible(uint32_t c)
{
	return uc_is_general_category(c, UC_CATEGORY_Cf) || uc_is_property_default_ignorable_code_point(c);
}

static bool is_dash(uint32_t c)
{
	return uc_is_general_category(c, UC_CATEGORY_Pd) || c == MINUS_SIGN;
}

static uint32_t to_ascii(uint32_t c)
{
	int digit = uc_decimal_value(c);

	if (digit >= 0)
		return (uint32_t)('0' + digit);
	return c >= FULL_WIDTH_FIRST && c <= FULL_WIDTH_LAST ? c - FULL_WIDTH_FIRST + '!' : c;
}

/* Nearly everything that is ever typed. */
static bool is_printable(str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < ' ' || s.p[i] > '~')
			return false;
	}
	return true;
}

static bool falls_at_ends(str s, size_t *ret_n)
{
	uint32_t c;

	*ret_n = utf8_next(s, &c);
	return *ret_n > 0 && (is_blank(c) || is_invisible(c));
}

static str trim(str s)
{
	size_t n, start;

	while (falls_at_ends(s, &n))
		s = str_skip(s, n);
	while (s.n > 0) {
		for (start = s.n - 1; start > 0 && ((unsigned char)s.p[start] & 0xC0U) == 0x80; start--)
			;
		if (!falls_at_ends(str_skip(s, start), &n) || start + n != s.n)
			break;
		s.n = start;
	}
	return s;
}

/* Keyboards of scripts from right to left have these; what embeds, overrides or isolates is for pretending only. */
static bool is_mark(uint32_t c)
{
	return c == 0x200E || c == 0x200F || c == 0x061C;
}

static bool falls_inside(enum typed_as as, uint32_t c)
{
	switch (as) {
	case TYPED_NAME: return is_mark(c);
	case TYPED_NUMBER: return is_invisible(c);
	case TYPED_WORD: break;
	}
	return false;
}

static uint32_t of_number(uint32_t c)
{
	if (c < 0x80)
		return c;
	if (is_dash(c))
		return '-';
	return uc_is_general_category(c, UC_CATEGORY_Zs) ? ' ' : to_ascii(c);
}

/* The character as it was, or the ASCII one that it became. */
static void put(struct buf *b, str was, uint32_t point, uint32_t now)
{
	if (now == point)
		buf_str(b, was);
	else
		buf_byte(b, (char)now);
}

err_t typed_text(struct arena *mem, enum typed_as as, str raw, str *ret)
{
	struct buf b = { 0 };

	*ret = raw.p == NULL ? raw : trim(raw);
	if (is_printable(*ret))
		return OK;
	raw = *ret;
	b.cap = raw.n;
	NEW(b.p, mem, char, b.cap + 1);
	while (raw.n > 0) {
		uint32_t c = 0;
		size_t n = utf8_next(raw, &c);

		if (n == 0) /* no UTF-8: as it is */
			buf_byte(&b, raw.p[0]);
		else if (!falls_inside(as, c))
			put(&b, (str){ raw.p, n }, c, as == TYPED_NUMBER ? of_number(c) : c);
		raw = str_skip(raw, n == 0 ? 1 : n);
	}
	*ret = buf_view(&b);
	return OK;
}

err_t typed_code(struct arena *mem, str raw, str *ret)
{
	struct buf b = { .cap = raw.n };

	*ret = raw;
	if (raw.n == 0)
		return OK;
	NEW(b.p, mem, char, b.cap + 1);
	while (raw.n > 0) {
		uint32_t c = 0;
		size_t n = utf8_next(raw, &c);

		if (n == 0)
			buf_byte(&b, raw.p[0]);
		else if (!is_blank(c) && !is_invisible(c) && !is_dash(c))
			put(&b, (str){ raw.p, n }, c, to_ascii(c));
		raw = str_skip(raw, n == 0 ? 1 : n);
	}
	*ret = buf_view(&b);
	return OK;
}
