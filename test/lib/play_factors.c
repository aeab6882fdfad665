/* The operations of a play that end in tokens, or stand between: second factors, links and codes
 * that sign in, linked addresses, guests. */
#include <gnutls/crypto.h>

#include "domain/factor.h"
#include "play.h"

#define STEP_MS	   30000
#define PENDING_MS (10 * MS_PER_MIN)

/* ---- authenticator apps: RFC 6238, written here once more ---- */

static size_t base32_bytes(const char *text, uint8_t *dst, size_t max)
{
	uint32_t bits = 0, n_bits = 0;
	size_t n = 0;

	for (; *text != '\0' && n < max; text++) {
		uint32_t v = *text >= 'A' ? (uint32_t)(*text - 'A') : (uint32_t)(*text - '2') + 26;

		bits = bits << 5 | v;
		n_bits += 5;
		if (n_bits >= 8) {
			n_bits -= 8;
			dst[n++] = (uint8_t)(bits >> n_bits);
		}
	}
	return n;
}

static const char *code_at(const char *seed, int64_t step)
{
	static char text[8];
	uint8_t key[40], counter[8], mac[20];
	uint32_t v;
	size_t at;

	for (size_t i = 0; i < 8; i++)
		counter[i] = (uint8_t)((uint64_t)step >> (56 - 8 * i));
	(void)gnutls_hmac_fast(GNUTLS_MAC_SHA1, key, base32_bytes(seed, key, sizeof(key)), counter,
			       sizeof(counter), mac);
	at = mac[19] & 0xf;
	v = (uint32_t)(mac[at] & 0x7f) << 24 | (uint32_t)mac[at + 1] << 16 |
	    (uint32_t)mac[at + 2] << 8 | mac[at + 3];
	(void)snprintf(text, sizeof(text), "%06u", v % 1000000);
	return text;
}

/* The latest step of three whose code it is; -1. */
static int64_t step_of(const struct play *p, const char *seed, const char *code)
{
	int64_t now = p->now_ms / STEP_MS;

	for (int64_t step = now + 1; seed[0] != '\0' && step >= now - 1; step--) {
		if (play_same(code_at(seed, step), code))
			return step;
	}
	return -1;
}

static int recovery_of(const struct play *p, int user, const char *code)
{
	for (int i = 0; i < PLAY_RECOVERY; i++) {
		if (code[0] != '\0' && play_same(p->user[user].recovery[i], code) &&
		    !p->user[user].recovery_dead[i])
			return i;
	}
	return PLAY_NONE;
}

const char *play_choose_factor_code(struct play *p, int user, const char *seed)
{
	static char wrong[8];
	unsigned dice = play_pick(p, 12);
	int other = play_any_user(p);

	if (user == PLAY_NONE)
		return "000000";
	if (dice < 7)
		return seed[0] == '\0'
			       ? "111111"
			       : code_at(seed, p->now_ms / STEP_MS + (dice == 5) - (dice == 6));
	if (dice < 10)
		return p->user[user].recovery[play_pick(p, PLAY_RECOVERY)];
	if (dice == 10 && p->user[other].seed[0] != '\0')
		return code_at(p->user[other].seed, p->now_ms / STEP_MS);
	(void)snprintf(wrong, sizeof(wrong), "%03u%03u", play_pick(p, 250),
		       (unsigned)(p->step % 1000));
	return wrong;
}

bool play_code_ok(const struct play *p, int user, const char *code)
{
	const struct play_user *u = &p->user[user];

	return u->has_totp && (recovery_of(p, user, code) != PLAY_NONE ||
			       step_of(p, u->seed, code) > u->last_step);
}

void play_use_code(struct play *p, int user, const char *code)
{
	struct play_user *u = &p->user[user];
	int recovery = recovery_of(p, user, code);

	if (!play_code_ok(p, user, code))
		play_fail(p, "code %s of user %d was accepted, which is wrong or was used", code,
			  user);
	if (recovery != PLAY_NONE)
		u->recovery_dead[recovery] = true;
	else
		u->last_step = step_of(p, u->seed, code);
}

