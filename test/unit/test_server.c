/* The HTTP edge from outside: a small application behind it, real sockets in front of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/http.h"

#define PATIENCE_MS 10000

static void nap_ms(long ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	(void)nanosleep(&ts, NULL);
}

/* ---- the application ---- */

static struct {
	atomic_int threads, handled, done, running;
	atomic_bool gate_shut; /* "/slow", and in the loop "/hold", wait while it is */
	atomic_int last_status, last_error, gone;
	atomic_bool refuse_hash;
} app;

static bool becomes(const atomic_int *v, int want)
{
	for (int i = 0; i < PATIENCE_MS && atomic_load(v) != want; i++)
		nap_ms(1);
	return atomic_load(v) == want;
}

static err_t app_thread_open(void *self, struct http_thread *t)
{
	(void)self;
	t->app_state = &app;
	atomic_fetch_add(&app.threads, 1);
	return OK;
}

static void app_thread_close(void *self, struct http_thread *t)
{
	(void)self;
	if (t->app_state != &app)
		abort();
	atomic_fetch_sub(&app.threads, 1);
}

static void app_plan(void *self, struct http_request *r, struct http_plan *ret)
{
	(void)self;
	ret->lane = LANE_LOOP;
	if (str_eq(r->path, STR("/pool")) || str_eq(r->path, STR("/slow")))
		ret->lane = LANE_POOL;
	if (str_eq(r->path, STR("/hash")))
		ret->lane = LANE_HASH;
	if (str_eq(r->path, STR("/small")))
		ret->body_max = 8;
	if (str_eq(r->path, STR("/never")))
		ret->refuse = ERR_METHOD;
}

static void answer(struct http_request *r, struct http_reply *rep)
{
	str cookie = http_header(r, "cookie");

	rep->status = 200;
	buf_printf(&rep->body, "%.*s %.*s", STR_ARG(r->method_text), STR_ARG(r->path));
	buf_printf(&rep->body, " query=%.*s", (int)r->query.n, r->query.n > 0 ? r->query.p : "");
	buf_printf(&rep->body, " lane=%d ip=%s tls=%d", (int)r->lane, r->client_ip, r->tls);
	buf_printf(&rep->body, " cookie=%.*s", (int)cookie.n, cookie.n > 0 ? cookie.p : "");
	buf_printf(&rep->body, " body=%zu:", r->body.n);
	buf_str(&rep->body, r->body);
}

static void wait_for_gate(void)
{
	atomic_fetch_add(&app.running, 1);
	while (atomic_load(&app.gate_shut))
		nap_ms(1);
	atomic_fetch_sub(&app.running, 1);
}

static void odd_answers(struct http_request *r, struct http_reply *rep)
{
	static char long_value[9000];

	if (str_eq(r->path, STR("/big"))) {
		rep->body.n = HTTP_REPLY_BODY_MAX;
		memset(rep->body.p, 'b', rep->body.n);
	}
	if (str_eq(r->path, STR("/split")))
		http_reply_header(rep, "X-Reflected", STR("a\r\nSet-Cookie: evil=1"));
	if (str_eq(r->path, STR("/nul")))
		http_reply_header(rep, "X-Reflected", ((str){ "a\0b", 3 }));
	if (str_eq(r->path, STR("/long"))) {
		memset(long_value, 'l', sizeof(long_value));
		http_reply_header(rep, "X-Long", ((str){ long_value, sizeof(long_value) }));
	}
	if (str_eq(r->path, STR("/long-location"))) {
		memset(long_value, 'l', sizeof(long_value));
		http_reply_header(rep, "Location", ((str){ long_value, 8000 }));
	}
	if (str_eq(r->path, STR("/location")))
		http_reply_header(rep, "Location", STR("/\xc3\xa4?a b"));
	if (str_eq(r->path, STR("/framing")))
		http_reply_header(rep, "Content-Length", STR("5"));
	for (int i = 0; str_eq(r->path, STR("/many")) && i <= HTTP_REPLY_HEADERS_MAX; i++)
		http_reply_header(rep, "X-One", STR("1"));
	if (str_eq(r->path, STR("/cached"))) {
		http_reply_header(rep, "Cache-Control", STR("public, max-age=60"));
		http_reply_header(rep, "Cross-Origin-Resource-Policy", STR("cross-origin"));
	}
	if (str_eq(r->path, STR("/close")))
		rep->close = true;
	if (str_eq(r->path, STR("/empty"))) {
		rep->status = 204;
		rep->body.n = 0;
	}
}

static bool app_handle(void *self, struct http_thread *t, struct http_request *r,
		       struct http_reply *rep)
{
	(void)self;
	if (t->app_state != &app || arena_new(&t->arena, char, 1000) == NULL)
		abort();
	if (r->lane == LANE_LOOP && str_eq(r->path, STR("/again")))
		return false;
	if (str_eq(r->path, STR("/slow")) || str_eq(r->path, STR("/hold")))
		wait_for_gate();
	answer(r, rep);
	odd_answers(r, rep);
	atomic_fetch_add(&app.handled, 1);
	return true;
}

static int status_of(enum err_code code)
{
	switch ((int)code) {
	case ERR_BODY_TOO_LARGE: return 413;
	case ERR_URI_TOO_LONG: return 414;
	case ERR_HEADERS_TOO_LARGE: return 431;
	case ERR_EXPECTATION: return 417;
	case ERR_TIMEOUT: return 408;
	case ERR_METHOD: return 405;
	case ERR_OVERLOAD:
	case ERR_STOPPING: return 503;
	case ERR_BUG: return 500;
	default: return 400;
	}
}

static void app_refuse(void *self, const struct http_request *r, enum err_code code,
		       int64_t retry_after_s, struct http_reply *rep)
{
	(void)self;
	(void)r;
	rep->status = status_of(code);
	rep->error = code;
	buf_printf(&rep->body, "{\"code\":\"%s\"}", err_name(code));
	if (retry_after_s > 0)
		http_reply_header(rep, "Retry-After", retry_after_s == 7 ? STR("7") : STR("1"));
}

static void app_done(void *self, const struct http_request *r, int status, enum err_code error,
		     size_t bytes, int64_t duration_us)
{
	(void)self;
	(void)bytes;
	if (strlen(r->request_id) != REQUEST_ID_LEN || r->client_ip[0] == '\0' || duration_us < 0)
		abort();
	atomic_store(&app.last_status, status);
	atomic_store(&app.last_error, (int)error);
	atomic_fetch_add(&app.gone, status == 499);
	atomic_fetch_add(&app.done, 1);
}

static const struct http_app callbacks = { NULL,       app_thread_open, app_thread_close, app_plan,
					   app_handle, app_refuse,	app_done };

static int64_t wall_ms(void *self)
{
	(void)self;
	return clock_now_ms(clock_system);
}

static bool admit_hash(void *self, int64_t queued, int64_t *ret_retry_after_s)
{
	(void)self;
	(void)queued;
	*ret_retry_after_s = 7;
	return !atomic_load(&app.refuse_hash);
}

/* ---- the server under test ---- */

static struct config settings(void)
{
	struct config cfg = { 0 };

	cfg.server.max_connections = 2000;
	cfg.server.max_connections_per_ip = 2000;
	cfg.server.max_body = 65536;
	cfg.server.head_timeout_ms = 5000;
	cfg.server.body_timeout_ms = 5000;
	cfg.server.write_timeout_ms = 5000;
	cfg.server.idle_timeout_ms = 5000;
	return cfg;
}

static struct http_server *try_start(const struct config *cfg, const char *listen,
				     int64_t io_threads, char *why, size_t why_max)
{
	struct http_options o = {
		.cfg = cfg,
		.listen = str_of_cstr(listen),
		.app = &callbacks,
		.io_threads = io_threads,
		.pool_workers = 2,
		.pool_queue_max = 2,
		.hash_workers = 1,
		.hash_queue_max = 2,
		.hash_admit = admit_hash,
		.now_ms = wall_ms,
	};
	struct http_server *s = NULL;

	return http_server_start(&o, &s, why, why_max).code == ERR_OK ? s : NULL;
}

static struct http_server *start_at(const struct config *cfg, const char *listen,
				    int64_t io_threads)
{
	char why[256] = "";
	struct http_server *s;

	memset(&app, 0, sizeof(app)); /* not in try_start: another server may be running beside it */
	s = try_start(cfg, listen, io_threads, why, sizeof(why));
	if (s == NULL)
		fail_msg("%s", why);
	return s;
}

