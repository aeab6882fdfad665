/* The rotation decision against an independent model of the same rules, over random schedules, and the
 * promises the rules are there for: honest clients stay signed in, thieves are found.
 *
 * The model keeps what the production code does not (all generations and when each was rotated) and is
 * written from the rules. Every failure prints the seed that replays it: SALLYPORT_SEED=n. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "domain/rotation.h"

#define WINDOW_MS ((int64_t)60 * 1000)
#define SCHEDULES 1000000
#define SESSIONS  2000

/* ---- random numbers: splitmix64 ---- */

struct rnd {
	uint64_t s;
};

static uint64_t rnd_u64(struct rnd *r)
{
	uint64_t z = (r->s += 0x9e3779b97f4a7c15U);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

static double rnd_unit(struct rnd *r)
{
	return (double)(rnd_u64(r) >> 11) / 9007199254740992.0;
}

static int64_t rnd_below(struct rnd *r, int64_t n)
{
	return (int64_t)(rnd_u64(r) % (uint64_t)n);
}

/* ---- the model ---- */

#define GENERATIONS 512

struct model {
	int64_t cur, parent;
	int64_t rotated_ms;
	bool confirmed, revoked;
	int replays;
	int64_t recent_ms[GENERATIONS]; /* when a generation stopped being current; < 0: it did not */
};

static void model_init(struct model *m)
{
	*m = (struct model){ .cur = 1 };
	for (int i = 0; i < GENERATIONS; i++)
		m->recent_ms[i] = -1;
}

enum answer { ANSWER_NONE, ANSWER_TOKEN };

static enum answer model_refresh(struct model *m, int64_t g, int64_t t, int64_t *ret_gen)
{
	if (m->revoked)
		return ANSWER_NONE;
	if (g == m->cur) {
		if (t - m->rotated_ms > WINDOW_MS) {
			m->recent_ms[g] = t;
			m->parent = g;
			m->cur++;
			m->rotated_ms = t;
			m->confirmed = false;
			m->replays = 0;
		}
		*ret_gen = m->cur;
		return ANSWER_TOKEN;
	}
	if (g == m->parent && m->parent != 0) {
		if (t - m->rotated_ms <= WINDOW_MS) {
			*ret_gen = m->cur;
			return ++m->replays <= 10 ? ANSWER_TOKEN : ANSWER_NONE;
		}
		if (!m->confirmed) {
			m->cur++;
			m->rotated_ms = t;
			m->replays = 0;
			*ret_gen = m->cur;
			return ANSWER_TOKEN;
		}
	} else if (g > 0 && g < m->cur && m->recent_ms[g] >= 0 && t - m->recent_ms[g] <= WINDOW_MS) {
		return ANSWER_NONE;
	}
	m->revoked = true;
	return ANSWER_NONE;
}

static void model_seen(struct model *m, int64_t g)
{
	if (g == m->cur)
		m->confirmed = true;
}

/* ---- the production code behind the same face ---- */

struct subject {
	struct rotation r;
	bool revoked;
};

static void subject_init(struct subject *s)
{
	*s = (struct subject){ .r = { .cur_gen = 1 } };
}

static enum answer subject_refresh(struct subject *s, int64_t g, int64_t now_ms, int64_t *ret_gen)
{
	if (s->revoked)
		return ANSWER_NONE;
	switch (rotation_decide(&s->r, g, now_ms, WINDOW_MS, true)) {
	case ROTATION_SAME:
	case ROTATION_NEXT:
	case ROTATION_REPEAT:
	case ROTATION_REISSUE:
		*ret_gen = s->r.cur_gen;
		return ANSWER_TOKEN;
	case ROTATION_REUSE:
		s->revoked = true;
		return ANSWER_NONE;
	case ROTATION_TOO_MANY:
	case ROTATION_STRAGGLER:
	case ROTATION_AHEAD:
		return ANSWER_NONE;
	case ROTATION_UNSET:
		break;
	}
	fail_msg("rotation_decide gave no verdict");
	return ANSWER_NONE;
}

/* ---- R06: agreement ---- */

static int64_t some_step_ms(struct rnd *r)
{
	static const int64_t edges[] = { 0, 1, 59999, 60000, 60001, 120000 };

	switch (rnd_below(r, 4)) {
	case 0: return edges[rnd_below(r, 6)];
	case 1: return rnd_below(r, 60000);
	case 2: return rnd_below(r, 300000);
	default: return rnd_below(r, (int64_t)7 * 86400000);
	}
}

static void play_schedule(uint64_t seed)
{
	struct rnd r = { seed };
	struct model m;
	struct subject s;
	int64_t now_ms = 0;

	model_init(&m);
	subject_init(&s);
	for (int64_t step = 4 + rnd_below(&r, 28); step > 0; step--) {
		int64_t back = rnd_below(&r, 4), gm = 0, gs = 0;
		int64_t g = m.cur > back ? m.cur - back : m.cur;
		enum answer am, as;

		now_ms += some_step_ms(&r);
		if (rnd_below(&r, 4) == 0) {
			model_seen(&m, g);
			(void)rotation_seen(&s.r, g);
			continue;
		}
		am = model_refresh(&m, g, now_ms, &gm);
		as = subject_refresh(&s, g, now_ms, &gs);
		if (am != as || gm != gs || m.revoked != s.revoked || m.cur != s.r.cur_gen)
			fail_msg("seed %llu: model %d/%lld/%d, code %d/%lld/%d, cur %lld/%lld",
				 (unsigned long long)seed, am, (long long)gm, m.revoked, as,
				 (long long)gs, s.revoked, (long long)m.cur, (long long)s.r.cur_gen);
	}
}

static uint64_t first_seed(void)
{
	const char *text = getenv("SALLYPORT_SEED");

	return text == NULL ? 20260101 : strtoull(text, NULL, 10);
}

static void r06_model_and_code_agree_on_a_million_random_schedules(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < SCHEDULES; i++)
		play_schedule(first_seed() + i);
}

