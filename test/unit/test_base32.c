/* Base32 against the vectors of RFC 4648 §10, and one text only for any bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto/base32.h"

static const struct {
	const char *bytes, *text;
} vectors[] = {
	{ "", "" },
	{ "f", "MY" },
	{ "fo", "MZXQ" },
	{ "foo", "MZXW6" },
	{ "foob", "MZXW6YQ" },
	{ "fooba", "MZXW6YTB" },
	{ "foobar", "MZXW6YTBOI" },
};
#define N_VECTORS (sizeof(vectors) / sizeof(vectors[0]))

static void the_vectors_of_rfc_4648_come_out_without_padding(void **state)
{
	char room[64];

	(void)state;
	for (size_t i = 0; i < N_VECTORS; i++) {
		struct buf b = BUF_OF(room);

		base32_encode(&b, str_of_cstr(vectors[i].bytes));
		assert_false(b.overflow);
		assert_true(str_eq(buf_view(&b), str_of_cstr(vectors[i].text)));
		assert_int_equal(b.n, BASE32_LEN(strlen(vectors[i].bytes)));
	}
}

static void decoding_gives_the_bytes_back_in_any_case(void **state)
{
	char lower[64];
	uint8_t raw[64];
	size_t n;

	(void)state;
	for (size_t i = 0; i < N_VECTORS; i++) {
		str text = str_of_cstr(vectors[i].text);

		for (size_t k = 0; k < text.n; k++)
			lower[k] = (char)(text.p[k] >= 'A' ? text.p[k] | 32 : text.p[k]);
		assert_true(base32_decode(text, raw, sizeof(raw), &n));
		assert_true(str_eq(str_of_bytes(raw, n), str_of_cstr(vectors[i].bytes)));
		assert_true(base32_decode((str){ lower, text.n }, raw, sizeof(raw), &n));
		assert_true(str_eq(str_of_bytes(raw, n), str_of_cstr(vectors[i].bytes)));
	}
}

static void what_no_encoder_writes_is_refused(void **state)
{
	static const char *bad[] = {
		"M",	  "MZX",      "MZXW6Y",	 "MZ", /* lengths and trailing bits */
		"MZXW7",  "MY======", "MY ",	 " MY",
		"MZXW-6", "M1",	      "M0",	 "M8", "M9", "M\xc3\x9c", "MY\n",
	};
	uint8_t raw[64];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(base32_decode(str_of_cstr(bad[i]), raw, sizeof(raw), &n));
	assert_false(base32_decode(STR("M\0"), raw, sizeof(raw), &n));
}

static void what_does_not_fit_is_refused_and_nothing_is_written_beyond(void **state)
{
	uint8_t raw[4] = { 0, 0, 0, 0xee };
	char room[3];
	struct buf b = BUF_OF(room);
	size_t n;

	(void)state;
	assert_false(base32_decode(STR("MZXW6YQ"), raw, 3, &n));
	assert_int_equal(raw[3], 0xee);
	assert_true(base32_decode(STR("MZXW6"), raw, 3, &n));
	assert_int_equal(raw[3], 0xee);
	base32_encode(&b, STR("foo"));
	assert_true(b.overflow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_rfc_4648_come_out_without_padding),
		cmocka_unit_test(decoding_gives_the_bytes_back_in_any_case),
		cmocka_unit_test(what_no_encoder_writes_is_refused),
		cmocka_unit_test(what_does_not_fit_is_refused_and_nothing_is_written_beyond),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
