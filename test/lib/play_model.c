/* The model of a play: what an answer may do, said without a look at how it is done. */
#include "base/base64url.h"
#include "domain/uid.h"
#include "play.h"

#define REFRESH_WINDOW_MS MS_PER_MIN
#define SLACK_MS	  MS_PER_MIN /* of the clock: a smaller step back is nobody's business */

bool play_same(const char *a, const char *b)
{
	return str_eq(str_of_cstr(a), str_of_cstr(b));
}

/* ---- time ---- */

int64_t play_effective_ms(const struct play *p)
{
	return p->now_ms > p->seen_ms - SLACK_MS ? p->now_ms : p->seen_ms - SLACK_MS;
}

bool play_is_behind(const struct play *p)
{
	return p->step_ms != 0 && p->now_ms < p->step_ms + MS_PER_S;
}

/* ---- who and what is there ---- */

int play_user_by_email(const struct play *p, const char *email)
{
	for (int i = 0; i < p->n_users; i++) {
		if (p->user[i].exists && email[0] != '\0' && play_same(p->user[i].email, email))
			return i;
	}
	return PLAY_NONE;
}

bool play_is_reserved(const struct play *p, const char *email, int but)
{
	for (int i = 0; i < p->n_secrets; i++) {
		const struct play_secret *s = &p->secret[i];

		if (s->reserves && s->dead == NULL && s->user != but && s->expires_ms > p->now_ms &&
		    play_same(s->address, email))
			return true;
	}
	return false;
}

int play_any_user(struct play *p)
{
	return p->n_users == 0 ? PLAY_NONE : (int)play_pick(p, (unsigned)p->n_users);
}

bool play_user_ok(const struct play *p, int user)
{
	return user != PLAY_NONE && p->user[user].exists && !p->user[user].disabled;
}

bool play_session_ok(const struct play *p, int session)
{
	const struct play_session *s;

	if (session == PLAY_NONE)
		return false;
	s = &p->session[session];
	return s->live && play_user_ok(p, s->user) && s->idle_ms > play_effective_ms(p) &&
	       s->abs_ms > play_effective_ms(p);
}

bool play_access_ok(const struct play *p, int pair)
{
	return pair != PLAY_NONE && p->pair[pair].exp_ms > play_effective_ms(p) &&
	       play_session_ok(p, p->pair[pair].session);
}

bool play_secret_ok(const struct play *p, int secret, enum onetime_purpose purpose)
{
	const struct play_secret *s;

	if (secret == PLAY_NONE)
		return false;
	s = &p->secret[secret];
	return s->purpose == purpose && s->dead == NULL && s->expires_ms > play_effective_ms(p) &&
	       play_user_ok(p, s->user);
}

/* ---- choosing ---- */

static int newest_secret(struct play *p, enum onetime_purpose purpose, bool live)
{
	int back = (int)play_pick(p, 3), found = PLAY_NONE;

	for (int i = p->n_secrets - 1; i >= 0 && back >= 0; i--) {
		if (p->secret[i].purpose == purpose && (!live || play_secret_ok(p, i, purpose))) {
			found = i;
			back--;
		}
	}
	return found;
}

int play_choose_secret(struct play *p, enum onetime_purpose purpose)
{
	unsigned dice = play_pick(p, 20);

	if (dice < 14)
		return newest_secret(p, purpose, true);
	if (dice < 17)
		return newest_secret(p, purpose, false);
	if (dice < 19 && p->n_secrets > 0)
		return p->n_secrets - 1 -
		       (int)play_pick(p, (unsigned)(p->n_secrets < 40 ? p->n_secrets : 40));
	return PLAY_NONE;
}

const char *play_secret_text(struct play *p, int secret)
{
	static const char *const nonsense[] = {
		"",
		"123456",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"x",
	};

	return secret == PLAY_NONE ? nonsense[play_pick(p, 4)] : p->secret[secret].text;
}

int play_choose_pair(struct play *p)
{
	unsigned dice = play_pick(p, 20);
	int back = (int)play_pick(p, 4), found = PLAY_NONE;

	if (p->n_pairs == 0 || dice == 19)
		return PLAY_NONE;
	if (dice < 8 && p->last_pair != PLAY_NONE)
		return p->last_pair;
	if (dice >= 17)
		return (int)play_pick(p, (unsigned)p->n_pairs);
	for (int i = p->n_pairs - 1; i >= 0 && back >= 0; i--) {
		if (play_access_ok(p, i)) {
			found = i;
			back--;
		}
	}
	return found;
}

