#include "crypto/password.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "base/base64url.h"
#include "base/clock.h"
#include "crypto/mac.h"
#include "crypto/password_foreign.h"
#include "crypto/password_gate.h"
#include "crypto/phc.h"

/* A pepper is a secret outside the database. The stored tag is HMAC-SHA-256 of the argon2id tag
 * under a key derived from it, so a stolen database alone cannot even be guessed at. The id, from
 * the same derivation, tells which pepper a hash needs and nothing about it. */
struct pepper {
	struct mac_key key;
	char id[PEPPER_ID_LEN + 1]; /* empty without a pepper */
};

static void pepper_wipe(struct pepper *p)
{
	explicit_bzero(p, sizeof(*p));
}

#define PEPPER_WIPED __attribute__((cleanup(pepper_wipe)))

static void pepper_derive(struct secret pepper, struct pepper *ret)
{
	uint8_t id[PEPPER_ID_LEN / 2];
	struct buf out = { .p = ret->id, .cap = PEPPER_ID_LEN };

	if (pepper.n == 0)
		return;
	mac_hkdf(STR(""), pepper, STR("sallyport/v1/pepper"), ret->key.bytes, KEY_BYTES);
	mac_hkdf(STR(""), pepper, STR("sallyport/v1/pepper-id"), id, sizeof(id));
	hex_encode(&out, str_of_bytes(id, sizeof(id)));
}

/* What a new hash looks like; salt and tag are filled with random bytes, which makes it a decoy
 * until the tag is computed. */
static err_t current_hash(const struct password_params *p, const struct pepper *pepper,
			  struct rng rng, struct argon2_hash *ret)
{
	struct argon2_hash h = {
		.memory = p->memory / 1024 * 1024,
		.iterations = p->iterations,
		.parallelism = 1,
		.pepper_id = str_of_cstr(pepper->id),
		.n_salt = ARGON2_SALT_BYTES,
		.n_tag = ARGON2_TAG_BYTES,
	};

	REQUIRE(p->memory >= ARGON2_MEMORY_FLOOR && p->iterations >= ARGON2_ITER_FLOOR, ERR_BUG);
	/* beyond these the hash could be made, but phc_parse() would not read it back */
	REQUIRE(p->memory <= ARGON2_MEMORY_MAX && p->iterations <= ARGON2_ITER_MAX &&
			h.memory * p->iterations <= ARGON2_WORK_MAX,
		ERR_BUG);
	TRY(rng_fill(rng, h.salt, h.n_salt));
	TRY(rng_fill(rng, h.tag, h.n_tag));
	*ret = h;
	return OK;
}

/* The tag of `password` under h's parameters and salt. */
static err_t argon2_tag(const struct argon2_hash *h, const struct pepper *pepper,
			struct secret password, uint8_t ret[ARGON2_FIELD_MAX])
{
	const char *text = password.n > 0 ? (const char *)password.p : "";
	WIPED_ARRAY(uint8_t, plain, ARGON2_FIELD_MAX);

	errno = 0;
	if (crypto_pwhash(plain, h->n_tag, text, password.n, h->salt,
			  (unsigned long long)h->iterations, (size_t)h->memory,
			  crypto_pwhash_ALG_ARGON2ID13) != 0)
		FAIL(errno == ENOMEM ? ERR_NO_MEMORY : ERR_CRYPTO);
	if (h->pepper_id.n > 0)
		mac_tag(&pepper->key, str_of_bytes(plain, h->n_tag), ret);
	else
		memcpy(ret, plain, h->n_tag);
	return OK;
}

/* Imported argon2id lines may have lanes or a salt that only the library's own reader takes. */
static err_t argon2_match_imported(struct arena *mem, str stored, struct secret password,
				   bool *ret_match)
{
	char *line;

	TRY(str_to_cstr(mem, stored, &line));
	errno = 0;
	*ret_match = crypto_pwhash_str_verify(line, password.n > 0 ? (const char *)password.p : "",
					      password.n) == 0;
	REQUIRE(*ret_match || errno != ENOMEM, ERR_NO_MEMORY);
	return OK;
}

static err_t argon2_match(const struct argon2_hash *h, const struct pepper *pepper,
			  struct secret password, bool *ret_match)
{
	WIPED_ARRAY(uint8_t, tag, ARGON2_FIELD_MAX);

	TRY(argon2_tag(h, pepper, password, tag));
	*ret_match = secret_equal_bytes(tag, h->tag, h->n_tag);
	return OK;
}

/* What one verification needs. */
struct attempt {
	const struct password_params *params;
	struct arena *mem;
	str stored;
	struct secret raw, normal;
	bool is_text; /* raw is valid UTF-8 of a lawful length; else nothing can match */
};

static bool is_own_form(const struct argon2_hash *h)
{
	return h->parallelism == 1 && h->n_salt == ARGON2_SALT_BYTES;
}

static bool is_current(const struct argon2_hash *h, const struct argon2_hash *now)
{
	return h->memory == now->memory && h->iterations == now->iterations && is_own_form(h) &&
	       h->n_tag == now->n_tag && str_eq(h->pepper_id, now->pepper_id);
}

