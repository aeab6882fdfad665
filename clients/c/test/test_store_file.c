/* The store in an encrypted file: what all promise, and what a file goes through. */
#include "sp_store_promises.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sealed.h"

#define PASSPHRASE "correct horse"

static sp_error open_file_store(sp_store *store)
{
	return sp_store_file(path, PASSPHRASE, store);
}

static const struct place place = { "file", open_file_store, true, false };

/* ---- words for files ---- */

static unsigned char file_bytes[SEALED_MAX + 1];
static size_t n_file;

static void read_back(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, file_bytes, sizeof file_bytes);
	assert_true(n >= 0);
	n_file = (size_t)n;
	(void)close(fd);
}

static void put_file(const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	(void)close(fd);
}

static bool is_there(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0;
}

static const char *beside(const char *suffix)
{
	static char name[160];

	(void)snprintf(name, sizeof name, "%s%s", path, suffix);
	return name;
}

/* A file with one record, "one" → "first value". */
static sp_store with_one(void)
{
	sp_store s;

	assert_int_equal(open_file_store(&s), SP_OK);
	save(&s, "one", "first value");
	return s;
}

/* ---- the file ---- */

static void the_file_is_private_and_made_when_needed(void **state)
{
	mode_t before = umask(0);
	struct stat st;
	sp_store s;

	(void)state;
	assert_int_equal(open_file_store(&s), SP_OK);
	assert_false(is_there(path));
	check(&s, "one", NULL);
	assert_int_equal(s.erase(s.context, "one"), SP_OK);
	assert_false(is_there(path));
	save(&s, "one", "first value");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(take(&s, "one", 0), SP_OK);
	assert_int_equal(stat(beside(".lock"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	s.unlock(s.context, "one");
	assert_false(is_there(beside(".new")));

	assert_int_equal(chmod(path, 0644), 0);
	(void)umask(0777);
	save(&s, "one", "second value");
	check(&s, "one", "second value");
	(void)umask(before);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	s.close(s.context);
}

static void the_file_shows_nothing(void **state)
{
	sp_store s = with_one();
	unsigned char first[SEALED_HEAD];

	(void)state;
	read_back(path);
	assert_null(memmem(file_bytes, n_file, "one", 3));
	assert_null(memmem(file_bytes, n_file, "first", 5));
	memcpy(first, file_bytes, sizeof first);
	save(&s, "one", "first value");
	read_back(path);
	assert_memory_equal(first, file_bytes, 32); /* the same salt, */
	assert_memory_not_equal(first + 32, file_bytes + 32, 24); /* never the same nonce */
	s.close(s.context);
}

static void another_passphrase_is_refused(void **state)
{
	sp_store s = with_one(), t;

	(void)state;
	s.close(s.context);
	assert_int_equal(sp_store_file(path, "correct horsf", &t), SP_REFUSED);
	assert_null(t.context);
	assert_int_equal(sp_store_file(path, PASSPHRASE " ", &t), SP_REFUSED);
	assert_int_equal(sp_store_file(path, "", &t), SP_INVALID);
	assert_int_equal(sp_store_file(path, NULL, &t), SP_INVALID);
	s = opened(&place);
	check(&s, "one", "first value");
	s.close(s.context);
}

static void paths_that_cannot_be(void **state)
{
	char name[160];
	sp_store s;

	(void)state;
	assert_int_equal(sp_store_file(NULL, PASSPHRASE, &s), SP_INVALID);
	assert_int_equal(sp_store_file("", PASSPHRASE, &s), SP_INVALID);
	assert_int_equal(sp_store_file("/tmp/", PASSPHRASE, &s), SP_INVALID);
	assert_int_equal(sp_store_file("/tmp/.", PASSPHRASE, &s), SP_INVALID);
	assert_int_equal(sp_store_file("..", PASSPHRASE, &s), SP_INVALID);
	(void)snprintf(name, sizeof name, "%s/none/file", folder);
	assert_int_equal(sp_store_file(name, PASSPHRASE, &s), SP_STORE);
}

static void a_relative_path_stays_where_it_was(void **state)
{
	char before[512];
	sp_store s;

	(void)state;
	assert_non_null(getcwd(before, sizeof before));
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(sp_store_file(strrchr(path, '/') + 1, PASSPHRASE, &s), SP_OK);
	assert_int_equal(chdir("/"), 0);
	save(&s, "one", "first value");
	assert_true(is_there(path));
	check(&s, "one", "first value");
	s.close(s.context);
	assert_int_equal(chdir(before), 0);
}

/* One byte more than the file has fits, too. */
#define WHOLE_MAX 256

static size_t copy_file(unsigned char whole[WHOLE_MAX])
{
	read_back(path);
	assert_true(n_file < WHOLE_MAX);
	memcpy(whole, file_bytes, n_file);
	return n_file;
}

static void no_part_of_a_file_is_taken_for_one(void **state)
{
	sp_store s = with_one(), t;
	unsigned char whole[WHOLE_MAX];
	size_t n = copy_file(whole);

	(void)state;
	for (size_t length = 0; length < n; length++) {
		put_file(whole, length);
		assert_int_equal(s.load(s.context, "one", loaded, SP_RECORD_MAX, &n_file), SP_STORE);
		assert_int_equal(s.save(s.context, "one", "x"), SP_STORE);
		read_back(path);
		assert_int_equal(n_file, length); /* as it was */
	}
	put_file(whole, n - 1);
	assert_int_equal(open_file_store(&t), SP_REFUSED);
	put_file(whole, 72);
	assert_int_equal(open_file_store(&t), SP_REFUSED);
	put_file(whole, 71);
	assert_int_equal(open_file_store(&t), SP_STORE);
	memset(whole + n, 0, 1);
	put_file(whole, n + 1);
	assert_int_equal(open_file_store(&t), SP_REFUSED);
	put_file(whole, n);
	check(&s, "one", "first value");
	s.close(s.context);
}

static void no_byte_may_be_another(void **state)
{
	sp_store s = with_one();
	unsigned char whole[WHOLE_MAX];
	size_t n = copy_file(whole);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		whole[i] ^= (unsigned char)(1U << i % 8);
		put_file(whole, n);
		assert_int_equal(s.load(s.context, "one", loaded, SP_RECORD_MAX, &n_file), SP_STORE);
		whole[i] ^= (unsigned char)(1U << i % 8);
	}
	put_file(whole, n);
	check(&s, "one", "first value");
	s.close(s.context);
}

static void other_kinds_of_file_are_refused(void **state)
{
	static const char text[] = "[sallyport]\nthis is a file of another kind, long enough to be one of ours if it were one\n";
	struct stat st;
	sp_store s;

	(void)state;
	put_file(text, sizeof text - 1);
	assert_int_equal(open_file_store(&s), SP_STORE);
	put_file(text, 0);
	assert_int_equal(open_file_store(&s), SP_STORE);
	assert_int_equal(unlink(path), 0);

	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(open_file_store(&s), SP_STORE);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(open_file_store(&s), SP_STORE);
	assert_int_equal(unlink(path), 0);

	s = with_one();
	s.close(s.context);
	assert_int_equal(rename(path, beside(".real")), 0);
	assert_int_equal(symlink(beside(".real"), path), 0);
	assert_int_equal(open_file_store(&s), SP_STORE);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rename(beside(".real"), path), 0);

	assert_int_equal(truncate(path, (off_t)SEALED_MAX), 0);
	assert_int_equal(open_file_store(&s), SP_REFUSED);
	assert_int_equal(truncate(path, (off_t)SEALED_MAX + 1), 0);
	assert_int_equal(open_file_store(&s), SP_STORE);

	/* Somebody else's: root can make one, others find one. */
	if (geteuid() == 0)
		assert_int_equal(chown(path, 65534, 65534), 0);
	else
		(void)snprintf(path, sizeof path, "/etc/passwd");
	assert_int_equal(stat(path, &st), 0);
	assert_int_not_equal(st.st_uid, geteuid());
	assert_int_equal(open_file_store(&s), SP_STORE);
	(void)snprintf(path, sizeof path, "%s/tokens", folder);
}

static void put32(unsigned char *p, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (unsigned char)(value >> (24 - 8 * i));
}

/* If the key had been derived, the answer would be SP_REFUSED. */
static void a_file_cannot_ask_for_much(void **state)
{
	static const struct {
		uint32_t memory_kib, passes;
		sp_error error;
	} cases[] = {
		{ UINT32_MAX, 1, SP_STORE },	 { 4194304, 1, SP_STORE },
		{ 262145, 1, SP_STORE },	 { 262144, 5, SP_STORE },
		{ 65536, 17, SP_STORE },	 { 8192, 129, SP_STORE },
		{ 8192, UINT32_MAX, SP_STORE },	 { 65536, 0, SP_STORE },
		{ 8191, 3, SP_STORE },		 { 0, 0, SP_STORE },
		{ 262144, 1, SP_REFUSED },	 { 8192, 2, SP_REFUSED },
	};
	sp_store s = with_one();

	(void)state;
	s.close(s.context);
	read_back(path);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		put32(file_bytes + 8, cases[i].memory_kib);
		put32(file_bytes + 12, cases[i].passes);
		put_file(file_bytes, n_file);
		assert_int_equal(open_file_store(&s), cases[i].error);
	}
}

