/* store_fixture.h — a store in a directory of its own, for one test. */
#ifndef TEST_STORE_FIXTURE_H
#define TEST_STORE_FIXTURE_H

#include "store/query.h"

struct store_fixture {
	char dir[64], file[96], url[128], why[400];
	struct store_options options; /* change them before opening */
	struct store *store;
	struct db *db; /* a handle, when open */
	struct arena mem;
};

/* Makes the directory; opens nothing. */
void fixture_init(struct store_fixture *f);
void fixture_init_in_memory(struct store_fixture *f); /* a directory whose fsync costs nothing */
/* Closes what is open and removes the directory. */
void fixture_clear(struct store_fixture *f);

MUST_USE err_t fixture_open(struct store_fixture *f); /* store and handle */
void fixture_close(struct store_fixture *f);
void fixture_reopen(struct store_fixture *f); /* must succeed */

/* File + suffix, overwritten by the next call. */
const char *fixture_path(const struct store_fixture *f, const char *suffix);

/* User number n with address "n@example.com", and a session of the same number: one transaction. */
MUST_USE err_t fixture_add(struct store_fixture *f, struct db *db, int64_t n);
MUST_USE err_t fixture_add_in_tx(struct store_fixture *f, struct db *db, int64_t n);
/* 0: neither is there, 1: both are, -1: one without the other, -2: could not be read. */
int fixture_has(struct store_fixture *f, struct db *db, int64_t n);
/* The same through a connection that nobody else uses. */
int fixture_has_on_disk(struct store_fixture *f, int64_t n);

#endif