/* ---- one-time secrets ---- */

void play_void(struct play *p, int user, enum onetime_purpose purpose, const char *why)
{
	for (int i = 0; i < p->n_secrets; i++) {
		struct play_secret *s = &p->secret[i];

		if (s->user == user && s->purpose == purpose && s->dead == NULL)
			s->dead = why;
	}
}

void play_void_all(struct play *p, int user, bool reverts, const char *why)
{
	for (int i = 0; i < p->n_secrets; i++) {
		struct play_secret *s = &p->secret[i];

		if (s->user == user && s->dead == NULL &&
		    (reverts || s->purpose != ONETIME_EMAIL_REVERT))
			s->dead = why;
	}
}

void play_void_bound(struct play *p, int handle, const char *why)
{
	for (int i = 0; i < p->n_secrets; i++) {
		if (p->secret[i].handle == handle && p->secret[i].dead == NULL)
			p->secret[i].dead = why;
	}
}

static bool lives_beside_others(enum onetime_purpose purpose)
{
	return purpose == ONETIME_EMAIL_REVERT || purpose == ONETIME_HANDLE ||
	       purpose == ONETIME_SETUP;
}

int play_add_secret(struct play *p, enum onetime_purpose purpose, int user, const char *text,
		    const char *address, int64_t ttl_ms)
{
	struct play_secret *s = &p->secret[p->n_secrets];

	if (p->n_secrets == PLAY_SECRETS)
		play_fail(p, "more secrets than a world holds");
	if (!lives_beside_others(purpose))
		play_void(p, user, purpose, "superseded");
	*s = (struct play_secret){ .purpose = purpose,
				   .user = user,
				   .session = p->asked_session,
				   .handle = p->asked_handle,
				   .made_ms = p->now_ms,
				   .expires_ms = p->now_ms + ttl_ms };
	(void)snprintf(s->text, sizeof(s->text), "%s", text);
	(void)snprintf(s->address, sizeof(s->address), "%s", address);
	play_note(p, "  secret %d, purpose %d, of user %d", p->n_secrets, (int)purpose, user);
	return p->n_secrets++;
}

void play_take(struct play *p, int secret, enum onetime_purpose purpose)
{
	struct play_secret *s;

	if (secret == PLAY_NONE)
		play_fail(p, "nonsense was accepted (purpose %d)", (int)purpose);
	s = &p->secret[secret];
	if (s->purpose != purpose)
		play_fail(p, "secret %d of purpose %d was accepted for %d", secret, (int)s->purpose,
			  (int)purpose);
	if (s->dead != NULL)
		play_fail(p, "secret %d (purpose %d) was accepted, though %s", secret, (int)purpose,
			  s->dead);
	if (s->expires_ms <= play_effective_ms(p))
		play_fail(p, "secret %d (purpose %d) was accepted %lld ms after its end", secret,
			  (int)purpose, (long long)(play_effective_ms(p) - s->expires_ms));
	if (!play_user_ok(p, s->user))
		play_fail(p, "secret %d (purpose %d) was accepted, its owner is gone or disabled",
			  secret, (int)purpose);
	s->dead = "used";
}

int play_find_code(const struct play *p, enum onetime_purpose purpose, int user, const char *text)
{
	for (int i = 0; i < p->n_secrets; i++) {
		if (p->secret[i].user == user && play_same(p->secret[i].text, text) &&
		    play_secret_ok(p, i, purpose))
			return i;
	}
	return PLAY_NONE;
}

/* Five tries; two more because the one repeat that clients send by themselves is free, and a repeat
 * is known by 16 bits only. */
void play_wrong_code(struct play *p, enum onetime_purpose purpose, int user)
{
	for (int i = 0; i < p->n_secrets; i++) {
		struct play_secret *s = &p->secret[i];

		if (s->user == user && play_secret_ok(p, i, purpose) &&
		    ++s->tries >= ONETIME_TRIES_MAX + 2)
			s->dead = "guessed at too often";
	}
}

