#include "store/db.h"

#include "store/driver.h"

err_t db_run(struct db *db, const struct query *q, const struct val *in, struct arena *mem,
	     struct val **ret_rows, size_t *ret_n, int64_t *ret_changed)
{
	REQUIRE(db->in_tx || !q->writes, ERR_BUG);
	REQUIRE(mem != NULL || q->n_out == 0, ERR_BUG);
	db->n_queries++;
	return db->ops->run(db, q, in, mem, ret_rows, ret_n, ret_changed);
}

err_t tx_begin(struct tx *tx, struct db *db)
{
	REQUIRE(tx->db == NULL && !db->in_tx, ERR_BUG);
	TRY(db->ops->begin(db));
	db->in_tx = true;
	tx->db = db;
	return OK;
}

err_t tx_commit(struct tx *tx)
{
	struct db *db = tx->db;

	REQUIRE(db != NULL, ERR_BUG);
	tx->db = NULL;
	db->in_tx = false;
	return db->ops->commit(db);
}

void tx_end(struct tx *tx)
{
	struct db *db = tx->db;

	if (db == NULL)
		return;
	tx->db = NULL;
	db->in_tx = false;
	db->ops->rollback(db);
}

void db_close(struct db *db)
{
	if (db != NULL)
		db->ops->close(db);
}

err_t store_open(const struct store_options *o, struct store **ret, char *why, size_t why_max)
{
	if (str_starts(o->url, STR("sqlite:")))
		return sqlite_store_open(o, ret, why, why_max);
	(void)snprintf(why, why_max,
		       "store.url: this program knows stores of the form sqlite:FILE only");
	FAIL(ERR_CONFIG);
}

void store_close(struct store *s)
{
	if (s != NULL)
		s->ops->close(s);
}

err_t store_handle(struct store *s, struct db **ret)
{
	return s->ops->handle(s, false, ret);
}

err_t store_handle_own(struct store *s, struct db **ret)
{
	return s->ops->handle(s, true, ret);
}

err_t store_check_writable(struct store *s)
{
	return s->ops->check_writable(s);
}

err_t store_backup(struct store *s, str file, char *why, size_t why_max)
{
	return s->ops->backup(s, file, why, why_max);
}

err_t store_verify(struct store *s, char *why, size_t why_max)
{
	return s->ops->verify(s, why, why_max);
}

void store_stats(const struct store *s, struct store_stats *ret)
{
	s->ops->stats(s, ret);
}
