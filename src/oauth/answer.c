#include "oauth/answer.h"

#include <string.h>

#include "base/json_depth.h"
#include "base/utf8.h"
#include "crypto/jwks.h"

#define URL_MAX    2048
#define TOKEN_MAX  ((size_t)16 * 1024)
#define NAME_BYTES 400
#define EMAIL_MAX  254

void answer_tree_free(json_t **t)
{
	json_decref(*t);
}

err_t answer_tree(struct arena *mem, str body, json_t **ret)
{
	REQUIRE(body.n > 0 && !json_nests_too_deep(body), ERR_INPUT);
	*ret = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL);
	REQUIRE(!mem->exhausted, ERR_INPUT); /* a tree made in want of memory may be cut: the answer is too large */
	REQUIRE(*ret != NULL, ERR_INPUT);
	return OK;
}

static str text_of(const json_t *v)
{
	return json_is_string(v) ? (str){ json_string_value(v), json_string_length(v) } : STR_NONE;
}

str answer_text(const json_t *object, const char *name)
{
	return text_of(json_object_get(object, name));
}

static bool is_url(str s)
{
	if (s.n == 0 || s.n > URL_MAX || (!str_starts(s, STR("https://")) && !str_starts(s, STR("http://"))))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	}
	return true;
}

static err_t take_url(struct arena *mem, const json_t *tree, const char *name, str *ret)
{
	str v = answer_text(tree, name);

	return is_url(v) ? arena_copy(mem, v, ret) : OK;
}

/* An error may come with status 200, and some say only "ok": false. */
static bool is_error(const json_t *tree)
{
	const json_t *error = json_object_get(tree, "error");

	return (error != NULL && !json_is_null(error)) || json_is_false(json_object_get(tree, "ok"));
}

/* ---- discovery ---- */

err_t answer_metadata(struct arena *mem, str body, str issuer, struct metadata *ret)
{
	TREE_FREED json_t *tree = NULL;
	str said;

	*ret = (struct metadata){ 0 };
	TRY(answer_tree(mem, body, &tree));
	said = answer_text(tree, "issuer");
	REQUIRE(said.n > 0 && str_eq(said, issuer), ERR_INPUT);
	TRY(take_url(mem, tree, "authorization_endpoint", &ret->authorize_url));
	TRY(take_url(mem, tree, "token_endpoint", &ret->token_url));
	TRY(take_url(mem, tree, "userinfo_endpoint", &ret->userinfo_url));
	TRY(take_url(mem, tree, "jwks_uri", &ret->jwks_url));
	TRY(take_url(mem, tree, "revocation_endpoint", &ret->revoke_url));
	ret->says_iss = json_is_true(json_object_get(tree, "authorization_response_iss_parameter_supported"));
	REQUIRE(ret->authorize_url.n > 0 && ret->token_url.n > 0 && ret->jwks_url.n > 0, ERR_INPUT);
	return OK;
}

/* ---- tokens ---- */

/* RFC 6750 §2.1: what can stand in a header. */
static bool is_token(str s)
{
	if (s.n == 0 || s.n > TOKEN_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	}
	return true;
}

static err_t take_token(struct arena *mem, const json_t *tree, const char *name, str *ret)
{
	str v = answer_text(tree, name);

	return is_token(v) ? arena_copy(mem, v, ret) : OK;
}

err_t answer_tokens(struct arena *mem, str body, struct token_answer *ret)
{
	TREE_FREED json_t *tree = NULL;

	*ret = (struct token_answer){ STR_NONE, STR_NONE, STR_NONE };
	TRY(answer_tree(mem, body, &tree));
	REQUIRE(json_is_object(tree) && !is_error(tree), ERR_INPUT);
	TRY(take_token(mem, tree, "access_token", &ret->access_token));
	TRY(take_token(mem, tree, "id_token", &ret->id_token));
	TRY(take_token(mem, tree, "refresh_token", &ret->refresh_token));
	REQUIRE(ret->access_token.n > 0, ERR_INPUT);
	return OK;
}

/* ---- profiles ---- */

/* "picture.data.url", "images.0.url" */
static const json_t *follow(const json_t *at, str path)
{
	str step;
	uint64_t nth;
	bool more = path.n > 0;

	while (more && at != NULL) {
		more = str_cut(path, '.', &step, &path);
		if (json_is_array(at) && str_to_u64(step, 1000, &nth))
			at = json_array_get(at, (size_t)nth);
		else
			at = json_object_getn(at, step.p, step.n);
	}
	return at;
}

