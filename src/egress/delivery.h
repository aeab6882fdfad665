/* delivery.h — what came of handing one message to a provider. */
#ifndef EGRESS_DELIVERY_H
#define EGRESS_DELIVERY_H

#include "base/err.h"
#include "base/str.h"

enum delivery_verdict {
	DELIVERY_UNSET = 0,
	DELIVERY_SENT,    /* the provider has taken it over */
	DELIVERY_LATER,   /* not this message, not now: the provider itself is well */
	DELIVERY_REFUSED, /* this message never */
	DELIVERY_DOWN,    /* the provider cannot be reached, or takes nothing: the breaker counts it */
};

#define DELIVERY_DETAIL_MAX 200
struct delivery {
	enum delivery_verdict verdict;
	/* One line of plain text for an operator, NUL-terminated: "RCPT: 550 5.1.1 no such user". Never a
	 * password, never the message. */
	char detail[DELIVERY_DETAIL_MAX];
};

#endif