const char *play_choose_code(struct play *p, enum onetime_purpose purpose, int user)
{
	static char wrong[8];

	for (int i = p->n_secrets - 1; i >= 0 && play_chance(p, 75); i--) {
		if (p->secret[i].user == user && p->secret[i].purpose == purpose)
			return p->secret[i].text;
	}
	if (play_chance(p, 30))
		return play_secret_text(p, play_choose_secret(p, purpose));
	(void)snprintf(wrong, sizeof(wrong), "%03u%03u", play_pick(p, 250),
		       (unsigned)(p->step % 1000));
	return wrong;
}

/* ---- messages ---- */

static void need_user(struct play *p, int user, const char *template, const char *to)
{
	if (user == PLAY_NONE || !p->user[user].exists)
		play_fail(p, "%s for nobody, to %s", template, to);
}

/* A link, a code or both. A new mail ends what an older one brought, in whichever form. */
static void got_sign_in(struct play *p, int owner, const char *template, const char *to,
			const char *token, const char *code)
{
	bool second = p->asked == ONETIME_MAGIC_2FA;
	enum onetime_purpose by_code = second ? ONETIME_MAIL_CODE_2FA : ONETIME_MAIL_CODE;

	need_user(p, owner, template, to);
	if (second && owner != p->about)
		play_fail(p, "a second factor of user %d to user %d", p->about, owner);
	play_void(p, owner, p->asked, "superseded");
	play_void(p, owner, by_code, "superseded");
	if (token[0] != '\0')
		(void)play_add_secret(p, p->asked, owner, token, to, 15 * MS_PER_MIN);
	if (code[0] != '\0')
		(void)play_add_secret(p, by_code, owner, code, to, 10 * MS_PER_MIN);
}

static void got_mail(struct play *p, const char *template, const char *to, const char *token,
		     const char *code)
{
	int owner = play_user_by_email(p, to);

	if (play_same(template, "password-reset")) {
		need_user(p, owner, template, to);
		(void)play_add_secret(p, ONETIME_RESET, owner, token, to, MS_PER_HOUR);
	} else if (play_same(template, "email-reverted")) {
		need_user(p, p->about, template, to);
		(void)play_add_secret(p, ONETIME_RESET, p->about, token, to, MS_PER_HOUR);
	} else if (play_same(template, "verify-email")) {
		need_user(p, owner, template, to);
		(void)play_add_secret(p, ONETIME_VERIFY, owner, token, to, MS_PER_DAY);
	} else if (play_same(template, "change-email")) {
		need_user(p, p->about, template, to);
		(void)play_add_secret(p, ONETIME_EMAIL_CHANGE, p->about, token, to, MS_PER_HOUR);
	} else if (play_same(template, "email-changed")) {
		need_user(p, p->about, template, to);
		p->secret[play_add_secret(p, ONETIME_EMAIL_REVERT, p->about, token, to,
					  3 * MS_PER_DAY)]
			.reserves = p->was_verified;
	} else if (play_same(template, "address-in-use")) {
		play_void(p, p->about, ONETIME_EMAIL_CHANGE,
			  "superseded by a wish for a taken address");
	} else if (p->asked == ONETIME_MAGIC || p->asked == ONETIME_MAGIC_2FA) {
		if (token[0] != '\0' || code[0] != '\0')
			got_sign_in(p, owner, template, to, token, code);
	} else if (p->asked == ONETIME_LINK && token[0] != '\0') {
		need_user(p, p->about, template, to);
		(void)play_add_secret(p, ONETIME_LINK, p->about, token, to, MS_PER_HOUR);
	} else if (token[0] != '\0' || code[0] != '\0') {
		play_fail(p, "a secret in a mail that nobody asked for: %s", template);
	}
}

void play_got_message(struct play *p, enum outbox_channel channel, const char *template,
		      const char *to, const char *token, const char *code)
{
	play_note(p, "  %s to %s", template, to);
	if (channel == OUTBOX_MAIL) {
		got_mail(p, template, to, token, code);
		return;
	}
	need_user(p, p->about, template, to);
	if (play_same(template, "sms-claim") && code[0] == '\0' && play_same(to, p->user[p->about].phone))
		return;
	if (p->asked != ONETIME_PHONE && p->asked != ONETIME_SMS && p->asked != ONETIME_SMS_2FA)
		play_fail(p, "a code that nobody asked for, to %s", to);
	if (p->asked != ONETIME_PHONE && !play_same(to, p->user[p->about].phone))
		play_fail(p, "a code to %s, user %d has proven %s", to, p->about,
			  p->user[p->about].phone);
	(void)play_add_secret(p, p->asked, p->about, code, to, 10 * MS_PER_MIN);
}