/* ---- R06: honest clients ---- */

enum what { SEND, ARRIVE, GOT, SEEN, RETRY };

struct event {
	double t;
	enum what what;
	int64_t g;
};

struct queue {
	struct event e[256];
	int n;
};

static void push(struct queue *q, double t, enum what what, int64_t g)
{
	int i = q->n++;

	assert_true(q->n <= 256);
	for (; i > 0 && q->e[i - 1].t < t; i--) /* latest first, so that the earliest is popped */
		q->e[i] = q->e[i - 1];
	q->e[i] = (struct event){ t, what, g };
}

struct client {
	struct subject server;
	int64_t stored;
	double loss;
	int tries;
	struct queue q;
};

static void step_client(struct client *c, struct rnd *r, struct event e)
{
	static const double delays_s[] = { 0, 1, 30, 70, 3600 };
	int64_t g = 0, k;
	double up;

	switch (e.what) {
	case SEND: /* the client reads its storage when it sends */
		up = rnd_unit(r) < 0.9 ? rnd_unit(r) * 3 : rnd_unit(r) * 20;
		if (rnd_unit(r) > c->loss)
			push(&c->q, e.t + up, ARRIVE, c->stored);
		else
			push(&c->q, e.t + 15, RETRY, c->stored);
		return;
	case ARRIVE:
		if (subject_refresh(&c->server, e.g, (int64_t)(e.t * 1000), &g) != ANSWER_TOKEN)
			return;
		if (rnd_unit(r) > c->loss)
			push(&c->q, e.t + rnd_unit(r) * 5, GOT, g);
		else
			push(&c->q, e.t + 15, RETRY, g);
		return;
	case GOT:
		if (rnd_unit(r) < 0.02) /* the app was killed before it saved */
			return;
		c->stored = e.g;
		if (rnd_unit(r) < 0.7)
			push(&c->q, e.t + rnd_unit(r), SEEN, e.g);
		return;
	case SEEN:
		(void)rotation_seen(&c->server.r, e.g);
		return;
	case RETRY:
		if (++c->tries >= 4)
			return;
		k = rnd_below(r, 6);
		push(&c->q, e.t + (k < 5 ? delays_s[k] : 86400 * rnd_unit(r) * 3), SEND, c->stored);
		return;
	}
}

/* Sixty days of a client without any lock: bursts of up to four, lost packets, late retries. */
static bool honest_session_ends(uint64_t seed, double loss)
{
	static const int64_t bursts[] = { 1, 1, 1, 2, 3, 4 };
	struct rnd r = { seed };
	struct client c = { .stored = 1, .loss = loss };
	double t = 0;

	subject_init(&c.server);
	while (t < 60 * 86400.0 && !c.server.revoked) {
		double pause_s = -8 * 3600.0 * __builtin_log(1 - rnd_unit(&r));

		t += rnd_unit(&r) < 0.85 ? 900 + rnd_unit(&r) * 120 : pause_s;
		c.tries = 0;
		for (int64_t i = bursts[rnd_below(&r, 6)]; i > 0; i--)
			push(&c.q, t + rnd_unit(&r) * 2, SEND, c.stored);
		while (c.q.n > 0) {
			struct event e = c.q.e[--c.q.n];

			step_client(&c, &r, e);
			t = e.t > t ? e.t : t;
		}
	}
	return c.server.revoked;
}

