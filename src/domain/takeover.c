#include "domain/takeover.h"

#include "domain/onetime.h"
#include "domain/place.h"
#include "domain/session.h"
#include "store/query.h"

err_t takeover_wipe(struct ctx *c, const struct user_row *user)
{
	if (user->email_verified)
		return OK;
	TRY(q_takeover_factors(c->db, user->id));
	TRY(q_takeover_recovery(c->db, user->id));
	TRY(q_takeover_links(c->db, user->id));
	TRY(session_end_others(c, user->id, STR_NONE));
	TRY(onetime_void_all(c, user->id));
	TRY(onetime_void(c, user->id, ONETIME_EMAIL_REVERT));
	return place_forget_all(c, user->id);
}
