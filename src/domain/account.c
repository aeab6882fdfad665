#include "domain/account.h"

#include "domain/attempt.h"
#include "domain/audit.h"
#include "domain/email.h"
#include "domain/grant.h"
#include "domain/linked.h"
#include "domain/message.h"
#include "store/query.h"

err_t account_delete(struct ctx *c, const struct caller *who)
{
	struct user_row user = { 0 };
	struct message farewell = { .template = STR("account-deleted") };
	int64_t changed;
	TX tx = { 0 };
	str typed, key;

	TRY(session_act(c, who, &tx, &user));
	TRY(grant_give_back(c, user.id));
	TRY(q_user_delete(c->db, user.id, &changed)); /* the rest of it goes by ON DELETE CASCADE */
	if (!user.is_guest) {
		TRY(email_canonical(c->mem, user.email, &typed, &key));
		TRY(attempt_clear_account(c, key));
	}
	farewell.to = user.email;
	farewell.lang = user.lang;
	TRY(message_mail(c, &farewell));
	TRY(audit_add(c, AUDIT_USER_DELETED, user.uid, STR_NONE, STR("by its owner")));
	return tx_commit(&tx);
}

err_t account_export(struct ctx *c, const struct caller *who, struct account_export *ret)
{
	bool found;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(audit_add(c, AUDIT_EXPORTED, who->row.uid, str_of_bytes(who->token.sid, UID_BYTES), STR_NONE));
	TRY(tx_commit(&tx));
	TRY(q_user_by_id(c->db, c->mem, who->row.id, &ret->user, &found));
	REQUIRE(found, ERR_USER_NOT_FOUND);
	TRY(session_list_own(c, who->row.id, &ret->sessions, &ret->n_sessions));
	TRY(linked_list(c, who->row.id, &ret->linked, &ret->n_linked));
	TRY(q_onetime_of_user(c->db, c->mem, who->row.id, &ret->pending, &ret->n_pending));
	return q_audit_of_user(c->db, c->mem, who->row.uid, ACCOUNT_EVENTS_MAX, &ret->events, &ret->n_events);
}
