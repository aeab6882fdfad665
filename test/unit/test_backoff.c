#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "jobs/backoff.h"

static void the_pause_doubles_from_one_second_to_fifteen_minutes(void **state)
{
	(void)state;
	assert_int_equal(backoff_ms(1, UINT32_MAX), 1000);
	assert_int_equal(backoff_ms(2, UINT32_MAX), 2000);
	assert_int_equal(backoff_ms(5, UINT32_MAX), 16000);
	assert_int_equal(backoff_ms(10, UINT32_MAX), 512000);
	assert_int_equal(backoff_ms(11, UINT32_MAX), 15 * MS_PER_MIN);
	assert_int_equal(backoff_ms(1000000, UINT32_MAX), 15 * MS_PER_MIN);
	assert_int_equal(backoff_ms(INT64_MAX, UINT32_MAX), 15 * MS_PER_MIN);
}

static void chance_takes_away_at_most_half(void **state)
{
	(void)state;
	for (int64_t attempt = 1; attempt < 20; attempt++) {
		int64_t full_ms = backoff_ms(attempt, UINT32_MAX);

		assert_int_equal(backoff_ms(attempt, 0), full_ms / 2);
		for (uint32_t r = 0; r < 0xf0000000; r += 0x0fffffff) {
			assert_in_range(backoff_ms(attempt, r), full_ms / 2, full_ms);
			assert_true(backoff_ms(attempt, r) <= backoff_ms(attempt, r + 0x0fffffff));
		}
	}
}

static void an_attempt_below_one_is_the_first(void **state)
{
	(void)state;
	assert_int_equal(backoff_ms(0, UINT32_MAX), 1000);
	assert_int_equal(backoff_ms(-7, UINT32_MAX), 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_pause_doubles_from_one_second_to_fifteen_minutes),
		cmocka_unit_test(chance_takes_away_at_most_half),
		cmocka_unit_test(an_attempt_below_one_is_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
