/* secret.h — bytes that must not be shown, compared early-out, or left behind in memory.
 * There is no format and no log helper for them, on purpose. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/str.h"

struct secret {
	uint8_t *p;
	size_t n;
};

/* Time depends on the lengths only. */
bool secret_equal(struct secret a, struct secret b);
bool secret_equal_bytes(const void *a, const void *b, size_t n);

/* Overwrites the bytes with zeros in a way the compiler keeps. NULL is a no-op. The bytes stay
 * allocated: their owner frees them. */
void secret_wipe(struct secret *s);
#define WIPED __attribute__((cleanup(secret_wipe)))

/* An array on the stack, zero at first and overwritten on every way out of its block: a declaration, so it stands among
 * them. Its bytes are a secret's; what a store or the wire may show is a plain array.
 *	WIPED_ARRAY(uint8_t, raw, 32);  */
#define WIPED_ARRAY(type, name, n) \
	type name[n] = { 0 };      \
	WIPED __attribute__((unused)) struct secret name##_at_end = { (uint8_t *)(name), sizeof(name) }

static inline str secret_str(struct secret s)
{
	return (str){ (const char *)s.p, s.n };
}

#endif
