/* gate.h — the one way to tokens: after any first proof it decides between tokens, the second factor, and
 * setting one up. Every way in goes through gate_pass; nothing else but gate_finish makes a session.
 *
 * Between the two factors stands a handle (`tempToken`): opaque, five minutes, five tries, good at the
 * endpoints of second factors only, used up by success. Source: ASVS 5.0 6.3.4, 6.6; contract §10. */
#ifndef DOMAIN_GATE_H
#define DOMAIN_GATE_H

#include "domain/attempt.h"
#include "domain/onetime.h"
#include "domain/session.h"

/* What was proven first. Stored in handles by name. */
enum first_proof {
	PROOF_UNSET = 0,
	PROOF_PASSWORD,
	PROOF_MAIL,     /* a link or code mailed to the account's address */
	PROOF_SMS,      /* a code texted to the account's number */
	PROOF_PROVIDER, /* another provider's word (linked accounts) */
	PROOF_GUEST,    /* nothing: a new guest */
};

/* Second factors, as bits; on the wire in this order. */
enum factor {
	FACTOR_TOTP = 1,
	FACTOR_SMS = 2,
	FACTOR_MAIL = 4,     /* "magic-link" */
	FACTOR_RECOVERY = 8, /* never listed: in place of any other */
};

enum gate_kind {
	GATE_UNSET = 0,
	GATE_TOKENS,
	GATE_SECOND_FACTOR, /* temp_token, factors */
	GATE_SETUP,         /* temp_token: a factor must be set up first */
};

struct signed_in {
	enum gate_kind kind;
	struct tokens tokens;
	str temp_token;
	unsigned factors;
	unsigned lost; /* takeover.h: what a mailed first proof removed; the gate itself removes nothing */
};

struct first {
	enum first_proof proof;
	int64_t failures;     /* wrong secrets for this account before the right one */
	str device_id;        /* of a proven known device; STR_NONE */
	str trust;            /* "trustToken": a device spared the second factor; STR_NONE */
};

/* When the transaction is on disk: signs the token of a session that gate_pass, gate_finish or gate_finish_setup made. */
MUST_USE err_t gate_sign(struct signed_in *s);

/* Inside the open transaction that consumes the first proof. gate_sign after it. user: as in the store now, not disabled.
 * Fault: ERR_CLOCK. */
MUST_USE err_t gate_pass(struct ctx *c, const struct user_row *user, const struct first *f,
			 struct signed_in *ret);

/* Will a second factor be asked for, or to be set up, after a first proof that is none itself? For who has to know
 * before the first proof is used up. */
bool gate_asks(const struct config *cfg, const struct user_row *user);

/* Which second factors the account has after that first proof: mail counts once (MF04, MF05). */
unsigned gate_factors(const struct config *cfg, const struct user_row *user, enum first_proof first);

/* Is a second factor asked for that mail is not: one that must not fall to mail? */
bool gate_has_factor(const struct config *cfg, const struct user_row *user);

/* ---- between the factors ---- */

struct handle {
	str token;        /* as presented */
	int64_t user_id;
	enum first_proof first;
	str device_id;    /* STR_NONE */
	str id;           /* 32 bytes that name it: what codes of second factors are bound to */
};

/* A live handle; counts nothing (for sending codes). Refusals: ERR_TEMP_TOKEN_REQUIRED, ERR_TEMP_TOKEN,
 * ERR_LIMITED (too many wrong ones from this network). purpose: ONETIME_HANDLE or ONETIME_SETUP. */
MUST_USE err_t gate_find(struct ctx *c, enum onetime_purpose purpose, str temp_token, struct handle *ret);

/* The same for a sign-in, inside the open transaction: in parts, as onetime_look. */
MUST_USE err_t gate_look(struct ctx *c, str temp_token, struct handle *ret, bool *ret_known);

/* A try of a handle: what it takes of the account's. */
struct gate_try {
	struct factor_attempt attempt;
	bool repeat; /* the identical one that clients send by themselves: counts neither here nor there */
};

/* Before a factor is looked at: may the account be tried now? Writes nothing. Refusal: ERR_LIMITED (wrong codes of the
 * account: a wait, or the end of its day). Who looks in the same transaction counts, with gate_count, only what
 * was wrong: nobody else can look between. */
MUST_USE err_t gate_wait(struct ctx *c, const struct handle *h, struct gate_try *ret);
/* The same for a look after it, inside an open transaction: counts a try of the handle, which must be committed
 * whatever the look says, and before anybody is told. guess: what is about to be checked. Refusals: ERR_TEMP_TOKEN,
 * ERR_LIMITED, with nothing written. */
MUST_USE err_t gate_count(struct ctx *c, const struct handle *h, str guess, struct gate_try *ret);
/* It was wrong: counts for the account too. In the same transaction; or, before the look, in the one of a look that
 * takes long. */
MUST_USE err_t gate_wrong(struct ctx *c, struct gate_try *t);

/* The second factor is right: inside the open transaction that consumed it. Uses up the handle and every code
 * of it. user: the handle's, as read in this transaction. t: the try; NULL for what nobody guesses at (links). Refusal: ERR_TEMP_TOKEN: somebody was faster.
 * remember: a trust token is asked for. gate_sign after it. */
MUST_USE err_t gate_finish(struct ctx *c, const struct handle *h, const struct user_row *user,
			   const struct gate_try *t, enum factor factor, bool remember, struct signed_in *ret);

/* A factor was set up under a setup handle: tokens, as gate_finish. */
MUST_USE err_t gate_finish_setup(struct ctx *c, const struct handle *setup, struct signed_in *ret);

#endif
