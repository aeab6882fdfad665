/* ui.h — the hosted pages: the templates of web/ui with one set of settings and the languages there are.
 * Made anew at each reload, immutable, shared by all threads. */
#ifndef WEB_UI_H
#define WEB_UI_H

#include "base/buf.h"
#include "base/config.h"
#include "base/err.h"
#include "web/embedded.h"

struct ui;

/* A language: one text for each of embedded_keys, English where it has none of its own. */
struct ui_lang {
	str tag;
	bool rtl;
	const str *texts;
	const str *html; /* the same, escaped */
};

struct ui_file {
	str name;
	const char *type;
	str hash;    /* of the bytes, 16 characters */
	str bytes;
	bool is_own; /* lives as long as the struct ui; else as long as the program */
};

/* Reads the files that cfg names (ui.logo_file, ui.bg_file, ui.css_file, ui.lang_dir). What is wrong with a
 * language is a warning in the log, and the rest of it counts.
 * Refusal: ERR_CONFIG with one line in `why` that names the setting. Faults: ERR_NO_MEMORY. */
MUST_USE err_t ui_new(const struct config *cfg, struct ui **ret, char *why, size_t why_max);
void ui_free(struct ui *ui); /* NULL is a no-op */

/* The page of that name ("login", "change-email/confirm"), in any case; NULL: there is none. */
const struct embedded_page *ui_page_find(str name);
/* A style sheet, a script or a picture, in any case. */
bool ui_file_find(const struct ui *ui, str name, struct ui_file *ret);
bool ui_docs_file_find(str name, struct ui_file *ret);

/* `wanted` (of the query, any text), else the best of Accept-Language, else mail.default_lang, else English. */
const struct ui_lang *ui_lang_choose(const struct ui *ui, const struct config *cfg, str wanted, str accept);

/* The page's text, with `nonce` at its scripts. return_path: one that return_path_ok
 * lets pass, the checked address of an app, or nothing. */
void ui_page_write(const struct ui *ui, const struct config *cfg, const struct embedded_page *page,
		   const struct ui_lang *lang, str nonce, str return_path, struct buf *out);
/* The viewer of the API's description, in English, and the description. */
void ui_docs_write(const struct ui *ui, const struct config *cfg, str nonce, struct buf *out);
const struct ui_file *ui_openapi(const struct ui *ui);

/* The configuration for scripts and apps (contract: /ui/config). page NULL: with all texts. `headless` stands
 * in it when it is an answer, and not inside a page. */
void ui_config_write(const struct ui *ui, const struct config *cfg, const struct embedded_page *page,
		     const struct ui_lang *lang, str return_path, bool is_answer, struct buf *out);

/* Content-Security-Policy of a page with that nonce. */
void ui_policy_write(const struct ui *ui, const struct config *cfg, str nonce, struct buf *out);

#endif
