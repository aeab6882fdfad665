/* config_check.c — what follows from several settings: values that others complete, values that contradict each
 * other, and what is allowed and yet worth a word. */
#include "app/config_grammar.h"
#include "app/config_internal.h"
#include "base/clock.h"
#include "oauth/provider.h"
#include "oauth/redirect.h"

#define ACCESS_TTL_WARN_MS (15 * MS_PER_MIN)

static bool good(const struct loading *l, const char *key)
{
	return !l->bad[setting_index(l, setting_get(key))];
}

/* ---- values that others complete ---- */

/* {data_dir} in store.url, which the check lets stand once; no slash at the end of the directory. */
static err_t finish_store(struct loading *l, struct config *cfg)
{
	str head, tail;

	while (cfg->server.data_dir.n > 1 && str_ends(cfg->server.data_dir, STR("/")))
		cfg->server.data_dir.n--;
	if (!good(l, "store.url") || !str_cut(cfg->store.url, '{', &head, &tail))
		return OK;
	TRY(arena_printf(&l->out->mem, &cfg->store.url, "%.*s%.*s%.*s", STR_ARG(head),
			 STR_ARG(cfg->server.data_dir), STR_ARG(str_skip(tail, STR("data_dir}").n))));
	if (cfg->store.url.n > SETTING_TEXT_MAX)
		problem_at(l, setting_get("store.url"), "is longer than %zu bytes with server.data_dir in it",
			   SETTING_TEXT_MAX);
	return OK;
}

static err_t finish_public_url(struct loading *l, struct config *cfg)
{
	if (cfg->server.public_url.n > 0 || !good(l, "server.public_url") || !good(l, "server.listen"))
		return OK;
	if (!listen_is_tcp(cfg->server.listen)) {
		problem_at(l, setting_get("server.public_url"),
			   "must be given, because server.listen (%.*s) has no name that clients could use",
			   STR_ARG(cfg->server.listen));
		return OK;
	}
	l->out->origin[setting_index(l, setting_get("server.public_url"))].from = ORIGIN_DEFAULT; /* "" is none */
	return arena_printf(&l->out->mem, &cfg->server.public_url, "http%s://%.*s",
			    cfg->server.tls_cert.n > 0 ? "s" : "", STR_ARG(cfg->server.listen));
}

/* A lone address becomes the network of that one address, so that readers know one form. */
static err_t finish_proxies(struct loading *l, struct config *cfg)
{
	struct str_list *list = &cfg->server.trusted_proxies;
	str *items;

	NEW(items, &l->out->mem, str, list->n);
	for (size_t i = 0; i < list->n; i++) {
		items[i] = list->items[i];
		if (!str_eq(items[i], STR("unix")) && !str_has_byte(items[i], '/'))
			TRY(arena_printf(&l->out->mem, &items[i], "%.*s/%s", STR_ARG(list->items[i]),
					 str_has_byte(items[i], ':') ? "128" : "32"));
	}
	list->items = items;
	return OK;
}

static err_t finish_site(struct loading *l, struct config *cfg)
{
	str *items;

	if (cfg->site.urls.n > 0 || cfg->server.public_url.n == 0)
		return OK;
	NEW(items, &l->out->mem, str, 1);
	items[0] = cfg->server.public_url;
	cfg->site.urls = (struct str_list){ items, 1 };
	return OK;
}

static err_t finish_lang_dir(struct loading *l, struct config *cfg)
{
	return cfg->ui.lang_dir.n > 0 ? OK : arena_printf(&l->out->mem, &cfg->ui.lang_dir, "%.*s/lang",
							  STR_ARG(cfg->server.data_dir));
}

static err_t finish_mail_dir(struct loading *l, struct config *cfg)
{
	if (cfg->mail.dir.n == 0)
		TRY(arena_printf(&l->out->mem, &cfg->mail.dir, "%.*s/mail",
				 STR_ARG(cfg->server.data_dir)));
	if (cfg->mail.dir.n > SETTING_TEXT_MAX)
		problem_at(l, setting_get("mail.dir"), "is longer than %zu bytes with server.data_dir in it",
			   SETTING_TEXT_MAX);
	return OK;
}

/* ---- listeners and orders ---- */

