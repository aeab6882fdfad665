#include "crypto/base32.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

void base32_encode(struct buf *out, str bytes)
{
	unsigned bits = 0, n_bits = 0;

	for (size_t i = 0; i < bytes.n; i++) {
		bits = bits << 8 | (unsigned char)bytes.p[i];
		for (n_bits += 8; n_bits >= 5; n_bits -= 5)
			buf_byte(out, alphabet[bits >> (n_bits - 5) & 31]);
		bits &= (1U << n_bits) - 1;
	}
	if (n_bits > 0)
		buf_byte(out, alphabet[bits << (5 - n_bits) & 31]);
}

int base32_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	return -1;
}

bool base32_decode(str text, void *dst, size_t dst_max, size_t *ret_n)
{
	unsigned bits = 0, n_bits = 0;
	size_t n = text.n * 5 / 8;
	uint8_t *to = dst;

	if (n > dst_max || BASE32_LEN(n) != text.n)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		int v = base32_value(text.p[i]);

		if (v < 0)
			return false;
		bits = bits << 5 | (unsigned)v;
		n_bits += 5;
		if (n_bits >= 8) {
			n_bits -= 8;
			*to++ = (uint8_t)(bits >> n_bits);
		}
		bits &= (1U << n_bits) - 1;
	}
	*ret_n = n;
	return bits == 0;
}
