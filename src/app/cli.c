/* cli.c — the table of the operator's commands, and what is open while one runs. The commands are in cli_*.c. */
#include "app/cli.h"

#include <sys/stat.h>
#include <unistd.h>

#include "app/cli_audit.h"
#include "app/cli_internal.h"
#include "app/cli_keys.h"
#include "app/cli_mail.h"
#include "app/cli_measure.h"
#include "app/cli_oauth.h"
#include "app/cli_outbox.h"
#include "app/cli_settings.h"
#include "app/cli_store.h"
#include "app/cli_template.h"
#include "app/cli_user.h"
#include "app/doctor.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "crypto/mac.h"
#include "store/query.h"

/* What has to be open before a command runs. Only the last makes what is not there. */
enum cli_needs {
	NEEDS_NOTHING = 1,
	NEEDS_SETTINGS,
	NEEDS_STORE,
	NEEDS_KEYS, /* store and keys: anything that hashes, counts or signs */
	NEEDS_NEW,  /* the same, made if there is none yet */
};

struct cli_command {
	struct args_command is;
	enum cli_needs needs;
	enum exit_code (*run)(struct cli *cli, const struct args *a);
};

/* ---- the table ---- */

#define CANCEL	 TAKES(OPT_CANCEL)
#define PASSWORD TAKES(OPT_PASSWORD_STDIN)

