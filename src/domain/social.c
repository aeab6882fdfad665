#include "domain/social.h"

#include "crypto/aead.h"
#include "domain/attempt.h"
#include "domain/audit.h"
#include "domain/email.h"
#include "domain/grant.h"
#include "domain/message.h"
#include "domain/onetime.h"
#include "domain/takeover.h"
#include "domain/uid.h"
#include "domain/user.h"
#include "domain/verification.h"
#include "store/query.h"

/* ---- linking ---- */

static err_t account_text(struct ctx *c, str provider, const struct profile *who, str *ret)
{
	str account = who->email.n > 0 ? who->email : who->name.n > 0 ? who->name : who->id;

	return arena_printf(c->mem, ret, "%.*s: %.*s", STR_ARG(provider), STR_ARG(account));
}

static err_t insert_link(struct ctx *c, int64_t user_id, str provider, const struct profile *who, bool *ret_new)
{
	struct linked_row there = { 0 };
	int64_t changed;
	bool found;

	TRY(q_linked_insert(c->db, provider, who->id, user_id, who->email, who->name, who->picture, c->now_ms,
			    &changed));
	*ret_new = changed == 1;
	if (*ret_new)
		return OK;
	TRY(q_linked_find(c->db, c->mem, provider, who->id, &there, &found));
	REQUIRE(found && there.user_id == user_id, ERR_ALREADY_LINKED);
	return OK;
}

err_t social_link(struct ctx *c, const struct user_row *user, str provider, const struct profile *who)
{
	struct template_var var = { STR("account"), STR_NONE };
	bool is_new;

	TRY(insert_link(c, user->id, provider, who, &is_new));
	if (!is_new)
		return OK;
	TRY(account_text(c, provider, who, &var.value));
	TRY(audit_add(c, AUDIT_ACCOUNT_LINKED, user->uid, STR_NONE, provider));
	return message_to_user(c, user, STR("account-linked"), &var, 1);
}

err_t social_keep_grant(struct ctx *c, const struct provider *p, const struct profile *who, str refresh_token)
{
	if (p->revoke_url.n == 0 || p->auth != CLIENT_AUTH_APPLE || refresh_token.n == 0)
		return OK;
	return grant_keep(c, p->name, who->id, refresh_token);
}

/* ---- making ---- */

/* The first word, and the rest: where nobody has said which is which. */
static void split_name(str name, str *ret_first, str *ret_last)
{
	*ret_first = *ret_last = STR_NONE;
	if (name.n == 0)
		return;
	(void)str_cut(name, ' ', ret_first, ret_last);
	*ret_last = str_trim(*ret_last);
	if (ret_last->n == 0)
		*ret_last = STR_NONE;
}

static void names_of(const struct profile *who, str *ret_first, str *ret_last)
{
	if (who->given.n == 0 && who->family.n == 0) {
		split_name(who->name, ret_first, ret_last);
		return;
	}
	*ret_first = who->given.n > 0 ? who->given : STR_NONE;
	*ret_last = who->family.n > 0 ? who->family : STR_NONE;
}

/* Nobody may learn by what a provider says who has an account here: an address that is not proven is either told to
 * be of no use, or, where signing up tells it anyway, handled like one there. */
static err_t refuse_taken(struct ctx *c, const struct profile *who)
{
	REQUIRE(who->email_verified || c->cfg->verification.mode != VERIFICATION_STRICT, ERR_OAUTH_EMAIL);
	FAIL(ERR_OAUTH_CONFLICT);
}

static err_t insert_user(struct ctx *c, const struct provider *p, const struct profile *who, str typed, str key,
			 struct user_row *ret)
{
	uint8_t uid[UID_BYTES];
	str first, last;
	int64_t id;
	bool found;
	err_t e;

	names_of(who, &first, &last);
	TRY(uid_make(c->rng, uid));
	e = q_oauth_user_insert(c->db, c->mem, str_of_bytes(uid, UID_BYTES), typed, key, first, last,
				who->email_verified, p->name, c->now_ms,
				who->email_verified ? 0 : user_verify_by_ms(c), &id, &found);
	REQUIRE(e.code != ERR_CONFLICT, ERR_OAUTH_CONFLICT);
	TRY(e);
	TRY(audit_add(c, AUDIT_USER_CREATED, str_of_bytes(uid, UID_BYTES), STR_NONE, p->name));
	return user_load(c, id, ERR_OAUTH_DISABLED, ret);
}

static err_t greet(struct ctx *c, const struct user_row *user)
{
	return user->email_verified ? message_to_user(c, user, STR("welcome"), NULL, 0) :
				      user_greet(c, user->id, STR_NONE);
}

static err_t make(struct ctx *c, const struct provider *p, const struct profile *who, str typed, str key,
		  struct user_row *ret)
{
	bool reserved, is_new;

	REQUIRE(who->email_verified || c->cfg->verification.mode != VERIFICATION_STRICT, ERR_OAUTH_EMAIL);
	REQUIRE(c->cfg->registration.enabled, ERR_REGISTRATION_OFF);
	TRY(onetime_is_reserved(c, key, 0, &reserved));
	if (reserved)
		return refuse_taken(c, who);
	TRY(attempt_take(c, ATTEMPT_REGISTER));
	TRY(insert_user(c, p, who, typed, key, ret));
	TRY(insert_link(c, ret->id, p->name, who, &is_new));
	return greet(c, ret);
}

/* ---- finding ---- */

static bool may_link_by_address(const struct ctx *c, const struct profile *who, const struct user_row *owner)
{
	return c->cfg->oauth.auto_link == OAUTH_LINK_VERIFIED && who->email_verified && takeover_is_proven(owner) &&
	       owner->disabled_ms == 0;
}

static err_t by_address(struct ctx *c, const struct provider *p, const struct profile *who, struct user_row *ret)
{
	str typed, key;
	bool found;
	err_t e;

	REQUIRE(who->email.n > 0, ERR_OAUTH_EMAIL);
	e = email_canonical(c->mem, who->email, &typed, &key);
	REQUIRE(e.code != ERR_INPUT, ERR_OAUTH_EMAIL);
	TRY(e);
	TRY(q_user_by_email(c->db, c->mem, key, ret, &found));
	if (!found)
		return make(c, p, who, typed, key, ret);
	if (!may_link_by_address(c, who, ret))
		return refuse_taken(c, who);
	TRY(social_link(c, ret, p->name, who));
	return user_load(c, ret->id, ERR_OAUTH_DISABLED, ret);
}

err_t social_find_or_make(struct ctx *c, const struct provider *p, const struct profile *who, bool may_make,
			  struct user_row *ret)
{
	struct linked_row link = { 0 };
	bool found;

	TRY(q_linked_find(c->db, c->mem, p->name, who->id, &link, &found));
	if (found)
		TRY(user_load(c, link.user_id, ERR_OAUTH_DISABLED, ret));
	else if (may_make)
		TRY(by_address(c, p, who, ret));
	else
		FAIL(ERR_NOT_FOUND);
	if (ret->is_guest)
		return OK;
	return verification_allows(c->cfg, ret->email_verified, ret->verify_by_ms, c->now_ms);
}
