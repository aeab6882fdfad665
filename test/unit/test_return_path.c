/* Where people may be sent back to (test/data/return_paths.json), and colours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>

#include "base/color.h"
#include "base/return_path.h"

static void check_all(json_t *rows, bool wanted)
{
	size_t i;
	json_t *row;

	assert_true(json_array_size(rows) > 20);
	json_array_foreach(rows, i, row)
	{
		str value = { json_string_value(row), json_string_length(row) };

		if (return_path_ok(value) != wanted)
			fail_msg("%.*s", STR_ARG(value));
	}
}

static void wb14_oc08_only_paths_of_our_own_origin_are_places_to_return_to(void **state)
{
	json_t *table = json_load_file(RETURN_PATHS, JSON_ALLOW_NUL, NULL);

	(void)state;
	assert_non_null(table);
	check_all(json_object_get(table, "good"), true);
	check_all(json_object_get(table, "bad"), false);
	json_decref(table);
}

static void wb14_a_return_path_is_at_most_2048_bytes_long(void **state)
{
	char text[RETURN_PATH_MAX + 1];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[0] = '/';
	assert_true(return_path_ok((str){ text, RETURN_PATH_MAX }));
	assert_false(return_path_ok((str){ text, RETURN_PATH_MAX + 1 }));
	assert_false(return_path_ok(STR_NONE));
}

static void wb13_what_is_no_colour_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "red;", "red;}</style><script>", "#", "#12", "#12345", "#1234567", "#123456789", "#ggg", "url(x)",
		"rgb()", "rgb(1,2)", "rgb(1,2,3", "rgb(1,2,3))", "rgb(1,2,3);", "rgb(256,0,0)", "rgb(1,2,3,1.1)", "rgb(1,2,3,4,5)",
		"rgb(1,,2,3)", "rgb(1 2 3 /)", "rgb(10%,2,3)", "rgb(-1,2,3)", "rgb(1e9,2,3)", "hsl(361,1%,1%)", "hsl(1,1,1)",
		"hsl(1,101%,1%)", "hsl(1%,1%,1%)", "var(--x)", "expression(alert(1))", "reddish", "re d", "\"red\"", "red/**/",
		"rgb(1,2,3)/*", "#fff}", "rgb(1,2,3,)", "rgb(.,.,.)",
	};
	struct color c;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (color_parse(str_of_cstr(bad[i]), &c))
			fail_msg("%s", bad[i]);
	}
}

static void colours_are_read_as_browsers_read_them(void **state)
{
	static const struct {
		const char *text, *written;
	} rows[] = {
		{ "#2f5bd8", "#2f5bd8" },	 { "#ABC", "#aabbcc" },		 { "#abcd", "#aabbccdd" },
		{ "#11223380", "#11223380" },	 { "#112233ff", "#112233" },	 { "RebeccaPurple", "#663399" },
		{ "rgb(47, 91, 216)", "#2f5bd8" }, { "rgb(47 91 216 / 50%)", "#2f5bd880" },
		{ "rgba(47,91,216,.5)", "#2f5bd880" }, { "rgb(100%, 0%, 50%)", "#ff0080" },
		{ "hsl(0, 100%, 50%)", "#ff0000" }, { "hsl(120deg 100% 25%)", "#008000" },
		{ "hsl(224, 69%, 52%)", "#305dd9" }, { "hsla(240, 100%, 50%, 1)", "#0000ff" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[16];
		struct buf b = BUF_OF(text);
		struct color c;

		assert_true(color_parse(str_of_cstr(rows[i].text), &c));
		color_write(c, &b);
		if (!str_eq(buf_view(&b), str_of_cstr(rows[i].written)))
			fail_msg("%s: %.*s", rows[i].text, STR_ARG(buf_view(&b)));
	}
}

static void black_or_white_reads_well_on_every_colour(void **state)
{
	const struct color white = { 255, 255, 255, 255 }, black = { 0, 0, 0, 255 };

	(void)state;
	assert_true(color_contrast(black, white) > 20.99 && color_contrast(white, black) < 21.01);
	for (int i = 0; i < 64 * 64 * 64; i++) {
		struct color c = { (uint8_t)(i % 64 * 4), (uint8_t)(i / 64 % 64 * 4), (uint8_t)(i / 4096 * 4), 255 };

		assert_true(color_contrast(c, white) >= 4.5 || color_contrast(c, black) >= 4.5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wb14_oc08_only_paths_of_our_own_origin_are_places_to_return_to),
		cmocka_unit_test(wb14_a_return_path_is_at_most_2048_bytes_long),
		cmocka_unit_test(wb13_what_is_no_colour_is_refused),
		cmocka_unit_test(colours_are_read_as_browsers_read_them),
		cmocka_unit_test(black_or_white_reads_well_on_every_colour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