/* "recoveryCodes":["…",…] */
static void keep_recovery(struct play *p, int user)
{
	struct play_user *u = &p->user[user];
	const char *at = memmem(p->answer.body.p, p->answer.body.n, "\"recoveryCodes\":[", 17);

	if (at == NULL)
		play_fail(p, "no recovery codes: %.*s", STR_ARG(p->answer.body));
	at += 17;
	for (int i = 0; i < PLAY_RECOVERY; i++) {
		const char *end = strchr(at + 1, '"');

		(void)snprintf(u->recovery[i], sizeof(u->recovery[i]), "%.*s", (int)(end - at - 1),
			       at + 1);
		u->recovery_dead[i] = false;
		at = end + 2;
	}
}

/* ---- set up ---- */

/* Somebody signed in, or the handle of a sign-in that may do nothing else. */
struct owner {
	int pair, handle, user;
};

static struct owner choose_owner(struct play *p, struct play_call *k, char *member, size_t max)
{
	struct owner o = { PLAY_NONE, PLAY_NONE, PLAY_NONE };

	member[0] = '\0';
	if (play_chance(p, p->cfg.twofactor.required ? 30 : 70)) {
		o.pair = play_sign(p, k);
		o.user = p->actor;
		for (int i = 0; i < p->n_secrets && o.pair == PLAY_NONE && k->bearer != NULL; i++) {
			if (p->secret[i].purpose == ONETIME_SETUP &&
			    play_same(p->secret[i].text, k->bearer)) {
				o.handle = i; /* what was to be nonsense is none */
				o.user = p->secret[i].user;
			}
		}
		return o;
	}
	o.handle = play_choose_secret(p, ONETIME_SETUP);
	if (o.handle != PLAY_NONE)
		o.user = p->secret[o.handle].user;
	if (play_chance(p, 50)) {
		static char token[72];

		play_set_text(token, sizeof(token), play_secret_text(p, o.handle));
		k->bearer = token;
	} else {
		(void)snprintf(member, max, "\"tempToken\":\"%s\",", play_secret_text(p, o.handle));
	}
	return o;
}

/* The answer is a success: may it be one for this owner? */
static void may_set_up(struct play *p, const struct owner *o)
{
	const struct play_user *u;

	if (o->pair != PLAY_NONE) {
		(void)play_used(p, o->pair);
	} else if (o->handle == PLAY_NONE || !play_secret_ok(p, o->handle, ONETIME_SETUP)) {
		play_fail(p, "a factor is set up under secret %d, which is no live handle for that",
			  o->handle);
	}
	u = &p->user[o->user];
	if (u->is_guest)
		play_fail(p, "a guest sets up a factor");
	if (!u->verified && p->cfg.verification.mode != VERIFICATION_NONE)
		play_fail(p, "user %d sets up a factor at an address that is not proven", o->user);
	if (o->pair == PLAY_NONE && play_factors(p, o->user, p->secret[o->handle].first) != 0)
		play_fail(p, "user %d has a factor, and a handle replaces it", o->user);
}

void play_op_2fa_setup(struct play *p)
{
	struct play_call k = play_request(METHOD_POST, "/2fa/setup");
	struct play_shown shown;
	char member[100], seed[40];
	struct owner o = choose_owner(p, &k, member, sizeof(member));

	play_proof(p, o.pair, &shown);
	play_body(&k, "{%s%s\"x\":1}", member, shown.text);
	play_call(p, &k);
	play_no_tokens(p);
	play_reproved(p, o.pair, PLAY_ASKS_FACTOR, &shown);
	if (!play_ok(p)) {
		if (o.pair != PLAY_NONE)
			(void)play_used(p, o.pair);
		return;
	}
	may_set_up(p, &o);
	if (o.pair != PLAY_NONE)
		play_need_proof(p, o.pair, PLAY_ASKS_FACTOR, &shown);
	if (!play_member(p, "secret", seed, sizeof(seed)) || str_of_cstr(seed).n != 32)
		play_fail(p, "no seed");
	play_set_text(p->user[o.user].pending_seed, sizeof(p->user[o.user].pending_seed), seed);
	p->user[o.user].pending_ms = p->now_ms;
	p->follow = play_op_2fa_verify_setup;
}

static const char *second_amr(const char *second, enum first_proof first)
{
	static const char *const names[] = { "", "pwd", "email", "sms", "fed", "guest" };
	static char text[40];

	(void)snprintf(text, sizeof(text), "%s %s mfa", names[first], second);
	return text;
}

