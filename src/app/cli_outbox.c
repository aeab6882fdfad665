#include "app/cli_outbox.h"

#include <inttypes.h>

#include "domain/outbox.h"

#define PAGE 10 /* their sealed variables come along, and must fit into the arena */

static const char *channel_name(int64_t channel)
{
	return channel == OUTBOX_MAIL ? "mail" : channel == OUTBOX_SMS ? "sms" : "?";
}

static void put_message(struct json_out *o, const void *of)
{
	const struct outbox_row *r = of;

	out_i64(o, STR("id"), r->id);
	out_str(o, STR("channel"), str_of_cstr(channel_name(r->channel)));
	out_str(o, STR("template"), r->template);
	out_str(o, STR("recipient"), r->recipient);
	out_bool(o, STR("dead"), r->dead);
	out_i64(o, STR("attempts"), r->attempts);
	json_time(o, STR("createdAt"), r->created_ms);
	json_time(o, STR("nextAt"), r->dead ? 0 : r->next_ms);
	json_text(o, STR("problem"), r->problem.n > 0 ? r->problem : STR_NONE);
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
	print_clean_text(r->problem);
	(void)printf("\n");
}

static err_t list_page(struct cli *cli, bool only_dead, int64_t *after, size_t *ret_n)
{
	struct outbox_row *rows;

	arena_reset(&cli->mem);
	TRY(outbox_page(&cli->c, *after, PAGE, &rows, ret_n));
	for (size_t i = 0; i < *ret_n; i++) {
		*after = rows[i].id;
		if (only_dead && !rows[i].dead)
			continue;
		if (cli->json)
			TRY(print_object(put_message, &rows[i]));
		else
			print_message(&rows[i]);
	}
	return OK;
}

enum exit_code outbox_list_cmd(struct cli *cli, const struct args *a)
{
	int64_t after = 0;
	err_t e = OK;
	size_t n = 1;

	while (e.code == ERR_OK && n > 0)
		e = list_page(cli, args_has(a, OPT_DEAD), &after, &n);
	return e.code == ERR_OK ? EXIT_DONE : fail_err(cli, e);
}

/* *ret_id 0: all dead ones. */
static bool read_which(const struct args *a, int64_t *ret_id)
{
	uint64_t id = 0;

	if ((a->n_words == 1) == args_has(a, OPT_DEAD) ||
	    (a->n_words == 1 && (!str_to_u64(str_of_cstr(a->word[0]), INT64_MAX, &id) || id == 0)))
		return false;
	*ret_id = (int64_t)id;
	return true;
}

static void put_count(struct json_out *o, const void *of)
{
	out_i64(o, STR("count"), *(const int64_t *)of);
}

static enum exit_code on_messages(struct cli *cli, const struct args *a, const char *done, const char *none,
				  err_t (*act)(struct ctx *c, int64_t id, int64_t *ret_n))
{
	int64_t id, n = 0;
	err_t e;

	if (!read_which(a, &id))
		return (enum exit_code)args_wrong(a, "what is meant is a number of `outbox list`, or --dead");
	e = act(&cli->c, id, &n);
	if (e.code != ERR_OK)
		return fail_err(cli, e);
	if (id != 0 && n == 0)
		return fail(none);
	if (cli->json)
		return result(cli, NULL, put_count, &n);
	(void)printf("%" PRId64 " %s\n", n, done);
	return EXIT_DONE;
}

enum exit_code outbox_retry_cmd(struct cli *cli, const struct args *a)
{
	return on_messages(cli, a, "to be sent again", "there is no such message, or it is being sent right now",
			   outbox_retry);
}

enum exit_code outbox_drop_cmd(struct cli *cli, const struct args *a)
{
	return on_messages(cli, a, "dropped", "there is no such message", outbox_drop);
}
