#include "api/cors.h"

/* Shared caches must not give one origin's answer to another, so Vary stands there for all. */
static void add_headers(const struct config *cfg, str origin, struct http_reply *rep)
{
	http_reply_header(rep, "Vary", STR("Origin"));
	if (!str_list_has(&cfg->cors.origins, origin))
		return;
	http_reply_header(rep, "Access-Control-Allow-Origin", origin);
	http_reply_header(rep, "Access-Control-Allow-Credentials", STR("true"));
	http_reply_header(rep, "Access-Control-Expose-Headers",
			  STR("Retry-After, WWW-Authenticate, X-CSRF-Token, X-Request-Id"));
}

static bool is_below_prefix(const struct config *cfg, str path)
{
	str prefix = cfg->server.api_prefix;

	return path.n > prefix.n && str_eq_nocase((str){ path.p, prefix.n }, prefix) && path.p[prefix.n] == '/';
}

/* Ours, and what other tools put on every request of such a page. */
static err_t allowed_headers(const struct req *r, str *ret)
{
	const struct str_list *more = &r->c.cfg->cors.headers;
	struct buf b = { .cap = 128 };

	for (size_t i = 0; i < more->n; i++)
		b.cap += more->items[i].n + 1;
	NEW(b.p, r->c.mem, char, b.cap);
	buf_lit(&b, "Content-Type,Authorization,X-CSRF-Token,X-Api-Key,X-Auth-Strategy,Accept");
	for (size_t i = 0; i < more->n; i++) {
		buf_byte(&b, ',');
		buf_str(&b, more->items[i]);
	}
	REQUIRE(!b.overflow, ERR_BUG);
	*ret = buf_view(&b);
	return OK;
}

bool cors_preflight(const struct req *r, struct http_reply *rep)
{
	const struct config *cfg = r->c.cfg;
	str headers;

	if (cfg->cors.origins.n == 0 || r->http->method != METHOD_OPTIONS || !is_below_prefix(cfg, r->http->path))
		return false;
	rep->status = 204;
	add_headers(cfg, r->c.origin, rep);
	if (!str_list_has(&cfg->cors.origins, r->c.origin))
		return true;
	if (allowed_headers(r, &headers).code != ERR_OK)
		return false; /* then the answer is that of any OPTIONS */
	http_reply_header(rep, "Access-Control-Allow-Methods", STR("GET,POST,PUT,PATCH,DELETE,OPTIONS"));
	http_reply_header(rep, "Access-Control-Allow-Headers", headers);
	http_reply_header(rep, "Access-Control-Max-Age", STR("600"));
	return true;
}

void cors_allow(const struct req *r, const struct route *rt, struct http_reply *rep)
{
	const struct config *cfg = r->c.cfg;

	if (cfg->cors.origins.n == 0 || !is_below_prefix(cfg, r->http->path) || (rt != NULL && rt->handle == api_jwks))
		return;
	add_headers(cfg, r->c.origin, rep);
	if (r->csrf_value.n > 0 && str_list_has(&cfg->cors.origins, r->c.origin)) /* their pages cannot read our cookie */
		http_reply_header(rep, "X-CSRF-Token", r->csrf_value);
}

void cors_allow_refusal(const struct config *cfg, const struct http_request *r, struct http_reply *rep)
{
	str origin = r->origin.n > 0 ? r->origin : http_header(r, "origin");

	/* Of a head that could not be read nobody knows the path. */
	if (cfg->cors.origins.n > 0 && (r->path.n == 0 || is_below_prefix(cfg, r->path)))
		add_headers(cfg, origin, rep);
}
