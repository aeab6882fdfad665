/* phone.h — a user's phone number: proven by a code before it is used for anything (sms.require_proof). */
#ifndef DOMAIN_PHONE_H
#define DOMAIN_PHONE_H

#include "domain/session.h"

/* Text a code to `number`, or with STR_NONE remove the one there is. Refusals: ERR_INPUT (c->fields: no number,
 * a country that is not texted, a test number for an administrator), ERR_SMS_NOT_CONFIGURED. Over the budgets
 * of messages it is OK and sends nothing. Cost: 1 transaction. */
MUST_USE err_t phone_change(struct ctx *c, const struct caller *who, str number);

/* The number is proven. Refusal: ERR_PHONE_CODE. Cost: 2 transactions. */
MUST_USE err_t phone_verify(struct ctx *c, const struct caller *who, str code);

#endif
