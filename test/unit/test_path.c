/* The one check of request paths, and what is taken out of them and of queries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "http/path.h"

static enum err_code check(const char *target)
{
	str path, query;

	return path_check(str_of_cstr(target), &path, &query).code;
}

static void HT05_ordinary_paths_are_taken_as_they_are(void **state)
{
	static const char *const good[] = {
		"/",
		"/auth/login",
		"/auth/login/",
		"/a/b/c",
		"/auth/sessions/01J-x_y~z",
		"/a.b/.c/..d/...",
		"/u/v%40example.test",
		"/u/%C3%A4",
		"/u/a%20b",
		"/@me",
		"/a:b",
		"/a,b=c",
		"/%25",
		"/?x=1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (check(good[i]) != ERR_OK)
			fail_msg("refused: %s", good[i]);
	}
}

static void HT05_paths_that_mean_something_else_when_read_twice_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"x",
		"auth/login",
		"*",
		"http://h/",
		"?x",
		/* separators */
		"//",
		"//auth/login",
		"/auth//login",
		"/auth/login//",
		"/auth\\login",
		"/\\",
		"/auth/%2flogin",
		"/auth%2Flogin",
		"/auth/%5clogin",
		"/auth%5Clogin",
		/* dot segments, plain and escaped */
		"/.",
		"/..",
		"/./",
		"/../",
		"/auth/./login",
		"/auth/../login",
		"/auth/..",
		"/auth/.",
		"/auth/%2e/login",
		"/auth/%2E%2e/login",
		"/%2e%2e/%2e%2e",
		"/auth/.%2e/login",
		"/a%2eb",
		/* parameters and fragments */
		"/auth/login;x=1",
		"/auth;/login",
		"/auth/login#x",
		"/auth#",
		/* control characters and NUL, plain and escaped */
		"/a\x01",
		"/a\tb",
		"/a b",
		"/a\x7f",
		"/a%00",
		"/%00",
		"/a%0d%0aSet-Cookie:x",
		"/a%0A",
		"/a%1f",
		"/a%7f",
		"/a%7F",
		"/a%c2%85",
		/* broken escapes */
		"/%",
		"/%2",
		"/%zz",
		"/%g0",
		"/%0g",
		"/a%",
		"/a%4",
		"/%%41",
		/* not UTF-8, overlong, surrogates, noncharacters, bidi controls */
		"/\xc3\xa4",
		"/%ff",
		"/%c3",
		"/%c0%af",
		"/%e0%80%af",
		"/%ed%a0%80",
		"/%f4%90%80%80",
		"/%ef%bf%bf",
		"/%e2%80%ae",
		/* in the query */
		"/?a b",
		"/?\x01",
		"/?\xc3",
		"/?a#b",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (check(bad[i]) != ERR_BAD_REQUEST)
			fail_msg("not refused: %s", bad[i]);
	}
}

static void BF08_spellings_of_a_path_are_refused_or_differ_from_it(void **state)
{
	static const char *const spellings[] = {
		"//auth/login",	 "/auth/./login",   "/auth/login/",
		"/auth/%6cogin", "/auth/login;x=1", "/auth/../auth/login",
		"/AUTH/login",	 "/auth/login%20",  "/auth%2flogin",
	};
	str path, query;

	(void)state;
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		if (path_check(str_of_cstr(spellings[i]), &path, &query).code == ERR_OK)
			assert_false(str_eq(path, STR("/auth/login")));
	}
}

static void HT05_a_target_is_cut_at_the_first_question_mark(void **state)
{
	str path, query;

	(void)state;
	assert_int_equal(path_check(STR("/a?b=c?d&e"), &path, &query).code, ERR_OK);
	assert_true(str_eq(path, STR("/a")));
	assert_true(str_eq(query, STR("b=c?d&e")));
	assert_int_equal(path_check(STR("/a?"), &path, &query).code, ERR_OK);
	assert_true(query.p != NULL && query.n == 0);
	assert_int_equal(path_check(STR("/a"), &path, &query).code, ERR_OK);
	assert_null(query.p);
}

static void HT05_a_path_has_a_longest_length(void **state)
{
	char target[PATH_MAX_BYTES + 8];
	str path, query;

	(void)state;
	memset(target, 'a', sizeof(target));
	target[0] = '/';
	target[PATH_MAX_BYTES] = '?'; /* what follows is not path */
	assert_int_equal(path_check((str){ target, sizeof(target) }, &path, &query).code, ERR_OK);
	assert_int_equal(path.n, PATH_MAX_BYTES);
	target[PATH_MAX_BYTES] = 'a';
	assert_int_equal(path_check((str){ target, PATH_MAX_BYTES }, &path, &query).code, ERR_OK);
	assert_int_equal(path_check((str){ target, PATH_MAX_BYTES + 1 }, &path, &query).code,
			 ERR_URI_TOO_LONG);
}

