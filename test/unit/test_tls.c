/* TLS at the edge: which versions, the guard behind it, and new certificates while it runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/http.h"

static char dir[] = "/tmp/test_tls_XXXXXX";
static char files[6][64]; /* certificate and key, three times */

/* ---- certificates ---- */

static void write_file(const char *name, const gnutls_datum_t *d)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(d->data, 1, d->size, f), d->size);
	assert_int_equal(fclose(f), 0);
}

/* Self-signed, P-256; the serial number tells them apart. */
static void make_certificate(unsigned char serial, const char *cert_file, const char *key_file)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	gnutls_datum_t pem;
	time_t now = time(NULL);

	assert_int_equal(gnutls_x509_privkey_init(&key), 0);
	assert_int_equal(
		gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
					     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
		0);
	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_set_version(crt, 3), 0);
	assert_int_equal(gnutls_x509_crt_set_serial(crt, &serial, 1), 0);
	assert_int_equal(gnutls_x509_crt_set_dn(crt, "CN=test.example", NULL), 0);
	assert_int_equal(gnutls_x509_crt_set_activation_time(crt, now - 60), 0);
	assert_int_equal(gnutls_x509_crt_set_expiration_time(crt, now + 3600), 0);
	assert_int_equal(gnutls_x509_crt_set_key(crt, key), 0);
	assert_int_equal(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), 0);
	assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem), 0);
	write_file(cert_file, &pem);
	gnutls_free(pem.data);
	assert_int_equal(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem), 0);
	write_file(key_file, &pem);
	gnutls_free(pem.data);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
}

static int make_files(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	for (unsigned i = 0; i < 6; i++)
		(void)snprintf(files[i], sizeof(files[i]), "%s/%u.pem", dir, i);
	make_certificate(1, files[0], files[1]);
	make_certificate(2, files[2], files[3]);
	return 0;
}

static int remove_files(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 6; i++)
		(void)unlink(files[i]);
	return rmdir(dir);
}

/* ---- the server ---- */

static err_t app_thread_open(void *self, struct http_thread *t)
{
	(void)self;
	(void)t;
	return OK;
}

static void app_thread_close(void *self, struct http_thread *t)
{
	(void)self;
	(void)t;
}

static void app_plan(void *self, struct http_request *r, struct http_plan *ret)
{
	(void)self;
	ret->lane = str_eq(r->path, STR("/pool")) ? LANE_POOL : LANE_LOOP;
}

static bool app_handle(void *self, struct http_thread *t, struct http_request *r,
		       struct http_reply *rep)
{
	(void)self;
	(void)t;
	rep->status = 200;
	buf_printf(&rep->body, "%.*s tls=%d body=", STR_ARG(r->path), r->tls);
	buf_str(&rep->body, r->body);
	return true;
}

static void app_refuse(void *self, const struct http_request *r, enum err_code code,
		       int64_t retry_after_s, struct http_reply *rep)
{
	(void)self;
	(void)r;
	(void)retry_after_s;
	rep->status = 400;
	buf_printf(&rep->body, "{\"code\":\"%s\"}", err_name(code));
}

static void app_done(void *self, const struct http_request *r, int status, enum err_code error,
		     size_t bytes, int64_t duration_us)
{
	(void)self;
	(void)r;
	(void)status;
	(void)error;
	(void)bytes;
	(void)duration_us;
}

static const struct http_app callbacks = { NULL,       app_thread_open, app_thread_close, app_plan,
					   app_handle, app_refuse,	app_done };

static int64_t wall_ms(void *self)
{
	(void)self;
	return clock_now_ms(clock_system);
}

static struct config settings(const char *cert, const char *key)
{
	struct config cfg = { 0 };

	cfg.server.max_connections = cfg.server.max_connections_per_ip = 100;
	cfg.server.head_timeout_ms = cfg.server.body_timeout_ms = 1000;
	cfg.server.write_timeout_ms = cfg.server.idle_timeout_ms = 5000;
	cfg.server.tls_cert = str_of_cstr(cert);
	cfg.server.tls_key = str_of_cstr(key);
	return cfg;
}

static struct http_server *start(const struct config *cfg, bool plain, char *why, size_t why_max)
{
	struct http_options o = {
		.cfg = cfg,
		.listen = STR("127.0.0.1:0"),
		.app = &callbacks,
		.io_threads = 2,
		.pool_workers = 1,
		.pool_queue_max = 4,
		.now_ms = wall_ms,
		.plain = plain,
	};
	struct http_server *s = NULL;

	return http_server_start(&o, &s, why, why_max).code == ERR_OK ? s : NULL;
}

static struct http_server *start_first(void)
{
	struct config cfg = settings(files[0], files[1]);
	char why[256];
	struct http_server *s = start(&cfg, false, why, sizeof(why));

