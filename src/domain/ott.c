#include "domain/ott.h"

#include "base/base64url.h"
#include "domain/audit.h"
#include "domain/clock_guard.h"
#include "domain/social.h"
#include "domain/user.h"
#include "oauth/exchange.h"
#include "store/query.h"

#define RAW_BYTES 32

/* The letter keeps these apart from one-time secrets, whose MACs begin with their purpose. */
static void key_of(struct ctx *c, str ott, uint8_t ret[MAC_BYTES])
{
	const str parts[] = { STR("o"), ott };

	mac_tag_parts(&c->keys->onetime, parts, 2, ret);
}

err_t ott_make(struct ctx *c, const struct ott_new *n, str *ret)
{
	uint8_t key[MAC_BYTES];
	WIPED_ARRAY(uint8_t, raw, RAW_BYTES);
	struct buf b = { .cap = OTT_TEXT };

	TRY(clock_issue(c));
	TRY(rng_fill(c->rng, raw, sizeof(raw)));
	NEW(b.p, c->mem, char, b.cap);
	base64url_encode(&b, str_of_bytes(raw, sizeof(raw)));
	REQUIRE(!b.overflow, ERR_BUG);
	key_of(c, buf_view(&b), key);
	TRY(q_oauth_ott_insert(c->db, str_of_bytes(key, MAC_BYTES), n->user_id, n->provider, n->profile->id,
			       n->profile->email, n->profile->name, n->profile->picture, n->links, n->sid, n->challenge,
			       c->now_ms + OTT_TTL_MS));
	*ret = buf_view(&b);
	return OK;
}

/* ---- changed into tokens ---- */

/* Somebody had it before: one of the two is not the app. Neither keeps a session. */
static err_t used_again(struct ctx *c, const uint8_t key[MAC_BYTES])
{
	struct oauth_ott_row row = { 0 };
	uint8_t sid[UID_BYTES];
	int64_t changed;
	bool found;

	TRY(q_oauth_ott_burn(c->db, c->mem, str_of_bytes(key, MAC_BYTES), &row, &found));
	if (!found || row.links || row.sid.n != UID_BYTES)
		return OK;
	memcpy(sid, row.sid.p, UID_BYTES);
	TRY(q_session_delete(c->db, session_id_of(sid), row.sid, &changed));
	return audit_add(c, AUDIT_OTT_REUSED, STR_NONE, row.sid, STR_NONE);
}

static err_t check_verifier(struct ctx *c, const struct oauth_ott_row *row, str verifier)
{
	str challenge;

	if (row->challenge.n == 0) {
		if (verifier.n > 0)
			ctx_field(c, "codeVerifier", "NOT_EXPECTED");
		REQUIRE(c->n_fields == 0, ERR_INPUT);
		return OK;
	}
	REQUIRE(pkce_verifier_ok(verifier), ERR_OTT);
	TRY(pkce_challenge(c->mem, verifier, &challenge));
	REQUIRE(challenge.n == row->challenge.n && secret_equal_bytes(challenge.p, row->challenge.p, challenge.n), ERR_OTT);
	return OK;
}

static err_t link_now(struct ctx *c, const struct oauth_ott_row *row, const struct caller *who,
		      const struct user_row *user)
{
	const struct profile profile = { .id = row->account_id, .email = row->email, .name = row->name, .picture = row->picture };

	REQUIRE(user->id == row->user_id && str_eq(row->sid, str_of_bytes(who->token.sid, UID_BYTES)), ERR_OTT);
	return social_link(c, user, row->provider, &profile);
}

static err_t sign_in(struct ctx *c, const struct oauth_ott_row *row, const uint8_t key[MAC_BYTES],
		     struct signed_in *ret)
{
	const struct first first = { .proof = PROOF_PROVIDER };
	struct user_row user = { 0 };
	int64_t changed;

	TRY(user_load(c, row->user_id, ERR_OTT, &user));
	TRY(gate_pass(c, &user, &first, ret));
	TRY(q_oauth_ott_gave(c->db, str_of_bytes(key, MAC_BYTES),
			     ret->kind == GATE_TOKENS ? str_of_bytes(ret->tokens.sid, UID_BYTES) : STR_NONE, &changed));
	REQUIRE(changed == 1, ERR_OTT);
	return OK;
}

/* What it is good for, in a transaction of its own: it is used up whatever comes of it. */
static err_t use_up(struct ctx *c, const uint8_t key[MAC_BYTES], struct oauth_ott_row *ret, bool *ret_first)
{
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(q_oauth_ott_use(c->db, c->mem, str_of_bytes(key, MAC_BYTES), c->now_ms, ret, ret_first));
	if (!*ret_first)
		TRY(used_again(c, key));
	return tx_commit(&tx);
}

/* A live one for that purpose, with its verifier. */
static err_t take(struct ctx *c, str ott, str verifier, bool links, uint8_t ret_key[MAC_BYTES], struct oauth_ott_row *ret)
{
	bool first;

	TRY(attempt_token_door(c));
	key_of(c, ott, ret_key);
	TRY(use_up(c, ret_key, ret, &first));
	if (!first) {
		TRY(attempt_bad_token(c));
		FAIL(ERR_OTT);
	}
	REQUIRE(ret->links == links && ret->expires_ms > clock_effective_ms(c), ERR_OTT);
	return check_verifier(c, ret, verifier);
}

err_t ott_redeem(struct ctx *c, str ott, str verifier, struct signed_in *ret)
{
	struct oauth_ott_row row = { 0 };
	struct signed_in out = { 0 };
	uint8_t key[MAC_BYTES];
	TX tx = { 0 };

	TRY(take(c, ott, verifier, false, key, &row));
	TRY(tx_begin(&tx, c->db));
	TRY(sign_in(c, &row, key, &out));
	TRY(tx_commit(&tx));
	TRY(gate_sign(&out));
	*ret = out;
	return OK;
}

err_t ott_link(struct ctx *c, str ott, str verifier, const struct caller *who)
{
	struct oauth_ott_row row = { 0 };
	struct user_row user = { 0 };
	uint8_t key[MAC_BYTES];
	TX tx = { 0 };

	TRY(take(c, ott, verifier, true, key, &row));
	TRY(session_act(c, who, &tx, &user));
	TRY(link_now(c, &row, who, &user));
	return tx_commit(&tx);
}
