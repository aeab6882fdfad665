/* message.h — what accounts are told: puts messages to a user into the outbox, in the user's language, with
 * the variables every template may use. All inside the open transaction of the fact they tell of. */
#ifndef DOMAIN_MESSAGE_H
#define DOMAIN_MESSAGE_H

#include "domain/ctx.h"
#include "domain/outbox.h"
#include "store/rows.h"

#define MESSAGE_VARS_MAX 4 /* beside the common ones */

/* A notice to the account's address, if it has one: it goes when the account goes. Common variables:
 * siteName, email, when, device, place, loginUrl. */
MUST_USE err_t message_to_user(struct ctx *c, const struct user_row *user, str template,
			       const struct template_var *vars, size_t n);

struct message {
	str template;
	str to;             /* address as typed */
	str email;          /* the account's address, for the texts; STR_NONE: `to` */
	str lang;           /* STR_NONE: the default */
	int64_t user_id;    /* 0: it outlives the account */
	int64_t expires_ms; /* 0: when the outbox gives up */
	struct template_var vars[MESSAGE_VARS_MAX];
	size_t n_vars;
};
MUST_USE err_t message_mail(struct ctx *c, const struct message *m);

/* A mail with a one-time link: makes the token of `purpose` and sends it to `to`. path: of the link. */
struct message_link {
	str template, path;
	int64_t purpose;    /* enum onetime_purpose */
	str to;             /* where it goes, and what it proves */
	str restores;       /* what the token stands for when that is another address; STR_NONE: `to` */
	str sid;            /* of the session that asks; STR_NONE */
	str reserves;       /* onetime_new.reserves */
	str code;           /* that does the same, as variable `code`; STR_NONE */
	str lang;           /* as asked for; STR_NONE: the user's */
	str about;          /* variable `email` in place of an address; STR_NONE */
};
MUST_USE err_t message_link(struct ctx *c, const struct user_row *user, const struct message_link *m);

/* A code to a number; goes when the account goes. */
MUST_USE err_t message_code(struct ctx *c, const struct user_row *user, str number, str code,
			    int64_t expires_ms);

/* A notice to a number, with siteName and one variable; goes when the account goes. The budgets are the caller's. */
MUST_USE err_t message_text(struct ctx *c, const struct user_row *user, str number, str template,
			    const struct template_var *var);

/* A time as the texts have it: "2026-11-24 13:50 UTC". */
MUST_USE err_t message_time(struct ctx *c, int64_t ms, str *ret);

/* Is there a transport at all? */
static inline bool mail_is_on(const struct config *cfg)
{
	return cfg->mail.transport != MAIL_UNSET && cfg->mail.transport != MAIL_NONE;
}
static inline bool sms_is_on(const struct config *cfg)
{
	return cfg->sms.transport != SMS_UNSET && cfg->sms.transport != SMS_NONE;
}

#endif