/* A subject is text, or a number where a provider counts its users from one. */
static err_t take_id(struct arena *mem, const json_t *v, str *ret)
{
	str text = text_of(v);

	if (json_is_integer(v) && json_integer_value(v) > 0)
		return arena_printf(mem, ret, "%lld", (long long)json_integer_value(v));
	REQUIRE(text.n > 0 && text.n <= SUBJECT_MAX && utf8_is_plain_text(text), ERR_INPUT);
	return arena_copy(mem, text, ret);
}

static err_t take_plain(struct arena *mem, const json_t *v, size_t max, str *ret)
{
	str text = text_of(v);

	*ret = STR_NONE;
	if (text.n == 0 || !utf8_is_plain_text(text))
		return OK;
	return arena_copy(mem, utf8_cut(text, max), ret);
}

static bool is_true(const struct provider *p, const json_t *v)
{
	return json_is_true(v) || (p->word_true && str_eq(text_of(v), STR("true")));
}

static const json_t *subject_of(const struct provider *p, const json_t *tree)
{
	const json_t *id = json_object_get(tree, "id");

	if (p->map.id.n > 0)
		return follow(tree, p->map.id);
	return id != NULL ? id : json_object_get(tree, "sub");
}

err_t answer_person(struct arena *mem, const struct provider *p, const json_t *tree, struct profile *ret)
{
	str picture;

	*ret = (struct profile){ .id = STR_NONE };
	REQUIRE(json_is_object(tree) && !is_error(tree), ERR_INPUT);
	TRY(take_id(mem, subject_of(p, tree), &ret->id));
	if (p->map.email.n > 0 && text_of(follow(tree, p->map.email)).n <= EMAIL_MAX)
		TRY(take_plain(mem, follow(tree, p->map.email), EMAIL_MAX, &ret->email));
	if (p->map.verified.n > 0)
		ret->email_verified = ret->email.n > 0 && is_true(p, follow(tree, p->map.verified));
	if (p->map.name.n > 0)
		TRY(take_plain(mem, follow(tree, p->map.name), NAME_BYTES, &ret->name));
	if (p->map.picture.n == 0)
		return OK;
	picture = text_of(follow(tree, p->map.picture));
	return is_url(picture) ? arena_copy(mem, picture, &ret->picture) : OK;
}

err_t answer_profile(struct arena *mem, const struct provider *p, str body, struct profile *ret)
{
	TREE_FREED json_t *tree = NULL;

	TRY(answer_tree(mem, body, &tree));
	return answer_person(mem, p, tree, ret);
}

err_t answer_posted_name(struct arena *mem, str user, str *ret)
{
	TREE_FREED json_t *tree = NULL;
	const json_t *name;
	str first = STR_NONE, last = STR_NONE;

	*ret = STR_NONE;
	TRY(answer_tree(mem, user, &tree));
	name = json_object_get(tree, "name");
	TRY(take_plain(mem, json_object_get(name, "firstName"), NAME_BYTES / 2, &first));
	TRY(take_plain(mem, json_object_get(name, "lastName"), NAME_BYTES / 2, &last));
	if (first.n == 0 || last.n == 0) {
		*ret = first.n > 0 ? first : last;
		return OK;
	}
	return arena_printf(mem, ret, "%.*s %.*s", STR_ARG(first), STR_ARG(last));
}

err_t answer_emails(struct arena *mem, str body, struct profile *ret)
{
	TREE_FREED json_t *tree = NULL;

	TRY(answer_tree(mem, body, &tree));
	REQUIRE(json_is_array(tree), ERR_INPUT);
	for (size_t i = 0; i < json_array_size(tree); i++) {
		const json_t *one = json_array_get(tree, i);
		str email = answer_text(one, "email");

		if (!json_is_true(json_object_get(one, "primary")) || !json_is_true(json_object_get(one, "verified")) ||
		    email.n == 0 || email.n > EMAIL_MAX)
			continue;
		ret->email_verified = true;
		return take_plain(mem, json_object_get(one, "email"), EMAIL_MAX, &ret->email);
	}
	return OK;
}
