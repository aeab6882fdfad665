/* cli.c — the table of commands, and how they end. */
#include "client/cli.h"

#include <string.h>
#include <sys/stat.h>

#include "base/json_out.h"
#include "client/internal.h"

static const struct command {
	struct args_command is;
	enum client_exit (*run)(const struct options *o, sp_client *c);
} commands[] = {
	{ { "login", NULL, "[SERVER]", "sign in; SERVER is remembered", 0,
	    TAKES(OPT_EMAIL) | TAKES(OPT_CODE) | TAKES(OPT_BROWSER) | TAKES(OPT_REGISTER) | TAKES(OPT_PASSWORD_STDIN), false },
	  run_login },
	{ { "whoami", NULL, "", "the account that is signed in", 0, 0, false }, run_whoami },
	{ { "token", NULL, "", "a fresh access token, for scripts", 0, TAKES(OPT_MIN_VALIDITY), false }, run_token },
	{ { "logout", NULL, "", "end the session", 0, 0, false }, run_logout },
	{ { "2fa", "status", "", "has the account an authenticator app?", 0, 0, true }, run_2fa_status },
	{ { "2fa", "setup", "", "set one up, and show recovery codes", 0, 0, false }, run_2fa_setup },
	{ { "2fa", "disable", "", "remove it", 0, 0, false }, run_2fa_disable },
	{ { "2fa", "recovery-codes", "", "make new recovery codes; the old ones are void", 0, 0, false },
	  run_2fa_recovery_codes },
	{ { "sessions", "list", "", "where the account is signed in", 0, 0, true }, run_sessions },
	{ { "sessions", "revoke", "[HANDLE...]", "end some of them, or with --others all but this one", 0,
	    TAKES(OPT_OTHERS), false },
	  run_revoke },
};

static const struct args_command *command_at(size_t i)
{
	return i < sizeof commands / sizeof *commands ? &commands[i].is : NULL;
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

/* ---- running ---- */

static int run(const struct args *a)
{
	const struct command *k = &commands[a->nth];
	struct options o = {
		.args = a,
		.server = a->value[OPT_SERVER],
		.account = a->value[OPT_ACCOUNT],
		.store = a->value[OPT_STORE],
		.json = args_has(a, OPT_JSON),
	};
	sp_client *c = NULL;
	enum client_exit code;

	(void)umask(077);
	if (k->run == run_login && a->n_words == 1)
		o.server = a->word[0];
	code = place_open(&o, &c);
	if (code == CLIENT_DONE)
		code = k->run(&o, c);
	(void)sp_client_free(c);
	return (int)code;
}

const struct args_family client_family = {
	.title = "As a user of a server:",
	.command = command_at,
	.may = TAKES(OPT_SERVER) | TAKES(OPT_ACCOUNT) | TAKES(OPT_STORE) | TAKES(OPT_PASSPHRASE_FILE) | TAKES(OPT_JSON) |
	       TAKES(OPT_HELP),
	.run = run,
};
