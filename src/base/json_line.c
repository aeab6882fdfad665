#include "base/json_line.h"

err_t json_line_begin(struct json_line *l)
{
	*l = (struct json_line){ .b = { .p = malloc(JSON_LINE_MAX), .cap = JSON_LINE_MAX } };
	REQUIRE(l->b.p != NULL, ERR_NO_MEMORY);
	out_begin(&l->o, &l->b);
	return OK;
}

err_t json_line_end(struct json_line *l, FILE *out)
{
	bool whole = !l->b.overflow && l->o.depth == 0 && l->b.n > 0;

	if (whole)
		(void)fprintf(out, "%.*s\n", STR_ARG(buf_view(&l->b)));
	free(l->b.p);
	l->b = (struct buf){ 0 };
	REQUIRE(whole, ERR_BUG);
	return OK;
}

void json_text(struct json_out *o, str key, str v)
{
	out_key(o, key);
	out_value_str(o, v);
}

void json_time(struct json_out *o, str key, int64_t ms)
{
	out_key(o, key);
	if (ms == 0)
		out_value_null(o);
	else
		out_value_time(o, ms);
}
