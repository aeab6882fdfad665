#include "egress/ehlo.h"

#include <arpa/inet.h>
#include <string.h>

static bool is_address(int family, str s)
{
	unsigned char bytes[16];
	char text[INET6_ADDRSTRLEN];

	if (s.n == 0 || s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(family, text, bytes) == 1;
}

/* Labels of letters, digits and hyphens, more than one, and the last no number. */
static bool is_full_name(str s)
{
	str label = STR_NONE, rest = s;
	size_t n = 0;
	bool more = true;

	while (more) {
		more = str_cut(rest, '.', &label, &rest);
		for (size_t i = 0; i < label.n; i++) {
			char c = label.p[i];

			if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '-')
				return false;
		}
		if (label.n == 0 || label.n > 63)
			return false;
		n++;
	}
	return n >= 2 && s.n <= 253 && !(label.p[0] >= '0' && label.p[0] <= '9');
}

/* Of a URL; an IPv6 address without its brackets. */
static str host_of(str url)
{
	str scheme, rest, host;

	if (!str_cut(url, ':', &scheme, &rest))
		return STR_NONE;
	while (rest.n > 0 && rest.p[0] == '/')
		rest = str_skip(rest, 1);
	(void)str_cut(rest, '/', &host, &rest);
	if (str_starts(host, STR("[")) && str_cut(str_skip(host, 1), ']', &host, &rest))
		return host;
	(void)str_cut(host, ':', &host, &rest);
	return host;
}

static err_t literal(struct arena *mem, str address, str *ret)
{
	return arena_printf(mem, ret, "%%5B%s%.*s%%5D", is_address(AF_INET6, address) ? "IPv6:" : "", STR_ARG(address));
}

static err_t chosen(struct arena *mem, str name, str *ret)
{
	*ret = name;
	return str_starts(name, STR("[")) ? arena_printf(mem, ret, "%%5B%.*s%%5D", (int)name.n - 2, name.p + 1) : OK;
}

err_t ehlo_name(const struct config *cfg, struct arena *mem, str *ret)
{
	str host = host_of(cfg->server.public_url), local, domain;

	if (cfg->mail.ehlo_name.n > 0)
		return chosen(mem, cfg->mail.ehlo_name, ret);
	if (is_address(AF_INET, host) || is_address(AF_INET6, host))
		return literal(mem, host, ret);
	*ret = host;
	if (is_full_name(host))
		return OK;
	if (str_cut(cfg->mail.from, '@', &local, &domain) && is_full_name(domain)) {
		*ret = domain;
		return OK;
	}
	return literal(mem, STR("127.0.0.1"), ret);
}
