/* session.h — what can happen to a session: made at sign-in, refreshed, seen, listed, ended.
 * A session that is gone has no row; its tokens are refused at the next use. */
#ifndef DOMAIN_SESSION_H
#define DOMAIN_SESSION_H

#include "domain/ctx.h"
#include "domain/token.h"
#include "domain/uid.h"
#include "store/rows.h"

/* What a successful sign-in or refresh hands out. In the arena. */
struct tokens {
	uint8_t sid[UID_BYTES];
	str access, refresh;
	int64_t refresh_ms; /* how long the session lives from now if nobody uses it */
	str device; /* sign-in only; STR_NONE otherwise */
	str trust;  /* after a second factor, when it was asked for; STR_NONE otherwise */
	struct access_draft *draft; /* of `access`: between session_issue and session_sign; else NULL */
};

/* Who is calling: an access token checked against its session. */
struct caller {
	struct access_token token;
	struct caller_row row;
	bool needs_write; /* first sight of a new generation, or not touched for a minute: call
			   * session_seen before answering */
};

/* Make a session for `user` inside the open transaction, end the longest idle ones beyond
 * session.max_per_user, and prepare its tokens. The signature is session_sign's. amr: RFC 8176 names, blank-separated. Refusal: ERR_CLOCK. */
MUST_USE err_t session_issue(struct ctx *c, const struct user_row *user, str amr, struct tokens *ret);
/* Sign the access token of a session just made, once that is on disk: while a transaction is open everybody waits for
 * it. Takes neither memory nor randomness of ours. None made: nothing to do. Cost: 1 signature. */
MUST_USE err_t session_sign(struct tokens *t);

/* Rotate. Refusals: ERR_REFRESH_TOKEN (not genuine, expired, straggler, ahead of the store),
 * ERR_SESSION_REVOKED (gone, or ended now because of reuse), ERR_LIMITED (too many repeats), ERR_CLOCK.
 * Cost: 1 transaction of 2–3 statements, 1 signature. Source: RFC 9700 §4.14.2. */
MUST_USE err_t session_refresh(struct ctx *c, str refresh_token, struct tokens *ret);

/* Check an access token as session.check_on asks. Refusals: ERR_ACCESS_TOKEN, ERR_SESSION_REVOKED,
 * ERR_USER_NOT_FOUND (only when sessions are not checked). Cost: 1 indexed read. */
MUST_USE err_t session_caller(struct ctx *c, str access_token, struct caller *ret);

/* The same for who holds a proof of our own that names the session, whatever session.check_on says (forward.h). Refusal:
 * ERR_SESSION_REVOKED. Cost: 1 indexed read. */
MUST_USE err_t session_caller_of(struct ctx *c, const uint8_t sid[UID_BYTES], struct caller *ret);

/* Is it a genuine token of a guest, expired or not, whatever became of the session? Faults only. */
MUST_USE err_t session_names_guest(struct ctx *c, str access_token, bool *ret);

/* Note that the caller's session is in use (confirms its generation). Cost: 1 transaction. */
MUST_USE err_t session_seen(struct ctx *c, const struct caller *who);

/* Sign out the session that the access token (expired ones count) or the refresh token names.
 * Tokens that are not ours, or of a session already gone, are no error: OK. Access token first. */
MUST_USE err_t session_logout(struct ctx *c, str access_token, str refresh_token);

/* The session that a genuine token names, expired or not, whatever became of it. The access token first. Faults
 * only. */
MUST_USE err_t session_named(struct ctx *c, str access_token, str refresh_token, uint8_t ret_sid[UID_BYTES],
			     bool *ret_named);

/* When the caller's session last proved who he is: signed in, or gave the password again. Refusal:
 * ERR_SESSION_REVOKED. */
MUST_USE err_t session_auth_ms(struct ctx *c, const struct caller *who, int64_t *ret_auth_ms);
/* He just did. Inside the open transaction. */
MUST_USE err_t session_reauthenticated(struct ctx *c, const struct caller *who);

/* The same for a second factor that was asked for or set up in this session; 0: none was. One that was mailed
 * does not count. */
MUST_USE err_t session_factor_ms(struct ctx *c, const struct caller *who, int64_t *ret_factor_ms);
MUST_USE err_t session_factor_proven(struct ctx *c, const struct caller *who);

/* Begin a transaction in which the caller acts. What he was asked for may have taken long (a hash, a provider): whose
 * session has ended meanwhile, or whose account was disabled or deleted, acts no more. All that changes an account for a
 * caller begins with this, and believes *ret (the account as it is now) over who->row.
 *	TX tx = { 0 };
 *	TRY(session_act(c, who, &tx, &user)); … TRY(tx_commit(&tx));
 * Refusal: ERR_SESSION_REVOKED. */
MUST_USE err_t session_act(struct ctx *c, const struct caller *who, struct tx *tx, struct user_row *ret);
/* Inside the open transaction: has this session of the user's not ended? Refusal: ERR_SESSION_REVOKED. */
MUST_USE err_t session_lives(struct ctx *c, const uint8_t sid[UID_BYTES], int64_t user_id);

/* End the user's sessions but `sid` (STR_NONE: all). Inside the open transaction. */
MUST_USE err_t session_end_others(struct ctx *c, int64_t user_id, str sid);

/* The user's live sessions, last active first, at most 100. */
MUST_USE err_t session_list_own(struct ctx *c, int64_t user_id, struct session_row **ret, size_t *ret_n);

/* End one of the user's own sessions by its handle. Refusal: ERR_SESSION_NOT_FOUND (unknown, malformed
 * or somebody else's: deliberately the same). */
MUST_USE err_t session_end_own(struct ctx *c, int64_t user_id, str uid, str handle);

/* Delete expired sessions, at most limit_n. Background sweep and POST /sessions/cleanup. */
MUST_USE err_t session_sweep(struct ctx *c, int64_t limit_n, int64_t *ret_n);

#endif
