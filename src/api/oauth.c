/* oauth.c — GET /oauth/{provider}, GET and POST /oauth/{provider}/callback, POST /oauth/exchange,
 * POST /oauth/{provider}/token, POST /oauth/{provider}/link, POST /oauth/link.
 *
 * Browsers are answered by redirects, failures too: to the app or the site that began, as soon as that is known. */
#include "domain/oauth.h"

#include <string.h>

#include "api/cookie.h"
#include "api/page.h"
#include "api/problem.h"
#include "api/query.h"
#include "base/return_path.h"
#include "base/utf8.h"
#include "domain/ott.h"
#include "domain/site.h"
#include "http/path.h"
#include "oauth/finding.h"
#include "oauth/form.h"

struct oauth_exchange {
	str ott, verifier;
};
static const struct body_field oauth_exchange_fields[] = {
	TEXT(struct oauth_exchange, ott, "ott", 128),
	TEXT_OR_NULL(struct oauth_exchange, verifier, "codeVerifier", 128),
};
const struct body_shape oauth_exchange_shape = SHAPE(struct oauth_exchange, oauth_exchange_fields);

struct oauth_token {
	str id_token, nonce, first, last;
};
static const struct body_field oauth_token_fields[] = {
	TEXT(struct oauth_token, id_token, "idToken", 16384),
	TEXT_OR_NULL(struct oauth_token, nonce, "nonce", 256),
	TYPED_OR_NULL(struct oauth_token, first, "firstName", 200, BODY_NAME),
	TYPED_OR_NULL(struct oauth_token, last, "lastName", 200, BODY_NAME),
};
const struct body_shape oauth_token_shape = SHAPE(struct oauth_token, oauth_token_fields);

struct oauth_link {
	struct stepup proof;
};
static const struct body_field oauth_link_fields[] = {
	PROOF_FIELDS(struct oauth_link),
};
const struct body_shape oauth_link_shape = SHAPE_WITH_PROOF(struct oauth_link, oauth_link_fields);

/* ---- redirects ---- */

static void redirect(struct http_reply *rep, int status, str to)
{
	rep->status = status;
	rep->body.n = 0;
	rep->content_type = "text/plain; charset=utf-8";
	buf_lit(&rep->body, "Redirecting\n");
	http_reply_header(rep, "Location", to);
	http_reply_header(rep, "Vary", STR("Accept"));
}

struct param {
	const char *name;
	str value; /* STR_NONE: left out */
};

/* url with parameters, behind those it has and before its fragment. */
static err_t with_params(struct req *r, str url, const struct param *params, size_t n, str *ret)
{
	struct buf b = { .cap = url.n + 2 };
	bool has_fragment;
	str fragment;

	has_fragment = str_cut(url, '#', &url, &fragment);
	for (size_t i = 0; i < n; i++)
		b.cap += strlen(params[i].name) + 2 + FORM_ROOM(params[i].value.n);
	NEW(b.p, r->c.mem, char, b.cap);
	buf_str(&b, url);
	buf_byte(&b, str_has_byte(url, '?') ? '&' : '?');
	for (size_t i = 0; i < n; i++)
		form_add(&b, params[i].name, params[i].value);
	if (has_fragment) {
		buf_byte(&b, '#');
		buf_str(&b, fragment);
	}
	REQUIRE(!b.overflow, ERR_BUG);
	*ret = buf_view(&b);
	return OK;
}

/* Absent, repeated or malformed parameters are all none: what they were for is then refused. */
static err_t param(struct req *r, str from, str name, str *ret)
{
	err_t e = query_get(r->c.mem, from, name, ret);

	if (e.code != ERR_INPUT)
		return e;
	*ret = STR_NONE;
	return OK;
}

/* ---- failures ---- */

static bool is_hosted_page(const struct req *r, str url)
{
	str path = str_skip(url, site_origin(url).n), prefix = r->c.cfg->server.api_prefix;

	return site_is_web(url) && str_starts(path, prefix) && str_starts(str_skip(path, prefix.n), STR("/ui/"));
}

