#include "crypto/pkey.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

#define RSA_GENERATE_BITS 3072
#define RSA_MIN_BITS	  2048
#define RSA_MIN_EXPONENT  65537
#define PEM_MAX_BYTES	  16384

static void pkey_ctx_free(EVP_PKEY_CTX **p)
{
	EVP_PKEY_CTX_free(*p);
}

static void bio_free(BIO **p)
{
	(void)BIO_free(*p);
}

EVP_PKEY *pkey_generate(enum token_algorithm alg)
{
	switch (alg) {
	case ALG_ES256: return EVP_EC_gen("P-256");
	case ALG_RS256: return EVP_RSA_gen(RSA_GENERATE_BITS);
	case ALG_EDDSA: return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	case ALG_HS256:
	case ALG_UNSET: break;
	}
	return NULL;
}

/* --- good enough? ----------------------------------------------------------------------------- */

static bool is_on_curve(const EVP_PKEY *pkey, str curve)
{
	char group[32] = "";
	int spelt_out = 1;

	/* A curve given by its numbers may be another one in disguise (RFC 5480 §2.1.1: named
	 * only). */
	return EVP_PKEY_is_a(pkey, "EC") == 1 &&
	       EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) == 1 &&
	       str_eq(str_of_cstr(group), curve) &&
	       EVP_PKEY_get_int_param(pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
				      &spelt_out) == 1 &&
	       spelt_out == 0;
}

static bool is_good_rsa(const EVP_PKEY *pkey)
{
	CLEANUP(bn_free) BIGNUM *e = NULL;
	int bits = EVP_PKEY_get_bits(pkey);

	return EVP_PKEY_is_a(pkey, "RSA") == 1 && bits >= RSA_MIN_BITS && bits <= RSA_MAX_BITS &&
	       EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_is_odd(e) &&
	       BN_num_bits(e) <= 64 && BN_get_word(e) >= RSA_MIN_EXPONENT;
}

static enum key_kind kind_of(enum token_algorithm alg)
{
	switch (alg) {
	case ALG_ES256: return KEY_P256;
	case ALG_RS256: return KEY_RSA;
	case ALG_EDDSA: return KEY_ED25519;
	case ALG_HS256:
	case ALG_UNSET: break;
	}
	return KEY_KIND_UNSET;
}

static bool suits(enum key_kind kind, const EVP_PKEY *pkey)
{
	switch (kind) {
	case KEY_RSA: return is_good_rsa(pkey);
	case KEY_P256: return is_on_curve(pkey, STR("prime256v1"));
	case KEY_P384: return is_on_curve(pkey, STR("secp384r1"));
	case KEY_P521: return is_on_curve(pkey, STR("secp521r1"));
	case KEY_ED25519: return EVP_PKEY_is_a(pkey, "ED25519") == 1;
	case KEY_KIND_UNSET: break;
	}
	return false;
}

/* Does the public half belong to the private one? A mixed pair would sign what nobody can check. */
static bool is_pair(EVP_PKEY *pkey)
{
	CLEANUP(pkey_ctx_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);

	return ctx != NULL && EVP_PKEY_pairwise_check(ctx) == 1;
}

/* --- private keys, as PEM --------------------------------------------------------------------- */

/* Encrypted PEM is not read; without this OpenSSL would ask on the terminal. */
static int no_passphrase(char *dst, int max, int writing, void *self)
{
	(void)dst;
	(void)max;
	(void)writing;
	(void)self;
	return -1;
}

err_t pkey_of_pem(enum token_algorithm alg, str text, EVP_PKEY **ret)
{
	CLEANUP(pkey_free) EVP_PKEY *pkey = NULL;
	CLEANUP(bio_free) BIO *bio = NULL;

	REQUIRE(text.n <= PEM_MAX_BYTES && str_starts(text, STR("-----BEGIN PRIVATE KEY-----")),
		ERR_INPUT);
	bio = BIO_new_mem_buf(text.p, (int)text.n);
	REQUIRE(bio != NULL, ERR_NO_MEMORY);
	pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	REQUIRE(pkey != NULL && suits(kind_of(alg), pkey) && is_pair(pkey), ERR_INPUT);
	*ret = pkey;
	pkey = NULL; /* now the caller's */
	return OK;
}

