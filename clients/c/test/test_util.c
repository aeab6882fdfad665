/* The library's own SHA-256, base64url and encodings, against the vectors of their standards and another implementation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "url.h"
#include "util.h"

static void assert_digest(const char *text, const char *want)
{
	unsigned char digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];

	sha256(text, strlen(text), digest);
	for (size_t i = 0; i < sizeof digest; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(hex, want);
}

/* FIPS 180-4's examples: no block, one, one whose length does not fit any more, two. */
static void sha256_of_the_standard(void **state)
{
	(void)state;
	assert_digest("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_digest("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	assert_digest("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlm"
		      "nopqrsmnopqrstnopqrstu",
		      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}

/* Every length around the ends of the first four blocks. */
static void sha256_as_openssl_does_it(void **state)
{
	unsigned char bytes[260], ours[SHA256_BYTES], theirs[SHA256_DIGEST_LENGTH];

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(i * 167 + 13);
	for (size_t n = 0; n <= sizeof bytes; n++) {
		sha256(bytes, n, ours);
		(void)SHA256(bytes, n, theirs);
		assert_memory_equal(ours, theirs, sizeof theirs);
	}
}

static void assert_base64url(const char *bytes, size_t n, const char *want)
{
	char text[64];

	base64url((const unsigned char *)bytes, n, text);
	assert_string_equal(text, want);
	assert_int_equal(strlen(text), BASE64URL_LENGTH(n));
}

/* RFC 4648 §10, without the padding; and the two letters of §5. */
static void base64url_of_the_standard(void **state)
{
	static const char *const want[] = { "", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy" };

	(void)state;
	for (size_t n = 0; n <= 6; n++)
		assert_base64url("foobar", n, want[n]);
	assert_base64url("\xfb\xff\xbf", 3, "-_-_");
	assert_base64url("\0\0", 2, "AAA");
}

/* RFC 7636 appendix B: the octets, the verifier and its S256 challenge. */
static void pkce_of_the_standard(void **state)
{
	static const unsigned char octets[32] = { 116, 24,  223, 180, 151, 153, 224, 37,  79, 250, 96,
						  125, 216, 173, 187, 186, 22,	212, 37,  77, 105, 214,
						  191, 240, 91,	 88,  5,   88,	83,  132, 141, 121 };
	char verifier[BASE64URL_LENGTH(32) + 1], challenge[BASE64URL_LENGTH(SHA256_BYTES) + 1];
	unsigned char digest[SHA256_BYTES];

	(void)state;
	base64url(octets, sizeof octets, verifier);
	assert_string_equal(verifier, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
	sha256(verifier, strlen(verifier), digest);
	base64url(digest, sizeof digest, challenge);
	assert_string_equal(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

/* RFC 3986: the unreserved stay, everything else goes; and the way back. */
static void percent_coding(void **state)
{
	struct text coded = { 0 };
	char all[256], query[1024], *back;

	(void)state;
	text_add_url(&coded, "AZaz09-._~ /?#[]@!$&'()*+,;=%\"\x7fä");
	assert_string_equal(coded.p, "AZaz09-._~%20%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D%25%22%7F%C3%A4");
	text_free(&coded);

	for (int i = 1; i < 256; i++)
		all[i - 1] = (char)i;
	all[255] = '\0';
	text_add_url(&coded, all);
	(void)snprintf(query, sizeof query, "x=1&all=%s&y=2", coded.p);
	back = query_value(query, "all");
	assert_string_equal(back, all);
	wipe_free(back);
	text_free(&coded);
}

static void assert_value(const char *query, const char *want)
{
	char *got = query_value(query, "state");

	if (want == NULL)
		assert_null(got);
	else
		assert_string_equal(got, want);
	wipe_free(got);
}

static void values_of_a_query(void **state)
{
	(void)state;
	assert_value("state=1", "1");
	assert_value("state=", "");
	assert_value("astate=1&state=2&state=3", "2");
	assert_value("state&state=2", "2");
	assert_value("&&state=a+b%2Bc&", "a b+c");
	assert_value("state=%C3%A4%c3%A4", "ää");
	assert_value("state=%4&x=1", "%4");
	assert_value("state=%zz%", "%zz%");
	assert_value("state=a=b", "a=b");
	assert_value("State=1", NULL);
	assert_value("stat%65=1", NULL);
	assert_value("x=1#state=2", NULL);
	assert_value("state=a%00b", NULL);
	assert_value("", NULL);
	assert_string_equal(query_of("myapp://auth?a=1#b"), "a=1#b");
	assert_string_equal(query_of("myapp://auth#a=1"), "a=1");
	assert_string_equal(query_of("myapp://auth"), "");
	assert_true(url_path_ends("myapp://auth/verify-email?token=1", "/verify-email"));
	assert_false(url_path_ends("myapp://auth/x?next=/verify-email", "/verify-email"));
	assert_false(url_path_ends("l", "/verify-email"));
}

static void assert_target(const char *head, const char *want)
{
	char copy[128];
	const char *got;

	(void)snprintf(copy, sizeof copy, "%s", head);
	got = request_target(copy, "/callback");
	if (want == NULL)
		assert_null(got);
	else
		assert_string_equal(got, want);
}

/* What reaches the port on this machine, from anybody on it. */
static void heads_of_visitors(void **state)
{
	(void)state;
	assert_target("GET /callback?state=1 HTTP/1.1\r\n\r\n", "/callback?state=1");
	assert_target("GET /callback/auth/2fa?tempToken=1 HTTP/1.1\r\n\r\n", "/callback/auth/2fa?tempToken=1");
	assert_target("GET /callback HTTP/1.1\r\n\r\n", NULL);
	assert_target("GET /callbacks?state=1 HTTP/1.1\r\n\r\n", NULL);
	assert_target("GET /favicon.ico HTTP/1.1\r\n\r\n", NULL);
	assert_target("POST /callback?state=1 HTTP/1.1\r\n\r\n", NULL);
	assert_target("GET /callback?state=1\r\n\r\n", NULL);
	assert_target("GET /callback?state=1", NULL);
	assert_target("GET ", NULL);
	assert_target("GE", NULL);
	assert_target("", NULL);
}

static void secrets_are_compared_whole(void **state)
{
	(void)state;
	assert_true(equal_secret("", ""));
	assert_true(equal_secret("abc", "abc"));
	assert_false(equal_secret("abc", "abd"));
	assert_false(equal_secret("abc", "ab"));
	assert_false(equal_secret("", "a"));
	assert_false(equal_secret("a", "\x61\x80"));
}

static void text_that_grows(void **state)
{
	struct text t = { 0 };

	(void)state;
	text_add(&t, "");
	assert_string_equal(t.p, "");
	for (int i = 0; i < 1000; i++)
		text_add_number(&t, i % 10);
	assert_int_equal(t.n, 1000);
	assert_int_equal(strlen(t.p), 1000);
	text_free(&t);
	assert_null(t.p);
	text_add_number(&t, INT64_MIN);
	assert_string_equal(t.p, "-9223372036854775808");
	text_free(&t);
}

static void wiped_memory_is_zero(void **state)
{
	char secret[] = "secret of nobody";

	(void)state;
	wipe(secret, sizeof secret);
	for (size_t i = 0; i < sizeof secret; i++)
		assert_int_equal(secret[i], 0);
	wipe_free(NULL);
}

static void random_numbers_differ(void **state)
{
	unsigned char a[600] = { 0 }, b[600] = { 0 };

	(void)state;
	assert_true(random_bytes(a, sizeof a));
	assert_true(random_bytes(b, sizeof b));
	assert_memory_not_equal(a, b, 256);
	assert_memory_not_equal(a + 256, b + 256, 256);
	assert_memory_not_equal(a + 512, b + 512, sizeof a - 512); /* the part that is no whole one */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_of_the_standard),
		cmocka_unit_test(sha256_as_openssl_does_it),
		cmocka_unit_test(base64url_of_the_standard),
		cmocka_unit_test(pkce_of_the_standard),
		cmocka_unit_test(percent_coding),
		cmocka_unit_test(values_of_a_query),
		cmocka_unit_test(heads_of_visitors),
		cmocka_unit_test(secrets_are_compared_whole),
		cmocka_unit_test(text_that_grows),
		cmocka_unit_test(wiped_memory_is_zero),
		cmocka_unit_test(random_numbers_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
