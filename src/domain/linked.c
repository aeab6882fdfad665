#include "domain/linked.h"

#include "base/base64url.h"
#include "domain/asked.h"
#include "domain/audit.h"
#include "domain/clock_guard.h"
#include "domain/email.h"
#include "domain/message.h"
#include "domain/takeover.h"
#include "domain/user.h"
#include "domain/verification.h"
#include "store/query.h"

#define PENDING_ID_BYTES 32
#define PENDING_TTL_MS   MS_PER_HOUR

static const str provider_email = STR_INIT("email");

bool provider_name_ok(str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char b = name.p[i];

		if (!(b >= 'a' && b <= 'z') && !(b >= '0' && b <= '9') && b != '_' && b != '-')
			return false;
	}
	return name.n > 0 && name.n <= PROVIDER_MAX;
}

err_t linked_list(struct ctx *c, int64_t user_id, struct linked_row **ret, size_t *ret_n)
{
	return q_linked_of_user(c->db, c->mem, user_id, ret, ret_n);
}

/* The account's address hears of every change: whoever holds a session may not be its owner. */
static err_t tell(struct ctx *c, const struct user_row *user, str template, str account)
{
	const struct template_var var = { STR("account"), account };

	return message_to_user(c, user, template, &var, 1);
}

/* ---- asked for ---- */

static err_t send_link(struct ctx *c, const struct caller *who, const struct user_row *user, str to, str lang)
{
	const struct message_link m = {
		.template = STR("link-account"), .path = STR("link-verify"), .purpose = ONETIME_LINK, .to = to,
		.lang = lang, .sid = str_of_bytes(who->token.sid, UID_BYTES),
	};

	return message_link(c, user, &m);
}

err_t linked_request(struct ctx *c, const struct caller *who, str email, str provider, str lang)
{
	struct user_row user = { 0 };
	struct leave leave;
	TX tx = { 0 };
	str typed, key;

	TRY(email_field(c, "email", email, &typed, &key));
	if (provider.p != NULL && !provider_name_ok(provider))
		ctx_field(c, "provider", "INVALID");
	REQUIRE(c->n_fields == 0, ERR_INPUT);
	REQUIRE(mail_is_on(c->cfg), ERR_EMAIL_NOT_CONFIGURED);
	TRY(session_act(c, who, &tx, &user));
	TRY(asked_mail(c, STR("link-account"), key, false, &leave));
	if (leave.given)
		TRY(send_link(c, who, &user, typed, lang));
	if (leave.tell)
		TRY(audit_add(c, AUDIT_ACCOUNT_LINK_SENT, who->row.uid, str_of_bytes(who->token.sid, UID_BYTES),
			      leave.given ? STR_NONE : STR("limited")));
	return tx_commit(&tx);
}

static void pending_key(struct ctx *c, str id, uint8_t ret[MAC_BYTES]);

static err_t send_pending(struct ctx *c, const struct pending_link_row *p, str pending_id, str lang)
{
	struct message_link m = {
		.template = STR("link-account"), .path = STR("link-verify"), .purpose = ONETIME_LINK, .to = p->email, .lang = lang,
	};
	uint8_t key[MAC_BYTES];
	struct user_row user = { 0 };
	bool found;

	TRY(q_user_by_email(c->db, c->mem, p->email_key, &user, &found));
	if (!found || user.disabled_ms != 0)
		return OK;
	pending_key(c, pending_id, key);
	m.to = user.email;
	m.sid = str_of_bytes(key, MAC_BYTES);
	TRY(arena_printf(c->mem, &m.about, "%.*s: %.*s", STR_ARG(p->provider), STR_ARG(p->email)));
	return message_link(c, &user, &m);
}

err_t linked_request_pending(struct ctx *c, str pending_id, str email, str lang)
{
	struct pending_link_row p = { 0 };
	struct leave leave;
	str typed, key;
	TX tx = { 0 };

	TRY(email_field(c, "email", email, &typed, &key));
	REQUIRE(c->n_fields == 0, ERR_INPUT);
	REQUIRE(mail_is_on(c->cfg), ERR_EMAIL_NOT_CONFIGURED);
	TRY(pending_link_find(c, pending_id, &p));
	REQUIRE(str_eq(p.email_key, key), ERR_UNAUTHORIZED);
	TRY(tx_begin(&tx, c->db));
	TRY(asked_mail(c, STR("link-account"), key, false, &leave));
	if (leave.given)
		TRY(send_pending(c, &p, pending_id, lang));
	if (leave.tell)
		TRY(audit_add(c, AUDIT_ACCOUNT_LINK_SENT, STR_NONE, STR_NONE, leave.given ? p.provider : STR("limited")));
	return tx_commit(&tx);
}

/* ---- proven ---- */

struct proven_link {
	struct user_row *user;
	str typed, key;
	bool own;      /* it is the account's own address */
	bool waits;    /* for the second factor: nothing is linked before it */
	unsigned lost; /* takeover.h */
};

