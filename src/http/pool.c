#include "http/pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/wait.h"

struct pool {
	struct pool_work work;
	pthread_mutex_t lock;
	pthread_cond_t wake;   /* workers: there is a job, or it is time to go */
	pthread_cond_t change; /* whoever started or stops the pool: a worker opened or left */
	void **ring;           /* queued jobs, oldest at `head` */
	size_t cap, head, queued, reserved;
	size_t queue_max;
	size_t n_threads, n_opened, n_alive, n_busy;
	int64_t refused;
	err_t open_error;
	bool closed; /* accepts nothing any more */
	pthread_t threads[];
};

/* Called with the lock. */
static void *take_job(struct pool *p)
{
	void *job = p->ring[p->head];

	p->head = (p->head + 1) % p->cap;
	p->queued--;
	return job;
}

static void work_until_closed(struct pool *p, void *state)
{
	(void)pthread_mutex_lock(&p->lock);
	for (;;) {
		void *job;

		while (p->queued == 0 && !p->closed)
			(void)pthread_cond_wait(&p->wake, &p->lock);
		if (p->queued == 0)
			break;
		job = take_job(p);
		p->n_busy++;
		(void)pthread_mutex_unlock(&p->lock);
		p->work.run(p->work.self, state, job);
		(void)pthread_mutex_lock(&p->lock);
		p->n_busy--;
	}
	(void)pthread_mutex_unlock(&p->lock);
}

static void *worker_main(void *arg)
{
	struct pool *p = arg;
	void *state = NULL;
	err_t e = p->work.open(p->work.self, &state);

	(void)pthread_mutex_lock(&p->lock);
	p->n_opened++;
	if (e.code != ERR_OK)
		p->open_error = e;
	(void)pthread_cond_broadcast(&p->change);
	(void)pthread_mutex_unlock(&p->lock);
	if (e.code == ERR_OK) {
		work_until_closed(p, state);
		p->work.close(p->work.self, state);
	}
	(void)pthread_mutex_lock(&p->lock);
	p->n_alive--;
	(void)pthread_cond_broadcast(&p->change);
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

void pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	(void)pthread_mutex_destroy(&p->lock);
	(void)pthread_cond_destroy(&p->wake);
	(void)pthread_cond_destroy(&p->change);
	free(p->ring);
	free(p);
}

static struct pool *pool_new(const struct pool_work *work, size_t workers, size_t queue_max)
{
	struct pool *p = calloc(1, sizeof(*p) + workers * sizeof(p->threads[0]));

	if (p == NULL)
		return NULL;
	p->work = *work;
	p->queue_max = queue_max;
	p->cap = queue_max + workers;
	p->ring = calloc(p->cap, sizeof(*p->ring));
	(void)pthread_mutex_init(&p->lock, NULL);
	if (p->ring == NULL || wait_cond_init(&p->wake).code != ERR_OK ||
	    wait_cond_init(&p->change).code != ERR_OK) {
		free(p->ring);
		free(p);
		return NULL;
	}
	return p;
}

static err_t start_threads(struct pool *p, size_t workers)
{
	err_t e;

	(void)pthread_mutex_lock(&p->lock);
	while (p->n_threads < workers &&
	       pthread_create(&p->threads[p->n_threads], NULL, worker_main, p) == 0) {
		p->n_threads++;
		p->n_alive++;
	}
	while (p->n_opened < p->n_threads)
		(void)pthread_cond_wait(&p->change, &p->lock);
	e = p->open_error;
	(void)pthread_mutex_unlock(&p->lock);
	if (e.code == ERR_OK)
		REQUIRE(p->n_threads == workers, ERR_NO_MEMORY);
	return e;
}

err_t pool_start(const struct pool_work *work, int64_t workers, int64_t queue_max,
		 struct pool **ret)
{
	struct pool *p;
	err_t e;

	REQUIRE(workers > 0 && workers <= 4096 && queue_max >= 0 && queue_max <= 1 << 20,
		ERR_CONFIG);
	p = pool_new(work, (size_t)workers, (size_t)queue_max);
	REQUIRE(p != NULL, ERR_NO_MEMORY);
	e = start_threads(p, (size_t)workers);
	if (e.code != ERR_OK) {
		(void)pool_stop(p, INT64_MAX);
		pool_free(p);
		return e;
	}
	*ret = p;
	return OK;
}

bool pool_reserve(struct pool *p)
{
	bool room;

	(void)pthread_mutex_lock(&p->lock);
	room = !p->closed && p->queued + p->reserved + p->n_busy < p->queue_max + p->n_threads;
	if (room)
		p->reserved++;
	else
		p->refused++;
	(void)pthread_mutex_unlock(&p->lock);
	return room;
}

void pool_push(struct pool *p, void *job)
{
	bool closed;

	(void)pthread_mutex_lock(&p->lock);
	p->reserved--;
	closed = p->closed;
	if (!closed) {
		p->ring[(p->head + p->queued) % p->cap] = job;
		p->queued++;
		(void)pthread_cond_signal(&p->wake);
	}
	(void)pthread_mutex_unlock(&p->lock);
	if (closed)
		p->work.drop(p->work.self, job);
}

void pool_count(struct pool *p, struct pool_counts *ret)
{
	(void)pthread_mutex_lock(&p->lock);
	*ret = (struct pool_counts){
		.queued = (int64_t)p->queued,
		.busy = (int64_t)p->n_busy,
		.refused = p->refused,
	};
	(void)pthread_mutex_unlock(&p->lock);
}

void pool_refuse_rest(struct pool *p)
{
	(void)pthread_mutex_lock(&p->lock);
	p->closed = true;
	(void)pthread_cond_broadcast(&p->wake);
	while (p->queued > 0) {
		void *job = take_job(p);

		(void)pthread_mutex_unlock(&p->lock);
		p->work.drop(p->work.self, job);
		(void)pthread_mutex_lock(&p->lock);
	}
	(void)pthread_mutex_unlock(&p->lock);
}

bool pool_stop(struct pool *p, int64_t deadline_us)
{
	bool left;

	pool_refuse_rest(p);
	(void)pthread_mutex_lock(&p->lock);
	while (p->n_alive > 0 && wait_until(&p->change, &p->lock, deadline_us))
		continue;
	left = p->n_alive == 0;
	(void)pthread_mutex_unlock(&p->lock);
	if (!left)
		return false;
	for (size_t i = 0; i < p->n_threads; i++)
		(void)pthread_join(p->threads[i], NULL);
	p->n_threads = 0;
	return true;
}
