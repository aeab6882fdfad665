/* asker.c — who asks for a message, as far as what comes along shows it. */
#include "api/cookie.h"

err_t req_asker(struct req *r, str device, struct asker *ret)
{
	str token = bearer_token(r->http), trust = STR_NONE;
	struct caller who = { 0 };
	err_t e = OK;

	if (token.p == NULL)
		token = cookie_read(r, COOKIE_ACCESS);
	if (token.n > 0)
		e = session_caller(&r->c, token, &who);
	if (err_is_fault(e))
		return e;
	err_clear_origin();
	cookie_device(r, &device, &trust);
	*ret = (struct asker){ .device = device, .user_id = e.code == ERR_OK ? who.row.id : 0 };
	return OK;
}
