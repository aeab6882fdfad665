/* Copies and checks of the whole store, on connections of their own: readers like any other. */
#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#define SERVICE_CACHE ((int64_t)4 * 1024 * 1024)

static struct sqlite_store *of(struct store *s)
{
	return (struct sqlite_store *)s;
}

static err_t open_service(struct sqlite_store *s, struct conn *ret, char *why, size_t why_max)
{
	if (s->memory) {
		(void)snprintf(why, why_max, "a store in memory has no file");
		FAIL(ERR_CONFIG);
	}
	return conn_open(ret, s->file, CONN_SERVICE, SERVICE_CACHE, s->busy_timeout_ms, why,
			 why_max);
}

/* VACUUM INTO reads one state of the store and writes it afresh, so that nothing of deleted rows
 * gets into the copy. The target exists already, empty and with mode 0600. */
static err_t copy_into(struct conn *c, const char *file, char *why, size_t why_max)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(c->db, "VACUUM INTO ?1", -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(st, 1, file, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	err_t e = rc == SQLITE_DONE ? OK : sqlite_fault(c->db, rc);
	if (e.code != ERR_OK)
		(void)snprintf(why, why_max, "cannot copy the store to %s: %s", file,
			       sqlite3_errmsg(c->db));
	(void)sqlite3_finalize(st);
	return e;
}

static err_t file_failed(const char *file, char *why, size_t why_max)
{
	int e = errno;
	char text[128];

	(void)snprintf(why, why_max, "cannot make the backup %s: %s", file,
		       strerror_r(e, text, sizeof(text)));
	FAIL(e == ENOSPC || e == EDQUOT ? ERR_STORE_FULL : ERR_CONFIG);
}

/* link() never replaces, which rename() would. */
static err_t publish(const char *part, const char *file, char *why, size_t why_max)
{
	if (file_sync(part).code != ERR_OK || link(part, file) != 0)
		return file_failed(file, why, why_max);
	if (file_sync_parent(file).code != ERR_OK) {
		err_t e = file_failed(file, why, why_max);

		(void)unlink(file);
		return e;
	}
	return OK;
}

static err_t backup_to(struct conn *c, const char *file, char *why, size_t why_max)
{
	char part[PATH_MAX];
	int n = snprintf(part, sizeof(part), "%s.part", file);

	if (n < 0 || (size_t)n >= sizeof(part)) {
		errno = ENAMETOOLONG;
		return file_failed(file, why, why_max);
	}
	if (access(file, F_OK) == 0) {
		errno = EEXIST;
		return file_failed(file, why, why_max);
	}
	int fd =
		open(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (fd < 0)
		return file_failed(part, why, why_max);
	(void)close(fd);
	err_t e = copy_into(c, part, why, why_max);
	if (e.code == ERR_OK)
		e = publish(part, file, why, why_max);
	(void)unlink(part);
	return e;
}

err_t sqlite_backup(struct store *base, str file, char *why, size_t why_max)
{
	char path[PATH_MAX];
	struct conn c;

	if (file.n == 0 || file.n >= sizeof(path) || str_has_byte(file, '\0')) {
		(void)snprintf(why, why_max, "the backup's file name is empty or too long");
		FAIL(ERR_CONFIG);
	}
	(void)snprintf(path, sizeof(path), "%s%.*s", file.p[0] == '/' ? "" : "./", STR_ARG(file));
	TRY(open_service(of(base), &c, why, why_max));
	err_t e = backup_to(&c, path, why, why_max);
	conn_close(&c);
	return e;
}

static err_t no_orphans(struct conn *c, char *why, size_t why_max)
{
	return conn_pragma_ok(c,
			      "SELECT 'row ' || coalesce(rowid, '?') || ' of ' || \"table\" || "
			      "' names a missing row of ' || parent FROM pragma_foreign_key_check",
			      why, why_max);
}

err_t sqlite_verify(struct store *base, char *why, size_t why_max)
{
	struct sqlite_store *s = of(base);
	struct conn c;

	TRY(open_service(s, &c, why, why_max));
	err_t e = conn_pragma_ok(&c, "PRAGMA integrity_check(1)", why, why_max);
	if (e.code == ERR_OK)
		e = no_orphans(&c, why, why_max);
	conn_close(&c);
	return e;
}
