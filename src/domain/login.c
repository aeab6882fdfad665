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

/* A hash takes long: whoever set a password, changed the address or signed in beside us (and so renewed an old hash) may
 * have been faster. Then what was verified is not what is stored, and has to be looked at again. */
#define ROUNDS_MAX 3

struct proof {
	const struct login_row *user; /* as it was when its hash was verified */
	const struct attempt *attempt;
	str key;
	str new_hash;
	str device_id, trust;
};

/* Inside the open transaction: does the address still lead to this account, with the hash that was verified? */
static err_t is_stale(struct ctx *c, const struct proof *p, bool *ret)
{
	struct login_row now = { 0 };
	bool found;

	TRY(q_user_for_login(c->db, c->mem, p->key, &now, &found));
	*ret = !found || now.id != p->user->id || !str_eq(now.password_hash, p->user->password_hash);
	return OK;
}

/* The password was right, the address is not proven: the failures are forgotten, the link is mailed again. */
static err_t turn_away(struct ctx *c, const struct proof *p, err_t why, bool *ret_stale)
{
	struct user_row user = { 0 };
	bool found;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(is_stale(c, p, ret_stale));
	if (*ret_stale)
		return OK;
	TRY(q_user_by_id(c->db, c->mem, p->user->id, &user, &found));
	REQUIRE(found, ERR_CREDENTIALS);
	TRY(attempt_release(c, p->attempt));
	TRY(attempt_sign_in(c, p->device_id));
	TRY(verification_start(c, &user, user.lang));
	TRY(audit_add(c, AUDIT_LOGIN_FAILED, user.uid, STR_NONE, STR("address not verified")));
	TRY(tx_commit(&tx));
	return why;
}

static err_t accept(struct ctx *c, const struct proof *p, struct signed_in *ret, bool *ret_stale)
{
	const struct first first = { .proof = PROOF_PASSWORD, .failures = p->attempt->failures,
				     .device_id = p->device_id, .trust = p->trust };
	struct user_row user = { 0 };
	struct signed_in out;
	int64_t changed;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(is_stale(c, p, ret_stale));
	if (*ret_stale)
		return OK;
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

/* Looks at the password once, and acts on it unless that has become stale. user: all zero when there is none. */
static err_t one_round(struct ctx *c, const struct login *l, struct proof *p, struct signed_in *ret, bool *ret_stale)
{
	const struct login_row *user = p->user;
	bool known = user->id != 0, match;
	err_t e;

	/* Absent hash: a decoy costs the same whether or not the account exists. */
	TRY(credential_check(c, user->password_hash, l->password, &match, &p->new_hash));
	brake_note(c, !match);
	if (!known || !match || user->disabled_ms != 0)
		return refuse(c, user, known);
	e = verification_allows(c->cfg, user->email_verified, user->verify_by_ms, c->now_ms);
	return e.code == ERR_OK ? accept(c, p, ret, ret_stale) : turn_away(c, p, e, ret_stale);
}

/* Again with what is stored now; the address may have gone to somebody else, of whom this device knows nothing. */
static err_t look_again(struct ctx *c, struct proof *p, struct login_row *user)
{
	int64_t id = user->id;
	bool known;

	*user = (struct login_row){ 0 };
	TRY(q_user_for_login(c->db, c->mem, p->key, user, &known));
	if (user->id != id)
		p->device_id = STR_NONE;
	return OK;
}

err_t login_password(struct ctx *c, const struct login *l, struct signed_in *ret)
{
	struct login_row user = { 0 };
	struct attempt attempt;
	struct proof proof = { .user = &user, .attempt = &attempt, .trust = l->trust_token };
	bool known, stale = false;
	str key, device_id;
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

	proof.key = key;
	proof.device_id = device_id;
	for (int round = 0; round < ROUNDS_MAX; round++) {
		if (stale)
			TRY(look_again(c, &proof, &user));
		stale = false;
		e = one_round(c, l, &proof, ret, &stale);
		if (e.code != ERR_OK || !stale)
			return e;
	}
	FAIL(ERR_OVERLOAD);
}
