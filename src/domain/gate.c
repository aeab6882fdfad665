#include "domain/gate.h"

#include "domain/attempt.h"
#include "domain/audit.h"
#include "domain/claim.h"
#include "domain/clock_guard.h"
#include "domain/device.h"
#include "domain/message.h"
#include "domain/place.h"
#include "domain/takeover.h"
#include "domain/user.h"
#include "domain/verification.h"
#include "store/query.h"

/* ---- names ---- */

static str amr_of_first(enum first_proof p)
{
	switch (p) {
	case PROOF_PASSWORD: return STR("pwd");
	case PROOF_MAIL: return STR("email");
	case PROOF_SMS: return STR("sms");
	case PROOF_PROVIDER: return STR("fed");
	case PROOF_GUEST: return STR("guest");
	case PROOF_UNSET: break;
	}
	return STR("");
}

static enum first_proof first_of_amr(str amr)
{
	for (enum first_proof p = PROOF_PASSWORD; p <= PROOF_GUEST; p++) {
		if (str_eq(amr, amr_of_first(p)))
			return p;
	}
	return PROOF_UNSET;
}

/* RFC 8176 where it has a name. */
static str amr_of_factor(enum factor f)
{
	switch (f) {
	case FACTOR_TOTP: return STR("otp");
	case FACTOR_SMS: return STR("sms");
	case FACTOR_MAIL: return STR("email");
	case FACTOR_RECOVERY: return STR("recovery");
	}
	return STR("");
}

static void count(atomic_llong *what)
{
	atomic_fetch_add_explicit(what, 1, memory_order_relaxed);
}

/* ---- tokens ---- */

/* Who could know of a sign-in that its owner did not make: a place never seen. The first sign-in of all is
 * no news, nor is one that a mail was sent about for another reason. */
static err_t tell_owner(struct ctx *c, const struct user_row *user, str device_id, bool told)
{
	bool new_place;

	TRY(place_note(c, user->id, &new_place));
	if (told || !c->cfg->notice.new_sign_in || !new_place || device_id.p != NULL || user->last_login_ms == 0 ||
	    user->is_guest)
		return OK;
	return message_to_user(c, user, STR("new-sign-in"), NULL, 0);
}

static err_t give_tokens(struct ctx *c, const struct user_row *user, str amr, str device_id, bool told,
			 struct signed_in *ret)
{
	TRY(tell_owner(c, user, device_id, told));
	TRY(q_user_signed_in(c->db, user->id, c->now_ms));
	TRY(session_issue(c, user, amr, &ret->tokens));
	TRY(device_mint(c, DEVICE_KNOWN, user->uid, user->device_epoch, device_id, &ret->tokens.device));
	TRY(audit_add(c, AUDIT_LOGIN_OK, user->uid, STR_NONE, amr));
	count(&c->count->login_ok);
	c->log_user_id = user->id;
	ret->kind = GATE_TOKENS;
	return OK;
}

err_t gate_sign(struct signed_in *s)
{
	return session_sign(&s->tokens);
}

/* ---- after the first proof ---- */

/* Mail is one factor, once: not again after a first proof by mail, nor after a password that was set by mail. It is
 * none for who runs the house, whose reset mails would be both, nor beside an app (MF05). */
static bool mail_is_second(const struct config *cfg, const struct user_row *user, enum first_proof first)
{
	return mail_is_on(cfg) && cfg->twofactor.magic_link && !user->is_admin && !user->has_totp && first != PROOF_MAIL &&
	       !(first == PROOF_PASSWORD && user->password_by_mail);
}

unsigned gate_factors(const struct config *cfg, const struct user_row *user, enum first_proof first)
{
	unsigned f = 0;

	if (user->has_totp)
		f |= FACTOR_TOTP;
	if (user->phone.p != NULL && sms_is_on(cfg) && first != PROOF_SMS)
		f |= FACTOR_SMS;
	if (mail_is_second(cfg, user, first))
		f |= FACTOR_MAIL;
	return f;
}

