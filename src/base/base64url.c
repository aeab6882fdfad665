#include "base/base64url.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* All bits set if first <= c <= last, else 0. Signed right shift of a negative is all ones. */
static int in_range(int c, int first, int last)
{
	return ~((c - first) >> 8 | (last - c) >> 8);
}

/* The value of a character, or -1. Without a table or a branch: tokens and keys pass through here,
 * and a look-up by secret value leaves traces in the cache. */
static int value_of(char character)
{
	int c = (unsigned char)character;
	int value = -1;

	value += in_range(c, 'A', 'Z') & (c - 'A' + 1);
	value += in_range(c, 'a', 'z') & (c - 'a' + 27);
	value += in_range(c, '0', '9') & (c - '0' + 53);
	value += in_range(c, '-', '-') & 63;
	value += in_range(c, '_', '_') & 64;
	return value;
}

void base64url_encode(struct buf *out, str bytes)
{
	uint32_t bits = 0;
	unsigned n_bits = 0;

	for (size_t i = 0; i < bytes.n; i++) {
		bits = bits << 8 | (unsigned char)bytes.p[i];
		for (n_bits += 8; n_bits >= 6; n_bits -= 6)
			buf_byte(out, alphabet[bits >> (n_bits - 6) & 63]);
	}
	if (n_bits > 0)
		buf_byte(out, alphabet[bits << (6 - n_bits) & 63]);
}

bool base64url_decode(str text, void *dst, size_t dst_max, size_t *ret_n)
{
	size_t need = text.n / 4 * 3 + text.n % 4 * 3 / 4;
	unsigned char *to = dst;
	uint32_t bits = 0;
	unsigned n_bits = 0;
	int bad = 0;

	if (text.n % 4 == 1 || need > dst_max)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		int value = value_of(text.p[i]);
		bad |= value;
		bits = bits << 6 | ((uint32_t)value & 63);
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			*to++ = (unsigned char)(bits >> n_bits);
		}
	}
	/* RFC 4648 §3.5: unused bits must be zero, or several texts would mean the same bytes */
	if (bad < 0 || (bits & ((1U << n_bits) - 1)) != 0)
		return false;
	*ret_n = need;
	return true;
}

void hex_encode(struct buf *out, str bytes)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < bytes.n; i++) {
		unsigned char byte = (unsigned char)bytes.p[i];
		buf_str(out, (str){ (char[2]){ digits[byte >> 4], digits[byte & 15] }, 2 });
	}
}
