#include "domain/session.h"

#include <string.h>

#include "domain/audit.h"
#include "domain/clock_guard.h"
#include "domain/message.h"
#include "domain/place.h"
#include "domain/rotation.h"
#include "domain/user.h"
#include "store/query.h"

#define TOUCH_EVERY_MS  MS_PER_MIN

static int64_t min_i64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static str sid_str(const uint8_t sid[UID_BYTES])
{
	return str_of_bytes(sid, UID_BYTES);
}

static int64_t idle_ttl(const struct config *cfg, bool web)
{
	return web ? cfg->token.web_refresh_ttl_ms : cfg->token.refresh_ttl_ms;
}

static int64_t max_ttl(const struct config *cfg, bool web)
{
	return web ? cfg->token.web_refresh_max_ttl_ms : cfg->token.refresh_max_ttl_ms;
}

static err_t mint_both(struct ctx *c, const struct user_row *user, const struct refresh_token *t,
		       int64_t auth_ms, str amr, struct tokens *ret)
{
	const struct access_mint m = {
		.user = user, .sid = t->sid, .gen = t->gen, .auth_ms = auth_ms, .amr = amr
	};
	struct tokens out = { 0 };

	memcpy(out.sid, t->sid, UID_BYTES);
	TRY(token_mint_refresh(c, t, &out.refresh));
	TRY(token_mint_access(c, &m, &out.access));
	*ret = out;
	return OK;
}

static err_t draft_both(struct ctx *c, const struct user_row *user, const struct refresh_token *t, str amr,
			struct tokens *ret)
{
	const struct access_mint m = {
		.user = user, .sid = t->sid, .gen = t->gen, .auth_ms = c->now_ms, .amr = amr
	};

	memcpy(ret->sid, t->sid, UID_BYTES);
	TRY(token_mint_refresh(c, t, &ret->refresh));
	NEW(ret->draft, c->mem, struct access_draft, 1);
	return token_draft_access(c, &m, ret->draft);
}

static err_t trim(struct ctx *c, const struct user_row *user)
{
	int64_t keep = c->cfg->session.max_per_user, id, ended;
	bool too_many;

	TRY(q_session_beyond(c->db, c->mem, user->id, keep, &id, &too_many));
	if (!too_many)
		return OK;
	TRY(q_session_trim(c->db, user->id, keep, &ended));
	return audit_add(c, AUDIT_SESSION_ENDED, user->uid, STR_NONE, STR("too many sessions"));
}

err_t session_issue(struct ctx *c, const struct user_row *user, str amr, struct tokens *ret)
{
	const struct config *cfg = c->cfg;
	int64_t abs_ms = c->now_ms + max_ttl(cfg, c->web);
	int64_t idle_ms = min_i64(c->now_ms + idle_ttl(cfg, c->web), abs_ms);
	struct refresh_token t = { .gen = 1 };
	str ip;

	TRY(clock_issue(c));
	TRY(rng_fill(c->rng, t.sid, sizeof(t.sid))); /* ASVS 7.2.3: 128 random bits, no UUID's fixed ones */
	TRY(rng_fill(c->rng, t.nonce, sizeof(t.nonce)));
	TRY(addr_coarse(c, &ip));
	TRY(q_session_insert(c->db, session_id_of(t.sid), sid_str(t.sid), user->id,
			     str_of_bytes(t.nonce, NONCE_BYTES), agent_family(c->user_agent), c->now_ms,
			     amr, c->now_ms, idle_ms, abs_ms, idle_ms / MS_PER_DAY, c->user_agent, ip, c->web));
	TRY(trim(c, user));
	ret->refresh_ms = idle_ms - c->now_ms;
	return draft_both(c, user, &t, amr, ret);
}

err_t session_sign(struct tokens *t)
{
	if (t->draft == NULL)
		return OK;
	TRY(token_sign_access(t->draft, &t->access));
	t->draft = NULL;
	return OK;
}

static bool is_over(const struct ctx *c, int64_t idle_expires_ms, int64_t abs_expires_ms, bool web)
{
	return clock_expired(c, idle_expires_ms, idle_ttl(c->cfg, web)) ||
	       clock_expired(c, abs_expires_ms, max_ttl(c->cfg, web));
}

