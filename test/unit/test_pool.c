/* A few threads and a bounded queue: what is accepted, what is refused, and that every job is run
 * or dropped exactly once, also when the pool is stopped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "http/pool.h"

struct fixture {
	atomic_int opened, closed, run, dropped, open_fails_from;
	atomic_bool gate_shut; /* jobs wait while it is */
	atomic_int waiting;
};

static void nap_ms(long ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	(void)nanosleep(&ts, NULL);
}

static bool becomes(const atomic_int *v, int want)
{
	for (int i = 0; i < 5000 && atomic_load(v) != want; i++)
		nap_ms(1);
	return atomic_load(v) == want;
}

static err_t open_worker(void *self, void **ret)
{
	struct fixture *f = self;
	int nth = atomic_fetch_add(&f->opened, 1);

	REQUIRE(atomic_load(&f->open_fails_from) == 0 || nth + 1 < atomic_load(&f->open_fails_from),
		ERR_STORE);
	*ret = f;
	return OK;
}

static void close_worker(void *self, void *worker)
{
	struct fixture *f = self;

	assert_ptr_equal(worker, f);
	atomic_fetch_add(&f->closed, 1);
}

static void run_job(void *self, void *worker, void *job)
{
	struct fixture *f = self;

	assert_ptr_equal(worker, f);
	atomic_fetch_add(&f->waiting, 1);
	while (atomic_load(&f->gate_shut))
		nap_ms(1);
	atomic_fetch_sub(&f->waiting, 1);
	atomic_fetch_add((atomic_int *)job, 1);
	atomic_fetch_add(&f->run, 1);
}

static void drop_job(void *self, void *job)
{
	struct fixture *f = self;

	atomic_fetch_add((atomic_int *)job, 1);
	atomic_fetch_add(&f->dropped, 1);
}

static struct pool *start(struct fixture *f, int64_t workers, int64_t queue_max)
{
	const struct pool_work work = { f, open_worker, close_worker, run_job, drop_job };
	struct pool *p = NULL;

	assert_int_equal(pool_start(&work, workers, queue_max, &p).code, ERR_OK);
	assert_int_equal(atomic_load(&f->opened), workers);
	return p;
}

static bool offer(struct pool *p, atomic_int *job)
{
	if (!pool_reserve(p))
		return false;
	pool_push(p, job);
	return true;
}

static void finish(struct pool *p)
{
	assert_true(pool_stop(p, INT64_MAX));
	pool_free(p);
}

static void each_job_is_run_once(void **state)
{
	static atomic_int jobs[200];
	struct fixture f = { 0 };
	struct pool *p = start(&f, 3, 200);

	(void)state;
	for (size_t i = 0; i < 200; i++)
		assert_true(offer(p, &jobs[i]));
	assert_true(becomes(&f.run, 200));
	for (size_t i = 0; i < 200; i++)
		assert_int_equal(atomic_load(&jobs[i]), 1);
	finish(p);
	assert_int_equal(atomic_load(&f.closed), 3);
}

static void a_full_queue_refuses_at_once(void **state)
{
	static atomic_int jobs[6];
	struct fixture f = { .gate_shut = true };
	struct pool *p = start(&f, 2, 3);
	struct pool_counts counts;

	(void)state;
	for (size_t i = 0; i < 5; i++) /* two run, three wait */
		assert_true(offer(p, &jobs[i]));
	assert_true(becomes(&f.waiting, 2));
	assert_false(offer(p, &jobs[5]));
	pool_count(p, &counts);
	assert_int_equal(counts.queued, 3);
	assert_int_equal(counts.busy, 2);
	assert_int_equal(counts.refused, 1);
	atomic_store(&f.gate_shut, false);
	assert_true(becomes(&f.run, 5));
	assert_true(offer(p, &jobs[5]));
	assert_true(becomes(&f.run, 6));
	finish(p);
}

static void a_kept_place_counts_until_it_is_used(void **state)
{
	static atomic_int jobs[2];
	struct fixture f = { 0 };
	struct pool *p = start(&f, 1, 0);

	(void)state;
	assert_true(pool_reserve(p));
	assert_false(pool_reserve(p));
	pool_push(p, &jobs[0]);
	assert_true(becomes(&f.run, 1));
	finish(p);
}

