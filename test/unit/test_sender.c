/* The sender over a store of its own, with providers on loopback: what is sent, what is not, and
 * what a provider or a store that fails leaves behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "crypto/mac.h"
#include "egress/mailer.h"
#include "jobs/sender.h"
#include "jobs/sending.h"
#include "store_fixture.h"
#include "tcp_peer.h"

#define TAKEN	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
#define REFUSED "HTTP/1.1 422 No\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnope"
#define DOWN	"HTTP/1.1 503 Down\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbusy"
#define ADA	"ada@example.test"

static struct {
	struct store_fixture f;
	struct config cfg, other;
	_Atomic(const struct config *) current;
	struct keyring *keys;
	struct counters count;
	struct ctx c;
	atomic_llong shift_ms;
	struct tcp_peer peer;
	bool peer_runs;
	char url[64], other_url[64];
	struct sender *sender;
	/* The store refuses this many transactions of the sender, once a provider was asked. */
	atomic_int refusals;
	const struct db_ops *real;
} w;

/* ---- what the sender is given ---- */

static int64_t shifted_now(void *self)
{
	(void)self;
	return clock_now_ms(clock_system) + atomic_load(&w.shift_ms);
}

static void hold(void *self, struct sender_runtime *ret)
{
	(void)self;
	*ret = (struct sender_runtime){ .cfg = atomic_load(&w.current), .keys = w.keys };
}

static void release(void *self, struct sender_runtime *rt)
{
	(void)self;
	(void)rt;
}

static err_t full_begin(struct db *db)
{
	if (atomic_load(&w.peer.connections) > 0 && atomic_load(&w.refusals) > 0) {
		atomic_fetch_sub(&w.refusals, 1);
		FAIL(ERR_STORE_FULL);
	}
	return w.real->begin(db);
}

static struct db_ops full_ops;

static void fill_store(void *self, struct db *db)
{
	(void)self;
	w.real = db->ops;
	full_ops = *db->ops;
	full_ops.begin = full_begin;
	db->ops = &full_ops;
}

static void start_with(void (*thread_opened)(void *self, struct db *db))
{
	const struct sender_options o = {
		.store = w.f.store,
		.count = &w.count,
		.clock = { shifted_now, shifted_now, NULL },
		.rng = rng_system,
		.hold = hold,
		.release = release,
		.thread_opened = thread_opened,
		.mail_threads = 2,
	};

	assert_int_equal(sender_start(&o, &w.sender).code, ERR_OK);
}

static void start(void)
{
	start_with(NULL);
}

static void stop(int64_t grace_ms)
{
	sender_stop(w.sender, grace_ms);
	w.sender = NULL;
}

static void set_url(struct config *cfg, char *url, size_t max, int port)
{
	(void)snprintf(url, max, "http://127.0.0.1:%d/send", port);
	cfg->mail.http_url = str_of_cstr(url);
}

static void provider(const char *answer)
{
	tcp_peer_start(&w.peer, answer, false);
	w.peer_runs = true;
	set_url(&w.cfg, w.url, sizeof(w.url), w.peer.port);
}

static int set_up(void **state)
{
	char why[256];

	(void)state;
	memset(&w, 0, sizeof(w));
	fixture_init(&w.f);
	w.cfg.server.public_url = STR("https://auth.example.test:8443/x");
	w.cfg.mail.transport = MAIL_HTTP;
	w.cfg.mail.from = STR("no-reply@example.test");
	w.cfg.mail.default_lang = STR("en");
	w.cfg.mail.timeout_ms = 30000;
	w.cfg.sms.transport = SMS_NONE;
	w.cfg.outbox.max_age_ms = MS_PER_DAY;
	atomic_store(&w.current, &w.cfg);
	if (crypto_init().code != ERR_OK || egress_init().code != ERR_OK ||
	    fixture_open(&w.f).code != ERR_OK ||
	    keyring_load(str_of_cstr(w.f.dir), ALG_ES256, 1, true, rng_system, &w.keys, why,
			 sizeof(why))
			    .code != ERR_OK)
		return -1;
	w.c = (struct ctx){
		.mem = &w.f.mem,
		.db = w.f.db,
		.cfg = &w.cfg,
		.keys = w.keys,
		.count = &w.count,
		.rng = rng_system,
	};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (w.sender != NULL)
		stop(0);
	if (w.peer_runs)
		tcp_peer_stop(&w.peer);
	keyring_free(w.keys);
	fixture_clear(&w.f);
	return 0;
}

/* ---- messages ---- */

static void add_as(const char *template, int64_t expires_in_ms)
{
	struct outbox_message m = {
		.channel = OUTBOX_MAIL,
		.template = str_of_cstr(template),
		.recipient = STR(ADA),
		.vars = { { STR("loginUrl"), STR("https://app.test/") } },
		.n_vars = 1,
	};
	TX tx = { 0 };

	w.c.now_ms = shifted_now(NULL);
	m.expires_ms = expires_in_ms == 0 ? 0 : w.c.now_ms + expires_in_ms;
	assert_int_equal(tx_begin(&tx, w.c.db).code, ERR_OK);
	assert_int_equal(outbox_add(&w.c, &m).code, ERR_OK);
	assert_int_equal(tx_commit(&tx).code, ERR_OK);
	if (w.sender != NULL)
		sender_wake(w.sender);
}

