/* The connection of a mailer: kept between mails, given up at once when told, and never waited for
 * at the end. Against a server of a few lines in this process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "egress/mailer.h"

static struct arena mem;

struct server {
	int listener;
	int port;
	const char *silent_at; /* a command that is never answered; NULL: none */
	atomic_int connections, mails, waiting;
	char data[4096]; /* of the last mail, dots and all */
	pthread_t thread;
};

/* ---- the server ---- */

static void say(int fd, const char *text)
{
	(void)!write(fd, text, strlen(text));
}

static void take_data(struct server *s, FILE *in)
{
	struct buf b = BUF_OF(s->data);
	char line[1024];

	while (fgets(line, sizeof(line), in) != NULL && strcmp(line, ".\r\n") != 0)
		buf_str(&b, str_of_cstr(line));
	s->data[b.n < sizeof(s->data) ? b.n : sizeof(s->data) - 1] = '\0';
	atomic_fetch_add(&s->mails, 1);
}

static void serve(struct server *s, int fd)
{
	FILE *in = fdopen(fd, "r");
	char line[1024];

	assert_non_null(in);
	say(fd, "220 hello\r\n");
	while (fgets(line, sizeof(line), in) != NULL) {
		if (s->silent_at != NULL && strncmp(line, s->silent_at, 4) == 0) {
			atomic_store(&s->waiting, 1);
			continue;
		}
		if (strncmp(line, "DATA", 4) == 0) {
			say(fd, "354 go on\r\n");
			take_data(s, in);
		}
		say(fd, "250 fine\r\n");
	}
	(void)fclose(in);
}

static void *serve_all(void *self)
{
	struct server *s = self;
	int fd;

	while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
		atomic_fetch_add(&s->connections, 1);
		serve(s, fd);
	}
	return NULL;
}

static void server_start(struct server *s, const char *silent_at)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(at);

	*s = (struct server){ .silent_at = silent_at };
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(s->listener >= 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(s->listener, 8), 0);
	assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &n), 0);
	s->port = ntohs(at.sin_port);
	assert_int_equal(pthread_create(&s->thread, NULL, serve_all, s), 0);
}

static void server_stop(struct server *s)
{
	(void)shutdown(s->listener, SHUT_RDWR);
	assert_int_equal(pthread_join(s->thread, NULL), 0);
	(void)close(s->listener);
}

/* ---- the client ---- */

static struct config config_for(const struct server *s)
{
	static char url[64];
	struct config cfg = { 0 };

	(void)snprintf(url, sizeof(url), "smtp://127.0.0.1:%d", s->port);
	cfg.mail.transport = MAIL_SMTP;
	cfg.mail.from = STR("no-reply@sallyport.test");
	cfg.mail.smtp_url = str_of_cstr(url);
	cfg.mail.smtp_tls = MAIL_TLS_OFF;
	cfg.mail.timeout_ms = 20000;
	return cfg;
}

static struct delivery send_one(struct mailer *m, const struct config *cfg, str text)
{
	const struct mail mail = { .to = STR("ada@example.test"),
				   .subject = STR("Hello"),
				   .text = text,
				   .message_id = STR("1@sallyport.test") };
	struct delivery got = { 0 };

	arena_reset(&mem);
	mailer_send(m, cfg, &mail, &mem, &got);
	return got;
}

static void a_connection_carries_many_mails(void **state)
{
	struct mailer *m = NULL;
	struct server s;
	struct config cfg;

	(void)state;
	server_start(&s, NULL);
	cfg = config_for(&s);
	assert_int_equal(mailer_new(&m).code, ERR_OK);
	for (int i = 0; i < 20; i++) {
		struct delivery got = send_one(m, &cfg, STR("One line.\n"));

		assert_string_equal(got.detail, "250 fine");
		assert_int_equal(got.verdict, DELIVERY_SENT);
	}
	assert_int_equal(atomic_load(&s.mails), 20);
	assert_int_equal(atomic_load(&s.connections), 1);
	mailer_free(m);
	server_stop(&s);
}

static void EL18_text_that_looks_like_smtp_stays_text(void **state)
{
	struct mailer *m = NULL;
	struct server s;
	struct config cfg;

	(void)state;
	server_start(&s, NULL);
	cfg = config_for(&s);
	assert_int_equal(mailer_new(&m).code, ERR_OK);
	assert_int_equal(send_one(m, &cfg, STR("a\r\n.\r\nMAIL FROM:<x@y>\n.\n..b\r.\r\n")).verdict,
			 DELIVERY_SENT);
	mailer_free(m);
	server_stop(&s);
	assert_int_equal(atomic_load(&s.mails), 1);
	assert_non_null(
		strstr(s.data, "\r\n\r\na\r\n=2E\r\nMAIL FROM:<x@y>\r\n=2E\r\n=2E.b=0D.\r\n"));
}

static void *abort_when_waiting(void *self)
{
	struct {
		struct server *s;
		struct mailer *m;
	} *both = self;

	while (atomic_load(&both->s->waiting) == 0)
		(void)usleep(1000);
	mailer_abort(both->m);
	return NULL;
}

static void an_abort_ends_what_is_under_way_and_what_comes_later(void **state)
{
	struct {
		struct server *s;
		struct mailer *m;
	} both = { 0 };
	struct server s;
	struct config cfg;
	struct delivery got;
	int64_t began_ms;
	pthread_t thread;

	(void)state;
	server_start(&s, "RCPT");
	cfg = config_for(&s);
	both.s = &s;
	assert_int_equal(mailer_new(&both.m).code, ERR_OK);
	assert_int_equal(pthread_create(&thread, NULL, abort_when_waiting, &both), 0);
	began_ms = monotonic_ms();
	for (int i = 0; i < 2; i++) {
		got = send_one(both.m, &cfg, STR("One line.\n"));
		assert_string_equal(got.detail, i == 0 ? "RCPT: stopped" : "connect: stopped");
		assert_int_equal(got.verdict, DELIVERY_DOWN);
	}
	assert_true(monotonic_ms() - began_ms < 5000);
	assert_int_equal(pthread_join(thread, NULL), 0);
	mailer_free(both.m);
	server_stop(&s);
}

static void the_end_of_a_mailer_waits_for_no_goodbye(void **state)
{
	struct mailer *m = NULL;
	struct server s;
	struct config cfg;
	int64_t began_ms;

	(void)state;
	server_start(&s, "QUIT");
	cfg = config_for(&s);
	assert_int_equal(mailer_new(&m).code, ERR_OK);
	assert_int_equal(send_one(m, &cfg, STR("One line.\n")).verdict, DELIVERY_SENT);
	began_ms = monotonic_ms();
	mailer_free(m);
	assert_true(monotonic_ms() - began_ms < 5000);
	server_stop(&s);
	assert_int_equal(atomic_load(&s.waiting), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_carries_many_mails),
		cmocka_unit_test(EL18_text_that_looks_like_smtp_stays_text),
		cmocka_unit_test(an_abort_ends_what_is_under_way_and_what_comes_later),
		cmocka_unit_test(the_end_of_a_mailer_waits_for_no_goodbye),
	};

	if (egress_init().code != ERR_OK || arena_init(&mem, 1 << 20).code != ERR_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
