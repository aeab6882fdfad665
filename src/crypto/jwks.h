/* jwks.h — the keys another issuer signs with (RFC 7517), and whether a token is his. Algorithms are ours to
 * choose: RS256 and ES256, each bound to the kind of its key, so that what a token says of itself never
 * selects how it is checked. */
#ifndef CRYPTO_JWKS_H
#define CRYPTO_JWKS_H

#include "base/arena.h"
#include "base/err.h"

#define JWKS_KEYS_MAX    32
#define ID_TOKEN_MAX     ((size_t)16 * 1024)

struct jwks; /* immutable; shared and counted */

/* Keys that are of no use (other kinds, for encryption, too weak, malformed) are left out; a set without any
 * other is none. Refusal: ERR_INPUT. Faults: ERR_NO_MEMORY. */
MUST_USE err_t jwks_parse(struct arena *mem, str json, struct jwks **ret);
struct jwks *jwks_hold(struct jwks *k);
void jwks_release(struct jwks *k); /* NULL is a no-op */
size_t jwks_n(const struct jwks *k);

/* The claims of a token, as JSON in the arena, if one of the keys signed it. Refusals: ERR_NOT_FOUND: its key is
 * none of these (a newer set may have it); ERR_INPUT: anything else. */
MUST_USE err_t jwks_verify(const struct jwks *k, struct arena *mem, str token, str *ret_claims);

#endif
