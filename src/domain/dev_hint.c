#include "domain/dev_hint.h"

#include "base/plain_line.h"

#define VALUE_MAX 200

const char *dev_value(str sent)
{
	static __thread char text[VALUE_MAX + 1];
	struct buf b = { .p = text, .cap = VALUE_MAX };

	plain_line(&b, sent);
	text[b.n] = '\0';
	return text;
}
