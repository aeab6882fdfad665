/* One request through the edge: the head becomes a record, the application plans it, the body is
 * collected, and the request runs in the loop or away from it.
 *
 * Lifetime of a request that runs away (HT13): the library does not free a suspended connection,
 * and does not even look at its socket, until it is resumed. A worker resumes it as the last thing
 * it does, and the loop is the only one to touch it after that. So there is no handle that could be
 * stale: either the worker has the connection or the loop has. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/edge.h"
#include "http/path.h"
#include "http/request_id.h"

#define CHUNKED_START 1024
#define RETRY_AFTER_S 1
/* A peer that closes its sending side right after the request may still want the answer; one that
 * has done so and waited this long in a queue has most likely given up. */
#define GONE_AFTER_US 50000

/* ---- headers ---- */

static str find_header(const struct conn *c, str name)
{
	const char *value;
	size_t value_n;

	if (MHD_lookup_connection_value_n(c->mhd, MHD_HEADER_KIND, name.p, name.n, &value,
					  &value_n) != MHD_YES ||
	    value == NULL)
		return STR_NONE;
	return str_trim((str){ value, value_n });
}

str http_header(const struct http_request *r, const char *name)
{
	const struct conn *c = r->conn;
	char marked[32] = WIRE_COOKIE_PREFIX;
	size_t n = strlen(name);

	if (c == NULL || c->mhd == NULL)
		return STR_NONE;
	if (strncmp(name, "cookie", 6) != 0)
		return find_header(c, (str){ name, n });
	if (n >= sizeof(marked))
		return STR_NONE;
	memcpy(marked + 6, name + 6, n - 6); /* the guard has renamed it: see WIRE_MARK */
	return find_header(c, (str){ marked, n });
}

struct gather {
	str name;
	struct client_values *into;
};

static enum MHD_Result gather_one(void *cls, enum MHD_ValueKind kind, const char *key, size_t key_n,
				  const char *value, size_t value_n)
{
	const struct gather *g = cls;

	(void)kind;
	if (value == NULL || !str_eq_nocase((str){ key, key_n }, g->name))
		return MHD_YES;
	if (g->into->n < CLIENT_VALUES_MAX)
		g->into->items[g->into->n] = (str){ value, value_n };
	g->into->n++;
	return MHD_YES;
}

static void gather(struct conn *c, str name, struct client_values *ret)
{
	struct gather g = { name, ret };

	*ret = (struct client_values){ 0 };
	(void)MHD_get_connection_values_n(c->mhd, MHD_HEADER_KIND, gather_one, &g);
}

/* ---- the record ---- */

static void set_peer(struct conn *c, struct http_request *r)
{
	memcpy(r->client_addr, c->peer.addr, sizeof(r->client_addr));
	memcpy(r->client_ip, c->peer_text, sizeof(r->client_ip));
	r->tls = c->tls;
}

/* A proxy that is not trusted makes one client of all; said once, as clients can send the header too. */
static void say_untrusted(struct conn *c)
{
	struct http_server *s = c->server;

	if (s->proxies.n > 0 || s->proxies.trust_unix || atomic_load_explicit(&s->said_untrusted, memory_order_relaxed) ||
	    find_header(c, STR("x-forwarded-for")).p == NULL || atomic_exchange(&s->said_untrusted, true))
		return;
	log_event(LOG_WARN, "proxy_not_trusted", LOG_CSTR("peer", c->peer_text),
		  LOG_CSTR("to_do", "if that is your proxy, name it in server.trusted_proxies"));
}

static void set_client(struct conn *c, struct http_request *r)
{
	struct client_values forwarded_for, forwarded_proto, forwarded;
	struct client who;

	set_peer(c, r);
	if (!c->trusted) {
		say_untrusted(c);
		return;
	}
	r->proxied = true;
	gather(c, STR("x-forwarded-for"), &forwarded_for);
	gather(c, STR("x-forwarded-proto"), &forwarded_proto);
	gather(c, STR("forwarded"), &forwarded);
	client_find(&c->server->proxies, &c->peer, &forwarded_for, &forwarded_proto, &forwarded,
		    &who);
	memcpy(r->client_addr, who.addr, sizeof(r->client_addr));
	client_text(&who, r->client_ip);
	r->tls = c->tls || who.https;
}

