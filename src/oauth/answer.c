#include "oauth/answer.h"

#include <string.h>

#include "base/buf.h"
#include "base/json_depth.h"
#include "base/utf8.h"
#include "crypto/jwks.h"

#define URL_MAX    2048
#define TOKEN_MAX  ((size_t)16 * 1024)
#define NAME_BYTES 400
#define PART_BYTES (NAME_BYTES / 2)
#define EMAIL_MAX  254
#define ALG_BYTES  16
#define ALGS_MAX   16

void answer_tree_free(json_t **t)
{
	json_decref(*t);
}

err_t answer_tree(struct arena *mem, str body, json_t **ret)
{
	REQUIRE(body.n > 0 && !json_nests_too_deep(body) && !json_holds_too_much(body), ERR_INPUT);
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

static bool is_alg(str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	}
	return s.n > 0 && s.n <= ALG_BYTES;
}

/* OpenID Connect Discovery §3. Only for operators, so what is malformed is left out. */
static err_t take_algs(struct arena *mem, const json_t *list, str *ret)
{
	size_t n = json_array_size(list) < ALGS_MAX ? json_array_size(list) : ALGS_MAX;
	struct buf b = { .cap = n * (ALG_BYTES + 1) };

	*ret = STR_NONE;
	if (n == 0)
		return OK;
	NEW(b.p, mem, char, b.cap);
	for (size_t i = 0; i < n; i++) {
		str alg = text_of(json_array_get(list, i));

		if (!is_alg(alg))
			continue;
		if (b.n > 0)
			buf_byte(&b, ' ');
		buf_str(&b, alg);
	}
	*ret = buf_view(&b);
	return OK;
}

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
	TRY(take_algs(mem, json_object_get(tree, "id_token_signing_alg_values_supported"), &ret->algs));
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

/* Some say the word for the value. Other words and numbers say nothing. */
static bool is_true(const json_t *v)
{
	return json_is_true(v) || str_eq(text_of(v), STR("true"));
}

/* What is too long or no plain text is none, and proves none. */
static err_t take_email(struct arena *mem, const json_t *v, bool verified, struct profile *ret)
{
	ret->email = STR_NONE;
	if (text_of(v).n <= EMAIL_MAX)
		TRY(take_plain(mem, v, EMAIL_MAX, &ret->email));
	ret->email_verified = verified && ret->email.n > 0;
	return OK;
}

/* ---- names ---- */

/* "Ada Lovelace" of the two; one alone is all of it. */
static err_t join_names(struct arena *mem, str given, str family, str *ret)
{
	*ret = given.n > 0 ? given : family;
	return given.n > 0 && family.n > 0 ? arena_printf(mem, ret, "%.*s %.*s", STR_ARG(given), STR_ARG(family)) : OK;
}

/* Of a whole name and one part the other follows, if the part is its end or its beginning. */
static void fill_part(struct profile *p)
{
	str given = p->given, family = p->family;

	if (given.n == 0 && family.n > 0 && p->name.n > family.n + 1 && str_ends(p->name, family) &&
	    p->name.p[p->name.n - family.n - 1] == ' ')
		p->given = str_trim((str){ p->name.p, p->name.n - family.n - 1 });
	if (family.n == 0 && given.n > 0 && p->name.n > given.n + 1 && str_starts(p->name, given) &&
	    p->name.p[given.n] == ' ')
		p->family = str_trim(str_skip(p->name, given.n + 1));
}

static err_t take_names(struct arena *mem, const struct profile_map *map, const json_t *tree, struct profile *ret)
{
	if (map->name.n > 0)
		TRY(take_plain(mem, follow(tree, map->name), NAME_BYTES, &ret->name));
	if (map->given.n > 0)
		TRY(take_plain(mem, follow(tree, map->given), PART_BYTES, &ret->given));
	if (map->family.n > 0)
		TRY(take_plain(mem, follow(tree, map->family), PART_BYTES, &ret->family));
	if (ret->name.n == 0)
		return join_names(mem, ret->given, ret->family, &ret->name);
	fill_part(ret);
	return OK;
}

static str plain_part(str s)
{
	return s.n > 0 && utf8_is_plain_text(s) ? utf8_cut(s, PART_BYTES) : STR_NONE;
}

err_t answer_name(struct arena *mem, const struct beside *b, struct profile *who)
{
	if (who->name.n > 0)
		return OK;
	who->given = plain_part(b->given);
	who->family = plain_part(b->family);
	return join_names(mem, who->given, who->family, &who->name);
}

/* ---- persons ---- */

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
	if (p->map.email.n > 0)
		TRY(take_email(mem, follow(tree, p->map.email), is_true(follow(tree, p->map.verified)), ret));
	TRY(take_names(mem, &p->map, tree, ret));
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

err_t answer_posted_name(struct arena *mem, str user, struct beside *ret)
{
	TREE_FREED json_t *tree = NULL;
	const json_t *name;

	*ret = (struct beside){ STR_NONE, STR_NONE };
	TRY(answer_tree(mem, user, &tree));
	name = json_object_get(tree, "name");
	TRY(take_plain(mem, json_object_get(name, "firstName"), PART_BYTES, &ret->given));
	return take_plain(mem, json_object_get(name, "lastName"), PART_BYTES, &ret->family);
}

err_t answer_emails(struct arena *mem, str body, struct profile *ret)
{
	TREE_FREED json_t *tree = NULL;

	TRY(answer_tree(mem, body, &tree));
	REQUIRE(json_is_array(tree), ERR_INPUT);
	for (size_t i = 0; i < json_array_size(tree); i++) {
		const json_t *one = json_array_get(tree, i);

		if (is_true(json_object_get(one, "primary")) && is_true(json_object_get(one, "verified")) &&
		    answer_text(one, "email").n > 0)
			return take_email(mem, json_object_get(one, "email"), true, ret);
	}
	return OK;
}
