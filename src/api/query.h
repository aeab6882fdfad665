/* query.h — the parameters of a URL. */
#ifndef API_QUERY_H
#define API_QUERY_H

#include "base/err.h"
#include "base/str.h"

/* The raw value of `name` (not percent-decoded: what we take this way needs no escapes); "" when it is empty or
 * not there. Refusal: ERR_BAD_REQUEST when it stands there twice: two readers could choose differently. */
MUST_USE err_t query_value(str query, str name, str *ret);

#endif
