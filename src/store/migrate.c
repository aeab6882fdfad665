#include "store/migrate.h"

#include "store/sqlite_conn.h"

static err_t explain(sqlite3 *db, int rc, char *why, size_t why_max, const char *what)
{
	const char *file = sqlite3_db_filename(db, "main");
	int kind = rc & 0xff;

	(void)snprintf(why, why_max, "store: %s of %s failed: %s", what, file == NULL ? "" : file,
		       sqlite3_errmsg(db));
	if (kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB)
		FAIL(ERR_CONFIG);
	return sqlite_fault(db, rc);
}

static err_t refuse(sqlite3 *db, char *why, size_t why_max, const char *text)
{
	const char *file = sqlite3_db_filename(db, "main");

	(void)snprintf(why, why_max, "store: %s %s", file == NULL ? "" : file, text);
	FAIL(ERR_CONFIG);
}

static int read_int(sqlite3 *db, const char *sql, int *ret)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*ret = sqlite3_column_int(st, 0);
	(void)sqlite3_finalize(st);
	return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static int run_pragma(sqlite3 *db, const char *name, int value)
{
	char sql[64];

	(void)snprintf(sql, sizeof(sql), "PRAGMA %s=%d", name, value);
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

err_t migrate_version(sqlite3 *db, const struct schema_step *steps, size_t n_steps, int *ret,
		      char *why, size_t why_max)
{
	int version = 0, application = 0, tables = 0;
	int rc = read_int(db, "PRAGMA user_version", &version);

	(void)steps;
	if (rc == SQLITE_OK)
		rc = read_int(db, "PRAGMA application_id", &application);
	if (rc == SQLITE_OK)
		rc = read_int(db, "SELECT count(*) FROM sqlite_schema", &tables);
	if (rc != SQLITE_OK)
		return explain(db, rc, why, why_max, "reading the schema version");
	bool empty = version == 0 && application == 0 && tables == 0;
	if (!empty && (application != SCHEMA_APPLICATION_ID || version < 1))
		return refuse(db, why, why_max, "is the database of another program");
	if ((size_t)version > n_steps)
		return refuse(
			db, why, why_max,
			"was made by a newer version of sallyport: use that one, or restore a "
			"backup made before the upgrade");
	*ret = version;
	return OK;
}

/* The step whose turn it is, with its number, in the transaction that is open. */
static int run_step(sqlite3 *db, const struct schema_step *step)
{
	int orphans = 0;
	int rc = sqlite3_exec(db, step->sql, NULL, NULL, NULL);

	if (rc == SQLITE_OK)
		rc = run_pragma(db, "application_id", SCHEMA_APPLICATION_ID);
	if (rc == SQLITE_OK)
		rc = run_pragma(db, "user_version", step->version);
	if (rc == SQLITE_OK)
		rc = read_int(db, "SELECT count(*) FROM pragma_foreign_key_check", &orphans);
	return rc == SQLITE_OK && orphans > 0 ? SQLITE_CONSTRAINT_FOREIGNKEY : rc;
}

/* The version is read again under the write lock: another process may have been faster. */
static err_t run_next(sqlite3 *db, const struct schema_step *steps, size_t n_steps, bool *ret_more,
		      char *why, size_t why_max)
{
	int version = 0;
	int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	if (rc != SQLITE_OK)
		return explain(db, rc, why, why_max, "locking");
	err_t e = migrate_version(db, steps, n_steps, &version, why, why_max);
	bool more = e.code == ERR_OK && (size_t)version < n_steps;
	if (more)
		rc = run_step(db, &steps[version]);
	if (more && rc == SQLITE_OK)
		rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		e = explain(db, rc, why, why_max, steps[version].name);
	if (!sqlite3_get_autocommit(db))
		(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	TRY(e);
	*ret_more = more;
	return OK;
}

/* A step that rebuilds a table drops what others refer to, so foreign keys rest meanwhile and are
 * checked before each commit. The setting cannot be changed inside a transaction. */
err_t migrate_run(sqlite3 *db, const struct schema_step *steps, size_t n_steps, char *why,
		  size_t why_max)
{
	bool more = true;
	err_t e = OK;

	if (run_pragma(db, "foreign_keys", 0) != SQLITE_OK)
		return explain(db, sqlite3_extended_errcode(db), why, why_max, "migration");
	while (more && e.code == ERR_OK)
		e = run_next(db, steps, n_steps, &more, why, why_max);
	if (run_pragma(db, "foreign_keys", 1) != SQLITE_OK && e.code == ERR_OK)
		return explain(db, sqlite3_extended_errcode(db), why, why_max, "migration");
	return e;
}

/* -- is it the schema we make? -- */

static const char all_objects[] = "SELECT type, name, coalesce(sql, '') FROM sqlite_schema"
				  " WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
				  " ORDER BY type, name";

/* The next object of `st`: NULL after the last. */
static int next_object(sqlite3_stmt *st, const char *ret[3])
{
	int rc = sqlite3_step(st);

	for (int i = 0; i < 3; i++)
		ret[i] = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(st, i) : NULL;
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static bool same_object(const char *a[3], const char *b[3])
{
	for (int i = 0; i < 3; i++) {
		if (a[i] == NULL || b[i] == NULL)
			return a[i] == b[i];
		if (strcmp(a[i], b[i]) != 0)
			return false;
	}
	return true;
}

/* Of two lists that part here, the one that is further ahead lacks the other's object. */
static const char **odd_one(const char *a[3], const char *b[3])
{
	if (a[0] == NULL || b[0] == NULL)
		return a[0] == NULL ? b : a;
	int order = strcmp(a[0], b[0]);

	if (order == 0)
		order = strcmp(a[1], b[1]);
	return order < 0 ? a : b;
}

static err_t compare(sqlite3 *db, sqlite3_stmt *is, sqlite3_stmt *wanted, char *why, size_t why_max)
{
	const char *a[3], *b[3];
	char text[160];

	do {
		int rc = next_object(is, a);
		if (rc == SQLITE_OK)
			rc = next_object(wanted, b);
		if (rc != SQLITE_OK)
			return explain(db, rc, why, why_max, "reading the schema");
		if (!same_object(a, b)) {
			const char **odd = odd_one(a, b);

			(void)snprintf(
				text, sizeof(text),
				"has been altered by hand, or is damaged: %s %s is not as this "
				"version makes it",
				odd[0], odd[1]);
			return refuse(db, why, why_max, text);
		}
	} while (a[0] != NULL);
	return OK;
}

static err_t compare_with_model(sqlite3 *db, sqlite3 *model, const struct schema_step *steps,
				size_t n_steps, char *why, size_t why_max)
{
	sqlite3_stmt *is = NULL, *wanted = NULL;
	int rc = SQLITE_OK;

	for (size_t i = 0; i < n_steps && rc == SQLITE_OK; i++)
		rc = sqlite3_exec(model, steps[i].sql, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(model, all_objects, -1, &wanted, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(db, all_objects, -1, &is, NULL);
	err_t e = rc == SQLITE_OK ? compare(db, is, wanted, why, why_max)
				  : explain(db, rc, why, why_max, "reading the schema");
	(void)sqlite3_finalize(is);
	(void)sqlite3_finalize(wanted);
	return e;
}

err_t migrate_check(sqlite3 *db, const struct schema_step *steps, size_t n_steps, char *why,
		    size_t why_max)
{
	sqlite3 *model = NULL;
	int rc = sqlite3_open_v2(":memory:", &model,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
				 NULL);
	err_t e = rc == SQLITE_OK ? compare_with_model(db, model, steps, n_steps, why, why_max)
				  : explain(db, rc, why, why_max, "checking the schema");

	(void)sqlite3_close(model);
	return e;
}
