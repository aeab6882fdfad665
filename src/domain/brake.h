/* brake.h — a brake on guessing at many accounts at once, of which each account's budget sees little.
 *
 * Outcomes of password sign-ins are counted over the whole process, in a sliding minute. While more than half
 * failed, at `limits.brake_failures_per_s` or more, the log and /metrics say so; with `limits.brake = challenge`
 * a sign-in from a device that is not known must then carry the answer to a proof of work. Source: ASVS 5.0
 * 2.4.1. */
#ifndef DOMAIN_BRAKE_H
#define DOMAIN_BRAKE_H

#include <pthread.h>

#include "domain/ctx.h"

#define BRAKE_WINDOW_S   60
#define BRAKE_BITS       18 /* about 260,000 hashes: well under a second on a phone */
#define BRAKE_ANSWER_MAX 256

struct brake {
	pthread_mutex_t lock;
	bool on;
	struct {
		int64_t second, failed, total;
	} slot[BRAKE_WINDOW_S];
};

void brake_init(struct brake *b);
void brake_free(struct brake *b);

/* A password was looked at. Without a brake (command line, tests) a no-op. */
void brake_note(struct ctx *c, bool failed);

/* Is it on at this moment? Says so in the log when that has changed. */
bool brake_is_on(struct ctx *c);

/* Before an unknown device's password is looked at. account: the subject of attempt_reserve. answer: what the
 * client sent, "challenge.nonce" with a SHA-256 that begins with BRAKE_BITS zero bits, or STR_NONE. A challenge
 * is bound to the account and good for two minutes; the account's own budget bounds what one answer is worth.
 * Refusal: ERR_CHALLENGE with c->challenge. No store is touched. */
MUST_USE err_t brake_check(struct ctx *c, str account, str answer);

#endif
