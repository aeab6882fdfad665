/* recovery.h — recovery codes: ten per account, each good once in place of the second factor.
 *
 * A code is a slot of two characters and ten more (50 random bits), base32: "K7-ABCDE-FGHIJ". The slot finds
 * the row, so that a look costs one hash; codes are stored hashed like passwords. Counting looks is
 * factor.c's business. Source: ASVS 5.0 6.5.1, 6.5.2. */
#ifndef DOMAIN_RECOVERY_H
#define DOMAIN_RECOVERY_H

#include "domain/ctx.h"
#include "store/rows.h"

#define RECOVERY_CODES 10
#define RECOVERY_SLOT  2
#define RECOVERY_LEN   12 /* without dashes */

struct recovery_set {
	str shown[RECOVERY_CODES]; /* for the owner, once */
	str hashes[RECOVERY_CODES];
};

/* New codes. Cost: ten hashes: before the transaction. Faults: ERR_OVERLOAD, ERR_CRYPTO. */
MUST_USE err_t recovery_make(struct ctx *c, struct recovery_set *ret);
/* Instead of those there were. Inside the open transaction. */
MUST_USE err_t recovery_store(struct ctx *c, int64_t user_id, const struct recovery_set *set);
MUST_USE err_t recovery_void(struct ctx *c, int64_t user_id);

/* Upper case without dashes and blanks, or false: no recovery code. */
bool recovery_read(str text, char ret[RECOVERY_LEN]);

/* A code of the user's that is still there. */
struct recovery_found {
	str slot, hash;
};
/* *ret_found false: it is none. Cost: one hash either way. */
MUST_USE err_t recovery_look(struct ctx *c, int64_t user_id, const char code[RECOVERY_LEN], bool *ret_found,
			     struct recovery_found *ret);
/* Uses it up and tells its owner how many are left. Inside the open transaction. Refusal: ERR_TOTP_CODE:
 * somebody was faster. */
MUST_USE err_t recovery_use(struct ctx *c, const struct user_row *user, const struct recovery_found *found);

#endif