static void was_set_up(struct play *p, const struct owner *o, int64_t step)
{
	struct play_user *u = &p->user[o->user];

	play_set_text(u->seed, sizeof(u->seed), u->pending_seed);
	u->pending_seed[0] = '\0';
	u->has_totp = true;
	u->last_step = step;
	u->seed_ms = p->now_ms;
	u->claim_ms = 0;
	u->epoch++;
	keep_recovery(p, o->user);
	play_end_sessions(p, o->user, o->pair == PLAY_NONE ? PLAY_NONE : p->pair[o->pair].session);
	if (o->pair != PLAY_NONE) {
		play_no_tokens(p);
		p->session[p->pair[o->pair].session].auth_ms = p->now_ms;
		p->session[p->pair[o->pair].session].factor_ms = p->now_ms;
	} else {
		play_take(p, o->handle, ONETIME_SETUP);
		play_got_tokens(p, o->user, second_amr("otp", p->secret[o->handle].first));
	}
	play_void(p, o->user, ONETIME_SETUP, "a factor was set up");
}

void play_op_2fa_verify_setup(struct play *p)
{
	struct play_call k = play_request(METHOD_POST, "/2fa/verify-setup");
	char member[100], code[24];
	struct owner o = choose_owner(p, &k, member, sizeof(member));
	struct play_user *u = o.user == PLAY_NONE ? NULL : &p->user[o.user];
	bool foreign = play_chance(p, 8);
	int64_t step;

	play_set_text(code, sizeof(code),
		      play_choose_factor_code(p, o.user, u == NULL ? "" : u->pending_seed));
	step = u == NULL ? -1 : step_of(p, u->pending_seed, code);
	play_body(&k, "{%s\"token\":\"%s\",\"secret\":\"%s\"}", member, code,
		  foreign     ? "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
		  : u == NULL ? ""
			      : u->pending_seed);
	play_call(p, &k);
	if (!play_ok(p)) {
		play_no_tokens(p);
		if (o.pair != PLAY_NONE)
			(void)play_used(p, o.pair);
		return;
	}
	may_set_up(p, &o);
	if (step < 0 || (foreign && u->pending_seed[0] != '\0'))
		play_fail(p, "a factor that no code proved");
	if (u->pending_ms + PENDING_MS <= play_effective_ms(p))
		play_fail(p, "a seed that has waited too long");
	was_set_up(p, &o, step);
}

void play_op_2fa_disable(struct play *p)
{
	struct play_call k = play_request(METHOD_POST, "/2fa/disable");
	int pair = play_sign(p, &k);
	struct play_shown shown;
	struct play_user *u;

	play_proof(p, pair, &shown);
	play_body(&k, "{%s\"x\":1}", shown.text);
	play_call(p, &k);
	play_no_tokens(p);
	play_reproved(p, pair, PLAY_ASKS_REMOVAL, &shown);
	if (!play_used(p, pair))
		return;
	u = &p->user[p->actor];
	play_need_proof(p, pair, PLAY_ASKS_REMOVAL, &shown);
	if (u->required || p->cfg.twofactor.required)
		play_fail(p, "user %d must have a second factor", p->actor);
	if (!u->has_totp)
		return;
	u->has_totp = false;
	u->claim_ms = 0;
	u->seed[0] = u->pending_seed[0] = '\0';
	memset(u->recovery_dead, true, sizeof(u->recovery_dead));
}

void play_op_2fa_codes(struct play *p)
{
	struct play_call k = play_request(METHOD_POST, "/2fa/recovery-codes");
	int pair = play_sign(p, &k);
	struct play_shown shown;

	play_proof(p, pair, &shown);
	play_body(&k, "{%s\"x\":1}", shown.text);
	play_call(p, &k);
	play_no_tokens(p);
	play_reproved(p, pair, PLAY_ASKS_FACTOR, &shown);
	if (!play_used(p, pair))
		return;
	play_need_proof(p, pair, PLAY_ASKS_FACTOR, &shown);
	if (!p->user[p->actor].has_totp)
		play_fail(p, "recovery codes for nothing");
	keep_recovery(p, p->actor);
}

/* ---- second factors ---- */

