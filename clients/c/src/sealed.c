/* sealed.c — see sealed.h. */
#include "sealed.h"

#include <stdlib.h>
#include <string.h>

#include "library.h"

#define NONCE_AT 32
#define TAG 16

static const unsigned char magic[8] = { 's', 'p', 's', 't', 'o', 'r', 'e', 1 };

_Static_assert(crypto_pwhash_argon2id_SALTBYTES == SEALED_SALT, "salt");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == SEALED_KEY, "key");
_Static_assert(NONCE_AT + crypto_aead_xchacha20poly1305_ietf_NPUBBYTES == SEALED_HEAD, "nonce");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_ABYTES == TAG, "tag");

bool sealed_load_sodium(struct sodium *sodium)
{
	/* The same functions in both: 1.0.18 is 23, 1.0.19 and later are 26. */
	static const char *const names[] = { "libsodium.so.26", "libsodium.so.23", "libsodium.26.dylib",
					     "libsodium.23.dylib", NULL };
	static const struct library_symbol symbols[] = {
		{ "sodium_init", offsetof(struct sodium, init) },
		{ "sodium_malloc", offsetof(struct sodium, malloc) },
		{ "sodium_free", offsetof(struct sodium, free) },
		{ "crypto_pwhash", offsetof(struct sodium, pwhash) },
		{ "crypto_aead_xchacha20poly1305_ietf_encrypt", offsetof(struct sodium, encrypt) },
		{ "crypto_aead_xchacha20poly1305_ietf_decrypt", offsetof(struct sodium, decrypt) },
	};

	*sodium = (struct sodium){ 0 };
	sodium->library = library_open(names, symbols, sizeof symbols / sizeof *symbols, sodium);
	if (sodium->library != NULL && sodium->init() >= 0)
		return true;
	sealed_unload_sodium(sodium);
	return false;
}

void sealed_unload_sodium(struct sodium *sodium)
{
	library_close(sodium->library);
	*sodium = (struct sodium){ 0 };
}

bool sealed_new_head(struct sealed_head *head)
{
	head->memory_kib = SEALED_MEMORY_KIB;
	head->passes = SEALED_PASSES;
	return random_bytes(head->salt, sizeof head->salt);
}

static uint32_t get32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put32(unsigned char *p, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (unsigned char)(value >> (24 - 8 * i));
}

sp_error sealed_read_head(const unsigned char *file, size_t n, struct sealed_head *head)
{
	*head = (struct sealed_head){ 0 };
	if (n < SEALED_HEAD + TAG || n > SEALED_MAX || memcmp(file, magic, sizeof magic) != 0)
		return SP_STORE;
	head->memory_kib = get32(file + 8);
	head->passes = get32(file + 12);
	memcpy(head->salt, file + 16, sizeof head->salt);
	if (head->memory_kib < SEALED_MEMORY_LEAST_KIB || head->memory_kib > SEALED_MEMORY_MOST_KIB ||
	    head->passes < 1 || head->passes > SEALED_WORK_MOST_KIB / head->memory_kib)
		return SP_STORE;
	return SP_OK;
}

bool sealed_same_head(const struct sealed_head *a, const struct sealed_head *b)
{
	return a->memory_kib == b->memory_kib && a->passes == b->passes && memcmp(a->salt, b->salt, SEALED_SALT) == 0;
}

sp_error sealed_derive(const struct sodium *sodium, const struct sealed_head *head, const char *passphrase,
		       unsigned char key[SEALED_KEY])
{
	/* The only way to fail, with bounds kept, is memory. */
	if (sodium->pwhash(key, SEALED_KEY, passphrase, strlen(passphrase), head->salt, head->passes,
			   (size_t)head->memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return SP_MEMORY;
	return SP_OK;
}

sp_error sealed_open(const struct sodium *sodium, const unsigned char *file, size_t n,
		     const unsigned char key[SEALED_KEY], struct record **records)
{
	struct sealed_head head;
	unsigned char *plain;
	size_t n_plain;
	sp_error e = sealed_read_head(file, n, &head);

	*records = NULL;
	if (e != SP_OK)
		return e;
	n_plain = n - SEALED_HEAD - TAG;
	plain = malloc(n_plain + 1);
	if (plain == NULL)
		return SP_MEMORY;
	if (sodium->decrypt(plain, NULL, NULL, file + SEALED_HEAD, n - SEALED_HEAD, file, SEALED_HEAD, file + NONCE_AT,
			    key) != 0)
		e = SP_REFUSED;
	else
		e = records_decode(plain, n_plain, records);
	wipe(plain, n_plain);
	free(plain);
	return e;
}

static sp_error encrypt(const struct sodium *sodium, const struct sealed_head *head, const unsigned char *key,
			const struct text *plain, unsigned char *file)
{
	memcpy(file, magic, sizeof magic);
	put32(file + 8, head->memory_kib);
	put32(file + 12, head->passes);
	memcpy(file + 16, head->salt, sizeof head->salt);
	if (!random_bytes(file + NONCE_AT, SEALED_HEAD - NONCE_AT))
		return SP_STORE;
	(void)sodium->encrypt(file + SEALED_HEAD, NULL, (const unsigned char *)plain->p, plain->n, file, SEALED_HEAD,
			      NULL, file + NONCE_AT, key);
	return SP_OK;
}

sp_error sealed_make(const struct sodium *sodium, const struct sealed_head *head, const unsigned char key[SEALED_KEY],
		     const struct record *records, unsigned char **file, size_t *n)
{
	struct text plain = { 0 };
	sp_error e = SP_OK;

	*file = NULL;
	*n = 0;
	records_encode(records, &plain);
	if (plain.failed)
		e = SP_MEMORY;
	else if (plain.n > SEALED_MAX - SEALED_HEAD - TAG)
		e = SP_STORE;
	if (e == SP_OK)
		*file = malloc(SEALED_HEAD + plain.n + TAG);
	if (e == SP_OK && *file == NULL)
		e = SP_MEMORY;
	if (e == SP_OK)
		e = encrypt(sodium, head, key, &plain, *file);
	if (e == SP_OK) {
		*n = SEALED_HEAD + plain.n + TAG;
	} else {
		free(*file);
		*file = NULL;
	}
	text_free(&plain);
	return e;
}
