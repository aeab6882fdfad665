#include "domain/claim.h"

#include "domain/asked.h"
#include "domain/audit.h"
#include "domain/clock_guard.h"
#include "domain/gate.h"
#include "domain/message.h"
#include "domain/onetime.h"
#include "domain/user.h"
#include "store/query.h"

#define OPEN_FOR_MS (30 * MS_PER_DAY)

bool claim_runs(const struct user_row *user, int64_t now_ms)
{
	return user->claim_ms > 0 && now_ms < user->claim_ms + OPEN_FOR_MS;
}

bool claim_is_due(const struct user_row *user, int64_t now_ms)
{
	return claim_runs(user, now_ms) && now_ms >= user->claim_ms;
}

/* ---- asked for ---- */

static bool may_be_claimed(const struct config *cfg, const struct user_row *user)
{
	return !user->email_verified && !user->is_admin && gate_has_factor(cfg, user);
}

/* The number too: of the ways in that are told it is the one that whoever reads the mail does not have. */
static err_t tell(struct ctx *c, const struct user_row *user, int64_t opens_ms)
{
	struct template_var due = { STR("due"), STR_NONE };
	struct leave leave = { 0 };

	TRY(message_time(c, opens_ms, &due.value));
	TRY(message_to_user(c, user, STR("claim-asked"), &due, 1));
	if (user->phone.p != NULL && sms_is_on(c->cfg))
		TRY(asked_sms(c, STR("claim"), user->phone, true, &leave));
	return leave.given ? message_text(c, user, user->phone, STR("sms-claim"), &due) : OK;
}

/* Inside the open transaction. */
static err_t claim(struct ctx *c, const struct user_row *user, int64_t *ret_opens_ms)
{
	int64_t opens_ms = c->now_ms + c->cfg->takeover.delay_ms, changed;

	REQUIRE(may_be_claimed(c->cfg, user), ERR_CLAIM);
	*ret_opens_ms = user->claim_ms;
	if (claim_runs(user, c->now_ms))
		return OK;
	*ret_opens_ms = opens_ms;
	TRY(q_user_claim(c->db, user->id, opens_ms, &changed));
	TRY(audit_add(c, AUDIT_CLAIM_ASKED, user->uid, STR_NONE, STR_NONE));
	return tell(c, user, opens_ms);
}

static err_t by_link(struct ctx *c, str token, int64_t *ret_opens_ms)
{
	struct onetime_row t = { 0 };
	struct user_row user = { 0 };
	TX tx = { 0 };

	TRY(onetime_find(c, ONETIME_MAGIC, token, &t));
	TRY(tx_begin(&tx, c->db));
	TRY(onetime_take(c, ONETIME_MAGIC, token, &t));
	TRY(user_load(c, t.user_id, ERR_MAGIC_LINK, &user));
	REQUIRE(str_eq(t.address, user.email), ERR_MAGIC_LINK);
	TRY(onetime_void(c, user.id, ONETIME_MAIL_CODE)); /* the same mail's */
	TRY(claim(c, &user, ret_opens_ms));
	return tx_commit(&tx);
}

static err_t by_handle(struct ctx *c, str temp_token, int64_t *ret_opens_ms)
{
	struct user_row user = { 0 };
	struct handle h;
	bool known;
	TX tx = { 0 };

	TRY(gate_find(c, ONETIME_HANDLE, temp_token, &h));
	REQUIRE(h.first == PROOF_MAIL, ERR_CLAIM);
	TRY(tx_begin(&tx, c->db));
	TRY(gate_look(c, temp_token, &h, &known)); /* a change of address ends it */
	TRY(user_load(c, h.user_id, ERR_TEMP_TOKEN, &user));
	TRY(claim(c, &user, ret_opens_ms));
	return tx_commit(&tx);
}

err_t claim_ask(struct ctx *c, const struct claim_proof *p, int64_t *ret_opens_ms)
{
	TRY(clock_issue(c));
	return p->token.n > 0 ? by_link(c, p->token, ret_opens_ms) : by_handle(c, p->temp_token, ret_opens_ms);
}

/* ---- called off ---- */

err_t claim_call_off(struct ctx *c, const struct user_row *user)
{
	int64_t changed;

	if (user->claim_ms == 0)
		return OK;
	TRY(q_user_claim_end(c->db, user->id, &changed));
	if (changed == 0)
		return OK;
	TRY(message_to_user(c, user, STR("claim-cancelled"), NULL, 0));
	return audit_add(c, AUDIT_CLAIM_CANCELLED, user->uid, STR_NONE, STR_NONE);
}
