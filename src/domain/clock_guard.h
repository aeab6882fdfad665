/* clock_guard.h — what a time of day that jumps may not do: nothing is issued while the clock is behind
 * what it has shown before, and nothing that had expired comes back to life when it is set back.
 *
 * The watermark is the latest time ever seen, shared by all threads and kept in the store. Beside it
 * stands how far the time of day is ahead of the monotonic clock, so that after a step back the age of
 * what was made before the step is counted in real time. Source: REL-14. */
#ifndef DOMAIN_CLOCK_GUARD_H
#define DOMAIN_CLOCK_GUARD_H

#include "domain/ctx.h"

#define CLOCK_BEHIND_MS (2 * MS_PER_MIN) /* farther back than this: nothing is issued */
#define CLOCK_SLACK_MS  MS_PER_MIN       /* a smaller step back is nobody's business */

struct clock_guard {
	atomic_llong seen_ms;       /* the latest time of day seen */
	atomic_llong ahead_ms;      /* time of day minus monotonic, greatest since the last step back */
	atomic_llong step_seen_ms;  /* the last step back: what seen_ms was, 0 if there was none … */
	atomic_llong step_ahead_ms; /* … and ahead_ms */
	atomic_llong said_ms;       /* monotonic: when the log was last told */
	int64_t stored_ms, resets;  /* as in the store; housekeeping thread only */
};

/* Take note of one instant, read on both clocks. Cheap: mostly two loads. NULL is a no-op. */
void clock_note(struct clock_guard *g, int64_t now_ms, int64_t mono_ms);

/* May something be issued now? Refusal: ERR_CLOCK with c->retry_after_s, told to the log once a minute at most. Always OK
 * without a guard (command line). */
MUST_USE err_t clock_issue(struct ctx *c);

/* c->now_ms, but never earlier than a minute before the latest time seen: for whether something is
 * valid, where setting the clock back must not help. */
int64_t clock_effective_ms(const struct ctx *c);

/* Is something over that ends at expires_ms and was made to live at most ttl_ms? */
bool clock_expired(const struct ctx *c, int64_t expires_ms, int64_t ttl_ms);

/* Housekeeping: read the watermark at start, before any request; write it when it has moved (all of
 * it at_stop); follow a `clock reset`. Cost: 1 read each, and 1 transaction when there is something to
 * write. */
MUST_USE err_t clock_load(struct ctx *c);
MUST_USE err_t clock_save(struct ctx *c, bool at_stop);
MUST_USE err_t clock_poll(struct ctx *c);

/* The operator's word that the clock is right now: the watermark becomes c->now_ms. 1 transaction. */
MUST_USE err_t clock_reset(struct ctx *c);

#endif
