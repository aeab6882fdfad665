#include "app/cli_keys.h"

#include "domain/audit.h"
#include "store/query.h"

struct shown_key {
	const struct keyring_entry *k;
	const char *state;
};

static const char *state_of(const struct cli *cli, const struct keyring_entry *k)
{
	int64_t now_ms = cli->c.now_ms;

	if (k->retire_ms <= now_ms)
		return "retired";
	if (k->active_from_ms > now_ms)
		return "published";
	return k->key == keyring_signer(cli->keys, now_ms) ? "signing" : "verifying";
}

static void put_key(struct json_out *o, const void *of)
{
	const struct shown_key *s = of;

	out_str(o, STR("kid"), jws_key_kid(s->k->key));
	out_str(o, STR("state"), str_of_cstr(s->state));
	json_time(o, STR("activeFrom"), s->k->active_from_ms);
	json_time(o, STR("retiresAt"), s->k->retire_ms == INT64_MAX ? 0 : s->k->retire_ms);
	out_str(o, STR("file"), s->k->file);
}

static void print_key(const struct shown_key *s)
{
	(void)printf("%.*s  %s  from ", STR_ARG(jws_key_kid(s->k->key)), s->state);
	print_time(s->k->active_from_ms);
	(void)printf("  %.*s\n", STR_ARG(s->k->file));
}

enum exit_code keys_list_cmd(struct cli *cli, const struct args *a)
{
	err_t e = OK;

	(void)a;
	for (size_t i = 0; e.code == ERR_OK && i < cli->keys->n; i++) {
		struct shown_key s = { .k = &cli->keys->entry[i] };

		s.state = state_of(cli, s.k);
		if (cli->json)
			e = print_object(put_key, &s);
		else
			print_key(&s);
	}
	return e.code == ERR_OK ? EXIT_DONE : fail_err(cli, e);
}

static void put_at_once(struct json_out *o, const void *of)
{
	out_bool(o, STR("atOnce"), *(const bool *)of);
}

static err_t audit_keys(struct cli *cli)
{
	TX tx = { 0 };

	TRY(tx_begin(&tx, cli->db));
	TRY(audit_add(&cli->c, AUDIT_KEYS_ROTATED, STR_NONE, STR_NONE, STR_NONE));
	return tx_commit(&tx);
}

enum exit_code keys_rotate_cmd(struct cli *cli, const struct args *a)
{
	bool at_once = args_has(a, OPT_NOW);
	const struct config *cfg = cli->cfg;
	char why[256] = "";
	err_t e;

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
	if (cli->json)
		return result(cli, NULL, put_at_once, &at_once);
	(void)printf("new signing key published; it signs %s. A running server notices by itself.\n",
		     at_once ? "at once" : "in one hour");
	return EXIT_DONE;
}
