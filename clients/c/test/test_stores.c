/* Where tokens are kept: what all stores promise, by one table of checks, and what each has besides. Run under
 * with_secret_service.sh. Other processes are this program again, with words that say what to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "library.h"
#include "lock_file.h"
#include "records.h"
#include "sallyport.h"
#include "sealed.h"

/* GLib's own threads and locks are not instrumented; it keeps what it makes once, and libsecret leaks a few bytes for each
 * record found. What of it is ours shows under valgrind. */
const char *__tsan_default_options(void);
const char *__lsan_default_suppressions(void);

const char *__tsan_default_options(void)
{
	return "ignore_noninstrumented_modules=1";
}

const char *__lsan_default_suppressions(void)
{
	return "leak:libglib-2.0.so\nleak:libgobject-2.0.so\nleak:libgio-2.0.so\nleak:libsecret-1.so\n";
}

#define PASSPHRASE "correct horse"
#define WRITERS 4
#define WRITES 8

static const char *program; /* argv[0] */
static char folder[64];
static char path[128]; /* of the file store */

/* ---- places ---- */

struct place {
	const char *name;
	sp_error (*open)(sp_store *store);
	bool shared; /* other stores over it see the same records */
	bool lock_for_each_key;
};

static sp_error open_file_store(sp_store *store)
{
	return sp_store_file(path, PASSPHRASE, store);
}

static const struct place places[] = {
	{ "memory", sp_store_memory, false, false },
	{ "file", open_file_store, true, false },
	{ "keyring", sp_store_keyring, true, true },
	{ "secret", sp_store_secret_service, true, true },
};
#define N_PLACES (sizeof places / sizeof *places)

static sp_store opened(const struct place *p)
{
	sp_store store;

	assert_int_equal(p->open(&store), SP_OK);
	assert_int_equal(store.size, sizeof store);
	return store;
}

/* Keys of this run, which its end erases: the kernel's keyring is the user's own. */
static char used_keys[64][RECORD_KEY_MAX + 1];
static size_t n_used;

static const char *k(const char *name)
{
	char key[RECORD_KEY_MAX + 1];

	(void)snprintf(key, sizeof key, "t%d-%s", (int)getpid(), name);
	for (size_t i = 0; i < n_used; i++) {
		if (strcmp(used_keys[i], key) == 0)
			return used_keys[i];
	}
	assert_true(n_used < sizeof used_keys / sizeof *used_keys);
	return memcpy(used_keys[n_used++], key, sizeof key);
}

static void remove_files(void)
{
	DIR *dir = opendir(folder);
	struct dirent *e;

	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL) {
		if (e->d_name[0] != '.')
			(void)unlinkat(dirfd(dir), e->d_name, e->d_type == DT_DIR ? AT_REMOVEDIR : 0);
	}
	(void)closedir(dir);
}

static int clean_up(void **state)
{
	const struct place *p = *state;

	if (p != NULL && p->shared) {
		sp_store s;

		if (p->open(&s) == SP_OK) {
			for (size_t i = 0; i < n_used; i++)
				(void)s.erase(s.context, used_keys[i]);
			s.close(s.context);
		}
	}
	n_used = 0;
	remove_files();
	return 0;
}

/* ---- words for store calls ---- */

static char loaded[SP_RECORD_MAX + 1];

/* The record as a string; NULL: none. */
static const char *load(const sp_store *s, const char *key)
{
	size_t n = 12345;

	assert_int_equal(s->load(s->context, key, loaded, SP_RECORD_MAX, &n), SP_OK);
	assert_true(n <= SP_RECORD_MAX);
	loaded[n] = '\0';
	return n > 0 ? loaded : NULL;
}

static void save(const sp_store *s, const char *key, const char *value)
{
	assert_int_equal(s->save(s->context, key, value), SP_OK);
}

static void check(const sp_store *s, const char *key, const char *value)
{
	const char *found = load(s, key);

	if (value == NULL) {
		assert_null(found);
		return;
	}
	assert_non_null(found);
	assert_string_equal(found, value);
}

static sp_error take(const sp_store *s, const char *key, int timeout_ms)
{
	return s->lock(s->context, key, timeout_ms);
}

/* ---- other processes ---- */

struct process {
	pid_t pid;
	int in, out; /* its standard input and output */
};

static struct process start(char *const argv[])
{
	struct process p;
	int in[2], out[2];

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	p.pid = fork();
	assert_true(p.pid >= 0);
	if (p.pid == 0) {
		(void)dup2(in[0], STDIN_FILENO);
		(void)dup2(out[1], STDOUT_FILENO);
		(void)execv(argv[0], argv);
		_exit(127);
	}
	(void)close(in[0]);
	(void)close(out[1]);
	p.in = in[1];
	p.out = out[0];
	return p;
}

/* This program, told what to do: a role of `roles` below. */
static struct process start_role(const char *role, const struct place *place, const char *a, const char *b)
{
	char *argv[] = { strdup(program), strdup(role), strdup(place->name), strdup(path), strdup(a), strdup(b), NULL };
	struct process p = start(argv);

	for (size_t i = 0; argv[i] != NULL; i++)
		free(argv[i]);
	return p;
}

/* Waits until it has said a line. */
static void hear(const struct process *p)
{
	char c = 0;

	while (c != '\n')
		assert_int_equal(read(p->out, &c, 1), 1);
}

