#include "crypto/jwks.h"

#include <jansson.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "base/json_depth.h"
#include "crypto/pkey.h"

#define KEY_ID_MAX 256

struct foreign_key {
	EVP_PKEY *key;
	enum key_kind kind;
	const struct jwa *named; /* the only algorithm it is for; NULL: any of its kind */
	char kid[KEY_ID_MAX];
	size_t n_kid; /* 0: it has none */
};

struct jwks {
	atomic_int holders;
	size_t n;
	struct foreign_key keys[JWKS_KEYS_MAX];
};

static void tree_free(json_t **t)
{
	json_decref(*t);
}

#define TREE_FREED __attribute__((cleanup(tree_free)))

static str text_of(const json_t *object, const char *name)
{
	const json_t *v = json_object_get(object, name);

	return json_is_string(v) ? (str){ json_string_value(v), json_string_length(v) } : STR_NONE;
}

static err_t decode_bytes(struct arena *mem, str text, str *ret)
{
	char *bytes;
	size_t n = 0;

	NEW(bytes, mem, char, text.n + 1);
	REQUIRE(text.n > 0 && base64url_decode(text, bytes, text.n, &n), ERR_INPUT);
	*ret = (str){ bytes, n };
	return OK;
}

static err_t parse_object(struct arena *mem, str text, json_t **ret)
{
	REQUIRE(text.n > 0 && !json_nests_too_deep(text) && !json_holds_too_much(text), ERR_INPUT);
	*ret = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	REQUIRE(!mem->exhausted, ERR_NO_MEMORY); /* a tree made in want of memory may be cut */
	REQUIRE(json_is_object(*ret), ERR_INPUT);
	return OK;
}

/* ---- keys ---- */

/* For signing, and for an algorithm that is taken, if it says. */
static bool is_for_signing(const json_t *jwk, enum key_kind kind, const struct jwa **ret_named)
{
	str use = text_of(jwk, "use"), named = text_of(jwk, "alg");

	*ret_named = jwa_find(named);
	return (use.p == NULL || str_eq(use, STR("sig"))) &&
	       (named.p == NULL || (*ret_named != NULL && (*ret_named)->kind == kind));
}

static err_t number_of(struct arena *mem, const json_t *jwk, const char *name, str *ret)
{
	str text = text_of(jwk, name);

	return text.p == NULL ? OK : decode_bytes(mem, text, ret);
}

static err_t key_of(struct arena *mem, const json_t *jwk, struct foreign_key *ret)
{
	str kid = text_of(jwk, "kid");
	struct jwk_numbers numbers = { 0 };

	ret->kind = jwa_kind_of(text_of(jwk, "kty"), text_of(jwk, "crv"));
	REQUIRE(ret->kind != KEY_KIND_UNSET && is_for_signing(jwk, ret->kind, &ret->named) && kid.n <= KEY_ID_MAX,
		ERR_INPUT);
	TRY(number_of(mem, jwk, "n", &numbers.n));
	TRY(number_of(mem, jwk, "e", &numbers.e));
	TRY(number_of(mem, jwk, "x", &numbers.x));
	TRY(number_of(mem, jwk, "y", &numbers.y));
	TRY(pkey_of_numbers(ret->kind, &numbers, &ret->key));
	if (kid.n > 0)
		memcpy(ret->kid, kid.p, kid.n);
	ret->n_kid = kid.n;
	return OK;
}

static err_t take_keys(struct arena *mem, const json_t *list, struct jwks *k)
{
	size_t n = json_array_size(list);

	for (size_t i = 0; i < n && k->n < JWKS_KEYS_MAX; i++) {
		err_t e = key_of(mem, json_array_get(list, i), &k->keys[k->n]);

		if (e.code == ERR_OK)
			k->n++;
		else if (e.code != ERR_INPUT)
			return e;
	}
	return OK;
}

