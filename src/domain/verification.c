#include "domain/verification.h"

#include "base/lang_tag.h"
#include "domain/asked.h"
#include "domain/audit.h"
#include "domain/clock_guard.h"
#include "domain/email.h"
#include "domain/gate.h"
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

static err_t send_if_allowed(struct ctx *c, const struct user_row *user, const struct leave *l, str lang)
{
	if (l->given && user->id != 0 && !user->email_verified && user->disabled_ms == 0)
		TRY(send_link(c, user, lang));
	if (!l->tell)
		return OK;
	return audit_add(c, AUDIT_VERIFICATION_SENT, user->uid, STR_NONE, l->given ? STR_NONE : STR("limited"));
}

err_t verification_start(struct ctx *c, const struct user_row *user, str lang)
{
	struct leave leave;
	str typed, key;

	TRY(email_canonical(c->mem, user->email, &typed, &key));
	TRY(asked_mail(c, STR("verify-email"), key, true, &leave));
	return send_if_allowed(c, user, &leave, lang);
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
	lang = lang_best(c->mem, lang);
	if (lang.n > 0)
		TRY(q_user_set_lang(c->db, user.id, lang, &changed));
	TRY(verification_start(c, &user, lang));
	return tx_commit(&tx);
}

err_t verification_send_to(struct ctx *c, str email, str lang, const struct asker *by)
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
	/* The budgets pay whether there is an account or not. */
	TRY(asked_mail(c, STR("verify-email"), key, known, &leave));
	TRY(send_if_allowed(c, &user, &leave, lang));
	return tx_commit(&tx);
}

err_t verification_confirm(struct ctx *c, str token, const struct asker *a)
{
	struct onetime_row t = { 0 };
	struct user_row user = { 0 };
	int64_t changed;
	bool known;
	TX tx = { 0 };

	REQUIRE(token.n > 0, ERR_TOKEN_REQUIRED);
	TRY(onetime_find(c, ONETIME_VERIFY, token, &t));
	TRY(tx_begin(&tx, c->db));
	TRY(onetime_take(c, ONETIME_VERIFY, token, &t));
	TRY(user_load(c, t.user_id, ERR_VERIFY_TOKEN, &user));
	TRY(asker_is_known(c, a, &user, &known));
	REQUIRE(known || takeover_is_proven(&user) || !gate_has_factor(c->cfg, &user), ERR_REAUTH);
	TRY(q_user_set_verified(c->db, user.id, t.address, !known, &changed));
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
