/* id_token.h — is an ID token for us, of now, and of this sign-in? OpenID Connect Core §3.1.3.7. */
#ifndef OAUTH_ID_TOKEN_H
#define OAUTH_ID_TOKEN_H

#include "crypto/jwks.h"
#include "oauth/answer.h"

struct id_expect {
	const struct provider *p;
	bool any_client;  /* of a native app: for any of the provider's client ids; else for the first */
	str nonce;        /* never empty */
	bool hashed;      /* or the SHA-256 of it in hexadecimal, as Apple's examples for apps have it */
	str access_token; /* that came beside it, for at_hash; STR_NONE: none */
	int64_t now_s;
};

/* Refusals: ERR_NOT_FOUND: its key is not among these; ERR_INPUT. */
MUST_USE err_t id_token_check(const struct jwks *keys, struct arena *mem, str token, const struct id_expect *e,
			      struct profile *ret);

/* Everything but the signature, over claims as they came (and for a fuzzer). Refusal: ERR_INPUT. */
MUST_USE err_t id_token_claims(struct arena *mem, str claims, const struct id_expect *e, struct profile *ret);

#endif
