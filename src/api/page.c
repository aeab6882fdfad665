#include "api/page.h"

#include "api/query.h"
#include "base/base64url.h"

#define NONCE_BYTES 16
#define NONCE_TEXT  BASE64URL_LEN(NONCE_BYTES)
#define POLICY_MAX  ((size_t)6 * 1024) /* with the longest addresses there may be */

err_t page_lang(struct req *r, const struct ui_lang **ret)
{
	str wanted;

	TRY(query_value(r->http->query, STR("lang"), &wanted));
	*ret = ui_lang_choose(r->rt->ui, r->c.cfg, wanted, http_header(r->http, "accept-language"));
	return OK;
}

err_t page_show(struct req *r, const struct embedded_page *page, str back, struct http_reply *rep)
{
	const struct ui_lang *lang;
	str nonce;

	TRY(page_lang(r, &lang));
	TRY(page_nonce(r, &nonce));
	TRY(page_head(r, nonce, rep));
	ui_page_write(r->rt->ui, r->c.cfg, page, lang, nonce, back, &rep->body);
	return OK;
}

err_t page_nonce(struct req *r, str *ret)
{
	uint8_t raw[NONCE_BYTES]; /* public: the page shows it */
	struct buf b = { .cap = NONCE_TEXT };

	TRY(rng_fill(r->c.rng, raw, sizeof(raw)));
	NEW(b.p, r->c.mem, char, b.cap);
	base64url_encode(&b, str_of_bytes(raw, sizeof(raw)));
	REQUIRE(!b.overflow, ERR_BUG);
	*ret = buf_view(&b);
	return OK;
}

err_t page_head(struct req *r, str nonce, struct http_reply *rep)
{
	const struct config *cfg = r->c.cfg;
	struct buf policy = { .cap = POLICY_MAX };
	bool same = str_eq(cfg->ui.frame_ancestors, STR("self"));

	NEW(policy.p, r->c.mem, char, policy.cap);
	ui_policy_write(r->rt->ui, cfg, nonce, &policy);
	REQUIRE(!policy.overflow, ERR_BUG);
	rep->status = 200;
	rep->content_type = "text/html; charset=utf-8";
	http_reply_header(rep, "Content-Security-Policy", buf_view(&policy));
	http_reply_header(rep, "X-Frame-Options", same ? STR("SAMEORIGIN") : STR("DENY"));
	http_reply_header(rep, "Cross-Origin-Opener-Policy", STR("same-origin"));
	http_reply_header(rep, "Permissions-Policy",
			  STR("accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
			      "magnetometer=(), microphone=(), midi=(), payment=(), usb=()"));
	return OK;
}

/* RFC 9110, §13.1.2: any of the list, weak or strong. */
static bool client_has(const struct http_request *http, str etag)
{
	str list = http_header(http, "if-none-match"), one;

	while (list.n > 0) {
		(void)str_cut(list, ',', &one, &list);
		one = str_trim(one);
		if (str_starts(one, STR("W/")))
			one = str_skip(one, 2);
		if (str_eq(one, etag) || str_eq(one, STR("*")))
			return true;
	}
	return false;
}

static void release(void *held)
{
	runtime_release(held);
}

err_t page_file(struct req *r, const struct ui_file *file, struct http_reply *rep)
{
	str etag, asked;

	TRY(query_value(r->http->query, STR("v"), &asked));
	TRY(arena_printf(r->c.mem, &etag, "\"%.*s\"", STR_ARG(file->hash)));
	http_reply_header(rep, "ETag", etag);
	http_reply_header(rep, "Cache-Control",
			  str_eq(asked, file->hash) ? STR("public, max-age=31536000, immutable") :
						      STR("public, max-age=0"));
	/* The script is for pages of other origins too, and says nothing that is not public. */
	if (str_eq(file->name, STR("auth.js")))
		http_reply_header(rep, "Cross-Origin-Resource-Policy", STR("cross-origin"));
	rep->status = client_has(r->http, etag) ? 304 : 200;
	if (rep->status == 304)
		return OK;
	rep->content_type = file->type;
	rep->fixed = file->bytes;
	if (file->is_own) { /* a reload may come while it is being sent */
		atomic_fetch_add(&r->rt->holders, 1);
		rep->release = release;
		rep->held = r->rt;
	}
	return OK;
}
