/* routes.h — the table of everything the server answers. A row that leaves a column unset does not
 * start (route_check). Authorisation is the row's, and again in the WHERE of the statement. */
#ifndef API_ROUTES_H
#define API_ROUTES_H

#include "api/api.h"
#include "api/body.h"
#include "base/json_out.h"
#include "domain/asked.h"
#include "domain/gate.h"
#include "domain/takeover.h"
#include "http/http.h"

enum route_auth {
	AUTH_UNSET = 0,
	AUTH_PUBLIC,
	AUTH_SIGN_IN, /* public, and hands out tokens */
	AUTH_SESSION, /* public: the tokens themselves, in cookies or the body, say whose session it is about */
	AUTH_MAYBE, /* as AUTH_USER when a token comes along, public without one */
	AUTH_GUEST, /* public; the token of a guest, though, must be a live one, and says who he is */
	AUTH_USER,  /* a live access token; none at all is 403, a bad one 401 */
	AUTH_SETUP, /* AUTH_USER, or the handle of a sign-in that may only set up a factor: as Bearer (req.setup), or
		     * in a body that the handler reads and must ask for (setup_owner) */
	AUTH_PROXY, /* as AUTH_USER, but 401 either way: what reverse proxies expect */
	AUTH_BROWSER, /* the same, but a browser that opens a page of a listed host is sent to sign in (forward.h) */
	AUTH_ADMIN, /* AUTH_USER of an administrator */
};

enum route_place {
	PLACE_UNSET = 0,
	PLACE_PREFIX, /* below server.api_prefix */
	PLACE_ROOT,
	PLACE_OPS,    /* root, only where metrics are served */
};

/* Does the route ask again who is there (domain/stepup.h)? */
enum route_stepup {
	STEPUP_UNSET = 0,
	STEPUP_NONE,
	STEPUP_FRESH,   /* a recent sign-in, or the current password in the body */
	STEPUP_NO_GUEST, /* the same, but guests are not asked: they have nothing else to show */
	STEPUP_SETTING, /* the same if stepup.account_delete says so */
	STEPUP_FACTOR,  /* and where there is an app, its code or a session that used it; a password is not enough */
	STEPUP_REMOVAL, /* the same; nothing where there is no app */
};

/* Where tokens go: into the body for clients that say that they keep them (X-Auth-Strategy: bearer), else into
 * cookies (contract §6). */
enum delivery {
	DELIVERY_UNSET = 0,
	DELIVERY_COOKIE,
	DELIVERY_BEARER,
};

/* A request inside the application. */
struct req {
	struct ctx c;
	const struct http_request *http;
	const struct api_listener *listener;
	struct runtime *rt; /* held by the thread; a reply that outlives the request takes a count of its own */
	struct caller who; /* AUTH_USER and above; AUTH_MAYBE, AUTH_SETUP, AUTH_GUEST: row.id 0 without a token */
	enum delivery delivery;
	bool by_cookie;  /* a cookie authorises it, not a header */
	bool csrf_asked, csrf_done; /* csrf.h: its value was demanded; was set or cleared */
	str csrf_value;  /* what the browser has after this answer; STR_NONE: nothing known */
	struct handle setup; /* AUTH_SETUP under a handle; token.n 0: none */
};

struct route {
	enum http_method method;
	enum route_place place;
	const char *pattern; /* "/sessions/{handle}" */
	enum route_auth auth;
	enum route_stepup stepup; /* not STEPUP_NONE: AUTH_USER or AUTH_SETUP, LANE_HASH, a body with proof */
	enum http_lane lane;
	const struct body_shape *body;
	err_t (*handle)(struct req *r, const void *body, struct http_reply *rep);
	bool says_success; /* failures carry "success": false too */
};

/* Does a proxy ask on somebody's behalf? */
static inline bool route_is_proxys(const struct route *rt)
{
	return rt->auth == AUTH_PROXY || rt->auth == AUTH_BROWSER;
}

extern const struct route routes[];
extern const size_t n_routes;

/* Find the row. Refusals: ERR_NO_ROUTE; ERR_METHOD with *ret_allow a bit per http_method.
 * Matching is case-insensitive in fixed segments and tolerates one trailing '/'. */
MUST_USE err_t route_find(const struct api_listener *l, str prefix, struct http_request *r,
			  const struct route **ret, unsigned *ret_allow);

