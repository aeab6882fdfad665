#include "domain_fixture.h"

#include <string.h>

#include "crypto/mac.h"

int domain_open(struct domain_fixture *w)
{
	char why[256];

	memset(w, 0, sizeof(*w));
	fixture_init(&w->f);
	if (crypto_init().code != ERR_OK || fixture_open(&w->f).code != ERR_OK ||
	    keyring_load(str_of_cstr(w->f.dir), ALG_ES256, START_MS, true, rng_system, &w->keys, why,
			 sizeof(why))
			    .code != ERR_OK)
		return -1;
	w->c = (struct ctx){
		.mem = &w->f.mem,
		.db = w->f.db,
		.cfg = &w->cfg,
		.keys = w->keys,
		.count = &w->count,
		.rng = rng_system,
		.now_ms = START_MS,
	};
	return 0;
}

void domain_close(struct domain_fixture *w)
{
	keyring_free(w->keys);
	fixture_clear(&w->f);
}
