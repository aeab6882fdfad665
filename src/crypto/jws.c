#include "crypto/jws.h"

#include <jansson.h>
#include <string.h>

#include "base/base64url.h"
#include "base/json_depth.h"
#include "crypto/jws_key.h"

#define NUMBER_MAX   ((json_int_t)1 << 53) /* RFC 8259 §6: what every reader of JSON agrees on */
#define LEEWAY_MAX_S 60

static void tree_free(json_t **t)
{
	json_decref(*t);
}

#define TREE_FREED __attribute__((cleanup(tree_free)))

static err_t draft(struct arena *mem, str header, str claims, struct buf *ret)
{
	struct buf out = { .cap = header.n + 2 + BASE64URL_LEN(claims.n) +
				  BASE64URL_LEN(JWS_SIGNATURE_MAX) };

	REQUIRE(claims.n <= JWT_MAX_BYTES, ERR_BUG);
	NEW(out.p, mem, char, out.cap);
	buf_str(&out, header);
	buf_byte(&out, '.');
	base64url_encode(&out, claims);
	*ret = out;
	return OK;
}

err_t jws_draft(const struct jws_key *k, struct arena *mem, str claims, struct buf *ret)
{
	return draft(mem, jws_key_header(k), claims, ret);
}

err_t jws_finish(const struct jws_key *k, struct buf *b, str *ret)
{
	uint8_t sig[JWS_SIGNATURE_MAX];
	size_t n;

	TRY(jws_key_sign(k, buf_view(b), sig, &n));
	buf_byte(b, '.');
	base64url_encode(b, str_of_bytes(sig, n));
	REQUIRE(!b->overflow && b->n <= JWT_MAX_BYTES, ERR_BUG);
	*ret = buf_view(b);
	return OK;
}

static err_t sign(const struct jws_key *k, struct arena *mem, str header, str claims, str *ret)
{
	struct buf b;

	TRY(draft(mem, header, claims, &b));
	return jws_finish(k, &b, ret);
}

err_t jws_sign(const struct jws_key *k, struct arena *mem, str claims, str *ret)
{
	return sign(k, mem, jws_key_header(k), claims, ret);
}

err_t jws_sign_under(const struct jws_key *k, struct arena *mem, str header, str claims, str *ret)
{
	struct buf b = { .cap = BASE64URL_LEN(header.n) };

	NEW(b.p, mem, char, b.cap);
	base64url_encode(&b, header);
	REQUIRE(!b.overflow, ERR_BUG);
	return sign(k, mem, buf_view(&b), claims, ret);
}

err_t jws_sign_as(const struct jws_key *k, struct arena *mem, str typ, str claims, str *ret)
{
	str plain;

	TRY(arena_printf(mem, &plain, "{\"alg\":\"%.*s\",\"typ\":\"%.*s\",\"kid\":\"%.*s\"}",
			 STR_ARG(jws_alg_name(jws_key_alg(k))), STR_ARG(typ), STR_ARG(jws_key_kid(k))));
	return jws_sign_under(k, mem, plain, claims, ret);
}

/* header.claims.signature, and header.claims as signed */
struct parts {
	str header, claims, signature, input;
};

static bool split(str token, struct parts *ret)
{
	str rest;

	if (token.n > JWT_MAX_BYTES || !str_cut(token, '.', &ret->header, &rest) ||
	    !str_cut(rest, '.', &ret->claims, &ret->signature))
		return false;
	ret->input = (str){ token.p, ret->header.n + 1 + ret->claims.n };
	/* a fourth part would be a '.' inside the signature, which does not decode */
	return ret->header.n > 0 && ret->claims.n > 0 && ret->signature.n > 0;
}

static err_t decode(struct arena *mem, str part, str *ret)
{
	char *bytes;
	size_t n;

	NEW(bytes, mem, char, part.n);
	REQUIRE(base64url_decode(part, bytes, part.n, &n), ERR_ACCESS_TOKEN);
	*ret = (str){ bytes, n };
	return OK;
}

/* One JSON object without duplicate names at any depth. */
static err_t decode_object(struct arena *mem, str part, json_t **ret)
{
	str text = STR_NONE;

	TRY(decode(mem, part, &text));
	/* Anybody can send such a head: what it is said to hold must not cost the request its memory. */
	REQUIRE(!json_nests_too_deep(text) && !json_holds_too_much(text), ERR_ACCESS_TOKEN);
	*ret = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	REQUIRE(json_is_object(*ret), ERR_ACCESS_TOKEN);
	return OK;
}

static str text_of(const json_t *value)
{
	return json_is_string(value) ? (str){ json_string_value(value), json_string_length(value) }
				     : STR_NONE;
}

static bool member_is(const json_t *object, const char *name, str want)
{
	str got = text_of(json_object_get(object, name));

	return got.p != NULL && str_eq(got, want);
}

/* Which key says the header? Only `kid` chooses; `alg` must agree with the key that was chosen (RFC
 * 8725 §3.1), so what the sender writes never selects a verification method. */
