/* credential.h — an account's password: the rule for new ones, hashing and checking them through the
 * process's gate. Who may try, and how often, is login.c's and attempt.c's business. */
#ifndef DOMAIN_CREDENTIAL_H
#define DOMAIN_CREDENTIAL_H

#include "domain/ctx.h"

/* Hash a new password after checking it against the rule (length, strength with the address and the
 * site's name as context words). field: how the body calls it.
 * Refusal: ERR_INPUT with c->fields set. Cost: one hash. Fault: ERR_OVERLOAD when the gate is full. */
MUST_USE err_t credential_make(struct ctx *c, const char *field, struct secret password,
			       str email_typed, str *ret_hash);

/* Hash a secret that the server made itself: no rule to check. Cost and faults as above. */
MUST_USE err_t credential_make_own(struct ctx *c, struct secret own, str *ret_hash);

/* Does the password match? `stored` absent costs the same and never matches.
 * ret_new_hash: a hash under the current parameters if the stored one is older, else STR_NONE. */
MUST_USE err_t credential_check(struct ctx *c, str stored, struct secret password, bool *ret_match,
				str *ret_new_hash);

#endif
