#include "oauth/directory.h"

#include <pthread.h>
#include <stdlib.h>

#define ENTRY_BYTES ((size_t)16 * 1024)

struct entry {
	str name, issuer;     /* whose; another issuer under the name is another provider */
	struct arena mem;     /* of the texts */
	struct metadata meta;
	int64_t meta_ms;      /* 0: none */
	struct jwks *keys;
	int64_t keys_ms, tried_ms;
};

struct directory {
	pthread_mutex_t lock;
	struct entry entries[OAUTH_PROVIDERS_MAX];
	size_t n;
};

err_t directory_new(struct directory **ret)
{
	struct directory *d = calloc(1, sizeof(*d));

	REQUIRE(d != NULL, ERR_NO_MEMORY);
	(void)pthread_mutex_init(&d->lock, NULL);
	*ret = d;
	return OK;
}

static void entry_clear(struct entry *e)
{
	jwks_release(e->keys);
	arena_clear(&e->mem);
	*e = (struct entry){ .meta_ms = 0 };
}

void directory_free(struct directory *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->n; i++)
		entry_clear(&d->entries[i]);
	(void)pthread_mutex_destroy(&d->lock);
	free(d);
}

/* ---- entries; all with the lock ---- */

/* After reloads with other names the oldest place is used again. */
static struct entry *place_for(struct directory *d, str name)
{
	for (size_t i = 0; i < d->n; i++) {
		if (str_eq(d->entries[i].name, name))
			return &d->entries[i];
	}
	return d->n < OAUTH_PROVIDERS_MAX ? &d->entries[d->n++] : &d->entries[0];
}

static err_t entry_of(struct directory *d, const struct provider *p, struct entry **ret)
{
	struct entry *e = place_for(d, p->name);

	*ret = e;
	if (e->name.p != NULL && str_eq(e->name, p->name) && str_eq(e->issuer, p->issuer))
		return OK;
	entry_clear(e);
	TRY(arena_init(&e->mem, ENTRY_BYTES));
	TRY(arena_copy(&e->mem, p->name, &e->name));
	return arena_copy(&e->mem, p->issuer.n > 0 ? p->issuer : STR(""), &e->issuer);
}

static err_t copy_meta(struct arena *mem, const struct metadata *from, struct metadata *to)
{
	to->says_iss = from->says_iss;
	TRY(arena_copy(mem, from->authorize_url, &to->authorize_url));
	TRY(arena_copy(mem, from->token_url, &to->token_url));
	TRY(arena_copy(mem, from->userinfo_url, &to->userinfo_url));
	TRY(arena_copy(mem, from->jwks_url, &to->jwks_url));
	TRY(arena_copy(mem, from->algs, &to->algs));
	return arena_copy(mem, from->revoke_url, &to->revoke_url);
}

/* ---- asking ---- */

static bool is_json(str type)
{
	return str_eq_nocase(type, STR("application/json")) || str_eq_nocase(type, STR("text/javascript")) ||
	       (type.n > 17 && str_eq_nocase((str){ type.p, 12 }, STR("application/")) &&
		str_eq_nocase(str_skip(type, type.n - 5), STR("+json")));
}

static bool take_type(str content_type, enum answer_type *ret)
{
	str type, parameters;

	(void)str_cut(content_type, ';', &type, &parameters);
	type = str_trim(type);
	if (ret == NULL)
		return is_json(type);
	*ret = str_eq_nocase(type, STR("application/jwt")) ? ANSWER_JWT : ANSWER_JSON;
	return *ret == ANSWER_JWT || is_json(type);
}

err_t ask_json(const struct asking *a, const struct provider *p, struct outside_request *r, enum err_code wrong,
	       str *ret_body, enum answer_type *ret_type)
{
	struct outside_reply reply = { 0 };
	struct finding said = { 0 };

	REQUIRE(a->outside != NULL, ERR_OAUTH_DOWN);
	r->deadline_ms = a->deadline_ms;
	TRY(a->outside->send(a->outside->self, p->name, r, a->mem, &reply));
	finding_answer(&said, a->mem, r->url, &reply);
	if (reply.status == 200 && take_type(reply.content_type, ret_type)) {
		*ret_body = reply.body;
		return OK;
	}
	if (a->why != NULL)
		*a->why = said;
	REQUIRE(reply.status != 0 && reply.status < 500 && !finding_is_down(str_of_cstr(said.error)), ERR_OAUTH_DOWN);
	FAIL(wrong);
}

