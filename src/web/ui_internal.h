/* ui_internal.h — what the files of this folder share. */
#ifndef WEB_UI_INTERNAL_H
#define WEB_UI_INTERNAL_H

#include "base/arena.h"
#include "web/ui.h"

#define UI_LANGS_MAX 64
#define UI_FILES_MAX 4 /* theme.css, assets/custom.css, assets/logo, assets/background */

struct ui {
	struct arena mem;
	struct ui_lang langs[UI_LANGS_MAX]; /* the first is English */
	size_t n_langs;
	struct ui_file files[UI_FILES_MAX];
	size_t n_files;
	str logo;        /* an <img>, or nothing */
	str custom_css;  /* a <link>, or nothing */
	str theme_hash;
	struct ui_file openapi; /* the API's description, with this prefix in its paths */
	str img_origins; /* of pictures elsewhere, each after a blank: " https://cdn.example" */
};

/* What is being built, and where to say why not. */
struct ui_load {
	struct ui *ui;
	const struct config *cfg;
	char *why;
	size_t why_max;
};

/* ---- file.c ---- */

/* The whole file, at most `max` bytes, opened below the directory dir_fd (AT_FDCWD: as the name says). Not
 * a symbolic link when `nofollow`.
 * Refusals: ERR_NOT_FOUND; ERR_INPUT: not a plain file, empty or longer. Faults: ERR_IO, ERR_NO_MEMORY. */
MUST_USE err_t file_read(struct arena *mem, int dir_fd, str name, bool nofollow, size_t max, str *ret);
/* "image/png" and so on by the first bytes; NULL: none of the pictures we serve. */
const char *picture_type(str bytes);
/* The bytes live in ui->mem or longer. */
MUST_USE err_t file_make(struct ui *ui, str name, const char *type, str bytes, struct ui_file *ret);
/* The same, and adds it to ui->files. */
MUST_USE err_t file_add(struct ui *ui, str name, const char *type, str bytes, str *ret_hash);

/* ---- lang.c, theme.c ---- */

MUST_USE err_t langs_load(struct ui_load *l);
MUST_USE err_t theme_load(struct ui_load *l);

/* Text as it may stand in an element or between double quotes. */
void html_escape(struct buf *out, str text);

#endif
