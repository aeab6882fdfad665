/* gen.c — fills a data directory with accounts and sessions, straight through the query layer, and writes
 * what the load generator needs: access tokens, refresh tokens and addresses, one a line.
 *
 *   gen DATA_DIR USERS SESSIONS_PER_USER PICK PUBLIC_URL [factors]
 *     → DATA_DIR/access.txt, refresh.txt, emails.txt with PICK lines spread over all accounts
 *     factors: those accounts have an authenticator app, and DATA_DIR/factors.txt a live handle between the two
 *     factors and the app's seed in hexadecimal for each
 *
 * Every account has the password "correct horse battery". */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base64url.h"
#include "base/log.h"
#include "crypto/aead.h"
#include "crypto/password.h"
#include "crypto/totp.h"
#include "domain/onetime.h"
#include "domain/place.h"
#include "domain/token.h"
#include "store/query.h"

#define BATCH 2000

struct gen {
	struct ctx c;
	struct arena mem;
	int64_t users, per_user, pick;
	uint64_t next_id, id_step;
	str hash;
	FILE *access, *refresh, *emails, *factors;
};

static err_t write_tokens(struct gen *g, const struct user_row *user, const struct refresh_token *t)
{
	const struct access_mint m = {
		.user = user, .sid = t->sid, .gen = t->gen, .auth_ms = g->c.now_ms, .amr = STR("pwd")
	};
	str access, refresh;

	TRY(token_mint_access(&g->c, &m, &access));
	TRY(token_mint_refresh(&g->c, t, &refresh));
	(void)fprintf(g->access, "%.*s\n", STR_ARG(access));
	(void)fprintf(g->refresh, "%.*s\n", STR_ARG(refresh));
	return OK;
}

/* Random identifiers in ascending order: the same store as random ones give, but written front to back
 * instead of a page per row. Except where sign-ins will add rows: every page written so is full, and would have to
 * be split by the first of them. */
static err_t ascending_uid(struct gen *g, uint8_t ret[UID_BYTES])
{
	uint64_t id = g->next_id;

	TRY(uid_make(g->c.rng, ret));
	if (g->factors != NULL)
		return OK;
	for (size_t i = 0; i < 6; i++)
		ret[i] = (uint8_t)(id >> (56 - 8 * i));
	g->next_id += g->id_step;
	return OK;
}

static err_t add_session(struct gen *g, const struct user_row *user, bool picked)
{
	struct refresh_token t = { .gen = 1 };
	int64_t idle_ms = g->c.now_ms + 30 * MS_PER_DAY, abs_ms = g->c.now_ms + 90 * MS_PER_DAY;

	TRY(ascending_uid(g, t.sid));
	TRY(rng_fill(g->c.rng, t.nonce, NONCE_BYTES));
	TRY(q_session_insert(g->c.db, session_id_of(t.sid), str_of_bytes(t.sid, UID_BYTES), user->id,
			     str_of_bytes(t.nonce, NONCE_BYTES), STR(""), g->c.now_ms, STR("pwd"),
			     g->c.now_ms, idle_ms, abs_ms, idle_ms / MS_PER_DAY,
			     STR("Dart/3.5 (dart:io)"), STR("203.0.113.0"), false));
	return picked ? write_tokens(g, user, &t) : OK;
}

/* As domain/factor.c seals it: whoever changes that sees no sign-in succeed here. */
static err_t seal_seed(struct gen *g, const struct user_row *user, str seed, str *ret)
{
	char context[4 + UID_BYTES] = "totp";

	memcpy(context + 4, user->uid.p, UID_BYTES);
	return aead_seal(&g->mem, g->c.rng, &g->c.keys->storage, str_of_bytes(context, sizeof(context)), seed, ret);
}

/* Where the load comes from: most sign-ins are from a place that is known. */
static err_t know_place(struct gen *g, int64_t user_id)
{
	static const uint8_t loopback[16] = { [10] = 0xff, 0xff, 127, 0, 0, 1 };
	struct ctx c = g->c;
	bool is_new;

	c.client_addr = loopback;
	c.client_ip = STR("127.0.0.1");
	return place_note(&c, user_id, &is_new);
}

static err_t add_factor(struct gen *g, const struct user_row *user)
{
	const struct onetime_new n = { .purpose = ONETIME_HANDLE, .user_id = user->id, .address = STR("pwd") };
	uint8_t raw[TOTP_SEED_BYTES];
	char hex[2 * TOTP_SEED_BYTES];
	struct buf text = BUF_OF(hex);
	str seed = str_of_bytes(raw, sizeof(raw)), sealed, handle;
	int64_t changed;

	TRY(rng_fill(g->c.rng, raw, sizeof(raw)));
	TRY(seal_seed(g, user, seed, &sealed));
	TRY(q_factor_pend(g->c.db, user->id, sealed, g->c.now_ms, &changed));
	TRY(q_factor_prove(g->c.db, user->id, sealed, 0, g->c.now_ms, true, &changed));
	TRY(onetime_make(&g->c, &n, &handle));
	TRY(know_place(g, user->id));
	hex_encode(&text, seed);
	(void)fprintf(g->factors, "%.*s %.*s\n", STR_ARG(handle), STR_ARG(buf_view(&text)));
	return OK;
}

