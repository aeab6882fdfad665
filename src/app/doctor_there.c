/* doctor_there.c — what `sallyport doctor` finds by asking others: the mail server, the SMS gateway, identity providers,
 * and itself at the address that clients use. Nothing is sent to anybody, nothing is changed. */
#include <string.h>

#include "api/doctor.h"
#include "app/cli_oauth.h"
#include "app/doctor.h"
#include "domain/site.h"
#include "egress/client.h"
#include "egress/mailer.h"

#define PATIENCE_MS (10 * MS_PER_S)
/* Of a network for examples (RFC 5737): no client has it, so who believes it believes anybody. */
#define CLAIMED STR("203.0.113.77")

static void ask(struct doctor *d, struct client_request *r, struct client_reply *ret)
{
	*ret = (struct client_reply){ 0 };
	r->timeout_ms = PATIENCE_MS;
	if (client_send(d->http, r, &d->cli->mem, ret).code != ERR_OK)
		*ret = (struct client_reply){ .problem = STR("it could not be asked") };
}

/* ---- mail and SMS ---- */

/* An answer of any kind: what is asked for is the least that HTTP has, and does nothing. */
static void reach(struct doctor *d, str url, str ca, const char *what)
{
	struct client_request r = { .method = "OPTIONS", .url = url, .tls_ca = ca };
	struct client_reply reply;

	ask(d, &r, &reply);
	if (reply.status == 0)
		doctor_say(d, FOUND_FAIL, "compare its address in the settings with what it is, and look at the firewall",
			   "%s does not answer: %.*s", what, STR_ARG(reply.problem));
	else
		doctor_say(d, FOUND_OK, NULL, "%s answers; whether it takes a message, only sending one shows", what);
}

static void look_at_smtp(struct doctor *d)
{
	struct delivery found = { 0 };
	struct mailer *m = NULL;

	if (mailer_new(&m).code != ERR_OK)
		return;
	mailer_look(m, d->cfg, &d->cli->mem, &found);
	mailer_free(m);
	if (found.verdict == DELIVERY_SENT)
		doctor_say(d, FOUND_OK, NULL, "the mail server lets us in; `sallyport mail test ADDRESS` sends one");
	else
		doctor_say(d, FOUND_FAIL, "compare mail.smtp_url, mail.smtp_user and mail.smtp_password with what the provider says",
			   "%s", found.detail);
}

void doctor_mail(struct doctor *d)
{
	if (d->cfg->mail.transport == MAIL_SMTP)
		look_at_smtp(d);
	else if (d->cfg->mail.transport == MAIL_HTTP)
		reach(d, d->cfg->mail.http_url, d->cfg->mail.tls_ca, "the mail service");
}

void doctor_sms(struct doctor *d)
{
	if (d->cfg->sms.transport == SMS_NONE)
		doctor_say(d, FOUND_OK, NULL, "no text messages are sent");
	else if (d->cfg->sms.transport == SMS_TWILIO && d->cfg->sms.url.n == 0)
		reach(d, STR("https://api.twilio.com/"), STR(""), "the SMS gateway");
	else if (d->cfg->sms.transport != SMS_LOG)
		reach(d, d->cfg->sms.url, STR(""), "the SMS gateway");
}

/* ---- identity providers ---- */

static void take_finding(void *self, bool good, const char *what, str detail)
{
	struct doctor *d = self;

	doctor_say(d, good ? FOUND_OK : FOUND_FAIL, good ? NULL : "`sallyport oauth test NAME` says more", "%s%s%.*s", what,
		   detail.n > 0 ? ": " : "", STR_ARG(detail));
}

void doctor_providers(struct doctor *d)
{
	for (size_t i = 0; i < d->cfg->oauth.n; i++) {
		const struct oauth_settings *p = &d->cfg->oauth.provider[i];

		if (oauth_look(d->cli, p, take_finding, d).code != ERR_OK)
			doctor_say(d, FOUND_FAIL, "`sallyport oauth test NAME` says more", "%.*s could not be asked", STR_ARG(p->name));
	}
	if (d->said == 0)
		doctor_say(d, FOUND_OK, NULL, "there are none");
}

/* ---- the way clients come ---- */

/* The value of a member, of our own compact JSON without escapes. */
static str member(str body, str begins)
{
	const char *at = body.p == NULL ? NULL : memmem(body.p, body.n, begins.p, begins.n);
	str rest, value, tail;

	if (at == NULL)
		return STR_NONE;
	rest = str_skip(body, (size_t)(at - body.p) + begins.n);
	return str_cut(rest, '"', &value, &tail) ? value : STR_NONE;
}

/* The port is often left out, and does no harm. */
static bool is_same_name(str a, str b)
{
	str name, other, port;

	(void)str_cut(a, ':', &name, &port);
	(void)str_cut(b, ':', &other, &port);
	return str_eq_nocase(name, other);
}

