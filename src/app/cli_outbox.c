#include "app/cli_outbox.h"

#include <inttypes.h>

#include "domain/outbox.h"

#define PAGE 10 /* their sealed variables come along, and must fit into the arena */

static const char *channel_name(int64_t channel)
{
	return channel == OUTBOX_MAIL ? "mail" : channel == OUTBOX_SMS ? "sms" : "?";
}

static void print_message(const struct outbox_row *r)
{
	(void)printf("%" PRId64 "  %-4s  %.*s  %.*s  %s  attempts %" PRId64 "  ", r->id,
		     channel_name(r->channel), STR_ARG(r->template), STR_ARG(r->recipient),
		     r->dead ? "dead" : "waiting", r->attempts);
	if (!r->dead) {
		(void)printf("next ");
		print_time(r->next_ms);
		(void)printf("  ");
	}
	(void)printf("%.*s\n", STR_ARG(r->problem));
}

enum exit_code outbox_list_cmd(struct cli *cli, int argc, char **argv)
{
	bool only_dead = argc == 2 && str_eq(str_of_cstr(argv[1]), STR("--dead"));
	struct outbox_row *rows;
	int64_t after = 0;
	size_t n;

	if (argc != 1 && !only_dead)
		return EXIT_USAGE;
	do {
		err_t e = outbox_page(&cli->c, after, PAGE, &rows, &n);

		if (e.code != ERR_OK)
			return fail_err(cli, e);
		for (size_t i = 0; i < n; i++) {
			if (rows[i].dead || !only_dead)
				print_message(&rows[i]);
			after = rows[i].id;
		}
		arena_reset(&cli->mem);
	} while (n > 0);
	return EXIT_DONE;
}

/* *ret_id 0: all dead ones. */
static bool read_which(int argc, char **argv, int64_t *ret_id)
{
	uint64_t id = 0;

	if (argc != 2)
		return false;
	if (!str_eq(str_of_cstr(argv[1]), STR("--dead")) &&
	    (!str_to_u64(str_of_cstr(argv[1]), INT64_MAX, &id) || id == 0))
		return false;
	*ret_id = (int64_t)id;
	return true;
}

static enum exit_code on_messages(struct cli *cli, int argc, char **argv, const char *done,
				  const char *none,
				  err_t (*act)(struct ctx *c, int64_t id, int64_t *ret_n))
{
	int64_t id, n = 0;
	err_t e;

	if (!read_which(argc, argv, &id))
		return EXIT_USAGE;
	e = act(&cli->c, id, &n);
	if (e.code != ERR_OK)
		return fail_err(cli, e);
	if (id != 0 && n == 0)
		return fail(none);
	(void)printf("%" PRId64 " %s\n", n, done);
	return EXIT_DONE;
}

enum exit_code outbox_retry_cmd(struct cli *cli, int argc, char **argv)
{
	return on_messages(cli, argc, argv, "to be sent again",
			   "there is no such message, or it is being sent right now", outbox_retry);
}

enum exit_code outbox_drop_cmd(struct cli *cli, int argc, char **argv)
{
	return on_messages(cli, argc, argv, "dropped", "there is no such message", outbox_drop);
}
