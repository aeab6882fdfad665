/* domain_fixture.h — a store, keys and settings of one test, and the context that domain functions are handed. */
#ifndef TEST_DOMAIN_FIXTURE_H
#define TEST_DOMAIN_FIXTURE_H

#include "domain/ctx.h"
#include "store_fixture.h"

#define START_MS ((int64_t)1700000000000)

struct domain_fixture {
	struct store_fixture f;
	struct config cfg; /* all zero; set what the test needs */
	struct keyring *keys;
	struct counters count;
	struct ctx c; /* now is START_MS, the client unknown */
};

/* 0, or -1: what cmocka's set-up functions return. Empties w first. */
MUST_USE int domain_open(struct domain_fixture *w);
void domain_close(struct domain_fixture *w);

#define OK_OF(call) assert_int_equal((call).code, ERR_OK)

#endif
