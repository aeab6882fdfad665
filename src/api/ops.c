/* ops.c — /healthz, /readyz, /metrics: what an operator's machines ask. No versions, no secrets. */
#include "api/routes.h"
#include "domain/brake.h"
#include "domain/clock_guard.h"
#include "oauth/outside.h"

err_t api_ops_health(struct req *r, const void *body, struct http_reply *rep)
{
	(void)r;
	(void)body;
	rep->status = 200;
	buf_lit(&rep->body, "{\"status\":\"ok\"}");
	return OK;
}

err_t api_ops_ready(struct req *r, const void *body, struct http_reply *rep)
{
	struct api *api = r->listener->api;

	(void)body;
	REQUIRE(!atomic_load(&api->stopping), ERR_STOPPING);
	TRY(clock_issue(&r->c));
	REQUIRE(keyring_signer(r->c.keys, r->c.now_ms) != NULL, ERR_CRYPTO);
	TRY(store_check_writable(api->store));
	rep->status = 200;
	buf_lit(&rep->body, "{\"status\":\"ready\"}");
	return OK;
}

static void label(size_t route, struct buf *out)
{
	if (route >= n_routes) {
		buf_lit(out, "-");
		return;
	}
	if (routes[route].place == PLACE_PREFIX)
		buf_lit(out, "{prefix}");
	buf_str(out, str_of_cstr(routes[route].pattern));
}

static int64_t get(const atomic_llong *v)
{
	return atomic_load_explicit(v, memory_order_relaxed);
}

static void write_domain(struct buf *b, const struct counters *n)
{
	const struct {
		const char *name, *help;
		int64_t value;
	} rows[] = {
		{ "refresh_rotated_total", "Refreshes that made a new generation.", get(&n->refresh_rotated) },
		{ "refresh_repeated_total", "Refreshes answered with the current token again.",
		  get(&n->refresh_repeated) },
		{ "refresh_reissued_total", "Refreshes after a lost answer.", get(&n->refresh_reissued) },
		{ "refresh_straggler_total", "Late refreshes refused without ending the session.",
		  get(&n->refresh_straggler) },
		{ "refresh_reuse_total", "Sessions ended because an old refresh token came back.",
		  get(&n->refresh_reuse) },
		{ "refresh_ahead_total", "Refresh tokens newer than the store (restored backup?).",
		  get(&n->refresh_ahead) },
		{ "login_ok_total", "Successful sign-ins.", get(&n->login_ok) },
		{ "login_failed_total", "Refused sign-ins.", get(&n->login_failed) },
		{ "login_limited_total", "Sign-ins refused by limits.", get(&n->login_limited) },
		{ "token_cache_hits_total", "Access tokens found verified.", get(&n->jwt_cache_hits) },
		{ "token_cache_misses_total", "Access tokens verified anew.", get(&n->jwt_cache_misses) },
		{ "mail_sent_total", "Mails that a provider has taken over.", get(&n->mail_sent) },
		{ "mail_retried_total", "Attempts to send a mail that failed for now.",
		  get(&n->mail_retried) },
		{ "mail_dead_total", "Mails given up.", get(&n->mail_dead) },
		{ "mail_expired_total", "Mails dropped because they came too late.",
		  get(&n->mail_expired) },
		{ "sms_sent_total", "Text messages that a gateway has taken over.", get(&n->sms_sent) },
		{ "sms_retried_total", "Attempts to send a text message that failed for now.",
		  get(&n->sms_retried) },
		{ "sms_dead_total", "Text messages given up.", get(&n->sms_dead) },
		{ "sms_expired_total", "Text messages dropped because they came too late.",
		  get(&n->sms_expired) },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		metrics_write_value(b, rows[i].name, "counter", rows[i].help, rows[i].value);
}

static void write_store(struct buf *b, const struct store *store)
{
	struct store_stats s;

	store_stats(store, &s);
	metrics_write_value(b, "store_commits_total", "counter", "Group commits (one fsync each).",
			    s.commits);
	metrics_write_value(b, "store_transactions_total", "counter", "Transactions in them.",
			    s.transactions);
	metrics_write_value(b, "store_busy_total", "counter", "Writes refused because of a lock.", s.busy);
	metrics_write_value(b, "store_full_total", "counter", "Writes refused for lack of space.", s.full);
	metrics_write_value(b, "store_errors_total", "counter", "Other errors of the store.", s.errors);
	metrics_write_value(b, "store_wal_bytes", "gauge", "Size of the write-ahead log.", s.wal_bytes);
	metrics_write_value(b, "store_waiting", "gauge", "Threads waiting to write.", s.waiting);
}

static void write_edge(struct buf *b, const struct http_server *server)
{
	struct http_stats s = { 0 };

	if (server == NULL)
		return;
	http_server_stats(server, &s);
	metrics_write_value(b, "connections_open", "gauge", "Open connections.", s.connections_open);
	metrics_write_value(b, "connections_total", "counter", "Accepted connections.",
			    s.connections_total);
	metrics_write_value(b, "connections_refused_total", "counter", "Connections over a limit.",
			    s.connections_refused);
	metrics_write_value(b, "deadline_closes_total", "counter", "Connections closed for slowness.",
			    s.deadline_closes);
	metrics_write_value(b, "guard_refusals_total", "counter", "Malformed request heads.",
			    s.guard_refusals);
	metrics_write_value(b, "pool_queue_depth", "gauge", "Requests waiting for a worker.",
			    s.queue_depth[LANE_POOL]);
	metrics_write_value(b, "hash_queue_depth", "gauge", "Requests waiting for a hash worker.",
			    s.queue_depth[LANE_HASH]);
	metrics_write_value(b, "egress_queue_depth", "gauge", "Requests waiting to ask an identity provider.",
			    s.queue_depth[LANE_EGRESS]);
	metrics_write_value(b, "egress_refused_total", "counter", "Such requests refused by a full queue.",
			    s.queue_refusals[LANE_EGRESS]);
	metrics_write_value(b, "pool_refused_total", "counter", "Requests refused by a full queue.",
			    s.queue_refusals[LANE_POOL]);
	metrics_write_value(b, "hash_refused_total", "counter", "Sign-ins refused by a full queue.",
			    s.queue_refusals[LANE_HASH]);
}

static void write_channel(struct buf *b, const struct api_outbox *o, const char *const names[4])
{
	metrics_write_value(b, names[0], "gauge", "Messages waiting to be sent.", o->waiting);
	metrics_write_value(b, names[1], "gauge", "Messages given up, kept for an operator.", o->dead);
	metrics_write_value(b, names[2], "gauge", "Age of the oldest waiting message.", o->oldest_s);
	metrics_write_value(b, names[3], "gauge", "1 while the provider is given a rest.",
			    o->breaker_open);
}

static void write_outbox(struct buf *b, const struct api *api)
{
	static const struct {
		enum outbox_channel channel;
		const char *names[4];
	} rows[] = {
		{ OUTBOX_MAIL,
		  { "outbox_waiting_mail", "outbox_dead_mail", "outbox_oldest_seconds_mail",
		    "breaker_open_mail" } },
		{ OUTBOX_SMS,
		  { "outbox_waiting_sms", "outbox_dead_sms", "outbox_oldest_seconds_sms",
		    "breaker_open_sms" } },
	};
	struct api_outbox o;

	if (api->outbox_stats == NULL)
		return;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		api->outbox_stats(api->outbox_self, rows[i].channel, &o);
		write_channel(b, &o, rows[i].names);
	}
}

