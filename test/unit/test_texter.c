/* Text messages as the gateways get them, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "egress/texter.h"
#include "tcp_peer.h"

#define ANSWER(status, body) "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n" body
#define NUMBER		     STR("+393331234567")
#define MESSAGE		     STR("Your code is: 123456 & caf\xc3\xa9")
#define MESSAGE_ENCODED	     "Your%20code%20is%3A%20123456%20%26%20caf%C3%A9"
#define SECRET(lit)	     ((struct secret){ (uint8_t *)(uintptr_t) "" lit, sizeof(lit) - 1 })

static struct arena mem;
static struct tcp_peer peer;

static struct config config_for(enum sms_transport transport)
{
	return (struct config){
		.sms = {
			.transport = transport,
			.user = STR("us/er"),
			.password = SECRET("p&ss"),
			.key = SECRET("k3y"),
			.from = STR("Sallyport"),
			.timeout_ms = 10000,
		},
	};
}

static struct delivery sent_with(const struct config *cfg)
{
	struct texter *t;
	struct delivery d = { .verdict = DELIVERY_UNSET };

	assert_int_equal(texter_new(&t).code, ERR_OK);
	texter_send(t, cfg, NUMBER, MESSAGE, STR("m-1@example.test"), &mem, &d);
	texter_free(t);
	return d;
}

static struct delivery sent(struct config *cfg, const char *path, const char *answer)
{
	struct delivery d;

	tcp_peer_start(&peer, answer, false);
	assert_int_equal(
		arena_printf(&mem, &cfg->sms.url, "http://127.0.0.1:%d%s", peer.port, path).code,
		ERR_OK);
	d = sent_with(cfg);
	tcp_peer_stop(&peer);
	return d;
}

static void check_line(const char *line)
{
	if (strstr(peer.request, line) == NULL)
		fail_msg("no \"%s\" in\n%s", line, peer.request);
}

static void check_body(const char *want)
{
	assert_string_equal(strstr(peer.request, "\r\n\r\n") + 4, want);
}

static void http_get_adds_its_fields_to_the_query_of_the_url(void **state)
{
	static const struct {
		const char *path, *before;
	} rows[] = {
		{ "/send", "GET /send?" },
		{ "/send?", "GET /send?" },
		{ "/send?type=2", "GET /send?type=2&" },
		{ "/send?type=2&", "GET /send?type=2&" },
		{ "/send#there", "GET /send?" },
	};
	struct config cfg = config_for(SMS_HTTP_GET);
	char want[300];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(sent(&cfg, rows[i].path, ANSWER("200 OK", "OK")).verdict,
				 DELIVERY_SENT);
		(void)snprintf(want, sizeof(want),
			       "%susername=us%%2Fer&password=p%%26ss&phone=%%2B393331234567"
			       "&message=%s HTTP/1.1\r\n",
			       rows[i].before, MESSAGE_ENCODED);
		check_line(want);
		check_line("\r\nX-API-Key: k3y\r\n");
	}
}

static void SM01_http_post_keeps_credentials_out_of_url_and_form(void **state)
{
	struct config cfg = config_for(SMS_HTTP_POST);

	(void)state;
	assert_int_equal(sent(&cfg, "/send", ANSWER("202 Accepted", "")).verdict, DELIVERY_SENT);
	check_line("POST /send HTTP/1.1\r\n");
	check_line("\r\nAuthorization: Basic dXMvZXI6cCZzcw==\r\n");
	check_line("\r\nX-API-Key: k3y\r\n");
	check_line("\r\nIdempotency-Key: m-1@example.test\r\n");
	check_line("\r\nContent-Type: application/x-www-form-urlencoded\r\n");
	check_body("to=%2B393331234567&from=Sallyport&message=" MESSAGE_ENCODED
		   "&id=m-1%40example.test");
}

static void what_is_not_set_is_left_out(void **state)
{
	struct config cfg = { .sms = { .transport = SMS_HTTP_POST, .timeout_ms = 10000 } };

	(void)state;
	assert_int_equal(sent(&cfg, "/send", ANSWER("200 OK", "")).verdict, DELIVERY_SENT);
	assert_null(strstr(peer.request, "Authorization"));
	assert_null(strstr(peer.request, "X-API-Key"));
	check_body("to=%2B393331234567&message=" MESSAGE_ENCODED "&id=m-1%40example.test");
}

static void SM01_twilio_gets_its_own_path_and_names_and_no_password_in_them(void **state)
{
	struct config cfg = config_for(SMS_TWILIO);

	(void)state;
	assert_int_equal(sent(&cfg, "/", ANSWER("201 Created", "{\"status\":\"queued\"}")).verdict,
			 DELIVERY_SENT);
	check_line("POST /2010-04-01/Accounts/us%2Fer/Messages.json HTTP/1.1\r\n");
	check_line("\r\nAuthorization: Basic dXMvZXI6cCZzcw==\r\n");
	check_body("To=%2B393331234567&From=Sallyport&Body=" MESSAGE_ENCODED);
	cfg.sms.from = STR("MG0123456789abcdef0123456789abcdef");
	assert_int_equal(sent(&cfg, "", ANSWER("201 Created", "")).verdict, DELIVERY_SENT);
	check_body("To=%2B393331234567&MessagingServiceSid=MG0123456789abcdef0123456789abcdef"
		   "&Body=" MESSAGE_ENCODED);
}

static void the_answer_is_judged_by_what_the_settings_expect(void **state)
{
	struct config cfg = config_for(SMS_HTTP_POST);

	(void)state;
	assert_int_equal(sent(&cfg, "/", ANSWER("200 OK", "{\"status\":\"error\"}")).verdict,
			 DELIVERY_LATER);
	cfg.sms.expect = STR("queued");
	assert_int_equal(sent(&cfg, "/", ANSWER("200 OK", "thanks")).verdict, DELIVERY_LATER);
	assert_int_equal(sent(&cfg, "/", ANSWER("200 OK", "queued")).verdict, DELIVERY_SENT);
	assert_int_equal(sent(&cfg, "/", ANSWER("500 Oh", "queued")).verdict, DELIVERY_DOWN);
}

static void lg01_an_answer_that_repeats_credentials_is_not_shown(void **state)
{
	struct config cfg = config_for(SMS_HTTP_GET);

	(void)state;
	assert_string_equal(sent(&cfg, "/", ANSWER("500 Oh", "bad: p&ss")).detail, "HTTP 500");
	assert_string_equal(sent(&cfg, "/", ANSWER("500 Oh", "GET /?password=p%26ss")).detail,
			    "HTTP 500");
	assert_string_equal(sent(&cfg, "/", ANSWER("500 Oh", "key k3y")).detail, "HTTP 500");
	assert_string_equal(sent(&cfg, "/", ANSWER("500 Oh", "no: credit")).detail,
			    "HTTP 500: no: credit");
}

static void el18_a_line_break_in_a_setting_sends_nothing(void **state)
{
	struct config cfg = config_for(SMS_HTTP_POST);

	(void)state;
	cfg.sms.key = SECRET("a\r\nX-Evil: 1");
	assert_int_equal(sent(&cfg, "/", ANSWER("200 OK", "")).verdict, DELIVERY_DOWN);
	assert_int_equal(atomic_load(&peer.connections), 0);
}

static void an_aborted_texter_sends_nothing_more(void **state)
{
	struct config cfg = config_for(SMS_HTTP_POST);
	struct texter *t;
	struct delivery d;

	(void)state;
	tcp_peer_start(&peer, NULL, false);
	assert_int_equal(arena_printf(&mem, &cfg.sms.url, "http://127.0.0.1:%d/", peer.port).code,
			 ERR_OK);
	assert_int_equal(texter_new(&t).code, ERR_OK);
	texter_abort(t);
	texter_send(t, &cfg, NUMBER, MESSAGE, STR("m-1"), &mem, &d);
	assert_int_equal(d.verdict, DELIVERY_DOWN);
	texter_free(t);
	tcp_peer_stop(&peer);
}

static void without_memory_or_transport_the_message_waits(void **state)
{
	struct config cfg = config_for(SMS_HTTP_POST);

	(void)state;
	cfg.sms.url = STR("http://127.0.0.1:1/");
	mem.fail_at = 1;
	assert_int_equal(sent_with(&cfg).verdict, DELIVERY_DOWN);
	mem.fail_at = 0;
	cfg.sms.transport = SMS_NONE;
	assert_int_equal(sent_with(&cfg).verdict, DELIVERY_DOWN);
}

/* cmocka prints there, too, so it is borrowed for the length of one call. */
static struct delivery sent_to_file(const struct config *cfg, int fd)
{
	int out = dup(STDOUT_FILENO);
	struct delivery d;

