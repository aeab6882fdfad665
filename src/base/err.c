#include "base/err.h"

#include <stdio.h>

static _Thread_local struct {
	const char *file;
	int line;
	char text[96];
} origin;

void err_note(enum err_code code, const char *file, int line)
{
	if (code >= ERR_FAULT_FIRST && origin.file == NULL) {
		origin.file = file;
		origin.line = line;
	}
}

const char *err_origin(void)
{
	if (origin.file == NULL)
		return "";
	(void)snprintf(origin.text, sizeof(origin.text), "%s:%d", origin.file, origin.line);
	return origin.text;
}

void err_clear_origin(void)
{
	origin.file = NULL;
}

const char *err_name(enum err_code code)
{
	switch (code) {
	case ERR_OK: return "ok";
	case ERR_INPUT: return "input";
	case ERR_JSON: return "json";
	case ERR_MEDIA_TYPE: return "media_type";
	case ERR_BODY_TOO_LARGE: return "body_too_large";
	case ERR_URI_TOO_LONG: return "uri_too_long";
	case ERR_HEADERS_TOO_LARGE: return "headers_too_large";
	case ERR_BAD_REQUEST: return "bad_request";
	case ERR_MISDIRECTED: return "misdirected";
	case ERR_EXPECTATION: return "expectation";
	case ERR_TIMEOUT: return "timeout";
	case ERR_NO_ROUTE: return "no_route";
	case ERR_METHOD: return "method";
	case ERR_NO_TOKEN: return "no_token";
	case ERR_ACCESS_TOKEN: return "access_token";
	case ERR_FORBIDDEN: return "forbidden";
	case ERR_ACCESS_COOKIE: return "access_cookie";
	case ERR_CSRF: return "csrf";
	case ERR_CSRF_LINK: return "csrf_link";
	case ERR_TWO_TOKENS: return "two_tokens";
	case ERR_CREDENTIALS: return "credentials";
	case ERR_NO_REFRESH_TOKEN: return "no_refresh_token";
	case ERR_REFRESH_TOKEN: return "refresh_token";
	case ERR_SESSION_REVOKED: return "session_revoked";
	case ERR_USER_NOT_FOUND: return "user_not_found";
	case ERR_SESSION_NOT_FOUND: return "session_not_found";
	case ERR_EMAIL_EXISTS: return "email_exists";
	case ERR_EMAIL_PASSWORD_REQUIRED: return "email_password_required";
	case ERR_REGISTRATION_OFF: return "registration_off";
	case ERR_REAUTH: return "reauth";
	case ERR_CURRENT_PASSWORD: return "current_password";
	case ERR_PASSWORD_REQUIRED: return "password_required";
	case ERR_NEW_PASSWORD_REQUIRED: return "new_password_required";
	case ERR_RESET_TOKEN: return "reset_token";
	case ERR_RESET_EXPIRED: return "reset_expired";
	case ERR_TOKEN_REQUIRED: return "token_required";
	case ERR_VERIFY_TOKEN: return "verify_token";
	case ERR_VERIFY_EXPIRED: return "verify_expired";
	case ERR_EMAIL_CHANGE_TOKEN: return "email_change_token";
	case ERR_EMAIL_CHANGE_EXPIRED: return "email_change_expired";
	case ERR_EMAIL_REVERT_TOKEN: return "email_revert_token";
	case ERR_EMAIL_REVERT_EXPIRED: return "email_revert_expired";
	case ERR_FACTOR_RESET_TOKEN: return "factor_reset_token";
	case ERR_FACTOR_RESET_EXPIRED: return "factor_reset_expired";
	case ERR_EMAIL_TAKEN: return "email_taken";
	case ERR_EMAIL_VERIFIED: return "email_verified";
	case ERR_EMAIL_NOT_VERIFIED: return "email_not_verified";
	case ERR_EMAIL_VERIFICATION_REQUIRED: return "email_verification_required";
	case ERR_EMAIL_NOT_CONFIGURED: return "email_not_configured";
	case ERR_SMS_NOT_CONFIGURED: return "sms_not_configured";
	case ERR_PHONE_CODE: return "phone_code";
	case ERR_TEMP_TOKEN_REQUIRED: return "temp_token_required";
	case ERR_TEMP_TOKEN: return "temp_token";
	case ERR_TOTP_CODE: return "totp_code";
	case ERR_TOTP_SETUP_CODE: return "totp_setup_code";
	case ERR_NO_SECOND_FACTOR: return "no_second_factor";
	case ERR_CLAIM: return "claim";
	case ERR_FACTOR_REQUIRED: return "factor_required";
	case ERR_FACTOR_POLICY: return "factor_policy";
	case ERR_EMAIL_REQUIRED: return "email_required";
	case ERR_MAGIC_LINK: return "magic_link";
	case ERR_MAGIC_EXPIRED: return "magic_expired";
	case ERR_TOKEN_MISMATCH: return "token_mismatch";
	case ERR_SMS_TARGET: return "sms_target";
	case ERR_SMS_USER: return "sms_user";
	case ERR_SMS_CODE: return "sms_code";
	case ERR_PHONE_NOT_SET: return "phone_not_set";
	case ERR_LINK_TOKEN_REQUIRED: return "link_token_required";
	case ERR_LINK_TOKEN: return "link_token";
	case ERR_LINK_EXPIRED: return "link_expired";
	case ERR_LINK_STATE: return "link_state";
	case ERR_UNAUTHORIZED: return "unauthorized";
	case ERR_LAST_LOGIN_METHOD: return "last_login_method";
	case ERR_ALREADY_LINKED: return "already_linked";
	case ERR_GUESTS_OFF: return "guests_off";
	case ERR_OAUTH_UNKNOWN: return "oauth_unknown";
	case ERR_OAUTH_STATE: return "oauth_state";
	case ERR_OAUTH_DENIED: return "oauth_denied";
	case ERR_OAUTH_DOWN: return "oauth_down";
	case ERR_OAUTH_EXCHANGE: return "oauth_exchange";
	case ERR_OAUTH_PROFILE: return "oauth_profile";
	case ERR_OAUTH_ID_TOKEN: return "oauth_id_token";
	case ERR_OAUTH_EMAIL: return "oauth_email";
	case ERR_OAUTH_CONFLICT: return "oauth_conflict";
	case ERR_OAUTH_DISABLED: return "oauth_disabled";
	case ERR_OAUTH_TARGET: return "oauth_target";
	case ERR_OAUTH_APP_STATE: return "oauth_app_state";
	case ERR_PKCE_REQUIRED: return "pkce_required";
	case ERR_OTT: return "ott";
	case ERR_FORWARD_TARGET: return "forward_target";
	case ERR_FORWARD_COOKIE: return "forward_cookie";
	case ERR_FORWARD_TICKET: return "forward_ticket";
	case ERR_NONCE_REQUIRED: return "nonce_required";
	case ERR_LIMITED: return "limited";
	case ERR_CHALLENGE: return "challenge";
	case ERR_NOT_FOUND: return "not_found";
	case ERR_CONFLICT: return "conflict";
	case ERR_STORE: return "store";
	case ERR_STORE_FULL: return "store_full";
	case ERR_BUSY: return "busy";
	case ERR_OVERLOAD: return "overload";
	case ERR_STOPPING: return "stopping";
	case ERR_CLOCK: return "clock";
	case ERR_CRYPTO: return "crypto";
	case ERR_NO_MEMORY: return "no_memory";
	case ERR_IO: return "io";
	case ERR_CONFIG: return "config";
	case ERR_BUG: return "bug";
	}
	return "unknown";
}
