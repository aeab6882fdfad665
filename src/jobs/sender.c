#include "jobs/sender.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/wait.h"
#include "egress/mailer.h"
#include "egress/texter.h"
#include "jobs/breaker.h"
#include "jobs/sending.h"

#define POLL_MS (2 * MS_PER_S) /* the command line writes too, and tells nobody */
/* The largest template as JSON, each byte escaped; taken page by page as it is needed. */
#define ARENA_BYTES ((size_t)4 * 1024 * 1024)
/* Beyond the time-out of a transfer: what was sent must be recorded before another thread may take
 * it, also by a store that is full for a while. A restart gives leases back at once. */
#define LEASE_MS	(15 * MS_PER_MIN)
#define OTHER_THREADS	2 /* one for SMS, one that looks */
#define RECORD_AGAIN_MS 200
/* A look at the depth reads every row: of a thread's time at most one part in twenty. */
#define LOOK_SHARE 20

/* What the threads of one channel share. */
struct lane {
	struct breaker breaker;
	/* Read without the lock, by sender_stats. */
	atomic_llong waiting, dead, oldest_ms;
	atomic_bool open;
};

/* One whose channel is unset only looks how much there is, as those that send may hang. */
struct worker {
	struct sender *s;
	struct lane *lane;
	struct carrier carrier;
	struct db *db;
	struct arena mem;
	pthread_t thread;
	uint64_t woken;	  /* wakes seen */
	bool probing;	  /* what it sends now is the breaker's probe */
	bool store_fails; /* said once */
};

struct sender {
	struct sender_options o;
	pthread_mutex_t lock; /* over all of it but the workers' own */
	pthread_cond_t wake, left;
	uint64_t wakes;
	bool stopping;
	atomic_bool cut; /* transfers have been broken off: their messages stay as they are */
	size_t n_alive, n_threads, n_workers;
	struct lane lanes[N_OUTBOX_CHANNELS];
	struct worker workers[];
};

/* ---- waiting ---- */

/* Until wait_ms are over or somebody wakes the sender. False: it is time to go. */
static bool rest(struct worker *w, int64_t wait_ms)
{
	struct sender *s = w->s;
	int64_t until_us = monotonic_us() + wait_ms * 1000;
	bool only_looks = w->carrier.channel == OUTBOX_UNSET, go_on;

	(void)pthread_mutex_lock(&s->lock);
	while (wait_ms > 0 && !s->stopping && (only_looks || s->wakes == w->woken)) {
		if (!wait_until(&s->wake, &s->lock, until_us))
			break;
	}
	w->woken = s->wakes;
	go_on = !s->stopping;
	(void)pthread_mutex_unlock(&s->lock);
	return go_on;
}

static bool breaker_allows(struct worker *w, int64_t *ret_wait_ms)
{
	struct breaker *b = &w->lane->breaker;
	int64_t now_ms = monotonic_ms();
	bool taken;

	(void)pthread_mutex_lock(&w->s->lock);
	taken = breaker_take(b, now_ms);
	w->probing = taken && b->state == BREAKER_PROBING;
	*ret_wait_ms = breaker_wait_ms(b, now_ms);
	(void)pthread_mutex_unlock(&w->s->lock);
	return taken;
}

static void give_probe_back(struct worker *w)
{
	(void)pthread_mutex_lock(&w->s->lock);
	if (w->probing)
		breaker_unused(&w->lane->breaker);
	(void)pthread_mutex_unlock(&w->s->lock);
}

static void tell_breaker(struct worker *w, bool down)
{
	struct sender *s = w->s;
	struct breaker *b = &w->lane->breaker;
	bool opened = false, closed = false;

	(void)pthread_mutex_lock(&s->lock);
	if (down)
		opened = breaker_down(b, monotonic_ms());
	else
		closed = breaker_up(b);
	atomic_store(&w->lane->open, b->state != BREAKER_CLOSED);
	if (closed) { /* the others have been waiting for this */
		s->wakes++;
		(void)pthread_cond_broadcast(&s->wake);
	}
	(void)pthread_mutex_unlock(&s->lock);
	if (opened || closed)
		log_event(opened ? LOG_ERROR : LOG_INFO,
			  opened ? "breaker_opened" : "breaker_closed",
			  LOG_CSTR("channel", w->carrier.channel == OUTBOX_SMS ? "sms" : "mail"));
}

/* ---- one round ---- */

static struct ctx ctx_of(struct worker *w, const struct sender_runtime *rt)
{
	const struct sender_options *o = &w->s->o;

	err_clear_origin();
	return (struct ctx){
		.mem = &w->mem,
		.db = w->db,
		.cfg = rt->cfg,
		.keys = rt->keys,
		.count = o->count,
		.rng = o->rng,
		.now_ms = clock_now_ms(o->clock),
		.client_ip = STR("server"),
	};
}

static void store_failed(struct worker *w, err_t e)
{
	if (!w->store_fails)
		log_event(LOG_ERROR, "outbox_stuck", LOG_CSTR("fault", err_name(e.code)),
			  LOG_CSTR("at", err_origin()));
	w->store_fails = true;
}

