/* smtp.h — hands a finished message to the SMTP server of the settings. */
#ifndef EGRESS_SMTP_H
#define EGRESS_SMTP_H

#include "base/arena.h"
#include "base/config.h"
#include "egress/delivery.h"

/* One per thread; keeps its connection between mails. */
struct smtp;
MUST_USE err_t smtp_new(struct smtp **ret); /* ERR_NO_MEMORY */
void smtp_free(struct smtp *s); /* NULL is a no-op. Says QUIT, and waits for no answer */
/* From any thread: a transfer under way, and every later one, ends within a second. */
void smtp_abort(struct smtp *s);

/* to, and cfg->mail.from: plain ASCII addresses (mime_is_address). message: lines end in CRLF.
 * Blocks at most cfg->mail.timeout_ms. A password is sent over TLS only, unless smtp_tls is off.
 * Always leaves a verdict (smtp_reply.h says which). */
void smtp_send(struct smtp *s, const struct config *cfg, str to, str message, struct arena *mem,
	       struct delivery *ret);

/* The same as far as the server lets us in: connection, TLS, EHLO, password; then NOOP, and nothing is sent. Its own word
 * in the detail where it does not. DELIVERY_SENT: it would take a mail. */
void smtp_look(struct smtp *s, const struct config *cfg, struct arena *mem, struct delivery *ret);

#endif
