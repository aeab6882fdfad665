/* Access tokens. The first byte chooses how the rest is used:
 *   'T'  it is the token
 *   'S'  header, newline, claims: signed with a key the verifier knows
 *   'M'  changes made to a good token: pairs of position and byte
 * Whatever is accepted must be current, for us, and by a known key. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "crypto/jws.h"
#include "crypto/jws_key.h"
#include "crypto/mac.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_S INT64_C(1700000010)
#define US    "https://auth.test"

static char memory[128 * 1024];
static struct arena mem;
static struct jws_key *key;
static const struct jwt_expect expect = {
	.iss = { US, sizeof(US) - 1 }, .aud = { US, sizeof(US) - 1 }, .now_s = NOW_S, .leeway_s = 60
};

static void must(bool holds)
{
	if (!holds)
		abort();
}

static const struct jws_key *find(const void *self, str kid)
{
	(void)self;
	return str_eq(kid, jws_key_kid(key)) || str_eq(kid, STR("k")) ? key : NULL;
}

static void set_up(void)
{
	must(crypto_init().code == ERR_OK);
	must(jws_key_parse(ALG_HS256, STR("9qZ1eYcwC2b8gT0xk5mHn3dJrLsVtUpQyXaEoIfWzAE"), &key)
		     .code == ERR_OK);
}

static bool accepted(str token)
{
	struct jwt_claims c = { .exp_s = -1 };
	err_t e = jws_verify(find, NULL, &mem, token, &expect, &c);

	if (e.code != ERR_OK) {
		must(e.code == ERR_ACCESS_TOKEN && c.exp_s == -1);
		return false;
	}
	must(token.n <= JWT_MAX_BYTES && !str_has_byte(token, '='));
	must(c.exp_s > NOW_S && c.exp_s <= INT64_C(1) << 53);
	must(c.iat_s >= 0 && c.iat_s <= NOW_S + 60 && c.gen >= 0 && c.auth_time_s >= 0);
	must(str_eq(c.iss, expect.iss) && str_eq(c.token_use, STR("access")));
	must(c.sub.n > 0 && c.sid.n > 0 && c.jti.n > 0 && str_eq(c.kid, jws_key_kid(key)));
	return true;
}

static void try_signed(str input)
{
	static char room[(size_t)4 * JWT_MAX_BYTES];
	struct buf out = BUF_OF(room);
	uint8_t sig[JWS_SIGNATURE_MAX];
	str header, claims;
	size_t n;

	if (!str_cut(input, '\n', &header, &claims) || input.n > (size_t)2 * JWT_MAX_BYTES)
		return;
	base64url_encode(&out, header);
	buf_byte(&out, '.');
	base64url_encode(&out, claims);
	must(jws_key_sign(key, buf_view(&out), sig, &n).code == ERR_OK);
	buf_byte(&out, '.');
	base64url_encode(&out, str_of_bytes(sig, n));
	must(!out.overflow);
	(void)accepted(buf_view(&out));
}

static void try_changed(str changes)
{
	static char copy[JWT_MAX_BYTES];
	str good;

	must(jws_sign(key, &mem,
		      STR("{\"iss\":\"" US "\",\"aud\":\"" US "\",\"sub\":\"u\",\"sid\":\"s\","
			  "\"jti\":\"j\",\"iat\":1700000000,\"exp\":1700000900,"
			  "\"token_use\":\"access\"}"),
		      &good)
		     .code == ERR_OK);
	memcpy(copy, good.p, good.n);
	for (size_t i = 0; i + 2 < changes.n; i += 3) {
		size_t at = (size_t)(uint8_t)changes.p[i] << 8 | (uint8_t)changes.p[i + 1];

		copy[at % good.n] = changes.p[i + 2];
	}
	must(accepted((str){ copy, good.n }) == (memcmp(copy, good.p, good.n) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str rest = size == 0 ? STR("") : str_of_bytes(data + 1, size - 1);

	if (key == NULL)
		set_up();
	arena_init_fixed(&mem, memory, sizeof(memory));
	if (size == 0 || data[0] == 'T')
		(void)accepted(rest);
	else if (data[0] == 'S')
		try_signed(rest);
	else if (data[0] == 'M')
		try_changed(rest);
	return 0;
}
