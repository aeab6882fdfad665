/* dispatch.c — one request from route to reply: find the row, check who is calling, read the body, run
 * the handler, render what it refused, log one line. The same steps for every route. */
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/cookie.h"
#include "api/cors.h"
#include "api/csrf.h"
#include "api/dev_hint.h"
#include "api/forward.h"
#include "api/problem.h"
#include "api/routes.h"
#include "base/log.h"
#include "base/utf8.h"
#include "domain/clock_guard.h"

#define AGENT_MAX_BYTES  256
#define CACHE_ENTRIES    8192
#define HASH_PATIENCE_MS 5000 /* beyond the wait that was expected at admission */

/* What a thread keeps between requests. */
struct thread_state {
	struct db *db;
	struct token_cache *tokens;
	struct runtime *rt;
};

/* ---- published settings ---- */

struct runtime *runtime_hold(struct api *api)
{
	struct runtime *rt;

	pthread_mutex_lock(&api->swap);
	rt = atomic_load(&api->current);
	atomic_fetch_add(&rt->holders, 1);
	pthread_mutex_unlock(&api->swap);
	return rt;
}

void runtime_release(struct runtime *rt)
{
	if (rt != NULL && atomic_fetch_sub(&rt->holders, 1) == 1)
		rt->free(rt);
}

void runtime_publish(struct api *api, struct runtime *rt)
{
	struct runtime *old;

	atomic_store(&rt->holders, 1);
	atomic_store(&api->log_requests, rt->cfg->log.requests);
	pthread_mutex_lock(&api->swap);
	old = atomic_exchange(&api->current, rt);
	pthread_mutex_unlock(&api->swap);
	runtime_release(old);
}

static void refresh_runtime(struct api *api, struct thread_state *t)
{
	if (t->rt == atomic_load_explicit(&api->current, memory_order_acquire))
		return;
	runtime_release(t->rt);
	t->rt = runtime_hold(api);
}

/* ---- threads ---- */

static err_t thread_open(void *self, struct http_thread *ht)
{
	struct api *api = ((struct api_listener *)self)->api;
	struct thread_state *t = calloc(1, sizeof(*t));
	err_t e;

	REQUIRE(t != NULL, ERR_NO_MEMORY);
	e = ht->lane == LANE_LOOP ? store_handle_own(api->store, &t->db) :
				    store_handle(api->store, &t->db);
	if (e.code == ERR_OK && ht->lane == LANE_LOOP)
		e = token_cache_new(CACHE_ENTRIES, &t->tokens);
	if (e.code != ERR_OK) {
		if (t->db != NULL)
			db_close(t->db);
		free(t);
		return e;
	}
	if (api->thread_opened != NULL)
		api->thread_opened(api->thread_opened_self, t->db);
	ht->app_state = t;
	return OK;
}

static void thread_close(void *self, struct http_thread *ht)
{
	struct thread_state *t = ht->app_state;

	(void)self;
	if (t == NULL)
		return;
	db_close(t->db);
	token_cache_free(t->tokens);
	runtime_release(t->rt);
	free(t);
	ht->app_state = NULL;
}

/* ---- one request ---- */

static void plan(void *self, struct http_request *r, struct http_plan *ret)
{
	const struct api_listener *l = self;
	struct runtime *rt = runtime_hold(l->api);
	const struct route *route = NULL;
	unsigned allow;
	err_t e = route_find(l, rt->cfg->server.api_prefix, r, &route, &allow);

	r->route = route;
	*ret = (struct http_plan){
		.lane = e.code == ERR_OK ? route->lane : LANE_LOOP,
		.body_max = (size_t)rt->cfg->server.max_body,
	};
	runtime_release(rt);
}

static str cut_agent(str agent)
{
	size_t n = agent.n < AGENT_MAX_BYTES ? agent.n : AGENT_MAX_BYTES;

	while (n > 0 && !utf8_is_valid((str){ agent.p, n }))
		n--;
	return n == 0 ? STR_NONE : (str){ agent.p, n };
}

static void req_init(struct req *r, const struct api_listener *l, struct http_thread *ht,
		     const struct http_request *http)
{
	struct api *api = l->api;
	struct thread_state *t = ht->app_state;

	clock_note(api->clock_guard, http->now_ms, clock_mono_ms(api->clock));
	*r = (struct req){ .http = http, .listener = l, .rt = t->rt };
	r->delivery = str_eq(http_header(http, "x-auth-strategy"), STR("bearer")) ? DELIVERY_BEARER : DELIVERY_COOKIE;
	r->c = (struct ctx){
		.mem = &ht->arena,
		.db = t->db,
		.cfg = t->rt->cfg,
		.keys = t->rt->keys,
		.gate = api->gate,
		.count = api->count,
		.tokens = t->tokens,
		.rng = api->rng,
		.now_ms = http->now_ms,
		.mono_ms = clock_mono_ms(api->clock),
		.clock = api->clock_guard,
		.brake = api->brake,
		.outside = api->outside,
		.deadline_us = http->start_us +
			       (t->rt->cfg->password.max_wait_ms + HASH_PATIENCE_MS) * 1000,
		.request_id = { http->request_id, REQUEST_ID_LEN },
		.client_ip = str_of_cstr(http->client_ip),
		.client_addr = http->client_addr,
		.user_agent = cut_agent(http_header(http, "user-agent")),
		.web = r->delivery == DELIVERY_COOKIE,
		.origin = http_header(http, "origin"),
		.referer = http_header(http, "referer"),
	};
}

