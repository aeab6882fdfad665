/* cli.c — the table of commands, their options, and how they end. */
#include "client/cli.h"

#include <getopt.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json_out.h"
#include "client/internal.h"

static const struct command {
	const char *name, *arguments, *help;
	int max_words;
	enum client_exit (*run)(const struct options *o, sp_client *c);
} commands[] = {
	{ "login", "[SERVER] [--email E] [--code | --browser PROVIDER | --register]",
	  "sign in; SERVER is remembered", 1, run_login },
	{ "whoami", "", "the account that is signed in", 0, run_whoami },
	{ "token", "[--min-validity SECONDS]", "a fresh access token, for scripts", 0, run_token },
	{ "logout", "", "end the session", 0, run_logout },
	{ "2fa", "[status | setup | disable | recovery-codes]", "the second factor of the account", 1, run_2fa },
	{ "sessions", "[list | revoke HANDLE… | revoke --others]", "where the account is signed in", 32, run_sessions },
};

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

bool client_knows(const char *name)
{
	return find(name) != NULL;
}

void client_usage(FILE *out)
{
	(void)fputs("\nAs a user of a server:\n\n", out);
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		(void)fprintf(out, "  sallyport %s%s%s\n      %s\n", commands[i].name,
			      commands[i].arguments[0] != '\0' ? " " : "", commands[i].arguments, commands[i].help);
	(void)fputs("\n"
		    "  each: [--server URL] [--account NAME] [--store secret-service|keyring|file[:PATH]]\n"
		    "        [--passphrase-file FILE] [--password-stdin] [--json]\n",
		    out);
}

/* ---- options ---- */

enum option_name {
	OPT_SERVER = 256,
	OPT_ACCOUNT,
	OPT_STORE,
	OPT_PASSPHRASE_FILE,
	OPT_EMAIL,
	OPT_BROWSER,
	OPT_MIN_VALIDITY,
	OPT_JSON,
	OPT_PASSWORD_STDIN,
	OPT_CODE,
	OPT_REGISTER,
	OPT_OTHERS,
	OPT_HELP,
};

static const struct option names[] = {
	{ "server", required_argument, NULL, OPT_SERVER },
	{ "account", required_argument, NULL, OPT_ACCOUNT },
	{ "store", required_argument, NULL, OPT_STORE },
	{ "passphrase-file", required_argument, NULL, OPT_PASSPHRASE_FILE },
	{ "email", required_argument, NULL, OPT_EMAIL },
	{ "browser", required_argument, NULL, OPT_BROWSER },
	{ "min-validity", required_argument, NULL, OPT_MIN_VALIDITY },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "password-stdin", no_argument, NULL, OPT_PASSWORD_STDIN },
	{ "code", no_argument, NULL, OPT_CODE },
	{ "register", no_argument, NULL, OPT_REGISTER },
	{ "others", no_argument, NULL, OPT_OTHERS },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

/* False: not an option of ours, or without its value; getopt has said so. */
static bool read_options(int argc, char **argv, struct options *o, bool *wants_help)
{
	int name;

	while ((name = getopt_long(argc, argv, "h", names, NULL)) != -1) {
		switch (name) {
		case OPT_SERVER:
			o->server = optarg;
			break;
		case OPT_ACCOUNT:
			o->account = optarg;
			break;
		case OPT_STORE:
			o->store = optarg;
			break;
		case OPT_PASSPHRASE_FILE:
			o->passphrase_file = optarg;
			break;
		case OPT_EMAIL:
			o->email = optarg;
			break;
		case OPT_BROWSER:
			o->browser = optarg;
			break;
		case OPT_MIN_VALIDITY:
			o->min_validity = optarg;
			break;
		case OPT_JSON:
			o->json = true;
			break;
		case OPT_PASSWORD_STDIN:
			o->password_stdin = true;
			break;
		case OPT_CODE:
			o->code = true;
			break;
		case OPT_REGISTER:
			o->register_first = true;
			break;
		case OPT_OTHERS:
			o->others = true;
			break;
		case OPT_HELP:
		case 'h':
			*wants_help = true;
			break;
		default:
			return false;
		}
	}
	for (int i = optind; i < argc; i++) {
		if (o->n_rest == (int)(sizeof o->rest / sizeof *o->rest))
			return false;
		o->rest[o->n_rest++] = argv[i];
	}
	return true;
}

