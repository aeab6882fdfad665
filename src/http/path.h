/* path.h — the one check of request paths. Routing and authorisation use the same bytes. */
#ifndef HTTP_PATH_H
#define HTTP_PATH_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define PATH_MAX_BYTES 2048

/* Check a raw request target in origin-form and split it at the first '?'. Nothing is decoded:
 * a path that would mean something else after decoding is refused instead.
 * Refusals: ERR_URI_TOO_LONG (path over PATH_MAX_BYTES);
 * ERR_BAD_REQUEST: not starting with '/', "//", '\', ';', '#', a dot segment, a control or
 * non-ASCII byte (in the query too, and '#'), %2f %5c %00 %2e (any case), an incomplete escape, an
 * escape of a control character, or escapes that are not plain text (base/utf8.h).
 * Source: ASVS 5.0 1.1.1. */
MUST_USE err_t path_check(str target, str *ret_path, str *ret_query);

/* Percent-decode one segment that came out of a checked path. Faults: ERR_NO_MEMORY. */
MUST_USE err_t path_decode(struct arena *mem, str segment, str *ret);

/* The value of `key` in an application/x-www-form-urlencoded query, decoded ('+' is a space).
 * Absent: *ret = STR_NONE. Refusals: ERR_INPUT for a repeated key, bad escape, NUL or bad UTF-8. */
MUST_USE err_t query_get(struct arena *mem, str query, str key, str *ret);

#endif