/* RFC 6750 §2.1; the scheme's name in any case. STR_NONE: no bearer token at all. */
str bearer_token(const struct http_request *http)
{
	str value = http_header(http, "authorization"), scheme, token;

	if (!str_cut(value, ' ', &scheme, &token) || !str_eq_nocase(scheme, STR("Bearer")))
		return str_eq_nocase(value, STR("Bearer")) ? (str){ "", 0 } : STR_NONE;
	return str_trim(token);
}

/* The caller's session is noted in a worker; *ret_again asks for one. A store that cannot write (full,
 * locked) must not sign readers out, so failing to note it is not the request's failure. */
static err_t note_use(struct req *r, bool *ret_again)
{
	if (!r->who.needs_write)
		return OK;
	if (r->http->lane == LANE_LOOP) {
		*ret_again = true;
		return OK;
	}
	if (session_seen(&r->c, &r->who).code != ERR_OK)
		log_event(LOG_WARN, "session_not_noted", LOG_STR("request_id", r->c.request_id));
	err_clear_origin();
	return OK;
}

/* Handles are shorter than any access token; one that opens nothing but the set-up is looked for among its
 * kind only. */
static err_t setup_handle_check(struct req *r, str token)
{
	return as_access_token(gate_find(&r->c, ONETIME_SETUP, token, &r->setup));
}

static bool is_public(const struct route *rt)
{
	return rt->auth == AUTH_PUBLIC || rt->auth == AUTH_SIGN_IN || rt->auth == AUTH_SESSION;
}

/* Clients send what token they have with public calls too, expired as it may be: it is not looked at. */
static err_t looks_at_token(struct req *r, const struct route *rt, str token, bool *ret)
{
	*ret = !is_public(rt);
	if (token.p == NULL && (rt->auth == AUTH_MAYBE || rt->auth == AUTH_SETUP || rt->auth == AUTH_GUEST))
		*ret = false;
	return *ret && rt->auth == AUTH_GUEST ? session_names_guest(&r->c, token, ret) : OK;
}

/* A token in the header is the one that counts, good or bad; a cookie beside it is not looked at. */
static str credential(struct req *r, const struct route *rt)
{
	str token = bearer_token(r->http);

	if (rt->auth == AUTH_SESSION) {
		r->by_cookie = cookie_read(r, COOKIE_ACCESS).p != NULL || cookie_read(r, COOKIE_REFRESH).p != NULL;
	} else if (!is_public(rt) && !route_is_proxys(rt) && token.p == NULL) {
		token = cookie_read(r, COOKIE_ACCESS);
		r->by_cookie = token.p != NULL;
	}
	return token;
}

/* Browsers send what cookies they have, so where nobody needs to be signed in a bad one is none. */
static bool is_stale_cookie(const struct req *r, const struct route *rt, err_t e)
{
	return r->by_cookie && (rt->auth == AUTH_MAYBE || rt->auth == AUTH_SETUP || rt->auth == AUTH_GUEST) &&
	       (e.code == ERR_ACCESS_TOKEN || e.code == ERR_SESSION_REVOKED);
}

static err_t caller_check(struct req *r, const struct route *rt, str token)
{
	err_t e = session_caller(&r->c, token, &r->who);

	if (is_stale_cookie(r, rt, e)) {
		err_clear_origin();
		return OK;
	}
	if (e.code == ERR_ACCESS_TOKEN && r->by_cookie)
		FAIL(ERR_ACCESS_COOKIE);
	TRY(e);
	REQUIRE(rt->auth != AUTH_ADMIN || r->who.row.is_admin, ERR_FORBIDDEN);
	return OK;
}