void request_blank(struct conn *c, struct http_request *r)
{
	const struct http_options *o = &c->server->o;

	*r = (struct http_request){ .now_ms = o->now_ms(o->now_self), .start_us = monotonic_us() };
	request_id_make(r->now_ms, r->request_id);
	set_peer(c, r);
}

static enum http_method method_of(str text)
{
	static const struct {
		const char *name;
		enum http_method method;
	} rows[] = {
		{ "GET", METHOD_GET },	       { "POST", METHOD_POST },
		{ "HEAD", METHOD_HEAD },       { "PUT", METHOD_PUT },
		{ "DELETE", METHOD_DELETE },   { "PATCH", METHOD_PATCH },
		{ "OPTIONS", METHOD_OPTIONS },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (str_eq(text, str_of_cstr(rows[i].name)))
			return rows[i].method;
	}
	return METHOD_OTHER;
}

/* ---- the target: RFC 9112 §3.2 ---- */

/* Puts back each '?' that the guard hid from the library. The text is const to us, but it is the
 * library's read buffer, which it writes to itself; the target is not used by it any more. */
static void unmark(const char *url, size_t n)
{
	char *p = (char *)(uintptr_t)url, *end = p + n;

	while (p < end && (p = memchr(p, WIRE_MARK, (size_t)(end - p))) != NULL)
		*p++ = '?';
}

static err_t absolute_form(const struct http_request *r, str rest, str *ret_path, str *ret_query)
{
	size_t n = 0;
	str origin;

	while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
		n++;
	REQUIRE(n > 0 && str_eq_nocase((str){ rest.p, n }, http_header(r, "host")),
		ERR_BAD_REQUEST);
	origin = str_skip(rest, n);
	if (origin.n > 0 && origin.p[0] == '/')
		return path_check(origin, ret_path, ret_query);
	REQUIRE(!str_has_byte(origin, '#'), ERR_BAD_REQUEST);
	*ret_path = STR("/");
	*ret_query = origin.n > 0 ? str_skip(origin, 1) : STR_NONE;
	return OK;
}

static err_t read_target(struct http_request *r, str target)
{
	if (target.n > 0 && target.p[0] == '/')
		return path_check(target, &r->path, &r->query);
	if (str_eq(target, STR("*"))) {
		REQUIRE(r->method == METHOD_OPTIONS, ERR_BAD_REQUEST);
		r->path = target;
		return OK;
	}
	if (str_eq_nocase((str){ target.p, target.n < 7 ? target.n : 7 }, STR("http://")))
		return absolute_form(r, str_skip(target, 7), &r->path, &r->query);
	if (str_eq_nocase((str){ target.p, target.n < 8 ? target.n : 8 }, STR("https://")))
		return absolute_form(r, str_skip(target, 8), &r->path, &r->query);
	FAIL(ERR_BAD_REQUEST);
}

/* ---- replies ---- */

/* What the library has left for the head of the reply. Bytes of further requests that are already
 * in its buffer take room too; how many, only the guard knows, so then the worst is assumed. */
static size_t reply_room(struct conn *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	int fields = MHD_get_connection_values(c->mhd, MHD_HEADER_KIND, NULL, NULL);
	bool alone = c->wire.n_requests <= c->n_completed + 1 && wire_between(&c->wire);
	size_t used = POOL_READ_MAX;

	if (alone && info != NULL && info->header_size + 256 < used)
		used = info->header_size + 256;
	return POOL_BYTES - used - (size_t)fields * POOL_FIELD;
}

static size_t headers_size(const struct http_reply *rep)
{
	size_t n = 512; /* those of every answer */

	for (size_t i = 0; i < rep->n_headers && i < HTTP_REPLY_HEADERS_MAX; i++)
		n += rep->headers[i].value.n + 64;
	return n;
}