	if (s == NULL)
		fail_msg("%s", why);
	return s;
}

/* ---- a client ---- */

static int dial(const struct http_server *s)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct timeval tv = { .tv_sec = 10 };
	uint64_t number = 0;
	str host, port;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(str_cut(http_server_address(s), ':', &host, &port));
	assert_true(str_to_u64(port, 65535, &number));
	in.sin_port = htons((uint16_t)number);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (const struct sockaddr *)&in, sizeof(in)), 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	return fd;
}

struct tls_client {
	int fd;
	gnutls_session_t session;
	gnutls_certificate_credentials_t creds;
	bool shaken;
	unsigned char serial;
};

static struct tls_client dial_tls(const struct http_server *s, const char *priorities)
{
	struct tls_client c = { .fd = dial(s) };
	const gnutls_datum_t *peer;
	gnutls_x509_crt_t crt;
	size_t serial_n = 1;
	unsigned n;
	int e;

	assert_int_equal(gnutls_certificate_allocate_credentials(&c.creds), 0);
	assert_int_equal(gnutls_init(&c.session, GNUTLS_CLIENT), 0);
	assert_int_equal(gnutls_priority_set_direct(c.session, priorities, NULL), 0);
	assert_int_equal(gnutls_credentials_set(c.session, GNUTLS_CRD_CERTIFICATE, c.creds), 0);
	gnutls_transport_set_int(c.session, c.fd);
	do
		e = gnutls_handshake(c.session);
	while (e < 0 && gnutls_error_is_fatal(e) == 0);
	c.shaken = e == 0;
	peer = c.shaken ? gnutls_certificate_get_peers(c.session, &n) : NULL;
	if (peer != NULL) {
		assert_int_equal(gnutls_x509_crt_init(&crt), 0);
		assert_int_equal(gnutls_x509_crt_import(crt, peer, GNUTLS_X509_FMT_DER), 0);
		assert_int_equal(gnutls_x509_crt_get_serial(crt, &c.serial, &serial_n), 0);
		gnutls_x509_crt_deinit(crt);
	}
	return c;
}

static void hang_up(struct tls_client *c)
{
	gnutls_deinit(c->session);
	gnutls_certificate_free_credentials(c->creds);
	(void)close(c->fd);
}

static void say(struct tls_client *c, const char *text)
{
	assert_int_equal(gnutls_record_send(c->session, text, strlen(text)), strlen(text));
}

/* Everything until `n` answers have ended with a body, or the connection has. */
static const char *hear_until(struct tls_client *c, const char *last)
{
	static char text[16384];
	size_t n = 0;

	text[0] = '\0';
	while (strstr(text, last) == NULL && n < sizeof(text) - 1) {
		ssize_t got = gnutls_record_recv(c->session, text + n, sizeof(text) - 1 - n);

		if (got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
		text[n] = '\0';
	}
	return text;
}

#define NORMAL "NORMAL"
#define H      "\r\nHost: test.example\r\n"

static void requests_over_tls_are_served(void **state)
{
	static const char *const priorities[] = { "NORMAL:-VERS-ALL:+VERS-TLS1.2",
						  "NORMAL:-VERS-ALL:+VERS-TLS1.3" };
	struct http_server *s = start_first();
	const char *heard;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct tls_client c = dial_tls(s, priorities[i]);

		assert_true(c.shaken);
		say(&c, "GET /loop HTTP/1.1" H "\r\n");
		heard = hear_until(&c, "body=");
		assert_non_null(strstr(heard, "/loop tls=1"));
		assert_non_null(
			strstr(heard, "\r\nStrict-Transport-Security: max-age=31536000; includeSubDomains\r\n"));
		say(&c,
		    "POST /pool HTTP/1.1" H "Transfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n");
		say(&c, "0\r\nT: u\r\n\r\n");
		assert_non_null(strstr(hear_until(&c, "hello"), "/pool tls=1 body=hello"));
		hang_up(&c);
	}
	assert_true(http_server_stop(s, 3000));
}

static void SC05_old_versions_and_weak_suites_are_refused(void **state)
{
	static const char *const priorities[] = {
		"NORMAL:-VERS-ALL:+VERS-TLS1.1",
		"NORMAL:-VERS-ALL:+VERS-TLS1.0",
		"NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC:+AES-256-CBC",
	};
	struct http_server *s = start_first();

	(void)state;
	for (size_t i = 0; i < sizeof(priorities) / sizeof(priorities[0]); i++) {
		struct tls_client c = dial_tls(s, priorities[i]);

		assert_false(c.shaken);
		hang_up(&c);
	}
	assert_true(http_server_stop(s, 3000));
}

