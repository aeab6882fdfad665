#include "domain/passwordless.h"

#include "base/log.h"
#include "domain/asked.h"
#include "domain/audit.h"
#include "domain/clock_guard.h"
#include "domain/device.h"
#include "domain/email.h"
#include "domain/message.h"
#include "domain/phone_number.h"
#include "domain/takeover.h"
#include "domain/uid.h"
#include "domain/user.h"
#include "domain/verification.h"
#include "store/query.h"

/* ---- the two channels ---- */

struct channel {
	enum first_proof proof;
	enum factor factor;
	enum onetime_purpose code, code_2fa;
	enum err_code wrong;
	const char *name; /* in the audit */
};

static const struct channel by_mail = { PROOF_MAIL, FACTOR_MAIL, ONETIME_MAIL_CODE, ONETIME_MAIL_CODE_2FA,
					ERR_MAGIC_LINK, "email" };
static const struct channel by_sms = { PROOF_SMS, FACTOR_SMS, ONETIME_SMS, ONETIME_SMS_2FA, ERR_SMS_CODE, "sms" };

/* What a secret of the channel proves, as it is now. */
static str address_of(const struct channel *ch, const struct user_row *user)
{
	return ch->proof == PROOF_SMS ? user->phone : user->email;
}

/* ---- who it is about ---- */

/* *ret: id 0 when there is no such account. */
static err_t find_by_email(struct ctx *c, str email, struct user_row *ret, str *ret_key)
{
	bool found;

	TRY(email_subject(c->mem, email, ret_key));
	TRY(q_user_by_email(c->db, c->mem, *ret_key, ret, &found));
	if (!found || ret->is_guest)
		*ret = (struct user_row){ 0 };
	return OK;
}

static err_t find_by_uid(struct ctx *c, str text, struct user_row *ret)
{
	uint8_t uid[UID_BYTES];
	bool found;

	if (!uid_parse(text, uid))
		return OK;
	TRY(q_user_by_uid(c->db, c->mem, str_of_bytes(uid, UID_BYTES), ret, &found));
	if (!found)
		*ret = (struct user_row){ 0 };
	return OK;
}

static bool holds_at(str s)
{
	str before, after;

	return str_cut(s, '@', &before, &after);
}

/* The address comes first; one in user_id counts as such. missing: the refusal when neither is there. */
static err_t find_either(struct ctx *c, str email, str user_id, enum err_code missing, struct user_row *ret,
			 str *ret_key)
{
	*ret = (struct user_row){ 0 };
	if (email.n == 0 && holds_at(user_id))
		email = user_id;
	if (email.n > 0)
		return find_by_email(c, email, ret, ret_key);
	REQUIRE(user_id.n > 0, missing);
	*ret_key = user_id;
	return find_by_uid(c, user_id, ret);
}

/* Is the channel a second factor here? The one of the first factor is not (MF04). */
static err_t require_offered(struct ctx *c, const struct channel *ch, const struct handle *h,
			     const struct user_row *user)
{
	REQUIRE((gate_factors(c->cfg, user, h->first) & (unsigned)ch->factor) != 0, ERR_TEMP_TOKEN);
	return OK;
}

/* ---- mail out ---- */

struct mail_wish {
	enum mailed what;
	enum onetime_purpose link, code;
	str sid, lang;
};

static err_t send_mailed_code(struct ctx *c, const struct user_row *user, const struct mail_wish *w, str code)
{
	const struct message m = {
		.template = STR("sign-in-code"), .to = user->email, .user_id = user->id,
		.lang = w->lang.p == NULL ? user->lang : w->lang,
		.expires_ms = c->now_ms + onetime_ttl_ms(c->cfg, w->code),
		.vars = { { STR("code"), code } }, .n_vars = 1,
	};

	return message_mail(c, &m);
}

/* A new mail ends what an older one brought, in whichever form. */
static err_t send_mail(struct ctx *c, const struct user_row *user, const struct mail_wish *w)
{
	const struct onetime_new n = { .purpose = w->code, .user_id = user->id, .address = user->email,
				       .sid = w->sid };
	struct message_link m = { .template = STR("magic-link"), .path = STR("magic-link/verify"),
				  .purpose = w->link, .to = user->email, .sid = w->sid, .lang = w->lang };

	c->log_user_id = user->id;
	TRY(onetime_void(c, user->id, w->link));
	TRY(onetime_void(c, user->id, w->code));
	if (w->what == MAILED_LINK)
		return message_link(c, user, &m);
	TRY(onetime_make_code(c, &n, STR_NONE, &m.code));
	if (w->what == MAILED_CODE)
		return send_mailed_code(c, user, w, m.code);
	m.template = STR("magic-link-code");
	return message_link(c, user, &m);
}

