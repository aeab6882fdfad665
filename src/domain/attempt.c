#include "domain/attempt.h"

#include <string.h>

#include "base/log.h"
#include "domain/audit.h"
#include "store/query.h"

#define ACCOUNT_DELAY_MAX_S 900
#define NETWORK_DELAY_MIN_S 15
#define NETWORK_DELAY_MAX_S 600
#define ACCOUNT_IDLE_MS     (30 * MS_PER_DAY)
#define NETWORK_IDLE_MS     (2 * MS_PER_HOUR)
#define NETWORK_FORGIVE_MS  MS_PER_HOUR
#define REPEAT_MS           (5 * MS_PER_S)

static void key_of(struct ctx *c, enum attempt_scope scope, str subject,
		   uint8_t ret[ATTEMPT_KEY_BYTES])
{
	const char tag = (char)scope;
	const str parts[] = { { &tag, 1 }, subject };
	uint8_t mac[MAC_BYTES];

	mac_tag_parts(&c->keys->attempt, parts, 2, mac);
	memcpy(ret, mac, ATTEMPT_KEY_BYTES);
}

/* IPv4 counts whole, IPv6 by /64: the smallest piece one customer is given. */
static str network_of(const uint8_t addr[16])
{
	static const uint8_t v4_mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	return str_of_bytes(addr, memcmp(addr, v4_mapped, sizeof(v4_mapped)) == 0 ? 16 : 8);
}

static str key_str(const uint8_t key[ATTEMPT_KEY_BYTES])
{
	return str_of_bytes(key, ATTEMPT_KEY_BYTES);
}

static err_t row_of(struct ctx *c, const uint8_t key[ATTEMPT_KEY_BYTES], struct attempt_row *ret)
{
	bool found;

	*ret = (struct attempt_row){ .since_ms = c->now_ms, .last_ms = c->now_ms };
	return q_attempt_find(c->db, c->mem, key_str(key), ret, &found);
}

static err_t put(struct ctx *c, const uint8_t key[ATTEMPT_KEY_BYTES], enum attempt_scope scope,
		 const struct attempt_row *r)
{
	return q_attempt_put(c->db, key_str(key), scope, r->failures, r->since_ms, r->blocked_ms,
			     c->now_ms, r->penalties, r->guess);
}

/* min(first * 2^n, max), without overflowing for any n. */
static int64_t doubled_s(int64_t first_s, int64_t n, int64_t max_s)
{
	int64_t s = first_s;

	while (n-- > 0 && s < max_s)
		s *= 2;
	return s < max_s ? s : max_s;
}

static err_t limited(struct ctx *c, int64_t until_ms)
{
	int64_t wait_s = (until_ms - c->now_ms + MS_PER_S - 1) / MS_PER_S;

	if (wait_s > c->retry_after_s)
		c->retry_after_s = wait_s;
	FAIL(ERR_LIMITED);
}

static err_t check_account(struct ctx *c, const struct attempt_row *r)
{
	if (r->failures >= c->cfg->limits.account_max)
		return limited(c, c->now_ms + ACCOUNT_DELAY_MAX_S * MS_PER_S);
	if (r->blocked_ms > c->now_ms)
		return limited(c, r->blocked_ms);
	return OK;
}

static err_t check_network(struct ctx *c, const struct attempt_row *r)
{
	return r->blocked_ms > c->now_ms ? limited(c, r->blocked_ms) : OK;
}

static void make_wait(struct ctx *c, struct attempt_row *r, int64_t in_a_row)
{
	int64_t over = in_a_row - c->cfg->limits.account_free;

	if (over >= 0)
		r->blocked_ms = c->now_ms + MS_PER_S * doubled_s(1, over, ACCOUNT_DELAY_MAX_S);
}

static void count_account(struct ctx *c, struct attempt_row *r)
{
	make_wait(c, r, ++r->failures);
}

static void count_network(struct ctx *c, struct attempt_row *r)
{
	if (c->now_ms - r->last_ms > NETWORK_FORGIVE_MS)
		r->penalties = 0;
	if (c->now_ms - r->since_ms > c->cfg->limits.network_window_ms) {
		r->since_ms = c->now_ms;
		r->failures = 0;
	}
	r->failures++;
	if (r->failures > c->cfg->limits.network_free) {
		r->blocked_ms = c->now_ms + MS_PER_S * doubled_s(NETWORK_DELAY_MIN_S, r->penalties,
								 NETWORK_DELAY_MAX_S);
		r->penalties++;
	}
}

