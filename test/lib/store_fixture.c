#include "store_fixture.h"

#include <assert.h>
#include <dirent.h>
#include <sqlite3.h>
#include <unistd.h>

static void init_below(struct store_fixture *f, const char *parent)
{
	*f = (struct store_fixture){ 0 };
	(void)snprintf(f->dir, sizeof(f->dir), "%s/store-test-XXXXXX", parent);
	if (mkdtemp(f->dir) == NULL)
		abort();
	(void)snprintf(f->file, sizeof(f->file), "%s/store.db", f->dir);
	(void)snprintf(f->url, sizeof(f->url), "sqlite:%s", f->file);
	f->options = (struct store_options){ .url = str_of_cstr(f->url),
					     .cache = 1024 * 1024,
					     .busy_timeout_ms = 2000,
					     .exclusive = true,
					     .create = true };
	if (arena_init(&f->mem, 1024 * 1024).code != ERR_OK)
		abort();
}

void fixture_init(struct store_fixture *f)
{
	init_below(f, "/tmp");
}

void fixture_init_in_memory(struct store_fixture *f)
{
	init_below(f, access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp");
}

static void remove_directory(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	char path[400];

	while (d != NULL && (e = readdir(d)) != NULL) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		(void)unlink(path);
	}
	if (d != NULL)
		(void)closedir(d);
	(void)rmdir(dir);
}

void fixture_clear(struct store_fixture *f)
{
	fixture_close(f);
	remove_directory(f->dir);
	arena_clear(&f->mem);
}

err_t fixture_open(struct store_fixture *f)
{
	TRY(store_open(&f->options, &f->store, f->why, sizeof(f->why)));
	err_t e = store_handle(f->store, &f->db);
	if (e.code != ERR_OK)
		fixture_close(f);
	return e;
}

void fixture_close(struct store_fixture *f)
{
	db_close(f->db);
	store_close(f->store);
	f->db = NULL;
	f->store = NULL;
}

void fixture_reopen(struct store_fixture *f)
{
	fixture_close(f);
	err_t e = fixture_open(f);
	if (e.code != ERR_OK) {
		(void)fprintf(stderr, "reopen: %s %s\n", err_name(e.code), f->why);
		abort();
	}
}

const char *fixture_path(const struct store_fixture *f, const char *suffix)
{
	static _Thread_local char path[160];

	(void)snprintf(path, sizeof(path), "%s%s", f->file, suffix);
	return path;
}

static str sid_of(int64_t n, char dst[16])
{
	memset(dst, 0, 16);
	memcpy(dst, &n, sizeof(n));
	return str_of_bytes(dst, 16);
}

err_t fixture_add_in_tx(struct store_fixture *f, struct db *db, int64_t n)
{
	char sid[16], mail[40], mem_bytes[512];
	struct arena mem; /* threads share the fixture, not its arena */
	int64_t user = 0;
	bool found;

	(void)f;
	arena_init_fixed(&mem, mem_bytes, sizeof(mem_bytes));
	int len = snprintf(mail, sizeof(mail), "%lld@example.com", (long long)n);
	str email = str_of_bytes(mail, (size_t)len);
	TRY(q_user_insert(db, &mem, sid_of(n, sid), email, email, STR("hash"), STR_NONE, STR_NONE,
			  false, true, 1, STR_NONE, 0, &user, &found));
	return q_session_insert(db, n, sid_of(n, sid), user, sid_of(n, sid), STR("app"), 1,
				STR("pwd"), 1, INT64_MAX, INT64_MAX, 1, STR_NONE, STR_NONE, false);
}

err_t fixture_add(struct store_fixture *f, struct db *db, int64_t n)
{
	TX tx = { 0 };

	TRY(tx_begin(&tx, db));
	TRY(fixture_add_in_tx(f, db, n));
	return tx_commit(&tx);
}

int fixture_has(struct store_fixture *f, struct db *db, int64_t n)
{
	char sid[16], mem_bytes[4096];
	struct user_row user;
	struct rotation_row session;
	struct arena mem;
	bool has_user = false, has_session = false;

	(void)f;
	arena_init_fixed(&mem, mem_bytes, sizeof(mem_bytes));
	err_t e = q_user_by_uid(db, &mem, sid_of(n, sid), &user, &has_user);
	if (e.code == ERR_OK)
		e = q_session_for_refresh(db, &mem, n, sid_of(n, sid), &session, &has_session);
	if (e.code != ERR_OK)
		return -2;
	if (has_user != has_session)
		return -1;
	return has_user ? 1 : 0;
}

static int count_rows(sqlite3 *db, const char *sql, int64_t n)
{
	sqlite3_stmt *st = NULL;
	char sid[16];
	int count = -1;

	(void)sid_of(n, sid);
	(void)sqlite3_busy_timeout(db, 2000);
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_bind_blob(st, 1, sid, 16, SQLITE_STATIC) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		count = sqlite3_column_int(st, 0);
	(void)sqlite3_finalize(st);
	return count;
}

int fixture_has_on_disk(struct store_fixture *f, int64_t n)
{
	sqlite3 *db = NULL;
	int users = -1, sessions = -1;

	if (sqlite3_open_v2(f->file, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK) {
		users = count_rows(db, "SELECT count(*) FROM user WHERE uid = ?1", n);
		sessions = count_rows(db, "SELECT count(*) FROM session WHERE sid = ?1", n);
	}
	(void)sqlite3_close(db);
	return users == sessions ? users : -1;
}
