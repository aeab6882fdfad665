/* session.c — POST /login, /refresh, /logout and the list of sessions. */
#include "api/cookie.h"
#include "api/csrf.h"
#include "base/json_out.h"
#include "domain/brake.h"
#include "domain/login.h"
#include "domain/uid.h"

#define CLEANUP_SLICE  500
#define CLEANUP_ROUNDS 20

static const struct body_field session_login_fields[] = {
	TYPED(struct login, email, "email", 1024, BODY_WORD),
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

static err_t are_signed(const struct tokens *t)
{
	REQUIRE(t->draft == NULL && t->access.n > 0, ERR_BUG); /* else somebody forgot session_sign */
	return OK;
}

err_t set_token_cookies(struct req *r, struct http_reply *rep, const struct tokens *t)
{
	const struct config *cfg = r->c.cfg;

	TRY(are_signed(t));
	TRY(cookie_set(r, rep, COOKIE_ACCESS, t->access, cfg->token.access_ttl_ms));
	TRY(cookie_set(r, rep, COOKIE_REFRESH, t->refresh, t->refresh_ms));
	/* As long as the refresh token, which it is needed with. */
	csrf_set(r, rep, t->sid, t->refresh_ms);
	if (t->device.n > 0)
		TRY(cookie_set(r, rep, COOKIE_DEVICE, t->device, cfg->limits.device_ttl_ms));
	if (t->trust.n > 0)
		TRY(cookie_set(r, rep, COOKIE_TRUST, t->trust, cfg->twofactor.remember_ttl_ms));
	return OK;
}

err_t out_tokens(struct req *r, struct http_reply *rep, struct json_out *o, const struct tokens *t)
{
	out_bool(o, STR("success"), true);
	if (r->delivery != DELIVERY_BEARER)
		return set_token_cookies(r, rep, t);
	TRY(are_signed(t));
	out_str(o, STR("accessToken"), t->access);
	out_str(o, STR("refreshToken"), t->refresh);
	out_str(o, STR("deviceToken"), t->device);
	out_str(o, STR("trustToken"), t->trust);
	return OK;
}

/* In the order that clients show them in. */
const struct factor_name factor_names[N_FACTOR_NAMES] = {
	{ FACTOR_TOTP, STR_INIT("totp") },
	{ FACTOR_SMS, STR_INIT("sms") },
	{ FACTOR_MAIL, STR_INIT("magic-link") },
};

static void out_factors(struct json_out *o, unsigned factors)
{
	out_key(o, STR("available2faMethods"));
	out_arr(o);
	for (size_t i = 0; i < N_FACTOR_NAMES; i++) {
		if ((factors & factor_names[i].bit) != 0)
			out_value_str(o, factor_names[i].name);
	}
	out_end_arr(o);
}

void out_waits(struct json_out *o, const struct signed_in *s)
{
	if (s->kind != GATE_SECOND_FACTOR && s->kind != GATE_SETUP)
		return;
	out_bool(o, s->kind == GATE_SETUP ? STR("requires2FASetup") : STR("requiresTwoFactor"), true);
	out_str(o, STR("tempToken"), s->temp_token);
	out_factors(o, s->factors);
}

/* A sign-in that must set a factor up first is no success. */
static void out_refused(struct json_out *o)
{
	out_str(o, STR("error"), STR("2FA setup required"));
	out_str(o, STR("message"), STR("2FA setup required"));
	out_str(o, STR("code"), STR("2FA_SETUP_REQUIRED"));
}

err_t reply_signed_in(struct req *r, struct http_reply *rep, const struct signed_in *s)
{
	struct json_out o;

	rep->status = s->kind == GATE_SETUP ? 403 : 200;
	out_begin(&o, &rep->body);
	out_obj(&o);
	switch (s->kind) {
	case GATE_TOKENS: TRY(out_tokens(r, rep, &o, &s->tokens)); break;
	case GATE_SECOND_FACTOR:
	case GATE_SETUP: out_waits(&o, s); break;
	case GATE_UNSET: FAIL(ERR_BUG);
	}
	if (s->kind == GATE_SETUP)
		out_refused(&o);
	out_lost(&o, s->lost);
	out_end_obj(&o);
	return OK;
}

err_t api_session_login(struct req *r, const void *body, struct http_reply *rep)
{
	struct login b = *(const struct login *)body;
	struct signed_in s;

	cookie_device(r, &b.device_token, &b.trust_token);
	TRY(login_password(&r->c, &b, &s));
	return reply_signed_in(r, rep, &s);
}

/* The cookie's, or the body's. What scripts must not read is not handed to them because of a header: who came
 * with a cookie is answered with cookies. */
static err_t refresh_token_of(struct req *r, const struct session_refresh *b, str *ret)
{
	str kept = cookie_read(r, COOKIE_REFRESH), sent = b->refresh_token;

	REQUIRE(kept.n == 0 || sent.n == 0 || (kept.n == sent.n && secret_equal_bytes(kept.p, sent.p, kept.n)), ERR_TWO_TOKENS);
	if (kept.n > 0)
		r->delivery = DELIVERY_COOKIE;
	*ret = kept.n > 0 ? kept : sent;
	return OK;
}

err_t api_session_refresh(struct req *r, const void *body, struct http_reply *rep)
{
	struct signed_in s = { .kind = GATE_TOKENS };
	str token;

	TRY(refresh_token_of(r, body, &token));
	REQUIRE(token.n > 0, ERR_NO_REFRESH_TOKEN);
	TRY(session_refresh(&r->c, token, &s.tokens));
	return reply_signed_in(r, rep, &s);
}

err_t api_session_logout(struct req *r, const void *body, struct http_reply *rep)
{
	str access = bearer_token(r->http), refresh;

	TRY(refresh_token_of(r, body, &refresh));
	if (access.n == 0)
		access = cookie_read(r, COOKIE_ACCESS);
	TRY(session_logout(&r->c, access, refresh));
	reply_success(rep);
	return r->delivery == DELIVERY_COOKIE ? cookie_clear(r, rep, false) : OK;
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
