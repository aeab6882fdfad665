#include "domain/factor.h"

#include "crypto/aead.h"
#include "crypto/base32.h"
#include "crypto/qr.h"
#include "crypto/totp.h"
#include "domain/audit.h"
#include "domain/claim.h"
#include "domain/clock_guard.h"
#include "domain/message.h"
#include "domain/user.h"
#include "store/query.h"

#define PENDING_TTL_MS (10 * MS_PER_MIN)

/* ---- seeds ---- */

static str context_of(const struct user_row *user, char buf[4 + UID_BYTES])
{
	static const char what[4] = { 't', 'o', 't', 'p' };

	memcpy(buf, what, 4);
	memcpy(buf + 4, user->uid.p, UID_BYTES);
	return (str){ buf, 4 + UID_BYTES };
}

static err_t seal_seed(struct ctx *c, const struct user_row *user, str seed, str *ret)
{
	char context[4 + UID_BYTES];

	return aead_seal(c->mem, c->rng, &c->keys->storage, context_of(user, context), seed, ret);
}

static err_t open_seed(struct ctx *c, const struct user_row *user, str sealed, str *ret)
{
	char context[4 + UID_BYTES];

	return aead_open(c->mem, &c->keys->storage, context_of(user, context), sealed, ret);
}

static struct secret key_of(str seed)
{
	return (struct secret){ (uint8_t *)(uintptr_t)seed.p, seed.n };
}

/* ---- looking at codes ---- */

/* On disk before the look, which may take a hash. */
static err_t count_look(struct ctx *c, int64_t user_id, struct factor_attempt *ret)
{
	TX tx = { 0 };

	*ret = (struct factor_attempt){ .user_id = user_id };
	TRY(tx_begin(&tx, c->db));
	TRY(attempt_factor(c, ret));
	TRY(attempt_factor_count(c, ret));
	return tx_commit(&tx);
}

static err_t note_wrong(struct ctx *c, const struct user_row *user)
{
	return audit_add(c, AUDIT_FACTOR_FAILED, user->uid, STR_NONE, STR("totp"));
}

static err_t refuse(struct ctx *c, const struct user_row *user, enum err_code why)
{
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(note_wrong(c, user));
	TRY(tx_commit(&tx));
	FAIL(why);
}

/* A code that is right, and what using it up takes. */
struct match {
	enum factor kind;
	str totp; /* the seed as stored */
	int64_t step;
	struct recovery_found recovery;
};

static err_t look_totp(struct ctx *c, const struct user_row *user, str code, bool *ret_ok, struct match *ret)
{
	struct factor_row f = { 0 };
	bool found;
	str seed;

	TRY(q_factor_of(c->db, c->mem, user->id, &f, &found));
	REQUIRE(f.totp.p != NULL, ERR_NO_SECOND_FACTOR);
	TRY(open_seed(c, user, f.totp, &seed));
	*ret = (struct match){ .kind = FACTOR_TOTP, .totp = f.totp };
	TRY(totp_check(key_of(seed), code, c->now_ms, &ret->step));
	*ret_ok = ret->step > f.totp_step;
	return OK;
}

/* Either kind in either field: people type what they have. */
static err_t look(struct ctx *c, const struct user_row *user, str code, struct match *ret)
{
	WIPED_ARRAY(char, recovery, RECOVERY_LEN);
	bool ok;

	if (recovery_read(code, recovery)) {
		ret->kind = FACTOR_RECOVERY;
		TRY(recovery_look(c, user->id, recovery, &ok, &ret->recovery));
	} else {
		TRY(look_totp(c, user, code, &ok, ret));
	}
	return ok ? OK : refuse(c, user, ERR_TOTP_CODE);
}

/* Inside the open transaction. Of several who come with one code the statement lets one pass. */
static err_t use(struct ctx *c, const struct user_row *user, const struct match *m)
{
	int64_t changed;

	if (m->kind == FACTOR_RECOVERY)
		return recovery_use(c, user, &m->recovery);
	TRY(q_factor_step(c->db, user->id, m->totp, m->step, &changed));
	REQUIRE(changed == 1, ERR_TOTP_CODE);
	return OK;
}

static err_t load_asked(struct ctx *c, const struct handle *h, struct user_row *ret)
{
	TRY(user_load(c, h->user_id, ERR_NO_SECOND_FACTOR, ret));
	REQUIRE(ret->has_totp, ERR_NO_SECOND_FACTOR);
	return OK;
}