static void add(void)
{
	add_as("welcome", 0);
}

static struct outbox_depth depth(void)
{
	struct outbox_depth d;

	assert_int_equal(outbox_depth(&w.c, OUTBOX_MAIL, &d).code, ERR_OK);
	arena_reset(w.c.mem);
	return d;
}

static int64_t waiting(void)
{
	return depth().waiting;
}

static int64_t dead(void)
{
	return depth().dead;
}

static int64_t sent(void)
{
	return atomic_load(&w.count.mail_sent);
}

static int64_t retried(void)
{
	return atomic_load(&w.count.mail_retried);
}

static int64_t breaker_open(void)
{
	struct sender_stats st;

	sender_stats(w.sender, OUTBOX_MAIL, &st);
	return st.breaker_open;
}

static bool becomes(int64_t (*what)(void), int64_t wanted)
{
	for (int64_t end_ms = monotonic_ms() + 20000; monotonic_ms() < end_ms;) {
		if (what() == wanted)
			return true;
		(void)poll(NULL, 0, 10);
	}
	return what() == wanted;
}

static struct outbox_row only_row(void)
{
	struct outbox_row *r;
	size_t n;

	assert_int_equal(outbox_page(&w.c, 0, 10, &r, &n).code, ERR_OK);
	assert_int_equal(n, 1);
	return r[0];
}

/* ---- sending ---- */

static void what_is_queued_is_sent_and_forgotten(void **state)
{
	(void)state;
	provider(TAKEN);
	add(); /* before the start, and after it */
	start();
	assert_true(becomes(sent, 1));
	add();
	assert_true(becomes(sent, 2));
	assert_int_equal(waiting(), 0);
	assert_int_equal(atomic_load(&w.peer.connections), 2);
	assert_non_null(strstr(w.peer.request, "\"to\":\"" ADA "\""));
	assert_non_null(strstr(w.peer.request, "https://app.test/"));
}

static void what_another_process_queued_is_found_without_a_word(void **state)
{
	struct sender *told;

	(void)state;
	provider(TAKEN);
	start();
	(void)poll(NULL, 0, 200); /* everybody has gone to sleep */
	told = w.sender;
	w.sender = NULL; /* nobody is woken */
	add();
	w.sender = told;
	assert_true(becomes(sent, 1));
}

static void what_has_expired_is_dropped_unsent(void **state)
{
	(void)state;
	provider(TAKEN);
	add_as("welcome", 1000);
	atomic_store(&w.shift_ms, 1000);
	start();
	assert_true(becomes(waiting, 0));
	stop(1000);
	assert_int_equal(atomic_load(&w.count.mail_expired), 1);
	assert_int_equal(atomic_load(&w.peer.connections), 0);
	assert_int_equal(dead(), 0);
}

static void what_a_provider_refuses_is_dead_with_its_reason(void **state)
{
	struct outbox_row r;

	(void)state;
	provider(REFUSED);
	add();
	start();
	assert_true(becomes(dead, 1));
	r = only_row();
	assert_true(r.dead && r.attempts == 1);
	assert_true(str_starts(r.problem, STR("HTTP 422")));
	stop(1000);
	assert_int_equal(atomic_load(&w.count.mail_dead), 1);
}

static void a_message_without_a_template_is_dead_and_not_tried_for_ever(void **state)
{
	(void)state;
	provider(TAKEN);
	add_as("no-such-template", 0);
	start();
	assert_true(becomes(dead, 1));
	assert_true(str_starts(only_row().problem, STR("template: ")));
	assert_int_equal(atomic_load(&w.peer.connections), 0);
}

static void a_message_too_old_is_dead_and_says_what_came_of_it_before(void **state)
{
	struct outbox_row r;

	(void)state;
	provider(DOWN);
	add();
	start();
	assert_true(becomes(retried, 1));
	atomic_store(&w.shift_ms, MS_PER_DAY + MS_PER_MIN);
	sender_wake(w.sender);
	assert_true(becomes(dead, 1));
	r = only_row();
	assert_true(str_starts(r.problem, STR("older than outbox.max_age; last: HTTP 503")));
}

/* ---- providers that fail ---- */

static void a_message_that_failed_rests_and_comes_back(void **state)
{
	struct outbox_row r;

	(void)state;
	provider(DOWN);
	add();
	start();
	assert_true(becomes(retried, 1));
	r = only_row();
	assert_false(r.dead);
	assert_in_range(r.next_ms, r.created_ms + 500, r.created_ms + 6000);
	assert_true(becomes(retried, 2)); /* by itself */
	assert_int_equal(waiting(), 1);
}

