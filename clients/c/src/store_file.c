/* store_file.c — tokens in an encrypted file, see sealed.h.
 *
 * `path` is only ever replaced as a whole: who writes makes `path`.new, holds it with flock(2), reads `path` again,
 * changes it and renames. The lock of `path`.new is short and of its own, as the client holds `path`.lock while it
 * saves. Everybody looks at `path` each time, and reads it unless it is the file that was read last, so what another
 * process wrote is seen. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lock_file.h"
#include "records.h"
#include "sallyport.h"
#include "sealed.h"
#include "util.h"

/* Longer than others need to write; they may have a key to derive. */
#define WRITE_WAIT_MS 10000

/* On pages of libsodium, which are not swapped out where the system lets them. The passphrase is needed again when
 * another process has made the file anew. */
struct secrets {
	bool known; /* head and key are set */
	struct sealed_head head;
	unsigned char key[SEALED_KEY];
	char passphrase[];
};

/* What was in the file when it was read last. */
struct last_read {
	bool known;
	struct stat file;
	struct record *records;
};

struct file_store {
	struct store_lock lock;
	struct sodium sodium;
	pthread_mutex_t mutex; /* around secrets and last */
	struct secrets *secrets;
	struct last_read last;
	char *folder, *path, *new_path, *lock_path; /* absolute */
};

/* ---- the file ---- */

static sp_error read_all(int fd, unsigned char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t got = read(fd, bytes, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return SP_STORE;
		bytes += got;
		n -= (size_t)got;
	}
	return SP_OK;
}

static sp_error write_all(int fd, const unsigned char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t written = write(fd, bytes, n);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return SP_STORE;
		bytes += written;
		n -= (size_t)written;
	}
	return SP_OK;
}

static sp_error read_open_file(int fd, unsigned char **bytes, size_t *n, struct stat *st)
{
	sp_error e;

	if (fstat(fd, st) != 0 || !S_ISREG(st->st_mode) || st->st_uid != geteuid() || st->st_size < 1 ||
	    (uintmax_t)st->st_size > SEALED_MAX)
		return SP_STORE;
	*n = (size_t)st->st_size;
	*bytes = malloc(*n);
	if (*bytes == NULL)
		return SP_MEMORY;
	e = read_all(fd, *bytes, *n);
	if (e != SP_OK) {
		free(*bytes);
		*bytes = NULL;
	}
	return e;
}

/* *bytes is NULL, with SP_OK, when there is no file yet. */
static sp_error read_file(const char *path, unsigned char **bytes, size_t *n, struct stat *st)
{
	int fd;
	sp_error e;

	*bytes = NULL;
	do {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	} while (fd < 0 && errno == EINTR);
	if (fd < 0 && errno == ENOENT)
		return SP_OK;
	if (fd < 0)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? SP_MEMORY : SP_STORE;
	e = read_open_file(fd, bytes, n, st);
	(void)close(fd);
	return e;
}

/* A rename is for good when the folder is on disk. */
static sp_error sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced;

	if (fd < 0)
		return SP_STORE;
	synced = fsync(fd) == 0 || errno == EINVAL; /* EINVAL: a file system that has no such thing */
	(void)close(fd);
	return synced ? SP_OK : SP_STORE;
}

static sp_error replace_file(const struct file_store *f, int fd, const unsigned char *bytes, size_t n)
{
	if (ftruncate(fd, 0) != 0 || write_all(fd, bytes, n) != SP_OK || fsync(fd) != 0 ||
	    rename(f->new_path, f->path) != 0)
		return SP_STORE;
	return sync_folder(f->folder);
}

/* ---- what is in it; with the mutex held ---- */

/* The key of a file with this head. */
static sp_error key_for(const struct file_store *f, const struct sealed_head *head, unsigned char key[SEALED_KEY])
{
	if (!f->secrets->known || !sealed_same_head(&f->secrets->head, head))
		return sealed_derive(&f->sodium, head, f->secrets->passphrase, key);
	memcpy(key, f->secrets->key, SEALED_KEY);
	return SP_OK;
}

static void remember(struct secrets *s, const struct sealed_head *head, const unsigned char key[SEALED_KEY])
{
	s->head = *head;
	memcpy(s->key, key, SEALED_KEY);
	s->known = true;
}

static sp_error decode(struct file_store *f, const unsigned char *bytes, size_t n, struct record **records)
{
	struct sealed_head head;
	unsigned char key[SEALED_KEY];
	sp_error e = sealed_read_head(bytes, n, &head);

	if (e == SP_OK)
		e = key_for(f, &head, key);
	if (e == SP_OK)
		e = sealed_open(&f->sodium, bytes, n, key, records);
	if (e == SP_OK)
		remember(f->secrets, &head, key);
	wipe(key, sizeof key);
	return e;
}

