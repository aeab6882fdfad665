#include "domain/user.h"

#include "base/lang_tag.h"
#include "base/utf8.h"
#include "domain/asked.h"
#include "domain/attempt.h"
#include "domain/audit.h"
#include "domain/clock_guard.h"
#include "domain/credential.h"
#include "domain/device.h"
#include "domain/email.h"
#include "domain/grant.h"
#include "domain/message.h"
#include "domain/onetime.h"
#include "domain/place.h"
#include "domain/uid.h"
#include "domain/verification.h"
#include "store/query.h"

static void check_name(struct ctx *c, const char *field, str name)
{
	if (name.p == NULL)
		return;
	if (!utf8_is_plain_text(name))
		ctx_field(c, field, "INVALID");
	else if (utf8_points(name) > NAME_MAX_POINTS)
		ctx_field(c, field, "TOO_LONG");
}

err_t user_greet(struct ctx *c, int64_t id, str lang)
{
	struct user_row user = { 0 };
	bool found;

	TRY(q_user_by_id(c->db, c->mem, id, &user, &found));
	REQUIRE(found, ERR_BUG);
	if (c->cfg->verification.mode == VERIFICATION_NONE)
		return message_to_user(c, &user, STR("welcome"), NULL, 0);
	return verification_start(c, &user, lang);
}

int64_t user_verify_by_ms(const struct ctx *c)
{
	return c->cfg->verification.mode == VERIFICATION_LAZY ? c->now_ms + c->cfg->verification.grace_ms : 0;
}

static err_t insert(struct ctx *c, const struct user_new *n, const struct user_ready *r, str uid)
{
	int64_t id;
	bool found;
	TX tx = { 0 };
	err_t e;

	TRY(tx_begin(&tx, c->db));
	e = q_user_insert(c->db, c->mem, uid, r->typed, r->key, r->hash, n->first_name, n->last_name, n->is_admin,
			  n->email_verified, c->now_ms, lang_best(c->mem, n->lang),
			  n->self ? user_verify_by_ms(c) : 0, &id, &found);
	if (e.code == ERR_CONFLICT)
		FAIL(ERR_EMAIL_EXISTS);
	TRY(e);
	if (n->self)
		TRY(user_greet(c, id, n->lang));
	TRY(audit_add(c, AUDIT_USER_CREATED, uid, STR_NONE, n->is_admin ? STR("admin") : STR_NONE));
	TRY(tx_commit(&tx));
	c->log_user_id = id;
	return OK;
}

/* May nobody learn by signing up who else has? */
static bool hides_taken(const struct ctx *c, const struct user_new *n)
{
	return n->self && c->cfg->verification.mode == VERIFICATION_STRICT;
}

static err_t tell_owner(struct ctx *c, str key)
{
	struct user_row owner = { 0 };
	struct leave leave;
	bool found;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(q_user_by_email(c->db, c->mem, key, &owner, &found));
	TRY(asked_mail(c, STR("account-exists"), key, false, &leave));
	if (found && leave.given && owner.disabled_ms == 0)
		TRY(message_to_user(c, &owner, STR("account-exists"), NULL, 0));
	if (leave.tell)
		TRY(audit_add(c, AUDIT_REGISTER_TAKEN, owner.uid, STR_NONE, leave.given ? STR_NONE : STR("limited")));
	return tx_commit(&tx);
}

err_t user_prepare(struct ctx *c, const struct user_new *n, struct user_ready *ret)
{
	struct user_row owner = { 0 };
	bool found, reserved;

	*ret = (struct user_ready){ .typed = n->email };
	TRY(email_field(c, "email", n->email, &ret->typed, &ret->key));
	check_name(c, "firstName", n->first_name);
	check_name(c, "lastName", n->last_name);
	REQUIRE(c->n_fields == 0, ERR_INPUT);
	TRY(q_user_by_email(c->db, c->mem, ret->key, &owner, &found));
	TRY(onetime_is_reserved(c, ret->key, 0, &reserved));
	ret->taken = found || reserved;
	ret->owner_id = owner.id;
	/* The unique index decides; this only saves the hash, where that may be seen. */
	REQUIRE(!ret->taken || hides_taken(c, n), ERR_EMAIL_EXISTS);
	return credential_make(c, "password", n->password, ret->typed, &ret->hash);
}

err_t user_create(struct ctx *c, const struct user_new *n, str *ret_uid, str *ret_device)
{
	uint8_t uid[UID_BYTES];
	struct user_ready ready;
	err_t e;
	str text;

	TRY(user_prepare(c, n, &ready));
	TRY(uid_make(c->rng, uid));
	TRY(uid_text(c->mem, str_of_bytes(uid, UID_BYTES), &text)); /* nothing may fail after the commit */
	if (ret_device != NULL)
		TRY(device_mint(c, DEVICE_KNOWN, str_of_bytes(uid, UID_BYTES), 0, STR_NONE, ret_device));
	e = ready.taken ? err_raise(ERR_EMAIL_EXISTS, __FILE__, __LINE__) :
			  insert(c, n, &ready, str_of_bytes(uid, UID_BYTES));
	if (e.code == ERR_EMAIL_EXISTS && hides_taken(c, n))
		e = tell_owner(c, ready.key);
	TRY(e);
	*ret_uid = text;
	return OK;
}

