/* The server as a whole: starting, accepting, counting, stopping.
 *
 * One keeper thread accepts connections and hands them to the library's loops, closes what is late,
 * and sees off lingering sockets. Accepting ourselves means that limits are applied before anything
 * is spent on a connection, and that stopping needs no help from the library. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/edge.h"

#define ACCEPT_BATCH	 64
#define ACCEPT_PAUSE_MS	 100
#define DEFAULT_MAX_BODY ((size_t)64 * 1024)
#define STOP_GRACE_US	 700000 /* for what still runs when the time-out has passed */
#define STOP_STEP_US	 5000

/* ---- threads of the application ---- */

err_t edge_thread_open(struct http_server *s, enum http_lane lane, struct edge_thread **ret)
{
	struct edge_thread *et = calloc(1, sizeof(*et));
	err_t e = OK;

	REQUIRE(et != NULL, ERR_NO_MEMORY);
	et->server = s;
	et->t.lane = lane;
	et->reply_mem = malloc(HTTP_REPLY_BODY_MAX);
	if (et->reply_mem == NULL)
		e = err_raise(ERR_NO_MEMORY, __FILE__, __LINE__);
	if (e.code == ERR_OK)
		e = arena_init(&et->t.arena, ARENA_DEFAULT_BYTES);
	if (e.code == ERR_OK)
		e = s->app.thread_open(s->app.self, &et->t);
	if (e.code != ERR_OK) {
		arena_clear(&et->t.arena);
		free(et->reply_mem);
		free(et);
		return e;
	}
	*ret = et;
	return OK;
}

void edge_thread_close(struct edge_thread *et)
{
	et->server->app.thread_close(et->server->app.self, &et->t);
	arena_clear(&et->t.arena);
	free(et->reply_mem);
	free(et);
}

static void loop_ends(void *et)
{
	edge_thread_close(et);
}

static err_t worker_open(struct http_server *s, enum http_lane lane, void **ret)
{
	struct edge_thread *et;

	TRY(edge_thread_open(s, lane, &et));
	*ret = et;
	return OK;
}

static err_t pool_worker_open(void *self, void **ret)
{
	return worker_open(self, LANE_POOL, ret);
}

static err_t hash_worker_open(void *self, void **ret)
{
	return worker_open(self, LANE_HASH, ret);
}

static err_t egress_worker_open(void *self, void **ret)
{
	return worker_open(self, LANE_EGRESS, ret);
}

static void worker_close(void *self, void *et)
{
	(void)self;
	edge_thread_close(et);
}

static void worker_run(void *self, void *et, void *job)
{
	(void)self;
	request_run_away(job, et);
}

static void worker_drop(void *self, void *job)
{
	(void)self;
	request_drop_away(job, ERR_STOPPING);
}

static err_t start_pools(struct http_server *s)
{
	struct pool_work work = {
		.self = s,
		.open = pool_worker_open,
		.close = worker_close,
		.run = worker_run,
		.drop = worker_drop,
	};

	TRY(pool_start(&work, s->o.pool_workers, s->o.pool_queue_max, &s->pools[LANE_POOL]));
	/* A lane without workers of its own runs in LANE_POOL. */
	work.open = hash_worker_open;
	if (s->o.hash_workers > 0)
		TRY(pool_start(&work, s->o.hash_workers, s->o.hash_queue_max, &s->pools[LANE_HASH]));
	work.open = egress_worker_open;
	if (s->o.egress_workers > 0)
		TRY(pool_start(&work, s->o.egress_workers, s->o.egress_queue_max, &s->pools[LANE_EGRESS]));
	return OK;
}

/* ---- the library's callbacks ---- */

