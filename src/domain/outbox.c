#include "domain/outbox.h"

#include "base/lang_tag.h"
#include "base/buf.h"
#include "crypto/aead.h"
#include "domain/uid.h"
#include "store/query.h"

/* The longest pause between two attempts is far below: what seems further away was written by a
 * clock that ran ahead, and must not wait for that time to come. */
#define FURTHEST_MS    (2 * MS_PER_HOUR)
#define VARS_BYTES_MAX ((size_t)64 * 1024)
#define LEN_BYTES      4

static const enum outbox_channel channels[] = { OUTBOX_MAIL, OUTBOX_SMS };
#define N_REAL (sizeof(channels) / sizeof(channels[0]))

/* ---- variables: a count, then name and value in turn, each after its length ---- */

static void put_len(struct buf *b, size_t n)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_byte(b, (char)(n >> shift & 0xff));
}

static void put_text(struct buf *b, str s)
{
	put_len(b, s.n);
	buf_str(b, s);
}

static size_t packed_size(const struct template_var *vars, size_t n)
{
	size_t size = LEN_BYTES;

	for (size_t i = 0; i < n; i++)
		size += 2 * (size_t)LEN_BYTES + vars[i].name.n + vars[i].value.n;
	return size;
}

static err_t pack(struct arena *mem, const struct template_var *vars, size_t n, str *ret)
{
	size_t size;
	struct buf b = { 0 };

	REQUIRE(n <= OUTBOX_VARS_MAX, ERR_BUG);
	size = packed_size(vars, n);
	REQUIRE(size <= VARS_BYTES_MAX, ERR_BUG);
	NEW(b.p, mem, char, size);
	b.cap = size;
	put_len(&b, n);
	for (size_t i = 0; i < n; i++) {
		put_text(&b, vars[i].name);
		put_text(&b, vars[i].value);
	}
	*ret = buf_view(&b);
	return OK;
}

static bool take_len(str *rest, size_t *ret)
{
	size_t n = 0;

	if (rest->n < LEN_BYTES)
		return false;
	for (size_t i = 0; i < LEN_BYTES; i++)
		n = n << 8 | (unsigned char)rest->p[i];
	*rest = str_skip(*rest, LEN_BYTES);
	*ret = n;
	return true;
}

static bool take_text(str *rest, str *ret)
{
	size_t n;

	if (!take_len(rest, &n) || n > rest->n)
		return false;
	*ret = (str){ rest->p, n };
	*rest = str_skip(*rest, n);
	return true;
}

/* The bytes were sealed by pack(), so whatever does not read is damage. */
static err_t unpack(str plain, struct outbox_item *ret)
{
	REQUIRE(take_len(&plain, &ret->n_vars) && ret->n_vars <= OUTBOX_VARS_MAX, ERR_CRYPTO);
	for (size_t i = 0; i < ret->n_vars; i++)
		REQUIRE(take_text(&plain, &ret->vars[i].name) &&
				take_text(&plain, &ret->vars[i].value),
			ERR_CRYPTO);
	REQUIRE(plain.n == 0, ERR_CRYPTO);
	return OK;
}

/* Table and row: sealed variables moved to another message do not open. */
static err_t context_of(struct arena *mem, str uid, str *ret)
{
	char *p;
	struct buf b;

	NEW(p, mem, char, sizeof("outbox") + UID_BYTES);
	b = (struct buf){ .p = p, .cap = sizeof("outbox") + UID_BYTES };
	buf_lit(&b, "outbox");
	buf_str(&b, uid);
	*ret = buf_view(&b);
	return OK;
}

static err_t open_item(struct ctx *c, const struct outbox_row *row, struct outbox_item *ret)
{
	str context, plain;

	*ret = (struct outbox_item){
		.id = row->id,
		.uid = row->uid,
		.recipient = row->recipient,
		.template = row->template,
		.lang = row->lang,
		.created_ms = row->created_ms,
		.expires_ms = row->expires_ms,
		.attempts = row->attempts + 1,
		.problem = row->problem,
	};
	TRY(context_of(c->mem, row->uid, &context));
	TRY(aead_open(c->mem, &c->keys->storage, context, row->sealed, &plain));
	return unpack(plain, ret);
}

