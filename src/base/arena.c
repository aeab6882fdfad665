#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

err_t arena_init(struct arena *a, size_t cap)
{
	char *mem = malloc(cap);

	REQUIRE(mem != NULL, ERR_NO_MEMORY);
	arena_init_fixed(a, mem, cap);
	a->owned = true;
	return OK;
}

void arena_init_fixed(struct arena *a, void *mem, size_t cap)
{
	size_t skip = -(uintptr_t)mem & (alignof(max_align_t) - 1); /* to the first aligned byte */

	if (skip > cap)
		skip = cap;
	*a = (struct arena){ .base = (char *)mem + skip, .cap = cap - skip };
}

void arena_clear(struct arena *a)
{
	arena_reset(a);
	if (a->owned)
		free(a->base);
	*a = (struct arena){ 0 };
}

void arena_reset(struct arena *a)
{
	if (a->used > 0)
		explicit_bzero(a->base, a->used);
	a->used = 0;
	a->fail_at = 0;
	a->exhausted = false;
}

void *arena_take(struct arena *a, size_t size, size_t n)
{
	size_t bytes, start, end;

	if (a->fail_at > 0 && --a->fail_at == 0) {
		a->exhausted = true;
		return NULL;
	}
	start = (a->used + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (a->base == NULL || __builtin_mul_overflow(size, n, &bytes) ||
	    __builtin_add_overflow(start, bytes, &end) || end > a->cap) {
		a->exhausted = true;
		return NULL;
	}
	a->used = end;
	if (end > a->peak)
		a->peak = end;
	memset(a->base + start, 0, bytes);
	return a->base + start;
}

err_t arena_copy(struct arena *a, str s, str *ret)
{
	char *p;

	if (s.p == NULL) {
		*ret = STR_NONE;
		return OK;
	}
	NEW(p, a, char, s.n + 1);
	memcpy(p, s.p, s.n);
	*ret = (str){ p, s.n };
	return OK;
}

err_t str_to_cstr(struct arena *a, str s, char **ret)
{
	char *p;

	REQUIRE(s.p != NULL && !str_has_byte(s, '\0'), ERR_INPUT);
	NEW(p, a, char, s.n + 1);
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	*ret = p;
	return OK;
}

err_t arena_printf(struct arena *a, str *ret, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	REQUIRE(n >= 0, ERR_BUG);
	NEW(p, a, char, (size_t)n + 1);
	va_start(ap, fmt);
	(void)vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	*ret = (str){ p, (size_t)n };
	return OK;
}
