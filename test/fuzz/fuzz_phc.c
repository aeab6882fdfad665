/* Stored password hashes: whatever is accepted is bounded in cost, and an argon2id line is written
 * back exactly as it was read. */
#include <stdint.h>
#include <stdlib.h>

#include "crypto/phc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_argon2(str stored, const struct phc *what)
{
	char text[PASSWORD_HASH_MAX];
	struct buf out = BUF_OF(text);
	struct argon2_hash h;

	must(argon2_parse(stored, &h));
	argon2_format(&h, &out);
	must(!out.overflow && str_eq(buf_view(&out), stored));
	must(what->memory >= 8192 && what->memory <= ARGON2_MEMORY_MAX && what->iterations >= 1);
	must(what->iterations <= ARGON2_WORK_MAX / what->memory);
	must(what->parallelism >= 1 && what->parallelism <= 16);
	must(h.n_salt >= 8 && h.n_salt <= ARGON2_FIELD_MAX);
	must(h.n_tag >= 16 && h.n_tag <= ARGON2_FIELD_MAX);
}

static void check_crypt(str stored)
{
	/* what crypt(3) gets to see is one word of plain ASCII */
	must(stored.n >= 50);
	for (size_t i = 0; i < stored.n; i++)
		must(stored.p[i] > ' ' && stored.p[i] < 0x7F && stored.p[i] != ':');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str stored = str_of_bytes(data, size);
	struct phc what = { .kind = PHC_UNSET };

	if (!phc_parse(stored, &what)) {
		must(what.kind == PHC_UNSET);
		return 0;
	}
	must(stored.n <= PASSWORD_HASH_MAX && what.kind != PHC_UNSET);
	if (what.kind == PHC_ARGON2ID)
		check_argon2(stored, &what);
	else
		check_crypt(stored);
	return 0;
}
