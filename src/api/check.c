/* check.c — GET /check: nginx auth_request, Traefik and Caddy forward-auth. The proxy copies the
 * X-Auth-… headers to the application behind it. */
#include "api/routes.h"
#include "domain/email.h"
#include "domain/uid.h"

err_t api_check(struct req *r, const void *body, struct http_reply *rep)
{
	str uid, typed, address;

	(void)body;
	TRY(uid_text(r->c.mem, r->who.row.uid, &uid));
	/* The canonical form: a header takes ASCII only. */
	TRY(email_canonical(r->c.mem, r->who.row.email, &typed, &address));
	http_reply_header(rep, "X-Auth-User-Id", uid);
	http_reply_header(rep, "X-Auth-Email", address);
	if (r->who.row.role.n > 0)
		http_reply_header(rep, "X-Auth-Role", r->who.row.role);
	rep->status = 200;
	buf_lit(&rep->body, "{\"success\":true}");
	return OK;
}
