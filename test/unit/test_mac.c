/* SHA-256, HMAC-SHA-256 and HKDF-SHA-256 against the published vectors; one label, one key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sodium.h>

#include "crypto/mac.h"

static size_t from_hex(const char *hex, uint8_t *dst, size_t max)
{
	size_t n = 0;

	assert_int_equal(sodium_hex2bin(dst, max, hex, strlen(hex), NULL, &n, NULL), 0);
	return n;
}

static void assert_hex(const uint8_t *got, const char *want)
{
	uint8_t bytes[256];
	size_t n = from_hex(want, bytes, sizeof(bytes));

	assert_memory_equal(got, bytes, n);
}

static void assert_sha256(str data, const char *want)
{
	uint8_t digest[SHA256_BYTES];

	sha256(data, digest);
	assert_hex(digest, want);
}

static void sha256_gives_the_digests_of_fips_180(void **state)
{
	static char million[1000000];

	(void)state;
	assert_sha256(STR(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_sha256(STR_NONE, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_sha256(STR("abc"),
		      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_sha256(STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
		      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	memset(million, 'a', sizeof(million));
	assert_sha256(str_of_bytes(million, sizeof(million)),
		      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void sha256_agrees_with_a_second_implementation_at_every_length(void **state)
{
	uint8_t data[300], got[SHA256_BYTES], want[SHA256_BYTES];

	(void)state;
	randombytes_buf(data, sizeof(data));
	for (size_t n = 0; n <= sizeof(data); n++) {
		sha256(str_of_bytes(data, n), got);
		(void)crypto_hash_sha256(want, data, n);
		assert_memory_equal(got, want, sizeof(want));
	}
}

static void *hash_in_thread(void *digest)
{
	for (int i = 0; i < 1000; i++)
		sha256(STR("abc"), digest);
	return NULL;
}

static void sha256_works_in_threads_side_by_side(void **state)
{
	pthread_t thread[4];
	uint8_t digest[4][SHA256_BYTES];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, hash_in_thread, digest[i]), 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(thread[i], NULL), 0);
		assert_hex(digest[i],
			   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	}
}

static void assert_hmac(const char *key_hex, str data, const char *want)
{
	struct mac_key key = { 0 }; /* HMAC fills short keys up with zeros itself */
	uint8_t tag[MAC_BYTES];

	(void)from_hex(key_hex, key.bytes, sizeof(key.bytes));
	mac_tag(&key, data, tag);
	assert_hex(tag, want);
}

