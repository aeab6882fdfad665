/* The operations of a play: accounts, sessions, passwords, addresses, numbers. Each sends one
 * request with arguments by choice, and tells the model what an accepted one has done. */
#include "domain/attempt.h"
#include "domain/place.h"
#include "domain/user.h"
#include "play.h"

#define ADDRESSES 9
#define NUMBERS	  6

void play_set_text(char *dst, size_t max, const char *src)
{
	size_t n = str_of_cstr(src).n;

	n = n < max ? n : max - 1;
	memmove(dst, src, n);
	dst[n] = '\0';
}

struct play_call play_request(enum http_method method, const char *path)
{
	struct play_call k = { .method = method, .agent = "PlayApp/1.0" };

	(void)snprintf(k.path, sizeof(k.path), "/auth%s", path);
	return k;
}

/* ---- arguments ---- */

const char *play_new_password(struct play *p)
{
	static char text[48];

	(void)snprintf(text, sizeof(text), "Pw-%zu-%u-%03u", p->world, ++p->n_passwords,
		       play_pick(p, 250));
	return text;
}

static const char *some_new_password(struct play *p, bool *ret_good)
{
	*ret_good = play_chance(p, 85);
	return *ret_good ? play_new_password(p) : play_chance(p, 50) ? "short" : "";
}

const char *play_address(struct play *p)
{
	static char text[64];

	(void)snprintf(text, sizeof(text), "a%u@example.test", play_pick(p, ADDRESSES));
	return text;
}

const char *play_somebodys_address(struct play *p)
{
	int user = play_any_user(p);

	if (user == PLAY_NONE || p->user[user].email[0] == '\0' || play_chance(p, 20))
		return play_address(p);
	return p->user[user].email;
}

int play_sign(struct play *p, struct play_call *k)
{
	static char text[1400];
	int pair = play_choose_pair(p);

	if (pair != PLAY_NONE)
		play_set_text(text, sizeof(text), p->pair[pair].access);
	else if (play_chance(p, 60))
		play_set_text(text, sizeof(text),
			      play_secret_text(p, play_choose_secret(p, ONETIME_HANDLE)));
	else if (p->n_pairs > 0 && play_chance(p, 50))
		play_set_text(text, sizeof(text), p->pair[p->n_pairs - 1].refresh);
	else
		return PLAY_NONE;
	k->bearer = text;
	if (pair != PLAY_NONE && play_access_ok(p, pair))
		p->last_pair = pair;
	p->actor = pair == PLAY_NONE ? PLAY_NONE : p->session[p->pair[pair].session].user;
	return pair;
}

static bool is_auth_refusal(const struct play *p)
{
	return play_code(p, "INVALID_ACCESS_TOKEN") || play_code(p, "SESSION_REVOKED") ||
	       play_code(p, "NO_ACCESS_TOKEN") || play_code(p, "USER_NOT_FOUND");
}

bool play_used(struct play *p, int pair)
{
	bool good = play_access_ok(p, pair);

	if (play_ok(p) && !good)
		play_fail(p, "a token that is none (pair %d) was accepted", pair);
	if (good && is_auth_refusal(p) && p->step_ms == 0)
		play_fail(p, "the good token of pair %d, session %d was refused", pair,
			  p->pair[pair].session);
	/* Who may not go there at all has not used it. */
	if (good && !is_auth_refusal(p) && !play_code(p, "FORBIDDEN") &&
	    p->pair[pair].gen == p->session[p->pair[pair].session].gen)
		p->pair[pair].seen = true;
	return play_ok(p);
}

void play_proof(struct play *p, int pair, struct play_shown *ret)
{
	int user = pair == PLAY_NONE ? PLAY_NONE : p->session[p->pair[pair].session].user;
	unsigned dice = play_pick(p, 12);

	*ret = (struct play_shown){ 0 };
	if (user != PLAY_NONE) {
		const struct play_session *s = &p->session[p->pair[pair].session];

		ret->fresh = play_effective_ms(p) - s->auth_ms <= p->cfg.stepup.max_age_ms;
		ret->factor_fresh = play_effective_ms(p) - s->factor_ms <= p->cfg.stepup.max_age_ms;
		ret->has_totp = p->user[user].has_totp;
		ret->password = dice < 4 && p->user[user].has_password;
	}
	if (ret->password)
		(void)snprintf(ret->text, sizeof(ret->text), "\"currentPassword\":\"%s\",",
			       p->user[user].password);
	else if (dice == 4)
		play_set_text(ret->text, sizeof(ret->text),
			      "\"currentPassword\":\"not the right one\",");
	if (dice < 5 || dice > 8 || user == PLAY_NONE)
		return;
	play_set_text(ret->used, sizeof(ret->used),
		      play_choose_factor_code(p, user, p->user[user].seed));
	ret->code = ret->has_totp && play_code_ok(p, user, ret->used);
	(void)snprintf(ret->text, sizeof(ret->text), "\"%s\":\"%s\",",
		       dice == 8 ? "recoveryCode" : "totpCode", ret->used);
}

