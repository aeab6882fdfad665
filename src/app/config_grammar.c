#include "app/config_grammar.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/color.h"
#include "base/lang_tag.h"
#include "base/return_path.h"
#include "base/utf8.h"
#include "oauth/provider.h"
#include "oauth/redirect.h"

/* ---- addresses, paths, names ---- */

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

static bool is_unix(str s)
{
	/* sun_path has 108 bytes and wants its NUL */
	return str_starts(s, STR("unix:/")) && s.n > STR("unix:/").n && s.n - STR("unix:").n <= 107 &&
	       !str_ends(s, STR("/"));
}

bool grammar_listen(str s)
{
	return str_eq(s, STR("systemd")) || is_unix(s) || listen_is_tcp(s);
}

bool grammar_ops_listen(str s)
{
	return str_eq(s, STR("same")) || str_eq(s, STR("none")) || is_unix(s) || listen_is_tcp(s);
}

bool grammar_any(str s)
{
	(void)s;
	return true;
}

static bool has_brace(str s)
{
	return str_has_byte(s, '{') || str_has_byte(s, '}');
}

/* Without braces, or a printed store.url would be replaced in once more when read back. */
bool grammar_directory(str s)
{
	return s.n > 0 && !has_brace(s);
}

/* Lower-case host name or address, optional port. */
static bool is_authority(str s)
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
bool grammar_public_url(str s)
{
	str rest = after_scheme(s), authority, path;

	if (s.n == 0)
		return true;
	if (rest.n == 0 || str_ends(rest, STR("/")) || has_empty_segment(rest))
		return false;
	(void)str_cut(rest, '/', &authority, &path);
	return is_authority(authority) &&
	       all_of(path, "/._~-" UPPER);
}

bool grammar_prefix(str s)
{
	return s.n > 1 && s.p[0] == '/' && all_of(s, "/_-") && !str_ends(s, STR("/")) &&
	       !has_empty_segment(s);
}

/* An address or network, or "unix". A network of length 0 would let everybody choose the address
 * under which he is limited and logged. */
bool grammar_proxy(str s)
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
bool grammar_store(str s)
{
	str file = str_skip(s, STR("sqlite:").n), head, tail;

	if (!str_starts(s, STR("sqlite:")) || file.n == 0)
		return false;
	if (!str_cut(file, '{', &head, &tail))
		return !has_brace(file);
	return !has_brace(head) && str_starts(tail, STR("data_dir}")) &&
	       !has_brace(str_skip(tail, STR("data_dir}").n));
}

bool grammar_audience(str s)
{
	return s.n > 0 && s.n <= 255 && !str_has_byte(s, ' ');
}

bool grammar_site_name(str s)
{
	return s.n > 0 && utf8_points(s) <= 64;
}

/* ---- links, mail and SMS ---- */

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

/* myapp://auth, com.example.app://host/path; of an app under development exp://192.168.1.20:8081/--/auth */
static bool is_app_url(str s)
{
	str scheme = url_scheme(s), rest = str_skip(s, scheme.n), host, path, port;
	uint64_t n = 1;

	if (scheme.n < 2 || scheme.n > 63 || scheme.p[0] < 'a' || scheme.p[0] > 'z' ||
	    !all_of(scheme, "+.-") || scheme_is_taken(scheme) || !str_starts(rest, STR("://")))
		return false;
	rest = str_skip(rest, STR("://").n);
	if (str_ends(rest, STR("/")) || has_empty_segment(rest))
		return false;
	(void)str_cut(rest, '/', &host, &path);
	if (str_cut(host, ':', &host, &port) && (port.n == 0 || port.p[0] == '0' || !str_to_u64(port, 65535, &n)))
		return false;
	return host.n > 0 && host.n <= 253 && all_of(host, ".-") && all_of(path, "/._~-" UPPER);
}

bool grammar_site(str s)
{
	return after_scheme(s).n > 0 ? grammar_public_url(s) : is_app_url(s);
}

/* What browsers write into Origin: no path, no slash at the end. The "null" of pages without one is nobody's. */
bool grammar_web_origin(str s)
{
	str rest = str_skip(s, url_scheme(s).n);

	return grammar_site(s) && !str_has_byte(str_skip(rest, STR("://").n), '/');
}

bool grammar_header_name(str s)
{
	return s.n > 0 && s.n <= 64 && all_of(s, "!#$%&'+-.^_`|~" UPPER); /* no '*': it means nothing beside credentials */
}

static bool has_empty_label(str host)
{
	str label, rest = host;

	while (str_cut(rest, '.', &label, &rest)) {
		if (label.n == 0)
			return true;
	}
	return label.n == 0;
}

/* What browsers write into Host. */
bool grammar_forward_host(str s)
{
	char text[8 + 256];
	struct buf b = BUF_OF(text);

	buf_lit(&b, "https://");
	buf_str(&b, s);
	return !b.overflow && s.n > 0 && grammar_web_origin(buf_view(&b)) && !has_empty_label(url_host(buf_view(&b))) &&
	       !str_ends(s, STR(":443")) && !str_ends(s, STR(":80"));
}

bool grammar_cookie_domain(str s)
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