static const struct cli_command commands[] = {
	{ { "user", "create", "", "make an account", TAKES(OPT_EMAIL),
	    TAKES(OPT_ADMIN) | TAKES(OPT_FIRST_NAME) | TAKES(OPT_LAST_NAME) | PASSWORD, false },
	  NEEDS_NEW, user_create_cmd },
	{ { "user", "show", "USER", "show one account: state, factors, providers, sessions, lock", 0, 0, false },
	  NEEDS_KEYS, user_show_cmd },
	{ { "user", "list", "", "list accounts", 0, TAKES(OPT_SEARCH) | TAKES(OPT_LIMIT), false },
	  NEEDS_STORE, user_list_cmd },
	{ { "user", "disable", "USER", "end all its sessions and let nobody in", 0, 0, false },
	  NEEDS_STORE, user_disable_cmd },
	{ { "user", "enable", "USER", "let it in again; clears its failure count", 0, 0, false },
	  NEEDS_KEYS, user_enable_cmd },
	{ { "user", "delete", "USER", "delete the account and everything of it", 0, 0, false },
	  NEEDS_KEYS, user_delete_cmd },
	{ { "user", "set-password", "USER", "set a new password, end all sessions", 0, PASSWORD, false },
	  NEEDS_KEYS, user_password_cmd },
	{ { "user", "send-reset", "USER", "mail it a link for a new password", 0, 0, false },
	  NEEDS_KEYS, user_reset_cmd },
	{ { "user", "set-admin", "USER on|off", "is it an administrator's? ends all its sessions", 0, 0, false },
	  NEEDS_STORE, user_admin_cmd },
	{ { "user", "require-2fa", "USER on|off", "must it have a second factor?", 0, 0, false },
	  NEEDS_STORE, user_require_cmd },
	{ { "user", "reset-2fa", "USER",
	    "remove its authenticator app and recovery codes, end all sessions; or call that off", 0, CANCEL, false },
	  NEEDS_KEYS, user_factor_cmd },
	{ { "check-config", NULL, "", "check the settings and say what is wrong", 0, 0, false },
	  NEEDS_NOTHING, check_config_cmd },
	{ { "print-config", NULL, "", "print every setting", 0, TAKES(OPT_ORIGIN) | TAKES(OPT_HELP_SETTINGS), false },
	  NEEDS_SETTINGS, print_config_cmd },
	{ { "keys", "list", "", "list the signing keys", 0, 0, false }, NEEDS_KEYS, keys_list_cmd },
	{ { "keys", "rotate", "", "publish a new signing key", 0, TAKES(OPT_NOW), false },
	  NEEDS_STORE, keys_rotate_cmd },
	{ { "clock", "reset", "", "say that the clock is right now, after it was far ahead", 0, 0, false },
	  NEEDS_STORE, clock_reset_cmd },
	{ { "audit", "tail", "", "show the last security events", 0, TAKES(OPT_FOLLOW), false },
	  NEEDS_STORE, audit_tail_cmd },
	{ { "mail", "test", "ADDRESS", "send one mail directly and say what the server answered", 0, 0, false },
	  NEEDS_SETTINGS, mail_test_cmd },
	{ { "oauth", "test", "NAME [FILE]", "try an identity provider's settings, and an ID token", 0, 0, false },
	  NEEDS_SETTINGS, oauth_test_cmd },
	{ { "outbox", "list", "", "list the messages that wait or were given up", 0, TAKES(OPT_DEAD), false },
	  NEEDS_STORE, outbox_list_cmd },
	{ { "outbox", "retry", "[ID]", "send a message, or all that were given up, again", 0, TAKES(OPT_DEAD), false },
	  NEEDS_STORE, outbox_retry_cmd },
	{ { "outbox", "drop", "[ID]", "forget a message, or all that were given up", 0, TAKES(OPT_DEAD), false },
	  NEEDS_STORE, outbox_drop_cmd },
	{ { "backup", NULL, "FILE", "copy the live store into a new file", 0, 0, false }, NEEDS_STORE, backup_cmd },
	{ { "doctor", NULL, "", "look at all that can be wrong with the set-up, and say what to do", 0, 0, false },
	  NEEDS_NOTHING, doctor_cmd },
	{ { "verify", NULL, "", "check the whole store for damage", 0, 0, false }, NEEDS_STORE, verify_cmd },
	{ { "template", "list", "", "list the messages and what is stored for them", 0, 0, false },
	  NEEDS_STORE, template_list_cmd },
	{ { "template", "show", "ID", "show variables, texts and bases of one", 0, 0, false },
	  NEEDS_STORE, template_show_cmd },
	{ { "template", "set", "ID html|text FILE", "store a base of it", 0, 0, false }, NEEDS_STORE, template_set_cmd },
	{ { "template", "translate", "ID LANG KEY TEXT", "store a text of it", 0, 0, false },
	  NEEDS_STORE, template_translate_cmd },
	{ { "template", "untranslate", "ID LANG KEY", "forget that text", 0, 0, false },
	  NEEDS_STORE, template_untranslate_cmd },
	{ { "template", "remove", "ID", "forget all that is stored for it", 0, 0, false },
	  NEEDS_STORE, template_remove_cmd },
	{ { "template", "preview", "ID [LANG]", "print it with sample values", 0, 0, false },
	  NEEDS_STORE, template_preview_cmd },
	{ { "calibrate", NULL, "[MILLISECONDS]", "measure password hashing, propose settings", 0, 0, false },
	  NEEDS_SETTINGS, calibrate_cmd },
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct args_command *command_at(size_t i)
{
	return i < N_COMMANDS ? &commands[i].is : NULL;
}

/* ---- how it ended ---- */

enum exit_code fail(const char *what)
{
	(void)fprintf(stderr, "sallyport: %s\n", what);
	return EXIT_REFUSED;
}

enum exit_code fail_err(struct cli *cli, err_t e)
{
	for (size_t i = 0; i < cli->c.n_fields; i++)
		(void)fprintf(stderr, "sallyport: %s: %s\n", cli->c.fields[i].field,
			      cli->c.fields[i].reason);
	if (e.code == ERR_USER_NOT_FOUND)
		return fail("no such user");
	if (e.code == ERR_EMAIL_EXISTS)
		return fail("that address is already registered");
	if (e.code == ERR_EMAIL_NOT_CONFIGURED)
		return fail("no mail can be sent: mail.transport is none");
	if (e.code == ERR_FORBIDDEN)
		return fail("that account is disabled");
	if (e.code == ERR_INPUT)
		return EXIT_REFUSED;
	(void)fprintf(stderr, "sallyport: %s %s\n", err_name(e.code), err_origin());
	return err_is_fault(e) ? EXIT_FAULT : EXIT_REFUSED;
}

void print_time(int64_t ms)
{
	char text[TIME_TEXT_LEN + 1];
	struct buf b = BUF_OF(text);

	if (ms == 0) {
		(void)printf("never");
		return;
	}
	time_format(&b, ms);
	(void)printf("%.*s", STR_ARG(buf_view(&b)));
}

void print_clean_text(str text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		(void)putchar(c < 0x20 || c == 0x7f ? '?' : c);
	}
}

err_t print_object(void (*write)(struct json_out *o, const void *of), const void *of)
{
	struct json_line l;

	TRY(json_line_begin(&l));
	out_obj(&l.o);
	write(&l.o, of);
	out_end_obj(&l.o);
	return json_line_end(&l, stdout);
}

enum exit_code result(struct cli *cli, const char *text, void (*write)(struct json_out *o, const void *of),
		      const void *of)
{
	err_t e = OK;

	if (cli->json)
		e = print_object(write, of);
	else if (text != NULL)
		(void)printf("%s\n", text);
	return e.code == ERR_OK ? EXIT_DONE : fail_err(cli, e);
}

/* ---- opening and closing ---- */

static enum exit_code open_store(struct cli *cli, bool create, char *why, size_t why_max)
{
	enum exit_code code = wire_open_store(cli->cfg, false, create, &cli->store, why, why_max);

