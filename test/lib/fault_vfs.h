/* fault_vfs.h — a layer under SQLite whose n-th write, fsync, truncation or opening fails, as disks
 * do. A failing write leaves half of its bytes behind. */
#ifndef TEST_FAULT_VFS_H
#define TEST_FAULT_VFS_H

#include <stdbool.h>
#include <stdint.h>

enum fault_kind {
	FAULT_OPEN = 1,
	FAULT_WRITE = 2,
	FAULT_SYNC = 4,
	FAULT_TRUNCATE = 8,
	FAULT_READ = 16,
};

/* Becomes (or stops being) what SQLite uses for files opened from now on. */
void fault_vfs_install(void);
void fault_vfs_remove(void);

/* From now on the n-th operation among `kinds` fails once, or with `forever` it and all after it.
 * error: EIO or ENOSPC. n == 0: none fails, they are only counted. Any thread may be hit. */
void fault_vfs_arm(unsigned int kinds, int64_t n, int error, bool forever);
void fault_vfs_disarm(void);
bool fault_vfs_fired(void); /* since it was armed */
int64_t fault_vfs_count(void);

#endif
