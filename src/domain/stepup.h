/* stepup.h — sensitive actions ask again who is there: a sign-in not older than stepup.max_age, or the current
 * password or a code of the second factor with the request. A property of the route (api/routes.h); what was
 * proven counts for the session from then on. Source: ASVS 5.0 7.5.1, 7.5.3. */
#ifndef DOMAIN_STEPUP_H
#define DOMAIN_STEPUP_H

#include "domain/attempt.h"
#include "domain/session.h"

/* What a request may bring along. */
struct stepup {
	struct secret current_password; /* n == 0: not sent */
	str totp_code, recovery_code;   /* the same; either may be in either */
};

/* Refusals: ERR_REAUTH, ERR_CURRENT_PASSWORD, ERR_TOTP_CODE, ERR_LIMITED, ERR_SESSION_REVOKED. Cost: 1 read;
 * with a proof at most one hash and 2 transactions. */
MUST_USE err_t stepup_require(struct ctx *c, const struct caller *who, const struct stepup *proof);

/* The same for what changes second factors. Who has an app must have used it (or a recovery code, or a texted
 * code) in this session not longer ago than stepup.max_age, or send a code now: a password, and a session of a
 * remembered device, are not enough (MF11): a mailbox sets passwords. */
MUST_USE err_t stepup_require_factor(struct ctx *c, const struct caller *who, const struct stepup *proof);

/* Is the session's sign-in recent enough by itself? stepup.max_age = 0: always. */
MUST_USE err_t stepup_is_fresh(struct ctx *c, const struct caller *who, bool *ret);

/* The current password, on the budget that every door shares (attempt.h). Refusals: ERR_CURRENT_PASSWORD,
 * ERR_LIMITED. Cost: one hash, 1 transaction. */
struct proven {
	struct attempt attempt; /* release it inside the transaction of what follows */
	str stored_hash;        /* the hash that matched */
};
MUST_USE err_t stepup_prove_password(struct ctx *c, const struct caller *who, struct secret password,
				     struct proven *ret);

/* Inside the transaction that acts on it: is that hash still the account's? The check took long. Refusal:
 * ERR_CURRENT_PASSWORD. */
MUST_USE err_t stepup_password_still(struct ctx *c, const struct caller *who, const struct proven *p);

#endif
