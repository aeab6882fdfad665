/* Guests over a store of their own: which of them the sweep takes, and how often it looks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "domain/guest.h"
#include "jobs/sweep.h"
#include "domain_fixture.h"

#define TTL_MS	 (7 * MS_PER_DAY)

static struct domain_fixture w;

static int set_up(void **state)
{
	(void)state;
	if (domain_open(&w) != 0)
		return -1;
	w.cfg.server.public_url = STR("https://auth.example.test");
	w.cfg.guest.enabled = true;
	w.cfg.guest.unused_ttl_ms = TTL_MS;
	w.cfg.token.access_ttl_ms = 15 * MS_PER_MIN;
	w.cfg.token.refresh_ttl_ms = 365 * MS_PER_DAY;
	w.cfg.token.refresh_max_ttl_ms = 365 * MS_PER_DAY;
	w.cfg.token.refresh_window_ms = MS_PER_MIN;
	w.cfg.session.max_per_user = 10;
	w.cfg.limits.device_ttl_ms = 365 * MS_PER_DAY;
	w.cfg.audit.retention_ms = 365 * MS_PER_DAY;
	w.c.client_ip = STR("127.0.0.1");
	w.c.user_agent = STR("test");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	domain_close(&w);
	return 0;
}

static int64_t guest(void)
{
	struct signed_in s;
	str uid;

	arena_reset(w.c.mem);
	OK_OF(guest_create(&w.c, &s, &uid));
	assert_int_equal(s.kind, GATE_TOKENS);
	return w.c.log_user_id;
}

static bool is_there(int64_t id)
{
	struct user_row u;
	bool found;

	OK_OF(q_user_by_id(w.c.db, w.c.mem, id, &u, &found));
	return found;
}

/* His only session was used. */
static void use(int64_t id)
{
	struct session_row *rows;
	size_t n;
	TX tx = { 0 };

	OK_OF(session_list_own(&w.c, id, &rows, &n));
	assert_int_equal(n, 1);
	OK_OF(tx_begin(&tx, w.c.db));
	OK_OF(q_session_touch(w.c.db, session_id_of((const uint8_t *)rows[0].sid.p), rows[0].sid, w.c.now_ms));
	OK_OF(tx_commit(&tx));
}

static int64_t swept(int64_t limit_n)
{
	int64_t n;

	OK_OF(guest_sweep(&w.c, limit_n, &n));
	return n;
}

static void a_guest_lives_as_long_as_somebody_uses_it(void **state)
{
	int64_t used, unused;

	(void)state;
	used = guest();
	unused = guest();
	w.c.now_ms += TTL_MS;
	assert_int_equal(swept(10), 0);
	assert_true(is_there(unused));
	w.c.now_ms -= MS_PER_DAY;
	use(used);
	w.c.now_ms += MS_PER_DAY + 1;
	assert_int_equal(swept(10), 2);
	assert_true(is_there(used));
	assert_false(is_there(unused));
	assert_int_equal(swept(10), 0); /* the used one is not looked at again until it may be over */
	w.c.now_ms += TTL_MS;
	assert_int_equal(swept(10), 1);
	assert_false(is_there(used));
}

static void used_guests_in_front_do_not_hide_unused_ones(void **state)
{
	int64_t used[3], unused[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		used[i] = guest();
	for (int i = 0; i < 3; i++)
		unused[i] = guest();
	w.c.now_ms += TTL_MS + 1;
	for (int i = 0; i < 3; i++)
		use(used[i]);
	for (int i = 0; i < 4; i++)
		(void)swept(2);
	for (int i = 0; i < 3; i++) {
		assert_true(is_there(used[i]));
		assert_false(is_there(unused[i]));
	}
}

static void who_has_an_address_is_not_swept(void **state)
{
	int64_t id = guest(), changed;
	TX tx = { 0 };

	(void)state;
	OK_OF(tx_begin(&tx, w.c.db));
	OK_OF(q_guest_become(w.c.db, id, STR("a@b.test"), STR("a@b.test"), STR("hash"), STR_NONE, STR_NONE,
			     STR_NONE, 0, &changed));
	OK_OF(tx_commit(&tx));
	assert_int_equal(changed, 1);
	w.c.now_ms += 10 * TTL_MS;
	assert_int_equal(swept(10), 0);
	assert_true(is_there(id));
}

static void the_sweep_takes_many_in_slices(void **state)
{
	int64_t first = guest(), last = first, n;

	(void)state;
	for (int i = 0; i < 450; i++)
		last = guest();
	w.c.now_ms += TTL_MS + 1;
	OK_OF(sweep_run(&w.c, &n));
	assert_true(n >= 451);
	assert_false(is_there(first) || is_there(last));
}

static void off_means_off(void **state)
{
	struct signed_in s;
	str uid;

	(void)state;
	w.cfg.guest.enabled = false;
	assert_int_equal(guest_create(&w.c, &s, &uid).code, ERR_GUESTS_OFF);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_guest_lives_as_long_as_somebody_uses_it),
		TEST(used_guests_in_front_do_not_hide_unused_ones),
		TEST(who_has_an_address_is_not_swept),
		TEST(the_sweep_takes_many_in_slices),
		TEST(off_means_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
