/* form.h — application/x-www-form-urlencoded, as authorization servers read it. */
#ifndef OAUTH_FORM_H
#define OAUTH_FORM_H

#include "base/buf.h"

/* name=value with a separator in front where one is needed ('?' or '&' is never the first of a body). A value of
 * STR_NONE is left out; a blank is a '+'. */
void form_add(struct buf *b, const char *name, str value);

/* Only the escaping. */
void form_escape(struct buf *b, str value);

/* Bytes that a value takes at most. */
#define FORM_ROOM(n) (3 * (n))

#endif
