/* The application of a play: wired as app/wire.c does, without sockets, senders and threads. */
#include <ftw.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>

#include "base/log.h"
#include "crypto/mac.h"
#include "domain/clock_guard.h"
#include "play.h"

#define START_MS ((int64_t)1800000000000)

/* ---- argon2id, without its cost: linked in front of libsodium's ---- */

int crypto_pwhash(unsigned char *const out, unsigned long long n_out, const char *const passwd,
		  unsigned long long n_passwd, const unsigned char *const salt,
		  unsigned long long ops, size_t mem, int alg)
{
	(void)ops;
	(void)mem;
	(void)alg;
	return crypto_generichash(out, n_out, (const unsigned char *)passwd, n_passwd, salt,
				  crypto_pwhash_SALTBYTES);
}

/* ---- telling ---- */

void play_note(struct play *p, const char *fmt, ...)
{
	char *line = p->trace[p->n_trace++ % PLAY_TRACE];
	va_list ap;
	int n = snprintf(line, sizeof(p->trace[0]), "%zu %s: ", p->step, play_ops[p->op].name);

	va_start(ap, fmt);
	(void)vsnprintf(line + n, sizeof(p->trace[0]) - (size_t)n, fmt, ap);
	va_end(ap);
}

void play_fail(struct play *p, const char *fmt, ...)
{
	size_t from = p->n_trace > PLAY_TRACE ? p->n_trace - PLAY_TRACE : 0;
	va_list ap;

	(void)fprintf(stderr, "\nSEED=%" PRIu64 ", world %zu, step %zu, %s: ", p->seed, p->world,
		      p->step, play_ops[p->op].name);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fprintf(stderr,
		      "\nsettings: verification %d, limits %d, 2fa required %d magic_link %d "
		      "remember %d, "
		      "mail %d, sms %d\nthe last operations:\n",
		      (int)p->cfg.verification.mode, p->limits, p->cfg.twofactor.required,
		      p->cfg.twofactor.magic_link, p->cfg.twofactor.remember,
		      (int)p->cfg.mail.transport, (int)p->cfg.sms.transport);
	for (size_t i = from; i < p->n_trace; i++)
		(void)fprintf(stderr, "  %s\n", p->trace[i % PLAY_TRACE]);
	abort();
}

/* ---- choices ---- */

static uint64_t next_random(uint64_t *state) /* splitmix64 */
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

unsigned play_pick(struct play *p, unsigned n)
{
	if (!p->by_bytes)
		return (unsigned)(next_random(&p->rng) % n);
	return p->at < p->n_bytes ? p->bytes[p->at++] % n : 0;
}

bool play_chance(struct play *p, unsigned percent)
{
	return play_pick(p, 100) < percent;
}

/* ---- the edge's part, as far as the application asks for it ---- */

static const struct play_call *calling;
static char auth_header[1600];

str http_header(const struct http_request *r, const char *name)
{
	str key = str_of_cstr(name);

	(void)r;
	if (str_eq(key, STR("authorization")))
		return calling->bearer == NULL ? STR_NONE : str_of_cstr(auth_header);
	if (str_eq(key, STR("x-auth-strategy")))
		return STR("bearer");
	if (str_eq(key, STR("content-type")))
		return STR("application/json");
	if (str_eq(key, STR("user-agent")))
		return str_of_cstr(calling->agent);
	return STR_NONE;
}

void http_server_stats(const struct http_server *s, struct http_stats *ret)
{
	(void)s;
	*ret = (struct http_stats){ 0 };
}

/* ---- the application ---- */

static int64_t wall(void *self)
{
	return ((struct play *)self)->now_ms;
}

static int64_t mono(void *self)
{
	return ((struct play *)self)->mono_ms;
}

static err_t fill(void *self, void *dst, size_t n)
{
	struct play *p = self;
	uint8_t *at = dst;

	for (size_t i = 0; i < n; i++)
		at[i] = (uint8_t)next_random(&p->app_rng);
	return OK;
}

