/* records.h — a few secrets under names, in memory and as bytes. */
#ifndef SP_RECORDS_H
#define SP_RECORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "sallyport.h"
#include "util.h"

/* The longest name; what the library makes of server and account is far below it. */
#define RECORD_KEY_MAX 1024

/* In the order of their keys. NULL: none. */
struct record {
	struct record *next;
	char *key, *value; /* behind the struct */
	size_t size; /* of all of it */
};

bool record_good_key(const char *key);
/* Neither empty nor longer than SP_RECORD_MAX. */
bool record_good_value(const char *value);

/* NULL: no such record. */
const char *records_find(const struct record *list, const char *key);
/* Replaces or adds. False: out of memory, and nothing has changed. */
bool records_put(struct record **list, const char *key, const char *value);
/* True: there was one. */
bool records_drop(struct record **list, const char *key);
/* Wipes and frees. */
void records_free(struct record **list);

/* What a store's load does with what it has found; record: NULL for none. */
sp_error record_give(const char *record, char *value, size_t capacity, size_t *length);

/* For each record the lengths of key and value (2 bytes each, the higher one first), key, value. */
void records_encode(const struct record *list, struct text *bytes);
/* Accepts what records_encode writes and nothing else. SP_STORE: it is not that; SP_MEMORY. *list is NULL then. */
sp_error records_decode(const unsigned char *bytes, size_t n, struct record **list);

#endif
