/* forward.c — GET /forward/sign-in and GET /forward/done, and what GET /forward and GET /check read of a proxy's question.
 *
 *   app host:  GET /inside ─ proxy asks GET /forward ─ 302, and a cookie that names the browser at this host
 *   this host: GET /forward/sign-in?to=…&browser=… ─ (the sign-in page and back) ─ 302 with a ticket
 *   app host:  GET /forward/done?ticket=…&to=… ─ 302 with the pass in a cookie ─ GET /inside
 */
#include "api/forward.h"

#include "api/cookie.h"
#include "base/base64url.h"
#include "domain/forward.h"
#include "domain/site.h"
#include "http/path.h"
#include "oauth/form.h"

static void redirect(struct http_reply *rep, str to)
{
	rep->status = 302;
	rep->body.n = 0;
	rep->content_type = "text/plain; charset=utf-8";
	buf_lit(&rep->body, "Found\n");
	http_reply_header(rep, "Location", to);
}

static err_t escaped(struct req *r, str value, str *ret)
{
	struct buf b = { .cap = FORM_ROOM(value.n) + 1 };

	NEW(b.p, r->c.mem, char, b.cap);
	form_escape(&b, value);
	REQUIRE(!b.overflow, ERR_BUG);
	*ret = buf_view(&b);
	return OK;
}

/* ---- the proxy's question ---- */

struct question {
	str method;
	struct forward_target at; /* host.n 0: of no listed host */
};

/* "https://app.example.com/inside?x=1" of nginx's samples: host and target. */
static void split_url(str url, str *ret_host, str *ret_uri)
{
	str origin = site_origin(url);

	*ret_host = site_host(url);
	*ret_uri = str_skip(url, origin.n);
}

static bool agree(str a, str b)
{
	return a.n == 0 || b.n == 0 || str_eq_nocase(a, b);
}

/* What a trusted proxy says in one of two ways; if it says both and they differ, neither is believed. Who asks by
 * himself asks about the host that he asks. */
static struct question question_of(const struct req *r)
{
	struct question q = { .method = STR("GET") };
	str host = http_header(r->http, "x-forwarded-host"), uri = http_header(r->http, "x-forwarded-uri");
	str method = http_header(r->http, "x-forwarded-method"), url = http_header(r->http, "x-original-url");
	str url_host, url_uri;

	if (!r->http->proxied || (host.n == 0 && url.n == 0)) {
		q.at = forward_place(forward_host(r->c.cfg, http_header(r->http, "host")), STR("/"));
		return q;
	}
	split_url(url, &url_host, &url_uri);
	if (!agree(host, url_host) || (uri.n > 0 && url_uri.n > 0 && !str_eq(uri, url_uri)))
		return q;
	if (method.n == 0)
		method = http_header(r->http, "x-original-method");
	if (method.n > 0)
		q.method = method;
	q.at = forward_place(forward_host(r->c.cfg, host.n > 0 ? host : url_host), uri.n > 0 ? uri : url_uri);
	return q;
}

/* Of no listed host: there is none. */
static err_t holder_of(struct req *r, str pass)
{
	str host = question_of(r).at.host;

	REQUIRE(host.n > 0, ERR_ACCESS_TOKEN);
	return forward_caller(&r->c, pass, host, &r->who);
}

err_t forward_who(struct req *r)
{
	str pass = cookie_read(r, COOKIE_FORWARD), access = cookie_read(r, COOKIE_ACCESS);
	err_t e = { ERR_ACCESS_TOKEN };

	r->by_cookie = true;
	if (pass.n > 0)
		e = holder_of(r, pass);
	if (e.code == ERR_OK || err_is_fault(e) || access.n == 0)
		return e;
	err_clear_origin();
	return session_caller(&r->c, access, &r->who);
}

/* ---- off to sign in ---- */

/* A person's browser that opens a page: not a script of one, not a program, not a form whose contents would be lost. */
static bool opens_page(const struct req *r, str method)
{
	if (!str_eq(method, STR("GET")) && !str_eq(method, STR("HEAD")))
		return false;
	if (http_header(r->http, "authorization").p != NULL || http_header(r->http, "x-requested-with").p != NULL)
		return false;
	if (http_header(r->http, "sec-fetch-mode").p != NULL)
		return str_eq(http_header(r->http, "sec-fetch-mode"), STR("navigate"));
	return wants_page(r->http);
}

/* What the browser keeps at the application's host stays the same while it is there: several pages may be under way. */
static err_t keep_browser(struct req *r, struct http_reply *rep, str *ret_name)
{
	str browser = cookie_read(r, COOKIE_FORWARD_BROWSER);
	WIPED_ARRAY(uint8_t, raw, 32);
	struct buf b = { .cap = FORWARD_BROWSER_TEXT };

	if (!forward_browser_ok(browser)) {
		TRY(rng_fill(r->c.rng, raw, sizeof(raw)));
		NEW(b.p, r->c.mem, char, b.cap);
		base64url_encode(&b, str_of_bytes(raw, sizeof(raw)));
		REQUIRE(!b.overflow, ERR_BUG);
		browser = buf_view(&b);
	}
	TRY(forward_browser_name(&r->c, browser, ret_name));
	return cookie_set(r, rep, COOKIE_FORWARD_BROWSER, browser, FORWARD_BROWSER_MS);
}

