/* Shared libraries that are loaded when they are needed. */
#include "sp_store_fixture.h"

#include "library.h"

static void a_library_has_all_symbols_or_is_none(void **state)
{
	static const char *const none[] = { "libsallyport-nowhere.so.1", NULL };
	static const char *const sodium[] = { "libsallyport-nowhere.so.1", "libsodium.so.26", "libsodium.so.23", NULL };
	static const struct library_symbol wrong[] = { { "sodium_init", 0 }, { "sallyport_nowhere", sizeof(void *) } };
	void *functions[2] = { NULL, NULL }, *library;

	(void)state;
	assert_null(library_open(none, wrong, 1, functions));
	assert_null(library_open(sodium, wrong, 2, functions));
	library = library_open(sodium, wrong, 1, functions);
	assert_non_null(library);
	assert_non_null(functions[0]);
	library_close(library);
	library_close(NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_library_has_all_symbols_or_is_none),
};

int main(int argc, char **argv)
{
	(void)argc;
	return run_without_store(argv[0], "library", tests, N(tests));
}
