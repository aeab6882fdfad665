#include "app/cli_audit.h"

#include <poll.h>

#include "domain/uid.h"
#include "store/query.h"

static void print_hex(str bytes)
{
	for (size_t i = 0; i < bytes.n; i++)
		(void)printf("%02x", (unsigned char)bytes.p[i]);
}

static int64_t print_events(struct cli *cli, const struct audit_row *rows, size_t n, int64_t last)
{
	for (size_t i = 0; i < n; i++) {
		const struct audit_row *r = &rows[i];
		str uid = STR_NONE;

		if (r->user_uid.n == UID_BYTES && uid_text(&cli->mem, r->user_uid, &uid).code != ERR_OK)
			return last;
		print_time(r->at_ms);
		(void)printf("  %-22.*s  user=%.*s  ip=%.*s  request=%.*s", STR_ARG(r->event),
			     STR_ARG(uid), STR_ARG(r->ip), STR_ARG(r->request_id));
		if (r->sid.n > 0) {
			(void)printf("  session=");
			print_hex((str){ r->sid.p, r->sid.n < 4 ? r->sid.n : 4 });
		}
		if (r->detail.n > 0)
			(void)printf("  %.*s", STR_ARG(r->detail));
		(void)printf("\n");
		last = r->id;
	}
	(void)fflush(stdout);
	arena_reset(&cli->mem);
	return last;
}

enum exit_code audit_tail_cmd(struct cli *cli, int argc, char **argv)
{
	bool follow = argc == 2 && str_eq(str_of_cstr(argv[1]), STR("--follow"));
	struct audit_row *rows;
	int64_t last;
	size_t n;
	err_t e;

	if (argc != 1 && !follow)
		return EXIT_USAGE;
	e = q_audit_tail(cli->db, &cli->mem, 50, &rows, &n);
	if (e.code != ERR_OK)
		return fail_err(cli, e);
	last = print_events(cli, rows, n, 0);
	while (follow) {
		(void)poll(NULL, 0, 1000);
		e = q_audit_after(cli->db, &cli->mem, last, 100, &rows, &n);
		if (e.code != ERR_OK)
			return fail_err(cli, e);
		last = print_events(cli, rows, n, last);
	}
	return EXIT_DONE;
}
