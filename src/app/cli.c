/* cli.c — the table of sub-commands, what is open while one runs, and those that are short: settings, clock, copies of
 * the store, calibration. The others are in cli_*.c. */
#include "app/cli.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "app/cli_audit.h"
#include "app/cli_internal.h"
#include "app/cli_keys.h"
#include "app/cli_mail.h"
#include "app/cli_oauth.h"
#include "app/cli_outbox.h"
#include "app/cli_template.h"
#include "app/cli_user.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "crypto/mac.h"
#include "domain/clock_guard.h"
#include "store/query.h"
#include "web/ui.h"

/* What has to be open before a sub-command runs. */
enum cli_needs {
	NEEDS_CONFIG = 1,
	NEEDS_STORE,
	NEEDS_KEYS, /* store and keys: anything that hashes, counts or signs */
};

struct cli_command {
	const char *group, *name; /* name NULL: the group is the whole command */
	const char *arguments, *help;
	enum cli_needs needs;
	enum exit_code (*run)(struct cli *cli, int argc, char **argv);
};

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

/* ---- settings ---- */

static enum exit_code check_config_cmd(struct cli *cli, int argc, char **argv)
{
	struct ui *ui = NULL;
	char why[512] = "";

	(void)argv;
	if (argc != 1)
		return EXIT_USAGE;
	/* The files that it names are looked at too. */
	if (ui_new(cli->c.cfg, &ui, why, sizeof(why)).code != ERR_OK) {
		(void)fprintf(stderr, "sallyport: %s\n", why);
		return EXIT_BAD_CONFIG;
	}
	ui_free(ui);
	(void)printf("the configuration is valid\n");
	return EXIT_DONE;
}

static enum exit_code print_config_cmd(struct cli *cli, int argc, char **argv)
{
	bool origin = argc == 2 && str_eq(str_of_cstr(argv[1]), STR("--origin"));

	if (argc == 2 && str_eq(str_of_cstr(argv[1]), STR("--help-settings"))) {
		config_help(stdout);
		return EXIT_DONE;
	}
	if (argc != 1 && !origin)
		return EXIT_USAGE;
	config_print(cli->cfg, origin, stdout);
	return EXIT_DONE;
}

/* ---- clock ---- */

static enum exit_code clock_reset_cmd(struct cli *cli, int argc, char **argv)
{
	err_t e;

	(void)argv;
	if (argc != 1)
		return EXIT_USAGE;
	e = clock_reset(&cli->c);
	if (e.code != ERR_OK)
		return fail_err(cli, e);
	(void)printf("the clock counts as right at ");
	print_time(cli->c.now_ms);
	(void)printf("; a running server notices within a few seconds\n");
	return EXIT_DONE;
}

/* ---- backup, calibrate ---- */

static enum exit_code backup_cmd(struct cli *cli, int argc, char **argv)
{
	char why[256] = "";

	if (argc != 2)
		return EXIT_USAGE;
	if (store_backup(cli->store, str_of_cstr(argv[1]), why, sizeof(why)).code != ERR_OK)
		return fail(why);
	(void)printf("%s written. It does not hold the keys: keep a copy of %.*s/keys apart from it.\n",
		     argv[1], STR_ARG(cli->cfg->server.data_dir));
	return EXIT_DONE;
}

static enum exit_code verify_cmd(struct cli *cli, int argc, char **argv)
{
	char why[256] = "";

	(void)argv;
	if (argc != 1)
		return EXIT_USAGE;
	if (store_verify(cli->store, why, sizeof(why)).code != ERR_OK)
		return fail(why);
	(void)printf("the store is whole\n");
	return EXIT_DONE;
}

static enum exit_code calibrate_cmd(struct cli *cli, int argc, char **argv)
{
	static const int64_t memory_mib[] = { 19, 32, 46, 64, 96, 128, 192, 256 };
	int64_t wanted_ms = argc == 2 ? strtoll(argv[1], NULL, 10) : 100;
	const int64_t mib = (int64_t)1024 * 1024;
	int64_t best_mib = 0, best_iterations = 0, best_us = 0;