static bool is_asked(enum play_asks asks, const struct play_shown *s)
{
	if (asks == PLAY_ASKS_FRESH || !s->has_totp)
		return asks != PLAY_ASKS_REMOVAL && !s->fresh;
	return !s->factor_fresh;
}

static bool password_does(enum play_asks asks, const struct play_shown *s)
{
	return s->password && !(asks != PLAY_ASKS_FRESH && s->has_totp);
}

void play_reproved(struct play *p, int pair, enum play_asks asks, const struct play_shown *shown)
{
	struct play_session *s = pair == PLAY_NONE ? NULL : &p->session[p->pair[pair].session];

	if (s == NULL || !play_access_ok(p, pair) || !is_asked(asks, shown) ||
	    p->answer.status == 429 || is_auth_refusal(p) || play_code(p, "REAUTH_REQUIRED"))
		return;
	if (!shown->code && !password_does(asks, shown))
		return;
	s->auth_ms = s->auth_ms > p->now_ms ? s->auth_ms : p->now_ms;
	if (!shown->code)
		return;
	s->factor_ms = s->factor_ms > p->now_ms ? s->factor_ms : p->now_ms;
	p->user[s->user].claim_ms = 0;
	play_use_code(p, s->user, shown->used);
}

void play_need_proof(struct play *p, int pair, enum play_asks asks, const struct play_shown *shown)
{
	if (is_asked(asks, shown) && !shown->code && !password_does(asks, shown))
		play_fail(p, "session %d may do that without being asked again",
			  p->pair[pair].session);
}

void play_set_password(struct play *p, int user, const char *password)
{
	struct play_user *u = &p->user[user];

	play_set_text(u->password, sizeof(u->password), password);
	u->has_password = password[0] != '\0';
	u->password_by_mail = false;
	u->epoch++;
	p->password_set = user;
}

/* May the application refuse what is right? */
bool play_may_refuse(const struct play *p)
{
	return p->limits || p->step_ms != 0;
}

/* ---- accounts ---- */

static void add_user(struct play *p, const char *email, const char *password)
{
	struct play_user *u = &p->user[p->n_users];

	*u = (struct play_user){ .exists = true };
	if (!play_member(p, "userId", u->uid, sizeof(u->uid)))
		play_fail(p, "no id: %.*s", STR_ARG(p->answer.body));
	play_set_text(u->email, sizeof(u->email), email);
	u->verify_by_ms = p->cfg.verification.mode == VERIFICATION_LAZY
				  ? p->now_ms + p->cfg.verification.grace_ms
				  : 0;
	play_set_password(p, p->n_users, password);
	play_note(p, "  user %d", p->n_users);
	p->n_users++;
}

/* An account must show more than the guest did: the password just chosen leads on. */
static void play_must_show(struct play *p, int user)
{
	bool setup = memmem(p->answer.body.p, p->answer.body.n, "requires2FASetup", 16) != NULL;
	char token[128];
	int handle;

	if (play_member(p, "tempToken", token, sizeof(token)) != play_is_required(p, user))
		play_fail(p, "user %d is an account now, and must show %d", user, play_is_required(p, user));
	if (!play_is_required(p, user))
		return;
	if (setup == (play_factors(p, user, PROOF_PASSWORD) != 0))
		play_fail(p, "user %d is to set a factor up: %d", user, setup);
	handle = play_add_secret(p, setup ? ONETIME_SETUP : ONETIME_HANDLE, user, token, "", 5 * MS_PER_MIN);
	p->secret[handle].first = PROOF_PASSWORD;
}

/* The guest whose token came along is the account from now on; or, where nobody may learn who has
 * one, waits for a mailed proof of the address. */
static void became(struct play *p, int guest, const char *email, const char *password)
{
	struct play_user *u = &p->user[guest];

	play_set_password(p, guest, password);
	if (p->cfg.verification.mode == VERIFICATION_STRICT)
		return;
	play_set_text(u->email, sizeof(u->email), email);
	u->is_guest = false;
	u->verify_by_ms = p->cfg.verification.mode == VERIFICATION_LAZY
				  ? p->now_ms + p->cfg.verification.grace_ms
				  : 0;
	play_end_sessions(p, guest, play_is_required(p, guest) ? PLAY_NONE : p->asked_session);
	play_void_all(p, guest, false, "the guest has become somebody");
	play_must_show(p, guest);
}

