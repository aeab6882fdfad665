#include "crypto/jwa.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "crypto/ecdsa.h"
#include "crypto/pkey.h"

#define ED25519_SIGNATURE 64

static const struct jwa rows[] = {
	{ "RS256", KEY_RSA, "SHA256", false, false },	{ "RS384", KEY_RSA, "SHA384", false, false },
	{ "RS512", KEY_RSA, "SHA512", false, false },	{ "PS256", KEY_RSA, "SHA256", false, true },
	{ "PS384", KEY_RSA, "SHA384", false, true },	{ "PS512", KEY_RSA, "SHA512", false, true },
	{ "ES256", KEY_P256, "SHA256", false, false },	{ "ES384", KEY_P384, "SHA384", false, false },
	{ "ES512", KEY_P521, "SHA512", false, false },	{ "EdDSA", KEY_ED25519, "SHA512", true, false },
	{ "Ed25519", KEY_ED25519, "SHA512", true, false },
};

const struct jwa *jwa_find(str name)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (str_eq(name, str_of_cstr(rows[i].name)))
			return &rows[i];
	}
	return NULL;
}

enum key_kind jwa_kind_of(str kty, str crv)
{
	static const struct {
		const char *kty, *crv;
		enum key_kind kind;
	} kinds[] = { { "EC", "P-256", KEY_P256 },
		      { "EC", "P-384", KEY_P384 },
		      { "EC", "P-521", KEY_P521 },
		      { "OKP", "Ed25519", KEY_ED25519 } };

	if (str_eq(kty, STR("RSA")))
		return KEY_RSA;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (str_eq(kty, str_of_cstr(kinds[i].kty)) && str_eq(crv, str_of_cstr(kinds[i].crv)))
			return kinds[i].kind;
	}
	return KEY_KIND_UNSET;
}

bool jwa_takes(const struct jwa *a, enum key_kind kind, const struct jwa *named)
{
	if (a->kind != kind)
		return false;
	return named == NULL || (named->kind == kind && named->pss == a->pss &&
				 str_eq(str_of_cstr(named->hash), str_of_cstr(a->hash)));
}

static void md_ctx_free(EVP_MD_CTX **p)
{
	EVP_MD_CTX_free(*p);
}

/* RFC 7518 §3.5: the mask is made with the same hash, which is OpenSSL's default; the salt is as long as the hash. */
static bool set_padding(const struct jwa *a, EVP_PKEY_CTX *ctx)
{
	return !a->pss || (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
			   EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1);
}

static bool verify(const struct jwa *a, EVP_PKEY *key, str input, const uint8_t *sig, size_t n)
{
	CLEANUP(md_ctx_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *of = NULL; /* ctx's */

	return ctx != NULL &&
	       EVP_DigestVerifyInit_ex(ctx, &of, a->hashes_itself ? NULL : a->hash, NULL, NULL, key, NULL) == 1 &&
	       set_padding(a, of) && EVP_DigestVerify(ctx, sig, n, (const uint8_t *)input.p, input.n) == 1;
}

bool jwa_check(const struct jwa *a, EVP_PKEY *key, str input, str signature)
{
	static const size_t field[] = { [KEY_P256] = P256_BYTES, [KEY_P384] = P384_BYTES, [KEY_P521] = P521_BYTES };
	uint8_t der[ECDSA_DER_MAX];
	size_t n;

	switch (a->kind) {
	case KEY_RSA: return verify(a, key, input, (const uint8_t *)signature.p, signature.n);
	case KEY_P256:
	case KEY_P384:
	case KEY_P521:
		return signature.n == 2 * field[a->kind] && ecdsa_to_der(signature, der, &n) &&
		       verify(a, key, input, der, n);
	case KEY_ED25519:
		return signature.n == ED25519_SIGNATURE &&
		       verify(a, key, input, (const uint8_t *)signature.p, signature.n);
	case KEY_KIND_UNSET: break;
	}
	return false;
}

err_t jwa_half_hash(const struct jwa *a, str text, uint8_t ret[HALF_HASH_MAX], size_t *ret_n)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	size_t n = 0;

	REQUIRE(EVP_Q_digest(NULL, a->hash, NULL, text.p, text.n, digest, &n) == 1 && n / 2 <= HALF_HASH_MAX, ERR_CRYPTO);
	*ret_n = n / 2;
	for (size_t i = 0; i < *ret_n; i++)
		ret[i] = digest[i];
	return OK;
}