static err_t add_user(struct gen *g, int64_t i)
{
	bool picked = i % (g->users / g->pick > 0 ? g->users / g->pick : 1) == 0, found;
	struct user_row user = { .login_provider = STR("local"), .has_password = true };
	uint8_t uid[UID_BYTES];

	TRY(ascending_uid(g, uid));
	user.uid = str_of_bytes(uid, UID_BYTES);
	TRY(arena_printf(&g->mem, &user.email, "user%" PRId64 "@example.test", i));
	TRY(q_user_insert(g->c.db, &g->mem, user.uid, user.email, user.email, g->hash, STR("Ada"),
			  STR("Example"), false, true, g->c.now_ms, STR_NONE, 0, &user.id, &found));
	for (int64_t s = 0; s < g->per_user; s++)
		TRY(add_session(g, &user, picked && s == 0));
	if (picked && g->factors != NULL)
		TRY(add_factor(g, &user));
	if (picked)
		(void)fprintf(g->emails, "%.*s\n", STR_ARG(user.email));
	return OK;
}

static err_t add_batch(struct gen *g, int64_t from, int64_t to)
{
	TX tx = { 0 };

	TRY(tx_begin(&tx, g->c.db));
	for (int64_t i = from; i < to; i++) {
		TRY(add_user(g, i));
		g->mem.used = 0; /* without the wiping of arena_reset: none of this is secret */
	}
	return tx_commit(&tx);
}

static err_t make_hash(struct gen *g, str *ret)
{
	static uint8_t password[] = "correct horse battery";
	const struct password_params p = { .memory = ARGON2_MEMORY_FLOOR,
					   .iterations = ARGON2_ITER_FLOOR };
	struct password_gate *gate;
	static char kept[PASSWORD_HASH_MAX];
	str hash;

	TRY(password_gate_new(1, &gate));
	TRY(password_hash(gate, &p, g->c.rng, &g->mem, (struct secret){ password, sizeof(password) - 1 },
			  INT64_MAX, &hash));
	password_gate_free(gate);
	(void)snprintf(kept, sizeof(kept), "%.*s", STR_ARG(hash));
	*ret = str_of_cstr(kept);
	return OK;
}

static FILE *open_list(const char *dir, const char *name)
{
	char path[4096];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (f == NULL) {
		perror(path);
		exit(1);
	}
	return f;
}

static err_t fill(struct gen *g, const char *dir, str url)
{
	struct config cfg = { .server = { .public_url = url },
			      .token = { .access_ttl_ms = MS_PER_HOUR, .algorithm = ALG_ES256 } };
	struct counters count = { 0 };
	struct store *store;
	struct keyring *keys;
	char why[256] = "", path[4096];

	(void)snprintf(path, sizeof(path), "sqlite:%s/sallyport.db", dir);
	g->c = (struct ctx){ .mem = &g->mem, .cfg = &cfg, .count = &count, .rng = rng_system,
			     .now_ms = clock_now_ms(clock_system), .client_ip = STR("cli") };
	TRY(crypto_init());
	TRY(arena_init(&g->mem, 4 * ARENA_DEFAULT_BYTES));
	TRY(store_open(&(struct store_options){ .url = str_of_cstr(path), .cache = 256 * 1024 * 1024,
						.busy_timeout_ms = 2000, .create = true },
		       &store, why, sizeof(why)));
	TRY(store_handle_own(store, &g->c.db));
	TRY(keyring_load(str_of_cstr(dir), ALG_ES256, g->c.now_ms, true, rng_system, &keys, why,
			 sizeof(why)));
	g->c.keys = keys;
	g->id_step = UINT64_MAX / (uint64_t)(g->users * (g->per_user + 1) + 1);
	TRY(make_hash(g, &g->hash));
	for (int64_t i = 0; i < g->users; i += BATCH)
		TRY(add_batch(g, i, i + BATCH < g->users ? i + BATCH : g->users));
	db_close(g->c.db);
	store_close(store);
	keyring_free(keys);
	arena_clear(&g->mem);
	return OK;
}

int main(int argc, char **argv)
{
	struct gen g = { 0 };
	err_t e;

	if (argc != 6 && (argc != 7 || strcmp(argv[6], "factors") != 0)) {
		(void)fprintf(stderr, "usage: gen DATA_DIR USERS SESSIONS_PER_USER PICK PUBLIC_URL [factors]\n");
		return 2;
	}
	g.users = strtoll(argv[2], NULL, 10);
	g.per_user = strtoll(argv[3], NULL, 10);
	g.pick = strtoll(argv[4], NULL, 10);
	(void)umask(077);
	(void)mkdir(argv[1], 0700);
	g.access = open_list(argv[1], "access.txt");
	g.refresh = open_list(argv[1], "refresh.txt");
	g.emails = open_list(argv[1], "emails.txt");
	g.factors = argc == 7 ? open_list(argv[1], "factors.txt") : NULL;
	e = fill(&g, argv[1], str_of_cstr(argv[5]));
	if (e.code != ERR_OK)
		(void)fprintf(stderr, "gen: %s %s\n", err_name(e.code), err_origin());
	return e.code == ERR_OK && fclose(g.access) == 0 && fclose(g.refresh) == 0 &&
			       fclose(g.emails) == 0 && (g.factors == NULL || fclose(g.factors) == 0) ?
		       0 :
		       1;
}