/* The answer is a sign-in under this handle by this factor. */
static void finished(struct play *p, int handle, enum factor factor, const char *name)
{
	int user = handle == PLAY_NONE ? PLAY_NONE : p->secret[handle].user;
	unsigned offered;

	play_take(p, handle, ONETIME_HANDLE);
	offered = play_factors(p, user, p->secret[handle].first);
	if (factor != FACTOR_RECOVERY && (offered & (unsigned)factor) == 0)
		play_fail(p, "user %d has no factor %s", user, name);
	play_void_bound(p, handle, "its handle is used");
	if (factor != FACTOR_MAIL)
		play_both_shown(p, user, p->secret[handle].first);
	play_got_tokens(p, user, second_amr(name, p->secret[handle].first));
}

static void missed(struct play *p, int handle)
{
	play_no_tokens(p);
	if (handle != PLAY_NONE && p->secret[handle].dead == NULL &&
	    ++p->secret[handle].tries >= ONETIME_TRIES_MAX + 2)
		p->secret[handle].dead = "guessed at too often";
}

void play_op_2fa_verify(struct play *p)
{
	struct play_call k = play_request(METHOD_POST, "/2fa/verify");
	int handle = play_choose_secret(p, ONETIME_HANDLE), trusts = p->n_trust;
	int user = handle == PLAY_NONE ? PLAY_NONE : p->secret[handle].user;
	bool live = play_secret_ok(p, handle, ONETIME_HANDLE), right, remember = play_chance(p, 30),
	     fresh;
	const char *temp = play_secret_text(p, handle);
	char code[24];

	play_set_text(
		code, sizeof(code),
		play_choose_factor_code(p, user, user == PLAY_NONE ? "" : p->user[user].seed));
	right = live && play_code_ok(p, user, code);
	fresh = live && !p->secret[handle].tried;
	if (live)
		p->secret[handle].tried = true;
	play_body(&k, "{\"tempToken\":\"%s\",\"%s\":\"%s\",\"rememberDevice\":%s}", temp,
		  play_chance(p, 20) ? "recoveryCode" : "totpCode", code,
		  remember ? "true" : "false");
	play_call(p, &k);
	if (!play_ok(p)) {
		if (right && fresh && !play_may_refuse(p))
			play_fail(p, "the right code of user %d was refused", user);
		if (live && play_code(p, "INVALID_TOTP_CODE"))
			missed(p, handle);
		play_no_tokens(p);
		return;
	}
	if (!live)
		play_fail(p, "secret %d is no live handle", handle);
	finished(p, handle, recovery_of(p, user, code) == PLAY_NONE ? FACTOR_TOTP : FACTOR_RECOVERY,
		 recovery_of(p, user, code) == PLAY_NONE ? "otp" : "recovery");
	play_use_code(p, user, code);
	if (p->n_trust != trusts && !remember)
		play_fail(p, "a device is trusted that nobody asked for");
	play_call(p, &k); /* the same again */
	if (play_ok(p))
		play_fail(p, "handle %d was accepted twice", handle);
}

/* ---- by mail ---- */

/* An address that was given up may be another's by now. */
static int target_now(const struct play *p, int user)
{
	return user == PLAY_NONE || p->user[user].exists || p->user[user].email[0] == '\0'
		       ? user
		       : play_user_by_email(p, p->user[user].email);
}

static const char *mode_of(struct play *p, bool *ret_second, int *ret_handle, char *member,
			   size_t max)
{
	*ret_second = play_chance(p, 45);
	*ret_handle = PLAY_NONE;
	member[0] = '\0';
	if (!*ret_second)
		return "login";
	*ret_handle = play_choose_secret(p, ONETIME_HANDLE);
	(void)snprintf(member, max, ",\"tempToken\":\"%s\"", play_secret_text(p, *ret_handle));
	return "2fa";
}

/* Often somebody before whose mail a second factor stands: few are. */
static const char *reader_of_mail(struct play *p)
{
	for (int i = 0; i < p->n_users && play_chance(p, 80); i++) {
		if (p->user[i].exists && p->user[i].email[0] != '\0' && play_asks_first(p, i))
			return p->user[i].email;
	}
	return play_somebodys_address(p);
}

