/* str.h — borrowed read-only slices of bytes. Not NUL-terminated, never freed through a str. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
	const char *p; /* NULL means absent (SQL NULL, a missing JSON member, a missing header) */
	size_t n;
} str;

#define STR(lit)   ((str){ "" lit, sizeof(lit) - 1 })
#define STR_INIT(lit) { "" lit, sizeof(lit) - 1 } /* the same in a static initialiser */
#define STR_NONE   ((str){ NULL, 0 })
#define STR_ARG(s) (int)(s).n, (s).p /* printf("%.*s", STR_ARG(name)) */

str str_of_cstr(const char *s); /* NULL gives STR_NONE */
static inline str str_of_bytes(const void *p, size_t n)
{
	return (str){ p, n };
}

/* Not for secrets: stops at the first difference (secrets: secret_equal in base/secret.h). */
bool str_eq(str a, str b);
bool str_eq_nocase(str a, str b); /* ASCII only */
bool str_starts(str s, str prefix);
bool str_ends(str s, str suffix);
bool str_has_byte(str s, char c);
bool str_has(str s, str part); /* no bytes are in everything */

/* Cut `s` at the first `c`: true and both parts if found; else false, *ret_head = s, tail absent. */
bool str_cut(str s, char c, str *ret_head, str *ret_tail);
str str_trim(str s);                      /* SP and HT on both ends */
str str_skip(str s, size_t n);            /* without the first n bytes (or empty) */

/* How many bytes must be changed, added or removed to turn one into the other, of the first 64 of each: for
 * telling the nearest of several names. */
size_t str_distance(str a, str b);

/* Decimal digits only, no sign, no blanks, at most `max`. */
bool str_to_u64(str s, uint64_t max, uint64_t *ret);

#endif
