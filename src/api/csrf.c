#include "api/csrf.h"

#include <string.h>

#include "api/cookie.h"
#include "base/base64url.h"
#include "base/log.h"
#include "domain/site.h"

#define NAME_BYTES  16
#define VALUE_BYTES (NONCE_BYTES + NAME_BYTES + MAC_BYTES)

struct value {
	uint8_t nonce[NONCE_BYTES];
	uint8_t name[NAME_BYTES]; /* of the session */
	uint8_t tag[MAC_BYTES];
};
_Static_assert(sizeof(struct value) == VALUE_BYTES, "no padding");

/* ---- values ---- */

static void session_name(const struct req *r, const uint8_t sid[UID_BYTES], uint8_t ret[NAME_BYTES])
{
	const str parts[] = { STR("session"), str_of_bytes(sid, UID_BYTES) };
	uint8_t tag[MAC_BYTES];

	mac_tag_parts(&r->c.keys->csrf, parts, 2, tag);
	memcpy(ret, tag, NAME_BYTES);
}

static void value_tag(const struct req *r, const struct value *v, uint8_t ret[MAC_BYTES])
{
	const str parts[] = { STR("value"), str_of_bytes(v->nonce, NONCE_BYTES), str_of_bytes(v->name, NAME_BYTES) };

	mac_tag_parts(&r->c.keys->csrf, parts, 3, ret);
}

static bool value_read(const struct req *r, str text, struct value *ret)
{
	uint8_t tag[MAC_BYTES];
	size_t n = 0;

	if (text.n != BASE64URL_LEN(VALUE_BYTES) ||
	    !base64url_decode(text, (uint8_t *)ret, VALUE_BYTES, &n) || n != VALUE_BYTES)
		return false;
	value_tag(r, ret, tag);
	return secret_equal_bytes(tag, ret->tag, MAC_BYTES);
}

static err_t value_make(struct req *r, const uint8_t *sid, str *ret)
{
	struct value v = { { 0 }, { 0 }, { 0 } };
	struct buf b = { .cap = BASE64URL_LEN(VALUE_BYTES) };

	TRY(rng_fill(r->c.rng, v.nonce, NONCE_BYTES));
	if (sid != NULL)
		session_name(r, sid, v.name);
	value_tag(r, &v, v.tag);
	NEW(b.p, r->c.mem, char, b.cap);
	base64url_encode(&b, str_of_bytes((const uint8_t *)&v, VALUE_BYTES));
	REQUIRE(!b.overflow, ERR_BUG);
	*ret = buf_view(&b);
	return OK;
}

/* ---- which requests ---- */

static bool is_safe(enum http_method m)
{
	return m == METHOD_GET || m == METHOD_HEAD || m == METHOD_OPTIONS;
}

static bool is_marked(const struct req *r)
{
	return http_header(r->http, "sec-fetch-site").p != NULL || r->c.origin.p != NULL;
}

/* Could this request end with cookies in the browser? */
static bool signs_in(const struct req *r, const struct route *rt)
{
	return (rt->auth == AUTH_SIGN_IN || rt->auth == AUTH_SESSION || rt->auth == AUTH_SETUP ||
		rt->auth == AUTH_GUEST) &&
	       r->delivery == DELIVERY_COOKIE;
}

static bool applies(const struct req *r, const struct route *rt)
{
	if (!r->c.cfg->csrf.enabled || rt->place != PLACE_PREFIX || is_safe(r->http->method))
		return false;
	return r->by_cookie || (signs_in(r, rt) && is_marked(r) && bearer_token(r->http).p == NULL);
}

/* "https://host" of a request to that host. The marks of a browser are not sent over plain http, other than to
 * the own machine. */
static bool is_own_host(const struct req *r)
{
	str scheme = r->http->tls ? STR("https://") : STR("http://");

	return str_starts(r->c.origin, scheme) &&
	       str_eq_nocase(str_skip(r->c.origin, scheme.n), http_header(r->http, "host"));
}

static bool is_from_our_page(const struct req *r)
{
	str site = http_header(r->http, "sec-fetch-site");

	if (str_eq(site, STR("same-origin")) || str_eq(site, STR("none")))
		return true;
	if (site.p == NULL && (r->c.origin.p == NULL || is_own_host(r)))
		return true;
	return site_is_ours(&r->c, r->c.origin);
}

/* ---- checks ---- */

