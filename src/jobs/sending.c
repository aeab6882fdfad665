#include "jobs/sending.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/log.h"
#include "domain/uid.h"
#include "jobs/backoff.h"

#define UID_HEX ((size_t)2 * UID_BYTES)

/* ---- the message's names ---- */

static str hex_of(str uid, char out[UID_HEX])
{
	static const char digits[] = "0123456789abcdef";
	size_t n = uid.n < UID_BYTES ? uid.n : UID_BYTES;

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[(unsigned char)uid.p[i] >> 4];
		out[2 * i + 1] = digits[uid.p[i] & 0xf];
	}
	return (str){ out, 2 * n };
}

/* "auth.example.com" of "https://auth.example.com:8443/path"; "[::1]" keeps its brackets. */
static str host_of(str url)
{
	str scheme, rest, head, tail;
	size_t n = 0;

	if (!str_cut(url, '/', &scheme, &rest) || !str_starts(rest, STR("/")))
		return STR("localhost");
	(void)str_cut(str_skip(rest, 1), '/', &head, &tail);
	if (str_starts(head, STR("[")) && str_cut(head, ']', &rest, &tail))
		n = rest.n + 1;
	else if (str_cut(head, ':', &rest, &tail))
		n = rest.n;
	else
		n = head.n;
	return n == 0 ? STR("localhost") : (str){ head.p, n };
}

/* The same at every attempt, so that a mail sent twice can be told for one. */
static err_t message_id(struct ctx *c, const struct outbox_item *item, str *ret)
{
	char hex[UID_HEX];
	str id = hex_of(item->uid, hex), host = host_of(c->cfg->server.public_url);

	return arena_printf(c->mem, ret, "%.*s@%.*s", STR_ARG(id), STR_ARG(host));
}

/* ---- handing over ---- */

static void carry(struct ctx *c, const struct carrier *k, const struct outbox_item *item,
		  const struct rendered *r, str id, struct delivery *ret)
{
	const struct mail mail = {
		.to = item->recipient,
		.subject = r->subject,
		.text = r->text,
		.html = r->html,
		.message_id = id,
		.date_ms = item->created_ms,
	};

	if (k->channel == OUTBOX_SMS)
		texter_send(k->texter, c->cfg, item->recipient, r->text, id, c->mem, ret);
	else
		mailer_send(k->mailer, c->cfg, &mail, c->mem, ret);
}

static void settle(struct sending *s, enum fate fate, const char *problem)
{
	s->fate = fate;
	(void)snprintf(s->problem, sizeof(s->problem), "%s", problem);
}

static void judge(const struct delivery *d, struct sending *ret)
{
	ret->asked = true;
	switch (d->verdict) {
	case DELIVERY_SENT: settle(ret, FATE_SENT, ""); return;
	case DELIVERY_LATER: settle(ret, FATE_RETRY, d->detail); return;
	case DELIVERY_REFUSED: settle(ret, FATE_DEAD, d->detail); return;
	case DELIVERY_DOWN:
		ret->down = true;
		settle(ret, FATE_RETRY, d->detail);
		return;
	case DELIVERY_UNSET: break;
	}
	settle(ret, FATE_RETRY, "the transport left no verdict");
}

/* Faults of the moment; a template that is missing or broken will be so the next time too. */
static bool may_pass(err_t e)
{
	return e.code == ERR_NO_MEMORY || e.code == ERR_STORE || e.code == ERR_STORE_FULL ||
	       e.code == ERR_BUSY;
}

static void cannot_render(err_t e, struct sending *ret)
{
	settle(ret, may_pass(e) ? FATE_RETRY : FATE_DEAD, "");
	(void)snprintf(ret->problem, sizeof(ret->problem), "template: %s %s", err_name(e.code),
		       err_origin());
}

static void too_old(const struct outbox_item *item, struct sending *ret)
{
	settle(ret, FATE_DEAD, "");
	(void)snprintf(ret->problem, sizeof(ret->problem), "older than outbox.max_age%s%.*s",
		       item->problem.n > 0 ? "; last: " : "", STR_ARG(item->problem));
}

void sending_try(struct ctx *c, const struct carrier *k, const struct outbox_item *item,
		 struct sending *ret)
{
	struct delivery d = { 0 };
	struct rendered r = { 0 };
	str id = STR_NONE;
	err_t e;