void play_op_magic_send(struct play *p)
{
	static const char *const types[] = { "link", "code", "both" };
	struct play_call k = play_request(METHOD_POST, "/magic-link/send");
	char member[100];
	int handle;
	bool second;
	const char *mode = mode_of(p, &second, &handle, member, sizeof(member));

	p->asked = second ? ONETIME_MAGIC_2FA : ONETIME_MAGIC;
	p->asked_handle = handle;
	p->about = handle == PLAY_NONE ? PLAY_NONE : p->secret[handle].user;
	play_body(&k, "{\"email\":\"%s\",\"mode\":\"%s\",\"type\":\"%s\"%s}",
		  reader_of_mail(p), mode, types[play_pick(p, 3)], member);
	play_call(p, &k);
	play_no_tokens(p);
	p->follow = play_op_magic_verify;
	if (!play_ok(p) || !second)
		return;
	if (!play_secret_ok(p, handle, ONETIME_HANDLE))
		play_fail(p, "a mail for secret %d, which is no live handle", handle);
	if ((play_factors(p, p->about, p->secret[handle].first) & FACTOR_MAIL) == 0)
		play_fail(p, "mail is no second factor of user %d here", p->about);
}

/* Which of the two forms, for whom, and what it reads. */
struct mail_secret {
	int secret, user;
	bool by_code;
	char text[72], email[64];
};

static void choose_mail_secret(struct play *p, bool second, int handle, struct mail_secret *ret)
{
	enum onetime_purpose link = second ? ONETIME_MAGIC_2FA : ONETIME_MAGIC;
	enum onetime_purpose code = second ? ONETIME_MAIL_CODE_2FA : ONETIME_MAIL_CODE;

	*ret = (struct mail_secret){ .by_code = play_chance(p, 40), .user = PLAY_NONE };
	if (!ret->by_code) {
		ret->secret = play_choose_secret(p, link);
		play_set_text(ret->text, sizeof(ret->text), play_secret_text(p, ret->secret));
		return;
	}
	ret->secret = play_choose_secret(p, code);
	ret->user = second ? handle == PLAY_NONE ? PLAY_NONE : p->secret[handle].user
		    : ret->secret != PLAY_NONE && play_chance(p, 80) ? p->secret[ret->secret].user
								     : play_any_user(p);
	if (ret->user != PLAY_NONE)
		play_set_text(ret->email, sizeof(ret->email), p->user[ret->user].email);
	if (!second)
		ret->user = target_now(p, ret->user);
	play_set_text(ret->text, sizeof(ret->text), play_choose_code(p, code, ret->user));
	ret->secret = play_find_code(p, code, ret->user, ret->text);
}

static enum onetime_purpose purpose_of(const struct mail_secret *m, bool second)
{
	if (m->by_code)
		return second ? ONETIME_MAIL_CODE_2FA : ONETIME_MAIL_CODE;
	return second ? ONETIME_MAGIC_2FA : ONETIME_MAGIC;
}

/* Whoever reads the account's mail is its owner. */
static void proved_by_mail(struct play *p, int secret, enum onetime_purpose purpose, int trust, int along)
{
	int user;

	play_take(p, secret, purpose);
	user = p->secret[secret].user;
	if (!play_same(p->secret[secret].address, p->user[user].email))
		play_fail(p, "what was mailed to %s signs in to %s", p->secret[secret].address,
			  p->user[user].email);
	play_void(p, user, ONETIME_MAGIC, "its mail was used");
	play_void(p, user, ONETIME_MAIL_CODE, "its mail was used");
	(void)play_mailed(p, user, along);
	play_signed_in(p, user, PROOF_MAIL, play_trusted(p, user, trust));
	if (play_asks_first(p, user) && play_chance(p, 60))
		p->follow = play_op_claim; /* who is asked for what somebody else has set up */
}

static void finished_by(struct play *p, int handle, int secret, enum onetime_purpose purpose,
			enum factor factor, const char *name)
{
	if (secret == PLAY_NONE || p->secret[secret].handle != handle)
		play_fail(p, "secret %d finished handle %d, which it is not of", secret, handle);
	play_take(p, secret, purpose);
	finished(p, handle, factor, name);
}

static int some_trust(struct play *p)
{
	return p->n_trust == 0 || play_chance(p, 60)
		       ? PLAY_NONE
		       : (int)play_pick(p, (unsigned)(p->n_trust < 64 ? p->n_trust : 64));
}

