/* wait.h — condition variables on the monotonic clock, so that a step of the wall clock neither
 * hangs nor hurries anyone. */
#ifndef BASE_WAIT_H
#define BASE_WAIT_H

#include <pthread.h>

#include "base/err.h"

MUST_USE err_t wait_cond_init(pthread_cond_t *c);
/* False when deadline_us (monotonic) passed. The mutex is held again either way. */
bool wait_until(pthread_cond_t *c, pthread_mutex_t *m, int64_t deadline_us);

#endif