static struct conn *conn_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info == NULL ? NULL : info->socket_context;
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **context,
			  enum MHD_ConnectionNotificationCode what)
{
	const union MHD_ConnectionInfo *info;
	struct conn *c = *context;
	struct http_server *s = cls;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
		c = info == NULL ? NULL : fd_table_get(info->connect_fd);
		*context = c;
		if (c != NULL)
			conn_started(c, mhd);
		return;
	}
	if (c == NULL)
		return;
	if (c->linger && conn_phase(c) != PHASE_LATE)
		linger_add(&s->lingering, c->fd);
	conn_free(c);
	*context = NULL;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_n, void **context)
{
	struct conn *c = *context == NULL ? conn_of(mhd) : *context;

	(void)cls;
	*context = c;
	return c == NULL ? MHD_NO : request_handle(c, url, method, version, upload, upload_n);
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **context,
			 enum MHD_RequestTerminationCode how)
{
	struct conn *c = *context;

	(void)cls;
	(void)mhd;
	*context = NULL;
	if (c != NULL)
		request_completed(c, how);
}

/* The target stays as it was sent. */
static size_t no_unescape(void *cls, struct MHD_Connection *mhd, char *text)
{
	(void)cls;
	(void)mhd;
	return strlen(text);
}

static int on_certificate(gnutls_session_t session, const gnutls_datum_t *ca_names, int n_ca_names,
			  const gnutls_pk_algorithm_t *algorithms, int n_algorithms,
			  gnutls_pcert_st **ret_certs, unsigned *ret_n, gnutls_privkey_t *ret_key)
{
	struct conn *c = fd_table_get(gnutls_transport_get_int(session));
	struct tls_identity *id = c == NULL ? NULL : atomic_load(&c->server->tls.current);

	(void)ca_names;
	(void)n_ca_names;
	(void)algorithms;
	(void)n_algorithms;
	if (id == NULL)
		return -1;
	*ret_certs = id->certs;
	*ret_n = id->n_certs;
	*ret_key = id->key;
	return 0;
}

/* ---- accepting ---- */

/* REL-16: descriptors are given out lowest first, so a high one means that few are left. */
static bool has_room(const struct http_server *s, int fd)
{
	return atomic_load(&s->n_open) < s->max_connections && fd < s->fd_limit;
}

/* A record left over from a connection that the library dropped before it began (no memory). */
static void forget_stale(int fd)
{
	struct conn *stale = fd_table_get(fd);

	if (stale != NULL)
		conn_free(stale);
}

static bool admit(struct http_server *s, int fd, const struct sockaddr *sa, socklen_t sa_n)
{
	struct client peer;
	struct conn *c;
	bool counted;

	client_of_sockaddr(sa, &peer);
	counted = !peer.is_unix && s->max_per_source > 0 && !proxies_trust(&s->proxies, &peer);
	if (counted && !source_take(&s->sources, peer.addr, s->max_per_source))
		return false;
	c = conn_new(s, fd, &peer, counted);
	if (c == NULL) {
		if (counted)
			source_give_back(&s->sources, peer.addr);
		return false;
	}
	/* From here on the library owns the socket, whatever it answers; and when it answers yes, c
	 * may be gone already. */
	if (MHD_add_connection(s->daemon, fd, sa, sa_n) != MHD_YES)
		conn_free(c);
	return true;
}

/* False when there is nothing (more) to accept now. */
static bool accept_one(struct http_server *s, int64_t *ret_pause_ms)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t n = sizeof(sa);
	int fd = accept4(s->listener.fd, (struct sockaddr *)&sa, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			*ret_pause_ms = ACCEPT_PAUSE_MS;
		return errno == ECONNABORTED || errno == EINTR || errno == EPROTO;
	}
	forget_stale(fd);
	if (!has_room(s, fd) || !admit(s, fd, (struct sockaddr *)&sa, n)) {
		atomic_fetch_add(&s->n_refused, 1);
		/* admit() hands over or leaves the socket alone */
		(void)close(fd);
	}
	return true;
}

/* ---- the keeper ---- */

struct keeper {
	struct http_server *server;
	int64_t tick_ms;   /* the next one */
	int64_t accept_ms; /* not before; when descriptors or memory ran out */
};

