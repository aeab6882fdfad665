/* The store of a play: opened once, and made as it was then for each world. Opening one makes the schema and prepares
 * every statement, which takes as long as two hundred steps. */
#include <sqlite3.h>
#include <stdlib.h>

#include "play.h"
#include "store/sqlite.h"

static void run_sql(struct play *p, const char *sql)
{
	sqlite3 *db = ((struct sqlite_store *)p->store)->writer.conn.db;
	char *why = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		play_fail(p, "%s: %s", sql, why);
}

/* The answer's one text: SQL made from the schema. */
static char *told_by_schema(struct play *p, const char *sql)
{
	sqlite3 *db = ((struct sqlite_store *)p->store)->writer.conn.db;
	sqlite3_stmt *s = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK || sqlite3_step(s) != SQLITE_ROW)
		play_fail(p, "%s: %s", sql, sqlite3_errmsg(db));
	char *text = strdup((const char *)sqlite3_column_text(s, 0));
	(void)sqlite3_finalize(s);
	if (text == NULL)
		play_fail(p, "no memory");
	return text;
}

#define TABLES " from sqlite_schema where type = 'table' and sql is not null and name <> 'sqlite_sequence'"

static void open_first(struct play *p)
{
	const struct store_options o = { .url = STR("sqlite::memory:"),
					 .cache = 4 << 20,
					 .busy_timeout_ms = 1000,
					 .create = true };
	char why[400] = "", *sql;
	/* Most of what a statement takes comes out of here, and not through a sanitizer's allocator. */
	bool roomy = sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 1200, 1000) == SQLITE_OK;
	err_t e = store_open(&o, &p->store, why, sizeof(why));

	if (e.code != ERR_OK || !roomy)
		play_fail(p, "%s: %s", err_name(e.code), why);
	sql = told_by_schema(
		p, "select group_concat(printf('create temp table \"new_%s\" as select * from "
		   "main.\"%s\";', name, name), '')" TABLES);
	run_sql(p, sql);
	free(sql);
	/* Rows of the record go with their world. */
	run_sql(p, "drop trigger audit_no_delete; drop trigger audit_no_update");
	p->store_renew = told_by_schema(
		p, "select 'begin; pragma defer_foreign_keys = on; delete from sqlite_sequence;' || "
		   "group_concat(printf('delete from main.\"%s\"; insert into main.\"%s\" select * "
		   "from temp.\"new_%s\";', name, name, name), '') || "
		   "'commit;'" TABLES);
}

void play_store_renew(struct play *p)
{
	if (p->store == NULL)
		open_first(p);
	else
		run_sql(p, p->store_renew);
}

void play_store_close(struct play *p)
{
	if (p->store != NULL)
		store_close(p->store);
	free(p->store_renew);
	p->store = NULL;
	p->store_renew = NULL;
}
