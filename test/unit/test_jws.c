/* Access tokens: what is accepted, and the catalogue of what must not be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <sodium.h>

#include "base/base64url.h"
#include "crypto/jws.h"
#include "crypto/jws_key.h"
#include "crypto/mac.h"
#include "jws_vectors.h"

#define NOW_S	   1700000000
#define MANY_BYTES ((size_t)512 * 1024)
#define ISSUER	   "https://auth.test"
#define TIMES	   "\"iat\":1700000000,\"exp\":1700000900,"
#define WHO	   "\"sub\":\"u1\",\"sid\":\"s1\",\"jti\":\"j1\","
#define FROM	   "\"iss\":\"" ISSUER "\",\"aud\":\"" ISSUER "\","
#define USE	   "\"token_use\":\"access\""
#define CLAIMS	   "{" FROM WHO TIMES USE "}"

/* One key of each kind, known by its thumbprint; rfc is the RSA key of the forgeries made
 * elsewhere. */
static struct arena mem;
static struct jws_key *es, *rs, *ed, *hs, *rfc;

static const struct jws_key *find(const void *self, str kid)
{
	const struct jws_key *all[] = { es, rs, ed, hs, rfc };

	(void)self;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (str_eq(jws_key_kid(all[i]), kid))
			return all[i];
	}
	return NULL;
}

static const struct jwt_expect expect = { .iss = { ISSUER, sizeof(ISSUER) - 1 },
					  .aud = { ISSUER, sizeof(ISSUER) - 1 },
					  .now_s = NOW_S + 10,
					  .leeway_s = 60 };

static enum err_code verdict_with(const struct jwt_expect *e, str token, struct jwt_claims *ret)
{
	return jws_verify(find, NULL, &mem, token, e, ret).code;
}

static enum err_code verdict(str token)
{
	struct jwt_claims c;

	return verdict_with(&expect, token, &c);
}

static str encode(str bytes)
{
	struct buf out = { .cap = BASE64URL_LEN(bytes.n) + 1 };

	out.p = arena_new(&mem, char, out.cap);
	assert_non_null(out.p);
	base64url_encode(&out, bytes);
	assert_false(out.overflow);
	return buf_view(&out);
}

static str decode(const char *text)
{
	size_t max = strlen(text), n = 0;
	char *p = arena_new(&mem, char, max + 1);

	assert_non_null(p);
	assert_true(base64url_decode(str_of_cstr(text), p, max, &n));
	return (str){ p, n };
}

static str glue(str a, char dot, str b)
{
	str ret;

	assert_int_equal(arena_printf(&mem, &ret, "%.*s%c%.*s", STR_ARG(a), dot, STR_ARG(b)).code,
			 ERR_OK);
	return ret;
}