err_t forward_begin(struct req *r, struct http_reply *rep, bool *ret_sent)
{
	const struct config *cfg = r->c.cfg;
	struct question q = question_of(r);
	str to, name = STR_NONE;

	*ret_sent = q.at.host.n > 0 && opens_page(r, q.method);
	if (!*ret_sent)
		return OK;
	TRY(forward_url(&r->c, &q.at, &to));
	TRY(escaped(r, to, &to));
	if (!forward_shares_cookies(cfg, q.at.host))
		TRY(keep_browser(r, rep, &name));
	TRY(arena_printf(r->c.mem, &to, "%.*s%.*s/forward/sign-in?to=%.*s%s%.*s", STR_ARG(cfg->server.public_url),
			 STR_ARG(cfg->server.api_prefix), STR_ARG(to), name.n > 0 ? "&browser=" : "", STR_ARG(name)));
	redirect(rep, to);
	return OK;
}

/* ---- at this host ---- */

/* A session that is only asleep is woken by its refresh token, if the browser sends that here (cookie.h: not with a
 * path or domain of its own; then the sign-in page does it). */
static err_t wake(struct req *r, struct tokens *ret)
{
	str refresh = cookie_read(r, COOKIE_REFRESH);
	err_t e;

	if (refresh.n == 0)
		return OK;
	e = session_refresh(&r->c, refresh, ret);
	if (e.code != ERR_OK) {
		*ret = (struct tokens){ 0 };
		return err_is_fault(e) ? e : OK;
	}
	return session_caller_of(&r->c, ret->sid, &r->who);
}

/* r->who.row.id stays 0 when nobody is signed in. ret->access.n > 0: these are its tokens now. */
static err_t find_session(struct req *r, struct tokens *ret)
{
	str access = cookie_read(r, COOKIE_ACCESS);
	err_t e = { ERR_ACCESS_TOKEN };

	if (access.n > 0)
		e = session_caller(&r->c, access, &r->who);
	if (e.code == ERR_OK || err_is_fault(e))
		return e;
	err_clear_origin();
	r->who.row.id = 0;
	return wake(r, ret);
}

/* To the hosted page, which comes back to this path; or to the page of somebody's own, which is told the address. */
static err_t to_sign_in(struct req *r, struct http_reply *rep)
{
	const struct config *cfg = r->c.cfg;
	bool hosted = cfg->ui.enabled && !cfg->ui.headless;
	str page, back;

	TRY(site_page(&r->c, hosted ? cfg->server.public_url : cfg->site.urls.items[0], STR("login"), &page));
	TRY(arena_printf(r->c.mem, &back, "%.*s%.*s/forward/sign-in?%.*s", STR_ARG(hosted ? STR("") : cfg->server.public_url),
			 STR_ARG(cfg->server.api_prefix), STR_ARG(r->http->query)));
	TRY(escaped(r, back, &back));
	TRY(arena_printf(r->c.mem, &page, "%.*s?redirect=%.*s", STR_ARG(page), STR_ARG(back)));
	redirect(rep, page);
	return OK;
}

static err_t to_application(struct req *r, const struct forward_target *at, str browser_name, struct http_reply *rep)
{
	struct forward_target done = { .host = at->host };
	str ticket, path, url;

	REQUIRE(forward_browser_ok(browser_name), ERR_FORWARD_COOKIE);
	TRY(forward_hand_over(&r->c, &r->who, at->host, browser_name, &ticket));
	TRY(escaped(r, at->path, &path));
	TRY(arena_printf(r->c.mem, &done.path, "%.*s/forward/done?ticket=%.*s&to=%.*s", STR_ARG(r->c.cfg->server.api_prefix),
			 STR_ARG(ticket), STR_ARG(path)));
	TRY(forward_url(&r->c, &done, &url));
	redirect(rep, url);
	return OK;
}

err_t api_forward_sign_in(struct req *r, const void *body, struct http_reply *rep)
{
	struct tokens woken = { 0 };
	struct forward_target at;
	str to, browser_name, url;

	(void)body;
	TRY(query_get(r->c.mem, r->http->query, STR("to"), &to));
	TRY(query_get(r->c.mem, r->http->query, STR("browser"), &browser_name));
	REQUIRE(forward_read(r->c.cfg, to, &at), ERR_FORWARD_TARGET);
	TRY(find_session(r, &woken));
	if (woken.access.n > 0)
		TRY(set_token_cookies(r, rep, &woken));
	if (r->who.row.id == 0)
		return to_sign_in(r, rep);
	if (!forward_shares_cookies(r->c.cfg, at.host))
		return to_application(r, &at, browser_name, rep);
	TRY(forward_url(&r->c, &at, &url));
	redirect(rep, url);
	return OK;
}

/* ---- at the application's host ---- */

static err_t arrive(struct req *r, str host, struct http_reply *rep)
{
	str ticket, pass, browser = cookie_read(r, COOKIE_FORWARD_BROWSER);
	err_t e;

	REQUIRE(forward_browser_ok(browser), ERR_FORWARD_COOKIE);
	TRY(query_get(r->c.mem, r->http->query, STR("ticket"), &ticket));
	e = forward_arrive(&r->c, ticket, host, browser, &pass);
	if (e.code == ERR_FORWARD_TICKET || e.code == ERR_SESSION_REVOKED) {
		err_clear_origin(); /* the page asks again: of an address that was kept, or loaded a second time */
		return OK;
	}
	TRY(e);
	return cookie_set(r, rep, COOKIE_FORWARD, pass, r->c.cfg->forward.ttl_ms);
}

err_t api_forward_done(struct req *r, const void *body, struct http_reply *rep)
{
	struct forward_target at = { .host = question_of(r).at.host };
	str to, url;

	(void)body;
	r->csrf_done = true; /* nothing of this server's pages is kept at that host */
	REQUIRE(at.host.n > 0, ERR_FORWARD_TARGET);
	TRY(query_get(r->c.mem, r->http->query, STR("to"), &to));
	TRY(arrive(r, at.host, rep));
	at = forward_place(at.host, to);
	TRY(forward_url(&r->c, &at, &url));
	redirect(rep, url);
	return OK;
}
