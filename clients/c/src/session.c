/* session.c — the stored tokens. The record is read at the moment it is used and written before what is in it is used;
 * whoever changes it holds the session's mutex and the store's lock, so of all threads and processes one refreshes. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOCK_EXTRA_MS 5000 /* beyond one request of whoever has the lock */
#define LOCK_TURN_MS 250
#define MARGIN_MAX 10 /* s before the end of a token at which it counts as over */
#define REFRESH_TRIES 3

/* ---- the store ---- */

sp_error store_load(sp_client *c, const char *key, struct text *value)
{
	size_t n = 0;
	sp_error e;

	(void)pthread_mutex_lock(&c->store_mutex);
	e = c->store.load(c->store.context, key, c->room, sizeof c->room, &n);
	if (e == SP_OK && n > sizeof c->room)
		e = SP_STORE;
	if (e == SP_OK)
		text_add_n(value, c->room, n);
	wipe(c->room, e == SP_OK ? n : sizeof c->room); /* with an error, whatever is there by now */
	(void)pthread_mutex_unlock(&c->store_mutex);
	return e == SP_OK && value->failed ? SP_MEMORY : e;
}

sp_error store_save(sp_client *c, const char *key, const char *value)
{
	sp_error e;

	if (strlen(value) > SP_RECORD_MAX)
		return SP_STORE;
	(void)pthread_mutex_lock(&c->store_mutex);
	e = c->store.save(c->store.context, key, value);
	(void)pthread_mutex_unlock(&c->store_mutex);
	return e;
}

sp_error store_erase(sp_client *c, const char *key)
{
	sp_error e;

	(void)pthread_mutex_lock(&c->store_mutex);
	e = c->store.erase(c->store.context, key);
	(void)pthread_mutex_unlock(&c->store_mutex);
	return e;
}

/* In short turns, to see a cancellation. */
static sp_error store_lock(sp_client *c)
{
	long left = c->timeout_ms + LOCK_EXTRA_MS;
	sp_error e;

	do {
		int turn = left < LOCK_TURN_MS ? (int)left : LOCK_TURN_MS;

		e = c->store.lock(c->store.context, c->key, turn);
		left -= turn;
		if (e == SP_TIMEOUT && atomic_load(&c->cancelled))
			e = SP_CANCELLED;
	} while (e == SP_TIMEOUT && left > 0);
	return e;
}

sp_error session_lock(sp_client *c)
{
	sp_error e = SP_OK;

	(void)pthread_mutex_lock(&c->session_mutex);
	if (c->store.lock != NULL)
		e = store_lock(c);
	if (e != SP_OK)
		(void)pthread_mutex_unlock(&c->session_mutex);
	return e;
}

void session_unlock(sp_client *c)
{
	if (c->store.unlock != NULL)
		c->store.unlock(c->store.context, c->key);
	(void)pthread_mutex_unlock(&c->session_mutex);
}

static void tell_state(sp_client *c, sp_state state, const char *reason)
{
	if (c->on_state != NULL)
		c->on_state(c->context, state, reason);
}

/* ---- the record ---- */

void record_free(struct record *r)
{
	wipe_free(r->access);
	wipe_free(r->refresh);
	*r = (struct record){ 0 };
}

/* A stored JSON object, taken apart; free both. SP_OK and NULL: there is none, or one that nobody can read. */
static sp_error load_json(sp_client *c, const char *key, struct text *value, struct json **json)
{
	sp_error e = store_load(c, key, value);

	*json = NULL;
	if (e == SP_OK && value->n > 0 && !json_read(value->p, value->n, json)) {
		free(*json);
		*json = NULL;
	}
	return e;
}

sp_error record_load(sp_client *c, struct record *r)
{
	struct text value = { 0 };
	struct json *json;
	sp_error e = load_json(c, c->key, &value, &json);
	const char *access = json_string(json, "accessToken"), *refresh = json_string(json, "refreshToken");

	*r = (struct record){ 0 };
	if (e == SP_OK && access != NULL && refresh != NULL) {
		if (!copy_text(access, &r->access) || !copy_text(refresh, &r->refresh)) {
			record_free(r);
			e = SP_MEMORY;
		}
		(void)json_integer(json, "received", &r->received);
		(void)json_integer(json, "lifetime", &r->lifetime);
		if (r->received < 0 || r->lifetime < 0 || r->lifetime > INT32_MAX) /* not of this library */
			r->lifetime = 0;
	}
	free(json);
	text_free(&value);
	return e;
}

static unsigned letter_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a') + 26;
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0') + 52;
	return c == '-' ? 62 : c == '_' ? 63 : 64;
}