static void a_file_made_anew_is_read(void **state)
{
	sp_store a = with_one(), b;

	(void)state;
	assert_int_equal(unlink(path), 0);
	check(&a, "one", NULL);
	b = opened(&place);
	save(&b, "one", "under another salt");
	check(&a, "one", "under another salt");
	save(&a, "two", "too");
	check(&b, "two", "too");
	b.close(b.context);

	/* Under another passphrase it is nobody's to overwrite. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(sp_store_file(path, "battery staple", &b), SP_OK);
	save(&b, "one", "hidden");
	assert_int_equal(a.load(a.context, "one", loaded, SP_RECORD_MAX, &n_file), SP_STORE);
	assert_int_equal(a.save(a.context, "one", "mine"), SP_STORE);
	assert_int_equal(a.erase(a.context, "one"), SP_STORE);
	check(&b, "one", "hidden");
	a.close(a.context);
	b.close(b.context);
}

/* The limit of the size of files stands for a disk that is full, in the middle of writing. */
static void a_full_disk_leaves_the_old_file(void **state)
{
	static char value[8192];
	struct rlimit before, small;
	void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
	sp_store s = with_one();
	sp_error e;

	(void)state;
	memset(value, 'v', sizeof value - 1);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	for (rlim_t limit = 0; limit < 8192; limit += 1000) {
		small = before;
		small.rlim_cur = limit;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
		e = s.save(s.context, "two", value);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
		assert_int_equal(e, SP_STORE);
		check(&s, "one", "first value");
		check(&s, "two", NULL);
		assert_false(is_there(beside(".new")));
	}
	save(&s, "two", value);
	check(&s, "two", value);
	s.close(s.context);
	(void)signal(SIGXFSZ, handler);
}

static void what_a_killed_writer_left_is_no_matter(void **state)
{
	sp_store s = with_one();
	struct stat st;
	off_t size;

	(void)state;
	read_back(path);
	size = (off_t)n_file;
	memset(file_bytes, 'x', 5000);
	put_file(file_bytes, 5000);
	assert_int_equal(rename(path, beside(".new")), 0);
	save(&s, "one", "after a crash");
	check(&s, "one", "after a crash");
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < size + 10);
	assert_false(is_there(beside(".new")));

	/* What is no such file is not written to. */
	put_file(file_bytes, 0);
	assert_int_equal(unlink(path), 0);
	save(&s, "one", "first value");
	assert_int_equal(mkdir(beside(".new"), 0700), 0);
	assert_int_equal(s.save(s.context, "one", "x"), SP_STORE);
	assert_int_equal(rmdir(beside(".new")), 0);
	assert_int_equal(link(path, beside(".new")), 0);
	assert_int_equal(s.save(s.context, "one", "x"), SP_STORE);
	assert_int_equal(unlink(beside(".new")), 0);
	check(&s, "one", "first value");
	s.close(s.context);
}

