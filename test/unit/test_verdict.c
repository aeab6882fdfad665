/* What an HTTP provider's answer means, and what of it an operator sees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "egress/verdict.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static struct delivery judged(int status, str body, str expect)
{
	struct client_reply r = { .status = status, .body = body };
	struct delivery d;

	memset(&d, 'x', sizeof(d));
	verdict_of_reply(&r, expect, &d);
	assert_non_null(memchr(d.detail, '\0', sizeof(d.detail)));
	return d;
}

static void check_bodies(const char *const *bodies, size_t n, enum delivery_verdict want)
{
	for (size_t i = 0; i < n; i++) {
		struct delivery d = judged(200, str_of_cstr(bodies[i]), STR(""));

		if (d.verdict != want)
			fail_msg("%s: %d", bodies[i], d.verdict);
	}
}

static void a_2xx_with_a_harmless_body_is_sent(void **state)
{
	static const char *const bodies[] = {
		"",
		"OK",
		"queued",
		"0: accepted for delivery",
		"{}",
		"[]",
		"null",
		"\"ERR\"",
		"{\"error\":null}",
		"{\"error\":false}",
		"{\"error\":\"\"}",
		"{\"error\":0}",
		"{\"error\":0.0}",
		"{\"error\":[]}",
		"{\"error\":{}}",
		"{\"errors\":[]}",
		"{\"error\":\"0\"}",
		"{\"error_code\":null}",
		"{\"error_code\":0}",
		"{\"success\":true}",
		"{\"ok\":true}",
		"{\"status\":\"queued\"}",
		"{\"status\":200}",
		"{\"status\":\"ok\",\"log\":{\"error\":\"of another\"}}",
		"[{\"error\":\"x\"}]",
		"{\"error\":\"cut o",
		"no failure",
		"e",
	};

	(void)state;
	check_bodies(bodies, N_OF(bodies), DELIVERY_SENT);
	assert_int_equal(
		judged(201, STR("{\"status\":\"queued\",\"error_code\":null}"), STR("")).verdict,
		DELIVERY_SENT);
	assert_int_equal(judged(204, STR_NONE, STR("")).verdict, DELIVERY_SENT);
}

static void a_200_with_an_error_inside_is_not_sent(void **state)
{
	static const char *const bodies[] = {
		"{\"error\":\"no credit\"}",
		"{\"error\":true}",
		"{\"error\":7}",
		"{\"error\":-0.5}",
		"{\"error\":{\"code\":1}}",
		"{\"error\":[0]}",
		"{\"errors\":[\"x\"]}",
		"{\"errors\":{\"to\":\"bad\"}}",
		"{\"success\":false}",
		"{\"ok\":false}",
		"{\"status\":\"error\"}",
		"{\"status\":\"Failed\"}",
		"{\"status\":\"FAILURE\"}",
		"{\"status\":\"undelivered\"}",
		"{\"status\":\"rejected\"}",
		"{\"status\":\"invalid\"}",
		"{\"error_code\":30007}",
		"{\"error_code\":\"E1\"}",
		"  {\"status\":\"sent\",\"error\":\"x\"}\n",
		"ERR 12",
		"Error: no credit",
		"error",
		"FAILED",
		"fail",
		"\r\n ERR",
		"err:114",
	};

	(void)state;
	check_bodies(bodies, N_OF(bodies), DELIVERY_LATER);
}

static void a_text_that_is_expected_must_be_there(void **state)
{
	(void)state;
	assert_int_equal(judged(200, STR("0;queued"), STR("queued")).verdict, DELIVERY_SENT);
	assert_int_equal(judged(200, STR("0;Queued"), STR("queued")).verdict, DELIVERY_LATER);
	assert_int_equal(judged(200, STR(""), STR("queued")).verdict, DELIVERY_LATER);
	assert_int_equal(judged(200, STR_NONE, STR("queued")).verdict, DELIVERY_LATER);
	assert_int_equal(judged(200, STR("ERR queued"), STR("queued")).verdict, DELIVERY_LATER);
	assert_int_equal(judged(500, STR("queued"), STR("queued")).verdict, DELIVERY_DOWN);
}

static void the_status_tells_the_message_from_the_provider(void **state)
{
	static const struct {
		int status;
		enum delivery_verdict want;
	} rows[] = {
		{ 100, DELIVERY_DOWN },	   { 301, DELIVERY_DOWN },    { 302, DELIVERY_DOWN },
		{ 400, DELIVERY_REFUSED }, { 413, DELIVERY_REFUSED }, { 422, DELIVERY_REFUSED },
		{ 401, DELIVERY_DOWN },	   { 403, DELIVERY_DOWN },    { 404, DELIVERY_DOWN },
		{ 405, DELIVERY_DOWN },	   { 429, DELIVERY_DOWN },    { 402, DELIVERY_DOWN },
		{ 408, DELIVERY_LATER },   { 409, DELIVERY_LATER },   { 499, DELIVERY_LATER },
		{ 500, DELIVERY_DOWN },	   { 503, DELIVERY_DOWN },    { 599, DELIVERY_DOWN },
		{ 999, DELIVERY_DOWN },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		if (judged(rows[i].status, STR("OK"), STR("")).verdict != rows[i].want)
			fail_msg("HTTP %d", rows[i].status);
	}
}

static void no_answer_is_a_provider_that_is_down(void **state)
{
	struct client_reply r = { .problem = STR("Connection refused") };
	struct delivery d;

	(void)state;
	verdict_of_reply(&r, STR(""), &d);
	assert_int_equal(d.verdict, DELIVERY_DOWN);
	assert_string_equal(d.detail, "Connection refused");
}

static void the_detail_is_the_status_and_the_start_of_the_body_on_one_line(void **state)
{
	char longest[4000];

	(void)state;
	assert_string_equal(judged(200, STR("fine, thanks"), STR("")).detail, "HTTP 200");
	assert_string_equal(judged(500, STR_NONE, STR("")).detail, "HTTP 500");
	assert_string_equal(
		judged(500, STR("No\r\n\tcredit\0\x1b[31m \xff\xe2\x80\xae left, caf\xc3\xa9"),
		       STR(""))
			.detail,
		"HTTP 500: No credit [31m left, caf\xc3\xa9");
	for (size_t i = 0; i < sizeof(longest); i += 4)
		memcpy(longest + i, "abc.", 4);
	assert_in_range(strlen(judged(500, (str){ longest, sizeof(longest) }, STR("")).detail),
			DELIVERY_DETAIL_MAX - 8, DELIVERY_DETAIL_MAX - 1);
}

static void mf15_what_a_provider_repeats_of_the_message_is_masked(void **state)
{
	(void)state;
	assert_string_equal(
		judged(400, STR("{\"code\":21211,\"to\":\"+393331234567\"}"), STR("")).detail,
		"HTTP 400: {\"code\":21211,\"to\":\"+***\"}");
	assert_string_equal(judged(500, STR("Your code is 042917."), STR("")).detail,
			    "HTTP 500: Your code is ***.");
	assert_string_equal(judged(500, STR("message=is%3A%20042917"), STR("")).detail,
			    "HTTP 500: message=is%3A%***");
	assert_string_equal(
		judged(500, STR("https://x.test/reset?token=AbCdEfGhIjKlMnOpQrStUvWx"), STR(""))
			.detail,
		"HTTP 500: https://x.test/reset?token=***");
}

static void deep_json_is_not_parsed(void **state)
{
	static char deep[CLIENT_REPLY_MAX];

	(void)state;
	memset(deep, '[', sizeof(deep));
	assert_int_equal(judged(200, (str){ deep, sizeof(deep) }, STR("")).verdict, DELIVERY_SENT);
	assert_int_equal(judged(200, STR("{\"a\":[[[{\"b\":[]}]]],\"error\":1}"), STR("")).verdict,
			 DELIVERY_LATER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_2xx_with_a_harmless_body_is_sent),
		cmocka_unit_test(a_200_with_an_error_inside_is_not_sent),
		cmocka_unit_test(a_text_that_is_expected_must_be_there),
		cmocka_unit_test(the_status_tells_the_message_from_the_provider),
		cmocka_unit_test(no_answer_is_a_provider_that_is_down),
		cmocka_unit_test(the_detail_is_the_status_and_the_start_of_the_body_on_one_line),
		cmocka_unit_test(mf15_what_a_provider_repeats_of_the_message_is_masked),
		cmocka_unit_test(deep_json_is_not_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
