/* migrate.h — brings a SQLite file to the schema this program was built with. Forward only, each
 * step in one transaction with its version number, so that a crash leaves the old schema or the new
 * one. The steps are sql/schema/NNNN_name.sqlite.sql, embedded by tools/gen-queries.py. */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include <sqlite3.h>

#include "base/err.h"

struct schema_step {
	int version;
	const char *name;
	const char *sql;
};
extern const struct schema_step schema_steps[]; /* versions 1, 2, … without a gap */
extern const size_t schema_step_count;

/* Written into each of our files (PRAGMA application_id), so that another program's database is
 * recognised: "SLPT". */
#define SCHEMA_APPLICATION_ID 0x534c5054

/* The schema version of the file; 0 for an empty one.
 * Faults: ERR_CONFIG with a line in why when it is newer than `steps` or another program's;
 * otherwise as sqlite_fault_code says. */
MUST_USE err_t migrate_version(sqlite3 *db, const struct schema_step *steps, size_t n_steps,
			       int *ret, char *why, size_t why_max);

/* Run the steps that are missing. Safe against another process doing the same. */
MUST_USE err_t migrate_run(sqlite3 *db, const struct schema_step *steps, size_t n_steps, char *why,
			   size_t why_max);

/* Is the schema exactly what the steps make? ERR_CONFIG, and the first difference in why, if not.
 * Compares the text of every table, index and trigger, which no hash can do better. */
MUST_USE err_t migrate_check(sqlite3 *db, const struct schema_step *steps, size_t n_steps,
			     char *why, size_t why_max);

#endif
