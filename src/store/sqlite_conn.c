#include "store/sqlite_conn.h"

#include <errno.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/log.h"
#include "store/query.h"

#define SQL_MAX_BYTES ((size_t)16 * 1024)

/* -- result codes -- */

static bool disk_is_full(sqlite3 *db)
{
	int e = sqlite3_system_errno(db);

	return e == ENOSPC || e == EDQUOT || e == EFBIG;
}

static enum err_code constraint_code(int rc)
{
	switch (rc) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID: return ERR_CONFLICT;
	case SQLITE_CONSTRAINT_FOREIGNKEY: return ERR_NOT_FOUND;
	default: return ERR_BUG; /* CHECK, NOT NULL, a type, an append-only table: our mistake */
	}
}

enum err_code sqlite_fault_code(sqlite3 *db, int rc)
{
	switch (rc & 0xff) {
	case SQLITE_CONSTRAINT: return constraint_code(rc);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL: return ERR_BUSY;
	case SQLITE_FULL: return ERR_STORE_FULL;
	case SQLITE_NOMEM: return ERR_NO_MEMORY;
	case SQLITE_IOERR:
		if (rc == SQLITE_IOERR_NOMEM)
			return ERR_NO_MEMORY;
		return disk_is_full(db) ? ERR_STORE_FULL : ERR_STORE;
	case SQLITE_CANTOPEN: return disk_is_full(db) ? ERR_STORE_FULL : ERR_STORE;
	case SQLITE_MISUSE:
	case SQLITE_RANGE:
	case SQLITE_TOOBIG:
	case SQLITE_MISMATCH: return ERR_BUG;
	default: return ERR_STORE;
	}
}

/* A full disk fails every write: one line a second says as much as hundreds. */
static bool worth_a_line(void)
{
	static _Atomic int64_t next_ms;
	int64_t now = monotonic_ms(), due = atomic_load(&next_ms);

	return now >= due && atomic_compare_exchange_strong(&next_ms, &due, now + MS_PER_S);
}

err_t sqlite_fault(sqlite3 *db, int rc)
{
	enum err_code code = sqlite_fault_code(db, rc);

	if (code >= ERR_FAULT_FIRST && worth_a_line())
		log_event(LOG_ERROR, "store_fault", LOG_CSTR("error", err_name(code)),
			  LOG_INT("sqlite", rc), LOG_INT("errno", sqlite3_system_errno(db)),
			  LOG_CSTR("text", sqlite3_errmsg(db)));
	FAIL(code);
}

/* -- opening -- */

static int on_busy(void *arg, int n_calls)
{
	struct conn *c = arg;
	int64_t now = monotonic_us();

	if (n_calls == 0)
		c->give_up_us =
			c->deadline_us != 0 ? c->deadline_us : now + c->busy_timeout_ms * 1000;
	if (now >= c->give_up_us)
		return 0;
	int64_t pause = n_calls < 5 ? 500 : 5000;
	if (pause > c->give_up_us - now)
		pause = c->give_up_us - now;
	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){ .tv_nsec = pause * 1000 },
			      NULL);
	return 1;
}

static int switch_setting(sqlite3 *db, int what, int on)
{
	return sqlite3_db_config(db, what, on, NULL);
}

static int harden(sqlite3 *db)
{
	int rc = sqlite3_extended_result_codes(db, 1);

	if (rc == SQLITE_OK)
		rc = switch_setting(db, SQLITE_DBCONFIG_DEFENSIVE, 1);
	if (rc == SQLITE_OK)
		rc = switch_setting(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0);
	/* A misspelt column in double quotes is an error, not a text. */
	if (rc == SQLITE_OK)
		rc = switch_setting(db, SQLITE_DBCONFIG_DQS_DML, 0);
	if (rc == SQLITE_OK)
		rc = switch_setting(db, SQLITE_DBCONFIG_DQS_DDL, 0);
	return rc;
}

/* No checkpoint inside a commit: sqlite_checkpoint.c makes them beside the requests. The WAL file
 * is kept and written over, as that makes its fsync cheaper than growing it. secure_delete=FAST
 * blanks deleted rows where that costs no extra write. */
static const char common_settings[] = "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
				      "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"
				      "PRAGMA wal_autocheckpoint=0; PRAGMA temp_store=MEMORY;"
				      "PRAGMA mmap_size=0; PRAGMA secure_delete=FAST;"
				      "PRAGMA journal_size_limit=67108864;";

static err_t configure(struct conn *c, enum conn_role role, int64_t cache)
{
	char text[64];

	TRY(conn_exec(c, common_settings));
	(void)snprintf(text, sizeof(text), "PRAGMA cache_size=-%lld",
		       (long long)(cache < 1024 ? 1 : cache / 1024));
	TRY(conn_exec(c, text));
	if (role == CONN_WRITER)
		TRY(conn_exec(c, "PRAGMA page_size=4096; PRAGMA journal_mode=WAL"));
	if (role == CONN_READER)
		TRY(conn_exec(c, "PRAGMA query_only=ON"));
	return OK;
}

