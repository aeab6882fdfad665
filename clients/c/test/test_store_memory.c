/* The store in memory: what all promise, and that it is nobody else's. */
#include "sp_store_promises.h"

static const struct place place = { "memory", sp_store_memory, false, false };

static void memory_has_no_lock(void **state)
{
	sp_store a = opened(*state), b = opened(*state);

	assert_null(a.lock);
	assert_null(a.unlock);
	save(&a, k("mine"), "alone");
	check(&b, k("mine"), NULL);
	a.close(a.context);
	b.close(b.context);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(memory_has_no_lock),
	cmocka_unit_test(null_is_refused),
};

int main(int argc, char **argv)
{
	(void)argc;
	begin_tests(argv[0]);
	add_promises(&place);
	add_tests(&place, tests, N(tests));
	return run_added("store_memory");
}
