#include "api/body.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/typed.h"
#include "base/utf8.h"
#include "domain/recovery.h"

#define DEPTH_MAX  16
#define NODES_MAX  1000
#define NUMBER_MAX 64
#define CODE_DIGITS 6

/* ---- jansson's memory: the request's arena, so that its cap and its wiping hold here too ---- */

static _Thread_local struct arena *tree_mem;

static void *tree_alloc(size_t n)
{
	return tree_mem == NULL ? malloc(n) : arena_take(tree_mem, 1, n);
}

static void tree_free(void *p)
{
	uintptr_t at = (uintptr_t)p;

	/* A tree is freed before its arena is reset, so the address alone tells whose it is. */
	if (tree_mem != NULL && at >= (uintptr_t)tree_mem->base &&
	    at < (uintptr_t)tree_mem->base + tree_mem->cap)
		return;
	free(p);
}

void body_init(void)
{
	json_set_alloc_funcs(tree_alloc, tree_free);
}

void body_use_arena(struct arena *mem)
{
	tree_mem = mem;
}

/* ---- limits that jansson does not have ---- */

/* One pass over the raw text, outside strings: depth, number of values, length of numbers. What is
 * not JSON at all is left to the parser. */
static bool within_limits(str body)
{
	size_t depth = 0, nodes = 1, number = 0;
	bool in_string = false;

	for (size_t i = 0; i < body.n; i++) {
		char c = body.p[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
			continue;
		}
		number = (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' ||
					 c == 'E' ?
				 number + 1 :
				 0;
		if (c == '"')
			in_string = true;
		else if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && depth > 0)
			depth--;
		else if (c == ',' || c == ':')
			nodes++;
		if (depth > DEPTH_MAX || nodes > NODES_MAX || number > NUMBER_MAX)
			return false;
	}
	return true;
}

static size_t digits(str s, size_t at)
{
	size_t n = 0;

	while (at + n < s.n && s.p[at + n] >= '0' && s.p[at + n] <= '9')
		n++;
	return n;
}

/* RFC 8259 §6: how long the number at `at` is; 0 when there is none. */
static size_t number_at(str s, size_t at)
{
	size_t i = at, n;

	i += i < s.n && s.p[i] == '-';
	n = digits(s, i);
	if (n == 0 || (n > 1 && s.p[i] == '0'))
		return 0;
	i += n;
	if (i < s.n && s.p[i] == '.') {
		n = digits(s, i + 1);
		if (n == 0)
			return 0;
		i += 1 + n;
	}
	if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
		size_t sign = i + 1 < s.n && (s.p[i + 1] == '+' || s.p[i + 1] == '-') ? 1 : 0;

		n = digits(s, i + 1 + sign);
		if (n == 0)
			return 0;
		i += 1 + sign + n;
	}
	return i - at;
}

/* The parser wants numbers that a machine word holds. RFC 8259 has no such limit, and no member of ours is a number: in a
 * member that is passed over any of them is as good as 0. So that is what the parser is given for larger ones. */
#define NUMBER_PLAIN 15
struct feeding {
	str rest;
	bool in_string, escaped;
};

static void note_byte(struct feeding *f, char c)
{
	if (f->escaped)
		f->escaped = false;
	else if (f->in_string && c == '\\')
		f->escaped = true;
	else if (c == '"')
		f->in_string = !f->in_string;
}

static bool is_large(str number)
{
	return number.n > NUMBER_PLAIN || str_has_byte(number, 'e') || str_has_byte(number, 'E');
}

/* json_load_callback's: at most n bytes more; 0 at the end. */
static size_t feed(void *buffer, size_t n, void *self)
{
	struct feeding *f = self;
	char *to = buffer;
	size_t made = 0;

	while (f->rest.n > 0 && made + NUMBER_PLAIN <= n) {
		size_t len = f->in_string ? 0 : number_at(f->rest, 0);
		str number = { f->rest.p, len };

		if (len == 0) {
			note_byte(f, *f->rest.p);
			to[made++] = *f->rest.p;
			len = 1;
		} else if (is_large(number)) {
			to[made++] = '0';
		} else {
			memcpy(to + made, number.p, len);
			made += len;
		}
		f->rest = str_skip(f->rest, len);
	}
	return made;
}

err_t body_is_plain(str content_encoding, str body)
{
	REQUIRE(body.n == 0 || content_encoding.n == 0 || str_eq_nocase(content_encoding, STR("identity")), ERR_MEDIA_TYPE);
	return OK;
}

static bool is_json(str content_type)
{
	str type, parameters;

	(void)str_cut(content_type, ';', &type, &parameters);
	return str_eq_nocase(str_trim(type), STR("application/json"));
}

/* ---- one field ---- */

/* Six digits, or what is written like a recovery code. */
static bool is_code(enum body_kind kind, str v)
{
	WIPED_ARRAY(char, recovery, RECOVERY_LEN);
	size_t digits = 0;

	for (size_t i = 0; i < v.n; i++)
		digits += v.p[i] >= '0' && v.p[i] <= '9';
	return v.n == 0 || (v.n == CODE_DIGITS && digits == v.n) ||
	       (kind == BODY_FACTOR_CODE && recovery_read(v, recovery));
}

