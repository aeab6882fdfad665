/* Languages as platforms write them, over test/data/languages.json. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "base/lang_tag.h"

static json_t *table;

static void every_row_is_read_as_it_says(void **state)
{
	const json_t *rows = json_object_get(table, "rows");

	(void)state;
	assert_true(json_array_size(rows) >= 40);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i), *from = json_array_get(row, 0);
		struct lang_tag tags[LANG_TAGS_MAX];
		size_t n = lang_tags((str){ json_string_value(from), json_string_length(from) }, tags);
		char text[256] = "";
		size_t used = 0;

		for (size_t k = 0; k < n; k++)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%.*s", k == 0 ? "" : " ",
						 (int)tags[k].n, tags[k].text);
		assert_string_equal(text, json_string_value(json_array_get(row, 1)));
	}
}

static void a_long_list_is_cut(void **state)
{
	struct lang_tag tags[LANG_TAGS_MAX];
	char list[300];

	(void)state;
	for (size_t i = 0; i + 3 <= sizeof(list); i += 3)
		memcpy(list + i, "de,", 3);
	assert_int_equal(lang_tags((str){ list, sizeof(list) }, tags), LANG_TAGS_MAX);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_read_as_it_says),
		cmocka_unit_test(a_long_list_is_cut),
	};
	int failed;

	table = argc == 2 ? json_load_file(argv[1], JSON_ALLOW_NUL, NULL) : NULL;
	if (table == NULL) {
		(void)fprintf(stderr, "usage: test_lang_tag languages.json\n");
		return 2;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	json_decref(table);
	return failed;
}
