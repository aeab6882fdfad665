#include "crypto/jws_key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <string.h>

#include "base/base64url.h"
#include "crypto/ecdsa.h"
#include "crypto/mac.h"
#include "crypto/pkey.h"

#define P256_SIGNATURE	  64
#define ED25519_SIGNATURE 64
#define HS256_MIN_BYTES	  32
#define HS256_MAX_BYTES	  512

/* Immutable once made. `sign` and `check` are prepared contexts that each operation copies: that
 * saves the look-up of the algorithm, and leaves nothing shared to write to. */
struct jws_key {
	enum token_algorithm alg;
	EVP_PKEY *pkey; /* NULL for HS256 */
	EVP_MD_CTX *sign, *check;
	uint8_t mac[HS256_MAX_BYTES];
	size_t n_mac;
	char kid[KID_MAX];
	size_t n_kid;
	char jwk[2048];
	size_t n_jwk;
	char header[256];
	size_t n_header;
};

static void md_ctx_free(EVP_MD_CTX **p)
{
	EVP_MD_CTX_free(*p);
}

static void ecdsa_sig_free(ECDSA_SIG **p)
{
	ECDSA_SIG_free(*p);
}

void jws_key_free(struct jws_key *k)
{
	if (k == NULL)
		return;
	EVP_MD_CTX_free(k->sign);
	EVP_MD_CTX_free(k->check);
	EVP_PKEY_free(k->pkey); /* OpenSSL clears the private number */
	explicit_bzero(k, sizeof(*k));
	free(k);
}

enum token_algorithm jws_key_alg(const struct jws_key *k)
{
	return k->alg;
}

str jws_key_kid(const struct jws_key *k)
{
	return (str){ k->kid, k->n_kid };
}

str jws_key_jwk(const struct jws_key *k)
{
	return k->n_jwk == 0 ? STR_NONE : (str){ k->jwk, k->n_jwk };
}

str jws_key_header(const struct jws_key *k)
{
	return (str){ k->header, k->n_header };
}

str jws_alg_name(enum token_algorithm alg)
{
	switch (alg) {
	case ALG_ES256: return STR("ES256");
	case ALG_RS256: return STR("RS256");
	case ALG_EDDSA: return STR("EdDSA");
	case ALG_HS256: return STR("HS256");
	case ALG_UNSET: break;
	}
	return STR_NONE;
}

enum token_algorithm jws_alg_find(str name)
{
	static const enum token_algorithm all[] = { ALG_ES256, ALG_RS256, ALG_EDDSA, ALG_HS256 };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (str_eq(jws_alg_name(all[i]), name))
			return all[i];
	}
	return ALG_UNSET;
}

/* --- names of a key: thumbprint, JWK, header ------------------------------------------------- */

/* The public members, in the two orders that are needed: the thumbprint's canonical one, and the
 * tail of the JWK after "kid". */
struct public_text {
	struct buf thumb, tail;
	char thumb_room[2048], tail_room[2048];
};

/* A big number of the key as base64url; n > 0 asks for that many bytes (RFC 7518 §6.2.1.2). */
static err_t number_text(const EVP_PKEY *pkey, const char *param, int n, struct buf *out)
{
	CLEANUP(bn_free) BIGNUM *bn = NULL;
	uint8_t bytes[RSA_MAX_BYTES];

	REQUIRE(EVP_PKEY_get_bn_param(pkey, param, &bn) == 1, ERR_CRYPTO);
	if (n == 0)
		n = BN_num_bytes(bn);
	REQUIRE(n <= RSA_MAX_BYTES && BN_bn2binpad(bn, bytes, n) == n, ERR_CRYPTO);
	base64url_encode(out, str_of_bytes(bytes, (size_t)n));
	return OK;
}

static err_t ec_text(const EVP_PKEY *pkey, struct public_text *t)
{
	char room_x[BASE64URL_LEN(P256_BYTES)], room_y[BASE64URL_LEN(P256_BYTES)];
	struct buf x = BUF_OF(room_x), y = BUF_OF(room_y);

	TRY(number_text(pkey, OSSL_PKEY_PARAM_EC_PUB_X, P256_BYTES, &x));
	TRY(number_text(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, P256_BYTES, &y));
	buf_printf(&t->thumb, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%.*s\",\"y\":\"%.*s\"}",
		   STR_ARG(buf_view(&x)), STR_ARG(buf_view(&y)));
	buf_printf(&t->tail, "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%.*s\",\"y\":\"%.*s\"",
		   STR_ARG(buf_view(&x)), STR_ARG(buf_view(&y)));
	return OK;
}

