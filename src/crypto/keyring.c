#include "crypto/keyring.h"

#include <sodium.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/base64url.h"
#include "crypto/jws_key.h"
#include "crypto/keyring_dir.h"

#define KEYRING_ARENA_BYTES ((size_t)KEYRING_MAX * KEY_NAME_MAX)
#define SCRATCH_BYTES	    ((size_t)64 * 1024)

static _Atomic uint64_t loads;

static void key_free(struct jws_key **p)
{
	jws_key_free(*p);
}

static void ring_free(struct keyring **p)
{
	keyring_free(*p);
}

#define CLEANUP(f) __attribute__((cleanup(f)))

/* --- the master key --------------------------------------------------------------------------- */

/* Text that somebody typed or copied from a page, rather than 32 bytes of a random generator. */
static bool is_printable(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] < 0x20 || p[i] > 0x7E)
			return false;
	}
	return true;
}

static err_t parse_master(const struct key_dir *d, str text, uint8_t ret[KEY_BYTES])
{
	WIPED_ARRAY(uint8_t, key, KEY_BYTES + 16);
	bool weak;
	size_t n = 0;

	if (str_ends(text, STR("\n")))
		text.n--;
	if (!base64url_decode(text, key, sizeof(key), &n) || n != KEY_BYTES)
		return key_dir_complain(d, "keys/" MASTER_FILE ": not 32 bytes in base64url");
	weak = mac_key_is_guessable(key, n) || is_printable(key, n);
	if (!weak)
		memcpy(ret, key, KEY_BYTES);
	if (weak)
		return key_dir_complain(d, "keys/" MASTER_FILE ": not a random key");
	return OK;
}

static err_t create_master(const struct key_dir *d, struct rng rng)
{
	WIPED_ARRAY(char, room, BASE64URL_LEN(KEY_BYTES) + 1);
	struct buf out = BUF_OF(room);
	WIPED_ARRAY(uint8_t, key, KEY_BYTES);
	err_t e;

	TRY(rng_fill(rng, key, sizeof(key)));
	base64url_encode(&out, str_of_bytes(key, sizeof(key)));
	buf_byte(&out, '\n');
	e = key_dir_write(d, MASTER_FILE, (struct secret){ (uint8_t *)room, out.n }, rng);
	return e;
}

static void derive_all(struct keyring *k, const uint8_t master[KEY_BYTES])
{
	mac_derive(master, STR("sallyport/v1/refresh"), &k->refresh);
	mac_derive(master, STR("sallyport/v1/device"), &k->device);
	mac_derive(master, STR("sallyport/v1/attempt"), &k->attempt);
	mac_derive(master, STR("sallyport/v1/csrf"), &k->csrf);
	mac_derive(master, STR("sallyport/v1/cursor"), &k->cursor);
	mac_derive(master, STR("sallyport/v1/storage"), &k->storage);
	mac_derive(master, STR("sallyport/v1/onetime"), &k->onetime);
	mac_derive(master, STR("sallyport/v1/forward"), &k->forward);
	mac_derive(master, STR("sallyport/v1/doctor"), &k->doctor);
}

static err_t load_master(const struct key_dir *d, bool create, struct rng rng,
			 struct arena *scratch, struct keyring *k)
{
	WIPED_ARRAY(uint8_t, master, KEY_BYTES);
	struct secret text;

	if (create && !key_dir_has(d, MASTER_FILE))
		TRY(create_master(d, rng));
	TRY(key_dir_read(d, MASTER_FILE, scratch, &text));
	TRY(parse_master(d, secret_str(text), master));
	derive_all(k, master);
	return OK;
}

/* --- signing keys ----------------------------------------------------------------------------- */

static err_t create_signing_key(const struct key_dir *d, enum token_algorithm alg,
				int64_t active_from_ms, struct rng rng, struct arena *scratch)
{
	CLEANUP(key_free) struct jws_key *key = NULL;
	struct key_name name;
	struct secret text;

	TRY(jws_key_generate(alg, rng, &key));
	TRY(jws_key_format(key, scratch, &text));
	key_name_make(active_from_ms, alg, &name);
	return key_dir_write(d, name.file, text, rng);
}

static err_t load_signing_key(const struct key_dir *d, const struct key_name *name,
			      struct keyring *k)
{
	struct keyring_entry *e = &k->entry[k->n];
	CLEANUP(arena_clear) struct arena scratch = { 0 };
	struct secret text;

	TRY(arena_init(&scratch, SCRATCH_BYTES));
	TRY(key_dir_read(d, name->file, &scratch, &text));
	TRY(arena_copy(&k->mem, str_of_cstr(name->file), &e->file));
	if (jws_key_parse(name->alg, secret_str(text), &e->key).code != ERR_OK)
		return key_dir_complain(d, "keys/%s: not a usable %.*s key", name->file,
					STR_ARG(jws_alg_name(name->alg)));
	e->active_from_ms = name->active_from_ms;
	k->n++;
	return OK;
}

/* A key lives on after its successor signs for as long as the last token it signed. */
static int64_t retire_ms(const struct key_name *names, size_t n, size_t i)
{
	return i + 1 == n ? INT64_MAX : names[i + 1].active_from_ms + KEY_TOKEN_LIFE_MS;
}

static err_t load_signing_keys(const struct key_dir *d, struct keyring *k)
{
	struct key_name names[KEYRING_MAX];
	size_t n;

	TRY(key_dir_list(d, names, &n));
	if (n == 0)
		return key_dir_complain(d, "keys: no signing key");
	for (size_t i = 0; i < n; i++) {
		TRY(load_signing_key(d, &names[i], k));
		k->entry[i].retire_ms = retire_ms(names, n, i);
	}
	return OK;
}

