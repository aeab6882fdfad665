/* plain_line.h — text from outside made fit for one line that an operator reads. */
#ifndef BASE_PLAIN_LINE_H
#define BASE_PLAIN_LINE_H

#include "base/buf.h"

/* As much of the text as fits, as plain UTF-8 on one line: controls become blanks, what is
 * malformed or would show other than it is becomes '?'. */
void plain_line(struct buf *b, str text);

#endif