/* Did it begin at a page of ours that has words for what went wrong? */
static bool says_why(const struct req *r, str url)
{
	str page, rest;

	(void)str_cut(url, '#', &page, &rest);
	(void)str_cut(page, '?', &page, &rest);
	return is_hosted_page(r, page) && (str_ends(page, STR("/ui/login")) || str_ends(page, STR("/ui/account")));
}

/* STR_NONE: it is no browser's. */
static err_t failure_url(struct req *r, const struct oauth_target *t, str code, str *ret)
{
	const struct param params[] = { { "error", code }, { "state", t->is_app ? t->app_state : STR_NONE } };
	str site, login;

	*ret = STR_NONE;
	if (t->url.n > 0 && t->is_app)
		return with_params(r, t->url, params, 2, ret);
	if (!wants_page(r->http))
		return OK;
	if (says_why(r, t->url))
		return with_params(r, t->url, params, 1, ret);
	site = t->url.n > 0 ? site_origin(t->url) : site_of(&r->c);
	if (!site_is_web(site))
		return with_params(r, site, params, 1, ret);
	TRY(site_page(&r->c, site, STR("login"), &login));
	return with_params(r, login, params, 1, ret);
}

/* In --dev, instead of a page that could only name the code. */
static void show_hint(const struct req *r, str code, struct http_reply *rep)
{
	rep->body.n = 0;
	rep->content_type = "text/plain; charset=utf-8";
	buf_str(&rep->body, code);
	buf_lit(&rep->body, "\n\n");
	buf_str(&rep->body, r->c.hint);
	buf_lit(&rep->body, "\n\nThis page is one of --dev.\n");
}

/* Also for faults: nobody is left in a browser with a page of JSON. */
static err_t fail_to(struct req *r, struct http_reply *rep, const struct oauth_target *t, err_t why)
{
	str url = STR_NONE;

	if (why.code == ERR_BUG || why.code == ERR_NO_MEMORY)
		return why;
	TRY(failure_url(r, t, problem_of(why.code).code, &url));
	if (url.n == 0)
		return why;
	if (r->c.hint.n > 0 && t->url.n == 0) {
		rep->status = problem_of(why.code).status;
		rep->error = why.code;
		show_hint(r, problem_of(why.code).code, rep);
		return OK;
	}
	redirect(rep, 302, url);
	rep->error = why.code;
	return OK;
}

/* ---- to the provider ---- */

/* A path below the site and nothing else, with a '/' in front; what it is not counts as none. */
static err_t read_return_path(struct req *r, str *ret)
{
	str path = STR_NONE;

	*ret = STR_NONE;
	TRY(param(r, r->http->query, STR("return_path"), &path));
	if (path.n == 0)
		return OK;
	if (path.p[0] != '/')
		TRY(arena_printf(r->c.mem, &path, "/%.*s", STR_ARG(path)));
	if (path.n <= 512 && return_path_ok(path))
		*ret = path;
	return OK;
}

static err_t read_request(struct req *r, struct oauth_request *q)
{
	str from = r->http->query;

	q->provider = r->http->route_params[0];
	q->browser = cookie_read(r, COOKIE_OAUTH);
	TRY(query_get(r->c.mem, from, STR("redirect_uri"), &q->redirect_uri));
	TRY(query_get(r->c.mem, from, STR("state"), &q->app_state));
	TRY(query_get(r->c.mem, from, STR("code_challenge"), &q->challenge));
	TRY(query_get(r->c.mem, from, STR("code_challenge_method"), &q->challenge_method));
	TRY(query_get(r->c.mem, from, STR("ticket"), &q->ticket));
	TRY(param(r, from, STR("login_hint"), &q->login_hint));
	return read_return_path(r, &q->return_path);
}

/* ---- web views ---- */