/* Both budgets together, so that a refusal by one does not count on the other. */
static err_t check_unknown(struct ctx *c, const struct attempt *a, struct attempt_row *ret_account,
			   struct attempt_row *ret_network)
{
	TRY(row_of(c, a->account, ret_account));
	TRY(check_account(c, ret_account));
	TRY(row_of(c, a->network, ret_network));
	return check_network(c, ret_network);
}

/* 16 bits: enough to know a repeat by, too few to test guesses against. 0 stands for none. */
static int64_t guess_of(struct ctx *c, const struct attempt *a, struct secret guess)
{
	const str parts[] = { STR("guess"), key_str(a->account), secret_str(guess) };
	uint8_t mac[MAC_BYTES];

	if (guess.n == 0)
		return 0;
	mac_tag_parts(&c->keys->attempt, parts, 3, mac);
	return 1 + (mac[0] << 8 | mac[1]);
}

/* The one repeat that clients send by themselves: not counted, but not another time either. */
static bool is_repeat(struct ctx *c, int64_t guess, struct attempt_row *r)
{
	bool same = guess != 0 && r->guess == guess && c->now_ms - r->last_ms <= REPEAT_MS;

	r->guess = same ? 0 : guess;
	return same;
}

static err_t reserve_unknown(struct ctx *c, struct secret repeat, struct attempt *a)
{
	struct attempt_row account, network;
	TX tx = { 0 };

	/* A closed door is answered without a write: a flood costs reads only. */
	TRY(check_unknown(c, a, &account, &network));
	TRY(tx_begin(&tx, c->db));
	TRY(check_unknown(c, a, &account, &network));
	a->failures = account.failures;
	if (is_repeat(c, guess_of(c, a, repeat), &account)) {
		TRY(put(c, a->account, ATTEMPT_ACCOUNT, &account));
		return tx_commit(&tx);
	}
	count_account(c, &account);
	count_network(c, &network);
	TRY(put(c, a->account, ATTEMPT_ACCOUNT, &account));
	TRY(put(c, a->network, ATTEMPT_NETWORK, &network));
	return tx_commit(&tx);
}

/* *ret_counted false: the device has used up its budget and is now like any other. */
static err_t reserve_device(struct ctx *c, const struct attempt *a, bool *ret_counted)
{
	struct attempt_row r;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(row_of(c, a->device, &r));
	*ret_counted = r.failures < c->cfg->limits.device_free;
	if (!*ret_counted)
		return OK;
	r.failures++;
	TRY(put(c, a->device, ATTEMPT_DEVICE, &r));
	return tx_commit(&tx);
}

err_t attempt_reserve(struct ctx *c, str account, str device_id, struct secret repeat,
		      struct attempt *ret)
{
	struct attempt a = { .off = !c->cfg->limits.enabled || c->client_addr == NULL };

	if (a.off) {
		*ret = a;
		return OK;
	}
	key_of(c, ATTEMPT_ACCOUNT, account, a.account);
	key_of(c, ATTEMPT_NETWORK, network_of(c->client_addr), a.network);
	if (device_id.p != NULL) {
		key_of(c, ATTEMPT_DEVICE, device_id, a.device);
		TRY(reserve_device(c, &a, &a.by_device));
	}
	if (!a.by_device)
		TRY(reserve_unknown(c, repeat, &a));
	*ret = a;
	return OK;
}

err_t attempt_release(struct ctx *c, const struct attempt *a)
{
	struct attempt_row r;

	if (a->off)
		return OK;
	if (a->by_device)
		return q_attempt_delete(c->db, key_str(a->device));
	TRY(q_attempt_delete(c->db, key_str(a->account)));
	TRY(row_of(c, a->network, &r));
	if (r.failures > 0)
		r.failures--;
	/* blocked_ms stays: else an intruder could lift a penalty with a sign-in of his own. */
	return put(c, a->network, ATTEMPT_NETWORK, &r);
}

err_t attempt_clear_account(struct ctx *c, str account)
{
	uint8_t key[ATTEMPT_KEY_BYTES];

	key_of(c, ATTEMPT_ACCOUNT, account, key);
	return q_attempt_delete(c->db, key_str(key));
}

err_t attempt_look_passwords(struct ctx *c, str account, struct attempt_look *ret)
{
	uint8_t key[ATTEMPT_KEY_BYTES];
	struct attempt_row r;

	key_of(c, ATTEMPT_ACCOUNT, account, key);
	TRY(row_of(c, key, &r));
	*ret = (struct attempt_look){
		.failures = r.failures,
		.until_ms = r.blocked_ms > c->now_ms ? r.blocked_ms : 0,
		.closed = r.failures >= c->cfg->limits.account_max,
	};
	return OK;
}

