#include "oauth/id_token.h"

#include "base/base64url.h"
#include "crypto/mac.h"
#include "oauth/finding.h"

#define NUMBER_MAX ((json_int_t)1 << 53)

static err_t refuse(const struct id_expect *e, const char *check)
{
	finding_check(e->why, check, e->alg != NULL ? str_of_cstr(e->alg->name) : STR_NONE);
	FAIL(ERR_INPUT);
}

#define CHECK(cond, e, check)                      \
	do {                                       \
		if (!(cond))                       \
			return refuse((e), check); \
	} while (0)

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

static err_t check_issuer(const struct id_expect *e, const json_t *claims)
{
	const struct provider *p = e->p;
	str iss = answer_text(claims, "iss"), tid = answer_text(claims, "tid");

	if (!is_template(p->issuer)) {
		CHECK(iss.n > 0 && str_eq(iss, p->issuer), e, "iss");
		return OK;
	}
	CHECK(tid.n > 0 && str_list_has(&p->set->tenants, tid), e, "tid");
	CHECK(is_of_tenant(p->issuer, iss, tid), e, "iss");
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

	CHECK(azp == NULL || str_list_has(&e->p->set->client_id, party), e, "azp");
	if (json_is_string(aud)) {
		CHECK(is_client(e, answer_text(claims, "aud")), e, "aud");
		return OK;
	}
	for (size_t i = 0; i < json_array_size(aud); i++) {
		const json_t *v = json_array_get(aud, i);

		CHECK(json_is_string(v), e, "aud");
		ours = ours || is_client(e, (str){ json_string_value(v), json_string_length(v) });
	}
	CHECK(ours, e, "aud");
	CHECK(json_array_size(aud) == 1 || is_client(e, party), e, "azp");
	return OK;
}

/* ---- when, and for which sign-in ---- */

/* RFC 7519 §2, NumericDate: any number, also with a fraction, which is dropped. */
static bool take_time(const json_t *claims, const char *name, int64_t *ret)
{
	const json_t *v = json_object_get(claims, name);
	double number = json_number_value(v); /* 0 of what is none */

	if (!json_is_number(v) || number < 0 || number > (double)NUMBER_MAX)
		return false;
	*ret = json_is_integer(v) ? json_integer_value(v) : (int64_t)number;
	return true;
}

static err_t check_times(const struct id_expect *e, const json_t *claims, int64_t *ret_expires_s)
{
	int64_t exp_s = 0, iat_s = 0, nbf_s = 0;

	CHECK(take_time(claims, "exp", &exp_s) && e->now_s < exp_s + ID_TOKEN_LEEWAY_S, e, "exp");
	CHECK(take_time(claims, "iat", &iat_s) && iat_s <= e->now_s + ID_TOKEN_LEEWAY_S, e, "iat");
	CHECK(json_object_get(claims, "nbf") == NULL ||
		      (take_time(claims, "nbf", &nbf_s) && nbf_s <= e->now_s + ID_TOKEN_LEEWAY_S),
	      e, "nbf");
	*ret_expires_s = exp_s + ID_TOKEN_LEEWAY_S;
	return OK;
}

static err_t check_nonce(const struct id_expect *e, const json_t *claims)
{
	str nonce = answer_text(claims, "nonce");
	char text[2 * SHA256_BYTES];
	uint8_t digest[SHA256_BYTES];
	struct buf b = BUF_OF(text);

	if (e->any_nonce)
		return OK;
	CHECK(nonce.n > 0 && e->nonce.n > 0, e, "nonce");
	if (str_eq(nonce, e->nonce))
		return OK;
	sha256(e->nonce, digest);
	hex_encode(&b, str_of_bytes(digest, sizeof(digest)));
	CHECK(e->hashed && str_eq(nonce, buf_view(&b)), e, "nonce");
	return OK;
}

/* The left half of the access token's hash, which is that of the ID token's own algorithm. */
static err_t check_at_hash(const struct id_expect *e, const json_t *claims)
{
	const json_t *v = json_object_get(claims, "at_hash");
	char text[BASE64URL_LEN(HALF_HASH_MAX)];
	uint8_t half[HALF_HASH_MAX];
	struct buf b = BUF_OF(text);
	size_t n = 0;

	if (v == NULL || e->access_token.n == 0 || e->alg == NULL)
		return OK;
	TRY(jwa_half_hash(e->alg, e->access_token, half, &n));
	base64url_encode(&b, str_of_bytes(half, n));
	CHECK(str_eq(answer_text(claims, "at_hash"), buf_view(&b)), e, "at_hash");
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

/* The members of whoever the subject is, whatever the settings say of profiles. */
static err_t take_person(struct arena *mem, const struct id_expect *e, const json_t *claims, struct profile *ret)
{
	struct provider standard = *e->p;
	err_t err;

	standard.map.id = STR("sub");
	CHECK(json_is_string(json_object_get(claims, "sub")), e, "sub");
	err = answer_person(mem, &standard, claims, ret);
	CHECK(err.code != ERR_INPUT, e, "sub");
	return err;
}

err_t id_token_claims(struct arena *mem, str text, const struct id_expect *e, struct profile *ret)
{
	TREE_FREED json_t *claims = NULL;
	int64_t expires_s = 0;
	err_t err = answer_tree(mem, text, &claims);

	CHECK(err.code != ERR_INPUT && (err.code != ERR_OK || json_is_object(claims)), e, "claims");
	TRY(err);
	TRY(check_issuer(e, claims));
	TRY(check_audience(e, claims));
	TRY(check_times(e, claims, &expires_s));
	TRY(check_nonce(e, claims));
	TRY(check_at_hash(e, claims));
	TRY(take_person(mem, e, claims, ret));
	ret->expires_s = expires_s;
	return name_issuer(mem, e->p, claims, ret);
}

/* ---- signed profiles ---- */

static err_t check_said(const struct id_expect *e, const json_t *claims)
{
	int64_t exp_s = 0, nbf_s = 0;

	if (json_object_get(claims, "iss") != NULL)
		TRY(check_issuer(e, claims));
	if (json_object_get(claims, "aud") != NULL)
		TRY(check_audience(e, claims));
	CHECK(json_object_get(claims, "exp") == NULL ||
		      (take_time(claims, "exp", &exp_s) && e->now_s < exp_s + ID_TOKEN_LEEWAY_S),
	      e, "exp");
	CHECK(json_object_get(claims, "nbf") == NULL ||
		      (take_time(claims, "nbf", &nbf_s) && nbf_s <= e->now_s + ID_TOKEN_LEEWAY_S),
	      e, "nbf");
	return OK;
}

err_t signed_profile(struct arena *mem, str text, const struct id_expect *e, struct profile *ret)
{
	TREE_FREED json_t *claims = NULL;
	err_t err = answer_tree(mem, text, &claims);

	CHECK(err.code != ERR_INPUT && (err.code != ERR_OK || json_is_object(claims)), e, "claims");
	TRY(err);
	TRY(check_said(e, claims));
	return answer_person(mem, e->p, claims, ret);
}
