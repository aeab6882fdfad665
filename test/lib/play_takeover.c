/* What mail does to an account in a play: the model of domain/takeover.h and domain/claim.h, and the operation that claims. */
#include "domain/takeover.h"
#include "play.h"

#define CLAIM_GOOD_MS (30 * MS_PER_DAY)

static bool is_proven(const struct play_user *u)
{
	return u->verified && !u->mailbox_only;
}

bool play_is_required(const struct play *p, int user)
{
	const struct play_user *u = &p->user[user];

	return !u->is_guest && (u->has_totp || u->required || p->cfg.twofactor.required);
}

bool play_has_factor(const struct play *p, int user)
{
	return play_is_required(p, user) && play_factors(p, user, PROOF_MAIL) != 0;
}

bool play_asks_first(const struct play *p, int user)
{
	return !is_proven(&p->user[user]) && play_has_factor(p, user);
}

/* ---- who sends it ---- */

int play_along(struct play *p, struct play_call *k)
{
	static char text[1400];
	int pair = play_chance(p, 40) && p->step_ms == 0 ? play_choose_pair(p) : PLAY_NONE;

	if (pair == PLAY_NONE || !play_access_ok(p, pair)) {
		k->bearer = play_chance(p, 10) ? "nonsense" : NULL;
		return PLAY_NONE;
	}
	play_set_text(text, sizeof(text), p->pair[pair].access);
	k->bearer = text;
	return p->session[p->pair[pair].session].user;
}

/* ---- what it does ---- */

static void proven(struct play_user *u)
{
	u->verified = true;
	u->mailbox_only = false;
	u->claim_ms = 0;
}

static bool is_due(const struct play *p, const struct play_user *u)
{
	return u->claim_ms > 0 && p->now_ms >= u->claim_ms && p->now_ms < u->claim_ms + CLAIM_GOOD_MS;
}

bool play_mailed(struct play *p, int user, int along)
{
	struct play_user *u = &p->user[user];

	if (is_proven(u))
		return true;
	if (along != user) {
		/* Mail alone removes no factor, unless the account was claimed and nobody called that off. */
		if (play_has_factor(p, user) && !is_due(p, u))
			return false;
		p->opened += play_has_factor(p, user);
		play_claim(p, user);
	}
	proven(u);
	return true;
}

void play_clicked(struct play *p, int user, bool known)
{
	struct play_user *u = &p->user[user];

	u->mailbox_only = !known && !is_proven(u);
	u->verified = true;
	u->claim_ms = 0;
}

void play_both_shown(struct play *p, int user, enum first_proof first)
{
	struct play_user *u = &p->user[user];

	u->claim_ms = 0;
	if (!is_proven(u) && (first == PROOF_MAIL || (first == PROOF_PASSWORD && u->password_by_mail && !u->verified)))
		proven(u);
}

/* ---- claimed ---- */

static void was_claimed(struct play *p, int user)
{
	struct play_user *u = &p->user[user];

	if (u->verified || u->is_admin || !play_has_factor(p, user))
		play_fail(p, "user %d was claimed: verified %d, admin %d", user, u->verified, u->is_admin);
	if (u->claim_ms == 0 || p->now_ms >= u->claim_ms + CLAIM_GOOD_MS)
		u->claim_ms = p->now_ms + p->cfg.takeover.delay_ms;
}

/* Mostly what may claim: a link of an account behind a factor, a handle that began with mail. */
static int choose_proof(struct play *p, enum onetime_purpose purpose)
{
	for (int i = p->n_secrets - 1; i >= 0 && play_chance(p, 98); i--) {
		const struct play_secret *s = &p->secret[i];

		if (s->purpose == purpose && s->dead == NULL && play_asks_first(p, s->user) &&
		    (purpose == ONETIME_MAGIC || s->first == PROOF_MAIL))
			return i;
	}
	return play_choose_secret(p, purpose);
}

void play_op_claim(struct play *p)
{
	struct play_call k = play_request(METHOD_POST, "/claim");
	bool by_link = play_chance(p, 50);
	int secret = choose_proof(p, by_link ? ONETIME_MAGIC : ONETIME_HANDLE);
	int user = secret == PLAY_NONE ? PLAY_NONE : p->secret[secret].user;

	p->about = user;
	play_body(&k, "{\"%s\":\"%s\"}", by_link ? "token" : "tempToken", play_secret_text(p, secret));
	play_call(p, &k);
	play_no_tokens(p);
	if (!play_ok(p))
		return;
	if (by_link) {
		play_take(p, secret, ONETIME_MAGIC);
		play_void(p, user, ONETIME_MAIL_CODE, "its mail was used");
	} else if (!play_secret_ok(p, secret, ONETIME_HANDLE) || p->secret[secret].first != PROOF_MAIL) {
		play_fail(p, "secret %d claims an account, and proves no mail", secret);
	}
	was_claimed(p, user);
	p->follow = play_op_magic_send;
}
