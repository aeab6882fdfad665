/* SC06: whom outbound TLS talks to. A server on loopback with certificates good and bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "egress/client.h"

#define ANSWER "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"

static struct arena mem;
static char dir[] = "/tmp/test_client_tls_XXXXXX";

/* ---- certificates ---- */

struct identity {
	gnutls_certificate_credentials_t credentials;
	char pem_file[64]; /* the certificate as an authority */
};

static void make_certificate(gnutls_x509_privkey_t key, unsigned char address, int64_t expires_in_s,
			     gnutls_x509_crt_t *ret)
{
	const unsigned char ip[4] = { 127, 0, 0, address };
	gnutls_x509_crt_t crt;
	time_t now = time(NULL);

	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_set_version(crt, 3), 0);
	assert_int_equal(gnutls_x509_crt_set_serial(crt, "\1", 1), 0);
	assert_int_equal(gnutls_x509_crt_set_dn(crt, "CN=gateway", NULL), 0);
	assert_int_equal(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, ip,
							      sizeof(ip), GNUTLS_FSAN_SET),
			 0);
	assert_int_equal(gnutls_x509_crt_set_ca_status(crt, 1), 0);
	assert_int_equal(gnutls_x509_crt_set_activation_time(crt, now - 7200), 0);
	assert_int_equal(gnutls_x509_crt_set_expiration_time(crt, now + expires_in_s), 0);
	assert_int_equal(gnutls_x509_crt_set_key(crt, key), 0);
	assert_int_equal(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), 0);
	*ret = crt;
}

static void write_pem(gnutls_x509_crt_t crt, const char *file)
{
	gnutls_datum_t pem;
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem), 0);
	assert_int_equal(fwrite(pem.data, 1, pem.size, f), pem.size);
	assert_int_equal(fclose(f), 0);
	gnutls_free(pem.data);
}

/* Self-signed, for 127.0.0.<address>. */
static void identity_init(struct identity *id, unsigned char address, int64_t expires_in_s)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;

	assert_int_equal(gnutls_x509_privkey_init(&key), 0);
	assert_int_equal(
		gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
					     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
		0);
	make_certificate(key, address, expires_in_s, &crt);
	(void)snprintf(id->pem_file, sizeof(id->pem_file), "%s/authority.pem", dir);
	write_pem(crt, id->pem_file);
	assert_int_equal(gnutls_certificate_allocate_credentials(&id->credentials), 0);
	assert_int_equal(gnutls_certificate_set_x509_key(id->credentials, &crt, 1, key), 0);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
}

static void identity_clear(struct identity *id)
{
	gnutls_certificate_free_credentials(id->credentials);
	(void)unlink(id->pem_file);
}

/* ---- a server for one connection ---- */

struct server {
	const struct identity *id;
	int fd, port;
	size_t n_request; /* bytes of a request that came, decrypted */
	pthread_t thread;
};

static void talk(struct server *s, gnutls_session_t tls)
{
	char request[4096];
	ssize_t n;

	if (gnutls_handshake(tls) != 0)
		return;
	n = gnutls_record_recv(tls, request, sizeof(request));
	if (n <= 0)
		return;
	s->n_request = (size_t)n;
	(void)gnutls_record_send(tls, ANSWER, strlen(ANSWER));
	(void)gnutls_bye(tls, GNUTLS_SHUT_WR);
}

static void *server_main(void *self)
{
	struct server *s = self;
	int fd = accept(s->fd, NULL, NULL);
	gnutls_session_t tls;

	if (fd < 0 || gnutls_init(&tls, GNUTLS_SERVER | GNUTLS_NO_SIGNAL) != 0)
		return NULL;
	if (gnutls_set_default_priority(tls) == 0 &&
	    gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, s->id->credentials) == 0) {
		gnutls_transport_set_int(tls, fd);
		talk(s, tls);
	}
	gnutls_deinit(tls);
	close(fd);
	return NULL;
}

static void server_start(struct server *s, const struct identity *id)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(at);

	*s = (struct server){ .id = id, .fd = socket(AF_INET, SOCK_STREAM, 0) };
	assert_true(s->fd >= 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&at, n), 0);
	assert_int_equal(listen(s->fd, 1), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &n), 0);
	s->port = ntohs(at.sin_port);
	assert_int_equal(pthread_create(&s->thread, NULL, server_main, s), 0);
}

/* ---- tests ---- */

static size_t asked(const struct identity *id, str authority, struct client_reply *ret)
{
	struct client_request r = { .method = "GET", .tls_ca = authority, .timeout_ms = 10000 };
	struct client *c;
	struct server s;

	arena_reset(&mem);
	server_start(&s, id);
	assert_int_equal(arena_printf(&mem, &r.url, "https://127.0.0.1:%d/", s.port).code, ERR_OK);
	assert_int_equal(client_new(&c).code, ERR_OK);
	assert_int_equal(client_send(c, &r, &mem, ret).code, ERR_OK);
	client_free(c);
	assert_int_equal(pthread_join(s.thread, NULL), 0);
	close(s.fd);
	return s.n_request;
}

static void check_not_talked_to(const struct identity *id, str authority)
{
	struct client_reply reply;

	assert_int_equal(asked(id, authority, &reply), 0);
	assert_int_equal(reply.status, 0);
	assert_non_null(memmem(reply.problem.p, reply.problem.n, "SSL", 3));
}

static void sc06_a_server_of_a_trusted_authority_is_talked_to(void **state)
{
	struct identity id;
	struct client_reply reply;

	(void)state;
	identity_init(&id, 1, 3600);
	assert_true(asked(&id, str_of_cstr(id.pem_file), &reply) > 0);
	assert_int_equal(reply.status, 200);
	identity_clear(&id);
}

static void sc06_a_server_nobody_vouches_for_gets_no_request(void **state)
{
	struct identity id;

	(void)state;
	identity_init(&id, 1, 3600);
	check_not_talked_to(&id, STR_NONE);
	identity_clear(&id);
}

static void sc06_a_trusted_server_of_another_name_gets_no_request(void **state)
{
	struct identity id;

	(void)state;
	identity_init(&id, 2, 3600);
	check_not_talked_to(&id, str_of_cstr(id.pem_file));
	identity_clear(&id);
}

static void sc06_a_certificate_that_has_expired_is_none(void **state)
{
	struct identity id;

	(void)state;
	identity_init(&id, 1, -3600);
	check_not_talked_to(&id, str_of_cstr(id.pem_file));
	identity_clear(&id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sc06_a_server_of_a_trusted_authority_is_talked_to),
		cmocka_unit_test(sc06_a_server_nobody_vouches_for_gets_no_request),
		cmocka_unit_test(sc06_a_trusted_server_of_another_name_gets_no_request),
		cmocka_unit_test(sc06_a_certificate_that_has_expired_is_none),
	};
	int failed;

	if (arena_init(&mem, ARENA_DEFAULT_BYTES).code != ERR_OK || mkdtemp(dir) == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(dir);
	arena_clear(&mem);
	return failed;
}