static struct http_server *start(const struct config *cfg)
{
	return start_at(cfg, "127.0.0.1:0", 2);
}

static void stop(struct http_server *s)
{
	assert_true(http_server_stop(s, 3000));
	assert_int_equal(atomic_load(&app.threads), 0);
}

/* ---- a client ---- */

static int dial(const struct http_server *s)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	str host, port, address = http_server_address(s);
	struct timeval tv = { .tv_sec = PATIENCE_MS / 1000 };
	uint64_t number = 0;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_true(str_cut(address, ':', &host, &port));
	assert_true(str_to_u64(port, 65535, &number));
	in.sin_port = htons((uint16_t)number);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (const struct sockaddr *)&in, sizeof(in)), 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	return fd;
}

/* False when the server has closed the connection. */
static bool send_some(int fd, const char *text, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		text += sent;
		n -= (size_t)sent;
	}
	return true;
}

static void say(int fd, const char *text)
{
	assert_true(send_some(fd, text, strlen(text)));
}

/* One answer; status 0 at the end of the connection, -1 after a reset or a time-out. */
struct reply {
	int status;
	char head[16384];
	char body[HTTP_REPLY_BODY_MAX + 1];
	size_t body_n;
};

static bool read_exactly(int fd, char *p, size_t n)
{
	while (n > 0) {
		ssize_t got = read(fd, p, n);

		if (got <= 0)
			return false;
		p += got;
		n -= (size_t)got;
	}
	return true;
}

static struct reply *hear_answer(int fd, bool has_body)
{
	static _Thread_local struct reply r;
	const char *length;
	size_t n = 0;
	ssize_t got;

	memset(&r, 0, sizeof(r));
	do {
		got = read(fd, r.head + n, 1);
		if (got <= 0) {
			r.status = got == 0 && n == 0 ? 0 : -1;
			return &r;
		}
		n++;
		assert_true(n < sizeof(r.head));
	} while (n < 4 || memcmp(r.head + n - 4, "\r\n\r\n", 4) != 0);
	assert_memory_equal(r.head, "HTTP/1.1 ", 9);
	r.status = (int)strtol(r.head + 9, NULL, 10);
	length = strstr(r.head, "\r\nContent-Length: ");
	r.body_n = has_body && length != NULL ? strtoul(length + 18, NULL, 10) : 0;
	assert_true(r.body_n < sizeof(r.body));
	if (!read_exactly(fd, r.body, r.body_n))
		r.status = -1;
	return &r;
}

static struct reply *hear(int fd)
{
	return hear_answer(fd, true);
}

static void assert_heard(int fd, int status, const char *body_part)
{
	struct reply *r = hear(fd);

	if (r->status != status || (body_part != NULL && strstr(r->body, body_part) == NULL))
		fail_msg("wanted %d with \"%s\", got %d:\n%s%s", status,
			 body_part == NULL ? "" : body_part, r->status, r->head, r->body);
}

static void assert_closed(int fd)
{
	struct reply *r = hear(fd);

	if (r->status != 0)
		fail_msg("still open, status %d: %s%s", r->status, r->head, r->body);
	(void)close(fd);
}

static bool has_line(const struct reply *r, const char *line)
{
	const char *at = strstr(r->head, line);

	return at != NULL && at >= r->head + 2 && at[-1] == '\n' &&
	       strncmp(at + strlen(line), "\r\n", 2) == 0;
}

#define H "\r\nHost: test.example\r\n"

/* One request on a connection of its own. */
static void assert_answer(const struct http_server *s, const char *request, int status,
			  const char *part)
{
	int fd = dial(s);

	say(fd, request);
	assert_heard(fd, status, part);
	(void)close(fd);
}

/* ---- answers ---- */

static void every_answer_has_the_headers_of_every_answer(void **state)
{
	static const char *const paths[] = { "/loop", "/pool", "/hash", "/split", "/never", "/.." };
	struct config cfg = settings();
	struct http_server *s = start(&cfg);
	char request[128];

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int fd = dial(s);
		struct reply *r;

		(void)snprintf(request, sizeof(request), "GET %s HTTP/1.1" H "\r\n", paths[i]);
		say(fd, request);
		r = hear(fd);
		assert_true(r->status > 0);
		assert_true(has_line(r, "X-Content-Type-Options: nosniff"));
		assert_true(has_line(r, "Cache-Control: no-store"));
		assert_true(has_line(r, "Referrer-Policy: no-referrer"));
		assert_true(has_line(r, "Cross-Origin-Resource-Policy: same-origin"));
		assert_true(has_line(r, "Content-Type: application/json; charset=utf-8"));
		assert_non_null(strstr(r->head, "\r\nX-Request-Id: "));
		assert_non_null(strstr(r->head, "\r\nDate: "));
		assert_null(strstr(r->head, "\r\nServer:"));
		assert_null(strstr(r->head, "Strict-Transport-Security"));
		(void)close(fd);
	}
	stop(s);
}

static void a_reply_may_set_its_own_caching_and_sharing(void **state)
{
	struct config cfg = settings();
	struct http_server *s = start(&cfg);
	int fd = dial(s);
	struct reply *r;

	(void)state;
	say(fd, "GET /cached HTTP/1.1" H "\r\n");
	r = hear(fd);
	assert_true(has_line(r, "Cache-Control: public, max-age=60"));
	assert_null(strstr(r->head, "no-store"));
	assert_true(has_line(r, "Cross-Origin-Resource-Policy: cross-origin"));
	assert_null(strstr(r->head, "same-origin"));
	(void)close(fd);
	stop(s);
}

static void HT16_a_reply_cannot_be_split(void **state)
{
	static const char *const paths[] = { "/split", "/nul", "/long", "/framing", "/many" };
	struct config cfg = settings();
	struct http_server *s = start(&cfg);
	char request[128];
	struct reply *r;
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		fd = dial(s);
		(void)snprintf(request, sizeof(request), "GET %s HTTP/1.1" H "\r\n", paths[i]);
		say(fd, request);
		r = hear(fd);
		assert_int_equal(r->status, 500);
		assert_null(strstr(r->head, "evil"));
		assert_null(strstr(r->head, "X-Reflected"));
		(void)close(fd);
	}
	fd = dial(s);
	say(fd, "GET /location HTTP/1.1" H "\r\n");
	assert_true(has_line(hear(fd), "Location: /%C3%A4?a%20b"));
	(void)close(fd);
	stop(s);
}

static void a_connection_serves_many_requests(void **state)
{
	struct config cfg = settings();
	struct http_server *s = start(&cfg);
	int fd = dial(s);
	char id[64] = "", *at;

	(void)state;
	for (int i = 0; i < 50; i++) {
		struct reply *r;

		say(fd, i % 3 == 0 ? "GET /pool HTTP/1.1" H "\r\n" : "GET /loop HTTP/1.1" H "\r\n");
		r = hear(fd);
		assert_int_equal(r->status, 200);
		at = strstr(r->head, "X-Request-Id: ");
		assert_non_null(at);
		assert_memory_not_equal(id, at + 14, REQUEST_ID_LEN);
		memcpy(id, at + 14, REQUEST_ID_LEN);
	}
	(void)close(fd);
	stop(s);
	assert_int_equal(atomic_load(&app.done), 50);
}

static void a_connection_ends_when_either_side_asks(void **state)
{
	struct config cfg = settings();
	struct http_server *s = start(&cfg);
	int fd = dial(s);

	(void)state;
	say(fd, "GET /close HTTP/1.1" H "\r\n");
	assert_true(has_line(hear(fd), "Connection: close"));
	assert_closed(fd);
	fd = dial(s);
	say(fd, "GET /loop HTTP/1.1" H "Connection: close\r\n\r\n");
	assert_heard(fd, 200, "/loop");
	assert_closed(fd);
	fd = dial(s);
	say(fd, "GET /loop HTTP/1.0\r\n\r\n");
	assert_heard(fd, 200, "/loop");
	assert_closed(fd);
	stop(s);
}