static void op_register(struct play *p)
{
	struct play_call k = play_request(METHOD_POST, "/register");
	const char *email = play_address(p), *password;
	bool good, taken = play_user_by_email(p, email) != PLAY_NONE ||
			   play_is_reserved(p, email, PLAY_NONE);
	bool hostile = play_chance(p, 5), guest;
	int pair = play_chance(p, 40) ? play_sign(p, &k) : PLAY_NONE;

	guest = pair != PLAY_NONE && p->user[p->actor].is_guest && p->user[p->actor].exists;
	p->about = guest ? p->actor : PLAY_NONE;
	p->asked_session = guest ? p->pair[pair].session : PLAY_NONE;
	password = some_new_password(p, &good);
	play_body(&k, "{\"email\":\"%s\",\"password\":\"%s\"%s}", email, password,
		  hostile ? ",\"isEmailVerified\":true" : "");
	play_call(p, &k);
	play_no_tokens(p);
	if (guest)
		(void)play_used(p, pair);
	if (p->answer.status == 201 && (hostile || !good))
		play_fail(p, "an account that may not be");
	if (p->answer.status == 201 && taken && p->cfg.verification.mode != VERIFICATION_STRICT)
		play_fail(p, "a second account of %s", email);
	if (p->answer.status == 201 && guest)
		became(p, p->actor, email, password);
	else if (p->answer.status == 201 && !taken)
		add_user(p, email, password);
	else if (!play_ok(p) && good && !hostile && !taken && !guest && !play_may_refuse(p))
		play_fail(p, "a free address was refused");
}

bool play_verification_allows(const struct play *p, int user)
{
	const struct play_user *u = &p->user[user];

	if (u->verified || p->cfg.verification.mode == VERIFICATION_NONE)
		return true;
	return p->cfg.verification.mode == VERIFICATION_LAZY &&
	       (u->verify_by_ms == 0 || p->now_ms <= u->verify_by_ms);
}

static const char *password_for(struct play *p, int user)
{
	int other = play_any_user(p);

	if (user != PLAY_NONE && play_chance(p, 75))
		return p->user[user].password;
	return other != PLAY_NONE && play_chance(p, 60) ? p->user[other].password
							: "quite the wrong one";
}

static void op_login(struct play *p)
{
	struct play_call k = play_request(METHOD_POST, "/login");
	const char *email = play_somebodys_address(p);
	int user = play_user_by_email(p, email), trust = PLAY_NONE;
	const char *password = password_for(p, user);
	bool right = play_user_ok(p, user) && p->user[user].has_password &&
		     play_same(password, p->user[user].password);
	bool allowed = right && play_verification_allows(p, user);

	if (p->n_trust > 0 && play_chance(p, 40))
		trust = (int)play_pick(p, (unsigned)(p->n_trust < 64 ? p->n_trust : 64));
	play_body(&k, "{\"email\":\"%s\",\"password\":\"%s\",\"trustToken\":\"%s\"}", email,
		  password, trust == PLAY_NONE ? "" : p->trust[trust].text);
	play_call(p, &k);
	if (play_ok(p) || play_code(p, "2FA_SETUP_REQUIRED")) {
		if (!allowed)
			play_fail(p, "user %d signed in with password \"%s\"", user, password);
		play_signed_in(p, user, PROOF_PASSWORD, play_trusted(p, user, trust));
		return;
	}
	play_no_tokens(p);
	if (allowed && !play_may_refuse(p))
		play_fail(p, "the right password of user %d was refused", user);
}

static void op_me(struct play *p)
{
	struct play_call k = play_request(METHOD_GET, "/me");
	int pair = play_sign(p, &k);
	char id[40];

	play_call(p, &k);
	play_no_tokens(p);
	if (play_used(p, pair) &&
	    (!play_member(p, "id", id, sizeof(id)) || !play_same(id, p->user[p->actor].uid)))
		play_fail(p, "user %d is told to be %s", p->actor, id);
}

static void op_profile(struct play *p)
{
	struct play_call k = play_request(METHOD_PATCH, "/profile");
	int pair = play_sign(p, &k);
	bool hostile = play_chance(p, 30);

	play_body(&k,
		  hostile ? "{\"require2FA\":false,\"isAdmin\":true}" : "{\"firstName\":\"Ada\"}");
	play_call(p, &k);
	if (play_used(p, pair) && hostile)
		play_fail(p, "rights were given away");
}

static void op_get(struct play *p, const char *path)
{
	struct play_call k = play_request(METHOD_GET, path);
	int pair = play_sign(p, &k);

	play_call(p, &k);
	play_no_tokens(p);
	(void)play_used(p, pair);
}

static void op_export(struct play *p)
{
	op_get(p, "/export");
}

static void op_check(struct play *p)
{
	op_get(p, "/check");
}

