/* token.h — what the two tokens are made of, and whether one presented is ours.
 *
 * Access token: a JWT (crypto/jws.h) of 15 minutes. Refresh token: opaque to clients,
 *   version(1) key(1) sid(16) generation(8) nonce(16) tag(32), base64url without padding;
 * nothing of it is stored, the session row and the key re-create it byte for byte. Whether a genuine
 * token is still good is session.h's business. */
#ifndef DOMAIN_TOKEN_H
#define DOMAIN_TOKEN_H

#include "domain/ctx.h"
#include "domain/uid.h"
#include "store/rows.h"

#define NONCE_BYTES        16
#define REFRESH_TOKEN_TEXT 99 /* characters */

struct refresh_token {
	uint8_t sid[UID_BYTES];
	int64_t gen; /* >= 1 */
	uint8_t nonce[NONCE_BYTES];
};

MUST_USE err_t token_mint_refresh(struct ctx *c, const struct refresh_token *t, str *ret);
/* Refusal: ERR_REFRESH_TOKEN unless genuine. Compared in constant time before anything is looked up. */
MUST_USE err_t token_read_refresh(struct ctx *c, str text, struct refresh_token *ret);

struct access_mint {
	const struct user_row *user;
	const uint8_t *sid; /* UID_BYTES */
	int64_t gen;        /* generation of the refresh token it goes out with */
	int64_t auth_ms;
	str amr;            /* RFC 8176 names, blank-separated */
};
/* Cost: one signature. */
MUST_USE err_t token_mint_access(struct ctx *c, const struct access_mint *m, str *ret);

/* The same in two steps: all that takes memory and randomness, then the signature alone, for when the first is
 * inside a transaction and the second must not be. */
struct access_draft {
	const struct jws_key *key;
	struct buf text;
};
MUST_USE err_t token_draft_access(struct ctx *c, const struct access_mint *m, struct access_draft *ret);
MUST_USE err_t token_sign_access(struct access_draft *d, str *ret);

struct access_token {
	uint8_t uid[UID_BYTES];
	uint8_t sid[UID_BYTES];
	int64_t gen;
	int64_t exp_s;
};
/* Refusal: ERR_ACCESS_TOKEN. Cost: one signature check, or a look-up in the thread's cache.
 * allow_expired (sign-out): a genuine token whose time is over still names its session. */
MUST_USE err_t token_read_access(struct ctx *c, str text, bool allow_expired,
				 struct access_token *ret);

/* Verified access tokens of one thread, keyed by SHA-256 of the token: saves the signature check,
 * never the session check. An entry ends with the token's exp and with any change of keys. */
struct token_cache;
MUST_USE err_t token_cache_new(size_t entries, struct token_cache **ret); /* entries: power of two */
void token_cache_free(struct token_cache *t);

/* The session's row id: the first 63 bits of sid. */
int64_t session_id_of(const uint8_t sid[UID_BYTES]);

#endif
