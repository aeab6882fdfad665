#include "app/cli_audit.h"

#include <poll.h>

#include "domain/uid.h"
#include "store/query.h"

#define SESSION_SHOWN_BYTES 4

/* An event with what is printed of its ids. */
struct shown_event {
	const struct audit_row *r;
	str uid;
};

static void put_event(struct json_out *o, const void *of)
{
	const struct shown_event *s = of;
	char hex[2 * SESSION_SHOWN_BYTES + 1] = "";

	for (size_t i = 0; i < SESSION_SHOWN_BYTES && i < s->r->sid.n; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", (unsigned char)s->r->sid.p[i]);
	json_time(o, STR("at"), s->r->at_ms);
	out_str(o, STR("event"), s->r->event);
	json_text(o, STR("userId"), s->uid);
	json_text(o, STR("session"), s->r->sid.n > 0 ? str_of_cstr(hex) : STR_NONE);
	json_text(o, STR("ip"), s->r->ip);
	json_text(o, STR("requestId"), s->r->request_id);
	json_text(o, STR("detail"), s->r->detail);
}

static void print_hex(str bytes)
{
	for (size_t i = 0; i < bytes.n; i++)
		(void)printf("%02x", (unsigned char)bytes.p[i]);
}

static void print_event(const struct shown_event *s)
{
	const struct audit_row *r = s->r;

	print_time(r->at_ms);
	(void)printf("  %-22.*s  user=%.*s  ip=%.*s  request=%.*s", STR_ARG(r->event), STR_ARG(s->uid), STR_ARG(r->ip),
		     STR_ARG(r->request_id));
	if (r->sid.n > 0) {
		(void)printf("  session=");
		print_hex((str){ r->sid.p, r->sid.n < SESSION_SHOWN_BYTES ? r->sid.n : SESSION_SHOWN_BYTES });
	}
	if (r->detail.n > 0) {
		(void)printf("  ");
		print_clean_text(r->detail);
	}
	(void)printf("\n");
}

static err_t print_events(struct cli *cli, const struct audit_row *rows, size_t n, int64_t *last)
{
	for (size_t i = 0; i < n; i++) {
		struct shown_event s = { .r = &rows[i], .uid = STR_NONE };

		if (rows[i].user_uid.n == UID_BYTES)
			TRY(uid_text(&cli->mem, rows[i].user_uid, &s.uid));
		if (cli->json)
			TRY(print_object(put_event, &s));
		else
			print_event(&s);
		*last = rows[i].id;
	}
	(void)fflush(stdout);
	arena_reset(&cli->mem);
	return OK;
}

enum exit_code audit_tail_cmd(struct cli *cli, const struct args *a)
{
	struct audit_row *rows;
	int64_t last = 0;
	size_t n;
	err_t e = q_audit_tail(cli->db, &cli->mem, 50, &rows, &n);

	if (e.code == ERR_OK)
		e = print_events(cli, rows, n, &last);
	while (e.code == ERR_OK && args_has(a, OPT_FOLLOW)) {
		(void)poll(NULL, 0, 1000);
		e = q_audit_after(cli->db, &cli->mem, last, 100, &rows, &n);
		if (e.code == ERR_OK)
			e = print_events(cli, rows, n, &last);
	}
	return e.code == ERR_OK ? EXIT_DONE : fail_err(cli, e);
}
