/* The guard over raw bytes: what it lets through, what it refuses, and that it does not matter how
 * the bytes were cut into reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "http/wire.h"

#define INPUT_MAX 32768

struct outcome {
	enum err_code code;
	uint64_t requests;
	char out[INPUT_MAX]; /* everything handed on */
	size_t n;
	bool between;
};

/* Reads of `step` bytes; 0: all at once. Each in memory of its own, so that a sanitizer watches. */
static struct outcome feed(str input, size_t step)
{
	static struct outcome o;
	struct wire w;

	memset(&o, 0, sizeof(o));
	wire_init(&w);
	for (size_t at = 0; at < input.n && o.code == ERR_OK;) {
		size_t n = step == 0 || step > input.n - at ? input.n - at : step;
		char *copy = malloc(n);
		struct wire_fed fed;

		assert_non_null(copy);
		memcpy(copy, input.p + at, n);
		o.code = wire_feed(&w, copy, n, &fed).code;
		assert_true(fed.whole <= fed.keep && fed.keep <= n);
		memcpy(o.out + o.n, copy, fed.keep);
		o.n += fed.keep;
		free(copy);
		at += n;
	}
	o.requests = w.n_requests;
	o.between = wire_between(&w);
	return o;
}

#define HEAD "POST /a HTTP/1.1\r\nHost: h\r\n"
#define GET  "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

static void assert_verdict(str input, enum err_code want, uint64_t requests)
{
	static const size_t steps[] = { 0, 1, 2, 3, 5, 7, 16, 61 };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct outcome o = feed(input, steps[i]);

		if (o.code != want || o.requests != requests)
			fail_msg("reads of %zu: code %s instead of %s, %llu requests instead of "
				 "%llu:\n%.*s",
				 steps[i], err_name(o.code), err_name(want),
				 (unsigned long long)o.requests, (unsigned long long)requests,
				 STR_ARG(input));
	}
}

struct row {
	str input;
	uint64_t before; /* requests that end before the violation */
};
#define R(text)                                                                                    \
	{                                                                                          \
		{ text, sizeof(text) - 1 }, 0                                                      \
	}

static void assert_all_refused(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_verdict(rows[i].input, ERR_BAD_REQUEST, rows[i].before);
}
#define ASSERT_ALL_REFUSED(rows) assert_all_refused((rows), sizeof(rows) / sizeof((rows)[0]))

