/* utf8.h — what text may come in. RFC 3629; Unicode noncharacters and bidi controls. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/str.h"

/* Well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. NUL is well-formed. */
bool utf8_is_valid(str s);
size_t utf8_points(str s); /* code points of valid UTF-8 */

/* Fit for a name, an address or an identifier: valid, and no control characters (C0, DEL, C1, NUL),
 * no noncharacters, no bidi controls (U+061C, U+200E–F, U+202A–E, U+2066–9), no U+2028/9. */
bool utf8_is_plain_text(str s);

bool utf8_is_plain_point(uint32_t point); /* the same for one code point */

/* Decode one code point at s.p; returns its length in bytes, 0 if malformed (or s is empty). */
size_t utf8_next(str s, uint32_t *ret_point);

/* The start of `s`, at most `max` bytes, without cutting through a character. */
str utf8_cut(str s, size_t max);

#endif
