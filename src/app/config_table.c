#include "app/config_table.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/clock.h"
#include "base/color.h"
#include "base/duration.h"
#include "base/return_path.h"
#include "base/utf8.h"
#include "crypto/password.h"
#include "oauth/provider.h"
#include "oauth/redirect.h"

#define KIB ((int64_t)1 << 10)
#define MIB ((int64_t)1 << 20)
#define GIB ((int64_t)1 << 30)
#define YEAR_MS (36525 * (MS_PER_DAY / 100))

/* ---- checks of text ---- */

#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool all_of(str s, const char *others)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && !str_has_byte(str_of_cstr(others), c))
			return false;
	}
	return true;
}

static bool is_ip(int family, str s, unsigned char ret[16])
{
	char text[INET6_ADDRSTRLEN];

	if (s.n >= sizeof(text) || str_has_byte(s, '\0'))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return s.n > 0 && inet_pton(family, text, ret) == 1;
}

static bool is_port(str s)
{
	uint64_t port;

	return s.n <= 5 && str_to_u64(s, 65535, &port);
}

/* "host:port", "[v6]:port" into its halves; the host without brackets. */
static bool split_host_port(str s, bool *ret_v6, str *ret_host, str *ret_port)
{
	str head, tail;

	*ret_v6 = str_starts(s, STR("["));
	if (!*ret_v6)
		return str_cut(s, ':', ret_host, ret_port);
	if (!str_cut(str_skip(s, 1), ']', &head, &tail) || !str_starts(tail, STR(":")))
		return false;
	*ret_host = head;
	*ret_port = str_skip(tail, 1);
	return true;
}

bool listen_is_tcp(str address)
{
	unsigned char ip[16];
	str host, port;
	bool v6;

	if (!split_host_port(address, &v6, &host, &port) || !is_port(port))
		return false;
	return is_ip(v6 ? AF_INET6 : AF_INET, host, ip) || (!v6 && str_eq(host, STR("localhost")));
}

bool host_is_loopback(str host)
{
	static const unsigned char one[16] = { [15] = 1 };
	unsigned char ip[16];

	if (is_ip(AF_INET, host, ip))
		return ip[0] == 127;
	if (is_ip(AF_INET6, host, ip))
		return memcmp(ip, one, sizeof(one)) == 0;
	return str_eq(host, STR("localhost"));
}

enum reach listen_reach(str address)
{
	str host, port;
	bool v6;

	if (str_eq(address, STR("none")) || str_eq(address, STR("same")))
		return REACH_NONE;
	if (str_starts(address, STR("unix:")))
		return REACH_LOCAL;
	if (!split_host_port(address, &v6, &host, &port) || !host_is_loopback(host))
		return REACH_ANY;
	return REACH_LOCAL;
}

static bool check_unix(str s)
{
	/* sun_path has 108 bytes and wants its NUL */
	return str_starts(s, STR("unix:/")) && s.n > STR("unix:/").n && s.n - STR("unix:").n <= 107 &&
	       !str_ends(s, STR("/"));
}

static bool check_listen(str s)
{
	return str_eq(s, STR("systemd")) || check_unix(s) || listen_is_tcp(s);
}

static bool check_ops_listen(str s)
{
	return str_eq(s, STR("same")) || str_eq(s, STR("none")) || check_unix(s) || listen_is_tcp(s);
}

static bool check_any(str s)
{
	(void)s;
	return true;
}

static bool has_brace(str s)
{
	return str_has_byte(s, '{') || str_has_byte(s, '}');
}

/* Without braces, or a printed store.url would be replaced in once more when read back. */
static bool check_directory(str s)
{
	return s.n > 0 && !has_brace(s);
}

/* Lower-case host name or address, optional port. */
static bool check_authority(str s)
{
	unsigned char ip[16];
	str host, port;
	bool v6;

	if (split_host_port(s, &v6, &host, &port) && !is_port(port))
		return false;
	if (str_starts(s, STR("["))) {
		if (!str_cut(str_skip(s, 1), ']', &host, &port) || (port.n > 0 && port.p[0] != ':'))
			return false;
		return is_ip(AF_INET6, host, ip);
	}
	(void)str_cut(s, ':', &host, &port);
	return host.n > 0 && host.n <= 253 && all_of(host, ".-");
}

