/* template_texts.h — the built-in templates: their bases, their texts in English, Italian, German,
 * French and Spanish, and sample variables for trying them. All static. */
#ifndef DOMAIN_TEMPLATE_TEXTS_H
#define DOMAIN_TEMPLATE_TEXTS_H

#include "domain/template.h"

enum template_lang {
	TEMPLATE_EN,
	TEMPLATE_IT,
	TEMPLATE_DE,
	TEMPLATE_FR,
	TEMPLATE_ES,
};
#define N_TEMPLATE_LANGS 5

struct template_builtin_text {
	str key;
	str value[N_TEMPLATE_LANGS];
};

struct template_builtin {
	str id;
	str occasion; /* when it is sent, for lists */
	str html;     /* n == 0: there is none (SMS) */
	str text;
	const struct template_builtin_text *texts;
	size_t n_texts;
	const struct template_var *vars; /* all its variables, with sample values */
	size_t n_vars;
};

/* NULL: not built in. */
const struct template_builtin *template_builtin(str id);
/* The i-th, for lists; NULL: there are no more. */
const struct template_builtin *template_builtin_at(size_t i);

/* "en"…; STR_NONE past the last. */
str template_builtin_lang(size_t i);

/* The template's own texts in that language (in any case), then those all share, into `ret`, which
 * has room for TEMPLATE_BUILTIN_TEXTS_MAX. Returns how many: 0 when the language is not built in.
 */
#define TEMPLATE_BUILTIN_TEXTS_MAX 16
size_t template_builtin_texts(const struct template_builtin *b, str lang,
			      struct template_text *ret);

#endif