/* ---- budgets ---- */

struct budget {
	int64_t window_ms, max;
};

static struct budget budget_of(const struct config *cfg, enum attempt_scope scope)
{
	switch (scope) {
	case ATTEMPT_REGISTER: return (struct budget){ MS_PER_HOUR, cfg->limits.register_per_hour };
	case ATTEMPT_BAD_TOKEN: return (struct budget){ 10 * MS_PER_MIN, cfg->limits.bad_tokens };
	case ATTEMPT_RESEND: return (struct budget){ cfg->limits.resend_ms, 1 };
	case ATTEMPT_MAIL_NETWORK:
		return (struct budget){ MS_PER_HOUR, cfg->limits.mail_network_per_hour };
	case ATTEMPT_MAIL_10MIN: return (struct budget){ 10 * MS_PER_MIN, cfg->limits.mail_per_10min };
	case ATTEMPT_MAIL_DAY: return (struct budget){ MS_PER_DAY, cfg->limits.mail_per_day };
	case ATTEMPT_SMS_NETWORK: return (struct budget){ MS_PER_HOUR, cfg->limits.sms_network_per_hour };
	case ATTEMPT_SMS_RANGE: return (struct budget){ MS_PER_HOUR, cfg->limits.sms_range_per_hour };
	case ATTEMPT_SMS_HOUR: return (struct budget){ MS_PER_HOUR, cfg->limits.sms_per_hour };
	case ATTEMPT_SMS_DAY: return (struct budget){ MS_PER_DAY, cfg->limits.sms_per_day };
	/* One in a million a code, three of them valid: odds of one in ten thousand a day. */
	case ATTEMPT_FACTOR: return (struct budget){ MS_PER_DAY, 33 };
	case ATTEMPT_GUEST: return (struct budget){ MS_PER_HOUR, cfg->guest.per_hour };
	case ATTEMPT_SMS_TOTAL: return (struct budget){ MS_PER_DAY, cfg->limits.sms_total_per_day };
	case ATTEMPT_OAUTH: return (struct budget){ 10 * MS_PER_MIN, cfg->limits.oauth_per_10min };
	case ATTEMPT_SIGN_IN:
	case ATTEMPT_SIGN_IN_KNOWN: return (struct budget){ MS_PER_HOUR, cfg->limits.sign_ins_per_hour };
	case ATTEMPT_UNSET:
	case ATTEMPT_ACCOUNT:
	case ATTEMPT_NETWORK:
	case ATTEMPT_DEVICE:
	case ATTEMPT_FACTOR_DEVICE: break;
	}
	return (struct budget){ 0, 0 };
}

struct budget_state {
	uint8_t key[ATTEMPT_KEY_BYTES];
	struct attempt_row row;
	struct budget budget;
	bool used_up;
};

static err_t budget_read(struct ctx *c, enum attempt_scope scope, str subject, struct budget_state *ret)
{
	ret->budget = budget_of(c->cfg, scope);
	key_of(c, scope, subject.p == NULL ? network_of(c->client_addr) : subject, ret->key);
	TRY(row_of(c, ret->key, &ret->row));
	if (c->now_ms - ret->row.since_ms >= ret->budget.window_ms) {
		ret->row.since_ms = c->now_ms;
		ret->row.failures = ret->row.guess = 0;
	}
	ret->used_up = ret->row.failures >= ret->budget.max;
	return OK;
}

static bool budgets_off(const struct ctx *c)
{
	return !c->cfg->limits.enabled || c->client_addr == NULL;
}

/* From here until the window ends nobody is texted: an operator should know why. Told with the last one that
 * is sent, so once in a window. */
static err_t tell_sms_used_up(struct ctx *c, const struct budget_state *b)
{
	log_event(LOG_WARN, "sms_budget_used_up", LOG_INT("messages", b->budget.max),
		  LOG_STR("request_id", c->request_id));
	return audit_add(c, AUDIT_SMS_BUDGET_USED_UP, STR_NONE, STR_NONE, STR_NONE);
}

/* The first no of a window is worth a row of the record; that it was told stands in the member `guess`. */
static err_t refuse_once(struct ctx *c, enum attempt_scope scope, struct budget_state *b, struct leave *ret)
{
	ret->tell = b->row.guess == 0;
	if (!ret->tell)
		return OK;
	b->row.guess = 1;
	return put(c, b->key, scope, &b->row);
}

