#include "domain/onetime.h"

#include "base/base64url.h"
#include "domain/attempt.h"
#include "domain/clock_guard.h"
#include "store/query.h"

#define TOKEN_BYTES     (ONETIME_TOKEN_TEXT / 2)
#define KEPT_EXPIRED_MS MS_PER_DAY
#define REPEAT_MS       (5 * MS_PER_S)

struct kind {
	enum err_code unknown, expired;
	int64_t ttl_ms;
};

static struct kind kind_of(enum onetime_purpose p)
{
	switch (p) {
	case ONETIME_RESET: return (struct kind){ ERR_RESET_TOKEN, ERR_RESET_EXPIRED, MS_PER_HOUR };
	case ONETIME_VERIFY: return (struct kind){ ERR_VERIFY_TOKEN, ERR_VERIFY_EXPIRED, MS_PER_DAY };
	case ONETIME_EMAIL_CHANGE:
		return (struct kind){ ERR_EMAIL_CHANGE_TOKEN, ERR_EMAIL_CHANGE_EXPIRED, MS_PER_HOUR };
	case ONETIME_EMAIL_REVERT:
		return (struct kind){ ERR_EMAIL_REVERT_TOKEN, ERR_EMAIL_REVERT_EXPIRED, 3 * MS_PER_DAY };
	case ONETIME_PHONE: return (struct kind){ ERR_PHONE_CODE, ERR_PHONE_CODE, 0 };
	case ONETIME_HANDLE:
	case ONETIME_SETUP: return (struct kind){ ERR_TEMP_TOKEN, ERR_TEMP_TOKEN, 5 * MS_PER_MIN };
	case ONETIME_MAGIC:
	case ONETIME_MAGIC_2FA:
		return (struct kind){ ERR_MAGIC_LINK, ERR_MAGIC_EXPIRED, 15 * MS_PER_MIN };
	case ONETIME_MAIL_CODE:
	case ONETIME_MAIL_CODE_2FA:
		return (struct kind){ ERR_MAGIC_LINK, ERR_MAGIC_LINK, 10 * MS_PER_MIN };
	case ONETIME_SMS:
	case ONETIME_SMS_2FA: return (struct kind){ ERR_SMS_CODE, ERR_SMS_CODE, 0 };
	case ONETIME_LINK: return (struct kind){ ERR_LINK_TOKEN, ERR_LINK_EXPIRED, MS_PER_HOUR };
	case ONETIME_OAUTH_LINK: return (struct kind){ ERR_LINK_TOKEN, ERR_LINK_EXPIRED, 5 * MS_PER_MIN };
	case ONETIME_FORWARD: return (struct kind){ ERR_FORWARD_TICKET, ERR_FORWARD_TICKET, MS_PER_MIN };
	case ONETIME_FACTOR_RESET:
		return (struct kind){ ERR_FACTOR_RESET_TOKEN, ERR_FACTOR_RESET_EXPIRED, 0 };
	case ONETIME_UNSET: break;
	}
	return (struct kind){ ERR_BUG, ERR_BUG, 0 };
}

int64_t onetime_ttl_ms(const struct config *cfg, enum onetime_purpose purpose)
{
	bool texted = purpose == ONETIME_PHONE || purpose == ONETIME_SMS || purpose == ONETIME_SMS_2FA;

	if (purpose == ONETIME_FACTOR_RESET)
		return cfg->twofactor.admin_reset_delay_ms;
	return texted ? cfg->sms.code_ttl_ms : kind_of(purpose).ttl_ms;
}

static void token_hash(struct ctx *c, enum onetime_purpose purpose, str token, uint8_t ret[MAC_BYTES])
{
	const char tag = (char)purpose;
	const str parts[] = { { &tag, 1 }, token };

	mac_tag_parts(&c->keys->onetime, parts, 2, ret);
}

/* The owner comes first and has a fixed length; the code is six digits: no two ways to read it. */
static void code_hash(struct ctx *c, enum onetime_purpose purpose, int64_t user_id, str bound, str address,
		      str code, uint8_t ret[MAC_BYTES])
{
	const char tag[] = { (char)purpose, (char)bound.n };
	const str parts[] = { str_of_bytes(tag, sizeof(tag)), str_of_bytes(&user_id, sizeof(user_id)), bound, code,
			      address };

	mac_tag_parts(&c->keys->onetime, parts, 5, ret);
}

