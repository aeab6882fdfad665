/* social.h — from a profile at a provider to an account here: found, linked or made. Inside the open transaction. */
#ifndef DOMAIN_SOCIAL_H
#define DOMAIN_SOCIAL_H

#include "domain/session.h"
#include "oauth/answer.h"
#include "oauth/provider.h"

/* Who it is, or who he becomes: the linked account; else a new one, or with oauth.auto_link = verified the one of
 * an address that both sides have proven. may_make: false for a look only (then ERR_NOT_FOUND).
 * Refusals: ERR_OAUTH_CONFLICT, ERR_OAUTH_EMAIL, ERR_OAUTH_DISABLED, ERR_REGISTRATION_OFF, ERR_LIMITED, and
 * verification.h's. */
MUST_USE err_t social_find_or_make(struct ctx *c, const struct provider *p, const struct profile *who, bool may_make,
				   struct user_row *ret);

/* Link it to the user; his address hears of it. Refusal: ERR_ALREADY_LINKED. Already his: OK. */
MUST_USE err_t social_link(struct ctx *c, const struct user_row *user, str provider, const struct profile *who);

/* Keep a provider's refresh token, sealed, for the day the account goes. */
MUST_USE err_t social_keep_grant(struct ctx *c, const struct provider *p, const struct profile *who,
				 str refresh_token);

#endif
