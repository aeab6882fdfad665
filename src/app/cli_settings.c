#include "app/cli_settings.h"

#include "web/ui.h"

struct checked {
	bool valid;
	const struct config_report *report;
	str page_problem; /* STR_NONE: none */
};

static void put_lines(struct json_out *o, str key, const struct config_lines *lines, str more)
{
	str rest = { lines->text, lines->used }, line;

	out_key(o, key);
	out_arr(o);
	while (str_cut(rest, '\n', &line, &rest))
		out_value_str(o, line);
	if (more.p != NULL)
		out_value_str(o, more);
	out_end_arr(o);
}

static void put_checked(struct json_out *o, const void *of)
{
	const struct checked *c = of;

	out_bool(o, STR("valid"), c->valid);
	put_lines(o, STR("problems"), &c->report->problems, c->page_problem);
	put_lines(o, STR("warnings"), &c->report->warnings, STR_NONE);
}

/* The files that the settings name are looked at too. */
static bool pages_fit(const struct config *cfg, char *why, size_t why_max)
{
	struct ui *ui = NULL;

	if (ui_new(cfg, &ui, why, why_max).code != ERR_OK)
		return false;
	ui_free(ui);
	return true;
}

enum exit_code check_config_cmd(struct cli *cli, const struct args *a)
{
	struct config_report report = { 0 };
	struct config_source source;
	struct checked c = { .report = &report };
	char why[512] = "";
	enum exit_code code;

	cli_source(a, &source);
	c.valid = config_load(&source, &cli->cfg, &report).code == ERR_OK;
	if (c.valid && !pages_fit(cli->cfg, why, sizeof(why))) {
		c.valid = false;
		c.page_problem = str_of_cstr(why);
	}
	if (!cli->json) {
		config_report_print(&report, stderr);
		if (c.page_problem.p != NULL)
			(void)fprintf(stderr, "sallyport: %s\n", why);
	}
	code = result(cli, c.valid ? "the configuration is valid" : NULL, put_checked, &c);
	config_report_clear(&report);
	return code == EXIT_DONE && !c.valid ? EXIT_BAD_CONFIG : code;
}

enum exit_code print_config_cmd(struct cli *cli, const struct args *a)
{
	bool origin = args_has(a, OPT_ORIGIN), help = args_has(a, OPT_HELP_SETTINGS);
	err_t e = OK;

	if (origin && help)
		return (enum exit_code)args_wrong(a, "--origin and --help-settings are one or the other");
	if (cli->json)
		e = help ? config_help_json(stdout) : config_print_json(cli->cfg, stdout);
	else if (help)
		config_help(stdout);
	else
		config_print(cli->cfg, origin, stdout);
	return e.code == ERR_OK ? EXIT_DONE : fail_err(cli, e);
}
