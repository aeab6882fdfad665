/* mac.h — HMAC-SHA-256, HKDF-SHA-256 and SHA-256. One secret, one purpose: every key is derived
 * from the master key under a label of its own (RFC 5869), so a tag made for one purpose is never
 * valid for another. */
#ifndef CRYPTO_MAC_H
#define CRYPTO_MAC_H

#include "base/err.h"
#include "base/secret.h"
#include "base/str.h"

#define SHA256_BYTES 32
#define MAC_BYTES    32
#define KEY_BYTES    32

struct mac_key {
	uint8_t bytes[KEY_BYTES];
};

/* Once per process, before threads: the libraries' self-set-up (libsodium, SHA-256 of OpenSSL,
 * Jansson's hash seed). Calling it again is harmless. */
MUST_USE err_t crypto_init(void);

void sha256(str data, uint8_t ret[SHA256_BYTES]);
void mac_tag(const struct mac_key *key, str data, uint8_t ret[MAC_BYTES]);
/* As mac_tag over the concatenation of the parts (no separators: the caller fixes lengths). */
void mac_tag_parts(const struct mac_key *key, const str *parts, size_t n, uint8_t ret[MAC_BYTES]);
bool mac_check(const struct mac_key *key, str data, const uint8_t tag[MAC_BYTES]); /* constant time */
/* HKDF-SHA-256 in full (RFC 5869 §2), n <= 255 * 32 bytes, for secrets that are not 32 bytes. */
void mac_hkdf(str salt, struct secret ikm, str info, uint8_t *ret, size_t n);
/* HKDF-SHA-256 with an empty salt and `label` as info. */
void mac_derive(const uint8_t master[KEY_BYTES], str label, struct mac_key *ret);
/* Is this a key that nobody's random generator made: fewer than 8 different bytes, or a run of
 * equal steps such as 00 01 02 …? For 32 random bytes the odds of either are below 2^-90. */
bool mac_key_is_guessable(const uint8_t *key, size_t n);

#endif