/* ---- refresh ---- */

static struct rotation rotation_of(const struct rotation_row *row)
{
	return (struct rotation){
		.cur_gen = row->cur_gen,
		.parent_gen = row->parent_gen,
		.rotated_ms = row->rotated_ms,
		.confirmed = row->confirmed,
		.replays = row->replays,
		.older_gen = row->older_gen,
		.older_ms = row->older_ms,
	};
}

static void count(atomic_llong *what)
{
	atomic_fetch_add_explicit(what, 1, memory_order_relaxed);
}

static err_t store_rotation(struct ctx *c, const struct refresh_token *t,
			    const struct rotation_row *row, const struct rotation *r)
{
	int64_t idle_ms = min_i64(c->now_ms + idle_ttl(c->cfg, row->web), row->abs_expires_ms);
	int64_t id = session_id_of(t->sid), changed;

	TRY(q_session_rotate(c->db, id, sid_str(t->sid), row->cur_gen, r->cur_gen,
			     str_of_bytes(t->nonce, NONCE_BYTES), r->parent_gen, r->older_gen,
			     r->older_ms, c->now_ms, agent_family(c->user_agent), idle_ms, &changed));
	REQUIRE(changed == 1, ERR_BUG); /* the writer is ours alone since the row was read */
	if (idle_ms / MS_PER_DAY != row->sweep_day)
		TRY(q_session_sweep_on(c->db, id, sid_str(t->sid), idle_ms / MS_PER_DAY));
	return OK;
}

/* End the session because two holders showed up. The theft is told in the audit; the answer is the
 * ordinary one. */
static err_t end_for_reuse(struct ctx *c, const struct user_row *user, const struct refresh_token *t)
{
	int64_t changed;

	TRY(q_session_delete(c->db, session_id_of(t->sid), sid_str(t->sid), &changed));
	TRY(message_to_user(c, user, STR("session-reuse"), NULL, 0));
	return audit_add(c, AUDIT_REFRESH_REUSE, user->uid, sid_str(t->sid), STR_NONE);
}

/* What to do about a verdict, inside the transaction. t becomes the token to answer with. */
static err_t apply_verdict(struct ctx *c, enum rotation_verdict v, const struct rotation_row *row,
			   const struct rotation *r, const struct user_row *user,
			   struct refresh_token *t)
{
	t->gen = r->cur_gen;
	switch (v) {
	case ROTATION_SAME:
		count(&c->count->refresh_repeated);
		memcpy(t->nonce, row->cur_nonce.p, NONCE_BYTES);
		return OK;
	case ROTATION_REPEAT:
		count(&c->count->refresh_repeated);
		memcpy(t->nonce, row->cur_nonce.p, NONCE_BYTES);
		return q_session_replayed(c->db, session_id_of(t->sid), sid_str(t->sid));
	case ROTATION_NEXT:
	case ROTATION_REISSUE:
		count(v == ROTATION_NEXT ? &c->count->refresh_rotated : &c->count->refresh_reissued);
		TRY(rng_fill(c->rng, t->nonce, NONCE_BYTES));
		return store_rotation(c, t, row, r);
	case ROTATION_REUSE:
		count(&c->count->refresh_reuse);
		return end_for_reuse(c, user, t);
	case ROTATION_AHEAD:
		count(&c->count->refresh_ahead);
		return audit_add(c, AUDIT_SESSION_AHEAD, user->uid, sid_str(t->sid), STR_NONE);
	case ROTATION_STRAGGLER:
	case ROTATION_TOO_MANY:
		count(&c->count->refresh_straggler);
		return OK;
	case ROTATION_UNSET:
		break;
	}
	FAIL(ERR_BUG);
}

