/* place.h — where a user signed in from before, as the kind of client and the coarse address: told apart to
 * mail about sign-ins from new places. Opens nothing, closes nothing; stored as a MAC. */
#ifndef DOMAIN_PLACE_H
#define DOMAIN_PLACE_H

#include "domain/ctx.h"

/* The product behind a User-Agent: versions change under a session, the product does not. Browsers all
 * begin with "Mozilla/5.0", so theirs is looked for. Borrows from `agent`; "" for none. */
str agent_family(str agent);

/* The user signed in from here: remembered for 180 days, at most 20 places each. *ret_new: never seen
 * before. Inside the open transaction. */
MUST_USE err_t place_note(struct ctx *c, int64_t user_id, bool *ret_new);
MUST_USE err_t place_forget_all(struct ctx *c, int64_t user_id); /* the same */

MUST_USE err_t place_sweep(struct ctx *c, int64_t limit_n, int64_t *ret_n);

#endif
