/* Phone numbers: what is taken is E.164 whatever came in, made of its digits in their order, and
 * the canonical form of a canonical form is itself. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "domain/phone_number.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char mem[4096];

static void must(bool holds)
{
	if (!holds)
		abort();
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ^\+[1-9][0-9]{6,14}$ */
static void check_form(str number)
{
	must(number.n >= 8 && number.n <= PHONE_MAX_BYTES);
	must(number.p[0] == '+' && number.p[1] != '0');
	for (size_t i = 1; i < number.n; i++)
		must(is_digit(number.p[i]));
}

static void check_digits(str raw, str number)
{
	size_t at = number.n;

	for (size_t i = raw.n; i > 0 && at > 1; i--) {
		if (is_digit(raw.p[i - 1]))
			must(raw.p[i - 1] == number.p[--at]);
	}
	must(at == 1);
}

static void check_with_settings(str number, str item)
{
	const struct config cfg = { .sms.countries = { &item, 1 },
				    .sms.test_numbers = { &item, 1 } };
	const struct config blocked = { .sms.countries = { &item, 1 },
					.sms.blocked = { &item, 1 } };
	str code = STR_NONE;

	must(!phone_prefix_ok(item) || phone_allowed(&cfg, number) == str_starts(number, item));
	must(!phone_prefix_ok(item) || !phone_allowed(&blocked, number));
	if (phone_test_code(&cfg, number, &code))
		must(str_starts(item, number) && item.n == number.n + 1 + code.n);
	must(str_starts(number, phone_range(number)) && phone_range(number).n + 3 == number.n);
}

/* First line: a number as typed; second: an item of a settings' list. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str raw, item, number = STR_NONE, again;
	struct arena a;
	err_t e;

	(void)str_cut(str_of_bytes(data, size), '\n', &raw, &item);
	arena_init_fixed(&a, mem, sizeof(mem));
	(void)phone_prefix_ok(raw);
	e = phone_canonical(&a, raw, &number);
	must(e.code == ERR_OK || e.code == ERR_INPUT);
	if (e.code != ERR_OK) {
		must(number.p == NULL);
		return 0;
	}
	check_form(number);
	check_digits(raw, number);
	must(phone_canonical(&a, number, &again).code == ERR_OK && str_eq(number, again));
	check_with_settings(number, item);
	return 0;
}