bool grammar_cookie_path(str s)
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
bool grammar_ehlo_name(str s)
{
	unsigned char bytes[16];
	str address = s;

	if (s.n == 0)
		return true;
	if (s.p[0] != '[')
		return s.n <= 253 && str_has_byte(s, '.') && is_dot_atom(s, UPPER "-") && !is_ip(AF_INET, s, bytes);
	if (s.n < 3 || s.p[s.n - 1] != ']')
		return false;
	address = (str){ s.p + 1, s.n - 2 };
	if (str_starts(address, STR("IPv6:")))
		return is_ip(AF_INET6, str_skip(address, 5), bytes);
	return is_ip(AF_INET, address, bytes);
}

bool grammar_address(str s)
{
	str local, domain;

	if (s.n == 0)
		return true;
	if (s.n > 254 || !str_cut(s, '@', &local, &domain) || local.n > 64)
		return false;
	return is_dot_atom(local, UPPER "#$&'*+-/=?^_`{|}~") && is_dot_atom(domain, UPPER "-") &&
	       str_has_byte(domain, '.') && !str_starts(domain, STR("-")) && !str_ends(domain, STR("-"));
}

bool grammar_label(str s)
{
	return utf8_points(s) <= 64;
}

bool grammar_lang(str s)
{
	struct lang_tag tags[LANG_TAGS_MAX];

	return !str_has_byte(s, ',') && !str_has_byte(s, ':') && lang_tags(s, tags) == 1;
}

bool grammar_smtp_url(str s)
{
	str scheme = url_scheme(s);

	if (s.n == 0)
		return true;
	if (!str_eq(scheme, STR("smtp")) && !str_eq(scheme, STR("smtps")))
		return false;
	return str_starts(str_skip(s, scheme.n), STR("://")) &&
	       is_authority(str_skip(s, scheme.n + STR("://").n));
}

/* What stands behind the authority: a path and perhaps a query. */
static bool is_request_target(str s)
{
	return s.n == 0 || ((s.p[0] == '/' || s.p[0] == '?') &&
			    all_of(s, UPPER "/?._~-!$&'()*+,;=:@%"));
}

/* https, or http to a service on this machine. Without user and password, which settings of their own
 * hold. */
bool grammar_service_url(str s)
{
	str rest = after_scheme(s);
	size_t n = 0;

	if (s.n == 0)
		return true;
	while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
		n++;
	if (!is_authority((str){ rest.p, n }) || !is_request_target(str_skip(rest, n)))
		return false;
	return str_starts(s, STR("https://")) ||
	       host_is_loopback(url_host((str){ s.p, s.n - rest.n + n }));
}

/* An issuer is compared byte by byte and has no query. */
bool grammar_issuer(str s)
{
	return grammar_service_url(s) && !str_has_byte(s, '?');
}

bool grammar_redirect(str s)
{
	return redirect_may_register(s);
}

bool grammar_preset(str s)
{
	return s.n == 0 || preset_find(s) != NULL;
}

bool grammar_word(str s)
{
	return s.n > 0 && s.n <= 255 && !str_has_byte(s, ' ');
}

/* "prompt=consent", encoded already. */
bool grammar_auth_param(str s)
{
	str name, value;

	return str_cut(s, '=', &name, &value) && name.n > 0 && all_of(name, "_-" UPPER) &&
	       all_of(value, UPPER "._~-%+:");
}

/* A member, or a way to one: "picture.data.url". */
bool grammar_field(str s)
{
	return s.n <= 64 && all_of(s, UPPER "._-:/");
}

bool grammar_tenant(str s)
{
	return s.n == 36 && all_of(s, "-");
}

bool grammar_apple_id(str s)
{
	return s.n == 0 || (s.n == 10 && all_of(s, UPPER));
}

/* com.example.app=AB:CD:… (32 pairs) */
bool grammar_android_app(str s)
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
bool grammar_apple_app(str s)
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
static bool is_service_url_path(str s)
{
	return grammar_service_url(without_fragment(s));
}

bool grammar_mail_dir(str s)
{
	return !has_brace(s);
}

/* "+39", "+1242": the beginning of numbers. */
bool grammar_number_prefix(str s)
{
	return s.n >= 2 && s.n <= 16 && s.p[0] == '+' && s.p[1] != '0' && all_digits(str_skip(s, 1));
}

bool grammar_country(str s)
{
	return str_eq(s, STR("any")) || grammar_number_prefix(s);
}

bool grammar_test_number(str s)
{
	str number, code;

	return str_cut(s, '=', &number, &code) && number.n >= 8 && grammar_number_prefix(number) &&
	       code.n == 6 && all_digits(code);
}

/* ---- the hosted pages ---- */

bool grammar_color(str s)
{
	struct color c;

	return s.n == 0 || color_parse(s, &c);
}

/* It stands in a header, in HTML and in a style sheet: nothing that could end any of them. */
bool grammar_page_url(str s)
{
	return all_of(s, UPPER "/?#._~-!$&+,=:@%") && (s.n == 0 || return_path_ok(s) || is_service_url_path(s));
}

bool grammar_picture_url(str s)
{
	return grammar_page_url(s) && !str_has_byte(s, '#') && !str_has_byte(s, ',');
}

bool grammar_file(str s)
{
	return !has_brace(s);
}
