#include "oauth/id_token.h"

#include "base/base64url.h"
#include "crypto/mac.h"

#define LEEWAY_S 60
#define NUMBER_MAX ((json_int_t)1 << 53)

/* ---- who says it ---- */

/* "https://…/{tenantid}/v2.0" against the issuer of one of the tenants. */
static bool is_of_tenant(str pattern, str iss, str tenant)
{
	const str mark = STR("{tenantid}");
	size_t at = 0;

	while (at + mark.n <= pattern.n && !str_eq((str){ pattern.p + at, mark.n }, mark))
		at++;
	if (at + mark.n > pattern.n || iss.n != pattern.n - mark.n + tenant.n)
		return false;
	return str_starts(iss, (str){ pattern.p, at }) && str_eq((str){ iss.p + at, tenant.n }, tenant) &&
	       str_eq(str_skip(iss, at + tenant.n), str_skip(pattern, at + mark.n));
}

static bool is_template(str issuer)
{
	return str_has_byte(issuer, '{');
}

static err_t check_issuer(const struct provider *p, const json_t *claims)
{
	str iss = answer_text(claims, "iss"), tid = answer_text(claims, "tid");

	if (!is_template(p->issuer)) {
		REQUIRE(iss.n > 0 && str_eq(iss, p->issuer), ERR_INPUT);
		return OK;
	}
	REQUIRE(tid.n > 0 && str_list_has(&p->set->tenants, tid) && is_of_tenant(p->issuer, iss, tid), ERR_INPUT);
	return OK;
}

/* ---- for whom ---- */

static bool is_client(const struct id_expect *e, str id)
{
	const struct str_list *ids = &e->p->set->client_id;

	if (id.n == 0 || ids->n == 0)
		return false;
	return e->any_client ? str_list_has(ids, id) : str_eq(ids->items[0], id);
}

/* Of several audiences the one it was made for says azp; where there is an azp, it is one of ours. */
static err_t check_audience(const struct id_expect *e, const json_t *claims)
{
	const json_t *aud = json_object_get(claims, "aud"), *azp = json_object_get(claims, "azp");
	str party = answer_text(claims, "azp");
	bool ours = false;

	REQUIRE(azp == NULL || str_list_has(&e->p->set->client_id, party), ERR_INPUT);
	if (json_is_string(aud)) {
		REQUIRE(is_client(e, answer_text(claims, "aud")), ERR_INPUT);
		return OK;
	}
	for (size_t i = 0; i < json_array_size(aud); i++) {
		const json_t *v = json_array_get(aud, i);

		REQUIRE(json_is_string(v), ERR_INPUT);
		ours = ours || is_client(e, (str){ json_string_value(v), json_string_length(v) });
	}
	REQUIRE(ours && (json_array_size(aud) == 1 || is_client(e, party)), ERR_INPUT);
	return OK;
}

/* ---- when, and for which sign-in ---- */

static err_t take_time(const json_t *claims, const char *name, int64_t *ret)
{
	const json_t *v = json_object_get(claims, name);

	REQUIRE(json_is_integer(v) && json_integer_value(v) >= 0 && json_integer_value(v) <= NUMBER_MAX, ERR_INPUT);
	*ret = json_integer_value(v);
	return OK;
}

static err_t check_times(const struct id_expect *e, const json_t *claims)
{
	int64_t exp_s = 0, iat_s = 0, nbf_s = 0;

	TRY(take_time(claims, "exp", &exp_s));
	TRY(take_time(claims, "iat", &iat_s));
	if (json_object_get(claims, "nbf") != NULL)
		TRY(take_time(claims, "nbf", &nbf_s));
	REQUIRE(e->now_s < exp_s && iat_s <= e->now_s + LEEWAY_S && nbf_s <= e->now_s + LEEWAY_S, ERR_INPUT);
	return OK;
}

static err_t check_nonce(const struct id_expect *e, const json_t *claims)
{
	str nonce = answer_text(claims, "nonce");
	char text[2 * SHA256_BYTES];
	uint8_t digest[SHA256_BYTES];
	struct buf b = BUF_OF(text);

	REQUIRE(nonce.n > 0 && e->nonce.n > 0, ERR_INPUT);
	if (str_eq(nonce, e->nonce))
		return OK;
	sha256(e->nonce, digest);
	hex_encode(&b, str_of_bytes(digest, sizeof(digest)));
	REQUIRE(e->hashed && str_eq(nonce, buf_view(&b)), ERR_INPUT);
	return OK;
}

/* The left half of the access token's SHA-256: both algorithms that we take hash with it. */
static err_t check_at_hash(const struct id_expect *e, const json_t *claims)
{
	const json_t *v = json_object_get(claims, "at_hash");
	char text[BASE64URL_LEN(SHA256_BYTES / 2)];
	uint8_t digest[SHA256_BYTES];
	struct buf b = BUF_OF(text);

	if (v == NULL || e->access_token.n == 0)
		return OK;
	sha256(e->access_token, digest);
	base64url_encode(&b, str_of_bytes(digest, SHA256_BYTES / 2));
	REQUIRE(str_eq(answer_text(claims, "at_hash"), buf_view(&b)), ERR_INPUT);
	return OK;
}

/* ---- who it is ---- */

/* A subject is one within its issuer; where there are several, both name somebody. */
static err_t name_issuer(struct arena *mem, const struct provider *p, const json_t *claims, struct profile *ret)
{
	if (!is_template(p->issuer))
		return OK;
	TRY(arena_printf(mem, &ret->id, "%.*s/%.*s", STR_ARG(answer_text(claims, "tid")), STR_ARG(ret->id)));
	REQUIRE(ret->id.n <= SUBJECT_MAX, ERR_INPUT);
	return OK;
}

err_t id_token_claims(struct arena *mem, str text, const struct id_expect *e, struct profile *ret)
{
	TREE_FREED json_t *claims = NULL;
	struct provider standard = *e->p;

	TRY(answer_tree(mem, text, &claims));
	REQUIRE(json_is_object(claims), ERR_INPUT);
	TRY(check_issuer(e->p, claims));
	TRY(check_audience(e, claims));
	TRY(check_times(e, claims));
	TRY(check_nonce(e, claims));
	TRY(check_at_hash(e, claims));
	REQUIRE(json_is_string(json_object_get(claims, "sub")), ERR_INPUT);
	standard.map.id = STR("sub"); /* whatever the settings say of profiles */
	TRY(answer_person(mem, &standard, claims, ret));
	return name_issuer(mem, e->p, claims, ret);
}

err_t id_token_check(const struct jwks *keys, struct arena *mem, str token, const struct id_expect *e,
		     struct profile *ret)
{
	str claims = STR_NONE;

	TRY(jwks_verify(keys, mem, token, &claims));
	return id_token_claims(mem, claims, e, ret);
}
