/* forward.h — applications behind a proxy that asks us who is there (forward-auth), on hosts of their own: which
 * hosts those are, where a browser may be sent back to, and how its session gets there.
 *
 * Cookies of this server's host do not reach another host, and should not: whoever runs an application would hold
 * tokens that do anything. So the session is handed over. A ticket (one use, one minute, of one host and of the browser
 * that came from there) is changed into a pass: a cookie of that host, which says which session it stands for and is good
 * for being asked about and nothing else. It ends with the session. docs/decisions/0018-forward-auth.md */
#ifndef DOMAIN_FORWARD_H
#define DOMAIN_FORWARD_H

#include "domain/session.h"

#define FORWARD_URL_MAX     2048
#define FORWARD_BROWSER_TEXT 43 /* what a browser brings back from the application's host: 32 bytes as base64url */
#define FORWARD_BROWSER_MS  (10 * MS_PER_MIN)

/* A place in a protected application. */
struct forward_target {
	str host; /* as in forward.hosts; of server.public_url: "auth.example.com", "app.example.com:8443" */
	str path; /* with its query, and "/" in front */
};

/* The entry of forward.hosts, or the host of server.public_url, that `host` (as in a Host header, in any case) is.
 * STR_NONE: none. */
str forward_host(const struct config *cfg, str host);

/* Is `url` a page of one of these hosts, under the scheme of server.public_url? Anything that a browser could take for
 * another host is none. */
bool forward_read(const struct config *cfg, str url, struct forward_target *ret);

/* The same of a host and the target of a request to it; of a target that is none or too long the application's start
 * remains. host: from forward_host. */
struct forward_target forward_place(str host, str uri);

/* "https://app.example.com/inside?x=1" */
MUST_USE err_t forward_url(struct ctx *c, const struct forward_target *t, str *ret);

/* Do cookies of this server reach that host by themselves: its own, or one below cookie.domain? */
bool forward_shares_cookies(const struct config *cfg, str host);

/* What the browser shows to us of what it keeps there: *ret names `browser` and does not tell it. */
MUST_USE err_t forward_browser_name(struct ctx *c, str browser, str *ret);
bool forward_browser_ok(str browser); /* 43 characters of base64url: of `browser` and of its name */

/* A ticket for who is signed in. At most FORWARD_TICKETS of an account live; the oldest goes. browser_name: the only
 * one that may use it. Cost: 1 transaction. Fault: ERR_CLOCK. */
#define FORWARD_TICKETS 16
MUST_USE err_t forward_hand_over(struct ctx *c, const struct caller *who, str host, str browser_name, str *ret_ticket);

/* Use it up for a pass. Refusals: ERR_FORWARD_TICKET (unknown, used, expired, of another host or browser),
 * ERR_SESSION_REVOKED. Cost: 1 transaction. */
MUST_USE err_t forward_arrive(struct ctx *c, str ticket, str host, str browser, str *ret_pass);

/* Who holds this pass of that host. The session is looked up whatever session.check_on says. Refusals: ERR_ACCESS_TOKEN
 * (not ours, over, of another host), ERR_SESSION_REVOKED. Cost: 1 read. */
MUST_USE err_t forward_caller(struct ctx *c, str pass, str host, struct caller *ret);

#endif
