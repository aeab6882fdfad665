#include "base/lang_tag.h"

#include <string.h>

static bool is_letters(str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char lower = (char)(s.p[i] | 0x20);

		if (lower < 'a' || lower > 'z')
			return false;
	}
	return s.n > 0;
}

static void add(struct lang_tag *t, str subtag)
{
	if (t->n > 0)
		t->text[t->n++] = '-';
	memcpy(t->text + t->n, subtag.p, subtag.n);
	t->n += subtag.n;
}

static bool cut_subtag(str s, str *ret, str *rest)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '-' || s.p[i] == '_') {
			*ret = (str){ s.p, i };
			*rest = str_skip(s, i + 1);
			return true;
		}
	}
	*ret = s;
	*rest = STR_NONE;
	return false;
}

/* Language, then a script of four letters, then a region of two: no text of ours is chosen by more. */
static bool read_tag(str s, struct lang_tag *ret)
{
	str codeset, subtag, rest;
	bool more;

	(void)str_cut(s, '@', &s, &codeset);
	(void)str_cut(s, '.', &s, &codeset);
	*ret = (struct lang_tag){ .n = 0 };
	more = cut_subtag(s, &subtag, &rest);
	if (!is_letters(subtag) || subtag.n < 2 || subtag.n > 3)
		return false;
	add(ret, subtag);
	while (more) {
		more = cut_subtag(rest, &subtag, &rest);
		if (subtag.n == 1) /* extensions and private use, RFC 5646 §2.2.6 */
			break;
		if (is_letters(subtag) && (subtag.n == 2 || subtag.n == 4) && ret->n + 1 + subtag.n <= LANG_TAG_MAX)
			add(ret, subtag);
	}
	return true;
}

/* ";q=0.8" in thousandths; what cannot be read is 0. */
static int weight_of(str params)
{
	str value = str_trim(params), digits;
	uint64_t whole, rest = 0;

	if (value.n == 0)
		return 1000;
	if (!str_starts(value, STR("q=")) && !str_starts(value, STR("Q=")))
		return 0;
	(void)str_cut(str_skip(value, 2), '.', &value, &digits);
	if (!str_to_u64(value, 1, &whole) || digits.n > 3 || (digits.n > 0 && !str_to_u64(digits, 999, &rest)))
		return 0;
	for (size_t i = digits.n; i < 3; i++)
		rest *= 10;
	return whole == 1 ? 1000 : (int)rest;
}

/* Behind all that are as heavy. */
static void insert(struct lang_tag *tags, size_t n, struct lang_tag t)
{
	size_t at = n;

	for (; at > 0 && tags[at - 1].weight < t.weight; at--)
		tags[at] = tags[at - 1];
	tags[at] = t;
}

/* glibc's LANGUAGE has colons, everybody else commas. */
static void cut_item(str list, str *ret_item, str *ret_rest)
{
	for (size_t i = 0; i < list.n; i++) {
		if (list.p[i] == ',' || list.p[i] == ':') {
			*ret_item = (str){ list.p, i };
			*ret_rest = str_skip(list, i + 1);
			return;
		}
	}
	*ret_item = list;
	*ret_rest = STR_NONE;
}

size_t lang_tags(str list, struct lang_tag ret[LANG_TAGS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < LANG_TAGS_MAX && list.n > 0; i++) {
		struct lang_tag t;
		str item, tag, params;
		int weight;

		cut_item(list, &item, &list);
		(void)str_cut(item, ';', &tag, &params);
		weight = weight_of(params);
		if (weight <= 0 || !read_tag(str_trim(tag), &t))
			continue;
		t.weight = weight;
		insert(ret, n++, t);
	}
	return n;
}

str lang_primary(str tag)
{
	str primary, rest;

	(void)cut_subtag(tag, &primary, &rest);
	return primary;
}

str lang_best(struct arena *mem, str list)
{
	struct lang_tag tags[LANG_TAGS_MAX];
	str ret;

	if (lang_tags(list, tags) == 0 || arena_copy(mem, lang_tag_str(&tags[0]), &ret).code != ERR_OK)
		return STR_NONE;
	return ret;
}