static bool is_required(const struct config *cfg, const struct user_row *user)
{
	return !user->is_guest && (user->has_totp || user->require_2fa || cfg->twofactor.required);
}

bool gate_asks(const struct config *cfg, const struct user_row *user)
{
	return is_required(cfg, user);
}

bool gate_has_factor(const struct config *cfg, const struct user_row *user)
{
	return is_required(cfg, user) && gate_factors(cfg, user, PROOF_MAIL) != 0;
}

static err_t is_trusted(struct ctx *c, const struct user_row *user, str trust, bool *ret)
{
	str id;

	*ret = false;
	if (!c->cfg->twofactor.remember || user->is_admin || trust.n == 0)
		return OK;
	TRY(device_read(c, DEVICE_TRUSTED, user->uid, user->device_epoch, trust, &id));
	*ret = id.p != NULL;
	return OK;
}

static err_t make_handle(struct ctx *c, const struct user_row *user, const struct first *f,
			 enum onetime_purpose purpose, struct signed_in *ret)
{
	const struct onetime_new n = { .purpose = purpose, .user_id = user->id,
				       .address = amr_of_first(f->proof), .sid = f->device_id };

	c->log_user_id = user->id;
	ret->kind = purpose == ONETIME_SETUP ? GATE_SETUP : GATE_SECOND_FACTOR;
	TRY(onetime_make(c, &n, &ret->temp_token));
	return audit_add(c, AUDIT_FACTOR_ASKED, user->uid, STR_NONE, amr_of_first(f->proof));
}

static err_t tell_of_failures(struct ctx *c, const struct user_row *user, int64_t failures, bool *ret_told)
{
	struct template_var var = { STR("failures"), STR_NONE };

	*ret_told = c->cfg->notice.new_sign_in && failures >= c->cfg->limits.account_free;
	if (!*ret_told)
		return OK;
	TRY(arena_printf(c->mem, &var.value, "%lld", (long long)failures));
	return message_to_user(c, user, STR("sign-in-after-failures"), &var, 1);
}

/* The second factor is shown, now or by a device that showed it before. Whoever reads the mail, too, is the same: he
 * began with it, or with a password that he set by it. Ends a claim of somebody else's (claim.h). */
static err_t both_shown(struct ctx *c, enum first_proof first, struct user_row *user)
{
	TRY(claim_call_off(c, user));
	if (first == PROOF_MAIL || (first == PROOF_PASSWORD && user->password_by_mail && !user->email_verified))
		return takeover_passed(c, user);
	return OK;
}

err_t gate_pass(struct ctx *c, const struct user_row *who, const struct first *f, struct signed_in *ret)
{
	struct user_row row = *who, *user = &row;
	struct signed_in out = { 0 };
	bool trusted, told;

	REQUIRE(user->id != 0 && user->disabled_ms == 0 && f->proof != PROOF_UNSET, ERR_BUG);
	if (f->proof != PROOF_GUEST) /* they have a budget of their own */
		TRY(attempt_sign_in(c, f->device_id));
	TRY(tell_of_failures(c, user, f->failures, &told));
	TRY(is_trusted(c, user, f->trust, &trusted));
	out.factors = gate_factors(c->cfg, user, f->proof);
	if (trusted && gate_has_factor(c->cfg, user))
		TRY(both_shown(c, f->proof, user));
	if (!is_required(c->cfg, user) || trusted)
		TRY(give_tokens(c, user, amr_of_first(f->proof), f->device_id, told, &out));
	else
		TRY(make_handle(c, user, f, out.factors != 0 ? ONETIME_HANDLE : ONETIME_SETUP, &out));
	*ret = out;
	return OK;
}

/* ---- between the factors ---- */

static err_t handle_of(struct ctx *c, enum onetime_purpose purpose, str token, const struct onetime_row *row,
		       struct handle *ret)
{
	*ret = (struct handle){ .token = token, .user_id = row->user_id, .first = first_of_amr(row->address),
				.device_id = row->sid };
	c->log_user_id = row->user_id;
	return onetime_id(c, purpose, token, &ret->id);
}

