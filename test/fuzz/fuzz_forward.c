/* Where a browser may be sent back to: what is let pass begins with the scheme and a host of the list, and what is made
 * of it is the same address; whatever a proxy says, the place that is made of it is one that is let pass. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "domain/forward.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static bool is_listed(const struct config *cfg, str host)
{
	return str_list_has(&cfg->forward.hosts, host) || str_eq(host, STR("auth.example.test"));
}

/* As browsers read an address: the host ends at the first of these. */
static size_t host_end(str url, size_t from)
{
	while (from < url.n && strchr("/\\?#@", url.p[from]) == NULL)
		from++;
	return from;
}

static void check_url(struct ctx *c, str url)
{
	const size_t scheme = STR("https://").n;
	struct forward_target t;
	str again;

	if (!forward_read(c->cfg, url, &t))
		return;
	must(url.n <= FORWARD_URL_MAX && str_starts(url, STR("https://")) && is_listed(c->cfg, t.host));
	must(str_eq((str){ url.p + scheme, host_end(url, scheme) - scheme }, t.host));
	must(t.path.n > 0 && t.path.p[0] == '/');
	must(forward_url(c, &t, &again).code == ERR_OK);
	must(str_starts(again, url) && again.n <= url.n + 1);
	for (size_t i = 0; i < again.n; i++)
		must(again.p[i] > ' ' && again.p[i] < 0x7f && again.p[i] != '\\');
}

static void check_place(struct ctx *c, str uri)
{
	struct forward_target t = forward_place(c->cfg->forward.hosts.items[0], uri), back;
	str url;

	must(forward_url(c, &t, &url).code == ERR_OK);
	must(forward_read(c->cfg, url, &back) && str_eq(back.host, t.host) && str_eq(back.path, t.path));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static str hosts[] = { STR_INIT("app.example.test"), STR_INIT("wiki.example.org:8443") };
	static struct config cfg = { .server.public_url = STR_INIT("https://auth.example.test"), .forward.hosts = { hosts, 2 } };
	struct arena mem;
	struct ctx c = { .cfg = &cfg, .mem = &mem };
	str text = str_of_bytes(data, size), host;

	if (arena_init(&mem, ARENA_DEFAULT_BYTES).code != ERR_OK)
		return 0;
	check_url(&c, text);
	check_place(&c, text);
	host = forward_host(&cfg, text);
	must(host.n == 0 || (is_listed(&cfg, host) && str_eq_nocase(host, text)));
	(void)forward_browser_ok(text);
	arena_clear(&mem);
	return 0;
}
