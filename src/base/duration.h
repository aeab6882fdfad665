/* duration.h — durations and sizes in settings.
 *
 * Durations: the union of the two grammars of contract §3.4, case-insensitive:
 *   <number>[blanks][unit], number = digits with an optional fraction ("1.5", ".5");
 *   units ms msec(s) millisecond(s) · s sec(s) second(s) · m min(s) minute(s) · h hr(s) hour(s) ·
 *   d day(s) · w week(s) · y yr(s) year(s) (365.25 d); no unit = milliseconds.
 * Sizes: <number>[blanks][B|KiB|MiB|GiB|K|M|G], powers of 1024; no unit = bytes. */
#ifndef BASE_DURATION_H
#define BASE_DURATION_H

#include "base/buf.h"

/* False: does not match, more than 100 bytes, negative, or beyond 1000 years (sizes: 2^63-1). 0 is
 * accepted here; a setting's own bounds refuse it. Parts of a millisecond or byte are cut off. */
bool duration_parse(str text, int64_t *ret_ms);
bool size_parse(str text, int64_t *ret_bytes);

/* The shortest exact form, readable by the parsers: "15m", "90s", "19MiB". Not negative. */
void duration_format(struct buf *out, int64_t ms);
void size_format(struct buf *out, int64_t bytes);

#endif