static void judge(struct doctor *d, str seen)
{
	bool proxied = str_has(seen, STR("\"proxied\":true")), forwarded = str_has(seen, STR("\"forwarded\":true"));
	str ip = member(seen, STR("\"ip\":\"")), host = member(seen, STR("\"host\":\""));

	if (str_starts(d->cfg->server.public_url, STR("https://")) && !str_has(seen, STR("\"https\":true")))
		doctor_say(d, FOUND_FAIL, "let the proxy set X-Forwarded-Proto, and name it in server.trusted_proxies",
			   "the server does not learn that clients come by https");
	/* What we claim arrives when nothing stands in between, too; then it is not believed. */
	if (!proxied && forwarded && !str_eq(member(seen, STR("\"claims\":\"")), CLAIMED))
		doctor_say(d, FOUND_FAIL, "name that address in server.trusted_proxies",
			   "a proxy at %.*s says who its clients are, and is not believed: they are all one", STR_ARG(ip));
	if (proxied && !forwarded)
		doctor_say(d, FOUND_FAIL, "let it set X-Forwarded-For (contrib/)", "the proxy does not say who its clients are");
	if (proxied && str_eq(ip, CLAIMED))
		doctor_say(d, FOUND_FAIL, "let the outermost proxy set X-Forwarded-For, not hand on what clients send",
			   "the proxy lets clients choose their address");
	if (host.n > 0 && !is_same_name(host, site_host(d->cfg->server.public_url)))
		doctor_say(d, FOUND_WARN, "let the proxy hand on Host", "the server is asked for as %.*s, not by its name", STR_ARG(host));
	if (d->said == 0)
		doctor_say(d, FOUND_OK, NULL, "%s", proxied ? "it is there, behind a proxy that says who its clients are" :
							      "it is there, without a proxy that is believed");
}

static void look_at_metrics(struct doctor *d)
{
	struct client_request r = { .method = "GET" };
	struct client_reply reply;

	if (arena_printf(&d->cli->mem, &r.url, "%.*s/metrics", STR_ARG(d->cfg->server.public_url)).code != ERR_OK)
		return;
	ask(d, &r, &reply);
	if (str_has(reply.body, STR("sallyport_")))
		doctor_say(d, FOUND_WARN, "keep /metrics from the proxy, or give it an address of its own (server.ops_listen)",
			   "everybody can read the metrics");
}

void doctor_proxy(struct doctor *d)
{
	struct client_request r = { .method = "GET", .n_headers = 2 };
	struct client_reply reply;
	str word;

	if (d->cli->keys == NULL) {
		doctor_say(d, FOUND_WARN, "see above", "not looked at without keys");
		return;
	}
	if (doctor_word(d->cli->keys, d->cli->c.now_ms, &d->cli->mem, &word).code != ERR_OK ||
	    arena_printf(&d->cli->mem, &r.url, "%.*s%.*s/doctor", STR_ARG(d->cfg->server.public_url),
			 STR_ARG(d->cfg->server.api_prefix))
			    .code != ERR_OK)
		return;
	r.headers[0].name = STR("X-Sallyport-Doctor");
	r.headers[0].value = word;
	r.headers[1].name = STR("X-Forwarded-For");
	r.headers[1].value = CLAIMED;
	ask(d, &r, &reply);
	if (reply.status == 0)
		doctor_say(d, FOUND_FAIL, "is the server running, and does the name lead to it?", "%.*s does not answer: %.*s",
			   STR_ARG(d->cfg->server.public_url), STR_ARG(reply.problem));
	else if (reply.status != 200 || !str_has(reply.body, STR("\"proxied\":")))
		doctor_say(d, FOUND_FAIL, "let the proxy pass on all below server.api_prefix, and server.hosts have that name",
			   "what answers at %.*s is not this server (status %d)", STR_ARG(d->cfg->server.public_url), reply.status);
	else {
		judge(d, reply.body);
		look_at_metrics(d);
	}
}

/* ---- applications ---- */

static void look_at_application(struct doctor *d, str host)
{
	struct client_request r = { .method = "GET" };
	struct client_reply reply;
	bool https = str_starts(d->cfg->server.public_url, STR("https://"));

	if (arena_printf(&d->cli->mem, &r.url, "http%s://%.*s%.*s/forward/done", https ? "s" : "", STR_ARG(host),
			 STR_ARG(d->cfg->server.api_prefix))
		    .code != ERR_OK)
		return;
	ask(d, &r, &reply);
	if (str_has(reply.body, STR("\"COOKIE_MISSING\"")))
		doctor_say(d, FOUND_OK, NULL, "sessions can arrive at %.*s", STR_ARG(host));
	else
		doctor_say(d, FOUND_FAIL, "let its proxy hand {api_prefix}/forward/done to this server, with X-Forwarded-Host (contrib/)",
			   "sessions cannot arrive at %.*s (status %d)", STR_ARG(host), reply.status);
}

void doctor_applications(struct doctor *d)
{
	for (size_t i = 0; i < d->cfg->forward.hosts.n; i++)
		look_at_application(d, d->cfg->forward.hosts.items[i]);
	if (d->said == 0)
		doctor_say(d, FOUND_OK, NULL, "none is protected through forward.hosts");
}
