/* password_foreign.h — hashes other systems made, verified through crypt(3). Internal to crypto/.
 */
#ifndef CRYPTO_PASSWORD_FOREIGN_H
#define CRYPTO_PASSWORD_FOREIGN_H

#include "crypto/password.h"

/* Does `password` (these very bytes) match a bcrypt, scrypt or yescrypt line that phc_parse()
 * accepted? Cost: one hash, always. Faults: ERR_NO_MEMORY. */
MUST_USE err_t foreign_verify(struct arena *mem, enum phc_kind kind, str stored,
			      struct secret password, bool *ret_match);

/* Does such a hash tell `password` from every other text? bcrypt takes 72 bytes and a NUL behind a shorter password: what has
 * 72 or more matches whatever else follows them, so a match proves those 72 bytes and not the password. */
bool foreign_sees_all(enum phc_kind kind, struct secret password);

#endif
