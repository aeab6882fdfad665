/* revoker.h — gives back providers' tokens of deleted accounts (domain/grant.h), on a thread of its own: neither a
 * request nor a signal waits for a provider. */
#ifndef JOBS_REVOKER_H
#define JOBS_REVOKER_H

#include "jobs/sender.h"

struct outside;

struct revoker_options {
	struct store *store;
	struct counters *count;
	struct clock clock;
	struct rng rng;
	const struct outside *outside;
	void (*hold)(void *self, struct sender_runtime *ret); /* as the sender's */
	void (*release)(void *self, struct sender_runtime *rt);
	void *self;
};

struct revoker;
MUST_USE err_t revoker_start(const struct revoker_options *o, struct revoker **ret);
/* One that is under way ends first: within 6 s. NULL is a no-op. */
void revoker_stop(struct revoker *r);

#endif