static void a_request_runs_in_its_lane(void **state)
{
	struct config cfg = settings();
	struct http_server *s = start(&cfg);

	(void)state;
	assert_answer(s, "GET /loop HTTP/1.1" H "\r\n", 200, "lane=1");
	assert_answer(s, "GET /pool HTTP/1.1" H "\r\n", 200, "lane=2");
	assert_answer(s, "GET /hash HTTP/1.1" H "\r\n", 200, "lane=3");
	assert_answer(s, "POST /again HTTP/1.1" H "Content-Length: 5\r\n\r\nhello", 200,
		      "lane=2 ip=127.0.0.1 tls=0 cookie= body=5:hello");
	stop(s);
}

static void targets_arrive_as_they_were_sent(void **state)
{
	struct config cfg = settings();
	struct http_server *s = start(&cfg);

	(void)state;
	assert_answer(s, "GET /a%40b?x=%41+1&y=?&z HTTP/1.1" H "Cookie: a=b; c=\"d,e\"\r\n\r\n",
		      200,
		      "GET /a%40b query=x=%41+1&y=?&z lane=1 ip=127.0.0.1 tls=0 cookie=a=b; "
		      "c=\"d,e\" body=0:");
	assert_answer(s, "GET /a? HTTP/1.1" H "\r\n", 200, "GET /a query= ");
	assert_answer(s, "DELETE /a HTTP/1.1" H "\r\n", 200, "DELETE /a");
	assert_answer(s, "BREW /a HTTP/1.1" H "\r\n", 200, "BREW /a");
	stop(s);
}

static void HT05_bad_targets_are_refused_before_anything_runs(void **state)
{
	static const char *const targets[] = { "/a//b",
					       "/a/../b",
					       "/%2e%2e",
					       "/a%2fb",
					       "/a;b",
					       "/%00",
					       "/%ff",
					       "a",
					       "*",
					       "a:80",
					       "ftp://test.example/" };
	struct config cfg = settings();
	struct http_server *s = start(&cfg);
	char request[128];

	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		(void)snprintf(request, sizeof(request), "GET %s HTTP/1.1" H "\r\n", targets[i]);
		assert_answer(s, request, 400, "bad_request");
	}
	assert_int_equal(atomic_load(&app.handled), 0);
	stop(s);
}

static void HT04_an_absolute_target_must_agree_with_host(void **state)
{
	struct config cfg = settings();
	struct http_server *s = start(&cfg);

	(void)state;
	assert_answer(s, "GET http://test.example/a?b HTTP/1.1" H "\r\n", 200, "GET /a query=b ");
	assert_answer(s, "GET HTTP://TEST.example HTTP/1.1" H "\r\n", 200, "GET / query= ");
	assert_answer(s, "GET http://test.example?x HTTP/1.1" H "\r\n", 200, "GET / query=x ");
	assert_answer(s, "GET http://other.example/a HTTP/1.1" H "\r\n", 400, "bad_request");
	assert_answer(s, "GET http://test.example:80/a HTTP/1.1" H "\r\n", 400, "bad_request");
	assert_answer(s, "GET http:///a HTTP/1.1" H "\r\n", 400, "bad_request");
	assert_answer(s, "GET http://test.example/../a HTTP/1.1" H "\r\n", 400, "bad_request");
	assert_answer(s, "OPTIONS * HTTP/1.1" H "\r\n", 200, "OPTIONS * ");
	stop(s);
}

static void HT19_head_is_get_without_a_body(void **state)
{
	struct config cfg = settings();
	struct http_server *s = start(&cfg);
	int fd = dial(s);
	struct reply *r;

	(void)state;
	say(fd, "HEAD /loop HTTP/1.1" H "\r\nGET /empty HTTP/1.1" H "\r\nHEAD /pool HTTP/1.1" H
		"\r\nGET /loop HTTP/1.1" H "\r\n");
	r = hear_answer(fd, false);
	assert_int_equal(r->status, 200);
	assert_null(strstr(r->head, "Content-Length: 0"));
	r = hear(fd);
	assert_int_equal(r->status, 204);
	assert_null(strstr(r->head, "\r\nContent-"));
	assert_int_equal(hear_answer(fd, false)->status, 200);
	assert_heard(fd, 200, "GET /loop");
	(void)close(fd);
	stop(s);
}

/* ---- bodies ---- */

static void bodies_arrive_whole(void **state)
{
	struct config cfg = settings();
	struct http_server *s = start(&cfg);
	int fd = dial(s);

	(void)state;
	say(fd, "POST /pool HTTP/1.1" H "Content-Length: 10\r\n\r\n01234");
	nap_ms(20);
	say(fd, "56789");
	assert_heard(fd, 200, "body=10:0123456789");
	say(fd, "POST /loop HTTP/1.1" H "Content-Length: 0\r\n\r\n");
	assert_heard(fd, 200, "body=0:");
	say(fd, "POST /loop HTTP/1.1" H "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n");
	nap_ms(20);
	say(fd, "5;x=y\r\n56789\r\n0\r\nHost: evil\r\n\r\n");
	assert_heard(fd, 200, "body=10:0123456789");
	say(fd, "GET /loop HTTP/1.1" H "\r\n");
	assert_heard(fd, 200, "body=0:");
	(void)close(fd);
	stop(s);
}

/* Also with every line, chunk size and trailer cut in the middle. */
static void HT02_a_chunked_request_in_single_bytes_is_the_same_request(void **state)
{
	static const char text[] =
		"\r\nPOST /pool?a?b HTTP/1.1" H "Cookie: c=d\r\nTransfer-Encoding: chunked\r\n\r\n"
		"00a;x\r\n0123456789\r\n1\r\n!\r\n0\r\nT: u\r\nV: w\r\n\r\n";
	struct config cfg = settings();
	struct http_server *s = start(&cfg);
	int fd = dial(s);

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < sizeof(text) - 1; i++) {
			assert_true(send_some(fd, text + i, 1));
			nap_ms(1);
		}
		assert_heard(fd, 200,
			     "POST /pool query=a?b lane=2 ip=127.0.0.1 tls=0 cookie=c=d "
			     "body=11:0123456789!");
	}
	(void)close(fd);
	stop(s);
}

static void the_largest_body_passes_and_one_byte_more_does_not(void **state)
{
	static char body[65537];
	struct config cfg = settings();
	struct http_server *s = start(&cfg);
	int fd = dial(s);

	(void)state;
	memset(body, 'x', sizeof(body));
	say(fd, "POST /pool HTTP/1.1" H "Content-Length: 65536\r\n\r\n");
	assert_true(send_some(fd, body, 65536));
	assert_heard(fd, 200, "body=65536:x");
	say(fd, "POST /pool HTTP/1.1" H "Transfer-Encoding: chunked\r\n\r\n10000\r\n");
	assert_true(send_some(fd, body, 65536));
	say(fd, "\r\n0\r\n\r\n");
	assert_heard(fd, 200, "body=65536:x");
	say(fd, "POST /pool HTTP/1.1" H "Content-Length: 65537\r\n\r\n");
	assert_heard(fd, 413, "body_too_large");
	assert_closed(fd);
	assert_answer(s, "POST /small HTTP/1.1" H "Content-Length: 8\r\n\r\n12345678", 200,
		      "body=8:");
	assert_answer(s, "POST /small HTTP/1.1" H "Content-Length: 9\r\n\r\n", 413,
		      "body_too_large");
	stop(s);
}

static void REL19_a_client_that_sends_too_much_hears_why(void **state)
{
	static char megabyte[1 << 20];
	struct config cfg = settings();
	struct http_server *s = start(&cfg);
	int fd;

	(void)state;
	fd = dial(s);
	say(fd, "POST /pool HTTP/1.1" H "Content-Length: 1048576\r\n\r\n");
	(void)send_some(fd, megabyte, sizeof(megabyte)); /* the whole of it, before listening */
	assert_heard(fd, 413, "body_too_large");
	assert_closed(fd);
	fd = dial(s);
	say(fd, "POST /pool HTTP/1.1" H "Transfer-Encoding: chunked\r\n\r\n100000\r\n");
	(void)send_some(fd, megabyte, sizeof(megabyte));
	assert_heard(fd, 413, "body_too_large");
	assert_closed(fd);
	fd = dial(s);
	say(fd, "GET /\x01 HTTP/1.1\r\n");
	(void)send_some(fd, megabyte, sizeof(megabyte));
	assert_heard(fd, 400, "bad_request");
	assert_closed(fd);
	stop(s);
	assert_int_equal(atomic_load(&app.handled), 0);
}