static err_t rsa_text(const EVP_PKEY *pkey, struct public_text *t)
{
	char room_n[BASE64URL_LEN(RSA_MAX_BYTES)], room_e[BASE64URL_LEN(RSA_MAX_BYTES)];
	struct buf n = BUF_OF(room_n), e = BUF_OF(room_e);

	TRY(number_text(pkey, OSSL_PKEY_PARAM_RSA_N, 0, &n));
	TRY(number_text(pkey, OSSL_PKEY_PARAM_RSA_E, 0, &e));
	buf_printf(&t->thumb, "{\"e\":\"%.*s\",\"kty\":\"RSA\",\"n\":\"%.*s\"}",
		   STR_ARG(buf_view(&e)), STR_ARG(buf_view(&n)));
	buf_printf(&t->tail, "\"kty\":\"RSA\",\"e\":\"%.*s\",\"n\":\"%.*s\"", STR_ARG(buf_view(&e)),
		   STR_ARG(buf_view(&n)));
	return OK;
}

static err_t ed_text(const EVP_PKEY *pkey, struct public_text *t)
{
	uint8_t point[ED25519_BYTES];
	size_t n = sizeof(point);
	char room[BASE64URL_LEN(ED25519_BYTES)];
	struct buf x = BUF_OF(room);

	REQUIRE(EVP_PKEY_get_raw_public_key(pkey, point, &n) == 1, ERR_CRYPTO);
	base64url_encode(&x, str_of_bytes(point, n));
	buf_printf(&t->thumb, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"%.*s\"}",
		   STR_ARG(buf_view(&x)));
	buf_printf(&t->tail, "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%.*s\"",
		   STR_ARG(buf_view(&x)));
	return OK;
}

/* A thumbprint of the secret itself could be searched for when the secret is weak; one of a key
 * derived from it is as good a name. There is no JWK: `tail` stays empty. */
static void hs_text(const struct jws_key *k, struct public_text *t)
{
	uint8_t derived[KEY_BYTES];
	WIPED_ARRAY(uint8_t, copy, HS256_MAX_BYTES);
	char room[BASE64URL_LEN(KEY_BYTES)];
	struct buf text = BUF_OF(room);

	memcpy(copy, k->mac, k->n_mac);
	mac_hkdf(STR(""), (struct secret){ copy, k->n_mac }, STR("sallyport/v1/kid"), derived,
		 sizeof(derived));
	base64url_encode(&text, str_of_bytes(derived, sizeof(derived)));
	buf_printf(&t->thumb, "{\"k\":\"%.*s\",\"kty\":\"oct\"}", STR_ARG(buf_view(&text)));
}

static err_t public_text(const struct jws_key *k, struct public_text *t)
{
	t->thumb = BUF_OF(t->thumb_room);
	t->tail = BUF_OF(t->tail_room);
	switch (k->alg) {
	case ALG_ES256: return ec_text(k->pkey, t);
	case ALG_RS256: return rsa_text(k->pkey, t);
	case ALG_EDDSA: return ed_text(k->pkey, t);
	case ALG_HS256: hs_text(k, t); return OK;
	case ALG_UNSET: break;
	}
	FAIL(ERR_BUG);
}

/* RFC 7638 §3: the SHA-256 of the required members in lexical order without blanks. */
static void set_kid(struct jws_key *k, str thumb)
{
	struct buf out = BUF_OF(k->kid);
	uint8_t digest[SHA256_BYTES];

	sha256(thumb, digest);
	base64url_encode(&out, str_of_bytes(digest, sizeof(digest)));
	k->n_kid = out.n;
}

static err_t set_texts(struct jws_key *k)
{
	struct public_text t;
	struct buf jwk = BUF_OF(k->jwk), header = BUF_OF(k->header);
	char room[160];
	struct buf plain = BUF_OF(room);

	TRY(public_text(k, &t));
	set_kid(k, buf_view(&t.thumb));
	if (t.tail.n > 0) {
		buf_printf(&jwk, "{%.*s,\"use\":\"sig\",\"alg\":\"%.*s\",\"kid\":\"%.*s\"}",
			   STR_ARG(buf_view(&t.tail)), STR_ARG(jws_alg_name(k->alg)),
			   STR_ARG(jws_key_kid(k)));
	}
	/* RFC 9068 §2.1: the type that keeps an access token apart from every other JWT */
	buf_printf(&plain, "{\"alg\":\"%.*s\",\"typ\":\"at+jwt\",\"kid\":\"%.*s\"}",
		   STR_ARG(jws_alg_name(k->alg)), STR_ARG(jws_key_kid(k)));
	base64url_encode(&header, buf_view(&plain));
	REQUIRE(!t.thumb.overflow && !t.tail.overflow && !jwk.overflow && !plain.overflow &&
			!header.overflow,
		ERR_BUG);
	k->n_jwk = jwk.n;
	k->n_header = header.n;
	return OK;
}

