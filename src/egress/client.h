/* client.h — one outbound HTTP request over libcurl, the way every module of this layer makes it:
 * http and https only, certificates and names verified, no redirects, no proxy from the
 * environment, no cookies, an absolute deadline, a bounded answer (WH03, WH04, SC06). */
#ifndef EGRESS_CLIENT_H
#define EGRESS_CLIENT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define CLIENT_REPLY_MAX   ((size_t)16 * 1024)
#define CLIENT_REPLY_LIMIT ((size_t)64 * 1024)
#define CLIENT_HEADERS_MAX 8

struct client_request {
	const char *method; /* "GET", "POST", "OPTIONS" */
	str url;
	struct {
		str name, value; /* no CR, LF or NUL */
	} headers[CLIENT_HEADERS_MAX];
	size_t n_headers;
	str user; /* HTTP basic authentication; n == 0: none */
	str password;
	str body;	    /* POST */
	str tls_ca;	    /* PEM file; n == 0: the system's authorities */
	int64_t timeout_ms; /* from resolving to the last byte */
	size_t reply_max;   /* 0: CLIENT_REPLY_MAX; at most CLIENT_REPLY_LIMIT */
	/* To hosts that others name: https only, on a connection of its own, and only to addresses that
	 * address_is_public(); each address is looked at when it is about to be connected to, so that
	 * nothing can change in between. */
	bool guarded;
	bool allow_private; /* guarded, but for tests and development: http and any address */
};

struct client_reply {
	int status;  /* 0: none came */
	str body;    /* at most reply_max; the rest is not read */
	bool cut;    /* there was more */
	str content_type; /* as sent; STR_NONE */
	str problem; /* why there is no status: one line of plain text; STR_NONE otherwise */
};

/* One per thread; keeps its connections. */
struct client;
MUST_USE err_t client_new(struct client **ret); /* ERR_NO_MEMORY */
void client_free(struct client *c);
/* From any thread: what is under way, and every later request, ends within a second. */
void client_abort(struct client *c);

/* A provider that does not answer, or a URL with another scheme or with a user in it, is no error:
 * then ret->status is 0. Refusal: ERR_INPUT for a CR, LF or NUL in a header, or a NUL in URL or
 * credentials. Faults: ERR_NO_MEMORY. */
MUST_USE err_t client_send(struct client *c, const struct client_request *r, struct arena *mem,
			   struct client_reply *ret);

#endif