	(void)cli;
	if (argc > 2 || wanted_ms < 1 || wanted_ms > 10000)
		return EXIT_USAGE;
	(void)printf("memory  iterations  ms per hash\n");
	for (size_t i = 0; i < sizeof(memory_mib) / sizeof(memory_mib[0]); i++) {
		for (int64_t t = 2; t <= 4; t++) {
			const struct password_params p = { .memory = memory_mib[i] * mib, .iterations = t };
			int64_t us;

			if (password_measure(&p, 3, &us).code != ERR_OK)
				return fail("measuring failed");
			if (us / 1000 > wanted_ms)
				break;
			(void)printf("%3" PRId64 " MiB  %10" PRId64 "  %8.1f\n", memory_mib[i], t,
				     (double)us / 1000);
			if (us > best_us) {
				best_mib = memory_mib[i];
				best_iterations = t;
				best_us = us;
			}
		}
	}
	if (best_mib == 0) {
		(void)printf("\nNothing as strong as the floor fits into %" PRId64
			     " ms here: keep the defaults.\n",
			     wanted_ms);
		return EXIT_DONE;
	}
	(void)printf("\nStrongest within %" PRId64 " ms on one core of this machine:\n\n[password]\n"
		     "argon2_memory = %" PRId64 "MiB\nargon2_iterations = %" PRId64 "\n",
		     wanted_ms, best_mib, best_iterations);
	return EXIT_DONE;
}

/* ---- the table ---- */

static const struct cli_command commands[] = {
	{ "user", "create", "--email E [--admin] [--first-name N] [--last-name N] [--password-stdin]",
	  "make an account", NEEDS_KEYS, user_create_cmd },
	{ "user", "show", "EMAIL|ID", "show one account", NEEDS_STORE, user_show_cmd },
	{ "user", "list", "", "list all accounts", NEEDS_STORE, user_list_cmd },
	{ "user", "disable", "EMAIL|ID", "end all its sessions and let nobody in", NEEDS_STORE,
	  user_disable_cmd },
	{ "user", "enable", "EMAIL|ID", "let it in again; clears its failure count", NEEDS_KEYS,
	  user_enable_cmd },
	{ "user", "delete", "EMAIL|ID", "delete the account and everything of it", NEEDS_KEYS,
	  user_delete_cmd },
	{ "user", "set-password", "EMAIL|ID [--password-stdin]", "set a new password, end all sessions",
	  NEEDS_KEYS, user_password_cmd },
	{ "user", "send-reset", "EMAIL|ID", "mail it a link for a new password", NEEDS_KEYS,
	  user_reset_cmd },
	{ "user", "require-2fa", "EMAIL|ID on|off", "must it have a second factor?", NEEDS_STORE,
	  user_require_cmd },
	{ "user", "reset-2fa", "EMAIL|ID [--cancel]",
	  "remove its authenticator app and recovery codes, end all sessions; or call that off", NEEDS_KEYS,
	  user_factor_cmd },
	{ "check-config", NULL, "", "check the settings and say what is wrong", NEEDS_CONFIG,
	  check_config_cmd },
	{ "print-config", NULL, "[--origin|--help-settings]", "print every setting", NEEDS_CONFIG,
	  print_config_cmd },
	{ "keys", "list", "", "list the signing keys", NEEDS_KEYS, keys_list_cmd },
	{ "keys", "rotate", "[--now]", "publish a new signing key", NEEDS_STORE, keys_rotate_cmd },
	{ "clock", "reset", "", "say that the clock is right now, after it was far ahead", NEEDS_STORE,
	  clock_reset_cmd },
	{ "audit", "tail", "[--follow]", "show the last security events", NEEDS_STORE, audit_tail_cmd },
	{ "mail", "test", "ADDRESS", "send one mail directly and say what the server answered",
	  NEEDS_CONFIG, mail_test_cmd },
	{ "oauth", "test", "NAME", "try an identity provider's settings", NEEDS_CONFIG, oauth_test_cmd },
	{ "outbox", "list", "[--dead]", "list the messages that wait or were given up", NEEDS_STORE,
	  outbox_list_cmd },
	{ "outbox", "retry", "ID|--dead", "send a message, or all that were given up, again", NEEDS_STORE,
	  outbox_retry_cmd },
	{ "outbox", "drop", "ID|--dead", "forget a message, or all that were given up", NEEDS_STORE,
	  outbox_drop_cmd },
	{ "backup", NULL, "FILE", "copy the live store into a new file", NEEDS_STORE, backup_cmd },
	{ "verify", NULL, "", "check the whole store for damage", NEEDS_STORE, verify_cmd },
	{ "template", "list", "", "list the messages and what is stored for them", NEEDS_STORE,
	  template_list_cmd },
	{ "template", "show", "ID", "show variables, texts and bases of one", NEEDS_STORE,
	  template_show_cmd },
	{ "template", "set", "ID html|text FILE", "store a base of it", NEEDS_STORE, template_set_cmd },
	{ "template", "translate", "ID LANG KEY TEXT", "store a text of it", NEEDS_STORE,
	  template_translate_cmd },
	{ "template", "untranslate", "ID LANG KEY", "forget that text", NEEDS_STORE,
	  template_untranslate_cmd },
	{ "template", "remove", "ID", "forget all that is stored for it", NEEDS_STORE,
	  template_remove_cmd },
	{ "template", "preview", "ID [LANG]", "print it with sample values", NEEDS_STORE,
	  template_preview_cmd },
	{ "calibrate", NULL, "[MILLISECONDS]", "measure password hashing, propose settings",
	  NEEDS_CONFIG, calibrate_cmd },
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

bool cli_knows(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (str_eq(str_of_cstr(commands[i].group), str_of_cstr(name)))
			return true;
	}
	return false;
}