err_t gate_find(struct ctx *c, enum onetime_purpose purpose, str temp_token, struct handle *ret)
{
	struct onetime_row row = { 0 };

	REQUIRE(temp_token.n > 0, ERR_TEMP_TOKEN_REQUIRED);
	TRY(onetime_find(c, purpose, temp_token, &row));
	REQUIRE(row.tries < ONETIME_TRIES_MAX, ERR_TEMP_TOKEN);
	return handle_of(c, purpose, temp_token, &row, ret);
}

err_t gate_look(struct ctx *c, str temp_token, struct handle *ret, bool *ret_known)
{
	struct onetime_row row = { 0 };

	TRY(onetime_look(c, ONETIME_HANDLE, temp_token, &row, ret_known));
	REQUIRE(row.tries < ONETIME_TRIES_MAX, ERR_TEMP_TOKEN);
	return handle_of(c, ONETIME_HANDLE, temp_token, &row, ret);
}

err_t gate_wait(struct ctx *c, const struct handle *h, struct gate_try *ret)
{
	ret->attempt = (struct factor_attempt){ .user_id = h->user_id, .device_id = h->device_id };
	return attempt_factor(c, &ret->attempt);
}

/* The account's waits come first: a try that is not looked at costs the handle nothing. */
err_t gate_count(struct ctx *c, const struct handle *h, str guess, struct gate_try *ret)
{
	struct onetime_row row = { 0 };

	TRY(gate_wait(c, h, ret));
	TRY(onetime_try_token(c, ONETIME_HANDLE, h->id, guess, &row));
	ret->repeat = onetime_is_repeat(&row);
	return OK;
}

err_t gate_wrong(struct ctx *c, struct gate_try *t)
{
	return t->repeat ? OK : attempt_factor_count(c, &t->attempt);
}

static err_t two_names(struct ctx *c, enum first_proof first, str second, str *ret)
{
	return arena_printf(c->mem, ret, "%.*s %.*s mfa", STR_ARG(amr_of_first(first)), STR_ARG(second));
}

static err_t finish(struct ctx *c, enum onetime_purpose purpose, const struct handle *h,
		    const struct user_row *who, enum factor factor, struct signed_in *ret)
{
	struct user_row user = *who;
	str amr;

	REQUIRE(user.id != 0 && user.id == h->user_id, ERR_BUG);
	TRY(onetime_end(c, purpose, h->id));
	TRY(onetime_void_bound(c, user.id, h->id));
	if (factor != FACTOR_MAIL && purpose == ONETIME_HANDLE)
		TRY(both_shown(c, h->first, &user));
	TRY(two_names(c, h->first, amr_of_factor(factor), &amr));
	return give_tokens(c, &user, amr, h->device_id, false, ret);
}

err_t gate_finish(struct ctx *c, const struct handle *h, const struct user_row *user, const struct gate_try *t,
		  enum factor factor, bool remember, struct signed_in *ret)
{
	struct signed_in out = { 0 };

	TRY(finish(c, ONETIME_HANDLE, h, user, factor, &out));
	if (t != NULL)
		TRY(attempt_factor_right(c, &t->attempt));
	if (remember && c->cfg->twofactor.remember && !user->is_admin)
		TRY(device_mint(c, DEVICE_TRUSTED, user->uid, user->device_epoch, h->device_id, &out.tokens.trust));
	*ret = out;
	return OK;
}

err_t gate_finish_setup(struct ctx *c, const struct handle *setup, struct signed_in *ret)
{
	struct signed_in out = { 0 };
	struct user_row user = { 0 };

	TRY(user_load(c, setup->user_id, ERR_TEMP_TOKEN, &user));
	TRY(finish(c, ONETIME_SETUP, setup, &user, FACTOR_TOTP, &out));
	*ret = out;
	return OK;
}