static void a_provider_that_is_down_is_probed_and_loses_no_message(void **state)
{
	struct tcp_peer good;

	(void)state;
	provider(DOWN);
	for (int i = 0; i < 30; i++)
		add();
	start();
	assert_true(becomes(breaker_open, 1));
	/* Five, what the other thread had on its way, and a probe or two if this thread was slow.
	 */
	assert_in_range(atomic_load(&w.peer.connections), 5, 9);
	assert_int_equal(waiting(), 30);
	tcp_peer_start(&good, TAKEN, false);
	w.other = w.cfg;
	set_url(&w.other, w.other_url, sizeof(w.other_url), good.port);
	atomic_store(&w.current, &w.other); /* a reload */
	assert_true(becomes(sent, 30));
	assert_int_equal(waiting(), 0);
	assert_int_equal(breaker_open(), 0);
	stop(1000);
	assert_int_equal(atomic_load(&good.connections), 30);
	tcp_peer_stop(&good);
}

static void a_transfer_that_a_stop_cuts_off_is_due_at_the_next_start(void **state)
{
	struct outbox_row r;
	int64_t began_ms, n;

	(void)state;
	provider(NULL);
	add();
	start();
	for (int i = 0; i < 1000 && atomic_load(&w.peer.connections) == 0; i++)
		(void)poll(NULL, 0, 10);
	began_ms = monotonic_ms();
	stop(200);
	assert_in_range(monotonic_ms() - began_ms, 200, 10000);
	r = only_row();
	assert_true(!r.dead && r.problem.p == NULL && r.next_ms > shifted_now(NULL) + MS_PER_MIN);
	w.c.now_ms = shifted_now(NULL);
	assert_int_equal(outbox_release_leases(&w.c, &n).code, ERR_OK);
	assert_int_equal(n, 1);
	assert_true(only_row().next_ms <= shifted_now(NULL));
}

/* ---- stores that fail ---- */

static void a_mail_sent_while_the_store_is_full_is_recorded_later_and_not_sent_again(void **state)
{
	(void)state;
	provider(TAKEN);
	atomic_store(&w.refusals, 4);
	add();
	start_with(fill_store);
	assert_true(becomes(sent, 1));
	assert_int_equal(waiting(), 0);
	assert_int_equal(atomic_load(&w.refusals), 0);
	(void)poll(NULL, 0, 300);
	assert_int_equal(atomic_load(&w.peer.connections), 1);
}

/* ---- what is seen of it ---- */

static void the_depth_is_told_for_metrics(void **state)
{
	struct sender_stats st = { 0 };

	(void)state;
	provider(REFUSED);
	add();
	add();
	start();
	for (int i = 0; i < 1000 && st.dead != 2; i++) {
		(void)poll(NULL, 0, 10);
		sender_stats(w.sender, OUTBOX_MAIL, &st);
	}
	assert_int_equal(st.dead, 2);
	assert_int_equal(st.waiting, 0);
	assert_int_equal(st.oldest_age_ms, 0);
	assert_false(st.breaker_open);
}

static void the_log_never_names_the_recipient_even_if_the_provider_does(void **state)
{
	const struct outbox_item item = { .uid = STR("0123456789abcdef"),
					  .template = STR("welcome"),
					  .recipient = STR(ADA),
					  .attempts = 3 };
	struct sending s = { .fate = FATE_DEAD, .problem = "550 <Ada@Example.test>: no such user" };
	int fd = open(fixture_path(&w.f, ".log"), O_CREAT | O_RDWR, 0600);
	char text[2048];
	ssize_t n;

	(void)state;
	assert_int_equal(log_start(fd, true, LOG_INFO).code, ERR_OK);
	sending_report(&w.c, OUTBOX_MAIL, &item, &s);
	log_stop();
	n = pread(fd, text, sizeof(text) - 1, 0);
	(void)close(fd);
	assert_true(n > 0);
	text[n] = '\0';
	assert_non_null(strstr(text, "\"event\":\"mail_dead\""));
	assert_non_null(strstr(text, "\"id\":\"30313233343536373839616263646566\""));
	assert_non_null(strstr(text, "\"attempts\":3"));
	assert_non_null(strstr(text, "no such user"));
	assert_null(strcasestr(text, "ada@"));
}

#define NAMED(id, name)                                                                            \
	{                                                                                          \
		id " " #name, name, set_up, tear_down, NULL                                        \
	}
#define PLAIN(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLAIN(what_is_queued_is_sent_and_forgotten),
		PLAIN(what_another_process_queued_is_found_without_a_word),
		NAMED("REL-11", what_has_expired_is_dropped_unsent),
		PLAIN(what_a_provider_refuses_is_dead_with_its_reason),
		PLAIN(a_message_without_a_template_is_dead_and_not_tried_for_ever),
		PLAIN(a_message_too_old_is_dead_and_says_what_came_of_it_before),
		NAMED("REL-11", a_message_that_failed_rests_and_comes_back),
		NAMED("REL-11", a_provider_that_is_down_is_probed_and_loses_no_message),
		NAMED("REL-11", a_transfer_that_a_stop_cuts_off_is_due_at_the_next_start),
		NAMED("REL-11",
		      a_mail_sent_while_the_store_is_full_is_recorded_later_and_not_sent_again),
		PLAIN(the_depth_is_told_for_metrics),
		NAMED("LG01", the_log_never_names_the_recipient_even_if_the_provider_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
