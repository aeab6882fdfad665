/* csrf.h — was a request that cookies authorise, or that signs a browser in, sent by a page of ours?
 *
 * Three questions (ASVS 5.0 3.5.1-3.5.3): do the browser's own marks (Sec-Fetch-Site, Origin) name this origin
 * or a listed one; does X-CSRF-Token repeat the cookie, and is that value ours and of this session; is the body
 * JSON (body.h). A request that neither a browser marks nor a cookie authorises needs no token.
 *
 * The value is nonce, a name of the session (all zero before sign-in) and a MAC over both, base64url: nothing
 * that percent-decoding changes. */
#ifndef API_CSRF_H
#define API_CSRF_H

#include "api/routes.h"

/* Before the caller is looked at. Refusal: ERR_CSRF. */
MUST_USE err_t csrf_check(struct req *r, const struct route *rt);
/* After it: is the value of this session? Refusal: ERR_CSRF. */
MUST_USE err_t csrf_check_session(struct req *r);

/* A value for a session that was just opened or rotated, NULL: for nobody yet. What was done stands by then: if
 * no value can be made, the next request gets one. */
void csrf_set(struct req *r, struct http_reply *rep, const uint8_t *sid, int64_t ttl_ms);
/* At the end of any request: who has no value, or one that is not good here, gets one. */
void csrf_renew(struct req *r, const struct route *rt, enum err_code refused, struct http_reply *rep);

#endif