/* Inside the open transaction. */
static err_t count_wrong(struct ctx *c, const struct handle *h, const struct user_row *user, str code)
{
	struct gate_try try = { 0 };

	TRY(gate_count(c, h, code, &try));
	TRY(gate_wrong(c, &try));
	return note_wrong(c, user);
}

/* Read, looked at, counted and used up in one transaction, which is one fsync: of those who try at the same time each
 * waits for the turn to write, so none looks before the one before is counted. Reading there too costs least: that
 * connection still has the pages, which the others have to fetch anew after every commit. */
static err_t try_app(struct ctx *c, str temp_token, str code, bool remember, bool *ret_known, struct signed_in *ret)
{
	struct user_row user = { 0 };
	struct match m = { 0 };
	struct gate_try try = { 0 };
	struct handle h;
	bool right;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(gate_look(c, temp_token, &h, ret_known));
	TRY(load_asked(c, &h, &user));
	TRY(gate_wait(c, &h, &try));
	TRY(look_totp(c, &user, code, &right, &m));
	if (right) {
		TRY(use(c, &user, &m));
		TRY(gate_finish(c, &h, &user, &try, m.kind, remember, ret));
	} else {
		TRY(count_wrong(c, &h, &user, code));
	}
	TRY(tx_commit(&tx));
	REQUIRE(right, ERR_TOTP_CODE);
	return gate_sign(ret);
}

static err_t sign_in_by_app(struct ctx *c, str temp_token, str code, bool remember, struct signed_in *ret)
{
	bool known = true;
	err_t e;

	TRY(attempt_token_door(c));
	e = try_app(c, temp_token, code, remember, &known, ret);
	return known || err_is_fault(e) ? e : onetime_unknown(c, ONETIME_HANDLE);
}

static err_t count_try(struct ctx *c, const struct handle *h, str code, struct gate_try *ret)
{
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(gate_count(c, h, code, ret));
	TRY(gate_wrong(c, ret)); /* until it turns out to be right */
	return tx_commit(&tx);
}

/* The hash is outside of the transactions: it takes long. */
static err_t sign_in_by_recovery(struct ctx *c, str temp_token, str code, bool remember, struct signed_in *ret)
{
	struct user_row user = { 0 };
	struct match m = { 0 };
	struct gate_try try = { 0 };
	struct handle h;
	TX tx = { 0 };

	TRY(gate_find(c, ONETIME_HANDLE, temp_token, &h));
	TRY(load_asked(c, &h, &user));
	TRY(count_try(c, &h, code, &try));
	TRY(look(c, &user, code, &m));
	TRY(tx_begin(&tx, c->db));
	TRY(user_load(c, h.user_id, ERR_TEMP_TOKEN, &user));
	TRY(use(c, &user, &m));
	TRY(gate_finish(c, &h, &user, &try, m.kind, remember, ret));
	TRY(tx_commit(&tx));
	return gate_sign(ret);
}

err_t factor_sign_in(struct ctx *c, str temp_token, str code, bool remember, struct signed_in *ret)
{
	struct signed_in out = { 0 };
	WIPED_ARRAY(char, recovery, RECOVERY_LEN);

	TRY(clock_issue(c)); /* before the try is counted */
	REQUIRE(temp_token.n > 0, ERR_TEMP_TOKEN_REQUIRED);
	if (recovery_read(code, recovery))
		TRY(sign_in_by_recovery(c, temp_token, code, remember, &out));
	else
		TRY(sign_in_by_app(c, temp_token, code, remember, &out));
	*ret = out;
	return OK;
}

err_t factor_prove(struct ctx *c, const struct caller *who, str code)
{
	struct user_row user = { 0 };
	struct match m = { 0 };
	struct factor_attempt attempt;
	TX tx = { 0 };

	TRY(user_load(c, who->row.id, ERR_SESSION_REVOKED, &user));
	REQUIRE(user.has_totp, ERR_NO_SECOND_FACTOR);
	TRY(count_look(c, user.id, &attempt));
	TRY(look(c, &user, code, &m));
	TRY(session_act(c, who, &tx, &user));
	TRY(use(c, &user, &m));
	TRY(claim_call_off(c, &user));
	TRY(attempt_factor_right(c, &attempt));
	TRY(session_factor_proven(c, who));
	TRY(audit_add(c, AUDIT_STEPUP_OK, user.uid, str_of_bytes(who->token.sid, UID_BYTES),
		      m.kind == FACTOR_RECOVERY ? STR("recovery") : STR("totp")));
	return tx_commit(&tx);
}

/* ---- set up ---- */