/* One key, without end. */
static int role_rewrite(sp_store *s, const char *key, const char *value)
{
	char text[5001];
	size_t n = strlen(value);

	(void)printf("ready\n");
	(void)fflush(stdout);
	for (int i = 0;; i = (i + 1) % 10) {
		memset(text, '0' + i, sizeof text - 1);
		memcpy(text, value, n);
		text[500 + 450 * i] = '\0';
		if (s->save(s->context, key, text) != SP_OK)
			return 10;
	}
}

static void a_writer_killed_at_any_time_leaves_a_whole_file(void **state)
{
	sp_store s = with_one();
	uint32_t seed = 1;

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct process p = start_role("rewrite", "rewritten", "v");
		const char *found;

		hear(&p);
		seed = seed * 1664525 + 1013904223;
		(void)poll(NULL, 0, 100 + (int)(seed >> 16) % 150);
		(void)kill(p.pid, SIGKILL);
		assert_int_equal(finish(&p), 1000 + SIGKILL);
		found = load(&s, "rewritten");
		if (found != NULL) {
			assert_int_equal(found[0], 'v');
			assert_int_equal(strlen(found), 500 + 450 * (found[1] - '0'));
			for (size_t at = 1; found[at] != '\0'; at++)
				assert_int_equal(found[at], found[1]);
		}
		check(&s, "one", "first value");
		save(&s, "one", "first value");
	}
	assert_non_null(load(&s, "rewritten"));
	s.close(s.context);
}