static int honest_ends(double loss)
{
	int ended = 0;

	for (uint64_t i = 0; i < SESSIONS; i++)
		ended += honest_session_ends(first_seed() + i, loss);
	return ended;
}

static void r06_no_honest_session_of_2000_ends_at_two_percent_loss(void **state)
{
	(void)state;
	assert_int_equal(honest_ends(0.02), 0);
}

static void r06_honest_sessions_survive_fifteen_percent_loss(void **state)
{
	int ended = honest_ends(0.15);

	(void)state;
	print_message("15 %% loss each way: %d of %d honest sessions ended\n", ended, SESSIONS);
	assert_true(ended <= SESSIONS / 200);
}

/* ---- R06: thieves ---- */

enum thief { THIEF_PARENT, THIEF_CURRENT, THIEF_SLOW };

/* Victim refreshes from the thief's first success until the session ends; -1: never in 200. */
static int victim_refreshes_until_found(uint64_t seed, enum thief kind, double seen_p)
{
	struct rnd r = { seed };
	struct subject s;
	int64_t victim = 1, old = 1, thief, g;
	double t = 0;
	bool succeeded = false;
	int n = 0;

	subject_init(&s);
	for (int64_t i = 1 + rnd_below(&r, 5); i > 0; i--) {
		t += 900 + rnd_unit(&r) * 60;
		old = victim;
		assert_int_equal(subject_refresh(&s, victim, (int64_t)(t * 1000), &victim), ANSWER_TOKEN);
		if (rnd_unit(&r) < seen_p)
			(void)rotation_seen(&s.r, victim);
	}
	thief = kind == THIEF_PARENT ? old : victim;
	for (int round = 0; round < 200 && !s.revoked; round++) {
		double at_victim = t + 900 + rnd_unit(&r) * 120, at_thief[3];
		int64_t visits = kind == THIEF_SLOW ? 1 : 1 + rnd_below(&r, 3);

		for (int64_t i = 0; i < visits; i++)
			at_thief[i] = kind == THIEF_SLOW ? at_victim - 61 - rnd_unit(&r) * 339 :
							   t + 61 + rnd_unit(&r) * 819;
		for (int64_t i = 0; i < visits; i++) /* in order of time: at most three */
			for (int64_t k = i + 1; k < visits; k++)
				if (at_thief[k] < at_thief[i]) {
					double x = at_thief[i];

					at_thief[i] = at_thief[k];
					at_thief[k] = x;
				}
		for (int64_t i = 0; i < visits && !s.revoked; i++)
			if (subject_refresh(&s, thief, (int64_t)(at_thief[i] * 1000), &g) ==
			    ANSWER_TOKEN) {
				thief = g;
				succeeded = true;
			}
		if (!s.revoked) {
			n += succeeded;
			if (subject_refresh(&s, victim, (int64_t)(at_victim * 1000), &g) ==
			    ANSWER_TOKEN) {
				victim = g;
				if (rnd_unit(&r) < seen_p)
					(void)rotation_seen(&s.r, victim);
			}
		}
		t = at_victim;
	}
	return s.revoked || !succeeded ? n : -1;
}

static void r06_every_thief_is_found_within_two_victim_refreshes(void **state)
{
	static const double seen[] = { 0.0, 0.7 };

	(void)state;
	for (int kind = THIEF_PARENT; kind <= THIEF_SLOW; kind++) {
		for (int p = 0; p < 2; p++) {
			for (uint64_t i = 0; i < SESSIONS; i++) {
				int n = victim_refreshes_until_found(first_seed() + i, (enum thief)kind,
								     seen[p]);

				if (n < 0 || n > 2)
					fail_msg("thief %d, seed %llu: found after %d", kind,
						 (unsigned long long)(first_seed() + i), n);
			}
		}
	}
}

/* ---- single rules ---- */

static void r04_a_generation_before_the_parent_ends_the_session(void **state)
{
	struct rotation r = { .cur_gen = 1 };

	(void)state;
	assert_int_equal(rotation_decide(&r, 1, 61000, WINDOW_MS, true), ROTATION_NEXT);
	assert_int_equal(rotation_decide(&r, 2, 122001, WINDOW_MS, true), ROTATION_NEXT);
	assert_int_equal(rotation_decide(&r, 1, 130000, WINDOW_MS, true), ROTATION_REUSE);
}

