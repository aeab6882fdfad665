/* lang_tag.h — languages as platforms write them, read in one way everywhere: "de", "de-DE", "pt_BR", "it_IT.UTF-8",
 * "sr_RS@latin", "de-DE-1996", "zh-Hans-CN", and lists of them, with weights (RFC 9110 §12.5.4) or without.
 * Sources: RFC 5646 §2.1; POSIX.1-2017 8.2; CLDR's identifiers. */
#ifndef BASE_LANG_TAG_H
#define BASE_LANG_TAG_H

#include "base/arena.h"

#define LANG_TAG_MAX  10 /* "zh-Hant-TW" */
#define LANG_TAGS_MAX 16 /* of a list; what comes after them is not looked at */

struct lang_tag {
	char text[LANG_TAG_MAX]; /* language, script and region: "de", "de-DE", "zh-Hant-TW", in the case they came in */
	size_t n;
	int weight; /* thousandths, 1 to 1000 */
};

/* The tags of a list, the heaviest first; of equal ones the first. What is none (POSIX "C", "*", a weight of 0) is left out.
 * Returns how many, at most LANG_TAGS_MAX. */
size_t lang_tags(str list, struct lang_tag ret[LANG_TAGS_MAX]);

static inline str lang_tag_str(const struct lang_tag *t)
{
	return (str){ t->text, t->n };
}

/* "de" of "de-DE"; points into the tag. */
str lang_primary(str tag);

/* The first of lang_tags() in the arena; STR_NONE when there is none (or no memory: then the default will do). */
str lang_best(struct arena *mem, str list);

#endif
