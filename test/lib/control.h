/* control.h — the levers of sallyport-test: a file of little-endian int64 named by the environment's
 * TEST_CONTROL, mapped by the server and written by the tests. The order here is the layout;
 * server.mjs reads the names out of this header. */
#ifndef TEST_CONTROL_H
#define TEST_CONTROL_H

enum control {
	CONTROL_CLOCK_SHIFT_MS,  /* added to the time of day */
	CONTROL_CLOCK_FROZEN_MS, /* not 0: the time of day stands still here; the shift is added */
	CONTROL_RNG_LEFT,        /* so many fills succeed, then every further one fails; -1: never */
	CONTROL_STORE_FAIL_AT,   /* the n-th store call from now fails once; 0: none */
	CONTROL_STORE_FAIL_CODE, /* … with this err_code */
	CONTROL_STORE_STALL_MS,  /* every transaction waits so long before it begins */
	CONTROL_STORE_CALLS,     /* counted by the server: store calls so far */
	CONTROL_BEGINS,          /* counted by the server: transactions begun so far */
	CONTROL_HOLD_AT,         /* the n-th transaction from now waits before it begins … */
	CONTROL_HELD,            /* … set to 1 by the server then, and to 0 by the test that lets it go on */
	CONTROL_RNG_CALLS,       /* counted by the server: fills so far */
	CONTROL_MONO_SHIFT_MS,   /* added to the monotonic clock, frozen or not */
	CONTROL_INTRUDE,         /* 1: the next transaction tries to become another program first */
	CONTROL_HEAP_CALLS,      /* counted by the server: pieces of the heap that our own code asked for */
	CONTROL_HEAP_FAIL_AT,    /* the n-th from now is not there; 0: none */
	CONTROL_N,
};

#endif
