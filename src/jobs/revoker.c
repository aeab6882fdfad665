#include "jobs/revoker.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/wait.h"
#include "domain/grant.h"

#define LOOK_EVERY_US ((int64_t)2 * 1000 * 1000)

struct revoker {
	struct revoker_options o;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct arena mem;
	struct db *db;
	bool stopping, started;
};

/* True: there may be another. */
static bool work_once(struct revoker *r)
{
	struct sender_runtime rt;
	struct ctx c;
	bool any = false;
	err_t e;

	r->o.hold(r->o.self, &rt);
	c = (struct ctx){
		.mem = &r->mem, .db = r->db, .cfg = rt.cfg, .keys = rt.keys, .count = r->o.count, .rng = r->o.rng,
		.now_ms = clock_now_ms(r->o.clock), .mono_ms = clock_mono_ms(r->o.clock), .outside = r->o.outside,
		.client_ip = STR("server"),
	};
	e = grant_work(&c, &any);
	if (e.code != ERR_OK)
		log_event(LOG_WARN, "revoking_failed", LOG_CSTR("fault", err_name(e.code)));
	err_clear_origin();
	r->o.release(r->o.self, &rt);
	arena_reset(&r->mem);
	return any && e.code == ERR_OK;
}

static bool pause_is_over(struct revoker *r, bool more)
{
	int64_t until_us = monotonic_us() + (more ? 0 : LOOK_EVERY_US);
	bool stopping;

	(void)pthread_mutex_lock(&r->lock);
	while (!r->stopping && wait_until(&r->wake, &r->lock, until_us))
		continue;
	stopping = r->stopping;
	(void)pthread_mutex_unlock(&r->lock);
	return !stopping;
}

static void *revoker_main(void *arg)
{
	struct revoker *r = arg;
	bool more = false;

	while (pause_is_over(r, more))
		more = work_once(r);
	return NULL;
}

static err_t open_parts(struct revoker *r)
{
	TRY(wait_cond_init(&r->wake));
	TRY(arena_init(&r->mem, ARENA_DEFAULT_BYTES));
	TRY(store_handle(r->o.store, &r->db));
	REQUIRE(pthread_create(&r->thread, NULL, revoker_main, r) == 0, ERR_NO_MEMORY);
	r->started = true;
	return OK;
}

err_t revoker_start(const struct revoker_options *o, struct revoker **ret)
{
	struct revoker *r = calloc(1, sizeof(*r));
	err_t e;

	REQUIRE(r != NULL, ERR_NO_MEMORY);
	r->o = *o;
	(void)pthread_mutex_init(&r->lock, NULL);
	e = open_parts(r);
	if (e.code != ERR_OK)
		revoker_stop(r);
	else
		*ret = r;
	return e;
}

void revoker_stop(struct revoker *r)
{
	if (r == NULL)
		return;
	(void)pthread_mutex_lock(&r->lock);
	r->stopping = true;
	if (r->started)
		(void)pthread_cond_broadcast(&r->wake);
	(void)pthread_mutex_unlock(&r->lock);
	if (r->started)
		(void)pthread_join(r->thread, NULL);
	if (r->db != NULL)
		db_close(r->db);
	arena_clear(&r->mem);
	(void)pthread_mutex_destroy(&r->lock);
	free(r);
}
