#include "app/doctor.h"

#include <stdarg.h>

#include "app/config_look.h"
#include "base/log.h"
#include "egress/client.h"
#include "egress/mailer.h"

/* ---- what settings show ---- */

static void settings_public_url(struct doctor *d)
{
	if (config_is_given(d->cfg, "server.public_url"))
		doctor_say(d, FOUND_OK, NULL, "clients reach it at %.*s", STR_ARG(d->cfg->server.public_url));
	else
		doctor_say(d, FOUND_WARN, "set server.public_url to the address that clients use",
			   "server.public_url is not given: links in mails, the issuer of tokens and cookies follow the "
			   "listener, %.*s",
			   STR_ARG(d->cfg->server.public_url));
}

static void settings_mail(struct doctor *d)
{
	if (d->cfg->mail.transport == MAIL_NONE)
		doctor_say(d, FOUND_WARN, "set mail.transport, mail.smtp_url and mail.from",
			   "mail.transport is none: nobody can be sent a link to get back in or to prove an address");
	else if (d->cfg->mail.transport == MAIL_LOG || d->cfg->mail.transport == MAIL_FILE)
		doctor_say(d, FOUND_WARN, "set mail.transport to smtp or http", "mails are written down, not sent");
}

static void settings_sms(struct doctor *d)
{
	if (d->cfg->sms.transport == SMS_LOG)
		doctor_say(d, FOUND_WARN, "set sms.transport to a gateway", "text messages are written down, not sent");
}

static void settings_address(struct doctor *d)
{
	if (!config_is_given(d->cfg, "server.trusted_proxies") && str_starts(d->cfg->server.public_url, STR("https://")) &&
	    d->cfg->server.tls_cert.n == 0)
		doctor_say(d, FOUND_WARN, "name the proxy's address in server.trusted_proxies",
			   "clients come by https and this server does not speak it, so there is a proxy, and none is in "
			   "server.trusted_proxies: all clients are one to limits and logs");
}

static void settings_applications(struct doctor *d)
{
	if (d->cfg->forward.hosts.n > 0 && d->cfg->server.trusted_proxies.n == 0)
		doctor_say(d, FOUND_WARN, "name the proxy's address in server.trusted_proxies",
			   "forward.hosts is given, and no proxy is believed that asks about them: browsers get 401");
}

/* ---- the table ---- */

static const struct doctor_check checks[] = {
	{ "public_url", settings_public_url, NULL },
	{ "files", NULL, doctor_files },
	{ "disk", NULL, doctor_disk },
	{ "store", NULL, doctor_store },
	{ "clock", NULL, doctor_clock },
	{ "keys", NULL, doctor_keys },
	{ "outbox", NULL, doctor_outbox },
	{ "mail", settings_mail, doctor_mail },
	{ "sms", settings_sms, doctor_sms },
	{ "providers", NULL, doctor_providers },
	{ "proxy", settings_address, doctor_proxy },
	{ "applications", settings_applications, doctor_applications },
};

/* ---- telling ---- */

struct finding_line {
	const char *check, *level, *to_do;
	str what;
};

static const char *level_name(enum found level)
{
	switch (level) {
	case FOUND_OK: return "ok";
	case FOUND_WARN: return "warn";
	case FOUND_FAIL: return "fail";
	}
	return "fail";
}

static void put_finding(struct json_out *o, const void *of)
{
	const struct finding_line *f = of;

	out_str(o, STR("check"), str_of_cstr(f->check));
	out_str(o, STR("level"), str_of_cstr(f->level));
	out_str(o, STR("what"), f->what);
	json_text(o, STR("toDo"), str_of_cstr(f->to_do));
}

static void print_finding(const struct finding_line *f)
{
	(void)printf("%-4s  %-12s  ", f->level, f->check);
	print_clean_text(f->what);
	(void)printf("\n");
	if (f->to_do != NULL)
		(void)printf("%20s%s\n", "-> ", f->to_do);
	(void)fflush(stdout); /* what comes next may take a while */
}

void doctor_say(struct doctor *d, enum found level, const char *to_do, const char *what, ...)
{
	char text[512];
	struct finding_line f = { d->check, level_name(level), to_do, STR_NONE };
	va_list args;

	va_start(args, what);
	(void)vsnprintf(text, sizeof(text), what, args);
	va_end(args);
	f.what = str_of_cstr(text);
	d->said++;
	if (level > d->worst)
		d->worst = level;
	if (d->cli != NULL && d->cli->json)
		(void)result(d->cli, NULL, put_finding, &f);
	else if (d->cli != NULL)
		print_finding(&f);
	else if (level != FOUND_OK)
		log_event(LOG_WARN, "setup", LOG_CSTR("check", f.check), LOG_STR("what", f.what),
			  LOG_CSTR("to_do", to_do == NULL ? "" : to_do));
}

/* ---- running ---- */

static void run_all(struct doctor *d)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		d->check = checks[i].name;
		d->said = 0;
		if (checks[i].settings != NULL)
			checks[i].settings(d);
		if (d->cli != NULL && checks[i].attempt != NULL)
			checks[i].attempt(d);
	}
}

void doctor_at_start(const struct config *cfg)
{
	struct doctor d = { .cfg = cfg, .worst = FOUND_OK };

	if (!cfg->dev)
		run_all(&d);
}

static void say_lines(struct doctor *d, enum found level, const char *to_do, const struct config_lines *lines)
{
	str rest = { lines->text, lines->used }, line;

	while (str_cut(rest, '\n', &line, &rest))
		doctor_say(d, level, to_do, "%.*s", STR_ARG(line));
}

/* False: the settings are no good, and so nothing else can be looked at. */
static bool settings_load(struct doctor *d)
{
	struct config_report report = { 0 };
	struct config_source source;
	bool good;

	cli_source(d->cli->args, &source);
	good = config_load(&source, &d->cli->cfg, &report).code == ERR_OK;
	d->check = "settings";
	say_lines(d, FOUND_FAIL, "see `sallyport print-config --help-settings`", &report.problems);
	say_lines(d, FOUND_WARN, NULL, &report.warnings);
	if (good && d->said == 0)
		doctor_say(d, FOUND_OK, NULL, "the settings are valid");
	config_report_clear(&report);
	d->cfg = d->cli->cfg;
	return good;
}

enum exit_code doctor_cmd(struct cli *cli, const struct args *a)
{
	struct doctor d = { .cli = cli, .worst = FOUND_OK };

	(void)a;
	if (!settings_load(&d))
		return EXIT_BAD_CONFIG;
	if (cli_begin(cli).code != ERR_OK || egress_init().code != ERR_OK || client_new(&d.http).code != ERR_OK)
		return EXIT_FAULT;
	run_all(&d);
	client_free(d.http);
	return d.worst == FOUND_OK ? EXIT_DONE : d.worst == FOUND_WARN ? EXIT_WARNED : EXIT_REFUSED;
}
