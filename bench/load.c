/* load.c — an HTTP/1.1 load generator for our own loopback servers: one thread, epoll, keep-alive, closed loop.
 * The same client is used for the server and for what it is compared with, so its cost cancels out.
 *
 *   load MODE ADDRESS:PORT CONNECTIONS SECONDS [FILE|PATH] [PATH]
 *     get PATH      GET that path
 *     me FILE       GET /auth/me, cycling over access tokens (one a line)
 *     refresh FILE  POST /auth/refresh, cycling over refresh tokens and keeping what comes back
 *     login FILE    POST /auth/login, cycling over addresses (one a line)
 *     factor FILE   POST /auth/2fa/verify, one for each line ("handle seed"); ends when all are used
 *     post FILE PATH  POST {"email","password"} to that path, cycling over addresses
 *     idle          open the connections, one GET /healthz each, hold them
 *
 * With LOAD_SPIN set it never sleeps: on a core of its own the server is then not charged for waking it.
 * With LOAD_RATE set to requests a second it is an open loop: each is begun when its time comes, by a connection that
 * is free; its latency counts from then, also when none was.
 * With LOAD_LATENCIES set, every latency is appended to that file, in microseconds, one a line.
 *
 * Prints one line: MODE rate p50_ms p99_ms max_ms ok bad  */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "crypto/totp.h"

#define REQUEST_MAX  4096
#define RESPONSE_MAX 65536
#define TOKEN_MAX    1200
#define PASSWORD     "correct horse battery"

enum mode { GET, ME, REFRESH, LOGIN, POST, FACTOR, IDLE };

struct conn {
	int fd;
	size_t item;      /* which line of the file the request in flight is about */
	int64_t sent_us; /* or the time that it was due */
	bool free;
	size_t request_n, request_at;
	size_t response_n;
	char request[REQUEST_MAX];
	char response[RESPONSE_MAX];
};

static enum mode mode;
static struct sockaddr_in server;
static const char *path = "/";
static char **items;
static size_t n_items, next_item, n_started;
static int epoll_fd;
static int64_t *latency_us;
static size_t n_latency, max_latency = 8 * 1000 * 1000;
static uint64_t n_ok, n_bad;
static double interval_us; /* between requests that come at their time; 0: a closed loop */
static double due_us;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void read_items(const char *file)
{
	FILE *f = fopen(file, "r");
	char line[TOKEN_MAX + 2];
	size_t room = 0;

	if (f == NULL)
		die(file);
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (n_items == room) {
			room = room == 0 ? 1024 : room * 2;
			items = realloc(items, room * sizeof(*items));
			if (items == NULL)
				die("realloc");
		}
		items[n_items++] = strdup(line);
	}
	(void)fclose(f);
	if (n_items == 0)
		die("no items");
}

