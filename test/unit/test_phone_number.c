/* Phone numbers: one form, and which of them may be texted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "domain/phone_number.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static struct arena mem;

static bool accepted(str raw, str *ret)
{
	err_t e;

	arena_reset(&mem);
	e = phone_canonical(&mem, raw, ret);
	assert_true(e.code == ERR_OK || e.code == ERR_INPUT);
	return e.code == ERR_OK;
}

static void check(const char *raw, const char *want)
{
	str got;

	if (!accepted(str_of_cstr(raw), &got))
		fail_msg("refused: %s", raw);
	if (!str_eq(got, str_of_cstr(want)))
		fail_msg("%s became %.*s", raw, STR_ARG(got));
}

static void check_refused(const char *raw)
{
	str got;

	if (accepted(str_of_cstr(raw), &got))
		fail_msg("accepted: %s", raw);
}

static void mf17_numbers_have_one_canonical_form(void **state)
{
	static const char *const spellings[] = {
		"+393331234567",     "+39 333 123-4567",  "+39(333)1234567",
		"00393331234567",    "0039 333/123.4567", " \t+39 333 1234567 ",
		"+39-333-123-45-67", "+ 39 333 1234567",  "+(39) 3331234567",
	};

	(void)state;
	for (size_t i = 0; i < N_OF(spellings); i++)
		check(spellings[i], "+393331234567");
	check("+1 (555) 010-0199", "+15550100199");
	check("+390612345678", "+390612345678"); /* Italy's landlines keep their 0 */
}

static void mf17_numbers_have_seven_to_fifteen_digits(void **state)
{
	(void)state;
	check_refused("+123456");
	check("+1234567", "+1234567");
	check("+123456789012345", "+123456789012345");
	check_refused("+1234567890123456");
	check("00123456789012345", "+123456789012345");
	check_refused("001234567890123456");
	check("+1                                                     234567", "+1234567");
	check_refused("+1                                                                 234567");
}

static void mf17_only_international_numbers_are_taken(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"+",
		"00",
		"3331234567",
		"03331234567",
		"+0393331234567",
		"0000393331234567",
		"+39 333 123456a",
		"+39 333 1234567 ext 5",
		"+39 333 1234567;5",
		"+39,333,1234567",
		"++393331234567",
		"+39+3331234567",
		"+39 333 1234567#",
		"+39 333 1234567-",
		"+39\n3331234567",
		"tel:+393331234567",
		"'+393331234567",
		"*#06#",
		"+1-800-FLOWERS",
	};

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++)
		check_refused(bad[i]);
}

static void mf17_a_trunk_zero_in_brackets_is_refused_and_not_guessed_at(void **state)
{
	(void)state;
	check_refused("+44 (0)20 7946 0958");
	check("+44 (20) 7946 0958", "+442079460958");
}

static void ht10_a_nul_never_ends_a_number(void **state)
{
	str got;

	(void)state;
	assert_false(accepted(STR("+393331234567\0"), &got));
	assert_false(accepted(STR("+39333\00012345"), &got));
	assert_false(accepted(STR_NONE, &got));
}

static void mf17_only_countries_of_the_settings_are_texted(void **state)
{
	static const str countries[] = { STR_INIT("+39"), STR_INIT("+4420") };
	const struct config none = { .dev = false };
	const struct config some = { .sms.countries = { countries, N_OF(countries) } };

	(void)state;
	assert_false(phone_allowed(&none, STR("+393331234567")));
	assert_true(phone_allowed(&some, STR("+393331234567")));
	assert_true(phone_allowed(&some, STR("+442079460958")));
	assert_false(phone_allowed(&some, STR("+447700900123")));
	assert_false(phone_allowed(&some, STR("+13933312345")));
}

