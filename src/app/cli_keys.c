#include "app/cli_keys.h"

#include "domain/audit.h"
#include "store/query.h"

enum exit_code keys_list_cmd(struct cli *cli, int argc, char **argv)
{
	int64_t now_ms = cli->c.now_ms;

	(void)argv;
	if (argc != 1)
		return EXIT_USAGE;
	for (size_t i = 0; i < cli->keys->n; i++) {
		const struct keyring_entry *k = &cli->keys->entry[i];
		const char *state = k->retire_ms <= now_ms	? "retired" :
				    k->active_from_ms > now_ms	? "published" :
				    k->key == keyring_signer(cli->keys, now_ms) ? "signing" :
									    "verifying";

		(void)printf("%.*s  %s  from ", STR_ARG(jws_key_kid(k->key)), state);
		print_time(k->active_from_ms);
		(void)printf("  %.*s\n", STR_ARG(k->file));
	}
	return EXIT_DONE;
}

static err_t audit_keys(struct cli *cli)
{
	TX tx = { 0 };

	TRY(tx_begin(&tx, cli->db));
	TRY(audit_add(&cli->c, AUDIT_KEYS_ROTATED, STR_NONE, STR_NONE, STR_NONE));
	return tx_commit(&tx);
}

enum exit_code keys_rotate_cmd(struct cli *cli, int argc, char **argv)
{
	bool at_once = argc == 2 && str_eq(str_of_cstr(argv[1]), STR("--now"));
	const struct config *cfg = cli->cfg;
	char why[256] = "";
	err_t e;

	if (argc != 1 && !at_once)
		return EXIT_USAGE;
	/* Makes what is missing first: this is the command that may replace lost keys. */
	e = keyring_load(cfg->server.data_dir, cfg->token.algorithm, cli->c.now_ms, true, cli->c.rng,
			 &cli->keys, why, sizeof(why));
	if (e.code == ERR_OK)
		e = keyring_rotate(cfg->server.data_dir, cfg->token.algorithm, cli->c.now_ms, at_once,
				   cli->c.rng, why, sizeof(why));
	if (e.code != ERR_OK)
		return fail(why);
	e = audit_keys(cli);
	if (e.code != ERR_OK)
		return fail_err(cli, e);
	(void)printf("new signing key published; it signs %s. A running server notices by itself.\n",
		     at_once ? "at once" : "in one hour");
	return EXIT_DONE;
}