err_t passwordless_mail(struct ctx *c, str email, str lang, enum mailed what, const struct asker *by)
{
	const struct mail_wish w = { .what = what, .link = ONETIME_MAGIC, .code = ONETIME_MAIL_CODE, .lang = lang };
	struct user_row user = { 0 };
	struct leave leave;
	bool known, vain;
	TX tx = { 0 };
	str key;

	REQUIRE(mail_is_on(c->cfg), ERR_EMAIL_NOT_CONFIGURED);
	REQUIRE(email.n > 0, ERR_EMAIL_REQUIRED);
	TRY(clock_issue(c)); /* whether there is an account to issue something for or not */
	TRY(find_by_email(c, email, &user, &key));
	TRY(asked_in_vain(c, ATTEMPT_MAIL_NETWORK, by, &user, &vain));
	if (vain)
		return OK;
	TRY(tx_begin(&tx, c->db));
	TRY(find_by_email(c, email, &user, &key));
	TRY(asker_is_known(c, by, &user, &known));
	TRY(asked_mail(c, STR("magic-link"), key, known, &leave));
	if (leave.given && user.id != 0 && user.disabled_ms == 0)
		TRY(send_mail(c, &user, &w));
	if (leave.tell)
		TRY(audit_add(c, AUDIT_LINK_SENT, user.uid, STR_NONE, leave.given ? STR("email") : STR("limited")));
	return tx_commit(&tx);
}

err_t passwordless_mail_factor(struct ctx *c, str temp_token, str lang, enum mailed what)
{
	struct mail_wish w = { .what = what, .link = ONETIME_MAGIC_2FA, .code = ONETIME_MAIL_CODE_2FA,
			       .lang = lang };
	struct user_row user = { 0 };
	struct handle h;
	struct leave leave;
	TX tx = { 0 };
	str typed, key;

	REQUIRE(mail_is_on(c->cfg), ERR_EMAIL_NOT_CONFIGURED);
	TRY(gate_find(c, ONETIME_HANDLE, temp_token, &h));
	TRY(tx_begin(&tx, c->db));
	TRY(user_load(c, h.user_id, ERR_TEMP_TOKEN, &user));
	TRY(require_offered(c, &by_mail, &h, &user));
	w.sid = h.id;
	TRY(email_canonical(c->mem, user.email, &typed, &key));
	TRY(asked_mail(c, STR("magic-link-2fa"), key, true, &leave));
	if (leave.given)
		TRY(send_mail(c, &user, &w));
	if (leave.tell)
		TRY(audit_add(c, AUDIT_LINK_SENT, user.uid, STR_NONE,
			      leave.given ? STR("email, second factor") : STR("limited")));
	return tx_commit(&tx);
}

/* ---- SMS out ---- */

static err_t require_sms(struct ctx *c)
{
	if (sms_is_on(c->cfg))
		return OK;
	log_event(LOG_WARN, "sms_not_configured", LOG_STR("request_id", c->request_id));
	FAIL(ERR_SMS_NOT_CONFIGURED);
}

struct sms_wish {
	enum onetime_purpose purpose;
	str what, sid;
	bool known; /* asked.h */
};

/* A test number costs no message, so no budget; its code stands in the settings, so it is no key to the whole
 * house. A country may have been struck off since the number was proven. */
static err_t send_sms(struct ctx *c, const struct user_row *user, const struct sms_wish *w, struct leave *ret)
{
	const struct onetime_new n = { .purpose = w->purpose, .user_id = user->id, .address = user->phone, .sid = w->sid };
	str fixed = STR_NONE, code;
	bool is_test = phone_test_code(c->cfg, user->phone, &fixed);

	*ret = (struct leave){ .given = is_test ? !user->is_admin : phone_allowed(c->cfg, user->phone), .tell = true };
	if (ret->given && !is_test)
		TRY(asked_sms(c, w->what, user->phone, w->known, ret));
	if (!ret->given)
		return OK;
	c->log_user_id = user->id;
	TRY(onetime_make_code(c, &n, is_test ? fixed : STR_NONE, &code));
	if (is_test)
		return OK;
	return message_code(c, user, user->phone, code, c->now_ms + onetime_ttl_ms(c->cfg, w->purpose));
}

