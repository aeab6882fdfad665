/* Each endpoint with the n-th arena allocation failing, for every n: a clean answer, nothing half
 * written, and the same request succeeds afterwards. No sockets: the application is called as the edge
 * calls it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "api/routes.h"
#include "crypto/mac.h"
#include "store_fixture.h"
#include "web/ui.h"

#define EMAIL    "ada@example.test"
#define PASSWORD "correct horse battery"

static struct world {
	struct store_fixture f;
	struct config cfg;
	struct keyring *keys;
	struct runtime rt;
	struct ui *ui;
	struct api api;
	struct api_listener listener;
	struct http_app app;
	struct http_thread thread;
	struct counters count;
	int64_t now_ms;
	char access[2048], refresh[128], handle[64];
	char reply[HTTP_REPLY_BODY_MAX];
} w;

/* ---- the edge's part, as far as the application asks for it ---- */

static const char *auth_header, *accept_header, *fetch_mode;

str http_header(const struct http_request *r, const char *name)
{
	(void)r;
	if (str_eq(str_of_cstr(name), STR("authorization")))
		return str_of_cstr(auth_header);
	if (str_eq(str_of_cstr(name), STR("accept")) && accept_header != NULL)
		return str_of_cstr(accept_header);
	if (str_eq(str_of_cstr(name), STR("sec-fetch-mode")) && fetch_mode != NULL)
		return str_of_cstr(fetch_mode);
	if (str_eq(str_of_cstr(name), STR("x-auth-strategy")))
		return STR("bearer");
	if (str_eq(str_of_cstr(name), STR("content-type")))
		return STR("application/json");
	return STR_NONE;
}

void http_server_stats(const struct http_server *s, struct http_stats *ret)
{
	(void)s;
	*ret = (struct http_stats){ 0 };
}

struct call {
	enum http_method method;
	const char *path, *body;
	bool signed_in;
	int status; /* when all goes well */
};

static void call(const struct call *k, size_t fail_at, struct http_reply *rep)
{
	static uint8_t addr[CLIENT_ADDR_LEN] = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 };
	struct http_request r = { .method = k->method, .path = str_of_cstr(k->path),
				  .body = k->body == NULL ? (str){ 0 } : str_of_cstr(k->body),
				  .has_body = k->body != NULL, .request_id = "01ARZ3NDEKTSV4RRFFQ69G5FAV",
				  .client_ip = "127.0.0.1", .now_ms = w.now_ms,
				  .start_us = monotonic_us() };
	static char header[2200];
	struct http_plan plan;

	memcpy(r.client_addr, addr, sizeof(addr));
	(void)snprintf(header, sizeof(header), "Bearer %s", w.access);
	auth_header = k->signed_in ? header : NULL;
	w.app.plan(w.app.self, &r, &plan);
	r.lane = LANE_POOL;
	*rep = (struct http_reply){ .body = { .p = w.reply, .cap = sizeof(w.reply) } };
	w.thread.arena.fail_at = fail_at;
	assert_true(w.app.handle(w.app.self, &w.thread, &r, rep));
	if (rep->release != NULL)
		rep->release(rep->held);
}

static size_t failures_left(void)
{
	return w.thread.arena.fail_at;
}

static void copy_member(const struct http_reply *rep, const char *key, char *dst, size_t max)
{
	char *at = memmem(rep->body.p, rep->body.n, key, str_of_cstr(key).n), *end;

	assert_non_null(at);
	at += str_of_cstr(key).n;
	end = memchr(at, '"', rep->body.n - (size_t)(at - rep->body.p));
	assert_non_null(end);
	assert_true((size_t)(end - at) < max);
	memcpy(dst, at, (size_t)(end - at));
	dst[end - at] = '\0';
}

/* ---- one world per test ---- */

static int64_t fixed_now(void *self)
{
	return ((struct world *)self)->now_ms;
}

static void free_nothing(struct runtime *rt)
{
	(void)rt;
}

