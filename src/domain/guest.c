#include "domain/guest.h"

#include "base/base64url.h"
#include "base/json_out.h"
#include "base/lang_tag.h"
#include "domain/audit.h"
#include "domain/email_change.h"
#include "domain/onetime.h"
#include "store/query.h"

/* ---- made ---- */

static err_t insert(struct ctx *c, str *ret_uid, struct user_row *ret)
{
	uint8_t uid[UID_BYTES];
	int64_t id;
	bool found;
	str key;

	TRY(uid_make(c->rng, uid));
	TRY(uid_text(c->mem, str_of_bytes(uid, UID_BYTES), ret_uid));
	/* Unique like an address, and none: there is no '@' in it. */
	TRY(arena_printf(c->mem, &key, "guest:%.*s", STR_ARG(*ret_uid)));
	TRY(q_guest_insert(c->db, c->mem, str_of_bytes(uid, UID_BYTES), key, c->now_ms, &id, &found));
	TRY(q_user_by_id(c->db, c->mem, id, ret, &found));
	REQUIRE(found, ERR_BUG);
	return OK;
}

err_t guest_create(struct ctx *c, struct signed_in *ret, str *ret_uid)
{
	const struct first first = { .proof = PROOF_GUEST };
	struct user_row user = { 0 };
	struct signed_in out;
	TX tx = { 0 };
	str uid;

	REQUIRE(c->cfg->guest.enabled, ERR_GUESTS_OFF);
	TRY(tx_begin(&tx, c->db));
	TRY(attempt_take(c, ATTEMPT_GUEST));
	TRY(insert(c, &uid, &user));
	TRY(audit_add(c, AUDIT_GUEST_CREATED, user.uid, STR_NONE, STR_NONE));
	TRY(gate_pass(c, &user, &first, &out));
	TRY(tx_commit(&tx));
	TRY(gate_sign(&out));
	*ret = out;
	*ret_uid = uid;
	return OK;
}

/* ---- given an address ---- */

static err_t random_jti(struct ctx *c, str *ret)
{
	uint8_t raw[UID_BYTES]; /* public: it names a token */
	struct buf b = { .cap = BASE64URL_LEN(UID_BYTES) };

	TRY(rng_fill(c->rng, raw, sizeof(raw)));
	NEW(b.p, c->mem, char, b.cap);
	base64url_encode(&b, str_of_bytes(raw, sizeof(raw)));
	*ret = buf_view(&b);
	return OK;
}

static err_t mint_merge(struct ctx *c, str uid, str *ret)
{
	const struct jws_key *key = keyring_signer(c->keys, c->now_ms);
	int64_t iat_s = c->now_ms / MS_PER_S;
	struct buf b = { .cap = 4096 };
	struct json_out o;
	str sub, jti;

	REQUIRE(key != NULL, ERR_CRYPTO);
	TRY(uid_text(c->mem, uid, &sub));
	TRY(random_jti(c, &jti));
	NEW(b.p, c->mem, char, b.cap);
	out_begin(&o, &b);
	out_obj(&o);
	out_str(&o, STR("iss"), c->cfg->server.public_url);
	out_str(&o, STR("aud"), c->cfg->server.public_url);
	out_str(&o, STR("sub"), sub);
	out_str(&o, STR("jti"), jti);
	out_i64(&o, STR("iat"), iat_s);
	out_i64(&o, STR("exp"), iat_s + MERGE_TTL_MS / MS_PER_S);
	out_str(&o, STR("token_use"), STR("merge"));
	out_end_obj(&o);
	REQUIRE(!b.overflow, ERR_BUG);
	return jws_sign_as(key, c->mem, STR("merge+jwt"), buf_view(&b), ret);
}

struct upgrade {
	const struct caller *who;
	const struct user_new *n;
	struct user_ready ready;
	struct signed_in in;
};

/* Of two upgrades of one guest at once the second finds a guest no more: the address it meets is its own. */
static err_t require_was_guest(struct upgrade *u, int64_t changed)
{
	if (changed != 1)
		u->ready.owner_id = u->who->row.id;
	REQUIRE(changed == 1, ERR_EMAIL_EXISTS);
	return OK;
}

