#include "app/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/routes.h"
#include "app/outbound.h"
#include "app/version.h"
#include "base/log.h"
#include "crypto/mac.h"
#include "domain/audit.h"
#include "domain/brake.h"
#include "domain/clock_guard.h"
#include "jobs/revoker.h"
#include "jobs/sender.h"
#include "jobs/sweep.h"
#include "store/query.h"
#include "web/ui.h"

#define EGRESS_WAITING 8 /* requests per worker that may wait for their turn at a provider */

struct wire {
	struct wire_options o;
	struct api api;
	struct api_listener main_listener, ops_listener;
	struct http_server *main_server, *ops_server;
	_Atomic(struct sender *) sender;
	struct outbound *outbound;
	struct revoker *revoker;
	struct counters count;
	struct clock_guard clock_guard;
	struct brake brake;
	struct db *db; /* of the housekeeping thread */
	struct arena mem;
	uint64_t keys_seen;
};

/* ---- settings and keys ---- */

static void runtime_free(struct runtime *rt)
{
	if (rt->keys != NULL)
		keyring_free(rt->keys);
	ui_free(rt->ui);
	if (rt->cfg != NULL)
		config_free(rt->cfg);
	free(rt);
}

/* Takes over cfg and keys when it succeeds. Refusal: ERR_CONFIG, told in `why`. */
static err_t runtime_new(struct config *cfg, struct keyring *keys, struct runtime **ret, char *why, size_t why_max)
{
	struct runtime *rt = calloc(1, sizeof(*rt));
	err_t e;

	REQUIRE(rt != NULL, ERR_NO_MEMORY);
	e = ui_new(cfg, &rt->ui, why, why_max);
	if (e.code != ERR_OK) {
		free(rt);
		return e;
	}
	rt->cfg = cfg;
	rt->keys = keys;
	rt->free = runtime_free;
	*ret = rt;
	return OK;
}

static int64_t cores(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n;
}

/* One hash per core, as many as the memory budget allows. */
static int64_t hash_permits(const struct config *cfg)
{
	int64_t fit = cfg->password.memory_budget / cfg->password.argon2_memory;
	int64_t n = fit < cores() ? fit : cores();

	return n < 1 ? 1 : n;
}

err_t wire_gate(const struct config *cfg, struct password_gate **ret)
{
	return password_gate_new(hash_permits(cfg), ret);
}

enum exit_code wire_open_store(const struct config *cfg, bool exclusive, bool create, struct store **ret,
			       char *why, size_t why_max)
{
	const struct store_options so = {
		.url = cfg->store.url,
		.cache = cfg->store.cache,
		.busy_timeout_ms = cfg->store.busy_timeout_ms,
		.exclusive = exclusive,
		.create = create,
	};

	return store_open(&so, ret, why, why_max).code == ERR_OK ? EXIT_DONE : EXIT_NO_STORE;
}

/* A store with accounts but without keys is a restore that forgot half: making new keys would end
 * every session and unknown every counter without a word, so it takes a command. */
static enum exit_code open_keys(struct wire *w, const struct config *cfg, struct keyring **ret, char *why,
				size_t why_max)
{
	int64_t id;
	bool has_users;

	if (q_user_any(w->db, &w->mem, &id, &has_users).code != ERR_OK) {
		(void)snprintf(why, why_max, "the store cannot be read");
		return EXIT_NO_STORE;
	}
	if (keyring_load(cfg->server.data_dir, cfg->token.algorithm, clock_now_ms(w->o.clock), !has_users,
			 w->o.rng, ret, why, why_max)
		    .code != ERR_OK)
		return EXIT_NO_STORE;
	w->keys_seen = keyring_fingerprint(cfg->server.data_dir);
	return EXIT_DONE;
}

/* ---- HTTP ---- */

static int64_t wire_now(void *self)
{
	struct wire *w = self;

	return clock_now_ms(w->o.clock);
}

