/* grant.h — refresh tokens of providers, kept sealed and for one purpose: to be given back when the account here is
 * deleted, which Apple demands of apps. The giving back is a row written with the deletion, done later, and tried
 * again until it is done or three days have passed. */
#ifndef DOMAIN_GRANT_H
#define DOMAIN_GRANT_H

#include "domain/ctx.h"

/* All but the last inside the open transaction. */
MUST_USE err_t grant_keep(struct ctx *c, str provider, str account_id, str refresh_token);
/* Before the user's row goes. */
MUST_USE err_t grant_give_back(struct ctx *c, int64_t user_id);

/* One that is due is tried. *ret_any false: there was none. Cost: 1 read; with one 1 transaction and a request to
 * the provider. */
MUST_USE err_t grant_work(struct ctx *c, bool *ret_any);

#endif
