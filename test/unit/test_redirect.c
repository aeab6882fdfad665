/* Where apps may be sent back to, over the rows of test/data/redirect_uris.json. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>

#include "oauth/redirect.h"

static json_t *table;

static str text_of(const json_t *v)
{
	return (str){ json_string_value(v), json_string_length(v) };
}

static void ap01_only_registered_addresses_pass(void **state)
{
	const json_t *list = json_object_get(table, "registered"), *rows = json_object_get(table, "rows");
	str items[32];
	struct str_list registered = { items, 0 };

	(void)state;
	for (; registered.n < json_array_size(list); registered.n++)
		items[registered.n] = text_of(json_array_get(list, registered.n));
	assert_true(json_array_size(rows) >= 60);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		str uri = text_of(json_object_get(row, "uri"));

		if (redirect_is_registered(&registered, uri) != json_is_true(json_object_get(row, "registered")))
			fail_msg("%.*s", STR_ARG(uri));
	}
}

static void ap02_schemes_that_mean_something_cannot_be_registered(void **state)
{
	const json_t *may = json_object_get(table, "may_register"), *not = json_object_get(table, "may_not_register");

	(void)state;
	for (size_t i = 0; i < json_array_size(may); i++) {
		if (!redirect_may_register(text_of(json_array_get(may, i))))
			fail_msg("%s", json_string_value(json_array_get(may, i)));
	}
	for (size_t i = 0; i < json_array_size(not); i++) {
		if (redirect_may_register(text_of(json_array_get(not, i))))
			fail_msg("%s", json_string_value(json_array_get(not, i)));
	}
}

static void a_scheme_without_a_dot_is_short(void **state)
{
	(void)state;
	assert_true(redirect_is_short(STR("myapp://auth")));
	assert_false(redirect_is_short(STR("com.example.app:/x")));
	assert_false(redirect_is_short(STR("https://localhost/x")));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ap01_only_registered_addresses_pass),
		cmocka_unit_test(ap02_schemes_that_mean_something_cannot_be_registered),
		cmocka_unit_test(a_scheme_without_a_dot_is_short),
	};
	int failed;

	table = argc > 1 ? json_load_file(argv[1], JSON_ALLOW_NUL, NULL) : NULL;
	if (table == NULL) {
		(void)fprintf(stderr, "usage: test_redirect redirect_uris.json\n");
		return 2;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	json_decref(table);
	return failed;
}
