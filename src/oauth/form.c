#include "oauth/form.h"

static bool is_unreserved(char c) /* RFC 3986 §2.3 */
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
	       c == '_' || c == '~';
}

void form_escape(struct buf *b, str value)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];

		if (is_unreserved(value.p[i])) {
			buf_byte(b, value.p[i]);
		} else if (c == ' ') {
			buf_byte(b, '+');
		} else {
			buf_byte(b, '%');
			buf_byte(b, hex[c >> 4]);
			buf_byte(b, hex[c & 15U]);
		}
	}
}

void form_add(struct buf *b, const char *name, str value)
{
	if (value.p == NULL)
		return;
	if (b->n > 0 && b->p[b->n - 1] != '?' && b->p[b->n - 1] != '&')
		buf_byte(b, '&');
	buf_str(b, str_of_cstr(name));
	buf_byte(b, '=');
	form_escape(b, value);
}