void play_op_magic_verify(struct play *p)
{
	struct play_call k = play_request(METHOD_POST, "/magic-link/verify");
	int handle, trust = some_trust(p), along = play_along(p, &k);
	struct mail_secret m;
	enum onetime_purpose purpose;
	char member[100];
	bool second, right;
	const char *mode = mode_of(p, &second, &handle, member, sizeof(member));

	choose_mail_secret(p, second, handle, &m);
	purpose = purpose_of(&m, second);
	right = !second && play_secret_ok(p, m.secret, purpose) && p->secret[m.secret].tries == 0;
	play_body(&k, "{\"%s\":\"%s\",\"email\":\"%s\",\"mode\":\"%s\",\"trustToken\":\"%s\"%s}",
		  m.by_code ? "code" : "token", m.text, m.email, mode,
		  trust == PLAY_NONE ? "" : p->trust[trust].text, member);
	play_call(p, &k);
	if (!play_ok(p) && !play_code(p, "2FA_SETUP_REQUIRED")) {
		if (right && !play_may_refuse(p))
			play_fail(p, "what was mailed is good, and was refused");
		if (m.by_code && m.secret == PLAY_NONE && play_code(p, "INVALID_MAGIC_LINK"))
			play_wrong_code(p, purpose, m.user);
		if (second && handle != PLAY_NONE)
			p->secret[handle].tried = true;
		play_no_tokens(p);
		return;
	}
	if (second)
		finished_by(p, handle, m.secret, purpose, FACTOR_MAIL, "email");
	else
		proved_by_mail(p, m.secret, purpose, trust, along);
	play_call(p, &k); /* the same again */
	if (play_ok(p) || play_code(p, "2FA_SETUP_REQUIRED"))
		play_fail(p, "secret %d was accepted twice", m.secret);
}

/* ---- by SMS ---- */

/* Somebody, named by address or id. */
static int choose_target(struct play *p, char *member, size_t max)
{
	int user = play_any_user(p);

	for (int i = 0; i < p->n_users && play_chance(p, 80); i++) {
		if (p->user[i].exists && p->user[i].phone[0] != '\0')
			user = i;
	}
	if (user == PLAY_NONE)
		(void)snprintf(member, max, "\"email\":\"nobody@example.test\"");
	else if (p->user[user].email[0] != '\0' && play_chance(p, 60))
		(void)snprintf(member, max, "\"%s\":\"%s\"",
			       play_chance(p, 50) ? "email" : "userId", p->user[user].email);
	else
		(void)snprintf(member, max, "\"userId\":\"%s\"", p->user[user].uid);
	return user;
}

void play_op_sms_send(struct play *p)
{
	struct play_call k = play_request(METHOD_POST, "/sms/send");
	char member[100], target[100];
	int handle, user;
	bool second;
	const char *mode = mode_of(p, &second, &handle, member, sizeof(member));

	user = choose_target(p, target, sizeof(target));
	p->asked = second ? ONETIME_SMS_2FA : ONETIME_SMS;
	p->asked_handle = handle;
	p->about = !second		 ? target_now(p, user)
		   : handle == PLAY_NONE ? PLAY_NONE
					 : p->secret[handle].user;
	play_body(&k, "{%s,\"mode\":\"%s\"%s}", target, mode, member);
	play_call(p, &k);
	play_no_tokens(p);
	p->follow = play_op_sms_verify;
	if (!play_ok(p) || !second)
		return;
	if (!play_secret_ok(p, handle, ONETIME_HANDLE))
		play_fail(p, "a text for secret %d, which is no live handle", handle);
	if ((play_factors(p, p->about, p->secret[handle].first) & FACTOR_SMS) == 0)
		play_fail(p, "SMS is no second factor of user %d here", p->about);
}

static void sms_signed_in(struct play *p, int user, int secret, int trust)
{
	play_take(p, secret, ONETIME_SMS);
	if (!play_same(p->secret[secret].address, p->user[user].phone))
		play_fail(p, "a code to %s, the number is %s", p->secret[secret].address,
			  p->user[user].phone);
	if (!play_verification_allows(p, user))
		play_fail(p, "user %d signed in before the address was proven", user);
	play_signed_in(p, user, PROOF_SMS, play_trusted(p, user, trust));
}

