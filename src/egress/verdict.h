/* verdict.h — judges what an HTTP provider answered. Gateways differ in how they say no: many
 * answer 200 with an error inside, which must not count as sent. */
#ifndef EGRESS_VERDICT_H
#define EGRESS_VERDICT_H

#include "egress/client.h"
#include "egress/delivery.h"

/* expect: text that the body of a 2xx answer must contain; n == 0: none. The detail is the status
 * and, unless the message was taken over, the start of the body, where words that could be a code,
 * a token or a number of the request are masked: providers repeat what they were sent. */
void verdict_of_reply(const struct client_reply *r, str expect, struct delivery *ret);

/* A verdict without an answer. detail: one line of plain text, cut where it does not fit. */
void verdict_set(struct delivery *ret, enum delivery_verdict verdict, str detail);

#endif