	if (code == EXIT_DONE && store_handle_own(cli->store, &cli->db).code != ERR_OK)
		code = EXIT_FAULT;
	cli->c.db = cli->db;
	return code;
}

/* A store with accounts but without keys has lost them: `keys rotate` is the command that makes new ones. */
static enum exit_code open_keys(struct cli *cli, bool create, char *why, size_t why_max)
{
	const struct config *cfg = cli->cfg;
	bool has_users = true;
	int64_t id;

	(void)snprintf(why, why_max, "the store cannot be read");
	if (q_user_any(cli->db, &cli->mem, &id, &has_users).code != ERR_OK ||
	    keyring_load(cfg->server.data_dir, cfg->token.algorithm, cli->c.now_ms, create && !has_users, rng_system,
			 &cli->keys, why, why_max)
			    .code != ERR_OK ||
	    wire_gate(cfg, &cli->gate).code != ERR_OK)
		return EXIT_NO_STORE;
	cli->c.keys = cli->keys;
	cli->c.gate = cli->gate;
	return EXIT_DONE;
}

enum exit_code cli_open_store(struct cli *cli, char *why, size_t why_max)
{
	return open_store(cli, false, why, why_max);
}

enum exit_code cli_open_keys(struct cli *cli, char *why, size_t why_max)
{
	return open_keys(cli, false, why, why_max);
}

err_t cli_begin(struct cli *cli)
{
	TRY(crypto_init());
	TRY(arena_init(&cli->mem, 4 * ARENA_DEFAULT_BYTES));
	cli->c = (struct ctx){
		.mem = &cli->mem,
		.cfg = cli->cfg,
		.count = &cli->count,
		.rng = rng_system,
		.now_ms = clock_now_ms(clock_system),
		.deadline_us = INT64_MAX,
		.client_ip = STR("cli"),
	};
	return OK;
}

static enum exit_code open_for(struct cli *cli, enum cli_needs needs)
{
	char why[512] = "";
	enum exit_code code = EXIT_DONE;

	if (cli_begin(cli).code != ERR_OK)
		return EXIT_FAULT;
	if (needs >= NEEDS_STORE)
		code = open_store(cli, needs == NEEDS_NEW, why, sizeof(why));
	if (code == EXIT_DONE && needs >= NEEDS_KEYS)
		code = open_keys(cli, needs == NEEDS_NEW, why, sizeof(why));
	if (code != EXIT_DONE)
		(void)fprintf(stderr, "sallyport: %s\n", why);
	return code;
}

static void close_all(struct cli *cli)
{
	if (cli->db != NULL)
		db_close(cli->db);
	if (cli->store != NULL)
		store_close(cli->store);
	if (cli->keys != NULL)
		keyring_free(cli->keys);
	password_gate_free(cli->gate);
	arena_clear(&cli->mem);
	config_free(cli->cfg);
}

/* ---- running ---- */

extern char **environ;

static void override(struct config_source *s, const char *key, const char *value)
{
	if (value == NULL)
		return;
	s->overrides[s->n_overrides].key = key;
	s->overrides[s->n_overrides++].value = value;
}

void cli_source(const struct args *a, struct config_source *ret)
{
	*ret = (struct config_source){ .file = a->value[OPT_CONFIG], .environ = environ, .dev = args_has(a, OPT_DEV) };
	override(ret, "server.data_dir", a->value[OPT_DATA]);
	override(ret, "server.listen", a->value[OPT_LISTEN]);
}

static enum exit_code load_settings(struct cli *cli)
{
	struct config_report report = { 0 };
	struct config_source source;
	bool good;

	cli_source(cli->args, &source);
	good = config_load(&source, &cli->cfg, &report).code == ERR_OK;
	config_report_print(&report, stderr);
	config_report_clear(&report);
	return good ? EXIT_DONE : EXIT_BAD_CONFIG;
}

static int run(const struct args *a)
{
	const struct cli_command *k = &commands[a->nth];
	struct cli cli = { .args = a, .json = args_has(a, OPT_JSON) };
	enum exit_code code = EXIT_DONE;

	(void)umask(077);
	if (k->needs >= NEEDS_SETTINGS) {
		code = load_settings(&cli);
		if (code == EXIT_DONE)
			code = open_for(&cli, k->needs);
	}
	if (code == EXIT_DONE)
		code = k->run(&cli, a);
	close_all(&cli);
	return (int)code;
}

const struct args_family cli_family = {
	.command = command_at,
	.may = TAKES(OPT_CONFIG) | TAKES(OPT_DATA) | TAKES(OPT_DEV) | TAKES(OPT_LISTEN) | TAKES(OPT_JSON) | TAKES(OPT_HELP),
	.run = run,
};
