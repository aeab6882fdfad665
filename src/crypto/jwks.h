/* jwks.h — the keys another issuer signs with (RFC 7517), and whether a token is his. Algorithms are the rows of
 * jwa.h, each bound to the kind and curve of its key and, where the key says one, to that algorithm: what a token says
 * of itself never selects how it is checked (RFC 8725 §3.1). */
#ifndef CRYPTO_JWKS_H
#define CRYPTO_JWKS_H

#include "base/arena.h"
#include "base/err.h"
#include "crypto/jwa.h"

#define JWKS_KEYS_MAX    32
#define ID_TOKEN_MAX     ((size_t)16 * 1024)

struct jwks; /* immutable; shared and counted */

/* Keys that are of no use (other kinds, for encryption, too weak, malformed) are left out; a set without any
 * other is none. Refusal: ERR_INPUT. Faults: ERR_NO_MEMORY. */
MUST_USE err_t jwks_parse(struct arena *mem, str json, struct jwks **ret);
struct jwks *jwks_hold(struct jwks *k);
void jwks_release(struct jwks *k); /* NULL is a no-op */
size_t jwks_n(const struct jwks *k);

struct verified {
	str claims;            /* JSON, in the arena */
	const struct jwa *alg; /* as soon as the header is read, of a refused token too */
	str alg_said;          /* what the header calls it, known or not; of any content */
	const char *failed;    /* of a refused token, static: "form", "header", "alg", "kid", "signature" */
};

/* Did one of the keys sign it? Refusals: ERR_NOT_FOUND: none of these did (a newer set may have its key, under the
 * same id too); ERR_INPUT: anything else. */
MUST_USE err_t jwks_verify(const struct jwks *k, struct arena *mem, str token, struct verified *ret);

/* Of a token all that is signed, header.claims: the same whatever form its signature has (ECDSA has two, PSS many). */
str jwks_signed_part(str token);

#endif
