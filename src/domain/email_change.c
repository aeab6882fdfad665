#include "domain/email_change.h"

#include "domain/asked.h"
#include "domain/audit.h"
#include "domain/email.h"
#include "domain/factor.h"
#include "domain/message.h"
#include "domain/onetime.h"
#include "domain/place.h"
#include "domain/takeover.h"
#include "domain/user.h"
#include "store/query.h"

/* ---- asked for ---- */

struct wanted {
	const struct caller *who;
	str typed, key, lang;
};

/* The requester's account must look as it would for a free address: the change is pending, older ones have
 * ended. Nobody is sent the token. */
static err_t tell_owner(struct ctx *c, const struct wanted *w, const struct user_row *owner)
{
	const struct onetime_new n = {
		.purpose = ONETIME_EMAIL_CHANGE, .user_id = w->who->row.id, .address = w->typed,
		.sid = str_of_bytes(w->who->token.sid, UID_BYTES),
	};
	str unsent;

	TRY(onetime_make(c, &n, &unsent));
	return message_to_user(c, owner, STR("address-in-use"), NULL, 0);
}

static err_t send_link(struct ctx *c, const struct wanted *w)
{
	const struct message_link m = {
		.template = STR("change-email"), .path = STR("change-email/confirm"),
		.purpose = ONETIME_EMAIL_CHANGE, .to = w->typed, .lang = w->lang,
		.sid = str_of_bytes(w->who->token.sid, UID_BYTES),
	};
	struct user_row user = { 0 };
	bool found;

	TRY(q_user_by_id(c->db, c->mem, w->who->row.id, &user, &found));
	REQUIRE(found, ERR_USER_NOT_FOUND);
	return message_link(c, &user, &m);
}

static err_t send_something(struct ctx *c, const struct wanted *w, const struct user_row *owner, const struct leave *l)
{
	if (l->given)
		TRY(owner->id != 0 ? tell_owner(c, w, owner) : send_link(c, w));
	if (!l->tell)
		return OK;
	return audit_add(c, AUDIT_EMAIL_CHANGE_REQUESTED, w->who->row.uid,
			 str_of_bytes(w->who->token.sid, UID_BYTES), l->given ? STR_NONE : STR("limited"));
}

static err_t answer_wish(struct ctx *c, const struct wanted *w)
{
	struct user_row user = { 0 }, owner = { 0 };
	struct leave leave;
	bool taken, own;
	TX tx = { 0 };

	TRY(session_act(c, w->who, &tx, &user));
	TRY(q_user_by_email(c->db, c->mem, w->key, &owner, &taken));
	own = taken && owner.id == user.id && !str_eq(user.email, w->typed);
	if (own) /* spelt otherwise: proven by a mail to it as any other */
		owner = (struct user_row){ 0 };
	REQUIRE(!taken || own || (c->cfg->verification.mode == VERIFICATION_STRICT && owner.id != w->who->row.id),
		ERR_EMAIL_TAKEN);
	REQUIRE(user.has_password || user.is_guest, ERR_PASSWORD_REQUIRED);
	TRY(asked_mail(c, STR("change-email"), w->key, own, &leave));
	TRY(send_something(c, w, &owner, &leave));
	return tx_commit(&tx);
}

err_t email_change_start(struct ctx *c, const struct caller *who, str typed, str key, str lang)
{
	const struct wanted w = { .who = who, .typed = typed, .key = key, .lang = lang };
	struct user_row owner = { 0 };
	struct leave leave;
	bool taken;

	TRY(q_user_by_email(c->db, c->mem, key, &owner, &taken));
	TRY(asked_mail(c, STR("change-email"), key, true, &leave));
	return send_something(c, &w, &owner, &leave);
}

err_t email_change_request(struct ctx *c, const struct caller *who, str new_email, str lang)
{
	struct wanted w = { .who = who, .lang = lang };

	TRY(email_field(c, "newEmail", new_email, &w.typed, &w.key));
	REQUIRE(c->n_fields == 0, ERR_INPUT);
	REQUIRE(mail_is_on(c->cfg), ERR_EMAIL_NOT_CONFIGURED);
	return answer_wish(c, &w);
}

/* ---- confirmed ---- */

/* ERR_CONFLICT is the unique index deciding between two who want the same address. */
static err_t set_email(struct ctx *c, int64_t user_id, str address, bool mailbox_only)
{
	int64_t changed;
	bool reserved;
	str typed, key;
	err_t e;

	TRY(email_canonical(c->mem, address, &typed, &key));
	TRY(onetime_is_reserved(c, key, user_id, &reserved));
	REQUIRE(!reserved, ERR_EMAIL_TAKEN);
	e = q_user_set_email(c->db, user_id, typed, key, mailbox_only, &changed);
	if (e.code == ERR_CONFLICT)
		FAIL(ERR_EMAIL_TAKEN);
	TRY(e);
	REQUIRE(changed == 1, ERR_BUG);
	return OK;
}

/* A proven address is kept for its owner as long as the way back is open: else whoever changed it could take
 * the old one too, and close the way. */
