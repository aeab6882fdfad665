/* lock_file.h — what only one thread of one process may have at a time. The kernel gives a lock back when its process
 * ends, however it ends. */
#ifndef SP_LOCK_FILE_H
#define SP_LOCK_FILE_H

#include <stdbool.h>

#include "sallyport.h"

/* Makes the file if need be and locks it, for everybody else who takes it through a call of its own, in this process or
 * another. *held goes to lock_file_release. SP_TIMEOUT: somebody had it for timeout_ms. SP_STORE: the folder is not
 * there or not writable, or the file is no regular one of this user alone. SP_MEMORY: no more file descriptors. */
sp_error lock_file_take(const char *path, int timeout_ms, int *held);
void lock_file_release(int held);

/* Of a store: what its lock and unlock need. */
struct store_lock {
	_Atomic int held; /* -1: not held by this store */
};

sp_error store_lock_take(struct store_lock *lock, const char *path, int timeout_ms);
void store_lock_release(struct store_lock *lock);

/* For stores that have no file of their own: one lock file for each key, in the folder of what runs for this user
 * ($XDG_RUNTIME_DIR, else /run/user/UID, else /tmp/sallyport-UID). */
struct user_lock {
	struct store_lock lock;
	const char *place; /* which store; static */
	char *folder;
};

/* False: out of memory. */
bool user_lock_init(struct user_lock *lock, const char *place);
/* lock and unlock of an sp_store whose context begins with a struct user_lock. */
sp_error user_lock_take(void *context, const char *key, int timeout_ms);
void user_lock_release(void *context, const char *key);
void user_lock_free(struct user_lock *lock);

#endif
