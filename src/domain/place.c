#include "domain/place.h"

#include <string.h>

#include "base/utf8.h"
#include "domain/audit.h"
#include "store/query.h"

#define PLACES_MAX     20
#define PLACE_KEPT_MS  (180 * MS_PER_DAY)
#define PLACE_TOUCH_MS MS_PER_DAY /* a place in daily use is written once a day */
#define PLACE_BYTES    16
#define NAME_BYTES     32

/* Cut between two characters: mails and rows hold whole ones. */
static str cut_name(str name)
{
	size_t n = name.n < NAME_BYTES ? name.n : NAME_BYTES;

	while (n > 0 && !utf8_is_valid((str){ name.p, n }))
		n--;
	return (str){ name.p, n };
}

str agent_family(str agent)
{
	/* In this order: the later ones also stand in what the earlier ones send. */
	static const struct {
		const char *mark, *name;
	} browsers[] = { { "Firefox/", "Firefox" }, { "Edg/", "Edge" }, { "OPR/", "Opera" },
			 { "Chrome/", "Chrome" }, { "Safari/", "Safari" } };
	str head, tail;

	if (!str_starts(agent, STR("Mozilla/"))) {
		(void)str_cut(agent, '/', &head, &tail);
		return head.p == NULL ? STR("") : cut_name(head);
	}
	for (size_t i = 0; i < sizeof(browsers) / sizeof(browsers[0]); i++) {
		str mark = str_of_cstr(browsers[i].mark);

		if (str_has(agent, mark))
			return str_of_cstr(browsers[i].name);
	}
	return STR("Mozilla");
}

static err_t place_of(struct ctx *c, uint8_t ret[PLACE_BYTES])
{
	uint8_t mac[MAC_BYTES];
	str ip, text;

	TRY(addr_coarse(c, &ip));
	TRY(arena_printf(c->mem, &text, "place %.*s %.*s", STR_ARG(agent_family(c->user_agent)), STR_ARG(ip)));
	mac_tag(&c->keys->device, text, mac);
	memcpy(ret, mac, PLACE_BYTES);
	return OK;
}

err_t place_note(struct ctx *c, int64_t user_id, bool *ret_new)
{
	uint8_t raw[PLACE_BYTES]; /* public: the store has it */
	str place = str_of_bytes(raw, PLACE_BYTES);
	int64_t seen_ms;
	bool found;

	TRY(place_of(c, raw));
	TRY(q_place_seen(c->db, c->mem, user_id, place, &seen_ms, &found));
	*ret_new = !found;
	if (found && c->now_ms - seen_ms < PLACE_TOUCH_MS)
		return OK;
	TRY(q_place_put(c->db, user_id, place, c->now_ms));
	return found ? OK : q_place_trim(c->db, user_id, PLACES_MAX);
}

err_t place_forget_all(struct ctx *c, int64_t user_id)
{
	return q_place_forget(c->db, user_id);
}

err_t place_sweep(struct ctx *c, int64_t limit_n, int64_t *ret_n)
{
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(q_place_sweep(c->db, c->now_ms - PLACE_KEPT_MS, limit_n, ret_n));
	return tx_commit(&tx);
}
