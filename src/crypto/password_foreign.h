/* password_foreign.h — hashes other systems made, verified through crypt(3). Internal to crypto/.
 */
#ifndef CRYPTO_PASSWORD_FOREIGN_H
#define CRYPTO_PASSWORD_FOREIGN_H

#include "crypto/password.h"

/* Does `password` (these very bytes) match a bcrypt, scrypt or yescrypt line that phc_parse()
 * accepted? Cost: one hash, always. Faults: ERR_NO_MEMORY. */
MUST_USE err_t foreign_verify(struct arena *mem, enum phc_kind kind, str stored,
			      struct secret password, bool *ret_match);

#endif