static void HT03_the_guard_stands_behind_tls_too(void **state)
{
	struct http_server *s = start_first();
	const char *heard;

	(void)state;
	for (int round = 0; round < 5; round++) {
		struct tls_client c = dial_tls(s, NORMAL);

		say(&c, "GET /loop HTTP/1.1" H "\r\nGET /pool HTTP/1.1" H
			"\r\nGET /evil HTTP/1.1\n" H "\r\nGET /after HTTP/1.1" H "\r\n");
		heard = hear_until(&c, "never");
		assert_non_null(strstr(heard, "/loop tls=1"));
		assert_non_null(strstr(heard, "/pool tls=1"));
		assert_non_null(strstr(heard, "HTTP/1.1 400 Bad Request"));
		assert_non_null(strstr(heard, "{\"code\":\"bad_request\"}"));
		assert_null(strstr(heard, "/evil"));
		assert_null(strstr(heard, "/after"));
		hang_up(&c);
	}
	assert_true(http_server_stop(s, 3000));
}

static void HT18_a_handshake_that_stalls_ends_at_the_deadline(void **state)
{
	struct http_server *s = start_first();
	int64_t before = monotonic_ms();
	int fd = dial(s);
	char c;

	(void)state;
	assert_int_equal(send(fd, "\x16\x03\x01", 3, 0), 3);
	assert_true(read(fd, &c, 1) <= 0);
	assert_in_range(monotonic_ms() - before, 900, 4500);
	(void)close(fd);
	assert_true(http_server_stop(s, 3000));
}

static unsigned char serial_of(const struct http_server *s)
{
	struct tls_client c = dial_tls(s, NORMAL);

	assert_true(c.shaken);
	hang_up(&c);
	return c.serial;
}

static void new_certificates_are_used_from_the_next_connection_on(void **state)
{
	struct config second = settings(files[2], files[3]), broken = settings(files[0], files[3]);
	struct config missing = settings(files[4], files[5]);
	struct http_server *s = start_first();
	struct tls_client old = dial_tls(s, NORMAL);
	char why[256];

	(void)state;
	assert_int_equal(old.serial, 1);
	assert_int_equal(http_server_reload_tls(s, &broken, why, sizeof(why)).code, ERR_CONFIG);
	assert_non_null(strstr(why, "does not belong"));
	assert_int_equal(http_server_reload_tls(s, &missing, why, sizeof(why)).code, ERR_CONFIG);
	assert_non_null(strstr(why, files[4]));
	assert_int_equal(serial_of(s), 1);
	assert_int_equal(http_server_reload_tls(s, &second, why, sizeof(why)).code, ERR_OK);
	assert_int_equal(serial_of(s), 2);
	say(&old, "GET /loop HTTP/1.1" H "\r\n"); /* the old one goes on */
	assert_non_null(strstr(hear_until(&old, "body="), "/loop tls=1"));
	hang_up(&old);
	assert_true(http_server_stop(s, 3000));
}

static void a_server_without_a_usable_certificate_does_not_start(void **state)
{
	struct config broken = settings(files[0], files[3]), missing = settings(files[4], files[1]);
	struct config swapped = settings(files[1], files[0]);
	char why[256];

	(void)state;
	assert_null(start(&broken, false, why, sizeof(why)));
	assert_non_null(strstr(why, "does not belong"));
	assert_null(start(&missing, false, why, sizeof(why)));
	assert_non_null(strstr(why, files[4]));
	assert_null(start(&swapped, false, why, sizeof(why)));
}

static void a_plain_listener_stays_plain(void **state)
{
	struct config cfg = settings(files[0], files[1]);
	char why[256], text[1024];
	struct http_server *s = start(&cfg, true, why, sizeof(why));
	int fd;

	(void)state;
	assert_non_null(s);
	fd = dial(s);
	assert_true(send(fd, "GET /loop HTTP/1.1" H "\r\n", strlen("GET /loop HTTP/1.1" H "\r\n"),
			 0) > 0);
	assert_true(read(fd, text, sizeof(text)) > 0);
	assert_memory_equal(text, "HTTP/1.1 200", 12);
	(void)close(fd);
	assert_int_equal(http_server_reload_tls(s, &cfg, why, sizeof(why)).code, ERR_OK);
	assert_true(http_server_stop(s, 3000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_over_tls_are_served),
		cmocka_unit_test(SC05_old_versions_and_weak_suites_are_refused),
		cmocka_unit_test(HT03_the_guard_stands_behind_tls_too),
		cmocka_unit_test(HT18_a_handshake_that_stalls_ends_at_the_deadline),
		cmocka_unit_test(new_certificates_are_used_from_the_next_connection_on),
		cmocka_unit_test(a_server_without_a_usable_certificate_does_not_start),
		cmocka_unit_test(a_plain_listener_stays_plain),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