static void op_sessions(struct play *p)
{
	op_get(p, "/sessions");
}

static void op_delete(struct play *p)
{
	struct play_call k = play_request(METHOD_DELETE, "/account");
	int pair = play_sign(p, &k);
	struct play_shown shown;

	play_proof(p, pair, &shown);
	play_body(&k, "{%s\"x\":1}", shown.text);
	play_call(p, &k);
	if (p->cfg.stepup.account_delete)
		play_reproved(p, pair, PLAY_ASKS_FRESH, &shown);
	if (!play_used(p, pair))
		return;
	if (p->cfg.stepup.account_delete)
		play_need_proof(p, pair, PLAY_ASKS_FRESH, &shown);
	play_unlink_all(p, p->actor, "");
	p->user[p->actor].exists = false;
	play_void_all(p, p->actor, true, "its account is deleted");
	play_end_sessions(p, p->actor, PLAY_NONE);
}

/* ---- sessions ---- */

static void op_refresh(struct play *p)
{
	struct play_call k = play_request(METHOD_POST, "/refresh");
	int pair = play_choose_pair(p);
	struct play_session *s = pair == PLAY_NONE ? NULL : &p->session[p->pair[pair].session];
	bool good = s != NULL && play_session_ok(p, p->pair[pair].session),
	     newest = good && p->pair[pair].gen == s->gen;

	if (play_chance(p, 4))
		k.agent = "Thief/2.0";
	p->actor = s == NULL ? PLAY_NONE : s->user;
	play_body(&k, "{\"refreshToken\":\"%s\"}",
		  pair != PLAY_NONE ? p->pair[pair].refresh
				    : play_secret_text(p, play_choose_secret(p, ONETIME_HANDLE)));
	play_call(p, &k);
	if (play_ok(p)) {
		if (pair == PLAY_NONE)
			play_fail(p, "nonsense was refreshed");
		play_got_refresh(p, pair);
		return;
	}
	play_no_tokens(p);
	if (newest && p->answer.status != 429 && p->step_ms == 0)
		play_fail(p, "the newest token of session %d was refused", p->pair[pair].session);
	if (good && !newest && play_code(p, "SESSION_REVOKED"))
		s->live = false; /* two holders */
}

static void op_logout(struct play *p)
{
	struct play_call k = play_request(METHOD_POST, "/logout");
	int pair = play_choose_pair(p);
	bool by_access = play_chance(p, 50);

	if (pair != PLAY_NONE && by_access)
		k.bearer = p->pair[pair].access;
	play_body(&k, "{\"refreshToken\":\"%s\"}",
		  pair != PLAY_NONE && !by_access ? p->pair[pair].refresh : "");
	play_call(p, &k);
	if (!play_ok(p))
		play_fail(p, "signing out was refused");
	if (pair != PLAY_NONE)
		p->session[p->pair[pair].session].live = false;
}

static void op_end_session(struct play *p)
{
	struct play_call k;
	int which = p->n_sessions == 0 ? PLAY_NONE : (int)play_pick(p, (unsigned)p->n_sessions),
	    pair;
	char path[80];

	(void)snprintf(path, sizeof(path), "/sessions/%s",
		       which == PLAY_NONE ? "none" : p->session[which].sid);
	k = play_request(METHOD_DELETE, path);
	pair = play_sign(p, &k);
	play_call(p, &k);
	if (!play_used(p, pair))
		return;
	if (which == PLAY_NONE || !p->session[which].live || p->session[which].user != p->actor)
		play_fail(p, "user %d ended session %d", p->actor, which);
	p->session[which].live = false;
}

static void op_cleanup(struct play *p)
{
	struct play_call k = play_request(METHOD_POST, "/sessions/cleanup");
	int pair = play_sign(p, &k);

	play_call(p, &k);
	if (play_used(p, pair) && !p->user[p->actor].is_admin)
		play_fail(p, "user %d is no administrator", p->actor);
}

/* ---- passwords ---- */

static void op_forgot(struct play *p)
{
	struct play_call k = play_request(METHOD_POST, "/forgot-password");

	play_body(&k, "{\"email\":\"%s\"}", play_somebodys_address(p));
	play_call(p, &k);
	play_no_tokens(p);
	if (!play_ok(p) && p->answer.status != 503)
		play_fail(p, "asking was refused: %d", p->answer.status);
}

/* Whoever made the account may not have been the address' owner. */
void play_claim(struct play *p, int user)
{
	struct play_user *u = &p->user[user];

	u->phone[0] = u->seed[0] = u->pending_seed[0] = '\0';
	u->has_totp = false;
	u->claim_ms = 0;
	memset(u->recovery_dead, true, sizeof(u->recovery_dead));
	play_unlink_all(p, user, "");
	play_end_sessions(p, user, PLAY_NONE);
	play_void_all(p, user, true, "the account was claimed by its address");
	play_set_password(p, user, "");
}

