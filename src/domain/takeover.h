/* takeover.h — what a mailed secret does to an account that may have been made by somebody else than who reads its
 * mail. Source: ASVS 5.0 6.3; pre-hijacking (EL15, ID12); docs/decisions/0020-mail-is-one-factor.md.
 *
 * An address is proven in full when whoever holds the account and whoever reads its mail have shown to be the same:
 * both at once, on one device. Until then a stranger with a mailed secret gets the account without what an earlier
 * holder left in it; but no second factor falls to mail, which then is the first factor only. */
#ifndef DOMAIN_TAKEOVER_H
#define DOMAIN_TAKEOVER_H

#include "domain/asked.h"
#include "store/rows.h"

enum takeover_verdict {
	TAKEOVER_UNSET = 0,
	TAKEOVER_PROVEN, /* was proven in full before: nothing to decide */
	TAKEOVER_KEEP,   /* from a known device: proven in full now, and everything stays */
	TAKEOVER_WIPE,   /* from a stranger: proven in full now, and what an earlier holder left goes */
	TAKEOVER_ASK,    /* the same, but a second factor stands there: nothing changes before it is passed */
	TAKEOVER_OPEN,   /* the same, claimed long enough ago (claim.h): as WIPE, second factors too */
};

/* What somebody may lose, as bits; on the wire in this order. */
enum takeover_loss {
	LOSS_PASSWORD = 1,
	LOSS_PHONE = 2,
	LOSS_FACTOR = 4,
	LOSS_LINKED = 8,
	LOSS_SESSIONS = 16,
};
#define N_TAKEOVER_LOSSES 5
extern const struct takeover_loss_name {
	unsigned bit;
	str name;
} takeover_losses[N_TAKEOVER_LOSSES];

bool takeover_is_proven(const struct user_row *user);
/* Pure: the table above. known: asker_is_known's word. */
enum takeover_verdict takeover_decide(const struct config *cfg, const struct user_row *user, bool known, int64_t now_ms);

/* Inside the open transaction in which a mailed secret proved who reads the account's mail, before anything else is
 * done with it. user: as in the store; read again when something changed. *ret_lost: what went, of which the address
 * is told. Cost: of an account proven before, nothing. */
MUST_USE err_t takeover_prove(struct ctx *c, struct user_row *user, const struct asker *a, enum takeover_verdict *ret,
			      unsigned *ret_lost);

/* Inside the open transaction: who brought a mailed secret has passed the second factor too. Proven in full. */
MUST_USE err_t takeover_passed(struct ctx *c, struct user_row *user);

#endif
