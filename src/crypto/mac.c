#include "crypto/mac.h"

#include <assert.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>

/* SHA-256 of a bearer token is on the path of every authenticated request. OpenSSL's code with the
 * processor's SHA instructions takes 0.4 µs for 500 bytes, libsodium's portable one 2 µs; so
 * OpenSSL is used with a digest fetched once and a context per thread, and libsodium when that
 * fails. */
static pthread_once_t sha_once = PTHREAD_ONCE_INIT;
static EVP_MD *sha_md;
static pthread_key_t sha_key;
static _Thread_local EVP_MD_CTX *sha_ctx;

static void sha_ctx_free(void *ctx)
{
	EVP_MD_CTX_free(ctx);
	sha_ctx = NULL;
}

static void sha_set_up(void)
{
	if (pthread_key_create(&sha_key, sha_ctx_free) == 0)
		sha_md = EVP_MD_fetch(NULL, "SHA256", NULL);
}

err_t crypto_init(void)
{
	REQUIRE(sodium_init() >= 0, ERR_CRYPTO);
	REQUIRE(pthread_once(&sha_once, sha_set_up) == 0, ERR_CRYPTO);
	json_object_seed(0); /* otherwise the first parse does it, not thread-safely */
	return OK;
}

static EVP_MD_CTX *sha_ctx_get(void)
{
	EVP_MD_CTX *ctx;

	if (sha_ctx != NULL || sha_md == NULL)
		return sha_ctx;
	ctx = EVP_MD_CTX_new();
	/* The key's only use is its destructor: it frees the context when the thread ends. */
	if (ctx != NULL && pthread_setspecific(sha_key, ctx) != 0) {
		EVP_MD_CTX_free(ctx);
		ctx = NULL;
	}
	sha_ctx = ctx;
	return ctx;
}

void sha256(str data, uint8_t ret[SHA256_BYTES])
{
	EVP_MD_CTX *ctx = sha_ctx_get();

	if (ctx != NULL && EVP_DigestInit_ex2(ctx, sha_md, NULL) == 1 &&
	    EVP_DigestUpdate(ctx, data.p, data.n) == 1 && EVP_DigestFinal_ex(ctx, ret, NULL) == 1)
		return;
	(void)crypto_hash_sha256(ret, (const uint8_t *)data.p, data.n); /* cannot fail */
}

static void hmac_add(crypto_auth_hmacsha256_state *st, str s)
{
	if (s.n > 0)
		(void)crypto_auth_hmacsha256_update(st, (const uint8_t *)s.p, s.n);
}

/* HMAC (RFC 2104) over the parts under a key of any length. */
static void hmac(const uint8_t *key, size_t n_key, const str *parts, size_t n,
		 uint8_t ret[MAC_BYTES])
{
	crypto_auth_hmacsha256_state st;

	(void)crypto_auth_hmacsha256_init(&st, key, n_key);
	for (size_t i = 0; i < n; i++)
		hmac_add(&st, parts[i]);
	(void)crypto_auth_hmacsha256_final(&st, ret);
	explicit_bzero(&st, sizeof(st));
}

void mac_tag(const struct mac_key *key, str data, uint8_t ret[MAC_BYTES])
{
	hmac(key->bytes, KEY_BYTES, &data, 1, ret);
}

void mac_tag_parts(const struct mac_key *key, const str *parts, size_t n, uint8_t ret[MAC_BYTES])
{
	hmac(key->bytes, KEY_BYTES, parts, n, ret);
}

bool mac_check(const struct mac_key *key, str data, const uint8_t tag[MAC_BYTES])
{
	WIPED_ARRAY(uint8_t, want, MAC_BYTES);

	mac_tag(key, data, want);
	return secret_equal_bytes(want, tag, MAC_BYTES);
}

void mac_hkdf(str salt, struct secret ikm, str info, uint8_t *ret, size_t n)
{
	static const uint8_t empty[1];
	WIPED_ARRAY(uint8_t, prk, MAC_BYTES);
	WIPED_ARRAY(uint8_t, block, MAC_BYTES);
	uint8_t count = 0;
	const str input = secret_str(ikm);

	assert(n <= (size_t)255 * MAC_BYTES);
	/* RFC 5869 §2.2: an absent salt is a row of zeros, which HMAC makes of an empty key too */
	hmac(salt.n > 0 ? (const uint8_t *)salt.p : empty, salt.n, &input, 1, prk);
	for (size_t done = 0; done < n; done += MAC_BYTES) {
		/* RFC 5869 §2.3: T(i) = HMAC(PRK, T(i-1) | info | i), T(0) empty */
		const str parts[] = { str_of_bytes(block, count == 0 ? 0 : MAC_BYTES), info,
				      str_of_bytes(&count, 1) };
		count++;
		hmac(prk, MAC_BYTES, parts, 3, block);
		memcpy(ret + done, block, n - done < MAC_BYTES ? n - done : MAC_BYTES);
	}
}

void mac_derive(const uint8_t master[KEY_BYTES], str label, struct mac_key *ret)
{
	WIPED_ARRAY(uint8_t, copy, KEY_BYTES);

	memcpy(copy, master, KEY_BYTES);
	mac_hkdf(STR(""), (struct secret){ copy, KEY_BYTES }, label, ret->bytes, KEY_BYTES);
}

static size_t count_distinct(const uint8_t *p, size_t n)
{
	WIPED_ARRAY(bool, seen, 256);
	size_t distinct = 0;

	for (size_t i = 0; i < n; i++) {
		distinct += !seen[p[i]];
		seen[p[i]] = true;
	}
	return distinct;
}

bool mac_key_is_guessable(const uint8_t *key, size_t n)
{
	size_t equal_steps = 0;

	for (size_t i = 2; i < n; i++)
		equal_steps += (uint8_t)(key[i] - key[i - 1]) == (uint8_t)(key[1] - key[0]);
	return n < 3 || equal_steps == n - 2 || count_distinct(key, n) < 8;
}
