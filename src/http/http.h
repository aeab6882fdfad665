/* http.h — the border between the HTTP edge (this folder) and the application (api/).
 *
 * The edge owns sockets, framing, deadlines, threads and queues; it knows no route, no token and
 * no database. It reaches the application through struct http_app, set up by app/wire.c. */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/err.h"
#include "base/str.h"

enum http_method {
	METHOD_UNSET = 0,
	METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,
	METHOD_PUT,
	METHOD_PATCH,
	METHOD_DELETE,
	METHOD_OPTIONS,
	METHOD_OTHER, /* anything else: answered 405 or 404 by the application */
};

/* Where a request's handler runs. */
enum http_lane {
	LANE_UNSET = 0,
	LANE_LOOP, /* inside the I/O loop: memory, or one indexed read of the embedded store */
	LANE_POOL, /* a worker: writes, anything that may wait */
	LANE_HASH, /* a worker of its own small pool: password hashing; a storm there stays there */
	LANE_EGRESS, /* the same for what waits for other services */
};
#define N_LANES 5

#define REQUEST_ID_LEN   26 /* characters; made by the edge: time-ordered, 80 random bits */
#define CLIENT_ADDR_LEN  16 /* IPv4 as ::ffff:a.b.c.d; a Unix-socket peer is all zero */

struct http_request {
	enum http_method method;
	str method_text;       /* as sent, at most 16 bytes (cut) */
	str path;              /* raw, checked by path_check(): no escapes of / \ . NUL, no dot segments,
	                        * no "//", valid UTF-8 after decoding; starts with '/'; no query */
	str query;             /* raw, after the first '?'; STR_NONE without one */
	str body;              /* whole body; n == 0 without one */
	bool has_body;         /* Content-Length or chunked was announced */
	char request_id[REQUEST_ID_LEN + 1];
	uint8_t client_addr[CLIENT_ADDR_LEN]; /* after trusted_proxies */
	char client_ip[46];    /* the same as text: "203.0.113.7", "2001:db8::1", "unix" */
	bool proxied;          /* the peer is a trusted proxy: what it forwards is believed */
	bool tls;              /* this connection, or the trusted proxy said so */
	int64_t now_ms;        /* wall clock, read once when the head was complete */
	int64_t start_us;      /* monotonic, the same instant */
	enum http_lane lane;   /* where it is running now */
	int64_t user_id;       /* set by http_app.handle for the access log; 0 = nobody */
	str origin;            /* of a head that was refused before it was parsed; else ask http_header */
	void *conn;            /* the edge's own */
	const void *route;     /* set by http_app.plan, read back by http_app.handle and .done */
	str route_params[4];   /* raw path segments bound to {…}, set by plan */
};

/* The value of a request header (name in lower case), trimmed; STR_NONE when absent. The edge has
 * already refused duplicates of Host, Content-Length, Transfer-Encoding, Authorization,
 * Content-Type, X-Auth-Strategy, Cookie and Expect; of any other field that repeats this is the
 * first. Borrowed until the request ends. */
str http_header(const struct http_request *r, const char *name);

#define HTTP_REPLY_HEADERS_MAX 28
struct http_reply {
	int status;            /* 0 until somebody decides */
	struct buf body;       /* HTTP_REPLY_BODY_MAX bytes of the thread, given by the edge, not zeroed */
	str fixed;             /* n > 0: the body instead, not copied: static, or kept until `release` */
	void (*release)(void *held); /* called once, from any thread, when nobody reads `fixed` any more */
	void *held;
	const char *content_type; /* default "application/json; charset=utf-8"; static text */
	struct {
		const char *name; /* static text */
		str value;        /* arena or static; refused (ERR_BUG) with CR, LF or NUL */
	} headers[HTTP_REPLY_HEADERS_MAX];
	size_t n_headers;
	bool close;            /* close the connection afterwards */
	enum err_code error;   /* for the log and metrics; ERR_OK on success */
};
#define HTTP_REPLY_BODY_MAX ((size_t)128 * 1024)

void http_reply_header(struct http_reply *rep, const char *name, str value);

/* Per-thread state of the application (database connection, token cache). */
struct http_thread {
	struct arena arena;    /* reset by the edge after each request */
	enum http_lane lane;   /* LANE_LOOP for I/O loops */
	void *app_state;       /* from http_app.thread_open */
};

