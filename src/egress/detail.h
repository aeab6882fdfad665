/* detail.h — writes the verdict and the line for the operator; what came from outside is made
 * plain. */
#ifndef EGRESS_DETAIL_H
#define EGRESS_DETAIL_H

#include "base/plain_line.h"
#include "egress/delivery.h"

static inline void detail_append(struct buf *b, str text)
{
	plain_line(b, text);
}

/* detail: "about: text", or the text alone when about is STR_NONE. */
void detail_say(struct delivery *ret, enum delivery_verdict verdict, str about, str text);

#endif
