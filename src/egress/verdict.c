/* A wrong "later" costs a second copy, a wrong "sent" loses the message: in doubt it is "later".
 * Age ends the attempts, not this file. */
#include "egress/verdict.h"

#include <jansson.h>
#include <string.h>

#include "base/buf.h"
#include "base/json_depth.h"
#include "base/utf8.h"

#define CODE_DIGITS  6	/* of a one-time code; numbers are longer */
#define TOKEN_LENGTH 24 /* of the shortest token in a link */

/* ---- bodies that say no ---- */

static str text_of(const json_t *v)
{
	return json_is_string(v) ? (str){ json_string_value(v), json_string_length(v) } : STR_NONE;
}

/* A member that is there and does not mean "none". */
static bool says_something(const json_t *object, const char *name)
{
	const json_t *v = json_object_get(object, name);

	if (v == NULL || json_is_null(v) || json_is_false(v))
		return false;
	if (json_is_string(v))
		return json_string_length(v) > 0 && !str_eq(text_of(v), STR("0"));
	if (json_is_number(v))
		return json_number_value(v) < 0 || json_number_value(v) > 0;
	if (json_is_array(v))
		return json_array_size(v) > 0;
	return json_is_true(v) || json_object_size(v) > 0;
}

static bool status_is_bad(str status)
{
	static const char *const bad[] = { "error",	  "failed",   "failure",
					   "undelivered", "rejected", "invalid" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (str_eq_nocase(status, str_of_cstr(bad[i])))
			return true;
	}
	return false;
}

static bool object_says_no(const json_t *o)
{
	return says_something(o, "error") || says_something(o, "errors") ||
	       says_something(o, "error_code") || json_is_false(json_object_get(o, "success")) ||
	       json_is_false(json_object_get(o, "ok")) ||
	       status_is_bad(text_of(json_object_get(o, "status")));
}

static bool text_says_no(str body)
{
	while (body.n > 0 && (unsigned char)body.p[0] <= ' ')
		body = str_skip(body, 1);
	return (body.n >= 3 && str_eq_nocase((str){ body.p, 3 }, STR("ERR"))) ||
	       (body.n >= 4 && str_eq_nocase((str){ body.p, 4 }, STR("FAIL")));
}

static bool body_says_no(str body)
{
	json_t *tree = NULL;
	bool no;

	if (body.n > 0 && !json_nests_too_deep(body))
		tree = json_loadb(body.p, body.n, JSON_ALLOW_NUL, NULL);
	no = json_is_object(tree) ? object_says_no(tree) : text_says_no(body);
	json_decref(tree);
	return no;
}

/* ---- the verdict ---- */

static enum delivery_verdict judge(int status, str body, str expect)
{
	if (status >= 200 && status <= 299)
		return !str_has(body, expect) || body_says_no(body) ? DELIVERY_LATER
								     : DELIVERY_SENT;
	if (status == 400 || status == 413 || status == 422)
		return DELIVERY_REFUSED;
	/* Wrong credentials, no credit or a wrong URL: no message would go, so none is given up for it. */
	if (status == 401 || status == 402 || status == 403 || status == 404 || status == 405 || status == 429)
		return DELIVERY_DOWN;
	return status >= 400 && status <= 499 ? DELIVERY_LATER : DELIVERY_DOWN;
}

/* ---- the detail ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word_byte(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       c == '-';
}

static size_t word_length(str s, bool *ret_secretive)
{
	size_t n = 0, digits = 0;

	for (; n < s.n && is_word_byte(s.p[n]); n++)
		digits += is_digit(s.p[n]);
	*ret_secretive = digits >= CODE_DIGITS || n >= TOKEN_LENGTH;
	return n;
}

/* The next word or character of the body, as it may be shown. */
static size_t plain_piece(str s, str *ret)
{
	bool secretive;
	uint32_t point;
	size_t n = word_length(s, &secretive);

	*ret = secretive ? STR("***") : (str){ s.p, n };
	if (n > 0)
		return n;
	n = utf8_next(s, &point);
	*ret = n > 0 && utf8_is_plain_point(point) ? (str){ s.p, n } : STR(" ");
	return n > 0 ? n : 1;
}

static void append_plain(struct buf *b, str body)
{
	str piece;

	while (body.n > 0 && !b->overflow) {
		body = str_skip(body, plain_piece(body, &piece));
		if (!str_eq(piece, STR(" ")) || b->p[b->n - 1] != ' ')
			buf_str(b, piece);
	}
}

static void put_detail(const struct client_reply *r, struct delivery *ret)
{
	struct buf b = { .p = ret->detail, .cap = sizeof(ret->detail) - 1 };

	buf_printf(&b, "HTTP %d", r->status);
	if (ret->verdict != DELIVERY_SENT && r->body.n > 0) {
		buf_lit(&b, ": ");
		append_plain(&b, r->body);
	}
	ret->detail[b.n] = '\0';
}

void verdict_of_reply(const struct client_reply *r, str expect, struct delivery *ret)
{
	if (r->status == 0) {
		verdict_set(ret, DELIVERY_DOWN, r->problem);
		return;
	}
	ret->verdict = judge(r->status, r->body, expect);
	put_detail(r, ret);
}

void verdict_set(struct delivery *ret, enum delivery_verdict verdict, str detail)
{
	struct buf b = { .p = ret->detail, .cap = sizeof(ret->detail) - 1 };

	buf_str(&b, utf8_cut(detail, b.cap));
	ret->detail[b.n] = '\0';
	ret->verdict = verdict;
}