/* A sign-in may wait while the hashes before it fit into password.max_wait. */
static bool hash_admit(void *self, int64_t queued, int64_t *ret_retry_after_s)
{
	struct wire *w = self;
	const struct password_gate *g = w->api.gate;
	int64_t hash_us = password_gate_hash_us(g), wait_us;
	struct runtime *rt = runtime_hold(&w->api);
	int64_t max_us = rt->cfg->password.max_wait_ms * 1000;

	runtime_release(rt);
	if (hash_us == 0)
		hash_us = (int64_t)50 * 1000; /* before the first: a guess on the slow side */
	wait_us = (queued + password_gate_waiting(g)) * hash_us / password_gate_permits(g);
	*ret_retry_after_s = 1 + wait_us / 1000000;
	if (wait_us <= max_us)
		return true;
	atomic_fetch_add_explicit(&w->count.hash_refused, 1, memory_order_relaxed);
	return false;
}

static err_t listen_on(struct wire *w, const struct config *cfg, str address, struct api_listener *l,
		       struct http_server **ret, char *why, size_t why_max)
{
	bool ops = l->ops_only;
	int64_t loops = cfg->server.io_threads;
	struct http_options ho = {
		.cfg = cfg,
		.listen = address,
		.io_threads = ops ? 1 : loops > 0 ? loops : cores() < 2 ? 2 : cores(),
		.pool_workers = ops ? 1 : cfg->server.workers,
		.pool_queue_max = ops ? 16 : cfg->server.queue_max,
		/* Above the permits, so that a hash starts while others wait for their commit. */
		.hash_workers = ops ? 0 : hash_permits(cfg) * 3 + 2,
		.hash_queue_max = ops ? 0 : cfg->server.queue_max,
		.egress_workers = ops ? 0 : cfg->oauth.workers,
		.egress_queue_max = ops ? 0 : cfg->oauth.workers * EGRESS_WAITING,
		.hash_admit = hash_admit,
		.hash_admit_self = w,
		.now_ms = wire_now,
		.now_self = w,
		.plain = ops,
	};
	static struct http_app apps[2];

	api_listener_app(l, &apps[ops]);
	ho.app = &apps[ops];
	return http_server_start(&ho, ret, why, why_max);
}

static enum exit_code start_listeners(struct wire *w, const struct config *cfg, char *why, size_t why_max)
{
	bool same = str_eq(cfg->server.ops_listen, STR("same"));
	bool none = str_eq(cfg->server.ops_listen, STR("none"));

	w->main_listener = (struct api_listener){ .api = &w->api, .serves_metrics = same };
	w->ops_listener = (struct api_listener){ .api = &w->api, .serves_metrics = true, .ops_only = true };
	if (listen_on(w, cfg, cfg->server.listen, &w->main_listener, &w->main_server, why, why_max).code !=
	    ERR_OK)
		return EXIT_NO_LISTEN;
	w->api.server = w->main_server;
	if (!same && !none &&
	    listen_on(w, cfg, cfg->server.ops_listen, &w->ops_listener, &w->ops_server, why, why_max).code !=
		    ERR_OK)
		return EXIT_NO_LISTEN;
	return EXIT_DONE;
}

/* ---- sending ---- */

static void sender_hold(void *self, struct sender_runtime *ret)
{
	struct wire *w = self;
	struct runtime *rt = runtime_hold(&w->api);

	*ret = (struct sender_runtime){ .cfg = rt->cfg, .keys = rt->keys, .held = rt };
}

static void sender_release(void *self, struct sender_runtime *rt)
{
	(void)self;
	runtime_release(rt->held);
}

/* Requests are served before the sender runs; what they queue it finds by itself. */
static void outbox_wake(void *self)
{
	struct sender *s = atomic_load(&((struct wire *)self)->sender);

	if (s != NULL)
		sender_wake(s);
}

static void outbox_stats(void *self, enum outbox_channel channel, struct api_outbox *ret)
{
	const struct sender *s = atomic_load(&((struct wire *)self)->sender);
	struct sender_stats st = { 0 };

	if (s != NULL)
		sender_stats(s, channel, &st);
	*ret = (struct api_outbox){ st.waiting, st.dead, st.oldest_age_ms / MS_PER_S, st.breaker_open };
}