/* ---- the gate ---- */

unsigned play_factors(const struct play *p, int user, enum first_proof proof)
{
	const struct play_user *u = &p->user[user];
	unsigned f = 0;

	if (u->has_totp)
		f |= FACTOR_TOTP;
	if (u->phone[0] != '\0' && p->cfg.sms.transport != SMS_NONE && proof != PROOF_SMS)
		f |= FACTOR_SMS;
	if (p->cfg.mail.transport != MAIL_NONE && p->cfg.twofactor.magic_link && !u->is_admin &&
	    !u->has_totp && proof != PROOF_MAIL && !(proof == PROOF_PASSWORD && u->password_by_mail))
		f |= FACTOR_MAIL;
	return f;
}

enum gate_kind play_gate(const struct play *p, int user, enum first_proof proof, bool trusted)
{
	if (!play_is_required(p, user) || trusted)
		return GATE_TOKENS;
	return play_factors(p, user, proof) != 0 ? GATE_SECOND_FACTOR : GATE_SETUP;
}

bool play_trusted(const struct play *p, int user, int trust)
{
	const struct play_trust *t;

	if (trust == PLAY_NONE)
		return false;
	t = &p->trust[trust];
	return p->cfg.twofactor.remember && !p->user[user].is_admin && t->user == user &&
	       t->epoch == p->user[user].epoch && t->expires_ms > play_effective_ms(p);
}

static const char *amr_of(enum first_proof proof)
{
	switch (proof) {
	case PROOF_PASSWORD: return "pwd";
	case PROOF_MAIL: return "email";
	case PROOF_SMS: return "sms";
	case PROOF_PROVIDER: return "fed";
	case PROOF_GUEST: return "guest";
	case PROOF_UNSET: break;
	}
	return "";
}

static bool says(const struct play *p, const char *text)
{
	return memmem(p->answer.body.p, p->answer.body.n, text, str_of_cstr(text).n) != NULL;
}

void play_no_tokens(struct play *p)
{
	if (says(p, "\"accessToken\"") || says(p, "\"refreshToken\""))
		play_fail(p, "tokens in an answer that may have none: %.*s",
			  STR_ARG(p->answer.body));
}

static enum gate_kind answered(const struct play *p)
{
	if (p->answer.status == 200 && says(p, "\"accessToken\""))
		return GATE_TOKENS;
	if (p->answer.status == 200 && says(p, "\"requiresTwoFactor\":true"))
		return GATE_SECOND_FACTOR;
	return p->answer.status == 403 && play_code(p, "2FA_SETUP_REQUIRED") ? GATE_SETUP
									     : GATE_UNSET;
}

static void check_methods(struct play *p, unsigned factors)
{
	char want[80];

	(void)snprintf(want, sizeof(want), "\"available2faMethods\":[%s%s%s%s%s]",
		       factors & FACTOR_TOTP ? "\"totp\"" : "",
		       (factors & FACTOR_TOTP) && (factors & ~(unsigned)FACTOR_TOTP) ? "," : "",
		       factors & FACTOR_SMS ? "\"sms\"" : "",
		       (factors & FACTOR_SMS) && (factors & FACTOR_MAIL) ? "," : "",
		       factors & FACTOR_MAIL ? "\"magic-link\"" : "");
	if (!says(p, want))
		play_fail(p, "not %s: %.*s", want, STR_ARG(p->answer.body));
}

