/* finding.h — why a sign-in at a provider came to nothing, for operators: in one line of the log, and of `sallyport
 * oauth test`. Never on the wire. What a provider says comes from outside: it is made plain, cut, and bears no
 * addresses and nothing as long as a token. */
#ifndef OAUTH_FINDING_H
#define OAUTH_FINDING_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "oauth/outside.h"

#define FINDING_ERROR_MAX 64
#define FINDING_TEXT_MAX  256

struct finding {
	const char *check;  /* which of ours it did not pass: "signature", "aud", "exp"; static; NULL: none */
	int status;         /* of its answer that was of no use; 0: there was none */
	str url;            /* of the request for it, without a query; borrowed from that request */
	char alg[32];       /* what a refused token calls its algorithm; NUL-terminated, as those below */
	char error[FINDING_ERROR_MAX + 1];
	char description[FINDING_TEXT_MAX + 1];
};

/* f: NULL is a no-op, here and below. */
void finding_check(struct finding *f, const char *check, str alg);
/* error and error_description of RFC 6749 §4.1.2.1 and §5.2. */
void finding_said(struct finding *f, str error, str description);
/* The same out of a body, of the other shapes too that providers have ({"error":{"message":…}}); no JSON says nothing. */
void finding_read(struct finding *f, struct arena *mem, str body);
/* Where it was asked, with what status it answered, and, if that is not 200, what it said. */
void finding_answer(struct finding *f, struct arena *mem, str url, const struct outside_reply *reply);

/* Does it say that it is the provider that cannot, for now (RFC 6749 §4.1.2.1)? */
bool finding_is_down(str error);

/* As much of the text as fits, fit for a log. */
void finding_clean(struct buf *b, str text);

#endif
