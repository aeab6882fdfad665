/* site.h — where links lead: to one of site.urls, never anywhere else. A request only chooses among them. */
#ifndef DOMAIN_SITE_H
#define DOMAIN_SITE_H

#include "domain/ctx.h"

/* The entry that equals the request's Origin, or the origin of its Referer; else the first. */
str site_of(const struct ctx *c);

/* Is it the origin of this server, of one of site.urls, or one of cors.origins? Exactly. */
bool site_is_ours(const struct ctx *c, str origin);

/* "{site}{api_prefix}/{path}?token={token}", path without a slash in front: "reset-password". Where there are
 * hosted pages, "/ui" stands before the path, but not for custom schemes: an app has no such pages. For custom
 * schemes with site.app_links = short: "{site}/{path}?token={token}", and
 * "magic-link/verify" becomes "magic-link", as apps expect it (contract §18 M6). */
MUST_USE err_t site_link(struct ctx *c, str path, str token, str *ret);
/* "{site}/login" */
MUST_USE err_t site_login_url(struct ctx *c, str *ret);

/* "https://host:port" of "https://host:port/path"; STR_NONE when it has no authority. */
str site_origin(str url);

/* "host:port" of the same; STR_NONE. */
str site_host(str url);

/* The page of that name for a site: the hosted one where there is one, else the application's own; with no pages the
 * login is "{site}/login". */
MUST_USE err_t site_page(struct ctx *c, str site, str page, str *ret);

/* http or https, and not the scheme of an app? */
bool site_is_web(str site);

#endif
