/* phc.h — the text form of stored password hashes. Internal to crypto/: the rest of the program
 * sees phc_parse() of password.h only. Reading is strict and bounded, because a stored hash may
 * have been imported: a line that asks for hours of work or gigabytes of memory is "unreadable". */
#ifndef CRYPTO_PHC_H
#define CRYPTO_PHC_H

#include "base/buf.h"
#include "crypto/password.h"

#define ARGON2_SALT_BYTES 16 /* of our own hashes */
#define ARGON2_TAG_BYTES  32
#define ARGON2_FIELD_MAX  64 /* salt and tag of anyone's */
#define PEPPER_ID_LEN	  8

struct argon2_hash {
	int64_t memory, iterations, parallelism; /* memory in bytes */
	str pepper_id;				 /* "" without; borrowed */
	uint8_t salt[ARGON2_FIELD_MAX], tag[ARGON2_FIELD_MAX];
	size_t n_salt, n_tag;
};

bool argon2_parse(str stored, struct argon2_hash *ret);
void argon2_format(const struct argon2_hash *h, struct buf *out);

#endif