/* Its input ends; its exit code, or 1000 and the signal. */
static int finish(const struct process *p)
{
	int status;

	(void)close(p->in);
	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	(void)close(p->out);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void say_and_wait(void)
{
	char c;

	(void)printf("ready\n");
	(void)fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
}

static int role_hold(sp_store *s, const char *key, const char *unused)
{
	(void)unused;
	if (s->lock(s->context, key, 0) != SP_OK)
		return 10;
	say_and_wait();
	s->unlock(s->context, key);
	return 0;
}

static int role_load(sp_store *s, const char *key, const char *value)
{
	size_t n;
	sp_error e = s->load(s->context, key, loaded, SP_RECORD_MAX, &n);

	if (e != SP_OK)
		return 20 + (int)e;
	return n == strlen(value) && memcmp(loaded, value, n) == 0 ? 0 : 10;
}

static int role_save(sp_store *s, const char *key, const char *value)
{
	return (int)s->save(s->context, key, value);
}

static int role_erase(sp_store *s, const char *key, const char *unused)
{
	(void)unused;
	return (int)s->erase(s->context, key);
}

/* Many keys, each once. */
static int role_write(sp_store *s, const char *key, const char *unused)
{
	char name[RECORD_KEY_MAX];

	(void)unused;
	for (int i = 0; i < WRITES; i++) {
		(void)snprintf(name, sizeof name, "%s-%d", key, i);
		if (s->save(s->context, name, name) != SP_OK)
			return 10;
	}
	return 0;
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

static int role_count(sp_store *s, const char *key, const char *times)
{
	for (long i = strtol(times, NULL, 10); i > 0; i--) {
		char value[32] = "";
		size_t n;

		if (s->lock(s->context, key, 60000) != SP_OK || s->load(s->context, key, value, 20, &n) != SP_OK)
			return 10;
		value[n] = '\0';
		(void)snprintf(value, sizeof value, "%ld", strtol(value, NULL, 10) + 1);
		if (s->save(s->context, key, value) != SP_OK)
			return 11;
		s->unlock(s->context, key);
	}
	return 0;
}

/* ---- what all promise ---- */

static void what_is_not_there_is_no_error(void **state)
{
	sp_store s = opened(*state);

	check(&s, k("absent"), NULL);
	assert_int_equal(s.erase(s.context, k("absent")), SP_OK);
	check(&s, k("absent"), NULL);
	s.close(s.context);
}

static void a_record_is_saved_replaced_and_erased(void **state)
{
	sp_store s = opened(*state);

	save(&s, k("one"), "first");
	check(&s, k("one"), "first");
	save(&s, k("one"), "a second, longer than the first");
	check(&s, k("one"), "a second, longer than the first");
	save(&s, k("one"), "3");
	check(&s, k("one"), "3");
	assert_int_equal(s.erase(s.context, k("one")), SP_OK);
	check(&s, k("one"), NULL);
	save(&s, k("one"), "again");
	check(&s, k("one"), "again");
	assert_int_equal(s.erase(s.context, k("one")), SP_OK);
	assert_int_equal(s.erase(s.context, k("one")), SP_OK);
	s.close(s.context);
}

static void records_have_a_longest_length(void **state)
{
	static char longest[SP_RECORD_MAX + 1], longer[SP_RECORD_MAX + 2];
	sp_store s = opened(*state);
	size_t n = 1;

	for (size_t i = 0; i < SP_RECORD_MAX; i++)
		longest[i] = (char)('a' + i % 26);
	memset(longer, 'x', sizeof longer - 1);
	save(&s, k("long"), longest);
	check(&s, k("long"), longest);
	longest[0] = 'A';
	save(&s, k("long"), longest);
	check(&s, k("long"), longest);
	assert_int_equal(s.save(s.context, k("long"), longer), SP_INVALID);
	assert_int_equal(s.save(s.context, k("long"), ""), SP_INVALID);
	assert_int_equal(s.save(s.context, k("long"), NULL), SP_INVALID);
	check(&s, k("long"), longest);

	assert_int_equal(s.load(s.context, k("long"), loaded, SP_RECORD_MAX - 1, &n), SP_STORE);
	assert_int_equal(n, 0);
	s.close(s.context);
}

static void a_record_goes_into_exactly_its_length(void **state)
{
	sp_store s = opened(*state);
	char room[] = "....#";
	size_t n = 0;

	save(&s, k("four"), "abcd");
	assert_int_equal(s.load(s.context, k("four"), room, 4, &n), SP_OK);
	assert_int_equal(n, 4);
	assert_string_equal(room, "abcd#"); /* no zero behind it */
	assert_int_equal(s.load(s.context, k("four"), room, 3, &n), SP_STORE);
	assert_string_equal(room + 4, "#");
	s.close(s.context);
}

static void keys_do_not_mix(void **state)
{
	static const char *const names[] = { "m", "mm", "b", "z", "a", "mb", "ma", "M" };
	const size_t count = sizeof names / sizeof *names;
	sp_store s = opened(*state);

	for (size_t i = 0; i < count; i++)
		save(&s, k(names[i]), names[i]);
	for (size_t i = 0; i < count; i++)
		check(&s, k(names[i]), names[i]);
	for (size_t gone = 0; gone < count; gone++) {
		assert_int_equal(s.erase(s.context, k(names[gone])), SP_OK);
		for (size_t i = 0; i < count; i++)
			check(&s, k(names[i]), i <= gone ? NULL : names[i]);
	}
	s.close(s.context);
}

static void keys_may_be_odd(void **state)
{
	static const char *const names[] = { " ", "a b", "a%20b", "a+b", "%", "../../x", "quote\"'`$(x)", "new\nline", "tab\t",
					     "back\\slash", "ключ", "鍵", "\x01\x7f", "\xff\xfe", "\xc3", "https://a.example:1/|me",
					     "a=b;c,d", "{}[]" };
	const size_t count = sizeof names / sizeof *names;
	char longest[RECORD_KEY_MAX + 2];
	sp_store s = opened(*state);
	size_t n = strlen(k("longest"));

	for (size_t i = 0; i < count; i++)
		save(&s, k(names[i]), names[i][0] == '\0' ? "x" : "a value of \"its\" own\nключ \\ %s");
	for (size_t i = 0; i < count; i++)
		check(&s, k(names[i]), "a value of \"its\" own\nключ \\ %s");

	memset(longest, 'l', sizeof longest);
	longest[RECORD_KEY_MAX + 1] = '\0';
	assert_int_equal(s.save(s.context, longest, "v"), SP_INVALID);
	assert_int_equal(s.load(s.context, longest, loaded, SP_RECORD_MAX, &n), SP_INVALID);
	assert_int_equal(n, 0);
	assert_int_equal(s.erase(s.context, longest), SP_INVALID);
	assert_int_equal(s.save(s.context, "", "v"), SP_INVALID);
	assert_int_equal(s.save(s.context, NULL, "v"), SP_INVALID);
	memset(longest, 'l', RECORD_KEY_MAX);
	longest[RECORD_KEY_MAX] = '\0';
	memcpy(longest, k("longest"), strlen(k("longest")));
	memcpy(used_keys[n_used++], longest, RECORD_KEY_MAX + 1);
	save(&s, longest, "of the longest key");
	check(&s, longest, "of the longest key");
	s.close(s.context);
}

/* What another thread does with a store. */
struct worker {
	sp_store store;
	const char *key;
	int failures; /* work */
	sp_error error; /* wait_for_lock */
	pthread_t thread;
};

static void *work(void *argument)
{
	struct worker *w = argument;
	char value[64], found[64];
	size_t n;

	for (int i = 0; i < 20; i++) {
		(void)snprintf(value, sizeof value, "%s %d", w->key, i);
		if (w->store.save(w->store.context, w->key, value) != SP_OK ||
		    w->store.load(w->store.context, w->key, found, sizeof found, &n) != SP_OK ||
		    n != strlen(value) || memcmp(found, value, n) != 0)
			w->failures++;
	}
	return NULL;
}

static void threads_may_share_a_store(void **state)
{
	struct worker workers[4];
	sp_store s = opened(*state);
	char name[16];

	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(name, sizeof name, "thread%zu", i);
		workers[i] = (struct worker){ .store = s, .key = k(name) };
	}
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	for (size_t i = 0; i < 4; i++) {
		(void)pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].failures, 0);
	}
	s.close(s.context);
}