static void mf17_blocked_prefixes_win_over_every_country(void **state)
{
	static const str any[] = { STR_INIT("+1"), STR_INIT("any") };
	static const str blocked[] = { STR_INIT("+881"), STR_INIT("+39899") };
	const struct config cfg = { .sms.countries = { any, N_OF(any) },
				    .sms.blocked = { blocked, N_OF(blocked) } };

	(void)state;
	assert_true(phone_allowed(&cfg, STR("+393331234567")));
	assert_true(phone_allowed(&cfg, STR("+880171234567")));
	assert_false(phone_allowed(&cfg, STR("+881612345678")));
	assert_false(phone_allowed(&cfg, STR("+39899123456")));
}

static void an_empty_prefix_matches_nothing(void **state)
{
	static const str empty[] = { STR_INIT("") };
	static const str any[] = { STR_INIT("any") };
	const struct config allows = { .sms.countries = { empty, 1 } };
	const struct config blocks = { .sms.countries = { any, 1 }, .sms.blocked = { empty, 1 } };

	(void)state;
	assert_false(phone_allowed(&allows, STR("+393331234567")));
	assert_true(phone_allowed(&blocks, STR("+393331234567")));
}

static void test_numbers_have_their_own_codes(void **state)
{
	static const str items[] = { STR_INIT("+15550100=123456"), STR_INIT("+15550101=000000") };
	const struct config cfg = { .sms.test_numbers = { items, N_OF(items) } };
	str code = STR_NONE;

	(void)state;
	assert_true(phone_test_code(&cfg, STR("+15550101"), &code));
	assert_true(str_eq(code, STR("000000")));
	assert_true(phone_test_code(&cfg, STR("+15550100"), &code));
	assert_true(str_eq(code, STR("123456")));
	assert_false(phone_test_code(&cfg, STR("+1555010"), &code));
	assert_false(phone_test_code(&cfg, STR("+155501001"), &code));
}

static void mf17_numbers_of_one_range_share_its_key(void **state)
{
	(void)state;
	assert_true(str_eq(phone_range(STR("+393331234567")), STR("+393331234")));
	assert_true(str_eq(phone_range(STR("+393331234999")), STR("+393331234")));
	assert_false(str_eq(phone_range(STR("+393331235567")), STR("+393331234")));
	assert_int_equal(phone_range(STR("+1")).n, 0);
}

static void prefixes_of_the_settings_are_a_plus_and_digits(void **state)
{
	static const char *const good[] = { "+1", "+39", "+12345678901234" };
	static const char *const bad[] = { "",	    "+",   "1",	   "39",  "+0",
					   "+0039", "+3a", "+ 39", "any", "+123456789012345",
					   "+39 " };

	(void)state;
	for (size_t i = 0; i < N_OF(good); i++)
		assert_true(phone_prefix_ok(str_of_cstr(good[i])));
	for (size_t i = 0; i < N_OF(bad); i++)
		assert_false(phone_prefix_ok(str_of_cstr(bad[i])));
	assert_false(phone_prefix_ok(STR_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mf17_numbers_have_one_canonical_form),
		cmocka_unit_test(mf17_numbers_have_seven_to_fifteen_digits),
		cmocka_unit_test(mf17_only_international_numbers_are_taken),
		cmocka_unit_test(mf17_a_trunk_zero_in_brackets_is_refused_and_not_guessed_at),
		cmocka_unit_test(ht10_a_nul_never_ends_a_number),
		cmocka_unit_test(mf17_only_countries_of_the_settings_are_texted),
		cmocka_unit_test(mf17_blocked_prefixes_win_over_every_country),
		cmocka_unit_test(an_empty_prefix_matches_nothing),
		cmocka_unit_test(test_numbers_have_their_own_codes),
		cmocka_unit_test(mf17_numbers_of_one_range_share_its_key),
		cmocka_unit_test(prefixes_of_the_settings_are_a_plus_and_digits),
	};
	int failed;

	if (arena_init(&mem, 4096).code != ERR_OK)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_clear(&mem);
	return failed;
}
