/* phone.c — POST /add-phone, /add-phone/verify. */
#include "domain/phone.h"

#include "api/routes.h"

struct phone_change {
	struct stepup proof;
	bool set;
	str number;
};
static const struct body_field phone_change_fields[] = {
	PROOF_FIELDS(struct phone_change),
	TYPED_CHANGE(struct phone_change, number, set, "phoneNumber", 256, BODY_NUMBER),
};
const struct body_shape phone_change_shape = SHAPE_WITH_PROOF(struct phone_change, phone_change_fields);

struct phone_verify {
	str code;
};
static const struct body_field phone_verify_fields[] = {
	TYPED(struct phone_verify, code, "code", CODE_MAX, BODY_CODE),
};
const struct body_shape phone_verify_shape = SHAPE(struct phone_verify, phone_verify_fields);

/* null removes the number; a member left out is a mistake, not a wish to remove. */
err_t api_phone_change(struct req *r, const void *body, struct http_reply *rep)
{
	const struct phone_change *b = body;

	if (!b->set) {
		ctx_field(&r->c, "phoneNumber", "REQUIRED");
		FAIL(ERR_INPUT);
	}
	TRY(phone_change(&r->c, &r->who, b->number));
	reply_success(rep);
	return OK;
}

err_t api_phone_verify(struct req *r, const void *body, struct http_reply *rep)
{
	const struct phone_verify *b = body;

	TRY(phone_verify(&r->c, &r->who, b->code));
	reply_success(rep);
	return OK;
}