static void keep_handle(void *self, struct db *db)
{
	((struct play *)self)->db = db;
}

static void note_mail(void *self)
{
	((struct play *)self)->mailed = true;
}

static void free_nothing(struct runtime *rt)
{
	(void)rt;
}

static void must(struct play *p, err_t e, const char *what)
{
	if (e.code != ERR_OK)
		play_fail(p, "%s: %s", what, err_name(e.code));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static void load_keys(struct play *p)
{
	char dir[] = "/tmp/play-XXXXXX", why[256];

	if (mkdtemp(dir) == NULL)
		play_fail(p, "no directory");
	must(p,
	     keyring_load(str_of_cstr(dir), ALG_HS256, START_MS - MS_PER_DAY, true, rng_system,
			  &p->keys, why, sizeof(why)),
	     "keys");
	(void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void play_init(struct play *p)
{
	memset(p, 0, sizeof(*p));
	p->now_ms = START_MS;
	must(p, crypto_init(), "crypto");
	load_keys(p);
	must(p, password_gate_new(1, &p->api.gate), "gate");
	must(p, metrics_new(n_routes, &p->api.metrics), "metrics");
	must(p, arena_init(&p->thread.arena, ARENA_DEFAULT_BYTES), "arena");
	must(p, arena_init(&p->mem, ARENA_DEFAULT_BYTES), "arena");
	body_init();
	log_set(true,
		(enum log_level)(LOG_ERROR + 1)); /* a clock that is set back is no news here */
	if (pthread_mutex_init(&p->api.swap, NULL) != 0)
		play_fail(p, "mutex");
	p->api.count = &p->count;
	p->api.clock_guard = &p->guard;
	p->api.clock = (struct clock){ wall, mono, p };
	p->api.rng = (struct rng){ fill, p };
	p->api.thread_opened = keep_handle;
	p->api.thread_opened_self = p;
	p->api.outbox_wake = note_mail;
	p->api.outbox_self = p;
	p->rt = (struct runtime){ .cfg = &p->cfg, .keys = p->keys, .free = free_nothing };
	runtime_publish(&p->api, &p->rt);
	p->listener = (struct api_listener){ .api = &p->api };
	api_listener_app(&p->listener, &p->app);
	p->thread.lane = LANE_POOL;
	play_check_ops(p);
}

static void close_world(struct play *p)
{
	if (p->store != NULL)
		p->app.thread_close(p->app.self, &p->thread);
}

void play_clear(struct play *p)
{
	close_world(p);
	play_store_close(p);
	arena_clear(&p->thread.arena);
	arena_clear(&p->mem);
	metrics_free(p->api.metrics);
	password_gate_free(p->api.gate);
	keyring_free(p->keys);
	pthread_mutex_destroy(&p->api.swap);
}

static void base_settings(struct config *cfg)
{
	static const str site[] = { STR_INIT("https://app.example.test") };
	static const str countries[] = { STR_INIT("any") };

	*cfg = (struct config){ 0 };
	cfg->server.public_url = STR("https://auth.example.test");
	cfg->server.api_prefix = STR("/auth");
	cfg->server.max_body = 65536;
	cfg->registration.enabled = true;
	cfg->token.access_ttl_ms = 15 * MS_PER_MIN;
	cfg->token.refresh_ttl_ms = 30 * MS_PER_DAY;
	cfg->token.refresh_max_ttl_ms = 90 * MS_PER_DAY;
	cfg->token.refresh_window_ms = MS_PER_MIN;
	cfg->token.algorithm = ALG_HS256;
	cfg->session.check_on = SESSION_CHECK_ALLCALLS;
	cfg->session.max_per_user = 100;
	cfg->password.min_length = 8;
	cfg->password.argon2_memory = ARGON2_MEMORY_FLOOR;
	cfg->password.argon2_iterations = ARGON2_ITER_FLOOR;
	cfg->password.max_wait_ms = 60000;
	cfg->verification.grace_ms = 7 * MS_PER_DAY;
	cfg->stepup.max_age_ms = 10 * MS_PER_MIN;
	cfg->site.urls = (struct str_list){ site, 1 };
	cfg->site.app_links = LINKS_FULL;
	cfg->mail.from = STR("auth@example.test");
	cfg->mail.default_lang = STR("en");
	cfg->sms.countries = (struct str_list){ countries, 1 };
	cfg->sms.require_proof = true;
	cfg->sms.code_ttl_ms = 10 * MS_PER_MIN;
	cfg->outbox.max_age_ms = MS_PER_DAY;
	cfg->twofactor.remember_ttl_ms = 30 * MS_PER_DAY;
	cfg->guest.unused_ttl_ms = 30 * MS_PER_DAY;
	cfg->guest.per_hour = 1000;
	cfg->notice.new_sign_in = true;
	cfg->ui.site_name = STR("Sallyport");
}

/* Small enough that a play meets them. */
static void limits(struct config *cfg)
{
	cfg->limits.account_free = 5;
	cfg->limits.account_max = 12;
	cfg->limits.device_free = 5;
	cfg->limits.network_free = 60;
	cfg->limits.network_window_ms = MS_PER_MIN;
	cfg->limits.register_per_hour = 20;
	cfg->limits.device_ttl_ms = 90 * MS_PER_DAY;
	cfg->limits.resend_ms = MS_PER_MIN;
	cfg->limits.mail_per_10min = 6;
	cfg->limits.mail_per_day = 40;
	cfg->limits.mail_network_per_hour = 60;
	cfg->limits.sms_per_hour = 5;
	cfg->limits.sms_per_day = 20;
	cfg->limits.sms_network_per_hour = 60;
	cfg->limits.sms_range_per_hour = 30;
	cfg->limits.sms_total_per_day = 1000;
	cfg->limits.bad_tokens = 40;
	cfg->limits.oauth_per_10min = 60;
	cfg->limits.sign_ins_per_hour = 60;
}

static void choose_settings(struct play *p)
{
	struct config *cfg = &p->cfg;

	base_settings(cfg);
	limits(cfg);
	p->limits = play_chance(p, 40);
	cfg->limits.enabled = p->limits;
	cfg->verification.mode = VERIFICATION_NONE + (enum verification_mode)play_pick(p, 3);
	cfg->mail.transport = play_chance(p, 92) ? MAIL_FILE : MAIL_NONE;
	cfg->sms.transport = play_chance(p, 85) ? SMS_LOG : SMS_NONE;
	cfg->twofactor.required = play_chance(p, 15);
	cfg->twofactor.magic_link = play_chance(p, 60);
	cfg->twofactor.remember = play_chance(p, 50);
	cfg->takeover.delay_ms = play_chance(p, 50) ? MS_PER_HOUR : 3 * MS_PER_DAY;
	cfg->guest.enabled = play_chance(p, 80);
	cfg->stepup.account_delete = play_chance(p, 50);
}

static void begin_clock(struct play *p)
{
	struct ctx c = {
		.mem = &p->mem, .db = p->db, .cfg = &p->cfg, .keys = p->keys, .clock = &p->guard
	};

	p->guard = (struct clock_guard){ 0 };
	p->now_ms = p->seen_ms = START_MS;
	p->mono_ms = MS_PER_HOUR;
	p->step_ms = 0;
	p->stepped = false;
	c.now_ms = p->now_ms;
	c.mono_ms = p->mono_ms;
	must(p, clock_load(&c), "clock");
	arena_reset(&p->mem);
}

void play_world(struct play *p)
{
	close_world(p);
	p->world++;
	p->n_users = p->n_sessions = p->n_pairs = p->n_secrets = p->n_trust = p->n_links = 0;
	p->n_passwords = 0;
	p->n_trace = 0;
	p->mailed = false;
	p->last_pair = PLAY_NONE;
	p->follow = NULL;
	choose_settings(p);
	p->app_rng = p->by_bytes ? 1 : next_random(&p->rng);
	play_store_renew(p);
	p->api.store = p->store;
	must(p, p->app.thread_open(p->app.self, &p->thread), "thread");
	begin_clock(p);
}

/* ---- requests ---- */

void play_body(struct play_call *k, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(k->body, sizeof(k->body), fmt, ap);
	va_end(ap);
	k->has_body = true;
}

bool play_ok(const struct play *p)
{
	return p->answer.status >= 200 && p->answer.status < 300;
}

bool play_code(const struct play *p, const char *code)
{
	return str_eq(str_of_cstr(p->answer.code), str_of_cstr(code));
}

bool play_member(const struct play *p, const char *key, char *dst, size_t max)
{
	char name[64];
	int n = snprintf(name, sizeof(name), "\"%s\":\"", key);
	const char *at = memmem(p->answer.body.p, p->answer.body.n, name, (size_t)n), *end;

	dst[0] = '\0';
	if (at == NULL)
		return false;
	at += n;
	end = memchr(at, '"', (size_t)(p->answer.body.p + p->answer.body.n - at));
	if (end == NULL || (size_t)(end - at) >= max)
		return false;
	memcpy(dst, at, (size_t)(end - at));
	dst[end - at] = '\0';
	return true;
}

static bool holds(const struct play *p, const char *text)
{
	return text[0] != '\0' &&
	       memmem(p->answer.body.p, p->answer.body.n, text, str_of_cstr(text).n) != NULL;
}

/* Nothing that somebody was mailed or texted, no password, and no token but one's own. */
static void check_no_secret(struct play *p)
{
	for (int i = 0; i < p->n_secrets; i++) {
		const struct play_secret *s = &p->secret[i];

		if (str_of_cstr(s->text).n > 6 && holds(p, s->text))
			play_fail(p, "the answer holds secret %d of user %d (purpose %d): %.*s", i,
				  s->user, (int)s->purpose, STR_ARG(p->answer.body));
	}
	for (int i = 0; i < p->n_users; i++) {
		const struct play_user *u = &p->user[i];

		if (holds(p, u->password) || holds(p, u->hash) || holds(p, u->seed) ||
		    holds(p, u->pending_seed) || holds(p, u->recovery[0]) ||
		    holds(p, u->recovery[9]))
			play_fail(p, "the answer holds a secret of user %d: %.*s", i,
				  STR_ARG(p->answer.body));
	}
	for (int i = p->n_pairs > 16 ? p->n_pairs - 16 : 0; i < p->n_pairs; i++) {
		const struct play_pair *k = &p->pair[i];

		if (p->session[k->session].user != p->actor &&
		    (holds(p, k->access) || holds(p, k->refresh)))
			play_fail(p, "the answer holds tokens of user %d: %.*s",
				  p->session[k->session].user, STR_ARG(p->answer.body));
	}
}

static void check_status(struct play *p)
{
	int status = p->answer.status;

	if (status < 200 || status >= 600)
		play_fail(p, "status %d", status);
	if (status >= 500 && !(play_code(p, "CLOCK") && play_is_behind(p)) &&
	    !(play_code(p, "EMAIL_NOT_CONFIGURED") && p->cfg.mail.transport == MAIL_NONE) &&
	    !(play_code(p, "SMS_NOT_CONFIGURED") && p->cfg.sms.transport == SMS_NONE))
		play_fail(p, "answered %d: %.*s (%s)", status, STR_ARG(p->answer.body),
			  err_origin());
	if (status == 429 && !p->limits)
		play_fail(p, "limited without limits: %.*s", STR_ARG(p->answer.body));
}

void play_call(struct play *p, const struct play_call *k)
{
	static char body[HTTP_REPLY_BODY_MAX], path[256], request_body[2048];
	struct http_request r = { .method = k->method,
				  .request_id = "01ARZ3NDEKTSV4RRFFQ69G5FAV",
				  .client_ip = "203.0.113.7",
				  .now_ms = p->now_ms,
				  .start_us = monotonic_us(),
				  .client_addr = { [10] = 0xff, [11] = 0xff, 203, 0, 113, 7 } };
	struct http_reply rep = { .body = { .p = body, .cap = sizeof(body) } };
	struct http_plan plan;

	calling = k;
	(void)snprintf(path, sizeof(path), "%s", k->path);
	(void)snprintf(request_body, sizeof(request_body), "%s", k->body);
	(void)snprintf(auth_header, sizeof(auth_header), "Bearer %s",
		       k->bearer == NULL ? "" : k->bearer);
	r.path = str_of_cstr(path);
	r.query = k->query[0] == '\0' ? STR_NONE : str_of_cstr(k->query);
	r.body = str_of_cstr(request_body);
	r.has_body = k->has_body;
	if (p->now_ms > p->seen_ms)
		p->seen_ms = p->now_ms;
	if (p->stepped)
		p->step_ms = p->seen_ms; /* that is when it is noticed */
	p->stepped = false;
	p->app.plan(p->app.self, &r, &plan);
	r.lane = LANE_POOL;
	if (!p->app.handle(p->app.self, &p->thread, &r, &rep))
		play_fail(p, "a worker said that it is none");
	p->answer = (struct play_answer){ .status = rep.status, .body = buf_view(&rep.body) };
	(void)play_member(p, "code", p->answer.code, sizeof(p->answer.code));
	play_note(p, "%s%s%s %s-> %d %s", k->path, k->query[0] == '\0' ? "" : "?", k->query,
		  k->bearer == NULL ? "" : "(signed in) ", rep.status, p->answer.code);
	if (str_of_cstr(k->body).n > 2)
		play_note(p, "  sent %.200s", k->body);
	arena_reset(&p->thread.arena);
	check_status(p);
	check_no_secret(p);
	if (play_ok(p))
		p->ok[p->op]++;
	else
		p->refused[p->op]++;
}

/* ---- the mailbox and the telephone ---- */

static str var_of(const struct outbox_item *item, const char *name)
{
	for (size_t i = 0; i < item->n_vars; i++) {
		if (str_eq(item->vars[i].name, str_of_cstr(name)))
			return item->vars[i].value;
	}
	return STR_NONE;
}

static bool read_one(struct play *p, struct ctx *c, enum outbox_channel channel)
{
	struct outbox_item item = { 0 };
	char template[40], to[64], token[72], code[8];
	int64_t next_ms;
	bool found;
	str text;

	must(p, outbox_claim(c, channel, MS_PER_MIN, &item, &found, &next_ms), "outbox");
	if (!found)
		return false;
	must(p, outbox_sent(c, item.id), "outbox");
	text = var_of(&item, "token");
	(void)snprintf(template, sizeof(template), "%.*s", STR_ARG(item.template));
	(void)snprintf(to, sizeof(to), "%.*s", STR_ARG(item.recipient));
	(void)snprintf(token, sizeof(token), "%.*s", (int)text.n, text.n > 0 ? text.p : "");
	text = var_of(&item, "code");
	(void)snprintf(code, sizeof(code), "%.*s", (int)text.n, text.n > 0 ? text.p : "");
	play_got_message(p, channel, template, to, token, code);
	return true;
}

void play_read_mail(struct play *p)
{
	struct ctx c = { .mem = &p->mem,
			 .db = p->db,
			 .cfg = &p->cfg,
			 .keys = p->keys,
			 .count = &p->count,
			 .rng = p->api.rng,
			 .now_ms = p->now_ms,
			 .mono_ms = p->mono_ms };

	if (!p->mailed)
		return;
	p->mailed = false;
	while (read_one(p, &c, OUTBOX_MAIL) || read_one(p, &c, OUTBOX_SMS))
		arena_reset(&p->mem);
	arena_reset(&p->mem);
}
