#include "app/config_table.h"

#include "app/config_grammar.h"
#include "base/clock.h"
#include "base/duration.h"
#include "crypto/password.h"

#define KIB ((int64_t)1 << 10)
#define MIB ((int64_t)1 << 20)
#define GIB ((int64_t)1 << 30)
#define YEAR_MS (36525 * (MS_PER_DAY / 100))

/* ---- the table ---- */

/* The place of a member, if it has the type that the kind of setting writes. */
#define AT(T, member)                                                                             \
	(offsetof(struct config, member) +                                                        \
	 0 * sizeof(char[__builtin_types_compatible_p(                                            \
				 T, __typeof__(((struct config *)NULL)->member)) ? 1 : -1]))

static const char *const words_check_on[] = { "allcalls", "refresh", "none", NULL };
static const char *const words_clear[] = { "none", "storage", "all", NULL };
static const char *const words_same_site[] = { "lax", "strict", "none", NULL };
static const char *const words_algorithm[] = { "ES256", "RS256", "EdDSA", "HS256", NULL };
static const char *const words_format[] = { "json", "text", NULL };
static const char *const words_app_links[] = { "full", "short", NULL };
static const char *const words_own_pages[] = { "auto", "true", "false", NULL };
static const char *const words_verification[] = { "none", "lazy", "strict", NULL };
static const char *const words_mail[] = { "none", "smtp", "http", "log", "file", NULL };
static const char *const words_mail_tls[] = { "required", "opportunistic", "off", NULL };
static const char *const words_brake[] = { "off", "alarm", "challenge", NULL };
static const char *const words_sms[] = { "none", "http-get", "http-post", "twilio", "log", NULL };
static const char *const words_auto_link[] = { "none", "verified", NULL };
static const char *const words_trust[] = { "preset", "true", "false", NULL };
static const char *const words_token_auth[] = { "preset", "body", "basic", NULL };
static const char *const words_frame[] = { "none", "self", NULL };
static const char *const words_level[] = { "debug", "info", "warn", "error", NULL };
_Static_assert(SESSION_CHECK_ALLCALLS == 1 && SESSION_CHECK_NONE == 3, "order of words_check_on");
_Static_assert(ALG_ES256 == 1 && ALG_HS256 == 4, "order of words_algorithm");
_Static_assert(CLEAR_NONE == 1 && CLEAR_ALL == 3, "order of words_clear");
_Static_assert(SAME_SITE_LAX == 1 && SAME_SITE_NONE == 3, "order of words_same_site");
_Static_assert(OWN_PAGES_AUTO == 1 && OWN_PAGES_FALSE == 3, "order of words_own_pages");
_Static_assert(LINKS_FULL == 1 && LINKS_SHORT == 2, "order of words_app_links");
_Static_assert(VERIFICATION_NONE == 1 && VERIFICATION_STRICT == 3, "order of words_verification");
_Static_assert(MAIL_NONE == 1 && MAIL_SMTP == 2 && MAIL_FILE == 5, "order of words_mail");
_Static_assert(MAIL_TLS_REQUIRED == 1 && MAIL_TLS_OFF == 3, "order of words_mail_tls");
_Static_assert(BRAKE_OFF == 1 && BRAKE_ALARM == 2 && BRAKE_CHALLENGE == 3, "order of words_brake");
_Static_assert(SMS_NONE == 1 && SMS_HTTP_GET == 2 && SMS_LOG == 5, "order of words_sms");
_Static_assert(OAUTH_LINK_NONE == 1 && OAUTH_LINK_VERIFIED == 2, "order of words_auto_link");
_Static_assert(OAUTH_TRUST_PRESET == 1 && OAUTH_TRUST_FALSE == 3, "order of words_trust");
_Static_assert(OAUTH_AUTH_PRESET == 1 && OAUTH_AUTH_BASIC == 3, "order of words_token_auth");
_Static_assert(LOG_DEBUG == 1 && LOG_ERROR == 4, "order of words_level");

/* W3C Trace Context and Baggage, Zipkin, and what error reporting and proxies add. */
#define CORS_HEADERS \
	"traceparent, tracestate, baggage, sentry-trace, b3, x-b3-traceid, x-b3-spanid, x-b3-parentspanid, x-b3-sampled, " \
	"x-b3-flags, x-request-id, x-correlation-id, x-requested-with"

#define TEXT(k, m, d, chk, w, h) \
	.key = k, .kind = SETTING_TEXT, .offset = AT(str, m), .def = d, .check = chk, .what = w, .help = h
#define LIST(k, m, d, chk, w, h)                                                              \
	.key = k, .kind = SETTING_LIST, .offset = AT(struct str_list, m), .def = d, .check = chk, \
	.what = w, .help = h
#define NUMBER(knd, k, m, d, lo, hi, h) \
	.key = k, .kind = knd, .offset = AT(int64_t, m), .def = d, .min = lo, .max = hi, .help = h
#define INT(...)      NUMBER(SETTING_INT, __VA_ARGS__)
#define SIZE(...)     NUMBER(SETTING_SIZE, __VA_ARGS__)
#define DURATION(...) NUMBER(SETTING_DURATION, __VA_ARGS__)
#define BOOL(k, m, d, h) \
	.key = k, .kind = SETTING_BOOL, .offset = AT(bool, m), .def = d, .help = h
#define WORD(k, m, d, w, h) \
	.key = k, .kind = SETTING_WORD, .offset = AT(str, m), .def = d, .words = w, .help = h
#define ENUM(T, k, m, d, w, h) \
	.key = k, .kind = SETTING_ENUM, .offset = AT(enum T, m), .def = d, .words = w, .help = h
#define SECRET(k, m, h) \
	.key = k, .kind = SETTING_SECRET, .offset = AT(struct secret, m), .def = "", .help = h
#define PASSWORD(k, m, h) \
	.key = k, .kind = SETTING_PASSWORD, .offset = AT(struct secret, m), .def = "", .help = h

