/* tcp_peer.h — a provider on loopback for unit tests: reads one HTTP request per connection and
 * answers as its script says. One thread. */
#ifndef TEST_TCP_PEER_H
#define TEST_TCP_PEER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct tcp_peer {
	const char *answer; /* all bytes of it; NULL: none, the connection stays open */
	bool endless;	    /* more and more body follows, until the other end closes */
	int fd, port;
	atomic_int connections;
	atomic_bool stopping;
	pthread_t thread;
	char request[16384]; /* the last one, NUL-terminated; read it after the exchange */
};

void tcp_peer_start(struct tcp_peer *p, const char *answer, bool endless);
void tcp_peer_stop(struct tcp_peer *p);

#endif
