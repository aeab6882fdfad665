/* Random sequences over all endpoints, against a model: never tokens without every factor that is
 * asked for, nothing one-time accepted twice, no password changed without a proof, no answer above
 * 499. SEED= and STEPS= in the environment choose; a failure tells both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>

#include "play.h"

#define STEPS	    20000
#define WORLD_STEPS 600

static struct play p;

static uint64_t number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text == NULL || *text == '\0' ? otherwise : strtoull(text, NULL, 10);
}

static void play_worlds(uint64_t seed, size_t steps)
{
	play_init(&p);
	p.seed = p.rng = seed;
	while (p.step < steps) {
		play_world(&p);
		for (size_t i = 0; i < WORLD_STEPS && p.step < steps && play_step(&p); i++)
			;
	}
}

/* A play in which nothing ever succeeds, or nothing is refused, would show little. */
static void el12_no_sequence_of_requests_gets_more_than_was_proven(void **state)
{
	uint64_t seed = number_from("SEED", 20261124);
	size_t steps = number_from("STEPS", STEPS);

	(void)state;
	(void)fprintf(stderr, "SEED=%" PRIu64 " STEPS=%zu\n", seed, steps);
	play_worlds(seed, steps);
	for (size_t i = 0; i < n_play_ops; i++) {
		if (play_ops[i].pattern == NULL)
			continue;
		(void)fprintf(stderr, "%-18s %7zu accepted %7zu refused\n", play_ops[i].name,
			      p.ok[i], p.refused[i]);
		/* Nobody here is an administrator; what operators do is no request. */
		if (steps >= STEPS && p.ok[i] == 0 && p.refused[i] > 0 &&
		    strcmp(play_ops[i].name, "cleanup") != 0)
			fail_msg("%s never succeeded", play_ops[i].name);
	}
	(void)fprintf(stderr, "%-18s %7zu\n", "opened by a claim", p.opened);
	play_clear(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(el12_no_sequence_of_requests_gets_more_than_was_proven),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