#define A_COLOR "a colour like #2f5bd8, rgb(47, 91, 216), hsl(224, 69%, 52%) or navy"
#define A_PAGE  "a path of this site, or an https:// URL (http:// on this machine)"
#define A_FILE  "the name of a file, without braces"
#define A_TIMEOUT 50, 10 * MS_PER_MIN
#define A_BUDGET   1, 1000000
#define A_SERVICE  "an https:// URL, or http:// on this machine, without user and password"
#define A_REDIRECT "an https:// URL, http://127.0.0.1 or http://[::1], or scheme:/path of an app, in lower case " \
		   "and without user, query, escapes and fragment"
#define A_DELIVERY MS_PER_S, 5 * MS_PER_MIN

const struct setting settings[] = {
	{ TEXT("server.listen", server.listen, "127.0.0.1:3000", grammar_listen,
	       "an address like 127.0.0.1:3000, [::1]:3000, localhost:3000, unix:/path, or systemd",
	       "Where the API is served: address and port, `unix:` and an absolute path, or `systemd` "
	       "for a socket handed over by the service manager. `--listen` overrides it."),
	  .restart = true },
	{ TEXT("server.data_dir", server.data_dir, "./data", grammar_directory,
	       "the name of a directory, without braces",
	       "Directory of the store and the keys. `--data` and `SALLYPORT_DATA` override it."),
	  .restart = true },
	{ TEXT("server.public_url", server.public_url, "", grammar_public_url,
	       "an http:// or https:// URL in lower case without a slash at the end",
	       "The address clients use, and the issuer of tokens. Default: from `server.listen`.") },
	{ LIST("server.trusted_proxies", server.trusted_proxies, "", grammar_proxy,
	       "an address, a network like 10.0.0.0/8 (not /0), or unix",
	       "Reverse proxies whose forwarded client address is believed: addresses, networks, or "
	       "`unix` for those that connect through a Unix socket."),
	  .restart = true },
	{ LIST("server.hosts", server.hosts, "", grammar_audience, "a host name without port",
	       "Host names the API answers for; others get 421. None: any, since no answer or link is "
	       "ever built from the Host.") },
	{ TEXT("server.api_prefix", server.api_prefix, "/auth", grammar_prefix,
	       "a path like /auth: small letters, digits, - and _, without a slash at the end",
	       "Path under which the API is served."),
	  .restart = true },
	{ TEXT("server.tls_cert", server.tls_cert, "", grammar_any, "the name of a file",
	       "PEM file with the certificate chain. With `server.tls_key`: serve HTTPS. Read again at a "
	       "reload.") },
	{ TEXT("server.tls_key", server.tls_key, "", grammar_any, "the name of a file",
	       "PEM file with the private key of `server.tls_cert`, of at most mode 0640 and a group of the server.") },
	{ TEXT("server.ops_listen", server.ops_listen, "127.0.0.1:3001", grammar_ops_listen,
	       "an address like 127.0.0.1:3001, [::1]:3001, localhost:3001, unix:/path, same, or none",
	       "Where health and metrics are served: an address of its own, `same` as the API, or "
	       "`none`."),
	  .dev = "same", .restart = true },
	{ INT("server.io_threads", server.io_threads, "0", 0, 64,
	      "Threads that read and write connections. 0: one per processor, at least 2."),
	  .restart = true },
	{ INT("server.workers", server.workers, "48", 1, 1024, "Threads that run writing requests."),
	  .restart = true },
	{ INT("server.queue_max", server.queue_max, "1024", 1, 1000000,
	      "Requests that may wait for a worker; more are answered 503 at once."),
	  .restart = true },
	{ INT("server.max_connections", server.max_connections, "10000", 1, 1000000,
	      "Connections open at once."),
	  .restart = true },
	{ INT("server.max_connections_per_ip", server.max_connections_per_ip, "256", 1, 1000000,
	      "Connections open at once from one address; trusted proxies are exempt."),
	  .restart = true },
	{ SIZE("server.max_body", server.max_body, "64KiB", KIB, MIB,
	       "Greatest body of a request; a larger one is answered 413."),
	  .restart = true },
	{ DURATION("server.head_timeout", server.head_timeout_ms, "10s", A_TIMEOUT,
		   "Time for the head of a request to arrive as a whole."),
	  .restart = true },
	{ DURATION("server.body_timeout", server.body_timeout_ms, "20s", A_TIMEOUT,
		   "Time for the body of a request to arrive as a whole."),
	  .restart = true },
	{ DURATION("server.write_timeout", server.write_timeout_ms, "20s", A_TIMEOUT,
		   "Time a client may refuse to take the reply."),
	  .restart = true },
	{ DURATION("server.idle_timeout", server.idle_timeout_ms, "60s", A_TIMEOUT,
		   "Time a connection may stay open between requests."),
	  .restart = true },
	{ DURATION("server.proxy_idle_timeout", server.proxy_idle_timeout_ms, "150s", A_TIMEOUT,
		   "The same for connections of `server.trusted_proxies`. Longer than they keep an idle connection "
		   "(Caddy 120s, Traefik 90s, nginx 60s by default): one that the server closes first may meet a request "
		   "that is on its way, and proxies do not repeat a POST."),
	  .restart = true },
	{ DURATION("server.shutdown_timeout", server.shutdown_timeout_ms, "10s", A_TIMEOUT,
		   "Time for running requests to finish when the server stops.") },
	{ BOOL("server.sandbox", server.sandbox, "true",
	       "Whether the server gives up the system calls that it never needs (seccomp): starting programs, "
	       "reading other processes, and the like. Off for debuggers and profilers."),
	  .restart = true },

	{ TEXT("store.url", store.url, "sqlite:{data_dir}/sallyport.db", grammar_store,
	       "sqlite: and the name of a file; this version has no other store",
	       "The database: `sqlite:` and a file. `{data_dir}` stands for `server.data_dir`."),
	  .restart = true, .hush = true },
	{ SIZE("store.cache", store.cache, "16MiB", 64 * KIB, 4 * GIB,
	       "Page cache of each connection to the store."),
	  .restart = true },
	{ DURATION("store.busy_timeout", store.busy_timeout_ms, "2s", 10, 5 * MS_PER_MIN,
		   "How long to wait for a store that another process has locked."),
	  .restart = true },

	{ BOOL("registration.enabled", registration.enabled, "true",
	       "May new users register by themselves?") },

	{ DURATION("token.access_ttl", token.access_ttl_ms, "15m", MS_PER_S, 60 * MS_PER_MIN,
		   "Life of an access token. Other services accept a token until then, so more than "
		   "15m brings a warning.") },
	{ DURATION("token.refresh_ttl", token.refresh_ttl_ms, "30d", MS_PER_S, 10 * YEAR_MS,
		   "How long a session lives without being used.") },
	{ DURATION("token.refresh_max_ttl", token.refresh_max_ttl_ms, "90d", MS_PER_S, 10 * YEAR_MS,
		   "How long a session lives at most. Not less than `token.refresh_ttl`.") },
	{ DURATION("token.web_refresh_ttl", token.web_refresh_ttl_ms, "7d", MS_PER_S, 10 * YEAR_MS,
		   "`token.refresh_ttl` of sessions that a browser keeps in cookies. Follows that setting "
		   "when only that one is given.") },
	{ DURATION("token.web_refresh_max_ttl", token.web_refresh_max_ttl_ms, "30d", MS_PER_S, 10 * YEAR_MS,
		   "`token.refresh_max_ttl` of such sessions; follows that setting in the same way.") },
	{ DURATION("token.refresh_window", token.refresh_window_ms, "60s", 0, 60 * MS_PER_S,
		   "How long a repeated refresh gets the same answer again, so that a lost reply or two "
		   "requests at once sign nobody out. 0s: every use makes a new token.") },
	{ ENUM(token_algorithm, "token.algorithm", token.algorithm, "ES256", words_algorithm,
	       "How access tokens are signed.") },
	{ LIST("token.audience", token.audience, "", grammar_audience,
	       "a name without blanks, at most 255 bytes",
	       "Further values of `aud` in access tokens; the issuer is always one.") },

	{ ENUM(session_check, "session.check_on", session.check_on, "allcalls", words_check_on,
	       "When the session behind an access token is looked up: at every call, at refresh only, "
	       "or never (then a signed-out token works until it expires).") },
	{ INT("session.max_per_user", session.max_per_user, "50", 1, 10000,
	      "Sessions one user may have; the one not used for longest ends first.") },

	{ BOOL("cookie.secure", cookie.secure, "true",
	       "Cookies travel over https only, under names that no other host can set. false is for "
	       "development, on loopback only."),
	  .dev = "false" },
	{ ENUM(same_site, "cookie.same_site", cookie.same_site, "lax", words_same_site,
	       "With which requests from other sites browsers send the cookies. none is for apps on "
	       "another site that call this server, which must be in `cors.origins`.") },
	{ TEXT("cookie.domain", cookie.domain, "", grammar_cookie_domain, "a domain such as example.com",
	       "The domain whose hosts all get the cookies. None: only this server's own host, which is "
	       "safer.") },
	{ TEXT("cookie.path", cookie.path, "/", grammar_cookie_path,
	       "a path without blanks, semicolons and dot segments",
	       "The path below which browsers send the cookies.") },
	{ ENUM(clear_site_data, "cookie.clear_site_data", cookie.clear_site_data, "storage", words_clear,
	       "What signing out asks a browser to drop besides the tokens: nothing (none), what scripts have "
	       "stored of the site (storage), or also all cookies (all). Browsers clear the cookies of the "
	       "whole registered domain: other services there are signed out too, and no device is known or "
	       "remembered any more.") },
	{ BOOL("csrf.enabled", csrf.enabled, "true",
	       "Requests that cookies authorise must prove that they come from a page of ours. Off "
	       "only what `SameSite` and the browser's own marks keep out is kept out.") },
	{ LIST("cors.origins", cors.origins, "", grammar_web_origin,
	       "an origin such as https://app.example.com: scheme, host and port only, in lower case",
	       "Other origins whose pages may call this server and read its answers. Compared exactly.") },

	{ LIST("cors.headers", cors.headers, CORS_HEADERS, grammar_header_name, "the name of a header",
	       "Headers that those pages may send beside the ones this server knows: what tracing and error reporting add "
	       "to every request.") },

	{ INT("password.min_length", password.min_length, "8", 8, 64,
	      "Fewest characters of a new password.") },
	{ INT("password.min_score", password.min_score, "2", 0, 4,
	      "Least strength of a new password as estimated by zxcvbn; 0 switches the estimate off.") },
	{ SIZE("password.argon2_memory", password.argon2_memory, "19MiB", ARGON2_MEMORY_FLOOR, 4 * GIB,
	       "Memory of one password hash (Argon2id). 19MiB is the floor; `sallyport calibrate` "
	       "proposes more.") },
	{ INT("password.argon2_iterations", password.argon2_iterations, "2", ARGON2_ITER_FLOOR, 16,
	      "Passes over that memory.") },
	{ SIZE("password.memory_budget", password.memory_budget, "256MiB", ARGON2_MEMORY_FLOOR,
	       1024 * GIB,
	       "Memory all hashes running at once may use; divided by `password.argon2_memory` it is "
	       "their number."),
	  .restart = true },
	{ DURATION("password.max_wait", password.max_wait_ms, "2s", 10, MS_PER_MIN,
		   "Longest wait for a hash; who would wait longer is answered 503.") },
	{ SECRET("password.pepper", password.pepper,
		 "Secret mixed into every password hash, kept apart from the database. Without it no "
		 "password can be verified any more: back it up. Best `file:` and a path.") },

	{ BOOL("limits.enabled", limits.enabled, "true",
	       "Limit attempts to sign in and to register. `false` is refused unless every listener is "
	       "on loopback or a Unix socket.") },
	{ INT("limits.account_free", limits.account_free, "5", 1, 100,
	      "Wrong passwords for an account, or wrong codes of its second factors, before waiting times begin.") },
	{ INT("limits.account_max", limits.account_max, "100", 1, 100,
	      "Wrong passwords in a row that close an account to passwords from unknown devices.") },
	{ INT("limits.device_free", limits.device_free, "10", 1, 100,
	      "Wrong passwords, or wrong codes, from a known device before it counts as unknown.") },
	{ INT("limits.network_free", limits.network_free, "30", 1, 1000000,
	      "Failures of one network within `limits.network_window` before it has to wait.") },
	{ DURATION("limits.network_window", limits.network_window_ms, "5m", MS_PER_S, MS_PER_DAY,
		   "Over what time the failures of a network are counted.") },
	{ INT("limits.register_per_hour", limits.register_per_hour, "60", 1, 1000000,
	      "Registrations from one network in an hour.") },
	{ DURATION("limits.device_ttl", limits.device_ttl_ms, "180d", MS_PER_HOUR, 10 * YEAR_MS,
		   "How long a device stays known after its last successful sign-in.") },
	{ DURATION("limits.resend", limits.resend_ms, "60s", 0, 10 * MS_PER_MIN,
		   "Time before the same kind of message is sent to the same address or number again. A "
		   "request within it sends nothing and is answered as usual.") },
	{ INT("limits.mail_per_10min", limits.mail_per_10min, "3", A_BUDGET,
	      "Mails of one kind that strangers may have sent to one recipient in ten minutes; as many for who is signed "
	      "in or on a known device.") },
	{ INT("limits.mail_per_day", limits.mail_per_day, "10", A_BUDGET, "The same in a day.") },
	{ INT("limits.mail_network_per_hour", limits.mail_network_per_hour, "20", A_BUDGET,
	      "Mails one network may ask for in an hour; who is signed in or on a known device is not counted.") },
	{ INT("limits.sms_per_hour", limits.sms_per_hour, "5", A_BUDGET,
	      "Text messages of one kind that strangers may have sent to one number in an hour; as many for who is "
	      "on a known device.") },
	{ INT("limits.sms_per_day", limits.sms_per_day, "10", A_BUDGET,
	      "The same in a day.") },
	{ INT("limits.sms_network_per_hour", limits.sms_network_per_hour, "10", A_BUDGET,
	      "Text messages one network may ask for in an hour.") },
	{ INT("limits.sms_range_per_hour", limits.sms_range_per_hour, "20", A_BUDGET,
	      "Text messages in an hour to numbers that differ in the last three digits only.") },
	{ INT("limits.sms_total_per_day", limits.sms_total_per_day, "1000", A_BUDGET,
	      "Text messages to all numbers together in a day: what a day can cost at most.") },
	{ INT("limits.sign_ins_per_hour", limits.sign_ins_per_hour, "3600", A_BUDGET,
	      "Sign-ins of one network in an hour whose first proof was right. Known devices have as many of their own.") },
	{ INT("limits.oauth_per_10min", limits.oauth_per_10min, "300", A_BUDGET,
	      "Sign-ins through providers that one network may begin in ten minutes.") },
	{ INT("limits.bad_tokens", limits.bad_tokens, "20", A_BUDGET,
	      "Wrong link tokens and sign-in codes of one network in ten minutes before it has to wait.") },
	{ ENUM(brake_mode, "limits.brake", limits.brake, "alarm", words_brake,
	       "What happens while most sign-ins fail, over all accounts: nothing, a warning and a metric, or "
	       "also a proof of work asked of devices that are not known.") },
	{ INT("limits.brake_failures_per_s", limits.brake_failures_per_s, "20", 1, 1000000,
	      "More wrong passwords a second than this, over a minute, are that much.") },

	{ LIST("site.urls", site.urls, "", grammar_site,
	       "a URL in lower case without a slash at the end: http, https, or the scheme of an app",
	       "Where links in messages may lead, such as `https://app.example.com` or "
	       "`com.example.app://auth`. The first is the one for requests that name none. None: "
	       "`server.public_url`.") },
	{ ENUM(link_style, "site.app_links", site.app_links, "full", words_app_links,
	       "How links to the scheme of an app are built: with `server.api_prefix` in them, like "
	       "links to a web site, or short without it.") },
	{ ENUM(own_pages, "site.own_pages", site.own_pages, "auto", words_own_pages,
	       "Have the sites pages of their own for what mails lead to: `{site}/login`, and those below "
	       "`{site}{api_prefix}/ui/`? If not, links lead to the hosted pages at `server.public_url`. auto: "
	       "`server.public_url` has none, the others of `site.urls` have.") },
	{ TEXT("site.app_url", site.app_url, "", grammar_public_url,
	       "an http:// or https:// URL in lower case without a slash at the end",
	       "Where a browser that opens a mailed link is sent on to when there are no hosted pages: "
	       "`{app_url}/{path}?token=…`.") },

	{ ENUM(verification_mode, "verification.mode", verification.mode, "none", words_verification,
	       "Must users prove their e-mail address: never, within `verification.grace` of signing up "
	       "(lazy), or before the first sign-in (strict). With strict a registration tells nobody "
	       "whether an address is taken.") },
	{ DURATION("verification.grace", verification.grace_ms, "7d", MS_PER_S, YEAR_MS,
		   "How long a new account works without a proven address, when `verification.mode` is "
		   "lazy.") },

	{ DURATION("stepup.max_age", stepup.max_age_ms, "10m", 0, MS_PER_DAY,
		   "Sensitive actions ask for a sign-in that is not older, or the password once more. 0s: "
		   "never asked.") },
	{ BOOL("stepup.account_delete", stepup.account_delete, "false",
	       "Is deleting the own account such an action?") },

	{ ENUM(mail_transport, "mail.transport", mail.transport, "none", words_mail,
	       "How mails leave: an SMTP server, an HTTP mailer, or for development standard output "
	       "(log) or one file per mail in `mail.dir`. none switches everything off that needs mail."),
	  .dev = "log" },
	{ TEXT("mail.from", mail.from, "", grammar_address, "one e-mail address in ASCII, without a name",
	       "The sender of mails, in a domain your mail server may send for."),
	  .dev = "no-reply@localhost.localdomain" },
	{ TEXT("mail.from_name", mail.from_name, "", grammar_label, "a name of at most 64 characters",
	       "The name beside that address. None: `ui.site_name`.") },
	{ TEXT("mail.smtp_url", mail.smtp_url, "", grammar_smtp_url,
	       "smtp://host, smtp://host:port, smtps://host or smtps://host:port in lower case, without user, "
	       "password and path",
	       "The SMTP server: `smtp://host:587` for STARTTLS, `smtps://host:465` for TLS from the start."),
	  .hush = true },
	{ TEXT("mail.smtp_user", mail.smtp_user, "", grammar_any, "a name",
	       "User at the SMTP server. With `mail.smtp_password`.") },
	{ PASSWORD("mail.smtp_password", mail.smtp_password,
		   "Password of that user. Best `file:` and a path.") },
	{ TEXT("mail.ehlo_name", mail.ehlo_name, "", grammar_ehlo_name,
	       "a full host name such as mail.example.com, or an address as [203.0.113.9] or [IPv6:2001:db8::9]",
	       "What the server calls itself towards the SMTP server. None: the host of `server.public_url`, or where that is "
	       "no full name, the domain of `mail.from`.") },
	{ ENUM(mail_tls, "mail.smtp_tls", mail.smtp_tls, "required", words_mail_tls,
	       "Protection of the connection to the SMTP server. opportunistic goes on without when the "
	       "server offers none, and is refused with a password; off is for a server on this machine.") },
	{ TEXT("mail.tls_ca", mail.tls_ca, "", grammar_any, "the name of a file",
	       "PEM file with certificate authorities that mail servers and SMS gateways may be certified "
	       "by. None: those of the system.") },
	{ TEXT("mail.http_url", mail.http_url, "", grammar_service_url, A_SERVICE,
	       "Where the HTTP mailer takes a mail as JSON."),
	  .hush = true },
	{ PASSWORD("mail.http_key", mail.http_key,
		   "Key for the HTTP mailer, sent as `X-API-Key`. Best `file:` and a path.") },
	{ TEXT("mail.http_provider", mail.http_provider, "", grammar_label, "a name of at most 64 characters",
	       "What the HTTP mailer is told as `provider`. None: nothing.") },
	{ TEXT("mail.default_lang", mail.default_lang, "en", grammar_lang,
	       "a language like en or pt-BR: 2 to 10 letters and hyphens",
	       "Language of messages when the request names none that there is.") },
	{ TEXT("mail.dir", mail.dir, "", grammar_mail_dir, "the name of a directory, without braces",
	       "Where the mails of `mail.transport = file` are put. None: `mail` in `server.data_dir`."),
	  .restart = true },
	{ DURATION("mail.timeout", mail.timeout_ms, "30s", A_DELIVERY,
		   "Longest time to hand over one mail, from connecting to the last reply.") },
	{ INT("mail.senders", mail.senders, "1", 1, 16,
	      "Mails under way at once. Each of them may be sent twice if the process is killed at that "
	      "moment."),
	  .restart = true },

	{ ENUM(sms_transport, "sms.transport", sms.transport, "none", words_sms,
	       "How text messages leave: a gateway that takes GET or POST requests, Twilio, or for "
	       "development standard output (log). none switches everything off that needs SMS."),
	  .dev = "log" },
	{ TEXT("sms.url", sms.url, "", grammar_service_url, A_SERVICE,
	       "Where the gateway takes messages. A query of its own is kept. Not needed for Twilio."),
	  .hush = true },
	{ TEXT("sms.user", sms.user, "", grammar_any, "a name",
	       "User at the gateway; for Twilio the account SID.") },
	{ PASSWORD("sms.password", sms.password,
		   "Password of that user; for Twilio the auth token. Best `file:` and a path.") },
	{ PASSWORD("sms.key", sms.key,
		   "Key for the gateway, sent as `X-API-Key`. Best `file:` and a path.") },
	{ TEXT("sms.from", sms.from, "", grammar_label, "a number or name of at most 64 characters",
	       "Sender of text messages, where the gateway wants one: a number, a name, or for Twilio also "
	       "a messaging service.") },
	{ TEXT("sms.expect", sms.expect, "", grammar_any, "text",
	       "Text that the answer of the gateway must contain, for those that answer 200 to a message "
	       "they refuse. None: the status decides.") },
	{ LIST("sms.countries", sms.countries, "", grammar_country, "the beginning of numbers like +39, or any",
	       "Where text messages may go: country codes like `+39`, or `any`. Numbers elsewhere are "
	       "refused."),
	  .dev = "any" },
	{ LIST("sms.blocked", sms.blocked, "+979,+878,+881,+882,+883,+870,+888", grammar_number_prefix,
	       "the beginning of numbers like +979",
	       "Numbers never texted, whatever `sms.countries` says: premium, satellite and "
	       "international networks, where a message is dear.") },
	{ LIST("sms.test_numbers", sms.test_numbers, "", grammar_test_number,
	       "a number, = and six digits, like +15550100=123456",
	       "Numbers with a fixed code to which nothing is sent, for app reviewers. Whoever knows one "
	       "can sign in to the account that holds it, so administrators cannot hold one.") },
	{ BOOL("sms.require_proof", sms.require_proof, "true",
	       "Must a number be proven with a code before it is used for signing in?") },
	{ DURATION("sms.code_ttl", sms.code_ttl_ms, "5m", 30 * MS_PER_S, 10 * MS_PER_MIN,
		   "How long a code sent by SMS works.") },
	{ DURATION("sms.timeout", sms.timeout_ms, "10s", A_DELIVERY,
		   "Longest time to hand over one text message.") },

	{ DURATION("outbox.max_age", outbox.max_age_ms, "3d", MS_PER_MIN, 30 * MS_PER_DAY,
		   "How long a message that cannot be handed over is tried again. Links and codes end "
		   "sooner, and are not sent after.") },

	{ BOOL("twofactor.required", twofactor.required, "false",
	       "Must everybody have a second factor? Who has none is led to set one up at the next sign-in.") },
	{ BOOL("twofactor.magic_link", twofactor.magic_link, "false",
	       "May a mailed link or code be the second factor? Weaker than an app: never for administrators, nor for "
	       "who has an app, nor after a password that was set, or a sign-in that was begun, by mail.") },
	{ BOOL("twofactor.remember", twofactor.remember, "false",
	       "May a device be spared the second factor for a time, if its user asks? Never an administrator's.") },
	{ DURATION("twofactor.remember_ttl", twofactor.remember_ttl_ms, "30d", MS_PER_HOUR, 365 * MS_PER_DAY,
		   "For how long.") },
	{ DURATION("twofactor.admin_reset_delay", twofactor.admin_reset_delay_ms, "24h", 0, 30 * MS_PER_DAY,
		   "How long `sallyport user reset-2fa` waits before it removes the app of an administrator, who is "
		   "told at once and can call it off. `0s`: not at all.") },
	{ DURATION("takeover.delay", takeover.delay_ms, "72h", MS_PER_HOUR, 90 * MS_PER_DAY,
		   "How long whoever reads the mail of an account waits for it, when somebody else gave it a second factor "
		   "before its address was ever proven. A sign-in with the factor calls that off.") },
	{ TEXT("totp.issuer", twofactor.issuer, "", grammar_label, "a name of at most 64 characters",
	       "What authenticator apps show beside the account. Default: `ui.site_name`.") },
	{ BOOL("guest.enabled", guest.enabled, "false",
	       "May an app make accounts without address and password (`POST /guest`)?") },
	{ DURATION("guest.unused_ttl", guest.unused_ttl_ms, "30d", MS_PER_HOUR, 10 * YEAR_MS,
		   "Guests not seen for that long are deleted.") },
	{ INT("guest.per_hour", guest.per_hour, "60", 1, 1000000, "Guests made from one network in an hour.") },

	{ BOOL("oauth.allow_private", oauth.allow_private, "false",
	       "For tests and development: may providers be on this machine or a private network, and speak "
	       "plain http? Allowed only when every listener is on loopback or a Unix socket."),
	  .dev = "true" },
	{ BOOL("oauth.native_without_pkce", oauth.native_without_pkce, "false",
	       "May an app without PKCE sign in through a provider? Then any other app that claims its "
	       "scheme can, too.") },
	{ ENUM(oauth_auto_link, "oauth.auto_link", oauth.auto_link, "none", words_auto_link,
	       "What happens at the first sign-in through a provider when its address has an account here: its "
	       "owner is asked, or with verified it is linked if both sides have proven the address.") },
	{ TEXT("oauth.tls_ca", oauth.tls_ca, "", grammar_any, "the name of a file",
	       "PEM file with certificate authorities that providers may be certified by. None: those of the "
	       "system.") },
	{ INT("oauth.workers", oauth.workers, "8", 1, 256,
	      "Requests that may wait for providers at once, in threads of their own."),
	  .restart = true },
	{ LIST("native.redirect_uris", native.redirect_uris, "", grammar_redirect, A_REDIRECT,
	       "Where apps may be sent back to after a sign-in through a provider, each in full: "
	       "`https://app.example.com/auth`, `com.example.app:/auth`, `http://127.0.0.1/auth` (any port).") },
	{ LIST("native.android_apps", native.android_apps, "", grammar_android_app,
	       "a package, = and the SHA-256 fingerprint of its certificate as AB:CD:…",
	       "Apps that `/.well-known/assetlinks.json` names.") },
	{ LIST("native.apple_apps", native.apple_apps, "", grammar_apple_app,
	       "a team of 10 characters, a dot and a bundle",
	       "Apps that `/.well-known/apple-app-site-association` names.") },
	{ BOOL("native.mailed_links", native.mailed_links, "false",
	       "Links of mails to `server.public_url` open these apps, too.") },

	{ LIST("forward.hosts", forward.hosts, "", grammar_forward_host,
	       "a host name in lower case, with a port if it is not the usual one",
	       "Hosts of applications behind `/auth/forward`: where a browser may be sent back to after signing in, and "
	       "be signed in at.") },
	{ DURATION("forward.ttl", forward.ttl_ms, "1h", MS_PER_MIN, 30 * MS_PER_DAY,
		   "How long an application's host knows a browser before it is asked for at this server again, which is not "
		   "seen while the session lives. Signing out ends it at once.") },
	{ BOOL("forward.unproven_email", forward.unproven_email, "false",
	       "Does `/auth/check` name an address that nobody has proven? `X-Auth-Email-Verified` is `false` then; an "
	       "application that does not look at it takes anybody for the owner of any address.") },

	{ BOOL("notice.new_sign_in", notice.new_sign_in, "true",
	       "Tell users by mail about a sign-in from a device that was not known.") },

	{ DURATION("audit.retention", audit.retention_ms, "180d", MS_PER_HOUR, 100 * YEAR_MS,
		   "How long events are kept.") },

	{ BOOL("ui.enabled", ui.enabled, "true",
	       "Serve the pages below `{api_prefix}/ui/`, and let mailed links lead there.") },
	{ BOOL("ui.headless", ui.headless, "false",
	       "No pages, only `ui/config` and the scripts, for a web app with pages of its own.") },
	{ TEXT("ui.site_name", ui.site_name, "Sallyport", grammar_site_name, "a name of 1 to 64 characters",
	       "What users know the service as.") },
	{ TEXT("ui.primary_color", ui.primary_color, "", grammar_color, A_COLOR,
	       "Buttons and links. The text on it is black or white, whichever is easier to read.") },
	{ TEXT("ui.secondary_color", ui.secondary_color, "", grammar_color, A_COLOR, "What stands back.") },
	{ TEXT("ui.bg_color", ui.bg_color, "", grammar_color, A_COLOR,
	       "Behind the card. With it, or with `ui.card_bg`, pages look the same by day and by night.") },
	{ TEXT("ui.card_bg", ui.card_bg, "", grammar_color, A_COLOR, "The card with the form.") },
	{ TEXT("ui.bg_image", ui.bg_image, "", grammar_picture_url, A_PAGE, "Picture behind the card.") },
	{ TEXT("ui.bg_file", ui.bg_file, "", grammar_file, A_FILE,
	       "The same as a file, served by us: PNG, JPEG or WebP of at most 1 MiB, read at start.") },
	{ TEXT("ui.logo_url", ui.logo_url, "", grammar_picture_url, A_PAGE, "Picture beside the name.") },
	{ TEXT("ui.logo_file", ui.logo_file, "", grammar_file, A_FILE,
	       "The same as a file, served by us: PNG, JPEG or WebP of at most 256 KiB, read at start.") },
	{ TEXT("ui.css_file", ui.css_file, "", grammar_file, A_FILE,
	       "A style sheet of one's own, after ours: at most 64 KiB, read at start.") },
	{ BOOL("ui.ask_names", ui.ask_names, "true",
	       "Ask for first and last name, which everybody may leave out. If not, who has given one can still remove it.") },
	{ TEXT("ui.terms_url", ui.terms_url, "", grammar_page_url, A_PAGE,
	       "Terms of use: every page links to them, and who signs up is told that they hold.") },
	{ TEXT("ui.privacy_url", ui.privacy_url, "", grammar_page_url, A_PAGE,
	       "How personal data is used: every page links to it.") },
	{ TEXT("ui.home_url", ui.home_url, "", grammar_page_url, A_PAGE,
	       "Where people go after signing in. None: the page about their account.") },
	{ TEXT("ui.login_url", ui.login_url, "", grammar_page_url, A_PAGE,
	       "A sign-in page of one's own, told to scripts and apps.") },
	{ TEXT("ui.register_url", ui.register_url, "", grammar_page_url, A_PAGE,
	       "A sign-up page of one's own, told to scripts and apps.") },
	{ WORD("ui.frame_ancestors", ui.frame_ancestors, "none", words_frame,
	       "Who may show the pages in a frame: nobody, or pages of the same origin.") },
	{ TEXT("ui.csp_report_url", ui.csp_report_url, "", grammar_picture_url, A_PAGE,
	       "Where browsers report what the content security policy of a page has stopped.") },
	{ TEXT("ui.lang_dir", ui.lang_dir, "", grammar_file, "the name of a directory, without braces",
	       "Further languages of the pages, one `xx.json` each. Default: `{data_dir}/lang`.") },

	{ BOOL("docs.enabled", docs.enabled, "false",
	       "Serve the description of the API (`{api_prefix}/openapi.json`) and a viewer for it (`{api_prefix}/docs`)."),
	  .dev = "true" },

	{ WORD("log.format", log.format, "json", words_format,
	       "One JSON object per line, or text for a console."),
	  .dev = "text" },
	{ ENUM(log_level, "log.level", log.level, "info", words_level, "Least important event logged.") },
	{ BOOL("log.requests", log.requests, "true", "One line for each request, at level info.") },
};
const size_t n_settings = sizeof(settings) / sizeof(settings[0]);
_Static_assert(sizeof(settings) / sizeof(settings[0]) <= SETTINGS_MAX, "raise SETTINGS_MAX");