static void HT10_a_nul_inside_a_target_is_seen(void **state)
{
	str path, query;

	(void)state;
	assert_int_equal(path_check((str){ "/a\0b", 4 }, &path, &query).code, ERR_BAD_REQUEST);
}

static void a_segment_is_decoded_once(void **state)
{
	char mem[256];
	struct arena a;
	str out;

	(void)state;
	arena_init_fixed(&a, mem, sizeof(mem));
	assert_int_equal(path_decode(&a, STR("v%40example.test+%25%32%35"), &out).code, ERR_OK);
	assert_true(str_eq(out, STR("v@example.test+%25")));
	assert_int_equal(path_decode(&a, STR(""), &out).code, ERR_OK);
	assert_int_equal(out.n, 0);
	a.fail_at = 1;
	assert_int_equal(path_decode(&a, STR("x"), &out).code, ERR_NO_MEMORY);
}

static enum err_code get(const char *query, const char *key, const char *want)
{
	char mem[512];
	struct arena a;
	str out = STR("unchanged");
	err_t e;

	arena_init_fixed(&a, mem, sizeof(mem));
	e = query_get(&a, str_of_cstr(query), str_of_cstr(key), &out);
	if (e.code == ERR_OK && want == NULL)
		assert_null(out.p);
	if (e.code == ERR_OK && want != NULL)
		assert_true(out.p != NULL && str_eq(out, str_of_cstr(want)));
	if (e.code != ERR_OK)
		assert_true(str_eq(out, STR("unchanged")));
	return e.code;
}

static void query_values_are_found_and_decoded(void **state)
{
	(void)state;
	assert_int_equal(get("a=1&b=2", "b", "2"), ERR_OK);
	assert_int_equal(get("a=1&b=2", "a", "1"), ERR_OK);
	assert_int_equal(get("a=1&b=2", "c", NULL), ERR_OK);
	assert_int_equal(get("a=1&b=2", "", NULL), ERR_OK);
	assert_int_equal(get("", "a", NULL), ERR_OK);
	assert_int_equal(get(NULL, "a", NULL), ERR_OK);
	assert_int_equal(get("a", "a", ""), ERR_OK);
	assert_int_equal(get("a=", "a", ""), ERR_OK);
	assert_int_equal(get("&&a=x&", "a", "x"), ERR_OK);
	assert_int_equal(get("a=b=c", "a", "b=c"), ERR_OK);
	assert_int_equal(get("a=b?c", "a", "b?c"), ERR_OK);
	assert_int_equal(get("a=x+y%20z%2B", "a", "x y z+"), ERR_OK);
	assert_int_equal(get("%61=1", "a", "1"), ERR_OK);
	assert_int_equal(get("aa=1", "a", NULL), ERR_OK);
	assert_int_equal(get("a=%C3%A4", "a", "\xc3\xa4"), ERR_OK);
}

static void HT07_a_repeated_query_key_is_refused(void **state)
{
	(void)state;
	assert_int_equal(get("token=1&token=2", "token", NULL), ERR_INPUT);
	assert_int_equal(get("token=1&x=2&%74oken=1", "token", NULL), ERR_INPUT);
	assert_int_equal(get("token&token", "token", NULL), ERR_INPUT);
	assert_int_equal(get("x=1&x=2&token=3", "token", "3"), ERR_OK);
}

static void HT10_bad_escapes_nul_and_bad_utf8_in_a_query_are_refused(void **state)
{
	(void)state;
	assert_int_equal(get("a=%", "a", NULL), ERR_INPUT);
	assert_int_equal(get("a=%4", "a", NULL), ERR_INPUT);
	assert_int_equal(get("a=%zz", "a", NULL), ERR_INPUT);
	assert_int_equal(get("a=%00", "a", NULL), ERR_INPUT);
	assert_int_equal(get("a=x%00y", "a", NULL), ERR_INPUT);
	assert_int_equal(get("a=%ff", "a", NULL), ERR_INPUT);
	assert_int_equal(get("a=%c0%af", "a", NULL), ERR_INPUT);
	assert_int_equal(get("%zz=1&a=1", "a", NULL), ERR_INPUT);
	assert_int_equal(get("b=%zz&a=1", "a", "1"), ERR_OK); /* nobody asked for b */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(HT05_ordinary_paths_are_taken_as_they_are),
		cmocka_unit_test(HT05_paths_that_mean_something_else_when_read_twice_are_refused),
		cmocka_unit_test(BF08_spellings_of_a_path_are_refused_or_differ_from_it),
		cmocka_unit_test(HT05_a_target_is_cut_at_the_first_question_mark),
		cmocka_unit_test(HT05_a_path_has_a_longest_length),
		cmocka_unit_test(HT10_a_nul_inside_a_target_is_seen),
		cmocka_unit_test(a_segment_is_decoded_once),
		cmocka_unit_test(query_values_are_found_and_decoded),
		cmocka_unit_test(HT07_a_repeated_query_key_is_refused),
		cmocka_unit_test(HT10_bad_escapes_nul_and_bad_utf8_in_a_query_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
