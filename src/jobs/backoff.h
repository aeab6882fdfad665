/* backoff.h — how long a failed message rests. Pure. */
#ifndef JOBS_BACKOFF_H
#define JOBS_BACKOFF_H

#include <stdint.h>

/* After attempt n (1, 2 …): 1 s, 2 s, 4 s … at most 15 min, of which 50 to 100 % as `random` (all 32
 * bits) says, so that messages that failed together do not come back together. */
int64_t backoff_ms(int64_t attempt, uint32_t random);

#endif
