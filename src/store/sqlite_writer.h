/* sqlite_writer.h — the one writing connection, shared by all threads, and its group commit.
 *
 * A thread takes the turn, works on the connection inside a savepoint, and leaves. Whoever leaves
 * while nobody waits (or when the group is large or old) commits for all who left before, with one
 * fsync, and wakes them; the others hand the turn on and sleep until their group's outcome is
 * known. So a lone writer pays one fsync and no delay, and many writers share one. No thread is
 * told OK before COMMIT has returned OK. */
#ifndef STORE_SQLITE_WRITER_H
#define STORE_SQLITE_WRITER_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/sqlite_conn.h"

#define GROUP_MAX     64
#define GROUP_AGE_US  2000
#define WAL_FRAME     ((int64_t)4096 + 24)
#define WAL_MAX_BYTES ((int64_t)256 * 1024 * 1024) /* no transaction begins past this */

/* A thread's place in the queue for the turn, then in its group. */
struct waiter {
	struct waiter *next;
	_Atomic uint32_t state; /* a futex; see sqlite_writer.c */
	bool in_tx;
	err_t result; /* of its group */
	bool lost;    /* its transaction was taken back under it: `result` says why */
};

struct writer {
	pthread_mutex_t lock; /* guards the queue; held for some instructions only */
	bool taken;
	struct waiter *first, **last;
	_Atomic int n_waiting;

	/* Belongs to whoever has the turn. */
	struct conn conn;
	sqlite3_stmt *begin, *commit, *rollback, *savepoint, *release, *rollback_to;
	bool open; /* BEGIN IMMEDIATE was done */
	int64_t opened_us;
	struct waiter *members; /* left and waiting for the outcome */
	int n_members, n_last;

	_Atomic uint32_t outcomes; /* futex: groups ended so far */
	_Atomic bool broken;	   /* an fsync failed */
	_Atomic int64_t wal_bytes;
	_Atomic int64_t n_commits, n_transactions, n_busy, n_full, n_errors;

	/* Told after each commit, under the turn. */
	void (*on_wal)(void *self, int64_t wal_bytes);
	void *on_wal_self;
};

/* `w->conn` is open already. */
MUST_USE err_t writer_init(struct writer *w);
void writer_clear(struct writer *w);

/* A transaction, see db_ops. The waiter is the caller's and idle. */
MUST_USE err_t writer_begin(struct writer *w, struct waiter *me);
MUST_USE err_t writer_run(struct writer *w, struct waiter *me, const struct query *q,
			  const struct val *in, struct arena *mem, struct val **ret_rows,
			  size_t *ret_n, int64_t *ret_changed);
MUST_USE err_t writer_commit(struct writer *w, struct waiter *me);
void writer_rollback(struct writer *w, struct waiter *me);

/* A constant statement inside a transaction. */
MUST_USE err_t writer_exec(struct writer *w, struct waiter *me, const char *sql);

/* The turn without a transaction, for a moment in which nobody writes: the open group is ended
 * first. ERR_BUSY after `timeout_ms`. */
MUST_USE err_t writer_pause(struct writer *w, struct waiter *me, int64_t timeout_ms);
void writer_resume(struct writer *w);

void writer_stats(const struct writer *w, struct store_stats *ret);

#endif
