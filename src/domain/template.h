/* template.h — the texts of mails and SMS: built-in ones in five languages, and those an operator has
 * stored, which win.
 *
 * A template is an HTML base and a text base with `{{T.key}}` (a translated text, or "[key]") and
 * `{{name}}` (a variable, or "[name]"). Translated texts may hold variables; variables are never looked
 * into again. In HTML every variable is escaped; in texts it is one line without controls. Names are
 * taken in any case. Stored bases count only when both are there (else the built-in ones stand); stored
 * texts win over built-in ones key by key. The subject is the text of key "subject". */
#ifndef DOMAIN_TEMPLATE_H
#define DOMAIN_TEMPLATE_H

#include "domain/ctx.h"

struct template_var {
	str name;
	str value;
};

/* Text and HTML are at most this each, else ERR_NO_MEMORY. Rendering takes bases, texts and results: an
 * arena of 1 MiB holds whatever template_check has let in. */
#define TEMPLATE_RESULT_MAX ((size_t)128 * 1024)

struct rendered {
	str subject;
	str text;
	str html; /* n == 0: there is none (SMS) */
};

/* lang: as wanted ("de", "pt-BR"); the first that exists of it, its primary subtag, mail.default_lang
 * and "en" is taken, key by key. `site_name`, `email`… are variables like any other: the caller gives all.
 * Refusal: ERR_NOT_FOUND for an id that is neither built in nor stored. Reads: 2 queries. */
MUST_USE err_t template_render(struct ctx *c, str id, str lang, const struct template_var *vars, size_t n,
			       struct rendered *ret);

/* The substitution alone, pure: for tests and the fuzzer. */
struct template_text {
	str key;
	str value;
};
MUST_USE err_t template_expand(struct arena *mem, str base, bool html, const struct template_text *texts,
			       size_t n_texts, const struct template_var *vars, size_t n_vars, str *ret);

/* ---- for operators ---- */

enum template_part {
	TEMPLATE_PART_UNSET = 0,
	TEMPLATE_HTML,
	TEMPLATE_TEXT,
	TEMPLATE_TRANSLATION, /* a translated text */
};
#define TEMPLATE_UNKNOWN_MAX 16

/* Tries `body` as a part of built-in template `id`, with sample variables and the texts there are in any
 * language. ret: the names that would come out in brackets (slices of what was read), each once.
 * Refusal: ERR_NOT_FOUND for an id that is not built in. Fault: ERR_NO_MEMORY when the result is too
 * large. Reads: 1 query. */
MUST_USE err_t template_check(struct ctx *c, str id, enum template_part part, str body,
			      str ret[TEMPLATE_UNKNOWN_MAX], size_t *ret_n);

/* One text of a template in that language, as rendering would choose it: for lists that are put together before the
 * message is written. Refusal: ERR_NOT_FOUND. */
MUST_USE err_t template_word(struct ctx *c, str id, str lang, str key, str *ret);

#endif