/* ---- addresses ---- */

static err_t fetch_meta(const struct asking *a, const struct provider *p, struct metadata *ret)
{
	struct outside_request r = { 0 };
	str issuer = p->issuer, body = STR_NONE;
	err_t e;

	if (str_ends(issuer, STR("/")))
		issuer.n--;
	TRY(arena_printf(a->mem, &r.url, "%.*s/.well-known/openid-configuration", STR_ARG(issuer)));
	TRY(ask_json(a, p, &r, ERR_OAUTH_DOWN, &body, NULL));
	e = answer_metadata(a->mem, body, p->issuer, ret);
	REQUIRE(e.code != ERR_INPUT, ERR_OAUTH_DOWN);
	return e;
}

static err_t kept_meta(struct directory *d, const struct asking *a, const struct provider *p, int64_t max_age_ms,
		       struct metadata *ret, bool *ret_found)
{
	struct entry *e = NULL;
	err_t err;

	(void)pthread_mutex_lock(&d->lock);
	err = entry_of(d, p, &e);
	*ret_found = err.code == ERR_OK && e->meta_ms != 0 && a->now_ms - e->meta_ms < max_age_ms;
	if (*ret_found)
		err = copy_meta(a->mem, &e->meta, ret);
	(void)pthread_mutex_unlock(&d->lock);
	return err;
}

static err_t keep_meta(struct directory *d, const struct asking *a, const struct provider *p,
		       const struct metadata *meta)
{
	struct entry *e = NULL;
	struct jwks *keys;
	int64_t keys_ms, tried_ms;
	err_t err;

	(void)pthread_mutex_lock(&d->lock);
	err = entry_of(d, p, &e);
	if (err.code == ERR_OK && e->meta_ms != 0) { /* its arena starts anew; the keys stay */
		keys = e->keys;
		keys_ms = e->keys_ms;
		tried_ms = e->tried_ms;
		e->keys = NULL;
		entry_clear(e);
		err = entry_of(d, p, &e);
		e->keys = keys;
		e->keys_ms = keys_ms;
		e->tried_ms = tried_ms;
	}
	if (err.code == ERR_OK)
		err = copy_meta(&e->mem, meta, &e->meta);
	if (err.code == ERR_OK)
		e->meta_ms = a->now_ms > 0 ? a->now_ms : 1;
	(void)pthread_mutex_unlock(&d->lock);
	return err;
}

static void fill(str *to, str from)
{
	if (to->n == 0)
		*to = from;
}

static err_t find_meta(struct directory *d, const struct asking *a, const struct provider *p, struct metadata *ret)
{
	bool found;
	err_t e;

	TRY(kept_meta(d, a, p, DIRECTORY_FRESH_MS, ret, &found));
	if (found)
		return OK;
	e = fetch_meta(a, p, ret);
	if (e.code == ERR_OK)
		return keep_meta(d, a, p, ret);
	if (e.code != ERR_OAUTH_DOWN)
		return e;
	TRY(kept_meta(d, a, p, DIRECTORY_STALE_MS, ret, &found));
	return found ? OK : e;
}

err_t directory_complete(struct directory *d, const struct asking *a, struct provider *p, bool *ret_says_iss)
{
	struct metadata meta = { 0 };

	*ret_says_iss = false;
	if (!provider_is_discovered(p))
		return OK;
	TRY(find_meta(d, a, p, &meta));
	fill(&p->authorize_url, meta.authorize_url);
	fill(&p->token_url, meta.token_url);
	fill(&p->userinfo_url, meta.userinfo_url);
	fill(&p->jwks_url, meta.jwks_url);
	fill(&p->revoke_url, meta.revoke_url);
	p->id_algs = meta.algs;
	*ret_says_iss = meta.says_iss;
	return OK;
}

