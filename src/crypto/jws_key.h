/* jws_key.h — signing and checking bytes with one key; what jws.h builds on. Internal to crypto/
 * and its tests: nobody else gets to sign bytes of his own choosing. */
#ifndef CRYPTO_JWS_KEY_H
#define CRYPTO_JWS_KEY_H

#include "crypto/jws.h"

#define JWS_SIGNATURE_MAX 1024 /* RSA with 8192 bits */

/* The JWA signature (RFC 7518 §3, RFC 8037 §3.1) over `input`. */
MUST_USE err_t jws_key_sign(const struct jws_key *k, str input, uint8_t ret[JWS_SIGNATURE_MAX],
			    size_t *ret_n);
bool jws_key_check(const struct jws_key *k, str input, str signature);

/* "ES256" and so on, as in JOSE headers and in key file names; STR_NONE for ALG_UNSET. */
str jws_alg_name(enum token_algorithm alg);
enum token_algorithm jws_alg_find(str name); /* ALG_UNSET when unknown; case counts */
/* The finished, base64url-coded JOSE header of our access tokens. Lives with the key. */
str jws_key_header(const struct jws_key *k);

#endif