/* "handle seed", the seed in hexadecimal → the body with the code of this moment. */
static int factor_body(const char *item, char *body, size_t max)
{
	const char *hex = strchr(item, ' ');
	uint8_t seed[TOTP_SEED_BYTES];
	char code[TOTP_DIGITS];
	struct timespec ts;

	if (hex == NULL || strlen(hex + 1) != 2 * sizeof(seed))
		die("not a handle and a seed");
	for (size_t i = 0; i < sizeof(seed); i++) {
		char digits[3] = { hex[1 + 2 * i], hex[2 + 2 * i], '\0' };

		seed[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	if (totp_code((struct secret){ seed, sizeof(seed) }, totp_step((int64_t)ts.tv_sec * 1000), code).code != ERR_OK)
		die("code");
	return snprintf(body, max, "{\"tempToken\":\"%.*s\",\"totpCode\":\"%.*s\"}", (int)(hex - item), item,
			TOTP_DIGITS, code);
}

static void build_request(struct conn *c)
{
	char body[TOKEN_MAX + 100];
	int n = 0, b = 0;

	if (items != NULL) {
		c->item = next_item;
		next_item = (next_item + 1) % n_items;
	}
	switch (mode) {
	case GET:
		n = snprintf(c->request, REQUEST_MAX, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
		break;
	case IDLE:
		n = snprintf(c->request, REQUEST_MAX, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
		break;
	case ME:
		n = snprintf(c->request, REQUEST_MAX,
			     "GET /auth/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n",
			     items[c->item]);
		break;
	case REFRESH:
		b = snprintf(body, sizeof(body), "{\"refreshToken\":\"%s\"}", items[c->item]);
		n = snprintf(c->request, REQUEST_MAX,
			     "POST /auth/refresh HTTP/1.1\r\nHost: localhost\r\nX-Auth-Strategy: bearer\r\n"
			     "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			     b, body);
		break;
	case LOGIN:
	case POST:
	case FACTOR:
		b = mode == FACTOR ? factor_body(items[c->item], body, sizeof(body)) :
				     snprintf(body, sizeof(body),
					      "{\"email\":\"%s\",\"password\":\"" PASSWORD "\"}",
					      items[c->item]);
		n = snprintf(c->request, REQUEST_MAX,
			     "POST %s HTTP/1.1\r\nHost: localhost\r\nX-Auth-Strategy: bearer\r\n"
			     "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			     path, b, body);
		break;
	}
	if (n <= 0 || n >= REQUEST_MAX)
		die("request too long");
	c->request_n = (size_t)n;
	c->request_at = 0;
	c->response_n = 0;
}

static void watch(struct conn *c, bool writing, int op)
{
	struct epoll_event ev = { .events = EPOLLIN | (writing ? EPOLLOUT : 0U), .data.ptr = c };

	if (epoll_ctl(epoll_fd, op, c->fd, &ev) != 0)
		die("epoll_ctl");
}

static void send_request(struct conn *c)
{
	ssize_t n = write(c->fd, c->request + c->request_at, c->request_n - c->request_at);

	if (n < 0 && errno != EAGAIN)
		die("write");
	if (n > 0)
		c->request_at += (size_t)n;
	if (c->request_at < c->request_n)
		watch(c, true, EPOLL_CTL_MOD);
}

static void open_conn(struct conn *c)
{
	int one = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&server, sizeof(server)) != 0)
		die("connect");
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (fcntl(c->fd, F_SETFL, O_NONBLOCK) != 0)
		die("fcntl");
	watch(c, false, EPOLL_CTL_ADD);
}

static void start(struct conn *c)
{
	c->free = interval_us > 0 && due_us > (double)now_us();
	if (c->free || (mode == FACTOR && n_started++ >= n_items))
		return;
	build_request(c);
	c->sent_us = interval_us > 0 ? (int64_t)due_us : now_us();
	due_us += interval_us;
	send_request(c);
}

static void start_due(struct conn *conns, size_t n)
{
	for (size_t i = 0; i < n && interval_us > 0 && due_us <= (double)now_us(); i++) {
		if (conns[i].free)
			start(&conns[i]);
	}
}

static int wait_for(struct epoll_event *events, int max, int64_t patience_us)
{
	int64_t left_us = interval_us > 0 ? (int64_t)due_us - now_us() : patience_us;
	struct timespec ts;

	/* Late requests wait for a connection, not for their time. */
	left_us = left_us < 0 || left_us > patience_us ? patience_us : left_us;
	ts = (struct timespec){ .tv_sec = 0, .tv_nsec = left_us * 1000 };
	return epoll_pwait2(epoll_fd, events, max, &ts, NULL);
}

/* Length of the whole answer once its head is there; 0 before. */
static size_t answer_length(const struct conn *c)
{
	const char *end = memmem(c->response, c->response_n, "\r\n\r\n", 4);
	const char *length;

	if (end == NULL)
		return 0;
	length = strcasestr(c->response, "\r\nContent-Length:");
	if (length == NULL || length > end)
		die("answer without length");
	return (size_t)(end + 4 - c->response) + (size_t)strtoul(length + 17, NULL, 10);
}

static void keep_new_token(struct conn *c)
{
	static const char key[] = "\"refreshToken\":\"";
	char *at = strstr(c->response, key), *end;

	if (at == NULL)
		return;
	at += sizeof(key) - 1;
	end = strchr(at, '"');
	if (end == NULL || (size_t)(end - at) != strlen(items[c->item]))
		return;
	memcpy(items[c->item], at, (size_t)(end - at));
}

static void finish(struct conn *c)
{
	if (n_latency < max_latency)
		latency_us[n_latency++] = now_us() - c->sent_us;
	if (c->response[9] == '2')
		n_ok++;
	else
		n_bad++;
	if (mode == REFRESH)
		keep_new_token(c);
	if (mode != IDLE)
		start(c);
}

static void receive(struct conn *c)
{
	ssize_t n = read(c->fd, c->response + c->response_n, RESPONSE_MAX - 1 - c->response_n);
	size_t want;

	if (n == 0 || (n < 0 && errno != EAGAIN)) { /* closed by the server: count and come back */
		n_bad++;
		(void)close(c->fd);
		open_conn(c);
		start(c);
		return;
	}
	if (n < 0)
		return;
	c->response_n += (size_t)n;
	c->response[c->response_n] = '\0';
	want = answer_length(c);
	if (want > 0 && c->response_n >= want)
		finish(c);
}

static int by_value(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double quantile_ms(double q)
{
	if (n_latency == 0)
		return 0;
	return (double)latency_us[(size_t)((double)(n_latency - 1) * q)] / 1000;
}

static void write_latencies(const char *file)
{
	FILE *f = file == NULL ? NULL : fopen(file, "a");

	if (file == NULL)
		return;
	if (f == NULL)
		die(file);
	for (size_t i = 0; i < n_latency; i++)
		(void)fprintf(f, "%lld\n", (long long)latency_us[i]);
	if (fclose(f) != 0)
		die(file);
}

static void parse_arguments(int argc, char **argv, size_t *ret_conns, double *ret_seconds)
{
	static const char *const names[] = { "get", "me", "refresh", "login", "post", "factor", "idle" };
	char *colon;
	size_t m = 0;

	if (argc < 5) {
		(void)fprintf(stderr, "usage: load MODE 127.0.0.1:PORT CONNECTIONS SECONDS [FILE|PATH] [PATH]\n");
		exit(2);
	}
	while (m < 7 && strcmp(argv[1], names[m]) != 0)
		m++;
	colon = strchr(argv[2], ':');
	if (m == 7 || colon == NULL || (m < 6 && argc < 6) || (m == POST && argc < 7))
		exit(2);
	mode = (enum mode)m;
	*colon = '\0';
	server.sin_family = AF_INET;
	server.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	/* Only this machine is ever a target. */
	if (inet_pton(AF_INET, argv[2], &server.sin_addr) != 1 ||
	    ntohl(server.sin_addr.s_addr) >> 24 != 127)
		exit(2);
	*ret_conns = strtoul(argv[3], NULL, 10);
	*ret_seconds = strtod(argv[4], NULL);
	path = mode == GET ? argv[5] : mode == POST ? argv[6] : mode == FACTOR ? "/auth/2fa/verify" : "/auth/login";
	if (mode == GET)
		return;
	if (mode != IDLE)
		read_items(argv[5]);
}

int main(int argc, char **argv)
{
	struct epoll_event events[256];
	int64_t begin, end, spent;
	size_t n_conns = 0;
	int64_t patience_us = getenv("LOAD_SPIN") == NULL ? 100 * 1000 : 0;
	const char *rate = getenv("LOAD_RATE");
	double seconds = 0;
	struct conn *conns;

	(void)signal(SIGPIPE, SIG_IGN);
	parse_arguments(argc, argv, &n_conns, &seconds);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	conns = calloc(n_conns, sizeof(*conns));
	latency_us = malloc(max_latency * sizeof(*latency_us));
	if (conns == NULL || latency_us == NULL)
		die("memory");
	interval_us = rate == NULL ? 0 : 1e6 / strtod(rate, NULL);
	due_us = (double)now_us();
	for (size_t i = 0; i < n_conns; i++) {
		open_conn(&conns[i]);
		start(&conns[i]);
	}
	begin = now_us();
	end = begin + (int64_t)(seconds * 1e6);
	while (now_us() < end && !(mode == FACTOR && n_ok + n_bad >= n_items)) {
		int n = wait_for(events, 256, patience_us);

		for (int i = 0; i < n; i++) {
			struct conn *c = events[i].data.ptr;

			if ((events[i].events & EPOLLOUT) != 0 && c->request_at < c->request_n) {
				watch(c, false, EPOLL_CTL_MOD);
				send_request(c);
			}
			if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0)
				receive(c);
		}
		start_due(conns, n_conns);
	}
	spent = now_us() - begin;
	qsort(latency_us, n_latency, sizeof(*latency_us), by_value);
	write_latencies(getenv("LOAD_LATENCIES"));
	(void)printf("%s %.0f %.3f %.3f %.3f %llu %llu\n", argv[1], (double)n_ok * 1e6 / (double)spent,
		     quantile_ms(0.5), quantile_ms(0.99), quantile_ms(1.0), (unsigned long long)n_ok,
		     (unsigned long long)n_bad);
	return 0;
}
