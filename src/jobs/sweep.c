#include "jobs/sweep.h"

#include "domain/attempt.h"
#include "domain/audit.h"
#include "domain/factor.h"
#include "domain/guest.h"
#include "domain/linked.h"
#include "domain/oauth.h"
#include "domain/onetime.h"
#include "domain/outbox.h"
#include "domain/place.h"
#include "domain/session.h"

#define SLICE  200
#define ROUNDS 20

typedef err_t (*slice_fn)(struct ctx *c, int64_t limit_n, int64_t *ret_n);

err_t sweep_run(struct ctx *c, int64_t *ret_deleted)
{
	static const slice_fn slices[] = { session_sweep, attempt_sweep, onetime_sweep, place_sweep,
					  outbox_sweep,	 pending_link_sweep, oauth_sweep, guest_sweep, factor_sweep,
					  audit_sweep };
	int64_t total = 0, n;

	for (size_t i = 0; i < sizeof(slices) / sizeof(slices[0]); i++) {
		n = SLICE;
		for (int round = 0; round < ROUNDS && n >= SLICE; round++) {
			TRY(slices[i](c, SLICE, &n));
			arena_reset(c->mem);
			total += n;
		}
	}
	*ret_deleted = total;
	return OK;
}