#undef AT
#define AT(T, member)                                                                             \
	(offsetof(struct oauth_settings, member) +                                                \
	 0 * sizeof(char[__builtin_types_compatible_p(                                            \
				 T, __typeof__(((struct oauth_settings *)NULL)->member)) ? 1 : -1]))

const struct setting provider_settings_table[] = {
	{ TEXT("preset", preset, "", grammar_preset,
	       "google, github, apple, microsoft, facebook, gitlab, discord, linkedin, twitch, spotify or slack",
	       "Which well-known provider this is. Not needed when the section has its name.") },
	{ TEXT("label", label, "", grammar_label, "a name of at most 64 characters", "What buttons say.") },
	{ TEXT("issuer", issuer, "", grammar_issuer, A_SERVICE,
	       "Any OpenID provider: exactly its issuer; everything else is asked from there.") },
	{ TEXT("authorize_url", authorize_url, "", grammar_service_url, A_SERVICE, "Where people sign in.") },
	{ TEXT("token_url", token_url, "", grammar_service_url, A_SERVICE, "Where codes are exchanged.") },
	{ TEXT("userinfo_url", userinfo_url, "", grammar_service_url, A_SERVICE, "Where the profile is.") },
	{ TEXT("emails_url", emails_url, "", grammar_service_url, A_SERVICE,
	       "Where a list of addresses is, like that of GitHub.") },
	{ TEXT("jwks_url", jwks_url, "", grammar_service_url, A_SERVICE, "Where the keys of ID tokens are.") },
	{ TEXT("revoke_url", revoke_url, "", grammar_service_url, A_SERVICE, "Where tokens are given back.") },
	{ LIST("client_id", client_id, "", grammar_word, "an id without blanks",
	       "The id your application has there. The first is used in browsers; ID tokens of apps may be "
	       "for any of them.") },
	{ PASSWORD("client_secret", client_secret, "The secret that goes with it. Best `file:` and a path.") },
	{ LIST("scopes", scopes, "", grammar_word, "a scope without blanks", "What is asked for, if not the usual.") },
	{ LIST("redirect_uris", redirect_uris, "", grammar_redirect, A_REDIRECT,
	       "Where apps may be sent back to after a sign-in through this provider, beside "
	       "`native.redirect_uris`.") },
	{ LIST("tenants", tenants, "", grammar_tenant, "the id of a directory in lower case",
	       "Microsoft: directories whose users may sign in.") },
	{ LIST("auth_params", auth_params, "", grammar_auth_param, "name=value, encoded for a URL",
	       "More for the address where people sign in, like `prompt=select_account`.") },
	{ TEXT("id_field", id_field, "", grammar_field, "the name of a member", "Where the profile says who it is.") },
	{ TEXT("email_field", email_field, "", grammar_field, "the name of a member", "Where its address is.") },
	{ TEXT("email_verified_field", email_verified_field, "", grammar_field, "the name of a member",
	       "Where it says whether the address is proven.") },
	{ TEXT("name_field", name_field, "", grammar_field, "the name of a member", "Where the name is.") },
	{ TEXT("given_name_field", given_name_field, "", grammar_field, "the name of a member",
	       "Where the given name is. `name_field` is split only where neither part is told.") },
	{ TEXT("family_name_field", family_name_field, "", grammar_field, "the name of a member",
	       "Where the family name is.") },
	{ TEXT("picture_field", picture_field, "", grammar_field, "the name of a member",
	       "Where the URL of a picture is.") },
	{ ENUM(oauth_token_auth, "token_auth", token_auth, "preset", words_token_auth,
	       "How the secret is sent: in the body or as HTTP basic authentication.") },
	{ ENUM(oauth_trust, "trust_email", trust_email, "preset", words_trust,
	       "Is an address proven when the provider says so? `true` only for providers that let nobody use an "
	       "address without a mail to it: whoever they say owns an address can sign up with it here.") },
	{ BOOL("pkce", pkce, "true", "Send PKCE to the provider. Where it is known not to know it, it is not sent.") },
	{ TEXT("team_id", team_id, "", grammar_apple_id, "10 letters and digits", "Apple: the team.") },
	{ TEXT("key_id", key_id, "", grammar_apple_id, "10 letters and digits", "Apple: the id of the key.") },
	{ .key = "private_key", .kind = SETTING_PEM, .offset = AT(struct secret, private_key), .def = "",
	  .help = "Apple: `file:` and the path of the key (.p8)." },
};
const size_t n_provider_settings = sizeof(provider_settings_table) / sizeof(provider_settings_table[0]);
_Static_assert(sizeof(provider_settings_table) / sizeof(provider_settings_table[0]) <= PROVIDER_KEYS_MAX,
	       "raise PROVIDER_KEYS_MAX");

