/* password.h — password hashing and verification; no rule about who may try, no storage.
 *
 * New hashes are argon2id (libsodium), stored as PHC strings:
 *   $argon2id$v=19$m=19456,t=2,p=1$<salt>$<tag>
 * with a pepper the tag is re-keyed (HMAC-SHA-256 under a key derived from the pepper) and the
 * string carries the pepper's id:  $argon2id-hmac$k=<id>$v=19$m=…  (see password.c).
 * Hashes of other systems are verified (bcrypt $2a$ $2b$ $2y$, scrypt $7$, yescrypt $y$) through
 * libxcrypt and reported as needing a rehash. Sources: OWASP Password Storage; RFC 9106; ASVS 11.4.2. */
#ifndef CRYPTO_PASSWORD_H
#define CRYPTO_PASSWORD_H

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "base/secret.h"

#define PASSWORD_MAX_POINTS  256
#define PASSWORD_MAX_BYTES   1024
#define PASSWORD_HASH_MAX    256
#define ARGON2_MEMORY_FLOOR  ((int64_t)19456 * 1024)
#define ARGON2_MEMORY_MAX    ((int64_t)4 * 1024 * 1024 * 1024)
#define ARGON2_ITER_FLOOR    2
#define ARGON2_ITER_MAX      100
#define ARGON2_WORK_MAX      (16 * ARGON2_MEMORY_MAX) /* memory times iterations: half a minute */

struct password_params {
	int64_t memory;     /* bytes, ARGON2_MEMORY_FLOOR to ARGON2_MEMORY_MAX; cut to whole KiB */
	int64_t iterations; /* ARGON2_ITER_FLOOR to ARGON2_ITER_MAX */
	struct secret pepper; /* n == 0: none */
};

/* The gate: at most `permits` hashes run at once over the whole process; others wait. */
struct password_gate;
MUST_USE err_t password_gate_new(int64_t permits, struct password_gate **ret);
void password_gate_free(struct password_gate *g);
/* Smoothed time of one hash in microseconds (0 before the first); threads waiting; hashes running. */
int64_t password_gate_hash_us(const struct password_gate *g);
int64_t password_gate_waiting(const struct password_gate *g);
int64_t password_gate_running(const struct password_gate *g);
int64_t password_gate_permits(const struct password_gate *g);

/* NFC-normalise (UAX #15; the bytes as sent if already NFC) into the arena.
 * Refusals: ERR_INPUT for invalid UTF-8 or more than PASSWORD_MAX_BYTES. NUL bytes stay. */
MUST_USE err_t password_normalise(struct arena *mem, struct secret raw, struct secret *ret);

/* Hash an already normalised password. ret is a NUL-terminated PHC string in the arena.
 * Waits for the gate at most until deadline_us (monotonic): then ERR_OVERLOAD.
 * Cost: one hash. Faults: ERR_OVERLOAD, ERR_CRYPTO, ERR_NO_MEMORY. */
MUST_USE err_t password_hash(struct password_gate *g, const struct password_params *p, struct rng rng,
			     struct arena *mem, struct secret normalised, int64_t deadline_us, str *ret);

/* Does `raw` (as sent) match `stored`? Argon2id hashes see the normalised form, imported hashes the
 * raw bytes first and then the normalised form if it differs. `stored` absent or unreadable:
 * compares against a decoy of the current parameters, so unknown accounts cost the same; *ret_match
 * is then false whatever the password.
 * ret_rehash: true when it matched but parameters, algorithm or pepper are not the current ones, and the match
 * proves the whole password: a bcrypt hash stays as it is for one of 72 bytes or more.
 * Cost: exactly one hash (two for an imported hash with a non-NFC password). Accounts that still
 * have an imported hash take that hash's time until their first sign-in, so they differ from unknown
 * ones; argon2id accounts do not.
 * bcrypt sees the first 72 bytes, as in the system the hash comes from. A NUL inside a password never
 * matches an imported hash (crypt(3) would stop there).
 * Faults: ERR_OVERLOAD, ERR_CRYPTO, ERR_NO_MEMORY; ERR_BUG for parameters out of bounds. */
MUST_USE err_t password_verify(struct password_gate *g, const struct password_params *p,
			       struct arena *mem, str stored, struct secret raw, int64_t deadline_us,
			       bool *ret_match, bool *ret_rehash);

/* What a stored hash says of itself; false if it is none this program can verify, or one that asks
 * for more than ARGON2_WORK_MAX, bcrypt cost 16, or 1 GiB of scrypt or yescrypt. */
struct phc {
	enum phc_kind { PHC_UNSET = 0, PHC_ARGON2ID, PHC_BCRYPT, PHC_SCRYPT, PHC_YESCRYPT } kind;
	int64_t memory, iterations, parallelism; /* argon2id only; memory in bytes */
	str pepper_id;                           /* "" without */
};
bool phc_parse(str stored, struct phc *ret);

/* Why a new password is refused. Order: length first (in code points, normalised), then strength.
 * context: what an attacker knows of the user and the site, such as the e-mail and the site's name;
 * their parts count too. min_score 0 switches strength off; scripts other than Latin are judged by
 * their bytes. Out of memory is PASSWORD_TOO_WEAK. Cost: zxcvbn, < 10 ms for PASSWORD_MAX_BYTES (only
 * the first 100 code points are looked at). */
enum password_verdict {
	PASSWORD_OK = 0,
	PASSWORD_NOT_TEXT,   /* invalid UTF-8 */
	PASSWORD_TOO_SHORT,
	PASSWORD_TOO_LONG,
	PASSWORD_TOO_WEAK,   /* zxcvbn score below min_score, or one of the context words */
};
enum password_verdict password_judge(struct arena *mem, struct secret raw, int64_t min_length,
				     int64_t min_score, const str *context, size_t n_context);

/* Measure one hash with these parameters; microseconds (minimum of `rounds`). For `calibrate`. */
MUST_USE err_t password_measure(const struct password_params *p, int rounds, int64_t *ret_us);

#endif
