/* json_line.h — one value of JSON on a line of its own, for commands whose results are read by programs. */
#ifndef BASE_JSON_LINE_H
#define BASE_JSON_LINE_H

#include <stdio.h>

#include "base/json_out.h"

#define JSON_LINE_MAX ((size_t)4 * 1024 * 1024)

struct json_line {
	struct json_out o; /* written by the caller between begin and end */
	struct buf b;
};

/* Fault: ERR_NO_MEMORY. */
MUST_USE err_t json_line_begin(struct json_line *l);
/* Writes it, frees it. Fault: ERR_BUG for what is no whole value or too long; nothing is written then. */
MUST_USE err_t json_line_end(struct json_line *l, FILE *out);

/* Members that are always there: null for a text that is STR_NONE, and for the time 0. */
void json_text(struct json_out *o, str key, str v);
void json_time(struct json_out *o, str key, int64_t ms);

#endif
