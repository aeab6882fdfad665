/* edge.h — what the files of this folder share: the server and one connection. Not for others.
 *
 * Who touches a connection: its I/O loop (the library's thread that owns the socket); while the
 * connection is suspended, the one worker that runs its request; and the keeper thread, which only
 * reads `clock` and shuts sockets down, under conns_lock. */
#ifndef HTTP_EDGE_H
#define HTTP_EDGE_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "http/client_addr.h"
#include "http/http.h"
#include "http/linger.h"
#include "http/listen.h"
#include "http/pool.h"
#include "http/source.h"
#include "http/tls.h"
#include "http/wire.h"

/* The library's memory per connection, resident once used, for a request's head, one 48-byte record
 * per field and the head of the reply. Its read buffer takes half at first and stays below
 * POOL_READ_MAX while a head may be WIRE_HEAD_MAX long, so a head at every limit of the guard still
 * leaves POOL_REPLY_MIN for the reply: the library never has to refuse a head itself. */
#define POOL_BYTES     16384
#define POOL_READ_MAX  (POOL_BYTES / 2 + 1024 + 256)
#define POOL_FIELD     64
#define POOL_REPLY_MIN (POOL_BYTES - POOL_READ_MAX - WIRE_FIELDS_MAX * POOL_FIELD)

#define TICK_MS        250
#define FD_RESERVE     32 /* descriptors that connections may not take: store, log, files */
#define HEADER_MAX     8192
#define REFUSAL_MAX    4096

/* What a connection is waiting for. */
enum phase {
	PHASE_NEW = 0, /* not yet taken over by a loop */
	PHASE_FRESH,   /* for its first byte at all (or the TLS handshake) */
	PHASE_IDLE,    /* for the first byte of a further request */
	PHASE_HEAD,
	PHASE_BODY,
	PHASE_RUN,     /* for us; no deadline */
	PHASE_WRITE,   /* for the peer to take the reply */
	PHASE_LATE,    /* the keeper has shut the socket down; final */
};

enum stage {
	STAGE_NONE = 0,
	STAGE_HEAD,   /* planned; the body may be arriving */
	STAGE_AWAY,   /* suspended, with a pool */
	STAGE_READY,  /* the reply is in `response` */
	STAGE_QUEUED, /* handed to the library */
};

struct conn {
	struct http_server *server;
	struct conn *prev, *next;   /* in server->conns */
	struct MHD_Connection *mhd; /* NULL until a loop has taken over */
	int fd;
	bool tls, counted, trusted;
	struct client peer;
	char peer_text[46];

	/* phase in the lowest 3 bits, above them the deadline (monotonic ms), so that one atomic
	 * exchange decides between the loop and the keeper; with PHASE_LATE: the phase before. */
	_Atomic uint64_t clock;

	struct wire wire;
	uint64_t n_completed;       /* requests, as against wire.n_requests that came in */
	bool peer_ended;            /* it sends nothing any more */
	bool refusal_sent;          /* the guard has had the last word: nothing is read any more */
	bool linger;                /* the peer may still be sending when we close */

	/* The request being served. */
	enum stage stage;
	struct http_request req;
	enum http_lane lane;
	int64_t queued_us;
	char *body;
	size_t body_n, body_cap, body_max;
	bool logged;

	struct MHD_Response *response;
	int status;
	enum err_code error;
	size_t reply_bytes;
};

struct http_server {
	struct http_app app;
	struct http_options o; /* cfg is not kept: it may be replaced while we run */
	int64_t head_ms, body_ms, write_ms, idle_ms;
	int64_t proxy_idle_ms; /* never less than idle_ms */
	int64_t max_connections, max_per_source;
	size_t max_body;
	int fd_limit;

	struct MHD_Daemon *daemon;
	struct listener listener;
	char address[128];
	struct proxies proxies;
	struct tls_store tls;
	struct pool *pools[N_LANES]; /* LANE_POOL; and LANE_HASH, if it has workers of its own */
	pthread_key_t loop_key; /* struct edge_thread of each I/O loop */

