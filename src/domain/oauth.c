#include "domain/oauth.h"

#include "base/base64url.h"
#include "base/json_out.h"
#include "base/utf8.h"
#include "crypto/jwks.h"
#include "domain/attempt.h"
#include "domain/audit.h"
#include "domain/clock_guard.h"
#include "domain/dev_hint.h"
#include "domain/linked.h"
#include "domain/ott.h"
#include "domain/provider_log.h"
#include "domain/site.h"
#include "domain/social.h"
#include "domain/user.h"
#include "oauth/exchange.h"
#include "oauth/redirect.h"
#include "store/query.h"

#define RANDOM_BYTES  32
#define STATE_MAX     2048
#define CODE_MAX      2048
#define HINT_MAX      254
#define PROVIDER_MS   4500 /* all requests of one sign-in together: an answer within 5 s */
#define USED_MS       (2 * MS_PER_DAY)
#define KEPT_USED_MS  (10 * MS_PER_MIN)

/* ---- names and secrets ---- */

/* One letter each, so that what is made for one purpose is never good for another. */
static void tag_of(struct ctx *c, str letter, str text, uint8_t ret[MAC_BYTES])
{
	const str parts[] = { letter, text };

	mac_tag_parts(&c->keys->onetime, parts, 2, ret);
}

/* Nonce and verifier follow from the state: they are known again when it comes back, and stored nowhere. */
static err_t derive(struct ctx *c, str letter, str state, str *ret)
{
	WIPED_ARRAY(uint8_t, tag, MAC_BYTES);
	struct buf b = { .cap = BASE64URL_LEN(MAC_BYTES) };

	tag_of(c, letter, state, tag);
	NEW(b.p, c->mem, char, b.cap);
	base64url_encode(&b, str_of_bytes(tag, MAC_BYTES));
	REQUIRE(!b.overflow, ERR_BUG);
	*ret = buf_view(&b);
	return OK;
}

static bool is_hex(str s, size_t n)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!(s.p[i] >= '0' && s.p[i] <= '9') && !(s.p[i] >= 'a' && s.p[i] <= 'f'))
			return false;
	}
	return s.n == n;
}

static err_t find_provider(struct ctx *c, str name, struct provider *ret)
{
	const struct oauth_settings *set = provider_settings(c->cfg, name);
	const struct preset *known = preset_find(name);

	if (set == NULL) {
		c->provider_label = known != NULL ? known->base.label : STR_NONE;
		DEV_HINT(c, "there is no provider \"%s\": a section [oauth.NAME] of that name would make it one, with client_id, "
			    "client_secret%s",
			 dev_value(name), known != NULL ? "" : " and issuer (or preset)");
		FAIL(ERR_OAUTH_UNKNOWN);
	}
	TRY(provider_view(set, c->mem, ret));
	c->provider_label = ret->label;
	return OK;
}

static err_t callback_url(struct ctx *c, str name, str *ret)
{
	return arena_printf(c->mem, ret, "%.*s%.*s/oauth/%.*s/callback", STR_ARG(c->cfg->server.public_url),
			    STR_ARG(c->cfg->server.api_prefix), STR_ARG(name));
}

static struct asking asking_now(struct ctx *c, struct finding *why)
{
	return (struct asking){ .outside = c->outside, .mem = c->mem, .now_ms = c->mono_ms, .why = why,
				.deadline_ms = monotonic_ms() + PROVIDER_MS };
}

static err_t complete(struct ctx *c, const struct asking *a, struct provider *p, bool *ret_says_iss)
{
	REQUIRE(c->outside != NULL, ERR_OAUTH_DOWN);
	return directory_complete(c->outside->directory, a, p, ret_says_iss);
}

static err_t log_refused(const struct ctx *c, str provider, err_t e, const struct finding *why)
{
	if (e.code != ERR_OK && !err_is_fault(e))
		provider_log(c, provider, e.code, why);
	return e;
}

/* ---- where it ends ---- */

/* Below the site: an entry with a path of its own is not said twice (contract §12.2). */
static err_t below(struct ctx *c, str site, str path, str *ret)
{
	str origin = site_origin(site), own = str_skip(site, origin.n);

	*ret = site;
	if (path.n == 0)
		return OK;
	if (own.n > 0 && str_starts(path, own))
		site = origin;
	return arena_printf(c->mem, ret, "%.*s%.*s", STR_ARG(site), STR_ARG(path));
}