static err_t open_failed(struct conn *c, const char *path, int rc, char *why, size_t why_max)
{
	int kind = rc & 0xff;
	const char *text = sqlite3_errstr(kind);

	if (kind == SQLITE_NOTADB)
		text = "it is not a database (overwritten, encrypted, or another kind of file)";
	if (kind == SQLITE_CORRUPT)
		text = "it is damaged; restore a backup";
	if (kind == SQLITE_BUSY)
		text = "another process keeps it locked";
	(void)snprintf(why, why_max, "cannot use the store %s: %s", path, text);
	enum err_code code = sqlite_fault_code(c->db, rc);
	conn_close(c);
	if (kind == SQLITE_NOTADB || kind == SQLITE_CORRUPT)
		FAIL(ERR_CONFIG);
	FAIL(code);
}

err_t conn_open(struct conn *c, const char *path, enum conn_role role, int64_t cache,
		int64_t busy_timeout_ms, char *why, size_t why_max)
{
	bool memory = strcmp(path, ":memory:") == 0;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (memory ? SQLITE_OPEN_CREATE : 0);

	*c = (struct conn){ .busy_timeout_ms = busy_timeout_ms };
	int rc = sqlite3_open_v2(path, &c->db, flags, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_handler(c->db, on_busy, c);
	if (rc == SQLITE_OK)
		rc = harden(c->db);
	if (rc == SQLITE_OK && configure(c, role, cache).code != ERR_OK)
		rc = sqlite3_extended_errcode(c->db);
	/* the header and the schema are read here, so that what is no database is told at once */
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(c->db, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return open_failed(c, path, rc, why, why_max);
	c->stmts = calloc((size_t)query_count + 1, sizeof(*c->stmts));
	if (c->stmts == NULL)
		return open_failed(c, path, SQLITE_NOMEM, why, why_max);
	return OK;
}

void conn_close(struct conn *c)
{
	for (int i = 0; c->stmts != NULL && i < query_count; i++)
		(void)sqlite3_finalize(c->stmts[i]);
	free(c->stmts);
	(void)sqlite3_close_v2(c->db);
	*c = (struct conn){ 0 };
}

err_t conn_exec(struct conn *c, const char *sql)
{
	int rc = sqlite3_exec(c->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? OK : sqlite_fault(c->db, rc);
}

err_t conn_pragma_ok(struct conn *c, const char *sql, char *why, size_t why_max)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(c->db, sql, -1, &st, NULL);
	const unsigned char *text = NULL;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		text = sqlite3_column_text(st, 0);
	bool clean = rc == SQLITE_DONE || (text != NULL && strcmp((const char *)text, "ok") == 0);
	if (!clean)
		(void)snprintf(why, why_max, "%s",
			       text != NULL ? (const char *)text : sqlite3_errmsg(c->db));
	(void)sqlite3_finalize(st);
	REQUIRE(clean, ERR_STORE);
	return OK;
}

/* -- statements -- */

/* PostgreSQL numbers $1 as written, SQLite by first appearance; ?1 is SQLite's way of saying the
 * former. The generator has made sure that every `$` is a parameter. */
static err_t numbered(const char *sql, char *dst, size_t max)
{
	size_t n = strlen(sql);

	REQUIRE(n < max, ERR_BUG);
	for (size_t i = 0; i <= n; i++)
		dst[i] = sql[i] == '$' ? '?' : sql[i];
	return OK;
}

/* Apart from statement(), whose every call would otherwise clear the buffer. */
__attribute__((noinline)) static err_t prepare(struct conn *c, const struct query *q)
{
	char sql[SQL_MAX_BYTES];

	TRY(numbered(q->sql, sql, sizeof(sql)));
	int rc = sqlite3_prepare_v3(c->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &c->stmts[q->index],
				    NULL);
	return rc == SQLITE_OK ? OK : sqlite_fault(c->db, rc);
}

static err_t statement(struct conn *c, const struct query *q, sqlite3_stmt **ret)
{
	if (c->stmts[q->index] == NULL)
		TRY(prepare(c, q));
	*ret = c->stmts[q->index];
	return OK;
}

static int bind_value(sqlite3_stmt *st, int at, const struct val *v)
{
	switch (v->kind) {
	case VAL_NULL: return sqlite3_bind_null(st, at);
	case VAL_INT: return sqlite3_bind_int64(st, at, v->i);
	case VAL_TEXT:
		return sqlite3_bind_text64(st, at, v->s.p, v->s.n, SQLITE_STATIC, SQLITE_UTF8);
	case VAL_BLOB: return sqlite3_bind_blob64(st, at, v->s.p, v->s.n, SQLITE_STATIC);
	}
	return SQLITE_MISUSE;
}

static err_t bind_all(struct conn *c, sqlite3_stmt *st, const struct query *q, const struct val *in)
{
	int rc = SQLITE_OK;

	for (int i = 0; i < q->n_in && rc == SQLITE_OK; i++)
		rc = bind_value(st, i + 1, &in[i]);
	return rc == SQLITE_OK ? OK : sqlite_fault(c->db, rc);
}

struct rows {
	struct val *v;
	size_t n, max;
};

/* A column of another type than the record's means a damaged or foreign row: never guessed at. */
static err_t read_column(sqlite3_stmt *st, int at, enum val_kind kind, struct arena *mem,
			 struct val *ret)
{
	int type = sqlite3_column_type(st, at);
	str s;

	*ret = (struct val){ .kind = VAL_NULL };
	if (type == SQLITE_NULL)
		return OK;
	ret->kind = kind;
	if (kind == VAL_INT) {
		REQUIRE(type == SQLITE_INTEGER, ERR_STORE);
		ret->i = sqlite3_column_int64(st, at);
		return OK;
	}
	REQUIRE(type == SQLITE_TEXT || type == SQLITE_BLOB, ERR_STORE);
	s.p = sqlite3_column_blob(st, at);
	s.n = (size_t)sqlite3_column_bytes(st, at);
	REQUIRE(s.p != NULL || s.n == 0, ERR_NO_MEMORY);
	if (s.n == 0)
		s.p = ""; /* empty, which is not absent */
	return arena_copy(mem, s, &ret->s);
}

/* Most queries have one row; lists double. What is outgrown stays in the arena: at most as much
 * again as the result. */
static err_t make_room(struct rows *r, size_t width, struct arena *mem)
{
	struct val *v;
	size_t max = r->max == 0 ? 1 : r->max < 8 ? 8 : r->max * 2;

	if (r->n < r->max)
		return OK;
	NEW(v, mem, struct val, max * width);
	if (r->n > 0)
		memcpy(v, r->v, r->n * width * sizeof(*v));
	r->v = v;
	r->max = max;
	return OK;
}

static err_t read_row(sqlite3_stmt *st, const struct query *q, struct arena *mem, struct rows *r)
{
	size_t width = (size_t)q->n_out;

	REQUIRE(q->n_out > 0, ERR_BUG);
	TRY(make_room(r, width, mem));
	for (int i = 0; i < q->n_out; i++)
		TRY(read_column(st, i, q->out_kinds[i], mem, &r->v[r->n * width + (size_t)i]));
	r->n++;
	return OK;
}

static err_t step_all(struct conn *c, sqlite3_stmt *st, const struct query *q, struct arena *mem,
		      struct rows *r)
{
	int rc;

	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		TRY(read_row(st, q, mem, r));
	return rc == SQLITE_DONE ? OK : sqlite_fault(c->db, rc);
}

err_t conn_run(struct conn *c, const struct query *q, const struct val *in, struct arena *mem,
	       struct val **ret_rows, size_t *ret_n, int64_t *ret_changed)
{
	struct rows r = { 0 };
	sqlite3_stmt *st;

	TRY(statement(c, q, &st));
	err_t e = bind_all(c, st, q, in);
	if (e.code == ERR_OK)
		e = step_all(c, st, q, mem, &r);
	/* the bound values are the caller's and go with them */
	(void)sqlite3_reset(st);
	(void)sqlite3_clear_bindings(st);
	TRY(e);
	*ret_rows = r.v;
	*ret_n = r.n;
	*ret_changed = q->writes ? sqlite3_changes64(c->db) : 0;
	return OK;
}

static bool same_columns(sqlite3_stmt *st, const struct query *q, char *why, size_t why_max)
{
	for (int i = 0; i < q->n_out; i++) {
		const char *is = sqlite3_column_name(st, i), *wanted = q->out_names[i];

		if (is != NULL && (wanted == NULL || strcmp(is, wanted) == 0))
			continue;
		(void)snprintf(why, why_max, "query %s: column %d is called %s, its record says %s",
			       q->name, i + 1, is == NULL ? "?" : is,
			       wanted == NULL ? "?" : wanted);
		return false;
	}
	return true;
}

err_t conn_check_query(struct conn *c, const struct query *q, char *why, size_t why_max)
{
	sqlite3_stmt *st;
	err_t e = statement(c, q, &st);

	if (e.code != ERR_OK) {
		(void)snprintf(why, why_max, "query %s: %s", q->name, sqlite3_errmsg(c->db));
		FAIL(ERR_CONFIG);
	}
	if (sqlite3_column_count(st) != q->n_out || sqlite3_bind_parameter_count(st) != q->n_in ||
	    (sqlite3_stmt_readonly(st) != 0) == q->writes) {
		(void)snprintf(why, why_max,
			       "query %s: has %d columns and %d parameters, its C side "
			       "%d and %d",
			       q->name, sqlite3_column_count(st), sqlite3_bind_parameter_count(st),
			       q->n_out, q->n_in);
		FAIL(ERR_CONFIG);
	}
	REQUIRE(same_columns(st, q, why, why_max), ERR_CONFIG);
	return OK;
}
