/* The outbox over a store of its own: what is stored, who is handed what, and what becomes of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>
#include <sqlite3.h>
#include <string.h>

#include "domain/outbox.h"
#include "domain_fixture.h"

#define LEASE_MS (10 * MS_PER_MIN)

static struct domain_fixture w;

static int set_up(void **state)
{
	(void)state;
	if (domain_open(&w) != 0)
		return -1;
	w.cfg.mail.transport = MAIL_LOG;
	w.cfg.mail.default_lang = STR("it");
	w.cfg.sms.transport = SMS_LOG;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	domain_close(&w);
	return 0;
}

static bool same(str a, const char *b)
{
	return str_eq(a, str_of_cstr(b));
}

static void add_message(const struct outbox_message *m)
{
	TX tx = { 0 };

	OK_OF(tx_begin(&tx, w.c.db));
	OK_OF(outbox_add(&w.c, m));
	OK_OF(tx_commit(&tx));
}

static void add(const char *recipient)
{
	const struct outbox_message m = {
		.channel = OUTBOX_MAIL,
		.template = STR("magic-link"),
		.recipient = str_of_cstr(recipient),
		.vars = { { STR("link"), STR("https://app.test/?token=SECRETTOKEN") },
			  { STR("n"), STR_NONE } },
		.n_vars = 2,
	};

	add_message(&m);
}

static bool claim_from(struct ctx *c, struct outbox_item *ret, int64_t *ret_next_ms)
{
	bool found;

	OK_OF(outbox_claim(c, OUTBOX_MAIL, LEASE_MS, ret, &found, ret_next_ms));
	return found;
}

static bool claim(struct outbox_item *ret)
{
	int64_t next_ms;

	return claim_from(&w.c, ret, &next_ms);
}

static struct outbox_depth depth(enum outbox_channel channel)
{
	struct outbox_depth d;

	OK_OF(outbox_depth(&w.c, channel, &d));
	return d;
}

static size_t rows(struct outbox_row **ret)
{
	size_t n;

	OK_OF(outbox_page(&w.c, 0, 100, ret, &n));
	return n;
}

/* ---- adding ---- */

static void a_message_comes_back_as_it_was_queued(void **state)
{
	struct outbox_item i;

	(void)state;
	add("ada@example.test");
	assert_true(w.c.outbox_added);
	assert_true(claim(&i));
	assert_true(same(i.recipient, "ada@example.test") && same(i.template, "magic-link"));
	assert_true(same(i.lang, "it")); /* nobody chose one */
	assert_int_equal(i.n_vars, 2);
	assert_true(same(i.vars[0].name, "link"));
	assert_true(same(i.vars[0].value, "https://app.test/?token=SECRETTOKEN"));
	assert_true(same(i.vars[1].name, "n") && i.vars[1].value.n == 0);
	assert_int_equal(i.attempts, 1);
	assert_int_equal(i.created_ms, START_MS);
	assert_int_equal(i.uid.n, 16);
	assert_int_equal(i.problem.n, 0);
}

static void without_a_transport_nothing_is_queued(void **state)
{
	struct outbox_row *r;

	(void)state;
	w.cfg.mail.transport = MAIL_NONE;
	add("ada@example.test");
	w.cfg.mail.transport = MAIL_UNSET;
	add("ada@example.test");
	assert_int_equal(rows(&r), 0);
	assert_false(w.c.outbox_added);
}

static void a_message_of_a_rolled_back_transaction_was_never_there(void **state)
{
	const struct outbox_message m = { .channel = OUTBOX_MAIL,
					  .template = STR("welcome"),
					  .recipient = STR("ada@example.test") };
	struct outbox_row *r;

	(void)state;
	{
		TX tx = { 0 };

		OK_OF(tx_begin(&tx, w.c.db));
		OK_OF(outbox_add(&w.c, &m));
	}
	assert_int_equal(rows(&r), 0);
}

static void a_message_to_nobody_is_a_bug_of_the_caller(void **state)
{
	const struct outbox_message m = { .channel = OUTBOX_MAIL, .template = STR("welcome") };
	TX tx = { 0 };

	(void)state;
	OK_OF(tx_begin(&tx, w.c.db));
	assert_int_equal(outbox_add(&w.c, &m).code, ERR_BUG);
}

