/* json.h — reads the server's answers (RFC 8259): bounded, in place, without a call for each value. */
#ifndef SP_JSON_H
#define SP_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_kind { JSON_NULL = 1, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_kind kind;
	const char *key; /* in an object */
	const char *text; /* of a string; of a number, which ends with its last digit and not with a zero */
	struct json *next; /* the next in the same array or object */
	struct json *first; /* of an array or object */
	size_t n; /* its members */
};

#define JSON_DEPTH_MAX 16
#define JSON_VALUES_MAX 65536

/* Reads n bytes, which must be followed by a zero. The text is changed: values point into it and live as long as it does.
 * *nodes is to be freed (and may be NULL when nothing was read). False: not JSON, too deep, too much, no UTF-8, a
 * zero in a string, or out of memory. */
bool json_read(char *text, size_t n, struct json **nodes);

/* The member of that name; NULL: none, or not an object. */
const struct json *json_get(const struct json *object, const char *key);
/* Its text if it is a string, else NULL. */
const char *json_string(const struct json *object, const char *key);
/* 1 if it is true, else 0. */
int json_flag(const struct json *object, const char *key);
/* False: no integer of that name, or none that fits. */
bool json_integer(const struct json *object, const char *key, int64_t *value);

#endif
