/* email_change.c — POST /change-email/request, /change-email/confirm, /change-email/revert. */
#include "domain/email_change.h"

#include "api/routes.h"

struct email_change_request {
	struct stepup proof;
	str new_email, lang;
};
static const struct body_field email_change_request_fields[] = {
	PROOF_FIELDS(struct email_change_request),
	TYPED(struct email_change_request, new_email, "newEmail", 1024, BODY_WORD),
	TEXT_OR_NULL(struct email_change_request, lang, "emailLang", 200),
};
const struct body_shape email_change_request_shape =
	SHAPE_WITH_PROOF(struct email_change_request, email_change_request_fields);

struct email_change_confirm {
	str token, device;
};
static const struct body_field email_change_confirm_fields[] = {
	TEXT(struct email_change_confirm, token, "token", 1024),
	TEXT_OR_NULL(struct email_change_confirm, device, "deviceToken", 256),
};
const struct body_shape email_change_confirm_shape = SHAPE(struct email_change_confirm, email_change_confirm_fields);

err_t api_email_change_request(struct req *r, const void *body, struct http_reply *rep)
{
	const struct email_change_request *b = body;

	TRY(email_change_request(&r->c, &r->who, b->new_email, b->lang));
	reply_success(rep);
	return OK;
}

err_t api_email_change_confirm(struct req *r, const void *body, struct http_reply *rep)
{
	const struct email_change_confirm *b = body;
	struct asker along;

	TRY(req_asker(r, b->device, &along));
	TRY(email_change_confirm(&r->c, b->token, &along));
	reply_success(rep);
	return OK;
}

err_t api_email_change_revert(struct req *r, const void *body, struct http_reply *rep)
{
	const struct body_token *b = body;

	TRY(email_change_revert(&r->c, b->token));
	reply_success(rep);
	return OK;
}
