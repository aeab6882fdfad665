/* factor.c — POST /2fa/setup, /2fa/verify-setup, /2fa/verify, /2fa/disable, /2fa/recovery-codes. */
#include "domain/factor.h"

#include "api/routes.h"

struct factor_set_up {
	struct stepup proof;
	str temp_token;
};
static const struct body_field factor_set_up_fields[] = {
	PROOF_FIELDS(struct factor_set_up),
	TEXT_OR_NULL(struct factor_set_up, temp_token, "tempToken", 1024),
};
const struct body_shape factor_set_up_shape = SHAPE_WITH_PROOF(struct factor_set_up, factor_set_up_fields);

struct factor_confirm {
	str code, secret, temp_token;
};
static const struct body_field factor_confirm_fields[] = {
	TYPED(struct factor_confirm, code, "token", CODE_MAX, BODY_CODE),
	TEXT_OR_NULL(struct factor_confirm, secret, "secret", 256),
	TEXT_OR_NULL(struct factor_confirm, temp_token, "tempToken", 1024),
};
const struct body_shape factor_confirm_shape = SHAPE(struct factor_confirm, factor_confirm_fields);

struct factor_verify {
	str temp_token, totp_code, recovery_code;
	bool remember;
};
static const struct body_field factor_verify_fields[] = {
	TEXT_OR_NULL(struct factor_verify, temp_token, "tempToken", 1024),
	TYPED_OR_NULL(struct factor_verify, totp_code, "totpCode", CODE_MAX, BODY_FACTOR_CODE),
	TYPED_OR_NULL(struct factor_verify, recovery_code, "recoveryCode", CODE_MAX, BODY_FACTOR_CODE),
	FLAG(struct factor_verify, remember, "rememberDevice"),
};
const struct body_shape factor_verify_shape = SHAPE(struct factor_verify, factor_verify_fields);

struct factor_proof {
	struct stepup proof;
};
static const struct body_field factor_proof_fields[] = { PROOF_FIELDS(struct factor_proof) };
const struct body_shape factor_proof_shape = SHAPE_WITH_PROOF(struct factor_proof, factor_proof_fields);

err_t as_access_token(err_t e)
{
	if (e.code == ERR_TEMP_TOKEN || e.code == ERR_TEMP_TOKEN_REQUIRED)
		FAIL(ERR_ACCESS_TOKEN);
	return e;
}

/* The access token, or the handle from the header or the body. A browser may still have the cookies of somebody
 * else: what the page sends goes first. */
static err_t setup_owner(struct req *r, str temp_token, struct factor_owner *ret)
{
	*ret = (struct factor_owner){ .setup = r->setup };
	if (r->who.row.id != 0 && (temp_token.n == 0 || !r->by_cookie))
		ret->who = &r->who;
	else if (r->setup.token.n == 0) {
		REQUIRE(temp_token.n > 0, ERR_NO_TOKEN);
		return as_access_token(gate_find(&r->c, ONETIME_SETUP, temp_token, &ret->setup));
	}
	return OK;
}

err_t api_factor_set_up(struct req *r, const void *body, struct http_reply *rep)
{
	const struct factor_set_up *b = body;
	struct factor_owner owner;
	struct factor_new made;
	struct json_out o;

	TRY(setup_owner(r, b->temp_token, &owner));
	TRY(as_access_token(factor_set_up(&r->c, &owner, &made)));
	rep->status = 200;
	out_begin(&o, &rep->body);
	out_obj(&o);
	out_str(&o, STR("secret"), made.secret);
	out_str(&o, STR("otpauthUrl"), made.url);
	out_str(&o, STR("qrCode"), made.qr);
	out_end_obj(&o);
	return OK;
}

static void out_codes(struct json_out *o, const struct recovery_set *codes)
{
	out_key(o, STR("recoveryCodes"));
	out_arr(o);
	for (size_t i = 0; i < RECOVERY_CODES; i++)
		out_value_str(o, codes->shown[i]);
	out_end_arr(o);
}

/* Under a handle the sign-in is over with this: the tokens come along. */
err_t api_factor_confirm(struct req *r, const void *body, struct http_reply *rep)
{
	const struct factor_confirm *b = body;
	struct factor_owner owner;
	struct recovery_set codes;
	struct signed_in s;
	struct json_out o;

	TRY(setup_owner(r, b->temp_token, &owner));
	TRY(as_access_token(factor_confirm(&r->c, &owner, b->code, b->secret, &codes, &s)));
	rep->status = 200;
	out_begin(&o, &rep->body);
	out_obj(&o);
	if (s.kind == GATE_TOKENS)
		TRY(out_tokens(r, rep, &o, &s.tokens));
	else
		out_bool(&o, STR("success"), true);
	out_codes(&o, &codes);
	out_end_obj(&o);
	return OK;
}

err_t api_factor_verify(struct req *r, const void *body, struct http_reply *rep)
{
	const struct factor_verify *b = body;
	str code = b->totp_code.n > 0 ? b->totp_code : b->recovery_code;
	struct signed_in s;

	TRY(as_access_token(factor_sign_in(&r->c, b->temp_token, code, b->remember, &s)));
	return reply_signed_in(r, rep, &s);
}

err_t api_factor_disable(struct req *r, const void *body, struct http_reply *rep)
{
	(void)body;
	TRY(factor_disable(&r->c, &r->who));
	reply_success(rep);
	return OK;
}

err_t api_factor_new_codes(struct req *r, const void *body, struct http_reply *rep)
{
	struct recovery_set codes;
	struct json_out o;

	(void)body;
	TRY(factor_new_codes(&r->c, &r->who, &codes));
	rep->status = 200;
	out_begin(&o, &rep->body);
	out_obj(&o);
	out_codes(&o, &codes);
	out_end_obj(&o);
	return OK;
}

err_t api_factor_keep(struct req *r, const void *body, struct http_reply *rep)
{
	const struct body_token *b = body;

	TRY(factor_keep_by_link(&r->c, b->token));
	reply_success(rep);
	return OK;
}
