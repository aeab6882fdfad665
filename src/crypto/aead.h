/* aead.h — sealing of stored secrets: XChaCha20-Poly1305 (libsodium) under a derived key. The context
 * (table and row) is authenticated, so a value moved to another row does not open. */
#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include "base/arena.h"
#include "base/rng.h"
#include "crypto/mac.h"

#define AEAD_OVERHEAD (1 + 24 + 16) /* version, nonce, tag */

/* version(1) nonce(24) ciphertext tag(16), into the arena. Faults: ERR_CRYPTO, ERR_NO_MEMORY. */
MUST_USE err_t aead_seal(struct arena *mem, struct rng rng, const struct mac_key *key, str context,
			 str plain, str *ret);
/* Fault: ERR_CRYPTO unless sealed under this key and context. The plain bytes are the arena's. */
MUST_USE err_t aead_open(struct arena *mem, const struct mac_key *key, str context, str sealed,
			 str *ret);

#endif