static void HT20_expectations_and_upgrades(void **state)
{
	struct config cfg = settings();
	struct http_server *s = start(&cfg);
	int fd = dial(s);

	(void)state;
	say(fd, "POST /pool HTTP/1.1" H "Content-Length: 5\r\nExpect: 100-Continue\r\n\r\n");
	assert_int_equal(hear(fd)->status, 100);
	say(fd, "hello");
	assert_heard(fd, 200, "body=5:hello");
	say(fd, "POST /pool HTTP/1.1" H "Content-Length: 65537\r\nExpect: 100-continue\r\n\r\n");
	assert_heard(fd, 413, "body_too_large");
	assert_closed(fd);
	fd = dial(s);
	say(fd, "POST /pool HTTP/1.1" H "Content-Length: 5\r\nExpect: the-unexpected\r\n\r\n");
	assert_heard(fd, 417, "expectation");
	assert_closed(fd);
	fd = dial(s);
	say(fd, "GET /loop HTTP/1.1" H "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
		"HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\nGET /pool HTTP/1.1" H "\r\n");
	assert_heard(fd, 200, "/loop");
	assert_heard(fd, 200, "/pool");
	(void)close(fd);
	stop(s);
}

static void a_plan_can_refuse_before_the_body(void **state)
{
	struct config cfg = settings();
	struct http_server *s = start(&cfg);
	int fd = dial(s);

	(void)state;
	say(fd, "POST /never HTTP/1.1" H "Content-Length: 5\r\n\r\n");
	assert_heard(fd, 405, "method");
	assert_closed(fd);
	assert_int_equal(atomic_load(&app.handled), 0);
	stop(s);
}

/* ---- the guard, on the wire ---- */

static void HT20_what_comes_before_a_violation_is_answered_and_nothing_after_it(void **state)
{
	struct config cfg = settings();
	struct http_server *s = start(&cfg);
	struct reply *r;
	int fd;

	(void)state;
	for (int round = 0; round < 20; round++) {
		fd = dial(s);
		say(fd, "GET /loop HTTP/1.1" H "\r\nGET /pool HTTP/1.1" H
			"\r\nGET /loop HTTP/1.1\n" H "\r\nGET /loop HTTP/1.1" H "\r\n");
		assert_heard(fd, 200, "/loop");
		assert_heard(fd, 200, "/pool");
		r = hear(fd);
		assert_int_equal(r->status, 400);
		assert_true(has_line(r, "Connection: close"));
		assert_true(has_line(r, "Content-Type: application/json; charset=utf-8"));
		assert_non_null(strstr(r->head, "\r\nX-Request-Id: "));
		assert_string_equal(r->body, "{\"code\":\"bad_request\"}");
		assert_closed(fd);
	}
	assert_int_equal(atomic_load(&app.handled), 40);
	assert_true(becomes(&app.done, 60));
	stop(s);
}

static void HT01_smuggled_requests_never_run(void **state)
{
	static const char *const attacks[] = {
		"POST /loop HTTP/1.1" H
		"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"POST /loop HTTP/1.1" H "Content-Length: 4\r\nContent-Length: 5\r\n\r\n12345",
		"POST /loop HTTP/1.1" H "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"POST /loop HTTP/1.1" H "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
		"POST /loop HTTP/1.1" H "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
		"POST /loop HTTP/1.1" H "Content-Length : 4\r\n\r\n1234",
		"GET /loop HTTP/1.1" H "Host: b\r\n\r\n",
		"GET /loop HTTP/1.1" H "X: a\r\n b\r\n\r\n",
		"GET /loop HTTP/1.1" H "Authorization: a\r\nAuthorization: b\r\n\r\n",
	};
	struct config cfg = settings();
	struct http_server *s = start(&cfg);
	struct http_stats stats;

	(void)state;
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		int fd = dial(s);

		say(fd, attacks[i]);
		(void)send_some(fd, "GET /loop HTTP/1.1" H "\r\n",
				strlen("GET /loop HTTP/1.1" H "\r\n"));
		assert_heard(fd, 400, "bad_request");
		assert_closed(fd);
	}
	assert_int_equal(atomic_load(&app.handled), 0);
	http_server_stats(s, &stats);
	assert_int_equal(stats.guard_refusals, sizeof(attacks) / sizeof(attacks[0]));
	stop(s);
}

static void HT18_heads_beyond_the_limits_have_their_own_answers(void **state)
{
	static char text[20000];
	struct config cfg = settings();
	struct http_server *s = start(&cfg);
	struct buf b = BUF_OF(text);

	(void)state;
	buf_lit(&b, "GET /");
	for (int i = 0; i < 7000; i++)
		buf_byte(&b, 'a');
	buf_byte(&b, '\0');
	assert_answer(s, text, 414, "uri_too_long");
	b.n = 0;
	buf_lit(&b, "GET /");
	for (int i = 0; i < 3000; i++)
		buf_byte(&b, 'a');
	buf_lit(&b, " HTTP/1.1" H "\r\n");
	buf_byte(&b, '\0');
	assert_answer(s, text, 414, "uri_too_long");
	b.n = 0;
	buf_lit(&b, "GET /loop HTTP/1.1" H "X: ");
	for (int i = 0; i < 9000; i++)
		buf_byte(&b, 'a');
	buf_byte(&b, '\0');
	assert_answer(s, text, 431, "headers_too_large");
	b.n = 0;
	buf_lit(&b, "GET /loop HTTP/1.1" H);
	for (int i = 0; i < 100; i++)
		buf_lit(&b, "a:b\r\n");
	buf_byte(&b, '\0');
	assert_answer(s, text, 431, "headers_too_large");
	stop(s);
}

/* The library's memory must be enough for a head at every limit at once. */
static void HT18_the_largest_head_is_served(void **state)
{
	static char text[9000];
	struct config cfg = settings();
	struct http_server *s = start(&cfg);
	struct buf b = BUF_OF(text);
	int fd = dial(s);

	(void)state;
	buf_lit(&b, "POST /pool HTTP/1.1" H "Content-Length: 5\r\n");
	for (int i = 0; i < 61; i++)
		buf_lit(&b, "Accept: b\r\n");
	buf_lit(&b, "Cookie: ");
	while (b.n < 8188)
		buf_lit(&b, "a");
	buf_lit(&b, "\r\n\r\n");
	for (int round = 0; round < 3; round++) {
		for (size_t at = 0; at < b.n; at += 1500) {
			assert_true(send_some(fd, b.p + at, b.n - at < 1500 ? b.n - at : 1500));
			nap_ms(2);
		}
		/* the body, and the start of the next request behind it */
		say(fd, "hello");
		assert_heard(fd, 200, "body=5:hello");
		assert_true(send_some(fd, b.p, b.n));
		say(fd, "helloGET /long-location HTTP/1.1" H "\r\n");
		assert_heard(fd, 200, "body=5:hello");
		assert_int_equal(hear(fd)->status, 200);
	}
	(void)close(fd);
	stop(s);
}

static void REL19_garbage_is_refused(void **state)
{
	struct config cfg = settings();
	struct http_server *s = start(&cfg);
	unsigned x = 7;

	(void)state;
	for (int round = 0; round < 100; round++) {
		char noise[512];
		int fd = dial(s);

		for (size_t i = 0; i < sizeof(noise); i++) {
			x = x * 1664525 + 1013904223;
			noise[i] = (char)(x >> 24);
		}
		noise[0] = '\x80';
		(void)send_some(fd, noise, sizeof(noise));
		assert_heard(fd, 400, "bad_request");
		assert_closed(fd);
	}
	assert_int_equal(atomic_load(&app.handled), 0);
	stop(s);
}

/* ---- deadlines ---- */

static void HT18_a_slow_head_ends_at_its_deadline(void **state)
{
	struct config cfg = settings();
	struct http_server *s;
	int64_t before;
	int fd;

	(void)state;
	cfg.server.head_timeout_ms = 400;
	s = start(&cfg);
	fd = dial(s);
	before = monotonic_ms();
	say(fd, "GET /loop HTTP/1.1\r\n");
	/* a byte now and then does not help */
	for (int i = 0; i < 100 && send_some(fd, "a", 1); i++) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (poll(&p, 1, 50) > 0)
			break;
	}
	assert_heard(fd, 408, "timeout");
	assert_closed(fd);
	assert_in_range(monotonic_ms() - before, 350, 4500);
	assert_true(becomes(&app.done, 1));
	assert_int_equal(atomic_load(&app.last_status), 408);
	stop(s);
}

