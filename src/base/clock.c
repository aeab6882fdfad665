#include "base/clock.h"

#include <time.h>

static int64_t read_clock_us(clockid_t id)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t system_now_ms(void *self)
{
	(void)self;
	return read_clock_us(CLOCK_REALTIME) / 1000;
}

static int64_t system_mono_ms(void *self)
{
	(void)self;
	return read_clock_us(CLOCK_MONOTONIC) / 1000;
}

const struct clock clock_system = { system_now_ms, system_mono_ms, NULL };

int64_t monotonic_us(void)
{
	return read_clock_us(CLOCK_MONOTONIC);
}

int64_t monotonic_ms(void)
{
	return monotonic_us() / 1000;
}
