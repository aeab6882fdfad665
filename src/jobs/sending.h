/* sending.h — one message that was claimed: judged, handed to its provider, and what came of it written
 * to outbox, counters and log. Knows nothing of threads and waiting; those are sender.c's. */
#ifndef JOBS_SENDING_H
#define JOBS_SENDING_H

#include "domain/outbox.h"
#include "egress/mailer.h"
#include "egress/texter.h"

enum fate {
	FATE_UNSET = 0,
	FATE_SENT,
	FATE_RETRY,
	FATE_DEAD,
	FATE_EXPIRED,
};

struct sending {
	enum fate fate;
	bool asked; /* the provider was; else the breaker learns nothing */
	bool down;  /* it did not answer, or takes nothing */
	char problem[DELIVERY_DETAIL_MAX];
};

/* A thread's way out: one of the two. */
struct carrier {
	enum outbox_channel channel;
	struct mailer *mailer;
	struct texter *texter;
};

/* Blocks at most as long as the channel's time-out. c->now_ms: when it was claimed. */
void sending_try(struct ctx *c, const struct carrier *k, const struct outbox_item *item,
		 struct sending *ret);
/* c->now_ms: read anew. The next try, where there is one, is chosen here. One transaction; after a fault
 * it can be called again. */
MUST_USE err_t sending_record(struct ctx *c, const struct outbox_item *item,
			      const struct sending *s);
/* Counter and log line; neither names the recipient. */
void sending_report(struct ctx *c, enum outbox_channel channel, const struct outbox_item *item,
		    const struct sending *s);

#endif
