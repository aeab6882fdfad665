/* Tokens of any form, against one key of each kind whose private half nobody has kept: none is ever accepted, and what is
 * said to be signed of one is a part of it. */
#include "base/arena.h"
#include "crypto/jwks.h"
#include "crypto/mac.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char published[] =
				   "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"pSjEmcTWYFLbuTt8zYDCy24LPvBcMfKrmp0tcHue76qy8YTcBu6O-FdH"
				   "aTsfqXFrsqhx09nTmR6wZJmv11w_e8a4egbVKjOUM2q2tcxZIehDHIICx-X-Cay0QJ2lhCoWDJz8ZoG_o5heU4TEjPDh"
				   "PSYv7suy8YSL2F7DSQHJ4sQPiuIc9yI-rK9ILbyA4ot1xxrKhbGy9FzPbqjunP7vIo-RLEceX2okYxW8j2LMk9Kc3_Zq"
				   "1XQaR9GPugpOR8EZhnWunJFEPZS1i4IxM60cz4O1K1YsBqMeEwYSr4gWoLa-GJ996p1b6JVdsLI_k_yRuftOV0yXejY8"
				   "buBmJgPQ6w\",\"e\":\"AQAB\",\"kid\":\"k0\"},{\"kty\":\"EC\",\"x\":\"KNs-UxHtwvOm38jL5Fi_pY7_"
				   "GjpE9KnmYpPWR-HDsG8\",\"y\":\"7dfTHztdKh9RmWGgr2ayTAJjKxV9_OT3xy0DlzLtCj4\",\"crv\":\"P-256"
				   "\",\"kid\":\"k1\"},{\"kty\":\"EC\",\"x\":\"gEsms37wfBS7Gjoj0aaQzvvs8rKyLXCnz8RGTOB9OHASrWrJe"
				   "5g8URx6-osRCS8M\",\"y\":\"dz1lRcjhBgeFGNQeOttN4yEj4-6EtjZLuowUE9nClxeQRKlZdziZkU1NusH_mCLn\""
				   ",\"crv\":\"P-384\",\"kid\":\"k2\"},{\"kty\":\"EC\",\"x\":\"AH6TCnjNtV18yoOrqOGBOgc7gwNODiSSs"
				   "2lxIr-i8P8eAs475MURCby59v7YvuGawyaNZxW45aCzA0gLWw4ISgLu\",\"y\":\"AXBolVNrofFeimmbS2dlkvyCVV"
				   "9fP5w70I3RXfKoHqViRcy8aNdk_LEANumE1LAoCNSwM6XWMYnUX4zhAQzltxw6\",\"crv\":\"P-521\",\"kid\":"
				   "\"k3\"},{\"crv\":\"Ed25519\",\"x\":\"ZWre8_dW2_JPc_WB0XWGtf4eGe1a_uEtky12m_Yw_-0\",\"kty\":"
				   "\"OKP\",\"kid\":\"k4\"}]}";

static struct jwks *keys(void)
{
	static struct jwks *k;
	static char room[64 * 1024];
	struct arena mem;

	if (k != NULL)
		return k;
	arena_init_fixed(&mem, room, sizeof(room));
	if (crypto_init().code != ERR_OK || jwks_parse(&mem, (str){ published, sizeof(published) - 1 }, &k).code != ERR_OK ||
	    jwks_n(k) != 5)
		abort();
	return k;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char room[256 * 1024];
	str token = str_of_bytes(data, size), part = jwks_signed_part(token);
	struct verified got;
	struct arena mem;
	err_t e;

	arena_init_fixed(&mem, room, sizeof(room));
	e = jwks_verify(keys(), &mem, token, &got);
	if (e.code != ERR_INPUT && e.code != ERR_NOT_FOUND)
		abort();
	if (got.failed == NULL || part.n > token.n || (part.n > 0 && part.p != token.p))
		abort();
	return 0;
}