/* What came back from an address of somebody's own account is that somebody's. */
static err_t link_address(struct ctx *c, const struct proven_link *l)
{
	struct linked_row there = { 0 };
	struct user_row owner = { 0 };
	int64_t changed;
	bool found;

	TRY(q_user_by_email(c->db, c->mem, l->key, &owner, &found));
	REQUIRE(!found || owner.id == l->user->id, ERR_ALREADY_LINKED);
	TRY(q_linked_insert(c->db, provider_email, l->key, l->user->id, l->typed, STR_NONE, STR_NONE, c->now_ms,
			    &changed));
	if (changed == 1) {
		TRY(audit_add(c, AUDIT_ACCOUNT_LINKED, l->user->uid, STR_NONE, provider_email));
		return tell(c, l->user, STR("account-linked"), l->typed);
	}
	TRY(q_linked_find(c->db, c->mem, provider_email, l->key, &there, &found));
	REQUIRE(found && there.user_id == l->user->id, ERR_ALREADY_LINKED);
	return OK;
}

/* It came from the account's own address, which is not proven in full yet. */
static bool is_proof(const struct proven_link *l)
{
	return l->own && !takeover_is_proven(l->user);
}

/* The account's own address. While a second factor stands before it, nothing is linked. */
static err_t prove(struct ctx *c, struct proven_link *l, const struct asker *a)
{
	enum takeover_verdict verdict;

	TRY(takeover_prove(c, l->user, a, &verdict, &l->lost));
	l->waits = verdict == TAKEOVER_ASK;
	return l->waits ? OK : link_address(c, l);
}

/* Mail to another address than the account's is the word of a linked account: the account's own mail is still a
 * second factor then. */
static err_t sign_in_by_link(struct ctx *c, const struct proven_link *l, struct signed_in *ret)
{
	const struct first first = { .proof = l->own ? PROOF_MAIL : PROOF_PROVIDER };
	const struct user_row *user = l->user;

	if (!user->is_guest && !l->own)
		TRY(verification_allows(c->cfg, user->email_verified, user->verify_by_ms, c->now_ms));
	return gate_pass(c, user, &first, ret);
}

static err_t read_link(struct ctx *c, const struct onetime_row *t, struct user_row *ret_user,
		       struct proven_link *ret)
{
	str own_typed, own_key = STR_NONE;

	REQUIRE(t->address.n > 0, ERR_LINK_STATE);
	TRY(user_load(c, t->user_id, ERR_LINK_TOKEN, ret_user));
	TRY(email_canonical(c->mem, t->address, &ret->typed, &ret->key));
	if (!ret_user->is_guest)
		TRY(email_canonical(c->mem, ret_user->email, &own_typed, &own_key));
	ret->user = ret_user;
	ret->own = own_key.p != NULL && str_eq(own_key, ret->key);
	return OK;
}

/* Such a link names what waits by its key, which is longer than the id of a session. */
static bool is_of_pending(const struct onetime_row *t)
{
	return t->sid.n == MAC_BYTES;
}

/* Who clicked must be at the browser that met the provider: then he has shown both, and not merely been sent a
 * mail. */
static err_t require_same_browser(struct ctx *c, const struct onetime_row *t, str pending_id)
{
	uint8_t key[MAC_BYTES];

	if (!is_of_pending(t))
		return OK;
	pending_key(c, pending_id, key);
	REQUIRE(pending_id.n > 0 && secret_equal_bytes(key, t->sid.p, MAC_BYTES), ERR_UNAUTHORIZED);
	return OK;
}

static err_t link_pending(struct ctx *c, const struct proven_link *l, str pending_id)
{
	struct pending_link_row p = { 0 };
	struct linked_row there = { 0 };
	int64_t changed;
	bool found;
	str text;

	TRY(pending_link_take(c, pending_id, &p));
	REQUIRE(str_eq(p.email_key, l->key), ERR_LINK_STATE);
	TRY(q_linked_insert(c->db, p.provider, p.account_id, l->user->id, p.email, p.name, STR_NONE, c->now_ms, &changed));
	TRY(q_linked_find(c->db, c->mem, p.provider, p.account_id, &there, &found));
	REQUIRE(found && there.user_id == l->user->id, ERR_ALREADY_LINKED);
	if (changed == 0)
		return OK;
	TRY(audit_add(c, AUDIT_ACCOUNT_LINKED, l->user->uid, STR_NONE, p.provider));
	TRY(arena_printf(c->mem, &text, "%.*s: %.*s", STR_ARG(p.provider), STR_ARG(p.email)));
	return tell(c, l->user, STR("account-linked"), text);
}

/* What was planted in an account of an address nobody had proven goes first. */
static err_t link_proven(struct ctx *c, const struct link_proof *p, bool pending, struct proven_link *l)
{
	bool proof = is_proof(l) && (pending || p->sign_in);

	if (proof)
		TRY(prove(c, l, &p->along));
	REQUIRE(!l->waits || p->sign_in, ERR_REAUTH);
	if (l->waits)
		return OK;
	if (pending)
		return link_pending(c, l, p->pending_id);
	return proof ? OK : link_address(c, l);
}

