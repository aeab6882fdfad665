/* fault_db.h — a driver around a driver whose n-th call fails, so that tests can try what a domain
 * function leaves behind when the store fails in the middle of it. */
#ifndef TEST_FAULT_DB_H
#define TEST_FAULT_DB_H

#include "store/db.h"

struct fault_db {
	struct db base; /* give this one to the code under test */
	struct db *inner;
	int64_t calls;	 /* begin, run and commit so far */
	int64_t fail_at; /* the call that fails; 0: none */
	enum err_code code;
	bool fired;
};

/* `inner` stays the caller's. A failing commit takes the transaction back, as a real one does. */
void fault_db_init(struct fault_db *f, struct db *inner, int64_t fail_at, enum err_code code);

#endif
