/* answer.h — what providers answer, read strictly: bytes in, values out, copied into the arena. Everything that
 * is not what it should be is ERR_INPUT, an error in a 200 too; nothing of it is ever shown to anybody. */
#ifndef OAUTH_ANSWER_H
#define OAUTH_ANSWER_H

#include <jansson.h>

#include "oauth/provider.h"

#define SUBJECT_MAX 255 /* OpenID Connect Core §2 */

/* An OpenID provider's discovery document (OpenID Connect Discovery §3). */
struct metadata {
	str authorize_url, token_url, userinfo_url, jwks_url, revoke_url;
	bool says_iss; /* authorization responses bear iss (RFC 9207) */
	str algs;      /* of its ID tokens, parted by blanks; STR_NONE: it does not say */
};
/* issuer: what it must call itself. Endpoints that are no https (http) URL are none. */
MUST_USE err_t answer_metadata(struct arena *mem, str body, str issuer, struct metadata *ret);

struct token_answer {
	str access_token, id_token, refresh_token; /* STR_NONE: none */
};
/* An access token is a must. */
MUST_USE err_t answer_tokens(struct arena *mem, str body, struct token_answer *ret);

/* Who somebody is at a provider. */
struct profile {
	str id;              /* never empty */
	str email;           /* STR_NONE: none */
	bool email_verified; /* there is one, and the provider says so: true, or the word "true" */
	str name;            /* the whole; of the parts where only those are said */
	str given, family;   /* as the provider parts them; both STR_NONE: it does not */
	str picture;
	int64_t expires_s;   /* of an ID token: until when it is one; else 0 */
};
MUST_USE err_t answer_profile(struct arena *mem, const struct provider *p, str body, struct profile *ret);
/* [{email, primary, verified}]: the primary one if it is proven; else `ret` stays. */
MUST_USE err_t answer_emails(struct arena *mem, str body, struct profile *ret);

/* A name that comes beside what is signed: it names, and proves nothing. */
struct beside {
	str given, family; /* STR_NONE: none */
};
/* The `user` that Apple posts beside the code, once: {"name":{"firstName":…,"lastName":…}}. */
MUST_USE err_t answer_posted_name(struct arena *mem, str user, struct beside *ret);
/* Give it to who has no name; what is no plain text is none. Fault: ERR_NO_MEMORY. */
MUST_USE err_t answer_name(struct arena *mem, const struct beside *b, struct profile *who);

/* ---- for the files of this folder ---- */

MUST_USE err_t answer_tree(struct arena *mem, str body, json_t **ret); /* pair with json_decref */
void answer_tree_free(json_t **t);
#define TREE_FREED __attribute__((cleanup(answer_tree_free)))
str answer_text(const json_t *object, const char *name);
/* The members of a profile, of claims too. */
MUST_USE err_t answer_person(struct arena *mem, const struct provider *p, const json_t *tree, struct profile *ret);

#endif