void play_signed_in(struct play *p, int user, enum first_proof proof, bool trusted)
{
	enum gate_kind want = play_gate(p, user, proof, trusted), got = answered(p);
	char token[128];
	int handle;

	if (got != want)
		play_fail(p, "user %d after %s: gate %d instead of %d: %.*s", user, amr_of(proof),
			  (int)got, (int)want, STR_ARG(p->answer.body));
	if (!play_user_ok(p, user))
		play_fail(p, "user %d, who is gone or disabled, got past the first proof", user);
	if (got == GATE_TOKENS) {
		if (trusted && play_has_factor(p, user))
			play_both_shown(p, user, proof);
		play_got_tokens(p, user, amr_of(proof));
		return;
	}
	play_no_tokens(p);
	check_methods(p, got == GATE_SETUP ? 0 : play_factors(p, user, proof));
	if (!play_member(p, "tempToken", token, sizeof(token)))
		play_fail(p, "no handle: %.*s", STR_ARG(p->answer.body));
	handle = play_add_secret(p, got == GATE_SETUP ? ONETIME_SETUP : ONETIME_HANDLE, user, token,
				 "", 5 * MS_PER_MIN);
	p->secret[handle].first = proof;
	p->follow = got == GATE_SETUP ? play_op_2fa_setup : play_op_2fa_verify;
}

/* ---- tokens ---- */

struct claims {
	char sid[40], sub[40], amr[64];
	int64_t gen;
};

static const char *after(const char *json, const char *key)
{
	const char *at = strstr(json, key);

	return at == NULL ? "" : at + str_of_cstr(key).n;
}

/* ["pwd","otp","mfa"] → "pwd otp mfa" */
static void flatten(const char *list, char *dst, size_t max)
{
	size_t n = 0;

	for (; *list != '\0' && *list != ']' && n + 1 < max; list++) {
		if (*list != '[' && *list != '"')
			dst[n++] = *list == ',' ? ' ' : *list;
	}
	dst[n] = '\0';
}

static void read_claims(struct play *p, const char *access, struct claims *ret)
{
	static char json[1400];
	str head, rest, payload;
	size_t n = 0;

	if (!str_cut(str_of_cstr(access), '.', &head, &rest) ||
	    !str_cut(rest, '.', &payload, &rest) ||
	    !base64url_decode(payload, json, sizeof(json) - 1, &n))
		play_fail(p, "not a token: %s", access);
	json[n] = '\0';
	(void)snprintf(ret->sid, sizeof(ret->sid), "%.36s", after(json, "\"sid\":\""));
	(void)snprintf(ret->sub, sizeof(ret->sub), "%.36s", after(json, "\"sub\":\""));
	flatten(after(json, "\"amr\":"), ret->amr, sizeof(ret->amr));
	ret->gen = strtoll(after(json, "\"gen\":"), NULL, 10);
	ret->sid[strcspn(ret->sid, "\"")] = '\0';
	ret->sub[strcspn(ret->sub, "\"")] = '\0';
}

static int add_pair(struct play *p, int session, const struct claims *c)
{
	struct play_pair *k = &p->pair[p->n_pairs];

	if (p->n_pairs == PLAY_PAIRS)
		play_fail(p, "more tokens than a world holds");
	*k = (struct play_pair){ .session = session, .gen = c->gen, .made_ms = p->now_ms };
	k->exp_ms = p->now_ms / MS_PER_S * MS_PER_S + p->cfg.token.access_ttl_ms;
	if (!play_member(p, "accessToken", k->access, sizeof(k->access)) ||
	    !play_member(p, "refreshToken", k->refresh, sizeof(k->refresh)))
		play_fail(p, "half of the tokens: %.*s", STR_ARG(p->answer.body));
	return p->n_pairs++;
}

static void claims_of_answer(struct play *p, int user, struct claims *ret)
{
	static char access[1400];

	if (!play_member(p, "accessToken", access, sizeof(access)))
		play_fail(p, "no access token: %.*s", STR_ARG(p->answer.body));
	read_claims(p, access, ret);
	if (!play_same(ret->sub, p->user[user].uid))
		play_fail(p, "tokens of %s for user %d, %s", ret->sub, user, p->user[user].uid);
}

static void keep_trust(struct play *p, int user)
{
	struct play_trust *t = &p->trust[p->n_trust % 64];

	if (!play_member(p, "trustToken", t->text, sizeof(t->text)))
		return;
	if (!p->cfg.twofactor.remember || p->user[user].is_admin)
		play_fail(p, "a device of user %d is trusted, against the settings", user);
	t->user = user;
	t->epoch = p->user[user].epoch;
	t->expires_ms = p->now_ms + p->cfg.twofactor.remember_ttl_ms;
	p->n_trust++;
}

