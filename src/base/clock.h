/* clock.h — the time of day as the program sees it. One request reads it once (ctx.now_ms).
 * One time type inside: int64_t milliseconds since the Unix epoch, UTC. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/err.h"

#define MS_PER_S    ((int64_t)1000)
#define MS_PER_MIN  (60 * MS_PER_S)
#define MS_PER_HOUR (60 * MS_PER_MIN)
#define MS_PER_DAY  (24 * MS_PER_HOUR)

struct clock {
	int64_t (*now_ms)(void *self);
	int64_t (*mono_ms)(void *self); /* what only goes forward, and is never set */
	void *self;
};

extern const struct clock clock_system; /* CLOCK_REALTIME, CLOCK_MONOTONIC */
static inline int64_t clock_now_ms(struct clock c)
{
	return c.now_ms(c.self);
}
static inline int64_t clock_mono_ms(struct clock c)
{
	return c.mono_ms(c.self);
}

/* Milliseconds of CLOCK_MONOTONIC: for deadlines and durations inside the process only. */
int64_t monotonic_ms(void);
int64_t monotonic_us(void);

#endif
