/* linked.h — accounts elsewhere that are linked to one here: listed, asked for, proven, unlinked.
 *
 * What can be linked today is an e-mail address: provider "email", proven by a mailed link. Sign-in through other
 * providers adds its own; an address is never taken for an account at one of them. A guest stays a guest: a
 * link gives no address of his own. Source: contract §11.18; ASVS 5.0 8.2.2, 10.1.2. */
#ifndef DOMAIN_LINKED_H
#define DOMAIN_LINKED_H

#include "domain/gate.h"
#include "domain/takeover.h"

#define PROVIDER_MAX 32 /* [a-z0-9_-] */

bool provider_name_ok(str name);

/* The user's own, first linked first, at most 100. */
MUST_USE err_t linked_list(struct ctx *c, int64_t user_id, struct linked_row **ret, size_t *ret_n);

/* Mail a link to `email` that links it to the caller. provider: STR_NONE or "email", or the name of another that
 * a client shows beside the button; it names nothing more than that. Refusals: ERR_INPUT, ERR_EMAIL_NOT_CONFIGURED.
 * Over the budgets of mails nothing is sent, and that is OK too. Cost: 1 transaction. */
MUST_USE err_t linked_request(struct ctx *c, const struct caller *who, str email, str provider, str lang);

/* Without a sign-in: mail a link to the account that has the address, which links what waits in this browser
 * (pending_id). The mail names provider and account. Whether anything waits, and for which address, is not told
 * apart. Refusals: ERR_INPUT, ERR_EMAIL_NOT_CONFIGURED, ERR_UNAUTHORIZED. Cost: 1 transaction. */
MUST_USE err_t linked_request_pending(struct ctx *c, str pending_id, str email, str lang);

/* The mailed link: the address is linked to whoever asked, or what waited in a browser, which must be this one: of
 * pending_id (STR_NONE: nothing waits here; then ERR_UNAUTHORIZED, and the link stays good). sign_in: and signs in, past the gate like any other
 * way (else ret->kind is GATE_UNSET). Whom the mail of an account of the same address reaches proves it
 * (takeover.h); while a second factor stands there nothing is linked, and without sign_in it is ERR_REAUTH. Refusals: ERR_LINK_TOKEN_REQUIRED,
 * ERR_LINK_TOKEN, ERR_LINK_EXPIRED, ERR_LINK_STATE, ERR_ALREADY_LINKED (to somebody else, or somebody's own
 * address), ERR_LIMITED; signing in too ERR_EMAIL_NOT_VERIFIED, ERR_EMAIL_VERIFICATION_REQUIRED. A refusal
 * changes nothing. */
struct link_proof {
	str token;
	str pending_id;     /* STR_NONE */
	bool sign_in;
	struct asker along;
};
MUST_USE err_t linked_verify(struct ctx *c, const struct link_proof *p, struct signed_in *ret);

/* Remove one of the caller's own. Another's, or one that is not there, is no error and no change: the answers are
 * alike. Refusal: ERR_LAST_LOGIN_METHOD. */
MUST_USE err_t linked_unlink(struct ctx *c, const struct caller *who, str provider, str account_id);

/* ---- waiting for their owner ---- */

struct pending_link {
	str provider, account_id;
	str email; /* that the provider has proven */
	str name;  /* STR_NONE: none */
};

/* Keep it for an hour, inside the open transaction. *ret_id: 64 hex digits that only the browser it came with may
 * hold; stored is a MAC of it, so nobody finds it by address and provider. Refusals: ERR_INPUT. */
MUST_USE err_t pending_link_keep(struct ctx *c, const struct pending_link *p, str *ret_id);
/* Refusal of both: ERR_UNAUTHORIZED: unknown, used or expired. The second consumes it, inside the open
 * transaction. */
MUST_USE err_t pending_link_find(struct ctx *c, str id, struct pending_link_row *ret);
MUST_USE err_t pending_link_take(struct ctx *c, str id, struct pending_link_row *ret);

/* Delete expired ones, at most limit_n. */
MUST_USE err_t pending_link_sweep(struct ctx *c, int64_t limit_n, int64_t *ret_n);

#endif