err_t jwks_parse(struct arena *mem, str json, struct jwks **ret)
{
	TREE_FREED json_t *tree = NULL;
	struct jwks *k;
	err_t e;

	TRY(parse_object(mem, json, &tree));
	k = calloc(1, sizeof(*k));
	REQUIRE(k != NULL, ERR_NO_MEMORY);
	atomic_init(&k->holders, 1);
	e = take_keys(mem, json_object_get(tree, "keys"), k);
	if (e.code == ERR_OK && k->n == 0)
		e = err_raise(ERR_INPUT, __FILE__, __LINE__);
	if (e.code != ERR_OK) {
		jwks_release(k);
		return e;
	}
	*ret = k;
	return OK;
}

struct jwks *jwks_hold(struct jwks *k)
{
	atomic_fetch_add(&k->holders, 1);
	return k;
}

void jwks_release(struct jwks *k)
{
	if (k == NULL || atomic_fetch_sub(&k->holders, 1) != 1)
		return;
	for (size_t i = 0; i < k->n; i++)
		EVP_PKEY_free(k->keys[i].key);
	free(k);
}

size_t jwks_n(const struct jwks *k)
{
	return k->n;
}

/* ---- tokens ---- */

struct parts {
	str header, claims, signature;
};

static bool split(str token, struct parts *ret)
{
	str rest;

	return str_cut(token, '.', &ret->header, &rest) && str_cut(rest, '.', &ret->claims, &ret->signature);
}

static str signed_part(str token, const struct parts *p)
{
	return (str){ token.p, p->header.n + 1 + p->claims.n };
}

str jwks_signed_part(str token)
{
	struct parts p;

	return split(token, &p) ? signed_part(token, &p) : token;
}

/* By its id; a token without one must leave no choice. NULL: unknown. */
static const struct foreign_key *choose(const struct jwks *k, const struct jwa *alg, str kid)
{
	const struct foreign_key *found = NULL;

	for (size_t i = 0; i < k->n; i++) {
		const struct foreign_key *f = &k->keys[i];

		if (!jwa_takes(alg, f->kind, f->named) || (kid.n > 0 && !str_eq((str){ f->kid, f->n_kid }, kid)))
			continue;
		if (found != NULL)
			return NULL;
		found = f;
	}
	return found;
}

static err_t read_header(struct arena *mem, str part, struct verified *ret, str *ret_kid)
{
	TREE_FREED json_t *header = NULL;
	str text = STR_NONE;

	ret->failed = "header";
	TRY(decode_bytes(mem, part, &text));
	TRY(parse_object(mem, text, &header));
	REQUIRE(json_object_get(header, "crit") == NULL && json_object_get(header, "b64") == NULL, ERR_INPUT);
	TRY(arena_copy(mem, text_of(header, "alg"), &ret->alg_said));
	ret->failed = "alg";
	ret->alg = jwa_find(ret->alg_said);
	REQUIRE(ret->alg != NULL, ERR_INPUT);
	return arena_copy(mem, text_of(header, "kid"), ret_kid);
}

err_t jwks_verify(const struct jwks *k, struct arena *mem, str token, struct verified *ret)
{
	const struct foreign_key *f;
	str bytes = STR_NONE, kid = STR_NONE;
	struct parts p;

	*ret = (struct verified){ .failed = "form" };
	REQUIRE(token.n <= ID_TOKEN_MAX && split(token, &p), ERR_INPUT);
	TRY(read_header(mem, p.header, ret, &kid));
	ret->failed = "kid";
	f = choose(k, ret->alg, kid);
	REQUIRE(f != NULL, ERR_NOT_FOUND);
	ret->failed = "signature";
	TRY(decode_bytes(mem, p.signature, &bytes));
	REQUIRE(jwa_check(ret->alg, f->key, signed_part(token, &p), bytes), ERR_NOT_FOUND);
	ret->failed = NULL;
	return decode_bytes(mem, p.claims, &ret->claims);
}
