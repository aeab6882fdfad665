/* Targets and queries. First line of the input: a target; second: a key to look up in its query.
 * What passes the check means one thing, however often it is read. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "http/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX 8192

static char mem[4 * MAX];

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* No byte that another reader could take for a separator, before decoding or after. */
static void check_segment(struct arena *a, str segment)
{
	str decoded;

	must(!str_eq(segment, STR(".")) && !str_eq(segment, STR("..")));
	must(path_decode(a, segment, &decoded).code == ERR_OK);
	must(decoded.n <= segment.n && utf8_is_plain_text(decoded));
	must(!str_eq(decoded, STR(".")) && !str_eq(decoded, STR("..")));
	must(!str_has_byte(decoded, '/') && !str_has_byte(decoded, '\\') &&
	     !str_has_byte(decoded, '\0'));
}

static void check_path(str path, str query, str target)
{
	str head, rest = str_skip(path, 1);
	bool more = true;

	must(path.p == target.p && path.n > 0 && path.n <= PATH_MAX_BYTES && path.p[0] == '/');
	must(query.p == NULL ? path.n == target.n : path.n + 1 + query.n == target.n);
	while (more) {
		struct arena a;

		arena_init_fixed(&a, mem, sizeof(mem));
		more = str_cut(rest, '/', &head, &rest);
		must(!more || head.n > 0);
		check_segment(&a, head);
	}
}

static void check_query(str query, str key)
{
	struct arena a;
	str value = STR("untouched");
	err_t e;

	arena_init_fixed(&a, mem, sizeof(mem));
	e = query_get(&a, query, key, &value);
	must(e.code == ERR_OK || e.code == ERR_INPUT);
	if (e.code != ERR_OK)
		must(str_eq(value, STR("untouched")));
	else if (value.p != NULL)
		must(value.n <= query.n && utf8_is_valid(value) && !str_has_byte(value, '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str target, key, path = STR_NONE, query = STR_NONE;
	err_t e;

	if (size > MAX)
		return 0;
	(void)str_cut(str_of_bytes(data, size), '\n', &target, &key);
	e = path_check(target, &path, &query);
	must(e.code == ERR_OK || e.code == ERR_BAD_REQUEST || e.code == ERR_URI_TOO_LONG);
	if (e.code == ERR_OK)
		check_path(path, query, target);
	check_query(query, key);
	check_query(target, key); /* any bytes at all */
	return 0;
}
