#include "domain/rotation.h"

static void start_generation(struct rotation *r, int64_t now_ms)
{
	r->cur_gen++;
	r->rotated_ms = now_ms;
	r->confirmed = false;
	r->replays = 0;
}

static enum rotation_verdict on_current(struct rotation *r, int64_t now_ms, int64_t window_ms)
{
	if (now_ms - r->rotated_ms <= window_ms)
		return ROTATION_SAME; /* a burst that finds the fresh token must not spin the family */
	r->older_gen = r->parent_gen;
	/* rotated_ms is the moment the parent gave way to cur_gen — unless a re-issue moved it, which
	 * only makes the straggler rule more patient. */
	r->older_ms = r->rotated_ms;
	r->parent_gen = r->cur_gen;
	start_generation(r, now_ms);
	return ROTATION_NEXT;
}

static enum rotation_verdict on_parent(struct rotation *r, int64_t now_ms, int64_t window_ms,
				       bool same_client)
{
	if (!same_client)
		return ROTATION_REUSE;
	if (now_ms - r->rotated_ms <= window_ms) {
		r->replays++;
		return r->replays <= ROTATION_REPEATS_MAX ? ROTATION_REPEAT : ROTATION_TOO_MANY;
	}
	if (r->confirmed)
		return ROTATION_REUSE;
	start_generation(r, now_ms);
	return ROTATION_REISSUE;
}

enum rotation_verdict rotation_decide(struct rotation *r, int64_t gen, int64_t now_ms, int64_t window_ms,
				      bool same_client)
{
	if (gen > r->cur_gen)
		return ROTATION_AHEAD;
	if (gen == r->cur_gen)
		return on_current(r, now_ms, window_ms);
	if (gen == r->parent_gen)
		return on_parent(r, now_ms, window_ms, same_client);
	if (gen == r->older_gen && now_ms - r->older_ms <= ROTATION_STRAGGLER_MS)
		return ROTATION_STRAGGLER;
	return ROTATION_REUSE;
}

bool rotation_seen(struct rotation *r, int64_t gen)
{
	if (gen != r->cur_gen || r->confirmed)
		return false;
	r->confirmed = true;
	return true;
}
