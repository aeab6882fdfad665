/* store_secret.c — tokens in the desktop's Secret Service, through libsecret, which is loaded. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "library.h"
#include "lock_file.h"
#include "records.h"
#include "sallyport.h"
#include "util.h"

/* For a service that does not answer, or a user who does not: then it is an error. */
#ifndef SECRET_PATIENCE_MS
#define SECRET_PATIENCE_MS 60000
#endif

/* ---- what is used of libsecret and of what it is linked with; all of it is their stable ABI ---- */

/* SecretSchema: attributes end with a NULL name. */
struct secret_schema {
	const char *name;
	int flags;
	struct {
		const char *name;
		int type;
	} attributes[32];
	int reserved;
	void *reserved1, *reserved2, *reserved3, *reserved4, *reserved5, *reserved6, *reserved7;
};

/* GList */
struct g_list {
	void *data;
	struct g_list *next, *prev;
};

/* GCancellable, GDBusConnection, SecretService, SecretCollection and what a search finds are GObjects and not looked into;
 * nor are SecretValue and GError. gboolean and gint are int. */
struct secret_calls {
	int (*store)(const struct secret_schema *schema, const char *collection, const char *label,
		     const char *password, void *cancellable, void **error, ...);
	struct g_list *(*search)(const struct secret_schema *schema, int flags, void *cancellable, void **error, ...);
	void *(*retrieve)(void *found, void *cancellable, void **error);
	const char *(*value_get)(void *value, size_t *length);
	void (*value_unref)(void *value);
	void (*list_free)(struct g_list *list);
	int (*clear)(const struct secret_schema *schema, void *cancellable, void **error, ...);
	void *(*service)(int flags, void *cancellable, void **error);
	void *(*collection)(void *service, const char *alias, int flags, void *cancellable, void **error);
	int (*is_locked)(void *collection);
	int (*unlock)(void *service, struct g_list *objects, void *cancellable, struct g_list **unlocked, void **error);
	void *(*bus_get)(int type, void *cancellable, void **error);
	void (*set_exit_on_close)(void *connection, int exit);
	void *(*context_new)(void);
	void (*context_push)(void *context);
	void (*context_pop)(void *context);
	int (*context_iteration)(void *context, int may_block);
	void (*context_unref)(void *context);
	void *(*cancellable_new)(void);
	void (*cancel)(void *cancellable);
	void (*unref)(void *object);
	void (*error_free)(void *error);
};

#define BUS_SESSION 2 /* G_BUS_TYPE_SESSION */

static const struct secret_schema schema = {
	.name = "org.sallyport.Tokens",
	.attributes = { { "key", 0 } }, /* SECRET_SCHEMA_ATTRIBUTE_STRING */
};

/* Ends the attributes: a pointer, which a bare NULL need not be in a variadic call. */
#define END ((char *)NULL)

struct secret_store {
	struct user_lock lock; /* first: user_lock_take */
	void *library;
	struct secret_calls calls;
};

static bool load_library(struct secret_store *s)
{
	static const char *const names[] = { "libsecret-1.so.0", "libsecret-1.0.dylib", NULL };
	static const struct library_symbol symbols[] = {
		{ "secret_password_store_sync", offsetof(struct secret_calls, store) },
		{ "secret_password_search_sync", offsetof(struct secret_calls, search) },
		{ "secret_retrievable_retrieve_secret_sync", offsetof(struct secret_calls, retrieve) },
		{ "secret_value_get", offsetof(struct secret_calls, value_get) },
		{ "secret_value_unref", offsetof(struct secret_calls, value_unref) },
		{ "g_list_free", offsetof(struct secret_calls, list_free) },
		{ "secret_password_clear_sync", offsetof(struct secret_calls, clear) },
		{ "secret_service_get_sync", offsetof(struct secret_calls, service) },
		{ "secret_collection_for_alias_sync", offsetof(struct secret_calls, collection) },
		{ "secret_collection_get_locked", offsetof(struct secret_calls, is_locked) },
		{ "secret_service_unlock_sync", offsetof(struct secret_calls, unlock) },
		{ "g_bus_get_sync", offsetof(struct secret_calls, bus_get) },
		{ "g_dbus_connection_set_exit_on_close", offsetof(struct secret_calls, set_exit_on_close) },
		{ "g_main_context_new", offsetof(struct secret_calls, context_new) },
		{ "g_main_context_push_thread_default", offsetof(struct secret_calls, context_push) },
		{ "g_main_context_pop_thread_default", offsetof(struct secret_calls, context_pop) },
		{ "g_main_context_iteration", offsetof(struct secret_calls, context_iteration) },
		{ "g_main_context_unref", offsetof(struct secret_calls, context_unref) },
		{ "g_cancellable_new", offsetof(struct secret_calls, cancellable_new) },
		{ "g_cancellable_cancel", offsetof(struct secret_calls, cancel) },
		{ "g_object_unref", offsetof(struct secret_calls, unref) },
		{ "g_error_free", offsetof(struct secret_calls, error_free) },
	};

	s->library = library_open(names, symbols, sizeof symbols / sizeof *symbols, &s->calls);
	return s->library != NULL;
}

