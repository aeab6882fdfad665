/* JSON of the server: what is read, what is refused; and what an answer of each kind comes to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "internal.h"

/* A copy of its own, and what was read of it. */
struct read {
	char *text;
	struct json *json;
	bool fine;
};

static struct read read_bytes(const char *text, size_t n)
{
	struct read r = { .text = malloc(n + 1) };

	assert_non_null(r.text);
	memcpy(r.text, text, n);
	r.text[n] = '\0';
	r.fine = json_read(r.text, n, &r.json);
	return r;
}

static void done(struct read *r)
{
	free(r->json);
	free(r->text);
}

static void assert_text(const char *json, const char *want)
{
	struct read r = read_bytes(json, strlen(json));

	assert_true(r.fine);
	assert_int_equal(r.json->kind, JSON_STRING);
	assert_string_equal(r.json->text, want);
	done(&r);
}

static void assert_refused_bytes(const char *json, size_t n)
{
	struct read r = read_bytes(json, n);

	assert_false(r.fine);
	done(&r);
}

static void assert_refused(const char *json)
{
	assert_refused_bytes(json, strlen(json));
}

static void strings(void **state)
{
	(void)state;
	assert_text("\"\"", "");
	assert_text(" \t\r\n\"a\" ", "a");
	assert_text("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
	assert_text("\"\\u0041\\u00e4\\u20AC\"", "Aä€");
	assert_text("\"\\ud83d\\ude00\\uDBFF\\uDFFF\"", "😀\xf4\x8f\xbf\xbf");
	assert_text("\"\\uD7FF\\uE000\\uFFFF\"", "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf");
	assert_text("\"ä€😀\"", "ä€😀");
	assert_text("\"\x7f\"", "\x7f");
}

static void strings_that_are_none(void **state)
{
	static const char *const bad[] = {
		"\"", "\"a", "\"\\", "\"\\\"", "\"\\x\"", "\"\\u\"", "\"\\u12\"", "\"\\u123g\"", "'a'", "\"a\nb\"",
		"\"a\tb\"", "\"\x01\"",
		"\"\\u0000\"", /* a zero would end it */
		"\"\\ud83d\"", "\"\\ud83dx\"", "\"\\ud83d\\u0041\"", "\"\\ud83d\\ud83d\"", "\"\\ude00\"", /* half a pair */
		"\"\x80\"", "\"\xc0\xaf\"", "\"\xc3\"", "\"\xe0\x80\xaf\"", "\"\xed\xa0\x80\"", /* no UTF-8 */
		"\"\xf0\x80\x80\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xf5\x80\x80\x80\"", "\"\xe2\x82\"", "\"\xff\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_refused(bad[i]);
	assert_refused_bytes("\"a\0b\"", 5);
	assert_refused_bytes("1\0", 2);
}

static void numbers(void **state)
{
	static const char *const good[] = { "0", "-0", "10", "-1", "0.5", "1.0e5", "1E-5", "1e+5", "123456789012345678901234567890" };
	static const char *const bad[] = { "", "-", "01", "+1", ".5", "1.", "1e", "1e+", "0x1", "1a", "NaN", "- 1", "1 2" };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct read r = read_bytes(good[i], strlen(good[i]));

		assert_true(r.fine);
		assert_int_equal(r.json->kind, JSON_NUMBER);
		done(&r);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_refused(bad[i]);
}

static void assert_integer(const char *value, bool fine, int64_t want)
{
	char text[64];
	int64_t got = 0;
	struct read r;

	(void)snprintf(text, sizeof text, "{\"n\":%s}", value);
	r = read_bytes(text, strlen(text));
	assert_true(r.fine);
	assert_int_equal(json_integer(r.json, "n", &got), fine);
	if (fine)
		assert_true(got == want);
	assert_false(json_integer(r.json, "m", &got));
	done(&r);
}

static void integers(void **state)
{
	(void)state;
	assert_integer("0", true, 0);
	assert_integer("-42", true, -42);
	assert_integer("9223372036854775807", true, INT64_MAX);
	assert_integer("-9223372036854775808", true, INT64_MIN);
	assert_integer("9223372036854775808", false, 0);
	assert_integer("1.0", false, 0);
	assert_integer("1e3", false, 0);
	assert_integer("\"1\"", false, 0);
	assert_integer("true", false, 0);
}

static void objects_and_arrays(void **state)
{
	static const char text[] = "{\"a\": [1, \"x\", {}, [] ,null], \"a\":\"second\", \"f\":false , \"t\":true,\"\":{\"b\":\"c\"}}";
	static const char *const bad[] = { "{", "[", "{]", "[}", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
					   "{a:1}", "{1:1}", "{\"a\" 1}", "[]]", "{}{}", "[] x", "tru", "nul", "TRUE", "truefalse" };
	struct read r = read_bytes(text, strlen(text));
	const struct json *a;

	(void)state;
	assert_true(r.fine);
	assert_int_equal(r.json->n, 5);
	a = json_get(r.json, "a"); /* of two the first */
	assert_int_equal(a->kind, JSON_ARRAY);
	assert_int_equal(a->n, 5);
	assert_string_equal(a->first->next->text, "x");
	assert_int_equal(a->first->next->next->kind, JSON_OBJECT);
	assert_null(json_string(r.json, "a"));
	assert_int_equal(json_flag(r.json, "t"), 1);
	assert_int_equal(json_flag(r.json, "f"), 0);
	assert_int_equal(json_flag(r.json, "a"), 0);
	assert_string_equal(json_string(json_get(r.json, ""), "b"), "c");
	assert_null(json_get(r.json, "A"));
	assert_null(json_get(a, "a"));
	assert_null(json_get(NULL, "a"));
	done(&r);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_refused(bad[i]);
}

/* JSON_DEPTH_MAX levels, and one more. */
static void depth_is_bounded(void **state)
{
	char text[2 * JSON_DEPTH_MAX + 3] = { 0 };
	struct read r;

	(void)state;
	memset(text, '[', JSON_DEPTH_MAX);
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	r = read_bytes(text, strlen(text));
	assert_true(r.fine);
	done(&r);
	memset(text, '[', JSON_DEPTH_MAX + 1);
	memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
	assert_refused(text);
}

static void number_of_values_is_bounded(void **state)
{
	static char text[2 * JSON_VALUES_MAX + 8];
	struct read r;

	(void)state;
	for (int more = 0; more <= 1; more++) {
		size_t n = 0;

		text[n++] = '[';
		for (size_t i = 0; i < JSON_VALUES_MAX - 2 + (size_t)more; i++) {
			text[n++] = '1';
			text[n++] = ',';
		}
		text[n++] = '1';
		text[n++] = ']';
		r = read_bytes(text, n);
		assert_int_equal(r.fine, more == 0);
		done(&r);
	}
}

/* What the library writes it reads again. */
static void written_strings_are_read(void **state)
{
	struct text t = { 0 };
	char all[256];

	(void)state;
	for (int i = 1; i < 128; i++)
		all[i - 1] = (char)i;
	memcpy(all + 127, "ä€😀", sizeof "ä€😀");
	text_add_json(&t, all);
	assert_text(t.p, all);
	text_free(&t);
}

/* ---- answers ---- */

static struct answer *answer(int status, const char *body, enum gives gives)
{
	struct http_answer a = { .status = status };

	text_add(&a.body, body);
	return result_read(&a, gives);
}

static void assert_error(int status, const char *body, enum gives gives, sp_error want)
{
	struct answer *r = answer(status, body, gives);

	if (r->pub.error != want)
		fail_msg("%d %s: %s, not %s", status, body, sp_error_name(r->pub.error), sp_error_name(want));
	assert_int_equal(r->pub.status, status);
	assert_non_null(r->pub.message);
	assert_non_null(r->pub.code);
	assert_string_equal(r->pub.body, body);
	assert_int_equal(r->pub.body_length, strlen(body));
	if (want != SP_OK)
		assert_true(r->pub.message[0] != '\0');
	sp_result_free(&r->pub);
}

static void refusals(void **state)
{
	static const struct {
		int status;
		const char *code;
		sp_error error;
	} rows[] = {
		{ 400, "VALIDATION", SP_REFUSED },	    { 401, "INVALID_CREDENTIALS", SP_REFUSED },
		{ 401, "INVALID_ACCESS_TOKEN", SP_REFUSED }, { 403, "FORBIDDEN", SP_REFUSED },
		{ 403, "REAUTH_REQUIRED", SP_REAUTH },	    { 404, "NOT_FOUND", SP_REFUSED },
		{ 409, "EMAIL_EXISTS", SP_REFUSED },	    { 429, "TOO_MANY_REQUESTS", SP_LATER },
		{ 429, "REAUTH_REQUIRED", SP_LATER },	    { 500, "INTERNAL", SP_SERVER },
		{ 502, "REAUTH_REQUIRED", SP_SERVER },	    { 503, "OVERLOADED", SP_LATER },
		{ 302, "MOVED", SP_REFUSED },
	};
	static const char *const strange[] = { "", "<html>", "[]", "\"x\"", "{}", "{\"code\":\"REAUTH_REQUIRED\"}",
					       "{\"error\":1,\"code\":\"X\"}", "{\"error\":\"x\"", "null" };
	char body[128];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		(void)snprintf(body, sizeof body, "{\"error\":\"no\",\"message\":\"no\",\"code\":\"%s\"}", rows[i].code);
		for (enum gives g = GIVES_NOTHING; g <= GIVES_BODY; g++)
			assert_error(rows[i].status, body, g, rows[i].error);
	}
	/* Not one of ours: a proxy's, whatever it says. */
	for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
		assert_error(401, strange[i], GIVES_TOKENS, SP_PROTOCOL);
		assert_error(404, strange[i], GIVES_NOTHING, SP_PROTOCOL);
		assert_error(429, strange[i], GIVES_NOTHING, SP_LATER);
		assert_error(502, strange[i], GIVES_NOTHING, SP_SERVER);
		assert_error(503, strange[i], GIVES_NOTHING, SP_LATER);
	}
}

