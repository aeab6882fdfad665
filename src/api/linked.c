/* linked.c — GET /linked-accounts, DELETE /linked-accounts/{provider}/{providerAccountId}, POST /link-request,
 * POST /link-verify. */
#include "domain/linked.h"

#include "api/cookie.h"
#include "api/routes.h"
#include "http/path.h"

struct link_request {
	struct stepup proof;
	str email, provider, lang;
};
static const struct body_field link_request_fields[] = {
	PROOF_FIELDS(struct link_request),
	TYPED(struct link_request, email, "email", 1024, BODY_WORD),
	TEXT_OR_NULL(struct link_request, provider, "provider", 64),
	TEXT_OR_NULL(struct link_request, lang, "emailLang", 200),
};
const struct body_shape link_request_shape = SHAPE_WITH_PROOF(struct link_request, link_request_fields);

struct link_verify {
	str token, device;
	bool sign_in;
};
static const struct body_field link_verify_fields[] = {
	TEXT(struct link_verify, token, "token", 1024),
	FLAG(struct link_verify, sign_in, "loginAfterLinking"),
	TEXT_OR_NULL(struct link_verify, device, "deviceToken", 256),
};
const struct body_shape link_verify_shape = SHAPE(struct link_verify, link_verify_fields);

struct linked_unlink {
	struct stepup proof;
};
static const struct body_field linked_unlink_fields[] = {
	PROOF_FIELDS(struct linked_unlink),
};
const struct body_shape linked_unlink_shape = SHAPE_WITH_PROOF(struct linked_unlink, linked_unlink_fields);

void out_linked(struct json_out *o, const struct linked_row *rows, size_t n)
{
	out_key(o, STR("linkedAccounts"));
	out_arr(o);
	for (size_t i = 0; i < n; i++) {
		out_obj(o);
		out_str(o, STR("provider"), rows[i].provider);
		out_str(o, STR("providerAccountId"), rows[i].account_id);
		out_str(o, STR("email"), rows[i].email);
		out_str(o, STR("name"), rows[i].name);
		out_str(o, STR("picture"), rows[i].picture);
		out_time(o, STR("linkedAt"), rows[i].linked_ms);
		out_end_obj(o);
	}
	out_end_arr(o);
}

err_t api_linked_list(struct req *r, const void *body, struct http_reply *rep)
{
	struct linked_row *rows;
	struct json_out o;
	size_t n;

	(void)body;
	TRY(linked_list(&r->c, r->who.row.id, &rows, &n));
	rep->status = 200;
	out_begin(&o, &rep->body);
	out_obj(&o);
	out_linked(&o, rows, n);
	out_end_obj(&o);
	return OK;
}

err_t api_linked_unlink(struct req *r, const void *body, struct http_reply *rep)
{
	str provider, account_id;

	(void)body; /* read by the check that asks again who is there */
	TRY(path_decode(r->c.mem, r->http->route_params[0], &provider));
	TRY(path_decode(r->c.mem, r->http->route_params[1], &account_id));
	TRY(linked_unlink(&r->c, &r->who, provider, account_id));
	reply_success(rep);
	return OK;
}

/* Without a sign-in everything but a missing address is refused alike: what waits to be linked is found by an id
 * that only a social sign-in hands out, never by an address that anybody can type. */
err_t api_linked_request(struct req *r, const void *body, struct http_reply *rep)
{
	const struct link_request *b = body;

	REQUIRE(b->email.n > 0, ERR_EMAIL_REQUIRED);
	if (r->who.row.id == 0) {
		REQUIRE(cookie_read(r, COOKIE_PENDING).n > 0, ERR_UNAUTHORIZED);
		TRY(linked_request_pending(&r->c, cookie_read(r, COOKIE_PENDING), b->email, b->lang));
		reply_success(rep);
		return OK;
	}
	TRY(stepup_require(&r->c, &r->who, &b->proof));
	TRY(linked_request(&r->c, &r->who, b->email, b->provider, b->lang));
	reply_success(rep);
	return OK;
}

err_t api_linked_verify(struct req *r, const void *body, struct http_reply *rep)
{
	const struct link_verify *b = body;
	struct link_proof p = { .token = b->token, .pending_id = cookie_read(r, COOKIE_PENDING), .sign_in = b->sign_in };
	struct signed_in s;

	TRY(req_asker(r, b->device, &p.along));
	TRY(linked_verify(&r->c, &p, &s));
	if (b->sign_in)
		return reply_signed_in(r, rep, &s);
	reply_lost(rep, s.lost);
	return OK;
}
