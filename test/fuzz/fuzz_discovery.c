/* Discovery documents: whatever comes, an accepted one is of the issuer, and its endpoints are URLs. */
#include "base/arena.h"
#include "oauth/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_http(str url)
{
	return str_starts(url, STR("https://")) || str_starts(url, STR("http://"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char room[256 * 1024];
	struct arena mem;
	struct metadata m;

	arena_init_fixed(&mem, room, sizeof(room));
	if (answer_metadata(&mem, str_of_bytes(data, size), STR("https://op.test"), &m).code == ERR_OK &&
	    (!is_http(m.authorize_url) || !is_http(m.token_url) || !is_http(m.jwks_url) ||
	     (m.userinfo_url.n > 0 && !is_http(m.userinfo_url))))
		abort();
	return 0;
}
