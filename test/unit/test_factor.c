/* Resets of second factors that wait, over a store of their own: when the sweep carries them out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "domain/factor.h"
#include "jobs/sweep.h"
#include "store/query.h"
#include "domain_fixture.h"

#define DELAY_MS MS_PER_DAY

static struct domain_fixture w;

static int set_up(void **state)
{
	(void)state;
	if (domain_open(&w) != 0)
		return -1;
	w.cfg.twofactor.admin_reset_delay_ms = DELAY_MS;
	w.cfg.audit.retention_ms = 365 * MS_PER_DAY;
	w.c.client_ip = STR("cli");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	domain_close(&w);
	return 0;
}

static struct user_row row_of(int64_t id)
{
	struct user_row u = { 0 };
	bool found;

	OK_OF(q_user_by_id(w.c.db, w.c.mem, id, &u, &found));
	assert_true(found);
	return u;
}

/* An account with an app. */
static int64_t armed(const char *name, bool is_admin)
{
	str email = str_of_cstr(name), seed = STR("sealed");
	char uid[16] = { 0 };
	int64_t id, changed;
	bool found;
	TX tx = { 0 };

	memcpy(uid, name, strlen(name));
	OK_OF(tx_begin(&tx, w.c.db));
	OK_OF(q_user_insert(w.c.db, w.c.mem, (str){ uid, 16 }, email, email, STR_NONE, STR_NONE,
			    STR_NONE, is_admin, true, w.c.now_ms, STR_NONE, 0, &id, &found));
	OK_OF(q_factor_pend(w.c.db, id, seed, w.c.now_ms, &changed));
	OK_OF(q_factor_prove(w.c.db, id, seed, 1, w.c.now_ms, false, &changed));
	OK_OF(tx_commit(&tx));
	return id;
}

static void ask(int64_t id)
{
	struct user_row u = row_of(id);

	OK_OF(factor_reset(&w.c, &u));
}

static int64_t swept(int64_t limit_n)
{
	int64_t n;

	OK_OF(factor_sweep(&w.c, limit_n, &n));
	return n;
}

static void MF19_an_administrators_reset_takes_place_when_its_time_has_come(void **state)
{
	int64_t admin = armed("admin@a", true), other = armed("user@a", false), n;

	(void)state;
	ask(admin);
	ask(other);
	assert_false(row_of(other).has_totp); /* nobody else's waits */
	assert_true(row_of(admin).has_totp);
	w.c.now_ms += DELAY_MS - 1;
	assert_int_equal(swept(10), 0);
	assert_true(row_of(admin).has_totp);
	w.c.now_ms += 1;
	OK_OF(sweep_run(&w.c, &n));
	assert_int_equal(n, 1);
	assert_false(row_of(admin).has_totp);
	assert_int_equal(row_of(admin).factor_reset_ms, 0);
	assert_int_equal(swept(10), 0);
}

static void MF19_one_that_was_called_off_does_not_take_place(void **state)
{
	int64_t kept = armed("kept@a", true), lost = armed("lost@a", true);
	struct user_row u;

	(void)state;
	ask(kept);
	ask(lost);
	u = row_of(kept);
	OK_OF(factor_keep(&w.c, &u));
	w.c.now_ms += DELAY_MS;
	assert_int_equal(swept(10), 1);
	assert_true(row_of(kept).has_totp);
	assert_false(row_of(lost).has_totp);
	ask(kept); /* a new one has the whole time before it */
	assert_int_equal(row_of(kept).factor_reset_ms, w.c.now_ms + DELAY_MS);
}

static void MF19_asking_again_neither_hastens_nor_delays(void **state)
{
	int64_t id = armed("admin@a", true);

	(void)state;
	ask(id);
	w.c.now_ms += DELAY_MS / 2;
	ask(id);
	assert_int_equal(row_of(id).factor_reset_ms, START_MS + DELAY_MS);
	w.cfg.twofactor.admin_reset_delay_ms = MS_PER_HOUR;
	ask(id);
	assert_int_equal(row_of(id).factor_reset_ms, START_MS + DELAY_MS);
}

static void many_are_carried_out_slice_by_slice(void **state)
{
	static const char *const names[] = { "a@a", "b@a", "c@a" };

	(void)state;
	for (int i = 0; i < 3; i++)
		ask(armed(names[i], true));
	w.c.now_ms += DELAY_MS;
	assert_int_equal(swept(2), 2);
	assert_int_equal(swept(2), 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(MF19_an_administrators_reset_takes_place_when_its_time_has_come),
		T(MF19_one_that_was_called_off_does_not_take_place),
		T(MF19_asking_again_neither_hastens_nor_delays),
		T(many_are_carried_out_slice_by_slice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
