#include "domain/audit.h"

#include <arpa/inet.h>
#include <string.h>

#include "store/query.h"

const char *audit_event_name(enum audit_event e)
{
	switch (e) {
	case AUDIT_UNSET: break;
	case AUDIT_USER_CREATED: return "user.created";
	case AUDIT_USER_DISABLED: return "user.disabled";
	case AUDIT_USER_ENABLED: return "user.enabled";
	case AUDIT_USER_DELETED: return "user.deleted";
	case AUDIT_ADMIN_SET: return "user.admin_set";
	case AUDIT_PROFILE_CHANGED: return "user.profile_changed";
	case AUDIT_PASSWORD_SET: return "user.password_set";
	case AUDIT_LOGIN_OK: return "login.ok";
	case AUDIT_LOGIN_FAILED: return "login.failed";
	case AUDIT_LOGOUT: return "session.logout";
	case AUDIT_SESSION_ENDED: return "session.ended";
	case AUDIT_REFRESH_REUSE: return "session.refresh_reuse";
	case AUDIT_SESSION_AHEAD: return "session.ahead_of_store";
	case AUDIT_RESET_REQUESTED: return "password.reset_requested";
	case AUDIT_PASSWORD_RESET: return "password.reset";
	case AUDIT_PASSWORD_CHANGED: return "password.changed";
	case AUDIT_VERIFICATION_SENT: return "email.verification_sent";
	case AUDIT_EMAIL_VERIFIED: return "email.verified";
	case AUDIT_EMAIL_CHANGE_REQUESTED: return "email.change_requested";
	case AUDIT_EMAIL_CHANGED: return "email.changed";
	case AUDIT_EMAIL_REVERTED: return "email.reverted";
	case AUDIT_PHONE_CODE_SENT: return "phone.code_sent";
	case AUDIT_PHONE_CHANGED: return "phone.changed";
	case AUDIT_PHONE_REMOVED: return "phone.removed";
	case AUDIT_SMS_BUDGET_USED_UP: return "sms.budget_used_up";
	case AUDIT_STEPUP_OK: return "stepup.ok";
	case AUDIT_STEPUP_FAILED: return "stepup.failed";
	case AUDIT_REGISTER_TAKEN: return "user.register_taken";
	case AUDIT_EXPORTED: return "user.exported";
	case AUDIT_FACTOR_ASKED: return "factor.asked";
	case AUDIT_FACTOR_FAILED: return "factor.failed";
	case AUDIT_FACTOR_SET: return "factor.set";
	case AUDIT_FACTOR_REMOVED: return "factor.removed";
	case AUDIT_FACTOR_RESET_ASKED: return "factor.reset_asked";
	case AUDIT_FACTOR_RESET_CANCELLED: return "factor.reset_cancelled";
	case AUDIT_FACTOR_REQUIRED: return "factor.required";
	case AUDIT_CLAIM_ASKED: return "claim.asked";
	case AUDIT_CLAIM_CANCELLED: return "claim.cancelled";
	case AUDIT_ACCOUNT_TAKEN: return "account.taken";
	case AUDIT_RECOVERY_MADE: return "recovery.made";
	case AUDIT_RECOVERY_USED: return "recovery.used";
	case AUDIT_LINK_SENT: return "login.link_sent";
	case AUDIT_CODE_SENT: return "login.code_sent";
	case AUDIT_ACCOUNT_LINK_SENT: return "account.link_sent";
	case AUDIT_ACCOUNT_LINKED: return "account.linked";
	case AUDIT_ACCOUNT_UNLINKED: return "account.unlinked";
	case AUDIT_OAUTH_FAILED: return "oauth.failed";
	case AUDIT_OTT_REUSED: return "oauth.token_reused";
	case AUDIT_GRANT_REVOKED: return "oauth.grant_revoked";
	case AUDIT_GUEST_CREATED: return "guest.created";
	case AUDIT_GUEST_UPGRADED: return "guest.upgraded";
	case AUDIT_KEYS_ROTATED: return "keys.rotated";
	case AUDIT_SERVER_STARTED: return "server.started";
	case AUDIT_SERVER_STOPPED: return "server.stopped";
	case AUDIT_CLOCK_RESET: return "clock.reset";
	}
	return "unset";
}

err_t addr_coarse(struct ctx *c, str *ret)
{
	static const uint8_t v4_mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	char text[INET6_ADDRSTRLEN];
	struct in6_addr a = { 0 };

	if (c->client_addr == NULL || str_eq(c->client_ip, STR("unix"))) {
		*ret = c->client_ip;
		return OK;
	}
	if (memcmp(c->client_addr, v4_mapped, sizeof(v4_mapped)) == 0)
		return arena_printf(c->mem, ret, "%u.%u.%u.0", c->client_addr[12],
				    c->client_addr[13], c->client_addr[14]);
	memcpy(a.s6_addr, c->client_addr, 6);
	REQUIRE(inet_ntop(AF_INET6, &a, text, sizeof(text)) != NULL, ERR_BUG);
	return arena_copy(c->mem, str_of_cstr(text), ret);
}

err_t audit_add(struct ctx *c, enum audit_event e, str uid, str sid, str detail)
{
	str ip;

	TRY(addr_coarse(c, &ip));
	return q_audit_insert(c->db, c->now_ms, str_of_cstr(audit_event_name(e)), uid, sid, ip,
			      c->request_id, detail);
}

err_t audit_sweep(struct ctx *c, int64_t limit_n, int64_t *ret_n)
{
	int64_t before_ms = c->now_ms - c->cfg->audit.retention_ms;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(q_audit_sweep_mark(c->db, before_ms));
	TRY(q_audit_sweep(c->db, before_ms, limit_n, ret_n));
	return tx_commit(&tx);
}
