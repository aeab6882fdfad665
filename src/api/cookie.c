#include "api/cookie.h"

#include <string.h>
#include <time.h>

#define SET_COOKIE_MAX 4096 /* RFC 6265 §6.1: what every browser takes */

static const struct {
	const char *base;
	bool for_scripts; /* no HttpOnly */
	bool refresh_path;
	bool in_transit; /* comes back with a navigation from elsewhere, to this host: Lax whatever is set */
} kinds[N_COOKIES] = {
	[COOKIE_ACCESS] = { "accessToken", false, false, false },
	[COOKIE_REFRESH] = { "refreshToken", false, true, false },
	[COOKIE_CSRF] = { "csrf-token", true, false, false },
	[COOKIE_DEVICE] = { "deviceToken", false, false, false },
	[COOKIE_TRUST] = { "trustToken", false, false, false },
	[COOKIE_OAUTH] = { "oauth", false, false, true },
	[COOKIE_FORWARD] = { "forward", false, false, true },
	[COOKIE_FORWARD_BROWSER] = { "forward-browser", false, false, true },
	[COOKIE_PENDING] = { "oauth-pending", false, false, true },
};

/* RFC 6265bis §4.1.3 */
enum prefix {
	PREFIX_NONE,
	PREFIX_SECURE, /* set over https */
	PREFIX_HOST,   /* and by this host, for all its paths */
	N_PREFIXES
};

static const char *const prefixes[N_PREFIXES] = { "", "__Secure-", "__Host-" };

static enum prefix prefix_of(const struct config *cfg, enum cookie which)
{
	if (!cfg->cookie.secure)
		return PREFIX_NONE;
	if (kinds[which].in_transit)
		return PREFIX_HOST;
	return cfg->cookie.domain.n == 0 && str_eq(cfg->cookie.path, STR("/")) ? PREFIX_HOST : PREFIX_SECURE;
}

/* ---- reading ---- */

static bool is_named(str got, const char *prefix, const char *base)
{
	str head = str_of_cstr(prefix);

	return str_starts(got, head) && str_eq(str_skip(got, head.n), str_of_cstr(base));
}

str cookie_value(str header, const char *prefix, const char *base)
{
	str rest = header, pair, name, value;

	while (rest.n > 0) {
		(void)str_cut(rest, ';', &pair, &rest);
		if (str_cut(str_trim(pair), '=', &name, &value) && is_named(str_trim(name), prefix, base)) {
			value = str_trim(value);
			return value.n > 0 ? value : STR_NONE;
		}
	}
	return STR_NONE;
}

str cookie_read(const struct req *r, enum cookie which)
{
	return cookie_value(http_header(r->http, "cookie"), prefixes[prefix_of(r->c.cfg, which)], kinds[which].base);
}

void cookie_device(const struct req *r, str *device, str *trust)
{
	if (r->delivery != DELIVERY_COOKIE)
		return;
	if (device->n == 0)
		*device = cookie_read(r, COOKIE_DEVICE);
	if (trust->n == 0)
		*trust = cookie_read(r, COOKIE_TRUST);
}

/* ---- writing ---- */

static void put_path(struct buf *b, const struct config *cfg, enum prefix prefix, enum cookie which)
{
	buf_lit(b, "; Path=");
	if (prefix == PREFIX_HOST || kinds[which].in_transit) {
		buf_lit(b, "/");
	} else if (kinds[which].refresh_path) {
		buf_str(b, cfg->server.api_prefix);
		buf_lit(b, "/refresh");
	} else {
		buf_str(b, cfg->cookie.path);
	}
}

static void put_domain(struct buf *b, const struct config *cfg, enum prefix prefix, enum cookie which)
{
	if (prefix == PREFIX_HOST || kinds[which].in_transit || cfg->cookie.domain.n == 0)
		return;
	buf_lit(b, "; Domain=");
	buf_str(b, cfg->cookie.domain);
}

static str same_site_name(enum same_site s)
{
	switch (s) {
	case SAME_SITE_LAX: return STR("Lax");
	case SAME_SITE_STRICT: return STR("Strict");
	case SAME_SITE_NONE: return STR("None");
	case SAME_SITE_UNSET: break;
	}
	return STR("Strict");
}

/* RFC 9110 §5.6.7: beside Max-Age for programs that do not know that one. */
static void put_expires(struct buf *b, int64_t ms)
{
	static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t at = (time_t)(ms / MS_PER_S);
	struct tm tm = { 0 };

	if (gmtime_r(&at, &tm) == NULL)
		return;
	buf_printf(b, "; Expires=%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + (size_t)tm.tm_wday * 3,
		   tm.tm_mday, months + (size_t)tm.tm_mon * 3, tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
		   tm.tm_sec);
}

static err_t add_header(struct req *r, struct http_reply *rep, const struct buf *b)
{
	str value;

	REQUIRE(!b->overflow, ERR_BUG);
	TRY(arena_copy(r->c.mem, buf_view(b), &value));
	http_reply_header(rep, "Set-Cookie", value);
	return OK;
}

err_t cookie_set(struct req *r, struct http_reply *rep, enum cookie which, str value, int64_t ttl_ms)
{
	const struct config *cfg = r->c.cfg;
	enum prefix prefix = prefix_of(cfg, which);
	char text[SET_COOKIE_MAX];
	struct buf b = { .p = text, .cap = sizeof(text) };

	buf_printf(&b, "%s%s=%.*s; Max-Age=%lld", prefixes[prefix], kinds[which].base, STR_ARG(value),
		   (long long)(ttl_ms / MS_PER_S));
	put_path(&b, cfg, prefix, which);
	put_expires(&b, r->c.now_ms + ttl_ms);
	put_domain(&b, cfg, prefix, which);
	if (!kinds[which].for_scripts)
		buf_lit(&b, "; HttpOnly");
	if (cfg->cookie.secure)
		buf_lit(&b, "; Secure");
	buf_lit(&b, "; SameSite=");
	buf_str(&b, same_site_name(kinds[which].in_transit ? SAME_SITE_LAX : cfg->cookie.same_site));
	return add_header(r, rep, &b);
}

static err_t clear_one(struct req *r, struct http_reply *rep, enum prefix prefix, enum cookie which)
{
	const struct config *cfg = r->c.cfg;
	char text[512 + 256];
	struct buf b = { .p = text, .cap = sizeof(text) };

	buf_printf(&b, "%s%s=", prefixes[prefix], kinds[which].base);
	put_path(&b, cfg, prefix, which);
	buf_lit(&b, "; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
	put_domain(&b, cfg, prefix, which);
	if (prefix != PREFIX_NONE || cfg->cookie.secure)
		buf_lit(&b, "; Secure");
	buf_lit(&b, "; SameSite=");
	buf_str(&b, same_site_name(cfg->cookie.same_site));
	return add_header(r, rep, &b);
}

err_t cookie_clear(struct req *r, struct http_reply *rep, bool forget)
{
	enum cookie last = forget ? COOKIE_TRUST : COOKIE_CSRF;

	for (enum cookie which = COOKIE_ACCESS; which <= last; which++) {
		for (enum prefix p = PREFIX_NONE; p < N_PREFIXES; p++)
			TRY(clear_one(r, rep, p, which));
	}
	if (r->c.cfg->cookie.clear_site_data == CLEAR_ALL)
		http_reply_header(rep, "Clear-Site-Data", STR("\"cookies\", \"storage\""));
	else if (r->c.cfg->cookie.clear_site_data == CLEAR_STORAGE)
		http_reply_header(rep, "Clear-Site-Data", STR("\"storage\""));
	r->csrf_done = true;
	return OK;
}
