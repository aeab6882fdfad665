#include "domain/token.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "base/json_out.h"
#include "domain/clock_guard.h"
#include "domain/user.h"

#define REFRESH_VERSION 1
#define REFRESH_BODY    (1 + 1 + UID_BYTES + 8 + NONCE_BYTES)
#define REFRESH_BYTES   (REFRESH_BODY + MAC_BYTES)

int64_t session_id_of(const uint8_t sid[UID_BYTES])
{
	uint64_t v = 0;

	for (size_t i = 0; i < 8; i++)
		v = v << 8 | sid[i];
	return (int64_t)(v >> 1);
}

/* Which master key made the token: a rotated or restored-from-elsewhere key shows at once. */
static uint8_t refresh_key_id(const struct keyring *k)
{
	uint8_t tag[MAC_BYTES];

	mac_tag(&k->refresh, STR("key id"), tag);
	return tag[0];
}

static void refresh_tag(const struct keyring *k, const uint8_t body[REFRESH_BODY],
			uint8_t ret[MAC_BYTES])
{
	const str parts[] = { STR("rt"), str_of_bytes(body, REFRESH_BODY) };

	mac_tag_parts(&k->refresh, parts, 2, ret);
}

err_t token_mint_refresh(struct ctx *c, const struct refresh_token *t, str *ret)
{
	WIPED_ARRAY(uint8_t, raw, REFRESH_BYTES);
	struct buf b = { .cap = BASE64URL_LEN(REFRESH_BYTES) };
	uint64_t gen = (uint64_t)t->gen;

	raw[0] = REFRESH_VERSION;
	raw[1] = refresh_key_id(c->keys);
	memcpy(raw + 2, t->sid, UID_BYTES);
	for (size_t i = 0; i < 8; i++)
		raw[2 + UID_BYTES + i] = (uint8_t)(gen >> (56 - 8 * i));
	memcpy(raw + 2 + UID_BYTES + 8, t->nonce, NONCE_BYTES);
	refresh_tag(c->keys, raw, raw + REFRESH_BODY);

	NEW(b.p, c->mem, char, b.cap + 1);
	base64url_encode(&b, str_of_bytes(raw, sizeof(raw)));
	REQUIRE(!b.overflow, ERR_BUG);
	*ret = buf_view(&b);
	return OK;
}

err_t token_read_refresh(struct ctx *c, str text, struct refresh_token *ret)
{
	WIPED_ARRAY(uint8_t, raw, REFRESH_BYTES);
	WIPED_ARRAY(uint8_t, tag, MAC_BYTES);
	uint64_t gen = 0;
	size_t n = 0;

	REQUIRE(text.n == REFRESH_TOKEN_TEXT, ERR_REFRESH_TOKEN);
	REQUIRE(base64url_decode(text, raw, sizeof(raw), &n) && n == sizeof(raw), ERR_REFRESH_TOKEN);
	refresh_tag(c->keys, raw, tag);
	REQUIRE(secret_equal_bytes(tag, raw + REFRESH_BODY, MAC_BYTES), ERR_REFRESH_TOKEN);
	REQUIRE(raw[0] == REFRESH_VERSION && raw[1] == refresh_key_id(c->keys), ERR_REFRESH_TOKEN);
	for (size_t i = 0; i < 8; i++)
		gen = gen << 8 | raw[2 + UID_BYTES + i];
	REQUIRE(gen >= 1 && gen <= INT64_MAX, ERR_REFRESH_TOKEN);

	memcpy(ret->sid, raw + 2, UID_BYTES);
	ret->gen = (int64_t)gen;
	memcpy(ret->nonce, raw + 2 + UID_BYTES + 8, NONCE_BYTES);
	return OK;
}

static void out_audience(struct json_out *o, const struct config *cfg)
{
	out_key(o, STR("aud"));
	if (cfg->token.audience.n == 0) {
		out_value_str(o, cfg->server.public_url);
		return;
	}
	out_arr(o);
	out_value_str(o, cfg->server.public_url);
	for (size_t i = 0; i < cfg->token.audience.n; i++)
		out_value_str(o, cfg->token.audience.items[i]);
	out_end_arr(o);
}

