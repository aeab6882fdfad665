/* What all stores promise: one table of checks for each of them, and one more for those that others see too. */
#include "sp_store_promises.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util.h"

#define WRITERS 4

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
	(void)used(longest);
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

void null_is_refused(void **state)
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
	p = start_role("load", k("shared"), "from here");
	assert_int_equal(finish(&p), 0);
	p = start_role("save", k("shared"), "from there");
	assert_int_equal(finish(&p), 0);
	check(&s, k("shared"), "from there");
	p = start_role("erase", k("shared"), "");
	assert_int_equal(finish(&p), 0);
	check(&s, k("shared"), NULL);
	p = start_role("save", k("made there"), "kept");
	assert_int_equal(finish(&p), 0);
	check(&s, k("made there"), "kept");
	save(&s, k("made there"), "changed here");
	p = start_role("load", k("made there"), "changed here");
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
		writers[i] = start_role("write", k(name), "");
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
	struct process p = start_role("hold", k("key"), "");

	hear(&p);
	assert_int_equal(take(&s, k("key"), 60), SP_TIMEOUT);
	assert_int_equal(finish(&p), 0);
	assert_int_equal(take(&s, k("key"), 0), SP_OK);
	p = start_role("hold", k("key"), "");
	assert_int_equal(finish(&p), 10);
	s.unlock(s.context, k("key"));
	s.close(s.context);
}

static void a_killed_holder_holds_nothing(void **state)
{
	sp_store s = opened(*state);
	struct process p = start_role("hold", k("key"), "");

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
		counters[i] = start_role("count", k("count"), "10");
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(finish(&counters[i]), 0);
	check(&s, k("count"), "40");
	s.close(s.context);
}

static const struct CMUnitTest for_all[] = {
	cmocka_unit_test(what_is_not_there_is_no_error),
	cmocka_unit_test(a_record_is_saved_replaced_and_erased),
	cmocka_unit_test(records_have_a_longest_length),
	cmocka_unit_test(a_record_goes_into_exactly_its_length),
	cmocka_unit_test(keys_do_not_mix),
	cmocka_unit_test(keys_may_be_odd),
	cmocka_unit_test(threads_may_share_a_store),
};

static const struct CMUnitTest for_shared[] = {
	cmocka_unit_test(stores_over_a_place_see_each_other),
	cmocka_unit_test(other_processes_read_and_write),
	cmocka_unit_test(parallel_writers_lose_nothing),
	cmocka_unit_test(a_second_client_waits_its_time),
	cmocka_unit_test(who_waits_gets_it),
	cmocka_unit_test(a_store_does_not_lock_twice),
	cmocka_unit_test(locks_of_other_keys),
	cmocka_unit_test(a_lock_keeps_other_processes_out),
	cmocka_unit_test(a_killed_holder_holds_nothing),
	cmocka_unit_test(a_forked_child_keeps_no_lock),
	cmocka_unit_test(what_is_changed_under_the_lock_is_not_lost),
};

void add_promises(const struct place *place)
{
	add_tests(place, for_all, N(for_all));
	if (place->shared)
		add_tests(place, for_shared, N(for_shared));
}
