/* config.h — every setting of the server as one plain record, immutable while it is published.
 * Filled, checked and described by app/config*.c; read by everyone. Text lives in the config's own
 * arena. Durations in milliseconds, sizes in bytes. */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include "base/arena.h"
#include "base/secret.h"

enum session_check {
	SESSION_CHECK_UNSET = 0,
	SESSION_CHECK_ALLCALLS,
	SESSION_CHECK_REFRESH,
	SESSION_CHECK_NONE,
};

enum token_algorithm {
	ALG_UNSET = 0,
	ALG_ES256,
	ALG_RS256,
	ALG_EDDSA,
	ALG_HS256,
};

enum log_level {
	LOG_LEVEL_UNSET = 0,
	LOG_DEBUG,
	LOG_INFO,
	LOG_WARN,
	LOG_ERROR,
};

enum brake_mode {
	BRAKE_UNSET = 0,
	BRAKE_OFF,
	BRAKE_ALARM,     /* the log and /metrics tell */
	BRAKE_CHALLENGE, /* and unknown devices must do some work before they are let in */
};

enum verification_mode {
	VERIFICATION_UNSET = 0,
	VERIFICATION_NONE,   /* addresses are not asked to be proven */
	VERIFICATION_LAZY,   /* within verification.grace of signing up */
	VERIFICATION_STRICT, /* before the first sign-in; registration then tells no taken addresses */
};

enum mail_transport {
	MAIL_UNSET = 0,
	MAIL_NONE,
	MAIL_SMTP,
	MAIL_HTTP, /* JSON to an HTTP mailer */
	MAIL_LOG,  /* development: on standard output */
	MAIL_FILE, /* development: one .eml file per mail */
};

enum mail_tls {
	MAIL_TLS_UNSET = 0,
	MAIL_TLS_REQUIRED,
	MAIL_TLS_OPPORTUNISTIC,
	MAIL_TLS_OFF, /* loopback only */
};

enum sms_transport {
	SMS_UNSET = 0,
	SMS_NONE,
	SMS_HTTP_GET,  /* everything in the query, for gateways that know no other way */
	SMS_HTTP_POST, /* a form, credentials in headers */
	SMS_TWILIO,
	SMS_LOG,       /* development: on standard output */
};

enum same_site {
	SAME_SITE_UNSET = 0,
	SAME_SITE_LAX,
	SAME_SITE_STRICT,
	SAME_SITE_NONE,
};

/* What signing out asks a browser to drop (Clear-Site-Data). */
enum clear_site_data {
	CLEAR_UNSET = 0,
	CLEAR_NONE,
	CLEAR_STORAGE,
	CLEAR_ALL,
};

enum link_style {
	LINKS_UNSET = 0,
	LINKS_FULL,  /* site + api_prefix + path, for every site */
	LINKS_SHORT, /* custom schemes: site + path */
};

enum own_pages {
	OWN_PAGES_UNSET = 0,
	OWN_PAGES_AUTO, /* all but server.public_url */
	OWN_PAGES_TRUE,
	OWN_PAGES_FALSE,
};

enum oauth_trust {
	OAUTH_TRUST_UNSET = 0,
	OAUTH_TRUST_PRESET, /* as is known of the provider */
	OAUTH_TRUST_TRUE,
	OAUTH_TRUST_FALSE,
};

enum oauth_token_auth {
	OAUTH_AUTH_UNSET = 0,
	OAUTH_AUTH_PRESET,
	OAUTH_AUTH_BODY,
	OAUTH_AUTH_BASIC,
};

enum oauth_auto_link {
	OAUTH_LINK_UNSET = 0,
	OAUTH_LINK_NONE,     /* who has an account here says so himself */
	OAUTH_LINK_VERIFIED, /* an address that both sides have proven is enough */
};

struct str_list {
	const str *items;
	size_t n;
};

/* Exactly. */
static inline bool str_list_has(const struct str_list *list, str item)
{
	for (size_t i = 0; i < list->n; i++) {
		if (str_eq(list->items[i], item))
			return true;
	}
	return false;
}

/* A section [oauth.NAME]: what is set on top of a preset, or all there is of the provider. */
#define OAUTH_PROVIDERS_MAX 16
struct oauth_settings {
	str name;
	str preset, label;
	str issuer, authorize_url, token_url, userinfo_url, jwks_url, revoke_url, emails_url;
	struct str_list client_id;     /* the first is the web client; all are audiences of apps' ID tokens */
	struct secret client_secret;
	struct str_list scopes, redirect_uris, tenants, auth_params;
	str id_field, email_field, email_verified_field, name_field, given_name_field, family_name_field, picture_field;
	enum oauth_token_auth token_auth;
	enum oauth_trust trust_email;
	bool pkce;
	str team_id, key_id;           /* Apple */
	struct secret private_key;     /* PEM */
};

