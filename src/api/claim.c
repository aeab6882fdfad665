/* claim.c — POST /claim: the mail of an account that somebody else has armed asks for it. */
#include "domain/claim.h"

#include "api/routes.h"

static const struct body_field claim_fields[] = {
	TEXT_OR_NULL(struct claim_proof, token, "token", 1024),
	TEXT_OR_NULL(struct claim_proof, temp_token, "tempToken", 1024),
};
const struct body_shape claim_shape = SHAPE(struct claim_proof, claim_fields);

err_t api_claim_ask(struct req *r, const void *body, struct http_reply *rep)
{
	struct json_out o;
	int64_t opens_ms;

	TRY(claim_ask(&r->c, body, &opens_ms));
	rep->status = 200;
	out_begin(&o, &rep->body);
	out_obj(&o);
	out_bool(&o, STR("success"), true);
	out_time(&o, STR("opensAt"), opens_ms);
	out_end_obj(&o);
	return OK;
}