	pthread_t keeper;
	int wake_fd;
	atomic_bool stopping, quit;
	atomic_bool said_untrusted; /* X-Forwarded-For came, and nobody is trusted */

	pthread_mutex_t conns_lock;
	struct conn *conns;
	int64_t idle_limit_ms;  /* below idle_ms while connections are scarce */
	struct source_table sources;
	struct linger_list lingering;

	atomic_llong n_open, n_total, n_refused, n_deadline, n_guard, n_not_admitted;
};

/* One thread's state towards the application. */
struct edge_thread {
	struct http_server *server;
	struct http_thread t;
	char *reply_mem; /* HTTP_REPLY_BODY_MAX bytes */
};
MUST_USE err_t edge_thread_open(struct http_server *s, enum http_lane lane,
				struct edge_thread **ret);
void edge_thread_close(struct edge_thread *et);

/* ---- intercept.c ---- */

/* Faults: ERR_NO_MEMORY; ERR_BUG when this program was linked so that the library's reads do not
 * pass the guard. */
MUST_USE err_t fd_table_init(void);
size_t fd_table_size(void);
void fd_table_set(int fd, struct conn *c);
struct conn *fd_table_get(int fd);

/* ---- conn.c ---- */

int64_t conn_idle_ms(const struct conn *c); /* that it may stay open between two requests */

/* Registers the descriptor and counts it; freed by conn_free. NULL: no memory. */
struct conn *conn_new(struct http_server *s, int fd, const struct client *peer, bool counted);
void conn_started(struct conn *c, struct MHD_Connection *mhd);
void conn_free(struct conn *c);

/* Enter a phase that must end in time (timeout_ms < 0: whenever). False: the keeper was faster. */
bool conn_enter(struct conn *c, enum phase phase, int64_t timeout_ms);
enum phase conn_phase(const struct conn *c);

/* Reading through the guard. `read_some` is recv or its TLS brother; `again` is what it says when
 * nothing is there. */
struct raw_reader {
	ssize_t (*read_some)(void *self, void *buf, size_t n);
	void *self;
	ssize_t again;
};
ssize_t conn_read(struct conn *c, char *buf, size_t n, const struct raw_reader *reader);

/* Write a whole refusal to the socket, past the library, log it, and read nothing any more. */
void conn_refuse_raw(struct conn *c, enum err_code code);

/* Deadlines and scarce connections; in the keeper, every TICK_MS. */
void conns_tick(struct http_server *s, int64_t now_ms);
/* Stopping: close what waits for a request; returns how many are busy with one. */
size_t conns_close_idle(struct http_server *s);
void conns_shut_down_all(struct http_server *s);

/* ---- reply.c ---- */

void reply_init(struct http_reply *rep, char *mem, size_t max);
/* The reply as the library's object, with the headers every answer has. The body is copied, and
 * wiped with the object; rep->fixed is not copied, and released with it, or at once when there is none. room: bytes its head may take.
 * Refusals: ERR_HEADERS_TOO_LARGE. Faults: ERR_BUG (a header or status that must not be sent),
 * ERR_NO_MEMORY. */
MUST_USE err_t reply_response(const struct http_request *r, const struct http_reply *rep,
			      size_t room, struct MHD_Response **ret);
/* The same as bytes, to be followed by closing. */
MUST_USE err_t reply_raw(const struct http_request *r, const struct http_reply *rep,
			 struct buf *out);

/* ---- request.c ---- */

enum MHD_Result request_handle(struct conn *c, const char *url, const char *method,
			       const char *version, const char *upload, size_t *upload_n);
void request_completed(struct conn *c, enum MHD_RequestTerminationCode how);
/* For pools: run or refuse the request of a suspended connection, and resume it. */
void request_run_away(struct conn *c, struct edge_thread *et);
void request_drop_away(struct conn *c, enum err_code code);
/* A record for refusals that belong to no request. */
void request_blank(struct conn *c, struct http_request *r);

#endif