static bool says(str agent, const char *word)
{
	return str_has(agent, str_of_cstr(word));
}

/* The window of an app that sees what is typed into it: Android says "; wv", on iOS all browsers but those say
 * Safari. */
static bool is_web_view(const struct req *r)
{
	str agent = http_header(r->http, "user-agent");

	return says(agent, "; wv)") || says(agent, "FBAN/") || says(agent, "FBAV/") || says(agent, "Instagram ") ||
	       (says(agent, "AppleWebKit/") && says(agent, "Mobile/") && !says(agent, "Safari/"));
}

/* A person who knows, or a web app on the home screen of an iPhone: it calls itself what web views do, and only the
 * page's script can tell. */
static bool is_told(struct req *r)
{
	str told = STR_NONE;

	return query_value(r->http->query, STR("web_view"), &told).code == ERR_OK && str_eq(told, STR("known"));
}

/* The page that says so, with a way on and one back to the app (RFC 8252 §8.12). Without our pages the app is told. */
static err_t warn_of_web_view(struct req *r, const struct oauth_target *t, struct http_reply *rep)
{
	const struct param params[] = { { "error", STR("WEB_VIEW") }, { "state", t->app_state } };
	str back;

	TRY(with_params(r, t->url, params, 2, &back));
	if (r->c.cfg->ui.enabled && r->rt->ui != NULL)
		return page_show(r, ui_page_find(STR("web-view")), back, rep);
	redirect(rep, 302, back);
	return OK;
}

err_t api_oauth_start(struct req *r, const void *body, struct http_reply *rep)
{
	struct oauth_request q = { 0 };
	struct oauth_target target = { 0 };
	str url, browser;
	err_t e;

	(void)body;
	TRY(read_request(r, &q));
	if (q.challenge.n > 0 && is_web_view(r) && !is_told(r)) {
		e = oauth_aim(&r->c, &q, &target);
		return e.code == ERR_OK ? warn_of_web_view(r, &target, rep) : fail_to(r, rep, &target, e);
	}
	e = oauth_begin(&r->c, &q, &target, &url, &browser);
	if (e.code != ERR_OK)
		return fail_to(r, rep, &target, e);
	TRY(cookie_set(r, rep, COOKIE_OAUTH, browser, OAUTH_TTL_MS));
	redirect(rep, 302, url);
	return OK;
}

/* ---- and back ---- */

/* The browser's session, if it has a live one; whatever is wrong with the cookie, it has none. */
static err_t browser_session(struct req *r, struct caller *who)
{
	str token = cookie_read(r, COOKIE_ACCESS);
	err_t e;

	if (token.n == 0)
		return OK;
	e = session_caller(&r->c, token, who);
	if (err_is_fault(e))
		return e;
	if (e.code != ERR_OK)
		who->row.id = 0;
	return OK;
}

static err_t read_arrival(struct req *r, struct oauth_arrival *a, struct caller *who)
{
	str from = r->http->query;

	a->provider = r->http->route_params[0];
	a->browser = cookie_read(r, COOKIE_OAUTH);
	a->trust = cookie_read(r, COOKIE_TRUST);
	TRY(param(r, from, STR("state"), &a->state));
	TRY(param(r, from, STR("code"), &a->code));
	TRY(param(r, from, STR("error"), &a->error));
	TRY(param(r, from, STR("iss"), &a->iss));
	TRY(param(r, from, STR("error_description"), &a->error_description));
	TRY(param(r, from, STR("given_name"), &a->beside.given));
	TRY(param(r, from, STR("family_name"), &a->beside.family));
	TRY(browser_session(r, who));
	if (who->row.id != 0)
		a->sid = who->token.sid;
	return OK;
}