static void null_is_refused(void **state)
{
	const struct place *p = *state;

	assert_int_equal(p->open(NULL), SP_INVALID);
}

/* ---- what all but memory promise ---- */

static void stores_over_a_place_see_each_other(void **state)
{
	sp_store a = opened(*state), b = opened(*state);

	save(&a, k("seen"), "by both");
	check(&b, k("seen"), "by both");
	save(&b, k("seen"), "by the first");
	check(&a, k("seen"), "by the first");
	a.close(a.context);
	check(&b, k("seen"), "by the first");
	b.close(b.context);
	a = opened(*state);
	check(&a, k("seen"), "by the first");
	assert_int_equal(a.erase(a.context, k("seen")), SP_OK);
	a.close(a.context);
}

static void other_processes_read_and_write(void **state)
{
	sp_store s = opened(*state);
	struct process p;

	save(&s, k("shared"), "from here");
	p = start_role("load", *state, k("shared"), "from here");
	assert_int_equal(finish(&p), 0);
	p = start_role("save", *state, k("shared"), "from there");
	assert_int_equal(finish(&p), 0);
	check(&s, k("shared"), "from there");
	p = start_role("erase", *state, k("shared"), "");
	assert_int_equal(finish(&p), 0);
	check(&s, k("shared"), NULL);
	p = start_role("save", *state, k("made there"), "kept");
	assert_int_equal(finish(&p), 0);
	check(&s, k("made there"), "kept");
	save(&s, k("made there"), "changed here");
	p = start_role("load", *state, k("made there"), "changed here");
	assert_int_equal(finish(&p), 0);
	s.close(s.context);
}

/* All begin with nothing there, so they also make it at the same time. */
static void parallel_writers_lose_nothing(void **state)
{
	struct process writers[WRITERS];
	char name[32];
	sp_store s;

	for (int i = 0; i < WRITERS; i++) {
		(void)snprintf(name, sizeof name, "w%d", i);
		writers[i] = start_role("write", *state, k(name), "");
	}
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(finish(&writers[i]), 0);
	s = opened(*state);
	for (int i = 0; i < WRITERS; i++) {
		for (int j = 0; j < WRITES; j++) {
			(void)snprintf(name, sizeof name, "w%d-%d", i, j);
			check(&s, k(name), k(name));
		}
	}
	s.close(s.context);
}

