#include "oauth/finding.h"

#include "base/plain_line.h"
#include "oauth/answer.h"

#define SECRET_MIN 40 /* an id has 36 characters, a token has more */

/* ---- cleaning ---- */

static bool is_token_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static bool holds_token(str word)
{
	size_t run = 0;

	for (size_t i = 0; i < word.n && run < SECRET_MIN; i++)
		run = is_token_byte(word.p[i]) ? run + 1 : 0;
	return run >= SECRET_MIN;
}

/* Blank: a space or any control. */
static bool is_blank(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7F;
}

void finding_clean(struct buf *b, str text)
{
	while (text.n > 0 && b->cap - b->n >= 4) { /* the longest character */
		size_t n = 0;
		str word;

		while (n < text.n && !is_blank(text.p[n]))
			n++;
		word = (str){ text.p, n };
		if (str_has_byte(word, '@'))
			word = STR("(address)");
		else if (holds_token(word))
			word = STR("(token)");
		plain_line(b, word);
		if (n < text.n)
			plain_line(b, STR(" "));
		text = str_skip(text, n < text.n ? n + 1 : n);
	}
}

static void put(char *to, size_t max, str text)
{
	struct buf b = { .p = to, .cap = max };

	finding_clean(&b, text);
	to[b.n] = '\0';
}

/* ---- what is noted ---- */

void finding_check(struct finding *f, const char *check, str alg)
{
	if (f == NULL)
		return;
	f->check = check;
	put(f->alg, sizeof(f->alg) - 1, alg);
}

void finding_said(struct finding *f, str error, str description)
{
	if (f == NULL)
		return;
	put(f->error, FINDING_ERROR_MAX, error);
	put(f->description, FINDING_TEXT_MAX, description);
}

static str first_of(const json_t *tree, const char *const *names, size_t n)
{
	str text = STR_NONE;

	for (size_t i = 0; i < n && text.n == 0; i++)
		text = answer_text(tree, names[i]);
	return text;
}

void finding_read(struct finding *f, struct arena *mem, str body)
{
	static const char *const kinds[] = { "error", "type", "status", "code" };
	static const char *const texts[] = { "error_description", "message", "error_uri" };
	TREE_FREED json_t *tree = NULL;
	const json_t *at;

	if (f == NULL || answer_tree(mem, body, &tree).code != ERR_OK)
		return;
	at = json_is_object(json_object_get(tree, "error")) ? json_object_get(tree, "error") : tree;
	finding_said(f, first_of(at, kinds, 4), first_of(at, texts, 3));
}

void finding_answer(struct finding *f, struct arena *mem, str url, const struct outside_reply *reply)
{
	str query;

	if (f == NULL)
		return;
	(void)str_cut(url, '?', &f->url, &query);
	f->status = reply->status;
	if (reply->status != 0 && reply->status != 200)
		finding_read(f, mem, reply->body);
}

bool finding_is_down(str error)
{
	return str_eq(error, STR("temporarily_unavailable")) || str_eq(error, STR("server_error"));
}
