#include "cheap_hash.h"

#include <dlfcn.h>
#include <errno.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SALT	((size_t)crypto_pwhash_SALTBYTES)
#define CHECKED (SALT - 4)

typedef int pwhash_fn(unsigned char *, unsigned long long, const char *, unsigned long long,
		      const unsigned char *, unsigned long long, size_t, int);

static pwhash_fn *real_pwhash;
static bool always_real = true;

void cheap_hash_init(void)
{
	const char *how = getenv("TEST_HASH");
	void *found = dlsym(RTLD_NEXT, "crypto_pwhash");

	memcpy(&real_pwhash, &found, sizeof(found));
	always_real = how != NULL && strcmp(how, "real") == 0;
}

static void check_of(const unsigned char *salt, unsigned char ret[4])
{
	unsigned char sum[crypto_generichash_BYTES_MIN];

	(void)crypto_generichash(sum, sizeof(sum), salt, CHECKED, NULL, 0);
	memcpy(ret, sum, 4);
}

void cheap_hash_mark(void *bytes, size_t n)
{
	if (n == SALT && !always_real)
		check_of(bytes, (unsigned char *)bytes + CHECKED);
}

static bool is_marked(const unsigned char *salt)
{
	unsigned char check[4];

	check_of(salt, check);
	return memcmp(check, salt + CHECKED, 4) == 0;
}

/* Found before libsodium's. */
int crypto_pwhash(unsigned char *const out, unsigned long long n_out, const char *const password,
		  unsigned long long n_password, const unsigned char *const salt,
		  unsigned long long ops, size_t mem, int alg)
{
	if (!always_real && is_marked(salt))
		return crypto_generichash(out, n_out, (const unsigned char *)password, n_password,
					  salt, SALT);
	if (real_pwhash == NULL) {
		errno = ENOSYS;
		return -1;
	}
	return real_pwhash(out, n_out, password, n_password, salt, ops, mem, alg);
}
