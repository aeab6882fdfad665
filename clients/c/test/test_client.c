/* A client where things go wrong: stores that fail or are held, servers and callers that mean harm, calls that meet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"
#include "tcp_peer.h"

#define HEAD(status) "HTTP/1.1 " status "\r\nContent-Type: application/json\r\nConnection: keep-alive\r\n"
#define OK(length, body) HEAD("200 OK") "Content-Length: " length "\r\n\r\n" body
#define TOKENS OK("52", "{\"accessToken\":\"a\",\"refreshToken\":\"r\",\"x\":\"1234567\"}")

/* A client of a peer over a store in memory that a test can spoil. */
struct world {
	struct tcp_peer peer;
	sp_client *client;
	sp_store memory;
	const char *no_save; /* keys that end like this cannot be saved */
	bool is_locked; /* by somebody else */
	atomic_int lock_calls;
	int n_states;
	sp_error freed; /* what freeing the client from inside of on_state came to */
};

static bool ends_with(const char *text, const char *end)
{
	return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

static sp_error w_load(void *context, const char *key, char *value, size_t capacity, size_t *length)
{
	struct world *w = context;

	return w->memory.load(w->memory.context, key, value, capacity, length);
}

static sp_error w_save(void *context, const char *key, const char *value)
{
	struct world *w = context;

	if (w->no_save != NULL && ends_with(key, w->no_save))
		return SP_STORE;
	return w->memory.save(w->memory.context, key, value);
}

static sp_error w_erase(void *context, const char *key)
{
	struct world *w = context;

	return w->memory.erase(w->memory.context, key);
}

static sp_error w_lock(void *context, const char *key, int timeout_ms)
{
	struct world *w = context;
	struct timespec wait = { timeout_ms / 1000, timeout_ms % 1000 * 1000000L };

	(void)key;
	atomic_fetch_add(&w->lock_calls, 1);
	if (!w->is_locked)
		return SP_OK;
	(void)nanosleep(&wait, NULL);
	return SP_TIMEOUT;
}

static void w_unlock(void *context, const char *key)
{
	(void)context, (void)key;
}

static void w_close(void *context)
{
	struct world *w = context;

	w->memory.close(w->memory.context);
}

static void w_state(void *context, sp_state state, const char *reason)
{
	struct world *w = context;

	(void)state, (void)reason;
	w->n_states++;
	w->freed = sp_client_free(w->client);
}

/* answer: of the peer; NULL: none ever. */
static void begin(struct world *w, const char *answer)
{
	char server[64];
	const sp_store store = { .size = sizeof store, .context = w, .load = w_load, .save = w_save, .erase = w_erase,
				 .lock = w_lock, .unlock = w_unlock, .close = w_close };
	const sp_options options = { .size = sizeof options, .server = server, .store = &store, .timeout_ms = 2000,
				     .on_state = w_state, .context = w };

	*w = (struct world){ 0 };
	tcp_peer_start(&w->peer, answer, false);
	(void)snprintf(server, sizeof server, "http://127.0.0.1:%d", w->peer.port);
	assert_int_equal(sp_store_memory(&w->memory), SP_OK);
	assert_int_equal(sp_client_new(&options, &w->client), SP_OK);
}

static void end(struct world *w)
{
	assert_int_equal(sp_client_free(w->client), SP_OK);
	tcp_peer_stop(&w->peer);
}

/* With times as a store may have them, however they got there. */
static void sign_in_as(struct world *w, const char *access, const char *received, const char *lifetime)
{
	char record[256];

	(void)snprintf(record, sizeof record,
		       "{\"accessToken\":\"%s\",\"refreshToken\":\"r\",\"received\":%s,\"lifetime\":%s}", access, received,
		       lifetime);
	assert_int_equal(store_save(w->client, w->client->key, record), SP_OK);
}

static void assert_comes_to(sp_result *r, sp_error error)
{
	if (r->error != error)
		fail_msg("%s (%s), not %s", sp_error_name(r->error), r->message, sp_error_name(error));
	sp_result_free(r);
}

/* ---- freeing, cancelling ---- */

static void a_callback_cannot_free_the_client(void **state)
{
	struct world w;

	(void)state;
	begin(&w, NULL);
	sign_in_as(&w, "a", "0", "0");
	(void)alarm(20); /* it would wait for itself */
	assert_comes_to(sp_clear_tokens(w.client), SP_OK);
	(void)alarm(0);
	assert_int_equal(w.n_states, 1);
	assert_int_equal(w.freed, SP_INVALID);
	end(&w);
}

static void *cancel_soon(void *context)
{
	const struct timespec soon = { 0, 100 * 1000000L };

	(void)nanosleep(&soon, NULL);
	sp_client_cancel(context);
	return NULL;
}

/* Up to the time of a request and some seconds, otherwise. */
static void waiting_for_a_held_lock_can_be_cancelled(void **state)
{
	struct world w;
	struct timespec before, after;
	pthread_t thread;

	(void)state;
	begin(&w, NULL);
	sign_in_as(&w, "a", "0", "0");
	w.is_locked = true;
	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(pthread_create(&thread, NULL, cancel_soon, w.client), 0);
	assert_comes_to(sp_refresh(w.client), SP_CANCELLED);
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true(after.tv_sec - before.tv_sec < 4);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(sp_is_signed_in(w.client), 1);
	end(&w);
}

static void waiting_for_a_held_lock_ends(void **state)
{
	struct world w;

	(void)state;
	begin(&w, NULL);
	w.client->timeout_ms = 1;
	w.is_locked = true;
	assert_comes_to(sp_refresh(w.client), SP_TIMEOUT);
	assert_int_equal(atomic_load(&w.lock_calls), 21); /* 5001 ms in turns of 250 */
	end(&w);
}

static void note_signals(void *context, sp_result *result)
{
	(void)pthread_sigmask(SIG_SETMASK, NULL, context);
	sp_result_free(result);
}

static void threads_of_the_library_get_no_signals(void **state)
{
	struct world w;
	sigset_t there, here;

	(void)state;
	begin(&w, NULL);
	(void)sigemptyset(&there);
	assert_int_equal(sp_start(w.client, "clear_tokens", NULL, 0, note_signals, &there), SP_OK);
	end(&w); /* waits for it */
	assert_true(sigismember(&there, SIGINT) && sigismember(&there, SIGTERM) && sigismember(&there, SIGCHLD));
	(void)pthread_sigmask(SIG_SETMASK, NULL, &here);
	assert_false(sigismember(&here, SIGINT));
}

/* ---- what goes out ---- */

static void a_token_cannot_bring_a_header_of_its_own(void **state)
{
	struct world w;

	(void)state;
	begin(&w, OK("2", "{}"));
	assert_comes_to(sp_setup_2fa(w.client, "x\r\nX-Evil: 1", NULL, NULL), SP_INVALID);
	sign_in_as(&w, "a\\r\\nX-Evil: 1", "0", "0");
	assert_comes_to(sp_get_profile(w.client), SP_INVALID);
	assert_int_equal(atomic_load(&w.peer.connections), 0);
	end(&w);
}

static void nor_can_the_name_of_the_program(void **state)
{
	const sp_options options = { .size = sizeof options, .server = "https://auth.example.test",
				     .user_agent = "app/1\r\nX-Evil: 1" };
	sp_client *client;

	(void)state;
	assert_int_equal(sp_client_new(&options, &client), SP_INVALID);
	assert_null(client);
}

/* Our sockets to the peer that a program started now would inherit; *n: all of them. */
static int inherited(int port, int *n)
{
	DIR *dir = opendir("/proc/self/fd");
	int left_open = 0;

	assert_non_null(dir);
	*n = 0;
	for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
		struct sockaddr_in peer = { 0 };
		socklen_t size = sizeof peer;
		int fd = (int)strtol(e->d_name, NULL, 10);

		if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0 || ntohs(peer.sin_port) != port)
			continue;
		++*n;
		left_open += (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0;
	}
	(void)closedir(dir);
	return left_open;
}

