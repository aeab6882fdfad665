#include "domain/takeover.h"

#include "domain/audit.h"
#include "domain/claim.h"
#include "domain/factor.h"
#include "domain/message.h"
#include "domain/onetime.h"
#include "domain/place.h"
#include "domain/session.h"
#include "domain/user.h"
#include "store/query.h"

const struct takeover_loss_name takeover_losses[N_TAKEOVER_LOSSES] = {
	{ LOSS_PASSWORD, STR_INIT("password") },	{ LOSS_PHONE, STR_INIT("phoneNumber") },
	{ LOSS_FACTOR, STR_INIT("secondFactor") },	{ LOSS_LINKED, STR_INIT("linkedAccounts") },
	{ LOSS_SESSIONS, STR_INIT("sessions") },
};

/* ---- decided ---- */

bool takeover_is_proven(const struct user_row *user)
{
	return user->email_verified && !user->mailbox_only;
}

enum takeover_verdict takeover_decide(const struct config *cfg, const struct user_row *user, bool known, int64_t now_ms)
{
	if (takeover_is_proven(user))
		return TAKEOVER_PROVEN;
	if (known)
		return TAKEOVER_KEEP;
	if (!gate_has_factor(cfg, user))
		return TAKEOVER_WIPE;
	return claim_is_due(user, now_ms) ? TAKEOVER_OPEN : TAKEOVER_ASK;
}

/* ---- removed ---- */

static err_t what_is_there(struct ctx *c, const struct user_row *user, unsigned *ret)
{
	int64_t one;
	bool linked;

	TRY(q_linked_others(c->db, c->mem, user->id, STR(""), STR(""), &one, &linked));
	*ret = (user->has_password ? LOSS_PASSWORD : 0) | (user->phone.p != NULL ? LOSS_PHONE : 0) |
	       (user->has_totp ? LOSS_FACTOR : 0) | (linked ? LOSS_LINKED : 0);
	return OK;
}

static err_t wipe(struct ctx *c, const struct user_row *user, unsigned *ret_lost)
{
	int64_t changed;

	TRY(what_is_there(c, user, ret_lost));
	TRY(q_user_clear_password(c->db, user->id, &changed));
	TRY(q_user_set_phone(c->db, user->id, STR_NONE, &changed));
	TRY(factor_wipe(c, user->id));
	TRY(q_linked_delete_all(c->db, user->id));
	TRY(q_session_delete_all(c->db, user->id, &changed));
	*ret_lost |= changed > 0 ? LOSS_SESSIONS : 0;
	TRY(onetime_void_all(c, user->id));
	TRY(onetime_void(c, user->id, ONETIME_EMAIL_REVERT));
	return place_forget_all(c, user->id);
}

/* In the language of the mail, which is known before it is written. */
static err_t list_losses(struct ctx *c, const struct user_row *user, unsigned lost, str *ret)
{
	str word;

	*ret = STR("");
	for (size_t i = 0; i < N_TAKEOVER_LOSSES; i++) {
		if ((lost & takeover_losses[i].bit) == 0)
			continue;
		TRY(template_word(c, STR("account-cleared"), user->lang, takeover_losses[i].name, &word));
		TRY(arena_printf(c->mem, ret, "%.*s%s%.*s", STR_ARG(*ret), ret->n > 0 ? ", " : "", STR_ARG(word)));
	}
	return OK;
}

static err_t tell(struct ctx *c, const struct user_row *user, unsigned lost)
{
	struct template_var var = { STR("removed"), STR_NONE };

	if (lost == 0)
		return OK;
	TRY(list_losses(c, user, lost, &var.value));
	TRY(message_to_user(c, user, STR("account-cleared"), &var, 1));
	return audit_add(c, AUDIT_ACCOUNT_TAKEN, user->uid, STR_NONE,
			 (lost & LOSS_FACTOR) != 0 ? STR("second factor too") : STR_NONE);
}

/* ---- proven ---- */

static err_t prove_in_full(struct ctx *c, struct user_row *user)
{
	int64_t changed;

	TRY(q_user_set_verified(c->db, user->id, user->email, false, &changed));
	REQUIRE(changed == 1, ERR_BUG);
	TRY(audit_add(c, AUDIT_EMAIL_VERIFIED, user->uid, STR_NONE, STR_NONE));
	return user_load(c, user->id, ERR_BUG, user);
}

err_t takeover_prove(struct ctx *c, struct user_row *user, const struct asker *a, enum takeover_verdict *ret,
		     unsigned *ret_lost)
{
	bool known;

	*ret_lost = 0;
	*ret = TAKEOVER_PROVEN;
	if (takeover_is_proven(user))
		return OK;
	TRY(asker_is_known(c, a, user, &known));
	*ret = takeover_decide(c->cfg, user, known, c->now_ms);
	if (*ret == TAKEOVER_ASK)
		return OK;
	if (*ret == TAKEOVER_WIPE || *ret == TAKEOVER_OPEN)
		TRY(wipe(c, user, ret_lost));
	TRY(prove_in_full(c, user));
	return tell(c, user, *ret_lost);
}

err_t takeover_passed(struct ctx *c, struct user_row *user)
{
	return takeover_is_proven(user) ? OK : prove_in_full(c, user);
}
