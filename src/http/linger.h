/* linger.h — sockets on their last seconds: we have said our last word and closed our direction, but
 * the peer may still be sending. Closing at once would answer those bytes with a reset, and a reset
 * throws away what the peer has not read yet: our refusal. So they are read and dropped for a while.
 * Used by one thread, except linger_add. */
#ifndef HTTP_LINGER_H
#define HTTP_LINGER_H

#include <poll.h>
#include <pthread.h>

#include "base/err.h"

#define LINGER_MAX        64
#define LINGER_MS         2000
#define LINGER_DROP_BYTES ((size_t)2 * 1024 * 1024) /* that many more, and it is closed anyway */

struct linger_list {
	pthread_mutex_t lock;
	struct linger_item {
		int fd;
		int64_t until_us;
		size_t dropped;
	} items[LINGER_MAX];
	size_t n;
};

void linger_init(struct linger_list *l);
void linger_clear(struct linger_list *l); /* closes what is left */

/* Keep a copy of the descriptor, whose owner is about to close it. Full: does nothing. */
void linger_add(struct linger_list *l, int fd);

/* Fill at most LINGER_MAX entries to poll; returns how many. */
size_t linger_poll_set(struct linger_list *l, struct pollfd *set);
/* Read, drop and close what is due. */
void linger_run(struct linger_list *l, int64_t now_us);

#endif
