#include "crypto/ecdsa.h"

#include <openssl/ec.h>

#include "crypto/pkey.h"

static void ecdsa_sig_free(ECDSA_SIG **p)
{
	ECDSA_SIG_free(*p);
}

bool ecdsa_to_der(str raw, uint8_t der[ECDSA_DER_MAX], size_t *ret_n)
{
	CLEANUP(ecdsa_sig_free) ECDSA_SIG *sig = NULL;
	CLEANUP(bn_free) BIGNUM *r = NULL;
	CLEANUP(bn_free) BIGNUM *s = NULL;
	size_t half = raw.n / 2;
	int n;

	if (half == 0 || raw.n % 2 != 0 || half > P521_BYTES)
		return false;
	sig = ECDSA_SIG_new();
	r = BN_bin2bn((const uint8_t *)raw.p, (int)half, NULL);
	s = BN_bin2bn((const uint8_t *)raw.p + half, (int)half, NULL);
	if (sig == NULL || r == NULL || s == NULL || BN_is_zero(r) || BN_is_zero(s) ||
	    ECDSA_SIG_set0(sig, r, s) != 1)
		return false;
	r = NULL; /* now the signature's */
	s = NULL;
	n = i2d_ECDSA_SIG(sig, &der);
	*ret_n = (size_t)n;
	return n > 0;
}
