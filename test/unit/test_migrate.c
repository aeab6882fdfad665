/* Schema steps (store/migrate.h): forward, one at a time, whole or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/migrate.h"
#include "store_fixture.h"

#define N_ROWS "20000"

static const struct schema_step steps[] = {
	{ 1, "one", "CREATE TABLE a (id INTEGER PRIMARY KEY, n INTEGER NOT NULL) STRICT;" },
	{ 2, "two",
	  "CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER NOT NULL REFERENCES a (id)) STRICT;"
	  "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < " N_ROWS ")"
	  " INSERT INTO a (id, n) SELECT n, n FROM c;"
	  "INSERT INTO b (id, a_id) SELECT id, id FROM a;" },
	/* rebuilds a table that another refers to, as ALTER TABLE cannot do everything */
	{ 3, "three",
	  "CREATE TABLE a_new (id INTEGER PRIMARY KEY, n TEXT NOT NULL) STRICT;"
	  "INSERT INTO a_new SELECT id, 'n' || n FROM a;"
	  "DROP TABLE a;"
	  "ALTER TABLE a_new RENAME TO a;" },
};
#define N_STEPS (sizeof(steps) / sizeof(steps[0]))

static int setup(void **state)
{
	static struct store_fixture f;

	fixture_init(&f);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	fixture_clear(*state);
	return 0;
}

static sqlite3 *open_db(const struct store_fixture *f)
{
	sqlite3 *db = NULL;

	if (sqlite3_open(f->file, &db) != SQLITE_OK)
		abort();
	(void)sqlite3_busy_timeout(db, 20000);
	(void)sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON", NULL, NULL, NULL);
	return db;
}

static int read_int(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int n = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int(st, 0);
	(void)sqlite3_finalize(st);
	return n;
}

static enum err_code run(struct store_fixture *f, sqlite3 *db, size_t n)
{
	f->why[0] = '\0';
	return migrate_run(db, steps, n, f->why, sizeof(f->why)).code;
}

static void steps_run_one_after_the_other_and_once(void **state)
{
	struct store_fixture *f = *state;
	sqlite3 *db = open_db(f);
	int version = -1;

	for (int n = 1; n <= (int)N_STEPS; n++) {
		assert_int_equal(run(f, db, (size_t)n), ERR_OK);
		assert_int_equal(
			migrate_version(db, steps, N_STEPS, &version, f->why, sizeof(f->why)).code,
			ERR_OK);
		assert_int_equal(version, n);
		assert_int_equal(migrate_check(db, steps, (size_t)n, f->why, sizeof(f->why)).code,
				 ERR_OK);
	}
	assert_int_equal(run(f, db, N_STEPS), ERR_OK);
	assert_int_equal(read_int(db, "SELECT count(*) FROM a WHERE n = 'n' || id"), 20000);
	assert_int_equal(read_int(db, "PRAGMA foreign_keys"), 1);
	assert_int_equal(read_int(db, "PRAGMA application_id"), SCHEMA_APPLICATION_ID);
	(void)sqlite3_close(db);
}

static void a_failing_step_leaves_the_one_before(void **state)
{
	struct store_fixture *f = *state;
	sqlite3 *db = open_db(f);
	struct schema_step bad[] = {
		steps[0], { 2, "bad", "CREATE TABLE x (y); INSERT INTO nowhere VALUES (1);" }
	};

	assert_int_equal(migrate_run(db, bad, 2, f->why, sizeof(f->why)).code, ERR_STORE);
	assert_non_null(strstr(f->why, "bad"));
	assert_int_equal(read_int(db, "PRAGMA user_version"), 1);
	assert_int_equal(migrate_check(db, steps, 1, f->why, sizeof(f->why)).code, ERR_OK);
	assert_int_equal(run(f, db, N_STEPS), ERR_OK);
	(void)sqlite3_close(db);
}

static void a_step_that_leaves_orphans_is_taken_back(void **state)
{
	struct store_fixture *f = *state;
	sqlite3 *db = open_db(f);
	struct schema_step bad[] = { steps[0],
				     steps[1],
				     { 3, "bad", "DELETE FROM a WHERE id = 7;" } };

	assert_int_equal(migrate_run(db, bad, 3, f->why, sizeof(f->why)).code, ERR_NOT_FOUND);
	assert_int_equal(read_int(db, "PRAGMA user_version"), 2);
	assert_int_equal(read_int(db, "SELECT count(*) FROM a"), 20000);
	(void)sqlite3_close(db);
}

static void a_newer_schema_is_refused_by_an_older_program(void **state)
{
	struct store_fixture *f = *state;
	sqlite3 *db = open_db(f);
	int version;

	assert_int_equal(run(f, db, N_STEPS), ERR_OK);
	assert_int_equal(run(f, db, 2), ERR_CONFIG);
	assert_non_null(strstr(f->why, "newer version"));
	assert_int_equal(migrate_version(db, steps, 2, &version, f->why, sizeof(f->why)).code,
			 ERR_CONFIG);
	assert_int_equal(read_int(db, "PRAGMA user_version"), 3);
	(void)sqlite3_close(db);
}

