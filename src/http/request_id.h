/* request_id.h — the name of one request in answers and logs: 26 characters of Crockford's base 32,
 * 48 bits of time and 80 random bits, so that they sort by time. Not a secret, never a key. */
#ifndef HTTP_REQUEST_ID_H
#define HTTP_REQUEST_ID_H

#include "http/http.h"

void request_id_make(int64_t now_ms, char out[REQUEST_ID_LEN + 1]);

#endif