static err_t start_sender(struct wire *w, const struct config *cfg)
{
	const struct sender_options o = {
		.store = w->api.store,
		.count = &w->count,
		.clock = w->o.clock,
		.rng = w->o.rng,
		.hold = sender_hold,
		.release = sender_release,
		.self = w,
		/* Not thread_opened: a test that counts store calls means those of its requests. */
		.mail_threads = cfg->mail.senders,
	};
	struct sender *s;

	TRY(sender_start(&o, &s));
	atomic_store(&w->sender, s);
	return OK;
}

/* ---- identity providers ---- */

static const struct config *outbound_hold(void *self, void **ret_held)
{
	struct runtime *rt = runtime_hold(&((struct wire *)self)->api);

	*ret_held = rt;
	return rt->cfg;
}

static void outbound_release(void *self, void *held)
{
	(void)self;
	runtime_release(held);
}

static err_t build_outbound(struct wire *w, const struct config *cfg)
{
	const struct outbound_options o = {
		.workers = cfg->oauth.workers, .hold = outbound_hold, .release = outbound_release, .self = w,
	};

	TRY(outbound_new(&o, &w->outbound));
	w->api.outside = outbound_port(w->outbound);
	return OK;
}

static err_t start_revoker(struct wire *w)
{
	const struct revoker_options o = {
		.store = w->api.store, .count = &w->count, .clock = w->o.clock, .rng = w->o.rng,
		.outside = outbound_port(w->outbound), .hold = sender_hold, .release = sender_release, .self = w,
	};

	return revoker_start(&o, &w->revoker);
}

/* ---- housekeeping ---- */

static struct ctx house_ctx(struct wire *w, const struct runtime *rt)
{
	int64_t now_ms = clock_now_ms(w->o.clock), mono_ms = clock_mono_ms(w->o.clock);

	clock_note(&w->clock_guard, now_ms, mono_ms);
	return (struct ctx){
		.mem = &w->mem,
		.db = w->db,
		.cfg = rt->cfg,
		.keys = rt->keys,
		.gate = w->api.gate,
		.count = &w->count,
		.rng = w->o.rng,
		.now_ms = now_ms,
		.mono_ms = mono_ms,
		.clock = &w->clock_guard,
		.client_ip = STR("server"),
	};
}

static void audit_now(struct wire *w, enum audit_event e)
{
	struct runtime *rt = runtime_hold(&w->api);
	struct ctx c = house_ctx(w, rt);
	TX tx = { 0 };
	err_t err = tx_begin(&tx, c.db);

	if (err.code == ERR_OK)
		err = audit_add(&c, e, STR_NONE, STR_NONE, STR_NONE);
	if (err.code == ERR_OK)
		err = tx_commit(&tx);
	if (err.code != ERR_OK)
		log_event(LOG_ERROR, "audit_failed", LOG_CSTR("fault", err_name(err.code)));
	arena_reset(&w->mem);
	runtime_release(rt);
}

static err_t clock_at_start(struct ctx *c)
{
	err_t e = clock_load(c);

	if (e.code == ERR_OK)
		(void)clock_issue(c).code; /* says in the log what the clock forbids */
	return e;
}

static err_t clock_at_sweep(struct ctx *c)
{
	return clock_save(c, false);
}

static err_t clock_at_stop(struct ctx *c)
{
	return clock_save(c, true);
}

static err_t with_clock(struct wire *w, err_t (*act)(struct ctx *c))
{
	struct runtime *rt = runtime_hold(&w->api);
	struct ctx c = house_ctx(w, rt);
	enum err_code code = act(&c).code;

	if (code != ERR_OK)
		log_event(LOG_WARN, "clock_not_kept", LOG_CSTR("fault", err_name(code)));
	arena_reset(&w->mem);
	runtime_release(rt);
	return (err_t){ code };
}

void wire_poll_clock(struct wire *w)
{
	(void)with_clock(w, clock_poll).code;
}

void wire_sweep(struct wire *w)
{
	struct runtime *rt = runtime_hold(&w->api);
	struct ctx c = house_ctx(w, rt);
	int64_t n = 0;
	err_t e = sweep_run(&c, &n);

	if (e.code != ERR_OK)
		log_event(LOG_WARN, "sweep_failed", LOG_CSTR("fault", err_name(e.code)));
	else if (n > 0)
		log_event(LOG_DEBUG, "swept", LOG_INT("rows", n));
	if (c.outbox_added)
		outbox_wake(w);
	arena_reset(&w->mem);
	runtime_release(rt);
	(void)with_clock(w, clock_at_sweep).code;
}

