/* verification.h — proving that an account's address is its owner's (verification.mode none, lazy, strict). */
#ifndef DOMAIN_VERIFICATION_H
#define DOMAIN_VERIFICATION_H

#include "domain/asked.h"
#include "domain/session.h"
#include "domain/takeover.h"

/* Mail the caller a link. Refusals: ERR_EMAIL_VERIFIED, ERR_EMAIL_NOT_CONFIGURED. Over the budgets of mails it
 * is OK and sends nothing. Cost: 1 transaction. */
MUST_USE err_t verification_send(struct ctx *c, const struct caller *who, str lang);

/* The same for whoever cannot sign in yet: says nothing about accounts, like password_forgot. */
MUST_USE err_t verification_send_to(struct ctx *c, str email, str lang, const struct asker *by);

/* Inside the open transaction: the link of a new account, or of one that was refused its sign-in. Within the
 * budgets. */
MUST_USE err_t verification_start(struct ctx *c, const struct user_row *user, str lang);

/* The address is proven: in full from a known device, else only that somebody reads the mail, so that a later mailed
 * sign-in still may find what was planted (takeover.h). Nothing is removed. Refusals: ERR_TOKEN_REQUIRED, ERR_VERIFY_TOKEN,
 * ERR_VERIFY_EXPIRED, ERR_LIMITED, and for a stranger ERR_REAUTH when a second factor stands there: the token lives on.
 * Cost: 1 transaction. */
MUST_USE err_t verification_confirm(struct ctx *c, str token, const struct asker *a);

/* May somebody with the right password sign in? Refusals: ERR_EMAIL_NOT_VERIFIED (strict),
 * ERR_EMAIL_VERIFICATION_REQUIRED (lazy, the grace is over). */
MUST_USE err_t verification_allows(const struct config *cfg, bool verified, int64_t verify_by_ms,
				   int64_t now_ms);

#endif