	assert_true(fd >= 0 && out >= 0);
	(void)fflush(stdout);
	assert_int_equal(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
	d = sent_with(cfg);
	assert_int_equal(dup2(out, STDOUT_FILENO), STDOUT_FILENO);
	close(out);
	return d;
}

static void for_development_messages_go_to_standard_output(void **state)
{
	struct config cfg = config_for(SMS_LOG);
	char got[300] = { 0 };
	int ends[2], full = open("/dev/full", O_WRONLY);

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(sent_to_file(&cfg, ends[1]).verdict, DELIVERY_SENT);
	assert_true(read(ends[0], got, sizeof(got) - 1) > 0);
	assert_string_equal(got,
			    "---- SMS to +393331234567 ----\nYour code is: 123456 & caf\xc3\xa9\n"
			    "----\n");
	assert_int_equal(sent_to_file(&cfg, full).verdict, DELIVERY_DOWN);
	close(ends[0]);
	close(ends[1]);
	close(full);
}

static int fresh_arena(void **state)
{
	(void)state;
	arena_reset(&mem);
	return 0;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, fresh_arena)
	const struct CMUnitTest tests[] = {
		T(http_get_adds_its_fields_to_the_query_of_the_url),
		T(SM01_http_post_keeps_credentials_out_of_url_and_form),
		T(what_is_not_set_is_left_out),
		T(SM01_twilio_gets_its_own_path_and_names_and_no_password_in_them),
		T(the_answer_is_judged_by_what_the_settings_expect),
		T(lg01_an_answer_that_repeats_credentials_is_not_shown),
		T(el18_a_line_break_in_a_setting_sends_nothing),
		T(an_aborted_texter_sends_nothing_more),
		T(without_memory_or_transport_the_message_waits),
		T(for_development_messages_go_to_standard_output),
	};
	int failed;

	if (arena_init(&mem, ARENA_DEFAULT_BYTES).code != ERR_OK)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_clear(&mem);
	return failed;
}