static void HT18_a_connection_that_says_nothing_is_closed(void **state)
{
	struct config cfg = settings();
	struct http_stats stats;
	struct http_server *s;
	int fd;

	(void)state;
	cfg.server.head_timeout_ms = 300;
	s = start(&cfg);
	fd = dial(s);
	assert_closed(fd);
	http_server_stats(s, &stats);
	assert_int_equal(stats.deadline_closes, 1);
	stop(s);
	assert_int_equal(atomic_load(&app.done), 0);
}

static void HT18_a_slow_body_ends_at_its_deadline(void **state)
{
	struct config cfg = settings();
	struct http_server *s;
	int64_t before;
	int fd;

	(void)state;
	cfg.server.body_timeout_ms = 400;
	s = start(&cfg);
	fd = dial(s);
	before = monotonic_ms();
	say(fd, "POST /pool HTTP/1.1" H "Content-Length: 1000\r\n\r\nstart");
	assert_heard(fd, 408, "timeout");
	assert_closed(fd);
	assert_in_range(monotonic_ms() - before, 350, 4500);
	assert_true(becomes(&app.done, 1));
	assert_int_equal(atomic_load(&app.last_status), 408);
	assert_int_equal(atomic_load(&app.handled), 0);
	stop(s);
}

static void HT18_an_idle_connection_is_closed_and_a_later_head_has_its_own_deadline(void **state)
{
	struct config cfg = settings();
	struct http_server *s;
	int fd;

	(void)state;
	cfg.server.idle_timeout_ms = 2000;
	cfg.server.head_timeout_ms = 400;
	s = start(&cfg);
	fd = dial(s);
	say(fd, "GET /loop HTTP/1.1" H "\r\n");
	assert_heard(fd, 200, NULL);
	nap_ms(450);
	say(fd, "GET /loop HTTP/1.1" H "\r\n");
	assert_heard(fd, 200, NULL);
	say(fd, "GET /lo");
	assert_heard(fd, 408, "timeout");
	assert_closed(fd);
	fd = dial(s);
	say(fd, "GET /loop HTTP/1.1" H "\r\n");
	assert_heard(fd, 200, NULL);
	assert_closed(fd);
	stop(s);
}

static void HT18_a_client_that_does_not_read_is_closed(void **state)
{
	struct config cfg = settings();
	struct http_server *s;
	int fd, small = 4096;

	(void)state;
	cfg.server.write_timeout_ms = 400;
	s = start(&cfg);
	fd = dial(s);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (int i = 0; i < 400; i++)
		say(fd, "GET /big HTTP/1.1" H "\r\n");
	for (int i = 0; i < PATIENCE_MS && atomic_load(&app.last_status) != 499; i++)
		nap_ms(1);
	assert_int_equal(atomic_load(&app.last_status), 499);
	assert_int_equal(atomic_load(&app.last_error), ERR_TIMEOUT);
	assert_true(atomic_load(&app.handled) < 400);
	(void)close(fd);
	stop(s);
}

static void a_request_may_run_longer_than_any_deadline(void **state)
{
	struct config cfg = settings();
	struct http_server *s;
	int fd;

	(void)state;
	cfg.server.head_timeout_ms = cfg.server.body_timeout_ms = 600;
	cfg.server.write_timeout_ms = cfg.server.idle_timeout_ms = 600;
	s = start(&cfg);
	fd = dial(s);
	atomic_store(&app.gate_shut, true);
	say(fd, "GET /slow HTTP/1.1" H "\r\n");
	nap_ms(1500);
	atomic_store(&app.gate_shut, false);
	assert_heard(fd, 200, "/slow");
	(void)close(fd);
	stop(s);
}

/* ---- queues ---- */

static void a_full_queue_answers_503_at_once(void **state)
{
	struct config cfg = settings();
	struct http_server *s = start(&cfg);
	struct http_stats stats;
	struct reply *r;
	int fds[4], fd;

	(void)state;
	atomic_store(&app.gate_shut, true);
	for (size_t i = 0; i < 4; i++) { /* two run, two wait */
		fds[i] = dial(s);
		say(fds[i], "GET /slow HTTP/1.1" H "\r\n");
	}
	assert_true(becomes(&app.running, 2));
	for (;;) {
		http_server_stats(s, &stats);
		if (stats.queue_depth[LANE_POOL] == 2)
			break;
		nap_ms(1);
	}
	assert_int_equal(stats.busy_workers[LANE_POOL], 2);
	fd = dial(s);
	say(fd, "GET /pool HTTP/1.1" H "\r\n");
	r = hear(fd);
	assert_int_equal(r->status, 503);
	assert_true(has_line(r, "Retry-After: 1"));
	say(fd,
	    "GET /loop HTTP/1.1" H "\r\n"); /* the loop is not held up, and the connection stays */
	assert_heard(fd, 200, "/loop");
	say(fd, "GET /hash HTTP/1.1" H "\r\n"); /* nor is the other pool */
	assert_heard(fd, 200, "/hash");
	http_server_stats(s, &stats);
	assert_int_equal(stats.queue_refusals[LANE_POOL], 1);
	atomic_store(&app.gate_shut, false);
	for (size_t i = 0; i < 4; i++) {
		assert_heard(fds[i], 200, "/slow");
		(void)close(fds[i]);
	}
	(void)close(fd);
	stop(s);
}

static void the_hash_lane_asks_before_it_admits(void **state)
{
	struct config cfg = settings();
	struct http_server *s = start(&cfg);
	struct http_stats stats;
	struct reply *r;
	int fd = dial(s);

	(void)state;
	atomic_store(&app.refuse_hash, true);
	say(fd, "GET /hash HTTP/1.1" H "\r\n");
	r = hear(fd);
	assert_int_equal(r->status, 503);
	assert_true(has_line(r, "Retry-After: 7"));
	http_server_stats(s, &stats);
	assert_int_equal(stats.queue_refusals[LANE_HASH], 1);
	say(fd, "GET /pool HTTP/1.1" H "\r\n");
	assert_heard(fd, 200, "/pool");
	(void)close(fd);
	stop(s);
}

static void HT13_a_job_whose_client_has_gone_is_not_run(void **state)
{
	struct config cfg = settings();
	struct http_server *s = start(&cfg);
	int fds[4];

	(void)state;
	atomic_store(&app.gate_shut, true);
	for (size_t i = 0; i < 4; i++) {
		fds[i] = dial(s);
		say(fds[i], "GET /slow HTTP/1.1" H "\r\n");
		if (i == 1)
			assert_true(becomes(&app.running, 2));
	}
	nap_ms(100);
	(void)close(fds[2]);
	(void)close(fds[3]);
	nap_ms(50);
	atomic_store(&app.gate_shut, false);
	assert_heard(fds[0], 200, "/slow");
	assert_heard(fds[1], 200, "/slow");
	assert_true(becomes(&app.done, 4));
	assert_int_equal(atomic_load(&app.handled), 2);
	assert_int_equal(atomic_load(&app.gone), 2);
	(void)close(fds[0]);
	(void)close(fds[1]);
	stop(s);
}

static void a_client_that_has_only_finished_sending_gets_its_answer(void **state)
{
	struct config cfg = settings();
	struct http_server *s = start(&cfg);
	int fd = dial(s);

	(void)state;
	say(fd, "GET /pool HTTP/1.1" H "\r\n");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_heard(fd, 200, "/pool");
	(void)close(fd);
	stop(s);
}

/* The only loop of a server, kept busy, so that what is sent meanwhile is found all at once. */
struct held {
	struct http_server *server;
	int fd;
};

static struct held hold_loop(int64_t timeout_ms)
{
	struct config cfg = settings();
	struct held h = { 0 };

	cfg.server.head_timeout_ms = cfg.server.body_timeout_ms = timeout_ms;
	cfg.server.idle_timeout_ms = timeout_ms;
	h.server = start_at(&cfg, "127.0.0.1:0", 1);
	h.fd = dial(h.server);
	return h;
}

static void shut_gate(const struct held *h)
{
	atomic_store(&app.gate_shut, true);
	say(h->fd, "GET /hold HTTP/1.1" H "\r\n");
	assert_true(becomes(&app.running, 1));
}

