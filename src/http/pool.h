/* pool.h — a few threads and a bounded queue in front of them. Knows nothing of HTTP: a job is a
 * pointer. Every job that was pushed is either run or dropped, exactly once. */
#ifndef HTTP_POOL_H
#define HTTP_POOL_H

#include "base/err.h"

struct pool;

struct pool_work {
	void *self;
	/* In each worker, before its first job and after its last. */
	MUST_USE err_t (*open)(void *self, void **ret_state);
	void (*close)(void *self, void *state);
	void (*run)(void *self, void *state, void *job);
	/* For jobs left over by pool_refuse_rest(); in the thread that calls it, or that pushes. */
	void (*drop)(void *self, void *job);
};

struct pool_counts {
	int64_t queued, busy, refused;
};

/* Returns when every worker is open. Faults: what open() returned, ERR_NO_MEMORY. */
MUST_USE err_t pool_start(const struct pool_work *work, int64_t workers, int64_t queue_max,
			  struct pool **ret);

/* Is there room: an idle worker, or fewer than queue_max waiting? True keeps the place for the one
 * pool_push() that must follow. False (counted) also once the rest is being refused. */
bool pool_reserve(struct pool *p);
void pool_push(struct pool *p, void *job);

void pool_count(struct pool *p, struct pool_counts *ret);

/* From now on nothing is accepted; jobs that no worker has begun are dropped. */
void pool_refuse_rest(struct pool *p);

/* Refuse the rest and wait for the running jobs until deadline_us (monotonic). False: one is still
 * running then. True: the workers are gone; refusing and counting go on working. */
bool pool_stop(struct pool *p, int64_t deadline_us);
void pool_free(struct pool *p); /* after pool_stop() said true; NULL is a no-op */

#endif
