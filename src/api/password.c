/* password.c — POST /forgot-password, /reset-password, /change-password. */
#include "domain/password.h"

#include "api/routes.h"

struct password_forgot {
	str email, lang, device;
};
static const struct body_field password_forgot_fields[] = {
	TYPED(struct password_forgot, email, "email", 1024, BODY_WORD),
	TEXT_OR_NULL(struct password_forgot, lang, "emailLang", 200),
	TEXT_OR_NULL(struct password_forgot, device, "deviceToken", 256),
};
const struct body_shape password_forgot_shape = SHAPE(struct password_forgot, password_forgot_fields);

struct password_reset {
	str token, device;
	struct secret password, new_password; /* clients send either */
};
static const struct body_field password_reset_fields[] = {
	TEXT(struct password_reset, token, "token", 1024),
	SECRET(struct password_reset, password, "password", PASSWORD_MAX_BYTES),
	SECRET(struct password_reset, new_password, "newPassword", PASSWORD_MAX_BYTES),
	TEXT_OR_NULL(struct password_reset, device, "deviceToken", 256),
};
const struct body_shape password_reset_shape = SHAPE(struct password_reset, password_reset_fields);

struct password_change {
	struct secret current_password, new_password;
};
static const struct body_field password_change_fields[] = {
	SECRET(struct password_change, current_password, "currentPassword", PASSWORD_MAX_BYTES),
	SECRET(struct password_change, new_password, "newPassword", PASSWORD_MAX_BYTES),
};
const struct body_shape password_change_shape = SHAPE(struct password_change, password_change_fields);

err_t api_password_forgot(struct req *r, const void *body, struct http_reply *rep)
{
	const struct password_forgot *b = body;
	struct asker by;

	TRY(req_asker(r, b->device, &by));
	TRY(password_forgot(&r->c, b->email, b->lang, &by));
	reply_success(rep);
	return OK;
}

err_t api_password_reset(struct req *r, const void *body, struct http_reply *rep)
{
	const struct password_reset *b = body;
	struct asker along;
	unsigned lost;

	TRY(req_asker(r, b->device, &along));
	TRY(password_reset(&r->c, b->token, b->password.n > 0 ? b->password : b->new_password, &along, &lost));
	reply_lost(rep, lost);
	return OK;
}

err_t api_password_change(struct req *r, const void *body, struct http_reply *rep)
{
	const struct password_change *b = body;

	TRY(password_change(&r->c, &r->who, b->current_password, b->new_password));
	reply_success(rep);
	return OK;
}
