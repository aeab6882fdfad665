/* UTF-8, base64url, hexadecimal, durations and sizes, times, JSON output. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64url.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/json_out.h"
#include "base/rng.h"
#include "base/timefmt.h"
#include "base/utf8.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static void assert_str(str got, const char *want)
{
	if (got.n != strlen(want) || memcmp(got.p, want, got.n) != 0)
		fail_msg("got \"%.*s\", want \"%s\"", STR_ARG(got), want);
}

/* ---- UTF-8 ---- */

/* The kinds of malformed sequences: each stands alone, then after and before ASCII and inside a
 * text long enough for the fast path. */
static const char *const malformed[] = {
	/* continuation bytes without a lead */
	"\x80", "\xBF", "\x80\xBF", "\x80\xBF\x80\xBF\x80\xBF\x80",
	/* leads without continuation */
	"\xC2", "\xDF ", "\xE0", "\xEF ", "\xF0", "\xF4 ",
	/* cut short by one, two, three bytes */
	"\xE1\x80", "\xEF\xBF", "\xF0\x90", "\xF1\x80\x80", "\xF4\x8F\xBF",
	"\xE1\x80 ", "\xF1\x80\x80 ", "\xC2\xC2\x80",
	/* bytes that never occur */
	"\xFE", "\xFF", "\xC0", "\xC1", "\xF5", "\xFE\xFE\xFF\xFF",
	/* overlong '/' and the greatest overlong forms */
	"\xC0\xAF", "\xE0\x80\xAF", "\xF0\x80\x80\xAF",
	"\xF8\x80\x80\x80\xAF", "\xFC\x80\x80\x80\x80\xAF",
	"\xC1\xBF", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF",
	"\xF8\x87\xBF\xBF\xBF", "\xFC\x83\xBF\xBF\xBF\xBF",
	/* overlong NUL */
	"\xC0\x80", "\xE0\x80\x80", "\xF0\x80\x80\x80",
	/* surrogates, alone and in pairs */
	"\xED\xA0\x80", "\xED\xAD\xBF", "\xED\xAE\x80", "\xED\xAF\xBF",
	"\xED\xB0\x80", "\xED\xBE\x80", "\xED\xBF\xBF",
	"\xED\xA0\x80\xED\xB0\x80", "\xED\xAF\xBF\xED\xBF\xBF",
	/* above U+10FFFF, and five- and six-byte forms */
	"\xF4\x90\x80\x80", "\xF7\xBF\xBF\xBF", "\xF8\x88\x80\x80\x80",
	"\xFB\xBF\xBF\xBF\xBF", "\xFD\xBF\xBF\xBF\xBF\xBF",
};

static void HT11_malformed_utf8_is_refused_wherever_it_stands(void **state)
{
	char room[64];

	(void)state;
	for (size_t i = 0; i < N_OF(malformed); i++) {
		uint32_t point = 7;
		str bad = str_of_cstr(malformed[i]);
		assert_false(utf8_is_valid(bad));
		assert_false(utf8_is_plain_text(bad));
		assert_int_equal(utf8_next(bad, &point), 0);
		assert_int_equal(point, 7);
		for (size_t before = 0; before < 18; before++) {
			struct buf b = BUF_OF(room);
			for (size_t j = 0; j < before; j++)
				buf_byte(&b, 'a');
			buf_str(&b, bad);
			buf_lit(&b, "tail of ascii");
			assert_false(utf8_is_valid(buf_view(&b)));
			assert_false(utf8_is_plain_text(buf_view(&b)));
		}
	}
}