static err_t tell_old_address(struct ctx *c, const struct user_row *user, str old)
{
	struct message_link m = {
		.template = STR("email-changed"), .path = STR("change-email/revert"),
		.purpose = ONETIME_EMAIL_REVERT, .to = old,
	};
	str typed;

	if (user->email_verified)
		TRY(email_canonical(c->mem, old, &typed, &m.reserves));
	return message_link(c, user, &m);
}

/* A guest's session has shown nothing: what an account must show, he shows when he signs in. */
static err_t end_sessions(struct ctx *c, const struct user_row *before, str asked_by)
{
	struct user_row now = { 0 };

	TRY(user_load(c, before->id, ERR_EMAIL_CHANGE_TOKEN, &now));
	return session_end_others(c, now.id, before->is_guest && gate_asks(c->cfg, &now) ? STR_NONE : asked_by);
}

/* One's own address in another case, or its domain in other letters: the same mailbox, so nothing ends, and there is
 * no way back to be sent to it. */
static err_t is_respelt(struct ctx *c, str old, str new, bool *ret)
{
	str typed, old_key, new_key;
	err_t e = email_canonical(c->mem, old, &typed, &old_key);

	*ret = false;
	if (e.code == ERR_INPUT) /* a guest has none */
		return OK;
	TRY(e);
	TRY(email_canonical(c->mem, new, &typed, &new_key));
	*ret = str_eq(old_key, new_key);
	return OK;
}

err_t email_change_confirm(struct ctx *c, str token, const struct asker *a)
{
	struct onetime_row t = { 0 };
	struct user_row user = { 0 };
	bool known, respelt;
	TX tx = { 0 };
	str old;

	TRY(onetime_find(c, ONETIME_EMAIL_CHANGE, token, &t));
	TRY(tx_begin(&tx, c->db));
	TRY(onetime_take(c, ONETIME_EMAIL_CHANGE, token, &t));
	TRY(user_load(c, t.user_id, ERR_EMAIL_CHANGE_TOKEN, &user));
	TRY(asker_is_known(c, a, &user, &known));
	TRY(is_respelt(c, user.email, t.address, &respelt));
	TRY(set_email(c, user.id, t.address, !known && !(respelt && takeover_is_proven(&user))));
	if (respelt) {
		TRY(audit_add(c, AUDIT_EMAIL_CHANGED, user.uid, t.sid, STR("spelling")));
		return tx_commit(&tx);
	}
	old = user.email;
	user.email = t.address;
	TRY(end_sessions(c, &user, t.sid));
	TRY(onetime_void_all(c, user.id));
	if (!user.is_guest)
		TRY(tell_old_address(c, &user, old));
	TRY(audit_add(c, user.is_guest ? AUDIT_GUEST_UPGRADED : AUDIT_EMAIL_CHANGED, user.uid, t.sid, STR_NONE));
	return tx_commit(&tx);
}

/* ---- undone ---- */

/* A second factor that was set up about when the address was changed, or after, may be theirs too, or its owner's who
 * left a mailbox that others read (MF19). It stays; whoever reads the mail may claim the account. An older one is its
 * owner's. */
static err_t doubt_new_factor(struct ctx *c, const struct user_row *user, int64_t address_changed_ms)
{
	struct factor_row f = { 0 };
	int64_t changed;
	bool found;

	TRY(q_factor_of(c->db, c->mem, user->id, &f, &found));
	if (f.totp.p == NULL)
		return factor_wipe(c, user->id); /* one that waits to be proven */
	if (f.totp_ms < address_changed_ms - MS_PER_DAY)
		return OK;
	return q_user_set_unproven(c->db, user->id, &changed);
}

/* Whoever changed the address knew the password or held a session: none of it stays. */
static err_t lock_out(struct ctx *c, const struct user_row *user, int64_t address_changed_ms)
{
	int64_t changed;

	TRY(q_user_clear_password(c->db, user->id, &changed));
	TRY(q_user_set_phone(c->db, user->id, STR_NONE, &changed));
	TRY(doubt_new_factor(c, user, address_changed_ms));
	TRY(session_end_others(c, user->id, STR_NONE));
	TRY(onetime_void_all(c, user->id));
	TRY(onetime_void(c, user->id, ONETIME_EMAIL_REVERT)); /* ways back to addresses of theirs */
	return place_forget_all(c, user->id);
}

static err_t offer_reset(struct ctx *c, const struct user_row *user)
{
	const struct message_link m = {
		.template = STR("email-reverted"), .path = STR("reset-password"), .purpose = ONETIME_RESET,
		.to = user->email,
	};

	return message_link(c, user, &m);
}

err_t email_change_revert(struct ctx *c, str token)
{
	struct onetime_row t = { 0 };
	struct user_row user = { 0 };
	TX tx = { 0 };

	TRY(onetime_find(c, ONETIME_EMAIL_REVERT, token, &t));
	TRY(tx_begin(&tx, c->db));
	TRY(onetime_take(c, ONETIME_EMAIL_REVERT, token, &t));
	TRY(user_load(c, t.user_id, ERR_EMAIL_REVERT_TOKEN, &user));
	TRY(set_email(c, user.id, t.address, false));
	user.email = t.address;
	TRY(lock_out(c, &user, t.created_ms));
	TRY(offer_reset(c, &user));
	TRY(audit_add(c, AUDIT_EMAIL_REVERTED, user.uid, STR_NONE, STR_NONE));
	return tx_commit(&tx);
}
