/* json_reference.h — what jansson makes of a text. In a file of its own: names of jansson are names of the client, too. */
#ifndef TEST_JSON_REFERENCE_H
#define TEST_JSON_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "util.h"

struct json_reference {
	bool accepted;
	bool is_number_too_large; /* refused only for that */
	bool is_name_twice; /* of a member; seen is empty then */
	unsigned depth; /* 1 for a value that holds no other */
	/* {N name:value …}, [N value …], "…", n (a number), n-1 (an integer in an object), t, f, 0 */
	struct text seen;
};

void json_reference(const char *text, size_t n, struct json_reference *ret);

#endif
