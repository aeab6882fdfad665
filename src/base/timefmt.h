/* timefmt.h — the one form of times in JSON and logs: "2026-11-23T10:09:40.790Z", UTC. */
#ifndef BASE_TIMEFMT_H
#define BASE_TIMEFMT_H

#include "base/buf.h"

#define TIME_TEXT_LEN 24
void time_format(struct buf *out, int64_t ms); /* years 0001 to 9999; others are clamped */

#endif