static void was_reset(struct play *p, int secret, const char *password, int along)
{
	int user = p->secret[secret].user;

	if (!play_same(p->secret[secret].address, p->user[user].email))
		play_fail(p, "a reset from an address that is not the account's");
	(void)play_mailed(p, user, along);
	play_set_password(p, user, password);
	p->user[user].password_by_mail = true;
	play_end_sessions(p, user, PLAY_NONE);
	play_void_all(p, user, false, "the password was reset");
}

static void op_reset(struct play *p)
{
	struct play_call k = play_request(METHOD_POST, "/reset-password");
	int secret = play_choose_secret(p, ONETIME_RESET);
	bool right = play_secret_ok(p, secret, ONETIME_RESET), good;
	const char *password = some_new_password(p, &good);
	int along = play_along(p, &k);

	play_body(&k, "{\"token\":\"%s\",\"password\":\"%s\"}", play_secret_text(p, secret),
		  password);
	play_call(p, &k);
	play_no_tokens(p);
	if (play_ok(p)) {
		play_take(p, secret, ONETIME_RESET);
		was_reset(p, secret, password, along);
		play_call(p, &k); /* the same again */
		if (play_ok(p))
			play_fail(p, "secret %d was accepted twice", secret);
	} else if (right && good && !play_may_refuse(p)) {
		play_fail(p, "a good link was refused");
	}
}

static void op_change_password(struct play *p)
{
	struct play_call k = play_request(METHOD_POST, "/change-password");
	int pair = play_sign(p, &k);
	struct play_shown shown;
	bool good;
	const char *password = some_new_password(p, &good);
	struct play_user *u = p->actor == PLAY_NONE ? NULL : &p->user[p->actor];

	play_proof(p, pair, &shown);
	play_body(&k, "{%s\"newPassword\":\"%s\"}", shown.text, password);
	play_call(p, &k);
	play_no_tokens(p);
	if (!play_used(p, pair))
		return;
	if (!good)
		play_fail(p, "a bad password was taken");
	if (u->has_password ? !shown.password : !shown.fresh)
		play_fail(p, "user %d changed the password without proof", p->actor);
	if (p->session[p->pair[pair].session].auth_ms < p->now_ms)
		p->session[p->pair[pair].session].auth_ms = p->now_ms;
	play_set_password(p, p->actor, password);
	play_end_sessions(p, p->actor, p->pair[pair].session);
	play_void_all(p, p->actor, false, "the password was changed");
}

/* ---- addresses ---- */

static void op_send_verification(struct play *p)
{
	struct play_call k = play_request(METHOD_POST, "/send-verification-email");
	int pair = PLAY_NONE;

	if (play_chance(p, 50))
		pair = play_sign(p, &k);
	play_body(&k, "{\"email\":\"%s\"}", play_somebodys_address(p));
	play_call(p, &k);
	play_no_tokens(p);
	if (k.bearer != NULL)
		(void)play_used(p, pair);
}

static void was_verified(struct play *p, int secret, int along)
{
	struct play_user *u = &p->user[p->secret[secret].user];

	play_take(p, secret, ONETIME_VERIFY);
	if (!play_same(u->email, p->secret[secret].address))
		play_fail(p, "a proof of %s for %s", p->secret[secret].address, u->email);
	if (along != p->secret[secret].user && play_asks_first(p, p->secret[secret].user))
		play_fail(p, "a stranger proves the address of user %d, before whom a factor stands", p->secret[secret].user);
	play_clicked(p, p->secret[secret].user, along == p->secret[secret].user);
	play_void(p, p->secret[secret].user, ONETIME_EMAIL_CHANGE, "the address was proven");
}

static void op_verify(struct play *p)
{
	bool by_get = play_chance(p, 30);
	struct play_call k = play_request(by_get ? METHOD_GET : METHOD_POST, "/verify-email");
	int secret = play_choose_secret(p, ONETIME_VERIFY);
	bool right = play_secret_ok(p, secret, ONETIME_VERIFY);
	int along = play_along(p, &k);

	if (by_get)
		(void)snprintf(k.query, sizeof(k.query), "token=%s", play_secret_text(p, secret));
	else
		play_body(&k, "{\"token\":\"%s\"}", play_secret_text(p, secret));
	play_call(p, &k);
	play_no_tokens(p);
	if (play_ok(p))
		was_verified(p, secret, along);
	else if (right && !play_may_refuse(p) &&
		 !(play_code(p, "REAUTH_REQUIRED") && along != p->secret[secret].user &&
		   play_asks_first(p, p->secret[secret].user)))
		play_fail(p, "a good link was refused");
}