/* ---- adding ---- */

static bool has_transport(const struct config *cfg, enum outbox_channel channel)
{
	switch (channel) {
	case OUTBOX_UNSET: break;
	case OUTBOX_MAIL: return cfg->mail.transport > MAIL_NONE;
	case OUTBOX_SMS: return cfg->sms.transport > SMS_NONE;
	}
	return false;
}

err_t outbox_add(struct ctx *c, const struct outbox_message *m)
{
	str wanted = lang_best(c->mem, m->lang);
	str lang = wanted.n > 0 ? wanted : lang_best(c->mem, c->cfg->mail.default_lang);
	uint8_t uid[UID_BYTES];
	str context, plain, sealed;

	REQUIRE(m->channel != OUTBOX_UNSET && m->recipient.n > 0 && m->template.n > 0, ERR_BUG);
	if (!has_transport(c->cfg, m->channel))
		return OK;
	TRY(uid_make(c->rng, uid));
	TRY(context_of(c->mem, str_of_bytes(uid, UID_BYTES), &context));
	TRY(pack(c->mem, m->vars, m->n_vars, &plain));
	TRY(aead_seal(c->mem, c->rng, &c->keys->storage, context, plain, &sealed));
	TRY(q_outbox_insert(c->db, str_of_bytes(uid, UID_BYTES), m->channel, m->user_id,
			    m->recipient, m->template, lang.n > 0 ? lang : STR("en"), sealed,
			    c->now_ms, m->expires_ms));
	c->outbox_added = true;
	return OK;
}

/* ---- sending ---- */

static bool is_due(const struct outbox_row *row, int64_t now_ms)
{
	return row->next_ms <= now_ms || row->next_ms - now_ms > FURTHEST_MS;
}

/* The message whose turn is first, if it is due; *ret_next_ms: else when. */
static err_t first_due(struct ctx *c, enum outbox_channel channel, struct outbox_row *ret, bool *ret_due,
		       int64_t *ret_next_ms)
{
	bool found;

	TRY(q_outbox_due(c->db, c->mem, channel, ret, &found));
	*ret_due = found && is_due(ret, c->now_ms);
	*ret_next_ms = !found ? INT64_MAX : *ret_due ? c->now_ms : ret->next_ms;
	return OK;
}

/* Looked for once more inside the transaction: a look before it may show what another thread has taken
 * since. */
static err_t take(struct ctx *c, enum outbox_channel channel, int64_t lease_ms, struct outbox_row *ret,
		  bool *ret_mine, int64_t *ret_next_ms)
{
	int64_t changed;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(first_due(c, channel, ret, ret_mine, ret_next_ms));
	if (!*ret_mine)
		return OK;
	TRY(q_outbox_claim(c->db, ret->id, ret->next_ms, c->now_ms + lease_ms, &changed));
	REQUIRE(changed == 1, ERR_BUG);
	return tx_commit(&tx);
}

static void count_dead(struct ctx *c, enum outbox_channel channel)
{
	atomic_fetch_add_explicit(channel == OUTBOX_SMS ? &c->count->sms_dead
							: &c->count->mail_dead,
				  1, memory_order_relaxed);
}

/* *ret_usable false: it opens under no key of ours, and is dead now. */
static err_t open_or_bury(struct ctx *c, enum outbox_channel channel, const struct outbox_row *row,
			  struct outbox_item *ret, bool *ret_usable)
{
	err_t e = open_item(c, row, ret);

	*ret_usable = e.code == ERR_OK;
	if (e.code != ERR_CRYPTO)
		return e;
	err_clear_origin();
	TRY(outbox_give_up(c, row->id, STR("its variables do not open: sealed with another key?")));
	count_dead(c, channel);
	return OK;
}