static void HT01_lengths_that_two_readers_could_read_differently_are_refused(void **state)
{
	static const struct row rows[] = {
		R(HEAD "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		R(HEAD "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
		R(HEAD "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n"),
		R(HEAD "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
		R(HEAD "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
		R(HEAD "Content-Length: 5\r\ncontent-length: 5\r\n\r\nhello"),
		R(HEAD "Content-Length: 5, 5\r\n\r\nhello"),
		R(HEAD "Content-Length: 5,5\r\n\r\nhello"),
		R(HEAD "Content-Length: +5\r\n\r\nhello"),
		R(HEAD "Content-Length: -5\r\n\r\nhello"),
		R(HEAD "Content-Length: -0\r\n\r\n"),
		R(HEAD "Content-Length: 0x5\r\n\r\nhello"),
		R(HEAD "Content-Length: 5h\r\n\r\nhello"),
		R(HEAD "Content-Length: h5\r\n\r\nhello"),
		R(HEAD "Content-Length: 5 \r\n\r\nhello"),
		R(HEAD "Content-Length: 5\t\r\n\r\nhello"),
		R(HEAD "Content-Length: 5 5\r\n\r\nhello"),
		R(HEAD "Content-Length: 5.0\r\n\r\nhello"),
		R(HEAD "Content-Length: \"5\"\r\n\r\nhello"),
		R(HEAD "Content-Length: 5;q=1\r\n\r\nhello"),
		R(HEAD "Content-Length:\r\n\r\n"),
		R(HEAD "Content-Length: \r\n\r\n"),
		R(HEAD "Content-Length: 9223372036854775808\r\n\r\n"),
		R(HEAD "Content-Length: 18446744073709551616\r\n\r\n"),
		R(HEAD "Content-Length: 18446744073709551621\r\n\r\nhello"),
		R(HEAD "Content-Length: 0000000000000000005\r\n\r\nhello"),
		R(HEAD "Content-Length : 5\r\n\r\nhello"),
		R(HEAD "Content-Length\t: 5\r\n\r\nhello"),
		R(HEAD " Content-Length: 5\r\n\r\nhello"),
	};

	(void)state;
	ASSERT_ALL_REFUSED(rows);
}

static void HT02_codings_other_than_exactly_chunked_are_refused(void **state)
{
	static const struct row rows[] = {
		R(HEAD "Transfer-Encoding: identity\r\n\r\n"),
		R(HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
		R(HEAD "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
		R(HEAD "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n"),
		R(HEAD "Transfer-Encoding: chunked \r\n\r\n0\r\n\r\n"),
		R(HEAD "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n"),
		R(HEAD "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
		R(HEAD "Transfer-Encoding: chunke\r\n\r\n0\r\n\r\n"),
		R(HEAD "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"),
		R(HEAD "Transfer-Encoding: \x0b"
		       "chunked\r\n\r\n0\r\n\r\n"),
		R(HEAD "Transfer-Encoding:\r\n\r\n"),
		R(HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		R(HEAD
		  "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"),
		R("POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		R("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	};

	(void)state;
	ASSERT_ALL_REFUSED(rows);
}

#define CHUNKED HEAD "Transfer-Encoding: chunked\r\n\r\n"

static void HT02_chunks_that_two_readers_could_read_differently_are_refused(void **state)
{
	static const struct row rows[] = {
		R(CHUNKED "\r\n"),
		R(CHUNKED ";x\r\n"),
		R(CHUNKED "g\r\n"),
		R(CHUNKED "0x5\r\nhello\r\n0\r\n\r\n"),
		R(CHUNKED "+5\r\nhello\r\n0\r\n\r\n"),
		R(CHUNKED "-5\r\n"),
		R(CHUNKED " 5\r\nhello\r\n0\r\n\r\n"),
		R(CHUNKED "5 \r\nhello\r\n0\r\n\r\n"),
		R(CHUNKED "5 ;x\r\nhello\r\n0\r\n\r\n"),
		R(CHUNKED "5\nhello\r\n0\r\n\r\n"),
		R(CHUNKED "5\rhello\r\n0\r\n\r\n"),
		R(CHUNKED "5\r\nhello0\r\n\r\n"),
		R(CHUNKED "5\r\nhello\n0\r\n\r\n"),
		R(CHUNKED "5\r\nhello\r0\r\n\r\n"),
		R(CHUNKED "5\r\nhello!\r\n0\r\n\r\n"),
		R(CHUNKED "10000000000000000\r\n"), /* 2^64 */
		R(CHUNKED "00000000000000005\r\nhello\r\n0\r\n\r\n"),
		R(CHUNKED "5;x\ny\r\nhello\r\n0\r\n\r\n"),
		R(CHUNKED "5;x\ry\r\nhello\r\n0\r\n\r\n"),
		R(CHUNKED "5;\x01\r\nhello\r\n0\r\n\r\n"),
		R(CHUNKED "0\r\n\n"),
		R(CHUNKED "0\r\n\r\r\n"),
		R(CHUNKED "0\r\nX\r\n\r\n"),
		R(CHUNKED "0\r\nX : y\r\n\r\n"),
		R(CHUNKED "0\r\n X: y\r\n\r\n"),
		R(CHUNKED "0\r\nX: y\n\r\n"),
		R(CHUNKED "0\r\nX: y\r\n z\r\n\r\n"),
		R(CHUNKED "0\r\nX: \x01\r\n\r\n"),
		R(CHUNKED "0\r\n: y\r\n\r\n"),
		R(CHUNKED "0\r\n0\r\n\r\n"),
	};

	(void)state;
	ASSERT_ALL_REFUSED(rows);
}

static void HT03_lines_and_fields_that_are_not_exactly_http_are_refused(void **state)
{
	static const struct row rows[] = {
		R("GET / HTTP/1.1\nHost: h\r\n\r\n"),
		R("GET / HTTP/1.1\rHost: h\r\n\r\n"),
		R("GET / HTTP/1.1\r\nHost: h\n\r\n"),
		R("GET / HTTP/1.1\r\nHost: h\r\r\n\r\n"),
		R("GET / HTTP/1.1\r\nHost: h\r\n\n"),
		R("GET / HTTP/1.1\r\nHost: h\r\n\r\r"),
		R("GET / HTTP/1.1\n\n"),
		R("GET  / HTTP/1.1\r\nHost: h\r\n\r\n"),
		R("GET /  HTTP/1.1\r\nHost: h\r\n\r\n"),
		R("GET / HTTP/1.1 \r\nHost: h\r\n\r\n"),
		R(" GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
		R("GET\t/\tHTTP/1.1\r\nHost: h\r\n\r\n"),
		R("GET /\r\nHost: h\r\n\r\n"),
		R("GET\r\n\r\n"),
		R("GET / \r\nHost: h\r\n\r\n"),
		R("GET / HTTP/1.2\r\nHost: h\r\n\r\n"),
		R("GET / HTTP/0.9\r\nHost: h\r\n\r\n"),
		R("GET / HTTP/2.0\r\nHost: h\r\n\r\n"),
		R("GET / HTTP/1\r\nHost: h\r\n\r\n"),
		R("GET / HTTP/1.10\r\nHost: h\r\n\r\n"),
		R("GET / HTTP/01.1\r\nHost: h\r\n\r\n"),
		R("GET / http/1.1\r\nHost: h\r\n\r\n"),
		R("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
		R("G(T / HTTP/1.1\r\nHost: h\r\n\r\n"),
		R("G\x80T / HTTP/1.1\r\nHost: h\r\n\r\n"),
		R("ABCDEFGHIJKLMNOPQ / HTTP/1.1\r\nHost: h\r\n\r\n"),
		R("GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n"),
		R("GET /\x00 HTTP/1.1\r\nHost: h\r\n\r\n"),
		R("GET /\x7f HTTP/1.1\r\nHost: h\r\n\r\n"),
		R("GET /\xc3\xa4 HTTP/1.1\r\nHost: h\r\n\r\n"),
		R("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), /* a TLS client */
		R("\r\n\r\n" GET),
		R("\n" GET),
		R("\r" GET),
		R(HEAD "X : y\r\n\r\n"),
		R(HEAD "X\t: y\r\n\r\n"),
		R(HEAD "X\r\n\r\n"),
		R(HEAD ": y\r\n\r\n"),
		R(HEAD "X Y: z\r\n\r\n"),
		R(HEAD "X(Y): z\r\n\r\n"),
		R(HEAD "X\x80: z\r\n\r\n"),
		R(HEAD "X\x00: z\r\n\r\n"),
		R(HEAD "X: a\r\n b\r\n\r\n"),
		R(HEAD "X: a\r\n\tb\r\n\r\n"),
		R(HEAD "X: a\r\n \r\n\r\n"),
		R("GET / HTTP/1.1\r\n Host: h\r\n\r\n"),
		R(HEAD "X: a\x00"
		       "b\r\n\r\n"),
		R(HEAD "X: a\x01\r\n\r\n"),
		R(HEAD "X: a\x0b\r\n\r\n"),
		R(HEAD "X: a\x7f\r\n\r\n"),
		R(HEAD "\x01ookie: a=b\r\n\r\n"),
		R(HEAD "cooki\x01: a=b\r\n\r\n"),
	};

	(void)state;
	ASSERT_ALL_REFUSED(rows);
}

static void HT04_exactly_one_host_is_wanted(void **state)
{
	static const struct row rows[] = {
		R("GET / HTTP/1.1\r\n\r\n"),
		R("GET / HTTP/1.1\r\nX: y\r\n\r\n"),
		R("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
		R("GET / HTTP/1.1\r\nHost: a\r\nHOST: b\r\n\r\n"),
		R("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"),
		R("GET / HTTP/1.1\r\nHost:\r\n\r\n"),
		R("GET / HTTP/1.1\r\nHost: \r\n\r\n"),
		R("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
		R("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
		R("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
		R("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
		R("GET / HTTP/1.1\r\nHost: a\\b\r\n\r\n"),
		R("GET / HTTP/1.1\r\nHost: a?b\r\n\r\n"),
		R("GET / HTTP/1.1\r\nHost: \xc3\xa4\r\n\r\n"),
	};

	(void)state;
	ASSERT_ALL_REFUSED(rows);
	assert_verdict(STR("GET / HTTP/1.0\r\n\r\n"), ERR_OK, 1);
	assert_verdict(STR("GET / HTTP/1.1\r\nhOsT:\t[2001:db8::1]:443\r\n\r\n"), ERR_OK, 1);
	assert_verdict(STR("GET / HTTP/1.1\r\nHost:a_b-c.test.:80\r\n\r\n"), ERR_OK, 1);
}

static void HT01_fields_with_one_meaning_may_come_once(void **state)
{
	static const char *const names[] = { "Authorization", "Content-Type", "X-Auth-Strategy",
					     "Cookie", "Expect" };
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct buf b = BUF_OF(text);

		buf_printf(&b, "GET / HTTP/1.1\r\nHost: h\r\n%s: a\r\nX: y\r\n", names[i]);
		assert_verdict(buf_view(&b), ERR_OK, 0);
		buf_printf(&b, "%s: a\r\n", names[i]);
		assert_verdict(buf_view(&b), ERR_BAD_REQUEST, 0);
	}
	assert_verdict(
		STR("GET / HTTP/1.1\r\nHost: h\r\nX: a\r\nX: b\r\nAccept: a\r\nAccept: b\r\n\r\n"),
		ERR_OK, 1);
}

static void whole_requests_pass(void **state)
{
	(void)state;
	assert_verdict(STR(GET), ERR_OK, 1);
	assert_verdict(STR(GET GET GET), ERR_OK, 3);
	assert_verdict(STR("\r\n" GET "\r\n" GET), ERR_OK, 2);
	assert_verdict(STR("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"), ERR_OK, 1);
	assert_verdict(STR("GET http://h/a HTTP/1.1\r\nHost: h\r\n\r\n"), ERR_OK, 1);
	assert_verdict(STR("ABCDEFGHIJKLMNOP / HTTP/1.1\r\nHost: h\r\n\r\n"), ERR_OK, 1);
	assert_verdict(STR(HEAD "Content-Length: 5\r\n\r\nhello" GET), ERR_OK, 2);
	assert_verdict(STR(HEAD "Content-Length:5\r\n\r\nhello"), ERR_OK, 1);
	assert_verdict(STR(HEAD "Content-Length: \t 000000000000000005\r\n\r\nhello"), ERR_OK, 1);
	assert_verdict(STR(HEAD "Content-Length: 0\r\n\r\n" GET), ERR_OK, 2);
	assert_verdict(STR(HEAD "Content-Length: 5\r\n\r\n\r\n\0\x01\x02"), ERR_OK,
		       1); /* any bytes */
	assert_verdict(STR(HEAD "Content-Length: 999999999999999999\r\n\r\nx"), ERR_OK, 0);
	assert_verdict(STR(HEAD "X-Empty:\r\nX-Blank: \t \r\nX-Obs: \xe4\xff\tz \r\n\r\n"), ERR_OK,
		       1);
	assert_verdict(STR(HEAD "transfer-encoding: CHUNKED\r\n\r\n5\r\nhello\r\n0\r\n\r\n" GET),
		       ERR_OK, 2);
	assert_verdict(STR(CHUNKED "A\r\n0123456789\r\n00\r\n\r\n"), ERR_OK, 1);
	assert_verdict(STR(CHUNKED "0000000000000005\r\nhello\r\n0\r\n\r\n"), ERR_OK, 1);
	assert_verdict(STR(CHUNKED "FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n"), ERR_OK,
		       0); /* still coming */
	assert_verdict(STR(CHUNKED "5;a=b;c=\"d e\"\r\nhello\r\n0;x\r\nT: u\r\nV: w\r\n\r\n" GET),
		       ERR_OK, 2);
}

static void HT20_requests_after_a_violation_are_never_whole(void **state)
{
	(void)state;
	assert_verdict(STR(GET GET "GET / HTTP/1.1\nHost: h\r\n\r\n" GET), ERR_BAD_REQUEST, 2);
	assert_verdict(STR(HEAD "Content-Length: 5\r\n\r\nhello!" GET), ERR_OK,
		       2); /* "!GET" is a method */
	assert_verdict(STR(HEAD "Content-Length: 5\r\n\r\nhello(" GET), ERR_BAD_REQUEST, 1);
	assert_verdict(STR(CHUNKED "5\r\nhelloX\r\n0\r\n\r\n" GET), ERR_BAD_REQUEST, 0);
}

static void HT20_only_whole_requests_before_a_violation_are_handed_on(void **state)
{
	struct outcome o;

	(void)state;
	o = feed(STR(GET GET "GET /x HTTP/1.1\r\nHost: h\r\nbad\r\n\r\n"), 0);
	assert_int_equal(o.code, ERR_BAD_REQUEST);
	assert_true(str_eq((str){ o.out, o.n }, STR(GET GET)));
	o = feed(STR("GET / HTTP/1.1\r\nbad line\r\n"), 0);
	assert_int_equal(o.code, ERR_BAD_REQUEST);
	assert_int_equal(o.n, 0);
}

static void HT20_a_refusal_is_final(void **state)
{
	char bad[] = "\x01", good[] = GET;
	struct wire_fed fed;
	struct wire w;

	(void)state;
	wire_init(&w);
	assert_int_equal(wire_feed(&w, bad, 1, &fed).code, ERR_BAD_REQUEST);
	assert_int_equal(wire_feed(&w, good, sizeof(good) - 1, &fed).code, ERR_BAD_REQUEST);
	assert_int_equal(fed.keep, 0);
	assert_int_equal(w.n_requests, 0);
}

static void HT02_extensions_trailers_and_empty_lines_are_not_handed_on(void **state)
{
	static const char in[] = "\r\n" CHUNKED "5;a=b\r\nhello\r\n1;c\r\n!\r\n0;x=y\r\n"
				 "Host: evil\r\nT: u\r\n\r\n" GET;
	static const char out[] = CHUNKED "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n" GET;

	(void)state;
	for (size_t step = 0; step < 40; step++) {
		struct outcome o = feed((str){ in, sizeof(in) - 1 }, step);

		assert_int_equal(o.code, ERR_OK);
		assert_int_equal(o.n, sizeof(out) - 1);
		assert_memory_equal(o.out, out, sizeof(out) - 1);
		assert_true(o.between);
	}
}

static void what_the_library_must_not_parse_is_marked(void **state)
{
	static const char query[] =
		"GET /a?b?c HTTP/1.1\r\nHost: h\r\nCookie: a?=b\r\nCookies: x\r\nCook: y\r\n\r\n";
	static const char want[] =
		"GET /a\x01"
		"b\x01"
		"c HTTP/1.1\r\nHost: h\r\nCooki\x01: a?=b\r\nCooki\x01s: x\r\nCook: y\r\n\r\n";

	(void)state;
	for (size_t step = 0; step < 20; step++) {
		struct outcome o = feed((str){ query, sizeof(query) - 1 }, step);

		assert_int_equal(o.code, ERR_OK);
		assert_int_equal(o.n, sizeof(want) - 1);
		assert_memory_equal(o.out, want, sizeof(want) - 1);
	}
}

/* `before`, then n times `fill`, then `after`. */
static str filled(char *mem, const char *before, char fill, size_t n, const char *after)
{
	struct buf b = { .p = mem, .cap = INPUT_MAX };

	buf_str(&b, str_of_cstr(before));
	for (size_t i = 0; i < n; i++)
		buf_byte(&b, fill);
	buf_str(&b, str_of_cstr(after));
	assert_false(b.overflow);
	return buf_view(&b);
}

static void HT18_each_limit_holds_to_the_byte(void **state)
{
	static const char after_target[] = " HTTP/1.1\r\nHost: h\r\n\r\n",
			  before_value[] = HEAD "X: ";
	static const char before_ext[] = CHUNKED "1;", after_ext[] = "\r\nx\r\n0\r\n\r\n";
	static const char before_trailer[] = CHUNKED "0\r\nT:", after_trailer[] = "\r\n\r\n";
	static char mem[INPUT_MAX];
	const size_t room = WIRE_HEAD_MAX - (sizeof(before_value) - 1) - 4;

	(void)state;
	assert_verdict(filled(mem, "GET ", '/', WIRE_TARGET_MAX, after_target), ERR_OK, 1);
	assert_verdict(filled(mem, "GET ", '/', WIRE_TARGET_MAX + 1, after_target),
		       ERR_URI_TOO_LONG, 0);
	assert_verdict(filled(mem, before_value, 'v', room, "\r\n\r\n"), ERR_OK, 1);
	assert_verdict(filled(mem, before_value, 'v', room + 1, "\r\n\r\n"), ERR_HEADERS_TOO_LARGE,
		       0);
	assert_verdict(filled(mem, before_value, 'v', INPUT_MAX - 64, ""), ERR_HEADERS_TOO_LARGE,
		       0);
	assert_verdict(filled(mem, HEAD, 'n', WIRE_HEAD_MAX, ""), ERR_HEADERS_TOO_LARGE, 0);
	assert_verdict(filled(mem, before_ext, 'e', WIRE_EXTENSION_MAX - 1, after_ext), ERR_OK, 1);
	assert_verdict(filled(mem, before_ext, 'e', WIRE_EXTENSION_MAX, after_ext), ERR_BAD_REQUEST,
		       0);
	assert_verdict(filled(mem, before_trailer, 't', WIRE_TRAILERS_MAX - 4, after_trailer),
		       ERR_OK, 1);
	assert_verdict(filled(mem, before_trailer, 't', WIRE_TRAILERS_MAX - 3, after_trailer),
		       ERR_HEADERS_TOO_LARGE, 0);
}

static void HT18_a_head_has_so_many_fields(void **state)
{
	static char mem[INPUT_MAX];
	struct buf b = { .p = mem, .cap = sizeof(mem) };

	(void)state;
	buf_lit(&b, HEAD);
	for (int i = 1; i < WIRE_FIELDS_MAX; i++)
		buf_lit(&b, "a:b\r\n");
	buf_lit(&b, "\r\n");
	assert_verdict(buf_view(&b), ERR_OK, 1);
	b.n -= 2;
	buf_lit(&b, "a:b\r\n\r\n");
	assert_verdict(buf_view(&b), ERR_HEADERS_TOO_LARGE, 0);
}

static void limits_are_per_request_and_chunk(void **state)
{
	static char mem[INPUT_MAX];
	struct buf b = { .p = mem, .cap = sizeof(mem) };

	(void)state;
	for (int i = 0; i < 4; i++) {
		buf_lit(&b, HEAD "X: ");
		for (int k = 0; k < 4000; k++)
			buf_byte(&b, 'v');
		buf_lit(&b, "\r\n\r\n");
	}
	assert_verdict(buf_view(&b), ERR_OK, 4);
	b.n = 0;
	buf_lit(&b, CHUNKED);
	for (int i = 0; i < 8; i++) {
		buf_lit(&b, "1;");
		for (int k = 0; k < 200; k++)
			buf_byte(&b, 'e');
		buf_lit(&b, "\r\nx\r\n");
	}
	buf_lit(&b, "0\r\n\r\n");
	assert_verdict(buf_view(&b), ERR_OK, 1);
}

static void the_guard_knows_when_it_is_between_requests(void **state)
{
	static const str text = { GET, sizeof(GET) - 1 };
	struct outcome o;

	(void)state;
	for (size_t n = 1; n < text.n; n++) {
		o = feed((str){ text.p, n }, 0);
		assert_false(o.between);
	}
	o = feed(text, 0);
	assert_true(o.between);
	o = feed(STR(GET "\r"), 0);
	assert_false(o.between);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(HT01_lengths_that_two_readers_could_read_differently_are_refused),
		cmocka_unit_test(HT02_codings_other_than_exactly_chunked_are_refused),
		cmocka_unit_test(HT02_chunks_that_two_readers_could_read_differently_are_refused),
		cmocka_unit_test(HT03_lines_and_fields_that_are_not_exactly_http_are_refused),
		cmocka_unit_test(HT04_exactly_one_host_is_wanted),
		cmocka_unit_test(HT01_fields_with_one_meaning_may_come_once),
		cmocka_unit_test(whole_requests_pass),
		cmocka_unit_test(HT20_requests_after_a_violation_are_never_whole),
		cmocka_unit_test(HT20_only_whole_requests_before_a_violation_are_handed_on),
		cmocka_unit_test(HT20_a_refusal_is_final),
		cmocka_unit_test(HT02_extensions_trailers_and_empty_lines_are_not_handed_on),
		cmocka_unit_test(what_the_library_must_not_parse_is_marked),
		cmocka_unit_test(HT18_each_limit_holds_to_the_byte),
		cmocka_unit_test(HT18_a_head_has_so_many_fields),
		cmocka_unit_test(limits_are_per_request_and_chunk),
		cmocka_unit_test(the_guard_knows_when_it_is_between_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