static void op_change_email(struct play *p)
{
	struct play_call k = play_request(METHOD_POST, "/change-email/request");
	int pair = play_sign(p, &k);
	const char *email = play_address(p);
	int owner = play_user_by_email(p, email);
	struct play_shown shown;
	bool guest = p->actor != PLAY_NONE && p->user[p->actor].is_guest;

	p->about = p->actor;
	p->asked_session = pair == PLAY_NONE ? PLAY_NONE : p->pair[pair].session;
	play_proof(p, pair, &shown);
	play_body(&k, "{%s\"newEmail\":\"%s\"}", shown.text, email);
	play_call(p, &k);
	play_no_tokens(p);
	if (!guest)
		play_reproved(p, pair, PLAY_ASKS_FRESH, &shown);
	if (!play_used(p, pair))
		return;
	if (!guest)
		play_need_proof(p, pair, PLAY_ASKS_FRESH, &shown);
	if (!p->user[p->actor].has_password && !guest)
		play_fail(p, "user %d has no password, and changes the address", p->actor);
	if (owner != PLAY_NONE &&
	    (p->cfg.verification.mode != VERIFICATION_STRICT || owner == p->actor))
		play_fail(p, "a change to %s, which user %d has", email, owner);
}

static void set_email(struct play *p, int user, const char *email, bool mailbox_only)
{
	int owner = play_user_by_email(p, email);

	if (owner != PLAY_NONE && owner != user)
		play_fail(p, "%s is of user %d already", email, owner);
	if (play_is_reserved(p, email, user))
		play_fail(p, "%s is kept for somebody", email);
	play_set_text(p->user[user].email, sizeof(p->user[user].email), email);
	p->user[user].verified = true;
	p->user[user].mailbox_only = mailbox_only;
	p->user[user].claim_ms = 0;
	p->user[user].is_guest = false;
}

static void op_change_email_confirm(struct play *p)
{
	struct play_call k = play_request(METHOD_POST, "/change-email/confirm");
	int secret = play_choose_secret(p, ONETIME_EMAIL_CHANGE), user, along = play_along(p, &k);
	bool guest;

	play_body(&k, "{\"token\":\"%s\"}", play_secret_text(p, secret));
	play_call(p, &k);
	play_no_tokens(p);
	if (!play_ok(p))
		return;
	play_take(p, secret, ONETIME_EMAIL_CHANGE);
	user = p->about = p->secret[secret].user;
	p->was_verified = p->user[user].verified;
	guest = p->user[user].is_guest;
	set_email(p, user, p->secret[secret].address, along != user);
	play_end_sessions(p, user, guest && play_is_required(p, user) ? PLAY_NONE : p->secret[secret].session);
	play_void_all(p, user, false, "the address was changed");
}

static void op_change_email_revert(struct play *p)
{
	struct play_call k = play_request(METHOD_POST, "/change-email/revert");
	int secret = play_choose_secret(p, ONETIME_EMAIL_REVERT), user;

	play_body(&k, "{\"token\":\"%s\"}", play_secret_text(p, secret));
	play_call(p, &k);
	play_no_tokens(p);
	if (!play_ok(p))
		return;
	play_take(p, secret, ONETIME_EMAIL_REVERT);
	user = p->about = p->secret[secret].user;
	set_email(p, user, p->secret[secret].address, false);
	play_set_password(p, user, "");
	p->user[user].phone[0] = '\0';
	if (!p->user[user].has_totp)
		p->user[user].pending_seed[0] = '\0';
	else if (p->user[user].seed_ms >= p->secret[secret].made_ms - MS_PER_DAY)
		p->user[user].verified = false; /* it may be theirs, and stays: mail alone removes none (MF19) */
	play_end_sessions(p, user, PLAY_NONE);
	play_void_all(p, user, true, "the change of address was undone");
}

/* ---- numbers ---- */

/* Codes to the number of before are worth nothing now. */
static void set_phone(struct play *p, int user, const char *number)
{
	play_set_text(p->user[user].phone, sizeof(p->user[user].phone), number);
	play_void(p, user, ONETIME_PHONE, "the number was changed");
	play_void(p, user, ONETIME_SMS, "the number was changed");
	play_void(p, user, ONETIME_SMS_2FA, "the number was changed");
	p->follow = play_op_sms_send;
}

static void op_verify_phone(struct play *p);

