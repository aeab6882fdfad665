#include "base/wait.h"

#include <errno.h>
#include <time.h>

err_t wait_cond_init(pthread_cond_t *c)
{
	pthread_condattr_t attr;
	int failed;

	REQUIRE(pthread_condattr_init(&attr) == 0, ERR_NO_MEMORY);
	failed = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (failed == 0)
		failed = pthread_cond_init(c, &attr);
	(void)pthread_condattr_destroy(&attr);
	REQUIRE(failed == 0, ERR_NO_MEMORY);
	return OK;
}

bool wait_until(pthread_cond_t *c, pthread_mutex_t *m, int64_t deadline_us)
{
	struct timespec at = { 0 };

	if (deadline_us > 0) {
		at.tv_sec = (time_t)(deadline_us / 1000000);
		at.tv_nsec = (long)(deadline_us % 1000000 * 1000);
	}
	return pthread_cond_timedwait(c, m, &at) != ETIMEDOUT;
}
