/* source.h — how many connections each source holds: an IPv4 address, or an IPv6 /64 (what one
 * subscriber is given). Bounded memory, safe from several threads. */
#ifndef HTTP_SOURCE_H
#define HTTP_SOURCE_H

#include <pthread.h>

#include "http/http.h"

struct source_slot {
	uint8_t key[CLIENT_ADDR_LEN];
	uint32_t count; /* 0: free */
};

struct source_table {
	struct source_slot *slots; /* open addressing, linear; at most half full */
	size_t mask;
	uint64_t seed; /* so that nobody can choose addresses that collide */
	pthread_mutex_t lock;
};

/* Room for `max` connections. Faults: ERR_NO_MEMORY, ERR_CRYPTO. */
MUST_USE err_t source_init(struct source_table *t, size_t max);
void source_clear(struct source_table *t);

/* Count one more connection of the source unless it already has `limit`. */
bool source_take(struct source_table *t, const uint8_t addr[CLIENT_ADDR_LEN], int64_t limit);
void source_give_back(struct source_table *t, const uint8_t addr[CLIENT_ADDR_LEN]);

#endif