static void a_second_client_waits_its_time(void **state)
{
	sp_store a = opened(*state), b = opened(*state);
	int64_t start_ms;

	assert_int_equal(take(&a, k("key"), 0), SP_OK);
	start_ms = now_ms();
	assert_int_equal(take(&b, k("key"), 150), SP_TIMEOUT);
	assert_in_range(now_ms() - start_ms, 150, 2000);
	assert_int_equal(take(&b, k("key"), 0), SP_TIMEOUT);
	assert_int_equal(take(&b, k("key"), -1), SP_TIMEOUT);
	b.unlock(b.context, k("key")); /* has nothing: takes nothing away */
	assert_int_equal(take(&b, k("key"), 0), SP_TIMEOUT);
	save(&a, k("key"), "saved under the lock");
	check(&b, k("key"), "saved under the lock"); /* reading waits for nobody */
	a.unlock(a.context, k("key"));
	assert_int_equal(take(&b, k("key"), 0), SP_OK);
	assert_int_equal(take(&a, k("key"), 0), SP_TIMEOUT);
	b.close(b.context); /* gives it back */
	assert_int_equal(take(&a, k("key"), 0), SP_OK);
	a.unlock(a.context, k("key"));
	a.close(a.context);
}

static void *wait_for_lock(void *argument)
{
	struct worker *w = argument;

	w->error = take(&w->store, w->key, 20000);
	return NULL;
}

static void who_waits_gets_it(void **state)
{
	sp_store a = opened(*state);
	struct worker w = { .store = opened(*state), .key = k("key"), .error = SP_SERVER };

	assert_int_equal(take(&a, w.key, 0), SP_OK);
	assert_int_equal(pthread_create(&w.thread, NULL, wait_for_lock, &w), 0);
	(void)poll(NULL, 0, 80);
	a.unlock(a.context, w.key);
	(void)pthread_join(w.thread, NULL);
	assert_int_equal(w.error, SP_OK);
	assert_int_equal(take(&a, w.key, 0), SP_TIMEOUT);
	w.store.unlock(w.store.context, w.key);
	w.store.close(w.store.context);
	a.close(a.context);
}

/* Threads of one client, too: a store does not let its own lock pass. */
static void a_store_does_not_lock_twice(void **state)
{
	sp_store a = opened(*state);

	assert_int_equal(take(&a, k("key"), 0), SP_OK);
	assert_int_equal(take(&a, k("key"), 20), SP_TIMEOUT);
	a.unlock(a.context, k("key"));
	assert_int_equal(take(&a, k("key"), 0), SP_OK);
	a.unlock(a.context, k("key"));
	a.unlock(a.context, k("key"));
	a.close(a.context);
}

static void locks_of_other_keys(void **state)
{
	const struct place *p = *state;
	sp_store a = opened(p), b = opened(p);

	assert_int_equal(take(&a, k("ada"), 0), SP_OK);
	assert_int_equal(take(&b, k("bob"), 20), p->lock_for_each_key ? SP_OK : SP_TIMEOUT);
	a.close(a.context);
	b.close(b.context);
}

static void a_lock_keeps_other_processes_out(void **state)
{
	sp_store s = opened(*state);
	struct process p = start_role("hold", *state, k("key"), "");

	hear(&p);
	assert_int_equal(take(&s, k("key"), 60), SP_TIMEOUT);
	assert_int_equal(finish(&p), 0);
	assert_int_equal(take(&s, k("key"), 0), SP_OK);
	p = start_role("hold", *state, k("key"), "");
	assert_int_equal(finish(&p), 10);
	s.unlock(s.context, k("key"));
	s.close(s.context);
}

static void a_killed_holder_holds_nothing(void **state)
{
	sp_store s = opened(*state);
	struct process p = start_role("hold", *state, k("key"), "");

	hear(&p);
	assert_int_equal(take(&s, k("key"), 0), SP_TIMEOUT);
	(void)kill(p.pid, SIGKILL);
	assert_int_equal(take(&s, k("key"), 20000), SP_OK);
	assert_int_equal(finish(&p), 1000 + SIGKILL);
	s.unlock(s.context, k("key"));
	s.close(s.context);
}

/* A child that was forked while the lock was held, and lives on, does not keep it. */
static void a_forked_child_keeps_no_lock(void **state)
{
	sp_store s = opened(*state);
	pid_t child;

	assert_int_equal(take(&s, k("key"), 0), SP_OK);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)poll(NULL, 0, 60000);
		_exit(0);
	}
	s.unlock(s.context, k("key"));
	assert_int_equal(take(&s, k("key"), 0), SP_OK);
	s.unlock(s.context, k("key"));
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	s.close(s.context);
}

static void what_is_changed_under_the_lock_is_not_lost(void **state)
{
	struct process counters[WRITERS];
	sp_store s = opened(*state);

	save(&s, k("count"), "0");
	for (int i = 0; i < WRITERS; i++)
		counters[i] = start_role("count", *state, k("count"), "10");
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(finish(&counters[i]), 0);
	check(&s, k("count"), "40");
	s.close(s.context);
}

