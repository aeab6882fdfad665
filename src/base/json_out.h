/* json_out.h — a forward JSON writer onto a buf: no tree, no allocation. Strings are escaped so that
 * the result can also stand inside HTML ('<' '>' '&' U+2028/9 as \u00XX). Invalid UTF-8 becomes
 * U+FFFD; control and bidi characters are escaped. Calls must be balanced; a misuse (a value without
 * its key, the wrong end, more than 64 levels) sets the buf's overflow. */
#ifndef BASE_JSON_OUT_H
#define BASE_JSON_OUT_H

#include "base/buf.h"

#define JSON_OUT_DEPTH_MAX 64

struct json_out {
	struct buf *b;
	bool comma;       /* the next member needs one */
	bool keyed;       /* a key was written, its value is next */
	int depth;
	uint64_t objects; /* bit d: the value opened at depth d is an object */
};

void out_begin(struct json_out *o, struct buf *b);
void out_obj(struct json_out *o);                     /* { as a value */
void out_arr(struct json_out *o);                     /* [ as a value */
void out_key(struct json_out *o, str key);
void out_end_obj(struct json_out *o);
void out_end_arr(struct json_out *o);
void out_value_str(struct json_out *o, str v);        /* STR_NONE gives null */
void out_value_i64(struct json_out *o, int64_t v);
void out_value_bool(struct json_out *o, bool v);
void out_value_null(struct json_out *o);
void out_value_time(struct json_out *o, int64_t ms);
void out_value_raw(struct json_out *o, str json);     /* already JSON */

/* Only the escaping, without quotes: the text of a JSON string. */
void json_escape(struct buf *b, str text);

/* key and value in one call; a str that is STR_NONE is left out */
void out_str(struct json_out *o, str key, str v);
void out_i64(struct json_out *o, str key, int64_t v);
void out_bool(struct json_out *o, str key, bool v);
void out_time(struct json_out *o, str key, int64_t ms);

#endif