static size_t encode_point(uint32_t p, char *to)
{
	if (p < 0x80) {
		to[0] = (char)p;
		return 1;
	}
	if (p < 0x800) {
		to[0] = (char)(0xC0 | p >> 6);
		to[1] = (char)(0x80 | (p & 63));
		return 2;
	}
	if (p < 0x10000) {
		to[0] = (char)(0xE0 | p >> 12);
		to[1] = (char)(0x80 | (p >> 6 & 63));
		to[2] = (char)(0x80 | (p & 63));
		return 3;
	}
	to[0] = (char)(0xF0 | p >> 18);
	to[1] = (char)(0x80 | (p >> 12 & 63));
	to[2] = (char)(0x80 | (p >> 6 & 63));
	to[3] = (char)(0x80 | (p & 63));
	return 4;
}

static void every_code_point_decodes_to_itself_except_surrogates(void **state)
{
	char text[4];

	(void)state;
	for (uint32_t p = 0; p <= 0x10FFFF; p++) {
		uint32_t got = ~p;
		str s = { text, encode_point(p, text) };
		bool surrogate = p >= 0xD800 && p <= 0xDFFF;
		if (utf8_next(s, &got) != (surrogate ? 0 : s.n) || (!surrogate && got != p))
			fail_msg("U+%04X", p);
		if (utf8_is_valid(s) == surrogate)
			fail_msg("U+%04X", p);
	}
}

static void points_are_counted_not_bytes(void **state)
{
	(void)state;
	assert_int_equal(utf8_points(STR("")), 0);
	assert_int_equal(utf8_points(STR("a\0b")), 3);
	assert_int_equal(utf8_points(STR("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80x")), 4);
	assert_true(utf8_is_valid(STR("a\0b")));
	assert_true(utf8_is_valid(STR_NONE));
}

static void HT11_names_take_no_controls_noncharacters_or_bidi_marks(void **state)
{
	static const uint32_t refused[] = {
		0, 9, 10, 13, 0x1B, 0x1F, 0x7F, 0x80, 0x85, 0x9B, 0x9F, 0x61C, 0x200E, 0x200F,
		0x2028, 0x2029, 0x202A, 0x202E, 0x2066, 0x2069, 0xFDD0, 0xFDEF, 0xFFFE, 0xFFFF,
		0x1FFFE, 0x1FFFF, 0x10FFFE, 0x10FFFF,
	};
	static const uint32_t taken[] = {
		0x20, 0x7E, 0xA0, 0xE4, 0x61B, 0x61D, 0x200D, 0x2010, 0x2027, 0x2030, 0x2065, 0x206A,
		0xD7FF, 0xE000, 0xFDCF, 0xFDF0, 0xFEFF, 0xFFFD, 0x1F600, 0x10FFFD,
	};
	char text[8] = "ab";

	(void)state;
	for (size_t i = 0; i < N_OF(refused); i++) {
		str s = { text, 2 + encode_point(refused[i], text + 2) };
		assert_true(utf8_is_valid(s));
		if (utf8_is_plain_text(s))
			fail_msg("U+%04X was taken", refused[i]);
	}
	for (size_t i = 0; i < N_OF(taken); i++) {
		str s = { text, 2 + encode_point(taken[i], text + 2) };
		if (!utf8_is_plain_text(s))
			fail_msg("U+%04X was refused", taken[i]);
	}
	assert_true(utf8_is_plain_text(STR("")));
}

static void cutting_text_never_splits_a_character(void **state)
{
	str s = STR("ab\xF0\x9F\x98\x80" "c");

	(void)state;
	assert_str(utf8_cut(s, 0), "");
	assert_str(utf8_cut(s, 2), "ab");
	for (size_t max = 3; max < 6; max++)
		assert_str(utf8_cut(s, max), "ab");
	assert_str(utf8_cut(s, 6), "ab\xF0\x9F\x98\x80");
	assert_int_equal(utf8_cut(s, 7).n, 7);
	assert_int_equal(utf8_cut(s, 100).n, 7);
	assert_null(utf8_cut(STR_NONE, 3).p);
}

/* ---- base64url ---- */