static void let_go(const struct held *h)
{
	atomic_store(&app.gate_shut, false);
	assert_heard(h->fd, 200, "/hold");
}

/* The library takes 128 events at a time. Nothing else happens that could wake the loop. */
static void many_ready_connections_are_answered_at_once(void **state)
{
	static const size_t counts[] = { 1, 127, 128, 129, 255, 256, 257 };
	struct held h = hold_loop((int64_t)10 * PATIENCE_MS);
	int fds[257];

	(void)state;
	for (size_t i = 0; i < 257; i++) {
		fds[i] = dial(h.server);
		say(fds[i], "GET /loop HTTP/1.1" H "\r\n");
		assert_heard(fds[i], 200, NULL);
	}
	for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++) {
		shut_gate(&h);
		for (size_t i = 0; i < counts[k]; i++)
			say(fds[i], "GET /loop HTTP/1.1" H "\r\n");
		let_go(&h);
		for (size_t i = 0; i < counts[k]; i++)
			assert_heard(fds[i], 200, "/loop");
	}
	for (size_t i = 0; i < 257; i++)
		(void)close(fds[i]);
	(void)close(h.fd);
	stop(h.server);
}

static bool open_becomes(const struct http_server *s, int64_t want)
{
	struct http_stats stats = { .connections_open = -1 };

	for (int i = 0; i < PATIENCE_MS && stats.connections_open != want; i++) {
		http_server_stats(s, &stats);
		nap_ms(1);
	}
	return stats.connections_open == want;
}

/* The last bytes and the end arrive as one event. Deadlines are far away. */
static void HT13_who_has_ended_holds_no_place(void **state)
{
	static const struct {
		const char *sent;
		int answers;
	} cases[] = {
		{ "", 0 },
		{ "G", 0 },
		{ "GET /loop HTTP/1.1\r\nHos", 0 },
		{ "POST /loop HTTP/1.1" H "Content-Length: 5\r\n\r\n", 0 },
		{ "POST /loop HTTP/1.1" H "Content-Length: 5\r\n\r\nhel", 0 },
		{ "POST /loop HTTP/1.1" H "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", 0 },
		{ "GET /loop HTTP/1.1" H "\r\n", 1 },
		{ "GET /pool HTTP/1.1" H "\r\n", 1 },
		{ "POST /pool HTTP/1.1" H "Content-Length: 5\r\n\r\nhello", 1 },
		{ "GET /loop HTTP/1.1" H "\r\nGET /pool HTTP/1.1" H "\r\n", 2 },
		{ "GET /pool HTTP/1.1" H "\r\nGET /loop HTTP/1.1\r\nHo", 1 },
		{ "GET /loop HTTP/1.1" H "\r\nPOST /loop HTTP/1.1" H "Content-Length: 5\r\n\r\nh", 1 },
	};
	struct held h = hold_loop((int64_t)10 * PATIENCE_MS);

	(void)state;
	say(h.fd, "GET /loop HTTP/1.1" H "\r\n");
	assert_heard(h.fd, 200, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = dial(h.server);

		assert_true(open_becomes(h.server, 2));
		shut_gate(&h);
		say(fd, cases[i].sent);
		assert_int_equal(shutdown(fd, SHUT_WR), 0);
		let_go(&h);
		for (int k = 0; k < cases[i].answers; k++)
			assert_heard(fd, 200, NULL);
		assert_closed(fd);
		if (!open_becomes(h.server, 1))
			fail_msg("a place is held by %s", cases[i].sent);
	}
	(void)close(h.fd);
	stop(h.server);
}

/* HT13: close at every byte of a request, while it is read, queued, run and answered. */
static void HT13_clients_may_leave_at_any_moment(void **state)
{
	static const char text[] =
		"POST /pool HTTP/1.1" H "Content-Length: 5\r\n\r\nhello"
		"POST /loop HTTP/1.1" H "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
	struct config cfg = settings();
	struct http_server *s = start(&cfg);
	struct http_stats stats;

	(void)state;
	for (int round = 0; round < 4; round++) {
		for (size_t n = 1; n < sizeof(text); n++) {
			struct linger reset = { .l_onoff = round % 2, .l_linger = 0 };
			int fd = dial(s);

			(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
			assert_true(send_some(fd, text, n));
			(void)close(fd);
		}
	}
	do {
		nap_ms(1);
		http_server_stats(s, &stats);
	} while (stats.connections_open > 0);
	stop(s);
}

/* ---- who is calling, and how often ---- */

static void BF07_proxies_are_believed_only_when_trusted(void **state)
{
	static const char request[] = "GET /loop HTTP/1.1" H
				      "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 203.0.113.9\r\n"
				      "X-Forwarded-Proto: https\r\n\r\n";
	static const str proxies[] = { { "127.0.0.0/8", 11 } };
	struct config cfg = settings();
	struct http_server *s = start(&cfg);
	struct reply *r;
	int fd;

	(void)state;
	assert_answer(s, request, 200, "ip=127.0.0.1 tls=0");
	stop(s);
	cfg.server.trusted_proxies = (struct str_list){ proxies, 1 };
	s = start(&cfg);
	fd = dial(s);
	say(fd, request);
	r = hear(fd);
	assert_non_null(strstr(r->body, "ip=203.0.113.9 tls=1"));
	assert_true(has_line(r, "Strict-Transport-Security: max-age=31536000; includeSubDomains"));
	(void)close(fd);
	stop(s);
}

static void HT18_a_source_may_hold_so_many_connections(void **state)
{
	static const str proxies[] = { { "127.0.0.1", 9 } };
	struct config cfg = settings();
	struct http_stats stats;
	struct http_server *s;
	int fds[4];

	(void)state;
	cfg.server.max_connections_per_ip = 3;
	s = start(&cfg);
	for (size_t i = 0; i < 3; i++) {
		fds[i] = dial(s);
		say(fds[i], "GET /loop HTTP/1.1" H "\r\n");
		assert_heard(fds[i], 200, NULL);
	}
	fds[3] = dial(s);
	assert_true(hear(fds[3])->status <= 0);
	(void)close(fds[3]);
	http_server_stats(s, &stats);
	assert_int_equal(stats.connections_refused, 1);
	assert_int_equal(stats.connections_open, 3);
	(void)close(fds[0]);
	do {
		nap_ms(1);
		http_server_stats(s, &stats);
	} while (stats.connections_open > 2);
	assert_answer(s, "GET /loop HTTP/1.1" H "\r\n", 200, NULL);
	(void)close(fds[1]);
	(void)close(fds[2]);
	stop(s);

	cfg.server.trusted_proxies = (struct str_list){ proxies, 1 };
	s = start(&cfg);
	for (size_t i = 0; i < 4; i++) {
		fds[i] = dial(s);
		say(fds[i], "GET /loop HTTP/1.1" H "\r\n");
		assert_heard(fds[i], 200, NULL);
	}
	for (size_t i = 0; i < 4; i++)
		(void)close(fds[i]);
	stop(s);
}

static void HT18_when_connections_run_short_the_longest_idle_go(void **state)
{
	enum {
		MAX = 32
	};
	struct config cfg = settings();
	struct http_stats stats;
	struct http_server *s;
	int fds[MAX], fd;

	(void)state;
	cfg.server.max_connections = MAX;
	cfg.server.idle_timeout_ms = 60000;
	s = start(&cfg);
	for (size_t i = 0; i < MAX; i++) {
		fds[i] = dial(s);
		say(fds[i], "GET /loop HTTP/1.1" H "\r\n");
		assert_heard(fds[i], 200, NULL);
	}
	fd = dial(s);
	assert_true(hear(fd)->status <= 0);
	(void)close(fd);
	do {
		nap_ms(10);
		http_server_stats(s, &stats);
	} while (stats.connections_open > MAX / 2);
	assert_answer(s, "GET /loop HTTP/1.1" H "\r\n", 200, NULL);
	for (size_t i = 0; i < MAX; i++)
		(void)close(fds[i]);
	stop(s);
}

static size_t open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	(void)closedir(dir);
	return n;
}