/* In the record: what was sent, and of what was not the first of its kind. */
static err_t note_sms(struct ctx *c, const struct user_row *user, const struct leave *l, str sent)
{
	return l->tell ? audit_add(c, AUDIT_CODE_SENT, user->uid, STR_NONE, l->given ? sent : STR("not sent")) : OK;
}

static bool can_be_texted(const struct user_row *user)
{
	return user->id != 0 && user->disabled_ms == 0 && user->phone.p != NULL;
}

err_t passwordless_sms(struct ctx *c, str email, str user_id, const struct asker *by)
{
	struct sms_wish w = { .purpose = ONETIME_SMS, .what = STR("sms-sign-in") };
	struct user_row user = { 0 };
	struct leave leave;
	bool vain;
	TX tx = { 0 };
	str key;

	TRY(require_sms(c));
	TRY(clock_issue(c));
	TRY(find_either(c, email, user_id, ERR_SMS_TARGET, &user, &key));
	TRY(asked_in_vain(c, ATTEMPT_SMS_NETWORK, by, &user, &vain));
	if (vain)
		return OK;
	TRY(tx_begin(&tx, c->db));
	TRY(find_either(c, email, user_id, ERR_SMS_TARGET, &user, &key));
	TRY(asker_is_known(c, by, &user, &w.known));
	if (can_be_texted(&user)) {
		TRY(send_sms(c, &user, &w, &leave));
	} else {
		TRY(asked_nobody(c, w.what, key, &leave));
		leave.given = false;
	}
	TRY(note_sms(c, &user, &leave, STR("sms")));
	return tx_commit(&tx);
}

err_t passwordless_sms_factor(struct ctx *c, str temp_token)
{
	struct sms_wish w = { .purpose = ONETIME_SMS_2FA, .what = STR("sms-2fa"), .known = true };
	struct user_row user = { 0 };
	struct leave leave;
	struct handle h;
	TX tx = { 0 };

	TRY(require_sms(c));
	TRY(gate_find(c, ONETIME_HANDLE, temp_token, &h));
	TRY(tx_begin(&tx, c->db));
	TRY(user_load(c, h.user_id, ERR_TEMP_TOKEN, &user));
	REQUIRE(user.phone.p != NULL, ERR_PHONE_NOT_SET);
	TRY(require_offered(c, &by_sms, &h, &user));
	w.sid = h.id;
	TRY(send_sms(c, &user, &w, &leave));
	TRY(note_sms(c, &user, &leave, STR("sms, second factor")));
	return tx_commit(&tx);
}

/* ---- first factor ---- */

struct devices {
	str device, trust; /* tokens as sent */
	int64_t caller_id; /* whose live session comes along; 0 */
};

static err_t pass(struct ctx *c, const struct channel *ch, const struct user_row *user, const struct devices *d,
		  struct signed_in *ret)
{
	struct first first = { .proof = ch->proof, .trust = d->trust };

	TRY(device_read(c, DEVICE_KNOWN, user->uid, user->device_epoch, d->device, &first.device_id));
	return gate_pass(c, user, &first, ret);
}

/* The account a consumed secret proves, as it is now. A secret ends with the address or number it went to. */
static err_t load_proven(struct ctx *c, const struct channel *ch, const struct onetime_row *t, struct user_row *ret)
{
	bool found;

	TRY(q_user_by_id(c->db, c->mem, t->user_id, ret, &found));
	REQUIRE(found && ret->disabled_ms == 0 && str_eq(t->address, address_of(ch, ret)), ch->wrong);
	return OK;
}

/* Mail proves the address, so both forms of what was mailed have served. */
static err_t pass_by_mail(struct ctx *c, const struct onetime_row *t, const struct devices *d,
			  struct signed_in *ret)
{
	const struct asker along = { .device = d->device, .user_id = d->caller_id };
	enum takeover_verdict verdict;
	struct user_row user = { 0 };
	unsigned lost;

	TRY(load_proven(c, &by_mail, t, &user));
	TRY(onetime_void(c, user.id, ONETIME_MAGIC));
	TRY(onetime_void(c, user.id, ONETIME_MAIL_CODE));
	TRY(takeover_prove(c, &user, &along, &verdict, &lost));
	TRY(pass(c, &by_mail, &user, d, ret));
	ret->lost = lost;
	return OK;
}

