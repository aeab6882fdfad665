#include "http/request_id.h"

#include "base/clock.h"
#include "base/rng.h"

#define RANDOM_BYTES 10

/* Random bytes fetched ahead, per thread: one system call for many requests. */
static _Thread_local struct {
	uint8_t bytes[RANDOM_BYTES * 64];
	size_t left;
} ahead;

/* Names only have to differ: without random bytes the request is still served. */
static void fill_by_clock(void)
{
	uint64_t x = (uint64_t)monotonic_us() ^ (uint64_t)(uintptr_t)&ahead;

	for (size_t i = 0; i < sizeof(ahead.bytes); i++) {
		x = x * 6364136223846793005U + 1442695040888963407U;
		ahead.bytes[i] = (uint8_t)(x >> 56);
	}
}

static const uint8_t *take_random(void)
{
	if (ahead.left == 0) {
		if (rng_fill(rng_system, ahead.bytes, sizeof(ahead.bytes)).code != ERR_OK) {
			err_clear_origin();
			fill_by_clock();
		}
		ahead.left = sizeof(ahead.bytes);
	}
	ahead.left -= RANDOM_BYTES;
	return ahead.bytes + ahead.left;
}

static void write_base32(uint64_t v, char *out, size_t n)
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

	while (n > 0) {
		out[--n] = digits[v & 31];
		v >>= 5;
	}
}

void request_id_make(int64_t now_ms, char out[REQUEST_ID_LEN + 1])
{
	const uint8_t *random = take_random();
	uint64_t high = 0, low = 0;

	for (size_t i = 0; i < 5; i++) {
		high = high << 8 | random[i];
		low = low << 8 | random[i + 5];
	}
	write_base32((uint64_t)now_ms & 0xffffffffffff, out, 10);
	write_base32(high, out + 10, 8);
	write_base32(low, out + 18, 8);
	out[REQUEST_ID_LEN] = '\0';
}