static void memory_has_no_lock(void **state)
{
	sp_store a = opened(*state), b = opened(*state);

	assert_null(a.lock);
	assert_null(a.unlock);
	save(&a, k("mine"), "alone");
	check(&b, k("mine"), NULL);
	a.close(a.context);
	b.close(b.context);
}

/* ---- lock files ---- */

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

static void a_library_has_all_symbols_or_is_none(void **state)
{
	static const char *const none[] = { "libsallyport-nowhere.so.1", NULL };
	static const char *const sodium[] = { "libsallyport-nowhere.so.1", "libsodium.so.26", "libsodium.so.23", NULL };
	static const struct library_symbol wrong[] = { { "sodium_init", 0 }, { "sallyport_nowhere", sizeof(void *) } };
	void *functions[2] = { NULL, NULL }, *library;

	(void)state;
	assert_null(library_open(none, wrong, 1, functions));
	assert_null(library_open(sodium, wrong, 2, functions));
	library = library_open(sodium, wrong, 1, functions);
	assert_non_null(library);
	assert_non_null(functions[0]);
	library_close(library);
	library_close(NULL);
}

/* ---- the file ---- */

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
	s = opened(&places[1]);
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

static void no_part_of_a_file_is_taken_for_one(void **state)
{
	sp_store s = with_one(), t;
	unsigned char whole[256];
	size_t n;

	(void)state;
	read_back(path);
	n = n_file;
	assert_true(n < sizeof whole);
	memcpy(whole, file_bytes, n);
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
	unsigned char whole[256];
	size_t n;

	(void)state;
	read_back(path);
	n = n_file;
	assert_true(n < sizeof whole);
	memcpy(whole, file_bytes, n);
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

/* Every bit, with the key at hand. */
static void no_bit_may_be_another(void **state)
{
	static const unsigned char key[SEALED_KEY] = { 7 };
	struct record *records = NULL, *again;
	struct sealed_head head;
	struct sodium sodium;
	unsigned char *file;
	size_t n;

	(void)state;
	assert_true(sealed_load_sodium(&sodium));
	assert_true(sealed_new_head(&head));
	assert_true(records_put(&records, "two", "2"));
	assert_true(records_put(&records, "one", "1"));
	assert_int_equal(sealed_make(&sodium, &head, key, records, &file, &n), SP_OK);
	for (size_t bit = 0; bit < 8 * n; bit++) {
		file[bit / 8] ^= (unsigned char)(1U << bit % 8);
		assert_int_not_equal(sealed_open(&sodium, file, n, key, &again), SP_OK);
		assert_null(again);
		file[bit / 8] ^= (unsigned char)(1U << bit % 8);
	}
	assert_int_equal(sealed_open(&sodium, file, n, key, &again), SP_OK);
	assert_string_equal(records_find(again, "one"), "1");
	assert_string_equal(records_find(again, "two"), "2");
	records_free(&again);
	records_free(&records);
	free(file);
	sealed_unload_sodium(&sodium);
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
	b = opened(&places[1]);
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

static void a_writer_killed_at_any_time_leaves_a_whole_file(void **state)
{
	sp_store s = with_one();
	uint32_t seed = 1;

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct process p = start_role("rewrite", &places[1], "rewritten", "v");
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

static void records_are_what_was_encoded_and_nothing_else(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		sp_error error;
	} cases[] = {
		{ "", 0, SP_OK },
		{ "\0\1\0\1kv", 6, SP_OK },
		{ "\0\1\0\1av\0\1\0\1bv", 12, SP_OK },
		{ "\0\1\0\1bv\0\1\0\1av", 12, SP_STORE },
		{ "\0\1\0\1av\0\1\0\1aw", 12, SP_STORE },
		{ "\0\0\0\1v", 5, SP_STORE },
		{ "\0\1\0\0k", 5, SP_STORE },
		{ "\0\1\0\1k", 5, SP_STORE },
		{ "\0\1\0\1kv\0", 7, SP_STORE },
		{ "\0\1\0\1\0v", 6, SP_STORE },
		{ "\0\1\0\2kv\0", 7, SP_STORE },
		{ "\xff\xff\xff\xffkv", 6, SP_STORE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct record *records;
		struct text again = { 0 };

		assert_int_equal(records_decode((const unsigned char *)cases[i].bytes, cases[i].n, &records),
				 cases[i].error);
		if (cases[i].error != SP_OK)
			assert_null(records);
		records_encode(records, &again);
		assert_int_equal(again.n, cases[i].error == SP_OK ? cases[i].n : 0);
		if (again.n > 0)
			assert_memory_equal(again.p, cases[i].bytes, again.n);
		text_free(&again);
		records_free(&records);
	}
}

/* ---- the kernel's keyring ---- */

/* What the kernel says, not what the store makes of it. */
static bool kernel_has_keyrings(void)
{
	long key = syscall(SYS_add_key, "user", "sallyport-test", "x", (size_t)1, (long)KEY_SPEC_USER_KEYRING);

	if (key >= 0)
		(void)syscall(SYS_keyctl, (long)KEYCTL_UNLINK, key, (long)KEY_SPEC_USER_KEYRING);
	return key >= 0;
}

/* A service, or who came by su(1), has a session keyring that does not lead to the user's. */
static int role_outside(sp_store *unused, const char *key, const char *value)
{
	sp_store s;
	int status;

	(void)unused;
	if (syscall(SYS_keyctl, (long)KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0)
		return 11;
	if (sp_store_keyring(&s) != SP_OK)
		return 12;
	status = role_load(&s, key, value);
	if (status == 0)
		status = role_save(&s, key, "written outside");
	if (status == 0)
		status = role_save(&s, value, "made outside");
	s.close(s.context);
	return status;
}

static void keys_are_read_from_outside_the_session(void **state)
{
	sp_store s = opened(*state);
	struct process p;

	save(&s, k("inside"), k("outside"));
	p = start_role("outside", *state, k("inside"), k("outside"));
	assert_int_equal(finish(&p), 0);
	check(&s, k("inside"), "written outside");
	check(&s, k("outside"), "made outside");
	p = start_role("outside", *state, k("outside"), "made outside");
	assert_int_equal(finish(&p), 0);
	s.close(s.context);
	s = opened(*state);
	assert_int_equal(s.erase(s.context, "made outside"), SP_OK);
	s.close(s.context);
}

static long serial_of(const char *key)
{
	char description[128];
	long serial;

	(void)snprintf(description, sizeof description, "sallyport:%s", key);
	serial = syscall(SYS_keyctl, (long)KEYCTL_SEARCH, (long)KEY_SPEC_USER_KEYRING, "user", description, 0L);
	assert_true(serial > 0);
	return serial;
}

/* Users other than root have room for one of the longest, and not for two. */
static void a_long_record_is_replaced_in_place(void **state)
{
	static char value[SP_RECORD_MAX + 1];
	sp_store s = opened(*state);
	long serial;

	memset(value, 'v', SP_RECORD_MAX);
	save(&s, k("mine"), value);
	serial = serial_of(k("mine"));
	value[0] = 'w';
	save(&s, k("mine"), value);
	check(&s, k("mine"), value);
	assert_int_equal(serial_of(k("mine")), serial);
	s.close(s.context);
}

static void keys_are_for_the_user_alone(void **state)
{
	sp_store s = opened(*state);
	char text[512] = "";

	save(&s, k("mine"), "v");
	assert_true(syscall(SYS_keyctl, (long)KEYCTL_DESCRIBE, serial_of(k("mine")), text, sizeof text - 1) > 0);
	assert_non_null(strstr(text, ";3f3f0000;")); /* nothing for group and others */
	s.close(s.context);
}

/* Somebody has made the key unreadable for the session: it is replaced, not given up. */
static void a_revoked_key_is_none(void **state)
{
	sp_store s = opened(*state);

	save(&s, k("mine"), "v");
	assert_int_equal(syscall(SYS_keyctl, (long)KEYCTL_REVOKE, serial_of(k("mine"))), 0);
	check(&s, k("mine"), NULL);
	assert_int_equal(s.erase(s.context, k("mine")), SP_OK);
	save(&s, k("mine"), "w");
	check(&s, k("mine"), "w");
	s.close(s.context);
}

/* As containers do it: the calls are there and refused. */
static int role_forbidden(sp_store *unused, const char *error, const char *b)
{
	const unsigned answer = SECCOMP_RET_ERRNO | ((unsigned)strtoul(error, NULL, 10) & SECCOMP_RET_DATA);
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), /* the number of the call */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_add_key, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_keyctl, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, answer),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog whole = { sizeof filter / sizeof *filter, filter };
	sp_store s;

	(void)unused;
	(void)b;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole) != 0)
		return 10;
	return sp_store_keyring(&s) == SP_UNAVAILABLE && s.context == NULL ? 0 : 11;
}