/* --- making keys ------------------------------------------------------------------------------ */

static err_t prepare_contexts(struct jws_key *k)
{
	/* Ed25519 hashes for itself; for the others the digest is part of the algorithm's name */
	const char *md = k->alg == ALG_EDDSA ? NULL : "SHA256";

	k->sign = EVP_MD_CTX_new();
	k->check = EVP_MD_CTX_new();
	REQUIRE(k->sign != NULL && k->check != NULL, ERR_NO_MEMORY);
	REQUIRE(EVP_DigestSignInit_ex(k->sign, NULL, md, NULL, NULL, k->pkey, NULL) == 1, ERR_CRYPTO);
	REQUIRE(EVP_DigestVerifyInit_ex(k->check, NULL, md, NULL, NULL, k->pkey, NULL) == 1,
		ERR_CRYPTO);
	return OK;
}

/* Takes over *pkey (NULL for HS256, whose bytes come in `mac`). */
static err_t key_fill(struct jws_key *k, EVP_PKEY **pkey, str mac)
{
	if (pkey != NULL) {
		k->pkey = *pkey;
		*pkey = NULL;
		TRY(prepare_contexts(k));
	} else {
		memcpy(k->mac, mac.p, mac.n);
		k->n_mac = mac.n;
	}
	return set_texts(k);
}

static err_t key_make(enum token_algorithm alg, EVP_PKEY **pkey, str mac, struct jws_key **ret)
{
	struct jws_key *k = calloc(1, sizeof(*k));
	err_t e;

	REQUIRE(k != NULL, ERR_NO_MEMORY);
	k->alg = alg;
	e = key_fill(k, pkey, mac);
	if (e.code == ERR_OK)
		*ret = k;
	else
		jws_key_free(k);
	return e;
}

err_t jws_key_generate(enum token_algorithm alg, struct rng rng, struct jws_key **ret)
{
	CLEANUP(pkey_free) EVP_PKEY *pkey = NULL;
	WIPED_ARRAY(uint8_t, mac, HS256_MIN_BYTES);
	err_t e;

	if (alg == ALG_HS256) {
		TRY(rng_fill(rng, mac, sizeof(mac)));
		e = key_make(alg, NULL, str_of_bytes(mac, sizeof(mac)), ret);
		return e;
	}
	pkey = pkey_generate(alg);
	REQUIRE(pkey != NULL, ERR_CRYPTO);
	return key_make(alg, &pkey, STR(""), ret);
}

/* --- as text ---------------------------------------------------------------------------------- */

static err_t parse_pem(enum token_algorithm alg, str text, struct jws_key **ret)
{
	CLEANUP(pkey_free) EVP_PKEY *pkey = NULL;

	TRY(pkey_of_pem(alg, text, &pkey));
	return key_make(alg, &pkey, STR(""), ret);
}

static err_t parse_hs(str text, struct jws_key **ret)
{
	WIPED_ARRAY(uint8_t, mac, HS256_MAX_BYTES);
	size_t n = 0;
	err_t e = { ERR_INPUT };

	if (str_ends(text, STR("\n")))
		text.n--;
	if (base64url_decode(text, mac, sizeof(mac), &n) && n >= HS256_MIN_BYTES &&
	    !mac_key_is_guessable(mac, n))
		e = key_make(ALG_HS256, NULL, str_of_bytes(mac, n), ret);
	return e;
}

err_t jws_key_parse(enum token_algorithm alg, str text, struct jws_key **ret)
{
	switch (alg) {
	case ALG_HS256: return parse_hs(text, ret);
	case ALG_ES256:
	case ALG_RS256:
	case ALG_EDDSA: return parse_pem(alg, text, ret);
	case ALG_UNSET: break;
	}
	FAIL(ERR_INPUT);
}

static err_t copy_secret(struct arena *mem, const void *p, size_t n, struct secret *ret)
{
	uint8_t *copy;

	NEW(copy, mem, uint8_t, n + 1);
	memcpy(copy, p, n);
	*ret = (struct secret){ copy, n };
	return OK;
}

static err_t format_hs(const struct jws_key *k, struct arena *mem, struct secret *ret)
{
	WIPED_ARRAY(char, room, BASE64URL_LEN(HS256_MAX_BYTES) + 1);
	struct buf out = BUF_OF(room);
	err_t e;

	base64url_encode(&out, str_of_bytes(k->mac, k->n_mac));
	buf_byte(&out, '\n');
	e = copy_secret(mem, out.p, out.n, ret);
	return e;
}