void play_got_tokens(struct play *p, int user, const char *amr)
{
	struct play_session *s = &p->session[p->n_sessions];
	struct claims c;

	claims_of_answer(p, user, &c);
	if (!play_same(c.amr, amr))
		play_fail(p, "amr \"%s\" instead of \"%s\"", c.amr, amr);
	for (int i = 0; i < p->n_sessions; i++) {
		if (play_same(p->session[i].sid, c.sid))
			play_fail(p, "a sign-in into session %d, which was there", i);
	}
	if (p->n_sessions == PLAY_SESSIONS)
		play_fail(p, "more sessions than a world holds");
	*s = (struct play_session){
		.user = user, .live = true, .auth_ms = p->now_ms, .gen = c.gen
	};
	s->abs_ms = p->now_ms + p->cfg.token.refresh_max_ttl_ms;
	s->idle_ms = p->now_ms + p->cfg.token.refresh_ttl_ms;
	(void)snprintf(s->sid, sizeof(s->sid), "%s", c.sid);
	if (str_ends(str_of_cstr(amr), STR(" mfa")) &&
	    !str_ends(str_of_cstr(amr), STR(" email mfa")))
		s->factor_ms = p->now_ms;
	play_note(p, "  session %d of user %d: %s", p->n_sessions, user, amr);
	p->last_pair = add_pair(p, p->n_sessions++, &c);
	keep_trust(p, user);
}

/* A superseded refresh token is answered within the window, or as long as nobody has used what
 * replaced it. */
static void may_refresh(struct play *p, int pair)
{
	const struct play_pair *k = &p->pair[pair];

	if (!play_session_ok(p, k->session))
		play_fail(p, "a refresh in session %d, which is over", k->session);
	if (k->superseded_ms == 0 || p->now_ms - k->superseded_ms <= REFRESH_WINDOW_MS)
		return;
	for (int i = 0; i < p->n_pairs; i++) {
		if (p->pair[i].session == k->session && p->pair[i].gen > k->gen && p->pair[i].seen)
			play_fail(
				p,
				"generation %lld of session %d was answered, a later one is in use",
				(long long)k->gen, k->session);
	}
}

/* What was presented may be repeated from now on: also when it is answered for the second time,
 * because its successor was never used. */
static void supersede(struct play *p, int session, int64_t presented, int64_t gen)
{
	for (int i = 0; i < p->n_pairs; i++) {
		struct play_pair *k = &p->pair[i];

		if (k->session != session || k->gen >= gen)
			continue;
		if (k->superseded_ms == 0 || k->gen == presented)
			k->superseded_ms = p->now_ms;
		if (k->gen == presented && presented == p->session[session].gen)
			k->seen = true;
	}
	p->session[session].gen = gen;
}

void play_got_refresh(struct play *p, int pair)
{
	int session = p->pair[pair].session;
	struct play_session *s = &p->session[session];
	struct claims c;

	may_refresh(p, pair);
	claims_of_answer(p, s->user, &c);
	if (!play_same(c.sid, s->sid))
		play_fail(p, "a refresh of session %d answered with another's tokens", session);
	if (c.gen > s->gen) {
		supersede(p, session, p->pair[pair].gen, c.gen);
		s->idle_ms = p->now_ms + p->cfg.token.refresh_ttl_ms;
		s->idle_ms = s->idle_ms < s->abs_ms ? s->idle_ms : s->abs_ms;
	}
	(void)add_pair(p, session, &c);
}

void play_end_sessions(struct play *p, int user, int but)
{
	for (int i = 0; i < p->n_sessions; i++) {
		if (p->session[i].user == user && i != but)
			p->session[i].live = false;
	}
}

/* ---- the store is what the model says ---- */

static int user_of_row(struct play *p, const struct user_row *row)
{
	str uid;

	if (uid_text(&p->mem, row->uid, &uid).code != ERR_OK)
		play_fail(p, "no memory");
	for (int i = 0; i < p->n_users; i++) {
		if (p->user[i].exists && str_eq(uid, str_of_cstr(p->user[i].uid)))
			return i;
	}
	play_fail(p, "an account that nobody made: %.*s", STR_ARG(row->email));
}

