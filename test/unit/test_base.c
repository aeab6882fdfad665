/* Slices, builders, arenas, errors, secrets, clocks, random bytes, waiting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/rng.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/wait.h"

static void assert_str(str got, const char *want)
{
	assert_int_equal(got.n, strlen(want));
	assert_memory_equal(got.p, want, got.n);
}

/* ---- str ---- */

static void absent_and_empty_text_compare_equal_but_only_one_is_absent(void **state)
{
	(void)state;
	assert_true(str_eq(STR_NONE, STR("")));
	assert_null(str_of_cstr(NULL).p);
	assert_non_null(str_of_cstr("").p);
	assert_true(str_eq(str_of_cstr("abc"), STR("abc")));
	assert_false(str_eq(STR("abc"), STR("abd")));
	assert_false(str_eq(STR("abc"), STR("ab")));
	assert_true(str_eq(str_of_bytes("a\0b", 3), STR("a\0b")));
	assert_false(str_eq(STR("a\0b"), STR("a\0c")));
}

static void comparing_without_case_folds_ascii_letters_only(void **state)
{
	(void)state;
	assert_true(str_eq_nocase(STR("Content-TYPE"), STR("content-type")));
	assert_false(str_eq_nocase(STR("\xC3\x84"), STR("\xC3\xA4"))); /* Ä, ä */
	assert_false(str_eq_nocase(STR("@[`{"), STR("`{@[")));
	assert_false(str_eq_nocase(STR("ab"), STR("abc")));
}

static void prefixes_and_suffixes_are_found_also_on_absent_text(void **state)
{
	(void)state;
	assert_true(str_starts(STR("abc"), STR("ab")));
	assert_false(str_starts(STR("a"), STR("ab")));
	assert_true(str_ends(STR("abc"), STR("bc")));
	assert_false(str_ends(STR("c"), STR("bc")));
	assert_true(str_starts(STR_NONE, STR("")));
	assert_true(str_ends(STR_NONE, STR("")));
	assert_true(str_ends(STR("abc"), STR("")));
}

static void cutting_gives_both_parts_or_the_whole(void **state)
{
	str head, tail;

	(void)state;
	assert_true(str_cut(STR("a=b=c"), '=', &head, &tail));
	assert_str(head, "a");
	assert_str(tail, "b=c");
	assert_true(str_cut(STR("a="), '=', &head, &tail));
	assert_str(tail, "");
	assert_non_null(tail.p);
	assert_false(str_cut(STR("abc"), '=', &head, &tail));
	assert_str(head, "abc");
	assert_null(tail.p);
	assert_false(str_cut(STR_NONE, '=', &head, &tail));
	assert_true(str_has_byte(STR("a\0b"), '\0'));
	assert_false(str_has_byte(STR_NONE, 'a'));
	assert_true(str_has(STR("abc"), STR("bc")) && str_has(STR("abc"), STR("")) && str_has(STR_NONE, STR_NONE));
	assert_false(str_has(STR("abc"), STR("ac")) || str_has(STR_NONE, STR("a")) || str_has(STR(""), STR("a")));
}

static void trimming_and_skipping_stay_inside(void **state)
{
	(void)state;
	assert_str(str_trim(STR(" \t a b\t ")), "a b");
	assert_str(str_trim(STR(" \t ")), "");
	assert_str(str_trim(STR("\na")), "\na");
	assert_str(str_skip(STR("abc"), 2), "c");
	assert_int_equal(str_skip(STR("abc"), 4).n, 0);
	assert_int_equal(str_skip(STR_NONE, 4).n, 0);
}

/* Each unit of HT12: the value, one less and one more, as text and under a limit. */
static void HT12_decimal_text_is_exact_at_the_word_boundaries(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
	} rows[] = {
		{ "0", 0 }, { "1", 1 },
		{ "2147483647", 2147483647U }, { "2147483648", 2147483648U },
		{ "2147483649", 2147483649U },
		{ "4294967295", 4294967295U }, { "4294967296", 4294967296U },
		{ "4294967297", 4294967297U },
		{ "9223372036854775807", 9223372036854775807U },
		{ "9223372036854775808", 9223372036854775808U },
		{ "9223372036854775809", 9223372036854775809U },
		{ "18446744073709551615", UINT64_MAX },
	};
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		str text = str_of_cstr(rows[i].text);
		v = ~rows[i].value;
		assert_true(str_to_u64(text, UINT64_MAX, &v));
		assert_true(v == rows[i].value);
		assert_true(str_to_u64(text, rows[i].value, &v));
		if (rows[i].value > 0)
			assert_false(str_to_u64(text, rows[i].value - 1, &v));
	}
}

