/* Records as bytes. */
#include "sp_store_fixture.h"

#include "records.h"

static void records_are_what_was_encoded_and_nothing_else(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		sp_error error;
	} cases[] = {
		{ "", 0, SP_OK },
		{ "\0\1\0\1kv", 6, SP_OK },
		{ "\0\1\0\1av\0\1\0\1bv", 12, SP_OK },
		{ "\0\1\0\1bv\0\1\0\1av", 12, SP_STORE },
		{ "\0\1\0\1av\0\1\0\1aw", 12, SP_STORE },
		{ "\0\0\0\1v", 5, SP_STORE },
		{ "\0\1\0\0k", 5, SP_STORE },
		{ "\0\1\0\1k", 5, SP_STORE },
		{ "\0\1\0\1kv\0", 7, SP_STORE },
		{ "\0\1\0\1\0v", 6, SP_STORE },
		{ "\0\1\0\2kv\0", 7, SP_STORE },
		{ "\xff\xff\xff\xffkv", 6, SP_STORE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct record *records;
		struct text again = { 0 };

		assert_int_equal(records_decode((const unsigned char *)cases[i].bytes, cases[i].n, &records),
				 cases[i].error);
		if (cases[i].error != SP_OK)
			assert_null(records);
		records_encode(records, &again);
		assert_int_equal(again.n, cases[i].error == SP_OK ? cases[i].n : 0);
		if (again.n > 0)
			assert_memory_equal(again.p, cases[i].bytes, again.n);
		text_free(&again);
		records_free(&records);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(records_are_what_was_encoded_and_nothing_else),
};

int main(int argc, char **argv)
{
	(void)argc;
	return run_without_store(argv[0], "records", tests, N(tests));
}