static err_t key_of_header(jws_key_lookup lookup, const void *self, const json_t *header,
			   const struct jws_key **ret)
{
	str kid = text_of(json_object_get(header, "kid"));
	const struct jws_key *k;

	/* RFC 7515 §4.1.11: an extension that must be understood is one we do not understand */
	REQUIRE(json_object_get(header, "crit") == NULL && json_object_get(header, "b64") == NULL,
		ERR_ACCESS_TOKEN);
	REQUIRE(member_is(header, "typ", STR("at+jwt")), ERR_ACCESS_TOKEN);
	REQUIRE(kid.n > 0 && kid.n <= KID_MAX, ERR_ACCESS_TOKEN);
	k = lookup(self, kid);
	REQUIRE(k != NULL && member_is(header, "alg", jws_alg_name(jws_key_alg(k))),
		ERR_ACCESS_TOKEN);
	*ret = k;
	return OK;
}

static err_t check_signature(jws_key_lookup lookup, const void *self, struct arena *mem,
			     const struct parts *p, const struct jws_key **ret)
{
	TREE_FREED json_t *header = NULL;
	const struct jws_key *k = NULL;
	str sig = STR_NONE;

	TRY(decode_object(mem, p->header, &header));
	TRY(key_of_header(lookup, self, header, &k));
	TRY(decode(mem, p->signature, &sig));
	REQUIRE(jws_key_check(k, p->input, sig), ERR_ACCESS_TOKEN);
	*ret = k;
	return OK;
}

/* A non-negative integer up to 2^53; reals, strings and negatives are none. An absent member is
 * lawful when it is optional and leaves *ret alone. */
static err_t take_number(const json_t *claims, const char *name, bool required, int64_t *ret)
{
	const json_t *v = json_object_get(claims, name);

	if (v == NULL && !required)
		return OK;
	REQUIRE(json_is_integer(v) && json_integer_value(v) >= 0 &&
			json_integer_value(v) <= NUMBER_MAX,
		ERR_ACCESS_TOKEN);
	*ret = json_integer_value(v);
	return OK;
}

static err_t take_text(const json_t *claims, const char *name, struct arena *mem, str *ret)
{
	str v = text_of(json_object_get(claims, name));

	REQUIRE(v.n > 0, ERR_ACCESS_TOKEN);
	return arena_copy(mem, v, ret);
}

/* RFC 7519 §4.1.3: one audience, or several, all of them strings */
static bool audience_has(const json_t *aud, str want)
{
	bool found = false;

	if (json_is_string(aud))
		return str_eq(text_of(aud), want);
	for (size_t i = 0; i < json_array_size(aud); i++) {
		str item = text_of(json_array_get(aud, i));

		if (item.p == NULL)
			return false;
		found = found || str_eq(item, want);
	}
	return found;
}

static err_t check_times(const json_t *claims, const struct jwt_expect *e, struct jwt_claims *c)
{
	int64_t leeway = e->leeway_s < LEEWAY_MAX_S ? e->leeway_s : LEEWAY_MAX_S;
	int64_t nbf = 0;

	TRY(take_number(claims, "exp", true, &c->exp_s));
	TRY(take_number(claims, "iat", true, &c->iat_s));
	TRY(take_number(claims, "nbf", false, &nbf));
	TRY(take_number(claims, "auth_time", false, &c->auth_time_s));
	TRY(take_number(claims, "gen", false, &c->gen));
	/* RFC 7519 §4.1.4: the current time must be before exp */
	REQUIRE(e->now_s < c->exp_s || e->allow_expired, ERR_ACCESS_TOKEN);
	REQUIRE(c->iat_s <= e->now_s + leeway && nbf <= e->now_s + leeway, ERR_ACCESS_TOKEN);
	return OK;
}

static err_t read_claims(const json_t *claims, struct arena *mem, const struct jwt_expect *e,
			 struct jwt_claims *c)
{
	TRY(take_text(claims, "iss", mem, &c->iss));
	TRY(take_text(claims, "sub", mem, &c->sub));
	TRY(take_text(claims, "sid", mem, &c->sid));
	TRY(take_text(claims, "jti", mem, &c->jti));
	TRY(take_text(claims, "token_use", mem, &c->token_use));
	REQUIRE(str_eq(c->iss, e->iss) && str_eq(c->token_use, STR("access")), ERR_ACCESS_TOKEN);
	REQUIRE(audience_has(json_object_get(claims, "aud"), e->aud), ERR_ACCESS_TOKEN);
	return check_times(claims, e, c);
}

err_t jws_verify(jws_key_lookup lookup, const void *lookup_self, struct arena *mem, str token,
		 const struct jwt_expect *e, struct jwt_claims *ret)
{
	TREE_FREED json_t *claims = NULL;
	const struct jws_key *k = NULL;
	struct jwt_claims c = { 0 };
	struct parts p;

	REQUIRE(split(token, &p), ERR_ACCESS_TOKEN);
	TRY(check_signature(lookup, lookup_self, mem, &p, &k));
	TRY(decode_object(mem, p.claims, &claims)); /* not read before the signature holds */
	TRY(read_claims(claims, mem, e, &c));
	TRY(arena_copy(mem, jws_key_kid(k), &c.kid));
	*ret = c;
	return OK;
}
