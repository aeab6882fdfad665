/* totp.h — time-based one-time codes: RFC 6238 over HMAC-SHA-1, six digits, 30 seconds, which is what every
 * authenticator app does. Storing seeds and used steps is domain/factor.h's business. */
#ifndef CRYPTO_TOTP_H
#define CRYPTO_TOTP_H

#include "base/err.h"
#include "base/secret.h"

#define TOTP_SEED_BYTES 20 /* RFC 4226 §4 R6 */
#define TOTP_DIGITS     6
#define TOTP_STEP_MS    30000
#define TOTP_NO_STEP    ((int64_t)-1)

static inline int64_t totp_step(int64_t now_ms)
{
	return now_ms / TOTP_STEP_MS;
}

/* The code of one step, in digits. Fault: ERR_CRYPTO. */
MUST_USE err_t totp_code(struct secret key, int64_t step, char ret[TOTP_DIGITS]);

/* Which step's code it is: that of now_ms, or one before or after (RFC 6238 §5.2); of equal ones the latest;
 * TOTP_NO_STEP when it is none of theirs or not six digits. Time does not tell which. Fault: ERR_CRYPTO. */
MUST_USE err_t totp_check(struct secret key, str code, int64_t now_ms, int64_t *ret_step);

#endif