static void op_add_phone(struct play *p)
{
	struct play_call k = play_request(METHOD_POST, "/add-phone");
	int pair = play_sign(p, &k);
	unsigned dice = play_pick(p, 10);
	struct play_shown shown;
	char number[32];

	(void)snprintf(number, sizeof(number), "\"+39320000%04u\"", 1000 + play_pick(p, NUMBERS));
	p->about = p->actor;
	p->asked = ONETIME_PHONE;
	p->asked_session = pair == PLAY_NONE ? PLAY_NONE : p->pair[pair].session;
	play_proof(p, pair, &shown);
	play_body(&k, "{%s\"phoneNumber\":%s}", shown.text,
		  dice == 0   ? "null"
		  : dice == 1 ? "\"12\""
			      : number);
	play_call(p, &k);
	play_no_tokens(p);
	play_reproved(p, pair, PLAY_ASKS_FRESH, &shown);
	if (!play_used(p, pair))
		return;
	play_need_proof(p, pair, PLAY_ASKS_FRESH, &shown);
	if (dice == 0)
		set_phone(p, p->actor, "");
	else
		p->follow = op_verify_phone;
}

static void op_verify_phone(struct play *p)
{
	struct play_call k = play_request(METHOD_POST, "/add-phone/verify");
	int pair = play_sign(p, &k), secret;
	const char *code = play_choose_code(p, ONETIME_PHONE, p->actor);

	play_body(&k, "{\"code\":\"%s\"}", code);
	secret = play_find_code(p, ONETIME_PHONE, p->actor, code);
	play_call(p, &k);
	play_no_tokens(p);
	if (!play_used(p, pair)) {
		if (play_code(p, "INVALID_PHONE_CODE") && secret == PLAY_NONE)
			play_wrong_code(p, ONETIME_PHONE, p->actor);
		return;
	}
	play_take(p, secret, ONETIME_PHONE);
	set_phone(p, p->actor, p->secret[secret].address);
}

/* ---- what happens around requests ---- */

