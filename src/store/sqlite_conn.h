/* sqlite_conn.h — one SQLite connection: its settings, its prepared statements, and the meaning of
 * SQLite's result codes. One thread at a time; who that is, is decided elsewhere. */
#ifndef STORE_SQLITE_CONN_H
#define STORE_SQLITE_CONN_H

#include <sqlite3.h>

#include "store/db.h"

enum conn_role {
	CONN_UNSET = 0,
	CONN_WRITER,  /* sets the journal mode */
	CONN_READER,  /* refuses to write */
	CONN_SERVICE, /* checkpoints, backups, checks */
};

struct conn {
	sqlite3 *db;
	sqlite3_stmt **stmts;    /* by query->index, prepared on first use */
	int64_t busy_timeout_ms; /* longest wait for another process's lock … */
	int64_t deadline_us;     /* … or until this instant, when not 0 */
	int64_t give_up_us;      /* end of the wait that is going on */
	struct conn *next;       /* in the pool */
};

/* Faults: ERR_CONFIG (not a database, not readable) and others, with a line in why. */
MUST_USE err_t conn_open(struct conn *c, const char *path, enum conn_role role, int64_t cache,
			 int64_t busy_timeout_ms, char *why, size_t why_max);
void conn_close(struct conn *c);

/* Constant statements without parameters or results. */
MUST_USE err_t conn_exec(struct conn *c, const char *sql);

/* One query with its rows; see db_ops.run. */
MUST_USE err_t conn_run(struct conn *c, const struct query *q, const struct val *in,
			struct arena *mem, struct val **ret_rows, size_t *ret_n,
			int64_t *ret_changed);

/* Does the store know the query as its C side does: columns, parameters, writing or not?
 * ERR_CONFIG with a line in why if not. */
MUST_USE err_t conn_check_query(struct conn *c, const struct query *q, char *why, size_t why_max);

/* First line of a PRAGMA's answer that is not "ok" goes to why, and the result is ERR_STORE. */
MUST_USE err_t conn_pragma_ok(struct conn *c, const char *sql, char *why, size_t why_max);

/* What a result code means to the rest of the program. A full disk hides in several I/O errors. */
enum err_code sqlite_fault_code(sqlite3 *db, int rc);
/* The same as an err_t; faults are logged with SQLite's own code, at most one line a second. */
MUST_USE err_t sqlite_fault(sqlite3 *db, int rc);

#endif
