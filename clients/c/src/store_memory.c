/* store_memory.c — tokens that go with the client. */
#include <pthread.h>
#include <stdlib.h>

#include "records.h"
#include "sallyport.h"

struct memory_store {
	pthread_mutex_t mutex;
	struct record *records;
};

static sp_error memory_load(void *context, const char *key, char *value, size_t capacity, size_t *length)
{
	struct memory_store *m = context;
	sp_error e;

	*length = 0;
	if (!record_good_key(key))
		return SP_INVALID;
	(void)pthread_mutex_lock(&m->mutex);
	e = record_give(records_find(m->records, key), value, capacity, length);
	(void)pthread_mutex_unlock(&m->mutex);
	return e;
}

static sp_error memory_save(void *context, const char *key, const char *value)
{
	struct memory_store *m = context;
	bool kept;

	if (!record_good_key(key) || !record_good_value(value))
		return SP_INVALID;
	(void)pthread_mutex_lock(&m->mutex);
	kept = records_put(&m->records, key, value);
	(void)pthread_mutex_unlock(&m->mutex);
	return kept ? SP_OK : SP_MEMORY;
}

static sp_error memory_erase(void *context, const char *key)
{
	struct memory_store *m = context;

	if (!record_good_key(key))
		return SP_INVALID;
	(void)pthread_mutex_lock(&m->mutex);
	(void)records_drop(&m->records, key);
	(void)pthread_mutex_unlock(&m->mutex);
	return SP_OK;
}

static void memory_close(void *context)
{
	struct memory_store *m = context;

	records_free(&m->records);
	(void)pthread_mutex_destroy(&m->mutex);
	free(m);
}

sp_error sp_store_memory(sp_store *store)
{
	struct memory_store *m;

	if (store == NULL)
		return SP_INVALID;
	*store = (sp_store){ .size = sizeof *store };
	m = calloc(1, sizeof *m);
	if (m == NULL)
		return SP_MEMORY;
	if (pthread_mutex_init(&m->mutex, NULL) != 0) {
		free(m);
		return SP_MEMORY;
	}
	store->context = m;
	store->load = memory_load;
	store->save = memory_save;
	store->erase = memory_erase;
	store->close = memory_close;
	return SP_OK;
}
