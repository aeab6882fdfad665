/* landing.c — the page behind the links in mails. A GET must change nothing, as mail scanners follow links
 * and run scripts: it shows a button, and the button posts to the same path. */
#include "api/routes.h"

#include "api/landing_page.h"
#include "base/base64url.h"

#define NONCE_BYTES 16
#define NONCE_TEXT  BASE64URL_LEN(NONCE_BYTES)

bool wants_page(const struct http_request *http)
{
	str accept = http_header(http, "accept"), range, kind, params;

	if (str_eq_nocase(http_header(http, "sec-fetch-mode"), STR("navigate")))
		return true;
	while (accept.n > 0) {
		(void)str_cut(accept, ',', &range, &accept);
		(void)str_cut(range, ';', &kind, &params);
		if (str_eq_nocase(str_trim(kind), STR("text/html")))
			return true;
	}
	return false;
}

static err_t make_nonce(struct req *r, str *ret)
{
	uint8_t raw[NONCE_BYTES];
	struct buf b = { .cap = NONCE_TEXT };

	TRY(rng_fill(r->c.rng, raw, sizeof(raw)));
	NEW(b.p, r->c.mem, char, b.cap);
	base64url_encode(&b, str_of_bytes(raw, sizeof(raw)));
	REQUIRE(!b.overflow, ERR_BUG);
	*ret = buf_view(&b);
	return OK;
}

static err_t make_policy(struct req *r, str nonce, str *ret)
{
	struct buf b = { .cap = 512 };

	NEW(b.p, r->c.mem, char, b.cap);
	buf_lit(&b, "default-src 'none'; script-src 'nonce-");
	buf_str(&b, nonce);
	buf_lit(&b, "'; style-src 'nonce-");
	buf_str(&b, nonce);
	buf_lit(&b, "'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
		    "frame-ancestors 'none'; require-trusted-types-for 'script'");
	REQUIRE(!b.overflow, ERR_BUG);
	*ret = buf_view(&b);
	return OK;
}

err_t api_landing(struct req *r, const void *body, struct http_reply *rep)
{
	str nonce, policy;

	(void)body;
	TRY(make_nonce(r, &nonce));
	TRY(make_policy(r, nonce, &policy));
	rep->status = 200;
	rep->content_type = "text/html; charset=utf-8";
	for (size_t i = 0; i < N_LANDING_PAGE; i++) {
		if (i > 0)
			buf_str(&rep->body, nonce);
		buf_str(&rep->body, landing_page[i]);
	}
	http_reply_header(rep, "Content-Security-Policy", policy);
	http_reply_header(rep, "X-Frame-Options", STR("DENY"));
	http_reply_header(rep, "Cross-Origin-Opener-Policy", STR("same-origin"));
	return OK;
}
