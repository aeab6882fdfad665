#include "domain/device.h"

#include <string.h>

#include "base/base64url.h"

/* kind(1) device(16) epoch(8) issued_s(8) tag(32); the account is in the tag, not in the text. */
#define DEVICE_BODY    (1 + UID_BYTES + 8 + 8)
#define DEVICE_BYTES   (DEVICE_BODY + MAC_BYTES)

static void put_u64(uint8_t *p, int64_t v)
{
	for (size_t i = 0; i < 8; i++)
		p[i] = (uint8_t)((uint64_t)v >> (56 - 8 * i));
}

static int64_t get_u64(const uint8_t *p)
{
	uint64_t v = 0;

	for (size_t i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
}

static void device_tag(struct ctx *c, const uint8_t body[DEVICE_BODY], str uid, uint8_t ret[MAC_BYTES])
{
	const str parts[] = { str_of_bytes(body, DEVICE_BODY), uid };

	mac_tag_parts(&c->keys->device, parts, 2, ret);
}

err_t device_mint(struct ctx *c, enum device_kind kind, str uid, int64_t epoch, str device_id, str *ret)
{
	struct buf b = { .cap = BASE64URL_LEN(DEVICE_BYTES) };
	WIPED_ARRAY(uint8_t, raw, DEVICE_BYTES);

	raw[0] = (uint8_t)kind;
	if (device_id.n == UID_BYTES)
		memcpy(raw + 1, device_id.p, UID_BYTES);
	else
		TRY(rng_fill(c->rng, raw + 1, UID_BYTES));
	put_u64(raw + 1 + UID_BYTES, epoch);
	put_u64(raw + 1 + UID_BYTES + 8, c->now_ms / MS_PER_S);
	device_tag(c, raw, uid, raw + DEVICE_BODY);

	NEW(b.p, c->mem, char, b.cap);
	base64url_encode(&b, str_of_bytes(raw, sizeof(raw)));
	REQUIRE(!b.overflow, ERR_BUG);
	*ret = buf_view(&b);
	return OK;
}

static int64_t ttl_ms(const struct config *cfg, enum device_kind kind)
{
	return kind == DEVICE_TRUSTED ? cfg->twofactor.remember_ttl_ms : cfg->limits.device_ttl_ms;
}

err_t device_read(struct ctx *c, enum device_kind kind, str uid, int64_t epoch, str text,
		  str *ret_device_id)
{
	WIPED_ARRAY(uint8_t, raw, DEVICE_BYTES);
	WIPED_ARRAY(uint8_t, tag, MAC_BYTES);
	int64_t age_ms;
	size_t n = 0;

	*ret_device_id = STR_NONE;
	if (text.n != BASE64URL_LEN(DEVICE_BYTES) ||
	    !base64url_decode(text, raw, sizeof(raw), &n) || n != sizeof(raw))
		return OK;
	device_tag(c, raw, uid, tag);
	if (!secret_equal_bytes(tag, raw + DEVICE_BODY, MAC_BYTES) || raw[0] != (uint8_t)kind)
		return OK;
	age_ms = c->now_ms - get_u64(raw + 1 + UID_BYTES + 8) * MS_PER_S;
	if (get_u64(raw + 1 + UID_BYTES) != epoch || age_ms > ttl_ms(c->cfg, kind))
		return OK;
	return arena_copy(c->mem, str_of_bytes(raw + 1, UID_BYTES), ret_device_id);
}