/* ---- what follows from a row ---- */

void setting_env_name(const struct setting *s, struct buf *out)
{
	buf_lit(out, "SALLYPORT_");
	for (const char *p = s->key; *p != '\0'; p++) {
		if (*p >= 'a' && *p <= 'z')
			buf_byte(out, (char)(*p - ('a' - 'A')));
		else
			buf_byte(out, *p == '.' ? '_' : *p);
	}
}

static void list_words(const char *const *words, struct buf *out)
{
	for (size_t i = 0; words[i] != NULL; i++) {
		if (i > 0)
			buf_str(out, words[i + 1] == NULL ? STR(" or ") : STR(", "));
		buf_str(out, str_of_cstr(words[i]));
	}
}

void setting_allowed(const struct setting *s, struct buf *out)
{
	switch (s->kind) {
	case SETTING_TEXT:
	case SETTING_LIST: buf_str(out, str_of_cstr(s->what)); break;
	case SETTING_WORD:
	case SETTING_ENUM: list_words(s->words, out); break;
	case SETTING_BOOL: buf_lit(out, "true or false"); break;
	case SETTING_INT:
		buf_lit(out, "a whole number from ");
		buf_i64(out, s->min);
		buf_lit(out, " to ");
		buf_i64(out, s->max);
		break;
	case SETTING_SIZE:
		buf_lit(out, "a size from ");
		size_format(out, s->min);
		buf_lit(out, " to ");
		size_format(out, s->max);
		break;
	case SETTING_DURATION:
		buf_lit(out, "a duration from ");
		duration_format(out, s->min);
		buf_lit(out, " to ");
		duration_format(out, s->max);
		break;
	case SETTING_SECRET:
		buf_lit(out, "at least 32 random bytes as base64url or text, or file:/path");
		break;
	case SETTING_PASSWORD: buf_lit(out, "1 to 1024 bytes of text, or file:/path"); break;
	case SETTING_PEM: buf_lit(out, "file:/path of a private key in PEM"); break;
	case SETTING_UNSET: break;
	}
}

static bool equal_lists(const struct str_list *a, const struct str_list *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (!str_eq(a->items[i], b->items[i]))
			return false;
	}
	return true;
}

bool setting_equal(const struct setting *s, const struct config *a, const struct config *b)
{
	const void *x = setting_value(s, a), *y = setting_value(s, b);

	switch (s->kind) {
	case SETTING_TEXT:
	case SETTING_WORD: return str_eq(*(const str *)x, *(const str *)y);
	case SETTING_LIST: return equal_lists(x, y);
	case SETTING_ENUM: return *(const unsigned *)x == *(const unsigned *)y;
	case SETTING_BOOL: return *(const bool *)x == *(const bool *)y;
	case SETTING_INT:
	case SETTING_SIZE:
	case SETTING_DURATION: return *(const int64_t *)x == *(const int64_t *)y;
	case SETTING_SECRET:
	case SETTING_PASSWORD:
	case SETTING_PEM: return secret_equal(*(const struct secret *)x, *(const struct secret *)y);
	case SETTING_UNSET: break;
	}
	return false;
}