static void text_that_is_no_decimal_number_is_refused_and_changes_nothing(void **state)
{
	static const char *const rows[] = {
		"", "-1", "+1", " 1", "1 ", "1x", "0x1", "1e3", "18446744073709551616",
		"99999999999999999999", "100000000000000000000", "\xD9\xA1",
	};
	uint64_t v = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_false(str_to_u64(str_of_cstr(rows[i]), UINT64_MAX, &v));
	assert_false(str_to_u64(STR_NONE, 5, &v));
	assert_false(str_to_u64(STR("1\0"), 5, &v));
	assert_int_equal(v, 77);
}

/* ---- buf ---- */

static void writing_past_the_maximum_sets_overflow_for_good_and_writes_nothing(void **state)
{
	char room[8] = "#######";
	struct buf b = { .p = room, .cap = 4 };

	(void)state;
	buf_lit(&b, "abc");
	buf_lit(&b, "de");
	assert_true(b.overflow);
	assert_str(buf_view(&b), "abc");
	buf_byte(&b, 'd');
	assert_str(buf_view(&b), "abc");
	assert_int_equal(room[3], '#');
	assert_int_equal(room[4], '#');
}

static void a_builder_may_be_filled_to_its_last_byte(void **state)
{
	char room[4];
	struct buf b = BUF_OF(room);

	(void)state;
	buf_lit(&b, "abc");
	buf_byte(&b, 'd');
	assert_false(b.overflow);
	assert_int_equal(b.n, 4);
	buf_str(&b, STR_NONE);
	assert_false(b.overflow);
}

static void HT12_numbers_are_written_exactly_to_both_ends(void **state)
{
	char room[100];
	struct buf b = BUF_OF(room);

	(void)state;
	buf_i64(&b, 0);
	buf_byte(&b, ' ');
	buf_i64(&b, -1);
	buf_byte(&b, ' ');
	buf_i64(&b, INT64_MAX);
	buf_byte(&b, ' ');
	buf_i64(&b, INT64_MIN);
	assert_str(buf_view(&b), "0 -1 9223372036854775807 -9223372036854775808");
}

static void formatted_text_that_does_not_fit_sets_overflow(void **state)
{
	char room[8];
	struct buf b = BUF_OF(room);

	(void)state;
	buf_printf(&b, "%d-%s", 12, "abc");
	assert_str(buf_view(&b), "12-abc");
	buf_printf(&b, "%s", "xyz");
	assert_true(b.overflow);
	assert_int_equal(b.n, 6);
}

/* ---- arena ---- */

static void pieces_of_an_arena_are_zeroed_aligned_and_apart(void **state)
{
	struct arena a = { 0 };
	char *p;
	uint64_t *q;

	(void)state;
	assert_int_equal(arena_init(&a, 4096).code, ERR_OK);
	p = arena_new(&a, char, 3);
	memset(p, 0xFF, 3);
	q = arena_new(&a, uint64_t, 2);
	assert_int_equal((uintptr_t)q % 16, 0);
	assert_true((char *)q >= p + 3);
	assert_int_equal(q[0] | q[1], 0);
	arena_reset(&a);
	p = arena_new(&a, char, 3);
	assert_int_equal(p[0] | p[1] | p[2], 0);
	arena_clear(&a);
	assert_null(arena_new(&a, char, 1));
	assert_null(arena_new(&a, char, 0));
	arena_reset(&a);
	arena_clear(&a);
}

static void an_arena_over_unaligned_memory_still_gives_aligned_pieces(void **state)
{
	_Alignas(16) char mem[256];
	struct arena a;

	(void)state;
	arena_init_fixed(&a, mem + 1, sizeof(mem) - 1);
	char *p = arena_new(&a, char, 200);
	assert_non_null(p);
	assert_int_equal((uintptr_t)p % 16, 0);
	assert_true(p + 200 <= mem + sizeof(mem));
	assert_null(arena_new(&a, char, 100));
	arena_init_fixed(&a, mem + 1, 3);
	assert_null(arena_new(&a, char, 1));
}

static void HT12_the_cap_holds_and_products_that_overflow_are_refused(void **state)
{
	struct arena a = { 0 };

	(void)state;
	assert_int_equal(arena_init(&a, 1024).code, ERR_OK);
	assert_null(arena_take(&a, 1, 1025));
	assert_null(arena_take(&a, SIZE_MAX, 2));
	assert_null(arena_take(&a, SIZE_MAX / 2 + 1, 2));
	assert_null(arena_take(&a, 1, SIZE_MAX));
	assert_null(arena_take(&a, (size_t)1 << 32, (size_t)1 << 32));
	assert_non_null(arena_take(&a, 1, 1024));
	assert_null(arena_take(&a, 1, 1));
	assert_int_equal(a.peak, 1024);
	arena_clear(&a);
}

