#include "domain/phone.h"

#include "base/log.h"
#include "domain/asked.h"
#include "domain/audit.h"
#include "domain/message.h"
#include "domain/onetime.h"
#include "domain/phone_number.h"
#include "store/query.h"

/* "+39 ••• 567": the mail says which number without handing it to whoever reads along. */
static err_t masked(struct ctx *c, str number, str *ret)
{
	if (number.p == NULL) {
		*ret = STR("-");
		return OK;
	}
	return arena_printf(c->mem, ret, "%.3s ••• %.3s", number.p, number.p + number.n - 3);
}

/* The account's address is the old channel: it hears of every change (MF16). */
static err_t store(struct ctx *c, const struct caller *who, const struct user_row *user, str number)
{
	struct template_var var = { STR("newPhone"), STR_NONE };
	int64_t changed;

	TRY(q_user_set_phone(c->db, user->id, number, &changed));
	TRY(onetime_void(c, user->id, ONETIME_PHONE));
	TRY(onetime_void(c, user->id, ONETIME_SMS));
	TRY(onetime_void(c, user->id, ONETIME_SMS_2FA));
	TRY(masked(c, number, &var.value));
	if (number.p != NULL || user->phone.p != NULL)
		TRY(message_to_user(c, user, STR("phone-changed"), &var, 1));
	return audit_add(c, number.p == NULL ? AUDIT_PHONE_REMOVED : AUDIT_PHONE_CHANGED, user->uid,
			 str_of_bytes(who->token.sid, UID_BYTES), STR_NONE);
}

static err_t store_at_once(struct ctx *c, const struct caller *who, str number)
{
	struct user_row user = { 0 };
	TX tx = { 0 };

	TRY(session_act(c, who, &tx, &user));
	TRY(store(c, who, &user, number));
	return tx_commit(&tx);
}

static err_t refuse_unconfigured(struct ctx *c)
{
	log_event(LOG_WARN, "sms_not_configured", LOG_STR("request_id", c->request_id));
	FAIL(ERR_SMS_NOT_CONFIGURED);
}

static err_t check(struct ctx *c, const struct caller *who, str raw, str *ret_number, str *ret_fixed)
{
	err_t e = phone_canonical(c->mem, raw, ret_number);

	*ret_fixed = STR_NONE;
	if (e.code == ERR_INPUT)
		ctx_field(c, "phoneNumber", "INVALID");
	else if (e.code != ERR_OK)
		return e;
	else if (phone_test_code(c->cfg, *ret_number, ret_fixed)) {
		if (who->row.is_admin) /* its code is in the settings: no key to the whole house */
			ctx_field(c, "phoneNumber", "TEST_NUMBER");
	} else if (c->cfg->sms.require_proof && !sms_is_on(c->cfg)) /* nor are countries listed then */
		return refuse_unconfigured(c);
	else if (!phone_allowed(c->cfg, *ret_number))
		ctx_field(c, "phoneNumber", "COUNTRY");
	REQUIRE(c->n_fields == 0, ERR_INPUT);
	return OK;
}

static err_t send_code(struct ctx *c, const struct caller *who, const struct user_row *user, str number, str fixed)
{
	const struct onetime_new n = { .purpose = ONETIME_PHONE, .user_id = who->row.id, .address = number,
				       .sid = str_of_bytes(who->token.sid, UID_BYTES) };
	str code;

	TRY(onetime_make_code(c, &n, fixed, &code));
	if (fixed.p != NULL)
		return OK;
	return message_code(c, user, number, code, c->now_ms + onetime_ttl_ms(c->cfg, ONETIME_PHONE));
}

err_t phone_change(struct ctx *c, const struct caller *who, str raw)
{
	str number, fixed;
	struct user_row user = { 0 };
	struct leave leave = { .given = true, .tell = true };
	TX tx = { 0 };

	if (raw.p == NULL)
		return store_at_once(c, who, STR_NONE);
	TRY(check(c, who, raw, &number, &fixed));
	if (!c->cfg->sms.require_proof)
		return store_at_once(c, who, number);
	TRY(session_act(c, who, &tx, &user));
	if (fixed.p == NULL)
		TRY(asked_sms(c, STR("phone"), number, false, &leave));
	if (leave.given)
		TRY(send_code(c, who, &user, number, fixed));
	if (leave.tell)
		TRY(audit_add(c, AUDIT_PHONE_CODE_SENT, who->row.uid, str_of_bytes(who->token.sid, UID_BYTES),
			      leave.given ? STR_NONE : STR("limited")));
	return tx_commit(&tx);
}

err_t phone_verify(struct ctx *c, const struct caller *who, str code)
{
	struct onetime_row t = { 0 };
	struct user_row user = { 0 };
	TX tx = { 0 };

	TRY(onetime_try_code(c, ONETIME_PHONE, who->row.id, code, &t));
	TRY(session_act(c, who, &tx, &user));
	TRY(onetime_take_code(c, &t, code));
	TRY(store(c, who, &user, t.address));
	return tx_commit(&tx);
}
