/* A reading connection of an I/O loop's own, which keeps its snapshot while nothing is committed.
 *
 * Opening and closing a read transaction takes two file locks, as much time as the reading itself, so
 * reads share one until this process commits (the next read then sees it: whoever was told "done" is
 * never shown the past), or until it is SNAPSHOT_US old (commits of other processes: the command
 * line). A snapshot nobody uses must not hold up the checkpointer, which ends it from its own thread;
 * hence the lock. */
#include "store/sqlite.h"

#include "base/clock.h"

#define SNAPSHOT_US ((int64_t)10 * 1000)

static void end_snapshot(struct snapshot *r)
{
	if (!r->open)
		return;
	(void)sqlite3_step(r->end);
	(void)sqlite3_reset(r->end);
	r->open = false;
}

static err_t fresh(struct snapshot *r)
{
	int64_t commits = atomic_load(&r->writer->n_commits), now_us = monotonic_us();
	int rc;

	if (r->open && r->commits == commits && now_us - r->opened_us < SNAPSHOT_US)
		return OK;
	end_snapshot(r);
	rc = sqlite3_step(r->begin); /* takes the snapshot at the first read, after `commits` was read */
	(void)sqlite3_reset(r->begin);
	if (rc != SQLITE_DONE)
		return sqlite_fault(r->conn.db, rc);
	r->open = true;
	r->commits = commits;
	r->opened_us = now_us;
	return OK;
}

err_t snapshot_run(struct snapshot *r, const struct query *q, const struct val *in, struct arena *mem,
		   struct val **ret_rows, size_t *ret_n, int64_t *ret_changed)
{
	(void)pthread_mutex_lock(&r->lock);
	err_t e = fresh(r);
	if (e.code == ERR_OK)
		e = conn_run(&r->conn, q, in, mem, ret_rows, ret_n, ret_changed);
	if (e.code != ERR_OK)
		end_snapshot(r);
	(void)pthread_mutex_unlock(&r->lock);
	return e;
}

static err_t prepare(struct snapshot *r, const char *sql, sqlite3_stmt **ret)
{
	int rc = sqlite3_prepare_v3(r->conn.db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL);

	return rc == SQLITE_OK ? OK : sqlite_fault(r->conn.db, rc);
}

err_t snapshot_open(struct snapshot *r, struct sqlite_store *s)
{
	char why[256];

	REQUIRE(pthread_mutex_init(&r->lock, NULL) == 0, ERR_NO_MEMORY);
	r->writer = &s->writer;
	TRY(conn_open(&r->conn, s->file, CONN_READER, s->cache, s->busy_timeout_ms, why, sizeof(why)));
	TRY(prepare(r, "BEGIN", &r->begin));
	TRY(prepare(r, "END", &r->end));
	(void)pthread_mutex_lock(&s->snapshots.lock);
	r->next = s->snapshots.first;
	s->snapshots.first = r;
	(void)pthread_mutex_unlock(&s->snapshots.lock);
	return OK;
}

void snapshot_close(struct snapshot *r, struct sqlite_store *s)
{
	(void)pthread_mutex_lock(&s->snapshots.lock);
	for (struct snapshot **at = &s->snapshots.first; *at != NULL; at = &(*at)->next) {
		if (*at == r) {
			*at = r->next;
			break;
		}
	}
	(void)pthread_mutex_unlock(&s->snapshots.lock);
	end_snapshot(r);
	(void)sqlite3_finalize(r->begin);
	(void)sqlite3_finalize(r->end);
	conn_close(&r->conn);
	(void)pthread_mutex_destroy(&r->lock);
}

void snapshots_release(struct snapshots *all)
{
	(void)pthread_mutex_lock(&all->lock);
	for (struct snapshot *r = all->first; r != NULL; r = r->next) {
		(void)pthread_mutex_lock(&r->lock);
		end_snapshot(r);
		(void)pthread_mutex_unlock(&r->lock);
	}
	(void)pthread_mutex_unlock(&all->lock);
}