	*ret = (struct sending){ 0 };
	if (item->expires_ms != 0 && item->expires_ms <= c->now_ms) {
		settle(ret, FATE_EXPIRED, "");
		return;
	}
	if (c->now_ms - item->created_ms >= c->cfg->outbox.max_age_ms) {
		too_old(item, ret);
		return;
	}
	e = template_render(c, item->template, item->lang, item->vars, item->n_vars, &r);
	if (e.code == ERR_OK)
		e = message_id(c, item, &id);
	if (e.code != ERR_OK) {
		cannot_render(e, ret);
		return;
	}
	carry(c, k, item, &r, id, &d);
	judge(&d, ret);
}

/* ---- what came of it ---- */

static int64_t next_try(struct ctx *c, int64_t attempts)
{
	uint32_t random;

	if (rng_fill(c->rng, &random, sizeof(random)).code != ERR_OK)
		random = UINT32_MAX; /* without chance the pause is the full one */
	return c->now_ms + backoff_ms(attempts, random);
}

err_t sending_record(struct ctx *c, const struct outbox_item *item, const struct sending *s)
{
	str problem = str_of_cstr(s->problem);

	switch (s->fate) {
	case FATE_SENT: return outbox_sent(c, item->id);
	case FATE_EXPIRED: return outbox_expired(c, item->id);
	case FATE_DEAD: return outbox_give_up(c, item->id, problem);
	case FATE_RETRY: return outbox_retry_at(c, item->id, next_try(c, item->attempts), problem);
	case FATE_UNSET: break;
	}
	FAIL(ERR_BUG);
}

/* A provider's answer may repeat the recipient ("550 no such user <ada@example.com>"): the log must
 * not. A number is looked for without its plus, which not everybody repeats. */
static str without_recipient(const char *problem, str recipient, struct buf *out)
{
	str rest = str_of_cstr(problem);
	str whom = str_starts(recipient, STR("+")) ? str_skip(recipient, 1) : recipient;

	while (rest.n > 0) {
		if (whom.n > 0 && rest.n >= whom.n &&
		    str_eq_nocase((str){ rest.p, whom.n }, whom)) {
			buf_lit(out, "[recipient]");
			rest = str_skip(rest, whom.n);
		} else {
			buf_byte(out, rest.p[0]);
			rest = str_skip(rest, 1);
		}
	}
	return buf_view(out);
}

static atomic_llong *counter_of(struct counters *n, bool sms, enum fate fate)
{
	switch (fate) {
	case FATE_SENT: return sms ? &n->sms_sent : &n->mail_sent;
	case FATE_RETRY: return sms ? &n->sms_retried : &n->mail_retried;
	case FATE_EXPIRED: return sms ? &n->sms_expired : &n->mail_expired;
	case FATE_DEAD:
	case FATE_UNSET: break;
	}
	return sms ? &n->sms_dead : &n->mail_dead;
}

static const char *event_of(bool sms, enum fate fate, enum log_level *ret_level)
{
	*ret_level = LOG_INFO;
	switch (fate) {
	case FATE_SENT: return sms ? "sms_sent" : "mail_sent";
	case FATE_EXPIRED: return sms ? "sms_expired" : "mail_expired";
	case FATE_RETRY: *ret_level = LOG_WARN; return sms ? "sms_retried" : "mail_retried";
	case FATE_DEAD:
	case FATE_UNSET: break;
	}
	*ret_level = LOG_ERROR;
	return sms ? "sms_dead" : "mail_dead";
}

void sending_report(struct ctx *c, enum outbox_channel channel, const struct outbox_item *item,
		    const struct sending *s)
{
	bool sms = channel == OUTBOX_SMS;
	enum log_level level;
	const char *event = event_of(sms, s->fate, &level);
	char text[4 * DELIVERY_DETAIL_MAX], hex[UID_HEX];
	struct buf b = BUF_OF(text);

	atomic_fetch_add_explicit(counter_of(c->count, sms, s->fate), 1, memory_order_relaxed);
	log_event(level, event, LOG_STR("id", hex_of(item->uid, hex)),
		  LOG_STR("template", item->template), LOG_INT("attempts", item->attempts),
		  LOG_STR("problem", without_recipient(s->problem, item->recipient, &b)));
}