/* The caller frees *records. No file: none, and *st is zero. */
static sp_error read_records(struct file_store *f, struct record **records, struct stat *st)
{
	unsigned char *bytes;
	size_t n = 0;
	sp_error e;

	*st = (struct stat){ 0 };
	e = read_file(f->path, &bytes, &n, st);

	*records = NULL;
	if (e == SP_OK && bytes != NULL)
		e = decode(f, bytes, n, records);
	free(bytes);
	return e;
}

#ifdef __APPLE__
#define CHANGED(st) ((st)->st_ctimespec)
#else
#define CHANGED(st) ((st)->st_ctim)
#endif

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       CHANGED(a).tv_sec == CHANGED(b).tv_sec && CHANGED(a).tv_nsec == CHANGED(b).tv_nsec;
}

#define TICK_MS 100 /* more than the clock that stamps files takes for a step */
#define COARSE_MS 3000 /* where stamps are whole seconds, or every other one */

/* What changes a file from now on gives it another time than it has. */
static bool is_settled(const struct stat *st)
{
	struct timespec now = { 0 };
	int64_t age_ms;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	age_ms = ((int64_t)now.tv_sec - CHANGED(st).tv_sec) * 1000 + (now.tv_nsec - CHANGED(st).tv_nsec) / 1000000;
	return age_ms > (CHANGED(st).tv_nsec == 0 ? COARSE_MS : TICK_MS);
}

static void forget(struct last_read *last)
{
	records_free(&last->records);
	last->known = false;
}

/* What the file holds now, for as long as the mutex is held. */
static sp_error look(struct file_store *f, const struct record **records)
{
	struct stat now;
	sp_error e = SP_OK;

	if (!f->last.known || lstat(f->path, &now) != 0 || !is_same(&now, &f->last.file)) {
		forget(&f->last);
		e = read_records(f, &f->last.records, &f->last.file);
		f->last.known = e == SP_OK && f->last.records != NULL && is_settled(&f->last.file);
	}
	*records = f->last.records;
	return e;
}

/* After opening, what is refused is a file that somebody has spoilt. */
static sp_error as_store(sp_error e)
{
	return e == SP_REFUSED || e == SP_TIMEOUT ? SP_STORE : e;
}

/* The key of a file that is not there yet. */
static sp_error make_key(struct file_store *f)
{
	struct sealed_head head;
	unsigned char key[SEALED_KEY];
	sp_error e;

	if (f->secrets->known)
		return SP_OK;
	if (!sealed_new_head(&head))
		return SP_STORE;
	e = sealed_derive(&f->sodium, &head, f->secrets->passphrase, key);
	if (e == SP_OK)
		remember(f->secrets, &head, key);
	wipe(key, sizeof key);
	return e;
}

static sp_error write_records(const struct file_store *f, int fd, const struct record *records)
{
	unsigned char *bytes;
	size_t n;
	sp_error e = sealed_make(&f->sodium, &f->secrets->head, f->secrets->key, records, &bytes, &n);

	if (e == SP_OK)
		e = replace_file(f, fd, bytes, n);
	free(bytes);
	return e;
}

/* With `path`.new held as fd. value: NULL for no record. */
static sp_error change_held(struct file_store *f, int fd, const char *key, const char *value)
{
	struct record *records;
	struct stat st;
	sp_error e = read_records(f, &records, &st);

	if (e == SP_OK && value == NULL)
		(void)records_drop(&records, key);
	else if (e == SP_OK && !records_put(&records, key, value))
		e = SP_MEMORY;
	if (e == SP_OK)
		e = write_records(f, fd, records);
	records_free(&records);
	return e;
}

static sp_error change(struct file_store *f, const char *key, const char *value)
{
	const struct record *records;
	int fd;
	/* Derives the key, if need be, while nobody waits for it. */
	sp_error e = look(f, &records);
	bool needless = value == NULL && records_find(records, key) == NULL;

	if (e != SP_OK || needless)
		return e;
	e = make_key(f);
	if (e == SP_OK)
		e = lock_file_take(f->new_path, WRITE_WAIT_MS, &fd);
	if (e != SP_OK)
		return e;
	e = change_held(f, fd, key, value);
	if (e != SP_OK)
		(void)unlink(f->new_path); /* gone already if only the folder could not be synced */
	lock_file_release(fd);
	return e;
}

/* ---- the store ---- */

