/* buf.h — a byte builder with its maximum from birth. Writing past it sets `overflow`, which is
 * sticky and tested once at the end; nothing is ever written outside. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <string.h>

#include "base/err.h"
#include "base/str.h"

struct buf {
	char *p;
	size_t n;
	size_t cap;
	bool overflow;
};

#define BUF_OF(array) ((struct buf){ .p = (array), .cap = sizeof(array) })

static inline void buf_str(struct buf *b, str s)
{
	if (b->overflow || s.n > b->cap - b->n) {
		b->overflow = true;
		return;
	}
	if (s.n > 0)
		memcpy(b->p + b->n, s.p, s.n);
	b->n += s.n;
}

static inline void buf_byte(struct buf *b, char c)
{
	if (b->overflow || b->n == b->cap) {
		b->overflow = true;
		return;
	}
	b->p[b->n++] = c;
}

#define buf_lit(b, lit) buf_str((b), STR(lit))
void buf_i64(struct buf *b, int64_t v);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static inline str buf_view(const struct buf *b)
{
	return (str){ b->p, b->n };
}

#endif