err_t pkey_to_pem(const EVP_PKEY *pkey, struct arena *mem, struct secret *ret)
{
	CLEANUP(bio_free) BIO *bio = NULL; /* clears its memory when freed */
	char *text = NULL;
	uint8_t *copy;
	long n;

	bio = BIO_new(BIO_s_secmem());
	REQUIRE(bio != NULL, ERR_NO_MEMORY);
	REQUIRE(PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) == 1,
		ERR_CRYPTO);
	n = BIO_get_mem_data(bio, &text);
	REQUIRE(n > 0, ERR_CRYPTO);
	NEW(copy, mem, uint8_t, (size_t)n + 1);
	memcpy(copy, text, (size_t)n);
	*ret = (struct secret){ copy, (size_t)n };
	return OK;
}

/* --- public keys, of their numbers ------------------------------------------------------------ */

static EVP_PKEY *pkey_of_params(const char *type, OSSL_PARAM *params)
{
	CLEANUP(pkey_ctx_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;

	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return NULL;
	return pkey;
}

/* OpenSSL takes numbers in the machine's order. */
static EVP_PKEY *rsa_of(str n, str e)
{
	CLEANUP(bn_free) BIGNUM *bn = NULL;
	CLEANUP(bn_free) BIGNUM *be = NULL;
	uint8_t native_n[RSA_MAX_BYTES], native_e[8];
	OSSL_PARAM params[3];

	if (n.n == 0 || n.n > sizeof(native_n) || e.n == 0 || e.n > sizeof(native_e))
		return NULL;
	bn = BN_bin2bn((const uint8_t *)n.p, (int)n.n, NULL);
	be = BN_bin2bn((const uint8_t *)e.p, (int)e.n, NULL);
	if (bn == NULL || be == NULL || BN_bn2nativepad(bn, native_n, (int)n.n) < 0 ||
	    BN_bn2nativepad(be, native_e, (int)e.n) < 0)
		return NULL;
	params[0] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, native_n, n.n);
	params[1] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, native_e, e.n);
	params[2] = OSSL_PARAM_construct_end();
	return pkey_of_params("RSA", params);
}

static EVP_PKEY *ec_of(const char *curve, size_t n, str x, str y)
{
	uint8_t point[1 + 2 * P521_BYTES] = { POINT_CONVERSION_UNCOMPRESSED };
	char group[16];
	OSSL_PARAM params[3];

	if (x.n != n || y.n != n)
		return NULL;
	(void)stpcpy(group, curve);
	memcpy(point + 1, x.p, n);
	memcpy(point + 1 + n, y.p, n);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * n);
	params[2] = OSSL_PARAM_construct_end();
	return pkey_of_params("EC", params);
}

static EVP_PKEY *ed25519_of(str x)
{
	return x.n != ED25519_BYTES ? NULL :
				      EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, (const uint8_t *)x.p, x.n);
}

static EVP_PKEY *public_of(enum key_kind kind, const struct jwk_numbers *k)
{
	switch (kind) {
	case KEY_RSA: return rsa_of(k->n, k->e);
	case KEY_P256: return ec_of("prime256v1", P256_BYTES, k->x, k->y);
	case KEY_P384: return ec_of("secp384r1", P384_BYTES, k->x, k->y);
	case KEY_P521: return ec_of("secp521r1", P521_BYTES, k->x, k->y);
	case KEY_ED25519: return ed25519_of(k->x);
	case KEY_KIND_UNSET: break;
	}
	return NULL;
}

static bool is_sound(EVP_PKEY *pkey)
{
	CLEANUP(pkey_ctx_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);

	return ctx != NULL && EVP_PKEY_public_check_quick(ctx) == 1;
}

err_t pkey_of_numbers(enum key_kind kind, const struct jwk_numbers *numbers, EVP_PKEY **ret)
{
	CLEANUP(pkey_free) EVP_PKEY *pkey = public_of(kind, numbers);

	/* any 32 bytes are an Ed25519 key; what is none verifies nothing */
	REQUIRE(pkey != NULL && suits(kind, pkey) && (kind == KEY_ED25519 || is_sound(pkey)), ERR_INPUT);
	*ret = pkey;
	pkey = NULL; /* now the caller's */
	return OK;
}
