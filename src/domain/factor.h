/* factor.h — the second factor by authenticator app: set up, asked for, switched off.
 *
 * The server makes the seed and keeps it, sealed, as pending for ten minutes until a code proves that an app
 * has it; only then it takes the place of the one before. A code's step is used up by the statement that
 * stores it, so each works once, whoever comes at the same time and whatever the clock does. Every look at a
 * code counts against the account's budget of the day (ATTEMPT_FACTOR) until it turns out to be right.
 * Source: RFC 6238 §5.2, RFC 4226 §7.3; ASVS 5.0 6.5, 7.5.1. */
#ifndef DOMAIN_FACTOR_H
#define DOMAIN_FACTOR_H

#include "domain/gate.h"
#include "domain/recovery.h"

/* Who sets a factor up: somebody signed in, or (who NULL) whoever holds the handle of a sign-in that may do
 * nothing else. */
struct factor_owner {
	const struct caller *who;
	struct handle setup;
};

struct factor_new {
	str secret; /* base32, shown once */
	str url;    /* otpauth://… */
	str qr;     /* data URL of a PNG of it */
};

/* A new pending seed instead of an older one. Step-up is the caller's business.
 * Refusals: ERR_EMAIL_NOT_VERIFIED (the address was never proven where that is asked for, so the account may
 * be somebody's who waits for its owner: MF22), ERR_FORBIDDEN (guests), ERR_TEMP_TOKEN (the handle's account
 * has a factor by now). Cost: 1 transaction. */
MUST_USE err_t factor_set_up(struct ctx *c, const struct factor_owner *o, struct factor_new *ret);

/* The pending seed's first code. secret: as sent back, or STR_NONE. Ends the other sessions, gives new recovery
 * codes, tells the owner; under a handle it signs in (ret->kind GATE_TOKENS, else GATE_UNSET).
 * Refusals: as above, ERR_TOTP_SETUP_CODE (wrong, another secret, nothing pending), ERR_LIMITED.
 * Cost: ten hashes, 2 transactions. */
MUST_USE err_t factor_confirm(struct ctx *c, const struct factor_owner *o, str code, str secret,
			      struct recovery_set *ret_codes, struct signed_in *ret);

/* Finishes a sign-in with the app's code, or a recovery code. Refusals: ERR_TEMP_TOKEN_REQUIRED,
 * ERR_TEMP_TOKEN, ERR_NO_SECOND_FACTOR, ERR_TOTP_CODE, ERR_LIMITED, ERR_CLOCK. Cost: 1 transaction; with a
 * recovery code 2 and one hash. */
MUST_USE err_t factor_sign_in(struct ctx *c, str temp_token, str code, bool remember, struct signed_in *ret);

/* A code of either kind proves the caller, whose session counts as fresh from then on. Refusals:
 * ERR_TOTP_CODE, ERR_NO_SECOND_FACTOR, ERR_LIMITED. Cost as above. */
MUST_USE err_t factor_prove(struct ctx *c, const struct caller *who, str code);

/* No factor by app any more, and no recovery codes; none there is no error. Refusals: ERR_FACTOR_REQUIRED,
 * ERR_FACTOR_POLICY. Cost: 1 transaction. */
MUST_USE err_t factor_disable(struct ctx *c, const struct caller *who);

/* New recovery codes; the old ones are dead. Refusal: ERR_NO_SECOND_FACTOR. Cost: ten hashes, 1 transaction. */
MUST_USE err_t factor_new_codes(struct ctx *c, const struct caller *who, struct recovery_set *ret);

/* Seeds and recovery codes of an account go, inside the open transaction; nobody is told. */
MUST_USE err_t factor_wipe(struct ctx *c, int64_t user_id);

/* For operators: the owner lost the app and the codes. Ends all sessions, tells the owner (MF19). An administrator's
 * is only put down for later: he is told at once and can call it off, and the sweep carries it out. Asking again
 * changes nothing. */
MUST_USE err_t factor_reset(struct ctx *c, const struct user_row *user);
/* Called off: by an operator (none waiting is no error), or with the mailed token. Refusals of the second:
 * ERR_FACTOR_RESET_TOKEN, ERR_FACTOR_RESET_EXPIRED, ERR_LIMITED. Cost: 1 transaction. */
MUST_USE err_t factor_keep(struct ctx *c, const struct user_row *user);
MUST_USE err_t factor_keep_by_link(struct ctx *c, str token);
/* Carries out those whose time has come, at most limit_n. */
MUST_USE err_t factor_sweep(struct ctx *c, int64_t limit_n, int64_t *ret_n);
/* Must the account have a second factor? */
MUST_USE err_t factor_require(struct ctx *c, const struct user_row *user);
MUST_USE err_t factor_require_no_more(struct ctx *c, const struct user_row *user);

#endif