static void resetting_an_arena_wipes_what_was_written(void **state)
{
	_Alignas(16) char mem[64];
	struct arena a;
	str copy;

	(void)state;
	arena_init_fixed(&a, mem, sizeof(mem));
	assert_int_equal(arena_copy(&a, STR("a password"), &copy).code, ERR_OK);
	assert_memory_equal(mem, "a password", 10);
	arena_reset(&a);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(mem[i], 0);
}

static void copies_keep_absence_and_end_in_a_zero_byte(void **state)
{
	struct arena a = { 0 };
	str copy = STR("before");
	char *c = NULL;

	(void)state;
	assert_int_equal(arena_init(&a, 1024).code, ERR_OK);
	assert_int_equal(arena_copy(&a, STR_NONE, &copy).code, ERR_OK);
	assert_null(copy.p);
	assert_int_equal(arena_copy(&a, STR("abc"), &copy).code, ERR_OK);
	assert_string_equal(copy.p, "abc");
	assert_int_equal(str_to_cstr(&a, STR("a\0b"), &c).code, ERR_INPUT);
	assert_int_equal(str_to_cstr(&a, STR_NONE, &c).code, ERR_INPUT);
	assert_null(c);
	assert_int_equal(str_to_cstr(&a, STR("ab"), &c).code, ERR_OK);
	assert_string_equal(c, "ab");
	assert_int_equal(arena_printf(&a, &copy, "%d/%s", 7, "x").code, ERR_OK);
	assert_str(copy, "7/x");
	assert_int_equal(copy.p[3], 0);
	arena_clear(&a);
}

static void an_arena_can_be_told_to_fail_at_the_nth_piece(void **state)
{
	struct arena a = { 0 };
	str copy;

	(void)state;
	assert_int_equal(arena_init(&a, 1024).code, ERR_OK);
	a.fail_at = 2;
	assert_int_equal(arena_copy(&a, STR("a"), &copy).code, ERR_OK);
	assert_int_equal(arena_copy(&a, STR("b"), &copy).code, ERR_NO_MEMORY);
	assert_str(copy, "a");
	assert_int_equal(arena_copy(&a, STR("c"), &copy).code, ERR_OK);
	arena_clear(&a);
}

/* ---- err ---- */

static err_t raise_here(enum err_code code)
{
	FAIL(code);
}

static err_t pass_up(enum err_code code)
{
	TRY(raise_here(code));
	return OK;
}

static void the_first_fault_is_remembered_and_refusals_are_not(void **state)
{
	char first[96];

	(void)state;
	err_clear_origin();
	assert_int_equal(pass_up(ERR_INPUT).code, ERR_INPUT);
	assert_string_equal(err_origin(), "");
	assert_int_equal(pass_up(ERR_STORE).code, ERR_STORE);
	(void)snprintf(first, sizeof(first), "%s", err_origin());
	assert_non_null(strstr(first, "test_base.c:"));
	assert_int_equal(err_raise(ERR_IO, "other.c", 1).code, ERR_IO);
	assert_string_equal(err_origin(), first);
	err_clear_origin();
	assert_string_equal(err_origin(), "");
}

static void every_code_has_its_own_name(void **state)
{
	(void)state;
	for (int i = ERR_OK; i <= ERR_BUG; i++) {
		assert_string_not_equal(err_name((enum err_code)i), "unknown");
		for (int j = ERR_OK; j < i; j++)
			assert_string_not_equal(err_name((enum err_code)i),
						err_name((enum err_code)j));
	}
	assert_false(err_is_fault((err_t){ ERR_CONFLICT }));
	assert_true(err_is_fault((err_t){ ERR_STORE }));
	assert_false(err_is_fault(OK));
}

/* ---- secret, rng, clock ---- */

static void secrets_compare_by_length_and_every_byte(void **state)
{
	uint8_t a[32] = { 0 }, b[32] = { 0 };

	(void)state;
	assert_true(secret_equal((struct secret){ a, 32 }, (struct secret){ b, 32 }));
	for (size_t i = 0; i < 32; i++) {
		b[i] = 1;
		assert_false(secret_equal((struct secret){ a, 32 }, (struct secret){ b, 32 }));
		b[i] = 0;
	}
	assert_false(secret_equal((struct secret){ a, 32 }, (struct secret){ b, 31 }));
	assert_true(secret_equal((struct secret){ NULL, 0 }, (struct secret){ b, 0 }));
}

static void leave_a_secret(uint8_t *bytes, size_t n)
{
	WIPED struct secret s = { bytes, n };

	memset(s.p, 0xAA, s.n);
	assert_int_equal(bytes[0], 0xAA);
}

static void a_wiped_secret_is_zero_after_its_scope(void **state)
{
	uint8_t bytes[16];
	struct secret none = { NULL, 0 };

	(void)state;
	leave_a_secret(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], 0);
	secret_wipe(&none);
}