/* ---- how it ended ---- */

void print_clean(const char *text)
{
	for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++)
		(void)putchar(*at < 0x20 || *at == 0x7f ? '?' : *at);
}

static void print_json_error(const sp_result *r)
{
	char text[4096];
	struct buf b = BUF_OF(text);
	struct json_out o;

	out_begin(&o, &b);
	out_obj(&o);
	out_str(&o, STR("error"), str_of_cstr(sp_error_name(r->error)));
	out_i64(&o, STR("status"), r->status);
	out_str(&o, STR("code"), str_of_cstr(r->code));
	out_str(&o, STR("message"), str_of_cstr(r->message));
	out_end_obj(&o);
	(void)printf("%.*s\n", STR_ARG(buf_view(&b)));
}

static enum client_exit exit_of(sp_error error)
{
	switch (error) {
	case SP_OK:
		return CLIENT_DONE;
	case SP_SIGNED_OUT:
		return CLIENT_SIGNED_OUT;
	case SP_LATER:
	case SP_NETWORK:
	case SP_TIMEOUT:
	case SP_SERVER:
	case SP_PROTOCOL:
	case SP_CANCELLED:
		return CLIENT_LATER;
	case SP_STORE:
	case SP_UNAVAILABLE:
	case SP_MEMORY:
		return CLIENT_STORE;
	case SP_INVALID:
	case SP_REFUSED:
	case SP_REAUTH:
	case SP_SECOND_FACTOR:
	case SP_SETUP_REQUIRED:
		break;
	}
	return CLIENT_REFUSED;
}

enum client_exit report(const struct options *o, sp_result *r)
{
	enum client_exit code = exit_of(r->error);

	if (r->error != SP_OK && o->json) {
		print_json_error(r);
	} else if (r->error != SP_OK) {
		(void)fprintf(stderr, "sallyport: %s%s%s%s\n", r->message, r->code[0] != '\0' ? " (" : "", r->code,
			      r->code[0] != '\0' ? ")" : "");
		for (size_t i = 0; i < r->n_fields; i++)
			(void)fprintf(stderr, "sallyport: %s: %s\n", r->fields[i].field, r->fields[i].reason);
		if (r->retry_after > 0)
			(void)fprintf(stderr, "sallyport: try again in %d s\n", r->retry_after);
		if (r->error == SP_SIGNED_OUT)
			(void)fprintf(stderr, "sallyport: `sallyport login` signs in\n");
	}
	sp_result_free(r);
	return code;
}

enum client_exit conclude(const struct options *o, sp_result *r, const char *text)
{
	if (r->error == SP_OK && o->json)
		(void)printf("%s\n", r->body_length > 0 ? r->body : "{\"success\":true}");
	else if (r->error == SP_OK)
		(void)printf("%s\n", text);
	return report(o, r);
}

int client_run(int argc, char **argv)
{
	const struct command *k = find(argv[0]);
	struct options o = { 0 };
	bool wants_help = false;
	sp_client *c = NULL;
	enum client_exit code;

	if (k == NULL || !read_options(argc, argv, &o, &wants_help) || o.n_rest > k->max_words) {
		client_usage(stderr);
		return (int)CLIENT_USAGE;
	}
	if (wants_help) {
		client_usage(stdout);
		return (int)CLIENT_DONE;
	}
	(void)umask(077);
	if (k->run == run_login && o.n_rest == 1)
		o.server = o.rest[0];
	code = place_open(&o, &c);
	if (code == CLIENT_DONE) {
		code = k->run(&o, c);
		if (code == CLIENT_USAGE)
			client_usage(stderr);
	}
	(void)sp_client_free(c);
	if (fflush(stdout) != 0 && code == CLIENT_DONE) {
		(void)fprintf(stderr, "sallyport: cannot write\n");
		code = CLIENT_REFUSED;
	}
	return (int)code;
}