static void write_providers(struct buf *b, const struct config *cfg, const struct outside *o)
{
	if (o == NULL || cfg->oauth.n == 0)
		return;
	buf_lit(b, "# HELP sallyport_breaker_open_provider 1 while an identity provider is only probed.\n"
		   "# TYPE sallyport_breaker_open_provider gauge\n");
	for (size_t i = 0; i < cfg->oauth.n; i++) {
		str name = cfg->oauth.provider[i].name;
		enum outside_state s = o->state(o->self, name);

		buf_printf(b, "sallyport_breaker_open_provider{provider=\"%.*s\"} %d\n", STR_ARG(name),
			   s == OUTSIDE_RESTS || s == OUTSIDE_TRIED);
	}
}

static void write_build(struct buf *b, const char *version)
{
	if (version == NULL)
		return;
	buf_printf(b, "# HELP sallyport_build_info 1, and what is running.\n# TYPE sallyport_build_info gauge\n"
		      "sallyport_build_info{version=\"%s\"} 1\n",
		   version);
}

err_t api_ops_metrics(struct req *r, const void *body, struct http_reply *rep)
{
	const struct api *api = r->listener->api;
	struct buf *b = &rep->body;

	(void)body;
	rep->status = 200;
	rep->content_type = "text/plain; version=0.0.4; charset=utf-8";
	write_build(b, api->version);
	write_domain(b, api->count);
	write_store(b, api->store);
	write_edge(b, api->server);
	write_outbox(b, api);
	write_providers(b, r->c.cfg, r->c.outside);
	metrics_write_value(b, "login_brake", "gauge", "1 while too many sign-ins fail.", brake_is_on(&r->c));
	metrics_write_value(b, "hash_microseconds", "gauge", "Smoothed time of one password hash.",
			    password_gate_hash_us(api->gate));
	metrics_write_requests(api->metrics, b, label);
	return OK;
}
