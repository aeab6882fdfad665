/* cors.h — which pages of other origins may call (Fetch standard, contract §7). Off without cors.origins. */
#ifndef API_CORS_H
#define API_CORS_H

#include "api/routes.h"

/* Is it the browser's question before a call, to be answered at once? Writes the answer. */
bool cors_preflight(const struct req *r, struct http_reply *rep);
/* The headers of any other answer. */
void cors_allow(const struct req *r, const struct route *rt, struct http_reply *rep);
/* The same for what the edge refuses before there is a handler: a page would not see the status otherwise. The values stay
 * r's. */
void cors_allow_refusal(const struct config *cfg, const struct http_request *r, struct http_reply *rep);

#endif
