#include "jobs/breaker.h"

bool breaker_take(struct breaker *b, int64_t now_ms)
{
	switch (b->state) {
	case BREAKER_CLOSED: return true;
	case BREAKER_PROBING: return false;
	case BREAKER_OPEN: break;
	}
	if (now_ms < b->until_ms)
		return false;
	b->state = BREAKER_PROBING;
	return true;
}

void breaker_unused(struct breaker *b)
{
	if (b->state == BREAKER_PROBING)
		b->state = BREAKER_OPEN; /* its pause is over: the next one may try */
}

bool breaker_up(struct breaker *b)
{
	bool closes = b->state != BREAKER_CLOSED;

	b->in_row = 0;
	if (closes)
		*b = (struct breaker){ .state = BREAKER_CLOSED };
	return closes;
}

static void open_for(struct breaker *b, int64_t pause_ms, int64_t now_ms)
{
	b->state = BREAKER_OPEN;
	b->pause_ms = pause_ms < BREAKER_LONGEST_MS ? pause_ms : BREAKER_LONGEST_MS;
	b->until_ms = now_ms + b->pause_ms;
}

/* The ring holds the last five failures; the slot about to be overwritten is the oldest of them. */
static bool too_many(struct breaker *b, int64_t now_ms)
{
	int64_t oldest_ms;

	b->in_row++;
	b->failed_ms[b->n_failed++ % BREAKER_FAILURES] = now_ms;
	if (b->n_failed < BREAKER_FAILURES)
		return false;
	oldest_ms = b->failed_ms[b->n_failed % BREAKER_FAILURES];
	return b->in_row >= BREAKER_FAILURES || now_ms - oldest_ms <= BREAKER_WINDOW_MS;
}

bool breaker_down(struct breaker *b, int64_t now_ms)
{
	switch (b->state) {
	case BREAKER_OPEN: return false; /* it had set out before the breaker opened */
	case BREAKER_PROBING: open_for(b, b->pause_ms * 2, now_ms); return false;
	case BREAKER_CLOSED: break;
	}
	if (!too_many(b, now_ms))
		return false;
	open_for(b, BREAKER_FIRST_MS, now_ms);
	return true;
}

int64_t breaker_wait_ms(const struct breaker *b, int64_t now_ms)
{
	switch (b->state) {
	case BREAKER_CLOSED: return 0;
	case BREAKER_PROBING: return BREAKER_LONGEST_MS;
	case BREAKER_OPEN: break;
	}
	return b->until_ms > now_ms ? b->until_ms - now_ms : 0;
}
