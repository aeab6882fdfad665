#include "domain/stepup.h"

#include "domain/audit.h"
#include "domain/clock_guard.h"
#include "domain/credential.h"
#include "domain/email.h"
#include "domain/factor.h"
#include "store/query.h"

/* By the time that is not earlier than any seen: a sign-in must not get younger when the clock is set back. */
err_t stepup_is_fresh(struct ctx *c, const struct caller *who, bool *ret)
{
	int64_t auth_ms;

	TRY(session_auth_ms(c, who, &auth_ms));
	*ret = c->cfg->stepup.max_age_ms == 0 || clock_effective_ms(c) - auth_ms <= c->cfg->stepup.max_age_ms;
	return OK;
}

static err_t refuse(struct ctx *c, const struct caller *who)
{
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(audit_add(c, AUDIT_STEPUP_FAILED, who->row.uid, str_of_bytes(who->token.sid, UID_BYTES),
		      STR("password")));
	TRY(tx_commit(&tx));
	FAIL(ERR_CURRENT_PASSWORD);
}

/* What failures are counted under, over all doors together; a guest has a password before his address is proven. */
static err_t subject(struct ctx *c, const struct caller *who, str *ret)
{
	str typed;

	*ret = who->row.uid;
	return who->row.is_guest ? OK : email_canonical(c->mem, who->row.email, &typed, ret);
}

err_t stepup_prove_password(struct ctx *c, const struct caller *who, struct secret password,
			    struct proven *ret)
{
	struct login_row user = { 0 };
	str key, new_hash;
	bool known, match;

	TRY(q_user_hash(c->db, c->mem, who->row.id, &user, &known));
	REQUIRE(known, ERR_SESSION_REVOKED);
	TRY(subject(c, who, &key));
	TRY(attempt_reserve(c, key, STR_NONE, password, &ret->attempt));
	TRY(credential_check(c, user.password_hash, password, &match, &new_hash));
	ret->stored_hash = user.password_hash;
	return match ? OK : refuse(c, who);
}

err_t stepup_password_still(struct ctx *c, const struct caller *who, const struct proven *p)
{
	struct login_row now = { 0 };
	bool found;

	TRY(q_user_hash(c->db, c->mem, who->row.id, &now, &found));
	REQUIRE(found && str_eq(now.password_hash, p->stored_hash), ERR_CURRENT_PASSWORD);
	return OK;
}

static err_t accept_password(struct ctx *c, const struct caller *who, struct secret password)
{
	struct user_row user = { 0 };
	struct proven proven;
	TX tx = { 0 };

	REQUIRE(password.n > 0 && who->row.has_password, ERR_REAUTH);
	TRY(stepup_prove_password(c, who, password, &proven));
	TRY(session_act(c, who, &tx, &user));
	TRY(stepup_password_still(c, who, &proven));
	TRY(attempt_release(c, &proven.attempt));
	TRY(session_reauthenticated(c, who));
	TRY(audit_add(c, AUDIT_STEPUP_OK, who->row.uid, str_of_bytes(who->token.sid, UID_BYTES),
		      STR("password")));
	return tx_commit(&tx);
}

/* The code of the second factor that came along, if the account has one. */
static str code_of(const struct caller *who, const struct stepup *proof)
{
	if (!who->row.has_totp)
		return STR_NONE;
	return proof->totp_code.n > 0 ? proof->totp_code : proof->recovery_code;
}

err_t stepup_require(struct ctx *c, const struct caller *who, const struct stepup *proof)
{
	str code = code_of(who, proof);
	bool fresh;

	TRY(stepup_is_fresh(c, who, &fresh));
	if (fresh)
		return OK;
	return code.n > 0 ? factor_prove(c, who, code) : accept_password(c, who, proof->current_password);
}

err_t stepup_require_factor(struct ctx *c, const struct caller *who, const struct stepup *proof)
{
	str code = code_of(who, proof);
	int64_t factor_ms;

	if (!who->row.has_totp)
		return stepup_require(c, who, proof);
	TRY(session_factor_ms(c, who, &factor_ms));
	if (c->cfg->stepup.max_age_ms == 0 || clock_effective_ms(c) - factor_ms <= c->cfg->stepup.max_age_ms)
		return OK;
	REQUIRE(code.n > 0, ERR_REAUTH);
	return factor_prove(c, who, code);
}
