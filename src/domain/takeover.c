#include "domain/takeover.h"

#include "domain/factor.h"
#include "domain/onetime.h"
#include "domain/place.h"
#include "domain/session.h"
#include "store/query.h"

err_t takeover_wipe(struct ctx *c, const struct user_row *user)
{
	int64_t changed;

	if (user->email_verified)
		return OK;
	TRY(q_user_clear_password(c->db, user->id, &changed));
	TRY(q_user_set_phone(c->db, user->id, STR_NONE, &changed));
	TRY(factor_wipe(c, user->id));
	TRY(q_takeover_links(c->db, user->id));
	TRY(session_end_others(c, user->id, STR_NONE));
	TRY(onetime_void_all(c, user->id));
	TRY(onetime_void(c, user->id, ONETIME_EMAIL_REVERT));
	return place_forget_all(c, user->id);
}