static void random_bytes_fill_the_whole_room_and_nothing_more(void **state)
{
	uint8_t bytes[4096 + 1] = { 0 };
	uint8_t seen[sizeof(bytes)] = { 0 };

	(void)state;
	for (int round = 0; round < 8; round++) {
		assert_int_equal(rng_fill(rng_system, bytes, sizeof(bytes) - 1).code, ERR_OK);
		for (size_t i = 0; i < sizeof(bytes); i++)
			seen[i] |= bytes[i];
	}
	for (size_t i = 0; i + 1 < sizeof(bytes); i++)
		assert_int_not_equal(seen[i], 0); /* fails by chance once in 2^52 runs */
	assert_int_equal(seen[sizeof(bytes) - 1], 0);
	assert_int_equal(rng_fill(rng_system, bytes, 0).code, ERR_OK);
}

static void the_clocks_agree_with_the_system_and_go_forward(void **state)
{
	int64_t wall_s = (int64_t)time(NULL);
	int64_t now_ms = clock_now_ms(clock_system);
	int64_t before_us = monotonic_us();

	(void)state;
	assert_true(now_ms / 1000 >= wall_s - 1 && now_ms / 1000 <= wall_s + 5);
	assert_true(monotonic_us() >= before_us);
	assert_true(monotonic_ms() - before_us / 1000 < 5000);
}

/* ---- wait ---- */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool flag;
} shared = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void *set_flag(void *unused)
{
	(void)unused;
	(void)pthread_mutex_lock(&shared.lock);
	shared.flag = true;
	(void)pthread_cond_signal(&shared.cond);
	(void)pthread_mutex_unlock(&shared.lock);
	return NULL;
}

static void waiting_ends_at_the_signal_or_at_the_deadline(void **state)
{
	int64_t start_us = monotonic_us();
	pthread_t thread;

	(void)state;
	assert_int_equal(wait_cond_init(&shared.cond).code, ERR_OK);
	(void)pthread_mutex_lock(&shared.lock);
	assert_false(wait_until(&shared.cond, &shared.lock, 0));
	assert_false(wait_until(&shared.cond, &shared.lock, -5));
	while (wait_until(&shared.cond, &shared.lock, start_us + 30000))
		continue; /* woken for no reason: the rule of condition variables */
	assert_true(monotonic_us() >= start_us + 30000);
	assert_int_equal(pthread_create(&thread, NULL, set_flag, NULL), 0);
	while (!shared.flag)
		assert_true(wait_until(&shared.cond, &shared.lock, start_us + 30000000));
	(void)pthread_mutex_unlock(&shared.lock);
	(void)pthread_join(thread, NULL);
	(void)pthread_cond_destroy(&shared.cond);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absent_and_empty_text_compare_equal_but_only_one_is_absent),
		cmocka_unit_test(comparing_without_case_folds_ascii_letters_only),
		cmocka_unit_test(prefixes_and_suffixes_are_found_also_on_absent_text),
		cmocka_unit_test(cutting_gives_both_parts_or_the_whole),
		cmocka_unit_test(trimming_and_skipping_stay_inside),
		cmocka_unit_test(HT12_decimal_text_is_exact_at_the_word_boundaries),
		cmocka_unit_test(text_that_is_no_decimal_number_is_refused_and_changes_nothing),
		cmocka_unit_test(writing_past_the_maximum_sets_overflow_for_good_and_writes_nothing),
		cmocka_unit_test(a_builder_may_be_filled_to_its_last_byte),
		cmocka_unit_test(HT12_numbers_are_written_exactly_to_both_ends),
		cmocka_unit_test(formatted_text_that_does_not_fit_sets_overflow),
		cmocka_unit_test(pieces_of_an_arena_are_zeroed_aligned_and_apart),
		cmocka_unit_test(an_arena_over_unaligned_memory_still_gives_aligned_pieces),
		cmocka_unit_test(HT12_the_cap_holds_and_products_that_overflow_are_refused),
		cmocka_unit_test(resetting_an_arena_wipes_what_was_written),
		cmocka_unit_test(copies_keep_absence_and_end_in_a_zero_byte),
		cmocka_unit_test(an_arena_can_be_told_to_fail_at_the_nth_piece),
		cmocka_unit_test(the_first_fault_is_remembered_and_refusals_are_not),
		cmocka_unit_test(every_code_has_its_own_name),
		cmocka_unit_test(secrets_compare_by_length_and_every_byte),
		cmocka_unit_test(a_wiped_secret_is_zero_after_its_scope),
		cmocka_unit_test(random_bytes_fill_the_whole_room_and_nothing_more),
		cmocka_unit_test(the_clocks_agree_with_the_system_and_go_forward),
		cmocka_unit_test(waiting_ends_at_the_signal_or_at_the_deadline),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
