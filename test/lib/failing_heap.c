/* failing_heap.c — the heap as our own code sees it in sallyport-test (the linker's --wrap): the n-th piece
 * from now is not there, when a test says so. Libraries have the heap as it is. */
#include "failing_heap.h"

#include <errno.h>
#include <stdlib.h>

/* Names that the linker gives to what it puts in between. */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static bool (*refuses)(void);

void failing_heap_init(bool (*ask)(void))
{
	refuses = ask;
}

static bool refused(void)
{
	if (refuses == NULL || !refuses())
		return false;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t n)
{
	return refused() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return refused() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return refused() ? NULL : __real_realloc(p, n);
}
