/* embedded.h — web/ and docs/openapi.yaml, compiled in by tools/embed.py. Only what stands in these tables
 * is served: no name of a file is ever made from what a client sent. */
#ifndef WEB_EMBEDDED_H
#define WEB_EMBEDDED_H

#include "base/str.h"

/* What stands behind a piece of a template. */
enum embedded_mark {
	MARK_NONE = 0, /* nothing: the last piece */
	MARK_NONCE,
	MARK_LANG,
	MARK_DIR,       /* "ltr" or "rtl" */
	MARK_BASE,      /* "{prefix}/ui/" */
	MARK_PREFIX,
	MARK_SITE_NAME,
	MARK_HOME,
	MARK_CONFIG,    /* a JSON object for a script */
	MARK_LOGO,      /* an <img>, or nothing */
	MARK_CUSTOM_CSS, /* a <link> to the operator's style sheet, or nothing */
	MARK_THEME,     /* the address of theme.css */
	MARK_TEXT,      /* the index-th text */
};

struct embedded_part {
	str text;
	enum embedded_mark mark;
	unsigned index;
};

struct embedded_key {
	unsigned index; /* in embedded_keys */
};

struct embedded_page {
	str name; /* "change-email/confirm" */
	const struct embedded_part *parts;
	size_t n_parts;
	const struct embedded_key *keys; /* the texts that it and its scripts use */
	size_t n_keys;
};

struct embedded_asset {
	str name; /* "base.css" */
	const char *type;
	str hash; /* 16 hex digits of its SHA-256 */
	str bytes;
};

extern const struct embedded_page embedded_pages[];
extern const size_t n_embedded_pages;
extern const struct embedded_asset embedded_assets[];
extern const size_t n_embedded_assets;

/* The viewer of the API's description, and the description; the viewer's files. */
enum embedded_doc {
	DOC_VIEWER,
	DOC_OPENAPI,
};
extern const struct embedded_page embedded_docs[];
extern const struct embedded_asset embedded_docs_assets[];
extern const size_t n_embedded_docs_assets;

/* Names of texts, sorted; each language has one text for each. The first language is English. */
extern const str embedded_keys[];
extern const size_t n_embedded_keys;
struct embedded_lang {
	str tag;
	const str *texts;
};
#define N_EMBEDDED_LANGS 5
extern const struct embedded_lang embedded_langs[N_EMBEDDED_LANGS + 1];

#endif