static err_t verify_argon2(const struct attempt *a, bool *ret_match, bool *ret_rehash)
{
	PEPPER_WIPED struct pepper pepper = { 0 };
	struct argon2_hash h = { 0 }, now = { 0 };
	bool real, match = false;

	pepper_derive(a->params->pepper, &pepper);
	TRY(current_hash(a->params, &pepper, rng_system, &now));
	real = a->is_text && argon2_parse(a->stored, &h) &&
	       (h.pepper_id.n == 0 || str_eq(h.pepper_id, now.pepper_id));
	if (real && !is_own_form(&h))
		TRY(argon2_match_imported(a->mem, a->stored, a->normal, &match));
	else
		TRY(argon2_match(real ? &h : &now, &pepper, a->normal, &match));
	*ret_match = real && match;
	*ret_rehash = *ret_match && !is_current(&h, &now);
	return OK;
}

static err_t verify_foreign(const struct attempt *a, enum phc_kind kind, bool *ret_match,
			    bool *ret_rehash)
{
	struct secret seen = a->raw;
	bool match = false;

	TRY(foreign_verify(a->mem, kind, a->stored, seen, &match));
	if (!match && a->is_text && !secret_equal(a->raw, a->normal)) {
		seen = a->normal;
		TRY(foreign_verify(a->mem, kind, a->stored, seen, &match));
	}
	*ret_match = match;
	/* A new hash of what was typed must not shut out who knows what the old one was made of. */
	*ret_rehash = match && foreign_sees_all(kind, seen);
	return OK;
}

static err_t verify(const struct attempt *a, bool *ret_match, bool *ret_rehash)
{
	struct phc what = { .kind = PHC_ARGON2ID };

	if (!phc_parse(a->stored, &what))
		what.kind = PHC_ARGON2ID; /* the decoy's */
	switch (what.kind) {
	case PHC_BCRYPT:
	case PHC_SCRYPT:
	case PHC_YESCRYPT: return verify_foreign(a, what.kind, ret_match, ret_rehash);
	case PHC_UNSET:
	case PHC_ARGON2ID: break;
	}
	return verify_argon2(a, ret_match, ret_rehash);
}

static err_t attempt_prepare(struct attempt *a)
{
	err_t e = password_normalise(a->mem, a->raw, &a->normal);

	a->is_text = e.code == ERR_OK;
	if (a->is_text || e.code != ERR_INPUT)
		return e;
	/* The same work for what can never match; the length of nonsense buys nothing. */
	if (a->raw.n > PASSWORD_MAX_BYTES)
		a->raw.n = PASSWORD_MAX_BYTES;
	a->normal = a->raw;
	return OK;
}

err_t password_verify(struct password_gate *g, const struct password_params *p, struct arena *mem,
		      str stored, struct secret raw, int64_t deadline_us, bool *ret_match,
		      bool *ret_rehash)
{
	struct attempt a = { .params = p, .mem = mem, .stored = stored, .raw = raw };
	bool too_long = raw.n > PASSWORD_MAX_BYTES;
	bool match = false, rehash = false;
	int64_t start;
	err_t e;

	TRY(attempt_prepare(&a));
	TRY(gate_enter(g, deadline_us));
	start = monotonic_us();
	e = verify(&a, &match, &rehash);
	gate_leave(g, monotonic_us() - start);
	TRY(e);
	*ret_match = match && !too_long;
	*ret_rehash = rehash && !too_long;
	return OK;
}

static err_t format_new(const struct argon2_hash *h, struct arena *mem, str *ret)
{
	struct buf out = { .cap = PASSWORD_HASH_MAX };

	NEW(out.p, mem, char, PASSWORD_HASH_MAX + 1);
	argon2_format(h, &out);
	REQUIRE(!out.overflow, ERR_BUG);
	*ret = buf_view(&out);
	return OK;
}

err_t password_hash(struct password_gate *g, const struct password_params *p, struct rng rng,
		    struct arena *mem, struct secret normalised, int64_t deadline_us, str *ret)
{
	PEPPER_WIPED struct pepper pepper = { 0 };
	struct argon2_hash h = { 0 };
	int64_t start;
	err_t e;

	pepper_derive(p->pepper, &pepper);
	TRY(current_hash(p, &pepper, rng, &h));
	TRY(gate_enter(g, deadline_us));
	start = monotonic_us();
	e = argon2_tag(&h, &pepper, normalised, h.tag);
	gate_leave(g, monotonic_us() - start);
	TRY(e);
	return format_new(&h, mem, ret);
}

err_t password_measure(const struct password_params *p, int rounds, int64_t *ret_us)
{
	static uint8_t sample[] = "a password of ordinary length";
	const struct pepper none = { 0 };
	int64_t best = INT64_MAX;
	struct argon2_hash h = { 0 };

	REQUIRE(rounds >= 1, ERR_BUG);
	TRY(current_hash(p, &none, rng_system, &h));
	for (int i = 0; i < rounds; i++) {
		int64_t start = monotonic_us(), took;

		TRY(argon2_tag(&h, &none, (struct secret){ sample, sizeof(sample) - 1 }, h.tag));
		took = monotonic_us() - start;
		best = took < best ? took : best;
	}
	*ret_us = best;
	return OK;
}