static void without_keyrings_there_is_no_store(void **state)
{
	static const int errors[] = { EPERM, ENOSYS, EACCES };
	char text[16];

	(void)state;
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
		struct process p;

		(void)snprintf(text, sizeof text, "%d", errors[i]);
		p = start_role("forbidden", &places[2], text, "");
		assert_int_equal(finish(&p), 0);
	}
}

static void this_machine_has_no_keyrings(void **state)
{
	sp_store s;

	(void)state;
	assert_int_equal(sp_store_keyring(&s), SP_UNAVAILABLE);
	assert_null(s.context);
}

/* ---- the Secret Service, under circumstances; each in a session of its own ---- */

static struct process start_session(const char *role, const char *a)
{
	char *argv[] = { strdup(WITH_SECRET_SERVICE), strdup(program), strdup(role), strdup("secret"), strdup(path),
			 strdup(a), strdup(""), NULL };
	struct process p = start(argv);

	for (size_t i = 0; argv[i] != NULL; i++)
		free(argv[i]);
	return p;
}

static int run_command(char *const argv[])
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)execvp(argv[0], argv);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
}

/* The prompt has no screen to be shown on, so it is dismissed. */
static int role_locked(sp_store *s, const char *a, const char *b)
{
	char words[][96] = { "dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.secrets",
			     "/org/freedesktop/secrets", "org.freedesktop.Secret.Service.Lock",
			     "array:objpath:/org/freedesktop/secrets/collection/login" };
	char *argv[] = { words[0], words[1], words[2], words[3], words[4], words[5], words[6], NULL };
	sp_store t;
	size_t n = 1;

	(void)a;
	(void)b;
	if (s->save(s->context, "one", "kept") != SP_OK || run_command(argv) != 0)
		return 10;
	if (s->load(s->context, "one", loaded, SP_RECORD_MAX, &n) != SP_STORE || n != 0)
		return 11; /* above all not: nobody is signed in */
	if (s->save(s->context, "one", "x") != SP_STORE || s->save(s->context, "two", "x") != SP_STORE)
		return 12;
	if (s->erase(s->context, "one") != SP_STORE)
		return 13;
	return sp_store_secret_service(&t) == SP_STORE && t.context == NULL ? 0 : 14;
}

