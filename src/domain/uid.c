#include "domain/uid.h"

#include "base/base64url.h"
#include "base/buf.h"

err_t uid_make(struct rng rng, uint8_t ret[UID_BYTES])
{
	TRY(rng_fill(rng, ret, UID_BYTES));
	ret[6] = (uint8_t)((ret[6] & 0x0f) | 0x40);
	ret[8] = (uint8_t)((ret[8] & 0x3f) | 0x80);
	return OK;
}

err_t uid_text(struct arena *mem, str uid, str *ret)
{
	static const size_t groups[] = { 4, 2, 2, 2, 6 };
	struct buf b = { .cap = UID_TEXT };
	str rest = uid;

	REQUIRE(uid.n == UID_BYTES, ERR_BUG);
	NEW(b.p, mem, char, UID_TEXT + 1);
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (i > 0)
			buf_byte(&b, '-');
		hex_encode(&b, (str){ rest.p, groups[i] });
		rest = str_skip(rest, groups[i]);
	}
	REQUIRE(!b.overflow, ERR_BUG);
	*ret = buf_view(&b);
	return OK;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool uid_parse(str text, uint8_t ret[UID_BYTES])
{
	size_t n = 0;

	if (text.n != UID_TEXT)
		return false;
	for (size_t i = 0; i < UID_TEXT;) {
		int hi, lo;

		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text.p[i] != '-')
				return false;
			i++;
			continue;
		}
		hi = hex_digit(text.p[i]);
		lo = hex_digit(text.p[i + 1]);
		if (hi < 0 || lo < 0)
			return false;
		ret[n++] = (uint8_t)(hi * 16 + lo);
		i += 2;
	}
	return n == UID_BYTES;
}