static err_t load_owner(struct ctx *c, const struct factor_owner *o, struct user_row *ret)
{
	const struct config *cfg = c->cfg;

	if (o->who != NULL) {
		TRY(session_lives(c, o->who->token.sid, o->who->row.id));
		TRY(user_load(c, o->who->row.id, ERR_SESSION_REVOKED, ret));
	} else {
		TRY(user_load(c, o->setup.user_id, ERR_TEMP_TOKEN, ret));
	}
	REQUIRE(!ret->is_guest, ERR_FORBIDDEN);
	REQUIRE(ret->email_verified || cfg->verification.mode == VERIFICATION_NONE, ERR_EMAIL_NOT_VERIFIED);
	/* The handle says that there is none: it must not replace one that was set up meanwhile (MF20). */
	REQUIRE(o->who != NULL || gate_factors(cfg, ret, o->setup.first) == 0, ERR_TEMP_TOKEN);
	return OK;
}

/* RFC 3986 §2.3: everything else is escaped, so that no reader can mistake a part for another. */
static void percent_encode(struct buf *out, str s)
{
	static const str plain =
		STR_INIT("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~");

	for (size_t i = 0; i < s.n; i++) {
		if (str_has_byte(plain, s.p[i]))
			buf_byte(out, s.p[i]);
		else
			buf_printf(out, "%%%02X", (unsigned char)s.p[i]);
	}
}

static err_t make_url(struct ctx *c, const struct user_row *user, str secret, str *ret)
{
	str issuer = c->cfg->twofactor.issuer.n > 0 ? c->cfg->twofactor.issuer : c->cfg->ui.site_name;
	struct buf b = { .cap = 64 + 3 * (2 * issuer.n + user->email.n) + secret.n };

	NEW(b.p, c->mem, char, b.cap);
	buf_lit(&b, "otpauth://totp/");
	percent_encode(&b, issuer);
	buf_byte(&b, ':');
	percent_encode(&b, user->email);
	buf_lit(&b, "?secret=");
	buf_str(&b, secret);
	buf_lit(&b, "&issuer=");
	percent_encode(&b, issuer);
	REQUIRE(!b.overflow, ERR_BUG);
	*ret = buf_view(&b);
	return OK;
}

static err_t describe(struct ctx *c, const struct user_row *user, str seed, struct factor_new *ret)
{
	struct buf b = { .cap = BASE32_LEN(TOTP_SEED_BYTES) };

	NEW(b.p, c->mem, char, b.cap);
	base32_encode(&b, seed);
	ret->secret = buf_view(&b);
	TRY(make_url(c, user, ret->secret, &ret->url));
	return qr_png_url(c->mem, ret->url, &ret->qr);
}

err_t factor_set_up(struct ctx *c, const struct factor_owner *o, struct factor_new *ret)
{
	WIPED_ARRAY(uint8_t, raw, TOTP_SEED_BYTES);
	str seed = str_of_bytes(raw, sizeof(raw)), sealed;
	struct user_row user = { 0 };
	int64_t changed;
	TX tx = { 0 };

	TRY(load_owner(c, o, &user));
	TRY(clock_issue(c));
	TRY(rng_fill(c->rng, raw, sizeof(raw)));
	TRY(seal_seed(c, &user, seed, &sealed));
	TRY(describe(c, &user, seed, ret));
	TRY(tx_begin(&tx, c->db));
	TRY(load_owner(c, o, &user));
	TRY(q_factor_pend(c->db, user.id, sealed, c->now_ms, &changed));
	REQUIRE(changed == 1, ERR_USER_NOT_FOUND);
	return tx_commit(&tx);
}

/* ---- proven ---- */

/* STR_NONE is fine: clients need not send back what the server knows. */
static bool is_same_secret(str sent, str seed)
{
	WIPED_ARRAY(uint8_t, raw, TOTP_SEED_BYTES);
	size_t n = 0;
	bool same;

	if (sent.n == 0)
		return true;
	same = base32_decode(sent, raw, sizeof(raw), &n) && n == seed.n && secret_equal_bytes(raw, seed.p, n);
	return same;
}

