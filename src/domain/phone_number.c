#include "domain/phone_number.h"

#include <string.h>

#include "base/buf.h"
#include "base/typed.h"

#define DIGITS_MIN	  7
#define DIGITS_MAX	  (PHONE_MAX_BYTES - 1)
#define PREFIX_DIGITS_MAX 14
#define RAW_MAX_BYTES	  64

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_separator(char c)
{
	return c != '\0' && str_has_byte(STR(" \t-.()/"), c);
}

/* Past "+" or "00". */
static bool skip_access_code(str *s)
{
	if (str_starts(*s, STR("+")))
		*s = str_skip(*s, 1);
	else if (str_starts(*s, STR("00")))
		*s = str_skip(*s, 2);
	else
		return false;
	return true;
}

err_t phone_canonical(struct arena *mem, str raw, str *ret)
{
	char digits[PHONE_MAX_BYTES] = "+";
	struct buf b = { .p = digits, .n = 1, .cap = sizeof(digits) };
	str s;

	TRY(typed_text(mem, TYPED_NUMBER, raw, &s));
	REQUIRE(s.n > 0 && s.n <= RAW_MAX_BYTES && is_digit(s.p[s.n - 1]), ERR_INPUT);
	REQUIRE(skip_access_code(&s) && !str_has(s, STR("(0)")), ERR_INPUT);
	for (size_t i = 0; i < s.n; i++) {
		if (is_digit(s.p[i]))
			buf_byte(&b, s.p[i]);
		else
			REQUIRE(is_separator(s.p[i]), ERR_INPUT);
	}
	REQUIRE(!b.overflow && b.n > DIGITS_MIN && digits[1] != '0', ERR_INPUT);
	return arena_copy(mem, buf_view(&b), ret);
}

static bool has_prefix_in(const struct str_list *list, str number)
{
	for (size_t i = 0; i < list->n; i++) {
		if (list->items[i].n > 0 && str_starts(number, list->items[i]))
			return true;
	}
	return false;
}

bool phone_allowed(const struct config *cfg, str number)
{
	return (str_list_has(&cfg->sms.countries, STR("any")) || has_prefix_in(&cfg->sms.countries, number)) &&
	       !has_prefix_in(&cfg->sms.blocked, number);
}

bool phone_test_code(const struct config *cfg, str number, str *ret_code)
{
	str key, code;

	for (size_t i = 0; i < cfg->sms.test_numbers.n; i++) {
		if (str_cut(cfg->sms.test_numbers.items[i], '=', &key, &code) &&
		    str_eq(key, number)) {
			*ret_code = code;
			return true;
		}
	}
	return false;
}

str phone_range(str number)
{
	return (str){ number.p, number.n > 3 ? number.n - 3 : 0 };
}

bool phone_prefix_ok(str prefix)
{
	if (prefix.n < 2 || prefix.n > 1 + PREFIX_DIGITS_MAX || prefix.p[0] != '+' ||
	    prefix.p[1] == '0')
		return false;
	for (size_t i = 1; i < prefix.n; i++) {
		if (!is_digit(prefix.p[i]))
			return false;
	}
	return true;
}
