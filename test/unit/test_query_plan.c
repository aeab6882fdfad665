/* No query on a request's path reads a whole table (REL-21): asks SQLite for every query's plan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sqlite3.h>

#include "store_fixture.h"

/* Those that may walk through a table or an index, each with its reason. */
static const struct {
	const char *query, *reason;
} may_scan[] = {
	{ "audit_tail",
	  "the newest rows: walks the key backwards and stops at the limit; CLI only" },
};

static bool allowed(const char *query)
{
	for (size_t i = 0; i < sizeof(may_scan) / sizeof(may_scan[0]); i++) {
		if (strcmp(may_scan[i].query, query) == 0)
			return true;
	}
	return false;
}

/* True if a line of the plan is "SCAN table…". */
static bool scans(sqlite3 *db, const struct query *q, char *line, size_t max)
{
	sqlite3_stmt *st = NULL;
	char sql[16 * 1024 + 32];
	bool found = false;

	(void)snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", q->sql);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(st, 3);

		if (strncmp(text, "SCAN", 4) != 0 || strstr(text, "CONSTANT ROW") != NULL)
			continue;
		found = true;
		(void)snprintf(line, max, "%s", text);
	}
	(void)sqlite3_finalize(st);
	return found;
}

static sqlite3 *migrated(struct store_fixture *f)
{
	sqlite3 *db = NULL;

	fixture_init(f);
	fixture_reopen(f);
	assert_int_equal(sqlite3_open(f->file, &db), SQLITE_OK);
	return db;
}

static void no_query_scans_a_table(void **state)
{
	struct store_fixture f;
	sqlite3 *db = migrated(&f);
	char line[200];
	int bad = 0;

	(void)state;
	assert_true(query_count > 10);
	for (int i = 0; i < query_count; i++) {
		if (!scans(db, query_all[i], line, sizeof(line)) || allowed(query_all[i]->name))
			continue;
		print_error("%s: %s\n", query_all[i]->name, line);
		bad++;
	}
	(void)sqlite3_close(db);
	fixture_clear(&f);
	assert_int_equal(bad, 0);
}

static void the_list_of_exceptions_holds_no_more_than_it_must(void **state)
{
	struct store_fixture f;
	sqlite3 *db = migrated(&f);
	char line[200];
	int used = 0;

	(void)state;
	for (int i = 0; i < query_count; i++)
		used += allowed(query_all[i]->name) && scans(db, query_all[i], line, sizeof(line));
	(void)sqlite3_close(db);
	fixture_clear(&f);
	assert_int_equal(used, sizeof(may_scan) / sizeof(may_scan[0]));
}

static void a_scan_would_be_noticed(void **state)
{
	static const struct query bad = { .name = "bad",
					  .sql = "SELECT id FROM user WHERE role = $1;" };
	struct store_fixture f;
	sqlite3 *db = migrated(&f);
	char line[200] = "";

	(void)state;
	assert_true(scans(db, &bad, line, sizeof(line)));
	assert_non_null(strstr(line, "user"));
	(void)sqlite3_close(db);
	fixture_clear(&f);
}

static void every_query_has_its_place_and_its_own_name(void **state)
{
	(void)state;
	for (int i = 0; i < query_count; i++) {
		assert_int_equal(query_all[i]->index, i);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(query_all[i]->name, query_all[k]->name);
	}
	assert_null(query_all[query_count]);
}

#define NAMED(id, name)                                                                            \
	{                                                                                          \
		id " " #name, name, NULL, NULL, NULL                                               \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMED("REL-21", no_query_scans_a_table),
		NAMED("REL-21", the_list_of_exceptions_holds_no_more_than_it_must),
		NAMED("REL-21", a_scan_would_be_noticed),
		NAMED("REL-21", every_query_has_its_place_and_its_own_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
