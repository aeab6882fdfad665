/* session.c — POST /login, /refresh, /logout and the list of sessions. */
#include "api/routes.h"
#include "base/json_out.h"
#include "domain/brake.h"
#include "domain/login.h"
#include "domain/uid.h"

#define CLEANUP_SLICE  500
#define CLEANUP_ROUNDS 20

static const struct body_field session_login_fields[] = {
	TEXT(struct login, email, "email", 1024),
	SECRET(struct login, password, "password", PASSWORD_MAX_BYTES),
	TEXT_OR_NULL(struct login, device_token, "deviceToken", 256),
	TEXT_OR_NULL(struct login, trust_token, "trustToken", 256),
	TEXT_OR_NULL(struct login, challenge_answer, "challengeAnswer", BRAKE_ANSWER_MAX),
};
const struct body_shape session_login_shape = SHAPE(struct login, session_login_fields);

struct session_refresh {
	str refresh_token;
};
static const struct body_field session_refresh_fields[] = {
	TEXT_OR_NULL(struct session_refresh, refresh_token, "refreshToken", 1024),
};
const struct body_shape session_refresh_shape = SHAPE(struct session_refresh, session_refresh_fields);

err_t require_bearer(const struct req *r)
{
	REQUIRE(str_eq(http_header(r->http, "x-auth-strategy"), STR("bearer")), ERR_BEARER_ONLY);
	return OK;
}

void out_tokens(struct json_out *o, const struct tokens *t)
{
	out_bool(o, STR("success"), true);
	out_str(o, STR("accessToken"), t->access);
	out_str(o, STR("refreshToken"), t->refresh);
	out_str(o, STR("deviceToken"), t->device);
	out_str(o, STR("trustToken"), t->trust);
}

/* In the order that clients show them in. */
static void out_factors(struct json_out *o, unsigned factors)
{
	out_key(o, STR("available2faMethods"));
	out_arr(o);
	if ((factors & FACTOR_TOTP) != 0)
		out_value_str(o, STR("totp"));
	if ((factors & FACTOR_SMS) != 0)
		out_value_str(o, STR("sms"));
	if ((factors & FACTOR_MAIL) != 0)
		out_value_str(o, STR("magic-link"));
	out_end_arr(o);
}

static void out_setup(struct json_out *o, const struct signed_in *s)
{
	out_bool(o, STR("requires2FASetup"), true);
	out_str(o, STR("tempToken"), s->temp_token);
	out_factors(o, 0);
	out_str(o, STR("error"), STR("2FA setup required"));
	out_str(o, STR("message"), STR("2FA setup required"));
	out_str(o, STR("code"), STR("2FA_SETUP_REQUIRED"));
}

void reply_signed_in(struct http_reply *rep, const struct signed_in *s)
{
	struct json_out o;

	rep->status = s->kind == GATE_SETUP ? 403 : 200;
	out_begin(&o, &rep->body);
	out_obj(&o);
	switch (s->kind) {
	case GATE_TOKENS: out_tokens(&o, &s->tokens); break;
	case GATE_SECOND_FACTOR:
		out_bool(&o, STR("requiresTwoFactor"), true);
		out_str(&o, STR("tempToken"), s->temp_token);
		out_factors(&o, s->factors);
		break;
	case GATE_SETUP: out_setup(&o, s); break;
	case GATE_UNSET: rep->body.overflow = true; break; /* a bug: dispatch answers 500 */
	}
	out_end_obj(&o);
}

err_t api_session_login(struct req *r, const void *body, struct http_reply *rep)
{
	const struct login *b = body;
	struct signed_in s;

	TRY(require_bearer(r));
	TRY(login_password(&r->c, b, &s));
	reply_signed_in(rep, &s);
	return OK;
}

err_t api_session_refresh(struct req *r, const void *body, struct http_reply *rep)
{
	const struct session_refresh *b = body;
	struct signed_in s = { .kind = GATE_TOKENS };

	TRY(require_bearer(r));
	REQUIRE(b->refresh_token.n > 0, ERR_NO_REFRESH_TOKEN);
	TRY(session_refresh(&r->c, b->refresh_token, &s.tokens));
	reply_signed_in(rep, &s);
	return OK;
}

err_t api_session_logout(struct req *r, const void *body, struct http_reply *rep)
{
	const struct session_refresh *b = body;

	TRY(session_logout(&r->c, bearer_token(r->http), b->refresh_token));
	reply_success(rep);
	return OK;
}

err_t out_session(struct req *r, struct json_out *o, const struct session_row *s)
{
	int64_t expires_ms =
		s->idle_expires_ms < s->abs_expires_ms ? s->idle_expires_ms : s->abs_expires_ms;
	str handle, user_id;

	TRY(uid_text(r->c.mem, s->sid, &handle));
	TRY(uid_text(r->c.mem, r->who.row.uid, &user_id));
	out_obj(o);
	out_str(o, STR("sessionHandle"), handle);
	out_str(o, STR("handle"), handle);
	out_str(o, STR("userId"), user_id);
	out_time(o, STR("createdAt"), s->created_ms);
	out_time(o, STR("expiresAt"), expires_ms);
	out_time(o, STR("lastActiveAt"), s->last_active_ms);
	out_time(o, STR("lastActive"), s->last_active_ms);
	out_str(o, STR("userAgent"), s->user_agent);
	out_str(o, STR("ipAddress"), s->ip);
	out_bool(o, STR("isCurrent"), str_eq(s->sid, str_of_bytes(r->who.token.sid, UID_BYTES)));
	out_end_obj(o);
	return OK;
}

err_t api_session_list(struct req *r, const void *body, struct http_reply *rep)
{
	struct session_row *rows;
	struct json_out o;
	size_t n;

	(void)body;
	TRY(session_list_own(&r->c, r->who.row.id, &rows, &n));
	rep->status = 200;
	out_begin(&o, &rep->body);
	out_obj(&o);
	out_key(&o, STR("sessions"));
	out_arr(&o);
	for (size_t i = 0; i < n; i++)
		TRY(out_session(r, &o, &rows[i]));
	out_end_arr(&o);
	out_end_obj(&o);
	return OK;
}

err_t api_session_end(struct req *r, const void *body, struct http_reply *rep)
{
	(void)body;
	TRY(session_end_own(&r->c, r->who.row.id, r->who.row.uid, r->http->route_params[0]));
	reply_success(rep);
	return OK;
}

err_t api_session_cleanup(struct req *r, const void *body, struct http_reply *rep)
{
	int64_t total = 0, n = CLEANUP_SLICE;
	struct json_out o;

	(void)body;
	/* In slices, so that nobody's write waits long; the background sweep takes what is left. */
	for (int i = 0; i < CLEANUP_ROUNDS && n == CLEANUP_SLICE; i++) {
		TRY(session_sweep(&r->c, CLEANUP_SLICE, &n));
		total += n;
	}
	rep->status = 200;
	out_begin(&o, &rep->body);
	out_obj(&o);
	out_bool(&o, STR("success"), true);
	out_i64(&o, STR("deleted"), total);
	out_end_obj(&o);
	return OK;
}
