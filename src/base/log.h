/* log.h — one event, one line, on standard error. JSON by default, "text" for a console.
 *
 * Writing never blocks a request: lines go through a bounded ring to one writer thread; when the
 * reader of our stderr stalls, lines are dropped and counted ("log_dropped" in the next line).
 * Never log bodies, tokens, codes, cookies or Authorization; ids only. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/config.h"
#include "base/err.h"
#include "base/str.h"

/* A field of a line. Text is escaped and cut at 512 bytes. */
struct log_field {
	const char *key;
	enum log_kind { LOG_KIND_STR = 1, LOG_KIND_INT, LOG_KIND_RAW } kind;
	str s;
	int64_t i;
};
#define LOG_STR(k, v) ((struct log_field){ .key = (k), .kind = LOG_KIND_STR, .s = (v) })
#define LOG_CSTR(k, v) LOG_STR((k), str_of_cstr(v))
#define LOG_INT(k, v) ((struct log_field){ .key = (k), .kind = LOG_KIND_INT, .i = (v) })

MUST_USE err_t log_start(int fd, bool json, enum log_level level); /* starts the writer thread */
void log_set(bool json, enum log_level level);                     /* after a reload */
void log_stop(void);                                               /* writes what is queued */
bool log_wants(enum log_level level);
int64_t log_dropped(void);

/* {"ts":…,"level":…,"event":event, fields…}. Before log_start it writes directly. */
void log_fields(enum log_level level, const char *event, const struct log_field *f, size_t n);
#define log_event(level, event, ...)                                                         \
	log_fields((level), (event), (const struct log_field[]){ __VA_ARGS__ },              \
		   sizeof((const struct log_field[]){ __VA_ARGS__ }) / sizeof(struct log_field))

#endif