/* A file that cannot be looked at is told of when it is read. */
static err_t check_tls_key(struct loading *l, const struct config *cfg)
{
	struct stat st;
	char *file;

	TRY(str_to_cstr(&l->out->mem, cfg->server.tls_key, &file));
	if (cfg->server.tls_key.n > 0 && stat(file, &st) == 0 && !config_mode_is_private(&st))
		problem_not_private(l, setting_get("server.tls_key"), file, &st);
	return OK;
}

static void check_tls(struct loading *l, const struct config *cfg)
{
	if ((cfg->server.tls_cert.n == 0) == (cfg->server.tls_key.n == 0))
		return;
	if (cfg->server.tls_cert.n == 0)
		problem_at(l, setting_get("server.tls_cert"), "must be given, because server.tls_key is");
	else
		problem_at(l, setting_get("server.tls_key"), "must be given, because server.tls_cert is");
}

static bool is_open(const struct loading *l, const char *key, str address)
{
	return good(l, key) && listen_reach(address) == REACH_ANY;
}

/* Can other machines connect? */
static bool is_exposed(const struct loading *l, const struct config *cfg)
{
	return is_open(l, "server.listen", cfg->server.listen) ||
	       is_open(l, "server.ops_listen", cfg->server.ops_listen);
}

static void check_listeners(struct loading *l, const struct config *cfg)
{
	const struct setting *listen = setting_get("server.listen");
	const struct setting *ops = setting_get("server.ops_listen");
	bool listen_open = is_open(l, "server.listen", cfg->server.listen);
	bool ops_open = is_open(l, "server.ops_listen", cfg->server.ops_listen);

	if (cfg->dev && listen_open)
		problem_at(l, listen, "%.*s is not on this machine only, as --dev demands: use 127.0.0.1, "
				      "[::1], localhost or unix:/path",
			   STR_ARG(cfg->server.listen));
	if (cfg->dev && ops_open)
		problem_at(l, ops, "%.*s is not on this machine only, as --dev demands: use same, none, "
				   "127.0.0.1, [::1], localhost or unix:/path",
			   STR_ARG(cfg->server.ops_listen));
	if (good(l, "limits.enabled") && !cfg->limits.enabled && (listen_open || ops_open))
		problem_at(l, setting_get("limits.enabled"),
			   "false is allowed only when every listener is on loopback or a Unix socket "
			   "(%s is %.*s)",
			   listen_open ? listen->key : ops->key,
			   STR_ARG(listen_open ? cfg->server.listen : cfg->server.ops_listen));
	if (good(l, "server.listen") && str_eq(cfg->server.listen, cfg->server.ops_listen))
		problem_at(l, ops, "is the address of server.listen; write same for one listener");
}

/* `low` must not be above `high`. */
static void check_order(struct loading *l, const char *low_key, int64_t low, const char *high_key,
			int64_t high)
{
	if (good(l, low_key) && good(l, high_key) && low > high)
		problem_at(l, setting_get(high_key), "must not be less than %s", low_key);
}

static void check_orders(struct loading *l, const struct config *cfg)
{
	check_order(l, "token.refresh_ttl", cfg->token.refresh_ttl_ms, "token.refresh_max_ttl",
		    cfg->token.refresh_max_ttl_ms);
	check_order(l, "password.argon2_memory", cfg->password.argon2_memory, "password.memory_budget",
		    cfg->password.memory_budget);
	check_order(l, "limits.account_free", cfg->limits.account_free, "limits.account_max",
		    cfg->limits.account_max);
}

/* ---- web clients ---- */

static bool is_default(const struct loading *l, const char *key)
{
	return l->out->origin[setting_index(l, setting_get(key))].from == ORIGIN_DEFAULT;
}

/* One setting for both kinds of sessions, unless browsers have their own. */
static void finish_web_lives(struct loading *l, struct config *cfg)
{
	if (is_default(l, "token.web_refresh_ttl") && !is_default(l, "token.refresh_ttl"))
		cfg->token.web_refresh_ttl_ms = cfg->token.refresh_ttl_ms;
	if (is_default(l, "token.web_refresh_max_ttl") &&
	    (!is_default(l, "token.refresh_max_ttl") ||
	     cfg->token.web_refresh_max_ttl_ms < cfg->token.web_refresh_ttl_ms))
		cfg->token.web_refresh_max_ttl_ms = cfg->token.refresh_max_ttl_ms;
	if (!is_default(l, "token.web_refresh_ttl") || !is_default(l, "token.web_refresh_max_ttl"))
		check_order(l, "token.web_refresh_ttl", cfg->token.web_refresh_ttl_ms,
			    "token.web_refresh_max_ttl", cfg->token.web_refresh_max_ttl_ms);
}