static void base64url_matches_the_vectors_of_rfc_4648_without_padding(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" }, { "f", "Zg" }, { "fo", "Zm8" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg" },
		{ "fooba", "Zm9vYmE" }, { "foobar", "Zm9vYmFy" }, { "\xFB\xFF\xBF", "-_-_" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		char room[16], back[16];
		struct buf b = BUF_OF(room);
		str bytes = str_of_cstr(rows[i][0]);
		size_t n = 99;
		base64url_encode(&b, bytes);
		assert_str(buf_view(&b), rows[i][1]);
		assert_int_equal(b.n, BASE64URL_LEN(bytes.n));
		assert_true(base64url_decode(buf_view(&b), back, bytes.n, &n));
		assert_true(str_eq((str){ back, n }, bytes));
	}
}

static void any_bytes_come_back_from_base64url_unchanged(void **state)
{
	char bytes[256], text[BASE64URL_LEN(256)], back[256];

	(void)state;
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		struct buf b = BUF_OF(text);
		size_t got = 0;
		assert_int_equal(rng_fill(rng_system, bytes, n).code, ERR_OK);
		base64url_encode(&b, (str){ bytes, n });
		assert_false(b.overflow);
		assert_int_equal(b.n, BASE64URL_LEN(n));
		assert_true(base64url_decode(buf_view(&b), back, sizeof(back), &got));
		assert_int_equal(got, n);
		assert_memory_equal(back, bytes, n);
		assert_true(n == 0 || !base64url_decode(buf_view(&b), back, n - 1, &got));
	}
}

/* There is exactly one text for any bytes, or one token would have many spellings. */
static void JW06_base64url_takes_no_second_spelling(void **state)
{
	static const char *const rows[] = {
		"A", "AAAAA", "Zg==", "Zg=", "Zm8=", "Zh", "Zm9", "Zm-", "Z g", "Zg\n", " Zg", "Zg ",
		"Zm9+", "Zm9/", "Zm9v.", "Zm9\x80", "Zm9\xFF", "\xC3\xA4zz", "@AAA", "[AAA", "`AAA",
		"{AAA", "/AAA", ":AAA", ",AAA", "^AAA",
	};
	char back[16];
	size_t n = 99;

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		if (base64url_decode(str_of_cstr(rows[i]), back, sizeof(back), &n))
			fail_msg("\"%s\" was taken", rows[i]);
	}
	assert_false(base64url_decode(STR("A\0AA"), back, sizeof(back), &n));
	assert_int_equal(n, 99);
}

static void each_byte_value_is_either_a_digit_of_base64url_or_refused(void **state)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	(void)state;
	for (int c = 0; c < 256; c++) {
		char text[4] = { 'A', 'A', 'A', (char)c };
		const char *at = c == 0 ? NULL : strchr(digits, c);
		uint8_t back[3];
		size_t n;
		bool taken = base64url_decode((str){ text, 4 }, back, 3, &n);
		assert_int_equal(taken, at != NULL);
		if (taken)
			assert_int_equal(back[2], at - digits);
	}
}

static void hexadecimal_is_lower_case_and_bounded(void **state)
{
	char room[8];
	struct buf b = BUF_OF(room);

	(void)state;
	hex_encode(&b, STR("\x00\x7F\xAB\xFF"));
	assert_str(buf_view(&b), "007fabff");
	hex_encode(&b, STR("x"));
	assert_true(b.overflow);
}

/* ---- durations and sizes ---- */

