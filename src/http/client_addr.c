#include "http/client_addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define HOPS_MAX 32 /* the last ones count */

static const uint8_t v4_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static bool is_v4(const uint8_t addr[CLIENT_ADDR_LEN])
{
	return memcmp(addr, v4_prefix, sizeof(v4_prefix)) == 0;
}

static void put_v4(const void *four_bytes, uint8_t ret[CLIENT_ADDR_LEN])
{
	memcpy(ret, v4_prefix, sizeof(v4_prefix));
	memcpy(ret + sizeof(v4_prefix), four_bytes, 4);
}

static bool bare_addr_parse(str text, uint8_t ret[CLIENT_ADDR_LEN])
{
	char copy[INET6_ADDRSTRLEN]; /* public: an address */
	struct in_addr v4;

	if (text.n == 0 || text.n >= sizeof(copy) || str_has_byte(text, '\0'))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (inet_pton(AF_INET, copy, &v4) == 1) {
		put_v4(&v4, ret);
		return true;
	}
	return inet_pton(AF_INET6, copy, ret) == 1;
}

static bool port_ok(str port)
{
	uint64_t v;

	return port.p == NULL || str_to_u64(port, 65535, &v);
}

bool client_addr_parse(str text, uint8_t ret[CLIENT_ADDR_LEN])
{
	str addr, port;

	if (str_starts(text, STR("["))) {
		if (!str_cut(str_skip(text, 1), ']', &addr, &port))
			return false;
		if (port.n > 0 && port.p[0] != ':')
			return false;
		port = port.n > 0 ? str_skip(port, 1) : STR_NONE;
		return str_has_byte(addr, ':') && port_ok(port) && bare_addr_parse(addr, ret);
	}
	if (bare_addr_parse(text, ret))
		return true;
	(void)str_cut(text, ':', &addr, &port); /* "192.0.2.1:80"; bare IPv6 has been read above */
	return port_ok(port) && bare_addr_parse(addr, ret) && is_v4(ret);
}

void client_of_sockaddr(const struct sockaddr *sa, struct client *ret)
{
	*ret = (struct client){ .is_unix = sa->sa_family != AF_INET && sa->sa_family != AF_INET6 };
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof(in));
		put_v4(&in.sin_addr, ret->addr);
	} else if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof(in6));
		memcpy(ret->addr, &in6.sin6_addr, CLIENT_ADDR_LEN);
	}
}

void client_text(const struct client *who, char out[46])
{
	bool v4 = is_v4(who->addr);

	if (who->is_unix ||
	    inet_ntop(v4 ? AF_INET : AF_INET6, who->addr + (v4 ? 12 : 0), out, 46) == NULL)
		memcpy(out, "unix", sizeof("unix"));
}

/* ---- trusted proxies ---- */

static bool cidr_parse(str text, struct cidr *ret)
{
	uint64_t bits, max;
	str addr, length;

	(void)str_cut(text, '/', &addr, &length);
	if (!bare_addr_parse(addr, ret->addr))
		return false;
	max = is_v4(ret->addr) && !str_has_byte(addr, ':') ? 32 : 128;
	bits = max;
	if (length.p != NULL && !str_to_u64(length, max, &bits))
		return false;
	ret->bits = (unsigned)(bits + 128 - max);
	return true;
}

static bool cidr_has(const struct cidr *c, const uint8_t addr[CLIENT_ADDR_LEN])
{
	size_t whole = c->bits / 8;
	unsigned rest = c->bits % 8;

	if (memcmp(c->addr, addr, whole) != 0)
		return false;
	return rest == 0 || (c->addr[whole] ^ addr[whole]) >> (8 - rest) == 0;
}

err_t proxies_init(struct proxies *p, const struct str_list *list, str *ret_bad)
{
	struct proxies made = { .items = calloc(list->n + 1, sizeof(*made.items)) };

	REQUIRE(made.items != NULL, ERR_NO_MEMORY);
	for (size_t i = 0; i < list->n; i++) {
		str item = str_trim(list->items[i]);

		if (str_eq(item, STR("unix"))) {
			made.trust_unix = true;
		} else if (!cidr_parse(item, &made.items[made.n++])) {
			proxies_clear(&made);
			*ret_bad = item;
			FAIL(ERR_CONFIG);
		}
	}
	*p = made;
	return OK;
}

void proxies_clear(struct proxies *p)
{
	free(p->items);
	*p = (struct proxies){ 0 };
}

bool proxies_trust(const struct proxies *p, const struct client *who)
{
	if (who->is_unix)
		return p->trust_unix;
	for (size_t i = 0; i < p->n; i++) {
		if (cidr_has(&p->items[i], who->addr))
			return true;
	}
	return false;
}

/* ---- what proxies report ---- */

/* One reported step; `known` is false for "unknown", "_hidden" and rubbish. */
struct hop {
	struct client who;
	bool known;
};

/* The last HOPS_MAX of them, in a ring. */
struct hops {
	struct hop items[HOPS_MAX];
	size_t n;
	bool broken; /* not to be believed at all */
};

