#include "crypto/keyring_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64url.h"
#include "crypto/jws_key.h"

#define OTHERS	    (S_IRWXG | S_IRWXO)
#define TEMP_PREFIX ".new-"
#define TIME_MAX_MS ((uint64_t)1 << 53)

static void fd_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static void listing_close(DIR **dir)
{
	if (*dir != NULL)
		(void)closedir(*dir);
}

#define CLEANUP(f) __attribute__((cleanup(f)))

err_t key_dir_complain(const struct key_dir *d, const char *fmt, ...)
{
	va_list ap;

	if (d->why_max > 0) {
		va_start(ap, fmt);
		(void)vsnprintf(d->why, d->why_max, fmt, ap);
		va_end(ap);
	}
	FAIL(ERR_CONFIG);
}

/* --- the directory ---------------------------------------------------------------------------- */

static err_t path_of(str data_dir, const char *tail, char path[PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%.*s%s", STR_ARG(data_dir), tail);

	REQUIRE(n > 0 && n < PATH_MAX && !str_has_byte(data_dir, '\0'), ERR_CONFIG);
	return OK;
}

static void sync_directory(const char *path)
{
	CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		(void)fsync(fd); /* best effort: the key files' own fsync is the one that counts */
}

static err_t make_directory(str data_dir, const char *path, const struct key_dir *d)
{
	char parent[PATH_MAX];

	if (mkdir(path, 0700) != 0) {
		if (errno == EEXIST)
			return OK;
		return key_dir_complain(d, "%s: cannot be made: %s", path, strerror(errno));
	}
	TRY(path_of(data_dir, "", parent));
	sync_directory(parent);
	return OK;
}

/* Ours or root's, and nobody else may read or change it. */
static err_t check_private(const struct key_dir *d, const char *name, const struct stat *st)
{
	if (st->st_uid != geteuid() && st->st_uid != 0 && geteuid() != 0)
		return key_dir_complain(d, "%s: belongs to another user", name);
	if ((st->st_mode & OTHERS) != 0)
		return key_dir_complain(d, "%s: open to group or others (mode %04o); use chmod go=",
					name, (unsigned)(st->st_mode & 07777));
	return OK;
}

/* A reading position of its own, which d->fd has not. */
static DIR *listing_open(const struct key_dir *d)
{
	int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir == NULL)
		fd_close(&fd);
	return dir;
}

/* Leftovers of a crash between writing and naming: keys that were never used. */
static err_t remove_leftovers(const struct key_dir *d)
{
	CLEANUP(listing_close) DIR *dir = listing_open(d);
	const struct dirent *e;

	REQUIRE(dir != NULL, ERR_IO);
	while ((e = readdir(dir)) != NULL) {
		if (str_starts(str_of_cstr(e->d_name), STR(TEMP_PREFIX)))
			(void)unlinkat(d->fd, e->d_name, 0);
	}
	return OK;
}

static err_t lock_and_check(struct key_dir *d, const char *path, enum key_dir_mode mode)
{
	struct stat st;

	if (flock(d->fd, mode == KEY_DIR_READ ? LOCK_SH : LOCK_EX) != 0 || fstat(d->fd, &st) != 0)
		return key_dir_complain(d, "%s: %s", path, strerror(errno));
	TRY(check_private(d, path, &st));
	return mode == KEY_DIR_READ ? OK : remove_leftovers(d);
}

err_t key_dir_open(str data_dir, enum key_dir_mode mode, struct key_dir *d)
{
	char path[PATH_MAX];
	err_t e;

	TRY(path_of(data_dir, "/keys", path));
	if (mode == KEY_DIR_CREATE)
		TRY(make_directory(data_dir, path, d));
	d->fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (d->fd < 0)
		return key_dir_complain(d, "%s: %s", path, strerror(errno));
	e = lock_and_check(d, path, mode);
	if (e.code != ERR_OK)
		key_dir_close(d);
	return e;
}

