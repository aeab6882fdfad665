#include "egress/detail.h"

#include "base/plain_line.h"

void detail_say(struct delivery *ret, enum delivery_verdict verdict, str about, str text)
{
	struct buf b = { .p = ret->detail, .cap = sizeof(ret->detail) - 1 };

	ret->verdict = verdict;
	plain_line(&b, about);
	if (about.n > 0)
		plain_line(&b, STR(": "));
	plain_line(&b, text);
	ret->detail[b.n] = '\0';
}
