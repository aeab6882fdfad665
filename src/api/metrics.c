#include "api/metrics.h"

#include <stdlib.h>

/* Upper bounds of the buckets in microseconds; the last bucket is open. */
static const int64_t bounds_us[] = { 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000,
				     500000, 1000000, 2500000, 10000000 };
static const char *const bounds_text[] = { "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025",
					   "0.05", "0.1", "0.25", "0.5", "1", "2.5", "10" };
#define N_BOUNDS  (sizeof(bounds_us) / sizeof(bounds_us[0]))
#define N_CLASSES 6 /* by first digit; 0: the client had gone */

struct row {
	atomic_llong by_class[N_CLASSES];
	atomic_llong bucket[N_BOUNDS + 1];
	atomic_llong sum_us;
};

struct metrics {
	size_t n;
	struct row row[];
};

err_t metrics_new(size_t n_routes, struct metrics **ret)
{
	struct metrics *m = calloc(1, sizeof(*m) + (n_routes + 1) * sizeof(m->row[0]));

	REQUIRE(m != NULL, ERR_NO_MEMORY);
	m->n = n_routes + 1;
	*ret = m;
	return OK;
}

void metrics_free(struct metrics *m)
{
	free(m);
}

static void add(atomic_llong *what, int64_t n)
{
	atomic_fetch_add_explicit(what, n, memory_order_relaxed);
}

void metrics_add(struct metrics *m, size_t route, int status, int64_t duration_us)
{
	struct row *r = &m->row[route];
	size_t b = 0;

	while (b < N_BOUNDS && duration_us > bounds_us[b])
		b++;
	add(&r->by_class[status >= 100 && status < 600 && status != 499 ? status / 100 : 0], 1);
	add(&r->bucket[b], 1);
	add(&r->sum_us, duration_us);
}

static int64_t get(const atomic_llong *what)
{
	return atomic_load_explicit(what, memory_order_relaxed);
}

static void write_counts(const struct metrics *m, struct buf *out,
			 void (*label)(size_t route, struct buf *out))
{
	static const char *const class_name[N_CLASSES] = { "gone", "1xx", "2xx", "3xx", "4xx", "5xx" };

	buf_lit(out, "# HELP sallyport_http_requests_total Requests answered.\n"
		     "# TYPE sallyport_http_requests_total counter\n");
	for (size_t i = 0; i < m->n; i++) {
		for (size_t k = 0; k < N_CLASSES; k++) {
			if (get(&m->row[i].by_class[k]) == 0)
				continue;
			buf_lit(out, "sallyport_http_requests_total{route=\"");
			label(i, out);
			buf_printf(out, "\",status=\"%s\"} %lld\n", class_name[k],
				   (long long)get(&m->row[i].by_class[k]));
		}
	}
}

static void write_histogram(const struct row *r, size_t i, struct buf *out,
			    void (*label)(size_t route, struct buf *out))
{
	int64_t total = 0;

	for (size_t b = 0; b <= N_BOUNDS; b++) {
		total += get(&r->bucket[b]);
		buf_lit(out, "sallyport_http_request_duration_seconds_bucket{route=\"");
		label(i, out);
		buf_printf(out, "\",le=\"%s\"} %lld\n", b == N_BOUNDS ? "+Inf" : bounds_text[b],
			   (long long)total);
	}
	buf_lit(out, "sallyport_http_request_duration_seconds_sum{route=\"");
	label(i, out);
	buf_printf(out, "\"} %.6f\n", (double)get(&r->sum_us) / 1e6);
	buf_lit(out, "sallyport_http_request_duration_seconds_count{route=\"");
	label(i, out);
	buf_printf(out, "\"} %lld\n", (long long)total);
}

static bool unused(const struct row *r)
{
	for (size_t b = 0; b <= N_BOUNDS; b++) {
		if (get(&r->bucket[b]) > 0)
			return false;
	}
	return true;
}

void metrics_write_requests(const struct metrics *m, struct buf *out,
			    void (*label)(size_t route, struct buf *out))
{
	write_counts(m, out, label);
	buf_lit(out, "# HELP sallyport_http_request_duration_seconds From complete head to reply.\n"
		     "# TYPE sallyport_http_request_duration_seconds histogram\n");
	for (size_t i = 0; i < m->n; i++) {
		if (!unused(&m->row[i]))
			write_histogram(&m->row[i], i, out, label);
	}
}

void metrics_write_value(struct buf *out, const char *name, const char *type, const char *help,
			 int64_t value)
{
	buf_printf(out, "# HELP sallyport_%s %s\n# TYPE sallyport_%s %s\nsallyport_%s %lld\n", name, help,
		   name, type, name, (long long)value);
}
