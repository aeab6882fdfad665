#include "api/problem.h"

#include <string.h>

#include "base/json_out.h"
#include "domain/brake.h"

#define PROBLEM(status, code, text) return (struct problem){ (status), STR(code), STR(text) }

/* No default: a new error code does not compile until somebody has decided what it means here. */
struct problem problem_of(enum err_code code)
{
	switch (code) {
	case ERR_INPUT: PROBLEM(400, "VALIDATION_ERROR", "Validation failed");
	case ERR_JSON: PROBLEM(400, "INVALID_JSON", "Invalid JSON body");
	case ERR_MEDIA_TYPE: PROBLEM(415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type must be application/json");
	case ERR_BODY_TOO_LARGE: PROBLEM(413, "PAYLOAD_TOO_LARGE", "Request body too large");
	case ERR_URI_TOO_LONG: PROBLEM(414, "URI_TOO_LONG", "Request target too long");
	case ERR_HEADERS_TOO_LARGE: PROBLEM(431, "HEADERS_TOO_LARGE", "Request headers too large");
	case ERR_BAD_REQUEST: PROBLEM(400, "BAD_REQUEST", "Bad request");
	case ERR_MISDIRECTED: PROBLEM(421, "MISDIRECTED", "This server does not answer for that host");
	case ERR_EXPECTATION: PROBLEM(417, "EXPECTATION_FAILED", "Expectation failed");
	case ERR_TIMEOUT: PROBLEM(408, "REQUEST_TIMEOUT", "Request took too long");
	case ERR_NO_ROUTE: PROBLEM(404, "NOT_FOUND", "Not found");
	case ERR_REGISTRATION_OFF: PROBLEM(404, "NOT_FOUND", "Not found");
	case ERR_METHOD: PROBLEM(405, "METHOD_NOT_ALLOWED", "Method not allowed");
	case ERR_NO_TOKEN: PROBLEM(403, "NO_ACCESS_TOKEN", "No access token provided");
	case ERR_ACCESS_TOKEN: PROBLEM(401, "INVALID_ACCESS_TOKEN", "Invalid or expired access token");
	case ERR_FORBIDDEN: PROBLEM(403, "FORBIDDEN", "Forbidden");
	case ERR_ACCESS_COOKIE: PROBLEM(403, "INVALID_ACCESS_TOKEN", "Invalid or expired access token");
	case ERR_CSRF: PROBLEM(403, "CSRF_INVALID", "CSRF token validation failed");
	case ERR_CSRF_LINK: PROBLEM(403, "CSRF_INVALID", "CSRF validation failed");
	case ERR_TWO_TOKENS:
		PROBLEM(400, "AMBIGUOUS_TOKENS", "The refresh tokens of cookie and body differ: send one");
	case ERR_CREDENTIALS: PROBLEM(401, "INVALID_CREDENTIALS", "Invalid credentials");
	case ERR_NO_REFRESH_TOKEN: PROBLEM(401, "NO_REFRESH_TOKEN", "No refresh token provided");
	case ERR_REFRESH_TOKEN: PROBLEM(401, "INVALID_REFRESH_TOKEN", "Invalid or expired refresh token");
	case ERR_SESSION_REVOKED: PROBLEM(401, "SESSION_REVOKED", "Session has been revoked");
	case ERR_USER_NOT_FOUND: PROBLEM(404, "USER_NOT_FOUND", "User not found");
	case ERR_SESSION_NOT_FOUND: PROBLEM(404, "SESSION_NOT_FOUND", "Session not found");
	case ERR_EMAIL_EXISTS: PROBLEM(409, "EMAIL_EXISTS", "Email already registered");
	case ERR_EMAIL_PASSWORD_REQUIRED:
		PROBLEM(400, "VALIDATION_ERROR", "email and password are required");
	case ERR_REAUTH: PROBLEM(403, "REAUTH_REQUIRED", "Please sign in again, or send your current password");
	case ERR_CURRENT_PASSWORD: PROBLEM(401, "CURRENT_PASSWORD_INCORRECT", "Current password is incorrect");
	case ERR_PASSWORD_REQUIRED:
		PROBLEM(403, "PASSWORD_REQUIRED",
			"You must set a password before you can change your email address.");
	case ERR_NEW_PASSWORD_REQUIRED: PROBLEM(400, "VALIDATION_ERROR", "New password is required");
	case ERR_RESET_TOKEN: PROBLEM(400, "INVALID_RESET_TOKEN", "Invalid reset token");
	case ERR_RESET_EXPIRED: PROBLEM(400, "RESET_TOKEN_EXPIRED", "Reset token has expired");
	case ERR_TOKEN_REQUIRED: PROBLEM(400, "TOKEN_REQUIRED", "Token is required");
	case ERR_VERIFY_TOKEN: PROBLEM(400, "INVALID_VERIFICATION_TOKEN", "Invalid verification token");
	case ERR_VERIFY_EXPIRED:
		PROBLEM(400, "VERIFICATION_TOKEN_EXPIRED", "Verification token has expired");
	case ERR_EMAIL_CHANGE_TOKEN: PROBLEM(400, "INVALID_EMAIL_CHANGE_TOKEN", "Invalid email-change token");
	case ERR_EMAIL_CHANGE_EXPIRED:
		PROBLEM(400, "EMAIL_CHANGE_TOKEN_EXPIRED", "Email-change token has expired");
	case ERR_EMAIL_REVERT_TOKEN: PROBLEM(400, "INVALID_EMAIL_REVERT_TOKEN", "Invalid email-revert token");
	case ERR_EMAIL_REVERT_EXPIRED:
		PROBLEM(400, "EMAIL_REVERT_TOKEN_EXPIRED", "Email-revert token has expired");
	case ERR_FACTOR_RESET_TOKEN: PROBLEM(400, "INVALID_2FA_RESET_TOKEN", "Invalid 2FA-reset token");
	case ERR_FACTOR_RESET_EXPIRED:
		PROBLEM(400, "2FA_RESET_TOKEN_EXPIRED", "2FA-reset token has expired");
	case ERR_EMAIL_TAKEN: PROBLEM(409, "EMAIL_EXISTS", "Email address is already in use");
	case ERR_EMAIL_VERIFIED: PROBLEM(400, "EMAIL_ALREADY_VERIFIED", "Email is already verified");
	case ERR_EMAIL_NOT_VERIFIED: PROBLEM(403, "EMAIL_NOT_VERIFIED", "Email address is not verified");
	case ERR_EMAIL_VERIFICATION_REQUIRED:
		PROBLEM(403, "EMAIL_VERIFICATION_REQUIRED", "Email verification required");
	case ERR_EMAIL_NOT_CONFIGURED: PROBLEM(500, "EMAIL_NOT_CONFIGURED", "Email not configured");
	case ERR_SMS_NOT_CONFIGURED: PROBLEM(500, "SMS_NOT_CONFIGURED", "SMS is not configured");
	case ERR_PHONE_CODE: PROBLEM(400, "INVALID_PHONE_CODE", "Invalid or expired code");
	case ERR_TEMP_TOKEN_REQUIRED: PROBLEM(400, "TEMP_TOKEN_REQUIRED", "tempToken is required for 2FA mode");
	case ERR_TEMP_TOKEN: PROBLEM(401, "INVALID_TEMP_TOKEN", "Invalid or expired temp token");
	case ERR_TOTP_CODE: PROBLEM(401, "INVALID_TOTP_CODE", "Invalid TOTP code");
	case ERR_TOTP_SETUP_CODE: PROBLEM(400, "INVALID_TOTP_CODE", "Invalid TOTP code");
	case ERR_NO_SECOND_FACTOR: PROBLEM(400, "2FA_NOT_SET_UP", "User not found or 2FA not set up");
	case ERR_CLAIM: PROBLEM(409, "CLAIM_REFUSED", "This account cannot be claimed by mail");
	case ERR_FACTOR_REQUIRED: PROBLEM(403, "2FA_REQUIRED", "Cannot disable 2FA: required for your account");
	case ERR_FACTOR_POLICY: PROBLEM(403, "2FA_REQUIRED", "Cannot disable 2FA: required by system policy");
	case ERR_EMAIL_REQUIRED: PROBLEM(400, "EMAIL_REQUIRED", "email is required");
	case ERR_MAGIC_LINK: PROBLEM(401, "INVALID_MAGIC_LINK", "Invalid magic link token");
	case ERR_MAGIC_EXPIRED: PROBLEM(401, "MAGIC_LINK_EXPIRED", "Magic link token has expired");
	case ERR_TOKEN_MISMATCH: PROBLEM(401, "TOKEN_MISMATCH", "Token mismatch");
	case ERR_SMS_TARGET: PROBLEM(400, "VALIDATION_ERROR", "userId or email is required");
	case ERR_SMS_USER: PROBLEM(400, "VALIDATION_ERROR", "userId is required");
	case ERR_SMS_CODE: PROBLEM(401, "INVALID_SMS_CODE", "Invalid or expired SMS code");
	case ERR_PHONE_NOT_SET: PROBLEM(400, "PHONE_NOT_SET", "User does not have a phone number configured");
	case ERR_LINK_TOKEN_REQUIRED: PROBLEM(400, "TOKEN_REQUIRED", "token is required");
	case ERR_LINK_TOKEN: PROBLEM(400, "INVALID_LINK_TOKEN", "Invalid account-link token");
	case ERR_LINK_EXPIRED: PROBLEM(400, "LINK_TOKEN_EXPIRED", "Account-link token has expired");
	case ERR_LINK_STATE: PROBLEM(400, "INVALID_STATE", "No pending email found for this link token");
	case ERR_UNAUTHORIZED: PROBLEM(401, "UNAUTHORIZED", "Authentication required or no pending link found");
	case ERR_LAST_LOGIN_METHOD: PROBLEM(409, "LAST_LOGIN_METHOD", "Cannot unlink the last sign-in method");
	case ERR_ALREADY_LINKED: PROBLEM(409, "ACCOUNT_ALREADY_LINKED", "That account is linked to somebody else");
	case ERR_GUESTS_OFF: PROBLEM(404, "NOT_FOUND", "Not found");
	case ERR_OAUTH_UNKNOWN: PROBLEM(404, "OAUTH_NOT_CONFIGURED", "%s OAuth not configured");
	case ERR_OAUTH_STATE:
		PROBLEM(400, "OAUTH_STATE_INVALID", "This sign-in is over or was begun elsewhere, please try again");
	case ERR_OAUTH_DENIED: PROBLEM(401, "OAUTH_ACCESS_DENIED", "The sign-in was cancelled");
	case ERR_OAUTH_DOWN:
		PROBLEM(503, "OAUTH_PROVIDER_UNAVAILABLE", "%s does not answer right now, please try again later");
	case ERR_OAUTH_EXCHANGE: PROBLEM(401, "OAUTH_TOKEN_EXCHANGE_FAILED", "%s token exchange failed");
	case ERR_OAUTH_PROFILE: PROBLEM(401, "OAUTH_PROFILE_FAILED", "Failed to get %s user profile");
	case ERR_OAUTH_ID_TOKEN: PROBLEM(401, "OAUTH_ID_TOKEN_INVALID", "Invalid %s ID token");
	case ERR_OAUTH_EMAIL: PROBLEM(400, "OAUTH_EMAIL_REQUIRED", "%s gave no e-mail address that can be used");
	case ERR_OAUTH_CONFLICT:
		PROBLEM(409, "OAUTH_ACCOUNT_CONFLICT", "There may be an account already: sign in another way first");
	case ERR_OAUTH_DISABLED: PROBLEM(401, "INVALID_CREDENTIALS", "Invalid credentials");
	case ERR_OAUTH_TARGET: PROBLEM(400, "INVALID_REDIRECT_URI", "That redirect_uri is not registered");
	case ERR_OAUTH_APP_STATE: PROBLEM(400, "VALIDATION_ERROR", "Invalid state, code_challenge or code_challenge_method");
	case ERR_PKCE_REQUIRED: PROBLEM(400, "PKCE_REQUIRED", "code_challenge with code_challenge_method=S256 is required");
	case ERR_OTT: PROBLEM(401, "INVALID_OTT", "Invalid or expired one-time token");
	case ERR_FORWARD_TARGET:
		PROBLEM(400, "INVALID_RETURN_ADDRESS", "That is no place to return to: its host is not in forward.hosts");
	case ERR_FORWARD_COOKIE:
		PROBLEM(400, "COOKIE_MISSING", "The cookie of this sign-in is missing. Allow cookies, and open the page again");
	case ERR_FORWARD_TICKET: PROBLEM(400, "INVALID_TICKET", "This sign-in is over, please open the page again");
	case ERR_NONCE_REQUIRED: PROBLEM(400, "VALIDATION_ERROR", "idToken and nonce are required");
	case ERR_LIMITED: PROBLEM(429, "RATE_LIMITED", "Too many requests, please try again later.");
	case ERR_CHALLENGE:
		PROBLEM(429, "CHALLENGE_REQUIRED", "Please solve the challenge and sign in again");
	case ERR_STORE_FULL: PROBLEM(503, "STORAGE_FULL", "Storage is full, please try again later.");
	case ERR_BUSY: PROBLEM(503, "BUSY", "Busy, please try again.");
	case ERR_OVERLOAD: PROBLEM(503, "OVERLOADED", "Too busy right now, please try again.");
	case ERR_STOPPING: PROBLEM(503, "STOPPING", "The server is restarting, please try again.");
	case ERR_CLOCK: PROBLEM(503, "CLOCK", "Temporarily unavailable, please try again.");
	case ERR_NO_MEMORY: PROBLEM(503, "OUT_OF_MEMORY", "Too busy right now, please try again.");
	case ERR_CRYPTO: PROBLEM(503, "UNAVAILABLE", "Temporarily unavailable, please try again.");
	/* Refusals that a domain function must have turned into one of its own: a fault if they get here. */
	case ERR_OK:
	case ERR_NOT_FOUND:
	case ERR_CONFLICT:
	case ERR_STORE:
	case ERR_IO:
	case ERR_CONFIG:
	case ERR_BUG:
		break;
	}
	PROBLEM(500, "INTERNAL", "Internal server error");
}

/* A code that is wrong: also when it cannot be one, of which the user is told more. */
static bool is_about_code(enum err_code code)
{
	return code == ERR_TOTP_CODE || code == ERR_TOTP_SETUP_CODE || code == ERR_SMS_CODE || code == ERR_MAGIC_LINK ||
	       code == ERR_PHONE_CODE;
}

static void out_fields(struct json_out *o, const struct ctx *c)
{
	out_key(o, STR("fields"));
	out_arr(o);
	for (size_t i = 0; i < c->n_fields; i++) {
		out_obj(o);
		out_str(o, STR("field"), str_of_cstr(c->fields[i].field));
		out_str(o, STR("reason"), str_of_cstr(c->fields[i].reason));
		out_end_obj(o);
	}
	out_end_arr(o);
}

static void out_not_a_code(struct json_out *o, const char *field)
{
	const struct ctx one = { .fields = { { field, "NOT_A_CODE" } }, .n_fields = 1 };

	out_fields(o, &one);
}

static void out_challenge(struct json_out *o, const struct ctx *c)
{
	out_key(o, STR("challenge"));
	out_obj(o);
	out_str(o, STR("algorithm"), STR("sha256"));
	out_str(o, STR("challenge"), c->challenge);
	out_i64(o, STR("bits"), BRAKE_BITS);
	out_end_obj(o);
}

/* "%s" stands for the identity provider that the request is about. */
static bool has_name(str text)
{
	return str_has(text, STR("%s"));
}

static str named(str text, const struct ctx *c)
{
	const char *at = memmem(text.p, text.n, "%s", 2);
	str name = c == NULL || c->provider_label.n == 0 ? STR("Provider") : c->provider_label, made;

	if (c == NULL || arena_printf(c->mem, &made, "%.*s%.*s%.*s", (int)(at - text.p), text.p, STR_ARG(name),
				      STR_ARG(str_skip(text, (size_t)(at - text.p) + 2)))
				 .code != ERR_OK)
		return STR("Sign-in through that provider failed");
	return made;
}

/* For people: what a form may show as it stands. */
static str text_of(struct problem p, enum err_code code, const struct ctx *c)
{
	static const struct {
		const char *reason, *text;
	} rows[] = {
		{ "PASSWORD_TOO_SHORT", "The password is too short" },
		{ "PASSWORD_TOO_LONG", "The password is too long" },
		{ "PASSWORD_COMPROMISED", "The password is too easy to guess" },
	};

	if (has_name(p.text))
		return named(p.text, c);
	if (code != ERR_INPUT || c == NULL || c->n_fields != 1)
		return p.text;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (str_eq(str_of_cstr(c->fields[0].reason), str_of_cstr(rows[i].reason)))
			return str_of_cstr(rows[i].text);
	}
	if (str_eq(str_of_cstr(c->fields[0].field), STR("email")))
		return STR("The e-mail address is not valid");
	return p.text;
}

