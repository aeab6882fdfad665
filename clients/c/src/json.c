/* json.c — see json.h. */
#include "json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	char *at, *end;
	struct json *nodes;
	size_t n, room;
	unsigned depth;
};

static void skip_space(struct reader *r)
{
	while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
		r->at++;
}

static bool take(struct reader *r, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n) != 0)
		return false;
	r->at += n;
	return true;
}

static bool hex4(struct reader *r, uint32_t *ret)
{
	*ret = 0;
	if (r->end - r->at < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		char c = *r->at++;

		if (c >= '0' && c <= '9')
			*ret = *ret << 4 | (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			*ret = *ret << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return false;
	}
	return true;
}

/* What a \u stands for, in UTF-8; never longer than the escape was. */
static bool read_code_point(struct reader *r, char **out)
{
	uint32_t c, low;
	char *o = *out;

	if (!hex4(r, &c) || c == 0 || (c >= 0xdc00 && c <= 0xdfff))
		return false;
	if (c >= 0xd800 && c <= 0xdbff) {
		if (!take(r, "\\u") || !hex4(r, &low) || low < 0xdc00 || low > 0xdfff)
			return false;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	if (c < 0x80) {
		*o++ = (char)c;
	} else if (c < 0x800) {
		*o++ = (char)(0xc0 | c >> 6);
		*o++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*o++ = (char)(0xe0 | c >> 12);
		*o++ = (char)(0x80 | (c >> 6 & 0x3f));
		*o++ = (char)(0x80 | (c & 0x3f));
	} else {
		*o++ = (char)(0xf0 | c >> 18);
		*o++ = (char)(0x80 | (c >> 12 & 0x3f));
		*o++ = (char)(0x80 | (c >> 6 & 0x3f));
		*o++ = (char)(0x80 | (c & 0x3f));
	}
	*out = o;
	return true;
}

/* The bytes of the code point that begins at p (RFC 3629 §4); 0: none does. */
static size_t utf8_length(const char *p, const char *end)
{
	const unsigned char *s = (const unsigned char *)p;
	size_t left = (size_t)(end - p), n;

	if (s[0] < 0x80)
		return 1;
	n = s[0] >= 0xc2 && s[0] <= 0xdf ? 2 : s[0] >= 0xe0 && s[0] <= 0xef ? 3 : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4 : 0;
	if (n == 0 || left < n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static bool read_escape(struct reader *r, char **out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *which;

	if (r->at == r->end)
		return false;
	if (*r->at == 'u') {
		r->at++;
		return read_code_point(r, out);
	}
	which = *r->at == '\0' ? NULL : strchr(from, *r->at);
	if (which == NULL)
		return false;
	r->at++;
	*(*out)++ = to[which - from];
	return true;
}

/* Over all of a string that nothing is escaped in, which most are, and all long ones: several bytes at once. */
static void skip_plain(struct reader *r)
{
	const char *quote = memchr(r->at, '"', (size_t)(r->end - r->at));
	size_t n = quote != NULL ? (size_t)(quote - r->at) : 0;
	unsigned char strange = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)r->at[i];

		strange |= (unsigned char)((c < 0x20) | (c >= 0x80) | (c == '\\'));
	}
	if (strange == 0)
		r->at += n;
}

/* Behind the opening quote. Unescapes in place: what comes out is never longer. */
static bool read_string(struct reader *r, const char **ret)
{
	char *out;

	*ret = r->at;
	skip_plain(r);
	for (out = r->at;;) {
		size_t n;

		if (r->at == r->end || (unsigned char)*r->at < 0x20)
			return false;
		if (*r->at == '"') {
			r->at++;
			*out = '\0';
			return true;
		}
		if (*r->at == '\\') {
			r->at++;
			if (!read_escape(r, &out))
				return false;
			continue;
		}
		n = utf8_length(r->at, r->end);
		if (n == 0)
			return false;
		memmove(out, r->at, n);
		out += n;
		r->at += n;
	}
}

static void skip_digits(struct reader *r)
{
	while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
		r->at++;
}

static bool is_digit(const struct reader *r)
{
	return r->at < r->end && *r->at >= '0' && *r->at <= '9';
}

/* Its text ends where the number does, not with a zero. */
static bool read_number(struct reader *r, struct json *node)
{
	node->text = r->at;
	(void)take(r, "-");
	if (!is_digit(r))
		return false;
	if (*r->at == '0')
		r->at++;
	else
		skip_digits(r);
	if (take(r, ".")) {
		if (!is_digit(r))
			return false;
		skip_digits(r);
	}
	if (take(r, "e") || take(r, "E")) {
		if (!take(r, "+"))
			(void)take(r, "-");
		if (!is_digit(r))
			return false;
		skip_digits(r);
	}
	return true;
}

static bool read_value(struct reader *r, const char *key, struct json **ret);

/* Behind the opening bracket. */
static bool read_members(struct reader *r, struct json *parent, char closing)
{
	struct json **link = &parent->first;

	skip_space(r);
	if (r->at < r->end && *r->at == closing) {
		r->at++;
		return true;
	}
	for (;;) {
		const char *key = NULL;

		skip_space(r);
		if (parent->kind == JSON_OBJECT) {
			if (!take(r, "\"") || !read_string(r, &key))
				return false;
			skip_space(r);
			if (!take(r, ":"))
				return false;
		}
		if (!read_value(r, key, link))
			return false;
		link = &(*link)->next;
		parent->n++;
		skip_space(r);
		if (take(r, ","))
			continue;
		if (r->at == r->end || *r->at != closing)
			return false;
		r->at++;
		return true;
	}
}

static bool read_value(struct reader *r, const char *key, struct json **ret)
{
	struct json *node;
	bool fine;

	skip_space(r);
	if (r->at == r->end || r->n == r->room || r->depth == JSON_DEPTH_MAX)
		return false;
	node = *ret = &r->nodes[r->n++];
	node->key = key;
	r->depth++;
	switch (*r->at) {
	case '{':
	case '[':
		node->kind = *r->at == '{' ? JSON_OBJECT : JSON_ARRAY;
		r->at++;
		fine = read_members(r, node, node->kind == JSON_OBJECT ? '}' : ']');
		break;
	case '"':
		node->kind = JSON_STRING;
		r->at++;
		fine = read_string(r, &node->text);
		break;
	case 't':
		node->kind = JSON_TRUE;
		fine = take(r, "true");
		break;
	case 'f':
		node->kind = JSON_FALSE;
		fine = take(r, "false");
		break;
	case 'n':
		node->kind = JSON_NULL;
		fine = take(r, "null");
		break;
	default:
		node->kind = JSON_NUMBER;
		fine = read_number(r, node);
		break;
	}
	r->depth--;
	return fine;
}

/* Each value but the first is behind one of these. Counted in bytes, for several at once. */
static size_t values_at_most(const char *text, size_t n)
{
	size_t count = 1;

	while (n > 0) {
		size_t part = n < UINT8_MAX ? n : UINT8_MAX;
		uint8_t some = 0;

		for (size_t i = 0; i < part; i++)
			some = (uint8_t)(some + ((text[i] == ',') | (text[i] == '[') | (text[i] == '{')));
		count += some;
		text += part;
		n -= part;
	}
	return count;
}

bool json_read(char *text, size_t n, struct json **nodes)
{
	struct reader r = { .at = text, .end = text + n, .room = values_at_most(text, n) };
	struct json *root;

	*nodes = NULL;
	if (r.room > JSON_VALUES_MAX)
		return false;
	r.nodes = calloc(r.room, sizeof *r.nodes);
	if (r.nodes == NULL)
		return false;
	*nodes = r.nodes;
	if (!read_value(&r, NULL, &root))
		return false;
	skip_space(&r);
	return r.at == r.end;
}

const struct json *json_get(const struct json *object, const char *key)
{
	if (object == NULL || object->kind != JSON_OBJECT)
		return NULL;
	for (const struct json *m = object->first; m != NULL; m = m->next)
		if (strcmp(m->key, key) == 0)
			return m;
	return NULL;
}

const char *json_string(const struct json *object, const char *key)
{
	const struct json *m = json_get(object, key);

	return m != NULL && m->kind == JSON_STRING ? m->text : NULL;
}

int json_flag(const struct json *object, const char *key)
{
	const struct json *m = json_get(object, key);

	return m != NULL && m->kind == JSON_TRUE;
}

bool json_integer(const struct json *object, const char *key, int64_t *value)
{
	const struct json *m = json_get(object, key);
	char *end;

	if (m == NULL || m->kind != JSON_NUMBER)
		return false;
	errno = 0;
	*value = strtoll(m->text, &end, 10);
	return errno == 0 && *end != '.' && *end != 'e' && *end != 'E';
}