static str printed(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static str printed(const char *fmt, ...)
{
	char text[9000];
	va_list ap;
	int n;
	str ret;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	assert_true(n >= 0 && (size_t)n < sizeof(text));
	assert_int_equal(arena_copy(&mem, str_of_bytes(text, (size_t)n), &ret).code, ERR_OK);
	return ret;
}

/* Any header and any claims, properly signed with k. */
static str token_of(const struct jws_key *k, str header, str claims)
{
	str input = glue(encode(header), '.', encode(claims));
	uint8_t sig[JWS_SIGNATURE_MAX];
	size_t n;

	assert_int_equal(jws_key_sign(k, input, sig, &n).code, ERR_OK);
	return glue(input, '.', encode(str_of_bytes(sig, n)));
}

static str header_of(const struct jws_key *k, const char *alg)
{
	return printed("{\"alg\":\"%s\",\"typ\":\"at+jwt\",\"kid\":\"%.*s\"}", alg,
		       STR_ARG(jws_key_kid(k)));
}

static str good_header(void)
{
	return header_of(es, "ES256");
}

static void assert_header_refused(str header)
{
	if (verdict(token_of(es, header, STR(CLAIMS))) != ERR_ACCESS_TOKEN)
		fail_msg("accepted: %.*s", STR_ARG(header));
}

static void assert_claims_refused(const char *claims)
{
	if (verdict(token_of(es, good_header(), str_of_cstr(claims))) != ERR_ACCESS_TOKEN)
		fail_msg("accepted: %s", claims);
}

static void assert_claims_accepted(const char *claims)
{
	if (verdict(token_of(es, good_header(), str_of_cstr(claims))) != ERR_OK)
		fail_msg("refused: %s", claims);
}

static str good_token(const struct jws_key *k)
{
	str token;

	assert_int_equal(jws_sign(k, &mem, STR(CLAIMS), &token).code, ERR_OK);
	return token;
}

/* ---- published examples ---- */

static struct jws_key *parsed(enum token_algorithm alg, const char *text)
{
	struct jws_key *k = NULL;

	assert_int_equal(jws_key_parse(alg, str_of_cstr(text), &k).code, ERR_OK);
	return k;
}

static void assert_example(enum token_algorithm alg, const char *key, const char *input,
			   const char *signature, bool repeats)
{
	struct jws_key *k = parsed(alg, key);
	str sig = decode(signature);
	uint8_t made[JWS_SIGNATURE_MAX];
	size_t n;

	assert_true(jws_key_check(k, str_of_cstr(input), sig));
	assert_false(jws_key_check(k, str_skip(str_of_cstr(input), 1), sig));
	assert_int_equal(jws_key_sign(k, str_of_cstr(input), made, &n).code, ERR_OK);
	assert_int_equal(n, sig.n);
	assert_int_equal(memcmp(made, sig.p, n) == 0, repeats);
	assert_true(jws_key_check(k, str_of_cstr(input), str_of_bytes(made, n)));
	jws_key_free(k);
}

static void signatures_are_those_of_rfc_7515_and_rfc_8037(void **state)
{
	(void)state;
	assert_example(ALG_HS256, rfc7515_a1_hs256_key, rfc7515_a1_input, rfc7515_a1_signature,
		       true);
	assert_example(ALG_RS256, rfc7515_a2_rs256_pem, rfc7515_a2_input, rfc7515_a2_signature,
		       true);
	assert_example(ALG_ES256, rfc7515_a3_es256_pem, rfc7515_a3_input, rfc7515_a3_signature,
		       false);
	assert_example(ALG_EDDSA, rfc8037_a1_eddsa_pem, rfc8037_a4_input, rfc8037_a4_signature,
		       true);
}

static void the_kid_is_the_thumbprint_of_rfc_7638(void **state)
{
	struct jws_key *k = parsed(ALG_EDDSA, rfc8037_a1_eddsa_pem);

	(void)state;
	assert_true(str_eq(jws_key_kid(rfc), str_of_cstr(rfc7638_31_thumbprint)));
	assert_true(str_eq(jws_key_kid(k), str_of_cstr(rfc8037_a3_thumbprint)));
	jws_key_free(k);
}

static void the_kid_of_a_shared_secret_does_not_give_it_away(void **state)
{
	struct secret text;
	uint8_t digest[SHA256_BYTES];
	str direct;

	(void)state;
	assert_int_equal(jws_key_format(hs, &mem, &text).code, ERR_OK);
	direct = printed("{\"k\":\"%.*s\",\"kty\":\"oct\"}", (int)text.n - 1, (const char *)text.p);
	sha256(direct, digest);
	assert_false(str_eq(jws_key_kid(hs), encode(str_of_bytes(digest, sizeof(digest)))));
	assert_int_equal(jws_key_kid(hs).n, 43);
}

/* ---- keys ---- */

static void a_key_survives_writing_and_reading(void **state)
{
	const struct jws_key *all[] = { es, rs, ed, hs };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct secret text;
		struct jws_key *again;

		assert_int_equal(jws_key_format(all[i], &mem, &text).code, ERR_OK);
		assert_int_equal(jws_key_parse(jws_key_alg(all[i]), secret_str(text), &again).code,
				 ERR_OK);
		assert_true(str_eq(jws_key_kid(all[i]), jws_key_kid(again)));
		assert_true(str_eq(jws_key_jwk(all[i]), jws_key_jwk(again)));
		assert_int_equal(verdict(good_token(again)), ERR_OK);
		jws_key_free(again);
	}
}

static void assert_key_refused(enum token_algorithm alg, const char *text)
{
	struct jws_key *k = NULL;

	if (jws_key_parse(alg, str_of_cstr(text), &k).code != ERR_INPUT)
		fail_msg("accepted for %d: %s", (int)alg, text);
	assert_null(k);
}

