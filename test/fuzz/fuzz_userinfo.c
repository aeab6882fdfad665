/* Profiles of every preset, signed ones too, lists of addresses, and claims of ID tokens: nobody without a subject. */
#include "base/arena.h"
#include "base/utf8.h"
#include "crypto/mac.h"
#include "oauth/answer.h"
#include "oauth/id_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct profile *p)
{
	if (p->id.n == 0 || !utf8_is_plain_text(p->id) || (p->email_verified && p->email.n == 0) ||
	    (p->email.n > 0 && !utf8_is_plain_text(p->email)) || (p->name.n > 0 && !utf8_is_plain_text(p->name)) ||
	    (p->given.n > 0 && !utf8_is_plain_text(p->given)) || (p->family.n > 0 && !utf8_is_plain_text(p->family)) ||
	    (p->name.n == 0 && (p->given.n > 0 || p->family.n > 0)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char room[512 * 1024];
	static const str id = STR_INIT("client-1");
	const struct oauth_settings set = { .name = STR("x"), .client_id = { &id, 1 }, .pkce = true };
	struct arena mem;
	struct provider p;
	struct profile got;

	for (size_t i = 0; preset_at(i) != NULL; i++) {
		struct id_expect e = { .p = &p, .nonce = STR("n"), .now_s = 1000 };

		arena_init_fixed(&mem, room, sizeof(room));
		p = preset_at(i)->base;
		p.set = &set;
		if (answer_profile(&mem, &p, str_of_bytes(data, size), &got).code == ERR_OK)
			check(&got);
		if (signed_profile(&mem, str_of_bytes(data, size), &e, &got).code == ERR_OK)
			check(&got);
		if (id_token_claims(&mem, str_of_bytes(data, size), &e, &got).code == ERR_OK)
			check(&got);
	}
	got = (struct profile){ .id = STR("1") };
	if (answer_emails(&mem, str_of_bytes(data, size), &got).code == ERR_OK)
		check(&got);
	return 0;
}
