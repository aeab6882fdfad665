/* claim.h — the way out for whoever reads the mail of an account that somebody else has armed with a second factor
 * before its address was ever proven: he claims it with a mailed secret, waits for takeover.delay, and the next mailed
 * link opens it, with everything of the earlier holder gone. Who holds the factor is told at once and calls it off by
 * signing in with it. Of an account whose address is proven there is no such way: mail is one factor.
 * Source: docs/decisions/0020-mail-is-one-factor.md. */
#ifndef DOMAIN_CLAIM_H
#define DOMAIN_CLAIM_H

#include "domain/ctx.h"
#include "store/rows.h"

/* What proves that the claimant reads the mail: either. */
struct claim_proof {
	str token;      /* of a mailed link that signs in: used up by it */
	str temp_token; /* the handle of a sign-in that began with mail: lives on */
};

/* Claims the account; asking again while a claim runs changes nothing and tells nobody. *ret_opens_ms: from when on a
 * mailed link opens it. Tells its address, and its number if it has one. Refusals: ERR_MAGIC_LINK, ERR_MAGIC_EXPIRED,
 * ERR_TEMP_TOKEN, ERR_TEMP_TOKEN_REQUIRED (neither), ERR_CLAIM (its address is proven, it has no second factor, it is an
 * administrator's, or the handle began with something else; a token lives on), ERR_LIMITED. Cost: 1 transaction. */
MUST_USE err_t claim_ask(struct ctx *c, const struct claim_proof *p, int64_t *ret_opens_ms);

/* Does a claim run; may a mailed link open the account now? A claim is good for 30 days from then. */
bool claim_runs(const struct user_row *user, int64_t now_ms);
bool claim_is_due(const struct user_row *user, int64_t now_ms);

/* Inside the open transaction: somebody has shown a second factor. A claim that runs ends, and the address is told. */
MUST_USE err_t claim_call_off(struct ctx *c, const struct user_row *user);

#endif
