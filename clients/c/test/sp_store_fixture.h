/* sp_store_fixture.h — for the tests of one store: a folder, keys, other processes, and the run of them all. */
#ifndef TEST_SP_STORE_FIXTURE_H
#define TEST_SP_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <sys/types.h>

#include "records.h"
#include "sallyport.h"

#define N(table) (sizeof(table) / sizeof *(table))

extern char folder[64]; /* emptied after each test */
extern char path[128]; /* of a file in it: the file store's */

/* ---- places ---- */

/* A store, and which of the promises it makes. It is the state of each test. */
struct place {
	const char *name;
	sp_error (*open)(sp_store *store); /* NULL: the tests open none */
	bool shared; /* other stores over it see the same records */
	bool lock_for_each_key;
};

sp_store opened(const struct place *p);

/* A key of this run, which is erased after the test: the kernel's keyring is the user's own. */
const char *k(const char *name);
/* The same for a key as it is. */
const char *used(const char *key);

/* ---- words for store calls ---- */

extern char loaded[SP_RECORD_MAX + 1];

/* The record as a string; NULL: none. */
const char *load(const sp_store *s, const char *key);
void save(const sp_store *s, const char *key, const char *value);
/* NULL: there is none. */
void check(const sp_store *s, const char *key, const char *value);
sp_error take(const sp_store *s, const char *key, int timeout_ms);

/* ---- other processes ---- */

/* What this program does when it is started again with words that say so; its exit code. */
struct role {
	const char *name;
	int (*run)(sp_store *store, const char *a, const char *b);
	bool opens; /* gets a store */
};

struct process {
	pid_t pid;
	int in, out; /* its standard input and output */
};

struct process start(char *const argv[]);
/* This program in a role. */
struct process start_role(const char *role, const char *a, const char *b);
/* The same, started by a program that runs what its arguments say. */
struct process start_role_in(const char *wrapper, const char *role, const char *a, const char *b);
/* Waits until it has said a line. */
void hear(const struct process *p);
/* Its input ends; its exit code, or 1000 and the signal. */
int finish(const struct process *p);

/* Roles that every program has: "hold", "load", "save", "erase", "write", "count". */
#define WRITES 8 /* keys of the role "write" */

int role_load(sp_store *s, const char *key, const char *value);
int role_save(sp_store *s, const char *key, const char *value);

/* ---- all together ---- */

/* What main() was called with is a role. */
bool is_role(int argc);
/* Its exit code. The program's own roles come before those that every program has. */
int play(char **argv, const struct place *place, const struct role *roles, size_t n);

/* Makes the folder, which is $XDG_RUNTIME_DIR too: locks of stores without a file of their own are not the user's. */
void begin_tests(const char *argv0);
void add_tests(const struct place *place, const struct CMUnitTest *tests, size_t n);
/* How many of those that were added have failed. */
int run_added(const char *group);
/* All three for tests that have no place. */
int run_without_store(const char *argv0, const char *group, const struct CMUnitTest *tests, size_t n);

#endif
