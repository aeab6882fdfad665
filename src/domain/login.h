/* login.h — signing in with a password. */
#ifndef DOMAIN_LOGIN_H
#define DOMAIN_LOGIN_H

#include "domain/ctx.h"
#include "domain/gate.h"

/* Refusals: ERR_CREDENTIALS (unknown address, wrong password, no password, disabled: the same answer
 * after the same work), ERR_LIMITED, ERR_CHALLENGE (brake.h), and with the right password ERR_EMAIL_NOT_VERIFIED or
 * ERR_EMAIL_VERIFICATION_REQUIRED (verification.mode). device_token: from an earlier sign-in, or STR_NONE;
 * challenge_answer: to the challenge of an earlier refusal, or STR_NONE.
 * Cost: one password hash always; 2 transactions. Source: ASVS 5.0 6.3; NIST SP 800-63B-4 §3.2.2. */
struct login {
	str email;
	struct secret password;
	str device_token;     /* from an earlier sign-in; STR_NONE */
	str trust_token;      /* from an earlier second factor; STR_NONE */
	str challenge_answer; /* domain/brake.h; STR_NONE */
};
MUST_USE err_t login_password(struct ctx *c, const struct login *l, struct signed_in *ret);

#endif