static err_t sign_in_by_link(struct ctx *c, str token, const struct devices *d, struct signed_in *ret)
{
	struct onetime_row t = { 0 };
	struct signed_in out;
	TX tx = { 0 };

	TRY(onetime_find(c, ONETIME_MAGIC, token, &t));
	TRY(tx_begin(&tx, c->db));
	TRY(onetime_take(c, ONETIME_MAGIC, token, &t));
	TRY(pass_by_mail(c, &t, d, &out));
	TRY(tx_commit(&tx));
	TRY(gate_sign(&out));
	*ret = out;
	return OK;
}

/* The number proves the account, not its address: that is asked for as after a password. The code has served
 * either way. */
static err_t pass_by_sms(struct ctx *c, const struct onetime_row *t, const struct devices *d,
			 struct signed_in *ret, err_t *ret_refusal)
{
	struct user_row user = { 0 };

	TRY(load_proven(c, &by_sms, t, &user));
	*ret_refusal = verification_allows(c->cfg, user.email_verified, user.verify_by_ms, c->now_ms);
	if (ret_refusal->code == ERR_OK)
		return pass(c, &by_sms, &user, d, ret);
	TRY(verification_start(c, &user, user.lang));
	return audit_add(c, AUDIT_LOGIN_FAILED, user.uid, STR_NONE, STR("address not verified"));
}

static err_t take_code(struct ctx *c, const struct channel *ch, const struct onetime_row *t, str code,
		       const struct devices *d, struct signed_in *ret)
{
	struct signed_in out = { 0 };
	err_t refusal = OK;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(onetime_take_code(c, t, code));
	if (ch->proof == PROOF_MAIL)
		TRY(pass_by_mail(c, t, d, &out));
	else
		TRY(pass_by_sms(c, t, d, &out, &refusal));
	TRY(tx_commit(&tx));
	TRY(gate_sign(&out));
	*ret = out;
	return refusal;
}

/* count: against the network, as wrong tokens are: many accounts may be tried, each a few times. */
static err_t note_wrong(struct ctx *c, const struct channel *ch, enum audit_event e, str uid, bool count)
{
	struct leave leave;

	if (count)
		TRY(attempt_budget(c, ATTEMPT_BAD_TOKEN, STR_NONE, &leave));
	return audit_add(c, e, uid, STR_NONE, str_of_cstr(ch->name));
}

static err_t refuse_code(struct ctx *c, const struct channel *ch, const struct user_row *user, bool count)
{
	TX tx = { 0 };

	atomic_fetch_add_explicit(&c->count->login_failed, 1, memory_order_relaxed);
	TRY(tx_begin(&tx, c->db));
	TRY(note_wrong(c, ch, AUDIT_LOGIN_FAILED, user->uid, count));
	TRY(tx_commit(&tx));
	FAIL(ch->wrong);
}

/* user: id 0 when there is no such account. Where there is no code to count a try at, the network's count is the
 * write that it would have been: the same answer after the same work. */
static err_t sign_in_by_code(struct ctx *c, const struct channel *ch, const struct user_row *user, str code,
			     const struct devices *d, struct signed_in *ret)
{
	struct onetime_row t = { 0 };
	bool none;
	err_t e;

	TRY(attempt_token_door(c));
	TRY(clock_issue(c)); /* before the try is counted, which nothing would give back */
	e = onetime_try_code(c, ch->code, user->id, code, &t);
	none = e.code == ch->wrong;
	if (none)
		TRY(attempt_bad_token(c));
	else if (e.code == ERR_OK)
		e = take_code(c, ch, &t, code, d, ret);
	return e.code == ch->wrong ? refuse_code(c, ch, user, !none) : e;
}

err_t passwordless_mail_sign_in(struct ctx *c, const struct mail_proof *p, struct signed_in *ret)
{
	const struct devices d = { .device = p->device, .trust = p->trust, .caller_id = p->caller_id };
	struct user_row user = { 0 };
	str key;

	if (p->token.n > 0 || p->email.n == 0)
		return sign_in_by_link(c, p->token, &d, ret);
	TRY(find_by_email(c, p->email, &user, &key));
	return sign_in_by_code(c, &by_mail, &user, p->code, &d, ret);
}

