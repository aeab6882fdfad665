#include "base/secret.h"

#include <sodium.h>
#include <string.h>

bool secret_equal_bytes(const void *a, const void *b, size_t n)
{
	return sodium_memcmp(a, b, n) == 0;
}

bool secret_equal(struct secret a, struct secret b)
{
	return a.n == b.n && (a.n == 0 || secret_equal_bytes(a.p, b.p, a.n));
}

void secret_wipe(struct secret *s)
{
	if (s->p != NULL)
		explicit_bzero(s->p, s->n);
}