static err_t answer_of(struct ctx *c, enum rotation_verdict v)
{
	switch (v) {
	case ROTATION_SAME:
	case ROTATION_REPEAT:
	case ROTATION_NEXT:
	case ROTATION_REISSUE:
		return OK;
	case ROTATION_TOO_MANY:
		c->retry_after_s = c->cfg->token.refresh_window_ms / MS_PER_S;
		FAIL(ERR_LIMITED);
	case ROTATION_REUSE:
		FAIL(ERR_SESSION_REVOKED);
	case ROTATION_STRAGGLER:
	case ROTATION_AHEAD:
		FAIL(ERR_REFRESH_TOKEN);
	case ROTATION_UNSET:
		break;
	}
	FAIL(ERR_BUG);
}

static enum rotation_verdict decide(struct ctx *c, const struct rotation_row *row,
				    const struct refresh_token *t, struct rotation *r)
{
	bool same_client = str_eq(row->agent_family, agent_family(c->user_agent));

	/* The same generation under another nonce was minted by a store that has been put back since. */
	if (t->gen == row->cur_gen && !secret_equal_bytes(t->nonce, row->cur_nonce.p, NONCE_BYTES))
		return ROTATION_AHEAD;
	return rotation_decide(r, t->gen, c->now_ms, c->cfg->token.refresh_window_ms, same_client);
}

static err_t load_for_refresh(struct ctx *c, const struct refresh_token *t, struct rotation_row *ret_row,
			      struct user_row *ret_user)
{
	bool found;

	TRY(q_session_for_refresh(c->db, c->mem, session_id_of(t->sid), sid_str(t->sid), ret_row,
				  &found));
	REQUIRE(found, ERR_SESSION_REVOKED);
	REQUIRE(ret_row->cur_nonce.n == NONCE_BYTES, ERR_STORE);
	TRY(user_load(c, ret_row->user_id, ERR_SESSION_REVOKED, ret_user));
	REQUIRE(!is_over(c, ret_row->idle_expires_ms, ret_row->abs_expires_ms, ret_row->web), ERR_REFRESH_TOKEN);
	return OK;
}

err_t session_refresh(struct ctx *c, str refresh_token, struct tokens *ret)
{
	enum rotation_verdict verdict;
	struct rotation_row row = { 0 };
	struct user_row user = { 0 };
	struct refresh_token t;
	struct rotation r;
	TX tx = { 0 };

	TRY(token_read_refresh(c, refresh_token, &t));
	TRY(clock_issue(c)); /* before the session is looked at: a wrong clock must not end one */
	TRY(tx_begin(&tx, c->db));
	TRY(load_for_refresh(c, &t, &row, &user));
	r = rotation_of(&row);
	verdict = decide(c, &row, &t, &r);
	TRY(apply_verdict(c, verdict, &row, &r, &user, &t));
	TRY(tx_commit(&tx));
	TRY(answer_of(c, verdict));
	TRY(mint_both(c, &user, &t, row.auth_ms, row.amr, ret));
	ret->refresh_ms = min_i64(idle_ttl(c->cfg, row.web), row.abs_expires_ms - c->now_ms);
	return OK;
}

/* ---- use ---- */

/* By who->token: its sid, and its uid where there is one. */
static err_t caller_by_session(struct ctx *c, struct caller *who, bool has_uid)
{
	bool found;

	TRY(q_session_caller(c->db, c->mem, session_id_of(who->token.sid), sid_str(who->token.sid),
			     &who->row, &found));
	REQUIRE(found && who->row.disabled_ms == 0, ERR_SESSION_REVOKED);
	if (!has_uid)
		memcpy(who->token.uid, who->row.uid.p, UID_BYTES);
	REQUIRE(secret_equal_bytes(who->row.uid.p, who->token.uid, UID_BYTES), ERR_ACCESS_TOKEN);
	REQUIRE(!is_over(c, who->row.idle_expires_ms, who->row.abs_expires_ms, who->row.web), ERR_SESSION_REVOKED);
	who->needs_write = (!who->row.confirmed && who->row.cur_gen == who->token.gen) ||
			   c->now_ms - who->row.last_active_ms >= TOUCH_EVERY_MS;
	return OK;
}