/* How long an access token lives, as it says itself (RFC 7519 §4.1.4, §4.1.6): from one to the other, so that no clock
 * here has to agree with the server's. 0: it does not say. The token is not verified: that is the server's business. */
static int64_t lifetime_of(const char *token)
{
	const char *at = strchr(token, '.');
	struct text claims = { 0 };
	struct json *json = NULL;
	int64_t issued, expires, life = 0;
	uint32_t bits = 0;
	unsigned have = 0;

	for (at = at != NULL ? at + 1 : ""; letter_value(*at) < 64; at++) {
		bits = bits << 6 | letter_value(*at);
		have += 6;
		if (have >= 8) {
			char byte = (char)(bits >> (have - 8) & 255);

			have -= 8;
			text_add_n(&claims, &byte, 1);
		}
	}
	if (!claims.failed && claims.n > 0 && json_read(claims.p, claims.n, &json) &&
	    json_integer(json, "iat", &issued) && json_integer(json, "exp", &expires) && issued > 0 &&
	    expires > issued && expires - issued < INT32_MAX)
		life = expires - issued;
	free(json);
	text_free(&claims);
	return life;
}

static sp_error record_save(sp_client *c, const char *access, const char *refresh)
{
	struct text value = { 0 };
	sp_error e;

	text_add(&value, "{\"accessToken\":");
	text_add_json(&value, access);
	text_add(&value, ",\"refreshToken\":");
	text_add_json(&value, refresh);
	text_add(&value, ",\"received\":");
	text_add_number(&value, (int64_t)time(NULL));
	text_add(&value, ",\"lifetime\":");
	text_add_number(&value, lifetime_of(access));
	text_add(&value, "}");
	e = value.failed ? SP_MEMORY : store_save(c, c->key, value.p);
	text_free(&value);
	return e;
}

/* Whether the token is over, or will be in `ahead` s (-1: about to be). Times are differences of this machine's clock; one
 * that was set back knows nothing, and one refresh puts that right. */
static bool is_over(const struct record *r, int ahead)
{
	int64_t age, margin = r->lifetime / 10;

	if (r->lifetime == 0) /* then received may be anything, too */
		return false;
	age = (int64_t)time(NULL) - r->received;
	if (margin > MARGIN_MAX)
		margin = MARGIN_MAX;
	if (ahead > margin)
		margin = ahead;
	return age < 0 || age >= r->lifetime - margin;
}

struct answer *record_fresh(sp_client *c, int min_validity, struct record *r)
{
	sp_error e = record_load(c, r);
	struct answer *failed;

	if (e != SP_OK)
		return result_of(e, "", NULL);
	if (r->access == NULL)
		return result_of(SP_SIGNED_OUT, "", NULL);
	if (!is_over(r, min_validity))
		return NULL;
	failed = session_refresh(c, r->access);
	record_free(r);
	if (failed != NULL)
		return failed;
	e = record_load(c, r);
	if (e != SP_OK)
		return result_of(e, "", NULL);
	return r->access != NULL ? NULL : result_of(SP_SIGNED_OUT, "", NULL);
}

/* ---- refreshing ---- */

void text_add_refresh(struct text *body, const char *token)
{
	text_add(body, "{\"refreshToken\":");
	text_add_json(body, token);
	text_add(body, "}");
}

/* An answer that was lost is asked for again: the server keeps the old token good until the new one is used. */
static struct answer *ask_refresh(sp_client *c, const char *token)
{
	struct text body = { 0 };
	struct http_answer a = { 0 };

	text_add_refresh(&body, token);
	if (body.failed)
		return result_of(SP_MEMORY, "", NULL);
	for (int i = 0; i < REFRESH_TRIES; i++) {
		if (i > 0) {
			text_free(&a.body);
			pause_ms(100 * (int64_t)i);
		}
		http_send(c, &(struct http_request){ .method = "POST", .path = "/refresh", .wants_tokens = true,
						     .body = body.p },
			  &a);
		if (a.error != SP_NETWORK || a.unsent)
			break;
	}
	text_free(&body);
	return result_read(&a, GIVES_TOKENS);
}

/* Only these two mean that the session is over; any other 401 may be some proxy's. */
static const char *final_reason(const struct answer *r)
{
	static const char *const reasons[] = { "SESSION_REVOKED", "INVALID_REFRESH_TOKEN" };

	for (size_t i = 0; i < 2; i++)
		if (r->pub.status == 401 && strcmp(r->pub.code, reasons[i]) == 0)
			return reasons[i];
	return NULL;
}

