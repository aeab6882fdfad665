/* base32.h — RFC 4648 §6 without padding: what authenticator apps show seeds in, and recovery codes. */
#ifndef CRYPTO_BASE32_H
#define CRYPTO_BASE32_H

#include "base/buf.h"

#define BASE32_LEN(n) (((n) * 8 + 4) / 5) /* characters for n bytes */

void base32_encode(struct buf *out, str bytes); /* upper case */
/* In any case. Refuses padding, blanks, other alphabets, lengths that no bytes give and non-zero trailing
 * bits. dst needs text.n * 5 / 8. */
bool base32_decode(str text, void *dst, size_t dst_max, size_t *ret_n);
/* Of a character: 0 to 31; -1 outside the alphabet. */
int base32_value(char c);

#endif
