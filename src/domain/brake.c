#include "domain/brake.h"

#include <string.h>

#include "base/base64url.h"
#include "base/log.h"

/* made_ms(8) random(16) tag(32); the account is in the tag, not in the text. */
#define RANDOM_BYTES    16
#define BODY_BYTES      (8 + RANDOM_BYTES)
#define CHALLENGE_BYTES (BODY_BYTES + MAC_BYTES)
#define CHALLENGE_TEXT  BASE64URL_LEN(CHALLENGE_BYTES)
#define CHALLENGE_MS    (2 * MS_PER_MIN)

void brake_init(struct brake *b)
{
	*b = (struct brake){ 0 };
	pthread_mutex_init(&b->lock, NULL);
}

void brake_free(struct brake *b)
{
	pthread_mutex_destroy(&b->lock);
}

/* ---- the window ---- */

static void add(struct brake *b, int64_t second, bool failed)
{
	size_t i = (size_t)(second % BRAKE_WINDOW_S);

	if (b->slot[i].second != second) {
		b->slot[i].second = second;
		b->slot[i].failed = b->slot[i].total = 0;
	}
	b->slot[i].total++;
	b->slot[i].failed += failed;
}

/* A slot that a clock set back left in the future counts again when its time comes. */
static bool is_storm(const struct brake *b, const struct config *cfg, int64_t second)
{
	int64_t failed = 0, total = 0;

	for (size_t i = 0; i < BRAKE_WINDOW_S; i++) {
		if (b->slot[i].second > second - BRAKE_WINDOW_S && b->slot[i].second <= second) {
			failed += b->slot[i].failed;
			total += b->slot[i].total;
		}
	}
	return failed * 2 > total && failed > cfg->limits.brake_failures_per_s * BRAKE_WINDOW_S;
}

void brake_note(struct ctx *c, bool failed)
{
	if (c->brake == NULL)
		return;
	pthread_mutex_lock(&c->brake->lock);
	add(c->brake, c->now_ms / MS_PER_S, failed);
	pthread_mutex_unlock(&c->brake->lock);
	(void)brake_is_on(c); /* told when it happens, not when somebody asks */
}

bool brake_is_on(struct ctx *c)
{
	struct brake *b = c->brake;
	bool on, was;

	if (b == NULL)
		return false;
	pthread_mutex_lock(&b->lock);
	was = b->on;
	on = c->cfg->limits.brake != BRAKE_OFF && is_storm(b, c->cfg, c->now_ms / MS_PER_S);
	b->on = on;
	pthread_mutex_unlock(&b->lock);
	if (on != was)
		log_event(LOG_WARN, "login_brake", LOG_CSTR("state", on ? "on" : "off"),
			  LOG_STR("request_id", c->request_id));
	return on;
}

/* ---- the challenge ---- */

static void tag_of(struct ctx *c, const uint8_t body[BODY_BYTES], str account, uint8_t ret[MAC_BYTES])
{
	const str parts[] = { STR("challenge"), str_of_bytes(body, BODY_BYTES), account };

	mac_tag_parts(&c->keys->attempt, parts, 3, ret);
}

static err_t challenge_make(struct ctx *c, str account, str *ret)
{
	struct buf b = { .cap = CHALLENGE_TEXT };
	uint8_t raw[CHALLENGE_BYTES]; /* public: everybody is shown it */

	memcpy(raw, &c->now_ms, 8); /* read by this server only: byte order does not matter */
	TRY(rng_fill(c->rng, raw + 8, RANDOM_BYTES));
	tag_of(c, raw, account, raw + BODY_BYTES);
	NEW(b.p, c->mem, char, b.cap);
	base64url_encode(&b, str_of_bytes(raw, sizeof(raw)));
	REQUIRE(!b.overflow, ERR_BUG);
	*ret = buf_view(&b);
	return OK;
}

static bool challenge_is_ours(struct ctx *c, str account, str text)
{
	uint8_t raw[CHALLENGE_BYTES]; /* public: everybody is shown it */
	WIPED_ARRAY(uint8_t, tag, MAC_BYTES);
	int64_t made_ms;
	size_t n = 0;

	if (text.n != CHALLENGE_TEXT || !base64url_decode(text, raw, sizeof(raw), &n) || n != sizeof(raw))
		return false;
	tag_of(c, raw, account, tag);
	if (!secret_equal_bytes(tag, raw + BODY_BYTES, MAC_BYTES))
		return false;
	memcpy(&made_ms, raw, 8);
	return made_ms <= c->now_ms && c->now_ms - made_ms <= CHALLENGE_MS;
}

static bool is_solved(str answer)
{
	uint8_t hash[SHA256_BYTES];
	uint32_t head;

	sha256(answer, hash);
	head = (uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 | (uint32_t)hash[2] << 8 | hash[3];
	return head >> (32 - BRAKE_BITS) == 0;
}

err_t brake_check(struct ctx *c, str account, str answer)
{
	str challenge, nonce;

	if (c->cfg->limits.brake != BRAKE_CHALLENGE || !brake_is_on(c))
		return OK;
	if (str_cut(answer, '.', &challenge, &nonce) && nonce.n > 0 &&
	    challenge_is_ours(c, account, challenge) && is_solved(answer))
		return OK;
	TRY(challenge_make(c, account, &c->challenge));
	c->retry_after_s = 1;
	FAIL(ERR_CHALLENGE);
}
