/* Answers of token endpoints: an accepted token can stand in a header. */
#include "base/arena.h"
#include "oauth/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(str token)
{
	for (size_t i = 0; i < token.n; i++) {
		if (token.p[i] <= ' ' || token.p[i] > '~')
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char room[256 * 1024];
	struct arena mem;
	struct token_answer t;

	arena_init_fixed(&mem, room, sizeof(room));
	if (answer_tokens(&mem, str_of_bytes(data, size), &t).code != ERR_OK)
		return 0;
	if (t.access_token.n == 0)
		abort();
	check(t.access_token);
	check(t.id_token);
	check(t.refresh_token);
	return 0;
}