static bool is_host_of(str host, str domain)
{
	return str_eq(host, domain) ||
	       (host.n > domain.n && str_ends(host, domain) && host.p[host.n - domain.n - 1] == '.');
}

static void check_cookies(struct loading *l, const struct config *cfg)
{
	const struct setting *secure = setting_get("cookie.secure");
	str url = cfg->server.public_url, domain = cfg->cookie.domain;

	if (good(l, secure->key) && !cfg->cookie.secure && is_exposed(l, cfg))
		problem_at(l, secure, "false is allowed only when every listener is on loopback or a Unix socket");
	if (good(l, "cookie.same_site") && cfg->cookie.same_site == SAME_SITE_NONE && !cfg->cookie.secure)
		problem_at(l, setting_get("cookie.same_site"),
			   "none needs cookie.secure: browsers ignore such cookies otherwise");
	if (domain.n > 0 && url.n > 0 && good(l, "server.public_url") && !is_host_of(url_host(url), domain))
		problem_at(l, setting_get("cookie.domain"),
			   "browsers take it only from hosts of that domain, and server.public_url is %.*s",
			   STR_ARG(url));
}

/* ---- mail and SMS ---- */

static void need(struct loading *l, const char *key, bool given, const char *because)
{
	if (!given && good(l, key))
		problem_at(l, setting_get(key), "must be given, because %s", because);
}

/* No password goes where everybody on the way can read it, and no mail either unless told so. */
static void check_smtp_tls(struct loading *l, const struct config *cfg)
{
	const struct setting *tls = setting_get("mail.smtp_tls");

	if (cfg->mail.smtp_url.n == 0 || !good(l, "mail.smtp_url") || !good(l, "mail.smtp_tls"))
		return;
	if (cfg->mail.smtp_tls == MAIL_TLS_OFF &&
	    str_eq(url_scheme(cfg->mail.smtp_url), STR("smtps")))
		problem_at(l, tls, "off contradicts smtps:// in mail.smtp_url");
	if (cfg->mail.smtp_tls == MAIL_TLS_REQUIRED || host_is_loopback(url_host(cfg->mail.smtp_url)))
		return;
	if (cfg->mail.smtp_tls == MAIL_TLS_OFF)
		problem_at(l, tls, "off is allowed only when the server of mail.smtp_url is on loopback");
	else if (cfg->mail.smtp_user.n > 0 || cfg->mail.smtp_password.n > 0)
		problem_at(l, tls, "opportunistic could show the password of mail.smtp_user to others; with a "
				   "password it must be required");
}

static void check_smtp(struct loading *l, const struct config *cfg)
{
	bool user = cfg->mail.smtp_user.n > 0, password = cfg->mail.smtp_password.n > 0;

	if (cfg->mail.transport == MAIL_SMTP)
		need(l, "mail.smtp_url", cfg->mail.smtp_url.n > 0, "mail.transport is smtp");
	if (user && good(l, "mail.smtp_user"))
		need(l, "mail.smtp_password", password, "mail.smtp_user is");
	if (password && good(l, "mail.smtp_password"))
		need(l, "mail.smtp_user", user, "mail.smtp_password is");
	check_smtp_tls(l, cfg);
}

