/* ui.c — the hosted pages below {prefix}/ui/, their configuration, and the places without /ui/ that lead to
 * them. A GET changes nothing: what a page does, a person's click posts. */
#include "api/page.h"
#include "api/query.h"
#include "base/return_path.h"
#include "http/path.h"

static bool is_on(const struct req *r)
{
	return r->c.cfg->ui.enabled && r->rt->ui != NULL;
}

static bool has_pages(const struct req *r)
{
	return is_on(r) && !r->c.cfg->ui.headless;
}

/* "login", "change-email/confirm", "assets/logo": what stands behind "{prefix}/ui/". */
static str name_of(const struct req *r)
{
	str name = str_skip(r->http->path, r->c.cfg->server.api_prefix.n + STR("/ui/").n);

	if (str_ends(name, STR("/")))
		name.n--;
	return name;
}

/* Where the page may send the person back to; anything doubtful counts as nothing (WB14). */
static err_t return_path_of(struct req *r, str *ret)
{
	err_t e = query_get(r->c.mem, r->http->query, STR("redirect"), ret);

	if (e.code == ERR_NO_MEMORY)
		return e;
	if (e.code != ERR_OK || !return_path_ok(*ret))
		*ret = STR_NONE;
	return OK;
}

/* ---- pages ---- */

static bool is_offered(const struct req *r, const struct embedded_page *page)
{
	if (page == NULL || !has_pages(r) || str_eq(page->name, STR("web-view"))) /* which has no address of its own */
		return false;
	return r->c.cfg->registration.enabled || !str_eq(page->name, STR("register"));
}

static err_t show(struct req *r, const struct embedded_page *page, struct http_reply *rep)
{
	str back;

	REQUIRE(is_offered(r, page), ERR_NO_ROUTE);
	TRY(return_path_of(r, &back));
	return page_show(r, page, back, rep);
}

err_t api_ui_start(struct req *r, const void *body, struct http_reply *rep)
{
	(void)body;
	return show(r, ui_page_find(STR("login")), rep);
}

err_t api_ui_file(struct req *r, const void *body, struct http_reply *rep)
{
	str name = name_of(r);
	struct ui_file file;

	(void)body;
	REQUIRE(is_on(r), ERR_NO_ROUTE);
	if (ui_file_find(r->rt->ui, name, &file))
		return page_file(r, &file, rep);
	return show(r, ui_page_find(name), rep);
}

/* ---- configuration ---- */

err_t api_ui_config(struct req *r, const void *body, struct http_reply *rep)
{
	const struct embedded_page *page;
	const struct ui_lang *lang;
	str name;

	(void)body;
	REQUIRE(is_on(r), ERR_NO_ROUTE);
	TRY(page_lang(r, &lang));
	TRY(query_get(r->c.mem, r->http->query, STR("page"), &name));
	page = ui_page_find(name);
	rep->status = 200;
	ui_config_write(r->rt->ui, r->c.cfg, page, lang, STR_NONE, true, &rep->body);
	http_reply_header(rep, "Cache-Control", STR("public, max-age=60"));
	http_reply_header(rep, "Vary", STR("Accept-Language"));
	return OK;
}

/* ---- the way there ---- */

bool wants_page(const struct http_request *http)
{
	str accept = http_header(http, "accept"), range, kind, params;

	if (str_eq_nocase(http_header(http, "sec-fetch-mode"), STR("navigate")))
		return true;
	while (accept.n > 0) {
		(void)str_cut(accept, ',', &range, &accept);
		(void)str_cut(range, ';', &kind, &params);
		if (str_eq_nocase(str_trim(kind), STR("text/html")))
			return true;
	}
	return false;
}

static err_t redirect(struct http_reply *rep, str to)
{
	rep->status = 302;
	rep->content_type = "text/plain; charset=utf-8";
	http_reply_header(rep, "Location", to);
	http_reply_header(rep, "Vary", STR("Accept"));
	buf_lit(&rep->body, "Found\n");
	return OK;
}

/* Where a person who typed our name wants to go; in development the API's description will do. NULL: nowhere. */
static const char *front_of(const struct req *r)
{
	if (has_pages(r))
		return "/ui/login";
	return r->c.cfg->dev && r->c.cfg->docs.enabled ? "/docs" : NULL;
}

err_t api_ui_front(struct req *r, const void *body, struct http_reply *rep)
{
	const char *front = front_of(r);
	str to;

	(void)body;
	REQUIRE(front != NULL && !r->listener->ops_only && wants_page(r->http), ERR_NO_ROUTE);
	TRY(arena_printf(r->c.mem, &to, "%.*s%s", STR_ARG(r->c.cfg->server.api_prefix), front));
	return redirect(rep, to);
}

/* The route's own spelling, so that nothing of the request but its query gets into the address. */
err_t api_ui_redirect(struct req *r, const void *body, struct http_reply *rep)
{
	const struct config *cfg = r->c.cfg;
	const struct route *rt = r->http->route;
	str base = has_pages(r) ? cfg->server.api_prefix : cfg->site.app_url, query = r->http->query, to;

	(void)body;
	REQUIRE(base.n > 0, ERR_NO_ROUTE);
	TRY(arena_printf(r->c.mem, &to, "%.*s%s%s%s%.*s", STR_ARG(base), has_pages(r) ? "/ui" : "", rt->pattern,
			 query.n > 0 ? "?" : "", STR_ARG(query)));
	return redirect(rep, to);
}