static err_t has_signing_key(const struct key_dir *d, bool *ret)
{
	struct key_name names[KEYRING_MAX];
	size_t n;

	TRY(key_dir_list(d, names, &n));
	*ret = n > 0;
	return OK;
}

/* --- the ring --------------------------------------------------------------------------------- */

static size_t ring_bytes(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (sizeof(struct keyring) + page - 1) / page * page;
}

/* On pages of its own, kept out of swap and core dumps as far as the limits allow. */
static struct keyring *ring_new(void)
{
	struct keyring *k = aligned_alloc((size_t)sysconf(_SC_PAGESIZE), ring_bytes());

	if (k == NULL)
		return NULL;
	memset(k, 0, ring_bytes());
	(void)sodium_mlock(k, ring_bytes());
	return k;
}

void keyring_free(struct keyring *k)
{
	if (k == NULL)
		return;
	for (size_t i = 0; i < KEYRING_MAX; i++)
		jws_key_free(k->entry[i].key);
	arena_clear(&k->mem);
	explicit_bzero(k, ring_bytes());
	(void)sodium_munlock(k, ring_bytes());
	free(k);
}

static err_t load(struct key_dir *d, enum token_algorithm alg, int64_t now_ms, bool create,
		  struct rng rng, struct keyring *k)
{
	CLEANUP(arena_clear) struct arena scratch = { 0 };
	bool has = true;

	TRY(arena_init(&scratch, SCRATCH_BYTES));
	TRY(load_master(d, create, rng, &scratch, k));
	if (create)
		TRY(has_signing_key(d, &has));
	if (!has)
		TRY(create_signing_key(d, alg, now_ms, rng, &scratch));
	TRY(load_signing_keys(d, k));
	k->serial = ++loads;
	return OK;
}

err_t keyring_load(str data_dir, enum token_algorithm alg, int64_t now_ms, bool create,
		   struct rng rng, struct keyring **ret, char *why, size_t why_max)
{
	CLEANUP(ring_free) struct keyring *k = ring_new();
	CLEANUP(key_dir_close) struct key_dir d = { -1, why, why_max };

	if (why_max > 0)
		why[0] = '\0';
	REQUIRE(k != NULL, ERR_NO_MEMORY);
	TRY(arena_init(&k->mem, KEYRING_ARENA_BYTES));
	TRY(key_dir_open(data_dir, create ? KEY_DIR_CREATE : KEY_DIR_READ, &d));
	TRY(load(&d, alg, now_ms, create, rng, k));
	*ret = k;
	k = NULL;
	return OK;
}

static err_t remove_retired(const struct key_dir *d, const struct key_name *names, size_t n,
			    int64_t now_ms)
{
	for (size_t i = 0; i + 1 < n; i++) {
		if (retire_ms(names, n, i) < now_ms - MS_PER_DAY)
			TRY(key_dir_remove(d, names[i].file));
	}
	return OK;
}

/* Who rotates at once has a reason not to trust what is there: no key that was published before may take over from the new
 * one in an hour. None of them has signed anything, but for the oldest where the clock is behind all keys. */
static err_t remove_pending(const struct key_dir *d, const struct key_name *names, size_t n, int64_t now_ms)
{
	for (size_t i = 1; i < n; i++) {
		if (names[i].active_from_ms > now_ms)
			TRY(key_dir_remove(d, names[i].file));
	}
	return OK;
}

err_t keyring_rotate(str data_dir, enum token_algorithm alg, int64_t now_ms, bool now_active,
		     struct rng rng, char *why, size_t why_max)
{
	CLEANUP(key_dir_close) struct key_dir d = { -1, why, why_max };
	CLEANUP(arena_clear) struct arena scratch = { 0 };
	struct key_name names[KEYRING_MAX];
	int64_t from = now_active ? now_ms : now_ms + KEY_PUBLISH_MS;
	size_t n;

	if (why_max > 0)
		why[0] = '\0';
	TRY(arena_init(&scratch, SCRATCH_BYTES));
	TRY(key_dir_open(data_dir, KEY_DIR_WRITE, &d));
	TRY(key_dir_list(&d, names, &n));
	TRY(remove_retired(&d, names, n, now_ms));
	if (now_active)
		TRY(remove_pending(&d, names, n, now_ms));
	TRY(key_dir_list(&d, names, &n));
	if (n == KEYRING_MAX)
		return key_dir_complain(&d, "keys: %d signing keys are live already", KEYRING_MAX);
	return create_signing_key(&d, alg, from, rng, &scratch);
}

const struct jws_key *keyring_signer(const struct keyring *k, int64_t now_ms)
{
	size_t i = k->n;

	/* When the clock is behind even the first key, that one: signing goes on. */
	while (i > 1 && k->entry[i - 1].active_from_ms > now_ms)
		i--;
	return i == 0 ? NULL : k->entry[i - 1].key;
}

const struct jws_key *keyring_find(const void *at, str kid)
{
	const struct keyring_at *a = at;

	for (size_t i = 0; i < a->k->n; i++) {
		const struct keyring_entry *e = &a->k->entry[i];

		if (a->now_ms < e->retire_ms && str_eq(jws_key_kid(e->key), kid))
			return e->key;
	}
	return NULL;
}

void keyring_jwks(const struct keyring *k, int64_t now_ms, struct buf *out)
{
	bool first = true;

	buf_lit(out, "{\"keys\":[");
	for (size_t i = 0; i < k->n; i++) {
		str jwk = jws_key_jwk(k->entry[i].key);

		if (now_ms >= k->entry[i].retire_ms || jwk.p == NULL)
			continue;
		if (!first)
			buf_byte(out, ',');
		buf_str(out, jwk);
		first = false;
	}
	buf_lit(out, "]}");
}