static bool is_url_safe(str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char b = s.p[i];

		if (!(b >= 'a' && b <= 'z') && !(b >= 'A' && b <= 'Z') && !(b >= '0' && b <= '9') && b != '-' && b != '.' &&
		    b != '_' && b != '~')
			return false;
	}
	return true;
}

/* p->set is NULL when nobody knows the provider. */
static bool is_app_target(const struct ctx *c, const struct provider *p, str uri)
{
	return redirect_is_registered(&c->cfg->native.redirect_uris, uri) ||
	       (p->set != NULL && redirect_is_registered(&p->set->redirect_uris, uri));
}

static void hint_target(struct ctx *c, str url)
{
	if (redirect_may_register(url))
		DEV_HINT(c, "redirect_uri %s is not registered: native.redirect_uris would allow it for apps, site.urls for web "
			    "sites; they are compared byte by byte",
			 dev_value(url));
	else
		DEV_HINT(c, "redirect_uri %s is not in site.urls, and no address of an app that can be in native.redirect_uris",
			 dev_value(url));
}

/* site: as the state shows it. */
static err_t choose_target(struct ctx *c, const struct oauth_request *q, const struct provider *p,
			   struct oauth_target *ret, str *ret_site)
{
	str url = q->redirect_uri, site;

	REQUIRE(q->app_state.n <= APP_STATE_MAX && is_url_safe(q->app_state), ERR_OAUTH_APP_STATE);
	if (url.n > 0 && is_app_target(c, p, url)) {
		*ret_site = url;
		*ret = (struct oauth_target){ url, true, q->app_state };
		return OK;
	}
	if (url.n > 0 && !str_list_has(&c->cfg->site.urls, url)) {
		hint_target(c, url);
		FAIL(ERR_OAUTH_TARGET);
	}
	site = url.n > 0 ? url : site_of(c);
	*ret_site = site;
	ret->is_app = !site_is_web(site) || q->challenge.n > 0;
	ret->app_state = q->app_state;
	return below(c, site, q->return_path, &ret->url);
}

/* Without a challenge an app is let go on only as it always was: it may meet its second factor. */
static err_t check_challenge(const struct ctx *c, const struct oauth_request *q, const struct oauth_target *t)
{
	if (q->challenge.n > 0 || q->challenge_method.n > 0) {
		REQUIRE(pkce_challenge_ok(q->challenge) && str_eq(q->challenge_method, STR("S256")), ERR_PKCE_REQUIRED);
		return OK;
	}
	REQUIRE(!t->is_app || q->redirect_uri.n == 0 || c->cfg->oauth.native_without_pkce, ERR_PKCE_REQUIRED);
	REQUIRE(!t->is_app || q->ticket.n == 0, ERR_PKCE_REQUIRED);
	return OK;
}

/* ---- to the provider ---- */

/* The shape that clients may read: nonce, site, path. Nothing here is believed when it comes back. */
static err_t make_state(struct ctx *c, str site, str path, str *ret)
{
	struct buf json = { .cap = 256 + 6 * (site.n + path.n) }, b = { 0 };
	struct json_out o;
	str nonce;

	TRY(rng_hex(c->rng, c->mem, RANDOM_BYTES, &nonce));
	NEW(json.p, c->mem, char, json.cap);
	out_begin(&o, &json);
	out_obj(&o);
	out_str(&o, STR("n"), nonce);
	out_str(&o, STR("o"), site);
	out_str(&o, STR("p"), path.n > 0 ? path : STR_NONE);
	out_end_obj(&o);
	b.cap = BASE64URL_LEN(json.n);
	NEW(b.p, c->mem, char, b.cap);
	base64url_encode(&b, buf_view(&json));
	REQUIRE(!json.overflow && !b.overflow, ERR_BUG);
	REQUIRE(b.n <= STATE_MAX, ERR_OAUTH_TARGET);
	*ret = buf_view(&b);
	return OK;
}

