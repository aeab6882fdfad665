/* ctx.h — what a domain function may touch, and nothing more. Built per request by api/dispatch.c, by
 * the command line in app/cli.c, and by tests with a chosen clock and a seeded rng. */
#ifndef DOMAIN_CTX_H
#define DOMAIN_CTX_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/config.h"
#include "base/rng.h"
#include "crypto/keyring.h"
#include "crypto/password.h"
#include "store/db.h"

/* Counters of what happened, for /metrics: shared by all threads, only ever added to. */
struct counters {
	atomic_llong refresh_rotated, refresh_repeated, refresh_straggler, refresh_reissued;
	atomic_llong refresh_reuse, refresh_ahead;
	atomic_llong login_ok, login_failed, login_limited;
	atomic_llong hash_refused;
	atomic_llong jwt_cache_hits, jwt_cache_misses;
	atomic_llong mail_sent, mail_retried, mail_dead, mail_expired;
	atomic_llong sms_sent, sms_retried, sms_dead, sms_expired;
};

/* Which field was refused and why, for the 400 body. Reasons are stable machine codes. */
#define FIELD_ERRORS_MAX 8
struct field_error {
	const char *field;  /* static */
	const char *reason; /* static: "REQUIRED", "TYPE", "TOO_LONG", "PASSWORD_TOO_SHORT", … */
};

struct brake;
struct clock_guard;
struct outside;

struct ctx {
	struct arena *mem;          /* dies with the request */
	struct db *db;              /* this thread's handle */
	const struct config *cfg;   /* immutable while the request runs */
	const struct keyring *keys; /* the same */
	struct password_gate *gate;
	struct counters *count;
	struct token_cache *tokens; /* this thread's verified access tokens; NULL: none */
	struct rng rng;
	int64_t now_ms;             /* read once: one request, one instant */
	int64_t mono_ms;            /* monotonic, the same instant */
	struct clock_guard *clock;  /* of the whole process; NULL (command line): nothing is checked */
	struct brake *brake;        /* of the whole process; NULL (command line): nothing is counted */
	int64_t deadline_us;        /* monotonic: when waiting for a hash becomes ERR_OVERLOAD */
	const struct outside *outside; /* identity providers (oauth/outside.h); NULL: nobody is asked */
	str request_id;
	str client_ip;              /* "203.0.113.7"; "cli" for the command line */
	const uint8_t *client_addr; /* 16 bytes, IPv4 mapped; NULL for the command line */
	str user_agent;             /* as sent, cut at 256 bytes of valid UTF-8; STR_NONE */
	bool web;                   /* the client is a browser that keeps its tokens in cookies */
	str origin, referer;        /* as sent: they choose among site.urls, nothing else; STR_NONE */

	/* Told by a refusal: */
	int64_t retry_after_s;
	struct field_error fields[FIELD_ERRORS_MAX];
	size_t n_fields;
	const char *not_a_code;     /* static: the member that cannot be a code, beside the refusal that it is wrong */
	str challenge;              /* of ERR_CHALLENGE: what to solve (brake.h) */
	str merge_token;            /* beside ERR_EMAIL_EXISTS: what a guest could not become (guest.h) */
	str hint;                   /* in --dev: which value, and which setting would allow it (dev_hint.h) */
	str provider_label;         /* of the identity provider that the request is about, for texts */
	bool outbox_added;          /* a message was queued: the sender is woken when the request is over */
	int64_t log_user_id;        /* whom the request turned out to be about, for the access log */
};

/* Notes one wrong field; the caller then fails with ERR_INPUT. */
static inline void ctx_field(struct ctx *c, const char *field, const char *reason)
{
	if (c->n_fields < FIELD_ERRORS_MAX)
		c->fields[c->n_fields++] = (struct field_error){ field, reason };
}

#endif