static err_t make_response(struct conn *c, struct http_reply *rep)
{
	size_t room = headers_size(rep) < POOL_REPLY_MIN ? POOL_REPLY_MIN : reply_room(c);

	TRY(reply_response(&c->req, rep, room, &c->response));
	c->status = rep->status;
	c->error = rep->error;
	c->reply_bytes = c->req.method == METHOD_HEAD ? 0 : rep->fixed.n > 0 ? rep->fixed.n : rep->body.n;
	return OK;
}

static void make_refusal(struct conn *c, enum err_code code, int64_t retry_after_s, bool close)
{
	const struct http_app *app = &c->server->app;
	struct http_reply rep;
	char mem[REFUSAL_MAX / 2];

	reply_init(&rep, mem, sizeof(mem));
	app->refuse(app->self, &c->req, code, retry_after_s, &rep);
	rep.close = close || atomic_load(&c->server->stopping);
	rep.error = code;
	if (make_response(c, &rep).code != ERR_OK)
		c->response = NULL; /* then the connection is closed */
}

/* The reply of a handler, or the refusal that takes its place. */
static void make_reply(struct conn *c, struct http_reply *rep)
{
	err_t e;

	rep->close = rep->close || atomic_load(&c->server->stopping);
	e = make_response(c, rep);
	if (e.code != ERR_OK)
		make_refusal(c, e.code, 0, true);
}

static enum MHD_Result queue_response(struct conn *c)
{
	struct MHD_Response *response = c->response;
	enum MHD_Result ok = MHD_NO;

	c->response = NULL;
	c->stage = STAGE_QUEUED;
	if (response == NULL)
		return MHD_NO;
	if (conn_enter(c, PHASE_WRITE, c->server->write_ms))
		ok = MHD_queue_response(c->mhd, (unsigned)c->status, response);
	MHD_destroy_response(response);
	return ok;
}

/* Answered before the body was read: the library closes afterwards. */
static enum MHD_Result refuse_early(struct conn *c, enum err_code code)
{
	c->linger = c->req.has_body;
	make_refusal(c, code, 0, true);
	return queue_response(c);
}

static enum MHD_Result refuse(struct conn *c, enum err_code code, int64_t retry_after_s)
{
	make_refusal(c, code, retry_after_s, false);
	return queue_response(c);
}

/* ---- head ---- */

static void body_free(struct conn *c)
{
	if (c->body != NULL)
		explicit_bzero(c->body, c->body_n);
	free(c->body);
	c->body = NULL;
	c->body_n = c->body_cap = 0;
}

/* RFC 9110 §10.1.1: the only expectation there is. On HTTP/1.0 the field has no meaning. */
static err_t check_expectation(str expect, const char *version)
{
	REQUIRE(expect.p == NULL || strcmp(version, MHD_HTTP_VERSION_1_0) == 0 ||
			str_eq_nocase(expect, STR("100-continue")),
		ERR_EXPECTATION);
	return OK;
}

static err_t plan_body(struct conn *c, const struct http_plan *plan)
{
	str length = find_header(c, STR("content-length"));
	uint64_t announced = 0;

	c->body_max = plan->body_max > 0 ? plan->body_max : c->server->max_body;
	if (!c->req.has_body)
		return OK;
	if (length.p == NULL)
		announced = c->body_max < CHUNKED_START ? c->body_max : CHUNKED_START;
	else
		REQUIRE(str_to_u64(length, UINT64_MAX, &announced), ERR_BAD_REQUEST);
	REQUIRE(announced <= c->body_max, ERR_BODY_TOO_LARGE);
	if (announced == 0)
		return OK;
	c->body = malloc((size_t)announced);
	REQUIRE(c->body != NULL, ERR_NO_MEMORY);
	c->body_cap = (size_t)announced;
	return OK;
}

static err_t read_head(struct conn *c, const char *url, const char *method, const char *version)
{
	const struct http_app *app = &c->server->app;
	struct http_request *r = &c->req;
	struct http_plan plan = { 0 };
	size_t url_n = strlen(url);

	r->conn = c;
	r->method_text = (str){ method, strnlen(method, WIRE_METHOD_MAX) };
	r->method = method_of(r->method_text);
	r->has_body = find_header(c, STR("content-length")).p != NULL ||
		      find_header(c, STR("transfer-encoding")).p != NULL;
	set_client(c, r);
	unmark(url, url_n);
	TRY(read_target(r, (str){ url, url_n }));
	TRY(check_expectation(find_header(c, STR("expect")), version));
	app->plan(app->self, r, &plan);
	c->lane = plan.lane;
	if (plan.refuse != ERR_OK)
		return (err_t){ plan.refuse };
	return plan_body(c, &plan);
}