/* Not recorded means sent again, so this is not given up before the process is. */
static bool record(struct worker *w, struct ctx *c, const struct outbox_item *item,
		   const struct sending *result)
{
	for (;;) {
		err_t e;

		err_clear_origin();
		c->now_ms = clock_now_ms(w->s->o.clock);
		e = sending_record(c, item, result);
		if (e.code == ERR_OK)
			return true;
		store_failed(w, e);
		if (atomic_load(&w->s->cut))
			return false;
		(void)poll(NULL, 0, RECORD_AGAIN_MS);
	}
}

static void send_one(struct worker *w, struct ctx *c, const struct outbox_item *item)
{
	struct sending result;

	sending_try(c, &w->carrier, item, &result);
	if (result.down && atomic_load(&w->s->cut))
		return; /* we broke it off: the lease stays, and the next start gives it back */
	if (result.asked)
		tell_breaker(w, result.down);
	else
		give_probe_back(w);
	if (record(w, c, item, &result))
		sending_report(c, w->carrier.channel, item, &result);
}

static int64_t lease_ms(const struct config *cfg, enum outbox_channel channel)
{
	return LEASE_MS + (channel == OUTBOX_SMS ? cfg->sms.timeout_ms : cfg->mail.timeout_ms);
}

/* For how long to rest then: until the next message is due, by a clock that tests may have stopped.
 */
static int64_t claim_and_send(struct worker *w, struct ctx *c)
{
	struct outbox_item item;
	int64_t next_ms;
	bool found;
	err_t e = outbox_claim(c, w->carrier.channel, lease_ms(c->cfg, w->carrier.channel), &item,
			       &found, &next_ms);

	if (e.code == ERR_OK && found) {
		w->store_fails = false;
		send_one(w, c, &item);
		return 0;
	}
	give_probe_back(w);
	if (e.code != ERR_OK) {
		store_failed(w, e);
		return POLL_MS;
	}
	w->store_fails = false;
	return next_ms - c->now_ms;
}

static bool has_transport(const struct config *cfg, enum outbox_channel channel)
{
	return channel == OUTBOX_SMS ? cfg->sms.transport > SMS_NONE
				     : cfg->mail.transport > MAIL_NONE;
}

static int64_t round_of(struct worker *w)
{
	const struct sender_options *o = &w->s->o;
	struct sender_runtime rt;
	int64_t wait_ms = POLL_MS;
	struct ctx c;

	o->hold(o->self, &rt);
	c = ctx_of(w, &rt);
	/* What was queued before the transport was taken away waits for it to come back. */
	if (has_transport(rt.cfg, w->carrier.channel) && breaker_allows(w, &wait_ms))
		wait_ms = claim_and_send(w, &c);
	arena_reset(&w->mem);
	o->release(o->self, &rt);
	return wait_ms < POLL_MS ? wait_ms : POLL_MS;
}

static void look_at(struct ctx *c, enum outbox_channel channel, struct lane *l)
{
	struct outbox_depth d;

	if (outbox_depth(c, channel, &d).code != ERR_OK)
		return; /* those that send say so */
	atomic_store(&l->waiting, d.waiting);
	atomic_store(&l->dead, d.dead);
	atomic_store(&l->oldest_ms, d.oldest_ms);
}