static str after_scheme(str url)
{
	if (str_starts(url, STR("https://")))
		return str_skip(url, STR("https://").n);
	if (str_starts(url, STR("http://")))
		return str_skip(url, STR("http://").n);
	return STR_NONE;
}

str url_scheme(str url)
{
	str scheme, rest;

	(void)str_cut(url, ':', &scheme, &rest);
	return scheme;
}

str url_host(str url)
{
	str authority, path, host, port;

	(void)str_cut(str_skip(url, url_scheme(url).n + STR("://").n), '/', &authority, &path);
	if (str_starts(authority, STR("["))) {
		(void)str_cut(str_skip(authority, 1), ']', &host, &port);
		return host;
	}
	(void)str_cut(authority, ':', &host, &port);
	return host;
}

static bool has_empty_segment(str path)
{
	for (size_t i = 1; i < path.n; i++) {
		if (path.p[i - 1] == '/' && path.p[i] == '/')
			return true;
	}
	return false;
}

/* Empty: taken from server.listen. */
static bool check_public_url(str s)
{
	str rest = after_scheme(s), authority, path;

	if (s.n == 0)
		return true;
	if (rest.n == 0 || str_ends(rest, STR("/")) || has_empty_segment(rest))
		return false;
	(void)str_cut(rest, '/', &authority, &path);
	return check_authority(authority) &&
	       all_of(path, "/._~-" UPPER);
}

static bool check_prefix(str s)
{
	return s.n > 1 && s.p[0] == '/' && all_of(s, "/_-") && !str_ends(s, STR("/")) &&
	       !has_empty_segment(s);
}

/* An address or network, or "unix". A network of length 0 would let everybody choose the address
 * under which he is limited and logged. */
static bool check_proxy(str s)
{
	unsigned char ip[16];
	uint64_t length = 1;
	str address, prefix;
	bool has_prefix = str_cut(s, '/', &address, &prefix), v4 = is_ip(AF_INET, address, ip);

	if (str_eq(s, STR("unix")))
		return true;
	if (!v4 && !is_ip(AF_INET6, address, ip))
		return false;
	return !has_prefix ||
	       (prefix.n <= 3 && str_to_u64(prefix, v4 ? 32 : 128, &length) && length > 0);
}

/* {data_dir} may stand anywhere in the name, once; other braces are a misspelling of it. */
static bool check_store(str s)
{
	str file = str_skip(s, STR("sqlite:").n), head, tail;

	if (!str_starts(s, STR("sqlite:")) || file.n == 0)
		return false;
	if (!str_cut(file, '{', &head, &tail))
		return !has_brace(file);
	return !has_brace(head) && str_starts(tail, STR("data_dir}")) &&
	       !has_brace(str_skip(tail, STR("data_dir}").n));
}

static bool check_audience(str s)
{
	return s.n > 0 && s.n <= 255 && !str_has_byte(s, ' ');
}

static bool check_site_name(str s)
{
	return s.n > 0 && utf8_points(s) <= 64;
}

/* ---- checks of text: links, mail and SMS ---- */

static bool all_digits(str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return true;
}

/* Schemes that a browser or a phone handles itself: a link to them would run, read or open something
 * that is no app of ours. */
static bool scheme_is_taken(str scheme)
{
	static const char *const taken[] = { "http", "https", "javascript", "data", "file", "vbscript", "blob",
					     "about", "content", "intent", "filesystem", "view-source", "ws",
					     "wss", "ftp" };

	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		if (str_eq(scheme, str_of_cstr(taken[i])))
			return true;
	}
	return str_starts(scheme, STR("chrome")) || str_starts(scheme, STR("ms-"));
}

/* myapp://auth, com.example.app://host/path */
static bool check_app_url(str s)
{
	str scheme = url_scheme(s), rest = str_skip(s, scheme.n), host, path;

	if (scheme.n < 2 || scheme.n > 63 || scheme.p[0] < 'a' || scheme.p[0] > 'z' ||
	    !all_of(scheme, "+.-") || scheme_is_taken(scheme) || !str_starts(rest, STR("://")))
		return false;
	rest = str_skip(rest, STR("://").n);
	if (str_ends(rest, STR("/")) || has_empty_segment(rest))
		return false;
	(void)str_cut(rest, '/', &host, &path);
	return host.n > 0 && host.n <= 253 && all_of(host, ".-") && all_of(path, "/._~-" UPPER);
}