static void every_difference_of_the_schema_is_named(void **state)
{
	struct store_fixture *f = *state;
	sqlite3 *db = open_db(f);
	static const struct {
		const char *sql, *word, *undo;
	} changes[] = {
		{ "CREATE TABLE extra (x)", "table extra", "DROP TABLE extra" },
		{ "CREATE INDEX more ON a (n)", "index more", "DROP INDEX more" },
		{ "ALTER TABLE b ADD COLUMN x TEXT", "table b", "ALTER TABLE b DROP COLUMN x" },
		{ "DROP TABLE b", "table b", NULL },
	};

	assert_int_equal(run(f, db, N_STEPS), ERR_OK);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		assert_int_equal(sqlite3_exec(db, changes[i].sql, NULL, NULL, NULL), SQLITE_OK);
		assert_int_equal(migrate_check(db, steps, N_STEPS, f->why, sizeof(f->why)).code,
				 ERR_CONFIG);
		assert_non_null(strstr(f->why, changes[i].word));
		if (changes[i].undo != NULL)
			assert_int_equal(sqlite3_exec(db, changes[i].undo, NULL, NULL, NULL),
					 SQLITE_OK);
	}
	(void)sqlite3_close(db);
}

static pid_t migrate_in_child(struct store_fixture *f)
{
	pid_t child = fork();

	if (child == 0) {
		sqlite3 *db = open_db(f);
		enum err_code code = run(f, db, N_STEPS);

		(void)sqlite3_close(db);
		_exit(code == ERR_OK ? 0 : 1);
	}
	return child;
}

static void two_processes_may_migrate_at_once(void **state)
{
	struct store_fixture *f = *state;
	pid_t children[4];
	int status;

	for (int i = 0; i < 4; i++)
		children[i] = migrate_in_child(f);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	sqlite3 *db = open_db(f);
	assert_int_equal(migrate_check(db, steps, N_STEPS, f->why, sizeof(f->why)).code, ERR_OK);
	(void)sqlite3_close(db);
}

static void killed_anywhere_it_is_the_old_schema_or_the_new_one(void **state)
{
	struct store_fixture *f = *state;
	int seen[N_STEPS + 1] = { 0 };

	for (int round = 0; round < 40; round++) {
		fixture_clear(f);
		fixture_init(f);
		pid_t child = migrate_in_child(f);
		(void)usleep((useconds_t)(500 + round * 1500));
		(void)kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		sqlite3 *db = open_db(f);
		int version = read_int(db, "PRAGMA user_version");
		assert_true(version >= 0 && version <= (int)N_STEPS);
		seen[version]++;
		assert_int_equal(
			migrate_check(db, steps, (size_t)version, f->why, sizeof(f->why)).code,
			ERR_OK);
		if (version >= 2)
			assert_int_equal(read_int(db, "SELECT count(*) FROM b"), 20000);
		assert_int_equal(run(f, db, N_STEPS), ERR_OK);
		assert_int_equal(read_int(db, "SELECT count(*) FROM a WHERE n = 'n' || id"), 20000);
		(void)sqlite3_close(db);
	}
	assert_true(seen[N_STEPS] < 40); /* some were cut short */
}

static void the_schema_in_the_program_is_complete(void **state)
{
	struct store_fixture *f = *state;

	assert_true(schema_step_count >= 1);
	for (size_t i = 0; i < schema_step_count; i++)
		assert_int_equal(schema_steps[i].version, i + 1);
	assert_int_equal(fixture_open(f).code, ERR_OK);
}

static void an_older_store_is_migrated_by_a_tool_only_while_no_server_runs(void **state)
{
	struct store_fixture *f = *state;
	struct store_fixture server = *f;
	sqlite3 *db;

	assert_int_equal(fixture_open(&server).code, ERR_OK);
	/* as if this program knew one step more than the server that is running */
	assert_int_equal(sqlite3_open(f->file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				      "PRAGMA user_version=0; PRAGMA application_id=0;"
				      "PRAGMA writable_schema=ON; DELETE FROM sqlite_schema;"
				      "PRAGMA writable_schema=RESET",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	(void)sqlite3_close(db);
	f->options.exclusive = false;
	assert_int_equal(fixture_open(f).code, ERR_CONFIG);
	assert_non_null(strstr(f->why, "another sallyport server"));
	fixture_close(&server);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define NAMED(id, name)                                                                            \
	{                                                                                          \
		id " " #name, name, setup, teardown, NULL                                          \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(steps_run_one_after_the_other_and_once),
		NAMED("DB09", a_failing_step_leaves_the_one_before),
		NAMED("DB09", a_step_that_leaves_orphans_is_taken_back),
		NAMED("DB09", a_newer_schema_is_refused_by_an_older_program),
		NAMED("DB09", every_difference_of_the_schema_is_named),
		T(two_processes_may_migrate_at_once),
		NAMED("REL-10", killed_anywhere_it_is_the_old_schema_or_the_new_one),
		T(the_schema_in_the_program_is_complete),
		T(an_older_store_is_migrated_by_a_tool_only_while_no_server_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
