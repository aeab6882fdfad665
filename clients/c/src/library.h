/* library.h — shared libraries that are loaded when they are needed, so that nobody else has to have them. */
#ifndef SP_LIBRARY_H
#define SP_LIBRARY_H

#include <stddef.h>

/* A function, and where its pointer belongs in a struct of them. */
struct library_symbol {
	const char *name;
	size_t offset;
};

/* The first of `names` (the last is NULL) that is there and has all symbols, its own libraries' included; their
 * addresses are in the struct `functions` then. NULL: there is none. Once loaded it stays in the process. */
void *library_open(const char *const *names, const struct library_symbol *symbols, size_t n, void *functions);
/* NULL is fine. */
void library_close(void *library);

#endif
