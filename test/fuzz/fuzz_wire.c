/* The guard's verdict does not depend on how the bytes were cut into reads; what it hands on is
 * what it accepts itself, and the same requests again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX 32768

static void must(bool holds)
{
	if (!holds)
		abort();
}

struct outcome {
	enum err_code code;
	struct wire wire;
	char out[MAX];
	size_t n;     /* handed on */
	size_t whole; /* of these, complete requests */
};

static uint32_t next(uint32_t *x)
{
	*x = *x * 1664525 + 1013904223;
	return *x >> 16;
}

/* cut 0: in one piece; else pieces of 1 to `cut` bytes. */
static void run(struct outcome *o, const char *bytes, size_t size, uint32_t cut, uint32_t seed)
{
	o->code = ERR_OK;
	o->n = o->whole = 0;
	wire_init(&o->wire);
	for (size_t at = 0; at < size && o->code == ERR_OK;) {
		size_t n = cut == 0 ? size - at : 1 + next(&seed) % cut;
		struct wire_fed fed;
		char *copy;

		n = n < size - at ? n : size - at;
		copy = malloc(n);
		must(copy != NULL);
		memcpy(copy, bytes + at, n);
		o->code = wire_feed(&o->wire, copy, n, &fed).code;
		must(fed.whole <= fed.keep && fed.keep <= n &&
		     (o->code == ERR_OK || fed.keep == fed.whole));
		memcpy(o->out + o->n, copy, fed.keep);
		if (fed.whole > 0)
			o->whole = o->n + fed.whole;
		o->n += fed.keep;
		free(copy);
		at += n;
	}
	must(o->code == ERR_OK || o->code == ERR_BAD_REQUEST || o->code == ERR_URI_TOO_LONG ||
	     o->code == ERR_HEADERS_TOO_LARGE);
}

static void check_cuts(const struct outcome *whole, const char *bytes, size_t size)
{
	static const uint32_t cuts[] = { 1, 2, 7, 64 };
	static struct outcome o;

	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		run(&o, bytes, size, cuts[i], (uint32_t)size);
		must(o.code == whole->code && o.wire.n_requests == whole->wire.n_requests);
		must(o.whole == whole->whole && memcmp(o.out, whole->out, o.whole) == 0);
		if (o.code == ERR_OK)
			must(o.n == whole->n && memcmp(o.out, whole->out, o.n) == 0 &&
			     wire_between(&o.wire) == wire_between(&whole->wire));
	}
}

static bool after_cooki(const char *bytes, size_t i)
{
	static const char text[] = "cooki";

	for (size_t k = 0; k < 5; k++) {
		if (i < 5 || (bytes[i - 5 + k] | 0x20) != text[k])
			return false;
	}
	return true;
}

/* Takes the marks off; in bodies the byte may have been the client's, which is no matter here. */
static void unmark(char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == WIRE_MARK)
			bytes[i] = after_cooki(bytes, i) ? 'e' : '?';
	}
}

/* Complete requests, as they were handed on, are complete requests. */
static void check_again(struct outcome *first)
{
	static struct outcome again;

	unmark(first->out, first->whole);
	run(&again, first->out, first->whole, 0, 0);
	must(again.code == ERR_OK && again.wire.n_requests == first->wire.n_requests);
	must(again.n == first->whole && wire_between(&again.wire));
	unmark(again.out, again.n);
	must(memcmp(again.out, first->out, again.n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct outcome o;

	if (size > MAX)
		return 0;
	run(&o, (const char *)data, size, 0, 0);
	must(o.n <= size);
	check_cuts(&o, (const char *)data, size);
	check_again(&o);
	return 0;
}
