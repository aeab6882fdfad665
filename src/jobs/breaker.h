/* breaker.h — a circuit breaker over one provider. Pure: monotonic milliseconds are handed in, and the
 * caller has the lock.
 *
 * Closed, everything passes. After five failures in a row, or five within 30 s whatever succeeded in
 * between, it opens for 1 s; then one message is let through as a probe. Another failure doubles the
 * pause, up to 60 s; a success closes it. */
#ifndef JOBS_BREAKER_H
#define JOBS_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#define BREAKER_FAILURES   5
#define BREAKER_WINDOW_MS  30000
#define BREAKER_FIRST_MS   1000
#define BREAKER_LONGEST_MS 60000

enum breaker_state {
	BREAKER_CLOSED = 0, /* a zeroed breaker is a closed one */
	BREAKER_OPEN,
	BREAKER_PROBING,
};

struct breaker {
	enum breaker_state state;
	int64_t in_row, n_failed; /* since it was closed */
	int64_t failed_ms[BREAKER_FAILURES]; /* a ring */
	int64_t pause_ms, until_ms;
};

/* May one message go? True from an open breaker whose pause is over makes that message the probe: one
 * of breaker_up(), breaker_down() or breaker_unused() must follow. */
bool breaker_take(struct breaker *b, int64_t now_ms);
/* It was taken, but the provider was not asked. */
void breaker_unused(struct breaker *b);
/* The provider answered. True: this closed the breaker. */
bool breaker_up(struct breaker *b);
/* It did not. True: this opened a closed breaker. */
bool breaker_down(struct breaker *b, int64_t now_ms);

/* How long breaker_take() will go on saying no; 0: it need not; the longest pause while a probe is
 * under way. */
int64_t breaker_wait_ms(const struct breaker *b, int64_t now_ms);

#endif
