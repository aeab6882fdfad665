#include "crypto/password_gate.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/wait.h"

/* One thread in the queue; lives on its stack. */
struct waiter {
	pthread_cond_t turn;
	bool granted;
	struct waiter *next;
};

/* The counters change under the mutex and are read without it: they are for gauges. */
struct password_gate {
	pthread_mutex_t m;
	struct waiter *first, **last;
	int64_t permits;
	_Atomic int64_t running, waiting, hash_us;
};

err_t password_gate_new(int64_t permits, struct password_gate **ret)
{
	struct password_gate *g;

	REQUIRE(permits >= 1, ERR_BUG);
	g = calloc(1, sizeof(*g));
	REQUIRE(g != NULL, ERR_NO_MEMORY);
	if (pthread_mutex_init(&g->m, NULL) != 0) {
		free(g);
		FAIL(ERR_NO_MEMORY);
	}
	g->permits = permits;
	g->last = &g->first;
	*ret = g;
	return OK;
}

void password_gate_free(struct password_gate *g)
{
	if (g == NULL)
		return;
	(void)pthread_mutex_destroy(&g->m);
	free(g);
}

int64_t password_gate_hash_us(const struct password_gate *g)
{
	return atomic_load(&g->hash_us);
}

int64_t password_gate_waiting(const struct password_gate *g)
{
	return atomic_load(&g->waiting);
}

int64_t password_gate_running(const struct password_gate *g)
{
	return atomic_load(&g->running);
}

int64_t password_gate_permits(const struct password_gate *g)
{
	return g->permits;
}

static void queue_push(struct password_gate *g, struct waiter *w)
{
	*g->last = w;
	g->last = &w->next;
	g->waiting++;
}

static void queue_remove(struct password_gate *g, struct waiter *w)
{
	struct waiter **at = &g->first;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	if (g->last == &w->next)
		g->last = at;
	g->waiting--;
}

/* With the mutex held. A permit is handed to the first in the queue, never left lying for whoever
 * comes by: so nobody is overtaken, and `running` does not change. */
static void wait_for_turn(struct password_gate *g, struct waiter *w, int64_t deadline_us)
{
	queue_push(g, w);
	while (!w->granted && wait_until(&w->turn, &g->m, deadline_us))
		;
	if (!w->granted)
		queue_remove(g, w);
}

err_t gate_enter(struct password_gate *g, int64_t deadline_us)
{
	struct waiter w = { 0 };

	(void)pthread_mutex_lock(&g->m);
	if (g->running < g->permits) {
		g->running++;
		(void)pthread_mutex_unlock(&g->m);
		return OK;
	}
	err_t e = wait_cond_init(&w.turn);
	if (e.code != ERR_OK) {
		(void)pthread_mutex_unlock(&g->m);
		return e;
	}
	wait_for_turn(g, &w, deadline_us);
	(void)pthread_mutex_unlock(&g->m);
	(void)pthread_cond_destroy(&w.turn);
	REQUIRE(w.granted, ERR_OVERLOAD);
	return OK;
}

void gate_leave(struct password_gate *g, int64_t took_us)
{
	struct waiter *w;
	int64_t before;

	(void)pthread_mutex_lock(&g->m);
	before = g->hash_us;
	g->hash_us = before == 0 ? took_us : before + (took_us - before) / 8;
	w = g->first;
	if (w == NULL) {
		g->running--;
	} else {
		queue_remove(g, w);
		w->granted = true;
		(void)pthread_cond_signal(&w->turn); /* under the mutex: w is gone once it wakes */
	}
	(void)pthread_mutex_unlock(&g->m);
}
