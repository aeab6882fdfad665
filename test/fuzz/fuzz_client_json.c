/* The client's reader of JSON beside jansson. Both accept the same texts and find the same in them, but for four things on
 * purpose: the client bounds depth and number of values; it takes a number of any size, and only json_integer refuses one
 * that does not fit; of members with the same name it finds the first, jansson keeps the last; a zero byte behind the value
 * is refused, jansson stops there. */
#include "json.h"
#include "json_reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

static void see(const struct json *j, const struct json *parent, struct text *seen);

static void see_members(const struct json *j, struct text *seen)
{
	size_t n = 0;

	text_add_number(seen, (int64_t)j->n);
	for (const struct json *m = j->first; m != NULL; m = m->next, n++) {
		if (j->kind == JSON_OBJECT) {
			text_add_json(seen, m->key);
			text_add(seen, ":");
			must(json_get(j, m->key) != NULL);
		}
		see(m, j, seen);
	}
	must(n == j->n);
}

static void see(const struct json *j, const struct json *parent, struct text *seen)
{
	int64_t value;

	switch (j->kind) {
	case JSON_OBJECT:
		text_add(seen, "{");
		see_members(j, seen);
		text_add(seen, "}");
		break;
	case JSON_ARRAY:
		text_add(seen, "[");
		see_members(j, seen);
		text_add(seen, "]");
		break;
	case JSON_STRING:
		text_add_json(seen, j->text);
		break;
	case JSON_NUMBER:
		text_add(seen, "n");
		if (j->key != NULL && json_get(parent, j->key) == j && json_integer(parent, j->key, &value))
			text_add_number(seen, value);
		break;
	case JSON_TRUE:
		text_add(seen, "t");
		break;
	case JSON_FALSE:
		text_add(seen, "f");
		break;
	case JSON_NULL:
		text_add(seen, "0");
		break;
	}
}

static void compare(const struct json *j, const struct json_reference *theirs)
{
	struct text seen = { 0 };

	see(j, NULL, &seen);
	if (theirs->accepted && !theirs->is_name_twice)
		must(seen.n == theirs->seen.n && memcmp(seen.p, theirs->seen.p, seen.n) == 0);
	text_free(&seen);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct json_reference theirs;
	struct json *j;

	if (text == NULL || size >= JSON_VALUES_MAX) {
		free(text);
		return 0;
	}
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	json_reference(text, size, &theirs);
	if (json_read(text, size, &j)) {
		must(theirs.accepted ? theirs.depth <= JSON_DEPTH_MAX : theirs.is_number_too_large);
		compare(j, &theirs);
	} else {
		must(!theirs.accepted || theirs.depth > JSON_DEPTH_MAX || memchr(text, 0, size) != NULL);
	}
	text_free(&theirs.seen);
	free(j);
	free(text);
	return 0;
}
