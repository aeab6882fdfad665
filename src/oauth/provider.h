/* provider.h — what is known of an identity provider: the table of the well-known ones, and the view of one as
 * configured, which is the table's row under the settings of its section. */
#ifndef OAUTH_PROVIDER_H
#define OAUTH_PROVIDER_H

#include "base/config.h"
#include "base/err.h"

enum provider_kind {
	PROVIDER_UNSET = 0,
	PROVIDER_OIDC,  /* ID tokens, signed */
	PROVIDER_OAUTH, /* an access token and a profile behind it */
};

/* How the client shows itself at the token endpoint. */
enum client_auth {
	CLIENT_AUTH_UNSET = 0,
	CLIENT_AUTH_BODY,
	CLIENT_AUTH_BASIC,
	CLIENT_AUTH_APPLE, /* a signed JWT for the secret */
};

/* Where members of a profile stand; "picture.data.url" leads into objects, "images.0.url" into lists. */
struct profile_map {
	str id, email, verified, name, picture, given, family;
};

struct provider {
	str name;   /* of the section: in paths, in linked accounts */
	str label;  /* on buttons and in messages */
	enum provider_kind kind;
	str issuer; /* exact; {tenantid} in it stands for one of `tenants` */
	str authorize_url, token_url, userinfo_url, jwks_url, revoke_url; /* n == 0: from discovery, or none */
	str emails_url;  /* a list of {email, primary, verified}, where the profile shows none that is proven */
	str scope;       /* joined by blanks */
	str extra_query; /* of the authorization URL, encoded, without a '&' in front */
	struct profile_map map;
	enum client_auth auth;
	bool token_json;   /* the token request is JSON */
	bool form_post;    /* the answer is posted */
	bool pkce;
	bool nonce;
	bool trusts_email; /* what it calls verified was proven by the address's owner */
	str authorization; /* scheme at the profile: "Bearer" */
	str id_algs;       /* which its ID tokens may have, from discovery; STR_NONE: it did not say */
	const struct oauth_settings *set;
};

struct preset {
	const char *name;
	struct provider base; /* `set` and `name` unset */
};

/* NULL: no such preset. */
const struct preset *preset_find(str name);
const struct preset *preset_at(size_t i); /* NULL past the last */

/* The provider as configured. In the arena. Fault: ERR_NO_MEMORY. */
MUST_USE err_t provider_view(const struct oauth_settings *set, struct arena *mem, struct provider *ret);

/* What it is called on buttons. Borrowed from the settings or the table. */
str provider_label(const struct oauth_settings *set);

/* By the name of its section; NULL: not configured. */
const struct oauth_settings *provider_settings(const struct config *cfg, str name);

/* The preset that a section stands for: `preset`, or its own name when it says no addresses itself. NULL: none. */
const struct preset *preset_of(const struct oauth_settings *set);

/* Are its addresses known without asking? */
static inline bool provider_is_discovered(const struct provider *p)
{
	return p->kind == PROVIDER_OIDC && (p->authorize_url.n == 0 || p->token_url.n == 0 || p->jwks_url.n == 0);
}

#endif
