/* lock_file.c — see lock_file.h. flock(2) belongs to the open file description, so threads that open the file for
 * themselves keep each other out as processes do; fcntl's older locks would not. */
#include "lock_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "records.h"
#include "util.h"

/* Between two looks; it begins short, as most waits are, and is never long enough to be noticed. */
#define PAUSE_FIRST_MS 1
#define PAUSE_LAST_MS 32

/* A file that somebody else made, or that is another one's second name, could be anything. */
static bool is_ours(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink > 1)
		return false;
	/* An odd umask would lock the next process out. */
	return (st.st_mode & 0777) == 0600 || fchmod(fd, 0600) == 0;
}

static sp_error open_file(const char *path, int *fd)
{
	do {
		*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
	} while (*fd < 0 && errno == EINTR);
	if (*fd < 0)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? SP_MEMORY : SP_STORE;
	if (is_ours(*fd))
		return SP_OK;
	(void)close(*fd);
	return SP_STORE;
}

/* Whether the path still names the file that is open: it may have been renamed or removed while we waited. */
static bool is_current(const char *path, int fd)
{
	struct stat named, held;

	return lstat(path, &named) == 0 && fstat(fd, &held) == 0 && named.st_dev == held.st_dev &&
	       named.st_ino == held.st_ino;
}

static sp_error wait_for(int fd, int64_t deadline)
{
	for (int64_t pause = PAUSE_FIRST_MS; flock(fd, LOCK_EX | LOCK_NB) != 0; pause *= 2) {
		int64_t left = deadline - now_ms();

		if (errno == ENOLCK || errno == ENOMEM)
			return SP_MEMORY;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return SP_STORE;
		if (left <= 0)
			return SP_TIMEOUT;
		pause = pause < PAUSE_LAST_MS ? pause : PAUSE_LAST_MS;
		pause_ms(pause < left ? pause : left);
	}
	return SP_OK;
}

sp_error lock_file_take(const char *path, int timeout_ms, int *held)
{
	int64_t deadline = now_ms() + (timeout_ms > 0 ? timeout_ms : 0);

	for (;;) {
		int fd;
		sp_error e = open_file(path, &fd);

		if (e != SP_OK)
			return e;
		e = wait_for(fd, deadline);
		if (e == SP_OK && is_current(path, fd)) {
			*held = fd;
			return SP_OK;
		}
		(void)close(fd);
		if (e != SP_OK)
			return e;
	}
}

void lock_file_release(int held)
{
	/* By hand: a child that was forked meanwhile may have the descriptor too. */
	(void)flock(held, LOCK_UN);
	(void)close(held);
}

sp_error store_lock_take(struct store_lock *lock, const char *path, int timeout_ms)
{
	int held;
	sp_error e = lock_file_take(path, timeout_ms, &held);

	if (e == SP_OK)
		atomic_store(&lock->held, held);
	return e;
}

void store_lock_release(struct store_lock *lock)
{
	int held = atomic_exchange(&lock->held, -1);

	if (held >= 0)
		lock_file_release(held);
}

/* ---- without a file beside it ---- */

static bool is_private_folder(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 077) == 0;
}

/* Another user's $XDG_RUNTIME_DIR is still set after su(1), and none in cron(8). */
static void find_folder(struct text *folder)
{
	const char *named = getenv("XDG_RUNTIME_DIR");

	if (named != NULL && named[0] == '/' && is_private_folder(named)) {
		text_add(folder, named);
		return;
	}
	text_add(folder, "/run/user/");
	text_add_number(folder, (int64_t)geteuid());
	if (folder->p != NULL && is_private_folder(folder->p))
		return;
	text_free(folder);
	text_add(folder, "/tmp/sallyport-");
	text_add_number(folder, (int64_t)geteuid());
}

bool user_lock_init(struct user_lock *lock, const char *place)
{
	struct text folder = { 0 };

	find_folder(&folder);
	if (folder.failed)
		text_free(&folder);
	*lock = (struct user_lock){ .lock = { .held = -1 }, .place = place, .folder = folder.p };
	return lock->folder != NULL;
}

/* Keys name users: their digests do for a file's name. */
static void path_of(const struct user_lock *lock, const char *key, struct text *path)
{
	unsigned char digest[SHA256_BYTES];
	char name[BASE64URL_LENGTH(SHA256_BYTES) + 1];

	sha256(key, strlen(key), digest);
	base64url(digest, sizeof digest, name);
	text_add(path, lock->folder);
	text_add(path, "/sallyport-");
	text_add(path, lock->place);
	text_add(path, "-");
	text_add(path, name);
	text_add(path, ".lock");
}

sp_error user_lock_take(void *context, const char *key, int timeout_ms)
{
	struct user_lock *lock = context;
	struct text path = { 0 };
	sp_error e;

	if (!record_good_key(key))
		return SP_INVALID;
	/* Below /tmp it is ours to make, and again when the system has cleaned up. */
	if ((mkdir(lock->folder, 0700) != 0 && errno != EEXIST) || !is_private_folder(lock->folder))
		return SP_STORE;
	path_of(lock, key, &path);
	e = path.failed ? SP_MEMORY : store_lock_take(&lock->lock, path.p, timeout_ms);
	text_free(&path);
	return e;
}

void user_lock_release(void *context, const char *key)
{
	struct user_lock *lock = context;

	(void)key;
	store_lock_release(&lock->lock);
}

void user_lock_free(struct user_lock *lock)
{
	store_lock_release(&lock->lock);
	free(lock->folder);
}