static void programs_that_are_started_inherit_no_connection(void **state)
{
	struct world w;
	int n;

	(void)state;
	begin(&w, OK("2", "{}"));
	assert_comes_to(sp_forgot_password(w.client, "ada@example.test"), SP_OK);
	assert_int_equal(inherited(w.peer.port, &n), 0);
	assert_int_equal(n, 1); /* kept for the next call */
	end(&w);
}

/* ---- what comes in ---- */

static void who_cannot_be_remembered_is_not_signed_in(void **state)
{
	struct world w;

	(void)state;
	begin(&w, OK("56", "{\"accessToken\":\"a\",\"refreshToken\":\"r\",\"deviceToken\":\"d\"}"));
	w.no_save = "|device";
	assert_comes_to(sp_login(w.client, "ada@example.test", "password"), SP_STORE);
	assert_int_equal(sp_is_signed_in(w.client), 0);
	assert_int_equal(w.n_states, 0);
	w.no_save = NULL;
	assert_comes_to(sp_login(w.client, "ada@example.test", "password"), SP_OK);
	assert_int_equal(sp_is_signed_in(w.client), 1);
	end(&w);
}

/* Times that no clock shows: the token is used for as long as the server takes it. */
static void strange_times_in_the_store(void **state)
{
	static const char *const rows[][2] = { { "-9223372036854775808", "900" }, { "0", "-9223372036854775808" },
					       { "0", "9223372036854775807" }, { "-1", "900" } };
	struct world w;

	(void)state;
	begin(&w, NULL);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		sp_result *r;

		sign_in_as(&w, "a", rows[i][0], rows[i][1]);
		r = sp_access_token(w.client, INT32_MAX);
		assert_int_equal(r->error, SP_OK);
		assert_string_equal(r->access_token, "a");
		sp_result_free(r);
	}
	assert_int_equal(atomic_load(&w.peer.connections), 0);
	end(&w);
}

