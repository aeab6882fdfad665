/* Outbound requests against a peer on loopback: what counts as an answer, and what ends in time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "egress/client.h"
#include "tcp_peer.h"

#define HEAD(status) "HTTP/1.1 " status "\r\nConnection: close\r\n"

static struct arena mem;
static struct tcp_peer peer;

static str url(const char *scheme, const char *path)
{
	str u;

	assert_int_equal(arena_printf(&mem, &u, "%s127.0.0.1:%d%s", scheme, peer.port, path).code,
			 ERR_OK);
	return u;
}

static struct client_request get(const char *path)
{
	return (struct client_request){ .method = "GET",
					.url = url("http://", path),
					.timeout_ms = 10000 };
}

static err_t send_new(const struct client_request *r, struct client_reply *ret)
{
	struct client *c;
	err_t e;

	assert_int_equal(client_new(&c).code, ERR_OK);
	e = client_send(c, r, &mem, ret);
	client_free(c);
	return e;
}

static void ask(const char *answer, bool endless, struct client_reply *ret)
{
	struct client_request r;

	tcp_peer_start(&peer, answer, endless);
	r = get("/send?a=b");
	assert_int_equal(send_new(&r, ret).code, ERR_OK);
	tcp_peer_stop(&peer);
}

static void the_status_and_the_body_of_any_answer_come_back(void **state)
{
	struct client_reply reply;

	(void)state;
	ask(HEAD("200 OK") "Content-Length: 2\r\n\r\nok", false, &reply);
	assert_int_equal(reply.status, 200);
	assert_true(str_eq(reply.body, STR("ok")));
	assert_null(reply.problem.p);
	ask(HEAD("503 Busy") "Content-Length: 4\r\n\r\nbusy", false, &reply);
	assert_int_equal(reply.status, 503);
	assert_true(str_eq(reply.body, STR("busy")));
	ask(HEAD("204 Nothing") "\r\n", false, &reply);
	assert_int_equal(reply.status, 204);
	assert_int_equal(reply.body.n, 0);
}

static void a_post_carries_headers_credentials_and_body(void **state)
{
	struct client_request r;
	struct client_reply reply;

	(void)state;
	tcp_peer_start(&peer, HEAD("200 OK") "Content-Length: 0\r\n\r\n", false);
	r = get("/send");
	r.method = "POST";
	r.headers[0].name = STR("X-API-Key");
	r.headers[0].value = STR("k3y");
	r.headers[1].name = STR("X-Empty");
	r.n_headers = 2;
	r.user = STR("user");
	r.password = STR("pass");
	r.body = STR("to=1&message=2");
	assert_int_equal(send_new(&r, &reply).code, ERR_OK);
	tcp_peer_stop(&peer);
	assert_int_equal(reply.status, 200);
	assert_ptr_equal(strstr(peer.request, "POST /send HTTP/1.1\r\n"), peer.request);
	assert_non_null(strstr(peer.request, "\r\nX-API-Key: k3y\r\n"));
	assert_non_null(strstr(peer.request, "\r\nX-Empty:"));
	assert_non_null(strstr(peer.request, "\r\nAuthorization: Basic dXNlcjpwYXNz\r\n"));
	assert_non_null(strstr(peer.request, "\r\nContent-Length: 14\r\n"));
	assert_null(strcasestr(peer.request, "\r\nExpect:"));
}

static void nothing_of_a_request_is_left_for_the_next(void **state)
{
	struct client *c;
	struct client_request r;
	struct client_reply reply;

	(void)state;
	tcp_peer_start(&peer, HEAD("200 OK") "Set-Cookie: a=b\r\nContent-Length: 0\r\n\r\n", false);
	assert_int_equal(client_new(&c).code, ERR_OK);
	r = get("/first");
	r.method = "POST";
	r.user = STR("user");
	r.password = STR("pass");
	r.headers[0].name = STR("X-API-Key");
	r.headers[0].value = STR("k3y");
	r.n_headers = 1;
	assert_int_equal(client_send(c, &r, &mem, &reply).code, ERR_OK);
	r = get("/second");
	assert_int_equal(client_send(c, &r, &mem, &reply).code, ERR_OK);
	client_free(c);
	tcp_peer_stop(&peer);
	assert_ptr_equal(strstr(peer.request, "GET /second HTTP/1.1\r\n"), peer.request);
	assert_null(strstr(peer.request, "Authorization"));
	assert_null(strstr(peer.request, "X-API-Key"));
	assert_null(strstr(peer.request, "Cookie"));
}

static void wh03_of_an_endless_answer_the_first_16_kib_are_read(void **state)
{
	struct client_reply reply;

	(void)state;
	ask(HEAD("200 OK") "\r\n", true, &reply);
	assert_int_equal(reply.status, 200);
	assert_int_equal(reply.body.n, CLIENT_REPLY_MAX);
	assert_null(reply.problem.p);
}

static void wh03_endless_headers_are_no_answer(void **state)
{
	static char many[80000] = HEAD("200 OK");
	struct client_reply reply;
	size_t n = strlen(many);

	(void)state;
	ask(HEAD("200 OK") "X-Long: ", true, &reply);
	assert_int_equal(reply.status, 0);
	assert_true(reply.problem.n > 0);
	for (; n + 16 < sizeof(many); n += 11)
		memcpy(many + n, "X-Many: 1\r\n", 11);
	memcpy(many + n, "\r\n", 3);
	ask(many, false, &reply);
	assert_int_equal(reply.status, 0);
	assert_true(reply.problem.n > 0);
}

static void wh03_a_redirect_is_an_answer_and_is_not_followed(void **state)
{
	struct client_reply reply;

	(void)state;
	ask(HEAD("302 Found") "Location: /elsewhere\r\nContent-Length: 0\r\n\r\n", false, &reply);
	assert_int_equal(reply.status, 302);
	assert_int_equal(atomic_load(&peer.connections), 1);
}

static void an_answer_that_breaks_off_is_none(void **state)
{
	struct client_reply reply;

	(void)state;
	ask(HEAD("200 OK") "Content-Length: 100\r\n\r\nok", false, &reply);
	assert_int_equal(reply.status, 0);
	assert_true(reply.problem.n > 0);
}

static void nobody_at_the_port_is_a_problem_and_no_error(void **state)
{
	struct client_request r;
	struct client_reply reply;

	(void)state;
	tcp_peer_start(&peer, NULL, false);
	r = get("/");
	tcp_peer_stop(&peer);
	assert_int_equal(send_new(&r, &reply).code, ERR_OK);
	assert_int_equal(reply.status, 0);
	assert_true(reply.problem.n > 0);
}

static void a_provider_that_says_nothing_is_left_at_the_deadline(void **state)
{
	struct client_request r;
	struct client_reply reply;
	int64_t start = monotonic_ms();

	(void)state;
	tcp_peer_start(&peer, NULL, false);
	r = get("/");
	r.timeout_ms = 300;
	assert_int_equal(send_new(&r, &reply).code, ERR_OK);
	assert_true(monotonic_ms() - start >= 250);
	tcp_peer_stop(&peer);
	assert_int_equal(reply.status, 0);
	assert_true(reply.problem.n > 0);
}

static void *abort_soon(void *self)
{
	while (atomic_load(&peer.connections) == 0)
		usleep(1000);
	client_abort(self);
	return NULL;
}

static void abort_ends_what_is_under_way_and_all_that_follows(void **state)
{
	struct client *c;
	struct client_request r;
	struct client_reply reply;
	pthread_t other;
	int64_t start = monotonic_ms();

	(void)state;
	tcp_peer_start(&peer, NULL, false);
	assert_int_equal(client_new(&c).code, ERR_OK);
	r = get("/");
	r.timeout_ms = 60000;
	assert_int_equal(pthread_create(&other, NULL, abort_soon, c), 0);
	assert_int_equal(client_send(c, &r, &mem, &reply).code, ERR_OK);
	assert_int_equal(pthread_join(other, NULL), 0);
	assert_int_equal(reply.status, 0);
	assert_int_equal(client_send(c, &r, &mem, &reply).code, ERR_OK);
	assert_int_equal(reply.status, 0);
	assert_true(monotonic_ms() - start <
		    30000); /* far below the timeout, however slow we run */
	client_free(c);
	tcp_peer_stop(&peer);
}

