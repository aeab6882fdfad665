#include "oauth/exchange.h"

#include "base/base64url.h"
#include "base/json_out.h"
#include "crypto/jws.h"
#include "crypto/mac.h"
#include "oauth/form.h"
#include "oauth/id_token.h"

#define FORM       "application/x-www-form-urlencoded"
#define APPLE_TTL_S 300

/* ---- PKCE ---- */

static bool all_url_safe(str s, bool tilde_and_dot)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '-' && c != '_' &&
		    !(tilde_and_dot && (c == '.' || c == '~')))
			return false;
	}
	return true;
}

bool pkce_verifier_ok(str verifier)
{
	return verifier.n >= 43 && verifier.n <= 128 && all_url_safe(verifier, true);
}

bool pkce_challenge_ok(str challenge)
{
	return challenge.n == BASE64URL_LEN(SHA256_BYTES) && all_url_safe(challenge, false);
}

err_t pkce_challenge(struct arena *mem, str verifier, str *ret)
{
	struct buf b = { .cap = BASE64URL_LEN(SHA256_BYTES) };
	uint8_t digest[SHA256_BYTES];

	NEW(b.p, mem, char, b.cap);
	sha256(verifier, digest);
	base64url_encode(&b, str_of_bytes(digest, sizeof(digest)));
	REQUIRE(!b.overflow, ERR_BUG);
	*ret = buf_view(&b);
	return OK;
}

static str client_id(const struct provider *p)
{
	return p->set->client_id.n > 0 ? p->set->client_id.items[0] : STR("");
}

/* ---- to the provider ---- */

static err_t add_pkce(const struct exchange *x, struct arena *mem, struct buf *b)
{
	str challenge;

	if (!x->p->pkce)
		return OK;
	TRY(pkce_challenge(mem, x->verifier, &challenge));
	form_add(b, "code_challenge", challenge);
	form_add(b, "code_challenge_method", STR("S256"));
	return OK;
}

err_t exchange_url(const struct exchange *x, struct arena *mem, str *ret)
{
	const struct provider *p = x->p;
	struct buf b = { .cap = 1024 + p->authorize_url.n + p->extra_query.n +
				FORM_ROOM(client_id(p).n + x->redirect_uri.n + p->scope.n + x->state.n + x->nonce.n +
					  x->login_hint.n) };

	NEW(b.p, mem, char, b.cap);
	buf_str(&b, p->authorize_url);
	buf_byte(&b, str_has_byte(p->authorize_url, '?') ? '&' : '?');
	form_add(&b, "client_id", client_id(p));
	form_add(&b, "redirect_uri", x->redirect_uri);
	form_add(&b, "response_type", STR("code"));
	form_add(&b, "scope", p->scope);
	if (p->extra_query.n > 0) {
		buf_byte(&b, '&');
		buf_str(&b, p->extra_query);
	}
	form_add(&b, "state", x->state);
	if (p->kind == PROVIDER_OIDC)
		form_add(&b, "nonce", x->nonce);
	TRY(add_pkce(x, mem, &b));
	form_add(&b, "login_hint", x->login_hint);
	REQUIRE(!b.overflow, ERR_BUG);
	*ret = buf_view(&b);
	return OK;
}

/* ---- who we are ---- */

/* Apple wants a JWT for a secret: made for each request, so that there is none to renew. */
static err_t apple_secret(const struct provider *p, struct arena *mem, int64_t now_s, str *ret)
{
	struct jws_key *key = NULL;
	struct buf b = { .cap = 1024 };
	struct json_out o;
	str header;
	err_t e;

	TRY(arena_printf(mem, &header, "{\"alg\":\"ES256\",\"kid\":\"%.*s\"}", STR_ARG(p->set->key_id)));
	NEW(b.p, mem, char, b.cap);
	out_begin(&o, &b);
	out_obj(&o);
	out_str(&o, STR("iss"), p->set->team_id);
	out_i64(&o, STR("iat"), now_s);
	out_i64(&o, STR("exp"), now_s + APPLE_TTL_S);
	out_str(&o, STR("aud"), p->issuer);
	out_str(&o, STR("sub"), client_id(p));
	out_end_obj(&o);
	REQUIRE(!b.overflow, ERR_BUG);
	e = jws_key_parse(ALG_ES256, secret_str(p->set->private_key), &key);
	REQUIRE(e.code != ERR_INPUT, ERR_OAUTH_EXCHANGE);
	TRY(e);
	e = jws_sign_under(key, mem, header, buf_view(&b), ret);
	jws_key_free(key);
	return e;
}

