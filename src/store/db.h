/* db.h — the driver interface: what every store must do, implemented by sqlite.c (and later by
 * postgres.c). Everything above it is written once against this header and the generated query.h;
 * nothing above knows which store it talks to. */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"

enum val_kind {
	VAL_NULL = 0,
	VAL_INT,
	VAL_TEXT,
	VAL_BLOB,
};

struct val {
	enum val_kind kind;
	int64_t i;
	str s; /* VAL_TEXT, VAL_BLOB */
};

/* One statement of sql/query/, made by tools/gen-queries.py. */
struct query {
	const char *name;
	const char *sql;
	const char *const *in_names;  /* parameters $1… in order */
	const enum val_kind *in_kinds;
	const char *const *out_names; /* columns, checked against the store at start; NULL: any */
	const enum val_kind *out_kinds;
	int n_in, n_out;
	bool writes;                  /* needs a transaction */
	int index;                    /* place in query_all[] */
};

struct db;

struct db_ops {
	const char *name;

	/* Begin a transaction in this thread. Waits for its turn at most the busy time-out.
	 * Faults: ERR_BUSY, ERR_STORE, ERR_STORE_FULL. */
	MUST_USE err_t (*begin)(struct db *db);
	/* Returns OK only when everything since begin is on disk. After an error nothing of it is. */
	MUST_USE err_t (*commit)(struct db *db);
	void (*rollback)(struct db *db);

	/* Run one query. Outside a transaction only queries that do not write; they see committed data.
	 * Rows are row-major, n_out values each, in the arena (NULL will do when n_out is 0).
	 * ret_changed: rows changed by a write.
	 * Refusals: ERR_CONFLICT when a unique constraint decides, ERR_NOT_FOUND when a foreign key
	 * names a missing row. After a refusal the transaction goes on; after a fault it is over. */
	MUST_USE err_t (*run)(struct db *db, const struct query *q, const struct val *in,
			      struct arena *mem, struct val **ret_rows, size_t *ret_n,
			      int64_t *ret_changed);
	void (*close)(struct db *db);
};

/* One thread's handle. Drivers embed it as their first member. */
struct db {
	const struct db_ops *ops;
	bool in_tx;
	int64_t n_queries; /* statements run since the handle was opened: the tests print it per route */
};

/* What the generated functions call: counts, and refuses a write outside a transaction with
 * ERR_BUG. */
MUST_USE err_t db_run(struct db *db, const struct query *q, const struct val *in, struct arena *mem,
		      struct val **ret_rows, size_t *ret_n, int64_t *ret_changed);

/* A scoped transaction: every early return rolls back. Transactions of several threads share one
 * fsync, and while one thread holds its turn the others wait: hash, mint and send before or after,
 * never inside. They do not nest (ERR_BUG).
 *	TX tx = { 0 };
 *	TRY(tx_begin(&tx, db)); … TRY(tx_commit(&tx));  */
struct tx {
	struct db *db;
};
void tx_end(struct tx *tx); /* rolls back if still open */
#define TX __attribute__((cleanup(tx_end))) struct tx
MUST_USE err_t tx_begin(struct tx *tx, struct db *db);
MUST_USE err_t tx_commit(struct tx *tx);

/* The store as a whole: opened once per process. */
struct store;
struct store_options {
	str url;              /* "sqlite:/path/file.db" or "sqlite::memory:" (tests; one handle) */
	int64_t cache;        /* bytes of page cache per connection, taken as they are needed */
	int64_t busy_timeout_ms;
	bool exclusive;       /* `serve`: take the server lock; a second server is refused */
	bool create;          /* make the file and directory when missing */
};

/* Open, lock, migrate, prepare every query once (a misspelt column stops here).
 * Faults: ERR_CONFIG with one clear line in why (second server, newer schema, loose permissions,
 * not a database), ERR_STORE, ERR_STORE_FULL. */
MUST_USE err_t store_open(const struct store_options *o, struct store **ret, char *why, size_t why_max);
void store_close(struct store *s);

/* A handle for one thread: reads borrow a connection from a small pool, writes wait for their turn
 * at the one writer. Close every handle before store_close. */
MUST_USE err_t store_handle(struct store *s, struct db **ret);
/* The same with a reading connection of its own: for threads that must not wait for another's
 * read. */
MUST_USE err_t store_handle_own(struct store *s, struct db **ret);
void db_close(struct db *db); /* NULL is a no-op */

/* Can a write be committed now? For /readyz; runs a small real transaction. */
MUST_USE err_t store_check_writable(struct store *s);

/* Consistent copy of the live store into a new file of mode 0600, on disk when this returns.
 * Refuses an existing one with ERR_CONFIG; a copy cut short never has the asked-for name. */
MUST_USE err_t store_backup(struct store *s, str file, char *why, size_t why_max);

/* Full integrity check; OK or ERR_STORE with the first finding in why. Reads everything: minutes on
 * a large store. */
MUST_USE err_t store_verify(struct store *s, char *why, size_t why_max);

struct store_stats {
	int64_t commits;        /* group commits (one fsync each) */
	int64_t transactions;   /* transactions in them */
	int64_t busy, full, errors;
	int64_t wal_bytes;
	int64_t waiting;        /* threads waiting for their turn */
	bool broken;            /* an fsync failed: no write is taken until the process restarts,
				   and the server should end with an error to get there */
};
void store_stats(const struct store *s, struct store_stats *ret);

#endif
