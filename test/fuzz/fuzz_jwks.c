/* Key sets, and a token that none of the keys in the corpus has signed: it is never accepted. */
#include "base/arena.h"
#include "crypto/jwks.h"
#include "crypto/mac.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char token[] = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsifQ.eyJzdWIiOiJ4In0."
				    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	static char room[256 * 1024];
	static bool ready;
	struct arena mem;
	struct jwks *k = NULL;
	struct verified got;

	if (!ready && crypto_init().code != ERR_OK)
		abort();
	ready = true;
	arena_init_fixed(&mem, room, sizeof(room));
	if (jwks_parse(&mem, str_of_bytes(data, size), &k).code != ERR_OK)
		return 0;
	if (jwks_n(k) == 0 || jwks_n(k) > JWKS_KEYS_MAX)
		abort();
	if (jwks_verify(k, &mem, (str){ token, sizeof(token) - 1 }, &got).code == ERR_OK)
		abort();
	jwks_release(k);
	return 0;
}
