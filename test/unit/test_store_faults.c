/* The I/O loop: one script of store operations, run again and again with the n-th write, fsync,
 * truncation or opening failing, for every n. Each operation may fail, but none may say it
 * succeeded when it did not, and the store must be whole afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <unistd.h>

#include "fault_vfs.h"
#include "store_fixture.h"

#define OPERATIONS 3

struct result {
	bool opened;
	err_t added[OPERATIONS + 1];
	err_t backup, writable;
};

static void copy_path(const struct store_fixture *f, char dst[128])
{
	(void)snprintf(dst, 128, "%s/copy.db", f->dir);
}

static void run_script(struct store_fixture *f, struct result *r)
{
	char path[128];

	*r = (struct result){ 0 };
	copy_path(f, path);
	r->opened = fixture_open(f).code == ERR_OK;
	if (!r->opened) {
		assert_true(f->why[0] != '\0');
		return;
	}
	for (int64_t n = 1; n <= OPERATIONS; n++)
		r->added[n] = fixture_add(f, f->db, n);
	r->writable = store_check_writable(f->store);
	r->backup = store_backup(f->store, str_of_cstr(path), f->why, sizeof(f->why));
	fixture_close(f); /* copies the log into the file: more operations that can fail */
}

static void check_backup(const struct store_fixture *f, const struct result *r)
{
	struct store_fixture copy = *f;
	char path[128], url[160];

	copy_path(f, path);
	if (!r->opened || r->backup.code != ERR_OK)
		return;
	(void)snprintf(copy.file, sizeof(copy.file), "%.90s", path);
	(void)snprintf(url, sizeof(url), "sqlite:%s", path);
	copy.options.url = str_of_cstr(url);
	copy.store = NULL;
	copy.db = NULL;
	assert_int_equal(fixture_open(&copy).code, ERR_OK);
	for (int64_t n = 1; n <= OPERATIONS; n++)
		assert_int_equal(fixture_has(&copy, copy.db, n),
				 r->added[n].code == ERR_OK ? 1 : 0);
	fixture_close(&copy);
}

/* `unsure`: an fsync failed, and what was not acknowledged may be there all the same, but whole. */
static void check_store(struct store_fixture *f, const struct result *r, bool unsure)
{
	fixture_reopen(f);
	assert_int_equal(store_verify(f->store, f->why, sizeof(f->why)).code, ERR_OK);
	for (int64_t n = 1; n <= OPERATIONS; n++) {
		int has = fixture_has(f, f->db, n);

		assert_true(has == 0 || has == 1);
		if (r->opened && r->added[n].code == ERR_OK)
			assert_int_equal(has, 1);
		else if (!unsure)
			assert_int_equal(has, 0);
	}
	assert_int_equal(store_check_writable(f->store).code, ERR_OK);
	fixture_close(f);
}

static void fail_each(unsigned int kinds, int error, bool forever)
{
	struct store_fixture f;
	struct result r;
	bool fired = true;
	int64_t n = 0;

	while (fired) {
		fixture_init_in_memory(&f);
		fault_vfs_install();
		fault_vfs_arm(kinds, ++n, error, forever);
		run_script(&f, &r);
		fired = fault_vfs_fired();
		fault_vfs_disarm();
		fault_vfs_remove();
		if ((kinds & FAULT_SYNC) == 0)
			check_backup(&f, &r);
		check_store(&f, &r, (kinds & FAULT_SYNC) != 0);
		fixture_clear(&f);
	}
	/* the last round was undisturbed */
	assert_true(n > 1);
	assert_true(r.opened);
	assert_int_equal(r.backup.code, ERR_OK);
	for (int i = 1; i <= OPERATIONS; i++)
		assert_int_equal(r.added[i].code, ERR_OK);
}

static void each_write_fails_once_with_an_io_error(void **state)
{
	(void)state;
	fail_each(FAULT_WRITE, EIO, false);
}

static void each_write_finds_the_disk_full_from_then_on(void **state)
{
	(void)state;
	fail_each(FAULT_WRITE, ENOSPC, true);
}

static void each_fsync_fails(void **state)
{
	(void)state;
	fail_each(FAULT_SYNC, EIO, false);
}

static void each_truncation_fails(void **state)
{
	(void)state;
	fail_each(FAULT_TRUNCATE, EIO, true);
}

static void each_opening_fails(void **state)
{
	(void)state;
	fail_each(FAULT_OPEN, EIO, false);
}

static void each_read_fails(void **state)
{
	(void)state;
	fail_each(FAULT_READ, EIO, false);
}

#define NAMED(id, name)                                                                            \
	{                                                                                          \
		id " " #name, name, NULL, NULL, NULL                                               \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMED("REL-05", each_write_fails_once_with_an_io_error),
		NAMED("REL-04", each_write_finds_the_disk_full_from_then_on),
		NAMED("REL-05", each_fsync_fails),
		NAMED("REL-05", each_truncation_fails),
		NAMED("REL-05", each_opening_fails),
		NAMED("REL-05", each_read_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