static err_t refuse(const struct route *rt)
{
	FAIL(rt->handle == api_linked_request ? ERR_CSRF_LINK : ERR_CSRF); /* the wire has a text of its own for it */
}

/* Who cookies name, though they may be over: an expired session signs out, and refreshes. */
static err_t session_of_cookies(struct req *r, uint8_t sid[UID_BYTES], bool *ret)
{
	return session_named(&r->c, cookie_read(r, COOKIE_ACCESS), cookie_read(r, COOKIE_REFRESH), sid, ret);
}

err_t csrf_check(struct req *r, const struct route *rt)
{
	str sent = http_header(r->http, "x-csrf-token"), kept = cookie_read(r, COOKIE_CSRF);
	struct value v;

	if (!applies(r, rt))
		return OK;
	if (!is_from_our_page(r) || sent.n == 0 || sent.n != kept.n || !secret_equal_bytes(sent.p, kept.p, sent.n) ||
	    !value_read(r, kept, &v))
		return refuse(rt);
	r->csrf_asked = true;
	return OK;
}

err_t csrf_check_session(struct req *r)
{
	uint8_t sid[UID_BYTES], name[NAME_BYTES];
	struct value v;
	bool named = r->who.row.id != 0;

	if (!r->csrf_asked || !r->by_cookie)
		return OK;
	if (named)
		memcpy(sid, r->who.token.sid, UID_BYTES);
	else
		TRY(session_of_cookies(r, sid, &named));
	if (!named) /* before sign-in, as far as anybody can tell */
		return OK;
	session_name(r, sid, name);
	if (!value_read(r, cookie_read(r, COOKIE_CSRF), &v) || !secret_equal_bytes(v.name, name, NAME_BYTES))
		return refuse(r->http->route);
	return OK;
}

/* ---- cookies ---- */

static err_t set_value(struct req *r, struct http_reply *rep, const uint8_t *sid, int64_t ttl_ms)
{
	str value;

	TRY(value_make(r, sid, &value));
	TRY(cookie_set(r, rep, COOKIE_CSRF, value, ttl_ms));
	r->csrf_value = value;
	return OK;
}

void csrf_set(struct req *r, struct http_reply *rep, const uint8_t *sid, int64_t ttl_ms)
{
	r->csrf_done = true;
	if (r->c.cfg->csrf.enabled && set_value(r, rep, sid, ttl_ms).code != ERR_OK)
		log_event(LOG_WARN, "csrf_not_set", LOG_STR("request_id", r->c.request_id));
	err_clear_origin();
}

/* Files and keys may be kept by caches; forward-auth answers go to a proxy. */
static bool takes_cookies(const struct req *r, const struct route *rt, const struct http_reply *rep)
{
	if (r->csrf_done || !r->c.cfg->csrf.enabled || rt->place != PLACE_PREFIX || route_is_proxys(rt) ||
	    rt->handle == api_jwks || r->delivery == DELIVERY_BEARER || bearer_token(r->http).p != NULL)
		return false;
	for (size_t i = 0; i < rep->n_headers; i++) {
		if (str_eq(str_of_cstr(rep->headers[i].name), STR("Cache-Control")) &&
		    str_starts(rep->headers[i].value, STR("public")))
			return false;
	}
	return true;
}

/* Where nobody was looked for, any value will do. */
static bool is_of_caller(const struct req *r, const struct value *v)
{
	uint8_t name[NAME_BYTES];

	if (r->who.row.id == 0)
		return true;
	session_name(r, r->who.token.sid, name);
	return secret_equal_bytes(v->name, name, NAME_BYTES);
}

void csrf_renew(struct req *r, const struct route *rt, enum err_code refused, struct http_reply *rep)
{
	bool again = refused == ERR_CSRF || refused == ERR_CSRF_LINK, named = false;
	uint8_t sid[UID_BYTES];
	struct value v;

	if (!takes_cookies(r, rt, rep))
		return;
	if (!again && value_read(r, cookie_read(r, COOKIE_CSRF), &v) && is_of_caller(r, &v)) {
		r->csrf_value = cookie_read(r, COOKIE_CSRF);
		return;
	}
	if (session_of_cookies(r, sid, &named).code != ERR_OK)
		named = false;
	csrf_set(r, rep, named ? sid : NULL, r->c.cfg->token.web_refresh_ttl_ms);
}
