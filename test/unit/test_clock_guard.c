/* The clock guard with both clocks in hand: what a step of the time of day stops, for how long, and what
 * is left of it in the store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "domain/clock_guard.h"
#include "store_fixture.h"

#define T0   ((int64_t)1800000000000)
#define YEAR (365 * MS_PER_DAY)
#define TTL  (15 * MS_PER_MIN)

static struct world {
	struct store_fixture f;
	struct clock_guard g;
	struct ctx c;
	int64_t error_ms; /* how wrong the time of day is */
} w;

/* Both clocks as they are after so much real time. */
static void at(int64_t real_ms)
{
	w.c.now_ms = T0 + real_ms + w.error_ms;
	w.c.mono_ms = MS_PER_HOUR + real_ms;
	clock_note(&w.g, w.c.now_ms, w.c.mono_ms);
}

static bool issues(void)
{
	return clock_issue(&w.c).code == ERR_OK;
}

static int set_up(void **state)
{
	(void)state;
	memset(&w, 0, sizeof(w));
	fixture_init_in_memory(&w.f);
	if (fixture_open(&w.f).code != ERR_OK)
		return -1;
	w.c = (struct ctx){ .mem = &w.f.mem, .db = w.f.db, .clock = &w.g, .now_ms = T0,
			    .mono_ms = MS_PER_HOUR, .client_ip = STR("test") };
	return clock_load(&w.c).code == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_clear(&w.f);
	return 0;
}

/* The process ends and another one begins, on a machine that was started anew. */
static void begin_anew(void)
{
	w.g = (struct clock_guard){ 0 };
	w.c.mono_ms = MS_PER_S;
	assert_int_equal(clock_load(&w.c).code, ERR_OK);
}

static void rel14_an_ordinary_clock_and_steps_forward_change_nothing(void **state)
{
	(void)state;
	for (int64_t t = 0; t < MS_PER_HOUR; t += 7 * MS_PER_S) {
		if (t > MS_PER_MIN)
			w.error_ms = 5 * MS_PER_MIN;
		at(t);
		assert_true(issues());
		assert_int_equal(clock_effective_ms(&w.c), w.c.now_ms);
		assert_false(clock_expired(&w.c, w.c.now_ms + 1, TTL));
		assert_true(clock_expired(&w.c, w.c.now_ms, TTL));
	}
}

static void rel14_up_to_two_minutes_back_goes_on_issuing_and_more_does_not(void **state)
{
	(void)state;
	w.error_ms = -CLOCK_BEHIND_MS;
	at(0);
	assert_true(issues());
	w.error_ms = -CLOCK_BEHIND_MS - 1;
	at(0);
	assert_false(issues());
	assert_int_equal(w.c.retry_after_s, 10);
}

static void rel14_issuing_begins_again_when_the_clock_is_back_where_it_was(void **state)
{
	(void)state;
	w.error_ms = -10 * MS_PER_MIN;
	at(0);
	assert_false(issues());
	at(9 * MS_PER_MIN);
	assert_false(issues());
	at(10 * MS_PER_MIN + 999);
	assert_false(issues());
	at(10 * MS_PER_MIN + 1000);
	assert_true(issues());
	w.error_ms = 0; /* and at once when it is corrected */
	at(11 * MS_PER_MIN);
	assert_true(issues());
}

static void rel14_what_was_made_before_a_step_back_ends_in_real_time(void **state)
{
	int64_t expires_ms = T0 + TTL;

	(void)state;
	w.error_ms = -10 * MS_PER_MIN;
	at(1);
	assert_false(clock_expired(&w.c, expires_ms, TTL));
	at(TTL - 1);
	assert_false(clock_expired(&w.c, expires_ms, TTL));
	at(TTL + CLOCK_SLACK_MS + 1); /* by the time of day it would have nine more minutes */
	assert_true(w.c.now_ms < expires_ms);
	assert_true(clock_expired(&w.c, expires_ms, TTL));
}

static void rel14_what_had_expired_stays_so_after_a_step_back(void **state)
{
	int64_t expires_ms = T0 + MS_PER_MIN;

	(void)state;
	at(2 * MS_PER_MIN);
	assert_true(clock_expired(&w.c, expires_ms, TTL));
	for (int64_t back_ms = 0; back_ms <= YEAR; back_ms = back_ms * 2 + MS_PER_S) {
		w.error_ms = -back_ms;
		at(2 * MS_PER_MIN);
		assert_true(clock_expired(&w.c, expires_ms, TTL));
	}
}

static void rel14_what_is_made_after_a_step_back_lives_as_long_as_it_should(void **state)
{
	int64_t expires_ms;

	(void)state;
	w.error_ms = -MS_PER_HOUR; /* the clock had been an hour ahead */
	at(0);
	at(MS_PER_HOUR + MS_PER_S);
	assert_true(issues());
	expires_ms = w.c.now_ms + TTL;
	at(MS_PER_HOUR + MS_PER_S + TTL - 1);
	assert_false(clock_expired(&w.c, expires_ms, TTL));
	at(MS_PER_HOUR + MS_PER_S + TTL);
	assert_true(clock_expired(&w.c, expires_ms, TTL));
}

