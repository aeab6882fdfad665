/* id_token.h — is an ID token for us, of now, and of this sign-in? OpenID Connect Core §3.1.3.7. */
#ifndef OAUTH_ID_TOKEN_H
#define OAUTH_ID_TOKEN_H

#include "crypto/jwks.h"
#include "oauth/answer.h"

#define ID_TOKEN_LEEWAY_S 60 /* clocks differ: of exp, iat and nbf alike */

struct id_expect {
	const struct provider *p;
	bool any_client;  /* of a native app: for any of the provider's client ids; else for the first */
	bool any_nonce;   /* an operator looks at it: nobody is signed in */
	str nonce;        /* never empty, but with any_nonce */
	bool hashed;      /* or the SHA-256 of it in hexadecimal, as Apple's examples for apps have it */
	str access_token; /* that came beside it, for at_hash; STR_NONE: none */
	const struct jwa *alg; /* it was signed with: what at_hash is made with; NULL: at_hash is not looked at */
	int64_t now_s;
	struct finding *why; /* which check failed; may be NULL */
};

/* Everything but the signature, over claims as they came. Refusal: ERR_INPUT. */
MUST_USE err_t id_token_claims(struct arena *mem, str claims, const struct id_expect *e, struct profile *ret);

/* A profile that came as claims of a signed JWT (OpenID Connect Core §5.3.2): iss, aud and times are not asked for, but
 * where they are said they are right. Of the expectations p, now_s and why count. Refusal: ERR_INPUT. */
MUST_USE err_t signed_profile(struct arena *mem, str claims, const struct id_expect *e, struct profile *ret);

#endif