static sp_error file_load(void *context, const char *key, char *value, size_t capacity, size_t *length)
{
	struct file_store *f = context;
	const struct record *records;
	sp_error e;

	*length = 0;
	if (!record_good_key(key))
		return SP_INVALID;
	(void)pthread_mutex_lock(&f->mutex);
	e = look(f, &records);
	if (e == SP_OK)
		e = record_give(records_find(records, key), value, capacity, length);
	(void)pthread_mutex_unlock(&f->mutex);
	return as_store(e);
}

static sp_error change_locked(struct file_store *f, const char *key, const char *value)
{
	sp_error e;

	(void)pthread_mutex_lock(&f->mutex);
	e = change(f, key, value);
	(void)pthread_mutex_unlock(&f->mutex);
	return as_store(e);
}

static sp_error file_save(void *context, const char *key, const char *value)
{
	if (!record_good_key(key) || !record_good_value(value))
		return SP_INVALID;
	return change_locked(context, key, value);
}

static sp_error file_erase(void *context, const char *key)
{
	if (!record_good_key(key))
		return SP_INVALID;
	return change_locked(context, key, NULL);
}

/* One lock for all of the file: whoever shares it waits for at most one request. */
static sp_error file_lock(void *context, const char *key, int timeout_ms)
{
	struct file_store *f = context;

	(void)key;
	return store_lock_take(&f->lock, f->lock_path, timeout_ms);
}

static void file_unlock(void *context, const char *key)
{
	struct file_store *f = context;

	(void)key;
	store_lock_release(&f->lock);
}

static void file_close(void *context)
{
	struct file_store *f = context;

	store_lock_release(&f->lock);
	forget(&f->last);
	if (f->secrets != NULL)
		f->sodium.free(f->secrets); /* wipes */
	sealed_unload_sodium(&f->sodium);
	free(f->folder);
	free(f->path);
	free(f->new_path);
	free(f->lock_path);
	(void)pthread_mutex_destroy(&f->mutex);
	free(f);
}

/* ---- opening ---- */

static char *joined(const char *a, const char *b, const char *c)
{
	struct text t = { 0 };

	text_add(&t, a);
	text_add(&t, b);
	text_add(&t, c);
	if (t.failed)
		text_free(&t);
	return t.p;
}

/* Absolute, as programs change their folder. */
static sp_error find_paths(struct file_store *f, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
	char *folder;

	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return SP_INVALID;
	folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);
	if (folder == NULL)
		return SP_MEMORY;
	f->folder = realpath(folder, NULL);
	free(folder);
	if (f->folder == NULL)
		return errno == ENOMEM ? SP_MEMORY : SP_STORE;
	f->path = joined(f->folder, "/", name);
	if (f->path == NULL)
		return SP_MEMORY;
	f->new_path = joined(f->path, ".new", "");
	f->lock_path = joined(f->path, ".lock", "");
	return f->new_path != NULL && f->lock_path != NULL ? SP_OK : SP_MEMORY;
}

static sp_error keep_passphrase(struct file_store *f, const char *passphrase)
{
	size_t n = strlen(passphrase) + 1, size = sizeof *f->secrets + n;

	/* libsodium puts the end of it at the end of a page: aligned if the size is. */
	f->secrets = f->sodium.malloc((size + 15) / 16 * 16);
	if (f->secrets == NULL)
		return SP_MEMORY;
	f->secrets->known = false;
	memcpy(f->secrets->passphrase, passphrase, n);
	return SP_OK;
}

static sp_error open_store(struct file_store *f, const char *path, const char *passphrase)
{
	const struct record *records;
	sp_error e = find_paths(f, path);

	if (e == SP_OK && !sealed_load_sodium(&f->sodium))
		e = SP_UNAVAILABLE;
	if (e == SP_OK)
		e = keep_passphrase(f, passphrase);
	if (e == SP_OK)
		e = look(f, &records);
	return e;
}

sp_error sp_store_file(const char *path, const char *passphrase, sp_store *store)
{
	struct file_store *f;
	sp_error e;

	if (store == NULL)
		return SP_INVALID;
	*store = (sp_store){ .size = sizeof *store };
	if (path == NULL || passphrase == NULL || passphrase[0] == '\0')
		return SP_INVALID;
	f = calloc(1, sizeof *f);
	if (f == NULL)
		return SP_MEMORY;
	f->lock.held = -1;
	if (pthread_mutex_init(&f->mutex, NULL) != 0) {
		free(f);
		return SP_MEMORY;
	}
	e = open_store(f, path, passphrase);
	if (e != SP_OK) {
		file_close(f);
		return e;
	}
	*store = (sp_store){ .size = sizeof *store, .context = f, .load = file_load, .save = file_save,
			     .erase = file_erase, .lock = file_lock, .unlock = file_unlock, .close = file_close };
	return SP_OK;
}
