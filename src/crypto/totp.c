#include "crypto/totp.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#define SHA1_BYTES 20

err_t totp_code(struct secret key, int64_t step, char ret[TOTP_DIGITS])
{
	uint8_t counter[8];
	WIPED_ARRAY(uint8_t, mac, SHA1_BYTES);
	unsigned n = 0, at;
	uint32_t v;

	for (int i = 0; i < 8; i++)
		counter[i] = (uint8_t)((uint64_t)step >> (56 - 8 * i));
	REQUIRE(HMAC(EVP_sha1(), key.p, (int)key.n, counter, sizeof(counter), mac, &n) != NULL &&
			n == SHA1_BYTES,
		ERR_CRYPTO);
	at = mac[SHA1_BYTES - 1] & 15; /* RFC 4226 §5.3: dynamic truncation */
	v = (uint32_t)(mac[at] & 127) << 24 | (uint32_t)mac[at + 1] << 16 | (uint32_t)mac[at + 2] << 8 |
	    mac[at + 3];
	for (int i = TOTP_DIGITS - 1; i >= 0; i--, v /= 10)
		ret[i] = (char)('0' + v % 10);
	return OK;
}

static bool is_code(str s)
{
	if (s.n != TOTP_DIGITS)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return true;
}

err_t totp_check(struct secret key, str code, int64_t now_ms, int64_t *ret_step)
{
	int64_t now = totp_step(now_ms), found = TOTP_NO_STEP;
	WIPED_ARRAY(char, want, TOTP_DIGITS);

	*ret_step = TOTP_NO_STEP;
	if (!is_code(code))
		return OK;
	for (int64_t step = now - 1; step <= now + 1; step++) {
		uint64_t mask;

		TRY(totp_code(key, step, want));
		mask = -(uint64_t)secret_equal_bytes(want, code.p, TOTP_DIGITS);
		found = (int64_t)(((uint64_t)step & mask) | ((uint64_t)found & ~mask));
	}
	*ret_step = found;
	return OK;
}