static err_t methods_of(struct req *r, unsigned factors, str *ret)
{
	struct buf b = { .cap = 64 };

	NEW(b.p, r->c.mem, char, b.cap);
	for (size_t i = 0; i < N_FACTOR_NAMES; i++) {
		if ((factors & factor_names[i].bit) == 0)
			continue;
		if (b.n > 0)
			buf_byte(&b, ',');
		buf_str(&b, factor_names[i].name);
	}
	*ret = buf_view(&b);
	return OK;
}

/* "{target}/auth/2fa", whatever the prefix: apps and pages know it by that. Who began at a hosted page goes on at the
 * hosted one, with the language and the way back that the first was given, and nothing else of its query: no other
 * handle gets in that way. */
static err_t factor_url(struct req *r, str target, struct param *lang, struct param *back, str *ret)
{
	str base, query, fragment;

	(void)str_cut(target, '#', &base, &fragment);
	(void)str_cut(base, '?', &base, &query);
	if (is_hosted_page(r, base)) {
		TRY(param(r, query, STR("lang"), &lang->value));
		TRY(param(r, query, STR("redirect"), &back->value));
		return site_page(&r->c, site_origin(base), STR("2fa"), ret);
	}
	if (str_ends(base, STR("/")))
		base.n--;
	return arena_printf(r->c.mem, ret, "%.*s/auth/2fa", STR_ARG(base));
}

static err_t to_factor(struct req *r, const struct oauth_end *end, str *ret)
{
	struct param params[] = { { "tempToken", end->in.temp_token }, { "methods", STR_NONE },
				  { "requires2FASetup", end->in.kind == GATE_SETUP ? STR("true") : STR_NONE },
				  { "state", end->target.is_app ? end->target.app_state : STR_NONE },
				  { "lang", STR_NONE }, { "redirect", STR_NONE } };
	str url;

	TRY(methods_of(r, end->in.factors, &params[1].value));
	TRY(factor_url(r, end->target.url, &params[4], &params[5], &url));
	return with_params(r, url, params, 6, ret);
}

static err_t land(struct req *r, struct http_reply *rep, const struct oauth_end *end)
{
	const struct param ott[] = { { "ott", end->ott }, { "state", end->target.app_state } };
	str url = end->target.url, provider = r->http->route_params[0];
	const struct param linked[] = { { "linked", provider } };

	switch (end->kind) {
	case OAUTH_END_SIGNED_IN: TRY(set_token_cookies(r, rep, &end->in.tokens)); break;
	case OAUTH_END_FACTOR: TRY(to_factor(r, end, &url)); break;
	case OAUTH_END_OTT: TRY(with_params(r, url, ott, 2, &url)); break;
	case OAUTH_END_LINKED: TRY(with_params(r, url, linked, 1, &url)); break;
	case OAUTH_END_UNSET: FAIL(ERR_BUG);
	}
	redirect(rep, 302, url);
	return OK;
}

/* The page that asks whether to link. An address is named only where the provider has proven it. */
static err_t to_conflict_page(struct req *r, struct http_reply *rep, const struct oauth_end *end)
{
	const struct param params[] = { { "provider", r->http->route_params[0] },
					{ "code", STR("OAUTH_ACCOUNT_CONFLICT") },
					{ "email", end->email } };
	str url;

	if (end->pending_id.n > 0)
		TRY(cookie_set(r, rep, COOKIE_PENDING, end->pending_id, MS_PER_HOUR));
	TRY(site_page(&r->c, site_origin(end->target.url), STR("account-conflict"), &url));
	TRY(with_params(r, url, params, 3, &url));
	redirect(rep, 302, url);
	rep->error = ERR_OAUTH_CONFLICT;
	return OK;
}

err_t api_oauth_callback(struct req *r, const void *body, struct http_reply *rep)
{
	struct oauth_arrival a = { 0 };
	struct oauth_end end = { 0 };
	struct caller who = { 0 };
	err_t e;

	(void)body;
	r->c.web = true; /* what comes of it in the browser are cookies, whatever it says of itself */
	TRY(read_arrival(r, &a, &who));
	e = oauth_arrive(&r->c, &a, &end);
	if (e.code == ERR_OAUTH_CONFLICT && end.target.url.n > 0 && !end.target.is_app && wants_page(r->http))
		return to_conflict_page(r, rep, &end);
	if (e.code != ERR_OK)
		return fail_to(r, rep, &end.target, e);
	return land(r, rep, &end);
}