/* The clock first: until it says PHASE_RUN the record may be the keeper's. */
static enum MHD_Result begin(struct conn *c, const char *url, const char *method,
			     const char *version)
{
	err_t e;

	if (!conn_enter(c, PHASE_RUN, -1))
		return MHD_NO;
	request_blank(c, &c->req);
	c->stage = STAGE_HEAD;
	c->logged = false;
	c->status = 0;
	e = read_head(c, url, method, version);
	if (e.code != ERR_OK)
		return refuse_early(c, e.code);
	if (c->req.has_body && !conn_enter(c, PHASE_BODY, c->server->body_ms))
		return MHD_NO;
	return MHD_YES;
}

/* ---- body ---- */

static err_t grow_body(struct conn *c, size_t wanted)
{
	size_t cap = c->body_cap * 2;
	char *more;

	REQUIRE(wanted <= c->body_max, ERR_BODY_TOO_LARGE);
	if (cap < wanted)
		cap = wanted;
	if (cap > c->body_max)
		cap = c->body_max;
	more = malloc(cap);
	REQUIRE(more != NULL, ERR_NO_MEMORY);
	if (c->body_n > 0) {
		memcpy(more, c->body, c->body_n);
		explicit_bzero(c->body, c->body_n); /* realloc would leave a copy behind */
	}
	free(c->body);
	c->body = more;
	c->body_cap = cap;
	return OK;
}

/* There is no way to queue a reply in the middle of a body, so a refusal goes out past the library.
 */
static enum MHD_Result take_body(struct conn *c, const char *bytes, size_t n)
{
	err_t e = OK;

	if (n > c->body_cap - c->body_n)
		e = grow_body(c, c->body_n + n);
	if (e.code != ERR_OK) {
		conn_refuse_raw(c, e.code);
		return MHD_NO;
	}
	memcpy(c->body + c->body_n, bytes, n);
	c->body_n += n;
	return MHD_YES;
}

/* ---- run ---- */

/* False: the application wants the request in LANE_POOL. */
static bool run(struct conn *c, struct edge_thread *et)
{
	const struct http_app *app = &c->server->app;
	struct http_reply rep;
	bool handled;

	reply_init(&rep, et->reply_mem, HTTP_REPLY_BODY_MAX);
	c->req.lane = et->t.lane;
	handled = app->handle(app->self, &et->t, &c->req, &rep);
	if (handled)
		make_reply(c, &rep);
	explicit_bzero(et->reply_mem, rep.body.n);
	arena_reset(&et->t.arena);
	return handled;
}

static err_t loop_thread(struct http_server *s, struct edge_thread **ret)
{
	struct edge_thread *et = pthread_getspecific(s->loop_key);

	if (et == NULL) {
		TRY(edge_thread_open(s, LANE_LOOP, &et));
		if (pthread_setspecific(s->loop_key, et) != 0) {
			edge_thread_close(et);
			FAIL(ERR_NO_MEMORY);
		}
	}
	*ret = et;
	return OK;
}

static struct pool *lane_pool(const struct conn *c)
{
	struct pool *own = c->server->pools[c->lane];

	return own != NULL ? own : c->server->pools[LANE_POOL];
}

static bool admitted(struct conn *c, int64_t *ret_retry_after_s)
{
	const struct http_options *o = &c->server->o;
	struct pool_counts counts;

	if (c->lane != LANE_HASH || o->hash_admit == NULL)
		return true;
	pool_count(lane_pool(c), &counts);
	if (o->hash_admit(o->hash_admit_self, counts.queued, ret_retry_after_s))
		return true;
	atomic_fetch_add(&c->server->n_not_admitted, 1);
	return false;
}

static enum MHD_Result send_away(struct conn *c)
{
	struct pool *pool = lane_pool(c);
	int64_t retry_after_s = RETRY_AFTER_S;

