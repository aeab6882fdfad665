/* outbox.h — messages on their way out. A message is written in the transaction of the fact that causes
 * it; jobs/sender.c sends it and deletes the row. Its variables hold links and codes, so they are sealed.
 *
 * At least once: a message is lost by no crash, and at most the one that was being sent is sent twice,
 * under the same Message-ID. */
#ifndef DOMAIN_OUTBOX_H
#define DOMAIN_OUTBOX_H

#include "domain/ctx.h"
#include "domain/template.h"
#include "store/rows.h"

enum outbox_channel {
	OUTBOX_UNSET = 0,
	OUTBOX_MAIL,
	OUTBOX_SMS,
};
#define N_OUTBOX_CHANNELS 3
#define OUTBOX_VARS_MAX   12

struct outbox_message {
	enum outbox_channel channel;
	str template;       /* id */
	str lang;           /* STR_NONE: mail.default_lang */
	str recipient;      /* address (domain in A-labels) or E.164 number */
	int64_t user_id;    /* the message goes with the account when that is deleted; 0: nobody's */
	int64_t expires_ms; /* not sent after; 0: outbox.max_age decides */
	struct template_var vars[OUTBOX_VARS_MAX];
	size_t n_vars;
};

/* Inside the open transaction. Sets c->outbox_added, by which dispatch wakes the sender. Does nothing, and
 * is OK, when the channel has no transport. */
MUST_USE err_t outbox_add(struct ctx *c, const struct outbox_message *m);

/* ---- for the sender ---- */

struct outbox_item {
	int64_t id;
	str uid; /* 16 bytes */
	str recipient, template, lang;
	int64_t created_ms, expires_ms;
	int64_t attempts; /* this one included */
	str problem;      /* what came of the one before; STR_NONE: this is the first */
	struct template_var vars[OUTBOX_VARS_MAX];
	size_t n_vars;
};

/* Takes the message due longest, counts the attempt and keeps it from others for lease_ms. In the arena.
 * *ret_found false: there is nothing to send; *ret_next_ms is when to ask again (INT64_MAX: nothing waits).
 * A message that does not open (another key) is dead then, and not handed out. Cost: 1 read, and 1 transaction
 * when something is due. */
MUST_USE err_t outbox_claim(struct ctx *c, enum outbox_channel channel, int64_t lease_ms,
			    struct outbox_item *ret, bool *ret_found, int64_t *ret_next_ms);
/* One transaction each. */
MUST_USE err_t outbox_sent(struct ctx *c, int64_t id);
MUST_USE err_t outbox_expired(struct ctx *c, int64_t id);
MUST_USE err_t outbox_retry_at(struct ctx *c, int64_t id, int64_t next_ms, str problem);
MUST_USE err_t outbox_give_up(struct ctx *c, int64_t id, str problem);
/* At the start of the server: what a killed one had taken is due again at once. */
MUST_USE err_t outbox_release_leases(struct ctx *c, int64_t *ret_n);

/* Delete what has been dead for OUTBOX_DEAD_MS, at most limit_n of each channel. Background sweep. */
#define OUTBOX_DEAD_MS (30 * MS_PER_DAY)
MUST_USE err_t outbox_sweep(struct ctx *c, int64_t limit_n, int64_t *ret_n);

struct outbox_depth {
	int64_t waiting, dead;
	int64_t oldest_ms; /* created; 0: nothing waits */
};
MUST_USE err_t outbox_depth(struct ctx *c, enum outbox_channel channel, struct outbox_depth *ret);

/* ---- for operators ---- */

MUST_USE err_t outbox_page(struct ctx *c, int64_t after_id, int64_t limit_n, struct outbox_row **ret,
			   size_t *ret_n);
/* id 0: all dead ones. *ret_n: how many were found. */
MUST_USE err_t outbox_retry(struct ctx *c, int64_t id, int64_t *ret_n);
MUST_USE err_t outbox_drop(struct ctx *c, int64_t id, int64_t *ret_n);

#endif
