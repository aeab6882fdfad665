#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "jobs/breaker.h"

/* Opened at time 0 by five failures in a row. */
static struct breaker opened(void)
{
	struct breaker b = { 0 };

	for (int i = 0; i < 4; i++)
		assert_false(breaker_down(&b, 0));
	assert_true(breaker_down(&b, 0));
	return b;
}

static void a_new_one_lets_everything_through(void **state)
{
	struct breaker b = { 0 };

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_true(breaker_take(&b, i));
	assert_int_equal(breaker_wait_ms(&b, 100), 0);
}

static void five_failures_in_a_row_open_it_however_slow(void **state)
{
	struct breaker b = { 0 };

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_false(breaker_down(&b, i * 3600000));
	assert_true(breaker_take(&b, 4 * 3600000));
	assert_true(breaker_down(&b, 4 * 3600000));
	assert_false(breaker_take(&b, 4 * 3600000));
}

static void five_failures_within_thirty_seconds_open_it_despite_successes(void **state)
{
	struct breaker b = { 0 };

	(void)state;
	for (int i = 0; i < 4; i++) {
		assert_false(breaker_down(&b, i * 7500));
		assert_false(breaker_up(&b));
	}
	assert_true(breaker_down(&b, 30000));
}

static void rare_failures_among_successes_do_not_open_it(void **state)
{
	struct breaker b = { 0 };

	(void)state;
	for (int64_t i = 0; i < 1000; i++) {
		assert_false(breaker_down(&b, i * 7501));
		assert_false(breaker_up(&b));
	}
}

static void an_open_one_lets_a_single_probe_through_after_a_second(void **state)
{
	struct breaker b = opened();

	(void)state;
	assert_int_equal(breaker_wait_ms(&b, 0), 1000);
	assert_false(breaker_take(&b, 999));
	assert_true(breaker_take(&b, 1000));
	assert_false(breaker_take(&b, 1000));
	assert_false(breaker_take(&b, 1000000));
}

static void each_failed_probe_doubles_the_pause_up_to_a_minute(void **state)
{
	static const int64_t pauses_ms[] = { 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000 };
	struct breaker b = opened();
	int64_t now_ms = 1000;

	(void)state;
	for (size_t i = 0; i < sizeof(pauses_ms) / sizeof(pauses_ms[0]); i++) {
		assert_true(breaker_take(&b, now_ms));
		assert_false(breaker_down(&b, now_ms));
		assert_int_equal(breaker_wait_ms(&b, now_ms), pauses_ms[i]);
		assert_false(breaker_take(&b, now_ms + pauses_ms[i] - 1));
		now_ms += pauses_ms[i];
	}
}

static void a_successful_probe_closes_it_and_forgets_the_past(void **state)
{
	struct breaker b = opened();

	(void)state;
	assert_true(breaker_take(&b, 1000));
	assert_false(breaker_down(&b, 1000));
	assert_true(breaker_take(&b, 3000));
	assert_true(breaker_up(&b));
	assert_false(breaker_up(&b)); /* told once */
	for (int i = 0; i < 4; i++)
		assert_false(breaker_down(&b, 3001));
	assert_true(breaker_down(&b, 3001));
	assert_int_equal(breaker_wait_ms(&b, 3001), 1000);
}

static void a_probe_that_found_nothing_to_send_leaves_its_turn_to_the_next(void **state)
{
	struct breaker b = opened();

	(void)state;
	assert_true(breaker_take(&b, 1000));
	breaker_unused(&b);
	assert_int_equal(breaker_wait_ms(&b, 1000), 0);
	assert_true(breaker_take(&b, 1000));
	assert_false(breaker_take(&b, 1000));
}

static void failures_of_messages_that_set_out_before_do_not_lengthen_the_pause(void **state)
{
	struct breaker b = opened();

	(void)state;
	for (int i = 0; i < 20; i++)
		assert_false(breaker_down(&b, 900));
	assert_int_equal(breaker_wait_ms(&b, 900), 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_one_lets_everything_through),
		cmocka_unit_test(five_failures_in_a_row_open_it_however_slow),
		cmocka_unit_test(five_failures_within_thirty_seconds_open_it_despite_successes),
		cmocka_unit_test(rare_failures_among_successes_do_not_open_it),
		cmocka_unit_test(an_open_one_lets_a_single_probe_through_after_a_second),
		cmocka_unit_test(each_failed_probe_doubles_the_pause_up_to_a_minute),
		cmocka_unit_test(a_successful_probe_closes_it_and_forgets_the_past),
		cmocka_unit_test(a_probe_that_found_nothing_to_send_leaves_its_turn_to_the_next),
		cmocka_unit_test(failures_of_messages_that_set_out_before_do_not_lengthen_the_pause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
