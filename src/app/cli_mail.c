#include "app/cli_mail.h"

#include "domain/email.h"
#include "egress/mailer.h"

#define ID_BYTES 16

/* The local part as typed, the domain in A-labels: what SMTP can carry. */
static err_t recipient_of(struct cli *cli, const char *typed_address, str *ret)
{
	str typed, key, local, domain, rest;

	TRY(email_canonical(&cli->mem, str_of_cstr(typed_address), &typed, &key));
	(void)str_cut(typed, '@', &local, &rest);
	(void)str_cut(key, '@', &rest, &domain);
	return arena_printf(&cli->mem, ret, "%.*s@%.*s", STR_ARG(local), STR_ARG(domain));
}

static err_t fresh_message_id(struct cli *cli, str *ret)
{
	unsigned char random[ID_BYTES];
	str local, domain;
	char *hex;

	TRY(rng_fill(cli->c.rng, random, sizeof(random)));
	NEW(hex, &cli->mem, char, 2 * sizeof(random) + 1);
	for (size_t i = 0; i < sizeof(random); i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", random[i]);
	if (!str_cut(cli->cfg->mail.from, '@', &local, &domain))
		domain = STR("localhost");
	return arena_printf(&cli->mem, ret, "%s@%.*s", hex, STR_ARG(domain));
}

static err_t test_mail(struct cli *cli, const char *address, struct mail *ret)
{
	str site = cli->cfg->ui.site_name;

	ret->date_ms = cli->c.now_ms;
	TRY(recipient_of(cli, address, &ret->to));
	TRY(fresh_message_id(cli, &ret->message_id));
	TRY(arena_printf(&cli->mem, &ret->subject, "Test mail from %.*s", STR_ARG(site)));
	return arena_printf(
		&cli->mem, &ret->text,
		"This is a test mail from %.*s.\n\nIt was asked for on the command line of the "
		"server. Nothing needs to be done.\n",
		STR_ARG(site));
}

static err_t send_directly(struct cli *cli, const struct mail *mail, struct delivery *ret)
{
	struct mailer *m = NULL;

	TRY(egress_init());
	TRY(mailer_new(&m));
	mailer_send(m, cli->cfg, mail, &cli->mem, ret);
	mailer_free(m);
	return OK;
}

static void put_delivery(struct json_out *o, const void *of)
{
	const struct delivery *d = of;

	out_bool(o, STR("sent"), d->verdict == DELIVERY_SENT);
	out_str(o, STR("detail"), str_of_cstr(d->detail));
}

enum exit_code mail_test_cmd(struct cli *cli, const struct args *a)
{
	struct delivery d = { 0 };
	struct mail mail = { 0 };
	err_t e;

	e = test_mail(cli, a->word[0], &mail);
	if (e.code == ERR_INPUT)
		return fail("that is no mail address");
	if (e.code == ERR_OK)
		e = send_directly(cli, &mail, &d);
	if (e.code != ERR_OK)
		return fail_err(cli, e);
	if (cli->json)
		(void)result(cli, NULL, put_delivery, &d);
	else
		(void)printf("%s: %s\n", d.verdict == DELIVERY_SENT ? "sent" : "not sent", d.detail);
	return d.verdict == DELIVERY_SENT ? EXIT_DONE : EXIT_REFUSED;
}
