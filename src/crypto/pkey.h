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

#define RSA_MAX_BITS  8192
#define RSA_MAX_BYTES (RSA_MAX_BITS / 8)
#define P256_BYTES    32

struct jwk_numbers;

/* NULL when it cannot be made. The caller frees. */
EVP_PKEY *pkey_generate(enum token_algorithm alg);

/* A private key, as PKCS#8 PEM without a passphrase; the caller frees. Refusal: ERR_INPUT: not readable, not good
 * enough for the algorithm, or halves that do not belong together. */
MUST_USE err_t pkey_of_pem(enum token_algorithm alg, str text, EVP_PKEY **ret);
/* The same text again, into the arena; a secret. */
MUST_USE err_t pkey_to_pem(const EVP_PKEY *pkey, struct arena *mem, struct secret *ret);

/* A public key; the caller frees. Refusal: ERR_INPUT: none that is good enough for the algorithm. */
MUST_USE err_t pkey_of_numbers(enum token_algorithm alg, const struct jwk_numbers *numbers, EVP_PKEY **ret);

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
