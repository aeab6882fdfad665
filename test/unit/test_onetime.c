/* Codes: every one of a million as likely as any other, and none without random bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "domain/onetime.h"

#define CODES  1000000
#define DIGITS 6

/* SplitMix64: seeded, so that a run can be repeated. */
static err_t fill_seeded(void *self, void *dst, size_t n)
{
	uint64_t *state = self;
	uint8_t *p = dst;

	for (size_t i = 0; i < n; i++) {
		uint64_t z = *state += 0x9e3779b97f4a7c15;

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
		z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
		p[i] = (uint8_t)(z ^ (z >> 31));
	}
	return OK;
}

static err_t fill_fails(void *self, void *dst, size_t n)
{
	(void)self;
	memset(dst, 0, n);
	FAIL(ERR_CRYPTO);
}

/* What the numbers in `self` are, then a failure. */
struct script {
	const uint32_t *values;
	size_t n;
};

static err_t fill_script(void *self, void *dst, size_t n)
{
	struct script *s = self;

	assert_int_equal(n, sizeof(uint32_t));
	if (s->n == 0)
		FAIL(ERR_CRYPTO);
	memcpy(dst, s->values++, n);
	s->n--;
	return OK;
}

static void mf13_each_digit_of_a_million_codes_is_uniform(void **state)
{
	static long seen[DIGITS][10];
	uint64_t seed = 20260101;
	const struct rng rng = { fill_seeded, &seed };

	(void)state;
	for (int i = 0; i < CODES; i++) {
		uint32_t code;

		assert_int_equal(onetime_draw_code(rng, &code).code, ERR_OK);
		assert_true(code < 1000000);
		for (int k = 0; k < DIGITS; k++, code /= 10)
			seen[k][code % 10]++;
	}
	for (int k = 0; k < DIGITS; k++) {
		const double expected = CODES / 10.0;
		double chi2 = 0;

		for (int d = 0; d < 10; d++)
			chi2 += ((double)seen[k][d] - expected) * ((double)seen[k][d] - expected) / expected;
		assert_true(chi2 < 33.72); /* 9 degrees of freedom, p = 0.0001 */
	}
}

static void mf13_what_does_not_divide_evenly_is_drawn_again(void **state)
{
	static const uint32_t values[] = { UINT32_MAX, 4294000000, 4293999999, 0, 1234567 };
	struct script s = { values, 5 };
	const struct rng rng = { fill_script, &s };
	uint32_t code;

	(void)state;
	assert_int_equal(onetime_draw_code(rng, &code).code, ERR_OK);
	assert_int_equal(code, 999999);
	assert_int_equal(onetime_draw_code(rng, &code).code, ERR_OK);
	assert_int_equal(code, 0);
	assert_int_equal(onetime_draw_code(rng, &code).code, ERR_OK);
	assert_int_equal(code, 234567);
	assert_int_equal(onetime_draw_code(rng, &code).code, ERR_CRYPTO);
}

static void mf13_without_random_bytes_there_is_no_code(void **state)
{
	const struct rng rng = { fill_fails, NULL };
	uint32_t code = 7;

	(void)state;
	assert_int_equal(onetime_draw_code(rng, &code).code, ERR_CRYPTO);
	assert_int_equal(code, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mf13_each_digit_of_a_million_codes_is_uniform),
		cmocka_unit_test(mf13_what_does_not_divide_evenly_is_drawn_again),
		cmocka_unit_test(mf13_without_random_bytes_there_is_no_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
