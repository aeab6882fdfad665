#include "crypto/aead.h"

#include <sodium.h>

#define VERSION 1
#define NONCE   crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG     crypto_aead_xchacha20poly1305_ietf_ABYTES
_Static_assert(1 + NONCE + TAG == AEAD_OVERHEAD, "version, nonce, tag");
_Static_assert(KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "one key size");

err_t aead_seal(struct arena *mem, struct rng rng, const struct mac_key *key, str context, str plain, str *ret)
{
	unsigned char *out;
	unsigned long long n = 0;

	NEW(out, mem, unsigned char, plain.n + AEAD_OVERHEAD);
	out[0] = VERSION;
	TRY(rng_fill(rng, out + 1, NONCE));
	REQUIRE(crypto_aead_xchacha20poly1305_ietf_encrypt(
			out + 1 + NONCE, &n, (const unsigned char *)plain.p, plain.n,
			(const unsigned char *)context.p, context.n, NULL, out + 1, key->bytes) == 0,
		ERR_CRYPTO);
	*ret = str_of_bytes(out, 1 + NONCE + (size_t)n);
	return OK;
}

err_t aead_open(struct arena *mem, const struct mac_key *key, str context, str sealed, str *ret)
{
	const unsigned char *in = (const unsigned char *)sealed.p;
	unsigned char *out;
	unsigned long long n = 0;

	REQUIRE(sealed.n >= AEAD_OVERHEAD && in[0] == VERSION, ERR_CRYPTO);
	NEW(out, mem, unsigned char, sealed.n - AEAD_OVERHEAD + 1);
	REQUIRE(crypto_aead_xchacha20poly1305_ietf_decrypt(out, &n, NULL, in + 1 + NONCE, sealed.n - 1 - NONCE,
							   (const unsigned char *)context.p, context.n, in + 1,
							   key->bytes) == 0,
		ERR_CRYPTO);
	*ret = str_of_bytes(out, (size_t)n);
	return OK;
}
