#include "domain/site.h"

#include <string.h>

/* "https://host:port" of "https://host:port/path?query". */
str site_origin(str url)
{
	const char *slashes = url.n == 0 ? NULL : memmem(url.p, url.n, "://", 3);
	size_t start;

	if (slashes == NULL)
		return STR_NONE;
	start = (size_t)(slashes - url.p) + 3;
	for (size_t i = start; i < url.n; i++) {
		if (url.p[i] == '/' || url.p[i] == '?' || url.p[i] == '#')
			return (str){ url.p, i };
	}
	return url;
}

str site_host(str url)
{
	str origin = site_origin(url), scheme, rest;

	(void)str_cut(origin, '/', &scheme, &rest);
	return str_skip(rest, 1);
}

str site_of(const struct ctx *c)
{
	const struct str_list *sites = &c->cfg->site.urls;
	str came_from = site_origin(c->referer);

	if (str_list_has(sites, c->origin))
		return c->origin;
	return str_list_has(sites, came_from) ? came_from : sites->items[0];
}

bool site_is_ours(const struct ctx *c, str origin)
{
	const struct str_list *sites = &c->cfg->site.urls;

	if (origin.n == 0)
		return false;
	if (str_list_has(&c->cfg->cors.origins, origin))
		return true;
	for (size_t i = 0; i < sites->n; i++) {
		if (str_eq(site_origin(sites->items[i]), origin))
			return true;
	}
	return str_eq(site_origin(c->cfg->server.public_url), origin);
}

bool site_is_web(str site)
{
	return str_starts(site, STR("https://")) || str_starts(site, STR("http://"));
}

/* Do we serve pages, and the site none of its own? */
static bool needs_ours(const struct ctx *c, str site)
{
	if (!c->cfg->ui.enabled || c->cfg->ui.headless)
		return false;
	switch (c->cfg->site.own_pages) {
	case OWN_PAGES_TRUE: return false;
	case OWN_PAGES_FALSE: return true;
	case OWN_PAGES_UNSET:
	case OWN_PAGES_AUTO: break;
	}
	return str_eq(site, c->cfg->server.public_url);
}

static err_t hosted_page(struct ctx *c, str at, str page, str *ret)
{
	return arena_printf(c->mem, ret, "%.*s%.*s/ui/%.*s", STR_ARG(at), STR_ARG(c->cfg->server.api_prefix),
			    STR_ARG(page));
}

err_t site_page(struct ctx *c, str site, str page, str *ret)
{
	if (needs_ours(c, site))
		return hosted_page(c, c->cfg->server.public_url, page, ret);
	if (site_is_web(site) && c->cfg->ui.enabled && !c->cfg->ui.headless)
		return hosted_page(c, site, page, ret);
	if (str_eq(page, STR("login")))
		return arena_printf(c->mem, ret, "%.*s/login", STR_ARG(site));
	return arena_printf(c->mem, ret, "%.*s%.*s/%.*s", STR_ARG(site), STR_ARG(c->cfg->server.api_prefix),
			    STR_ARG(page));
}

static err_t short_page(struct ctx *c, str site, str page, str *ret)
{
	if (str_eq(page, STR("magic-link/verify")))
		page = STR("magic-link");
	return arena_printf(c->mem, ret, "%.*s/%.*s", STR_ARG(site), STR_ARG(page));
}

err_t site_link(struct ctx *c, str path, str token, str *ret)
{
	str site = site_of(c), page;

	if (c->cfg->site.app_links == LINKS_SHORT && !site_is_web(site) && !needs_ours(c, site))
		TRY(short_page(c, site, path, &page));
	else
		TRY(site_page(c, site, path, &page));
	return arena_printf(c->mem, ret, "%.*s?token=%.*s", STR_ARG(page), STR_ARG(token));
}

err_t site_login_url(struct ctx *c, str *ret)
{
	str site = site_of(c);

	if (needs_ours(c, site))
		return site_page(c, site, STR("login"), ret);
	return arena_printf(c->mem, ret, "%.*s/login", STR_ARG(site));
}