static bool holds(str bytes, const char *text)
{
	return bytes.n > 0 && memmem(bytes.p, bytes.n, text, strlen(text)) != NULL;
}

static void the_variables_cannot_be_read_in_the_store(void **state)
{
	struct outbox_row *r;

	(void)state;
	add("ada@example.test");
	assert_int_equal(rows(&r), 1);
	assert_true(r[0].sealed.n > 60);
	assert_false(holds(r[0].sealed, "SECRETTOKEN"));
	assert_false(holds(r[0].sealed, "app.test"));
	assert_false(holds(r[0].sealed, "link"));
}

static void run_sql(const char *sql)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(w.f.file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_sealed_value_moved_to_another_message_does_not_open(void **state)
{
	struct outbox_item i;
	struct outbox_row *r;

	(void)state;
	add("victim@example.test");
	w.c.now_ms++;
	add("thief@example.test");
	run_sql("UPDATE outbox SET sealed = (SELECT sealed FROM outbox WHERE id = 1) WHERE id = 2");
	assert_true(claim(&i));
	assert_true(same(i.recipient, "victim@example.test"));
	assert_false(claim(&i));
	assert_int_equal(depth(OUTBOX_MAIL).dead, 1);
	assert_int_equal(atomic_load(&w.count.mail_dead), 1);
	assert_int_equal(rows(&r), 2);
	assert_true(r[1].dead && r[1].problem.n > 0 && r[1].attempts == 1);
}

static void a_message_that_does_not_open_does_not_hold_up_those_behind_it(void **state)
{
	struct outbox_item i;

	(void)state;
	add("broken@example.test");
	w.c.now_ms++;
	add("ada@example.test");
	run_sql("UPDATE outbox SET sealed = x'00' WHERE id = 1");
	assert_false(claim(&i)); /* dead now; the sender asks again at once */
	assert_true(claim(&i));
	assert_true(same(i.recipient, "ada@example.test"));
}

/* ---- claiming ---- */

static void the_one_due_longest_comes_first_and_each_once(void **state)
{
	struct outbox_item i;

	(void)state;
	w.c.now_ms = START_MS + 2;
	add("third@example.test");
	w.c.now_ms = START_MS;
	add("first@example.test");
	w.c.now_ms = START_MS + 1;
	add("second@example.test");
	w.c.now_ms = START_MS + 5;
	assert_true(claim(&i) && same(i.recipient, "first@example.test"));
	assert_true(claim(&i) && same(i.recipient, "second@example.test"));
	assert_true(claim(&i) && same(i.recipient, "third@example.test"));
	assert_false(claim(&i));
}

static void channels_do_not_take_each_others_messages(void **state)
{
	const struct outbox_message sms = { .channel = OUTBOX_SMS,
					    .template = STR("sms-code"),
					    .recipient = STR("+390123456789") };
	struct outbox_item i;
	int64_t next_ms;
	bool found;

	(void)state;
	add_message(&sms);
	assert_false(claim(&i));
	OK_OF(outbox_claim(&w.c, OUTBOX_SMS, LEASE_MS, &i, &found, &next_ms));
	assert_true(found && same(i.recipient, "+390123456789"));
	assert_int_equal(i.n_vars, 0);
}

static void what_is_not_due_says_when_it_will_be(void **state)
{
	struct outbox_item i;
	int64_t next_ms;

	(void)state;
	assert_false(claim_from(&w.c, &i, &next_ms));
	assert_int_equal(next_ms, INT64_MAX);
	add("ada@example.test");
	assert_true(claim(&i));
	OK_OF(outbox_retry_at(&w.c, i.id, START_MS + 5000, STR("450 later")));
	assert_false(claim_from(&w.c, &i, &next_ms));
	assert_int_equal(next_ms, START_MS + 5000);
	w.c.now_ms = START_MS + 5000;
	assert_true(claim(&i));
	assert_int_equal(i.attempts, 2);
	assert_true(same(i.problem, "450 later"));
}

static void a_claimed_message_is_nobody_elses_until_its_lease_ends(void **state)
{
	struct outbox_item i;
	int64_t next_ms;

	(void)state;
	add("ada@example.test");
	assert_true(claim(&i));
	w.c.now_ms = START_MS + LEASE_MS - 1;
	assert_false(claim_from(&w.c, &i, &next_ms));
	assert_int_equal(next_ms, START_MS + LEASE_MS);
	w.c.now_ms = START_MS + LEASE_MS;
	assert_true(claim(&i));
	assert_int_equal(i.attempts, 2);
}

static void a_restart_gives_back_what_was_taken_and_only_that(void **state)
{
	struct outbox_item i, taken;
	int64_t n;

	(void)state;
	add("resting@example.test");
	assert_true(claim(&i));
	OK_OF(outbox_retry_at(&w.c, i.id, START_MS + MS_PER_HOUR, STR("450 later")));
	add("taken@example.test");
	assert_true(claim(&taken));
	fixture_reopen(&w.f);
	w.c.db = w.f.db;
	OK_OF(outbox_release_leases(&w.c, &n));
	assert_int_equal(n, 1);
	assert_true(claim(&i) && same(i.recipient, "taken@example.test"));
	assert_int_equal(i.attempts, 2);
	assert_false(claim(&i));
}

#define THREADS	 4
#define MESSAGES 40

struct claimer {
	struct arena mem;
	struct ctx c;
	int64_t ids[MESSAGES];
	size_t n;
	bool failed;
};

static void *claim_all(void *arg)
{
	struct claimer *k = arg;
	struct outbox_item i;
	int64_t next_ms;
	bool found = true;

	while (!k->failed && k->n < MESSAGES) {
		k->failed = outbox_claim(&k->c, OUTBOX_MAIL, LEASE_MS, &i, &found, &next_ms).code !=
			    ERR_OK;
		if (!found || k->failed)
			break;
		k->ids[k->n++] = i.id;
		arena_reset(&k->mem);
	}
	return NULL;
}

static void handles_that_race_for_messages_get_each_one_once(void **state)
{
	static struct claimer k[THREADS];
	pthread_t threads[THREADS];
	bool seen[MESSAGES + 1] = { false };
	size_t total = 0;

	(void)state;
	for (int n = 0; n < MESSAGES; n++)
		add("ada@example.test");
	for (size_t t = 0; t < THREADS; t++) {
		k[t] = (struct claimer){ .c = w.c };
		OK_OF(arena_init(&k[t].mem, ARENA_DEFAULT_BYTES));
		OK_OF(store_handle(w.f.store, &k[t].c.db));
		k[t].c.mem = &k[t].mem;
		assert_int_equal(pthread_create(&threads[t], NULL, claim_all, &k[t]), 0);
	}
	for (size_t t = 0; t < THREADS; t++) {
		assert_int_equal(pthread_join(threads[t], NULL), 0);
		assert_false(k[t].failed);
		for (size_t n = 0; n < k[t].n; n++) {
			assert_in_range(k[t].ids[n], 1, MESSAGES);
			assert_false(seen[k[t].ids[n]]);
			seen[k[t].ids[n]] = true;
			total++;
		}
		db_close(k[t].c.db);
		arena_clear(&k[t].mem);
	}
	assert_int_equal(total, MESSAGES);
}

static void a_clock_that_ran_ahead_does_not_delay_a_message_for_days(void **state)
{
	struct outbox_item i;

	(void)state;
	w.c.now_ms = START_MS + 30 * MS_PER_DAY;
	add("ada@example.test");
	w.c.now_ms = START_MS;
	assert_true(claim(&i));
}

/* ---- ends ---- */

static void what_was_sent_or_has_expired_is_gone(void **state)
{
	struct outbox_item i;
	struct outbox_row *r;

	(void)state;
	add("ada@example.test");
	add("ada@example.test");
	assert_true(claim(&i));
	OK_OF(outbox_sent(&w.c, i.id));
	assert_true(claim(&i));
	OK_OF(outbox_expired(&w.c, i.id));
	OK_OF(outbox_sent(&w.c, i.id)); /* gone already: no matter */
	assert_int_equal(rows(&r), 0);
}

static void a_dead_message_is_kept_with_its_problem_and_not_handed_out(void **state)
{
	struct outbox_item i;
	struct outbox_row *r;
	struct outbox_depth d;

	(void)state;
	add("ada@example.test");
	assert_true(claim(&i));
	OK_OF(outbox_give_up(&w.c, i.id, STR("550 no such user")));
	w.c.now_ms += 365 * MS_PER_DAY;
	assert_false(claim(&i));
	assert_int_equal(rows(&r), 1);
	assert_true(r[0].dead && same(r[0].problem, "550 no such user"));
	d = depth(OUTBOX_MAIL);
	assert_int_equal(d.waiting, 0);
	assert_int_equal(d.dead, 1);
	assert_int_equal(d.oldest_ms, 0);
}

static void the_depth_counts_each_channel_and_knows_its_oldest(void **state)
{
	struct outbox_depth d;

	(void)state;
	add("ada@example.test");
	w.c.now_ms += 1000;
	add("ada@example.test");
	d = depth(OUTBOX_MAIL);
	assert_int_equal(d.waiting, 2);
	assert_int_equal(d.dead, 0);
	assert_int_equal(d.oldest_ms, START_MS);
	assert_int_equal(depth(OUTBOX_SMS).waiting, 0);
	assert_int_equal(depth(OUTBOX_SMS).oldest_ms, 0);
}

static void deleting_an_account_drops_its_queued_messages(void **state)
{
	struct outbox_message m = { .channel = OUTBOX_MAIL,
				    .template = STR("welcome"),
				    .recipient = STR("ada@example.test") };
	struct outbox_row *r;
	struct user_row u;
	int64_t changed;
	bool found;
	TX tx = { 0 };

	(void)state;
	OK_OF(fixture_add(&w.f, w.c.db, 1));
	OK_OF(q_user_by_email(w.c.db, w.c.mem, STR("1@example.com"), &u, &found));
	m.user_id = u.id;
	add_message(&m);
	add("nobody@example.test");
	assert_int_equal(rows(&r), 2);
	OK_OF(tx_begin(&tx, w.c.db));
	OK_OF(q_user_delete(w.c.db, u.id, &changed));
	OK_OF(tx_commit(&tx));
	assert_int_equal(changed, 1);
	assert_int_equal(rows(&r), 1);
	assert_true(same(r[0].recipient, "nobody@example.test"));
}

static void the_end_of_a_dropped_message_does_not_touch_a_newer_one(void **state)
{
	struct outbox_item i;
	struct outbox_row *r;
	int64_t n;

	(void)state;
	add("dropped@example.test");
	assert_true(claim(&i));
	OK_OF(outbox_drop(&w.c, i.id, &n));
	add("newer@example.test");
	OK_OF(outbox_sent(&w.c, i.id));
	assert_int_equal(rows(&r), 1);
	assert_true(same(r[0].recipient, "newer@example.test"));
}

/* ---- operators ---- */

static void a_dead_message_tried_again_begins_anew(void **state)
{
	struct outbox_item i;
	int64_t n;

	(void)state;
	add("ada@example.test");
	assert_true(claim(&i));
	OK_OF(outbox_give_up(&w.c, i.id, STR("550 no such user")));
	w.c.now_ms += 10 * MS_PER_DAY;
	OK_OF(outbox_retry(&w.c, i.id, &n));
	assert_int_equal(n, 1);
	assert_true(claim(&i));
	assert_int_equal(i.attempts, 1);
	assert_int_equal(i.created_ms, w.c.now_ms); /* else it would be too old at once */
}

static void a_resting_message_can_be_hurried_and_one_under_way_is_left_alone(void **state)
{
	struct outbox_item i;
	int64_t n;

	(void)state;
	add("ada@example.test");
	assert_true(claim(&i));
	OK_OF(outbox_retry(&w.c, i.id, &n));
	assert_int_equal(n, 0);
	assert_false(claim(&i));
	OK_OF(outbox_retry_at(&w.c, 1, START_MS + MS_PER_HOUR, STR("450 later")));
	OK_OF(outbox_retry(&w.c, 1, &n));
	assert_int_equal(n, 1);
	assert_true(claim(&i));
	assert_int_equal(i.attempts, 2);
	assert_int_equal(i.created_ms, START_MS);
}

static void a_dead_message_is_swept_after_a_month_and_a_waiting_one_never(void **state)
{
	struct outbox_item i;
	int64_t n;

	(void)state;
	add("dead@example.test");
	assert_true(claim(&i));
	OK_OF(outbox_give_up(&w.c, i.id, STR("no such user")));
	add("waiting@example.test");
	w.c.now_ms += OUTBOX_DEAD_MS;
	OK_OF(outbox_sweep(&w.c, 10, &n));
	assert_int_equal(n, 0);
	w.c.now_ms += MS_PER_HOUR;
	OK_OF(outbox_sweep(&w.c, 10, &n));
	assert_int_equal(n, 1);
	assert_true(claim(&i) && same(i.recipient, "waiting@example.test"));
}

static void all_dead_ones_are_retried_or_dropped_together(void **state)
{
	struct outbox_item i;
	struct outbox_row *r;
	int64_t n;

	(void)state;
	add("a@example.test");
	add("b@example.test");
	add("waits@example.test");
	for (int k = 0; k < 2; k++) {
		assert_true(claim(&i));
		OK_OF(outbox_give_up(&w.c, i.id, STR("")));
	}
	OK_OF(outbox_retry(&w.c, 0, &n));
	assert_int_equal(n, 2);
	assert_int_equal(depth(OUTBOX_MAIL).waiting, 3);
	OK_OF(outbox_give_up(&w.c, i.id, STR("")));
	OK_OF(outbox_drop(&w.c, 0, &n));
	assert_int_equal(n, 1);
	assert_int_equal(rows(&r), 2);
	OK_OF(outbox_drop(&w.c, r[0].id, &n));
	assert_int_equal(n, 1);
	OK_OF(outbox_drop(&w.c, 4711, &n));
	assert_int_equal(n, 0);
}

#define NAMED(id, name)                                                                            \
	{                                                                                          \
		id " " #name, name, set_up, tear_down, NULL                                        \
	}
#define PLAIN(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLAIN(a_message_comes_back_as_it_was_queued),
		PLAIN(without_a_transport_nothing_is_queued),
		PLAIN(a_message_of_a_rolled_back_transaction_was_never_there),
		PLAIN(a_message_to_nobody_is_a_bug_of_the_caller),
		PLAIN(the_variables_cannot_be_read_in_the_store),
		PLAIN(a_sealed_value_moved_to_another_message_does_not_open),
		PLAIN(a_message_that_does_not_open_does_not_hold_up_those_behind_it),
		PLAIN(the_one_due_longest_comes_first_and_each_once),
		PLAIN(channels_do_not_take_each_others_messages),
		PLAIN(what_is_not_due_says_when_it_will_be),
		PLAIN(a_claimed_message_is_nobody_elses_until_its_lease_ends),
		NAMED("REL-11", a_restart_gives_back_what_was_taken_and_only_that),
		NAMED("REL-11", handles_that_race_for_messages_get_each_one_once),
		PLAIN(a_clock_that_ran_ahead_does_not_delay_a_message_for_days),
		PLAIN(what_was_sent_or_has_expired_is_gone),
		PLAIN(a_dead_message_is_kept_with_its_problem_and_not_handed_out),
		PLAIN(the_depth_counts_each_channel_and_knows_its_oldest),
		NAMED("ID16", deleting_an_account_drops_its_queued_messages),
		PLAIN(the_end_of_a_dropped_message_does_not_touch_a_newer_one),
		PLAIN(a_dead_message_tried_again_begins_anew),
		PLAIN(a_resting_message_can_be_hurried_and_one_under_way_is_left_alone),
		PLAIN(a_dead_message_is_swept_after_a_month_and_a_waiting_one_never),
		PLAIN(all_dead_ones_are_retried_or_dropped_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
