/* config_table.h — the table of settings and what follows from a row, inside config*.c only. The grammars that rows
 * name are in config_grammar.h. */
#ifndef APP_CONFIG_TABLE_H
#define APP_CONFIG_TABLE_H

#include "app/config.h"

enum setting_kind {
	SETTING_UNSET = 0,
	SETTING_TEXT,     /* str */
	SETTING_LIST,     /* struct str_list, comma-separated */
	SETTING_WORD,     /* str, one of `words` */
	SETTING_ENUM,     /* an enum: words[i] is value i + 1 */
	SETTING_BOOL,
	SETTING_INT,      /* int64_t, as the next two */
	SETTING_SIZE,
	SETTING_DURATION,
	SETTING_SECRET,   /* struct secret: random bytes of our own */
	SETTING_PASSWORD, /* struct secret: text that another service has given us */
	SETTING_PEM,      /* struct secret: a private key, from a file of its own */
};

struct setting {
	const char *key;
	const char *def;             /* as it would stand in a file */
	const char *dev;             /* with --dev; NULL: the same */
	const char *help;
	size_t offset;               /* in struct config */
	int64_t min, max;
	const char *const *words;    /* ended by NULL */
	bool (*check)(str text);     /* TEXT, and each item of a LIST */
	const char *what;            /* what `check` lets pass: "… is not <what>" */
	enum setting_kind kind;
	bool restart;                /* a change takes effect at the next start */
	bool hush;                   /* the value may hold a password: not shown in problems */
};

#define SETTINGS_MAX 192
#define SETTING_TEXT_MAX ((size_t)1024)
extern const struct setting settings[];
extern const size_t n_settings; /* <= SETTINGS_MAX */

/* The rows of a section [oauth.NAME]: keys without it, offsets in struct oauth_settings. */
#define PROVIDER_KEYS_MAX 32
extern const struct setting provider_settings_table[];
extern const size_t n_provider_settings; /* <= PROVIDER_KEYS_MAX */

#define ROWS_MAX (SETTINGS_MAX + OAUTH_PROVIDERS_MAX * PROVIDER_KEYS_MAX)

/* Where a value came from. */
struct origin {
	enum {
		ORIGIN_UNSET = 0,
		ORIGIN_DEFAULT,
		ORIGIN_DEV,
		ORIGIN_FILE,
		ORIGIN_ENVIRONMENT,
		ORIGIN_DATA, /* SALLYPORT_DATA */
		ORIGIN_COMMAND_LINE,
	} from;
	int line; /* of the file */
};

/* What config_load really allocates. */
struct loaded_config {
	struct config cfg; /* first: a struct config * is one of these */
	struct arena mem;
	str file;
	struct setting *more; /* rows of the sections [oauth.NAME], after those of the table */
	size_t n_more;
	struct origin origin[ROWS_MAX];
};

/* All rows of a configuration: the table's, then those of its providers. */
static inline size_t rows_n(const struct loaded_config *l)
{
	return n_settings + l->n_more;
}
static inline const struct setting *row_at(const struct loaded_config *l, size_t i)
{
	return i < n_settings ? &settings[i] : &l->more[i - n_settings];
}

static inline void *setting_member(const struct setting *s, struct config *cfg)
{
	return (char *)cfg + s->offset;
}
static inline const void *setting_value(const struct setting *s, const struct config *cfg)
{
	return (const char *)cfg + s->offset;
}

/* "SALLYPORT_SERVER_LISTEN" */
void setting_env_name(const struct setting *s, struct buf *out);
/* "a whole number from 1 to 1024" */
void setting_allowed(const struct setting *s, struct buf *out);
bool setting_equal(const struct setting *s, const struct config *a, const struct config *b);

#endif
