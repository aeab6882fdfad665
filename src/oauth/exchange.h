/* exchange.h — the two halves of a sign-in at a provider: the address to send a browser to, and what to do with
 * what it comes back with. RFC 6749 §4.1, RFC 7636, OpenID Connect Core §3.1. */
#ifndef OAUTH_EXCHANGE_H
#define OAUTH_EXCHANGE_H

#include "oauth/directory.h"

#define VERIFIER_TEXT 43 /* 32 bytes as base64url */

/* One sign-in under way. */
struct exchange {
	const struct provider *p; /* completed */
	str redirect_uri;         /* ours: where the provider sends browsers back to */
	str state, nonce;
	str verifier;             /* PKCE; the challenge follows from it */
	str login_hint;           /* STR_NONE: none */
};

/* Where to send the browser. */
MUST_USE err_t exchange_url(const struct exchange *x, struct arena *mem, str *ret);

/* The request that changes a code into tokens; also for trying a client with a code that nobody gave. */
MUST_USE err_t exchange_request(const struct exchange *x, str code, struct arena *mem, int64_t now_s,
				struct outside_request *ret);

/* Code for profile. ret_tokens: what came with it. Refusals: ERR_OAUTH_DOWN, ERR_OAUTH_EXCHANGE, ERR_OAUTH_ID_TOKEN,
 * ERR_OAUTH_PROFILE; of each a->why tells more. */
MUST_USE err_t exchange_code(const struct exchange *x, str code, const struct asking *a, int64_t now_s,
			     struct profile *ret, struct token_answer *ret_tokens);

/* The ID token of an app's own kit. Refusals: ERR_OAUTH_DOWN, ERR_OAUTH_ID_TOKEN. */
MUST_USE err_t exchange_id_token(const struct provider *p, str id_token, str nonce, const struct asking *a,
				 int64_t now_s, struct profile *ret);

/* An ID token that an operator has at hand, of whatever sign-in: would it be taken now? The same refusals. */
MUST_USE err_t exchange_look(const struct provider *p, str id_token, const struct asking *a, int64_t now_s,
			     struct profile *ret);

/* Give a token back (RFC 7009). Refusals: ERR_OAUTH_DOWN: try again; ERR_OAUTH_EXCHANGE: it is not taken. */
MUST_USE err_t exchange_revoke(const struct provider *p, str refresh_token, const struct asking *a, int64_t now_s);

/* The S256 challenge of a verifier (RFC 7636 §4.2), 43 characters. */
MUST_USE err_t pkce_challenge(struct arena *mem, str verifier, str *ret);
/* 43 to 128 unreserved characters; 43 characters of base64url. */
bool pkce_verifier_ok(str verifier);
bool pkce_challenge_ok(str challenge);

#endif
