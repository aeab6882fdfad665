/* test_main.c — sallyport-test: `sallyport serve` with a clock, a random source and a store that tests
 * can bend while it runs (control.h). Links the same libraries; `sallyport` itself has no such levers. */
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "app/serve.h"
#include "cheap_hash.h"
#include "control.h"
#include "failing_heap.h"

static atomic_llong *levers;

static long long lever(enum control which)
{
	return atomic_load(&levers[which]);
}

static atomic_llong *map_levers(const char *file)
{
	size_t n = CONTROL_N * sizeof(atomic_llong);
	int fd = open(file, O_RDWR | O_CLOEXEC);
	void *p = MAP_FAILED;

	if (fd >= 0) {
		if (ftruncate(fd, (off_t)n) == 0)
			p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		(void)close(fd);
	}
	return p == MAP_FAILED ? NULL : p;
}

/* ---- time and randomness ---- */

static int64_t bent_now_ms(void *self)
{
	int64_t frozen = lever(CONTROL_CLOCK_FROZEN_MS);

	(void)self;
	return (frozen != 0 ? frozen : clock_now_ms(clock_system)) + lever(CONTROL_CLOCK_SHIFT_MS);
}

/* While the time of day stands still, so does this: time goes by when a test says so. */
static int64_t bent_mono_ms(void *self)
{
	(void)self;
	return (lever(CONTROL_CLOCK_FROZEN_MS) != 0 ? MS_PER_DAY : monotonic_ms()) + lever(CONTROL_MONO_SHIFT_MS);
}

/* Takes one off a lever that counts down, never below zero. Returns what it was. */
static long long take_one(enum control which)
{
	long long was = lever(which);

	while (was > 0 && !atomic_compare_exchange_weak(&levers[which], &was, was - 1))
		;
	return was;
}

static err_t bent_fill(void *self, void *dst, size_t n)
{
	(void)self;
	atomic_fetch_add(&levers[CONTROL_RNG_CALLS], 1);
	REQUIRE(take_one(CONTROL_RNG_LEFT) != 0, ERR_CRYPTO);
	TRY(rng_fill(rng_system, dst, n));
	cheap_hash_mark(dst, n);
	return OK;
}

static bool heap_is_refused(void)
{
	atomic_fetch_add(&levers[CONTROL_HEAP_CALLS], 1);
	return take_one(CONTROL_HEAP_FAIL_AT) == 1;
}

/* ---- the store: every handle of a request thread gets these operations instead of its own ---- */

static _Atomic(const struct db_ops *) real_ops; /* there is one driver, so they are all the same */

static err_t fail_in_turn(void)
{
	atomic_fetch_add(&levers[CONTROL_STORE_CALLS], 1);
	if (take_one(CONTROL_STORE_FAIL_AT) == 1)
		FAIL((enum err_code)lever(CONTROL_STORE_FAIL_CODE));
	return OK;
}

/* Something else may commit now, between what a request has read and what it does about it. */
static void hold(void)
{
	atomic_store(&levers[CONTROL_HELD], 1);
	while (lever(CONTROL_HELD) != 0)
		(void)poll(NULL, 0, 1);
}

/* What somebody does who runs code of his own in the server. */
static void intrude(void)
{
	char *none[] = { NULL };

	(void)syscall(SYS_execveat, AT_FDCWD, "/bin/true", none, none, 0);
}

static err_t bent_begin(struct db *db)
{
	if (take_one(CONTROL_INTRUDE) == 1)
		intrude();
	atomic_fetch_add(&levers[CONTROL_BEGINS], 1);
	if (take_one(CONTROL_HOLD_AT) == 1)
		hold();
	(void)poll(NULL, 0, (int)lever(CONTROL_STORE_STALL_MS));
	TRY(fail_in_turn());
	return atomic_load(&real_ops)->begin(db);
}

static err_t bent_commit(struct db *db)
{
	err_t e = fail_in_turn();

	if (e.code == ERR_OK)
		return atomic_load(&real_ops)->commit(db);
	atomic_load(&real_ops)->rollback(db);
	return e;
}

static err_t bent_run(struct db *db, const struct query *q, const struct val *in, struct arena *mem,
		      struct val **ret_rows, size_t *ret_n, int64_t *ret_changed)
{
	TRY(fail_in_turn());
	return atomic_load(&real_ops)->run(db, q, in, mem, ret_rows, ret_n, ret_changed);
}

static void bent_rollback(struct db *db)
{
	atomic_load(&real_ops)->rollback(db);
}

static void bent_close(struct db *db)
{
	db->ops = atomic_load(&real_ops);
	db->ops->close(db);
}

static const struct db_ops bent_ops = {
	.name = "bent",
	.begin = bent_begin,
	.commit = bent_commit,
	.rollback = bent_rollback,
	.run = bent_run,
	.close = bent_close,
};

static void bend_store(void *self, struct db *db)
{
	(void)self;
	atomic_store(&real_ops, db->ops);
	db->ops = &bent_ops;
}

/* ---- arguments: [serve] and the global options of sallyport, as "--name value" ---- */

static bool parse(int argc, char **argv, struct config_source *s)
{
	static const struct {
		const char *option, *key;
	} overrides[] = { { "--data", "server.data_dir" }, { "--listen", "server.listen" } };

	for (int i = 1; i < argc; i++) {
		str arg = str_of_cstr(argv[i]);
		bool known = str_eq(arg, STR("serve")) || str_eq(arg, STR("--dev"));

		if (str_eq(arg, STR("--dev")))
			s->dev = true;
		if (!known && i + 1 == argc)
			return false;
		if (str_eq(arg, STR("--config"))) {
			s->file = argv[++i];
			known = true;
		}
		for (size_t k = 0; k < sizeof(overrides) / sizeof(overrides[0]) && !known; k++) {
			if (!str_eq(arg, str_of_cstr(overrides[k].option)))
				continue;
			s->overrides[s->n_overrides].key = overrides[k].key;
			s->overrides[s->n_overrides++].value = argv[++i];
			known = true;
		}
		if (!known)
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct config_source source = { .environ = environ };
	const struct wire_options o = {
		.source = &source,
		.clock = { bent_now_ms, bent_mono_ms, NULL },
		.rng = { bent_fill, NULL },
		.thread_opened = bend_store,
	};
	const char *file = getenv("TEST_CONTROL");

	cheap_hash_init();
	levers = file == NULL ? NULL : map_levers(file);
	if (levers == NULL || !parse(argc, argv, &source)) {
		(void)fprintf(stderr, "usage: TEST_CONTROL=FILE sallyport-test serve [--config FILE] "
				      "[--data DIR] [--listen ADDRESS] [--dev]\n");
		return EXIT_USAGE;
	}
	failing_heap_init(heap_is_refused);
	return (int)serve_run(&o);
}