static void HT25_a_thousand_connections_leave_no_descriptor(void **state)
{
	struct config cfg = settings();
	size_t before = open_descriptors(), started;
	struct http_server *s = start(&cfg);
	struct http_stats stats;

	(void)state;
	assert_answer(s, "GET /pool HTTP/1.1" H "\r\n", 200, NULL);
	started = open_descriptors();
	for (int i = 0; i < 1000; i++) {
		const char *request = i % 10 == 0  ? "GET /\x01 HTTP/1.1\r\n\r\n"
				      : i % 2 == 0 ? "GET /loop HTTP/1.1" H "\r\n"
						   : "GET /pool HTTP/1.1" H "\r\n";

		assert_answer(s, request, i % 10 == 0 ? 400 : 200, NULL);
	}
	do {
		nap_ms(1);
		http_server_stats(s, &stats);
	} while (stats.connections_open > 0);
	for (int i = 0; i < 3000 && open_descriptors() > started; i++)
		nap_ms(1); /* those that linger */
	assert_true(open_descriptors() <= started);
	assert_int_equal(stats.connections_total, 1001);
	stop(s);
	assert_int_equal(open_descriptors(), before);
}

/* A process with few descriptors: it says where it listens, then, when told that its connections
 * are at their limit, how many files it can still open. */
static void serve_with_few_descriptors(int from_parent, int to_parent)
{
	struct rlimit few = { 64, 64 };
	struct config cfg = settings();
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct http_server *s;
	uint64_t number = 0;
	str host, port;
	char told, opened = 0;

	if (setrlimit(RLIMIT_NOFILE, &few) != 0)
		_exit(2);
	s = start(&cfg);
	(void)str_cut(http_server_address(s), ':', &host, &port);
	(void)str_to_u64(port, 65535, &number);
	in.sin_port = htons((uint16_t)number);
	if (write(to_parent, &in.sin_port, sizeof(in.sin_port)) != sizeof(in.sin_port) ||
	    read(from_parent, &told, 1) != 1)
		_exit(3);
	while (opened < 100 && open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0)
		opened++;
	if (write(to_parent, &opened, 1) != 1)
		_exit(4);
	(void)!read(from_parent, &told, 1); /* until the parent is done */
	_exit(http_server_stop(s, 3000) ? 0 : 5);
}

static int dial_port(uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = port };
	struct timeval tv = { .tv_sec = PATIENCE_MS / 1000 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (const struct sockaddr *)&in, sizeof(in)), 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	return fd;
}

static bool is_served(int fd)
{
	static const char request[] = "GET /pool HTTP/1.1" H "\r\n";

	return send_some(fd, request, sizeof(request) - 1) && hear(fd)->status == 200;
}

