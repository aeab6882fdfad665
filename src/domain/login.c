#include "domain/login.h"

#include "domain/attempt.h"
#include "domain/audit.h"
#include "domain/brake.h"
#include "domain/clock_guard.h"
#include "domain/credential.h"
#include "domain/device.h"
#include "domain/email.h"
#include "domain/user.h"
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
	str device_id, trust;
};

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

static err_t accept(struct ctx *c, const struct proof *p, struct signed_in *ret)
{
	const struct first first = { .proof = PROOF_PASSWORD, .failures = p->attempt->failures,
				     .device_id = p->device_id, .trust = p->trust };
	struct user_row user = { 0 };
	struct signed_in out;
	int64_t changed;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(user_load(c, p->user->id, ERR_CREDENTIALS, &user));
	TRY(attempt_release(c, p->attempt));
	if (p->new_hash.p != NULL)
		TRY(q_user_rehash(c->db, user.id, p->user->password_hash, p->new_hash, &changed));
	TRY(gate_pass(c, &user, &first, &out));
	TRY(tx_commit(&tx));
	TRY(gate_sign(&out));
	*ret = out;
	return OK;
}

err_t login_password(struct ctx *c, const struct login *l, struct signed_in *ret)
{
	struct login_row user = { 0 };
	struct attempt attempt;
	str key, device_id, new_hash;
	struct proof proof;
	bool known, match;
	err_t e;

	TRY(clock_issue(c)); /* before the attempt is counted, which nothing would release */
	TRY(email_subject(c->mem, l->email, &key));
	TRY(q_user_for_login(c->db, c->mem, key, &user, &known));
	TRY(device_read(c, DEVICE_KNOWN, user.uid, user.device_epoch, known ? l->device_token : STR_NONE,
			&device_id));
	if (device_id.p == NULL)
		TRY(brake_check(c, key, l->challenge_answer));
	e = attempt_reserve(c, key, device_id, (struct secret){ 0 }, &attempt);
	if (e.code == ERR_LIMITED)
		atomic_fetch_add_explicit(&c->count->login_limited, 1, memory_order_relaxed);
	TRY(e);

	/* Absent hash: a decoy costs the same whether or not the account exists. */
	TRY(credential_check(c, user.password_hash, l->password, &match, &new_hash));
	brake_note(c, !match);
	if (!known || !match || user.disabled_ms != 0)
		return refuse(c, &user, known);
	proof = (struct proof){ .user = &user, .attempt = &attempt, .new_hash = new_hash,
				.device_id = device_id, .trust = l->trust_token };
	e = verification_allows(c->cfg, user.email_verified, user.verify_by_ms, c->now_ms);
	return e.code == ERR_OK ? accept(c, &proof, ret) : turn_away(c, &proof, e);
}
