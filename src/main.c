/* main.c — arguments: global options, then the sub-command. */
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "app/cli.h"
#include "app/serve.h"
#include "app/version.h"
#include "client/cli.h"

static void usage(FILE *out)
{
	(void)fprintf(out,
		      "usage: sallyport COMMAND [--config FILE] [--data DIR] [arguments]\n\n"
		      "  sallyport serve [--dev] [--listen ADDRESS]\n"
		      "      run the server; --dev: loopback only, for development\n");
	cli_usage(out);
	(void)fprintf(out, "  sallyport version\n");
	client_usage(out);
	(void)fprintf(out, "\n"
			   "Settings: an INI file, or SALLYPORT_SECTION_KEY in the environment;\n"
			   "`sallyport print-config --help-settings` lists them. See sallyport(1).\n");
}

/* Global options may stand anywhere; everything else goes on to the sub-command in its order. */
struct arguments {
	struct config_source source;
	char *rest[32];
	int n_rest;
	bool help;
};

static bool override(struct arguments *a, const char *key, const char *value)
{
	size_t max = sizeof(a->source.overrides) / sizeof(a->source.overrides[0]);

	if (value == NULL || a->source.n_overrides == max)
		return false;
	a->source.overrides[a->source.n_overrides].key = key;
	a->source.overrides[a->source.n_overrides++].value = value;
	return true;
}

/* "--name value" and "--name=value". *ret_value NULL: not this option. */
static bool option_value(const char *name, int argc, char **argv, int *i, const char **ret_value)
{
	str arg = str_of_cstr(argv[*i]), want = str_of_cstr(name);

	*ret_value = NULL;
	if (!str_starts(arg, want))
		return false;
	if (arg.n == want.n) {
		*ret_value = *i + 1 < argc ? argv[++*i] : NULL;
		return true;
	}
	if (arg.p[want.n] != '=')
		return false;
	*ret_value = arg.p + want.n + 1;
	return true;
}

static bool parse(int argc, char **argv, struct arguments *a)
{
	const char *value;

	for (int i = 1; i < argc; i++) {
		str arg = str_of_cstr(argv[i]);

		if (str_eq(arg, STR("--help")) || str_eq(arg, STR("-h"))) {
			a->help = true;
		} else if (str_eq(arg, STR("--dev"))) {
			a->source.dev = true;
		} else if (option_value("--config", argc, argv, &i, &value)) {
			if (value == NULL)
				return false;
			a->source.file = value;
		} else if (option_value("--data", argc, argv, &i, &value)) {
			if (!override(a, "server.data_dir", value))
				return false;
		} else if (option_value("--listen", argc, argv, &i, &value)) {
			if (!override(a, "server.listen", value))
				return false;
		} else {
			if (a->n_rest == (int)(sizeof(a->rest) / sizeof(a->rest[0])) - 1)
				return false;
			a->rest[a->n_rest++] = argv[i];
		}
	}
	return true;
}

int main(int argc, char **argv)
{
	struct arguments a = { .source = { .environ = environ } };
	const struct wire_options o = {
		.source = &a.source, .clock = clock_system, .rng = rng_system
	};
	enum exit_code code = EXIT_USAGE;
	str command;

	if (argc > 1 && client_knows(argv[1])) /* somebody else's options and files */
		return client_run(argc - 1, argv + 1);
	if (!parse(argc, argv, &a) || (a.n_rest == 0 && !a.help)) {
		usage(stderr);
		return EXIT_USAGE;
	}
	command = a.n_rest == 0 ? STR("help") : str_of_cstr(a.rest[0]);
	if (a.help || str_eq(command, STR("help"))) {
		usage(stdout);
		return EXIT_DONE;
	}
	if (str_eq(command, STR("version")) && a.n_rest == 1) {
		(void)printf("sallyport %s\n", SALLYPORT_VERSION);
		return EXIT_DONE;
	}
	if (str_eq(command, STR("serve")) && a.n_rest == 1)
		code = serve_run(&o);
	else if (cli_knows(a.rest[0]))
		code = cli_run(&a.source, a.n_rest, a.rest);
	if (code == EXIT_USAGE)
		usage(stderr);
	return (int)code;
}
