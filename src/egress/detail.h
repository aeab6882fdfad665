/* detail.h — writes the verdict and the line for the operator; what came from outside is made
 * plain. */
#ifndef EGRESS_DETAIL_H
#define EGRESS_DETAIL_H

#include "base/buf.h"
#include "egress/delivery.h"

/* As much of the text as fits, as plain UTF-8 on one line: controls become blanks, what is
 * malformed or would show other than it is becomes '?'. */
void detail_append(struct buf *b, str text);

/* detail: "about: text", or the text alone when about is STR_NONE. */
void detail_say(struct delivery *ret, enum delivery_verdict verdict, str about, str text);

#endif
