#include "api/doctor.h"

#include "api/routes.h"
#include "base/base64url.h"

err_t doctor_word(const struct keyring *keys, int64_t now_ms, struct arena *mem, str *ret)
{
	uint8_t tag[MAC_BYTES];
	char text[BASE64URL_LEN(MAC_BYTES)];
	struct buf b = { .p = text, .cap = sizeof(text) };
	str at;

	TRY(arena_printf(mem, &at, "%lld", (long long)now_ms));
	mac_tag(&keys->doctor, at, tag);
	base64url_encode(&b, str_of_bytes(tag, MAC_BYTES));
	REQUIRE(!b.overflow, ERR_BUG);
	return arena_printf(mem, ret, "%.*s.%.*s", STR_ARG(at), STR_ARG(buf_view(&b)));
}

/* Of now, and of our keys. */
static err_t is_of_operator(struct req *r, bool *ret)
{
	str sent = http_header(r->http, "x-sallyport-doctor"), at, tag, word;
	uint64_t ms;

	*ret = false;
	if (!str_cut(sent, '.', &at, &tag) || !str_to_u64(at, INT64_MAX, &ms))
		return OK;
	if ((int64_t)ms < r->c.now_ms - DOCTOR_WORD_MS || (int64_t)ms > r->c.now_ms + DOCTOR_WORD_MS)
		return OK;
	TRY(doctor_word(r->c.keys, (int64_t)ms, r->c.mem, &word));
	*ret = sent.n == word.n && secret_equal_bytes(sent.p, word.p, word.n);
	return OK;
}

err_t api_doctor(struct req *r, const void *body, struct http_reply *rep)
{
	str claims = http_header(r->http, "x-forwarded-for");
	struct json_out o;
	bool is_operator;

	(void)body;
	TRY(is_of_operator(r, &is_operator));
	REQUIRE(is_operator, ERR_NO_ROUTE);
	r->csrf_done = true;
	rep->status = 200;
	out_begin(&o, &rep->body);
	out_obj(&o);
	out_str(&o, STR("ip"), r->c.client_ip);
	out_str(&o, STR("host"), http_header(r->http, "host"));
	out_str(&o, STR("claims"), claims);
	out_bool(&o, STR("proxied"), r->http->proxied);
	out_bool(&o, STR("forwarded"), claims.n > 0 || http_header(r->http, "forwarded").n > 0);
	out_bool(&o, STR("https"), r->http->tls);
	out_end_obj(&o);
	return OK;
}
