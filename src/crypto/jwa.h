/* jwa.h — the algorithms that other issuers may sign with, one row each, and checking a signature by one of them. An
 * algorithm is bound to a kind of key: neither "none" nor anything with a shared secret is a row. Source: RFC 7518 §3, RFC 8037 §3.1, RFC 9864 §2, RFC 8725 §3.1. */
#ifndef CRYPTO_JWA_H
#define CRYPTO_JWA_H

#include "base/err.h"
#include "base/str.h"

struct evp_pkey_st;

/* Kinds of keys, each with its curve. */
enum key_kind {
	KEY_KIND_UNSET = 0,
	KEY_RSA,
	KEY_P256,
	KEY_P384,
	KEY_P521,
	KEY_ED25519,
};

struct jwa {
	const char *name;
	enum key_kind kind;
	const char *hash;   /* OpenSSL's name of it; that of at_hash too */
	bool hashes_itself; /* it is the signature's own business */
	bool pss;
};

/* NULL: none that is taken. Case counts. */
const struct jwa *jwa_find(str name);

/* The kind of a JWK's `kty` and `crv`; KEY_KIND_UNSET: none that an algorithm here takes. */
enum key_kind jwa_kind_of(str kty, str crv);

/* Is a key that says `named` for its algorithm (NULL: nothing) one for `a`? */
bool jwa_takes(const struct jwa *a, enum key_kind kind, const struct jwa *named);

/* Is it the key's signature over input? The key is of a->kind. */
bool jwa_check(const struct jwa *a, struct evp_pkey_st *key, str input, str signature);

#define HALF_HASH_MAX 32
/* The left half of the algorithm's hash of text, as at_hash wants it (OpenID Connect Core §3.1.3.6); of EdDSA, which
 * names none, SHA-512. Fault: ERR_CRYPTO. */
MUST_USE err_t jwa_half_hash(const struct jwa *a, str text, uint8_t ret[HALF_HASH_MAX], size_t *ret_n);

#endif
