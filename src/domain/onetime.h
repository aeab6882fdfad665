/* onetime.h — tokens and codes that prove an address and work once.
 *
 * A token is 256 random bits as 64 hex digits (contract §3.3); a code is six digits. Stored is an HMAC of
 * purpose and secret (for codes also of owner and address: a million guesses are few), so a copy of the
 * store yields none. Purposes are namespaces: a token of one is unknown to every other. A new token of a
 * purpose ends the older ones of that user. The deletion of the row decides who of several uses it. */
#ifndef DOMAIN_ONETIME_H
#define DOMAIN_ONETIME_H

#include "domain/ctx.h"
#include "store/rows.h"

/* Stored: do not renumber. */
enum onetime_purpose {
	ONETIME_UNSET = 0,
	ONETIME_RESET = 1,        /* new password */
	ONETIME_VERIFY = 2,       /* the account's address */
	ONETIME_EMAIL_CHANGE = 3, /* another address; address = the new one */
	ONETIME_EMAIL_REVERT = 4, /* undo of a change; address = the old one. Several may live: a second
				   * change must not end the way back from the first */
	ONETIME_PHONE = 5,        /* code; address = the number */
	ONETIME_HANDLE = 6,       /* tempToken: between two factors. address = the first proof; several may live */
	ONETIME_SETUP = 7,        /* the same, good for setting up a factor only */
	ONETIME_MAGIC = 8,        /* mailed link that signs in */
	ONETIME_MAIL_CODE = 9,    /* mailed code that signs in */
	ONETIME_MAGIC_2FA = 10,   /* the same as second factors, of the handle in sid */
	ONETIME_MAIL_CODE_2FA = 11,
	ONETIME_SMS = 12,         /* texted code that signs in */
	ONETIME_SMS_2FA = 13,
	ONETIME_LINK = 14,        /* mailed link that links an account */
	ONETIME_FACTOR_RESET = 15, /* mailed link that calls an operator's reset of the second factor off */
	ONETIME_OAUTH_LINK = 16,  /* ticket of a session, with which a browser begins to link; address = provider */
	ONETIME_FORWARD = 20,     /* ticket that takes a session to an application's host (forward.h); several may live */
};

#define ONETIME_TOKEN_TEXT 64
#define ONETIME_TRIES_MAX  5

struct onetime_new {
	enum onetime_purpose purpose;
	int64_t user_id;
	str address;
	str sid;             /* what it is bound to: the session that asks, the handle it finishes; STR_NONE */
	str reserves;        /* key of an address nobody else may take while this lives; STR_NONE */
};

/* How long a secret of this purpose lives. */
int64_t onetime_ttl_ms(const struct config *cfg, enum onetime_purpose purpose);

/* Both inside the open transaction. Fault: ERR_CLOCK. fixed: a code to use instead of a random one, or
 * STR_NONE. */
MUST_USE err_t onetime_make(struct ctx *c, const struct onetime_new *n, str *ret_token);
MUST_USE err_t onetime_make_code(struct ctx *c, const struct onetime_new *n, str fixed, str *ret_code);

/* A code as a number below a million, each as likely as any other (MF13). Fault: ERR_CRYPTO. */
MUST_USE err_t onetime_draw_code(struct rng rng, uint32_t *ret);

/* Is it a live token? Consumes nothing. Refusals: ERR_LIMITED (too many wrong ones from this network), the
 * purpose's "unknown" and "expired" codes. Cost: 2 reads; a wrong token 1 transaction more. */
MUST_USE err_t onetime_find(struct ctx *c, enum onetime_purpose purpose, str token,
			    struct onetime_row *ret);
/* The same for who looks inside the open transaction, in three parts: attempt_token_door before it begins; the look;
 * and, if there is no such token (*ret_known false), onetime_unknown after it was rolled back, which counts that. */
MUST_USE err_t onetime_look(struct ctx *c, enum onetime_purpose purpose, str token, struct onetime_row *ret,
			    bool *ret_known);
MUST_USE err_t onetime_unknown(struct ctx *c, enum onetime_purpose purpose);
/* Consume it inside the open transaction. Refusal: the purpose's "unknown" code: somebody was faster. */
MUST_USE err_t onetime_take(struct ctx *c, enum onetime_purpose purpose, str token,
			    struct onetime_row *ret);

/* Counts a try at the user's live code, on disk before anybody compares. Refusal: the purpose's "unknown" code:
 * none there, expired, or five tries used. The identical repeat of a wrong try within 5 s, which clients send by
 * themselves after a 401, is not counted. *ret says whose address it proves. Cost: 1 transaction. */
MUST_USE err_t onetime_try_code(struct ctx *c, enum onetime_purpose purpose, int64_t user_id, str code,
				struct onetime_row *ret);
/* The same inside an open transaction, which must be committed before anybody is told. */
MUST_USE err_t onetime_count_code(struct ctx *c, enum onetime_purpose purpose, int64_t user_id, str code,
				  struct onetime_row *ret);
/* Then: consume it inside the open transaction. `row`: from one of these. Refusal: the same code: the code
 * is wrong, or somebody was faster. */
MUST_USE err_t onetime_take_code(struct ctx *c, const struct onetime_row *row, str code);

/* Counts a try at what a live token stands for (a handle between two factors), inside the open transaction.
 * id: of the token, from onetime_id. guess: what is compared. Refusals as onetime_find, but that nothing counts the
 * wrong token. */
MUST_USE err_t onetime_try_token(struct ctx *c, enum onetime_purpose purpose, str id, str guess,
				 struct onetime_row *ret);
/* onetime_take by the id, for who knows the row. */
MUST_USE err_t onetime_end(struct ctx *c, enum onetime_purpose purpose, str id);

/* Of a row that a try was counted at: it was the identical repeat, and was not counted. */
bool onetime_is_repeat(const struct onetime_row *row);

/* The 32 bytes that name a token in the store: what codes are bound to through onetime_new.sid. */
MUST_USE err_t onetime_id(struct ctx *c, enum onetime_purpose purpose, str token, str *ret);
/* Ends everything bound to such an id. Inside the open transaction. */
MUST_USE err_t onetime_void_bound(struct ctx *c, int64_t user_id, str id);

/* Inside the open transaction. The second leaves ways back from a change of address, and from a reset of the
 * second factor: whoever changed the password may be the one they are for. */
MUST_USE err_t onetime_void(struct ctx *c, int64_t user_id, enum onetime_purpose purpose);
MUST_USE err_t onetime_void_all(struct ctx *c, int64_t user_id);

/* Ends all of that purpose but the newest. Inside the open transaction. */
MUST_USE err_t onetime_keep_newest(struct ctx *c, int64_t user_id, enum onetime_purpose purpose, int64_t keep_n);

/* Is the address (key) kept for somebody other than `user_id` (0: anybody)? */
MUST_USE err_t onetime_is_reserved(struct ctx *c, str key, int64_t user_id, bool *ret);

/* Delete what expired more than a day ago (until then it is told as expired), at most limit_n. */
MUST_USE err_t onetime_sweep(struct ctx *c, int64_t limit_n, int64_t *ret_n);

#endif
