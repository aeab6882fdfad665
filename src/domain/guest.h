/* guest.h — accounts without address and password: made in one call, used like any other, later given an address in
 * place, so that the public id (`sub`) and all that an app keeps under it stay. A guest's session is all there is
 * to prove that it is him. No look-up by address finds one; no mail goes to one. */
#ifndef DOMAIN_GUEST_H
#define DOMAIN_GUEST_H

#include "domain/gate.h"
#include "domain/user.h"

#define MERGE_TTL_MS (10 * MS_PER_MIN)

/* Refusals: ERR_GUESTS_OFF, ERR_LIMITED, ERR_CLOCK. Cost: 1 transaction, 1 signature. */
MUST_USE err_t guest_create(struct ctx *c, struct signed_in *ret, str *ret_uid);

/* A guest registers. With verification.mode = strict the address waits to be proven (email_change_confirm), whether
 * it is taken or not; else it is the account's at once. Where accounts must show a second factor the guest's session ends, and
 * *ret leads on as after a password (gate.h); else ret->kind is GATE_UNSET, and the session goes on. Refusals: those of user_register. With ERR_EMAIL_EXISTS
 * comes c->merge_token: a JWT (typ "merge+jwt", 10 minutes) that names the guest, for the app's backend to move
 * what is the guest's once its owner has signed in to the account that has the address. Cost: one hash,
 * 2 transactions. */
MUST_USE err_t guest_upgrade(struct ctx *c, const struct caller *who, const struct user_new *n, struct signed_in *ret);

/* Delete guests not seen for guest.unused_ttl; looks at no more than limit_n. */
MUST_USE err_t guest_sweep(struct ctx *c, int64_t limit_n, int64_t *ret_n);

#endif