/* Before server.public_url is made up from the listener. */
static void check_mail(struct loading *l, const struct config *cfg)
{
	const struct setting *transport = setting_get("mail.transport");
	bool out = cfg->mail.transport == MAIL_SMTP || cfg->mail.transport == MAIL_HTTP;

	check_smtp(l, cfg);
	if (cfg->mail.transport == MAIL_HTTP)
		need(l, "mail.http_url", cfg->mail.http_url.n > 0, "mail.transport is http");
	if (out || cfg->mail.transport == MAIL_FILE)
		need(l, "mail.from", cfg->mail.from.n > 0, "mails need a sender");
	if (out && !cfg->dev && cfg->site.urls.n == 0 && cfg->server.public_url.n == 0)
		problem_at(l, transport, "links in mails need site.urls or server.public_url");
	if (cfg->mail.transport == MAIL_LOG && !cfg->dev && is_exposed(l, cfg))
		problem_at(l, transport, "log shows links that sign in; it is allowed only when every "
					 "listener is on loopback or a Unix socket");
	if (cfg->mail.transport == MAIL_NONE && (cfg->verification.mode == VERIFICATION_LAZY ||
						 cfg->verification.mode == VERIFICATION_STRICT))
		problem_at(l, setting_get("verification.mode"),
			   "addresses can be proven by mail only; set mail.transport");
}

static void check_twilio(struct loading *l, const struct config *cfg)
{
	static const char because[] = "sms.transport is twilio";

	need(l, "sms.user", cfg->sms.user.n > 0, because);
	need(l, "sms.password", cfg->sms.password.n > 0, because);
	need(l, "sms.from", cfg->sms.from.n > 0, because);
}

static void check_sms(struct loading *l, const struct config *cfg)
{
	bool gateway = cfg->sms.transport == SMS_HTTP_GET || cfg->sms.transport == SMS_HTTP_POST;

	if (gateway)
		need(l, "sms.url", cfg->sms.url.n > 0, "sms.transport is a gateway");
	if (cfg->sms.transport == SMS_TWILIO)
		check_twilio(l, cfg);
	if ((gateway || cfg->sms.transport == SMS_TWILIO) && cfg->sms.countries.n == 0)
		problem_at(l, setting_get("sms.countries"),
			   "list the countries you text, like +39, +41: messages to all others cost money "
			   "and are refused");
	if (cfg->sms.transport == SMS_LOG && !cfg->dev && is_exposed(l, cfg))
		problem_at(l, setting_get("sms.transport"),
			   "log shows codes that sign in; it is allowed only when every listener is on "
			   "loopback or a Unix socket");
}

/* ---- identity providers ---- */

static void check_app_targets(struct loading *l, const char *key, const struct str_list *uris)
{
	for (size_t i = 0; i < uris->n; i++) {
		if (redirect_is_short(uris->items[i]))
			WARNING(l, "%s: %.*s can be claimed by any app: use a scheme with a dot, like "
				   "com.example.app",
				key, STR_ARG(uris->items[i]));
	}
}

static bool is_plain_http(str url)
{
	return str_starts(url, STR("http://"));
}

static void check_apple(struct loading *l, const struct oauth_settings *p)
{
	if (p->team_id.n == 0 || p->key_id.n == 0 || p->private_key.n == 0)
		PROBLEM(l, "oauth.%.*s: Apple needs team_id, key_id and private_key", STR_ARG(p->name));
}

static void check_provider_urls(struct loading *l, const struct config *cfg, const struct oauth_settings *p)
{
	const str urls[] = { p->issuer, p->authorize_url, p->token_url, p->userinfo_url, p->jwks_url, p->revoke_url, p->emails_url };

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		if (is_plain_http(urls[i]) && !cfg->oauth.allow_private)
			PROBLEM(l, "oauth.%.*s: %.*s is not https, which takes oauth.allow_private", STR_ARG(p->name),
				STR_ARG(urls[i]));
	}
}

static void check_provider(struct loading *l, const struct config *cfg, const struct oauth_settings *p)
{
	const struct preset *preset = preset_of(p);
	bool apple = preset != NULL && preset->base.auth == CLIENT_AUTH_APPLE;

	if (preset == NULL && p->issuer.n == 0 &&
	    (p->authorize_url.n == 0 || p->token_url.n == 0 || p->userinfo_url.n == 0))
		PROBLEM(l, "oauth.%.*s: needs preset, or issuer, or authorize_url, token_url and userinfo_url",
			STR_ARG(p->name));
	if (p->client_id.n == 0)
		PROBLEM(l, "oauth.%.*s: client_id must be given", STR_ARG(p->name));
	if (apple)
		check_apple(l, p);
	if (preset != NULL && str_eq(str_of_cstr(preset->name), STR("microsoft")) && p->issuer.n == 0 && p->tenants.n == 0)
		PROBLEM(l, "oauth.%.*s: list the directories in tenants; private accounts are "
			   "9188040d-6c67-4c5b-b112-36a304b66dad",
			STR_ARG(p->name));
	check_provider_urls(l, cfg, p);
	check_app_targets(l, "oauth.NAME.redirect_uris", &p->redirect_uris);
}

