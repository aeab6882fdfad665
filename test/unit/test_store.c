/* The store as its callers see it (store/db.h): opening and refusing, rows, transactions, backup.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "fault_db.h"
#include "store_fixture.h"

static int setup(void **state)
{
	static struct store_fixture f;

	fixture_init(&f);
	*state = &f;
	return 0;
}

static int setup_open(void **state)
{
	(void)setup(state);
	return fixture_open(*state).code == ERR_OK ? 0 : -1;
}

static int teardown(void **state)
{
	fixture_clear(*state);
	return 0;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void assert_refused(struct store_fixture *f, const char *word)
{
	assert_int_equal(fixture_open(f).code, ERR_CONFIG);
	if (strstr(f->why, word) == NULL || strstr(f->why, f->dir) == NULL)
		fail_msg("the line says: %s", f->why);
	assert_null(strchr(f->why, '\n'));
}

static void write_bytes(const char *path, off_t at, const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, n, at), (ssize_t)n);
	assert_int_equal(close(fd), 0);
}

static void foreign_exec(const struct store_fixture *f, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* -- opening -- */

static void files_and_directory_are_private_whatever_the_umask(void **state)
{
	struct store_fixture *f = *state;
	mode_t old = umask(0);

	(void)rmdir(f->dir);
	assert_int_equal(fixture_open(f).code, ERR_OK);
	assert_int_equal(fixture_add(f, f->db, 1).code, ERR_OK);
	(void)umask(old);
	assert_int_equal(mode_of(f->dir), 0700);
	assert_int_equal(mode_of(f->file), 0600);
	assert_int_equal(mode_of(fixture_path(f, "-wal")), 0600);
	assert_int_equal(mode_of(fixture_path(f, "-shm")), 0600);
	assert_int_equal(mode_of(fixture_path(f, ".lock")), 0600);
}

static void a_directory_open_to_others_is_refused(void **state)
{
	struct store_fixture *f = *state;

	assert_int_equal(chmod(f->dir, 0750), 0);
	assert_refused(f, "chmod 700");
	assert_int_equal(chmod(f->dir, 0700), 0);
	assert_int_equal(fixture_open(f).code, ERR_OK);
}

static void a_file_readable_by_others_is_refused(void **state)
{
	struct store_fixture *f = *state;
	static const char *const suffixes[] = { "", "-wal", ".lock" };

	fixture_reopen(f);
	fixture_close(f);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		const char *path = fixture_path(f, suffixes[i]);

		write_bytes(path, 0, "", 0);
		assert_int_equal(chmod(path, 0640), 0);
		assert_refused(f, "chmod 600");
		assert_int_equal(chmod(fixture_path(f, suffixes[i]), 0600), 0);
	}
	fixture_reopen(f);
}

static void a_link_in_place_of_the_file_is_refused(void **state)
{
	struct store_fixture *f = *state;

	assert_int_equal(symlink("/etc/passwd", f->file), 0);
	assert_refused(f, "plain file");
}

static void a_missing_file_is_refused_unless_it_may_be_made(void **state)
{
	struct store_fixture *f = *state;

	f->options.create = false;
	assert_refused(f, "does not exist");
	assert_int_not_equal(access(f->file, F_OK), 0);
}

