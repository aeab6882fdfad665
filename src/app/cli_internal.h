/* cli_internal.h — what the files of the sub-commands share. A command prints its results on stdout and
 * its problems on stderr. */
#ifndef APP_CLI_INTERNAL_H
#define APP_CLI_INTERNAL_H

#include "app/cli.h"
#include "domain/ctx.h"

/* What a sub-command works with; made by cli_run. */
struct cli {
	struct config *cfg;
	struct store *store;
	struct db *db;
	struct keyring *keys;
	struct password_gate *gate;
	struct counters count;
	struct arena mem;
	struct ctx c;
};

/* Says what went wrong on stderr: EXIT_REFUSED. */
enum exit_code fail(const char *what);
/* The same for what a domain function answered, with the fields it complained of. A fault: EXIT_FAULT. */
enum exit_code fail_err(struct cli *cli, err_t e);

/* "2026-11-23T10:09:40.790Z", or "never" for 0. */
void print_time(int64_t ms);

#endif