static void check_oauth(struct loading *l, const struct config *cfg)
{
	if (good(l, "oauth.allow_private") && cfg->oauth.allow_private && is_exposed(l, cfg))
		problem_at(l, setting_get("oauth.allow_private"),
			   "true is allowed only when every listener is on loopback or a Unix socket");
	check_app_targets(l, "native.redirect_uris", &cfg->native.redirect_uris);
	for (size_t i = 0; i < cfg->oauth.n; i++)
		check_provider(l, cfg, &cfg->oauth.provider[i]);
	if (cfg->oauth.native_without_pkce)
		WARNING(l, "oauth.native_without_pkce: whoever else claims the scheme of an app can sign in as its "
			   "users");
}

/* ---- what is allowed and yet worth a word ---- */

static void warn_site(struct loading *l, const struct config *cfg, str url)
{
	str scheme = url_scheme(url);
	bool web = str_eq(scheme, STR("http")) || str_eq(scheme, STR("https"));

	/* server.public_url has its own warning */
	if (str_eq(scheme, STR("http")) && !host_is_loopback(url_host(url)) &&
	    !str_eq(url, cfg->server.public_url))
		WARNING(l, "site.urls: %.*s is not https: links in mails can be read and changed on the way",
			STR_ARG(url));
	if (!web && !str_has_byte(scheme, '.'))
		WARNING(l, "site.urls: %.*s can be claimed by any app: use a scheme with a dot, like "
			   "com.example.app",
			STR_ARG(url));
}

static void warn_delivery(struct loading *l, const struct config *cfg)
{
	for (size_t i = 0; i < cfg->site.urls.n && good(l, "site.urls"); i++)
		warn_site(l, cfg, cfg->site.urls.items[i]);
	if (cfg->mail.transport == MAIL_FILE && !cfg->dev)
		WARNING(l, "mail.transport: file sends nothing; whoever can read mail.dir can use the links "
			   "in the mails");
	if (cfg->sms.transport == SMS_HTTP_GET)
		WARNING(l, "sms.transport: http-get puts credentials and codes into URLs, which gateways and "
			   "proxies write to their logs; prefer http-post");
	if (cfg->sms.test_numbers.n > 0 && is_exposed(l, cfg))
		WARNING(l, "sms.test_numbers: anyone who knows the number can sign in to the account that "
			   "holds it");
}

static void warn(struct loading *l, const struct config *cfg)
{
	str url = cfg->server.public_url;

	if (good(l, "server.public_url") && str_starts(url, STR("http://")) &&
	    !host_is_loopback(url_host(url)))
		WARNING(l, "server.public_url: %.*s is not https: passwords and tokens travel unprotected "
			   "between clients and this server",
			STR_ARG(url));
	if (good(l, "token.access_ttl") && cfg->token.access_ttl_ms > ACCESS_TTL_WARN_MS)
		WARNING(l, "token.access_ttl: is more than 15m: other services accept a token of a session "
			   "that has ended for so long");
}

/* ---- all of it ---- */

err_t config_finish(struct loading *l)
{
	struct config *cfg = &l->out->cfg;

	check_tls(l, cfg);
	TRY(check_tls_key(l, cfg));
	check_listeners(l, cfg);
	finish_web_lives(l, cfg);
	check_orders(l, cfg);
	check_cookies(l, cfg);
	check_mail(l, cfg);
	check_sms(l, cfg);
	check_oauth(l, cfg);
	TRY(finish_store(l, cfg));
	TRY(finish_public_url(l, cfg));
	TRY(finish_site(l, cfg));
	TRY(finish_mail_dir(l, cfg));
	TRY(finish_lang_dir(l, cfg));
	TRY(finish_proxies(l, cfg));
	warn(l, cfg);
	warn_delivery(l, cfg);
	return OK;
}
