#include "domain/password.h"

#include "domain/asked.h"
#include "domain/audit.h"
#include "domain/clock_guard.h"
#include "domain/credential.h"
#include "domain/email.h"
#include "domain/message.h"
#include "domain/onetime.h"
#include "domain/place.h"
#include "domain/stepup.h"
#include "domain/takeover.h"
#include "domain/user.h"
#include "store/query.h"

/* ---- forgotten ---- */

static err_t send_link(struct ctx *c, const struct user_row *user, str lang)
{
	const struct message_link m = {
		.template = STR("password-reset"), .path = STR("reset-password"), .purpose = ONETIME_RESET,
		.to = user->email, .lang = lang,
	};

	c->log_user_id = user->id;
	return message_link(c, user, &m);
}

err_t password_forgot(struct ctx *c, str email, str lang, const struct asker *by)
{
	struct user_row user = { 0 };
	struct leave leave;
	bool found, known, vain;
	TX tx = { 0 };
	str key;

	TRY(clock_issue(c)); /* whether there is an account to issue something for or not */
	TRY(email_subject(c->mem, email, &key));
	TRY(q_user_by_email(c->db, c->mem, key, &user, &found));
	TRY(asked_in_vain(c, ATTEMPT_MAIL_NETWORK, by, &user, &vain));
	if (vain)
		return OK;
	TRY(tx_begin(&tx, c->db));
	user = (struct user_row){ 0 };
	TRY(q_user_by_email(c->db, c->mem, key, &user, &found));
	TRY(asker_is_known(c, by, &user, &known));
	TRY(asked_mail(c, STR("password-reset"), key, known, &leave));
	if (leave.given && found && user.disabled_ms == 0)
		TRY(send_link(c, &user, lang));
	if (leave.tell)
		TRY(audit_add(c, AUDIT_RESET_REQUESTED, user.uid, STR_NONE, leave.given ? STR_NONE : STR("limited")));
	return tx_commit(&tx);
}

err_t password_send_reset(struct ctx *c, const struct user_row *user)
{
	TX tx = { 0 };

	REQUIRE(mail_is_on(c->cfg), ERR_EMAIL_NOT_CONFIGURED);
	REQUIRE(user->disabled_ms == 0, ERR_FORBIDDEN);
	REQUIRE(!user->is_guest, ERR_EMAIL_REQUIRED);
	TRY(tx_begin(&tx, c->db));
	TRY(send_link(c, user, STR_NONE));
	TRY(audit_add(c, AUDIT_RESET_REQUESTED, user->uid, STR_NONE, STR("by an operator")));
	return tx_commit(&tx);
}

/* ---- reset ---- */

/* That the password and the sessions go is what a reset is. */
static err_t prove_reset(struct ctx *c, struct user_row *user, const struct asker *a, unsigned *ret_lost)
{
	enum takeover_verdict verdict;

	TRY(takeover_prove(c, user, a, &verdict, ret_lost));
	*ret_lost &= ~(unsigned)(LOSS_PASSWORD | LOSS_SESSIONS);
	return OK;
}

static err_t store_reset(struct ctx *c, str token, str hash, const struct asker *a, unsigned *ret_lost)
{
	struct onetime_row t = { 0 };
	struct user_row user = { 0 };
	int64_t changed;
	TX tx = { 0 };
	str typed, key;

	TRY(tx_begin(&tx, c->db));
	TRY(onetime_take(c, ONETIME_RESET, token, &t));
	TRY(user_load(c, t.user_id, ERR_RESET_TOKEN, &user));
	REQUIRE(str_eq(t.address, user.email), ERR_RESET_TOKEN);
	TRY(prove_reset(c, &user, a, ret_lost));
	TRY(q_user_set_password(c->db, user.id, hash, true, &changed));
	TRY(session_end_others(c, user.id, STR_NONE));
	TRY(onetime_void_all(c, user.id));
	TRY(place_forget_all(c, user.id));
	TRY(email_canonical(c->mem, user.email, &typed, &key));
	TRY(attempt_clear_account(c, key));
	TRY(message_to_user(c, &user, STR("password-changed"), NULL, 0));
	TRY(audit_add(c, AUDIT_PASSWORD_RESET, user.uid, STR_NONE, STR_NONE));
	TRY(tx_commit(&tx));
	c->log_user_id = user.id;
	return OK;
}

err_t password_reset(struct ctx *c, str token, struct secret password, const struct asker *a, unsigned *ret_lost)
{
	struct user_row user = { 0 };
	struct onetime_row t = { 0 };
	bool found;
	str hash;

	TRY(onetime_find(c, ONETIME_RESET, token, &t));
	REQUIRE(password.n > 0, ERR_NEW_PASSWORD_REQUIRED);
	TRY(q_user_by_id(c->db, c->mem, t.user_id, &user, &found));
	REQUIRE(found, ERR_RESET_TOKEN);
	TRY(credential_make(c, "password", password, user.email, &hash));
	return store_reset(c, token, hash, a, ret_lost);
}

/* ---- changed ---- */

static err_t store_change(struct ctx *c, const struct caller *who, const struct proven *p, str hash)
{
	str sid = str_of_bytes(who->token.sid, UID_BYTES);
	struct user_row user = { 0 };
	int64_t changed;
	TX tx = { 0 };

	TRY(session_act(c, who, &tx, &user));
	/* Only while the hash is the one that was verified: of two changes at once one wins. */
	TRY(q_user_change_password(c->db, user.id, p->stored_hash, hash, &changed));
	REQUIRE(changed == 1, ERR_CURRENT_PASSWORD);
	if (p->stored_hash.p != NULL)
		TRY(attempt_release(c, &p->attempt));
	TRY(session_reauthenticated(c, who));
	TRY(session_end_others(c, user.id, sid));
	TRY(onetime_void_all(c, user.id));
	TRY(place_forget_all(c, user.id));
	TRY(message_to_user(c, &user, STR("password-changed"), NULL, 0));
	TRY(audit_add(c, AUDIT_PASSWORD_CHANGED, user.uid, sid, STR_NONE));
	return tx_commit(&tx);
}

/* What proves that the caller may: the current password, or with none set a recent sign-in. */
static err_t prove(struct ctx *c, const struct caller *who, struct secret current, struct proven *ret)
{
	bool fresh;

	*ret = (struct proven){ 0 };
	if (who->row.has_password && current.n > 0)
		return stepup_prove_password(c, who, current, ret);
	TRY(stepup_is_fresh(c, who, &fresh));
	REQUIRE(fresh, ERR_REAUTH);
	REQUIRE(!who->row.has_password, ERR_CURRENT_PASSWORD);
	return OK;
}

/* The new password was refused, not the current one: that was no guess. */
static err_t give_back(struct ctx *c, const struct proven *p)
{
	TX tx = { 0 };

	if (p->stored_hash.p == NULL)
		return OK;
	TRY(tx_begin(&tx, c->db));
	TRY(attempt_release(c, &p->attempt));
	return tx_commit(&tx);
}

err_t password_change(struct ctx *c, const struct caller *who, struct secret current, struct secret password)
{
	struct proven proven;
	err_t e;
	str hash;

	REQUIRE(password.n > 0, ERR_NEW_PASSWORD_REQUIRED);
	TRY(prove(c, who, current, &proven));
	e = credential_make(c, "newPassword", password, who->row.email, &hash);
	if (e.code == ERR_INPUT)
		TRY(give_back(c, &proven));
	TRY(e);
	return store_change(c, who, &proven, hash);
}
