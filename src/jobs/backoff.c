#include "jobs/backoff.h"

#include "base/clock.h"

#define FIRST_MS   MS_PER_S
#define LONGEST_MS (15 * MS_PER_MIN)

int64_t backoff_ms(int64_t attempt, uint32_t random)
{
	int64_t full_ms = FIRST_MS;

	while (--attempt > 0 && full_ms < LONGEST_MS)
		full_ms *= 2;
	if (full_ms > LONGEST_MS)
		full_ms = LONGEST_MS;
	return full_ms / 2 + (int64_t)((uint64_t)full_ms / 2 * random / UINT32_MAX);
}
