#include "domain/forward.h"

#include <string.h>

#include "base/base64url.h"
#include "domain/clock_guard.h"
#include "domain/onetime.h"
#include "domain/site.h"
#include "store/query.h"

/* ---- places ---- */

static str own_host(const struct config *cfg)
{
	return site_host(cfg->server.public_url);
}

str forward_host(const struct config *cfg, str host)
{
	const struct str_list *hosts = &cfg->forward.hosts;

	if (host.n > 0 && str_eq_nocase(own_host(cfg), host))
		return own_host(cfg);
	for (size_t i = 0; i < hosts->n; i++) {
		if (str_eq_nocase(hosts->items[i], host))
			return hosts->items[i];
	}
	return STR_NONE;
}

/* A browser takes '\' for '/', and leaves out tabs and the ends of lines. */
static bool uri_ok(str uri)
{
	if (!str_starts(uri, STR("/")))
		return false;
	for (size_t i = 0; i < uri.n; i++) {
		if (uri.p[i] < '!' || uri.p[i] > '~' || uri.p[i] == '\\')
			return false;
	}
	return true;
}

static str scheme_of(const struct config *cfg)
{
	return str_starts(cfg->server.public_url, STR("https://")) ? STR("https://") : STR("http://");
}

bool forward_read(const struct config *cfg, str url, struct forward_target *ret)
{
	str scheme = scheme_of(cfg), host, path;

	if (url.n > FORWARD_URL_MAX || !str_starts(url, scheme))
		return false;
	path = str_cut(str_skip(url, scheme.n), '/', &host, &path) ? (str){ path.p - 1, path.n + 1 } : STR("/");
	ret->host = forward_host(cfg, host);
	ret->path = path;
	/* Exactly: other spellings of a host are nobody's who came from there. */
	return ret->host.n > 0 && str_eq(ret->host, host) && uri_ok(path);
}

struct forward_target forward_place(str host, str uri)
{
	size_t around = STR("https://").n + host.n;

	if (!uri_ok(uri) || uri.n + around > FORWARD_URL_MAX)
		uri = STR("/");
	return (struct forward_target){ host, uri };
}

err_t forward_url(struct ctx *c, const struct forward_target *t, str *ret)
{
	return arena_printf(c->mem, ret, "%.*s%.*s%.*s", STR_ARG(scheme_of(c->cfg)), STR_ARG(t->host), STR_ARG(t->path));
}

bool forward_shares_cookies(const struct config *cfg, str host)
{
	str domain = cfg->cookie.domain, name, port;

	if (str_eq(host, own_host(cfg)))
		return true;
	(void)str_cut(host, ':', &name, &port);
	return domain.n > 0 && (str_eq(name, domain) || (name.n > domain.n && str_ends(name, domain) &&
							 name.p[name.n - domain.n - 1] == '.'));
}

/* ---- the browser ---- */

bool forward_browser_ok(str browser)
{
	WIPED_ARRAY(uint8_t, raw, MAC_BYTES);
	size_t n = 0;

	return browser.n == FORWARD_BROWSER_TEXT && base64url_decode(browser, raw, sizeof(raw), &n) && n == sizeof(raw);
}

static err_t text_of(struct ctx *c, const uint8_t *bytes, size_t n, str *ret)
{
	struct buf b = { .cap = BASE64URL_LEN(n) };

	NEW(b.p, c->mem, char, b.cap);
	base64url_encode(&b, str_of_bytes(bytes, n));
	REQUIRE(!b.overflow, ERR_BUG);
	*ret = buf_view(&b);
	return OK;
}

err_t forward_browser_name(struct ctx *c, str browser, str *ret)
{
	const str parts[] = { STR("b"), browser };
	uint8_t tag[MAC_BYTES];

	mac_tag_parts(&c->keys->forward, parts, 2, tag);
	return text_of(c, tag, sizeof(tag), ret);
}

/* ---- tickets ---- */

/* A ticket of another host or browser is none. */
static err_t address_of(struct ctx *c, str host, str browser_name, str *ret)
{
	return arena_printf(c->mem, ret, "%.*s %.*s", STR_ARG(host), STR_ARG(browser_name));
}

err_t forward_hand_over(struct ctx *c, const struct caller *who, str host, str browser_name, str *ret_ticket)
{
	struct onetime_new n = { .purpose = ONETIME_FORWARD, .user_id = who->row.id,
				 .sid = str_of_bytes(who->token.sid, UID_BYTES) };
	TX tx = { 0 };

	TRY(address_of(c, host, browser_name, &n.address));
	TRY(tx_begin(&tx, c->db));
	TRY(onetime_keep_newest(c, who->row.id, ONETIME_FORWARD, FORWARD_TICKETS - 1));
	TRY(onetime_make(c, &n, ret_ticket));
	return tx_commit(&tx);
}

/* ---- passes ---- */

struct pass {
	uint8_t sid[UID_BYTES];
	int64_t expires_ms;
	uint8_t tag[MAC_BYTES];
};
_Static_assert(sizeof(struct pass) == UID_BYTES + 8 + MAC_BYTES, "no padding");

static void pass_tag(struct ctx *c, const struct pass *p, str host, uint8_t ret[MAC_BYTES])
{
	const str parts[] = { STR("p"), str_of_bytes(p, offsetof(struct pass, tag)), host };

	mac_tag_parts(&c->keys->forward, parts, 3, ret);
}

static err_t pass_make(struct ctx *c, str sid, str host, str *ret)
{
	struct pass p = { .expires_ms = c->now_ms + c->cfg->forward.ttl_ms };

	REQUIRE(sid.n == UID_BYTES, ERR_STORE);
	memcpy(p.sid, sid.p, UID_BYTES);
	pass_tag(c, &p, host, p.tag);
	return text_of(c, (const uint8_t *)&p, sizeof(p), ret);
}

static bool pass_read(struct ctx *c, str text, str host, struct pass *ret)
{
	uint8_t tag[MAC_BYTES];
	size_t n = 0;

	if (text.n != BASE64URL_LEN(sizeof(*ret)) || !base64url_decode(text, ret, sizeof(*ret), &n) || n != sizeof(*ret))
		return false;
	pass_tag(c, ret, host, tag);
	return secret_equal_bytes(tag, ret->tag, MAC_BYTES) && ret->expires_ms > clock_effective_ms(c);
}

err_t forward_arrive(struct ctx *c, str ticket, str host, str browser, str *ret_pass)
{
	struct onetime_row row = { 0 };
	struct caller who;
	str name, address;
	bool known;
	TX tx = { 0 };

	TRY(clock_issue(c));
	TRY(forward_browser_name(c, browser, &name));
	TRY(address_of(c, host, name, &address));
	TRY(onetime_look(c, ONETIME_FORWARD, ticket, &row, &known));
	REQUIRE(str_eq(row.address, address), ERR_FORWARD_TICKET); /* the row was found by its MAC: nothing is guessed here */
	TRY(tx_begin(&tx, c->db));
	TRY(onetime_take(c, ONETIME_FORWARD, ticket, &row));
	TRY(tx_commit(&tx));
	REQUIRE(row.sid.n == UID_BYTES, ERR_STORE);
	TRY(session_caller_of(c, (const uint8_t *)row.sid.p, &who));
	return pass_make(c, row.sid, host, ret_pass);
}

err_t forward_caller(struct ctx *c, str pass, str host, struct caller *ret)
{
	struct pass p;

	REQUIRE(pass_read(c, pass, host, &p), ERR_ACCESS_TOKEN);
	return session_caller_of(c, p.sid, ret);
}
