/* config_internal.h — what the files that load the settings share: what is known while they are loaded, and how a
 * problem is told. Inside config*.c only. */
#ifndef APP_CONFIG_INTERNAL_H
#define APP_CONFIG_INTERNAL_H

#include <sys/stat.h>

#include "app/config_table.h"

/* What config_load knows while it works. */
struct loading {
	struct loaded_config *out;
	const struct config_source *source;
	struct config_report *report;
	const char *file;
	bool file_is_private;    /* of a mode that a secret may have */
	str value[ROWS_MAX];     /* as given, of the strongest source so far */
	bool bad[ROWS_MAX];      /* a problem was reported */
};

/* ---- the report ---- */

void config_line_add(struct config_lines *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define PROBLEM(l, ...) config_line_add(&(l)->report->problems, __VA_ARGS__)
#define WARNING(l, ...) config_line_add(&(l)->report->warnings, __VA_ARGS__)

/* KEY: text (where the value came from). Marks the setting as bad. */
void problem_at(struct loading *l, const struct setting *s, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for a value that its row does not allow. */
void problem_not_allowed(struct loading *l, const struct setting *s, str value);

/* ---- rows and files ---- */

/* The place of a row in the arrays of all rows. */
size_t setting_index(const struct loading *l, const struct setting *s);
/* Aborts for a key that is not in the table: it is misspelt in the code. */
const struct setting *setting_get(const char *key);

/* Read at most `max` bytes of a regular file. Returns the reason when it cannot be, else NULL. */
const char *config_read_file(const char *path, char *to, size_t max, size_t *ret_n, struct stat *ret_st);

/* The one rule for files that hold secrets (settings, secrets of their own, the TLS key): the owner may write, a group
 * of this process may read, nobody else anything. What root's group may read is root's; root itself looks after files
 * of other groups. */
bool config_mode_is_private(const struct stat *st);
/* Says of which file, and with which mode and group, it is not so. */
void problem_not_private(struct loading *l, const struct setting *s, const char *file, const struct stat *st);
#define PRIVATE_HINT "allow its owner, and the server's group to read: chmod 640, chgrp"

/* ---- the other files ---- */

/* config_secret.c: take the value of a secret, or the file that it names. */
MUST_USE err_t config_set_secret(struct loading *l, const struct setting *s, str value, struct secret *to);

/* config_check.c: after the last value is set. */
MUST_USE err_t config_finish(struct loading *l);

#endif
