/* json_reference.c — see json_reference.h. */
#include "json_reference.h"

#include <jansson.h>

static void see(const json_t *j, bool is_member, unsigned depth, struct json_reference *r)
{
	const char *key;
	json_t *m;
	size_t i;

	if (depth > r->depth)
		r->depth = depth;
	switch (json_typeof(j)) {
	case JSON_OBJECT:
		text_add(&r->seen, "{");
		text_add_number(&r->seen, (int64_t)json_object_size(j));
		for (void *at = json_object_iter((json_t *)(uintptr_t)j); at != NULL;
		     at = json_object_iter_next((json_t *)(uintptr_t)j, at)) {
			key = json_object_iter_key(at);
			text_add_json(&r->seen, key);
			text_add(&r->seen, ":");
			see(json_object_iter_value(at), true, depth + 1, r);
		}
		text_add(&r->seen, "}");
		break;
	case JSON_ARRAY:
		text_add(&r->seen, "[");
		text_add_number(&r->seen, (int64_t)json_array_size(j));
		json_array_foreach (j, i, m)
			see(m, false, depth + 1, r);
		text_add(&r->seen, "]");
		break;
	case JSON_STRING:
		text_add_json(&r->seen, json_string_value(j));
		break;
	case JSON_INTEGER:
	case JSON_REAL:
		text_add(&r->seen, "n");
		if (is_member && json_is_integer(j))
			text_add_number(&r->seen, json_integer_value(j));
		break;
	case JSON_TRUE:
		text_add(&r->seen, "t");
		break;
	case JSON_FALSE:
		text_add(&r->seen, "f");
		break;
	case JSON_NULL:
		text_add(&r->seen, "0");
		break;
	}
}

void json_reference(const char *text, size_t n, struct json_reference *ret)
{
	json_error_t error;
	json_t *j = json_loadb(text, n, JSON_DECODE_ANY, &error), *strict;

	*ret = (struct json_reference){ .accepted = j != NULL };
	if (j == NULL) {
		ret->is_number_too_large = json_error_code(&error) == json_error_numeric_overflow;
		return;
	}
	see(j, false, 1, ret);
	strict = json_loadb(text, n, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
	ret->is_name_twice = strict == NULL;
	if (strict == NULL)
		text_free(&ret->seen);
	json_decref(strict);
	json_decref(j);
}
