#include "domain/site.h"

#include <string.h>

static bool is_listed(const struct config *cfg, str url, str *ret)
{
	for (size_t i = 0; i < cfg->site.urls.n; i++) {
		if (str_eq(cfg->site.urls.items[i], url)) {
			*ret = cfg->site.urls.items[i];
			return true;
		}
	}
	return false;
}

/* "https://host:port" of "https://host:port/path?query". */
static str origin_of(str url)
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

str site_of(const struct ctx *c)
{
	str site;

	if (c->origin.n > 0 && is_listed(c->cfg, c->origin, &site))
		return site;
	if (c->referer.n > 0 && is_listed(c->cfg, origin_of(c->referer), &site))
		return site;
	return c->cfg->site.urls.items[0];
}

bool site_is_ours(const struct ctx *c, str origin)
{
	const struct str_list *sites = &c->cfg->site.urls, *others = &c->cfg->cors.origins;

	if (origin.n == 0)
		return false;
	for (size_t i = 0; i < others->n; i++) {
		if (str_eq(others->items[i], origin))
			return true;
	}
	for (size_t i = 0; i < sites->n; i++) {
		if (str_eq(origin_of(sites->items[i]), origin))
			return true;
	}
	return str_eq(origin_of(c->cfg->server.public_url), origin);
}

static bool is_web(str site)
{
	return str_starts(site, STR("https://")) || str_starts(site, STR("http://"));
}

static bool has_pages(const struct ctx *c, str site)
{
	return is_web(site) && c->cfg->ui.enabled && !c->cfg->ui.headless;
}

err_t site_page(struct ctx *c, str site, str page, str *ret)
{
	if (!has_pages(c, site) && str_eq(page, STR("login")))
		return arena_printf(c->mem, ret, "%.*s/login", STR_ARG(site));
	return arena_printf(c->mem, ret, "%.*s%.*s%s/%.*s", STR_ARG(site), STR_ARG(c->cfg->server.api_prefix),
			    has_pages(c, site) ? "/ui" : "", STR_ARG(page));
}

err_t site_link(struct ctx *c, str path, str token, str *ret)
{
	str site = site_of(c), prefix = c->cfg->server.api_prefix;
	const char *pages = "";

	if (has_pages(c, site))
		pages = "/ui";
	if (!is_web(site) && c->cfg->site.app_links == LINKS_SHORT) {
		prefix = STR("");
		if (str_eq(path, STR("magic-link/verify")))
			path = STR("magic-link");
	}
	return arena_printf(c->mem, ret, "%.*s%.*s%s/%.*s?token=%.*s", STR_ARG(site), STR_ARG(prefix), pages,
			    STR_ARG(path), STR_ARG(token));
}

err_t site_login_url(struct ctx *c, str *ret)
{
	return arena_printf(c->mem, ret, "%.*s/login", STR_ARG(site_of(c)));
}

str site_listed(const struct config *cfg, str url)
{
	str site;

	return is_listed(cfg, url, &site) ? site : STR_NONE;
}

str site_origin(str url)
{
	return origin_of(url);
}

bool site_is_web(str url)
{
	return is_web(url);
}