static void an_empty_file_is_no_store_unless_it_may_be_made(void **state)
{
	struct store_fixture *f = *state;
	int fd = open(f->file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	(void)close(fd);
	f->options.create = false;
	assert_refused(f, "is empty");
	f->options.create = true;
	assert_int_equal(fixture_open(f).code, ERR_OK);
}

static void a_second_server_is_refused_and_a_tool_is_not(void **state)
{
	struct store_fixture *f = *state, second = *f;
	struct store_fixture tool;

	second.store = NULL;
	second.db = NULL;
	assert_refused(&second, "another sallyport server");
	tool = second;
	tool.options.exclusive = false;
	tool.options.create = false;
	assert_int_equal(fixture_open(&tool).code, ERR_OK);
	assert_int_equal(fixture_add(&tool, tool.db, 7).code, ERR_OK);
	fixture_close(&tool);
	assert_int_equal(fixture_has(f, f->db, 7), 1);
}

static void the_server_lock_ends_with_its_process(void **state)
{
	struct store_fixture *f = *state;
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(fixture_open(f).code == ERR_OK ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(fixture_open(f).code, ERR_OK);
}

static void a_store_in_memory_needs_no_file(void **state)
{
	struct store_fixture *f = *state;

	f->options.url = STR("sqlite::memory:");
	assert_int_equal(fixture_open(f).code, ERR_OK);
	assert_int_equal(fixture_add(f, f->db, 1).code, ERR_OK);
	assert_int_equal(fixture_has(f, f->db, 1), 1);
	assert_int_equal(store_check_writable(f->store).code, ERR_OK);
	assert_int_not_equal(access(f->file, F_OK), 0);
}

static void an_unknown_kind_of_store_is_refused(void **state)
{
	struct store_fixture *f = *state;

	f->options.url = STR("mysql://x");
	assert_int_equal(fixture_open(f).code, ERR_CONFIG);
	assert_non_null(strstr(f->why, "sqlite:FILE"));
	f->options.url = STR("sqlite:");
	assert_int_equal(fixture_open(f).code, ERR_CONFIG);
}

/* -- damaged, foreign, newer -- */

static void what_is_no_database_is_refused(void **state)
{
	struct store_fixture *f = *state;
	char bytes[8192];

	memset(bytes, 'x', sizeof(bytes));
	write_bytes(f->file, 0, bytes, sizeof(bytes));
	assert_refused(f, "not a database");
	memset(bytes, 0, sizeof(bytes));
	write_bytes(f->file, 0, bytes, sizeof(bytes));
	assert_refused(f, f->file);
}

static void another_programs_database_is_refused_and_left_alone(void **state)
{
	struct store_fixture *f = *state;

	foreign_exec(f, "CREATE TABLE recipe (name TEXT)");
	assert_int_equal(chmod(f->file, 0600), 0);
	assert_refused(f, "another program");
	foreign_exec(f, "INSERT INTO recipe VALUES ('soup')");
}

static void a_newer_schema_is_refused(void **state)
{
	struct store_fixture *f = *state;

	fixture_reopen(f);
	fixture_close(f);
	foreign_exec(f, "PRAGMA user_version=9999");
	assert_refused(f, "newer version");
}

static void an_altered_schema_is_refused(void **state)
{
	struct store_fixture *f = *state;

	fixture_reopen(f);
	fixture_close(f);
	foreign_exec(f, "DROP TRIGGER audit_no_delete");
	assert_refused(f, "trigger audit_no_delete");
}

static void statistics_of_the_planner_do_not_count_as_altered(void **state)
{
	struct store_fixture *f = *state;

	fixture_reopen(f);
	fixture_close(f);
	foreign_exec(f, "ANALYZE");
	assert_int_equal(fixture_open(f).code, ERR_OK);
}

static void a_truncated_file_is_refused(void **state)
{
	struct store_fixture *f = *state;

	fixture_reopen(f);
	for (int64_t n = 1; n <= 50; n++)
		assert_int_equal(fixture_add(f, f->db, n).code, ERR_OK);
	fixture_close(f);
	struct stat st;
	assert_int_equal(stat(f->file, &st), 0);
	assert_int_equal(truncate(f->file, st.st_size / 2), 0);
	assert_refused(f, f->file);
	assert_int_equal(truncate(f->file, 50), 0);
	assert_refused(f, f->file);
}

static void a_store_emptied_by_accident_is_not_begun_anew(void **state)
{
	struct store_fixture *f = *state;

	fixture_reopen(f);
	fixture_close(f);
	assert_int_equal(truncate(f->file, 0), 0);
	assert_refused(f, "restore a backup");
	assert_int_equal(unlink(f->file), 0);
	fixture_reopen(f); /* removing it is a decision */
}

static void an_empty_log_file_beside_the_store_is_no_harm(void **state)
{
	struct store_fixture *f = *state;

	fixture_reopen(f);
	assert_int_equal(fixture_add(f, f->db, 1).code, ERR_OK);
	fixture_close(f);
	write_bytes(fixture_path(f, "-wal"), 0, "", 0);
	fixture_reopen(f);
	assert_int_equal(fixture_has(f, f->db, 1), 1);
}

/* Opens what may be damaged and reads all of it: whatever comes, it must be an answer. */
static void read_everything(struct store_fixture *f)
{
	struct user_row *rows;
	struct session_row *sessions;
	size_t n;

	err_t e = fixture_open(f);
	if (e.code != ERR_OK) {
		assert_true(f->why[0] != '\0');
		return;
	}
	e = q_user_page(f->db, &f->mem, 0, 1000, &rows, &n);
	if (e.code == ERR_OK)
		e = q_session_list(f->db, &f->mem, 1, 0, &sessions, &n);
	(void)fixture_has(f, f->db, 25);
	arena_reset(&f->mem);
	fixture_close(f);
}

static void flipped_bytes_give_an_error_or_the_truth_but_never_a_crash(void **state)
{
	struct store_fixture *f = *state;
	static char image[1 << 20];
	uint64_t seed = 88172645463325252U;

	fixture_reopen(f);
	for (int64_t n = 1; n <= 50; n++)
		assert_int_equal(fixture_add(f, f->db, n).code, ERR_OK);
	fixture_close(f);
	int fd = open(f->file, O_RDONLY);
	ssize_t size = read(fd, image, sizeof(image));
	assert_true(size > 0);
	assert_int_equal(close(fd), 0);
	for (int round = 0; round < 60; round++) {
		write_bytes(f->file, 0, image, (size_t)size);
		for (int i = 0; i < 1 + round % 8; i++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			write_bytes(f->file, (off_t)(seed % (uint64_t)size), &seed, 1);
		}
		read_everything(f);
	}
}

/* -- rows -- */

static void absent_and_empty_text_stay_different(void **state)
{
	struct store_fixture *f = *state;
	struct audit_row *rows;
	size_t n;
	TX tx = { 0 };

	assert_int_equal(tx_begin(&tx, f->db).code, ERR_OK);
	assert_int_equal(q_audit_insert(f->db, 5, STR("e"), STR_NONE, str_of_bytes("a\0b", 3),
					STR(""), STR_NONE, STR("x"))
				 .code,
			 ERR_OK);
	assert_int_equal(tx_commit(&tx).code, ERR_OK);
	assert_int_equal(q_audit_after(f->db, &f->mem, 0, 10, &rows, &n).code, ERR_OK);
	assert_int_equal(n, 1);
	assert_int_equal(rows[0].at_ms, 5);
	assert_null(rows[0].user_uid.p);
	assert_true(str_eq(rows[0].sid, str_of_bytes("a\0b", 3)));
	assert_true(rows[0].ip.p != NULL && rows[0].ip.n == 0);
	assert_null(rows[0].request_id.p);
	assert_true(str_eq(rows[0].detail, STR("x")));
}

static void hostile_text_is_a_value_and_never_a_statement(void **state)
{
	struct store_fixture *f = *state;
	const str hostile = STR("'; DROP TABLE audit; --$1 ?1 \" %s");
	struct audit_row *rows;
	size_t n;
	TX tx = { 0 };

	assert_int_equal(tx_begin(&tx, f->db).code, ERR_OK);
	assert_int_equal(
		q_audit_insert(f->db, 5, hostile, STR_NONE, STR_NONE, hostile, STR_NONE, hostile)
			.code,
		ERR_OK);
	assert_int_equal(tx_commit(&tx).code, ERR_OK);
	assert_int_equal(q_audit_tail(f->db, &f->mem, 10, &rows, &n).code, ERR_OK);
	assert_int_equal(n, 1);
	assert_true(str_eq(rows[0].event, hostile));
	assert_true(str_eq(rows[0].detail, hostile));
}

static void long_lists_arrive_whole_and_in_order(void **state)
{
	struct store_fixture *f = *state;
	struct user_row *rows;
	size_t n;

	for (int64_t i = 1; i <= 150; i++)
		assert_int_equal(fixture_add(f, f->db, i).code, ERR_OK);
	assert_int_equal(q_user_page(f->db, &f->mem, 0, 1000, &rows, &n).code, ERR_OK);
	assert_int_equal(n, 150);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(rows[i].id, i + 1);
		assert_true(str_ends(rows[i].email, STR("@example.com")));
		assert_true(rows[i].email_verified);
		assert_false(rows[i].is_admin);
	}
	assert_int_equal(q_user_page(f->db, &f->mem, 150, 10, &rows, &n).code, ERR_OK);
	assert_int_equal(n, 0);
}

static void a_full_arena_is_an_error_and_the_handle_stays_good(void **state)
{
	struct store_fixture *f = *state;
	struct user_row *rows;
	size_t n = 77, step = 0;
	err_t e;

	for (int64_t i = 1; i <= 20; i++)
		assert_int_equal(fixture_add(f, f->db, i).code, ERR_OK);
	do {
		arena_reset(&f->mem);
		f->mem.fail_at = ++step;
		e = q_user_page(f->db, &f->mem, 0, 100, &rows, &n);
		assert_true(e.code == ERR_OK || (e.code == ERR_NO_MEMORY && n == 77));
	} while (e.code != ERR_OK);
	assert_true(step > 20);
	assert_int_equal(n, 20);
}

static void a_damaged_type_is_an_error_and_not_a_guess(void **state)
{
	struct store_fixture *f = *state;
	struct rotation_row row;
	char sid[16] = { 1 };
	bool found;

	assert_int_equal(fixture_add(f, f->db, 1).code, ERR_OK);
	fixture_close(f);
	/* what no statement can do to a STRICT table, a hand in the schema can */
	foreign_exec(
		f,
		"PRAGMA writable_schema=ON;"
		"UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', '') WHERE name = 'session'");
	foreign_exec(f, "UPDATE session SET rotated_ms = 'soon'");
	foreign_exec(f, "PRAGMA writable_schema=ON;"
			"UPDATE sqlite_schema SET sql = sql || ' STRICT' WHERE name = 'session'");
	/* found at the start, or at the latest when the row is read */
	if (fixture_open(f).code != ERR_OK)
		return;
	assert_int_equal(
		q_session_for_refresh(f->db, &f->mem, 1, str_of_bytes(sid, 16), &row, &found).code,
		ERR_STORE);
}

/* -- transactions -- */

static void a_taken_address_is_a_conflict_and_the_transaction_goes_on(void **state)
{
	struct store_fixture *f = *state;
	TX tx = { 0 };

	assert_int_equal(fixture_add(f, f->db, 1).code, ERR_OK);
	assert_int_equal(tx_begin(&tx, f->db).code, ERR_OK);
	assert_int_equal(fixture_add_in_tx(f, f->db, 1).code, ERR_CONFLICT);
	assert_int_equal(fixture_add_in_tx(f, f->db, 2).code, ERR_OK);
	assert_int_equal(tx_commit(&tx).code, ERR_OK);
	assert_int_equal(fixture_has(f, f->db, 2), 1);
}

static void a_row_of_nobody_is_refused(void **state)
{
	struct store_fixture *f = *state;
	char sid[16] = { 9 };
	str s = str_of_bytes(sid, 16);
	TX tx = { 0 };

	assert_int_equal(tx_begin(&tx, f->db).code, ERR_OK);
	assert_int_equal(q_session_insert(f->db, 9, s, 12345, s, STR("app"), 1, STR("pwd"), 1, 2, 2,
					  1, STR_NONE, STR_NONE, false)
				 .code,
			 ERR_NOT_FOUND);
	/* a value the schema forbids is a mistake of ours, not a refusal */
	assert_int_equal(q_session_insert(f->db, 9, STR("short"), 1, s, STR("app"), 1, STR("pwd"),
					  1, 2, 2, 1, STR_NONE, STR_NONE, false)
				 .code,
			 ERR_BUG);
}

static void a_write_outside_a_transaction_is_a_bug(void **state)
{
	struct store_fixture *f = *state;
	TX tx = { 0 }, inner = { 0 };

	assert_int_equal(q_user_signed_in(f->db, 1, 2).code, ERR_BUG);
	assert_int_equal(tx_begin(&tx, f->db).code, ERR_OK);
	assert_int_equal(tx_begin(&inner, f->db).code, ERR_BUG);
	assert_int_equal(tx_commit(&inner).code, ERR_BUG);
	assert_int_equal(tx_commit(&tx).code, ERR_OK);
}

static err_t leave_early(struct store_fixture *f)
{
	TX tx = { 0 };

	TRY(tx_begin(&tx, f->db));
	TRY(fixture_add_in_tx(f, f->db, 3));
	FAIL(ERR_LIMITED);
}

static void an_early_return_leaves_nothing_behind(void **state)
{
	struct store_fixture *f = *state;

	assert_int_equal(leave_early(f).code, ERR_LIMITED);
	assert_int_equal(fixture_has(f, f->db, 3), 0);
	assert_int_equal(fixture_add(f, f->db, 3).code, ERR_OK);
}

static void a_transaction_sees_its_own_rows_and_others_do_not(void **state)
{
	struct store_fixture *f = *state;
	struct db *other, *own;
	TX tx = { 0 };

	assert_int_equal(store_handle(f->store, &other).code, ERR_OK);
	assert_int_equal(store_handle_own(f->store, &own).code, ERR_OK);
	assert_int_equal(tx_begin(&tx, f->db).code, ERR_OK);
	assert_int_equal(fixture_add_in_tx(f, f->db, 1).code, ERR_OK);
	assert_int_equal(fixture_has(f, f->db, 1), 1);
	assert_int_equal(fixture_has(f, other, 1), 0);
	assert_int_equal(fixture_has(f, own, 1), 0);
	assert_int_equal(tx_commit(&tx).code, ERR_OK);
	assert_int_equal(fixture_has(f, other, 1), 1);
	assert_int_equal(fixture_has(f, own, 1), 1);
	db_close(other);
	db_close(own);
}

static void a_lost_update_cannot_happen_twice(void **state)
{
	struct store_fixture *f = *state;
	char sid[16] = { 1 };
	str s = str_of_bytes(sid, 16);
	int64_t changed = 0;
	TX tx = { 0 };

	assert_int_equal(fixture_add(f, f->db, 1).code, ERR_OK);
	assert_int_equal(tx_begin(&tx, f->db).code, ERR_OK);
	assert_int_equal(
		q_session_rotate(f->db, 1, s, 1, 2, s, 1, 0, 0, 5, STR("app"), 9, &changed).code,
		ERR_OK);
	assert_int_equal(changed, 1);
	assert_int_equal(
		q_session_rotate(f->db, 1, s, 1, 2, s, 1, 0, 0, 5, STR("app"), 9, &changed).code,
		ERR_OK);
	assert_int_equal(changed, 0);
	assert_int_equal(tx_commit(&tx).code, ERR_OK);
}

static void every_failing_call_of_a_transaction_leaves_nothing(void **state)
{
	struct store_fixture *f = *state;
	int64_t n = 0;
	err_t e;

	do {
		struct fault_db fault;

		fault_db_init(&fault, f->db, ++n, ERR_STORE_FULL);
		e = fixture_add(f, &fault.base, 100);
		assert_int_equal(e.code, fault.fired ? ERR_STORE_FULL : ERR_OK);
		assert_int_equal(fixture_has(f, f->db, 100), fault.fired ? 0 : 1);
	} while (e.code != ERR_OK);
	assert_int_equal(n, 5); /* begin, two statements, commit; the fifth run is whole */
}

/* -- foreign locks -- */

static void a_foreign_lock_gives_busy_in_time_and_reads_go_on(void **state)
{
	struct store_fixture *f = *state;
	sqlite3 *foreign;

	assert_int_equal(fixture_add(f, f->db, 1).code, ERR_OK);
	fixture_close(f);
	f->options.busy_timeout_ms = 150;
	fixture_reopen(f);
	assert_int_equal(sqlite3_open(f->file, &foreign), SQLITE_OK);
	assert_int_equal(sqlite3_exec(foreign, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	int64_t start = monotonic_ms();
	assert_int_equal(fixture_add(f, f->db, 2).code, ERR_BUSY);
	int64_t took = monotonic_ms() - start;
	assert_true(took >= 140 && took < 1500);
	assert_int_equal(store_check_writable(f->store).code, ERR_BUSY);
	assert_int_equal(fixture_has(f, f->db, 1), 1);
	assert_int_equal(sqlite3_exec(foreign, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(foreign), SQLITE_OK);
	assert_int_equal(fixture_add(f, f->db, 2).code, ERR_OK);
	struct store_stats stats;
	store_stats(f->store, &stats);
	assert_int_equal(stats.busy, 2);
}

/* One transaction of about `mib` MiB. */
static void write_much(struct store_fixture *f, int mib)
{
	static char text[64 * 1024];
	TX tx = { 0 };

	memset(text, 'x', sizeof(text));
	assert_int_equal(tx_begin(&tx, f->db).code, ERR_OK);
	for (int i = 0; i < mib * 16; i++)
		assert_int_equal(q_audit_insert(f->db, i, STR("e"), STR_NONE, STR_NONE, STR_NONE,
						STR_NONE, str_of_bytes(text, sizeof(text)))
					 .code,
				 ERR_OK);
	assert_int_equal(tx_commit(&tx).code, ERR_OK);
}

static void the_log_is_copied_back_while_the_server_runs(void **state)
{
	struct store_fixture *f = *state;
	struct store_stats stats;

	for (int i = 0; i < 25; i++)
		write_much(f, 4);
	/* the last round may still be going on */
	for (int i = 0; i < 100; i++) {
		store_stats(f->store, &stats);
		if (stats.wal_bytes < 64 * 1024 * 1024)
			break;
		(void)usleep(50000);
	}
	struct stat st;
	assert_int_equal(stat(fixture_path(f, "-wal"), &st), 0);
	assert_true(stats.wal_bytes < 64 * 1024 * 1024);
	assert_true(st.st_size < 96 * 1024 * 1024);
}

static void a_foreign_reader_cannot_make_the_log_endless(void **state)
{
	struct store_fixture *f = *state;
	sqlite3 *foreign;
	struct stat st;
	bool refused = false;

	assert_int_equal(sqlite3_open(f->file, &foreign), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(foreign, "BEGIN; SELECT count(*) FROM user", NULL, NULL, NULL),
		SQLITE_OK);
	for (int i = 0; i < 20 && !refused; i++) {
		TX tx = { 0 };

		refused = tx_begin(&tx, f->db).code == ERR_BUSY;
		tx_end(&tx);
		if (!refused)
			write_much(f, 16);
	}
	assert_true(refused);
	assert_int_equal(stat(fixture_path(f, "-wal"), &st), 0);
	assert_true(st.st_size < 280 * 1024 * 1024);
	assert_int_equal(fixture_has(f, f->db, 1), 0); /* reading is unaffected */
	assert_int_equal(sqlite3_close(foreign), SQLITE_OK);
	for (int i = 0; i < 100 && refused; i++) {
		(void)usleep(100000);
		refused = fixture_add(f, f->db, 1).code != ERR_OK;
	}
	assert_false(refused);
}

/* -- backup and verification -- */

static void a_backup_is_private_whole_and_usable(void **state)
{
	struct store_fixture *f = *state;
	struct store_fixture copy;
	TX tx = { 0 };
	char path[128];

	for (int64_t n = 1; n <= 30; n++)
		assert_int_equal(fixture_add(f, f->db, n).code, ERR_OK);
	fixture_init(&copy);
	(void)snprintf(path, sizeof(path), "%s/store.db", copy.dir);
	assert_int_equal(tx_begin(&tx, f->db).code, ERR_OK); /* a writer at work is no obstacle */
	assert_int_equal(fixture_add_in_tx(f, f->db, 31).code, ERR_OK);
	assert_int_equal(store_backup(f->store, str_of_cstr(path), f->why, sizeof(f->why)).code,
			 ERR_OK);
	assert_int_equal(tx_commit(&tx).code, ERR_OK);
	assert_int_equal(mode_of(path), 0600);
	assert_int_not_equal(access(fixture_path(&copy, ".part"), F_OK), 0);
	assert_int_equal(fixture_open(&copy).code, ERR_OK);
	assert_int_equal(fixture_has(&copy, copy.db, 30), 1);
	assert_int_equal(fixture_has(&copy, copy.db, 31), 0);
	assert_int_equal(store_verify(copy.store, copy.why, sizeof(copy.why)).code, ERR_OK);
	fixture_clear(&copy);
}

static void a_backup_never_replaces_a_file(void **state)
{
	struct store_fixture *f = *state;
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/copy.db", f->dir);
	write_bytes(path, 0, "precious", 8);
	assert_int_equal(store_backup(f->store, str_of_cstr(path), f->why, sizeof(f->why)).code,
			 ERR_CONFIG);
	assert_non_null(strstr(f->why, "File exists"));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 8);
	assert_int_equal(
		store_backup(f->store, STR("/no/such/dir/copy.db"), f->why, sizeof(f->why)).code,
		ERR_CONFIG);
}

static void verification_tells_the_first_finding(void **state)
{
	struct store_fixture *f = *state;

	assert_int_equal(fixture_add(f, f->db, 1).code, ERR_OK);
	assert_int_equal(store_verify(f->store, f->why, sizeof(f->why)).code, ERR_OK);
	foreign_exec(f, "PRAGMA foreign_keys=OFF; DELETE FROM user");
	assert_int_equal(store_verify(f->store, f->why, sizeof(f->why)).code, ERR_STORE);
	assert_non_null(strstr(f->why, "session"));
}

static void a_writable_store_says_so(void **state)
{
	struct store_fixture *f = *state;
	struct store_stats stats;

	assert_int_equal(store_check_writable(f->store).code, ERR_OK);
	store_stats(f->store, &stats);
	assert_int_equal(stats.commits, 1);
	assert_true(stats.wal_bytes > 0);
	assert_false(stats.broken);
}

#define T(name)	     cmocka_unit_test_setup_teardown(name, setup, teardown)
#define T_OPEN(name) cmocka_unit_test_setup_teardown(name, setup_open, teardown)
#define NAMED(id, name, set)                                                                       \
	{                                                                                          \
		id " " #name, name, set, teardown, NULL                                            \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMED("DB05", files_and_directory_are_private_whatever_the_umask, setup),
		NAMED("DB05", a_directory_open_to_others_is_refused, setup),
		NAMED("DB05", a_file_readable_by_others_is_refused, setup),
		NAMED("DB05", a_link_in_place_of_the_file_is_refused, setup),
		T(a_missing_file_is_refused_unless_it_may_be_made),
		T(an_empty_file_is_no_store_unless_it_may_be_made),
		NAMED("REL-07", a_second_server_is_refused_and_a_tool_is_not, setup_open),
		T(the_server_lock_ends_with_its_process),
		T(a_store_in_memory_needs_no_file),
		T(an_unknown_kind_of_store_is_refused),
		NAMED("REL-08", what_is_no_database_is_refused, setup),
		NAMED("REL-08", another_programs_database_is_refused_and_left_alone, setup),
		NAMED("DB09", a_newer_schema_is_refused, setup),
		NAMED("DB09", an_altered_schema_is_refused, setup),
		T(statistics_of_the_planner_do_not_count_as_altered),
		NAMED("REL-08", a_truncated_file_is_refused, setup),
		NAMED("REL-08", a_store_emptied_by_accident_is_not_begun_anew, setup),
		NAMED("REL-08", an_empty_log_file_beside_the_store_is_no_harm, setup),
		NAMED("REL-08", flipped_bytes_give_an_error_or_the_truth_but_never_a_crash, setup),
		T_OPEN(absent_and_empty_text_stay_different),
		NAMED("DB01", hostile_text_is_a_value_and_never_a_statement, setup_open),
		T_OPEN(long_lists_arrive_whole_and_in_order),
		T_OPEN(a_full_arena_is_an_error_and_the_handle_stays_good),
		NAMED("REL-08", a_damaged_type_is_an_error_and_not_a_guess, setup_open),
		NAMED("DB04", a_taken_address_is_a_conflict_and_the_transaction_goes_on,
		      setup_open),
		T_OPEN(a_row_of_nobody_is_refused),
		T_OPEN(a_write_outside_a_transaction_is_a_bug),
		T_OPEN(an_early_return_leaves_nothing_behind),
		T_OPEN(a_transaction_sees_its_own_rows_and_others_do_not),
		T_OPEN(a_lost_update_cannot_happen_twice),
		T_OPEN(every_failing_call_of_a_transaction_leaves_nothing),
		NAMED("REL-07", a_foreign_lock_gives_busy_in_time_and_reads_go_on, setup_open),
		NAMED("REL-04", the_log_is_copied_back_while_the_server_runs, setup_open),
		NAMED("REL-04", a_foreign_reader_cannot_make_the_log_endless, setup_open),
		NAMED("REL-09", a_backup_is_private_whole_and_usable, setup_open),
		NAMED("REL-09", a_backup_never_replaces_a_file, setup_open),
		NAMED("REL-08", verification_tells_the_first_finding, setup_open),
		T_OPEN(a_writable_store_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
