/* user.c — POST /register, GET /me, PATCH /profile. */
#include "domain/user.h"

#include "api/cookie.h"
#include "api/routes.h"
#include "base/json_out.h"
#include "domain/guest.h"
#include "domain/uid.h"

struct user_register {
	str email;
	struct secret password;
	str first_name, last_name;
	str lang;
};
/* What an account is, is not for its owner to say: told instead of ignored (ASVS 15.3.3). */
#define REFUSED_OF_ACCOUNTS                                                                      \
	REFUSED("id"), REFUSED("role"), REFUSED("roles"), REFUSED("isAdmin"), REFUSED("isEmailVerified"), \
		REFUSED("require2FA"), REFUSED("tenantId"), REFUSED("permissions")
static const struct body_field user_register_fields[] = {
	TYPED(struct user_register, email, "email", 1024, BODY_WORD),
	SECRET(struct user_register, password, "password", PASSWORD_MAX_BYTES),
	TYPED_OR_NULL(struct user_register, first_name, "firstName", 400, BODY_NAME),
	TYPED_OR_NULL(struct user_register, last_name, "lastName", 400, BODY_NAME),
	TEXT_OR_NULL(struct user_register, lang, "emailLang", 200),
	REFUSED_OF_ACCOUNTS,
};
const struct body_shape user_register_shape = SHAPE(struct user_register, user_register_fields);

struct user_profile {
	struct profile_change change;
};
#define CHANGE(member) change.member
static const struct body_field user_profile_fields[] = {
	TYPED_CHANGE(struct user_profile, CHANGE(first_name), CHANGE(set_first), "firstName", 400, BODY_NAME),
	TYPED_CHANGE(struct user_profile, CHANGE(last_name), CHANGE(set_last), "lastName", 400, BODY_NAME),
	REFUSED_OF_ACCOUNTS,
};
const struct body_shape user_profile_shape = SHAPE(struct user_profile, user_profile_fields);

err_t api_user_register(struct req *r, const void *body, struct http_reply *rep)
{
	const struct user_register *b = body;
	const struct user_new n = {
		.email = b->email, .password = b->password,
		.first_name = b->first_name, .last_name = b->last_name, .lang = b->lang,
	};
	struct json_out o;
	struct signed_in in = { 0 };
	str uid, device = STR_NONE;

	if (r->who.row.is_guest) {
		TRY(uid_text(r->c.mem, r->who.row.uid, &uid)); /* nothing may fail after the commit */
		TRY(guest_upgrade(&r->c, &r->who, &n, &in));
	} else {
		TRY(user_register(&r->c, &n, &uid, &device));
	}
	rep->status = 201;
	out_begin(&o, &rep->body);
	out_obj(&o);
	out_bool(&o, STR("success"), true);
	out_str(&o, STR("userId"), uid);
	if (r->delivery == DELIVERY_BEARER)
		out_str(&o, STR("deviceToken"), device);
	else if (device.n > 0)
		TRY(cookie_set(r, rep, COOKIE_DEVICE, device, r->c.cfg->limits.device_ttl_ms));
	out_waits(&o, &in);
	out_end_obj(&o);
	return OK;
}

static err_t full_name(struct req *r, str *ret)
{
	const struct caller_row *u = &r->who.row;
	struct buf b = { 0 };

	if (u->first_name.n == 0 || u->last_name.n == 0) {
		*ret = u->first_name.n > 0 ? u->first_name : u->last_name;
		return OK;
	}
	b.cap = u->first_name.n + 1 + u->last_name.n;
	NEW(b.p, r->c.mem, char, b.cap);
	buf_str(&b, u->first_name);
	buf_byte(&b, ' ');
	buf_str(&b, u->last_name);
	*ret = buf_view(&b);
	return OK;
}

/* There always, so that no client has to ask whether they are; what is not kept yet is empty. */
static void out_rights(struct json_out *o, const struct caller_row *u)
{
	out_str(o, STR("role"), user_role(u->role, u->is_admin));
	out_key(o, STR("roles"));
	out_arr(o);
	out_end_arr(o);
	out_key(o, STR("permissions"));
	out_arr(o);
	out_end_arr(o);
	out_key(o, STR("metadata"));
	out_obj(o);
	out_end_obj(o);
}

err_t api_user_me(struct req *r, const void *body, struct http_reply *rep)
{
	const struct caller_row *u = &r->who.row;
	struct json_out o;
	str uid, name;

	(void)body;
	TRY(uid_text(r->c.mem, u->uid, &uid));
	TRY(full_name(r, &name));
	rep->status = 200;
	out_begin(&o, &rep->body);
	out_obj(&o);
	out_str(&o, STR("sub"), uid);
	out_str(&o, STR("id"), uid);
	out_str(&o, STR("email"), u->email);
	out_rights(&o, u);
	out_str(&o, STR("loginProvider"), u->login_provider);
	out_bool(&o, STR("isEmailVerified"), u->email_verified);
	out_bool(&o, STR("isTotpEnabled"), u->has_totp);
	out_str(&o, STR("firstName"), u->first_name);
	out_str(&o, STR("lastName"), u->last_name);
	out_str(&o, STR("name"), name);
	out_str(&o, STR("phoneNumber"), u->phone);
	out_bool(&o, STR("hasPassword"), u->has_password);
	if (u->last_login_ms > 0)
		out_time(&o, STR("lastLogin"), u->last_login_ms);
	out_bool(&o, STR("isAdmin"), u->is_admin);
	if (u->is_guest)
		out_bool(&o, STR("isGuest"), true);
	if (u->claim_ms > 0)
		out_time(&o, STR("claimOpensAt"), u->claim_ms);
	out_end_obj(&o);
	return OK;
}

err_t api_user_profile(struct req *r, const void *body, struct http_reply *rep)
{
	const struct user_profile *b = body;

	TRY(user_change_profile(&r->c, r->who.row.id, r->who.row.uid, &b->change));
	reply_success(rep);
	return OK;
}
