/* attempt.h — how often a password may be guessed, over all doors together.
 *
 * An attempt is reserved (counted and committed) before the secret is looked at and released only by
 * success, so parallel guesses cannot slip through. Budgets, all durable:
 *  - account: `limits.account_free` failures, then waits of 1, 2, 4 … 900 s; closed for unknown
 *    devices at `limits.account_max` consecutive failures until the owner proves the account;
 *  - network (IPv4 /32, IPv6 /64): `limits.network_free` failures in `limits.network_window`, then
 *    penalties of 15, 30 … 600 s;
 *  - known device (device.h): `limits.device_free` failures of its own, then it counts as unknown.
 * Keys are HMACs of canonical subjects: an unknown address is counted exactly like a known one. */
#ifndef DOMAIN_ATTEMPT_H
#define DOMAIN_ATTEMPT_H

#include "domain/ctx.h"

enum attempt_scope {
	ATTEMPT_UNSET = 0,
	ATTEMPT_ACCOUNT,
	ATTEMPT_NETWORK,
	ATTEMPT_DEVICE,
	ATTEMPT_REGISTER,
};

#define ATTEMPT_KEY_BYTES 16

/* Who is trying: what a later release needs. */
struct attempt {
	uint8_t account[ATTEMPT_KEY_BYTES];
	uint8_t network[ATTEMPT_KEY_BYTES];
	uint8_t device[ATTEMPT_KEY_BYTES];
	bool by_device; /* reserved on the device's budget alone */
	bool off;       /* limits.enabled = false, or the command line */
};

/* Count one attempt at `account` (canonical address, or what was typed). device_id: of a proven known
 * device of that account, or STR_NONE. A blocked attempt costs one or two reads and no write.
 * Refusal: ERR_LIMITED with c->retry_after_s. Cost: 1–2 reads, 1 transaction. */
MUST_USE err_t attempt_reserve(struct ctx *c, str account, str device_id, struct attempt *ret);

/* The secret was right: inside the open transaction of what follows. */
MUST_USE err_t attempt_release(struct ctx *c, const struct attempt *a);

/* The owner proved the account by other means: opens a closed account. Inside a transaction. */
MUST_USE err_t attempt_clear_account(struct ctx *c, str account);

/* One registration from this network. Refusal: ERR_LIMITED. Cost: 1 transaction. */
MUST_USE err_t attempt_register(struct ctx *c);

/* Forget idle counters, at most limit_n of each scope. */
MUST_USE err_t attempt_sweep(struct ctx *c, int64_t limit_n, int64_t *ret_n);

#endif
