/* site.h — where links lead: to one of site.urls, never anywhere else. A request only chooses among them. */
#ifndef DOMAIN_SITE_H
#define DOMAIN_SITE_H

#include "domain/ctx.h"

/* The entry that equals the request's Origin, or the origin of its Referer; else the first. */
str site_of(const struct ctx *c);

/* Is it the origin of this server, of one of site.urls, or one of cors.origins? Exactly. */
bool site_is_ours(const struct ctx *c, str origin);

/* The page of that name for a site, without a slash in front: "reset-password". While there are hosted pages, a site
 * without pages of its own (site.own_pages) gets "{public_url}{api_prefix}/ui/{page}", which exists, and any other web
 * site "{site}{api_prefix}/ui/{page}". Else, and for the scheme of an app, it is the site's own:
 * "{site}{api_prefix}/{page}", and "{site}/login". Source: contract §8. */
MUST_USE err_t site_page(struct ctx *c, str site, str page, str *ret);

/* "{page}?token={token}", the page as above for the request's site. For the scheme of an app with site.app_links = short:
 * "{site}/{path}?token={token}", and "magic-link/verify" becomes "magic-link", as apps expect it (contract §18 M6). */
MUST_USE err_t site_link(struct ctx *c, str path, str token, str *ret);
/* Where mails lead somebody to sign in: the hosted page for a site without pages of its own, else "{site}/login". */
MUST_USE err_t site_login_url(struct ctx *c, str *ret);

/* "https://host:port" of "https://host:port/path"; STR_NONE when it has no authority. */
str site_origin(str url);

/* "host:port" of the same; STR_NONE. */
str site_host(str url);

/* http or https, and not the scheme of an app? */
bool site_is_web(str site);

#endif