static err_t auth_check(struct req *r, const struct route *rt, bool *ret_again)
{
	str token = credential(r, rt);
	bool looks;

	if (route_is_proxys(rt) && token.p == NULL) {
		TRY(forward_who(r));
		return note_use(r, ret_again);
	}
	TRY(csrf_check(r, rt));
	TRY(looks_at_token(r, rt, token, &looks));
	if (looks && rt->auth == AUTH_SETUP && !r->by_cookie && token.n == ONETIME_TOKEN_TEXT)
		return setup_handle_check(r, token);
	if (looks && token.p == NULL)
		FAIL(ERR_NO_TOKEN);
	if (looks)
		TRY(caller_check(r, rt, token));
	TRY(csrf_check_session(r));
	return r->who.row.id == 0 ? OK : note_use(r, ret_again);
}

static err_t stepup_check(struct req *r, const struct route *rt, const void *body)
{
	if (r->who.row.id == 0) /* public, or the handle of a sign-in just made */
		return OK;
	switch (rt->stepup) {
	case STEPUP_FRESH: return stepup_require(&r->c, &r->who, body);
	case STEPUP_NO_GUEST: return r->who.row.is_guest ? OK : stepup_require(&r->c, &r->who, body);
	case STEPUP_SETTING:
		return r->c.cfg->stepup.account_delete ? stepup_require(&r->c, &r->who, body) : OK;
	case STEPUP_FACTOR: return stepup_require_factor(&r->c, &r->who, body);
	case STEPUP_REMOVAL:
		return r->who.row.has_totp ? stepup_require_factor(&r->c, &r->who, body) : OK;
	case STEPUP_UNSET:
	case STEPUP_NONE: break;
	}
	return OK;
}

static void say_allow(struct http_reply *rep, unsigned allow)
{
	static const struct {
		enum http_method method;
		const char *name;
	} names[] = { { METHOD_GET, "GET, HEAD" }, { METHOD_POST, "POST" }, { METHOD_PUT, "PUT" },
		      { METHOD_PATCH, "PATCH" }, { METHOD_DELETE, "DELETE" } };
	char *at = rep->body.p + rep->body.n;
	struct buf b = { .p = at, .cap = rep->body.cap - rep->body.n };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((allow & 1U << names[i].method) == 0)
			continue;
		if (b.n > 0)
			buf_lit(&b, ", ");
		buf_str(&b, str_of_cstr(names[i].name));
	}
	http_reply_header(rep, "Allow", buf_view(&b));
}

static err_t no_route(struct req *r, unsigned *ret_allow)
{
	struct http_request again = *r->http;
	const struct route *rt;

	return route_find(r->listener, r->c.cfg->server.api_prefix, &again, &rt, ret_allow);
}

/* What a proxy asks, and where a session arrives, at the hosts of applications. */
static bool is_at_application(const struct req *r, const struct route *rt)
{
	const struct str_list *hosts = &r->c.cfg->forward.hosts;
	str host = http_header(r->http, "host");

	for (size_t i = 0; i < hosts->n; i++) {
		if (str_eq_nocase(host, hosts->items[i]))
			return route_is_proxys(rt) || rt->handle == api_forward_done;
	}
	return false;
}

/* Health checks come by address, so only the API itself asks for its name. */
static err_t host_check(const struct req *r, const struct route *rt)
{
	const struct str_list *hosts = &r->c.cfg->server.hosts;
	str host, port;

	if (hosts->n == 0 || rt->place != PLACE_PREFIX)
		return OK;
	host = http_header(r->http, "host");
	if (!str_starts(host, STR("["))) /* an IPv6 literal is compared whole, with its port */
		(void)str_cut(host, ':', &host, &port);
	for (size_t i = 0; i < hosts->n; i++) {
		if (str_eq_nocase(host, hosts->items[i]))
			return OK;
	}
	REQUIRE(is_at_application(r, rt), ERR_MISDIRECTED);
	return OK;
}

static err_t run(struct req *r, struct http_reply *rep, bool *ret_again, unsigned *ret_allow)
{
	const struct route *rt = r->http->route;
	void *body = NULL;
	bool sent;
	err_t e;

	if (rt == NULL) /* looked for at plan; asked again for why not */
		return no_route(r, ret_allow);
	TRY(host_check(r, rt));
	e = auth_check(r, rt, ret_again);
	if (e.code != ERR_OK && rt->auth == AUTH_BROWSER && !err_is_fault(e)) {
		TRY(forward_begin(r, rep, &sent));
		if (sent)
			return OK;
	}
	TRY(e);
	if (*ret_again)
		return OK;
	if (rt->body != NULL)
		TRY(body_is_plain(http_header(r->http, "content-encoding"), r->http->body));
	if (rt->body != NULL)
		TRY(body_read(&r->c, rt->body, http_header(r->http, "content-type"), r->http->body,
			      &body));
	TRY(stepup_check(r, rt, body));
	TRY(rt->handle(r, body, rep));
	REQUIRE(!rep->body.overflow, ERR_BUG);
	return OK;
}