static void REL16_connections_leave_descriptors_for_the_rest(void **state)
{
	enum {
		MANY = 60
	};
	int down[2], up[2], fds[MANY], served = 0, status;
	uint16_t port;
	char left;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(down), 0);
	assert_int_equal(pipe(up), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)close(down[1]);
		(void)close(up[0]);
		serve_with_few_descriptors(down[0], up[1]);
	}
	(void)close(down[0]);
	(void)close(up[1]);
	assert_int_equal(read(up[0], &port, sizeof(port)), sizeof(port));
	for (size_t i = 0; i < MANY; i++) {
		fds[i] = dial_port(port);
		served += is_served(fds[i]);
	}
	assert_in_range(served, 5, 31);
	assert_int_equal(write(down[1], "x", 1), 1);
	assert_int_equal(read(up[0], &left, 1), 1);
	assert_true(left >= 30);
	for (size_t i = 0; i < MANY; i++)
		(void)close(fds[i]);
	(void)close(down[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	(void)close(up[0]);
}

/* ---- Unix-domain sockets ---- */

static int dial_unix(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	memcpy(un.sun_path, path, strlen(path) + 1);
	if (connect(fd, (const struct sockaddr *)&un, sizeof(un)) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static void a_unix_socket_is_served_and_cleaned_up(void **state)
{
	static const str proxies[] = { { "unix", 4 } };
	char dir[] = "/tmp/test_server_XXXXXX", path[64], listen[80], why[256];
	struct config cfg = settings();
	struct http_server *s;
	struct stat st;
	int fd, stale;
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/socket", dir);
	(void)snprintf(listen, sizeof(listen), "unix:%s", path);
	/* what a killed server leaves behind */
	memcpy(un.sun_path, path, strlen(path) + 1);
	stale = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(stale, (const struct sockaddr *)&un, sizeof(un)), 0);
	(void)close(stale);

	s = start_at(&cfg, listen, 1);
	assert_true(str_eq(http_server_address(s), str_of_cstr(listen)));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	fd = dial_unix(path);
	say(fd, "GET /loop HTTP/1.1" H "X-Forwarded-For: 203.0.113.9\r\n\r\n");
	assert_heard(fd, 200, "ip=unix tls=0");
	(void)close(fd);
	assert_null(try_start(&cfg, listen, 1, why, sizeof(why))); /* one is running already */
	assert_non_null(strstr(why, "another server"));
	fd = dial_unix(path);
	say(fd, "GET /pool HTTP/1.1" H "\r\n");
	assert_heard(fd, 200, "ip=unix");
	(void)close(fd);
	assert_true(http_server_stop(s, 3000));
	assert_int_not_equal(stat(path, &st), 0);

	cfg.server.trusted_proxies = (struct str_list){ proxies, 1 };
	s = start_at(&cfg, listen, 1);
	fd = dial_unix(path);
	say(fd, "GET /loop HTTP/1.1" H "X-Forwarded-For: 203.0.113.9\r\n\r\n");
	assert_heard(fd, 200, "ip=203.0.113.9");
	(void)close(fd);
	stop(s);

	fd = creat(path, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_null(
		try_start(&cfg, listen, 1, why, sizeof(why))); /* a file is not ours to remove */
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void what_cannot_be_listened_on_is_said_in_one_line(void **state)
{
	static const char *const bad[] = { "",
					   "3000",
					   "127.0.0.1",
					   "127.0.0.1:x",
					   "127.0.0.1:65536",
					   "[::1:80",
					   "example.test:80",
					   "unix:",
					   "unix:relative",
					   "systemd",
					   "203.0.113.77:1" };
	static const str proxies[] = { { "127.0.0.0/33", 12 } };
	struct config cfg = settings();
	char why[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why[0] = '\0';
		assert_null(try_start(&cfg, bad[i], 1, why, sizeof(why)));
		assert_true(strlen(why) > 10 && strchr(why, '\n') == NULL);
	}
	cfg.server.trusted_proxies = (struct str_list){ proxies, 1 };
	assert_null(try_start(&cfg, "127.0.0.1:0", 1, why, sizeof(why)));
	assert_non_null(strstr(why, "127.0.0.0/33"));
}

/* ---- stopping ---- */

struct load {
	const struct http_server *server;
	uint16_t port;
	atomic_int answered, broken;
	atomic_bool stop;
};

/* Ask until the server is gone. An answer that stops in the middle counts as broken; a connection
 * closed between two answers does not. */
static void *ask_on_and_on(void *arg)
{
	struct load *l = arg;

	while (!atomic_load(&l->stop)) {
		struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = l->port };
		struct timeval tv = { .tv_sec = PATIENCE_MS / 1000 };
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
		if (connect(fd, (const struct sockaddr *)&in, sizeof(in)) != 0) {
			(void)close(fd);
			break;
		}
		for (int i = 0;; i++) {
			const char *request = i % 2 == 0 ? "GET /loop HTTP/1.1" H "\r\n"
							 : "POST /pool HTTP/1.1" H
							   "Content-Length: 2\r\n\r\nhi";
			struct reply *r;

			if (!send_some(fd, request, strlen(request)))
				break;
			r = hear(fd);
			if (r->status == 200 || r->status == 503)
				atomic_fetch_add(&l->answered, 1);
			else if (r->head[0] != '\0')
				atomic_fetch_add(&l->broken, 1);
			if (r->status <= 0 || strstr(r->head, "Connection: close") != NULL)
				break;
		}
		(void)close(fd);
	}
	return NULL;
}

static void stopping_under_load_breaks_no_answer(void **state)
{
	enum {
		CLIENTS = 6
	};
	struct config cfg = settings();

	(void)state;
	for (int64_t io_threads = 1; io_threads <= 2; io_threads++) {
		struct http_server *s = start_at(&cfg, "127.0.0.1:0", io_threads);
		struct load l = { .server = s };
		pthread_t clients[CLIENTS];
		str host, port;
		uint64_t number;
		int64_t before;

		assert_true(str_cut(http_server_address(s), ':', &host, &port));
		assert_true(str_to_u64(port, 65535, &number));
		l.port = htons((uint16_t)number);
		for (size_t i = 0; i < CLIENTS; i++)
			assert_int_equal(pthread_create(&clients[i], NULL, ask_on_and_on, &l), 0);
		nap_ms(200);
		before = monotonic_ms();
		assert_true(http_server_stop(s, 5000));
		assert_true(monotonic_ms() - before < 5000);
		atomic_store(&l.stop, true);
		for (size_t i = 0; i < CLIENTS; i++)
			assert_int_equal(pthread_join(clients[i], NULL), 0);
		assert_int_equal(atomic_load(&l.broken), 0);
		assert_true(atomic_load(&l.answered) > 0);
		assert_int_equal(atomic_load(&app.threads), 0);
	}
}

struct stopper {
	struct http_server *server;
	int64_t timeout_ms;
	bool finished;
	int64_t took_ms;
};

static void *stop_now(void *arg)
{
	struct stopper *st = arg;
	int64_t before = monotonic_ms();

	st->finished = http_server_stop(st->server, st->timeout_ms);
	st->took_ms = monotonic_ms() - before;
	return NULL;
}

static void stopping_waits_for_what_runs_and_closes_what_idles(void **state)
{
	struct config cfg = settings();
	struct http_server *s = start(&cfg);
	struct stopper st = { s, 5000, false, 0 };
	int busy = dial(s), idle = dial(s), fresh = dial(s);
	struct reply *r;
	pthread_t thread;

	(void)state;
	atomic_store(&app.gate_shut, true);
	say(idle, "GET /loop HTTP/1.1" H "\r\n");
	assert_heard(idle, 200, NULL);
	say(busy, "GET /slow HTTP/1.1" H "\r\n");
	assert_true(becomes(&app.running, 1));
	assert_int_equal(pthread_create(&thread, NULL, stop_now, &st), 0);
	assert_closed(idle);
	assert_closed(fresh);
	nap_ms(100);
	atomic_store(&app.gate_shut, false);
	r = hear(busy);
	assert_int_equal(r->status, 200);
	assert_true(has_line(r, "Connection: close"));
	assert_closed(busy);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(st.finished);
}

static void stopping_refuses_what_still_waits_at_the_end(void **state)
{
	struct config cfg = settings();
	struct http_server *s = start(&cfg);
	struct stopper st = { s, 300, true, 0 };
	int fds[4];
	pthread_t thread;

	(void)state;
	atomic_store(&app.gate_shut, true);
	for (size_t i = 0; i < 4; i++) {
		fds[i] = dial(s);
		say(fds[i], "GET /slow HTTP/1.1" H "\r\n");
		if (i == 1)
			assert_true(becomes(&app.running, 2));
	}
	nap_ms(50);
	assert_int_equal(pthread_create(&thread, NULL, stop_now, &st), 0);
	assert_heard(fds[2], 503, "stopping");
	assert_heard(fds[3], 503, "stopping");
	atomic_store(&app.gate_shut, false);
	assert_heard(fds[0], 200, "/slow");
	assert_heard(fds[1], 200, "/slow");
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_false(st.finished);
	assert_true(st.took_ms < 10000);
	for (size_t i = 0; i < 4; i++)
		(void)close(fds[i]);
}

/* In a process of its own: what is left behind lives until its end. */
static void stopping_does_not_wait_for_a_handler_that_hangs(void **state)
{
	int status;
	pid_t child;

	(void)state;
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct config cfg = settings();
		struct http_server *s = start(&cfg);
		struct stopper st = { s, 200, true, 0 };
		int fd = dial(s);

		atomic_store(&app.gate_shut, true);
		say(fd, "GET /slow HTTP/1.1" H "\r\n");
		if (!becomes(&app.running, 1))
			_exit(2);
		(void)stop_now(&st);
		/* by a signal, so that no sanitizer mourns the threads left behind */
		(void)raise(!st.finished && st.took_ms < 10000 ? SIGUSR1 : SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGUSR1);
}

static void two_servers_live_side_by_side(void **state)
{
	struct config cfg = settings();
	struct http_server *a = start(&cfg), *b = start_at(&cfg, "[::1]:0", 1);

	(void)state;
	assert_answer(a, "GET /pool HTTP/1.1" H "\r\n", 200, NULL);
	assert_true(str_starts(http_server_address(b), STR("[::1]:")));
	assert_true(http_server_stop(b, 1000));
	assert_answer(a, "GET /pool HTTP/1.1" H "\r\n", 200, NULL);
	assert_true(http_server_stop(a, 1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_answer_has_the_headers_of_every_answer),
		cmocka_unit_test(a_reply_may_set_its_own_caching_and_sharing),
		cmocka_unit_test(HT16_a_reply_cannot_be_split),
		cmocka_unit_test(a_connection_serves_many_requests),
		cmocka_unit_test(a_connection_ends_when_either_side_asks),
		cmocka_unit_test(a_request_runs_in_its_lane),
		cmocka_unit_test(targets_arrive_as_they_were_sent),
		cmocka_unit_test(HT05_bad_targets_are_refused_before_anything_runs),
		cmocka_unit_test(HT04_an_absolute_target_must_agree_with_host),
		cmocka_unit_test(HT19_head_is_get_without_a_body),
		cmocka_unit_test(bodies_arrive_whole),
		cmocka_unit_test(HT02_a_chunked_request_in_single_bytes_is_the_same_request),
		cmocka_unit_test(the_largest_body_passes_and_one_byte_more_does_not),
		cmocka_unit_test(REL19_a_client_that_sends_too_much_hears_why),
		cmocka_unit_test(HT20_expectations_and_upgrades),
		cmocka_unit_test(a_plan_can_refuse_before_the_body),
		cmocka_unit_test(
			HT20_what_comes_before_a_violation_is_answered_and_nothing_after_it),
		cmocka_unit_test(HT01_smuggled_requests_never_run),
		cmocka_unit_test(HT18_heads_beyond_the_limits_have_their_own_answers),
		cmocka_unit_test(HT18_the_largest_head_is_served),
		cmocka_unit_test(REL19_garbage_is_refused),
		cmocka_unit_test(HT18_a_slow_head_ends_at_its_deadline),
		cmocka_unit_test(HT18_a_connection_that_says_nothing_is_closed),
		cmocka_unit_test(HT18_a_slow_body_ends_at_its_deadline),
		cmocka_unit_test(
			HT18_an_idle_connection_is_closed_and_a_later_head_has_its_own_deadline),
		cmocka_unit_test(HT18_a_client_that_does_not_read_is_closed),
		cmocka_unit_test(a_request_may_run_longer_than_any_deadline),
		cmocka_unit_test(a_full_queue_answers_503_at_once),
		cmocka_unit_test(the_hash_lane_asks_before_it_admits),
		cmocka_unit_test(HT13_a_job_whose_client_has_gone_is_not_run),
		cmocka_unit_test(a_client_that_has_only_finished_sending_gets_its_answer),
		cmocka_unit_test(many_ready_connections_are_answered_at_once),
		cmocka_unit_test(HT13_who_has_ended_holds_no_place),
		cmocka_unit_test(HT13_clients_may_leave_at_any_moment),
		cmocka_unit_test(BF07_proxies_are_believed_only_when_trusted),
		cmocka_unit_test(HT18_a_source_may_hold_so_many_connections),
		cmocka_unit_test(HT18_when_connections_run_short_the_longest_idle_go),
		cmocka_unit_test(HT25_a_thousand_connections_leave_no_descriptor),
		cmocka_unit_test(REL16_connections_leave_descriptors_for_the_rest),
		cmocka_unit_test(a_unix_socket_is_served_and_cleaned_up),
		cmocka_unit_test(what_cannot_be_listened_on_is_said_in_one_line),
		cmocka_unit_test(stopping_does_not_wait_for_a_handler_that_hangs),
		cmocka_unit_test(stopping_under_load_breaks_no_answer),
		cmocka_unit_test(stopping_waits_for_what_runs_and_closes_what_idles),
		cmocka_unit_test(stopping_refuses_what_still_waits_at_the_end),
		cmocka_unit_test(two_servers_live_side_by_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
