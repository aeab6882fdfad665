/* The embedded store: one file, one writer, several readers (db.h). */
#include "store/sqlite.h"

#include <assert.h>
#include <limits.h>

#include "base/wait.h"
#include "store/migrate.h"
#include "store/query.h"

/* Below this the whole file is checked at start; above it `verify` does that, and a damaged page is
 * found when it is touched. */
#define QUICK_CHECK_MAX ((int64_t)16 * 1024 * 1024)

struct handle {
	struct db base;
	struct sqlite_store *store;
	struct waiter waiter;
	struct snapshot own; /* conn.db != NULL: reads on it */
};

static struct sqlite_store *of(struct store *s)
{
	return (struct sqlite_store *)s;
}

/* -- the pool -- */

static err_t pool_add(struct sqlite_store *s, struct conn **ret)
{
	struct conn *c = &s->pool.conns[s->pool.n_open];
	char why[256];

	TRY(conn_open(c, s->file, CONN_READER, s->cache, s->busy_timeout_ms, why, sizeof(why)));
	s->pool.n_open++;
	*ret = c;
	return OK;
}

static err_t pool_take(struct sqlite_store *s, struct conn **ret)
{
	struct pool *p = &s->pool;
	int64_t deadline_us = monotonic_us() + s->busy_timeout_ms * 1000;
	err_t e = OK;

	(void)pthread_mutex_lock(&p->lock);
	while (p->idle == NULL && p->n_open == POOL_MAX && e.code == ERR_OK) {
		if (!wait_until(&p->returned, &p->lock, deadline_us) && p->idle == NULL)
			e = err_raise(ERR_BUSY, __FILE__, __LINE__);
	}
	if (e.code == ERR_OK && p->idle != NULL) {
		*ret = p->idle;
		p->idle = p->idle->next;
	} else if (e.code == ERR_OK) {
		e = pool_add(s, ret);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return e;
}

static void pool_give(struct pool *p, struct conn *c)
{
	(void)pthread_mutex_lock(&p->lock);
	c->next = p->idle;
	p->idle = c;
	(void)pthread_cond_signal(&p->returned);
	(void)pthread_mutex_unlock(&p->lock);
}

static err_t pool_init(struct pool *p)
{
	REQUIRE(pthread_mutex_init(&p->lock, NULL) == 0, ERR_NO_MEMORY);
	return wait_cond_init(&p->returned);
}

static void pool_clear(struct pool *p)
{
	for (int i = 0; i < p->n_open; i++)
		conn_close(&p->conns[i]);
	(void)pthread_cond_destroy(&p->returned);
	(void)pthread_mutex_destroy(&p->lock);
}

/* -- db_ops -- */

static err_t sqlite_begin(struct db *db)
{
	struct handle *h = (struct handle *)db;

	return writer_begin(&h->store->writer, &h->waiter);
}

static err_t sqlite_commit(struct db *db)
{
	struct handle *h = (struct handle *)db;

	return writer_commit(&h->store->writer, &h->waiter);
}

static void sqlite_rollback(struct db *db)
{
	struct handle *h = (struct handle *)db;

	writer_rollback(&h->store->writer, &h->waiter);
}

/* A store in memory is one connection: reading takes a turn at it too. */
static err_t run_in_memory(struct handle *h, const struct query *q, const struct val *in,
			   struct arena *mem, struct val **ret_rows, size_t *ret_n, int64_t *ret_changed)
{
	struct writer *w = &h->store->writer;

	TRY(writer_pause(w, &h->waiter, h->store->busy_timeout_ms));
	err_t e = conn_run(&w->conn, q, in, mem, ret_rows, ret_n, ret_changed);
	writer_resume(w);
	return e;
}

static err_t sqlite_run(struct db *db, const struct query *q, const struct val *in,
			struct arena *mem, struct val **ret_rows, size_t *ret_n, int64_t *ret_changed)
{
	struct handle *h = (struct handle *)db;
	struct conn *c;

	if (h->waiter.in_tx)
		return writer_run(&h->store->writer, &h->waiter, q, in, mem, ret_rows, ret_n,
				  ret_changed);
	if (h->store->memory)
		return run_in_memory(h, q, in, mem, ret_rows, ret_n, ret_changed);
	if (h->own.conn.db != NULL)
		return snapshot_run(&h->own, q, in, mem, ret_rows, ret_n, ret_changed);
	TRY(pool_take(h->store, &c));
	err_t e = conn_run(c, q, in, mem, ret_rows, ret_n, ret_changed);
	pool_give(&h->store->pool, c);
	return e;
}

static void sqlite_close(struct db *db)
{
	struct handle *h = (struct handle *)db;

	if (h->waiter.in_tx)
		sqlite_rollback(db);
	(void)atomic_fetch_sub(&h->store->n_handles, 1);
	if (h->own.conn.db != NULL)
		snapshot_close(&h->own, h->store);
	free(h);
}

static const struct db_ops sqlite_ops = {
	.name = "sqlite",
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.run = sqlite_run,
	.close = sqlite_close,
};

/* -- the store -- */

static err_t store_sqlite_handle(struct store *base, bool own, struct db **ret)
{
	struct sqlite_store *s = of(base);
	struct handle *h = calloc(1, sizeof(*h));
	err_t e = OK;

	REQUIRE(h != NULL, ERR_NO_MEMORY);
	h->base.ops = &sqlite_ops;
	h->store = s;
	if (own && !s->memory)
		e = snapshot_open(&h->own, s);
	if (e.code != ERR_OK) {
		snapshot_close(&h->own, s);
		free(h);
		return e;
	}
	(void)atomic_fetch_add(&s->n_handles, 1);
	*ret = &h->base;
	return OK;
}

/* Writes the file's header as it is: a real change of one page. */
static err_t touch(struct writer *w, struct waiter *me)
{
	char sql[64];

	(void)snprintf(sql, sizeof(sql), "PRAGMA application_id=%d", SCHEMA_APPLICATION_ID);
	return writer_exec(w, me, sql);
}

static err_t store_sqlite_check_writable(struct store *base)
{
	struct writer *w = &of(base)->writer;
	struct waiter me = { 0 };

	TRY(writer_begin(w, &me));
	err_t e = touch(w, &me);
	if (e.code == ERR_OK)
		return writer_commit(w, &me);
	writer_rollback(w, &me);
	return e;
}

static void store_sqlite_stats(const struct store *base, struct store_stats *ret)
{
	writer_stats(&((const struct sqlite_store *)base)->writer, ret);
}

static void store_sqlite_close(struct store *base)
{
	struct sqlite_store *s = of(base);

	assert(atomic_load(&s->n_handles) == 0);
	checkpointer_stop(&s->checkpointer);
	(void)pthread_mutex_destroy(&s->snapshots.lock);
	pool_clear(&s->pool);
	/* the last connection copies the log into the file and removes it */
	writer_clear(&s->writer);
	file_unlock(s->lock_fd);
	free(s->file);
	free(s);
}

static const struct store_ops sqlite_store_ops = {
	.handle = store_sqlite_handle,
	.check_writable = store_sqlite_check_writable,
	.backup = sqlite_backup,
	.verify = sqlite_verify,
	.stats = store_sqlite_stats,
	.close = store_sqlite_close,
};

/* -- opening -- */

static void start_library(void)
{
	/* Counting every allocation takes a lock all threads share. Refused once SQLite runs: then it
	 * stays as it is. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	(void)sqlite3_initialize();
}

static err_t new_store(const struct store_options *o, struct sqlite_store **ret)
{
	str file = str_skip(o->url, strlen("sqlite:"));
	struct sqlite_store *s = calloc(1, sizeof(*s));

	REQUIRE(s != NULL, ERR_NO_MEMORY);
	s->base.ops = &sqlite_store_ops;
	s->lock_fd = -1;
	s->cache = o->cache;
	s->busy_timeout_ms = o->busy_timeout_ms;
	s->memory = str_eq(file, STR(":memory:"));
	/* "./" keeps SQLite from reading meaning into a relative name ("file:…") */
	bool plain = s->memory || str_starts(file, STR("/"));
	if (file.n > 0 && file.n < PATH_MAX && !str_has_byte(file, '\0'))
		(void)!asprintf(&s->file, "%s%.*s", plain ? "" : "./", STR_ARG(file));
	if (s->file == NULL) {
		free(s);
		FAIL(ERR_CONFIG);
	}
	*ret = s;
	return OK;
}

static err_t open_files(struct sqlite_store *s, const struct store_options *o, char *why,
			size_t why_max)
{
	bool made = false;

	TRY(file_prepare(s->file, o->create, &made, why, why_max));
	if (!o->exclusive)
		return OK;
	TRY(file_lock(s->file, &s->lock_fd, why, why_max));
	if (made)
		TRY(file_mark_used(s->lock_fd, false));
	if (file_size(s->file) == 0 && file_was_used(s->lock_fd)) {
		(void)snprintf(why, why_max, "store: %s is empty, but has held a store before: restore "
			       "a backup, or remove it to begin anew", s->file);
		FAIL(ERR_CONFIG);
	}
	return OK;
}

/* Another program's server must not have its schema changed under it. */
static err_t migrate_alone(struct sqlite_store *s, char *why, size_t why_max)
{
	int fd = -1;

	if (s->lock_fd < 0 && !s->memory)
		TRY(file_lock(s->file, &fd, why, why_max));
	err_t e = migrate_run(s->writer.conn.db, schema_steps, schema_step_count, why, why_max);
	if (e.code == ERR_OK && fd >= 0)
		e = file_mark_used(fd, true);
	file_unlock(fd);
	return e;
}

static err_t bring_up_to_date(struct sqlite_store *s, char *why, size_t why_max)
{
	sqlite3 *db = s->writer.conn.db;
	int version;

	TRY(migrate_version(db, schema_steps, schema_step_count, &version, why, why_max));
	if ((size_t)version < schema_step_count)
		TRY(migrate_alone(s, why, why_max));
	TRY(migrate_check(db, schema_steps, schema_step_count, why, why_max));
	return OK;
}

static err_t check_content(struct sqlite_store *s, char *why, size_t why_max)
{
	char text[160];

	for (int i = 0; i < query_count; i++)
		TRY(conn_check_query(&s->writer.conn, query_all[i], why, why_max));
	if (s->memory || file_size(s->file) > QUICK_CHECK_MAX)
		return OK;
	if (conn_pragma_ok(&s->writer.conn, "PRAGMA quick_check(1)", text, sizeof(text)).code ==
	    ERR_OK)
		return OK;
	text[strcspn(text, "\n")] = '\0';
	(void)snprintf(why, why_max, "store: %s is damaged (%s): restore a backup", s->file, text);
	FAIL(ERR_CONFIG);
}

static err_t open_store(struct sqlite_store *s, const struct store_options *o, char *why,
			size_t why_max)
{
	if (!s->memory)
		TRY(open_files(s, o, why, why_max));
	TRY(conn_open(&s->writer.conn, s->file, CONN_WRITER, s->cache, s->busy_timeout_ms, why,
		      why_max));
	TRY(bring_up_to_date(s, why, why_max));
	TRY(check_content(s, why, why_max));
	if (s->lock_fd >= 0 && !file_was_used(s->lock_fd))
		TRY(file_mark_used(s->lock_fd, true));
	TRY(writer_init(&s->writer));
	if (s->memory)
		return OK;
	TRY(conn_open(&s->checkpointer.conn, s->file, CONN_SERVICE, 0, s->busy_timeout_ms, why,
		      why_max));
	return checkpointer_start(&s->checkpointer, &s->writer);
}

err_t sqlite_store_open(const struct store_options *o, struct store **ret, char *why, size_t why_max)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct sqlite_store *s;

	(void)pthread_once(&once, start_library);
	(void)snprintf(why, why_max, "store: %.*s cannot be opened", STR_ARG(o->url));
	TRY(new_store(o, &s));
	s->checkpointer.snapshots = &s->snapshots;
	err_t e = pthread_mutex_init(&s->snapshots.lock, NULL) == 0 ? pool_init(&s->pool) :
								     err_raise(ERR_NO_MEMORY, __FILE__, __LINE__);
	if (e.code == ERR_OK)
		e = open_store(s, o, why, why_max);
	if (e.code != ERR_OK) {
		store_sqlite_close(&s->base);
		return e;
	}
	why[0] = '\0';
	*ret = &s->base;
	return OK;
}