static err_t secret_of(const struct provider *p, struct arena *mem, int64_t now_s, str *ret)
{
	*ret = p->set->client_secret.n > 0 ? secret_str(p->set->client_secret) : STR_NONE;
	return p->auth == CLIENT_AUTH_APPLE ? apple_secret(p, mem, now_s, ret) : OK;
}

/* ---- requests to the token endpoint ---- */

struct pair {
	const char *name;
	str value;
};

static err_t as_form(struct arena *mem, const struct pair *pairs, size_t n, str *ret)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < n; i++)
		b.cap += 32 + FORM_ROOM(pairs[i].value.n);
	NEW(b.p, mem, char, b.cap);
	for (size_t i = 0; i < n; i++)
		form_add(&b, pairs[i].name, pairs[i].value);
	REQUIRE(!b.overflow, ERR_BUG);
	*ret = buf_view(&b);
	return OK;
}

static err_t as_json(struct arena *mem, const struct pair *pairs, size_t n, str *ret)
{
	struct buf b = { .cap = 16 };
	struct json_out o;

	for (size_t i = 0; i < n; i++)
		b.cap += 32 + 6 * pairs[i].value.n;
	NEW(b.p, mem, char, b.cap);
	out_begin(&o, &b);
	out_obj(&o);
	for (size_t i = 0; i < n; i++)
		out_str(&o, str_of_cstr(pairs[i].name), pairs[i].value);
	out_end_obj(&o);
	REQUIRE(!b.overflow, ERR_BUG);
	*ret = buf_view(&b);
	return OK;
}

/* RFC 6749 §2.3.1: as in a form, so that a colon in the id, or whatever a secret has, arrives. */
static err_t escaped(struct arena *mem, str value, str *ret)
{
	struct buf b = { .cap = FORM_ROOM(value.n) + 1 };

	NEW(b.p, mem, char, b.cap);
	form_escape(&b, value);
	*ret = buf_view(&b);
	return OK;
}

static err_t token_request(const struct provider *p, struct arena *mem, int64_t now_s, struct pair *pairs, size_t n,
			   struct outside_request *ret)
{
	str secret = STR_NONE;

	TRY(secret_of(p, mem, now_s, &secret));
	ret->post = true;
	if (p->auth == CLIENT_AUTH_BASIC && secret.n > 0) {
		TRY(escaped(mem, client_id(p), &ret->user));
		TRY(escaped(mem, secret, &ret->password));
	} else {
		pairs[n++] = (struct pair){ "client_id", client_id(p) };
		pairs[n++] = (struct pair){ "client_secret", secret };
	}
	ret->content_type = p->token_json ? STR("application/json") : STR(FORM);
	return p->token_json ? as_json(mem, pairs, n, &ret->body) : as_form(mem, pairs, n, &ret->body);
}

err_t exchange_request(const struct exchange *x, str code, struct arena *mem, int64_t now_s,
		       struct outside_request *ret)
{
	struct pair pairs[8] = {
		{ "grant_type", STR("authorization_code") },
		{ "code", code },
		{ "redirect_uri", x->redirect_uri },
		{ "code_verifier", x->p->pkce ? x->verifier : STR_NONE },
	};

	ret->url = x->p->token_url;
	return token_request(x->p, mem, now_s, pairs, 4, ret);
}

static err_t take_tokens(const struct exchange *x, str code, const struct asking *a, int64_t now_s,
			 struct token_answer *ret)
{
	struct outside_request r = { 0 };
	str body = STR_NONE;
	err_t e;

	TRY(exchange_request(x, code, a->mem, now_s, &r));
	TRY(ask_json(a, x->p, &r, ERR_OAUTH_EXCHANGE, &body, NULL));
	e = answer_tokens(a->mem, body, ret);
	if (e.code == ERR_INPUT) /* errors come with status 200 too */
		finding_read(a->why, a->mem, body);
	REQUIRE(e.code != ERR_INPUT, ERR_OAUTH_EXCHANGE);
	return e;
}

