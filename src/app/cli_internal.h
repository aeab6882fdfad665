/* cli_internal.h — what the files of the operator's commands share. */
#ifndef APP_CLI_INTERNAL_H
#define APP_CLI_INTERNAL_H

#include "app/cli.h"
#include "base/json_line.h"
#include "base/options.h"
#include "domain/ctx.h"

/* What a command works with; made by cli.c. What its column of needs does not ask for is NULL. */
struct cli {
	const struct args *args;
	struct config *cfg;
	struct store *store;
	struct db *db;
	struct keyring *keys;
	struct password_gate *gate;
	struct counters count;
	struct arena mem;
	struct ctx c;
	bool json; /* results as JSON, one value on a line */
};

/* In parts, for a command that opens for itself what is there (NEEDS_NOTHING): libraries, arena and context for
 * cli->cfg; the store; the keys, which need the store. why: one line. Closed by cli.c. */
MUST_USE err_t cli_begin(struct cli *cli);
enum exit_code cli_open_store(struct cli *cli, char *why, size_t why_max);
enum exit_code cli_open_keys(struct cli *cli, char *why, size_t why_max);

/* Says what went wrong on stderr: EXIT_REFUSED. */
enum exit_code fail(const char *what);
/* The same for what a domain function answered, with the fields it complained of. A fault: EXIT_FAULT. */
enum exit_code fail_err(struct cli *cli, err_t e);

/* A result in JSON: `write` adds the members of one object. Else nothing is to be said (text NULL), or this. */
enum exit_code result(struct cli *cli, const char *text, void (*write)(struct json_out *o, const void *of),
		      const void *of);
/* One object of several. Faults: see json_line_end. */
MUST_USE err_t print_object(void (*write)(struct json_out *o, const void *of), const void *of);

/* "2026-11-23T10:09:40.790Z", or "never" for 0. */
void print_time(int64_t ms);
/* What users have written: a control character among it would command the terminal. */
void print_clean_text(str text);

#endif
