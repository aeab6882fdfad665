/* library.c — see library.h. */
#include "library.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

static bool find_all(void *library, const struct library_symbol *symbols, size_t n, void *functions)
{
	for (size_t i = 0; i < n; i++) {
		void *address = dlsym(library, symbols[i].name);

		if (address == NULL)
			return false;
		memcpy((char *)functions + symbols[i].offset, &address, sizeof address);
	}
	return true;
}

void *library_open(const char *const *names, const struct library_symbol *symbols, size_t n, void *functions)
{
	for (; *names != NULL; names++) {
		/* GLib starts threads and must never be unloaded; libsodium is set up once for each process. */
		void *library = dlopen(*names, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

		if (library != NULL && find_all(library, symbols, n, functions))
			return library;
		library_close(library);
	}
	return NULL;
}

void library_close(void *library)
{
	if (library != NULL)
		(void)dlclose(library);
}
