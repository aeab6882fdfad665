/* Cookie headers. What is found is a part of the header that stands right behind the name and ends before the next
 * separator; a name with the prefix and one without never answer for each other. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/cookie.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check(str header, const char *prefix)
{
	str value = cookie_value(header, prefix, "accessToken");
	const char *name;

	if (value.p == NULL)
		return;
	must(value.n > 0 && value.p >= header.p && value.p + value.n <= header.p + header.n);
	must(!str_has_byte(value, ';') && value.p[0] != ' ' && value.p[value.n - 1] != ' ');
	name = memmem(header.p, (size_t)(value.p - header.p), "accessToken", strlen("accessToken"));
	must(name != NULL);
	if (prefix[0] != '\0')
		must(memmem(header.p, (size_t)(value.p - header.p), prefix, strlen(prefix)) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str header = str_of_bytes(data, size);

	check(header, "");
	check(header, "__Secure-");
	check(header, "__Host-");
	return 0;
}