static void unsuitable_keys_are_refused(void **state)
{
	(void)state;
	assert_key_refused(ALG_RS256, refused_rsa1024_pem);
	assert_key_refused(ALG_ES256, refused_p384_pem);
	assert_key_refused(ALG_ES256, refused_secp256k1_pem);
	assert_key_refused(ALG_ES256, refused_sec1_pem);
	assert_key_refused(ALG_ES256, refused_encrypted_pem);
	assert_key_refused(ALG_ES256, refused_explicit_pem);
	assert_key_refused(ALG_ES256, refused_mixed_pem);
	assert_key_refused(ALG_ES256, rfc7515_a2_rs256_pem);
	assert_key_refused(ALG_RS256, rfc7515_a3_es256_pem);
	assert_key_refused(ALG_EDDSA, rfc7515_a3_es256_pem);
	assert_key_refused(ALG_ES256, rfc8037_a1_eddsa_pem);
	assert_key_refused(ALG_ES256, "");
	assert_key_refused(ALG_ES256,
			   "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
	assert_key_refused(ALG_UNSET, rfc7515_a3_es256_pem);
}

static void JW14_shared_secrets_below_256_bits_or_without_chance_are_refused(void **state)
{
	(void)state;
	assert_key_refused(ALG_HS256, "");
	assert_key_refused(ALG_HS256, "c2VjcmV0");
	/* 31 bytes; 32 times the same byte; 00 01 02 …; with padding; other alphabet; two lines */
	assert_key_refused(ALG_HS256, "9qZ1eYcwC2b8gT0xk5mHn3dJrLsVtUpQyXaEoIfWzA");
	assert_key_refused(ALG_HS256, "VVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVU");
	assert_key_refused(ALG_HS256, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
	assert_key_refused(ALG_HS256, "9qZ1eYcwC2b8gT0xk5mHn3dJrLsVtUpQyXaEoIfWzAE=");
	assert_key_refused(ALG_HS256, "9qZ1eYcwC2b8gT0xk5mHn3dJrLsVtUpQyXaEoIfWz+E");
	assert_key_refused(ALG_HS256, "9qZ1eYcwC2b8gT0xk5mHn3dJrLsVtUpQyXaEoIfWzAE\n\n");
	assert_key_refused(ALG_HS256, rfc7515_a3_es256_pem);
	jws_key_free(parsed(ALG_HS256, "9qZ1eYcwC2b8gT0xk5mHn3dJrLsVtUpQyXaEoIfWzAE"));
	jws_key_free(parsed(ALG_HS256, "9qZ1eYcwC2b8gT0xk5mHn3dJrLsVtUpQyXaEoIfWzAE\n"));
}

static void assert_text_member(const json_t *o, const char *name, const char *want)
{
	assert_string_equal(json_string_value(json_object_get(o, name)), want);
}

static void JW11_a_jwk_holds_the_public_part_only(void **state)
{
	static const char *private[] = { "d", "p", "q", "dp", "dq", "qi", "oth", "k" };
	const struct jws_key *all[] = { es, rs, ed };
	static const char *alg[] = { "ES256", "RS256", "EdDSA" }, *kty[] = { "EC", "RSA", "OKP" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		str text = jws_key_jwk(all[i]), kid = jws_key_kid(all[i]);
		json_t *jwk = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);

		assert_non_null(jwk);
		assert_text_member(jwk, "alg", alg[i]);
		assert_text_member(jwk, "kty", kty[i]);
		assert_text_member(jwk, "use", "sig");
		assert_true(
			str_eq(str_of_cstr(json_string_value(json_object_get(jwk, "kid"))), kid));
		for (size_t j = 0; j < sizeof(private) / sizeof(private[0]); j++)
			assert_null(json_object_get(jwk, private[j]));
		json_decref(jwk);
	}
	assert_null(jws_key_jwk(hs).p);
}

/* ---- what is accepted ---- */

static void a_token_of_each_algorithm_is_accepted(void **state)
{
	const struct jws_key *all[] = { es, rs, ed, hs, rfc };

	(void)state;
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(verdict(good_token(all[i])), ERR_OK);
}

static void the_claims_come_back_as_they_were_signed(void **state)
{
	struct jwt_claims c;
	str token = token_of(es, good_header(),
			     STR("{" FROM WHO TIMES USE ",\"auth_time\":1699999000,\"gen\":7,"
				 "\"email\":\"a@b.test\",\"extra\":{\"a\":[1.5,null]}}"));

	(void)state;
	assert_int_equal(verdict_with(&expect, token, &c), ERR_OK);
	assert_true(str_eq(c.sub, STR("u1")));
	assert_true(str_eq(c.sid, STR("s1")));
	assert_true(str_eq(c.jti, STR("j1")));
	assert_true(str_eq(c.iss, STR(ISSUER)));
	assert_true(str_eq(c.token_use, STR("access")));
	assert_true(str_eq(c.kid, jws_key_kid(es)));
	assert_int_equal(c.iat_s, NOW_S);
	assert_int_equal(c.exp_s, NOW_S + 900);
	assert_int_equal(c.auth_time_s, 1699999000);
	assert_int_equal(c.gen, 7);
}

static void nothing_is_returned_for_a_refused_token(void **state)
{
	struct jwt_claims c = { .gen = 42 };

	(void)state;
	assert_int_equal(verdict_with(&expect, STR("a.b.c"), &c), ERR_ACCESS_TOKEN);
	assert_int_equal(c.gen, 42);
	assert_null(c.sub.p);
}

/* ---- JW01: the key decides the algorithm ---- */

static void JW01_an_unsigned_token_is_refused(void **state)
{
	static const char *none[] = { "none", "nOnE", "NONE", "None", "" };

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		str head = glue(encode(header_of(es, none[i])), '.', encode(STR(CLAIMS)));

		assert_int_equal(verdict(glue(head, '.', STR(""))), ERR_ACCESS_TOKEN);
		assert_int_equal(verdict(glue(head, '.', STR("AA"))), ERR_ACCESS_TOKEN);
		assert_int_equal(verdict(head), ERR_ACCESS_TOKEN);
		assert_int_equal(verdict(token_of(es, header_of(es, none[i]), STR(CLAIMS))),
				 ERR_ACCESS_TOKEN);
	}
}

/* HS256 under bytes that the verifier's public or private key material might be mistaken for */
static void assert_mac_refused(const struct jws_key *victim, str key)
{
	str input = glue(encode(header_of(victim, "HS256")), '.', encode(STR(CLAIMS)));
	crypto_auth_hmacsha256_state st;
	uint8_t tag[MAC_BYTES];

	(void)crypto_auth_hmacsha256_init(&st, (const uint8_t *)key.p, key.n);
	(void)crypto_auth_hmacsha256_update(&st, (const uint8_t *)input.p, input.n);
	(void)crypto_auth_hmacsha256_final(&st, tag);
	assert_int_equal(verdict(glue(input, '.', encode(str_of_bytes(tag, sizeof(tag))))),
			 ERR_ACCESS_TOKEN);
}

/* The DER inside a PEM. */
static str der_of(str pem)
{
	str body, rest;
	char *bin = arena_new(&mem, char, pem.n);
	size_t n = 0;

	assert_non_null(bin);
	assert_true(str_cut(pem, '\n', &body, &rest));
	assert_true(str_cut(rest, '-', &body, &rest));
	assert_int_equal(sodium_base642bin((uint8_t *)bin, pem.n, body.p, body.n, "\n", &n, NULL,
					   sodium_base64_VARIANT_ORIGINAL),
			 0);
	return (str){ bin, n };
}