/* As it was meant. */
static err_t clean(struct ctx *c, enum body_kind kind, str raw, str *ret)
{
	switch (kind) {
	case BODY_NAME: return typed_text(c->mem, TYPED_NAME, raw, ret);
	case BODY_WORD: return typed_text(c->mem, TYPED_WORD, raw, ret);
	case BODY_NUMBER: return typed_text(c->mem, TYPED_NUMBER, raw, ret);
	case BODY_CODE:
	case BODY_FACTOR_CODE: return typed_code(c->mem, raw, ret);
	case BODY_UNSET:
	case BODY_TEXT:
	case BODY_SECRET:
	case BODY_BOOL:
	case BODY_REFUSED: break;
	}
	*ret = raw;
	return OK;
}

static const char *take_text(struct ctx *c, const struct body_field *f, str v, void *out, err_t *ret)
{
	bool any = v.n > 0, is_a_code = f->kind == BODY_CODE || f->kind == BODY_FACTOR_CODE;

	if (v.n > f->max)
		return f->kind == BODY_TEXT && !utf8_is_plain_text(v) ? "INVALID" : "TOO_LONG";
	*ret = clean(c, f->kind, v, &v);
	if (ret->code != ERR_OK)
		return NULL;
	if (is_a_code && any && (v.n == 0 || !is_code(f->kind, v)))
		c->not_a_code = f->name;
	if (f->kind == BODY_NAME && any && v.n == 0)
		v = STR_NONE; /* nothing that anybody could see is no name */
	if (f->kind != BODY_SECRET && !utf8_is_plain_text(v))
		return "INVALID";
	if (f->kind == BODY_SECRET) {
		struct secret s = { arena_new(c->mem, uint8_t, v.n + 1), v.n };

		if (s.p == NULL) {
			*ret = err_raise(ERR_NO_MEMORY, __FILE__, __LINE__);
			return NULL;
		}
		memcpy(s.p, v.p, v.n);
		memcpy((char *)out + f->offset, &s, sizeof(s));
		return NULL;
	}
	*ret = arena_copy(c->mem, v, (str *)(void *)((char *)out + f->offset));
	return NULL;
}

static err_t take_field(struct ctx *c, const struct body_field *f, const json_t *v, void *out)
{
	const char *reason = NULL;
	err_t e = OK;

	if (v != NULL && f->kind == BODY_REFUSED) {
		ctx_field(c, f->name, "NOT_ALLOWED");
		return OK;
	}
	if (v == NULL || (json_is_null(v) && f->null_ok && f->set_offset == SIZE_MAX))
		return OK;
	if (f->kind == BODY_BOOL && json_is_boolean(v))
		*(bool *)((char *)out + f->offset) = json_is_true(v);
	else if (f->kind != BODY_BOOL && json_is_string(v))
		reason = take_text(c, f, (str){ json_string_value(v), json_string_length(v) }, out, &e);
	else if (!json_is_null(v) || !f->null_ok)
		reason = "TYPE";
	if (f->set_offset != SIZE_MAX)
		*(bool *)((char *)out + f->set_offset) = true;
	if (reason != NULL)
		ctx_field(c, f->name, reason);
	return e;
}

static err_t take_fields(struct ctx *c, const struct body_shape *shape, const json_t *tree, void *out)
{
	for (size_t i = 0; i < shape->n_fields; i++)
		TRY(take_field(c, &shape->fields[i], json_object_get(tree, shape->fields[i].name), out));
	REQUIRE(c->n_fields == 0, ERR_INPUT);
	return OK;
}

err_t body_read(struct ctx *c, const struct body_shape *shape, str content_type, str body, void **ret)
{
	json_error_t why;
	json_t *tree;
	struct feeding feeding;
	char *out;
	err_t e;

	out = arena_new(c->mem, char, shape->size);
	REQUIRE(out != NULL, ERR_NO_MEMORY);
	*ret = out;
	if (body.n == 0)
		return OK;
	REQUIRE(is_json(content_type), ERR_MEDIA_TYPE);
	if (str_starts(body, STR("\xef\xbb\xbf"))) /* RFC 8259 §8.1: a byte order mark may be ignored */
		body = str_skip(body, 3);
	REQUIRE(within_limits(body) && utf8_is_valid(body), ERR_JSON);
	feeding = (struct feeding){ .rest = body };
	tree = json_load_callback(feed, &feeding, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
	/* jansson does not notice every failed allocation: a tree that was made in want of memory may
	 * hold cut strings, and a syntax error may be none. */
	if (c->mem->exhausted) {
		json_decref(tree);
		FAIL(ERR_NO_MEMORY);
	}
	REQUIRE(tree != NULL, ERR_JSON);
	e = json_is_object(tree) ? take_fields(c, shape, tree, out) :
				   err_raise(ERR_JSON, __FILE__, __LINE__);
	json_decref(tree);
	return e;
}
