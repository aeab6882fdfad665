/* The one writer and its group commit (store/sqlite_writer.h), with threads and failing disks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "fault_vfs.h"
#include "store_fixture.h"

#define MANY 100
#define EACH 12

static int setup(void **state)
{
	static struct store_fixture f;

	fixture_init(&f);
	fault_vfs_install();
	*state = &f;
	return fixture_open(&f).code == ERR_OK ? 0 : -1;
}

static int teardown(void **state)
{
	fault_vfs_disarm();
	fixture_clear(*state);
	fault_vfs_remove();
	return 0;
}

/* cmocka's asserts belong to the main thread; the others report what they saw. */
struct worker {
	pthread_t thread;
	struct store_fixture *f;
	int number, n_tx;
	bool roll_back_odd;
	bool may_not_read; /* so little patience that even a read may give up */
	int ok, busy, other;
	int seen_wrong; /* acknowledged, but not to be seen by others; or the reverse */
	enum err_code last;
};

static void note(struct worker *w, enum err_code code)
{
	w->last = code;
	w->ok += code == ERR_OK;
	w->busy += code == ERR_BUSY;
	w->other += code != ERR_OK && code != ERR_BUSY;
}

static err_t try_and_leave(struct worker *w, struct db *db, int64_t n)
{
	TX tx = { 0 };

	TRY(tx_begin(&tx, db));
	TRY(fixture_add_in_tx(w->f, db, n));
	return OK; /* without commit */
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct db *db = NULL;

	if (store_handle(w->f->store, &db).code != ERR_OK) {
		w->other++;
		return NULL;
	}
	for (int i = 0; i < w->n_tx; i++) {
		int64_t n = w->number * 1000 + i + 1;
		bool keep = !(w->roll_back_odd && i % 2 == 1);
		err_t e = keep ? fixture_add(w->f, db, n) : try_and_leave(w, db, n);

		note(w, e.code);
		bool expected = keep && e.code == ERR_OK;
		int has = fixture_has(w->f, db, n);
		if (!(w->may_not_read && has == -2))
			w->seen_wrong += has != (expected ? 1 : 0);
	}
	db_close(db);
	return NULL;
}