static void JW01_a_mac_under_the_text_of_a_key_is_refused(void **state)
{
	const struct jws_key *victims[] = { es, rs, ed };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct secret pem;

		assert_int_equal(jws_key_format(victims[i], &mem, &pem).code, ERR_OK);
		assert_mac_refused(victims[i], secret_str(pem));
		assert_mac_refused(victims[i], str_trim((str){ (const char *)pem.p, pem.n - 1 }));
		assert_mac_refused(victims[i], der_of(secret_str(pem)));
		assert_mac_refused(victims[i], jws_key_jwk(victims[i]));
		assert_mac_refused(victims[i], jws_key_kid(victims[i]));
		assert_mac_refused(victims[i], STR(""));
		assert_mac_refused(victims[i], STR("\0"));
	}
}

static void JW01_another_algorithm_than_the_keys_is_refused(void **state)
{
	static const char *algs[] = { "ES256", "RS256",	 "EdDSA",   "HS256", "ES384", "ES512",
				      "RS384", "RS512",	 "PS256",   "PS384", "HS384", "HS512",
				      "es256", "ES256 ", "Ed25519", "ES256K" };
	const struct jws_key *all[] = { es, rs, ed, hs };

	(void)state;
	for (size_t k = 0; k < 4; k++) {
		for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
			bool own = str_eq(jws_alg_name(jws_key_alg(all[k])), str_of_cstr(algs[i]));

			assert_int_equal(
				verdict(token_of(all[k], header_of(all[k], algs[i]), STR(CLAIMS))),
				own ? ERR_OK : ERR_ACCESS_TOKEN);
		}
	}
}

static void JW01_the_other_rsa_padding_is_refused(void **state)
{
	(void)state;
	assert_int_equal(verdict(token_of(rfc, header_of(rfc, "RS256"), STR(CLAIMS))), ERR_OK);
	assert_int_equal(verdict(str_of_cstr(forged_ps256)), ERR_ACCESS_TOKEN);
	assert_int_equal(verdict(str_of_cstr(forged_rs256_with_pss)), ERR_ACCESS_TOKEN);
	assert_int_equal(verdict(token_of(rfc, header_of(rfc, "PS256"), STR(CLAIMS))),
			 ERR_ACCESS_TOKEN);
}

static void JW01_signatures_of_zeros_and_beyond_the_order_are_refused(void **state)
{
	/* the order of P-256, and what lies around it */
	static const char *numbers[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000001",
		"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550",
		"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
		"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632552",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	};
	str input = glue(encode(good_header()), '.', encode(STR(CLAIMS)));
	uint8_t sig[64];

	(void)state;
	for (size_t r = 0; r < 6; r++) {
		for (size_t s = 0; s < 6; s++) {
			(void)sodium_hex2bin(sig, 32, numbers[r], 64, NULL, NULL, NULL);
			(void)sodium_hex2bin(sig + 32, 32, numbers[s], 64, NULL, NULL, NULL);
			assert_int_equal(verdict(glue(input, '.', encode(str_of_bytes(sig, 64)))),
					 ERR_ACCESS_TOKEN);
		}
	}
}

static void JW01_a_good_signature_in_another_form_is_refused(void **state)
{
	const struct jws_key *all[] = { es, ed, hs, rs };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		str input = glue(encode(header_of(all[i], jws_alg_name(jws_key_alg(all[i])).p)),
				 '.', encode(STR(CLAIMS)));
		uint8_t sig[JWS_SIGNATURE_MAX + 1];
		size_t n;

		assert_int_equal(jws_key_sign(all[i], input, sig, &n).code, ERR_OK);
		sig[n] = 0;
		assert_int_equal(verdict(glue(input, '.', encode(str_of_bytes(sig, n)))), ERR_OK);
		assert_int_equal(verdict(glue(input, '.', encode(str_of_bytes(sig, n + 1)))),
				 ERR_ACCESS_TOKEN);
		assert_int_equal(verdict(glue(input, '.', encode(str_of_bytes(sig, n - 1)))),
				 ERR_ACCESS_TOKEN);
		sig[0] ^= 1;
		assert_int_equal(verdict(glue(input, '.', encode(str_of_bytes(sig, n)))),
				 ERR_ACCESS_TOKEN);
	}
}