static bool check_site(str s)
{
	return after_scheme(s).n > 0 ? check_public_url(s) : check_app_url(s);
}

/* What browsers write into Origin: no path, no slash at the end. The "null" of pages without one is nobody's. */
static bool check_web_origin(str s)
{
	str rest = str_skip(s, url_scheme(s).n);

	return check_site(s) && !str_has_byte(str_skip(rest, STR("://").n), '/');
}

static bool check_cookie_domain(str s)
{
	str label, rest = s;

	if (s.n == 0)
		return true;
	if (s.n > 253 || !str_has_byte(s, '.') || !all_of(s, ".-"))
		return false;
	while (rest.n > 0) {
		(void)str_cut(rest, '.', &label, &rest);
		if (label.n == 0 || str_starts(label, STR("-")) || str_ends(label, STR("-")))
			return false;
	}
	return !str_ends(s, STR("."));
}

static bool check_cookie_path(str s)
{
	return s.n > 0 && s.n <= 255 && s.p[0] == '/' && all_of(s, "/_-" UPPER) && !has_empty_segment(s);
}

static bool is_dot_atom(str s, const char *others)
{
	str label, rest = s;

	while (str_cut(rest, '.', &label, &rest)) {
		if (label.n == 0 || !all_of(label, others))
			return false;
	}
	return label.n > 0 && all_of(label, others);
}

/* One addr-spec in ASCII, as domain/email.h takes it from users. */
static bool check_address(str s)
{
	str local, domain;

	if (s.n == 0)
		return true;
	if (s.n > 254 || !str_cut(s, '@', &local, &domain) || local.n > 64)
		return false;
	return is_dot_atom(local, UPPER "#$&'*+-/=?^_`{|}~") && is_dot_atom(domain, UPPER "-") &&
	       str_has_byte(domain, '.') && !str_starts(domain, STR("-")) && !str_ends(domain, STR("-"));
}

static bool check_label(str s)
{
	return utf8_points(s) <= 64;
}