void play_op_sms_verify(struct play *p)
{
	struct play_call k = play_request(METHOD_POST, "/sms/verify");
	int handle, user, secret, trust = some_trust(p);
	char member[100], target[100], code[72];
	enum onetime_purpose purpose;
	bool second;
	const char *mode = mode_of(p, &second, &handle, member, sizeof(member));

	user = target_now(p, choose_target(p, target, sizeof(target)));
	secret = play_choose_secret(p, ONETIME_SMS);
	if (!second && secret != PLAY_NONE && play_chance(p, 80)) {
		user = p->secret[secret].user;
		(void)snprintf(target, sizeof(target), "\"userId\":\"%s\"", p->user[user].uid);
	}
	if (second)
		user = handle == PLAY_NONE ? PLAY_NONE : p->secret[handle].user;
	purpose = second ? ONETIME_SMS_2FA : ONETIME_SMS;
	play_set_text(code, sizeof(code), play_choose_code(p, purpose, user));
	secret = play_find_code(p, purpose, user, code);
	play_body(&k, "{%s,\"code\":\"%s\",\"mode\":\"%s\",\"trustToken\":\"%s\"%s}", target, code,
		  mode, trust == PLAY_NONE ? "" : p->trust[trust].text, member);
	play_call(p, &k);
	if (play_ok(p) || play_code(p, "2FA_SETUP_REQUIRED")) {
		if (second)
			finished_by(p, handle, secret, purpose, FACTOR_SMS, "sms");
		else
			sms_signed_in(p, user, secret, trust);
		return;
	}
	play_no_tokens(p);
	if (second && handle != PLAY_NONE)
		p->secret[handle].tried = true;
	if (play_code(p, "INVALID_SMS_CODE") && secret == PLAY_NONE)
		play_wrong_code(p, purpose, user);
	if ((play_code(p, "EMAIL_NOT_VERIFIED") || play_code(p, "EMAIL_VERIFICATION_REQUIRED")) &&
	    secret != PLAY_NONE)
		p->secret[secret].dead = "used, where the address had to be proven first";
}

/* ---- guests ---- */

void play_op_guest(struct play *p)
{
	struct play_call k = play_request(METHOD_POST, "/guest");
	struct play_user *u = &p->user[p->n_users];

	play_call(p, &k);
	if (!play_ok(p)) {
		play_no_tokens(p);
		return;
	}
	if (!p->cfg.guest.enabled)
		play_fail(p, "guests are off");
	*u = (struct play_user){ .exists = true, .is_guest = true };
	if (!play_member(p, "userId", u->uid, sizeof(u->uid)))
		play_fail(p, "no id: %.*s", STR_ARG(p->answer.body));
	play_note(p, "  user %d, a guest", p->n_users);
	p->n_users++;
	play_got_tokens(p, p->n_users - 1, "guest");
}

/* ---- linked addresses ---- */

void play_unlink_all(struct play *p, int user, const char *but)
{
	for (int i = 0; i < p->n_links; i++) {
		if (p->link[i].user == user && !play_same(p->link[i].address, but))
			p->link[i].live = false;
	}
}

static struct play_link *link_of(struct play *p, const char *address)
{
	for (int i = 0; i < p->n_links; i++) {
		if (p->link[i].live && play_same(p->link[i].address, address))
			return &p->link[i];
	}
	return NULL;
}

void play_op_linked_list(struct play *p)
{
	struct play_call k = play_request(METHOD_GET, "/linked-accounts");
	int pair = play_sign(p, &k), want = 0, got = 0;
	const char *at;

	play_call(p, &k);
	play_no_tokens(p);
	if (!play_used(p, pair))
		return;
	for (int i = 0; i < p->n_links; i++)
		want += p->link[i].live && p->link[i].user == p->actor;
	at = p->answer.body.p;
	while ((at = memmem(at, (size_t)(p->answer.body.p + p->answer.body.n - at),
			    "providerAccountId", 17)) != NULL) {
		at += 17;
		got++;
	}
	if (got != want)
		play_fail(p, "user %d has %d links instead of %d", p->actor, got, want);
}

void play_op_unlink(struct play *p)
{
	char path[120];
	const char *address = p->n_links > 0 ? p->link[play_pick(p, (unsigned)p->n_links)].address
					     : "a0@example.test";
	struct play_call k;
	struct play_shown shown;
	struct play_link *l;
	int pair;

	(void)snprintf(path, sizeof(path), "/linked-accounts/email/%s", address);
	k = play_request(METHOD_DELETE, path);
	pair = play_sign(p, &k);
	play_proof(p, pair, &shown);
	play_body(&k, "{%s\"x\":1}", shown.text);
	play_call(p, &k);
	play_no_tokens(p);
	play_reproved(p, pair, PLAY_ASKS_FRESH, &shown);
	if (!play_used(p, pair))
		return;
	play_need_proof(p, pair, PLAY_ASKS_FRESH, &shown);
	l = link_of(p, address);
	if (l != NULL && l->user == p->actor)
		l->live = false;
}

