#include "domain/verification.h"

#include "domain/attempt.h"
#include "domain/audit.h"
#include "domain/clock_guard.h"
#include "domain/email.h"
#include "domain/message.h"
#include "domain/onetime.h"
#include "domain/user.h"
#include "store/query.h"

static err_t send_link(struct ctx *c, const struct user_row *user, str lang)
{
	const struct message_link m = {
		.template = STR("verify-email"), .path = STR("verify-email"), .purpose = ONETIME_VERIFY,
		.to = user->email, .lang = lang,
	};

	return message_link(c, user, &m);
}

static err_t send_if_allowed(struct ctx *c, const struct user_row *user, bool allowed, str lang)
{
	if (allowed && user->id != 0 && !user->email_verified && user->disabled_ms == 0)
		TRY(send_link(c, user, lang));
	return audit_add(c, AUDIT_VERIFICATION_SENT, user->uid, STR_NONE, allowed ? STR_NONE : STR("limited"));
}

err_t verification_start(struct ctx *c, const struct user_row *user, str lang)
{
	str typed, key;
	bool allowed;

	TRY(email_canonical(c->mem, user->email, &typed, &key));
	TRY(attempt_mail_own(c, STR("verify-email"), key, &allowed));
	return send_if_allowed(c, user, allowed, lang);
}

err_t verification_send(struct ctx *c, const struct caller *who, str lang)
{
	struct user_row user = { 0 };
	int64_t changed;
	bool found;
	TX tx = { 0 };

	REQUIRE(!who->row.is_guest, ERR_EMAIL_REQUIRED);
	REQUIRE(!who->row.email_verified, ERR_EMAIL_VERIFIED);
	REQUIRE(mail_is_on(c->cfg), ERR_EMAIL_NOT_CONFIGURED);
	TRY(tx_begin(&tx, c->db));
	TRY(q_user_by_id(c->db, c->mem, who->row.id, &user, &found));
	REQUIRE(found, ERR_USER_NOT_FOUND);
	if (template_lang_ok(lang))
		TRY(q_user_set_lang(c->db, user.id, lang, &changed));
	TRY(verification_start(c, &user, lang));
	return tx_commit(&tx);
}

err_t verification_send_to(struct ctx *c, str email, str lang)
{
	struct user_row user = { 0 };
	bool found, allowed;
	TX tx = { 0 };
	str key;

	TRY(clock_issue(c)); /* whether there is an account to issue something for or not */
	TRY(email_subject(c->mem, email, &key));
	TRY(tx_begin(&tx, c->db));
	TRY(q_user_by_email(c->db, c->mem, key, &user, &found));
	/* The budgets pay whether there is an account or not. */
	TRY(attempt_mail(c, STR("verify-email"), key, &allowed));
	TRY(send_if_allowed(c, &user, allowed, lang));
	return tx_commit(&tx);
}

err_t verification_confirm(struct ctx *c, str token)
{
	struct onetime_row t = { 0 };
	struct user_row user = { 0 };
	int64_t changed;
	TX tx = { 0 };

	REQUIRE(token.n > 0, ERR_TOKEN_REQUIRED);
	TRY(onetime_find(c, ONETIME_VERIFY, token, &t));
	TRY(tx_begin(&tx, c->db));
	TRY(onetime_take(c, ONETIME_VERIFY, token, &t));
	TRY(user_load(c, t.user_id, ERR_VERIFY_TOKEN, &user));
	TRY(q_user_set_verified(c->db, user.id, t.address, &changed));
	REQUIRE(changed == 1, ERR_VERIFY_TOKEN);
	TRY(onetime_void(c, user.id, ONETIME_EMAIL_CHANGE));
	if (!user.email_verified && c->cfg->verification.mode != VERIFICATION_NONE)
		TRY(message_to_user(c, &user, STR("welcome"), NULL, 0));
	TRY(audit_add(c, AUDIT_EMAIL_VERIFIED, user.uid, STR_NONE, STR_NONE));
	TRY(tx_commit(&tx));
	c->log_user_id = user.id;
	return OK;
}

err_t verification_allows(const struct config *cfg, bool verified, int64_t verify_by_ms, int64_t now_ms)
{
	if (verified)
		return OK;
	REQUIRE(cfg->verification.mode != VERIFICATION_STRICT, ERR_EMAIL_NOT_VERIFIED);
	REQUIRE(cfg->verification.mode != VERIFICATION_LAZY || verify_by_ms == 0 || now_ms <= verify_by_ms,
		ERR_EMAIL_VERIFICATION_REQUIRED);
	return OK;
}