err_t user_may_register(struct ctx *c, const struct user_new *n)
{
	REQUIRE(c->cfg->registration.enabled, ERR_REGISTRATION_OFF);
	REQUIRE(n->email.n > 0 && n->password.n > 0, ERR_EMAIL_PASSWORD_REQUIRED);
	TRY(clock_issue(c));
	return attempt_register(c);
}

err_t user_register(struct ctx *c, const struct user_new *n, str *ret_uid, str *ret_device)
{
	struct user_new self = *n;

	TRY(user_may_register(c, n));
	self.self = true;
	return user_create(c, &self, ret_uid, ret_device);
}

err_t user_change_profile(struct ctx *c, int64_t user_id, str uid, const struct profile_change *p)
{
	int64_t changed;
	TX tx = { 0 };

	check_name(c, "firstName", p->first_name);
	check_name(c, "lastName", p->last_name);
	REQUIRE(c->n_fields == 0, ERR_INPUT);
	if (!p->set_first && !p->set_last)
		return OK;
	TRY(tx_begin(&tx, c->db));
	TRY(q_user_set_profile(c->db, user_id, p->set_first, p->first_name, p->set_last, p->last_name,
			       &changed));
	REQUIRE(changed == 1, ERR_USER_NOT_FOUND);
	TRY(audit_add(c, AUDIT_PROFILE_CHANGED, uid, STR_NONE, STR_NONE));
	return tx_commit(&tx);
}

err_t user_load(struct ctx *c, int64_t id, enum err_code gone, struct user_row *ret)
{
	bool found;

	TRY(q_user_by_id(c->db, c->mem, id, ret, &found));
	REQUIRE(found && ret->disabled_ms == 0, gone);
	c->log_user_id = ret->id;
	return OK;
}

err_t user_get(struct ctx *c, str email_or_id, struct user_row *ret)
{
	uint8_t uid[UID_BYTES];
	bool found = false;
	str typed, key;

	if (uid_parse(email_or_id, uid))
		TRY(q_user_by_uid(c->db, c->mem, str_of_bytes(uid, UID_BYTES), ret, &found));
	else if (email_canonical(c->mem, email_or_id, &typed, &key).code == ERR_OK)
		TRY(q_user_by_email(c->db, c->mem, key, ret, &found));
	REQUIRE(found, ERR_USER_NOT_FOUND);
	return OK;
}

err_t user_disable(struct ctx *c, const struct user_row *u)
{
	int64_t changed;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(q_user_set_disabled(c->db, u->id, c->now_ms, &changed));
	TRY(q_session_delete_all(c->db, u->id, &changed));
	TRY(audit_add(c, AUDIT_USER_DISABLED, u->uid, STR_NONE, STR_NONE));
	return tx_commit(&tx);
}

/* The subject under which failures are counted: what login.c makes of the address. */
static err_t open_account(struct ctx *c, const struct user_row *u)
{
	str typed, key;

	if (u->is_guest)
		return OK;
	TRY(email_canonical(c->mem, u->email, &typed, &key));
	return attempt_clear_account(c, key);
}

err_t user_enable(struct ctx *c, const struct user_row *u)
{
	int64_t changed;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(q_user_set_disabled(c->db, u->id, 0, &changed));
	TRY(open_account(c, u));
	TRY(audit_add(c, AUDIT_USER_ENABLED, u->uid, STR_NONE, STR_NONE));
	return tx_commit(&tx);
}

err_t user_set_admin(struct ctx *c, const struct user_row *u, bool on)
{
	int64_t changed, ended;
	TX tx = { 0 };

	REQUIRE(!u->is_guest, ERR_USER_NOT_FOUND);
	TRY(tx_begin(&tx, c->db));
	TRY(q_user_set_admin(c->db, u->id, on, &changed));
	if (changed == 0)
		return OK;
	TRY(q_session_delete_all(c->db, u->id, &ended));
	if (on)
		TRY(onetime_void_all(c, u->id));
	TRY(audit_add(c, AUDIT_ADMIN_SET, u->uid, STR_NONE, on ? STR("on") : STR("off")));
	return tx_commit(&tx);
}

err_t user_remove(struct ctx *c, const struct user_row *u)
{
	int64_t changed;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(grant_give_back(c, u->id));
	TRY(q_user_delete(c->db, u->id, &changed)); /* sessions go with it: ON DELETE CASCADE */
	TRY(open_account(c, u));
	TRY(audit_add(c, AUDIT_USER_DELETED, u->uid, STR_NONE, STR_NONE));
	return tx_commit(&tx);
}

err_t user_set_password(struct ctx *c, const struct user_row *u, struct secret password)
{
	int64_t changed;
	TX tx = { 0 };
	str hash;

	TRY(credential_make(c, "password", password, u->email, &hash));
	TRY(tx_begin(&tx, c->db));
	TRY(q_user_set_password(c->db, u->id, hash, false, &changed));
	TRY(q_session_delete_all(c->db, u->id, &changed));
	TRY(onetime_void_all(c, u->id));
	TRY(place_forget_all(c, u->id));
	TRY(message_to_user(c, u, STR("password-changed"), NULL, 0));
	TRY(open_account(c, u));
	TRY(audit_add(c, AUDIT_PASSWORD_SET, u->uid, STR_NONE, STR_NONE));
	return tx_commit(&tx);
}