/* New keys under the settings as they are, or under new ones: either way a new runtime. */
static err_t publish(struct wire *w, struct config *cfg, char *why, size_t why_max)
{
	struct runtime *rt = NULL;
	struct keyring *keys = NULL;
	err_t e = keyring_load(cfg->server.data_dir, cfg->token.algorithm, clock_now_ms(w->o.clock), false,
			       w->o.rng, &keys, why, why_max);

	if (e.code == ERR_OK)
		e = runtime_new(cfg, keys, &rt, why, why_max);
	if (e.code != ERR_OK) {
		if (keys != NULL)
			keyring_free(keys);
		return e;
	}
	w->keys_seen = keyring_fingerprint(cfg->server.data_dir);
	runtime_publish(&w->api, rt);
	return OK;
}

void wire_reload(struct wire *w)
{
	struct config_report report = { 0 };
	struct runtime *old = runtime_hold(&w->api);
	struct config *cfg = NULL;
	char why[256] = "";

	if (config_load(w->o.source, &cfg, &report).code != ERR_OK) {
		config_report_log(&report, LOG_ERROR);
		log_event(LOG_ERROR, "reload_refused", LOG_STR("kept", STR("the settings as they were")));
	} else {
		config_report_log(&report, LOG_WARN);
		config_warn_restart(old->cfg, cfg);
		if (publish(w, cfg, why, sizeof(why)).code != ERR_OK) {
			log_event(LOG_ERROR, "reload_refused", LOG_CSTR("why", why));
			config_free(cfg);
		} else {
			log_set(str_eq(cfg->log.format, STR("json")), cfg->log.level);
			if (cfg->server.tls_cert.n > 0 &&
			    http_server_reload_tls(w->main_server, cfg, why, sizeof(why)).code != ERR_OK)
				log_event(LOG_ERROR, "tls_kept", LOG_CSTR("why", why));
			log_event(LOG_INFO, "reloaded", LOG_INT("ok", 1));
		}
	}
	config_report_clear(&report);
	runtime_release(old);
}

void wire_poll_keys(struct wire *w)
{
	struct runtime *rt = runtime_hold(&w->api);
	bool changed = keyring_fingerprint(rt->cfg->server.data_dir) != w->keys_seen;

	runtime_release(rt);
	if (changed) /* the settings are read again too: one way in for both */
		wire_reload(w);
}

/* ---- life ---- */

static err_t build_parts(struct wire *w, const struct config *cfg)
{
	REQUIRE(pthread_mutex_init(&w->api.swap, NULL) == 0, ERR_NO_MEMORY);
	TRY(arena_init(&w->mem, ARENA_DEFAULT_BYTES));
	TRY(wire_gate(cfg, &w->api.gate));
	TRY(metrics_new(n_routes, &w->api.metrics));
	TRY(build_outbound(w, cfg));
	return store_handle_own(w->api.store, &w->db);
}

static enum exit_code start_parts(struct wire *w, struct config *cfg, char *why, size_t why_max)
{
	const struct route *unset = route_check();
	struct keyring *keys = NULL;
	struct runtime *rt;
	enum exit_code code;
	err_t e;

	if (unset != NULL) {
		(void)snprintf(why, why_max, "route table: something is wrong with the row of \"%s\"",
			       unset->pattern == NULL ? "?" : unset->pattern);
		return EXIT_FAULT;
	}
	code = wire_open_store(cfg, true, true, &w->api.store, why, why_max);
	if (code != EXIT_DONE)
		return code;
	if (build_parts(w, cfg).code != ERR_OK) {
		(void)snprintf(why, why_max, "out of memory");
		return EXIT_FAULT;
	}
	code = open_keys(w, cfg, &keys, why, why_max);
	if (code != EXIT_DONE)
		return code;
	e = runtime_new(cfg, keys, &rt, why, why_max);
	if (e.code != ERR_OK) {
		keyring_free(keys);
		return e.code == ERR_CONFIG ? EXIT_BAD_CONFIG : EXIT_FAULT;
	}
	runtime_publish(&w->api, rt);
	if (with_clock(w, clock_at_start).code != ERR_OK) {
		(void)snprintf(why, why_max, "the store cannot be read");
		return EXIT_NO_STORE;
	}
	code = start_listeners(w, cfg, why, why_max);
	if (code == EXIT_DONE && (start_sender(w, cfg).code != ERR_OK || start_revoker(w).code != ERR_OK)) {
		(void)snprintf(why, why_max, "the sender of messages cannot start");
		return EXIT_FAULT;
	}
	return code;
}