/* ---- an end to waiting ---- */

struct watch {
	const struct secret_calls *calls;
	void *cancellable;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	bool done;
};

#ifdef __APPLE__
#define WATCH_CLOCK CLOCK_REALTIME /* conditions know no other there */
#else
#define WATCH_CLOCK CLOCK_MONOTONIC
#endif

static bool make_condition(pthread_cond_t *wake)
{
	pthread_condattr_t attributes;
	bool made;

	if (pthread_condattr_init(&attributes) != 0)
		return false;
#ifndef __APPLE__
	(void)pthread_condattr_setclock(&attributes, WATCH_CLOCK);
#endif
	made = pthread_cond_init(wake, &attributes) == 0;
	(void)pthread_condattr_destroy(&attributes);
	return made;
}

static struct timespec time_after(int ms)
{
	struct timespec t = { 0 };

	(void)clock_gettime(WATCH_CLOCK, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	return t;
}

static void *watch_run(void *argument)
{
	struct watch *w = argument;
	struct timespec end = time_after(SECRET_PATIENCE_MS);
	bool done;

	(void)pthread_mutex_lock(&w->mutex);
	while (!w->done && pthread_cond_timedwait(&w->wake, &w->mutex, &end) != ETIMEDOUT)
		;
	done = w->done;
	(void)pthread_mutex_unlock(&w->mutex);
	if (!done)
		w->calls->cancel(w->cancellable);
	return NULL;
}

static sp_error watch_begin(struct watch *w, const struct secret_calls *calls)
{
	*w = (struct watch){ .calls = calls, .mutex = PTHREAD_MUTEX_INITIALIZER };
	if (!make_condition(&w->wake))
		return SP_MEMORY;
	w->cancellable = calls->cancellable_new();
	if (start_thread(&w->thread, watch_run, w))
		return SP_OK;
	calls->unref(w->cancellable);
	(void)pthread_cond_destroy(&w->wake);
	return SP_MEMORY;
}

static void watch_end(struct watch *w)
{
	(void)pthread_mutex_lock(&w->mutex);
	w->done = true;
	(void)pthread_cond_signal(&w->wake);
	(void)pthread_mutex_unlock(&w->mutex);
	(void)pthread_join(w->thread, NULL);
	(void)pthread_cond_destroy(&w->wake);
	(void)pthread_mutex_destroy(&w->mutex);
	w->calls->unref(w->cancellable);
}

/* ---- asking the service ---- */

/* What is asked, and the answer. */
struct question {
	const struct secret_calls *calls;
	void *cancellable;
	const char *key; /* as the attribute: ASCII */
	const char *value; /* save: the record */
	char *room; /* load: where the record goes, */
	size_t capacity, length; /* what there is of it */
};

/* SP_OK unless there is an error, which is freed. */
static sp_error settle(const struct secret_calls *calls, void *error, sp_error if_any)
{
	if (error == NULL)
		return SP_OK;
	calls->error_free(error);
	return if_any;
}

/* GLib sends SIGTERM to a process whose bus has gone, unless it is told not to. */
static sp_error reach_bus(const struct question *q)
{
	void *error = NULL;
	void *bus = q->calls->bus_get(BUS_SESSION, q->cancellable, &error);

	if (bus != NULL) {
		q->calls->set_exit_on_close(bus, 0);
		q->calls->unref(bus);
	}
	return settle(q->calls, error, SP_UNAVAILABLE);
}

/* May ask the user for the password of the keyring. */
static sp_error unlock_collection(const struct question *q, void *service, void *collection)
{
	struct g_list list = { .data = collection };
	void *error = NULL;
	int unlocked;

	if (!q->calls->is_locked(collection))
		return SP_OK;
	unlocked = q->calls->unlock(service, &list, q->cancellable, NULL, &error);
	return settle(q->calls, error, SP_STORE) == SP_OK && unlocked > 0 ? SP_OK : SP_STORE;
}

/* Of a locked one, clear would find nothing and call that success. */
static sp_error unlock(const struct question *q)
{
	void *error = NULL, *collection;
	void *service = q->calls->service(0, q->cancellable, &error);
	sp_error e = settle(q->calls, error, SP_UNAVAILABLE);

	if (service == NULL || e != SP_OK)
		return SP_UNAVAILABLE;
	collection = q->calls->collection(service, "default", 0, q->cancellable, &error);
	e = settle(q->calls, error, SP_UNAVAILABLE);
	if (collection != NULL) { /* NULL without an error: none yet; saving makes it */
		e = unlock_collection(q, service, collection);
		q->calls->unref(collection);
	}
	q->calls->unref(service);
	return e;
}

static sp_error copy_value(struct question *q, void *value)
{
	size_t n = 0;
	const char *bytes = q->calls->value_get(value, &n);

	if (n > q->capacity)
		return SP_STORE;
	if (n > 0)
		memcpy(q->room, bytes, n);
	q->length = n;
	return SP_OK;
}

/* Not by secret_password_lookup_sync, which leaks each answer (0.20.5). */
static sp_error ask_load(struct question *q)
{
	void *error = NULL, *value;
	struct g_list *found = q->calls->search(&schema, 0, q->cancellable, &error, "key", q->key, END);
	sp_error e = settle(q->calls, error, SP_STORE);

	if (found == NULL)
		return e;
	error = NULL;
	value = q->calls->retrieve(found->data, q->cancellable, &error);
	e = settle(q->calls, error, SP_STORE);
	if (value != NULL) {
		e = copy_value(q, value);
		q->calls->value_unref(value); /* wipes */
	} else if (e == SP_OK) {
		e = SP_STORE;
	}
	for (const struct g_list *at = found; at != NULL; at = at->next)
		q->calls->unref(at->data);
	q->calls->list_free(found);
	return e;
}

static sp_error ask_save(struct question *q)
{
	void *error = NULL;
	int kept = q->calls->store(&schema, "default", "Sallyport: signed in", q->value, q->cancellable, &error, "key",
				   q->key, END);
	sp_error e = settle(q->calls, error, SP_STORE);

	return e == SP_OK && !kept ? SP_STORE : e;
}

static sp_error ask_erase(struct question *q)
{
	void *error = NULL;

	(void)q->calls->clear(&schema, q->cancellable, &error, "key", q->key, END);
	return settle(q->calls, error, SP_STORE);
}

/* GLib leaves work for the main loop of the thread, which few programs have: it would pile up. So it is a loop of our
 * own, run until nothing is left. */
static sp_error ask_apart(struct question *q, sp_error (*what)(struct question *))
{
	void *context = q->calls->context_new();
	sp_error e;

	q->calls->context_push(context);
	e = reach_bus(q);
	if (e == SP_OK)
		e = unlock(q);
	if (e == SP_OK)
		e = what(q);
	while (q->calls->context_iteration(context, 0))
		;
	q->calls->context_pop(context);
	q->calls->context_unref(context);
	return e;
}

static sp_error ask(struct secret_store *s, struct question *q, sp_error (*what)(struct question *))
{
	struct watch watch;
	sp_error e = watch_begin(&watch, &s->calls);

	if (e != SP_OK)
		return e;
	q->calls = &s->calls;
	q->cancellable = watch.cancellable;
	e = ask_apart(q, what);
	watch_end(&watch);
	return e;
}

/* With the key as an attribute, which must be UTF-8; percent-encoded it is, whatever it was. After opening, a service
 * that has gone is a store that failed. */
static sp_error ask_about(struct secret_store *s, const char *key, struct question *q,
			  sp_error (*what)(struct question *))
{
	struct text attribute = { 0 };
	sp_error e;

	if (!record_good_key(key))
		return SP_INVALID;
	text_add_url(&attribute, key);
	q->key = attribute.p;
	e = attribute.failed ? SP_MEMORY : ask(s, q, what);
	text_free(&attribute);
	return e == SP_UNAVAILABLE ? SP_STORE : e;
}

/* ---- the store ---- */

static sp_error secret_load(void *context, const char *key, char *value, size_t capacity, size_t *length)
{
	struct question q = { .room = value, .capacity = capacity };
	sp_error e = ask_about(context, key, &q, ask_load);

	*length = q.length;
	return e;
}

static sp_error secret_save(void *context, const char *key, const char *value)
{
	struct question q = { .value = value };

	return record_good_value(value) ? ask_about(context, key, &q, ask_save) : SP_INVALID;
}

static sp_error secret_erase(void *context, const char *key)
{
	struct question q = { 0 };

	return ask_about(context, key, &q, ask_erase);
}

static void secret_close(void *context)
{
	struct secret_store *s = context;

	user_lock_free(&s->lock);
	library_close(s->library);
	free(s);
}

static sp_error ask_nothing(struct question *q)
{
	(void)q;
	return SP_OK;
}

sp_error sp_store_secret_service(sp_store *store)
{
	struct question q = { 0 };
	struct secret_store *s;
	sp_error e = SP_OK;

	if (store == NULL)
		return SP_INVALID;
	*store = (sp_store){ .size = sizeof *store };
	s = calloc(1, sizeof *s);
	if (s == NULL || !user_lock_init(&s->lock, "secret")) {
		free(s);
		return SP_MEMORY;
	}
	if (!load_library(s))
		e = SP_UNAVAILABLE;
	if (e == SP_OK)
		e = ask(s, &q, ask_nothing);
	if (e != SP_OK) {
		secret_close(s);
		return e;
	}
	*store = (sp_store){ .size = sizeof *store, .context = s, .load = secret_load, .save = secret_save,
			     .erase = secret_erase, .lock = user_lock_take, .unlock = user_lock_release,
			     .close = secret_close };
	return SP_OK;
}