void key_dir_close(struct key_dir *d)
{
	fd_close(&d->fd); /* and with it the lock */
	d->fd = -1;
}

/* --- one file --------------------------------------------------------------------------------- */

bool key_dir_has(const struct key_dir *d, const char *file)
{
	struct stat st;

	/* anything but "it is not there" is answered when it is read */
	return fstatat(d->fd, file, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

static err_t read_all(int fd, struct secret *dst)
{
	size_t n = 0;

	while (n < dst->n) {
		ssize_t got = read(fd, dst->p + n, dst->n - n);
		if (got < 0 && errno == EINTR)
			continue;
		REQUIRE(got >= 0, ERR_IO);
		if (got == 0)
			break;
		n += (size_t)got;
	}
	dst->n = n;
	return OK;
}

err_t key_dir_read(const struct key_dir *d, const char *file, struct arena *mem, struct secret *ret)
{
	/* O_NONBLOCK: somebody's named pipe must not hang the start */
	CLEANUP(fd_close)
	int fd = openat(d->fd, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct secret text = { .n = KEY_FILE_MAX };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return key_dir_complain(d, "keys/%s: %s", file, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_size >= KEY_FILE_MAX)
		return key_dir_complain(d, "keys/%s: not a key file", file);
	TRY(check_private(d, file, &st));
	NEW(text.p, mem, uint8_t, KEY_FILE_MAX);
	TRY(read_all(fd, &text));
	*ret = text;
	return OK;
}

static err_t write_all(int fd, struct secret text)
{
	size_t n = 0;

	while (n < text.n) {
		ssize_t put = write(fd, text.p + n, text.n - n);
		if (put < 0 && errno == EINTR)
			continue;
		REQUIRE(put > 0, ERR_IO);
		n += (size_t)put;
	}
	REQUIRE(fsync(fd) == 0, ERR_IO);
	return OK;
}

/* A key made by root for a service that runs as somebody else must be readable by that service. */
static err_t give_to_owner(const struct key_dir *d, int fd)
{
	struct stat st;

	REQUIRE(fstat(d->fd, &st) == 0, ERR_IO);
	if (geteuid() == 0 && st.st_uid != 0)
		REQUIRE(fchown(fd, st.st_uid, st.st_gid) == 0, ERR_IO);
	return OK;
}

static err_t write_temporary(const struct key_dir *d, const char *temp, struct secret text)
{
	CLEANUP(fd_close)
	int fd = openat(d->fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	REQUIRE(fd >= 0, ERR_IO);
	TRY(give_to_owner(d, fd));
	return write_all(fd, text);
}

static err_t temporary_name(struct rng rng, char ret[KEY_NAME_MAX])
{
	struct buf out = { .p = ret, .cap = KEY_NAME_MAX - 1 };
	uint8_t bytes[16];

	TRY(rng_fill(rng, bytes, sizeof(bytes)));
	buf_lit(&out, TEMP_PREFIX);
	hex_encode(&out, str_of_bytes(bytes, sizeof(bytes)));
	ret[out.n] = '\0';
	return OK;
}

/* The name appears only when the whole content is on the disk; link(2) refuses to replace. */
err_t key_dir_write(const struct key_dir *d, const char *file, struct secret text, struct rng rng)
{
	char temp[KEY_NAME_MAX];
	bool named = false;
	err_t e;

	TRY(temporary_name(rng, temp));
	e = write_temporary(d, temp, text);
	if (e.code == ERR_OK)
		named = linkat(d->fd, temp, d->fd, file, 0) == 0;
	if (e.code == ERR_OK && named && fsync(d->fd) == 0) {
		(void)unlinkat(d->fd, temp, 0); /* a leftover is harmless and goes next time */
		return OK;
	}
	e = key_dir_complain(d, "keys/%s: cannot be written: %s", file, strerror(errno));
	(void)unlinkat(d->fd, temp, 0);
	return e;
}

err_t key_dir_remove(const struct key_dir *d, const char *file)
{
	if (unlinkat(d->fd, file, 0) != 0 || fsync(d->fd) != 0)
		return key_dir_complain(d, "keys/%s: cannot be removed: %s", file, strerror(errno));
	return OK;
}

/* --- names ------------------------------------------------------------------------------------ */

void key_name_make(int64_t active_from_ms, enum token_algorithm alg, struct key_name *ret)
{
	ret->active_from_ms = active_from_ms;
	ret->alg = alg;
	(void)snprintf(ret->file, sizeof(ret->file), "jwt-%" PRId64 "-%.*s.pem", active_from_ms,
		       STR_ARG(jws_alg_name(alg)));
}

static bool parse_name(str file, struct key_name *ret)
{
	str middle, time, alg;
	uint64_t ms;

	if (!str_starts(file, STR("jwt-")) || !str_ends(file, STR(".pem")) || file.n < 8)
		return false;
	middle = (str){ file.p + 4, file.n - 8 };
	if (!str_cut(middle, '-', &time, &alg) || !str_to_u64(time, TIME_MAX_MS, &ms) ||
	    jws_alg_find(alg) == ALG_UNSET)
		return false;
	key_name_make((int64_t)ms, jws_alg_find(alg), ret);
	return str_eq(str_of_cstr(ret->file), file); /* one spelling only: no leading zeros */
}

/* A key whose name cannot be read would silently never sign or verify: better to say so. */
static err_t take_entry(const struct key_dir *d, const char *file, struct key_name *ret, size_t *n)
{
	const str name = str_of_cstr(file);

	if (str_starts(name, STR(".")) ||
	    (!str_starts(name, STR("jwt-")) && !str_ends(name, STR(".pem"))))
		return OK;
	if (*n == KEYRING_MAX)
		return key_dir_complain(d, "keys: more than %d signing keys", KEYRING_MAX);
	if (!parse_name(name, &ret[*n]))
		return key_dir_complain(d, "keys/%s: not named jwt-TIME-ALGORITHM.pem", file);
	++*n;
	return OK;
}

static int by_time(const void *a, const void *b)
{
	const struct key_name *x = a, *y = b;

	if (x->active_from_ms != y->active_from_ms)
		return x->active_from_ms < y->active_from_ms ? -1 : 1;
	return x->alg < y->alg ? -1 : x->alg > y->alg;
}

err_t key_dir_list(const struct key_dir *d, struct key_name ret[KEYRING_MAX], size_t *ret_n)
{
	CLEANUP(listing_close) DIR *dir = listing_open(d);
	const struct dirent *e;
	size_t n = 0;

	REQUIRE(dir != NULL, ERR_IO);
	while ((e = readdir(dir)) != NULL)
		TRY(take_entry(d, e->d_name, ret, &n));
	qsort(ret, n, sizeof(ret[0]), by_time);
	*ret_n = n;
	return OK;
}

static uint64_t fnv1a(uint64_t h, const void *p, size_t n)
{
	const uint8_t *byte = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ byte[i]) * 0x100000001b3U;
	return h;
}

static uint64_t hash_entry(int fd, const char *file)
{
	uint64_t h = fnv1a(0xcbf29ce484222325U, file, strlen(file));
	struct stat st;

	if (fstatat(fd, file, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return h;
	h = fnv1a(h, &st.st_ino, sizeof(st.st_ino));
	return fnv1a(h, &st.st_mtim, sizeof(st.st_mtim));
}

uint64_t keyring_fingerprint(str data_dir)
{
	CLEANUP(listing_close) DIR *dir = NULL;
	char path[PATH_MAX];
	const struct dirent *e;
	uint64_t sum = 0;

	if (path_of(data_dir, "/keys", path).code != ERR_OK)
		return 0;
	dir = opendir(path);
	if (dir == NULL)
		return 0;
	while ((e = readdir(dir)) != NULL) {
		if (e->d_name[0] != '.')
			sum += hash_entry(dirfd(dir), e->d_name); /* any order gives the same sum */
	}
	return sum;
}
