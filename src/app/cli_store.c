#include "app/cli_store.h"

#include "base/progress.h"
#include "domain/clock_guard.h"

/* ---- backup, verify ---- */

static void put_file(struct json_out *o, const void *of)
{
	out_str(o, STR("file"), str_of_cstr(of));
}

enum exit_code backup_cmd(struct cli *cli, const struct args *a)
{
	struct progress p = { .what = "backup", .unit = "MiB written", .look = progress_mib_written };
	char why[256] = "";
	err_t e;

	progress_begin(&p);
	e = store_backup(cli->store, str_of_cstr(a->word[0]), why, sizeof(why));
	progress_end(&p);
	if (e.code != ERR_OK)
		return fail(why);
	if (cli->json)
		return result(cli, NULL, put_file, a->word[0]);
	(void)printf("%s written. It does not hold the keys: keep a copy of %.*s/keys apart from it.\n", a->word[0],
		     STR_ARG(cli->cfg->server.data_dir));
	return EXIT_DONE;
}

static void put_found(struct json_out *o, const void *of)
{
	const char *problem = of;

	out_bool(o, STR("whole"), problem == NULL);
	json_text(o, STR("problem"), str_of_cstr(problem));
}

enum exit_code verify_cmd(struct cli *cli, const struct args *a)
{
	struct progress p = { .what = "verify", .unit = "MiB read", .look = progress_mib_read };
	enum exit_code code;
	char why[256] = "";
	bool whole;

	(void)a;
	progress_begin(&p);
	whole = store_verify(cli->store, why, sizeof(why)).code == ERR_OK;
	progress_end(&p);
	code = result(cli, whole ? "the store is whole" : NULL, put_found, whole ? NULL : why);
	if (whole || code != EXIT_DONE)
		return code;
	return cli->json ? EXIT_REFUSED : fail(why);
}

/* ---- clock ---- */

static void put_now(struct json_out *o, const void *of)
{
	json_time(o, STR("now"), *(const int64_t *)of);
}

enum exit_code clock_reset_cmd(struct cli *cli, const struct args *a)
{
	err_t e = clock_reset(&cli->c);

	(void)a;
	if (e.code != ERR_OK)
		return fail_err(cli, e);
	if (cli->json)
		return result(cli, NULL, put_now, &cli->c.now_ms);
	(void)printf("the clock counts as right at ");
	print_time(cli->c.now_ms);
	(void)printf("; a running server notices within a few seconds\n");
	return EXIT_DONE;
}
