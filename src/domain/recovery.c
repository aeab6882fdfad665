#include "domain/recovery.h"

#include "crypto/base32.h"
#include "domain/audit.h"
#include "domain/credential.h"
#include "domain/message.h"
#include "store/query.h"

#define RANDOM_BYTES 8 /* 64 bits: twelve characters take 60 */

static struct secret secret_of(char code[RECOVERY_LEN])
{
	return (struct secret){ (uint8_t *)code, RECOVERY_LEN };
}

bool recovery_read(str text, char ret[RECOVERY_LEN])
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		char ch = text.p[i];

		if (ch == '-' || ch == ' ')
			continue;
		if (n == RECOVERY_LEN || base32_value(ch) < 0)
			return false;
		ret[n++] = ch >= 'a' ? (char)(ch - 'a' + 'A') : ch;
	}
	return n == RECOVERY_LEN;
}

/* ---- made ---- */

static bool slot_is_taken(const struct recovery_set *set, size_t n, const char *code)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq((str){ set->shown[i].p, RECOVERY_SLOT }, (str){ code, RECOVERY_SLOT }))
			return true;
	}
	return false;
}

static err_t random_code(struct ctx *c, char ret[RECOVERY_LEN])
{
	WIPED_ARRAY(uint8_t, raw, RANDOM_BYTES);
	WIPED_ARRAY(char, text, BASE32_LEN(RANDOM_BYTES));
	struct buf b = BUF_OF(text);

	TRY(rng_fill(c->rng, raw, sizeof(raw)));
	base32_encode(&b, str_of_bytes(raw, sizeof(raw)));
	memcpy(ret, text, RECOVERY_LEN);
	return OK;
}

err_t recovery_make(struct ctx *c, struct recovery_set *ret)
{
	WIPED_ARRAY(char, code, RECOVERY_LEN);

	for (size_t i = 0; i < RECOVERY_CODES; i++) {
		do {
			TRY(random_code(c, code));
		} while (slot_is_taken(ret, i, code));
		TRY(arena_printf(c->mem, &ret->shown[i], "%.2s-%.5s-%.5s", code, code + 2, code + 7));
		TRY(credential_make_own(c, secret_of(code), &ret->hashes[i]));
	}
	return OK;
}

err_t recovery_store(struct ctx *c, int64_t user_id, const struct recovery_set *set)
{
	TRY(recovery_void(c, user_id));
	for (size_t i = 0; i < RECOVERY_CODES; i++)
		TRY(q_recovery_insert(c->db, user_id, (str){ set->shown[i].p, RECOVERY_SLOT }, set->hashes[i]));
	return OK;
}

err_t recovery_void(struct ctx *c, int64_t user_id)
{
	return q_recovery_void(c->db, user_id);
}

/* ---- used ---- */

err_t recovery_look(struct ctx *c, int64_t user_id, const char code[RECOVERY_LEN], bool *ret_found,
		    struct recovery_found *ret)
{
	struct recovery_row row = { 0 };
	WIPED_ARRAY(char, copy, RECOVERY_LEN);
	str new_hash;

	TRY(arena_copy(c->mem, (str){ code, RECOVERY_SLOT }, &ret->slot));
	TRY(q_recovery_find(c->db, c->mem, user_id, ret->slot, &row, ret_found));
	memcpy(copy, code, RECOVERY_LEN);
	/* An empty slot costs the same. What needs a rehash is about to be deleted. */
	TRY(credential_check(c, row.hash, secret_of(copy), ret_found, &new_hash));
	ret->hash = row.hash;
	return OK;
}

err_t recovery_use(struct ctx *c, const struct user_row *user, const struct recovery_found *found)
{
	struct template_var left = { STR("left"), STR_NONE };
	int64_t changed, n;
	bool any;

	TRY(q_recovery_take(c->db, user->id, found->slot, found->hash, &changed));
	REQUIRE(changed == 1, ERR_TOTP_CODE);
	TRY(q_recovery_left(c->db, c->mem, user->id, &n, &any));
	TRY(arena_printf(c->mem, &left.value, "%lld", (long long)n));
	TRY(message_to_user(c, user, STR("recovery-used"), &left, 1));
	return audit_add(c, AUDIT_RECOVERY_USED, user->uid, STR_NONE, left.value);
}
