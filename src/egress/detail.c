#include "egress/detail.h"

#include "base/utf8.h"

void detail_append(struct buf *b, str text)
{
	uint32_t point;

	while (text.n > 0) {
		size_t length = utf8_next(text, &point);
		str character = { text.p, length };

		if (length > 0 && (point < ' ' || point == 0x7F))
			character = STR(" ");
		else if (length == 0 || !utf8_is_plain_point(point))
			character = STR("?");
		if (character.n > b->cap - b->n)
			return;
		buf_str(b, character);
		text = str_skip(text, length > 0 ? length : 1);
	}
}

void detail_say(struct delivery *ret, enum delivery_verdict verdict, str about, str text)
{
	struct buf b = { .p = ret->detail, .cap = sizeof(ret->detail) - 1 };

	ret->verdict = verdict;
	detail_append(&b, about);
	if (about.n > 0)
		detail_append(&b, STR(": "));
	detail_append(&b, text);
	ret->detail[b.n] = '\0';
}
