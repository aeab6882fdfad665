#include "base/rng.h"
#include "base/secret.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/base64url.h"

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

#define HEX_MAX_BYTES 64

err_t rng_hex(struct rng r, struct arena *mem, size_t n, str *ret)
{
	WIPED_ARRAY(uint8_t, raw, HEX_MAX_BYTES);
	struct buf b = { .cap = 2 * n };

	REQUIRE(n <= sizeof(raw), ERR_BUG);
	TRY(rng_fill(r, raw, n));
	NEW(b.p, mem, char, b.cap);
	hex_encode(&b, str_of_bytes(raw, n));
	REQUIRE(!b.overflow, ERR_BUG);
	*ret = buf_view(&b);
	return OK;
}