static void add_hop(struct hops *h, str addr, bool https)
{
	struct hop *hop = &h->items[h->n++ % HOPS_MAX];

	*hop = (struct hop){ .who = { .https = https } };
	hop->known = client_addr_parse(addr, hop->who.addr);
}

static void read_forwarded_for(const struct client_values *values, bool https, struct hops *h)
{
	for (size_t i = 0; i < values->n; i++) {
		str item, rest = values->items[i];
		bool more = true;

		while (more) {
			more = str_cut(rest, ',', &item, &rest);
			item = str_trim(item);
			if (item.n > 0) /* RFC 9110 §5.6.1: an empty element of a list is none */
				add_hop(h, item, https);
		}
	}
}

/* Where an unquoted `sep` stands next, or s.n; *ret_ok is false when a quote stays open. */
static size_t find_unquoted(str s, char sep, bool *ret_ok)
{
	bool quoted = false;

	for (size_t i = 0; i < s.n; i++) {
		if (quoted && s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			quoted = !quoted;
		else if (!quoted && s.p[i] == sep)
			return i;
	}
	*ret_ok = *ret_ok && !quoted;
	return s.n;
}

static bool cut_unquoted(str s, char sep, str *ret_head, str *ret_tail, bool *ret_ok)
{
	size_t at = find_unquoted(s, sep, ret_ok);

	*ret_head = str_trim((str){ s.p, at });
	*ret_tail = str_skip(s, at + 1);
	return at < s.n;
}

/* A quoted value without its quotes. Addresses need no escapes, so one with a '\' is no address. */
static str unquote(str v)
{
	if (v.n >= 2 && v.p[0] == '"' && v.p[v.n - 1] == '"')
		return (str){ v.p + 1, v.n - 2 };
	return v;
}

/* RFC 7239 §4: for=…;proto=…;by=…;host=… */
static void read_element(str element, struct hops *h)
{
	str pair, name, value, addr = STR_NONE;
	bool more = true, https = false, ok = true;

	while (more) {
		more = cut_unquoted(element, ';', &pair, &element, &ok);
		if (!str_cut(pair, '=', &name, &value))
			continue;
		if (str_eq_nocase(name, STR("for")))
			addr = unquote(value);
		else if (str_eq_nocase(name, STR("proto")))
			https = str_eq_nocase(unquote(value), STR("https"));
	}
	h->broken = h->broken || !ok;
	add_hop(h, addr, https);
}

static void read_forwarded(const struct client_values *values, struct hops *h)
{
	for (size_t i = 0; i < values->n; i++) {
		str element, rest = values->items[i];
		bool more = true, ok = true;

		while (more) {
			more = cut_unquoted(rest, ',', &element, &rest, &ok);
			if (element.n > 0)
				read_element(element, h);
		}
		h->broken = h->broken || !ok;
	}
}

/* From the right: each trusted address vouches for the one before it. */
static void walk(const struct proxies *p, const struct client *peer, const struct hops *h,
		 struct client *ret)
{
	size_t first = h->n > HOPS_MAX ? h->n - HOPS_MAX : 0;

	*ret = *peer;
	for (size_t i = h->n; !h->broken && i > first && proxies_trust(p, ret); i--) {
		const struct hop *hop = &h->items[(i - 1) % HOPS_MAX];

		if (!hop->known)
			break;
		*ret = hop->who;
	}
}

/* The nearest proxy's word is the last item. */
static bool last_is_https(const struct client_values *values)
{
	str item, last = STR_NONE, rest;
	bool more = true;

	if (values->n == 0)
		return false;
	rest = values->items[values->n - 1];
	while (more) {
		more = str_cut(rest, ',', &item, &rest);
		item = str_trim(item);
		if (item.n > 0)
			last = item;
	}
	return str_eq_nocase(last, STR("https"));
}

static bool same_client(const struct client *a, const struct client *b)
{
	return a->is_unix == b->is_unix && memcmp(a->addr, b->addr, CLIENT_ADDR_LEN) == 0;
}

void client_find(const struct proxies *p, const struct client *peer,
		 const struct client_values *forwarded_for,
		 const struct client_values *forwarded_proto, const struct client_values *forwarded,
		 struct client *ret)
{
	struct hops list = { 0 }, elements = { 0 };
	struct client other;

	*ret = *peer;
	if (!proxies_trust(p, peer) || forwarded_for->n > CLIENT_VALUES_MAX ||
	    forwarded_proto->n > CLIENT_VALUES_MAX || forwarded->n > CLIENT_VALUES_MAX)
		return;
	ret->https = last_is_https(forwarded_proto);
	read_forwarded_for(forwarded_for, ret->https, &list);
	read_forwarded(forwarded, &elements);
	if (list.n > 0)
		walk(p, peer, &list, ret);
	if (elements.n == 0)
		return;
	walk(p, peer, &elements, &other);
	if (list.n == 0)
		*ret = other;
	else if (!same_client(ret, &other))
		*ret = *peer;
}