/* 16 bits: enough to know a repeat by, too few to test guesses against. 0 stands for none. */
static int64_t guess_of(struct ctx *c, enum onetime_purpose purpose, str guess)
{
	const char tag[] = { 'g', (char)purpose };
	const str parts[] = { str_of_bytes(tag, sizeof(tag)), guess };
	uint8_t mac[MAC_BYTES];

	mac_tag_parts(&c->keys->onetime, parts, 2, mac);
	return 1 + (mac[0] << 8 | mac[1]);
}

/* Several may live: a second of these must not end the first. */
static bool lives_beside_others(enum onetime_purpose p)
{
	return p == ONETIME_EMAIL_REVERT || p == ONETIME_HANDLE || p == ONETIME_SETUP ||
	       p == ONETIME_FORWARD;
}

static err_t insert(struct ctx *c, const struct onetime_new *n, const uint8_t hash[MAC_BYTES])
{
	TRY(clock_issue(c));
	if (!lives_beside_others(n->purpose))
		TRY(q_onetime_void(c->db, n->user_id, n->purpose));
	return q_onetime_insert(c->db, str_of_bytes(hash, MAC_BYTES), n->purpose, n->user_id, n->address, n->sid,
				c->now_ms, c->now_ms + onetime_ttl_ms(c->cfg, n->purpose), n->reserves);
}

err_t onetime_make(struct ctx *c, const struct onetime_new *n, str *ret_token)
{
	uint8_t hash[MAC_BYTES];
	str token;

	TRY(rng_hex(c->rng, c->mem, TOKEN_BYTES, &token));
	token_hash(c, n->purpose, token, hash);
	TRY(insert(c, n, hash));
	*ret_token = token;
	return OK;
}

/* What does not divide evenly is drawn again. */
err_t onetime_draw_code(struct rng rng, uint32_t *ret)
{
	const uint32_t codes = 1000000, fair = UINT32_MAX - UINT32_MAX % codes;
	uint32_t v;

	do {
		TRY(rng_fill(rng, &v, sizeof(v)));
	} while (v >= fair);
	*ret = v % codes;
	return OK;
}

static err_t random_code(struct ctx *c, str *ret)
{
	uint32_t v;

	TRY(onetime_draw_code(c->rng, &v));
	return arena_printf(c->mem, ret, "%06u", v);
}

err_t onetime_make_code(struct ctx *c, const struct onetime_new *n, str fixed, str *ret_code)
{
	uint8_t hash[MAC_BYTES];
	str code = fixed;

	if (code.p == NULL)
		TRY(random_code(c, &code));
	code_hash(c, n->purpose, n->user_id, n->sid, n->address, code, hash);
	TRY(insert(c, n, hash));
	*ret_code = code;
	return OK;
}

err_t onetime_unknown(struct ctx *c, enum onetime_purpose purpose)
{
	TRY(attempt_bad_token(c));
	FAIL(kind_of(purpose).unknown);
}

err_t onetime_look(struct ctx *c, enum onetime_purpose purpose, str token, struct onetime_row *ret, bool *ret_known)
{
	uint8_t hash[MAC_BYTES];

	*ret_known = false;
	REQUIRE(token.n == ONETIME_TOKEN_TEXT, kind_of(purpose).unknown);
	token_hash(c, purpose, token, hash);
	TRY(q_onetime_find(c->db, c->mem, str_of_bytes(hash, MAC_BYTES), purpose, ret, ret_known));
	REQUIRE(*ret_known, kind_of(purpose).unknown);
	REQUIRE(ret->expires_ms > clock_effective_ms(c), kind_of(purpose).expired);
	return OK;
}

err_t onetime_find(struct ctx *c, enum onetime_purpose purpose, str token, struct onetime_row *ret)
{
	bool known;
	err_t e;

	TRY(attempt_token_door(c));
	e = onetime_look(c, purpose, token, ret, &known);
	return known || err_is_fault(e) ? e : onetime_unknown(c, purpose);
}

