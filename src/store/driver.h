/* driver.h — what a driver gives to db.c beside its db_ops. For src/store only. */
#ifndef STORE_DRIVER_H
#define STORE_DRIVER_H

#include "store/db.h"

struct store_ops {
	MUST_USE err_t (*handle)(struct store *s, bool own, struct db **ret);
	MUST_USE err_t (*check_writable)(struct store *s);
	MUST_USE err_t (*backup)(struct store *s, str file, char *why, size_t why_max);
	MUST_USE err_t (*verify)(struct store *s, char *why, size_t why_max);
	void (*stats)(const struct store *s, struct store_stats *ret);
	void (*close)(struct store *s);
};

/* Drivers embed it as their first member. */
struct store {
	const struct store_ops *ops;
};

/* `o->url` without "sqlite:" is the file, or ":memory:". */
MUST_USE err_t sqlite_store_open(const struct store_options *o, struct store **ret, char *why,
				 size_t why_max);

#endif