static void JW01_an_unknown_or_missing_kid_is_refused(void **state)
{
	(void)state;
	assert_header_refused(STR("{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}"));
	assert_header_refused(STR("{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"\"}"));
	assert_header_refused(STR("{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"other\"}"));
	assert_header_refused(STR("{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":1}"));
	assert_header_refused(STR("{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":null}"));
	assert_header_refused(
		printed("{\"typ\":\"at+jwt\",\"kid\":\"%.*s\"}", STR_ARG(jws_key_kid(es))));
	assert_header_refused(printed("{\"alg\":[\"ES256\"],\"typ\":\"at+jwt\",\"kid\":\"%.*s\"}",
				      STR_ARG(jws_key_kid(es))));
	/* the other EC key exists, but signed something else */
	assert_int_equal(verdict(token_of(es, header_of(ed, "EdDSA"), STR(CLAIMS))),
			 ERR_ACCESS_TOKEN);
}

/* ---- JW02: header members ---- */

static str header_with(const char *member)
{
	return printed("{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"%.*s\",%s}",
		       STR_ARG(jws_key_kid(es)), member);
}

static void JW02_extensions_that_must_be_understood_are_refused(void **state)
{
	(void)state;
	assert_header_refused(header_with("\"crit\":[\"exp\"],\"exp\":1"));
	assert_header_refused(header_with("\"crit\":[]"));
	assert_header_refused(header_with("\"crit\":null"));
	assert_header_refused(header_with("\"b64\":false,\"crit\":[\"b64\"]"));
	assert_header_refused(header_with("\"b64\":false"));
	assert_header_refused(header_with("\"b64\":true"));
}

static void JW02_keys_and_links_in_the_header_are_ignored(void **state)
{
	struct jws_key *mine = NULL;
	str header;

	(void)state;
	assert_int_equal(jws_key_generate(ALG_ES256, rng_system, &mine).code, ERR_OK);
	header = header_with("\"jku\":\"https://evil.test/keys\",\"x5u\":\"https://evil.test/x\","
			     "\"x5c\":[\"AAAA\"],\"x5t\":\"AAAA\",\"cty\":\"JWT\"");
	assert_int_equal(verdict(token_of(es, header, STR(CLAIMS))), ERR_OK);
	header = printed("{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"%.*s\",\"jwk\":%.*s}",
			 STR_ARG(jws_key_kid(es)), STR_ARG(jws_key_jwk(mine)));
	assert_int_equal(verdict(token_of(es, header, STR(CLAIMS))), ERR_OK);
	assert_int_equal(verdict(token_of(mine, header, STR(CLAIMS))), ERR_ACCESS_TOKEN);
	assert_int_equal(verdict(good_token(mine)), ERR_ACCESS_TOKEN);
	jws_key_free(mine);
}

static void JW02_duplicate_names_are_refused(void **state)
{
	(void)state;
	assert_header_refused(header_with("\"alg\":\"ES256\""));
	assert_header_refused(header_with("\"kid\":\"x\""));
	assert_header_refused(header_with("\"\\u0061lg\":\"none\""));
	assert_claims_refused("{" FROM WHO TIMES USE ",\"sub\":\"admin\"}");
	assert_claims_refused("{" FROM WHO TIMES USE ",\"exp\":1700000900}");
	assert_claims_refused("{" FROM WHO TIMES USE ",\"s\\u0075b\":\"u1\"}");
	assert_claims_refused("{" FROM WHO TIMES USE ",\"x\":{\"a\":1,\"a\":2}}");
}

/* ---- JW04: times ---- */

static void JW04_exp_must_be_a_plain_integer_in_the_future(void **state)
{
	static const char *bad[] = {
		"1e400",
		"\"9999999999\"",
		"-1",
		"1700000900.0",
		"1700000900.5",
		"1.7e9",
		"17e8",
		"null",
		"true",
		"[1700000900]",
		"{}",
		"9007199254740993",
		"9223372036854775807",
		"9223372036854775808",
		"18446744073709551615",
		"1700000010",
		"1700000009",
		"0",
		"-0",
		"01700000900",
		"+1700000900",
		"0x7fffffff",
		"NaN",
		"Infinity",
		"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_claims_refused(
			printed("{" FROM WHO "\"iat\":1700000000,\"exp\":%s," USE "}", bad[i]).p);
	assert_claims_refused("{" FROM WHO "\"iat\":1700000000," USE "}");
	assert_claims_accepted("{" FROM WHO "\"iat\":1700000000,\"exp\":1700000011," USE "}");
	assert_claims_accepted("{" FROM WHO "\"iat\":1700000000,\"exp\":9007199254740992," USE "}");
}

static void JW04_iat_and_nbf_may_be_a_minute_ahead_and_no_more(void **state)
{
	static const char *bad[] = { "1700000071",     "1800000000", "-1",
				     "\"1700000000\"", "1.5",	     "null" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_claims_refused(
			printed("{" FROM WHO "\"iat\":%s,\"exp\":1900000000," USE "}", bad[i]).p);
		assert_claims_refused(printed("{" FROM WHO TIMES "\"nbf\":%s," USE "}", bad[i]).p);
		if (i > 1) {
			assert_claims_refused(
				printed("{" FROM WHO TIMES "\"gen\":%s," USE "}", bad[i]).p);
			assert_claims_refused(
				printed("{" FROM WHO TIMES "\"auth_time\":%s," USE "}", bad[i]).p);
		}
	}
	assert_claims_refused("{" FROM WHO "\"exp\":1700000900," USE "}");
	assert_claims_accepted("{" FROM WHO "\"iat\":1700000070,\"exp\":1700000900," USE "}");
	assert_claims_accepted("{" FROM WHO TIMES "\"nbf\":1700000070," USE "}");
}

static void JW04_no_leeway_beyond_a_minute_and_none_for_exp(void **state)
{
	struct jwt_expect e = expect;
	struct jwt_claims c;
	str ahead = token_of(es, good_header(),
			     STR("{" FROM WHO "\"iat\":1700000071,\"exp\":1700000900," USE "}"));

	(void)state;
	e.leeway_s = 3600;
	assert_int_equal(verdict_with(&e, ahead, &c), ERR_ACCESS_TOKEN);
	e.now_s = NOW_S + 900;
	assert_int_equal(verdict_with(&e, good_token(es), &c), ERR_ACCESS_TOKEN);
	e.now_s = NOW_S + 899;
	assert_int_equal(verdict_with(&e, good_token(es), &c), ERR_OK);
}

static void an_expired_token_still_names_its_session_when_asked(void **state)
{
	struct jwt_expect e = expect;
	struct jwt_claims c;
	str token = good_token(es);

	(void)state;
	e.now_s = NOW_S + 100000;
	e.allow_expired = true;
	assert_int_equal(verdict_with(&e, token, &c), ERR_OK);
	assert_true(str_eq(c.sid, STR("s1")));
	/* but only a genuine one */
	assert_int_equal(verdict_with(&e, (str){ token.p, token.n - 4 }, &c), ERR_ACCESS_TOKEN);
}

/* ---- JW05: who made it, for whom, for what ---- */

static void JW05_another_issuer_audience_type_or_use_is_refused(void **state)
{
	(void)state;
	assert_claims_refused("{\"iss\":\"https://evil.test\",\"aud\":\"" ISSUER "\"," WHO TIMES USE
			      "}");
	assert_claims_refused("{\"iss\":\"" ISSUER "/\",\"aud\":\"" ISSUER "\"," WHO TIMES USE "}");
	assert_claims_refused("{\"iss\":[\"" ISSUER "\"],\"aud\":\"" ISSUER "\"," WHO TIMES USE
			      "}");
	assert_claims_refused("{\"aud\":\"" ISSUER "\"," WHO TIMES USE "}");
	assert_claims_refused("{\"iss\":\"" ISSUER "\"," WHO TIMES USE "}");
	assert_claims_refused("{\"iss\":\"" ISSUER "\",\"aud\":\"other\"," WHO TIMES USE "}");
	assert_claims_refused("{\"iss\":\"" ISSUER "\",\"aud\":[]," WHO TIMES USE "}");
	assert_claims_refused("{\"iss\":\"" ISSUER "\",\"aud\":[\"a\",\"b\"]," WHO TIMES USE "}");
	assert_claims_refused("{\"iss\":\"" ISSUER "\",\"aud\":[\"" ISSUER "\",1]," WHO TIMES USE
			      "}");
	assert_claims_refused("{\"iss\":\"" ISSUER "\",\"aud\":{\"" ISSUER "\":1}," WHO TIMES USE
			      "}");
	assert_claims_accepted("{\"iss\":\"" ISSUER "\",\"aud\":[\"a\",\"" ISSUER
			       "\"]," WHO TIMES USE "}");
	assert_claims_refused("{" FROM WHO TIMES "\"token_use\":\"refresh\"}");
	assert_claims_refused("{" FROM WHO TIMES "\"token_use\":\"2fa\"}");
	assert_claims_refused("{" FROM WHO TIMES "\"token_use\":[\"access\"]}");
	assert_claims_refused("{" FROM WHO TIMES "\"tokenUse\":\"access\"}");
	assert_claims_refused("{" FROM TIMES USE ",\"sid\":\"s1\",\"jti\":\"j1\"}");
	assert_claims_refused("{" FROM TIMES USE ",\"sub\":\"\",\"sid\":\"s1\",\"jti\":\"j1\"}");
	assert_claims_refused("{" FROM TIMES USE ",\"sub\":1,\"sid\":\"s1\",\"jti\":\"j1\"}");
	assert_claims_refused("{" FROM TIMES USE ",\"sub\":\"u1\",\"jti\":\"j1\"}");
	assert_claims_refused("{" FROM TIMES USE ",\"sub\":\"u1\",\"sid\":\"s1\"}");
}

static void JW05_another_kind_of_jwt_is_refused(void **state)
{
	static const char *typ[] = { "\"JWT\"",	    "\"jwt\"",
				     "\"at+JWT\"",  "\"application/at+jwt\"",
				     "\"id+jwt\"",  "\"logout+jwt\"",
				     "\"\"",	    "null",
				     "[\"at+jwt\"]" };

	(void)state;
	for (size_t i = 0; i < sizeof(typ) / sizeof(typ[0]); i++)
		assert_header_refused(printed("{\"alg\":\"ES256\",\"typ\":%s,\"kid\":\"%.*s\"}",
					      typ[i], STR_ARG(jws_key_kid(es))));
	assert_header_refused(
		printed("{\"alg\":\"ES256\",\"kid\":\"%.*s\"}", STR_ARG(jws_key_kid(es))));
}

/* ---- JW06: the text of the token ---- */

static void JW06_only_three_strict_parts_are_a_token(void **state)
{
	str t = good_token(es), head, rest, claims, sig, longer;

	(void)state;
	assert_int_equal(verdict(t), ERR_OK);
	assert_true(str_cut(t, '.', &head, &rest));
	assert_true(str_cut(rest, '.', &claims, &sig));
	assert_int_equal(verdict(STR("")), ERR_ACCESS_TOKEN);
	assert_int_equal(verdict(STR_NONE), ERR_ACCESS_TOKEN);
	assert_int_equal(verdict(STR("..")), ERR_ACCESS_TOKEN);
	assert_int_equal(verdict(STR("...")), ERR_ACCESS_TOKEN);
	assert_int_equal(verdict(glue(head, '.', claims)), ERR_ACCESS_TOKEN);
	assert_int_equal(verdict(printed(".%.*s.%.*s", STR_ARG(claims), STR_ARG(sig))),
			 ERR_ACCESS_TOKEN);
	assert_int_equal(verdict(printed("%.*s..%.*s", STR_ARG(head), STR_ARG(sig))),
			 ERR_ACCESS_TOKEN);
	assert_int_equal(verdict(glue(t, '.', STR(""))), ERR_ACCESS_TOKEN);
	assert_int_equal(verdict(glue(t, '.', sig)), ERR_ACCESS_TOKEN);
	assert_int_equal(verdict(glue(STR(""), '.', t)), ERR_ACCESS_TOKEN);
	assert_int_equal(verdict(glue(t, '=', STR(""))), ERR_ACCESS_TOKEN);
	assert_int_equal(verdict(glue(t, '=', STR("="))), ERR_ACCESS_TOKEN);
	assert_int_equal(verdict(glue(t, ' ', STR(""))), ERR_ACCESS_TOKEN);
	assert_int_equal(verdict(glue(t, '\n', STR(""))), ERR_ACCESS_TOKEN);
	assert_int_equal(verdict(glue(STR(""), ' ', t)), ERR_ACCESS_TOKEN);
	longer = (str){ t.p, t.n + 1 }; /* arena memory: the byte after is a NUL */
	assert_int_equal(verdict(longer), ERR_ACCESS_TOKEN);
}

static void JW06_every_change_of_one_character_is_refused(void **state)
{
	str t = good_token(hs), copy;
	char *p;

	(void)state;
	assert_int_equal(arena_copy(&mem, t, &copy).code, ERR_OK);
	p = arena_new(&mem, char, t.n);
	assert_non_null(p);
	memcpy(p, t.p, t.n);
	for (size_t i = 0; i < t.n; i++) {
		size_t used = mem.used;

		p[i] = p[i] == 'A' ? 'B' : 'A';
		assert_int_equal(verdict((str){ p, t.n }), ERR_ACCESS_TOKEN);
		p[i] = t.p[i];
		mem.used = used;
	}
	assert_int_equal(verdict((str){ p, t.n }), ERR_OK);
}

static void JW06_stray_bits_at_the_end_of_a_part_are_refused(void **state)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	str t = good_token(ed); /* 64 bytes end in two characters, the last with four spare bits */
	char *p = arena_new(&mem, char, t.n);
	size_t at;

	(void)state;
	assert_non_null(p);
	memcpy(p, t.p, t.n);
	at = (size_t)(strchr(alphabet, p[t.n - 1]) - alphabet);
	assert_int_equal(at % 16, 0);
	for (size_t spare = 1; spare < 16; spare++) {
		p[t.n - 1] = alphabet[at + spare];
		assert_int_equal(verdict((str){ p, t.n }), ERR_ACCESS_TOKEN);
	}
}

static void JW06_a_token_over_8_kib_is_refused_before_anything_else(void **state)
{
	str pad = printed("%07600d", 0), fits, over;
	size_t used;

	(void)state;
	fits = token_of(hs, header_of(hs, "HS256"),
			printed("{" FROM WHO TIMES USE ",\"x\":\"%.*s\"}", 5400, pad.p));
	assert_true(fits.n <= JWT_MAX_BYTES);
	assert_int_equal(verdict(fits), ERR_OK);
	over = token_of(hs, header_of(hs, "HS256"),
			printed("{" FROM WHO TIMES USE ",\"x\":\"%.*s\"}", 6400, pad.p));
	assert_true(over.n > JWT_MAX_BYTES);
	used = mem.used;
	assert_int_equal(verdict(over), ERR_ACCESS_TOKEN);
	assert_int_equal(mem.used, used);
}

static void JW06_only_strict_json_objects_are_read(void **state)
{
	static const char *bad[] = { "",
				     "[]",
				     "null",
				     "\"x\"",
				     "1",
				     "{",
				     CLAIMS "x",
				     CLAIMS CLAIMS,
				     "{" FROM WHO TIMES USE ",}",
				     "{'a':1}",
				     "\xEF\xBB\xBF" CLAIMS,
				     "{" FROM WHO TIMES USE ",\"x\":\"\xff\"}",
				     "{" FROM WHO TIMES USE ",\"x\":\"\\ud800\"}",
				     "{" FROM WHO TIMES USE ",\"x\":\"a\\u0000b\"}",
				     "/**/" CLAIMS,
				     "[" CLAIMS "]" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_claims_refused(bad[i]);
		assert_int_equal(verdict(token_of(es, str_of_cstr(bad[i]), STR(CLAIMS))),
				 ERR_ACCESS_TOKEN);
	}
	assert_claims_accepted(" { \"x\" : 1.5 , " FROM WHO TIMES USE "}\n");
}

static void JW06_deep_nesting_is_refused_without_harm(void **state)
{
	char deep[6000];

	(void)state;
	memset(deep, '[', sizeof(deep));
	assert_int_equal(
		verdict(token_of(hs, header_of(hs, "HS256"), str_of_bytes(deep, sizeof(deep)))),
		ERR_ACCESS_TOKEN);
	assert_int_equal(verdict(glue(glue(encode(str_of_bytes(deep, 4000)), '.', STR("e30")), '.',
				      STR("AAAA"))),
			 ERR_ACCESS_TOKEN);
}

/* ---- faults ---- */

static void every_failing_allocation_is_passed_up(void **state)
{
	str token = good_token(es), made;
	struct jwt_claims c;
	size_t n = 0;
	err_t e;

	(void)state;
	do {
		mem.fail_at = ++n;
		e = jws_verify(find, NULL, &mem, token, &expect, &c);
		assert_true(e.code == ERR_OK || e.code == ERR_NO_MEMORY);
	} while (e.code != ERR_OK);
	assert_true(n > 8);
	mem.fail_at = 1;
	assert_int_equal(jws_sign(es, &mem, STR(CLAIMS), &made).code, ERR_NO_MEMORY);
}

static err_t broken_fill(void *self, void *dst, size_t n)
{
	(void)self;
	(void)dst;
	(void)n;
	FAIL(ERR_CRYPTO);
}

static void no_shared_secret_is_made_without_random_bytes(void **state)
{
	const struct rng broken = { broken_fill, NULL };
	struct jws_key *k = NULL;

	(void)state;
	assert_int_equal(jws_key_generate(ALG_HS256, broken, &k).code, ERR_CRYPTO);
	assert_int_equal(jws_key_generate(ALG_UNSET, rng_system, &k).code, ERR_CRYPTO);
	assert_null(k);
	jws_key_free(NULL);
}

static int fresh_memory(void **state)
{
	(void)state;
	arena_reset(&mem);
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	if (crypto_init().code != ERR_OK || arena_init(&mem, MANY_BYTES).code != ERR_OK)
		return -1;
	if (jws_key_generate(ALG_ES256, rng_system, &es).code != ERR_OK ||
	    jws_key_generate(ALG_RS256, rng_system, &rs).code != ERR_OK ||
	    jws_key_generate(ALG_EDDSA, rng_system, &ed).code != ERR_OK ||
	    jws_key_generate(ALG_HS256, rng_system, &hs).code != ERR_OK)
		return -1;
	return jws_key_parse(ALG_RS256, str_of_cstr(rfc7517_a2_rsa_pem), &rfc).code == ERR_OK ? 0
											      : -1;
}

static int tear_down(void **state)
{
	(void)state;
	jws_key_free(es);
	jws_key_free(rs);
	jws_key_free(ed);
	jws_key_free(hs);
	jws_key_free(rfc);
	arena_clear(&mem);
	return 0;
}

/* ---- other types ---- */

static void what_is_signed_as_something_else_is_no_access_token(void **state)
{
	str as, plain;

	(void)state;
	assert_int_equal(jws_sign_as(es, &mem, STR("merge+jwt"), STR(CLAIMS), &as).code, ERR_OK);
	assert_int_equal(verdict(as), ERR_ACCESS_TOKEN);
	assert_int_equal(jws_sign_as(es, &mem, STR("at+jwt"), STR(CLAIMS), &plain).code, ERR_OK);
	assert_int_equal(verdict(plain), ERR_OK); /* the type alone made the difference */
}

#define T(f) cmocka_unit_test_setup(f, fresh_memory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_is_signed_as_something_else_is_no_access_token),
		T(signatures_are_those_of_rfc_7515_and_rfc_8037),
		T(the_kid_is_the_thumbprint_of_rfc_7638),
		T(the_kid_of_a_shared_secret_does_not_give_it_away),
		T(a_key_survives_writing_and_reading),
		T(unsuitable_keys_are_refused),
		T(JW14_shared_secrets_below_256_bits_or_without_chance_are_refused),
		T(JW11_a_jwk_holds_the_public_part_only),
		T(a_token_of_each_algorithm_is_accepted),
		T(the_claims_come_back_as_they_were_signed),
		T(nothing_is_returned_for_a_refused_token),
		T(JW01_an_unsigned_token_is_refused),
		T(JW01_a_mac_under_the_text_of_a_key_is_refused),
		T(JW01_another_algorithm_than_the_keys_is_refused),
		T(JW01_the_other_rsa_padding_is_refused),
		T(JW01_signatures_of_zeros_and_beyond_the_order_are_refused),
		T(JW01_a_good_signature_in_another_form_is_refused),
		T(JW01_an_unknown_or_missing_kid_is_refused),
		T(JW02_extensions_that_must_be_understood_are_refused),
		T(JW02_keys_and_links_in_the_header_are_ignored),
		T(JW02_duplicate_names_are_refused),
		T(JW04_exp_must_be_a_plain_integer_in_the_future),
		T(JW04_iat_and_nbf_may_be_a_minute_ahead_and_no_more),
		T(JW04_no_leeway_beyond_a_minute_and_none_for_exp),
		T(an_expired_token_still_names_its_session_when_asked),
		T(JW05_another_issuer_audience_type_or_use_is_refused),
		T(JW05_another_kind_of_jwt_is_refused),
		T(JW06_only_three_strict_parts_are_a_token),
		T(JW06_every_change_of_one_character_is_refused),
		T(JW06_stray_bits_at_the_end_of_a_part_are_refused),
		T(JW06_a_token_over_8_kib_is_refused_before_anything_else),
		T(JW06_only_strict_json_objects_are_read),
		T(JW06_deep_nesting_is_refused_without_harm),
		T(every_failing_allocation_is_passed_up),
		T(no_shared_secret_is_made_without_random_bytes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
