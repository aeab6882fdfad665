/* config.h — every setting of the server as one plain record, immutable while it is published.
 * Filled, checked and described by app/config.c; read by everyone. Text lives in the config's own
 * arena. Durations in milliseconds, sizes in bytes. */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include "base/arena.h"
#include "base/secret.h"

enum session_check {
	SESSION_CHECK_UNSET = 0,
	SESSION_CHECK_ALLCALLS,
	SESSION_CHECK_REFRESH,
	SESSION_CHECK_NONE,
};

enum token_algorithm {
	ALG_UNSET = 0,
	ALG_ES256,
	ALG_RS256,
	ALG_EDDSA,
	ALG_HS256,
};

enum log_level {
	LOG_LEVEL_UNSET = 0,
	LOG_DEBUG,
	LOG_INFO,
	LOG_WARN,
	LOG_ERROR,
};

struct str_list {
	const str *items;
	size_t n;
};

struct config {
	bool dev; /* `serve --dev`: loopback only, looser defaults, never stored in a file */

	struct {
		str listen;            /* "127.0.0.1:3000", "[::1]:3000", "unix:/path", "systemd" */
		str data_dir;
		str public_url;        /* no trailing slash */
		struct str_list trusted_proxies; /* CIDRs, and "unix" */
		struct str_list hosts; /* Host names answered; none: any */
		str api_prefix;        /* "/auth" */
		str tls_cert, tls_key; /* PEM files; both or none */
		str ops_listen;        /* address of /metrics (and health), "same", or "none" */
		int64_t io_threads;    /* 0 = one per core, at least 2 */
		int64_t workers;       /* threads that run writes */
		int64_t queue_max;     /* requests waiting for a worker before 503 */
		int64_t max_connections;
		int64_t max_connections_per_ip; /* trusted proxies are exempt */
		int64_t max_body;
		int64_t head_timeout_ms, body_timeout_ms, write_timeout_ms, idle_timeout_ms;
		int64_t shutdown_timeout_ms;
	} server;
	struct {
		str url;               /* "sqlite:/path/file.db" */
		int64_t cache;         /* page cache per connection, bytes */
		int64_t busy_timeout_ms;
	} store;
	struct {
		bool enabled;
	} registration;
	struct {
		int64_t access_ttl_ms;
		int64_t refresh_ttl_ms;     /* idle life of a bearer session */
		int64_t refresh_max_ttl_ms; /* absolute life of a bearer session */
		int64_t refresh_window_ms;  /* idempotent repeats, security rule: 60 s; 0 = strict */
		enum token_algorithm algorithm;
		struct str_list audience;   /* extra "aud" values; the issuer is always one */
	} token;
	struct {
		enum session_check check_on;
		int64_t max_per_user;
	} session;
	struct {
		int64_t min_length, min_score;
		int64_t argon2_memory, argon2_iterations;
		int64_t memory_budget;  /* bytes all hashes together may use */
		int64_t max_wait_ms;    /* longest expected wait for a hash before 503 */
		struct secret pepper;   /* n == 0: none */
	} password;
	struct {
		bool enabled;
		int64_t account_free;   /* failures of an account before delays start */
		int64_t account_max;    /* consecutive failures that close the password door */
		int64_t device_free;    /* failures of a known device before it counts as unknown */
		int64_t network_free;   /* failures of a network in network_window_ms before a penalty */
		int64_t network_window_ms;
		int64_t register_per_hour; /* registrations of one network */
		int64_t device_ttl_ms;
	} limits;
	struct {
		int64_t retention_ms;
	} audit;
	struct {
		str site_name;
	} ui;
	struct {
		str format; /* "json" or "text" */
		enum log_level level;
		bool requests; /* one line per request */
	} log;
};

#endif
