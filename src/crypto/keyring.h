/* keyring.h — the keys of a data directory: made once, kept in DATA/keys (0700, files 0600).
 *
 *   master.key                      32 bytes, base64url: root of every derived MAC key
 *   jwt-<active_from_ms>-<ALG>.pem  signing keys; the file name says from when it signs
 *
 * A new signing key is published in the JWKS one hour (KEY_PUBLISH_MS) before it signs; the old one
 * stays until its last token has expired. Everything is computed from file names and the clock, so
 * there is no state file to lose. A keyring is immutable: reload makes a new one. */
#ifndef CRYPTO_KEYRING_H
#define CRYPTO_KEYRING_H

#include "base/clock.h"
#include "base/config.h"
#include "crypto/jws.h"
#include "base/buf.h"
#include "crypto/mac.h"

#define KEY_PUBLISH_MS    MS_PER_HOUR
#define KEY_TOKEN_LIFE_MS MS_PER_DAY /* the longest life of a token; bounds token.access_ttl */
#define KEYRING_MAX       16

struct keyring_entry {
	struct jws_key *key;
	int64_t active_from_ms;
	int64_t retire_ms; /* successor's active_from + KEY_TOKEN_LIFE_MS; INT64_MAX for the newest */
	str file;          /* base name */
};

struct keyring {
	struct mac_key refresh, device, attempt, csrf, cursor, storage, onetime, forward, doctor; /* one label each */
	struct keyring_entry entry[KEYRING_MAX]; /* by active_from_ms, oldest first */
	size_t n;
	uint64_t serial;   /* grows with each load in this process: invalidates cached verifications */
	struct arena mem;
};

/* Load DATA/keys. With `create`, makes the directory, the master key and a first signing key of
 * `alg` (active at once) when missing: written to a temporary name, fsynced, linked, never
 * overwritten. Refusals: ERR_CONFIG with one line in why: files or directory open to group or others,
 * a key that does not parse, a signing key whose name does not, a master key that is not 32 bytes or
 * not random (one repeated byte, a counting row, printable text such as any example), keys missing
 * without `create` although the store has users (decided by the caller). Faults: ERR_IO, …
 * Processes that share the directory wait for each other (flock). */
MUST_USE err_t keyring_load(str data_dir, enum token_algorithm alg, int64_t now_ms, bool create,
			    struct rng rng, struct keyring **ret, char *why, size_t why_max);
void keyring_free(struct keyring *k);

/* `keys rotate`: writes a new signing key of `alg` that becomes active at now + KEY_PUBLISH_MS (at
 * once with `now_active`, which deletes keys that were published and do not sign yet) and deletes keys retired for more
 * than a day. */
MUST_USE err_t keyring_rotate(str data_dir, enum token_algorithm alg, int64_t now_ms, bool now_active,
			      struct rng rng, char *why, size_t why_max);

/* A number that changes when the directory's set of key files changes: cheap poll for reload. 0 when
 * there is none. */
uint64_t keyring_fingerprint(str data_dir);

/* The key that signs at now_ms: the latest whose active_from has come (the first of all when the
 * clock is behind every one). Never NULL for a loaded ring. */
const struct jws_key *keyring_signer(const struct keyring *k, int64_t now_ms);
/* jws_key_lookup over the keyring: published keys that are not retired at now_ms. */
struct keyring_at {
	const struct keyring *k;
	int64_t now_ms;
};
const struct jws_key *keyring_find(const void *at, str kid);

/* {"keys":[…]} with the public part of every key not retired at now_ms (future ones included). */
void keyring_jwks(const struct keyring *k, int64_t now_ms, struct buf *out);

#endif