err_t jws_key_format(const struct jws_key *k, struct arena *mem, struct secret *ret)
{
	return k->alg == ALG_HS256 ? format_hs(k, mem, ret) : pkey_to_pem(k->pkey, mem, ret);
}

/* --- signatures ------------------------------------------------------------------------------- */

/* RFC 7518 §3.4: r and s as 32 bytes each, where OpenSSL speaks DER. */
static err_t ecdsa_to_raw(const uint8_t *der, size_t n, uint8_t *ret)
{
	CLEANUP(ecdsa_sig_free) ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);

	REQUIRE(sig != NULL, ERR_CRYPTO);
	REQUIRE(BN_bn2binpad(ECDSA_SIG_get0_r(sig), ret, P256_BYTES) == P256_BYTES, ERR_CRYPTO);
	REQUIRE(BN_bn2binpad(ECDSA_SIG_get0_s(sig), ret + P256_BYTES, P256_BYTES) == P256_BYTES,
		ERR_CRYPTO);
	return OK;
}

static err_t pkey_sign(const struct jws_key *k, str input, uint8_t *ret, size_t *ret_n)
{
	CLEANUP(md_ctx_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = JWS_SIGNATURE_MAX;

	REQUIRE(ctx != NULL, ERR_NO_MEMORY);
	REQUIRE(EVP_MD_CTX_copy_ex(ctx, k->sign) == 1, ERR_CRYPTO);
	REQUIRE(EVP_DigestSign(ctx, ret, &n, (const uint8_t *)input.p, input.n) == 1, ERR_CRYPTO);
	*ret_n = n;
	return OK;
}

static bool pkey_check(const struct jws_key *k, str input, const uint8_t *sig, size_t n)
{
	CLEANUP(md_ctx_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	return ctx != NULL && EVP_MD_CTX_copy_ex(ctx, k->check) == 1 &&
	       EVP_DigestVerify(ctx, sig, n, (const uint8_t *)input.p, input.n) == 1;
}

static err_t es256_sign(const struct jws_key *k, str input, uint8_t *ret, size_t *ret_n)
{
	uint8_t der[JWS_SIGNATURE_MAX];
	size_t n = 0;

	TRY(pkey_sign(k, input, der, &n));
	TRY(ecdsa_to_raw(der, n, ret));
	*ret_n = P256_SIGNATURE;
	return OK;
}

static bool es256_check(const struct jws_key *k, str input, str sig)
{
	uint8_t der[ECDSA_DER_MAX];
	size_t n;

	return sig.n == P256_SIGNATURE && ecdsa_to_der(sig, der, &n) &&
	       pkey_check(k, input, der, n);
}

static void hs256_tag(const struct jws_key *k, str input, uint8_t ret[MAC_BYTES])
{
	crypto_auth_hmacsha256_state st;

	(void)crypto_auth_hmacsha256_init(&st, k->mac, k->n_mac);
	(void)crypto_auth_hmacsha256_update(&st, (const uint8_t *)input.p, input.n);
	(void)crypto_auth_hmacsha256_final(&st, ret);
	explicit_bzero(&st, sizeof(st));
}

static bool hs256_check(const struct jws_key *k, str input, str sig)
{
	WIPED_ARRAY(uint8_t, tag, MAC_BYTES);

	if (sig.n != sizeof(tag))
		return false;
	hs256_tag(k, input, tag);
	return secret_equal_bytes(tag, sig.p, sizeof(tag));
}

err_t jws_key_sign(const struct jws_key *k, str input, uint8_t ret[JWS_SIGNATURE_MAX],
		   size_t *ret_n)
{
	switch (k->alg) {
	case ALG_ES256: return es256_sign(k, input, ret, ret_n);
	case ALG_RS256:
	case ALG_EDDSA: return pkey_sign(k, input, ret, ret_n);
	case ALG_HS256:
		hs256_tag(k, input, ret);
		*ret_n = MAC_BYTES;
		return OK;
	case ALG_UNSET: break;
	}
	FAIL(ERR_BUG);
}

bool jws_key_check(const struct jws_key *k, str input, str sig)
{
	switch (k->alg) {
	case ALG_ES256: return es256_check(k, input, sig);
	case ALG_RS256: return pkey_check(k, input, (const uint8_t *)sig.p, sig.n);
	case ALG_EDDSA:
		return sig.n == ED25519_SIGNATURE &&
		       pkey_check(k, input, (const uint8_t *)sig.p, sig.n);
	case ALG_HS256: return hs256_check(k, input, sig);
	case ALG_UNSET: break;
	}
	return false;
}
