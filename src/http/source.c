#include "http/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

static bool is_v4(const uint8_t addr[CLIENT_ADDR_LEN])
{
	static const uint8_t prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	return memcmp(addr, prefix, sizeof(prefix)) == 0;
}

static void key_of(const uint8_t addr[CLIENT_ADDR_LEN], uint8_t key[CLIENT_ADDR_LEN])
{
	memcpy(key, addr, CLIENT_ADDR_LEN);
	if (!is_v4(addr))
		memset(key + 8, 0, 8);
}

static uint64_t stir(uint64_t x)
{
	x = (x ^ x >> 32) * 0xd6e8feb86659fd93U;
	x = (x ^ x >> 32) * 0xd6e8feb86659fd93U;
	return x ^ x >> 32;
}

static size_t home_of(const struct source_table *t, const uint8_t key[CLIENT_ADDR_LEN])
{
	uint64_t half[2];

	memcpy(half, key, sizeof(half));
	return (size_t)stir(stir(half[0] ^ t->seed) + half[1]) & t->mask;
}

err_t source_init(struct source_table *t, size_t max)
{
	size_t slots = 16;

	*t = (struct source_table){ 0 };
	while (slots < max * 2)
		slots *= 2;
	TRY(rng_fill(rng_system, &t->seed, sizeof(t->seed)));
	t->slots = calloc(slots, sizeof(*t->slots));
	REQUIRE(t->slots != NULL, ERR_NO_MEMORY);
	t->mask = slots - 1;
	(void)pthread_mutex_init(&t->lock, NULL);
	return OK;
}

void source_clear(struct source_table *t)
{
	if (t->slots == NULL)
		return;
	free(t->slots);
	(void)pthread_mutex_destroy(&t->lock);
	t->slots = NULL;
}

/* The slot of the key, or the free one where it belongs. */
static size_t find(const struct source_table *t, const uint8_t key[CLIENT_ADDR_LEN])
{
	size_t at = home_of(t, key);

	while (t->slots[at].count > 0 && memcmp(t->slots[at].key, key, CLIENT_ADDR_LEN) != 0)
		at = (at + 1) & t->mask;
	return at;
}

/* Linear probing without tombstones: what would no longer be found moves into the gap. */
static void close_gap(struct source_table *t, size_t gap)
{
	for (size_t at = (gap + 1) & t->mask; t->slots[at].count > 0; at = (at + 1) & t->mask) {
		size_t home = home_of(t, t->slots[at].key);

		if (((at - home) & t->mask) >= ((at - gap) & t->mask)) {
			t->slots[gap] = t->slots[at];
			t->slots[at].count = 0;
			gap = at;
		}
	}
}

bool source_take(struct source_table *t, const uint8_t addr[CLIENT_ADDR_LEN], int64_t limit)
{
	uint8_t key[CLIENT_ADDR_LEN];
	struct source_slot *slot;
	bool room;

	key_of(addr, key);
	(void)pthread_mutex_lock(&t->lock);
	slot = &t->slots[find(t, key)];
	room = slot->count < limit;
	if (room) {
		memcpy(slot->key, key, CLIENT_ADDR_LEN);
		slot->count++;
	}
	(void)pthread_mutex_unlock(&t->lock);
	return room;
}

void source_give_back(struct source_table *t, const uint8_t addr[CLIENT_ADDR_LEN])
{
	uint8_t key[CLIENT_ADDR_LEN];
	size_t at;

	key_of(addr, key);
	(void)pthread_mutex_lock(&t->lock);
	at = find(t, key);
	if (t->slots[at].count > 0 && --t->slots[at].count == 0)
		close_gap(t, at);
	(void)pthread_mutex_unlock(&t->lock);
}
