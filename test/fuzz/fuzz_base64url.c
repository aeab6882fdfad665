/* decode(encode(x)) = x; what decodes is exactly what encode would have written; and the decoder
 * agrees with a slow one that reads bit by bit. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX 4096

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_round_trip(str bytes)
{
	static char text[BASE64URL_LEN(MAX)], back[MAX];
	struct buf out = BUF_OF(text);
	size_t n;

	base64url_encode(&out, bytes);
	must(!out.overflow && out.n == BASE64URL_LEN(bytes.n));
	must(base64url_decode(buf_view(&out), back, bytes.n, &n));
	must(str_eq(str_of_bytes(back, n), bytes));
	if (bytes.n > 0)
		must(!base64url_decode(buf_view(&out), back, bytes.n - 1, &n));
}

/* RFC 4648 §5, table 2 */
static int value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

static bool bit(str text, size_t i)
{
	return (value(text.p[i / 6]) >> (5 - i % 6) & 1) != 0;
}

/* Every character in the alphabet, a possible length, and no bit set after the last whole byte. */
static bool is_canonical(str text)
{
	size_t bits = text.n * 6;

	if (text.n % 4 == 1)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (value(text.p[i]) < 0)
			return false;
	}
	for (size_t i = bits / 8 * 8; i < bits; i++) {
		if (bit(text, i))
			return false;
	}
	return true;
}

static void check_decode(str text)
{
	static uint8_t got[MAX];
	size_t n = SIZE_MAX;

	must(base64url_decode(text, got, sizeof(got), &n) == is_canonical(text));
	if (n == SIZE_MAX)
		return;
	must(n == text.n * 3 / 4);
	for (size_t i = 0; i < 8 * n; i++)
		must((got[i / 8] >> (7 - i % 8) & 1) == bit(text, i));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str input = str_of_bytes(data, size);

	if (size > MAX)
		return 0;
	check_round_trip(input);
	check_decode(input);
	return 0;
}