static err_t caller_by_user(struct ctx *c, struct caller *who)
{
	struct user_row u = { 0 };
	bool found;

	TRY(q_user_by_uid(c->db, c->mem, str_of_bytes(who->token.uid, UID_BYTES), &u, &found));
	REQUIRE(found, ERR_USER_NOT_FOUND);
	REQUIRE(u.disabled_ms == 0, ERR_SESSION_REVOKED);
	who->row = (struct caller_row){
		.id = u.id, .uid = u.uid, .email = u.email, .first_name = u.first_name,
		.last_name = u.last_name, .role = u.role, .login_provider = u.login_provider,
		.has_password = u.has_password, .is_admin = u.is_admin,
		.email_verified = u.email_verified, .last_login_ms = u.last_login_ms, .phone = u.phone, .has_totp = u.has_totp, .is_guest = u.is_guest, .claim_ms = u.claim_ms,
	};
	return OK;
}

err_t session_caller(struct ctx *c, str access_token, struct caller *ret)
{
	struct caller who = { 0 };

	TRY(token_read_access(c, access_token, false, &who.token));
	if (c->cfg->session.check_on == SESSION_CHECK_ALLCALLS)
		TRY(caller_by_session(c, &who, true));
	else
		TRY(caller_by_user(c, &who));
	c->log_user_id = who.row.id;
	*ret = who;
	return OK;
}

err_t session_caller_of(struct ctx *c, const uint8_t sid[UID_BYTES], struct caller *ret)
{
	struct caller who = { 0 };

	memcpy(who.token.sid, sid, UID_BYTES);
	TRY(caller_by_session(c, &who, false));
	c->log_user_id = who.row.id;
	*ret = who;
	return OK;
}

err_t session_names_guest(struct ctx *c, str access_token, bool *ret)
{
	struct access_token t;
	struct user_row u = { 0 };
	bool found;
	err_t e = token_read_access(c, access_token, true, &t);

	*ret = false;
	if (e.code != ERR_OK)
		return err_is_fault(e) ? e : OK;
	TRY(q_user_by_uid(c->db, c->mem, str_of_bytes(t.uid, UID_BYTES), &u, &found));
	*ret = found && u.is_guest;
	return OK;
}

err_t session_seen(struct ctx *c, const struct caller *who)
{
	str sid = sid_str(who->token.sid);
	int64_t id = session_id_of(who->token.sid);
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(q_session_confirm(c->db, id, sid, who->token.gen));
	TRY(q_session_touch(c->db, id, sid, c->now_ms));
	return tx_commit(&tx);
}

/* ---- end ---- */

static err_t end_session(struct ctx *c, const uint8_t sid[UID_BYTES], str uid, enum audit_event why)
{
	int64_t changed;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(q_session_delete(c->db, session_id_of(sid), sid_str(sid), &changed));
	if (changed > 0)
		TRY(audit_add(c, why, uid, sid_str(sid), STR_NONE));
	return tx_commit(&tx);
}

/* *ret_uid: STR_NONE when only the refresh token names it. */
static err_t named_by(struct ctx *c, str access_token, str refresh_token, uint8_t ret_sid[UID_BYTES], str *ret_uid,
		      bool *ret_named)
{
	struct access_token access;
	struct refresh_token refresh;
	err_t e = { ERR_ACCESS_TOKEN };

	*ret_named = false;
	*ret_uid = STR_NONE;
	if (access_token.n > 0)
		e = token_read_access(c, access_token, true, &access);
	if (e.code == ERR_OK) {
		memcpy(ret_sid, access.sid, UID_BYTES);
		*ret_named = true;
		return arena_copy(c->mem, str_of_bytes(access.uid, UID_BYTES), ret_uid);
	}
	if (!err_is_fault(e) && refresh_token.n > 0)
		e = token_read_refresh(c, refresh_token, &refresh);
	if (e.code == ERR_OK) {
		memcpy(ret_sid, refresh.sid, UID_BYTES);
		*ret_named = true;
	}
	return err_is_fault(e) ? e : OK;
}

err_t session_named(struct ctx *c, str access_token, str refresh_token, uint8_t ret_sid[UID_BYTES], bool *ret_named)
{
	str uid;

	return named_by(c, access_token, refresh_token, ret_sid, &uid, ret_named);
}