static void start(struct worker *w, int n, struct store_fixture *f, int n_tx)
{
	for (int i = 0; i < n; i++) {
		w[i] = (struct worker){ .f = f, .number = i + 1, .n_tx = n_tx };
		assert_int_equal(pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
	}
}

static struct worker finish(struct worker *w, int n)
{
	struct worker sum = { 0 };

	for (int i = 0; i < n; i++) {
		assert_int_equal(pthread_join(w[i].thread, NULL), 0);
		sum.ok += w[i].ok;
		sum.busy += w[i].busy;
		sum.other += w[i].other;
		sum.seen_wrong += w[i].seen_wrong;
	}
	return sum;
}

static void wait_until_waiting(struct store_fixture *f, int64_t n)
{
	struct store_stats stats;

	for (int i = 0; i < 10000; i++) {
		store_stats(f->store, &stats);
		if (stats.waiting == n)
			return;
		(void)usleep(1000);
	}
	fail_msg("%lld wait, not %lld", (long long)stats.waiting, (long long)n);
}

static int64_t users(struct store_fixture *f)
{
	struct user_row *rows;
	int64_t after = 0, total = 0;
	size_t n;

	do {
		arena_reset(&f->mem);
		assert_int_equal(q_user_page(f->db, &f->mem, after, 200, &rows, &n).code, ERR_OK);
		after = n > 0 ? rows[n - 1].id : after;
		total += (int64_t)n;
	} while (n > 0);
	return total;
}

static void a_hundred_threads_share_commits_and_lose_nothing(void **state)
{
	struct store_fixture *f = *state;
	static struct worker w[MANY];
	struct store_stats stats;

	start(w, MANY, f, EACH);
	struct worker sum = finish(w, MANY);
	assert_int_equal(sum.ok, MANY * EACH);
	assert_int_equal(sum.seen_wrong, 0);
	assert_int_equal(users(f), MANY * EACH);
	store_stats(f->store, &stats);
	assert_int_equal(stats.transactions, MANY * EACH);
	assert_true(stats.commits < MANY * EACH / 2);
	assert_int_equal(stats.waiting, 0);
}

static void what_one_rolls_back_does_not_touch_the_others(void **state)
{
	struct store_fixture *f = *state;
	static struct worker w[MANY];

	for (int i = 0; i < 30; i++) {
		w[i] = (struct worker){
			.f = f, .number = i + 1, .n_tx = 20, .roll_back_odd = true
		};
		assert_int_equal(pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
	}
	struct worker sum = finish(w, 30);
	assert_int_equal(sum.ok, 600);
	assert_int_equal(sum.seen_wrong, 0);
	assert_int_equal(users(f), 300);
}

static void what_is_acknowledged_is_on_disk_for_a_fresh_connection(void **state)
{
	struct store_fixture *f = *state;
	struct worker w[8];

	start(w, 8, f, 200);
	for (int64_t n = 500001; n < 500040; n++) {
		assert_int_equal(fixture_add(f, f->db, n).code, ERR_OK);
		assert_int_equal(fixture_has_on_disk(f, n), 1);
	}
	assert_int_equal(finish(w, 8).seen_wrong, 0);
}

/* The main thread holds the turn until n others wait: then all of them make one group. */
static void group_of(struct store_fixture *f, struct worker *w, int n, struct tx *tx)
{
	assert_int_equal(tx_begin(tx, f->db).code, ERR_OK);
	assert_int_equal(fixture_add_in_tx(f, f->db, 900000).code, ERR_OK);
	start(w, n, f, 1);
	wait_until_waiting(f, n);
}

static void a_failing_commit_fails_every_member(void **state)
{
	struct store_fixture *f = *state;
	struct worker w[20];
	struct store_stats stats;
	TX tx = { 0 };

	group_of(f, w, 20, &tx);
	fault_vfs_arm(FAULT_WRITE, 1, ENOSPC, true);
	assert_int_equal(tx_commit(&tx).code, ERR_STORE_FULL);
	struct worker sum = finish(w, 20);
	assert_true(fault_vfs_fired());
	assert_int_equal(sum.ok, 0);
	assert_int_equal(sum.seen_wrong, 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(w[i].last, ERR_STORE_FULL);
	assert_int_equal(fixture_has_on_disk(f, 900000), 0);
	/* with room again it works, without a restart */
	fault_vfs_disarm();
	assert_int_equal(fixture_add(f, f->db, 1).code, ERR_OK);
	store_stats(f->store, &stats);
	assert_true(stats.full >= 1);
	assert_false(stats.broken);
	assert_int_equal(users(f), 1);
}

static void after_a_failed_fsync_nothing_is_written_any_more(void **state)
{
	struct store_fixture *f = *state;
	struct worker w[10];
	struct store_stats stats;
	TX tx = { 0 };

	assert_int_equal(fixture_add(f, f->db, 1).code, ERR_OK);
	group_of(f, w, 10, &tx);
	fault_vfs_arm(FAULT_SYNC, 1, EIO, false);
	assert_int_equal(tx_commit(&tx).code, ERR_STORE);
	struct worker sum = finish(w, 10);
	assert_int_equal(sum.ok, 0);
	/* the disk is well again, but what it holds is unknown */
	assert_int_equal(fixture_add(f, f->db, 2).code, ERR_STORE);
	assert_int_equal(store_check_writable(f->store).code, ERR_STORE);
	store_stats(f->store, &stats);
	assert_true(stats.broken);
	assert_int_equal(fixture_has(f, f->db, 1), 1);
	fault_vfs_disarm();
	fixture_reopen(f);
	assert_int_equal(fixture_has(f, f->db, 1), 1);
	assert_int_equal(fixture_add(f, f->db, 2).code, ERR_OK);
}

static void a_disk_full_in_the_middle_of_a_statement_fails_every_member(void **state)
{
	struct store_fixture *f = *state;
	static char text[512 * 1024];
	struct worker w[5];
	TX tx = { 0 };

	fixture_close(f);
	f->options.cache = 4096; /* so that a large row is written out before the commit */
	fixture_reopen(f);
	memset(text, 'x', sizeof(text));
	assert_int_equal(tx_begin(&tx, f->db).code, ERR_OK);
	start(w, 5, f, 1);
	wait_until_waiting(f, 5);
	fault_vfs_arm(FAULT_WRITE, 1, ENOSPC, true);
	err_t e = q_audit_insert(f->db, 1, STR("e"), STR_NONE, STR_NONE, STR_NONE, STR_NONE,
				 str_of_bytes(text, sizeof(text)));
	if (e.code == ERR_OK)
		e = q_audit_insert(f->db, 1, STR("e"), STR_NONE, STR_NONE, STR_NONE, STR_NONE,
				   str_of_bytes(text, sizeof(text)));
	assert_int_equal(e.code, ERR_STORE_FULL);
	/* it is over, whatever this thread makes of it */
	assert_int_equal(fixture_add_in_tx(f, f->db, 1).code, ERR_STORE_FULL);
	assert_int_equal(tx_commit(&tx).code, ERR_STORE_FULL);
	struct worker sum = finish(w, 5);
	assert_int_equal(sum.ok, 0);
	assert_int_equal(sum.seen_wrong, 0);
	fault_vfs_disarm();
	assert_int_equal(fixture_add(f, f->db, 1).code, ERR_OK);
	assert_int_equal(users(f), 1);
}

static void who_gives_up_waiting_leaves_no_group_uncommitted(void **state)
{
	struct store_fixture *f = *state;
	struct worker w[4];
	TX tx = { 0 };

	fixture_close(f);
	f->options.busy_timeout_ms = 1500;
	fixture_reopen(f);
	group_of(f, w, 4, &tx);
	struct worker sum = finish(w, 4); /* all give up */
	assert_int_equal(sum.busy, 4);
	assert_int_equal(sum.seen_wrong, 0);
	assert_int_equal(tx_commit(&tx).code, ERR_OK);
	assert_int_equal(fixture_has_on_disk(f, 900000), 1);
	assert_int_equal(fixture_add(f, f->db, 1).code, ERR_OK);
}

static void impatient_threads_end_with_an_answer_and_the_count_is_right(void **state)
{
	struct store_fixture *f = *state;
	static struct worker w[MANY];

	fixture_close(f);
	f->options.busy_timeout_ms = 2; /* so that many give up at the moment they are served */
	fixture_reopen(f);
	for (int i = 0; i < 40; i++) {
		w[i] = (struct worker){ .f = f,
					.number = i + 1,
					.n_tx = 40,
					.roll_back_odd = i % 2 == 0,
					.may_not_read = true };
		assert_int_equal(pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
	}
	struct worker sum = finish(w, 40);
	assert_int_equal(sum.ok + sum.busy, 40 * 40);
	assert_int_equal(sum.seen_wrong, 0);
	fixture_close(f);
	f->options.busy_timeout_ms = 2000;
	fixture_reopen(f);
	assert_int_equal(fixture_add(f, f->db, 1).code, ERR_OK);
}

static void queueing_does_not_multiply_the_wait_for_a_foreign_lock(void **state)
{
	struct store_fixture *f = *state;
	struct store_fixture foreign = *f;
	static struct worker w[16];
	TX tx = { 0 };

	/* a second store in the same file is a foreign writer like any other */
	foreign.options.exclusive = false;
	foreign.options.create = false;
	foreign.store = NULL;
	foreign.db = NULL;
	fixture_close(f);
	f->options.busy_timeout_ms = 300;
	fixture_reopen(f);
	assert_int_equal(fixture_open(&foreign).code, ERR_OK);
	assert_int_equal(tx_begin(&tx, foreign.db).code, ERR_OK);
	int64_t begin = monotonic_ms();
	start(w, 16, f, 1);
	struct worker sum = finish(w, 16);
	assert_true(monotonic_ms() - begin < 4000); /* one after the other: 4800 */
	assert_int_equal(sum.busy, 16);
	assert_int_equal(sum.seen_wrong, 0);
	tx_end(&tx);
	fixture_close(&foreign);
	assert_int_equal(fixture_add(f, f->db, 1).code, ERR_OK);
}

struct journal {
	struct store_fixture *f;
	int number, pipe;
};

/* Tells each acknowledged number to the parent, which outlives this process. */
static void *write_and_tell(void *arg)
{
	struct journal *j = arg;
	struct db *db = NULL;

	if (store_handle(j->f->store, &db).code != ERR_OK)
		_exit(1);
	for (int64_t i = 1;; i++) {
		int64_t n = j->number * 1000000 + i;

		if (fixture_add(j->f, db, n).code != ERR_OK ||
		    write(j->pipe, &n, sizeof(n)) != (ssize_t)sizeof(n))
			_exit(1);
	}
}

static void child_main(struct store_fixture *f, int number, int fd)
{
	struct journal j[16];
	pthread_t t;

	if (fixture_open(f).code != ERR_OK)
		_exit(1);
	for (int i = 0; i < 16; i++) {
		j[i] = (struct journal){ .f = f, .number = number * 16 + i, .pipe = fd };
		if (pthread_create(&t, NULL, write_and_tell, &j[i]) != 0)
			_exit(1);
	}
	for (;;)
		(void)pause();
}

/* Returns how many numbers were acknowledged before the child was killed. */
static int check_acknowledged(struct store_fixture *f, int fd)
{
	int64_t n;
	int count = 0;

	assert_int_equal(fixture_open(f).code, ERR_OK);
	assert_int_equal(store_verify(f->store, f->why, sizeof(f->why)).code, ERR_OK);
	for (; read(fd, &n, sizeof(n)) == (ssize_t)sizeof(n); count++)
		assert_int_equal(fixture_has(f, f->db, n), 1);
	fixture_close(f);
	return count;
}

static void killed_at_any_moment_it_has_kept_what_it_acknowledged(void **state)
{
	struct store_fixture *f = *state;
	int fds[2], acknowledged, status;

	fixture_close(f);
	for (int round = 1; round <= 12; round++) {
		assert_int_equal(pipe(fds), 0);
		pid_t child = fork();
		if (child == 0)
			child_main(f, round, fds[1]);
		assert_int_equal(close(fds[1]), 0);
		/* from its first answer on, however slowly it started: no round tests nothing */
		struct pollfd first = { .fd = fds[0], .events = POLLIN };
		assert_int_equal(poll(&first, 1, 30000), 1);
		(void)usleep((useconds_t)(round * 7000));
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status)); /* it had not failed before */
		acknowledged = check_acknowledged(f, fds[0]);
		assert_true(acknowledged > 0);
		assert_int_equal(close(fds[0]), 0);
	}
}

static void threads_may_share_a_store_in_memory(void **state)
{
	struct store_fixture *f = *state;
	struct worker w[8];

	fixture_close(f);
	f->options.url = STR("sqlite::memory:");
	fixture_reopen(f);
	start(w, 8, f, 50);
	struct worker sum = finish(w, 8);
	assert_int_equal(sum.ok, 400);
	assert_int_equal(sum.seen_wrong, 0);
	assert_int_equal(users(f), 400);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define NAMED(id, name)                                                                            \
	{                                                                                          \
		id " " #name, name, setup, teardown, NULL                                          \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_hundred_threads_share_commits_and_lose_nothing),
		T(what_one_rolls_back_does_not_touch_the_others),
		NAMED("REL-01", what_is_acknowledged_is_on_disk_for_a_fresh_connection),
		NAMED("REL-01", killed_at_any_moment_it_has_kept_what_it_acknowledged),
		NAMED("REL-04", a_failing_commit_fails_every_member),
		NAMED("REL-05", after_a_failed_fsync_nothing_is_written_any_more),
		NAMED("REL-04", a_disk_full_in_the_middle_of_a_statement_fails_every_member),
		T(who_gives_up_waiting_leaves_no_group_uncommitted),
		T(impatient_threads_end_with_an_answer_and_the_count_is_right),
		NAMED("REL-07", queueing_does_not_multiply_the_wait_for_a_foreign_lock),
		T(threads_may_share_a_store_in_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
