/* ott.h — one-time tokens of apps: what a browser hands to an app, and the app, which alone has the verifier, changes
 * into tokens. 60 s, once; a second use ends the session of the first. Source: RFC 8252 §8.1; RFC 7636; ASVS 10.4.2,
 * 10.4.6. */
#ifndef DOMAIN_OTT_H
#define DOMAIN_OTT_H

#include "domain/gate.h"
#include "oauth/answer.h"

#define OTT_TEXT   43 /* 32 bytes as base64url */
#define OTT_TTL_MS (60 * MS_PER_S)

struct ott_new {
	int64_t user_id;
	str provider;
	const struct profile *profile;
	str challenge; /* STR_NONE: none, where the settings allow that */
	bool links;    /* it links, for the session `sid` */
	str sid;
};
/* Inside the open transaction. Fault: ERR_CLOCK. */
MUST_USE err_t ott_make(struct ctx *c, const struct ott_new *n, str *ret);

/* Tokens past the gate. Refusals: ERR_OTT, ERR_INPUT (a verifier where there is no challenge), ERR_LIMITED. Whatever
 * is refused, the token is used up. Cost: 2 transactions. */
MUST_USE err_t ott_redeem(struct ctx *c, str ott, str verifier, struct signed_in *ret);

/* The account is linked to the caller, whose session must be the one that asked. Refusals too: ERR_ALREADY_LINKED. */
MUST_USE err_t ott_link(struct ctx *c, str ott, str verifier, const struct caller *who);

#endif