/* ---- keys ---- */

static err_t fetch_keys(const struct asking *a, const struct provider *p, struct jwks **ret)
{
	struct outside_request r = { .url = p->jwks_url };
	str body = STR_NONE;
	err_t e;

	TRY(ask_json(a, p, &r, ERR_OAUTH_DOWN, &body, NULL));
	e = jwks_parse(a->mem, body, ret);
	REQUIRE(e.code != ERR_INPUT, ERR_OAUTH_DOWN);
	return e;
}

/* May newer ones be asked for? Then that is noted: whatever comes of it, it was a try. */
static err_t may_retry(struct directory *d, const struct asking *a, const struct provider *p, bool *ret)
{
	struct entry *e = NULL;
	err_t err;

	(void)pthread_mutex_lock(&d->lock);
	err = entry_of(d, p, &e);
	*ret = err.code == ERR_OK && (e->tried_ms == 0 || a->now_ms - e->tried_ms >= DIRECTORY_RETRY_MS);
	if (*ret)
		e->tried_ms = a->now_ms > 0 ? a->now_ms : 1;
	(void)pthread_mutex_unlock(&d->lock);
	return err;
}

/* *ret: NULL when there are none of that age. */
static err_t kept_keys(struct directory *d, const struct asking *a, const struct provider *p, int64_t max_age_ms,
		       struct jwks **ret)
{
	struct entry *e = NULL;
	err_t err;

	*ret = NULL;
	(void)pthread_mutex_lock(&d->lock);
	err = entry_of(d, p, &e);
	if (err.code == ERR_OK && e->keys != NULL && a->now_ms - e->keys_ms < max_age_ms)
		*ret = jwks_hold(e->keys);
	(void)pthread_mutex_unlock(&d->lock);
	return err;
}

static err_t keep_keys(struct directory *d, const struct asking *a, const struct provider *p, struct jwks *keys)
{
	struct entry *e = NULL;
	err_t err;

	(void)pthread_mutex_lock(&d->lock);
	err = entry_of(d, p, &e);
	if (err.code == ERR_OK) {
		jwks_release(e->keys);
		e->keys = jwks_hold(keys);
		e->keys_ms = a->now_ms > 0 ? a->now_ms : 1;
	}
	(void)pthread_mutex_unlock(&d->lock);
	return err;
}

static err_t fresh_keys(struct directory *d, const struct asking *a, const struct provider *p, struct jwks **ret)
{
	err_t e;

	TRY(fetch_keys(a, p, ret));
	e = keep_keys(d, a, p, *ret);
	if (e.code != ERR_OK)
		jwks_release(*ret);
	return e;
}

static err_t newer_keys(struct directory *d, const struct asking *a, const struct provider *p,
			const struct jwks *known, struct jwks **ret)
{
	bool may;

	TRY(kept_keys(d, a, p, DIRECTORY_FRESH_MS, ret));
	if (*ret != NULL && *ret != known) /* somebody else has asked */
		return OK;
	jwks_release(*ret);
	*ret = NULL;
	TRY(may_retry(d, a, p, &may));
	REQUIRE(may, ERR_NOT_FOUND);
	return fresh_keys(d, a, p, ret);
}

err_t directory_keys(struct directory *d, const struct asking *a, const struct provider *p, const struct jwks *known,
		     struct jwks **ret)
{
	err_t e;

	if (known != NULL)
		return newer_keys(d, a, p, known, ret);
	TRY(kept_keys(d, a, p, DIRECTORY_FRESH_MS, ret));
	if (*ret != NULL)
		return OK;
	e = fresh_keys(d, a, p, ret);
	if (e.code != ERR_OAUTH_DOWN)
		return e;
	TRY(kept_keys(d, a, p, DIRECTORY_STALE_MS, ret));
	return *ret != NULL ? OK : e;
}