static int set_up(void **state)
{
	char why[256];

	(void)state;
	memset(&w, 0, sizeof(w));
	fixture_init(&w.f);
	w.now_ms = clock_now_ms(clock_system);
	w.cfg.server.public_url = STR("http://localhost");
	w.cfg.server.api_prefix = STR("/auth");
	w.cfg.server.max_body = 65536;
	w.cfg.registration.enabled = true;
	w.cfg.token.access_ttl_ms = 15 * MS_PER_MIN;
	w.cfg.token.refresh_ttl_ms = 30 * MS_PER_DAY;
	w.cfg.token.refresh_max_ttl_ms = 90 * MS_PER_DAY;
	w.cfg.token.algorithm = ALG_ES256;
	w.cfg.session.check_on = SESSION_CHECK_ALLCALLS;
	w.cfg.session.max_per_user = 50;
	w.cfg.password.min_length = 8;
	w.cfg.password.min_score = 2;
	w.cfg.password.argon2_memory = ARGON2_MEMORY_FLOOR;
	w.cfg.password.argon2_iterations = ARGON2_ITER_FLOOR;
	w.cfg.password.max_wait_ms = 60000;
	w.cfg.limits.enabled = true;
	w.cfg.limits.account_free = 1000000;
	w.cfg.limits.account_max = 1000000;
	w.cfg.limits.device_free = 1000000;
	w.cfg.limits.network_free = 1000000;
	w.cfg.limits.network_window_ms = MS_PER_MIN;
	w.cfg.limits.register_per_hour = w.cfg.limits.sign_ins_per_hour = 1000000;
	w.cfg.limits.device_ttl_ms = MS_PER_DAY;
	w.cfg.ui.site_name = STR("Sallyport");
	w.cfg.ui.enabled = true;
	w.cfg.ui.frame_ancestors = STR("none");
	w.cfg.ui.lang_dir = STR("/nonexistent");
	w.cfg.docs.enabled = true;
	if (fixture_open(&w.f).code != ERR_OK || crypto_init().code != ERR_OK ||
	    keyring_load(str_of_cstr(w.f.dir), ALG_ES256, w.now_ms, true, rng_system, &w.keys, why,
			 sizeof(why))
			    .code != ERR_OK ||
	    password_gate_new(1, &w.api.gate).code != ERR_OK ||
	    metrics_new(n_routes, &w.api.metrics).code != ERR_OK ||
	    arena_init(&w.thread.arena, ARENA_DEFAULT_BYTES).code != ERR_OK)
		return -1;
	body_init();
	assert_int_equal(ui_new(&w.cfg, &w.ui, why, sizeof(why)).code, ERR_OK);
	w.rt = (struct runtime){ .cfg = &w.cfg, .keys = w.keys, .ui = w.ui, .free = free_nothing };
	w.api.store = w.f.store;
	w.api.count = &w.count;
	w.api.clock = (struct clock){ fixed_now, fixed_now, &w };
	w.api.rng = rng_system;
	if (pthread_mutex_init(&w.api.swap, NULL) != 0)
		return -1;
	runtime_publish(&w.api, &w.rt);
	w.listener = (struct api_listener){ .api = &w.api, .serves_metrics = true };
	api_listener_app(&w.listener, &w.app);
	w.thread.lane = LANE_POOL;
	return w.app.thread_open(w.app.self, &w.thread).code == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	w.app.thread_close(w.app.self, &w.thread);
	arena_clear(&w.thread.arena);
	metrics_free(w.api.metrics);
	password_gate_free(w.api.gate);
	keyring_free(w.keys);
	ui_free(w.ui);
	fixture_clear(&w.f);
	pthread_mutex_destroy(&w.api.swap);
	return 0;
}

static const struct call sign_up = { METHOD_POST, "/auth/register",
				     "{\"email\":\"" EMAIL "\",\"password\":\"" PASSWORD "\"}", false, 201 };
static const struct call sign_in = { METHOD_POST, "/auth/login",
				     "{\"email\":\"" EMAIL "\",\"password\":\"" PASSWORD "\"}", false, 200 };

static void expect(const struct call *k, int status)
{
	struct http_reply rep;

	call(k, 0, &rep);
	if (rep.status != status)
		fail_msg("%s: %d instead of %d: %.*s", k->path, rep.status, status,
			 STR_ARG(buf_view(&rep.body)));
	if (status == 200 && k == &sign_in) {
		copy_member(&rep, "\"accessToken\":\"", w.access, sizeof(w.access));
		copy_member(&rep, "\"refreshToken\":\"", w.refresh, sizeof(w.refresh));
	}
	arena_reset(&w.thread.arena);
}

static void check_refusal(const struct call *k, size_t n, const struct http_reply *rep)
{
	if (rep->status != 503 && rep->status != 500)
		fail_msg("%s, allocation %zu: answered %d: %.*s", k->path, n, rep->status,
			 STR_ARG(buf_view(&rep->body)));
	assert_true(str_starts(buf_view(&rep->body), STR("{")));
	assert_null(memmem(rep->body.p, rep->body.n, "Token\":", 7));
}

static int64_t count_rows(const char *table)
{
	struct user_row *users;
	struct session_row *sessions;
	size_t n = 0;

	if (str_eq(str_of_cstr(table), STR("user")))
		assert_int_equal(q_user_page(w.f.db, &w.f.mem, 0, 100, &users, &n).code, ERR_OK);
	else
		assert_int_equal(q_session_list(w.f.db, &w.f.mem, 1, w.now_ms, &sessions, &n).code, ERR_OK);
	arena_reset(&w.f.mem);
	return (int64_t)n;
}

static void ht15_registration_survives_every_failing_allocation(void **state)
{
	struct http_reply rep;
	size_t n = 0;

	(void)state;
	for (;;) {
		call(&sign_up, ++n, &rep);
		if (failures_left() > 0)
			break;
		check_refusal(&sign_up, n, &rep);
		arena_reset(&w.thread.arena);
		assert_int_equal(count_rows("user"), 0);
	}
	assert_int_equal(rep.status, 201);
	assert_true(n > 10);
	assert_int_equal(count_rows("user"), 1);
}