static int never_opened(void *context, const char *url)
{
	(void)context;
	fail_msg("%s is opened", url);
	return 0;
}

static void a_server_cannot_have_a_file_opened(void **state)
{
	struct world w;

	(void)state;
	begin(&w, OK("30", "{\"url\":\"file:///etc/passwd?x\"}"));
	sign_in_as(&w, "a", "0", "0");
	assert_comes_to(sp_oauth_link(w.client, "fake", NULL, never_opened, NULL, 1), SP_PROTOCOL);
	end(&w);
}

static int no_browser(void *context, const char *url)
{
	(void)context, (void)url;
	return -1;
}

static bool has_flow(struct world *w)
{
	struct text value = { 0 };
	bool has;

	assert_int_equal(store_load(w->client, w->client->flow_key, &value), SP_OK);
	has = value.n > 0;
	text_free(&value);
	return has;
}

static void a_sign_in_without_a_browser_leaves_nothing_behind(void **state)
{
	struct world w;

	(void)state;
	begin(&w, NULL);
	assert_comes_to(sp_oauth_login(w.client, "fake", no_browser, NULL, 1), SP_UNAVAILABLE);
	assert_false(has_flow(&w));
	end(&w);
}

/* ---- an app that is opened twice with the same address ---- */

#define TWICE 6

struct opened {
	struct world *w;
	char url[300];
	atomic_int n[SP_MEMORY + 1]; /* of each error */
};

static void *open_app(void *context)
{
	struct opened *o = context;
	sp_result *r = sp_oauth_continue(o->w->client, o->url);

	atomic_fetch_add(&o->n[r->error], 1);
	sp_result_free(r);
	return NULL;
}

static void begin_sign_in(struct world *w, struct opened *o)
{
	sp_result *r = sp_oauth_begin(w->client, "fake", "com.example.app:/signed-in");

	assert_int_equal(r->error, SP_OK);
	(void)snprintf(o->url, sizeof o->url, "com.example.app:/signed-in?ott=one&%s", strstr(r->url, "state="));
	sp_result_free(r);
}

/* A second use of its one-time token would end the session that the first begins. */
static void a_one_time_token_is_used_by_one(void **state)
{
	struct world w;
	struct opened o = { .w = &w };
	pthread_t threads[TWICE];

	(void)state;
	begin(&w, NULL);
	begin_sign_in(&w, &o);
	for (size_t i = 0; i < TWICE; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, open_app, &o), 0);
	for (size_t i = 0; i < TWICE; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(atomic_load(&o.n[SP_TIMEOUT]), 1);
	assert_int_equal(atomic_load(&o.n[SP_INVALID]), TWICE - 1);
	assert_true(has_flow(&w)); /* no answer: it may be tried again */
	end(&w);
}

static void a_sign_in_is_over_when_it_is_answered(void **state)
{
	struct world w;
	struct opened o = { .w = &w };

	(void)state;
	begin(&w, TOKENS);
	begin_sign_in(&w, &o);
	assert_comes_to(sp_oauth_continue(w.client, "com.example.app:/signed-in?ott=one&state=other"), SP_INVALID);
	assert_true(has_flow(&w));
	assert_comes_to(sp_oauth_continue(w.client, o.url), SP_OK);
	assert_int_equal(sp_is_signed_in(w.client), 1);
	assert_false(has_flow(&w));
	assert_comes_to(sp_oauth_continue(w.client, o.url), SP_INVALID);
	assert_int_equal(atomic_load(&w.peer.connections), 1);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_callback_cannot_free_the_client),
		cmocka_unit_test(waiting_for_a_held_lock_can_be_cancelled),
		cmocka_unit_test(waiting_for_a_held_lock_ends),
		cmocka_unit_test(threads_of_the_library_get_no_signals),
		cmocka_unit_test(a_token_cannot_bring_a_header_of_its_own),
		cmocka_unit_test(nor_can_the_name_of_the_program),
		cmocka_unit_test(programs_that_are_started_inherit_no_connection),
		cmocka_unit_test(who_cannot_be_remembered_is_not_signed_in),
		cmocka_unit_test(strange_times_in_the_store),
		cmocka_unit_test(a_server_cannot_have_a_file_opened),
		cmocka_unit_test(a_sign_in_without_a_browser_leaves_nothing_behind),
		cmocka_unit_test(a_one_time_token_is_used_by_one),
		cmocka_unit_test(a_sign_in_is_over_when_it_is_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
