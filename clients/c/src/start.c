/* start.c — calls that run on threads of the library: at most four, begun when there is work, ended with the client. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#define WORKERS_MAX (sizeof((sp_client *)0)->workers / sizeof(pthread_t))
#define WORK_MAX 64

struct work {
	struct work *next;
	const struct call *call;
	char *arguments[CALL_ARGUMENTS_MAX];
	sp_done_fn done;
	void *context;
};

static void work_free(struct work *w)
{
	for (size_t i = 0; i < CALL_ARGUMENTS_MAX; i++)
		wipe_free(w->arguments[i]);
	free(w);
}

static struct work *take_work(sp_client *c)
{
	struct work *w;

	(void)pthread_mutex_lock(&c->work_mutex);
	c->n_resting++;
	while (c->work == NULL && !c->closing)
		(void)pthread_cond_wait(&c->work_ready, &c->work_mutex);
	c->n_resting--;
	w = c->work;
	if (w != NULL) {
		c->work = w->next;
		c->n_work--;
	}
	(void)pthread_mutex_unlock(&c->work_mutex);
	return w;
}

/* What waits when the client is closed is run too: it ends with SP_CANCELLED at once, and is told so. */
static void *worker(void *context)
{
	sp_client *c = context;
	struct work *w;

	while ((w = take_work(c)) != NULL) {
		sp_result *r = call_run(c, w->call, (const char *const *)w->arguments);

		w->done(w->context, r);
		work_free(w);
	}
	return NULL;
}

static struct work *work_new(const struct call *call, const char *const *arguments, size_t n, sp_done_fn done,
			     void *context)
{
	struct work *w = calloc(1, sizeof *w);

	if (w == NULL)
		return NULL;
	w->call = call;
	w->done = done;
	w->context = context;
	for (size_t i = 0; i < n; i++) {
		if (arguments[i] == NULL)
			continue;
		w->arguments[i] = strdup(arguments[i]);
		if (w->arguments[i] == NULL) {
			work_free(w);
			return NULL;
		}
	}
	return w;
}

/* With the mutex held. */
static sp_error queue(sp_client *c, struct work *w)
{
	struct work **end = &c->work;

	if (c->closing)
		return SP_CANCELLED;
	if (c->n_work >= WORK_MAX)
		return SP_LATER;
	if (c->n_resting <= c->n_work && c->n_workers < WORKERS_MAX) {
		if (start_thread(&c->workers[c->n_workers], worker, c))
			c->n_workers++;
		else if (c->n_workers == 0)
			return SP_MEMORY;
	}
	while (*end != NULL)
		end = &(*end)->next;
	*end = w;
	c->n_work++;
	(void)pthread_cond_broadcast(&c->work_ready);
	return SP_OK;
}

sp_error sp_start(sp_client *c, const char *name, const char *const *arguments, size_t n, sp_done_fn done,
		  void *context)
{
	const struct call *call = name == NULL || name[0] == '+' ? NULL : call_find(name);
	struct work *w;
	sp_error e;

	if (c == NULL || call == NULL || done == NULL || n != call_arguments(call) || (n > 0 && arguments == NULL))
		return SP_INVALID;
	w = work_new(call, arguments, n, done, context);
	if (w == NULL)
		return SP_MEMORY;
	(void)pthread_mutex_lock(&c->work_mutex);
	e = queue(c, w);
	(void)pthread_mutex_unlock(&c->work_mutex);
	if (e != SP_OK)
		work_free(w);
	return e;
}

bool start_is_inside(sp_client *c)
{
	bool is = false;

	(void)pthread_mutex_lock(&c->work_mutex);
	for (size_t i = 0; i < c->n_workers; i++)
		is = is || pthread_equal(c->workers[i], pthread_self());
	for (const struct caller *at = c->callers; at != NULL; at = at->next)
		is = is || pthread_equal(at->thread, pthread_self());
	(void)pthread_mutex_unlock(&c->work_mutex);
	return is;
}

void start_close(sp_client *c)
{
	(void)pthread_mutex_lock(&c->work_mutex);
	c->closing = true;
	(void)pthread_cond_broadcast(&c->work_ready);
	(void)pthread_mutex_unlock(&c->work_mutex);
	for (size_t i = 0; i < c->n_workers; i++) /* none is added any more */
		(void)pthread_join(c->workers[i], NULL);
	(void)pthread_mutex_lock(&c->work_mutex);
	while (c->callers != NULL) /* on the program's own threads */
		(void)pthread_cond_wait(&c->work_ready, &c->work_mutex);
	(void)pthread_mutex_unlock(&c->work_mutex);
}