void cli_usage(FILE *out)
{
	for (size_t i = 0; i < N_COMMANDS; i++) {
		const struct cli_command *k = &commands[i];

		(void)fprintf(out, "  sallyport %s%s%s%s%s\n      %s\n", k->group, k->name ? " " : "",
			      k->name ? k->name : "", k->arguments[0] ? " " : "", k->arguments, k->help);
	}
}

static const struct cli_command *find(int argc, char **argv)
{
	for (size_t i = 0; i < N_COMMANDS; i++) {
		const struct cli_command *k = &commands[i];

		if (!str_eq(str_of_cstr(k->group), str_of_cstr(argv[0])))
			continue;
		if (k->name == NULL ||
		    (argc > 1 && str_eq(str_of_cstr(k->name), str_of_cstr(argv[1]))))
			return k;
	}
	return NULL;
}

static enum exit_code open_for(struct cli *cli, enum cli_needs needs)
{
	char why[512] = "";
	enum exit_code code = EXIT_DONE;

	if (arena_init(&cli->mem, 4 * ARENA_DEFAULT_BYTES).code != ERR_OK)
		return EXIT_FAULT;
	cli->c = (struct ctx){
		.mem = &cli->mem,
		.cfg = cli->cfg,
		.count = &cli->count,
		.rng = rng_system,
		.now_ms = clock_now_ms(clock_system),
		.deadline_us = INT64_MAX,
		.client_ip = STR("cli"),
	};
	if (needs >= NEEDS_STORE) {
		code = wire_open_store(cli->cfg, false, &cli->store, why, sizeof(why));
		if (code == EXIT_DONE && store_handle_own(cli->store, &cli->db).code != ERR_OK)
			code = EXIT_FAULT;
		cli->c.db = cli->db;
	}
	if (code == EXIT_DONE && needs >= NEEDS_KEYS) {
		int64_t id;
		bool has_users = true;

		if (q_user_any(cli->db, &cli->mem, &id, &has_users).code != ERR_OK ||
		    keyring_load(cli->cfg->server.data_dir, cli->cfg->token.algorithm, cli->c.now_ms,
				 !has_users, rng_system, &cli->keys, why, sizeof(why))
				    .code != ERR_OK ||
		    wire_gate(cli->cfg, &cli->gate).code != ERR_OK)
			code = EXIT_NO_STORE;
		cli->c.keys = cli->keys;
		cli->c.gate = cli->gate;
	}
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

enum exit_code cli_run(const struct config_source *source, int argc, char **argv)
{
	const struct cli_command *k = find(argc, argv);
	struct config_report report = { 0 };
	struct cli cli = { 0 };
	enum exit_code code;
	int skip;

	if (k == NULL)
		return EXIT_USAGE;
	(void)umask(077);
	if (config_load(source, &cli.cfg, &report).code != ERR_OK) {
		config_report_print(&report, stderr);
		config_report_clear(&report);
		return EXIT_BAD_CONFIG;
	}
	config_report_print(&report, stderr);
	config_report_clear(&report);
	skip = k->name == NULL ? 0 : 1;
	if (crypto_init().code != ERR_OK)
		code = EXIT_FAULT;
	else
		code = open_for(&cli, k->needs);
	if (code == EXIT_DONE)
		code = k->run(&cli, argc - skip, argv + skip);
	close_all(&cli);
	return code;
}