void play_op_link_request(struct play *p)
{
	struct play_call k = play_request(METHOD_POST, "/link-request");
	int pair = play_sign(p, &k);
	struct play_shown shown;

	p->about = p->actor;
	p->asked = ONETIME_LINK;
	p->asked_session = pair == PLAY_NONE ? PLAY_NONE : p->pair[pair].session;
	play_proof(p, pair, &shown);
	play_body(&k, "{%s\"email\":\"%s\"}", shown.text, play_address(p));
	play_call(p, &k);
	play_no_tokens(p);
	play_reproved(p, pair, PLAY_ASKS_FRESH, &shown);
	if (k.bearer == NULL && play_ok(p))
		play_fail(p, "nobody asked for a link");
	if (k.bearer != NULL && play_used(p, pair))
		play_need_proof(p, pair, PLAY_ASKS_FRESH, &shown);
}

static void was_linked(struct play *p, int secret)
{
	const struct play_secret *s = &p->secret[secret];
	struct play_link *l = link_of(p, s->address);
	int owner = play_user_by_email(p, s->address);

	if (owner != PLAY_NONE && owner != s->user)
		play_fail(p, "user %d links the address of user %d", s->user, owner);
	if (l != NULL && l->user != s->user)
		play_fail(p, "%s is linked to user %d already", s->address, l->user);
	if (l != NULL)
		return;
	if (p->n_links == PLAY_LINKS)
		play_fail(p, "more links than a world holds");
	l = &p->link[p->n_links++];
	*l = (struct play_link){ .user = s->user, .live = true };
	play_set_text(l->address, sizeof(l->address), s->address);
}

static void signed_in_by_link(struct play *p, int user, const char *address)
{
	struct play_user *u = &p->user[user];
	bool own = play_same(u->email, address);

	if (!own && !u->is_guest && !play_verification_allows(p, user))
		play_fail(p, "user %d signed in before the address was proven", user);
	play_signed_in(p, user, own ? PROOF_MAIL : PROOF_PROVIDER, false);
}

void play_op_link_verify(struct play *p)
{
	struct play_call k = play_request(METHOD_POST, "/link-verify");
	int secret = play_choose_secret(p, ONETIME_LINK), along = play_along(p, &k), user;
	bool sign_in = play_chance(p, 50);

	play_body(&k, "{\"token\":\"%s\",\"loginAfterLinking\":%s}", play_secret_text(p, secret),
		  sign_in ? "true" : "false");
	play_call(p, &k);
	if (!play_ok(p) && !play_code(p, "2FA_SETUP_REQUIRED")) {
		play_no_tokens(p);
		return;
	}
	play_take(p, secret, ONETIME_LINK);
	user = p->secret[secret].user;
	if (!sign_in || !play_same(p->user[user].email, p->secret[secret].address) || play_mailed(p, user, along))
		was_linked(p, secret);
	if (sign_in)
		signed_in_by_link(p, p->secret[secret].user, p->secret[secret].address);
	else
		play_no_tokens(p);
}

/* ---- what an operator says ---- */

void play_op_require(struct play *p)
{
	struct ctx c = { .mem = &p->mem,
			 .db = p->db,
			 .cfg = &p->cfg,
			 .keys = p->keys,
			 .gate = p->api.gate,
			 .count = &p->count,
			 .rng = p->api.rng,
			 .now_ms = p->now_ms,
			 .mono_ms = p->mono_ms,
			 .client_ip = STR("cli"),
			 .request_id = STR("play") };
	int user = play_any_user(p);
	struct user_row row = { 0 };
	bool found;

	if (user == PLAY_NONE || !p->user[user].exists || p->user[user].id == 0)
		return;
	play_note(p, "user %d %s a second factor", user,
		  p->user[user].required ? "needs no" : "needs");
	if (q_user_by_id(p->db, &p->mem, p->user[user].id, &row, &found).code != ERR_OK || !found ||
	    (p->user[user].required ? factor_require_no_more(&c, &row) : factor_require(&c, &row))
			    .code != ERR_OK)
		play_fail(p, "an operator was refused");
	p->user[user].required = !p->user[user].required;
	arena_reset(&p->mem);
}
