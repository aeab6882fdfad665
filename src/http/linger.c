#include "http/linger.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

void linger_init(struct linger_list *l)
{
	*l = (struct linger_list){ 0 };
	(void)pthread_mutex_init(&l->lock, NULL);
}

void linger_clear(struct linger_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		(void)close(l->items[i].fd);
	l->n = 0;
	(void)pthread_mutex_destroy(&l->lock);
}

void linger_add(struct linger_list *l, int fd)
{
	int copy;

	(void)pthread_mutex_lock(&l->lock);
	if (l->n < LINGER_MAX && (copy = fcntl(fd, F_DUPFD_CLOEXEC, 0)) >= 0) {
		(void)shutdown(copy, SHUT_WR);
		l->items[l->n++] = (struct linger_item){
			.fd = copy,
			.until_us = monotonic_us() + LINGER_MS * (int64_t)1000,
		};
	}
	(void)pthread_mutex_unlock(&l->lock);
}

size_t linger_poll_set(struct linger_list *l, struct pollfd *set)
{
	size_t n;

	(void)pthread_mutex_lock(&l->lock);
	n = l->n;
	for (size_t i = 0; i < n; i++)
		set[i] = (struct pollfd){ .fd = l->items[i].fd, .events = POLLIN };
	(void)pthread_mutex_unlock(&l->lock);
	return n;
}

/* False when there is nothing more to wait for. */
static bool drain(struct linger_item *item)
{
	char sink[16384];

	for (int i = 0; i < 8; i++) {
		ssize_t got = recv(item->fd, sink, sizeof(sink), MSG_DONTWAIT);

		if (got < 0)
			return errno == EAGAIN || errno == EINTR;
		item->dropped += (size_t)got;
		if (got == 0 || item->dropped > LINGER_DROP_BYTES)
			return false;
	}
	return true;
}

void linger_run(struct linger_list *l, int64_t now_us)
{
	size_t kept = 0;

	(void)pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < l->n; i++) {
		if (drain(&l->items[i]) && now_us < l->items[i].until_us)
			l->items[kept++] = l->items[i];
		else
			(void)close(l->items[i].fd);
	}
	l->n = kept;
	(void)pthread_mutex_unlock(&l->lock);
}