static void log_fault(const struct req *r, err_t e)
{
	const struct route *rt = r->http->route;

	log_event(LOG_ERROR, "fault", LOG_STR("request_id", r->c.request_id),
		  LOG_CSTR("fault", err_name(e.code)), LOG_CSTR("at", err_origin()),
		  LOG_CSTR("route", rt == NULL ? "" : rt->pattern));
}

static void render_refusal(struct req *r, err_t e, unsigned allow, struct http_reply *rep)
{
	const struct route *rt = r->http->route;

	rep->n_headers = 0;
	rep->fixed = STR_NONE;
	rep->content_type = NULL;
	if (e.code == ERR_METHOD && r->http->method == METHOD_OPTIONS) {
		rep->status = 204;
		rep->body.n = 0;
		say_allow(rep, allow);
		return;
	}
	if (err_is_fault(e) && e.code != ERR_OVERLOAD && e.code != ERR_STOPPING &&
	    e.code != ERR_CLOCK) /* that one has its own line */
		log_fault(r, e);
	problem_write(e.code, &r->c, rt != NULL && rt->says_success, r->c.retry_after_s, rep);
	if (e.code == ERR_METHOD)
		say_allow(rep, allow);
}

/* What answers of any outcome carry. */
static void finish(struct req *r, err_t e, struct http_reply *rep)
{
	const struct route *rt = r->http->route;

	if (rt != NULL)
		csrf_renew(r, rt, e.code, rep);
	cors_allow(r, rt, rep);
	dev_hint_log(r);
}

static bool handle(void *self, struct http_thread *ht, struct http_request *http,
		   struct http_reply *rep)
{
	const struct api_listener *l = self;
	struct thread_state *t = ht->app_state;
	unsigned allow = 0;
	bool again = false;
	struct req r;
	err_t e;

	refresh_runtime(l->api, t);
	err_clear_origin();
	body_use_arena(&ht->arena);
	req_init(&r, l, ht, http);
	dev_hint_origin(&r);
	if (cors_preflight(&r, rep)) {
		dev_hint_log(&r);
		body_use_arena(NULL);
		return true;
	}
	e = run(&r, rep, &again, &allow);
	body_use_arena(NULL);
	if (again)
		return false;
	if (r.c.outbox_added && l->api->outbox_wake != NULL) /* after an error there is just less to send */
		l->api->outbox_wake(l->api->outbox_self);
	if (e.code != ERR_OK)
		render_refusal(&r, e, allow, rep);
	finish(&r, e, rep);
	http->user_id = r.c.log_user_id;
	return true;
}

static void refuse(void *self, const struct http_request *r, enum err_code code, int64_t retry_after_s,
		   struct http_reply *rep)
{
	const struct api_listener *l = self;
	const struct route *rt = r == NULL ? NULL : r->route;
	struct runtime *now;

	problem_write(code, NULL, rt != NULL && rt->says_success, retry_after_s, rep);
	if (r == NULL || l->api == NULL)
		return;
	now = runtime_hold(l->api);
	cors_allow_refusal(now->cfg, r, rep);
	runtime_release(now);
}

static const char *method_name(enum http_method m)
{
	switch (m) {
	case METHOD_GET: return "GET";
	case METHOD_HEAD: return "HEAD";
	case METHOD_POST: return "POST";
	case METHOD_PUT: return "PUT";
	case METHOD_PATCH: return "PATCH";
	case METHOD_DELETE: return "DELETE";
	case METHOD_OPTIONS: return "OPTIONS";
	case METHOD_UNSET:
	case METHOD_OTHER: break;
	}
	return "OTHER";
}

static void done(void *self, const struct http_request *r, int status, enum err_code error,
		 size_t bytes, int64_t duration_us)
{
	const struct api_listener *l = self;
	const struct route *rt = r->route;

	metrics_add(l->api->metrics, rt == NULL ? n_routes : (size_t)(rt - routes), status, duration_us);
	if (!atomic_load_explicit(&l->api->log_requests, memory_order_relaxed) || !log_wants(LOG_INFO))
		return;
	log_event(LOG_INFO, "request", LOG_CSTR("method", method_name(r->method)),
		  LOG_CSTR("route", rt == NULL ? "-" : rt->pattern), LOG_INT("status", status),
		  LOG_INT("us", duration_us), LOG_INT("bytes", (int64_t)bytes),
		  LOG_CSTR("request_id", r->request_id), LOG_CSTR("ip", r->client_ip),
		  LOG_INT("user", r->user_id),
		  LOG_CSTR("refused", error == ERR_OK ? "" : err_name(error)));
}

void api_listener_app(struct api_listener *l, struct http_app *ret)
{
	*ret = (struct http_app){
		.self = l,
		.thread_open = thread_open,
		.thread_close = thread_close,
		.plan = plan,
		.handle = handle,
		.refuse = refuse,
		.done = done,
	};
}
