/* sqlite.h — the parts of the SQLite store, as they know each other. For src/store/sqlite*.c only. */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include "store/driver.h"
#include "store/sqlite_writer.h"

/* Reading connections shared by the handles without one of their own: opened when first needed,
 * handed out last-used-first so that few of them stay warm. */
#define POOL_MAX 4
struct pool {
	pthread_mutex_t lock;
	pthread_cond_t returned;
	struct conn conns[POOL_MAX];
	struct conn *idle;
	int n_open;
};

/* A connection of one I/O loop's own, with a snapshot that outlives a read (sqlite_snapshot.c). */
struct snapshot {
	struct conn conn; /* db == NULL: none */
	struct writer *writer;
	pthread_mutex_t lock;
	sqlite3_stmt *begin, *end;
	bool open;
	int64_t opened_us;
	int64_t commits; /* of the writer, when it was opened */
	struct snapshot *next;
};

struct snapshots {
	pthread_mutex_t lock;
	struct snapshot *first;
};

/* Copies the log into the file beside the requests (sqlite_checkpoint.c). */
struct checkpointer {
	struct writer *writer;
	struct snapshots *snapshots;
	struct conn conn;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t asked_or_stop;
	bool asked, stop, running;
	bool alarmed;                 /* the log is over its limit, and that was logged */
	_Atomic int64_t start_bytes;  /* size of the log at which the next round is due */
	int64_t last_bytes;           /* under the writer's turn */
};

struct sqlite_store {
	struct store base;
	char *file; /* or ":memory:" */
	bool memory;
	int lock_fd;
	int64_t cache, busy_timeout_ms;
	struct writer writer;
	struct pool pool;
	struct snapshots snapshots;
	struct checkpointer checkpointer;
	_Atomic int n_handles;
};

/* -- sqlite_file.c: directory, file, modes, server lock -- */

/* Refuses what others could read (DB05), what is no plain file and network file systems. With
 * `create` a missing directory and file are made. ERR_CONFIG with a line in why. */
MUST_USE err_t file_prepare(const char *file, bool create, bool *ret_made, char *why,
			    size_t why_max);
/* The server lock, FILE.lock. ERR_CONFIG when another process holds it. */
MUST_USE err_t file_lock(const char *file, int *ret_fd, char *why, size_t why_max);
void file_unlock(int fd);
/* The locked file once held a store: an empty one is damage from now on, not a beginning. */
MUST_USE err_t file_mark_used(int lock_fd, bool used);
bool file_was_used(int lock_fd);
int64_t file_size(const char *file); /* -1 when missing */
MUST_USE err_t file_sync(const char *path);        /* fsync of a file or directory */
MUST_USE err_t file_sync_parent(const char *path);

/* -- sqlite_snapshot.c -- */
MUST_USE err_t snapshot_open(struct snapshot *r, struct sqlite_store *s);
void snapshot_close(struct snapshot *r, struct sqlite_store *s);
MUST_USE err_t snapshot_run(struct snapshot *r, const struct query *q, const struct val *in,
			    struct arena *mem, struct val **ret_rows, size_t *ret_n,
			    int64_t *ret_changed);
/* End all of them, so that a checkpoint can reach the end of the log. Any thread. */
void snapshots_release(struct snapshots *all);

/* -- sqlite_checkpoint.c -- */

MUST_USE err_t checkpointer_start(struct checkpointer *c, struct writer *w);
void checkpointer_stop(struct checkpointer *c); /* also closes its connection */

/* -- sqlite_backup.c -- */

MUST_USE err_t sqlite_backup(struct store *s, str file, char *why, size_t why_max);
MUST_USE err_t sqlite_verify(struct store *s, char *why, size_t why_max);

#endif
