#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "http/edge.h"

#define NEVER_MS   ((uint64_t)1 << 60)
#define PHASE_BITS 3
#define PHASE_MASK 7U

/* ---- the clock: phase and deadline in one word ---- */

static uint64_t clock_word(enum phase phase, uint64_t deadline_ms)
{
	return deadline_ms << PHASE_BITS | phase;
}

static enum phase word_phase(uint64_t word)
{
	return (enum phase)(word & PHASE_MASK);
}

static uint64_t word_deadline(uint64_t word)
{
	return word >> PHASE_BITS;
}

enum phase conn_phase(const struct conn *c)
{
	return word_phase(atomic_load_explicit(&c->clock, memory_order_acquire));
}

static bool enter_until(struct conn *c, enum phase phase, uint64_t deadline_ms)
{
	uint64_t old = atomic_load_explicit(&c->clock, memory_order_relaxed);

	do {
		if (word_phase(old) == PHASE_LATE)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		&c->clock, &old, clock_word(phase, deadline_ms), memory_order_acq_rel,
		memory_order_relaxed));
	return true;
}

/* Proxies keep connections for their next request, and do not repeat a POST that meets our closing one. */
int64_t conn_idle_ms(const struct conn *c)
{
	return c->trusted ? c->server->proxy_idle_ms : c->server->idle_ms;
}

bool conn_enter(struct conn *c, enum phase phase, int64_t timeout_ms)
{
	return enter_until(c, phase,
			   timeout_ms < 0 ? NEVER_MS : (uint64_t)(monotonic_ms() + timeout_ms));
}

/* ---- coming and going ---- */

static void list_add(struct conn *c)
{
	struct http_server *s = c->server;

	(void)pthread_mutex_lock(&s->conns_lock);
	c->next = s->conns;
	if (c->next != NULL)
		c->next->prev = c;
	s->conns = c;
	(void)pthread_mutex_unlock(&s->conns_lock);
}

static void list_remove(struct conn *c)
{
	struct http_server *s = c->server;

	(void)pthread_mutex_lock(&s->conns_lock);
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		s->conns = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	(void)pthread_mutex_unlock(&s->conns_lock);
}

struct conn *conn_new(struct http_server *s, int fd, const struct client *peer, bool counted)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->server = s;
	c->fd = fd;
	c->tls = atomic_load(&s->tls.current) != NULL;
	c->counted = counted;
	c->peer = *peer;
	c->trusted = proxies_trust(&s->proxies, peer);
	client_text(peer, c->peer_text);
	wire_init(&c->wire);
	atomic_store(&c->clock, clock_word(PHASE_NEW, NEVER_MS));
	atomic_fetch_add(&s->n_open, 1);
	atomic_fetch_add(&s->n_total, 1);
	list_add(c);
	fd_table_set(fd, c);
	return c;
}

void conn_started(struct conn *c, struct MHD_Connection *mhd)
{
	c->mhd = mhd;
	(void)conn_enter(c, PHASE_FRESH, c->server->head_ms);
}

/* A head that never came to its end is no request, but it is worth a line. */
static void log_late_head(struct conn *c)
{
	const struct http_app *app = &c->server->app;
	uint64_t word = atomic_load(&c->clock);

	if (word_phase(word) == PHASE_LATE && word_deadline(word) == PHASE_HEAD)
		app->done(app->self, &c->req, 408, ERR_TIMEOUT, 0,
			  monotonic_us() - c->req.start_us);
}

void conn_free(struct conn *c)
{
	struct http_server *s = c->server;

	fd_table_set(c->fd, NULL);
	list_remove(c);
	if (c->counted)
		source_give_back(&s->sources, c->peer.addr);
	atomic_fetch_sub(&s->n_open, 1);
	log_late_head(c); /* after list_remove: the keeper is done with it */
	free(c);
}

/* ---- the guard ---- */