err_t outbox_claim(struct ctx *c, enum outbox_channel channel, int64_t lease_ms,
		   struct outbox_item *ret, bool *ret_found, int64_t *ret_next_ms)
{
	struct outbox_row row;
	bool due;

	*ret_found = false;
	TRY(first_due(c, channel, &row, &due, ret_next_ms)); /* without a write when there is nothing */
	if (due)
		TRY(take(c, channel, lease_ms, &row, &due, ret_next_ms));
	return due ? open_or_bury(c, channel, &row, ret, ret_found) : OK;
}

static err_t forget(struct ctx *c, int64_t id)
{
	int64_t changed;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(q_outbox_delete(c->db, id,
			    &changed)); /* 0: gone with its account, or dropped meanwhile */
	return tx_commit(&tx);
}

err_t outbox_sent(struct ctx *c, int64_t id)
{
	return forget(c, id);
}

err_t outbox_expired(struct ctx *c, int64_t id)
{
	return forget(c, id);
}

/* Without a problem a message counts as under way. */
static str said(str problem)
{
	return problem.n > 0 ? problem : STR("no reason given");
}

err_t outbox_retry_at(struct ctx *c, int64_t id, int64_t next_ms, str problem)
{
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(q_outbox_retry_at(c->db, id, next_ms, said(problem)));
	return tx_commit(&tx);
}

err_t outbox_give_up(struct ctx *c, int64_t id, str problem)
{
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(q_outbox_give_up(c->db, id, said(problem)));
	return tx_commit(&tx);
}

err_t outbox_release_leases(struct ctx *c, int64_t *ret_n)
{
	int64_t n = 0, changed;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	for (size_t i = 0; i < N_REAL; i++) {
		TRY(q_outbox_release(c->db, channels[i], c->now_ms, &changed));
		n += changed;
	}
	TRY(tx_commit(&tx));
	*ret_n = n;
	return OK;
}

err_t outbox_sweep(struct ctx *c, int64_t limit_n, int64_t *ret_n)
{
	int64_t n = 0, changed;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	for (size_t i = 0; i < N_REAL; i++) {
		TRY(q_outbox_sweep(c->db, channels[i], c->now_ms - OUTBOX_DEAD_MS, limit_n, &changed));
		n += changed;
	}
	TRY(tx_commit(&tx));
	*ret_n = n;
	return OK;
}

err_t outbox_depth(struct ctx *c, enum outbox_channel channel, struct outbox_depth *ret)
{
	struct outbox_depth_row row = { 0 };
	bool found;

	TRY(q_outbox_depth(c->db, c->mem, channel, &row, &found));
	*ret = (struct outbox_depth){ row.waiting, row.dead, row.oldest_ms };
	return OK;
}

/* ---- operators ---- */

err_t outbox_page(struct ctx *c, int64_t after_id, int64_t limit_n, struct outbox_row **ret,
		  size_t *ret_n)
{
	return q_outbox_page(c->db, c->mem, after_id, limit_n, ret, ret_n);
}

err_t outbox_retry(struct ctx *c, int64_t id, int64_t *ret_n)
{
	int64_t n = 0, changed;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	if (id != 0)
		TRY(q_outbox_retry(c->db, id, c->now_ms, &n));
	for (size_t i = 0; id == 0 && i < N_REAL; i++) {
		TRY(q_outbox_retry_dead(c->db, channels[i], c->now_ms, &changed));
		n += changed;
	}
	TRY(tx_commit(&tx));
	*ret_n = n;
	return OK;
}

err_t outbox_drop(struct ctx *c, int64_t id, int64_t *ret_n)
{
	int64_t n = 0, changed;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	if (id != 0)
		TRY(q_outbox_delete(c->db, id, &n));
	for (size_t i = 0; id == 0 && i < N_REAL; i++) {
		TRY(q_outbox_delete_dead(c->db, channels[i], &changed));
		n += changed;
	}
	TRY(tx_commit(&tx));
	*ret_n = n;
	return OK;
}
