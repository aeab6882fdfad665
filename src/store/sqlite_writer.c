#include "store/sqlite_writer.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

/* States of a waiter. Its own thread sets QUEUED and ASLEEP; whoever hands the turn on sets NEXT
 * (it will be yours soon: wake up and look) and TURN; whoever ends the group sets SETTLED, after
 * which the waiter may be gone. In QUEUED and ASLEEP it needs a wake-up. */
enum {
	IDLE = 0,
	QUEUED,
	NEXT,
	ASLEEP,
	TURN,
	SETTLED
};

/* How long the first in the queue looks before it sleeps: about what a wake-up costs. */
#define LOOKS 400

/* -- sleeping and waking -- */

/* False when the deadline (monotonic, 0 = none) has passed. */
static bool sleep_while(_Atomic uint32_t *word, uint32_t value, int64_t deadline_us)
{
	struct timespec t = { .tv_sec = deadline_us / 1000000,
			      .tv_nsec = deadline_us % 1000000 * 1000 };

	/* FUTEX_WAIT_BITSET takes an instant, FUTEX_WAIT a duration */
	long rc = syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, value,
			  deadline_us == 0 ? NULL : &t, NULL, FUTEX_BITSET_MATCH_ANY);
	return rc == 0 || errno != ETIMEDOUT;
}

