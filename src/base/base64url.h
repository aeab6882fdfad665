/* base64url.h — RFC 4648 §5 without padding, strict, and lower-case hexadecimal. */
#ifndef BASE_BASE64URL_H
#define BASE_BASE64URL_H

#include "base/arena.h"
#include "base/buf.h"

#define BASE64URL_LEN(n) (((n) * 4 + 2) / 3) /* characters for n bytes */

void base64url_encode(struct buf *out, str bytes);
/* Refuses padding, blanks, other alphabets, a length of 1 mod 4 and non-zero trailing bits:
 * there is exactly one text for any bytes. *ret_n <= text.n * 3 / 4; dst needs that room. */
bool base64url_decode(str text, void *dst, size_t dst_max, size_t *ret_n);

void hex_encode(struct buf *out, str bytes); /* lower case */

#endif
