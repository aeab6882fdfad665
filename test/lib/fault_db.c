#include "fault_db.h"

static struct fault_db *of(struct db *db)
{
	return (struct fault_db *)db;
}

static err_t count_call(struct fault_db *f)
{
	f->calls++;
	if (f->calls != f->fail_at)
		return OK;
	f->fired = true;
	FAIL(f->code);
}

static err_t fault_begin(struct db *db)
{
	TRY(count_call(of(db)));
	return of(db)->inner->ops->begin(of(db)->inner);
}

static err_t fault_commit(struct db *db)
{
	struct db *inner = of(db)->inner;
	err_t e = count_call(of(db));

	if (e.code == ERR_OK)
		return inner->ops->commit(inner);
	inner->ops->rollback(inner);
	return e;
}

static void fault_rollback(struct db *db)
{
	of(db)->inner->ops->rollback(of(db)->inner);
}

static err_t fault_run(struct db *db, const struct query *q, const struct val *in,
		       struct arena *mem, struct val **ret_rows, size_t *ret_n,
		       int64_t *ret_changed)
{
	struct db *inner = of(db)->inner;

	TRY(count_call(of(db)));
	return inner->ops->run(inner, q, in, mem, ret_rows, ret_n, ret_changed);
}

static void fault_close(struct db *db)
{
	(void)db;
}

static const struct db_ops fault_ops = {
	.name = "fault",
	.begin = fault_begin,
	.commit = fault_commit,
	.rollback = fault_rollback,
	.run = fault_run,
	.close = fault_close,
};

void fault_db_init(struct fault_db *f, struct db *inner, int64_t fail_at, enum err_code code)
{
	*f = (struct fault_db){
		.base = { .ops = &fault_ops }, .inner = inner, .fail_at = fail_at, .code = code
	};
}
