/* pkey.h — OpenSSL's keys: generated, read from PEM or from numbers, and whether one is good enough for its
 * algorithm. Internal to crypto/: jws_key.c makes of them what signs and checks. HS256 has none. */
#ifndef CRYPTO_PKEY_H
#define CRYPTO_PKEY_H

#include <openssl/bn.h>
#include <openssl/evp.h>

#include "base/arena.h"
#include "base/config.h"
#include "base/err.h"
#include "base/secret.h"
#include "crypto/jwa.h"

#define RSA_MAX_BITS  8192
#define RSA_MAX_BYTES (RSA_MAX_BITS / 8)
#define P256_BYTES    32
#define P384_BYTES    48
#define P521_BYTES    66
#define ED25519_BYTES 32

/* The public numbers of a JWK, decoded: big-endian bytes, on curves as many as the field has. */
struct jwk_numbers {
	str n, e; /* KEY_RSA */
	str x, y; /* curves; Ed25519 has no y */
};

/* NULL when it cannot be made. The caller frees. */
EVP_PKEY *pkey_generate(enum token_algorithm alg);

/* A private key, as PKCS#8 PEM without a passphrase; the caller frees. Refusal: ERR_INPUT: not readable, not good
 * enough for the algorithm, or halves that do not belong together. */
MUST_USE err_t pkey_of_pem(enum token_algorithm alg, str text, EVP_PKEY **ret);
/* The same text again, into the arena; a secret. */
MUST_USE err_t pkey_to_pem(const EVP_PKEY *pkey, struct arena *mem, struct secret *ret);

/* A public key; the caller frees. Refusal: ERR_INPUT: none of this kind, or too weak (RSA of less than 2,048 or
 * more than 8,192 bits, an exponent below 65,537, a point beside its curve). */
MUST_USE err_t pkey_of_numbers(enum key_kind kind, const struct jwk_numbers *numbers, EVP_PKEY **ret);

#define CLEANUP(f) __attribute__((cleanup(f)))

static inline void pkey_free(EVP_PKEY **p)
{
	EVP_PKEY_free(*p);
}

static inline void bn_free(BIGNUM **p)
{
	BN_free(*p);
}

#endif
