/* config.h — the settings: read from an INI file, the environment and the command line, checked as a
 * whole before anything starts, shown and described from one table (config_table.c).
 *
 * `[section] key` in the file is SALLYPORT_SECTION_KEY in the environment. Later sources win:
 * default, --dev default, file, environment, command line. SALLYPORT_CONFIG names the file when no
 * --config does, SALLYPORT_DATA is short for SALLYPORT_SERVER_DATA_DIR. Nothing unknown is ignored.
 *
 * Every row of the table fills one member of struct config (base/config.h). */
#ifndef APP_CONFIG_H
#define APP_CONFIG_H

#include <stdio.h>

#include "base/buf.h"
#include "base/config.h"
#include "base/err.h"

struct config_source {
	const char *file;     /* NULL: SALLYPORT_CONFIG of environ, or no file */
	char *const *environ; /* may be NULL */
	bool dev;             /* `serve --dev`: other defaults, loopback only */
	struct {
		const char *key, *value; /* "server.listen": from the command line; the last one wins */
	} overrides[8];
	size_t n_overrides;
};

/* Lines of text, each ended by '\n', the whole NUL-terminated. What does not fit is counted in n. */
struct config_lines {
	char text[8 * 1024];
	size_t used;
	size_t n;
};

/* Nothing to free. Names the settings and what is allowed; never the value of a secret. */
struct config_report {
	struct config_lines problems; /* each of them refuses the configuration */
	struct config_lines warnings;
};

/* Read and check everything; all problems are reported at once:
 *	server.workers: "abc" is not a whole number from 1 to 1024 (in FILE line 12)
 * Refusals: ERR_CONFIG with at least one problem in the report; *ret is then unchanged.
 * Faults: ERR_NO_MEMORY (also told in the report).
 * Reads files; one call at a time (inih keeps its options in globals). */
MUST_USE err_t config_load(const struct config_source *source, struct config **ret,
			   struct config_report *report);
void config_free(struct config *cfg); /* wipes; NULL is a no-op */

void config_report_print(const struct config_report *r, FILE *out);
void config_report_log(const struct config_report *r, enum log_level level);
void config_report_clear(struct config_report *r);

/* Do both have the same values where a change takes a restart? The keys of those that differ are
 * written to `ret_names`, separated by ", ". */
bool config_same_startup(const struct config *a, const struct config *b, struct buf *ret_names);

/* For a reload: where a change takes a restart, log a warning with the keys and put the running
 * value back into `fresh`, so that what is published is what is in force. Both from config_load. */
void config_warn_restart(const struct config *running, struct config *fresh);

/* The settings as an INI file that can be read back, except that secrets print as ***. With `origin`
 * a comment before each says where its value came from. `cfg` must come from config_load. */
void config_print(const struct config *cfg, bool origin, FILE *out);

/* The same in JSON, one object a line: {"key","value","origin"}, all of them texts. Faults: ERR_NO_MEMORY. */
MUST_USE err_t config_print_json(const struct config *cfg, FILE *out);
/* {"key","default","defaultOfDev","allowed","restart","help"} */
MUST_USE err_t config_help_json(FILE *out);

void config_help(FILE *out);          /* every setting: default, what is allowed, meaning */
void config_help_markdown(FILE *out); /* the same as docs/guide/settings.md */

#endif
