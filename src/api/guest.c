/* guest.c — POST /guest: an account in one call, signed in. */
#include "domain/guest.h"

#include "api/routes.h"

err_t api_guest_create(struct req *r, const void *body, struct http_reply *rep)
{
	struct signed_in s;
	struct json_out o;
	str uid;

	(void)body;
	TRY(guest_create(&r->c, &s, &uid));
	REQUIRE(s.kind == GATE_TOKENS, ERR_BUG); /* nobody asks a guest for a second factor */
	rep->status = 200;
	out_begin(&o, &rep->body);
	out_obj(&o);
	TRY(out_tokens(r, rep, &o, &s.tokens));
	out_str(&o, STR("userId"), uid);
	out_end_obj(&o);
	return OK;
}