static struct ctx operator_ctx(struct play *p)
{
	return (struct ctx){ .mem = &p->mem,
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
}

static void op_disable(struct play *p)
{
	struct ctx c = operator_ctx(p);
	struct user_row row = { 0 };
	int user = play_any_user(p);

	if (user == PLAY_NONE || !p->user[user].exists)
		return;
	play_note(p, "user %d is %s", user, p->user[user].disabled ? "enabled" : "disabled");
	if (user_get(&c, str_of_cstr(p->user[user].uid), &row).code != ERR_OK ||
	    (p->user[user].disabled ? user_enable(&c, &row) : user_disable(&c, &row)).code !=
		    ERR_OK)
		play_fail(p, "an operator was refused");
	if (!p->user[user].disabled)
		play_end_sessions(p, user, PLAY_NONE);
	p->user[user].disabled = !p->user[user].disabled;
	arena_reset(&p->mem);
}

/* What has expired goes, and nothing else does. */
static void op_sweep(struct play *p)
{
	struct ctx c = operator_ctx(p);
	int64_t n;

	play_note(p, "swept");
	if (onetime_sweep(&c, 500, &n).code != ERR_OK ||
	    session_sweep(&c, 500, &n).code != ERR_OK ||
	    attempt_sweep(&c, 500, &n).code != ERR_OK || place_sweep(&c, 500, &n).code != ERR_OK)
		play_fail(p, "a sweep failed");
	arena_reset(&p->mem);
}

static void op_clock(struct play *p)
{
	static const int64_t seconds[] = { 1,	  2,	     7,		20,	   45,
					   70,	  130,	     310,	620,	   700,
					   950,	  1900,	     3700,	4000,	   11000,
					   90000, 3 * 86400, 8 * 86400, 31 * 86400 };
	unsigned dice = play_pick(p, 100), n = sizeof(seconds) / sizeof(seconds[0]);
	int64_t ms = seconds[play_pick(p, dice < 70 ? 8 : dice < 92 ? 14 : n)] * MS_PER_S;

	if (play_chance(p, 3)) {
		ms = seconds[play_pick(p, 10)] * MS_PER_S;
		p->step_ms = p->seen_ms;
		p->stepped = true;
		p->now_ms -= ms;
	} else {
		p->now_ms += ms;
		p->mono_ms += ms;
	}
	play_note(p, "the clock is at %lld", (long long)p->now_ms);
}

const struct play_op play_ops[] = {
	{ "clock", METHOD_UNSET, NULL, 10, op_clock },
	{ "register", METHOD_POST, "/register", 6, op_register },
	{ "login", METHOD_POST, "/login", 16, op_login },
	{ "refresh", METHOD_POST, "/refresh", 8, op_refresh },
	{ "logout", METHOD_POST, "/logout", 2, op_logout },
	{ "me", METHOD_GET, "/me", 6, op_me },
	{ "profile", METHOD_PATCH, "/profile", 2, op_profile },
	{ "sessions", METHOD_GET, "/sessions", 2, op_sessions },
	{ "end session", METHOD_DELETE, "/sessions/{handle}", 3, op_end_session },
	{ "cleanup", METHOD_POST, "/sessions/cleanup", 1, op_cleanup },
	{ "forgot", METHOD_POST, "/forgot-password", 6, op_forgot },
	{ "reset", METHOD_POST, "/reset-password", 6, op_reset },
	{ "change password", METHOD_POST, "/change-password", 4, op_change_password },
	{ "send verification", METHOD_POST, "/send-verification-email", 4, op_send_verification },
	{ "verify", METHOD_POST, "/verify-email", 8, op_verify },
	{ "change email", METHOD_POST, "/change-email/request", 5, op_change_email },
	{ "confirm change", METHOD_POST, "/change-email/confirm", 5, op_change_email_confirm },
	{ "revert change", METHOD_POST, "/change-email/revert", 2, op_change_email_revert },
	{ "add phone", METHOD_POST, "/add-phone", 6, op_add_phone },
	{ "verify phone", METHOD_POST, "/add-phone/verify", 8, op_verify_phone },
	{ "delete", METHOD_DELETE, "/account", 1, op_delete },
	{ "export", METHOD_GET, "/export", 2, op_export },
	{ "check", METHOD_GET, "/check", 2, op_check },
	{ "magic send", METHOD_POST, "/magic-link/send", 10, play_op_magic_send },
	{ "magic verify", METHOD_POST, "/magic-link/verify", 12, play_op_magic_verify },
	{ "sms send", METHOD_POST, "/sms/send", 8, play_op_sms_send },
	{ "sms verify", METHOD_POST, "/sms/verify", 10, play_op_sms_verify },
	{ "2fa setup", METHOD_POST, "/2fa/setup", 10, play_op_2fa_setup },
	{ "2fa verify-setup", METHOD_POST, "/2fa/verify-setup", 10, play_op_2fa_verify_setup },
	{ "2fa verify", METHOD_POST, "/2fa/verify", 14, play_op_2fa_verify },
	{ "2fa disable", METHOD_POST, "/2fa/disable", 2, play_op_2fa_disable },
	{ "2fa codes", METHOD_POST, "/2fa/recovery-codes", 2, play_op_2fa_codes },
	{ "guest", METHOD_POST, "/guest", 3, play_op_guest },
	{ "linked", METHOD_GET, "/linked-accounts", 2, play_op_linked_list },
	{ "unlink", METHOD_DELETE, "/linked-accounts/{provider}/{providerAccountId}", 2,
	  play_op_unlink },
	{ "link request", METHOD_POST, "/link-request", 5, play_op_link_request },
	{ "link verify", METHOD_POST, "/link-verify", 6, play_op_link_verify },
	{ "claim", METHOD_POST, "/claim", 5, play_op_claim },
	{ "require", METHOD_POST, "/2fa/verify", 2, play_op_require },
	{ "disable", METHOD_UNSET, NULL, 1, op_disable },
	{ "sweep", METHOD_UNSET, NULL, 1, op_sweep },
};
const size_t n_play_ops = sizeof(play_ops) / sizeof(play_ops[0]);

/* ---- steps ---- */

static bool has_route(const struct play_op *op)
{
	for (size_t i = 0; i < n_routes; i++) {
		if (routes[i].method == op->method && play_same(routes[i].pattern, op->pattern))
			return true;
	}
	return op->pattern == NULL;
}

void play_check_ops(struct play *p)
{
	for (size_t i = 0; i < n_play_ops; i++) {
		if (!has_route(&play_ops[i]))
			play_fail(p, "no route: %s", play_ops[i].pattern);
		p->total_weight += play_ops[i].weight;
	}
}

static size_t choose_op(struct play *p)
{
	unsigned dice;
	size_t i = 0;

	if (p->follow != NULL && play_chance(p, 60)) {
		while (play_ops[i].run != p->follow)
			i++;
		p->follow = NULL;
		return i;
	}
	dice = play_pick(p, p->total_weight);
	while (dice >= play_ops[i].weight)
		dice -= play_ops[i++].weight;
	return i;
}

static bool is_full(const struct play *p)
{
	return p->n_users > PLAY_USERS - 2 || p->n_sessions > PLAY_SESSIONS - 4 ||
	       p->n_pairs > PLAY_PAIRS - 4 || p->n_secrets > PLAY_SECRETS - 8;
}

bool play_step(struct play *p)
{
	if (is_full(p) || (p->by_bytes && p->at >= p->n_bytes))
		return false;
	p->step++;
	p->about = p->actor = p->password_set = p->asked_session = p->asked_handle = PLAY_NONE;
	p->asked = ONETIME_UNSET;
	p->op = choose_op(p);
	play_ops[p->op].run(p);
	play_read_mail(p);
	play_check_store(p);
	return true;
}
