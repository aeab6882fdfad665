/* main.c — the families of commands, and what is told of them: help, version, completion. */
#include <stdio.h>

#include "app/cli.h"
#include "app/serve.h"
#include "app/version.h"
#include "base/args_completion.h"
#include "base/json_line.h"
#include "base/options.h"
#include "client/cli.h"

static const struct args_program program;

/* ---- serve ---- */

static const struct args_command *serve_command(size_t i)
{
	static const struct args_command serve = {
		.group = "serve",
		.words = "",
		.help = "run the server; --dev: loopback only, for development",
		.may = TAKES(OPT_DEV) | TAKES(OPT_LISTEN) | TAKES(OPT_CONFIG) | TAKES(OPT_DATA),
	};

	return i == 0 ? &serve : NULL;
}

static int serve(const struct args *a)
{
	struct config_source source;
	const struct wire_options o = { .source = &source, .clock = clock_system, .rng = rng_system };

	cli_source(a, &source);
	return (int)serve_run(&o);
}

static const struct args_family serve_family = { .command = serve_command, .may = TAKES(OPT_HELP), .run = serve };

/* ---- about the program itself ---- */

static const struct args_command about[] = {
	{ .group = "version", .words = "", .help = "print the version", .may = TAKES(OPT_JSON) },
	{ .group = "help", .words = "[COMMAND] [NAME]", .help = "explain all commands, or one",
	  .may = TAKES(OPT_JSON) },
	{ .group = "completion", .words = "bash|zsh|fish", .help = "print a script by which a shell completes commands" },
};

static const struct args_command *about_command(size_t i)
{
	return i < sizeof(about) / sizeof(about[0]) ? &about[i] : NULL;
}

static err_t version_json(void)
{
	struct json_line l;

	TRY(json_line_begin(&l));
	out_obj(&l.o);
	out_str(&l.o, STR("version"), STR(SALLYPORT_VERSION));
	out_end_obj(&l.o);
	return json_line_end(&l, stdout);
}

static int version(const struct args *a)
{
	if (args_has(a, OPT_JSON))
		return version_json().code == ERR_OK ? EXIT_DONE : EXIT_FAULT;
	(void)printf("sallyport %s\n", SALLYPORT_VERSION);
	return EXIT_DONE;
}

static void put_options(struct json_out *o, str key, uint64_t which)
{
	out_key(o, key);
	out_arr(o);
	for (size_t i = 0; i < N_OPTIONS; i++) {
		if ((which & TAKES(i)) == 0)
			continue;
		out_obj(o);
		out_str(o, STR("name"), str_of_cstr(program_options[i].name));
		json_text(o, STR("value"), str_of_cstr(program_options[i].value));
		out_str(o, STR("help"), str_of_cstr(program_options[i].help));
		out_end_obj(o);
	}
	out_end_arr(o);
}

/* The tables themselves, a command a line. */
static err_t command_json(const struct args_family *f, const struct args_command *k)
{
	char text[96];
	struct buf name = BUF_OF(text);
	struct json_line l;

	args_put_name(k, &name);
	TRY(json_line_begin(&l));
	out_obj(&l.o);
	out_str(&l.o, STR("command"), buf_view(&name));
	out_str(&l.o, STR("words"), str_of_cstr(k->words));
	out_str(&l.o, STR("help"), str_of_cstr(k->help));
	put_options(&l.o, STR("must"), k->must);
	put_options(&l.o, STR("may"), k->may);
	put_options(&l.o, STR("common"), f->may);
	out_end_obj(&l.o);
	return json_line_end(&l, stdout);
}

static err_t tables_json(void)
{
	const struct args_command *k;

	for (size_t f = 0; f < program.n_families; f++) {
		for (size_t i = 0; (k = program.families[f]->command(i)) != NULL; i++)
			TRY(command_json(program.families[f], k));
	}
	return OK;
}

static int help(const struct args *a)
{
	char text[256];
	struct buf why = BUF_OF(text);
	struct args about_what = { 0 };

	if (args_has(a, OPT_JSON) && a->n_words > 0)
		return args_wrong(a, "--json tells of all commands");
	if (args_has(a, OPT_JSON))
		return tables_json().code == ERR_OK ? EXIT_DONE : EXIT_FAULT;
	if (!args_find(&program, a->word, a->n_words, &about_what, &why))
		return args_say_wrong(&about_what, buf_view(&why));
	args_help(&about_what, stdout);
	return EXIT_DONE;
}

static int tell(const struct args *a)
{
	if (a->command == &about[0])
		return version(a);
	if (a->command == &about[1])
		return help(a);
	return args_completion(&program, str_of_cstr(a->word[0]), stdout) ? EXIT_DONE : EXIT_USAGE;
}

static const struct args_family about_family = { .command = about_command, .may = TAKES(OPT_HELP), .run = tell };

/* ---- the whole ---- */

static const struct args_family *const families[] = { &serve_family, &cli_family, &about_family, &client_family };

static const struct args_program program = {
	.name = "sallyport",
	.options = program_options,
	.n_options = N_OPTIONS,
	.families = families,
	.n_families = sizeof(families) / sizeof(families[0]),
	.footer = "Settings: an INI file, or SALLYPORT_SECTION_KEY in the environment;\n"
		  "`sallyport print-config --help-settings` lists them. See sallyport(1).\n",
};

static int run(const struct args *a, enum args_outcome outcome, str why)
{
	if (outcome == ARGS_WRONG)
		return args_say_wrong(a, why);
	if (outcome == ARGS_RUN)
		return a->family->run(a);
	if (args_has(a, OPT_VERSION))
		return version(a);
	args_help(a, stdout);
	return EXIT_DONE;
}

int main(int argc, char **argv)
{
	char text[512];
	struct buf why = BUF_OF(text);
	struct args a;
	enum args_outcome outcome = args_read(&program, argc, argv, TAKES(OPT_HELP) | TAKES(OPT_VERSION), &a, &why);
	int status = run(&a, outcome, buf_view(&why));

	if (fflush(stdout) != 0 && status == EXIT_DONE) {
		(void)fprintf(stderr, "sallyport: cannot write what was to be printed\n");
		status = EXIT_REFUSED;
	}
	return status;
}