/* The token after "Authorization: Bearer"; STR_NONE when there is no such header, "" when it is empty. */
str bearer_token(const struct http_request *http);

/* Does a person's browser ask, and not a program? Then a mailed link leads to its page (api_ui_redirect). */
bool wants_page(const struct http_request *http);

/* First row with an unset column, with columns that do not go together, or that stands there already; or NULL.
 * Asked at start. */
const struct route *route_check(void);

/* The handlers, one file per resource. */
err_t api_user_register(struct req *r, const void *body, struct http_reply *rep);
err_t api_user_me(struct req *r, const void *body, struct http_reply *rep);
err_t api_user_profile(struct req *r, const void *body, struct http_reply *rep);
err_t api_session_login(struct req *r, const void *body, struct http_reply *rep);
err_t api_session_refresh(struct req *r, const void *body, struct http_reply *rep);
err_t api_session_logout(struct req *r, const void *body, struct http_reply *rep);
err_t api_session_list(struct req *r, const void *body, struct http_reply *rep);
err_t api_session_end(struct req *r, const void *body, struct http_reply *rep);
err_t api_session_cleanup(struct req *r, const void *body, struct http_reply *rep);
err_t api_password_forgot(struct req *r, const void *body, struct http_reply *rep);
err_t api_password_reset(struct req *r, const void *body, struct http_reply *rep);
err_t api_password_change(struct req *r, const void *body, struct http_reply *rep);
err_t api_verification_send(struct req *r, const void *body, struct http_reply *rep);
err_t api_verification_get(struct req *r, const void *body, struct http_reply *rep);
err_t api_verification_confirm(struct req *r, const void *body, struct http_reply *rep);
err_t api_email_change_request(struct req *r, const void *body, struct http_reply *rep);
err_t api_email_change_confirm(struct req *r, const void *body, struct http_reply *rep);
err_t api_email_change_revert(struct req *r, const void *body, struct http_reply *rep);
err_t api_factor_keep(struct req *r, const void *body, struct http_reply *rep);
err_t api_claim_ask(struct req *r, const void *body, struct http_reply *rep);
err_t api_phone_change(struct req *r, const void *body, struct http_reply *rep);
err_t api_phone_verify(struct req *r, const void *body, struct http_reply *rep);
err_t api_magic_send(struct req *r, const void *body, struct http_reply *rep);
err_t api_magic_verify(struct req *r, const void *body, struct http_reply *rep);
err_t api_sms_send(struct req *r, const void *body, struct http_reply *rep);
err_t api_sms_verify(struct req *r, const void *body, struct http_reply *rep);
err_t api_linked_list(struct req *r, const void *body, struct http_reply *rep);
err_t api_linked_unlink(struct req *r, const void *body, struct http_reply *rep);
err_t api_linked_request(struct req *r, const void *body, struct http_reply *rep);
err_t api_linked_verify(struct req *r, const void *body, struct http_reply *rep);
err_t api_guest_create(struct req *r, const void *body, struct http_reply *rep);
err_t api_oauth_start(struct req *r, const void *body, struct http_reply *rep);
err_t api_oauth_callback(struct req *r, const void *body, struct http_reply *rep);
err_t api_oauth_posted(struct req *r, const void *body, struct http_reply *rep);
err_t api_oauth_exchange(struct req *r, const void *body, struct http_reply *rep);
err_t api_oauth_token(struct req *r, const void *body, struct http_reply *rep);
err_t api_oauth_link_begin(struct req *r, const void *body, struct http_reply *rep);
err_t api_oauth_link(struct req *r, const void *body, struct http_reply *rep);
err_t api_assetlinks(struct req *r, const void *body, struct http_reply *rep);
err_t api_apple_apps(struct req *r, const void *body, struct http_reply *rep);
err_t api_factor_set_up(struct req *r, const void *body, struct http_reply *rep);
err_t api_factor_confirm(struct req *r, const void *body, struct http_reply *rep);
err_t api_factor_verify(struct req *r, const void *body, struct http_reply *rep);
err_t api_factor_disable(struct req *r, const void *body, struct http_reply *rep);
err_t api_factor_new_codes(struct req *r, const void *body, struct http_reply *rep);
err_t api_account_delete(struct req *r, const void *body, struct http_reply *rep);
err_t api_account_export(struct req *r, const void *body, struct http_reply *rep);
err_t api_ui_start(struct req *r, const void *body, struct http_reply *rep);
err_t api_ui_file(struct req *r, const void *body, struct http_reply *rep);
err_t api_ui_config(struct req *r, const void *body, struct http_reply *rep);
/* Takes a browser that came to our name alone to the pages; programs are told that there is nothing. */
err_t api_ui_front(struct req *r, const void *body, struct http_reply *rep);
/* Where a mailed link leads: to its page, to the application's (site.app_url), or nowhere. */
err_t api_ui_redirect(struct req *r, const void *body, struct http_reply *rep);
err_t api_docs_openapi(struct req *r, const void *body, struct http_reply *rep);
err_t api_docs_viewer(struct req *r, const void *body, struct http_reply *rep);
err_t api_docs_file(struct req *r, const void *body, struct http_reply *rep);
err_t api_check(struct req *r, const void *body, struct http_reply *rep);
err_t api_doctor(struct req *r, const void *body, struct http_reply *rep);
err_t api_forward_sign_in(struct req *r, const void *body, struct http_reply *rep);
err_t api_forward_done(struct req *r, const void *body, struct http_reply *rep);
err_t api_jwks(struct req *r, const void *body, struct http_reply *rep);
err_t api_ops_health(struct req *r, const void *body, struct http_reply *rep);
err_t api_ops_ready(struct req *r, const void *body, struct http_reply *rep);
err_t api_ops_metrics(struct req *r, const void *body, struct http_reply *rep);

