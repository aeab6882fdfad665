/* One-time codes against the vectors of RFC 4226 appendix D and RFC 6238 appendix B, and which steps count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto/totp.h"

static uint8_t rfc_key[] = "12345678901234567890";

static struct secret key(void)
{
	return (struct secret){ rfc_key, sizeof(rfc_key) - 1 };
}

static void assert_code(int64_t step, const char *want)
{
	char code[TOTP_DIGITS];

	assert_int_equal(totp_code(key(), step, code).code, ERR_OK);
	assert_memory_equal(code, want, TOTP_DIGITS);
}

static void the_codes_of_rfc_4226_appendix_d(void **state)
{
	static const char *codes[] = { "755224", "287082", "359152", "969429", "338314",
				       "254676", "287922", "162583", "399871", "520489" };

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		assert_code((int64_t)i, codes[i]);
}

/* The appendix has eight digits, of which ours are the last six. */
static void the_codes_of_rfc_6238_appendix_b(void **state)
{
	static const struct {
		int64_t second, step;
		const char *code;
	} rows[] = {
		{ 59, 0x1, "94287082" },
		{ 1111111109, 0x23523EC, "07081804" },
		{ 1111111111, 0x23523ED, "14050471" },
		{ 1234567890, 0x273EF07, "89005924" },
		{ 2000000000, 0x3F940AA, "69279037" },
		{ 20000000000, 0x27BC86AA, "65353130" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t step;

		assert_int_equal(totp_step(rows[i].second * 1000), rows[i].step);
		assert_code(rows[i].step, rows[i].code + 2);
		assert_int_equal(totp_check(key(), str_of_cstr(rows[i].code + 2), rows[i].second * 1000, &step).code,
				 ERR_OK);
		assert_int_equal(step, rows[i].step);
	}
}

static int64_t checked(str code, int64_t now_ms)
{
	int64_t step = 12345;

	assert_int_equal(totp_check(key(), code, now_ms, &step).code, ERR_OK);
	return step;
}

static void a_code_is_taken_one_step_early_and_one_late_and_the_answer_says_which(void **state)
{
	const int64_t step = 50000000, now_ms = step * TOTP_STEP_MS;
	char code[TOTP_DIGITS];

	(void)state;
	for (int64_t off = -3; off <= 3; off++) {
		int64_t want = off < -1 || off > 1 ? TOTP_NO_STEP : step + off;

		assert_int_equal(totp_code(key(), step + off, code).code, ERR_OK);
		assert_int_equal(checked((str){ code, sizeof(code) }, now_ms), want);
		assert_int_equal(checked((str){ code, sizeof(code) }, now_ms + TOTP_STEP_MS - 1), want);
	}
}

static void what_is_not_six_digits_is_no_code(void **state)
{
	static const char *bad[] = { "", "28708", "2870822", "28708a", " 28708", "28708 ", "-28708", "+28708" };

	(void)state;
	assert_int_equal(checked(STR("287082"), 59000), 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(checked(str_of_cstr(bad[i]), 59000), TOTP_NO_STEP);
	assert_int_equal(checked(STR("28708\0"), 59000), TOTP_NO_STEP);
	assert_int_equal(checked(STR_NONE, 59000), TOTP_NO_STEP);
}

/* Some pair of neighbours among the first millions has the same code; both are then used up by the later. */
static void of_two_steps_with_one_code_the_later_is_told(void **state)
{
	char now[TOTP_DIGITS], before[TOTP_DIGITS];
	int64_t step = 1;

	(void)state;
	assert_int_equal(totp_code(key(), 0, before).code, ERR_OK);
	for (;; step++) {
		assert_true(step < 20000000);
		assert_int_equal(totp_code(key(), step, now).code, ERR_OK);
		if (memcmp(now, before, TOTP_DIGITS) == 0)
			break;
		memcpy(before, now, TOTP_DIGITS);
	}
	assert_int_equal(checked((str){ now, TOTP_DIGITS }, step * TOTP_STEP_MS), step);
	assert_int_equal(checked((str){ now, TOTP_DIGITS }, (step - 1) * TOTP_STEP_MS), step);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_codes_of_rfc_4226_appendix_d),
		cmocka_unit_test(the_codes_of_rfc_6238_appendix_b),
		cmocka_unit_test(a_code_is_taken_one_step_early_and_one_late_and_the_answer_says_which),
		cmocka_unit_test(what_is_not_six_digits_is_no_code),
		cmocka_unit_test(of_two_steps_with_one_code_the_later_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