static void a_locked_keyring_is_an_error(void **state)
{
	struct process p = start_session("locked", "");

	(void)state;
	assert_int_equal(finish(&p), 0);
}

static int role_stopped(sp_store *s, const char *a, const char *b)
{
	pid_t daemon_pid = (pid_t)strtol(getenv("SECRET_DAEMON"), NULL, 10);
	int64_t begun;
	size_t n;

	(void)a;
	(void)b;
	if (s->save(s->context, "one", "kept") != SP_OK || kill(daemon_pid, SIGSTOP) != 0)
		return 10;
	begun = now_ms();
	if (s->load(s->context, "one", loaded, SP_RECORD_MAX, &n) != SP_STORE)
		return 11;
	if (now_ms() - begun < SECRET_PATIENCE_MS - 100 || now_ms() - begun > SECRET_PATIENCE_MS + 10000)
		return 12;
	(void)kill(daemon_pid, SIGCONT);
	return role_load(s, "one", "kept");
}

static void a_service_that_does_not_answer_is_given_up(void **state)
{
	struct process p = start_session("stopped", "");

	(void)state;
	assert_int_equal(finish(&p), 0);
}

/* A program with a main loop of GLib, which is what would end it. */
static bool run_main_loop(void)
{
	static const char *const glib[] = { "libglib-2.0.so.0", NULL };
	static const struct library_symbol symbols[] = { { "g_main_context_iteration", 0 } };
	int (*iterate)(void *, int) = NULL;
	void *library = library_open(glib, symbols, 1, &iterate);

	for (int i = 0; i < 50 && library != NULL; i++) {
		(void)iterate(NULL, 0);
		(void)poll(NULL, 0, 10);
	}
	library_close(library);
	return library != NULL;
}

static int role_bereft(sp_store *s, const char *a, const char *b)
{
	char words[][96] = { "dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/",
			     "org.freedesktop.DBus.GetConnectionUnixProcessID", "string:org.freedesktop.DBus" };
	char *argv[] = { words[0], words[1], words[2], words[3], words[4], words[5], words[6], NULL };
	char reply[512] = "", *number;
	struct process p;
	size_t n = 0;
	ssize_t got;

	(void)a;
	(void)b;
	if (s->save(s->context, "one", "kept") != SP_OK)
		return 10;
	(void)snprintf(words[0], sizeof words[0], "/usr/bin/dbus-send");
	p = start(argv);
	while (n < sizeof reply - 1 && (got = read(p.out, reply + n, sizeof reply - 1 - n)) > 0)
		n += (size_t)got;
	number = strstr(reply, "uint32 ");
	if (finish(&p) != 0 || number == NULL)
		return 11;
	if (kill((pid_t)strtol(number + 7, NULL, 10), SIGKILL) != 0)
		return 12;
	if (!run_main_loop())
		return 14;
	return s->load(s->context, "one", loaded, SP_RECORD_MAX, &n) == SP_STORE ? 33 : 13;
}

static void the_end_of_the_bus_is_not_ours(void **state)
{
	struct process p = start_session("bereft", "");
	int status;

	(void)state;
	status = finish(&p);
	assert_int_equal(status, 33);
}

static int role_busless(sp_store *unused, const char *a, const char *b)
{
	sp_store s;

	(void)unused;
	(void)b;
	if (setenv("DBUS_SESSION_BUS_ADDRESS", a, 1) != 0)
		return 10;
	return sp_store_secret_service(&s) == SP_UNAVAILABLE && s.context == NULL ? 0 : 11;
}

static void without_a_bus_there_is_no_service(void **state)
{
	struct process p = start_role("busless", *state, "unix:path=/nowhere/bus", "");

	assert_int_equal(finish(&p), 0);
	p = start_role("busless", *state, "nonsense", "");
	assert_int_equal(finish(&p), 0);
}

/* ---- all together ---- */

static const struct {
	const char *name;
	int (*run)(sp_store *store, const char *a, const char *b);
	bool opens; /* gets a store */
} roles[] = {
	{ "hold", role_hold, true },	   { "load", role_load, true },	      { "save", role_save, true },
	{ "erase", role_erase, true },	   { "write", role_write, true },     { "rewrite", role_rewrite, true },
	{ "count", role_count, true },	   { "outside", role_outside, false }, { "forbidden", role_forbidden, false },
	{ "locked", role_locked, true },   { "stopped", role_stopped, true }, { "bereft", role_bereft, true },
	{ "busless", role_busless, false },
};

