/* audit.h — the append-only record of security events. A row is written in the transaction of the
 * fact it tells of; it holds ids and a coarse address, never a secret. */
#ifndef DOMAIN_AUDIT_H
#define DOMAIN_AUDIT_H

#include "domain/ctx.h"

enum audit_event {
	AUDIT_UNSET = 0,
	AUDIT_USER_CREATED,
	AUDIT_USER_DISABLED,
	AUDIT_USER_ENABLED,
	AUDIT_USER_DELETED,
	AUDIT_ADMIN_SET,
	AUDIT_PROFILE_CHANGED,
	AUDIT_PASSWORD_SET,
	AUDIT_LOGIN_OK,
	AUDIT_LOGIN_FAILED,
	AUDIT_LOGOUT,
	AUDIT_SESSION_ENDED,
	AUDIT_REFRESH_REUSE,
	AUDIT_SESSION_AHEAD,
	AUDIT_RESET_REQUESTED,
	AUDIT_PASSWORD_RESET,
	AUDIT_PASSWORD_CHANGED,
	AUDIT_VERIFICATION_SENT,
	AUDIT_EMAIL_VERIFIED,
	AUDIT_EMAIL_CHANGE_REQUESTED,
	AUDIT_EMAIL_CHANGED,
	AUDIT_EMAIL_REVERTED,
	AUDIT_PHONE_CODE_SENT,
	AUDIT_PHONE_CHANGED,
	AUDIT_PHONE_REMOVED,
	AUDIT_SMS_BUDGET_USED_UP,
	AUDIT_STEPUP_OK,
	AUDIT_STEPUP_FAILED,
	AUDIT_REGISTER_TAKEN,
	AUDIT_EXPORTED,
	AUDIT_FACTOR_ASKED,
	AUDIT_FACTOR_FAILED,
	AUDIT_FACTOR_SET,
	AUDIT_FACTOR_REMOVED,
	AUDIT_FACTOR_RESET_ASKED,
	AUDIT_FACTOR_RESET_CANCELLED,
	AUDIT_FACTOR_REQUIRED,
	AUDIT_CLAIM_ASKED,
	AUDIT_CLAIM_CANCELLED,
	AUDIT_ACCOUNT_TAKEN,
	AUDIT_RECOVERY_MADE,
	AUDIT_RECOVERY_USED,
	AUDIT_LINK_SENT,
	AUDIT_CODE_SENT,
	AUDIT_ACCOUNT_LINK_SENT,
	AUDIT_ACCOUNT_LINKED,
	AUDIT_ACCOUNT_UNLINKED,
	AUDIT_OAUTH_FAILED,
	AUDIT_OTT_REUSED,
	AUDIT_GRANT_REVOKED,
	AUDIT_GUEST_CREATED,
	AUDIT_GUEST_UPGRADED,
	AUDIT_KEYS_ROTATED,
	AUDIT_SERVER_STARTED,
	AUDIT_SERVER_STOPPED,
	AUDIT_CLOCK_RESET,
};

/* "login.failed", … as stored and shown. */
const char *audit_event_name(enum audit_event e);

/* Append inside the open transaction. uid and sid may be STR_NONE; detail is a short constant or
 * STR_NONE. The coarse address and the request id come from ctx. */
MUST_USE err_t audit_add(struct ctx *c, enum audit_event e, str uid, str sid, str detail);

/* The address with its host part cut: 203.0.113.7 → 203.0.113.0, 2001:db8:1:2::3 → 2001:db8:1::.
 * Other texts ("cli", "unix") stay. Into the arena. */
MUST_USE err_t addr_coarse(struct ctx *c, str *ret);

/* Delete events older than the retention, at most limit_n; *ret_n how many. */
MUST_USE err_t audit_sweep(struct ctx *c, int64_t limit_n, int64_t *ret_n);

#endif