struct begun {
	const struct oauth_request *q;
	const struct oauth_target *target;
	str state, browser;
};

static err_t store_flow(struct ctx *c, const struct begun *b)
{
	uint8_t key[MAC_BYTES], browser[MAC_BYTES];
	struct onetime_row ticket = { 0 };
	TX tx = { 0 };

	if (b->q->ticket.p != NULL)
		TRY(onetime_find(c, ONETIME_OAUTH_LINK, b->q->ticket, &ticket));
	tag_of(c, STR("s"), b->state, key);
	tag_of(c, STR("b"), b->browser, browser);
	TRY(clock_issue(c));
	TRY(tx_begin(&tx, c->db));
	TRY(attempt_take(c, ATTEMPT_OAUTH));
	if (b->q->ticket.p != NULL) {
		TRY(onetime_take(c, ONETIME_OAUTH_LINK, b->q->ticket, &ticket));
		REQUIRE(str_eq(ticket.address, b->q->provider), ERR_LINK_TOKEN);
	}
	TRY(q_oauth_flow_insert(c->db, str_of_bytes(key, MAC_BYTES), str_of_bytes(browser, MAC_BYTES), b->q->provider,
				b->target->url, b->target->is_app, b->target->app_state, b->q->challenge,
				ticket.user_id, ticket.sid, c->now_ms, c->now_ms + OAUTH_TTL_MS));
	return tx_commit(&tx);
}

static err_t provider_url(struct ctx *c, const struct provider *p, const struct begun *b, str *ret)
{
	struct exchange x = { .p = p, .state = b->state };

	TRY(callback_url(c, p->name, &x.redirect_uri));
	TRY(derive(c, STR("n"), b->state, &x.nonce));
	TRY(derive(c, STR("v"), b->state, &x.verifier));
	if (b->q->login_hint.n > 0 && b->q->login_hint.n <= HINT_MAX && utf8_is_plain_text(b->q->login_hint))
		x.login_hint = b->q->login_hint;
	return exchange_url(&x, c->mem, ret);
}

static err_t aim(struct ctx *c, const struct oauth_request *q, struct provider *ret, struct oauth_target *ret_target,
		 str *ret_site)
{
	err_t known;

	*ret_target = (struct oauth_target){ .url = STR_NONE };
	known = find_provider(c, q->provider, ret);
	if (known.code != ERR_OK && !is_app_target(c, ret, q->redirect_uri))
		return known;
	TRY(choose_target(c, q, ret, ret_target, ret_site));
	TRY(known); /* the app learns it */
	return check_challenge(c, q, ret_target);
}

err_t oauth_aim(struct ctx *c, const struct oauth_request *q, struct oauth_target *ret)
{
	struct provider p = { 0 };
	str site;

	return aim(c, q, &p, ret, &site);
}

err_t oauth_begin(struct ctx *c, const struct oauth_request *q, struct oauth_target *ret_target, str *ret_url,
		  str *ret_browser)
{
	struct begun b = { .q = q, .target = ret_target, .browser = q->browser };
	struct finding why = { 0 };
	struct asking asking = asking_now(c, &why);
	struct provider p = { 0 };
	bool says_iss;
	str site;

	TRY(aim(c, q, &p, ret_target, &site));
	TRY(attempt_door(c, ATTEMPT_OAUTH));
	TRY(log_refused(c, q->provider, complete(c, &asking, &p, &says_iss), &why));
	TRY(make_state(c, site, q->return_path, &b.state));
	if (!is_hex(b.browser, OAUTH_BROWSER_TEXT))
		TRY(rng_hex(c->rng, c->mem, RANDOM_BYTES, &b.browser));
	TRY(store_flow(c, &b));
	TRY(provider_url(c, &p, &b, ret_url));
	*ret_browser = b.browser;
	return OK;
}

/* ---- and back ---- */

static err_t add_failure(struct ctx *c, err_t why)
{
	return audit_add(c, AUDIT_OAUTH_FAILED, STR_NONE, STR_NONE, str_of_cstr(err_name(why.code)));
}

/* why: it fails in any case. That is put on record at once: when a provider is down, sign-ins cost no more than when it
 * is up. */
