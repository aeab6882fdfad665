#include "tcp_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOK_MS 10

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* False when the peer is to stop, or the other end has closed. */
static bool wait_for_bytes(struct tcp_peer *p, int fd)
{
	struct pollfd look = { .fd = fd, .events = POLLIN };

	while (!atomic_load(&p->stopping)) {
		if (poll(&look, 1, LOOK_MS) > 0)
			return true;
	}
	return false;
}

static bool request_is_whole(const char *request)
{
	const char *end = strstr(request, "\r\n\r\n");
	const char *length = strcasestr(request, "\r\nContent-Length: ");

	if (end == NULL)
		return false;
	return length == NULL || length > end ||
	       strlen(end + 4) >= strtoul(length + strlen("\r\nContent-Length: "), NULL, 10);
}

static bool read_request(struct tcp_peer *p, int fd)
{
	char got[sizeof(p->request)] = { 0 };
	size_t n = 0;

	while (!request_is_whole(got)) {
		ssize_t more;

		if (n == sizeof(got) - 1 || !wait_for_bytes(p, fd))
			return false;
		more = recv(fd, got + n, sizeof(got) - 1 - n, 0);
		if (more <= 0)
			return false;
		n += (size_t)more;
	}
	memcpy(p->request, got, sizeof(got));
	return true;
}

static bool send_all(int fd, const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		bytes += sent;
		n -= (size_t)sent;
	}
	return true;
}

static void serve(struct tcp_peer *p, int fd)
{
	char more[1024];

	memset(more, 'x', sizeof(more));
	if (!read_request(p, fd))
		return;
	if (p->answer == NULL) {
		(void)wait_for_bytes(p, fd);
		return;
	}
	if (send_all(fd, p->answer, strlen(p->answer))) {
		while (p->endless && !atomic_load(&p->stopping) && send_all(fd, more, sizeof(more)))
			;
	}
}

static void *peer_main(void *self)
{
	struct tcp_peer *p = self;

	while (wait_for_bytes(p, p->fd)) {
		int fd = accept(p->fd, NULL, NULL);

		if (fd < 0)
			continue;
		atomic_fetch_add(&p->connections, 1);
		serve(p, fd);
		close(fd);
	}
	return NULL;
}

void tcp_peer_start(struct tcp_peer *p, const char *answer, bool endless)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(at);

	*p = (struct tcp_peer){ .answer = answer, .endless = endless };
	p->fd = socket(AF_INET, SOCK_STREAM, 0);
	must(p->fd >= 0 && bind(p->fd, (struct sockaddr *)&at, n) == 0 && listen(p->fd, 8) == 0);
	must(getsockname(p->fd, (struct sockaddr *)&at, &n) == 0);
	p->port = ntohs(at.sin_port);
	must(pthread_create(&p->thread, NULL, peer_main, p) == 0);
}

void tcp_peer_stop(struct tcp_peer *p)
{
	atomic_store(&p->stopping, true);
	must(pthread_join(p->thread, NULL) == 0);
	close(p->fd);
}
