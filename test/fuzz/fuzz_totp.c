/* Codes, base32 and recovery codes as people type them: what is taken has one form only, and a code that is
 * right is right for one of three steps. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base32.h"
#include "crypto/totp.h"
#include "domain/recovery.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_base32(str text)
{
	static uint8_t raw[4096], small[16];
	static char again[8192];
	struct buf b = BUF_OF(again);
	size_t n, m;

	if (!base32_decode(text, raw, sizeof(raw), &n))
		return;
	base32_encode(&b, str_of_bytes(raw, n));
	must(!b.overflow && b.n == BASE32_LEN(n) && str_eq_nocase(buf_view(&b), text));
	must(base32_decode(text, small, sizeof(small), &m) == (n <= sizeof(small)));
}

static void check_code(struct secret key, str code)
{
	const int64_t now_ms = 1700000000000;
	char want[TOTP_DIGITS];
	int64_t step;

	must(totp_check(key, code, now_ms, &step).code == ERR_OK);
	if (step != TOTP_NO_STEP) {
		must(step >= totp_step(now_ms) - 1 && step <= totp_step(now_ms) + 1);
		must(totp_code(key, step, want).code == ERR_OK);
		must(str_eq(code, (str){ want, sizeof(want) }));
	}
	must(totp_code(key, totp_step(now_ms), want).code == ERR_OK);
	must(totp_check(key, (str){ want, sizeof(want) }, now_ms, &step).code == ERR_OK);
	must(step >= totp_step(now_ms));
}

static void check_recovery(str text)
{
	char code[RECOVERY_LEN], again[RECOVERY_LEN];

	if (!recovery_read(text, code))
		return;
	for (size_t i = 0; i < RECOVERY_LEN; i++)
		must(base32_value(code[i]) >= 0 && (code[i] < 'a' || code[i] > 'z'));
	must(recovery_read((str){ code, RECOVERY_LEN }, again) && memcmp(code, again, RECOVERY_LEN) == 0);
}

/* First line: a key; second: a code or base32 text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t key[64];
	str first, text;

	if (size > 4096)
		return 0;
	(void)str_cut(str_of_bytes(data, size), '\n', &first, &text);
	memset(key, 7, sizeof(key));
	memcpy(key, first.p, first.n < sizeof(key) ? first.n : sizeof(key));
	check_base32(first);
	check_base32(text);
	check_recovery(text);
	check_code((struct secret){ key, first.n < sizeof(key) ? first.n : sizeof(key) }, text);
	return 0;
}