static err_t look_pending(struct ctx *c, const struct user_row *user, str code, str secret, struct match *ret)
{
	struct factor_row f = { 0 };
	bool found;
	str seed;

	TRY(q_factor_of(c->db, c->mem, user->id, &f, &found));
	if (f.totp_pending.p == NULL || f.totp_pending_ms + PENDING_TTL_MS <= clock_effective_ms(c))
		return refuse(c, user, ERR_TOTP_SETUP_CODE);
	TRY(open_seed(c, user, f.totp_pending, &seed));
	*ret = (struct match){ .kind = FACTOR_TOTP, .totp = f.totp_pending };
	TRY(totp_check(key_of(seed), code, c->now_ms, &ret->step));
	if (ret->step == TOTP_NO_STEP || !is_same_secret(secret, seed))
		return refuse(c, user, ERR_TOTP_SETUP_CODE);
	return OK;
}

static err_t tell(struct ctx *c, const struct user_row *user, const char *template, enum audit_event event,
		  str sid, str detail)
{
	TRY(message_to_user(c, user, str_of_cstr(template), NULL, 0));
	return audit_add(c, event, user->uid, sid, detail);
}

/* Whoever signed in before without this factor is out (F-11); so is every other order to set one up. */
static err_t end_what_was(struct ctx *c, const struct factor_owner *o, const struct user_row *user, str sid,
			  struct signed_in *ret)
{
	TRY(session_end_others(c, user->id, sid));
	if (o->who != NULL)
		TRY(session_factor_proven(c, o->who));
	else
		TRY(gate_finish_setup(c, &o->setup, ret));
	return onetime_void(c, user->id, ONETIME_SETUP);
}

static err_t store_proven(struct ctx *c, const struct factor_owner *o, const struct match *m,
			  const struct factor_attempt *attempt, const struct recovery_set *codes,
			  struct signed_in *ret)
{
	str sid = o->who == NULL ? STR_NONE : str_of_bytes(o->who->token.sid, UID_BYTES);
	bool may_replace = o->who != NULL && o->who->row.has_totp;
	struct user_row user = { 0 };
	int64_t changed;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(load_owner(c, o, &user));
	TRY(q_factor_prove(c->db, user.id, m->totp, m->step, c->now_ms, may_replace, &changed));
	REQUIRE(changed == 1, ERR_TOTP_SETUP_CODE);
	TRY(recovery_store(c, user.id, codes));
	TRY(onetime_void(c, user.id, ONETIME_FACTOR_RESET)); /* of the one before, if that was to be reset */
	TRY(attempt_factor_right(c, attempt));
	TRY(end_what_was(c, o, &user, sid, ret));
	TRY(tell(c, &user, "factor-changed", AUDIT_FACTOR_SET, sid, STR("totp")));
	TRY(audit_add(c, AUDIT_RECOVERY_MADE, user.uid, sid, STR_NONE));
	return tx_commit(&tx);
}

err_t factor_confirm(struct ctx *c, const struct factor_owner *o, str code, str secret,
		     struct recovery_set *ret_codes, struct signed_in *ret)
{
	struct recovery_set codes = { 0 };
	struct user_row user = { 0 };
	struct signed_in out = { 0 };
	struct factor_attempt attempt;
	struct match m;

	TRY(load_owner(c, o, &user));
	TRY(clock_issue(c));
	TRY(count_look(c, user.id, &attempt));
	TRY(look_pending(c, &user, code, secret, &m));
	TRY(recovery_make(c, &codes));
	TRY(store_proven(c, o, &m, &attempt, &codes, &out));
	TRY(gate_sign(&out));
	*ret_codes = codes;
	*ret = out;
	return OK;
}

/* ---- switched off ---- */

err_t factor_wipe(struct ctx *c, int64_t user_id)
{
	int64_t changed;

	TRY(q_factor_clear(c->db, user_id, &changed));
	TRY(onetime_void(c, user_id, ONETIME_FACTOR_RESET));
	return recovery_void(c, user_id);
}

err_t factor_disable(struct ctx *c, const struct caller *who)
{
	struct user_row user = { 0 };
	TX tx = { 0 };

	TRY(session_act(c, who, &tx, &user));
	REQUIRE(!user.require_2fa, ERR_FACTOR_REQUIRED);
	REQUIRE(!c->cfg->twofactor.required, ERR_FACTOR_POLICY);
	/* One that was set up while this request was on its way was not asked for: it stays. */
	if (!user.has_totp || !who->row.has_totp)
		return OK;
	TRY(factor_wipe(c, user.id));
	TRY(tell(c, &user, "factor-removed", AUDIT_FACTOR_REMOVED, str_of_bytes(who->token.sid, UID_BYTES),
		 STR("totp")));
	return tx_commit(&tx);
}

