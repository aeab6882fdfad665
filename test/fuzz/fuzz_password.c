/* Passwords as they come from outside: normalising twice changes nothing more, length limits hold,
 * and judging ends whatever the bytes are. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "crypto/password.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char memory[128 * 1024];

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_verdict(enum password_verdict v, struct secret raw, struct secret normal)
{
	size_t points = utf8_points(secret_str(normal));

	must(v != PASSWORD_NOT_TEXT);
	must((v == PASSWORD_TOO_SHORT) == (points < 8));
	must((v == PASSWORD_TOO_LONG) == (points > PASSWORD_MAX_POINTS));
	must(raw.n <= PASSWORD_MAX_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const str context[] = { { "ada@engines.example", 19 }, { "Portal", 6 } };
	static uint8_t bytes[2048];
	struct secret raw = { bytes, size }, normal, twice;
	enum password_verdict v;
	struct arena mem;
	err_t e;

	if (size > sizeof(bytes))
		return 0;
	if (size > 0)
		memcpy(bytes, data, size);
	arena_init_fixed(&mem, memory, sizeof(memory));
	v = password_judge(&mem, raw, 8, 2, context, 2);
	e = password_normalise(&mem, raw, &normal);
	must((e.code == ERR_OK) == (size <= PASSWORD_MAX_BYTES && utf8_is_valid(secret_str(raw))));
	if (e.code != ERR_OK) {
		must(v == PASSWORD_NOT_TEXT || v == PASSWORD_TOO_LONG);
		return 0;
	}
	check_verdict(v, raw, normal);
	if (normal.n <= PASSWORD_MAX_BYTES) {
		must(password_normalise(&mem, normal, &twice).code == ERR_OK);
		must(secret_equal(normal, twice));
	}
	return 0;
}
