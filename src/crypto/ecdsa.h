/* ecdsa.h — ECDSA signatures as JOSE has them, r and s of equal length (RFC 7518 §3.4), and as OpenSSL wants them. */
#ifndef CRYPTO_ECDSA_H
#define CRYPTO_ECDSA_H

#include <stdint.h>

#include "base/str.h"

#define ECDSA_DER_MAX 144 /* of P-521 */

/* False for the signatures that some verifiers take for every message: r or s zero (FIPS 186-5 §6.4.2 step 1). The
 * upper bound is OpenSSL's to check, which knows the order of the curve. */
bool ecdsa_to_der(str raw, uint8_t der[ECDSA_DER_MAX], size_t *ret_n);

#endif
