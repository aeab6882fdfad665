#include "domain/clock_guard.h"

#include "base/log.h"
#include "base/timefmt.h"
#include "domain/audit.h"
#include "store/query.h"

#define RETRY_AFTER_S 10
#define SAVE_MOVED_MS (30 * MS_PER_S)
#define SEEN_KEY      STR("clock_seen_ms")
#define RESETS_KEY    STR("clock_resets") /* counted, so that a server sees one whatever it set */

static int64_t get(const atomic_llong *v)
{
	return atomic_load_explicit(v, memory_order_relaxed);
}

static void set(atomic_llong *v, int64_t to)
{
	atomic_store_explicit(v, to, memory_order_relaxed);
}

static void raise_to(atomic_llong *v, int64_t to)
{
	long long was = get(v);

	while (was < to && !atomic_compare_exchange_weak_explicit(v, &was, to, memory_order_relaxed,
								  memory_order_relaxed))
		;
}

/* ---- in memory ---- */

/* The clock was set back from seen_ms. While it has not come back there, an earlier step stays the one
 * that counts: it knows more. */
static void note_step(struct clock_guard *g, long long was_ahead_ms, int64_t ahead_ms)
{
	int64_t seen_ms = get(&g->seen_ms);

	if (!atomic_compare_exchange_strong(&g->ahead_ms, &was_ahead_ms, ahead_ms))
		return; /* another thread has just done it */
	if (seen_ms <= get(&g->step_seen_ms))
		return;
	set(&g->step_ahead_ms, was_ahead_ms);
	set(&g->step_seen_ms, seen_ms);
}

void clock_note(struct clock_guard *g, int64_t now_ms, int64_t mono_ms)
{
	int64_t ahead_ms = now_ms - mono_ms, was_ahead_ms;

	if (g == NULL)
		return;
	raise_to(&g->seen_ms, now_ms);
	was_ahead_ms = get(&g->ahead_ms);
	if (ahead_ms > was_ahead_ms)
		raise_to(&g->ahead_ms, ahead_ms);
	else if (ahead_ms < was_ahead_ms - CLOCK_SLACK_MS)
		note_step(g, was_ahead_ms, ahead_ms);
}

static void begin_at(struct clock_guard *g, int64_t seen_ms, int64_t mono_ms)
{
	set(&g->step_seen_ms, 0);
	set(&g->seen_ms, seen_ms);
	set(&g->ahead_ms, seen_ms - mono_ms);
}

/* Once issuing has stopped it waits until the clock is past where it was, by a second, the unit of tokens:
 * what is made then cannot be mistaken for something made before the step. */
static bool is_behind(const struct ctx *c)
{
	const struct clock_guard *g = c->clock;

	if (c->now_ms < get(&g->seen_ms) - CLOCK_BEHIND_MS)
		return true;
	return c->now_ms < get(&g->step_seen_ms) + MS_PER_S &&
	       c->now_ms < c->mono_ms + get(&g->step_ahead_ms) - CLOCK_BEHIND_MS;
}

static void say_behind(const struct ctx *c)
{
	char now[TIME_TEXT_LEN], seen[TIME_TEXT_LEN];
	struct buf now_text = BUF_OF(now), seen_text = BUF_OF(seen);
	long long said_ms = get(&c->clock->said_ms);

	if (said_ms != 0 && c->mono_ms - said_ms < MS_PER_MIN)
		return;
	if (!atomic_compare_exchange_strong(&c->clock->said_ms, &said_ms, c->mono_ms))
		return;
	time_format(&now_text, c->now_ms);
	time_format(&seen_text, get(&c->clock->seen_ms));
	log_event(LOG_ERROR, "clock_behind", LOG_STR("now", buf_view(&now_text)),
		  LOG_STR("seen", buf_view(&seen_text)),
		  LOG_CSTR("effect", "no sign-ins or refreshes until the clock is right"),
		  LOG_CSTR("help", "correct the clock, or sallyport clock reset if it is right now"));
}

err_t clock_issue(struct ctx *c)
{
	if (c->clock == NULL || !is_behind(c))
		return OK;
	say_behind(c);
	c->retry_after_s = RETRY_AFTER_S;
	FAIL(ERR_CLOCK);
}

int64_t clock_effective_ms(const struct ctx *c)
{
	int64_t floor_ms = c->clock == NULL ? c->now_ms : get(&c->clock->seen_ms) - CLOCK_SLACK_MS;

	return c->now_ms < floor_ms ? floor_ms : c->now_ms;
}

bool clock_expired(const struct ctx *c, int64_t expires_ms, int64_t ttl_ms)
{
	int64_t step_ms;

	if (expires_ms <= clock_effective_ms(c))
		return true;
	step_ms = c->clock == NULL ? 0 : get(&c->clock->step_seen_ms);
	/* What was made before the step ages by the clock that did not step. */
	return step_ms != 0 && expires_ms <= step_ms + ttl_ms &&
	       expires_ms <= c->mono_ms + get(&c->clock->step_ahead_ms) - CLOCK_SLACK_MS;
}

/* ---- in the store ---- */

static err_t read_number(struct ctx *c, str key, int64_t *ret)
{
	bool found;

	TRY(q_meta_get(c->db, c->mem, key, ret, &found));
	if (!found)
		*ret = 0;
	return OK;
}

err_t clock_load(struct ctx *c)
{
	struct clock_guard *g = c->clock;

	TRY(read_number(c, SEEN_KEY, &g->stored_ms));
	TRY(read_number(c, RESETS_KEY, &g->resets));
	begin_at(g, g->stored_ms > c->now_ms ? g->stored_ms : c->now_ms, c->mono_ms);
	clock_note(g, c->now_ms, c->mono_ms);
	return OK;
}

err_t clock_poll(struct ctx *c)
{
	struct clock_guard *g = c->clock;
	int64_t resets;

	TRY(read_number(c, RESETS_KEY, &resets));
	if (resets == g->resets)
		return OK;
	TRY(read_number(c, SEEN_KEY, &g->stored_ms));
	g->resets = resets;
	begin_at(g, g->stored_ms, c->mono_ms);
	clock_note(g, c->now_ms, c->mono_ms);
	log_event(LOG_WARN, "clock_reset", LOG_INT("seen_ms", g->stored_ms));
	return OK;
}

err_t clock_save(struct ctx *c, bool at_stop)
{
	struct clock_guard *g = c->clock;
	int64_t seen_ms;
	TX tx = { 0 };

	if (get(&g->seen_ms) - g->stored_ms < (at_stop ? 1 : SAVE_MOVED_MS))
		return OK;
	TRY(tx_begin(&tx, c->db));
	TRY(clock_poll(c)); /* a reset that was not noticed yet must not be undone */
	seen_ms = get(&g->seen_ms);
	TRY(q_meta_raise(c->db, SEEN_KEY, seen_ms));
	TRY(tx_commit(&tx));
	g->stored_ms = seen_ms;
	return OK;
}

err_t clock_reset(struct ctx *c)
{
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(q_meta_set(c->db, SEEN_KEY, c->now_ms));
	TRY(q_meta_add(c->db, RESETS_KEY, 1));
	TRY(audit_add(c, AUDIT_CLOCK_RESET, STR_NONE, STR_NONE, STR_NONE));
	return tx_commit(&tx);
}
