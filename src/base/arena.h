/* arena.h — the memory of one request: taken in pieces, given back all at once.
 * The cap is the request's memory limit: what an outsider sends cannot make it larger. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/err.h"
#include "base/str.h"

struct arena {
	char *base;
	size_t cap;
	size_t used;
	size_t peak;
	size_t fail_at; /* tests only: the n-th allocation from now fails; 0 = never */
	bool owned;
	bool exhausted; /* something was refused since the last reset */
};

#define ARENA_DEFAULT_BYTES ((size_t)256 * 1024)

MUST_USE err_t arena_init(struct arena *a, size_t cap); /* ERR_NO_MEMORY */
void arena_init_fixed(struct arena *a, void *mem, size_t cap); /* over the caller's memory */
void arena_clear(struct arena *a);
void arena_reset(struct arena *a); /* wipes what was used: requests carry passwords */

/* Zeroed, aligned for any type; NULL when the cap is reached or n * size overflows. */
void *arena_take(struct arena *a, size_t size, size_t n);
#define arena_new(a, T, n) ((T *)arena_take((a), sizeof(T), (n)))
#define NEW(dst, a, T, n) REQUIRE(((dst) = arena_new((a), T, (n))) != NULL, ERR_NO_MEMORY)

/* A copy in the arena; an absent str stays absent. Faults: ERR_NO_MEMORY. */
MUST_USE err_t arena_copy(struct arena *a, str s, str *ret);

/* NUL-terminated copy for a library's edge. Refuses a NUL inside with ERR_INPUT. */
MUST_USE err_t str_to_cstr(struct arena *a, str s, char **ret);

/* printf into the arena; the result is NUL-terminated too (not counted in n). */
MUST_USE err_t arena_printf(struct arena *a, str *ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