err_t attempt_budget(struct ctx *c, enum attempt_scope scope, str subject, struct leave *ret)
{
	struct budget_state b;

	*ret = (struct leave){ .given = true, .tell = true };
	if (budgets_off(c))
		return OK;
	TRY(budget_read(c, scope, subject, &b));
	ret->given = !b.used_up;
	if (b.used_up)
		return refuse_once(c, scope, &b, ret);
	b.row.failures++;
	if (scope == ATTEMPT_SMS_TOTAL && b.row.failures == b.budget.max)
		TRY(tell_sms_used_up(c, &b));
	return put(c, b.key, scope, &b.row);
}

err_t attempt_is_shut(struct ctx *c, enum attempt_scope scope, bool *ret)
{
	struct budget_state b;

	*ret = false;
	if (budgets_off(c))
		return OK;
	TRY(budget_read(c, scope, STR_NONE, &b));
	*ret = b.used_up && b.row.guess != 0;
	return OK;
}

static err_t refuse_budget(struct ctx *c, const struct budget_state *b)
{
	return limited(c, b->row.since_ms + b->budget.window_ms);
}

err_t attempt_take(struct ctx *c, enum attempt_scope scope)
{
	struct budget_state b;

	if (budgets_off(c))
		return OK;
	TRY(budget_read(c, scope, STR_NONE, &b));
	if (b.used_up)
		return refuse_budget(c, &b);
	b.row.failures++;
	return put(c, b.key, scope, &b.row);
}

err_t attempt_sign_in(struct ctx *c, str device_id)
{
	return attempt_take(c, device_id.p == NULL ? ATTEMPT_SIGN_IN : ATTEMPT_SIGN_IN_KNOWN);
}

/* ---- codes of second factors ---- */

/* Of the account: failures are the looks of the day, penalties the wrong codes in a row, over days too. */
struct factor_rows {
	struct budget_state account;
	uint8_t device_key[ATTEMPT_KEY_BYTES];
	struct attempt_row device;
};

static str user_subject(const int64_t *user_id)
{
	return str_of_bytes(user_id, sizeof(*user_id));
}

static err_t factor_read(struct ctx *c, const struct factor_attempt *a, struct factor_rows *ret)
{
	ret->device = (struct attempt_row){ 0 };
	TRY(budget_read(c, ATTEMPT_FACTOR, user_subject(&a->user_id), &ret->account));
	if (a->device_id.p == NULL)
		return OK;
	key_of(c, ATTEMPT_FACTOR_DEVICE, a->device_id, ret->device_key);
	return row_of(c, ret->device_key, &ret->device);
}

err_t attempt_factor(struct ctx *c, struct factor_attempt *a)
{
	struct factor_rows f;

	a->counted = false;
	if (budgets_off(c))
		return OK;
	TRY(factor_read(c, a, &f));
	a->by_device = a->device_id.p != NULL && f.device.failures < c->cfg->limits.device_free;
	if (f.account.used_up)
		return refuse_budget(c, &f.account);
	if (!a->by_device && f.account.row.blocked_ms > c->now_ms)
		return limited(c, f.account.row.blocked_ms);
	return OK;
}

err_t attempt_factor_count(struct ctx *c, struct factor_attempt *a)
{
	struct factor_rows f;

	if (budgets_off(c))
		return OK;
	TRY(factor_read(c, a, &f));
	a->counted = true;
	f.account.row.failures++;
	if (a->by_device) {
		f.device.failures++;
		TRY(put(c, f.device_key, ATTEMPT_FACTOR_DEVICE, &f.device));
	} else {
		make_wait(c, &f.account.row, ++f.account.row.penalties);
	}
	return put(c, f.account.key, ATTEMPT_FACTOR, &f.account.row);
}

/* A device that was right lifts its own waits and leaves those of others; somebody else's look does not count
 * less for it. Who was never wrong leaves no row. */
err_t attempt_factor_right(struct ctx *c, const struct factor_attempt *a)
{
	struct factor_rows f;
	struct attempt_row *r = &f.account.row;

	if (budgets_off(c))
		return OK;
	TRY(factor_read(c, a, &f));
	if (f.device.failures > 0)
		TRY(q_attempt_delete(c->db, key_str(f.device_key)));
	if (!a->counted && (a->by_device || r->penalties == 0))
		return OK;
	if (a->counted && r->failures > 0)
		r->failures--;
	if (!a->by_device)
		r->blocked_ms = r->penalties = 0;
	if (r->failures == 0 && r->penalties == 0)
		return q_attempt_delete(c->db, key_str(f.account.key));
	return put(c, f.account.key, ATTEMPT_FACTOR, r);
}