static void durations_follow_both_grammars_of_the_contract(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
		{ "15m", 900000 }, { "1.5h", 5400000 }, { "1.5s", 1500 }, { "120", 120 },
		{ "500ms", 500 }, { "1y", 31557600000 }, { "0", 0 }, { "0s", 0 }, { ".5s", 500 },
		{ "7d", 604800000 }, { "2w", 1209600000 }, { "1 H", 3600000 }, { "1\tday", 86400000 },
		{ "1 MINUTES", 60000 }, { "3 MSECS", 3 }, { "1millisecond", 1 },
		{ "2 milliseconds", 2 }, { "1sec", 1000 }, { "1secs", 1000 }, { "1second", 1000 },
		{ "1seconds", 1000 }, { "1min", 60000 }, { "1mins", 60000 }, { "1minute", 60000 },
		{ "1hr", 3600000 }, { "1hrs", 3600000 }, { "1hour", 3600000 }, { "1hours", 3600000 },
		{ "1days", 86400000 }, { "1week", 604800000 }, { "1weeks", 604800000 },
		{ "1yr", 31557600000 }, { "1yrs", 31557600000 }, { "1year", 31557600000 },
		{ "1years", 31557600000 }, { "1msec", 1 }, { "0.0009s", 0 }, { "1.9999", 1 },
		{ "0.1d", 8640000 }, { "0.33333333333333333333333333333333h", 1199999 },
		{ "1000y", 31557600000000 }, { "15 ", 15 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		int64_t ms = -1;
		if (!duration_parse(str_of_cstr(rows[i].text), &ms) || ms != rows[i].ms)
			fail_msg("\"%s\": %lld", rows[i].text, (long long)ms);
	}
}

static void what_is_no_duration_is_refused_and_changes_nothing(void **state)
{
	static const char *const rows[] = {
		"", " ", "m", ".", "1.", "1.s", "-1s", "+1s", " 1s", "1s1s", "1..5s", "1.5.5s", "1 fortnight",
		"1e3s", "0x10s", "1,5s", "inf", "nan", "1000.0000001y", "1001y", "9223372036854775807s",
		"9223372036854775808", "99999999999999999999999999", "1mo", "1\ns", "\xD9\xA1s",
	};
	char longest[102];
	int64_t ms = 77;

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		if (duration_parse(str_of_cstr(rows[i]), &ms))
			fail_msg("\"%s\" was taken", rows[i]);
	}
	assert_false(duration_parse(STR("1s\0"), &ms));
	assert_int_equal(ms, 77);
	memset(longest, '0', sizeof(longest));
	assert_true(duration_parse((str){ longest, 100 }, &ms));
	assert_false(duration_parse((str){ longest, 101 }, &ms));
}

