/* url.c — see url.h. */
#include "url.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %XX and + undone. NULL: no memory, or a zero byte. */
static char *url_decode(const char *text, size_t n)
{
	char *out = malloc(n + 1), *at = out;

	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '%' && n - i > 2 && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
			*at = (char)((unsigned)hex_value(text[i + 1]) << 4 | (unsigned)hex_value(text[i + 2]));
			i += 2;
			if (*at == '\0') {
				free(out);
				return NULL;
			}
			at++;
		} else {
			*at++ = text[i] == '+' ? ' ' : text[i];
		}
	}
	*at = '\0';
	return out;
}

char *query_value(const char *query, const char *name)
{
	size_t length = strlen(name);

	while (*query != '\0' && *query != '#') {
		size_t n = strcspn(query, "&#");

		if (n > length && strncmp(query, name, length) == 0 && query[length] == '=')
			return url_decode(query + length + 1, n - length - 1);
		query += n;
		if (*query == '&')
			query++;
	}
	return NULL;
}

const char *query_of(const char *url)
{
	const char *at = strpbrk(url, "?#");

	return at != NULL ? at + 1 : "";
}

bool url_is_segment(const char *text)
{
	return text != NULL && text[0] != '\0' && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

bool url_path_ends(const char *url, const char *end)
{
	size_t n = strcspn(url, "?#"), length = strlen(end);

	return n >= length && memcmp(url + n - length, end, length) == 0;
}

char *request_target(char *head, const char *path)
{
	size_t length = strlen(path);
	char *target, *end;

	if (strncmp(head, "GET ", 4) != 0)
		return NULL;
	target = head + 4;
	end = strpbrk(target, " \r\n");
	if (end == NULL || *end != ' ')
		return NULL;
	*end = '\0';
	if (strncmp(target, path, length) != 0)
		return NULL;
	return target[length] == '?' || strncmp(target + length, "/auth/2fa?", 10) == 0 ? target : NULL;
}
