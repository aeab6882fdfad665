#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef CIFS_SUPER_MAGIC
#define CIFS_SUPER_MAGIC 0xff534d42
#endif
#ifndef SMB2_SUPER_MAGIC
#define SMB2_SUPER_MAGIC 0xfe534d42
#endif

#define OTHERS (S_IRWXG | S_IRWXO)

static err_t refuse(char *why, size_t why_max, const char *path, const char *text)
{
	(void)snprintf(why, why_max, "store: %s %s", path, text);
	FAIL(ERR_CONFIG);
}

static err_t refuse_errno(char *why, size_t why_max, const char *path, const char *what)
{
	int e = errno;
	char text[128];

	(void)snprintf(why, why_max, "store: cannot %s %s: %s", what, path,
		       strerror_r(e, text, sizeof(text)));
	FAIL(e == ENOSPC || e == EDQUOT ? ERR_STORE_FULL : ERR_CONFIG);
}

static err_t path_join(char dst[PATH_MAX], const char *head, const char *tail)
{
	int n = snprintf(dst, PATH_MAX, "%s%s", head, tail);

	REQUIRE(n > 0 && n < PATH_MAX, ERR_CONFIG);
	return OK;
}

static err_t parent_of(const char *path, char dst[PATH_MAX])
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return path_join(dst, ".", "");
	if (slash == path)
		return path_join(dst, "/", "");
	TRY(path_join(dst, path, ""));
	dst[slash - path] = '\0';
	return OK;
}

/* Root may look after another user's store; what root makes belongs to whom the directory does. */
static void adopt(int fd, const char *dir)
{
	struct stat st;

	if (geteuid() == 0 && stat(dir, &st) == 0 && st.st_uid != 0)
		(void)!fchown(fd, st.st_uid, st.st_gid);
}

static bool ours(const struct stat *st)
{
	return st->st_uid == geteuid() || geteuid() == 0;
}

static err_t check_directory(const char *dir, bool create, char *why, size_t why_max)
{
	struct stat st;
	struct statfs fs;

	if (create && mkdir(dir, S_IRWXU) != 0 && errno != EEXIST)
		return refuse_errno(why, why_max, dir, "make the directory");
	if (stat(dir, &st) != 0)
		return refuse_errno(why, why_max, dir, "use the directory");
	if (!S_ISDIR(st.st_mode))
		return refuse(why, why_max, dir, "is not a directory");
	if (!ours(&st))
		return refuse(why, why_max, dir, "belongs to another user");
	if ((st.st_mode & OTHERS) != 0)
		return refuse(why, why_max, dir, "can be entered by others: chmod 700 it");
	if (statfs(dir, &fs) == 0) {
		unsigned long type = (unsigned long)fs.f_type & 0xffffffffUL;

		if (type == NFS_SUPER_MAGIC || type == SMB_SUPER_MAGIC ||
		    type == CIFS_SUPER_MAGIC || type == SMB2_SUPER_MAGIC)
			return refuse(why, why_max, dir,
				      "is on a network file system, where locks and crashes lose "
				      "data: use a local one");
	}
	return OK;
}

static err_t check_file(const char *path, bool required, char *why, size_t why_max)
{
	struct stat st;

	if (lstat(path, &st) != 0) {
		if (errno == ENOENT && !required)
			return OK;
		return refuse_errno(why, why_max, path, "use");
	}
	if (!S_ISREG(st.st_mode))
		return refuse(why, why_max, path, "is not a plain file");
	if (!ours(&st))
		return refuse(why, why_max, path, "belongs to another user");
	if ((st.st_mode & OTHERS) != 0)
		return refuse(why, why_max, path, "can be read by others: chmod 600 it");
	if (access(path, R_OK | W_OK) != 0)
		return refuse_errno(why, why_max, path, "write");
	return OK;
}

static err_t make_file(const char *file, const char *dir, bool *ret_made, char *why, size_t why_max)
{
	int fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);

	if (fd < 0)
		return errno == EEXIST ? OK : refuse_errno(why, why_max, file, "make");
	adopt(fd, dir);
	(void)close(fd);
	if (file_sync(dir).code != ERR_OK)
		return refuse_errno(why, why_max, dir, "write");
	*ret_made = true;
	return OK;
}

/* An empty file would become a store: as little as one that is not there. */
static err_t check_is_store(const char *file, char *why, size_t why_max)
{
	struct stat st;

	if (lstat(file, &st) != 0 && (errno == ENOENT || errno == ENOTDIR))
		return refuse(why, why_max, file, "does not exist: is this the right data directory? "
						  "`sallyport serve` makes a new store");
	if (lstat(file, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0)
		return refuse(why, why_max, file, "is empty: is this the right data directory? Restore a backup, or "
						  "remove it to begin anew");
	return OK;
}

err_t file_prepare(const char *file, bool create, bool *ret_made, char *why, size_t why_max)
{
	static const char *const beside[] = { "-wal", "-shm", "-journal", ".lock" };
	char path[PATH_MAX], dir[PATH_MAX];

	if (parent_of(file, dir).code != ERR_OK || strlen(file) > PATH_MAX - 16)
		return refuse(why, why_max, file, "is too long a name");
	if (!create)
		TRY(check_is_store(file, why, why_max));
	TRY(check_directory(dir, create, why, why_max));
	if (create)
		TRY(make_file(file, dir, ret_made, why, why_max));
	TRY(check_file(file, true, why, why_max));
	/* SQLite gives the files beside it the mode of the file itself; older ones are looked at */
	for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
		TRY(path_join(path, file, beside[i]));
		TRY(check_file(path, false, why, why_max));
	}
	return OK;
}

err_t file_lock(const char *file, int *ret_fd, char *why, size_t why_max)
{
	char path[PATH_MAX], dir[PATH_MAX];

	TRY(path_join(path, file, ".lock"));
	TRY(parent_of(file, dir));
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (fd < 0)
		return refuse_errno(why, why_max, path, "open");
	adopt(fd, dir);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		int e = errno;

		(void)close(fd);
		errno = e;
		if (e == EWOULDBLOCK)
			return refuse(why, why_max, file,
				      "is in use by another sallyport server (it holds the .lock "
				      "file beside it)");
		return refuse_errno(why, why_max, path, "lock");
	}
	*ret_fd = fd;
	return OK;
}

void file_unlock(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

err_t file_mark_used(int lock_fd, bool used)
{
	bool done = used ? pwrite(lock_fd, "used\n", 5, 0) == 5 : ftruncate(lock_fd, 0) == 0;

	REQUIRE(done && fsync(lock_fd) == 0, ERR_IO);
	return OK;
}

bool file_was_used(int lock_fd)
{
	struct stat st;

	return fstat(lock_fd, &st) == 0 && st.st_size > 0;
}

int64_t file_size(const char *file)
{
	struct stat st;

	return stat(file, &st) == 0 ? st.st_size : -1;
}

err_t file_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	REQUIRE(fd >= 0, ERR_IO);
	int rc = fsync(fd);
	(void)close(fd);
	REQUIRE(rc == 0, ERR_IO);
	return OK;
}

err_t file_sync_parent(const char *path)
{
	char dir[PATH_MAX];

	TRY(parent_of(path, dir));
	return file_sync(dir);
}
