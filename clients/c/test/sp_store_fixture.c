/* What the tests of stores share. Other processes are the program itself, with words that say what to do. */
#include "sp_store_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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

static const char *program; /* argv[0] */
char folder[64];
char path[128];

/* ---- places ---- */

sp_store opened(const struct place *p)
{
	sp_store store;

	assert_int_equal(p->open(&store), SP_OK);
	assert_int_equal(store.size, sizeof store);
	return store;
}

static char used_keys[64][RECORD_KEY_MAX + 1];
static size_t n_used;

const char *used(const char *key)
{
	for (size_t i = 0; i < n_used; i++) {
		if (strcmp(used_keys[i], key) == 0)
			return used_keys[i];
	}
	assert_true(n_used < N(used_keys));
	return memcpy(used_keys[n_used++], key, strlen(key) + 1);
}

const char *k(const char *name)
{
	char key[RECORD_KEY_MAX + 1];

	(void)snprintf(key, sizeof key, "t%d-%s", (int)getpid(), name);
	return used(key);
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

char loaded[SP_RECORD_MAX + 1];

const char *load(const sp_store *s, const char *key)
{
	size_t n = 12345;

	assert_int_equal(s->load(s->context, key, loaded, SP_RECORD_MAX, &n), SP_OK);
	assert_true(n <= SP_RECORD_MAX);
	loaded[n] = '\0';
	return n > 0 ? loaded : NULL;
}

void save(const sp_store *s, const char *key, const char *value)
{
	assert_int_equal(s->save(s->context, key, value), SP_OK);
}

void check(const sp_store *s, const char *key, const char *value)
{
	const char *found = load(s, key);

	if (value == NULL) {
		assert_null(found);
		return;
	}
	assert_non_null(found);
	assert_string_equal(found, value);
}

sp_error take(const sp_store *s, const char *key, int timeout_ms)
{
	return s->lock(s->context, key, timeout_ms);
}

/* ---- other processes ---- */

struct process start(char *const argv[])
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

struct process start_role_in(const char *wrapper, const char *role, const char *a, const char *b)
{
	const char *words[] = { wrapper, program, role, path, a, b };
	char *argv[N(words) + 1] = { NULL };
	size_t n = 0;
	struct process p;

	for (size_t i = 0; i < N(words); i++) {
		if (words[i] != NULL)
			argv[n++] = strdup(words[i]);
	}
	p = start(argv);
	for (size_t i = 0; i < n; i++)
		free(argv[i]);
	return p;
}

struct process start_role(const char *role, const char *a, const char *b)
{
	return start_role_in(NULL, role, a, b);
}

void hear(const struct process *p)
{
	char c = 0;

	while (c != '\n')
		assert_int_equal(read(p->out, &c, 1), 1);
}

int finish(const struct process *p)
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

int role_load(sp_store *s, const char *key, const char *value)
{
	size_t n;
	sp_error e = s->load(s->context, key, loaded, SP_RECORD_MAX, &n);

	if (e != SP_OK)
		return 20 + (int)e;
	return n == strlen(value) && memcmp(loaded, value, n) == 0 ? 0 : 10;
}

int role_save(sp_store *s, const char *key, const char *value)
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

/* ---- all together ---- */

static const struct role common[] = {
	{ "hold", role_hold, true },   { "load", role_load, true },   { "save", role_save, true },
	{ "erase", role_erase, true }, { "write", role_write, true }, { "count", role_count, true },
};

static const struct role *find_role(const char *name, const struct role *roles, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(roles[i].name, name) == 0)
			return &roles[i];
	}
	return NULL;
}

bool is_role(int argc)
{
	return argc == 5;
}

/* argv: program, role, path, and two words for the role. */
int play(char **argv, const struct place *place, const struct role *roles, size_t n)
{
	const struct role *role = find_role(argv[1], roles, n);
	sp_store s = { 0 };
	int status;

	(void)snprintf(path, sizeof path, "%s", argv[2]);
	if (role == NULL)
		role = find_role(argv[1], common, N(common));
	if (role == NULL)
		return 99;
	if (role->opens && place->open(&s) != SP_OK)
		return 98;
	status = role->run(&s, argv[3], argv[4]);
	if (role->opens)
		s.close(s.context);
	return status;
}

static struct CMUnitTest tests[64];
static char names[N(tests)][96];
static size_t n_tests;

void begin_tests(const char *argv0)
{
	program = argv0;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)snprintf(folder, sizeof folder, "/tmp/sallyport-stores-XXXXXX");
	if (mkdtemp(folder) == NULL || setenv("XDG_RUNTIME_DIR", folder, 1) != 0)
		abort();
	(void)snprintf(path, sizeof path, "%s/tokens", folder);
}

void add_tests(const struct place *place, const struct CMUnitTest *more, size_t n)
{
	union {
		const struct place *place;
		void *state;
	} p = { .place = place };

	for (size_t i = 0; i < n; i++, n_tests++) {
		if (n_tests == N(tests))
			abort();
		(void)snprintf(names[n_tests], sizeof names[n_tests], "%s: %s", place->name, more[i].name);
		tests[n_tests] = (struct CMUnitTest){ names[n_tests], more[i].test_func, NULL, clean_up, p.state };
	}
}

int run_added(const char *group)
{
	int failed = _cmocka_run_group_tests(group, tests, n_tests, NULL, NULL);

	(void)rmdir(folder);
	return failed;
}

int run_without_store(const char *argv0, const char *group, const struct CMUnitTest *more, size_t n)
{
	const struct place none = { .name = group };

	begin_tests(argv0);
	add_tests(&none, more, n);
	return run_added(group);
}
