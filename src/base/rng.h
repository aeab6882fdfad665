/* rng.h — random bytes. Production: getrandom(2). A failure is ERR_CRYPTO, never a weaker source. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct rng {
	MUST_USE err_t (*fill)(void *self, void *dst, size_t n);
	void *self;
};

extern const struct rng rng_system;
MUST_USE static inline err_t rng_fill(struct rng r, void *dst, size_t n)
{
	return r.fill(r.self, dst, n);
}

/* n (at most 64) random bytes as lower-case hex, 2 * n characters. In the arena. */
MUST_USE err_t rng_hex(struct rng r, struct arena *mem, size_t n, str *ret);

#endif
