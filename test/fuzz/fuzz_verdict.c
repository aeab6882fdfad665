/* Answers of HTTP providers, which may be anything. First byte: the status; first line after it:
 * what the settings expect; the rest: the body. Whatever it is, there is a verdict, and what an
 * operator sees of it is one line of plain text without codes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "egress/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_no_code(str detail)
{
	size_t run = 0;

	for (size_t i = 0; i < detail.n; i++) {
		run = detail.p[i] >= '0' && detail.p[i] <= '9' ? run + 1 : 0;
		must(run < 6);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = { 200, 201, 204, 302, 400, 401, 404,
					409, 413, 422, 429, 500, 503 };
	struct client_reply r;
	struct delivery d;
	str expect, body;

	if (size == 0 || size > CLIENT_REPLY_MAX)
		return 0;
	(void)str_cut(str_of_bytes(data + 1, size - 1), '\n', &expect, &body);
	r = (struct client_reply){ .status = statuses[data[0] % 13], .body = body };
	memset(&d, 'x', sizeof(d));
	verdict_of_reply(&r, expect, &d);
	must(d.verdict >= DELIVERY_SENT && d.verdict <= DELIVERY_DOWN);
	must(d.verdict != DELIVERY_SENT || r.status < 300);
	must(memchr(d.detail, '\0', sizeof(d.detail)) != NULL);
	must(utf8_is_plain_text(str_of_cstr(d.detail)));
	check_no_code(str_of_cstr(d.detail));
	return 0;
}
