#include "crypto/password_foreign.h"

#include <crypt.h>
#include <errno.h>
#include <string.h>

/* bcrypt looks at this many bytes, and the systems the hashes come from cut silently. */
#define BCRYPT_INPUT_MAX 72
#define BCRYPT_TAG_AT	 29 /* "$2b$12$" and 22 characters of salt; 31 characters of tag follow */

/* The password as crypt(3) gets it; *ret_whole says whether that is still the user's password. */
static void to_crypt_phrase(enum phc_kind kind, struct secret password,
			    char phrase[CRYPT_MAX_PASSPHRASE_SIZE], bool *ret_whole)
{
	size_t max = kind == PHC_BCRYPT ? BCRYPT_INPUT_MAX : CRYPT_MAX_PASSPHRASE_SIZE - 1;
	size_t n = password.n < max ? password.n : max;

	if (n > 0)
		memcpy(phrase, password.p, n);
	phrase[n] = '\0';
	/* crypt(3) ends at a NUL: such a password is hashed all the same, but never matches */
	*ret_whole = !str_has_byte(secret_str(password), '\0') &&
		     (kind == PHC_BCRYPT || n == password.n);
}

static bool same_tag(enum phc_kind kind, str stored, const char *made)
{
	/* Some bcrypt writers leave stray bits in the last character of the salt, which crypt(3)
	 * clears: so only the tag counts, and with it the salt it was made from. */
	size_t from = kind == PHC_BCRYPT ? BCRYPT_TAG_AT : 0;

	return made != NULL && strlen(made) == stored.n &&
	       secret_equal_bytes(made + from, stored.p + from, stored.n - from);
}

bool foreign_sees_all(enum phc_kind kind, struct secret password)
{
	return kind != PHC_BCRYPT || password.n < BCRYPT_INPUT_MAX;
}

err_t foreign_verify(struct arena *mem, enum phc_kind kind, str stored, struct secret password,
		     bool *ret_match)
{
	WIPED_ARRAY(char, phrase, CRYPT_MAX_PASSPHRASE_SIZE);
	struct crypt_data *data;
	const char *made;
	char *setting;
	bool whole, out_of_memory;

	TRY(str_to_cstr(mem, stored, &setting));
	NEW(data, mem, struct crypt_data, 1);
	/* The three letters name one algorithm; crypt(3) makes an exception under $2a$ for some
	 * 8-bit passwords, but the writers of the hashes did not. */
	if (kind == PHC_BCRYPT)
		setting[2] = 'y';
	to_crypt_phrase(kind, password, phrase, &whole);
	errno = 0;
	made = crypt_r(phrase, setting, data);
	*ret_match = same_tag(kind, stored, made) && whole;
	/* errno means something only beside the failure token; success leaves odd values in it */
	out_of_memory = (made == NULL || made[0] == '*') && errno == ENOMEM;
	explicit_bzero(data, sizeof(*data));
	REQUIRE(!out_of_memory, ERR_NO_MEMORY);
	return OK;
}