static void accept_some(struct keeper *k, int64_t now_ms)
{
	int64_t pause_ms = 0;

	for (int i = 0; i < ACCEPT_BATCH && accept_one(k->server, &pause_ms); i++)
		continue;
	if (pause_ms > 0)
		k->accept_ms = now_ms + pause_ms;
}

static void keep_once(struct keeper *k)
{
	struct http_server *s = k->server;
	int64_t now_ms = monotonic_ms(), wait_ms = k->tick_ms > now_ms ? k->tick_ms - now_ms : 0;
	bool accepting = s->listener.fd >= 0 && now_ms >= k->accept_ms;
	struct pollfd set[2 + LINGER_MAX] = {
		{ .fd = s->wake_fd, .events = POLLIN },
		{ .fd = accepting ? s->listener.fd : -1, .events = POLLIN },
	};
	size_t n = 2 + linger_poll_set(&s->lingering, set + 2);
	uint64_t woken;

	(void)poll(set, n,
		   (int)(wait_ms < ACCEPT_PAUSE_MS || accepting ? wait_ms : ACCEPT_PAUSE_MS));
	now_ms = monotonic_ms();
	if ((set[0].revents & POLLIN) != 0)
		(void)!read(s->wake_fd, &woken, sizeof(woken));
	if (atomic_load(&s->stopping))
		listener_close(&s->listener);
	else if ((set[1].revents & (POLLIN | POLLERR | POLLHUP)) != 0)
		accept_some(k, now_ms);
	linger_run(&s->lingering, now_ms * 1000);
	if (now_ms >= k->tick_ms) {
		conns_tick(s, now_ms);
		k->tick_ms = now_ms + TICK_MS;
	}
}

static void *keeper_main(void *arg)
{
	struct keeper k = { .server = arg, .tick_ms = monotonic_ms() + TICK_MS };

	while (!atomic_load(&k.server->quit))
		keep_once(&k);
	return NULL;
}

static void wake_keeper(struct http_server *s)
{
	uint64_t one = 1;

	(void)!write(s->wake_fd, &one, sizeof(one));
}

/* ---- starting ---- */

static int descriptor_limit(void)
{
	struct rlimit rl = { 0 };
	size_t limit = fd_table_size();

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur < limit)
		limit = (size_t)rl.rlim_cur;
	return (int)(limit > FD_RESERVE ? limit - FD_RESERVE : 0);
}

static void take_settings(struct http_server *s, const struct http_options *o)
{
	const struct config *cfg = o->cfg;

	s->app = *o->app;
	s->o = *o;
	s->o.cfg = NULL;
	s->o.app = NULL;
	s->head_ms = cfg->server.head_timeout_ms;
	s->body_ms = cfg->server.body_timeout_ms;
	s->write_ms = cfg->server.write_timeout_ms;
	s->idle_ms = cfg->server.idle_timeout_ms;
	s->proxy_idle_ms = cfg->server.proxy_idle_timeout_ms > s->idle_ms ? cfg->server.proxy_idle_timeout_ms :
										s->idle_ms;
	s->idle_limit_ms = s->proxy_idle_ms;
	s->max_connections = cfg->server.max_connections;
	s->max_per_source = cfg->server.max_connections_per_ip;
	s->max_body = cfg->server.max_body > 0 ? (size_t)cfg->server.max_body : DEFAULT_MAX_BODY;
	s->fd_limit = descriptor_limit();
}

static err_t say(char *why, size_t why_max, enum err_code code, const char *what)
{
	(void)snprintf(why, why_max, "%s", what);
	return err_raise(code, __FILE__, __LINE__);
}

