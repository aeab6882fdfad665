/* directory.h — what providers publish: their addresses and their keys. Asked for when needed, kept for an hour, and
 * for a day when they do not answer. One for the process; any thread. */
#ifndef OAUTH_DIRECTORY_H
#define OAUTH_DIRECTORY_H

#include "crypto/jwks.h"
#include "oauth/answer.h"
#include "oauth/outside.h"

#define DIRECTORY_FRESH_MS ((int64_t)60 * 60 * 1000)
#define DIRECTORY_STALE_MS ((int64_t)24 * 60 * 60 * 1000)
#define DIRECTORY_RETRY_MS ((int64_t)30 * 1000) /* no oftener for a key that nobody knows */

MUST_USE err_t directory_new(struct directory **ret); /* ERR_NO_MEMORY */
void directory_free(struct directory *d);

struct asking {
	const struct outside *outside;
	struct arena *mem;
	int64_t now_ms;      /* monotonic */
	int64_t deadline_ms; /* monotonic, real */
};

/* Fill in what is missing of p. *ret_says_iss: its answers bear `iss`. Refusal: ERR_OAUTH_DOWN. */
MUST_USE err_t directory_complete(struct directory *d, const struct asking *a, struct provider *p,
				  bool *ret_says_iss);

/* The keys of a completed provider, to be released. newer: those kept do not have a token's key; asked for again at
 * most every half minute. Refusals: ERR_OAUTH_DOWN; with newer ERR_NOT_FOUND: there are no newer ones. */
MUST_USE err_t directory_keys(struct directory *d, const struct asking *a, const struct provider *p, bool newer,
			      struct jwks **ret);

/* A 200 of a JSON type within the deadline. Refusal: ERR_OAUTH_DOWN (no answer at all, or 5xx), `wrong`. */
MUST_USE err_t ask_json(const struct asking *a, const struct provider *p, struct outside_request *r,
			enum err_code wrong, str *ret_body);

#endif