/* argv: program, role, place, path, and two words for the role. */
static int play(char **argv)
{
	const struct place *place = NULL;
	sp_store s = { 0 };
	int status = 99;

	(void)snprintf(path, sizeof path, "%s", argv[3]);
	for (size_t i = 0; i < N_PLACES; i++) {
		if (strcmp(places[i].name, argv[2]) == 0)
			place = &places[i];
	}
	for (size_t i = 0; i < sizeof roles / sizeof *roles && place != NULL; i++) {
		if (strcmp(roles[i].name, argv[1]) != 0)
			continue;
		if (roles[i].opens && place->open(&s) != SP_OK)
			return 98;
		status = roles[i].run(&s, argv[4], argv[5]);
		if (roles[i].opens)
			s.close(s.context);
	}
	return status;
}

static const struct {
	const char *name;
	CMUnitTestFunction run;
} for_all[] = {
#define T(f) { #f, f }
	T(what_is_not_there_is_no_error),
	T(a_record_is_saved_replaced_and_erased),
	T(records_have_a_longest_length),
	T(a_record_goes_into_exactly_its_length),
	T(keys_do_not_mix),
	T(keys_may_be_odd),
	T(threads_may_share_a_store),
}, for_shared[] = {
	T(stores_over_a_place_see_each_other),
	T(other_processes_read_and_write),
	T(parallel_writers_lose_nothing),
	T(a_second_client_waits_its_time),
	T(who_waits_gets_it),
	T(a_store_does_not_lock_twice),
	T(locks_of_other_keys),
	T(a_lock_keeps_other_processes_out),
	T(a_killed_holder_holds_nothing),
	T(a_forked_child_keeps_no_lock),
	T(what_is_changed_under_the_lock_is_not_lost),
}, of_files[] = {
	T(a_lock_outlives_the_removal_of_its_file),
	T(a_lock_is_a_file_of_our_own),
	T(a_lack_of_descriptors_is_told),
	T(the_folder_of_locks_is_private),
	T(a_library_has_all_symbols_or_is_none),
	T(the_file_is_private_and_made_when_needed),
	T(the_file_shows_nothing),
	T(another_passphrase_is_refused),
	T(paths_that_cannot_be),
	T(a_relative_path_stays_where_it_was),
	T(no_part_of_a_file_is_taken_for_one),
	T(no_byte_may_be_another),
	T(no_bit_may_be_another),
	T(other_kinds_of_file_are_refused),
	T(a_file_cannot_ask_for_much),
	T(a_file_made_anew_is_read),
	T(a_full_disk_leaves_the_old_file),
	T(what_a_killed_writer_left_is_no_matter),
	T(a_writer_killed_at_any_time_leaves_a_whole_file),
	T(a_file_has_a_largest_size),
	T(records_are_what_was_encoded_and_nothing_else),
}, of_keyrings[] = {
	T(keys_are_read_from_outside_the_session),
	T(keys_are_for_the_user_alone),
	T(a_long_record_is_replaced_in_place),
	T(a_revoked_key_is_none),
}, of_services[] = {
	T(a_locked_keyring_is_an_error),
	T(a_service_that_does_not_answer_is_given_up),
	T(the_end_of_the_bus_is_not_ours),
	T(without_a_bus_there_is_no_service),
#undef T
};
#define N(table) (sizeof(table) / sizeof *(table))

static struct CMUnitTest tests[160];
static char names[160][96];
static size_t n_tests;

static void add(const struct place *place, const char *name, CMUnitTestFunction run)
{
	union {
		const struct place *place;
		void *state;
	} p = { .place = place };

	(void)snprintf(names[n_tests], sizeof names[n_tests], "%s: %s", place->name, name);
	tests[n_tests] = (struct CMUnitTest){ names[n_tests], run, NULL, clean_up, p.state };
	n_tests++;
}

#define ADD(place, table) \
	for (size_t row = 0; row < N(table); row++) \
	add(place, (table)[row].name, (table)[row].run)

static void add_place(const struct place *place)
{
	ADD(place, for_all);
	if (place->shared)
		ADD(place, for_shared);
}

int main(int argc, char **argv)
{
	bool keyrings = kernel_has_keyrings();
	int failed;

	if (argc == 6)
		return play(argv);
	program = argv[0];
	(void)signal(SIGPIPE, SIG_IGN);
	(void)snprintf(folder, sizeof folder, "/tmp/sallyport-stores-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return 1;
	(void)snprintf(path, sizeof path, "%s/tokens", folder);

	add_place(&places[0]);
	add(&places[0], "memory_has_no_lock", memory_has_no_lock);
	add(&places[0], "null_is_refused", null_is_refused);
	add_place(&places[1]);
	ADD(&places[1], of_files);
	if (keyrings) {
		add_place(&places[2]);
		ADD(&places[2], of_keyrings);
		add(&places[2], "null_is_refused", null_is_refused);
	} else {
		add(&places[2], "this_machine_has_no_keyrings", this_machine_has_no_keyrings);
	}
	add(&places[2], "without_keyrings_there_is_no_store", without_keyrings_there_is_no_store);
	add_place(&places[3]);
	ADD(&places[3], of_services);
	add(&places[3], "null_is_refused", null_is_refused);
	failed = _cmocka_run_group_tests("stores", tests, n_tests, NULL, NULL);
	(void)rmdir(folder);
	return failed;
}