/* ---- who it is ---- */

static err_t as_bearer(const struct provider *p, struct arena *mem, str token, str *ret)
{
	return arena_printf(mem, ret, "%.*s %.*s", STR_ARG(p->authorization), STR_ARG(token));
}

/* The proven primary address, whatever the profile shows. */
static err_t fetch_emails(const struct provider *p, str token, const struct asking *a, struct profile *ret)
{
	struct outside_request r = { .url = p->emails_url };
	str body = STR_NONE;
	err_t e;

	if (p->emails_url.n == 0)
		return OK;
	TRY(as_bearer(p, a->mem, token, &r.authorization));
	TRY(ask_json(a, p, &r, ERR_OAUTH_PROFILE, &body, NULL));
	e = answer_emails(a->mem, body, ret);
	REQUIRE(e.code != ERR_INPUT, ERR_OAUTH_PROFILE);
	return e;
}

static err_t verify_by(const struct jwks *keys, const struct asking *a, str token, struct verified *ret)
{
	err_t e = jwks_verify(keys, a->mem, token, ret);

	if (e.code != ERR_OK)
		finding_check(a->why, ret->failed, ret->alg_said);
	return e;
}

/* Keys may have changed since they were fetched, under their old ids too: a token that none of them signed is looked
 * at once more. */
static err_t verify(const struct provider *p, const struct asking *a, str token, struct verified *ret)
{
	struct directory *d = a->outside->directory;
	struct jwks *keys = NULL, *newer = NULL;
	err_t e, asked;

	TRY(directory_keys(d, a, p, NULL, &keys));
	e = verify_by(keys, a, token, ret);
	if (e.code == ERR_NOT_FOUND) {
		asked = directory_keys(d, a, p, keys, &newer);
		if (asked.code == ERR_OK)
			e = verify_by(newer, a, token, ret);
		else if (asked.code != ERR_NOT_FOUND)
			e = asked;
		jwks_release(newer);
	}
	jwks_release(keys);
	return e;
}

static err_t check_id_token(const struct asking *a, str token, struct id_expect *expect, struct profile *ret)
{
	struct verified v = { .claims = STR_NONE };
	err_t e = verify(expect->p, a, token, &v);

	expect->why = a->why;
	expect->alg = v.alg;
	if (e.code == ERR_OK)
		e = id_token_claims(a->mem, v.claims, expect, ret);
	REQUIRE(e.code != ERR_INPUT && e.code != ERR_NOT_FOUND, ERR_OAUTH_ID_TOKEN);
	return e;
}

/* As JSON, or signed with the provider's keys. */
static err_t read_profile(const struct provider *p, const struct asking *a, str body, enum answer_type type,
			  int64_t now_s, struct profile *ret)
{
	struct id_expect expect = { .p = p, .now_s = now_s, .why = a->why };
	struct verified v = { .claims = STR_NONE };

	if (type == ANSWER_JSON)
		return answer_profile(a->mem, p, body, ret);
	if (p->jwks_url.n == 0)
		finding_check(a->why, "jwks_url", STR_NONE);
	REQUIRE(p->jwks_url.n > 0, ERR_INPUT);
	TRY(verify(p, a, str_trim(body), &v));
	expect.alg = v.alg;
	return signed_profile(a->mem, v.claims, &expect, ret);
}

static err_t fetch_profile(const struct provider *p, str token, const struct asking *a, int64_t now_s,
			   struct profile *ret)
{
	struct outside_request r = { .url = p->userinfo_url };
	enum answer_type type = ANSWER_JSON;
	str body = STR_NONE;
	err_t e;

	TRY(as_bearer(p, a->mem, token, &r.authorization));
	TRY(ask_json(a, p, &r, ERR_OAUTH_PROFILE, &body, &type));
	e = read_profile(p, a, body, type, now_s, ret);
	if (e.code == ERR_INPUT && type == ANSWER_JSON) /* Slack says "ok": false, with status 200 */
		finding_read(a->why, a->mem, body);
	REQUIRE(e.code != ERR_INPUT && e.code != ERR_NOT_FOUND, ERR_OAUTH_PROFILE);
	return e;
}