extern const struct body_shape user_register_shape, user_profile_shape, session_login_shape,
	session_refresh_shape, password_forgot_shape, password_reset_shape, password_change_shape,
	verification_send_shape, token_shape, email_change_request_shape, phone_change_shape,
	phone_verify_shape, account_delete_shape, magic_send_shape, magic_verify_shape, sms_send_shape,
	sms_verify_shape, link_request_shape, link_verify_shape, linked_unlink_shape, factor_set_up_shape,
	factor_confirm_shape, factor_verify_shape, factor_proof_shape, oauth_exchange_shape, oauth_token_shape,
	oauth_link_shape, claim_shape, verification_confirm_shape, email_change_confirm_shape;

/* {"token": …}: of mailed links */
struct body_token {
	str token;
};

/* What a sign-in came to: tokens, the question for the second factor, or the order to set one up (403). */
MUST_USE err_t reply_signed_in(struct req *r, struct http_reply *rep, const struct signed_in *s);
/* "success", as a member of an open object, and the tokens: beside it, or in cookies. */
MUST_USE err_t out_tokens(struct req *r, struct http_reply *rep, struct json_out *o, const struct tokens *t);

/* The tokens in cookies, whatever the request's delivery: for answers that are no JSON. */
MUST_USE err_t set_token_cookies(struct req *r, struct http_reply *rep, const struct tokens *t);

/* What second factors are called on the wire, in the order of lists. */
#define N_FACTOR_NAMES 3
extern const struct factor_name {
	unsigned bit;
	str name;
} factor_names[N_FACTOR_NAMES];

/* "linkedAccounts", as a member of an open object. */
void out_linked(struct json_out *o, const struct linked_row *rows, size_t n);
/* "removed", as a member of an open object: what a mailed proof cost an account (takeover.h). None: no member. */
void out_lost(struct json_out *o, unsigned lost);
/* What a sign-in waits for: "requiresTwoFactor" or "requires2FASetup", with the handle; nothing for tokens. */
void out_waits(struct json_out *o, const struct signed_in *s);
/* {"success":true}, and "removed" */
void reply_lost(struct http_reply *rep, unsigned lost);

/* A handle between two factors, in place of an access token: gate.h's refusals of it in the words that
 * clients know for those. */
err_t as_access_token(err_t e);

/* What tells that the sender of a wish holds an account: the device's token, and the session of the header or of the
 * cookies. Bad ones are none. Faults only. */
MUST_USE err_t req_asker(struct req *r, str device, struct asker *ret);

/* {"success":true} */
void reply_success(struct http_reply *rep);
/* A session as lists and exports show it. */
MUST_USE err_t out_session(struct req *r, struct json_out *o, const struct session_row *s);

#endif
