#include "api/body.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define DEPTH_MAX  16
#define NODES_MAX  1000
#define NUMBER_MAX 64

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

static bool is_json(str content_type)
{
	str type, parameters;

	(void)str_cut(content_type, ';', &type, &parameters);
	return str_eq_nocase(str_trim(type), STR("application/json"));
}

/* ---- one field ---- */

static const char *take_text(struct ctx *c, const struct body_field *f, str v, void *out, err_t *ret)
{
	if (f->kind == BODY_TEXT && !utf8_is_plain_text(v))
		return "INVALID";
	if (v.n > f->max)
		return "TOO_LONG";
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
	char *out;
	err_t e;

	out = arena_new(c->mem, char, shape->size);
	REQUIRE(out != NULL, ERR_NO_MEMORY);
	*ret = out;
	if (body.n == 0)
		return OK;
	REQUIRE(is_json(content_type), ERR_MEDIA_TYPE);
	REQUIRE(within_limits(body) && utf8_is_valid(body), ERR_JSON);
	tree = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
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