static void a_file_has_a_largest_size(void **state)
{
	static char value[SP_RECORD_MAX + 1];
	sp_store s = with_one();
	sp_error e = SP_OK;
	char key[16];
	int i;

	(void)state;
	memset(value, 'v', SP_RECORD_MAX);
	for (i = 0; i < 70 && e == SP_OK; i++) {
		(void)snprintf(key, sizeof key, "k%d", i);
		e = s.save(s.context, key, value);
	}
	assert_int_equal(e, SP_STORE);
	assert_int_equal(i, 64); /* 63 and the first are in */
	check(&s, "one", "first value");
	check(&s, "k62", value);
	check(&s, "k63", NULL);
	assert_int_equal(s.erase(s.context, "k0"), SP_OK);
	save(&s, "k63", value);
	s.close(s.context);
}

/* ---- all together ---- */

static const struct role roles[] = {
	{ "rewrite", role_rewrite, true },
};

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(the_file_is_private_and_made_when_needed),
	cmocka_unit_test(the_file_shows_nothing),
	cmocka_unit_test(another_passphrase_is_refused),
	cmocka_unit_test(paths_that_cannot_be),
	cmocka_unit_test(a_relative_path_stays_where_it_was),
	cmocka_unit_test(no_part_of_a_file_is_taken_for_one),
	cmocka_unit_test(no_byte_may_be_another),
	cmocka_unit_test(other_kinds_of_file_are_refused),
	cmocka_unit_test(a_file_cannot_ask_for_much),
	cmocka_unit_test(a_file_made_anew_is_read),
	cmocka_unit_test(a_full_disk_leaves_the_old_file),
	cmocka_unit_test(what_a_killed_writer_left_is_no_matter),
	cmocka_unit_test(a_writer_killed_at_any_time_leaves_a_whole_file),
	cmocka_unit_test(a_file_has_a_largest_size),
};

int main(int argc, char **argv)
{
	if (is_role(argc))
		return play(argv, &place, roles, N(roles));
	begin_tests(argv[0]);
	add_promises(&place);
	add_tests(&place, tests, N(tests));
	return run_added("store_file");
}
