#include "api/cors.h"

/* Shared caches must not give one origin's answer to another, so Vary stands there for all. */
static void add_headers(const struct req *r, struct http_reply *rep)
{
	http_reply_header(rep, "Vary", STR("Origin"));
	if (!str_list_has(&r->c.cfg->cors.origins, r->c.origin))
		return;
	http_reply_header(rep, "Access-Control-Allow-Origin", r->c.origin);
	http_reply_header(rep, "Access-Control-Allow-Credentials", STR("true"));
	http_reply_header(rep, "Access-Control-Expose-Headers",
			  STR("Retry-After, WWW-Authenticate, X-CSRF-Token, X-Request-Id"));
	if (r->csrf_value.n > 0) /* their pages cannot read our cookie */
		http_reply_header(rep, "X-CSRF-Token", r->csrf_value);
}

static bool is_on(const struct req *r)
{
	return r->c.cfg->cors.origins.n > 0;
}

static bool is_below_prefix(const struct req *r)
{
	str prefix = r->c.cfg->server.api_prefix, path = r->http->path;

	return path.n > prefix.n && str_eq_nocase((str){ path.p, prefix.n }, prefix) && path.p[prefix.n] == '/';
}

bool cors_preflight(const struct req *r, struct http_reply *rep)
{
	if (!is_on(r) || r->http->method != METHOD_OPTIONS || !is_below_prefix(r))
		return false;
	rep->status = 204;
	add_headers(r, rep);
	if (!str_list_has(&r->c.cfg->cors.origins, r->c.origin))
		return true;
	http_reply_header(rep, "Access-Control-Allow-Methods", STR("GET,POST,PUT,PATCH,DELETE,OPTIONS"));
	http_reply_header(rep, "Access-Control-Allow-Headers",
			  STR("Content-Type,Authorization,X-CSRF-Token,X-Api-Key,X-Auth-Strategy,Accept"));
	http_reply_header(rep, "Access-Control-Max-Age", STR("600"));
	return true;
}

void cors_allow(const struct req *r, const struct route *rt, struct http_reply *rep)
{
	if (is_on(r) && is_below_prefix(r) && (rt == NULL || rt->handle != api_jwks))
		add_headers(r, rep);
}