	if (!admitted(c, &retry_after_s) || !pool_reserve(pool))
		return refuse(c, atomic_load(&c->server->stopping) ? ERR_STOPPING : ERR_OVERLOAD,
			      retry_after_s);
	c->stage = STAGE_AWAY;
	c->queued_us = monotonic_us();
	/* Suspended first: a worker may be done before pool_push() returns. */
	MHD_suspend_connection(c->mhd);
	pool_push(pool, c);
	return MHD_YES;
}

static enum MHD_Result body_complete(struct conn *c)
{
	struct edge_thread *et = NULL;
	err_t e;

	if (c->req.has_body && !conn_enter(c, PHASE_RUN, -1))
		return MHD_NO;
	c->req.body = c->body == NULL ? STR_NONE : (str){ c->body, c->body_n };
	if (c->lane == LANE_LOOP) {
		e = loop_thread(c->server, &et);
		if (e.code != ERR_OK)
			return refuse(c, e.code, RETRY_AFTER_S);
		if (run(c, et))
			return queue_response(c);
		c->lane = LANE_POOL;
	}
	return send_away(c);
}

enum MHD_Result request_handle(struct conn *c, const char *url, const char *method,
			       const char *version, const char *upload, size_t *upload_n)
{
	size_t n = *upload_n;

	*upload_n = 0;
	switch (c->stage) {
	case STAGE_NONE: return begin(c, url, method, version);
	case STAGE_HEAD: return n > 0 ? take_body(c, upload, n) : body_complete(c);
	case STAGE_AWAY: break; /* the library does not call us then */
	case STAGE_READY: return queue_response(c);
	case STAGE_QUEUED: break;
	}
	return MHD_NO;
}

/* ---- away: in a worker ---- */

static bool client_gone(const struct conn *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLRDHUP };

	if (poll(&p, 1, 0) <= 0)
		return false;
	if ((p.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
		return true;
	return (p.revents & POLLRDHUP) != 0 && monotonic_us() - c->queued_us > GONE_AFTER_US;
}

static void come_back(struct conn *c)
{
	c->stage = STAGE_READY;
	MHD_resume_connection(c->mhd);
}

void request_run_away(struct conn *c, struct edge_thread *et)
{
	/* Outside LANE_LOOP the application has no "run me again": that would be its bug. */
	if (!client_gone(c) && !run(c, et))
		make_refusal(c, ERR_BUG, 0, true);
	come_back(c);
}

void request_drop_away(struct conn *c, enum err_code code)
{
	make_refusal(c, code, RETRY_AFTER_S, true);
	come_back(c);
}

/* ---- end ---- */

static void log_end(struct conn *c, bool complete)
{
	const struct http_app *app = &c->server->app;
	bool late = conn_phase(c) == PHASE_LATE;
	int status = complete ? c->status : late && c->status == 0 ? 408 : 499;

	app->done(app->self, &c->req, status,
		  complete ? c->error
		  : late   ? ERR_TIMEOUT
			   : ERR_OK,
		  complete ? c->reply_bytes : 0, monotonic_us() - c->req.start_us);
}

void request_completed(struct conn *c, enum MHD_RequestTerminationCode how)
{
	if (c->stage != STAGE_NONE && !c->logged)
		log_end(c, how == MHD_REQUEST_TERMINATED_COMPLETED_OK && c->stage == STAGE_QUEUED);
	body_free(c);
	if (c->response != NULL)
		MHD_destroy_response(c->response);
	c->response = NULL;
	c->stage = STAGE_NONE;
	c->n_completed++;
	if (wire_between(&c->wire))
		(void)conn_enter(c, PHASE_IDLE, conn_idle_ms(c));
	else
		(void)conn_enter(c, PHASE_HEAD, c->server->head_ms);
	/* All that came in is answered, and nothing more will come: the guard has a refusal to write,
	 * or the peer has ended. The library does not know and would wait for more bytes: the end of
	 * input makes it read again. */
	if (((c->wire.refused != ERR_OK && !c->refusal_sent) || c->peer_ended) &&
	    c->n_completed >= c->wire.n_requests)
		(void)shutdown(c->fd, SHUT_RD);
}