static void wake(_Atomic uint32_t *word, int n)
{
	(void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

static void look_again_later(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

/* -- the turn -- */

static void enqueue(struct writer *w, struct waiter *me)
{
	me->next = NULL;
	atomic_store(&me->state, QUEUED);
	*w->last = me;
	w->last = &me->next;
	(void)atomic_fetch_add(&w->n_waiting, 1);
}

static void dequeue(struct writer *w, struct waiter *me)
{
	struct waiter **at = &w->first;

	while (*at != me)
		at = &(*at)->next;
	*at = me->next;
	if (me->next == NULL)
		w->last = at;
	(void)atomic_fetch_sub(&w->n_waiting, 1);
}

/* The one to come is woken early, so that its wake-up is over when the turn is free. */
static void alert_first(struct writer *w, struct waiter **ret)
{
	uint32_t was = QUEUED;

	*ret = NULL;
	if (w->first != NULL && atomic_compare_exchange_strong(&w->first->state, &was, NEXT))
		*ret = w->first;
}

/* False: gave up at the deadline. If the turn came at that very moment it is ours, and is used. */
static bool wait_for_turn(struct writer *w, struct waiter *me, int64_t deadline_us)
{
	uint32_t s;
	int looks = 0;

	while ((s = atomic_load_explicit(&me->state, memory_order_acquire)) != TURN) {
		if (s == NEXT) {
			look_again_later();
			if (++looks > LOOKS)
				(void)atomic_compare_exchange_strong(&me->state, &s, ASLEEP);
			continue;
		}
		if (sleep_while(&me->state, s, deadline_us))
			continue;
		(void)pthread_mutex_lock(&w->lock);
		bool mine = atomic_load(&me->state) == TURN;
		if (!mine)
			dequeue(w, me);
		(void)pthread_mutex_unlock(&w->lock);
		return mine;
	}
	return true;
}

static err_t take_turn(struct writer *w, struct waiter *me, int64_t deadline_us)
{
	struct waiter *alerted = NULL;

	(void)pthread_mutex_lock(&w->lock);
	bool at_once = !w->taken;
	if (at_once) {
		w->taken = true;
	} else {
		enqueue(w, me);
		alert_first(w, &alerted);
	}
	(void)pthread_mutex_unlock(&w->lock);
	(void)alerted; /* it can only be this thread, which is awake */
	if (at_once || wait_for_turn(w, me, deadline_us))
		return OK;
	(void)atomic_fetch_add(&w->n_busy, 1);
	FAIL(ERR_BUSY);
}

/* -- the group -- */

static int step_once(sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);

	(void)sqlite3_reset(st);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static err_t count_fault(struct writer *w, int rc)
{
	err_t e = sqlite_fault(w->conn.db, rc);

	if (e.code == ERR_STORE_FULL)
		(void)atomic_fetch_add(&w->n_full, 1);
	else if (e.code == ERR_BUSY)
		(void)atomic_fetch_add(&w->n_busy, 1);
	else if (e.code >= ERR_FAULT_FIRST)
		(void)atomic_fetch_add(&w->n_errors, 1);
	return e;
}

/* After a failed fsync the kernel may have dropped what it could not write and call the next fsync
 * a success. What is in the log file is then known only to a process that reads it afresh. */
static void note_fsync_failure(struct writer *w, int rc)
{
	if (rc != SQLITE_IOERR_FSYNC && rc != SQLITE_IOERR_DIR_FSYNC)
		return;
	if (!atomic_exchange(&w->broken, true))
		log_event(LOG_ERROR, "store_fsync_failed", LOG_INT("sqlite", rc),
			  LOG_CSTR("text", "no more writes until the server has been restarted"));
}

/* Takes the members out with their result; they learn it from announce(). */
static struct waiter *settle(struct writer *w, err_t result)
{
	struct waiter *members = w->members;

	for (struct waiter *m = members; m != NULL; m = m->next)
		m->result = result;
	w->n_last = w->n_members;
	w->members = NULL;
	w->n_members = 0;
	w->open = false;
	return members;
}

static void announce(struct writer *w, struct waiter *members)
{
	struct waiter *next;

	if (members == NULL)
		return;
	for (struct waiter *m = members; m != NULL; m = next) {
		next = m->next;
		atomic_store_explicit(&m->state, SETTLED, memory_order_release);
	}
	(void)atomic_fetch_add(&w->outcomes, 1);
	wake(&w->outcomes, INT32_MAX);
}

static struct waiter *abandon_group(struct writer *w, err_t why)
{
	if (!sqlite3_get_autocommit(w->conn.db)) {
		int rc = step_once(w->rollback);

		/* a connection that can neither commit nor roll back must not write again */
		if (rc != SQLITE_OK && !sqlite3_get_autocommit(w->conn.db))
			atomic_store(&w->broken, true);
	}
	return settle(w, why);
}

static struct waiter *end_group(struct writer *w)
{
	if (w->n_members == 0)
		return abandon_group(w, OK);
	int rc = step_once(w->commit);
	if (rc != SQLITE_OK) {
		err_t e = count_fault(w, rc);

		note_fsync_failure(w, rc);
		return abandon_group(w, e);
	}
	(void)atomic_fetch_add(&w->n_commits, 1);
	(void)atomic_fetch_add(&w->n_transactions, w->n_members);
	return settle(w, OK);
}

static bool group_is_due(struct writer *w)
{
	return w->open && (atomic_load(&w->n_waiting) == 0 || w->n_members >= GROUP_MAX ||
			   monotonic_us() - w->opened_us > GROUP_AGE_US);
}

/* True if the turn now belongs to somebody else, or to nobody and nothing is left to commit. */
static bool hand_on(struct writer *w)
{
	struct waiter *to, *alerted = NULL;
	bool done = true;

	(void)pthread_mutex_lock(&w->lock);
	to = w->first;
	if (to != NULL) {
		dequeue(w, to);
		alert_first(w, &alerted);
	} else if (w->open) {
		done = false; /* the one that was waiting has given up: nobody else will commit */
	} else {
		w->taken = false;
	}
	uint32_t was = to == NULL ? NEXT : atomic_exchange(&to->state, TURN);
	(void)pthread_mutex_unlock(&w->lock);
	/* Waking after unlocking: a waiter that is gone by then costs a spurious wake-up at most.
	 */
	if (was != NEXT)
		wake(&to->state, 1);
	if (alerted != NULL)
		wake(&alerted->state, 1);
	return done;
}

static void leave(struct writer *w)
{
	struct waiter *members = NULL;

	do {
		if (group_is_due(w))
			members = end_group(w);
	} while (!hand_on(w));
	announce(w, members);
}

static err_t await_outcome(struct writer *w, struct waiter *me)
{
	for (;;) {
		uint32_t seen = atomic_load(&w->outcomes);

		if (atomic_load_explicit(&me->state, memory_order_acquire) == SETTLED)
			break;
		(void)sleep_while(&w->outcomes, seen, 0);
	}
	atomic_store(&me->state, IDLE);
	/* raised here so that this thread's log line has an origin too */
	return me->result.code == ERR_OK ? OK : err_raise(me->result.code, __FILE__, __LINE__);
}

/* -- transactions -- */

static err_t open_group(struct writer *w, int64_t deadline_us)
{
	if (w->open)
		return OK;
	REQUIRE(!atomic_load(&w->broken), ERR_STORE);
	if (atomic_load(&w->wal_bytes) > WAL_MAX_BYTES) {
		(void)atomic_fetch_add(&w->n_busy, 1);
		FAIL(ERR_BUSY);
	}
	w->conn.deadline_us = deadline_us;
	int rc = step_once(w->begin);
	w->conn.deadline_us = 0;
	if (rc != SQLITE_OK)
		return count_fault(w, rc);
	w->open = true;
	w->opened_us = monotonic_us();
	return OK;
}

/* A fault that says something about the whole file, or one at which SQLite took everything back. */
static bool fault_is_everybodys(struct writer *w, int rc)
{
	switch (rc & 0xff) {
	case SQLITE_IOERR:
	case SQLITE_FULL:
	case SQLITE_NOMEM:
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY: return true;
	default: return sqlite3_get_autocommit(w->conn.db) != 0;
	}
}

/* The group cannot be saved: all who left get the error now, `me` at its next call. */
static void lose_group(struct writer *w, struct waiter *me, err_t why)
{
	me->lost = true;
	me->result = why;
	announce(w, abandon_group(w, why));
}

static err_t in_group(struct writer *w, struct waiter *me, sqlite3_stmt *st)
{
	int rc = step_once(st);

	if (rc == SQLITE_OK)
		return OK;
	err_t e = count_fault(w, rc);
	note_fsync_failure(w, rc);
	lose_group(w, me, e);
	return e;
}

err_t writer_begin(struct writer *w, struct waiter *me)
{
	int64_t deadline_us = monotonic_us() + w->conn.busy_timeout_ms * 1000;

	TRY(take_turn(w, me, deadline_us));
	me->lost = false;
	err_t e = open_group(w, deadline_us);
	if (e.code == ERR_OK)
		e = in_group(w, me, w->savepoint);
	if (e.code != ERR_OK)
		leave(w);
	me->in_tx = e.code == ERR_OK;
	return e;
}

/* What a statement's failure means for the group. */
static err_t after_statement(struct writer *w, struct waiter *me, err_t e)
{
	int rc = sqlite3_extended_errcode(w->conn.db);

	if (e.code == ERR_OK)
		return OK;
	if (e.code >= ERR_FAULT_FIRST)
		(void)atomic_fetch_add(e.code == ERR_STORE_FULL ? &w->n_full : &w->n_errors, 1);
	if (sqlite3_get_autocommit(w->conn.db) || fault_is_everybodys(w, rc)) {
		note_fsync_failure(w, rc);
		lose_group(w, me, e);
	}
	return e;
}

err_t writer_run(struct writer *w, struct waiter *me, const struct query *q, const struct val *in,
		 struct arena *mem, struct val **ret_rows, size_t *ret_n, int64_t *ret_changed)
{
	if (me->lost)
		return err_raise(me->result.code, __FILE__, __LINE__);
	return after_statement(w, me, conn_run(&w->conn, q, in, mem, ret_rows, ret_n, ret_changed));
}

err_t writer_exec(struct writer *w, struct waiter *me, const char *sql)
{
	if (me->lost)
		return err_raise(me->result.code, __FILE__, __LINE__);
	return after_statement(w, me, conn_exec(&w->conn, sql));
}

err_t writer_commit(struct writer *w, struct waiter *me)
{
	err_t e = me->lost ? err_raise(me->result.code, __FILE__, __LINE__)
			   : in_group(w, me, w->release);

	me->in_tx = false;
	if (e.code == ERR_OK) {
		me->next = w->members;
		w->members = me;
		w->n_members++;
	}
	leave(w);
	return e.code == ERR_OK ? await_outcome(w, me) : e;
}

void writer_rollback(struct writer *w, struct waiter *me)
{
	me->in_tx = false;
	if (!me->lost && in_group(w, me, w->rollback_to).code == ERR_OK)
		(void)in_group(w, me, w->release);
	leave(w);
}

err_t writer_pause(struct writer *w, struct waiter *me, int64_t timeout_ms)
{
	TRY(take_turn(w, me, monotonic_us() + timeout_ms * 1000));
	if (w->open)
		announce(w, end_group(w));
	return OK;
}

void writer_resume(struct writer *w)
{
	leave(w);
}

/* -- life -- */

static int on_commit(void *self, sqlite3 *db, const char *schema, int frames)
{
	struct writer *w = self;

	(void)db;
	(void)schema;
	atomic_store(&w->wal_bytes, frames * WAL_FRAME);
	if (w->on_wal != NULL)
		w->on_wal(w->on_wal_self, frames * WAL_FRAME);
	return SQLITE_OK;
}

static err_t prepare(struct writer *w, const char *sql, sqlite3_stmt **ret)
{
	int rc = sqlite3_prepare_v3(w->conn.db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL);

	return rc == SQLITE_OK ? OK : sqlite_fault(w->conn.db, rc);
}

err_t writer_init(struct writer *w)
{
	w->last = &w->first;
	REQUIRE(pthread_mutex_init(&w->lock, NULL) == 0, ERR_NO_MEMORY);
	TRY(prepare(w, "BEGIN IMMEDIATE", &w->begin));
	TRY(prepare(w, "COMMIT", &w->commit));
	TRY(prepare(w, "ROLLBACK", &w->rollback));
	TRY(prepare(w, "SAVEPOINT member", &w->savepoint));
	TRY(prepare(w, "RELEASE member", &w->release));
	TRY(prepare(w, "ROLLBACK TO member", &w->rollback_to));
	(void)sqlite3_wal_hook(w->conn.db, on_commit, w);
	return OK;
}

void writer_clear(struct writer *w)
{
	sqlite3_stmt *const all[] = { w->begin,	    w->commit,	w->rollback,
				      w->savepoint, w->release, w->rollback_to };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		(void)sqlite3_finalize(all[i]);
	conn_close(&w->conn);
	(void)pthread_mutex_destroy(&w->lock);
}

void writer_stats(const struct writer *w, struct store_stats *ret)
{
	*ret = (struct store_stats){
		.commits = atomic_load(&w->n_commits),
		.transactions = atomic_load(&w->n_transactions),
		.busy = atomic_load(&w->n_busy),
		.full = atomic_load(&w->n_full),
		.errors = atomic_load(&w->n_errors),
		.wal_bytes = atomic_load(&w->wal_bytes),
		.waiting = atomic_load(&w->n_waiting),
		.broken = atomic_load(&w->broken),
	};
}
