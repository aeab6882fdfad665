#include "domain/grant.h"

#include "crypto/aead.h"
#include "domain/audit.h"
#include "domain/provider_log.h"
#include "oauth/exchange.h"
#include "store/query.h"

#define REQUEST_MS  5000
#define FIRST_MS    (10 * MS_PER_S)
#define LONGEST_MS  MS_PER_HOUR
#define GIVE_UP_MS  (3 * MS_PER_DAY)

static err_t context_of(struct ctx *c, str provider, str account_id, str *ret)
{
	return arena_printf(c->mem, ret, "oauth_grant:%.*s:%.*s", STR_ARG(provider), STR_ARG(account_id));
}

err_t grant_keep(struct ctx *c, str provider, str account_id, str refresh_token)
{
	str context, sealed;

	TRY(context_of(c, provider, account_id, &context));
	TRY(aead_seal(c->mem, c->rng, &c->keys->storage, context, refresh_token, &sealed));
	return q_oauth_grant_put(c->db, provider, account_id, sealed);
}

err_t grant_give_back(struct ctx *c, int64_t user_id)
{
	int64_t changed;

	return q_oauth_revoke_of_user(c->db, user_id, c->now_ms, &changed);
}

static int64_t pause_of(int64_t attempts)
{
	int64_t pause_ms = FIRST_MS;

	for (int64_t i = 0; i < attempts && pause_ms < LONGEST_MS; i++)
		pause_ms *= 2;
	return pause_ms < LONGEST_MS ? pause_ms : LONGEST_MS;
}

/* Refusals of exchange_revoke. A provider that is configured no more takes nothing back. */
static err_t give(struct ctx *c, const struct oauth_revoke_row *row, struct finding *why)
{
	const struct oauth_settings *set = provider_settings(c->cfg, row->provider);
	struct asking asking = { .outside = c->outside, .mem = c->mem, .now_ms = c->mono_ms,
				 .why = why };
	struct provider p;
	str context, token;
	bool says_iss;

	REQUIRE(set != NULL, ERR_OAUTH_EXCHANGE);
	REQUIRE(c->outside != NULL, ERR_OAUTH_DOWN);
	asking.deadline_ms = monotonic_ms() + REQUEST_MS;
	TRY(provider_view(set, c->mem, &p));
	TRY(directory_complete(c->outside->directory, &asking, &p, &says_iss));
	TRY(context_of(c, row->provider, row->account_id, &context));
	TRY(aead_open(c->mem, &c->keys->storage, context, row->sealed, &token));
	return exchange_revoke(&p, token, &asking, c->now_ms / MS_PER_S);
}

err_t grant_work(struct ctx *c, bool *ret_any)
{
	struct oauth_revoke_row row = { 0 };
	struct finding why = { 0 };
	bool later;
	TX tx = { 0 };
	err_t e;

	TRY(q_oauth_revoke_due(c->db, c->mem, c->now_ms, &row, ret_any));
	if (!*ret_any)
		return OK;
	e = give(c, &row, &why);
	if (e.code != ERR_OK && !err_is_fault(e))
		provider_log(c, row.provider, e.code, &why);
	later = e.code != ERR_OK && e.code != ERR_OAUTH_EXCHANGE && c->now_ms - row.created_ms < GIVE_UP_MS;
	err_clear_origin();
	TRY(tx_begin(&tx, c->db));
	if (later) {
		TRY(q_oauth_revoke_later(c->db, row.id, c->now_ms + pause_of(row.attempts)));
	} else {
		TRY(q_oauth_revoke_delete(c->db, row.id));
		TRY(audit_add(c, AUDIT_GRANT_REVOKED, STR_NONE, STR_NONE,
			      e.code == ERR_OK ? row.provider : STR("not taken")));
	}
	return tx_commit(&tx);
}
