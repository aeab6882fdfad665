/* outside.h — what the protocols need of the world: somebody who fetches, and the time by which it must be done.
 * Filled by app/outbound.c; by tests with answers of their own. */
#ifndef OAUTH_OUTSIDE_H
#define OAUTH_OUTSIDE_H

#include "base/arena.h"
#include "base/err.h"

struct directory;

struct outside_request {
	bool post;
	str url;
	str body, content_type; /* of a POST */
	str authorization;      /* the header's value; n == 0: none */
	str user, password;     /* basic authentication; n == 0: none */
	int64_t deadline_ms;    /* monotonic */
};

struct outside_reply {
	int status;    /* 0: none in time, or too much of it, or nobody asks this provider now */
	str body;
	str content_type;
	str problem;   /* of status 0: one line, for operators */
};

enum outside_state {
	OUTSIDE_ASKED,
	OUTSIDE_TRIED, /* it did not answer lately; the next request sees whether it does now */
	OUTSIDE_RESTS, /* it did not answer lately */
	OUTSIDE_FULL   /* as many requests as may wait for it do */
};
static inline bool outside_asks(enum outside_state s)
{
	return s == OUTSIDE_ASKED || s == OUTSIDE_TRIED;
}

struct outside {
	void *self;
	/* At most 64 KiB, no redirects, public addresses only. provider: whose breaker counts. Faults only. */
	MUST_USE err_t (*send)(void *self, str provider, const struct outside_request *r, struct arena *mem,
			       struct outside_reply *ret);
	/* If it does not ask, send() would give up at once. From memory. */
	enum outside_state (*state)(void *self, str provider);
	struct directory *directory;
};

#endif