err_t session_logout(struct ctx *c, str access_token, str refresh_token)
{
	uint8_t sid[UID_BYTES];
	bool named;
	str uid;

	TRY(named_by(c, access_token, refresh_token, sid, &uid, &named));
	return named ? end_session(c, sid, uid, AUDIT_LOGOUT) : OK;
}

err_t session_lives(struct ctx *c, const uint8_t sid[UID_BYTES], int64_t user_id)
{
	int64_t auth_ms;
	bool found;

	TRY(q_session_auth(c->db, c->mem, session_id_of(sid), sid_str(sid), user_id, &auth_ms, &found));
	REQUIRE(found, ERR_SESSION_REVOKED);
	return OK;
}

err_t session_act(struct ctx *c, const struct caller *who, struct tx *tx, struct user_row *ret)
{
	TRY(tx_begin(tx, c->db));
	TRY(session_lives(c, who->token.sid, who->row.id));
	return user_load(c, who->row.id, ERR_SESSION_REVOKED, ret);
}

err_t session_auth_ms(struct ctx *c, const struct caller *who, int64_t *ret_auth_ms)
{
	bool found;

	TRY(q_session_auth(c->db, c->mem, session_id_of(who->token.sid), sid_str(who->token.sid), who->row.id,
			   ret_auth_ms, &found));
	REQUIRE(found, ERR_SESSION_REVOKED);
	return OK;
}

err_t session_reauthenticated(struct ctx *c, const struct caller *who)
{
	int64_t changed;

	TRY(q_session_reauth(c->db, session_id_of(who->token.sid), sid_str(who->token.sid), who->row.id,
			     c->now_ms, &changed));
	REQUIRE(changed == 1, ERR_SESSION_REVOKED);
	return OK;
}

err_t session_factor_ms(struct ctx *c, const struct caller *who, int64_t *ret_factor_ms)
{
	bool found;

	TRY(q_session_factor(c->db, c->mem, session_id_of(who->token.sid), sid_str(who->token.sid), who->row.id,
			     ret_factor_ms, &found));
	REQUIRE(found, ERR_SESSION_REVOKED);
	return OK;
}

err_t session_factor_proven(struct ctx *c, const struct caller *who)
{
	int64_t changed;

	TRY(q_session_factor_proven(c->db, session_id_of(who->token.sid), sid_str(who->token.sid), who->row.id,
				    c->now_ms, &changed));
	REQUIRE(changed == 1, ERR_SESSION_REVOKED);
	return OK;
}

err_t session_end_others(struct ctx *c, int64_t user_id, str sid)
{
	int64_t changed;

	if (sid.n != UID_BYTES)
		return q_session_delete_all(c->db, user_id, &changed);
	return q_session_delete_others(c->db, user_id, session_id_of((const uint8_t *)sid.p), sid, &changed);
}

err_t session_list_own(struct ctx *c, int64_t user_id, struct session_row **ret, size_t *ret_n)
{
	return q_session_list(c->db, c->mem, user_id, clock_effective_ms(c), ret, ret_n);
}

err_t session_end_own(struct ctx *c, int64_t user_id, str uid, str handle)
{
	uint8_t sid[UID_BYTES];
	int64_t changed;
	TX tx = { 0 };

	REQUIRE(uid_parse(handle, sid), ERR_SESSION_NOT_FOUND);
	TRY(tx_begin(&tx, c->db));
	TRY(q_session_delete_own(c->db, session_id_of(sid), sid_str(sid), user_id, &changed));
	REQUIRE(changed == 1, ERR_SESSION_NOT_FOUND);
	TRY(audit_add(c, AUDIT_SESSION_ENDED, uid, sid_str(sid), STR_NONE));
	return tx_commit(&tx);
}

err_t session_sweep(struct ctx *c, int64_t limit_n, int64_t *ret_n)
{
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(q_session_sweep(c->db, c->now_ms / MS_PER_DAY, c->now_ms, limit_n, ret_n));
	return tx_commit(&tx);
}