static void ht15_sign_in_survives_every_failing_allocation(void **state)
{
	struct http_reply rep;
	size_t n = 0;

	(void)state;
	expect(&sign_up, 201);
	for (;;) {
		call(&sign_in, ++n, &rep);
		if (failures_left() > 0)
			break;
		check_refusal(&sign_in, n, &rep);
		arena_reset(&w.thread.arena);
		assert_int_equal(count_rows("session"), 0);
	}
	assert_int_equal(rep.status, 200);
	assert_int_equal(count_rows("session"), 1);
}

static void ht15_refresh_survives_every_failing_allocation(void **state)
{
	static char body[200];
	const struct call refresh = { METHOD_POST, "/auth/refresh", body, false, 200 };
	struct http_reply rep;
	size_t n = 0;

	(void)state;
	expect(&sign_up, 201);
	expect(&sign_in, 200);
	(void)snprintf(body, sizeof(body), "{\"refreshToken\":\"%s\"}", w.refresh);
	w.now_ms += 2 * MS_PER_MIN;
	for (;;) {
		call(&refresh, ++n, &rep);
		if (failures_left() > 0)
			break;
		check_refusal(&refresh, n, &rep); /* never a 401: good tokens must not be thrown away */
		arena_reset(&w.thread.arena);
		w.now_ms += 2 * MS_PER_MIN; /* a lost answer, retried late */
	}
	assert_int_equal(rep.status, 200);
	assert_int_equal(count_rows("session"), 1);
}

static void ht15_signed_in_calls_survive_every_failing_allocation(void **state)
{
	static char path[100];
	const struct call calls[] = {
		{ METHOD_GET, "/auth/me", NULL, true, 200 },
		{ METHOD_PATCH, "/auth/profile", "{\"firstName\":\"Ada\"}", true, 200 },
		{ METHOD_GET, "/auth/sessions", NULL, true, 200 },
		{ METHOD_GET, "/auth/check", NULL, true, 200 },
		{ METHOD_POST, "/auth/sessions/cleanup", NULL, true, 403 },
		{ METHOD_DELETE, path, NULL, true, 200 },
		{ METHOD_GET, "/auth/reset-password", NULL, false, 302 },
		{ METHOD_GET, "/auth/ui/login", NULL, false, 200 },
		{ METHOD_GET, "/auth/ui/config", NULL, false, 200 },
		{ METHOD_GET, "/auth/ui/theme.css", NULL, false, 200 },
		{ METHOD_GET, "/auth/ui/auth.js", NULL, false, 200 },
		{ METHOD_GET, "/auth/docs", NULL, false, 200 },
		{ METHOD_GET, "/auth/openapi.json", NULL, false, 200 },
	};
	struct http_reply rep;

	(void)state;
	expect(&sign_up, 201);
	expect(&sign_in, 200);
	call(&calls[2], 0, &rep);
	copy_member(&rep, "\"sessionHandle\":\"", w.handle, sizeof(w.handle));
	arena_reset(&w.thread.arena);
	(void)snprintf(path, sizeof(path), "/auth/sessions/%s", w.handle);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		for (size_t n = 1;; n++) {
			call(&calls[i], n, &rep);
			if (failures_left() > 0)
				break;
			check_refusal(&calls[i], n, &rep);
			arena_reset(&w.thread.arena);
		}
		assert_int_equal(rep.status, calls[i].status);
		arena_reset(&w.thread.arena);
	}
}

static void ht06_every_route_row_says_who_may_call_it(void **state)
{
	(void)state;
	assert_null(route_check());
}

static bool page_for(const char *accept, const char *mode)
{
	const struct http_request r = { .method = METHOD_GET };

	accept_header = accept;
	fetch_mode = mode;
	return wants_page(&r);
}

static void el03_a_browser_gets_the_page_and_a_program_does_not(void **state)
{
	(void)state;
	assert_true(page_for("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", NULL));
	assert_true(page_for("application/xml, TEXT/HTML ;q=0.1", NULL));
	assert_true(page_for("*/*", "navigate"));
	assert_true(page_for(NULL, "navigate"));
	assert_false(page_for(NULL, NULL));
	assert_false(page_for("", ""));
	assert_false(page_for("*/*", NULL));
	assert_false(page_for("application/json, text/plain, */*", "cors"));
	assert_false(page_for("text/html-fragment, x/text/html", NULL));
	(void)page_for(NULL, NULL);
}

static void no_write_hides_behind_a_get(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_routes; i++) {
		if (routes[i].method == METHOD_GET)
			assert_null(routes[i].body);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ht06_every_route_row_says_who_may_call_it),
		cmocka_unit_test(el03_a_browser_gets_the_page_and_a_program_does_not),
		cmocka_unit_test(no_write_hides_behind_a_get),
		cmocka_unit_test_setup_teardown(ht15_registration_survives_every_failing_allocation, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(ht15_sign_in_survives_every_failing_allocation, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(ht15_refresh_survives_every_failing_allocation, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(ht15_signed_in_calls_survive_every_failing_allocation, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
