#include "app/cli_measure.h"

#include <inttypes.h>

#include "crypto/password.h"

#define MIB	      ((int64_t)1024 * 1024)
#define WANTED_MS     100
#define WANTED_MAX_MS 10000

struct measured {
	int64_t memory, iterations, us; /* memory 0: nothing fits */
};

static void put_measured(struct json_out *o, const struct measured *m)
{
	out_obj(o);
	out_i64(o, STR("memory"), m->memory);
	out_i64(o, STR("iterations"), m->iterations);
	out_i64(o, STR("microseconds"), m->us);
	out_end_obj(o);
}

/* All that were measured within the time, and the strongest. JSON or a table, as they come. */
static err_t measure(int64_t wanted_ms, struct json_out *json, struct measured *best)
{
	static const int64_t memory_mib[] = { 19, 32, 46, 64, 96, 128, 192, 256 };

	bool fits = true; /* with the fewest iterations; more memory never takes less time */

	for (size_t i = 0; fits && i < sizeof(memory_mib) / sizeof(memory_mib[0]); i++) {
		for (int64_t t = 2; t <= 4; t++) {
			struct measured m = { .memory = memory_mib[i] * MIB, .iterations = t };
			const struct password_params p = { .memory = m.memory, .iterations = t };

			TRY(password_measure(&p, 3, &m.us));
			fits = m.us / 1000 <= wanted_ms || t > 2;
			if (m.us / 1000 > wanted_ms)
				break;
			if (json != NULL)
				put_measured(json, &m);
			else
				(void)printf("%3" PRId64 " MiB  %10" PRId64 "  %8.1f\n", memory_mib[i], t,
					     (double)m.us / 1000);
			if (m.us > best->us)
				*best = m;
		}
	}
	return OK;
}

static err_t measure_json(int64_t wanted_ms)
{
	struct measured best = { 0 };
	struct json_line l;

	TRY(json_line_begin(&l));
	out_obj(&l.o);
	out_key(&l.o, STR("measured"));
	out_arr(&l.o);
	err_t e = measure(wanted_ms, &l.o, &best);
	out_end_arr(&l.o);
	out_key(&l.o, STR("strongest"));
	if (best.memory > 0)
		put_measured(&l.o, &best);
	else
		out_value_null(&l.o);
	out_end_obj(&l.o);
	TRY(json_line_end(&l, stdout));
	return e;
}

static void propose(int64_t wanted_ms, const struct measured *best)
{
	if (best->memory == 0)
		(void)printf("\nNothing as strong as the floor fits into %" PRId64 " ms here: keep the defaults.\n",
			     wanted_ms);
	else
		(void)printf("\nStrongest within %" PRId64 " ms on one core of this machine:\n\n[password]\n"
			     "argon2_memory = %" PRId64 "MiB\nargon2_iterations = %" PRId64 "\n",
			     wanted_ms, best->memory / MIB, best->iterations);
}

enum exit_code calibrate_cmd(struct cli *cli, const struct args *a)
{
	struct measured best = { 0 };
	uint64_t wanted_ms = WANTED_MS;
	err_t e;

	if (a->n_words > 0 && (!str_to_u64(str_of_cstr(a->word[0]), WANTED_MAX_MS, &wanted_ms) || wanted_ms == 0))
		return (enum exit_code)args_wrong(a, "MILLISECONDS is a number from 1 to %d", WANTED_MAX_MS);
	if (cli->json) {
		e = measure_json((int64_t)wanted_ms);
	} else {
		(void)printf("memory  iterations  ms per hash\n");
		e = measure((int64_t)wanted_ms, NULL, &best);
		if (e.code == ERR_OK)
			propose((int64_t)wanted_ms, &best);
	}
	return e.code == ERR_OK ? EXIT_DONE : fail("measuring failed");
}
