/* jws.h — JSON Web Signatures for our own access tokens (RFC 7515, 7519, 8725, 9068).
 *
 * Algorithm and key come from the keyring by `kid`; the header's `alg` must equal the key's.
 * Pure: keys in, bytes out; no clock, no files (those are in keyring.h). */
#ifndef CRYPTO_JWS_H
#define CRYPTO_JWS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/err.h"
#include "base/rng.h"

#define JWT_MAX_BYTES 8192
#define KID_MAX       64

struct jws_key; /* one key: signing and verification, thread-safe once made */

MUST_USE err_t jws_key_generate(enum token_algorithm alg, struct rng rng, struct jws_key **ret);
/* PKCS#8 PEM for ES256, RS256, EdDSA; for HS256 one line of base64url (>= 32 bytes).
 * Refusals: ERR_INPUT (not readable, wrong curve, RSA below 2048 bits, HS key below 32 bytes or of
 * a single repeated byte). */
MUST_USE err_t jws_key_parse(enum token_algorithm alg, str text, struct jws_key **ret);
/* The same text again, into the arena; a secret. */
MUST_USE err_t jws_key_format(const struct jws_key *k, struct arena *mem, struct secret *ret);
void jws_key_free(struct jws_key *k);

enum token_algorithm jws_key_alg(const struct jws_key *k);
/* RFC 7638 thumbprint, base64url; for HS256 the thumbprint of a hash of the key. Lives with the key. */
str jws_key_kid(const struct jws_key *k);
/* The public JWK as a JSON object ({"kty":…,"use":"sig","alg":…,"kid":…,…}); STR_NONE for HS256.
 * Never holds a private member. Lives with the key. */
str jws_key_jwk(const struct jws_key *k);

/* Compact serialisation of header {"alg":…,"typ":"at+jwt","kid":…} and `claims` (a JSON object).
 * Cost: one signature (ES256 about 30 µs). The result is in the arena. */
MUST_USE err_t jws_sign(const struct jws_key *k, struct arena *mem, str claims, str *ret);

/* The same in two steps: all that can run out of memory, then the signature, which takes nothing more from the
 * arena. */
MUST_USE err_t jws_draft(const struct jws_key *k, struct arena *mem, str claims, struct buf *ret);
MUST_USE err_t jws_finish(const struct jws_key *k, struct buf *b, str *ret);

/* The same with another `typ`: for what must never pass for an access token. typ: plain ASCII. */
MUST_USE err_t jws_sign_as(const struct jws_key *k, struct arena *mem, str typ, str claims, str *ret);

/* The same under a header of the caller's own, a JSON object whose alg is the key's: for what other services ask
 * us to sign. */
MUST_USE err_t jws_sign_under(const struct jws_key *k, struct arena *mem, str header, str claims, str *ret);

/* Look up a key for verification; NULL when unknown or retired. */
typedef const struct jws_key *(*jws_key_lookup)(const void *self, str kid);

/* The claims our own endpoints need, copied to the arena. */
struct jwt_claims {
	str sub;      /* user id (UUID text) */
	str sid;      /* session handle */
	str iss;
	str jti;
	str token_use;
	int64_t iat_s, exp_s, auth_time_s;
	int64_t gen;  /* refresh generation the token was minted beside; claim "gen" */
	str kid;
};

struct jwt_expect {
	str iss;          /* exact */
	str aud;          /* must be among "aud" (string or array) */
	int64_t now_s;
	int64_t leeway_s; /* for iat and nbf only, <= 60 */
	bool allow_expired; /* logout: a genuine but expired token still names its session */
};

/* Strict verification. Refusal: ERR_ACCESS_TOKEN for anything that is not a genuine, current access
 * token of ours: not three non-empty strict base64url parts, over JWT_MAX_BYTES, duplicate members,
 * unknown kid, alg differing from the key's, `crit`, `b64`, typ other than "at+jwt", bad signature,
 * exp missing / not an integer / passed, nbf or iat in the future, iss, aud or token_use wrong, sub,
 * sid, jti or iat missing. auth_time and gen may be missing: 0.
 * Header members jku, x5u, jwk, x5c are ignored.  Cost: one verification. */
MUST_USE err_t jws_verify(jws_key_lookup lookup, const void *lookup_self, struct arena *mem, str token,
			  const struct jwt_expect *e, struct jwt_claims *ret);

#endif