static void out_amr(struct json_out *o, str amr)
{
	str name, rest = amr;

	out_key(o, STR("amr"));
	out_arr(o);
	while (rest.n > 0) {
		(void)str_cut(rest, ' ', &name, &rest);
		out_value_str(o, name);
	}
	out_end_arr(o);
}

err_t token_draft_access(struct ctx *c, const struct access_mint *m, struct access_draft *ret)
{
	const struct config *cfg = c->cfg;
	const struct jws_key *key = keyring_signer(c->keys, c->now_ms);
	int64_t iat_s = c->now_ms / MS_PER_S;
	struct buf b = { .cap = 4096 };
	struct buf jti_text = { .cap = BASE64URL_LEN(UID_BYTES) };
	struct json_out o;
	uint8_t jti[UID_BYTES];
	str sub, sid;

	REQUIRE(key != NULL, ERR_CRYPTO);
	TRY(rng_fill(c->rng, jti, sizeof(jti)));
	TRY(uid_text(c->mem, m->user->uid, &sub));
	TRY(uid_text(c->mem, str_of_bytes(m->sid, UID_BYTES), &sid));
	NEW(b.p, c->mem, char, b.cap);
	NEW(jti_text.p, c->mem, char, jti_text.cap);
	base64url_encode(&jti_text, str_of_bytes(jti, sizeof(jti)));

	out_begin(&o, &b);
	out_obj(&o);
	out_str(&o, STR("iss"), cfg->server.public_url);
	out_audience(&o, cfg);
	out_str(&o, STR("sub"), sub);
	out_str(&o, STR("sid"), sid);
	out_str(&o, STR("jti"), buf_view(&jti_text));
	out_i64(&o, STR("iat"), iat_s);
	out_i64(&o, STR("exp"), iat_s + cfg->token.access_ttl_ms / MS_PER_S);
	out_i64(&o, STR("auth_time"), m->auth_ms / MS_PER_S);
	out_amr(&o, m->amr);
	out_str(&o, STR("token_use"), STR("access"));
	out_str(&o, STR("email"), m->user->email);
	out_str(&o, STR("role"), user_role(m->user->role, m->user->is_admin));
	out_str(&o, STR("loginProvider"), m->user->login_provider);
	out_bool(&o, STR("isEmailVerified"), m->user->email_verified);
	out_bool(&o, STR("isTotpEnabled"), m->user->has_totp);
	out_i64(&o, STR("gen"), m->gen);
	out_end_obj(&o);
	REQUIRE(!b.overflow, ERR_BUG);
	ret->key = key;
	return jws_draft(key, c->mem, buf_view(&b), &ret->text);
}

err_t token_sign_access(struct access_draft *d, str *ret)
{
	return jws_finish(d->key, &d->text, ret);
}

err_t token_mint_access(struct ctx *c, const struct access_mint *m, str *ret)
{
	struct access_draft d;

	TRY(token_draft_access(c, m, &d));
	return token_sign_access(&d, ret);
}

/* ---- verification and its cache ---- */

struct token_cache_entry {
	uint8_t key[SHA256_BYTES];
	uint64_t serial; /* of the keyring that verified it; 0 = empty */
	int64_t retire_ms; /* of the key that signed it */
	struct access_token token;
};

struct token_cache {
	size_t mask;
	struct token_cache_entry entry[];
};

#define CACHE_WAYS 4

err_t token_cache_new(size_t entries, struct token_cache **ret)
{
	struct token_cache *t;

	REQUIRE(entries >= CACHE_WAYS && (entries & (entries - 1)) == 0, ERR_BUG);
	t = calloc(1, sizeof(*t) + entries * sizeof(t->entry[0]));
	REQUIRE(t != NULL, ERR_NO_MEMORY);
	t->mask = entries - 1;
	*ret = t;
	return OK;
}

void token_cache_free(struct token_cache *t)
{
	free(t);
}

/* The places where a token may be: the set that its hash points at. */
static struct token_cache_entry *cache_set(struct token_cache *t, const uint8_t key[SHA256_BYTES])
{
	uint32_t h;