static void r04_a_late_packet_of_an_older_generation_ends_nothing(void **state)
{
	struct rotation r = { .cur_gen = 1 };

	(void)state;
	assert_int_equal(rotation_decide(&r, 1, 11000, 10000, true), ROTATION_NEXT);
	assert_int_equal(rotation_decide(&r, 2, 22000, 10000, true), ROTATION_NEXT);
	assert_int_equal(rotation_decide(&r, 1, 41000, 10000, true), ROTATION_STRAGGLER);
	assert_int_equal(rotation_decide(&r, 3, 42000, 10000, true), ROTATION_NEXT);
}

static void r05_a_confirmed_parent_lives_for_the_window_only(void **state)
{
	struct rotation r = { .cur_gen = 1 };

	(void)state;
	assert_int_equal(rotation_decide(&r, 1, 61000, WINDOW_MS, true), ROTATION_NEXT);
	assert_true(rotation_seen(&r, 2));
	assert_false(rotation_seen(&r, 2));
	assert_int_equal(rotation_decide(&r, 1, 66000, WINDOW_MS, true), ROTATION_REPEAT);
	assert_int_equal(rotation_decide(&r, 1, 122000, WINDOW_MS, true), ROTATION_REUSE);
}

static void r03_an_unconfirmed_successor_is_superseded_after_the_window(void **state)
{
	struct rotation r = { .cur_gen = 1 };

	(void)state;
	assert_int_equal(rotation_decide(&r, 1, 61000, WINDOW_MS, true), ROTATION_NEXT);
	assert_int_equal(rotation_decide(&r, 1, 130000, WINDOW_MS, true), ROTATION_REISSUE);
	assert_int_equal(r.cur_gen, 3);
	assert_int_equal(rotation_decide(&r, 2, 130001, WINDOW_MS, true), ROTATION_REUSE);
}

static void another_client_gets_no_second_answer(void **state)
{
	struct rotation r = { .cur_gen = 1 };

	(void)state;
	assert_int_equal(rotation_decide(&r, 1, 61000, WINDOW_MS, true), ROTATION_NEXT);
	assert_int_equal(rotation_decide(&r, 1, 61500, WINDOW_MS, false), ROTATION_REUSE);
}

static void the_eleventh_repeat_is_too_many_and_ends_nothing(void **state)
{
	struct rotation r = { .cur_gen = 1 };

	(void)state;
	assert_int_equal(rotation_decide(&r, 1, 61000, WINDOW_MS, true), ROTATION_NEXT);
	for (int i = 0; i < ROTATION_REPEATS_MAX; i++)
		assert_int_equal(rotation_decide(&r, 1, 61001, WINDOW_MS, true), ROTATION_REPEAT);
	assert_int_equal(rotation_decide(&r, 1, 61001, WINDOW_MS, true), ROTATION_TOO_MANY);
	assert_int_equal(rotation_decide(&r, 2, 61002, WINDOW_MS, true), ROTATION_SAME);
}

static void a_generation_from_the_future_is_ahead_of_the_store(void **state)
{
	struct rotation r = { .cur_gen = 4, .parent_gen = 3, .rotated_ms = 1000 };

	(void)state;
	assert_int_equal(rotation_decide(&r, 5, 2000, WINDOW_MS, true), ROTATION_AHEAD);
	assert_int_equal(r.cur_gen, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(r03_an_unconfirmed_successor_is_superseded_after_the_window),
		cmocka_unit_test(r04_a_generation_before_the_parent_ends_the_session),
		cmocka_unit_test(r04_a_late_packet_of_an_older_generation_ends_nothing),
		cmocka_unit_test(r05_a_confirmed_parent_lives_for_the_window_only),
		cmocka_unit_test(another_client_gets_no_second_answer),
		cmocka_unit_test(the_eleventh_repeat_is_too_many_and_ends_nothing),
		cmocka_unit_test(a_generation_from_the_future_is_ahead_of_the_store),
		cmocka_unit_test(r06_model_and_code_agree_on_a_million_random_schedules),
		cmocka_unit_test(r06_no_honest_session_of_2000_ends_at_two_percent_loss),
		cmocka_unit_test(r06_honest_sessions_survive_fifteen_percent_loss),
		cmocka_unit_test(r06_every_thief_is_found_within_two_victim_refreshes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