/* He is an account now: where accounts must show a second factor, the session of the guest ends, and the password just
 * chosen leads on as it does at a sign-in. */
static err_t pass_gate(struct ctx *c, struct upgrade *u)
{
	const struct first first = { .proof = PROOF_PASSWORD };
	int64_t id = u->who->row.id;
	struct user_row user = { 0 };

	TRY(user_load(c, id, ERR_SESSION_REVOKED, &user));
	if (!gate_asks(c->cfg, &user))
		return session_end_others(c, id, str_of_bytes(u->who->token.sid, UID_BYTES));
	TRY(session_end_others(c, id, STR_NONE));
	return gate_pass(c, &user, &first, &u->in);
}

static err_t become(struct ctx *c, struct upgrade *u)
{
	const struct user_new *n = u->n;
	str sid = str_of_bytes(u->who->token.sid, UID_BYTES);
	int64_t id = u->who->row.id, changed;
	struct user_row user = { 0 };
	TX tx = { 0 };
	err_t e;

	TRY(session_act(c, u->who, &tx, &user));
	e = q_guest_become(c->db, id, u->ready.typed, u->ready.key, u->ready.hash, n->first_name, n->last_name,
			   lang_best(c->mem, n->lang), user_verify_by_ms(c), &changed);
	if (e.code == ERR_CONFLICT)
		FAIL(ERR_EMAIL_EXISTS);
	TRY(e);
	TRY(require_was_guest(u, changed));
	TRY(onetime_void_all(c, id));
	TRY(pass_gate(c, u));
	TRY(user_greet(c, id, n->lang));
	TRY(audit_add(c, AUDIT_GUEST_UPGRADED, u->who->row.uid, sid, STR_NONE));
	return tx_commit(&tx);
}

/* With verification.mode = strict nobody may learn by this who has an account. The guest would: his profile says
 * what he has become. So he becomes nothing before the address is proven, whosever it is. */
static err_t wait_for_proof(struct ctx *c, struct upgrade *u)
{
	const struct user_new *n = u->n;
	struct user_row user = { 0 };
	int64_t changed;
	TX tx = { 0 };

	TRY(session_act(c, u->who, &tx, &user));
	TRY(q_guest_prepare(c->db, u->who->row.id, u->ready.hash, n->first_name, n->last_name, lang_best(c->mem, n->lang),
			    &changed));
	TRY(require_was_guest(u, changed));
	TRY(email_change_start(c, u->who, u->ready.typed, u->ready.key, n->lang));
	return tx_commit(&tx);
}

err_t guest_upgrade(struct ctx *c, const struct caller *who, const struct user_new *n, struct signed_in *ret)
{
	struct user_new self = *n;
	struct upgrade u = { .who = who, .n = &self };
	err_t e;

	TRY(user_may_register(c, n));
	self.self = true;
	e = user_prepare(c, &self, &u.ready);
	if (e.code == ERR_OK)
		e = c->cfg->verification.mode == VERIFICATION_STRICT ? wait_for_proof(c, &u) : become(c, &u);
	if (e.code == ERR_EMAIL_EXISTS && u.ready.owner_id != who->row.id)
		TRY(mint_merge(c, who->row.uid, &c->merge_token));
	*ret = u.in;
	return e;
}

/* ---- swept ---- */

err_t guest_sweep(struct ctx *c, int64_t limit_n, int64_t *ret_n)
{
	int64_t before_ms = c->now_ms - c->cfg->guest.unused_ttl_ms, used, unused;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(q_guest_note_used(c->db, before_ms, limit_n, &used));
	TRY(q_guest_sweep(c->db, before_ms, limit_n, &unused));
	if (unused > 0)
		TRY(audit_add(c, AUDIT_USER_DELETED, STR_NONE, STR_NONE, STR("unused guests")));
	TRY(tx_commit(&tx));
	*ret_n = used + unused;
	return OK;
}