static err_t take_flow(struct ctx *c, const struct oauth_arrival *a, err_t why, struct oauth_flow_row *ret,
		       struct oauth_target *ret_target)
{
	uint8_t key[MAC_BYTES], browser[MAC_BYTES];
	bool found;
	TX tx = { 0 };

	REQUIRE(a->state.n > 0 && a->state.n <= STATE_MAX && is_hex(a->browser, OAUTH_BROWSER_TEXT), ERR_OAUTH_STATE);
	tag_of(c, STR("s"), a->state, key);
	tag_of(c, STR("b"), a->browser, browser);
	TRY(tx_begin(&tx, c->db));
	TRY(q_oauth_flow_take(c->db, c->mem, str_of_bytes(key, MAC_BYTES), str_of_bytes(browser, MAC_BYTES),
			      a->provider, ret, &found));
	REQUIRE(found, ERR_OAUTH_STATE);
	if (ret->expires_ms <= clock_effective_ms(c))
		why = (err_t){ ERR_OAUTH_STATE };
	else if (why.code != ERR_OK)
		TRY(add_failure(c, why));
	TRY(tx_commit(&tx));
	*ret_target = (struct oauth_target){ ret->target, ret->is_app, ret->app_state };
	return why;
}

/* What a provider says instead of a code; its own text goes to the log and nowhere else. */
static err_t check_said(const struct oauth_arrival *a, struct finding *why)
{
	static const str noes[] = { STR_INIT("access_denied"), STR_INIT("user_cancelled_authorize"),
				    STR_INIT("user_cancelled_login"), STR_INIT("user_denied") };

	finding_said(why, a->error, a->error_description);
	for (size_t i = 0; i < sizeof(noes) / sizeof(noes[0]); i++)
		REQUIRE(!str_eq(a->error, noes[i]), ERR_OAUTH_DENIED);
	REQUIRE(!finding_is_down(a->error), ERR_OAUTH_DOWN);
	REQUIRE(a->error.n == 0 && a->code.n > 0 && a->code.n <= CODE_MAX, ERR_OAUTH_EXCHANGE);
	return OK;
}

/* Nobody need be asked to know that it fails. */
static err_t check_before(struct ctx *c, const struct oauth_arrival *a, struct finding *why)
{
	TRY(check_said(a, why));
	REQUIRE(c->outside != NULL && outside_asks(c->outside->state(c->outside->self, a->provider)), ERR_OAUTH_DOWN);
	return OK;
}

/* RFC 9207: an answer says whose it is, where its provider has promised that. */
static err_t check_iss(const struct provider *p, str iss, bool promised)
{
	bool one_issuer = p->issuer.n > 0 && !str_has_byte(p->issuer, '{');

	REQUIRE(iss.n > 0 || !promised, ERR_OAUTH_STATE);
	REQUIRE(iss.n == 0 || !one_issuer || str_eq(iss, p->issuer), ERR_OAUTH_STATE);
	return OK;
}

struct arrived {
	const struct oauth_arrival *a;
	struct provider p;
	struct oauth_flow_row flow;
	struct profile who;
	struct token_answer tokens;
	struct finding why; /* it came to nothing */
};

static err_t identify(struct ctx *c, struct arrived *r)
{
	struct exchange x = { .p = &r->p, .state = r->a->state };
	struct asking asking = asking_now(c, &r->why);
	bool says_iss;

	TRY(complete(c, &asking, &r->p, &says_iss));
	TRY(check_iss(&r->p, r->a->iss, says_iss));
	TRY(callback_url(c, r->p.name, &x.redirect_uri));
	TRY(derive(c, STR("n"), r->a->state, &x.nonce));
	TRY(derive(c, STR("v"), r->a->state, &x.verifier));
	TRY(exchange_code(&x, r->a->code, &asking, c->now_ms / MS_PER_S, &r->who, &r->tokens));
	return answer_name(c->mem, &r->a->beside, &r->who);
}

/* ---- linked ---- */

/* In a browser the session that asked must be this browser's; an app's is asked when it fetches the result. Else
 * somebody could have an account linked to his by sending its owner a link. */