static void HT12_sizes_and_durations_are_exact_at_the_word_boundaries(void **state)
{
	static const struct {
		const char *text;
		int64_t value; /* -1: refused */
	} sizes[] = {
		{ "0", 0 }, { "1", 1 }, { "2147483647", 2147483647 }, { "2147483648", 2147483648 },
		{ "2147483649", 2147483649 }, { "4294967295", 4294967295 },
		{ "4294967296", 4294967296 }, { "4294967297", 4294967297 },
		{ "9223372036854775807", INT64_MAX }, { "9223372036854775808", -1 },
		{ "9223372036854775809", -1 }, { "18446744073709551616", -1 },
		{ "2097152KiB", 2147483648 }, { "4194304K", 4294967296 }, { "4GiB", 4294967296 },
		{ "9007199254740991KiB", INT64_MAX - 1023 }, { "9007199254740992KiB", -1 },
		{ "8589934591GiB", INT64_MAX - 1073741823 }, { "8589934592GiB", -1 },
		{ "8589934591.9999999999GiB", INT64_MAX }, { "18446744073709551617KiB", -1 },
		{ "19MiB", 19922944 }, { "19456KiB", 19922944 }, { "1.5m", 1572864 }, { "64 kib", 65536 },
		{ "10B", 10 }, { "0.5G", 536870912 }, { "1TiB", -1 }, { "1KB", -1 }, { "-1", -1 },
		{ "1s", -1 }, { "", -1 },
	};
	static const struct {
		const char *text;
		int64_t value;
	} durations[] = {
		{ "0", 0 }, { "1", 1 }, { "2147483647", 2147483647 }, { "2147483648", 2147483648 },
		{ "2147483649", 2147483649 }, { "4294967295", 4294967295 },
		{ "4294967296", 4294967296 }, { "4294967297", 4294967297 },
		{ "9223372036854775807", -1 }, { "9223372036854775808", -1 },
		{ "9223372036854775809", -1 }, { "9223372036854775807y", -1 },
		{ "18446744073709551617s", -1 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(sizes); i++) {
		int64_t v = -1;
		bool taken = size_parse(str_of_cstr(sizes[i].text), &v);
		if (taken != (sizes[i].value >= 0) || v != sizes[i].value)
			fail_msg("\"%s\": %lld", sizes[i].text, (long long)v);
	}
	for (size_t i = 0; i < N_OF(durations); i++) {
		int64_t v = -1;
		bool taken = duration_parse(str_of_cstr(durations[i].text), &v);
		if (taken != (durations[i].value >= 0) || v != durations[i].value)
			fail_msg("\"%s\": %lld", durations[i].text, (long long)v);
	}
}

static void formatted_durations_and_sizes_are_short_and_read_back(void **state)
{
	static const struct {
		int64_t v;
		const char *duration, *size;
	} rows[] = {
		{ 0, "0s", "0B" }, { 1, "1ms", "1B" }, { 1500, "1500ms", "1500B" },
		{ 90000, "90s", "90000B" }, { 900000, "15m", "900000B" }, { 1024, "1024ms", "1KiB" },
		{ 19922944, "19922944ms", "19MiB" }, { 5400000, "90m", "5400000B" },
		{ 7776000000, "90d", "7593750KiB" }, { 1073741824, "1073741824ms", "1GiB" },
		{ 3600000, "1h", "3600000B" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		char room[64];
		struct buf b = BUF_OF(room);
		int64_t back = -1;
		duration_format(&b, rows[i].v);
		assert_str(buf_view(&b), rows[i].duration);
		assert_true(duration_parse(buf_view(&b), &back) && back == rows[i].v);
		b = BUF_OF(room);
		size_format(&b, rows[i].v);
		assert_str(buf_view(&b), rows[i].size);
		assert_true(size_parse(buf_view(&b), &back) && back == rows[i].v);
	}
}

/* ---- times ---- */

static void assert_time(int64_t ms, const char *want)
{
	char room[TIME_TEXT_LEN];
	struct buf b = BUF_OF(room);

	time_format(&b, ms);
	assert_false(b.overflow);
	assert_str(buf_view(&b), want);
}

static void times_have_one_form_and_are_clamped_to_four_digit_years(void **state)
{
	(void)state;
	assert_time(0, "1970-01-01T00:00:00.000Z");
	assert_time(-1, "1969-12-31T23:59:59.999Z");
	assert_time(1795428580790, "2026-11-23T10:09:40.790Z");
	assert_time(951782400000, "2000-02-29T00:00:00.000Z");
	assert_time(4107542400000 - 1, "2100-02-28T23:59:59.999Z");
	assert_time(4107542400000, "2100-03-01T00:00:00.000Z");
	assert_time(-62135596800000, "0001-01-01T00:00:00.000Z");
	assert_time(-62135596800001, "0001-01-01T00:00:00.000Z");
	assert_time(INT64_MIN, "0001-01-01T00:00:00.000Z");
	assert_time(253402300799999, "9999-12-31T23:59:59.999Z");
	assert_time(253402300800000, "9999-12-31T23:59:59.999Z");
	assert_time(INT64_MAX, "9999-12-31T23:59:59.999Z");
}

/* The C library's calendar as the second opinion, for every day of the years 1 to 9999. */
static void every_day_agrees_with_the_c_library(void **state)
{
	(void)state;
	for (int64_t day = -719162; day <= 2932896; day++) {
		int64_t ms = day * MS_PER_DAY + (day & 0xFFFF) * 1000 + 7;
		time_t t = (time_t)(day * 86400 + (day & 0xFFFF));
		char room[TIME_TEXT_LEN], want[80];
		struct buf b = BUF_OF(room);
		struct tm tm;
		time_format(&b, ms);
		assert_non_null(gmtime_r(&t, &tm));
		(void)snprintf(want, sizeof(want), "%04d-%02d-%02dT%02d:%02d:%02d.007Z",
			       tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
			       tm.tm_sec);
		if (memcmp(want, room, sizeof(room)) != 0)
			fail_msg("day %lld: %s", (long long)day, want);
	}
}

/* ---- JSON ---- */

static void an_object_with_everything_is_written_in_order(void **state)
{
	char room[512];
	struct buf b = BUF_OF(room);
	struct json_out o;

	(void)state;
	out_begin(&o, &b);
	out_obj(&o);
	out_str(&o, STR("a"), STR("x"));
	out_str(&o, STR("absent"), STR_NONE);
	out_i64(&o, STR("n"), -5);
	out_bool(&o, STR("t"), true);
	out_time(&o, STR("at"), 0);
	out_key(&o, STR("list"));
	out_arr(&o);
	out_value_i64(&o, 1);
	out_value_null(&o);
	out_value_str(&o, STR_NONE);
	out_value_bool(&o, false);
	out_obj(&o);
	out_end_obj(&o);
	out_arr(&o);
	out_end_arr(&o);
	out_value_raw(&o, STR("{\"r\":1}"));
	out_end_arr(&o);
	out_key(&o, STR("o"));
	out_obj(&o);
	out_str(&o, STR("k"), STR(""));
	out_end_obj(&o);
	out_key(&o, STR("last"));
	out_value_time(&o, 1);
	out_end_obj(&o);
	assert_false(b.overflow);
	assert_int_equal(o.depth, 0);
	assert_str(buf_view(&b), "{\"a\":\"x\",\"n\":-5,\"t\":true,\"at\":\"1970-01-01T00:00:00.000Z\","
		   "\"list\":[1,null,null,false,{},[],{\"r\":1}],\"o\":{\"k\":\"\"},"
		   "\"last\":\"1970-01-01T00:00:00.001Z\"}");
}

static void assert_escaped(str text, const char *want)
{
	char room[256];
	struct buf b = BUF_OF(room);

	json_escape(&b, text);
	assert_false(b.overflow);
	assert_str(buf_view(&b), want);
}

static void strings_are_escaped_for_json_html_and_terminals(void **state)
{
	(void)state;
	assert_escaped(STR("plain text, 100% ~ 'quoted' \x20"), "plain text, 100% ~ 'quoted'  ");
	assert_escaped(STR("\"\\/\n\r\t\b\f"), "\\\"\\\\/\\n\\r\\t\\u0008\\u000c");
	assert_escaped(STR("</script>&"), "\\u003c/script\\u003e\\u0026");
	assert_escaped(STR("\0\x1B[31m\x7F"), "\\u0000\\u001b[31m\\u007f");
	assert_escaped(STR("\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAE\xC2\x9B"),
		       "\\u2028\\u2029\\u202e\\u009b");
	assert_escaped(STR("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"), "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
	assert_escaped(STR("a\xFF" "b\xC3"), "a\xEF\xBF\xBD" "b\xEF\xBF\xBD");
	assert_escaped(STR("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
	assert_escaped(STR(""), "");
	assert_escaped(STR_NONE, "");
}

/* Whatever the bytes, the result is valid UTF-8 and has no byte that could end a string or a line. */
static void HT11_escaped_text_is_always_valid_and_harmless(void **state)
{
	(void)state;
	for (int a = 0; a < 256; a++) {
		for (int b2 = 0; b2 < 256; b2++) {
			char in[3] = { (char)a, (char)b2, 'x' };
			char room[64];
			struct buf b = BUF_OF(room);
			json_escape(&b, (str){ in, 3 });
			assert_true(utf8_is_plain_text(buf_view(&b)));
			for (size_t i = 0; i < b.n; i++)
				assert_null(b.p[i] == 0 ? "NUL" : strchr("<>&", b.p[i]));
		}
	}
}

static bool misused(void (*how)(struct json_out *))
{
	char room[256];
	struct buf b = BUF_OF(room);
	struct json_out o;

	out_begin(&o, &b);
	how(&o);
	return b.overflow;
}

static void value_without_key(struct json_out *o)
{
	out_obj(o);
	out_value_i64(o, 1);
}

static void key_in_array(struct json_out *o)
{
	out_arr(o);
	out_key(o, STR("k"));
}

static void key_on_top(struct json_out *o)
{
	out_key(o, STR("k"));
}

static void two_keys(struct json_out *o)
{
	out_obj(o);
	out_key(o, STR("k"));
	out_key(o, STR("k"));
}

static void key_without_value(struct json_out *o)
{
	out_obj(o);
	out_key(o, STR("k"));
	out_end_obj(o);
}

static void wrong_end(struct json_out *o)
{
	out_obj(o);
	out_end_arr(o);
}

static void end_too_many(struct json_out *o)
{
	out_arr(o);
	out_end_arr(o);
	out_end_arr(o);
}

static void second_value_on_top(struct json_out *o)
{
	out_value_i64(o, 1);
	out_value_i64(o, 2);
}

static void too_deep(struct json_out *o)
{
	for (int i = 0; i <= JSON_OUT_DEPTH_MAX; i++)
		out_arr(o);
}

static void just_deep_enough(struct json_out *o)
{
	for (int i = 0; i < JSON_OUT_DEPTH_MAX; i++)
		out_arr(o);
	for (int i = 0; i < JSON_OUT_DEPTH_MAX; i++)
		out_end_arr(o);
}

static void misuse_of_the_writer_sets_overflow(void **state)
{
	(void)state;
	assert_true(misused(value_without_key));
	assert_true(misused(key_in_array));
	assert_true(misused(key_on_top));
	assert_true(misused(two_keys));
	assert_true(misused(key_without_value));
	assert_true(misused(wrong_end));
	assert_true(misused(end_too_many));
	assert_true(misused(second_value_on_top));
	assert_true(misused(too_deep));
	assert_false(misused(just_deep_enough));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(HT11_malformed_utf8_is_refused_wherever_it_stands),
		cmocka_unit_test(every_code_point_decodes_to_itself_except_surrogates),
		cmocka_unit_test(points_are_counted_not_bytes),
		cmocka_unit_test(HT11_names_take_no_controls_noncharacters_or_bidi_marks),
		cmocka_unit_test(cutting_text_never_splits_a_character),
		cmocka_unit_test(base64url_matches_the_vectors_of_rfc_4648_without_padding),
		cmocka_unit_test(any_bytes_come_back_from_base64url_unchanged),
		cmocka_unit_test(JW06_base64url_takes_no_second_spelling),
		cmocka_unit_test(each_byte_value_is_either_a_digit_of_base64url_or_refused),
		cmocka_unit_test(hexadecimal_is_lower_case_and_bounded),
		cmocka_unit_test(durations_follow_both_grammars_of_the_contract),
		cmocka_unit_test(what_is_no_duration_is_refused_and_changes_nothing),
		cmocka_unit_test(HT12_sizes_and_durations_are_exact_at_the_word_boundaries),
		cmocka_unit_test(formatted_durations_and_sizes_are_short_and_read_back),
		cmocka_unit_test(times_have_one_form_and_are_clamped_to_four_digit_years),
		cmocka_unit_test(every_day_agrees_with_the_c_library),
		cmocka_unit_test(an_object_with_everything_is_written_in_order),
		cmocka_unit_test(strings_are_escaped_for_json_html_and_terminals),
		cmocka_unit_test(HT11_escaped_text_is_always_valid_and_harmless),
		cmocka_unit_test(misuse_of_the_writer_sets_overflow),
	};

	return cmocka_run_group_tests_name("base_text", tests, NULL, NULL);
}