struct config {
	bool dev; /* `serve --dev`: loopback only, looser defaults, never stored in a file */

	struct {
		str listen;            /* "127.0.0.1:3000", "[::1]:3000", "unix:/path", "systemd" */
		str data_dir;
		str public_url;        /* no trailing slash */
		struct str_list trusted_proxies; /* CIDRs, and "unix" */
		struct str_list hosts; /* Host names answered; none: any */
		str api_prefix;        /* "/auth" */
		str tls_cert, tls_key; /* PEM files; both or none */
		str ops_listen;        /* address of /metrics (and health), "same", or "none" */
		int64_t io_threads;    /* 0 = one per core, at least 2 */
		int64_t workers;       /* threads that run writes */
		int64_t queue_max;     /* requests waiting for a worker before 503 */
		int64_t max_connections;
		int64_t max_connections_per_ip; /* trusted proxies are exempt */
		int64_t max_body;
		int64_t head_timeout_ms, body_timeout_ms, write_timeout_ms, idle_timeout_ms;
		int64_t proxy_idle_timeout_ms;
		int64_t shutdown_timeout_ms;
		bool sandbox;
	} server;
	struct {
		str url;               /* "sqlite:/path/file.db" */
		int64_t cache;         /* page cache per connection, bytes */
		int64_t busy_timeout_ms;
	} store;
	struct {
		bool enabled;
	} registration;
	struct {
		int64_t access_ttl_ms;
		int64_t refresh_ttl_ms;     /* idle life of a bearer session */
		int64_t refresh_max_ttl_ms; /* absolute life of a bearer session */
		int64_t web_refresh_ttl_ms, web_refresh_max_ttl_ms; /* of sessions in cookies */
		int64_t refresh_window_ms;  /* idempotent repeats, security rule: 60 s; 0 = strict */
		enum token_algorithm algorithm;
		struct str_list audience;   /* extra "aud" values; the issuer is always one */
	} token;
	struct {
		enum session_check check_on;
		int64_t max_per_user;
	} session;
	struct {
		bool secure;           /* https only, and a name that other hosts cannot set */
		enum same_site same_site;
		str domain;            /* n == 0: this host only */
		str path;              /* "/" */
		enum clear_site_data clear_site_data;
	} cookie;
	struct {
		bool enabled;
	} csrf;
	struct {
		struct str_list origins; /* other origins whose pages may call, exactly */
		struct str_list headers; /* that they may send beside ours */
	} cors;
	struct {
		int64_t min_length, min_score;
		int64_t argon2_memory, argon2_iterations;
		int64_t memory_budget;  /* bytes all hashes together may use */
		int64_t max_wait_ms;    /* longest expected wait for a hash before 503 */
		struct secret pepper;   /* n == 0: none */
	} password;
	struct {
		bool enabled;
		int64_t account_free;   /* failures of an account before delays start */
		int64_t account_max;    /* consecutive failures that close the password door */
		int64_t device_free;    /* failures of a known device before it counts as unknown */
		int64_t network_free;   /* failures of a network in network_window_ms before a penalty */
		int64_t network_window_ms;
		int64_t register_per_hour; /* registrations of one network */
		int64_t device_ttl_ms;
		int64_t resend_ms;            /* same message to same address: not again before */
		int64_t mail_per_10min, mail_per_day; /* to one recipient, on request */
		int64_t mail_network_per_hour; /* asked for by one network */
		int64_t sms_per_hour, sms_per_day; /* to one number */
		int64_t sms_network_per_hour;
		int64_t sms_range_per_hour;   /* to numbers that differ in the last three digits only */
		int64_t sms_total_per_day;    /* over all numbers */
		int64_t oauth_per_10min;      /* sign-ins through providers begun by one network */
		int64_t sign_ins_per_hour;    /* of one network, from known devices and from others */
		int64_t bad_tokens;           /* wrong link tokens of one network in ten minutes */
		enum brake_mode brake;        /* what happens when most sign-ins fail (domain/brake.h) */
		int64_t brake_failures_per_s; /* over a minute, of all accounts together */
	} limits;
	struct {
		struct str_list urls;      /* where links may lead; the first is the default. Never empty:
					    * server.public_url when nothing is set */
		enum link_style app_links; /* how links to custom schemes are built */
		enum own_pages own_pages;  /* which of them do without the hosted pages */
		str app_url;               /* where mailed links go on to when there are no hosted pages; n == 0: nowhere */
	} site;
	struct {
		enum verification_mode mode;
		int64_t grace_ms;
	} verification;
	struct {
		int64_t max_age_ms;  /* sensitive actions ask for a sign-in not older; 0 = never asked */
		bool account_delete; /* is deleting one's account such an action? */
	} stepup;
	struct {
		enum mail_transport transport;
		str from;              /* address */
		str from_name;         /* display name; n == 0: ui.site_name */
		str smtp_url;          /* smtp://host:port, smtps://host:port */
		str ehlo_name;         /* n == 0: made of public_url or from */
		str smtp_user;
		struct secret smtp_password;
		enum mail_tls smtp_tls;
		str tls_ca;            /* PEM file of further authorities, for mail and SMS; n == 0: the system's */
		str http_url;
		struct secret http_key;
		str http_provider;     /* "provider" of the HTTP mailer; n == 0: left out */
		str default_lang;      /* "en" */
		str dir;               /* transport file: where the .eml files go */
		int64_t timeout_ms;    /* one mail, from connect to last reply */
		int64_t senders;       /* mails under way at once */
	} mail;
	struct {
		enum sms_transport transport;
		str url, user;
		struct secret password, key;
		str from;              /* sender number or service, where the gateway wants one */
		str expect;            /* text that a 2xx body must contain; n == 0: none */
		struct str_list countries; /* "+39", …, or "any" */
		struct str_list blocked;   /* prefixes never texted: premium and satellite numbers */
		struct str_list test_numbers; /* "+15550100=123456": fixed code, nothing sent */
		bool require_proof;
		int64_t code_ttl_ms;
		int64_t timeout_ms;
	} sms;
	struct {
		int64_t max_age_ms;    /* a message not sent by then is dead */
	} outbox;
	struct {
		bool required;         /* everybody must have a second factor */
		bool magic_link;       /* may a mail be the second factor? Never an administrator's */
		bool remember;         /* may a device be spared the second factor? Never an administrator's */
		int64_t remember_ttl_ms;
		int64_t admin_reset_delay_ms; /* between an operator's reset of an administrator's and its effect */
		str issuer;            /* totp.issuer, shown in authenticator apps; n == 0: ui.site_name */
	} twofactor;
	struct {
		int64_t delay_ms;      /* between a claim of an account and the link that opens it (domain/claim.h) */
	} takeover;
	struct {
		bool enabled;          /* POST /guest */
		int64_t unused_ttl_ms; /* guests not seen for that long are deleted */
		int64_t per_hour;      /* of one network */
	} guest;
	struct {
		bool new_sign_in;      /* mail about sign-ins from new places */
	} notice;
	struct {
		struct oauth_settings provider[OAUTH_PROVIDERS_MAX];
		size_t n;
		bool allow_private;       /* tests and development: providers on this machine, over http */
		bool native_without_pkce; /* apps that know no PKCE */
		enum oauth_auto_link auto_link;
		str tls_ca;               /* PEM file; n == 0: the system's */
		int64_t workers;          /* threads that may wait for providers */
	} oauth;
	struct {
		struct str_list redirect_uris; /* of apps */
		struct str_list android_apps;  /* "package=FINGERPRINT" */
		struct str_list apple_apps;    /* "TEAMID.bundle" */
		bool mailed_links;             /* are those apps' too */
	} native;
	struct {
		struct str_list hosts; /* "app.example.com", "app.example.com:8443" */
		int64_t ttl_ms;        /* of a pass */
		bool unproven_email;   /* tell applications addresses that nobody has proven */
	} forward;
	struct {
		int64_t retention_ms;
	} audit;
	struct {
		bool enabled;          /* the hosted pages below {api_prefix}/ui/ */
		bool headless;         /* only their configuration and scripts, for pages of one's own */
		str site_name;
		str primary_color, secondary_color, bg_color, card_bg; /* base/color.h; n == 0: base.css's own */
		str bg_image, logo_url; /* addresses; n == 0: none */
		str bg_file, logo_file, css_file; /* read at start, and win over the addresses; n == 0: none */
		bool ask_names;        /* do the pages ask for first and last name? */
		str terms_url, privacy_url; /* linked by every page; n == 0: none */
		str home_url;          /* after signing in; n == 0: the page about the account */
		str login_url, register_url; /* for scripts of one's own; n == 0: the hosted ones */
		str frame_ancestors;   /* "none", "self" */
		str csp_report_url;    /* n == 0: none */
		str lang_dir;          /* further languages; never empty: {data_dir}/lang */
	} ui;
	struct {
		bool enabled;          /* the API's description and its viewer */
	} docs;
	struct {
		str format; /* "json" or "text" */
		enum log_level level;
		bool requests; /* one line per request */
	} log;
};

#endif
