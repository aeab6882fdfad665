#include "domain/login.h"

#include "domain/attempt.h"
#include "domain/audit.h"
#include "domain/clock_guard.h"
#include "domain/credential.h"
#include "domain/device.h"
#include "domain/email.h"
#include "store/query.h"

/* What cannot be an address is looked up all the same (and never found): same work, same answer. */
static err_t subject_of(struct ctx *c, str email, str *ret_key)
{
	str typed;
	err_t e = email_canonical(c->mem, email, &typed, ret_key);

	if (e.code != ERR_INPUT)
		return e;
	*ret_key = email;
	return OK;
}

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
		     struct tokens *ret)
{
	struct login_row user = { 0 };
	struct attempt attempt;
	str key, device_id, new_hash;
	bool known, match;
	err_t e;

	TRY(clock_issue(c)); /* before the attempt is counted, which nothing would release */
	TRY(subject_of(c, email, &key));
	TRY(q_user_for_login(c->db, c->mem, key, &user, &known));
	TRY(device_read(c, user.uid, user.device_epoch, known ? device_token : STR_NONE, &device_id));
	e = attempt_reserve(c, key, device_id, &attempt);
	if (e.code == ERR_LIMITED)
		atomic_fetch_add_explicit(&c->count->login_limited, 1, memory_order_relaxed);
	TRY(e);

	/* Absent hash: a decoy costs the same whether or not the account exists. */
	TRY(credential_check(c, user.password_hash, password, &match, &new_hash));
	if (!known || !match || user.disabled_ms != 0)
		return refuse(c, &user, known);
	return accept(c,
		      &(struct proof){ .user = &user, .attempt = &attempt, .new_hash = new_hash,
				       .device_id = device_id },
		      ret);
}
