/* api.h — what the handlers share: the published settings and keys, the store, the counters.
 * Built by app/wire.c, which owns everything in it. */
#ifndef API_API_H
#define API_API_H

#include <pthread.h>

#include "api/metrics.h"
#include "base/clock.h"
#include "domain/ctx.h"
#include "domain/outbox.h"
#include "http/http.h"
#include "store/db.h"

/* Settings and keys as of the last (re)load: immutable, shared, counted. A thread takes the new one at
 * its next request; the last holder frees the old one. */
struct runtime {
	struct config *cfg;
	struct keyring *keys;
	struct ui *ui; /* NULL (tests): there are no hosted pages */
	atomic_int holders;
	void (*free)(struct runtime *rt);
};

/* How far the sender of one channel is; api knows no more of it. */
struct api_outbox {
	int64_t waiting, dead, oldest_s;
	bool breaker_open;
};

struct api {
	_Atomic(struct runtime *) current; /* holds one count itself */
	pthread_mutex_t swap;              /* taking a count and swapping exclude each other */
	struct store *store;
	struct password_gate *gate;
	struct counters *count;
	struct metrics *metrics;
	struct clock clock;
	struct clock_guard *clock_guard; /* NULL (tests): the clock is not checked */
	struct brake *brake;             /* NULL (tests): outcomes of sign-ins are not counted */
	struct rng rng;
	const char *version;        /* for /metrics; NULL (tests): none */
	struct http_server *server; /* for /metrics; set after start */
	atomic_bool stopping;
	atomic_bool log_requests; /* of the current settings */
	void (*thread_opened)(void *self, struct db *db); /* tests only: wraps the thread's handle */
	void *thread_opened_self;
	/* The sender: told when a request queued a message. NULL: there is none (tests). */
	void (*outbox_wake)(void *self);
	void (*outbox_stats)(void *self, enum outbox_channel channel, struct api_outbox *ret);
	void *outbox_self;
	const struct outside *outside; /* identity providers; NULL: nobody is asked (tests) */
};

/* A listener's face of the application. ops: it serves /metrics too (and, when ops_only, nothing else
 * but health). */
struct api_listener {
	struct api *api;
	bool serves_metrics, ops_only;
};

struct runtime *runtime_hold(struct api *api); /* pair with runtime_release */
void runtime_release(struct runtime *rt);
/* Publish new settings and keys; the old ones go when their last holder does. */
void runtime_publish(struct api *api, struct runtime *rt);

/* The functions of http_app over one listener. */
void api_listener_app(struct api_listener *l, struct http_app *ret);

#endif
