/* store_keyring.c — tokens in the Linux kernel's keyring of the user (user-keyring(7)), by system calls, as
 * libkeyutils is one more library for five of them.
 *
 * Who may read a key is either who possesses it, through the keyrings of his thread, process or session, or who has its
 * permission. A session does not always lead to the user's keyring (services, su, containers), so possession is not
 * relied on: keys are made in the thread's keyring, where they are possessed, get the permission for all processes of
 * the user, and are linked into the user's keyring only then. */
#include "lock_file.h"
#include "records.h"
#include "sallyport.h"
#include "util.h"

#ifdef __linux__

#include <errno.h>
#include <linux/keyctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PREFIX "sallyport:"

/* View, read, write, search, link and set attributes, for possessors and for the user; nothing for anybody else. */
#define PERMISSIONS 0x3f3f0000UL

/* How long the kernel may need to notice that there is room again. */
#define QUOTA_PAUSE_MS 20
#define QUOTA_PAUSES 25

typedef long serial;

static serial add_key(const char *description, const char *value, serial keyring)
{
	return syscall(SYS_add_key, "user", description, value, strlen(value), keyring);
}

static serial find_key(const char *description)
{
	return syscall(SYS_keyctl, (long)KEYCTL_SEARCH, (long)KEY_SPEC_USER_KEYRING, "user", description, 0L);
}

static long unlink_key(serial key, serial keyring)
{
	return syscall(SYS_keyctl, (long)KEYCTL_UNLINK, key, keyring);
}

/* After find_key: not there, or no longer. */
static bool is_absent(int error)
{
	return error == ENOKEY || error == EKEYEXPIRED || error == EKEYREVOKED;
}

static sp_error describe(const char *key, struct text *description)
{
	if (!record_good_key(key))
		return SP_INVALID;
	text_add(description, PREFIX);
	text_add(description, key);
	return description->failed ? SP_MEMORY : SP_OK;
}

/* *found: 0 for none. */
static sp_error look_up(const char *key, serial *found)
{
	struct text description = { 0 };
	sp_error e = describe(key, &description);

	*found = 0;
	if (e == SP_OK)
		*found = find_key(description.p);
	if (*found < 0) {
		e = is_absent(errno) ? SP_OK : SP_STORE;
		*found = 0;
	}
	text_free(&description);
	return e;
}

static sp_error keyring_load(void *context, const char *key, char *value, size_t capacity, size_t *length)
{
	serial found;
	sp_error e = look_up(key, &found);
	long n;

	(void)context;
	*length = 0;
	if (found == 0)
		return e;
	n = syscall(SYS_keyctl, (long)KEYCTL_READ, found, value, capacity);
	if (n < 0 && is_absent(errno))
		return SP_OK;
	if (n < 0 || (size_t)n > capacity)
		return SP_STORE;
	*length = (size_t)n;
	return SP_OK;
}

/* 0, or what errno says. A key of the same name goes out of the user's keyring as this one comes in. */
static int new_key(const char *description, const char *value)
{
	serial made = add_key(description, value, KEY_SPEC_THREAD_KEYRING);
	int error = 0;

	if (made < 0)
		return errno;
	if (syscall(SYS_keyctl, (long)KEYCTL_SETPERM, made, PERMISSIONS) != 0 ||
	    syscall(SYS_keyctl, (long)KEYCTL_LINK, made, (long)KEY_SPEC_USER_KEYRING) != 0)
		error = errno;
	(void)unlink_key(made, KEY_SPEC_THREAD_KEYRING);
	return error;
}

/* In place where that is possible: two long records at once would be over a user's quota. (KEYCTL_UPDATE takes a page at
 * the most, add_key takes what the type does.) 0, or what errno says. */
static int put_key_once(const char *description, const char *value)
{
	serial found = find_key(description), updated;

	if (found < 0)
		return new_key(description, value);
	updated = add_key(description, value, KEY_SPEC_USER_KEYRING);
	if (updated == found)
		return 0;
	if (updated < 0 && errno == EDQUOT)
		return errno;
	/* Gone meanwhile, so this one is new, and not everybody's; or not ours to write to. */
	if (updated >= 0)
		(void)unlink_key(updated, KEY_SPEC_USER_KEYRING);
	return new_key(description, value);
}

/* The kernel counts an erased key for some milliseconds more. */
static int put_key(const char *description, const char *value)
{
	const struct timespec pause = { .tv_nsec = QUOTA_PAUSE_MS * 1000000L };
	int error = put_key_once(description, value);

	for (int i = 0; i < QUOTA_PAUSES && error == EDQUOT; i++) {
		(void)nanosleep(&pause, NULL);
		error = put_key_once(description, value);
	}
	return error;
}

/* *error: what errno says. */
static sp_error save_key(const char *key, const char *value, int *error)
{
	struct text description = { 0 };
	sp_error e = describe(key, &description);

	*error = 0;
	if (e == SP_OK && !record_good_value(value))
		e = SP_INVALID;
	if (e == SP_OK)
		*error = put_key(description.p, value);
	text_free(&description);
	if (*error != 0)
		return *error == ENOMEM ? SP_MEMORY : SP_STORE;
	return e;
}

static sp_error keyring_save(void *context, const char *key, const char *value)
{
	int error;

	(void)context;
	return save_key(key, value, &error);
}

static sp_error keyring_erase(void *context, const char *key)
{
	serial found;
	sp_error e = look_up(key, &found);

	(void)context;
	if (found == 0)
		return e;
	return unlink_key(found, KEY_SPEC_USER_KEYRING) == 0 || errno == ENOENT ? SP_OK : SP_STORE;
}

static void keyring_close(void *context)
{
	struct user_lock *lock = context;

	user_lock_free(lock);
	free(lock);
}

/* Containers forbid the calls, or have a user without a keyring: seen by trying. */
static bool is_there(void)
{
	unsigned char random[16];
	char name[BASE64URL_LENGTH(sizeof random) + 1], value[sizeof name];
	size_t n = 0;
	int error;
	bool works;

	if (!random_bytes(random, sizeof random))
		return false;
	base64url(random, sizeof random, name);
	if (save_key(name, name, &error) != SP_OK)
		return error == EDQUOT; /* it is there, and full; what is in it can be read and erased */
	works = keyring_load(NULL, name, value, sizeof value, &n) == SP_OK && n == strlen(name) &&
		memcmp(value, name, n) == 0;
	return keyring_erase(NULL, name) == SP_OK && works;
}

sp_error sp_store_keyring(sp_store *store)
{
	struct user_lock *lock;

	if (store == NULL)
		return SP_INVALID;
	*store = (sp_store){ .size = sizeof *store };
	if (!is_there())
		return SP_UNAVAILABLE;
	lock = calloc(1, sizeof *lock);
	if (lock == NULL || !user_lock_init(lock, "keyring")) {
		free(lock);
		return SP_MEMORY;
	}
	*store = (sp_store){ .size = sizeof *store, .context = lock, .load = keyring_load, .save = keyring_save,
			     .erase = keyring_erase, .lock = user_lock_take, .unlock = user_lock_release,
			     .close = keyring_close };
	return SP_OK;
}

#else

sp_error sp_store_keyring(sp_store *store)
{
	if (store == NULL)
		return SP_INVALID;
	*store = (sp_store){ .size = sizeof *store };
	return SP_UNAVAILABLE;
}

#endif