static err_t end_linking(struct ctx *c, const struct arrived *r, struct oauth_end *ret)
{
	const struct ott_new n = {
		.user_id = r->flow.user_id, .provider = r->p.name, .profile = &r->who, .challenge = r->flow.challenge,
		.links = true, .sid = r->flow.sid,
	};
	struct user_row user = { 0 };

	if (r->flow.is_app) {
		ret->kind = OAUTH_END_OTT;
		return ott_make(c, &n, &ret->ott);
	}
	REQUIRE(r->a->sid != NULL && str_eq(r->flow.sid, str_of_bytes(r->a->sid, UID_BYTES)), ERR_OAUTH_STATE);
	TRY(session_lives(c, r->a->sid, r->flow.user_id)); /* the provider took its time */
	TRY(user_load(c, r->flow.user_id, ERR_OAUTH_STATE, &user));
	ret->kind = OAUTH_END_LINKED;
	return social_link(c, &user, r->p.name, &r->who);
}

/* ---- signed in ---- */

static err_t end_with_ott(struct ctx *c, const struct arrived *r, const struct user_row *user, struct oauth_end *ret)
{
	const struct ott_new n = {
		.user_id = user->id, .provider = r->p.name, .profile = &r->who, .challenge = r->flow.challenge,
	};

	ret->kind = OAUTH_END_OTT;
	return ott_make(c, &n, &ret->ott);
}

static err_t end_signing_in(struct ctx *c, const struct arrived *r, struct oauth_end *ret)
{
	const struct first first = { .proof = PROOF_PROVIDER, .trust = r->flow.is_app ? STR_NONE : r->a->trust };
	bool open = !r->flow.is_app || r->flow.challenge.n > 0 || c->cfg->oauth.native_without_pkce;
	struct user_row user = { 0 };
	err_t e = social_find_or_make(c, &r->p, &r->who, open, &user);

	REQUIRE(e.code != ERR_NOT_FOUND, ERR_PKCE_REQUIRED);
	TRY(e);
	TRY(social_keep_grant(c, &r->p, &r->who, r->tokens.refresh_token));
	if (r->flow.is_app && !gate_asks(c->cfg, &user)) {
		REQUIRE(open, ERR_PKCE_REQUIRED);
		return end_with_ott(c, r, &user, ret);
	}
	TRY(gate_pass(c, &user, &first, &ret->in));
	ret->kind = ret->in.kind == GATE_TOKENS ? OAUTH_END_SIGNED_IN : OAUTH_END_FACTOR;
	return OK;
}

static err_t end(struct ctx *c, const struct arrived *r, struct oauth_end *ret)
{
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	if (r->flow.user_id != 0)
		TRY(end_linking(c, r, ret));
	else
		TRY(end_signing_in(c, r, ret));
	TRY(tx_commit(&tx));
	return gate_sign(&ret->in);
}

/* ---- failed ---- */

/* Kept for whoever is at this browser, who may be the owner of both: an address that the provider has not proven
 * is not told to anybody. */
static err_t keep_conflict(struct ctx *c, const struct arrived *r, struct oauth_end *ret)
{
	const struct pending_link pending = {
		.provider = r->p.name, .account_id = r->who.id, .email = r->who.email, .name = r->who.name,
	};

	if (!r->who.email_verified || r->flow.is_app || r->flow.user_id != 0)
		return OK;
	ret->email = r->who.email;
	return pending_link_keep(c, &pending, &ret->pending_id);
}

static err_t note_failure(struct ctx *c, const struct arrived *r, err_t why, struct oauth_end *ret)
{
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	if (why.code == ERR_OAUTH_CONFLICT)
		TRY(keep_conflict(c, r, ret));
	TRY(add_failure(c, why));
	TRY(tx_commit(&tx));
	return why;
}

err_t oauth_arrive(struct ctx *c, const struct oauth_arrival *a, struct oauth_end *ret)
{
	struct arrived r = { .a = a };
	struct oauth_end out = { 0 };
	err_t e;

	*ret = (struct oauth_end){ 0 };
	TRY(find_provider(c, a->provider, &r.p));
	e = take_flow(c, a, check_before(c, a, &r.why), &r.flow, &ret->target);
	if (e.code != ERR_OK) /* without a sign-in under way anybody may say anything: that is not repeated */
		return e.code == ERR_OAUTH_STATE ? e : log_refused(c, a->provider, e, &r.why);
	e = log_refused(c, a->provider, identify(c, &r), &r.why);
	if (e.code == ERR_OK)
		e = end(c, &r, &out);
	if (e.code != ERR_OK)
		return err_is_fault(e) ? e : note_failure(c, &r, e, ret);
	out.target = ret->target;
	*ret = out;
	return OK;
}