static void free_parts(struct wire *w)
{
	if (w->db != NULL)
		db_close(w->db);
	if (w->api.store != NULL)
		store_close(w->api.store);
	runtime_release(atomic_load(&w->api.current));
	metrics_free(w->api.metrics);
	outbound_free(w->outbound);
	password_gate_free(w->api.gate);
	arena_clear(&w->mem);
	brake_free(&w->brake);
	pthread_mutex_destroy(&w->api.swap);
	free(w);
}

enum exit_code wire_start(const struct wire_options *o, struct config *cfg, struct wire **ret, char *why,
			  size_t why_max)
{
	struct wire *w = calloc(1, sizeof(*w));
	enum exit_code code;

	if (w == NULL) {
		config_free(cfg);
		(void)snprintf(why, why_max, "out of memory");
		return EXIT_FAULT;
	}
	w->o = *o;
	w->api.clock = o->clock;
	w->api.rng = o->rng;
	w->api.version = SALLYPORT_VERSION;
	w->api.count = &w->count;
	w->api.clock_guard = &w->clock_guard;
	brake_init(&w->brake);
	w->api.brake = &w->brake;
	w->api.thread_opened = o->thread_opened;
	w->api.thread_opened_self = o->thread_opened_self;
	w->api.outbox_wake = outbox_wake;
	w->api.outbox_stats = outbox_stats;
	w->api.outbox_self = w;
	code = start_parts(w, cfg, why, why_max);
	if (code == EXIT_DONE) {
		audit_now(w, AUDIT_SERVER_STARTED);
		(void)with_clock(w, clock_at_sweep).code; /* the first start leaves a watermark at once */
		*ret = w;
		return code;
	}
	if (w->ops_server != NULL)
		(void)http_server_stop(w->ops_server, 0);
	if (w->main_server != NULL)
		(void)http_server_stop(w->main_server, 0);
	if (atomic_load(&w->api.current) == NULL)
		config_free(cfg);
	free_parts(w);
	return code;
}

bool wire_store_broken(const struct wire *w)
{
	struct store_stats s;

	store_stats(w->api.store, &s);
	return s.broken;
}

str wire_ops_address(const struct wire *w)
{
	return w->ops_server != NULL ? http_server_address(w->ops_server) : wire_config(w)->server.ops_listen;
}

str wire_address(const struct wire *w)
{
	return http_server_address(w->main_server);
}

const struct config *wire_config(const struct wire *w)
{
	return atomic_load(&w->api.current)->cfg;
}

bool wire_stop(struct wire *w)
{
	int64_t timeout_ms = wire_config(w)->server.shutdown_timeout_ms;
	/* Cutting a transfer takes up to a second. */
	int64_t until_ms = monotonic_ms() + timeout_ms - MS_PER_S, left_ms;
	bool clean;

	atomic_store(&w->api.stopping, true);
	if (w->ops_server != NULL) /* first: its /metrics reads the main server's counters */
		(void)http_server_stop(w->ops_server, MS_PER_S);
	if (timeout_ms < OUTBOUND_LONGEST_MS) /* else what is under way at a provider ends by itself */
		outbound_abort(w->outbound);
	clean = http_server_stop(w->main_server, timeout_ms);
	audit_now(w, AUDIT_SERVER_STOPPED);
	(void)with_clock(w, clock_at_stop).code;
	left_ms = until_ms - monotonic_ms();
	if (clean) { /* else a handler may still be running: the process ends with everything in place */
		sender_stop(atomic_load(&w->sender), left_ms > 0 ? left_ms : 0);
		outbound_abort(w->outbound);
		revoker_stop(w->revoker);
		free_parts(w);
	}
	return clean;
}
