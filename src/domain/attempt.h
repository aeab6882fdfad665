/* attempt.h — how often a password may be guessed, over all doors together, and how often messages may be
 * asked for.
 *
 * An attempt is reserved (counted and committed) before the secret is looked at and released only by
 * success, so parallel guesses cannot slip through. Budgets, all durable:
 *  - account: `limits.account_free` failures, then waits of 1, 2, 4 … 900 s; closed for unknown
 *    devices at `limits.account_max` consecutive failures until the owner proves the account;
 *  - network (IPv4 /32, IPv6 /64): `limits.network_free` failures in `limits.network_window`, then
 *    penalties of 15, 30 … 600 s;
 *  - known device (device.h): `limits.device_free` failures of its own, then it counts as unknown;
 *  - second factors: the same waits once more for codes, and 33 looks at codes of an account in a day.
 * Keys are HMACs of canonical subjects: an unknown address is counted exactly like a known one. */
#ifndef DOMAIN_ATTEMPT_H
#define DOMAIN_ATTEMPT_H

#include "domain/ctx.h"

enum attempt_scope {
	ATTEMPT_UNSET = 0,
	ATTEMPT_ACCOUNT,
	ATTEMPT_NETWORK,
	ATTEMPT_DEVICE,
	/* Budgets: so many in a window (attempt_budget). */
	ATTEMPT_REGISTER,     /* registrations of a network */
	ATTEMPT_BAD_TOKEN,    /* wrong link tokens of a network */
	ATTEMPT_RESEND,       /* one message to one address, within limits.resend */
	ATTEMPT_MAIL_NETWORK, /* mails asked for by a network */
	ATTEMPT_MAIL_10MIN,   /* mails of a kind to a recipient (asked.h) */
	ATTEMPT_MAIL_DAY,
	ATTEMPT_SMS_NETWORK,
	ATTEMPT_SMS_RANGE,    /* to numbers that differ in the last three digits only */
	ATTEMPT_SMS_HOUR,     /* of a kind to a number */
	ATTEMPT_SMS_DAY,
	ATTEMPT_SMS_TOTAL,    /* over all numbers */
	ATTEMPT_FACTOR,       /* codes of second factors looked at for an account in a day (RFC 4226 §7.3) */
	ATTEMPT_GUEST,        /* guests of a network */
	ATTEMPT_FACTOR_DEVICE, /* wrong codes from a known device, in a row */
	ATTEMPT_OAUTH,        /* sign-ins through providers begun by a network */
	ATTEMPT_SIGN_IN,      /* first proofs of a network that were right */
	ATTEMPT_SIGN_IN_KNOWN, /* the same, from known devices */
};

#define ATTEMPT_KEY_BYTES 16

/* Who is trying: what a later release needs. */
struct attempt {
	uint8_t account[ATTEMPT_KEY_BYTES];
	uint8_t network[ATTEMPT_KEY_BYTES];
	uint8_t device[ATTEMPT_KEY_BYTES];
	int64_t failures; /* of the account before this attempt */
	bool by_device; /* reserved on the device's budget alone */
	bool off;       /* limits.enabled = false, or the command line */
};

/* Count one attempt at `account` (canonical address, or what was typed). device_id: of a proven known
 * device of that account, or STR_NONE. A blocked attempt costs one or two reads and no write.
 * repeat: a signed-in caller's secret, or {0}. Clients send a request again after its 401, so one
 * identical repeat within 5 s of a wrong secret is not counted again.
 * Refusal: ERR_LIMITED with c->retry_after_s. Cost: 1–2 reads, 1 transaction. */
MUST_USE err_t attempt_reserve(struct ctx *c, str account, str device_id, struct secret repeat,
			       struct attempt *ret);

/* The secret was right: inside the open transaction of what follows. */
MUST_USE err_t attempt_release(struct ctx *c, const struct attempt *a);

/* The owner proved the account by other means: opens a closed account. Inside a transaction. */
MUST_USE err_t attempt_clear_account(struct ctx *c, str account);

/* One registration from this network. Refusal: ERR_LIMITED. Cost: 1 transaction. */
MUST_USE err_t attempt_register(struct ctx *c);

/* Take one from a budget of the caller's network, inside the open transaction. Refusal: ERR_LIMITED. */
MUST_USE err_t attempt_take(struct ctx *c, enum attempt_scope scope);

/* May it be done? tell: it is worth a row of the record, as is all that was given, and of what was not the first of each
 * window: else the record would grow as fast as anybody can ask. */
struct leave {
	bool given, tell;
};
/* Take one from a budget, inside the open transaction. subject: a canonical address, a number, …; STR_NONE:
 * the caller's network. Not given: used up, and nothing was counted. */
MUST_USE err_t attempt_budget(struct ctx *c, enum attempt_scope scope, str subject, struct leave *ret);
/* Outside a transaction: is the network's budget used up, and has that been told? Then nothing is left to be written, and
 * a flood costs reads only. */
MUST_USE err_t attempt_is_shut(struct ctx *c, enum attempt_scope scope, bool *ret);
/* Outside a transaction, before attempt_take of the same: refuses as that does. Refusal: ERR_LIMITED. */
MUST_USE err_t attempt_door(struct ctx *c, enum attempt_scope scope);

/* A first proof was right: from the network's budget, of which known devices have one of their own. Inside the open
 * transaction. device_id: as of attempt_reserve. Refusal: ERR_LIMITED. */
MUST_USE err_t attempt_sign_in(struct ctx *c, str device_id);

/* How an account stands, for an operator. */
struct attempt_look {
	int64_t failures; /* in a row */
	int64_t until_ms; /* an unknown device waits until then; 0: not */
	bool closed;      /* passwords: to unknown devices, until its owner proves it; codes: to all, until the day is over */
};
MUST_USE err_t attempt_look_passwords(struct ctx *c, str account, struct attempt_look *ret);
MUST_USE err_t attempt_look_codes(struct ctx *c, int64_t user_id, struct attempt_look *ret);

/* ---- codes of second factors ---- */

/* Who brings one. */
struct factor_attempt {
	int64_t user_id;
	str device_id;  /* of a proven known device; STR_NONE */
	bool by_device; /* it has tries of its own left */
	bool counted;
};

/* May a code be looked at now? Inside the open transaction; writes nothing. Wrong codes in a row make wait as
 * wrong passwords do, over all doors and handles; those of a known device count for itself first. All looks of a
 * day together are bounded. Refusal: ERR_LIMITED with c->retry_after_s. Cost: 1–2 reads. */
MUST_USE err_t attempt_factor(struct ctx *c, struct factor_attempt *a);
/* Counts the look. In the same transaction, which must be committed before anybody is told what came of it; or,
 * if the look takes long, in one that is committed before the look. */
MUST_USE err_t attempt_factor_count(struct ctx *c, struct factor_attempt *a);
/* The code was right: the waits end, and the look does not count. Inside the open transaction. */
MUST_USE err_t attempt_factor_right(struct ctx *c, const struct factor_attempt *a);
/* There is nothing left to guess. Inside the open transaction. */
MUST_USE err_t attempt_factor_clear(struct ctx *c, int64_t user_id);

/* Before a link token is looked up. Refusal: ERR_LIMITED when this network sent too many wrong ones. */
MUST_USE err_t attempt_token_door(struct ctx *c);
/* A token that never was one. Cost: 1 transaction. */
MUST_USE err_t attempt_bad_token(struct ctx *c);

/* Forget idle counters, at most limit_n of each scope. */
MUST_USE err_t attempt_sweep(struct ctx *c, int64_t limit_n, int64_t *ret_n);

#endif
