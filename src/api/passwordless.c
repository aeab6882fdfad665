/* passwordless.c — POST /magic-link/send, /magic-link/verify, /sms/send, /sms/verify. */
#include "domain/passwordless.h"

#include "api/cookie.h"

#define TOKEN_MAX 1024

struct magic_send {
	str email, lang, mode, temp_token, type, device;
};
static const struct body_field magic_send_fields[] = {
	TYPED_OR_NULL(struct magic_send, email, "email", 1024, BODY_WORD),
	TEXT_OR_NULL(struct magic_send, lang, "emailLang", 200),
	TEXT_OR_NULL(struct magic_send, mode, "mode", 64),
	TEXT_OR_NULL(struct magic_send, temp_token, "tempToken", TOKEN_MAX),
	TEXT_OR_NULL(struct magic_send, type, "type", 64),
	TEXT_OR_NULL(struct magic_send, device, "deviceToken", 256),
};
const struct body_shape magic_send_shape = SHAPE(struct magic_send, magic_send_fields);

struct magic_verify {
	struct mail_proof proof;
	str mode;
};
static const struct body_field magic_verify_fields[] = {
	TEXT_OR_NULL(struct magic_verify, proof.token, "token", TOKEN_MAX),
	TYPED_OR_NULL(struct magic_verify, proof.email, "email", 1024, BODY_WORD),
	TYPED_OR_NULL(struct magic_verify, proof.code, "code", CODE_MAX, BODY_CODE),
	TEXT_OR_NULL(struct magic_verify, mode, "mode", 64),
	TEXT_OR_NULL(struct magic_verify, proof.temp_token, "tempToken", TOKEN_MAX),
	FLAG(struct magic_verify, proof.remember, "rememberDevice"),
	TEXT_OR_NULL(struct magic_verify, proof.device, "deviceToken", 256),
	TEXT_OR_NULL(struct magic_verify, proof.trust, "trustToken", 256),
};
const struct body_shape magic_verify_shape = SHAPE(struct magic_verify, magic_verify_fields);

struct sms_send {
	str email, user_id, mode, temp_token, device;
};
static const struct body_field sms_send_fields[] = {
	TYPED_OR_NULL(struct sms_send, email, "email", 1024, BODY_WORD),
	TYPED_OR_NULL(struct sms_send, user_id, "userId", 1024, BODY_WORD),
	TEXT_OR_NULL(struct sms_send, mode, "mode", 64),
	TEXT_OR_NULL(struct sms_send, temp_token, "tempToken", TOKEN_MAX),
	TEXT_OR_NULL(struct sms_send, device, "deviceToken", 256),
};
const struct body_shape sms_send_shape = SHAPE(struct sms_send, sms_send_fields);

struct sms_verify {
	struct sms_proof proof;
	str mode;
};
static const struct body_field sms_verify_fields[] = {
	TYPED_OR_NULL(struct sms_verify, proof.email, "email", 1024, BODY_WORD),
	TYPED_OR_NULL(struct sms_verify, proof.user_id, "userId", 1024, BODY_WORD),
	TYPED_OR_NULL(struct sms_verify, proof.code, "code", CODE_MAX, BODY_CODE),
	TEXT_OR_NULL(struct sms_verify, mode, "mode", 64),
	TEXT_OR_NULL(struct sms_verify, proof.temp_token, "tempToken", TOKEN_MAX),
	FLAG(struct sms_verify, proof.remember, "rememberDevice"),
	TEXT_OR_NULL(struct sms_verify, proof.device, "deviceToken", 256),
	TEXT_OR_NULL(struct sms_verify, proof.trust, "trustToken", 256),
};
const struct body_shape sms_verify_shape = SHAPE(struct sms_verify, sms_verify_fields);

/* Whatever else it says is a sign-in. */
static bool is_second(str mode)
{
	return str_eq(mode, STR("2fa"));
}

static enum mailed mailed_of(str type)
{
	if (str_eq(type, STR("code")))
		return MAILED_CODE;
	return str_eq(type, STR("both")) ? MAILED_BOTH : MAILED_LINK;
}

err_t api_magic_send(struct req *r, const void *body, struct http_reply *rep)
{
	const struct magic_send *b = body;
	struct asker by;

	TRY(req_asker(r, b->device, &by));
	if (is_second(b->mode))
		TRY(passwordless_mail_factor(&r->c, b->temp_token, b->lang, mailed_of(b->type)));
	else
		TRY(passwordless_mail(&r->c, b->email, b->lang, mailed_of(b->type), &by));
	reply_success(rep);
	return OK;
}

err_t api_magic_verify(struct req *r, const void *body, struct http_reply *rep)
{
	struct magic_verify b = *(const struct magic_verify *)body;
	struct asker along;
	struct signed_in s;

	cookie_device(r, &b.proof.device, &b.proof.trust);
	TRY(req_asker(r, b.proof.device, &along));
	b.proof.caller_id = along.user_id;
	if (is_second(b.mode))
		TRY(passwordless_mail_finish(&r->c, &b.proof, &s));
	else
		TRY(passwordless_mail_sign_in(&r->c, &b.proof, &s));
	return reply_signed_in(r, rep, &s);
}

err_t api_sms_send(struct req *r, const void *body, struct http_reply *rep)
{
	const struct sms_send *b = body;
	struct asker by;

	TRY(req_asker(r, b->device, &by));
	if (is_second(b->mode))
		TRY(passwordless_sms_factor(&r->c, b->temp_token));
	else
		TRY(passwordless_sms(&r->c, b->email, b->user_id, &by));
	reply_success(rep);
	return OK;
}

err_t api_sms_verify(struct req *r, const void *body, struct http_reply *rep)
{
	struct sms_verify b = *(const struct sms_verify *)body;
	struct signed_in s;

	cookie_device(r, &b.proof.device, &b.proof.trust);
	if (is_second(b.mode))
		TRY(passwordless_sms_finish(&r->c, &b.proof, &s));
	else
		TRY(passwordless_sms_sign_in(&r->c, &b.proof, &s));
	return reply_signed_in(r, rep, &s);
}
