/* sender.h — sends what the outbox holds, on threads of its own: no request ever waits for a provider.
 * Per channel a circuit breaker (breaker.h); failed messages come back after 1 s, 2 s … 15 min, jittered;
 * what a provider refuses for good, or nobody takes within outbox.max_age, is kept as dead for an operator;
 * what has expired is dropped unsent. */
#ifndef JOBS_SENDER_H
#define JOBS_SENDER_H

#include "base/clock.h"
#include "domain/ctx.h"
#include "domain/outbox.h"
#include "store/db.h"

/* The settings and keys in force, held while one message is sent. */
struct sender_runtime {
	const struct config *cfg;
	const struct keyring *keys;
	void *held;
};

struct sender_options {
	struct store *store;
	struct counters *count;
	struct clock clock;
	struct rng rng;
	void (*hold)(void *self, struct sender_runtime *ret);
	void (*release)(void *self, struct sender_runtime *rt);
	void *self;
	void (*thread_opened)(void *self, struct db *db); /* tests; may be NULL */
	void *thread_opened_self;
	int64_t mail_threads; /* mail.senders */
};

struct sender;
MUST_USE err_t sender_start(const struct sender_options *o, struct sender **ret);
/* From any thread: there may be something to send now. */
void sender_wake(struct sender *s);
/* A transfer under way may end by itself for grace_ms, then it is cut (and tried again at the next
 * start). */
void sender_stop(struct sender *s, int64_t grace_ms);

struct sender_stats {
	int64_t waiting, dead, oldest_age_ms;
	bool breaker_open;
};
/* As of the last look at the store, at most a few seconds ago. */
void sender_stats(const struct sender *s, enum outbox_channel channel, struct sender_stats *ret);

#endif