static ssize_t send_plain(const struct conn *c, str bytes)
{
	return send(c->fd, bytes.p, bytes.n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static ssize_t send_tls(const struct conn *c, str bytes)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	/* The library's type for the session is void *. */
	return info == NULL
		       ? -1
		       : gnutls_record_send((gnutls_session_t)info->tls_session, bytes.p, bytes.n);
}

/* Renders a refusal; returns the status, 0 when that failed (then the connection just closes). */
static int render_refusal(const struct conn *c, const struct http_request *r, enum err_code code,
			  struct buf *out, struct http_reply *rep)
{
	const struct http_app *app = &c->server->app;
	char mem[REFUSAL_MAX / 2];

	reply_init(rep, mem, sizeof(mem));
	app->refuse(app->self, r, code, 0, rep);
	rep->close = true;
	return reply_raw(r, rep, out).code == ERR_OK ? rep->status : 0;
}

/* Everything before it has been answered, so the socket's buffer is as good as empty: one write. If
 * the peer does not read, it has no claim to an answer. */
void conn_refuse_raw(struct conn *c, enum err_code code)
{
	const struct http_app *app = &c->server->app;
	struct http_request blank, *r = &c->req;
	struct http_reply rep;
	char text[REFUSAL_MAX];
	struct buf out = BUF_OF(text);
	int status;

	c->refusal_sent = true;
	c->linger = true;
	if (!conn_enter(c, PHASE_WRITE, c->server->write_ms))
		return; /* the keeper has had the last word */
	if (c->stage == STAGE_NONE) {
		request_blank(c, &blank);
		blank.origin = wire_origin(&c->wire);
		r = &blank;
	}
	c->logged = true;
	status = render_refusal(c, r, code, &out, &rep);
	if (status != 0)
		(void)(c->tls ? send_tls(c, buf_view(&out)) : send_plain(c, buf_view(&out)));
	app->done(app->self, r, status, code, rep.body.n, monotonic_us() - r->start_us);
}

static void guard_refuses(struct conn *c)
{
	atomic_fetch_add(&c->server->n_guard, 1);
	conn_refuse_raw(c, c->wire.refused);
}

static ssize_t nothing_there(const struct raw_reader *reader)
{
	errno = EAGAIN;
	return reader->again;
}

/* The first byte of a request starts the head's clock; for the first request of a connection it has
 * been running since the connection was accepted. */
static void bytes_arrived(struct conn *c)
{
	uint64_t word = atomic_load_explicit(&c->clock, memory_order_relaxed);

	if (word_phase(word) == PHASE_FRESH)
		(void)enter_until(c, PHASE_HEAD, word_deadline(word));
	else if (word_phase(word) == PHASE_IDLE)
		(void)conn_enter(c, PHASE_HEAD, c->server->head_ms);
}

/* No byte is taken any more: the guard has refused, or the peer has ended. Requests that were whole
 * are answered first, and to the library nothing is there meanwhile; when the last of them is
 * through, it reads again (request_completed sees to it). */
static ssize_t read_no_more(struct conn *c, const struct raw_reader *reader)
{
	if (!c->refusal_sent && c->n_completed < c->wire.n_requests)
		return nothing_there(reader);
	if (!c->refusal_sent && c->wire.refused != ERR_OK)
		guard_refuses(c);
	return 0;
}

/* The library takes a short count for "the socket is empty" and then waits for the next event, so
 * it is read until nothing is there: bytes that the guard left out are made up for, and an end that
 * came together with the last bytes (for which there is no further event) is seen.
 * Of a violation, or an end in the middle of a request, only the requests before it are handed on. */
ssize_t conn_read(struct conn *c, char *buf, size_t n, const struct raw_reader *reader)
{
	size_t have = 0, whole = 0;

	if (c->refusal_sent || c->wire.refused != ERR_OK || c->peer_ended)
		return read_no_more(c, reader);
	while (have < n) {
		ssize_t got = reader->read_some(reader->self, buf + have, n - have);
		struct wire_fed fed;

		c->peer_ended = got == 0 || (got < 0 && got != reader->again);
		if (c->peer_ended)
			return whole > 0 ? (ssize_t)whole : read_no_more(c, reader);
		if (got < 0)
			return have > 0 ? (ssize_t)have : nothing_there(reader);
		bytes_arrived(c);
		if (wire_feed(&c->wire, buf + have, (size_t)got, &fed).code != ERR_OK) {
			whole = fed.whole > 0 ? have + fed.whole : whole;
			return whole > 0 ? (ssize_t)whole : read_no_more(c, reader);
		}
		whole = fed.whole > 0 ? have + fed.whole : whole;
		have += fed.keep;
	}
	return (ssize_t)have;
}

/* ---- the keeper's side: conns_lock is held, so no descriptor is closed meanwhile ---- */

/* A peer that had begun a request is told why, if the socket takes it at once. Past TLS only its
 * loop may write. */
static void say_timeout(struct conn *c, enum phase phase)
{
	struct http_reply rep;
	char text[REFUSAL_MAX];
	struct buf out = BUF_OF(text);

	if (phase != PHASE_HEAD && phase != PHASE_BODY)
		return;
	if (phase == PHASE_HEAD)
		request_blank(c, &c->req);
	if (!c->tls && render_refusal(c, &c->req, ERR_TIMEOUT, &out, &rep) != 0)
		(void)send_plain(c, buf_view(&out));
}

/* Only if the loop has not moved on since `word` was read. */
static bool close_late(struct conn *c, uint64_t word, bool say)
{
	enum phase phase = word_phase(word);

	if (!atomic_compare_exchange_strong_explicit(&c->clock, &word,
						     clock_word(PHASE_LATE, (uint64_t)phase),
						     memory_order_acq_rel, memory_order_relaxed))
		return false;
	if (say) {
		atomic_fetch_add(&c->server->n_deadline, 1);
		say_timeout(c, phase);
	}
	(void)shutdown(c->fd, SHUT_RDWR);
	return true;
}

static bool watched(uint64_t word)
{
	return word_phase(word) != PHASE_NEW && word_phase(word) != PHASE_LATE;
}

/* When connections run short, the longest idle go first: the time an idle one may stay is halved
 * with each tick, and grows back when there is room again. */
static void adapt_idle_limit(struct http_server *s)
{
	bool scarce = atomic_load(&s->n_open) > s->max_connections - s->max_connections / 16;
	int64_t limit = scarce ? s->idle_limit_ms / 2 : s->idle_limit_ms * 2;

	if (limit < TICK_MS)
		limit = TICK_MS;
	s->idle_limit_ms = limit < s->proxy_idle_ms ? limit : s->proxy_idle_ms;
}

static bool is_late(const struct http_server *s, const struct conn *c, uint64_t word, int64_t now_ms)
{
	int64_t deadline = (int64_t)word_deadline(word), given = 0;

	if (word_phase(word) == PHASE_IDLE)
		given = conn_idle_ms(c);
	else if (word_phase(word) == PHASE_FRESH)
		given = s->head_ms;
	if (given > s->idle_limit_ms)
		deadline -= given - s->idle_limit_ms;
	return deadline <= now_ms;
}

void conns_tick(struct http_server *s, int64_t now_ms)
{
	(void)pthread_mutex_lock(&s->conns_lock);
	adapt_idle_limit(s);
	for (struct conn *c = s->conns; c != NULL; c = c->next) {
		uint64_t word = atomic_load_explicit(&c->clock, memory_order_acquire);

		if (watched(word) && is_late(s, c, word, now_ms))
			(void)close_late(c, word, true);
	}
	(void)pthread_mutex_unlock(&s->conns_lock);
}

static bool waits_for_request(uint64_t word)
{
	return word_phase(word) == PHASE_IDLE || word_phase(word) == PHASE_FRESH;
}

size_t conns_close_idle(struct http_server *s)
{
	size_t busy = 0;

	(void)pthread_mutex_lock(&s->conns_lock);
	for (struct conn *c = s->conns; c != NULL; c = c->next) {
		uint64_t word = atomic_load_explicit(&c->clock, memory_order_acquire);

		if (!watched(word))
			continue;
		if (!waits_for_request(word) || !close_late(c, word, false))
			busy++;
	}
	(void)pthread_mutex_unlock(&s->conns_lock);
	return busy;
}

void conns_shut_down_all(struct http_server *s)
{
	(void)pthread_mutex_lock(&s->conns_lock);
	for (struct conn *c = s->conns; c != NULL; c = c->next) {
		if (conn_phase(c) != PHASE_NEW)
			(void)shutdown(c->fd, SHUT_RDWR);
	}
	(void)pthread_mutex_unlock(&s->conns_lock);
}