static void rel14_many_small_steps_back_are_counted_together(void **state)
{
	int64_t expires_ms = T0 + TTL, t = 1;

	(void)state;
	for (; t < 20; t++) {
		w.error_ms -= 59 * MS_PER_S;
		at(t);
	}
	assert_false(issues());
	at(TTL + 2 * MS_PER_MIN);
	assert_true(clock_expired(&w.c, expires_ms, TTL));
}

static void rel14_a_late_reading_of_before_the_step_does_not_undo_it(void **state)
{
	(void)state;
	w.error_ms = -10 * MS_PER_MIN;
	at(1);
	clock_note(&w.g, T0, MS_PER_HOUR); /* by a thread that was slow */
	at(2);
	assert_false(issues());
	at(TTL + CLOCK_SLACK_MS + 1);
	assert_true(clock_expired(&w.c, T0 + TTL, TTL));
}

static void rel14_the_watermark_survives_a_restart(void **state)
{
	(void)state;
	at(MS_PER_MIN);
	assert_int_equal(clock_save(&w.c, false).code, ERR_OK);
	w.c.now_ms = MS_PER_DAY; /* 1970 */
	begin_anew();
	assert_false(issues());
	assert_int_equal(clock_effective_ms(&w.c), T0 + MS_PER_MIN - CLOCK_SLACK_MS);
	w.c.now_ms = T0 + 2 * MS_PER_MIN;
	begin_anew();
	assert_true(issues());
}

static void the_watermark_is_written_when_it_has_moved_by_half_a_minute_or_at_the_end(void **state)
{
	(void)state;
	assert_int_equal(clock_save(&w.c, false).code, ERR_OK);
	assert_int_equal(w.g.stored_ms, T0);
	at(30 * MS_PER_S - 1);
	assert_int_equal(clock_save(&w.c, false).code, ERR_OK);
	assert_int_equal(w.g.stored_ms, T0);
	assert_int_equal(clock_save(&w.c, true).code, ERR_OK);
	assert_int_equal(w.g.stored_ms, T0 + 30 * MS_PER_S - 1);
}

static void a_reset_brings_back_a_watermark_that_was_far_ahead(void **state)
{
	(void)state;
	w.error_ms = YEAR;
	at(1);
	assert_int_equal(clock_save(&w.c, false).code, ERR_OK);
	w.error_ms = 0;
	at(2);
	assert_false(issues());
	assert_int_equal(clock_reset(&w.c).code, ERR_OK);
	assert_false(issues()); /* the command's process is another one */
	assert_int_equal(clock_poll(&w.c).code, ERR_OK);
	assert_true(issues());
	assert_false(clock_expired(&w.c, w.c.now_ms + 1, TTL));
	begin_anew();
	assert_true(issues());
}

static void a_reset_that_comes_before_the_watermark_was_stored_is_not_undone(void **state)
{
	(void)state;
	w.error_ms = YEAR;
	at(1);
	w.error_ms = 0;
	at(2);
	assert_int_equal(clock_reset(&w.c).code, ERR_OK);
	assert_int_equal(clock_save(&w.c, false).code, ERR_OK);
	assert_true(issues());
	begin_anew();
	assert_true(issues());
}

static void without_a_guard_nothing_is_checked(void **state)
{
	(void)state;
	w.c.clock = NULL;
	w.c.now_ms = 1;
	clock_note(NULL, 1, 1);
	assert_true(issues());
	assert_int_equal(clock_effective_ms(&w.c), 1);
	assert_true(clock_expired(&w.c, 1, TTL));
	assert_false(clock_expired(&w.c, 2, TTL));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(rel14_an_ordinary_clock_and_steps_forward_change_nothing),
		T(rel14_up_to_two_minutes_back_goes_on_issuing_and_more_does_not),
		T(rel14_issuing_begins_again_when_the_clock_is_back_where_it_was),
		T(rel14_what_was_made_before_a_step_back_ends_in_real_time),
		T(rel14_what_had_expired_stays_so_after_a_step_back),
		T(rel14_what_is_made_after_a_step_back_lives_as_long_as_it_should),
		T(rel14_many_small_steps_back_are_counted_together),
		T(rel14_a_late_reading_of_before_the_step_does_not_undo_it),
		T(rel14_the_watermark_survives_a_restart),
		T(the_watermark_is_written_when_it_has_moved_by_half_a_minute_or_at_the_end),
		T(a_reset_brings_back_a_watermark_that_was_far_ahead),
		T(a_reset_that_comes_before_the_watermark_was_stored_is_not_undone),
		T(without_a_guard_nothing_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