err_t linked_verify(struct ctx *c, const struct link_proof *p, struct signed_in *ret)
{
	struct signed_in out = { 0 };
	struct onetime_row t = { 0 };
	struct user_row user = { 0 };
	struct proven_link link = { 0 };
	TX tx = { 0 };

	REQUIRE(p->token.n > 0, ERR_LINK_TOKEN_REQUIRED);
	TRY(onetime_find(c, ONETIME_LINK, p->token, &t));
	TRY(require_same_browser(c, &t, p->pending_id));
	TRY(tx_begin(&tx, c->db));
	TRY(onetime_take(c, ONETIME_LINK, p->token, &t));
	TRY(read_link(c, &t, &user, &link));
	TRY(link_proven(c, p, is_of_pending(&t), &link));
	if (p->sign_in)
		TRY(sign_in_by_link(c, &link, &out));
	TRY(tx_commit(&tx));
	TRY(gate_sign(&out));
	out.lost = link.lost;
	*ret = out;
	return OK;
}

/* ---- unlinked ---- */

static err_t require_another_way_in(struct ctx *c, const struct user_row *user, str provider, str account_id)
{
	int64_t one;
	bool found;

	if ((user->has_password && !user->is_guest) || (user->phone.p != NULL && sms_is_on(c->cfg)) ||
	    (user->email_verified && mail_is_on(c->cfg)))
		return OK;
	TRY(q_linked_others(c->db, c->mem, user->id, provider, account_id, &one, &found));
	REQUIRE(found, ERR_LAST_LOGIN_METHOD);
	return OK;
}

err_t linked_unlink(struct ctx *c, const struct caller *who, str provider, str account_id)
{
	struct linked_row row = { 0 };
	struct user_row user = { 0 };
	int64_t changed;
	bool found;
	TX tx = { 0 };

	TRY(session_act(c, who, &tx, &user));
	TRY(q_linked_find(c->db, c->mem, provider, account_id, &row, &found));
	if (!found || row.user_id != user.id)
		return OK;
	TRY(require_another_way_in(c, &user, provider, account_id));
	TRY(q_linked_delete(c->db, provider, account_id, user.id, &changed));
	TRY(tell(c, &user, STR("account-unlinked"), row.email.p == NULL ? provider : row.email));
	TRY(audit_add(c, AUDIT_ACCOUNT_UNLINKED, user.uid, str_of_bytes(who->token.sid, UID_BYTES), STR_NONE));
	return tx_commit(&tx);
}

/* ---- waiting for their owner ---- */

/* The letter keeps these apart from one-time tokens, whose MACs begin with their purpose. */
static void pending_key(struct ctx *c, str id, uint8_t ret[MAC_BYTES])
{
	const str parts[] = { STR("p"), id };

	mac_tag_parts(&c->keys->onetime, parts, 2, ret);
}

err_t pending_link_keep(struct ctx *c, const struct pending_link *p, str *ret_id)
{
	uint8_t key[MAC_BYTES];
	str typed, email_key, id;

	REQUIRE(provider_name_ok(p->provider) && p->account_id.n > 0, ERR_INPUT);
	TRY(email_canonical(c->mem, p->email, &typed, &email_key));
	TRY(clock_issue(c));
	TRY(rng_hex(c->rng, c->mem, PENDING_ID_BYTES, &id));
	pending_key(c, id, key);
	TRY(q_pending_link_insert(c->db, str_of_bytes(key, MAC_BYTES), email_key, p->provider, p->account_id, p->name,
				  typed, c->now_ms, c->now_ms + PENDING_TTL_MS));
	*ret_id = id;
	return OK;
}

err_t pending_link_find(struct ctx *c, str id, struct pending_link_row *ret)
{
	uint8_t key[MAC_BYTES];
	bool found;

	pending_key(c, id, key);
	TRY(q_pending_link_find(c->db, c->mem, str_of_bytes(key, MAC_BYTES), clock_effective_ms(c), ret, &found));
	REQUIRE(found, ERR_UNAUTHORIZED);
	return OK;
}

err_t pending_link_take(struct ctx *c, str id, struct pending_link_row *ret)
{
	uint8_t key[MAC_BYTES];
	bool found;

	pending_key(c, id, key);
	TRY(q_pending_link_take(c->db, c->mem, str_of_bytes(key, MAC_BYTES), clock_effective_ms(c), ret, &found));
	REQUIRE(found, ERR_UNAUTHORIZED);
	return OK;
}

err_t pending_link_sweep(struct ctx *c, int64_t limit_n, int64_t *ret_n)
{
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(q_pending_link_sweep(c->db, c->now_ms, limit_n, ret_n));
	return tx_commit(&tx);
}