/* An answer that was posted comes from the provider's page, so the browser keeps its cookie back; with the GET that
 * it is sent on to, it gives it. 303: nothing is posted again (RFC 9700 §4.12). */
err_t api_oauth_posted(struct req *r, const void *body, struct http_reply *rep)
{
	struct param params[] = { { "state", STR_NONE }, { "code", STR_NONE }, { "error", STR_NONE }, { "iss", STR_NONE },
				  { "error_description", STR_NONE }, { "given_name", STR_NONE },
				  { "family_name", STR_NONE } };
	struct beside name = { STR_NONE, STR_NONE };
	str user = STR_NONE, url;

	(void)body;
	for (size_t i = 0; i < 5; i++)
		TRY(param(r, r->http->body, str_of_cstr(params[i].name), &params[i].value));
	params[4].value = utf8_cut(params[4].value, FINDING_TEXT_MAX);
	TRY(param(r, r->http->body, STR("user"), &user));
	if (user.n > 0 && answer_posted_name(r->c.mem, user, &name).code == ERR_NO_MEMORY)
		FAIL(ERR_NO_MEMORY);
	params[5].value = name.given;
	params[6].value = name.family;
	TRY(arena_printf(r->c.mem, &url, "%.*s%.*s/oauth/%.*s/callback", STR_ARG(r->c.cfg->server.public_url),
			 STR_ARG(r->c.cfg->server.api_prefix), STR_ARG(r->http->route_params[0])));
	TRY(with_params(r, url, params, 7, &url));
	REQUIRE(url.n <= 6000, ERR_BAD_REQUEST);
	redirect(rep, 303, url);
	return OK;
}

/* ---- apps ---- */

err_t api_oauth_exchange(struct req *r, const void *body, struct http_reply *rep)
{
	const struct oauth_exchange *b = body;
	struct signed_in s;

	TRY(ott_redeem(&r->c, b->ott, b->verifier, &s));
	return reply_signed_in(r, rep, &s);
}

err_t api_oauth_token(struct req *r, const void *body, struct http_reply *rep)
{
	const struct oauth_token *b = body;
	const struct oauth_token_in in = {
		.provider = r->http->route_params[0], .id_token = b->id_token, .nonce = b->nonce,
		.beside = { b->first, b->last },
	};
	struct signed_in s;

	TRY(oauth_id_token(&r->c, &in, &s));
	return reply_signed_in(r, rep, &s);
}

/* ---- linking ---- */

err_t api_oauth_link_begin(struct req *r, const void *body, struct http_reply *rep)
{
	str ticket, name = r->http->route_params[0], url;
	struct json_out o;

	(void)body; /* read by the check that asks again who is there */
	TRY(oauth_link_ticket(&r->c, &r->who, name, &ticket));
	TRY(arena_printf(r->c.mem, &url, "%.*s%.*s/oauth/%.*s?ticket=%.*s", STR_ARG(r->c.cfg->server.public_url),
			 STR_ARG(r->c.cfg->server.api_prefix), STR_ARG(name), STR_ARG(ticket)));
	rep->status = 200;
	out_begin(&o, &rep->body);
	out_obj(&o);
	out_bool(&o, STR("success"), true);
	out_str(&o, STR("ticket"), ticket);
	out_str(&o, STR("url"), url);
	out_end_obj(&o);
	return OK;
}

err_t api_oauth_link(struct req *r, const void *body, struct http_reply *rep)
{
	const struct oauth_exchange *b = body;

	TRY(ott_link(&r->c, b->ott, b->verifier, &r->who));
	reply_success(rep);
	return OK;
}