static int64_t look(struct worker *w)
{
	const struct sender_options *o = &w->s->o;
	int64_t began_ms = monotonic_ms();
	struct sender_runtime rt;
	struct ctx c;

	o->hold(o->self, &rt);
	c = ctx_of(w, &rt);
	look_at(&c, OUTBOX_MAIL, &w->s->lanes[OUTBOX_MAIL]);
	look_at(&c, OUTBOX_SMS, &w->s->lanes[OUTBOX_SMS]);
	arena_reset(&w->mem);
	o->release(o->self, &rt);
	return POLL_MS + LOOK_SHARE * (monotonic_ms() - began_ms);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct sender *s = w->s;
	int64_t wait_ms = 0;

	while (rest(w, wait_ms))
		wait_ms = w->carrier.channel == OUTBOX_UNSET ? look(w) : round_of(w);
	(void)pthread_mutex_lock(&s->lock);
	s->n_alive--;
	(void)pthread_cond_broadcast(&s->left);
	(void)pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* ---- life ---- */

static void worker_close(struct worker *w)
{
	mailer_free(w->carrier.mailer);
	texter_free(w->carrier.texter);
	db_close(w->db);
	arena_clear(&w->mem);
}

static err_t worker_open(struct sender *s, struct worker *w, enum outbox_channel channel)
{
	w->s = s;
	w->lane = &s->lanes[channel];
	w->carrier.channel = channel;
	TRY(arena_init(&w->mem, ARENA_BYTES));
	TRY(store_handle(s->o.store, &w->db));
	if (s->o.thread_opened != NULL)
		s->o.thread_opened(s->o.thread_opened_self, w->db);
	switch (channel) {
	case OUTBOX_UNSET: break;
	case OUTBOX_MAIL: return mailer_new(&w->carrier.mailer);
	case OUTBOX_SMS: return texter_new(&w->carrier.texter);
	}
	return OK;
}

static err_t open_workers(struct sender *s)
{
	for (int64_t i = 0; i < s->o.mail_threads; i++)
		TRY(worker_open(s, &s->workers[s->n_workers++], OUTBOX_MAIL));
	TRY(worker_open(s, &s->workers[s->n_workers++], OUTBOX_SMS));
	return worker_open(s, &s->workers[s->n_workers++], OUTBOX_UNSET);
}

/* Before the first thread: what it takes must not be given back. */
static void release_leases(struct sender *s)
{
	struct worker *w = &s->workers[0];
	struct sender_runtime rt;
	struct ctx c;
	int64_t n = 0;
	err_t e;

	s->o.hold(s->o.self, &rt);
	c = ctx_of(w, &rt);
	e = outbox_release_leases(&c, &n);
	if (e.code != ERR_OK) /* a full store: they run out by themselves */
		log_event(LOG_WARN, "outbox_leases_kept", LOG_CSTR("fault", err_name(e.code)));
	else if (n > 0)
		log_event(LOG_INFO, "outbox_leases_released", LOG_INT("messages", n));
	arena_reset(&w->mem);
	s->o.release(s->o.self, &rt);
}

static err_t start_threads(struct sender *s)
{
	while (s->n_threads < s->n_workers) {
		struct worker *w = &s->workers[s->n_threads];

		(void)pthread_mutex_lock(&s->lock);
		s->n_alive++;
		(void)pthread_mutex_unlock(&s->lock);
		if (pthread_create(&w->thread, NULL, worker_main, w) != 0) {
			(void)pthread_mutex_lock(&s->lock);
			s->n_alive--;
			(void)pthread_mutex_unlock(&s->lock);
			FAIL(ERR_NO_MEMORY);
		}
		s->n_threads++;
	}
	return OK;
}

static err_t sender_new(const struct sender_options *o, struct sender **ret)
{
	size_t n = (size_t)o->mail_threads + OTHER_THREADS;
	struct sender *s;

	REQUIRE(o->mail_threads > 0, ERR_CONFIG);
	s = calloc(1, sizeof(*s) + n * sizeof(s->workers[0]));
	REQUIRE(s != NULL, ERR_NO_MEMORY);
	s->o = *o;
	if (pthread_mutex_init(&s->lock, NULL) != 0 || wait_cond_init(&s->wake).code != ERR_OK ||
	    wait_cond_init(&s->left).code != ERR_OK) {
		free(s);
		FAIL(ERR_NO_MEMORY);
	}
	*ret = s;
	return OK;
}

err_t sender_start(const struct sender_options *o, struct sender **ret)
{
	struct sender *s;
	err_t e;

	TRY(sender_new(o, &s));
	e = open_workers(s);
	if (e.code == ERR_OK) {
		release_leases(s);
		e = start_threads(s);
	}
	if (e.code != ERR_OK) {
		sender_stop(s, 0);
		return e;
	}
	*ret = s;
	return OK;
}

void sender_wake(struct sender *s)
{
	(void)pthread_mutex_lock(&s->lock);
	s->wakes++;
	(void)pthread_cond_broadcast(&s->wake);
	(void)pthread_mutex_unlock(&s->lock);
}

/* False: some thread has not left by then. */
static bool all_left(struct sender *s, int64_t grace_ms)
{
	int64_t until_us = monotonic_us() + grace_ms * 1000;
	bool left;

	(void)pthread_mutex_lock(&s->lock);
	s->stopping = true;
	(void)pthread_cond_broadcast(&s->wake);
	while (s->n_alive > 0 && wait_until(&s->left, &s->lock, until_us))
		;
	left = s->n_alive == 0;
	(void)pthread_mutex_unlock(&s->lock);
	return left;
}

static void abort_transfers(struct sender *s)
{
	atomic_store(&s->cut, true);
	for (size_t i = 0; i < s->n_threads; i++) {
		const struct carrier *k = &s->workers[i].carrier;

		if (k->texter != NULL)
			texter_abort(k->texter);
		if (k->mailer != NULL)
			mailer_abort(k->mailer);
	}
}

void sender_stop(struct sender *s, int64_t grace_ms)
{
	if (!all_left(s, grace_ms))
		abort_transfers(s);
	for (size_t i = 0; i < s->n_threads; i++)
		(void)pthread_join(s->workers[i].thread, NULL);
	for (size_t i = 0; i < s->n_workers; i++)
		worker_close(&s->workers[i]);
	(void)pthread_mutex_destroy(&s->lock);
	(void)pthread_cond_destroy(&s->wake);
	(void)pthread_cond_destroy(&s->left);
	free(s);
}

void sender_stats(const struct sender *s, enum outbox_channel channel, struct sender_stats *ret)
{
	const struct lane *l = &s->lanes[channel];
	int64_t oldest_ms = atomic_load(&l->oldest_ms);

	*ret = (struct sender_stats){
		.waiting = atomic_load(&l->waiting),
		.dead = atomic_load(&l->dead),
		.oldest_age_ms = oldest_ms == 0 ? 0 : clock_now_ms(s->o.clock) - oldest_ms,
		.breaker_open = atomic_load(&l->open),
	};
}
