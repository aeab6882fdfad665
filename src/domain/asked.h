/* asked.h — may a message be sent because somebody asked for it?
 *
 * Two budgets for each kind of message and recipient, so that a stranger's wishes use up nobody's messages: one of those
 * who know an address or number and nothing else, who pay from their network's budget first, and one of those who hold
 * the account (a known device, a live session) or have shown something already. Kinds do not share: who has asked for
 * ten sign-in links has not asked for a password reset. Source: ASVS 5.0 6.1.1; BF04, BF18, MF17. */
#ifndef DOMAIN_ASKED_H
#define DOMAIN_ASKED_H

#include "domain/attempt.h"
#include "store/rows.h"

/* What comes along with a wish. */
struct asker {
	str device;      /* "deviceToken" (device.h); STR_NONE */
	int64_t user_id; /* whose live session it is; 0: nobody's */
};

/* Does he hold the account? user: id 0 when there is none. Faults only. */
MUST_USE err_t asker_is_known(struct ctx *c, const struct asker *a, const struct user_row *user, bool *ret);

/* Before the transaction: has the asking network used up its budget, so that this wish changes nothing? A flood then costs
 * reads only. scope: ATTEMPT_MAIL_NETWORK or ATTEMPT_SMS_NETWORK. */
MUST_USE err_t asked_in_vain(struct ctx *c, enum attempt_scope scope, const struct asker *a, const struct user_row *user,
			     bool *ret);

/* One mail to `recipient` (canonical address), or one text message (canonical number). what: the kind. known: from the
 * budgets of those who hold the account, not the network's. Inside a transaction. */
MUST_USE err_t asked_mail(struct ctx *c, str what, str recipient, bool known, struct leave *ret);
MUST_USE err_t asked_sms(struct ctx *c, str what, str number, bool known, struct leave *ret);
/* Nobody to text: a stranger's network pays as if there were. The other budgets are of numbers, and of the house: those
 * who ask for nobody must not use them up. who: what was asked for. */
MUST_USE err_t asked_nobody(struct ctx *c, str what, str who, struct leave *ret);

#endif