static void el18_a_header_cannot_bring_another(void **state)
{
	static const str bad[] = { STR_INIT("a\r\nX-Evil: 1"), STR_INIT("a\n"), STR_INIT("\r"),
				   STR_INIT("a\0b") };
	struct client_request r;
	struct client_reply reply;

	(void)state;
	tcp_peer_start(&peer, HEAD("200 OK") "Content-Length: 0\r\n\r\n", false);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		r = get("/");
		r.n_headers = 1;
		r.headers[0].name = STR("X-API-Key");
		r.headers[0].value = bad[i];
		assert_int_equal(send_new(&r, &reply).code, ERR_INPUT);
		r.headers[0].name = bad[i];
		r.headers[0].value = STR("value");
		assert_int_equal(send_new(&r, &reply).code, ERR_INPUT);
	}
	tcp_peer_stop(&peer);
	assert_int_equal(atomic_load(&peer.connections), 0);
}

static void wh03_urls_with_users_or_other_schemes_lead_nowhere(void **state)
{
	struct client_request r;
	struct client_reply reply;
	str urls[4];

	(void)state;
	tcp_peer_start(&peer, HEAD("200 OK") "Content-Length: 0\r\n\r\n", false);
	urls[0] = url("http://u:p@", "/");
	urls[1] = url("ftp://", "/");
	urls[2] = url("http://", "/\r\nX: y");
	urls[3] = STR("file:///etc/hostname");
	for (size_t i = 0; i < 4; i++) {
		r = get("/");
		r.url = urls[i];
		assert_int_equal(send_new(&r, &reply).code, ERR_OK);
		assert_int_equal(reply.status, 0);
		assert_true(reply.problem.n > 0);
	}
	tcp_peer_stop(&peer);
	assert_int_equal(atomic_load(&peer.connections), 0);
}

