#include "domain/attempt.h"

#include <string.h>

#include "store/query.h"

#define ACCOUNT_DELAY_MAX_S 900
#define NETWORK_DELAY_MIN_S 15
#define NETWORK_DELAY_MAX_S 600
#define ACCOUNT_IDLE_MS     (30 * MS_PER_DAY)
#define NETWORK_IDLE_MS     (2 * MS_PER_HOUR)
#define NETWORK_FORGIVE_MS  MS_PER_HOUR

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
			     c->now_ms, r->penalties);
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

static void count_account(struct ctx *c, struct attempt_row *r)
{
	int64_t over;

	r->failures++;
	over = r->failures - c->cfg->limits.account_free;
	if (over >= 0)
		r->blocked_ms = c->now_ms + MS_PER_S * doubled_s(1, over, ACCOUNT_DELAY_MAX_S);
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

static err_t reserve_unknown(struct ctx *c, const struct attempt *a)
{
	struct attempt_row account, network;
	TX tx = { 0 };

	/* A closed door is answered without a write: a flood costs reads only. */
	TRY(check_unknown(c, a, &account, &network));
	TRY(tx_begin(&tx, c->db));
	TRY(check_unknown(c, a, &account, &network));
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

err_t attempt_reserve(struct ctx *c, str account, str device_id, struct attempt *ret)
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
		TRY(reserve_unknown(c, &a));
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

err_t attempt_register(struct ctx *c)
{
	uint8_t key[ATTEMPT_KEY_BYTES];
	struct attempt_row r;
	TX tx = { 0 };

	if (!c->cfg->limits.enabled || c->client_addr == NULL)
		return OK;
	key_of(c, ATTEMPT_REGISTER, network_of(c->client_addr), key);
	TRY(tx_begin(&tx, c->db));
	TRY(row_of(c, key, &r));
	if (c->now_ms - r.since_ms > MS_PER_HOUR) {
		r.since_ms = c->now_ms;
		r.failures = 0;
	}
	if (r.failures >= c->cfg->limits.register_per_hour)
		return limited(c, r.since_ms + MS_PER_HOUR);
	r.failures++;
	TRY(put(c, key, ATTEMPT_REGISTER, &r));
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
