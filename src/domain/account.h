/* account.h — the whole of an account in its owner's hands: deleted, exported. */
#ifndef DOMAIN_ACCOUNT_H
#define DOMAIN_ACCOUNT_H

#include "domain/session.h"

/* Delete the caller's account and everything of it in one transaction: sessions, tokens, numbers, links,
 * queued messages, counters. Its tokens are refused from then on; the address is free again, the id is not used
 * again. Audit events stay until their retention ends. */
MUST_USE err_t account_delete(struct ctx *c, const struct caller *who);

/* What is stored about the caller. In the arena. Cost: 1 transaction for the record of it, 5 reads. */
struct account_export {
	struct user_row user;
	struct session_row *sessions;
	size_t n_sessions;
	struct linked_row *linked;
	size_t n_linked;
	struct onetime_row *pending; /* addresses and numbers not proven yet, links not used yet */
	size_t n_pending;
	struct audit_row *events;    /* the newest, at most ACCOUNT_EVENTS_MAX */
	size_t n_events;
};
#define ACCOUNT_EVENTS_MAX 100 /* with as many sessions this is what the memory of one request holds */
MUST_USE err_t account_export(struct ctx *c, const struct caller *who, struct account_export *ret);

#endif