static void wh04_proxies_of_the_environment_are_not_asked(void **state)
{
	struct client_reply reply;

	(void)state;
	assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
	assert_int_equal(setenv("ALL_PROXY", "http://127.0.0.1:1", 1), 0);
	ask(HEAD("200 OK") "Content-Length: 0\r\n\r\n", false, &reply);
	assert_int_equal(unsetenv("http_proxy"), 0);
	assert_int_equal(unsetenv("ALL_PROXY"), 0);
	assert_int_equal(reply.status, 200);
}

static void sc06_a_peer_without_a_certificate_is_not_talked_to(void **state)
{
	struct client_request r;
	struct client_reply reply;

	(void)state;
	tcp_peer_start(&peer, HEAD("200 OK") "Content-Length: 0\r\n\r\n", false);
	r = get("/");
	r.timeout_ms = 300; /* the peer waits for a request it can read */
	r.url = url("https://", "/");
	assert_int_equal(send_new(&r, &reply).code, ERR_OK);
	tcp_peer_stop(&peer);
	assert_int_equal(reply.status, 0);
}

static void an_arena_that_is_full_is_a_fault(void **state)
{
	struct client_request r;
	struct client_reply reply;

	(void)state;
	tcp_peer_start(&peer, HEAD("200 OK") "Content-Length: 2\r\n\r\nok", false);
	for (size_t nth = 1; nth <= 2; nth++) {
		r = get("/");
		mem.fail_at = nth;
		assert_int_equal(send_new(&r, &reply).code, ERR_NO_MEMORY);
	}
	mem.fail_at = 0;
	tcp_peer_stop(&peer);
}

static int fresh_arena(void **state)
{
	(void)state;
	arena_reset(&mem);
	return 0;
}

static void wh03_a_guarded_request_reaches_no_private_address(void **state)
{
	struct client_request r;
	struct client_reply reply;

	(void)state;
	tcp_peer_start(&peer, HEAD("200 OK") "Content-Length: 2\r\n\r\nok", false);
	r = get("/metadata");
	r.guarded = true;
	assert_int_equal(send_new(&r, &reply).code, ERR_OK);
	assert_int_equal(reply.status, 0); /* http */
	r.url = url("https://", "/metadata");
	assert_int_equal(send_new(&r, &reply).code, ERR_OK);
	assert_int_equal(reply.status, 0);
	assert_true(str_eq(reply.problem, STR("the host has no public address")));
	assert_int_equal(peer.connections, 0);
	r = get("/metadata");
	r.guarded = r.allow_private = true;
	assert_int_equal(send_new(&r, &reply).code, ERR_OK);
	assert_int_equal(reply.status, 200);
	tcp_peer_stop(&peer);
}

static void a_larger_answer_is_said_to_be_cut_and_its_type_is_told(void **state)
{
	struct client_request r;
	struct client_reply reply;

	(void)state;
	tcp_peer_start(&peer, HEAD("200 OK") "Content-Type: application/json\r\n\r\n", true);
	r = get("/");
	r.reply_max = CLIENT_REPLY_LIMIT;
	assert_int_equal(send_new(&r, &reply).code, ERR_OK);
	tcp_peer_stop(&peer);
	assert_int_equal(reply.status, 200);
	assert_true(reply.cut);
	assert_int_equal(reply.body.n, CLIENT_REPLY_LIMIT);
	assert_true(str_eq(reply.content_type, STR("application/json")));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, fresh_arena)
	const struct CMUnitTest tests[] = {
		T(the_status_and_the_body_of_any_answer_come_back),
		T(a_post_carries_headers_credentials_and_body),
		T(nothing_of_a_request_is_left_for_the_next),
		T(wh03_of_an_endless_answer_the_first_16_kib_are_read),
		T(wh03_endless_headers_are_no_answer),
		T(wh03_a_redirect_is_an_answer_and_is_not_followed),
		T(an_answer_that_breaks_off_is_none),
		T(nobody_at_the_port_is_a_problem_and_no_error),
		T(a_provider_that_says_nothing_is_left_at_the_deadline),
		T(abort_ends_what_is_under_way_and_all_that_follows),
		T(el18_a_header_cannot_bring_another),
		T(wh03_urls_with_users_or_other_schemes_lead_nowhere),
		T(wh04_proxies_of_the_environment_are_not_asked),
		T(sc06_a_peer_without_a_certificate_is_not_talked_to),
		T(wh03_a_guarded_request_reaches_no_private_address),
		T(a_larger_answer_is_said_to_be_cut_and_its_type_is_told),
		T(an_arena_that_is_full_is_a_fault),
	};
	int failed;

	if (arena_init(&mem, ARENA_DEFAULT_BYTES).code != ERR_OK)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_clear(&mem);
	return failed;
}
