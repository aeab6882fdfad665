#include "base/rng.h"

#include <errno.h>
#include <sys/random.h>

static err_t system_fill(void *self, void *dst, size_t n)
{
	unsigned char *p = dst;

	(void)self;
	while (n > 0) {
		ssize_t got = getrandom(p, n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		REQUIRE(got > 0, ERR_CRYPTO);
		p += got;
		n -= (size_t)got;
	}
	return OK;
}

const struct rng rng_system = { system_fill, NULL };