err_t factor_new_codes(struct ctx *c, const struct caller *who, struct recovery_set *ret)
{
	struct recovery_set codes = { 0 };
	struct user_row user = { 0 };
	TX tx = { 0 };

	REQUIRE(who->row.has_totp, ERR_NO_SECOND_FACTOR);
	TRY(recovery_make(c, &codes));
	TRY(session_act(c, who, &tx, &user));
	REQUIRE(user.has_totp, ERR_NO_SECOND_FACTOR);
	TRY(recovery_store(c, user.id, &codes));
	TRY(tell(c, &user, "factor-changed", AUDIT_RECOVERY_MADE, str_of_bytes(who->token.sid, UID_BYTES),
		 STR_NONE));
	TRY(tx_commit(&tx));
	*ret = codes;
	return OK;
}

/* ---- operators ---- */

static err_t reset(struct ctx *c, const struct user_row *user)
{
	TRY(factor_wipe(c, user->id));
	TRY(attempt_factor_clear(c, user->id));
	TRY(session_end_others(c, user->id, STR_NONE));
	TRY(onetime_void_all(c, user->id));
	return tell(c, user, "factor-removed", AUDIT_FACTOR_REMOVED, STR_NONE, STR("by an operator"));
}

/* Somebody may have talked the operator into it: who runs the house hears of it while the app still counts. */
static err_t put_down_reset(struct ctx *c, const struct user_row *user)
{
	const struct message_link m = {
		.template = STR("factor-reset-asked"), .path = STR("2fa/keep"),
		.purpose = ONETIME_FACTOR_RESET, .to = user->email,
	};
	int64_t changed;

	TRY(q_factor_reset_ask(c->db, user->id, c->now_ms + c->cfg->twofactor.admin_reset_delay_ms, &changed));
	if (changed == 0)
		return OK;
	TRY(message_link(c, user, &m));
	return audit_add(c, AUDIT_FACTOR_RESET_ASKED, user->uid, STR_NONE, STR("by an operator"));
}

err_t factor_reset(struct ctx *c, const struct user_row *user)
{
	bool waits = user->is_admin && user->has_totp && c->cfg->twofactor.admin_reset_delay_ms > 0;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(waits ? put_down_reset(c, user) : reset(c, user));
	return tx_commit(&tx);
}

static err_t keep(struct ctx *c, const struct user_row *user, str by, bool *ret_kept)
{
	int64_t changed;

	TRY(q_factor_reset_cancel(c->db, user->id, &changed));
	*ret_kept = changed == 1;
	if (!*ret_kept)
		return OK;
	TRY(onetime_void(c, user->id, ONETIME_FACTOR_RESET));
	return audit_add(c, AUDIT_FACTOR_RESET_CANCELLED, user->uid, STR_NONE, by);
}

err_t factor_keep(struct ctx *c, const struct user_row *user)
{
	bool kept;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(keep(c, user, STR("by an operator"), &kept));
	return tx_commit(&tx);
}

err_t factor_keep_by_link(struct ctx *c, str token)
{
	struct onetime_row t = { 0 };
	struct user_row user = { 0 };
	bool kept;
	TX tx = { 0 };

	TRY(onetime_find(c, ONETIME_FACTOR_RESET, token, &t));
	TRY(tx_begin(&tx, c->db));
	TRY(onetime_take(c, ONETIME_FACTOR_RESET, token, &t));
	TRY(user_load(c, t.user_id, ERR_FACTOR_RESET_TOKEN, &user));
	TRY(keep(c, &user, STR("by its owner"), &kept));
	REQUIRE(kept, ERR_FACTOR_RESET_TOKEN);
	return tx_commit(&tx);
}

err_t factor_sweep(struct ctx *c, int64_t limit_n, int64_t *ret_n)
{
	struct user_row *due;
	size_t n;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(q_factor_reset_due(c->db, c->mem, c->now_ms, limit_n, &due, &n));
	for (size_t i = 0; i < n; i++)
		TRY(reset(c, &due[i]));
	*ret_n = (int64_t)n;
	return tx_commit(&tx);
}

static err_t set_required(struct ctx *c, const struct user_row *user, bool on)
{
	int64_t changed;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(q_factor_require(c->db, user->id, on, &changed));
	TRY(audit_add(c, AUDIT_FACTOR_REQUIRED, user->uid, STR_NONE, on ? STR("on") : STR("off")));
	return tx_commit(&tx);
}

err_t factor_require(struct ctx *c, const struct user_row *user)
{
	return set_required(c, user, true);
}

err_t factor_require_no_more(struct ctx *c, const struct user_row *user)
{
	return set_required(c, user, false);
}
