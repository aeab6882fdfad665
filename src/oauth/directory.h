/* directory.h — what providers publish: their addresses and their keys. Asked for when needed, kept for an hour, and
 * for a day when they do not answer. One for the process; any thread. */
#ifndef OAUTH_DIRECTORY_H
#define OAUTH_DIRECTORY_H

#include "crypto/jwks.h"
#include "oauth/answer.h"
#include "oauth/finding.h"
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
	struct finding *why; /* what is found to be wrong; NULL: nobody asks */
};

/* Fill in what is missing of p. *ret_says_iss: its answers bear `iss`. Refusal: ERR_OAUTH_DOWN. */
MUST_USE err_t directory_complete(struct directory *d, const struct asking *a, struct provider *p,
				  bool *ret_says_iss);

/* The keys of a completed provider, to be released. known: these did not sign a token, so newer ones are wanted: those
 * that came meanwhile, else asked for, at most every half minute; NULL: any. Refusals: ERR_OAUTH_DOWN; with known
 * ERR_NOT_FOUND: there are no newer ones. */
MUST_USE err_t directory_keys(struct directory *d, const struct asking *a, const struct provider *p,
			      const struct jwks *known, struct jwks **ret);

enum answer_type {
	ANSWER_JSON,
	ANSWER_JWT /* application/jwt: one that is signed */
};
/* A 200 of a JSON type (or, with ret_type, a signed one) within the deadline. Refusal: ERR_OAUTH_DOWN (no answer at
 * all, 5xx, or it says that it cannot for now), `wrong`. */
MUST_USE err_t ask_json(const struct asking *a, const struct provider *p, struct outside_request *r,
			enum err_code wrong, str *ret_body, enum answer_type *ret_type);

#endif
