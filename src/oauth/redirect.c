#include "oauth/redirect.h"

#include <string.h>

#define SCHEME_MIN 3
#define SCHEME_MAX 63

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* ---- schemes ---- */

static bool scheme_is_spelt(str s)
{
	if (s.n < SCHEME_MIN || s.n > SCHEME_MAX || !is_lower(s.p[0]))
		return false;
	for (size_t i = 1; i < s.n; i++) {
		char c = s.p[i];

		if (!is_lower(c) && !is_digit(c) && c != '+' && c != '.' && c != '-')
			return false;
	}
	return true;
}

/* What browsers and systems act on themselves. */
static bool scheme_is_taken(str s)
{
	static const char *const taken[] = {
		"about",  "blob", "content",    "data",   "file",        "filesystem", "ftp",  "ftps", "geo",
		"intent", "jar",  "javascript", "mailto", "market",      "resource",   "sftp", "sms",  "smsto",
		"tel",    "urn",  "vbscript",   "view-source", "ws",     "wss",
	};
	static const char *const families[] = { "chrome", "ms-", "moz-", "web+", "itms", "android-app" };

	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		if (str_eq(s, str_of_cstr(taken[i])))
			return true;
	}
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (str_starts(s, str_of_cstr(families[i])))
			return true;
	}
	return false;
}

static str scheme_of(str uri, str *ret_rest)
{
	str scheme;

	*ret_rest = STR_NONE;
	(void)str_cut(uri, ':', &scheme, ret_rest);
	return scheme;
}

bool redirect_is_web(str uri)
{
	return str_starts(uri, STR("https://")) || str_starts(uri, STR("http://"));
}

bool redirect_is_short(str uri)
{
	str rest;

	return !redirect_is_web(uri) && !str_has_byte(scheme_of(uri, &rest), '.');
}

/* ---- parts ---- */

/* No dot segments and no empty ones, which some parser would fold. */
static bool path_is_plain(str path)
{
	str segment, rest = path;

	if (path.n == 0)
		return true;
	if (path.p[0] != '/')
		return false;
	for (size_t i = 0; i < path.n; i++) {
		char c = path.p[i];

		if (!is_lower(c) && !is_upper(c) && !is_digit(c) && (c == '\0' || strchr("/._~-", c) == NULL))
			return false;
	}
	rest = str_skip(path, 1);
	while (str_cut(rest, '/', &segment, &rest)) {
		if (segment.n == 0 || str_eq(segment, STR(".")) || str_eq(segment, STR("..")))
			return false;
	}
	return !str_eq(segment, STR(".")) && !str_eq(segment, STR(".."));
}

static bool host_is_plain(str host)
{
	str label, rest = host;

	if (host.n == 0 || host.n > 253)
		return false;
	for (size_t i = 0; i < host.n; i++) {
		if (!is_lower(host.p[i]) && !is_digit(host.p[i]) && host.p[i] != '.' && host.p[i] != '-')
			return false;
	}
	while (str_cut(rest, '.', &label, &rest)) {
		if (label.n == 0)
			return false;
	}
	return label.n > 0;
}

static bool port_is_plain(str port)
{
	uint64_t n;

	return port.n > 0 && port.p[0] != '0' && str_to_u64(port, 65535, &n);
}

/* ":8080/path" into the two; false when what stands before the path is no port. */
static bool split_port(str rest, str *ret_path)
{
	str port, path;
	bool has_path;

	if (rest.n == 0 || rest.p[0] == '/') {
		*ret_path = rest;
		return true;
	}
	if (rest.p[0] != ':')
		return false;
	has_path = str_cut(str_skip(rest, 1), '/', &port, &path);
	*ret_path = has_path ? (str){ path.p - 1, path.n + 1 } : STR("");
	return port_is_plain(port);
}

/* What follows "http://127.0.0.1" or its IPv6 brother: the address and the path. */
static bool is_loopback(str uri, str *ret_host, str *ret_path)
{
	static const str hosts[] = { STR_INIT("http://127.0.0.1"), STR_INIT("http://[::1]") };

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		if (!str_starts(uri, hosts[i]))
			continue;
		*ret_host = hosts[i];
		return split_port(str_skip(uri, hosts[i].n), ret_path) && path_is_plain(*ret_path);
	}
	return false;
}

/* ---- the rules ---- */

/* "host", "host:port", either with a path. */
static bool host_and_path_are_plain(str rest)
{
	str path;
	size_t n = 0;

	while (n < rest.n && rest.p[n] != '/' && rest.p[n] != ':')
		n++;
	return host_is_plain((str){ rest.p, n }) && split_port(str_skip(rest, n), &path) && path_is_plain(path);
}

/* "scheme:/path", "scheme://host/path", or, while an app is developed, "scheme://host:port/path". */
static bool app_is_plain(str uri)
{
	str rest, scheme = scheme_of(uri, &rest);

	if (!scheme_is_spelt(scheme) || scheme_is_taken(scheme))
		return false;
	if (!str_starts(rest, STR("//")))
		return rest.n > 0 && path_is_plain(rest);
	return host_and_path_are_plain(str_skip(rest, 2));
}

bool redirect_may_register(str uri)
{
	str host, path;

	if (uri.n == 0 || uri.n > REDIRECT_MAX)
		return false;
	if (str_starts(uri, STR("https://")))
		return host_and_path_are_plain(str_skip(uri, STR("https://").n));
	if (str_starts(uri, STR("http:")))
		return is_loopback(uri, &host, &path);
	return !str_starts(uri, STR("https:")) && app_is_plain(uri);
}

static bool same_but_port(str registered, str uri)
{
	str host, path, other_host, other_path;

	return is_loopback(registered, &host, &path) && is_loopback(uri, &other_host, &other_path) &&
	       str_eq(host, other_host) && str_eq(path, other_path);
}

bool redirect_is_registered(const struct str_list *registered, str uri)
{
	for (size_t i = 0; i < registered->n; i++) {
		if (str_eq(registered->items[i], uri) || same_but_port(registered->items[i], uri))
			return true;
	}
	return false;
}
