/* outbound.h — fetches for the protocols of identity providers (oauth/outside.h): guarded requests, a breaker for each
 * provider, and no more than half of the threads for one of them, so that one that hangs leaves the others alone. */
#ifndef APP_OUTBOUND_H
#define APP_OUTBOUND_H

#include "base/clock.h"
#include "base/config.h"
#include "oauth/outside.h"

#define OUTBOUND_LONGEST_MS 6000 /* that a sign-in asks its provider, rounded up */

struct outbound;

struct outbound_options {
	int64_t workers;  /* requests at once */
	/* The settings of now, held for one request. */
	const struct config *(*hold)(void *self, void **ret_held);
	void (*release)(void *self, void *held);
	void *self;
};

MUST_USE err_t outbound_new(const struct outbound_options *o, struct outbound **ret);
void outbound_free(struct outbound *o);
/* What is under way, and all that follows, ends at once: the server is stopping. */
void outbound_abort(struct outbound *o);
const struct outside *outbound_port(const struct outbound *o);

#endif