/* What the ID token leaves open, from the profile; which must be of the same person (OIDC Core §5.3.2). */
static err_t add_profile(const struct provider *p, str token, const struct asking *a, int64_t now_s,
			 struct profile *ret)
{
	struct provider plain = *p;
	struct profile more;

	if (ret->email.n > 0 || p->userinfo_url.n == 0)
		return OK;
	plain.map.id = STR("sub");
	TRY(fetch_profile(&plain, token, a, now_s, &more));
	if (!str_eq(more.id, ret->id))
		finding_check(a->why, "sub", STR_NONE);
	REQUIRE(str_eq(more.id, ret->id), ERR_OAUTH_PROFILE);
	ret->email = more.email;
	ret->email_verified = more.email_verified;
	if (ret->name.n == 0) {
		ret->name = more.name;
		ret->given = more.given;
		ret->family = more.family;
	}
	if (ret->picture.n == 0)
		ret->picture = more.picture;
	return OK;
}

err_t exchange_code(const struct exchange *x, str code, const struct asking *a, int64_t now_s, struct profile *ret,
		    struct token_answer *ret_tokens)
{
	struct id_expect expect = { .p = x->p, .nonce = x->nonce, .now_s = now_s };

	REQUIRE(a->outside != NULL, ERR_OAUTH_DOWN);
	TRY(take_tokens(x, code, a, now_s, ret_tokens));
	if (x->p->kind == PROVIDER_OIDC) {
		if (ret_tokens->id_token.n == 0)
			finding_check(a->why, "missing", STR_NONE);
		REQUIRE(ret_tokens->id_token.n > 0, ERR_OAUTH_ID_TOKEN);
		expect.access_token = ret_tokens->access_token;
		TRY(check_id_token(a, ret_tokens->id_token, &expect, ret));
		TRY(add_profile(x->p, ret_tokens->access_token, a, now_s, ret));
	} else {
		TRY(fetch_profile(x->p, ret_tokens->access_token, a, now_s, ret));
		TRY(fetch_emails(x->p, ret_tokens->access_token, a, ret));
	}
	ret->email_verified = ret->email_verified && x->p->trusts_email;
	return OK;
}

err_t exchange_id_token(const struct provider *p, str id_token, str nonce, const struct asking *a, int64_t now_s,
			struct profile *ret)
{
	struct id_expect expect = { .p = p, .any_client = true, .nonce = nonce, .hashed = true, .now_s = now_s };

	REQUIRE(a->outside != NULL, ERR_OAUTH_DOWN);
	TRY(check_id_token(a, id_token, &expect, ret));
	ret->email_verified = ret->email_verified && p->trusts_email;
	return OK;
}

err_t exchange_look(const struct provider *p, str id_token, const struct asking *a, int64_t now_s, struct profile *ret)
{
	struct id_expect expect = { .p = p, .any_client = true, .any_nonce = true, .now_s = now_s };

	REQUIRE(a->outside != NULL, ERR_OAUTH_DOWN);
	return check_id_token(a, id_token, &expect, ret);
}

/* ---- giving back ---- */

err_t exchange_revoke(const struct provider *p, str refresh_token, const struct asking *a, int64_t now_s)
{
	struct pair pairs[8] = { { "token", refresh_token }, { "token_type_hint", STR("refresh_token") } };
	struct outside_request r = { .url = p->revoke_url, .deadline_ms = a->deadline_ms };
	struct outside_reply reply = { 0 };
	struct provider form = *p;

	REQUIRE(a->outside != NULL, ERR_OAUTH_DOWN);
	REQUIRE(p->revoke_url.n > 0, ERR_OAUTH_EXCHANGE);
	form.token_json = false; /* RFC 7009 knows forms only */
	TRY(token_request(&form, a->mem, now_s, pairs, 2, &r));
	TRY(a->outside->send(a->outside->self, p->name, &r, a->mem, &reply));
	finding_answer(a->why, a->mem, r.url, &reply);
	REQUIRE(reply.status != 0 && reply.status < 500 && reply.status != 429, ERR_OAUTH_DOWN);
	REQUIRE(reply.status == 200, ERR_OAUTH_EXCHANGE);
	return OK;
}
