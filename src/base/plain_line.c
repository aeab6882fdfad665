#include "base/plain_line.h"

#include "base/utf8.h"

void plain_line(struct buf *b, str text)
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