	memcpy(&h, key, sizeof(h));
	return &t->entry[h & t->mask & ~(size_t)(CACHE_WAYS - 1)];
}

static bool cache_find(struct ctx *c, const uint8_t key[SHA256_BYTES], struct access_token *ret)
{
	struct token_cache_entry *e = cache_set(c->tokens, key);
	int64_t now_ms = clock_effective_ms(c);

	for (size_t i = 0; i < CACHE_WAYS; i++) {
		/* A plain compare: it is of hashes, which nobody can steer byte by byte. */
		if (e[i].serial == c->keys->serial && memcmp(e[i].key, key, SHA256_BYTES) == 0 &&
		    e[i].retire_ms > now_ms) {
			*ret = e[i].token;
			return true;
		}
	}
	return false;
}

static int64_t retire_of(const struct keyring *k, str kid)
{
	for (size_t i = 0; i < k->n; i++) {
		if (str_eq(jws_key_kid(k->entry[i].key), kid))
			return k->entry[i].retire_ms;
	}
	return 0;
}

static void cache_put(struct ctx *c, const uint8_t key[SHA256_BYTES], str kid,
		      const struct access_token *t)
{
	struct token_cache_entry *e = cache_set(c->tokens, key);

	memmove(e + 1, e, (CACHE_WAYS - 1) * sizeof(*e)); /* the oldest of the set leaves */
	memcpy(e[0].key, key, SHA256_BYTES);
	e[0].serial = c->keys->serial;
	e[0].retire_ms = retire_of(c->keys, kid);
	e[0].token = *t;
}

static bool is_live(const struct ctx *c, int64_t exp_s)
{
	return !clock_expired(c, exp_s * MS_PER_S, c->cfg->token.access_ttl_ms);
}

static err_t verify(struct ctx *c, str text, bool allow_expired, struct access_token *ret, str *ret_kid)
{
	int64_t now_ms = clock_effective_ms(c);
	const struct keyring_at at = { c->keys, now_ms };
	const struct jwt_expect expect = {
		.iss = c->cfg->server.public_url,
		.aud = c->cfg->server.public_url,
		.now_s = now_ms / MS_PER_S,
		.leeway_s = 60,
		.allow_expired = allow_expired,
	};
	struct jwt_claims claims = { 0 };
	err_t e = jws_verify(keyring_find, &at, c->mem, text, &expect, &claims);

	/* Read in want of memory: neither a yes nor a no about it can be trusted. */
	REQUIRE(!c->mem->exhausted, ERR_NO_MEMORY);
	TRY(e);
	REQUIRE(allow_expired || is_live(c, claims.exp_s), ERR_ACCESS_TOKEN);
	REQUIRE(uid_parse(claims.sub, ret->uid) && uid_parse(claims.sid, ret->sid), ERR_ACCESS_TOKEN);
	ret->gen = claims.gen;
	ret->exp_s = claims.exp_s;
	*ret_kid = claims.kid;
	return OK;
}

err_t token_read_access(struct ctx *c, str text, bool allow_expired, struct access_token *ret)
{
	struct access_token t = { 0 };
	uint8_t key[SHA256_BYTES];
	str kid;

	REQUIRE(text.n > 0 && text.n <= JWT_MAX_BYTES, ERR_ACCESS_TOKEN);
	if (c->tokens == NULL || allow_expired) {
		TRY(verify(c, text, allow_expired, &t, &kid));
		*ret = t;
		return OK;
	}
	sha256(text, key);
	if (cache_find(c, key, &t)) {
		atomic_fetch_add_explicit(&c->count->jwt_cache_hits, 1, memory_order_relaxed);
		REQUIRE(is_live(c, t.exp_s), ERR_ACCESS_TOKEN);
		*ret = t;
		return OK;
	}
	atomic_fetch_add_explicit(&c->count->jwt_cache_misses, 1, memory_order_relaxed);
	TRY(verify(c, text, false, &t, &kid));
	cache_put(c, key, kid, &t);
	*ret = t;
	return OK;
}
