/* failing_heap.h — see failing_heap.c */
#ifndef TEST_FAILING_HEAP_H
#define TEST_FAILING_HEAP_H

#include <stdbool.h>

/* From now on each piece that our code asks for is refused when `ask` says so. */
void failing_heap_init(bool (*ask)(void));

#endif
