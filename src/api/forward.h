/* forward.h — what a proxy asks about, for whom a browser is sent to sign in and brought back (domain/forward.h). */
#ifndef API_FORWARD_H
#define API_FORWARD_H

#include "api/routes.h"

/* Who is it, of a request that a proxy asks about and that has no bearer token: by the pass of the host that it is
 * about, else by the access cookie. Refusals: ERR_ACCESS_TOKEN (also for nothing at all), ERR_SESSION_REVOKED. */
MUST_USE err_t forward_who(struct req *r);

/* AUTH_BROWSER was refused with `why`: a browser that opens a page of a listed host is sent to sign in (302); for all
 * else, APIs and scripts, *ret_sent is false and the refusal stays. */
MUST_USE err_t forward_begin(struct req *r, struct http_reply *rep, bool *ret_sent);

#endif
