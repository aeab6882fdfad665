/* A server that says anything at any time: each line of the input is one that was heard, or, behind
 * '>', one that was sent; its first byte is how the transfer ended. The verdict must be one, its
 * line plain. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "egress/smtp_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check(const struct smtp_dialogue *d, CURLcode end, str problem)
{
	struct delivery got;

	memset(&got, 0x5A, sizeof(got));
	got.verdict = DELIVERY_UNSET;
	smtp_dialogue_verdict(d, end, problem, &got);
	must(got.verdict >= DELIVERY_SENT && got.verdict <= DELIVERY_DOWN);
	must(memchr(got.detail, '\0', sizeof(got.detail)) != NULL);
	must(got.detail[0] != '\0' && utf8_is_plain_text(str_of_cstr(got.detail)));
	/* only the last word about the message makes it sent, and only words at or behind RCPT end
	 * it */
	must(got.verdict != DELIVERY_SENT || d->step == SMTP_END_OF_DATA);
	must(got.verdict == DELIVERY_DOWN || (d->step >= SMTP_RCPT && d->code >= 200));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str text = str_of_bytes(data, size), line;
	struct smtp_dialogue d;
	CURLcode end = CURLE_OK;

	if (size > 0)
		end = (CURLcode)(data[0] % CURL_LAST);
	text = str_skip(text, 1);
	smtp_dialogue_begin(&d);
	while (text.n > 0) {
		(void)str_cut(text, '\n', &line, &text);
		if (line.n > 0 && line.p[0] == '>')
			smtp_dialogue_sent(&d, str_skip(line, 1));
		else
			smtp_dialogue_heard(&d, line);
		must(d.step >= SMTP_CONNECT && d.step <= SMTP_END_OF_DATA &&
		     d.text_n <= SMTP_TEXT_MAX);
		check(&d, end, line);
	}
	check(&d, end, STR_NONE);
	return 0;
}