static void hmac_gives_the_tags_of_rfc_4231(void **state)
{
	uint8_t cd[50];

	(void)state;
	assert_hmac("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", STR("Hi There"),
		    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	assert_hmac("4a656665", STR("what do ya want for nothing?"),
		    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(cd, 0xcd, sizeof(cd));
	assert_hmac("0102030405060708090a0b0c0d0e0f10111213141516171819",
		    str_of_bytes(cd, sizeof(cd)),
		    "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
}

static void a_tag_over_parts_is_the_tag_over_their_concatenation(void **state)
{
	const struct mac_key key = { { 1, 2, 3 } };
	const str parts[] = { STR("one"), STR(""), STR_NONE, STR("two") };
	uint8_t whole[MAC_BYTES], pieces[MAC_BYTES];

	(void)state;
	mac_tag(&key, STR("onetwo"), whole);
	mac_tag_parts(&key, parts, 4, pieces);
	assert_memory_equal(whole, pieces, MAC_BYTES);
}

static void checking_a_tag_refuses_every_flipped_bit(void **state)
{
	const struct mac_key key = { { 9 } };
	uint8_t tag[MAC_BYTES];

	(void)state;
	mac_tag(&key, STR("message"), tag);
	assert_true(mac_check(&key, STR("message"), tag));
	assert_false(mac_check(&key, STR("messagf"), tag));
	for (size_t bit = 0; bit < 8 * (size_t)MAC_BYTES; bit++) {
		tag[bit / 8] = (uint8_t)(tag[bit / 8] ^ 1U << bit % 8);
		assert_false(mac_check(&key, STR("message"), tag));
		tag[bit / 8] = (uint8_t)(tag[bit / 8] ^ 1U << bit % 8);
	}
}

static void assert_hkdf(const char *ikm_hex, const char *salt_hex, const char *info_hex, size_t n,
			const char *want)
{
	uint8_t ikm[128], salt[128], info[128], okm[128];
	size_t n_ikm = from_hex(ikm_hex, ikm, sizeof(ikm));
	size_t n_salt = from_hex(salt_hex, salt, sizeof(salt));
	size_t n_info = from_hex(info_hex, info, sizeof(info));

	mac_hkdf(str_of_bytes(salt, n_salt), (struct secret){ ikm, n_ikm },
		 str_of_bytes(info, n_info), okm, n);
	assert_int_equal(strlen(want), 2 * n);
	assert_hex(okm, want);
}

static void hkdf_gives_the_keys_of_rfc_5869_appendix_a(void **state)
{
	(void)state;
	assert_hkdf("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
		    "f0f1f2f3f4f5f6f7f8f9", 42,
		    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
		    "34007208d5b887185865");
	assert_hkdf("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
		    "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
		    "404142434445464748494a4b4c4d4e4f",
		    "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
		    "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
		    "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
		    "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
		    "d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
		    "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
		    82,
		    "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
		    "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
		    "cc30c58179ec3e87c14c01d5c1f3434f1d87");
	assert_hkdf("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "", 42,
		    "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
		    "9d201395faa4b61a96c8");
}

static void JW15_keys_derived_under_two_labels_make_different_tags(void **state)
{
	uint8_t master[KEY_BYTES], tag_a[MAC_BYTES], tag_b[MAC_BYTES];
	struct mac_key a, b, again;

	(void)state;
	randombytes_buf(master, sizeof(master));
	mac_derive(master, STR("sallyport/v1/refresh"), &a);
	mac_derive(master, STR("sallyport/v1/device"), &b);
	mac_derive(master, STR("sallyport/v1/refresh"), &again);
	assert_memory_equal(a.bytes, again.bytes, KEY_BYTES);
	assert_memory_not_equal(a.bytes, b.bytes, KEY_BYTES);
	mac_tag(&a, STR("same message"), tag_a);
	mac_tag(&b, STR("same message"), tag_b);
	assert_memory_not_equal(tag_a, tag_b, MAC_BYTES);
	assert_false(mac_check(&b, STR("same message"), tag_a));
}

static void JW14_keys_that_no_random_generator_made_are_recognised(void **state)
{
	uint8_t key[KEY_BYTES];

	(void)state;
	memset(key, 0x55, sizeof(key));
	assert_true(mac_key_is_guessable(key, sizeof(key)));
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	assert_true(mac_key_is_guessable(key, sizeof(key)));
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(200 - 7 * i);
	assert_true(mac_key_is_guessable(key, sizeof(key)));
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(i * i % 5);
	assert_true(mac_key_is_guessable(key, sizeof(key)));
	for (int round = 0; round < 1000; round++) {
		randombytes_buf(key, sizeof(key));
		assert_false(mac_key_is_guessable(key, sizeof(key)));
	}
}

static int set_up(void **state)
{
	(void)state;
	return crypto_init().code == ERR_OK && crypto_init().code == ERR_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_gives_the_digests_of_fips_180),
		cmocka_unit_test(sha256_agrees_with_a_second_implementation_at_every_length),
		cmocka_unit_test(sha256_works_in_threads_side_by_side),
		cmocka_unit_test(hmac_gives_the_tags_of_rfc_4231),
		cmocka_unit_test(a_tag_over_parts_is_the_tag_over_their_concatenation),
		cmocka_unit_test(checking_a_tag_refuses_every_flipped_bit),
		cmocka_unit_test(hkdf_gives_the_keys_of_rfc_5869_appendix_a),
		cmocka_unit_test(JW15_keys_derived_under_two_labels_make_different_tags),
		cmocka_unit_test(JW14_keys_that_no_random_generator_made_are_recognised),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
