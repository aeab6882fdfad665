/* What a provider says, as text and as a body: of it there is one plain line, bounded, without addresses and tokens. */
#include <string.h>

#include "base/utf8.h"
#include "oauth/finding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(str line, size_t max)
{
	size_t run = 0;

	if (line.n > max || !utf8_is_plain_text(line) || str_has_byte(line, '@'))
		abort();
	for (size_t i = 0; i < line.n; i++) {
		char c = line.p[i];
		bool inside = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';

		run = inside ? run + 1 : 0;
		if (run >= 40)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char room[256 * 1024];
	str text = str_of_bytes(data, size);
	struct finding f = { 0 };
	struct arena mem;
	char line[33];
	struct buf b = { .p = line, .cap = 32 };

	arena_init_fixed(&mem, room, sizeof(room));
	finding_clean(&b, text);
	check(buf_view(&b), 32);
	finding_said(&f, text, text);
	check(str_of_cstr(f.error), FINDING_ERROR_MAX);
	check(str_of_cstr(f.description), FINDING_TEXT_MAX);
	finding_check(&f, "alg", text);
	check(str_of_cstr(f.alg), sizeof(f.alg) - 1);
	finding_read(&f, &mem, text);
	check(str_of_cstr(f.error), FINDING_ERROR_MAX);
	check(str_of_cstr(f.description), FINDING_TEXT_MAX);
	return 0;
}
