/* sweep.h — removes what has expired: sessions, counters, one-time tokens, places, dead messages, audit events
 * past their age. Runs in small slices so that no request waits long for its turn to write. */
#ifndef JOBS_SWEEP_H
#define JOBS_SWEEP_H

#include "domain/ctx.h"

#define SWEEP_EVERY_MS MS_PER_MIN

/* One round: at most a few thousand rows of each kind; the next round takes the rest. */
MUST_USE err_t sweep_run(struct ctx *c, int64_t *ret_deleted);

#endif