/* With the locks held. NULL: the tokens are stored. */
static struct answer *refresh_locked(sp_client *c, const char *stale, sp_state *happened, const char **reason)
{
	struct record now;
	sp_error e = record_load(c, &now);
	struct answer *r;

	if (e != SP_OK)
		return result_of(e, "", NULL);
	if (now.access == NULL)
		return result_of(SP_SIGNED_OUT, "", NULL);
	if (stale != NULL && strcmp(now.access, stale) != 0) { /* somebody was faster */
		record_free(&now);
		return NULL;
	}
	r = ask_refresh(c, now.refresh);
	record_free(&now);
	if (r->pub.error == SP_OK) {
		e = record_save(c, json_string(r->json, "accessToken"), json_string(r->json, "refreshToken"));
		if (e != SP_OK) {
			result_fail(r, e, "", NULL);
			return r;
		}
		*happened = SP_STATE_REFRESHED;
		sp_result_free(&r->pub);
		return NULL;
	}
	*reason = final_reason(r);
	if (*reason != NULL) {
		/* If it cannot be erased it is refused again next time. */
		(void)store_erase(c, c->key);
		*happened = SP_STATE_SIGNED_OUT;
		r->pub.error = SP_SIGNED_OUT;
	}
	return r;
}

struct answer *session_refresh(sp_client *c, const char *stale)
{
	sp_state happened = 0;
	const char *reason = NULL;
	struct answer *r;
	sp_error e = session_lock(c);

	if (e != SP_OK)
		return result_of(e, "", NULL);
	r = refresh_locked(c, stale, &happened, &reason);
	session_unlock(c);
	if (happened != 0)
		tell_state(c, happened, reason != NULL ? reason : "");
	return r;
}

/* ---- in and out ---- */

/* Tokens of the device, of which an answer brings some: the others stay. */
static sp_error keep_device(sp_client *c, const struct json *json)
{
	static const char *const names[] = { "deviceToken", "trustToken" };
	struct text value = { 0 }, stored = { 0 };
	struct json *old = NULL;
	bool is_news = false;
	sp_error e;

	for (size_t i = 0; i < 2; i++)
		is_news = is_news || json_string(json, names[i]) != NULL;
	if (!is_news)
		return SP_OK;
	e = load_json(c, c->device_key, &stored, &old);
	text_add(&value, "{");
	for (size_t i = 0; i < 2; i++) {
		const char *token = json_string(json, names[i]);

		if (token == NULL)
			token = json_string(old, names[i]);
		if (token == NULL)
			continue;
		if (value.n > 1)
			text_add(&value, ",");
		text_add_json(&value, names[i]);
		text_add(&value, ":");
		text_add_json(&value, token);
	}
	text_add(&value, "}");
	if (e == SP_OK)
		e = value.failed ? SP_MEMORY : store_save(c, c->device_key, value.p);
	free(old);
	text_free(&stored);
	text_free(&value);
	return e;
}

char *device_token(sp_client *c, const char *name)
{
	struct text value = { 0 };
	struct json *json;
	char *token = NULL;

	/* What cannot be read is as good as not there: the server only asks more. */
	if (load_json(c, c->device_key, &value, &json) == SP_OK)
		(void)copy_text(json_string(json, name), &token);
	free(json);
	text_free(&value);
	return token;
}

void session_sign_in(sp_client *c, struct answer *r)
{
	const char *access = json_string(r->json, "accessToken"), *refresh = json_string(r->json, "refreshToken");
	sp_error e;

	if (r->pub.error != SP_OK || access == NULL || refresh == NULL)
		return;
	e = session_lock(c);
	if (e == SP_OK) {
		/* In this order a failure leaves nobody signed in. */
		e = keep_device(c, r->json);
		if (e == SP_OK)
			e = record_save(c, access, refresh);
		session_unlock(c);
	}
	if (e != SP_OK)
		result_fail(r, e, "", NULL);
	else
		tell_state(c, SP_STATE_SIGNED_IN, "");
}

sp_error session_end(sp_client *c, const char *access, const char *reason)
{
	struct record now = { 0 };
	bool ended = false;
	sp_error e = session_lock(c);

	if (e != SP_OK)
		return e;
	e = record_load(c, &now);
	/* Another session may have begun meanwhile, and a refreshed one is told by its own refresh. */
	if (e == SP_OK && now.access != NULL && (access == NULL || strcmp(now.access, access) == 0)) {
		e = store_erase(c, c->key);
		ended = e == SP_OK;
	}
	record_free(&now);
	session_unlock(c);
	if (ended)
		tell_state(c, SP_STATE_SIGNED_OUT, reason);
	return e;
}