static void check_hash(struct play *p, int user)
{
	struct play_user *u = &p->user[user];
	struct login_row row = { 0 };
	bool found;

	if (q_user_hash(p->db, &p->mem, u->id, &row, &found).code != ERR_OK || !found)
		play_fail(p, "user %d has no row", user);
	if (row.password_hash.p == NULL)
		row.password_hash = STR("");
	if (str_eq(row.password_hash, str_of_cstr(u->hash)))
		return;
	if (p->password_set != user)
		play_fail(p, "the password of user %d changed, nobody who may has changed it",
			  user);
	(void)snprintf(u->hash, sizeof(u->hash), "%.*s", STR_ARG(row.password_hash));
}

static bool same_text(str a, const char *b)
{
	return str_eq(a.p == NULL ? STR("") : a, str_of_cstr(b));
}

static void check_user(struct play *p, int i, const struct user_row *row)
{
	struct play_user *u = &p->user[i];

	if (u->id == 0)
		u->id = row->id;
	if (!same_text(row->email, u->email))
		play_fail(p, "user %d has address %.*s instead of %s", i, STR_ARG(row->email),
			  u->email);
	if (row->email_verified != u->verified)
		play_fail(p, "user %d: verified is %d", i, row->email_verified);
	if (row->mailbox_only != u->mailbox_only || row->password_by_mail != u->password_by_mail ||
	    row->claim_ms != u->claim_ms)
		play_fail(p, "user %d: mailbox only %d, password by mail %d, claim %lld", i, row->mailbox_only,
			  row->password_by_mail, (long long)row->claim_ms);
	if (!same_text(row->phone, u->phone))
		play_fail(p, "user %d has number %.*s instead of %s", i, (int)row->phone.n,
			  row->phone.p, u->phone);
	if (row->has_password != u->has_password || row->has_totp != u->has_totp)
		play_fail(p, "user %d: password %d, totp %d", i, row->has_password, row->has_totp);
	if ((row->disabled_ms != 0) != u->disabled || row->require_2fa != u->required ||
	    row->is_admin != u->is_admin || row->is_guest != u->is_guest)
		play_fail(p, "user %d: disabled %d, 2fa required %d, admin %d, guest %d", i,
			  row->disabled_ms != 0, row->require_2fa, row->is_admin, row->is_guest);
	check_hash(p, i);
}

static int session_by_sid(const struct play *p, str sid)
{
	for (int i = 0; i < p->n_sessions; i++) {
		if (str_eq(sid, str_of_cstr(p->session[i].sid)))
			return i;
	}
	return PLAY_NONE;
}

static void check_sessions(struct play *p, int user)
{
	struct session_row *rows;
	size_t n = 0, live = 0;
	str sid;

	if (q_session_list(p->db, &p->mem, p->user[user].id, play_effective_ms(p), &rows, &n)
		    .code != ERR_OK)
		play_fail(p, "no sessions");
	for (size_t i = 0; i < n; i++) {
		int s;

		if (uid_text(&p->mem, rows[i].sid, &sid).code != ERR_OK)
			play_fail(p, "no memory");
		s = session_by_sid(p, sid);
		if (s == PLAY_NONE || p->session[s].user != user || !p->session[s].live)
			play_fail(p, "session %d of user %d is in the store, and should not be", s,
				  user);
	}
	for (int i = 0; i < p->n_sessions; i++) {
		const struct play_session *s = &p->session[i];

		live += s->user == user && s->live && s->idle_ms > play_effective_ms(p) &&
			s->abs_ms > play_effective_ms(p);
	}
	if (live != n)
		play_fail(p, "user %d has %zu sessions instead of %zu", user, n, live);
}

void play_check_store(struct play *p)
{
	struct user_row *rows;
	size_t n = 0, there = 0;

	if (q_user_page(p->db, &p->mem, 0, 100, &rows, &n).code != ERR_OK)
		play_fail(p, "no accounts");
	for (size_t i = 0; i < n; i++) {
		int user = user_of_row(p, &rows[i]);

		check_user(p, user, &rows[i]);
		check_sessions(p, user);
	}
	for (int i = 0; i < p->n_users; i++)
		there += p->user[i].exists;
	if (there != n)
		play_fail(p, "%zu accounts instead of %zu", n, there);
	arena_reset(&p->mem);
}
