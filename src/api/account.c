/* account.c — DELETE /account, GET /export. */
#include "domain/account.h"

#include "api/cookie.h"
#include "base/json_out.h"
#include "domain/onetime.h"
#include "domain/uid.h"

struct account_delete {
	struct stepup proof;
};
static const struct body_field account_delete_fields[] = {
	PROOF_FIELDS(struct account_delete),
};
const struct body_shape account_delete_shape = SHAPE_WITH_PROOF(struct account_delete, account_delete_fields);

err_t api_account_delete(struct req *r, const void *body, struct http_reply *rep)
{
	(void)body; /* read by the check that asks again who is there */
	TRY(account_delete(&r->c, &r->who));
	reply_success(rep);
	return r->by_cookie ? cookie_clear(r, rep, true) : OK;
}

static err_t out_user(struct req *r, struct json_out *o, const struct user_row *u)
{
	str id;

	TRY(uid_text(r->c.mem, u->uid, &id));
	out_key(o, STR("user"));
	out_obj(o);
	out_str(o, STR("id"), id);
	out_str(o, STR("email"), u->email);
	out_bool(o, STR("isEmailVerified"), u->email_verified);
	out_str(o, STR("firstName"), u->first_name);
	out_str(o, STR("lastName"), u->last_name);
	out_str(o, STR("phoneNumber"), u->phone);
	out_str(o, STR("role"), u->role);
	out_str(o, STR("loginProvider"), u->login_provider);
	out_str(o, STR("language"), u->lang);
	out_bool(o, STR("hasPassword"), u->has_password);
	out_bool(o, STR("isAdmin"), u->is_admin);
	if (u->is_guest)
		out_bool(o, STR("isGuest"), true);
	out_time(o, STR("createdAt"), u->created_ms);
	if (u->last_login_ms > 0)
		out_time(o, STR("lastLogin"), u->last_login_ms);
	out_end_obj(o);
	return OK;
}

static const char *pending_name(int64_t purpose)
{
	switch ((enum onetime_purpose)purpose) {
	case ONETIME_RESET: return "passwordReset";
	case ONETIME_VERIFY: return "emailVerification";
	case ONETIME_EMAIL_CHANGE: return "emailChange";
	case ONETIME_EMAIL_REVERT: return "emailRevert";
	case ONETIME_PHONE: return "phoneNumber";
	case ONETIME_HANDLE:
	case ONETIME_SETUP:
	case ONETIME_FACTOR_RESET:
	case ONETIME_MAGIC_2FA:
	case ONETIME_MAIL_CODE_2FA:
	case ONETIME_SMS_2FA: return "secondFactor";
	case ONETIME_MAGIC:
	case ONETIME_MAIL_CODE:
	case ONETIME_FORWARD:
	case ONETIME_SMS: return "signIn";
	case ONETIME_OAUTH_LINK:
	case ONETIME_LINK: return "accountLink";
	case ONETIME_UNSET: break;
	}
	return "other";
}

static void out_pending(struct json_out *o, const struct account_export *x)
{
	out_key(o, STR("pending"));
	out_arr(o);
	for (size_t i = 0; i < x->n_pending; i++) {
		out_obj(o);
		out_str(o, STR("kind"), str_of_cstr(pending_name(x->pending[i].purpose)));
		out_str(o, STR("address"), x->pending[i].address);
		out_time(o, STR("createdAt"), x->pending[i].created_ms);
		out_time(o, STR("expiresAt"), x->pending[i].expires_ms);
		out_end_obj(o);
	}
	out_end_arr(o);
}

static void out_events(struct json_out *o, const struct account_export *x)
{
	out_key(o, STR("events"));
	out_arr(o);
	for (size_t i = 0; i < x->n_events; i++) {
		out_obj(o);
		out_time(o, STR("at"), x->events[i].at_ms);
		out_str(o, STR("event"), x->events[i].event);
		out_str(o, STR("ipAddress"), x->events[i].ip);
		out_str(o, STR("detail"), x->events[i].detail);
		out_end_obj(o);
	}
	out_end_arr(o);
}

err_t api_account_export(struct req *r, const void *body, struct http_reply *rep)
{
	struct account_export x = { 0 };
	struct json_out o;

	(void)body;
	TRY(account_export(&r->c, &r->who, &x));
	rep->status = 200;
	http_reply_header(rep, "Content-Disposition", STR("attachment; filename=\"account.json\""));
	out_begin(&o, &rep->body);
	out_obj(&o);
	out_time(&o, STR("exportedAt"), r->c.now_ms);
	TRY(out_user(r, &o, &x.user));
	out_key(&o, STR("sessions"));
	out_arr(&o);
	for (size_t i = 0; i < x.n_sessions; i++)
		TRY(out_session(r, &o, &x.sessions[i]));
	out_end_arr(&o);
	out_linked(&o, x.linked, x.n_linked);
	out_pending(&o, &x);
	out_events(&o, &x);
	out_end_obj(&o);
	return OK;
}
