#include "base/json_out.h"

#include <string.h>

#include "base/timefmt.h"
#include "base/utf8.h"

/* One bit for each byte that may not be copied as it is: controls, DEL, what means something to JSON
 * or HTML, and everything outside ASCII, which is decoded first. */
static const uint32_t special_bytes[8] = {
	0xFFFFFFFFU,
	1U << ('"' - 32) | 1U << ('&' - 32) | 1U << ('<' - 32) | 1U << ('>' - 32),
	1U << ('\\' - 64),
	1U << (0x7F - 96),
	0xFFFFFFFFU, 0xFFFFFFFFU, 0xFFFFFFFFU, 0xFFFFFFFFU,
};

static bool special(char c)
{
	unsigned char byte = (unsigned char)c;

	return (special_bytes[byte >> 5] >> (byte & 31) & 1) != 0;
}

static void escape_point(struct buf *b, uint32_t point)
{
	static const char hex[] = "0123456789abcdef";
	char text[6] = { '\\', 'u', hex[point >> 12 & 15], hex[point >> 8 & 15],
			 hex[point >> 4 & 15], hex[point & 15] };

	buf_str(b, (str){ text, sizeof(text) });
}

static void escape_ascii(struct buf *b, unsigned char c)
{
	switch (c) {
	case '"': buf_lit(b, "\\\""); break;
	case '\\': buf_lit(b, "\\\\"); break;
	case '\n': buf_lit(b, "\\n"); break;
	case '\r': buf_lit(b, "\\r"); break;
	case '\t': buf_lit(b, "\\t"); break;
	default: escape_point(b, c); break;
	}
}

/* One special character at the start of s; returns how many bytes of s it took. */
static size_t escape_special(struct buf *b, str s)
{
	uint32_t point;
	size_t n;

	if ((unsigned char)s.p[0] < 0x80) {
		escape_ascii(b, (unsigned char)s.p[0]);
		return 1;
	}
	n = utf8_next(s, &point);
	if (n == 0) {
		buf_lit(b, "\xEF\xBF\xBD"); /* U+FFFD for each byte that belongs to nothing */
		return 1;
	}
	/* C1 controls, U+2028/9 and bidi controls are legal in JSON, but not fit to be looked at */
	if (point <= 0xFFFF && !utf8_is_plain_point(point))
		escape_point(b, point);
	else
		buf_str(b, (str){ s.p, n });
	return n;
}

void json_escape(struct buf *b, str text)
{
	while (text.n > 0) {
		size_t run = 0;
		while (run < text.n && !special(text.p[run]))
			run++;
		buf_str(b, (str){ text.p, run });
		text = str_skip(text, run);
		if (text.n > 0)
			text = str_skip(text, escape_special(b, text));
	}
}

void out_begin(struct json_out *o, struct buf *b)
{
	*o = (struct json_out){ .b = b };
}

static bool in_object(const struct json_out *o)
{
	return o->depth > 0 && (o->objects >> (o->depth - 1) & 1) != 0;
}

/* Called before each value: writes the comma, or notes the misuse. */
static void before_value(struct json_out *o)
{
	if (o->keyed) {
		o->keyed = false;
		return;
	}
	/* a member without its key, or a second value on top */
	if (in_object(o) || (o->depth == 0 && o->comma))
		o->b->overflow = true;
	if (o->comma)
		buf_byte(o->b, ',');
}

static void open_value(struct json_out *o, char bracket, bool object)
{
	before_value(o);
	if (o->depth == JSON_OUT_DEPTH_MAX) {
		o->b->overflow = true;
		return;
	}
	o->objects &= ~((uint64_t)1 << o->depth);
	o->objects |= (uint64_t)object << o->depth;
	o->depth++;
	o->comma = false;
	buf_byte(o->b, bracket);
}

static void close_value(struct json_out *o, char bracket, bool object)
{
	if (o->depth == 0 || in_object(o) != object || o->keyed) {
		o->b->overflow = true;
		return;
	}
	o->depth--;
	o->comma = true;
	buf_byte(o->b, bracket);
}

static void write_value(struct json_out *o, str json)
{
	before_value(o);
	buf_str(o->b, json);
	o->comma = true;
}

void out_obj(struct json_out *o)
{
	open_value(o, '{', true);
}

void out_arr(struct json_out *o)
{
	open_value(o, '[', false);
}

void out_end_obj(struct json_out *o)
{
	close_value(o, '}', true);
}

void out_end_arr(struct json_out *o)
{
	close_value(o, ']', false);
}

void out_key(struct json_out *o, str key)
{
	if (!in_object(o) || o->keyed)
		o->b->overflow = true;
	if (o->comma)
		buf_byte(o->b, ',');
	buf_byte(o->b, '"');
	json_escape(o->b, key);
	buf_lit(o->b, "\":");
	o->keyed = true;
}

void out_value_str(struct json_out *o, str v)
{
	if (v.p == NULL) {
		out_value_null(o);
		return;
	}
	before_value(o);
	buf_byte(o->b, '"');
	json_escape(o->b, v);
	buf_byte(o->b, '"');
	o->comma = true;
}

void out_value_i64(struct json_out *o, int64_t v)
{
	before_value(o);
	buf_i64(o->b, v);
	o->comma = true;
}

void out_value_bool(struct json_out *o, bool v)
{
	write_value(o, v ? STR("true") : STR("false"));
}

void out_value_null(struct json_out *o)
{
	write_value(o, STR("null"));
}

void out_value_time(struct json_out *o, int64_t ms)
{
	before_value(o);
	buf_byte(o->b, '"');
	time_format(o->b, ms);
	buf_byte(o->b, '"');
	o->comma = true;
}

void out_value_raw(struct json_out *o, str json)
{
	write_value(o, json);
}

void out_str(struct json_out *o, str key, str v)
{
	if (v.p == NULL)
		return;
	out_key(o, key);
	out_value_str(o, v);
}

void out_i64(struct json_out *o, str key, int64_t v)
{
	out_key(o, key);
	out_value_i64(o, v);
}

void out_bool(struct json_out *o, str key, bool v)
{
	out_key(o, key);
	out_value_bool(o, v);
}

void out_time(struct json_out *o, str key, int64_t ms)
{
	out_key(o, key);
	out_value_time(o, ms);
}