static bool check_lang(str s)
{
	bool fit = s.n >= 2 && s.n <= 10;

	for (size_t i = 0; fit && i < s.n; i++)
		fit = s.p[i] == '-' || (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z');
	return fit;
}

static bool check_smtp_url(str s)
{
	str scheme = url_scheme(s);

	if (s.n == 0)
		return true;
	if (!str_eq(scheme, STR("smtp")) && !str_eq(scheme, STR("smtps")))
		return false;
	return str_starts(str_skip(s, scheme.n), STR("://")) &&
	       check_authority(str_skip(s, scheme.n + STR("://").n));
}

/* What stands behind the authority: a path and perhaps a query. */
static bool is_request_target(str s)
{
	return s.n == 0 || ((s.p[0] == '/' || s.p[0] == '?') &&
			    all_of(s, UPPER "/?._~-!$&'()*+,;=:@%"));
}

/* https, or http to a service on this machine. Without user and password, which settings of their own
 * hold. */
static bool check_service_url(str s)
{
	str rest = after_scheme(s);
	size_t n = 0;

	if (s.n == 0)
		return true;
	while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
		n++;
	if (!check_authority((str){ rest.p, n }) || !is_request_target(str_skip(rest, n)))
		return false;
	return str_starts(s, STR("https://")) ||
	       host_is_loopback(url_host((str){ s.p, s.n - rest.n + n }));
}

/* An issuer is compared byte by byte and has no query. */
static bool check_issuer(str s)
{
	return check_service_url(s) && !str_has_byte(s, '?');
}

static bool check_redirect(str s)
{
	return redirect_may_register(s);
}

static bool check_preset(str s)
{
	return s.n == 0 || preset_find(s) != NULL;
}

static bool check_word(str s)
{
	return s.n > 0 && s.n <= 255 && !str_has_byte(s, ' ');
}

/* "prompt=consent", encoded already. */
static bool check_auth_param(str s)
{
	str name, value;

	return str_cut(s, '=', &name, &value) && name.n > 0 && all_of(name, "_-" UPPER) &&
	       all_of(value, UPPER "._~-%+:");
}

/* A member, or a way to one: "picture.data.url". */
static bool check_field(str s)
{
	return s.n <= 64 && all_of(s, UPPER "._-:/");
}

static bool check_tenant(str s)
{
	return s.n == 36 && all_of(s, "-");
}

static bool check_apple_id(str s)
{
	return s.n == 0 || (s.n == 10 && all_of(s, UPPER));
}

/* com.example.app=AB:CD:… (32 pairs) */
static bool check_android_app(str s)
{
	str package, print;

	if (!str_cut(s, '=', &package, &print) || !is_dot_atom(package, "_" UPPER) || print.n != 95)
		return false;
	for (size_t i = 0; i < print.n; i++) {
		char c = print.p[i];

		if (i % 3 == 2 ? c != ':' : !((c >= '0' && c <= '9') || (c >= 'A' && c <= 'F')))
			return false;
	}
	return true;
}

/* TEAMID1234.com.example.app */
static bool check_apple_app(str s)
{
	str team, bundle;

	return str_cut(s, '.', &team, &bundle) && team.n == 10 && all_of(team, UPPER) &&
	       is_dot_atom(bundle, "-" UPPER);
}

static str without_fragment(str s)
{
	str head, fragment;

	(void)str_cut(s, '#', &head, &fragment);
	return head;
}

/* The same, perhaps with a '#' and what stands behind it. */
static bool check_service_url_path(str s)
{
	return check_service_url(without_fragment(s));
}

static bool check_mail_dir(str s)
{
	return !has_brace(s);
}

/* "+39", "+1242": the beginning of numbers. */
static bool check_number_prefix(str s)
{
	return s.n >= 2 && s.n <= 16 && s.p[0] == '+' && s.p[1] != '0' && all_digits(str_skip(s, 1));
}

static bool check_country(str s)
{
	return str_eq(s, STR("any")) || check_number_prefix(s);
}

static bool check_test_number(str s)
{
	str number, code;

	return str_cut(s, '=', &number, &code) && number.n >= 8 && check_number_prefix(number) &&
	       code.n == 6 && all_digits(code);
}

/* ---- checks of text: the hosted pages ---- */

static bool check_color(str s)
{
	struct color c;

	return s.n == 0 || color_parse(s, &c);
}

/* It stands in a header, in HTML and in a style sheet: nothing that could end any of them. */
static bool check_page_url(str s)
{
	return all_of(s, UPPER "/?#._~-!$&+,=:@%") && (s.n == 0 || return_path_ok(s) || check_service_url_path(s));
}

static bool check_picture_url(str s)
{
	return check_page_url(s) && !str_has_byte(s, '#') && !str_has_byte(s, ',');
}

static bool check_file(str s)
{
	return !has_brace(s);
}

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
	{ TEXT("server.listen", server.listen, "127.0.0.1:3000", check_listen,
	       "an address like 127.0.0.1:3000, [::1]:3000, localhost:3000, unix:/path, or systemd",
	       "Where the API is served: address and port, `unix:` and an absolute path, or `systemd` "
	       "for a socket handed over by the service manager. `--listen` overrides it."),
	  .restart = true },
	{ TEXT("server.data_dir", server.data_dir, "./data", check_directory, "the name of a directory, without braces",
	       "Directory of the store and the keys. `--data` and `SALLYPORT_DATA` override it."),
	  .restart = true },
	{ TEXT("server.public_url", server.public_url, "", check_public_url,
	       "an http:// or https:// URL in lower case without a slash at the end",
	       "The address clients use, and the issuer of tokens. Default: from `server.listen`.") },
	{ LIST("server.trusted_proxies", server.trusted_proxies, "", check_proxy,
	       "an address, a network like 10.0.0.0/8 (not /0), or unix",
	       "Reverse proxies whose forwarded client address is believed: addresses, networks, or "
	       "`unix` for those that connect through a Unix socket."),
	  .restart = true },
	{ LIST("server.hosts", server.hosts, "", check_audience, "a host name without port",
	       "Host names the API answers for; others get 421. None: any, since no answer or link is "
	       "ever built from the Host.") },
	{ TEXT("server.api_prefix", server.api_prefix, "/auth", check_prefix,
	       "a path like /auth: small letters, digits, - and _, without a slash at the end",
	       "Path under which the API is served."),
	  .restart = true },
	{ TEXT("server.tls_cert", server.tls_cert, "", check_any, "the name of a file",
	       "PEM file with the certificate chain. With `server.tls_key`: serve HTTPS. Read again at a "
	       "reload.") },
	{ TEXT("server.tls_key", server.tls_key, "", check_any, "the name of a file",
	       "PEM file with the private key of `server.tls_cert`.") },
	{ TEXT("server.ops_listen", server.ops_listen, "127.0.0.1:3001", check_ops_listen,
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
	{ DURATION("server.shutdown_timeout", server.shutdown_timeout_ms, "10s", A_TIMEOUT,
		   "Time for running requests to finish when the server stops.") },

	{ TEXT("store.url", store.url, "sqlite:{data_dir}/sallyport.db", check_store,
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
	{ LIST("token.audience", token.audience, "", check_audience,
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
	{ TEXT("cookie.domain", cookie.domain, "", check_cookie_domain, "a domain such as example.com",
	       "The domain whose hosts all get the cookies. None: only this server's own host, which is "
	       "safer.") },
	{ TEXT("cookie.path", cookie.path, "/", check_cookie_path,
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
	{ LIST("cors.origins", cors.origins, "", check_web_origin,
	       "an origin such as https://app.example.com: scheme, host and port only, in lower case",
	       "Other origins whose pages may call this server and read its answers. Compared exactly.") },

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
	      "Mails one recipient may be sent on request in ten minutes.") },
	{ INT("limits.mail_per_day", limits.mail_per_day, "10", A_BUDGET,
	      "Mails one recipient may be sent on request in a day.") },
	{ INT("limits.mail_network_per_hour", limits.mail_network_per_hour, "20", A_BUDGET,
	      "Mails one network may ask for in an hour.") },
	{ INT("limits.sms_per_hour", limits.sms_per_hour, "5", A_BUDGET,
	      "Text messages to one number in an hour.") },
	{ INT("limits.sms_per_day", limits.sms_per_day, "10", A_BUDGET,
	      "Text messages to one number in a day.") },
	{ INT("limits.sms_network_per_hour", limits.sms_network_per_hour, "10", A_BUDGET,
	      "Text messages one network may ask for in an hour.") },
	{ INT("limits.sms_range_per_hour", limits.sms_range_per_hour, "20", A_BUDGET,
	      "Text messages in an hour to numbers that differ in the last three digits only.") },
	{ INT("limits.sms_total_per_day", limits.sms_total_per_day, "1000", A_BUDGET,
	      "Text messages to all numbers together in a day: what a day can cost at most.") },
	{ INT("limits.bad_tokens", limits.bad_tokens, "20", A_BUDGET,
	      "Wrong link tokens and sign-in codes of one network in ten minutes before it has to wait.") },
	{ ENUM(brake_mode, "limits.brake", limits.brake, "alarm", words_brake,
	       "What happens while most sign-ins fail, over all accounts: nothing, a warning and a metric, or "
	       "also a proof of work asked of devices that are not known.") },
	{ INT("limits.brake_failures_per_s", limits.brake_failures_per_s, "20", 1, 1000000,
	      "More wrong passwords a second than this, over a minute, are that much.") },

	{ LIST("site.urls", site.urls, "", check_site,
	       "a URL in lower case without a slash at the end: http, https, or the scheme of an app",
	       "Where links in messages may lead, such as `https://app.example.com` or "
	       "`com.example.app://auth`. The first is the one for requests that name none. None: "
	       "`server.public_url`.") },
	{ ENUM(link_style, "site.app_links", site.app_links, "full", words_app_links,
	       "How links to the scheme of an app are built: with `server.api_prefix` in them, like "
	       "links to a web site, or short without it.") },
	{ TEXT("site.app_url", site.app_url, "", check_public_url,
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
	{ TEXT("mail.from", mail.from, "", check_address, "one e-mail address in ASCII, without a name",
	       "The sender of mails, in a domain your mail server may send for."),
	  .dev = "no-reply@localhost.localdomain" },
	{ TEXT("mail.from_name", mail.from_name, "", check_label, "a name of at most 64 characters",
	       "The name beside that address. None: `ui.site_name`.") },
	{ TEXT("mail.smtp_url", mail.smtp_url, "", check_smtp_url,
	       "smtp://host, smtp://host:port, smtps://host or smtps://host:port in lower case, without user, "
	       "password and path",
	       "The SMTP server: `smtp://host:587` for STARTTLS, `smtps://host:465` for TLS from the start."),
	  .hush = true },
	{ TEXT("mail.smtp_user", mail.smtp_user, "", check_any, "a name",
	       "User at the SMTP server. With `mail.smtp_password`.") },
	{ PASSWORD("mail.smtp_password", mail.smtp_password,
		   "Password of that user. Best `file:` and a path.") },
	{ ENUM(mail_tls, "mail.smtp_tls", mail.smtp_tls, "required", words_mail_tls,
	       "Protection of the connection to the SMTP server. opportunistic goes on without when the "
	       "server offers none, and is refused with a password; off is for a server on this machine.") },
	{ TEXT("mail.tls_ca", mail.tls_ca, "", check_any, "the name of a file",
	       "PEM file with certificate authorities that mail servers and SMS gateways may be certified "
	       "by. None: those of the system.") },
	{ TEXT("mail.http_url", mail.http_url, "", check_service_url, A_SERVICE,
	       "Where the HTTP mailer takes a mail as JSON."),
	  .hush = true },
	{ PASSWORD("mail.http_key", mail.http_key,
		   "Key for the HTTP mailer, sent as `X-API-Key`. Best `file:` and a path.") },
	{ TEXT("mail.http_provider", mail.http_provider, "", check_label, "a name of at most 64 characters",
	       "What the HTTP mailer is told as `provider`. None: nothing.") },
	{ TEXT("mail.default_lang", mail.default_lang, "en", check_lang,
	       "a language like en or pt-BR: 2 to 10 letters and hyphens",
	       "Language of messages when the request names none that there is.") },
	{ TEXT("mail.dir", mail.dir, "", check_mail_dir, "the name of a directory, without braces",
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
	{ TEXT("sms.url", sms.url, "", check_service_url, A_SERVICE,
	       "Where the gateway takes messages. A query of its own is kept. Not needed for Twilio."),
	  .hush = true },
	{ TEXT("sms.user", sms.user, "", check_any, "a name",
	       "User at the gateway; for Twilio the account SID.") },
	{ PASSWORD("sms.password", sms.password,
		   "Password of that user; for Twilio the auth token. Best `file:` and a path.") },
	{ PASSWORD("sms.key", sms.key,
		   "Key for the gateway, sent as `X-API-Key`. Best `file:` and a path.") },
	{ TEXT("sms.from", sms.from, "", check_label, "a number or name of at most 64 characters",
	       "Sender of text messages, where the gateway wants one: a number, a name, or for Twilio also "
	       "a messaging service.") },
	{ TEXT("sms.expect", sms.expect, "", check_any, "text",
	       "Text that the answer of the gateway must contain, for those that answer 200 to a message "
	       "they refuse. None: the status decides.") },
	{ LIST("sms.countries", sms.countries, "", check_country, "the beginning of numbers like +39, or any",
	       "Where text messages may go: country codes like `+39`, or `any`. Numbers elsewhere are "
	       "refused."),
	  .dev = "any" },
	{ LIST("sms.blocked", sms.blocked, "+979,+878,+881,+882,+883,+870,+888", check_number_prefix,
	       "the beginning of numbers like +979",
	       "Numbers never texted, whatever `sms.countries` says: premium, satellite and "
	       "international networks, where a message is dear.") },
	{ LIST("sms.test_numbers", sms.test_numbers, "", check_test_number,
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
	{ BOOL("twofactor.magic_link", twofactor.magic_link, "true",
	       "May a mailed link or code be the second factor? Weaker than an app; never for administrators.") },
	{ BOOL("twofactor.remember", twofactor.remember, "false",
	       "May a device be spared the second factor for a time, if its user asks? Never an administrator's.") },
	{ DURATION("twofactor.remember_ttl", twofactor.remember_ttl_ms, "30d", MS_PER_HOUR, 365 * MS_PER_DAY,
		   "For how long.") },
	{ DURATION("twofactor.admin_reset_delay", twofactor.admin_reset_delay_ms, "24h", 0, 30 * MS_PER_DAY,
		   "How long `sallyport user reset-2fa` waits before it removes the app of an administrator, who is "
		   "told at once and can call it off. `0s`: not at all.") },
	{ TEXT("totp.issuer", twofactor.issuer, "", check_label, "a name of at most 64 characters",
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
	{ TEXT("oauth.tls_ca", oauth.tls_ca, "", check_any, "the name of a file",
	       "PEM file with certificate authorities that providers may be certified by. None: those of the "
	       "system.") },
	{ INT("oauth.workers", oauth.workers, "8", 1, 256,
	      "Requests that may wait for providers at once, in threads of their own."),
	  .restart = true },
	{ LIST("native.redirect_uris", native.redirect_uris, "", check_redirect, A_REDIRECT,
	       "Where apps may be sent back to after a sign-in through a provider, each in full: "
	       "`https://app.example.com/auth`, `com.example.app:/auth`, `http://127.0.0.1/auth` (any port).") },
	{ LIST("native.android_apps", native.android_apps, "", check_android_app,
	       "a package, = and the SHA-256 fingerprint of its certificate as AB:CD:…",
	       "Apps that `/.well-known/assetlinks.json` names.") },
	{ LIST("native.apple_apps", native.apple_apps, "", check_apple_app,
	       "a team of 10 characters, a dot and a bundle",
	       "Apps that `/.well-known/apple-app-site-association` names.") },

	{ BOOL("notice.new_sign_in", notice.new_sign_in, "true",
	       "Tell users by mail about a sign-in from a device that was not known.") },

	{ DURATION("audit.retention", audit.retention_ms, "180d", MS_PER_HOUR, 100 * YEAR_MS,
		   "How long events are kept.") },

	{ BOOL("ui.enabled", ui.enabled, "true",
	       "Serve the pages below `{api_prefix}/ui/`, and let mailed links lead there.") },
	{ BOOL("ui.headless", ui.headless, "false",
	       "No pages, only `ui/config` and the scripts, for a web app with pages of its own.") },
	{ TEXT("ui.site_name", ui.site_name, "Sallyport", check_site_name, "a name of 1 to 64 characters",
	       "What users know the service as.") },
	{ TEXT("ui.primary_color", ui.primary_color, "", check_color, A_COLOR,
	       "Buttons and links. The text on it is black or white, whichever is easier to read.") },
	{ TEXT("ui.secondary_color", ui.secondary_color, "", check_color, A_COLOR, "What stands back.") },
	{ TEXT("ui.bg_color", ui.bg_color, "", check_color, A_COLOR,
	       "Behind the card. With it, or with `ui.card_bg`, pages look the same by day and by night.") },
	{ TEXT("ui.card_bg", ui.card_bg, "", check_color, A_COLOR, "The card with the form.") },
	{ TEXT("ui.bg_image", ui.bg_image, "", check_picture_url, A_PAGE, "Picture behind the card.") },
	{ TEXT("ui.bg_file", ui.bg_file, "", check_file, A_FILE,
	       "The same as a file, served by us: PNG, JPEG or WebP of at most 1 MiB, read at start.") },
	{ TEXT("ui.logo_url", ui.logo_url, "", check_picture_url, A_PAGE, "Picture beside the name.") },
	{ TEXT("ui.logo_file", ui.logo_file, "", check_file, A_FILE,
	       "The same as a file, served by us: PNG, JPEG or WebP of at most 256 KiB, read at start.") },
	{ TEXT("ui.css_file", ui.css_file, "", check_file, A_FILE,
	       "A style sheet of one's own, after ours: at most 64 KiB, read at start.") },
	{ TEXT("ui.home_url", ui.home_url, "", check_page_url, A_PAGE,
	       "Where people go after signing in. None: the page about their account.") },
	{ TEXT("ui.login_url", ui.login_url, "", check_page_url, A_PAGE,
	       "A sign-in page of one's own, told to scripts and apps.") },
	{ TEXT("ui.register_url", ui.register_url, "", check_page_url, A_PAGE,
	       "A sign-up page of one's own, told to scripts and apps.") },
	{ WORD("ui.frame_ancestors", ui.frame_ancestors, "none", words_frame,
	       "Who may show the pages in a frame: nobody, or pages of the same origin.") },
	{ TEXT("ui.csp_report_url", ui.csp_report_url, "", check_picture_url, A_PAGE,
	       "Where browsers report what the content security policy of a page has stopped.") },
	{ TEXT("ui.lang_dir", ui.lang_dir, "", check_file, "the name of a directory, without braces",
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
	{ TEXT("preset", preset, "", check_preset,
	       "google, github, apple, microsoft, facebook, gitlab, discord, linkedin, twitch, spotify or slack",
	       "Which well-known provider this is. Not needed when the section has its name.") },
	{ TEXT("label", label, "", check_label, "a name of at most 64 characters", "What buttons say.") },
	{ TEXT("issuer", issuer, "", check_issuer, A_SERVICE,
	       "Any OpenID provider: exactly its issuer; everything else is asked from there.") },
	{ TEXT("authorize_url", authorize_url, "", check_service_url, A_SERVICE, "Where people sign in.") },
	{ TEXT("token_url", token_url, "", check_service_url, A_SERVICE, "Where codes are exchanged.") },
	{ TEXT("userinfo_url", userinfo_url, "", check_service_url, A_SERVICE, "Where the profile is.") },
	{ TEXT("emails_url", emails_url, "", check_service_url, A_SERVICE,
	       "Where a list of addresses is, like that of GitHub.") },
	{ TEXT("jwks_url", jwks_url, "", check_service_url, A_SERVICE, "Where the keys of ID tokens are.") },
	{ TEXT("revoke_url", revoke_url, "", check_service_url, A_SERVICE, "Where tokens are given back.") },
	{ LIST("client_id", client_id, "", check_word, "an id without blanks",
	       "The id your application has there. The first is used in browsers; ID tokens of apps may be "
	       "for any of them.") },
	{ PASSWORD("client_secret", client_secret, "The secret that goes with it. Best `file:` and a path.") },
	{ LIST("scopes", scopes, "", check_word, "a scope without blanks", "What is asked for, if not the usual.") },
	{ LIST("redirect_uris", redirect_uris, "", check_redirect, A_REDIRECT,
	       "Where apps may be sent back to after a sign-in through this provider, beside "
	       "`native.redirect_uris`.") },
	{ LIST("tenants", tenants, "", check_tenant, "the id of a directory in lower case",
	       "Microsoft: directories whose users may sign in.") },
	{ LIST("auth_params", auth_params, "", check_auth_param, "name=value, encoded for a URL",
	       "More for the address where people sign in, like `prompt=select_account`.") },
	{ TEXT("id_field", id_field, "", check_field, "the name of a member", "Where the profile says who it is.") },
	{ TEXT("email_field", email_field, "", check_field, "the name of a member", "Where its address is.") },
	{ TEXT("email_verified_field", email_verified_field, "", check_field, "the name of a member",
	       "Where it says whether the address is proven.") },
	{ TEXT("name_field", name_field, "", check_field, "the name of a member", "Where the name is.") },
	{ TEXT("picture_field", picture_field, "", check_field, "the name of a member",
	       "Where the URL of a picture is.") },
	{ ENUM(oauth_token_auth, "token_auth", token_auth, "preset", words_token_auth,
	       "How the secret is sent: in the body or as HTTP basic authentication.") },
	{ ENUM(oauth_trust, "trust_email", trust_email, "preset", words_trust,
	       "Is an address proven when the provider says so? `true` only for providers that let nobody use an "
	       "address without a mail to it: whoever they say owns an address can sign up with it here.") },
	{ BOOL("pkce", pkce, "true", "Send PKCE to the provider. Where it is known not to know it, it is not sent.") },
	{ TEXT("team_id", team_id, "", check_apple_id, "10 letters and digits", "Apple: the team.") },
	{ TEXT("key_id", key_id, "", check_apple_id, "10 letters and digits", "Apple: the id of the key.") },
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
