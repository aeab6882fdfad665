/* Checkpoints: copying the write-ahead log into the file, by a thread of its own, so that no request
 * pays for it. Small logs are copied while others write (PASSIVE). Under steady load that never
 * catches up with the writer, so a large log is finished in the writer's turn, after most of it was
 * copied before, and the next commit writes it from the start again (RESTART). */
#include "store/sqlite.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/wait.h"

#define MIB             ((int64_t)1024 * 1024)
#define START_BYTES     (4 * MIB)
#define RESTART_BYTES   (64 * MIB)
#define ALARM_BYTES     (128 * MIB)
#define READERS_WAIT_MS 50   /* how long writers stand still for a reader that lingers … */
#define TURN_WAIT_MS    1000
#define RETRY_MS        ((int64_t)1000) /* … and how soon that is tried again */

/* Under the writer's turn, after each commit. */
static void on_wal(void *self, int64_t wal_bytes)
{
	struct checkpointer *c = self;

	if (wal_bytes < c->last_bytes) /* the log was begun again */
		atomic_store(&c->start_bytes, START_BYTES);
	c->last_bytes = wal_bytes;
	if (wal_bytes < atomic_load(&c->start_bytes))
		return;
	atomic_store(&c->start_bytes, INT64_MAX); /* asked; the round sets the next mark */
	(void)pthread_mutex_lock(&c->lock);
	c->asked = true;
	(void)pthread_cond_signal(&c->asked_or_stop);
	(void)pthread_mutex_unlock(&c->lock);
}

static bool copy_log(struct checkpointer *c, int mode, int *ret_log, int *ret_copied)
{
	snapshots_release(c->snapshots);
	int rc = sqlite3_wal_checkpoint_v2(c->conn.db, NULL, mode, ret_log, ret_copied);

	if (rc == SQLITE_OK)
		return true;
	if ((rc & 0xff) != SQLITE_BUSY) {
		err_t e = sqlite_fault(c->conn.db, rc); /* logs it */
		(void)e;
	}
	return false;
}

/* Called while writers stand still: nothing is added, so this can reach the end of the log. */
static bool finish_log(struct checkpointer *c)
{
	struct waiter me = { 0 };
	int n_log = 0, n_copied = 0;

	if (writer_pause(c->writer, &me, TURN_WAIT_MS).code != ERR_OK)
		return false;
	bool done = copy_log(c, SQLITE_CHECKPOINT_RESTART, &n_log, &n_copied);
	if (done) {
		atomic_store(&c->writer->wal_bytes, 0);
		c->last_bytes = 0;
		atomic_store(&c->start_bytes, START_BYTES);
	}
	writer_resume(c->writer);
	return done;
}

static void alarm_if_stuck(struct checkpointer *c, bool done)
{
	int64_t bytes = atomic_load(&c->writer->wal_bytes);

	if (done || bytes < ALARM_BYTES) {
		c->alarmed = c->alarmed && !done;
		return;
	}
	if (!c->alarmed)
		log_event(LOG_WARN, "store_log_large", LOG_INT("bytes", bytes),
			  LOG_INT("limit", WAL_MAX_BYTES),
			  LOG_CSTR("text", "another process keeps an old state of the store open"));
	c->alarmed = true;
}

/* True when nothing is left to do until the log has grown again. */
static bool checkpoint_round(struct checkpointer *c)
{
	int n_log = 0, n_copied = 0;
	bool done = copy_log(c, SQLITE_CHECKPOINT_PASSIVE, &n_log, &n_copied);

	if (atomic_load(&c->writer->wal_bytes) >= RESTART_BYTES)
		done = finish_log(c);
	else if (done)
		atomic_store(&c->start_bytes, n_copied * WAL_FRAME + START_BYTES);
	alarm_if_stuck(c, done);
	return done;
}

static void *checkpointer_main(void *self)
{
	struct checkpointer *c = self;
	bool again = false;

	(void)pthread_setname_np(pthread_self(), "store-checkpt");
	(void)pthread_mutex_lock(&c->lock);
	while (!c->stop) {
		int64_t retry_us = monotonic_us() + RETRY_MS * 1000;
		while (!c->stop && !c->asked && again &&
		       wait_until(&c->asked_or_stop, &c->lock, retry_us)) {
		}
		while (!c->stop && !c->asked && !again)
			(void)pthread_cond_wait(&c->asked_or_stop, &c->lock);
		if (c->stop)
			break;
		c->asked = false;
		(void)pthread_mutex_unlock(&c->lock);
		again = !checkpoint_round(c);
		(void)pthread_mutex_lock(&c->lock);
	}
	(void)pthread_mutex_unlock(&c->lock);
	return NULL;
}

err_t checkpointer_start(struct checkpointer *c, struct writer *w)
{
	c->writer = w;
	c->conn.busy_timeout_ms = READERS_WAIT_MS;
	atomic_store(&c->start_bytes, START_BYTES);
	REQUIRE(pthread_mutex_init(&c->lock, NULL) == 0, ERR_NO_MEMORY);
	TRY(wait_cond_init(&c->asked_or_stop));
	REQUIRE(pthread_create(&c->thread, NULL, checkpointer_main, c) == 0, ERR_NO_MEMORY);
	c->running = true;
	w->on_wal_self = c;
	w->on_wal = on_wal;
	return OK;
}

void checkpointer_stop(struct checkpointer *c)
{
	if (c->running) {
		(void)pthread_mutex_lock(&c->lock);
		c->stop = true;
		(void)pthread_cond_signal(&c->asked_or_stop);
		(void)pthread_mutex_unlock(&c->lock);
		(void)pthread_join(c->thread, NULL);
		(void)pthread_cond_destroy(&c->asked_or_stop);
		(void)pthread_mutex_destroy(&c->lock);
		c->writer->on_wal = NULL;
	}
	conn_close(&c->conn);
}