static err_t prepare(struct http_server *s, const struct http_options *o, char *why, size_t why_max)
{
	str bad = STR_NONE;

	if (fd_table_init().code != ERR_OK)
		return say(why, why_max, ERR_BUG, "reads from sockets do not pass the guard");
	take_settings(s, o);
	if (s->max_connections <= 0 || s->max_connections > 1 << 20)
		return say(why, why_max, ERR_CONFIG, "server.max_connections is out of range");
	if (proxies_init(&s->proxies, &o->cfg->server.trusted_proxies, &bad).code != ERR_OK) {
		(void)snprintf(why, why_max, "server.trusted_proxies: not an address range: %.*s",
			       STR_ARG(bad));
		FAIL(ERR_CONFIG);
	}
	TRY(source_init(&s->sources, (size_t)s->max_connections));
	if (!o->plain && o->cfg->server.tls_cert.n > 0)
		TRY(tls_store_load(&s->tls, o->cfg->server.tls_cert, o->cfg->server.tls_key, why,
				   why_max));
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->wake_fd < 0)
		return say(why, why_max, ERR_IO, "no file descriptor left");
	TRY(listener_open(o->listen, &s->listener, why, why_max));
	memcpy(s->address, s->listener.text, sizeof(s->address));
	return OK;
}

static err_t start_daemon(struct http_server *s)
{
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
			 MHD_USE_NO_LISTEN_SOCKET;
	/* Our own limit comes first; the library divides its by the number of loops. */
	int64_t limit = (s->max_connections + 64) * s->o.io_threads;
	struct MHD_OptionItem more[4] = { 0 };
	size_t n = 0;

	if (s->o.io_threads > 1)
		more[n++] = (struct MHD_OptionItem){ MHD_OPTION_THREAD_POOL_SIZE, s->o.io_threads,
						     NULL };
	if (atomic_load(&s->tls.current) != NULL) {
		flags |= MHD_USE_TLS;
		more[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0,
						     (void *)(uintptr_t)TLS_PRIORITIES };
		more[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_CERT_CALLBACK, 0,
						     (void *)(uintptr_t)on_certificate };
	}
	more[n] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
	s->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, on_request, s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)POOL_BYTES, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)(limit < INT32_MAX ? limit : INT32_MAX), MHD_OPTION_CONNECTION_TIMEOUT,
		0U, MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_NOTIFY_COMPLETED,
		on_completed, s, MHD_OPTION_UNESCAPE_CALLBACK, no_unescape, s,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, more, MHD_OPTION_END);
	REQUIRE(s->daemon != NULL, ERR_IO);
	return OK;
}

static err_t run_all(struct http_server *s, char *why, size_t why_max)
{
	if (start_pools(s).code != ERR_OK)
		return say(why, why_max, ERR_IO, "the request workers could not be started");
	if (start_daemon(s).code != ERR_OK)
		return say(why, why_max, ERR_IO, "the HTTP library could not be started");
	if (pthread_create(&s->keeper, NULL, keeper_main, s) != 0)
		return say(why, why_max, ERR_IO, "no thread left");
	return OK;
}

static bool stop_pools(struct http_server *s, int64_t deadline_us)
{
	bool all = true;

	for (size_t i = 0; i < N_LANES; i++) {
		if (s->pools[i] != NULL)
			pool_refuse_rest(s->pools[i]);
	}
	for (size_t i = 0; i < N_LANES; i++) {
		if (s->pools[i] != NULL && !pool_stop(s->pools[i], deadline_us))
			all = false;
	}
	return all;
}

/* Also of a server that was only half made: what is not there is skipped. */
static void server_free(struct http_server *s)
{
	(void)stop_pools(s, INT64_MAX);
	if (s->daemon != NULL)
		MHD_stop_daemon(s->daemon);
	for (size_t i = 0; i < N_LANES; i++)
		pool_free(s->pools[i]);
	while (s->conns != NULL)
		conn_free(s->conns); /* handed over, but never begun */
	listener_close(&s->listener);
	if (s->wake_fd >= 0)
		(void)close(s->wake_fd);
	linger_clear(&s->lingering);
	tls_store_clear(&s->tls);
	proxies_clear(&s->proxies);
	source_clear(&s->sources);
	(void)pthread_key_delete(s->loop_key);
	(void)pthread_mutex_destroy(&s->conns_lock);
	free(s);
}

