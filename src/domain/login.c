#include "domain/login.h"

#include "domain/attempt.h"
#include "domain/audit.h"
#include "domain/brake.h"
#include "domain/clock_guard.h"
#include "domain/credential.h"
#include "domain/device.h"
#include "domain/email.h"
#include "domain/message.h"
#include "domain/place.h"
#include "domain/verification.h"
#include "store/query.h"

static err_t refuse(struct ctx *c, const struct login_row *user, bool known)
{
	TX tx = { 0 };

	atomic_fetch_add_explicit(&c->count->login_failed, 1, memory_order_relaxed);
	TRY(tx_begin(&tx, c->db));
	TRY(audit_add(c, AUDIT_LOGIN_FAILED, known ? user->uid : STR_NONE, STR_NONE, STR("password")));
	TRY(tx_commit(&tx));
	FAIL(ERR_CREDENTIALS);
}

struct proof {
	const struct login_row *user;
	const struct attempt *attempt;
	str new_hash;
	str device_id;
};

/* Who could know of a sign-in that its owner did not make: guesses before it, or a place never seen. The
 * first sign-in of all is no news. */
static err_t tell_owner(struct ctx *c, const struct user_row *user, const struct proof *p)
{
	struct template_var failures = { STR("failures"), STR_NONE };
	bool new_place;

	TRY(place_note(c, user->id, &new_place));
	if (!c->cfg->notice.new_sign_in)
		return OK;
	if (p->attempt->failures >= c->cfg->limits.account_free) {
		TRY(arena_printf(c->mem, &failures.value, "%lld", (long long)p->attempt->failures));
		return message_to_user(c, user, STR("sign-in-after-failures"), &failures, 1);
	}
	if (!new_place || p->device_id.p != NULL || user->last_login_ms == 0)
		return OK;
	return message_to_user(c, user, STR("new-sign-in"), NULL, 0);
}

/* The password was right, the address is not proven: the failures are forgotten, the link is mailed again. */
static err_t turn_away(struct ctx *c, const struct proof *p, err_t why)
{
	struct user_row user = { 0 };
	bool found;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(q_user_by_id(c->db, c->mem, p->user->id, &user, &found));
	REQUIRE(found, ERR_CREDENTIALS);
	TRY(attempt_release(c, p->attempt));
	TRY(verification_start(c, &user, user.lang));
	TRY(audit_add(c, AUDIT_LOGIN_FAILED, user.uid, STR_NONE, STR("address not verified")));
	TRY(tx_commit(&tx));
	return why;
}

static err_t accept(struct ctx *c, const struct proof *p, struct tokens *ret)
{
	struct user_row user = { 0 };
	struct tokens out = { 0 };
	int64_t changed;
	bool found;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(q_user_by_id(c->db, c->mem, p->user->id, &user, &found));
	REQUIRE(found && user.disabled_ms == 0, ERR_CREDENTIALS);
	TRY(attempt_release(c, p->attempt));
	if (p->new_hash.p != NULL)
		TRY(q_user_rehash(c->db, user.id, p->user->password_hash, p->new_hash, &changed));
	TRY(tell_owner(c, &user, p));
	TRY(q_user_signed_in(c->db, user.id, c->now_ms));
	TRY(session_issue(c, &user, STR("pwd"), &out));
	TRY(audit_add(c, AUDIT_LOGIN_OK, user.uid, STR_NONE, STR("password")));
	TRY(device_mint(c, user.uid, user.device_epoch, p->device_id, &out.device));
	TRY(tx_commit(&tx));
	atomic_fetch_add_explicit(&c->count->login_ok, 1, memory_order_relaxed);
	c->log_user_id = user.id;
	*ret = out;
	return OK;
}

err_t login_password(struct ctx *c, str email, struct secret password, str device_token,
		     str challenge_answer, struct tokens *ret)
{
	struct login_row user = { 0 };
	struct attempt attempt;
	str key, device_id, new_hash;
	struct proof proof;
	bool known, match;
	err_t e;

	TRY(clock_issue(c)); /* before the attempt is counted, which nothing would release */
	TRY(email_subject(c->mem, email, &key));
	TRY(q_user_for_login(c->db, c->mem, key, &user, &known));
	TRY(device_read(c, user.uid, user.device_epoch, known ? device_token : STR_NONE, &device_id));
	if (device_id.p == NULL)
		TRY(brake_check(c, key, challenge_answer));
	e = attempt_reserve(c, key, device_id, (struct secret){ 0 }, &attempt);
	if (e.code == ERR_LIMITED)
		atomic_fetch_add_explicit(&c->count->login_limited, 1, memory_order_relaxed);
	TRY(e);

	/* Absent hash: a decoy costs the same whether or not the account exists. */
	TRY(credential_check(c, user.password_hash, password, &match, &new_hash));
	brake_note(c, !match);
	if (!known || !match || user.disabled_ms != 0)
		return refuse(c, &user, known);
	proof = (struct proof){ .user = &user, .attempt = &attempt, .new_hash = new_hash,
				.device_id = device_id };
	e = verification_allows(c->cfg, user.email_verified, user.verify_by_ms, c->now_ms);
	return e.code == ERR_OK ? accept(c, &proof, ret) : turn_away(c, &proof, e);
}
