/* Lock files, and the folder that those without a file of a store have. */
#include "sp_store_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lock_file.h"

static void a_lock_outlives_the_removal_of_its_file(void **state)
{
	char lock[160];
	int a, b;

	(void)state;
	(void)snprintf(lock, sizeof lock, "%s/x.lock", folder);
	assert_int_equal(lock_file_take(lock, 0, &a), SP_OK);
	assert_int_equal(unlink(lock), 0);
	/* Who comes now makes a new one, and who waited for the old one is not let in beside him. */
	assert_int_equal(lock_file_take(lock, 0, &b), SP_OK);
	lock_file_release(a);
	assert_int_equal(lock_file_take(lock, 20, &a), SP_TIMEOUT);
	lock_file_release(b);
}

static void a_lock_is_a_file_of_our_own(void **state)
{
	char lock[160], other[160];
	struct stat st;
	int held;

	(void)state;
	(void)snprintf(lock, sizeof lock, "%s/x.lock", folder);
	(void)snprintf(other, sizeof other, "%s/other", folder);
	assert_int_equal(lock_file_take(other, 0, &held), SP_OK);
	lock_file_release(held);
	assert_int_equal(symlink(other, lock), 0);
	assert_int_equal(lock_file_take(lock, 0, &held), SP_STORE);
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(link(other, lock), 0);
	assert_int_equal(lock_file_take(lock, 0, &held), SP_STORE);
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(mkdir(lock, 0700), 0);
	assert_int_equal(lock_file_take(lock, 0, &held), SP_STORE);
	assert_int_equal(rmdir(lock), 0);
	assert_int_equal(mkfifo(lock, 0600), 0);
	assert_int_equal(lock_file_take(lock, 0, &held), SP_STORE);
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(lock_file_take("/nowhere/x.lock", 0, &held), SP_STORE);

	assert_int_equal(chmod(other, 0644), 0);
	assert_int_equal(lock_file_take(other, 0, &held), SP_OK);
	assert_int_equal(fcntl(held, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fstat(held, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	lock_file_release(held);
}

static void a_lack_of_descriptors_is_told(void **state)
{
	struct rlimit before, none;
	sp_error e;
	int held;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	e = lock_file_take(path, 0, &held);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(e, SP_MEMORY);
}

/* Without a folder for what runs, it is one below /tmp, of this user alone. */
static void the_folder_of_locks_is_private(void **state)
{
	char *before = strdup(getenv("XDG_RUNTIME_DIR"));
	struct user_lock lock;

	(void)state;
	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(setenv("XDG_RUNTIME_DIR", folder, 1), 0);
	assert_true(user_lock_init(&lock, "test"));
	assert_string_not_equal(lock.folder, folder);
	assert_int_equal(user_lock_take(&lock, "key", 0), SP_OK);
	user_lock_free(&lock);

	assert_int_equal(chmod(folder, 0700), 0);
	assert_true(user_lock_init(&lock, "test"));
	assert_string_equal(lock.folder, folder);
	assert_int_equal(chmod(folder, 0777), 0); /* meanwhile */
	assert_int_equal(user_lock_take(&lock, "key", 0), SP_STORE);
	assert_int_equal(chmod(folder, 0700), 0);
	assert_int_equal(user_lock_take(&lock, "", 0), SP_INVALID);
	user_lock_free(&lock);
	assert_int_equal(setenv("XDG_RUNTIME_DIR", before, 1), 0);
	free(before);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_lock_outlives_the_removal_of_its_file),
	cmocka_unit_test(a_lock_is_a_file_of_our_own),
	cmocka_unit_test(a_lack_of_descriptors_is_told),
	cmocka_unit_test(the_folder_of_locks_is_private),
};

int main(int argc, char **argv)
{
	(void)argc;
	return run_without_store(argv[0], "lock_file", tests, N(tests));
}