/* ---- without a browser ---- */

/* By all of it that is signed, as long as it is one, and for a while in any case. */
static err_t use_token_once(struct ctx *c, str id_token, const struct profile *who)
{
	int64_t until_ms = c->now_ms + USED_MS, changed;
	uint8_t key[MAC_BYTES];

	if (until_ms < who->expires_s * MS_PER_S)
		until_ms = who->expires_s * MS_PER_S;
	tag_of(c, STR("t"), jwks_signed_part(id_token), key);
	TRY(q_oauth_used_insert(c->db, str_of_bytes(key, MAC_BYTES), until_ms, &changed));
	REQUIRE(changed == 1, ERR_OAUTH_ID_TOKEN);
	return OK;
}

static err_t id_token_sign_in(struct ctx *c, const struct provider *p, str id_token, const struct profile *who,
			      struct signed_in *ret)
{
	const struct first first = { .proof = PROOF_PROVIDER };
	struct user_row user = { 0 };
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(use_token_once(c, id_token, who));
	TRY(social_find_or_make(c, p, who, true, &user));
	TRY(gate_pass(c, &user, &first, ret));
	TRY(tx_commit(&tx));
	return gate_sign(ret);
}

static err_t identify_token(struct ctx *c, const struct oauth_token_in *in, struct provider *p, struct finding *why,
			    struct profile *ret)
{
	struct asking asking = asking_now(c, why);
	bool says_iss;

	TRY(complete(c, &asking, p, &says_iss));
	TRY(exchange_id_token(p, in->id_token, in->nonce, &asking, c->now_ms / MS_PER_S, ret));
	return answer_name(c->mem, &in->beside, ret);
}

err_t oauth_id_token(struct ctx *c, const struct oauth_token_in *in, struct signed_in *ret)
{
	struct finding why = { 0 };
	struct signed_in out = { 0 };
	struct provider p = { 0 };
	struct profile who = { 0 };

	TRY(find_provider(c, in->provider, &p));
	REQUIRE(in->id_token.n > 0 && in->nonce.n > 0, ERR_NONCE_REQUIRED);
	REQUIRE(p.kind == PROVIDER_OIDC, ERR_OAUTH_ID_TOKEN);
	TRY(log_refused(c, in->provider, identify_token(c, in, &p, &why, &who), &why));
	TRY(id_token_sign_in(c, &p, in->id_token, &who, &out));
	*ret = out;
	return OK;
}

/* ---- linking begins ---- */

err_t oauth_link_ticket(struct ctx *c, const struct caller *who, str name, str *ret_ticket)
{
	const struct onetime_new n = {
		.purpose = ONETIME_OAUTH_LINK, .user_id = who->row.id, .address = name,
		.sid = str_of_bytes(who->token.sid, UID_BYTES),
	};
	struct user_row user = { 0 };
	struct provider p = { 0 };
	TX tx = { 0 };

	TRY(find_provider(c, name, &p));
	TRY(session_act(c, who, &tx, &user));
	TRY(onetime_make(c, &n, ret_ticket));
	return tx_commit(&tx);
}

/* ---- sweeps ---- */

err_t oauth_sweep(struct ctx *c, int64_t limit_n, int64_t *ret_n)
{
	int64_t flows, otts, used;
	TX tx = { 0 };

	TRY(tx_begin(&tx, c->db));
	TRY(q_oauth_flow_sweep(c->db, c->now_ms - KEPT_USED_MS, limit_n, &flows));
	TRY(q_oauth_ott_sweep(c->db, c->now_ms - KEPT_USED_MS, limit_n, &otts));
	TRY(q_oauth_used_sweep(c->db, c->now_ms, limit_n, &used));
	TRY(tx_commit(&tx));
	*ret_n = flows + otts + used;
	return OK;
}