static struct http_server *server_new(void)
{
	struct http_server *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->listener.fd = -1;
	s->wake_fd = -1;
	(void)pthread_mutex_init(&s->conns_lock, NULL);
	linger_init(&s->lingering);
	if (pthread_key_create(&s->loop_key, loop_ends) != 0) {
		linger_clear(&s->lingering);
		free(s);
		return NULL;
	}
	return s;
}

err_t http_server_start(const struct http_options *o, struct http_server **ret, char *why,
			size_t why_max)
{
	struct http_server *s = server_new();
	err_t e;

	(void)snprintf(why, why_max, "out of memory");
	REQUIRE(s != NULL, ERR_NO_MEMORY);
	e = prepare(s, o, why, why_max);
	if (e.code == ERR_OK)
		e = run_all(s, why, why_max);
	if (e.code != ERR_OK) {
		server_free(s);
		return e;
	}
	why[0] = '\0';
	*ret = s;
	return OK;
}

str http_server_address(const struct http_server *s)
{
	return str_of_cstr(s->address);
}

void http_server_stats(const struct http_server *s, struct http_stats *ret)
{
	struct pool_counts counts;

	*ret = (struct http_stats){
		.connections_open = atomic_load(&s->n_open),
		.connections_total = atomic_load(&s->n_total),
		.connections_refused = atomic_load(&s->n_refused),
		.deadline_closes = atomic_load(&s->n_deadline),
		.guard_refusals = atomic_load(&s->n_guard),
	};
	for (size_t lane = LANE_POOL; lane <= LANE_EGRESS; lane++) {
		if (s->pools[lane] == NULL)
			continue;
		pool_count(s->pools[lane], &counts);
		ret->queue_depth[lane] = counts.queued;
		ret->queue_refusals[lane] = counts.refused;
		ret->busy_workers[lane] = counts.busy;
	}
	ret->queue_refusals[LANE_HASH] += atomic_load(&s->n_not_admitted);
}

err_t http_server_reload_tls(struct http_server *s, const struct config *cfg, char *why,
			     size_t why_max)
{
	if (atomic_load(&s->tls.current) == NULL)
		return OK; /* whether there is TLS at all is decided at the start */
	return tls_store_load(&s->tls, cfg->server.tls_cert, cfg->server.tls_key, why, why_max);
}

/* ---- stopping ---- */

static void nap(int64_t us)
{
	struct timespec ts = { .tv_nsec = us * 1000 };

	(void)nanosleep(&ts, NULL);
}

/* Idle connections go at once, busy ones after their reply; true when none is left in time. */
static bool drain(struct http_server *s, int64_t deadline_us)
{
	while (conns_close_idle(s) > 0) {
		if (monotonic_us() >= deadline_us)
			return false;
		nap(STOP_STEP_US);
	}
	return true;
}

static void stop_keeper(struct http_server *s)
{
	atomic_store(&s->quit, true);
	wake_keeper(s);
	(void)pthread_join(s->keeper, NULL);
}

bool http_server_stop(struct http_server *s, int64_t timeout_ms)
{
	int64_t deadline_us = monotonic_us() + timeout_ms * 1000;
	bool finished;

	atomic_store(&s->stopping, true);
	wake_keeper(s);
	finished = drain(s, deadline_us);
	if (!finished) {
		deadline_us = monotonic_us() + STOP_GRACE_US;
		log_event(LOG_WARN, "stop_cuts_requests", LOG_INT("after_ms", timeout_ms));
	}
	stop_keeper(s);
	if (!stop_pools(s, deadline_us)) {
		/* A handler holds its connection and the memory behind it; taking them away would
		 * be worse than leaving them to the end of the process. */
		log_event(LOG_ERROR, "stop_handler_stuck", LOG_INT("after_ms", timeout_ms));
		conns_shut_down_all(s);
		return false;
	}
	if (!finished)
		(void)drain(s, monotonic_us() + STOP_GRACE_US / 7);
	server_free(s);
	return finished;
}
