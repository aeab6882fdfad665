/* sealed.h — records as an encrypted file:
 *
 *	 0   8  "spstore", and 1, the version of the format
 *	 8   4  memory of argon2id in KiB, the highest byte first
 *	12   4  passes of argon2id
 *	16  16  its salt
 *	32  24  nonce, random for each file that is written
 *	56      XChaCha20-Poly1305 of records_encode's bytes, with the 56 bytes before as additional data
 */
#ifndef SP_SEALED_H
#define SP_SEALED_H

#include <sodium.h>

#include "records.h"
#include "sallyport.h"

#define SEALED_KEY 32
#define SEALED_SALT 16
#define SEALED_HEAD 56
#define SEALED_MAX ((size_t)1 << 20) /* of a file */

/* New files: RFC 9106 §4's second choice, with the one lane that libsodium has. */
#ifndef SEALED_MEMORY_KIB /* tests open many */
#define SEALED_MEMORY_KIB 65536
#define SEALED_PASSES 3
#endif
/* What a file may ask for: nobody's file makes a program use gigabytes or minutes. */
#define SEALED_MEMORY_LEAST_KIB 8192
#define SEALED_MEMORY_MOST_KIB 262144
#define SEALED_WORK_MOST_KIB 1048576 /* memory times passes */

/* What is used of libsodium, which is loaded. */
struct sodium {
	void *library;
	__typeof__(sodium_init) *init;
	__typeof__(sodium_malloc) *malloc;
	__typeof__(sodium_free) *free;
	__typeof__(crypto_pwhash) *pwhash;
	__typeof__(crypto_aead_xchacha20poly1305_ietf_encrypt) *encrypt;
	__typeof__(crypto_aead_xchacha20poly1305_ietf_decrypt) *decrypt;
};

/* What the key is made with. */
struct sealed_head {
	uint32_t memory_kib, passes;
	unsigned char salt[SEALED_SALT];
};

/* False: there is no libsodium. */
bool sealed_load_sodium(struct sodium *sodium);
void sealed_unload_sodium(struct sodium *sodium);

/* For a new file. False: no randomness. */
bool sealed_new_head(struct sealed_head *head);
/* SP_STORE: no file of this kind, or it asks for too much. */
sp_error sealed_read_head(const unsigned char *file, size_t n, struct sealed_head *head);
bool sealed_same_head(const struct sealed_head *a, const struct sealed_head *b);
/* Takes its time. Errors: SP_MEMORY. */
sp_error sealed_derive(const struct sodium *sodium, const struct sealed_head *head, const char *passphrase,
		       unsigned char key[SEALED_KEY]);
/* SP_REFUSED: another key, or a byte is not as it was. SP_STORE: no file of this kind. SP_MEMORY. The caller frees
 * *records; NULL on errors. */
sp_error sealed_open(const struct sodium *sodium, const unsigned char *file, size_t n,
		     const unsigned char key[SEALED_KEY], struct record **records);
/* *file, of *n bytes, is the caller's to free. SP_STORE: more than SEALED_MAX. SP_MEMORY. */
sp_error sealed_make(const struct sodium *sodium, const struct sealed_head *head, const unsigned char key[SEALED_KEY],
		     const struct record *records, unsigned char **file, size_t *n);

#endif
