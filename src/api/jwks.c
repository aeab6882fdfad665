/* jwks.c — the public signing keys, at the root and below the prefix. */
#include "api/routes.h"

err_t api_jwks(struct req *r, const void *body, struct http_reply *rep)
{
	(void)body;
	rep->status = 200;
	keyring_jwks(r->c.keys, r->c.now_ms, &rep->body);
	http_reply_header(rep, "Cache-Control", STR("public, max-age=3600"));
	http_reply_header(rep, "Access-Control-Allow-Origin", STR("*"));
	http_reply_header(rep, "Cross-Origin-Resource-Policy", STR("cross-origin"));
	return OK;
}
