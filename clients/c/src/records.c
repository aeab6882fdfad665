/* records.c — see records.h. */
#include "records.h"

#include <stdlib.h>
#include <string.h>

bool record_good_key(const char *key)
{
	size_t n = key != NULL ? strnlen(key, RECORD_KEY_MAX + 1) : 0;

	return n > 0 && n <= RECORD_KEY_MAX;
}

bool record_good_value(const char *value)
{
	size_t n = value != NULL ? strnlen(value, SP_RECORD_MAX + 1) : 0;

	return n > 0 && n <= SP_RECORD_MAX;
}

/* Strings of these bytes. */
static struct record *record_new(const void *key, size_t n_key, const void *value, size_t n_value)
{
	size_t size = sizeof(struct record) + n_key + 1 + n_value + 1;
	struct record *r = calloc(1, size);

	if (r == NULL)
		return NULL;
	r->size = size;
	r->key = (char *)(r + 1);
	r->value = r->key + n_key + 1;
	memcpy(r->key, key, n_key);
	memcpy(r->value, value, n_value);
	return r;
}

static void record_free(struct record *r)
{
	wipe(r, r->size);
	free(r);
}

/* Where the record is linked, or would be. */
static struct record **place_of(struct record **list, const char *key)
{
	while (*list != NULL && strcmp((*list)->key, key) < 0)
		list = &(*list)->next;
	return list;
}

const char *records_find(const struct record *list, const char *key)
{
	while (list != NULL && strcmp(list->key, key) != 0)
		list = list->next;
	return list != NULL ? list->value : NULL;
}

bool records_put(struct record **list, const char *key, const char *value)
{
	struct record *r = record_new(key, strlen(key), value, strlen(value));
	struct record **at;

	if (r == NULL)
		return false;
	(void)records_drop(list, key);
	at = place_of(list, key);
	r->next = *at;
	*at = r;
	return true;
}

bool records_drop(struct record **list, const char *key)
{
	struct record **at = place_of(list, key), *r = *at;

	if (r == NULL || strcmp(r->key, key) != 0)
		return false;
	*at = r->next;
	record_free(r);
	return true;
}

void records_free(struct record **list)
{
	while (*list != NULL) {
		struct record *r = *list;

		*list = r->next;
		record_free(r);
	}
}

sp_error record_give(const char *record, char *value, size_t capacity, size_t *length)
{
	size_t n = record != NULL ? strlen(record) : 0;

	*length = 0;
	if (n > capacity)
		return SP_STORE;
	if (n > 0)
		memcpy(value, record, n); /* NOLINT(bugprone-not-null-terminated-result): so it is promised */
	*length = n;
	return SP_OK;
}

/* ---- as bytes ---- */

static void add_length(struct text *bytes, size_t n)
{
	char two[2] = { (char)(n >> 8), (char)n };

	text_add_n(bytes, two, sizeof two);
}

void records_encode(const struct record *list, struct text *bytes)
{
	for (; list != NULL; list = list->next) {
		add_length(bytes, strlen(list->key));
		add_length(bytes, strlen(list->value));
		text_add(bytes, list->key);
		text_add(bytes, list->value);
	}
}

/* The record at the start; *used: its bytes. NULL: there is none. */
static struct record *decode_one(const unsigned char *p, size_t n, size_t *used, sp_error *error)
{
	size_t n_key, n_value;
	struct record *r;

	*error = SP_STORE;
	if (n < 4)
		return NULL;
	n_key = (size_t)p[0] << 8 | p[1];
	n_value = (size_t)p[2] << 8 | p[3];
	if (n_key < 1 || n_key > RECORD_KEY_MAX || n_value < 1 || n_value > SP_RECORD_MAX || n - 4 < n_key + n_value)
		return NULL;
	if (memchr(p + 4, 0, n_key + n_value) != NULL)
		return NULL;
	*used = 4 + n_key + n_value;
	r = record_new(p + 4, n_key, p + 4 + n_key, n_value);
	*error = r != NULL ? SP_OK : SP_MEMORY;
	return r;
}

sp_error records_decode(const unsigned char *bytes, size_t n, struct record **list)
{
	const struct record *last = NULL;
	struct record **at = list;

	*list = NULL;
	for (size_t used = 0; n > 0; bytes += used, n -= used) {
		sp_error e;

		*at = decode_one(bytes, n, &used, &e);
		if (e == SP_OK && last != NULL && strcmp(last->key, (*at)->key) >= 0)
			e = SP_STORE; /* a second one, or out of order */
		if (e != SP_OK) {
			records_free(list);
			return e;
		}
		last = *at;
		at = &(*at)->next;
	}
	return SP_OK;
}
