#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "domain/email.h"

static struct arena mem;

static bool accepted(const char *raw, size_t n, str *ret_key)
{
	str typed;

	arena_reset(&mem);
	return email_canonical(&mem, (str){ raw, n }, &typed, ret_key).code == ERR_OK;
}

static void check_key(const char *raw, const char *want)
{
	str key = STR_NONE;

	if (!accepted(raw, str_of_cstr(raw).n, &key))
		fail_msg("refused: %s", raw);
	if (!str_eq(key, str_of_cstr(want)))
		fail_msg("%s became %.*s", raw, STR_ARG(key));
}

static void id01_addresses_have_one_canonical_form(void **state)
{
	(void)state;
	check_key("v@example.test", "v@example.test");
	check_key("V@Example.TEST", "v@example.test");
	check_key("  v@example.test ", "v@example.test");
	check_key("v+tag@example.test", "v+tag@example.test");
	check_key("v@b\303\274cher.example",
		  "v@xn--bcher-kva.example");
	check_key("v@B\303\234CHER.example",
		  "v@xn--bcher-kva.example");
	check_key("v@xn--bcher-kva.example", "v@xn--bcher-kva.example");
}

static void id01_the_canonical_form_is_a_fixed_point(void **state)
{
	static const char *const rows[] = { "A.B@Example.test", "v@b\303\274cher.example",
					    "x'y@sub.example.test" };
	str once, twice;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char kept[EMAIL_MAX_BYTES];
		size_t n;

		assert_true(accepted(rows[i], str_of_cstr(rows[i]).n, &once));
		n = once.n;
		memcpy(kept, once.p, n);
		assert_true(accepted(kept, n, &twice));
		assert_int_equal(twice.n, n);
		assert_memory_equal(kept, twice.p, n);
	}
}

static void el20_only_one_plain_address_is_taken(void **state)
{
	static const char *const rows[] = {
		"", "v", "@", "v@", "@example.test", "v@example", "v@@example.test", "a@b@example.test",
		"a@evil.test,b@example.test", "a@evil.test b@example.test", "\"a\"@example.test",
		"a(comment)@example.test", "a%b@example.test", "a!b@example.test", "a b@example.test",
		".a@example.test", "a.@example.test", "a..b@example.test", "a@[127.0.0.1]",
		"a@-example.test", "a@example-.test", "a@example..test", "a@example.test.",
		"a@.example.test", "a@exa_mple.test", "<a@example.test>", "=?utf-8?q?a?=@example.test",
		"a\357\274\240example.test", /* FULLWIDTH COMMERCIAL AT */
		"\xc5\xbf@example.test", /* LONG S */
		"\xc4\xb1@example.test", /* DOTLESS I */
		"\xe2\x84\xaa@example.test", /* KELVIN SIGN */
		"\xc3\x9f@example.test", "a\r\nBcc: b@example.test", "a\r\n@example.test", "a@ex\x01mple.test",
		"a@xn--a.example\x7f", "a@xn--a.example", "a@mail.xn--a.example", "a@mail.xn--.example",
		"a@127.0.0.1", "a@example.1", "a@example\342\204\200test.test" /* ACCOUNT OF: "a/c" */,
	};
	str key;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (accepted(rows[i], str_of_cstr(rows[i]).n, &key))
			fail_msg("taken: %s", rows[i]);
	}
}

/* Whether an address is taken, and as what; never as that of the ASCII letters that folding or
 * compatibility would make of it. */
static void id02_letters_beyond_ascii_never_become_ascii(void **state)
{
	static const char *const locals[] = {
		"\305\277" /* LONG S */, "\304\261" /* DOTLESS I */, "\304\260" /* I WITH DOT */,
		"\342\204\252" /* KELVIN */, "\303\237" /* SHARP S */, "\357\275\201" /* FULLWIDTH A */,
		"\302\252" /* FEMININE ORDINAL */, "\320\260" /* CYRILLIC A */, "\357\254\201" /* FI */,
		"e\314\201" /* COMBINING ACUTE */, "a\302\255" /* SOFT HYPHEN */,
		"a\342\200\213" /* ZERO WIDTH SPACE */,
	};
	str key;

	(void)state;
	for (size_t i = 0; i < sizeof(locals) / sizeof(locals[0]); i++) {
		char raw[64];
		int n = snprintf(raw, sizeof(raw), "%s@example.test", locals[i]);

		if (accepted(raw, (size_t)n, &key))
			fail_msg("taken: %s", raw);
	}
}