err_t attempt_look_codes(struct ctx *c, int64_t user_id, struct attempt_look *ret)
{
	struct budget_state b;
	int64_t until_ms;

	TRY(budget_read(c, ATTEMPT_FACTOR, user_subject(&user_id), &b));
	until_ms = b.used_up ? b.row.since_ms + b.budget.window_ms : b.row.blocked_ms;
	*ret = (struct attempt_look){
		.failures = b.row.penalties,
		.until_ms = until_ms > c->now_ms ? until_ms : 0,
		.closed = b.used_up,
	};
	return OK;
}

err_t attempt_factor_clear(struct ctx *c, int64_t user_id)
{
	uint8_t key[ATTEMPT_KEY_BYTES];

	key_of(c, ATTEMPT_FACTOR, user_subject(&user_id), key);
	return q_attempt_delete(c->db, key_str(key));
}

/* ---- doors ---- */

err_t attempt_door(struct ctx *c, enum attempt_scope scope)
{
	struct budget_state b;

	if (budgets_off(c))
		return OK;
	TRY(budget_read(c, scope, STR_NONE, &b));
	return b.used_up ? refuse_budget(c, &b) : OK;
}

err_t attempt_register(struct ctx *c)
{
	TX tx = { 0 };

	if (budgets_off(c))
		return OK;
	TRY(attempt_door(c, ATTEMPT_REGISTER)); /* who is over it costs reads only */
	TRY(tx_begin(&tx, c->db));
	TRY(attempt_take(c, ATTEMPT_REGISTER));
	return tx_commit(&tx);
}

err_t attempt_token_door(struct ctx *c)
{
	return attempt_door(c, ATTEMPT_BAD_TOKEN);
}

err_t attempt_bad_token(struct ctx *c)
{
	struct leave leave;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(attempt_budget(c, ATTEMPT_BAD_TOKEN, STR_NONE, &leave));
	return tx_commit(&tx);
}

err_t attempt_sweep(struct ctx *c, int64_t limit_n, int64_t *ret_n)
{
	static const struct {
		enum attempt_scope scope;
		int64_t idle_ms;
	} rows[] = {
		{ ATTEMPT_ACCOUNT, ACCOUNT_IDLE_MS },
		{ ATTEMPT_NETWORK, NETWORK_IDLE_MS },
		{ ATTEMPT_DEVICE, ACCOUNT_IDLE_MS },
		{ ATTEMPT_REGISTER, NETWORK_IDLE_MS },
		{ ATTEMPT_BAD_TOKEN, NETWORK_IDLE_MS },
		{ ATTEMPT_RESEND, NETWORK_IDLE_MS },
		{ ATTEMPT_MAIL_NETWORK, NETWORK_IDLE_MS },
		{ ATTEMPT_MAIL_10MIN, NETWORK_IDLE_MS },
		{ ATTEMPT_MAIL_DAY, 2 * MS_PER_DAY },
		{ ATTEMPT_SMS_NETWORK, NETWORK_IDLE_MS },
		{ ATTEMPT_SMS_RANGE, NETWORK_IDLE_MS },
		{ ATTEMPT_SMS_HOUR, NETWORK_IDLE_MS },
		{ ATTEMPT_SMS_DAY, 2 * MS_PER_DAY },
		{ ATTEMPT_SMS_TOTAL, 2 * MS_PER_DAY },
		{ ATTEMPT_FACTOR, 2 * MS_PER_DAY },
		{ ATTEMPT_GUEST, NETWORK_IDLE_MS },
		{ ATTEMPT_FACTOR_DEVICE, ACCOUNT_IDLE_MS },
		{ ATTEMPT_OAUTH, NETWORK_IDLE_MS },
		{ ATTEMPT_SIGN_IN, NETWORK_IDLE_MS },
		{ ATTEMPT_SIGN_IN_KNOWN, NETWORK_IDLE_MS },
	};
	int64_t total = 0, n;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool account = rows[i].scope == ATTEMPT_ACCOUNT;

		TRY(q_attempt_sweep(c->db, rows[i].scope, c->now_ms - rows[i].idle_ms, c->now_ms,
				    account ? c->cfg->limits.account_max : INT64_MAX, limit_n, &n));
		total += n;
	}
	TRY(tx_commit(&tx));
	*ret_n = total;
	return OK;
}
