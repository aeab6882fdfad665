/* rotation.h — the decision of refresh-token rotation, pure: state in, verdict and new state out.
 *
 * A session is a family of generations. Presenting one is answered so that a client whose answer was
 * lost, who retries, or who sends several requests at once stays signed in, while a second holder of
 * an old generation ends the session. The same rules stand as a model in
 * test/property/test_rotation.c and are compared over a million random schedules. */
#ifndef DOMAIN_ROTATION_H
#define DOMAIN_ROTATION_H

#include <stdbool.h>
#include <stdint.h>

#define ROTATION_REPEATS_MAX  10
#define ROTATION_STRAGGLER_MS ((int64_t)60 * 1000)

struct rotation {
	int64_t cur_gen, parent_gen; /* parent 0: none yet */
	int64_t rotated_ms;          /* when cur_gen was made */
	bool confirmed;              /* the successor, or an access token beside it, was seen in use */
	int64_t replays;             /* answers to the parent since then */
	int64_t older_gen, older_ms; /* the generation before the parent, and when it was rotated */
};

enum rotation_verdict {
	ROTATION_UNSET = 0,
	ROTATION_SAME,      /* rule 1: answer the current token, nothing changes */
	ROTATION_NEXT,      /* rule 2: a new generation */
	ROTATION_REPEAT,    /* rule 3: answer the current token again, count it */
	ROTATION_TOO_MANY,  /* rule 3: more than ROTATION_REPEATS_MAX: 429, nothing ends */
	ROTATION_REISSUE,   /* rule 4: the unused successor is superseded by a new one */
	ROTATION_STRAGGLER, /* rule 5: refuse, nothing ends */
	ROTATION_REUSE,     /* rule 6: the session ends */
	ROTATION_AHEAD,     /* rule 7: the client is newer than the store: refuse, alarm */
};

/* Decide on generation `gen` at now_ms. same_client: the client binding of the last rotation still
 * holds (rules 3 and 4 ask for it). Changes *r to the state after the verdict (for NEXT and REISSUE
 * the caller mints a nonce for the new cur_gen; for REPEAT replays has grown). */
enum rotation_verdict rotation_decide(struct rotation *r, int64_t gen, int64_t now_ms, int64_t window_ms,
				      bool same_client);

/* An access token minted beside generation `gen` was seen. True if that changed anything. */
bool rotation_seen(struct rotation *r, int64_t gen);

#endif
