/* metrics.h — request counters by route and status class, and durations, in Prometheus text. Bounded:
 * labels are route patterns of the table, never paths. Written by all threads without locks. */
#ifndef API_METRICS_H
#define API_METRICS_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/err.h"

struct metrics;

MUST_USE err_t metrics_new(size_t n_routes, struct metrics **ret);
void metrics_free(struct metrics *m);

/* route: index into the table, or n_routes for requests that found none. */
void metrics_add(struct metrics *m, size_t route, int status, int64_t duration_us);

/* sallyport_http_requests_total and sallyport_http_request_duration_seconds; label(i) names a route. */
void metrics_write_requests(const struct metrics *m, struct buf *out,
			    void (*label)(size_t route, struct buf *out));

/* One metric of one value, with its HELP and TYPE lines. type: "counter" or "gauge". */
void metrics_write_value(struct buf *out, const char *name, const char *type, const char *help,
			 int64_t value);

#endif