struct http_plan {
	enum http_lane lane;
	size_t body_max;       /* 0: a request with a body of any length > 0 is still read up to max_body */
	enum err_code refuse;  /* not ERR_OK: answer with app->refuse at once, body unread, and close */
};

/* What the edge asks of the application. All functions may be called from several threads. */
struct http_app {
	void *self;

	/* Called in each thread once, before its first request / at its end. */
	MUST_USE err_t (*thread_open)(void *self, struct http_thread *t);
	void (*thread_close)(void *self, struct http_thread *t);

	/* The head is complete and passed the guard: which lane, how much body? Must not block. */
	void (*plan)(void *self, struct http_request *r, struct http_plan *ret);

	/* The body is complete: answer. Always leaves a whole reply. In LANE_LOOP it may instead
	 * return false: "run me again in LANE_POOL" (then rep is discarded). */
	bool (*handle)(void *self, struct http_thread *t, struct http_request *r,
		       struct http_reply *rep);

	/* Render a refusal of the edge itself (413, 431, 503, …) in the product's error shape.
	 * retry_after_s > 0 adds Retry-After. Needs no thread state: rep->body is its only memory. */
	void (*refuse)(void *self, const struct http_request *r, enum err_code code,
		       int64_t retry_after_s, struct http_reply *rep);

	/* The reply has been handed to the socket or the client has gone (status 499):
	 * access log and metrics. bytes: body bytes of the reply. Also for what the guard refused
	 * and for heads that took too long (408): then only request_id, the client and the times
	 * are set, method is METHOD_UNSET and route NULL. */
	void (*done)(void *self, const struct http_request *r, int status, enum err_code error,
		     size_t bytes, int64_t duration_us);
};

/* Counters of the edge, for /metrics. All plain snapshots. */
struct http_stats {
	int64_t connections_open, connections_total, connections_refused;
	int64_t deadline_closes;
	int64_t guard_refusals;
	int64_t queue_depth[N_LANES]; /* by lane */
	int64_t queue_refusals[N_LANES];
	int64_t busy_workers[N_LANES];
};

struct http_server;

/* Opens the listener, starts loops and workers. `cfg` supplies server.*; hash_workers and
 * hash_queue_max size LANE_HASH. `listen` is cfg->server.listen or the ops listener's address.
 * On failure writes one clear line into `why` (for the console) and returns ERR_IO or ERR_CONFIG. */
struct http_options {
	const struct config *cfg;
	str listen;
	const struct http_app *app;
	int64_t io_threads;     /* resolved, >= 1 */
	int64_t pool_workers, pool_queue_max;
	int64_t hash_workers, hash_queue_max; /* hash_workers 0: LANE_HASH runs in LANE_POOL */
	int64_t egress_workers, egress_queue_max; /* the same for LANE_EGRESS */
	/* May a request still enter LANE_HASH? Asked when one arrives; false → 503 with Retry-After. */
	bool (*hash_admit)(void *self, int64_t queued, int64_t *ret_retry_after_s);
	void *hash_admit_self;
	int64_t (*now_ms)(void *self); /* wall clock */
	void *now_self;
	bool plain;             /* no TLS here, whatever server.tls_* says (the ops listener) */
};
MUST_USE err_t http_server_start(const struct http_options *o, struct http_server **ret, char *why,
				 size_t why_max);

/* The bound address as "127.0.0.1:3000" or "unix:/path" (port resolved when 0 was asked). */
str http_server_address(const struct http_server *s);
void http_server_stats(const struct http_server *s, struct http_stats *ret);

/* New PEM files after a reload: connections accepted from now on use them. */
MUST_USE err_t http_server_reload_tls(struct http_server *s, const struct config *cfg, char *why,
				      size_t why_max);

/* Stop accepting, let requests finish for at most timeout_ms (running and queued ones; each answer
 * says "Connection: close"), then answer what is still queued with 503, close everything, free. Takes
 * at most one second more. True if everything had finished by itself. If a handler hangs beyond that
 * second, nothing it might use is taken from it: its worker, the loops and the server stay until the
 * process ends, which should be soon, and without tearing down what handlers use (false, and
 * "stop_handler_stuck" in the log). */
bool http_server_stop(struct http_server *s, int64_t timeout_ms);

#endif
