/* mailer.h — hands one mail to the transport of the settings: SMTP, an HTTP mailer, or for development
 * standard output and files. Knows nothing of outbox, templates or retries. */
#ifndef EGRESS_MAILER_H
#define EGRESS_MAILER_H

#include "base/arena.h"
#include "base/config.h"
#include "egress/delivery.h"

struct mail {
	str to;         /* the envelope's recipient: ASCII, already checked by domain/email.h */
	str subject;    /* one line of UTF-8; control characters are dropped */
	str text, html; /* UTF-8; html.n == 0: text only */
	str message_id; /* "<left>@<domain>" without angle brackets: the same at every attempt */
	int64_t date_ms;
};

/* One per thread; keeps its connection between mails. */
struct mailer;
MUST_USE err_t mailer_new(struct mailer **ret); /* ERR_NO_MEMORY */
void mailer_free(struct mailer *m);             /* NULL is a no-op */

/* Blocks at most cfg->mail.timeout. Always leaves a verdict. What it allocates is the arena's. */
void mailer_send(struct mailer *m, const struct config *cfg, const struct mail *mail, struct arena *mem,
		 struct delivery *ret);

/* smtp_look (smtp.h), for mail.transport = smtp. */
void mailer_look(struct mailer *m, const struct config *cfg, struct arena *mem, struct delivery *ret);

/* From any thread: a transfer under way, and every later one, ends within a second (DELIVERY_DOWN). */
void mailer_abort(struct mailer *m);

/* Once per process, before threads: libcurl's set-up. Calling it again is harmless. */
MUST_USE err_t egress_init(void);

#endif
