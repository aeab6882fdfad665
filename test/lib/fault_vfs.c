#include "fault_vfs.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>

struct fault_file {
	sqlite3_file base;
	sqlite3_file *real; /* behind this struct */
};

static struct {
	pthread_mutex_t lock;
	sqlite3_vfs *real;
	unsigned int kinds;
	int64_t n, count;
	int error;
	bool forever, fired;
} fault = { .lock = PTHREAD_MUTEX_INITIALIZER };

static sqlite3_file *real_of(sqlite3_file *f)
{
	return ((struct fault_file *)f)->real;
}

static bool hit(unsigned int kind)
{
	bool now = false;

	(void)pthread_mutex_lock(&fault.lock);
	if ((fault.kinds & kind) != 0) {
		fault.count++;
		now = fault.n > 0 &&
		      (fault.count == fault.n || (fault.forever && fault.count > fault.n));
		fault.fired = fault.fired || now;
	}
	(void)pthread_mutex_unlock(&fault.lock);
	if (now)
		errno = fault.error;
	return now;
}

void fault_vfs_arm(unsigned int kinds, int64_t n, int error, bool forever)
{
	(void)pthread_mutex_lock(&fault.lock);
	fault.kinds = kinds;
	fault.n = n;
	fault.error = error;
	fault.forever = forever;
	fault.count = 0;
	fault.fired = false;
	(void)pthread_mutex_unlock(&fault.lock);
}

void fault_vfs_disarm(void)
{
	(void)pthread_mutex_lock(&fault.lock);
	fault.kinds = 0;
	(void)pthread_mutex_unlock(&fault.lock);
}

bool fault_vfs_fired(void)
{
	(void)pthread_mutex_lock(&fault.lock);
	bool fired = fault.fired;
	(void)pthread_mutex_unlock(&fault.lock);
	return fired;
}

int64_t fault_vfs_count(void)
{
	(void)pthread_mutex_lock(&fault.lock);
	int64_t count = fault.count;
	(void)pthread_mutex_unlock(&fault.lock);
	return count;
}

/* -- files -- */

static int f_close(sqlite3_file *f)
{
	return real_of(f)->pMethods->xClose(real_of(f));
}

static int f_read(sqlite3_file *f, void *dst, int n, sqlite3_int64 at)
{
	if (hit(FAULT_READ))
		return SQLITE_IOERR_READ;
	return real_of(f)->pMethods->xRead(real_of(f), dst, n, at);
}

static int f_write(sqlite3_file *f, const void *src, int n, sqlite3_int64 at)
{
	if (hit(FAULT_WRITE)) {
		(void)real_of(f)->pMethods->xWrite(real_of(f), src, n / 2, at);
		errno = fault.error;
		return fault.error == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
	}
	return real_of(f)->pMethods->xWrite(real_of(f), src, n, at);
}

static int f_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	if (hit(FAULT_TRUNCATE))
		return SQLITE_IOERR_TRUNCATE;
	return real_of(f)->pMethods->xTruncate(real_of(f), size);
}

static int f_sync(sqlite3_file *f, int flags)
{
	if (hit(FAULT_SYNC))
		return SQLITE_IOERR_FSYNC;
	return real_of(f)->pMethods->xSync(real_of(f), flags);
}

static int f_size(sqlite3_file *f, sqlite3_int64 *ret)
{
	return real_of(f)->pMethods->xFileSize(real_of(f), ret);
}

static int f_lock(sqlite3_file *f, int level)
{
	return real_of(f)->pMethods->xLock(real_of(f), level);
}

static int f_unlock(sqlite3_file *f, int level)
{
	return real_of(f)->pMethods->xUnlock(real_of(f), level);
}

static int f_reserved(sqlite3_file *f, int *ret)
{
	return real_of(f)->pMethods->xCheckReservedLock(real_of(f), ret);
}

static int f_control(sqlite3_file *f, int op, void *arg)
{
	return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}

static int f_sector(sqlite3_file *f)
{
	return real_of(f)->pMethods->xSectorSize(real_of(f));
}

