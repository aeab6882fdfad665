/* passwordless.h — signing in with what was mailed to the account's address or texted to its number, and the
 * same as second factor.
 *
 * A link holds a one-time token; a code is six digits, good for five tries. Those of a first factor are unknown
 * where a second is asked for, and the other way round: the latter are bound to the handle between the factors
 * (MF14). The address a message goes to is the stored one, never the one that was typed (EL13). */
#ifndef DOMAIN_PASSWORDLESS_H
#define DOMAIN_PASSWORDLESS_H

#include "domain/asked.h"
#include "domain/gate.h"

/* ---- by mail ---- */

enum mailed {
	MAILED_LINK, /* 15 minutes */
	MAILED_CODE, /* 10 minutes */
	MAILED_BOTH,
};

/* Mail to the account of that address, if there is one. Says nothing about accounts, like password_forgot, and
 * makes none. Refusals: ERR_EMAIL_NOT_CONFIGURED, ERR_EMAIL_REQUIRED. Cost: 1 transaction. */
MUST_USE err_t passwordless_mail(struct ctx *c, str email, str lang, enum mailed what, const struct asker *by);

/* Mail to the account whose handle that is. Over the budgets of mails it is OK and sends nothing. Refusals:
 * ERR_EMAIL_NOT_CONFIGURED, ERR_TEMP_TOKEN_REQUIRED, ERR_TEMP_TOKEN (not a live handle, or mail is no second
 * factor for it), ERR_LIMITED. Cost: 1 transaction. */
MUST_USE err_t passwordless_mail_factor(struct ctx *c, str temp_token, str lang, enum mailed what);

/* What a client sends back: a link's token, or a code with who it is for. */
struct mail_proof {
	str token;             /* n == 0: the code counts */
	str email, code;
	str temp_token;        /* second factors */
	bool remember;         /* second factors: a trust token is asked for */
	str device, trust;     /* struct first: tokens from earlier sign-ins; STR_NONE */
	int64_t caller_id;     /* first factors: whose live session comes along; 0 */
};

/* First factor. The address is proven by it; see takeover.h for accounts where it never was before. Refusals:
 * ERR_MAGIC_LINK (unknown, used, of another purpose, no such account; a wrong code), ERR_MAGIC_EXPIRED,
 * ERR_LIMITED. Cost: 1 transaction, with a code 2; a wrong one 2 whether there is such an account or not. */
MUST_USE err_t passwordless_mail_sign_in(struct ctx *c, const struct mail_proof *p, struct signed_in *ret);

/* Second factor. Refusals: the same, ERR_TEMP_TOKEN_REQUIRED, ERR_TEMP_TOKEN, and ERR_TOKEN_MISMATCH for a token
 * of another handle, which lives on. Cost: 1 transaction, with a code 3. */
MUST_USE err_t passwordless_mail_finish(struct ctx *c, const struct mail_proof *p, struct signed_in *ret);

/* ---- by SMS ---- */

/* Text a code to the proven number of an account, if there is such an account and it has one. One answer for
 * all. Refusals: ERR_SMS_NOT_CONFIGURED, ERR_SMS_TARGET (neither member). Cost: 1 transaction. */
MUST_USE err_t passwordless_sms(struct ctx *c, str email, str user_id, const struct asker *by);

/* Refusals: as passwordless_mail_factor, with ERR_SMS_NOT_CONFIGURED, and ERR_PHONE_NOT_SET. */
MUST_USE err_t passwordless_sms_factor(struct ctx *c, str temp_token);

struct sms_proof {
	str email, user_id;    /* user_id: or an address: who asked by address knows no id */
	str code;
	str temp_token;        /* second factors */
	bool remember;         /* second factors: a trust token is asked for */
	str device, trust;
};

/* Refusals: ERR_SMS_USER (neither member), ERR_SMS_CODE, ERR_LIMITED, and with the right code
 * ERR_EMAIL_NOT_VERIFIED or ERR_EMAIL_VERIFICATION_REQUIRED (verification.mode). Cost: 2 transactions. */
MUST_USE err_t passwordless_sms_sign_in(struct ctx *c, const struct sms_proof *p, struct signed_in *ret);

/* Refusals: ERR_TEMP_TOKEN_REQUIRED, ERR_TEMP_TOKEN, ERR_SMS_CODE, ERR_LIMITED. Cost: 3 transactions. */
MUST_USE err_t passwordless_sms_finish(struct ctx *c, const struct sms_proof *p, struct signed_in *ret);

#endif
