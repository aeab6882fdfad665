/* What people type: cleaning twice is cleaning once, nothing gets longer, valid UTF-8 stays valid, a code holds no blank,
 * and six digits stay what they are. */
#include <stdint.h>
#include <stdlib.h>

#include "base/typed.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char mem[65536];

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check(str raw, str once, str twice)
{
	/* Bytes that are no UTF-8 are refused before they come here: of them it must only not get more. */
	must(once.n <= raw.n && (!utf8_is_valid(raw) || (utf8_is_valid(once) && str_eq(once, twice))));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str raw = str_of_bytes(data, size < 4096 ? size : 4096), once, twice;
	struct arena a;

	arena_init_fixed(&a, mem, sizeof(mem));
	for (enum typed_as as = TYPED_NAME; as <= TYPED_NUMBER; as++) {
		must(typed_text(&a, as, raw, &once).code == ERR_OK && typed_text(&a, as, once, &twice).code == ERR_OK);
		check(raw, once, twice);
	}
	must(typed_code(&a, raw, &once).code == ERR_OK && typed_code(&a, once, &twice).code == ERR_OK);
	check(raw, once, twice);
	for (size_t i = 0; i < once.n; i++)
		must(once.p[i] != ' ' && once.p[i] != '-' && once.p[i] != '\n');
	return 0;
}
