/* Templates from bytes: base, texts and variables are the parts between NUL bytes. The expansion
 * ends, is bounded, and no variable brings markup into HTML or a line end into text. */
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "domain/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define N_TEXTS 3
#define N_VARS	4

static void must(bool holds)
{
	if (!holds)
		abort();
}

static str next_part(str *rest)
{
	str head, tail;

	(void)str_cut(*rest, '\0', &head, &tail);
	*rest = tail;
	return head;
}

static bool has_any(str s, const char *bytes)
{
	for (; *bytes != '\0'; bytes++) {
		if (str_has_byte(s, *bytes))
			return true;
	}
	return false;
}

/* Whether base or texts hold one of the bytes themselves. */
static bool own(str base, const struct template_text *texts, const char *bytes)
{
	for (size_t i = 0; i < N_TEXTS; i++) {
		if (has_any(texts[i].value, bytes))
			return true;
	}
	return has_any(base, bytes);
}

static void check_result(str got, bool html, str base, const struct template_text *texts)
{
	must(got.n <= TEMPLATE_RESULT_MAX);
	must(!html || own(base, texts, "<>\"'") || !has_any(got, "<>\"'"));
	must(own(base, texts, "\r\n\v\f\033") || !has_any(got, "\r\n\v\f\033"));
}

static void check_valid(str got, str base, const struct template_text *texts)
{
	bool valid = utf8_is_valid(base);

	for (size_t i = 0; i < N_TEXTS; i++)
		valid = valid && utf8_is_valid(texts[i].value);
	must(!valid || utf8_is_valid(got));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char memory[512 * 1024];
	struct template_text texts[N_TEXTS] = { 0 };
	struct template_var vars[N_VARS] = { 0 };
	str rest = str_of_bytes(data, size), base = next_part(&rest);
	struct arena mem;

	texts[0].key = STR("a");
	texts[1].key = STR("b");
	texts[2].key = next_part(&rest);
	vars[0].name = STR("x");
	vars[1].name = STR("y");
	vars[2].name = next_part(&rest);
	vars[3].name = STR("T.a"); /* never taken for the text in a base, only inside a text */
	for (size_t i = 0; i < N_TEXTS; i++)
		texts[i].value = next_part(&rest);
	for (size_t i = 0; i < N_VARS; i++)
		vars[i].value = next_part(&rest);
	for (int html = 0; html <= 1; html++) {
		err_t e;
		str got;

		arena_init_fixed(&mem, memory, sizeof(memory));
		e = template_expand(&mem, base, html == 1, texts, N_TEXTS, vars, N_VARS, &got);
		must(e.code == ERR_OK || e.code == ERR_NO_MEMORY);
		if (e.code != ERR_OK)
			continue;
		check_result(got, html == 1, base, texts);
		check_valid(got, base, texts);
	}
	return 0;
}
