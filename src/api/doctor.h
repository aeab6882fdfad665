/* doctor.h — GET /doctor: what this server sees of a request that came the way of its clients, for `sallyport doctor`,
 * which shows by a word of the keys that it is the operator's. Without it there is no such route. */
#ifndef API_DOCTOR_H
#define API_DOCTOR_H

#include "domain/ctx.h"

#define DOCTOR_WORD_MS MS_PER_MIN /* how far the clocks of both may be apart */

/* "<milliseconds>.<MAC>" for the header X-Sallyport-Doctor. In the arena. */
MUST_USE err_t doctor_word(const struct keyring *keys, int64_t now_ms, struct arena *mem, str *ret);

#endif
