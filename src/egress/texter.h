/* texter.h — hands one SMS to the gateway of the settings. The same manners as mailer.h. */
#ifndef EGRESS_TEXTER_H
#define EGRESS_TEXTER_H

#include "base/arena.h"
#include "base/config.h"
#include "egress/delivery.h"

struct texter;
MUST_USE err_t texter_new(struct texter **ret);
void texter_free(struct texter *t);

/* number: E.164. message: UTF-8. message_id: passed on where the gateway takes an idempotency key. */
void texter_send(struct texter *t, const struct config *cfg, str number, str message, str message_id,
		 struct arena *mem, struct delivery *ret);
void texter_abort(struct texter *t);

#endif