err_t onetime_take(struct ctx *c, enum onetime_purpose purpose, str token, struct onetime_row *ret)
{
	uint8_t hash[MAC_BYTES];
	bool found;

	token_hash(c, purpose, token, hash);
	TRY(q_onetime_take(c->db, c->mem, str_of_bytes(hash, MAC_BYTES), purpose, clock_effective_ms(c), ret,
			   &found));
	REQUIRE(found, kind_of(purpose).unknown);
	return OK;
}

err_t onetime_count_code(struct ctx *c, enum onetime_purpose purpose, int64_t user_id, str code,
			 struct onetime_row *ret)
{
	bool found;

	TRY(q_onetime_try(c->db, c->mem, user_id, purpose, ONETIME_TRIES_MAX, clock_effective_ms(c),
			  guess_of(c, purpose, code), clock_effective_ms(c) - REPEAT_MS, ret, &found));
	REQUIRE(found, kind_of(purpose).unknown);
	return OK;
}

err_t onetime_try_code(struct ctx *c, enum onetime_purpose purpose, int64_t user_id, str code,
		       struct onetime_row *ret)
{
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(onetime_count_code(c, purpose, user_id, code, ret));
	return tx_commit(&tx);
}

/* Looked up by its MAC: the code itself is never compared. */
err_t onetime_take_code(struct ctx *c, const struct onetime_row *row, str code)
{
	enum onetime_purpose purpose = (enum onetime_purpose)row->purpose;
	struct onetime_row taken;
	uint8_t hash[MAC_BYTES];
	bool found;

	code_hash(c, purpose, row->user_id, row->sid, row->address, code, hash);
	TRY(q_onetime_take(c->db, c->mem, str_of_bytes(hash, MAC_BYTES), purpose, clock_effective_ms(c), &taken,
			   &found));
	REQUIRE(found, kind_of(purpose).unknown);
	return OK;
}

err_t onetime_try_token(struct ctx *c, enum onetime_purpose purpose, str id, str guess, struct onetime_row *ret)
{
	bool found;

	TRY(q_onetime_try_token(c->db, c->mem, id, purpose, ONETIME_TRIES_MAX, clock_effective_ms(c),
				guess_of(c, purpose, guess), clock_effective_ms(c) - REPEAT_MS, ret, &found));
	REQUIRE(found, kind_of(purpose).unknown);
	return OK;
}

err_t onetime_end(struct ctx *c, enum onetime_purpose purpose, str id)
{
	int64_t changed;

	TRY(q_onetime_end(c->db, id, purpose, clock_effective_ms(c), &changed));
	REQUIRE(changed == 1, kind_of(purpose).unknown);
	return OK;
}

/* A repeat leaves no guess behind, so that there is one only. */
bool onetime_is_repeat(const struct onetime_row *row)
{
	return row->guess == 0;
}

err_t onetime_id(struct ctx *c, enum onetime_purpose purpose, str token, str *ret)
{
	uint8_t hash[MAC_BYTES];

	token_hash(c, purpose, token, hash);
	return arena_copy(c->mem, str_of_bytes(hash, MAC_BYTES), ret);
}

err_t onetime_void_bound(struct ctx *c, int64_t user_id, str id)
{
	return q_onetime_void_bound(c->db, user_id, id);
}

err_t onetime_void(struct ctx *c, int64_t user_id, enum onetime_purpose purpose)
{
	return q_onetime_void(c->db, user_id, purpose);
}

err_t onetime_void_all(struct ctx *c, int64_t user_id)
{
	return q_onetime_void_but(c->db, user_id, ONETIME_EMAIL_REVERT, ONETIME_FACTOR_RESET);
}

err_t onetime_keep_newest(struct ctx *c, int64_t user_id, enum onetime_purpose purpose, int64_t keep_n)
{
	return q_onetime_keep_newest(c->db, user_id, purpose, keep_n);
}

err_t onetime_is_reserved(struct ctx *c, str key, int64_t user_id, bool *ret)
{
	int64_t owner;

	return q_onetime_reserved(c->db, c->mem, key, c->now_ms, user_id, &owner, ret);
}

err_t onetime_sweep(struct ctx *c, int64_t limit_n, int64_t *ret_n)
{
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(q_onetime_sweep(c->db, c->now_ms - KEPT_EXPIRED_MS, limit_n, ret_n));
	return tx_commit(&tx);
}
