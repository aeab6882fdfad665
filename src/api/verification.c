/* verification.c — POST /send-verification-email, GET and POST /verify-email. */
#include "domain/verification.h"

#include "api/query.h"
#include "api/routes.h"

struct verification_send {
	str email, lang, device;
};
static const struct body_field verification_send_fields[] = {
	TYPED(struct verification_send, email, "email", 1024, BODY_WORD),
	TEXT_OR_NULL(struct verification_send, lang, "emailLang", 200),
	TEXT_OR_NULL(struct verification_send, device, "deviceToken", 256),
};
const struct body_shape verification_send_shape = SHAPE(struct verification_send, verification_send_fields);

struct verification_confirm {
	str token, device;
};
static const struct body_field verification_confirm_fields[] = {
	TEXT(struct verification_confirm, token, "token", 1024),
	TEXT_OR_NULL(struct verification_confirm, device, "deviceToken", 256),
};
const struct body_shape verification_confirm_shape = SHAPE(struct verification_confirm, verification_confirm_fields);

static const struct body_field token_fields[] = {
	TEXT(struct body_token, token, "token", 1024),
};
const struct body_shape token_shape = SHAPE(struct body_token, token_fields);

/* Signed in: one's own address. Without a token: the address in the body, and an answer that says nothing. */
err_t api_verification_send(struct req *r, const void *body, struct http_reply *rep)
{
	const struct verification_send *b = body;
	struct asker by;

	if (r->who.row.id != 0) {
		TRY(verification_send(&r->c, &r->who, b->lang));
	} else {
		REQUIRE(b->email.n > 0, ERR_NO_TOKEN);
		TRY(req_asker(r, b->device, &by));
		TRY(verification_send_to(&r->c, b->email, b->lang, &by));
	}
	reply_success(rep);
	return OK;
}

err_t api_verification_confirm(struct req *r, const void *body, struct http_reply *rep)
{
	const struct verification_confirm *b = body;
	struct asker along;

	TRY(req_asker(r, b->device, &along));
	TRY(verification_confirm(&r->c, b->token, &along));
	reply_success(rep);
	return OK;
}

/* What a browser opens only leads to a page, and a HEAD nowhere: mail scanners open links too (EL01). Programs,
 * which ask for JSON or do not say what they ask for, get what they always got. */
err_t api_verification_get(struct req *r, const void *body, struct http_reply *rep)
{
	struct asker along;
	str token;

	if (r->http->method == METHOD_HEAD || wants_page(r->http))
		return api_ui_redirect(r, body, rep);
	TRY(query_value(r->http->query, STR("token"), &token));
	TRY(req_asker(r, STR_NONE, &along));
	TRY(verification_confirm(&r->c, token, &along));
	reply_success(rep);
	return OK;
}