static int f_traits(sqlite3_file *f)
{
	return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}

static int f_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret)
{
	return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, ret);
}

static int f_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	return real_of(f)->pMethods->xShmLock(real_of(f), at, n, flags);
}

static void f_shm_barrier(sqlite3_file *f)
{
	real_of(f)->pMethods->xShmBarrier(real_of(f));
}

static int f_shm_unmap(sqlite3_file *f, int delete)
{
	return real_of(f)->pMethods->xShmUnmap(real_of(f), delete);
}

static const sqlite3_io_methods fault_methods = {
	.iVersion = 2,
	.xClose = f_close,
	.xRead = f_read,
	.xWrite = f_write,
	.xTruncate = f_truncate,
	.xSync = f_sync,
	.xFileSize = f_size,
	.xLock = f_lock,
	.xUnlock = f_unlock,
	.xCheckReservedLock = f_reserved,
	.xFileControl = f_control,
	.xSectorSize = f_sector,
	.xDeviceCharacteristics = f_traits,
	.xShmMap = f_shm_map,
	.xShmLock = f_shm_lock,
	.xShmBarrier = f_shm_barrier,
	.xShmUnmap = f_shm_unmap,
};

/* -- the layer -- */

static int v_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
	struct fault_file *mine = (struct fault_file *)f;

	(void)v;
	*mine = (struct fault_file){ 0 };
	if (hit(FAULT_OPEN))
		return SQLITE_CANTOPEN;
	mine->real = (sqlite3_file *)(mine + 1);
	int rc = fault.real->xOpen(fault.real, name, mine->real, flags, ret_flags);
	if (mine->real->pMethods != NULL)
		mine->base.pMethods = &fault_methods;
	return rc;
}

static int v_delete(sqlite3_vfs *v, const char *name, int sync_dir)
{
	(void)v;
	return fault.real->xDelete(fault.real, name, sync_dir);
}

static int v_access(sqlite3_vfs *v, const char *name, int flags, int *ret)
{
	(void)v;
	return fault.real->xAccess(fault.real, name, flags, ret);
}

static int v_path(sqlite3_vfs *v, const char *name, int max, char *ret)
{
	(void)v;
	return fault.real->xFullPathname(fault.real, name, max, ret);
}

static int v_random(sqlite3_vfs *v, int n, char *ret)
{
	(void)v;
	return fault.real->xRandomness(fault.real, n, ret);
}

static int v_sleep(sqlite3_vfs *v, int us)
{
	(void)v;
	return fault.real->xSleep(fault.real, us);
}

static int v_time(sqlite3_vfs *v, double *ret)
{
	(void)v;
	return fault.real->xCurrentTime(fault.real, ret);
}

static int v_time64(sqlite3_vfs *v, sqlite3_int64 *ret)
{
	(void)v;
	return fault.real->xCurrentTimeInt64(fault.real, ret);
}

static int v_error(sqlite3_vfs *v, int n, char *text)
{
	(void)v;
	(void)n;
	(void)text;
	return errno;
}

static sqlite3_vfs fault_vfs = {
	.iVersion = 2,
	.zName = "fault",
	.xOpen = v_open,
	.xDelete = v_delete,
	.xAccess = v_access,
	.xFullPathname = v_path,
	.xRandomness = v_random,
	.xSleep = v_sleep,
	.xCurrentTime = v_time,
	.xGetLastError = v_error,
	.xCurrentTimeInt64 = v_time64,
};

void fault_vfs_install(void)
{
	fault.real = sqlite3_vfs_find("unix");
	fault_vfs.szOsFile = (int)sizeof(struct fault_file) + fault.real->szOsFile;
	fault_vfs.mxPathname = fault.real->mxPathname;
	(void)sqlite3_vfs_register(&fault_vfs, 1);
}

void fault_vfs_remove(void)
{
	(void)sqlite3_vfs_register(fault.real, 1);
	(void)sqlite3_vfs_unregister(&fault_vfs);
}
