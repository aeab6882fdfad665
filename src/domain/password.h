/* password.h — passwords forgotten, reset and changed. */
#ifndef DOMAIN_PASSWORD_H
#define DOMAIN_PASSWORD_H

#include "domain/asked.h"
#include "domain/session.h"
#include "domain/takeover.h"

/* Mail a reset link if there is such an account. The same answer whether there is or not, and whether the
 * budgets of mails (attempt.h) let it go out or not; the two rows more that a mail costs take a fraction of
 * a millisecond, and the budgets allow few samples. lang: STR_NONE or as asked. Cost: 1 transaction.
 * Source: OWASP Forgot Password. */
MUST_USE err_t password_forgot(struct ctx *c, str email, str lang, const struct asker *by);

/* The same for an operator, who starts a reset without seeing a link: no budgets, and told when it cannot
 * be. Refusals: ERR_EMAIL_NOT_CONFIGURED, ERR_FORBIDDEN (the account is disabled). Cost: 1 transaction.
 * Source: ASVS 6.4.6. */
MUST_USE err_t password_send_reset(struct ctx *c, const struct user_row *user);

/* Set a new password with a mailed token: ends every session, one-time token and remembered device, and for a stranger
 * what somebody may have planted in an account whose address was never proven (takeover.h); a second factor stays.
 * Signs nobody in. *ret_lost: what went beside the password and the sessions.
 * Refusals: ERR_RESET_TOKEN, ERR_RESET_EXPIRED, ERR_NEW_PASSWORD_REQUIRED, ERR_INPUT (policy; the token lives
 * on), ERR_LIMITED. Cost: one hash, 1 transaction. */
MUST_USE err_t password_reset(struct ctx *c, str token, struct secret password, const struct asker *a,
			      unsigned *ret_lost);

/* Change one's own password, or set the first one. Ends all other sessions and every one-time token.
 * Refusals: ERR_NEW_PASSWORD_REQUIRED, ERR_CURRENT_PASSWORD, ERR_REAUTH (no current password and the sign-in
 * is old, or none is set), ERR_INPUT, ERR_LIMITED. Cost: two hashes, 2 transactions. */
MUST_USE err_t password_change(struct ctx *c, const struct caller *who, struct secret current,
			       struct secret password);

#endif