static void id01_all_spellings_of_a_domain_meet(void **state)
{
	(void)state;
	check_key("v@bu\314\210cher.example", "v@xn--bcher-kva.example");
	check_key("v@mail.b\303\274cher.example", "v@mail.xn--bcher-kva.example");
	check_key("v@MAIL.XN--BCHER-KVA.example", "v@mail.xn--bcher-kva.example");
	check_key("v@example\343\200\202test", "v@example.test"); /* IDEOGRAPHIC FULL STOP */
	check_key("v@\357\275\205xample.test", "v@example.test"); /* FULLWIDTH E */
	check_key("v@fa\303\237.example", "v@xn--fa-hia.example"); /* not "fass": IDNA 2008 */
}

static void check_envelope(const char *raw, const char *want)
{
	str typed, key, envelope, again;

	arena_reset(&mem);
	assert_int_equal(email_canonical(&mem, str_of_cstr(raw), &typed, &key).code, ERR_OK);
	assert_int_equal(email_envelope(&mem, typed, &envelope).code, ERR_OK);
	if (!str_eq(envelope, str_of_cstr(want)))
		fail_msg("%s goes to %.*s", raw, STR_ARG(envelope));
	assert_int_equal(email_canonical(&mem, envelope, &typed, &again).code, ERR_OK);
	assert_true(str_eq(key, again));
}

static void id01_mail_goes_to_the_address_as_typed_with_its_domain_in_a_labels(void **state)
{
	(void)state;
	check_envelope("V.W+x@Example.Test", "V.W+x@Example.Test");
	check_envelope("V@b\303\274cher.example", "V@xn--bcher-kva.example");
	check_envelope("V@B\303\234CHER.Example", "V@xn--bcher-kva.example");
	check_envelope(" V@xn--bcher-kva.example ", "V@xn--bcher-kva.example");
	check_envelope("V@example\343\200\202test", "V@example.test");
}

static void bf12_what_is_no_address_is_looked_up_as_itself(void **state)
{
	static const char raw[] = "not an\0address";
	str key;

	(void)state;
	arena_reset(&mem);
	assert_int_equal(email_subject(&mem, (str){ raw, sizeof(raw) - 1 }, &key).code, ERR_OK);
	assert_true(str_eq(key, (str){ raw, sizeof(raw) - 1 }));
	assert_int_equal(email_subject(&mem, STR(" V@Example.test"), &key).code, ERR_OK);
	assert_true(str_eq(key, STR("v@example.test")));
	assert_int_equal(email_subject(&mem, STR(""), &key).code, ERR_OK);
	assert_int_equal(key.n, 0);
}

static void ht10_a_nul_never_ends_an_address(void **state)
{
	static const char raw[] = "v@example.test\0@evil.test";
	str key;

	(void)state;
	assert_false(accepted(raw, sizeof(raw) - 1, &key));
	assert_false(accepted(raw, 15, &key));
}

static void el20_length_limits_hold_at_their_edges(void **state)
{
	char raw[400];
	str key;
	int n;

	(void)state;
	n = snprintf(raw, sizeof(raw), "%064d@example.test", 1);
	assert_true(accepted(raw, (size_t)n, &key));
	n = snprintf(raw, sizeof(raw), "%065d@example.test", 1);
	assert_false(accepted(raw, (size_t)n, &key));
	n = snprintf(raw, sizeof(raw), "a@%063d.%063d.%063d.%057d.a", 1, 1, 1, 1);
	assert_int_equal(n, 2 + 3 * 64 + 57 + 2);
	assert_true(accepted(raw, (size_t)n, &key));
	n = snprintf(raw, sizeof(raw), "a@%063d.%063d.%063d.%059d.a", 1, 1, 1, 1);
	assert_false(accepted(raw, (size_t)n, &key));
	n = snprintf(raw, sizeof(raw), "a@%064d.test", 1);
	assert_false(accepted(raw, (size_t)n, &key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(id01_addresses_have_one_canonical_form),
		cmocka_unit_test(id01_the_canonical_form_is_a_fixed_point),
		cmocka_unit_test(el20_only_one_plain_address_is_taken),
		cmocka_unit_test(id02_letters_beyond_ascii_never_become_ascii),
		cmocka_unit_test(id01_all_spellings_of_a_domain_meet),
		cmocka_unit_test(id01_mail_goes_to_the_address_as_typed_with_its_domain_in_a_labels),
		cmocka_unit_test(bf12_what_is_no_address_is_looked_up_as_itself),
		cmocka_unit_test(ht10_a_nul_never_ends_an_address),
		cmocka_unit_test(el20_length_limits_hold_at_their_edges),
	};

	if (arena_init(&mem, 65536).code != ERR_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
