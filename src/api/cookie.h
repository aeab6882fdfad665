/* cookie.h — where browsers keep what they are handed out: names, attributes, reading and clearing
 * (contract §4, RFC 6265bis). One code path with bearer clients: handlers answer by out_tokens
 * (routes.h), and the request's delivery says where the tokens go. */
#ifndef API_COOKIE_H
#define API_COOKIE_H

#include "api/routes.h"

enum cookie {
	COOKIE_ACCESS,
	COOKIE_REFRESH,
	COOKIE_CSRF,   /* the only one that scripts may read: they echo it (csrf.h) */
	COOKIE_DEVICE, /* a known device (domain/device.h) */
	COOKIE_TRUST,  /* a device that is spared the second factor */
	COOKIE_OAUTH,  /* a sign-in through a provider is under way in this browser */
	COOKIE_FORWARD, /* at an application's host: a pass (domain/forward.h) */
	COOKIE_FORWARD_BROWSER, /* there: what a ticket is bound to */
	COOKIE_PENDING, /* an account at a provider waits to be linked (domain/linked.h) */
	N_COOKIES
};

/* The value of the first cookie `prefix` + `base` in a Cookie header (RFC 6265 §5.4), as sent; STR_NONE when there is
 * none or it is empty. Pairs that are none are passed over. */
str cookie_value(str header, const char *prefix, const char *base);

/* The value under the name that the settings give, and no other: a name without the prefix can be set by
 * other hosts of the domain. STR_NONE: none. Of several the first. */
str cookie_read(const struct req *r, enum cookie which);

/* What the body does not say of the device, a browser's cookies do. Only for requests answered with cookies. */
void cookie_device(const struct req *r, str *device, str *trust);

/* Set-Cookie; value: letters, digits, and -._ only (nothing that percent-decoding would change). */
MUST_USE err_t cookie_set(struct req *r, struct http_reply *rep, enum cookie which, str value, int64_t ttl_ms);

/* Access, refresh and CSRF cookie, under each name they may ever have had; `forget` also the device's. Asks
 * the browser to drop what else it keeps of the site (cookie.clear_site_data). */
MUST_USE err_t cookie_clear(struct req *r, struct http_reply *rep, bool forget);

#endif