void problem_write(enum err_code code, const struct ctx *c, bool says_success, int64_t retry_after_s,
		   struct http_reply *rep)
{
	static const char digits[] = "0123456789";
	struct problem p = problem_of(code);
	str text = text_of(p, code, c);
	struct json_out o;

	rep->status = p.status;
	rep->error = code;
	rep->body.n = 0;
	rep->body.overflow = false;
	out_begin(&o, &rep->body);
	out_obj(&o);
	if (says_success)
		out_bool(&o, STR("success"), false);
	out_str(&o, STR("error"), text);
	out_str(&o, STR("message"), text);
	out_str(&o, STR("code"), p.code);
	if (c != NULL && c->hint.n > 0)
		out_str(&o, STR("hint"), c->hint);
	if (c != NULL && code == ERR_INPUT && c->n_fields > 0)
		out_fields(&o, c);
	if (c != NULL && c->not_a_code != NULL && is_about_code(code))
		out_not_a_code(&o, c->not_a_code);
	if (c != NULL && code == ERR_CHALLENGE)
		out_challenge(&o, c);
	if (c != NULL && code == ERR_EMAIL_EXISTS)
		out_str(&o, STR("mergeToken"), c->merge_token);
	out_end_obj(&o);

	if (code == ERR_ACCESS_TOKEN || code == ERR_SESSION_REVOKED) /* RFC 6750 §3.1 */
		http_reply_header(rep, "WWW-Authenticate", STR("Bearer error=\"invalid_token\""));
	if (p.status == 503 && retry_after_s <= 0)
		retry_after_s = 1;
	if (retry_after_s > 0 && (p.status == 503 || p.status == 429)) {
		/* The reply's body buffer is the only memory here: the digits go behind the body. */
		char *at = rep->body.p + rep->body.n, *start = at;
		size_t room = rep->body.cap - rep->body.n;
		int64_t div = 1;

		while (div <= retry_after_s / 10)
			div *= 10;
		for (; div > 0 && room > 0; div /= 10, room--)
			*at++ = digits[retry_after_s / div % 10];
		http_reply_header(rep, "Retry-After", (str){ start, (size_t)(at - start) });
	}
}