static void what_a_refusal_says(void **state)
{
	struct answer *r = answer(400,
				  "{\"error\":\"Wrong\",\"message\":\"Wrong\",\"code\":\"VALIDATION\",\"mergeToken\":\"m\",\"fields\":"
				  "[{\"field\":\"password\",\"reason\":\"PASSWORD_TOO_SHORT\"},{\"field\":1},7,"
				  "{\"field\":\"email\",\"reason\":\"REQUIRED\"}]}",
				  GIVES_SOME);

	(void)state;
	assert_string_equal(r->pub.code, "VALIDATION");
	assert_string_equal(r->pub.message, "Wrong");
	assert_string_equal(r->pub.merge_token, "m");
	assert_int_equal(r->pub.n_fields, 2);
	assert_string_equal(r->pub.fields[0].field, "password");
	assert_string_equal(r->pub.fields[1].reason, "REQUIRED");
	sp_result_free(&r->pub);
}

static void challenges(void **state)
{
	static const char setup[] = "{\"error\":\"Set up\",\"code\":\"2FA_SETUP_REQUIRED\",\"tempToken\":\"t\"}";
	struct answer *r = answer(200, "{\"requiresTwoFactor\":true,\"tempToken\":\"t\",\"available2faMethods\":[\"totp\",\"sms\"]}",
				  GIVES_TOKENS);

	(void)state;
	assert_int_equal(r->pub.error, SP_SECOND_FACTOR);
	assert_string_equal(r->pub.challenge->temp_token, "t");
	assert_int_equal(r->pub.challenge->n_methods, 2);
	assert_string_equal(r->pub.challenge->methods[1], "sms");
	sp_result_free(&r->pub);

	r = answer(403, setup, GIVES_TOKENS);
	assert_int_equal(r->pub.error, SP_SETUP_REQUIRED);
	assert_string_equal(r->pub.challenge->temp_token, "t");
	assert_int_equal(r->pub.challenge->n_methods, 0);
	sp_result_free(&r->pub);
	assert_error(403, "{\"error\":\"Set up\",\"code\":\"2FA_SETUP_REQUIRED\"}", GIVES_TOKENS, SP_PROTOCOL);
	assert_error(200, "{\"requiresTwoFactor\":true}", GIVES_TOKENS, SP_PROTOCOL);
	assert_error(200, "{\"requiresTwoFactor\":true,\"tempToken\":\"t\",\"available2faMethods\":[1]}", GIVES_TOKENS, SP_PROTOCOL);
}

