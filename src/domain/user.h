/* user.h — accounts: made, shown, changed, disabled, deleted. */
#ifndef DOMAIN_USER_H
#define DOMAIN_USER_H

#include "domain/ctx.h"
#include "store/rows.h"

#define NAME_MAX_POINTS 100

struct user_new {
	str email; /* as typed */
	struct secret password;
	str first_name, last_name; /* STR_NONE: none */
	str lang; /* of mails to the user; STR_NONE: the default */
	bool is_admin, email_verified;
	bool self; /* set by user_register */
};

/* Fields checked, the password hashed. */
struct user_ready {
	str typed, key, hash;
	bool taken;       /* as far as can be seen now; the unique index decides */
	int64_t owner_id; /* of the address; 0: nobody's, or kept for somebody */
};
/* What every registration does before it writes. Refusals: ERR_INPUT (c->fields), ERR_EMAIL_EXISTS unless that
 * may not be told (n->self and verification.mode = strict); ret->owner_id is set then too. Cost: one hash. */
MUST_USE err_t user_prepare(struct ctx *c, const struct user_new *n, struct user_ready *ret);

/* May anybody register, now and from here? Refusals: ERR_REGISTRATION_OFF, ERR_EMAIL_PASSWORD_REQUIRED,
 * ERR_LIMITED, ERR_CLOCK. Cost: 1 transaction. */
MUST_USE err_t user_may_register(struct ctx *c, const struct user_new *n);

/* What a new account of somebody's own hears: prove the address, or with no proof asked, welcome. Inside the open
 * transaction. */
MUST_USE err_t user_greet(struct ctx *c, int64_t id, str lang);
/* When its address must be proven: 0 = no date. */
int64_t user_verify_by_ms(const struct ctx *c);

/* ret_device: the token of a known device (device.h) for where it was made; NULL: nobody's. Refusals: ERR_INPUT
 * (c->fields), ERR_EMAIL_EXISTS. Cost: one hash, 1 transaction. */
MUST_USE err_t user_create(struct ctx *c, const struct user_new *n, str *ret_uid, str *ret_device);

/* With verification.mode = strict a taken address is OK too, with an id and a device that are nobody's: its owner is told by
 * mail. Else ERR_EMAIL_EXISTS. A new account is mailed its verification link, or a welcome.
 * Self-registration: user_create behind registration.enabled (ERR_REGISTRATION_OFF), presence of both
 * fields (ERR_EMAIL_PASSWORD_REQUIRED) and the network's budget (ERR_LIMITED). */
MUST_USE err_t user_register(struct ctx *c, const struct user_new *n, str *ret_uid, str *ret_device);

struct profile_change {
	bool set_first, set_last;  /* absent members stay as they are */
	str first_name, last_name; /* STR_NONE clears */
};
/* Refusal: ERR_INPUT. */
MUST_USE err_t user_change_profile(struct ctx *c, int64_t user_id, str uid,
				   const struct profile_change *p);

/* The account as it is now, if it is there and not disabled; it is then whom the request is about. Refusal: `gone`. */
MUST_USE err_t user_load(struct ctx *c, int64_t id, enum err_code gone, struct user_row *ret);

/* By address or by id text. Refusal: ERR_USER_NOT_FOUND. */
MUST_USE err_t user_get(struct ctx *c, str email_or_id, struct user_row *ret);

/* Operator's actions (command line, later the admin API). Disabling and setting a password end all
 * sessions of the account at once; setting one also forgets known devices and opens a closed account. */
MUST_USE err_t user_disable(struct ctx *c, const struct user_row *u);
MUST_USE err_t user_enable(struct ctx *c, const struct user_row *u);
/* Make it an administrator's, or no more. Its sessions end either way: none goes on with powers that its sign-in did
 * not ask for, or that are gone. Links and half-done sign-ins of somebody who becomes an administrator are void: they
 * were handed out under weaker rules. As it is already: OK, and nothing is done. Refusal: ERR_USER_NOT_FOUND of a
 * guest, who has no address to sign in with. Source: ASVS 5.0 7.2.4. */
MUST_USE err_t user_set_admin(struct ctx *c, const struct user_row *u, bool on);
MUST_USE err_t user_remove(struct ctx *c, const struct user_row *u);
MUST_USE err_t user_set_password(struct ctx *c, const struct user_row *u, struct secret password);

/* The role that clients and applications are told: the account's own, else "admin" of administrators; empty when there
 * is none, and never STR_NONE. Source: contract §3.1, §11.5. */
static inline str user_role(str role, bool is_admin)
{
	if (role.n > 0)
		return role;
	return is_admin ? STR("admin") : STR("");
}

#endif