err_t passwordless_sms_sign_in(struct ctx *c, const struct sms_proof *p, struct signed_in *ret)
{
	const struct devices d = { .device = p->device, .trust = p->trust };
	struct user_row user = { 0 };
	str key;

	TRY(find_either(c, p->email, p->user_id, ERR_SMS_USER, &user, &key));
	return sign_in_by_code(c, &by_sms, &user, p->code, &d, ret);
}

/* ---- second factor ---- */

/* Compared before it is consumed: somebody else's link lives on (F-47). */
static err_t finish_by_link(struct ctx *c, const struct handle *h, str token, bool remember, struct signed_in *ret)
{
	struct onetime_row t = { 0 };
	struct user_row user = { 0 };
	struct signed_in out;
	TX tx = { 0 };

	TRY(onetime_find(c, ONETIME_MAGIC_2FA, token, &t));
	REQUIRE(t.user_id == h->user_id && str_eq(t.sid, h->id), ERR_TOKEN_MISMATCH);
	TRY(tx_begin(&tx, c->db));
	TRY(user_load(c, h->user_id, ERR_TEMP_TOKEN, &user));
	TRY(require_offered(c, &by_mail, h, &user));
	TRY(onetime_take(c, ONETIME_MAGIC_2FA, token, &t));
	REQUIRE(str_eq(t.address, user.email), ERR_MAGIC_LINK);
	TRY(gate_finish(c, h, &user, NULL, FACTOR_MAIL, remember, &out));
	TRY(tx_commit(&tx));
	TRY(gate_sign(&out));
	*ret = out;
	return OK;
}

/* What a client sends for a second factor. */
struct guess {
	str temp_token, code;
	bool remember;
};

/* A code of another handle, or to an address that is no longer the account's, is as wrong as any other. */
static err_t look_at_code(struct ctx *c, const struct channel *ch, const struct handle *h, const struct user_row *user,
			  str code)
{
	struct onetime_row t = { 0 };

	TRY(onetime_count_code(c, ch->code_2fa, h->user_id, code, &t));
	REQUIRE(str_eq(t.sid, h->id), ch->wrong);
	TRY(onetime_take_code(c, &t, code));
	REQUIRE(str_eq(t.address, address_of(ch, user)), ch->wrong);
	return OK;
}

/* Counted, looked at and used up in one transaction, as an app's code is (factor.c). */
static err_t finish_by_code(struct ctx *c, const struct channel *ch, const struct guess *g,
			    struct signed_in *ret)
{
	struct user_row user = { 0 };
	struct signed_in out = { 0 };
	struct gate_try try = { 0 };
	struct handle h;
	TX tx = { 0 };
	err_t e;

	TRY(clock_issue(c)); /* before the try is counted */
	TRY(gate_find(c, ONETIME_HANDLE, g->temp_token, &h));
	TRY(tx_begin(&tx, c->db));
	TRY(user_load(c, h.user_id, ERR_TEMP_TOKEN, &user));
	TRY(require_offered(c, ch, &h, &user));
	TRY(gate_count(c, &h, g->code, &try));
	e = look_at_code(c, ch, &h, &user, g->code);
	if (e.code == ERR_OK) {
		TRY(gate_finish(c, &h, &user, &try, ch->factor, g->remember, &out));
	} else {
		if (e.code != ch->wrong)
			return e;
		TRY(gate_wrong(c, &try));
		TRY(note_wrong(c, ch, AUDIT_FACTOR_FAILED, user.uid, true));
	}
	TRY(tx_commit(&tx));
	TRY(gate_sign(&out));
	*ret = out;
	return e;
}

err_t passwordless_mail_finish(struct ctx *c, const struct mail_proof *p, struct signed_in *ret)
{
	const struct guess g = { .temp_token = p->temp_token, .code = p->code, .remember = p->remember };
	struct handle h;

	if (p->token.n == 0 && p->code.n > 0)
		return finish_by_code(c, &by_mail, &g, ret);
	TRY(gate_find(c, ONETIME_HANDLE, p->temp_token, &h));
	return finish_by_link(c, &h, p->token, p->remember, ret);
}

err_t passwordless_sms_finish(struct ctx *c, const struct sms_proof *p, struct signed_in *ret)
{
	const struct guess g = { .temp_token = p->temp_token, .code = p->code, .remember = p->remember };

	return finish_by_code(c, &by_sms, &g, ret);
}