/* A good answer without what must be there is none. */
static void good_answers(void **state)
{
	static const struct {
		enum gives gives;
		const char *body;
		sp_error error;
	} rows[] = {
		{ GIVES_NOTHING, "{\"success\":true}", SP_OK },
		{ GIVES_NOTHING, "{}", SP_OK },
		{ GIVES_NOTHING, "<html>", SP_PROTOCOL },
		{ GIVES_NOTHING, "[]", SP_PROTOCOL },
		{ GIVES_NOTHING, "", SP_PROTOCOL },
		{ GIVES_TOKENS, "{\"accessToken\":\"a\",\"refreshToken\":\"r\"}", SP_OK },
		{ GIVES_TOKENS, "{\"accessToken\":\"a\"}", SP_PROTOCOL },
		{ GIVES_TOKENS, "{\"accessToken\":\"a\",\"refreshToken\":null}", SP_PROTOCOL },
		{ GIVES_TOKENS, "{\"success\":true}", SP_PROTOCOL },
		{ GIVES_SOME, "{}", SP_OK },
		{ GIVES_SOME, "{\"recoveryCodes\":[\"a\",\"b\"]}", SP_OK },
		{ GIVES_SOME, "{\"recoveryCodes\":\"a\"}", SP_PROTOCOL },
		{ GIVES_PROFILE, "{\"sub\":\"1\",\"email\":\"\"}", SP_OK },
		{ GIVES_PROFILE, "{\"sub\":\"1\"}", SP_PROTOCOL },
		{ GIVES_SESSIONS, "{\"sessions\":[]}", SP_OK },
		{ GIVES_SESSIONS, "{\"sessions\":[{}]}", SP_PROTOCOL },
		{ GIVES_SESSIONS, "{\"sessions\":[1]}", SP_PROTOCOL },
		{ GIVES_SESSIONS, "{\"sessions\":[{\"handle\":\"h\",\"createdAt\":\"c\",\"expiresAt\":\"e\",\"lastActiveAt\":\"l\"}]}", SP_OK },
		{ GIVES_SESSIONS, "{}", SP_PROTOCOL },
		{ GIVES_ACCOUNTS, "{\"linkedAccounts\":[{\"provider\":\"p\",\"providerAccountId\":\"i\"}]}", SP_OK },
		{ GIVES_ACCOUNTS, "{\"linkedAccounts\":[{\"provider\":\"p\"}]}", SP_PROTOCOL },
		{ GIVES_ACCOUNTS, "{\"linkedAccounts\":{}}", SP_PROTOCOL },
		{ GIVES_TOTP, "{\"secret\":\"s\",\"otpauthUrl\":\"o\",\"qrCode\":\"q\"}", SP_OK },
		{ GIVES_TOTP, "{\"secret\":\"s\"}", SP_PROTOCOL },
		{ GIVES_URL, "{\"url\":\"u\"}", SP_OK },
		{ GIVES_URL, "{}", SP_PROTOCOL },
		{ GIVES_BODY, "anything", SP_OK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (int status = 200; status <= 201; status++)
			assert_error(status, rows[i].body, rows[i].gives, rows[i].error);
}

static void a_profile(void **state)
{
	struct answer *r = answer(200,
				  "{\"sub\":\"1\",\"email\":\"ada@example.test\",\"firstName\":null,\"lastName\":\"L\",\"isTotpEnabled\":true,"
				  "\"isAdmin\":\"true\"}",
				  GIVES_PROFILE);

	(void)state;
	assert_string_equal(r->pub.profile->id, "1");
	assert_string_equal(r->pub.profile->email, "ada@example.test");
	assert_null(r->pub.profile->first_name);
	assert_string_equal(r->pub.profile->last_name, "L");
	assert_int_equal(r->pub.profile->is_totp_enabled, 1);
	assert_int_equal(r->pub.profile->is_admin, 0);
	sp_result_free(&r->pub);
}

/* No answer at all: what the network says, and nothing of a body that came in part. */
static void no_answer(void **state)
{
	struct http_answer a = { .error = SP_NETWORK, .status = 200, .reason = "cut off" };
	struct answer *r;

	(void)state;
	text_add(&a.body, "{\"accessToken\":\"a\",\"refreshToken\":\"r\"}");
	r = result_read(&a, GIVES_TOKENS);
	assert_int_equal(r->pub.error, SP_NETWORK);
	assert_string_equal(r->pub.message, "cut off");
	assert_int_equal(r->pub.body_length, 0);
	assert_null(r->json);
	sp_result_free(&r->pub);
	sp_result_free(NULL);
}

static void names_of_errors(void **state)
{
	(void)state;
	assert_string_equal(sp_error_name(SP_OK), "SP_OK");
	assert_string_equal(sp_error_name(SP_MEMORY), "SP_MEMORY");
	assert_string_equal(sp_error_name((sp_error)16), "SP_UNKNOWN");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings),
		cmocka_unit_test(strings_that_are_none),
		cmocka_unit_test(numbers),
		cmocka_unit_test(integers),
		cmocka_unit_test(objects_and_arrays),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(number_of_values_is_bounded),
		cmocka_unit_test(written_strings_are_read),
		cmocka_unit_test(refusals),
		cmocka_unit_test(what_a_refusal_says),
		cmocka_unit_test(challenges),
		cmocka_unit_test(good_answers),
		cmocka_unit_test(a_profile),
		cmocka_unit_test(no_answer),
		cmocka_unit_test(names_of_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