static void what_waits_is_dropped_when_the_pool_is_closed(void **state)
{
	static atomic_int jobs[5];
	struct fixture f = { .gate_shut = true };
	struct pool *p = start(&f, 1, 10);

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_true(offer(p, &jobs[i]));
	assert_true(becomes(&f.waiting, 1));
	assert_true(pool_reserve(p));
	pool_refuse_rest(p);
	assert_int_equal(atomic_load(&f.dropped), 3);
	assert_false(pool_reserve(p));
	pool_push(p, &jobs[4]); /* its place was kept before: dropped here */
	assert_int_equal(atomic_load(&f.dropped), 4);
	atomic_store(&f.gate_shut, false);
	finish(p);
	assert_int_equal(atomic_load(&f.run), 1);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(atomic_load(&jobs[i]), 1);
}

static void stopping_gives_up_on_a_job_that_does_not_end(void **state)
{
	static atomic_int job;
	struct fixture f = { .gate_shut = true };
	struct pool *p = start(&f, 1, 1);
	int64_t before = monotonic_ms();

	(void)state;
	assert_true(offer(p, &job));
	assert_true(becomes(&f.waiting, 1));
	assert_false(pool_stop(p, monotonic_us() + 100000));
	assert_in_range(monotonic_ms() - before, 100, 10000);
	atomic_store(&f.gate_shut, false);
	finish(p);
}

static void a_worker_that_cannot_open_stops_the_start(void **state)
{
	struct fixture f = { .open_fails_from = 3 };
	const struct pool_work work = { &f, open_worker, close_worker, run_job, drop_job };
	struct pool *p = NULL;

	(void)state;
	assert_int_equal(pool_start(&work, 4, 1, &p).code, ERR_STORE);
	assert_null(p);
	assert_int_equal(atomic_load(&f.closed), 2);
	assert_int_equal(pool_start(&work, 0, 1, &p).code, ERR_CONFIG);
	assert_int_equal(pool_start(&work, 1, -1, &p).code, ERR_CONFIG);
	pool_free(NULL);
}

/* ---- many hands ---- */

enum {
	PUSHERS = 4,
	EACH = 2000
};

struct pusher {
	struct pool *p;
	atomic_int jobs[EACH];
	int accepted;
};

static void *push_many(void *arg)
{
	struct pusher *me = arg;

	for (size_t i = 0; i < EACH; i++)
		me->accepted += offer(me->p, &me->jobs[i]);
	return NULL;
}

static void HT13_each_accepted_job_ends_once_while_many_push_and_the_pool_stops(void **state)
{
	static struct pusher pushers[PUSHERS];
	pthread_t threads[PUSHERS];
	struct fixture f = { 0 };
	struct pool *p = start(&f, 2, 16);
	int accepted = 0, ended = 0;

	(void)state;
	for (size_t i = 0; i < PUSHERS; i++) {
		pushers[i].p = p;
		assert_int_equal(pthread_create(&threads[i], NULL, push_many, &pushers[i]), 0);
	}
	nap_ms(2);
	assert_true(pool_stop(p, INT64_MAX));
	for (size_t i = 0; i < PUSHERS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		accepted += pushers[i].accepted;
		for (size_t k = 0; k < EACH; k++) {
			assert_in_range(atomic_load(&pushers[i].jobs[k]), 0, 1);
			ended += atomic_load(&pushers[i].jobs[k]);
		}
	}
	pool_free(p);
	assert_int_equal(accepted, ended);
	assert_int_equal(atomic_load(&f.run) + atomic_load(&f.dropped), accepted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_job_is_run_once),
		cmocka_unit_test(a_full_queue_refuses_at_once),
		cmocka_unit_test(a_kept_place_counts_until_it_is_used),
		cmocka_unit_test(what_waits_is_dropped_when_the_pool_is_closed),
		cmocka_unit_test(stopping_gives_up_on_a_job_that_does_not_end),
		cmocka_unit_test(a_worker_that_cannot_open_stops_the_start),
		cmocka_unit_test(
			HT13_each_accepted_job_ends_once_while_many_push_and_the_pool_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
