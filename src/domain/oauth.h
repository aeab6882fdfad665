/* oauth.h — signing in through an identity provider, and linking an account there.
 *
 *   oauth_begin   → the browser goes to the provider with a state that only this browser may bring back
 *   oauth_arrive  → the state is used up, the code exchanged, the person found or made, the gate passed
 *   ott_redeem    → an app fetches its tokens with the one-time token and its verifier (ott.h)
 *
 * Where a sign-in ends is chosen and checked at its beginning and kept in the store; what the state says of it in
 * clear is for readers only. An account at a provider is known by provider and subject, never by an address; an
 * address that has an account here is a conflict, which its owner resolves (pending links in linked.h).
 * Source: RFC 9700 §2.1, §4.4, §4.7; RFC 8252; ASVS 5.0 10.1.2, 10.2.1; contract §12. */
#ifndef DOMAIN_OAUTH_H
#define DOMAIN_OAUTH_H

#include "domain/gate.h"
#include "oauth/answer.h"
#include "oauth/provider.h"

#define OAUTH_TTL_MS     (10 * MS_PER_MIN)
#define OAUTH_BROWSER_TEXT 64 /* characters of the cookie */
#define APP_STATE_MAX    512

/* ---- to the provider ---- */

struct oauth_request {
	str provider;     /* its name */
	str redirect_uri; /* an app's, or one of site.urls; STR_NONE: the site of the request */
	str return_path;  /* below the site; checked to be a path and nothing else; STR_NONE */
	str app_state;    /* STR_NONE */
	str challenge, challenge_method; /* of an app; STR_NONE */
	str login_hint;   /* STR_NONE */
	str ticket;       /* of a session that links; STR_NONE: a sign-in */
	str browser;      /* what its cookie says; STR_NONE */
};

/* Where a sign-in or linking is to end, known as soon as the request for it is understood: failures go there too. */
struct oauth_target {
	str url;       /* STR_NONE: not known */
	bool is_app;
	str app_state; /* STR_NONE */
};

/* Where a sign-in that is not begun would end. Refusals: the first three of oauth_begin, and ERR_PKCE_REQUIRED. */
MUST_USE err_t oauth_aim(struct ctx *c, const struct oauth_request *q, struct oauth_target *ret);

/* *ret_url: of the provider. *ret_browser: for the cookie. ret_target is set as far as it is known, whatever
 * comes. Refusals: ERR_OAUTH_UNKNOWN, ERR_OAUTH_TARGET, ERR_OAUTH_APP_STATE, ERR_OAUTH_DOWN, ERR_LINK_TOKEN,
 * ERR_LINK_EXPIRED, ERR_LIMITED, ERR_CLOCK. Cost: 1 transaction, and what the provider publishes. */
MUST_USE err_t oauth_begin(struct ctx *c, const struct oauth_request *q, struct oauth_target *ret_target,
			   str *ret_url, str *ret_browser);

/* ---- and back ---- */

struct oauth_arrival {
	str provider;
	str state, code, error, iss; /* as they came; STR_NONE */
	str error_description;       /* the same; for the log */
	struct beside beside;        /* Apple tells a name once, beside the code */
	str browser;                 /* what its cookie says */
	str trust;                   /* "trustToken" of the browser; STR_NONE */
	const uint8_t *sid;          /* of the session that this browser is signed in with; NULL: none */
};

enum oauth_end_kind {
	OAUTH_END_UNSET = 0,
	OAUTH_END_SIGNED_IN, /* of a web site: `in` is tokens */
	OAUTH_END_FACTOR,    /* `in` is a handle, of either kind */
	OAUTH_END_OTT,       /* of an app: `ott` */
	OAUTH_END_LINKED,
};

struct oauth_end {
	enum oauth_end_kind kind;
	struct oauth_target target;
	struct signed_in in;
	str ott;
	/* Of ERR_OAUTH_CONFLICT, where the provider has proven the address: what waits (linked.h), and for whom. */
	str pending_id, email;
};

/* ret->target is set as soon as it is known, whatever comes. Refusals: ERR_OAUTH_UNKNOWN, ERR_OAUTH_STATE (unknown,
 * used, expired, of another browser or provider), ERR_OAUTH_DENIED, ERR_OAUTH_DOWN, ERR_OAUTH_EXCHANGE,
 * ERR_OAUTH_ID_TOKEN, ERR_OAUTH_PROFILE, ERR_OAUTH_EMAIL, ERR_OAUTH_CONFLICT, ERR_OAUTH_DISABLED, ERR_PKCE_REQUIRED,
 * ERR_REGISTRATION_OFF, ERR_ALREADY_LINKED, ERR_EMAIL_NOT_VERIFIED, ERR_EMAIL_VERIFICATION_REQUIRED, ERR_LIMITED,
 * ERR_CLOCK. Cost: 2 transactions, and up to four requests to the provider within 5 s. */
MUST_USE err_t oauth_arrive(struct ctx *c, const struct oauth_arrival *a, struct oauth_end *ret);

/* The ID token of an app's own kit, for a nonce that the app chose. */
struct oauth_token_in {
	str provider, id_token, nonce;
	struct beside beside; /* Apple's kit tells the name once, beside the token, to the app */
};
/* Each token is good once, whatever form its signature has. Refusals as above, and ERR_NONCE_REQUIRED. */
MUST_USE err_t oauth_id_token(struct ctx *c, const struct oauth_token_in *in, struct signed_in *ret);

/* A ticket with which a browser begins to link. Refusal: ERR_OAUTH_UNKNOWN. Cost: 1 transaction. */
MUST_USE err_t oauth_link_ticket(struct ctx *c, const struct caller *who, str provider, str *ret_ticket);

/* Delete what has expired, at most limit_n of each. */
MUST_USE err_t oauth_sweep(struct ctx *c, int64_t limit_n, int64_t *ret_n);

#endif
