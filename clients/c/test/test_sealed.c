/* The encrypted file of records, in memory. What becomes of one on a disk: test_store_file.c. */
#include "sp_store_fixture.h"

#include <stdlib.h>

#include "sealed.h"

/* Every bit, with the key at hand. */
static void no_bit_may_be_another(void **state)
{
	static const unsigned char key[SEALED_KEY] = { 7 };
	struct record *records = NULL, *again;
	struct sealed_head head;
	struct sodium sodium;
	unsigned char *file;
	size_t n;

	(void)state;
	assert_true(sealed_load_sodium(&sodium));
	assert_true(sealed_new_head(&head));
	assert_true(records_put(&records, "two", "2"));
	assert_true(records_put(&records, "one", "1"));
	assert_int_equal(sealed_make(&sodium, &head, key, records, &file, &n), SP_OK);
	for (size_t bit = 0; bit < 8 * n; bit++) {
		file[bit / 8] ^= (unsigned char)(1U << bit % 8);
		assert_int_not_equal(sealed_open(&sodium, file, n, key, &again), SP_OK);
		assert_null(again);
		file[bit / 8] ^= (unsigned char)(1U << bit % 8);
	}
	assert_int_equal(sealed_open(&sodium, file, n, key, &again), SP_OK);
	assert_string_equal(records_find(again, "one"), "1");
	assert_string_equal(records_find(again, "two"), "2");
	records_free(&again);
	records_free(&records);
	free(file);
	sealed_unload_sodium(&sodium);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(no_bit_may_be_another),
};

int main(int argc, char **argv)
{
	(void)argc;
	return run_without_store(argv[0], "sealed", tests, N(tests));
}
